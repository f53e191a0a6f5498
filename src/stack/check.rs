//! Everything that can be found wrong in a stack file without asking AWS.

use std::collections::BTreeMap;

use super::Stack;
use super::deps::{self, Dependencies, Item};
use super::diagnostic::{Diagnostic, Diagnostics, Span, suggestion};
use super::expand::{self, Instances};
use super::expr::{EvalError, Reference, Step};
use super::scope::{self, EACH_FIELDS, Each, STACK_FIELDS, StackScope};
use super::template::{Failure, Template};
use super::types;
use crate::model::address::Block;
use crate::model::schema::{Attribute, Type, TypeSchema};
use crate::model::value::Value;

/// Checks a whole stack.
pub fn check(stack: &Stack, diagnostics: &mut Diagnostics) {
    let dependencies = deps::dependencies(stack);
    references(stack, diagnostics);
    stack_tags(stack, &dependencies, diagnostics);
    named_things(stack, diagnostics);
    deps::order(&dependencies, diagnostics);
    if diagnostics.has_errors() {
        // What follows evaluates expressions, and would only repeat what has been said.
        attributes(stack, &dependencies, diagnostics, true);
        return;
    }
    attributes(stack, &dependencies, diagnostics, false);
    let scope = StackScope::offline(stack);
    for template in general_templates(stack) {
        if let Err(failure) = template.eval(&scope) {
            diagnostics.push(failed(failure));
        }
    }
}

/// The diagnostic of an expression that has no value.
pub fn failed((error, span): Failure) -> Diagnostic {
    let diagnostic = Diagnostic::error(&error.span.unwrap_or(span), error.message);
    error.help.into_iter().fold(diagnostic, Diagnostic::help)
}

/// The stack's tags are on every resource, so they cannot wait for one.
fn stack_tags(stack: &Stack, dependencies: &Dependencies, diagnostics: &mut Diagnostics) {
    let Some(tags) = &stack.config.tags else { return };
    for item in deps::reach(dependencies, &[tags]) {
        diagnostics.push(
            Diagnostic::error(&tags.span, format!("the stack's tags depend on {item}, which has them itself"))
                .help("use variables, locals, `env` and `stack` only"),
        );
    }
}

/// Attributes and resources that are named outside of expressions.
fn named_things(stack: &Stack, diagnostics: &mut Diagnostics) {
    for (block, resource) in &stack.config.resources {
        let attributes = &resource.schema.schema.attributes;
        for path in &resource.lifecycle.ignore_changes {
            let name = path.root().unwrap_or_default();
            if !attributes.iter().any(|attribute| attribute.name == name) {
                let names = attributes.iter().map(|attribute| attribute.name.as_str());
                diagnostics.push(
                    Diagnostic::error(&resource.span, format!("`ignore_changes` of {block}: there is no attribute `{name}`"))
                        .suggest(name, names),
                );
            }
        }
    }
    for (address, id) in &stack.config.imports {
        if !stack.config.resources.contains_key(&address.block) {
            let known: Vec<String> = stack.config.resources.keys().map(ToString::to_string).collect();
            let error = Diagnostic::error(&id.span, format!("[[import]] to {address}, which the stack does not have"));
            diagnostics.push(error.suggest(&address.to_string(), known.iter().map(String::as_str)));
        }
    }
}

/// The templates outside of resources and data sources.
fn general_templates(stack: &Stack) -> Vec<&Template> {
    let config = &stack.config;
    let mut all: Vec<&Template> = config.locals.values().map(|field| &field.value).collect();
    all.extend(&config.tags);
    all.extend(config.outputs.values().map(|output| &output.value));
    all.extend(config.checks.values().flat_map(|check| [&check.assert, &check.message]));
    all.extend(config.imports.iter().map(|(_, id)| id));
    all
}

