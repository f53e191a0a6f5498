//! XML as members, and members as XML: bodies of S3 and Route 53, answers of all services with forms.

use serde_json::{Map, Value};
use xmlparser::{ElementEnd, Token, Tokenizer};

use super::models::Shape;
use super::wire::{Problems, scalar, text};

/// An element.
#[derive(Clone, Debug, Default)]
pub struct Element {
    /// Its name, with its prefix.
    pub name: String,
    /// Its attributes.
    pub attributes: Vec<(String, String)>,
    /// The elements in it.
    pub children: Vec<Element>,
    /// The text in it.
    pub text: String,
}

/// The root element of a document; none when it is no XML.
pub fn parse(document: &str) -> Option<Element> {
    let mut open: Vec<Element> = vec![Element::default()];
    for token in Tokenizer::from(document) {
        match token.ok()? {
            Token::ElementStart { prefix, local, .. } => open.push(Element { name: name(&prefix, &local), ..Element::default() }),
            Token::Attribute { prefix, local, value, .. } => {
                open.last_mut()?.attributes.push((name(&prefix, &local), unescaped(value.as_str())));
            }
            Token::ElementEnd { end: ElementEnd::Close(..) | ElementEnd::Empty, .. } => {
                let closed = open.pop()?;
                open.last_mut()?.children.push(closed);
            }
            Token::Text { text } => open.last_mut()?.text.push_str(&unescaped(text.as_str())),
            Token::Cdata { text, .. } => open.last_mut()?.text.push_str(text.as_str()),
            _ => {}
        }
    }
    open.pop().filter(|_| open.is_empty())?.children.pop()
}

fn name(prefix: &str, local: &str) -> String {
    if prefix.is_empty() { local.to_owned() } else { format!("{prefix}:{local}") }
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (entity, after) = after.split_once(';').unwrap_or((after, ""));
        let number = entity.strip_prefix("#x").map(|digits| u32::from_str_radix(digits, 16));
        let number = number.or_else(|| entity.strip_prefix('#').map(str::parse));
        out.push(match (entity, number) {
            ("lt", _) => '<',
            ("gt", _) => '>',
            ("quot", _) => '"',
            ("apos", _) => '\'',
            (_, Some(Ok(number))) => char::from_u32(number).unwrap_or_default(),
            _ => '&',
        });
        rest = after;
    }
    out + rest
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\r', "&#13;")
}

/// How a member's elements are called: those of a flattened list or map as its elements are.
fn written(name: &str, member: Shape) -> &str {
    let of = (member.kind() == "list" && member.is("flattened")).then(|| member.element()).flatten();
    of.and_then(|element| element.text("locationName")).or_else(|| member.text("locationName")).unwrap_or(name)
}

/// The members that an element gives.
pub fn members(shape: Shape, element: &Element, path: &str, problems: &mut Problems) -> Value {
    match shape.kind() {
        "structure" => {
            let mut members = Map::new();
            for (name, member) in shape.members().filter(|(_, member)| member.text("location").is_none()) {
                let wire = written(name, member);
                let path = format!("{path}.{name}");
                if member.is("xmlAttribute") {
                    let found = element.attributes.iter().find(|(known, _)| known == wire);
                    members.extend(found.map(|(_, value)| (name.to_owned(), Value::String(value.clone()))));
                    continue;
                }
                let found: Vec<&Element> = element.children.iter().filter(|child| child.name == wire).collect();
                let value = match (member.kind(), member.is("flattened"), found.first()) {
                    (_, _, None) => continue,
                    ("list", true, _) => list(member, &found, &path, problems),
                    ("map", true, _) => map(member, &found, &path, problems),
                    (.., Some(child)) => self::members(member, child, &path, problems),
                };
                members.insert(name.to_owned(), value);
            }
            let known: Vec<&str> = shape.members().map(|(name, member)| written(name, member)).collect();
            let strange = element.children.iter().filter(|child| !known.contains(&child.name.as_str()));
            strange.for_each(|child| problems.say(&format!("{path}.{}", child.name), "is no member"));
            Value::Object(members)
        }
        "list" => list(shape, &element.children.iter().collect::<Vec<_>>(), path, problems),
        "map" => map(shape, &element.children.iter().collect::<Vec<_>>(), path, problems),
        "string" | "blob" => Value::String(element.text.clone()),
        _ => scalar(shape, element.text.trim(), path, problems),
    }
}

fn list(shape: Shape, elements: &[&Element], path: &str, problems: &mut Problems) -> Value {
    let Some(of) = shape.element() else { return Value::Null };
    elements.iter().enumerate().map(|(index, element)| members(of, element, &format!("{path}[{index}]"), problems)).collect()
}

fn map(shape: Shape, entries: &[&Element], path: &str, problems: &mut Problems) -> Value {
    let (Some(key), Some(of)) = (shape.key(), shape.value()) else { return Value::Null };
    let names = (key.text("locationName").unwrap_or("key"), of.text("locationName").unwrap_or("value"));
    let mut map = Map::new();
    for entry in entries {
        let part = |wanted: &str| entry.children.iter().find(|child| child.name == wanted);
        if let (Some(key), Some(value)) = (part(names.0), part(names.1)) {
            map.insert(key.text.clone(), members(of, value, &format!("{path}.{}", key.text), problems));
        }
    }
    Value::Object(map)
}

/// The elements that members give, inside of the element that stands for them.
pub fn written_members(shape: Shape, value: &Value) -> String {
    let mut out = String::new();
    for (name, member) in shape.members().filter(|(_, member)| member.text("location").is_none() && !member.is("xmlAttribute")) {
        let wire = written(name, member);
        match (&value[name], member.is("flattened")) {
            (Value::Null, _) => {}
            (Value::Array(elements), true) => {
                let Some(of) = member.element() else { continue };
                elements.iter().for_each(|element| out.push_str(&element_of(wire, of, element)));
            }
            (entries @ Value::Object(_), true) if member.kind() == "map" => out.push_str(&entries_of(wire, member, entries)),
            (value, _) => out.push_str(&element_of(wire, member, value)),
        }
    }
    out
}

/// An element of this name.
pub fn element_of(name: &str, shape: Shape, value: &Value) -> String {
    let body = match shape.kind() {
        "structure" => written_members(shape, value),
        "list" => {
            let Some(of) = shape.element() else { return String::new() };
            let wire = of.text("locationName").unwrap_or("member");
            value.as_array().into_iter().flatten().map(|element| element_of(wire, of, element)).collect()
        }
        "map" => entries_of("entry", shape, value),
        _ => escaped(&text(value)),
    };
    let attributes: String = shape
        .members()
        .filter(|(name, member)| member.is("xmlAttribute") && !value[*name].is_null())
        .map(|(name, member)| format!(" {}=\"{}\"", written(name, member), escaped(&text(&value[name]))))
        .collect();
    let space = if attributes.contains("xsi:") { " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"" } else { "" };
    format!("<{name}{space}{attributes}>{body}</{name}>")
}

fn entries_of(name: &str, shape: Shape, value: &Value) -> String {
    let (Some(key), Some(of)) = (shape.key(), shape.value()) else { return String::new() };
    let names = (key.text("locationName").unwrap_or("key"), of.text("locationName").unwrap_or("value"));
    let entry = |(known, value): (&String, &Value)| {
        format!("<{name}><{0}>{1}</{0}>{2}</{name}>", names.0, escaped(known), element_of(names.1, of, value))
    };
    value.as_object().into_iter().flatten().map(entry).collect()
}
