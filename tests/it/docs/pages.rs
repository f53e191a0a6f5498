//! The pages of the documentation, and the blocks of code on them.
//!
//! A comment before a block says what is to be done with it. None of these is shown to readers:
//!
//! - `<!-- not run: REASON -->`: its commands cannot be run here.
//! - `<!-- file: PATH -->`: it is written to this file of the page's project.
//! - `<!-- append: PATH -->`: it is added to the end of the file.
//! - `<!-- replace in: PATH -->`: it takes the place of the table with the same first line.
//! - `<!-- exits with CODE -->`: that is how its last command ends.
//!
//! `<!-- run: COMMAND -->` by itself runs a command that is not shown. `<!-- sandbox -->` by itself, anywhere on a page, sends
//! the page's commands to the sandbox, as if each had `--sandbox`.

use std::path::{Path, PathBuf};

use super::root;

/// A page.
pub struct Page {
    /// Its path in the repository.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// A block between fences, or a command in a comment.
#[derive(Debug, Default, PartialEq)]
pub struct Block {
    /// The number of the line before its first, which is the fence.
    pub line: usize,
    /// What is behind the fence.
    pub language: String,
    /// The lines of it.
    pub lines: Vec<String>,
    /// The comment before it.
    pub mark: Option<(String, String)>,
}

impl Block {
    /// What the mark of this name says.
    pub fn mark(&self, name: &str) -> Option<&str> {
        self.mark.as_ref().filter(|(mark, _)| mark == name).map(|(_, says)| says.as_str())
    }

    /// Whether it shows commands and what they print.
    pub fn is_console(&self) -> bool {
        self.language == "console" || (self.language == "text" && self.lines.first().is_some_and(|line| line.starts_with("$ ")))
    }

    /// Whether it is commands.
    pub fn is_script(&self) -> bool {
        ["sh", "bash"].contains(&self.language.as_str())
    }

    /// Its commands, each with the lines that are shown below it.
    pub fn commands(&self) -> Vec<(String, Vec<String>)> {
        if self.is_script() {
            return vec![(self.lines.join("\n"), Vec::new())];
        }
        let mut commands: Vec<(String, Vec<String>)> = Vec::new();
        for line in &self.lines {
            match (line.strip_prefix("$ "), commands.last_mut()) {
                (Some(command), _) => commands.push((command.to_owned(), Vec::new())),
                (None, Some((command, shown))) if shown.is_empty() && command.ends_with('\\') => {
                    command.push('\n');
                    command.push_str(line);
                }
                (None, Some((_, shown))) => shown.push(line.clone()),
                (None, None) => {}
            }
        }
        commands
    }
}

impl Page {
    /// The blocks in order.
    pub fn blocks(&self) -> Vec<Block> {
        blocks(&self.text)
    }

    /// Whether its commands go to the sandbox without saying so.
    pub fn is_in_sandbox(&self) -> bool {
        self.text.lines().any(|line| line == "<!-- sandbox -->")
    }
}

/// Every page that people read: README and everything under `docs/`.
pub fn all() -> Vec<Page> {
    let mut files = vec![root().join("README.md")];
    under(&root().join("docs"), &mut files);
    files.sort();
    let page = |file: PathBuf| Page {
        path: file.strip_prefix(root()).unwrap().to_str().unwrap().to_owned(),
        text: std::fs::read_to_string(&file).unwrap(),
    };
    files.into_iter().map(page).collect()
}

fn under(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        match entry.file_type().unwrap().is_dir() {
            true => under(&entry.path(), files),
            false => files.extend(Some(entry.path()).filter(|path| path.extension().is_some_and(|extension| extension == "md"))),
        }
    }
}

/// The blocks of a text.
pub fn blocks(text: &str) -> Vec<Block> {
    let (mut blocks, mut mark, mut open): (Vec<Block>, _, Option<(String, Block)>) = (Vec::new(), None, None);
    for (at, line) in text.lines().enumerate() {
        let ticks: String = line.trim_start().chars().take_while(|c| *c == '`').collect();
        if let Some((fence, mut block)) = open.take() {
            if line.trim() == fence {
                blocks.push(block);
            } else {
                block.lines.push(line.to_owned());
                open = Some((fence, block));
            }
        } else if ticks.len() >= 3 {
            let language = line.trim().trim_start_matches('`').to_owned();
            open = Some((ticks, Block { line: at + 1, language, mark: mark.take(), ..Block::default() }));
        } else if let Some(said) = comment(line) {
            match said {
                (name, command) if name == "run" => {
                    blocks.push(Block { line: at + 1, language: "sh".to_owned(), lines: vec![command], mark: None });
                }
                said => mark = Some(said),
            }
        } else if !line.trim().is_empty() {
            mark = None;
        }
    }
    blocks
}

/// What a line says that is a comment for the tests.
fn comment(line: &str) -> Option<(String, String)> {
    let says = line.trim().strip_prefix("<!-- ")?.strip_suffix(" -->")?;
    let (name, says) = says.split_once(": ").or_else(|| says.split_once("exits with ").map(|(_, code)| ("exits with", code)))?;
    ["not run", "file", "append", "replace in", "exits with", "run"].contains(&name).then(|| (name.to_owned(), says.to_owned()))
}

#[test]
fn blocks_have_their_language_lines_and_mark() {
    let text = "a\n<!-- file: a.toml -->\n```toml\nx = 1\n```\n\n<!-- run: leoctl plan -->\n```console\n$ a\nb\n$ c\n```\n";
    let found = blocks(text);
    let block = |line, language: &str, lines: &[&str], mark: Option<(&str, &str)>| Block {
        line,
        language: language.to_owned(),
        lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        mark: mark.map(|(name, says)| (name.to_owned(), says.to_owned())),
    };
    let wanted = [
        block(3, "toml", &["x = 1"], Some(("file", "a.toml"))),
        block(7, "sh", &["leoctl plan"], None),
        block(8, "console", &["$ a", "b", "$ c"], None),
    ];
    assert_eq!(found, wanted);
    assert_eq!(found[2].commands(), [("a".to_owned(), vec!["b".to_owned()]), ("c".to_owned(), Vec::new())]);
}
