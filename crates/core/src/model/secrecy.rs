//! Where secrets stand in a resource, so that values read back from AWS are hidden at the same places, and how
//! one is known again of which only the hash is remembered.

use serde_json::Value as Json;

use super::canonical::{counterpart, element_name, has_digest, is_name_secret};
use super::path::{Path, Segment};
use super::schema::{Attribute, Order, Type};
use super::state::is_digest;
use super::value::Value;

/// The paths of every secret in `value` that the schema does not make one: those are hidden by canonical form.
/// Elements of keyed lists go by key, so that the paths hold for another value of the same resource; a secret
/// inside any other list makes the whole list secret, and so does a key that is one.
pub fn secret_paths(attributes: &[Attribute], value: &Value) -> Vec<Path> {
    let mut found = Vec::new();
    collect(&Type::Object(attributes.to_vec()), value, &Path::default(), &mut found);
    found
}

fn collect(ty: &Type, value: &Value, path: &Path, found: &mut Vec<Path>) {
    match (ty, value) {
        (_, Value::Secret(_)) => found.push(path.clone()),
        (Type::Object(attributes), Value::Map(map)) => {
            for attribute in attributes.iter().filter(|attribute| !attribute.sensitive) {
                if let Some(value) = map.get(&attribute.name) {
                    collect(&attribute.ty, value, &path.join(Segment::field(&attribute.name)), found);
                }
            }
        }
        (Type::Map { item, .. }, Value::Map(map)) => {
            for (key, value) in map {
                collect(item, value, &path.join(Segment::field(key)), found);
            }
        }
        (Type::List { item, order: order @ Order::Keyed(_) }, Value::List(items))
            if !items.iter().any(|item| is_name_secret(order, item)) =>
        {
            for value in items {
                collect(item, value, &path.join(Segment::element(element_name(order, value))), found);
            }
        }
        (Type::List { item, .. }, Value::List(items)) => {
            let mut inside = Vec::new();
            items.iter().for_each(|value| collect(item, value, path, &mut inside));
            if !inside.is_empty() {
                found.push(path.clone());
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
        (_, Value::Secret(_)) => value.clone(),
        (Type::Object(attributes), Value::Map(map)) => Value::Map(
            map.iter()
                .map(|(key, value)| {
                    let path = path.join(Segment::field(key));
                    let ty = attributes.iter().find(|attribute| attribute.name == *key).map(|attribute| &attribute.ty);
                    (key.clone(), ty.map_or_else(|| value.clone(), |ty| hide(ty, value, &path, paths)))
                })
                .collect(),
        ),
        (Type::Map { item, .. }, Value::Map(map)) => {
            Value::Map(map.iter().map(|(key, value)| (key.clone(), hide(item, value, &path.join(Segment::field(key)), paths))).collect())
        }
        (Type::List { item, order: order @ Order::Keyed(_) }, Value::List(items)) => Value::List(
            items.iter().map(|value| hide(item, value, &path.join(Segment::element(element_name(order, value))), paths)).collect(),
        ),
        (_, other) => other.clone(),
    }
}

/// `value` without hiding what `public` says in clear at the same place: it is no secret any more.
pub fn unhide(value: &Value, public: &Value) -> Value {
    match (value, public) {
        (Value::Secret(inner), public) if !public.has_secret() && **inner == *public => public.clone(),
        (Value::Map(map), Value::Map(others)) => {
            let one = |(key, value): (&String, &Value)| {
                let value = others.get(key).map_or_else(|| value.clone(), |other| unhide(value, other));
                (key.clone(), value)
            };
            Value::Map(map.iter().map(one).collect())
        }
        (Value::List(items), Value::List(others)) if items.len() == others.len() => {
            Value::List(items.iter().zip(others).map(|(item, other)| unhide(item, other)).collect())
        }
        (other, _) => other.clone(),
    }
}

/// Where hashes stand for secrets in what is remembered.
pub fn digest_paths(attributes: &[Attribute], remembered: &Value) -> Vec<Path> {
    secret_paths(attributes, &digests_hidden(remembered))
}

fn digests_hidden(value: &Value) -> Value {
    match value {
        Value::String(text) if is_digest(text) => value.clone().into_secret(),
        Value::List(items) => Value::List(items.iter().map(digests_hidden).collect()),
        Value::Map(map) => Value::Map(map.iter().map(|(key, item)| (key.clone(), digests_hidden(item))).collect()),
        other => other.clone(),
    }
}

/// What is remembered, with the desired value wherever the hash of just that is remembered: AWS does not return
/// every secret, and this is how one is known not to have changed.
pub fn recall(attributes: &[Attribute], remembered: &Value, desired: &Value, digest: &dyn Fn(&Value) -> Json) -> Value {
    recognise(&Type::Object(attributes.to_vec()), remembered, desired, digest)
}

fn recognise(ty: &Type, remembered: &Value, desired: &Value, digest: &dyn Fn(&Value) -> Json) -> Value {
    let inside = |ty: &Type, remembered: &Value, desired: Option<&Value>| match desired {
        Some(desired) => recognise(ty, remembered, desired, digest),
        None => remembered.clone(),
    };
    match (ty, remembered) {
        (_, Value::String(hash)) if digest(desired).as_str() == Some(hash) => desired.clone().into_secret(),
        (Type::Object(attributes), Value::Map(map)) => {
            let ty = |key: &str| attributes.iter().find(|attribute| attribute.name == key).map(|attribute| &attribute.ty);
            let known = |key: &String, value: &Value| ty(key).map_or_else(|| value.clone(), |ty| inside(ty, value, desired.get(key)));
            Value::Map(map.iter().map(|(key, value)| (key.clone(), known(key, value))).collect())
        }
        (Type::Map { item, .. }, Value::Map(map)) => {
            Value::Map(map.iter().map(|(key, value)| (key.clone(), inside(item, value, desired.get(key)))).collect())
        }
        (Type::List { item, order }, Value::List(items)) => {
            let others = desired.as_list().unwrap_or_default();
            let known = |(index, value): (usize, &Value)| match order {
                // A member of a set is the one whose secrets have the hashes that it has.
                Order::Set if !has_digest(value) => None,
                Order::Set => others.iter().map(|other| recognise(item, value, other, digest)).find(|one| !has_digest(one)),
                _ => counterpart(order, index, value, others).map(|other| recognise(item, value, other, digest)),
            };
            Value::List(items.iter().enumerate().map(|one| known(one).unwrap_or_else(|| one.1.clone())).collect())
        }
        (_, other) => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::canonical::{canonicalize, with_local};
    use crate::model::schema::TypeSchema;

    fn attributes() -> Vec<Attribute> {
        let step = json!({ "type": "object", "properties": {
            "name": { "type": "string" },
            "secret": { "type": "string", "x-sensitive": true, "x-local": true },
        } });
        let schema = json!({ "type": "object", "properties": { "steps": { "type": "array", "items": step } } });
        TypeSchema::compile("t", &schema).unwrap().attributes
    }

    fn digest(value: &Value) -> Json {
        crate::model::state::digest("salt", value)
    }

    fn value(json: Json) -> Value {
        canonicalize(&attributes(), &Value::from(json))
    }

    #[test]
    fn a_secret_that_aws_does_not_return_is_kept_as_a_hash_and_known_again() {
        let desired = value(json!({ "steps": [{ "name": "a" }, { "name": "b", "secret": "s3cret" }] }));
        let live = value(json!({ "steps": [{ "name": "a" }, { "name": "c" }] }));
        let saved = with_local(&attributes(), &live, &desired).to_public_json(&digest);
        assert_eq!(saved["steps"][1], json!({ "name": "c", "secret": digest(&Value::string("s3cret")) }));
        assert!(secret_paths(&attributes(), &desired).is_empty());

        let seen = |desired: &Value| {
            let known = recall(&attributes(), &Value::from(&saved), desired, &digest);
            with_local(&attributes(), &live, &known)
        };
        assert_eq!(seen(&desired), value(json!({ "steps": [{ "name": "a" }, { "name": "c", "secret": "s3cret" }] })));
        let rotated = value(json!({ "steps": [{ "name": "a" }, { "name": "b", "secret": "another" }] }));
        assert_ne!(seen(&rotated).get("steps").and_then(Value::as_list).unwrap()[1].get("secret"), Some(&Value::string("another")));
    }

    #[test]
    fn it_is_known_again_where_the_whole_list_is_a_hash() {
        let name = Value::string("b").into_secret();
        let step = Value::Map([("name".to_owned(), name), ("secret".to_owned(), Value::string("s3cret").into_secret())].into());
        let desired = Value::Map([("steps".to_owned(), Value::List(vec![step]))].into());
        let paths = secret_paths(&attributes(), &desired);
        assert_eq!(paths, [Path::attribute("steps")]);
        let saved = conceal(&attributes(), &desired, &paths).to_public_json(&digest);
        let known = recall(&attributes(), &Value::from(&saved), &desired, &digest);
        let live = with_local(&attributes(), &value(json!({ "steps": [{ "name": "b" }] })), &known);
        assert_eq!(live, desired);
    }
}
