//! What macros like `map`, `filter`, `all` and `exists` become: a loop over a list or the keys of a table.

use std::rc::Rc;

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr as Ast, IdedExpr, operators};

use super::{Evaluated, Evaluator, Term};
use crate::model::value::Value;
use crate::stack::expr::EvalError;

impl<'a> Evaluator<'a> {
    pub(super) fn comprehension(&mut self, of: &'a ComprehensionExpr) -> Evaluated {
        let range = self.eval(&of.iter_range)?;
        let secret = range.is_secret();
        let items: Vec<Value> = match range.inside().map(Value::revealed) {
            Some(Value::Unknown) => return Ok(self.cut_short()),
            Some(Value::List(items)) => items.clone(),
            Some(Value::Map(map)) => match self.keys_for_values(of).filter(|_| !map.is_empty()) {
                Some(error) => return Err(error),
                None => map.keys().map(Value::string).collect(),
            },
            Some(Value::Null) => return Err(self.null(&of.iter_range, "what a macro goes through")),
            _ => {
                let error = EvalError::new(format!("a macro goes through a list or table, not through {}", range.kind()));
                return Err(error.advice("`.map(x, …)`, `.filter(x, …)`, `.all(x, …)` and `.exists(x, …)` are called on lists and tables"));
            }
        };
        let depth = self.bound.len();
        let mut made = self.eval(&of.accu_init)?;
        let mut hidden = secret;
        for item in items {
            self.bound.truncate(depth);
            self.bound.push((&of.accu_var, made.clone()));
            let goes_on = self.eval(&of.loop_cond)?;
            if goes_on.is_unknown() {
                self.bound.truncate(depth);
                return Ok(self.cut_short());
            }
            if matches!(goes_on.inside().map(Value::revealed), Some(Value::Bool(false))) {
                break;
            }
            self.bound.truncate(depth);
            self.budget.value(&item).map_err(EvalError::exhausted)?;
            let item = Term::from(if secret { item.into_secret() } else { item });
            self.bound.push((&of.iter_var, item));
            made = self.step(&of.loop_step, &of.accu_var, made, &mut hidden)?;
            // A list of which it is not known what is in it cannot be gone on with.
            if made.is_unknown() && matches!(of.accu_init.expr, Ast::List(_)) {
                self.bound.truncate(depth);
                return Ok(self.cut_short());
            }
        }
        self.bound.truncate(depth);
        self.bound.push((&of.accu_var, made));
        let result = self.eval(&of.result);
        self.bound.truncate(depth);
        Ok(result?.hidden(hidden))
    }

    /// One step of a loop. What is made so far is handed on and not copied when the step adds to it, which is how `map`
    /// and `filter` are written.
    fn step(&mut self, step: &'a IdedExpr, name: &'a str, made: Term, hidden: &mut bool) -> Evaluated {
        self.spend(1)?;
        let is_made = |node: &IdedExpr| matches!(&node.expr, Ast::Ident(of) if of == name);
        if let Ast::Call(CallExpr { func_name, args, target: None }) = &step.expr {
            match (func_name.as_str(), args.as_slice()) {
                (operators::ADD, [left, right]) if is_made(left) => {
                    if let (Ast::List(added), Term::Plain(list)) = (&right.expr, &made)
                        && matches!(**list, Value::List(_))
                    {
                        let added = self.list(added)?;
                        return Ok(append(made, added));
                    }
                }
                (operators::CONDITIONAL, [condition, then, otherwise]) if is_made(otherwise) => {
                    let decision = self.eval(condition)?;
                    // What a secret lets in shows something of it.
                    *hidden |= decision.is_secret();
                    return match decision.inside().map(Value::revealed) {
                        Some(Value::Unknown) => Ok(Value::Unknown.into()),
                        Some(Value::Bool(true)) => self.step(then, name, made, hidden),
                        Some(Value::Bool(false)) => Ok(made),
                        _ => Err(self.no_boolean("the condition of a macro", condition, &decision)),
                    };
                }
                _ => {}
            }
        }
        self.bound.push((name, made));
        let result = self.eval(step);
        self.bound.pop();
        result
    }
}

/// One list behind another.
fn append(made: Term, added: Term) -> Term {
    match (made, added) {
        (Term::Plain(mut made), Term::Plain(added)) => {
            if let (Value::List(items), Value::List(more)) = (Rc::make_mut(&mut made), Rc::unwrap_or_clone(added)) {
                items.extend(more);
            }
            Term::Plain(made)
        }
        (made, _) => made,
    }
}
