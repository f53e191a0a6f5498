//! Renaming: every place that names a thing, and the `[[moved]]` by which what was made keeps its life.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use leoctl_core::model::address::is_name;
use leoctl_core::model::module::{MODULE, ModulePath};

use super::analysis::{Analysis, InFile};
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
    if !is_name(name) {
        return Err(format!("`{name}` cannot be a name: a name starts with a letter and has letters, digits and `_` only"));
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
    let mut edits: Vec<Edit> = edits.map(|(_, one)| Edit { path: one.path, range: one.range, text: name.to_owned() }).collect();
    edits.extend(moves(&target, name, analyses));
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

/// The `[[moved]]` of every stack in which a resource or a module gets another address.
fn moves(target: &Target, name: &str, analyses: &[&Analysis]) -> Vec<Edit> {
    let own = |name: &str| match &target.symbol {
        Symbol::Resource(kind, _) => Some(format!("{kind}.{name}")),
        Symbol::Module(_) => Some(format!("{MODULE}.{name}")),
        _ => None,
    };
    let Some((from, to)) = own(target.symbol.name()).zip(own(name)) else { return Vec::new() };
    let mut written: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    let stacks = analyses.iter().filter(|analysis| !analysis.is_module);
    for analysis in stacks {
        let Some(path) = with_moves(analysis) else { continue };
        let blocks = written.entry(path).or_default();
        for user in users(analysis, target) {
            let at = |address: &str| if user.is_root() { address.to_owned() } else { format!("{user}.{address}") };
            let block = moved(&at(&from), &at(&to));
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
    written.into_iter().filter_map(edit).collect()
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
    let has_moves =
        |file: &InFile<'_>| file.outline.headers.iter().any(|header| header.names.first().is_some_and(|name| name.text == "moved"));
    let files = analysis.unit(&analysis.root);
    files.iter().find(|file| has_moves(file)).or(files.first()).map(|file| file.path.to_owned())
}

/// The modules in which a stack has what is meant, every instance of each in one: the stack itself, or uses of a module.
fn users(analysis: &Analysis, target: &Target) -> Vec<ModulePath> {
    let is_own = analysis.unit(&analysis.root).iter().any(|file| target.unit.iter().any(|path| path == file.path));
    let instances = analysis.stack.iter().flat_map(|stack| &stack.config.modules.instances);
    let of_file = instances.filter(|(_, module)| target.unit.contains(&module.file));
    let mut users: Vec<ModulePath> = of_file.map(|(path, _)| path.used()).collect();
    users.extend(is_own.then(ModulePath::default));
    users.dedup();
    users
}
