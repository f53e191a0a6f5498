//! A text in Markdown, built of blocks. There is no way to put a string into it that is not written as text.
//!
//! No line of the result begins with what was given, since some of what reads it goes by lines: quick actions (`/close`),
//! quotes (`>>>`) and fences on GitLab, workflow commands (`::`) when a job prints it.

use super::super::{terminal, visible};
use super::inline::{Inline, Place, longest_run};

/// A piece of a document.
#[derive(Clone, Debug)]
pub enum Block {
    /// What finds the document again: a comment in HTML, which nobody sees. Only as the first block.
    Marker(Marker),
    /// A heading of this level, from 1 to 6.
    Heading(u8, Inline),
    /// A paragraph.
    Paragraph(Inline),
    /// A list, each entry on a line.
    List(Vec<Inline>),
    /// A table: its head, and its rows.
    Table(Vec<&'static str>, Vec<Vec<Inline>>),
    /// Lines as they are.
    Fence(Language, Vec<String>),
    /// Blocks that are shown when they are asked for, or at once.
    Details {
        /// Whether they are shown at once.
        open: bool,
        /// What is always shown.
        summary: Inline,
        /// The blocks.
        content: Vec<Block>,
    },
}

/// What lines are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// A diff, each line with a sign or a blank in front.
    Diff,
    /// Nothing in particular.
    Text,
}

/// What finds a document again, of characters that cannot end it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker(String);

impl Marker {
    /// A marker of words that may hold anything: what does not belong into one is written as its code.
    pub fn new(words: &[&str]) -> Self {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
        let word =
            |word: &&str| word.chars().map(|c| if plain(c) { c.to_string() } else { format!("%{:x}", u32::from(c)) }).collect::<String>();
        Self(words.iter().map(word).collect::<Vec<_>>().join(" "))
    }
}

/// A document.
#[derive(Clone, Debug, Default)]
pub struct Document(Vec<Block>);

impl Document {
    /// One of these blocks.
    pub fn new(blocks: Vec<Block>) -> Self {
        Self(blocks)
    }

    /// One more block.
    pub fn push(&mut self, block: Block) {
        self.0.push(block);
    }

    /// The Markdown.
    pub fn text(&self) -> String {
        let mut text = String::new();
        write_all(&mut text, &self.0);
        text
    }
}

fn write_all(text: &mut String, blocks: &[Block]) {
    blocks.iter().for_each(|block| write_one(text, block));
}

fn write_one(text: &mut String, block: &Block) {
    match block {
        // What follows may stand in the next line.
        Block::Marker(Marker(words)) => line(text, &format!("<!-- leoctl {words} -->")),
        Block::Heading(level, title) => {
            paragraph(text, &format!("{} {}", "#".repeat(usize::from(*level).clamp(1, 6)), title.written(Place::Line)))
        }
        Block::Paragraph(content) => paragraph(text, &content.written(Place::Line)),
        Block::List(entries) => {
            entries.iter().for_each(|entry| line(text, &format!("- {}", entry.written(Place::Line))));
            line(text, "");
        }
        Block::Table(head, rows) => {
            line(text, &format!("| {} |", head.join(" | ")));
            line(text, &format!("|{}", " --- |".repeat(head.len())));
            for row in rows {
                let cells: Vec<String> = row.iter().map(|cell| cell.written(Place::Cell)).collect();
                line(text, &format!("| {} |", cells.join(" | ")));
            }
            line(text, "");
        }
        Block::Fence(language, lines) => fence(text, *language, lines),
        Block::Details { open, summary, content } => {
            let open = if *open { " open" } else { "" };
            paragraph(text, &format!("<details{open}><summary>{}</summary>", summary.written(Place::Html)));
            write_all(text, content);
            paragraph(text, "</details>");
        }
    }
}

/// Lines between fences that are longer than any row of backticks in them.
fn fence(text: &mut String, language: Language, lines: &[String]) {
    let all = lines.iter().map(|line| terminal::plain(line)).collect::<Vec<_>>().join("\n");
    let all = visible::shown(&all).into_owned();
    let all = visible::inert(&all);
    let ticks = "`".repeat(longest_run(&all).max(2) + 1);
    let name = match language {
        Language::Diff => "diff",
        Language::Text => "text",
    };
    line(text, &format!("{ticks}{name}"));
    for one in all.split('\n') {
        match language {
            Language::Diff if one.starts_with([' ', '+', '-', '!']) => line(text, one),
            _ if one.is_empty() => line(text, ""),
            _ => line(text, &format!(" {one}")),
        }
    }
    paragraph(text, &ticks);
}

fn line(text: &mut String, content: &str) {
    text.push_str(content);
    text.push('\n');
}

fn paragraph(text: &mut String, content: &str) {
    line(text, content);
    line(text, "");
}
