//! The `[[moved]]` by which what was made keeps its life when it gets another address.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use leoctl_core::model::module::MODULE;
use leoctl_core::model::selector::Selector;
use leoctl_core::stack::outline::{Header, Scalar};

use super::analysis::{Analysis, InFile};
use super::names::Symbol;
use super::navigate::Target;
use super::rename::Edit;
use super::uses;

/// The `[[moved]]` of every stack in which a resource or a module gets another address, whatever its variables are.
///
/// # Errors
/// When a stack says already what has become of the old address.
pub fn written(target: &Target, name: &str, analyses: &[&Analysis]) -> Result<Vec<Edit>, String> {
    let own = |name: &str| match &target.symbol {
        Symbol::Resource(kind, _) => Some(format!("{kind}.{name}")),
        Symbol::Module(_) => Some(format!("{MODULE}.{name}")),
        _ => None,
    };
    let Some((from, to)) = own(target.symbol.name()).zip(own(name)) else { return Ok(Vec::new()) };
    let mut written: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    let stacks = analyses.iter().filter(|analysis| !analysis.is_module);
    for analysis in stacks {
        let Some(path) = with_moves(analysis) else { continue };
        let blocks = written.entry(path).or_default();
        for user in uses::of_files(analysis, &target.unit) {
            let at = |address: &str| if user.is_root() { address.to_owned() } else { format!("{user}.{address}") };
            let from = at(&from);
            if is_moved_already(analysis, &from) {
                let stack = analysis.root.display();
                return Err(format!("{stack} has a [[moved]] from {from} already: remove it once that has been applied everywhere"));
            }
            let block = moved(&from, &at(&to));
            if !blocks.contains(&block) {
                blocks.push(block);
            }
        }
    }
    let text = |path: &Path| analyses.iter().find_map(|analysis| Some(analysis.file(path)?.text));
    let edit = |(path, blocks): (PathBuf, Vec<String>)| {
        let end = text(&path)?;
        let range = end.len()..end.len();
        (!blocks.is_empty()).then(|| Edit { range, text: appended(end, &blocks.concat()), path })
    };
    Ok(written.into_iter().filter_map(edit).collect())
}

/// Whether a stack says already what has become of an address.
fn is_moved_already(analysis: &Analysis, from: &str) -> bool {
    let from: Option<Selector> = from.parse().ok();
    let mut moved = analysis.stack.iter().flat_map(|stack| &stack.config.moved);
    from.is_some_and(|from| moved.any(|moved| moved.from == from))
}

/// `[[moved]]` from one address to another.
pub fn moved(from: &str, to: &str) -> String {
    format!("\n[[moved]]\nfrom = \"{from}\"\nto   = \"{to}\"\n")
}

/// What is added at the end of a text, with its kind of line breaks.
pub fn appended(text: &str, added: &str) -> String {
    let added = if text.is_empty() || text.ends_with('\n') { added.to_owned() } else { format!("\n{added}") };
    if text.contains("\r\n") { added.replace('\n', "\r\n") } else { added }
}

/// The file whose `[[moved]]` counts: lists of files that are merged replace each other.
pub fn with_moves(analysis: &Analysis) -> Option<PathBuf> {
    let has_moves = |file: &InFile<'_>| file.outline.headers.iter().any(is_move);
    let files = analysis.unit(&analysis.root);
    files.iter().find(|file| has_moves(file)).or(files.first()).map(|file| file.path.to_owned())
}

fn is_move(header: &Header) -> bool {
    header.names.first().is_some_and(|name| name.text == "moved")
}

/// The edits of a renaming without those of a `[[moved]]` that would lead back to where it comes from: that goes as a whole.
///
/// # Errors
/// When it cannot be taken out, as it stands in a list with others.
pub fn without_returns(edits: Vec<Edit>, analyses: &[&Analysis]) -> Result<Vec<Edit>, String> {
    let mut gone: Vec<Edit> = Vec::new();
    for edit in &edits {
        let Some(file) = analyses.iter().find_map(|analysis| analysis.file(&edit.path)) else { continue };
        let Some((from, to)) = ends(file, edit, &edits) else { continue };
        if from.parse::<Selector>().ok().zip(to.parse::<Selector>().ok()).is_none_or(|(from, to)| from != to) {
            continue;
        }
        let header = file.outline.header_at(edit.range.start).filter(|header| is_move(header) && header.is_list);
        let header = header.ok_or_else(|| format!("a `moved` of {} would lead back to {from}: remove it first", file.path.display()))?;
        let range = block(file, header);
        if !gone.iter().any(|one| one.path == edit.path && one.range == range) {
            gone.push(Edit { path: edit.path.clone(), range, text: String::new() });
        }
    }
    let stays = |edit: &Edit| !gone.iter().any(|one| one.path == edit.path && one.range.contains(&edit.range.start));
    let mut left: Vec<Edit> = edits.into_iter().filter(stays).collect();
    left.extend(gone);
    Ok(left)
}

/// The two ends of the `[[moved]]` whose `to` an edit is in, as they are after all edits.
fn ends(file: InFile<'_>, edit: &Edit, edits: &[Edit]) -> Option<(String, String)> {
    let to = end_at(file, edit.range.start, "to")?;
    let area = file.outline.pair_of(to)?.area;
    let is_from = |scalar: &&Scalar| is_end(file, scalar, "from") && file.outline.pair_of(scalar).is_some_and(|pair| pair.area == area);
    let from = file.outline.scalars.iter().find(is_from)?.content.clone()?;
    let content = to.content.clone()?;
    let mut within: Vec<&Edit> = edits.iter().filter(|one| one.path == file.path && content.contains(&one.range.start)).collect();
    within.sort_by_key(|one| std::cmp::Reverse(one.range.start));
    let mut text = file.text.get(content.clone())?.to_owned();
    for one in within {
        let range = one.range.start - content.start..one.range.end.checked_sub(content.start)?;
        text.get(range.clone())?;
        text.replace_range(range, &one.text);
    }
    Some((file.text.get(from)?.to_owned(), text))
}

/// The value at a place, where it is this end of a `[[moved]]`.
fn end_at<'a>(file: InFile<'a>, at: usize, end: &str) -> Option<&'a Scalar> {
    file.outline.scalar_at(at).filter(|scalar| is_end(file, scalar, end))
}

fn is_end(file: InFile<'_>, scalar: &Scalar, end: &str) -> bool {
    let path = file.outline.pair_of(scalar).map(|pair| pair.path.iter().map(|name| name.text.as_str()).collect::<Vec<_>>());
    path.is_some_and(|path| path == ["moved", end])
}

/// Where a block stands, from its header on to the end of its last line, with an empty line before it.
fn block(file: InFile<'_>, header: &Header) -> Range<usize> {
    let values = file.outline.pairs.iter().filter_map(|pair| pair.value.clone());
    let last = values.map(|value| value.end).filter(|end| header.body.contains(&end.saturating_sub(1))).max();
    let end = last.unwrap_or(header.range.end);
    let rest = file.text.get(end..).unwrap_or_default();
    let end = rest.find('\n').map_or(file.text.len(), |at| end + at + 1);
    let before = file.text.get(..header.range.start).unwrap_or_default();
    let is_apart = |line: &str| before.ends_with(line).then_some(line.len() / 2);
    let start = header.range.start - is_apart("\r\n\r\n").or_else(|| is_apart("\n\n")).unwrap_or_default();
    start..end
}
