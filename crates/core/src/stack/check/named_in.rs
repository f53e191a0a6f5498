//! Names that stand in another resource: the container that a service names is one of its task definition.

use std::collections::BTreeSet;

use super::locate;
use crate::model::address::Block;
use crate::model::path::{Path, Segment};
use crate::model::relation::NamedPart;
use crate::model::value::Value;
use crate::stack::config::ResourceBlock;
use crate::stack::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use crate::stack::scope::{BlockValue, StackScope};

/// Checks the names that a resource with this value has from another one that it refers to. What is not known of either is
/// not judged.
pub fn check(block: &Block, resource: &ResourceBlock, value: &Value, scope: &StackScope<'_>, diagnostics: &mut Diagnostics) {
    if resource.schema.named_in.is_empty() {
        return;
    }
    // What something else chooses in AWS, or is left as it is there, is not what the file says.
    let elsewhere = resource.ignored(value, value);
    for fact in resource.schema.named_in.iter().filter(|fact| !elsewhere.contains(&Path::attribute(fact.through))) {
        let Some(other) = referred(resource, fact.through) else { continue };
        if is_wrong(&other, scope, diagnostics) {
            continue;
        }
        let Some(known) = scope.resources.get(&other) else { continue };
        for (path, given) in written(value, fact.attribute) {
            let part = fact.part.and_then(|part| named_part(known, part, fact.names, &beside(value, &path, part.beside)?));
            let (whose, names) = match part {
                Some((part, names)) => (format!("{part} of {other}"), names),
                None => (other.to_string(), names(known, fact.names)),
            };
            let Some(names) = names else { continue };
            let Some(text) = text(given).filter(|text| !names.contains(text)) else { continue };
            let at = locate(&resource.attributes, &path).unwrap_or(&resource.span);
            let message = format!("{block}: `{path}` is `{text}`, which {whose} does not have as {}", fact.what);
            let help = match names.is_empty() {
                true => format!("{whose} has none: write it there, or leave this out"),
                false => format!("it has {}", names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
            };
            diagnostics.push(Diagnostic::error(Code::Contradiction, at, message).help(help));
        }
    }
}

/// The block that an attribute refers to, where that is all that it refers to.
fn referred(resource: &ResourceBlock, attribute: &str) -> Option<Block> {
    let template = &resource.attributes.as_table()?.get(attribute)?.value;
    let references = template.references();
    let [(reference, _)] = references.as_slice() else { return None };
    let (type_name, name) = (reference.key(0)?, reference.key(1)?);
    Some(Block::new(type_name, name).within(&reference.home.module))
}

/// Whether a block has a mistake, so that what is known of it may not be all that is meant.
fn is_wrong(block: &Block, scope: &StackScope<'_>, diagnostics: &Diagnostics) -> bool {
    let name = block.to_string();
    let is_of_it = |one: &Diagnostic| one.severity == Severity::Error && one.address.as_ref() == Some(&name);
    scope.stack.config.unread_of(&block.module).resource(block) || diagnostics.0.iter().any(is_of_it)
}

/// What is written beside an attribute of a value.
fn beside(value: &Value, path: &Path, name: &str) -> Option<String> {
    let (_, around) = path.0.split_last()?;
    let around = around.iter().try_fold(value, |here, segment| match (here, segment) {
        (Value::Map(map), segment) => map.get(segment.name()?),
        (Value::List(items), Segment::Index(index)) => items.get(*index),
        _ => None,
    })?;
    around.get(name).and_then(text)
}

/// The part of a block that has a name, in words, and the names that it has; nothing where there is no such part.
fn named_part(known: &BlockValue, part: NamedPart, path: &[&str], name: &str) -> Option<(String, Option<BTreeSet<String>>)> {
    let parts = instances(known)?.into_iter().flat_map(|instance| written(instance, part.parts));
    let is_it = |part_of: &&Value| part_of.get(part.name).and_then(text).as_deref() == Some(name);
    let meant: Vec<&Value> = parts.map(|(_, part)| part).filter(is_it).collect();
    let inside = path.get(part.parts.len()..).unwrap_or_default();
    (!meant.is_empty()).then(|| (format!("{} `{name}`", part.what), names_of(&meant, inside)))
}

/// The names that all instances of a block have; none where something of them is not known.
fn names(known: &BlockValue, path: &[&str]) -> Option<BTreeSet<String>> {
    names_of(&instances(known)?, path)
}

fn instances(known: &BlockValue) -> Option<Vec<&Value>> {
    match known {
        BlockValue::Single(value) => Some(vec![value]),
        BlockValue::Each(values) => Some(values.values().collect()),
        BlockValue::Absent => None,
    }
}

fn names_of(values: &[&Value], path: &[&str]) -> Option<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for value in values {
        if is_unknown(value, path) {
            return None;
        }
        names.extend(written(value, path).into_iter().filter_map(|(_, value)| text(value)));
    }
    Some(names)
}

/// Whether it is not known, or secret, what stands at a path.
fn is_unknown(value: &Value, path: &[&str]) -> bool {
    match (value, path) {
        (Value::Unknown | Value::Secret(_), _) => true,
        (Value::List(items), _) => items.iter().any(|item| is_unknown(item, path)),
        (Value::Map(map), [name, rest @ ..]) => map.get(*name).is_some_and(|inner| is_unknown(inner, rest)),
        _ => false,
    }
}

/// What stands at a path, in each element of the lists on the way.
fn written<'v>(value: &'v Value, path: &[&str]) -> Vec<(Path, &'v Value)> {
    fn at<'v>(value: &'v Value, path: &[&str], here: &Path, found: &mut Vec<(Path, &'v Value)>) {
        match (value, path) {
            (Value::List(items), _) => {
                items.iter().enumerate().for_each(|(index, item)| at(item, path, &here.join(Segment::Index(index)), found));
            }
            (Value::Map(map), [name, rest @ ..]) => {
                map.get(*name).into_iter().for_each(|inner| at(inner, rest, &here.join(Segment::field(*name)), found));
            }
            (value, []) => found.push((here.clone(), value)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    at(value, path, &Path::default(), &mut found);
    found
}

/// A text or a number as text; nothing of what is not known or secret.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Int(number) => Some(number.to_string()),
        _ => None,
    }
}
