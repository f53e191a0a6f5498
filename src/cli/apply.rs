//! `leoctl apply` and `leoctl destroy`.

use std::path::{Path, PathBuf};

use super::args::PlanFlags;
use super::order::Ordered;
use super::session::Session;
use super::{CliError, Context, Exit, ask, cost, error, order, plan_id, project, review, sandbox, signals};
use crate::ui::progress::{Failures, JsonLines, Lines, Live};
use crate::ui::{self, BAD, STRONG, WARN, styled};
use leoctl_core::engine::apply::{Engine, Report};
use leoctl_core::engine::event::EventSink;
use leoctl_core::engine::refresh::Planned;
use leoctl_core::model::address::Address;
use leoctl_core::model::selector::Selector;
use leoctl_core::model::value::Value;
use leoctl_core::plan::select::Options;
use leoctl_core::plan::types::OutputChange;
use leoctl_core::stack::config::Import;
use leoctl_core::stack::diagnostic::{Span, suggestion};
use leoctl_core::stack::template::Template;

/// Shows the plan, asks, and carries it out; only the plan of one id, when that is given.
pub async fn run(
    context: &Context,
    stack: Option<&Path>,
    flags: &PlanFlags,
    (wanted, yes): (Option<&str>, bool),
) -> Result<Exit, CliError> {
    let path = project::stack_to_change(stack, context, yes)?;
    let session = Session::open(context, &path).await?;
    session.lock(context, "leoctl apply").await?;
    let outcome = async {
        let mut planned = session.plan(&Options::from(flags), flags.refresh).await?;
        if let Some(wanted) = wanted {
            let found = plan_id::of(&session, &path, &planned, flags)?;
            review::same(context, &found.plan, wanted, &planned)?;
        }
        session.preflight(&mut planned, flags.no_preflight).await;
        project::remember(&path);
        confirm_and_apply(context, &session, planned, yes).await
    };
    released(&session, outcome).await
}

/// Applies several stacks, one after the other: what reads another one's outputs after it, and not at all where that one failed.
pub async fn several(context: &Context, stacks: Vec<PathBuf>, flags: &PlanFlags, yes: bool) -> Result<Exit, CliError> {
    let mut failed: Vec<PathBuf> = Vec::new();
    let mut last = Exit::Done;
    let Ordered(mut ordered) = order::in_order(stacks, &context.global)?;
    let (first, relation) = if flags.destroy { ("it is read by", "destroyed") } else { ("it reads the outputs of", "applied") };
    if flags.destroy {
        ordered = order::reversed(ordered);
    }
    for (path, before) in ordered {
        if let Some(other) = before.iter().find(|other| failed.contains(other)) {
            let skipped = format!("Skipped {}: {first} {}, which was not {relation}.", path.display(), other.display());
            ui::note(styled(WARN, skipped));
            failed.push(path);
            continue;
        }
        match Box::pin(run(context, Some(&path), flags, (None, yes))).await {
            Ok(Exit::Done) => {}
            Ok(Exit::Interrupted) => return Ok(Exit::Interrupted),
            Err(CliError::Interrupted) => return Err(CliError::Interrupted),
            Ok(exit @ (Exit::Error | Exit::Changes | Exit::Of(_))) => {
                last = exit;
                failed.push(path);
            }
            Err(error) => {
                ui::note(error::text(&error, true));
                last = Exit::Error;
                failed.push(path);
            }
        }
    }
    Ok(last)
}

/// Adopts one existing resource.
pub async fn import(context: &Context, stack: Option<&Path>, address: Address, id: String, yes: bool) -> Result<Exit, CliError> {
    let path = project::stack_to_change(stack, context, yes)?;
    let mut stack = project::load(&path, &context.global)?;
    if !stack.config.resources.contains_key(&address.block) {
        let known: Vec<String> = stack.config.resources.keys().map(ToString::to_string).collect();
        let help = suggestion(&address.to_string(), known.iter().map(String::as_str));
        let help = help.unwrap_or_else(|| "write its block first: what it is to be is what it is compared with".to_owned());
        return Err(CliError::usage(&format!("the stack has no {address}"), &help));
    }
    stack.config.imports.retain(|import| import.to != address);
    stack.config.imports.push(Import { to: address.clone(), to_span: Span::default(), id: Template::literal(Value::String(id)) });
    let session = Session::with(context, &path, stack).await?;
    session.lock(context, "leoctl import").await?;
    let outcome = async {
        let options = Options { targets: vec![Selector::from(address.clone())], ..Options::default() };
        let planned = session.plan(&options, true).await?;
        let known = planned.ledger.state().current(&address).map(|known| known.place.id.clone());
        if let Some(id) = known {
            return Err(CliError::usage(&format!("{address} is {id} already"), "`leoctl state rm` makes leoctl forget it first"));
        }
        confirm_and_apply(context, &session, planned, yes).await
    };
    released(&session, outcome).await
}

