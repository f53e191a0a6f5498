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
        here = here.and_then(|value| match segment {
            Segment::Field(name) => value.get(name),
            Segment::Index(index) => value.as_list()?.get(*index),
            Segment::Element(key) => value.as_list().and_then(|items| items.get(element(items, key)?)),
            Segment::Hidden(_) | Segment::Unknown(_) => None,
        });
    }
    here.cloned().unwrap_or(Value::Null)
}

/// `value` with `new` at a path; unchanged where the path leads nowhere.
pub fn put(value: Value, path: &[Segment], new: &Value) -> Value {
    let Some((segment, rest)) = path.split_first() else { return new.clone() };
    match (value, segment) {
        (Value::Secret(inner), _) => put(*inner, path, new).into_secret(),
        (Value::Map(mut map), Segment::Field(name)) => {
            let inner = map.remove(name).unwrap_or(Value::Null);
            map.insert(name.clone(), put(inner, rest, new));
            Value::Map(map)
        }
        (Value::List(items), Segment::Index(index)) => {
            let items = items.into_iter().enumerate();
            Value::List(items.map(|(number, item)| if number == *index { put(item, rest, new) } else { item }).collect())
        }
        (Value::List(items), Segment::Element(key)) => {
            let place = element(&items, key);
            let items = items.into_iter().enumerate();
            Value::List(items.map(|(number, item)| if Some(number) == place { put(item, rest, new) } else { item }).collect())
        }
        (value, _) => value,
    }
}

/// Which element of a keyed list has this key: by its name, or else by whichever attribute holds the key.
pub fn element(items: &[Value], key: &str) -> Option<usize> {
    let is = |value: &Value| value.as_str() == Some(key);
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
    fn a_pin_is_over_once_the_file_says_something_else_and_a_lasting_one_never() {
        let pin = Pin { value: json!("a:2"), instead_of: Some(json!("a:1")) };
        assert!(!pin.is_over(&Value::string("a:1")));
        assert!(pin.is_over(&Value::string("a:3")));
        assert!(!pin.is_over(&Value::Unknown));
        assert!(!Pin::lasting(0).is_over(&Value::from(json!(3))));
    }
}
