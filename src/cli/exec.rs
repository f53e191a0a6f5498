//! `leoctl exec`.

use std::io::IsTerminal;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::args::ExecArgs;
use super::{CliError, Context, Exit, redeploy, session, signals};
use crate::ops::exec::{self, Handover, PLUGIN, SESSION_VARIABLE};
use crate::ops::exec_status::Marks;
use crate::ops::service::{self, Service};
use crate::ops::{Deployed, task, task_definition};
use crate::ui::{self, FAINT, STRONG, styled};

/// Begins a session, which AWS's plugin carries. A command's exit code is ours; a session at a terminal is the plugin's,
/// which leoctl becomes, so that it has the terminal and gets every signal.
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
    let plugin = plugin()?;
    let command = exec::command(&args.command);
    let at_terminal = std::io::stdin().is_terminal() && ui::terminal::stdout_is_terminal();
    let marks = (!args.command.is_empty() && !at_terminal).then(|| Marks::new(&uuid::Uuid::new_v4().simple().to_string()));
    let line = marks.as_ref().map_or_else(|| command.clone(), |marks| marks.around(&command));
    let handover = exec::begin(&deployed, task, container, &line).await.map_err(failed)?;
    let place = format!("{}/{}", container.name().unwrap_or_default(), task.id);
    context.say(&format!("{} {}", styled(STRONG, command), styled(FAINT, format!("in {place}"))));
    let program = carrier(context, &plugin, &handover);
    match marks {
        Some(marks) => watched(program, &plugin, marks).await,
        None => Err(hand_over(program, &plugin)),
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

fn plugin() -> Result<PathBuf, CliError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(PLUGIN)).find(|program| program.is_file());
    found.ok_or_else(|| {
        let help = "install it from \
                    https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html";
        CliError::usage(&format!("there is no `{PLUGIN}` on the PATH, which carries sessions in containers"), help)
    })
}

/// The plugin, ready to carry a session.
fn carrier(context: &Context, plugin: &Path, handover: &Handover) -> Command {
    let by_variable = version(plugin).is_some_and(|version| exec::takes_variable(&version));
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let profile = context.global.profile.clone().or_else(|| variable("AWS_PROFILE")).unwrap_or_default();
    let endpoint = context.global.endpoint_url.clone();
    let endpoint = endpoint.or_else(|| variable("AWS_ENDPOINT_URL_SSM")).or_else(|| variable("AWS_ENDPOINT_URL"));
    let mut command = Command::new(plugin);
    command.args(handover.arguments(by_variable, &profile, endpoint.as_deref()));
    if by_variable {
        command.env(SESSION_VARIABLE, &handover.session);
    }
    command
}

fn cannot_run(plugin: &Path, error: &std::io::Error) -> CliError {
    CliError::usage(&format!("cannot run {}: {error}", plugin.display()), "install it anew")
}

/// Becomes the plugin; comes back only when that fails.
fn hand_over(mut program: Command, plugin: &Path) -> CliError {
    cannot_run(plugin, &program.exec())
}

/// Runs the plugin, passes on what the command writes, and exits as the command did; as the plugin does when the command
/// never ran or its end was not seen.
async fn watched(mut program: Command, plugin: &Path, marks: Marks) -> Result<Exit, CliError> {
    let mut stop = signals::watch_signals();
    let failed = |error: std::io::Error| cannot_run(plugin, &error);
    let mut child = program.stdout(Stdio::piped()).spawn().map_err(failed)?;
    let Some(mut output) = child.stdout.take() else { return Err(failed(std::io::ErrorKind::BrokenPipe.into())) };
    let reading = tokio::task::spawn_blocking(move || marks.filter(&mut output, &mut ui::terminal::pass));
    tokio::select! {
        read = reading => {
            let status = read.map_err(std::io::Error::other).and_then(|read| read).map_err(failed)?;
            let ended = child.wait().map_err(failed)?;
            let of_plugin = || ended.code().and_then(|code| u8::try_from(code).ok()).filter(|code| *code != 0).unwrap_or(1);
            Ok(Exit::Of(status.unwrap_or_else(of_plugin)))
        }
        Ok(_) = stop.wait_for(|stop| *stop) => {
            // It ends the session; where it has gone already there is nothing to end.
            drop(child.kill());
            Err(CliError::Interrupted)
        }
    }
}

fn version(plugin: &Path) -> Option<String> {
    let output = Command::new(plugin).arg("--version").output().ok()?;
    String::from_utf8(output.stdout).ok()
}
