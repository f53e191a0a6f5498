//! `leoctl run`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::json;

use super::args::RunArgs;
use super::logs::{self, Printer};
use super::operate::{self, Change, On, Operation};
use super::{CliError, Context, Exit, hint, signals};
use crate::ops::Deployed;
use crate::ops::logs::source;
use crate::ops::logs::tail::Tail;
use crate::ops::placement::{self, Placement, Wishes};
use crate::ops::run::{self, Ending, Request};
use crate::ops::task::{self, Task};
use crate::ops::task_definition::{self, Container, TaskDefinition};
use crate::ui::{self, BAD, FAINT, STRONG, styled};
use leoctl_core::engine::ports::{Failure, FailureKind};

/// How often tasks and their logs are looked at.
const POLL: Duration = Duration::from_secs(2);
/// How long the last lines of a task may take to arrive.
const DRAIN: Duration = Duration::from_secs(5);
/// How long before its start a task's logs may seem to begin, in milliseconds: clocks differ.
const BEFORE: i64 = 300_000;

/// Runs a task and stays with it to its end.
pub async fn run(context: &Context, args: &RunArgs) -> Result<Exit, CliError> {
    // What is started is what was named, and nothing else changes: nobody is asked.
    operate::run(context, args.stack.as_deref(), true, &Started { args }).await
}

struct Started<'a> {
    args: &'a RunArgs,
}

impl Operation for Started<'_> {
    type Prepared = (TaskDefinition, Placement);

    /// A task of its own is nothing that an apply changes, and may take hours.
    const LOCK: Option<&'static str> = None;

    async fn prepare(&self, on: &On<'_>) -> Result<Option<(Change, Self::Prepared)>, CliError> {
        let args = self.args;
        let deployed = on.deployed();
        let definition = task_definition::chosen(task_definition::all(&deployed), &args.definition)?;
        definition.principal(args.container.as_deref())?;
        let wishes = Wishes { like: args.like.clone(), subnets: args.subnets.clone(), security_groups: args.security_groups.clone() };
        let (placement, why) = placement::find(&deployed, &definition, &wishes)?;
        let line = format!("  {}: {}", styled(STRONG, &definition.address), place(&definition, &placement, &why));
        Ok(Some((Change { lines: vec![line], question: None }, (definition, placement))))
    }

    async fn act(&self, on: &On<'_>, (definition, placement): Self::Prepared) -> Result<Exit, CliError> {
        let (context, args, deployed) = (on.context, self.args, on.deployed());
        let container = definition.principal(args.container.as_deref())?;
        let mut interrupted = signals::watch_signals();
        let (environment, command) = (&args.environment, &args.command);
        let request = Request { definition: &definition, container, placement: &placement, count: args.count, environment, command };
        let failed = |failure| CliError::aws(&format!("starting a task of {}", definition.address), failure);
        let (tasks, failures) = run::start(&deployed, &request).await.map_err(failed)?;
        failures.iter().for_each(|failure| logs::note(context, &format!("a task was not started: {failure}")));
        let ids: Vec<String> = tasks.iter().map(|task| task.id.clone()).collect();
        let watch = Watch { context, deployed: &deployed, definition: &definition, container, placement: &placement };
        tasks.iter().for_each(|task| watch.started(task));
        tokio::select! {
            exit = watch.to_the_end(tasks) => exit,
            Ok(_) = interrupted.wait_for(|stop| *stop) => {
                let (goes, it) = if ids.len() == 1 { ("The task goes on", "it") } else { ("The tasks go on", "them") };
                context.hint(&format!("{goes}: `leoctl tasks stop {}{}` stops {it}.", ids.join(" "), hint::stack(&on.path)));
                if context.global.json {
                    ui::out(json!({ "event": "interrupted", "tasks": ids }));
                }
                Ok(Exit::Interrupted)
            }
        }
    }
}

/// Where a task runs, in one line.
fn place(definition: &TaskDefinition, placement: &Placement, why: &str) -> String {
    let joined = |all: &std::collections::BTreeSet<String>| all.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    if !definition.awsvpc {
        return format!("in {}, {why}", placement.cluster);
    }
    let groups = match placement.security_groups.is_empty() {
        true => "the default security group".to_owned(),
        false => joined(&placement.security_groups),
    };
    let address = if placement.public { "a public address" } else { "no public address" };
    format!("in {}, {}, {groups}, {address}: {why}", placement.cluster, joined(&placement.subnets))
}

/// Tasks being watched.
struct Watch<'a> {
    context: &'a Context,
    deployed: &'a Deployed<'a>,
    definition: &'a TaskDefinition,
    container: &'a Container,
    placement: &'a Placement,
}

