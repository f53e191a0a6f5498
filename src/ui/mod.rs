//! Everything that is shown: the only module that prints, through [`terminal`]. stdout carries results, stderr the rest.

pub mod age;
pub mod changes;
pub mod commands;
pub mod cost;
pub mod diagnostics;
pub mod failure;
pub mod graph;
pub mod json;
pub mod live;
pub mod markdown;
pub mod patch;
pub mod plan;
pub mod preflight;
pub mod progress;
pub mod prompt;
pub mod screen;
pub mod spark;
pub mod table;
pub mod tail;
pub mod terminal;
pub mod unknown;
pub mod value;
pub mod version;
pub mod visible;
pub mod waiting;
pub mod watch;

use anstyle::{AnsiColor, Style};

pub use terminal::{ask, flowing, line, note, one_line, out, prose, styled};

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

/// So many of something, whose plural ends in `s`.
pub fn counted(count: usize, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

/// How often a stack has been applied, from its state's serial: the first apply saves a state before it does anything.
pub fn applied(serial: u64) -> String {
    match serial {
        0 => "not applied to the end yet".to_owned(),
        1 => "applied once".to_owned(),
        times => format!("applied {times} times"),
    }
}
