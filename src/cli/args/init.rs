//! The arguments of `init`.

use clap::Args;

use super::Forge;

/// The longest name of a project: it becomes part of the names of a stack, a role and a bucket.
pub const LONGEST_NAME: usize = 32;

/// The arguments of `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// What the stack begins with [default: log-group]; a terminal is asked, unless it is given or there are stacks already
    #[arg(long, value_enum, value_name = "WHAT", hide_default_value = true)]
    pub with: Option<Beginning>,
    /// What the project is called [default: as its folder]
    #[arg(long, value_name = "NAME", value_parser = project_name)]
    pub name: Option<String>,
    /// And the workflows that plan on pull requests and apply what was reviewed
    #[arg(long, value_enum, value_name = "FORGE")]
    pub ci: Option<Forge>,
    /// Ask nothing
    #[arg(short, long)]
    pub yes: bool,
}

/// What a stack begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Beginning {
    /// A log group, and a role that may write to it
    LogGroup,
    /// An empty network, of the module `network`
    Network,
    /// A web service behind a load balancer, of the modules `network` and `web_service`
    Web,
    /// The same with a worker in the background, of the module `worker`
    WebWorker,
}

/// A name that a project can have.
///
/// # Errors
/// What is wrong with it, in words.
pub fn project_name(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let whole = text.starts_with(|c: char| c.is_ascii_lowercase()) && !text.ends_with('-') && text.chars().all(fits);
    match whole && text.len() <= LONGEST_NAME {
        true => Ok(text.to_owned()),
        false => {
            Err(format!("expected small letters, digits and `-`, at most {LONGEST_NAME}, beginning with a letter and not ending with `-`"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_has_a_name_that_what_it_makes_can_have() {
        for name in ["shop", "a", "web-2"] {
            assert!(project_name(name).is_ok(), "{name}");
        }
        for name in ["", "Shop", "2web", "web-", "-web", "wéb", "my shop", &"x".repeat(33)] {
            assert!(project_name(name).is_err(), "{name}");
        }
    }
}
