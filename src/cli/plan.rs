//! `leoctl plan`.

use std::path::Path;

use super::args::PlanArgs;
use super::session::Session;
use super::{CliError, Context, Exit, cost, project, saved};
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
        let mut shown = ui::json::plan(plan, &session.provider.api_calls());
        if let Some(shown) = shown.as_object_mut() {
            shown.insert("cost".to_owned(), cost::change_json(plan)?);
        }
        ui::out(shown);
    } else {
        ui::out(ui::plan::render(plan).trim_end());
        cost::change(plan)?.into_iter().for_each(ui::out);
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
