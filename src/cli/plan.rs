//! `leoctl plan`.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use futures_util::future::join_all;
use serde_json::{Value as Json, json};

use super::args::PlanArgs;
use super::review::{self, Reviewed};
use super::session::Session;
use super::{CliError, Context, Exit, changed, cost, error, order, plan_id, project, sandbox, saved};
use crate::ops::exec::quoted;
use crate::ui::markdown::plan::{About, Shown};
use crate::ui::{self, STRONG, WARN, markdown, styled};
use leoctl_core::engine::ports::Provider;
use leoctl_core::engine::refresh::Planned;
use leoctl_core::plan::select::Options;

/// Shows what apply would do.
pub async fn run(context: &Context, args: &PlanArgs) -> Result<Exit, CliError> {
    let paths = match args.stacks.as_slice() {
        [] if args.comment.no_stack || !args.comment.deleted.is_empty() => Vec::new(),
        [] => vec![project::stack_file(None, context)?],
        [one] => vec![project::stack_file(Some(one), context)?],
        any => any.to_vec(),
    };
    let paths = changed::select(paths, args.changed.as_deref(), &args.flags.repository, context)?;
    let is_one = paths.len() == 1;
    let paths = match paths.as_slice() {
        [_, _, ..] => order::in_order(paths, &context.global)?.0.into_iter().map(|(path, _)| path).collect(),
        _ => paths,
    };
    if args.review.is_some() {
        paths.iter().try_for_each(|path| review::can_be_listed(&path.to_string_lossy()))?;
    }
    if let (Some(_), [_, _, ..]) = (&args.out, paths.as_slice()) {
        return Err(CliError::usage("`--out` saves one plan, and there are several stacks", "`--out-dir FOLDER` saves all of them"));
    }
    if args.out_dir.is_some() {
        let mut named = BTreeMap::new();
        for path in &paths {
            if let Some(other) = named.insert(file_name(path), path) {
                let both = format!("the plans of {} and {} would have the same name", other.display(), path.display());
                return Err(CliError::usage(&both, "plan one of them by itself, with `--out`"));
            }
        }
    }
    if let ([path], true, false) = (paths.as_slice(), is_one, args.comment.markdown) {
        return one(context, args, path).await;
    }
    several(context, args, &paths).await
}

/// Plans one stack.
async fn planned(context: &Context, args: &PlanArgs, path: &Path) -> Result<(Session, Planned), CliError> {
    let session = Session::open(context, path).await?;
    let mut planned = session.plan(&Options::from(&args.flags), args.flags.refresh).await?;
    session.preflight(&mut planned, args.flags.no_preflight).await;
    say_who_is_at_it(context, &session, &planned).await;
    session.say_what_was_read(context);
    Ok((session, planned))
}

/// What an apply has not finished may be what another one is just doing.
async fn say_who_is_at_it(context: &Context, session: &Session, planned: &Planned) {
    let ledger = &planned.ledger;
    let open = !ledger.state().open.is_empty() || !ledger.records().is_empty();
    if !open && !planned.plan.has_changes() {
        return;
    }
    if let Some(holder) = session.store.holder().await {
        let name = &session.stack.name;
        context.say(&styled(WARN, format!("Note: {holder} is working on {name}: what it has not finished yet is among what is shown.")));
    }
}

async fn one(context: &Context, args: &PlanArgs, path: &Path) -> Result<Exit, CliError> {
    let (session, planned) = planned(context, args, path).await?;
    let plan = &planned.plan;
    if context.global.json {
        ui::out(shown(&session, &planned, args, path)?);
    } else {
        ui::out(ui::flowing(ui::plan::render(plan, context.detail()).trim_end()));
        cost::change(plan)?.into_iter().for_each(|line| ui::out(ui::flowing(line)));
        sandbox::otherwise(context, plan).iter().for_each(|line| context.say(line));
        ui::preflight::lines(&plan.stack, &planned.preflight).into_iter().for_each(|line| ui::out(ui::flowing(line)));
    }
    save(context, args, path, &session, &planned).await?;
    if let Some(file) = &args.review {
        review::write(file, args.comment.commit.as_deref(), vec![Reviewed::of(path, &session, &planned, &args.flags)?])?;
    }
    project::remember(path);
    Ok(exit(args, plan.has_changes()))
}

/// A plan as JSON, with its id, what it costs and what would make its apply fail.
fn shown(session: &Session, planned: &Planned, args: &PlanArgs, path: &Path) -> Result<Json, CliError> {
    let plan = &planned.plan;
    let mut shown = ui::json::plan(plan, &session.provider.api_calls());
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("plan_id".to_owned(), plan_id::of(session, path, planned, &args.flags)?.plan.into());
        shown.insert("cost".to_owned(), cost::change_json(plan)?);
        let found = (!args.flags.no_preflight).then(|| ui::preflight::json(&plan.stack, &planned.preflight));
        shown.insert("preflight".to_owned(), found.into());
    }
    Ok(shown)
}

async fn save(context: &Context, args: &PlanArgs, path: &Path, session: &Session, planned: &Planned) -> Result<(), CliError> {
    let file = match (&args.out, &args.out_dir) {
        (Some(file), _) => file.clone(),
        (None, Some(folder)) if planned.plan.has_changes() => {
            let failed = |error: std::io::Error| {
                CliError::usage(&format!("cannot make the folder {}: {error}", folder.display()), "name one that can be written")
            };
            std::fs::create_dir_all(folder).map_err(failed)?;
            folder.join(file_name(path))
        }
        _ => return Ok(()),
    };
    let asked = saved::Asked { options: &planned.plan.options, refresh: args.flags.refresh, global: &context.global };
    saved::save(&file, path, &asked, session, planned).await?;
    context.hint(&format!("Saved: `leoctl apply --plan {}` carries out exactly this.", quoted(&file.display().to_string())));
    Ok(())
}

