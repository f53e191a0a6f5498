//! Completion at the prompt: commands, flags, and the names of the stack. No AWS is asked.

mod quoted;

use std::path::Path;

use clap::{CommandFactory, Parser};
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::{CompleteEnv, Elvish, Fish, Shells, Zsh};

use super::args::Cli;
use super::{CliError, Exit, project};
use crate::ui;

/// The variable under which a shell asks for completions: of leoctl alone, so that nothing else that is set turns a
/// command into an answer.
const VARIABLE: &str = "LEOCTL_COMPLETE";

/// The shells that leoctl completes for.
const SHELLS: Shells<'static> = Shells(&[&quoted::QuotedBash, &Elvish, &Fish, &quoted::QuotedPowershell, &Zsh]);

/// Answers the shell when it is one that asks for completions, and ends the process.
pub fn answer() {
    let asked = std::env::var_os(VARIABLE).filter(|shell| !shell.is_empty() && shell != "0");
    if let Some(shell) = asked.filter(|shell| shell.to_str().is_none_or(|name| SHELLS.completer(name).is_none())) {
        let shells = SHELLS.names().collect::<Vec<_>>().join(", ");
        ui::note(format!(
            "error: the environment variable {VARIABLE} is `{}`: shells set it to ask for completions, to one of {shells}. Unset it to run a command.",
            shell.display()
        ));
        std::process::exit(1);
    }
    CompleteEnv::with_factory(command).var(VARIABLE).shells(SHELLS).complete();
}

/// Prints what a shell runs to have completions.
pub fn run(shell: &str) -> Result<Exit, CliError> {
    let failed = |error: std::io::Error| CliError::usage(&error.to_string(), "this leoctl is broken: please report it");
    let Some(completer) = SHELLS.completer(shell) else {
        let names: Vec<&str> = SHELLS.names().collect();
        return Err(CliError::usage(&format!("there are no completions for `{shell}`"), &format!("there are for {}", names.join(", "))));
    };
    let mut script = Vec::new();
    completer.write_registration(VARIABLE, "leoctl", "leoctl", "leoctl", &mut script).map_err(failed)?;
    ui::terminal::exact(String::from_utf8_lossy(&script).trim_end());
    Ok(Exit::Done)
}

/// The command line, with the names of the stack where such are expected.
fn command() -> clap::Command {
    named(Cli::command())
}

fn named(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|argument| {
        let names: fn() -> Vec<CompletionCandidate> = match argument.get_id().as_str() {
            "stack" | "stacks" => stacks,
            "services" | "service" | "to" => || blocks("ecs_service", false),
            "shell" => || SHELLS.names().map(CompletionCandidate::new).collect(),
            "repository" => || blocks("ecr_repository", false),
            "targets" | "excludes" | "replace" | "address" | "from" if !is_file(&argument) => || blocks("", true),
            _ => return argument,
        };
        argument.add(ArgValueCandidates::new(names))
    });
    command.mut_subcommands(named)
}

fn is_file(argument: &clap::Arg) -> bool {
    argument.get_value_names().is_some_and(|names| names.iter().any(|name| name == "FILE"))
}

fn stacks() -> Vec<CompletionCandidate> {
    project::all().into_iter().map(CompletionCandidate::new).collect()
}

/// The resource blocks of a type in the stack that a command would take by itself: their names, or their addresses.
fn blocks(type_name: &str, whole: bool) -> Vec<CompletionCandidate> {
    let Ok(path) = project::default_stack() else { return Vec::new() };
    let named = |block: &leoctl_core::model::address::Block| if whole { block.to_string() } else { block.name.to_string() };
    let Some(stack) = read(&path) else { return Vec::new() };
    let blocks = stack.config.resources.keys().filter(|block| type_name.is_empty() || block.type_name == type_name);
    blocks.map(named).map(CompletionCandidate::new).collect()
}

/// A stack as far as it can be read without a word: what is wrong with it, other commands say.
fn read(path: &Path) -> Option<leoctl_core::stack::Stack> {
    let plain = Cli::try_parse_from(["leoctl", "validate"]).ok()?;
    project::find(path, &plain.global).ok()
}
