//! The resource type `iam_policy`.

use futures_util::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{from_api, to_api};
use crate::client::{Aws, send_once};
use crate::document::Policy;
use crate::error::{OrAbsent, OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::{Changing, verified};
use crate::resource::{EVENTUALLY, Info, Resource, Retry, Tags};
use crate::tags::TagChange;
use leoctl_core::engine::ports::{Operation, Outcome, Wanted};
use leoctl_core::model::place::Scope;

/// A managed policy: one that several roles can share.
///
/// Import by ARN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IamPolicy {
    /// The name, unique in the account.
    #[schemars(extend("x-replace" = true, "x-caseless" = true, "pattern" = "^[a-zA-Z0-9_+=,.@-]+$", "x-form" = "letters, digits and _+=,.@-"), length(max = 128))]
    name: String,
    /// The path in the ARN.
    #[schemars(extend("default" = "/", "x-replace" = true, "pattern" = "^/([!-~]+/)?$", "x-form" = "a path that begins and ends with a slash"), length(max = 512))]
    path: String,
    /// What it is for.
    #[schemars(extend("x-replace" = true), length(max = 1000))]
    description: Option<String>,
    /// What is allowed.
    policy: Policy,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The ARN, which is also the id.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
}

/// Most versions a policy has (IAM User Guide, "Versioning IAM policies").
const MOST_VERSIONS: usize = 5;

impl IamPolicy {
    async fn read_one(aws: &Aws, arn: &str) -> Outcome<Option<Self>> {
        let found = aws.iam().get_policy().policy_arn(arn).send().await.or_fail("iam:GetPolicy").or_absent()?;
        let Some(policy) = found.and_then(|found| found.policy) else { return Ok(None) };
        let call = aws.iam().get_policy_version().policy_arn(arn).version_id(policy.default_version_id().unwrap_or("v1"));
        let Some(version) = call.send().await.or_fail("iam:GetPolicyVersion").or_absent()? else { return Ok(None) };
        let document = version.policy_version().and_then(|version| version.document()).unwrap_or("{}");
        Ok(Some(Self {
            name: policy.policy_name().unwrap_or_default().to_owned(),
            path: policy.path().unwrap_or("/").to_owned(),
            description: policy.description().filter(|text| !text.is_empty()).map(str::to_owned),
            policy: Policy::parse_encoded(document)?,
            tags: from_api(policy.tags()),
            arn: arn.to_owned(),
        }))
    }

    /// Deletes versions that are not in force until at most `keep` of all are left, the oldest first.
    async fn prune(aws: &Aws, arn: &str, keep: usize) -> Outcome<()> {
        let found = aws.iam().list_policy_versions().policy_arn(arn).send().await.or_fail("iam:ListPolicyVersions").or_absent()?;
        let mut versions = found.and_then(|found| found.versions).unwrap_or_default();
        let mut count = versions.len();
        versions.retain(|version| !version.is_default_version());
        versions.sort_by_key(|version| version.create_date().map(|date| date.secs()));
        for version in versions {
            if count <= keep {
                break;
            }
            let call = aws.iam().delete_policy_version().policy_arn(arn).set_version_id(version.version_id);
            call.send().await.or_gone("iam:DeletePolicyVersion")?;
            count -= 1;
        }
        Ok(())
    }
}