impl Watch<'_> {
    /// Says how the tasks are getting on and shows their logs, until all have stopped.
    async fn to_the_end(&self, mut tasks: Vec<Task>) -> Result<Exit, CliError> {
        let arns: Vec<String> = tasks.iter().map(|task| task.arn().to_owned()).collect();
        let sources: Vec<_> = tasks.iter().flat_map(|task| source::of_task(self.definition, &task.id)).collect();
        let mut printer = Printer::new(self.context.global.json);
        (printer.bare, printer.kind) = (sources.len() == 1, Some("log"));
        let note = |text: &str| logs::note(self.context, text);
        let from = Timestamp::now().as_millisecond().saturating_sub(BEFORE);
        let mut tail = Tail::new(self.deployed.provider, sources, None, from, &note);
        let aws = self.deployed.provider.at(&self.definition.site).map_err(|failure| CliError::aws("reading the tasks", failure))?;
        let mut said: BTreeMap<String, String> = BTreeMap::new();
        let mut ended: Option<Instant> = None;
        loop {
            tasks.iter().for_each(|task| self.say_status(task, &mut said));
            if ended.is_none() && tasks.iter().all(Task::has_stopped) {
                ended = Some(Instant::now());
            }
            let before = printer.shown;
            if let Err(failure) = tail.poll(&mut |event| printer.show(event)).await {
                // The task matters more than seeing its logs.
                note("its logs cannot be shown");
                ui::failure::lines(&failure).iter().for_each(|line| self.context.say(&ui::prose(format!("  {line}"))));
                tail.sources.clear();
            }
            let written = !tail.sources.is_empty() && !tasks.iter().all(Task::never_started);
            if ended.is_some_and(|ended| !written || ended.elapsed() > DRAIN && printer.shown == before) {
                return self.exit(&tasks);
            }
            tokio::time::sleep(POLL).await;
            if ended.is_none() {
                let doing = "watching the task, which goes on";
                let now = task::described(&aws, &self.placement.cluster, &arns).await.map_err(|failure| CliError::aws(doing, failure))?;
                // Right after its start a task may not be found yet.
                tasks = tasks.into_iter().map(|old| now.iter().find(|new| new.id == old.id).cloned().unwrap_or(old)).collect();
            }
        }
    }

    fn started(&self, task: &Task) {
        if self.context.global.json {
            let Placement { cluster, subnets, security_groups, public, runs_on: _ } = self.placement;
            ui::out(json!({
                "event": "started", "task": task.id, "arn": task.arn(), "cluster": cluster, "task_definition": self.definition.arn,
                "subnets": subnets, "security_groups": security_groups, "public_address": public,
            }));
        }
    }

    fn say_status(&self, task: &Task, said: &mut BTreeMap<String, String>) {
        let status = task.status().to_owned();
        if said.get(&task.id) == Some(&status) {
            return;
        }
        if self.context.global.json {
            ui::out(json!({ "event": "status", "task": task.id, "status": status }));
        }
        self.context.say(&format!("{} {status}", styled(FAINT, &task.id)));
        said.insert(task.id.clone(), status);
    }

    /// The exit code of the first task that has one that is not 0.
    fn exit(&self, tasks: &[Task]) -> Result<Exit, CliError> {
        let mut exit = Exit::Done;
        let mut broken = Vec::new();
        for task in tasks {
            let ending = run::ending(task, &self.container.name);
            if self.context.global.json {
                let (code, reason) = match &ending {
                    Ending::Exited(code) => (Some(code), task.why_stopped()),
                    Ending::Broken(why) => (None, Some(why.clone())),
                };
                ui::out(json!({ "event": "stopped", "task": task.id, "exit_code": code, "reason": reason }));
            }
            match ending {
                Ending::Exited(code) => {
                    let words = format!("{} exited with {code}", self.container.name);
                    let words = if code == 0 { words } else { styled(BAD, words) };
                    self.context.say(&format!("{} {words}", styled(FAINT, &task.id)));
                    if code != 0 && exit == Exit::Done {
                        exit = Exit::Of(u8::try_from(code).unwrap_or(1));
                    }
                }
                Ending::Broken(why) => broken.push(why),
            }
        }
        if broken.is_empty() {
            return Ok(exit);
        }
        let failure = Failure { operation: "ecs:RunTask".to_owned(), ..Failure::new(FailureKind::Other, broken.join("\n")) };
        Err(CliError::aws(&format!("running {}", self.definition.address), failure))
    }
}
