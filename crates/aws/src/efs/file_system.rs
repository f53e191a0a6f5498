//! The resource type `efs_file_system`.

use std::time::Duration;

use aws_sdk_efs::types as api;
use futures_util::future::{try_join_all, try_join3};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::policy::{names_file_system, says_filled_in, without_filled_in};
use super::{dns_name, is_ready, is_there, tags, to_api, unbuilt, update_tags};
use crate::client::{Aws, send_once};
use crate::document::Policy;
use crate::error::{OrAbsent, OrFail};
use crate::permissions::{Grant, Permissions};
use crate::repeat::{Changing, verified};
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{FailureKind, Operation, Outcome, Wanted};
use leoctl_core::engine::usual::Usual;
use leoctl_core::model::path::Path;
use leoctl_core::model::schema::Governed;
use leoctl_core::model::value::Value;

/// A file system that many machines and tasks can mount at once.
///
/// Import by id: `fs-0123456789abcdef0`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EfsFileSystem {
    /// What it is tuned for: `maxIO` has more throughput and longer latencies, and EFS advises against it.
    #[schemars(extend("default" = "generalPurpose", "x-replace" = true, "enum" = ["generalPurpose", "maxIO"]))]
    performance_mode: String,
    /// What sets its throughput: `bursting` the amount of data in it, `elastic` the demand, `provisioned` the attribute
    /// below. EFS lets a day pass between two changes.
    #[schemars(extend("default" = "bursting", "enum" = ["bursting", "provisioned", "elastic"]))]
    throughput_mode: String,
    /// The throughput in MiB/s, for `provisioned`.
    provisioned_throughput_in_mibps: Option<f64>,
    /// Whether what is in it is encrypted.
    #[schemars(extend("default" = false, "x-replace" = true))]
    encrypted: bool,
    /// The ARN of the KMS key it is encrypted with; `aws/elasticfilesystem` when left out. With the ARN of an alias it gets the
    /// key that has the alias, and keeps that key when the alias goes to another one.
    #[schemars(extend("x-replace" = true, "x-server" = true, "x-kms-key" = true, "x-format" = "arn:kms"))]
    kms_key_id: Option<String>,
    /// The only availability zone it is in, such as `us-west-2a`; all of the region when left out.
    #[schemars(extend("x-replace" = true, "pattern" = "^.+$", "x-form" = "the name of a zone, such as `us-west-2a`"), length(max = 64))]
    availability_zone_name: Option<String>,
    /// When files that nobody uses move to cheaper storage.
    lifecycle_policies: Option<LifecyclePolicies>,
    /// Whether AWS Backup makes a backup each day by itself. AWS chooses `ENABLED` for one availability zone, else `DISABLED`.
    #[schemars(extend("x-server" = true, "enum" = ["ENABLED", "DISABLED"]))]
    backup_policy: Option<String>,
    /// Who may mount it and how; everybody who reaches it when left out. Statements need no `Resource`: they are about
    /// this file system.
    file_system_policy: Option<Policy>,
    /// Whether it is kept from becoming the copy of another file system, which replaces what is in it.
    #[schemars(extend("default" = "ENABLED", "enum" = ["ENABLED", "DISABLED"]))]
    replication_overwrite_protection: String,
    /// Tags; `Name` is what the console shows.
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
    /// The name it is mounted by, which is the address of the mount target in the client's availability zone.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    dns_name: String,
    /// The account that owns it.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    owner_id: String,
}

/// When files move between classes of storage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LifecyclePolicies {
    /// After how long without access to Infrequent Access.
    #[schemars(extend("enum" = ["AFTER_1_DAY", "AFTER_7_DAYS", "AFTER_14_DAYS", "AFTER_30_DAYS", "AFTER_60_DAYS", "AFTER_90_DAYS", "AFTER_180_DAYS", "AFTER_270_DAYS", "AFTER_365_DAYS"]))]
    transition_to_ia: Option<String>,
    /// After how long without access to Archive, which is longer than the one above; for `elastic` throughput.
    #[schemars(extend("enum" = ["AFTER_1_DAY", "AFTER_7_DAYS", "AFTER_14_DAYS", "AFTER_30_DAYS", "AFTER_60_DAYS", "AFTER_90_DAYS", "AFTER_180_DAYS", "AFTER_270_DAYS", "AFTER_365_DAYS"]))]
    transition_to_archive: Option<String>,
    /// When back to Standard; never when left out.
    #[schemars(extend("enum" = ["AFTER_1_ACCESS"]))]
    transition_to_primary_storage_class: Option<String>,
}

