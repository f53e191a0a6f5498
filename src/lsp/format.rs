//! Formatting a whole file.

/// What gives a text in its usual form; nothing for one that cannot be read.
pub type Formatter = fn(&str) -> Option<String>;

/// How files are formatted: nothing while there is no formatter.
pub const FORMATTER: Option<Formatter> = None;
