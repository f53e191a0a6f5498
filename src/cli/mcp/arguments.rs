//! What the tools take. The comments are what agents read of them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::cli::args::GraphFormat;

/// The stack that a tool is about.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct Of {
    /// The stack file, by its path from the folder of the server on, such as stacks/prod.toml. May be left out when there is
    /// only one.
    #[serde(default)]
    pub stack: Option<String>,
    /// Values for the stack's variables, by name.
    #[serde(default)]
    pub vars: BTreeMap<String, String>,
}

/// The arguments of `validate`, `drift`'s like, `cost` and `status`: the stack alone.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct OfStack {
    /// The stack.
    #[serde(flatten)]
    pub of: Of,
}

/// The arguments of `explain`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct Explain {
    /// A type (ecs_service), an attribute (ecs_service.load_balancers), a data source (data.vpc), AWS's name of a type
    /// (AWS::SQS::Queue), or the code of an error (E0301).
    #[serde(default)]
    pub what: Option<String>,
    /// Instead of `what`: list the types whose name or summary has this word. An empty text lists those that leoctl knows best.
    #[serde(default)]
    pub search: Option<String>,
    /// Where to go on: `next_offset` of the answer before.
    #[serde(default)]
    pub offset: usize,
}

/// The arguments of `schema`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct Schema {
    /// A resource type, or a data source as data.TYPE. Without it: everything of a stack file but its types.
    #[serde(default, rename = "type")]
    pub of_type: Option<String>,
    /// Of module files instead of stack files.
    #[serde(default)]
    pub module: bool,
    /// Where to go on: `next_offset` of the answer before.
    #[serde(default)]
    pub offset: usize,
}

/// The arguments of `plan`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct Plan {
    /// The stack.
    #[serde(flatten)]
    pub of: Of,
    /// The address of one resource: its change in full, attribute by attribute, instead of the whole plan in short.
    #[serde(default)]
    pub address: Option<String>,
    /// Plan to delete everything.
    #[serde(default)]
    pub destroy: bool,
    /// Only these addresses and what they depend on.
    #[serde(default)]
    pub targets: Vec<String>,
    /// Save the plan in a file, for a person to approve. The answer says what is next.
    #[serde(default)]
    pub save: bool,
    /// Where to go on: `next_offset` of the answer before.
    #[serde(default)]
    pub offset: usize,
}

/// The arguments of `drift`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct Drift {
    /// The stack.
    #[serde(flatten)]
    pub of: Of,
    /// Where to go on: `next_offset` of the answer before.
    #[serde(default)]
    pub offset: usize,
}

/// The arguments of `logs`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct Logs {
    /// The stack.
    #[serde(flatten)]
    pub of: Of,
    /// Services, task definitions or log groups, by their names in the stack or in AWS. Without any: all log groups.
    #[serde(default)]
    pub names: Vec<String>,
    /// From when on: 30s, 15m, 1h or 2d ago, or a time such as 2026-01-31T09:00:00Z. 1h when left out.
    #[serde(default)]
    pub since: Option<String>,
    /// Only what matches this filter pattern of CloudWatch Logs, which AWS applies.
    #[serde(default)]
    pub filter: Option<String>,
    /// Only messages that match this regular expression.
    #[serde(default)]
    pub grep: Option<String>,
    /// How many events at most, the newest: 100 when left out, at most 200.
    #[serde(default)]
    pub limit: Option<usize>,
}

/// The arguments of `graph`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct Graph {
    /// The stack.
    #[serde(flatten)]
    pub of: Of,
    /// Text for Mermaid, unless dot is asked for.
    #[serde(default)]
    pub format: Drawn,
    /// Make a plan, and show what it changes. Without it AWS is not asked.
    #[serde(default)]
    pub plan: bool,
    /// Every instance of for_each by itself.
    #[serde(default)]
    pub all: bool,
    /// Data sources too.
    #[serde(default)]
    pub data: bool,
    /// Where to go on: `next_offset` of the answer before.
    #[serde(default)]
    pub offset: usize,
}

/// The formats of graphs that are text.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Drawn {
    /// For Mermaid.
    #[default]
    Mermaid,
    /// For Graphviz.
    Dot,
}

impl From<Drawn> for GraphFormat {
    fn from(format: Drawn) -> Self {
        match format {
            Drawn::Mermaid => Self::Mermaid,
            Drawn::Dot => Self::Dot,
        }
    }
}

/// The arguments of `apply`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct Apply {
    /// The id of a plan that the tool `plan` has saved and a person has approved.
    pub plan_id: String,
}
