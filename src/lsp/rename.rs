//! Renaming: every place that names a thing, and the `[[moved]]` by which what was made keeps its life.

use std::path::{Path, PathBuf};

use leoctl_core::stack::expr::can_be_said;

use super::analysis::{Analysis, InFile};
use super::moves;
use super::names::Symbol;
use super::navigate::{self, Target};

/// A change of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The file.
    pub path: PathBuf,
    /// What is replaced.
    pub range: std::ops::Range<usize>,
    /// By what.
    pub text: String,
}

/// What renames the thing at a place; `analyses` are the stacks in which the file is.
///
/// # Errors
/// Why it cannot be done, in words.
pub fn rename(file: InFile<'_>, at: usize, name: &str, analyses: &[&Analysis]) -> Result<Vec<Edit>, String> {
    let target = target(file, at).ok_or("there is nothing here that has a name of its own")?;
    if !can_be_said(name) {
        return Err(format!(
            "`{name}` cannot be a name: a name starts with a letter, has letters, digits and `_` only, and is no word of expressions"
        ));
    }
    if name == target.symbol.name() {
        return Ok(Vec::new());
    }
    let renamed = Target { symbol: renamed(&target.symbol, name), unit: target.unit.clone(), range: target.range.clone() };
    if navigate::all(analyses, &renamed).iter().any(|(_, one)| one.is_declaration) {
        return Err(format!("there is a `{name}` already"));
    }
    let found = navigate::all(analyses, &target);
    if !found.iter().any(|(_, one)| one.is_declaration) {
        return Err(format!("`{}` is declared nowhere", target.symbol.name()));
    }
    // What has moved before keeps the address it had then: only where it is now is another.
    let is_past = |path: &Path, range: &std::ops::Range<usize>| {
        analyses.iter().filter_map(|analysis| analysis.file(path)).any(|file| is_moved_from(file, range.start))
    };
    let edits = found.into_iter().filter(|(_, one)| !is_past(&one.path, &one.range));
    let edits: Vec<Edit> = edits.map(|(_, one)| Edit { path: one.path, range: one.range, text: name.to_owned() }).collect();
    let mut edits = moves::without_returns(edits, analyses)?;
    edits.extend(moves::written(&target, name, analyses)?);
    Ok(edits)
}

/// What can be renamed at a place: what has its own name there.
pub fn target(file: InFile<'_>, at: usize) -> Option<Target> {
    navigate::target(file, at).filter(|target| target.range.start <= at && at <= target.range.end)
}

fn renamed(symbol: &Symbol, name: &str) -> Symbol {
    let name = name.to_owned();
    match symbol {
        Symbol::Variable(_) => Symbol::Variable(name),
        Symbol::Local(_) => Symbol::Local(name),
        Symbol::Module(_) => Symbol::Module(name),
        Symbol::Output(_) => Symbol::Output(name),
        Symbol::Resource(kind, _) => Symbol::Resource(kind.clone(), name),
        Symbol::Data(kind, _) => Symbol::Data(kind.clone(), name),
    }
}

/// Whether a place is in the `from` of a `[[moved]]` or `[[removed]]`.
fn is_moved_from(file: InFile<'_>, at: usize) -> bool {
    let pair = file.outline.scalar_at(at).and_then(|scalar| file.outline.pair_of(scalar));
    let path = pair.map(|pair| pair.path.iter().map(|name| name.text.as_str()).collect::<Vec<_>>());
    matches!(path.as_deref(), Some(["moved" | "removed", "from"]))
}
