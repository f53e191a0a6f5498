//! Reading what is written of a resource, as far as it is known, to say before AWS does what it would refuse.

use leoctl_core::model::path::Path;
use leoctl_core::model::value::Value;

/// A problem, and the path of what it is with.
pub type Problem = (Path, String);

/// The text at `key`, where it is one and known.
pub fn text<'a>(of: &'a Value, key: &str) -> Option<&'a str> {
    of.get(key).and_then(Value::as_str)
}

/// The whole number at `key`, where it is one and known.
pub fn int(of: &Value, key: &str) -> Option<i64> {
    match of.get(key) {
        Some(Value::Int(number)) => Some(*number),
        _ => None,
    }
}

/// The elements of the list at `key`; none where it is no list or not known.
pub fn list<'a>(of: &'a Value, key: &str) -> &'a [Value] {
    of.get(key).and_then(Value::as_list).unwrap_or_default()
}

/// Whether something is written at `key`, known or not.
pub fn is_given(of: &Value, key: &str) -> bool {
    of.get(key).is_some_and(|value| !value.is_null())
}

/// A problem with the attribute `name`.
pub fn problem(name: &str, what: impl Into<String>) -> Problem {
    (Path::attribute(name), what.into())
}

/// A problem with the attribute `name`, where there is one.
pub fn problem_if(is_there: bool, name: &str, what: &str) -> Option<Problem> {
    is_there.then(|| problem(name, what))
}
