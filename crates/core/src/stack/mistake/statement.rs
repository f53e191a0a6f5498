//! What is wrong with a line: its key, its header, or what stands behind its value.

use super::{Mend, Mistake, Stop, outside_quotes, value};

/// The mistake at a place, where it is one of the line and not of its value.
pub(super) fn mistake(stop: Stop<'_>) -> Option<Mistake> {
    match stop.said {
        "key with no value" | "missing value for key" => Some(without_value(stop)),
        "invalid unquoted key" => Some(bad_key(stop)),
        "unquoted keys cannot be empty" | "invalid key" => Some(without_key(stop)),
        "keys cannot be multi-line literal strings" | "keys cannot be multi-line basic strings" => {
            Some(stop.statement(stop.start..stop.end, "a key is on one line", "write it without quotes, or between `\"` and `\"`"))
        }
        "unclosed table" | "unclosed array table" | "invalid table" => Some(bad_header(stop)),
        "invalid key-value pair" | "unexpected content" | "missing table open" => Some(at_the_beginning(stop)),
        "unexpected key or value" | "unexpected content between comment and newline" => Some(behind(stop)),
        "invalid comment character" => {
            let letter = stop.shown(stop.start..stop.end);
            Some(stop.slip(letter, "", "a control character cannot stand in a comment", "delete it: it cannot be seen"))
        }
        "carriage return must be followed by newline" => {
            let letter = stop.before().rfind('\r').map_or(stop.start..stop.end, |at| stop.line.0 + at..stop.line.0 + at + 1);
            Some(stop.slip(letter, "", "a carriage return alone ends no line", "end lines with a newline"))
        }
        _ => None,
    }
}

const COLON: &str = "TOML has `=` and not `:` behind a key";
const EQUALS: &str = "write `name = value`";
const NO_BLOCKS: &str = "TOML has no blocks with `{` and `}`";

/// A key without `=` behind it.
fn without_value(stop: Stop<'_>) -> Mistake {
    if let Some(other) = of_others(stop).or_else(|| value::open_text(stop)) {
        return other;
    }
    let rest = stop.rest();
    let before = stop.before().trim_end();
    if before.ends_with(':') && !rest.is_empty() {
        let end = stop.line.0 + before.len();
        return stop.slip(end - 1..end, "=", COLON, EQUALS);
    }
    let behind = stop.start + rest.len() - rest.trim_start().len();
    let rest = rest.trim_start();
    if rest.starts_with(':') && !rest.starts_with(":=") {
        return stop.slip(behind..behind + 1, "=", COLON, EQUALS);
    }
    for sign in [":=", "+=", "->", "=>"] {
        if rest.starts_with(sign) {
            return stop.slip(behind..behind + 2, "=", "TOML has `=` alone behind a key", EQUALS);
        }
    }
    if rest.is_empty() || rest.starts_with('#') {
        let key = stop.line.0 + stop.whole().len() - stop.whole().trim_start().len();
        // What follows may be the value of it in YAML, where the key ends with `:`.
        return stop.statement(key..stop.start, "there is no `=` and no value behind this key", EQUALS);
    }
    let space = if stop.before().ends_with(' ') { stop.start - 1..stop.start } else { stop.start..stop.start };
    Mistake { at: behind..stop.line.0 + stop.whole().trim_end().len(), ..stop.slip(space, "=", "a `=` is missing before this", EQUALS) }
}

