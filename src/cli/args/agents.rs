//! The arguments of what serves agents.

use std::path::PathBuf;

use clap::Args;

/// The arguments of `mcp`.
#[derive(Clone, Copy, Debug, Args)]
pub struct McpArgs {
    /// Give agents the tool `apply` as well, which carries out saved plans that a person has approved with `leoctl approve`
    #[arg(long)]
    pub allow_apply: bool,
}

/// The arguments of `approve`.
#[derive(Debug, Args)]
pub struct ApproveArgs {
    /// The saved plan, which the tool `plan` has written, or `leoctl plan --out`
    #[arg(value_name = "PLANFILE")]
    pub plan: PathBuf,
}
