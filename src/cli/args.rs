//! The command line.

mod agents;
mod graph;
mod init;
mod language;
mod markdown;
mod operating;
mod stack;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use leoctl_core::model::address::Address;
use leoctl_core::model::place::is_region;
use leoctl_core::model::selector::Selector;

pub use agents::{ApproveArgs, McpArgs};
pub use graph::{Colours, GraphArgs, GraphFormat};
pub use init::{Beginning, InitArgs, LONGEST_NAME, project_name};
pub use language::{ConsoleArgs, ExplainArgs, FmtArgs, SchemaArgs, ValidateArgs};
pub use markdown::{CommentArgs, DriftArgs, PlanComment};
pub use operating::{EnvFiles, ExecArgs, LogsArgs, RedeployArgs, RunArgs, SecretsCommand, StatusArgs, TasksCommand};

/// What `scale` takes.
pub const SCALES: &str = "down|up|SERVICE=N";

/// A declarative reconciler for AWS: one TOML stack file, one binary, no CloudFormation.
#[derive(Debug, Parser)]
#[command(name = "leoctl", version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// Set a variable of the stack
    #[arg(long = "var", value_name = "NAME=VALUE", global = true, value_parser = pair)]
    pub vars: Vec<(String, String)>,
    /// Read variables from a TOML file
    #[arg(long = "var-file", value_name = "FILE", global = true)]
    pub var_files: Vec<PathBuf>,
    /// The stack file; the same as the argument STACK, where a command has one
    #[arg(long = "stack", value_name = "STACK", global = true)]
    pub named_stack: Option<PathBuf>,
    /// Use this profile of the AWS configuration
    #[arg(long, global = true)]
    pub profile: Option<String>,
    /// Use this region when the stack names none
    #[arg(long, global = true, value_parser = region)]
    pub region: Option<String>,
    /// Send every AWS call to this address
    #[arg(long, value_name = "URL", global = true, value_parser = url)]
    pub endpoint_url: Option<String>,
    /// Run this many operations at once
    #[arg(long, value_name = "N", default_value_t = 16, global = true, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub parallelism: u16,
    /// Use the local sandbox instead of AWS
    #[arg(long, global = true)]
    pub sandbox: bool,
    /// Use a sandbox of its own that is known by this folder, with its states there
    #[arg(long, value_name = "FOLDER", global = true, hide = true)]
    pub sandbox_in: Option<PathBuf>,
    /// No colours
    #[arg(long, global = true)]
    pub no_color: bool,
    /// Plain lines: no colours, nothing that is brought up to date in place
    #[arg(long, global = true)]
    pub plain: bool,
    /// All of a plan: defaults, long values, and each of what is alike
    #[arg(long, global = true)]
    pub full: bool,
    /// Only results and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// JSON on stdout
    #[arg(long, global = true)]
    pub json: bool,
    /// Say more; twice for every AWS call
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a starter project; what is there already is left alone
    Init(InitArgs),
    /// Check everything that can be checked without AWS
    Validate(ValidateArgs),
    /// Print the plans of a review that change something, for workflows
    #[command(hide = true)]
    Review {
        /// What `leoctl plan --review` wrote
        own: PathBuf,
        /// Fail unless each of them is claimed in this folder, by the one request that changes its stack: NUMBER.json is
        /// what it claims, NUMBER.files the names that it changes
        #[arg(long, value_name = "FOLDER", requires = "repository")]
        claims: Option<PathBuf>,
        /// The root of the repository, from which those names go on
        #[arg(long, value_name = "FOLDER", requires = "claims")]
        repository: Option<PathBuf>,
    },
    /// Show what apply would do
    Plan(PlanArgs),
    /// Say what a type is and what attributes it has, with an example, or what one of them is, or what the code of an error means
    Explain(ExplainArgs),
    /// Serve an editor over stdin and stdout: the Language Server Protocol, for stacks and modules
    Lsp {
        /// As editors say it: there is no other way
        #[arg(long, hide = true)]
        stdio: bool,
    },
    /// Serve an agent over stdin and stdout: the Model Context Protocol, with tools that look and plan, and change nothing in AWS
    Mcp(McpArgs),
    /// Show a saved plan, ask, and let `leoctl mcp --allow-apply` carry it out within 8 hours
    Approve(ApproveArgs),
    /// Lay out stack and module files as this project's documentation does; nothing else of them changes
    Fmt(FmtArgs),
    /// Print the JSON Schema of stack files, by which editors complete and check them
    Schema(SchemaArgs),
    /// Evaluate expressions of the stack language, typed or piped in, a line each
    Console(ConsoleArgs),
    /// Show the plan, ask, and carry it out
    Apply {
        /// What to plan
        #[command(flatten)]
        plan: PlanFlags,
        /// The stack files; what reads another one's outputs comes after it
        #[arg(value_name = "STACK")]
        stacks: Vec<PathBuf>,
        /// Carry out this saved plan, and refuse if the world has moved on
        #[arg(long = "plan", value_name = "FILE", conflicts_with_all = ["destroy", "targets", "excludes", "replace", "scale_up", "plan_id"])]
        saved: Option<PathBuf>,
        /// Carry out only the plan of this id, of one stack, and refuse if it would be another now
        #[arg(long, value_name = "ID")]
        plan_id: Option<String>,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
    /// Delete everything the stack made
    Destroy {
        /// The stack file
        stack: Option<PathBuf>,
        /// Only these
        #[arg(long = "target", value_name = "ADDRESS")]
        targets: Vec<Selector>,
        /// Everything but these
        #[arg(long = "exclude", value_name = "ADDRESS")]
        excludes: Vec<Selector>,
        /// Do not look for what would make it fail
        #[arg(long)]
        no_preflight: bool,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
    /// Show what changed outside leoctl; exit with 2 if anything did
    Drift(DriftArgs),
    /// Print a text as Markdown for a comment or a job's page, in which nothing of the text is markup
    Comment(CommentArgs),
    /// Adopt an existing resource as one of the stack's
    Import {
        /// Its address in the stack
        address: Address,
        /// AWS's id of it, as the type's reference says
        id: String,
        /// The stack file
        stack: Option<PathBuf>,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
    /// Print the outputs of the last apply
    Output {
        /// The stack file
        stack: Option<PathBuf>,
        /// Only this output, as plain text
        name: Option<String>,
    },
    /// Show what the stack has made, as remembered
    Show {
        /// The stack file
        stack: Option<PathBuf>,
    },
    /// Draw the stack: its resources, what uses what, networks, and which security groups let each other in
    Graph(GraphArgs),
    /// Look at the state, and mend it by hand
    State {
        /// What to do with it
        #[command(subcommand)]
        command: StateCommand,
    },
    /// The values of the stack's secrets: how they stand against env files, and setting them
    Secrets {
        /// What to do with them
        #[command(subcommand)]
        command: SecretsCommand,
    },
    /// Log docker in to the stack's image registries
    DockerLogin {
        /// The stack file
        stack: Option<PathBuf>,
    },
    /// Push a local image to a repository of the stack
    Push {
        /// The local image
        image: String,
        /// The repository, by its name in the stack or in ECR
        repository: String,
        /// The tag in the repository [default: the image's]
        #[arg(long)]
        tag: Option<String>,
        /// The stack file, which `--stack` names
        #[arg(skip)]
        stack: Option<PathBuf>,
        /// Do not ask, even if tasks of the stack run the tag that is replaced
        #[arg(short, long)]
        yes: bool,
    },
    /// Start a service's tasks anew, and follow the rollout until they have taken over
    Redeploy(RedeployArgs),
    /// Run more or fewer tasks than the stack says, or none; plan and apply keep it so
    Scale {
        /// `down` to none and `up` to what the stack says (of all services, or those named after it), or SERVICE=N
        #[arg(required = true, value_name = SCALES)]
        to: Vec<String>,
        /// The stack file, which `--stack` names
        #[arg(skip)]
        stack: Option<PathBuf>,
        /// Do not ask before tasks are stopped
        #[arg(short, long)]
        yes: bool,
    },
    /// Estimate what the stack costs a month, from list prices and what `[cost]` says of its use
    Cost {
        /// The stack file
        stack: Option<PathBuf>,
    },
    /// Show how what the stack has made is doing, and what is wrong; of services their releases
    Status(StatusArgs),
    /// Show how much CPU and memory tasks use, and which sizes would fit
    Stats {
        /// The stack file
        stack: Option<PathBuf>,
        /// Over so many hours
        #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=1512))]
        hours: u32,
    },
    /// Show the logs of services, task definitions or log groups, in order of time
    Logs(LogsArgs),
    /// Run a command in a container of a service
    Exec(ExecArgs),
    /// Run a task on demand, follow its logs, and exit as its container does
    Run(RunArgs),
    /// The tasks in the stack's clusters
    Tasks {
        /// What to do with them
        #[command(subcommand)]
        command: TasksCommand,
    },
    /// Print the least that an IAM role needs: the one that plans the stack, applies it, or operates it
    IamPolicy {
        /// Which role
        #[command(subcommand)]
        command: IamPolicyCommand,
    },
    /// A local AWS to try anything on, no account needed
    Sandbox {
        /// What to do with it
        #[command(subcommand)]
        command: SandboxCommand,
    },
    /// Plan, apply and plan again a whole platform in the sandbox; only in the folder of leoctl's sources
    Demo,
    /// Print what a shell runs to complete leoctl's commands and the stack's names
    Completions {
        /// bash, elvish, fish, powershell or zsh
        shell: String,
    },
    /// Print the version, the commit it was built from, and the versions of the formats it reads and writes
    Version,
    /// Write the manual pages, for packages
    #[command(hide = true)]
    Man {
        /// The folder they are written to, which is made
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
    },
}

/// Where pull requests are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Forge {
    /// GitHub Actions
    Github,
    /// GitLab CI/CD
    Gitlab,
}

/// What a plan is about.
#[derive(Debug, Args)]
pub struct PlanFlags {
    /// Plan to delete everything
    #[arg(long)]
    pub destroy: bool,
    /// Whether to read the live resources first
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, value_name = "BOOL")]
    pub refresh: bool,
    /// Only these and what they depend on
    #[arg(long = "target", value_name = "ADDRESS")]
    pub targets: Vec<Selector>,
    /// Everything but these and what depends on them
    #[arg(long = "exclude", value_name = "ADDRESS")]
    pub excludes: Vec<Selector>,
    /// Replace these even when nothing forces it
    #[arg(long = "replace", value_name = "ADDRESS")]
    pub replace: Vec<Selector>,
    /// Bring what `leoctl scale` changed back to what the stack says
    #[arg(long)]
    pub scale_up: bool,
    /// Do not look for what would make the apply fail
    #[arg(long)]
    pub no_preflight: bool,
    /// What `git ls-files --stage -z` lists: the plan's id has which version of its env files is committed
    #[arg(long, value_name = "FILE")]
    pub committed: Option<PathBuf>,
    /// The folder that names of files in the repository start from, as `git rev-parse --show-toplevel` prints it
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub repository: PathBuf,
}

