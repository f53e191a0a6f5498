//! The printer: everything that reaches the terminal goes through here, and only leoctl's own styles move it.
//!
//! Text from AWS, stack files, states and logs may hold control characters, which a terminal obeys: escape sequences,
//! their one-character forms U+0080 to U+009F, and the marks that turn the direction of writing. They are shown as
//! JSON writes them (`\u001b`), so that JSON stays the same JSON. Line feeds and tabs are left as they are. So is what the
//! runner of a CI job would take for a command when it reads a job's log ([`visible::inert`]).
//!
//! Styles are made with [`styled`]. Each carries a number that is drawn anew in every run, so that no text from
//! outside can pass for one.
#![expect(clippy::disallowed_methods, reason = "the one place that writes to the terminal")]

use std::borrow::Cow;
use std::fmt::Display;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, IsTerminal, Write};
use std::process::Stdio;
use std::sync::{LazyLock, OnceLock};

use anstyle::Style;
use ratatui::text::Span;

use super::{commands, visible};

/// How a style begins on a terminal: a control sequence (ECMA-48, "CSI").
const SEQUENCE: &str = "\u{1b}[";

/// How a style of leoctl begins until it is printed.
static OWN: LazyLock<String> = LazyLock::new(|| format!("{SEQUENCE}{};", RandomState::new().build_hasher().finish()));

/// `text` in a style.
pub fn styled(style: Style, text: impl Display) -> String {
    format!("{}{text}{}", own(style.render()), own(style.render_reset()))
}

fn own(codes: impl Display) -> String {
    codes.to_string().replace(SEQUENCE, &OWN)
}

/// What marks a line of sentences, which a terminal's width may part between words.
const PROSE: &str = "w";

/// A line of sentences: at a terminal it is put into as many lines as its width takes, anywhere else it stays one.
pub fn prose(text: impl Display) -> String {
    format!("{}{PROSE}m{}", OWN.as_str(), commands::here(&text.to_string()))
}

/// A text for people, of which a terminal's width may part every line between words.
pub fn flowing(text: impl Display) -> String {
    let text = text.to_string();
    let lines = text.split('\n').map(|line| if line.is_empty() { String::new() } else { format!("{}{PROSE}m{line}", OWN.as_str()) });
    lines.collect::<Vec<_>>().join("\n")
}

/// A text in lines of at most this width, where there is one, parted between words.
pub fn folded(text: &str, width: Option<usize>) -> String {
    match width {
        Some(width) => text.split('\n').map(|line| parted(line, width)).collect::<Vec<_>>().join("\n"),
        None => text.to_owned(),
    }
}

/// The text with its sentences in lines of at most this width, and without their marks.
fn fitted(text: &str, width: Option<usize>) -> Cow<'_, str> {
    let mark = format!("{}{PROSE}m", OWN.as_str());
    if !text.contains(&mark) {
        return Cow::Borrowed(text);
    }
    let lines = text.split('\n').map(|line| match (line.contains(&mark), width) {
        (true, Some(width)) => parted(&line.replace(&mark, ""), width),
        (true, None) => line.replace(&mark, ""),
        (false, _) => line.to_owned(),
    });
    Cow::Owned(lines.collect::<Vec<_>>().join("\n"))
}

/// A line in as many as it takes, parted between words; those that follow stand a little further in.
fn parted(line: &str, width: usize) -> String {
    let text = line.trim_start_matches(' ');
    let indent = line.len() - text.len();
    let wide = |word: &str| Span::raw(plain(word)).width();
    let (mut shown, mut at) = (" ".repeat(indent), indent);
    for (number, word) in text.split(' ').enumerate() {
        if number > 0 && at + 1 + wide(word) > width {
            at = indent + HANG;
            shown.push_str(&format!("\n{:at$}", ""));
        } else if number > 0 {
            at += 1;
            shown.push(' ');
        }
        at += wide(word);
        shown.push_str(word);
    }
    shown
}

/// How much further in the second line of a sentence stands.
const HANG: usize = 2;

/// How wide results are shown: as the terminal is, and where there is none as a page is.
pub fn columns() -> usize {
    width(&io::stdout()).unwrap_or(PAGE)
}

