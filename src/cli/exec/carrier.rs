//! The plugin of Session Manager, which carries the session.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{CliError, Context, signals};
use crate::ops::exec::{self, Handover, PLUGIN, SESSION_VARIABLE};
use crate::ops::exec_status::{Ended, Marks};
use crate::ops::pty::{Pty, Restored};
use crate::ui;

/// Where the plugin is.
///
/// # Errors
/// When it is not installed.
pub fn find() -> Result<PathBuf, CliError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(PLUGIN)).find(|program| program.is_file());
    found.ok_or_else(|| {
        let help = "install it from \
                    https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html";
        CliError::usage(&format!("there is no `{PLUGIN}` on the PATH, which carries sessions in containers"), help)
    })
}

/// The plugin, ready to carry a session.
pub fn program(context: &Context, plugin: &Path, handover: &Handover) -> Command {
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
pub fn become_it(mut program: Command, plugin: &Path) -> CliError {
    cannot_run(plugin, &program.exec())
}

/// Runs the plugin with a pipe as its stdout.
///
/// # Errors
/// When it cannot be run, or leoctl was interrupted.
pub async fn piped(mut program: Command, plugin: &Path, marks: Marks) -> Result<Ended, CliError> {
    let failed = |error: io::Error| cannot_run(plugin, &error);
    let mut child = program.stdout(Stdio::piped()).spawn().map_err(failed)?;
    let Some(output) = child.stdout.take() else { return Err(failed(io::ErrorKind::BrokenPipe.into())) };
    watched(child, output, marks, None).await?.map_err(failed)
}

/// Runs the plugin at this terminal: it reads the terminal itself, and writes to one of the same size, whose output is
/// passed on. The plugin asks its stdout how large the terminal is.
///
/// # Errors
/// When it cannot be run, or leoctl was told to end.
pub async fn at_terminal(mut program: Command, plugin: &Path, marks: Marks) -> Result<Ended, CliError> {
    let failed = |error: io::Error| cannot_run(plugin, &error);
    let _restored = Restored::new();
    let _keys = signals::keys_are_the_sessions().map_err(failed)?;
    let (pty, slave) = Pty::open().map_err(failed)?;
    let child = program.stdout(slave).spawn().map_err(failed)?;
    // Its end of the terminal is the only one then: when the plugin ends, reading does.
    drop(program);
    let output = pty.output().map_err(failed)?;
    watched(child, output, marks, Some(&pty)).await?.map_err(failed)
}

/// Passes on what the command writes, until the plugin has ended.
async fn watched(
    mut child: Child,
    mut output: impl Read + Send + 'static,
    marks: Marks,
    pty: Option<&Pty>,
) -> Result<io::Result<Ended>, CliError> {
    let mut stop = signals::watch_signals();
    let mut reading = tokio::task::spawn_blocking(move || marks.filter(&mut output, &mut ui::terminal::pass));
    tokio::select! {
        read = &mut reading => {
            let ended = read.map_err(io::Error::other).and_then(|read| read);
            Ok(child.wait().and(ended))
        }
        Ok(_) = stop.wait_for(|stop| *stop) => {
            // It ends the session; where it has gone already there is nothing to end. It touches the terminal no more then.
            drop(child.kill().and_then(|()| child.wait()));
            Err(CliError::Interrupted)
        }
        never = resized(pty) => match never {}
    }
}

/// Keeps the plugin's terminal as large as ours.
async fn resized(pty: Option<&Pty>) -> std::convert::Infallible {
    if let Some(pty) = pty
        && let Ok(mut changed) = signal(SignalKind::window_change())
    {
        // It may have changed before anybody listened.
        pty.resize();
        while changed.recv().await.is_some() {
            pty.resize();
        }
    }
    std::future::pending().await
}

fn version(plugin: &Path) -> Option<String> {
    let output = Command::new(plugin).arg("--version").output().ok()?;
    String::from_utf8(output.stdout).ok()
}
