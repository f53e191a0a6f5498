//! What stands in a line of Markdown. Only leoctl's own words can be written as they are: they are literals of the
//! program, and everything else is text, code or a number.

use std::fmt::{Display, Write};

use super::super::{terminal, visible};
use super::words::{self, Part};

/// The content of a heading, a paragraph, an entry of a list, a cell or a summary.
#[derive(Clone, Debug, Default)]
pub struct Inline(Vec<Piece>);

#[derive(Clone, Debug)]
enum Piece {
    Own(&'static str),
    Strong(&'static str),
    Count(usize),
    Commit(String),
    Text(String),
    Code(String),
}

/// Where a line stands, which decides how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Where Markdown is read.
    Line,
    /// In a cell of a table, which a `|` would end.
    Cell,
    /// In HTML, where Markdown is not read.
    Html,
}

impl Inline {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Words of leoctl's, which mean nothing to Markdown.
    #[must_use]
    pub fn own(self, words: &'static str) -> Self {
        self.with(Piece::Own(words))
    }

    /// Words of leoctl's, in bold.
    #[must_use]
    pub fn strong(self, words: &'static str) -> Self {
        self.with(Piece::Strong(words))
    }

    /// A number.
    #[must_use]
    pub fn count(self, count: usize) -> Self {
        self.with(Piece::Count(count))
    }

    /// A text, in which nothing is markup but code between backticks.
    #[must_use]
    pub fn text(mut self, text: impl Display) -> Self {
        let text = terminal::plain(&text.to_string());
        match self.0.last_mut() {
            // What is parted would be read as one.
            Some(Piece::Text(before)) => before.push_str(&text),
            _ => self.0.push(Piece::Text(text)),
        }
        self
    }

    /// A name, a value, a file: shown letter by letter.
    #[must_use]
    pub fn code(self, code: impl Display) -> Self {
        self.with(Piece::Code(terminal::plain(&code.to_string())))
    }

    /// A commit, which the forge links; code when it is something else.
    #[must_use]
    pub fn commit(self, commit: &str) -> Self {
        let hash = (7..=64).contains(&commit.len()) && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        self.with(if hash { Piece::Commit(commit.to_owned()) } else { Piece::Code(commit.to_owned()) })
    }

    fn with(mut self, piece: Piece) -> Self {
        self.0.push(piece);
        self
    }

    /// How long it is, about.
    pub(super) fn bytes(&self) -> usize {
        let bytes = |piece: &Piece| match piece {
            Piece::Own(words) | Piece::Strong(words) => words.len(),
            Piece::Count(_) => 1,
            Piece::Commit(text) | Piece::Text(text) | Piece::Code(text) => text.len(),
        };
        self.0.iter().map(bytes).sum()
    }

    pub(super) fn written(&self, place: Place) -> String {
        let mut written = String::new();
        let mut after_code = false;
        for part in self.parts() {
            match part {
                Written::Own(words) => plain(&mut written, &words, place),
                Written::Strong(words) if place == Place::Html => element(&mut written, "b", words),
                // Writing to a String cannot fail.
                Written::Strong(words) => drop(write!(written, "**{words}**")),
                Written::Code(text) => {
                    // Two spans of code beside each other would be one.
                    if after_code {
                        written.push(' ');
                    }
                    code(&mut written, &text, place);
                    after_code = true;
                    continue;
                }
            }
            after_code = false;
        }
        // Blanks at the beginning make a block of code, and at the end a line break.
        written.trim_matches(' ').to_owned()
    }

    fn parts(&self) -> impl Iterator<Item = Written> {
        self.0.iter().flat_map(|piece| match piece {
            Piece::Own(words) => vec![Written::Own((*words).to_owned())],
            Piece::Strong(words) => vec![Written::Strong(words)],
            Piece::Count(count) => vec![Written::Own(count.to_string())],
            Piece::Commit(commit) => vec![Written::Own(commit.clone())],
            Piece::Code(code) => vec![Written::Code(code.clone())],
            Piece::Text(text) => words::parts(text)
                .into_iter()
                .map(|part| match part {
                    Part::Plain(text) => Written::Own(text),
                    Part::Code(text) => Written::Code(text),
                })
                .collect(),
        })
    }
}

enum Written {
    Own(String),
    Strong(&'static str),
    Code(String),
}

fn plain(written: &mut String, words: &str, place: Place) {
    match place {
        Place::Html => written.push_str(&entities(words)),
        Place::Line | Place::Cell => written.push_str(words),
    }
}

fn element(written: &mut String, name: &str, text: &str) {
    let _ = write!(written, "<{name}>{}</{name}>", entities(text));
}

fn entities(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A span of code: between more backticks than are in it anywhere. Line feeds and tabs are shown.
fn code(written: &mut String, text: &str, place: Place) {
    let text = visible::shown(text).replace('\n', "\\n").replace('\t', "\\t");
    let text = visible::inert_within(&text);
    // There is no span of nothing.
    let text = if text.is_empty() { "\"\"" } else { text.as_ref() };
    if place == Place::Html {
        return element(written, "code", text);
    }
    let ticks = "`".repeat(longest_run(text) + 1);
    // A blank at both ends is not part of the code, so that it may begin and end with backticks.
    let bare = text.trim_matches(' ').is_empty() || !(text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']));
    let pad = if bare { "" } else { " " };
    let text = if place == Place::Cell { in_cell(text) } else { text.to_owned() };
    let _ = write!(written, "{ticks}{pad}{text}{pad}{ticks}");
}

/// Code for a cell: `|` behind a backslash is itself. Renderers do not agree about what more backslashes before it mean.
fn in_cell(text: &str) -> String {
    text.replace("\\|", "\\\\u007c").replace('|', "\\|")
}

/// How many backticks stand beside each other at most.
pub(super) fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}
