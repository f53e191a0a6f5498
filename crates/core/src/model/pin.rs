//! Pins: attributes that a command has set otherwise than the stack file says, and that are to stay so.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::path::{Path, Segment};
use super::value::Value;

/// The pins of one resource, by attribute.
pub type Pins = BTreeMap<Path, Pin>;

/// One attribute that stays as a command has set it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// What it is set to.
    pub value: Json,
    /// What the stack file said then: the pin is over once the file says anything else. Without it the pin stays until
    /// it is released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<Json>,
}

impl Pin {
    /// A pin that stays until it is released.
    pub fn lasting(value: impl Into<Json>) -> Self {
        Self { value: value.into(), instead_of: None }
    }

    /// Whether it is over now that the stack file says this.
    pub fn is_over(&self, says: &Value) -> bool {
        self.instead_of.as_ref().is_some_and(|then| !says.has_unknown() && Value::from(then) != *says.revealed())
    }
}

/// What is at a path; null when nothing is.
pub fn at(value: &Value, path: &Path) -> Value {
    let mut here = Some(value);
    for segment in &path.0 {
        here = here.and_then(|value| match value.as_list() {
            Some(items) => items.get(position(items, segment)?),
            None => value.get(segment.name()?),
        });
    }
    here.cloned().unwrap_or(Value::Null)
}

/// `value` with `new` at a path; unchanged where the path leads nowhere.
pub fn put(value: Value, path: &[Segment], new: &Value) -> Value {
    let Some((segment, rest)) = path.split_first() else { return new.clone() };
    match (value, segment) {
        (Value::Secret(inner), _) => put(*inner, path, new).into_secret(),
        (Value::Map(mut map), Segment::Name(name)) => {
            let inner = map.remove(name.as_str()).unwrap_or(Value::Null);
            map.insert(name.as_str().to_owned(), put(inner, rest, new));
            Value::Map(map)
        }
        (Value::List(items), segment) => {
            let place = position(&items, segment);
            let items = items.into_iter().enumerate();
            Value::List(items.map(|(number, item)| if Some(number) == place { put(item, rest, new) } else { item }).collect())
        }
        (value, _) => value,
    }
}

/// The element of a list that one step of a path leads to.
pub fn position(items: &[Value], segment: &Segment) -> Option<usize> {
    match segment {
        Segment::Name(name) => element(items, name.as_str()),
        Segment::Index(index) => Some(*index).filter(|index| *index < items.len()),
        Segment::Hidden(_) | Segment::Unknown(_) => None,
    }
}

/// Which element of a keyed list has this key: by its name, or else by whichever attribute holds the key.
fn element(items: &[Value], key: &str) -> Option<usize> {
    let is = |value: &Value| match value.revealed() {
        Value::String(text) => text == key,
        Value::Int(number) => number.to_string() == key,
        _ => false,
    };
    let named = items.iter().position(|item| item.get("name").is_some_and(is));
    named.or_else(|| items.iter().position(|item| item.as_map().is_some_and(|map| map.values().any(is))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_put_at_a_path_is_found_there() {
        let task = Value::from(
            json!({ "cpu": 256, "container_definitions": [{ "name": "web", "image": "a:1" }, { "name": "log", "image": "b", "user": "web" }] }),
        );
        let path = Path::parse(r#"container_definitions["web"].image"#).unwrap();
        assert_eq!(at(&task, &path), Value::string("a:1"));
        let changed = put(task.clone(), &path.0, &Value::string("a:2"));
        assert_eq!(at(&changed, &path), Value::string("a:2"));
        assert_eq!(at(&changed, &Path::parse(r#"container_definitions["log"].image"#).unwrap()), Value::string("b"));
        let nowhere = Path::parse(r#"container_definitions["none"].image"#).unwrap();
        assert_eq!(put(task.clone(), &nowhere.0, &Value::string("x")), task);
        assert_eq!(at(&task, &nowhere), Value::Null);
    }

    #[test]
    fn a_name_leads_to_the_same_however_it_is_written() {
        let task = Value::from(json!({ "tags": { "a/b": "1", "web": "2" }, "containers": [{ "name": "web", "image": "a:1" }] }));
        for (path, is) in [(r#"tags["a/b"]"#, "1"), (r#"tags["web"]"#, "2"), ("tags.web", "2"), ("containers.web.image", "a:1")] {
            let path = Path::parse(path).unwrap();
            assert_eq!(at(&task, &path), Value::string(is), "{path}");
            assert_eq!(at(&put(task.clone(), &path.0, &Value::string("x")), &path), Value::string("x"), "{path}");
        }
    }

    #[test]
    fn an_element_is_found_by_a_number_that_is_its_key() {
        let connect = Value::from(json!({ "ports": [{ "port": 80, "name": "a" }, { "port": 443, "name": "b" }] }));
        assert_eq!(at(&connect, &Path::parse(r#"ports["443"].name"#).unwrap()), Value::string("b"));
    }

    #[test]
    fn a_pin_is_over_once_the_file_says_something_else_and_a_lasting_one_never() {
        let pin = Pin { value: json!("a:2"), instead_of: Some(json!("a:1")) };
        assert!(!pin.is_over(&Value::string("a:1")));
        assert!(pin.is_over(&Value::string("a:3")));
        assert!(!pin.is_over(&Value::Unknown));
        assert!(!Pin::lasting(0).is_over(&Value::from(json!(3))));
    }
}
