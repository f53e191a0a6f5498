//! Which env files the values of secrets come from.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::Opened;
use crate::cli::{CliError, Context, project};
use crate::store;
use crate::ui::{WARN, styled};
use leoctl_core::secrets::join::Files;
use leoctl_core::stack::env_file::{Variable, is_public};
use leoctl_core::stack::files;

/// Names the repository beside this one whose env file has values, too: in the environment, or in a private env file.
const SIBLING: &str = "SAAS_ROOT";
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
fn candidates(context: &Context, opened: &Opened<'_>, from: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
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
    let root = store::directory(opened.path()).parent().map(Path::to_owned).unwrap_or_default();
    let declared = declared(opened);
    let own = if declared.iter().any(|path| !is_public(path)) { declared.clone() } else { vec![root.join(PRIVATE)] };
    let sibling = Named::find(&[vec![root.join(COMMITTED)], declared, own.clone()].concat())?;
    sibling.refused.iter().for_each(|place| context.say(&styled(WARN, refused(place))));
    let mut files: Vec<PathBuf> = sibling.file(&root)?.into_iter().collect();
    files.extend(own);
    files.retain(|path| path.is_file() && !is_public(path));
    Ok(files)
}

/// The files of the stack's `[env]`.
fn declared(opened: &Opened<'_>) -> Vec<PathBuf> {
    opened.on.session.stack.config.env_files.iter().map(|(name, _)| files::beside(opened.path(), name)).collect()
}

/// What names the repository beside this one.
#[derive(Debug, Default, PartialEq, Eq)]
struct Named {
    /// Its folder.
    folder: Option<PathBuf>,
    /// The lines that would name it, and may not. Whoever may change a committed file would choose whose private file is
    /// read, and pushed: only the environment and files that are not committed may.
    refused: Vec<String>,
}

impl Named {
    /// In the environment, or else in the first of these files that has it.
    fn find(files: &[PathBuf]) -> Result<Self, CliError> {
        let mut named =
            Self { folder: std::env::var_os(SIBLING).filter(|folder| !folder.is_empty()).map(PathBuf::from), ..Self::default() };
        for path in files.iter().filter(|path| path.is_file()) {
            named.add(path, project::env_file(path)?);
        }
        named.refused.dedup();
        Ok(named)
    }

    fn add(&mut self, path: &Path, variables: Vec<Variable>) {
        let Some(found) = variables.into_iter().rfind(|variable| variable.name == SIBLING && !variable.value.is_empty()) else { return };
        match is_public(path) {
            true => self.refused.push(format!("{}:{}", path.display(), found.line)),
            false => drop(self.folder.get_or_insert(found.value.into())),
        }
    }

    /// Its env file.
    fn file(self, root: &Path) -> Result<Option<PathBuf>, CliError> {
        let Some(folder) = self.folder.map(|folder| root.join(folder)) else { return Ok(None) };
        if !folder.is_dir() {
            return Err(CliError::usage(
                &format!("{SIBLING} names {}, which is no folder", folder.display()),
                "correct it, or use `--from`",
            ));
        }
        Ok(Some(folder.join(PRIVATE)))
    }
}

fn refused(place: &str) -> String {
    format!(
        "Note: {SIBLING} in {place} is not used: whoever may commit that file would choose whose private file is pushed. Set it in the \
         environment or in a file that is not committed"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(value: &str) -> Vec<Variable> {
        vec![Variable { name: SIBLING.to_owned(), value: value.to_owned(), line: 3 }]
    }

    #[test]
    fn no_committed_file_chooses_whose_private_file_is_read() {
        for committed in [".env.defaults", "deploy/shop.env.defaults", ".defaults"] {
            let mut named = Named::default();
            named.add(Path::new(committed), variables("/home/other"));
            assert_eq!(named, Named { folder: None, refused: vec![format!("{committed}:3")] });
        }
    }

    #[test]
    fn the_environment_goes_before_the_private_files_and_of_these_the_first_counts() {
        let mut named = Named::default();
        [(".env.defaults", "a"), (".env.shop", ""), (".env.shop", "b"), (".env", "c")]
            .into_iter()
            .for_each(|(path, value)| named.add(Path::new(path), variables(value)));
        assert_eq!(named.folder.as_deref(), Some(Path::new("b")));
        let mut named = Named { folder: Some("environment".into()), refused: Vec::new() };
        named.add(Path::new(".env"), variables("b"));
        assert_eq!(named.folder.as_deref(), Some(Path::new("environment")));
    }
}
