//! What names mean that lead into a module or out of it: its inputs and its outputs.

use crate::model::module::ModulePath;
use crate::model::value::Value;
use crate::stack::deps::{Local, LocalKind};
use crate::stack::expand::Instances;
use crate::stack::expr::EvalError;
use crate::stack::reference::{Reference, Step};
use crate::stack::scope::{Each, StackScope, missing};

impl StackScope<'_> {
    /// What the file says of a local, evaluated where it is written.
    pub(in crate::stack) fn evaluated(&self, local: &Local) -> Result<Value, EvalError> {
        let config = &self.stack.config;
        let template = config.template_of(local);
        let value = template.map(|template| template.eval(self)).transpose();
        let value = value.map_err(|(error, span)| EvalError { span: error.span.or(Some(span)), ..error })?;
        let name = &local.name;
        match local.kind {
            LocalKind::Local => {
                value.ok_or_else(|| missing("local", name, config.locals_of(&local.module).into_iter().flat_map(|locals| locals.keys())))
            }
            LocalKind::Output => {
                let outputs = config.outputs_of(&local.module);
                let is_secret = outputs.and_then(|outputs| outputs.get(name)).is_some_and(|output| output.sensitive);
                let value = value.ok_or_else(|| {
                    missing(&format!("output of {}", local.module), name, outputs.into_iter().flat_map(|outputs| outputs.keys()))
                })?;
                Ok(if is_secret { value.into_secret() } else { value })
            }
            LocalKind::Each => Ok(self.each_now(&local.module, value)),
            LocalKind::Input => {
                let declared = config.vars_of(&local.module);
                let variable = declared.and_then(|vars| vars.get(name));
                let variable = variable.ok_or_else(|| missing("variable", name, declared.into_iter().flat_map(|vars| vars.keys())))?;
                let given = template.map(|template| template.span.clone());
                let value = super::input(self.stack, local, variable, value).map_err(|error| EvalError { span: given, ..error })?;
                if template.is_none() && value.has_unknown() {
                    self.was_unknown(local.to_string());
                }
                Ok(value)
            }
        }
    }

    /// What the value of a `for_each` has for an instance.
    fn each_now(&self, module: &ModulePath, for_each: Option<Value>) -> Value {
        let each = self.stack.config.modules.instances.get(module).and_then(|module| module.each.as_ref());
        let found = match (for_each, each.map(|each| (&each.key, &each.index))) {
            (Some(Value::Map(map)), Some((Value::String(key), _))) => map.get(key).cloned(),
            (Some(Value::List(items)), Some((_, Value::Int(index)))) => {
                usize::try_from(*index).ok().and_then(|index| items.get(index).cloned())
            }
            _ => None,
        };
        found.unwrap_or(Value::Unknown)
    }

    /// What modules tell: one output, those of an instance, or those of all instances by key.
    pub(in crate::stack) fn module_value(&self, reference: &Reference) -> Result<Value, EvalError> {
        let (home, name) = (&reference.home.module, reference.key(1).unwrap_or_default());
        let (path, modules) = (home.inside(name, None), &self.stack.config.modules);
        let Some(used) = modules.uses.get(&path) else { return Err(missing("module", name, modules.used_in(home))) };
        let rest = reference.path.get(2..).unwrap_or_default();
        let key = |each: &Each| each.key.as_str().unwrap_or_default().to_owned();
        match (&used.instances, rest) {
            (Instances::Unknown, _) => {
                self.was_unknown(path.to_string());
                Ok(Value::Unknown)
            }
            (Instances::Absent, []) => Ok(Value::Null),
            (Instances::Absent, _) => {
                let error = EvalError::new(format!("{path} does not exist: its `when` is false"));
                Err(error.advice("choose with `condition ? … : …` on the same condition"))
            }
            (Instances::Single, [Step::Every, ..]) => {
                Err(EvalError::new(format!("{path} has no `for_each`")).advice("`pluck` is for modules and resources with `for_each`"))
            }
            (Instances::Single, steps) => self.outputs(&path, steps),
            // Behind one output of every instance stands which instance is meant.
            (Instances::Each(_), [Step::Every, output, key, rest @ ..]) => {
                let steps = [Step::Key(key.name()), output.clone()].into_iter().chain(rest.iter().cloned());
                let path = reference.path.iter().take(2).cloned().chain(steps).collect();
                self.module_value(&Reference { path, home: reference.home.clone() })
            }
            (Instances::Each(all), [] | [Step::Every, ..]) => {
                let outputs = all.iter().map(|each| {
                    let instance = home.inside(name, Some(key(each)));
                    Ok((key(each), self.outputs(&instance, rest.get(1..).unwrap_or_default())?))
                });
                Ok(Value::Map(outputs.collect::<Result<_, EvalError>>()?))
            }
            (Instances::Each(all), [step, steps @ ..]) => {
                let wanted = step.name();
                if !all.iter().any(|each| key(each) == wanted) {
                    return Err(missing(&format!("instance of {path}"), &wanted, all.iter().map(key)));
                }
                self.outputs(&home.inside(name, Some(wanted)), steps)
            }
        }
    }

    /// An output of an instance, or all of them.
    fn outputs(&self, instance: &ModulePath, steps: &[Step]) -> Result<Value, EvalError> {
        let local = |name: &str| Local { module: instance.clone(), kind: LocalKind::Output, name: name.to_owned() };
        if let Some((output, rest)) = steps.split_first() {
            return self.local_value(&local(&output.name()), rest);
        }
        let names = self.stack.config.outputs_of(instance).into_iter().flat_map(|outputs| outputs.keys());
        let outputs = names.map(|name| Ok((name.clone(), self.local_value(&local(name), &[])?)));
        Ok(Value::Map(outputs.collect::<Result<_, EvalError>>()?))
    }
}
