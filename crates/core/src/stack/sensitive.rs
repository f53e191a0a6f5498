//! What of a stack is secret, told before anything is evaluated, and what may not be.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::Stack;
use super::deps::{self, Item, Local, LocalKind};
use super::scope::StackScope;
use super::template::Template;
use crate::model::canonical::canonicalize;
use crate::model::module::ModulePath;
use crate::model::redact::Redactor;
use crate::model::schema::{Catalog, TypeSchema};
use crate::model::state::State;
use crate::model::value::Value;

/// The shortest text of before that is looked for once it has become sensitive, in bytes. A shorter one, such as `web` or
/// `7`, stands in many places that have nothing to do with it.
const SHORTEST: usize = 8;

impl Stack {
    /// The values of the variables that were given and that may be written down.
    pub fn given_values(&self) -> BTreeMap<String, Json> {
        public(self.vars.iter().filter(|(name, _)| self.given.contains(*name))).collect()
    }

    /// Everything else that may be written down: variables left to their defaults, and env files.
    pub fn public_values(&self) -> BTreeMap<String, Json> {
        let vars = public(self.vars.iter().filter(|(name, _)| !self.given.contains(*name)));
        let vars = vars.map(|(name, value)| (format!("vars.{name}"), value));
        vars.chain(public(self.env.iter()).map(|(name, value)| (format!("env.{name}"), value))).collect()
    }

    /// What a state may hold in clear, as it was public at the last apply, and is sensitive by now.
    ///
    /// Where the stack file still uses a name, evaluation says which values come from it. This is for what it used before:
    /// there a value is known by its text alone, so that only a long one counts, which nothing says that is public still.
    pub fn disclosed(&self, state: &State) -> Redactor {
        let given = state.variables.iter().filter(|(name, _)| self.is_variable_sensitive(name)).map(|(_, value)| value);
        let public = state.public.iter().filter(|(name, _)| self.is_sensitive_by_now(name)).map(|(_, value)| value);
        let values: Vec<Value> = given.chain(public).map(|value| Value::from(value).into_secret()).collect();
        if values.is_empty() {
            return Redactor::default();
        }
        let said = self.public_texts();
        Redactor::new(&values).only(|secret| secret.len() >= SHORTEST && !said.iter().any(|text| text.contains(secret)))
    }

    /// The texts that anybody may read: in resources, variables, and `.defaults` files.
    fn public_texts(&self) -> BTreeSet<String> {
        let mut texts = BTreeSet::new();
        let values = self.vars.values().chain(self.env.values()).chain(self.defaults.values());
        values.chain(&self.written()).for_each(|value| collect_public(value, &mut texts));
        texts
    }

    /// Takes out of a state what has become sensitive since it was written. Whether there was any.
    pub fn hide_in(&self, state: &mut State, catalog: &Catalog) -> bool {
        let mut hidden = state.hide(&self.disclosed(state), catalog);
        let mut keep = |kept: bool| {
            hidden |= !kept;
            kept
        };
        state.variables.retain(|name, _| keep(!self.is_variable_sensitive(name)));
        state.public.retain(|name, _| keep(!self.is_sensitive_by_now(name)));
        state.outputs.retain(|name, _| keep(!self.config.outputs.get(name).is_some_and(|output| output.sensitive)));
        hidden
    }

    fn is_variable_sensitive(&self, name: &str) -> bool {
        self.config.vars.get(name).is_some_and(|variable| variable.sensitive)
    }

    /// Whether `vars.NAME` or `env.NAME` is sensitive.
    fn is_sensitive_by_now(&self, name: &str) -> bool {
        match name.split_once('.') {
            Some(("vars", name)) => self.is_variable_sensitive(name),
            Some(("env", name)) => self.env.get(name).is_some_and(Value::has_secret),
            _ => false,
        }
    }

    /// Whether an output is made from anything sensitive, as far as its text tells.
    pub fn is_output_sensitive(&self, name: &str) -> bool {
        let output = self.config.outputs.get(name);
        output.is_some_and(|output| output.sensitive || self.names_secret(&output.value, &mut BTreeSet::new()))
    }

