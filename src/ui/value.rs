//! Values as people read them.

use serde_json::Value as Json;

use leoctl_core::model::value::Value;

/// Longest value that stays on its attribute's line.
const INLINE: usize = 76;

/// What stands for a secret.
pub const MASK: &str = "(sensitive)";
/// What stands for an unknown.
pub const UNKNOWN: &str = "(known after apply)";

/// Whether a value says nothing: an empty collection, which to AWS is as good as none.
pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::List(items) => items.is_empty(),
        Value::Map(map) => map.is_empty(),
        _ => false,
    }
}

/// The value in one line.
pub fn inline(value: &Value) -> String {
    match value {
        Value::Unknown => UNKNOWN.to_owned(),
        Value::Secret(_) => MASK.to_owned(),
        Value::List(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Map(map) if map.is_empty() => "{}".to_owned(),
        Value::Map(map) => {
            let said = map.iter().filter(|(_, value)| !is_empty(value));
            let fields: Vec<String> = said.map(|(key, value)| format!("{} = {}", name(key), inline(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::String(_) => {
            value.to_json().map(|json| json.to_string()).unwrap_or_default()
        }
    }
}

/// The value in as many lines as it takes, the first without indentation.
pub fn lines(value: &Value) -> Vec<String> {
    let one = inline(value);
    let short = one.chars().count() <= INLINE;
    match value {
        Value::List(items) if !short => {
            let mut all = vec!["[".to_owned()];
            for item in items {
                all.extend(indented(lines(item), ","));
            }
            all.push("]".to_owned());
            all
        }
        Value::Map(map) if !short => {
            let mut all = vec!["{".to_owned()];
            for (key, value) in map.iter().filter(|(_, value)| !is_empty(value)) {
                let mut inner = lines(value);
                if let Some(first) = inner.first_mut() {
                    *first = format!("{} = {first}", name(key));
                }
                all.extend(indented(inner, ""));
            }
            all.push("}".to_owned());
            all
        }
        _ => vec![one],
    }
}

fn indented(lines: Vec<String>, end: &str) -> Vec<String> {
    let last = lines.len().saturating_sub(1);
    lines.into_iter().enumerate().map(|(at, line)| format!("  {line}{}", if at == last { end } else { "" })).collect()
}

fn name(key: &str) -> String {
    let plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if plain { key.to_owned() } else { Json::from(key).to_string() }
}

/// The value with words where something is unknown.
fn named(value: &Value) -> Value {
    match value {
        Value::Unknown => Value::string(UNKNOWN),
        Value::List(items) => Value::List(items.iter().map(named).collect()),
        Value::Map(map) => Value::Map(map.iter().map(|(key, value)| (key.clone(), named(value))).collect()),
        other => other.clone(),
    }
}

/// A document as indented JSON, for comparing line by line.
pub fn document(value: &Value) -> String {
    let json = named(value).to_public_json(&|_| Json::from(MASK));
    serde_json::to_string_pretty(&json).unwrap_or_default()
}
