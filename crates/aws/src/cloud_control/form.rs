//! What form a part of a schema has.

use serde_json::Value as Json;

use super::facts::list;

/// What a schema says a part is.
pub enum Form {
    /// Text.
    Text,
    /// A document that AWS takes as text.
    Json,
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// Any number.
    Float,
    /// A list.
    List,
    /// A table.
    Object,
    /// Anything.
    Any,
}

/// What a schema says a part is: by its type, or where it names none by what else it says.
pub fn form(schema: &Json) -> Form {
    let is_document = schema.get("format").and_then(Json::as_str) == Some("json");
    match schema.get("type") {
        Some(Json::String(name)) => named(name, is_document),
        Some(Json::Array(names)) => {
            let names: Vec<&str> = names.iter().filter_map(Json::as_str).filter(|name| *name != "null").collect();
            match names.as_slice() {
                [one] => named(one, is_document),
                several if several.contains(&"object") || several.contains(&"array") => Form::Any,
                several if several.contains(&"string") => Form::Text,
                _ => Form::Any,
            }
        }
        _ => untyped(schema),
    }
}

fn named(name: &str, is_document: bool) -> Form {
    match name {
        "string" if is_document => Form::Json,
        "string" => Form::Text,
        "boolean" => Form::Bool,
        "integer" => Form::Int,
        "number" => Form::Float,
        "array" => Form::List,
        "object" if is_document => Form::Any,
        "object" => Form::Object,
        _ => Form::Any,
    }
}

/// A schema without a type says by other words what it is.
fn untyped(schema: &Json) -> Form {
    let has = |key: &str| schema.get(key).is_some();
    let alternatives = || ["oneOf", "anyOf", "allOf"].iter().flat_map(|key| list(schema, key));
    let of_objects = |one: &Json| one.get("properties").is_some() || one.get("$ref").is_some() || one.get("required").is_some();
    match () {
        () if has("properties") || has("patternProperties") => Form::Object,
        () if has("items") => Form::List,
        () if list(schema, "enum").iter().any(Json::is_string) => Form::Text,
        () if alternatives().next().is_some() && alternatives().all(of_objects) => Form::Object,
        () if has("maxLength") && !has("oneOf") && !has("anyOf") => Form::Text,
        () => Form::Any,
    }
}
