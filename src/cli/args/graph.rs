//! The arguments of `graph`.

use std::path::{Path, PathBuf};

use clap::Args;

/// The arguments of `graph`.
#[derive(Debug, Args)]
pub struct GraphArgs {
    /// The stack file
    pub stack: Option<PathBuf>,
    /// What to write [default: what the name of `--out` ends in, else dot]
    #[arg(long, value_enum, hide_default_value = true)]
    pub format: Option<GraphFormat>,
    /// Write it to this file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Make a plan now, colour what it changes, and say what each resource costs; without it AWS is not asked
    #[arg(long)]
    pub plan: bool,
    /// Every instance of `for_each` by itself, not one for its block
    #[arg(long)]
    pub all: bool,
    /// Data sources too
    #[arg(long)]
    pub data: bool,
}

/// The formats of graphs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum GraphFormat {
    /// For Graphviz
    Dot,
    /// For Markdown on GitHub and GitLab
    Mermaid,
    /// A picture
    Svg,
    /// A page to look around in, for a browser
    Html,
}

impl GraphArgs {
    /// What is to be written.
    pub fn format(&self) -> GraphFormat {
        let named = self.out.as_deref().and_then(Path::extension).and_then(|extension| match extension.to_str()? {
            "svg" => Some(GraphFormat::Svg),
            "html" | "htm" => Some(GraphFormat::Html),
            "mmd" | "mermaid" => Some(GraphFormat::Mermaid),
            _ => None,
        });
        self.format.or(named).unwrap_or(GraphFormat::Dot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_file_says_the_format_unless_it_is_given() {
        let format =
            |out: &str, format| GraphArgs { stack: None, format, out: Some(out.into()), plan: false, all: false, data: false }.format();
        assert_eq!(format("docs/leo.svg", None), GraphFormat::Svg);
        assert_eq!(format("leo.html", None), GraphFormat::Html);
        assert_eq!(format("leo.gv", None), GraphFormat::Dot);
        assert_eq!(format("leo.html", Some(GraphFormat::Mermaid)), GraphFormat::Mermaid);
    }
}
