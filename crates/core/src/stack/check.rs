//! Everything that can be found wrong in a stack file without asking AWS.

mod instances;
mod named_in;
pub(super) mod names;

use std::collections::{BTreeMap, BTreeSet};

use self::instances::Once;
use super::Stack;
use super::addresses;
use super::config::{Config, ResourceBlock, Variable};
use super::deps::{self, Item, Local};
use super::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use super::expand::{self, Instances};
use super::ignored;
use super::kind::Kinds;
use super::meanings;
use super::modules;
use super::scope::{BlockValue, Each, StackScope};
use super::template::{Failure, Template, TemplateKind};
use super::types::{self, Written};
use crate::model::address::Block;
use crate::model::canonical::canonicalize;
use crate::model::path::{Path, Segment};
use crate::model::pin::put;
use crate::model::place::is_region;
use crate::model::schema::{TextRule, Type, TypeSchema, Unset, prefix_of};
use crate::model::value::Value;

/// Checks a whole stack.
pub fn check(stack: &Stack, diagnostics: &mut Diagnostics) {
    let dependencies = deps::dependencies(stack);
    names::check(stack, diagnostics);
    meanings::check(stack, diagnostics);
    stack_tags(stack, diagnostics);
    named_things(stack, diagnostics);
    if let Err(problems) = super::backend::location(stack) {
        problems.0.into_iter().for_each(|problem| diagnostics.push(problem));
    }
    if let Err(problems) = super::encryption::of(stack) {
        problems.0.into_iter().for_each(|problem| diagnostics.push(problem));
    }
    super::accounts::check(stack, diagnostics);
    let order = deps::order(&dependencies, diagnostics);
    let news = News::of(stack, diagnostics);
    // What is made of a value that its variable refuses is not judged on top of that.
    let without = modules::without_refused(stack);
    let judged = without.as_ref().unwrap_or(stack);
    let known = attributes(judged, &order, diagnostics, news);
    if news == News::Nothing {
        return;
    }
    let scope = StackScope::new(judged, None, &NO_DATA, &known);
    tags_are_texts(judged, &scope, diagnostics);
    for template in general_templates(stack) {
        if let Err(failure) = template.eval(&scope) {
            news.report(failure, diagnostics);
        }
    }
    let regions =
        stack.config.resources.iter().filter_map(|(block, resource)| Some((format!("the region of {block}"), resource.region.as_ref()?)));
    let ids = stack.config.imports.iter().map(|import| (format!("the id that [[import]] gives {}", import.to), &import.id));
    for template in stack.config.resources.values().filter_map(|resource| resource.region.as_ref()) {
        if let Ok(Value::String(region)) = template.eval(&scope)
            && !region.is_empty()
            && !is_region(&region)
        {
            let error = Diagnostic::error(Code::BadRegion, &template.span, format!("`{region}` cannot be a region"));
            diagnostics.push(error.help("regions are named such as us-east-1 or us-gov-west-1"));
        }
    }
    for (what, template) in regions.chain(ids) {
        if template.eval(&scope).is_ok_and(|value| value.has_secret()) {
            let error =
                Diagnostic::error(Code::Exposed, &template.span, format!("{what} is sensitive, but it is shown and stored everywhere"));
            diagnostics.push(error.help(super::PUBLIC));
        }
    }
    modules::of_other_kinds(stack).into_iter().for_each(|problem| diagnostics.push(problem));
    modules::validations(stack, &StackScope::new(stack, None, &NO_DATA, &known)).into_iter().for_each(|problem| diagnostics.push(problem));
    for (name, check) in stack.config.all_checks() {
        let Ok(value) = check.assert.eval(&scope) else { continue };
        if let Err(problem) = assertion(&name, &check.assert.span, &value) {
            diagnostics.push(problem);
        }
    }
}

/// Whether a check holds whose `assert` has this value; nothing where that is not known yet.
///
/// # Errors
/// When it is no boolean, or sensitive: whether it holds is shown, and would tell of the value that it comes from.
pub fn assertion(name: &str, span: &Span, value: &Value) -> Result<Option<bool>, Diagnostic> {
    match value {
        Value::Bool(holds) => Ok(Some(*holds)),
        Value::Unknown => Ok(None),
        Value::Secret(_) => {
            let message = format!("`assert` of check {name} is sensitive, and whether it holds is shown");
            Err(Diagnostic::error(Code::Exposed, span, message)
                .help("a sensitive value is checked where it is given: by a condition of its variable, `[[vars.NAME.validate]]`"))
        }
        other => Err(Diagnostic::error(Code::BadSetting, span, format!("`assert` of check {name} is a boolean, not {}", other.kind()))),
    }
}