/// A line as other languages have it.
fn of_others(stop: Stop<'_>) -> Option<Mistake> {
    let line = stop.whole().trim();
    let from = stop.line.0 + stop.whole().len() - stop.whole().trim_start().len();
    let all = from..from + line.len();
    if let Some(comment) = ["//", "/*", ";", "--", "*/"].into_iter().find(|sign| line.starts_with(sign)) {
        let end = match comment {
            "/*" => stop.part(from..stop.text.len()).find("*/").map_or(all.end, |length| from + length + 2),
            _ => all.end,
        };
        let mistake = stop.slip(from..end, "", "a comment begins with `#`", "write `# …` on each of its lines");
        return Some(Mistake { at: from..from + comment.len(), ..mistake });
    }
    if line.starts_with("- ") || line == "-" {
        return Some(stop.statement(
            all,
            "this is how YAML writes lists",
            "write `name = [\"…\", \"…\"]`, or `[[…]]` for each table of a list",
        ));
    }
    if let Some(key) = line.strip_suffix(':') {
        let keyed = !key.is_empty() && key.chars().all(|letter| letter.is_alphanumeric() || "_-\"'.".contains(letter));
        return keyed.then(|| indented(stop, all, "this is how YAML writes tables", "write `[…]` above what is in it, or `name = { … }`"));
    }
    let word = line.split([' ', '\t', '"']).next().unwrap_or_default();
    if line.ends_with('{') || line.ends_with("{}") {
        let help = match word {
            "resource" => "write `[resource.vpc.main]`, with the type and the name, and under it `name = value`",
            "data" => "write `[data.availability_zones.all]`, with the type and the name, and under it `name = value`",
            "variable" => "write `[vars.NAME]`, and under it `default = …`",
            "output" => "write `[outputs]`, and under it `NAME = …`",
            "locals" => "write `[locals]`, and under it `NAME = …`",
            "module" => "write `[module.NAME]`, and under it `source = …`",
            "provider" => "leave it out: `[stack] region` says where, `[accounts.NAME]` who",
            "terraform" => "leave it out: `[stack]` has the name, the region and the backend",
            _ => "write `[resource.TYPE.NAME.…]` with its name, `[[…]]` for one of several, or `name = { … }`",
        };
        let end = block_end(stop.text, from).unwrap_or(all.end);
        let mistake = stop.slip(from..end, "", NO_BLOCKS, help);
        return Some(Mistake { at: all, loses: true, ..mistake });
    }
    None
}

/// A mistake that takes what is indented below its line with it.
fn indented(stop: Stop<'_>, at: std::ops::Range<usize>, message: &'static str, help: &'static str) -> Mistake {
    let mistake = stop.statement(at, message, help);
    let end = value::indented_below(stop);
    Mistake { mends: vec![Mend { range: stop.line.0..end, with: "" }], ..mistake }
}

/// Where the block ends whose first `{` stands at or behind a place.
fn block_end(text: &str, from: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = from;
    for line in text.get(from..)?.split_inclusive('\n') {
        for (place, letter) in outside_quotes(line) {
            match letter {
                '{' => depth += 1,
                '}' if depth <= 1 => return Some(at + place + 1),
                '}' => depth -= 1,
                _ => {}
            }
        }
        at += line.len();
    }
    None
}

/// A letter that a key without quotes cannot have.
fn bad_key(stop: Stop<'_>) -> Mistake {
    let letter = stop.part(stop.start..stop.end).chars().next();
    if matches!(letter, Some('“' | '”' | '„' | '‘' | '’' | '«' | '»')) {
        return stop.statement(stop.start..stop.end, value::NO_QUOTE, value::QUOTES);
    }
    if stop.is_header() {
        let help = "a name with such a sign stands in quotes: `[locals.\"a/b\"]`; parts are joined by `.`";
        return under_header(stop, stop.start..stop.end, "a name in a header has letters, digits, `_` and `-`", help);
    }
    if letter == Some(':') && stop.rest().chars().nth(1).is_none_or(|next| next.is_whitespace() || next == '"') {
        if let Some(other) = of_others(stop) {
            return other;
        }
        return stop.slip(stop.start..stop.start + 1, "=", COLON, EQUALS);
    }
    if let Some(other) = of_others(stop) {
        return other;
    }
    if let Some(element) = value::of_list(stop) {
        return element;
    }
    let help = "a key with such a sign stands in quotes: `\"a/b\" = …`";
    stop.statement(stop.start..stop.end, "a key has letters, digits, `_` and `-`", help)
}

/// Nothing where a key has to be.
fn without_key(stop: Stop<'_>) -> Mistake {
    if stop.is_header() {
        let help = "write `[resource.vpc.main]`: a name in each place, with `.` between them";
        return under_header(stop, stop.start..stop.end, "a name is missing here", help);
    }
    if let Some(element) = value::of_list(stop) {
        return element;
    }
    stop.statement(stop.start..stop.end, "there is no key before this", EQUALS)
}

/// A header that does not end as one.
fn bad_header(stop: Stop<'_>) -> Mistake {
    let rest = stop.rest().trim();
    let at = stop.start..stop.end;
    match stop.said {
        _ if rest.is_empty() || rest.starts_with('#') => {
            under_header(stop, at, "a `]` is missing here", "write `[…]`, or `[[…]]` for one of several tables of a list")
        }
        "invalid table" => under_header(stop, at, "a name is missing here", "write `[resource.vpc.main]`"),
        _ => under_header(stop, at, "a header has one name, whose parts are joined by `.`", "write `[resource.vpc.main]`"),
    }
}

