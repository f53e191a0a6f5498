//! Whether a canonical value is of the kind that its schema says, in words for people.

use super::path::{Path, Segment};
use super::schema::{Attribute, DocumentKind, Type};
use super::value::Value;

/// What a type holds, in words: `a list`.
pub fn described(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "a boolean",
        Type::Int { .. } => "an integer",
        Type::Float => "a number",
        Type::String(_) => "a string",
        Type::List { .. } => "a list",
        Type::Map { .. } | Type::Object(_) => "a table",
        Type::Document(_) => "a table or JSON text",
    }
}

/// The first place at which a canonical value is of another kind than the schema says, and what is wrong there. Nothing
/// of the value is repeated.
pub fn misfit(attributes: &[Attribute], value: &Value) -> Option<(Path, String)> {
    object(attributes, value, &Path::default())
}

/// The first place at which a value lacks what it has to have: an expression has yielded null there.
pub fn lacking(attributes: &[Attribute], value: &Value) -> Option<Path> {
    without(attributes, value, &Path::default(), true)
}

/// The first null in a policy, which AWS refuses with words that say nothing of it.
pub fn null_in_policy(attributes: &[Attribute], value: &Value) -> Option<Path> {
    without(attributes, value, &Path::default(), false)
}

/// The first null in a policy, and of what is required as well where that is asked for.
fn without(attributes: &[Attribute], value: &Value, path: &Path, required: bool) -> Option<Path> {
    let map = value.revealed().as_map()?;
    attributes.iter().filter(|attribute| !attribute.computed).find_map(|attribute| {
        let path = path.join(Segment::field(&attribute.name));
        match map.get(&attribute.name).filter(|value| !value.is_null()) {
            None => (required && attribute.required).then_some(path),
            Some(value) => without_in(&attribute.ty, value, &path, required),
        }
    })
}

fn without_in(ty: &Type, value: &Value, path: &Path, required: bool) -> Option<Path> {
    match (ty, value.revealed()) {
        (Type::Object(attributes), Value::Map(_)) => without(attributes, value, path, required),
        (Type::List { item, .. }, Value::List(items)) => {
            items.iter().enumerate().find_map(|(index, value)| without_in(item, value, &path.join(Segment::Index(index)), required))
        }
        (Type::Map { item, .. }, Value::Map(map)) => {
            map.iter().find_map(|(key, value)| without_in(item, value, &path.join(Segment::field(key)), required))
        }
        // The grammar of policies has no null (IAM User Guide, "Grammar of the IAM JSON policy language").
        (Type::Document(DocumentKind::Policy), Value::String(text)) => {
            let parsed = serde_json::from_str::<serde_json::Value>(text).ok()?;
            null_in(&Value::from(&parsed), path)
        }
        (Type::Document(DocumentKind::Policy), document) => null_in(document, path),
        _ => None,
    }
}

/// The first null inside of a value.
fn null_in(value: &Value, path: &Path) -> Option<Path> {
    match value.revealed() {
        Value::Null => Some(path.clone()),
        Value::List(items) => items.iter().enumerate().find_map(|(index, item)| null_in(item, &path.join(Segment::Index(index)))),
        Value::Map(map) => map.iter().find_map(|(key, item)| null_in(item, &path.join(Segment::field(key)))),
        _ => None,
    }
}

fn object(attributes: &[Attribute], value: &Value, path: &Path) -> Option<(Path, String)> {
    let map = value.as_map()?;
    attributes.iter().find_map(|attribute| {
        let value = map.get(&attribute.name)?;
        inside(&attribute.ty, value, &path.join(Segment::field(&attribute.name)))
    })
}

fn inside(ty: &Type, value: &Value, path: &Path) -> Option<(Path, String)> {
    match (ty, value.revealed()) {
        (_, Value::Null | Value::Unknown)
        | (Type::Bool, Value::Bool(_))
        | (Type::Int { .. }, Value::Int(_))
        | (Type::Float, Value::Int(_) | Value::Float(_))
        | (Type::String(_), Value::String(_))
        | (Type::Document(_), Value::String(_) | Value::Map(_) | Value::List(_)) => None,
        (Type::List { item, .. }, Value::List(items)) => {
            let element = |(index, value)| inside(item, value, &path.join(Segment::Index(index)));
            items.iter().enumerate().find_map(element)
        }
        (Type::Map { item, .. }, Value::Map(map)) => {
            map.iter().find_map(|(key, value)| inside(item, value, &path.join(Segment::field(key))))
        }
        (Type::Object(attributes), Value::Map(_)) => object(attributes, value, path),
        (ty, other) => Some((path.clone(), format!("`{path}` is {}, not {}", described(ty), other.kind()))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_policy_lacks_what_is_null_in_it_and_other_json_does_not() {
        let of = |kind| vec![Attribute::plain("policy", "", Type::Document(kind))];
        let policy = json!({ "Statement": [{ "Effect": "Allow", "Resource": null }] });
        for written in [policy.clone(), json!(policy.to_string())] {
            let value = Value::from(&json!({ "policy": written }));
            let path = lacking(&of(DocumentKind::Policy), &value).map(|path| path.to_string());
            assert_eq!(path.as_deref(), Some("policy.Statement[0].Resource"));
            assert_eq!(lacking(&of(DocumentKind::Json), &value), None);
        }
    }
}
