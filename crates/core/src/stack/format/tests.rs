use proptest::prelude::*;

use super::format;

fn formatted(text: &str) -> String {
    format(text).unwrap_or_else(|errors| panic!("{:?}: {text}", errors.0))
}

/// What a text says, in its order.
fn meaning(text: &str) -> String {
    format!("{:?}", toml::from_str::<toml::Table>(text).unwrap_or_else(|error| panic!("{error}: {text}")))
}

#[test]
fn keys_are_aligned_up_to_a_blank_line_or_a_header() {
    let text = "[a]\n\n\nx=1\nlong.key  =  2 # two\n# of y\n\"y\" = 3  # three\n\n\n\nz   = 4\n[b]\nw=5\n[[c]]\n# last\n[d]\n\n";
    let wanted = r#"[a]
x        = 1
long.key = 2  # two
# of y
"y"      = 3  # three

z = 4

[b]
w = 5

[[c]]

# last
[d]
"#;
    assert_eq!(formatted(text), wanted);
}

#[test]
fn comments_behind_lines_that_follow_one_another_are_below_each_other() {
    let text = "[a] # of a\nx = 1 # one\nlonger = \"23\" # two\nnone = 0\ny = 3 # three\n";
    assert_eq!(formatted(text), "[a]            # of a\nx      = 1     # one\nlonger = \"23\"  # two\nnone   = 0\ny      = 3  # three\n");
}

#[test]
fn lists_and_tables_have_their_spaces_and_commas() {
    let text = "a=[ 1,2 , 3,]\nb={x=1,y = [ ],z={ }}\nc = [ # begins\n1,\n\n\n    # two\n2 # is two\n,\n{k=1} ]\nd = [\n]\n";
    let wanted =
        "a = [1, 2, 3]\nb = { x = 1, y = [], z = {} }\nc = [\n  # begins\n  1,\n\n  # two\n  2,  # is two\n  { k = 1 },\n]\nd = []\n";
    assert_eq!(formatted(text), wanted);
}

#[test]
fn a_list_that_is_too_long_for_its_line_has_one_for_each_element() {
    let one = "x".repeat(70);
    let text = format!("list = [\"{one}\", \"{one}\"]\nalone = [\"{one}{one}\"]\ntable = {{ a = [\"{one}\", \"{one}\"] }}\n");
    let wanted = format!("list  = [\n  \"{one}\",\n  \"{one}\",\n]\nalone = [\"{one}{one}\"]\ntable = {{ a = [\"{one}\", \"{one}\"] }}\n");
    assert_eq!(formatted(&text), wanted);
}

#[test]
fn strings_expressions_and_line_endings_stay() {
    let text = "a=\"${ x  +1 }\"\r\nb = '''\n  raw\n\n\n\ttext  \n'''\r\nc = [\r\n1]\r\n";
    assert_eq!(formatted(text), "a = \"${ x  +1 }\"\r\nb = '''\n  raw\n\n\n\ttext  \n'''\r\nc = [\r\n  1,\r\n]\r\n");
    assert_eq!(formatted("\u{feff}a=1"), "\u{feff}a = 1\n");
    assert_eq!(formatted(""), "");
    assert_eq!(formatted("\n\n# only\n\n"), "# only\n");
}

#[test]
fn what_is_no_toml_is_said() {
    let errors = format("[a]\nx = \n").unwrap_err();
    assert!(errors.0[0].span.is_some());
}

/// Spaces, as somebody may type them.
fn space() -> impl Strategy<Value = String> {
    "[ \t]{0,3}"
}

