//! The resource type `backup_vault`.

use aws_sdk_backup::operation::describe_backup_vault::DescribeBackupVaultOutput;
use aws_sdk_backup::types as api;
use futures_util::future::{try_join_all, try_join3};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{recovery_points, tags_of, update_tags};
use crate::client::{Aws, send_once};
use crate::document::Policy;
use crate::error::{OrAbsent, OrFail};
use crate::kms;
use crate::permissions::{Grant, Permissions};
use crate::repeat::{Changing, says, verified};
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome, Wanted};
use leoctl_core::engine::usual::Usual;
use leoctl_core::model::kms_key::is_alias;
use leoctl_core::model::path::Path;
use leoctl_core::model::schema::Governed;
use leoctl_core::model::value::Value;

/// What holds backups, which AWS calls recovery points.
///
/// Import by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupVault {
    /// The name, unique in account and region.
    #[schemars(extend("x-replace" = true, "pattern" = "^[a-zA-Z0-9_-]{2,50}$", "x-form" = "2 to 50 letters, digits, hyphens and underscores"))]
    name: String,
    /// The ARN of the KMS key backups are encrypted with; `aws/backup` when left out. With the ARN of an alias it gets the key that
    /// has the alias, and keeps that key when the alias goes to another one.
    #[schemars(extend("x-replace" = true, "x-server" = true, "x-kms-key" = true, "x-format" = "arn:kms"))]
    encryption_key_arn: Option<String>,
    /// Who may do what with the vault and the backups in it.
    access_policy: Option<Policy>,
    /// Who is told what happens in it.
    notifications: Option<Notifications>,
    /// How long backups have to be kept, and may be: nobody can delete one before.
    lock_configuration: Option<LockConfiguration>,
    /// Whether deleting the vault deletes the recovery points in it; without, a vault that has some is not deleted.
    #[schemars(extend("default" = false, "x-local" = true))]
    #[serde(default)]
    force_delete: bool,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The ARN.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
    /// How many backups are in it, about.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    number_of_recovery_points: i64,
    /// Whether its lock can be changed and removed by nobody any more.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    lock_is_final: bool,
}

/// Who is told what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Notifications {
    /// The SNS topic, whose policy has to let `backup.amazonaws.com` publish.
    #[schemars(extend("x-format" = "arn:sns"))]
    sns_topic_arn: String,
    /// What is told, such as `BACKUP_JOB_COMPLETED`, `COPY_JOB_FAILED` or `RECOVERY_POINT_MODIFIED`.
    #[schemars(extend("x-set" = true))]
    backup_vault_events: Vec<String>,
}

/// How long backups are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LockConfiguration {
    /// The fewest days; backups that are to be kept for less fail.
    #[schemars(range(min = 1, max = 36500))]
    min_retention_days: Option<i64>,
    /// The most days; backups that are to be kept for longer fail.
    #[schemars(range(min = 1, max = 36500))]
    max_retention_days: Option<i64>,
    /// After how many days nobody, AWS included, can change or remove the lock any more; never when left out.
    #[schemars(extend("x-local" = true), range(min = 3, max = 36500))]
    changeable_for_days: Option<i64>,
}

/// The days from now to a time, both in seconds, begun ones whole, and no fewer than AWS takes (Backup API Reference,
/// PutBackupVaultLockConfiguration).
fn days_until(time: i64, now: i64) -> i64 {
    const FEWEST: i64 = 3;
    const DAY: i64 = 24 * 60 * 60;
    (time.saturating_sub(now).saturating_add(DAY - 1) / DAY).max(FEWEST)
}

impl BackupVault {
    /// What AWS says of a vault; none when there is none. Then AWS denies access to it, as it does
    /// when it may not be described: the list knows which.
    async fn describe(aws: &Aws, name: &str) -> Outcome<Option<DescribeBackupVaultOutput>> {
        let call = aws.backup().describe_backup_vault().backup_vault_name(name);
        let denied = match call.send().await.or_fail("backup:DescribeBackupVault").or_absent() {
            Err(failure) if failure.kind == FailureKind::Denied => failure,
            found => return found,
        };
        let mut pages = aws.backup().list_backup_vaults().into_paginator().send();
        while let Some(page) = pages.next().await {
            // Where that is denied too, what may not be seen is the better thing to say.
            let Ok(page) = page.or_fail("backup:ListBackupVaults") else { return Err(denied) };
            if page.backup_vault_list().iter().any(|vault| vault.backup_vault_name() == Some(name)) {
                return Err(denied);
            }
        }
        Ok(None)
    }

    /// The days until the lock of a vault can be changed no more; none where that has no date.
    async fn days_left(aws: &Aws, name: &str) -> Outcome<Option<i64>> {
        let date = Self::describe(aws, name).await?.and_then(|found| found.lock_date);
        Ok(date.map(|date| days_until(date.secs(), jiff::Timestamp::now().as_second())))
    }

