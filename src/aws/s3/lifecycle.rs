//! Lifecycle rules of a bucket.

use aws_sdk_s3::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::ports::{Failure, FailureKind, Outcome};

/// What happens to objects as they age.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LifecycleRule {
    /// The rule's name, unique in the bucket.
    #[schemars(length(max = 255))]
    id: String,
    /// Whether the rule is in force.
    #[schemars(extend("default" = "Enabled", "enum" = ["Enabled", "Disabled"]))]
    status: String,
    /// Only objects whose key begins so.
    #[schemars(extend("default" = ""))]
    prefix: String,
    /// Days after which objects are deleted.
    #[schemars(range(min = 1))]
    expiration_in_days: Option<i32>,
    /// Days after which versions that are not the newest are deleted.
    #[schemars(range(min = 1))]
    noncurrent_version_expiration_in_days: Option<i32>,
    /// Days after which an upload that was never finished is dropped.
    #[schemars(range(min = 1))]
    abort_incomplete_multipart_upload_days: Option<i32>,
    /// Whether a delete marker with nothing behind it is removed.
    #[schemars(extend("default" = false))]
    expired_object_delete_marker: bool,
    /// Cheaper storage for older objects.
    #[schemars(extend("default" = [], "x-key" = "storage_class"))]
    transitions: Vec<Transition>,
}

/// Cheaper storage from some age on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Transition {
    /// The storage class.
    #[schemars(extend("enum" = ["STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"]))]
    storage_class: String,
    /// The age in days.
    #[schemars(range(min = 0))]
    days: i32,
}

impl LifecycleRule {
    /// The rule for a call.
    ///
    /// # Errors
    /// When the SDK finds it incomplete.
    pub fn to_api(&self) -> Outcome<api::LifecycleRule> {
        let Self {
            id,
            status,
            prefix,
            expiration_in_days,
            noncurrent_version_expiration_in_days,
            abort_incomplete_multipart_upload_days,
            expired_object_delete_marker,
            transitions,
        } = self.clone();
        let expires = expiration_in_days.is_some() || expired_object_delete_marker;
        let expiration = api::LifecycleExpiration::builder()
            .set_days(expiration_in_days)
            .set_expired_object_delete_marker(expired_object_delete_marker.then_some(true))
            .build();
        let noncurrent =
            noncurrent_version_expiration_in_days.map(|days| api::NoncurrentVersionExpiration::builder().noncurrent_days(days).build());
        let abort = abort_incomplete_multipart_upload_days
            .map(|days| api::AbortIncompleteMultipartUpload::builder().days_after_initiation(days).build());
        let transitions = transitions.iter().map(|transition| {
            let class = api::TransitionStorageClass::from(transition.storage_class.as_str());
            api::Transition::builder().storage_class(class).days(transition.days).build()
        });
        api::LifecycleRule::builder()
            .id(id)
            .status(api::ExpirationStatus::from(status.as_str()))
            .filter(api::LifecycleRuleFilter::builder().prefix(prefix).build())
            .set_expiration(expires.then_some(expiration))
            .set_noncurrent_version_expiration(noncurrent)
            .set_abort_incomplete_multipart_upload(abort)
            .set_transitions(Some(transitions.collect::<Vec<_>>()).filter(|transitions| !transitions.is_empty()))
            .build()
            .map_err(|error| Failure::new(FailureKind::Other, error.to_string()))
    }

    /// The rule AWS returned.
    pub fn from_api(rule: &api::LifecycleRule) -> Self {
        let expiration = rule.expiration();
        Self {
            id: rule.id().unwrap_or_default().to_owned(),
            status: rule.status().as_str().to_owned(),
            prefix: rule.filter().and_then(|filter| filter.prefix()).unwrap_or_default().to_owned(),
            expiration_in_days: expiration.and_then(|expiration| expiration.days()).filter(|days| *days > 0),
            noncurrent_version_expiration_in_days: rule.noncurrent_version_expiration().and_then(|one| one.noncurrent_days()),
            abort_incomplete_multipart_upload_days: rule.abort_incomplete_multipart_upload().and_then(|one| one.days_after_initiation()),
            expired_object_delete_marker: expiration.and_then(|expiration| expiration.expired_object_delete_marker()).unwrap_or_default(),
            transitions: rule
                .transitions()
                .iter()
                .map(|transition| Transition {
                    storage_class: transition.storage_class().map_or("", api::TransitionStorageClass::as_str).to_owned(),
                    days: transition.days().unwrap_or_default(),
                })
                .collect(),
        }
    }
}
