//! What is wrong with a value.

use std::ops::Range;

use super::{Mend, Mistake, Stop, outside_quotes};

pub(super) const NO_QUOTE: &str = "this is no quote of TOML";
pub(super) const QUOTES: &str = "write `\"` or `'`";
const SEVERAL: &str = "close it with the same quote; a text of several lines stands between `'''` and `'''`";
const NO_NUMBER: &str = "this is no number";

pub(super) const ENDS: &str = "the text ends at this quote";
pub(super) const OTHER_QUOTES: &str = "inside of `\"${…}\"` write texts with `'`: `\"${vars.x == 'prod'}\"`";

/// The mistake of a text that ends at a quote inside of the `${` and `}` that it has, before a place on its line: whatever stands at
/// the place was meant as a part of it.
pub(super) fn ended_in_expression(stop: Stop<'_>) -> Option<Mistake> {
    let line = stop.whole();
    if line.contains("\"\"\"") || line.contains("'''") {
        return None;
    }
    let is_cut = |text: &str| text.rfind("${").is_some_and(|at| !text.get(at..).is_some_and(|inner| inner.contains('}')));
    let (from, end) = texts(line).into_iter().find(|(from, end)| line.get(*from..*end).is_some_and(is_cut))?;
    let quote = line.get(from..)?.chars().next()?;
    let closing = format!("}}{quote}");
    if stop.line.0 + end > stop.start + 1 || !line.get(end..)?.contains(&closing) {
        return None;
    }
    let whole = stop.line.0 + from..stop.line.0 + line.rfind(quote)? + 1;
    let help = if quote == '"' { OTHER_QUOTES } else { "inside of `'${…}'` write texts with `\"`: `'${vars.x == \"prod\"}'`" };
    Some(stop.value_mistake(stop.line.0 + end - 1..stop.line.0 + end, whole, ENDS, help))
}

/// Where the texts of a line begin and end, with their quotes.
fn texts(line: &str) -> Vec<(usize, usize)> {
    let (mut found, mut open, mut is_escaped) = (Vec::new(), None, false);
    for (at, letter) in line.char_indices() {
        match open {
            Some(_) if is_escaped => is_escaped = false,
            Some((_, '"')) if letter == '\\' => is_escaped = true,
            Some((from, quote)) if quote == letter => {
                found.push((from, at + 1));
                open = None;
            }
            Some(_) => {}
            None if letter == '#' => break,
            None if matches!(letter, '"' | '\'') => open = Some((at, letter)),
            None => {}
        }
    }
    found
}

/// The mistake at a place, where it is one of a value.
pub(super) fn mistake(stop: Stop<'_>) -> Option<Mistake> {
    let said = stop.said;
    if let "invalid literal string" | "invalid basic string" = said
        && let Some(text) = open_text(stop)
    {
        return Some(text);
    }
    Some(match said {
        "invalid literal string" | "invalid basic string" if is_control(stop) => {
            let help = "delete it, or write `\\u` and its number in a text between `\"` and `\"`";
            stop.slip(stop.shown(stop.start..stop.end), "", "a control character cannot stand in a text", help)
        }
        "invalid multi-line literal string" | "invalid multi-line basic string" if stop.start >= stop.text.len() => {
            let quotes = if said.contains("literal") { "'''" } else { "\"\"\"" };
            let from = stop.text.rfind(quotes).unwrap_or(stop.line.0);
            let (message, help) = ("the text that begins here is never closed", "the same three quotes close it");
            stop.value_mistake(from..(from + 3).min(stop.text.len()), from..stop.text.len(), message, help)
        }
        "invalid multi-line literal string" | "invalid multi-line basic string" => {
            let help = "delete it, or write `\\u` and its number in a text between `\"\"\"` and `\"\"\"`";
            stop.slip(stop.shown(stop.start..stop.end), "", "a control character cannot stand in a text", help)
        }
        "missing escaped value" => {
            let from = stop.start.saturating_sub(1);
            let end = stop.shown(stop.start..stop.start).end.max(stop.start);
            let help = "write `\\\\` for a `\\`, or write the text between `'` and `'`, where `\\` is a letter as any other";
            Mistake { at: from..end, ..stop.slip(from..stop.start, " ", "`\\` and this letter stand for nothing", help) }
        }
        "too few unicode value digits" | "invalid value" => {
            let help = "write `\\u` with four digits from 0 to f, or `\\U` with eight; `\\\\` for a `\\`";
            let from = stop.before().rfind('\\').map_or(stop.start, |at| stop.line.0 + at);
            Mistake { at: from..stop.start.max(from + 1), ..token(stop, "this is the number of no character", help) }
        }
        "extra `=`" => stop.slip(stop.start..stop.end, "", "this `=` is one too many", "write `name = value`"),
        "extra comma in array" | "extra comma in inline table" => {
            stop.slip(comma(stop), "", "this `,` is one too many", "leave it out, or write what is missing before it")
        }
        "missing comma between array elements" | "missing comma between key-value pairs" | "extra assignment between key-value pairs" => {
            return Some(bracketed(stop));
        }
        "unexpected `=` in array" => bracketed(stop),
        "missing assignment between key-value pairs" | "missing key for inline table element" | "invalid inline table element" => {
            bracketed(stop)
        }
        "unclosed array" | "unclosed inline table" => {
            token(stop, "a bracket that is open here is never closed", "close it with `]` or `}`")
        }
        "missing array opening" | "missing inline table opening" => {
            let help = "leave it out, or look for what opens it above";
            token(stop, "nothing is open that this bracket closes", help)
        }
        "recursion limit" | "cannot recurse further; max recursion depth met" => {
            token(stop, "this is more brackets inside each other than are read", "write parts of it under headers of their own")
        }
        "string values must be quoted"
        | "missing opening quote"
        | "invalid literal string"
        | "invalid basic string"
        | "missing value"
        | "invalid boolean" => unquoted(stop),
        _ if is_number(said) => unquoted(stop),
        _ => return None,
    })
}