impl Resource for IamPolicy {
    const TYPE: &'static str = "iam_policy";
    // A policy cannot go while a role that is being changed still has it.
    const INFO: Info = Info {
        unique: &[&["name"]],
        scope: Scope::Global,
        seen_within: EVENTUALLY,
        held_by: &["iam_role"],
        transient: &[Retry::after("DeleteConflict", &["iam:DeletePolicy"]), Retry::always("ConcurrentModification")],
        timeout: 300,
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:iam::{account}:policy{path}{name}",
        plan: &[Grant::any(&["iam:ListPolicies"]), Grant::itself(&["iam:GetPolicy", "iam:GetPolicyVersion"])],
        apply: &[Grant::itself(&[
            "iam:CreatePolicy",
            "iam:CreatePolicyVersion",
            "iam:DeletePolicy",
            "iam:DeletePolicyVersion",
            "iam:ListPolicyVersions",
            "iam:TagPolicy",
            "iam:UntagPolicy",
        ])],
    };

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let read = try_join_all(ids.iter().map(async |arn| Ok(Self::read_one(aws, arn).await?.map(|read| (arn.clone(), read))))).await?;
        Ok(read.into_iter().flatten().collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let Some(name) = wanted.text("name") else { return Ok(None) };
        let mut pages = aws.iam().list_policies().scope(aws_sdk_iam::types::PolicyScopeType::Local).max_items(1000).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.or_fail("iam:ListPolicies")?;
            let named = page.policies().iter().filter(|policy| policy.policy_name() == Some(name));
            let found = wanted.pick(named.filter_map(|policy| policy.arn().map(str::to_owned)));
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let call = aws
            .iam()
            .create_policy()
            .policy_name(&to.name)
            .path(&to.path)
            .set_description(to.description.clone())
            .policy_document(to.policy.to_string())
            .set_tags(to_api(&to.tags)?);
        let made = send_once!(aws_sdk_iam, call).await.sent_once("iam:CreatePolicy")?;
        made_id("iam:CreatePolicy", made.policy().and_then(|policy| policy.arn()))
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self { policy, tags, name: _, path: _, description: _, arn: _ } = to;
        let iam = aws.iam();
        if *policy != from.policy {
            Self::prune(aws, id, MOST_VERSIONS - 1).await?;
            let call = iam.create_policy_version().policy_arn(id).policy_document(policy.to_string()).set_as_default(true);
            let sent = send_once!(aws_sdk_iam, call).await.sent_once("iam:CreatePolicyVersion");
            let is_default = async || Ok(Self::read_one(aws, id).await?.is_some_and(|now| now.policy == *policy));
            verified(sent, &[], is_default).await?;
        }
        let change = TagChange::between(&from.tags, tags);
        if let Some(set) = to_api(&change.set)? {
            iam.tag_policy().policy_arn(id).set_tags(Some(set)).send().await.idempotent("iam:TagPolicy")?;
        }
        if !change.remove.is_empty() {
            iam.untag_policy().policy_arn(id).set_tag_keys(Some(change.remove)).send().await.idempotent("iam:UntagPolicy")?;
        }
        Ok(())
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        Self::prune(aws, id, 1).await?;
        aws.iam().delete_policy().policy_arn(id).send().await.or_gone("iam:DeletePolicy").map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use leoctl_core::model::address::{Address, Block};
    use leoctl_core::model::value::Value;

    use super::*;
    use crate::scripted::{Answer, Scripted};

    #[tokio::test]
    async fn a_policy_is_found_on_whichever_page_it_is() {
        let scripted = Scripted::new(|call| {
            let policy = |name: &str| format!("<member><PolicyName>{name}</PolicyName><Arn>arn:aws:iam::1:policy/{name}</Arn></member>");
            let (found, more) = match call.body.contains("Marker=next") {
                true => (policy("wanted"), "<IsTruncated>false</IsTruncated>"),
                false => (policy("other"), "<IsTruncated>true</IsTruncated><Marker>next</Marker>"),
            };
            Answer::ok(format!(
                "<ListPoliciesResponse><ListPoliciesResult><Policies>{found}</Policies>{more}</ListPoliciesResult></ListPoliciesResponse>"
            ))
        });
        let wanted = Wanted {
            address: Address { block: Block::new("iam_policy", "x"), key: None },
            stack: "shop".to_owned(),
            account: "1".to_owned(),
            region: "eu-west-1".to_owned(),
            token: None,
            desired: Value::from(serde_json::json!({ "name": "wanted" })),
            known: BTreeSet::new(),
        };
        assert_eq!(IamPolicy::find(&scripted.aws, &wanted).await.unwrap().as_deref(), Some("arn:aws:iam::1:policy/wanted"));
        let calls = scripted.calls();
        assert!(calls.len() == 2 && calls.iter().all(|call| call.body.contains("MaxItems=1000")), "{calls:?}");
    }
}