impl LifecyclePolicies {
    /// Each transition in a policy of its own, as EFS wants them (EFS API Reference, PutLifecycleConfiguration).
    fn to_api(&self) -> Vec<api::LifecyclePolicy> {
        let policy = api::LifecyclePolicy::builder;
        let ia = self.transition_to_ia.as_deref().map(|when| policy().transition_to_ia(when.into()));
        let archive = self.transition_to_archive.as_deref().map(|when| policy().transition_to_archive(when.into()));
        let back =
            self.transition_to_primary_storage_class.as_deref().map(|when| policy().transition_to_primary_storage_class(when.into()));
        [ia, archive, back].into_iter().flatten().map(|policy| policy.build()).collect()
    }

    fn from_api(policies: &[api::LifecyclePolicy]) -> Option<Self> {
        let read = Self {
            transition_to_ia: policies.iter().find_map(|policy| policy.transition_to_ia()).map(|when| when.as_str().to_owned()),
            transition_to_archive: policies.iter().find_map(|policy| policy.transition_to_archive()).map(|when| when.as_str().to_owned()),
            transition_to_primary_storage_class: policies
                .iter()
                .find_map(|policy| policy.transition_to_primary_storage_class())
                .map(|when| when.as_str().to_owned()),
        };
        (!policies.is_empty()).then_some(read)
    }
}

impl EfsFileSystem {
    async fn describe(aws: &Aws, id: &str) -> Outcome<Option<api::FileSystemDescription>> {
        let call = aws.efs().describe_file_systems().file_system_id(id);
        let found = call.send().await.or_fail("elasticfilesystem:DescribeFileSystems").or_absent()?;
        let found = found.and_then(|found| found.file_systems).unwrap_or_default();
        Ok(found.into_iter().find(|found| found.file_system_id() == id))
    }

    /// Its throughput mode, and what is provisioned in that mode.
    fn throughput(found: &api::FileSystemDescription) -> (&str, Option<f64>) {
        let mode = found.throughput_mode().map_or("bursting", api::ThroughputMode::as_str);
        (mode, found.provisioned_throughput_in_mibps().filter(|_| mode == "provisioned"))
    }

    /// The file system that a creation with this token made.
    async fn of_token(aws: &Aws, token: &str) -> Outcome<Option<String>> {
        let call = aws.efs().describe_file_systems().creation_token(token);
        let found = call.send().await.or_fail("elasticfilesystem:DescribeFileSystems").or_absent()?;
        let found = found.and_then(|found| found.file_systems).unwrap_or_default().into_iter();
        let mut made = found.filter(|found| found.creation_token() == token && is_there(found.life_cycle_state()));
        Ok(made.next().map(|found| found.file_system_id))
    }