/// Whether the parser takes it for a number, a date or a time.
fn is_number(said: &str) -> bool {
    let of_numbers = [
        "unexpected leading zero",
        "unexpected sign",
        "redundant numeric sign",
        "redundant integer number prefix",
        "radix must be lowercase",
        "integers with a radix cannot be signed",
        "`_` may only go between digits",
    ];
    let kinds = ["number", "float", "fraction", "exponent", "mantissa", "date", "time", "date-time", "datetime", "offset"];
    of_numbers.contains(&said) || said.strip_prefix("invalid ").is_some_and(|kind| kinds.iter().any(|known| kind.ends_with(known)))
}

fn is_control(stop: Stop<'_>) -> bool {
    stop.part(stop.start..stop.line.1).chars().next().is_some_and(char::is_control)
}

fn comma(stop: Stop<'_>) -> Range<usize> {
    let at = stop.part(stop.start..stop.line.1).find(',').map_or(stop.start, |length| stop.start + length);
    at..at + 1
}

/// A mistake in a value that begins here or before, all of which is not read.
fn token(stop: Stop<'_>, message: &'static str, help: &'static str) -> Mistake {
    let range = extent(stop);
    stop.value_mistake(range.clone(), range, message, help)
}

/// The whole of a value without quotes in which the place is.
fn extent(stop: Stop<'_>) -> Range<usize> {
    let begun = begin(stop);
    let inside = is_inside(stop, begun);
    let mut end = begun;
    for (at, letter) in outside_quotes(stop.part(begun..stop.line.1)) {
        if inside && matches!(letter, ',' | ']' | '}') {
            break;
        }
        end = begun + at + letter.len_utf8();
    }
    let end = end.max(stop.end).max(quotes_end(stop, begun, inside));
    let value = stop.part(begun..end).trim_end();
    begun..begun + value.len()
}

/// Where the last quote ends that stands in the value.
fn quotes_end(stop: Stop<'_>, begun: usize, inside: bool) -> usize {
    let line = stop.part(begun..stop.line.1);
    match inside {
        true => begun,
        false => line.rfind(['"', '\'']).filter(|_| !line.contains('#')).map_or(begun, |at| begun + at + 1),
    }
}

/// Where the value begins that a place is in: behind the last `=`, `,` or bracket before it.
fn begin(stop: Stop<'_>) -> usize {
    let before = stop.before();
    let sign = outside_quotes(before).filter(|(_, letter)| matches!(letter, '=' | ',' | '[' | '{')).last().map_or(0, |(at, _)| at + 1);
    let spaces =
        before.get(sign..).unwrap_or_default().chars().take_while(|letter| letter.is_whitespace()).map(char::len_utf8).sum::<usize>();
    (stop.line.0 + sign + spaces).min(stop.start)
}