impl PlanFlags {
    /// Everything as when no flag is given, but for whether the live resources are read first.
    pub fn plain(refresh: bool) -> Self {
        Self {
            destroy: false,
            refresh,
            targets: Vec::new(),
            excludes: Vec::new(),
            replace: Vec::new(),
            scale_up: false,
            no_preflight: false,
            committed: None,
            repository: PathBuf::from("."),
        }
    }
}

/// The arguments of `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The stack files; several are planned at the same time
    #[arg(value_name = "STACK")]
    pub stacks: Vec<PathBuf>,
    /// What to plan
    #[command(flatten)]
    pub flags: PlanFlags,
    /// Save the plan for `apply --plan`
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Save the plan of each stack that would change in this folder, named after its file
    #[arg(long, value_name = "FOLDER", conflicts_with = "out")]
    pub out_dir: Option<PathBuf>,
    /// Write the ids of the plans to this file, for `apply --plan-id`
    #[arg(long, value_name = "FILE")]
    pub review: Option<PathBuf>,
    /// Plan only the stacks that read one of the files that this file names, as `git diff --name-only -z` does
    #[arg(long, value_name = "FILE")]
    pub changed: Option<PathBuf>,
    /// Exit with 2 when there are changes, also when only the state changes
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// How it is shown on a pull request
    #[command(flatten)]
    pub comment: PlanComment,
}

