use std::fmt::Write as _;

use toml::de::DeTable;

use super::*;

/// What is marked, what is said, and what is read of the rest.
fn said(text: &str) -> String {
    let mended = mended(text);
    let mut said = String::new();
    let line = |at: usize| text.get(..at).unwrap().matches('\n').count() + 1;
    for one in &mended.mistakes {
        let line_of = |range: &Range<usize>| line(range.start);
        let (line, marked) = (line_of(&one.at), text.get(one.at.clone()).unwrap().replace('\n', "\\n"));
        let first = one.first.as_ref().map(|first| format!(", first on line {}", line_of(first)));
        let _ = writeln!(said, "  {line} {marked:?}{}: {} ({})", first.unwrap_or_default(), one.message, one.help.unwrap_or_default());
    }
    said
}

#[test]
fn every_slip_is_told_by_what_stands_there() {
    let mut all = String::new();
    for text in include_str!("slips.txt").split("\n---\n") {
        let text = text.replace("<SOH>", "\u{1}").replace("<CR>", "\r");
        let said = said(text.trim_end_matches('\n'));
        let _ = writeln!(all, "{}\n{said}", text.trim_end_matches('\n').replace('\u{1}', "<SOH>").replace('\r', "<CR>"));
        assert_eq!(mended(&text).mistakes.len(), 1, "{text}\n{said}");
    }
    insta::assert_snapshot!(all);
}

const GOOD: &str = r#"# c
[stack]
name = "s"
[[t.u]]
a.b = [1, -2.5, 'x', "y\n"]
c = { d = 1, e = "${v.w + 'z'}" }
f = '''
g
'''
h = [
  "i",
  { j = 2 },
]
k = 2024-01-02T03:04:05Z
l = true
[m."n o"]
p = 0x1f
"#;

/// Everything that one wrong letter makes of a file, and that a missing one does.
fn slips() -> impl Iterator<Item = String> {
    let signs = [
        "", "[", "]", "{", "}", "\"", "'", "=", ",", ":", ";", ".", "\\", "$", "(", "#", "\n", "\u{1}", "\r", "é", "0", "x", " ", "_", "+",
    ];
    GOOD.char_indices().flat_map(move |(at, letter)| {
        let (before, behind) = GOOD.split_at(at);
        signs.into_iter().map(move |sign| match sign {
            "" => format!("{before}{}", behind.strip_prefix(letter).unwrap()),
            sign => format!("{before}{sign}{behind}"),
        })
    })
}

#[test]
fn no_slip_is_told_in_the_words_of_the_parser_and_everything_keeps_its_place() {
    assert!(DeTable::parse_recoverable(GOOD).1.is_empty() && mended(GOOD).mistakes.is_empty());
    let (mut all, mut follow) = (0, 0);
    for text in slips() {
        let errors = DeTable::parse_recoverable(&text).1;
        let mended = mended(&text);
        assert_eq!(mended.text.len(), text.len(), "{text}");
        assert_eq!(errors.is_empty(), mended.mistakes.is_empty(), "{text}");
        for one in &mended.mistakes {
            assert!(one.message != NOT_TOML, "{text}\n{:?}", errors.iter().map(|e| (e.message(), e.span())).collect::<Vec<_>>());
            assert!(text.get(one.at.clone()).is_some_and(|marked| !marked.is_empty()), "{text}\n{one:?}");
        }
        all += usize::from(!errors.is_empty());
        follow += usize::from(mended.mistakes.len() > 1);
    }
    // A letter that is wrong may tear a line apart, and then two are wrong.
    assert!(follow * 15 < all, "{follow} of {all}");
}
