//! Places in a text, as the core counts them and as editors do: in bytes, and in lines and UTF-16 code units.

use std::ops::Range;

use tower_lsp_server::ls_types::{Position, Range as Lines};

/// The lines of a text.
pub struct Places<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Places<'a> {
    /// The lines of a text.
    pub fn of(text: &'a str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// Where a byte is. One inside of a character counts as its beginning.
    pub fn position(&self, byte: usize) -> Position {
        let byte = self.text.floor_char_boundary(byte.min(self.text.len()));
        let line = self.starts.partition_point(|start| *start <= byte).saturating_sub(1);
        let start = self.starts.get(line).copied().unwrap_or_default();
        let before = self.text.get(start..byte).unwrap_or_default();
        Position { line: number(line), character: number(before.encode_utf16().count()) }
    }

    /// The byte at a place. What is beyond the end of a line counts as its end.
    pub fn byte(&self, position: Position) -> usize {
        let line = usize::try_from(position.line).unwrap_or(usize::MAX);
        let Some(start) = self.starts.get(line).copied() else { return self.text.len() };
        let rest = self.text.get(start..).unwrap_or_default();
        let content = rest.split('\n').next().unwrap_or_default();
        let content = content.strip_suffix('\r').unwrap_or(content);
        let wanted = usize::try_from(position.character).unwrap_or(usize::MAX);
        let mut units = 0;
        for (offset, c) in content.char_indices() {
            if units >= wanted {
                return start + offset;
            }
            units += c.len_utf16();
        }
        start + content.len()
    }

    /// Where some bytes are.
    pub fn lines(&self, range: &Range<usize>) -> Lines {
        Lines { start: self.position(range.start), end: self.position(range.end) }
    }

    /// The bytes at some places.
    pub fn bytes(&self, lines: Lines) -> Range<usize> {
        self.byte(lines.start)..self.byte(lines.end)
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_utf_16_and_bytes() {
        let text = "a = \"é🦁x\"\r\nb = 1\n";
        let places = Places::of(text);
        let x = text.find('x').unwrap();
        assert_eq!(places.position(x), Position { line: 0, character: 8 });
        assert_eq!(places.byte(Position { line: 0, character: 8 }), x);
        // The middle of the pair of code units is no place of its own.
        assert_eq!(places.byte(Position { line: 0, character: 7 }), x);
        assert_eq!(places.byte(Position { line: 0, character: 99 }), text.find('\r').unwrap());
        assert_eq!(places.position(text.find('b').unwrap()), Position { line: 1, character: 0 });
        assert_eq!(places.byte(Position { line: 9, character: 0 }), text.len());
        assert_eq!(places.position(text.len()), Position { line: 2, character: 0 });
        for (byte, _) in text.char_indices().filter(|(_, c)| *c != '\n') {
            assert_eq!(places.byte(places.position(byte)), byte, "{byte}");
        }
    }
}
