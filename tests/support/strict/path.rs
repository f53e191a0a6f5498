//! Paths into members, and what may be asked of what is there.

use regex::Regex;
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use serde_json::Value;

use super::wire::text;

/// The parts of a path, each with whether it is a list's elements.
pub fn parts(path: &str) -> impl Iterator<Item = (&str, bool)> {
    path.split('.').filter(|part| !part.is_empty()).map(|part| match part.strip_suffix("[]") {
        Some(name) => (name, true),
        None => (part, false),
    })
}

/// All values at a path.
pub fn values<'a>(root: &'a Value, path: &str) -> Vec<&'a Value> {
    let mut found = vec![root];
    for (name, elements) in parts(path) {
        found = found.into_iter().filter_map(|value| value.get(name)).filter(|value| !value.is_null()).collect();
        if elements {
            found = found.into_iter().filter_map(Value::as_array).flatten().collect();
        }
    }
    found
}

/// All values at a path, to be changed.
pub fn values_mut<'a>(root: &'a mut Value, path: &str) -> Vec<&'a mut Value> {
    let mut found = vec![root];
    for (name, elements) in parts(path) {
        found = found.into_iter().filter_map(|value| value.get_mut(name)).collect();
        if elements {
            found = found.into_iter().filter_map(Value::as_array_mut).flatten().collect();
        }
    }
    found
}

/// What is asked of what is at a path.
#[derive(Clone, Debug)]
pub enum Test {
    /// It is this.
    Equals(Value),
    /// All of these.
    Asked(Box<Asked>),
}

/// The questions; all that are there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    equals: Option<Value>,
    not: Option<Value>,
    any_of: Option<Vec<Value>>,
    above: Option<f64>,
    below: Option<f64>,
    longer: Option<usize>,
    present: Option<bool>,
    empty: Option<bool>,
    matches: Option<String>,
}

impl<'de> Deserialize<'de> for Test {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if !value.is_object() {
            return Ok(Self::Equals(value));
        }
        let asked: Asked = serde_json::from_value(value).map_err(Error::custom)?;
        if let Some(pattern) = &asked.matches {
            Regex::new(pattern).map_err(Error::custom)?;
        }
        Ok(Self::Asked(Box::new(asked)))
    }
}

impl Test {
    /// Whether it holds of any of these values.
    pub fn holds(&self, values: &[&Value]) -> bool {
        match self {
            Self::Equals(wanted) => values.iter().any(|value| same(value, wanted)),
            Self::Asked(asked) => asked.holds(values),
        }
    }
}

impl Asked {
    fn holds(&self, values: &[&Value]) -> bool {
        let there = self.present.is_none_or(|wanted| wanted != values.is_empty());
        let empty = self.empty.is_none_or(|wanted| wanted == values.iter().all(|value| is_empty(value)));
        let asks_values = self.equals.is_some()
            || self.not.is_some()
            || self.any_of.is_some()
            || self.above.is_some()
            || self.below.is_some()
            || self.longer.is_some()
            || self.matches.is_some();
        there && empty && (!asks_values || values.iter().any(|value| self.holds_of(value)))
    }

    fn holds_of(&self, value: &Value) -> bool {
        let number = text(value).parse::<f64>().ok();
        let pattern = self.matches.as_deref().and_then(|pattern| Regex::new(pattern).ok());
        let length = value.as_array().map_or_else(|| text(value).chars().count(), Vec::len);
        self.equals.as_ref().is_none_or(|wanted| same(value, wanted))
            && self.not.as_ref().is_none_or(|wanted| !same(value, wanted))
            && self.any_of.as_ref().is_none_or(|wanted| wanted.iter().any(|wanted| same(value, wanted)))
            && self.above.is_none_or(|limit| number.is_some_and(|number| number > limit))
            && self.below.is_none_or(|limit| number.is_some_and(|number| number < limit))
            && self.longer.is_none_or(|limit| length > limit)
            && pattern.is_none_or(|pattern| pattern.is_match(&text(value)))
    }
}

/// Values are the same that are written the same.
fn same(one: &Value, other: &Value) -> bool {
    one == other || !one.is_object() && !one.is_array() && text(one) == text(other)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