/// Which expressions that fail are worth a word, after what has been found wrong without evaluating any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    /// Nothing has been found wrong: all of them.
    All,
    /// Something has: those that fail by themselves, and not for a name that is not there, of which all have been reported.
    OfThemselves,
    /// Part of the stack could not be read: whatever fails may only follow from that.
    Nothing,
}

impl News {
    fn of(stack: &Stack, diagnostics: &Diagnostics) -> Self {
        let config = &stack.config;
        let is_partly_read = config.unread.anything || config.modules.instances.values().any(|module| module.names.unread.anything);
        match diagnostics.has_errors() {
            false => Self::All,
            true if is_partly_read => Self::Nothing,
            true => Self::OfThemselves,
        }
    }

    fn report(self, failure: Failure, diagnostics: &mut Diagnostics) {
        let follows = matches!(failure.0.code, Code::UnknownName | Code::Cycle);
        if self == Self::All || self == Self::OfThemselves && !follows {
            diagnostics.push(failed(failure));
        }
    }
}

static NO_DATA: BTreeMap<Block, Value> = BTreeMap::new();

/// The diagnostic of an expression that has no value.
pub fn failed((error, span): Failure) -> Diagnostic {
    let diagnostic = Diagnostic::error(error.code, &error.span.unwrap_or(span), error.message).meaning(error.meant);
    error.help.into_iter().fold(diagnostic, Diagnostic::help)
}

/// The stack's tags are on every resource, so they cannot wait for one.
fn stack_tags(stack: &Stack, diagnostics: &mut Diagnostics) {
    let Some(tags) = &stack.config.tags else { return };
    for item in deps::reach(&stack.config, &[tags]) {
        diagnostics.push(
            Diagnostic::error(Code::Cycle, &tags.span, format!("the stack's tags depend on {item}, which has them itself"))
                .help("use variables, locals, `env` and `stack` only"),
        );
    }
}

/// The stack's tags are a table of texts, as a resource's own are.
fn tags_are_texts(stack: &Stack, scope: &StackScope<'_>, diagnostics: &mut Diagnostics) {
    let Some(template) = &stack.config.tags else { return };
    // Why it has no value is said with the others.
    let Ok(value) = template.eval(scope) else { return };
    let texts = Type::Map { item: Box::new(Type::String(TextRule::default())), defaults: BTreeMap::new() };
    let (kinds, failed) = (Kinds::new(stack), BTreeSet::new());
    let written = Written { template, at: &template.span, kinds: &kinds, failed: &failed, type_name: "" };
    types::check_value("`tags` of the stack", &texts, &written, &value, diagnostics);
}

/// Attributes and resources that are named outside of expressions.
fn named_things(stack: &Stack, diagnostics: &mut Diagnostics) {
    for (block, resource) in &stack.config.resources {
        ignored::check(block, resource, diagnostics);
    }
    addresses::check(stack, diagnostics);
}

/// The templates outside of resources and data sources.
fn general_templates(stack: &Stack) -> Vec<&Template> {
    let config = &stack.config;
    let mut all: Vec<&Template> = config.locals.values().map(|field| &field.value).collect();
    all.extend(&config.tags);
    all.extend(config.outputs.values().map(|output| &output.value));
    all.extend(config.all_checks().flat_map(|(_, check)| [&check.assert, &check.message]));
    all.extend(config.imports.iter().map(|import| &import.id));
    all.extend(config.vars.values().flat_map(validated));
    for module in config.modules.instances.values() {
        all.extend(&module.account);
        all.extend(module.inputs.values().map(|field| &field.value));
        all.extend(module.names.locals.values().map(|field| &field.value));
        all.extend(module.names.outputs.values().map(|output| &output.value));
        all.extend(module.names.vars.values().flat_map(validated));
    }
    all
}

fn validated(variable: &Variable) -> impl Iterator<Item = &Template> {
    variable.validate.iter().flat_map(|one| [&one.condition, &one.message])
}

/// What is known of resources without AWS, which is what is written of them.
pub fn known_of(stack: &Stack) -> BTreeMap<Block, BlockValue> {
    // What is wrong has been said by `check`.
    let mut said = Diagnostics::default();
    let order = deps::order(&deps::dependencies(stack), &mut said);
    attributes(stack, &order, &mut said, News::All)
}

