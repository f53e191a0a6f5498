//! The files that expressions name with `file`, `template`, `fileset` and the like.
//!
//! Nothing is read while expressions are evaluated: what they ask for is noted, and read by the loader of the stack, until
//! nothing more is asked for. From then on the contents do not change, so that a plan and its apply see the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::complaint::{Complaint, complaint};
use super::diagnostic::Source;
use super::env_file;
use super::files::{Files, beside};

/// What an expression may ask the disk for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    /// The bytes of a file.
    File(PathBuf),
    /// The files in a folder and the folders in it.
    Folder(PathBuf),
}

/// What is in a file.
#[derive(Clone, Debug)]
pub struct Content {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Whether it is a file of environment variables that are not public.
    pub secret: bool,
}

/// What was found at a place.
#[derive(Clone, Debug)]
enum Found {
    File(Content),
    /// The files, by their paths from the folder on.
    Folder(Vec<String>),
}

/// The contents of the files of a stack's expressions.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// The stack's sources, by their numbers.
    sources: Vec<PathBuf>,
    found: BTreeMap<Wanted, Result<Found, String>>,
    /// What was asked for and is not found yet. Clones ask together.
    wanted: Arc<Mutex<BTreeSet<Wanted>>>,
    /// Whether everything that will ever be read has been read.
    complete: bool,
    /// How many bytes have been read, names of files among them.
    size: usize,
    /// The env files of the stack that are not public, where they lead.
    private: BTreeSet<PathBuf>,
}

/// How many bytes all files have together, about: a pattern of a whole project is a mistake.
const MOST: usize = 64 << 20;
/// How many bytes a path counts for.
const PATH: usize = 1 << 10;

/// Where an expression stands, for the files it names.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// The contents.
    pub contents: &'a Contents,
    /// The number of the source that the expression stands in.
    pub source: usize,
}

impl Contents {
    /// Nothing yet, for expressions of these sources.
    pub fn of(sources: &[Source]) -> Self {
        let mut contents = Self::default();
        contents.locate(sources);
        contents
    }

    /// Takes note of the sources that expressions stand in by now.
    pub fn locate(&mut self, sources: &[Source]) {
        self.sources = sources.iter().map(|source| source.path.clone()).collect();
    }

    /// Takes note of the env files of the stack.
    pub fn env_files(&mut self, paths: impl Iterator<Item = PathBuf>, files: &dyn Files) {
        self.private = paths.filter(|path| !files.is_public(path)).map(|path| files.real(&path)).collect();
    }

    /// Whether what is asked for now will still be read.
    pub fn is_open(&self) -> bool {
        !self.complete
    }

    /// Lets more be read, after all that the stack's own expressions name.
    pub fn open(&mut self) {
        self.complete = false;
    }

    /// Nothing more is read from here on.
    pub fn close(&mut self) {
        self.complete = true;
    }

    /// Reads what was asked for since the last call; whether that was anything.
    pub fn read(&mut self, files: &dyn Files) -> bool {
        let wanted = std::mem::take(&mut *self.wanted());
        let any = !wanted.is_empty();
        for wanted in wanted {
            let found = match &wanted {
                _ if self.size > MOST => Err(format!("the files that expressions read have more than {} MB together", MOST >> 20)),
                Wanted::File(path) => files.bytes(path).map(|bytes| {
                    self.size = self.size.saturating_add(bytes.len());
                    let real = files.real(path);
                    let secret = is_secret(path) || is_secret(&real) || self.private.contains(&real);
                    Found::File(Content { bytes, secret })
                }),
                Wanted::Folder(path) => files.below(path).map(|names| {
                    self.size = names.iter().fold(self.size, |size, name| size.saturating_add(name.len() + PATH));
                    Found::Folder(names)
                }),
            };
            self.size = self.size.saturating_add(PATH);
            self.found.insert(wanted, found);
        }
        any
    }

    /// The files and folders that were asked for, found or not.
    pub fn all(&self) -> impl Iterator<Item = &Wanted> {
        self.found.keys()
    }

    /// What was found in files, in the order of their paths.
    pub fn files(&self) -> impl Iterator<Item = (&Path, &Content)> {
        self.found.iter().filter_map(|(wanted, found)| match (wanted, found) {
            (Wanted::File(path), Ok(Found::File(content))) => Some((path.as_path(), content)),
            _ => None,
        })
    }

    /// The names of files that were listed, folder by folder.
    pub fn listed(&self) -> impl Iterator<Item = &str> {
        let names = self.found.values().filter_map(|found| if let Ok(Found::Folder(names)) = found { Some(names) } else { None });
        names.flatten().map(String::as_str)
    }

    fn wanted(&self) -> MutexGuard<'_, BTreeSet<Wanted>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was found; nothing before it has been looked for.
    fn find(&self, wanted: Wanted, name: &str) -> Result<Option<&Found>, Complaint> {
        match self.found.get(&wanted) {
            Some(Ok(found)) => Ok(Some(found)),
            Some(Err(problem)) => Err(complaint("cannot read {}: {}", [name.to_owned().into(), problem.clone().into()])),
            None if self.complete => Err(Complaint::Unread(name.to_owned().into())),
            None => {
                self.wanted().insert(wanted);
                Ok(None)
            }
        }
    }
}

impl<'a> Reader<'a> {
    /// Where something is that is named here.
    fn place(self, name: &str) -> Result<PathBuf, Complaint> {
        let outside = Path::new(name).is_absolute() || name.starts_with('~');
        if name.is_empty() || outside {
            let wrong = complaint("a path starts from the folder of the file that says it, and this is `{}`", [name.to_owned().into()]);
            return Err(wrong.help("write `files/task.json` or `../files/task.json`", []));
        }
        // What stands in no file names files as the stack file does.
        let from = self.contents.sources.get(self.source).or(self.contents.sources.first()).map_or(Path::new(""), PathBuf::as_path);
        Ok(beside(from, name))
    }

    /// The content of a file; nothing before it has been read.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn file(self, name: &str) -> Result<Option<&'a Content>, Complaint> {
        match self.contents.find(Wanted::File(self.place(name)?), name)? {
            Some(Found::File(content)) => Ok(Some(content)),
            _ => Ok(None),
        }
    }

    /// The files below a folder, by their paths from there on; nothing before they have been looked for.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn folder(self, name: &str) -> Result<Option<&'a [String]>, Complaint> {
        let place = if name.is_empty() { self.place(".")? } else { self.place(name)? };
        match self.contents.find(Wanted::Folder(place), if name.is_empty() { "." } else { name })? {
            Some(Found::Folder(names)) => Ok(Some(names)),
            _ => Ok(None),
        }
    }

    /// Asks for a file that an expression names, though its evaluation has not come to it.
    pub fn foresee(self, name: &str) {
        if self.contents.is_open() {
            drop(self.file(name));
        }
    }
}

/// Whether a file is one of environment variables that are not public, whose values are sensitive in `env`, too, or a state of
/// Terraform, which has everything in clear.
fn is_secret(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    if name.contains(".tfstate") {
        return true;
    }
    (name == ".env" || name.starts_with(".env.") || name.ends_with(".env")) && !env_file::is_public(path)
}
