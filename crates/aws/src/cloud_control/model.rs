//! Between values of stack files and the models that Cloud Control reads and writes.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::shape::{Part, Property, Shape, TagForm};
use leoctl_core::model::state::is_digest;
use leoctl_core::model::value::Value;
use leoctl_core::plan::desired::{ADDRESS_TAG, STACK_TAG};

/// The model of a resource with these attributes, without what AWS sets and what is not known.
pub fn model(properties: &[Property], value: &Value) -> Map<String, Json> {
    let mut model = Map::new();
    for property in properties.iter().filter(|property| !property.computed) {
        if let Some(json) = value.get(&property.name).and_then(|value| part(&property.part, value)) {
            model.insert(property.aws.clone(), json);
        }
    }
    model
}

fn part(of: &Part, value: &Value) -> Option<Json> {
    let value = value.revealed();
    Some(match (&of.shape, value) {
        (_, Value::Null | Value::Unknown) => return None,
        // Of a secret that is remembered only by its hash nothing can be said.
        (Shape::Scalar, Value::String(text)) if is_digest(text) => return None,
        (Shape::Object(properties), Value::Map(_)) => Json::Object(model(properties, value)),
        (Shape::Map(item), Value::Map(map)) => {
            Json::Object(map.iter().filter_map(|(key, value)| Some((key.clone(), part(item, value)?))).collect())
        }
        (Shape::List(item), Value::List(items)) => Json::Array(items.iter().filter_map(|value| part(item, value)).collect()),
        (Shape::Tags(form), Value::Map(map)) => tags(form, map),
        (Shape::Document { text: true }, Value::Map(_) | Value::List(_)) => Json::String(plain(value)?.to_string()),
        _ => plain(value)?,
    })
}

fn plain(value: &Value) -> Option<Json> {
    value.to_json().ok()
}

fn tags(form: &TagForm, map: &BTreeMap<String, Value>) -> Json {
    let text = |value: &Value| value.as_str().map_or_else(|| plain(value).unwrap_or_default(), Json::from);
    match form {
        TagForm::Table => Json::Object(map.iter().map(|(key, value)| (key.clone(), text(value))).collect()),
        TagForm::List { key, value, more } => {
            let one = |(name, of): (&String, &Value)| {
                let mut tag = Map::from_iter([(key.clone(), Json::from(name.as_str())), (value.clone(), text(of))]);
                // What says whose a resource is says it of that one alone, and not of what it starts.
                let is_ours = [STACK_TAG, ADDRESS_TAG].contains(&name.as_str());
                tag.extend(more.iter().map(|(key, value)| (key.clone(), if is_ours { Json::Bool(false) } else { value.clone() })));
                Json::Object(tag)
            };
            Json::Array(map.iter().map(one).collect())
        }
    }
}

/// The attributes of a resource with this model.
pub fn attributes(properties: &[Property], model: &Json) -> BTreeMap<String, Value> {
    let known = properties.iter().filter_map(|property| {
        let json = model.get(&property.aws).filter(|json| !json.is_null())?;
        Some((property.name.clone(), value(&property.part, json)))
    });
    known.collect()
}

fn value(of: &Part, json: &Json) -> Value {
    match (&of.shape, json) {
        (Shape::Object(properties), Json::Object(_)) => Value::Map(attributes(properties, json)),
        (Shape::Map(item), Json::Object(map)) => Value::Map(map.iter().map(|(key, json)| (key.clone(), value(item, json))).collect()),
        (Shape::List(item), Json::Array(items)) => Value::List(items.iter().map(|json| value(item, json)).collect()),
        (Shape::Tags(form), json) => Value::Map(read_tags(form, json)),
        _ => Value::from(json),
    }
}

fn read_tags(form: &TagForm, json: &Json) -> BTreeMap<String, Value> {
    let all: Vec<(&str, &Json)> = match (form, json) {
        (TagForm::List { key, value, .. }, Json::Array(tags)) => {
            tags.iter().filter_map(|tag| Some((tag.get(key)?.as_str()?, tag.get(value).unwrap_or(&Json::Null)))).collect()
        }
        (_, Json::Object(map)) => map.iter().map(|(key, value)| (key.as_str(), value)).collect(),
        _ => Vec::new(),
    };
    // Those that AWS sets itself are not ours to see.
    let ours = all.into_iter().filter(|(key, _)| !key.starts_with("aws:"));
    ours.map(|(key, value)| (key.to_owned(), if value.is_null() { Value::string("") } else { Value::from(value) })).collect()
}

/// What changes from one model to another, as JSON Patch (RFC 6902): inside tables by property, lists whole.
pub fn patch(from: &Map<String, Json>, to: &Map<String, Json>) -> Vec<Json> {
    let mut operations = Vec::new();
    between(from, to, "", &mut operations);
    operations
}

fn between(from: &Map<String, Json>, to: &Map<String, Json>, at: &str, operations: &mut Vec<Json>) {
    let pointer = |name: &str| format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
    for name in from.keys().filter(|name| !to.contains_key(*name)) {
        operations.push(serde_json::json!({ "op": "remove", "path": pointer(name) }));
    }
    for (name, value) in to {
        match from.get(name) {
            Some(before) if before == value => {}
            Some(Json::Object(before)) if value.as_object().is_some_and(|value| !value.is_empty()) && !before.is_empty() => {
                if let Some(value) = value.as_object() {
                    between(before, value, &pointer(name), operations);
                }
            }
            before => {
                let op = if before.is_some() { "replace" } else { "add" };
                operations.push(serde_json::json!({ "op": op, "path": pointer(name), "value": value }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::patch;

    fn between(from: Json, to: Json) -> Vec<String> {
        let operations = patch(from.as_object().unwrap(), to.as_object().unwrap());
        operations.iter().map(|one| format!("{} {}", one["op"].as_str().unwrap(), one["path"].as_str().unwrap())).collect()
    }

    #[test]
    fn a_patch_has_what_changes_and_nothing_else() {
        let from = json!({ "A": 1, "B": { "C": 1, "D": [1, 2], "E/F": 1 }, "G": "x" });
        assert!(between(from.clone(), from.clone()).is_empty());
        let to = json!({ "A": 1, "B": { "C": 2, "D": [2], "E/F": 2 }, "H": {} });
        assert_eq!(between(from, to), ["remove /G", "replace /B/C", "replace /B/D", "replace /B/E~1F", "add /H"]);
    }
}
