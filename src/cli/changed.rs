//! What git says of the files of a repository: which stacks a change concerns, and which version is committed.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use super::args::Global;
use super::{CliError, Context, elsewhere, project};
use crate::disk;
use leoctl_core::stack::files::{Role, StackFile, normalize};
use leoctl_core::stack::{Loaded, MAX_FILE_SIZE};

/// More links than that on the way to a file are a cycle, as for the system.
const MOST_LINKS: u32 = 40;

/// How git makes the files of a folder, and of those in it, from what is committed (gitattributes).
pub const ATTRIBUTES: &str = ".gitattributes";

/// The stacks that are asked for: without `--changed` all of them. That there are none of them is said.
pub fn select(paths: Vec<PathBuf>, changes: Option<&Path>, repository: &Path, context: &Context) -> Result<Vec<PathBuf>, CliError> {
    let Some(file) = changes else { return Ok(paths) };
    let changes = named(file, repository)?;
    let concerned = concerned(paths, &changes, &context.global)?;
    if concerned.is_empty() {
        context.say(&match changes.len() {
            0 => "No file is changed.".to_owned(),
            1 => "No stack reads the changed file.".to_owned(),
            count => format!("No stack reads any of the {count} changed files."),
        });
    }
    Ok(concerned)
}

/// Whether a change concerns a stack.
pub fn concerns(stack: &Path, changes: &Path, repository: &Path, global: &Global) -> Result<bool, CliError> {
    Ok(!concerned(vec![stack.to_owned()], &named(changes, repository)?, global)?.is_empty())
}

/// The paths that a file names, from the root on.
fn named(file: &Path, repository: &Path) -> Result<BTreeSet<PathBuf>, CliError> {
    let (start, names) = entries(file, repository, "git diff --name-only -z")?;
    Ok(names.iter().map(|name| within(&start, name)).collect())
}

/// Which version of a file is committed, of those that `git ls-files --stage -z` lists in a file.
pub fn committed(file: &Path, repository: &Path) -> Result<BTreeMap<PathBuf, String>, CliError> {
    let (start, entries) = entries(file, repository, "git ls-files --stage -z")?;
    let listed = |entry: &Vec<u8>| {
        // MODE HASH STAGE<tab>NAME
        let tab = entry.iter().position(|byte| *byte == b'\t')?;
        let (about, name) = (entry.get(..tab)?, entry.get(tab + 1..)?);
        Some((within(&start, name), String::from_utf8_lossy(about).into_owned()))
    };
    entries.iter().map(listed).collect::<Option<_>>().ok_or_else(|| {
        CliError::usage(&format!("{} does not list which files are committed", file.display()), "write it with `git ls-files --stage -z`")
    })
}

fn within(start: &Path, name: &[u8]) -> PathBuf {
    normalize(&start.join(OsStr::from_bytes(name)))
}

/// The root that names start from, and what a file lists. Each entry has a NUL after it: no other character is in no name.
fn entries(file: &Path, repository: &Path, by: &str) -> Result<(PathBuf, Vec<Vec<u8>>), CliError> {
    let bytes = disk::read_bounded(file, MAX_FILE_SIZE as u64).map_err(|error| {
        CliError::usage(&format!("cannot read the names of files from {}: {error}", file.display()), &format!("write it with `{by}`"))
    })?;
    let start = fs::canonicalize(repository).map_err(|error| {
        let help = "name the folder that the names start from, as `git rev-parse --show-toplevel` prints it";
        CliError::usage(&format!("cannot use the folder {}: {error}", repository.display()), help)
    })?;
    if bytes.last().is_some_and(|last| *last != 0) {
        let message = format!("{} does not end with a NUL character, as each name in such a list does", file.display());
        return Err(CliError::usage(&message, &format!("write it with `{by}`")));
    }
    let found = bytes.split(|byte| *byte == 0).filter(|entry| !entry.is_empty());
    Ok((start, found.map(<[u8]>::to_vec).collect()))
}

