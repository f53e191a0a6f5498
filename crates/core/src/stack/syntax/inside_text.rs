//! `${` in a text inside of an expression: it is not evaluated there, and hardly ever meant as text.

use super::tokens::{Sort, tokens};
use crate::stack::expr::ParseError;

/// The first `${` in a text of an expression.
pub fn find(source: &str) -> Option<ParseError> {
    if !source.contains("${") {
        return None;
    }
    let texts = tokens(source).into_iter().filter(|token| matches!(token.sort, Sort::Text(_)));
    texts.filter_map(|token| Some((token, unescaped(token.text)?))).next().map(|(token, at)| {
        let inner = token.text.get(at + 2..).unwrap_or_default();
        let length = inner.find('}').map_or(2, |length| length + 3);
        let cure = pieces(token.text).map_or_else(|| "'x-' + vars.name".to_owned(), |pieces| pieces.join(" + "));
        ParseError {
            message: "`${…}` is not evaluated inside of a text in an expression".to_owned(),
            help: Some(format!("write `{cure}`, or `$${{` where the text is meant to have a `${{`")),
            offset: token.at + at,
            length,
        }
    })
}

/// Where the first `${` is that is not `$${`.
fn unescaped(text: &str) -> Option<usize> {
    text.match_indices("${").map(|(at, _)| at).find(|at| !text.get(..*at).is_some_and(|before| before.ends_with('$')))
}

/// The text as a sum of its pieces, where it is a plain one.
fn pieces(text: &str) -> Option<Vec<String>> {
    let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    let mut rest = text.strip_prefix(quote)?.strip_suffix(quote)?;
    let mut pieces = Vec::new();
    while let Some(at) = unescaped(rest) {
        let (before, behind) = rest.split_at_checked(at)?;
        let (inner, after) = behind.strip_prefix("${")?.split_once('}')?;
        let is_name = |letter: char| letter.is_alphanumeric() || "_.".contains(letter);
        if inner.is_empty() || inner.contains(['\\', quote]) {
            return None;
        }
        pieces.extend((!before.is_empty()).then(|| format!("'{before}'")));
        pieces.push(if inner.chars().all(is_name) { inner.to_owned() } else { format!("({inner})") });
        rest = after;
    }
    pieces.extend((!rest.is_empty()).then(|| format!("'{rest}'")));
    Some(pieces)
}
