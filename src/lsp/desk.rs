//! The analyses of what is open, made anew once a text of theirs has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use tower_lsp_server::ls_types::{
    CodeActionResponse, CompletionResponse, DocumentSymbol, Hover, InlayHint, Location, Position, Range, TextEdit, WorkspaceEdit,
};

use leoctl_core::stack::files::Role;
use leoctl_core::stack::keys;
use leoctl_core::stack::outline::Outline;
use leoctl_core::stack::{self, Files, modules};

use super::analysis::{Analysis, InFile};
use super::closing::closed;
use super::documents::{Documents, Overlay};
use super::position::Places;
use super::wire::{self, Published, Said};
use super::{Project, actions, complete, hints, hover, navigate, rename, symbols};

/// The analyses of what is open.
pub struct Desk {
    documents: Documents,
    project: Box<dyn Project>,
    analyses: BTreeMap<PathBuf, Analysis>,
    /// The roots of the analyses of which something has changed since.
    stale: BTreeSet<PathBuf>,
    /// What has been said of files, by the root of the analysis that said it.
    said: BTreeMap<PathBuf, BTreeMap<PathBuf, Vec<Said>>>,
}

impl Desk {
    /// A desk with nothing on it.
    pub fn new(documents: Documents, project: Box<dyn Project>) -> Self {
        Self { documents, project, analyses: BTreeMap::new(), stale: BTreeSet::new(), said: BTreeMap::new() }
    }

    /// The stack or module that a file is of, and whether it is a module by itself; nothing of one that is none of leoctl's.
    fn home(&self, path: &Path) -> Option<(PathBuf, bool)> {
        let stacks = self.project.stacks(path);
        if stacks.iter().any(|stack| stack == path) {
            return Some((path.to_owned(), false));
        }
        let overlay = self.overlay(path, false);
        let is_base = |root: &&PathBuf| match self.analyses.get(*root) {
            Some(analysis) => analysis.files.iter().any(|file| file.role == Role::Base && file.path == path),
            None => stack::extended(root, &overlay).iter().any(|file| file.path == path),
        };
        let (open, others): (Vec<&PathBuf>, Vec<&PathBuf>) = stacks.iter().partition(|root| self.documents.get(root).is_some());
        if let Some(root) = open.into_iter().chain(others).find(is_base) {
            return Some((root.clone(), false));
        }
        let text = overlay.read(path).ok()?;
        let is_in = |folder: &str| path.ancestors().skip(1).any(|above| above.file_name().is_some_and(|name| name == folder));
        if !is_in("stacks") && !is_in("modules") && !is_ours(&text) {
            return None;
        }
        Some((path.to_owned(), modules::is_module(path, &overlay)))
    }

