//! `leoctl approve`: a person lets an agent carry out one saved plan.

use jiff::Timestamp;

use super::approvals::{Approvals, HOURS};
use super::args::{ApproveArgs, Global};
use super::saved::FromFile;
use super::{CliError, Context, Exit, apply, ask};
use crate::ui::{self, WARN, styled};
use leoctl_core::model::value::Value;
use leoctl_core::plan::types::{Change, Plan};

/// Shows a saved plan as it would be carried out now, asks at the terminal, and records the approval.
pub async fn run(context: &Context, args: &ApproveArgs) -> Result<Exit, CliError> {
    if !context.interactive {
        return Err(CliError::usage(
            "only a person at a terminal approves a plan, and this is none",
            "run `leoctl approve FILE` in a terminal; what carries out plans by itself, such as CI, uses `leoctl apply --plan FILE`",
        ));
    }
    // Whatever is asked for, the plan is shown, and nothing of it is left out: what an agent may do is read here or nowhere.
    let context = &Context { global: Global { json: false, quiet: false, full: true, ..context.global.clone() }, ..context.clone() };
    let saved = FromFile::read(&args.plan)?;
    let digest = saved.digest.clone();
    let replay = saved.open(context).await?;
    let (mut planned, id) = replay.planned().await?;
    if !planned.plan.has_changes() {
        return Err(CliError::usage("this plan changes nothing", "there is nothing to approve"));
    }
    replay.session.preflight(&mut planned, false).await;
    replay.session.say_what_was_read(context);
    apply::shown(context, &planned)?.iter().for_each(ui::note);
    ui::note(apply::whereabouts(&planned));
    if let Some(hidden) = hidden(&planned.plan) {
        ui::note(styled(WARN, hidden));
    }
    ui::note(format!("Plan {id}"));
    let question = format!("May an agent carry out this plan within {HOURS} hours?");
    if !ask::confirmed(context, false, &question).await? {
        return Ok(Exit::Error);
    }
    let until = Approvals::of_user()?.record(&id, &digest, Timestamp::now())?;
    context.say(&format!("Approved until {until:.0}."));
    Ok(Exit::Done)
}

/// Which values nobody has seen who approves a plan.
fn hidden(plan: &Plan) -> Option<String> {
    let of = |change: &Change| {
        let hidden = change.attributes.iter().filter(|attribute| {
            let has_secret = |value: &Option<Value>| value.as_ref().is_some_and(Value::has_secret);
            attribute.sensitive || has_secret(&attribute.before) || has_secret(&attribute.after)
        });
        hidden.map(|attribute| format!("{}.{}", change.address, attribute.path)).collect::<Vec<_>>()
    };
    let hidden: Vec<String> = plan.changes.iter().filter(|change| change.is_change()).flat_map(of).collect();
    (!hidden.is_empty()).then(|| format!("These values are sensitive, so that you do not see what they are: {}.", hidden.join(", ")))
}
