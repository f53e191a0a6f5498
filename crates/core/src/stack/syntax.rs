//! Parsing CEL, and saying what is wrong in the words of who wrote it: from the place where the parser stops, and not
//! from what it says of itself.

mod inside_text;
mod operators;
mod tokens;

use cel::common::ast::IdedExpr;
use cel::parser::{ParseErrors, Parser, PrattParser};

use super::expr::ParseError;
use super::reference::RESERVED;
use tokens::Sort;

/// Most brackets inside each other, most operators, and most names and calls one after another, in one expression: what is
/// deeper is a mistake, and CEL's parsers, and what walks their trees, would run out of stack on it.
const MAX_DEPTH: usize = 32;
const MAX_OPERATORS: usize = 128;
const MAX_CHAIN: usize = 64;

/// The syntax tree of an expression.
///
/// # Errors
/// The first place that is wrong.
pub fn parse(source: &str) -> Result<IdedExpr, ParseError> {
    if source.trim().is_empty() {
        return Err(error(0, "there is nothing between `${` and `}`", Some("write an expression, or `$${` for a literal `${`")));
    }
    too_deep(source)?;
    if let Some(error) = inside_text::find(source).or_else(|| comment(source)) {
        return Err(error);
    }
    // Both parsers read the same language (a test holds them together). One is fast; the other tells where a mistake is.
    if let Some(tree) = fast(source) {
        return Ok(tree);
    }
    by_the_grammar(source).map_err(|errors| {
        let first = errors.errors.iter().map(|error| offset(source, error.pos)).min().unwrap_or(0);
        of_cloud_formation(source).unwrap_or_else(|| explain(source, first))
    })
}

/// What the fast parser makes of an expression. It takes more than the grammar does of one sign before another, such as
/// `!-1`, and of texts over several lines: such are not for it.
fn fast(source: &str) -> Option<IdedExpr> {
    let mut signs = source.chars().filter(|c| !c.is_whitespace()).map(|c| matches!(c, '!' | '-'));
    let one_after_another =
        signs.next().is_some_and(|first| signs.try_fold(first, |before, now| (!(before && now)).then_some(now)).is_none());
    if one_after_another || source.contains(['\n', '\r']) {
        return None;
    }
    PrattParser::new().enable_optional_syntax(true).parse(source).ok()
}

/// What CEL's published grammar makes of an expression.
fn by_the_grammar(source: &str) -> Result<IdedExpr, ParseErrors> {
    Parser::new().enable_optional_syntax(true).parse(source)
}

fn error(offset: usize, message: impl Into<String>, help: Option<&str>) -> ParseError {
    ParseError { message: message.into(), help: help.map(str::to_owned), offset, length: 1 }
}

/// `//` on one line, which makes a comment of the rest of the expression.
fn comment(source: &str) -> Option<ParseError> {
    if !source.contains("//") {
        return None;
    }
    let tokens = tokens::tokens(source);
    let slashes = tokens.iter().find(|token| token.text == "//").filter(|_| !source.trim().contains('\n'))?;
    let error = error(
        slashes.at,
        "what stands behind `//` is a comment",
        Some("a comment stands outside of the expression, behind `#`; write `/` to divide"),
    );
    Some(ParseError { length: 2, ..error })
}

/// `AWS::Region` and the like.
fn of_cloud_formation(source: &str) -> Option<ParseError> {
    let tokens = tokens::tokens(source);
    let is_it = |at: usize| source.get(at..).is_some_and(|rest| rest.starts_with("AWS::"));
    let word = tokens.iter().find(|token| token.text == "AWS" && is_it(token.at))?;
    let help = crate::stack::habits::root("AWS");
    Some(ParseError { length: "AWS::".len(), ..error(word.at, "`AWS::…` is no name here", help) })
}

fn too_deep(source: &str) -> Result<(), ParseError> {
    let mut operators = 0_usize;
    // How many names, elements and calls follow one another, for each bracket that is open.
    let mut chains = vec![0_usize];
    for token in tokens::tokens(source) {
        let longer = match (token.sort, token.text) {
            (Sort::Sign, "(" | "[" | "{") => {
                chains.push(0);
                continue;
            }
            (Sort::Sign, ")" | "]" | "}") => {
                chains.truncate(chains.len().saturating_sub(1).max(1));
                true
            }
            (Sort::Sign, "." | ".?") => true,
            (Sort::Sign, "," | ":") => false,
            (Sort::Sign, _) | (Sort::Word, "in") => {
                operators += 1;
                false
            }
            _ => continue,
        };
        let chain = chains.last_mut().map_or(0, |chain| {
            *chain = if longer { *chain + 1 } else { 0 };
            *chain
        });
        let what = match () {
            () if chains.len() > MAX_DEPTH => format!("more than {MAX_DEPTH} brackets inside each other"),
            () if operators > MAX_OPERATORS => format!("more than {MAX_OPERATORS} operators"),
            () if chain > MAX_CHAIN => format!("more than {MAX_CHAIN} names and calls one after another"),
            () => continue,
        };
        return Err(error(token.at, what, Some("compute parts of it in [locals]")));
    }
    if chains.len() > MAX_DEPTH {
        return Err(error(0, format!("more than {MAX_DEPTH} brackets inside each other"), Some("compute parts of it in [locals]")));
    }
    Ok(())
}

