//! References that stand in a text as they are, and so are not evaluated: the `${` and `}` around them were forgotten.

use super::Stack;
use super::config::ResourceBlock;
use super::diagnostic::{Code, Diagnostic, Diagnostics};
use super::template::{Template, TemplateKind};
use crate::model::address::{Block, is_name};
use crate::model::module::{MODULE, ModulePath};
use crate::model::value::Value;

/// Reports the texts of a template that are nothing but a reference to something that the stack has.
pub fn check(stack: &Stack, home: &ModulePath, each: bool, template: &Template, diagnostics: &mut Diagnostics) {
    match &template.kind {
        TemplateKind::Literal(Value::String(text)) if is_reference(stack, home, each, text) => {
            let message = format!("`{text}` stands here as a text");
            // Words such as `vars.port` may be meant, the address of a resource's attribute is not.
            let error = match ["vars.", "locals.", "each."].iter().any(|root| text.starts_with(root)) {
                true => Diagnostic::warning(Code::NameInText, &template.span, message),
                false => Diagnostic::error(Code::NotEvaluated, &template.span, message),
            };
            diagnostics.push(error.help(format!("write `\"${{{text}}}\"` for its value, or `\"${{'{text}'}}\"` where the text is meant")));
        }
        TemplateKind::Literal(_) | TemplateKind::Expr(_) | TemplateKind::Text(_) => {}
        TemplateKind::List(items) => items.iter().for_each(|item| check(stack, home, each, item, diagnostics)),
        TemplateKind::Table(table) => table.values().for_each(|field| check(stack, home, each, &field.value, diagnostics)),
    }
}

fn is_reference(stack: &Stack, home: &ModulePath, each: bool, text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    if !parts.iter().all(|part| is_name(part)) {
        return false;
    }
    let config = &stack.config;
    let block = |type_name: &str, name: &str| Block::new(type_name, name).within(home);
    match parts.as_slice() {
        ["vars", name] => config.vars_of(home).is_some_and(|vars| vars.contains_key(*name)),
        ["locals", name] => config.locals_of(home).is_some_and(|locals| locals.contains_key(*name)),
        ["each", "key" | "value" | "index"] => each,
        [MODULE, name, _] => config.modules.uses.contains_key(&home.inside(*name, None)),
        ["data", type_name, name, attribute] => {
            config.data.get(&block(type_name, name)).is_some_and(|data| data.schema.attribute(attribute).is_some())
        }
        [type_name, name, attribute] => config.resources.get(&block(type_name, name)).is_some_and(|resource| has(resource, attribute)),
        _ => false,
    }
}

fn has(resource: &ResourceBlock, attribute: &str) -> bool {
    resource.schema.schema.attribute(attribute).is_some()
}
