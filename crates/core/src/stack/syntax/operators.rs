//! Operators of other languages, and how the same is written here.

use super::tokens::{Sort, Token};
use crate::stack::expr::ParseError;

/// What other languages write between two things, and what is written here.
const BETWEEN: &[(&str, &str)] = &[
    ("===", "write `==`"),
    ("!==", "write `!=`"),
    ("<>", "write `!=`"),
    ("=<", "write `<=`"),
    (":=", "names are given in [locals]"),
    ("<=>", "compare with `<`, `==` and `>`"),
    ("and", "write `&&`"),
    ("AND", "write `&&`"),
    ("&", "write `&&`"),
    ("&&&", "write `&&`"),
    ("or", "write `||`"),
    ("OR", "write `||`"),
    ("|||", "write `||`"),
    ("xor", "write `a != b`"),
    ("eq", "write `==`"),
    ("ne", "write `!=`"),
    ("lt", "write `<`"),
    ("le", "write `<=`"),
    ("gt", "write `>`"),
    ("ge", "write `>=`"),
    ("is", "write `==`"),
    ("mod", "write `%`"),
    ("div", "write `/`"),
    ("**", "there are no powers: multiply"),
    ("^", "there are no powers: multiply"),
    ("=~", "write `text.matches('pattern')`"),
    ("!~", "write `!text.matches('pattern')`"),
    ("~", "write `text.matches('pattern')` to compare, `a + b` to put texts together"),
    ("like", "write `text.matches('pattern')`"),
    ("contains", "write `text.contains('a')`, or `'a' in list`"),
    ("matches", "write `text.matches('pattern')`"),
    ("startsWith", "write `text.startsWith('a')`"),
    ("endsWith", "write `text.endsWith('a')`"),
    ("between", "write `x >= 1 && x <= 9`"),
    ("then", CHOICE),
    ("if", CHOICE),
    ("unless", CHOICE),
    ("else", CHOICE),
];

/// What other languages write anywhere, and what is written here.
const ANYWHERE: &[(&str, &str)] = &[
    ("...", "leave it out: lists are put together with `+`"),
    ("++", "write `x + 1`, or `a + b` for lists and texts"),
    ("`", "texts stand between `'` and `'`"),
    ("$", "leave it out: all between `${` and `}` is one expression"),
    (";", "leave it out: an expression is one value"),
    ("@", "leave it out"),
    ("\\", "outside of a text nothing is written with `\\`"),
    ("#", "an expression has no comments: write it behind the line"),
];

const CHOICE: &str = "a choice is written `condition ? a : b`";

