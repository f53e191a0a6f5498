//! Functions of texts: CEL's own, those of its strings extension, and regular expressions.
//!
//! Positions are counted in characters, as everywhere in CEL.

use regex_lite::Regex;

use super::arguments::Arguments;
use super::{Answer, Function, function, method};
use crate::model::value::Value;
use crate::stack::budget::LONGEST;
use crate::stack::complaint::{Complaint, complaint};

pub const FUNCTIONS: &[Function] = &[
    method("contains", "text.contains('part')", (2, 2), |a| Ok(Value::Bool(a.text(0)?.contains(a.text(1)?)).into())),
    method("startsWith", "text.startsWith('part')", (2, 2), |a| Ok(Value::Bool(a.text(0)?.starts_with(a.text(1)?)).into())),
    method("endsWith", "text.endsWith('part')", (2, 2), |a| Ok(Value::Bool(a.text(0)?.ends_with(a.text(1)?)).into())),
    method("matches", "text.matches('pattern')", (2, 2), matches).either(),
    method("charAt", "text.charAt(0)", (2, 2), char_at),
    method("indexOf", "text.indexOf('part')", (2, 3), index_of),
    method("lastIndexOf", "text.lastIndexOf('part')", (2, 3), last_index_of),
    method("lowerAscii", "text.lowerAscii()", (1, 1), |a| Ok(Value::String(a.text(0)?.to_ascii_lowercase()).into())),
    method("upperAscii", "text.upperAscii()", (1, 1), |a| Ok(Value::String(a.text(0)?.to_ascii_uppercase()).into())),
    function("title", "title(text)", (1, 1), title),
    method("trim", "text.trim()", (1, 1), |a| Ok(Value::string(a.text(0)?.trim()).into())),
    method("replace", "text.replace('old', 'new')", (3, 4), replace),
    method("split", "text.split(',')", (2, 3), split),
    method("substring", "text.substring(0, 5)", (2, 3), substring),
    method("join", "list.join(',')", (1, 2), join),
    function("strings.quote", "strings.quote(text)", (1, 1), quote),
    function("regex_find", "regex_find(text, 'pattern')", (2, 2), regex_find),
    function("regex_find_all", "regex_find_all(text, 'pattern')", (2, 2), regex_find_all),
    function("regex_replace", "regex_replace(text, 'pattern', 'new')", (3, 3), regex_replace),
];

fn count(text: &str) -> i64 {
    i64::try_from(text.chars().count()).unwrap_or(i64::MAX)
}

/// The byte at which character `at` of a text begins; the end of the text for the one behind its last.
fn byte(text: &str, at: i64) -> Result<usize, Complaint> {
    let place = usize::try_from(at).ok();
    let found = place.and_then(|at| text.char_indices().map(|(byte, _)| byte).chain([text.len()]).nth(at));
    found.ok_or_else(|| complaint("there is no character {}: the text has {}", [at.into(), count(text).into()]))
}

fn char_at(a: &Arguments<'_>) -> Answer {
    let text = a.text(0)?;
    let rest = text.get(byte(text, a.int(1)?)?..).unwrap_or_default();
    Ok(Value::String(rest.chars().take(1).collect()).into())
}

fn index_of(a: &Arguments<'_>) -> Answer {
    let (text, part) = (a.text(0)?, a.text(1)?);
    let from = if a.count() > 2 { byte(text, a.int(2)?)? } else { 0 };
    let found = text.get(from..).and_then(|rest| rest.find(part)).map(|at| count(text.get(..from + at).unwrap_or_default()));
    Ok(Value::Int(found.unwrap_or(-1)).into())
}

