//! The resource type `kms_key`.

use aws_sdk_kms::types as api;
use futures_util::future::{try_join_all, try_join4};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::client::{Aws, send_once};
use crate::document::Policy;
use crate::error::{OrAbsent, OrFail, made_id, unbuilt};
use crate::permissions::{Grant, Permissions};
use crate::repeat::{Changing, verified};
use crate::resource::{EVENTUALLY, Info, Resource, Retry, Tags};
use crate::tags::{TagChange, collect};
use leoctl_core::engine::ports::{FailureKind, Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::value::Value;

/// A key that encrypts, signs or authenticates, and never leaves KMS.
///
/// Deleting it schedules its deletion; until then it can be brought back by hand, and cannot be used.
///
/// Import by id: `1234abcd-12ab-34cd-56ef-1234567890ab`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KmsKey {
    /// What it is for.
    #[schemars(length(max = 8192))]
    description: Option<String>,
    /// What it does.
    #[schemars(extend("default" = "ENCRYPT_DECRYPT", "x-replace" = true, "enum" = ["ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT", "ENCAPSULATE_DECAPSULATE"]))]
    key_usage: String,
    /// What kind of key it is, such as `RSA_2048`, `ECC_NIST_P256`, `HMAC_256`.
    #[schemars(extend("default" = "SYMMETRIC_DEFAULT", "x-replace" = true, "pattern" = "^[A-Z0-9_]+$", "x-form" = "a key spec of KMS, such as `RSA_2048`"))]
    key_spec: String,
    /// Who may do what with it. When left out the account decides with IAM's policies.
    #[schemars(extend("x-server" = true))]
    policy: Option<Policy>,
    /// Whether KMS makes new key material every so often; symmetric keys only.
    #[schemars(extend("default" = false))]
    enable_key_rotation: bool,
    /// How often, in days; 365 when left out.
    #[schemars(extend("x-server" = true, "x-follows" = ["enable_key_rotation"]), range(min = 90, max = 2560))]
    rotation_period_in_days: Option<i32>,
    /// Whether it can have replicas in other regions.
    #[schemars(extend("default" = false, "x-replace" = true))]
    multi_region: bool,
    /// Whether it can be used.
    #[schemars(extend("default" = true))]
    is_enabled: bool,
    /// Days in which a deleted key can still be brought back.
    #[schemars(extend("default" = 30, "x-local" = true), range(min = 7, max = 30))]
    #[serde(default = "month")]
    deletion_window_in_days: i32,
    /// Whether KMS takes a policy that leaves nobody who could change it again.
    #[schemars(extend("default" = false, "x-local" = true))]
    #[serde(default)]
    bypass_policy_lockout_safety_check: bool,
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
}

fn month() -> i32 {
    30
}

/// The one policy a key has.
const POLICY: &str = "default";

/// Tags for a call.
fn to_api(tags: &Tags) -> Outcome<Option<Vec<api::Tag>>> {
    let tags = tags.iter().map(|(key, value)| api::Tag::builder().tag_key(key).tag_value(value).build());
    let tags: Vec<_> = tags.collect::<Result<_, _>>().map_err(unbuilt)?;
    Ok(Some(tags).filter(|tags| !tags.is_empty()))
}

/// Nothing where a key's kind or state does not allow the question.
fn or_none<T>(outcome: Outcome<Option<T>>) -> Outcome<Option<T>> {
    match outcome {
        Err(failure) if matches!(failure.code.as_deref(), Some("UnsupportedOperationException" | "KMSInvalidStateException")) => Ok(None),
        outcome => outcome,
    }
}

impl KmsKey {
    /// A key that is not scheduled for deletion.
    async fn describe(aws: &Aws, id: &str) -> Outcome<Option<api::KeyMetadata>> {
        let found = aws.kms().describe_key().key_id(id).send().await.or_fail("kms:DescribeKey").or_absent()?;
        let going = |key: &api::KeyMetadata| {
            matches!(key.key_state(), Some(api::KeyState::PendingDeletion | api::KeyState::PendingReplicaDeletion))
        };
        Ok(found.and_then(|found| found.key_metadata).filter(|key| !going(key)))
    }

    async fn tags_of(aws: &Aws, id: &str) -> Outcome<Tags> {
        let mut pages = aws.kms().list_resource_tags().key_id(id).into_paginator().send();
        let mut tags = Vec::new();
        while let Some(page) = pages.next().await {
            let page = or_none(page.or_fail("kms:ListResourceTags").or_absent())?;
            tags.extend(page.and_then(|page| page.tags).unwrap_or_default());
        }
        Ok(collect(tags.iter().map(|tag| (tag.tag_key(), tag.tag_value()))))
    }

