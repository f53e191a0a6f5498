//! The resource type `cloudwatch_log_group`.

use aws_sdk_cloudwatchlogs::types as api;
use futures_util::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::client::{Aws, send_once};
use super::error::{OrAbsent, OrFail};
use super::patience::insisting;
use super::repeat::{Changing, says};
use super::resource::{Info, Resource, Retry, Tags};
use super::tags::{TagChange, collect};
use crate::permissions::{Grant, Permissions};
use leoctl_core::engine::ports::{Failure, Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::value::Value;

/// A group of log streams.
///
/// Import by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloudwatchLogGroup {
    /// The name, unique in account and region.
    #[schemars(extend("x-replace" = true, "pattern" = "^[a-zA-Z0-9._/#-]+$", "x-form" = "letters, digits and ._/#-"), length(max = 512))]
    name: String,
    /// Days after which events are deleted; never when left out. Those of a group of class `DELIVERY` are AWS's to say.
    #[schemars(extend("enum" = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]))]
    retention_in_days: Option<i32>,
    /// The KMS key events are encrypted with.
    #[schemars(extend("x-format" = "arn:kms"))]
    kms_key_id: Option<String>,
    /// What can be done with the logs, and what they cost.
    #[schemars(extend("default" = "STANDARD", "x-replace" = true, "enum" = ["STANDARD", "INFREQUENT_ACCESS", "DELIVERY"]))]
    log_group_class: String,
    /// Whether AWS refuses to delete it.
    #[schemars(extend("default" = false))]
    deletion_protection_enabled: bool,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The ARN, as policies want it: without `:*` at its end.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
}

impl CloudwatchLogGroup {
    async fn describe(aws: &Aws, name: &str) -> Outcome<Option<api::LogGroup>> {
        // The name asked for is a prefix; the group itself comes first in its order.
        let call = aws.logs().describe_log_groups().log_group_name_prefix(name);
        let found = call.send().await.or_fail("logs:DescribeLogGroups")?;
        Ok(found.log_groups.unwrap_or_default().into_iter().find(|group| group.log_group_name() == Some(name)))
    }

    async fn tags_of(aws: &Aws, arn: &str) -> Outcome<Tags> {
        let found = aws.logs().list_tags_for_resource().resource_arn(arn).send().await.or_fail("logs:ListTagsForResource").or_absent()?;
        Ok(collect(found.and_then(|found| found.tags).unwrap_or_default()))
    }

    /// Those of these groups that exist; the list can be asked for fifty by name.
    async fn describe_all(aws: &Aws, names: &[String]) -> Outcome<Vec<api::LogGroup>> {
        let mut found = Vec::new();
        for some in names.chunks(50) {
            let call = aws.logs().describe_log_groups().set_log_group_identifiers(Some(some.to_vec()));
            let mut pages = call.into_paginator().send();
            let before = found.len();
            while let Some(page) = pages.next().await {
                let groups = page.or_fail("logs:DescribeLogGroups")?.log_groups.unwrap_or_default();
                found.extend(groups.into_iter().filter(|group| some.iter().any(|name| group.log_group_name() == Some(name))));
                if found.len() - before >= some.len() {
                    break;
                }
            }
        }
        Ok(found)
    }

    async fn read_group(aws: &Aws, group: &api::LogGroup) -> Outcome<(String, Self)> {
        let read = Self::from_api(group);
        let tags = Self::tags_of(aws, &read.arn).await?;
        Ok((read.name.clone(), Self { tags, ..read }))
    }

    fn from_api(group: &api::LogGroup) -> Self {
        let log_group_class = group.log_group_class().map_or("STANDARD", api::LogGroupClass::as_str).to_owned();
        Self {
            // AWS sets that of a delivery's.
            retention_in_days: group.retention_in_days().filter(|_| log_group_class != DELIVERY),
            kms_key_id: group.kms_key_id().map(str::to_owned),
            log_group_class,
            deletion_protection_enabled: group.deletion_protection_enabled().unwrap_or_default(),
            tags: Tags::new(),
            arn: group.arn().unwrap_or_default().trim_end_matches(":*").to_owned(),
            name: group.log_group_name().unwrap_or_default().to_owned(),
        }
    }
}

/// The class whose retention is AWS's (CloudWatch Logs User Guide, "Log classes").
const DELIVERY: &str = "DELIVERY";

/// What CloudWatch Logs says of a key whose policy it has not heard of yet; of any other, too.
fn key_unknown(failure: &Failure) -> bool {
    says(failure, &["InvalidParameterException", "AccessDeniedException"])
}

/// What is waited for then.
const KEY: &str = "waiting for CloudWatch Logs to be allowed to use the key";

impl Resource for CloudwatchLogGroup {
    const TYPE: &'static str = "cloudwatch_log_group";
    const INFO: Info = Info {
        unique: &[&["name"]],
        data_loss: Some("the logs in it"),
        transient: &[Retry::always("OperationAbortedException")],
        timeout: 300,
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:logs:{region}:{account}:log-group:{name}",
        plan: &[Grant::any(&["logs:DescribeLogGroups"]), Grant::itself(&["logs:ListTagsForResource"])],
        apply: &[
            Grant::itself(&["logs:TagResource", "logs:UntagResource"]),
            // All but tagging wants the ARN with `:*` at its end (CloudWatch Logs API Reference, LogGroup).
            Grant::on(
                &[
                    "logs:AssociateKmsKey",
                    "logs:CreateLogGroup",
                    "logs:DeleteLogGroup",
                    "logs:DeleteRetentionPolicy",
                    "logs:DisassociateKmsKey",
                    "logs:PutLogGroupDeletionProtection",
                    "logs:PutRetentionPolicy",
                    "logs:TagResource",
                ],
                &["arn:{partition}:logs:{region}:{account}:log-group:{name}:*"],
            ),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let class = desired.get("log_group_class").and_then(Value::as_str);
        let retention = desired.get("retention_in_days").is_some_and(|days| !days.is_null());
        let problem = || (Path::attribute("retention_in_days"), "AWS sets the retention of a log group of class `DELIVERY`".to_owned());
        (class == Some(DELIVERY) && retention).then(problem).into_iter().collect()
    }

    fn protected(live: &Value) -> Option<&'static str> {
        matches!(live.get("deletion_protection_enabled"), Some(Value::Bool(true))).then_some("deletion_protection_enabled = false")
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let found = Self::describe_all(aws, ids).await?;
        try_join_all(found.iter().map(|group| Self::read_group(aws, group))).await
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let Some(name) = wanted.text("name") else { return Ok(None) };
        Ok(wanted.pick(Self::describe(aws, name).await?.and_then(|group| group.log_group_name)))
    }

