//! Wiring: one file for each command, all of them thin.

mod apply;
pub mod args;
mod ask;
mod changed;
mod comment;
mod complete;
mod contents;
mod cost;
mod demo;
mod docker;
mod drift;
mod elsewhere;
mod exec;
mod explain;
mod fmt;
mod habits;
mod hint;
mod iam_policy;
mod init;
mod inspect;
mod logs;
mod operate;
mod order;
mod plan;
mod plan_id;
mod project;
mod redeploy;
mod review;
mod run;
mod sandbox;
mod saved;
mod scale;
mod schema;
mod secrets;
mod session;
mod signals;
mod state;
mod stats;
mod status;
mod tasks;
mod validate;
mod waiting;

use std::io::IsTerminal;

use clap::Parser;

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::ops::Problem;
use crate::sandbox::SandboxError;
use crate::ui::{self, BAD, failure, styled};
use args::{Cli, Command, Global};
use leoctl_aws::profile::UnknownProfile;
use leoctl_core::engine::EngineError;
use leoctl_core::engine::ports::{Failure, StoreError};
use leoctl_core::stack::diagnostic::{Diagnostics, Source, suggestion};

/// What leoctl tells the shell.
#[must_use = "it says whether what was asked for was done, and the shell is to be told"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done,
    /// An error.
    Error,
    /// There are changes, and the caller asked to be told.
    Changes,
    /// Interrupted; the state is saved.
    Interrupted,
    /// What a command that was run elsewhere exited with.
    Of(u8),
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Error => 1,
            Exit::Changes => 2,
            Exit::Interrupted => 130,
            Exit::Of(code) => code,
        })
    }
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Something is wrong with the stack.
    #[error("{} errors", diagnostics.0.len())]
    Diagnostics {
        /// What.
        diagnostics: Diagnostics,
        /// Where.
        sources: Vec<Source>,
    },
    /// There is no plan.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The state cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The sandbox does not do it.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The user wanted it to stop.
    #[error("interrupted")]
    Interrupted,
    /// The command does not make sense.
    #[error("{message}")]
    Usage {
        /// Why not.
        message: String,
        /// What would.
        help: String,
    },
}

impl CliError {
    fn usage(message: &str, help: &str) -> Self {
        Self::Usage { message: message.to_owned(), help: help.to_owned() }
    }

    /// AWS did not do what a command was at; `doing` says what, in words.
    fn aws(doing: &str, failure: Failure) -> Self {
        EngineError::Aws { doing: doing.to_owned(), failure }.into()
    }
}

impl From<Diagnostics> for CliError {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::Diagnostics { diagnostics, sources: Vec::new() }
    }
}

impl From<UnknownProfile> for CliError {
    fn from(error: UnknownProfile) -> Self {
        let known = error.known.iter().map(String::as_str);
        let help = suggestion(&error.name, known).unwrap_or_else(|| "`aws configure list-profiles` lists those that there are".to_owned());
        Self::usage(&error.to_string(), &help)
    }
}

impl From<Problem> for CliError {
    fn from(Problem { message, help }: Problem) -> Self {
        Self::Usage { message, help }
    }
}

/// How this run talks.
#[derive(Clone, Debug)]
pub struct Context {
    /// Options of every command.
    pub global: Global,
    /// Whether somebody can be asked.
    pub interactive: bool,
}

impl Context {
    /// Says what may be done next, in commands that act where this run does.
    pub fn hint(&self, text: &str) {
        self.say(text);
    }

    /// Says something in passing; JSON output keeps quiet.
    pub fn say(&self, text: &str) {
        if !self.global.json {
            ui::note(text);
        }
    }
}

/// Runs leoctl with the process's arguments.
pub fn main() -> Exit {
    complete::answer();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(said) => return not_a_command(&said),
    };
    if cli.global.no_color {
        anstream::ColorChoice::Never.write_global();
    }
    log_to_stderr(cli.global.verbose);
    let interactive = std::io::stdin().is_terminal() && ui::terminal::stderr_is_terminal();
    let context = Context { global: cli.global, interactive };
    ui::commands::have(context.global.place());
    // Checking a stack needs no runtime, and so does not wait for one.
    let outcome = match cli.command {
        _ if context.global.sandbox && context.global.endpoint_url.is_some() => {
            Err(CliError::usage("`--sandbox` and `--endpoint-url` name two places", "leave one of them out"))
        }
        Command::Init { ci } => init::run(&context, ci),
        Command::Comment(args) => comment::run(&args),
        Command::Validate { stacks, changed, repository } => validate::run(&context, &stacks, changed.as_deref(), &repository),
        Command::Review { own, claims, repository } => review::run(&context, &own, claims.as_deref().zip(repository.as_deref())),
        Command::Completions { shell } => complete::run(&shell),
        Command::Fmt(args) => fmt::run(&context, &args),
        Command::Schema(args) => schema::run(&context, &args),
        other => match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
            Ok(runtime) => {
                let outcome = runtime.block_on(signals::command(run(&context, other)));
                // Threads that wait for a program or a line of input are not waited for.
                runtime.shutdown_background();
                outcome
            }
            Err(error) => Err(CliError::usage(&format!("cannot start: {error}"), "the system refuses threads: free some resources")),
        },
    };
    outcome.unwrap_or_else(|error| {
        ui::note(error_text(&error, !context.global.no_color));
        if matches!(error, CliError::Interrupted) { Exit::Interrupted } else { Exit::Error }
    })
}

