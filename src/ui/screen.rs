//! Sections of aligned columns, laid out once for the two who show them: plain output and the live display.

use anstyle::Style;
use ratatui::text::Span;

use super::{ADD, BAD, FAINT, STRONG, WARN, styled, terminal};

/// Columns are this far apart.
const GAP: usize = 2;
/// The last column is not made narrower than this: then its text goes below the others.
const NARROW: usize = 24;

/// What a text means, which is its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Nothing in particular.
    Plain,
    /// It matters most.
    Strong,
    /// It matters least.
    Faint,
    /// All is well.
    Good,
    /// Something may not be.
    Warn,
    /// Something is not.
    Bad,
}

impl Tone {
    /// The colour.
    pub fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Strong => STRONG,
            Self::Faint => FAINT,
            Self::Good => ADD,
            Self::Warn => WARN,
            Self::Bad => BAD,
        }
    }
}

/// A text and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The text.
    pub text: String,
    /// What it means.
    pub tone: Tone,
}

impl Cell {
    /// A text, in one line. What would control a terminal in it is shown: AWS passes on what containers and people wrote.
    pub fn new(tone: Tone, text: impl ToString) -> Self {
        Self { text: terminal::one_line(&text.to_string()).replace('\t', " "), tone }
    }

    /// How many columns of a terminal it takes.
    fn width(&self) -> usize {
        Span::raw(self.text.as_str()).width()
    }
}

/// A line of texts.
pub type Line = Vec<Cell>;

/// Rows of the same columns.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// What they are.
    pub title: String,
    /// The rows. Their last column may be long.
    pub rows: Vec<Line>,
}

/// Everything to show.
#[derive(Clone, Debug, Default)]
pub struct Screen {
    /// What it is about.
    pub title: Line,
    /// The sections; those without rows are left out.
    pub sections: Vec<Section>,
}

impl Screen {
    /// The lines, at most this wide where that is possible.
    pub fn lines(&self, width: Option<usize>) -> Vec<Line> {
        let mut lines = flowed(&self.title, width);
        for section in self.sections.iter().filter(|section| !section.rows.is_empty()) {
            lines.push(Vec::new());
            lines.push(vec![Cell::new(Tone::Strong, &section.title)]);
            lines.extend(rows(&section.rows, width));
        }
        lines
    }

    /// The lines as coloured text, at most this wide where that is possible.
    pub fn text(&self, width: Option<usize>) -> String {
        let line = |line: &Line| line.iter().map(|cell| styled(cell.tone.style(), &cell.text)).collect::<String>();
        self.lines(width).iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// A line in as many as it takes, parted between words; those that follow stand a little further in.
pub fn flowed(line: &Line, width: Option<usize>) -> Vec<Line> {
    let Some(width) = width else { return vec![line.clone()] };
    let (mut lines, mut at) = (vec![Line::new()], 0);
    for cell in line {
        for (number, word) in cell.text.split(' ').enumerate() {
            let piece = if number == 0 { word.to_owned() } else { format!(" {word}") };
            let wide = Span::raw(piece.as_str()).width();
            let breaks = number > 0 && at > GAP && at + wide > width;
            let piece = if breaks { format!("{:GAP$}{word}", "") } else { piece };
            at = Span::raw(piece.as_str()).width() + if breaks { 0 } else { at };
            if breaks {
                lines.push(Line::new());
            }
            if let Some(last) = lines.last_mut() {
                match last.last_mut().filter(|before| before.tone == cell.tone && number > 0) {
                    Some(before) => before.text.push_str(&piece),
                    None => last.push(Cell { text: piece, tone: cell.tone }),
                }
            }
        }
    }
    lines
}

fn rows(rows: &[Line], width: Option<usize>) -> Vec<Line> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let wide = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(Cell::width).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns).map(wide).collect();
    let mut lines: Vec<Line> = rows.iter().flat_map(|row| one(row, &widths, width)).collect();
    for line in &mut lines {
        while line.pop_if(|cell| cell.text.trim().is_empty()).is_some() {}
    }
    lines
}

