//! Where secrets stand in a resource, so that values read back from AWS are hidden at the same places.

use super::canonical::element_name;
use super::path::{Path, Segment};
use super::schema::{Attribute, Order, Type};
use super::value::Value;

/// The paths of every secret in `value`. Elements of keyed lists go by key, so that the paths hold for
/// another value of the same resource; a secret inside any other list makes the whole list secret.
pub fn secret_paths(attributes: &[Attribute], value: &Value) -> Vec<Path> {
    let mut found = Vec::new();
    collect(&Type::Object(attributes.to_vec()), value, &Path::default(), &mut found);
    found
}

fn collect(ty: &Type, value: &Value, path: &Path, found: &mut Vec<Path>) {
    match (ty, value) {
        (_, Value::Secret(_)) => found.push(path.clone()),
        (Type::Object(attributes), Value::Map(map)) => {
            for attribute in attributes {
                if let Some(value) = map.get(&attribute.name) {
                    collect(&attribute.ty, value, &path.join(Segment::Field(attribute.name.clone())), found);
                }
            }
        }
        (Type::Map { item, .. }, Value::Map(map)) => {
            for (key, value) in map {
                collect(item, value, &path.join(Segment::Field(key.clone())), found);
            }
        }
        (Type::List { item, order: order @ Order::Keyed(_) }, Value::List(items)) => {
            for value in items {
                collect(item, value, &path.join(Segment::Element(element_name(order, value))), found);
            }
        }
        (_, other) if other.has_secret() => found.push(path.clone()),
        _ => {}
    }
}

/// `value` with everything at `paths` made secret.
pub fn conceal(attributes: &[Attribute], value: &Value, paths: &[Path]) -> Value {
    if paths.is_empty() {
        return value.clone();
    }
    hide(&Type::Object(attributes.to_vec()), value, &Path::default(), paths)
}

fn hide(ty: &Type, value: &Value, path: &Path, paths: &[Path]) -> Value {
    if paths.contains(path) {
        return value.clone().into_secret();
    }
    match (ty, value) {
        (Type::Object(attributes), Value::Map(map)) => Value::Map(
            map.iter()
                .map(|(key, value)| {
                    let path = path.join(Segment::Field(key.clone()));
                    let ty = attributes.iter().find(|attribute| attribute.name == *key).map(|attribute| &attribute.ty);
                    (key.clone(), ty.map_or_else(|| value.clone(), |ty| hide(ty, value, &path, paths)))
                })
                .collect(),
        ),
        (Type::Map { item, .. }, Value::Map(map)) => Value::Map(
            map.iter().map(|(key, value)| (key.clone(), hide(item, value, &path.join(Segment::Field(key.clone())), paths))).collect(),
        ),
        (Type::List { item, order: order @ Order::Keyed(_) }, Value::List(items)) => Value::List(
            items.iter().map(|value| hide(item, value, &path.join(Segment::Element(element_name(order, value))), paths)).collect(),
        ),
        (_, other) => other.clone(),
    }
}