/// Whether a value stands in a list or a table that is open on its line, or on a line of its own.
fn is_inside(stop: Stop<'_>, at: usize) -> bool {
    let before = stop.part(stop.line.0..at);
    let open = outside_quotes(before).fold(0_i32, |open, (_, letter)| match letter {
        '[' | '{' => open + 1,
        ']' | '}' => open - 1,
        _ => open,
    });
    open > 0 || !before.contains('=')
}

/// A text that is not closed on its line.
pub(super) fn open_text(stop: Stop<'_>) -> Option<Mistake> {
    if !stop.rest().is_empty() {
        return None;
    }
    let line = stop.whole();
    let (mut open, mut escaped) = (None, false);
    for (at, letter) in line.char_indices() {
        match open {
            Some(_) if escaped => escaped = false,
            Some((_, '"')) if letter == '\\' => escaped = true,
            Some((_, quote)) if quote == letter => open = None,
            Some(_) => {}
            None if letter == '#' => return None,
            None if matches!(letter, '"' | '\'') => open = Some((at, letter)),
            None => {}
        }
    }
    let (at, quote) = open?;
    let from = stop.line.0 + at;
    let (message, help) = ("the text that begins here is not closed on its line", SEVERAL);
    if stop.is_header() || !outside_quotes(line).any(|(_, letter)| letter == '=') && !is_element(stop) {
        return Some(stop.statement(from..stop.line.1, message, "write the same quote at its end"));
    }
    let end = text_end(stop, quote);
    let marked = from..stop.line.0 + line.trim_end().len();
    let outer = Stop { start: from, end: from, ..stop };
    let mut mistake = stop.value_mistake(marked, begin_of_brackets(outer)..end, message, help);
    if is_element(stop) {
        mistake.mends = vec![Mend { range: from..end, with: "0," }];
    }
    Some(mistake)
}

/// Where a text ends that goes on on the lines below; the end of its own line where it does not.
fn text_end(stop: Stop<'_>, quote: char) -> usize {
    let mut end = stop.line.1 + 1;
    for line in stop.part(end.min(stop.text.len())..stop.text.len()).split_inclusive('\n') {
        let trimmed = line.trim();
        let is_statement = trimmed.starts_with('[') || trimmed.split_once('=').is_some_and(|(key, _)| is_key(key.trim()));
        if is_statement {
            break;
        }
        if let Some(at) = line.find(quote) {
            return end + at + 1;
        }
        end += line.len();
    }
    stop.line.1
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_alphanumeric() || "_-.\"'".contains(letter))
}

/// Something wrong between the elements of a list or the keys of a table on one line.
fn bracketed(stop: Stop<'_>) -> Mistake {
    let rest = stop.rest().trim_start();
    let from = stop.start + stop.rest().len() - rest.len();
    let end = bracket_end(stop);
    let begun = begin_of_brackets(stop);
    let (message, help) = match rest.chars().next() {
        Some(':') => ("TOML has `=` and not `:` behind a key", "write `{ name = value }`"),
        Some('=') if stop.said.contains("array") => {
            ("a list has values and no keys", "a table stands in `{…}`, a list of tables in `[{…}, {…}]`")
        }
        _ if stop.said.contains("assignment") && !stop.said.starts_with("extra") => {
            ("there is no `=` behind this key", "write `{ name = value }`")
        }
        _ if stop.said.contains("missing key") || stop.said.contains("inline table element") => {
            ("there is no key before this", "write `{ name = value }`")
        }
        _ => ("a `,` is missing before this", "write a `,` between one and the next"),
    };
    stop.value_mistake(stop.shown(from..from), begun..end, message, help)
}

/// Where the outermost bracket begins that is open on the line; the place itself where none is.
fn begin_of_brackets(stop: Stop<'_>) -> usize {
    let mut open: Vec<usize> = Vec::new();
    for (at, letter) in outside_quotes(stop.before()) {
        match letter {
            '[' | '{' => open.push(at),
            ']' | '}' => drop(open.pop()),
            _ => {}
        }
    }
    match open.first() {
        Some(at) => stop.line.0 + at,
        None => begin(stop),
    }
}

/// Where that bracket is closed, or the line ends.
fn bracket_end(stop: Stop<'_>) -> usize {
    let begun = begin_of_brackets(stop);
    let mut depth = 0_i32;
    for (at, letter) in outside_quotes(stop.part(begun..stop.line.1)) {
        match letter {
            '[' | '{' => depth += 1,
            ']' | '}' => depth -= 1,
            ',' if depth == 0 => return begun + at,
            _ => {}
        }
        if depth < 0 {
            return begun + at;
        }
        if depth == 0 && matches!(letter, ']' | '}') {
            return begun + at + 1;
        }
    }
    stop.line.1
}

