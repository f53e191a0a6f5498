//! `leoctl tasks`.

use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::args::TasksCommand;
use super::operate::{self, Change, On, Operation};
use super::{CliError, Context, Exit, session};
use crate::ops::Deployed;
use crate::ops::service::{self, Service};
use crate::ops::task::{self, Task, ago};
use crate::ui::{self, BAD, FAINT, STRONG, WARN, styled, table};
use leoctl_core::engine::ports::Failure;

/// How much of an id is shown.
const SHORT: usize = 12;

/// Runs one of the commands.
pub async fn run(context: &Context, command: TasksCommand) -> Result<Exit, CliError> {
    match command {
        TasksCommand::List { service, stack } => list(context, stack.as_deref(), service).await,
        TasksCommand::Stop { ids, reason, stack, yes } => {
            operate::run(context, stack.as_deref(), yes, &Stopping { ids: &ids, reason: &reason }).await
        }
    }
}

fn listing(failure: Failure) -> CliError {
    CliError::aws("listing the tasks", failure)
}

async fn list(context: &Context, stack: Option<&Path>, word: Option<String>) -> Result<Exit, CliError> {
    let (_, session, state) = session::applied(context, stack).await?;
    let deployed = Deployed { state: &state, provider: &session.provider };
    let services = service::all(&deployed);
    let tasks = match word {
        None => session.reading("the tasks", task::all(&deployed)).await.map_err(listing)?,
        Some(word) => {
            let mut tasks = Vec::new();
            for service in &service::chosen(services.clone(), &[word])? {
                tasks.extend(session.reading("the tasks", task::of_service(&deployed, service)).await.map_err(listing)?);
            }
            tasks
        }
    };
    if context.global.json {
        ui::out(Json::from(tasks.iter().map(to_json).collect::<Vec<_>>()));
        return Ok(Exit::Done);
    }
    if tasks.is_empty() {
        context.say("No tasks run, and none stopped within the last hour.");
        return Ok(Exit::Done);
    }
    let now = Timestamp::now();
    let head = ["id", "of", "status", "health", "started", "cpu/memory", "why it stopped"];
    ui::out(table::render(&head, tasks.iter().map(|task| row(task, &services, now))));
    Ok(Exit::Done)
}

fn row(task: &Task, services: &[Service], now: Timestamp) -> Vec<String> {
    let dash = || styled(FAINT, "-");
    let size = [task.live.cpu(), task.live.memory()].map(Option::unwrap_or_default).join("/");
    vec![
        short(task).to_owned(),
        of(task, services),
        if task.has_stopped() { styled(FAINT, task.status()) } else { task.status().to_owned() },
        task.health().map_or_else(dash, |health| if health == "UNHEALTHY" { styled(BAD, health) } else { health.to_owned() }),
        task.started().map_or_else(dash, |started| ago(started, now)),
        size,
        task.why_stopped().unwrap_or_else(dash),
    ]
}

fn short(task: &Task) -> &str {
    task.id.get(..SHORT).unwrap_or(&task.id)
}

/// What a task is of: the service, by its address where the stack made it, or the family.
fn of(task: &Task, services: &[Service]) -> String {
    match (task.of(services), &task.service) {
        (Some(service), _) => service.address.to_string(),
        (None, Some(name)) => name.clone(),
        (None, None) => task.family().to_owned(),
    }
}

fn to_json(task: &Task) -> Json {
    let containers = task.live.containers().iter().map(|container| {
        json!({
            "name": container.name(), "status": container.last_status(),
            "exit_code": container.exit_code(), "reason": container.reason(),
        })
    });
    json!({
        "id": task.id, "arn": task.arn(), "cluster": task.cluster, "service": task.service, "family": task.family(),
        "task_definition": task.live.task_definition_arn(), "status": task.status(), "desired_status": task.live.desired_status(),
        "health": task.health(), "started_at": task.started(), "stopped_at": task.stopped(), "started_by": task.live.started_by(),
        "cpu": task.live.cpu(), "memory": task.live.memory(), "stop_reason": task.why_stopped(),
        "containers": containers.collect::<Vec<_>>(),
    })
}

/// Stopping tasks. An apply does not wait for that, nor it for an apply.
struct Stopping<'a> {
    ids: &'a [String],
    reason: &'a str,
}

/// The tasks that are named.
struct Named {
    running: Vec<Task>,
    stopped: Vec<Task>,
}

impl Operation for Stopping<'_> {
    type Prepared = Named;

    const LOCK: Option<&'static str> = None;

    async fn prepare(&self, on: &On<'_>) -> Result<Option<(Change, Named)>, CliError> {
        let deployed = on.deployed();
        let services = service::all(&deployed);
        let all = on.session.reading("the tasks", task::all(&deployed)).await.map_err(listing)?;
        let (stopped, running): (Vec<Task>, Vec<Task>) = task::chosen(&all, self.ids)?.into_iter().partition(Task::has_stopped);
        let mut lines: Vec<String> = stopped.iter().map(|task| format!("  {} has stopped already", styled(STRONG, short(task)))).collect();
        lines.extend(running.iter().map(|task| {
            let replaced = task.service.is_some().then(|| styled(WARN, "its service starts another in its place"));
            let replaced = replaced.map(|words| format!(": {words}")).unwrap_or_default();
            format!("  {} of {}{replaced}", styled(STRONG, short(task)), of(task, &services))
        }));
        let question = (!running.is_empty()).then(|| format!("Stop {}?", if running.len() == 1 { "it" } else { "them" }));
        Ok(Some((Change { lines, question }, Named { running, stopped })))
    }

    async fn act(&self, on: &On<'_>, Named { running, stopped }: Named) -> Result<Exit, CliError> {
        for task in &running {
            let failed = |failure| CliError::aws(&format!("stopping {}", task.id), failure);
            task::stop(&on.deployed(), task, self.reason).await.map_err(failed)?;
            on.context.say(&format!("{} is stopping.", styled(STRONG, short(task))));
        }
        if on.context.global.json {
            let ids = |tasks: &[Task]| tasks.iter().map(|task| task.id.clone()).collect::<Vec<_>>();
            ui::out(json!({ "stopping": ids(&running), "stopped_before": ids(&stopped) }));
        }
        Ok(Exit::Done)
    }
}
