//! `leoctl exec`.

mod carrier;

use std::io::IsTerminal;

use super::args::ExecArgs;
use super::{CliError, Context, Exit, redeploy, session};
use crate::ops::exec;
use crate::ops::exec_status::{Ended, Marks};
use crate::ops::service::{self, Service};
use crate::ops::{Deployed, task, task_definition};
use crate::ui::{self, FAINT, STRONG, styled};

/// Begins a session, which AWS's plugin carries, and exits as the command does that runs in it.
pub async fn run(context: &Context, args: &ExecArgs) -> Result<Exit, CliError> {
    let (_, session, state) = session::applied(context, args.stack.as_deref()).await?;
    let deployed = Deployed { state: &state, provider: &session.provider };
    let service = one(&deployed, &args.service)?;
    let doing = format!("running a command in {}", service.address);
    let failed = |failure| CliError::aws(&doing, failure);
    let tasks = session.reading("the tasks", task::of_service(&deployed, &service)).await.map_err(failed)?;
    let enabled = state.current(&service.address).and_then(|resource| resource.attributes.get("enable_execute_command")?.as_bool());
    let task = exec::task(&service, &tasks, args.task.as_deref(), enabled.unwrap_or(false))?;
    let definitions = task_definition::all(&deployed);
    let container = exec::container(task, args.container.as_deref(), task_definition::of_service(&definitions, &service))?;
    // Before a session is begun that nobody would end.
    let plugin = carrier::find()?;
    let command = exec::command(&args.command);
    let marks = (!args.no_shell).then(|| Marks::new(&uuid::Uuid::new_v4().simple().to_string()));
    let line = marks.as_ref().map_or_else(|| command.clone(), |marks| marks.around(&command));
    let handover = exec::begin(&deployed, task, container, &line).await.map_err(failed)?;
    let place = format!("{}/{}", container.name().unwrap_or_default(), task.id);
    context.say(&format!("{} {}", styled(STRONG, &command), styled(FAINT, format!("in {place}"))));
    let program = carrier::program(context, &plugin, &handover);
    let Some(marks) = marks else { return Err(carrier::become_it(program, &plugin)) };
    let at_terminal = std::io::stdin().is_terminal() && ui::terminal::stdout_is_terminal();
    let ended = match at_terminal {
        true => carrier::at_terminal(program, &plugin, marks).await?,
        false => carrier::piped(program, &plugin, marks).await?,
    };
    exit(ended, &command)
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
    let mut found = service::chosen(service::all(deployed), &[word.to_owned()]).map_err(redeploy::unknown)?;
    match (found.pop(), found.is_empty()) {
        (Some(service), true) => Ok(service),
        (last, _) => {
            let such_as = last.map(|service| format!(", such as `{}`", service.address)).unwrap_or_default();
            Err(CliError::usage(&format!("`{word}` names several services"), &format!("name one by its address{such_as}")))
        }
    }
}