/// Checks what is written in every data source and resource, as far as it can be evaluated offline; what is
/// known of the resources then.
fn attributes(stack: &Stack, order: &[Item], diagnostics: &mut Diagnostics, news: News) -> BTreeMap<Block, BlockValue> {
    let mut known = BTreeMap::new();
    for (block, data) in &stack.config.data {
        let (value, failed) = evaluate(&data.attributes, &StackScope::offline(stack), news, diagnostics);
        let written = Written {
            template: &data.attributes,
            at: &data.span,
            kinds: &Kinds::new(stack),
            failed: &failed,
            type_name: &data.schema.name,
        };
        types::check(&deps::data_name(block), &data.schema.attributes, &written, &value, diagnostics);
    }
    let ordered: Vec<&Block> = order.iter().filter_map(|item| if let Item::Resource(block) = item { Some(block) } else { None }).collect();
    // What is in a dependency cycle has no order.
    let in_order: BTreeSet<&Block> = ordered.iter().copied().collect();
    let others = stack.config.resources.keys().filter(|block| !in_order.contains(block));
    let resources: Vec<&Block> = ordered.iter().copied().chain(others).collect();
    for block in resources {
        let Some(resource) = stack.config.resources.get(block) else { continue };
        if resource.for_each.is_some() || resource.when.is_some() {
            needs_only_what_is_known(stack, block, resource, diagnostics);
        }
        let check = |each: Option<&Each>, diagnostics: &mut Diagnostics| {
            let scope = StackScope::new(stack, None, &NO_DATA, &known).with_each(each);
            one(block, resource, &scope, news, diagnostics)
        };
        let unknown = Each::unknown();
        if news == News::Nothing {
            // Something else is wrong already: what may not exist at all is not judged on top of that.
            if resource.when.is_none() {
                check(resource.for_each.is_some().then_some(&unknown), diagnostics);
            }
            continue;
        }
        match expand::block(block, resource, &StackScope::new(stack, None, &NO_DATA, &known)) {
            Ok(Instances::Single) => {
                let value = check(None, diagnostics);
                known.insert(block.clone(), BlockValue::Single(value));
            }
            Ok(Instances::Each(instances)) => {
                let mut once = Once::default();
                let of_one = |each: &Each| {
                    let mut own = Diagnostics::default();
                    let value = check(Some(each), &mut own);
                    once.add(own);
                    (each.key.as_str().unwrap_or_default().to_owned(), value)
                };
                let values = instances.iter().map(of_one).collect();
                once.all(block).for_each(|one| diagnostics.push(one));
                known.insert(block.clone(), BlockValue::Each(values));
            }
            Ok(Instances::Absent) => drop(known.insert(block.clone(), BlockValue::Absent)),
            Ok(Instances::Unknown) => drop(check(resource.for_each.is_some().then_some(&unknown), diagnostics)),
            Err(failure) => {
                if news == News::OfThemselves {
                    check(resource.for_each.is_some().then_some(&unknown), diagnostics);
                }
                news.report(failure, diagnostics);
            }
        }
    }
    known
}

/// Checks one instance; what others may know of it.
fn one(block: &Block, resource: &ResourceBlock, scope: &StackScope<'_>, news: News, diagnostics: &mut Diagnostics) -> Value {
    let said = diagnostics.0.len();
    let known = own_attributes(block, resource, scope, news, diagnostics);
    diagnostics.are_about(said, block);
    known
}

fn own_attributes(block: &Block, resource: &ResourceBlock, scope: &StackScope<'_>, news: News, diagnostics: &mut Diagnostics) -> Value {
    let (value, failed) = evaluate(&resource.attributes, scope, news, diagnostics);
    let schema = &resource.schema.schema;
    let kinds = Kinds::within(scope.stack, resource);
    let written = Written { template: &resource.attributes, at: &resource.span, kinds: &kinds, failed: &failed, type_name: &schema.name };
    let refused = types::check(&block.to_string(), &schema.attributes, &written, &value, diagnostics);
    let prefix = resource.schema.prefixed.map(prefix_of);
    let names: BTreeSet<&str> = resource.schema.unique.iter().flat_map(|group| group.iter()).copied().chain(prefix.as_deref()).collect();
    for name in names.into_iter().filter(|name| value.get(name).is_some_and(Value::has_secret)) {
        let at = locate(&resource.attributes, &Path::attribute(name)).unwrap_or(&resource.span);
        let error = format!("`{name}` of {block} is sensitive, and AWS makes ids of it that are shown and stored");
        diagnostics.push(Diagnostic::error(Code::Exposed, at, error).help("use a value that need not be hidden"));
    }
    // What has been refused is not known to anything that is said from here on.
    let value = refused.iter().fold(value, |value, path| put(value, &path.0, &Value::Unknown));
    named_in::check(block, resource, &value, scope, diagnostics);
    // What such a check says quotes what is written: with a secret in it, only what it says without that can be shown. What is
    // misspelled has been said, and does not lack.
    let meant = types::as_meant(&schema.name, &schema.attributes, &value);
    let public = (resource.schema.check)(&without_secrets(&meant));
    for (path, problem) in (resource.schema.check)(&meant) {
        let at = locate(&resource.attributes, &path).unwrap_or(&resource.span);
        diagnostics.push(if !value.has_secret() || public.iter().any(|(_, known)| *known == problem) {
            Diagnostic::error(Code::Contradiction, at, format!("{block}: {problem}"))
        } else {
            let name = path.root().unwrap_or_default();
            Diagnostic::error(Code::Contradiction, at, format!("{block}: `{name}` is not as AWS takes it"))
                .help("why is not shown, as it is about a sensitive value")
        });
    }
    known(schema, &value)
}

