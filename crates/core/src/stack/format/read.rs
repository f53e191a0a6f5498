//! A file as lines: what stands on each, without the spaces between.

use std::iter::Peekable;
use std::vec::IntoIter;

use toml_parser::Source;
use toml_parser::parser::{Event, EventKind, parse_document};

/// A line of a file, or of a list or table that is open.
pub enum Line<'a> {
    /// One or more lines with nothing on them.
    Blank,
    /// A comment by itself.
    Comment(&'a str),
    /// What a table begins with, `[name]` or `[[name]]`.
    Header { text: String, comment: Option<&'a str> },
    /// A value, with its key except in a list.
    Entry(Entry<'a>),
}

/// A value, with its key except in a list.
pub struct Entry<'a> {
    /// The key, its parts joined by dots; none in a list.
    pub key: Option<String>,
    /// The value.
    pub value: Value<'a>,
    /// What is said of it on its line.
    pub comment: Option<&'a str>,
}

/// A value.
pub enum Value<'a> {
    /// As it stands in the file.
    Scalar(&'a str),
    /// `[…]`.
    List(Nested<'a>),
    /// `{…}`.
    Table(Nested<'a>),
}

/// What is between brackets.
pub struct Nested<'a> {
    /// Whether it has line breaks of its own.
    pub is_open: bool,
    /// What is in it.
    pub lines: Vec<Line<'a>>,
}

/// The lines of a text, which is TOML.
pub fn lines(text: &str) -> Vec<Line<'_>> {
    let mut events = Vec::new();
    parse_document(&Source::new(text).lex().into_vec(), &mut events, &mut ());
    Reader { text, events: events.into_iter().peekable() }.document()
}

struct Reader<'a> {
    text: &'a str,
    events: Peekable<IntoIter<Event>>,
}

/// Whether the last line still goes on, or how many line breaks there were since.
struct Since(Option<usize>);

impl<'a> Reader<'a> {
    fn raw(&self, event: Event) -> &'a str {
        let span = event.span();
        self.text.get(span.start()..span.end()).unwrap_or_default()
    }

    fn document(&mut self) -> Vec<Line<'a>> {
        let mut lines = Vec::new();
        let mut since = Since(Some(1));
        while let Some(event) = self.events.next() {
            match event.kind() {
                EventKind::Newline => since.breaks(&mut lines),
                EventKind::Comment => comment(self.raw(event), &mut since, &mut lines),
                EventKind::StdTableOpen => self.header(("[", "]"), &mut since, &mut lines),
                EventKind::ArrayTableOpen => self.header(("[[", "]]"), &mut since, &mut lines),
                EventKind::SimpleKey => self.entry(Some(event), &mut since, &mut lines),
                _ => {}
            }
        }
        lines
    }

    fn header(&mut self, (open, close): (&str, &str), since: &mut Since, lines: &mut Vec<Line<'a>>) {
        let name = self.key(String::new());
        lines.push(Line::Header { text: format!("{open}{name}{close}"), comment: None });
        *since = Since(None);
    }

    /// The rest of a key, or of a header, up to what ends it.
    fn key(&mut self, mut name: String) -> String {
        while let Some(event) = self.events.next() {
            match event.kind() {
                EventKind::SimpleKey => name.push_str(self.raw(event)),
                EventKind::KeySep => name.push('.'),
                EventKind::Whitespace => {}
                _ => break,
            }
        }
        name
    }

    /// An entry that begins with this key, or the next value.
    fn entry(&mut self, key: Option<Event>, since: &mut Since, lines: &mut Vec<Line<'a>>) {
        let key = key.map(|event| self.key(self.raw(event).to_owned()));
        if let Some(value) = self.value() {
            lines.push(Line::Entry(Entry { key, value, comment: None }));
            *since = Since(None);
        }
    }

    fn value(&mut self) -> Option<Value<'a>> {
        while self.events.peek().is_some_and(|event| event.kind() == EventKind::Whitespace) {
            self.events.next();
        }
        let event = self.events.next()?;
        Some(match event.kind() {
            EventKind::ArrayOpen => Value::List(self.nested(EventKind::ArrayClose)),
            EventKind::InlineTableOpen => Value::Table(self.nested(EventKind::InlineTableClose)),
            _ => Value::Scalar(self.raw(event)),
        })
    }

    /// What is there up to the bracket that closes it.
    fn nested(&mut self, close: EventKind) -> Nested<'a> {
        let (mut lines, mut is_open) = (Vec::new(), false);
        // A comment behind the bracket is a line of its own inside.
        let mut since = Since(Some(0));
        while let Some(kind) = self.events.peek().map(Event::kind).filter(|kind| *kind != close) {
            match kind {
                EventKind::Newline => {
                    is_open = true;
                    since.breaks(&mut lines);
                    self.events.next();
                }
                EventKind::Whitespace => drop(self.events.next()),
                EventKind::ValueSep => {
                    // A line with nothing but a comma is no blank one.
                    since.0 = since.0.map(|_| 0);
                    self.events.next();
                }
                EventKind::Comment => {
                    if let Some(event) = self.events.next() {
                        comment(self.raw(event), &mut since, &mut lines);
                    }
                }
                EventKind::SimpleKey => {
                    let key = self.events.next();
                    self.entry(key, &mut since, &mut lines);
                }
                _ => self.entry(None, &mut since, &mut lines),
            }
        }
        self.events.next();
        Nested { is_open, lines }
    }
}

impl Since {
    fn breaks(&mut self, lines: &mut Vec<Line<'_>>) {
        let breaks = self.0.map_or(1, |breaks| breaks + 1);
        self.0 = Some(breaks);
        if breaks == 2 && !matches!(lines.last(), None | Some(Line::Blank)) {
            lines.push(Line::Blank);
        }
    }
}

/// A comment: of the line that it stands on, or by itself.
fn comment<'a>(text: &'a str, since: &mut Since, lines: &mut Vec<Line<'a>>) {
    let text = text.trim_end();
    let place = match (since.0, lines.last_mut()) {
        (None, Some(Line::Header { comment, .. } | Line::Entry(Entry { comment, .. }))) => Some(comment),
        _ => None,
    };
    match place {
        Some(place) => *place = Some(text),
        None => lines.push(Line::Comment(text)),
    }
    *since = Since(Some(0));
}
