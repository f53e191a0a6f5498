//! Where the server was started: which files it may read, and how its tools run.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::args::Global;
use crate::cli::{CliError, Context, project};

/// The folder that the server was started in, and with what.
pub struct Here {
    context: Context,
    root: PathBuf,
    /// How many applies are under way.
    applying: Cell<usize>,
}

impl Here {
    /// The folder that this process was started in.
    ///
    /// # Errors
    /// When it is not there any more.
    pub fn new(context: &Context) -> Result<Self, CliError> {
        let root = std::env::current_dir().and_then(fs::canonicalize);
        let root = root.map_err(|error| {
            CliError::usage(&format!("cannot tell which folder this is: {error}"), "start `leoctl mcp` in the project's folder")
        })?;
        // stdout is the protocol's, and nobody is at a terminal.
        let global = Global { json: true, quiet: true, no_color: true, plain: true, ..context.global.clone() };
        Ok(Self { context: Context { global, interactive: false }, root, applying: Cell::new(0) })
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// How a tool runs that gives variables to the stack, too.
    pub fn context(&self, vars: &BTreeMap<String, String>) -> Context {
        let mut context = self.context.clone();
        context.global.vars.extend(vars.iter().map(|(name, value)| (name.clone(), value.clone())));
        context
    }

    /// The stack file that is meant: the one that is named, or what every command would take.
    ///
    /// # Errors
    /// When it is outside of the folder, or it is not plain which one is meant.
    pub fn stack(&self, named: Option<&str>) -> Result<PathBuf, CliError> {
        match named {
            Some(named) => self.file(Path::new(named)),
            None => self.file(&project::default_stack()?),
        }
    }

    /// A file by its path from the folder on, after every link was followed. It need not be there.
    ///
    /// # Errors
    /// When it is outside of the folder.
    pub fn file(&self, named: &Path) -> Result<PathBuf, CliError> {
        let whole = project::whole(&self.root.join(named));
        match real(&whole).as_deref().and_then(|real| real.strip_prefix(&self.root).ok()) {
            Some(inside) if !inside.as_os_str().is_empty() => Ok(inside.to_owned()),
            _ => Err(CliError::usage(
                &format!("{} is not in the folder that `leoctl mcp` was started in", named.display()),
                "name a file by its path from that folder on, such as stacks/prod.toml, without links that lead out of it",
            )),
        }
    }

    /// Whether an apply is under way.
    pub fn is_applying(&self) -> bool {
        self.applying.get() > 0
    }

    /// An apply is under way until this goes.
    pub fn applies(&self) -> Applying<'_> {
        self.applying.set(self.applying.get() + 1);
        Applying(self)
    }
}

/// Where a path leads, links followed as far as it is there; nowhere, where a link on the way leads to nothing.
fn real(path: &Path) -> Option<PathBuf> {
    let there = path.ancestors().find(|above| fs::symlink_metadata(above).is_ok())?;
    let (real, rest) = (fs::canonicalize(there).ok()?, path.strip_prefix(there).ok()?);
    Some(if rest.as_os_str().is_empty() { real } else { real.join(rest) })
}

/// An apply that is under way.
pub struct Applying<'a>(&'a Here);

impl Drop for Applying<'_> {
    fn drop(&mut self) {
        self.0.applying.set(self.0.applying.get().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::args::Cli;

    #[test]
    fn only_files_of_the_folder_are_meant() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap().join("project");
        fs::create_dir_all(root.join("stacks")).unwrap();
        fs::write(root.join("stacks/a.toml"), "").unwrap();
        fs::write(folder.path().join("b.toml"), "").unwrap();
        std::os::unix::fs::symlink("../../b.toml", root.join("stacks/link.toml")).unwrap();
        std::os::unix::fs::symlink("..", root.join("up")).unwrap();
        std::os::unix::fs::symlink("a.toml", root.join("stacks/same.toml")).unwrap();
        std::os::unix::fs::symlink("../../none", root.join("stacks/nowhere")).unwrap();
        let global = Cli::try_parse_from(["leoctl", "validate"]).unwrap().global;
        let here = Here { context: Context { global, interactive: false }, root: root.clone(), applying: Cell::new(0) };
        let file = |name: &str| here.file(Path::new(name)).ok().map(|path| path.display().to_string());
        for name in ["stacks/a.toml", "./stacks/../stacks/a.toml", "stacks/same.toml", &root.join("stacks/a.toml").display().to_string()] {
            assert_eq!(file(name).as_deref(), Some("stacks/a.toml"), "{name}");
        }
        assert_eq!(file("stacks/none.toml").as_deref(), Some("stacks/none.toml"), "what is not there is said when it is read");
        for name in [
            "../b.toml",
            "stacks/../../b.toml",
            "stacks/link.toml",
            "up/b.toml",
            "up/none.toml",
            "up/none/none.toml",
            "stacks/nowhere",
            "stacks/nowhere/a.toml",
            "/etc/passwd",
            "",
            ".",
            "/",
        ] {
            assert_eq!(file(name), None, "{name}");
        }
    }
}
