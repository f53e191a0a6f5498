//! Elements that come into a list of a file or go out of it, with the comments on their lines. A comment behind an element
//! stands in the file before the next one, or before the end of the list.

use toml_edit::{Array, RawString, Value as Toml};

/// Puts an element at the end: on a line of its own where the last one has that.
pub(super) fn append(array: &mut Array, mut value: Toml) {
    let Some(last) = array.iter().last() else { return array.push_formatted(value) };
    let line = own_line(text(last.decor().prefix())).to_owned();
    let behind = end(array);
    let (comment, rest) = split(&behind);
    let line = match (line.is_empty(), comment.is_empty()) {
        (false, _) => line,
        // What comes behind a comment has to be on another line.
        (true, false) => "\n  ".to_owned(),
        (true, true) => " ".to_owned(),
    };
    value.decor_mut().set_prefix(format!("{comment}{line}"));
    let rest = if comment.is_empty() { behind.clone() } else { rest.to_owned() };
    set_end(array, "");
    array.push_formatted(value);
    set_end(array, &rest);
}

/// Takes an element out, with the comment behind it; what stands before it stays.
pub(super) fn taken_out(array: &mut Array, at: usize) {
    let gone = array.remove(at);
    let before = text(gone.decor().prefix()).to_owned();
    let (comment, _) = split(&before);
    match array.get_mut(at) {
        Some(next) => {
            let own = text(next.decor().prefix()).to_owned();
            let prefix = if own.contains('\n') { format!("{comment}{}", split(&own).1) } else { before.clone() };
            next.decor_mut().set_prefix(prefix);
        }
        None => {
            let behind = if array.trailing_comma() { text(Some(array.trailing())) } else { text(gone.decor().suffix()) };
            let rest = format!("{comment}{}", split(behind).1);
            set_end(array, &rest);
        }
    }
}

/// What stands between the last element and the end of a list.
fn end(array: &Array) -> String {
    let behind = if array.trailing_comma() { Some(array.trailing()) } else { array.iter().last().and_then(|last| last.decor().suffix()) };
    text(behind).to_owned()
}

/// Sets that.
fn set_end(array: &mut Array, end: &str) {
    if array.trailing_comma() || array.is_empty() {
        return array.set_trailing(end);
    }
    let last = array.len().checked_sub(1).and_then(|last| array.get_mut(last));
    if let Some(last) = last {
        last.decor_mut().set_suffix(end);
    }
}

fn text(raw: Option<&RawString>) -> &str {
    raw.and_then(RawString::as_str).unwrap_or_default()
}

/// What stands on the line before, and the rest.
fn split(text: &str) -> (&str, &str) {
    text.find('\n').and_then(|end| text.split_at_checked(end)).unwrap_or(("", text))
}

/// The beginning of the line that an element stands on; nothing where it shares one.
fn own_line(text: &str) -> &str {
    text.rfind('\n').and_then(|line| text.get(line..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use toml_edit::DocumentMut;

    use super::{append, taken_out};

    /// A list after a change of it.
    fn changed(list: &str, change: impl Fn(&mut toml_edit::Array)) -> String {
        let mut document: DocumentMut = format!("x = {list}\n").parse().unwrap();
        change(document["x"].as_array_mut().unwrap());
        let text = document.to_string();
        text.parse::<DocumentMut>().unwrap();
        text.strip_prefix("x = ").unwrap().trim_end().to_owned()
    }

    #[test]
    fn comments_stay_with_their_elements() {
        let added = |list: &str| changed(list, |array| append(array, 9i64.into()));
        assert_eq!(added("[]"), "[9]");
        assert_eq!(added("[1]"), "[1, 9]");
        assert_eq!(added("[ 1 ]"), "[ 1, 9 ]");
        assert_eq!(added("[\n  1, # a\n  2, # b\n]"), "[\n  1, # a\n  2, # b\n  9,\n]");
        assert_eq!(added("[\n  1, # a\n  2 # b\n]"), "[\n  1, # a\n  2, # b\n  9\n]");
        assert_eq!(added("[1, # a\n]"), "[1, # a\n  9,\n]");
        let without = |at: usize, list: &str| changed(list, |array| taken_out(array, at));
        assert_eq!(without(0, "[1, 2]"), "[2]");
        assert_eq!(without(1, "[1, 2]"), "[1]");
        assert_eq!(without(0, "[1]"), "[]");
        let list = "[\n  1, # a\n  # Two.\n  2, # b\n  # Three.\n  3, # c\n]";
        assert_eq!(without(0, list), "[\n  # Two.\n  2, # b\n  # Three.\n  3, # c\n]");
        assert_eq!(without(1, list), "[\n  1, # a\n  # Three.\n  3, # c\n]");
        assert_eq!(without(2, list), "[\n  1, # a\n  # Two.\n  2, # b\n]");
    }
}
