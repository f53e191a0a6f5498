//! Where the headers, keys and texts of a file stand, however much of it is still being written. [`super::node`] says what
//! a file means; this says what is where in it, also of what stands there twice or is not finished.

use std::ops::Range;

use toml_parser::ParseError;
use toml_parser::decoder::Encoding;
use toml_parser::parser::{Event, EventKind, RecursionGuard, parse_document};

use super::template::expression_length;
use super::unclosed;

/// How deep tables and lists are followed inside each other, as TOML's own reader does.
const DEEPEST: u32 = 80;

/// A name and where it stands, in quotes or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub text: String,
    /// Where it stands.
    pub range: Range<usize>,
}

/// A `[header]` or `[[header]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its names.
    pub names: Vec<Name>,
    /// From its first bracket on to its last.
    pub range: Range<usize>,
    /// From its first bracket on to the next header.
    pub body: Range<usize>,
    /// Whether it has two brackets.
    pub is_list: bool,
}

/// A table: what stands under a header, before the first, or between `{` and `}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Area {
    /// The names that lead to it. Elements of lists have none.
    pub path: Vec<Name>,
    /// Where it stands.
    pub range: Range<usize>,
    /// Whether it stands between `{` and `}`.
    pub is_inline: bool,
}

/// A key with what stands behind its `=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The number of the table it stands in.
    pub area: usize,
    /// The names that lead to its value; its own are the last of them.
    pub path: Vec<Name>,
    /// Where its own names stand.
    pub key: Range<usize>,
    /// Where its value stands, as far as there is one.
    pub value: Option<Range<usize>>,
}

/// A value that is neither a list nor a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar {
    /// The number of the pair it is of.
    pub pair: usize,
    /// Where it stands, its quotes included.
    pub range: Range<usize>,
    /// Where it stands without its quotes; nothing of what has none.
    pub content: Option<Range<usize>>,
    /// Whether `\` means something in it.
    pub has_escapes: bool,
}

/// An expression: what stands between `${` and `}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inside {
    /// Where it stands, without `${` and `}`.
    pub range: Range<usize>,
    /// Its text, in which every letter stands where it does in the file. Of escapes there are blanks and quotes only.
    pub source: String,
    /// Whether it is closed.
    pub is_closed: bool,
    /// Whether its text has no escapes.
    pub is_plain: bool,
}

/// What is where in a file.
#[derive(Clone, Debug, Default)]
pub struct Outline {
    /// The headers, in order.
    pub headers: Vec<Header>,
    /// The tables, in order; the first is what stands before every header.
    pub areas: Vec<Area>,
    /// The keys, in order.
    pub pairs: Vec<Pair>,
    /// The values, in order.
    pub scalars: Vec<Scalar>,
    /// The comments, in order.
    pub comments: Vec<Range<usize>>,
}

impl Outline {
    /// What is where in a text.
    pub fn of(text: &str) -> Self {
        let mut drawn = Drawing::new(text);
        let mut problems = Vec::new();
        drawn.part(0..text.len(), &mut problems);
        if !problems.is_empty() {
            // What is wrong with it is said by those who read it. A bracket that is open takes no other table with it.
            drawn = Drawing::new(text);
            let headers = unclosed::headers(text);
            let ends = headers.iter().copied().chain([text.len()]);
            let starts = std::iter::once(0).chain(headers.iter().copied());
            starts.zip(ends).for_each(|(start, end)| drawn.part(start..end, &mut Vec::new()));
        }
        drawn.finished()
    }

    /// The innermost table at a place.
    pub fn area_at(&self, at: usize) -> Option<(usize, &Area)> {
        let inside = |area: &Area| match area.is_inline {
            true => area.range.start < at && at < area.range.end,
            false => area.range.start <= at && at <= area.range.end,
        };
        self.areas.iter().enumerate().rfind(|(_, area)| inside(area))
    }

    /// The last names of the keys of a table.
    pub fn keys_in(&self, area: usize) -> impl Iterator<Item = &Name> {
        let depth = self.areas.get(area).map_or(0, |area| area.path.len());
        self.pairs.iter().filter(move |pair| pair.area == area).filter_map(move |pair| pair.path.get(depth))
    }

