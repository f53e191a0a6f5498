//! Why a resource cannot be made, taken over or replaced, in words.

use super::{Found, Instance};
use crate::model::address::Address;
use crate::model::fit::{lacking, misfit};
use crate::model::path::Path;
use crate::model::schema::Refusal;
use crate::model::value::Value;
use crate::plan::diff::AttributeChange;
use crate::plan::types::Change;
use crate::stack::Stack;
use crate::stack::config::ResourceBlock;
use crate::stack::diagnostic::{Code, Diagnostic, Span};

/// Whose something is that was found.
pub fn owned_by(found: &Found) -> String {
    match &found.owner {
        Some(owner) => format!("it belongs to {owner}"),
        None if found.attributes.get("tags").is_some() => "it was not made by leoctl".to_owned(),
        None => "it has no tags by which leoctl could tell who made it".to_owned(),
    }
}

/// The name of a resource to be created is taken by something that cannot even be looked at.
pub fn taken(stack: &Stack, address: &Address, why: &str) -> Diagnostic {
    at_block(stack, address, Code::AlreadyExists, &format!("{address} cannot be created: {why}")).help("choose another name")
}

/// An error at the block of an address, where the stack has one.
pub fn at_block(stack: &Stack, address: &Address, code: Code, error: &str) -> Diagnostic {
    let block = stack.config.resources.get(&address.block);
    block.map_or_else(|| Diagnostic::general(code, error), |block| Diagnostic::error(code, &block.span, error)).about(address)
}

/// An attribute that has turned out to be of another kind than its schema says.
pub(super) fn of_other_kind(block: &ResourceBlock, address: &Address, desired: &Value) -> Option<Diagnostic> {
    let (path, problem) = misfit(&block.schema.schema.attributes, desired)?;
    Some(Diagnostic::error(Code::WrongType, written_at(block, &path), format!("{address}: {problem}")))
}

/// A required attribute whose expression has turned out to yield null.
pub(super) fn without_a_value(block: &ResourceBlock, address: &Address, desired: &Value) -> Option<Diagnostic> {
    let path = lacking(&block.schema.schema.attributes, desired)?;
    let error =
        Diagnostic::error(Code::MissingAttribute, written_at(block, &path), format!("{address}: `{path}` is null, and needs a value"));
    Some(error.help("what its expression refers to has none: `leoctl console` shows what there is"))
}

/// Where the attribute that a path is in is written; the block, where it is not.
fn written_at<'a>(block: &'a ResourceBlock, path: &Path) -> &'a Span {
    let field = path.root().and_then(|name| block.attributes.as_table()?.get(name));
    field.map_or(&block.span, |field| &field.value.span)
}

/// What stands where a resource is to be made is not this stack's.
pub(super) fn foreign(instance: &Instance<'_>, found: &Found) -> Diagnostic {
    let address = &instance.address;
    Diagnostic::error(Code::AlreadyExists, &instance.block.span, format!("{address} cannot be created: {} exists already", found.place.id))
        .label(owned_by(found))
        .help(format!("to manage it here, add [[import]] with to = '{address}', id = \"{}\"", found.place.id))
        .help("to leave it alone, choose another name")
}

/// What is adopted is to be kept: one that would have to be replaced is not the one meant.
pub(super) fn import_replaces(instance: &Instance<'_>, changes: &[AttributeChange], id: &str) -> Diagnostic {
    let forcing: Vec<String> =
        changes.iter().filter(|change| change.forces_replacement).map(|change| format!("`{}`", change.path)).collect();
    let address = &instance.address;
    Diagnostic::error(
        Code::WrongImport,
        &instance.block.span,
        format!("{address} cannot be imported as {id}: it would be deleted and made anew"),
    )
    .label(format!("it differs in {}, which cannot be changed", forcing.join(", ")))
    .help("write what it has, or import another one")
}

/// AWS does not make of a resource what is wanted.
pub(super) fn refused(instance: &Instance<'_>, refusal: Refusal) -> Diagnostic {
    let address = &instance.address;
    Diagnostic::error(Code::CannotChange, &instance.block.span, format!("{address} cannot be changed: {}", refusal.why)).help(refusal.help)
}

/// A change would replace what must not be deleted.
pub(super) fn guarded_replacement(instance: &Instance<'_>, change: &Change) -> Diagnostic {
    let forcing: Vec<String> = change.replace_paths().iter().map(|path| format!("`{path}`")).collect();
    let address = &instance.address;
    Diagnostic::error(Code::Protected, &instance.block.span, format!("{address} would be replaced, but `prevent_destroy` protects it"))
        .label(format!("changing {} forces a replacement", forcing.join(", ")))
        .help("undo that change, or set `prevent_destroy = false` for this apply")
}
