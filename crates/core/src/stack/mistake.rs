//! What is wrong where TOML's parser stops, told from what stands there. Nothing of the text is repeated: it may be a
//! file of secrets.

use std::ops::Range;

/// A mistake in TOML's syntax.
#[derive(Debug, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<&'static str>,
    /// Whether what follows is only read wrongly because of it.
    pub last: bool,
}

/// The mistake at a place; `parser` is what the parser says when nothing better is known.
pub fn explain(text: &str, at: &Range<usize>, parser: &str) -> Mistake {
    let start = at.start.min(text.len());
    let (above, below) = text.split_at_checked(start).unwrap_or((text, ""));
    let before = above.rsplit('\n').next().unwrap_or_default();
    let rest = below.split('\n').next().unwrap_or_default().trim_end();
    let said = |message: &str, help| Mistake { message: message.to_owned(), help: Some(help), last: false };
    if parser == "duplicate key" {
        return match before.starts_with('[') {
            true => said("this table stands here a second time", "write what is in both under one header"),
            false => said("this key stands here a second time", "leave one of the two out"),
        };
    }
    if before.trim_end().ends_with('=') {
        return value(rest, said);
    }
    let open = ['\'', '"'].into_iter().any(|quote| before.matches(quote).count() % 2 == 1);
    if rest.is_empty() && open {
        let several = "a text of several lines stands between `'''` and `'''`, or between `\"\"\"` and `\"\"\"`";
        return Mistake { last: true, ..said("the text that begins on this line is not closed on it", several) };
    }
    if before.trim_end().ends_with('"') && before.contains("${") {
        return said("the text ends at this quote", "inside of `\"${…}\"` write texts with `'`: `\"${vars.x == 'prod'}\"`");
    }
    if before.trim_end().ends_with('$') {
        return said("an expression stands in quotes", "write `\"${…}\"`");
    }
    Mistake { message: format!("invalid TOML: {parser}"), help: None, last: false }
}

/// What is wrong with what stands behind `=`.
fn value(rest: &str, said: impl Fn(&str, &'static str) -> Mistake) -> Mistake {
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '[' | ']');
    let first = rest.chars().next();
    match first {
        None => said("there is no value behind `=`", "texts stand in quotes, lists in `[…]`, tables in `{…}`"),
        Some('$') => said("an expression stands in quotes", "write `\"${…}\"`"),
        Some('<') => Mistake { last: true, ..said("TOML has no `<<`", "a text of several lines stands between `'''` and `'''`") },
        Some('“' | '”' | '„' | '‘' | '’' | '«' | '»') => said("this is no quote of TOML", "write `\"` or `'`"),
        Some('!') => said("there are no functions with `!`", "a reference is written `\"${vpc.main.id}\"`"),
        Some(_) if rest.eq_ignore_ascii_case("true") || rest.eq_ignore_ascii_case("false") => {
            said("this is not how TOML writes it", "write `true` or `false`")
        }
        Some(_) if ["yes", "on"].iter().any(|word| rest.eq_ignore_ascii_case(word)) => said("TOML has no such value", "write `true`"),
        Some(_) if ["no", "off"].iter().any(|word| rest.eq_ignore_ascii_case(word)) => said("TOML has no such value", "write `false`"),
        Some(_) if ["null", "nil", "none", "undefined"].iter().any(|word| rest.eq_ignore_ascii_case(word)) => {
            said("TOML has no value for nothing", "leave it out")
        }
        Some(c) if c.is_ascii_digit() => said("this is no number", "texts stand in quotes; a number does not begin with 0"),
        Some(c) if c.is_alphabetic() && rest.contains('.') && rest.chars().all(word) => {
            said("a value that is no number stands in quotes", "a reference is written `\"${vpc.main.id}\"`, a text `\"…\"`")
        }
        Some(_) => said("a text stands in quotes", "write `\"…\"`"),
    }
}
