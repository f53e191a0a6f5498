//! The stack file as a whole: what is in it, once read.

use std::sync::Arc;

use indexmap::IndexMap;

use super::diagnostic::Span;
use super::modules::{Modules, Named};
use super::node::Node;
use super::template::{Field, Template};
use super::unread::Unread;
use super::usage::Usage;
use crate::model::address::{Address, Block};
use crate::model::path::Path;
use crate::model::schema::{ResourceSchema, TypeSchema};
use crate::model::selector::Selector;
use crate::model::value::Value;

/// A stack file, read but not evaluated.
#[derive(Clone, Debug)]
pub struct Config {
    /// The stack's name.
    pub name: Template,
    /// The stack's region; the ordinary AWS configuration's when absent.
    pub region: Option<Template>,
    /// Tags for every taggable resource.
    pub tags: Option<Template>,
    /// Where the state is, when not in a local file: bucket, key and so on.
    pub backend_s3: Option<Template>,
    /// What its files are encrypted with, when they are.
    pub encryption: Option<Template>,
    /// How calls reach the stack's own account, where `[stack]` says more than the region.
    pub own: Option<Template>,
    /// The accounts that resources and data sources may name, as `[accounts.NAME]` says how calls reach each.
    pub accounts: IndexMap<String, Field>,
    /// Files of environment variables.
    pub env_files: Vec<(String, Span)>,
    /// The modules it uses. What is in them is among its data sources and resources.
    pub modules: Modules,
    /// Declared variables.
    pub vars: IndexMap<String, Variable>,
    /// Named expressions.
    pub locals: IndexMap<String, Field>,
    /// Data sources.
    pub data: IndexMap<Block, DataBlock>,
    /// Managed resources, in file order.
    pub resources: IndexMap<Block, ResourceBlock>,
    /// What the stack tells the outside.
    pub outputs: IndexMap<String, Output>,
    /// Conditions that must hold.
    pub checks: IndexMap<String, Check>,
    /// Addresses that changed.
    pub moved: Vec<Moved>,
    /// Resources to adopt.
    pub imports: Vec<Import>,
    /// Addresses to forget.
    pub removed: Vec<Removed>,
    /// How much of what it is used.
    pub usage: Usage,
    /// What of it could not be read.
    pub unread: Unread,
}

impl Config {
    /// What a stack has that has nothing but a name.
    pub fn named(name: Template) -> Self {
        Self {
            name,
            region: None,
            tags: None,
            backend_s3: None,
            encryption: None,
            own: None,
            accounts: IndexMap::new(),
            env_files: Vec::new(),
            modules: Modules::default(),
            vars: IndexMap::new(),
            locals: IndexMap::new(),
            data: IndexMap::new(),
            resources: IndexMap::new(),
            outputs: IndexMap::new(),
            checks: IndexMap::new(),
            moved: Vec::new(),
            imports: Vec::new(),
            removed: Vec::new(),
            usage: Usage::default(),
            unread: Unread::default(),
        }
    }
}

/// A resource whose address changed.
#[derive(Clone, Debug)]
pub struct Moved {
    /// What it was.
    pub from: Selector,
    /// Where that is written.
    pub from_span: Span,
    /// What it is.
    pub to: Selector,
    /// Where that is written.
    pub to_span: Span,
}

/// An existing resource to adopt.
#[derive(Clone, Debug)]
pub struct Import {
    /// The address it gets.
    pub to: Address,
    /// Where that is written; nowhere for what `leoctl import` was given.
    pub to_span: Span,
    /// AWS's id of it.
    pub id: Template,
}

/// Resources to forget without deleting them.
#[derive(Clone, Debug)]
pub struct Removed {
    /// Their address.
    pub from: Selector,
    /// Where it is written.
    pub span: Span,
}

/// A variable's declaration.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Where it is declared.
    pub span: Span,
    /// Its value when nobody gives one.
    pub default: Option<Node>,
    /// The only values allowed, when given.
    pub allowed: Option<Vec<Node>>,
    /// What it is.
    pub description: String,
    /// Whether its value is never shown.
    pub sensitive: bool,
    /// What its value has to meet.
    pub validate: Vec<Validation>,
}

/// What a variable's value has to meet: `[[vars.NAME.validate]]`.
#[derive(Clone, Debug)]
pub struct Validation {
    /// What must be true.
    pub condition: Template,
    /// What to say when it is not.
    pub message: Template,
}

/// A data source.
#[derive(Clone, Debug)]
pub struct DataBlock {
    /// Where it is declared.
    pub span: Span,
    /// Its schema.
    pub schema: Arc<TypeSchema>,
    /// Its arguments.
    pub attributes: Template,
    /// The account it is read in, when not the stack's or its module's.
    pub account: Option<Template>,
}

/// A managed resource's block.
#[derive(Clone, Debug)]
pub struct ResourceBlock {
    /// Where it is declared.
    pub span: Span,
    /// Its schema.
    pub schema: Arc<ResourceSchema>,
    /// Its attributes.
    pub attributes: Template,
    /// What it is repeated over.
    pub for_each: Option<Template>,
    /// Whether it exists.
    pub when: Option<Template>,
    /// What it comes after without naming it.
    pub depends_on: Vec<(Block, Span)>,
    /// What else it comes after: modules, of which `depends_on` has every resource once they are read.
    pub after: Vec<(Named, Span)>,
    /// Its region, when not the stack's.
    pub region: Option<Template>,
    /// Its account, when not the stack's or its module's.
    pub account: Option<Template>,
    /// How long operations may take, in seconds.
    pub timeouts: Timeouts,
    /// How it is replaced and deleted.
    pub lifecycle: Lifecycle,
}

impl ResourceBlock {
    /// Where a live resource counts and not what is wanted: what `ignore_changes` names, and what something else in
    /// AWS sets.
    pub fn ignored(&self, live: &Value, wanted: &Value) -> Vec<Path> {
        let governed = (self.schema.governed)(live, wanted).into_iter().map(|governed| governed.path);
        self.lifecycle.ignore_changes.iter().cloned().chain(governed).collect()
    }
}

/// Deadlines of operations, in seconds; the type's own where absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a new resource is ready.
    pub create: Option<u64>,
    /// Until a changed resource is ready.
    pub update: Option<u64>,
    /// Until a deleted resource is gone.
    pub delete: Option<u64>,
}

/// How a resource is replaced and deleted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lifecycle {
    /// Refuse every plan that deletes it.
    pub prevent_destroy: bool,
    /// Forget it instead of deleting it.
    pub retain: bool,
    /// Make a replacement before deleting the old one; the type's own habit when absent.
    pub create_before_destroy: Option<bool>,
    /// Attributes whose live value is left alone.
    pub ignore_changes: Vec<Path>,
    /// Where each of these is written.
    pub ignore_spans: Vec<Span>,
}

/// An output.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its value.
    pub value: Template,
    /// Whether it is never shown or stored.
    pub sensitive: bool,
}

/// A condition.
#[derive(Clone, Debug)]
pub struct Check {
    /// What must be true.
    pub assert: Template,
    /// What to say when it is not.
    pub message: Template,
}
