//! `leoctl docker-login` and `leoctl push`: the steps around the docker program.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use serde_json::json;

use super::{CliError, Context, Exit, ask, session};
use crate::ops::repository::{self, Repository};
use crate::ops::service::Service;
use crate::ops::{Deployed, image};
use crate::ui;

/// Logs docker in to the registries of the stack.
pub async fn login(context: &Context, stack: Option<&Path>) -> Result<Exit, CliError> {
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
    let Push { image, repository: word, tag, yes } = *push;
    let (path, session, state) = session::applied(context, stack).await?;
    let deployed = Deployed { state: &state, provider: &session.provider };
    let named = repository::named(&repository::all(&deployed), word);
    let repository = named.map_err(|help| CliError::usage(&format!("there is no repository `{word}`"), &help))?;
    let tag = tag.unwrap_or_else(|| repository::tag(image));
    let target = format!("{}:{tag}", repository.uri);
    let (of_repository, of_tag) = (image::users(&deployed, &repository.uri, None), image::users(&deployed, &repository.uri, Some(tag)));
    if !of_tag.is_empty() {
        context.say(&session::whose(&state, &path));
        let runs = |service: &Service| format!("  {} runs {target}: every task that starts from now on gets this image", service.address);
        of_tag.iter().for_each(|service| context.say(&runs(service)));
        if !ask::confirmed(context, yes, "Replace it?").await? {
            return Ok(Exit::Error);
        }
    }
    log_in(&deployed, std::slice::from_ref(&repository)).await?;
    docker(&["tag", image, &target], None)?;
    docker(&["push", &target], None)?;
    if context.global.json {
        ui::out(json!({ "pushed": target }));
    }
    let names: Vec<&str> = of_repository.iter().map(|service| service.address.block.name.as_str()).collect();
    let next = match names.as_slice() {
        // `--image` is for all services that are not left out.
        [] => String::new(),
        names => format!(" `leoctl redeploy {} --image {tag}` runs it.", names.join(" ")),
    };
    context.say(&format!("Pushed {target}.{next}"));
    Ok(Exit::Done)
}

/// Logs docker in to the registries of these repositories; which those are.
async fn log_in(deployed: &Deployed<'_>, repositories: &[Repository]) -> Result<Vec<String>, CliError> {
    let regions: BTreeMap<&str, &str> = repositories.iter().map(|repository| (repository.registry(), repository.region.as_str())).collect();
    for (registry, region) in &regions {
        let credentials = repository::credentials(&deployed.provider.region(region)).await;
        let (user, password) = credentials.map_err(|failure| CliError::aws(&format!("logging in to {registry}"), failure))?;
        docker(&["login", "--username", &user, "--password-stdin", registry], Some(&password))?;
    }
    Ok(regions.into_keys().map(str::to_owned).collect())
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
