//! The resource type `backup_plan`.

use aws_sdk_backup::operation::get_backup_plan::GetBackupPlanOutput;
use aws_sdk_backup::types as api;
use futures_util::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rule::Rule;
use super::{tags_of, unbuilt, update_tags};
use crate::client::{Aws, send_once};
use crate::error::{OrAbsent, OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::{Changing, verified};
use crate::resource::{Info, Resource, Retry, Tags};
use crate::tags::collect;
use leoctl_core::engine::ports::{Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::value::Value;

/// When backups are made and how long they are kept. What is backed up is said by a `backup_selection`.
///
/// Import by id: `0123abcd-4567-89ef-0123-456789abcdef`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupPlan {
    /// The name.
    #[schemars(extend("pattern" = "^[a-zA-Z0-9_.-]{1,50}$", "x-form" = "1 to 50 letters, digits and -_."))]
    name: String,
    /// What is done when, at least one rule.
    #[schemars(extend("x-key" = "rule_name"), length(min = 1))]
    rules: Vec<Rule>,
    /// What is particular to types of resources.
    #[schemars(extend("default" = [], "x-key" = "resource_type"))]
    advanced_backup_settings: Vec<AdvancedBackupSetting>,
    /// What is looked through for malware, by rules that have `scan_actions`.
    #[schemars(extend("default" = []))]
    scan_settings: Vec<ScanSetting>,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The id.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    id: String,
    /// The ARN.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
    /// The id of the present version: each change makes a new one.
    #[serde(default)]
    #[schemars(extend("x-computed" = true, "x-follows" = ["name", "rules", "advanced_backup_settings", "scan_settings"]))]
    version_id: String,
}

/// What is particular to a type of resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdvancedBackupSetting {
    /// The type: `EC2` or `S3`.
    resource_type: String,
    /// The options: `WindowsVSS = "enabled"` for EC2, `BackupACLs = "disabled"` and `BackupObjectTags = "disabled"` for S3.
    backup_options: Tags,
}

/// What is looked through, and as whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScanSetting {
    /// Who does it.
    #[schemars(extend("default" = "GUARDDUTY", "enum" = ["GUARDDUTY"]))]
    malware_scanner: String,
    /// The types of resources: `EBS`, `EC2`, `S3`, or `ALL`.
    #[schemars(extend("x-set" = true))]
    resource_types: Vec<String>,
    /// The role the scanner reads with.
    #[schemars(extend("x-format" = "arn:iam"))]
    scanner_role_arn: String,
}

impl AdvancedBackupSetting {
    fn to_api(&self) -> api::AdvancedBackupSetting {
        let Self { resource_type, backup_options } = self;
        let options = backup_options.clone().into_iter().collect();
        api::AdvancedBackupSetting::builder().resource_type(resource_type).set_backup_options(Some(options)).build()
    }

    fn from_api(setting: &api::AdvancedBackupSetting) -> Self {
        Self {
            resource_type: setting.resource_type().unwrap_or_default().to_owned(),
            backup_options: collect(setting.backup_options().into_iter().flatten()),
        }
    }
}

impl ScanSetting {
    fn to_api(&self) -> api::ScanSetting {
        let Self { malware_scanner, resource_types, scanner_role_arn } = self;
        api::ScanSetting::builder()
            .malware_scanner(malware_scanner.as_str().into())
            .set_resource_types(Some(resource_types.clone()))
            .scanner_role_arn(scanner_role_arn)
            .build()
    }

    fn from_api(setting: &api::ScanSetting) -> Self {
        Self {
            malware_scanner: setting.malware_scanner().map_or("GUARDDUTY", api::MalwareScanner::as_str).to_owned(),
            resource_types: setting.resource_types().to_vec(),
            scanner_role_arn: setting.scanner_role_arn().unwrap_or_default().to_owned(),
        }
    }
}