fn references(stack: &Stack, diagnostics: &mut Diagnostics) {
    let mut check = |template: &Template, each: bool| {
        for (reference, span) in template.references() {
            if let Err(error) = check_reference(stack, reference, each) {
                diagnostics.push(failed((error, span.clone())));
            }
        }
    };
    for template in general_templates(stack) {
        check(template, false);
    }
    for data in stack.config.data.values() {
        check(&data.attributes, false);
    }
    for resource in stack.config.resources.values() {
        check(&resource.attributes, resource.for_each.is_some());
        for template in [&resource.for_each, &resource.when, &resource.region].into_iter().flatten() {
            check(template, false);
        }
    }
    for resource in stack.config.resources.values() {
        for (block, span) in &resource.depends_on {
            if !stack.config.resources.contains_key(block) {
                let known: Vec<String> = stack.config.resources.keys().map(ToString::to_string).collect();
                let error = scope::missing("resource", &block.to_string(), &known);
                diagnostics.push(failed((error, span.clone())));
            }
        }
    }
}

fn check_reference(stack: &Stack, reference: &Reference, each: bool) -> Result<(), EvalError> {
    let config = &stack.config;
    let name = reference.key(1);
    let among = |what: &str, known: &[&str]| match name {
        Some(name) if known.contains(&name) => Ok(()),
        _ => Err(scope::missing(what, name.unwrap_or_default(), known)),
    };
    match reference.root() {
        "vars" => among("variable", &config.vars.keys().map(String::as_str).collect::<Vec<_>>()),
        "locals" => among("local", &config.locals.keys().map(String::as_str).collect::<Vec<_>>()),
        "stack" => among("field of stack", STACK_FIELDS),
        "each" if !each => Err(EvalError::new("`each` exists only in a resource with `for_each`")),
        "each" => among("field of each", EACH_FIELDS),
        "env" => among("environment variable", &stack.env.keys().map(String::as_str).collect::<Vec<_>>()),
        "data" => {
            let block = Block::new(name.unwrap_or_default(), reference.key(2).unwrap_or_default());
            match config.data.get(&block) {
                Some(data) => attribute(&format!("data.{block}"), &data.schema, reference.path.get(3..).unwrap_or_default()),
                None => {
                    let known: Vec<String> = config.data.keys().map(|block| format!("data.{block}")).collect();
                    Err(scope::missing("data source", &format!("data.{block}"), &known))
                }
            }
        }
        root => {
            let block = Block::new(root, name.unwrap_or_default());
            let Some(resource) = config.resources.get(&block) else {
                return Err(scope::unknown_reference(stack, reference));
            };
            let schema = &resource.schema.schema;
            let rest = reference.path.get(2..).unwrap_or_default();
            match (resource.for_each.is_some(), rest.split_first()) {
                (true, Some((_, attributes))) => {
                    if let (Some(field), 3) = (reference.key(2), reference.path.len())
                        && schema.attribute(field).is_some()
                    {
                        let mut error = EvalError::new(format!("{block} has `for_each`, so there is no one `{field}`"));
                        error.help = Some(format!("write `{block}[\"key\"].{field}` for one, `pluck({block}, '{field}')` for all"));
                        return Err(error);
                    }
                    attribute(&block.to_string(), schema, attributes)
                }
                (_, _) => attribute(&block.to_string(), schema, rest),
            }
        }
    }
}

/// Whether the attributes named by `steps` exist.
fn attribute(what: &str, schema: &TypeSchema, steps: &[Step]) -> Result<(), EvalError> {
    fn inside(what: &str, attributes: &[Attribute], steps: &[Step]) -> Result<(), EvalError> {
        let Some((Step::Key(name), rest)) = steps.split_first() else { return Ok(()) };
        let Some(found) = attributes.iter().find(|attribute| attribute.name == *name) else {
            let mut error = EvalError::new(format!("{what} has no attribute `{name}`"));
            error.help = suggestion(name, attributes.iter().map(|attribute| attribute.name.as_str()));
            return Err(error);
        };
        match &found.ty {
            Type::Object(attributes) => inside(&format!("{what}.{name}"), attributes, rest),
            _ => Ok(()),
        }
    }
    inside(what, &schema.attributes, steps)
}

