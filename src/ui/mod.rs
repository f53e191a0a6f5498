//! Everything that is shown: the only module that prints. stdout carries results, stderr the rest.

pub mod age;
pub mod cost;
pub mod diagnostics;
pub mod failure;
pub mod json;
pub mod markdown;
pub mod plan;
pub mod preflight;
pub mod progress;
pub mod screen;
pub mod spark;
pub mod table;
pub mod tail;
pub mod value;
pub mod watch;

use std::io::Write;

use anstyle::{AnsiColor, Style};

/// The colour of what comes.
pub const ADD: Style = AnsiColor::Green.on_default();
/// The colour of what changes.
pub const CHANGE: Style = AnsiColor::Yellow.on_default();
/// The colour of what goes.
pub const REMOVE: Style = AnsiColor::Red.on_default();
/// The colour of what matters most.
pub const STRONG: Style = Style::new().bold();
/// The colour of what matters least.
pub const FAINT: Style = AnsiColor::BrightBlack.on_default();
/// The colour of failures.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// The colour of warnings.
pub const WARN: Style = AnsiColor::Yellow.on_default().bold();

/// `text` in a style.
pub fn styled(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Writes a result. A reader that went away has seen what it wanted.
pub fn out(text: impl std::fmt::Display) {
    drop(writeln!(anstream::stdout(), "{text}"));
}

/// Writes a line of a result that may go on for ever; whether somebody still reads it.
pub fn line(text: impl std::fmt::Display) -> bool {
    writeln!(anstream::stdout(), "{text}").is_ok()
}

/// Writes a question, whose answer stands on the same line.
pub fn ask(text: &str) {
    let mut stderr = anstream::stderr();
    drop(write!(stderr, "{text}").and_then(|()| stderr.flush()));
}

/// Writes to the person at the terminal.
pub fn note(text: impl std::fmt::Display) {
    drop(writeln!(anstream::stderr(), "{text}"));
}
