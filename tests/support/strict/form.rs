//! Forms, as EC2, IAM, ELB, SNS and others take them: `Tag.1.Key=a` is the member `Tags[0].Key`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::models::Shape;
use super::wire::{Problems, decoded, scalar};

/// The names of a form as a tree, split at their dots.
#[derive(Default)]
struct Node {
    value: Option<String>,
    below: BTreeMap<String, Node>,
}

/// How lists and names are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// EC2's own.
    Ec2,
    /// That of the other services.
    Query,
}

/// The pairs of a form or of a query.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(key, value)| (decoded(key), decoded(value))).collect()
}

/// The members that a form gives.
pub fn members(shape: Option<Shape>, form: &[(String, String)], dialect: Dialect, problems: &mut Problems) -> Value {
    let mut root = Node::default();
    for (name, value) in form.iter().filter(|(name, _)| name != "Action" && name != "Version") {
        let node = name.split('.').fold(&mut root, |node, part| node.below.entry(part.to_owned()).or_default());
        node.value = Some(value.clone());
    }
    match shape {
        Some(shape) => value(shape, &root, dialect, "", problems),
        None => {
            root.below.keys().for_each(|name| problems.say(name, "is no member of this call"));
            Value::Object(Map::new())
        }
    }
}

fn value(shape: Shape, node: &Node, dialect: Dialect, path: &str, problems: &mut Problems) -> Value {
    match shape.kind() {
        "structure" => structure(shape, node, dialect, path, problems),
        "list" => {
            let Some(element) = shape.element() else { return Value::Null };
            // Not flattened, an element is `List.member.1`.
            let wrapped = (dialect == Dialect::Query && !shape.is("flattened")).then(|| element.text("locationName").unwrap_or("member"));
            let Some(node) = below(node, wrapped, path, problems) else { return Value::Array(Vec::new()) };
            let elements = numbered(node, path, problems).into_iter().enumerate();
            elements.map(|(index, node)| value(element, node, dialect, &format!("{path}[{index}]"), problems)).collect()
        }
        "map" => {
            let (Some(key), Some(of)) = (shape.key(), shape.value()) else { return Value::Null };
            let names = (key.text("locationName").unwrap_or("key"), of.text("locationName").unwrap_or("value"));
            let Some(node) = below(node, (!shape.is("flattened")).then_some("entry"), path, problems) else {
                return Value::Object(Map::new());
            };
            let mut map = Map::new();
            for entry in numbered(node, path, problems) {
                let name = entry.below.get(names.0).and_then(|node| node.value.clone()).unwrap_or_default();
                let of = entry.below.get(names.1).map(|node| value(of, node, dialect, &format!("{path}.{name}"), problems));
                map.insert(name, of.unwrap_or(Value::Null));
            }
            Value::Object(map)
        }
        _ => {
            node.below.keys().for_each(|name| problems.say(&format!("{path}.{name}"), "is below something that has no members"));
            scalar(shape, node.value.as_deref().unwrap_or_default(), path, problems)
        }
    }
}

fn structure(shape: Shape, node: &Node, dialect: Dialect, path: &str, problems: &mut Problems) -> Value {
    let mut members = Map::new();
    for (wire, node) in &node.below {
        let found = shape.members().find(|(name, member)| written(name, *member, dialect) == *wire);
        let Some((name, member)) = found else {
            problems.say(&format!("{path}.{wire}"), "is no member");
            continue;
        };
        members.insert(name.to_owned(), value(member, node, dialect, &format!("{path}.{name}"), problems));
    }
    Value::Object(members)
}

/// How a member is called in a form.
fn written(name: &str, member: Shape, dialect: Dialect) -> String {
    let location = member.text("locationName");
    match dialect {
        Dialect::Ec2 => member.text("queryName").map(str::to_owned).or_else(|| location.map(capital)).unwrap_or_else(|| name.to_owned()),
        // A flattened list is called as its elements are.
        Dialect::Query if member.kind() == "list" && member.is("flattened") => {
            let element = member.element().and_then(|element| element.text("locationName"));
            element.or(location).unwrap_or(name).to_owned()
        }
        Dialect::Query => location.unwrap_or(name).to_owned(),
    }
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// What is below a wrapping name; nothing for an empty list or map, which is written as its name alone.
fn below<'a>(node: &'a Node, wrapped: Option<&str>, path: &str, problems: &mut Problems) -> Option<&'a Node> {
    if node.below.is_empty() {
        return None;
    }
    let Some(wrapped) = wrapped else { return Some(node) };
    if node.below.len() > 1 || !node.below.contains_key(wrapped) {
        problems.say(path, &format!("is not written below {wrapped}"));
    }
    node.below.get(wrapped)
}

/// The elements `1`, `2`, … of a node.
fn numbered<'a>(node: &'a Node, path: &str, problems: &mut Problems) -> Vec<&'a Node> {
    let mut elements: Vec<(usize, &Node)> = Vec::new();
    for (name, node) in &node.below {
        match name.parse() {
            Ok(number) => elements.push((number, node)),
            Err(_) => problems.say(&format!("{path}.{name}"), "is not the number of an element"),
        }
    }
    elements.sort_by_key(|(number, _)| *number);
    if elements.iter().enumerate().any(|(index, (number, _))| index + 1 != *number) {
        problems.say(path, "has elements that are not counted from 1");
    }
    elements.into_iter().map(|(_, node)| node).collect()
}