    async fn read_one(aws: &Aws, name: &str) -> Outcome<Option<(String, Self)>> {
        let Some(found) = Self::describe(aws, name).await? else { return Ok(None) };
        let backup = aws.backup();
        let arn = found.backup_vault_arn().unwrap_or_default();
        let (policy, told, tags) = try_join3(
            async {
                let call = backup.get_backup_vault_access_policy().backup_vault_name(name);
                call.send().await.or_fail("backup:GetBackupVaultAccessPolicy").or_absent()
            },
            async {
                let call = backup.get_backup_vault_notifications().backup_vault_name(name);
                call.send().await.or_fail("backup:GetBackupVaultNotifications").or_absent()
            },
            tags_of(aws, arn),
        )
        .await?;
        let told = told.filter(|told| told.sns_topic_arn().is_some_and(|topic| !topic.is_empty()));
        let lock = LockConfiguration {
            min_retention_days: found.min_retention_days(),
            max_retention_days: found.max_retention_days(),
            changeable_for_days: None,
        };
        let read = Self {
            name: name.to_owned(),
            encryption_key_arn: found.encryption_key_arn().filter(|key| !key.is_empty()).map(str::to_owned),
            access_policy: policy.and_then(|found| found.policy).map(|text| Policy::parse(&text)).transpose()?,
            notifications: told.map(|told| Notifications {
                sns_topic_arn: told.sns_topic_arn().unwrap_or_default().to_owned(),
                backup_vault_events: told.backup_vault_events().iter().map(|event| event.as_str().to_owned()).collect(),
            }),
            lock_configuration: found.locked().unwrap_or_default().then_some(lock),
            force_delete: false,
            tags,
            arn: arn.to_owned(),
            number_of_recovery_points: found.number_of_recovery_points(),
            lock_is_final: found.lock_date().is_some_and(|date| date.secs() <= jiff::Timestamp::now().as_second()),
        };
        Ok(Some((name.to_owned(), read)))
    }
}