    fn overlay(&self, root: &Path, is_module: bool) -> Overlay<'_> {
        Overlay { documents: &self.documents, disk: self.project.files(root, is_module) }
    }

    /// Takes note that a file has another text.
    pub fn changed(&mut self, path: &Path) {
        let reading = self.analyses.values().filter(|analysis| analysis.root == path || analysis.reads(path));
        let roots: Vec<PathBuf> = reading.map(|analysis| analysis.root.clone()).collect();
        self.stale.extend(roots);
    }

    /// Takes note that anything on the disk may have changed.
    pub fn all_changed(&mut self) {
        self.stale.extend(self.analyses.keys().cloned());
    }

    /// Analyses a stack or module, unless that has been done since it last changed.
    fn analyse(&mut self, root: &Path, is_module: bool) {
        let is_new = self.analyses.get(root).is_none_or(|known| known.is_module != is_module);
        if !self.stale.remove(root) && !is_new {
            return;
        }
        let overlay = self.overlay(root, is_module);
        let loaded = match is_module {
            true => modules::survey_module(root, &overlay, self.project.catalog()),
            false => stack::survey(root, &overlay, &self.project.given(), self.project.catalog()),
        };
        let mut analysis = Analysis::new(root.to_owned(), is_module, loaded, self.analyses.get(root));
        if let Some(stack) = analysis.stack.as_deref().filter(|_| !is_module) {
            analysis.state = self.project.state(root, stack).map(Rc::new);
        }
        self.analyses.insert(root.to_owned(), analysis);
    }

    /// The analysis of what a file is of.
    fn analysis(&mut self, path: &Path) -> Option<&Analysis> {
        let (root, is_module) = self.home(path)?;
        self.analyse(&root, is_module);
        self.analyses.get(&root)
    }

    /// Asks something about a place of a file.
    fn ask<T>(&mut self, path: &Path, position: Position, answer: impl FnOnce(&Self, InFile<'_>, usize) -> T) -> Option<T> {
        let root = self.analysis(path)?.root.clone();
        let file = self.analyses.get(&root)?.file(path)?;
        let at = Places::of(file.text).byte(position);
        Some(answer(self, file, at))
    }

    /// Asks something about a place of a file as it is now, with what was last known of its stack: who types waits for no check
    /// that has not begun.
    fn ask_now<T>(&mut self, path: &Path, position: Position, answer: impl FnOnce(&Self, InFile<'_>, usize) -> T) -> Option<T> {
        let (root, is_module) = self.home(path)?;
        if !self.analyses.contains_key(&root) {
            self.analyse(&root, is_module);
        }
        let text = self.documents.get(path)?.text;
        let outline = Outline::of(&text);
        let file = InFile { analysis: self.analyses.get(&root)?, path, text: &text, outline: &outline };
        Some(answer(self, file, Places::of(&text).byte(position)))
    }

    /// Checks what a file is of, and whatever else reads it; what is to be said now of which files.
    pub fn diagnose(&mut self, path: &Path) -> Vec<Published> {
        let homes: BTreeSet<(PathBuf, bool)> = self.documents.paths().iter().filter_map(|path| self.home(path)).collect();
        let own = self.home(path);
        let mut changed = BTreeSet::new();
        let gone: Vec<PathBuf> = self.said.keys().filter(|root| !homes.iter().any(|(home, _)| home == *root)).cloned().collect();
        for root in gone {
            changed.extend(self.said.remove(&root).into_iter().flat_map(BTreeMap::into_keys));
            self.analyses.remove(&root);
        }
        for (root, is_module) in homes {
            let is_concerned =
                self.stale.contains(&root) || !self.said.contains_key(&root) || own.as_ref().is_some_and(|own| own.0 == root);
            if !is_concerned {
                continue;
            }
            self.analyse(&root, is_module);
            let Some(analysis) = self.analyses.get(&root) else { continue };
            let now = wire::said(analysis);
            let before = self.said.insert(root, now.clone()).unwrap_or_default();
            changed.extend(before.into_keys().chain(now.into_keys()));
        }
        changed.into_iter().filter_map(|path| self.published(&path)).collect()
    }

    /// All that is to be said of a file, by whichever analysis.
    fn published(&self, path: &Path) -> Option<Published> {
        let mut all: Vec<Said> = Vec::new();
        for said in self.said.values().filter_map(|said| said.get(path)).flatten() {
            if !all.contains(said) {
                all.push(said.clone());
            }
        }
        Published::new(path, all, self.documents.get(path).map(|document| document.version))
    }

    /// What may be written at a place.
    pub fn complete(&mut self, path: &Path, position: Position) -> Option<CompletionResponse> {
        self.ask_now(path, position, |desk, file, at| {
            let (catalog, project) = (desk.project.catalog(), desk.project.as_ref());
            let Some(text) = closed(file.text, file.outline, at) else {
                return wire::completion(file.text, complete::complete(file, at, catalog, project));
            };
            let outline = Outline::of(&text);
            wire::completion(&text, complete::complete(InFile { text: &text, outline: &outline, ..file }, at, catalog, project))
        })
    }

    /// What there is to say of a place.
    pub fn hover(&mut self, path: &Path, position: Position) -> Option<Hover> {
        self.ask(path, position, |desk, file, at| Some(wire::hover(file.text, hover::hover(file, at, desk.project.catalog())?)))?
    }

    /// Where what stands at a place is declared.
    pub fn definition(&mut self, path: &Path, position: Position) -> Option<Vec<Location>> {
        self.ask(path, position, |desk, file, at| desk.locations(&[file.analysis], navigate::definition(file, at)))
    }

    /// Where what stands at a place is named.
    pub fn references(&mut self, path: &Path, position: Position, with_declaration: bool) -> Option<Vec<Location>> {
        self.read_all_with(path, position);
        self.ask(path, position, |desk, file, at| {
            let analyses = desk.with(file);
            desk.locations(&analyses, navigate::references(file, at, &analyses, with_declaration))
        })
    }

    fn locations(&self, analyses: &[&Analysis], places: Vec<navigate::Place>) -> Vec<Location> {
        let text = |path: &Path| analyses.iter().find_map(|analysis| Some(analysis.file(path)?.text));
        places.into_iter().filter_map(|place| wire::location(&place.path, text(&place.path).unwrap_or_default(), place.range)).collect()
    }

    /// Analyses every stack of the project: each may use what stands at a place.
    fn read_all_with(&mut self, path: &Path, position: Position) {
        let is_named = self.ask(path, position, |_, file, at| navigate::target(file, at).is_some()) == Some(true);
        for root in self.project.stacks(path).into_iter().filter(|_| is_named) {
            self.analyse(&root, false);
        }
    }

    /// The analyses of the stacks that share a file with an analysis, that one first.
    fn with<'a>(&'a self, file: InFile<'a>) -> Vec<&'a Analysis> {
        let own = file.analysis;
        let stacks = self.project.stacks(file.path);
        let others = stacks.iter().filter(|root| **root != own.root).filter_map(|root| self.analyses.get(root));
        let shares = |other: &&Analysis| {
            own.files.iter().any(|file| matches!(file.role, Role::Stack | Role::Base | Role::Module) && other.reads(&file.path))
        };
        std::iter::once(own).chain(others.filter(shares)).collect()
    }

    /// What can be renamed at a place.
    pub fn renamable(&mut self, path: &Path, position: Position) -> Option<Range> {
        self.ask(path, position, |_, file, at| Some(Places::of(file.text).lines(&rename::target(file, at)?.range)))?
    }

    /// What renames the thing at a place.
    ///
    /// # Errors
    /// Why it cannot be renamed.
    pub fn rename(&mut self, path: &Path, position: Position, name: &str) -> Result<Option<WorkspaceEdit>, String> {
        self.read_all_with(path, position);
        let renamed = self.ask(path, position, |desk, file, at| {
            let analyses = desk.with(file);
            rename::rename(file, at, name, &analyses).map(|edits| wire::edits(&analyses, edits))
        });
        renamed.transpose()
    }

    /// What may be done about a part of a file.
    pub fn actions(&mut self, path: &Path, part: Range) -> Option<CodeActionResponse> {
        self.ask(path, part.start, |desk, file, _| {
            let places = Places::of(file.text);
            let found = actions::actions(file, &places.bytes(part), desk.project.catalog());
            found.into_iter().map(|action| wire::action(file, action)).collect()
        })
    }

    /// What a file declares.
    pub fn symbols(&mut self, path: &Path) -> Option<Vec<DocumentSymbol>> {
        self.ask(path, Position::default(), |_, file, _| wire::symbols(file.text, symbols::symbols(file)))
    }

    /// What stands at the ends of lines.
    pub fn hints(&mut self, path: &Path, part: Range) -> Option<Vec<InlayHint>> {
        self.ask(path, part.start, |_, file, _| {
            let places = Places::of(file.text);
            hints::hints(file, &places.bytes(part)).into_iter().map(|hint| wire::hint(&places, hint)).collect()
        })
    }

    /// What brings a file into its usual form.
    pub fn format(&mut self, path: &Path) -> Option<Vec<TextEdit>> {
        let text = self.documents.get(path)?.text;
        let formatted = stack::format::format(&text).ok().filter(|formatted| **formatted != *text);
        Some(formatted.into_iter().map(|new| TextEdit { range: Places::of(&text).lines(&(0..text.len())), new_text: new }).collect())
    }
}

/// Whether a text has nothing but what a stack or module may have, and something of it.
fn is_ours(text: &str) -> bool {
    let outline = Outline::of(text);
    let sections = keys::names(&keys::SECTIONS);
    let is_section = |name: &str| sections.contains(&name);
    !outline.headers.is_empty() && outline.headers.iter().all(|header| header.names.first().is_some_and(|name| is_section(&name.text)))
}
