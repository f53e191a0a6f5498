//! What is being written at a place of a file: a header, a key, a value, or an expression.

use std::ops::Range;

use leoctl_core::stack::outline::{Area, Inside, Pair, insides};

use super::analysis::InFile;

/// What is being written.
#[derive(Clone, Debug, PartialEq)]
pub enum Writing {
    /// A header: the names before, and where the one stands that is being written.
    Header {
        /// The names before it.
        before: Vec<String>,
        /// Where it stands, up to the cursor.
        range: Range<usize>,
    },
    /// A key.
    Key {
        /// The number of the table it is in.
        area: usize,
        /// The names that lead to the table, and those before it.
        path: Vec<String>,
        /// Where it stands.
        range: Range<usize>,
        /// Whether there is a `=` behind it.
        has_value: bool,
    },
    /// A value.
    Value {
        /// The names that lead to it.
        path: Vec<String>,
        /// Where what is written of it stands, without quotes.
        range: Range<usize>,
        /// Whether it stands in quotes.
        is_quoted: bool,
    },
    /// An expression.
    Expression(Inside),
    /// Nothing that has a name: a comment.
    Nothing,
}

/// What is being written at a place.
pub fn writing(file: InFile<'_>, at: usize) -> Writing {
    let outline = file.outline;
    if outline.comments.iter().any(|comment| comment.start < at && at <= comment.end) {
        return Writing::Nothing;
    }
    if let Some(header) = header(file, at) {
        return header;
    }
    let Some((area, table)) = outline.area_at(at) else { return Writing::Nothing };
    match outline.pairs.iter().rfind(|pair| pair.area == area && pair.key.start <= at) {
        Some(pair) if at > pair.key.end => behind_key(file, at, (area, table), pair),
        Some(pair) => key(file, at, area, table, Some(&pair.key)),
        None => key(file, at, area, table, None),
    }
}

fn header(file: InFile<'_>, at: usize) -> Option<Writing> {
    let before = file.text.get(..at)?;
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let line = before.get(start..)?;
    let inner = line.trim_start().strip_prefix('[')?;
    let inner = inner.strip_prefix('[').unwrap_or(inner);
    let is_in_value =
        file.outline.pairs.iter().filter_map(|pair| pair.value.as_ref()).any(|value| value.start < start && start < value.end);
    if inner.contains(']') || is_in_value {
        return None;
    }
    let mut names: Vec<&str> = inner.split('.').collect();
    let last = names.pop().unwrap_or_default().trim_start();
    let before = names.into_iter().map(|name| name.trim().trim_matches(['"', '\'']).to_owned()).collect();
    Some(Writing::Header { before, range: at - last.len()..at })
}

/// A key that begins or ends at a place.
fn key(file: InFile<'_>, at: usize, area: usize, table: &Area, whole: Option<&Range<usize>>) -> Writing {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '"' | '\'');
    let before = file.text.get(..at).unwrap_or_default();
    let start = before.trim_end_matches(is_part).len();
    let written = before.get(start..).unwrap_or_default();
    let mut names: Vec<&str> = written.split('.').collect();
    let last = names.pop().unwrap_or_default();
    let own = names.into_iter().map(|name| name.trim_matches(['"', '\'']).to_owned());
    let path = table.path.iter().map(|name| name.text.clone()).chain(own).collect();
    let end = whole.map_or(at, |whole| whole.end.max(at));
    Writing::Key { area, path, range: at - last.len()..end, has_value: whole.is_some() }
}

/// What stands behind the key of a pair.
fn behind_key(file: InFile<'_>, at: usize, (area, table): (usize, &Area), pair: &Pair) -> Writing {
    let between = |from: usize| file.text.get(from..at).unwrap_or_default();
    let next = || key(file, at, area, table, None);
    match &pair.value {
        None if between(pair.key.end).contains('\n') => next(),
        None => value(file, at, pair),
        Some(value) if at <= value.end => self::value(file, at, pair),
        Some(value) if table.is_inline && between(value.end).contains([',', '\n']) => next(),
        Some(value) if !table.is_inline && between(value.end).contains('\n') => next(),
        Some(_) => Writing::Nothing,
    }
}

fn value(file: InFile<'_>, at: usize, pair: &Pair) -> Writing {
    let path = pair.path.iter().map(|name| name.text.clone()).collect();
    let scalar = file.outline.scalar_at(at).filter(|scalar| scalar.range.start < at);
    let Some(scalar) = scalar else {
        return if file.text.get(pair.key.end..at).is_some_and(|text| text.contains('=')) {
            Writing::Value { path, range: at..at, is_quoted: false }
        } else {
            Writing::Nothing
        };
    };
    let Some(content) = &scalar.content else { return Writing::Value { path, range: scalar.range.clone(), is_quoted: false } };
    let inside = insides(file.text, scalar).into_iter().find(|inside| inside.range.start <= at && at <= inside.range.end);
    match inside {
        Some(inside) => Writing::Expression(inside),
        None if content.start <= at && at <= content.end => Writing::Value { path, range: content.clone(), is_quoted: true },
        None => Writing::Nothing,
    }
}