    /// Whether a template names a secret, itself or through locals.
    fn names_secret(&self, template: &Template, seen: &mut BTreeSet<Local>) -> bool {
        template.references().into_iter().any(|(reference, _)| {
            let name = reference.key(1).unwrap_or_default();
            if let Some(name) = reference.stack_variable() {
                // One that lacks a value now had one when the output was made.
                return self.is_variable_sensitive(name) || self.vars.get(name).is_some_and(Value::has_secret);
            }
            if reference.root() == "env" {
                return self.env.get(name).is_some_and(Value::has_secret);
            }
            deps::targets(&self.config, reference).into_iter().any(|item| match item {
                Item::Local(local) if seen.insert(local.clone()) => self.is_local_sensitive(&local, seen),
                _ => false,
            })
        })
    }

    /// Whether a local is sensitive, as what it is declared as or by what its text names.
    fn is_local_sensitive(&self, local: &Local, seen: &mut BTreeSet<Local>) -> bool {
        let declared = match local.kind {
            LocalKind::Local | LocalKind::Each => false,
            LocalKind::Input => self.config.vars_of(&local.module).and_then(|vars| vars.get(&local.name)).is_some_and(|one| one.sensitive),
            LocalKind::Output => {
                self.config.outputs_of(&local.module).and_then(|outputs| outputs.get(&local.name)).is_some_and(|one| one.sensitive)
            }
        };
        declared || self.config.template_of(local).is_some_and(|template| self.names_secret(template, seen))
    }

    /// What takes the stack's secrets out of texts that others have written, such as AWS's messages: variables, env
    /// files, and what is written for attributes that are sensitive by their type.
    pub fn redactor(&self) -> Redactor {
        Redactor::new(self.vars.values().chain(self.env.values()).chain(&self.written()).chain(&self.inputs()))
    }

    /// What modules are given, as far as it is known without AWS.
    fn inputs(&self) -> Vec<Value> {
        let scope = StackScope::offline(self);
        let modules = self.config.modules.instances.iter();
        let names = modules.flat_map(|(path, module)| module.names.vars.keys().map(move |name| (path, name)));
        let input = |(path, name): (&ModulePath, &String)| {
            scope.local_value(&Local { module: path.clone(), kind: LocalKind::Input, name: name.clone() }, &[]).ok()
        };
        names.filter_map(input).filter(Value::has_secret).collect()
    }

    /// The attributes of resources and data sources, as far as they are known without AWS.
    fn written(&self) -> Vec<Value> {
        let scope = StackScope::offline(self);
        let resources = self.config.resources.values().map(|block| (&block.attributes, &block.schema.schema));
        let data = self.config.data.values().map(|block| (&block.attributes, &*block.schema));
        let known = |(template, schema): (&Template, &TypeSchema)| Some(canonicalize(&schema.attributes, &Self::known(template, &scope)?));
        resources.chain(data).filter_map(known).collect()
    }

    /// What can be told of a block's attributes.
    fn known(template: &Template, scope: &StackScope<'_>) -> Option<Value> {
        let fields = template.as_table()?.iter();
        Some(Value::Map(fields.filter_map(|(name, field)| Some((name.clone(), field.value.eval(scope).ok()?))).collect()))
    }
}

/// Those of some values that are not secret.
fn public<'a>(values: impl Iterator<Item = (&'a String, &'a Value)>) -> impl Iterator<Item = (String, Json)> {
    values.filter(|(_, value)| !value.has_secret()).map(|(name, value)| (name.clone(), value.to_public_json(&|_| Json::Null)))
}

/// The texts of a value that are not secret, and those of its keys.
fn collect_public(value: &Value, texts: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => drop(texts.insert(text.clone())),
        Value::List(items) => items.iter().for_each(|item| collect_public(item, texts)),
        Value::Map(map) => {
            texts.extend(map.keys().cloned());
            map.values().for_each(|item| collect_public(item, texts));
        }
        _ => {}
    }
}