/// The commands of `state`.
#[derive(Debug, Subcommand)]
pub enum StateCommand {
    /// List the resources
    List {
        /// The stack file
        stack: Option<PathBuf>,
    },
    /// Show one resource
    Show {
        /// Its address
        address: Address,
        /// The stack file
        stack: Option<PathBuf>,
    },
    /// Give a resource another address; nothing changes in AWS
    Mv {
        /// Its address, or that of a module
        from: Selector,
        /// The new one
        to: Selector,
        /// The stack file
        stack: Option<PathBuf>,
    },
    /// Forget a resource; it stays in AWS
    Rm {
        /// Its address, or that of a module: then everything in it
        address: Selector,
        /// The stack file
        stack: Option<PathBuf>,
    },
    /// Print the state as JSON, with what an unfinished apply did
    Pull {
        /// The stack file
        stack: Option<PathBuf>,
    },
    /// Replace the state by a file's
    Push {
        /// The file
        file: PathBuf,
        /// The stack file
        stack: Option<PathBuf>,
        /// Even if it is older than the state or another stack's beginning
        #[arg(long)]
        force: bool,
    },
    /// Take the lock away from its holder
    Unlock {
        /// The stack file
        stack: Option<PathBuf>,
    },
    /// Move the state to where the stack file says it is
    Migrate {
        /// The stack file
        stack: Option<PathBuf>,
        /// Where it is now, when that is a bucket
        #[arg(long, value_name = "S3://BUCKET/KEY")]
        from: Option<String>,
    },
    /// Encrypt the state and its copies with the keys that the stack file names now
    Rotate {
        /// The stack file
        stack: Option<PathBuf>,
    },
    /// Write the state and its copies in the clear, before its encryption goes from the stack file
    Decrypt {
        /// The stack file
        stack: Option<PathBuf>,
    },
}

