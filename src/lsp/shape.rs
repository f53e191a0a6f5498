//! What may stand where in a file: the keys of every table, and what their values are.

use std::sync::Arc;

use leoctl_core::model::module::MODULE;
use leoctl_core::model::schema::{Attribute, Catalog, ResourceSchema, Type, TypeSchema};
use leoctl_core::stack::keys::{self, Key};
use leoctl_core::stack::usage::{ASSUMPTIONS, Assumption};

use super::analysis::InFile;
use super::uses;
use crate::docs;

/// A key that may stand in a table.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its name.
    pub name: String,
    /// What it is, in Markdown.
    pub doc: String,
    /// What it holds, in a few words.
    pub detail: String,
    /// Whether it has to be there.
    pub required: bool,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum Want {
    /// What an attribute holds.
    Type(Type),
    /// True or false.
    Flag,
    /// One of these texts.
    OneOf(Vec<String>),
    /// The path of a TOML file, relative to this one.
    File,
    /// The address of a resource or a module, or a list of such.
    Address,
    /// The name of an account.
    Account,
}

/// The schema of a type.
pub enum Schema {
    /// A resource's.
    Resource(Arc<ResourceSchema>),
    /// A data source's.
    Data(Arc<TypeSchema>),
}

impl std::ops::Deref for Schema {
    type Target = TypeSchema;

    fn deref(&self) -> &TypeSchema {
        match self {
            Self::Resource(resource) => &resource.schema,
            Self::Data(data) => data,
        }
    }
}

/// The schema of a type by the names that lead to a block of it, and the names that lead on.
pub fn schema<'p>(catalog: &Catalog, path: &'p [&'p str]) -> Option<(Schema, &'p [&'p str])> {
    match path {
        ["resource", kind, _, rest @ ..] => Some((Schema::Resource(Arc::clone(catalog.resources.get(kind)?)), rest)),
        ["data", kind, _, rest @ ..] => Some((Schema::Data(catalog.data_source(kind)?), rest)),
        _ => None,
    }
}

/// The keys that may stand in the table that these names lead to.
pub fn keys(file: InFile<'_>, catalog: &Catalog, path: &[&str]) -> Vec<Known> {
    match path {
        ["stack"] => plain(&keys::STACK, &["name"]),
        ["stack", "backend"] => plain(&keys::BACKEND, &[]),
        ["stack", "backend", "s3"] => plain(&keys::BACKEND_S3, &["bucket", "key"]),
        ["accounts", _] => plain(&keys::AN_ACCOUNT, &[]),
        ["stack", "encryption"] => plain(&keys::ENCRYPTION, &[]),
        ["stack", "encryption", "previous"] => plain(&keys::PREVIOUS, &[]),
        ["stack", "encryption", .., "age"] => plain(&keys::ENCRYPTION_AGE, &["recipients"]),
        ["stack", "encryption", .., "kms"] => plain(&keys::ENCRYPTION_KMS, &["key_id"]),
        ["env"] => plain(&keys::ENV, &[]),
        ["cost"] => assumptions(|_| true),
        ["cost", kind, _] => assumptions(|assumption| assumption.types.contains(kind)),
        ["vars", _] => plain(&keys::A_VARIABLE, &[]),
        ["vars", _, "validate"] => plain(&keys::A_CONDITION, &["condition", "message"]),
        ["outputs", _] => plain(&keys::AN_OUTPUT, &["value"]),
        ["checks", _] => plain(&keys::A_CHECK, &["assert", "message"]),
        ["moved"] => plain(&keys::MOVED, &["from", "to"]),
        ["import"] => plain(&keys::IMPORT, &["to", "id"]),
        ["removed"] => plain(&keys::REMOVED, &["from"]),
        [MODULE, _] => plain(&keys::A_USE, &["source"]),
        [MODULE, used, "inputs"] => inputs(file, used),
        ["resource", _, _, "lifecycle"] => plain(&keys::LIFECYCLE, &[]),
        ["resource", _, _, "timeouts"] => plain(&keys::TIMEOUTS, &[]),
        ["resource" | "data", ..] => of_type(catalog, path),
        _ => Vec::new(),
    }
}

fn plain(keys: &[Key], required: &[&str]) -> Vec<Known> {
    let known = |key: &Key| Known {
        name: key.name.to_owned(),
        doc: key.doc.to_owned(),
        detail: String::new(),
        required: required.contains(&key.name),
    };
    keys.iter().map(known).collect()
}

/// What can be assumed of the use of resources.
fn assumptions(is_meant: impl Fn(&Assumption) -> bool) -> Vec<Known> {
    let known = |assumption: &Assumption| Known {
        name: assumption.use_of.name().to_owned(),
        doc: assumption.doc.to_owned(),
        detail: assumption.default.map(|default| format!("{default} unless written")).unwrap_or_default(),
        required: false,
    };
    ASSUMPTIONS.iter().filter(|assumption| is_meant(assumption)).map(known).collect()
}

fn of_type(catalog: &Catalog, path: &[&str]) -> Vec<Known> {
    let Some((schema, rest)) = schema(catalog, path) else { return Vec::new() };
    let Some(attributes) = inside(&schema.attributes, rest) else { return Vec::new() };
    let written = attributes.iter().filter(|attribute| !attribute.computed);
    let mut known: Vec<Known> = written.map(of_attribute).collect();
    if rest.is_empty() {
        let is_new = |key: &Known| schema.attribute(&key.name).is_none();
        let account = |key: &Known| path.first() == Some(&"resource") || key.name == "account";
        known.extend(plain(&keys::META, &[]).into_iter().filter(|key| is_new(key) && account(key)));
    }
    known
}

/// The attributes that may have a header of their own, below one that these names lead to: tables, and lists of them.
pub fn tables(catalog: &Catalog, path: &[&str]) -> Vec<Known> {
    let attributes = schema(catalog, path).and_then(|(schema, rest)| inside(&schema.attributes, rest).map(<[Attribute]>::to_vec));
    let is_table = |attribute: &&Attribute| !attribute.computed && matches!(element(&attribute.ty), Type::Object(_) | Type::Map { .. });
    attributes.unwrap_or_default().iter().filter(is_table).map(of_attribute).collect()
}

fn of_attribute(attribute: &Attribute) -> Known {
    Known { name: attribute.name.clone(), doc: attribute.doc.clone(), detail: docs::kind(&attribute.ty), required: attribute.required }
}

/// The attributes of the table that names lead to; lists and their elements have the same.
pub fn inside<'a>(attributes: &'a [Attribute], path: &[&str]) -> Option<&'a [Attribute]> {
    let Some((name, rest)) = path.split_first() else { return Some(attributes) };
    let found = attributes.iter().find(|attribute| attribute.name == *name)?;
    match element(&found.ty) {
        // The first name after a map is a key of it.
        Type::Map { item, .. } => match (element(item), rest) {
            (Type::Object(attributes), [_, rest @ ..]) => inside(attributes, rest),
            _ => None,
        },
        Type::Object(attributes) => inside(attributes, rest),
        _ => None,
    }
}

