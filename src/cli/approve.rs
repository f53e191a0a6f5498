//! `leoctl approve`: a person lets an agent carry out one saved plan.

use jiff::Timestamp;

use super::approvals::{Approvals, HOURS};
use super::args::{ApproveArgs, Global};
use super::saved::FromFile;
use super::{CliError, Context, Exit, apply, ask};
use crate::ui;

/// Shows a saved plan as it would be carried out now, asks at the terminal, and records the approval.
pub async fn run(context: &Context, args: &ApproveArgs) -> Result<Exit, CliError> {
    if !context.interactive {
        return Err(CliError::usage(
            "only a person at a terminal approves a plan, and this is none",
            "run `leoctl approve FILE` in a terminal; what carries out plans by itself, such as CI, uses `leoctl apply --plan FILE`",
        ));
    }
    // Whatever is asked for, the plan is shown.
    let context = &Context { global: Global { json: false, quiet: false, ..context.global.clone() }, ..context.clone() };
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
    ui::note(format!("Plan {id}"));
    let question = format!("May an agent carry out this plan within {HOURS} hours?");
    if !ask::confirmed(context, false, &question).await? {
        return Ok(Exit::Error);
    }
    let until = Approvals::of_user()?.record(&id, &digest, Timestamp::now())?;
    context.say(&format!("Approved until {until:.0}."));
    Ok(Exit::Done)
}
