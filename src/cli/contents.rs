//! The files of a project that the expressions of its stacks may read: nothing outside of the project, no hidden folder (git keeps
//! credentials in its own), and no state.

use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::disk;

/// The most files that are listed below a folder: more are a mistaken pattern.
const MOST_FILES: usize = 10_000;
/// The largest file an expression reads, in bytes: what it makes of it has the same limit.
const LARGEST: u64 = 4 << 20;

/// The bytes of a file of the project with this root.
///
/// # Errors
/// Why it cannot be read, in words.
pub fn bytes(root: &Path, path: &Path) -> Result<Vec<u8>, String> {
    let whole = place(root, path)?;
    disk::read_regular(&whole, LARGEST).map_err(|error| disk::words(&error))
}

/// Where a file of the project is, every link followed.
///
/// # Errors
/// Why it is not to be read, in words.
pub fn place(root: &Path, path: &Path) -> Result<PathBuf, String> {
    let whole = fs::canonicalize(path).map_err(|error| disk::words(&error))?;
    allowed(root, whole.parent().unwrap_or(&whole))?;
    Ok(whole)
}

/// The files below a folder of the project, sorted, by their paths from there on. Hidden ones are left out, and links are not
/// followed.
///
/// # Errors
/// Why they cannot be listed, in words.
pub fn below(root: &Path, folder: &Path) -> Result<Vec<String>, String> {
    let whole = fs::canonicalize(folder).map_err(|error| disk::words(&error))?;
    if whole != root {
        allowed(root, &whole)?;
    }
    let mut found = Vec::new();
    let mut folders = vec![whole.clone()];
    while let Some(next) = folders.pop() {
        let entries = fs::read_dir(&next).map_err(|error| disk::words(&error))?;
        for entry in entries {
            let entry = entry.map_err(|error| disk::words(&error))?;
            let (path, kind) = (entry.path(), entry.file_type().map_err(|error| disk::words(&error))?);
            if entry.file_name().to_string_lossy().starts_with('.') || kind.is_dir() && entry.file_name() == STATE {
                continue;
            }
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                found.push(name(&whole, &path)?);
            }
            if found.len() > MOST_FILES {
                return Err(format!("there are more than {MOST_FILES} files below it"));
            }
        }
    }
    found.sort();
    Ok(found)
}

fn name(folder: &Path, path: &Path) -> Result<String, String> {
    let parts = path.strip_prefix(folder).unwrap_or(path).components().map(|part| part.as_os_str().to_str());
    let parts: Option<Vec<&str>> = parts.collect();
    parts.map(|parts| parts.join("/")).ok_or_else(|| format!("the name of {} is not UTF-8 text", path.display()))
}

/// The name of folders with states: a project may have others inside of it.
const STATE: &str = "state";

/// Whether what is in a folder may be read.
fn allowed(root: &Path, folder: &Path) -> Result<(), String> {
    let Ok(inside) = folder.strip_prefix(root) else { return Err(format!("it is outside of the project, which is {}", root.display())) };
    if inside.components().any(|part| part.as_os_str() == STATE) {
        return Err("states are not read by expressions: `data` reads what another stack has made".to_owned());
    }
    let hidden = |part: Component<'_>| part.as_os_str().to_string_lossy().starts_with('.');
    match inside.components().any(hidden) {
        true => Err("it is in a hidden folder, and these are not read".to_owned()),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A project with these files.
    fn project(files: &[&str]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap().join("project");
        for file in files {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        (folder, root)
    }

    #[test]
    fn nothing_outside_of_the_project_is_read_by_any_way() {
        let (_folder, root) = project(&["stacks/a.toml", "files/a.json", ".git/config", "state/a.json", "../secret", ".env.defaults"]);
        let link = |name: &str, to: &str| std::os::unix::fs::symlink(to, root.join(name)).unwrap();
        link("files/out", "../../secret");
        link("files/git", "../.git/config");
        link("files/state", "../state/a.json");
        link("outside", "..");
        let read = |name: &str| bytes(&root, &root.join(name)).map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(read("stacks/../files/a.json").as_deref(), Ok("files/a.json"));
        assert_eq!(read(".env.defaults").as_deref(), Ok(".env.defaults"));
        for (name, why) in [
            ("../secret", "outside of the project"),
            ("files/out", "outside of the project"),
            ("outside/secret", "outside of the project"),
            (".git/config", "hidden folder"),
            ("files/git", "hidden folder"),
            ("state/a.json", "states are not read"),
            ("files/state", "states are not read"),
            ("files", "it is a folder"),
            ("none", "there is no such file"),
        ] {
            let refused = read(name).unwrap_err();
            assert!(refused.contains(why), "{name}: {refused}");
        }
        assert!(below(&root, &root.join("outside")).unwrap_err().contains("outside of the project"));
        assert!(below(&root, &root.join(".git")).unwrap_err().contains("hidden folder"));
        fs::create_dir_all(root.join("other/state")).unwrap();
        fs::write(root.join("other/state/b.json"), "{}").unwrap();
        assert!(read("other/state/b.json").unwrap_err().contains("states are not read"));
        assert_eq!(below(&root, &root.join("other")), Ok(Vec::new()));
    }

    #[test]
    fn files_are_listed_from_their_folder_on_without_what_is_hidden_and_without_states() {
        let (_folder, root) = project(&["b/2.txt", "b/c/1.txt", "a.txt", ".git/config", "state/s.json", "b/.hidden"]);
        assert_eq!(below(&root, &root), Ok(vec!["a.txt".to_owned(), "b/2.txt".to_owned(), "b/c/1.txt".to_owned()]));
        assert_eq!(below(&root, &root.join("b")), Ok(vec!["2.txt".to_owned(), "c/1.txt".to_owned()]));
    }
}