/// What is in a list, however many it is in; anything else as it is.
pub fn element(ty: &Type) -> &Type {
    match ty {
        Type::List { item, .. } => element(item),
        other => other,
    }
}

/// The inputs of a module that is used: its variables.
fn inputs(file: InFile<'_>, used: &str) -> Vec<Known> {
    let declared = || {
        let stack = file.analysis.names()?;
        let path = uses::module_file(file, &[used.to_owned()])?;
        let (_, module) = stack.config.modules.instances.iter().find(|(_, module)| module.file == path)?;
        Some(module.names.vars.iter())
    };
    let known = |(name, variable): (&String, &leoctl_core::stack::config::Variable)| Known {
        name: name.clone(),
        doc: variable.description.clone(),
        detail: variable.default.as_ref().map(|default| default.describe().to_owned()).unwrap_or_default(),
        required: variable.default.is_none(),
    };
    declared().into_iter().flatten().map(known).collect()
}

/// What the value is that names lead to.
pub fn want(catalog: &Catalog, path: &[&str]) -> Option<Want> {
    let texts = |all: &[&str]| Want::OneOf(all.iter().map(|one| (*one).to_owned()).collect());
    Some(match path {
        [MODULE, _, "source"] | ["stack", "extends"] | ["data", "stack", _, "file"] => Want::File,
        ["vars", _, "sensitive"] | ["outputs", _, "sensitive"] => Want::Flag,
        ["moved", "from" | "to"] | ["import", "to"] | ["removed", "from"] | ["resource" | MODULE, .., "depends_on"] => Want::Address,
        ["resource", _, _, "lifecycle", "prevent_destroy" | "create_before_destroy"] => Want::Flag,
        ["resource", _, _, "lifecycle", "deletion_policy"] => texts(&["delete", "retain"]),
        [MODULE, _, "account"] => Want::Account,
        ["resource" | "data", _, _, rest @ ..] => match attribute(catalog, path) {
            Some(attribute) => Want::Type(attribute.ty),
            None if rest == ["account"] => Want::Account,
            None => return None,
        },
        _ => return None,
    })
}

/// The attribute that names lead to.
pub fn attribute(catalog: &Catalog, path: &[&str]) -> Option<Attribute> {
    let (schema, rest) = schema(catalog, path)?;
    let (name, around) = rest.split_last()?;
    inside(&schema.attributes, around)?.iter().find(|attribute| attribute.name == *name).cloned()
}