/// How wide the terminal is that results go to; nothing where they go to none.
pub fn columns_of_stdout() -> Option<usize> {
    width(&io::stdout())
}

/// How wide the terminal is that messages go to; nothing where they go to none.
pub fn columns_of_stderr() -> Option<usize> {
    width(&io::stderr())
}

/// How many characters a line has where there is no terminal.
const PAGE: usize = 120;

/// The width of the terminal, if this stream goes to one.
fn width(stream: &impl IsTerminal) -> Option<usize> {
    let columns = ratatui::crossterm::terminal::size().ok().map(|(columns, _)| usize::from(columns));
    columns.filter(|columns| *columns > 0 && stream.is_terminal())
}

/// A text that another library has styled, which has been given nothing but [`escaped`] text.
pub fn styled_by_library(text: &str) -> String {
    own(text)
}

/// Whether a character says something to the terminal instead of standing on it.
fn controls(c: char) -> bool {
    let direction = matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let line = matches!(c, '\u{2028}' | '\u{2029}');
    direction || line || (c.is_control() && c != '\n' && c != '\t')
}

/// The text with its control characters shown, styles among them; line feeds and tabs are kept.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(controls) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\r' => shown.push_str("\\r"),
            c if controls(c) => shown.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// The text in one line: line feeds are shown, too.
pub fn one_line(text: &str) -> Cow<'_, str> {
    match escaped(text) {
        line if line.contains('\n') => Cow::Owned(line.replace('\n', "\\n")),
        line => line,
    }
}

/// A cell of a table: in one line, with leoctl's styles still to be printed.
pub fn cell(text: &str) -> String {
    let parts: Vec<Cow<'_, str>> = text.split(OWN.as_str()).map(one_line).collect();
    parts.join(&OWN)
}

/// The text for a terminal: leoctl's styles as they are obeyed, everything else shown.
pub fn for_terminal(text: &str) -> String {
    let mut parts = text.split(OWN.as_str());
    let mut shown = escaped(parts.next().unwrap_or_default()).into_owned();
    for part in parts {
        match part.split_once('m') {
            Some((codes, rest)) => shown.push_str(&format!("{SEQUENCE}{codes}m{}", escaped(rest))),
            None => shown.push_str(&escaped(part)),
        }
    }
    visible::inert(&shown).into_owned()
}

/// The text without leoctl's styles, everything else shown: for files, comments and pipes.
pub fn plain(text: &str) -> String {
    let mut parts = text.split(OWN.as_str());
    let mut shown = escaped(parts.next().unwrap_or_default()).into_owned();
    for part in parts {
        shown.push_str(&escaped(part.split_once('m').map_or(part, |(_, rest)| rest)));
    }
    shown
}

/// The text for a live display on stderr, which takes no styles away by itself.
pub fn for_display(text: &str) -> String {
    let text = fitted(text, width(&io::stderr()));
    if stderr_has_colours() { for_terminal(&text) } else { visible::inert(&plain(&text)).into_owned() }
}

/// Whether what is written to stderr may have colours.
pub fn stderr_has_colours() -> bool {
    anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
}

/// Writes a result. A reader that went away has seen what it wanted.
pub fn out(text: impl Display) {
    line(text);
}

/// Writes a line of a result that may go on for ever; whether somebody still reads it.
pub fn line(text: impl Display) -> bool {
    let text = text.to_string();
    let text = for_terminal(&fitted(&text, width(&io::stdout())));
    writeln!(anstream::stdout(), "{}", spelled(&text, stdout_is_terminal())).is_ok()
}

/// Writes a result that another program reads byte by byte: exactly as it is where stdout is no terminal, and with its
/// control characters shown where it is one.
pub fn exact(text: &str) {
    match stdout_is_terminal() {
        true => out(text),
        false => drop(writeln!(io::stdout(), "{text}")),
    }
}

/// Passes on what a program wrote that the user runs somewhere else, byte by byte.
///
/// # Errors
/// When nobody reads it any more.
pub fn pass(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout();
    stdout.write_all(bytes).and_then(|()| stdout.flush())
}

