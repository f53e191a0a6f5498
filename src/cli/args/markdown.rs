//! The arguments of what is written in Markdown.

use std::path::PathBuf;

use clap::Args;

use crate::ui::markdown::LIMIT;

/// The arguments of `plan` about its comment.
#[derive(Debug, Args)]
pub struct PlanComment {
    /// Print one comment for a pull request, in Markdown
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
    /// The commit that was planned, for the comment
    #[arg(long, value_name = "SHA", env = "LEOCTL_COMMIT", hide_env_values = true)]
    pub commit: Option<String>,
    /// Tells the comment apart from those of other workflows
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub marker: String,
    /// A stack file that the change deletes, which the comment points out
    #[arg(long, value_name = "FILE", requires = "markdown")]
    pub deleted: Vec<PathBuf>,
    /// Plan nothing: the comment says that no stack is changed
    #[arg(long, requires = "markdown", conflicts_with = "stacks")]
    pub no_stack: bool,
    /// How long the comment may be
    #[command(flatten)]
    pub size: Size,
}

/// How long Markdown may be.
#[derive(Debug, Args)]
pub struct Size {
    /// Leave out what makes the Markdown longer than this many bytes; GitHub takes 65,536 characters, GitLab 1,000,000
    #[arg(long, value_name = "BYTES", default_value_t = LIMIT, value_parser = bytes)]
    pub limit: usize,
}

/// The arguments of `drift`.
#[derive(Debug, Args)]
pub struct DriftArgs {
    /// The stack files
    #[arg(value_name = "STACK")]
    pub stacks: Vec<PathBuf>,
    /// Print one report about all of them, in Markdown
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
    /// How long the report may be
    #[command(flatten)]
    pub size: Size,
    /// Write what this has by now into the stack file: a resource, or an attribute of it; may be given several times
    #[arg(long, value_name = "ADDRESS[.ATTRIBUTE]", conflicts_with = "markdown")]
    pub accept: Vec<String>,
    /// Write it without asking
    #[arg(short, long, requires = "accept")]
    pub yes: bool,
}

/// The arguments of `comment`.
#[derive(Debug, Args)]
pub struct CommentArgs {
    /// Where the text is; standard input without
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// The title
    #[arg(long)]
    pub title: String,
    /// What it is about, behind the title as code
    #[arg(long, value_name = "NAME")]
    pub about: Option<String>,
    /// The first line is `<!-- leoctl WORDS -->`, by which the comment is found again
    #[arg(long, value_name = "WORDS")]
    pub marker: Option<String>,
    /// How long the Markdown may be
    #[command(flatten)]
    pub size: Size,
}

/// A limit that has room for a title and a word about what is left out.
fn bytes(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(limit) if limit >= 2_000 => Ok(limit),
        _ => Err("a number from 2000 on is wanted".to_owned()),
    }
}