/// Does something under the lock, which is given back whatever comes of it, an interruption included.
pub async fn released<T>(session: &Session, work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let outcome = signals::until_interrupted(work).await;
    session.store.release().await;
    outcome
}

/// Plans to delete everything, asks, and does it.
pub async fn destroy(
    context: &Context,
    stack: Option<&Path>,
    targets: Vec<Selector>,
    excludes: Vec<Selector>,
    (yes, no_preflight): (bool, bool),
) -> Result<Exit, CliError> {
    let path = project::stack_to_change(stack, context, yes)?;
    let session = Session::open(context, &path).await?;
    session.lock(context, "leoctl destroy").await?;
    let outcome = async {
        let options = Options { destroy: true, targets, excludes, ..Options::default() };
        let mut planned = session.plan(&options, true).await?;
        session.preflight(&mut planned, no_preflight).await;
        confirm_and_apply(context, &session, planned, yes).await
    };
    released(&session, outcome).await
}

/// Shows a plan, asks unless told not to, and carries it out. The lock is held.
pub async fn confirm_and_apply(context: &Context, session: &Session, planned: Planned, yes: bool) -> Result<Exit, CliError> {
    session.say_what_was_read(context);
    session.vault.may_write()?;
    shown(context, &planned)?.iter().for_each(|line| context.say(line));
    if planned.plan.has_changes() {
        context.say(&whereabouts(&planned));
    }
    let question = if planned.plan.options.destroy { "Delete all of this?" } else { "Do this?" };
    if planned.plan.has_changes() && !ask::confirmed(context, yes, question).await? {
        return Ok(Exit::Error);
    }
    carry_out(context, session, planned).await
}

/// Of which stack a plan is, and which accounts it changes.
pub fn whereabouts(planned: &Planned) -> String {
    let (stack, identity) = (&planned.plan.stack.name, &planned.plan.identity);
    let others: String = identity.accounts.iter().map(|(name, site)| format!("; accounts.{name} is {}", site.account)).collect();
    format!("Stack {}, account {}, {}{others}", styled(STRONG, stack), identity.account_id, identity.region)
}

/// A plan with all that is said of it before anybody agrees to it.
///
/// # Errors
/// When the prices that come with leoctl cannot be read.
pub fn shown(context: &Context, planned: &Planned) -> Result<Vec<String>, CliError> {
    let mut lines = vec![ui::plan::render(&planned.plan, context.detail()).trim_end().to_owned()];
    lines.extend(cost::change(&planned.plan)?);
    lines.extend(sandbox::otherwise(context, &planned.plan));
    lines.extend(ui::preflight::lines(&planned.plan.stack, &planned.preflight));
    Ok(lines)
}

/// Carries a plan out that was shown and agreed to. The lock is held.
pub async fn carry_out(context: &Context, session: &Session, planned: Planned) -> Result<Exit, CliError> {
    let whole = planned.plan.options.only.is_none();
    if !planned.has_work() {
        let outputs = planned.plan.outputs.iter().filter_map(|(name, output)| Some((name.clone(), output.after.clone()?)));
        show_outputs(context, &outputs.filter(|_| whole).collect());
        return Ok(Exit::Done);
    }
    let otherwise = match planned.plan.outputs.values().any(OutputChange::is_change) {
        true => "outputs changed",
        false => "the state says what the plan found",
    };
    let sink = sink(context);
    let report = executed(context, session, planned, sink.as_ref()).await?;
    drop(sink);
    Ok(conclude(context, &report, otherwise, &session.store.location()))
}