    async fn read_one(aws: &Aws, id: &str) -> Outcome<Option<Self>> {
        let policy = async {
            let call = aws.kms().get_key_policy().key_id(id).policy_name(POLICY);
            or_none(call.send().await.or_fail("kms:GetKeyPolicy").or_absent())
        };
        let rotation =
            async { or_none(aws.kms().get_key_rotation_status().key_id(id).send().await.or_fail("kms:GetKeyRotationStatus").or_absent()) };
        let (key, policy, rotation, tags) = try_join4(Self::describe(aws, id), policy, rotation, Self::tags_of(aws, id)).await?;
        let Some(key) = key else { return Ok(None) };
        let rotates = rotation.as_ref().is_some_and(|rotation| rotation.key_rotation_enabled());
        Ok(Some(Self {
            description: key.description().filter(|text| !text.is_empty()).map(str::to_owned),
            key_usage: key.key_usage().map_or("ENCRYPT_DECRYPT", api::KeyUsageType::as_str).to_owned(),
            key_spec: key.key_spec().map_or("SYMMETRIC_DEFAULT", api::KeySpec::as_str).to_owned(),
            policy: policy.and_then(|found| found.policy).map(|text| Policy::parse(&text)).transpose()?,
            enable_key_rotation: rotates,
            rotation_period_in_days: rotation.and_then(|rotation| rotation.rotation_period_in_days()).filter(|_| rotates),
            multi_region: key.multi_region().unwrap_or_default(),
            is_enabled: key.enabled(),
            deletion_window_in_days: month(),
            bypass_policy_lockout_safety_check: false,
            tags,
            id: key.key_id().to_owned(),
            arn: key.arn().unwrap_or_default().to_owned(),
        }))
    }
}

