//! Functions that make one kind of value of another. There are no bytes in the stack language: they are texts.

use std::fmt::Write as _;
use std::sync::LazyLock;

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::arguments::Arguments;
use super::{Answer, Function, function};
use crate::model::value::Value;
use crate::model::{base64, percent};
use crate::stack::complaint::{Complaint, complaint};
use crate::stack::eval::Term;

pub const FUNCTIONS: &[Function] = &[
    function("string", "string(value)", (1, 1), string),
    function("int", "int(value)", (1, 1), int),
    function("double", "double(value)", (1, 1), double),
    function("bool", "bool(value)", (1, 1), bool),
    function("bytes", "bytes(text)", (1, 1), |a| Ok(Value::string(a.text(0)?).into())),
    function("dyn", "dyn(value)", (1, 1), |a| Ok(a.value(0)?.clone().into())).by_element().nulls(),
    function("type", "type(value)", (1, 1), type_of).by_element().nulls(),
    function("jsonencode", "jsonencode(value)", (1, 1), jsonencode).nulls(),
    function("jsondecode", "jsondecode(text)", (1, 1), jsondecode),
    function("base64.encode", "base64.encode(text)", (1, 1), |a| Ok(Value::String(base64::encode(a.text(0)?.as_bytes())).into())),
    function("base64.decode", "base64.decode(text)", (1, 1), base64_decode),
    function("yamldecode", "yamldecode(text)", (1, 1), yamldecode),
    function("sensitive", "sensitive(value)", (1, 1), |a| Ok(Term::from(a.value(0)?.clone()).hidden(true))).nulls(),
    function("md5", "md5(text)", (1, 1), |a| Ok(Value::String(hexadecimal(&Md5::digest(a.text(0)?))).into())),
    function("sha1", "sha1(text)", (1, 1), |a| Ok(Value::String(hexadecimal(&Sha1::digest(a.text(0)?))).into())),
    function("sha256", "sha256(text)", (1, 1), |a| Ok(Value::String(hexadecimal(&Sha256::digest(a.text(0)?))).into())),
    function("sha512", "sha512(text)", (1, 1), |a| Ok(Value::String(hexadecimal(&Sha512::digest(a.text(0)?))).into())),
    function("urlencode", "urlencode(text)", (1, 1), urlencode),
];

fn string(a: &Arguments<'_>) -> Answer {
    Ok(Value::String(match a.revealed(0)? {
        Value::String(_) => a.text(0)?.to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => return Err(a.wrong(0, "a string, number or boolean").help("`jsonencode(…)` makes a text of lists and tables", [])),
    })
    .into())
}

fn int(a: &Arguments<'_>) -> Answer {
    Ok(Value::Int(match a.revealed(0)? {
        Value::Int(number) => *number,
        // Every float of this range has a whole part that fits.
        Value::Float(number) if number.abs() < 9.2e18 => number.trunc() as i64,
        Value::Float(number) => return Err(complaint("{} does not fit in 64 bits", [number.to_string().into()])),
        Value::String(text) => text.trim().parse().map_err(|_| complaint("\"{}\" is not a whole number", [text.clone().into()]))?,
        _ => return Err(a.wrong(0, "a number or string")),
    })
    .into())
}

fn double(a: &Arguments<'_>) -> Answer {
    Ok(Value::Float(match a.revealed(0)? {
        Value::String(text) => text.trim().parse().map_err(|_| complaint("\"{}\" is not a number", [text.clone().into()]))?,
        Value::Int(_) | Value::Float(_) => a.float(0)?,
        _ => return Err(a.wrong(0, "a number or string")),
    })
    .into())
}

fn bool(a: &Arguments<'_>) -> Answer {
    Ok(Value::Bool(match a.revealed(0)? {
        Value::Bool(flag) => *flag,
        Value::String(text) => match text.as_str() {
            "true" | "TRUE" | "True" | "t" | "1" => true,
            "false" | "FALSE" | "False" | "f" | "0" => false,
            other => return Err(complaint("\"{}\" is neither true nor false", [other.to_owned().into()])),
        },
        _ => return Err(a.wrong(0, "a boolean or string")),
    })
    .into())
}