/// Carries a plan out that was agreed to; `sink` hears what happens. The lock is held.
///
/// # Errors
/// When nothing can be carried out at all; what of it fails is in the report.
pub async fn executed(context: &Context, session: &Session, planned: Planned, sink: &dyn EventSink) -> Result<Report, CliError> {
    let whole = planned.plan.options.only.is_none();
    let engine = Engine {
        provider: &session.provider,
        catalog: session.catalog,
        store: session.store.as_ref(),
        sink,
        parallelism: context.global.parallelism.into(),
        interrupted: signals::watch_signals(),
    };
    let mut report = engine.apply(planned).await?;
    report.outputs.retain(|_, _| whole);
    Ok(report)
}

fn sink(context: &Context) -> Box<dyn EventSink> {
    match (context.global.json, context.global.quiet) {
        (true, _) => Box::new(JsonLines),
        (false, true) => Box::new(Failures),
        (false, false) if ui::terminal::is_live() => Box::new(Live::new()),
        (false, false) => Box::new(Lines::new()),
    }
}

/// Says what came of an apply; `otherwise` is what it did when it succeeded without a step.
fn conclude(context: &Context, report: &Report, otherwise: &str, state: &str) -> Exit {
    let whole = !report.interrupted && report.failed.is_empty() && report.skipped.is_empty();
    let unfinished = |value: &leoctl_core::model::value::Value| !whole && value.has_unknown();
    let outputs = report.outputs.iter().filter(|(_, value)| !unfinished(value));
    show_outputs(context, &outputs.map(|(name, value)| (name.clone(), value.clone())).collect());
    for check in report.checks.iter().filter(|check| check.holds == Some(false)) {
        context.say(&styled(WARN, ui::one_line(&format!("Check {}: {}", check.name, check.message))));
    }
    // What was not tried is not done, whatever kept it.
    let failed = !report.failed.is_empty() || !report.interrupted && !report.skipped.is_empty();
    if failed || report.interrupted {
        let title = if report.interrupted { "Interrupted" } else { "Not finished" };
        let done = counts(report).unwrap_or_else(|| "nothing was done".to_owned());
        let (failed, skipped) = (report.failed.len(), report.skipped.len());
        context.say(&format!("{}: {done}; {failed} failed, {skipped} not tried.", styled(BAD, title)));
        for (address, why) in &report.waiting {
            context.say(&format!("  {}: {}", styled(STRONG, address), ui::one_line(&why.message)));
        }
        for (address, _, why) in &report.failed {
            context.say(&format!("  {}", styled(STRONG, address)));
            ui::failure::lines(why).iter().for_each(|line| context.say(&ui::prose(format!("    {line}"))));
        }
        context.say(&format!("The state is saved in {state}. Run the same command again to continue."));
    } else {
        let done = counts(report).unwrap_or_else(|| otherwise.to_owned());
        context.say(&format!("{}: {done}.", styled(STRONG, "Done")));
    }
    if context.global.json {
        ui::out(ui::json::conclusion(report));
    }
    match (report.interrupted, failed) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Error,
        (false, false) => Exit::Done,
    }
}

/// How much an apply has done, or has begun when it was interrupted; nothing when it came to no step.
fn counts(report: &Report) -> Option<String> {
    let mut counts: Vec<String> = report.done.iter().map(|(verb, count)| format!("{count} {verb}")).collect();
    if !report.waiting.is_empty() {
        counts.push(format!("{} begun and not waited for", report.waiting.len()));
    }
    (!counts.is_empty()).then(|| counts.join(", "))
}

/// Prints outputs, as text or as the last event.
fn show_outputs(context: &Context, outputs: &std::collections::BTreeMap<String, leoctl_core::model::value::Value>) {
    if context.global.json {
        let outputs: serde_json::Map<String, serde_json::Value> =
            outputs.iter().map(|(name, value)| (name.clone(), ui::json::public(value))).collect();
        ui::out(serde_json::json!({ "event": "outputs", "outputs": outputs }));
        return;
    }
    for (name, value) in outputs {
        ui::value::lines_of(name, value).iter().for_each(ui::out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use leoctl_core::engine::ports::{Failure, FailureKind};

    #[test]
    fn what_was_begun_and_not_waited_for_is_not_nothing() {
        let mut report = Report { interrupted: true, ..Report::default() };
        assert_eq!(counts(&report), None);
        report.waiting.push((Address::single("ecs_service", "web"), Failure::new(FailureKind::Interrupted, "2 of 2 tasks start")));
        assert_eq!(counts(&report).as_deref(), Some("1 begun and not waited for"));
        report.done.insert("created", 3);
        assert_eq!(counts(&report).as_deref(), Some("3 created, 1 begun and not waited for"));
    }
}