/// The operator of another language in an expression that CEL cannot read.
pub fn find(source: &str, tokens: &[Token<'_>]) -> Option<ParseError> {
    (0..tokens.len()).find_map(|at| one(source, tokens, at))
}

fn one(source: &str, tokens: &[Token<'_>], at: usize) -> Option<ParseError> {
    let token = tokens.get(at)?;
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    let behind = |steps: usize| tokens.get(at + steps).map_or("", |token| token.text);
    if matches!(token.sort, Sort::Text(_)) {
        let is_prefix = before.is_some_and(|before| before.sort == Sort::Word && before.at + before.text.len() == token.at);
        return is_prefix.then(|| wrong(token, token.text.len(), "put texts together with `+`: `'x-' + vars.name`"));
    }
    let follows_name = before.is_some_and(|before| before.text == "." || before.text == ".?");
    let is_behind_value = before.is_some_and(ends_value) && !follows_name;
    let whole = |end: &Token<'_>| end.at + end.text.len() - token.at;
    match (token.text, is_behind_value) {
        _ if follows_name && token.sort == Sort::Number => {
            let length = whole(token) + 1;
            let dot = Token { at: token.at - 1, ..*token };
            Some(wrong(&dot, length, &format!("write `[{}]`", token.text)))
        }
        _ if follows_name => None,
        ("not", true) if behind(1) == "in" => Some(wrong(token, whole(tokens.get(at + 1)?), "write `!(x in list)`")),
        ("not", _) if behind(1) != "(" => Some(wrong(token, token.text.len(), "write `!x`")),
        ("is", true) if behind(1) == "not" => Some(wrong(token, whole(tokens.get(at + 1)?), "write `!=`")),
        ("if", false) | ("unless", false) if behind(1) != "." => Some(wrong(token, token.text.len(), CHOICE)),
        ("if", true) => {
            let cure = tokens.iter().skip(at).find(|token| token.text == "else" && token.sort == Sort::Word).and_then(|other| {
                let part = |from: usize, to: usize| source.get(from..to).map(str::trim).filter(|part| !part.is_empty());
                let (value, condition) = (part(0, token.at)?, part(token.at + 2, other.at)?);
                Some(format!("write `{condition} ? {value} : {}`", part(other.at + 4, source.len())?))
            });
            Some(wrong(token, 2, cure.as_deref().unwrap_or(CHOICE)))
        }
        ("??" | "?:", true) => Some(wrong(token, 2, &or_else(source, token))),
        ("=>" | "->", true) => Some(wrong(token, 2, "write `>=` to compare, `list.map(x, x + 1)` for something of each element")),
        ("=", true) => Some(wrong(token, 1, equals(tokens, at))),
        ("|", true) if behind(2).is_empty() || behind(2) == "(" || behind(2) == "|" => {
            Some(wrong(token, 1, "write `||` for or; a function is written `f(x)` or `x.f()`"))
        }
        ("|", true) => Some(wrong(token, 1, "write `||`")),
        ("?", true) if behind(1) == "." => Some(wrong(token, 2, "write `x.?name`")),
        ("?", true) if !has_colon(tokens, at) => Some(wrong(token, 1, "a choice has a value for both: `condition ? a : b`")),
        (":", _) if is_slice(tokens, at) => Some(wrong(token, 1, "write `list.slice(0, 2)`, or `text.substring(0, 2)`")),
        (sign, true) if behind(1) != "(" || token.sort == Sort::Sign => {
            BETWEEN.iter().chain(ANYWHERE).find(|(other, _)| *other == sign).map(|(_, help)| wrong(token, sign.len(), help))
        }
        (sign, _) => ANYWHERE.iter().find(|(other, _)| *other == sign).map(|(_, help)| wrong(token, sign.len(), help)),
    }
}

fn wrong(token: &Token<'_>, length: usize, help: &str) -> ParseError {
    let shown = match token.sort {
        Sort::Text(_) => "this text".to_owned(),
        _ => format!("`{}`", token.text),
    };
    ParseError { message: format!("{shown} was not expected here"), help: Some(help.to_owned()), offset: token.at, length }
}

/// Whether a value may end with it.
fn ends_value(token: &Token<'_>) -> bool {
    match token.sort {
        Sort::Word => !["in", "if", "else", "then", "and", "or", "not", "is"].contains(&token.text),
        Sort::Number | Sort::Text(_) => true,
        Sort::Sign => [")", "]", "}"].contains(&token.text),
    }
}

/// `a ?? b` as a choice.
fn or_else(source: &str, token: &Token<'_>) -> String {
    let part = |from: usize, to: usize| source.get(from..to).map(str::trim).unwrap_or_default();
    let (left, right) = (part(0, token.at), part(token.at + 2, source.len()));
    let is_simple = |part: &str| !part.is_empty() && part.chars().all(|letter| letter.is_alphanumeric() || "_.[]'\"-".contains(letter));
    match is_simple(left) && is_simple(right) {
        true => format!("write `{left} == null ? {right} : {left}`, or `try({left}, {right})` where it may not be there"),
        false => "write `x == null ? y : x`, or `try(x, y)` where it may not be there".to_owned(),
    }
}

/// What `=` stands for: in braces it gives a value to a key.
fn equals(tokens: &[Token<'_>], at: usize) -> &'static str {
    let open = tokens.iter().take(at).fold(Vec::new(), |mut open: Vec<&str>, token| {
        match token.text {
            "(" | "[" | "{" => open.push(token.text),
            ")" | "]" | "}" => drop(open.pop()),
            _ => {}
        }
        open
    });
    match open.last() {
        Some(&"{") => "a table is written `{'key': value}`",
        _ => "write `==`",
    }
}

/// Whether a `?` has its `:`.
fn has_colon(tokens: &[Token<'_>], at: usize) -> bool {
    let mut depth = 0_i32;
    for token in tokens.iter().skip(at + 1) {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            ":" if depth == 0 => return true,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    false
}

/// Whether a `:` stands between two places of a list.
fn is_slice(tokens: &[Token<'_>], at: usize) -> bool {
    let mut depth = 0_i32;
    for (place, token) in tokens.iter().enumerate().take(at).rev() {
        match token.text {
            ")" | "]" | "}" => depth += 1,
            "?" if depth == 0 => return false,
            "[" if depth == 0 => return place.checked_sub(1).and_then(|before| tokens.get(before)).is_some_and(ends_value),
            "(" | "[" | "{" => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    false
}
