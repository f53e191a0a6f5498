//! Which words of a text may stand in Markdown as they are.
//!
//! There is no list of what is dangerous: forges have their own markup, add to it, and read mentions and references out
//! of what Markdown has already rendered, where no backslash helps. A word stands as it is when it is made of letters,
//! digits and the punctuation of sentences alone, and is none of the few such words that mean something. Every other one
//! is shown as code, in which no forge looks for anything.

use super::super::visible;

/// A part of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Words that mean nothing but what they say.
    Plain(String),
    /// What is shown as code.
    Code(String),
}

/// A text of one line in parts, no two of code beside each other. What stands between two backticks is code.
pub fn parts(text: &str) -> Vec<Part> {
    let text = visible::inert_within(&visible::shown(&text.replace(['\n', '\t'], " "))).into_owned();
    let pieces: Vec<&str> = text.split('`').collect();
    let mut parts = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        match (at % 2, at + 1 < pieces.len()) {
            (0, _) => words(&mut parts, piece),
            // Backticks without anything between them are themselves.
            (_, true) if piece.trim().is_empty() => words(&mut parts, &format!("`{piece}`")),
            (_, true) => add(&mut parts, Part::Code((*piece).to_owned())),
            // One that has no other.
            (_, false) => words(&mut parts, &format!("`{piece}")),
        }
    }
    parts
}

/// Words with one blank between them, which is all that a renderer shows of more.
fn words(parts: &mut Vec<Part>, text: &str) {
    let blank = |parts: &mut Vec<Part>| add(parts, Part::Plain(" ".to_owned()));
    if text.starts_with(' ') {
        blank(parts);
    }
    for (at, word) in text.split(' ').filter(|word| !word.is_empty()).enumerate() {
        if at > 0 {
            blank(parts);
        }
        let first = !parts.iter().any(|part| !matches!(part, Part::Plain(text) if text.trim().is_empty()));
        // At the beginning they may make a list or a definition.
        let stop = |c: char| OPENS.contains(&c) || !first && (CLOSES.contains(&c) || c == '-' && word.len() == 1);
        if word.chars().all(stop) {
            add(parts, Part::Plain(word.to_owned()));
        } else {
            self::word(parts, word);
        }
    }
    if text.ends_with(' ') && !text.trim().is_empty() {
        blank(parts);
    }
}

/// What may stand before a word, and after it.
const OPENS: [char; 3] = ['(', '"', '\''];
const CLOSES: [char; 9] = ['.', ',', ';', ':', '!', '?', ')', '"', '\''];

/// A word, without the punctuation around it where that makes it one to be shown as it is.
fn word(parts: &mut Vec<Part>, word: &str) {
    let inner = word.trim_start_matches(OPENS);
    let core = inner.trim_end_matches(CLOSES);
    let before = word.get(..word.len() - inner.len()).unwrap_or_default();
    let after = inner.get(core.len()..).unwrap_or_default();
    // `www.` begins an address, whatever follows it.
    if core.is_empty() || has_www(word) {
        return add(parts, Part::Code(word.to_owned()));
    }
    add(parts, Part::Plain(before.to_owned()));
    // `1.` and `1)` begin lists.
    let numbers = after.starts_with(['.', ')']) && core.bytes().all(|byte| byte.is_ascii_digit());
    add(parts, if numbers || !is_plain(core) { Part::Code(core.to_owned()) } else { Part::Plain(core.to_owned()) });
    add(parts, Part::Plain(after.to_owned()));
}

fn has_www(word: &str) -> bool {
    word.to_ascii_lowercase().contains("www")
}

fn add(parts: &mut Vec<Part>, part: Part) {
    match (parts.last_mut(), part) {
        (_, Part::Plain(more)) if more.is_empty() => {}
        (Some(Part::Plain(text)), Part::Plain(more)) | (Some(Part::Code(text)), Part::Code(more)) => text.push_str(&more),
        (_, part) => parts.push(part),
    }
}

/// Whether a word means nothing but what it says.
fn is_plain(word: &str) -> bool {
    let characters: Vec<char> = word.chars().collect();
    let at = |index: Option<usize>| index.and_then(|index| characters.get(index)).copied();
    let fits = |(index, c): (usize, &char)| fits(*c, at(index.checked_sub(1)), at(index.checked_add(1)));
    !is_reference(word) && characters.iter().enumerate().all(fits)
}

