//! `leoctl redeploy`.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::{CliError, Context, Exit, session, signals};
use crate::engine::ports::{FailureKind, Operation, Progress};
use crate::ops::Deployed;
use crate::ops::service::{self, Service, Unknown};
use crate::ui::{self, BAD, STRONG, styled};

/// How long a rollout may take, as `ecs_service` has it.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// Starts new deployments and follows them.
pub async fn run(context: &Context, stack: Option<&Path>, words: &[String]) -> Result<Exit, CliError> {
    let (_, session, state) = session::applied(context, stack).await?;
    let deployed = Deployed { state: &state, provider: &session.provider };
    let services = service::chosen(service::all(&deployed), words).map_err(unknown)?;
    if services.is_empty() {
        return Err(CliError::usage("the stack has no services", "`leoctl state list` shows what it has"));
    }
    all(context, &deployed, &services).await
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
                ui::failure::lines(failure).iter().for_each(|line| context.say(&format!("  {line}")));
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
