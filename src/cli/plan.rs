//! `leoctl plan`.

use std::path::Path;

use super::args::PlanArgs;
use super::session::Session;
use super::{CliError, Context, Exit, project, saved};
use crate::engine::ports::Provider;
use crate::plan::select::Options;
use crate::ui;

/// Shows what apply would do.
pub async fn run(context: &Context, args: &PlanArgs) -> Result<Exit, CliError> {
    let path = project::stack_file(args.stack.as_deref(), context)?;
    let session = Session::open(context, &path).await?;
    let options = Options::from(&args.flags);
    let planned = session.plan(&options, args.flags.refresh).await?;
    let plan = &planned.plan;
    if context.global.json {
        ui::out(ui::json::plan(plan, &session.provider.api_calls()));
    } else {
        ui::out(ui::plan::render(plan).trim_end());
    }
    if let Some(file) = &args.out {
        let asked = saved::Asked { options: &options, refresh: args.flags.refresh, global: &context.global };
        saved::save(file, &path, &asked, &session, &planned)?;
        context.say(&format!("Saved: `leoctl apply --plan {}` carries out exactly this.", file.display()));
    }
    project::remember(&path);
    Ok(if args.detailed_exitcode && plan.has_changes() { Exit::Changes } else { Exit::Done })
}

/// Shows what changed outside leoctl, and nothing else.
pub async fn drift(context: &Context, stack: Option<&Path>) -> Result<Exit, CliError> {
    let path = project::stack_file(stack, context)?;
    let session = Session::open(context, &path).await?;
    let plan = session.plan(&Options::default(), true).await?.plan;
    if context.global.json {
        ui::out(ui::json::drift_of(&plan));
    } else {
        ui::out(ui::plan::render_drift(&plan).trim_end());
    }
    Ok(if plan.drift.is_empty() { Exit::Done } else { Exit::Changes })
}
