//! A plan folded: what is alike is shown once with what differs, and a creation says in a few lines what the stack file says
//! of it. Changes of what exists are always shown whole.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::ui::terminal::{cell, plain};
use crate::ui::unknown::Waits;
use crate::ui::value::{self, MASK};
use leoctl_core::model::module::ModulePath;
use leoctl_core::model::value::Value;
use leoctl_core::plan::diff::AttributeChange;
use leoctl_core::plan::types::{Action, Change};

/// Longest value that is shown whole, where it does not say who may do what.
const LONGEST: usize = 76;

/// Changes that are shown as one: of one block, in one or several instances of a module.
pub type Group<'a> = Vec<&'a Change>;

/// What changes have in common that are shown as one.
#[derive(PartialEq, Eq, Hash)]
struct Kind<'a> {
    modules: Vec<&'a str>,
    block: (&'a str, &'a str),
    account: &'a str,
    region: &'a str,
    reason: Option<&'a str>,
    /// Of what stands by itself: its address.
    alone: Option<String>,
}

/// The changes, with those that are alike together, in the order of the first of each.
pub fn groups<'a>(changes: &[&'a Change]) -> Vec<Group<'a>> {
    let mut groups: IndexMap<Kind<'a>, Group<'a>> = IndexMap::new();
    for change in changes {
        groups.entry(kind(change)).or_default().push(change);
    }
    groups.into_values().collect()
}

fn kind(change: &Change) -> Kind<'_> {
    let block = &change.address.block;
    let together = change.deposed.is_empty() && change.action == Action::Create;
    Kind {
        modules: block.module.iter().map(|used| used.name.as_str()).collect(),
        block: (&block.type_name, &block.name),
        account: &change.account,
        region: &change.region,
        reason: change.reason.as_deref(),
        alone: (!together).then(|| change.address.to_string()),
    }
}

/// The names of several: the first whole, of the others what differs.
pub fn names(group: &Group<'_>) -> String {
    let modules: BTreeSet<&ModulePath> = group.iter().map(|change| &change.address.block.module).collect();
    let keyed: BTreeSet<&Option<String>> = group.iter().map(|change| &change.address.key).collect();
    if modules.len() > 1 && keyed.len() > 1 {
        // Which key is of which module has to be said.
        return group.iter().map(|change| change.address.to_string()).collect::<Vec<_>>().join(", ");
    }
    let mut keys = group.iter().map(|change| change.address.in_module());
    let first = keys.next().map(|address| address.to_string()).unwrap_or_default();
    let mut others: Vec<String> = Vec::new();
    for address in keys {
        let key = address.key.map(|key| format!("[{}]", Json::from(key)));
        others.extend(key.filter(|key| !others.contains(key) && !first.ends_with(key.as_str())));
    }
    listed(first, &others)
}

/// The names of modules: the first whole, of other uses of the same their keys.
pub fn modules(modules: &BTreeSet<&ModulePath>) -> String {
    let mut paths = modules.iter();
    let Some(first) = paths.next() else { return String::new() };
    let others = paths.map(|path| match (path.used() == first.used(), path.last_key()) {
        (true, Some(key)) => format!("[{}]", Json::from(key)),
        _ => path.to_string(),
    });
    listed(first.to_string(), &others.collect::<Vec<_>>())
}

fn listed(first: String, others: &[String]) -> String {
    std::iter::once(first).chain(others.iter().cloned()).collect::<Vec<_>>().join(", ")
}

/// The tags that everything that is created has, of what takes tags.
pub fn common_tags(changes: &[&Change]) -> BTreeMap<String, Value> {
    let tags = |change: &&Change| match change.after.get("tags") {
        Some(Value::Map(tags)) if change.action == Action::Create && !tags.is_empty() => Some(tags.clone()),
        _ => None,
    };
    let mut all = changes.iter().filter_map(tags);
    let (Some(mut common), Some(second)) = (all.next(), all.next()) else { return BTreeMap::new() };
    for tags in std::iter::once(second).chain(all) {
        common.retain(|key, value| tags.get(key) == Some(value));
    }
    common.into_iter().filter(|(key, value)| !key.starts_with("leoctl:") && !value.has_unknown() && !value.has_secret()).collect()
}

