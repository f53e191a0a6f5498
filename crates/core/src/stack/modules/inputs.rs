//! What is given to a module against what its file declares.

use super::{Names, Use};
use crate::model::module::ModulePath;
use crate::model::value::Value;
use crate::stack::Stack;
use crate::stack::config::Variable;
use crate::stack::deps::Local;
use crate::stack::diagnostic::{Code, Diagnostic, Diagnostics, Source, Span};
use crate::stack::expr::EvalError;
use crate::stack::kind::{self, Kinds};
use crate::stack::vars;

/// Reports what a module declares and is not given, and what it is given and does not declare.
pub(super) fn check(path: &ModulePath, used: &Use, names: &Names, sources: &[Source], found: &mut Diagnostics) {
    if names.unread.anything {
        return;
    }
    let declared = &names.vars;
    for (name, variable) in declared.iter().filter(|(name, variable)| variable.default.is_none() && !used.inputs.contains_key(*name)) {
        let error = Diagnostic::error(Code::VariableWithoutValue, &used.span, format!("{} is not given its input `{name}`", path.used()));
        let error = error.help(format!("add `{name} = …` under `[{}.inputs]`", path.used()));
        found.push(error.help(format!("the module declares it at {}", at(sources, &variable.span))));
    }
    for (name, field) in used.inputs.iter().filter(|(name, _)| !declared.contains_key(*name)) {
        let error = Diagnostic::error(Code::UnknownVariable, &field.key, format!("{} has no input `{name}`", path.used()));
        let error = error.suggest(name, declared.keys().map(String::as_str));
        found.push(match declared.values().next() {
            Some(variable) => error.help(format!("the module declares its inputs from {} on", at(sources, &variable.span))),
            None => error.help(format!("the module {} declares none", used.source.0)),
        });
    }
}

/// What is given to modules and is of another kind than its default, as far as that can be told of what is not known.
pub fn of_other_kinds(stack: &Stack) -> Vec<Diagnostic> {
    let kinds = Kinds::new(stack);
    let given = stack.config.modules.instances.iter().flat_map(|(path, module)| module.inputs.iter().map(move |one| (path, module, one)));
    let misfits = given.filter_map(|(path, module, (name, field))| {
        let variable = module.names.vars.get(name)?;
        let wanted = kind::of_value(&vars::constant(variable.default.as_ref()?)).described()?;
        let is = kinds.of(&field.value).described().filter(|is| *is != wanted)?;
        let is_number = |kind: &str| kind.ends_with("number") || kind.ends_with("integer");
        (!is_number(is) || !is_number(wanted)).then(|| {
            let error =
                Diagnostic::error(Code::VariableRefused, &field.value.span, format!("input `{name}` of {path} is {wanted}, not {is}"));
            error.help(format!("the module declares it at {}", at(&stack.sources, &variable.span)))
        })
    });
    misfits.collect()
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
