//! `leoctl scale`.

use std::path::Path;

use super::operate::{self, Change, On, Operation};
use super::{CliError, Context, Exit, apply};
use crate::ops::Deployed;
use crate::ops::scale::{self, Count, Scale};
use crate::ops::service::{self, Service};
use crate::ui::{self, STRONG, styled};
use leoctl_core::engine::refresh::Planned;
use leoctl_core::model::address::Address;
use leoctl_core::plan::select::{Only, Options};
use leoctl_core::plan::types::Action;

/// Scales services down, up, or to a number of tasks.
pub async fn run(context: &Context, stack: Option<&Path>, words: &[String], yes: bool) -> Result<Exit, CliError> {
    operate::run(context, stack, yes, &Scaling { words }).await
}

/// `down`, `up`, or numbers of tasks.
struct Scaling<'a> {
    words: &'a [String],
}

impl Operation for Scaling<'_> {
    type Prepared = Vec<Step>;

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
        let mut steps = Vec::new();
        for only in scale::steps(state, &wanted) {
            let planned = plan(on, &only).await?;
            steps.push(Step { only, planned });
        }
        if steps.is_empty() {
            on.context.say("Nothing to do: no service is scaled by hand.");
            return Ok(None);
        }
        let mut lines: Vec<String> = wanted.iter().map(|(service, scale)| line(service, *scale, count(&steps, service))).collect();
        lines.extend(daemons.iter().map(|daemon| format!("  {}: left alone, it is a daemon", styled(STRONG, &daemon.address))));
        if steps.iter().all(|step| !step.planned.plan.has_changes()) {
            lines.iter().for_each(|line| on.context.say(line));
            on.context.say("Nothing to do.");
            return Ok(None);
        }
        for step in &steps {
            lines.extend(apply::shown(on.context, &step.planned)?);
        }
        let question = if wanted.len() == 1 { "Scale this service?" } else { "Scale these services?" };
        let asks = steps.iter().any(|step| scale::stops_tasks(&step.planned.plan));
        Ok(Some((Change { lines, question: asks.then(|| question.to_owned()) }, steps)))
    }

    async fn act(&self, on: &On<'_>, steps: Self::Prepared) -> Result<Exit, CliError> {
        for (number, Step { only, planned }) in steps.into_iter().enumerate() {
            // The steps before have changed the state.
            let planned = if number == 0 { planned } else { agreed(planned, plan(on, &only).await?)? };
            let exit = apply::carry_out(on.context, &on.session, planned).await?;
            if exit != Exit::Done {
                return Ok(exit);
            }
        }
        Ok(Exit::Done)
    }
}

/// One of the plans that scaling takes, as it was shown.
struct Step {
    only: Only,
    planned: Planned,
}

async fn plan(on: &On<'_>, only: &Only) -> Result<Planned, CliError> {
    on.session.plan(&Options { only: Some(only.clone()), ..Options::default() }, true).await
}

/// The plan made again, when it changes what was agreed to.
fn agreed(before: Planned, now: Planned) -> Result<Planned, CliError> {
    if changes(&before) == changes(&now) {
        return Ok(now);
    }
    let message = "what is left to do is not what was shown any more: something else has changed it meanwhile";
    Err(CliError::usage(message, "nothing more was done; the same command again goes on with the rest"))
}

/// What a plan changes, as people read it.
fn changes(planned: &Planned) -> Vec<(&Address, Vec<String>)> {
    let real = planned.plan.changes.iter().filter(|change| change.action != Action::NoOp);
    real.map(|change| (&change.address, ui::plan::details(change))).collect()
}

/// What the plans do to a service's number of tasks; nothing when AWS has that number already.
fn count(steps: &[Step], service: &Service) -> Option<Count> {
    steps.iter().find_map(|step| Count::of(step.planned.plan.change(&service.address)?))
}

/// What happens to a service.
fn line(service: &Service, scale: Scale, count: Option<Count>) -> String {
    let name = styled(STRONG, &service.address);
    let number = |number: Option<i64>| number.map_or_else(|| "?".to_owned(), |number| number.to_string());
    let tasks = |count: &str| if count == "1" { "1 task".to_owned() } else { format!("{count} tasks") };
    let said = match scale {
        Scale::To(_) => "",
        Scale::Up => ", as many as the stack says",
    };
    match (count, scale) {
        (Some(Count { now, then }), _) => format!("  {name}: {} → {}{said}", number(now), tasks(&number(then))),
        (None, Scale::To(count)) => format!("  {name}: {}, as now", tasks(&count.to_string())),
        (None, Scale::Up) => format!("  {name}: as many tasks as the stack says, as now"),
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
            return Err(not_a_count(word, words));
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

fn not_a_count(word: &str, words: &[String]) -> CliError {
    let help = match words {
        _ if words.iter().any(|word| word.contains('=')) => {
            "one of the three: `down` or `up` with services or without, or SERVICE=N for each".to_owned()
        }
        [services @ .., last] if last == "down" || last == "up" => format!("`leoctl scale {last} {}`", services.join(" ")),
        [service, number] if number.parse::<u32>().is_ok() => format!("`leoctl scale {service}={number}`"),
        _ => "such as `leoctl scale web=3`".to_owned(),
    };
    CliError::usage(&format!("`{word}` says neither `down`, `up` nor SERVICE=N"), &help)
}

fn not_scaled(daemon: &Service) -> CliError {
    let message = format!("{} is a daemon: it runs one task on each instance, and has no number of tasks", daemon.address);
    CliError::usage(&message, "name services that are not; a daemon has as many tasks as its cluster has instances")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_no_number_is_met_with_what_does() {
        for (line, meant) in [
            ("web down", "`leoctl scale down web`"),
            ("web api up", "`leoctl scale up web api`"),
            ("web 3", "`leoctl scale web=3`"),
            ("web", "such as `leoctl scale web=3`"),
            ("web=many", "one of the three"),
            ("web=3 up", "one of the three"),
        ] {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            let CliError::Usage { help, .. } = not_a_count("web", &words) else { panic!("no usage") };
            assert!(help.starts_with(meant), "{line}: {help}");
        }
    }
}