/// What the saved plan of a stack file is called among others: `stacks-prod.plan` for `stacks/prod.toml`.
fn file_name(path: &Path) -> String {
    let named = path.with_extension("");
    let parts = named.components().filter_map(|part| match part {
        Component::Normal(part) => Some(part.to_string_lossy()),
        _ => None,
    });
    let name = parts.collect::<Vec<_>>().join("-");
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    format!("{}.plan", name.chars().map(plain).collect::<String>())
}

fn exit(args: &PlanArgs, changes: bool) -> Exit {
    if args.detailed_exitcode && changes { Exit::Changes } else { Exit::Done }
}

/// Plans stacks at the same time: one summary, one exit code, one comment. One that cannot be planned keeps no other
/// from being shown.
async fn several(context: &Context, args: &PlanArgs, paths: &[PathBuf]) -> Result<Exit, CliError> {
    let mut outcomes = join_all(paths.iter().map(async |path| (path, planned(context, args, path).await))).await;
    for (path, outcome) in &mut outcomes {
        let saved = match outcome {
            Ok((session, planned)) => save(context, args, path, session, planned).await,
            Err(_) => Ok(()),
        };
        if let Err(error) = saved {
            // What is not saved cannot be applied, so it is not shown as a plan.
            *outcome = Err(error);
        }
    }
    if let Some(file) = &args.review {
        let reviewed = outcomes.iter().filter_map(|(path, outcome)| {
            let (session, planned) = outcome.as_ref().ok()?;
            Some(Reviewed::of(path, session, planned, &args.flags))
        });
        review::write(file, args.comment.commit.as_deref(), reviewed.collect::<Result<_, _>>()?)?;
    }
    if let [(path, Ok(_))] = outcomes.as_slice() {
        project::remember(path);
    }
    match (args.comment.markdown, context.global.json) {
        (true, _) => ui::out(comment(args, &outcomes)?.trim_end()),
        (false, true) => ui::out(json!(outcomes.iter().map(|one| to_json(one, args)).collect::<Result<Vec<_>, _>>()?)),
        (false, false) => text(context, &outcomes)?,
    }
    let failed = outcomes.iter().any(|(_, outcome)| outcome.is_err());
    let changes = outcomes.iter().any(|(_, outcome)| outcome.as_ref().is_ok_and(|(_, planned)| planned.plan.has_changes()));
    Ok(if failed { Exit::Error } else { exit(args, changes) })
}

/// A stack file and what came of planning it.
type Outcome<'a> = (&'a PathBuf, Result<(Session, Planned), CliError>);

fn comment(args: &PlanArgs, outcomes: &[Outcome<'_>]) -> Result<String, CliError> {
    let mut shown = Vec::new();
    for (path, outcome) in outcomes {
        let plan = outcome.as_ref().map(|(_, planned)| &planned.plan).map_err(|error| error::text(error, false));
        let (id, cost) = match outcome {
            Ok((session, planned)) => (plan_id::of(session, path, planned, &args.flags)?.plan, cost::change(&planned.plan)?),
            Err(_) => (String::new(), None),
        };
        let preflight = outcome.as_ref().ok().map(|(_, planned)| &planned.preflight);
        shown.push(Shown { file: path.display().to_string(), id, plan, preflight, cost });
    }
    let asked = &args.comment;
    let deleted: Vec<String> = asked.deleted.iter().map(|file| file.display().to_string()).collect();
    let about = About { scope: &asked.marker, commit: asked.commit.as_deref(), deleted: &deleted };
    Ok(markdown::plan::render(&about, &shown, asked.size.limit))
}

fn to_json((path, outcome): &Outcome<'_>, args: &PlanArgs) -> Result<Json, CliError> {
    Ok(match outcome {
        Ok((session, planned)) => json!({ "stack_file": path, "plan": shown(session, planned, args, path)? }),
        Err(error) => json!({ "stack_file": path, "error": error::text(error, false), "errors": error::json(error) }),
    })
}

fn text(context: &Context, outcomes: &[Outcome<'_>]) -> Result<(), CliError> {
    for (path, outcome) in outcomes {
        ui::out(styled(STRONG, format!("Stack {}", path.display())));
        match outcome {
            Ok((_, planned)) => {
                ui::out(ui::flowing(ui::plan::render(&planned.plan, context.detail()).trim_end()));
                cost::change(&planned.plan)?.into_iter().for_each(|line| ui::out(ui::flowing(line)));
                ui::preflight::lines(&planned.plan.stack, &planned.preflight).into_iter().for_each(|line| ui::out(ui::flowing(line)));
                ui::out("");
            }
            Err(error) => error::show(error, context.global.json, !context.global.no_color),
        }
    }
    for (path, outcome) in outcomes {
        let sum = outcome.as_ref().map_or("no plan".to_owned(), |(_, planned)| ui::plan::summary(&planned.plan));
        ui::out(format!("{}: {sum}", path.display()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_are_named_after_their_stack_files() {
        for (path, name) in [
            ("stacks/prod.toml", "stacks-prod.plan"),
            ("./stacks/eu/prod.toml", "stacks-eu-prod.plan"),
            ("/srv/my stacks/a\"b.toml", "srv-my-stacks-a-b.plan"),
            ("../prod.v2.toml", "prod.v2.plan"),
        ] {
            assert_eq!(file_name(Path::new(path)), name);
        }
    }
}