/// The name of a value's type, as CEL has it: `type(x) == int` compares two of them.
fn type_of(a: &Arguments<'_>) -> Answer {
    let name = match a.revealed(0)? {
        Value::Null | Value::Unknown | Value::Secret(_) => "null_type",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Float(_) => "double",
        Value::String(_) => "string",
        Value::List(_) => "list",
        Value::Map(_) => "map",
    };
    Ok(Value::string(name).into())
}

/// Compact JSON text with sorted keys.
fn jsonencode(a: &Arguments<'_>) -> Answer {
    if !a.value(0)?.is_finite() {
        return Err(complaint("JSON has no number that is infinite or not a number at all", []));
    }
    let text = a.value(0)?.to_json().map(|json| json.to_string()).unwrap_or_default();
    a.budget.text(text.len())?;
    Ok(Value::String(text).into())
}

fn jsondecode(a: &Arguments<'_>) -> Answer {
    decoded(serde_json::from_str::<serde_json::Value>(a.text(0)?).map_err(|error| not_json(&error))?)
}

fn decoded(json: serde_json::Value) -> Answer {
    if has_long_integer(&json) {
        let wrong = complaint("a whole number in it does not fit in 64 bits, and would lose digits", []);
        return Err(wrong.help("write that number in quotes", []));
    }
    Ok(Value::from(json).into())
}

/// Where a text stops being JSON; the parser's own words are no one's else.
pub fn not_json(error: &serde_json::Error) -> Complaint {
    complaint("it is not JSON from line {}, column {} on", [error.line().into(), error.column().into()])
}

/// Whether there is a whole number in it that 64 bits do not hold, and that would lose digits.
pub fn has_long_integer(json: &serde_json::Value) -> bool {
    match json {
        serde_json::Value::Number(number) => number.as_i64().is_none() && number.is_u64(),
        serde_json::Value::Array(items) => items.iter().any(has_long_integer),
        serde_json::Value::Object(map) => map.values().any(has_long_integer),
        _ => false,
    }
}

fn base64_decode(a: &Arguments<'_>) -> Answer {
    let text = a.text(0)?;
    let bytes = base64::decode(text).ok_or_else(|| complaint("`{}` is not base64", [text.to_owned().into()]))?;
    let decoded = String::from_utf8(bytes);
    decoded.map(|text| Value::String(text).into()).map_err(|_| complaint("what it decodes to is not text in UTF-8", []))
}

fn hexadecimal(hash: &[u8]) -> String {
    hash.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// A number that YAML 1.2 reads without its leading zero, or as a fraction where it is long: no account number any more.
static LEADING_ZERO: LazyLock<Option<regex_lite::Regex>> =
    LazyLock::new(|| regex_lite::Regex::new(r"(?m)(?:^[ \t]*|[:\-\[,][ \t]+|\[)(0[0-9_]+)[ \t]*(?:$|[,\]}]|[ \t]#)").ok());

/// What YAML says. Its anchors cannot make more of it than an expression may have.
fn yamldecode(a: &Arguments<'_>) -> Answer {
    let text = a.text(0)?;
    if let Some(found) = LEADING_ZERO.as_ref().and_then(|regex| regex.captures(text)).and_then(|found| found.get(1)) {
        let wrong = complaint("the number {} in it begins with a zero, and would lose it", [found.as_str().to_owned().into()]);
        return Err(wrong.help("write that number in quotes", []));
    }
    let parsed = serde_saphyr::from_str::<serde_json::Value>(text).map_err(|error| match error.location() {
        Some(at) => complaint("it is not YAML from line {}, column {} on", [(at.line() as usize).into(), (at.column() as usize).into()]),
        None => complaint("it is not YAML", []),
    });
    decoded(parsed?)
}

/// The text with everything but letters, digits and `-_.~` in percent form (RFC 3986, section 2.3).
fn urlencode(a: &Arguments<'_>) -> Answer {
    Ok(Value::String(percent::encode(a.text(0)?)).into())
}
