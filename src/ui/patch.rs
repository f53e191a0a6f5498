//! How a file differs from what it is to be, as `diff -u` shows it.

use similar::TextDiff;

use super::{ADD, REMOVE, STRONG, styled};

/// The difference between two texts of a file.
pub fn unified(path: &str, before: &str, after: &str) -> String {
    let diff = TextDiff::from_lines(before, after).unified_diff().header(path, path).to_string();
    let line = |line: &str| match line.as_bytes() {
        [b'-', b'-', b'-', ..] | [b'+', b'+', b'+', ..] => styled(STRONG, line),
        [b'-', ..] => styled(REMOVE, line),
        [b'+', ..] => styled(ADD, line),
        _ => line.to_owned(),
    };
    diff.lines().map(line).collect::<Vec<_>>().join("\n")
}
