//! The difference between two values of a resource, attribute by attribute and element by element.
//! Whatever is shown or sent comes from here.

use std::collections::BTreeMap;

use crate::model::canonical::{counterpart, element_name};
use crate::model::path::{Path, Segment};
use crate::model::pin::element;
use crate::model::schema::{Attribute, Order, Type, Unset};
use crate::model::value::Value;

/// One place at which two values differ.
#[derive(Clone, Debug)]
pub struct AttributeChange {
    /// Where.
    pub path: Path,
    /// What is there now; nothing when it is added.
    pub before: Option<Value>,
    /// What is to be there; nothing when it is removed.
    pub after: Option<Value>,
    /// Whether the change replaces the resource.
    pub forces_replacement: bool,
    /// Whether the values are never shown.
    pub sensitive: bool,
    /// Whether the values are JSON documents, compared line by line when shown.
    pub document: bool,
    /// Whether AWS chooses the value when nobody writes one.
    pub server_chosen: bool,
}

/// What a resource will be: what is desired, with AWS's part from the live one, or unknown when there is none.
pub fn complete(attributes: &[Attribute], desired: &Value, live: Option<&Value>) -> Value {
    let empty = BTreeMap::new();
    let desired = desired.as_map().unwrap_or(&empty);
    let mut out = BTreeMap::new();
    for attribute in attributes {
        let from_live = live.map(|live| live.get(&attribute.name).cloned().unwrap_or(Value::Null));
        let value = match desired.get(&attribute.name) {
            Some(value) if !attribute.computed => complete_value(&attribute.ty, value, from_live.as_ref()),
            _ if attribute.computed || attribute.unset == Unset::Server => from_live.unwrap_or(Value::Unknown),
            _ => continue,
        };
        if !value.is_null() {
            out.insert(attribute.name.clone(), value);
        }
    }
    Value::Map(out)
}

fn complete_value(ty: &Type, desired: &Value, live: Option<&Value>) -> Value {
    match (ty, desired) {
        (Type::Object(attributes), Value::Map(_)) => complete(attributes, desired, live.filter(|live| live.as_map().is_some())),
        (Type::List { item, order }, Value::List(items)) => {
            let live_items = live.and_then(Value::as_list).unwrap_or_default();
            let complete_item = |(index, value): (usize, &Value)| match order {
                // A member of a set is the live one when it becomes it by taking over AWS's part.
                Order::Set => live_items
                    .iter()
                    .find(|live| complete_value(item, value, Some(live)) == **live)
                    .cloned()
                    .unwrap_or_else(|| complete_value(item, value, None)),
                _ => complete_value(item, value, counterpart(order, index, value, live_items)),
            };
            Value::List(items.iter().enumerate().map(complete_item).collect())
        }
        (Type::Map { item, defaults }, Value::Map(map)) => {
            let given = map.iter().map(|(key, value)| (key.clone(), complete_value(item, value, live.and_then(|live| live.get(key)))));
            // Where AWS fills in entries, those leoctl has no default of are AWS's own.
            let foreign = live.and_then(Value::as_map).into_iter().flatten();
            let foreign = foreign.filter(|(key, _)| !defaults.is_empty() && !defaults.contains_key(*key) && !map.contains_key(*key));
            Value::Map(given.chain(foreign.map(|(key, value)| (key.clone(), value.clone()))).collect())
        }
        (_, Value::Secret(inner)) => complete_value(ty, inner, live).into_secret(),
        _ => desired.clone(),
    }
}

/// Every difference between two canonical values of a resource; what AWS computes is not compared.
pub fn diff(attributes: &[Attribute], before: &Value, after: &Value) -> Vec<AttributeChange> {
    let mut changes = Vec::new();
    Differ { changes: &mut changes }.object(attributes, before, after, &Path::default(), false, false);
    changes
}

struct Differ<'a> {
    changes: &'a mut Vec<AttributeChange>,
}

