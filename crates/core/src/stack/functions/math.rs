//! CEL's math extension.

use super::arguments::Arguments;
use super::{Answer, Function, function};
use crate::model::value::Value;
use crate::stack::complaint::{Complaint, complaint};
use crate::stack::eval::order;

pub const FUNCTIONS: &[Function] = &[
    function("math.greatest", "math.greatest(a, b)", (1, 64), |a| extreme(a, std::cmp::Ordering::Greater)),
    function("math.least", "math.least(a, b)", (1, 64), |a| extreme(a, std::cmp::Ordering::Less)),
    function("math.ceil", "math.ceil(1.5)", (1, 1), |a| float(a, f64::ceil)),
    function("math.floor", "math.floor(1.5)", (1, 1), |a| float(a, f64::floor)),
    function("math.round", "math.round(1.5)", (1, 1), |a| float(a, f64::round)),
    function("math.trunc", "math.trunc(1.5)", (1, 1), |a| float(a, f64::trunc)),
    function("math.sqrt", "math.sqrt(2.0)", (1, 1), |a| float(a, f64::sqrt)),
    function("math.abs", "math.abs(-1)", (1, 1), abs),
    function("math.sign", "math.sign(-1)", (1, 1), sign),
    function("math.isNaN", "math.isNaN(x)", (1, 1), |a| Ok(Value::Bool(a.float(0)?.is_nan()).into())),
    function("math.isInf", "math.isInf(x)", (1, 1), |a| Ok(Value::Bool(a.float(0)?.is_infinite()).into())),
    function("math.isFinite", "math.isFinite(x)", (1, 1), |a| Ok(Value::Bool(a.float(0)?.is_finite()).into())),
    function("math.bitAnd", "math.bitAnd(a, b)", (2, 2), |a| Ok(Value::Int(a.int(0)? & a.int(1)?).into())),
    function("math.bitOr", "math.bitOr(a, b)", (2, 2), |a| Ok(Value::Int(a.int(0)? | a.int(1)?).into())),
    function("math.bitXor", "math.bitXor(a, b)", (2, 2), |a| Ok(Value::Int(a.int(0)? ^ a.int(1)?).into())),
    function("math.bitNot", "math.bitNot(a)", (1, 1), |a| Ok(Value::Int(!a.int(0)?).into())),
    function("math.bitShiftLeft", "math.bitShiftLeft(a, 1)", (2, 2), |a| {
        Ok(Value::Int(a.int(0)?.checked_shl(bits(a)?).unwrap_or(0)).into())
    }),
    function("math.bitShiftRight", "math.bitShiftRight(a, 1)", (2, 2), |a| {
        // The sign is not kept: the bits move as they are.
        let shifted = (a.int(0)? as u64).checked_shr(bits(a)?).unwrap_or(0);
        Ok(Value::Int(shifted as i64).into())
    }),
];

fn bits(a: &Arguments<'_>) -> Result<u32, Complaint> {
    let bits = a.int(1)?;
    u32::try_from(bits).map_err(|_| complaint("it cannot shift by {} bits", [bits.into()]))
}

fn float(a: &Arguments<'_>, of: fn(f64) -> f64) -> Answer {
    Ok(Value::Float(of(a.float(0)?)).into())
}

fn abs(a: &Arguments<'_>) -> Answer {
    Ok(match a.revealed(0)? {
        Value::Int(number) => {
            Value::Int(number.checked_abs().ok_or_else(|| complaint("{} has no counterpart above zero", [(*number).into()]))?)
        }
        _ => Value::Float(a.float(0)?.abs()),
    }
    .into())
}

fn sign(a: &Arguments<'_>) -> Answer {
    Ok(match a.revealed(0)? {
        Value::Int(number) => Value::Int(number.signum()),
        _ => match a.float(0)? {
            0.0 => Value::Float(0.0),
            other => Value::Float(other.signum()),
        },
    }
    .into())
}

/// The greatest or least of the arguments, or of the one list.
fn extreme(a: &Arguments<'_>, wanted: std::cmp::Ordering) -> Answer {
    let numbers: Vec<Value> = match (a.count(), a.revealed(0)?) {
        (1, Value::List(_)) => a.list(0)?.to_vec(),
        (count, _) => (0..count).map(|index| Ok(a.revealed(index)?.clone())).collect::<Result<_, Complaint>>()?,
    };
    let mut best: Option<Value> = None;
    for number in numbers {
        if !matches!(number.revealed(), Value::Int(_) | Value::Float(_)) {
            return Err(complaint("{} is no number", [number.kind().into()]));
        }
        if best.as_ref().is_none_or(|best| order(&number, best) == Some(wanted)) {
            best = Some(number);
        }
    }
    best.map(Into::into).ok_or_else(|| complaint("the list is empty", []))
}
