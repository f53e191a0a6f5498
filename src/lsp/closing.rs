//! The line that is being written, with what it opens closed: what is typed in `{ a = 1, ` is a key of that table.

use leoctl_core::stack::outline::Outline;

/// A text in which the quotes, tables and lists are closed that the line at a place opens and does not close, and those around it
/// that no line behind it closes; nothing where all are closed. What is added stands at the end of the line.
pub fn closed(text: &str, outline: &Outline, at: usize) -> Option<String> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |end| end + 1);
    let length = text.get(start..)?.find(['\r', '\n']).unwrap_or(text.len() - start);
    let line = text.get(start..start + length)?;
    let is_in_text = outline.scalar_at(start).is_some_and(|scalar| scalar.range.start < start);
    if is_in_text || is_header(line) {
        return None;
    }
    let around = open_before(text.get(..start)?);
    let (content, mut open) = open_in(line, around.clone());
    let own = open.split_off(open.iter().zip(&around).take_while(|(one, other)| one == other).count());
    let lost = if is_never_closed(text.get(start + length..)?, &open) { open } else { Vec::new() };
    let closing: String = lost.iter().chain(&own).rev().collect();
    (!closing.is_empty()).then(|| {
        format!("{}{closing}{}", &text.get(..start + content).unwrap_or_default(), text.get(start + content..).unwrap_or_default())
    })
}

/// Whether a line is the header of a table, as far as it is written.
fn is_header(line: &str) -> bool {
    let inner = line.trim_start().trim_start_matches('[');
    line.trim_start().starts_with('[') && (inner.is_empty() || inner.starts_with(|first: char| first.is_alphabetic()))
}

/// What is open at the end of a text since its last header, the innermost last.
fn open_before(text: &str) -> Vec<char> {
    text.lines().fold(Vec::new(), |open, line| match is_header(line) {
        true => Vec::new(),
        // A quote that is open at the end of its line is one of a text of several lines, or a mistake.
        false => open_in(line, open).1.into_iter().filter(|closing| !matches!(closing, '"' | '\'')).collect(),
    })
}

/// Whether nothing of what is open is closed before the next header.
fn is_never_closed(rest: &str, open: &[char]) -> bool {
    let mut depth = open.to_vec();
    for line in rest.lines().take_while(|line| !is_header(line)) {
        depth = open_in(line, depth).1;
        if depth.len() < open.len() {
            return false;
        }
    }
    true
}

/// How much of a line is no comment, and what would close what is open at its end, the innermost last.
fn open_in(line: &str, mut open: Vec<char>) -> (usize, Vec<char>) {
    let (mut quote, mut is_escaped) = (None, false);
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (Some(_), _) if is_escaped => is_escaped = false,
            (Some('"'), '\\') => is_escaped = true,
            (Some(one), c) if one == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '{') => open.push('}'),
            (None, '[') => open.push(']'),
            (None, '}' | ']') if open.last() == Some(&c) => drop(open.pop()),
            (None, '#') => return (at, open),
            (None, _) => {}
        }
    }
    open.extend(quote);
    (line.len(), open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_line_opens_is_closed_at_its_end() {
        let closed = |text: &str| {
            let at = text.find('‸').unwrap();
            let text = text.replace('‸', "");
            super::closed(&text, &Outline::of(&text), at)
        };
        assert_eq!(closed("a = { b = 1, ‸\nc = 2\n").as_deref(), Some("a = { b = 1, }\nc = 2\n"));
        assert_eq!(closed("a = [{ b = \"x‸\r\n").as_deref(), Some("a = [{ b = \"x\"}]\r\n"));
        assert_eq!(closed("a = [\n  { b = [1, ‸ # c\n]\n").as_deref(), Some("a = [\n  { b = [1,  ]}# c\n]\n"));
        assert_eq!(closed("a = { b = 1, ‸ }\n"), None);
        assert_eq!(closed("[resource.‸\n"), None);
        assert_eq!(
            closed("[t]\na = [\n  { b = 1,\n    ‸\nc = 2\n[u]\nd = ']'\n").as_deref(),
            Some("[t]\na = [\n  { b = 1,\n    }]\nc = 2\n[u]\nd = ']'\n")
        );
        assert_eq!(closed("[t]\na = [\n  { b = 1,\n    ‸\n  },\n]\n[u]\n"), None);
        assert_eq!(closed("a = \"\"\"\n{ b‸\n\"\"\"\n"), None);
        assert_eq!(closed("a = \"{ \\\" ‸\"\n"), None);
    }
}
