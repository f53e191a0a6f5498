//! Changes of answers.

use regex::Regex;
use serde_json::{Map, Value};

use super::path;
use super::rule::{Case, Edit};
use super::wire::text;

/// Changes what is at the edit's path; `turn` is another number at each call.
pub fn apply(edit: &Edit, root: &mut Value, turn: usize) {
    let (parent, last) = edit.at.rsplit_once('.').unwrap_or(("", &edit.at));
    let (name, elements) = path::parts(last).next().unwrap_or(("", false));
    for parent in path::values_mut(root, parent) {
        let Some(members) = parent.as_object_mut() else { continue };
        match members.get_mut(name) {
            Some(Value::Array(list)) if elements => list.iter_mut().for_each(|value| value_of(edit, value)),
            Some(value) if !value.is_null() => {
                if edit.remove {
                    members.shift_remove(name);
                } else {
                    in_place(edit, value, turn);
                }
            }
            _ => put(edit, members, name),
        }
    }
}

/// Makes what is not there.
fn put(edit: &Edit, members: &mut Map<String, Value>, name: &str) {
    let new = edit.set.as_ref().or(edit.default.as_ref()).cloned();
    let new = new.or_else(|| edit.append.clone().map(|one| Value::Array(vec![one])));
    members.extend(new.map(|new| (name.to_owned(), new)));
}

fn in_place(edit: &Edit, value: &mut Value, turn: usize) {
    let Value::Array(list) = value else { return value_of(edit, value) };
    if let Some(by) = &edit.sort {
        list.sort_by_key(|element| path::values(element, by).into_iter().next().map(text));
    }
    if edit.shuffle && list.len() > 1 {
        // The first call sees it turned round, so that what has two elements is in another order at once.
        list.reverse();
        let by = turn % list.len();
        list.rotate_left(by);
    }
    list.extend(edit.append.clone());
    if let Some(set) = &edit.set {
        *value = set.clone();
    }
}

fn value_of(edit: &Edit, value: &mut Value) {
    if let Some(set) = &edit.set {
        *value = set.clone();
        return;
    }
    let mut written = text(value);
    if let Some(mapped) = edit.map.get(&written) {
        written.clone_from(mapped);
    }
    written = match edit.case {
        Some(Case::Lower) => written.to_lowercase(),
        Some(Case::Upper) => written.to_uppercase(),
        None => written,
    };
    if let Some(replace) = &edit.replace {
        let pattern = Regex::new(&replace.pattern).unwrap();
        written = pattern.replace_all(&written, replace.with.as_str()).into_owned();
    }
    if !value.is_array() && !value.is_object() && written != text(value) {
        *value = Value::String(written);
    }
}
