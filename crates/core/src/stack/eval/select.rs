//! What is taken out of a value: `x.name`, `x['key']`, `x[0]`, `x.?name`, `x[?key]`, `has(x.name)`.

use cel::common::ast::{Expr as Ast, IdedExpr, LiteralValue, SelectExpr};

use super::{Evaluated, Evaluator, Term};
use crate::model::value::Value;
use crate::stack::complaint::{Complaint, complaint};
use crate::stack::diagnostic::suggestion;
use crate::stack::expr::EvalError;

impl<'a> Evaluator<'a> {
    pub(super) fn select(&mut self, select: &'a SelectExpr) -> Evaluated {
        let operand = self.eval(&select.operand)?;
        if select.test {
            return self.has(&operand, &select.field);
        }
        if let Term::Optional { value, secret } = &operand {
            let found = value.as_deref().and_then(|value| entry(value, &Value::string(&select.field)));
            return Ok(Term::optional(found, *secret));
        }
        if matches!(&operand, Term::Plain(value) if value.is_null()) {
            return Err(self.null(&select.operand, &format!("what `.{}` is taken from", select.field)));
        }
        self.taken(&operand, &Value::string(&select.field), false)
    }

    /// Whether there is a value of this name.
    fn has(&self, operand: &Term, field: &str) -> Evaluated {
        let (Some(value), secret) = (operand.inside(), operand.is_secret()) else {
            return Ok(Term::from(Value::Bool(false)).hidden(operand.is_secret()));
        };
        let there = match value.revealed() {
            Value::Unknown => return Ok(Value::Unknown.into()),
            Value::Null => false,
            Value::Map(map) => match map.get(field).map(Value::revealed) {
                Some(Value::Unknown) => return Ok(Value::Unknown.into()),
                found => found.is_some_and(|found| !found.is_null()),
            },
            other => return Err(EvalError::new(format!("`has` looks into a table, not into {}", other.kind()))),
        };
        Ok(Term::from(Value::Bool(there)).hidden(secret))
    }

    pub(super) fn index(&mut self, operand: &'a IdedExpr, index: &'a IdedExpr) -> Evaluated {
        let (of, at) = (self.eval(operand)?, self.eval(index)?);
        if of.is_unknown() || at.has_unknown() {
            return Ok(Value::Unknown.into());
        }
        let Some(key) = at.inside() else { return Err(EvalError::new("an index is a value that may be absent")) };
        if let Term::Optional { value, secret } = &of {
            let found = value.as_deref().and_then(|value| entry(value, key));
            return Ok(Term::optional(found, *secret || key.has_secret()));
        }
        for (node, term, what) in [(operand, &of, "what an element is taken from"), (index, &at, "an index")] {
            if matches!(term, Term::Plain(value) if value.is_null()) {
                return Err(self.null(node, what));
            }
        }
        self.taken(&of, key, true)
    }

    /// An element that may be absent: `x.?name` and `x[?key]`.
    pub(super) fn maybe(&mut self, operand: &'a IdedExpr, key: &'a IdedExpr) -> Evaluated {
        let of = self.eval(operand)?;
        let at = match &key.expr {
            Ast::Literal(LiteralValue::String(name)) => Term::from(Value::string(name.inner())),
            _ => self.eval(key)?,
        };
        if of.is_unknown() || at.has_unknown() {
            return Ok(Value::Unknown.into());
        }
        let secret = of.is_secret() || at.has_secret();
        let found = of.inside().zip(at.inside()).and_then(|(of, at)| entry(of, at));
        if matches!(found, Some(Value::Unknown)) {
            return Ok(Value::Unknown.into());
        }
        Ok(Term::optional(found.map(|found| if secret { found.into_secret() } else { found }), secret))
    }

    fn taken(&self, of: &Term, key: &Value, indexed: bool) -> Evaluated {
        let Some(value) = of.inside() else { return Ok(Value::Unknown.into()) };
        if matches!(value.revealed(), Value::Unknown) {
            return Ok(Value::Unknown.into());
        }
        let secret = of.is_secret() || key.has_secret();
        match entry(value, key) {
            Some(found) => {
                self.budget.value(&found).map_err(EvalError::exhausted)?;
                Ok(Term::from(found).hidden(secret))
            }
            None => Err(self.complain(absent(value.revealed(), key.revealed(), indexed), secret)),
        }
    }
}

/// The element of a table or list; nothing when there is none.
fn entry(value: &Value, key: &Value) -> Option<Value> {
    let found = match (value.revealed(), key.revealed()) {
        (Value::Map(map), Value::String(key)) => map.get(key),
        (Value::Map(map), Value::Int(key)) => map.get(&key.to_string()),
        (Value::List(items), Value::Int(index)) => usize::try_from(*index).ok().and_then(|index| items.get(index)),
        _ => None,
    }?;
    Some(if matches!(value, Value::Secret(_)) { found.clone().into_secret() } else { found.clone() })
}

fn absent(of: &Value, key: &Value, indexed: bool) -> Complaint {
    match (of, key) {
        (Value::Map(map), Value::String(_) | Value::Int(_)) => {
            let absent = complaint("there is no key `{}` here", [key.into()]);
            match key.as_str().and_then(|key| suggestion(key, map.keys().map(String::as_str))) {
                Some(near) => absent.help("{}", [near.into()]),
                None => absent,
            }
        }
        (Value::List(items), Value::Int(_)) => complaint("there is no element {}: the list has {}", [key.into(), items.len().into()]),
        (Value::List(_), _) if indexed => complaint("an element of a list is taken by its number, not by {}", [key.kind().into()]),
        (Value::List(_), _) => complaint("a list has no `{}`", [key.into()])
            .help("take it from each element: `list.map(x, x.name)` or `pluck(list, 'name')`", []),
        (_, Value::String(_) | Value::Int(_)) => complaint("{} has no `{}`", [of.kind().into(), key.into()]),
        _ => complaint("{} cannot be an index", [key.kind().into()]),
    }
}
