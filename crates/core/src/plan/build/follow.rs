//! What AWS computes from an attribute that changes is not known until the change is made.

use crate::model::canonical::counterpart;
use crate::model::path::Path;
use crate::model::schema::{Attribute, Type, Unset};
use crate::model::value::Value;
use crate::plan::diff::AttributeChange;

/// `after` with every attribute unknown that AWS sets and that follows one of the `changes`. What the stack file
/// sets itself (`desired`) stays.
pub fn unsettled(attributes: &[Attribute], after: &Value, desired: &Value, changes: &[AttributeChange]) -> Value {
    let paths: Vec<&Path> = changes.iter().map(|change| &change.path).collect();
    if paths.is_empty() { after.clone() } else { object(attributes, after, Some(desired), &[], &paths) }
}

/// `place` is what leads to `value`: fields by name, and none for an element of a list, of which one is not told from
/// another, so that what one of them changes is unknown in all.
fn object(attributes: &[Attribute], value: &Value, desired: Option<&Value>, place: &[Option<&str>], changes: &[&Path]) -> Value {
    let Value::Map(map) = value else { return value.clone() };
    let mut map = map.clone();
    for attribute in attributes {
        let written = desired.and_then(|desired| desired.get(&attribute.name));
        let from_aws = attribute.computed || attribute.unset == Unset::Server && written.is_none();
        if from_aws && attribute.follows.iter().any(|name| changes.iter().any(|path| touches(path, place, name))) {
            map.insert(attribute.name.clone(), Value::Unknown);
        } else if let Some(value) = map.get_mut(&attribute.name) {
            let place: Vec<Option<&str>> = place.iter().copied().chain([Some(attribute.name.as_str())]).collect();
            *value = inside(&attribute.ty, value, written, &place, changes);
        }
    }
    Value::Map(map)
}

fn inside(ty: &Type, value: &Value, desired: Option<&Value>, place: &[Option<&str>], changes: &[&Path]) -> Value {
    match (ty, value) {
        (Type::Object(attributes), Value::Map(_)) => object(attributes, value, desired, place, changes),
        (Type::List { item, order }, Value::List(items)) => {
            let written = desired.and_then(Value::as_list).unwrap_or_default();
            let place: Vec<Option<&str>> = place.iter().copied().chain([None]).collect();
            let element = |(index, one)| inside(item, one, counterpart(order, index, one, written), &place, changes);
            Value::List(items.iter().enumerate().map(element).collect())
        }
        _ => value.clone(),
    }
}

/// Whether a change at `path` is one of `name` beside the fields of `place`, or of something around it.
fn touches(path: &Path, place: &[Option<&str>], name: &str) -> bool {
    let wanted = place.iter().copied().chain([Some(name)]);
    path.0.iter().zip(wanted).all(|(changed, wanted)| wanted.is_none() || changed.name() == wanted)
}
