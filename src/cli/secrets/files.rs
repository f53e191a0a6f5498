//! Which env files the values of secrets come from.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::Opened;
use crate::cli::{CliError, Context, project};
use crate::store;
use crate::ui::{WARN, styled};
use leoctl_core::secrets::join::Files;
use leoctl_core::stack::env_file::is_public;
use leoctl_core::stack::files;

/// The environment variable that names the repository beside this one whose env file has values, too.
const SIBLING: &str = "SAAS_ROOT";
/// What `-` stands for.
const STDIN: &str = "/dev/stdin";
/// A committed file, whose values are no secrets.
const COMMITTED: &str = ".env.defaults";
/// A file that is not committed.
const PRIVATE: &str = ".env";

/// What the env files of a command say; there has to be one.
pub fn needed(context: &Context, opened: &Opened<'_>, from: &[PathBuf]) -> Result<Files, CliError> {
    let found = found(context, opened, from)?;
    if found.names.is_empty() {
        let help = format!("name one with `--from FILE`, in `[env] files` of the stack, or the repository that has one with {SIBLING}");
        return Err(CliError::usage("there is no env file to compare with", &help));
    }
    Ok(found)
}

/// What the env files of a command say.
pub fn found(context: &Context, opened: &Opened<'_>, from: &[PathBuf]) -> Result<Files, CliError> {
    let mut found = Files::default();
    for path in candidates(context, opened, from)? {
        let others = std::fs::metadata(&path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o077 != 0);
        if others {
            let problem = format!("Note: {0} can be read by others: `chmod 600 {0}`", path.display());
            context.say(&styled(WARN, problem));
        }
        found.add(path.display().to_string(), if from.is_empty() { project::env_file(&path)? } else { project::named_env_file(&path)? });
    }
    Ok(found)
}

/// The env files to read, of which later ones win: those asked for, or else those that are there of the repository
/// beside this one and of the stack.
fn candidates(context: &Context, opened: &Opened<'_>, from: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    if let Some(public) = from.iter().find(|path| is_public(path)) {
        let problem = format!("{} is a file of public values, which are no secrets", public.display());
        return Err(CliError::usage(&problem, "`--from` names an env file that does not end in `.defaults`"));
    }
    if !from.is_empty() {
        let stdin = |path: &PathBuf| if path.as_os_str() == "-" { PathBuf::from(STDIN) } else { path.clone() };
        return Ok(from.iter().map(stdin).collect());
    }
    let root = store::directory(opened.path()).parent().map(Path::to_owned).unwrap_or_default();
    let declared = declared(opened);
    let own = if declared.iter().any(|path| !is_public(path)) { declared.clone() } else { vec![root.join(PRIVATE)] };
    let mut files: Vec<PathBuf> = sibling(&root)?.into_iter().collect();
    let (inside, outside): (Vec<PathBuf>, Vec<PathBuf>) = own.into_iter().partition(|path| is_inside(&root, path));
    let others = outside.iter().filter(|path| path.is_file() && !is_public(path)).map(|path| elsewhere(path));
    let notes = others.chain(named_in(&[vec![root.join(COMMITTED)], declared, vec![root.join(PRIVATE)]].concat())?);
    notes.collect::<BTreeSet<String>>().iter().for_each(|note| context.say(&styled(WARN, note)));
    files.extend(inside);
    files.retain(|path| path.is_file() && !is_public(path));
    Ok(files)
}

/// The files of the stack's `[env]`.
fn declared(opened: &Opened<'_>) -> Vec<PathBuf> {
    opened.on.session.stack.config.env_files.iter().map(|(name, _)| files::beside(opened.path(), name)).collect()
}

/// The env file of the repository beside this one. Only the environment names that: any file of the project may be
/// committed, and who commits it would choose whose private file is read, and pushed.
fn sibling(root: &Path) -> Result<Option<PathBuf>, CliError> {
    let Some(folder) = std::env::var_os(SIBLING).filter(|folder| !folder.is_empty()) else { return Ok(None) };
    let folder = root.join(folder);
    if !folder.is_dir() {
        return Err(CliError::usage(&format!("{SIBLING} names {}, which is no folder", folder.display()), "correct it, or use `--from`"));
    }
    Ok(Some(folder.join(PRIVATE)))
}

/// Whether a file is in the project's folder, links on the way followed. One that is not there is nowhere else.
fn is_inside(root: &Path, file: &Path) -> bool {
    let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
    match (fs::canonicalize(root), fs::canonicalize(file)) {
        (Ok(root), Ok(file)) => file.starts_with(root),
        _ => true,
    }
}

fn elsewhere(path: &Path) -> String {
    format!(
        "Note: {0} is outside of the project and is not read: who commits the stack file would choose whose private file is pushed. \
         Name it with `--from {0}` if it is meant",
        path.display()
    )
}

/// That files name the repository beside this one, which counts in the environment only.
fn named_in(files: &[PathBuf]) -> Result<Vec<String>, CliError> {
    let mut notes = Vec::new();
    for path in files.iter().filter(|path| path.is_file()) {
        let found = project::env_file(path)?.into_iter().rfind(|variable| variable.name == SIBLING && !variable.value.is_empty());
        notes.extend(found.map(|found| {
            format!(
                "Note: {SIBLING} in {}:{} is not used: who commits that file would choose whose private file is pushed. Set it in the \
                 environment, or use `--from`",
                path.display(),
                found.line
            )
        }));
    }
    Ok(notes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_or_leads_outside_of_the_project_is_not_inside() {
        let folder = tempfile::tempdir().unwrap();
        let (root, other) = (folder.path().join("shop"), folder.path().join("other"));
        for folder in [&root, &other] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join(".env"), "A=1").unwrap();
        }
        std::os::unix::fs::symlink(other.join(".env"), root.join(".env.link")).unwrap();
        for (file, inside) in [(".env", true), ("../shop/.env", true), ("not-there", true), ("../other/.env", false), (".env.link", false)]
        {
            assert_eq!(is_inside(&root, &root.join(file)), inside, "{file}");
        }
        assert!(!is_inside(&root, &other.join(".env")));
    }
}