/// The commands of `iam-policy`.
#[derive(Debug, Subcommand)]
pub enum IamPolicyCommand {
    /// The policy of the role that plans: it reads, never a secret's value, and changes nothing
    Plan(IamPolicyArgs),
    /// The policy of the role that applies, changes and destroys
    Apply(IamPolicyArgs),
    /// The policy of the role that operates: status, logs, exec, run, scale, redeploy, push, secrets and the like
    Operate(IamPolicyArgs),
}

/// What each command of `iam-policy` takes.
#[derive(Debug, Args)]
pub struct IamPolicyArgs {
    /// The stack file
    pub stack: Option<PathBuf>,
    /// The role that gets the policy, by name or ARN (of a user, too): preflight may ask IAM what it may do
    #[arg(long, value_name = "NAME", value_parser = principal)]
    pub role: Option<String>,
}

/// The commands of `sandbox`.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum SandboxCommand {
    /// Start it
    Start,
    /// Stop it; what is in it stays
    Stop,
    /// Say whether it runs, and where
    Status,
    /// Forget everything in it
    Reset {
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
}

/// The name of a region.
///
/// # Errors
/// What is expected, in words.
pub fn region(text: &str) -> Result<String, String> {
    if is_region(text) { Ok(text.to_owned()) } else { Err("expected the name of a region, such as us-east-1".to_owned()) }
}

/// A role by its name, with its path or without, or a role or user by ARN (IAM API Reference, CreateRole).
fn principal(text: &str) -> Result<String, String> {
    let is_name = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-/".contains(c));
    let whose = |text: &str| text.strip_prefix("role/").or(text.strip_prefix("user/")).is_some_and(is_name);
    let is_arn = match text.split(':').collect::<Vec<_>>().as_slice() {
        ["arn", _, "iam", "", account, rest] => account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) && whose(rest),
        _ => false,
    };
    if is_arn || is_name(text) {
        return Ok(text.to_owned());
    }
    Err("expected the name of a role, or arn:aws:iam::ACCOUNT:role/NAME (or user/NAME), which is not the ARN of its session".to_owned())
}

fn url(text: &str) -> Result<String, String> {
    match text.strip_prefix("http://").or(text.strip_prefix("https://")) {
        Some(host) if !host.is_empty() => Ok(text.to_owned()),
        _ => Err("expected http://… or https://…".to_owned()),
    }
}

/// A pair whose name is one.
fn named(text: &str) -> Result<(String, String), String> {
    pair(text).and_then(|(name, value)| if name.is_empty() { Err("expected a name before the `=`".to_owned()) } else { Ok((name, value)) })
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => Err("expected name=value".to_owned()),
    }
}