/// What others may know, without AWS, of a resource with this written.
pub(crate) fn known(schema: &TypeSchema, value: &Value) -> Value {
    let mut known = match canonicalize(&schema.attributes, value) {
        Value::Map(map) => map,
        other => return other,
    };
    // AWS's part is known later, and so are tags, which get more.
    for attribute in schema.attributes.iter().filter(|attribute| attribute.computed || attribute.unset == Unset::Server) {
        known.entry(attribute.name.clone()).or_insert(Value::Unknown);
    }
    if schema.is_taggable() {
        known.insert("tags".to_owned(), Value::Unknown);
    }
    // What has been said to be missing, or is misspelled, is not known to whatever refers to it.
    let missing = schema.attributes.iter().filter(|attribute| attribute.required).map(|attribute| attribute.name.as_str());
    for name in missing.chain(types::meant(&schema.name, &schema.attributes, value)).collect::<BTreeSet<_>>() {
        known.entry(name.to_owned()).or_insert(Value::Unknown);
    }
    Value::Map(known)
}

/// A value with what is secret in it unknown.
fn without_secrets(value: &Value) -> Value {
    match value {
        Value::Secret(_) => Value::Unknown,
        Value::List(items) => Value::List(items.iter().map(without_secrets).collect()),
        Value::Map(map) => Value::Map(map.iter().map(|(key, value)| (key.clone(), without_secrets(value))).collect()),
        other => other.clone(),
    }
}

/// Where what is at `path` is written: as deep as it is written out.
fn locate<'a>(template: &'a Template, path: &Path) -> Option<&'a Span> {
    let mut at = template.as_table()?.get(path.root()?).map(|field| &field.value)?;
    for segment in path.0.iter().skip(1) {
        let inner = match (segment, &at.kind) {
            (Segment::Index(index), TemplateKind::List(items)) => items.get(*index),
            (Segment::Name(name), TemplateKind::Table(fields)) => fields.get(name.as_str()).map(|field| &field.value),
            _ => None,
        };
        let Some(inner) = inner else { break };
        at = inner;
    }
    Some(&at.span)
}

/// The value of every attribute, unknown where its expression fails, and the attributes that failed.
fn evaluate(template: &Template, scope: &StackScope<'_>, news: News, diagnostics: &mut Diagnostics) -> (Value, BTreeSet<String>) {
    let Some(fields) = template.as_table() else { return (Value::Null, BTreeSet::new()) };
    let (mut map, mut failing) = (BTreeMap::new(), BTreeSet::new());
    for (name, field) in fields {
        let value = field.value.eval(scope).unwrap_or_else(|failure| {
            news.report(failure, diagnostics);
            failing.insert(name.clone());
            Value::Unknown
        });
        map.insert(name.clone(), value);
    }
    (Value::Map(map), failing)
}

/// `for_each` and `when` decide what exists, so they may not wait for something to be made first.
fn needs_only_what_is_known(stack: &Stack, block: &Block, resource: &ResourceBlock, diagnostics: &mut Diagnostics) {
    for (key, template) in [("for_each", &resource.for_each), ("when", &resource.when)] {
        let Some(template) = template else { continue };
        for on in inside_of(&stack.config, template, key == "for_each") {
            diagnostics.push(
                Diagnostic::error(
                    Code::KnownTooLate,
                    &template.span,
                    format!("`{key}` of {block} depends on {on}, which is known only after apply"),
                )
                .help("use variables, locals, data sources or the keys of another `for_each`"),
            );
        }
    }
}

/// The resources of which a template takes something that is known only after apply, itself or through locals. A whole
/// block with `for_each` has keys that are known (`keys`); anything inside a resource is not.
fn inside_of(config: &Config, template: &Template, keys: bool) -> BTreeSet<Block> {
    let (mut found, mut seen, mut open) = (BTreeSet::new(), BTreeSet::<Local>::new(), vec![template]);
    while let Some(template) = open.pop() {
        for (reference, _) in template.references() {
            for item in deps::targets(config, reference) {
                match item {
                    Item::Resource(block) if !(keys && reference.path.len() == 2) => drop(found.insert(block)),
                    Item::Local(local) if seen.insert(local.clone()) => open.extend(config.template_of(&local)),
                    Item::Resource(_) | Item::Data(_) | Item::Local(_) => {}
                }
            }
        }
    }
    found
}