    /// The header that a place stands in or under.
    pub fn header_at(&self, at: usize) -> Option<&Header> {
        self.headers.iter().rev().find(|header| header.range.start <= at)
    }

    /// The value at a place, its quotes included.
    pub fn scalar_at(&self, at: usize) -> Option<&Scalar> {
        self.scalars.iter().find(|scalar| scalar.range.start <= at && at <= scalar.range.end)
    }

    /// The pair that a value is of.
    pub fn pair_of(&self, scalar: &Scalar) -> Option<&Pair> {
        self.pairs.get(scalar.pair)
    }

    /// Every expression, with the value it stands in.
    pub fn expressions<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (&'a Scalar, Inside)> {
        self.scalars.iter().flat_map(move |scalar| insides(text, scalar).into_iter().map(move |inside| (scalar, inside)))
    }
}

/// The expressions in a value.
pub fn insides(text: &str, scalar: &Scalar) -> Vec<Inside> {
    let Some(content) = &scalar.content else { return Vec::new() };
    let Some(raw) = text.get(content.clone()).filter(|raw| raw.contains("${")) else { return Vec::new() };
    let (raw, is_plain) = if scalar.has_escapes { without_escapes(raw) } else { (raw.to_owned(), true) };
    let (mut found, mut rest) = (Vec::new(), 0);
    while let Some(at) = raw.get(rest..).and_then(|tail| tail.find("${")) {
        let start = rest + at + 2;
        let is_literal = raw.get(..rest + at).is_some_and(|before| before.ends_with('$'));
        if is_literal {
            rest = start;
            continue;
        }
        let inner = raw.get(start..).unwrap_or_default();
        let length = expression_length(inner);
        let end = start + length.unwrap_or_else(|| inner.find('\n').unwrap_or(inner.len()));
        let source = raw.get(start..end).unwrap_or_default().to_owned();
        let range = content.start + start..content.start + end;
        found.push(Inside { range, source, is_closed: length.is_some(), is_plain });
        rest = end;
    }
    found
}

/// A text of the same length in which nothing is escaped, and whether nothing was: of `\"` the quote stays, of others
/// nothing does.
fn without_escapes(raw: &str) -> (String, bool) {
    let (mut text, mut is_escaped, mut is_plain) = (String::with_capacity(raw.len()), false, true);
    for c in raw.chars() {
        match (is_escaped, c) {
            (false, '\\') => {
                (is_escaped, is_plain) = (true, false);
                text.push(' ');
            }
            (true, '"') => {
                is_escaped = false;
                text.push('"');
            }
            (true, c) => {
                is_escaped = false;
                text.extend(std::iter::repeat_n(' ', c.len_utf8()));
            }
            (false, c) => text.push(c),
        }
    }
    (text, is_plain)
}

/// A table that is open.
struct Frame {
    area: usize,
    /// The pair that is being read in it.
    pair: Option<usize>,
    /// The names of the next pair.
    names: Vec<Name>,
}

struct Drawing<'a> {
    text: &'a str,
    /// Where the part begins that is being read.
    start: usize,
    outline: Outline,
    /// The open tables, from the one under the header on.
    frames: Vec<Frame>,
    /// The header that is open: its names, where it begins, whether it has two brackets.
    header: Option<(Vec<Name>, usize, bool)>,
}

impl<'a> Drawing<'a> {
    fn new(text: &'a str) -> Self {
        let area = Area { path: Vec::new(), range: 0..text.len(), is_inline: false };
        let outline = Outline { areas: vec![area], ..Outline::default() };
        Self { text, start: 0, outline, frames: vec![Frame { area: 0, pair: None, names: Vec::new() }], header: None }
    }

    /// Reads a part of the text, which begins with a header or is the first.
    fn part(&mut self, part: Range<usize>, problems: &mut Vec<ParseError>) {
        let Some(text) = self.text.get(part.clone()) else { return };
        let tokens = toml_parser::Source::new(text).lex().into_vec();
        self.start = part.start;
        let mut receive = |event: Event| self.event(&event);
        parse_document(&tokens, &mut RecursionGuard::new(&mut receive, DEEPEST), problems);
        self.line_ended(part.end);
    }

    fn finished(mut self) -> Outline {
        self.close_body(self.text.len());
        self.outline
    }

