//! Text from outside made visible and inert: what a reader would not see, and what the log of a CI job would obey.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a character is not seen where it stands, or looks like something else: controls, marks of writing direction,
/// joiners and fillers without a width (Unicode's `Default_Ignorable_Code_Point`), and blanks that are no spaces.
fn hides(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t') || ignorable(c) || c == '\u{2800}' || (c.is_whitespace() && !matches!(c, ' ' | '\n' | '\t'))
}

/// `Default_Ignorable_Code_Point` of Unicode, and the annotation marks beside it.
fn ignorable(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// The text with what is not seen in it shown as JSON writes it (`\u200b`); line feeds and tabs are kept.
pub fn shown(text: &str) -> Cow<'_, str> {
    if !text.contains(hides) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\r' => shown.push_str("\\r"),
            c if hides(c) => escape(&mut shown, c),
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// A character as JSON may write it.
fn escape(text: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        // Writing to a String cannot fail.
        let _ = write!(text, "\\u{unit:04x}");
    }
}

/// The text without commands to the runner of a CI job, which reads them in the log: the first colon of a line that
/// begins with `::` (GitHub), and the bracket of `##[`, `##vso[` and their like (GitHub, Azure, TeamCity) anywhere, are
/// shown as JSON writes them. Runners skip blanks before a command, and compare without what has no width.
pub fn inert(text: &str) -> Cow<'_, str> {
    without_commands(text, Runner::default())
}

/// The same of a text that does not begin a line.
pub fn inert_within(text: &str) -> Cow<'_, str> {
    without_commands(text, Runner { begun: true, ..Runner::default() })
}

fn without_commands(text: &str, mut state: Runner) -> Cow<'_, str> {
    if !text.contains(['#', ':']) {
        return Cow::Borrowed(text);
    }
    let mut inert = String::with_capacity(text.len());
    let mut changed = false;
    for (at, c) in text.char_indices() {
        if state.obeys(c, || text.get(at + c.len_utf8()..).unwrap_or_default()) {
            escape(&mut inert, c);
            changed = true;
        } else {
            inert.push(c);
        }
    }
    if changed { Cow::Owned(inert) } else { Cow::Borrowed(text) }
}

/// What a runner has seen of a line.
#[derive(Default)]
struct Runner {
    /// Whether more than blanks was in it.
    begun: bool,
    /// How many number signs stand before here, maybe with a name behind them.
    signs: usize,
    /// Whether a style of a terminal is being said.
    style: bool,
}

impl Runner {
    /// Whether a command would begin with this character.
    fn obeys<'a>(&mut self, c: char, rest: impl FnOnce() -> &'a str) -> bool {
        if self.style {
            self.style = c != 'm';
            return false;
        }
        if c == '\n' {
            *self = Self::default();
            return false;
        }
        if unseen(c) {
            self.style = c == ESCAPE;
            return false;
        }
        if c.is_whitespace() {
            self.signs = 0;
            return false;
        }
        let first = !std::mem::replace(&mut self.begun, true);
        match c {
            ':' => {
                self.signs = 0;
                first && next_seen(rest()) == Some(':')
            }
            '[' => std::mem::take(&mut self.signs) >= 2,
            '#' => {
                self.signs += 1;
                false
            }
            // A name belongs to number signs that may begin a command.
            c if (c.is_ascii_alphanumeric() || c == '_') && self.signs >= 2 => false,
            _ => {
                self.signs = 0;
                false
            }
        }
    }
}

/// How a style of a terminal begins; it ends with `m`.
const ESCAPE: char = '\u{1b}';

/// Whether a character does not count when texts are compared.
fn unseen(c: char) -> bool {
    c == ESCAPE || ignorable(c) || (c.is_control() && !c.is_whitespace())
}

/// The first character that counts.
fn next_seen(text: &str) -> Option<char> {
    let mut style = false;
    text.chars().find(|c| {
        if style {
            style = *c != 'm';
            return false;
        }
        style = *c == ESCAPE;
        !unseen(*c)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_is_shown() {
        assert_eq!(shown("a\u{200b}b\u{202e}c\u{feff}d\u{ad}e\u{a0}f"), "a\\u200bb\\u202ec\\ufeffd\\u00ade\\u00a0f");
        assert_eq!(shown("\u{e0041}\u{3164}\u{2800}\u{fe0f}\r\u{1b}"), "\\udb40\\udc41\\u3164\\u2800\\ufe0f\\r\\u001b");
        assert_eq!(shown("tab\t, line\n, é 日本 🦀"), "tab\t, line\n, é 日本 🦀");
    }

    #[test]
    fn no_line_is_a_command_to_a_runner() {
        for (text, inert_text) in [
            ("::add-mask::x", "\\u003a:add-mask::x"),
            ("error: a\n  ::set-output name=a::b", "error: a\n  \\u003a:set-output name=a::b"),
            ("\t\u{a0}::debug::x", "\t\u{a0}\\u003a:debug::x"),
            ("\u{ad}:\u{200b}:debug::x", "\u{ad}\\u003a\u{200b}:debug::x"),
            ("\u{1b}[31m::debug::x\u{1b}[0m", "\u{1b}[31m\\u003a:debug::x\u{1b}[0m"),
            ("\u{1b}[31m:\u{1b}[0m:debug::x", "\u{1b}[31m\\u003a\u{1b}[0m:debug::x"),
            ("##[add-mask]x", "##\\u005badd-mask]x"),
            ("a ##[group]x ###[x]", "a ##\\u005bgroup]x ###\\u005bx]"),
            ("##vso[task.setvariable]x ##teamcity[a]", "##vso\\u005btask.setvariable]x ##teamcity\\u005ba]"),
            ("#\u{200b}#[group]", "#\u{200b}#\\u005bgroup]"),
        ] {
            assert_eq!(inert(text), inert_text);
            assert_eq!(inert(inert_text), inert_text, "once is enough");
        }
        for text in ["a::b", "arn:aws:s3:::a", ": a", "# [a]", "## [a](b)", "## a [b]", "#[derive]", "\u{1b}[31m##\u{1b}[0m", "12:30"] {
            assert_eq!(inert(text), text);
        }
    }
}