    async fn create(aws: &Aws, operation: &Operation, to: &Self) -> Outcome<String> {
        let call = aws
            .logs()
            .create_log_group()
            .log_group_name(&to.name)
            .set_kms_key_id(to.kms_key_id.clone())
            .log_group_class(api::LogGroupClass::from(to.log_group_class.as_str()))
            .set_deletion_protection_enabled(to.deletion_protection_enabled.then_some(true))
            .set_tags(Some(to.tags.clone().into_iter().collect()));
        let passes = |failure: &Failure| to.kms_key_id.is_some() && key_unknown(failure);
        let create = || async { send_once!(aws_sdk_cloudwatchlogs, call.clone()).await.sent_once("logs:CreateLogGroup") };
        insisting(operation, KEY, passes, create).await?;
        Ok(to.name.clone())
    }

    fn as_created(to: &Self) -> Self {
        Self { retention_in_days: None, ..to.clone() }
    }

    async fn update(aws: &Aws, operation: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self { retention_in_days, kms_key_id, deletion_protection_enabled, tags, name: _, log_group_class: _, arn: _ } = to;
        let logs = aws.logs();
        match retention_in_days {
            now if *now == from.retention_in_days => {}
            Some(days) => {
                logs.put_retention_policy()
                    .log_group_name(id)
                    .retention_in_days(*days)
                    .send()
                    .await
                    .idempotent("logs:PutRetentionPolicy")?;
            }
            None => {
                logs.delete_retention_policy().log_group_name(id).send().await.idempotent("logs:DeleteRetentionPolicy")?;
            }
        }
        match kms_key_id {
            now if *now == from.kms_key_id => {}
            Some(key) => {
                let call = logs.associate_kms_key().log_group_name(id).kms_key_id(key);
                let associate = || async { call.clone().send().await.idempotent("logs:AssociateKmsKey") };
                insisting(operation, KEY, key_unknown, associate).await?;
            }
            None => {
                logs.disassociate_kms_key().log_group_name(id).send().await.idempotent("logs:DisassociateKmsKey")?;
            }
        }
        if *deletion_protection_enabled != from.deletion_protection_enabled {
            let call = logs.put_log_group_deletion_protection().log_group_identifier(id);
            let call = call.deletion_protection_enabled(*deletion_protection_enabled);
            call.send().await.idempotent("logs:PutLogGroupDeletionProtection")?;
        }
        let change = TagChange::between(&from.tags, tags);
        if change == TagChange::default() {
            return Ok(());
        }
        let Some(group) = Self::describe(aws, id).await? else { return Ok(()) };
        let arn = group.arn().unwrap_or_default().trim_end_matches(":*");
        if !change.set.is_empty() {
            let tags = change.set.into_iter().collect();
            logs.tag_resource().resource_arn(arn).set_tags(Some(tags)).send().await.idempotent("logs:TagResource")?;
        }
        if !change.remove.is_empty() {
            logs.untag_resource().resource_arn(arn).set_tag_keys(Some(change.remove)).send().await.idempotent("logs:UntagResource")?;
        }
        Ok(())
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        aws.logs().delete_log_group().log_group_name(id).send().await.or_gone("logs:DeleteLogGroup").map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patience::tests::operation;
    use crate::scripted::{Answer, Scripted};

    #[test]
    fn the_retention_of_a_delivery_is_not_the_stack_files() {
        let group = |class| api::LogGroup::builder().log_group_name("g").retention_in_days(2).log_group_class(class).build();
        assert_eq!(CloudwatchLogGroup::from_api(&group(api::LogGroupClass::Delivery)).retention_in_days, None);
        assert_eq!(CloudwatchLogGroup::from_api(&group(api::LogGroupClass::Standard)).retention_in_days, Some(2));
        let written = |class: &str| Value::from(serde_json::json!({ "log_group_class": class, "retention_in_days": 7 }));
        assert_eq!(CloudwatchLogGroup::check(&written("DELIVERY")).len(), 1);
        assert!(CloudwatchLogGroup::check(&written("STANDARD")).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_logs_may_not_use_yet_is_tried_again() {
        let created = async |key: Option<&str>| {
            let mut calls = 0;
            let scripted = Scripted::new(move |_| {
                calls += 1;
                if calls == 1 { Answer::json_error("InvalidParameterException") } else { Answer::ok("{}") }
            });
            let group =
                CloudwatchLogGroup::from_api(&api::LogGroup::builder().log_group_name("g").set_kms_key_id(key.map(str::to_owned)).build());
            (CloudwatchLogGroup::create(&scripted.aws, &operation(0), &group).await.is_ok(), scripted.calls().len())
        };
        assert_eq!(created(Some("arn:aws:kms:eu-west-1:1:key/k")).await, (true, 2));
        assert_eq!(created(None).await, (false, 1));
    }
}
