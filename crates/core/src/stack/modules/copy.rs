//! One instance of what a module's file says: its names mean what they do in that instance.

use super::{ModuleFile, Named, Names, Use};
use crate::model::module::ModulePath;
use crate::stack::config::{Check, DataBlock, Output, ResourceBlock, Validation, Variable};
use crate::stack::diagnostic::Span;
use crate::stack::reference::Home;
use crate::stack::template::Template;

impl ModuleFile {
    /// What the file says of the instance `module`.
    #[must_use]
    pub fn at(&self, module: &ModulePath) -> Self {
        let home = Home { module: module.clone(), each: None };
        let data = self.data.iter().map(|(block, data)| (block.clone().within(module), data.at(&home)));
        let resources = self.resources.iter().map(|(block, resource)| (block.clone().within(module), resource.at(&home)));
        Self {
            names: self.names.at(&home),
            data: data.collect(),
            resources: resources.collect(),
            usage: self.usage.iter().map(|(block, usage)| (block.clone().within(module), usage.clone())).collect(),
            uses: self.uses.iter().map(|(name, used)| (name.clone(), used.at(&home))).collect(),
        }
    }
}

impl Names {
    fn at(&self, home: &Home) -> Self {
        let outputs = self.outputs.iter().map(|(name, output)| (name.clone(), Output { value: output.value.at(home), ..output.clone() }));
        let check = |check: &Check| Check { assert: check.assert.at(home), message: check.message.at(home) };
        Self {
            vars: self.vars.iter().map(|(name, variable)| (name.clone(), variable.at(home))).collect(),
            locals: self.locals.iter().map(|(name, field)| (name.clone(), field.at(home))).collect(),
            outputs: outputs.collect(),
            checks: self.checks.iter().map(|(name, one)| (name.clone(), check(one))).collect(),
            unread: self.unread.clone(),
        }
    }
}

impl Variable {
    fn at(&self, home: &Home) -> Self {
        let validation = |one: &Validation| Validation { condition: one.condition.at(home), message: one.message.at(home) };
        Self { validate: self.validate.iter().map(validation).collect(), ..self.clone() }
    }
}

impl DataBlock {
    fn at(&self, home: &Home) -> Self {
        Self { attributes: self.attributes.at(home), account: optional(self.account.as_ref(), home), ..self.clone() }
    }
}

fn optional(template: Option<&Template>, home: &Home) -> Option<Template> {
    template.map(|template| template.at(home))
}

fn named((named, span): &(Named, Span), home: &Home) -> (Named, Span) {
    let named = match named {
        Named::Block(block) => Named::Block(block.clone().within(&home.module)),
        Named::Module(path) => Named::Module(path.moved(&ModulePath::default(), &home.module).unwrap_or_default()),
    };
    (named, span.clone())
}

impl ResourceBlock {
    fn at(&self, home: &Home) -> Self {
        Self {
            attributes: self.attributes.at(home),
            for_each: optional(self.for_each.as_ref(), home),
            when: optional(self.when.as_ref(), home),
            region: optional(self.region.as_ref(), home),
            account: optional(self.account.as_ref(), home),
            depends_on: self.depends_on.iter().map(|(block, span)| (block.clone().within(&home.module), span.clone())).collect(),
            after: self.after.iter().map(|one| named(one, home)).collect(),
            ..self.clone()
        }
    }
}

impl Use {
    /// What `home` says of a module that it uses. What is given stays as it is: its `each` is an instance's.
    fn at(&self, home: &Home) -> Self {
        Self {
            inputs: self.inputs.iter().map(|(name, field)| (name.clone(), field.at(home))).collect(),
            for_each: optional(self.for_each.as_ref(), home),
            when: optional(self.when.as_ref(), home),
            account: optional(self.account.as_ref(), home),
            depends_on: self.depends_on.iter().map(|one| named(one, home)).collect(),
            ..self.clone()
        }
    }
}
