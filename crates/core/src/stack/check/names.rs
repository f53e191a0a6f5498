//! Names in a stack file that are not there: those of resources, variables, locals, modules, data sources and attributes.

use super::{failed, general_templates};
use crate::model::address::Block;
use crate::model::module::MODULE;
use crate::model::schema::{Attribute, Type, TypeSchema};
use crate::stack::Stack;
use crate::stack::deps;
use crate::stack::diagnostic::{Diagnostics, Meant, Span, suggestion};
use crate::stack::expr::EvalError;
use crate::stack::habits::attributes::habit;
use crate::stack::mention;
use crate::stack::modules::Named;
use crate::stack::reference::{Reference, Step};
use crate::stack::scope::{self, EACH_FIELDS, STACK_FIELDS};
use crate::stack::template::Template;

/// Checks that what expressions and `depends_on` name is there.
pub(super) fn check(stack: &Stack, diagnostics: &mut Diagnostics) {
    let mut refer = |template: &Template, each: bool| named_in(stack, template, each, diagnostics);
    for template in general_templates(stack) {
        refer(template, false);
    }
    for used in stack.config.modules.uses.values() {
        for template in [&used.for_each, &used.when].into_iter().flatten() {
            refer(template, false);
        }
        if used.instances.is_unknown() {
            // How often it is there is not known, or its file cannot be read.
            used.inputs.values().for_each(|field| refer(&field.value, used.for_each.is_some()));
        }
    }
    for data in stack.config.data.values() {
        refer(&data.attributes, false);
        data.account.iter().for_each(|account| refer(account, false));
    }
    for resource in stack.config.resources.values() {
        refer(&resource.attributes, resource.for_each.is_some());
        for template in [&resource.for_each, &resource.when, &resource.region].into_iter().flatten() {
            refer(template, false);
        }
        resource.account.iter().for_each(|account| refer(account, resource.for_each.is_some()));
    }
    let blocks =
        stack.config.resources.values().flat_map(|resource| &resource.depends_on).map(|(block, span)| (Named::Block(block.clone()), span));
    let others = stack.config.resources.values().flat_map(|resource| &resource.after);
    let others =
        others.chain(stack.config.modules.uses.values().flat_map(|used| &used.depends_on)).map(|(named, span)| (named.clone(), span));
    for (named, span) in blocks.chain(others) {
        come_after(stack, &named, span, diagnostics);
    }
}

/// Checks that what the expressions of a template name is there; with `each` where they are of a block with `for_each`.
pub(in crate::stack) fn named_in(stack: &Stack, template: &Template, each: bool, diagnostics: &mut Diagnostics) {
    template.for_each_expr(&mut |expr, span| {
        for reference in &expr.references {
            if let Err(error) = check_reference(stack, reference, each)
                && !(is_absent(stack, reference) && stack.config.unread_of(&reference.home.module).names(reference))
                && !expr.would_bind(reference.root())
            {
                let place = || mention::place(stack.sources.get(span.file)?, span, &reference.path);
                diagnostics.push(failed((error, place().unwrap_or_else(|| span.clone()))));
            }
        }
    });
}

/// Reports what `depends_on` names and is not there.
fn come_after(stack: &Stack, named: &Named, span: &Span, diagnostics: &mut Diagnostics) {
    let config = &stack.config;
    let error = match named {
        Named::Block(block) if !config.resources.contains_key(block) && !config.unread_of(&block.module).resource(block) => {
            let known = config.resources.keys().filter(|known| known.module == block.module);
            let known: Vec<String> = known.map(|block| format!("{}.{}", block.type_name, block.name)).collect();
            scope::missing("resource", &format!("{}.{}", block.type_name, block.name), &known)
        }
        Named::Module(path) if !config.modules.uses.contains_key(path) => {
            let user = path.split().map(|(user, _)| user).unwrap_or_default();
            if config.unread_of(&user).anything {
                return;
            }
            scope::missing("module", &path.iter().last().map(|used| used.name.clone()).unwrap_or_default(), config.modules.used_in(&user))
        }
        Named::Block(_) | Named::Module(_) => return,
    };
    diagnostics.push(failed((error, span.clone())));
}

/// Whether what a reference names is not in what was read of the stack.
fn is_absent(stack: &Stack, reference: &Reference) -> bool {
    let (config, home) = (&stack.config, &reference.home.module);
    let part = |index| reference.key(index).unwrap_or_default();
    match reference.root() {
        "vars" => !config.vars_of(home).is_some_and(|vars| vars.contains_key(part(1))),
        "locals" => !config.locals_of(home).is_some_and(|locals| locals.contains_key(part(1))),
        MODULE => !config.modules.uses.contains_key(&home.inside(part(1), None)),
        "env" => !stack.env.contains_key(part(1)),
        "stack" => false,
        // The `for_each` that it needs may be.
        "each" => true,
        "data" => !config.data.contains_key(&Block::new(part(1), part(2)).within(home)),
        root => !config.resources.contains_key(&Block::new(root, part(1)).within(home)),
    }
}

