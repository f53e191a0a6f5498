//! The files of a stack: how they are read, and which they are.

use std::path::{Component, Path, PathBuf};

use super::env_file;

/// How the caller reads files: their text, or why not, in words.
pub trait Files {
    /// The text of a file.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn read(&self, path: &Path) -> Result<String, String>;
    /// The variables in a file of environment variables.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn read_env(&self, path: &Path) -> Result<Vec<(String, String)>, String>;

    /// The bytes of a file that an expression names, which has to be one of the project.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn bytes(&self, path: &Path) -> Result<Vec<u8>, String> {
        self.read(path).map(String::into_bytes)
    }

    /// Where a path leads, every link followed.
    fn real(&self, path: &Path) -> PathBuf {
        path.to_owned()
    }

    /// Whether what an env file has is public, by its own name and by that of the file that it leads to: a link called
    /// `x.defaults` makes no private file public.
    fn is_public(&self, path: &Path) -> bool {
        env_file::is_public(path) && env_file::is_public(&self.real(path))
    }

    /// The files of a folder of the project and of the folders in it, sorted, each by its path from there on with `/`.
    ///
    /// # Errors
    /// Why they cannot be listed.
    fn below(&self, path: &Path) -> Result<Vec<String>, String> {
        Err(format!("{} cannot be listed", path.display()))
    }

    /// Whether a file is in the project of a stack file.
    fn is_inside(&self, stack_file: &Path, path: &Path) -> bool {
        let root = project(stack_file);
        let climbs = |path: &Path| path.starts_with("..");
        path.starts_with(&root) && climbs(path) == climbs(&root) && path.is_absolute() == root.is_absolute()
    }
}

/// What a file is to a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The stack file itself.
    Stack,
    /// One that `extends` names, in the stack file or in another base.
    Base,
    /// One of `[env] files`.
    Env,
    /// One that an expression names.
    Content,
    /// A folder whose files an expression names.
    Folder,
    /// One that a module is read from.
    Module,
}

impl Role {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stack => "stack",
            Self::Base => "base",
            Self::Env => "env",
            Self::Content => "content",
            Self::Folder => "folder",
            Self::Module => "module",
        }
    }
}

/// A file that a stack is read from. It need not be there: then the stack would read it if it were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackFile {
    /// Where it is, without `.` and `..` where that can be told from the text.
    pub path: PathBuf,
    /// What it is to the stack.
    pub role: Role,
}

/// The path of a file that another one names. What is listed of a stack, and looked for in a cycle, is what is opened: `..`
/// is taken out before a link can give it another meaning.
pub fn beside(path: &Path, name: &str) -> PathBuf {
    normalize(&path.parent().unwrap_or(Path::new("")).join(name))
}

/// The folder of a stack file's project: the one with the folder `stacks/` that the file is in, else the file's own.
pub fn project(stack_file: &Path) -> PathBuf {
    let folder = stack_file.parent().unwrap_or(Path::new(""));
    let is_stacks = folder.file_name().is_some_and(|name| name == "stacks");
    folder.parent().filter(|_| is_stacks).unwrap_or(folder).to_owned()
}

/// A path without `.` and, where it can be told from the text, without `..`.
pub fn normalize(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if clean.file_name().is_some() => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean
}
