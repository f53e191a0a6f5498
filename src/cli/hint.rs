//! The commands in hints, written so that they act where this run does when they are pasted.

use std::path::Path;

use super::args::Global;
use super::project;
use crate::ops::exec::quoted;

impl Global {
    /// The options of this run that say which AWS a command asks, each with a space behind it.
    pub fn place(&self) -> String {
        let sandbox = self.sandbox.then(|| "--sandbox ".to_owned());
        let values = [("profile", &self.profile), ("region", &self.region), ("endpoint-url", &self.endpoint_url)];
        let values = values.into_iter().filter_map(|(name, value)| Some(format!("--{name} {} ", quoted(value.as_ref()?))));
        sandbox.into_iter().chain(values).collect()
    }
}

/// `--stack FILE`, with a space before it, where the same command without it would be about another stack.
pub fn stack(path: &Path) -> String {
    match project::default_stack() {
        Ok(default) if default == path => String::new(),
        _ => format!(" --stack {}", quoted(&path.display().to_string())),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::args::Cli;
    use crate::ui::commands;

    fn hint(options: &[&str], hint: &str) -> String {
        let words = ["leoctl", "validate"].iter().chain(options);
        commands::with(hint, &Cli::try_parse_from(words).unwrap().global.place())
    }

    #[test]
    fn a_command_in_a_hint_acts_where_this_run_does() {
        let text = "`leoctl redeploy web` starts new ones, or `leoctl plan`";
        assert_eq!(hint(&[], text), text);
        assert_eq!(hint(&["--json", "--var", "a=b"], text), text, "they do not say where");
        assert_eq!(hint(&["--sandbox"], text), "`leoctl --sandbox redeploy web` starts new ones, or `leoctl --sandbox plan`");
        assert_eq!(
            hint(&["--profile", "my team", "--region", "eu-west-1", "--endpoint-url", "http://localhost:4566"], "`leoctl plan`"),
            "`leoctl --profile 'my team' --region eu-west-1 --endpoint-url http://localhost:4566 plan`"
        );
        assert_eq!(hint(&["--sandbox"], "`leoctl --sandbox plan`, `leoctl plan`"), "`leoctl --sandbox plan`, `leoctl --sandbox plan`");
    }
}
