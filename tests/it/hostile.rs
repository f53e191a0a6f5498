//! Hostile text in Markdown: whatever a text says, the page looks as it does with a harmless one, and the text is on it.
//! What is rendered is rendered by what forges render with.

use leoctl::ui::markdown::document::{Block, Document, Language, Marker};
use leoctl::ui::markdown::inline::Inline;
use leoctl::ui::visible;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::support::emulator::Emulator;
use crate::support::program::Project;
use crate::support::render;

/// What texts are made of: what means something in Markdown, to a forge, or to what reads the log of a job.
const ATOMS: &[&str] = &[
    "`",
    "``",
    "```",
    "````",
    "~~~",
    "~~~~",
    "*",
    "**",
    "_",
    "__",
    "~",
    "~~",
    "|",
    "\\",
    "\\|",
    "\\\\|",
    "||",
    "<",
    ">",
    "&",
    "#",
    "##",
    "###",
    "@",
    "!",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    "$",
    "$$",
    "$`",
    "`$",
    "^",
    "=",
    "===",
    "-",
    "--",
    "---",
    "- - -",
    "+",
    "++",
    ".",
    ",",
    ":",
    "::",
    ";",
    "/",
    "'",
    "\"",
    "%",
    " ",
    "  ",
    "    ",
    "\n",
    "\n\n",
    "\r\n",
    "\t",
    "\n    ",
    "\n- ",
    "\n> ",
    "\n1. ",
    "\n===\n",
    "\n---\n",
    "\n```\n",
    "\n````\n",
    "\n~~~\n",
    "\n/close\n",
    "\n/assign @me",
    "\n::add-mask::x\n",
    "\n  ::stop-commands::x",
    "::debug::x",
    "##[group]",
    "##vso[task.complete]",
    "\u{200b}",
    "\u{200d}",
    "\u{202e}",
    "\u{2066}",
    "\u{ad}",
    "\u{feff}",
    "\u{a0}",
    "\u{2028}",
    "\u{85}",
    "\u{1b}[31m",
    "\0",
    "\u{e0041}",
    "\u{3164}",
    "<!--",
    "-->",
    "<!-- leoctl plan default -->",
    "<b>",
    "</b>",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<details>",
    "</details>",
    "</summary>",
    "</code>",
    "</pre>",
    "</td>",
    "<a href=\"http://a.example\">x</a>",
    "<http://a.example>",
    "<a@b.example>",
    "<?php",
    "<![CDATA[",
    "<!DOCTYPE html>",
    "&lt;b&gt;",
    "&#64;user",
    "&nbsp;",
    "&copy;",
    "@user",
    "@org/team",
    "a@b.example",
    "mailto:a@b.example",
    "xmpp:a@b.example/c",
    "http://a.example",
    "https://a.example/?x=`1`",
    "ftp://a.example",
    "www.a.example",
    "WWW.a.example",
    "a.example",
    "//a.example",
    "javascript:alert(1)",
    "#123",
    "GH-1",
    "gh-12",
    "ABC-123",
    "acme/shop#1",
    "acme/shop!1",
    "acme/shop@deadbeef",
    "!12",
    "&3",
    "~bug",
    "~\"a bug\"",
    "%v1",
    "%\"a milestone\"",
    "$12",
    "deadbeef",
    "DEADBEEF",
    "0123456789abcdef0123456789abcdef01234567",
    "1234567",
    "abcdef0..1234567",
    ":tada:",
    ":+1:",
    "[^1]",
    "[^1]: note",
    "[a]: http://a.example",
    "[a](http://a.example)",
    "![a](http://a.example/x.png)",
    "[a][b]",
    "[x] ",
    "[ ] ",
    "[[_TOC_]]",
    "[TOC]",
    "{+ a +}",
    "{: .class}",
    "/close",
    "/merge",
    ">>>",
    "\n>>>\n",
    "***",
    "* * *",
    "+++",
    "a",
    "b1",
    "word",
    "two words",
    "é",
    "日本",
    "🎉",
    "1.",
    "1)",
    "a. ",
    "e.g.",
    "it's",
    "(s)",
    "50%",
    "10,000",
    "0.5",
    "us-east-1",
    "arn:aws:s3:::a",
    "key[\"a`b\"]",
    "TypeError: x",
    ": definition",
    "Term\n: definition",
    "a | b\n--- | ---\nc | d",
    "\u{ff20}user",
    "\u{fe6b}user",
    "a\u{301}",
];

