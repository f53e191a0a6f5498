//! Where things are declared and where they are named, in all files of a stack.

use std::ops::Range;
use std::path::{Path, PathBuf};

use leoctl_core::model::module::MODULE;
use leoctl_core::stack::files::beside;

use super::analysis::{Analysis, InFile};
use super::names::{self, Occurrence, Of, Symbol};
use super::uses;

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// Where in it.
    pub range: (usize, usize),
}

impl Place {
    fn new(path: &Path, range: &Range<usize>) -> Self {
        Self { path: path.to_owned(), range: (range.start, range.end) }
    }
}

/// Something that is named at a place: what it is, and the files among whose names it is.
pub struct Target {
    /// What it is.
    pub symbol: Symbol,
    /// The files that share these names.
    pub unit: Vec<PathBuf>,
    /// Where the name stands at the place.
    pub range: Range<usize>,
}

/// What is named at a place of a file.
pub fn target(file: InFile<'_>, at: usize) -> Option<Target> {
    let Occurrence { symbol, of, range, .. } = names::at(file, at)?;
    let unit = unit_of(file, &of)?;
    Some(Target { symbol, unit, range })
}

/// The files among whose names something is.
fn unit_of(file: InFile<'_>, of: &Of) -> Option<Vec<PathBuf>> {
    match of {
        Of::Own => Some(file.analysis.unit(file.path).into_iter().map(|file| file.path.to_owned()).collect()),
        Of::Used(used) => Some(vec![uses::module_file(file, used)?]),
    }
}

/// Where what is named at a place is declared; of the path of a file, that file.
pub fn definition(file: InFile<'_>, at: usize) -> Vec<Place> {
    if let Some(path) = named_file(file, at) {
        return vec![Place { path, range: (0, 0) }];
    }
    let Some(target) = target(file, at) else { return Vec::new() };
    let mut found = all(&[file.analysis], &target);
    found.retain(|(_, one)| one.is_declaration);
    found.into_iter().map(|(_, one)| Place::new(&one.path, &one.range)).collect()
}

/// The file whose path stands at a place.
fn named_file(file: InFile<'_>, at: usize) -> Option<PathBuf> {
    let scalar = file.outline.scalar_at(at)?;
    let path: Vec<&str> = file.outline.pair_of(scalar)?.path.iter().map(|name| name.text.as_str()).collect();
    let is_file = matches!(path.as_slice(), [MODULE, _, "source"] | ["stack", "extends"] | ["data", "stack", _, "file"] | ["env", "files"]);
    let name = file.text.get(scalar.content.clone()?)?;
    (is_file && !name.contains("${")).then(|| beside(file.path, name))
}

/// Every place that names what is meant, in these stacks; each once, with the number of the first stack it is in.
pub fn all(analyses: &[&Analysis], target: &Target) -> Vec<(usize, Occurrence)> {
    let mut found: Vec<(usize, Occurrence)> = Vec::new();
    for (number, analysis) in analyses.iter().enumerate() {
        for (path, _) in &analysis.texts {
            let Some(file) = analysis.file(path) else { continue };
            let same = names::occurrences(file).into_iter().filter(|one| one.symbol == target.symbol);
            let meant = same.filter(|one| unit_of(file, &one.of).is_some_and(|unit| is_of(&unit, target)));
            for one in meant {
                if !found.iter().any(|(_, known)| known.path == one.path && known.range == one.range) {
                    found.push((number, one));
                }
            }
        }
    }
    found
}

/// Whether names are those among which the target is: two stacks that share a base share what it declares.
fn is_of(unit: &[PathBuf], target: &Target) -> bool {
    unit.iter().any(|path| target.unit.contains(path))
}

/// Every place that names what is named at a place.
pub fn references(file: InFile<'_>, at: usize, analyses: &[&Analysis], with_declaration: bool) -> Vec<Place> {
    let Some(target) = target(file, at) else { return Vec::new() };
    let mut found = all(analyses, &target);
    found.retain(|(_, one)| with_declaration || !one.is_declaration);
    let mut places: Vec<Place> = found.into_iter().map(|(_, one)| Place::new(&one.path, &one.range)).collect();
    places.sort();
    places
}
