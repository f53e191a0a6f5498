//! `leoctl exec`.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::args::ExecArgs;
use super::{CliError, Context, Exit, redeploy, session};
use crate::ops::exec::{self, Handover, PLUGIN, SESSION_VARIABLE};
use crate::ops::service::{self, Service};
use crate::ops::{Deployed, task, task_definition};
use crate::ui::{FAINT, STRONG, styled};

/// Begins a session and becomes the plugin that carries it, which so gets every signal, and whose exit code is ours.
pub async fn run(context: &Context, args: &ExecArgs) -> Result<Exit, CliError> {
    let (_, session, state) = session::applied(context, args.stack.as_deref()).await?;
    let deployed = Deployed { state: &state, provider: &session.provider };
    let service = one(&deployed, &args.service)?;
    let doing = format!("running a command in {}", service.address);
    let failed = |failure| CliError::aws(&doing, failure);
    let tasks = task::of_service(&deployed, &service).await.map_err(failed)?;
    let enabled = state.current(&service.address).and_then(|resource| resource.attributes.get("enable_execute_command")?.as_bool());
    let task = exec::task(&service, &tasks, args.task.as_deref(), enabled.unwrap_or(false))?;
    let definitions = task_definition::all(&deployed);
    let container = exec::container(task, args.container.as_deref(), task_definition::of_service(&definitions, &service))?;
    // Before a session is begun that nobody would end.
    let plugin = plugin()?;
    let command = exec::command(&args.command);
    let handover = exec::begin(&deployed, task, container, &command).await.map_err(failed)?;
    let place = format!("{}/{}", container.name().unwrap_or_default(), task.id);
    context.say(&format!("{} {}", styled(STRONG, command), styled(FAINT, format!("in {place}"))));
    Err(hand_over(context, &plugin, &handover))
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

/// Becomes the plugin; comes back only when that fails.
fn hand_over(context: &Context, plugin: &Path, handover: &Handover) -> CliError {
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
    let error = command.exec();
    CliError::usage(&format!("cannot run {}: {error}", plugin.display()), "install it anew")
}

fn version(plugin: &Path) -> Option<String> {
    let output = Command::new(plugin).arg("--version").output().ok()?;
    String::from_utf8(output.stdout).ok()
}
