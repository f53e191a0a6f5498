//! `leoctl scale`.

use std::path::Path;

use super::operate::{self, Change, On, Operation};
use super::{CliError, Context, Exit, apply};
use crate::ops::Deployed;
use crate::ops::scale::{self, Scale};
use crate::ops::service::{self, Service};
use crate::ui::{STRONG, styled};
use leoctl_core::plan::select::{Only, Options};

/// Scales services down, up, or to a number of tasks.
pub async fn run(context: &Context, stack: Option<&Path>, words: &[String], yes: bool) -> Result<Exit, CliError> {
    operate::run(context, stack, yes, &Scaling { words }).await
}

/// `down`, `up`, or numbers of tasks.
struct Scaling<'a> {
    words: &'a [String],
}

impl Operation for Scaling<'_> {
    type Prepared = Vec<Only>;

    const LOCK: Option<&'static str> = Some("leoctl scale");

    fn check(&self, on: &On<'_>) -> Result<(), CliError> {
        wanted(&on.deployed(), self.words).map(drop)
    }

    async fn prepare(&self, on: &On<'_>) -> Result<Option<(Change, Self::Prepared)>, CliError> {
        // With what was moved in its new place.
        let says = on.session.plan(&Options::default(), true).await?;
        let state = says.ledger.state();
        let Wanted { services: wanted, daemons } = wanted(&Deployed { state, provider: &on.session.provider }, self.words)?;
        let gone = |service: &Service| says.plan.change(&service.address).is_none_or(|change| change.after.is_null());
        if let Some((service, _)) = wanted.iter().find(|(service, _)| gone(service)) {
            return Err(CliError::usage(&format!("{} is not in the stack any more", service.address), "`leoctl apply` deletes it"));
        }
        let mut lines: Vec<String> = wanted.iter().map(|(service, scale)| line(service, *scale)).collect();
        lines.extend(daemons.iter().map(|daemon| format!("  {}: left alone, it is a daemon", styled(STRONG, &daemon.address))));
        let steps = scale::steps(state, &wanted);
        if steps.is_empty() {
            on.context.say("Nothing to do: no service is scaled by hand.");
            return Ok(None);
        }
        let question = if wanted.len() == 1 { "Scale this service?" } else { "Scale these services?" };
        let asks = wanted.iter().any(|(service, scale)| scale::stops_tasks(service, *scale));
        Ok(Some((Change { lines, question: asks.then(|| question.to_owned()) }, steps)))
    }

    async fn act(&self, on: &On<'_>, steps: Self::Prepared) -> Result<Exit, CliError> {
        for only in steps {
            let planned = on.session.plan(&Options { only: Some(only), ..Options::default() }, true).await?;
            let exit = apply::confirm_and_apply(on.context, &on.session, planned, true).await?;
            if exit != Exit::Done {
                return Ok(exit);
            }
        }
        Ok(Exit::Done)
    }
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

/// What is asked for.
struct Wanted {
    /// Of which services.
    services: Vec<(Service, Scale)>,
    /// The daemons that are left alone when nobody is named.
    daemons: Vec<Service>,
}

/// What `down`, `up`, `down SERVICE…` and `SERVICE=N…` ask for.
fn wanted(deployed: &Deployed<'_>, words: &[String]) -> Result<Wanted, CliError> {
    let services = service::all(deployed);
    let by_hand = |service: &Service| scale::by_hand(deployed.state.pins.get(&service.address)).is_some();
    let whole = match words.first().map(String::as_str) {
        Some("down") => Some(Scale::To(0)),
        Some("up") => Some(Scale::Up),
        _ => None,
    };
    if let (Some(scale), Some(names)) = (whole, words.get(1..)) {
        let chosen = service::chosen(services, names)?;
        // What was scaled before leoctl left daemons alone can be brought back.
        let alone = |service: &Service| service.daemon && !(scale == Scale::Up && by_hand(service));
        let (daemons, chosen): (Vec<Service>, Vec<Service>) = chosen.into_iter().partition(alone);
        match daemons.first() {
            Some(daemon) if !names.is_empty() => return Err(not_scaled(daemon)),
            _ => return Ok(Wanted { services: chosen.into_iter().map(|service| (service, scale)).collect(), daemons }),
        }
    }
    let mut wanted = Wanted { services: Vec::new(), daemons: Vec::new() };
    for word in words {
        let count = word.split_once('=').and_then(|(name, count)| Some((name, count.parse::<i32>().ok().filter(|count| *count >= 0)?)));
        let Some((name, count)) = count else {
            return Err(CliError::usage(&format!("`{word}` says neither `down`, `up` nor SERVICE=N"), "such as `leoctl scale web=3`"));
        };
        let chosen = service::chosen(services.clone(), &[name.to_owned()])?;
        if let Some(daemon) = chosen.iter().find(|service| service.daemon) {
            return Err(not_scaled(daemon));
        }
        let again = chosen.iter().find(|service| wanted.services.iter().any(|(before, _)| before.address == service.address));
        if let Some(again) = again {
            let message = format!("`{word}` names {} once more", again.address);
            return Err(CliError::usage(&message, "name each service once, with one number of tasks"));
        }
        wanted.services.extend(chosen.into_iter().map(|service| (service, Scale::To(count))));
    }
    Ok(wanted)
}

fn not_scaled(daemon: &Service) -> CliError {
    let message = format!("{} is a daemon: it runs one task on each instance, and has no number of tasks", daemon.address);
    CliError::usage(&message, "name services that are not; a daemon has as many tasks as its cluster has instances")
}
