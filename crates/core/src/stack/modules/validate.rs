//! The conditions that variables have to meet, `[[vars.NAME.validate]]`: of the stack's own and of inputs.

use std::iter;

use crate::model::module::ModulePath;
use crate::model::value::Value;
use crate::stack::Stack;
use crate::stack::check::failed;
use crate::stack::config::{Validation, Variable};
use crate::stack::deps::{Local, LocalKind};
use crate::stack::diagnostic::{Code, Diagnostic, Span};
use crate::stack::modules::inputs::at;
use crate::stack::scope::StackScope;
use crate::stack::template::{Field, Template, TemplateKind};

/// What is wrong with the values of variables, as far as they are known in a scope.
pub fn validations(stack: &Stack, scope: &StackScope<'_>) -> Vec<Diagnostic> {
    wrong_in(stack, scope, &|_| true).map(|(_, wrong)| wrong).collect()
}

/// A stack in which the variables whose values are refused have none that is known, so that nothing is said of what is made of
/// them; nothing where none is.
pub fn without_refused(stack: &Stack) -> Option<Stack> {
    let scope = StackScope::offline(stack);
    let mut refused = wrong_in(stack, &scope, &|_| true).map(|(local, _)| local).peekable();
    refused.peek()?;
    let mut without = stack.clone();
    for Local { module, name, .. } in refused {
        if module.is_root() {
            without.vars.remove(&name);
        } else if let Some(module) = without.config.modules.instances.get_mut(&module) {
            let declared = module.names.vars.get(&name).map(|variable| &variable.span);
            let span = module.inputs.get(&name).map(|field| &field.value.span).or(declared).cloned().unwrap_or_default();
            let value = Template { kind: TemplateKind::Literal(Value::Unknown), span: span.clone() };
            module.inputs.insert(name, Field { key: span, value });
        }
    }
    Some(without)
}

/// What is wrong with the inputs of a module, and of those that it is in, as far as they are known in a scope.
pub fn validations_of(module: &ModulePath, stack: &Stack, scope: &StackScope<'_>) -> Vec<Diagnostic> {
    wrong_in(stack, scope, &|path| module.is_in(path)).map(|(_, wrong)| wrong).collect()
}

/// The variables whose values are wrong, each with what is wrong with it.
fn wrong_in<'s>(
    stack: &'s Stack,
    scope: &'s StackScope<'_>,
    is_asked: &'s dyn Fn(&ModulePath) -> bool,
) -> impl Iterator<Item = (Local, Diagnostic)> + 's {
    let modules = stack.config.modules.instances.iter().map(|(path, module)| (path.clone(), &module.names.vars));
    let asked = iter::once((ModulePath::default(), &stack.config.vars)).chain(modules).filter(|(path, _)| is_asked(path));
    asked.flat_map(|(module, vars)| vars.iter().map(move |(name, variable)| (input_of(&module, name), variable))).flat_map(
        |(local, variable)| {
            let wrong = match unfit(scope, &local, variable) {
                Some(unfit) => vec![unfit],
                None => variable.validate.iter().filter_map(|one| broken(stack, scope, one, &local, variable)).collect(),
            };
            wrong.into_iter().map(move |wrong| (local.clone(), wrong))
        },
    )
}

fn input_of(module: &ModulePath, name: &str) -> Local {
    Local { module: module.clone(), kind: LocalKind::Input, name: name.to_owned() }
}

/// Why what is given for an input is nothing that it takes, used or not.
fn unfit(scope: &StackScope<'_>, local: &Local, variable: &Variable) -> Option<Diagnostic> {
    let value = (!local.module.is_root()).then(|| scope.local_value(local, &[]));
    value.and_then(Result::err).map(|error| failed((error, variable.span.clone())))
}

fn broken(
    stack: &Stack,
    scope: &StackScope<'_>,
    validation: &Validation,
    Local { module, name, .. }: &Local,
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
