//! The commands in what is shown, written so that they act where this run does when they are pasted.

use std::sync::OnceLock;

/// How a command begins.
const COMMAND: &str = "`leoctl ";
/// The options of this run that say where it acts, each with a space behind it.
static OPTIONS: OnceLock<String> = OnceLock::new();

/// From now on commands are shown with these options, each with a space behind it.
pub fn have(options: String) {
    // There is one command line, and so one call.
    let _ = OPTIONS.set(options);
}

/// A text whose commands act where this run does.
pub fn here(text: &str) -> String {
    OPTIONS.get().map_or_else(|| text.to_owned(), |options| with(text, options))
}

/// A text whose commands have these options, once.
pub fn with(text: &str, options: &str) -> String {
    let whole = format!("{COMMAND}{options}");
    text.replace(&whole, COMMAND).replace(COMMAND, &whole)
}
