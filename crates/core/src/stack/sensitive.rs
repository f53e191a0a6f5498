//! What of a stack is secret, told before anything is evaluated, and what may not be.

use std::collections::BTreeSet;

use super::Stack;
use super::scope::StackScope;
use super::template::Template;
use crate::model::canonical::canonicalize;
use crate::model::redact::Redactor;
use crate::model::value::Value;

impl Stack {
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
                // One that lacks a value now had one when the output was made.
                "vars" => {
                    let declared = self.config.vars.get(name).is_some_and(|variable| variable.sensitive);
                    declared || self.vars.get(name).is_some_and(Value::has_secret)
                }
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
