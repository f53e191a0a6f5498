//! Values as people read them.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::terminal;
use super::unknown::Waits;
use leoctl_core::model::value::Value;

/// Longest value that stays on its attribute's line.
const INLINE: usize = 76;

/// What stands for a secret.
pub const MASK: &str = "(sensitive)";
/// What stands for an unknown.
pub const UNKNOWN: &str = "(known after apply)";

/// Whether a value is an empty collection: where nobody wrote it, it says nothing.
pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::List(items) => items.is_empty(),
        Value::Map(map) => map.is_empty(),
        _ => false,
    }
}

/// The entries of a table that are shown: not what AWS is to fill in, nor what is empty beside something that is not. A table
/// with nothing else says by it which of several it is: `{ count = {} }`.
fn said<'v>(map: &'v BTreeMap<String, Value>, waits: &Waits<'_>) -> Vec<(&'v String, &'v Value)> {
    let is_left = |key: &str, value: &Value| matches!(value, Value::Unknown) && waits.field(key).is_left_to_aws();
    let written: Vec<_> = map.iter().filter(|(key, value)| waits.is_whole() || !is_left(key, value)).collect();
    let full: Vec<_> = written.iter().copied().filter(|(_, value)| waits.is_whole() || !is_empty(value)).collect();
    if full.is_empty() { written } else { full }
}

/// The value in one line.
pub fn inline(value: &Value) -> String {
    inline_with(value, &Waits::none())
}

/// All of the value in one line, also what is empty in it.
pub fn whole_inline(value: &Value) -> String {
    inline_with(value, &Waits::none_of_whole())
}

/// All of the value in as many lines as it takes, also what is empty in it.
pub fn whole_lines(value: &Value) -> Vec<String> {
    lines_with(value, &Waits::none_of_whole())
}

/// The value in one line, with what its unknowns wait for.
pub fn inline_with(value: &Value, waits: &Waits<'_>) -> String {
    match value {
        Value::Unknown => waits.text(),
        Value::Secret(_) => MASK.to_owned(),
        Value::List(items) => {
            let item = |(index, item)| inline_with(item, &waits.index(index));
            format!("[{}]", items.iter().enumerate().map(item).collect::<Vec<_>>().join(", "))
        }
        Value::Map(map) => {
            let field = |(key, value): (&String, &Value)| format!("{} = {}", name(key), inline_with(value, &waits.field(key)));
            let fields: Vec<String> = said(map, waits).into_iter().map(field).collect();
            if fields.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", fields.join(", ")) }
        }
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::String(_) => {
            value.to_json().map(|json| json.to_string()).unwrap_or_default()
        }
    }
}

/// Whether there is a text of several lines in a value.
fn has_lines(value: &Value) -> bool {
    match value {
        Value::String(text) => text.lines().count() > 1,
        Value::List(items) => items.iter().any(has_lines),
        Value::Map(map) => map.values().any(has_lines),
        _ => false,
    }
}

/// The value in as many lines as it takes, the first without indentation. A text of several lines stands between `"""`,
/// the second right behind the text where that does not end with a line feed, as in TOML.
pub fn lines(value: &Value) -> Vec<String> {
    lines_with(value, &Waits::none())
}

/// The value in as many lines as it takes, with what its unknowns wait for.
pub fn lines_with(value: &Value, waits: &Waits<'_>) -> Vec<String> {
    let one = inline_with(value, waits);
    let short = one.chars().count() <= INLINE && !has_lines(value);
    match value {
        Value::String(text) if !short && has_lines(value) => {
            const QUOTES: &str = "\"\"\"";
            std::iter::once(QUOTES.to_owned()).chain(format!("{text}{QUOTES}").split('\n').map(str::to_owned)).collect()
        }
        Value::List(items) if !short => {
            let mut all = vec!["[".to_owned()];
            for (index, item) in items.iter().enumerate() {
                all.extend(indented(lines_with(item, &waits.index(index)), ","));
            }
            all.push("]".to_owned());
            all
        }
        Value::Map(map) if !short => {
            let mut all = vec!["{".to_owned()];
            for (key, value) in said(map, waits) {
                let mut inner = lines_with(value, &waits.field(key));
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

/// `name = value`, in as many lines as it takes.
pub fn lines_of(name: &str, value: &Value) -> Vec<String> {
    let mut lines = lines(value);
    if let Some(first) = lines.first_mut() {
        *first = format!("{} = {first}", terminal::one_line(name));
    }
    lines
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
fn named(value: &Value, waits: &Waits<'_>) -> Value {
    match value {
        Value::Unknown => Value::String(waits.text()),
        Value::List(items) => Value::List(items.iter().enumerate().map(|(index, item)| named(item, &waits.index(index))).collect()),
        Value::Map(map) => Value::Map(map.iter().map(|(key, value)| (key.clone(), named(value, &waits.field(key)))).collect()),
        other => other.clone(),
    }
}

/// A document as indented JSON, for comparing line by line.
pub fn document(value: &Value, waits: &Waits<'_>) -> String {
    serde_json::to_string_pretty(&as_json(value, waits)).unwrap_or_default()
}

/// The value as JSON, with words where something is unknown or sensitive.
pub fn as_json(value: &Value, waits: &Waits<'_>) -> Json {
    named(value, waits).to_public_json(&|_| Json::from(MASK))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_value_has_what_is_empty_in_it() {
        let map = Value::from(serde_json::json!({ "a": [], "b": { "c": {} }, "d": 1 }));
        assert_eq!(inline(&map), "{ b = { c = {} }, d = 1 }");
        assert_eq!(whole_inline(&map), "{ a = [], b = { c = {} }, d = 1 }");
        assert_eq!(
            whole_inline(&Value::List(vec![Value::Unknown, Value::string("x").into_secret()])),
            "[(known after apply), (sensitive)]"
        );
    }

    #[test]
    fn a_text_of_several_lines_is_shown_as_such_wherever_it_is() {
        let script = Value::string("#!/bin/sh\necho \"a\"\n");
        assert_eq!(lines(&script), ["\"\"\"", "#!/bin/sh", "echo \"a\"", "\"\"\""]);
        assert_eq!(lines(&Value::string("a\nb")), ["\"\"\"", "a", "b\"\"\""]);
        assert_eq!(lines(&Value::string("one\n")), ["\"one\\n\""]);
        let list = Value::List(vec![Value::string("-c"), script]);
        assert_eq!(lines(&list), ["[", "  \"-c\",", "  \"\"\"", "  #!/bin/sh", "  echo \"a\"", "  \"\"\",", "]"]);
        let map = Value::Map([("run".to_owned(), Value::string("a\nb\n"))].into());
        assert_eq!(lines(&map), ["{", "  run = \"\"\"", "  a", "  b", "  \"\"\"", "}"]);
        assert_eq!(lines(&Value::string("a\nb").into_secret()), [MASK]);
    }
}
