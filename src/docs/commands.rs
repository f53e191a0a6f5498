//! The reference of the commands, written from the definition of the command line.

use std::fmt::Write;

use clap::builder::PossibleValue;
use clap::{Arg, Command, CommandFactory};

use crate::cli::args::Cli;

/// What stands before the commands, up to the heading of the options that all of them have.
const INTRODUCTION: &str = include_str!("commands.md");

/// The page of every command and option.
pub fn page() -> String {
    let mut program = Cli::command();
    program.build();
    let mut page = String::from(INTRODUCTION);
    options(&mut page, program.get_arguments().filter(|argument| argument.is_global_set()));
    for command in shown(&program) {
        section(&mut page, command, "", 2);
    }
    page
}

/// The commands that help lists.
fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help")
}

/// A command, and those inside of it.
fn section(page: &mut String, command: &Command, outer: &str, level: usize) {
    let name = format!("{outer}{}", command.get_name());
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    // Writing to a string does not fail.
    let _ = write!(page, "\n{} `{name}`\n\n{about}.\n\n```text\n{usage}\n```\n", "#".repeat(level));
    if shown(command).next().is_none() {
        let own: Vec<&Arg> = command.get_arguments().filter(|argument| is_own(argument)).collect();
        if !own.is_empty() {
            page.push('\n');
            options(page, own.into_iter());
        }
    }
    for inner in shown(command) {
        section(page, inner, &format!("{name} "), level + 1);
    }
}

fn is_own(argument: &Arg) -> bool {
    !argument.is_global_set() && !argument.is_hide_set() && !["help", "version"].contains(&argument.get_id().as_str())
}

/// Arguments and options as a table.
fn options<'a>(page: &mut String, arguments: impl Iterator<Item = &'a Arg>) {
    page.push_str("| | |\n|---|---|\n");
    for argument in arguments.filter(|argument| !argument.is_hide_set()) {
        let _ = writeln!(page, "| `{}` | {} |", cell(&spelled(argument)), cell(&meaning(argument)));
    }
}

/// An argument as it is typed: `-y, --yes`, `--out <FILE>`, `[STACK]...`.
fn spelled(argument: &Arg) -> String {
    match argument.get_short() {
        Some(short) if argument.get_long().is_some() => format!("-{short}, {argument}"),
        _ => argument.to_string(),
    }
}

fn meaning(argument: &Arg) -> String {
    let mut text = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let takes_value = argument.get_action().takes_values();
    let values: Vec<PossibleValue> =
        argument.get_possible_values().into_iter().filter(|value| takes_value && !value.is_hide_set()).collect();
    let defaults: Vec<String> = argument.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    if !values.is_empty() {
        let _ = write!(text, ": {}", values.iter().map(possible).collect::<Vec<_>>().join("; "));
    }
    if takes_value && !defaults.is_empty() {
        let _ = write!(text, " (default: `{}`)", defaults.join(" "));
    }
    text
}

/// A value that an option takes, and what it means.
fn possible(value: &PossibleValue) -> String {
    let name = value.get_name();
    value.get_help().map_or_else(|| format!("`{name}`"), |help| format!("`{name}`, {}", lowered(&help.to_string())))
}

/// A sentence as a part of another: its first letter is small, unless its first word is a name such as GitHub.
fn lowered(text: &str) -> String {
    let mut letters = text.chars();
    let is_name = letters.clone().skip(1).take_while(|letter| *letter != ' ').any(|letter| letter.is_uppercase());
    match letters.next() {
        Some(first) if !is_name => first.to_lowercase().chain(letters).collect(),
        _ => text.to_owned(),
    }
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