impl Resource for BackupVault {
    const TYPE: &'static str = "backup_vault";
    // Deleting recovery points takes its time.
    const INFO: Info = Info {
        unique: &[&["name"]],
        data_loss: Some("the backups in it"),
        // The topic and the principals that its settings name.
        propagating: &[Retry::after(
            "InvalidParameterValueException",
            &["backup:CreateBackupVault", "backup:PutBackupVaultAccessPolicy", "backup:PutBackupVaultNotifications"],
        )],
        timeout: 1800,
        // It is made at once. Backups that expire go before it (an estimate).
        usual: Usual::of((0, 20), (0, 20), (0, 300)),
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:backup:{region}:{account}:backup-vault:{name}",
        plan: &[
            Grant::any(&["backup:ListBackupVaults"]),
            Grant::itself(&[
                "backup:DescribeBackupVault",
                "backup:GetBackupVaultAccessPolicy",
                "backup:ListRecoveryPointsByBackupVault",
                "backup:GetBackupVaultNotifications",
                "backup:ListTags",
            ]),
            // Where an alias is written: whose it is.
            Grant::key("encryption_key_arn", &["kms:DescribeKey"]),
        ],
        apply: &[
            Grant::any(&["backup-storage:MountCapsule"]),
            Grant::itself(&[
                "backup:CreateBackupVault",
                "backup:DeleteBackupVault",
                "backup:DeleteBackupVaultAccessPolicy",
                "backup:DeleteBackupVaultLockConfiguration",
                "backup:DeleteBackupVaultNotifications",
                "backup:PutBackupVaultAccessPolicy",
                "backup:PutBackupVaultLockConfiguration",
                "backup:PutBackupVaultNotifications",
                "backup:TagResource",
                "backup:UntagResource",
            ]),
            // A recovery point's ARN is of the service whose data it holds.
            Grant::on(&["backup:DeleteRecoveryPoint"], &["arn:{partition}:*:{region}:*:*"]),
            Grant::key(
                "encryption_key_arn",
                &["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:RetireGrant"],
            ),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let Some(lock) = desired.get("lock_configuration").filter(|lock| lock.as_map().is_some()) else { return Vec::new() };
        let given = |key: &str| lock.get(key).is_some_and(|value| !value.is_null());
        match given("min_retention_days") || given("max_retention_days") {
            true => Vec::new(),
            false => {
                vec![(Path::attribute("lock_configuration"), "a lock needs `min_retention_days`, `max_retention_days` or both".to_owned())]
            }
        }
    }

    /// After its date a lock cannot be changed by anybody (Backup API Reference, PutBackupVaultLockConfiguration).
    fn governed(live: &Value, _: &Value) -> Vec<Governed> {
        let is_final = live.get("lock_is_final") == Some(&Value::Bool(true));
        let lock = || Governed { path: Path::attribute("lock_configuration"), by: Some("AWS, whose lock has become final,") };
        is_final.then(lock).into_iter().collect()
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        Ok(try_join_all(ids.iter().map(|name| Self::read_one(aws, name))).await?.into_iter().flatten().collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let Some(name) = wanted.text("name") else { return Ok(None) };
        Ok(wanted.pick(Self::describe(aws, name).await?.and_then(|found| found.backup_vault_name)))
    }

    async fn create(aws: &Aws, operation: &Operation, to: &Self) -> Outcome<String> {
        let key = match to.encryption_key_arn.as_deref() {
            // Backup documents the ARN of a key, and nothing of aliases (Backup API Reference, CreateBackupVault).
            Some(name) if is_alias(name) => Some(kms::key_arn(aws, name).await?.unwrap_or_else(|| name.to_owned())),
            key => key.map(str::to_owned),
        };
        let call = aws
            .backup()
            .create_backup_vault()
            .creator_request_id(&operation.token)
            .backup_vault_name(&to.name)
            .set_encryption_key_arn(key)
            .set_backup_vault_tags(Some(to.tags.clone().into_iter().collect()));
        let made = send_once!(aws_sdk_backup, call).await.sent_once("backup:CreateBackupVault")?;
        Ok(made.backup_vault_name.unwrap_or_else(|| to.name.clone()))
    }

    fn as_created(to: &Self) -> Self {
        Self { access_policy: None, notifications: None, lock_configuration: None, ..to.clone() }
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self {
            access_policy,
            notifications,
            lock_configuration,
            tags,
            // Heeded when deleting.
            force_delete: _,
            name: _,
            encryption_key_arn: _,
            arn: _,
            number_of_recovery_points: _,
            lock_is_final: _,
        } = to;
        let backup = aws.backup();
        if *tags != from.tags
            && let Some(found) = Self::describe(aws, id).await?
        {
            update_tags(aws, found.backup_vault_arn().unwrap_or_default(), &from.tags, tags).await?;
        }
        match notifications {
            same if *same == from.notifications => {}
            Some(Notifications { sns_topic_arn, backup_vault_events }) => {
                let events = backup_vault_events.iter().map(|event| api::BackupVaultEvent::from(event.as_str())).collect();
                let call = backup.put_backup_vault_notifications().backup_vault_name(id).sns_topic_arn(sns_topic_arn);
                call.set_backup_vault_events(Some(events)).send().await.idempotent("backup:PutBackupVaultNotifications")?;
            }
            None => {
                let call = backup.delete_backup_vault_notifications().backup_vault_name(id);
                call.send().await.or_gone("backup:DeleteBackupVaultNotifications")?;
            }
        }
        match lock_configuration {
            same if *same == from.lock_configuration => {}
            Some(LockConfiguration { min_retention_days, max_retention_days, changeable_for_days }) => {
                let before = from.lock_configuration.as_ref().and_then(|before| before.changeable_for_days);
                // Each call counts the days anew (Backup API Reference, PutBackupVaultLockConfiguration): the date stays
                // where it is when the days stay.
                let days = match *changeable_for_days {
                    Some(days) if before == Some(days) => Self::days_left(aws, id).await?.or(Some(days)),
                    days => days,
                };
                let call = backup
                    .put_backup_vault_lock_configuration()
                    .backup_vault_name(id)
                    .set_min_retention_days(*min_retention_days)
                    .set_max_retention_days(*max_retention_days)
                    .set_changeable_for_days(days);
                call.send().await.idempotent("backup:PutBackupVaultLockConfiguration")?;
            }
            None => {
                let call = backup.delete_backup_vault_lock_configuration().backup_vault_name(id);
                call.send().await.or_gone("backup:DeleteBackupVaultLockConfiguration")?;
            }
        }
        // Last, because it may take away from leoctl what the calls above need.
        match access_policy {
            same if *same == from.access_policy => {}
            Some(policy) => {
                let call = backup.put_backup_vault_access_policy().backup_vault_name(id).policy(policy.to_string());
                call.send().await.idempotent("backup:PutBackupVaultAccessPolicy")?;
            }
            None => {
                let call = backup.delete_backup_vault_access_policy().backup_vault_name(id);
                call.send().await.or_gone("backup:DeleteBackupVaultAccessPolicy")?;
            }
        }
        Ok(())
    }

    async fn delete(aws: &Aws, operation: &Operation, id: &str, last: Option<&Self>) -> Outcome<()> {
        // A vault that is not there would be answered with a denial.
        if Self::describe(aws, id).await?.is_none() {
            return Ok(());
        }
        if last.is_some_and(|last| last.force_delete) {
            recovery_points::delete(aws, operation, id).await?;
        }
        match aws.backup().delete_backup_vault().backup_vault_name(id).send().await.or_gone("backup:DeleteBackupVault") {
            Err(failure) if says(&failure, &["InvalidRequestException"]) => Err(refusal(aws, id, failure).await?),
            outcome => verified(outcome, &["AccessDeniedException"], async || Ok(Self::describe(aws, id).await?.is_none())).await,
        }
    }
}

/// Why AWS does not delete a vault, and what can be done.
async fn refusal(aws: &Aws, vault: &str, failure: Failure) -> Outcome<Failure> {
    let message = match recovery_points::list(aws, vault).await?.len() {
        0 => return Ok(failure),
        1 => format!("1 recovery point is in the vault {vault}"),
        some => format!("{some} recovery points are in the vault {vault}"),
    };
    let advice = "AWS deletes only an empty one: set `force_delete = true` and apply that first, which deletes them with the vault, \
                  or `deletion_policy = \"retain\"` to keep both";
    Ok(Failure { message: format!("{message}, and {advice}"), ..failure })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::patience::tests::operation;
    use crate::scripted::{Answer, Scripted};

    #[test]
    fn a_lock_says_for_how_long() {
        let problems = |lock: serde_json::Value| BackupVault::check(&Value::from(json!({ "lock_configuration": lock }))).len();
        assert_eq!(problems(json!({ "changeable_for_days": 3 })), 1);
        assert_eq!(problems(json!({ "max_retention_days": 3 })), 0);
        assert_eq!(problems(serde_json::Value::Null), 0);
    }

    #[tokio::test]
    async fn a_lock_that_is_final_is_not_compared() {
        let now = jiff::Timestamp::now().as_second();
        let scripted = Scripted::new(move |call| match call.name.as_str() {
            "GET /backup-vaults/past" => {
                Answer::ok(format!(r#"{{"BackupVaultName":"v","BackupVaultArn":"a","Locked":true,"LockDate":{}}}"#, now - 60))
            }
            "GET /backup-vaults/coming" => {
                Answer::ok(format!(r#"{{"BackupVaultName":"v","BackupVaultArn":"a","Locked":true,"LockDate":{}}}"#, now + 86_400))
            }
            _ => Answer::ok("{}"),
        });
        for (name, governed) in [("past", 1), ("coming", 0)] {
            let read = BackupVault::read(&scripted.aws, &[name.to_owned()]).await.unwrap();
            let (_, vault) = read.into_iter().next().unwrap();
            let live = Value::from(serde_json::to_value(vault).unwrap());
            assert_eq!(BackupVault::governed(&live, &Value::Null).len(), governed, "{name}");
        }
    }

    #[tokio::test]
    async fn a_lock_that_changes_keeps_its_date() {
        let now = jiff::Timestamp::now().as_second();
        let closes = now + 10 * 24 * 60 * 60 - 60;
        let scripted = Scripted::new(move |call| match call.name.as_str() {
            "GET /backup-vaults/v" => Answer::ok(format!(r#"{{"BackupVaultName":"v","Locked":true,"LockDate":{closes}}}"#)),
            _ => Answer::ok("{}"),
        });
        let vault = json!({
            "name": "v", "encryption_key_arn": null, "access_policy": null, "notifications": null, "lock_configuration": null,
            "tags": {}, "arn": "",
        });
        let vault: BackupVault = serde_json::from_value(vault).unwrap();
        let with = |min: i64, days: Option<i64>| {
            let lock = json!({ "min_retention_days": min, "max_retention_days": null, "changeable_for_days": days });
            BackupVault { lock_configuration: Some(serde_json::from_value(lock).unwrap()), ..vault.clone() }
        };
        let sent = async |from: &BackupVault, to: &BackupVault| {
            BackupVault::update(&scripted.aws, &operation(0), "v", from, to).await.unwrap();
            let call = scripted.calls().into_iter().rfind(|call| call.name.starts_with("PUT")).unwrap();
            serde_json::from_str::<Json>(&call.body).unwrap()["ChangeableForDays"].clone()
        };
        assert_eq!(sent(&with(7, Some(30)), &with(8, Some(30))).await, json!(10));
        assert_eq!(sent(&with(7, Some(30)), &with(8, Some(40))).await, json!(40), "what is said anew counts from now");
        assert_eq!(sent(&with(7, None), &with(8, Some(30))).await, json!(30));
        assert_eq!(sent(&with(7, None), &with(8, None)).await, Json::Null);
        assert_eq!((days_until(100, 100), days_until(4 * 86400, 0), days_until(4 * 86400 + 1, 0)), (3, 4, 5));
    }
}
