//! `leoctl redeploy`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::args::RedeployArgs;
use super::session::Session;
use super::{CliError, Context, Exit, apply, ask, session, signals};
use crate::ops::Deployed;
use crate::ops::image::{self, Unclear};
use crate::ops::service::{self, Service, Unknown};
use crate::ui::{self, BAD, STRONG, styled};
use leoctl_core::engine::ports::{FailureKind, Operation, Progress};
use leoctl_core::plan::select::Options;

/// How long a rollout may take, as `ecs_service` has it.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// Starts new deployments and follows them.
pub async fn run(context: &Context, args: &RedeployArgs) -> Result<Exit, CliError> {
    let (path, session, state) = session::applied(context, args.stack.as_deref()).await?;
    let deployed = Deployed { state: &state, provider: &session.provider };
    let services = chosen(&deployed, &args.services)?;
    context.say(&session::whose(&state, &path));
    match &args.image {
        Some(image) => {
            session.lock(context, "leoctl redeploy").await?;
            apply::released(&session, with_image(context, &session, args, image)).await
        }
        None => {
            services.iter().for_each(|service| context.say(&format!("  {}: new tasks", styled(STRONG, &service.address))));
            match ask::confirmed(context, args.yes, question(&services)).await? {
                true => all(context, &deployed, &services).await,
                false => Ok(Exit::Error),
            }
        }
    }
}

fn question(services: &[Service]) -> &'static str {
    if services.len() == 1 { "Redeploy this service?" } else { "Redeploy these services?" }
}

fn chosen(deployed: &Deployed<'_>, words: &[String]) -> Result<Vec<Service>, CliError> {
    let services = service::chosen(service::all(deployed), words).map_err(unknown)?;
    if services.is_empty() {
        return Err(CliError::usage("the stack has no services", "`leoctl state list` shows what it has"));
    }
    Ok(services)
}

/// Registers task definitions with another image, and has the services run them. The lock is held.
async fn with_image(context: &Context, session: &Session, args: &RedeployArgs, asked: &str) -> Result<Exit, CliError> {
    let says = session.plan(&Options::default(), true).await?;
    let state = says.ledger.state().clone();
    let deployed = Deployed { state: &state, provider: &session.provider };
    let services = chosen(&deployed, &args.services)?;
    let mut changes = Vec::new();
    for service in &services {
        let container = image::container(&deployed, service, &services, args.container.as_deref());
        let container = container.map_err(|why| unclear(service, why))?;
        let image = container.with(asked);
        changes.push((service.clone(), container, image));
    }
    let only = image::only(&deployed, &changes, &says.plan);
    let planned = session.plan(&Options { only: Some(only), ..Options::default() }, true).await?;
    if !planned.plan.has_changes() {
        context.say("Nothing to do: this image runs. `leoctl redeploy` without `--image` starts new tasks of it.");
        return Ok(Exit::Done);
    }
    for (service, container, image) in &changes {
        context.say(&format!("  {}: {image} in {}", styled(STRONG, &service.address), container.name));
    }
    if !ask::confirmed(context, args.yes, question(&services)).await? {
        return Ok(Exit::Error);
    }
    apply::confirm_and_apply(context, session, planned, true).await
}

fn unclear(service: &Service, why: Unclear) -> CliError {
    let name = &service.address;
    match why {
        Unclear::Foreign => {
            CliError::usage(&format!("{name} runs a task definition that is not the stack's"), "change it where it is made")
        }
        Unclear::Shared(other) => {
            let error = format!("{other} runs the same task definition as {name}");
            CliError::usage(&error, "name both, or give each a task definition of its own")
        }
        Unclear::Secret => CliError::usage(
            &format!("the image of {name} is sensitive, and its tag cannot be changed alone"),
            "change it where it is from, and apply; or take it out of what is sensitive",
        ),
        Unclear::Which(names) => {
            let error = format!("it is not plain which container of {name} gets the image");
            CliError::usage(&error, &format!("name one with `--container`: {}", names.join(", ")))
        }
    }
}

/// A word that names no service.
pub fn unknown(Unknown { word, help }: Unknown) -> CliError {
    CliError::usage(&format!("there is no service `{word}`"), &help)
}

/// Deploys these services anew, at the same time.
pub async fn all(context: &Context, deployed: &Deployed<'_>, services: &[Service]) -> Result<Exit, CliError> {
    let interrupted = signals::watch_signals();
    let outcomes = join_all(services.iter().map(async |service| {
        let name = service.address.to_string();
        let progress = {
            let (context, name) = (context.clone(), name.clone());
            Progress(Arc::new(move |text| context.say(&format!("{}: {text}", styled(STRONG, &name)))))
        };
        let operation = Operation {
            region: service.region.clone(),
            token: String::new(),
            deadline: Instant::now() + PATIENCE,
            timeout: PATIENCE,
            interrupted: interrupted.clone(),
            progress,
        };
        context.say(&format!("{}: starting new tasks", styled(STRONG, &name)));
        service::redeploy(deployed, service, &operation).await
    }));
    let mut exit = Exit::Done;
    for (service, outcome) in services.iter().zip(outcomes.await) {
        let name = styled(STRONG, &service.address);
        match &outcome {
            Ok(()) => context.say(&format!("{name}: the new tasks have taken over.")),
            Err(failure) => {
                context.say(&format!("{name}: {}", styled(BAD, "not redeployed")));
                ui::failure::lines(failure).iter().for_each(|line| context.say(&ui::prose(format!("  {line}"))));
                let stopped = failure.kind == FailureKind::Interrupted;
                if stopped {
                    context.say("  The rollout goes on in AWS without being watched.");
                }
                exit = if stopped { Exit::Interrupted } else { Exit::Error };
            }
        }
        if context.global.json {
            let failure = outcome.err().map(|failure| ui::json::failure(&failure));
            ui::out(serde_json::json!({ "service": service.address, "name": service.name, "done": failure.is_none(), "failure": failure }));
        }
    }
    Ok(exit)
}
