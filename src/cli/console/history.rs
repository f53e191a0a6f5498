//! What was typed in earlier consoles: a file of the user's, which nobody else can read.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::disk;

/// How many lines are kept.
pub const MOST: usize = 1000;
/// No more of the file is read, in bytes.
const LARGEST: u64 = 4 << 20;

/// The lines of earlier consoles, and where those of this one are added. What cannot be read or written loses only this
/// convenience.
pub struct History {
    /// None where the system names no folder for such files.
    file: Option<PathBuf>,
    lines: Vec<String>,
}

impl History {
    /// What is kept.
    pub fn load() -> Self {
        let folders = directories::ProjectDirs::from("", "", "leoctl");
        let folder = folders.map(|folders| folders.state_dir().unwrap_or(folders.data_local_dir()).to_owned());
        Self::of(folder.map(|folder| folder.join("console_history")))
    }

    fn of(file: Option<PathBuf>) -> Self {
        let text = file.as_deref().and_then(|file| disk::read_text(file, LARGEST).ok()).unwrap_or_default();
        let mut lines: Vec<String> = text.lines().filter(|line| is_plain(line)).map(str::to_owned).collect();
        let kept = lines.split_off(lines.len().saturating_sub(MOST));
        if let Some(file) = file.as_deref().filter(|_| !lines.is_empty()) {
            drop(disk::replace(file, &kept.iter().map(|line| format!("{line}\n")).collect::<String>()));
        }
        Self { file, lines: kept }
    }

    /// The lines of earlier consoles, the oldest first.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Keeps a line, behind what another console has kept since.
    pub fn keep(&mut self, line: &str) {
        if !is_plain(line) || self.lines.last().is_some_and(|last| last == line) {
            return;
        }
        self.lines.push(line.to_owned());
        drop(self.file.as_deref().map(|file| added(file, line)));
    }
}

/// Whether a line can be brought back to a terminal: nothing in it moves the cursor.
fn is_plain(line: &str) -> bool {
    !line.is_empty() && !line.chars().any(char::is_control)
}

fn added(file: &Path, line: &str) -> io::Result<()> {
    fs::create_dir_all(disk::folder(file))?;
    let mut file = disk::private(OpenOptions::new().append(true).create(true)).open(file)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(format!("{line}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_again_and_readable_by_their_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state/leoctl/console_history");
        let mut one = History::of(Some(file.clone()));
        let mut other = History::of(Some(file.clone()));
        ["vars.a", "vars.a", "\u{1b}[2J", "1 + 2"].iter().for_each(|line| one.keep(line));
        other.keep("3");
        assert_eq!(History::of(Some(file.clone())).lines(), ["vars.a", "1 + 2", "3"]);
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        other.keep("4");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn the_oldest_lines_are_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("console_history");
        let lines: String = (0..MOST + 5).map(|number| format!("{number}\n")).collect();
        fs::write(&file, format!("{lines}\u{1b}[2J\n\n")).unwrap();
        assert_eq!(History::of(Some(file.clone())).lines().first().map(String::as_str), Some("5"));
        assert!(fs::read_to_string(&file).unwrap().starts_with("5\n6\n"));
    }
}
