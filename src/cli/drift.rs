//! `leoctl drift`.

use std::path::{Path, PathBuf};

use futures_util::future::join_all;
use serde_json::{Value as Json, json};

use super::args::DriftArgs;
use super::session::Session;
use super::{CliError, Context, Exit, accept, error, project};
use crate::ui::markdown::report::{self, Looked};
use crate::ui::{self, STRONG, styled};
use leoctl_core::plan::select::Options;
use leoctl_core::plan::types::Plan;

/// Shows what changed outside leoctl, or writes it into the stack file.
pub async fn run(context: &Context, args: &DriftArgs) -> Result<Exit, CliError> {
    if !args.accept.is_empty() {
        return accept::run(context, args).await;
    }
    match args.stacks.as_slice() {
        _ if args.markdown => {}
        [] => return one(context, None).await,
        [stack] => return one(context, Some(stack)).await,
        _ => {}
    }
    let paths = match args.stacks.as_slice() {
        [] => vec![project::stack_file(None, context)?],
        stacks => stacks.to_vec(),
    };
    let outcomes = join_all(paths.iter().map(async |path| (path, look(context, path).await))).await;
    match (args.markdown, context.global.json) {
        (true, _) => ui::out(markdown(&outcomes, args).trim_end()),
        (false, true) => ui::out(outcomes.iter().map(to_json).collect::<Json>()),
        (false, false) => outcomes.iter().for_each(|outcome| text(context, outcome)),
    }
    Ok(match outcomes.iter().any(|(_, outcome)| outcome.is_err()) {
        true => Exit::Error,
        false => exit(outcomes.iter().filter_map(|(_, outcome)| outcome.as_ref().ok())),
    })
}

async fn one(context: &Context, stack: Option<&Path>) -> Result<Exit, CliError> {
    let path = project::stack_file(stack, context)?;
    let plan = look(context, &path).await?;
    if context.global.json {
        ui::out(ui::json::drift_of(&plan));
    } else {
        ui::out(ui::flowing(ui::plan::render_drift(&plan).trim_end()));
    }
    Ok(exit([&plan]))
}

/// Plans a stack to see what changed outside leoctl.
pub async fn look(context: &Context, path: &Path) -> Result<Plan, CliError> {
    let session = Session::open(context, path).await?;
    Ok(session.plan(&Options::default(), true).await?.plan)
}

fn exit<'a>(plans: impl IntoIterator<Item = &'a Plan>) -> Exit {
    if plans.into_iter().all(|plan| plan.drift.is_empty()) { Exit::Done } else { Exit::Changes }
}

/// A stack file and what came of looking at what it has made.
type Outcome<'a> = (&'a PathBuf, Result<Plan, CliError>);

fn markdown(outcomes: &[Outcome<'_>], args: &DriftArgs) -> String {
    let looked = outcomes.iter().map(|(path, outcome)| Looked {
        file: path.display().to_string(),
        plan: outcome.as_ref().map_err(|error| error::text(error, false)),
    });
    report::drift(&looked.collect::<Vec<_>>(), args.size.limit)
}

fn to_json((path, outcome): &Outcome<'_>) -> Json {
    match outcome {
        Ok(plan) => json!({ "stack_file": path, "drift": ui::json::drift_of(plan) }),
        Err(error) => json!({ "stack_file": path, "error": error::text(error, false), "errors": error::json(error) }),
    }
}

fn text(context: &Context, (path, outcome): &Outcome<'_>) {
    ui::out(styled(STRONG, format!("Stack {}", path.display())));
    match outcome {
        Ok(plan) => ui::out(ui::flowing(ui::plan::render_drift(plan))),
        Err(error) => error::show(error, context.global.json, !context.global.no_color),
    }
}
