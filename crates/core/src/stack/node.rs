//! TOML text as a tree of values that know where they stand, and merging such trees.

use std::collections::BTreeSet;
use std::ops::Range;

use indexmap::IndexMap;
use toml::de::{DeTable, DeValue};

use super::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use super::mistake::{self, Mistake};

/// A TOML value and where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    /// The value.
    pub kind: NodeKind,
    /// Where it stands; for a table made of several headers, where the first is.
    pub span: Span,
}

/// A TOML value.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text, escapes resolved.
    String(String),
    /// An array.
    List(Vec<Node>),
    /// A table.
    Table(Table),
    /// A mistake in TOML's syntax, which has been reported.
    Unreadable,
}

/// A TOML table in file order.
pub type Table = IndexMap<String, Entry>;

/// A key's value in a table.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where the key stands.
    pub key: Span,
    /// The value.
    pub node: Node,
}

impl Node {
    /// The table, if this is one.
    pub fn as_table(&self) -> Option<&Table> {
        match &self.kind {
            NodeKind::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The text, if this is text.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::String(text) => Some(text),
            _ => None,
        }
    }

    /// What kind of value this is, for messages.
    pub fn describe(&self) -> &'static str {
        match self.kind {
            NodeKind::Bool(_) => "a boolean",
            NodeKind::Int(_) => "an integer",
            NodeKind::Float(_) => "a number",
            NodeKind::String(_) => "a string",
            NodeKind::List(_) => "a list",
            NodeKind::Table(_) => "a table",
            NodeKind::Unreadable => "a value",
        }
    }
}

/// Parses the text of file number `file`; every syntax error is reported.
pub fn parse(file: usize, text: &str, diagnostics: &mut Diagnostics) -> Table {
    parse_partly(file, text, diagnostics).0
}

/// The same, and whether every table is there, however much is wrong inside of them.
pub fn parse_partly(file: usize, text: &str, diagnostics: &mut Diagnostics) -> (Table, bool) {
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return (Converter { file, wrong: Vec::new(), diagnostics }.table(table.get_ref()), true);
    }
    let mended = mistake::mended(text);
    for Mistake { message, help, at, first, .. } in mended.mistakes {
        let diagnostic = Diagnostic::error(Code::Syntax, &Span { file, range: at }, message);
        let diagnostic = help.into_iter().fold(diagnostic, Diagnostic::help);
        diagnostics.push(match first {
            Some(range) => {
                let help = format!("the first is on line {}", line(text, range.start) + 1);
                diagnostic.help(help).also(Span { file, range }, "it stands here first")
            }
            None => diagnostic,
        });
    }
    let (table, _) = DeTable::parse_recoverable(&mended.text);
    (Converter { file, wrong: lines(&mended.text, &mended.lines), diagnostics }.table(table.get_ref()), mended.whole)
}

/// Which line of a text a place is on.
fn line(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or(text).matches('\n').count()
}

/// Where the lines of these numbers are.
fn lines(text: &str, numbers: &BTreeSet<usize>) -> Vec<Range<usize>> {
    let mut start = 0;
    let all = text.split_inclusive('\n').enumerate().map(|(number, line)| {
        start += line.len();
        (number, start - line.len()..start)
    });
    all.filter(|(number, _)| numbers.contains(number)).map(|(_, line)| line).collect()
}

/// What is read of a file, as nodes.
struct Converter<'a> {
    file: usize,
    /// The lines with mistakes in them: what the parser makes of a value there is not what was meant.
    wrong: Vec<Range<usize>>,
    diagnostics: &'a mut Diagnostics,
}

impl Converter<'_> {
    fn table(&mut self, table: &DeTable<'_>) -> Table {
        let entries = table.iter().map(|(key, value)| {
            let range = key.span();
            let wrong = self.is_wrong(range.start);
            let span = Span { file: self.file, range: value.span() };
            let node = match value.get_ref() {
                nested @ (DeValue::Table(_) | DeValue::Array(_)) => self.node(span, nested),
                _ if wrong => Node { kind: NodeKind::Unreadable, span },
                scalar => self.node(span, scalar),
            };
            (key.get_ref().to_string(), Entry { key: Span { file: self.file, range }, node })
        });
        entries.collect()
    }

    /// Whether a place is on a line with a mistake.
    fn is_wrong(&self, at: usize) -> bool {
        let before = self.wrong.partition_point(|line| line.end <= at);
        self.wrong.get(before).is_some_and(|line| line.contains(&at))
    }

    fn node(&mut self, span: Span, value: &DeValue<'_>) -> Node {
        let kind = match value {
            DeValue::String(text) => NodeKind::String(text.to_string()),
            DeValue::Boolean(flag) => NodeKind::Bool(*flag),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => NodeKind::Int(number),
                Err(_) => self.unreadable(&span, "this integer does not fit in 64 bits"),
            },
            DeValue::Float(number) => match number.as_str().parse::<f64>() {
                Ok(number) if number.is_finite() => NodeKind::Float(number),
                _ => self.unreadable(&span, "this is not a number that AWS or the state could hold"),
            },
            DeValue::Datetime(date) => NodeKind::String(date.to_string()),
            DeValue::Array(items) => {
                let items = items.iter().map(|item| {
                    let span = Span { file: self.file, range: item.span() };
                    let is_nested = matches!(item.get_ref(), DeValue::Table(_) | DeValue::Array(_));
                    match !is_nested && self.is_wrong(span.range.start) {
                        true => Node { kind: NodeKind::Unreadable, span },
                        false => self.node(span, item.get_ref()),
                    }
                });
                NodeKind::List(items.collect())
            }
            DeValue::Table(table) => NodeKind::Table(self.table(table)),
        };
        Node { kind, span }
    }

    fn unreadable(&mut self, span: &Span, why: &str) -> NodeKind {
        self.diagnostics.push(Diagnostic::error(Code::Syntax, span, why));
        NodeKind::Unreadable
    }
}