/// A mistake in a header: what stands under it is in no table that is known.
fn under_header(stop: Stop<'_>, at: std::ops::Range<usize>, message: &'static str, help: &'static str) -> Mistake {
    let mistake = stop.statement(at, message, help);
    let below = crate::stack::unclosed::headers(stop.text).into_iter().find(|header| *header > stop.line.0).unwrap_or(stop.text.len());
    Mistake { mends: vec![Mend { range: stop.line.0..below, with: "" }], ..mistake }
}

/// A sign where a key has to begin.
fn at_the_beginning(stop: Stop<'_>) -> Mistake {
    if let Some(element) = value::of_list(stop) {
        return element;
    }
    let place = stop.shown(stop.start..stop.start);
    match stop.rest().chars().next() {
        Some(']' | '}') => Mistake {
            loses: false,
            ..stop.slip(place, "", "nothing is open that this bracket closes", "leave it out, or look for what opens it above")
        },
        _ => stop.statement(place, "a line begins with a key or a header", "write `name = value`, or `[…]`"),
    }
}

/// Something behind a header or a value.
fn behind(stop: Stop<'_>) -> Mistake {
    let rest = stop.rest();
    let from = stop.start + rest.len() - rest.trim_start().len();
    let rest = rest.trim_start();
    let all = from..from + rest.len();
    let slip = |message, help| stop.slip(all.clone(), "", message, help);
    let first = rest.chars().next().unwrap_or_default();
    if rest.starts_with("//") || rest.starts_with("/*") {
        return slip("a comment begins with `#`", "write `# …`");
    }
    if stop.is_header() {
        return match first {
            ']' => slip("this bracket is one too many", "write `[…]`, or `[[…]]` for one of several tables of a list"),
            '{' => {
                let end = block_end(stop.text, from).map(|end| Mend { range: end.saturating_sub(1)..end, with: "" });
                let mistake = slip(NO_BLOCKS, "leave both brackets out: what stands below a header is in its table");
                Mistake { mends: mistake.mends.into_iter().chain(end).collect(), ..mistake }
            }
            _ => slip("nothing stands behind a header", "what is in the table stands on the lines below it"),
        };
    }
    if first == ';' || first == ',' && rest.len() == 1 {
        return slip("nothing stands between one line and the next", "leave it out: each key stands on a line of its own");
    }
    let Some(begun) = stop.value() else { return slip("nothing stands behind a value", "leave it out") };
    let whole = begun..stop.line.0 + stop.whole().trim_end().len();
    let value = |message, help| stop.value_mistake(all.clone(), whole.clone(), message, help);
    let before = stop.before().trim_end();
    match (first, before.chars().next_back()) {
        _ if stop.part(begun..stop.line.1).starts_with('$') => value::expression(stop, begun, whole.clone()),
        (',', Some('0'..='9')) => value("a number has `.` and no `,`", "a list stands in brackets: `[1, 5]`"),
        (',', _) => value(
            "what stands behind `,` belongs to a list or to another key",
            "write `[…]` around a list, and each key on a line of its own",
        ),
        ('+', _) => value("TOML has no `+`", "put texts together by expressions: `\"${vars.name}-suffix\"`"),
        (_, Some('"' | '\''))
            if is_next_key(stop.part(stop.start..stop.line.1)) || is_next_key(stop.part(stop.start.saturating_sub(1)..stop.line.1)) =>
        {
            value("each key stands on a line of its own", "begin a new line before this")
        }
        (_, Some('"')) if stop.part(begun..stop.start).contains("${") => {
            Mistake { at: quote_before(stop), ..value(value::ENDS, value::OTHER_QUOTES) }
        }
        ('=', _) => value("this `=` is one too many", EQUALS),
        (_, Some('"')) => {
            let help = "inside of `\"…\"` write `\\\"`, or write the text between `'` and `'`";
            Mistake { at: quote_before(stop), ..value(value::ENDS, help) }
        }
        (_, Some('\'')) => {
            let help = "a text with a `'` in it stands between `\"` and `\"`";
            Mistake { at: quote_before(stop), ..value(value::ENDS, help) }
        }
        _ => value("nothing stands behind a value", "each key stands on a line of its own, and a text in quotes"),
    }
}

/// Whether another key and its `=` follow, apart from what is before.
fn is_next_key(rest: &str) -> bool {
    let key = rest.strip_prefix(' ').and_then(|rest| rest.split_once('=')).map(|(key, _)| key.trim());
    key.is_some_and(|key| !key.is_empty() && key.chars().all(|letter| letter.is_alphanumeric() || "_-.".contains(letter)))
}

fn quote_before(stop: Stop<'_>) -> std::ops::Range<usize> {
    let end = stop.line.0 + stop.before().trim_end().len();
    end.saturating_sub(1)..end
}