fn check_reference(stack: &Stack, reference: &Reference, each: bool) -> Result<(), EvalError> {
    if let Some(error) = scope::root_alone(reference) {
        return Err(error);
    }
    let (config, home) = (&stack.config, &reference.home.module);
    let name = reference.key(1);
    let among = |what: &str, known: &[&str]| match name {
        Some(name) if known.contains(&name) => Ok(()),
        _ => Err(scope::missing(what, name.unwrap_or_default(), known)),
    };
    match reference.root() {
        "vars" => among("variable", &config.vars_of(home).into_iter().flat_map(|vars| vars.keys().map(String::as_str)).collect::<Vec<_>>()),
        "locals" => {
            among("local", &config.locals_of(home).into_iter().flat_map(|locals| locals.keys().map(String::as_str)).collect::<Vec<_>>())
        }
        "stack" => among("field of stack", STACK_FIELDS),
        MODULE => output(stack, reference),
        "each" if reference.home.each.is_some() => match of_use(stack, reference) {
            true => among("field of each", EACH_FIELDS),
            false => Err(EvalError::unknown("`each` exists only in the inputs of a module with `for_each`")),
        },
        "each" if !each => Err(EvalError::unknown("`each` exists only in a resource with `for_each`")),
        "each" => among("field of each", EACH_FIELDS),
        "env" if !home.is_root() => Err(scope::outside(reference)),
        "env" => among("environment variable", &stack.env.keys().map(String::as_str).collect::<Vec<_>>()),
        "data" => {
            let block = Block::new(name.unwrap_or_default(), reference.key(2).unwrap_or_default()).within(home);
            match config.data.get(&block) {
                Some(data) => attribute(&deps::data_name(&block), &data.schema, reference.path.get(3..).unwrap_or_default()),
                None => Err(scope::unknown_data(stack, &block)),
            }
        }
        root => {
            let block = Block::new(root, name.unwrap_or_default()).within(home);
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
                        error.help = Some(format!("write `{block}['key'].{field}` for one, `pluck({block}, '{field}')` for all"));
                        return Err(error);
                    }
                    attribute(&block.to_string(), schema, attributes)
                }
                (_, _) => attribute(&block.to_string(), schema, rest),
            }
        }
    }
}

/// Whether the `each` of an input is that of a module with `for_each`.
fn of_use(stack: &Stack, reference: &Reference) -> bool {
    let used = reference.home.each.as_ref().and_then(|path| stack.config.modules.uses.get(&path.used()));
    used.is_some_and(|used| used.for_each.is_some())
}

/// Whether a module tells what a reference names.
fn output(stack: &Stack, reference: &Reference) -> Result<(), EvalError> {
    let (modules, home, name) = (&stack.config.modules, &reference.home.module, reference.key(1).unwrap_or_default());
    let path = home.inside(name, None);
    let Some(used) = modules.uses.get(&path) else { return Err(scope::missing("module", name, modules.used_in(home))) };
    let steps = reference.path.get(2..).unwrap_or_default();
    let is_keyed = used.for_each.is_some();
    let Some((_, first)) = modules.instances.iter().find(|(instance, _)| path.matches(instance)) else { return Ok(()) };
    let declares = |step: &Step| first.names.outputs.contains_key(&step.name());
    let wanted = match (is_keyed, steps) {
        (true, [Step::Key(field)]) if declares(&Step::Key(field.clone())) => {
            let error = EvalError::new(format!("{path} has `for_each`, so there is no one `{field}`"));
            return Err(error.advice(format!("write `{path}['key'].{field}` for one, `pluck({path}, '{field}')` for all")));
        }
        (true, [_, output, ..]) | (false, [output, ..]) => output,
        _ => return Ok(()),
    };
    if declares(wanted) || first.names.unread.anything {
        return Ok(());
    }
    Err(scope::missing(&format!("output of {path}"), &wanted.name(), first.names.outputs.keys()))
}

/// Whether the attributes named by `steps` exist.
fn attribute(what: &str, schema: &TypeSchema, steps: &[Step]) -> Result<(), EvalError> {
    fn inside(type_name: &str, what: &str, attributes: &[Attribute], steps: &[Step]) -> Result<(), EvalError> {
        let Some((Step::Key(name), rest)) = steps.split_first() else { return Ok(()) };
        let Some(found) = attributes.iter().find(|attribute| attribute.name == *name) else {
            let mut error = EvalError::unknown(format!("{what} has no attribute `{name}`"));
            let known = || attributes.iter().map(|attribute| attribute.name.as_str());
            let here = habit(type_name, name, known()).filter(|habit| !habit.here.is_empty()).map(|habit| habit.here);
            (error.help, error.meant) = match here {
                Some(here) => (Some(format!("write `{here}`")), Some(Meant { given: name.clone(), name: here.to_owned() })),
                None => (suggestion(name, known()), Meant::among(name, known())),
            };
            return Err(error);
        };
        match &found.ty {
            Type::Object(attributes) => inside(type_name, &format!("{what}.{name}"), attributes, rest),
            _ => Ok(()),
        }
    }
    inside(&schema.name, what, &schema.attributes, steps)
}