fn last_index_of(a: &Arguments<'_>) -> Answer {
    let (text, part) = (a.text(0)?, a.text(1)?);
    let until = if a.count() > 2 { byte(text, a.int(2)?)?.saturating_add(part.len()) } else { text.len() };
    let until = (until.min(text.len())..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    let found = text.get(..until).and_then(|rest| rest.rfind(part)).map(|at| count(text.get(..at).unwrap_or_default()));
    Ok(Value::Int(found.unwrap_or(-1)).into())
}

fn substring(a: &Arguments<'_>) -> Answer {
    let text = a.text(0)?;
    let (start, end) = (a.int(1)?, if a.count() > 2 { a.int(2)? } else { count(text) });
    if start > end {
        return Err(complaint("it cannot go from character {} to character {}", [start.into(), end.into()]));
    }
    Ok(Value::string(text.get(byte(text, start)?..byte(text, end)?).unwrap_or_default()).into())
}

fn replace(a: &Arguments<'_>) -> Answer {
    let (text, old, new) = (a.text(0)?, a.text(1)?, a.text(2)?);
    let most = if a.count() > 3 { a.int(3)? } else { -1 };
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    // Counted before it is made: each place that is replaced may grow.
    let places = if old.is_empty() { text.chars().count() + 1 } else { text.matches(old).take(most).count() };
    a.budget.text(text.len().saturating_add(places.min(most).saturating_mul(new.len())))?;
    Ok(Value::String(text.replacen(old, new, most)).into())
}

/// At most so many parts, the last holding the rest: none when that is zero, all when it is negative. An empty
/// separator splits between characters.
fn split(a: &Arguments<'_>) -> Answer {
    let (text, separator) = (a.text(0)?, a.text(1)?);
    let most = if a.count() > 2 { a.int(2)? } else { -1 };
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    a.budget.elements(text.len())?;
    let parts: Vec<Value> = match (most, separator.is_empty()) {
        (0, _) => Vec::new(),
        (_, false) => text.splitn(most, separator).map(Value::string).collect(),
        (_, true) => {
            let whole = text.chars().take(most - 1).count();
            let rest = text.get(byte(text, i64::try_from(whole).unwrap_or(i64::MAX))?..).unwrap_or_default();
            let singles = text.chars().take(whole).map(|c| Value::String(c.into()));
            singles.chain((!rest.is_empty()).then(|| Value::string(rest))).collect()
        }
    };
    Ok(Value::List(parts).into())
}

fn join(a: &Arguments<'_>) -> Answer {
    let separator = if a.count() > 1 { a.text(1)? } else { "" };
    let mut text = String::new();
    for (index, item) in a.list(0)?.iter().enumerate() {
        if index > 0 {
            text.push_str(separator);
        }
        match item.revealed() {
            Value::String(item) => text.push_str(item),
            other => {
                let wrong = complaint("element {} of the list is {}, not a string", [index.into(), other.kind().into()]);
                return Err(wrong.help("make texts of them first: `list.map(x, string(x)).join(',')`", []));
            }
        }
        if text.len() > LONGEST {
            break;
        }
    }
    a.budget.text(text.len())?;
    Ok(Value::String(text).into())
}

/// The text as a CEL literal in double quotes.
fn quote(a: &Arguments<'_>) -> Answer {
    let mut quoted = String::from("\"");
    for c in a.text(0)?.chars() {
        match c {
            '\x07' => quoted.push_str("\\a"),
            '\x08' => quoted.push_str("\\b"),
            '\x0c' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\x0b' => quoted.push_str("\\v"),
            '\\' => quoted.push_str("\\\\"),
            '"' => quoted.push_str("\\\""),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    Ok(Value::String(quoted).into())
}

/// How large a compiled pattern may be, in bytes: the smallest of these that it fits into is what it counts as.
const PATTERN_SIZES: [usize; 4] = [4 << 10, 16 << 10, 64 << 10, 256 << 10];

/// The pattern in argument `index`, counted with the text it is for: matching takes as many steps as their product.
fn pattern(a: &Arguments<'_>, index: usize, text: &str) -> Result<Regex, Complaint> {
    let pattern = a.text(index)?;
    for size in PATTERN_SIZES {
        a.budget.elements(pattern.len())?;
        if let Ok(regex) = regex_lite::RegexBuilder::new(pattern).size_limit(size).build() {
            a.budget.elements((size / 512).saturating_mul(text.len()))?;
            return Ok(regex);
        }
    }
    Err(complaint("`{}` is not a regular expression, or too large a one", [pattern.to_owned().into()]))
}

fn matches(a: &Arguments<'_>) -> Answer {
    let text = a.text(0)?;
    Ok(Value::Bool(pattern(a, 1, text)?.is_match(text)).into())
}

/// What the first group matches, or the whole pattern when it has no group; null when nothing does.
fn regex_find(a: &Arguments<'_>) -> Answer {
    let text = a.text(0)?;
    let found = pattern(a, 1, text)?.captures(text).and_then(|found| found.get(1).or_else(|| found.get(0)));
    Ok(found.map_or(Value::Null, |found| Value::string(found.as_str())).into())
}

/// Of every place the pattern matches what [`regex_find`] gives of the first.
fn regex_find_all(a: &Arguments<'_>) -> Answer {
    let text = a.text(0)?;
    let mut all = Vec::new();
    for found in pattern(a, 1, text)?.captures_iter(text) {
        a.budget.elements(1)?;
        all.extend(found.get(1).or_else(|| found.get(0)).map(|found| Value::string(found.as_str())));
    }
    Ok(Value::List(all).into())
}

/// The text with the first letter of each word as a capital one.
fn title(a: &Arguments<'_>) -> Answer {
    let mut begins = true;
    let mut titled = String::new();
    for letter in a.text(0)?.chars() {
        if begins {
            titled.extend(letter.to_uppercase());
        } else {
            titled.push(letter);
        }
        begins = !letter.is_alphanumeric();
    }
    Ok(Value::String(titled).into())
}

/// Every place the pattern matches replaced; `$1` in the new text is the first group.
fn regex_replace(a: &Arguments<'_>) -> Answer {
    let (text, new) = (a.text(0)?, a.text(2)?);
    let regex = pattern(a, 1, text)?;
    let (mut made, mut done) = (String::new(), 0);
    for found in regex.captures_iter(text) {
        let Some(whole) = found.get(0) else { continue };
        made.push_str(text.get(done..whole.start()).unwrap_or_default());
        found.expand(new, &mut made);
        done = whole.end();
        if made.len() > LONGEST {
            break;
        }
    }
    made.push_str(text.get(done..).unwrap_or_default());
    a.budget.text(made.len())?;
    Ok(Value::String(made).into())
}
