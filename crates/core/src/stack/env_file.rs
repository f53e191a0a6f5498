//! Files of environment variables, one `NAME=value` a line, as dotenv reads them.
//!
//! A value is what is written: nothing in it is expanded, and no other place is asked for it. Without quotes it ends with
//! its line, or before a `#` that stands at its start or behind white space. Between `'` or `` ` `` it is taken letter by
//! letter; between `"`, `\n`, `\r`, `\t`, `\"`, `\'`, `\\` and `\$` stand for one letter, and a `\` before any other
//! letter stands for itself. A quoted value may have several lines. `export` before a name and a byte order mark are
//! passed over, and a line may end as on any system.
//!
//! dotenv drops lines that it cannot read, and takes what a quote opens and nothing closes as it stands. Here each is an
//! error, so that no value is lost or cut short without a word. A `#` without white space before it is part of the value.
//!
//! A name is that of a variable, or says which secret is meant, such as `web["eu"].DB_URL` or `shop/database:password`.
//! No error shows anything of a line.

use std::fmt;
use std::path::Path;

/// Whether what an env file has is public: it ends in `.defaults`, and is committed.
pub fn is_public(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b".defaults")
}

/// A variable of a file.
#[derive(Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The line its name is in, from 1.
    pub line: usize,
}

impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (line {})", self.name, self.line)
    }
}

/// What cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct EnvError {
    /// Its line, from 1.
    pub line: usize,
    /// Where in the line, in characters from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: &'static str,
}

const NO_EQUALS: &str = "there is no `=` in the line: write NAME=value";
const NO_NAME: &str = "what stands before `=` is no name: a name has letters, digits and `_ . - / : + @`, and keys as `[\"x\"]`";
const UNCLOSED: &str = "the quote that opens this value is never closed";
const BEHIND: &str = "something stands behind the closing quote; a value that has this quote in it goes between others";
const NOT_UTF8: &str = "it is not UTF-8 text";
const NUL: &str = "there is a NUL character, which no variable can have";

/// The variables of a file, in order. One that is there twice is there twice: the later one counts.
///
/// # Errors
/// The first thing that cannot be read.
pub fn parse(bytes: &[u8]) -> Result<Vec<Variable>, EnvError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default());
        behind(&before).error(NOT_UTF8)
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
    if let Some((before, _)) = text.split_once('\0') {
        return Err(behind(before).error(NUL));
    }
    let mut cursor = Cursor::new(&text);
    let mut variables = Vec::new();
    loop {
        cursor.skip(char::is_whitespace);
        match cursor.peek() {
            None => return Ok(variables),
            Some('#') => cursor.skip(|c| c != '\n'),
            Some(_) => variables.push(variable(&mut cursor)?),
        }
    }
}

/// Whether a variable of an env file can have this name.
pub fn can_be_a_name(text: &str) -> bool {
    let mut cursor = Cursor::new(text);
    !text.is_empty() && name(&mut cursor).is_some() && cursor.peek().is_none()
}

/// A place in a text.
#[derive(Clone)]
struct Cursor<'a> {
    rest: &'a str,
    line: usize,
    column: usize,
}

/// The place right behind a text.
fn behind(text: &str) -> Cursor<'_> {
    let mut cursor = Cursor::new(text.strip_prefix('\u{feff}').unwrap_or(text));
    cursor.skip(|_| true);
    cursor
}

impl<'a> Cursor<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text, line: 1, column: 1 }
    }

    fn error(&self, problem: &'static str) -> EnvError {
        EnvError { line: self.line, column: self.column, problem }
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let mut letters = self.rest.chars();
        let next = letters.next()?;
        self.rest = letters.as_str();
        (self.line, self.column) = if next == '\n' { (self.line + 1, 1) } else { (self.line, self.column + 1) };
        Some(next)
    }

    fn skip(&mut self, passed: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&passed) {
            self.next();
        }
    }

    fn skip_blanks(&mut self) {
        self.skip(|c| c.is_whitespace() && c != '\n');
    }

    /// What is left of the line, which is passed.
    fn line(&mut self) -> &'a str {
        let line = self.rest.split('\n').next().unwrap_or_default();
        self.skip(|c| c != '\n');
        line
    }
}

