//! Functions of tables, and of resources with `for_each`, which are tables of resources.

use std::collections::BTreeMap;

use super::arguments::Arguments;
use super::{Answer, Function, function};
use crate::model::value::Value;
use crate::stack::complaint::{Complaint, complaint};
use crate::stack::eval::Term;

pub const FUNCTIONS: &[Function] = &[
    function("pluck", "pluck(resources, 'field')", (2, 2), pluck).by_element(),
    function("keys", "keys(table)", (1, 1), |a| Ok(Value::List(a.table(0)?.keys().map(Value::string).collect()).into())).by_element(),
    function("values", "values(table)", (1, 1), |a| Ok(Value::List(a.table(0)?.values().cloned().collect()).into())).by_element(),
    function("merge", "merge(a, b)", (1, 64), merge).by_element(),
    function("zipmap", "zipmap(keys, values)", (2, 2), zipmap).by_element(),
    function("coalesce", "coalesce(a, b)", (1, 64), coalesce).by_element().nulls(),
];

/// That field of every instance or element, in key order.
fn pluck(a: &Arguments<'_>) -> Answer {
    let field = a.text(1)?;
    let of = |item: &Value| -> Result<Value, Complaint> {
        let secret = matches!(item, Value::Secret(_));
        let found = match item.revealed() {
            Value::Map(map) => map.get(field).cloned().ok_or_else(|| complaint("an element has no `{}`", [field.to_owned().into()]))?,
            Value::Unknown => Value::Unknown,
            other => return Err(complaint("an element is {}, not a table", [other.kind().into()])),
        };
        Ok(if secret { found.into_secret() } else { found })
    };
    let plucked: Vec<Value> = match a.revealed(0)? {
        Value::List(_) => a.list(0)?.iter().map(of).collect::<Result<_, _>>()?,
        Value::Map(_) => a.table(0)?.values().map(of).collect::<Result<_, _>>()?,
        _ => return Err(a.wrong(0, "a table or list")),
    };
    plucked.iter().try_for_each(|value| a.budget.value(value))?;
    Ok(Value::List(plucked).into())
}

/// The entries of all tables; where several have one, the last table's.
fn merge(a: &Arguments<'_>) -> Answer {
    let mut merged = BTreeMap::new();
    for index in 0..a.count() {
        for (key, value) in a.table(index)? {
            a.budget.value(value)?;
            merged.insert(key.clone(), value.clone());
        }
    }
    Ok(Value::Map(merged).into())
}

/// A table of these keys and values. A secret key makes the table secret: keys cannot be hidden one by one.
fn zipmap(a: &Arguments<'_>) -> Answer {
    let (keys, values) = (a.list(0)?, a.list(1)?);
    if keys.len() != values.len() {
        return Err(complaint("there are {} keys but {} values", [keys.len().into(), values.len().into()]));
    }
    if keys.iter().any(|key| matches!(key.revealed(), Value::Unknown)) {
        return Ok(Value::Unknown.into());
    }
    let mut map = BTreeMap::new();
    for (key, value) in keys.iter().zip(values) {
        let Some(name) = key.as_str() else { return Err(complaint("a key is {}, not a string", [key.kind().into()])) };
        a.budget.value(value)?;
        map.insert(name.to_owned(), value.clone());
    }
    let secret = keys.iter().any(Value::has_secret);
    Ok(Term::from(Value::Map(map)).hidden(secret))
}

/// The first that has a value.
fn coalesce(a: &Arguments<'_>) -> Answer {
    for index in 0..a.count() {
        let value = a.value(index)?;
        if !value.is_null() {
            return Ok(value.clone().into());
        }
    }
    Ok(Value::Null.into())
}