impl BackupPlan {
    /// The plan for a call; every one of them gives it whole.
    fn to_api(&self) -> Outcome<api::BackupPlanInput> {
        let settings: Vec<_> = self.advanced_backup_settings.iter().map(AdvancedBackupSetting::to_api).collect();
        let scanned: Vec<_> = self.scan_settings.iter().map(ScanSetting::to_api).collect();
        api::BackupPlanInput::builder()
            .backup_plan_name(&self.name)
            .set_rules(Some(self.rules.iter().map(Rule::to_api).collect::<Outcome<_>>()?))
            .set_advanced_backup_settings(Some(settings).filter(|settings| !settings.is_empty()))
            .set_scan_settings(Some(scanned).filter(|scanned| !scanned.is_empty()))
            .build()
            .map_err(unbuilt)
    }

    /// What AWS says of a plan; none when there is none: a deleted one is still known, with the date.
    pub(super) async fn describe(aws: &Aws, id: &str) -> Outcome<Option<GetBackupPlanOutput>> {
        let found = aws.backup().get_backup_plan().backup_plan_id(id).send().await.or_fail("backup:GetBackupPlan").or_absent()?;
        Ok(found.filter(|found| found.deletion_date().is_none()))
    }

    async fn read_one(aws: &Aws, id: &str) -> Outcome<Option<(String, Self)>> {
        let Some(found) = Self::describe(aws, id).await? else { return Ok(None) };
        let Some(plan) = found.backup_plan() else { return Ok(None) };
        let arn = found.backup_plan_arn().unwrap_or_default();
        let (settings, scanned) = settings_of(&found, plan);
        let read = Self {
            name: plan.backup_plan_name().to_owned(),
            rules: plan.rules().iter().map(Rule::from_api).collect(),
            advanced_backup_settings: settings.iter().map(AdvancedBackupSetting::from_api).collect(),
            scan_settings: scanned.iter().map(ScanSetting::from_api).collect(),
            tags: tags_of(aws, arn).await?,
            id: id.to_owned(),
            arn: arn.to_owned(),
            version_id: found.version_id().unwrap_or_default().to_owned(),
        };
        Ok(Some((id.to_owned(), read)))
    }
}

/// The advanced and the scan settings of a plan. AWS says them beside the plan or in it (Backup API Reference, GetBackupPlan):
/// those it says count.
fn settings_of<'a>(
    found: &'a GetBackupPlanOutput,
    plan: &'a api::BackupPlan,
) -> (&'a [api::AdvancedBackupSetting], &'a [api::ScanSetting]) {
    let advanced = [found.advanced_backup_settings(), plan.advanced_backup_settings()];
    (advanced.into_iter().find(|settings| !settings.is_empty()).unwrap_or_default(), plan.scan_settings())
}