/// The variable whose line begins here.
fn variable(cursor: &mut Cursor<'_>) -> Result<Variable, EnvError> {
    let start = cursor.clone();
    let has_equals = cursor.rest.split('\n').next().is_some_and(|line| line.contains('='));
    let mut name = name(cursor);
    cursor.skip_blanks();
    if name == Some("export") && cursor.peek() != Some('=') {
        name = self::name(cursor);
        cursor.skip_blanks();
    }
    let here = cursor.clone();
    match name {
        Some(name) if !name.is_empty() && cursor.next() == Some('=') => {
            cursor.skip_blanks();
            Ok(Variable { name: name.to_owned(), value: value(cursor)?, line: start.line })
        }
        _ if has_equals => Err(here.error(NO_NAME)),
        _ => Err(start.error(NO_EQUALS)),
    }
}

/// The name that begins here, empty where none does; nothing when a key in it is not closed in its line.
fn name<'a>(cursor: &mut Cursor<'a>) -> Option<&'a str> {
    let start = cursor.rest;
    while let Some(c) = cursor.peek() {
        match c {
            '[' => key(cursor)?,
            c if c.is_ascii_alphanumeric() || "_.-/:+@".contains(c) => drop(cursor.next()),
            _ => break,
        }
    }
    start.get(..start.len() - cursor.rest.len())
}

/// Passes a key in brackets, with or without quotes.
fn key(cursor: &mut Cursor<'_>) -> Option<()> {
    cursor.next();
    let quote = cursor.peek().filter(|c| matches!(c, '"' | '\''));
    if let Some(quote) = quote {
        cursor.next();
        loop {
            match cursor.next()? {
                '\n' => return None,
                '\\' => drop(cursor.next().filter(|c| *c != '\n')?),
                c if c == quote => break,
                _ => {}
            }
        }
    } else {
        cursor.skip(|c| c.is_ascii_alphanumeric() || "_.-/:+@".contains(c));
    }
    cursor.next().filter(|c| *c == ']').map(drop)
}

/// The value that begins here, up to the end of its line.
fn value(cursor: &mut Cursor<'_>) -> Result<String, EnvError> {
    let Some(quote) = cursor.peek().filter(|c| matches!(c, '\'' | '"' | '`')) else {
        return Ok(unquoted(cursor.line()).to_owned());
    };
    let value = quoted(cursor, quote)?;
    cursor.skip_blanks();
    match cursor.peek() {
        None | Some('\n') => {}
        Some('#') => drop(cursor.line()),
        Some(_) => return Err(cursor.error(BEHIND)),
    }
    Ok(value)
}

/// A value without its comment.
fn unquoted(line: &str) -> &str {
    let begins = |at: usize| line.get(..at).is_some_and(|before| before.is_empty() || before.ends_with(char::is_whitespace));
    let comment = line.match_indices('#').map(|(at, _)| at).find(|at| begins(*at));
    line.get(..comment.unwrap_or(line.len())).unwrap_or(line).trim_end()
}

