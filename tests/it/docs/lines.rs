//! Every command that a page names is one of leoctl's, with options that there are.

use std::sync::OnceLock;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory, Error};

use leoctl::cli::args::Cli;

use super::pages::{self, Page};

#[test]
fn every_command_on_every_page_is_one_that_leoctl_takes() {
    let mut wrong = Vec::new();
    for page in pages::all() {
        for (line, text, is_whole) in named(&page) {
            let refused = variants(&text).iter().find_map(|words| refusal(words, is_whole));
            wrong.extend(refused.map(|why| format!("{}:{line}: `{text}`: {why}", page.path)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The definition of the command line, which takes long to make.
fn program() -> &'static Command {
    static PROGRAM: OnceLock<Command> = OnceLock::new();
    PROGRAM.get_or_init(Cli::command)
}

/// The commands that a page names, with their lines, and whether they are meant to be run as they are.
fn named(page: &Page) -> Vec<(usize, String, bool)> {
    let mut found = Vec::new();
    for block in page.blocks().iter().filter(|block| block.is_console() || block.is_script()) {
        let commands = block.commands().into_iter().flat_map(|(command, _)| {
            let command = command.replace("\\\n", " ");
            command.lines().map(str::to_owned).collect::<Vec<_>>()
        });
        found.extend(commands.flat_map(|command| calls(&command)).map(|call| (block.line, call, true)));
    }
    let mut in_fence = false;
    for (at, line) in page.text.lines().enumerate() {
        in_fence ^= line.trim_start().starts_with("```");
        if !in_fence {
            found.extend(spans(line).into_iter().filter_map(call).map(|call| (at + 1, call, false)));
        }
    }
    found
}

/// What stands between backticks on a line.
fn spans(line: &str) -> Vec<&str> {
    line.split('`').skip(1).step_by(2).collect()
}

/// A span as a command: one that begins with leoctl's name, or with a command's, and has an option.
fn call(span: &str) -> Option<String> {
    let first = span.split(' ').next()?;
    let has_option = span.split(' ').skip(1).any(|word| word.starts_with("--"));
    match first {
        "leoctl" => Some(span.to_owned()).filter(|span| span.contains(' ')),
        name => (has_option && program().find_subcommand(name).is_some()).then(|| format!("leoctl {span}")),
    }
}

/// The calls of leoctl in a line for a shell.
fn calls(line: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quote = None;
    let mut before = ' ';
    for c in line.chars() {
        match (quote, c) {
            (None, '#') if before == ' ' => break,
            (None, '|' | ';' | '&' | '(' | ')') => parts.push(String::new()),
            (None, '>' | '<') => parts.push("to ".to_owned()),
            _ => parts.last_mut().unwrap().push(c),
        }
        quote = match quote {
            None if c == '\'' || c == '"' => Some(c),
            Some(open) if open == c => None,
            other => other,
        };
        before = c;
    }
    // What sets a variable for one command stands before its name.
    let from_name = |part: &String| {
        let rest = part.trim();
        let start = if rest.starts_with("leoctl ") { Some(0) } else { rest.find(" leoctl ").map(|at| at + 1) };
        start.map(|at| rest[at..].to_owned())
    };
    parts.iter().filter_map(from_name).collect()
}

/// The words of a command, once for each of the words that may stand in one place: `plan|apply STACK`.
fn variants(text: &str) -> Vec<Vec<String>> {
    let mut all: Vec<Vec<String>> = vec![Vec::new()];
    for word in words(text) {
        let choices: Vec<&str> = if word.contains('"') { vec![&word] } else { word.split('|').collect() };
        all = all.iter().flat_map(|words| choices.iter().map(|choice| [&words[..], &[(*choice).to_owned()]].concat())).collect();
    }
    all
}

/// Words as a shell has them, without the signs of what may be left out or repeated.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut quote, mut word) = (Vec::new(), None, String::new());
    for c in text.chars() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, ' ' | '\n') => words.push(std::mem::take(&mut word)),
            (None, '[' | ']' | '…') => {}
            (_, c) => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty() && word != "...");
    words
}

/// Why leoctl would not take this. What stands for something, such as FILE, is any value; a command that is only named
/// need not have all its arguments.
fn refusal(words: &[String], is_whole: bool) -> Option<String> {
    let error = program().clone().try_get_matches_from(words).err()?;
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => None,
        ErrorKind::MissingRequiredArgument | ErrorKind::MissingSubcommand if !is_whole => None,
        ErrorKind::ValueValidation | ErrorKind::InvalidValue | ErrorKind::InvalidSubcommand if stands_for_something(&error, is_whole) => {
            None
        }
        _ => Some(error.to_string().lines().next().unwrap_or_default().to_owned()),
    }
}

/// Whether the value that is refused is a word in capitals, or is left out of a command that is only named.
fn stands_for_something(error: &Error, is_whole: bool) -> bool {
    let said = error.get(ContextKind::InvalidValue).or_else(|| error.get(ContextKind::InvalidSubcommand));
    let Some(ContextValue::String(word)) = said else { return false };
    let is_named = word.chars().any(|c| c.is_ascii_uppercase()) && !word.chars().any(|c| c.is_ascii_lowercase());
    is_named || (word.is_empty() && !is_whole)
}

#[test]
fn a_command_with_an_option_that_is_not_there_is_found() {
    let page = |text: &str| Page { path: "a.md".to_owned(), text: text.to_owned() };
    let wrong = |text: &str| {
        let named = named(&page(text));
        named.iter().flat_map(|(_, text, is_whole)| variants(text).into_iter().filter_map(|words| refusal(&words, *is_whole))).count()
    };
    for right in [
        "`leoctl plan STACK`, `leoctl iam-policy plan|apply STACK --role NAME`, `leoctl import`, `plan --json`",
        "```sh\nX=1 leoctl plan a.toml --out p > log  # --bogus\n```",
        "```console\n$ echo 1 | leoctl console a.toml\n--bogus\n```",
        "```console\n$ leoctl plan --target 'module.web[\"a\"]'\n```",
    ] {
        assert_eq!(wrong(right), 0, "{right}");
    }
    for bogus in [
        "`leoctl plan --bogus`",
        "`plan --bogus`",
        "`leoctl bogus x`",
        "```sh\ntrue && leoctl plan --out\n```",
        "```sh\nleoctl import\n```",
    ] {
        assert_eq!(wrong(bogus), 1, "{bogus}");
    }
}
