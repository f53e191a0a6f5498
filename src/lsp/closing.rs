//! The line that is being written, with what it opens closed: what is typed in `{ a = 1, ` is a key of that table.

use leoctl_core::stack::outline::Outline;

/// A text in which the quotes, tables and lists are closed that the line at a place opens and does not close; nothing where it
/// closes all. What is added stands at the end of the line.
pub fn closed(text: &str, outline: &Outline, at: usize) -> Option<String> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |end| end + 1);
    let length = text.get(start..)?.find(['\r', '\n']).unwrap_or(text.len() - start);
    let line = text.get(start..start + length)?;
    let is_in_text = outline.scalar_at(start).is_some_and(|scalar| scalar.range.start < start);
    if is_in_text || line.trim_start().starts_with('[') {
        return None;
    }
    let (content, missing) = open_in(line);
    let closing: String = missing.iter().rev().collect();
    (!closing.is_empty()).then(|| {
        format!("{}{closing}{}", &text.get(..start + content).unwrap_or_default(), text.get(start + content..).unwrap_or_default())
    })
}

/// How much of a line is no comment, and what would close what is open at its end, the innermost last.
fn open_in(line: &str) -> (usize, Vec<char>) {
    let (mut open, mut quote, mut is_escaped) = (Vec::new(), None, false);
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
        assert_eq!(closed("a = \"\"\"\n{ b‸\n\"\"\"\n"), None);
        assert_eq!(closed("a = \"{ \\\" ‸\"\n"), None);
    }
}
