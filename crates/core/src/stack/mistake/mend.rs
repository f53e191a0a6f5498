//! The text without its mistakes.

use toml::de::DeTable;

use super::{Mend, Mended, Mistake, Stop, VALUE, explain, floor};
use crate::stack::unclosed::{self, Unclosed};

/// Most mistakes of a file that are told: after each one the file is read again, since what follows a mistake may only be
/// read wrongly because of it.
const MOST: usize = 64;

/// Most bytes that are read again and again for it.
const BYTES: usize = 1 << 20;

/// The text without its mistakes.
pub fn mended(text: &str) -> Mended {
    let mut mended = Mended { text: text.to_owned(), mistakes: Vec::new(), lines: [].into(), whole: true };
    heredocs(&mut mended);
    open_texts(&mut mended);
    open_brackets(&mut mended);
    for _ in 0..(BYTES / text.len().max(1)).clamp(4, MOST) {
        let Some(mistake) = first(&mut mended) else { break };
        mended.found(mistake);
    }
    mended.mistakes.sort_by_key(|mistake| mistake.at.start);
    mended
}

/// Which line of a text a place is on.
fn line(text: &str, at: usize) -> usize {
    text.get(..floor(text, at)).unwrap_or(text).matches('\n').count()
}

/// The first mistake on a line that has had none.
fn first(mended: &mut Mended) -> Option<Mistake> {
    let text = &mended.text;
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut places: Vec<(std::ops::Range<usize>, &str)> =
        errors.iter().map(|error| (error.span().unwrap_or(0..0), error.message())).collect();
    places.sort_by_key(|(range, _)| range.start);
    let lines = Lines::of(text);
    for (range, said) in places {
        let number = lines.number(range.start);
        // Under a header that stands twice, keys do.
        let follows = said == "duplicate key" && mended.lines.contains(&lines.header_above(number));
        if !follows && !mended.lines.contains(&number) {
            let mistake = explain(Stop::new(text, &range, said), table.get_ref());
            mended.lines.insert(number);
            return Some(mistake);
        }
    }
    None
}

/// The lines of a text, which is asked for thousands of its places.
struct Lines {
    /// Where each begins.
    starts: Vec<usize>,
    /// Which of them are headers.
    headers: Vec<usize>,
}

impl Lines {
    fn of(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let starts: Vec<usize> = std::iter::once(0).chain(breaks).collect();
        let is_header = |start: &usize| text.get(*start..).is_some_and(|line| line.starts_with('['));
        let headers = starts.iter().enumerate().filter(|(_, start)| is_header(start)).map(|(number, _)| number).collect();
        Self { starts, headers }
    }

    /// Which line a place is on.
    fn number(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at).saturating_sub(1)
    }

    /// The line of the header that a line stands under or is.
    fn header_above(&self, number: usize) -> usize {
        let above = self.headers.partition_point(|header| *header <= number);
        above.checked_sub(1).and_then(|last| self.headers.get(last)).copied().unwrap_or_default()
    }
}

impl Mended {
    fn found(&mut self, mistake: Mistake) {
        for mend in &mistake.mends {
            let mend = &self.with_what_is_open(mend);
            let last = mend.range.end.saturating_sub(1).max(mend.range.start);
            self.lines.extend(line(&self.text, mend.range.start)..=line(&self.text, last));
            write_over(&mut self.text, mend);
        }
        self.whole &= !mistake.loses;
        self.mistakes.push(mistake);
    }
}

impl Mended {
    /// What is written over the end of a line goes on to where that ends which is open there.
    fn with_what_is_open(&self, mend: &Mend) -> Mend {
        let end = mend.range.end;
        let is_end = end > mend.range.start && self.text.get(end..).is_some_and(|rest| rest.is_empty() || rest.starts_with('\n'));
        let line = self.text.get(..floor(&self.text, mend.range.start)).and_then(|above| above.rfind('\n')).map_or(0, |at| at + 1);
        let is_one = self.text.get(line..end).is_some_and(|text| !text.contains('\n') && !text.starts_with('['));
        let open = (is_end && is_one).then(|| unclosed::end_of_open(&self.text, line)).flatten();
        Mend { range: mend.range.start..open.unwrap_or(end), with: mend.with }
    }
}

fn write_over(text: &mut String, Mend { range, with }: &Mend) {
    let (start, end) = (floor(text, range.start), floor(text, range.end));
    let Some(old) = text.get(start..end).filter(|old| old.len() >= with.len() && !old.is_empty()) else { return };
    let mut new = (*with).to_owned();
    new.extend(old.bytes().skip(with.len()).map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
    text.replace_range(start..end, &new);
}

/// Texts between `<<WORD` and `WORD`, whose lines would be read as keys.
fn heredocs(mended: &mut Mended) {
    let text = mended.text.clone();
    let mut at = 0;
    let mut ends = 0;
    for one in text.split_inclusive('\n') {
        if mended.mistakes.len() >= MOST {
            return;
        }
        let start = at;
        at += one.len();
        let Some((opened, word)) = (start >= ends).then(|| one.split_once("<<")).flatten() else { continue };
        let word = word.trim_start_matches(['-', '~']).trim().trim_matches(['"', '\'']);
        let is_word = !word.is_empty() && word.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        if !is_word || !opened.trim_end().ends_with('=') {
            continue;
        }
        let from = start + opened.len();
        let mut end = at;
        let below = text.get(at..).unwrap_or_default();
        let is_closed = below.split_inclusive('\n').any(|following| {
            end += following.len();
            following.trim() == word
        });
        let end = if is_closed { end } else { at };
        ends = end;
        mended.found(Mistake {
            message: "TOML has no `<<`",
            help: Some("a text of several lines stands between `'''` and `'''`"),
            at: from..start + one.trim_end().len(),
            first: None,
            mends: vec![Mend { range: from..end, with: VALUE }],
            loses: false,
        });
    }
}

/// Texts of several lines that are never closed: they are told to end where the next table begins.
fn open_texts(mended: &mut Mended) {
    while let Some((open, end)) = unclosed::open_text(&mended.text) {
        mended.found(Mistake {
            message: "the text that begins here is never closed",
            help: Some("the same three quotes close it; nothing is read from there to the next table"),
            at: open..open + 3,
            first: None,
            mends: vec![Mend { range: open..end, with: VALUE }],
            loses: true,
        });
    }
}

/// Brackets that are never closed.
fn open_brackets(mended: &mut Mended) {
    if DeTable::parse_recoverable(&mended.text).1.is_empty() {
        return;
    }
    for Unclosed { open, closing, lost } in unclosed::unclosed(&mended.text) {
        let end = mended.text.get(open..).and_then(|rest| rest.find('\n')).map_or(mended.text.len(), |length| open + length);
        let help = match closing {
            ']' => "`]` is missing; nothing is read from there to the next table",
            _ => "`}` is missing; nothing is read from there to the next table",
        };
        mended.found(Mistake {
            message: "what begins at this bracket is never closed",
            help: Some(help),
            at: open..end,
            first: None,
            mends: vec![Mend { range: lost, with: "" }],
            loses: true,
        });
    }
}