fn texts() -> impl Strategy<Value = String> {
    let atoms = proptest::collection::vec(prop_oneof![4 => prop::sample::select(ATOMS).prop_map(str::to_owned), 1 => ".{0,4}"], 1..9);
    atoms.prop_map(|atoms| atoms.concat()).prop_filter("something to see", |text| !text.trim().is_empty())
}

/// How many texts a document has.
const PLACES: usize = 16;

/// A document with a text in every place where one can stand.
fn document(texts: &[String]) -> String {
    let text = |at: usize| texts[at].as_str();
    let lines = |at: usize| text(at).split('\n').map(str::to_owned).collect::<Vec<_>>();
    let blocks = vec![
        Block::Marker(Marker::new(&["plan", text(0)])),
        Block::Heading(2, Inline::new().own("Plan of ").text(text(1))),
        Block::Heading(3, Inline::new().text(text(2))),
        Block::Paragraph(Inline::new().text(text(3))),
        Block::Paragraph(Inline::new().code(text(4)).own(": ").strong("bold").own(" ").text(text(5))),
        Block::List(vec![Inline::new().text(text(6)), Inline::new().code(text(7)).text(text(8)), Inline::new().own("last")]),
        Block::Table(vec!["A", "B"], vec![vec![Inline::new().text(text(9)), Inline::new().code(text(10))]]),
        Block::Details {
            open: true,
            summary: Inline::new().strong("replace").own(" ").code(text(11)).own(", ").text(text(12)),
            content: vec![Block::Fence(Language::Diff, lines(13)), Block::Paragraph(Inline::new().commit(&no_hash(text(14))))],
        },
        Block::Fence(Language::Text, lines(15)),
        Block::Paragraph(Inline::new().strong("end")),
    ];
    Document::new(blocks).text()
}

/// A commit that is none: one that is may be linked.
fn no_hash(text: &str) -> String {
    format!("{text}!")
}

/// The text of such a document, without blanks, and without backticks, which may mark code in it.
fn expected(texts: &[String]) -> String {
    let text = |at: usize| visible::inert_within(&visible::shown(&texts[at].replace(['\n', '\t'], " "))).into_owned();
    let code = |at: usize| visible::inert_within(&visible::shown(&texts[at]).replace('\n', "\\n").replace('\t', "\\t")).into_owned();
    let fence = |at: usize| visible::inert(&visible::shown(&texts[at])).into_owned();
    let parts = [
        "Planof".to_owned(),
        text(1),
        text(2),
        text(3),
        code(4),
        ":bold".to_owned(),
        text(5),
        text(6),
        code(7),
        text(8),
        "lastAB".to_owned(),
        text(9),
        code(10),
        "replace".to_owned(),
        code(11),
        ",".to_owned(),
        text(12),
        fence(13),
        code(14),
        "!".to_owned(),
        fence(15),
        "end".to_owned(),
    ];
    bare(&parts.concat())
}

fn bare(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_whitespace() && *c != '`').collect();
    // In a table a bar behind a backslash is shown by its number.
    text.replace("\\u007c", "|")
}

/// Texts that have been used against comments, and one for each kind of markup.
fn attacks() -> Vec<Vec<String>> {
    let mut all: Vec<Vec<String>> =
        ATOMS.iter().filter(|atom| !atom.trim().is_empty()).map(|atom| vec![(*atom).to_owned(); PLACES]).collect();
    let together = [
        "an odd ` and <!-- hides",
        "`a` @user `b",
        "a``b`c```d",
        "\\` <b>x</b> \\`",
        "```\n/close\n```\n<details>",
        "x\n\n</details>\n\n<!--",
        "a\\\\|b | c",
        "` ``\n\n# Heading",
    ];
    all.extend(together.iter().map(|text| vec![(*text).to_owned(); PLACES]));
    all
}