/// The byte offset of a line and column, both from 1, as CEL reports them; columns are characters.
fn offset(source: &str, (line, column): (isize, isize)) -> usize {
    let lines_before = usize::try_from(line - 1).unwrap_or(0);
    let before: usize = source.split_inclusive('\n').take(lines_before).map(str::len).sum();
    let line = source.get(before..).unwrap_or_default();
    let characters = usize::try_from(column - 1).unwrap_or(0);
    before + line.char_indices().map(|(at, _)| at).nth(characters).unwrap_or(line.len())
}

/// What is wrong at a place, told from what stands there.
fn explain(source: &str, at: usize) -> ParseError {
    let (before, rest) = source.split_at_checked(at).unwrap_or((source, ""));
    let token = token(rest);
    let marked = |error: ParseError| ParseError { length: token.len().max(1), ..error };
    if let Some(star) = source.find("[*]") {
        return ParseError { length: 3, ..error(star, unexpected("[*]"), Some(&plucked(source, star))) };
    }
    if let Some(help) = elsewhere(source) {
        return marked(error(at, unexpected(token), Some(help)));
    }
    if let Some(operator) = operators::find(source, &tokens::tokens(source)) {
        return operator;
    }
    if token.is_empty() {
        let help = if before.matches('(').count() > before.matches(')').count() { Some("a `)` is missing") } else { None };
        return error(at, "the expression ends too early", help);
    }
    if RESERVED.contains(&token) && !["true", "false", "null", "in"].contains(&token) {
        let help = match token {
            "var" => "variables are `vars.NAME`",
            "if" | "else" => "a choice is written `condition ? a : b`",
            _ => "choose another name",
        };
        return marked(error(at, format!("`{token}` is a word of the language itself, and no name"), Some(help)));
    }
    let macros = ["has(", ".all(", ".exists(", ".exists_one(", ".map(", ".filter("];
    let called = macros.iter().find(|name| before.trim_end().ends_with(*name) || rest.starts_with(*name));
    match called {
        Some(&"has(") => error(at, "`has` asks for one name inside of something", Some("write `has(x.name)`")),
        Some(_) => error(at, "the first argument is a name for each element in turn", Some("write `list.map(x, x + 1)`")),
        None if token.starts_with(['\'', '"']) && !token.get(1..).unwrap_or_default().ends_with(['\'', '"']) => {
            marked(error(at, "this text is never closed", Some("texts stand between `'` and `'`")))
        }
        None => marked(error(at, unexpected(token), None)),
    }
}

fn unexpected(token: &str) -> String {
    match token {
        "" => "the expression ends too early".to_owned(),
        token => format!("`{token}` was not expected here"),
    }
}

/// What `a.b[*].c` is here.
fn plucked(source: &str, star: usize) -> String {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let (before, after) = source.split_at_checked(star).unwrap_or((source, ""));
    let list = before.rsplit(|c| !(part(c) || c == '.')).next().unwrap_or_default();
    let field: String = after.trim_start_matches("[*].").chars().take_while(|c| part(*c)).collect();
    match list.is_empty() || field.is_empty() {
        true => "`pluck(resource, 'field')` lists one field of all instances".to_owned(),
        false => format!("write `pluck({list}, '{field}')`"),
    }
}

/// How something that is written as in Terraform is written here.
fn elsewhere(source: &str) -> Option<&'static str> {
    let starts = |word: &str| source.trim_start().starts_with(word);
    match () {
        () if starts("[for ") || starts("{for ") || starts("[ for ") || starts("{ for ") => {
            Some("write `list.map(x, …)` and `list.filter(x, …)`")
        }
        () => None,
    }
}

