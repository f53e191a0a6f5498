//! What is given to a module against what its file declares.

use super::Use;
use crate::model::module::ModulePath;
use crate::model::value::Value;
use crate::stack::Stack;
use crate::stack::config::Variable;
use crate::stack::deps::Local;
use crate::stack::diagnostic::{Diagnostic, Diagnostics, Source, Span};
use crate::stack::expr::EvalError;
use crate::stack::vars;
use indexmap::IndexMap;

/// Reports what a module declares and is not given, and what it is given and does not declare.
pub(super) fn check(path: &ModulePath, used: &Use, declared: &IndexMap<String, Variable>, sources: &[Source], found: &mut Diagnostics) {
    for (name, variable) in declared.iter().filter(|(name, variable)| variable.default.is_none() && !used.inputs.contains_key(*name)) {
        let error = Diagnostic::error(&used.span, format!("{} is not given its input `{name}`", path.used()));
        let error = error.help(format!("add `{name} = …` under `[{}.inputs]`", path.used()));
        found.push(error.help(format!("the module declares it at {}", at(sources, &variable.span))));
    }
    for (name, field) in used.inputs.iter().filter(|(name, _)| !declared.contains_key(*name)) {
        let error = Diagnostic::error(&field.key, format!("{} has no input `{name}`", path.used()));
        let error = error.suggest(name, declared.keys().map(String::as_str));
        found.push(match declared.values().next() {
            Some(variable) => error.help(format!("the module declares its inputs from {} on", at(sources, &variable.span))),
            None => error.help(format!("the module {} declares none", used.source.0)),
        });
    }
}

/// The value of an input, as its declaration takes it; null stands for the default.
///
/// # Errors
/// When the declaration does not take it.
pub fn input(stack: &Stack, local: &Local, variable: &Variable, given: Option<Value>) -> Result<Value, EvalError> {
    let default = variable.default.as_ref().map(vars::constant);
    let value = match given {
        Some(Value::Null) | None => default.unwrap_or(Value::Unknown),
        Some(given) => given,
    };
    if let Some(misfit) = vars::misfit(variable, &value) {
        let error = EvalError::new(format!("input `{}` of {} {}", local.name, local.module, misfit.message));
        let help = format!("{}; the module declares it at {}", misfit.takes, at(&stack.sources, &variable.span));
        return Err(error.advice(help));
    }
    Ok(if variable.sensitive { value.into_secret() } else { value })
}

/// A place in words: file, line and column.
pub(super) fn at(sources: &[Source], span: &Span) -> String {
    let Some(source) = sources.get(span.file) else { return "a place that is not known".to_owned() };
    let before = source.text.get(..span.range.start).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("{}:{line}:{column}", source.path.display())
}
