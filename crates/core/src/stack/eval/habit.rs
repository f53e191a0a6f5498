//! What to write instead of calls that are written as if tables were lists, and lists were texts.

use cel::common::ast::{ComprehensionExpr, Expr as Ast, IdedExpr, LiteralValue};

use super::{Evaluator, Term};
use crate::model::value::Value;
use crate::stack::expr::EvalError;
use crate::stack::reference::Placeholder;

impl Evaluator<'_> {
    /// A plain node as it is written.
    fn written(&self, node: &IdedExpr) -> Option<String> {
        match &node.expr {
            Ast::Ident(name) => match Placeholder::of(name) {
                Some(Placeholder::Reference(number)) => self.of.references.get(number).map(ToString::to_string),
                Some(Placeholder::Part(number)) => self.of.parts.get(number).and_then(|part| self.written(part)),
                None => Some(name.clone()),
            },
            Ast::Literal(LiteralValue::String(text)) => Some(format!("'{}'", text.inner())),
            Ast::Select(select) if !select.test => Some(format!("{}.{}", self.written(&select.operand)?, select.field)),
            _ => None,
        }
    }

    /// The error of a loop through a table that takes its keys for its values.
    pub(super) fn keys_for_values(&self, of: &ComprehensionExpr) -> Option<EvalError> {
        let name = &of.iter_var;
        let field = field_of(&of.loop_step, name)?;
        let table = self.written(&of.iter_range);
        let shown = table.as_deref().unwrap_or("the table");
        let error = EvalError::new(format!("`{name}` is each key of `{shown}` in turn here, a text, and has no `{field}`"));
        let table = table.unwrap_or_else(|| "table".to_owned());
        Some(match is_only(&of.loop_step, name) {
            true => error.advice(format!("write `pluck({table}, '{field}')`")),
            false => error.advice(format!("write `values({table})` in its place, whose elements have it")),
        })
    }

    /// The error of a call with what to write instead.
    pub(super) fn instead(&self, function: &str, nodes: &[&IdedExpr], terms: &[Term], error: EvalError) -> EvalError {
        if error.help.is_some() {
            return error;
        }
        let first = terms.first().and_then(Term::inside).map(Value::revealed);
        let written = |at: usize| nodes.get(at).and_then(|node| self.written(node));
        match (function, first) {
            ("contains", Some(Value::List(_))) => {
                let (list, item) = (written(0), written(1));
                let cure = list.zip(item).map(|(list, item)| format!("write `{item} in {list}`"));
                error.advice(cure.unwrap_or_else(|| "write `x in list`".to_owned()))
            }
            ("pluck", Some(Value::Map(map))) if !map.values().any(|value| matches!(value.revealed(), Value::Map(_))) => {
                match written(0).zip(nodes.get(1)) {
                    Some((one, IdedExpr { expr: Ast::Literal(LiteralValue::String(field)), .. })) => {
                        let field = field.inner();
                        error.advice(format!(
                            "`{one}` is one, and no table of several: write `{one}.{field}`, or `[{one}.{field}]` for a list"
                        ))
                    }
                    _ => error,
                }
            }
            _ => error,
        }
    }
}

/// The field that is taken of a name.
fn field_of<'a>(node: &'a IdedExpr, name: &str) -> Option<&'a str> {
    match &node.expr {
        Ast::Select(select) => match &select.operand.expr {
            Ast::Ident(of) if of == name => Some(&select.field),
            _ => field_of(&select.operand, name),
        },
        Ast::Call(call) => call.target.as_deref().into_iter().chain(&call.args).find_map(|node| field_of(node, name)),
        Ast::List(list) => list.elements.iter().find_map(|node| field_of(node, name)),
        _ => None,
    }
}

/// Whether a loop makes a list of one field and nothing else.
fn is_only(step: &IdedExpr, name: &str) -> bool {
    let Ast::Call(call) = &step.expr else { return false };
    let Some(Ast::List(list)) = call.args.last().map(|last| &last.expr) else { return false };
    matches!(list.elements.as_slice(), [IdedExpr { expr: Ast::Select(select), .. }] if matches!(&select.operand.expr, Ast::Ident(of) if of == name))
}
