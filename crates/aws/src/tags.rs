//! Tags: what changed between two sets of them, and what of AWS's own is not ours to see.

use super::resource::Tags;
use leoctl_core::plan::desired::{ADDRESS_TAG, STACK_TAG};

/// What makes one set of tags into another.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct TagChange {
    /// Tags to set.
    pub set: Tags,
    /// Keys to remove.
    pub remove: Vec<String>,
}

impl TagChange {
    /// The change from one set to another.
    pub fn between(from: &Tags, to: &Tags) -> Self {
        Self {
            set: to.iter().filter(|(key, value)| from.get(*key) != Some(*value)).map(|(k, v)| (k.clone(), v.clone())).collect(),
            remove: from.keys().filter(|key| !to.contains_key(*key)).cloned().collect(),
        }
    }
}

/// Whether what has the first tags is what is to have the second: of the same stack and address.
pub fn same_owner(found: &Tags, wanted: &Tags) -> bool {
    [STACK_TAG, ADDRESS_TAG].iter().all(|key| found.get(*key).is_some_and(|value| wanted.get(*key) == Some(value)))
}

/// Whether what has the first tags belongs to the stack of what is to have the second.
pub fn same_stack(found: &Tags, wanted: &Tags) -> bool {
    found.get(STACK_TAG).is_some_and(|stack| wanted.get(STACK_TAG) == Some(stack))
}

/// The tags AWS returned, without those it sets itself (the reserved prefix `aws:`).
pub fn collect<K: AsRef<str>, V: AsRef<str>>(tags: impl IntoIterator<Item = (K, V)>) -> Tags {
    let ours = tags.into_iter().filter(|(key, _)| !key.as_ref().starts_with("aws:"));
    ours.map(|(key, value)| (key.as_ref().to_owned(), value.as_ref().to_owned())).collect()
}
