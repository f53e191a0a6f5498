//! The resource type `secretsmanager_secret`.

mod generate;
mod replica;

use std::time::Duration;

use aws_sdk_kms::types::KeyState;
use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;
use aws_sdk_secretsmanager::types as api;
use futures_util::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::generate::Generate;
use self::replica::{Replica, copied, has_failed, update_replicas};
use super::client::{Aws, send_once};
use super::error::{OrAbsent, OrFail, made_id};
use super::repeat::{Changing, verified};
use super::resource::{Info, Resource, Retry, Tags};
use super::tags::{TagChange, collect, same_stack};
use crate::permissions::{Grant, Permissions};
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::value::Value;
use leoctl_core::plan::desired::{ADDRESS_TAG, STACK_TAG};

/// A secret, but never its value: that is pushed by other means, or random, and never read.
///
/// One that this stack has deleted, and is still scheduled for deletion, is restored with the values it had. The name of
/// another one that is scheduled for deletion is taken until AWS deletes that.
///
/// Import by ARN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretsmanagerSecret {
    /// The name, unique in account and region.
    #[schemars(extend("x-replace" = true, "pattern" = "^[a-zA-Z0-9/_+=.@-]+$", "x-form" = "letters, digits and /_+=.@-"), length(max = 512))]
    name: String,
    /// What it is for.
    #[schemars(length(max = 2048))]
    description: Option<String>,
    /// The KMS key it is encrypted with; `aws/secretsmanager` when left out.
    kms_key_id: Option<String>,
    /// The other regions it is copied to.
    #[schemars(extend("default" = [], "x-key" = "region"))]
    replica_regions: Vec<Replica>,
    /// Days in which a deleted secret can be restored: 7 to 30, or 0 to delete it at once.
    #[schemars(extend("default" = 30, "x-local" = true), range(min = 0, max = 30))]
    #[serde(default = "month")]
    recovery_window_in_days: i64,
    /// A random value, put when the secret has none and never read. Left out, values come from elsewhere: `leoctl secrets push`.
    #[schemars(extend("x-local" = true))]
    generate: Option<Generate>,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The ARN, which is also the id.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
}

/// The key of secrets that say nothing.
const DEFAULT_KEY: &str = "alias/aws/secretsmanager";

fn month() -> i64 {
    30
}

fn to_api(tags: &Tags) -> Vec<api::Tag> {
    tags.iter().map(|(key, value)| api::Tag::builder().key(key).value(value).build()).collect()
}

/// What AWS says of a secret; none when there is none. One scheduled for deletion has a date.
async fn describe(aws: &Aws, id: &str) -> Outcome<Option<DescribeSecretOutput>> {
    aws.secrets().describe_secret().secret_id(id).send().await.or_fail("secretsmanager:DescribeSecret").or_absent()
}

impl SecretsmanagerSecret {
    fn from_description(found: &DescribeSecretOutput) -> Self {
        let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        let tags = found.tags().iter().map(|tag| (tag.key().unwrap_or_default(), tag.value().unwrap_or_default()));
        // A copy that failed was not made (Secrets Manager API Reference, ReplicationStatusType).
        let copies = found.replication_status().iter().filter(|copy| !has_failed(copy));
        Self {
            name: text(found.name()).unwrap_or_default(),
            description: text(found.description()),
            // Written as it is, or as an ARN.
            kms_key_id: text(found.kms_key_id()).filter(|key| !key.ends_with(DEFAULT_KEY)),
            replica_regions: copies.map(Replica::from_api).collect(),
            recovery_window_in_days: month(),
            generate: None,
            tags: collect(tags),
            arn: text(found.arn()).unwrap_or_default(),
        }
    }
}

