//! Values: what attributes hold, including what is not known yet and what must not be shown.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::path::{Path, Segment};

/// A value of the stack language.
///
/// Equality is that of the diff: [`Value::Unknown`] equals nothing, itself included, and a secret equals
/// the value it hides.
#[derive(Clone, Debug)]
pub enum Value {
    /// Absent.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    String(String),
    /// A sequence.
    List(Vec<Value>),
    /// A table, in key order.
    Map(BTreeMap<String, Value>),
    /// Known only after something has been applied.
    Unknown,
    /// A value that is never written or shown.
    Secret(Box<Value>),
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self.revealed(), other.revealed()) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b,
            // A whole number may come back from JSON as either.
            (Self::Int(a), Self::Float(b)) | (Self::Float(b), Self::Int(a)) => (*a as f64) == *b,
            (Self::String(a), Self::String(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => a == b,
            _ => false,
        }
    }
}

impl Value {
    /// A text value.
    pub fn string(text: impl Into<String>) -> Self {
        Self::String(text.into())
    }

    /// The value with the secrecy of its outermost layer taken off.
    pub fn revealed(&self) -> &Self {
        match self {
            Self::Secret(inner) => inner.revealed(),
            other => other,
        }
    }

    /// This value as a secret; secrets and unknowns stay as they are.
    pub fn into_secret(self) -> Self {
        match self {
            Self::Secret(_) | Self::Unknown | Self::Null => self,
            other => Self::Secret(Box::new(other)),
        }
    }

    /// Whether this is [`Value::Null`].
    pub fn is_null(&self) -> bool {
        matches!(self.revealed(), Self::Null)
    }

    /// Whether anything in this value is unknown.
    pub fn has_unknown(&self) -> bool {
        self.any(&|value| matches!(value, Self::Unknown))
    }

    /// Whether anything in this value is secret.
    pub fn has_secret(&self) -> bool {
        self.any(&|value| matches!(value, Self::Secret(_)))
    }

    /// Whether every number in this value is one that can be written down: neither infinite nor the result of a
    /// computation without one.
    pub fn is_finite(&self) -> bool {
        !self.any(&|value| matches!(value, Self::Float(number) if !number.is_finite()))
    }

    fn any(&self, test: &dyn Fn(&Self) -> bool) -> bool {
        test(self)
            || match self {
                Self::List(items) => items.iter().any(|item| item.any(test)),
                Self::Map(map) => map.values().any(|item| item.any(test)),
                Self::Secret(inner) => inner.any(test),
                _ => false,
            }
    }

    /// The text, if this is text.
    pub fn as_str(&self) -> Option<&str> {
        match self.revealed() {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The table, if this is one.
    pub fn as_map(&self) -> Option<&BTreeMap<String, Value>> {
        match self.revealed() {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The sequence, if this is one.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self.revealed() {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The value under `key` of a table.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?.get(key)
    }

    /// What kind of value this is, for messages: `a string`, `a list`, ….
    pub fn kind(&self) -> &'static str {
        match self.revealed() {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a number",
            Self::String(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "a table",
            Self::Unknown | Self::Secret(_) => "a value",
        }
    }

    /// The value as JSON, secrets revealed: what a resource handler is given.
    ///
    /// # Errors
    /// The path of the first unknown in it.
    pub fn to_json(&self) -> Result<Json, Path> {
        self.json_at(&Path::default())
    }

    fn json_at(&self, path: &Path) -> Result<Json, Path> {
        Ok(match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::from(*value),
            Self::Int(value) => Json::from(*value),
            Self::Float(value) => Json::from(*value),
            Self::String(value) => Json::from(value.as_str()),
            Self::List(items) => Json::Array(
                items.iter().enumerate().map(|(i, item)| item.json_at(&path.join(Segment::Index(i)))).collect::<Result<_, _>>()?,
            ),
            Self::Map(map) => Json::Object(
                map.iter()
                    .map(|(key, item)| Ok((key.clone(), item.json_at(&path.join(Segment::field(key)))?)))
                    .collect::<Result<_, _>>()?,
            ),
            Self::Secret(inner) => inner.json_at(path)?,
            Self::Unknown => return Err(path.clone()),
        })
    }

    /// The value as JSON that may be shown or stored: unknowns are null, secrets what `mask` makes of them.
    pub fn to_public_json(&self, mask: &dyn Fn(&Value) -> Json) -> Json {
        match self {
            Self::Unknown => Json::Null,
            Self::Secret(inner) => mask(inner),
            Self::List(items) => Json::Array(items.iter().map(|item| item.to_public_json(mask)).collect()),
            Self::Map(map) => Json::Object(map.iter().map(|(key, item)| (key.clone(), item.to_public_json(mask))).collect()),
            Self::Null => Json::Null,
            Self::Bool(value) => Json::from(*value),
            Self::Int(value) => Json::from(*value),
            Self::Float(value) => Json::from(*value),
            Self::String(value) => Json::from(value.as_str()),
        }
    }

    /// The paths at which `test` holds, outermost first; nothing below a hit is looked at.
    pub fn paths_where(&self, test: &dyn Fn(&Value) -> bool) -> Vec<Path> {
        let mut found = Vec::new();
        self.collect_paths(&Path::default(), test, &mut found);
        found
    }

    fn collect_paths(&self, path: &Path, test: &dyn Fn(&Value) -> bool, found: &mut Vec<Path>) {
        if test(self) {
            found.push(path.clone());
            return;
        }
        match self {
            Self::List(items) => {
                for (i, item) in items.iter().enumerate() {
                    item.collect_paths(&path.join(Segment::Index(i)), test, found);
                }
            }
            Self::Map(map) => {
                for (key, item) in map {
                    item.collect_paths(&path.join(Segment::field(key)), test, found);
                }
            }
            _ => {}
        }
    }
}

impl From<&Json> for Value {
    fn from(json: &Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => match number.as_i64() {
                Some(int) => Self::Int(int),
                None => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => Self::String(text.clone()),
            Json::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Json::Object(map) => Self::Map(map.iter().map(|(key, item)| (key.clone(), Self::from(item))).collect()),
        }
    }
}

impl From<Json> for Value {
    fn from(json: Json) -> Self {
        Self::from(&json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_equals_nothing() {
        assert_ne!(Value::Unknown, Value::Unknown);
        assert_ne!(Value::List(vec![Value::Unknown]), Value::List(vec![Value::Unknown]));
    }

    #[test]
    fn a_secret_equals_what_it_hides_and_is_masked() {
        let secret = Value::string("s3cret").into_secret();
        assert_eq!(secret, Value::string("s3cret"));
        let shown = Value::List(vec![secret]).to_public_json(&|_| Json::from("***"));
        assert_eq!(shown, serde_json::json!(["***"]));
    }

    #[test]
    fn json_names_the_unknown() {
        let value = Value::Map([("a".to_owned(), Value::List(vec![Value::Int(1), Value::Unknown]))].into());
        assert_eq!(value.to_json().unwrap_err().to_string(), "a[1]");
    }
}
