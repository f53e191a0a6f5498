//! Formatting a whole file.

/// A text in its usual form; nothing for one that cannot be read.
pub fn format(text: &str) -> Option<String> {
    leoctl_core::stack::format::format(text).ok()
}
