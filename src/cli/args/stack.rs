//! Which stack a command is about, by one rule: `--stack` names it for every command that is about one, and the argument STACK
//! names it as well where a command has that. What the other arguments name is no stack.

use std::path::{Path, PathBuf};

use super::{Command, IamPolicyCommand, SecretsCommand, StateCommand, TasksCommand};
use crate::cli::CliError;

/// Where a command keeps the stack that it is about.
enum Kept<'a> {
    /// It is about one.
    One(&'a mut Option<PathBuf>),
    /// It is about several.
    Several(&'a mut Vec<PathBuf>),
    /// It is about none; why.
    None(&'static str),
}

impl Command {
    /// Takes the stack that `--stack` names, and finds one among words where it is none of what they name.
    ///
    /// # Errors
    /// When it is named twice, where it is not looked for, or for a command that is about no stack.
    pub fn take_stack(&mut self, named: Option<PathBuf>) -> Result<(), CliError> {
        if let Some(word) = self.names().into_iter().find(|word| is_file(word)) {
            let message = format!("`{word}` is a stack file, which is no argument of this command");
            return Err(CliError::usage(&message, &format!("name it with `--stack {word}`")));
        }
        self.sort_words(named.is_some());
        let taken = match (self.kept(), named) {
            (Kept::None(why), Some(_)) => Err(CliError::usage(why, "leave `--stack` out")),
            (Kept::One(Some(word)), Some(named)) => Err(twice(word, &named)),
            (Kept::Several(words), Some(named)) => match words.first() {
                Some(word) => Err(twice(word, &named)),
                None => {
                    words.push(named);
                    Ok(())
                }
            },
            (Kept::One(kept), Some(named)) => {
                *kept = Some(named);
                Ok(())
            }
            (_, None) => Ok(()),
        };
        taken.and_then(|()| self.saved_plan_names_its_own())
    }

    /// The words of which none is a stack.
    fn names(&self) -> Vec<&str> {
        match self {
            Self::Redeploy(args) => args.services.iter().map(String::as_str).collect(),
            Self::Logs(args) => args.names.iter().map(String::as_str).collect(),
            Self::Exec(args) => vec![args.service.as_str()],
            Self::Run(args) => vec![args.definition.as_str()],
            Self::Push { image, repository, .. } => vec![image.as_str(), repository.as_str()],
            Self::Scale { to, .. } => to.iter().map(String::as_str).collect(),
            Self::Tasks { command: TasksCommand::List { service, .. } } => service.iter().map(String::as_str).collect(),
            Self::Tasks { command: TasksCommand::Stop { ids, .. } } => ids.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// Of words that may name a stack or something else, which is which: `status STACK SERVICE…`, `output STACK NAME`.
    fn sort_words(&mut self, is_named: bool) {
        match self {
            Self::Status(args) => {
                if let Some(at) = args.services.iter().position(|word| is_file(word)) {
                    args.stack = Some(args.services.remove(at).into());
                }
            }
            // With the stack named otherwise, the only word is an output.
            Self::Output { stack, name } if is_named && name.is_none() => {
                if let Some(word) = stack.take_if(|word| !word.to_str().is_some_and(is_file)) {
                    *name = word.to_str().map(str::to_owned);
                }
            }
            _ => {}
        }
    }

    fn kept(&mut self) -> Kept<'_> {
        const NO_STACK: &str = "this command is about no stack";
        match self {
            Self::Plan(args) => Kept::Several(&mut args.stacks),
            Self::Validate(args) => Kept::Several(&mut args.stacks),
            Self::Drift(args) => Kept::Several(&mut args.stacks),
            Self::Apply { stacks, .. } => Kept::Several(stacks),
            Self::Redeploy(args) => Kept::One(&mut args.stack),
            Self::Logs(args) => Kept::One(&mut args.stack),
            Self::Exec(args) => Kept::One(&mut args.stack),
            Self::Run(args) => Kept::One(&mut args.stack),
            Self::Status(args) => Kept::One(&mut args.stack),
            Self::Graph(args) => Kept::One(&mut args.stack),
            Self::Console(args) => Kept::One(&mut args.stack),
            Self::Destroy { stack, .. }
            | Self::Import { stack, .. }
            | Self::Output { stack, .. }
            | Self::Show { stack }
            | Self::DockerLogin { stack }
            | Self::Push { stack, .. }
            | Self::Scale { stack, .. }
            | Self::Cost { stack }
            | Self::Stats { stack, .. } => Kept::One(stack),
            Self::Tasks { command: TasksCommand::List { stack, .. } | TasksCommand::Stop { stack, .. } } => Kept::One(stack),
            Self::State { command } => Kept::One(command.stack()),
            Self::Secrets { command } => Kept::One(command.stack()),
            Self::IamPolicy { command } => Kept::One(command.stack()),
            Self::Init { .. }
            | Self::Review { .. }
            | Self::Explain(_)
            | Self::Lsp { .. }
            | Self::Mcp(_)
            | Self::Approve(_)
            | Self::Fmt(_)
            | Self::Schema(_)
            | Self::Comment(_)
            | Self::Sandbox { .. }
            | Self::Demo
            | Self::Completions { .. }
            | Self::Version
            | Self::Man { .. } => Kept::None(NO_STACK),
        }
    }

    /// A saved plan says of which stack it is.
    fn saved_plan_names_its_own(&self) -> Result<(), CliError> {
        match self {
            Self::Apply { saved: Some(file), stacks, .. } => match stacks.first() {
                Some(stack) => {
                    let message = format!("the saved plan {} is of one stack, which it names itself", file.display());
                    Err(CliError::usage(&message, &format!("leave `{}` out", stack.display())))
                }
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

impl StateCommand {
    fn stack(&mut self) -> &mut Option<PathBuf> {
        match self {
            Self::List { stack }
            | Self::Show { stack, .. }
            | Self::Mv { stack, .. }
            | Self::Rm { stack, .. }
            | Self::Pull { stack }
            | Self::Push { stack, .. }
            | Self::Unlock { stack }
            | Self::Migrate { stack, .. }
            | Self::Rotate { stack }
            | Self::Decrypt { stack } => stack,
        }
    }
}

impl SecretsCommand {
    fn stack(&mut self) -> &mut Option<PathBuf> {
        match self {
            Self::Status { stack, .. } | Self::Push { stack, .. } | Self::PullNames { stack, .. } | Self::Set { stack, .. } => stack,
        }
    }
}

impl IamPolicyCommand {
    fn stack(&mut self) -> &mut Option<PathBuf> {
        match self {
            Self::Plan(args) | Self::Apply(args) | Self::Operate(args) => &mut args.stack,
        }
    }
}

/// Whether a word is meant as a stack file.
fn is_file(word: &str) -> bool {
    word.ends_with(".toml")
}

fn twice(one: &Path, other: &Path) -> CliError {
    CliError::usage(&format!("the stack is named twice: {} and {}", one.display(), other.display()), "name it once")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::Cli;
    use super::*;

    /// What a command line comes to: its command as Rust shows it, or what is wrong with it.
    fn meant(line: &str) -> String {
        let mut cli =
            Cli::try_parse_from(std::iter::once("leoctl").chain(line.split(' '))).unwrap_or_else(|error| panic!("{line}: {error}"));
        match cli.command.take_stack(cli.global.named_stack.clone()) {
            Ok(()) => format!("{:?}", cli.command),
            Err(CliError::Usage { message, help }) => format!("{message}; {help}"),
            Err(_) => panic!("{line}"),
        }
    }

    #[test]
    fn a_stack_is_named_by_the_argument_or_by_the_option_anywhere_and_that_is_the_same() {
        for [one, other] in [
            ["status a.toml", "status --stack a.toml"],
            ["status a.toml web", "status web --stack a.toml"],
            ["status web a.toml", "--stack a.toml status web"],
            ["plan a.toml", "--stack a.toml plan"],
            ["apply a.toml -y", "apply --stack a.toml -y"],
            ["state show vpc.a a.toml", "state show vpc.a --stack a.toml"],
            ["secrets set db a.toml", "secrets --stack a.toml set db"],
            ["output a.toml url", "output url --stack a.toml"],
            ["iam-policy plan a.toml", "iam-policy plan --stack a.toml"],
            ["logs web --stack a.toml", "--stack a.toml logs web"],
            ["tasks list --stack a.toml", "tasks --stack a.toml list"],
        ] {
            assert_eq!(meant(one), meant(other), "{one}");
            assert!(meant(one).contains("a.toml"), "{one}");
        }
    }

    #[test]
    fn a_stack_where_there_is_none_is_said_with_what_to_write() {
        for (line, said) in [
            ("logs a.toml", "`a.toml` is a stack file, which is no argument of this command; name it with `--stack a.toml`"),
            ("tasks list a.toml", "name it with `--stack a.toml`"),
            ("scale down a.toml", "name it with `--stack a.toml`"),
            ("exec a.toml", "name it with `--stack a.toml`"),
            ("plan a.toml --stack b.toml", "the stack is named twice: a.toml and b.toml"),
            ("output a.toml --stack b.toml", "the stack is named twice"),
            ("explain vpc --stack a.toml", "this command is about no stack; leave `--stack` out"),
            ("apply --plan p a.toml", "the saved plan p is of one stack, which it names itself; leave `a.toml` out"),
            ("apply --plan p --stack a.toml", "leave `a.toml` out"),
        ] {
            assert!(meant(line).contains(said), "{line}: {}", meant(line));
        }
    }
}