/// What the stack file says of creations that are alike, in lines of at most this width.
pub fn created(group: &Group<'_>, common: &BTreeMap<String, Value>, width: usize) -> Vec<String> {
    let said: Vec<IndexMap<String, String>> = group.iter().map(|change| said(change, common)).collect();
    let names: IndexMap<&String, ()> = said.iter().flat_map(|one| one.keys()).map(|name| (name, ())).collect();
    let items = names.keys().map(|name| {
        let values: Vec<&str> = said.iter().map(|one| one.get(*name).map_or("null", String::as_str)).collect();
        match values.as_slice() {
            [first, others @ ..] if others.iter().any(|other| other != first) => format!("{name} = {}", several(&values)),
            values => {
                let value = values.first().copied().unwrap_or_default();
                format!("{name} = {}", if says_who_may(name) { value.to_owned() } else { cut(value, LONGEST) })
            }
        }
    });
    flow(items, width)
}

/// Values in the order of what they are of, whole: what differs is what a person has to see.
fn several(values: &[&str]) -> String {
    values.join(" | ")
}

/// Whether an attribute says who may do what: then its end matters as much as its beginning.
fn says_who_may(name: &str) -> bool {
    ["polic", "ingress", "egress", "principal", "trust"].iter().any(|word| name.contains(word))
}

/// What the stack file says of a creation, by attribute.
fn said(change: &Change, common: &BTreeMap<String, Value>) -> IndexMap<String, String> {
    let written = |attribute: &&AttributeChange| change.authored.iter().any(|path| path.root() == attribute.path.root());
    let shown = |attribute: &AttributeChange| {
        let after = match attribute.after.as_ref()? {
            Value::Map(tags) if attribute.path.root() == Some("tags") => {
                let own = tags.iter().filter(|(key, value)| !key.starts_with("leoctl:") && common.get(*key) != Some(value));
                Value::Map(own.map(|(key, value)| (key.clone(), value.clone())).collect())
            }
            after => after.clone(),
        };
        // What is left of tags is nobody's; anything else that is empty was written so.
        if value::is_empty(&after) && attribute.path.root() == Some("tags") {
            return None;
        }
        let waits = Waits::of(change, &attribute.path);
        let text = if attribute.sensitive { MASK.to_owned() } else { value::inline_with(&after, &waits) };
        Some((attribute.path.to_string(), plain(&cell(&text))))
    };
    change.attributes.iter().filter(written).filter_map(shown).collect()
}

/// A text of at most this many characters.
fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((at, _)) => format!("{}… ({} more characters)", text.get(..at).unwrap_or_default(), text.chars().count() - longest),
        None => text.to_owned(),
    }
}

/// Items one after the other, as many in a line as fit.
fn flow(items: impl Iterator<Item = String>, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for item in items {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 2 + item.chars().count() <= width => {
                line.push_str(", ");
                line.push_str(&item);
            }
            _ => lines.push(item),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_share_lines_as_far_as_they_fit() {
        let items = ["a = 1", "b = 2", "c = \"long\"", "d = 4"].map(str::to_owned);
        assert_eq!(flow(items.into_iter(), 14), ["a = 1, b = 2", "c = \"long\"", "d = 4"]);
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        assert_eq!(cut("ééé", 2), "éé… (1 more characters)");
        assert_eq!(cut("éé", 2), "éé");
    }

    #[test]
    fn of_many_that_are_alike_every_one_is_named_with_its_value() {
        let others: Vec<String> = (1..8).map(|number| format!("[{number}]")).collect();
        assert_eq!(listed("s.a[0]".to_owned(), &others), "s.a[0], [1], [2], [3], [4], [5], [6], [7]");
        assert_eq!(several(&["1", "1", "1", "1", "0.0.0.0/0"]), "1 | 1 | 1 | 1 | 0.0.0.0/0");
        assert!(says_who_may("assume_role_policy") && says_who_may("ingress") && !says_who_may("container_definitions"));
    }
}
