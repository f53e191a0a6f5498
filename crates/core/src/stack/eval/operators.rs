//! CEL's operators on two known values.

use std::cmp::Ordering;

use crate::model::value::Value;
use crate::stack::budget::Budget;
use crate::stack::complaint::{Complaint, complaint};

/// An operator that computes with both of its sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
}

impl Binary {
    /// The operator CEL's parser gives this name.
    pub fn of(name: &str) -> Option<Self> {
        use cel::common::ast::operators as cel;
        Some(match name {
            cel::ADD => Self::Add,
            cel::SUBSTRACT => Self::Subtract,
            cel::MULTIPLY => Self::Multiply,
            cel::DIVIDE => Self::Divide,
            cel::MODULO => Self::Modulo,
            cel::EQUALS => Self::Equal,
            cel::NOT_EQUALS => Self::NotEqual,
            cel::LESS => Self::Less,
            cel::LESS_EQUALS => Self::LessOrEqual,
            cel::GREATER => Self::Greater,
            cel::GREATER_EQUALS => Self::GreaterOrEqual,
            cel::IN => Self::In,
            _ => return None,
        })
    }

    /// It as it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
        }
    }

    /// Whether null may stand on either side.
    pub fn takes_null(self) -> bool {
        matches!(self, Self::Equal | Self::NotEqual)
    }
}

/// What an operator makes of two values, both known and revealed.
///
/// # Errors
/// When it cannot be used on them.
pub fn binary(operator: Binary, left: &Value, right: &Value, budget: &Budget<'_>) -> Result<Value, Complaint> {
    match operator {
        Binary::Add => add(left, right, budget),
        Binary::Subtract | Binary::Multiply | Binary::Divide | Binary::Modulo => arithmetic(operator, left, right),
        Binary::Equal | Binary::NotEqual => {
            budget.value(left)?;
            budget.value(right)?;
            Ok(Value::Bool((left == right) == (operator == Binary::Equal)))
        }
        Binary::In => contained(left, right, budget),
        Binary::Less => compared(operator, left, right, Ordering::is_lt),
        Binary::LessOrEqual => compared(operator, left, right, Ordering::is_le),
        Binary::Greater => compared(operator, left, right, Ordering::is_gt),
        Binary::GreaterOrEqual => compared(operator, left, right, Ordering::is_ge),
    }
}

fn unfit(operator: Binary, left: &Value, right: &Value) -> Complaint {
    let unfit = complaint("`{}` cannot be used on {} and {}", [operator.sign().into(), left.kind().into(), right.kind().into()]);
    match (operator, left, right) {
        (Binary::Add, Value::String(_), Value::Int(_) | Value::Float(_) | Value::Bool(_))
        | (Binary::Add, Value::Int(_) | Value::Float(_) | Value::Bool(_), Value::String(_)) => {
            unfit.help("make a text of it with `string(x)`, or write text and `${…}` side by side", [])
        }
        (Binary::Add, Value::List(_), _) => unfit.help("add one element with `list + [x]`", []),
        (Binary::Add, Value::Map(_), _) => unfit.help("`merge(a, b)` puts tables together", []),
        (_, Value::String(_), _) | (_, _, Value::String(_)) => unfit.help("make a number of a text with `int(x)`", []),
        _ => unfit,
    }
}

fn add(left: &Value, right: &Value, budget: &Budget<'_>) -> Result<Value, Complaint> {
    match (left, right) {
        (Value::String(left), Value::String(right)) => {
            budget.text(left.len() + right.len())?;
            Ok(Value::String(format!("{left}{right}")))
        }
        (Value::List(first), Value::List(second)) => {
            budget.value(left)?;
            budget.value(right)?;
            Ok(Value::List(first.iter().chain(second).cloned().collect()))
        }
        _ => arithmetic(Binary::Add, left, right),
    }
}

fn arithmetic(operator: Binary, left: &Value, right: &Value) -> Result<Value, Complaint> {
    let too_large = || complaint("the result of `{}` does not fit in 64 bits", [operator.sign().into()]);
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => {
            if *right == 0 && matches!(operator, Binary::Divide | Binary::Modulo) {
                return Err(complaint("nothing can be divided by zero", []));
            }
            let result = match operator {
                Binary::Subtract => left.checked_sub(*right),
                Binary::Multiply => left.checked_mul(*right),
                Binary::Divide => left.checked_div(*right),
                Binary::Modulo => left.checked_rem(*right),
                _ => left.checked_add(*right),
            };
            result.map(Value::Int).ok_or_else(too_large)
        }
        (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) if operator != Binary::Modulo => {
            let number = |value: &Value| match value {
                Value::Int(number) => *number as f64,
                Value::Float(number) => *number,
                _ => f64::NAN,
            };
            let (left, right) = (number(left), number(right));
            Ok(Value::Float(match operator {
                Binary::Subtract => left - right,
                Binary::Multiply => left * right,
                Binary::Divide => left / right,
                _ => left + right,
            }))
        }
        _ => Err(unfit(operator, left, right)),
    }
}

fn contained(left: &Value, right: &Value, budget: &Budget<'_>) -> Result<Value, Complaint> {
    match (left, right) {
        (_, Value::List(items)) => {
            budget.value(right)?;
            Ok(Value::Bool(items.contains(left)))
        }
        (Value::String(key), Value::Map(map)) => Ok(Value::Bool(map.contains_key(key))),
        (Value::String(_), Value::String(_)) => Err(unfit(Binary::In, left, right).help("write `text.contains('part')`", [])),
        (Value::List(_) | Value::Map(_), _) => {
            Err(unfit(Binary::In, left, right).help("what it is in stands behind `in`: `x in list`", []))
        }
        _ => Err(unfit(Binary::In, left, right)),
    }
}

fn compared(operator: Binary, left: &Value, right: &Value, fits: fn(Ordering) -> bool) -> Result<Value, Complaint> {
    match order(left, right) {
        Some(order) => Ok(Value::Bool(fits(order))),
        // Nothing compares with what is not a number.
        None if matches!((left, right), (Value::Float(_), Value::Int(_) | Value::Float(_)) | (Value::Int(_), Value::Float(_))) => {
            Ok(Value::Bool(false))
        }
        None => Err(unfit(operator, left, right)),
    }
}

/// The order of two numbers, texts or booleans; others have none.
pub fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left.revealed(), right.revealed()) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::Int(left), Value::Float(right)) => (*left as f64).partial_cmp(right),
        (Value::Float(left), Value::Int(right)) => left.partial_cmp(&(*right as f64)),
        (Value::Float(left), Value::Float(right)) => left.partial_cmp(right),
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        _ => None,
    }
}
