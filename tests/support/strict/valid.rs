//! Whether members are what the model allows: there, of their type, of their length, of their pattern, one of the known.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock};

use regex::Regex;
use serde_json::Value;

use super::models::Shape;
use super::wire::Problems;

/// Says what is wrong with a value of this shape.
pub fn check(shape: Shape, value: &Value, path: &str, problems: &mut Problems) {
    match (shape.kind(), value) {
        _ if shape.is_document() => {}
        ("structure", Value::Object(members)) => {
            shape
                .required()
                .filter(|name| !members.contains_key(*name))
                .for_each(|name| problems.say(&format!("{path}.{name}"), "is missing"));
            for (name, value) in members {
                // Members that the model does not know were said where they were read.
                if let Some(member) = shape.member(name) {
                    check(member, value, &format!("{path}.{name}"), problems);
                }
            }
        }
        ("list", Value::Array(elements)) => {
            length(shape, elements.len(), path, problems);
            let Some(element) = shape.element() else { return };
            elements.iter().enumerate().for_each(|(index, value)| check(element, value, &format!("{path}[{index}]"), problems));
        }
        ("map", Value::Object(entries)) => {
            length(shape, entries.len(), path, problems);
            for (key, value) in entries {
                let path = format!("{path}.{key}");
                if let (Some(of_key), Some(of_value)) = (shape.key(), shape.value()) {
                    check(of_key, &Value::String(key.clone()), &path, problems);
                    check(of_value, value, &path, problems);
                }
            }
        }
        ("string", Value::String(text)) => string(shape, text, path, problems),
        ("boolean", Value::Bool(_)) | ("blob", Value::String(_)) | ("timestamp", Value::String(_) | Value::Number(_)) => {}
        ("integer" | "long" | "float" | "double", Value::Number(number)) => {
            let number = number.as_f64().unwrap_or_default();
            let limit = |name| shape.trait_of(name).and_then(Value::as_f64);
            if limit("min").is_some_and(|min| number < min) || limit("max").is_some_and(|max| number > max) {
                problems.say(path, &format!("is {number}, out of {:?} to {:?}", limit("min"), limit("max")));
            }
        }
        // What could not be read was said where it was read.
        (_, Value::Null) => {}
        (kind, value) => problems.say(path, &format!("is {value} and no {kind}")),
    }
}

fn string(shape: Shape, text: &str, path: &str, problems: &mut Problems) {
    length(shape, text.chars().count(), path, problems);
    let known = shape.trait_of("enum").and_then(Value::as_array);
    if known.is_some_and(|known| !known.iter().any(|one| one == text)) {
        problems.say(path, &format!("is {text:?}, none of the model's values"));
    }
    if let Some(pattern) = shape.text("pattern")
        && matches(pattern, text) == Some(false)
    {
        problems.say(path, &format!("is {text:?} and not of the pattern {pattern}"));
    }
}

fn length(shape: Shape, length: usize, path: &str, problems: &mut Problems) {
    let limit = |name| shape.trait_of(name).and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok());
    if limit("min").is_some_and(|min| length < min) || limit("max").is_some_and(|max| length > max) {
        problems.say(path, &format!("has the length {length}, out of {:?} to {:?}", limit("min"), limit("max")));
    }
}

/// Whether a text is all of a pattern; nothing for a pattern that this library has no words for.
fn matches(pattern: &str, text: &str) -> Option<bool> {
    static KNOWN: OnceLock<Mutex<BTreeMap<String, Option<Regex>>>> = OnceLock::new();
    let mut known = KNOWN.get_or_init(Mutex::default).lock().unwrap();
    let compiled = known.entry(pattern.to_owned()).or_insert_with(|| compiled(pattern));
    Some(compiled.as_ref()?.is_match(text))
}

/// A pattern, which the services match with the whole text; nothing when it is Java's own.
pub fn compiled(pattern: &str) -> Option<Regex> {
    // Java writes the characters beyond 16 bits as the two halves they have in UTF-16.
    let pattern = pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\u{10000}-\u{10FFFF}");
    Regex::new(&format!("^(?:{pattern})$")).ok()
}
