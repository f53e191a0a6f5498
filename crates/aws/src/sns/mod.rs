//! Simple Notification Service: topics and their subscriptions.

pub mod topic;
pub mod topic_subscription;

use std::collections::BTreeMap;

use super::document::Document;
use leoctl_core::engine::ports::Outcome;

/// Attributes as SNS has them: every value is text.
type Attributes = BTreeMap<String, String>;

/// What has to be set to make one set of attributes into another.
fn changed(from: &Attributes, to: &Attributes) -> Vec<(String, String)> {
    let set = to.iter().filter(|(name, value)| from.get(*name).map(String::as_str).unwrap_or_default() != value.as_str());
    let set = set.map(|(name, value)| (name.clone(), value.clone()));
    let gone = from.iter().filter(|(name, value)| !to.contains_key(*name) && !value.is_empty());
    set.chain(gone.map(|(name, _)| (name.clone(), String::new()))).collect()
}

/// An attribute that is a document; none where it is empty.
fn document(text: Option<&String>) -> Outcome<Option<Document>> {
    text.filter(|text| !matches!(text.trim(), "" | "{}" | "null")).map(|text| Document::parse(text)).transpose()
}

/// An attribute that is text; none where it is empty.
fn text(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}
