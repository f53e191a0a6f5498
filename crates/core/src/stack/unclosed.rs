//! Brackets that are never closed. TOML's parser takes what follows for what stands between them; here it is told where
//! the next table begins, so that what follows is read as what it is.

use std::ops::Range;

/// A bracket that is never closed.
#[derive(Debug, PartialEq, Eq)]
pub struct Unclosed {
    /// Where it is opened.
    pub open: usize,
    /// What closes it.
    pub closing: char,
    /// What cannot be read because of it, up to where the next table begins.
    pub lost: Range<usize>,
}

/// Every bracket of a text that is never closed.
pub fn unclosed(text: &str) -> Vec<Unclosed> {
    scanned(text).found
}

/// The first text of several lines that is never closed, from its quotes to where the next table begins.
pub fn open_text(text: &str) -> Option<(usize, usize)> {
    let mut scanner = Scanner::default();
    let (mut at, mut opened) = (0, None);
    for line in text.split_inclusive('\n') {
        let was_open = scanner.quote.is_some();
        scanner.line(at, line);
        opened = match scanner.quote {
            Some(quote) if !was_open || line.matches(quote).count() > 1 => line.rfind(quote).map(|place| at + place),
            Some(_) => opened,
            None => None,
        };
        at += line.len();
    }
    let open = opened?;
    let mut end = open;
    for (number, line) in text.get(open..)?.split_inclusive('\n').enumerate() {
        if number > 0 && is_header(line) {
            break;
        }
        end += line.len();
    }
    Some((open, end))
}

/// Where the last line ends of what is open at the end of the line that begins here; nothing where nothing is open, or
/// where it is never closed.
pub fn end_of_open(text: &str, start: usize) -> Option<usize> {
    let mut scanner = Scanner::default();
    let mut at = start;
    for (number, line) in text.get(start..)?.split_inclusive('\n').enumerate() {
        if number > 0 && scanner.quote.is_none() && is_header(line) {
            return None;
        }
        scanner.brackets(at, line);
        at += line.len();
        if scanner.open.is_empty() && scanner.quote.is_none() {
            return (number > 0).then(|| at - (line.len() - line.trim_end_matches('\n').len()));
        }
    }
    None
}

/// Where the headers of a text begin, whatever is open before them.
pub fn headers(text: &str) -> Vec<usize> {
    scanned(text).headers
}

fn scanned(text: &str) -> Scanner {
    let mut scanner = Scanner::default();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        scanner.line(at, line);
        at += line.len();
    }
    scanner.lost(at);
    scanner
}

#[derive(Default)]
struct Scanner {
    /// The brackets that are open here: where, and what closes each.
    open: Vec<(usize, char)>,
    /// The quotes that end the text of several lines that is open here.
    quote: Option<&'static str>,
    /// Where the statement began that is open here.
    begun: usize,
    found: Vec<Unclosed>,
    headers: Vec<usize>,
}

impl Scanner {
    fn line(&mut self, at: usize, line: &str) {
        if self.quote.is_none() {
            if is_header(line) {
                self.headers.push(at);
                self.lost(at);
                return;
            }
            if self.open.is_empty() {
                self.begun = at;
                if line.starts_with('[') {
                    // What stands behind the closing bracket of a header is another mistake.
                    if !line.split('#').next().unwrap_or_default().contains(']') {
                        self.open.push((at, ']'));
                    }
                    return;
                }
            }
        }
        self.brackets(at, line);
    }

    /// Everything since the statement began, if a bracket of it is open still.
    fn lost(&mut self, end: usize) {
        if let Some((open, closing)) = self.open.first().copied() {
            self.found.push(Unclosed { open, closing, lost: self.begun..end });
        }
        self.open.clear();
    }

    fn brackets(&mut self, at: usize, line: &str) {
        let mut rest = line;
        loop {
            if let Some(quote) = self.quote {
                let Some((_, after)) = rest.split_once(quote) else { return };
                self.quote = None;
                rest = after;
            }
            let Some(found) = rest.find(['[', ']', '{', '}', '"', '\'', '#']) else { return };
            let (_, from) = rest.split_at(found);
            let place = at + line.len() - from.len();
            let mut letters = from.chars();
            let letter = letters.next();
            rest = letters.as_str();
            match letter {
                Some('[') => self.open.push((place, ']')),
                Some('{') => self.open.push((place, '}')),
                Some(']' | '}') => drop(self.open.pop()),
                Some('"' | '\'') => match after_text(from) {
                    Text::Ends(after) => rest = after,
                    Text::GoesOn(quote, after) => {
                        self.quote = Some(quote);
                        rest = after;
                    }
                    // The quote is the mistake, and brackets cannot be told from text.
                    Text::Open => return self.open.clear(),
                },
                _ => return,
            }
        }
    }
}

enum Text<'a> {
    /// It ends before this.
    Ends(&'a str),
    /// It is one of several lines, ends with these quotes, and begins with this.
    GoesOn(&'static str, &'a str),
    /// It does not end on its line, which is another mistake.
    Open,
}

/// What stands behind a text that begins here.
fn after_text(from: &str) -> Text<'_> {
    for quote in ["\"\"\"", "'''"] {
        if let Some(inside) = from.strip_prefix(quote) {
            return Text::GoesOn(quote, inside);
        }
    }
    let mut letters = from.chars();
    let quote = letters.next();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if quote == Some('"') => drop(letters.next()),
            other if Some(other) == quote => return Text::Ends(letters.as_str()),
            _ => {}
        }
    }
    Text::Open
}

/// Whether a line is the header of a table, which no line inside of brackets is.
fn is_header(line: &str) -> bool {
    let line = line.split('#').next().unwrap_or_default().trim_end();
    let inner = line.strip_prefix("[[").and_then(|rest| rest.strip_suffix("]]"));
    let inner = inner.or_else(|| line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')));
    let part = |letter: char| letter.is_alphanumeric() || "_-.\"' ".contains(letter);
    inner.is_some_and(|inner| inner.starts_with(|first: char| first.is_alphabetic()) && inner.chars().all(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_never_closed_ends_where_the_next_table_begins() {
        for (text, lost) in [
            ("a = [1, [2], {b = 3}]\n[t]\nc = ']' # [\nd = \"{\\\"\"\n", vec![]),
            ("a = '''\n[\n'''\nb = [\n  [1],\n]\n[t.\"x y\"] # z\n", vec![]),
            ("a = [\nb = 1\n[t]\nc = 1\n", vec!["a = [\nb = 1\n"]),
            ("a = 1\nb = { c = [1, 2\n[[t]]\nd = {\n", vec!["b = { c = [1, 2\n", "d = {\n"]),
            ("a = [\"x, 1]\nb = 1\n[t]\n", vec![]),
            ("[t\na = 1\n[u]\n", vec!["[t\na = 1\n"]),
            ("[t] x\na = 1\n[u/v]\n", vec![]),
        ] {
            let found = unclosed(text);
            assert_eq!(found.iter().map(|one| text.get(one.lost.clone()).unwrap()).collect::<Vec<_>>(), lost, "{text}");
        }
    }
}
