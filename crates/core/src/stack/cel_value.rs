//! Values on their way into CEL and out of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use cel::Value as Cel;
use cel::objects::{Key, Map as CelMap};

use super::expr::EvalError;
use crate::model::value::Value;

/// The longest text an expression may make, in bytes: doubled forty times over, any text fills the memory.
const LONGEST: usize = 4 << 20;

/// A value as CEL sees it, secrets revealed.
pub fn to_cel(value: &Value) -> Cel {
    match value {
        Value::Null | Value::Unknown => Cel::Null,
        Value::Bool(flag) => Cel::Bool(*flag),
        Value::Int(number) => Cel::Int(*number),
        Value::Float(number) => Cel::Float(*number),
        Value::String(text) => Cel::String(Arc::new(text.clone())),
        Value::List(items) => Cel::List(Arc::new(items.iter().map(to_cel).collect())),
        Value::Map(map) => {
            let map: HashMap<Key, Cel> = map.iter().map(|(k, v)| (Key::from(k.clone()), to_cel(v))).collect();
            Cel::Map(CelMap { map: Arc::new(map) })
        }
        Value::Secret(inner) => to_cel(inner),
    }
}

/// What CEL computed, as a value.
///
/// # Errors
/// When it is a kind the stack language has not, such as bytes.
pub fn from_cel(value: &Cel) -> Result<Value, EvalError> {
    Ok(match value {
        Cel::Null => Value::Null,
        Cel::Bool(flag) => Value::Bool(*flag),
        Cel::Int(number) => Value::Int(*number),
        Cel::UInt(number) => i64::try_from(*number).map_or(Value::Float(*number as f64), Value::Int),
        Cel::Float(number) => Value::Float(*number),
        Cel::String(text) if text.len() > LONGEST => {
            return Err(EvalError::new(format!("the result has {} MB of text, which is surely a mistake", text.len() >> 20)));
        }
        Cel::String(text) => Value::String(text.to_string()),
        Cel::List(items) => Value::List(items.iter().map(from_cel).collect::<Result<_, _>>()?),
        Cel::Map(map) => {
            let mut out = BTreeMap::new();
            for (key, value) in map.map.iter() {
                let key = match key {
                    Key::String(text) => text.to_string(),
                    Key::Int(number) => number.to_string(),
                    Key::Uint(number) => number.to_string(),
                    Key::Bool(flag) => flag.to_string(),
                };
                out.insert(key, from_cel(value)?);
            }
            Value::Map(out)
        }
        other => return Err(EvalError::new(format!("the result is {}, which no attribute can hold", other.type_of()))),
    })
}
