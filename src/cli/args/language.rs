//! What the commands about the stack language take.

use std::path::PathBuf;

use clap::Args;

/// The arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The type and perhaps an attribute, such as `ecs_service.load_balancers`, `data.vpc` or `AWS::RDS::DBInstance`; or
    /// a code, such as E0301
    #[arg(value_name = "TYPE[.ATTRIBUTE]|CODE", required_unless_present = "list")]
    pub what: Option<String>,
    /// In AWS's own words, which its registry is asked for: of `awscc` types
    #[arg(long)]
    pub aws: bool,
    /// List all types by service, those that leoctl knows best first
    #[arg(long, conflicts_with_all = ["what", "aws"])]
    pub list: bool,
}

/// The arguments of `fmt`.
#[derive(Debug, Args)]
pub struct FmtArgs {
    /// The files, or `-` for stdin, which is written to stdout; without one, all of stacks/ and modules/ and what they use
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Write nothing; show what would change, and exit with 1 if anything would
    #[arg(long)]
    pub check: bool,
}

/// The arguments of `schema`.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Of modules
    #[arg(long)]
    pub module: bool,
    /// Write it to this file, whose path stands behind `#:schema` in the first line of a stack
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// With this `awscc` type; those that the project's files name are there anyway, all would be many MB
    #[arg(long = "type", value_name = "TYPE")]
    pub types: Vec<String>,
}

/// The arguments of `console`.
#[derive(Debug, Args)]
pub struct ConsoleArgs {
    /// The stack file
    pub stack: Option<PathBuf>,
    /// Read resources as they are in AWS now, and not as the last apply left them
    #[arg(long)]
    pub refresh: bool,
}

/// The arguments of `validate`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// The stack files
    #[arg(value_name = "STACK")]
    pub stacks: Vec<PathBuf>,
    /// Only the stacks that read one of the files that this file names, as `git diff --name-only -z` does
    #[arg(long, value_name = "FILE")]
    pub changed: Option<PathBuf>,
    /// The folder that those names start from, as `git rev-parse --show-toplevel` prints it
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub repository: PathBuf,
    /// Write what is wrong into a file as GitLab's code quality report has it, which shows it at its line in a merge request
    #[arg(long, value_name = "FILE")]
    pub code_quality: Option<PathBuf>,
}
