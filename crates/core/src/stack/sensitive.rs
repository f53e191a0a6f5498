//! What of a stack is secret, told before anything is evaluated, and what may not be.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::Stack;
use super::scope::StackScope;
use super::template::Template;
use crate::model::canonical::canonicalize;
use crate::model::redact::Redactor;
use crate::model::schema::Catalog;
use crate::model::state::State;
use crate::model::value::Value;

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
    pub fn disclosed(&self, state: &State) -> Redactor {
        let given = state.variables.iter().filter(|(name, _)| self.is_variable_sensitive(name)).map(|(_, value)| value);
        let public = state.public.iter().filter(|(name, _)| self.is_sensitive_by_now(name)).map(|(_, value)| value);
        let values: Vec<Value> = given.chain(public).map(|value| Value::from(value).into_secret()).collect();
        Redactor::new(&values)
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
    fn names_secret(&self, template: &Template, seen: &mut BTreeSet<String>) -> bool {
        template.references().into_iter().any(|(reference, _)| {
            let name = reference.key(1).unwrap_or_default();
            match reference.root() {
                "vars" => self.vars.get(name).is_some_and(Value::has_secret),
                "env" => self.env.get(name).is_some_and(Value::has_secret),
                "locals" if seen.insert(name.to_owned()) => {
                    self.config.locals.get(name).is_some_and(|field| self.names_secret(&field.value, seen))
                }
                _ => false,
            }
        })
    }

    /// What takes the stack's secrets out of texts that others have written, such as AWS's messages: variables, env
    /// files, and what is written for attributes that are sensitive by their type.
    pub fn redactor(&self) -> Redactor {
        let scope = StackScope::offline(self);
        let resources = self.config.resources.values().map(|block| (&block.attributes, &block.schema.schema));
        let data = self.config.data.values().map(|block| (&block.attributes, &*block.schema));
        let written: Vec<Value> = resources
            .chain(data)
            .filter_map(|(template, schema)| Some(canonicalize(&schema.attributes, &Self::known(template, &scope)?)))
            .collect();
        Redactor::new(self.vars.values().chain(self.env.values()).chain(&written))
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