/// A row, with the text of its last column in as many lines as it takes.
fn one(row: &Line, widths: &[usize], width: Option<usize>) -> Vec<Line> {
    let Some((last, before)) = row.split_last() else { return vec![Vec::new()] };
    let mut first: Line = vec![Cell::new(Tone::Plain, " ".repeat(GAP))];
    let mut at = GAP;
    for (cell, wide) in before.iter().zip(widths) {
        first.push(cell.clone());
        first.push(Cell::new(Tone::Plain, " ".repeat(wide.saturating_sub(cell.width()) + GAP)));
        at += wide + GAP;
    }
    let Some(width) = width else {
        first.push(last.clone());
        return vec![first];
    };
    let below = width < at + NARROW && at > GAP && at + last.width() > width;
    let indent = if below { GAP * 2 } else { at };
    let mut pieces = wrapped(&last.text, width.saturating_sub(indent).max(1)).into_iter();
    let mut lines = Vec::new();
    if !below {
        first.extend(pieces.next().map(|piece| Cell::new(last.tone, piece)));
    }
    lines.push(first);
    lines.extend(pieces.map(|piece| vec![Cell::new(Tone::Plain, " ".repeat(indent)), Cell::new(last.tone, piece)]));
    lines
}

/// The text in pieces of at most this width, taken apart between words where there are any.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let wide = |text: &str| Span::raw(text).width();
    for word in text.split(' ') {
        let joined = if piece.is_empty() { word.to_owned() } else { format!("{piece} {word}") };
        if wide(&joined) <= width {
            piece = joined;
            continue;
        }
        if !piece.is_empty() {
            pieces.push(std::mem::take(&mut piece));
        }
        for character in word.chars() {
            if wide(&piece) + wide(character.encode_utf8(&mut [0; 4])) > width && !piece.is_empty() {
                pieces.push(std::mem::take(&mut piece));
            }
            piece.push(character);
        }
    }
    pieces.push(piece);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(rows: &[&[&str]], width: Option<usize>) -> Vec<String> {
        let rows = rows.iter().map(|row| row.iter().map(|text| Cell::new(Tone::Plain, text)).collect()).collect();
        let screen = Screen { title: Vec::new(), sections: vec![Section { title: "T".to_owned(), rows }] };
        let text = |line: &Line| line.iter().map(|cell| cell.text.as_str()).collect::<String>().trim_end().to_owned();
        screen.lines(width).iter().skip(3).map(text).collect()
    }

    #[test]
    fn columns_are_aligned_and_long_texts_stay_in_theirs() {
        let rows: &[&[&str]] = &[&["a", "é", "one two three four five six"], &["long", "", "x"]];
        assert_eq!(shown(rows, None), ["  a     é  one two three four five six", "  long     x"]);
        assert_eq!(shown(rows, Some(35)), ["  a     é  one two three four five", "           six", "  long     x"]);
        // Too narrow for a column of its own.
        assert_eq!(shown(rows, Some(20)), ["  a     é", "    one two three", "    four five six", "  long     x"]);
    }

    #[test]
    fn a_line_flows_on_between_words_in_its_colours() {
        let line = vec![Cell::new(Tone::Strong, "shop"), Cell::new(Tone::Faint, " in account 1, applied 17 times")];
        let texts = |width: Option<usize>| -> Vec<String> {
            flowed(&line, width).iter().map(|line| line.iter().map(|cell| cell.text.as_str()).collect()).collect()
        };
        assert_eq!(texts(None), ["shop in account 1, applied 17 times"]);
        assert_eq!(texts(Some(20)), ["shop in account 1,", "  applied 17 times"]);
        assert_eq!(texts(Some(4)), ["shop", "  in", "  account", "  1,", "  applied", "  17", "  times"], "a word is never cut");
        assert_eq!(flowed(&line, Some(20))[1], [Cell::new(Tone::Faint, "  applied 17 times")]);
    }

    #[test]
    fn words_longer_than_the_line_are_cut_and_nothing_is_lost() {
        assert_eq!(wrapped("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrapped("", 3), [""]);
        assert_eq!(wrapped("日本語", 3), ["日", "本", "語"]);
        assert_eq!(wrapped("日", 1), ["日"]);
    }

    #[test]
    fn what_would_control_the_terminal_does_not_reach_it() {
        assert_eq!(Cell::new(Tone::Plain, "a\u{1b}[2Jb\nc\u{9b}d\te").text, "a\\u001b[2Jb\\nc\\u009bd e");
    }
}
