//! What else than plans is reported to a forge: what changed outside leoctl, and what a command has said.

use super::super::plan::drift_details;
use super::document::{Block, Document, Language, Marker};
use super::inline::Inline;
use leoctl_core::plan::types::Plan;

/// A stack file, and its plan or why there is none.
pub struct Looked<'a> {
    /// The stack file.
    pub file: String,
    /// The plan, or why there is none.
    pub plan: Result<&'a Plan, String>,
}

/// What changed outside leoctl in some stacks, no longer than `limit` bytes.
pub fn drift(looked: &[Looked<'_>], limit: usize) -> String {
    let mut found: Vec<Found<'_>> = looked.iter().filter_map(Found::of).collect();
    let mut left_out = 0;
    loop {
        let text = drift_document(&found, looked.len(), left_out).text();
        if text.len() <= limit {
            return text;
        }
        // The longest goes first: a word about it stays.
        if let Some(longest) = found.iter_mut().max_by_key(|one| one.bytes()).filter(|one| one.bytes() > 0) {
            longest.leave_out();
        } else if found.pop().is_some() {
            left_out += 1;
        } else {
            return text;
        }
    }
}

/// What is said of one stack.
struct Found<'a> {
    file: &'a str,
    failed: bool,
    language: Language,
    lines: Vec<String>,
    left_out: usize,
}

impl<'a> Found<'a> {
    fn of(looked: &'a Looked<'_>) -> Option<Self> {
        let (failed, language, lines) = match &looked.plan {
            Ok(plan) if plan.drift.is_empty() => return None,
            Ok(plan) => (false, Language::Diff, drift_details(plan)),
            Err(why) => (true, Language::Text, why.lines().map(str::to_owned).collect()),
        };
        Some(Self { file: &looked.file, failed, language, lines, left_out: 0 })
    }

    fn bytes(&self) -> usize {
        self.lines.iter().map(String::len).sum()
    }

    fn leave_out(&mut self) {
        self.left_out = std::mem::take(&mut self.lines).len();
    }

    fn blocks(&self) -> [Block; 2] {
        let title = Inline::new().code(self.file);
        let title = if self.failed { title.own(" could not be read") } else { title };
        let content = match self.left_out {
            0 => Block::Fence(self.language, self.lines.clone()),
            lines => {
                let said = Inline::new().own("(").count(lines).own(" lines too many to be shown here; ");
                Block::Paragraph(said.code("leoctl drift").own(" shows them)"))
            }
        };
        [Block::Heading(3, title), content]
    }
}

fn drift_document(found: &[Found<'_>], looked: usize, left_out: usize) -> Document {
    let title = Block::Heading(2, Inline::new().own("Changed outside leoctl"));
    let mut document = Document::new(vec![Block::Marker(Marker::new(&["drift"])), title]);
    found.iter().flat_map(Found::blocks).for_each(|block| document.push(block));
    if left_out > 0 {
        let more = Inline::new().count(left_out).own(" more stacks; ").code("leoctl drift").own(" shows what it is.");
        document.push(Block::Paragraph(more));
    }
    let end = match found.len() + left_out {
        0 => Inline::new().own("Nothing, in ").count(looked).own(" stacks."),
        _ => Inline::new().code("leoctl apply").own(" brings back what the stack files say; or write into them what is to stay."),
    };
    document.push(Block::Paragraph(end));
    document
}

/// What a command has said, under a title, no longer than `limit` bytes: lines that are too many are left out at the
/// beginning, since the end says what came of it.
pub fn said(marker: Option<&str>, title: &str, about: Option<&str>, text: &str, limit: usize) -> String {
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let document = |from: usize| {
        let mut blocks: Vec<Block> =
            marker.map(|words| Block::Marker(Marker::new(&words.split(' ').collect::<Vec<_>>()))).into_iter().collect();
        let title = Inline::new().text(title);
        blocks.push(Block::Heading(
            3,
            match about {
                Some(about) => title.own(": ").code(about),
                None => title,
            },
        ));
        if from > 0 {
            let more = Inline::new().own("The first ").count(from).own(" lines are left out; the log of the job has them.");
            blocks.push(Block::Paragraph(more));
        }
        let shown = lines.get(from..).unwrap_or_default();
        if !shown.is_empty() {
            blocks.push(Block::Fence(Language::Text, shown.to_vec()));
        }
        Document::new(blocks).text()
    };
    let fits = |from: &usize| document(*from).len() <= limit;
    let (mut short, mut long) = (0, lines.len());
    if fits(&0) {
        return document(0);
    }
    // The first line from which on it fits.
    while short < long {
        let middle = short.midpoint(long);
        if fits(&middle) {
            long = middle;
        } else {
            short = middle + 1;
        }
    }
    document(long)
}
