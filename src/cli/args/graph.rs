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
    /// Make a plan now, or again the one that is saved in FILE, colour what it changes, and say what each resource costs; without
    /// it AWS is not asked
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    pub plan: Option<Option<PathBuf>>,
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

/// What the colours say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Colours {
    /// Nothing: no plan is made.
    Written,
    /// What a plan does that is made now.
    Planned,
    /// What a plan does that is saved in this file.
    Saved(PathBuf),
}

impl GraphArgs {
    /// The stack that is named, and what the colours say. What ends in `.toml` behind `--plan` is a stack: no plan is called so.
    pub fn subject(&self) -> (Option<&Path>, Colours) {
        let stack = self.stack.as_deref();
        match &self.plan {
            None => (stack, Colours::Written),
            Some(None) => (stack, Colours::Planned),
            Some(Some(file)) if stack.is_none() && file.extension().is_some_and(|extension| extension == "toml") => {
                (Some(file), Colours::Planned)
            }
            Some(Some(file)) => (stack, Colours::Saved(file.clone())),
        }
    }

    /// What the file to be written ends in, where no format is written so and none is given.
    pub fn unknown_ending(&self) -> Option<&str> {
        let ending = self.out.as_deref().and_then(Path::extension).and_then(|ending| ending.to_str());
        let known = ["svg", "html", "htm", "mmd", "mermaid", "dot", "gv", "txt", "md"];
        ending.filter(|ending| self.format.is_none() && !known.contains(ending))
    }

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

    const NOTHING: GraphArgs = GraphArgs { stack: None, format: None, out: None, plan: None, all: false, data: false };

    #[test]
    fn what_stands_behind_plan_is_a_saved_one_unless_it_is_a_stack() {
        let of = |stack: Option<&str>, plan: Option<Option<&str>>| {
            let args = GraphArgs { stack: stack.map(PathBuf::from), plan: plan.map(|file| file.map(PathBuf::from)), ..NOTHING };
            let (stack, colours) = args.subject();
            (stack.map(|stack| stack.display().to_string()), colours)
        };
        let (a, saved) = (Some("a.toml".to_owned()), Colours::Saved("a.plan".into()));
        assert_eq!(of(Some("a.toml"), None), (a.clone(), Colours::Written));
        assert_eq!(of(Some("a.toml"), Some(None)), (a.clone(), Colours::Planned));
        assert_eq!(of(None, Some(Some("a.toml"))), (a.clone(), Colours::Planned));
        assert_eq!(of(None, Some(Some("a.plan"))), (None, saved.clone()));
        assert_eq!(of(Some("a.toml"), Some(Some("a.plan"))), (a, saved));
    }

    #[test]
    fn the_name_of_the_file_says_the_format_unless_it_is_given() {
        let format = |out: &str, format| GraphArgs { format, out: Some(out.into()), ..NOTHING }.format();
        assert_eq!(format("docs/leo.svg", None), GraphFormat::Svg);
        assert_eq!(format("leo.html", None), GraphFormat::Html);
        assert_eq!(format("leo.gv", None), GraphFormat::Dot);
        assert_eq!(GraphArgs { out: Some("leo.png".into()), ..NOTHING }.unknown_ending(), Some("png"));
        assert_eq!(GraphArgs { out: Some("leo.svg".into()), ..NOTHING }.unknown_ending(), None);
        assert_eq!(format("leo.html", Some(GraphFormat::Mermaid)), GraphFormat::Mermaid);
    }
}