impl Resource for KmsKey {
    const TYPE: &'static str = "kms_key";
    // A principal made a moment ago; the key itself (KMS Developer Guide, "AWS KMS eventual consistency").
    const INFO: Info = Info {
        create_before_destroy: true,
        data_loss: Some("the key: whatever is encrypted with it can never be read again"),
        propagating: &[
            Retry::after("MalformedPolicyDocumentException", &["kms:CreateKey", "kms:PutKeyPolicy"]),
            // One that was enabled a moment ago.
            Retry::after("DisabledException", &["kms:EnableKeyRotation"]),
        ],
        seen_within: EVENTUALLY,
        timeout: 300,
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:kms:{region}:{account}:key/*",
        plan: &[
            Grant::any(&["kms:ListKeys"]),
            Grant::itself(&["kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"]),
        ],
        apply: &[
            Grant::any(&["kms:CreateKey"]),
            Grant::itself(&[
                "kms:DisableKey",
                "kms:DisableKeyRotation",
                "kms:EnableKey",
                "kms:EnableKeyRotation",
                "kms:PutKeyPolicy",
                "kms:ScheduleKeyDeletion",
                "kms:TagResource",
                "kms:UntagResource",
                "kms:UpdateKeyDescription",
            ]),
            Grant::linked_role("mrk.kms.amazonaws.com").when("multi_region"),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let period = desired.get("rotation_period_in_days").is_some_and(|period| !period.is_null());
        if (desired.get("is_enabled"), desired.get("enable_key_rotation")) == (Some(&Value::Bool(false)), Some(&Value::Bool(true))) {
            let problem = "AWS does not rotate a key that is disabled".to_owned();
            return vec![(Path::attribute("enable_key_rotation"), problem)];
        }
        match (period, desired.get("enable_key_rotation")) {
            (true, None | Some(Value::Bool(false))) => {
                let problem = "`rotation_period_in_days` needs `enable_key_rotation = true`".to_owned();
                vec![(Path::attribute("rotation_period_in_days"), problem)]
            }
            _ => Vec::new(),
        }
    }

    /// A key is described by its id, its ARN or an alias of it (KMS API Reference, DescribeKey).
    fn id(&self, _: &str) -> String {
        self.id.clone()
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let read = try_join_all(ids.iter().map(async |id| Ok(Self::read_one(aws, id).await?.map(|read| (id.clone(), read))))).await?;
        Ok(read.into_iter().flatten().collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let keys = aws.keys.get(|| all_tags(aws)).await?;
        for (id, _) in keys.iter().filter(|(_, tags)| wanted.owns(tags)) {
            if let Some(found) = wanted.pick(Self::describe(aws, id).await?.map(|key| key.key_id)) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let call = aws
            .kms()
            .create_key()
            .set_description(to.description.clone())
            .key_usage(api::KeyUsageType::from(to.key_usage.as_str()))
            .key_spec(api::KeySpec::from(to.key_spec.as_str()))
            .set_policy(to.policy.as_ref().map(ToString::to_string))
            .set_bypass_policy_lockout_safety_check(to.bypass_policy_lockout_safety_check.then_some(true))
            .multi_region(to.multi_region)
            .set_tags(to_api(&to.tags)?);
        let made = send_once!(aws_sdk_kms, call).await.sent_once("kms:CreateKey")?;
        made_id("kms:CreateKey", made.key_metadata.map(|key| key.key_id))
    }

    fn as_created(to: &Self) -> Self {
        Self { enable_key_rotation: false, rotation_period_in_days: None, is_enabled: true, ..to.clone() }
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self {
            description,
            policy,
            enable_key_rotation,
            rotation_period_in_days,
            is_enabled,
            tags,
            // Heeded when deleting, and with a policy.
            deletion_window_in_days: _,
            bypass_policy_lockout_safety_check,
            key_usage: _,
            key_spec: _,
            multi_region: _,
            id: _,
            arn: _,
        } = to;
        let kms = aws.kms();
        // A disabled key cannot be changed in most ways: enabled first, disabled last.
        if *is_enabled && !from.is_enabled {
            kms.enable_key().key_id(id).send().await.idempotent("kms:EnableKey")?;
        }
        if *description != from.description {
            let call = kms.update_key_description().key_id(id).description(description.clone().unwrap_or_default());
            call.send().await.idempotent("kms:UpdateKeyDescription")?;
        }
        if let Some(policy) = policy.as_ref().filter(|policy| Some(*policy) != from.policy.as_ref()) {
            let call = kms.put_key_policy().key_id(id).policy_name(POLICY).policy(policy.to_string());
            let call = call.set_bypass_policy_lockout_safety_check(bypass_policy_lockout_safety_check.then_some(true));
            call.send().await.idempotent("kms:PutKeyPolicy")?;
        }
        match (from.enable_key_rotation, enable_key_rotation) {
            (true, false) => {
                kms.disable_key_rotation().key_id(id).send().await.idempotent("kms:DisableKeyRotation")?;
            }
            (rotates, true) if !rotates || *rotation_period_in_days != from.rotation_period_in_days => {
                let call = kms.enable_key_rotation().key_id(id).set_rotation_period_in_days(*rotation_period_in_days);
                call.send().await.idempotent("kms:EnableKeyRotation")?;
            }
            _ => {}
        }
        let change = TagChange::between(&from.tags, tags);
        if let Some(set) = to_api(&change.set)? {
            kms.tag_resource().key_id(id).set_tags(Some(set)).send().await.idempotent("kms:TagResource")?;
        }
        if !change.remove.is_empty() {
            kms.untag_resource().key_id(id).set_tag_keys(Some(change.remove)).send().await.idempotent("kms:UntagResource")?;
        }
        if !*is_enabled && from.is_enabled {
            kms.disable_key().key_id(id).send().await.idempotent("kms:DisableKey")?;
        }
        Ok(())
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, last: Option<&Self>) -> Outcome<()> {
        // One that is scheduled already stays so: its time must not begin again.
        if Self::describe(aws, id).await?.is_none() {
            return Ok(());
        }
        let days = last.map_or(month(), |last| last.deletion_window_in_days);
        let call = aws.kms().schedule_key_deletion().key_id(id).pending_window_in_days(days);
        let scheduled = call.send().await.or_done("kms:ScheduleKeyDeletion", &["NotFoundException"]);
        verified(scheduled, &["KMSInvalidStateException"], async || Ok(Self::describe(aws, id).await?.is_none())).await
    }
}

/// Every key of the account in this region, with its tags: there is no way to find one by them.
pub type Keys = Vec<(String, Tags)>;

async fn all_tags(aws: &Aws) -> Outcome<Keys> {
    let mut pages = aws.kms().list_keys().limit(1000).into_paginator().send();
    let mut ids = Vec::new();
    while let Some(page) = pages.next().await {
        let keys = page.or_fail("kms:ListKeys")?.keys.unwrap_or_default();
        ids.extend(keys.into_iter().filter_map(|key| key.key_id));
    }
    let mut all = Vec::new();
    // An account may have many keys, and KMS answers so many questions about them in a second.
    for some in ids.chunks(20) {
        let tagged = some.iter().map(async |id| match KmsKey::tags_of(aws, id).await {
            // A key whose policy keeps us out is not ours.
            Err(failure) if failure.kind == FailureKind::Denied => Ok((id.clone(), Tags::new())),
            tags => Ok((id.clone(), tags?)),
        });
        all.extend(try_join_all(tagged).await?);
    }
    Ok(all)
}
