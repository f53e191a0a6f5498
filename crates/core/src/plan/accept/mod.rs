//! Drift that is accepted: what AWS has by now is written into the stack file, at its own line.
//!
//! [`asked`] finds what is meant, [`place`] the file and the line, [`edit`] changes the text and [`elements`] a list in it, [`written`] says how a value
//! is written. What cannot be written is said with its place, and nothing of it is written.

mod asked;
mod edit;
mod elements;
mod place;
#[cfg(test)]
mod tests;
mod written;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use toml_edit::DocumentMut;

use self::edit::Why;
use crate::model::address::Address;
use crate::model::path::{Path, Segment};
use crate::model::schema::{Attribute, Type};
use crate::plan::diff::AttributeChange;
use crate::plan::types::Drift;
use crate::stack::Stack;
use crate::stack::config::ResourceBlock;
use crate::stack::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::stack::format::format;

/// A value that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The resource.
    pub address: Address,
    /// The attribute.
    pub path: Path,
    /// The number of the file among the stack's sources.
    pub file: usize,
}

/// What comes of accepting drift.
#[derive(Debug, Default)]
pub struct Acceptance {
    /// What is written.
    pub accepted: Vec<Accepted>,
    /// What is not, and why.
    pub refused: Vec<Diagnostic>,
    /// The files that change, by their number among the stack's sources: what each is to be.
    pub texts: BTreeMap<usize, String>,
}

/// One difference that is to be accepted.
#[derive(Clone, Copy)]
struct Asked<'a> {
    drift: &'a Drift,
    change: &'a AttributeChange,
}

/// Writes what has drifted into the texts of a stack. Each of `texts` is an address, or an attribute behind one.
///
/// # Errors
/// When a text names nothing that has drifted.
pub fn accept(stack: &Stack, drift: &[Drift], texts: &[String]) -> Result<Acceptance, Diagnostics> {
    let mut acceptance = Acceptance::default();
    let mut asked = asked::all(stack, drift, texts, &mut acceptance.refused)?;
    // Of a list, the last elements go first: those before them keep their places.
    asked.sort_by_key(|asked| {
        let index = match asked.change.path.0.last() {
            Some(Segment::Index(index)) => *index,
            _ => 0,
        };
        let goes = asked.change.after.is_none();
        (goes, if goes { Reverse(index) } else { Reverse(usize::MAX - index) })
    });
    let mut texts = Texts { stack, documents: BTreeMap::new() };
    for asked in asked {
        match texts.write(asked) {
            Ok(file) => {
                let (address, path) = (asked.drift.address.clone(), asked.change.path.clone());
                acceptance.accepted.push(Accepted { address, path, file });
            }
            Err(refused) => acceptance.refused.push(*refused),
        }
    }
    acceptance.accepted.sort_by(|a, b| (&a.address, &a.path).cmp(&(&b.address, &b.path)));
    acceptance.texts = texts.changed();
    Ok(acceptance)
}

/// The texts of a stack as they become.
struct Texts<'a> {
    stack: &'a Stack,
    documents: BTreeMap<usize, DocumentMut>,
}

impl Texts<'_> {
    /// Writes one value; the number of the file.
    fn write(&mut self, asked: Asked<'_>) -> Result<usize, Box<Diagnostic>> {
        let Asked { drift: Drift { address, .. }, change } = asked;
        let stack = self.stack;
        let Some(block) = stack.config.resources.get(&address.block) else {
            let error = format!("{address}: `{}` cannot be accepted: the stack file has no block of it", change.path);
            return Err(Box::new(Diagnostic::general(Code::NotAccepted, error)));
        };
        let attributes = block.schema.schema.attributes.as_slice();
        let stands = place::stands(&block.attributes, attributes, &change.path);
        let refused = |why: Why, at: &Span| Box::new(refusal(asked, why, at));
        let at = stands.unwrap_or(&block.span);
        if let Some(why) = never(stack, asked, block) {
            return Err(refused(why, if matches!(why, Why::Repeated | Why::SharedModule) { &block.span } else { at }));
        }
        let after = change.after.as_ref().map(|after| (written::of(attributes, &change.path, after), change.document));
        let after = match after {
            Some((None, _)) => return Err(refused(Why::NoValue, at)),
            Some((Some(value), document)) => Some(edit::New { value, document }),
            None => None,
        };
        let file = stands.map_or_else(|| self.file_of(address, block), |span| span.file);
        let document = self.document(file).ok_or_else(|| refused(Why::NotThere, at))?;
        let root = Type::Object(attributes.to_vec());
        let block_item = edit::block(document, &address.block).ok_or_else(|| refused(Why::NotThere, at))?;
        edit::put(block_item, &root, &change.path.0, after.as_ref()).map_err(|why| refused(why, at))?;
        Ok(file)
    }

    /// The file into which a new attribute of a block goes: the stack file where that has a part of it.
    fn file_of(&mut self, address: &Address, block: &ResourceBlock) -> usize {
        let is_own =
            address.block.module.is_root() && self.document(0).is_some_and(|document| edit::block(document, &address.block).is_some());
        if is_own { 0 } else { block.span.file }
    }

    fn document(&mut self, file: usize) -> Option<&mut DocumentMut> {
        match self.documents.entry(file) {
            Entry::Occupied(known) => Some(known.into_mut()),
            Entry::Vacant(new) => Some(new.insert(self.stack.sources.get(file)?.text.parse::<DocumentMut>().ok()?)),
        }
    }

    /// What has changed. A file that is laid out as `leoctl fmt` does stays so.
    fn changed(self) -> BTreeMap<usize, String> {
        let texts = self.documents.into_iter().filter_map(|(file, document)| {
            let before = &self.stack.sources.get(file)?.text;
            let after = document.to_string();
            let is_laid = format(before).is_ok_and(|laid| laid == *before);
            let after = if is_laid { format(&after).unwrap_or(after) } else { after };
            (after != *before).then_some((file, after))
        });
        texts.collect()
    }
}

/// Why a value is not written whatever stands in the file.
fn never(stack: &Stack, asked: Asked<'_>, block: &ResourceBlock) -> Option<Why> {
    let Asked { drift: Drift { address, .. }, change } = asked;
    let same = |other: &ResourceBlock| other.span == block.span;
    let keyed = address.block.module.iter().any(|used| used.key.is_some());
    match () {
        () if change.sensitive || [&change.before, &change.after].into_iter().flatten().any(written::is_secret) => Some(Why::Secret),
        () if change.path.0.iter().any(|segment| matches!(segment, Segment::Hidden(_) | Segment::Unknown(_))) => Some(Why::Secret),
        () if written::is_ownership(&change.path) => Some(Why::Ownership),
        () if address.key.is_some() || block.for_each.is_some() => Some(Why::Repeated),
        () if keyed || stack.config.resources.values().filter(|other| same(other)).count() > 1 => Some(Why::SharedModule),
        () => None,
    }
}

fn refusal(Asked { drift, change }: Asked<'_>, why: Why, at: &Span) -> Diagnostic {
    let error = format!("{}: `{}` cannot be accepted: {}", drift.address, change.path, why.says());
    let diagnostic = Diagnostic::error(Code::NotAccepted, at, error).help(why.help());
    diagnostic.about(&drift.address)
}

/// The attribute of this name.
fn named<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    attributes.iter().find(|attribute| attribute.name == name)
}
