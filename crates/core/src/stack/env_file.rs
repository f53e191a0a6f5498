//! Files of environment variables: `NAME=value`, one a line.
//!
//! A value is what is written: nothing in it is expanded. Between `'` it is taken letter by letter; between `"` it may
//! go over several lines, and `\n`, `\r`, `\t`, `\"`, `\\` and `\$` stand for what they do in a shell or in C; without
//! quotes it ends with its line, or before a ` #`. `export` in front of a name is passed over, as is a byte order mark.
//! No error shows anything of a value.

/// A line that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct EnvError {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// The variables of a file, in order.
///
/// # Errors
/// The first line that cannot be read.
pub fn parse(text: &str) -> Result<Vec<(String, String)>, EnvError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut variables = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while !rest.is_empty() {
        let (read, length) = entry(rest).map_err(|problem| EnvError { line, problem })?;
        variables.extend(read);
        let (done, tail) = rest.split_at_checked(length).unwrap_or((rest, ""));
        line += done.matches('\n').count();
        rest = tail;
    }
    Ok(variables)
}

type Variable = Option<(String, String)>;

/// The variable at the start of a text, if that line has one, and how many bytes it takes with the end of its line.
fn entry(text: &str) -> Result<(Variable, usize), &'static str> {
    let end = text.find('\n').map_or(text.len(), |at| at + 1);
    let line = text.get(..end).unwrap_or(text);
    let content = line.trim();
    if content.is_empty() || content.starts_with('#') {
        return Ok((None, end));
    }
    let (left, right) = line.split_once('=').ok_or("there is no `=` in it: write NAME=value")?;
    let name = left.trim();
    let name = name.strip_prefix("export").filter(|rest| rest.starts_with(char::is_whitespace)).map_or(name, str::trim);
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("what stands before `=` is no name: a name has letters, digits and `_`");
    }
    let blank = right.len() - right.trim_start_matches([' ', '\t']).len();
    let start = left.len() + 1 + blank;
    let value = text.get(start..).unwrap_or_default();
    let (value, length) = match value.chars().next() {
        Some(quote @ ('\'' | '"')) => quoted(value, quote)?,
        _ => {
            let whole = right.get(blank..).unwrap_or_default();
            let comment = whole.find(" #").or_else(|| whole.find("\t#")).or_else(|| whole.starts_with('#').then_some(0));
            return Ok((Some((name.to_owned(), whole.get(..comment.unwrap_or(whole.len())).unwrap_or_default().trim().to_owned())), end));
        }
    };
    let behind = text.get(start + length..).unwrap_or_default();
    let end = behind.find('\n').map_or(behind.len(), |at| at + 1);
    let tail = behind.get(..end).unwrap_or_default().trim();
    if !tail.is_empty() && !tail.starts_with('#') {
        return Err("something stands behind the closing quote");
    }
    Ok((Some((name.to_owned(), value)), start + length + end))
}

/// The text between quotes, and how many bytes it takes with them.
fn quoted(text: &str, quote: char) -> Result<(String, usize), &'static str> {
    let mut value = String::new();
    let mut letters = text.char_indices().skip(1);
    while let Some((at, c)) = letters.next() {
        match c {
            c if c == quote => return Ok((value.replace("\r\n", "\n"), at + c.len_utf8())),
            '\\' if quote == '"' => match letters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 'r')) => value.push('\r'),
                Some((_, 't')) => value.push('\t'),
                Some((_, c @ ('"' | '\\' | '$' | '\''))) => value.push(c),
                Some((_, other)) => value.extend(['\\', other]),
                None => break,
            },
            c => value.push(c),
        }
    }
    Err("the quote that opens its value is never closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(line: &str) -> String {
        let parsed = parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        let [(name, value)] = parsed.as_slice() else { panic!("{line}: {parsed:?}") };
        assert_eq!(name, "A");
        value.clone()
    }

    #[test]
    fn a_value_is_what_is_written() {
        for (line, value) in [
            ("A=p4ss$word1", "p4ss$word1"),
            ("A=a#b c", "a#b c"),
            ("A=it's", "it's"),
            ("A=a b # comment", "a b"),
            ("A=", ""),
            ("A=#", ""),
            ("  export A = x\r\n", "x"),
            ("\u{feff}A=x", "x"),
            ("A=\"${HOME} \\\"q\\\" \\n\"", "${HOME} \"q\" \n"),
            ("A='$x \\n'  # why", "$x \\n"),
            ("A=\"-----BEGIN\nKEY-----\"\n# end", "-----BEGIN\nKEY-----"),
            ("A=x=y==", "x=y=="),
            ("A=\\path", "\\path"),
        ] {
            assert_eq!(one(line), value, "{line}");
        }
    }

    #[test]
    fn files_are_read_line_by_line() {
        let read = parse("# first\nA=1\n\nB='2\n3'\nC=4").unwrap();
        assert_eq!(read, [("A", "1"), ("B", "2\n3"), ("C", "4")].map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn an_error_names_the_line_and_nothing_that_is_in_it() {
        for (text, line) in [("A=1\ns3cret", 2), ("A='1\n2'\nB=\"s3cret", 3), ("s3 cret=1", 1), ("A='x' s3cret", 1), ("1A=s3cret", 1)] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.line, line, "{text}");
            assert!(!error.to_string().contains("s3"), "{error}");
        }
    }
}
