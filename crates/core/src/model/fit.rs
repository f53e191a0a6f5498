//! Whether a canonical value is of the kind that its schema says, in words for people.

use super::path::{Path, Segment};
use super::schema::{Attribute, Type};
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
