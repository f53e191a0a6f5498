//! Functions of lists, and those that texts, lists and tables have in common.

use super::arguments::Arguments;
use super::{Answer, Function, function, method};
use crate::model::value::Value;
use crate::stack::complaint::{Complaint, complaint};
use crate::stack::eval::{Term, order};

pub const FUNCTIONS: &[Function] = &[
    function("size", "size(value)", (1, 1), size).either().by_element(),
    method("reverse", "list.reverse()", (1, 1), reverse).by_element(),
    method("slice", "list.slice(0, 2)", (3, 3), slice).by_element(),
    method("flatten", "list.flatten()", (1, 2), flatten).by_element(),
    method("distinct", "list.distinct()", (1, 1), distinct),
    method("sort", "list.sort()", (1, 1), sort),
    function("@sorted", "list.sortBy(x, x.name)", (1, 1), sorted_by),
    method("first", "list.first()", (1, 1), |a| Ok(Term::optional(a.list(0)?.first().cloned(), false))).by_element(),
    method("last", "list.last()", (1, 1), |a| Ok(Term::optional(a.list(0)?.last().cloned(), false))).by_element(),
    function("lists.range", "lists.range(3)", (1, 1), range),
    function("range", "range(3)", (1, 1), range),
];

fn size(a: &Arguments<'_>) -> Answer {
    let size = match a.revealed(0)? {
        Value::String(text) => text.chars().count(),
        Value::List(items) => items.len(),
        Value::Map(map) => map.len(),
        _ => return Err(a.wrong(0, "a string, list or table")),
    };
    Ok(Value::Int(i64::try_from(size).unwrap_or(i64::MAX)).into())
}

fn reverse(a: &Arguments<'_>) -> Answer {
    Ok(match a.revealed(0)? {
        Value::String(text) => {
            a.budget.text(text.len())?;
            Value::String(text.chars().rev().collect())
        }
        Value::List(items) => {
            a.budget.value(a.value(0)?)?;
            Value::List(items.iter().rev().cloned().collect())
        }
        _ => return Err(a.wrong(0, "a list or string")),
    }
    .into())
}

fn slice(a: &Arguments<'_>) -> Answer {
    let (items, start, end) = (a.list(0)?, a.int(1)?, a.int(2)?);
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok()).and_then(|(start, end)| items.get(start..end));
    let Some(part) = range else {
        return Err(complaint("there are no elements from {} to {}: the list has {}", [start.into(), end.into(), items.len().into()]));
    };
    Ok(Value::List(part.to_vec()).into())
}

fn flatten(a: &Arguments<'_>) -> Answer {
    let depth = if a.count() > 1 { a.int(1)? } else { 1 };
    if depth < 0 {
        return Err(complaint("the depth {} is below 0", [depth.into()]));
    }
    a.budget.value(a.value(0)?)?;
    let mut flat = Vec::new();
    flatten_into(a.list(0)?, depth, &mut flat);
    Ok(Value::List(flat).into())
}

fn flatten_into(items: &[Value], depth: i64, flat: &mut Vec<Value>) {
    for item in items {
        match item {
            Value::List(inner) if depth > 0 => flatten_into(inner, depth - 1, flat),
            // Secret as a whole: so is each of its elements.
            Value::Secret(secret) if depth > 0 && secret.as_list().is_some() => {
                let inner: Vec<Value> = secret.as_list().unwrap_or_default().iter().cloned().map(Value::into_secret).collect();
                flatten_into(&inner, depth - 1, flat);
            }
            other => flat.push(other.clone()),
        }
    }
}

fn distinct(a: &Arguments<'_>) -> Answer {
    let mut seen: Vec<Value> = Vec::new();
    for item in a.list(0)? {
        a.budget.elements(seen.len())?;
        if !seen.contains(item) {
            seen.push(item.clone());
        }
    }
    Ok(Value::List(seen).into())
}

fn sort(a: &Arguments<'_>) -> Answer {
    let mut items: Vec<(Value, Value)> = a.list(0)?.iter().map(|item| (item.clone(), item.clone())).collect();
    sort_pairs(a, &mut items)?;
    Ok(Value::List(items.into_iter().map(|(_, item)| item).collect()).into())
}

/// The second elements of pairs, in the order of the first: what `sortBy` becomes.
fn sorted_by(a: &Arguments<'_>) -> Answer {
    let pair = |pair: &Value| match pair.as_list() {
        Some([key, item]) => (key.clone(), item.clone()),
        _ => (Value::Null, pair.clone()),
    };
    let mut pairs: Vec<(Value, Value)> = a.list(0)?.iter().map(pair).collect();
    sort_pairs(a, &mut pairs)?;
    Ok(Value::List(pairs.into_iter().map(|(_, item)| item).collect()).into())
}

fn sort_pairs(a: &Arguments<'_>, pairs: &mut [(Value, Value)]) -> Result<(), Complaint> {
    a.budget.elements(pairs.len().saturating_mul(20))?;
    for pair in pairs.windows(2) {
        if let [(one, _), (other, _)] = pair
            && order(one, other).is_none()
        {
            let wrong = complaint("{} and {} have no order", [one.kind().into(), other.kind().into()]);
            return Err(wrong.help("sort numbers, or texts, or booleans; `list.sortBy(x, x.name)` sorts tables", []));
        }
    }
    pairs.sort_by(|(one, _), (other, _)| order(one, other).unwrap_or(std::cmp::Ordering::Equal));
    Ok(())
}

/// `lists.range(3)`: 0, 1, 2.
fn range(a: &Arguments<'_>) -> Answer {
    let end = a.int(0)?;
    a.budget.spend(u64::try_from(end).unwrap_or(0))?;
    Ok(Value::List((0..end).map(Value::Int).collect()).into())
}
