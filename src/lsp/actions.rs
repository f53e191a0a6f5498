//! What may be done about what stands at a place: the name that is meant, what a block needs, where it comes from.

use std::ops::Range;

use leoctl_core::model::address::{Address, Block};
use leoctl_core::model::schema::{Catalog, Type};
use leoctl_core::stack::diagnostic::{Diagnostic, Meant};
use leoctl_core::stack::mention::mentions;
use leoctl_core::stack::outline::{Header, Inside, Name};

use super::analysis::InFile;
use super::moves::{appended, moved, with_moves};
use super::rename::Edit;
use super::shape;

/// Something that may be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// What, in words.
    pub title: String,
    /// The changes.
    pub edits: Vec<Edit>,
    /// What is wrong that it puts right, by its message.
    pub of: Option<String>,
}

/// The most blocks that may be meant by one that is new.
const MOST: usize = 4;

/// What may be done about a part of a file.
pub fn actions(file: InFile<'_>, part: &Range<usize>, catalog: &Catalog) -> Vec<Action> {
    let stack = file.analysis;
    let here = |span: &leoctl_core::stack::diagnostic::Span| {
        let is_file = stack.texts.get(span.file).is_some_and(|(path, _)| path == file.path);
        is_file && span.range.start <= part.end && part.start <= span.range.end
    };
    let wrong = stack.diagnostics.0.iter().filter_map(|one| Some((one, one.span.as_ref().filter(|span| here(span))?)));
    let mut found: Vec<Action> = wrong.filter_map(|(one, span)| meant(file, one, &span.range)).collect();
    if let Some(header) = file.outline.header_at(part.start) {
        found.extend(needed(file, header, catalog));
        if part.start <= header.range.end {
            found.extend(came_from(file, header));
        }
    }
    found
}

/// The name that is meant instead of one that does not exist.
fn meant(file: InFile<'_>, wrong: &Diagnostic, range: &Range<usize>) -> Option<Action> {
    let Meant { given, name } = wrong.meant.as_ref()?;
    let range = place_of(file, range, given)?;
    let text = as_step(file, &range, name);
    Some(Action {
        title: format!("Change to `{name}`"),
        edits: vec![Edit { path: file.path.to_owned(), range, text }],
        of: Some(wrong.message.clone()),
    })
}

/// A name as it is written in the place of another: between quotes where a number stands in brackets.
fn as_step(file: InFile<'_>, range: &Range<usize>, name: &str) -> String {
    let is_index = file.text.get(..range.start).is_some_and(|before| before.ends_with('['))
        && file.text.get(range.clone()).is_some_and(|given| given.chars().all(|letter| letter.is_ascii_digit()));
    if !is_index {
        return name.to_owned();
    }
    let text = file.outline.scalar_at(range.start).and_then(|scalar| file.text.get(scalar.range.clone()));
    match text.is_some_and(|text| text.starts_with('\'')) {
        true => format!("\"{name}\""),
        false => format!("'{name}'"),
    }
}

/// Where a name stands in a part of a file: among what an expression names, or as it is.
fn place_of(file: InFile<'_>, range: &Range<usize>, given: &str) -> Option<Range<usize>> {
    let overlaps = |inside: &Inside| inside.range.start <= range.end && range.start <= inside.range.end;
    let within = file.outline.expressions(file.text).filter(|(_, inside)| overlaps(inside));
    for (_, inside) in within {
        for mention in mentions(&inside.source) {
            let whole = mention.range();
            let text = inside.source.get(whole.clone())?;
            let is_start = text.strip_prefix(given).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
            let start = inside.range.start;
            if is_start {
                return Some(start + whole.start..start + whole.start + given.len());
            }
            if let Some((_, step)) = mention.steps.iter().find(|(step, _)| step.name() == given) {
                return Some(start + step.start..start + step.end);
            }
        }
    }
    let text = file.text.get(range.clone())?;
    text.find(given).map(|at| range.start + at..range.start + at + given.len())
}

