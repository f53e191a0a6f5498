//! Wiring: one file for each command, all of them thin.

mod accept;
mod apply;
mod approvals;
mod approve;
pub mod args;
mod ask;
mod changed;
mod comment;
mod complete;
mod console;
mod contents;
mod cost;
mod demo;
mod docker;
mod drift;
mod elsewhere;
mod encryption;
pub mod error;
mod exec;
mod explain;
mod fmt;
mod graph;
mod habits;
mod hint;
mod iam_policy;
mod init;
mod inspect;
mod live;
mod logs;
mod lsp;
mod man;
mod mcp;
mod operate;
mod order;
mod plan;
mod plan_id;
mod project;
mod redeploy;
mod release;
mod review;
mod rotate;
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
mod stdio;
mod tasks;
mod validate;
mod version;
mod waiting;

use std::io::IsTerminal;

use clap::Parser;

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::ui;
use args::{Cli, Command, Global};
pub use error::CliError;

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

    /// How much of a plan is shown.
    pub fn detail(&self) -> ui::plan::Detail {
        ui::plan::Detail::new(self.global.full)
    }

    /// Says something in passing; JSON output keeps quiet.
    pub fn say(&self, text: &str) {
        if !self.global.json && !self.global.quiet {
            ui::note(text);
        }
    }
}

/// Runs leoctl with the process's arguments.
pub fn main() -> Exit {
    complete::answer();
    let mut cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(said) => return not_a_command(&said),
    };
    if cli.global.no_color {
        anstream::ColorChoice::Never.write_global();
    }
    if cli.global.plain {
        ui::terminal::be_plain();
    }
    log_to_stderr(cli.global.verbose);
    let interactive = std::io::stdin().is_terminal() && ui::terminal::stderr_is_terminal();
    let context = Context { global: cli.global, interactive };
    ui::commands::have(context.global.place());
    let stack = cli.command.take_stack(context.global.named_stack.clone());
    // Checking a stack needs no runtime, and so does not wait for one.
    let outcome = match cli.command {
        _ if stack.is_err() => stack.map(|()| Exit::Error),
        _ if context.global.sandbox && context.global.endpoint_url.is_some() => {
            Err(CliError::usage("`--sandbox` and `--endpoint-url` name two places", "leave one of them out"))
        }
        Command::Init(args) => init::run(&context, &args),
        Command::Comment(args) => comment::run(&args),
        Command::Validate(args) => validate::run(&context, &args),
        Command::Review { own, claims, repository } => review::run(&context, &own, claims.as_deref().zip(repository.as_deref())),
        Command::Completions { shell } => complete::run(&shell),
        Command::Version => version::run(&context),
        Command::Man { out } => man::run(&context, &out),
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
        error::show(&error, context.global.json, !context.global.no_color);
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
    let said = lines.collect::<Vec<_>>().join("\n").replace("\n\n\n", "\n\n");
    let words: Vec<String> = std::env::args().skip(1).collect();
    let here = habits::of(&words).map(|here| format!("In leoctl: {here}"));
    if words.iter().any(|word| word == "--json") {
        let said = said.trim_end().trim_start_matches("error: ");
        ui::terminal::object(&serde_json::json!({ "error": error::no_command(said, here.as_slice()) }));
    } else {
        ui::note(said.trim_end());
        here.iter().for_each(|here| ui::note(format!("\n{here}")));
    }
    // Not clap's code, which is 2: here that says that there are changes.
    Exit::Error
}

async fn run(context: &Context, command: Command) -> Result<Exit, CliError> {
    match command {
        Command::Plan(args) => plan::run(context, &args).await,
        Command::Lsp { .. } => lsp::run(context).await,
        Command::Mcp(args) => mcp::run(context, args).await,
        Command::Approve(args) => approve::run(context, &args).await,
        Command::Explain(args) => explain::run(context, &args).await,
        Command::Fmt(args) => fmt::run(context, &args),
        Command::Schema(args) => schema::run(context, &args),
        Command::Console(args) => console::run(context, &args).await,
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
        Command::Graph(args) => graph::run(context, &args).await,
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
        Command::Status(args) => status::run(context, &args).await,
        Command::Stats { stack, hours } => stats::run(context, stack.as_deref(), hours).await,
        Command::Logs(args) => logs::run(context, &args).await,
        Command::Exec(args) => exec::run(context, &args).await,
        Command::Run(args) => run::run(context, &args).await,
        Command::Tasks { command } => tasks::run(context, command).await,
        Command::Demo => demo::run(context).await,
        Command::Init(args) => init::run(context, &args),
        Command::Validate(args) => validate::run(context, &args),
        Command::Review { own, claims, repository } => review::run(context, &own, claims.as_deref().zip(repository.as_deref())),
        Command::Sandbox { command } => sandbox::run(context, command).await,
        Command::Completions { shell } => complete::run(&shell),
        Command::Version => version::run(context),
        Command::Man { out } => man::run(context, &out),
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
