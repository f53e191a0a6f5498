//! Lifecycle rules of a bucket.

use aws_sdk_s3::types as api;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::unbuilt;
use crate::resource::Tags;
use leoctl_core::engine::ports::Outcome;
use leoctl_core::model::path::Path;
use leoctl_core::model::value::Value;

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
    /// The day on which objects are deleted, such as `2030-01-01`, and those that are added later as well.
    #[schemars(extend("pattern" = DATE, "x-form" = "a date such as `2030-01-01`"))]
    expiration_date: Option<String>,
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
    noncurrent_version_transitions: Vec<NoncurrentTransition>,
}

const DATE: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$";

/// Cheaper storage from some age or day on: either is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Transition {
    /// The storage class.
    #[schemars(extend("enum" = ["STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"]))]
    storage_class: String,
    /// The age in days.
    #[schemars(range(min = 0))]
    days: Option<i32>,
    /// The day, such as `2030-01-01`.
    #[schemars(extend("pattern" = DATE, "x-form" = "a date such as `2030-01-01`"))]
    date: Option<String>,
}

/// Cheaper storage for older versions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoncurrentTransition {
    /// The storage class.
    #[schemars(extend("enum" = ["STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"]))]
    storage_class: String,
    /// For how many days it has not been the newest.
    #[schemars(range(min = 0))]
    days: i32,
    /// How many versions that are not the newest stay where they are beyond those days.
    #[schemars(range(min = 1, max = 100))]
    newer_noncurrent_versions: Option<i32>,
}

/// A day for a call: its first moment, as S3 wants it.
fn to_date(date: Option<&String>) -> Outcome<Option<DateTime>> {
    let time = date.map(|date| DateTime::from_str(&format!("{date}T00:00:00Z"), Format::DateTime));
    time.transpose().map_err(unbuilt)
}

/// The day S3 returned.
fn from_date(time: Option<&DateTime>) -> Option<String> {
    let text = time?.fmt(Format::DateTime).ok()?;
    text.split_once('T').map(|(date, _)| date.to_owned())
}

fn class(name: &str) -> api::TransitionStorageClass {
    api::TransitionStorageClass::from(name)
}

impl Transition {
    fn to_api(&self) -> Outcome<api::Transition> {
        let Self { storage_class, days, date } = self;
        let date = to_date(date.as_ref())?;
        Ok(api::Transition::builder().storage_class(class(storage_class)).set_days(*days).set_date(date).build())
    }

    fn from_api(found: &api::Transition) -> Self {
        let date = from_date(found.date());
        Self {
            storage_class: found.storage_class().map_or("", api::TransitionStorageClass::as_str).to_owned(),
            // One of zero days is sent and returned without them.
            days: found.days().or(date.is_none().then_some(0)),
            date,
        }
    }
}

impl NoncurrentTransition {
    fn to_api(&self) -> api::NoncurrentVersionTransition {
        let Self { storage_class, days, newer_noncurrent_versions } = self;
        let built = api::NoncurrentVersionTransition::builder().storage_class(class(storage_class)).noncurrent_days(*days);
        built.set_newer_noncurrent_versions(*newer_noncurrent_versions).build()
    }