#[test]
fn hostile_text_is_shown_and_means_nothing() {
    let mut runner = TestRunner::deterministic();
    let many = proptest::collection::vec(texts(), PLACES);
    let mut cases = attacks();
    cases.extend((0..1200).map(|_| many.new_tree(&mut runner).unwrap().current()));
    let harmless = document(&vec!["harmless".to_owned(); PLACES]);
    let documents: Vec<String> = std::iter::once(harmless).chain(cases.iter().map(|texts| document(texts))).collect();
    let Some(seen) = render::all(&documents) else { return };
    let (harmless, seen) = seen.split_first().unwrap();
    assert!(harmless.rendered.values().all(|one| one.elements.iter().any(|element| element == "table")), "{harmless:?}");
    for ((texts, document), seen) in cases.iter().zip(&documents[1..]).zip(seen) {
        assert!(seen.lines.is_empty(), "{:?}\n{document}", seen.lines);
        for (renderer, rendered) in &seen.rendered {
            let of = format!("{renderer}\n{texts:?}\n{document}");
            assert_eq!(rendered.elements, harmless.rendered[renderer].elements, "{of}");
            assert!(rendered.found.is_empty(), "{:?} {of}", rendered.found);
            assert_eq!(bare(&rendered.text), expected(texts), "{of}");
            assert_eq!(rendered.comments.len(), 1, "{of}");
        }
    }
}

#[test]
fn code_is_shown_letter_by_letter() {
    let mut runner = TestRunner::deterministic();
    let cases: Vec<String> = (0..800).map(|_| texts().new_tree(&mut runner).unwrap().current()).collect();
    let document = |text: &String| {
        let lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
        Document::new(vec![Block::Paragraph(Inline::new().own("x ").code(text)), Block::Fence(Language::Text, lines)]).text()
    };
    let documents: Vec<String> = cases.iter().map(document).collect();
    let Some(seen) = render::all(&documents) else { return };
    for ((text, document), seen) in cases.iter().zip(&documents).zip(seen) {
        let shown = visible::shown(text);
        let inline = visible::inert_within(&shown.replace('\n', "\\n").replace('\t', "\\t")).into_owned();
        let block = visible::inert(&shown);
        let block: String = block.split('\n').map(|line| if line.is_empty() { "\n".to_owned() } else { format!(" {line}\n") }).collect();
        for (renderer, rendered) in &seen.rendered {
            assert_eq!(rendered.code, [inline.clone(), block.clone()], "{renderer}\n{text:?}\n{document}");
        }
    }
}

/// Texts that once made a comment hide what follows, call for people, or act on a forge, and more of their kind.
const PLANNED: &[&str] = &[
    "an odd ` and <details> @user",
    "x\"]` <b>bold</b> `",
    "<!--",
    "x --> <!-- y",
    "@acme/everyone",
    "\n/close\n/merge",
    "![x](https://a.example/seen.png)",
    "#123, GH-1, acme/shop!12, :tada:",
    "```\n</details>\n\n# Approved",
    "\n::add-mask::o",
    "\n  ::stop-commands::x",
    "##[add-mask]o",
    "$`\\href{https://a.example}{x}`$",
];

/// A stack in which a text stands wherever one can.
fn stack(name: &str, text: &str) -> String {
    let quoted = serde_json::json!(text).to_string();
    format!(
        "[stack]\nname = \"{name}\"\nregion = \"us-east-1\"\n[resource.cloudwatch_log_group.a]\nfor_each = {{ {quoted} = \"/{name}\" }}\n\
         name = \"${{each.value}}\"\n[resource.sns_topic.b]\nname = \"{name}\"\ntags = {{ note = {quoted} }}\n\
         [checks.odd]\nassert = \"${{1 == 2}}\"\nmessage = {quoted}\n[outputs]\no = {quoted}\n"
    )
}

