//! The tool `plan`: a plan in short, one change of it in full, and saving it for a person to approve.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::answer::{self, Answer, ENTRIES};
use super::arguments;
use super::here::Here;
use super::look::short;
use super::marks::Marks;
use crate::cli::args::PlanFlags;
use crate::cli::session::Session;
use crate::cli::{CliError, Context, cost, plan_id, saved};
use crate::ui;
use leoctl_core::engine::refresh::Planned;
use leoctl_core::model::path::Path as AttributePath;
use leoctl_core::model::selector::Selector;
use leoctl_core::plan::select::Options;
use leoctl_core::plan::types::{Action, Change, OutputChange, Plan};
use leoctl_core::stack::diagnostic::suggestion;

/// Where plans are saved in the project.
const FOLDER: &str = ".leoctl/plans";
/// How many lines of one change are in one answer.
const LINES: usize = 200;
/// How many attributes of a change are named in the short form.
const NAMED: usize = 8;

/// Plans a stack.
pub async fn plan(here: &Here, args: &arguments::Plan) -> Answer {
    let (context, path) = (here.context(&args.of.vars), here.stack(args.of.stack.as_deref())?);
    let flags = PlanFlags { destroy: args.destroy, targets: targets(&args.targets)?, ..PlanFlags::plain(true) };
    let session = Session::open(&context, &path).await?;
    let mut planned = session.plan(&Options::from(&flags), flags.refresh).await?;
    session.preflight(&mut planned, false).await;
    let marks = Marks::new(planned.plan.redactor());
    let mut shown = match &args.address {
        Some(address) => in_full(&planned.plan, address, args.offset, &marks)?,
        None => in_short(&planned, args.offset, &marks)?,
    };
    let id = plan_id::of(&session, &path, &planned, &flags)?.plan;
    let next = match args.save {
        true if planned.plan.has_changes() => Some(save(here, &context, &path, (&session, &planned, &flags), &id).await?),
        _ => None,
    };
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("stack_file".to_owned(), json!(path));
        fields.insert("plan_id".to_owned(), id.into());
        fields.insert("saved".to_owned(), next.into());
    }
    Ok(answer::marked(shown, &marks))
}

fn targets(words: &[String]) -> Result<Vec<Selector>, CliError> {
    let target = |word: &String| {
        word.parse().map_err(|error| {
            CliError::usage(
                &format!("`{word}` is no address: {error}"),
                "an address is TYPE.NAME, such as ecs_service.web, or a module: module.web",
            )
        })
    };
    words.iter().map(target).collect()
}

/// The plan with its summary and its risks first, then a line for each change.
fn in_short(planned: &Planned, offset: usize, marks: &Marks) -> Answer {
    let plan = &planned.plan;
    let changes: Vec<&Change> = plan.changes.iter().filter(|change| change.is_change()).collect();
    let risky = changes.iter().filter(|change| !change.risks.is_empty());
    let risks = risky.map(
        |change| json!({ "address": change.address, "action": change.action, "risks": change.risks, "because_of": names(&change.replace_paths()) }),
    );
    let part = answer::part(changes.iter().map(|change| line(change)), offset, ENTRIES);
    let failing = plan.checks.iter().filter(|check| check.holds == Some(false));
    let mut preflight = ui::preflight::json(&plan.stack, &planned.preflight);
    for one in preflight.get_mut("unchecked").and_then(Json::as_array_mut).into_iter().flatten() {
        if let Some(why) = one.get_mut("why")
            && let Some(text) = why.as_str()
        {
            *why = marks.data(text).into();
        }
    }
    let mut shown = json!({
        "stack": plan.stack.name,
        "account_id": plan.identity.account_id,
        "region": plan.identity.region,
        "says": ui::plan::summary(plan),
        "summary": plan.summary(),
        "risks": risks.collect::<Vec<_>>(),
        "preflight": preflight,
        "checks_that_fail": failing.map(|check| json!({ "name": check.name, "message": check.message })).collect::<Vec<_>>(),
        "warnings": plan.warnings,
        "cost": cost::change_json(plan)?.get("change"),
        "drifted": plan.drift.iter().map(|drift| &drift.address).collect::<Vec<_>>(),
        "outputs_that_change": plan.outputs.iter().filter(|(_, output)| OutputChange::is_change(output)).map(|(name, _)| name).collect::<Vec<_>>(),
        "in_the_state_alone": plan.state_changes.iter().map(ToString::to_string).collect::<Vec<_>>(),
    });
    answer::cut(&mut shown);
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("changes".to_owned(), part.entries.into());
        fields.insert("changes_total".to_owned(), part.total.into());
        fields.insert("next_offset".to_owned(), part.next.into());
    }
    Ok(shown)
}