impl Resource for SecretsmanagerSecret {
    const TYPE: &'static str = "secretsmanager_secret";
    // One that was deleted at once keeps its name for a moment (Secrets Manager API Reference, DeleteSecret).
    const INFO: Info = Info {
        unique: &[&["name"]],
        data_loss: Some("the secret's value"),
        propagating: &[Retry::after("InvalidRequestException", &["secretsmanager:CreateSecret", "secretsmanager:RestoreSecret"])],
        timeout: 300,
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-??????",
        plan: &[Grant::itself(&["secretsmanager:DescribeSecret"])],
        apply: &[
            Grant::any(&["secretsmanager:GetRandomPassword"]),
            Grant::itself(&[
                "secretsmanager:CreateSecret",
                "secretsmanager:DeleteSecret",
                "secretsmanager:PutSecretValue",
                "secretsmanager:RemoveRegionsFromReplication",
                "secretsmanager:ReplicateSecretToRegions",
                "secretsmanager:RestoreSecret",
                "secretsmanager:TagResource",
                "secretsmanager:UntagResource",
                "secretsmanager:UpdateSecret",
            ]),
            Grant::key("kms_key_id", &["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]),
            Grant::key("replica_regions.kms_key_id", &["kms:Decrypt", "kms:GenerateDataKey"]),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let days = matches!(desired.get("recovery_window_in_days"), Some(Value::Int(1..=6))).then(|| {
            let problem = "`recovery_window_in_days` is 7 to 30, or 0 to delete at once".to_owned();
            (Path::attribute("recovery_window_in_days"), problem)
        });
        days.into_iter().chain(generate::check(desired)).collect()
    }

    /// A secret is described by its ARN, a part of that or its name (Secrets Manager API Reference, DescribeSecret).
    fn id(&self, _: &str) -> String {
        self.arn.clone()
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        // The list is up to five minutes old (Secrets Manager API Reference, ListSecrets).
        let described = try_join_all(ids.iter().map(async |id| Ok(describe(aws, id).await?.map(|found| (id.clone(), found))))).await?;
        let there = described.into_iter().flatten().filter(|(_, found)| found.deleted_date().is_none());
        Ok(there.map(|(id, found)| (id, Self::from_description(&found))).collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let Some(name) = wanted.text("name") else { return Ok(None) };
        let found = describe(aws, name).await?;
        if let Some(scheduled) = found.as_ref().filter(|found| found.deleted_date().is_some()) {
            // Only what this stack has deleted comes back, under whatever address.
            return match wanted.owns_stack(&Self::from_description(scheduled).tags) {
                true => Ok(None),
                false => Err(not_ours(name, scheduled)),
            };
        }
        Ok(wanted.pick(found.and_then(|found| found.arn)))
    }

    async fn create(aws: &Aws, operation: &Operation, to: &Self) -> Outcome<String> {
        if let Some(scheduled) = describe(aws, &to.name).await?.filter(|found| found.deleted_date().is_some()) {
            return restore(aws, to, &scheduled).await;
        }
        let value = match &to.generate {
            Some(generate) => Some(generate.value(aws).await?),
            None => None,
        };
        let call = aws
            .secrets()
            .create_secret()
            .set_secret_string(value)
            .client_request_token(&operation.token)
            .name(&to.name)
            .set_description(to.description.clone())
            .set_kms_key_id(to.kms_key_id.clone())
            .set_add_replica_regions(Some(to.replica_regions.iter().map(Replica::to_api).collect::<Vec<_>>()).filter(|all| !all.is_empty()))
            .set_tags(Some(to_api(&to.tags)));
        let made = send_once!(aws_sdk_secretsmanager, call).await.sent_once("secretsmanager:CreateSecret")?;
        made_id("secretsmanager:CreateSecret", made.arn())
    }

    async fn update(aws: &Aws, operation: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self {
            description,
            kms_key_id,
            replica_regions,
            tags,
            generate,
            // Heeded when deleting.
            recovery_window_in_days: _,
            name: _,
            arn: _,
        } = to;
        if *description != from.description || *kms_key_id != from.kms_key_id {
            let call = aws
                .secrets()
                .update_secret()
                .secret_id(id)
                .set_description((*description != from.description).then(|| description.clone().unwrap_or_default()))
                // A key that is sent encrypts all versions anew. Back to the default key is asked for by its alias (Secrets
                // Manager API Reference, UpdateSecret).
                .set_kms_key_id(match (kms_key_id, &from.kms_key_id) {
                    (key, before) if key == before => None,
                    (None, _) => Some(DEFAULT_KEY.to_owned()),
                    (key, _) => key.clone(),
                });
            call.send().await.idempotent("secretsmanager:UpdateSecret")?;
        }
        if *replica_regions != from.replica_regions {
            update_replicas(aws, operation, id, &from.replica_regions, replica_regions).await?;
        }
        if let Some(generate) = generate.as_ref().filter(|_| *generate != from.generate) {
            generate.put(aws, id).await?;
        }
        let change = TagChange::between(&from.tags, tags);
        if !change.set.is_empty() {
            let call = aws.secrets().tag_resource().secret_id(id).set_tags(Some(to_api(&change.set)));
            call.send().await.idempotent("secretsmanager:TagResource")?;
        }
        if !change.remove.is_empty() {
            let call = aws.secrets().untag_resource().secret_id(id).set_tag_keys(Some(change.remove));
            call.send().await.idempotent("secretsmanager:UntagResource")?;
        }
        Ok(())
    }

    /// One that was restored is made what is wanted; copies are made after the secret.
    async fn ready(aws: &Aws, operation: &Operation, id: &str, to: &Self) -> Outcome<()> {
        let mut changed = false;
        loop {
            let found = describe(aws, id).await?.filter(|found| found.deleted_date().is_none());
            if let Some(found) = found {
                let now = Self::from_description(&found);
                let missing = to.replica_regions.iter().filter(|copy| now.replica_regions.iter().all(|known| known.region != copy.region));
                let wanted = Self {
                    replica_regions: now.replica_regions.iter().chain(missing).cloned().collect(),
                    recovery_window_in_days: now.recovery_window_in_days,
                    generate: now.generate.clone(),
                    arn: now.arn.clone(),
                    ..to.clone()
                };
                if now != wanted && !changed {
                    Self::update(aws, operation, id, &now, &wanted).await?;
                    changed = true;
                    continue;
                }
                if copied(&found, &to.replica_regions)? {
                    return Ok(());
                }
            }
            operation.pause(Duration::from_secs(2), "waiting for the secret and its copies").await?;
        }
    }

    async fn changed(aws: &Aws, operation: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        match from.replica_regions == to.replica_regions {
            true => Ok(()),
            false => Self::ready(aws, operation, id, to).await,
        }
    }

    async fn delete(aws: &Aws, operation: &Operation, id: &str, last: Option<&Self>) -> Outcome<()> {
        let days = last.map_or(month(), |last| last.recovery_window_in_days);
        // A secret with copies cannot be deleted (Secrets Manager API Reference, DeleteSecret), be they ones that failed.
        update_replicas(aws, operation, id, last.map_or(&[], |last| &last.replica_regions), &[]).await.or_absent()?;
        let call = aws.secrets().delete_secret().secret_id(id);
        let call = match days {
            0 => call.force_delete_without_recovery(true),
            days => call.recovery_window_in_days(days),
        };
        let deleted = call.send().await.or_gone("secretsmanager:DeleteSecret");
        let gone = async || Ok(describe(aws, id).await?.is_none_or(|found| found.deleted_date().is_some()));
        verified(deleted, &["InvalidRequestException"], gone).await?;
        // Until it is gone its name is taken, and it is restored when it is made again.
        while days == 0 && describe(aws, id).await?.is_some() {
            operation.pause(Duration::from_secs(2), "waiting for the secret to be gone").await?;
        }
        Ok(())
    }
}

/// Restores a secret that is scheduled for deletion: only one that this stack has deleted. What differs in it is
/// changed once its id is known.
async fn restore(aws: &Aws, to: &SecretsmanagerSecret, scheduled: &DescribeSecretOutput) -> Outcome<String> {
    let operation = "secretsmanager:RestoreSecret";
    if !same_stack(&SecretsmanagerSecret::from_description(scheduled).tags, &to.tags) {
        return Err(not_ours(&to.name, scheduled));
    }
    let arn = made_id(operation, scheduled.arn())?;
    if let Some(key) = scheduled.kms_key_id() {
        let described = aws.kms().describe_key().key_id(key).send().await.or_fail("kms:DescribeKey");
        match described {
            Ok(found) => unusable(&to.name, key, found.key_metadata().and_then(|key| key.key_state())).map_or(Ok(()), Err)?,
            Err(failure) if failure.kind == FailureKind::NotFound => return Err(without_key(&to.name, key, "is gone", LOST)),
            // Whether it can be used is found out by using it.
            Err(failure) if failure.kind == FailureKind::Denied => {}
            Err(failure) => return Err(failure),
        }
    }
    let sent = send_once!(aws_sdk_secretsmanager, aws.secrets().restore_secret().secret_id(&arn)).await;
    let restored = async || Ok(describe(aws, &arn).await?.is_some_and(|found| found.deleted_date().is_none()));
    verified(sent.sent_once("secretsmanager:RestoreSecret"), &["InvalidRequestException"], restored).await?;
    Ok(arn)
}

/// What to do about a secret whose key is lost.
const LOST: &str = "delete the secret for good: `aws secretsmanager delete-secret --force-delete-without-recovery --secret-id NAME`";

/// Why a secret is not restored whose key is in this state: it could be neither read nor encrypted with another key.
fn unusable(name: &str, key: &str, state: Option<&KeyState>) -> Option<Failure> {
    Some(match state? {
        KeyState::PendingDeletion | KeyState::PendingReplicaDeletion => {
            let help = "keep the key: `aws kms cancel-key-deletion --key-id KEY`, then `aws kms enable-key --key-id KEY`; or ";
            without_key(name, key, "is scheduled for deletion", &format!("{help}{LOST}"))
        }
        KeyState::Disabled => without_key(name, key, "is disabled", "enable the key: `aws kms enable-key --key-id KEY`"),
        _ => return None,
    })
}

fn without_key(name: &str, key: &str, is: &str, help: &str) -> Failure {
    let help = help.replace("KEY", key).replace("NAME", name);
    let message = format!("the secret {name} is scheduled for deletion and is not restored, as its KMS key {key} {is}; {help}");
    Failure { operation: "kms:DescribeKey".to_owned(), ..Failure::new(FailureKind::Refused, message) }
}

/// A name that a secret of somebody else's still has, until AWS deletes it.
fn not_ours(name: &str, scheduled: &DescribeSecretOutput) -> Failure {
    let tags = SecretsmanagerSecret::from_description(scheduled).tags;
    let whose = match tags.get(STACK_TAG).zip(tags.get(ADDRESS_TAG)) {
        Some((stack, address)) => format!("was {address} of stack {stack}"),
        None => "was not made by leoctl".to_owned(),
    };
    let message = format!(
        "the secret {name} is scheduled for deletion and {whose}, so that it is not restored; its name is free once it is deleted, at \
         once with `aws secretsmanager delete-secret --force-delete-without-recovery --secret-id {}`",
        scheduled.arn().unwrap_or(name)
    );
    Failure { operation: "secretsmanager:DescribeSecret".to_owned(), ..Failure::new(FailureKind::AlreadyExists, message) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patience::tests::operation;
    use crate::scripted::{Answer, Scripted};

    #[test]
    fn the_default_key_is_none_and_a_copy_that_failed_is_not_there() {
        let copy = |region: &str, status| api::ReplicationStatusType::builder().region(region).status(status).build();
        for key in ["alias/aws/secretsmanager", "arn:aws:kms:eu-west-1:111111111111:alias/aws/secretsmanager"] {
            let found = DescribeSecretOutput::builder().name("app").kms_key_id(key);
            let found = found.replication_status(copy("eu-west-2", api::StatusType::InSync));
            let found = found.replication_status(copy("eu-west-3", api::StatusType::Failed)).build();
            let secret = SecretsmanagerSecret::from_description(&found);
            assert_eq!(secret.kms_key_id, None, "{key}");
            assert_eq!(secret.replica_regions, [Replica { region: "eu-west-2".to_owned(), kms_key_id: None }]);
            let wanted = |region: &str| [Replica { region: region.to_owned(), kms_key_id: None }];
            assert!(copied(&found, &wanted("eu-west-3")).is_err());
            assert!(copied(&found, &wanted("eu-west-2")).unwrap(), "one that failed and is not wanted is nobody's concern");
        }
    }

    #[test]
    fn a_secret_whose_key_cannot_be_used_is_not_restored() {
        let said = |state: &KeyState| unusable("app/db", "key-1", Some(state)).map(|failure| failure.message);
        assert_eq!(said(&KeyState::Enabled), None);
        let message = said(&KeyState::PendingDeletion).unwrap();
        assert!(message.contains("its KMS key key-1 is scheduled for deletion"), "{message}");
        assert!(message.contains("cancel-key-deletion --key-id key-1") && message.contains("--secret-id app/db"), "{message}");
        assert!(said(&KeyState::Disabled).unwrap().contains("enable-key --key-id key-1"));
    }

    fn secret(days: i64, key: &str) -> SecretsmanagerSecret {
        let secret = serde_json::json!({ "name": "app", "replica_regions": [{ "region": "eu-west-2", "kms_key_id": key }],
            "recovery_window_in_days": days, "tags": {}, "arn": "arn:app" });
        serde_json::from_value(secret).unwrap()
    }

    #[tokio::test]
    async fn secrets_are_read_each_by_itself() {
        let scripted = Scripted::new(|call| {
            let name = if call.body.contains("arn:a") { "a" } else { "b" };
            Answer::ok(format!(r#"{{"ARN":"arn:{name}","Name":"{name}","Description":"new"}}"#))
        });
        let read = SecretsmanagerSecret::read(&scripted.aws, &["arn:a".to_owned(), "arn:b".to_owned()]).await.unwrap();
        assert!(read.iter().all(|(id, secret)| *id == secret.arn && secret.description.as_deref() == Some("new")));
        assert_eq!((read.len(), scripted.names()), (2, vec!["DescribeSecret".to_owned(); 2]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_copy_that_failed_is_removed_before_another_is_made_and_before_the_secret_goes() {
        let play = || {
            let (mut failed, mut copies) = (true, Vec::new());
            Scripted::new(move |call| match call.name.as_str() {
                "DescribeSecret" => {
                    let statuses = failed.then_some(("eu-west-3", "Failed")).into_iter().chain(copies.iter().map(|copy| (*copy, "InSync")));
                    let statuses: Vec<_> =
                        statuses.map(|(region, status)| serde_json::json!({ "Region": region, "Status": status })).collect();
                    Answer::ok(serde_json::json!({ "ARN": "arn:app", "Name": "app", "ReplicationStatus": statuses }).to_string())
                }
                "RemoveRegionsFromReplication" => {
                    assert!(call.body.contains("eu-west-3"), "{}", call.body);
                    failed = false;
                    Answer::ok("{}")
                }
                "ReplicateSecretToRegions" => {
                    copies.push("eu-west-2");
                    Answer::ok("{}")
                }
                _ => Answer::ok("{}"),
            })
        };
        let changing = |scripted: &Scripted| scripted.names().into_iter().filter(|name| name != "DescribeSecret").collect::<Vec<_>>();
        let without = SecretsmanagerSecret { replica_regions: Vec::new(), ..secret(30, "k") };
        let scripted = play();
        SecretsmanagerSecret::update(&scripted.aws, &operation(0), "arn:app", &without, &secret(30, "k")).await.unwrap();
        assert_eq!(changing(&scripted), ["RemoveRegionsFromReplication", "ReplicateSecretToRegions"]);
        let scripted = play();
        SecretsmanagerSecret::delete(&scripted.aws, &operation(0), "arn:app", Some(&without)).await.unwrap();
        assert_eq!(changing(&scripted), ["RemoveRegionsFromReplication", "DeleteSecret"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_secret_that_goes_at_once_is_waited_for() {
        let mut looks = 0;
        let scripted = Scripted::new(move |call| match call.name.as_str() {
            "DescribeSecret" => {
                looks += 1;
                if looks > 2 { Answer::json_error("ResourceNotFoundException") } else { Answer::ok(r#"{"ARN":"arn:app","DeletedDate":1}"#) }
            }
            _ => Answer::ok("{}"),
        });
        let last = SecretsmanagerSecret { replica_regions: Vec::new(), ..secret(0, "k") };
        SecretsmanagerSecret::delete(&scripted.aws, &operation(0), "arn:app", Some(&last)).await.unwrap();
        assert_eq!(scripted.names(), ["DescribeSecret", "DeleteSecret", "DescribeSecret", "DescribeSecret"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_copy_with_another_key_is_made_once_the_old_one_is_gone() {
        let mut looks = 0;
        let scripted = Scripted::new(move |call| match call.name.as_str() {
            "DescribeSecret" => {
                looks += 1;
                let copies = if looks > 3 { "" } else { r#"{"Region":"eu-west-2","Status":"InSync"}"# };
                Answer::ok(format!(r#"{{"ARN":"arn:app","ReplicationStatus":[{copies}]}}"#))
            }
            _ => Answer::ok("{}"),
        });
        let (from, to) = (secret(30, "old"), secret(30, "new"));
        SecretsmanagerSecret::update(&scripted.aws, &operation(0), "arn:app", &from, &to).await.unwrap();
        let describes = vec!["DescribeSecret"; 3];
        let calls = [vec!["DescribeSecret", "RemoveRegionsFromReplication"], describes, vec!["ReplicateSecretToRegions"]].concat();
        assert_eq!(scripted.names(), calls);
    }
}