/// The name, number, text or sign a text starts with.
fn token(text: &str) -> &str {
    let Some(first) = text.chars().next() else { return "" };
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let end = match first {
        '\'' | '"' => text.get(1..).and_then(|rest| rest.find(first)).map_or(text.len(), |end| end + 2),
        c if word(c) => text.find(|c| !word(c)).unwrap_or(text.len()),
        c => c.len_utf8(),
    };
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A tree without the numbers of its nodes, which each parser gives in its own order.
    fn tree(parsed: &IdedExpr) -> String {
        let text = format!("{parsed:?}");
        let mut parts = text.split("id: ");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |whole, part| whole + "id " + part.trim_start_matches(|c: char| c.is_ascii_digit()))
    }

    /// Parts of which expressions are made, right and wrong.
    const PARTS: &[&str] = &[
        "vars.x",
        "vpc.main.id",
        "a",
        "b",
        "each.value",
        "1",
        "0x1F",
        "-1",
        "2u",
        "1.5",
        ".5",
        "1e3",
        "5.",
        "9223372036854775808",
        "-9223372036854775808",
        "'t'",
        "\"q\"",
        "r'\\d'",
        "b'x'",
        "'''m'''",
        "'\\n\\u00e9'",
        "'\\q'",
        "'",
        "true",
        "false",
        "null",
        "in",
        "var",
        "if",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ".",
        ",",
        ":",
        "?",
        ".?",
        "[?",
        "{?",
        "+",
        "-",
        "*",
        "/",
        "%",
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "&&",
        "||",
        "!",
        "=",
        "&",
        "|",
        "has(a.b)",
        "xs.map(x, x + 1)",
        "xs.filter(x, x > 1)",
        "xs.all(x, x)",
        "xs.exists_one(x, x)",
        "size(xs)",
        "xs.join(',')",
        "a[0]",
        "{'k': v}",
        "[1, 2]",
        "a ? b : c",
        "a.?b.orValue(1)",
        "P{f: 1}",
        ".a",
        "`a-b`",
        "// c\n",
        "#",
        "$",
        "@",
        "\\",
        "é",
        "\t",
        "\n",
        " ",
    ];

    #[test]
    fn what_no_parser_could_walk_is_refused_and_texts_are_no_signs() {
        for deep in [
            "1 in ".repeat(20_000) + "1",
            "'a'".to_owned() + &".trim()".repeat(3000),
            "x".to_owned() + &"[0]".repeat(3000),
            "['\\'',".to_owned() + &"[".repeat(20_000),
            "'\\'' == ".to_owned() + &"-".repeat(20_000) + "1",
            "[".repeat(33),
            "(".repeat(20_000) + &")".repeat(20_000),
        ] {
            let error = parse(&deep).unwrap_err();
            assert!(error.message.starts_with("more than"), "{}", error.message);
        }
        for fine in ["\"it\\\"s\" + \"-------".to_owned() + &"-".repeat(200) + "\"", format!("[{}]", "a.b.c, ".repeat(200) + "1")] {
            parse(&fine).unwrap();
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn both_parsers_read_the_same_language(parts in prop::collection::vec(prop::sample::select(PARTS), 1..9), spaced in any::<bool>()) {
            let source = parts.join(if spaced { " " } else { "" });
            match (fast(&source), by_the_grammar(&source)) {
                (Some(fast), Ok(known)) => prop_assert_eq!(tree(&fast), tree(&known), "{}", source),
                (Some(fast), Err(_)) => prop_assert!(false, "{} is read as {:?}", source, fast),
                (None, _) => {}
            }
        }
    }

    #[test]
    fn what_is_wrong_is_said_in_the_words_of_who_wrote_it() {
        let cases = [
            ("1 +", "ends too early", ""),
            ("size(vars.x", "ends too early", "`)` is missing"),
            ("", "nothing between", ""),
            ("var.env", "`var` is a word of the language", "vars.NAME"),
            ("subnet.a[*].id", "`[*]` was not expected", "write `pluck(subnet.a, 'id')`"),
            ("size(subnet.a[*])", "`[*]` was not expected", "pluck(resource, 'field')"),
            ("not true", "was not expected", "`!x`"),
            ("if vars.x then 1", "", "condition ? a : b"),
            ("if", "", "condition ? a : b"),
            ("[for n in vars.names : n]", "was not expected", "map(x, …)"),
            ("jsonencode({ A = 1 })", "was not expected", "{'key': value}"),
            ("has(1)", "`has` asks for one name", "has(x.name)"),
            ("[1].map(1, 2)", "", "list.map"),
            ("a # b", "`#` was not expected", ""),
            ("1 2", "`2` was not expected", ""),
            ("'abc", "", ""),
        ];
        for (source, message, help) in cases {
            let error = parse(source).unwrap_err();
            assert!(error.message.contains(message), "{source}: {error:?}");
            assert!(error.help.as_deref().unwrap_or_default().contains(help), "{source}: {error:?}");
            let all = format!("{} {}", error.message, error.help.unwrap_or_default());
            for inside in ["Context", "token recognition", "EOF", "mismatched", "viable", "Syntax error"] {
                assert!(!all.contains(inside), "{source}: {all}");
            }
        }
    }

    #[test]
    fn exactly_what_is_of_another_language_is_marked() {
        for (source, marked) in [
            ("vars.n <> 3", "<>"),
            ("vars.n === 3", "==="),
            ("'a' == 'b' and true", "and"),
            ("vars.n not in [1]", "not in"),
            ("vars.n ?? 3", "??"),
            ("vars.xs.0", ".0"),
            ("size(vars.xs) // 2", "//"),
            ("'a-${vars.b}' + 'c'", "${vars.b}"),
            ("subnet.a[*].id", "[*]"),
        ] {
            let error = parse(source).unwrap_err();
            assert_eq!(source.get(error.offset..error.offset + error.length), Some(marked), "{source}: {error:?}");
        }
    }

    #[test]
    fn what_only_looks_like_another_language_is_read() {
        for source in [
            "'a and b'",
            "'https://x'",
            "x.is + y.not",
            "a ? b : c",
            "[1].map(or, or + 1)",
            "m[?'a'].orValue('//')",
            "'$${a}'",
            "{'a': b ? c : d}",
        ] {
            assert!(parse(source).is_ok(), "{source}: {:?}", parse(source));
        }
    }
}
