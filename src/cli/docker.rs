//! `leoctl docker-login` and `leoctl push`: the steps around the docker program.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use serde_json::json;

use super::operate::{self, Change, On, Operation};
use super::{CliError, Context, Exit, hint, session};
use crate::ops::exec::quoted;
use crate::ops::repository::{self, Repository};
use crate::ops::service::{self, Service};
use crate::ops::{Deployed, image, word};
use crate::ui::{self, STRONG, styled};
use leoctl_core::model::place::Site;

/// Logs docker in to the registries of the stack.
pub async fn login(context: &Context, stack: Option<&Path>) -> Result<Exit, CliError> {
    has_registries(context)?;
    let (_, session, state) = session::applied(context, stack).await?;
    let deployed = Deployed { state: &state, provider: &session.provider };
    let repositories = repository::all(&deployed);
    if repositories.is_empty() {
        return Err(CliError::usage("the stack has no ecr_repository", "`leoctl state list` shows what it has"));
    }
    let registries = log_in(&deployed, &repositories).await?;
    if context.global.json {
        ui::out(json!({ "registries": registries }));
    }
    Ok(Exit::Done)
}

/// The sandbox's repositories have names, and no registry behind them: their addresses are those of AWS.
fn has_registries(context: &Context) -> Result<(), CliError> {
    if !context.global.sandbox {
        return Ok(());
    }
    Err(CliError::usage("the sandbox has no image registry", "tasks do not run there, so that no image is needed"))
}

/// What to push, and where.
pub struct Push<'a> {
    /// The local image.
    pub image: &'a str,
    /// The repository, as a person names it.
    pub repository: &'a str,
    /// The tag there, when it is not the image's.
    pub tag: Option<&'a str>,
    /// Whether nothing is asked.
    pub yes: bool,
}

/// Tags a local image for a repository of the stack, and pushes it there.
pub async fn push(context: &Context, stack: Option<&Path>, push: &Push<'_>) -> Result<Exit, CliError> {
    has_registries(context)?;
    operate::run(context, stack, push.yes, push).await
}

/// What is pushed where.
pub struct Pushed {
    repository: Repository,
    target: String,
    /// What to do to run it; nothing where no service runs an image of the repository.
    next: Option<String>,
}

impl Operation for Push<'_> {
    type Prepared = Pushed;

    /// An apply does not change what is in a repository.
    const LOCK: Option<&'static str> = None;

    async fn prepare(&self, on: &On<'_>) -> Result<Option<(Change, Pushed)>, CliError> {
        let deployed = on.deployed();
        let repository = repository::named(&repository::all(&deployed), self.repository)?;
        let tag = self.tag.unwrap_or_else(|| repository::tag(self.image));
        let target = format!("{}:{tag}", repository.uri);
        let runs = |service: &Service| {
            format!("  {}: runs {target}; every task that starts from now on gets this image", styled(STRONG, &service.address))
        };
        let mut lines = vec![format!("  {}: {} as {target}", styled(STRONG, &repository.address), self.image)];
        let replaced = image::users(&deployed, &repository.uri, Some(tag));
        lines.extend(replaced.iter().map(runs));
        let users = image::users(&deployed, &repository.uri, None);
        let names: Vec<String> = users.iter().map(|user| quoted(&word::shortest(&service::all(&deployed), &user.address))).collect();
        let next = (!names.is_empty()).then(|| format!("`leoctl redeploy {} --image {target}{}`", names.join(" "), hint::stack(&on.path)));
        let question = (!replaced.is_empty()).then(|| "Replace it?".to_owned());
        Ok(Some((Change { lines, question }, Pushed { repository, target, next })))
    }

    async fn act(&self, on: &On<'_>, Pushed { repository, target, next }: Pushed) -> Result<Exit, CliError> {
        log_in(&on.deployed(), std::slice::from_ref(&repository)).await?;
        docker(&["tag", self.image, &target], None)?;
        docker(&["push", &target], None)?;
        if on.context.global.json {
            ui::out(json!({ "pushed": target }));
        }
        let next = next.map(|next| format!(" {next} runs it.")).unwrap_or_default();
        on.context.hint(&format!("Pushed {target}.{next}"));
        Ok(Exit::Done)
    }
}

/// Logs docker in to the registries of these repositories; which those are.
async fn log_in(deployed: &Deployed<'_>, repositories: &[Repository]) -> Result<Vec<String>, CliError> {
    let registries: BTreeMap<&str, &Site> = repositories.iter().map(|repository| (repository.registry(), &repository.site)).collect();
    for (registry, site) in &registries {
        let credentials = match deployed.provider.at(site) {
            Ok(aws) => repository::credentials(&aws).await,
            Err(failure) => Err(failure),
        };
        let (user, password) = credentials.map_err(|failure| CliError::aws(&format!("logging in to {registry}"), failure))?;
        docker(&["login", "--username", &user, "--password-stdin", registry], Some(&password))?;
    }
    Ok(registries.into_keys().map(str::to_owned).collect())
}

/// Runs docker, whose output goes to stderr; `input` never appears among its arguments.
fn docker(arguments: &[&str], input: Option<&str>) -> Result<(), CliError> {
    let run = || -> std::io::Result<ExitStatus> {
        let mut command = Command::new("docker");
        command.args(arguments).stdout(ui::terminal::stderr_of_child());
        if input.is_some() {
            command.stdin(Stdio::piped());
        }
        let mut child = command.spawn()?;
        if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
            stdin.write_all(input.as_bytes())?;
        }
        child.wait()
    };
    let what = arguments.first().copied().unwrap_or_default();
    match run() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            let how = status.code().map_or_else(|| "was ended by a signal".to_owned(), |code| format!("failed with exit code {code}"));
            Err(CliError::usage(&format!("`docker {what}` {how}"), "what it says is above"))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(CliError::usage("docker is not installed", "install it, or anything that is called `docker` and does the same"))
        }
        Err(error) => Err(CliError::usage(&format!("`docker {what}` cannot be run: {error}"), "see whether docker works by itself")),
    }
}
