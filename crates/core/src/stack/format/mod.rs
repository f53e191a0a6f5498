//! The layout of stack and module files. Only what means nothing changes: spaces, blank lines, line breaks between the elements
//! of lists, and their last comma. Keys, values and comments are copied as they stand, in their order.
//!
//! [`read`] takes a file apart into lines, [`write`] lays them out.

mod read;
#[cfg(test)]
mod tests;
mod write;

use super::diagnostic::Diagnostics;
use super::node;

/// The mark of the byte order that some editors begin a file with.
const MARK: char = '\u{feff}';

/// The text as it is laid out; laying that out again changes nothing.
///
/// # Errors
/// What is wrong with it, when it is no TOML.
pub fn format(text: &str) -> Result<String, Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    node::parse(0, text, &mut diagnostics);
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    let (mark, text) = text.strip_prefix(MARK).map_or(("", text), |rest| ("\u{feff}", rest));
    let first = text.find('\n').and_then(|at| text.get(..at));
    let ending = if first.is_some_and(|line| line.ends_with('\r')) { "\r\n" } else { "\n" };
    Ok(format!("{mark}{}", write::Layout { ending }.document(read::lines(text))))
}