    fn from_api(found: &api::NoncurrentVersionTransition) -> Self {
        Self {
            storage_class: found.storage_class().map_or("", api::TransitionStorageClass::as_str).to_owned(),
            days: found.noncurrent_days().unwrap_or_default(),
            newer_noncurrent_versions: found.newer_noncurrent_versions(),
        }
    }
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
            expiration_date,
            noncurrent_version_expiration_in_days,
            newer_noncurrent_versions,
            abort_incomplete_multipart_upload_days,
            expired_object_delete_marker,
            transitions,
            noncurrent_version_transitions,
        } = self.clone();
        let expires = expiration_in_days.is_some() || expiration_date.is_some() || expired_object_delete_marker;
        let expiration = api::LifecycleExpiration::builder()
            .set_days(expiration_in_days)
            .set_date(to_date(expiration_date.as_ref())?)
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
        let transitions = transitions.iter().map(Transition::to_api).collect::<Outcome<Vec<_>>>()?;
        let older: Vec<_> = noncurrent_version_transitions.iter().map(NoncurrentTransition::to_api).collect();
        api::LifecycleRule::builder()
            .id(id)
            .status(api::ExpirationStatus::from(status.as_str()))
            .filter(self.filter()?)
            .set_expiration(expires.then_some(expiration))
            .set_noncurrent_version_expiration(noncurrent)
            .set_abort_incomplete_multipart_upload(abort)
            .set_transitions(Some(transitions).filter(|transitions| !transitions.is_empty()))
            .set_noncurrent_version_transitions(Some(older).filter(|transitions| !transitions.is_empty()))
            .build()
            .map_err(unbuilt)
    }

    /// The rule with its transitions in an order of their own, which S3 need not keep.
    pub fn sorted(mut self) -> Self {
        self.transitions.sort_by(|one, other| one.storage_class.cmp(&other.storage_class));
        self.noncurrent_version_transitions.sort_by(|one, other| one.storage_class.cmp(&other.storage_class));
        self
    }

    /// Which objects: one condition stands alone, several stand in an `And`, which has two or more (S3 API Reference,
    /// LifecycleRuleFilter, LifecycleRuleAndOperator).
    fn filter(&self) -> Outcome<api::LifecycleRuleFilter> {
        let tags = self.tags.iter().map(|(key, value)| api::Tag::builder().key(key).value(value).build().map_err(unbuilt));
        let mut tags = tags.collect::<Outcome<Vec<_>>>()?;
        let (greater, less) = (self.object_size_greater_than, self.object_size_less_than);
        let conditions = usize::from(!self.prefix.is_empty()) + tags.len() + usize::from(greater.is_some()) + usize::from(less.is_some());
        let filter = api::LifecycleRuleFilter::builder();
        if conditions > 1 {
            let and = api::LifecycleRuleAndOperator::builder()
                .set_prefix(Some(self.prefix.clone()).filter(|prefix| !prefix.is_empty()))
                .set_tags(Some(tags).filter(|tags| !tags.is_empty()))
                .set_object_size_greater_than(greater)
                .set_object_size_less_than(less);
            return Ok(filter.and(and.build()).build());
        }
        let filter = filter.set_tag(tags.pop()).set_object_size_greater_than(greater).set_object_size_less_than(less);
        // No condition at all is the empty prefix.
        let prefix = (conditions == 0 || !self.prefix.is_empty()).then(|| self.prefix.clone());
        Ok(filter.set_prefix(prefix).build())
    }

    /// The rule AWS returned.
    pub fn from_api(rule: &api::LifecycleRule) -> Self {
        let expiration = rule.expiration();
        let filter = rule.filter();
        let and = filter.and_then(|filter| filter.and());
        let prefix = and.and_then(|and| and.prefix()).or(filter.and_then(|filter| filter.prefix()));
        // Rules put with the API's first form have their prefix beside their name, and no filter.
        #[expect(deprecated, reason = "S3 returns what was put so")]
        let prefix = prefix.or(rule.prefix());
        let tags = and.map(api::LifecycleRuleAndOperator::tags).unwrap_or_default().iter().chain(filter.and_then(|filter| filter.tag()));
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
            expiration_date: from_date(expiration.and_then(|expiration| expiration.date())),
            noncurrent_version_expiration_in_days: rule.noncurrent_version_expiration().and_then(|one| one.noncurrent_days()),
            newer_noncurrent_versions: rule.noncurrent_version_expiration().and_then(|one| one.newer_noncurrent_versions()),
            abort_incomplete_multipart_upload_days: rule.abort_incomplete_multipart_upload().and_then(|one| one.days_after_initiation()),
            expired_object_delete_marker: expiration.and_then(|expiration| expiration.expired_object_delete_marker()).unwrap_or_default(),
            transitions: rule.transitions().iter().map(Transition::from_api).collect(),
            noncurrent_version_transitions: rule.noncurrent_version_transitions().iter().map(NoncurrentTransition::from_api).collect(),
        }
    }
}

/// What S3 refuses of rules, or does not keep (S3 User Guide, "Lifecycle configuration elements").
pub fn check(rules: Option<&Value>) -> Vec<(Path, String)> {
    let rules = rules.and_then(Value::as_list).unwrap_or_default().iter().filter(|rule| rule.as_map().is_some());
    let problems = rules.flat_map(|rule| {
        let id = rule.get("id").and_then(Value::as_str).unwrap_or("…");
        problems(rule).into_iter().map(move |problem| (Path::attribute("lifecycle_rules"), format!("the rule `{id}` {problem}")))
    });
    problems.collect()
}

fn problems(rule: &Value) -> Vec<&'static str> {
    let known = |name: &str| is_set(rule.get(name)) && rule.get(name) != Some(&Value::Unknown);
    let any = |names: &[&str]| names.iter().any(|name| is_set(rule.get(name)));
    let mut problems = Vec::new();
    let actions = [
        "expiration_in_days",
        "expiration_date",
        "noncurrent_version_expiration_in_days",
        "abort_incomplete_multipart_upload_days",
        "expired_object_delete_marker",
        "transitions",
        "noncurrent_version_transitions",
    ];
    if known("newer_noncurrent_versions") && !any(&["noncurrent_version_expiration_in_days"]) {
        problems.push("has `newer_noncurrent_versions`, which S3 keeps only together with `noncurrent_version_expiration_in_days`");
    } else if !any(&actions) {
        problems.push("does nothing: write what happens to objects, such as `expiration_in_days`");
    }
    let ends = ["expiration_in_days", "expiration_date", "expired_object_delete_marker"];
    if ends.iter().filter(|name| known(name)).count() > 1 {
        problems
            .push("has more than one of `expiration_in_days`, `expiration_date` and `expired_object_delete_marker`: make a rule for each");
    }
    if known("abort_incomplete_multipart_upload_days")
        && ["tags", "object_size_greater_than", "object_size_less_than"].iter().any(|name| known(name))
    {
        problems.push("drops unfinished uploads, which have neither tags nor a size: make a rule without these for it");
    }
    if known("expired_object_delete_marker") && known("tags") {
        problems.push("removes delete markers, which have no tags: make a rule without `tags` for it");
    }
    let transitions = rule.get("transitions").and_then(Value::as_list).unwrap_or_default();
    let moved = |one: &Value| ["days", "date"].iter().filter(|name| is_set(one.get(name))).count();
    if transitions.iter().any(|one| one.as_map().is_some() && moved(one) != 1) {
        problems.push("has one of `transitions` with neither or both of `days` and `date`");
    }
    // S3 User Guide, "Constraints and considerations for transitions".
    let infrequent = |one: &Value| matches!(one.get("storage_class").and_then(Value::as_str), Some("STANDARD_IA" | "ONEZONE_IA"));
    if transitions.iter().any(|one| infrequent(one) && matches!(one.get("days"), Some(Value::Int(..30)))) {
        problems.push("moves objects to `STANDARD_IA` or `ONEZONE_IA` before they are 30 days old, which S3 does not");
    }
    problems
}

