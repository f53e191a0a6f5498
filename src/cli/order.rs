//! The order of several stacks: what reads another one's outputs comes after it.

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
    let whole: Vec<PathBuf> = paths.iter().map(|path| project::whole(path)).collect();
    let mut left: Vec<(PathBuf, Vec<PathBuf>)> = Vec::new();
    for path in &paths {
        // What is wrong with a stack is said when its turn comes.
        let stack = project::loaded(path, global)?.stack;
        let files = stack.iter().flat_map(|stack| elsewhere::named(stack, path)).map(|(file, _)| file);
        let named = files.filter_map(|file| paths.get(whole.iter().position(|known| *known == project::whole(&file))?).cloned());
        left.push((path.clone(), named.collect()));
    }
    let mut ordered: Vec<(PathBuf, Vec<PathBuf>)> = Vec::new();
    while !left.is_empty() {
        let is_done = |other: &PathBuf| ordered.iter().any(|(path, _)| path == other);
        let Some(next) = left.iter().position(|(_, read)| read.iter().all(is_done)) else { return Err(cycle(&left)) };
        ordered.push(left.remove(next));
    }
    Ok(Ordered(ordered))
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
