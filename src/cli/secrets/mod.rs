//! `leoctl secrets`: the values of the stack's secrets against env files. No value is ever shown.

mod files;
mod push;
mod set;
mod status;

use std::path::Path;

use serde_json::json;

use self::push::Push;
use self::set::Set;
use super::args::SecretsCommand;
use super::operate::On;
use super::{CliError, Context, Exit, ask, hint, operate, redeploy};
use crate::ops::exec::quoted;
use crate::ops::secrets::compare::Standing;
use crate::ops::secrets::{self, Stored};
use crate::ops::service::{self, Service};
use crate::ops::{Deployed, word};
use crate::ui::{ADD, BAD, CHANGE, FAINT, WARN, styled};
use leoctl_core::engine::ports::Failure;
use leoctl_core::model::address::Address;
use leoctl_core::secrets::join::{self, Files, Joined};
use leoctl_core::secrets::names::{Meaning, Names};
use leoctl_core::secrets::{Beside, Secret, Target};
use leoctl_core::stack::diagnostic::{Code, Diagnostic, Diagnostics};

/// Runs one of the commands.
pub async fn run(context: &Context, command: SecretsCommand) -> Result<Exit, CliError> {
    match command {
        SecretsCommand::Status { stack, files } => {
            let on = On::open(context, stack.as_deref()).await?;
            status::status(&Opened::new(&on), &files.from).await
        }
        SecretsCommand::Push { stack, files, only, yes } => {
            operate::run(context, stack.as_deref(), yes, &Push { from: &files.from, only: &only, yes }).await
        }
        SecretsCommand::PullNames { stack, files } => {
            let on = On::open(context, stack.as_deref()).await?;
            status::pull_names(&Opened::new(&on), &files.from)
        }
        SecretsCommand::Set { name, stack } => operate::run(context, stack.as_deref(), false, &Set { name: &name }).await,
    }
}

/// The secrets of a stack that was applied.
struct Opened<'a> {
    on: &'a On<'a>,
    stored: Vec<Stored>,
    secrets: Vec<Secret>,
    beside: Beside,
}

impl<'a> Opened<'a> {
    fn new(on: &'a On<'a>) -> Self {
        let secrets::Found { stored, beside } = secrets::all(&on.deployed());
        let secrets = stored.iter().map(|stored| stored.secret.clone()).collect();
        Self { on, stored, secrets, beside }
    }

    fn deployed(&self) -> Deployed<'_> {
        self.on.deployed()
    }

    /// The stack file.
    fn path(&self) -> &Path {
        &self.on.path
    }

    fn joined(&self, files: &Files) -> Joined {
        join::join(&self.secrets, &self.names(), files)
    }

    fn names(&self) -> Names<'_> {
        Names::new(&self.secrets, &self.beside)
    }

    /// The secrets that are among these targets.
    fn of<'t>(&self, targets: impl Iterator<Item = &'t Target> + Clone) -> Vec<Stored> {
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
    let problems = problems.into_iter().map(|problem| Diagnostic::general(Code::Usage, problem.message).help(problem.help));
    Diagnostics::from(problems.collect::<Vec<_>>()).into()
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

/// Says which services have the old values, and where somebody may be asked, offers to redeploy them; what came of that.
async fn renew(on: &On<'_>, written: &[&Stored], asks: bool) -> Result<Exit, CliError> {
    let all = service::all(&on.deployed());
    let has = |service: &&Service| written.iter().any(|stored| stored.services.contains(&service.address));
    let services: Vec<Address> = all.iter().filter(has).map(|service| service.address.clone()).collect();
    if services.is_empty() {
        return Ok(Exit::Done);
    }
    let list = services.iter().map(|address| quoted(&word::shortest(&all, address))).collect::<Vec<_>>().join(" ");
    if on.context.interactive && asks && ask::agreed(&format!("Tasks get them when they start. Redeploy {list}?")).await? {
        return redeploy::agreed(on.context, &on.path, &services).await;
    }
    let stack = hint::stack(&on.path);
    on.context.hint(&format!("Running tasks have the old values: `leoctl redeploy {list}{stack}` starts new ones."));
    Ok(Exit::Done)
}

/// The names of secrets, as JSON output has them.
fn names_of(secrets: &[&Stored]) -> serde_json::Value {
    json!(secrets.iter().map(|stored| stored.secret.name.as_str()).collect::<Vec<_>>())
}
