//! The guides and the pages for those who come from other tools: their stacks validate and are laid out, and what they say of
//! expressions is so.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::support::program::{Project, ran};

const FROM_TERRAFORM: &str = include_str!("../../docs/from-terraform.md");

/// The guides, and the pages `docs/from-*.md`.
pub fn pages() -> Vec<PathBuf> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let in_folder = |folder: PathBuf| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let is_from = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("from-"));
    in_folder(docs.join("guides")).into_iter().chain(in_folder(docs).into_iter().filter(is_from)).collect()
}

/// The fenced blocks of a page, each without its fences.
fn blocks(page: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in page.lines() {
        match (&mut open, line.starts_with("```")) {
            (None, true) => open = Some(String::new()),
            (Some(_), true) => blocks.extend(open.take()),
            (Some(block), false) => *block += &format!("{line}\n"),
            (None, false) => {}
        }
    }
    blocks
}

/// The file that a block is of: its first line is `# stacks/web.toml`, say.
fn file(block: &str) -> Option<&str> {
    let name = block.lines().next()?.strip_prefix("# ")?;
    (name.contains('.') && !name.contains(' ')).then_some(name)
}

/// The files of a page: blocks that name the same file are one after the other in it. A stack that names no file has a number.
fn files(page: &str) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = Vec::new();
    for (number, block) in blocks(page).iter().enumerate() {
        let (name, text) = match file(block) {
            Some(name) => (name.to_owned(), block.split_once('\n').unwrap().1.trim_start()),
            None if block.starts_with("[stack]") => (format!("stacks/block-{number}.toml"), block.as_str()),
            None => continue,
        };
        match files.iter_mut().find(|(known, _)| *known == name) {
            Some((_, before)) => *before += &format!("\n{text}"),
            None => files.push((name, text.to_owned())),
        }
    }
    files
}

#[test]
fn the_stacks_of_the_guides_are_valid_and_laid_out() {
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        let project = Project::new("", "test");
        let files = files(&text);
        files.iter().for_each(|(name, text)| project.write(name, text));
        for (name, _) in files.iter().filter(|(name, _)| name.ends_with(".toml")) {
            for arguments in [vec!["validate", name], vec!["fmt", "--check", name]] {
                let done = project.run(&arguments);
                assert_eq!(done.code, 0, "{}: {arguments:?}\n{}\n{}", page.display(), done.stdout, done.stderr);
            }
        }
    }
}

/// The cells of a table's row that are code, without their marks.
fn cells(row: &str) -> Vec<String> {
    let row = row.replace("\\|", "\u{0}");
    let cells = row.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`').replace('\u{0}', "|"));
    cells.collect()
}

#[test]
fn the_functions_of_terraform_are_spelled_as_their_table_says() {
    let table = FROM_TERRAFORM.split_once("## Functions").unwrap().1.split_once("\n## ").unwrap().0;
    let rows: Vec<Vec<String>> = table.lines().filter(|line| line.starts_with("| `")).map(cells).collect();
    assert!(rows.len() > 100 && rows.iter().all(|row| row.len() == 3), "{rows:?}");
    let project = Project::new("", "test");
    project.write("stacks/functions.toml", "[stack]\nname = \"functions\"\nregion = \"us-east-1\"\n");
    project.write("stacks/files/hello.txt", "hello");
    project.write("stacks/files/greeting.txt", "hello ${who}");
    let expressions: String = rows.iter().map(|row| format!("{}\n", row[1])).collect();
    let mut console = project.command(&["console", "stacks/functions.toml"]);
    let mut child = console.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(expressions.as_bytes()).unwrap();
    let done = ran(child.wait_with_output().unwrap());
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert_eq!(done.stdout.lines().collect::<Vec<_>>(), rows.iter().map(|row| row[2].as_str()).collect::<Vec<_>>());
}

#[test]
fn the_types_of_terraform_are_all_named_and_all_there() {
    let listed = Project::new("", "test").expect(0, &["explain", "--list"]).stdout;
    let there: BTreeSet<&str> = listed.lines().filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next()).collect();
    let named: BTreeSet<&str> = FROM_TERRAFORM.split('`').skip(1).step_by(2).collect();
    let own = there.iter().filter(|name| !name.starts_with("awscc_") && !name.starts_with("data."));
    assert_eq!(own.filter(|name| !named.contains(**name)).collect::<Vec<_>>(), Vec::<&&str>::new());
    let generic = named.iter().filter(|name| name.starts_with("awscc_") && !name.contains(['.', '*']));
    assert_eq!(generic.filter(|name| !there.contains(**name)).collect::<Vec<_>>(), Vec::<&&str>::new());
}
