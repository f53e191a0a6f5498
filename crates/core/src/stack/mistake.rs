//! Mistakes in TOML's syntax: what is wrong where the parser stops, told from what stands there and not from what the
//! parser says of itself, and the text without them, so that everything else of it is read. Nothing of the text is
//! repeated: it may be a file of secrets.

mod mend;
mod statement;
mod twice;
mod value;

pub use self::mend::mended;

use std::ops::Range;

/// A mistake in TOML's syntax.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong.
    pub message: &'static str,
    /// What to do.
    pub help: Option<&'static str>,
    /// Where.
    pub at: Range<usize>,
    /// Where that is which stands here once more.
    pub first: Option<Range<usize>>,
    /// How the rest is read on.
    mends: Vec<Mend>,
    /// Whether keys may be lost with it, and not only a value.
    loses: bool,
}

/// What is written over a part of a text, so that the rest of it can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Mend {
    range: Range<usize>,
    /// What stands at its beginning; behind it, spaces.
    with: &'static str,
}

/// A text that can be read.
#[derive(Debug)]
pub struct Mended {
    /// The text, everything at its place.
    pub text: String,
    /// The mistakes, in order.
    pub mistakes: Vec<Mistake>,
    /// The lines with mistakes: what is read of a value there is not what was meant.
    pub lines: std::collections::BTreeSet<usize>,
    /// Whether every key is there.
    pub whole: bool,
}

/// What is said when nothing better is known.
const NOT_TOML: &str = "this is not TOML";

/// A value that can be read, in the place of one that cannot.
const VALUE: &str = "0";

/// The place where a parser stops.
#[derive(Clone, Copy)]
struct Stop<'a> {
    text: &'a str,
    /// Where.
    start: usize,
    end: usize,
    /// Where its line begins, and where it ends.
    line: (usize, usize),
    /// What the parser says, without what it expects.
    said: &'a str,
}

impl<'a> Stop<'a> {
    fn new(text: &'a str, at: &Range<usize>, said: &'a str) -> Self {
        let start = floor(text, at.start);
        let end = floor(text, at.end.max(at.start));
        let line_start = text.get(..start).and_then(|above| above.rfind('\n')).map_or(0, |newline| newline + 1);
        let line_end = text.get(start..).and_then(|below| below.find('\n')).map_or(text.len(), |length| start + length);
        let said = said.split_once(", expected").map_or(said, |(said, _)| said);
        Self { text, start, end, line: (line_start, line_end), said }
    }

    fn part(&self, range: Range<usize>) -> &'a str {
        self.text.get(range).unwrap_or_default()
    }

    /// The whole line.
    fn whole(&self) -> &'a str {
        self.part(self.line.0..self.line.1)
    }

    /// What stands on the line before the place.
    fn before(&self) -> &'a str {
        self.part(self.line.0..self.start)
    }

    /// What stands on the line from the place on.
    fn rest(&self) -> &'a str {
        self.part(self.start..self.line.1).trim_end()
    }

    fn is_header(&self) -> bool {
        self.whole().trim_start().starts_with('[') && self.before().trim_start().starts_with('[') && !self.before().contains('=')
    }

    /// Where the value begins that the line gives to a key, where it does.
    fn value(&self) -> Option<usize> {
        let equals = outside_quotes(self.whole()).find(|(_, letter)| *letter == '=')?.0;
        let spaces = self.whole().get(equals + 1..)?.chars().take_while(|letter| letter.is_whitespace()).count();
        Some((self.line.0 + equals + 1 + spaces).min(self.line.1))
    }

    /// A mistake at a place, after which the line is left out.
    fn statement(&self, at: Range<usize>, message: &'static str, help: &'static str) -> Mistake {
        Mistake {
            message,
            help: Some(help),
            at: self.shown(at),
            first: None,
            mends: vec![Mend { range: self.line.0..self.line.1, with: "" }],
            loses: true,
        }
    }

    /// A mistake in a value, which is not read; the key is there.
    fn value_mistake(&self, at: Range<usize>, value: Range<usize>, message: &'static str, help: &'static str) -> Mistake {
        Mistake {
            message,
            help: Some(help),
            at: self.shown(at),
            first: None,
            mends: vec![Mend { range: value, with: VALUE }],
            loses: false,
        }
    }

    /// A mistake at a place that only has to be written over.
    fn slip(&self, at: Range<usize>, with: &'static str, message: &'static str, help: &'static str) -> Mistake {
        Mistake { message, help: Some(help), at: self.shown(at.clone()), first: None, mends: vec![Mend { range: at, with }], loses: false }
    }

    /// The place, or where nothing stands at it, the letter behind or before it.
    fn shown(&self, at: Range<usize>) -> Range<usize> {
        if !at.is_empty() {
            return at;
        }
        match self.part(at.start..self.line.1).chars().next() {
            Some(letter) => at.start..at.start + letter.len_utf8(),
            None => self.part(self.line.0..at.start).chars().next_back().map_or(at.clone(), |letter| at.start - letter.len_utf8()..at.end),
        }
    }
}

/// The nearest place at or before `at` that no character contains.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

/// The letters of a line that stand in no quotes, and in no comment.
fn outside_quotes(line: &str) -> impl Iterator<Item = (usize, char)> {
    let (mut quote, mut escaped, mut comment) = (None, false, false);
    line.char_indices().filter(move |(_, letter)| {
        if comment {
            return false;
        }
        match quote {
            Some(_) if escaped => escaped = false,
            Some('"') if *letter == '\\' => escaped = true,
            Some(open) if open == *letter => {
                quote = None;
                return false;
            }
            Some(_) => {}
            None if matches!(letter, '"' | '\'') => quote = Some(*letter),
            None if *letter == '#' => comment = true,
            None => return true,
        }
        false
    })
}

/// The mistake at a place. Of two that are the same, `read` has the first.
fn explain(stop: Stop<'_>, read: &toml::de::DeTable<'_>) -> Mistake {
    if stop.said == "duplicate key" || stop.said.starts_with("cannot extend value of type") {
        return twice::mistake(stop, read);
    }
    value::ended_in_expression(stop).or_else(|| statement::mistake(stop)).or_else(|| value::mistake(stop)).unwrap_or_else(|| {
        let help = "texts stand in quotes, lists in `[…]`, tables in `{…}`, and each key on a line of its own";
        stop.statement(stop.start..stop.end, NOT_TOML, help)
    })
}

#[cfg(test)]
mod tests;