    async fn list(aws: &Aws) -> Outcome<Vec<api::FileSystemDescription>> {
        let mut pages = aws.efs().describe_file_systems().into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            found.extend(page.or_fail("elasticfilesystem:DescribeFileSystems")?.file_systems.unwrap_or_default());
        }
        Ok(found)
    }

    async fn from_api(aws: &Aws, found: &api::FileSystemDescription) -> Outcome<(String, Self)> {
        let id = found.file_system_id();
        let efs = aws.efs();
        let (lifecycle, backup, policy) = try_join3(
            async {
                let call = efs.describe_lifecycle_configuration().file_system_id(id);
                call.send().await.or_fail("elasticfilesystem:DescribeLifecycleConfiguration").or_absent()
            },
            async {
                efs.describe_backup_policy().file_system_id(id).send().await.or_fail("elasticfilesystem:DescribeBackupPolicy").or_absent()
            },
            async {
                let call = efs.describe_file_system_policy().file_system_id(id);
                call.send().await.or_fail("elasticfilesystem:DescribeFileSystemPolicy").or_absent()
            },
        )
        .await?;
        let arn = match found.file_system_arn() {
            Some(arn) => arn.to_owned(),
            None => {
                let partition = crate::partition(&aws.region);
                format!("arn:{partition}:elasticfilesystem:{}:{}:file-system/{id}", aws.region, found.owner_id())
            }
        };
        let policy = policy.and_then(|found| found.policy).map(|text| Policy::parse(&text)).transpose()?;
        let backup = backup.as_ref().and_then(|found| found.backup_policy()).map(|policy| policy.status());
        let backed_up = matches!(backup, Some(api::Status::Enabled | api::Status::Enabling));
        let (throughput_mode, provisioned_throughput_in_mibps) = Self::throughput(found);
        let protection = found.file_system_protection().and_then(|protection| protection.replication_overwrite_protection());
        let protection = protection.map_or("ENABLED", api::ReplicationOverwriteProtection::as_str).to_owned();
        let read = Self {
            performance_mode: found.performance_mode().as_str().to_owned(),
            throughput_mode: throughput_mode.to_owned(),
            provisioned_throughput_in_mibps,
            encrypted: found.encrypted().unwrap_or_default(),
            kms_key_id: found.kms_key_id().filter(|key| !key.is_empty()).map(str::to_owned),
            availability_zone_name: found.availability_zone_name().map(str::to_owned),
            lifecycle_policies: lifecycle.and_then(|found| LifecyclePolicies::from_api(found.lifecycle_policies())),
            backup_policy: Some(if backed_up { "ENABLED" } else { "DISABLED" }.to_owned()),
            file_system_policy: policy.map(|policy| without_filled_in(policy, &arn)),
            replication_overwrite_protection: protection,
            tags: tags(found.tags()),
            dns_name: dns_name(&aws.region, id),
            owner_id: found.owner_id().to_owned(),
            arn,
            id: id.to_owned(),
        };
        Ok((id.to_owned(), read))
    }

    async fn available(aws: &Aws, operation: &Operation, id: &str) -> Outcome<()> {
        loop {
            let found = Self::describe(aws, id).await?;
            if is_ready("file system", found.as_ref().map(|found| found.life_cycle_state()))? {
                return Ok(());
            }
            operation.pause(Duration::from_secs(2), "waiting for the file system").await?;
        }
    }
}