impl Resource for BackupPlan {
    const TYPE: &'static str = "backup_plan";
    // Selections and vaults that were just deleted or made are not seen as such everywhere at once.
    const INFO: Info = Info {
        propagating: &[
            Retry::after("InvalidParameterValueException", &["backup:CreateBackupPlan", "backup:UpdateBackupPlan"]),
            Retry::after("InvalidRequestException", &["backup:DeleteBackupPlan"]),
        ],
        timeout: 300,
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:backup:{region}:{account}:backup-plan:*",
        plan: &[Grant::any(&["backup:ListBackupPlans"]), Grant::itself(&["backup:GetBackupPlan", "backup:ListTags"])],
        apply: &[
            Grant::itself(&[
                "backup:CreateBackupPlan",
                "backup:DeleteBackupPlan",
                "backup:TagResource",
                "backup:UntagResource",
                "backup:UpdateBackupPlan",
            ]),
            Grant::pass("scan_settings.scanner_role_arn", "backup.amazonaws.com"),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let rules = desired.get("rules").and_then(Value::as_list).unwrap_or_default();
        let copies = rules.iter().flat_map(|rule| rule.get("copy_actions").and_then(Value::as_list).unwrap_or_default());
        let all = || rules.iter().chain(copies.clone()).filter_map(|one| one.get("lifecycle"));
        let empty = all().any(super::rule::is_endless);
        let problem = "a lifecycle says when backups move or go, and this one says neither: leave it out to keep them for good";
        let empty = empty.then(|| (Path::attribute("rules"), problem.to_owned()));
        let early = all().any(super::rule::goes_early);
        let early = early.then(|| {
            let problem = "what has moved to cold storage stays there for 90 days at least: `delete_after_days` is too early";
            (Path::attribute("rules"), problem.to_owned())
        });
        empty.into_iter().chain(early).collect()
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        Ok(try_join_all(ids.iter().map(|id| Self::read_one(aws, id))).await?.into_iter().flatten().collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let mut pages = aws.backup().list_backup_plans().into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            found.extend(page.or_fail("backup:ListBackupPlans")?.backup_plans_list.unwrap_or_default());
        }
        // Names may be used twice; the list has no tags.
        found.retain(|plan| plan.backup_plan_id().is_some_and(|id| !wanted.is_known(id)));
        let tags = try_join_all(found.iter().map(|plan| tags_of(aws, plan.backup_plan_arn().unwrap_or_default()))).await?;
        let ours = found.into_iter().zip(tags).filter(|(_, tags)| wanted.owns(tags));
        Ok(wanted.pick(ours.filter_map(|(plan, _)| plan.backup_plan_id)))
    }

    async fn create(aws: &Aws, operation: &Operation, to: &Self) -> Outcome<String> {
        let call = aws
            .backup()
            .create_backup_plan()
            .creator_request_id(&operation.token)
            .backup_plan(to.to_api()?)
            .set_backup_plan_tags(Some(to.tags.clone().into_iter().collect()));
        let made = send_once!(aws_sdk_backup, call).await.sent_once("backup:CreateBackupPlan")?;
        made_id("backup:CreateBackupPlan", made.backup_plan_id)
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self { name, rules, advanced_backup_settings, scan_settings, tags, id: _, arn, version_id: _ } = to;
        if *name != from.name
            || *rules != from.rules
            || *advanced_backup_settings != from.advanced_backup_settings
            || *scan_settings != from.scan_settings
        {
            let call = aws.backup().update_backup_plan().backup_plan_id(id).backup_plan(to.to_api()?);
            call.send().await.idempotent("backup:UpdateBackupPlan")?;
        }
        update_tags(aws, arn, &from.tags, tags).await
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        if Self::describe(aws, id).await?.is_none() {
            return Ok(());
        }
        let deleted = aws.backup().delete_backup_plan().backup_plan_id(id).send().await.or_gone("backup:DeleteBackupPlan");
        let codes = ["InvalidParameterValueException", "InvalidRequestException"];
        verified(deleted, &codes, async || Ok(Self::describe(aws, id).await?.is_none())).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_lifecycle_that_says_nothing_is_refused() {
        let problems = |rule: serde_json::Value| BackupPlan::check(&Value::from(json!({ "rules": [rule] }))).len();
        assert_eq!(problems(json!({ "lifecycle": {} })), 1);
        assert_eq!(problems(json!({ "copy_actions": [{ "lifecycle": { "opt_in_to_archive_for_supported_resources": false } }] })), 1);
        assert_eq!(problems(json!({ "lifecycle": { "delete_after_days": 30 }, "copy_actions": [{}] })), 0);
    }

    #[test]
    fn advanced_settings_are_read_wherever_aws_says_them() {
        let setting = || api::AdvancedBackupSetting::builder().resource_type("EC2").backup_options("WindowsVSS", "enabled").build();
        let plan = || api::BackupPlan::builder().backup_plan_name("p").set_rules(Some(Vec::new()));
        let read = |found: GetBackupPlanOutput| {
            let (settings, _) = settings_of(&found, found.backup_plan().unwrap());
            settings.iter().map(AdvancedBackupSetting::from_api).collect::<Vec<_>>()
        };
        let options = [("WindowsVSS".to_owned(), "enabled".to_owned())].into();
        let wanted = [AdvancedBackupSetting { resource_type: "EC2".to_owned(), backup_options: options }];
        let beside = GetBackupPlanOutput::builder().backup_plan(plan().build().unwrap()).advanced_backup_settings(setting()).build();
        assert_eq!(read(beside), wanted);
        let inside = plan().advanced_backup_settings(setting()).build().unwrap();
        assert_eq!(read(GetBackupPlanOutput::builder().backup_plan(inside).build()), wanted);
    }
}