/// The attributes that a block needs and does not have.
fn needed(file: InFile<'_>, header: &Header, catalog: &Catalog) -> Option<Action> {
    let path: Vec<&str> = header.names.iter().map(|name| name.text.as_str()).collect();
    let (schema, rest) = shape::schema(catalog, &path)?;
    let is_written = |name: &str| {
        let is_it = |names: &[Name]| {
            names.len() > path.len() && names.iter().zip(path.iter().chain([&name])).all(|(one, other)| one.text == *other)
        };
        file.outline.pairs.iter().any(|pair| is_it(&pair.path)) || file.outline.headers.iter().any(|other| is_it(&other.names))
    };
    // What a base says of the block counts, too.
    let elsewhere = |name: &str| {
        let (kind, block) = (path.get(1)?, path.get(2)?);
        let stack = file.analysis.stack.as_deref()?;
        let block = Block::new(*kind, *block).within(&file.analysis.home(file.path));
        stack.config.resources.get(&block)?.attributes.as_table().map(|fields| fields.contains_key(name))
    };
    let missing = schema.attributes.iter().filter(|attribute| attribute.required);
    let missing: Vec<_> = missing.filter(|one| !is_written(&one.name) && elsewhere(&one.name) != Some(true)).collect();
    if missing.is_empty() || !rest.is_empty() {
        return None;
    }
    let line = if file.text.contains("\r\n") { "\r\n" } else { "\n" };
    let lines = missing.iter().map(|attribute| format!("{line}{} = {}", attribute.name, blank(&attribute.ty)));
    let names: Vec<String> = missing.iter().map(|attribute| format!("`{}`", attribute.name)).collect();
    Some(Action {
        title: format!("Add {}", names.join(", ")),
        edits: vec![Edit { path: file.path.to_owned(), range: header.range.end..header.range.end, text: lines.collect() }],
        of: None,
    })
}

/// What stands for a value that is still to be written.
fn blank(ty: &Type) -> String {
    match ty {
        Type::Bool => "false".to_owned(),
        Type::Int { one_of, min, .. } => one_of.first().copied().or(*min).unwrap_or_default().to_string(),
        Type::Float => "0.0".to_owned(),
        Type::String(rule) => format!("\"{}\"", rule.one_of.first().map(String::as_str).unwrap_or_default()),
        Type::List { .. } => "[]".to_owned(),
        Type::Map { .. } | Type::Object(_) | Type::Document(_) => "{}".to_owned(),
    }
}

/// What was made as something that the stack does not have any more, where this block is new: it may have been renamed.
fn came_from(file: InFile<'_>, header: &Header) -> Vec<Action> {
    let possible = || {
        let (stack, state) = (file.analysis.stack.as_deref()?, file.analysis.state.as_deref()?);
        let [section, kind, name] = header.names.as_slice() else { return None };
        let block = Block::new(kind.text.as_str(), name.text.as_str()).within(&file.analysis.home(file.path));
        let is_new = section.text == "resource" && !state.currents().any(|(address, _)| address.block == block);
        let is_moved = |of: &Block| stack.config.moved.iter().any(|moved| moved.from.names(of));
        let left = state.currents().map(|(address, _)| address).filter(|address| {
            let of = &address.block;
            of.type_name == block.type_name && !stack.config.resources.contains_key(of) && !is_moved(of)
        });
        let mut left: Vec<Block> = left.map(|address: &Address| address.block.clone()).collect();
        left.dedup();
        is_new.then_some((block, left))
    };
    let Some((block, left)) = possible() else { return Vec::new() };
    let Some(path) = with_moves(file.analysis) else { return Vec::new() };
    let Some(text) = file.analysis.file(&path).map(|file| file.text) else { return Vec::new() };
    let action = |from: Block| Action {
        title: format!("Add [[moved]] from {from}"),
        edits: vec![Edit {
            path: path.clone(),
            range: text.len()..text.len(),
            text: appended(text, &moved(&from.to_string(), &block.to_string())),
        }],
        of: None,
    };
    left.into_iter().take(MOST).map(action).collect()
}