/// Whether the runner of a CI job would take a line of this for a command.
fn commands(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.trim_start().starts_with("::") || line.contains("##[")).collect()
}

#[test]
fn a_hostile_stack_hides_nothing_and_nobody_in_a_comment() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    let comment = |text: &str| {
        project.write("stacks/hostile.toml", &stack("hostile", text));
        project.write("stacks/second.toml", &stack("second", "harmless"));
        project.expect(0, &["plan", "--markdown", "--no-preflight", "stacks/hostile.toml", "stacks/second.toml"]).stdout
    };
    let texts = std::iter::once("harmless").chain(PLANNED.iter().copied());
    let documents: Vec<String> = texts.map(comment).collect();
    let Some(seen) = render::all(&documents) else { return };
    for (document, seen_here) in documents.iter().zip(&seen) {
        assert!(seen_here.lines.is_empty() && commands(document).is_empty(), "{:?}\n{document}", seen_here.lines);
        for (renderer, rendered) in &seen_here.rendered {
            assert_eq!(rendered.elements, seen[0].rendered[renderer].elements, "{renderer}\n{document}");
            assert!(rendered.found.is_empty(), "{renderer} {:?}\n{document}", rendered.found);
            assert_eq!(rendered.comments, [" leoctl plan default "], "{document}");
        }
    }
}

#[test]
fn a_file_s_name_and_an_error_are_text_in_a_comment_too() {
    let project = Project::new("http://127.0.0.1:1", "test");
    let names = ["harmless", "a`<!--", "@user <b>", "\n\n</details>\n# x", "[a](http:a)", "\n::add-mask::o", "##[group]x"];
    let comment = |name: &&str| {
        let file = format!("stacks/{name}.toml");
        std::fs::create_dir_all(project.path().join(&file).parent().unwrap()).unwrap();
        project.write(&file, &format!("[stack]\nname = {}\n", serde_json::json!(name)));
        let ran = project.expect(1, &["plan", "--markdown", "--deleted", &file, "--", &file]);
        assert!(commands(&ran.stdout).is_empty() && commands(&ran.stderr).is_empty(), "{}{}", ran.stdout, ran.stderr);
        ran.stdout
    };
    let documents: Vec<String> = names.iter().map(comment).collect();
    let Some(seen) = render::all(&documents) else { return };
    for (document, seen_here) in documents.iter().zip(&seen) {
        assert!(seen_here.lines.is_empty(), "{:?}\n{document}", seen_here.lines);
        for (renderer, rendered) in &seen_here.rendered {
            assert_eq!(rendered.elements, seen[0].rendered[renderer].elements, "{renderer}\n{document}");
            assert!(rendered.found.is_empty(), "{renderer} {:?}\n{document}", rendered.found);
        }
    }
}

#[test]
fn no_line_of_a_job_s_log_is_a_command() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    let file = "stacks/a\n::debug::x.toml";
    let texts = ["one\n::add-mask::o\n", "one\n  ::set-output name=a::b\n", "a\n##[add-mask]o", "::warning::\u{200b}x"];
    for (at, text) in texts.into_iter().enumerate() {
        project.write(file, &stack(&format!("log{at}"), text));
        for arguments in [&["validate"][..], &["plan"], &["apply", "-y"], &["plan", "--json"], &["show"], &["output"], &["state", "pull"]] {
            let ran = project.expect(0, &[arguments, &[file]].concat());
            assert!(commands(&ran.stdout).is_empty(), "{arguments:?} {:?}", commands(&ran.stdout));
            assert!(commands(&ran.stderr).is_empty(), "{arguments:?} {:?}", commands(&ran.stderr));
        }
        // What is JSON still says the same.
        let plan = project.json(&["plan", "--json", file]);
        assert_eq!(plan["checks"][0]["message"], text, "{plan}");
    }
}
