//! `leoctl docker-login` and `leoctl push`: the steps around the docker program.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use serde_json::json;

use super::{CliError, Context, Exit, session};
use crate::ops::Deployed;
use crate::ops::repository::{self, Repository};
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

/// Tags a local image for a repository of the stack, and pushes it there.
pub async fn push(context: &Context, stack: Option<&Path>, image: &str, word: &str, tag: Option<&str>) -> Result<Exit, CliError> {
    let (_, session, state) = session::applied(context, stack).await?;
    let deployed = Deployed { state: &state, provider: &session.provider };
    let named = repository::named(&repository::all(&deployed), word);
    let repository = named.map_err(|help| CliError::usage(&format!("there is no repository `{word}`"), &help))?;
    log_in(&deployed, std::slice::from_ref(&repository)).await?;
    let tag = tag.unwrap_or_else(|| repository::tag(image));
    let target = format!("{}:{tag}", repository.uri);
    docker(&["tag", image, &target], None)?;
    docker(&["push", &target], None)?;
    if context.global.json {
        ui::out(json!({ "pushed": target }));
    }
    context.say(&format!("Pushed {target}. `leoctl redeploy --image {tag}` runs it."));
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
        command.args(arguments).stdout(std::io::stderr());
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
        Ok(status) => Err(CliError::usage(&format!("`docker {what}` ended with {status}"), "what it says is above")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(CliError::usage("docker is not installed", "install it, or anything that is called `docker` and does the same"))
        }
        Err(error) => Err(CliError::usage(&format!("`docker {what}` cannot be run: {error}"), "see whether docker works by itself")),
    }
}
