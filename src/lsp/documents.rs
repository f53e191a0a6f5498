//! The texts that are open in the editor, and the files of a stack with them laid over the disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use leoctl_core::stack::Files;

/// An open document.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its number among its versions, as the editor counts.
    pub version: i32,
    /// Its text, saved or not.
    pub text: Arc<str>,
}

/// The open documents by their paths, for who changes them and who reads them at the same time.
#[derive(Clone, Debug, Default)]
pub struct Documents(Arc<Mutex<BTreeMap<PathBuf, Document>>>);

impl Documents {
    fn open(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Document>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a document.
    pub fn opened(&self, path: PathBuf, version: i32, text: &str) {
        self.open().insert(path, Document { version, text: text.into() });
    }

    /// Takes a newer text of one. An older one than is known comes late, and counts for nothing.
    pub fn changed(&self, path: PathBuf, version: i32, text: &str) {
        let mut open = self.open();
        if open.get(&path).is_none_or(|known| known.version <= version) {
            open.insert(path, Document { version, text: text.into() });
        }
    }

    /// Closes one: what counts from now on is on the disk.
    pub fn closed(&self, path: &Path) {
        self.open().remove(path);
    }

    /// An open document.
    pub fn get(&self, path: &Path) -> Option<Document> {
        self.open().get(path).cloned()
    }

    /// The paths of the open documents.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.open().keys().cloned().collect()
    }
}

/// The disk with the open documents laid over it.
pub struct Overlay<'a> {
    /// The open documents.
    pub documents: &'a Documents,
    /// What is below.
    pub disk: Box<dyn Files>,
}

impl Files for Overlay<'_> {
    fn read(&self, path: &Path) -> Result<String, String> {
        match self.documents.get(path) {
            Some(document) => Ok(document.text.to_string()),
            None => self.disk.read(path),
        }
    }

    fn read_env(&self, path: &Path) -> Result<Vec<(String, String)>, String> {
        self.disk.read_env(path)
    }

    fn bytes(&self, path: &Path) -> Result<Vec<u8>, String> {
        self.disk.bytes(path)
    }

    fn real(&self, path: &Path) -> PathBuf {
        self.disk.real(path)
    }

    fn below(&self, path: &Path) -> Result<Vec<String>, String> {
        self.disk.below(path)
    }

    fn is_inside(&self, stack_file: &Path, path: &Path) -> bool {
        self.disk.is_inside(stack_file, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_comes_late_does_not_replace_a_newer_one() {
        let documents = Documents::default();
        let path = PathBuf::from("/stacks/a.toml");
        documents.opened(path.clone(), 1, "one");
        documents.changed(path.clone(), 3, "three");
        documents.changed(path.clone(), 2, "two");
        assert_eq!(&*documents.get(&path).unwrap().text, "three");
        documents.closed(&path);
        assert!(documents.get(&path).is_none());
    }
}
