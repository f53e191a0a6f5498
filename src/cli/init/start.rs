//! What a project starts with: what it is called, where it is, and the stack and the modules it gets.

use crate::cli::args::{Beginning, InitArgs, LONGEST_NAME, project_name, region};
use crate::cli::{Context, ask};
use crate::ui;
use leoctl_core::model::place::is_region;

use super::Template;

const HEAD: &str = include_str!("../../../templates/start/head.toml");
const NETWORK: &str = include_str!("../../../templates/start/network.toml");
const WEB: &str = include_str!("../../../templates/start/web.toml");
const WORKER: &str = include_str!("../../../templates/start/worker.toml");
const WEB_OUTPUTS: &str = include_str!("../../../templates/start/web_outputs.toml");

/// The stack of a project.
pub const STACK: &str = "stacks/dev.toml";
const DEFAULTS: &str = ".env.defaults";
/// What a module begins with, for editors.
const SCHEMA: &str = "#:schema ../.leoctl/module.schema.json\n\n";

const NETWORK_MODULE: (&str, &str) = ("modules/network.toml", include_str!("../../../modules/network.toml"));
const WEB_MODULE: (&str, &str) = ("modules/web_service.toml", include_str!("../../../modules/web_service.toml"));
const WORKER_MODULE: (&str, &str) = ("modules/worker.toml", include_str!("../../../modules/worker.toml"));

/// All that a project may start with.
pub const ALL: &[&str] = &[STACK, DEFAULTS, NETWORK_MODULE.0, WEB_MODULE.0, WORKER_MODULE.0];

/// How long what names begin with may be where a service's name is made of it: `-dev-web` follows, and it has at most 26.
const LONGEST_SHORT: usize = 18;

/// The region of those who say none.
const REGION: &str = "us-east-1";

/// What there is to choose from, as it is asked.
const CHOICES: &[(Beginning, &str)] = &[
    (Beginning::LogGroup, "a log group and a role, to look around"),
    (Beginning::Network, "an empty network"),
    (Beginning::Web, "a network, and a web service in it behind a load balancer"),
    (Beginning::WebWorker, "the same, and a worker in the background"),
];

/// What a project starts with.
pub struct Start {
    name: String,
    region: String,
    beginning: Beginning,
}

impl Start {
    /// As it is given, or else by default; `folder` is the name of a project that is given none.
    pub fn given(context: &Context, args: &InitArgs, folder: String) -> Self {
        Self {
            name: args.name.clone().unwrap_or(folder),
            region: context.global.region.clone().unwrap_or_else(|| REGION.to_owned()),
            beginning: args.with.unwrap_or(Beginning::LogGroup),
        }
    }

    /// Asks for what is not given; none where somebody gave it up.
    pub fn asked(context: &Context, args: &InitArgs, folder: &str) -> Option<Self> {
        let name = match &args.name {
            Some(name) => name.clone(),
            None => ask::until("What is the project called?", folder, project_name)?,
        };
        let region = match &context.global.region {
            Some(region) => region.clone(),
            None => ask::until("In which region is it?", &usual_region(), region)?,
        };
        let beginning = match args.with {
            Some(beginning) => beginning,
            None => chosen()?,
        };
        Some(Self { name, region, beginning })
    }

    /// The files.
    pub fn templates(&self) -> Vec<Template> {
        let filled = |path, text: &str| Template { path, text: self.filled(text) };
        let own = match self.beginning {
            Beginning::LogGroup => vec![
                filled(STACK, include_str!("../../../templates/stack.toml")),
                filled(DEFAULTS, include_str!("../../../templates/env.defaults")),
            ],
            Beginning::Network => vec![filled(STACK, &[HEAD, NETWORK].concat())],
            Beginning::Web => vec![filled(STACK, &[HEAD, WEB, WEB_OUTPUTS].concat())],
            Beginning::WebWorker => vec![filled(STACK, &[HEAD, WEB, WORKER, WEB_OUTPUTS].concat())],
        };
        own.into_iter().chain(self.modules()).collect()
    }

    /// Those of its files that are modules.
    pub fn modules(&self) -> Vec<Template> {
        let used: &[(&'static str, &str)] = match self.beginning {
            Beginning::LogGroup => &[],
            Beginning::Network => &[NETWORK_MODULE],
            Beginning::Web => &[NETWORK_MODULE, WEB_MODULE],
            Beginning::WebWorker => &[NETWORK_MODULE, WEB_MODULE, WORKER_MODULE],
        };
        used.iter().map(|(path, text)| Template { path, text: format!("{SCHEMA}{text}") }).collect()
    }

    fn filled(&self, text: &str) -> String {
        let short: String = self.name.chars().take(LONGEST_SHORT).collect();
        text.replace("PROJECT_NAME", &self.name).replace("PROJECT_REGION", &self.region).replace("SHORT_NAME", short.trim_end_matches('-'))
    }
}

/// A folder's name as that of a project.
pub fn name_of(folder: &str) -> String {
    let plain: String = folder.to_ascii_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let name: String = plain.trim_start_matches(|c: char| !c.is_ascii_alphabetic()).chars().take(LONGEST_NAME).collect();
    match name.trim_end_matches('-') {
        "" => "app".to_owned(),
        name => name.to_owned(),
    }
}

/// The region that the AWS configuration of the environment names, or else the one by default.
fn usual_region() -> String {
    let named = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(|name| std::env::var(name).ok());
    named.filter(|name| is_region(name)).unwrap_or_else(|| REGION.to_owned())
}

fn chosen() -> Option<Beginning> {
    ui::note("What is it to begin with?");
    for (number, (_, what)) in (1..).zip(CHOICES) {
        ui::note(format!("  {number}  {what}"));
    }
    let last = CHOICES.len();
    ask::until(&format!("1 to {last}?"), "1", |text| {
        let number = text.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let choice = number.and_then(|index| CHOICES.get(index)).map(|(beginning, _)| *beginning);
        choice.ok_or_else(|| format!("expected a number from 1 to {last}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_becomes_a_name_that_stacks_roles_and_buckets_can_have() {
        for (folder, name) in [
            ("shop", "shop"),
            ("My Shop_2", "my-shop-2"),
            ("42", "app"),
            ("", "app"),
            ("2024-über-Shop", "ber-shop"),
            ("web1", "web1"),
            ("web-2_", "web-2"),
        ] {
            assert_eq!(name_of(folder), name);
        }
        assert_eq!(name_of(&"x".repeat(80)).len(), LONGEST_NAME);
    }

    #[test]
    fn every_beginning_has_its_stack_its_modules_and_nothing_to_be_filled_in() {
        for (beginning, paths) in [
            (Beginning::LogGroup, &[STACK, DEFAULTS][..]),
            (Beginning::Network, &[STACK, "modules/network.toml"]),
            (Beginning::Web, &[STACK, "modules/network.toml", "modules/web_service.toml"]),
            (Beginning::WebWorker, &[STACK, "modules/network.toml", "modules/web_service.toml", "modules/worker.toml"]),
        ] {
            let start = Start { name: "a-very-long-name-for-a-project".to_owned(), region: "eu-west-1".to_owned(), beginning };
            let files = start.templates();
            assert_eq!(files.iter().map(|file| file.path).collect::<Vec<_>>(), paths);
            assert!(paths.iter().all(|path| ALL.contains(path)));
            for file in files {
                assert!(!["PROJECT_", "SHORT_NAME"].iter().any(|left| file.text.contains(left)), "{}", file.text);
            }
        }
    }
}
