//! Which env files the values of secrets come from.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::Opened;
use crate::cli::{CliError, Context, project};
use crate::store;
use crate::ui::{WARN, styled};
use leoctl_core::secrets::join::Files;
use leoctl_core::stack::env_file::is_public;
use leoctl_core::stack::files;

/// Names the repository beside this one whose env file has values, too.
const SIBLING: &str = "SAAS_ROOT";
/// A committed file, whose values are no secrets.
const COMMITTED: &str = ".env.defaults";
/// A file that is not committed.
const PRIVATE: &str = ".env";

/// What the env files of a command say; there has to be one.
pub fn needed(context: &Context, opened: &Opened, from: &[PathBuf]) -> Result<Files, CliError> {
    let found = found(context, opened, from)?;
    if found.names.is_empty() {
        let help = format!("name one with `--from FILE`, in `[env] files` of the stack, or the repository that has one with {SIBLING}");
        return Err(CliError::usage("there is no env file to compare with", &help));
    }
    Ok(found)
}

/// What the env files of a command say.
pub fn found(context: &Context, opened: &Opened, from: &[PathBuf]) -> Result<Files, CliError> {
    let mut found = Files::default();
    for path in candidates(opened, from)? {
        let others = std::fs::metadata(&path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0);
        if others {
            let problem = format!("Note: {0} can be read by others: `chmod 600 {0}`", path.display());
            context.say(&styled(WARN, problem));
        }
        found.add(path.display().to_string(), project::env_file(&path)?);
    }
    Ok(found)
}

/// The env files to read, of which later ones win: those asked for, or else those that are there of the repository
/// beside this one and of the stack.
fn candidates(opened: &Opened, from: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    if let Some(missing) = from.iter().find(|path| !path.is_file()) {
        return Err(CliError::usage(&format!("cannot read {}: there is no such file", missing.display()), "`--from` names an env file"));
    }
    if let Some(public) = from.iter().find(|path| is_public(path)) {
        let problem = format!("{} is a file of public values, which are no secrets", public.display());
        return Err(CliError::usage(&problem, "`--from` names an env file that does not end in `.defaults`"));
    }
    if !from.is_empty() {
        return Ok(from.to_vec());
    }
    let root = store::directory(&opened.path).parent().map(Path::to_owned).unwrap_or_default();
    let declared = declared(opened);
    let own = if declared.iter().any(|path| !is_public(path)) { declared.clone() } else { vec![root.join(PRIVATE)] };
    let mut files: Vec<PathBuf> = sibling(&root, &[vec![root.join(COMMITTED)], declared, own.clone()].concat())?.into_iter().collect();
    files.extend(own);
    files.retain(|path| path.is_file() && !is_public(path));
    Ok(files)
}

/// The files of the stack's `[env]`.
fn declared(opened: &Opened) -> Vec<PathBuf> {
    opened.session.stack.config.env_files.iter().map(|(name, _)| files::beside(&opened.path, name)).collect()
}

/// The env file of the repository beside this one, where the environment or one of these files names it.
fn sibling(root: &Path, files: &[PathBuf]) -> Result<Option<PathBuf>, CliError> {
    let mut named = std::env::var_os(SIBLING).map(PathBuf::from);
    for path in files.iter().filter(|path| path.is_file()) {
        let found = project::env_file(path)?.into_iter().rfind(|variable| variable.name == SIBLING && !variable.value.is_empty());
        named = named.or(found.map(|variable| variable.value.into()));
    }
    let Some(folder) = named.map(|folder| root.join(folder)) else { return Ok(None) };
    if !folder.is_dir() {
        return Err(CliError::usage(&format!("{SIBLING} names {}, which is no folder", folder.display()), "correct it, or use `--from`"));
    }
    Ok(Some(folder.join(PRIVATE)))
}