/// Whether a character means nothing between these two.
fn fits(c: char, before: Option<char>, after: Option<char>) -> bool {
    let both = |what: fn(char) -> bool| before.is_some_and(what) && after.is_some_and(what);
    match c {
        c if c.is_alphanumeric() => true,
        '→' | '—' | '–' | '·' | '×' | '≠' | '…' | '“' | '”' | '‘' | '’' => true,
        '\'' | '(' | '-' => both(char::is_alphanumeric),
        '/' => both(char::is_alphabetic),
        '.' | ',' => both(|c| c.is_ascii_digit()),
        '%' => after.is_none() && before.is_some_and(|c| c.is_ascii_digit()),
        _ => false,
    }
}

/// Whether a part of a word may be the hash of a commit, or the number of an issue (`ABC-1`), here or in another tracker.
fn is_reference(word: &str) -> bool {
    let mut parts = word.split(|c: char| !c.is_ascii_alphanumeric());
    let hash = |part: &str| part.len() >= SHORTEST_HASH && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
    let issue = word.contains(char::is_alphabetic) && word.split('-').skip(1).any(number);
    issue || parts.any(hash)
}

/// Forges link hashes of commits from this length on.
const SHORTEST_HASH: usize = 7;

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts, with code between angle quotes.
    fn shown(text: &str) -> String {
        let part = |part: &Part| match part {
            Part::Plain(text) => text.clone(),
            Part::Code(text) => format!("‹{text}›"),
        };
        parts(text).iter().map(part).collect()
    }

    #[test]
    fn sentences_stay_sentences() {
        for text in [
            "Plan: 5 to update, 16 to replace (2 read).",
            "deletes the secret's value; it is 50% done - at 10,000 rows, 0.51 a month",
            "leaves the old one in AWS, and/or makes it anew: really?",
            "two to-dos on 2026-11-21 … “said” — 日本",
        ] {
            assert_eq!(shown(text), text);
        }
        assert_eq!(shown("run `leoctl plan`: it shows `a` and `b`."), "run ‹leoctl plan›: it shows ‹a› and ‹b›.");
        assert_eq!(
            shown("retention_in_days of (arn:aws:s3:::b), $0.51 → $0.53"),
            "‹retention_in_days› of (‹arn:aws:s3:::b›), ‹$0.51› → ‹$0.53›"
        );
    }

    #[test]
    fn what_means_something_to_a_forge_is_code() {
        for text in [
            "@user",
            "@org/team",
            "a@b.example",
            "#123",
            "GH-1",
            "ABC-12",
            "owner/repo#1",
            "!12",
            "&3",
            "~label",
            "%milestone",
            "%12",
            "$3",
            "/close",
            "http://evil.example",
            "www.evil.example",
            "WWW.evil",
            "evil.example",
            ":tada:",
            "[^1]",
            "[a](b)",
            "![a](b)",
            "<b>",
            "<!--",
            "&lt;",
            "a|b",
            "**b**",
            "_b_",
            "a_b",
            "~~b~~",
            "---",
            "===",
            "#",
            "-",
            "+",
            ">",
            ">>>",
            "\\",
            "deadbeef",
            "DEADBEEF",
            "x-deadbeef",
            "{+a+}",
            "[[_TOC_]]",
            "::include",
            "##\\u005bgroup]",
            "﹫user",
            "＠user",
            "\\u202etxt",
            "www.`a`",
            ":-)",
            ":",
            "!!!",
        ] {
            let code = text.replace('`', "");
            assert!(shown(text).starts_with(&format!("‹{}", code.trim_end_matches(CLOSES))), "{text}: {}", shown(text));
        }
        assert_eq!(shown("(`a`), \"`b`\": `c`'s!"), "(‹a›), \"‹b›\": ‹c›'s!");
        assert_eq!(shown("1. one"), "‹1›. one");
        assert_eq!(shown("12) one"), "‹12›) one");
        assert_eq!(shown("an odd ` and @user"), "an odd ‹`› and ‹@user›");
        assert_eq!(shown("`` and ```"), "‹``› and ‹```›");
        assert_eq!(shown("a `b`@user"), "a ‹b@user›");
        assert_eq!(shown("two\nlines"), "two lines");
    }
}