/// Whether something is written, and is not what leaving it out means.
fn is_set(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::List(items)) => !items.is_empty(),
        Some(Value::Map(map)) => !map.is_empty(),
        Some(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn rule(json: &Json) -> LifecycleRule {
        let whole = json!({ "id": "r", "status": "Enabled", "prefix": "", "tags": {}, "expired_object_delete_marker": false, "transitions": [], "noncurrent_version_transitions": [] });
        let mut whole = whole.as_object().unwrap().clone();
        whole.extend(json.as_object().unwrap().clone());
        serde_json::from_value(Json::Object(whole)).unwrap()
    }

    #[test]
    fn what_is_sent_of_a_rule_is_what_is_read() {
        for json in [
            json!({ "expiration_date": "2030-01-01" }),
            json!({ "prefix": "logs/", "expiration_in_days": 3 }),
            json!({ "transitions": [{ "storage_class": "GLACIER", "days": 0 }, { "storage_class": "DEEP_ARCHIVE", "date": "2031-12-31" }] }),
            json!({ "noncurrent_version_transitions": [{ "storage_class": "GLACIER", "days": 1, "newer_noncurrent_versions": 5 }] }),
            json!({ "tags": { "a": "b" }, "prefix": "x", "object_size_less_than": 9, "expiration_in_days": 3 }),
        ] {
            let rule = rule(&json);
            assert_eq!(LifecycleRule::from_api(&rule.to_api().unwrap()), rule);
        }
    }

    #[test]
    fn one_condition_of_a_filter_stands_alone() {
        let filter = |json: &Json| rule(json).filter().unwrap();
        let tag = filter(&json!({ "tags": { "a": "b" } }));
        assert!(tag.and().is_none() && tag.prefix().is_none() && tag.tag().is_some());
        let size = filter(&json!({ "object_size_greater_than": 5 }));
        assert!(size.and().is_none() && size.prefix().is_none() && size.object_size_greater_than() == Some(5));
        let none = filter(&json!({}));
        assert_eq!((none.and().is_some(), none.prefix()), (false, Some("")));
        let two = filter(&json!({ "tags": { "a": "b" }, "prefix": "p" }));
        assert_eq!((two.prefix(), two.and().and_then(|and| and.prefix())), (None, Some("p")));
    }

    #[test]
    #[expect(deprecated, reason = "S3 returns what was put so")]
    fn a_prefix_of_the_first_form_is_read() {
        let old = api::LifecycleRule::builder().id("r").prefix("logs/").status(api::ExpirationStatus::Enabled).build().unwrap();
        assert_eq!(LifecycleRule::from_api(&old).prefix, "logs/");
    }

    #[test]
    fn what_s3_refuses_or_drops_of_a_rule_is_refused() {
        let said = |json: Json| check(Some(&Value::from(json!([json])))).len();
        assert_eq!(said(json!({ "id": "r" })), 1);
        assert_eq!(said(json!({ "id": "r", "newer_noncurrent_versions": 3 })), 1);
        assert_eq!(said(json!({ "id": "r", "newer_noncurrent_versions": 3, "noncurrent_version_expiration_in_days": 1 })), 0);
        assert_eq!(said(json!({ "id": "r", "expiration_in_days": 1, "expiration_date": "2030-01-01" })), 1);
        assert_eq!(said(json!({ "id": "r", "expiration_in_days": 1, "expired_object_delete_marker": true })), 1);
        assert_eq!(said(json!({ "id": "r", "abort_incomplete_multipart_upload_days": 1, "tags": { "a": "b" } })), 1);
        assert_eq!(said(json!({ "id": "r", "abort_incomplete_multipart_upload_days": 1, "object_size_less_than": 5 })), 1);
        assert_eq!(said(json!({ "id": "r", "expired_object_delete_marker": true, "tags": { "a": "b" } })), 1);
        assert_eq!(said(json!({ "id": "r", "transitions": [{ "storage_class": "GLACIER" }] })), 1);
        assert_eq!(said(json!({ "id": "r", "prefix": "p", "tags": {}, "transitions": [{ "storage_class": "GLACIER", "days": 1 }] })), 0);
    }
}
