//! What stands in a file a second time, and where the first is.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::{Mistake, Stop};

/// The mistake of a key or a table that is there already.
pub(super) fn mistake(stop: Stop<'_>, read: &DeTable<'_>) -> Mistake {
    let (message, help) = match (stop.said, stop.is_header()) {
        ("duplicate key", true) => ("this table stands here a second time", "write what is in both under one header"),
        ("duplicate key", false) => ("this key stands here a second time", "leave one of the two out"),
        (_, _) => ("what is meant to be a table here is a value already", "write all of it as one table, or leave one of the two out"),
    };
    // Of a key that stands twice the parser takes the first, and of a table both.
    Mistake { message, help: Some(help), at: stop.start..stop.end, first: first(stop, read), mends: Vec::new(), loses: false }
}

/// Where the key at a place stands first: above its line, or on it.
fn first(stop: Stop<'_>, read: &DeTable<'_>) -> Option<Range<usize>> {
    // Of a table that stands twice the parser keeps the later one.
    let (above, _) = DeTable::parse_recoverable(stop.part(0..stop.line.0));
    first_in(stop, above.get_ref()).or_else(|| first_in(stop, read))
}

fn first_in(stop: Stop<'_>, read: &DeTable<'_>) -> Option<Range<usize>> {
    let mut path = Vec::new();
    if !stop.is_header() {
        let header = stop.text.get(..stop.line.0)?.lines().rev().find(|line| line.starts_with('['));
        path.extend(header.into_iter().flat_map(|header| keys(header, None)));
    }
    path.extend(keys(stop.whole(), Some(stop.start - stop.line.0..stop.end - stop.line.0)));
    let mut table = read;
    let (last, above) = path.split_last()?;
    for name in above {
        table = inner(table.get(name.as_str())?.get_ref(), stop.start)?;
    }
    let (key, _) = table.get_key_value(last.as_str())?;
    Some(key.span()).filter(|span| span.end <= stop.start)
}

/// The keys of a header, or of a line up to the one at a place.
fn keys(line: &str, upto: Option<Range<usize>>) -> Vec<String> {
    let (read, _) = DeTable::parse_recoverable(line);
    let name = upto.clone().and_then(|place| line.get(place)).map(|name| name.trim_matches(['"', '\'']));
    let (mut table, mut keys) = (read.get_ref(), Vec::new());
    loop {
        let around = |place: &Range<usize>| {
            table.iter().find(|(key, value)| key.span() == *place || value.get_ref().is_table() && value.span().contains(&place.start))
        };
        let named = || table.get_key_value(name?);
        let found = upto.as_ref().and_then(around).or_else(named).or_else(|| table.iter().next());
        let Some((key, value)) = found else { return keys };
        keys.push(key.get_ref().to_string());
        let is_it = upto.as_ref() == Some(&key.span()) || named().is_some_and(|(named, _)| named.span() == key.span());
        match inner(value.get_ref(), usize::MAX) {
            Some(deeper) if !is_it => table = deeper,
            _ => return keys,
        }
    }
}

/// The table that a value is, or the last one of a list that begins before a place.
fn inner<'a, 'i>(value: &'a DeValue<'i>, before: usize) -> Option<&'a DeTable<'i>> {
    match value {
        DeValue::Table(table) => Some(table),
        DeValue::Array(items) => items.iter().rfind(|item| item.span().start <= before)?.get_ref().as_table(),
        _ => None,
    }
}
