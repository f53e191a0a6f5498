//! The pieces of an expression's text: what CEL's parser does not tell where it stops.

/// A piece of an expression.
#[derive(Clone, Copy, Debug)]
pub struct Token<'a> {
    /// Where it begins.
    pub at: usize,
    /// Its text.
    pub text: &'a str,
    /// What it is.
    pub sort: Sort,
}

/// What a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// A name or a word.
    Word,
    /// A number.
    Number,
    /// A text with its quotes; whether it is closed.
    Text(bool),
    /// An operator or a bracket.
    Sign,
}

/// Signs of several letters, the longest first: CEL's own, and those of other languages.
const SIGNS: [&str; 23] = [
    "!==", "===", "<=>", "...", "&&&", "|||", "=>", "->", "<>", "??", "?:", "=~", "!~", "**", "//", "++", "=<", ":=", "==", "!=", "<=",
    ">=", ".?",
];

/// The pieces of an expression, white space left out.
pub fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = source.get(at..).filter(|rest| !rest.is_empty()) {
        let first = rest.chars().next().unwrap_or_default();
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (length, sort) = one(rest, first);
        tokens.push(Token { at, text: rest.get(..length).unwrap_or(rest), sort });
        at += length.max(first.len_utf8());
    }
    tokens
}

fn one(rest: &str, first: char) -> (usize, Sort) {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    // `r'…'` and `b'…'` are texts as well.
    let prefix = rest.chars().take(3).position(|c| matches!(c, '\'' | '"')).filter(|at| rest.chars().take(*at).all(|c| "rRbB".contains(c)));
    if let Some((length, is_closed)) = prefix.and_then(|prefix| text(rest, prefix)) {
        return (length, Sort::Text(is_closed));
    }
    if first.is_ascii_digit() {
        let number = |(at, c): (usize, char)| {
            let next = rest.get(at + 1..).and_then(|rest| rest.chars().next());
            !(word(c) || c == '.' && next.is_some_and(|next| next.is_ascii_digit()))
        };
        return (rest.char_indices().find(|one| number(*one)).map_or(rest.len(), |(at, _)| at), Sort::Number);
    }
    if word(first) {
        return (rest.find(|c| !word(c)).unwrap_or(rest.len()), Sort::Word);
    }
    let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign)).map_or(first.len_utf8(), |sign| sign.len());
    (if rest.starts_with("&&") || rest.starts_with("||") { sign.max(2) } else { sign }, Sort::Sign)
}

/// How long the text is whose quote stands behind a prefix, and whether it is closed.
fn text(rest: &str, prefix: usize) -> Option<(usize, bool)> {
    let from = rest.get(prefix..)?;
    let quote = ["'''", "\"\"\"", "'", "\""].into_iter().find(|quote| from.starts_with(*quote))?;
    let is_raw = rest.get(..prefix)?.contains(['r', 'R']);
    let mut at = prefix + quote.len();
    while let Some(inner) = rest.get(at..).filter(|inner| !inner.is_empty()) {
        if inner.starts_with(quote) {
            return Some((at + quote.len(), true));
        }
        let mut letters = inner.chars();
        let first = letters.next()?;
        at += first.len_utf8();
        if first == '\\' && !is_raw {
            at += letters.next().map_or(0, char::len_utf8);
        }
    }
    Some((rest.len(), false))
}