/// Shows the help that was asked for, or what is wrong with the arguments.
fn not_a_command(said: &clap::Error) -> Exit {
    if !said.use_stderr() {
        ui::terminal::help(said.render().ansi());
        return Exit::Done;
    }
    // To pass `-y` as a value is never what was meant.
    let said = said.render().to_string();
    let lines = said.lines().filter(|line| !line.trim_start().starts_with("tip: to pass '"));
    ui::note(lines.collect::<Vec<_>>().join("\n").replace("\n\n\n", "\n\n").trim_end());
    let words: Vec<String> = std::env::args().skip(1).collect();
    habits::of(&words).iter().for_each(|here| ui::note(format!("\nIn leoctl: {here}")));
    // Not clap's code, which is 2: here that says that there are changes.
    Exit::Error
}

async fn run(context: &Context, command: Command) -> Result<Exit, CliError> {
    match command {
        Command::Plan(args) => plan::run(context, &args).await,
        Command::Explain(args) => explain::run(context, &args).await,
        Command::Fmt(args) => fmt::run(context, &args),
        Command::Schema(args) => schema::run(context, &args),
        Command::Apply { plan, stacks, saved, plan_id, yes } => match (saved, stacks.as_slice()) {
            (Some(file), _) => saved::apply(context, &file, yes, plan.no_preflight).await,
            (None, [] | [_]) => apply::run(context, stacks.first().map(|path| path.as_path()), &plan, (plan_id.as_deref(), yes)).await,
            (None, _) if plan_id.is_some() => {
                Err(CliError::usage("an id is of one plan, and there are several stacks", "apply one of them by itself"))
            }
            (None, _) => apply::several(context, stacks, &plan, yes).await,
        },
        Command::Destroy { stack, targets, excludes, no_preflight, yes } => {
            apply::destroy(context, stack.as_deref(), targets, excludes, (yes, no_preflight)).await
        }
        Command::Drift(args) => drift::run(context, &args).await,
        Command::Comment(args) => comment::run(&args),
        Command::Import { address, id, stack, yes } => apply::import(context, stack.as_deref(), address, id, yes).await,
        Command::Output { stack, name } => inspect::output(context, stack.as_deref(), name.as_deref()).await,
        Command::Show { stack } => inspect::show(context, stack.as_deref()).await,
        Command::State { command } => state::run(context, command).await,
        Command::Secrets { command } => secrets::run(context, command).await,
        Command::DockerLogin { stack } => docker::login(context, stack.as_deref()).await,
        Command::Push { image, repository, tag, stack, yes } => {
            docker::push(context, stack.as_deref(), &docker::Push { image: &image, repository: &repository, tag: tag.as_deref(), yes })
                .await
        }
        Command::Redeploy(args) => redeploy::run(context, &args).await,
        Command::Scale { to, stack, yes } => scale::run(context, stack.as_deref(), &to, yes).await,
        Command::IamPolicy { command } => iam_policy::run(context, command).await,
        Command::Cost { stack } => cost::run(context, stack.as_deref()).await,
        Command::Status { stack, watch, interval } => status::run(context, stack.as_deref(), watch.then_some(interval)).await,
        Command::Stats { stack, hours } => stats::run(context, stack.as_deref(), hours).await,
        Command::Logs(args) => logs::run(context, &args).await,
        Command::Exec(args) => exec::run(context, &args).await,
        Command::Run(args) => run::run(context, &args).await,
        Command::Tasks { command } => tasks::run(context, command).await,
        Command::Demo => demo::run(context).await,
        Command::Init { ci } => init::run(context, ci),
        Command::Validate { stacks, changed, repository } => validate::run(context, &stacks, changed.as_deref(), &repository),
        Command::Review { own, claims, repository } => review::run(context, &own, claims.as_deref().zip(repository.as_deref())),
        Command::Sandbox { command } => sandbox::run(context, command).await,
        Command::Completions { shell } => complete::run(&shell),
    }
}

/// An error as text of several lines: everything that is known of it, and what to do.
fn error_text(error: &CliError, colour: bool) -> String {
    let titled = |message: &str, rest: Vec<String>| {
        let title = ui::prose(format!("{}: {message}", styled(BAD, "error")));
        let text = std::iter::once(title).chain(rest).collect::<Vec<_>>().join("\n");
        if colour { text } else { ui::terminal::plain(&text) }
    };
    let helps = |helps: &[String]| helps.iter().map(|help| ui::prose(format!("help: {help}"))).collect();
    match error {
        CliError::Interrupted => {
            if colour {
                styled(BAD, "Interrupted.")
            } else {
                "Interrupted.".to_owned()
            }
        }
        CliError::Diagnostics { diagnostics, sources } => ui::diagnostics::render(diagnostics, sources, colour),
        CliError::Engine(EngineError::Diagnostics(diagnostics)) => ui::diagnostics::render(diagnostics, &[], colour),
        CliError::Engine(EngineError::Aws { doing, failure: why }) => {
            titled(doing, failure::lines(why).iter().map(|line| ui::prose(format!("  {line}"))).collect())
        }
        CliError::Store(StoreError { message, help, .. }) => titled(message, helps(help)),
        CliError::Sandbox(SandboxError { message, help }) => titled(message, helps(help.as_slice())),
        CliError::Usage { message, help } => titled(message, helps(std::slice::from_ref(help))),
    }
}

/// Logs to stderr, more with each `-v`. Request bodies are never logged: they may hold secrets.
fn log_to_stderr(verbose: u8) {
    // A target is meant with all those that begin as it does: all of our crates.
    let targets = Targets::new();
    let targets = match verbose {
        0 => return,
        1 => targets.with_target("leoctl", Level::DEBUG),
        _ => targets
            .with_target("leoctl", Level::TRACE)
            .with_target("aws_smithy_runtime", Level::INFO)
            .with_target("aws_config", Level::DEBUG),
    };
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(|| ui::terminal::Log);
    tracing_subscriber::registry().with(lines).with(targets).init();
}