impl Resource for EfsFileSystem {
    const TYPE: &'static str = "efs_file_system";
    // Mount targets that were just deleted count for a moment.
    const INFO: Info = Info {
        create_before_destroy: true,
        data_loss: Some("the files in it"),
        transient: &[
            Retry::after("FileSystemInUse", &["elasticfilesystem:DeleteFileSystem"]),
            Retry::always("IncorrectFileSystemLifeCycleState"),
        ],
        propagating: &[Retry::after("InvalidPolicyException", &["elasticfilesystem:PutFileSystemPolicy"])],
        // EFS User Guide, "Creating EFS file systems": it is `creating` for some seconds.
        usual: Usual::of((5, 30), (0, 60), (0, 60)),
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:elasticfilesystem:{region}:{account}:file-system/*",
        plan: &[
            Grant::itself(&[
                "elasticfilesystem:DescribeBackupPolicy",
                "elasticfilesystem:DescribeFileSystemPolicy",
                "elasticfilesystem:DescribeFileSystems",
                "elasticfilesystem:DescribeLifecycleConfiguration",
            ]),
            // Where an alias is written: whose it is.
            Grant::key("kms_key_id", &["kms:DescribeKey"]),
        ],
        apply: &[
            Grant::any(&["elasticfilesystem:CreateFileSystem"]),
            Grant::itself(&[
                "elasticfilesystem:DeleteFileSystem",
                "elasticfilesystem:DeleteFileSystemPolicy",
                "elasticfilesystem:PutBackupPolicy",
                "elasticfilesystem:PutFileSystemPolicy",
                "elasticfilesystem:PutLifecycleConfiguration",
                "elasticfilesystem:TagResource",
                "elasticfilesystem:UntagResource",
                "elasticfilesystem:UpdateFileSystem",
                "elasticfilesystem:UpdateFileSystemProtection",
            ]),
            Grant::linked_role("elasticfilesystem.amazonaws.com"),
            Grant::key("kms_key_id", &["kms:CreateGrant", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext"]),
        ],
    };

    /// Of a copy of another file system the replication says whether it may be overwritten (EFS API Reference,
    /// UpdateFileSystemProtection).
    fn governed(live: &Value, _: &Value) -> Vec<Governed> {
        let replicating = api::ReplicationOverwriteProtection::Replicating;
        let protection = live.get("replication_overwrite_protection").and_then(Value::as_str);
        let is_copy = protection == Some(replicating.as_str());
        is_copy.then(|| Governed { path: Path::attribute("replication_overwrite_protection"), by: None }).into_iter().collect()
    }

    fn check(desired: &Value) -> Vec<(Path, String)> {
        // What is left out is the default; what is not known yet is neither.
        let is = |key: &str, default: bool, wanted: &dyn Fn(&Value) -> Option<bool>| desired.get(key).map_or(Some(default), wanted);
        let given = |key: &str| desired.get(key).is_some_and(|value| !value.is_null());
        let mode = |mode: &'static str| is("throughput_mode", mode == "bursting", &move |value| Some(value.as_str()? == mode));
        let encrypted = is("encrypted", false, &|value| match value {
            Value::Bool(encrypted) => Some(*encrypted),
            _ => None,
        });
        let archive = desired.get("lifecycle_policies").and_then(|policies| policies.get("transition_to_archive"));
        let throughput = "provisioned_throughput_in_mibps";
        let mut problems = Vec::new();
        let mut problem = |attribute: &str, text: &str| problems.push((Path::attribute(attribute), text.to_owned()));
        match (mode("provisioned"), given(throughput)) {
            (Some(true), false) => problem(throughput, "`throughput_mode = \"provisioned\"` needs `provisioned_throughput_in_mibps`"),
            (Some(false), true) => problem(throughput, "only `throughput_mode = \"provisioned\"` has a provisioned throughput"),
            _ => {}
        }
        if encrypted == Some(false) && given("kms_key_id") {
            problem("kms_key_id", "only a file system with `encrypted = true` has a key");
        }
        if desired.get("file_system_policy").is_some_and(says_filled_in) {
            problem(
                "file_system_policy",
                "the `Id` \"1\" and `Sid`s that begin with `efs-statement-` are what EFS fills in: leave them out",
            );
        }
        if desired.get("file_system_policy").is_some_and(names_file_system) {
            problem("file_system_policy", "the policy is about this very file system: leave out the `Resource` that names it");
        }
        // EFS API Reference, PutLifecycleConfiguration.
        if mode("elastic") == Some(false) && archive.is_some_and(|when| !when.is_null()) {
            problem("lifecycle_policies", "only file systems with `throughput_mode = \"elastic\"` can move files to Archive");
        }
        problems
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let found = match ids {
            [id] => Self::describe(aws, id).await?.into_iter().collect(),
            _ => Self::list(aws).await?,
        };
        let wanted = found.iter().filter(|found| ids.iter().any(|id| id == found.file_system_id()) && is_there(found.life_cycle_state()));
        try_join_all(wanted.map(|found| Self::from_api(aws, found))).await
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let found = Self::list(aws).await?;
        let ours = found.into_iter().filter(|found| is_there(found.life_cycle_state()) && wanted.owns(&tags(found.tags())));
        Ok(wanted.pick(ours.map(|found| found.file_system_id)))
    }

    async fn find_by_token(aws: &Aws, _: &Wanted, token: &str) -> Outcome<Option<String>> {
        Self::of_token(aws, token).await
    }

    async fn create(aws: &Aws, operation: &Operation, to: &Self) -> Outcome<String> {
        let call = aws
            .efs()
            .create_file_system()
            .creation_token(&operation.token)
            .performance_mode(to.performance_mode.as_str().into())
            .throughput_mode(to.throughput_mode.as_str().into())
            .set_provisioned_throughput_in_mibps(to.provisioned_throughput_in_mibps)
            .encrypted(to.encrypted)
            .set_kms_key_id(to.kms_key_id.clone())
            .set_availability_zone_name(to.availability_zone_name.clone())
            .set_backup(to.backup_policy.as_ref().map(|policy| policy == "ENABLED"))
            .set_tags(Some(to_api(&to.tags)?));
        match send_once!(aws_sdk_efs, call).await.sent_once("elasticfilesystem:CreateFileSystem") {
            Ok(made) => Ok(made.file_system_id),
            // Of this token: made by an earlier call whose answer was lost.
            Err(failure) if failure.kind == FailureKind::AlreadyExists => Self::of_token(aws, &operation.token).await?.ok_or(failure),
            Err(failure) => Err(failure),
        }
    }

    fn as_created(to: &Self) -> Self {
        // Whether a file system begins with backups is AWS's choice in part: what is written is set in any case.
        Self {
            lifecycle_policies: None,
            backup_policy: None,
            file_system_policy: None,
            replication_overwrite_protection: "ENABLED".to_owned(),
            ..to.clone()
        }
    }

    async fn update(aws: &Aws, operation: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self {
            throughput_mode,
            provisioned_throughput_in_mibps,
            lifecycle_policies,
            backup_policy,
            file_system_policy,
            replication_overwrite_protection,
            tags,
            performance_mode: _,
            encrypted: _,
            kms_key_id: _,
            availability_zone_name: _,
            id: _,
            arn: _,
            dns_name: _,
            owner_id: _,
        } = to;
        let efs = aws.efs();
        // One that is still being made cannot be changed.
        Self::available(aws, operation, id).await?;
        update_tags(aws, id, &from.tags, tags).await?;
        let lifecycle = async || {
            if *lifecycle_policies != from.lifecycle_policies {
                let policies = lifecycle_policies.as_ref().map(LifecyclePolicies::to_api).unwrap_or_default();
                let call = efs.put_lifecycle_configuration().file_system_id(id).set_lifecycle_policies(Some(policies));
                call.send().await.idempotent("elasticfilesystem:PutLifecycleConfiguration")?;
            }
            Ok(())
        };
        let archives = lifecycle_policies.as_ref().is_some_and(|policies| policies.transition_to_archive.is_some());
        // Only elastic throughput goes with Archive: it comes before and goes after.
        if !archives {
            lifecycle().await?;
        }
        if *throughput_mode != from.throughput_mode || *provisioned_throughput_in_mibps != from.provisioned_throughput_in_mibps {
            let call = efs.update_file_system().file_system_id(id).throughput_mode(throughput_mode.as_str().into());
            let call = call.set_provisioned_throughput_in_mibps(*provisioned_throughput_in_mibps);
            let sent = send_once!(aws_sdk_efs, call).await.sent_once("elasticfilesystem:UpdateFileSystem");
            // One change in 24 hours is allowed: a repeated one is refused as a second.
            let throughput = (throughput_mode.as_str(), *provisioned_throughput_in_mibps);
            let changed = async || Ok(Self::describe(aws, id).await?.is_some_and(|found| Self::throughput(&found) == throughput));
            verified(sent, &["TooManyRequests", "BadRequest", "IncorrectFileSystemLifeCycleState"], changed).await?;
            Self::available(aws, operation, id).await?;
        }
        if archives {
            lifecycle().await?;
        }
        if let Some(policy) = backup_policy.as_deref().filter(|policy| Some(*policy) != from.backup_policy.as_deref()) {
            let policy = api::BackupPolicy::builder().status(policy.into()).build().map_err(unbuilt)?;
            efs.put_backup_policy()
                .file_system_id(id)
                .backup_policy(policy)
                .send()
                .await
                .idempotent("elasticfilesystem:PutBackupPolicy")?;
        }
        if *replication_overwrite_protection != from.replication_overwrite_protection {
            let call = efs.update_file_system_protection().file_system_id(id);
            let call = call.replication_overwrite_protection(replication_overwrite_protection.as_str().into());
            call.send().await.idempotent("elasticfilesystem:UpdateFileSystemProtection")?;
        }
        // Last, because it may take away from leoctl what the calls above need.
        match file_system_policy {
            policy if *policy == from.file_system_policy => {}
            Some(policy) => {
                let call = efs.put_file_system_policy().file_system_id(id).policy(policy.to_string());
                call.send().await.idempotent("elasticfilesystem:PutFileSystemPolicy")?;
            }
            None => {
                let call = efs.delete_file_system_policy().file_system_id(id);
                call.send().await.or_gone("elasticfilesystem:DeleteFileSystemPolicy")?;
            }
        }
        Ok(())
    }

    async fn ready(aws: &Aws, operation: &Operation, id: &str, _: &Self) -> Outcome<()> {
        Self::available(aws, operation, id).await
    }

    async fn delete(aws: &Aws, operation: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        let going = Self::describe(aws, id).await?.is_some_and(|found| !is_there(found.life_cycle_state()));
        if !going {
            let deleted = aws.efs().delete_file_system().file_system_id(id).send().await;
            deleted.or_gone("elasticfilesystem:DeleteFileSystem")?;
        }
        while Self::describe(aws, id).await?.is_some_and(|found| *found.life_cycle_state() != api::LifeCycleState::Deleted) {
            operation.pause(Duration::from_secs(2), "waiting for the file system to go").await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    #[test]
    fn the_protection_of_a_copy_is_its_replications() {
        let live = |protection: &str| Value::from(json!({ "replication_overwrite_protection": protection }));
        let governed = |protection: &str| EfsFileSystem::governed(&live(protection), &Value::Null);
        assert_eq!(governed("REPLICATING")[0].path, Path::attribute("replication_overwrite_protection"));
        assert!(governed("ENABLED").is_empty() && governed("DISABLED").is_empty());
    }

    #[test]
    fn attributes_that_do_not_go_together_are_found() {
        let problems =
            |json: Json| EfsFileSystem::check(&Value::from(json)).into_iter().map(|(path, _)| path.to_string()).collect::<Vec<_>>();
        assert!(problems(json!({})).is_empty());
        assert!(problems(json!({ "throughput_mode": "provisioned", "provisioned_throughput_in_mibps": 8 })).is_empty());
        assert_eq!(problems(json!({ "throughput_mode": "provisioned" })), ["provisioned_throughput_in_mibps"]);
        assert_eq!(problems(json!({ "provisioned_throughput_in_mibps": 8 })), ["provisioned_throughput_in_mibps"]);
        assert_eq!(problems(json!({ "kms_key_id": "k" })), ["kms_key_id"]);
        assert!(problems(json!({ "kms_key_id": "k", "encrypted": true })).is_empty());
        assert_eq!(problems(json!({ "file_system_policy": { "Id": "1" } })), ["file_system_policy"]);
        assert_eq!(problems(json!({ "file_system_policy": { "Statement": { "Sid": "efs-statement-0" } } })), ["file_system_policy"]);
        assert!(problems(json!({ "file_system_policy": { "Id": "own", "Statement": [{ "Sid": "own" }] } })).is_empty());
        let arn = "arn:aws:elasticfilesystem:us-east-1:123456789012:file-system/fs-1";
        assert_eq!(problems(json!({ "file_system_policy": { "Statement": [{ "Resource": arn }] } })), ["file_system_policy"]);
        assert_eq!(problems(json!({ "file_system_policy": { "Statement": { "Resource": [arn] } } })), ["file_system_policy"]);
        assert!(problems(json!({ "file_system_policy": { "Statement": [{ "Resource": "*" }] } })).is_empty());
        let archive = json!({ "transition_to_archive": "AFTER_90_DAYS" });
        assert_eq!(problems(json!({ "lifecycle_policies": archive })), ["lifecycle_policies"]);
        assert!(problems(json!({ "lifecycle_policies": archive, "throughput_mode": "elastic" })).is_empty());
    }
}
