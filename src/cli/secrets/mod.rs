//! `leoctl secrets`: the values of the stack's secrets against env files. No value is ever shown.

mod files;
mod push;
mod set;
mod status;

use std::path::Path;

use serde_json::json;

use super::args::SecretsCommand;
use super::session::{self, Session};
use super::{CliError, Context, Exit, ask, hint, redeploy};
use crate::ops::exec::quoted;
use crate::ops::secrets::compare::Standing;
use crate::ops::secrets::{self, Stored};
use crate::ops::{Deployed, service, word};
use crate::ui::{ADD, BAD, CHANGE, FAINT, WARN, styled};
use leoctl_core::engine::ports::Failure;
use leoctl_core::model::state::State;
use leoctl_core::secrets::join::{self, Files, Joined};
use leoctl_core::secrets::names::{Meaning, Names};
use leoctl_core::secrets::{Beside, Secret, Target};
use leoctl_core::stack::diagnostic::{Diagnostic, Diagnostics};

/// Runs one of the commands.
pub async fn run(context: &Context, command: SecretsCommand) -> Result<Exit, CliError> {
    match command {
        SecretsCommand::Status { stack, files } => status::status(context, stack.as_deref(), &files.from).await,
        SecretsCommand::Push { stack, files, only, yes } => push::push(context, stack.as_deref(), &files.from, &only, yes).await,
        SecretsCommand::PullNames { stack, files } => status::pull_names(context, stack.as_deref(), &files.from).await,
        SecretsCommand::Set { name, stack } => set::set(context, stack.as_deref(), &name).await,
    }
}

/// A stack that was applied, and its secrets.
struct Opened {
    path: std::path::PathBuf,
    session: Session,
    state: State,
    stored: Vec<Stored>,
    secrets: Vec<Secret>,
    beside: Beside,
}

impl Opened {
    async fn new(context: &Context, stack: Option<&Path>) -> Result<Self, CliError> {
        let (path, session, state) = session::applied(context, stack).await?;
        let secrets::Found { stored, beside } = secrets::all(&Deployed { state: &state, provider: &session.provider });
        let secrets = stored.iter().map(|stored| stored.secret.clone()).collect();
        Ok(Self { path, session, state, stored, secrets, beside })
    }

    fn deployed(&self) -> Deployed<'_> {
        Deployed { state: &self.state, provider: &self.session.provider }
    }

    fn joined(&self, files: &Files) -> Joined {
        join::join(&self.secrets, &self.names(), files)
    }

    fn names(&self) -> Names<'_> {
        Names::new(&self.secrets, &self.beside)
    }

    /// The secrets that are among these targets.
    fn of<'a>(&self, targets: impl Iterator<Item = &'a Target> + Clone) -> Vec<Stored> {
        let ours = |stored: &&Stored| targets.clone().any(|target| target.secret == stored.secret.address);
        self.stored.iter().filter(ours).cloned().collect()
    }
}

fn reading(failure: Failure) -> CliError {
    CliError::aws("comparing the secrets", failure)
}

/// What a word on the command line means.
fn meant(names: &Names<'_>, word: &str) -> Result<Target, CliError> {
    match names.meaning(word) {
        Meaning::One(target) => Ok(target),
        Meaning::Nothing => Err(CliError::usage(&format!("there is no secret `{word}`"), &names.meant(word))),
        Meaning::Several(targets, beside) => {
            let (why, help) = join::ambiguous(names, &targets, &beside);
            Err(CliError::usage(&format!("`{word}` {why}"), &help))
        }
    }
}

/// Why nothing is written, all at once.
fn refused(problems: Vec<join::Problem>) -> CliError {
    let problems = problems.into_iter().map(|problem| Diagnostic::general(problem.message).help(problem.help));
    Diagnostics(problems.collect()).into()
}

fn words(standing: Standing) -> (anstyle::Style, &'static str) {
    match standing {
        Standing::Unset => (BAD, "not set, the file has a value"),
        Standing::Nowhere => (BAD, "not set, nor in the files"),
        Standing::Same => (ADD, "unchanged"),
        Standing::Differs => (CHANGE, "differs"),
        Standing::NotInFiles => (FAINT, "set, not in the files"),
        Standing::Binary => (FAINT, "binary, never compared or set"),
        Standing::NoObject => (BAD, "the secret is no JSON object"),
    }
}

/// A secret as it is called in output: its name, and a key.
fn called(secret: &Secret, target: &Target) -> String {
    match &target.key {
        Some(key) => leoctl_core::secrets::names::with_key(&secret.name, key),
        None => secret.name.clone(),
    }
}

fn binary(secret: &Secret) -> String {
    styled(WARN, format!("Note: {} is binary, and is left as it is", secret.name))
}

fn no_object(secret: &Secret) -> CliError {
    CliError::usage(
        &format!("the secret {} has no keys: what is in it is no JSON object", secret.name),
        &format!("set all of it once to a JSON object: `leoctl secrets set {} < FILE`", secret.name),
    )
}

/// Offers new tasks to the services that have the old values.
async fn renew(context: &Context, opened: &Opened, written: &[&Stored], yes: bool) -> Result<(), CliError> {
    let deployed = &opened.deployed();
    let all = service::all(deployed);
    let mut services = all.clone();
    services.retain(|service| written.iter().any(|stored| stored.services.contains(&service.address)));
    let names: Vec<String> = services.iter().map(|service| quoted(&word::shortest(&all, &service.address))).collect();
    if names.is_empty() {
        return Ok(());
    }
    let list = names.join(" ");
    if context.interactive && !yes && ask::agreed(&format!("Tasks get them when they start. Redeploy {list}?")).await? {
        redeploy::all(context, deployed, &services).await?;
    } else {
        let stack = hint::stack(&opened.path);
        context.hint(&format!("Running tasks have the old values: `leoctl redeploy {list}{stack}` starts new ones."));
    }
    Ok(())
}

/// The names of secrets, as JSON output has them.
fn names_of(secrets: &[&Stored]) -> serde_json::Value {
    json!(secrets.iter().map(|stored| stored.secret.name.as_str()).collect::<Vec<_>>())
}