/// The stacks that a change may concern: those that read one of the changed files, and those of which that cannot be
/// told. A file at the end of a change is enough to look at: what a stack read before and does not read now was
/// taken out of a file that is changed, and that it reads still.
fn concerned(paths: Vec<PathBuf>, changes: &BTreeSet<PathBuf>, global: &Global) -> Result<Vec<PathBuf>, CliError> {
    // A folder stands for what is in it: it may be a link, or a submodule.
    // What a file says here depends on what git is told of its attributes, such as an encoding.
    let is_changed = |path: &Path| path.ancestors().any(|part| changes.contains(part) || changes.contains(&part.join(ATTRIBUTES)));
    let mut concerned = Vec::new();
    for path in paths {
        let Loaded { stack, files, .. } = project::loaded(&path, global)?;
        let reads = |file: &Path| way(file).is_none_or(|way| way.iter().any(|part| is_changed(part)));
        let beside = stack.iter().flat_map(|stack| elsewhere::files(stack, &path));
        let reads_beside = beside.into_iter().any(|file| is_changed(&project::whole(&file)) || reads(&file));
        let lists = |file: &StackFile| file.role == Role::Folder && changes.iter().any(|path| path.starts_with(project::whole(&file.path)));
        if stack.is_none()
            || reads_beside
            || files.iter().any(|file| is_changed(&project::whole(&file.path)) || reads(&file.path) || lists(file))
        {
            concerned.push(path);
        }
    }
    Ok(concerned)
}

/// What the system passes on the way to a file, every link among it, and the file last; nothing when that is a cycle of
/// links. What is not there is taken for a file.
pub fn way(path: &Path) -> Option<BTreeSet<PathBuf>> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let parts = |path: &Path| path.components().rev().map(|part| part.as_os_str().to_owned()).collect::<Vec<OsString>>();
    let (mut rest, mut at, mut passed, mut links) = (parts(&absolute), PathBuf::new(), BTreeSet::new(), 0);
    while let Some(part) = rest.pop() {
        match Path::new(&part).components().next() {
            Some(Component::ParentDir) => drop(at.pop()),
            Some(Component::CurDir) | None => {}
            Some(_) => at.push(&part),
        }
        passed.insert(at.clone());
        if let Ok(target) = fs::read_link(&at) {
            links += 1;
            if links > MOST_LINKS {
                return None;
            }
            at.pop();
            rest.extend(parts(&target));
        }
    }
    Some(passed)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_list_has_a_nul_after_each_name() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("list");
        for (text, names) in [("", Some(0)), ("a\0b\0", Some(2)), ("stacks/a.toml\n", None), ("a\0b", None), ("[stack]\n", None)] {
            fs::write(&list, text).unwrap();
            let found = named(&list, folder.path());
            assert_eq!(found.as_ref().ok().map(BTreeSet::len), names, "{text:?}");
            if let Err(error) = found {
                assert!(error.to_string().contains("does not end with a NUL character"), "{error}");
            }
        }
    }

    #[test]
    fn every_link_on_the_way_to_a_file_is_passed() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        fs::create_dir_all(root.join("real/deep")).unwrap();
        fs::write(root.join("real/deep/base.toml"), "").unwrap();
        symlink("../b", root.join("real/c")).unwrap();
        symlink("real/c", root.join("a")).unwrap();
        symlink(root.join("real/deep"), root.join("b")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        let way = |name: &str| way(&root.join(name));
        let passed = way("a/base.toml").unwrap();
        for name in ["a", "real", "real/c", "b", "real/deep", "real/deep/base.toml"] {
            assert!(passed.contains(&root.join(name)), "{name} is not in {passed:?}");
        }
        assert!(!passed.contains(&root.join("loop")));
        assert!(way("gone/x.toml").unwrap().contains(&root.join("gone/x.toml")));
        assert_eq!(way("loop/x.toml"), None);
    }
}
