//! Values that may be absent: CEL's optional extension.

use super::arguments::Arguments;
use super::{Answer, Function, function, method};
use crate::model::value::Value;
use crate::stack::complaint::complaint;
use crate::stack::eval::Term;

pub const FUNCTIONS: &[Function] = &[
    function("optional.of", "optional.of(value)", (1, 1), |a| Ok(Term::optional(Some(a.value(0)?.clone()), false))).by_element().nulls(),
    function("optional.none", "optional.none()", (0, 0), |_| Ok(Term::optional(None, false))),
    function("optional.ofNonZeroValue", "optional.ofNonZeroValue(value)", (1, 1), of_non_zero).by_element().nulls(),
    method("hasValue", "x.?name.hasValue()", (1, 1), |a| {
        let (value, secret) = a.optional(0);
        Ok(Term::from(Value::Bool(value.is_some())).hidden(secret))
    })
    .by_element()
    .nulls(),
    method("value", "x.?name.value()", (1, 1), value).by_element().nulls(),
    method("orValue", "x.?name.orValue('default')", (2, 2), or_value).by_element().nulls(),
    method("or", "x.?name.or(y.?name)", (2, 2), or).by_element().nulls(),
    function("@items", "x.optMap(v, v.name)", (1, 1), items).by_element().nulls(),
    function("@only", "x.optMap(v, v.name)", (1, 1), |a| Ok(Term::optional(a.list(0)?.first().cloned(), false))).by_element(),
];

fn of_non_zero(a: &Arguments<'_>) -> Answer {
    let value = a.value(0)?;
    let zero = match value.revealed() {
        Value::Bool(flag) => !flag,
        Value::Int(number) => *number == 0,
        Value::Float(number) => *number == 0.0,
        Value::String(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Map(map) => map.is_empty(),
        Value::Null | Value::Unknown | Value::Secret(_) => false,
    };
    let secret = matches!(value, Value::Secret(_));
    Ok(Term::optional((!zero).then(|| value.clone()), secret && zero))
}

fn value(a: &Arguments<'_>) -> Answer {
    match a.optional(0) {
        (Some(value), secret) => Ok(Term::Plain(value).hidden(secret)),
        (None, _) => Err(complaint("there is no value", []).help("give one for that case with `.orValue(…)`", [])),
    }
}

fn or_value(a: &Arguments<'_>) -> Answer {
    match a.optional(0) {
        (Some(value), secret) => Ok(Term::Plain(value).hidden(secret)),
        (None, secret) => Ok(Term::from(a.value(1)?.clone()).hidden(secret)),
    }
}

fn or(a: &Arguments<'_>) -> Answer {
    let (value, secret) = a.optional(0);
    if value.is_some() {
        return Ok(Term::Optional { value, secret });
    }
    let (other, other_secret) = a.optional(1);
    Ok(Term::Optional { value: other, secret: secret || other_secret })
}

/// A list of the value, or of nothing: what `optMap` goes through.
fn items(a: &Arguments<'_>) -> Answer {
    let (value, secret) = a.optional(0);
    Ok(Term::from(Value::List(value.into_iter().map(std::rc::Rc::unwrap_or_clone).collect())).hidden(secret))
}