/// Lays `over` on `base`: tables merge key by key, everything else is replaced by `over`'s.
pub fn merge(base: Table, over: Table) -> Table {
    let mut merged = base;
    for (key, entry) in over {
        let combined = match (merged.swap_remove_entry_in_place(&key), entry) {
            (Some(Entry { node: Node { kind: NodeKind::Table(below), .. }, .. }), Entry { key, node })
                if matches!(node.kind, NodeKind::Table(_)) =>
            {
                let NodeKind::Table(above) = node.kind else { continue };
                Entry { key, node: Node { kind: NodeKind::Table(merge(below, above)), span: node.span } }
            }
            (_, entry) => entry,
        };
        merged.insert(key, combined);
    }
    merged
}

/// Taking a value out of a table while its key keeps its place.
trait TakeInPlace {
    fn swap_remove_entry_in_place(&mut self, key: &str) -> Option<Entry>;
}

impl TakeInPlace for Table {
    fn swap_remove_entry_in_place(&mut self, key: &str) -> Option<Entry> {
        let entry = self.get_mut(key)?;
        let empty = Node { kind: NodeKind::Bool(false), span: Span::default() };
        Some(std::mem::replace(entry, Entry { key: Span::default(), node: empty }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        let mut diagnostics = Diagnostics::default();
        let table = parse(0, text, &mut diagnostics);
        assert!(!diagnostics.has_errors(), "{diagnostics:?}");
        table
    }

    #[test]
    fn merging_keeps_the_order_of_the_base_and_the_values_of_the_upper() {
        let merged = merge(table("b = 1\n[a]\nx = 1\ny = [1, 2]"), table("c = 3\n[a]\ny = [3]\nz = 4"));
        assert_eq!(merged.keys().collect::<Vec<_>>(), ["b", "a", "c"]);
        let a = merged["a"].node.as_table().unwrap();
        assert_eq!(a.keys().collect::<Vec<_>>(), ["x", "y", "z"]);
        assert!(matches!(&a["y"].node.kind, NodeKind::List(items) if items.len() == 1));
    }

    #[test]
    fn a_syntax_error_says_what_to_write_and_nothing_of_what_is_written() {
        for (text, message, help, count) in [
            ("a = vpc.main.id", "stands in quotes", "`\"${vpc.main.id}\"`", 1),
            ("a = ${x.y}", "an expression stands in quotes", "`\"${…}\"`", 1),
            ("a = !Ref x", "no functions with `!`", "${", 1),
            ("a = <<EOF\nx y\nEOF\n", "no `<<`", "'''", 1),
            ("a = 'x\ny'\nb = 2", "not closed on it", "'''", 1),
            ("a = \u{201c}x\u{201d}", "no quote of TOML", "`\"`", 1),
            ("a = \"${x == \"prod\"}\"", "ends at this quote", "'prod'", 1),
            ("a = yes", "no such value", "`true`", 1),
            ("a = off", "no such value", "`false`", 1),
            ("a = null", "no value for nothing", "leave it out", 1),
            ("a = True", "not how TOML writes it", "`true`", 1),
            ("a =", "no value behind `=`", "quotes", 1),
            ("a = s3cret", "stands in quotes", "", 1),
            ("a = s3cret\nb = 1\nc = s3cret", "stands in quotes", "", 2),
        ] {
            let mut diagnostics = Diagnostics::default();
            parse(0, text, &mut diagnostics);
            let first = diagnostics.0.first().unwrap();
            assert!(first.message.contains(message) && first.help.concat().contains(help), "{text}: {diagnostics:?}");
            assert_eq!(diagnostics.0.len(), count, "{text}: {diagnostics:?}");
            let inside = format!("{diagnostics:?}");
            assert!(!inside.contains("s3cret") && !inside.contains("literal string"), "{inside}");
        }
    }

    #[test]
    fn every_syntax_error_is_reported() {
        let mut diagnostics = Diagnostics::default();
        parse(0, "a = \nb = 1\nc = ]\n", &mut diagnostics);
        assert!(diagnostics.0.len() >= 2, "{diagnostics:?}");
    }
}