/// Checks what is written in every data source and resource, as far as it can be evaluated offline.
fn attributes(stack: &Stack, dependencies: &Dependencies, diagnostics: &mut Diagnostics, tolerant: bool) {
    let scope = StackScope::offline(stack);
    for (block, data) in &stack.config.data {
        let value = evaluate(&data.attributes, &scope, tolerant, diagnostics);
        types::check(&format!("data.{block}"), &data.schema.attributes, &data.attributes, &value, &data.span, diagnostics);
    }
    for (block, resource) in &stack.config.resources {
        if resource.for_each.is_some() || resource.when.is_some() {
            needs_only_what_is_known(block, resource, dependencies, diagnostics);
        }
        let mut check = |each: Option<&Each>| {
            let scope = StackScope::offline(stack).with_each(each);
            let value = evaluate(&resource.attributes, &scope, tolerant, diagnostics);
            let schema = &resource.schema.schema;
            types::check(&block.to_string(), &schema.attributes, &resource.attributes, &value, &resource.span, diagnostics);
            for (path, problem) in (resource.schema.check)(&value) {
                let at = locate(&resource.attributes, &path).unwrap_or(&resource.span);
                diagnostics.push(Diagnostic::error(at, format!("{block}: {problem}")));
            }
        };
        let unknown = Each::unknown();
        if tolerant {
            // Something else is wrong already: what may not exist at all is not judged on top of that.
            if resource.when.is_none() {
                check(resource.for_each.is_some().then_some(&unknown));
            }
            continue;
        }
        match expand::block(block, resource, &StackScope::offline(stack)) {
            Ok(Instances::Single) => check(None),
            Ok(Instances::Each(instances)) => instances.iter().for_each(|each| check(Some(each))),
            Ok(Instances::Absent) => {}
            Ok(Instances::Unknown) => check(resource.for_each.is_some().then_some(&unknown)),
            Err(failure) => diagnostics.push(failed(failure)),
        }
    }
}

/// Where the attribute at `path` is written.
fn locate<'a>(template: &'a Template, path: &crate::model::path::Path) -> Option<&'a Span> {
    let name = path.root()?;
    template.as_table()?.get(name).map(|field| &field.value.span)
}

fn evaluate(template: &Template, scope: &StackScope<'_>, tolerant: bool, diagnostics: &mut Diagnostics) -> Value {
    let Some(fields) = template.as_table() else { return Value::Null };
    let mut map = BTreeMap::new();
    for (name, field) in fields {
        let value = field.value.eval(scope).unwrap_or_else(|failure| {
            if !tolerant {
                diagnostics.push(failed(failure));
            }
            Value::Unknown
        });
        map.insert(name.clone(), value);
    }
    Value::Map(map)
}

/// `for_each` and `when` decide what exists, so they may not wait for something to be made first.
fn needs_only_what_is_known(
    block: &Block,
    resource: &super::config::ResourceBlock,
    dependencies: &Dependencies,
    diagnostics: &mut Diagnostics,
) {
    for (key, template) in [("for_each", &resource.for_each), ("when", &resource.when)] {
        let Some(template) = template else { continue };
        for item in deps::reach(dependencies, &[template]) {
            // A whole block with `for_each` has keys that are known; anything inside a resource is not.
            let whole = template
                .references()
                .iter()
                .any(|(reference, _)| reference.path.len() == 2 && deps::target(reference).as_ref() == Some(&item));
            if let (Item::Resource(on), false) = (&item, whole && key == "for_each") {
                diagnostics.push(
                    Diagnostic::error(&template.span, format!("`{key}` of {block} depends on {on}, which is known only after apply"))
                        .help("use variables, locals, data sources or the keys of another `for_each`"),
                );
            }
        }
    }
}