    fn event(&mut self, event: &Event) {
        let range = self.start + event.span().start()..self.start + event.span().end();
        match event.kind() {
            EventKind::StdTableOpen => self.header = Some((Vec::new(), range.start, false)),
            EventKind::ArrayTableOpen => self.header = Some((Vec::new(), range.start, true)),
            EventKind::StdTableClose | EventKind::ArrayTableClose => self.header_closed(range.end),
            EventKind::SimpleKey => self.key(range, event.encoding()),
            EventKind::KeyValSep => self.pair(range.end),
            EventKind::Scalar => self.scalar(range, event.encoding()),
            EventKind::InlineTableOpen => self.table_opened(range),
            EventKind::InlineTableClose => self.table_closed(range),
            EventKind::ArrayOpen | EventKind::ArrayClose => self.reaches(&range),
            EventKind::Comment => self.outline.comments.push(range),
            EventKind::Newline => self.line_ended(range.start),
            _ => {}
        }
    }

    /// What stood under the last header ends here, and what is open in it.
    fn close_body(&mut self, end: usize) {
        for frame in &self.frames {
            if let Some(area) = self.outline.areas.get_mut(frame.area) {
                area.range.end = end;
            }
        }
        if let Some(header) = self.outline.headers.last_mut() {
            header.body.end = end;
        }
    }

    fn header_closed(&mut self, end: usize) {
        let Some((names, start, is_list)) = self.header.take() else { return };
        self.close_body(start);
        self.outline.headers.push(Header { names: names.clone(), range: start..end, body: start..end, is_list });
        self.outline.areas.push(Area { path: names, range: end..end, is_inline: false });
        self.frames = vec![Frame { area: self.outline.areas.len() - 1, pair: None, names: Vec::new() }];
    }

    fn line_ended(&mut self, at: usize) {
        // A header that is not closed ends with its line.
        if self.header.is_some() {
            self.header_closed(at);
        }
        if let [frame] = self.frames.as_mut_slice() {
            frame.names.clear();
        }
    }

    fn key(&mut self, range: Range<usize>, encoding: Option<Encoding>) {
        let raw = self.text.get(range.clone()).unwrap_or_default();
        let text = match encoding {
            Some(_) => raw.trim_matches(['"', '\'']).to_owned(),
            None => raw.to_owned(),
        };
        let name = Name { text, range };
        match (&mut self.header, self.frames.last_mut()) {
            (Some((names, ..)), _) => names.push(name),
            (None, Some(frame)) => frame.names.push(name),
            (None, None) => {}
        }
    }

    fn pair(&mut self, at: usize) {
        let number = self.outline.pairs.len();
        let Some(frame) = self.frames.last_mut() else { return };
        let own = std::mem::take(&mut frame.names);
        let key = match (own.first(), own.last()) {
            (Some(first), Some(last)) => first.range.start..last.range.end,
            _ => at..at,
        };
        frame.pair = Some(number);
        let area = frame.area;
        let around = self.outline.areas.get(area).map(|area| area.path.clone()).unwrap_or_default();
        let path = around.into_iter().chain(own).collect();
        self.outline.pairs.push(Pair { area, path, key, value: None });
    }

    /// The value of the pair that is being read reaches to here.
    fn reaches(&mut self, range: &Range<usize>) {
        let pair = self.frames.last().and_then(|frame| frame.pair);
        if let Some(pair) = pair.and_then(|pair| self.outline.pairs.get_mut(pair)) {
            pair.value = Some(pair.value.as_ref().map_or(range.start, |value| value.start)..range.end);
        }
    }

    fn scalar(&mut self, range: Range<usize>, encoding: Option<Encoding>) {
        self.reaches(&range);
        let Some(pair) = self.frames.last().and_then(|frame| frame.pair) else { return };
        let quotes = match encoding {
            None => 0,
            Some(Encoding::LiteralString | Encoding::BasicString) => 1,
            Some(Encoding::MlLiteralString | Encoding::MlBasicString) => 3,
        };
        let content = encoding.map(|_| self.content(&range, quotes));
        let has_escapes = matches!(encoding, Some(Encoding::BasicString | Encoding::MlBasicString));
        self.outline.scalars.push(Scalar { pair, range, content, has_escapes });
    }

