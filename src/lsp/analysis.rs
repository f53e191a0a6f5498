//! What is known of a stack, or of a module's file by itself, while it is being written.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use leoctl_core::engine::values::remembered_values;
use leoctl_core::model::address::Block;
use leoctl_core::model::module::ModulePath;
use leoctl_core::model::state::State;
use leoctl_core::stack::diagnostic::Diagnostics;
use leoctl_core::stack::files::{Role, StackFile};
use leoctl_core::stack::outline::Outline;
use leoctl_core::stack::scope::BlockValue;
use leoctl_core::stack::{Loaded, Stack, check};

/// What is known of a stack, or of a module's file by itself.
pub struct Analysis {
    /// The stack file, or the module's.
    pub root: PathBuf,
    /// Whether it is a module's file by itself.
    pub is_module: bool,
    /// The stack, as far as it can be read; where that is not at all, as it last could be.
    pub stack: Option<Rc<Stack>>,
    /// The stack as it was when last every table of it could be read.
    good: Option<Rc<Stack>>,
    /// What is wrong with it, by the numbers of `texts`.
    pub diagnostics: Diagnostics,
    /// Its files: path and text. Those of values come last.
    pub texts: Vec<(PathBuf, Rc<str>)>,
    /// The files it is read from.
    pub files: Vec<StackFile>,
    /// What the last apply remembers, when there was one and it can be read.
    pub state: Option<Rc<State>>,
    outlines: BTreeMap<PathBuf, OnceCell<Outline>>,
    written: OnceCell<BTreeMap<Block, BlockValue>>,
    remembered: OnceCell<BTreeMap<Block, BlockValue>>,
}

/// The file of an analysis that something is in.
#[derive(Clone, Copy)]
pub struct InFile<'a> {
    /// The analysis.
    pub analysis: &'a Analysis,
    /// The file.
    pub path: &'a Path,
    /// Its text.
    pub text: &'a str,
    /// What is where in it.
    pub outline: &'a Outline,
}

impl Analysis {
    /// What has become of a stack or module; `before` is what was known of it.
    pub fn new(root: PathBuf, is_module: bool, loaded: Loaded, before: Option<&Self>) -> Self {
        let Loaded { stack, diagnostics, sources, files } = loaded;
        let texts: Vec<(PathBuf, Rc<str>)> = sources.into_iter().map(|source| (source.path, source.text.into())).collect();
        let outlines = texts.iter().map(|(path, _)| (path.clone(), OnceCell::new())).collect();
        let stack = stack.map(Rc::new).or_else(|| before.and_then(|before| before.stack.clone()));
        let whole = stack.clone().filter(|stack| is_whole(stack));
        let good = whole.or_else(|| before.and_then(|before| before.good.clone()));
        let (written, remembered) = (OnceCell::new(), OnceCell::new());
        Self { root, is_module, stack, good, diagnostics, texts, files, state: None, outlines, written, remembered }
    }

    /// The stack whose names are offered: as it is, or as it last could be read.
    pub fn names(&self) -> Option<&Rc<Stack>> {
        match &self.stack {
            Some(stack) if is_whole(stack) => Some(stack),
            broken => self.good.as_ref().or(broken.as_ref()),
        }
    }

    /// One of its files.
    pub fn file(&self, path: &Path) -> Option<InFile<'_>> {
        let (path, text) = self.texts.iter().find(|(known, _)| known == path)?;
        let outline = self.outlines.get(path)?.get_or_init(|| Outline::of(text));
        Some(InFile { analysis: self, path, text, outline })
    }

    /// Whether it is read from a file.
    pub fn reads(&self, path: &Path) -> bool {
        self.files.iter().any(|file| file.path == path)
    }

    /// Its files that share their names with this one: the stack file and what it extends, or a module's file.
    pub fn unit(&self, path: &Path) -> Vec<InFile<'_>> {
        let is_module = |file: &&StackFile| file.role == Role::Module;
        let same: Vec<&StackFile> = match self.files.iter().filter(is_module).find(|file| file.path == path) {
            Some(module) => vec![module],
            None => self.files.iter().filter(|file| matches!(file.role, Role::Stack | Role::Base)).collect(),
        };
        same.into_iter().filter_map(|file| self.file(&file.path)).collect()
    }

    /// The module that a file is, as an instance of it; the stack itself where it is one of the stack's own.
    pub fn home(&self, path: &Path) -> ModulePath {
        let instances = self.stack.iter().flat_map(|stack| &stack.config.modules.instances);
        let mut of_file = instances.filter(|(_, module)| module.file == path).map(|(instance, _)| instance.clone());
        of_file.next().unwrap_or_default()
    }

    /// What is written of its resources.
    pub fn written(&self) -> &BTreeMap<Block, BlockValue> {
        self.written.get_or_init(|| self.stack.as_deref().map(check::known_of).unwrap_or_default())
    }

    /// What the last apply remembers of them.
    pub fn remembered(&self) -> &BTreeMap<Block, BlockValue> {
        let both = || self.stack.as_deref().zip(self.state.as_deref());
        self.remembered.get_or_init(|| both().map(|(stack, state)| remembered_values(stack, state)).unwrap_or_default())
    }
}

/// Whether every table of a stack's files could be read.
fn is_whole(stack: &Stack) -> bool {
    let mut modules = stack.config.modules.instances.values();
    !stack.config.unread.anything && !modules.any(|module| module.names.unread.anything)
}
