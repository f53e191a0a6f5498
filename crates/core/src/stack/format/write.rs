//! Lines as they are laid out: `=` below `=` in a block of keys, one blank line between tables, and lists either on one line or
//! with a line for each element.

use super::read::{Entry, Line, Nested, Value};

/// The longest line that a list is left on.
const WIDTH: usize = 140;
/// How far the elements of an open list stand in.
const INDENT: usize = 2;
/// The spaces before a comment behind something.
const GAP: usize = 2;

/// How lines end.
pub struct Layout {
    /// The end of a line.
    pub ending: &'static str,
}

/// A line that is laid out but for the place of its comment.
struct Row<'a> {
    text: String,
    comment: Option<&'a str>,
}

impl Row<'_> {
    fn of(text: String) -> Self {
        Row { text, comment: None }
    }

    /// Whether its comment may stand below those of the lines around it.
    fn is_aligned(&self) -> bool {
        self.comment.is_some() && !self.text.contains('\n')
    }
}

/// Where something begins: how far its line stands in, and how many characters are before and after it on that line.
#[derive(Clone, Copy)]
struct Place {
    indent: usize,
    before: usize,
    after: usize,
}

impl Layout {
    /// A whole file.
    pub fn document(&self, lines: Vec<Line<'_>>) -> String {
        let mut text = self.joined(self.rows(&spaced(lines), 0, ""));
        if !text.is_empty() {
            text.push_str(self.ending);
        }
        text
    }

    /// Lines that stand in so far, with `comma` behind each entry.
    fn rows<'a>(&self, lines: &[Line<'a>], indent: usize, comma: &str) -> Vec<Row<'a>> {
        let pad = " ".repeat(indent);
        let row = |(line, width): (&Line<'a>, usize)| match line {
            Line::Blank => Row::of(String::new()),
            Line::Comment(comment) => Row::of(format!("{pad}{comment}")),
            Line::Header { text, comment } => Row { text: text.clone(), comment: *comment },
            Line::Entry(Entry { key, value, comment }) => {
                let key = key.as_ref().map_or(String::new(), |key| format!("{key:width$} = "));
                let place = Place { indent, before: indent + chars(&key), after: comma.len() };
                Row { text: format!("{pad}{key}{}{comma}", self.value(value, place)), comment: *comment }
            }
        };
        lines.iter().zip(key_widths(lines)).map(row).collect()
    }

    /// A value that a line is for: a list that is too long for it is opened.
    fn value(&self, value: &Value<'_>, place: Place) -> String {
        let inline = self.inline(value, place.indent);
        let too_long = place.before + chars(&inline) + place.after > WIDTH && !inline.contains('\n');
        match value {
            Value::List(nested) if too_long && nested.lines.len() > 1 => self.open(("[", "]"), nested, place.indent),
            _ => inline,
        }
    }

    /// A value among others on a line.
    fn inline(&self, value: &Value<'_>, indent: usize) -> String {
        let (brackets, inside, nested) = match value {
            Value::Scalar(text) => return (*text).to_owned(),
            Value::List(nested) => (("[", "]"), "", nested),
            Value::Table(nested) => (("{", "}"), " ", nested),
        };
        if nested.lines.is_empty() {
            return format!("{}{}", brackets.0, brackets.1);
        }
        if nested.is_open {
            return self.open(brackets, nested, indent);
        }
        let entries = nested.lines.iter().filter_map(|line| match line {
            Line::Entry(Entry { key, value, .. }) => Some((key, self.inline(value, indent))),
            _ => None,
        });
        let entries = entries.map(|(key, value)| key.as_ref().map_or_else(|| value.clone(), |key| format!("{key} = {value}")));
        format!("{}{inside}{}{inside}{}", brackets.0, entries.collect::<Vec<_>>().join(", "), brackets.1)
    }

    /// A value with a line for each of its elements.
    fn open(&self, (open, close): (&str, &str), nested: &Nested<'_>, indent: usize) -> String {
        let lines = match nested.lines.as_slice() {
            [lines @ .., Line::Blank] => lines,
            lines => lines,
        };
        let inside = self.joined(self.rows(lines, indent + INDENT, ","));
        format!("{open}{end}{inside}{end}{pad}{close}", end = self.ending, pad = " ".repeat(indent))
    }

    /// Rows as text, the comments of those that follow one another below each other.
    fn joined(&self, rows: Vec<Row<'_>>) -> String {
        let mut text = Vec::new();
        let mut rows = rows.into_iter().peekable();
        while let Some(row) = rows.next() {
            let mut block = vec![row];
            while block.iter().all(Row::is_aligned)
                && let Some(next) = rows.next_if(Row::is_aligned)
            {
                block.push(next);
            }
            let widths = block.iter().map(|row| chars(last_line(&row.text))).filter(|width| *width <= WIDTH);
            let width = widths.max().unwrap_or_default();
            text.extend(block.into_iter().map(|row| match row.comment {
                Some(comment) => {
                    let gap = width.saturating_sub(chars(last_line(&row.text))) + GAP;
                    format!("{}{:gap$}{comment}", row.text, "")
                }
                None => row.text,
            }));
        }
        text.join(self.ending)
    }
}

/// The lines of a file with one blank line before each table and the comments that belong to it, and none between a header and
/// what is below it or at the end.
fn spaced(lines: Vec<Line<'_>>) -> Vec<Line<'_>> {
    let mut spaced: Vec<Line<'_>> = Vec::with_capacity(lines.len());
    for line in lines {
        match (&line, spaced.last()) {
            (Line::Header { .. }, Some(_)) => {
                let comments = spaced.iter().rev().take_while(|line| matches!(line, Line::Comment(_))).count();
                let at = spaced.len() - comments;
                if at > 0 && !matches!(spaced.get(at - 1), Some(Line::Blank)) {
                    spaced.insert(at, Line::Blank);
                }
            }
            (Line::Entry(_), Some(Line::Blank)) if matches!(spaced.iter().nth_back(1), Some(Line::Header { .. })) => drop(spaced.pop()),
            _ => {}
        }
        spaced.push(line);
    }
    while matches!(spaced.last(), Some(Line::Blank)) {
        spaced.pop();
    }
    spaced
}

/// How wide the keys are among which each line stands: those up to the next blank line or header.
fn key_widths(lines: &[Line<'_>]) -> Vec<usize> {
    let ends_block = |line: &Line<'_>| matches!(line, Line::Blank | Line::Header { .. });
    let width = |line: &Line<'_>| match line {
        Line::Entry(Entry { key: Some(key), .. }) if chars(key) <= WIDEST => chars(key),
        _ => 0,
    };
    let blocks = lines.split_inclusive(ends_block);
    let widths = blocks.flat_map(|block| {
        let widest = block.iter().map(width).max().unwrap_or_default();
        std::iter::repeat_n(widest, block.len())
    });
    widths.collect()
}

/// The widest key that others are laid out after: one that is longer stands by itself.
const WIDEST: usize = 48;

fn last_line(text: &str) -> &str {
    text.rsplit('\n').next().unwrap_or(text)
}

fn chars(text: &str) -> usize {
    text.chars().count()
}
