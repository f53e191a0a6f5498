//! The conditions that variables have to meet, `[[vars.NAME.validate]]`: of the stack's own and of inputs.

use crate::model::module::ModulePath;
use crate::model::value::Value;
use crate::stack::Stack;
use crate::stack::check::failed;
use crate::stack::config::{Validation, Variable};
use crate::stack::deps::{Local, LocalKind};
use crate::stack::diagnostic::{Code, Diagnostic, Span};
use crate::stack::modules::inputs::at;
use crate::stack::scope::StackScope;

/// What is wrong with the values of variables, as far as they are known in a scope.
pub fn validations(stack: &Stack, scope: &StackScope<'_>) -> Vec<Diagnostic> {
    wrong_in(stack, scope, &|_| true)
}

/// What is wrong with the inputs of a module, and of those that it is in, as far as they are known in a scope.
pub fn validations_of(module: &ModulePath, stack: &Stack, scope: &StackScope<'_>) -> Vec<Diagnostic> {
    wrong_in(stack, scope, &|path| module.is_in(path))
}

fn wrong_in(stack: &Stack, scope: &StackScope<'_>, is_asked: &dyn Fn(&ModulePath) -> bool) -> Vec<Diagnostic> {
    let root = ModulePath::default();
    let modules = stack.config.modules.instances.iter().map(|(path, module)| (path, &module.names.vars));
    let asked = [(&root, &stack.config.vars)].into_iter().chain(modules).filter(|(path, _)| is_asked(path));
    asked
        .flat_map(|(path, vars)| vars.iter().map(move |(name, variable)| (path, name, variable)))
        .flat_map(|(module, name, variable)| match unfit(scope, module, name, variable) {
            Some(unfit) => vec![unfit],
            None => variable.validate.iter().filter_map(|one| broken(stack, scope, one, module, name, variable)).collect(),
        })
        .collect()
}

/// Why what is given for an input is nothing that it takes, used or not.
fn unfit(scope: &StackScope<'_>, module: &ModulePath, name: &str, variable: &Variable) -> Option<Diagnostic> {
    let local = Local { module: module.clone(), kind: LocalKind::Input, name: name.to_owned() };
    let value = (!module.is_root()).then(|| scope.local_value(&local, &[]));
    value.and_then(Result::err).map(|error| failed((error, variable.span.clone())))
}

fn broken(
    stack: &Stack,
    scope: &StackScope<'_>,
    validation: &Validation,
    module: &ModulePath,
    name: &str,
    variable: &Variable,
) -> Option<Diagnostic> {
    let holds = match validation.condition.eval(scope) {
        Ok(holds) => holds,
        Err(failure) => return Some(failed(failure)),
    };
    match holds.revealed() {
        Value::Bool(true) | Value::Unknown => return None,
        Value::Bool(false) => {}
        other => {
            let problem = format!("`condition` of variable `{name}` is a boolean, not {}", other.kind());
            return Some(Diagnostic::error(Code::BadSetting, &validation.condition.span, problem));
        }
    }
    let message = match validation.message.eval(scope) {
        Ok(Value::Secret(_)) => "it does not meet its condition; the message uses a sensitive value".to_owned(),
        Ok(message) => message.as_str().unwrap_or("it does not meet its condition").to_owned(),
        Err(failure) => return Some(failed(failure)),
    };
    let given = stack.config.modules.instances.get(module).and_then(|module| module.inputs.get(name));
    let span: &Span = given.map_or(&variable.span, |field| &field.value.span);
    let what = if module.is_root() { format!("variable `{name}`") } else { format!("input `{name}` of {module}") };
    let place = at(&stack.sources, &validation.condition.span);
    Some(Diagnostic::error(Code::VariableRefused, span, format!("{what}: {message}")).help(format!("its condition stands at {place}")))
}
