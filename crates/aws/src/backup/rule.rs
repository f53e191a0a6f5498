//! What a backup plan does when: its rules.

use std::collections::HashMap;

use aws_sdk_backup::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::unbuilt;
use crate::resource::Tags;
use crate::tags::collect;
use leoctl_core::engine::ports::Outcome;
use leoctl_core::model::value::Value;

/// When backups are made, and how long they are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The rule's name, unique in the plan.
    #[schemars(extend("pattern" = "^[a-zA-Z0-9_.-]{1,50}$", "x-form" = "1 to 50 letters, digits and -_."))]
    rule_name: String,
    /// The name of the vault that backups go to.
    target_backup_vault_name: String,
    /// The ARN of a logically air-gapped vault that they go to as well.
    #[schemars(extend("x-format" = "arn:backup"))]
    target_logically_air_gapped_backup_vault_arn: Option<String>,
    /// When, such as `cron(0 5 * * ? *)` for each day at five.
    #[schemars(extend("default" = SCHEDULE))]
    schedule_expression: String,
    /// The time zone of the schedule, such as `Europe/Berlin`.
    #[schemars(extend("default" = TIMEZONE))]
    schedule_expression_timezone: String,
    /// Minutes after which a backup that could not begin is given up.
    #[schemars(extend("x-server" = true), range(min = 60, max = 52_560_000))]
    start_window_minutes: Option<i64>,
    /// Minutes after which a backup that has not ended is given up.
    #[schemars(extend("x-server" = true), range(min = 1, max = 52_560_000))]
    completion_window_minutes: Option<i64>,
    /// How long backups are kept; for good when left out.
    lifecycle: Option<Lifecycle>,
    /// Tags that backups get.
    #[schemars(extend("default" = {}))]
    recovery_point_tags: Tags,
    /// Other vaults that backups are copied to.
    #[schemars(extend("default" = [], "x-key" = "destination_backup_vault_arn"))]
    copy_actions: Vec<CopyAction>,
    /// Whether backups are continuous, so that any moment can be restored, where AWS can do that.
    #[schemars(extend("default" = false))]
    enable_continuous_backup: bool,
    /// What of a backup is indexed, so that it can be searched.
    #[schemars(extend("default" = []))]
    index_actions: Vec<IndexAction>,
    /// How backups are looked through for malware.
    #[schemars(extend("default" = []))]
    scan_actions: Vec<ScanAction>,
}

/// How long backups are kept, and where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lifecycle {
    /// Days after which they move to cold storage; never when left out.
    #[schemars(range(min = 1, max = 36500))]
    move_to_cold_storage_after_days: Option<i64>,
    /// Days after which they are deleted, at least 90 more than the ones above; never when left out.
    #[schemars(range(min = 1, max = 36500))]
    delete_after_days: Option<i64>,
    /// Whether snapshots of block storage move to their archive, too.
    #[schemars(extend("default" = false))]
    opt_in_to_archive_for_supported_resources: bool,
}

/// A copy of each backup.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CopyAction {
    /// The ARN of the vault, which may be of another region or account.
    #[schemars(extend("x-format" = "arn:backup"))]
    destination_backup_vault_arn: String,
    /// How long the copies are kept; for good when left out.
    lifecycle: Option<Lifecycle>,
}

/// What is indexed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IndexAction {
    /// The type of resource: `EBS` or `S3`.
    #[schemars(extend("x-set" = true))]
    resource_types: Vec<String>,
}

/// How backups are looked through.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScanAction {
    /// Who does it.
    #[schemars(extend("default" = "GUARDDUTY", "enum" = ["GUARDDUTY"]))]
    malware_scanner: String,
    /// How much of each backup.
    #[schemars(extend("enum" = ["FULL_SCAN", "INCREMENTAL_SCAN"]))]
    scan_mode: String,
}

/// When backups are made by a rule that does not say (Backup API Reference, BackupRuleInput).
const SCHEDULE: &str = "cron(0 5 ? * * *)";
/// The time zone of a rule that does not say (Backup API Reference, BackupRuleInput: UTC).
const TIMEZONE: &str = "Etc/UTC";

/// Whether backups are to be deleted before 90 days in cold storage (AWS Backup API Reference, Lifecycle).
pub(super) fn goes_early(lifecycle: &Value) -> bool {
    let days = |key: &str| match lifecycle.get(key) {
        Some(Value::Int(days)) => Some(*days),
        _ => None,
    };
    days("move_to_cold_storage_after_days")
        .zip(days("delete_after_days"))
        .is_some_and(|(moved, deleted)| deleted < moved.saturating_add(90))
}

/// Whether a lifecycle neither moves nor deletes anything, which is one that AWS does not return.
pub fn is_endless(lifecycle: &Value) -> bool {
    let says = |key: &str| lifecycle.get(key).is_some_and(|days| !days.is_null());
    lifecycle.as_map().is_some() && !says("move_to_cold_storage_after_days") && !says("delete_after_days")
}

