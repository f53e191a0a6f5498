//! The order of several stacks: what reads another one's outputs comes after it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::PathBuf;

use super::args::Global;
use super::{CliError, elsewhere, project};

/// Stacks in an order in which they can be applied, each with those of them that it reads.
pub struct Ordered(pub Vec<(PathBuf, Vec<PathBuf>)>);

/// Puts stacks in order; those that do not read each other stay in the order in which they were named.
///
/// # Errors
/// When some read each other's outputs in a cycle, or what was given to all of them cannot be read.
pub fn in_order(paths: Vec<PathBuf>, global: &Global) -> Result<Ordered, CliError> {
    // One that is named twice is one.
    let mut known: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
    let mut named: Vec<PathBuf> = Vec::new();
    for path in paths {
        if let Entry::Vacant(new) = known.entry(project::real(&path)) {
            new.insert(path.clone());
            named.push(path);
        }
    }
    let mut left: Vec<(PathBuf, Vec<PathBuf>)> = Vec::new();
    for path in &named {
        // What is wrong with a stack is said when its turn comes.
        let stack = project::loaded(path, global)?.stack;
        let files = stack.iter().flat_map(|stack| elsewhere::named(stack, path)).map(|(file, _)| file);
        let reads = files.filter_map(|file| known.get(&project::real(&file))).filter(|other| *other != path).cloned();
        left.push((path.clone(), reads.collect()));
    }
    let mut ordered: Vec<(PathBuf, Vec<PathBuf>)> = Vec::new();
    while !left.is_empty() {
        let is_done = |other: &PathBuf| ordered.iter().any(|(path, _)| path == other);
        let Some(next) = left.iter().position(|(_, read)| read.iter().all(is_done)) else { return Err(cycle(&left)) };
        ordered.push(left.remove(next));
    }
    Ok(Ordered(ordered))
}

/// The order in which stacks can be destroyed, each with those of them that read it.
pub fn reversed(ordered: Vec<(PathBuf, Vec<PathBuf>)>) -> Vec<(PathBuf, Vec<PathBuf>)> {
    let readers = |path: &PathBuf| ordered.iter().filter(|(_, read)| read.contains(path)).map(|(reader, _)| reader.clone()).collect();
    ordered.iter().rev().map(|(path, _)| (path.clone(), readers(path))).collect()
}

/// The error of stacks of which none can be the first.
fn cycle(left: &[(PathBuf, Vec<PathBuf>)]) -> CliError {
    let mut round: Vec<&PathBuf> = Vec::new();
    let mut next = left.first();
    while let Some((path, read)) = next {
        if let Some(start) = round.iter().position(|known| *known == path) {
            round.drain(..start);
            break;
        }
        round.push(path);
        // Each of them reads another one that is left.
        next = left.iter().find(|(path, _)| read.contains(path));
    }
    let names: Vec<String> = round.iter().map(|path| path.display().to_string()).collect();
    CliError::usage(
        &format!("stacks read each other's outputs in a dependency cycle: {}", names.join(" → ")),
        "move what both need into a stack of its own",
    )
}
