//! Completion at the prompt: commands, flags, and the names of the stack. No AWS is asked.

mod quoted;

use std::path::Path;

use clap::{CommandFactory, Parser};
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::{CompleteEnv, Elvish, Fish, Shells, Zsh};

use super::args::{Cli, SCALES};
use super::{CliError, Exit, project};
use crate::ui;
use leoctl_aws::cloud_control;
use leoctl_core::model::address::Block;
use leoctl_core::stack::Stack;

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
            "stack" | "stacks" | "named_stack" => stacks,
            "services" | "service" | "like" => || blocks(&["ecs_service"], false),
            "to" if is_called(&argument, SCALES) => scales,
            "names" => || blocks(&["ecs_service", "ecs_task_definition", "cloudwatch_log_group"], false),
            "definition" => || blocks(&["ecs_task_definition"], false),
            "only" | "name" if is_called(&argument, "SECRET") => || blocks(&["secretsmanager_secret"], true),
            "name" if argument.is_positional() => outputs,
            "what" => types,
            "shell" => || SHELLS.names().map(CompletionCandidate::new).collect(),
            "repository" => || blocks(&["ecr_repository"], false),
            "targets" | "excludes" | "replace" | "from" | "to" if !is_called(&argument, "FILE") => addresses,
            "address" if !is_called(&argument, "FILE") => || blocks(&[], true),
            _ => return argument,
        };
        argument.add(ArgValueCandidates::new(names))
    });
    command.mut_subcommands(named)
}

/// Whether the help calls the value of an argument so.
fn is_called(argument: &clap::Arg, value: &str) -> bool {
    argument.get_value_names().is_some_and(|names| names.iter().any(|name| name == value))
}

fn stacks() -> Vec<CompletionCandidate> {
    project::all().into_iter().map(CompletionCandidate::new).collect()
}

/// The resource types and data sources that there are.
fn types() -> Vec<CompletionCandidate> {
    let catalog = leoctl_aws::registry::catalog();
    let data = catalog.data.keys().map(|name| format!("data.{name}"));
    let further = cloud_control::type_names().map(str::to_owned);
    catalog.resources.keys().cloned().chain(data).chain(further).map(CompletionCandidate::new).collect()
}

/// What `scale` may begin with, and the services.
fn scales() -> Vec<CompletionCandidate> {
    let words = ["down", "up"].into_iter().map(CompletionCandidate::new);
    words.chain(blocks(&["ecs_service"], false)).collect()
}

/// The outputs of the stack that a command would take by itself.
fn outputs() -> Vec<CompletionCandidate> {
    let stack = project::default_stack().ok().and_then(|path| read(&path));
    stack.iter().flat_map(|stack| stack.config.outputs.keys()).map(|name| CompletionCandidate::new(name.to_string())).collect()
}

/// The resource blocks and the modules of the stack that a command would take by itself.
fn addresses() -> Vec<CompletionCandidate> {
    let stack = project::default_stack().ok().and_then(|path| read(&path));
    let modules: Vec<String> = stack.iter().flat_map(|stack| stack.config.modules.instances.keys()).map(ToString::to_string).collect();
    blocks(&[], true).into_iter().chain(modules.into_iter().map(CompletionCandidate::new)).collect()
}

/// The resource blocks of these types, or of all, in the stack that a command would take by itself: their names, or their addresses.
fn blocks(types: &[&str], whole: bool) -> Vec<CompletionCandidate> {
    let Ok(path) = project::default_stack() else { return Vec::new() };
    let Some(stack) = read(&path) else { return Vec::new() };
    let named = |block: &Block| if whole { block.to_string() } else { short(block, &stack, types) };
    let blocks = stack.config.resources.keys().filter(|block| types.is_empty() || types.contains(&block.type_name.as_str()));
    blocks.map(named).map(CompletionCandidate::new).collect()
}

/// What a block is called where only blocks of these types are: by its name, in a module by that or its key. Where these are
/// those of several, it goes by its address.
fn short(block: &Block, stack: &Stack, types: &[&str]) -> String {
    let own = |block: &Block| block.module.iter().last().map_or(block.name.clone(), |used| used.key.clone().unwrap_or(used.name.clone()));
    let name = own(block);
    let others = stack.config.resources.keys().filter(|other| *other != block && types.contains(&other.type_name.as_str()));
    let is_taken = others.into_iter().any(|other| other.name == name || own(other) == name);
    if is_taken && !block.module.is_root() { block.to_string() } else { name }
}

/// A stack as far as it can be read without a word: what is wrong with it, other commands say.
fn read(path: &Path) -> Option<Stack> {
    let plain = Cli::try_parse_from(["leoctl", "validate"]).ok()?;
    project::find(path, &plain.global).ok()
}
