//! The modules that files use, as it is written: also those that have no instance with the variables of now.

use std::path::{Path, PathBuf};

use leoctl_core::model::module::{MODULE, ModulePath};
use leoctl_core::stack::files::beside;

use super::analysis::{Analysis, InFile};

/// The modules that a file uses, with theirs.
fn in_file(file: InFile<'_>) -> Vec<(String, PathBuf)> {
    let used = file.outline.scalars.iter().filter_map(|scalar| {
        let path: Vec<&str> = file.outline.pair_of(scalar)?.path.iter().map(|name| name.text.as_str()).collect();
        let [MODULE, name, "source"] = path.as_slice() else { return None };
        let source = file.text.get(scalar.content.clone()?)?;
        Some(((*name).to_owned(), beside(file.path, source)))
    });
    used.collect()
}

/// The files whose names a file shares, as far as they say which modules are used: itself first, and then those it extends.
fn unit(file: InFile<'_>) -> Vec<InFile<'_>> {
    let others = file.analysis.unit(file.path).into_iter().filter(|other| other.path != file.path);
    std::iter::once(file).chain(others).collect()
}

/// The file of a module that a file uses, by its name there and those of the modules in it that lead on.
pub fn module_file(file: InFile<'_>, used: &[String]) -> Option<PathBuf> {
    let (name, inner) = used.split_first()?;
    let own = unit(file).into_iter().flat_map(in_file).find(|(known, _)| known == name).map(|(_, place)| place)?;
    if inner.is_empty() { Some(own) } else { module_file(file.analysis.file(&own)?, inner) }
}

/// Whether a module that a file uses is repeated: a key comes first in what names something in it.
pub fn is_repeated(file: InFile<'_>, used: &str) -> bool {
    let says = |names: &[leoctl_core::stack::outline::Name]| matches!(names, [module, name, key, ..] if module.text == MODULE && name.text == used && key.text == "for_each");
    let in_one = |file: &InFile<'_>| {
        file.outline.pairs.iter().any(|pair| says(&pair.path)) || file.outline.headers.iter().any(|header| says(&header.names))
    };
    unit(file).iter().any(in_one)
}

/// Where a stack has what is among the names of some files: itself, and every use of one of them as a module, without keys.
pub fn of_files(analysis: &Analysis, files: &[PathBuf]) -> Vec<ModulePath> {
    let own = analysis.unit(&analysis.root);
    let is_own = own.iter().any(|file| files.iter().any(|path| path == file.path));
    let mut found: Vec<ModulePath> = is_own.then(ModulePath::default).into_iter().collect();
    walk(analysis, &own, &mut vec![(ModulePath::default(), analysis.root.clone())], &mut |path, file| {
        if files.iter().any(|one| one == file) {
            found.push(path.clone());
        }
    });
    found
}

/// Shows every module that is used in some files, and in those modules. `around` leads to the files.
fn walk(analysis: &Analysis, files: &[InFile<'_>], around: &mut Vec<(ModulePath, PathBuf)>, show: &mut dyn FnMut(&ModulePath, &Path)) {
    let here = around.last().map(|(path, _)| path.clone()).unwrap_or_default();
    let mut seen: Vec<String> = Vec::new();
    for (name, place) in files.iter().flat_map(|file| in_file(*file)) {
        // Of several files that say where one is the first counts, and one that uses itself is refused.
        if seen.contains(&name) || around.iter().any(|(_, file)| *file == place) {
            continue;
        }
        let path = here.inside(name.as_str(), None);
        seen.push(name);
        show(&path, &place);
        if let Some(file) = analysis.file(&place) {
            around.push((path, place));
            walk(analysis, &[file], around, show);
            around.pop();
        }
    }
}
