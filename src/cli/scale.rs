//! `leoctl scale`.

use std::path::Path;

use super::session::Session;
use super::{CliError, Context, Exit, apply, ask, redeploy, session};
use crate::ops::Deployed;
use crate::ops::scale::{self, Scale};
use crate::ops::service::{self, Service};
use crate::ui::{STRONG, styled};
use leoctl_core::plan::select::Options;

/// Scales services down, up, or to a number of tasks.
pub async fn run(context: &Context, stack: Option<&Path>, words: &[String], yes: bool) -> Result<Exit, CliError> {
    let (path, session, state) = session::applied(context, stack).await?;
    // Mistakes are found before the lock is taken.
    wanted(service::all(&Deployed { state: &state, provider: &session.provider }), words)?;
    session.lock(context, "leoctl scale").await?;
    apply::released(&session, scaled(context, &session, &path, words, yes)).await
}

async fn scaled(context: &Context, session: &Session, path: &Path, words: &[String], yes: bool) -> Result<Exit, CliError> {
    // With what was moved in its new place.
    let says = session.plan(&Options::default(), true).await?;
    let state = says.ledger.state().clone();
    let deployed = Deployed { state: &state, provider: &session.provider };
    let wanted = wanted(service::all(&deployed), words)?;
    let gone = |service: &Service| says.plan.change(&service.address).is_none_or(|change| change.after.is_null());
    if let Some((service, _)) = wanted.iter().find(|(service, _)| gone(service)) {
        return Err(CliError::usage(&format!("{} is not in the stack any more", service.address), "`leoctl apply` deletes it"));
    }
    let steps = scale::steps(&state, &wanted);
    if steps.is_empty() {
        context.say("Nothing to do: no service is scaled by hand.");
        return Ok(Exit::Done);
    }
    context.say(&session::whose(&state, path));
    wanted.iter().for_each(|(service, scale)| context.say(&line(service, *scale)));
    if wanted.iter().any(|(service, scale)| scale::stops_tasks(service, *scale)) {
        let question = if wanted.len() == 1 { "Scale this service?" } else { "Scale these services?" };
        if !ask::confirmed(context, yes, question).await? {
            return Ok(Exit::Error);
        }
    }
    for only in steps {
        let planned = session.plan(&Options { only: Some(only), ..Options::default() }, true).await?;
        let exit = apply::confirm_and_apply(context, session, planned, true).await?;
        if exit != Exit::Done {
            return Ok(exit);
        }
    }
    Ok(Exit::Done)
}

/// What happens to a service.
fn line(service: &Service, scale: Scale) -> String {
    let name = styled(STRONG, &service.address);
    let now = service.desired_count.map(|count| format!("{count} → ")).unwrap_or_default();
    match scale {
        Scale::To(1) => format!("  {name}: {now}1 task"),
        Scale::To(count) => format!("  {name}: {now}{count} tasks"),
        Scale::Up => format!("  {name}: as many tasks as the stack says"),
    }
}

/// What `down`, `up`, `down SERVICE…` and `SERVICE=N…` ask for.
fn wanted(services: Vec<Service>, words: &[String]) -> Result<Vec<(Service, Scale)>, CliError> {
    let whole = match words.first().map(String::as_str) {
        Some("down") => Some(Scale::To(0)),
        Some("up") => Some(Scale::Up),
        _ => None,
    };
    if let (Some(scale), Some(names)) = (whole, words.get(1..)) {
        let chosen = service::chosen(services, names).map_err(redeploy::unknown)?;
        return Ok(chosen.into_iter().map(|service| (service, scale)).collect());
    }
    let mut wanted = Vec::new();
    for word in words {
        let count = word.split_once('=').and_then(|(name, count)| Some((name, count.parse::<i32>().ok().filter(|count| *count >= 0)?)));
        let Some((name, count)) = count else {
            return Err(CliError::usage(&format!("`{word}` says neither `down`, `up` nor SERVICE=N"), "such as `leoctl scale web=3`"));
        };
        let chosen = service::chosen(services.clone(), &[name.to_owned()]).map_err(redeploy::unknown)?;
        wanted.extend(chosen.into_iter().map(|service| (service, Scale::To(count))));
    }
    Ok(wanted)
}
