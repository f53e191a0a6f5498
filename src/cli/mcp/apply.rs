//! The tool `apply`: carries out a saved plan that a person has approved, and nothing else.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::Value as Json;

use super::answer::{self, Answer};
use super::arguments;
use super::here::Here;
use super::marks::Marks;
use super::plan;
use crate::cli::approvals::{Approvals, HOURS};
use crate::cli::saved::FromFile;
use crate::cli::{CliError, apply, plan_id};
use crate::ui;
use leoctl_core::engine::event::{Event, EventSink};

/// How many lines of what happened are in the answer.
const LINES: usize = 200;

/// Carries out the plan of this id. It is made again: what the file and the agent say of it is believed for nothing.
pub async fn apply(here: &Here, args: &arguments::Apply) -> Answer {
    let _under_way = here.applies();
    let id = args.plan_id.as_str();
    if !plan_id::is_whole(id) {
        return Err(CliError::usage(&format!("`{id}` is no plan id"), "pass the `plan_id` that the tool `plan` has given with `save`"));
    }
    let (context, file) = (here.context(&Default::default()), plan::file(here, id)?);
    if !file.is_file() {
        return Err(CliError::usage(&format!("no plan {id} is saved here"), "plan again with the tool `plan` and `save`"));
    }
    let saved = FromFile::read(&file)?;
    Approvals::of_user()?.outside(here.root())?.check(id, &saved.digest, Timestamp::now()).map_err(|why| {
        let approve = ui::commands::here(&format!("`leoctl approve {}`", file.display()));
        let help = format!("a person has to run {approve} at a terminal and agree; call `apply` again within {HOURS} hours of that");
        CliError::NotApproved { message: format!("the plan {id} {why}"), help }
    })?;
    here.file(&saved.stack_file()?)?;
    let replay = saved.open(&context).await?;
    replay.session.lock(&context, "leoctl mcp, apply").await?;
    let work = async {
        let (mut planned, found) = replay.planned().await?;
        if found != id {
            let message = format!("what would be done now is plan {found}, and not {id}: nothing was done");
            return Err(CliError::usage(&message, "plan again with the tool `plan` and `save`, and have it approved"));
        }
        replay.session.preflight(&mut planned, false).await;
        let marks = Marks::new(planned.plan.redactor());
        let happened = Happened::default();
        let report = apply::executed(&context, &replay.session, planned, &happened).await?;
        let mut answer = ui::json::conclusion(&report);
        let lines = happened.lines();
        if let Some(fields) = answer.as_object_mut() {
            fields.remove("event");
            let finished = !report.interrupted && report.failed.is_empty() && report.skipped.is_empty();
            fields.insert("finished".to_owned(), finished.into());
            fields.insert("plan_id".to_owned(), id.into());
            let outputs = report.outputs.iter().map(|(name, value)| {
                let mut value = ui::json::public(value);
                marks.all_in(&mut value);
                (name.clone(), value)
            });
            fields.insert("outputs".to_owned(), Json::Object(outputs.collect()));
            fields.insert("more_lines".to_owned(), lines.len().saturating_sub(LINES).into());
        }
        answer::cut(&mut answer);
        marks.in_json(&mut answer);
        if let Some(fields) = answer.as_object_mut() {
            fields.insert("transcript".to_owned(), lines.into_iter().take(LINES).collect());
        }
        Ok(answer::marked(answer, &marks))
    };
    apply::released(&replay.session, work).await
}

/// What an apply has done, a line for each step.
#[derive(Default)]
struct Happened(Mutex<Vec<String>>);

impl Happened {
    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl EventSink for Happened {
    fn emit(&self, event: &Event) {
        if let Some(line) = line(&ui::json::event(event)) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    }
}

/// What an event of an apply says in a line, without AWS's words; nothing of one that is only on the way.
pub fn line(event: &Json) -> Option<String> {
    let text = |name: &str| event.get(name).and_then(Json::as_str).unwrap_or_default();
    let seconds = || event.get("elapsed_ms").and_then(Json::as_f64).map_or_else(String::new, |ms| format!(" ({:.1} s)", ms / 1000.0));
    match text("event") {
        "finished" => Some(format!("{} {}: done{}", text("verb"), text("address"), seconds())),
        "failed" => Some(format!("{} {}: failed", text("verb"), text("address"))),
        "skipped" => Some(format!("not tried: {}", text("address"))),
        "waiting" => Some(format!("not waited for: {}", text("address"))),
        "interrupted" => Some("interrupted".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_a_line_without_the_words_of_aws() {
        let done = json!({ "event": "finished", "address": "vpc.main", "verb": "create", "id": "x", "elapsed_ms": 1234 });
        assert_eq!(line(&done).as_deref(), Some("create vpc.main: done (1.2 s)"));
        let failed = json!({ "event": "failed", "address": "vpc.main", "verb": "create", "error": { "message": "do this" } });
        assert_eq!(line(&failed).as_deref(), Some("create vpc.main: failed"));
        assert_eq!(line(&json!({ "event": "progress", "address": "vpc.main", "message": "do this" })), None);
    }
}
