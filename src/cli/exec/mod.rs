//! `leoctl exec`.

mod carrier;

use std::io::IsTerminal;
use std::path::PathBuf;

use super::args::ExecArgs;
use super::operate::{self, Change, On, Operation};
use super::{CliError, Context, Exit};
use crate::ops::exec;
use crate::ops::exec_status::{Ended, Marks};
use crate::ops::service::{self, Service};
use crate::ops::task::{self, Task};
use crate::ops::{Deployed, task_definition, word};
use crate::ui::{self, FAINT, STRONG, styled};

/// Begins a session, which AWS's plugin carries, and exits as the command does that runs in it.
pub async fn run(context: &Context, args: &ExecArgs) -> Result<Exit, CliError> {
    // It runs what was named where it was named: nobody is asked.
    operate::run(context, args.stack.as_deref(), true, &Execution { args }).await
}

struct Execution<'a> {
    args: &'a ExecArgs,
}

/// Where a command is to run, and by what.
struct Place {
    service: Service,
    task: Task,
    container: aws_sdk_ecs::types::Container,
    plugin: PathBuf,
}

impl Operation for Execution<'_> {
    type Prepared = Place;

    /// A session may last for hours, and is needed most while an apply does not get on.
    const LOCK: Option<&'static str> = None;

    async fn prepare(&self, on: &On<'_>) -> Result<Option<(Change, Place)>, CliError> {
        let args = self.args;
        let deployed = on.deployed();
        let service = one(&deployed, &args.service)?;
        let failed = |failure| CliError::aws(&doing(&service), failure);
        let tasks = on.session.reading("the tasks", task::of_service(&deployed, &service)).await.map_err(failed)?;
        let enabled = on.state.current(&service.address).and_then(|resource| resource.attributes.get("enable_execute_command")?.as_bool());
        let task = exec::task(&service, &tasks, args.task.as_deref(), enabled.unwrap_or(false))?.clone();
        let revisions = task_definition::revisions(&deployed);
        let container = exec::container(&task, args.container.as_deref(), task_definition::of_service(&revisions, &service))?.clone();
        // Before a session is begun that nobody would end.
        let plugin = carrier::find()?;
        let place = styled(FAINT, format!("in {}/{}", container.name().unwrap_or_default(), task.id));
        let line = format!("  {}: {} {place}", styled(STRONG, &service.address), exec::command(&args.command));
        Ok(Some((Change { lines: vec![line], question: None }, Place { service, task, container, plugin })))
    }

    async fn act(&self, on: &On<'_>, Place { service, task, container, plugin }: Place) -> Result<Exit, CliError> {
        let command = exec::command(&self.args.command);
        let marks = (!self.args.no_shell).then(|| Marks::new(&uuid::Uuid::new_v4().simple().to_string()));
        let line = marks.as_ref().map_or_else(|| command.clone(), |marks| marks.around(&command));
        let failed = |failure| CliError::aws(&doing(&service), failure);
        let handover = exec::begin(&on.deployed(), &task, &container, &line).await.map_err(failed)?;
        let program = carrier::program(on.context, &plugin, &handover);
        let Some(marks) = marks else { return Err(carrier::become_it(program, &plugin)) };
        let at_terminal = std::io::stdin().is_terminal() && ui::terminal::stdout_is_terminal();
        let ended = match at_terminal {
            true => carrier::at_terminal(program, &plugin, marks).await?,
            false => carrier::piped(program, &plugin, marks).await?,
        };
        exit(ended, &command)
    }
}

fn doing(service: &Service) -> String {
    format!("running a command in {}", service.address)
}

/// The exit code, where the session has shown one.
fn exit(ended: Ended, command: &str) -> Result<Exit, CliError> {
    let unknown = |why: &str, help: &str| Err(CliError::usage(&format!("it is not known how `{command}` ended: {why}"), help));
    match ended {
        Ended::With(status) => Ok(Exit::Of(status)),
        Ended::Unseen => unknown("the session broke off first", "the command may still run: `leoctl exec` again shows what is there"),
        Ended::NeverBegan => unknown(
            "the session ended before it began",
            "what the session said stands above; where the container has no /bin/sh, `--no-shell` runs the command without it",
        ),
    }
}

fn one(deployed: &Deployed<'_>, word: &str) -> Result<Service, CliError> {
    Ok(word::one(&service::all(deployed), word)?.clone())
}
