//! Lifecycle rules of a bucket.

use aws_sdk_s3::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::unbuilt;
use crate::resource::Tags;
use leoctl_core::engine::ports::Outcome;

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
    /// Only objects with all these tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// Only objects of more bytes.
    object_size_greater_than: Option<i64>,
    /// Only objects of fewer bytes.
    object_size_less_than: Option<i64>,
    /// Days after which objects are deleted.
    #[schemars(range(min = 1))]
    expiration_in_days: Option<i32>,
    /// Days after which versions that are not the newest are deleted.
    #[schemars(range(min = 1))]
    noncurrent_version_expiration_in_days: Option<i32>,
    /// How many versions that are not the newest are kept beyond those days.
    #[schemars(range(min = 1, max = 100))]
    newer_noncurrent_versions: Option<i32>,
    /// Days after which an upload that was never finished is dropped.
    #[schemars(range(min = 1))]
    abort_incomplete_multipart_upload_days: Option<i32>,
    /// Whether a delete marker with nothing behind it is removed.
    #[schemars(extend("default" = false))]
    expired_object_delete_marker: bool,
    /// Cheaper storage for older objects.
    #[schemars(extend("default" = [], "x-key" = "storage_class"))]
    transitions: Vec<Transition>,
    /// Cheaper storage for versions that are not the newest.
    #[schemars(extend("default" = [], "x-key" = "storage_class"))]
    noncurrent_version_transitions: Vec<Transition>,
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
            prefix: _,
            tags: _,
            object_size_greater_than: _,
            object_size_less_than: _,
            expiration_in_days,
            noncurrent_version_expiration_in_days,
            newer_noncurrent_versions,
            abort_incomplete_multipart_upload_days,
            expired_object_delete_marker,
            transitions,
            noncurrent_version_transitions,
        } = self.clone();
        let expires = expiration_in_days.is_some() || expired_object_delete_marker;
        let expiration = api::LifecycleExpiration::builder()
            .set_days(expiration_in_days)
            .set_expired_object_delete_marker(expired_object_delete_marker.then_some(true))
            .build();
        let noncurrent = noncurrent_version_expiration_in_days.map(|days| {
            api::NoncurrentVersionExpiration::builder()
                .noncurrent_days(days)
                .set_newer_noncurrent_versions(newer_noncurrent_versions)
                .build()
        });
        let abort = abort_incomplete_multipart_upload_days
            .map(|days| api::AbortIncompleteMultipartUpload::builder().days_after_initiation(days).build());
        let class = |transition: &Transition| api::TransitionStorageClass::from(transition.storage_class.as_str());
        let older = noncurrent_version_transitions.iter().map(|transition| {
            api::NoncurrentVersionTransition::builder().storage_class(class(transition)).noncurrent_days(transition.days).build()
        });
        let transitions =
            transitions.iter().map(|transition| api::Transition::builder().storage_class(class(transition)).days(transition.days).build());
        api::LifecycleRule::builder()
            .id(id)
            .status(api::ExpirationStatus::from(status.as_str()))
            .filter(self.filter()?)
            .set_expiration(expires.then_some(expiration))
            .set_noncurrent_version_expiration(noncurrent)
            .set_abort_incomplete_multipart_upload(abort)
            .set_transitions(Some(transitions.collect::<Vec<_>>()).filter(|transitions| !transitions.is_empty()))
            .set_noncurrent_version_transitions(Some(older.collect::<Vec<_>>()).filter(|transitions| !transitions.is_empty()))
            .build()
            .map_err(unbuilt)
    }

    /// Which objects: one condition stands alone, several stand in an `And` (S3 API Reference, LifecycleRuleFilter).
    fn filter(&self) -> Outcome<api::LifecycleRuleFilter> {
        let tags = self.tags.iter().map(|(key, value)| api::Tag::builder().key(key).value(value).build().map_err(unbuilt));
        let tags = tags.collect::<Outcome<Vec<_>>>()?;
        let filter = api::LifecycleRuleFilter::builder();
        if tags.is_empty() && self.object_size_greater_than.is_none() && self.object_size_less_than.is_none() {
            return Ok(filter.prefix(&self.prefix).build());
        }
        let and = api::LifecycleRuleAndOperator::builder()
            .set_prefix(Some(self.prefix.clone()).filter(|prefix| !prefix.is_empty()))
            .set_tags(Some(tags))
            .set_object_size_greater_than(self.object_size_greater_than)
            .set_object_size_less_than(self.object_size_less_than);
        Ok(filter.and(and.build()).build())
    }

    /// The rule AWS returned.
    pub fn from_api(rule: &api::LifecycleRule) -> Self {
        let expiration = rule.expiration();
        let filter = rule.filter();
        let and = filter.and_then(|filter| filter.and());
        let prefix = and.and_then(|and| and.prefix()).or(filter.and_then(|filter| filter.prefix()));
        let tags = and.map(api::LifecycleRuleAndOperator::tags).unwrap_or_default().iter().chain(filter.and_then(|filter| filter.tag()));
        let transition = |class: Option<&api::TransitionStorageClass>, days: Option<i32>| Transition {
            storage_class: class.map_or("", api::TransitionStorageClass::as_str).to_owned(),
            days: days.unwrap_or_default(),
        };
        let older = rule.noncurrent_version_transitions().iter();
        Self {
            id: rule.id().unwrap_or_default().to_owned(),
            status: rule.status().as_str().to_owned(),
            prefix: prefix.unwrap_or_default().to_owned(),
            tags: tags.map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect(),
            object_size_greater_than: and
                .and_then(|and| and.object_size_greater_than())
                .or(filter.and_then(|filter| filter.object_size_greater_than())),
            object_size_less_than: and
                .and_then(|and| and.object_size_less_than())
                .or(filter.and_then(|filter| filter.object_size_less_than())),
            expiration_in_days: expiration.and_then(|expiration| expiration.days()).filter(|days| *days > 0),
            noncurrent_version_expiration_in_days: rule.noncurrent_version_expiration().and_then(|one| one.noncurrent_days()),
            newer_noncurrent_versions: rule.noncurrent_version_expiration().and_then(|one| one.newer_noncurrent_versions()),
            abort_incomplete_multipart_upload_days: rule.abort_incomplete_multipart_upload().and_then(|one| one.days_after_initiation()),
            expired_object_delete_marker: expiration.and_then(|expiration| expiration.expired_object_delete_marker()).unwrap_or_default(),
            transitions: rule.transitions().iter().map(|one| transition(one.storage_class(), one.days())).collect(),
            noncurrent_version_transitions: older.map(|one| transition(one.storage_class(), one.noncurrent_days())).collect(),
        }
    }
}
