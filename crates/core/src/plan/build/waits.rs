//! What an unknown value waits for: the references that were not known when it was evaluated.

use std::collections::BTreeMap;

use crate::model::path::{Path, Segment};
use crate::model::schema::{Attribute, Order, Type};
use crate::model::value::Value;
use crate::stack::scope::StackScope;
use crate::stack::template::{Template, TemplateKind};

/// The references that each unknown in `after` waits for, by its path there; lists go by position. What AWS alone
/// will say waits for no reference.
pub(super) fn waits_for(
    attributes: &[Attribute],
    template: &Template,
    after: &Value,
    scope: &StackScope<'_>,
) -> BTreeMap<Path, Vec<String>> {
    let mut found = BTreeMap::new();
    if after.has_unknown() {
        object(attributes, template, after, &Path::default(), &mut Walk { scope, found: &mut found });
    }
    found
}

struct Walk<'a, 'b> {
    scope: &'a StackScope<'b>,
    found: &'a mut BTreeMap<Path, Vec<String>>,
}

/// The references that make a template unknown in a scope.
pub(super) fn unknown_in(template: &Template, scope: &StackScope<'_>) -> Vec<String> {
    scope.take_lookups();
    // A failure has been reported where the value was needed.
    let _ = template.eval(scope);
    scope.take_lookups().unknown.into_iter().collect()
}

fn object(attributes: &[Attribute], template: &Template, value: &Value, path: &Path, walk: &mut Walk<'_, '_>) {
    let (Some(fields), Some(map)) = (template.as_table(), value.as_map()) else { return whole(template, value, path, walk) };
    for attribute in attributes.iter().filter(|attribute| !attribute.computed) {
        if let (Some(field), Some(value)) = (fields.get(&attribute.name), map.get(&attribute.name)) {
            inside(&attribute.ty, &field.value, value, &path.join(Segment::field(&attribute.name)), walk);
        }
    }
}

fn inside(ty: &Type, template: &Template, value: &Value, path: &Path, walk: &mut Walk<'_, '_>) {
    if !value.has_unknown() {
        return;
    }
    match (ty, &template.kind, value.revealed()) {
        (Type::Object(attributes), TemplateKind::Table(_), Value::Map(_)) => object(attributes, template, value, path, walk),
        (_, TemplateKind::Table(fields), Value::Map(map)) => {
            let item = if let Type::Map { item, .. } = ty { item } else { ty };
            for (key, value) in map {
                if let Some(field) = fields.get(key) {
                    inside(item, &field.value, value, &path.join(Segment::field(key)), walk);
                }
            }
        }
        (_, TemplateKind::List(templates), Value::List(items)) => {
            let (item, order) = if let Type::List { item, order } = ty { (item.as_ref(), order) } else { (ty, &Order::Sequence) };
            for (index, value) in items.iter().enumerate() {
                let path = path.join(Segment::Index(index));
                match written(order, index, value, templates) {
                    Some(one) => inside(item, one, value, &path, walk),
                    None => whole(template, value, &path, walk),
                }
            }
        }
        _ => whole(template, value, path, walk),
    }
}

/// The template of an element of a list, where it can be told.
fn written<'a>(order: &Order, index: usize, value: &Value, templates: &'a [Template]) -> Option<&'a Template> {
    match order {
        Order::Sequence => templates.get(index),
        Order::Set => None,
        Order::Keyed(key) => {
            let wanted = value.get(key)?.as_str()?;
            templates.iter().find(|template| template.as_table().and_then(|table| table.get(key)?.value.as_str()) == Some(wanted))
        }
    }
}

/// Every unknown in `value` waits for all that makes the template unknown.
fn whole(template: &Template, value: &Value, path: &Path, walk: &mut Walk<'_, '_>) {
    let references = unknown_in(template, walk.scope);
    if references.is_empty() {
        return;
    }
    for inner in value.paths_where(&|value| matches!(value, Value::Unknown)) {
        let path = Path(path.0.iter().chain(&inner.0).cloned().collect());
        walk.found.insert(path, references.clone());
    }
}