/// A change in a line: what happens, to what, why, and by which attributes.
fn line(change: &Change) -> String {
    let action = json!(change.action).as_str().unwrap_or_default().to_owned();
    let reason = change.reason.as_ref().map(|reason| format!(" ({})", short(reason))).unwrap_or_default();
    let differs = matches!(change.action, Action::Update | Action::Replace | Action::Import);
    let attributes = names(change.attributes.iter().filter(|_| differs).map(|attribute| &attribute.path));
    let more = attributes.len().saturating_sub(NAMED);
    let mut named = attributes.into_iter().take(NAMED).collect::<Vec<_>>().join(", ");
    if more > 0 {
        named.push_str(&format!(" and {more} more"));
    }
    let named = if named.is_empty() { named } else { format!(": {named}") };
    format!("{action} {}{reason}{named}", change.address)
}

/// The attributes that paths begin with, each once. What is in one may have names that somebody gave it in AWS.
fn names<'p>(paths: impl IntoIterator<Item = &'p AttributePath>) -> BTreeSet<String> {
    paths.into_iter().filter_map(|path| path.0.first()?.name().map(str::to_owned)).collect()
}

/// One change, attribute by attribute.
fn in_full(plan: &Plan, address: &str, offset: usize, marks: &Marks) -> Answer {
    let Some(change) = plan.changes.iter().find(|change| change.address.to_string() == address) else {
        let known: Vec<String> = plan.changes.iter().map(|change| change.address.to_string()).collect();
        let help = suggestion(address, known.iter().map(String::as_str));
        let help = help.unwrap_or_else(|| "the plan without `address` lists the changes".to_owned());
        return Err(CliError::usage(&format!("the plan has no {address}"), &help));
    };
    let lines = ui::plan::details(change);
    let part = answer::part(lines.iter().map(|line| short(line)), offset, LINES);
    let mut shown = json!({
        "stack": plan.stack.name,
        "address": change.address,
        "action": change.action,
        "reason": change.reason,
        "id": change.id(),
        "account_id": change.account,
        "region": change.region,
        "risks": change.risks,
        "because_of": names(&change.replace_paths()),
        "depends_on": change.depends_on,
    });
    answer::cut(&mut shown);
    if let Some(fields) = shown.as_object_mut() {
        // What was there before, AWS said.
        fields.insert("details".to_owned(), marks.whole(&part.entries.join("\n")).into());
        fields.insert("lines_total".to_owned(), part.total.into());
        fields.insert("next_offset".to_owned(), part.next.into());
    }
    Ok(shown)
}

/// Where the plan of this id is saved.
pub fn file(here: &Here, id: &str) -> Result<PathBuf, CliError> {
    here.file(&Path::new(FOLDER).join(format!("{id}.plan")))
}

/// Saves a plan for a person to approve, and says what is next.
async fn save(
    here: &Here,
    context: &Context,
    path: &Path,
    (session, planned, flags): (&Session, &Planned, &PlanFlags),
    id: &str,
) -> Result<Json, CliError> {
    let failed =
        |error: std::io::Error| CliError::usage(&format!("cannot write to {FOLDER}: {error}"), "make it a folder that can be written");
    // A link in its place must not lead elsewhere, and is looked at before anything is made behind it.
    here.file(Path::new(".leoctl"))?;
    fs::create_dir_all(here.file(Path::new(FOLDER))?).map_err(failed)?;
    let file = file(here, id)?;
    let asked = saved::Asked { options: &planned.plan.options, refresh: flags.refresh, global: &context.global };
    saved::save(&file, path, &asked, session, planned).await?;
    let approve = ui::commands::here(&format!("`leoctl approve {}`", file.display()));
    Ok(json!({
        "file": file,
        "next": format!("A person looks at it and approves it at a terminal: {approve}. Then the tool `apply` carries out exactly this, with this plan_id; it is there when the server was started with --allow-apply."),
    }))
}
