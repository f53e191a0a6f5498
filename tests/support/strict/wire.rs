//! What all protocols share: what is wrong with a request, plain values, and JSON bodies.

use serde_json::{Map, Number, Value};

use super::models::Shape;

/// What is wrong with a request, each with where it is.
#[derive(Clone, Debug, Default)]
pub struct Problems(pub Vec<String>);

impl Problems {
    /// Adds what is wrong with the member at this path.
    pub fn say(&mut self, path: &str, what: &str) {
        self.0.push(format!("{} {what}", path.trim_start_matches('.')));
    }
}

/// A text out of a path, a query or a form.
pub fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// A value that is written as text.
pub fn scalar(shape: Shape, text: &str, path: &str, problems: &mut Problems) -> Value {
    let number = |number: Option<Number>| number.map(Value::Number);
    let found = match shape.kind() {
        "boolean" => text.parse().ok().map(Value::Bool),
        "integer" | "long" => number(text.parse::<i64>().ok().map(Number::from)),
        "float" | "double" => number(text.parse().ok().and_then(Number::from_f64)),
        _ => Some(Value::String(text.to_owned())),
    };
    found.unwrap_or_else(|| {
        problems.say(path, &format!("is {text:?} and no {}", shape.kind()));
        Value::Null
    })
}

/// A plain value as text.
pub fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// How a member is called in JSON.
fn written(name: &'static str, member: Shape) -> &'static str {
    member.text("locationName").unwrap_or(name)
}

/// JSON with the names of the wire as members with the names of the model. What no model knows stays.
pub fn from_json(shape: Shape, value: &Value, path: &str, problems: &mut Problems) -> Value {
    named(shape, value, path, problems, &|shape, wire| shape.members().find(|(name, member)| written(name, *member) == wire))
}

/// Members with the names of the model as JSON with the names of the wire.
pub fn to_json(shape: Shape, value: &Value) -> Value {
    let renamed = |shape: &Shape, name: &str| {
        let (name, member) = shape.members().find(|(known, _)| *known == name)?;
        Some((written(name, member), member))
    };
    named(shape, value, "", &mut Problems::default(), &renamed)
}

type Rename<'a> = &'a dyn Fn(&Shape, &str) -> Option<(&'static str, Shape)>;

fn named(shape: Shape, value: &Value, path: &str, problems: &mut Problems, rename: Rename<'_>) -> Value {
    match (shape.kind(), value) {
        _ if shape.is_document() => value.clone(),
        ("structure", Value::Object(members)) => {
            let mut named_members = Map::new();
            for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
                let path = format!("{path}.{name}");
                match rename(&shape, name) {
                    Some((known, member)) => named_members.insert(known.to_owned(), named(member, value, &path, problems, rename)),
                    None => {
                        problems.say(&path, "is no member");
                        named_members.insert(name.clone(), value.clone())
                    }
                };
            }
            Value::Object(named_members)
        }
        ("list", Value::Array(elements)) => {
            let Some(element) = shape.element() else { return value.clone() };
            let elements = elements.iter().enumerate();
            elements.map(|(index, value)| named(element, value, &format!("{path}[{index}]"), problems, rename)).collect()
        }
        ("map", Value::Object(entries)) => {
            let Some(of) = shape.value() else { return value.clone() };
            let entries = entries.iter().map(|(key, value)| (key.clone(), named(of, value, &format!("{path}.{key}"), problems, rename)));
            Value::Object(entries.collect())
        }
        _ => value.clone(),
    }
}