    /// What stands between quotes, also where the last are missing.
    fn content(&self, range: &Range<usize>, quotes: usize) -> Range<usize> {
        let start = (range.start + quotes).min(range.end);
        let raw = self.text.get(range.clone()).unwrap_or_default();
        let quote = raw.get(..quotes).unwrap_or_default();
        let is_closed = raw.len() >= 2 * quotes && !quote.is_empty() && raw.ends_with(quote);
        start..if is_closed { range.end - quotes } else { range.end }.max(start)
    }

    fn table_opened(&mut self, range: Range<usize>) {
        self.reaches(&range);
        let pair = self.frames.last().and_then(|frame| frame.pair).and_then(|pair| self.outline.pairs.get(pair));
        let path = pair.map(|pair| pair.path.clone()).unwrap_or_default();
        self.outline.areas.push(Area { path, range, is_inline: true });
        self.frames.push(Frame { area: self.outline.areas.len() - 1, pair: None, names: Vec::new() });
    }

    fn table_closed(&mut self, range: Range<usize>) {
        if self.frames.len() > 1
            && let Some(frame) = self.frames.pop()
            && let Some(area) = self.outline.areas.get_mut(frame.area)
        {
            area.range.end = range.end;
        }
        self.reaches(&range);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &[Name]) -> String {
        path.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(".")
    }

    #[test]
    fn every_key_has_its_path_also_inside_of_tables_and_lists() {
        let text = "a = 1\n[resource.vpc.main]\ntags = { x.y = 'z', k = [{ n = 1 }] }\n[[moved]]\nfrom = \"a.b\"\n";
        let outline = Outline::of(text);
        let paths: Vec<String> = outline.pairs.iter().map(|pair| names(&pair.path)).collect();
        let main = "resource.vpc.main.tags";
        assert_eq!(
            paths,
            ["a".to_owned(), main.to_owned(), format!("{main}.x.y"), format!("{main}.k"), format!("{main}.k.n"), "moved.from".into()]
        );
        let values: Vec<&str> = outline.pairs.iter().map(|pair| text.get(pair.value.clone().unwrap()).unwrap()).collect();
        assert_eq!(values, ["1", "{ x.y = 'z', k = [{ n = 1 }] }", "'z'", "[{ n = 1 }]", "1", "\"a.b\""]);
        assert!(outline.headers[1].is_list && outline.headers[1].range == (64..73), "{:?}", outline.headers);
        let inside = text.find("n = 1").unwrap();
        assert_eq!(names(&outline.area_at(inside).unwrap().1.path), format!("{main}.k"));
        assert_eq!(names(&outline.area_at(text.len()).unwrap().1.path), "moved");
    }

    #[test]
    fn what_is_being_written_is_there_as_far_as_it_is() {
        let text =
            "[resource.vpc.main]\ncidr_block = \"${vars.\nx = { y = \"\n[locals]\nz = [\n[resource.vpc.a]\n[resource.vp\n[outputs]\na = ";
        let outline = Outline::of(text);
        let found: Vec<Inside> = outline.expressions(text).map(|(_, inside)| inside).collect();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].source.as_str(), found[0].is_closed), ("vars.", false));
        assert_eq!(text.get(found[0].range.clone()), Some("vars."));
        assert!(outline.headers.iter().any(|header| names(&header.names) == "resource.vp"), "{:?}", outline.headers);
        assert_eq!(names(&outline.area_at(text.len()).unwrap().1.path), "outputs");
    }

    #[test]
    fn expressions_stand_where_they_do_in_the_file_escapes_or_not() {
        let text = "a = \"é ${vars.x} $${no} ${vars.y == \\\"}\\\"} \"\nb = '''\n${vars.z}'''\nc = '${vars.c}'";
        let outline = Outline::of(text);
        let found: Vec<(String, String)> =
            outline.expressions(text).map(|(_, inside)| (text.get(inside.range).unwrap().to_owned(), inside.source)).collect();
        let same = |text: &str| (text.to_owned(), text.to_owned());
        let escaped = ("vars.y == \\\"}\\\"".to_owned(), "vars.y ==  \"} \"".to_owned());
        assert_eq!(found, [same("vars.x"), escaped, same("vars.z"), same("vars.c")]);
    }
}