/// The text between quotes, which are passed.
fn quoted(cursor: &mut Cursor<'_>, quote: char) -> Result<String, EnvError> {
    let start = cursor.clone();
    cursor.next();
    let mut value = String::new();
    while let Some(c) = cursor.next() {
        match c {
            c if c == quote => return Ok(value),
            '\\' if quote == '"' => match cursor.next() {
                Some('n') => value.push('\n'),
                Some('r') => value.push('\r'),
                Some('t') => value.push('\t'),
                Some(c @ ('"' | '\'' | '\\' | '$')) => value.push(c),
                Some(other) => value.extend(['\\', other]),
                None => break,
            },
            c => value.push(c),
        }
    }
    Err(start.error(UNCLOSED))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(line: &str) -> String {
        let parsed = parse(line.as_bytes()).unwrap_or_else(|error| panic!("{line}: {error}"));
        let [variable] = parsed.as_slice() else { panic!("{line}: {parsed:?}") };
        assert_eq!(variable.name, "A", "{line}");
        variable.value.clone()
    }

    fn pairs(text: &str) -> Vec<(String, String, usize)> {
        parse(text.as_bytes()).unwrap().into_iter().map(|one| (one.name, one.value, one.line)).collect()
    }

    #[test]
    fn a_value_is_what_is_written() {
        for (line, value) in [
            ("A=p4ss$word1", "p4ss$word1"),
            ("A=$HOME ${HOME}", "$HOME ${HOME}"),
            ("A=$(id)", "$(id)"),
            ("A=a#b c", "a#b c"),
            ("A=it's", "it's"),
            ("A=say \"hi\"", "say \"hi\""),
            ("A=x=y==", "x=y=="),
            ("A=\\path\\new", "\\path\\new"),
            ("A=basic", "basic"),
            ("A={\"foo\": \"bar\"}", "{\"foo\": \"bar\"}"),
            ("A=therealnerdybeast@example.tld", "therealnerdybeast@example.tld"),
            ("A=größe", "größe"),
        ] {
            assert_eq!(one(line), value, "{line}");
        }
    }

    #[test]
    fn quotes_are_taken_off() {
        for (line, value) in [
            ("A='single quotes'", "single quotes"),
            ("A='    single quotes    '", "    single quotes    "),
            ("A=\"double quotes\"", "double quotes"),
            ("A=`back ' and \" ticks`", "back ' and \" ticks"),
            ("A='$x \\n \\'", "$x \\n \\"),
            ("A=`\\n`", "\\n"),
            ("A=\"${HOME} \\\"q\\\" \\n\"", "${HOME} \"q\" \n"),
            ("A=\"a\\tb\\r\\\\ \\$ \\' \\d\"", "a\tb\r\\ $ ' \\d"),
            ("A='double \"quotes\" inside'", "double \"quotes\" inside"),
            ("A=\"single 'quotes' inside\"", "single 'quotes' inside"),
            ("A='x # no comment'", "x # no comment"),
            ("A='x'  # why", "x"),
            ("A=\"x\"# why's", "x"),
            ("A=\"-----BEGIN\nKEY-----\"\n# end", "-----BEGIN\nKEY-----"),
            ("A='1\r\n2'", "1\n2"),
            ("A=`1\n2`", "1\n2"),
            ("A=''", ""),
            ("A=\"\"", ""),
        ] {
            assert_eq!(one(line), value, "{line}");
        }
    }

    #[test]
    fn white_space_around_and_comments_are_no_part_of_a_value() {
        for (line, value) in [
            ("A=", ""),
            ("A=   ", ""),
            ("A=#", ""),
            ("A= # comment", ""),
            ("A=a b # comment # more", "a b"),
            ("A=a\t# comment", "a"),
            ("A=a #", "a"),
            ("A =  x  ", "x"),
            ("   A = 'x'   ", "x"),
            ("  export A = x\r\n", "x"),
            ("export\tA=x", "x"),
            ("\u{feff}A=x", "x"),
            ("\u{feff}# first\r\nA=x\r", "x"),
        ] {
            assert_eq!(one(line), value, "{line:?}");
        }
    }

    #[test]
    fn files_are_read_line_by_line_whatever_ends_a_line() {
        for end in ["\n", "\r\n", "\r"] {
            let text = "# first\nA=1\n\nB='2\n3'\nC=4\nA=5".replace('\n', end);
            let expected = [("A", "1", 2), ("B", "2\n3", 4), ("C", "4", 6), ("A", "5", 7)];
            assert_eq!(pairs(&text), expected.map(|(name, value, line)| (name.to_owned(), value.to_owned(), line)), "{text:?}");
        }
        assert_eq!(pairs(""), []);
        assert_eq!(pairs("\n  # only comments\n"), []);
    }

    #[test]
    fn a_name_may_say_which_secret_is_meant() {
        for name in [
            "DATABASE_URL",
            "export",
            "1A",
            "web.DATABASE_URL",
            "ecs_service.web[\"eu = west\"].DATABASE_URL",
            "ecs_service.web['eu'].DATABASE_URL",
            "web[eu].DATABASE_URL",
            "shop/database-1:password",
            "shop/database:[\"a \\\" key]\"]",
            "a+b@c",
        ] {
            assert_eq!(pairs(&format!("{name}=x")), [(name.to_owned(), "x".to_owned(), 1)]);
            assert!(can_be_a_name(name), "{name}");
        }
        for text in ["", "a b", "a=b", "a[", "a[\"b", "a[\"b\"", "a\n", "A#"] {
            assert!(!can_be_a_name(text), "{text}");
        }
    }

    #[test]
    fn an_error_names_line_and_column_and_nothing_that_is_there() {
        let cases: [(&[u8], usize, usize, &str); 16] = [
            (b"A=1\n  s3cret", 2, 3, NO_EQUALS),
            (b"export s3cret", 1, 1, NO_EQUALS),
            (b"s3cret: hunter2", 1, 1, NO_EQUALS),
            (b"s3 cret=1", 1, 4, NO_NAME),
            (b"=s3cret", 1, 1, NO_NAME),
            (b"A[\"s3cret=1", 1, 12, NO_NAME),
            (b"A*=s3cret", 1, 2, NO_NAME),
            (b"A='1\n2'\nB=\"s3cret", 3, 3, UNCLOSED),
            (b"A='s3cret\nB=1", 1, 3, UNCLOSED),
            (b"A=`s3cret", 1, 3, UNCLOSED),
            (b"A=\"s3cret\\", 1, 3, UNCLOSED),
            (b"A='x' s3cret", 1, 7, BEHIND),
            (b"A='it's s3cret'", 1, 7, BEHIND),
            (b"A=1\nB=s3\0cret", 2, 5, NUL),
            (b"A=1\nB=\xc3\xa4\xffs3", 2, 4, NOT_UTF8),
            (b"\xff\xfeA\0", 1, 1, NOT_UTF8),
        ];
        for (text, line, column, problem) in cases {
            let error = parse(text).unwrap_err();
            assert_eq!(error, EnvError { line, column, problem }, "{}", String::from_utf8_lossy(text));
            assert!(!error.to_string().contains("s3"), "{error}");
        }
    }

    /// A line that has this value.
    fn written(name: &str, value: &str) -> String {
        let mut line = format!("{name}=\"");
        for c in value.chars() {
            match c {
                '\n' => line.push_str("\\n"),
                '\r' => line.push_str("\\r"),
                '"' | '\\' => line.extend(['\\', c]),
                c => line.push(c),
            }
        }
        line + "\"\n"
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            drop(parse(&bytes));
        }

        #[test]
        fn any_text_is_read_or_refused_without_showing_it(text in r#"([A-C=\[\]'"`\\# \r\n$.]|s3){0,40}"#) {
            if let Err(error) = parse(text.as_bytes()) {
                prop_assert!(!error.to_string().contains("s3"));
            }
        }

        #[test]
        fn what_is_written_is_read(values in prop::collection::vec(("[A-Za-z_][A-Za-z0-9_./:-]{0,8}", "[^\\x00]{0,30}"), 0..6)) {
            let text: String = values.iter().map(|(name, value)| written(name, value)).collect();
            let read: Vec<(String, String)> = parse(text.as_bytes()).unwrap().into_iter().map(|one| (one.name, one.value)).collect();
            prop_assert_eq!(read, values);
        }

        #[test]
        fn a_value_of_ordinary_letters_needs_no_quotes(value in r#"[!-~&&[^#'"`]][!-~&&[^#]]{0,20}"#) {
            prop_assert_eq!(one(&format!("A={value}")), value);
        }
    }
}
