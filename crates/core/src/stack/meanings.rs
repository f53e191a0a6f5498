//! What expressions and texts say that they cannot mean: references in a text without `${` and `}`, and comparisons of what is
//! never equal.

use super::Stack;
use super::config::ResourceBlock;
use super::diagnostic::{Code, Diagnostic, Diagnostics};
use super::kind::Kinds;
use super::template::{Template, TemplateKind};
use crate::model::address::{Block, is_name};
use crate::model::module::{MODULE, ModulePath};
use crate::model::value::Value;

/// Reports what expressions and texts say that they cannot mean.
pub fn check(stack: &Stack, diagnostics: &mut Diagnostics) {
    let root = ModulePath::default();
    let mut of = |home: &ModulePath, template: &Template, resource: Option<&ResourceBlock>| {
        forgotten(stack, home, resource.is_some_and(|resource| resource.for_each.is_some()), template, diagnostics);
        let kinds = resource.map_or_else(|| Kinds::new(stack), |resource| Kinds::within(stack, resource));
        compared_in(&kinds, template, diagnostics);
    };
    let config = &stack.config;
    config.locals.values().for_each(|field| of(&root, &field.value, None));
    config.outputs.values().for_each(|output| of(&root, &output.value, None));
    config.all_checks().for_each(|(_, check)| of(&root, &check.assert, None));
    for (path, module) in &config.modules.instances {
        let user = path.split().map(|(user, _)| user).unwrap_or_default();
        module.inputs.values().for_each(|field| of(&user, &field.value, None));
        module.names.locals.values().for_each(|field| of(path, &field.value, None));
        module.names.outputs.values().for_each(|output| of(path, &output.value, None));
    }
    config.data.iter().for_each(|(block, data)| of(&block.module, &data.attributes, None));
    for (block, resource) in &config.resources {
        of(&block.module, &resource.attributes, Some(resource));
        for template in [&resource.for_each, &resource.when].into_iter().flatten() {
            of(&block.module, template, None);
        }
    }
}

/// Reports the comparisons in a template of what is never equal.
pub(super) fn compared_in(kinds: &Kinds<'_>, template: &Template, diagnostics: &mut Diagnostics) {
    template.for_each_expr(&mut |expr, span| {
        for (one, other) in kinds.never_equal(expr) {
            let error = Diagnostic::warning(Code::NeverEqual, span, format!("{one} and {other} are compared here, which are never equal"));
            diagnostics.push(error.help("make both a text with `string(x)`, or both a number with `int(x)`"));
        }
    });
}

/// Reports the texts of a template that are nothing but a reference to something that the stack has.
fn forgotten(stack: &Stack, home: &ModulePath, each: bool, template: &Template, diagnostics: &mut Diagnostics) {
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
        TemplateKind::List(items) => items.iter().for_each(|item| forgotten(stack, home, each, item, diagnostics)),
        TemplateKind::Table(table) => table.values().for_each(|field| forgotten(stack, home, each, &field.value, diagnostics)),
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
