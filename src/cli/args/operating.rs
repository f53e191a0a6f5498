//! The command line of what operates a deployed stack.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::named;
use crate::ops::image::checked;
use crate::ops::logs::since::Since;

/// The arguments of `redeploy`.
#[derive(Debug, Args)]
pub struct RedeployArgs {
    /// The services, by their names in the stack or in ECS; all when left out
    pub services: Vec<String>,
    /// Run this tag or digest (sha256:…) in the services named, or this image (REPOSITORY:TAG) in the containers of its repository
    #[arg(long, value_name = "TAG|IMAGE", value_parser = checked)]
    pub image: Option<String>,
    /// The container that gets the image, when the task has several
    #[arg(long, value_name = "NAME", requires = "image")]
    pub container: Option<String>,
    /// The stack file, which `--stack` names
    #[arg(skip)]
    pub stack: Option<PathBuf>,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}

/// The arguments of `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Services, by their names in the stack or in ECS: their releases are shown in detail. A word that ends in .toml is the stack file
    #[arg(value_name = "STACK|SERVICE")]
    pub services: Vec<String>,
    /// The stack file, which `--stack` names
    #[arg(skip)]
    pub stack: Option<PathBuf>,
    /// Show it live, until `q` is pressed; with services and without a terminal, in lines until their releases have ended
    #[arg(long)]
    pub watch: bool,
    /// With `--watch`, read it again every so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub interval: u64,
}

/// The commands of `secrets`.
#[derive(Debug, Subcommand)]
pub enum SecretsCommand {
    /// Show which are set, and which differ from the env files
    Status {
        /// The stack file
        stack: Option<PathBuf>,
        /// Where the values are
        #[command(flatten)]
        files: EnvFiles,
    },
    /// Set those that are not set or differ to what the env files have
    Push {
        /// The stack file
        stack: Option<PathBuf>,
        /// Where the values are
        #[command(flatten)]
        files: EnvFiles,
        /// Only these: SERVICE.VARIABLE, VARIABLE where it means one secret, or a secret's name or address with or without :KEY
        #[arg(long, value_name = "SECRET")]
        only: Vec<String>,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
    /// Print the variables that the env files lack, as lines of an env file
    PullNames {
        /// The stack file
        stack: Option<PathBuf>,
        /// Where the values are
        #[command(flatten)]
        files: EnvFiles,
    },
    /// Set one to what is typed without being shown, or comes on stdin
    Set {
        /// Which: SERVICE.VARIABLE, VARIABLE where it means one secret, or a secret's name or address with or without :KEY
        #[arg(value_name = "SECRET")]
        name: String,
        /// The stack file
        stack: Option<PathBuf>,
    },
}

/// Where the values of secrets are.
#[derive(Debug, Args)]
pub struct EnvFiles {
    /// Read values from this env file or pipe, or from stdin (`-`); of several, later ones win [default: .env of the repository that `SAAS_ROOT` in the environment names, and the stack's `[env] files` or else .env of the project; never files that end in .defaults]
    #[arg(long, value_name = "FILE")]
    pub from: Vec<PathBuf>,
}

/// The arguments of `logs`.
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// Services, task definitions or log groups, by their names in the stack or in AWS; all log groups when left out
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Go on showing what comes, until Ctrl-C: by a session of Live Tail, which AWS bills by the minute
    #[arg(short, long)]
    pub follow: bool,
    /// From when on: 30s, 15m, 1h or 2d ago, or a time such as 2026-01-31T09:00:00Z
    #[arg(long, value_name = "TIME", default_value = "1h")]
    pub since: Since,
    /// Only what matches this filter pattern of CloudWatch Logs
    #[arg(long, value_name = "PATTERN")]
    pub filter: Option<String>,
    /// Only lines that match this regular expression
    #[arg(long, value_name = "REGEX")]
    pub grep: Option<String>,
    /// Only of this task, by its id, the beginning of it, or its ARN
    #[arg(long, value_name = "ID")]
    pub task: Option<String>,
    /// The stack file, which `--stack` names
    #[arg(skip)]
    pub stack: Option<PathBuf>,
}

/// The arguments of `exec`.
#[derive(Debug, Args)]
pub struct ExecArgs {
    /// The service, by its name in the stack or in ECS
    pub service: String,
    /// The container, when the task has several
    #[arg(long, value_name = "NAME")]
    pub container: Option<String>,
    /// In this task, by its id or the beginning of it; the one that started last when left out
    #[arg(long, value_name = "ID")]
    pub task: Option<String>,
    /// The stack file, which `--stack` names
    #[arg(skip)]
    pub stack: Option<PathBuf>,
    /// Run the command without /bin/sh in the container; how it ended is not known then
    #[arg(long)]
    pub no_shell: bool,
    /// The command [default: /bin/sh]
    #[arg(last = true)]
    pub command: Vec<String>,
}

/// The arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The task definition, by its name in the stack or its family
    #[arg(value_name = "TASK_DEFINITION")]
    pub definition: String,
    /// Set an environment variable of the container
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = named)]
    pub environment: Vec<(String, String)>,
    /// The container that variables and command are for, when there are several
    #[arg(long, value_name = "NAME")]
    pub container: Option<String>,
    /// How many tasks
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..=10))]
    pub count: i32,
    /// Run it in the cluster and the network of this service
    #[arg(long, value_name = "SERVICE")]
    pub like: Option<String>,
    /// Run it in these subnets, where the stack does not say
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub subnets: Vec<String>,
    /// Run it with these security groups, where the stack does not say
    #[arg(long = "security-group", value_name = "ID", value_delimiter = ',')]
    pub security_groups: Vec<String>,
    /// The stack file, which `--stack` names
    #[arg(skip)]
    pub stack: Option<PathBuf>,
    /// The command, instead of the container's own
    #[arg(last = true)]
    pub command: Vec<String>,
}

/// The commands of `tasks`.
#[derive(Debug, Subcommand)]
pub enum TasksCommand {
    /// List those that run, and those that stopped within the last hour
    List {
        /// Only this service's
        service: Option<String>,
        /// The stack file, which `--stack` names
        #[arg(skip)]
        stack: Option<PathBuf>,
    },
    /// Stop tasks
    Stop {
        /// Their ids, or the beginnings of them
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
        /// Why, for ECS to keep
        #[arg(long, default_value = "stopped with leoctl")]
        reason: String,
        /// The stack file, which `--stack` names
        #[arg(skip)]
        stack: Option<PathBuf>,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
}
