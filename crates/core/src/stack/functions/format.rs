//! `'%s'.format([…])` of CEL's strings extension.

use super::arguments::Arguments;
use super::{Answer, Function, method};
use crate::model::value::Value;
use crate::stack::complaint::{Complaint, complaint};

pub const FUNCTIONS: &[Function] = &[method("format", "'%s'.format([x])", (2, 2), format)];

fn format(a: &Arguments<'_>) -> Answer {
    let (pattern, values) = (a.text(0)?, a.list(1)?);
    let mut values = values.iter();
    let mut text = String::new();
    let mut rest = pattern;
    while let Some((before, behind)) = rest.split_once('%') {
        text.push_str(before);
        if let Some(tail) = behind.strip_prefix('%') {
            text.push('%');
            rest = tail;
            continue;
        }
        let (precision, tail) = precision(behind)?;
        let mut letters = tail.chars();
        let Some(clause) = letters.next() else { return Err(complaint("the text ends inside of a `%` clause", [])) };
        let value = values.next().ok_or_else(|| complaint("there are more `%` clauses than values in the list", []))?;
        text.push_str(&clause_text(clause, precision, value.revealed())?);
        a.budget.text(text.len())?;
        rest = letters.as_str();
    }
    text.push_str(rest);
    Ok(Value::String(text).into())
}

/// The digits behind a point in front of a clause, 6 when there are none, and what follows.
fn precision(text: &str) -> Result<(usize, &str), Complaint> {
    let Some(digits) = text.strip_prefix('.') else { return Ok((6, text)) };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let (number, tail) = digits.split_at_checked(end).unwrap_or((digits, ""));
    match number.parse() {
        Ok(number) if number <= 100 => Ok((number, tail)),
        _ => Err(complaint("the digits behind a point are from 0 to 100", [])),
    }
}

fn clause_text(clause: char, precision: usize, value: &Value) -> Result<String, Complaint> {
    let wrong = |expected: &'static str| complaint("a `%` clause wants {}, not {}", [expected.into(), value.kind().into()]);
    let number = || match value {
        Value::Int(number) => Ok(*number as f64),
        Value::Float(number) => Ok(*number),
        _ => Err(wrong("a number")),
    };
    Ok(match (clause, value) {
        ('s', _) => plain(value),
        ('d', Value::Int(number)) => number.to_string(),
        ('d', Value::Float(number)) => number.to_string(),
        ('d', _) => return Err(wrong("a number")),
        ('f', _) => format!("{:.precision$}", number()?),
        ('e', _) => exponent(&format!("{:.precision$e}", number()?)),
        ('b', Value::Int(number)) => format!("{number:b}"),
        ('b', Value::Bool(flag)) => u8::from(*flag).to_string(),
        ('o', Value::Int(number)) => format!("{number:o}"),
        ('x', Value::Int(number)) => format!("{number:x}"),
        ('X', Value::Int(number)) => format!("{number:X}"),
        ('x', Value::String(text)) => text.bytes().map(|byte| format!("{byte:02x}")).collect(),
        ('X', Value::String(text)) => text.bytes().map(|byte| format!("{byte:02X}")).collect(),
        ('b' | 'o' | 'x' | 'X', _) => return Err(wrong("a whole number")),
        (other, _) => {
            return Err(
                complaint("there is no clause `%{}`", [other.to_string().into()]).help("there are %s %d %f %e %b %o %x %X and %%", [])
            );
        }
    })
}

/// Two digits of an exponent at least, and its sign, as in C.
fn exponent(text: &str) -> String {
    match text.split_once('e') {
        Some((digits, power)) => match power.strip_prefix('-') {
            Some(power) => format!("{digits}e-{power:0>2}"),
            None => format!("{digits}e+{power:0>2}"),
        },
        None => text.to_owned(),
    }
}

fn plain(value: &Value) -> String {
    match value.revealed() {
        Value::String(text) => text.clone(),
        Value::Null | Value::Unknown | Value::Secret(_) => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::List(items) => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(", ")),
        Value::Map(map) => {
            let entries: Vec<String> = map.iter().map(|(key, value)| format!("{key}: {}", plain(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}