impl Rule {
    /// The rule for a call.
    ///
    /// # Errors
    /// When the SDK finds it incomplete.
    pub fn to_api(&self) -> Outcome<api::BackupRuleInput> {
        let Self {
            rule_name,
            target_backup_vault_name,
            target_logically_air_gapped_backup_vault_arn,
            schedule_expression,
            schedule_expression_timezone,
            start_window_minutes,
            completion_window_minutes,
            lifecycle,
            recovery_point_tags,
            copy_actions,
            enable_continuous_backup,
            index_actions,
            scan_actions,
        } = self;
        let tags: HashMap<String, String> = recovery_point_tags.clone().into_iter().collect();
        let copies = copy_actions.iter().map(CopyAction::to_api).collect::<Outcome<Vec<_>>>()?;
        let indexed: Vec<_> = index_actions.iter().map(IndexAction::to_api).collect();
        let scanned: Vec<_> = scan_actions.iter().map(ScanAction::to_api).collect();
        api::BackupRuleInput::builder()
            .rule_name(rule_name)
            .target_backup_vault_name(target_backup_vault_name)
            .set_target_logically_air_gapped_backup_vault_arn(target_logically_air_gapped_backup_vault_arn.clone())
            .schedule_expression(schedule_expression)
            .schedule_expression_timezone(schedule_expression_timezone)
            .set_start_window_minutes(*start_window_minutes)
            .set_completion_window_minutes(*completion_window_minutes)
            .set_lifecycle(lifecycle.as_ref().map(Lifecycle::to_api))
            .set_recovery_point_tags(Some(tags).filter(|tags| !tags.is_empty()))
            .set_copy_actions(Some(copies).filter(|copies| !copies.is_empty()))
            .enable_continuous_backup(*enable_continuous_backup)
            .set_index_actions(Some(indexed).filter(|indexed| !indexed.is_empty()))
            .set_scan_actions(Some(scanned).filter(|scanned| !scanned.is_empty()))
            .build()
            .map_err(unbuilt)
    }

    /// The rule AWS returned.
    pub fn from_api(rule: &api::BackupRule) -> Self {
        let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        Self {
            rule_name: rule.rule_name().to_owned(),
            target_backup_vault_name: rule.target_backup_vault_name().to_owned(),
            target_logically_air_gapped_backup_vault_arn: text(rule.target_logically_air_gapped_backup_vault_arn()),
            schedule_expression: text(rule.schedule_expression()).unwrap_or_else(|| SCHEDULE.to_owned()),
            schedule_expression_timezone: text(rule.schedule_expression_timezone()).unwrap_or_else(|| TIMEZONE.to_owned()),
            start_window_minutes: rule.start_window_minutes(),
            completion_window_minutes: rule.completion_window_minutes(),
            lifecycle: rule.lifecycle().and_then(Lifecycle::from_api),
            recovery_point_tags: collect(rule.recovery_point_tags().into_iter().flatten()),
            copy_actions: rule.copy_actions().iter().map(CopyAction::from_api).collect(),
            enable_continuous_backup: rule.enable_continuous_backup().unwrap_or_default(),
            index_actions: rule.index_actions().iter().map(IndexAction::from_api).collect(),
            scan_actions: rule.scan_actions().iter().map(ScanAction::from_api).collect(),
        }
    }
}

impl Lifecycle {
    fn to_api(&self) -> api::Lifecycle {
        let Self { move_to_cold_storage_after_days, delete_after_days, opt_in_to_archive_for_supported_resources } = self;
        api::Lifecycle::builder()
            .set_move_to_cold_storage_after_days(*move_to_cold_storage_after_days)
            .set_delete_after_days(*delete_after_days)
            // Only said when meant: not everything that can be backed up knows it.
            .set_opt_in_to_archive_for_supported_resources(opt_in_to_archive_for_supported_resources.then_some(true))
            .build()
    }

    fn from_api(lifecycle: &api::Lifecycle) -> Option<Self> {
        let read = Self {
            move_to_cold_storage_after_days: lifecycle.move_to_cold_storage_after_days(),
            delete_after_days: lifecycle.delete_after_days(),
            opt_in_to_archive_for_supported_resources: lifecycle.opt_in_to_archive_for_supported_resources().unwrap_or_default(),
        };
        (read.move_to_cold_storage_after_days.is_some() || read.delete_after_days.is_some()).then_some(read)
    }
}

impl CopyAction {
    fn to_api(&self) -> Outcome<api::CopyAction> {
        let Self { destination_backup_vault_arn, lifecycle } = self;
        let copy = api::CopyAction::builder().destination_backup_vault_arn(destination_backup_vault_arn);
        copy.set_lifecycle(lifecycle.as_ref().map(Lifecycle::to_api)).build().map_err(unbuilt)
    }

    fn from_api(copy: &api::CopyAction) -> Self {
        Self {
            destination_backup_vault_arn: copy.destination_backup_vault_arn().to_owned(),
            lifecycle: copy.lifecycle().and_then(Lifecycle::from_api),
        }
    }
}

impl IndexAction {
    fn to_api(&self) -> api::IndexAction {
        api::IndexAction::builder().set_resource_types(Some(self.resource_types.clone())).build()
    }

    fn from_api(action: &api::IndexAction) -> Self {
        Self { resource_types: action.resource_types().to_vec() }
    }
}

impl ScanAction {
    fn to_api(&self) -> api::ScanAction {
        let scan = api::ScanAction::builder().malware_scanner(self.malware_scanner.as_str().into());
        scan.scan_mode(self.scan_mode.as_str().into()).build()
    }

    fn from_api(action: &api::ScanAction) -> Self {
        Self {
            malware_scanner: action.malware_scanner().map_or("GUARDDUTY", api::MalwareScanner::as_str).to_owned(),
            scan_mode: action.scan_mode().map(api::ScanMode::as_str).unwrap_or_default().to_owned(),
        }
    }
}