/// A value without quotes.
fn unquoted(stop: Stop<'_>) -> Mistake {
    let range = extent(stop);
    let given = stop.part(range.clone());
    let inside = is_inside(stop, range.start);
    let said = |message, help| stop.value_mistake(range.clone(), range.clone(), message, help);
    let same = |words: &[&str]| words.iter().any(|word| given.eq_ignore_ascii_case(word));
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '[' | ']' | '"' | '\'' | '*');
    match given.chars().next() {
        None => no_value(stop, range.clone()),
        Some('#') => no_value(stop, range.start..range.start),
        Some('$') => expression(stop, range.start, range.clone()),
        Some('<') if given.starts_with("<<") => said("TOML has no `<<`", "a text of several lines stands between `'''` and `'''`"),
        Some('“' | '”' | '„' | '‘' | '’' | '«' | '»') => said(NO_QUOTE, QUOTES),
        Some('!') => said("there are no functions with `!`", "a reference is written `\"${vpc.main.id}\"`"),
        Some('|' | '>') if given.trim_end_matches(['-', '+']).len() == 1 && !inside => {
            let end = indented_below(stop);
            let message = "TOML has no such sign for a text of several lines";
            Mistake {
                at: range.clone(),
                ..stop.value_mistake(range.clone(), range.start..end, message, "write it between `'''` and `'''`")
            }
        }
        Some('>') if stop.before().trim_end().ends_with('=') => said("TOML has `=` alone behind a key", "write `name = value`"),
        Some(']' | '}') => said("nothing is open that this bracket closes", "leave it out, or look for what opens it above"),
        Some('\\') => said("a text stands in quotes, without `\\` before them", QUOTES),
        Some(_) if same(&["true", "false"]) => said("this is not how TOML writes it", "write `true` or `false`"),
        Some(_) if same(&["yes", "on"]) => said("TOML has no such value", "write `true`"),
        Some(_) if same(&["no", "off"]) => said("TOML has no such value", "write `false`"),
        Some(_) if same(&["null", "nil", "none", "undefined"]) => said("TOML has no value for nothing", "leave it out"),
        Some(_) if inside && given.starts_with("for ") => {
            let end = bracket_end(stop);
            let help = "make lists by an expression: `\"${vars.names.map(name, name + '-x')}\"`";
            stop.value_mistake(range.clone(), begin_of_brackets(stop)..end, "TOML has no `for`", help)
        }
        Some(c) if c.is_ascii_digit() || "+-.".contains(c) => number(stop),
        Some(c) if c.is_alphabetic() && given.contains('(') => call(stop, range.clone()),
        Some(_) if given.contains(" ? ") || given.contains(" == ") => said("an expression stands in quotes", "write `\"${…}\"`"),
        Some(c) if c.is_alphabetic() && given.contains('.') && given.chars().all(word) => {
            said("a value that is no number stands in quotes", "a reference is written `\"${vpc.main.id}\"`, a text `\"…\"`")
        }
        Some(_) if inside && given.contains(" = ") && of_table(stop, range.start).is_none() => {
            said("a list has values and no keys", "a table stands in `{…}`, a list of tables in `[{…}, {…}]`")
        }
        Some(_) if of_table(stop, range.start) == Some(true) => said("there is no `=` behind this key", "write `{ name = value }`"),
        Some(_) if inside && given.contains(": ") => said("TOML has `=` and not `:` behind a key", "write `{ name = value }`"),
        Some(_) => said("a text stands in quotes", "write `\"…\"`"),
    }
}

/// Whether a place in a table on one line is one of a key; nothing where it is in no table.
fn of_table(stop: Stop<'_>, at: usize) -> Option<bool> {
    let before = stop.part(stop.line.0..at);
    let mut open = Vec::new();
    for (_, letter) in outside_quotes(before) {
        match letter {
            '[' | '{' => open.push(letter),
            ']' | '}' => drop(open.pop()),
            _ => {}
        }
    }
    (open.last() == Some(&'{')).then(|| before.trim_end().ends_with(['{', ',']))
}

fn no_value(stop: Stop<'_>, at: Range<usize>) -> Mistake {
    if is_inside(stop, at.start) {
        return Mistake {
            at: stop.shown(at.clone()),
            ..stop.value_mistake(at, begin_of_brackets(stop)..bracket_end(stop), "a value is missing here", "write `{ name = value }`")
        };
    }
    let equals = stop.before().rfind('=').map_or(at.start, |equals| stop.line.0 + equals);
    let help = "texts stand in quotes, lists in `[…]`, tables in `{…}`";
    Mistake { at: equals..equals + 1, ..stop.value_mistake(at.clone(), at, "there is no value behind `=`", help) }
}

