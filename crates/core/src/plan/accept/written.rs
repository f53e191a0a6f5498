//! How a live value is written in a stack file.

use toml_edit::{Array, InlineTable, Value as Toml};

use super::place::within;
use crate::model::path::{Path, Segment};
use crate::model::schema::{Attribute, Type, Unset};
use crate::model::state::is_digest;
use crate::model::value::Value;
use crate::plan::desired::{ADDRESS_TAG, STACK_TAG};

/// Whether a value is secret, or has something secret in it. A hash stands for a secret.
pub(super) fn is_secret(value: &Value) -> bool {
    value.has_secret() || !value.paths_where(&|part| part.as_str().is_some_and(is_digest)).is_empty()
}

/// Whether a path is that of a tag by which leoctl knows what is its own.
pub(super) fn is_ownership(path: &Path) -> bool {
    let name = path.0.get(1).and_then(Segment::name);
    path.root() == Some("tags") && name.is_some_and(|name| [STACK_TAG, ADDRESS_TAG].contains(&name))
}

/// What there is to write of the value at a path: nothing that AWS computes, and nothing that is so anyway.
pub(super) fn of(attributes: &[Attribute], path: &Path, value: &Value) -> Option<Value> {
    let ty = path.0.iter().fold(Type::Object(attributes.to_vec()), |ty, segment| within(&ty, segment));
    let value = pruned(&ty, value);
    toml(&value).map(|_| value)
}

fn pruned(ty: &Type, value: &Value) -> Value {
    match (ty, value) {
        (Type::Object(attributes), Value::Map(map)) => {
            let kept = attributes.iter().filter(|attribute| !attribute.computed).filter_map(|attribute| {
                let value = map.get(&attribute.name).filter(|value| !value.is_null())?;
                let is_default = matches!(&attribute.unset, Unset::Default(default) if default == value);
                (!is_default).then(|| (attribute.name.clone(), pruned(&attribute.ty, value)))
            });
            Value::Map(kept.collect())
        }
        (Type::List { item, .. }, Value::List(items)) => Value::List(items.iter().map(|value| pruned(item, value)).collect()),
        (Type::Map { item, .. }, Value::Map(map)) => {
            Value::Map(map.iter().map(|(key, value)| (key.clone(), pruned(item, value))).collect())
        }
        _ => value.clone(),
    }
}

/// A value as TOML; none for what cannot be written.
pub(super) fn toml(value: &Value) -> Option<Toml> {
    Some(match value {
        Value::Bool(flag) => (*flag).into(),
        Value::Int(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::String(text) => escaped(text).into(),
        Value::List(items) => Toml::Array(items.iter().map(toml).collect::<Option<Array>>()?),
        Value::Map(map) => {
            let entries = map.iter().filter(|(_, value)| !value.is_null());
            let entries = entries.map(|(key, value)| Some((key.as_str(), toml(value)?)));
            Toml::InlineTable(entries.collect::<Option<Vec<_>>>()?.into_iter().collect::<InlineTable>())
        }
        Value::Null | Value::Unknown | Value::Secret(_) => return None,
    })
}

/// A text in which nothing is an expression.
fn escaped(text: &str) -> String {
    text.replace("${", "$${")
}

/// What a text of a file means; none where it has an expression in it.
pub(super) fn plain(text: &str) -> Option<String> {
    let mut plain = String::new();
    let mut pieces = text.split("${");
    plain.push_str(pieces.next()?);
    for piece in pieces {
        if plain.pop()? != '$' {
            return None;
        }
        plain.push_str("${");
        plain.push_str(piece);
    }
    Some(plain)
}

/// A value of a file; none where it has an expression in it.
pub(super) fn read(toml: &Toml) -> Option<Value> {
    Some(match toml {
        Toml::Boolean(flag) => Value::Bool(*flag.value()),
        Toml::Integer(number) => Value::Int(*number.value()),
        Toml::Float(number) => Value::Float(*number.value()),
        Toml::String(text) => Value::String(plain(text.value())?),
        Toml::Datetime(_) => return None,
        Toml::Array(items) => Value::List(items.iter().map(read).collect::<Option<_>>()?),
        Toml::InlineTable(table) => {
            Value::Map(table.iter().map(|(key, value)| Some((key.to_owned(), read(value)?))).collect::<Option<_>>()?)
        }
    })
}
