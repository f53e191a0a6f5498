//! Calls that are a method and a path: which operation they are, and their members.

use serde_json::{Map, Value};

use super::models::{Model, Shape};
use super::wire::{Problems, decoded, from_json, scalar};
use super::{form, xml};
use crate::support::proxy::http::Message;

/// A request's path and query, taken apart.
struct Target {
    segments: Vec<String>,
    query: Vec<(String, String)>,
}

impl Target {
    fn of(request: &Message) -> Self {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        // A slash more at the end, or none between bucket and nothing, makes no difference; one within a key does.
        let segments = path.trim_start_matches('/').split('/').map(str::to_owned).collect();
        Self { segments, query: form::pairs(query) }
    }

    fn asks(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The operation of a request and the labels of its path: the one whose path, query and headers say the most.
pub fn operation(model: &'static Model, request: &Message) -> Option<(&'static str, Map<String, Value>)> {
    let target = Target::of(request);
    let names = model.operations().keys().map(String::as_str);
    let fitting = names.filter_map(|name| {
        let (method, uri) = model.http(name)?;
        let (score, labels) = (method == request.method).then(|| fits(uri, &target)).flatten()?;
        // Of operations of one path, such as PutObject and CopyObject, the one whose members are all there.
        let input = model.input(name);
        let required: Vec<Shape> = input.iter().flat_map(|input| input.required().filter_map(|name| input.member(name))).collect();
        let wire = |location| required.iter().filter(move |member| member.text("location") == Some(location));
        let asked = wire("querystring").all(|member| member.text("locationName").is_some_and(|name| target.asks(name).is_some()));
        let headed =
            wire("header").all(|member| member.text("locationName").is_some_and(|name| request.header(&name.to_lowercase()).is_some()));
        let more = wire("querystring").count() + wire("header").count();
        let score = if asked && headed { score + more } else { score.saturating_sub(1) };
        Some((score, name, labels))
    });
    fitting.max_by_key(|(score, ..)| *score).map(|(_, name, labels)| (name, labels))
}

/// How well a path of the model fits, and its labels.
fn fits(uri: &str, target: &Target) -> Option<(usize, Map<String, Value>)> {
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let mut score = 1;
    for (name, value) in form::pairs(query) {
        let asked = target.asks(&name)?;
        if !value.is_empty() && asked != value {
            return None;
        }
        score += 20;
    }
    let mut labels = Map::new();
    // Some paths of the models end with a slash that the SDKs leave out.
    let wanted: Vec<&str> = path.trim_matches('/').split('/').collect();
    let mut given = target.segments.as_slice();
    if given.last().is_some_and(String::is_empty) && given.len() > 1 && !path.ends_with("+}") {
        given = &given[..given.len() - 1];
    }
    for (index, part) in wanted.iter().enumerate() {
        match (part.strip_prefix('{').and_then(|part| part.strip_suffix('}')), given.get(index)) {
            (None, Some(found)) if found == part => score += 10,
            (None, _) => return None,
            (Some(label), _) if label.ends_with('+') => {
                let rest = given.get(index..)?.join("/");
                if rest.is_empty() {
                    return None;
                }
                labels.insert(label.trim_end_matches('+').to_owned(), Value::String(label_text(&rest)));
                return Some((score, labels));
            }
            (Some(label), Some(found)) if !found.is_empty() => {
                labels.insert(label.to_owned(), Value::String(label_text(found)));
            }
            (Some(_), _) => return None,
        }
    }
    (given.len() == wanted.len()).then_some((score, labels))
}

/// A `+` in a path is itself.
fn label_text(text: &str) -> String {
    decoded(&text.replace('+', "%2B"))
}

/// The members of a request of this operation.
pub fn members(model: &Model, input: Shape, request: &Message, labels: &Map<String, Value>, problems: &mut Problems) -> Value {
    let target = Target::of(request);
    let mut members = Map::new();
    for (name, member) in input.members() {
        let wire = member.text("locationName").unwrap_or(name);
        let mut plain = |text: &str| scalar(member, text, name, problems);
        let value = match member.text("location") {
            Some("uri") => labels.get(wire).or_else(|| labels.get(name)).and_then(Value::as_str).map(plain),
            Some("querystring") if member.kind() == "list" => {
                let all: Vec<Value> =
                    target.query.iter().filter(|(known, _)| known == wire).map(|(_, value)| Value::String(value.clone())).collect();
                (!all.is_empty()).then_some(Value::Array(all))
            }
            Some("querystring") => target.asks(wire).map(plain),
            Some("header") => request.header(&wire.to_lowercase()).map(&mut plain),
            Some("headers") => {
                let prefix = wire.to_lowercase();
                let found = request.headers.iter().filter_map(|(known, value)| Some((known.strip_prefix(&prefix)?, value)));
                let found: Map<String, Value> = found.map(|(known, value)| (known.to_owned(), Value::String(value.clone()))).collect();
                (!found.is_empty()).then_some(Value::Object(found))
            }
            _ => None,
        };
        members.extend(value.map(|value| (name.to_owned(), value)));
    }
    let content = request.content();
    match input.payload() {
        Some((name, member)) if matches!(member.kind(), "blob" | "string") => {
            members.insert(name.to_owned(), Value::String(String::from_utf8_lossy(&content).into_owned()));
        }
        Some(_) if content.is_empty() => {}
        Some((name, member)) => {
            let value = body(model, member, &content, name, problems);
            members.insert(name.to_owned(), value);
        }
        None if content.is_empty() => {}
        None => {
            if let Value::Object(found) = body(model, input, &content, "", problems) {
                members.extend(found);
            }
        }
    }
    Value::Object(members)
}

fn body(model: &Model, shape: Shape, content: &[u8], path: &str, problems: &mut Problems) -> Value {
    let text = String::from_utf8_lossy(content);
    let found = match model.protocol() {
        "rest-json" => serde_json::from_str(&text).ok().map(|json| from_json(shape, &json, path, problems)),
        _ => xml::parse(&text).map(|root| xml::members(shape, &root, path, problems)),
    };
    found.unwrap_or_else(|| {
        problems.say(path, "is a body that cannot be read");
        Value::Null
    })
}