/// An expression without quotes.
pub(super) fn expression(stop: Stop<'_>, begun: usize, value: Range<usize>) -> Mistake {
    let inside = is_inside(stop, begun);
    let line = stop.part(begun..stop.line.1);
    let length = line.strip_prefix("${").and_then(crate::stack::template::expression_length).map(|length| length + 3);
    let end = length.map_or(value.end, |length| begun + length);
    let lost = if inside { begin_of_brackets(stop)..bracket_end(stop).max(end) } else { value.start..value.end.max(end) };
    stop.value_mistake(begun..end, lost, "an expression stands in quotes", "write `\"${…}\"`")
}

/// A call without quotes, which may go on on the lines below.
fn call(stop: Stop<'_>, range: Range<usize>) -> Mistake {
    let mut depth = 0_i32;
    let mut end = None;
    let mut at = range.start;
    'all: for line in stop.part(range.start..stop.text.len()).split_inclusive('\n') {
        for (place, letter) in outside_quotes(line) {
            match letter {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth -= 1,
                _ => continue,
            }
            if depth <= 0 {
                end = Some(at + place + 1);
                break 'all;
            }
        }
        at += line.len();
    }
    let lost = match is_inside(stop, range.start) {
        true => begin_of_brackets(stop)..bracket_end(stop).max(end.unwrap_or(range.end)),
        false => range.start..end.unwrap_or(range.end).max(range.end),
    };
    let help = "functions stand in expressions, and those in quotes: `\"${size(vars.names)}\"`; JSON is written as a table";
    stop.value_mistake(range, lost, "TOML has no functions", help)
}

/// What is no number, and what may be meant.
fn number(stop: Stop<'_>) -> Mistake {
    let range = extent(stop);
    let given = stop.part(range.clone());
    let said = |message, help| stop.value_mistake(range.clone(), range.clone(), message, help);
    let digits = |text: &str| !text.is_empty() && text.chars().all(|letter| letter.is_ascii_digit() || letter == '_');
    let spaced = given.split_once(char::is_whitespace);
    match spaced {
        Some((_, behind)) if behind.trim_start().starts_with("//") => said("a comment begins with `#`", "write `# …`"),
        Some(_) if is_inside(stop, range.start) => stop.value_mistake(
            range.clone(),
            begin_of_brackets(stop)..bracket_end(stop),
            "a `,` is missing here",
            "write a `,` between one and the next",
        ),
        _ if given.strip_suffix(';').is_some_and(digits) => said("nothing stands behind a value", "leave the `;` out"),
        _ if given.len() > 1 && given.starts_with('0') && digits(given) => {
            said(NO_NUMBER, "a number does not begin with 0; a text stands in quotes")
        }
        _ if given.starts_with('.') || given.ends_with('.') => said(NO_NUMBER, "write a digit before and behind the `.`"),
        _ => said(NO_NUMBER, "a text stands in quotes, even when it begins with a digit"),
    }
}

/// Whether a line is one of the elements of a list that is written on several.
fn is_element(stop: Stop<'_>) -> bool {
    let mut open = 0_i32;
    for line in stop.part(0..stop.line.0).lines() {
        if line.starts_with('[') && line.trim_end().ends_with(']') {
            open = 0;
            continue;
        }
        for (_, letter) in outside_quotes(line) {
            match letter {
                '[' | '{' => open += 1,
                ']' | '}' => open -= 1,
                _ => {}
            }
        }
    }
    open > 0
}

/// The mistake of an element of a list on several lines, which the parser takes for a key.
pub(super) fn of_list(stop: Stop<'_>) -> Option<Mistake> {
    is_element(stop).then(|| unquoted(stop))
}

/// Where the lines end below a line that are indented deeper than it, or empty.
pub(super) fn indented_below(stop: Stop<'_>) -> usize {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let own = depth(stop.whole());
    let mut end = stop.line.1;
    let mut at = stop.line.1 + 1;
    for line in stop.part(at.min(stop.text.len())..stop.text.len()).split_inclusive('\n') {
        at += line.len();
        if line.trim().is_empty() {
            continue;
        }
        if depth(line) <= own {
            break;
        }
        end = at;
    }
    end.min(stop.text.len())
}