/// Writes a question, whose answer stands on the same line.
pub fn ask(text: &str) {
    let mut stderr = anstream::stderr();
    drop(write!(stderr, "{}", for_terminal(text)).and_then(|()| stderr.flush()));
}

/// Writes to the person at the terminal.
pub fn note(text: impl Display) {
    said(&flowing(commands::here(&text.to_string())));
}

/// Writes what a program reads to stderr, in one line.
pub fn object(json: &serde_json::Value) {
    said(&commands::here(&json.to_string()));
}

fn said(text: &str) {
    let text = for_terminal(&fitted(text, width(&io::stderr())));
    drop(writeln!(anstream::stderr(), "{}", spelled(&text, stderr_is_terminal())));
}

/// Writes a command to the runner of a CI job to stderr: one line of leoctl's own, in which what comes from outside is encoded as
/// such commands have it.
pub fn runner_command(command: &str) {
    let line = command.lines().next().unwrap_or_default();
    drop(writeln!(anstream::stderr(), "{}", visible::shown(line)));
}

/// Writes leoctl's own help, whose styles are clap's and whose text is no one else's.
pub fn help(text: impl Display) {
    drop(write!(anstream::stdout(), "{text}"));
}

/// The text as the terminal can show it: where its locale is not UTF-8, leoctl's own signs are those of ASCII.
fn spelled(text: &str, terminal: bool) -> Cow<'_, str> {
    static ASCII: LazyLock<bool> = LazyLock::new(|| {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        is_ascii_locale(["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).as_deref())
    });
    if terminal && *ASCII { Cow::Owned(in_ascii(text)) } else { Cow::Borrowed(text) }
}

/// Whether a locale has no more than ASCII for sure. One that is not set says nothing of the terminal.
fn is_ascii_locale(locale: Option<&str>) -> bool {
    let is_utf8 = |locale: &str| locale.to_ascii_lowercase().replace('-', "").contains("utf8");
    locale.is_some_and(|locale| matches!(locale, "C" | "POSIX") || locale.contains('.') && !is_utf8(locale))
}

/// leoctl's own signs in ASCII.
fn in_ascii(text: &str) -> String {
    text.replace('→', "->")
        .replace('…', "...")
        .replace('≠', "!=")
        .replace('·', "-")
        .replace('×', "x")
        .replace(['│', '┃'], "|")
        .replace(['─', '━'], "-")
}

/// Set once, when this run writes lines only.
static PLAIN: OnceLock<()> = OnceLock::new();

/// From now on everything is written as where there is no terminal: without colours and live lines.
pub fn be_plain() {
    PLAIN.get_or_init(|| ());
    anstream::ColorChoice::Never.write_global();
}

/// Whether lines on stderr may be brought up to date in place.
pub fn is_live() -> bool {
    stderr_is_terminal() && PLAIN.get().is_none()
}

/// Whether results go to a terminal.
pub fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether messages go to a terminal.
pub fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// The stderr of leoctl, for a program that it runs and that says by itself what it does.
pub fn stderr_of_child() -> Stdio {
    io::stderr().into()
}

/// The log on stderr: a writer whose text may quote AWS.
#[derive(Clone, Copy, Debug, Default)]
pub struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stderr().write_all(visible::inert(&escaped(&String::from_utf8_lossy(bytes))).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::{ADD, STRONG};

    #[test]
    fn sentences_are_parted_between_words_at_a_terminal_and_nowhere_else() {
        let text = format!("{}\n{}", prose(format!("  {} is quite long", styled(ADD, "Note: this"))), "a table stays as wide as it is");
        assert_eq!(plain(&fitted(&text, None)), "  Note: this is quite long\na table stays as wide as it is");
        assert_eq!(plain(&fitted(&text, Some(15))), "  Note: this is\n    quite long\na table stays as wide as it is");
        assert_eq!(plain(&fitted(&text, Some(3))).lines().next(), Some("  Note:"), "a word is never cut");
        assert_eq!(plain(&text), plain(&fitted(&text, None)), "the mark is never seen");
    }

    #[test]
    fn a_text_flows_line_by_line_and_stands_further_in_where_it_goes_on() {
        let text = flowing(format!("{} is long\n\n    ~ name = one two", styled(ADD, "+ it")));
        assert_eq!(plain(&fitted(&text, Some(12))), "+ it is long\n\n    ~ name =\n      one\n      two");
        assert_eq!(plain(&fitted(&text, None)), "+ it is long\n\n    ~ name = one two");
        assert_eq!(folded("one two three", Some(8)), "one two\n  three");
        assert_eq!(folded("one two three", None), "one two three");
    }

    /// What a terminal obeys, and how it is shown.
    const HOSTILE: &[(&str, &str)] = &[
        ("\u{1b}[2J", "\\u001b[2J"),
        ("\u{1b}[31mred\u{1b}[0m", "\\u001b[31mred\\u001b[0m"),
        ("\u{1b}]0;title\u{7}", "\\u001b]0;title\\u0007"),
        ("\u{1b}]8;;http://evil\u{1b}\\link", "\\u001b]8;;http://evil\\u001b\\link"),
        ("\u{9b}2J", "\\u009b2J"),
        ("\u{9d}0;t\u{9c}", "\\u009d0;t\\u009c"),
        ("\u{85}", "\\u0085"),
        ("a\rb", "a\\rb"),
        ("a\u{8}b", "a\\u0008b"),
        ("\u{7f}", "\\u007f"),
        ("\0", "\\u0000"),
        ("\u{202e}txt", "\\u202etxt"),
        ("\u{2066}a\u{2069}", "\\u2066a\\u2069"),
        ("\u{200f}\u{61c}", "\\u200f\\u061c"),
        ("a\u{2028}b", "a\\u2028b"),
        ("tab\tand é 日本 🦀", "tab\tand é 日本 🦀"),
    ];

    #[test]
    fn what_a_terminal_would_obey_is_shown_beside_our_own_styles() {
        for (text, shown) in HOSTILE {
            assert_eq!(escaped(text), *shown);
            assert_eq!(plain(&styled(STRONG, text)), *shown);
            assert_eq!(for_terminal(text), *shown);
            let painted = for_terminal(&format!("{text} {}", styled(ADD, text)));
            assert_eq!(painted, format!("{shown} \u{1b}[32m{shown}\u{1b}[0m"));
        }
    }

    #[test]
    fn json_stays_the_same_json() {
        for (text, _) in HOSTILE {
            let json = serde_json::json!({ *text: text }).to_string();
            let shown = for_terminal(&json);
            assert!(!shown.contains(controls), "{shown:?}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), serde_json::json!({ *text: text }));
        }
    }

    #[test]
    fn one_line_is_one_line() {
        assert_eq!(one_line("a\nerror: b\r\n"), "a\\nerror: b\\r\\n");
        assert_eq!(one_line("plain"), "plain");
    }

    #[test]
    fn styles_are_ordinary_sequences_to_those_who_measure_or_strip_them() {
        assert_eq!(anstream::adapter::strip_str(&styled(STRONG, "x")).to_string(), "x");
        assert_eq!(for_terminal(&styled(STRONG, "x")), "\u{1b}[1mx\u{1b}[0m");
        let rows = vec![vec![styled(STRONG, "ab"), "c".to_owned()], vec!["abcd".to_owned(), "d".to_owned()]];
        assert_eq!(plain(&crate::ui::table::render(&["x", "y"], rows)), "X     Y\nab    c\nabcd  d");
    }

    #[test]
    fn no_text_passes_for_a_style_of_ours() {
        let guess = "\u{1b}[12345;31mred";
        assert_eq!(for_terminal(guess), "\\u001b[12345;31mred");
        assert_eq!(plain(guess), "\\u001b[12345;31mred");
    }

    #[test]
    fn a_locale_of_ascii_gets_signs_of_ascii() {
        for (locale, ascii) in [
            (Some("C"), true),
            (Some("POSIX"), true),
            (Some("de_DE.ISO-8859-1"), true),
            (Some("C.UTF-8"), false),
            (Some("en_US.utf8"), false),
            (Some("en_US"), false),
            (None, false),
        ] {
            assert_eq!(is_ascii_locale(locale), ascii, "{locale:?}");
        }
        assert_eq!(in_ascii("a → b …"), "a -> b ...");
    }
}