impl Differ<'_> {
    fn object(&mut self, attributes: &[Attribute], before: &Value, after: &Value, path: &Path, forces: bool, sensitive: bool) {
        for attribute in attributes.iter().filter(|attribute| !attribute.computed) {
            let so_far = self.changes.len();
            self.value(
                &attribute.ty,
                before.get(&attribute.name),
                after.get(&attribute.name),
                &path.join(Segment::Field(attribute.name.clone())),
                forces || attribute.replace,
                sensitive || attribute.sensitive,
            );
            for change in self.changes.iter_mut().skip(so_far) {
                change.server_chosen |= attribute.unset == Unset::Server;
            }
        }
    }

    fn value(&mut self, ty: &Type, before: Option<&Value>, after: Option<&Value>, path: &Path, forces: bool, sensitive: bool) {
        let before = before.filter(|value| !value.is_null());
        let after = after.filter(|value| !value.is_null());
        if before == after {
            return;
        }
        let sensitive = sensitive || [before, after].into_iter().flatten().any(|value| matches!(value, Value::Secret(_)));
        if let (Some(from), Some(to)) = (before, after) {
            let (from, to) = (from.revealed(), to.revealed());
            match (ty, from, to) {
                (Type::Object(attributes), Value::Map(_), Value::Map(_)) => {
                    return self.object(attributes, from, to, path, forces, sensitive);
                }
                (Type::Map { item, .. }, Value::Map(from), Value::Map(to)) => {
                    for key in from.keys().chain(to.keys().filter(|key| !from.contains_key(*key))) {
                        let path = path.join(Segment::Field(key.clone()));
                        self.value(item, from.get(key), to.get(key), &path, forces, sensitive);
                    }
                    return;
                }
                (Type::List { item, order }, Value::List(from), Value::List(to)) => {
                    return self.list(item, order, (from, to), path, forces, sensitive);
                }
                _ => {}
            }
        }
        self.changes.push(AttributeChange {
            path: path.clone(),
            before: before.cloned(),
            after: after.cloned(),
            forces_replacement: forces,
            sensitive,
            document: matches!(ty, Type::Document(_)),
            server_chosen: false,
        });
    }

    fn list(&mut self, item: &Type, order: &Order, (from, to): (&[Value], &[Value]), path: &Path, forces: bool, sensitive: bool) {
        if *order == Order::Sequence {
            for index in 0..from.len().max(to.len()) {
                self.value(item, from.get(index), to.get(index), &path.join(Segment::Index(index)), forces, sensitive);
            }
            return;
        }
        let named =
            |items: &[Value]| -> Vec<(String, Value)> { items.iter().map(|value| (element_name(order, value), value.clone())).collect() };
        let (from, to) = (named(from), named(to));
        let find = |items: &[(String, Value)], name: &str| items.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        // An element with another key is another element: what its key forces, its coming and going does.
        let key_forces = |key: &String| matches!(item, Type::Object(of) if of.iter().any(|one| one.name == *key && one.replace));
        let other = forces || matches!(order, Order::Keyed(key) if key_forces(key));
        for (name, value) in &from {
            let kept = find(&to, name);
            let forces = if kept.is_some() { forces } else { other };
            self.value(item, Some(value), kept.as_ref(), &path.join(Segment::Element(name.clone())), forces, sensitive);
        }
        for (name, value) in to.iter().filter(|(name, _)| !from.iter().any(|(known, _)| known == name)) {
            self.value(item, None, Some(value), &path.join(Segment::Element(name.clone())), other, sensitive);
        }
    }
}

/// `value` with everything at `paths` as it is in `live`: what `ignore_changes` asks for.
pub fn ignore(value: &Value, live: &Value, paths: &[Path]) -> Value {
    paths.iter().fold(value.clone(), |value, path| restore(value, live, &path.0))
}

fn restore(value: Value, live: &Value, path: &[Segment]) -> Value {
    let Some((segment, rest)) = path.split_first() else { return live.clone() };
    match (value, segment) {
        (Value::Map(mut map), Segment::Field(name)) => {
            let was = live.get(name).cloned().unwrap_or(Value::Null);
            let is = map.remove(name).unwrap_or(Value::Null);
            let restored = if rest.is_empty() { was } else { restore(is, &was, rest) };
            if !restored.is_null() {
                map.insert(name.clone(), restored);
            }
            Value::Map(map)
        }
        (Value::List(items), Segment::Index(index)) => {
            let live = live.as_list().and_then(|live| live.get(*index));
            Value::List(
                items
                    .into_iter()
                    .enumerate()
                    .map(|(at, item)| match live {
                        Some(live) if at == *index => restore(item, live, rest),
                        _ => item,
                    })
                    .collect(),
            )
        }
        // A keyed element: whichever attribute holds the key.
        (Value::List(items), Segment::Element(name)) => {
            let live = live.as_list().and_then(|live| live.get(element(live, name)?));
            let place = element(&items, name);
            Value::List(
                items
                    .into_iter()
                    .enumerate()
                    .map(|(at, item)| match live {
                        Some(live) if Some(at) == place => restore(item, live, rest),
                        _ => item,
                    })
                    .collect(),
            )
        }
        (value, _) => value,
    }
}