/// Line breaks, blank lines and comments, as they may stand between elements.
fn lines() -> impl Strategy<Value = String> {
    let some = prop::collection::vec((space(), prop::option::of("# ?[a-z #=\\[\"]{0,8}"), prop::bool::ANY), 0..3);
    some.prop_map(|lines| {
        let line = |(space, comment, is_windows): (String, Option<String>, bool)| {
            format!("{space}{}{}", comment.unwrap_or_default(), if is_windows { "\r\n" } else { "\n" })
        };
        lines.into_iter().map(line).collect()
    })
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?[1-9][0-9]{0,3}",
        "[0-9]\\.[0-9]{1,2}(e[0-9])?",
        Just("true".to_owned()),
        Just("1979-05-27 07:32:00Z".to_owned()),
        "[a-z #=,\\[\\]{}$']{0,90}".prop_map(|text| format!("\"{text}\"")),
        "[a-z #=,\\[\\]{}$\"\\\\]{0,9}".prop_map(|text| format!("'{text}'")),
        "[a-z #=,\\[\\]{}$' \t\n]{0,12}".prop_map(|text| format!("\"\"\"{text}\"\"\"")),
    ]
}

fn value() -> impl Strategy<Value = String> {
    scalar().prop_recursive(3, 24, 4, |inner| {
        let element = (space(), inner, lines(), prop::bool::ANY).boxed();
        prop_oneof![
            (lines(), prop::collection::vec(element.clone(), 0..4), prop::bool::ANY, lines()).prop_map(|(before, items, comma, after)| {
                let separator = |(space, item, lines, _)| format!("{space}{item}{lines}");
                let items: Vec<String> = items.into_iter().map(separator).collect();
                let comma = if comma && !items.is_empty() { "," } else { "" };
                format!("[{before}{}{comma}{after}]", items.join(","))
            }),
            prop::collection::vec(element, 0..4).prop_map(|items| {
                let entry = |(at, (space, item, lines, is_dotted)): (usize, (String, String, String, bool))| {
                    format!("{space}k{at}{}{space}={space}{item}{lines}", if is_dotted { " . x" } else { "" })
                };
                format!("{{{}}}", items.into_iter().enumerate().map(entry).collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

/// A file with tables, keys and comments in every layout.
fn file() -> impl Strategy<Value = String> {
    let entry = (lines(), space(), value(), prop::option::of("#[a-z ]{0,5}"), 0..3_usize);
    let table = (lines(), prop::bool::ANY, prop::collection::vec(entry, 0..4), space());
    prop::collection::vec(table, 0..4).prop_map(|tables| {
        let table = |(number, (before, is_list, entries, gap)): (usize, (String, bool, Vec<_>, String))| {
            let header = if is_list { format!("[[{gap}l{gap}]]") } else { format!("[{gap}t{number}{gap}.{gap}\"x y\"]{gap}# of it") };
            let entry = |(at, (before, space, value, comment, length)): (usize, (String, String, String, Option<String>, usize))| {
                let key = format!("{}{at}", "k".repeat(length * 3 + 1));
                format!("{before}{space}{key}{space}={space}{value}{space}{}\n", comment.unwrap_or_default())
            };
            format!("{before}{gap}{header}\n{}", entries.into_iter().enumerate().map(entry).collect::<String>())
        };
        tables.into_iter().enumerate().map(table).collect()
    })
}

/// The comments of a file, in order.
fn comments(text: &str) -> Vec<String> {
    let mut events = Vec::new();
    toml_parser::parser::parse_document(&toml_parser::Source::new(text).lex().into_vec(), &mut events, &mut ());
    let comments = events.iter().filter(|event| event.kind() == toml_parser::parser::EventKind::Comment);
    comments.map(|event| text.get(event.span().start()..event.span().end()).unwrap().trim_end().to_owned()).collect()
}

proptest! {
    #[test]
    fn what_a_file_says_stays_and_so_do_its_comments_and_once_is_enough(text in file()) {
        let after = formatted(&text);
        prop_assert_eq!(meaning(&text), meaning(&after));
        prop_assert_eq!(comments(&text), comments(&after));
        prop_assert_eq!(&formatted(&after), &after);
    }
}
