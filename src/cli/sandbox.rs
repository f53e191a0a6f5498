//! `leoctl sandbox`, and the sandbox for commands that are to use it.

use super::args::SandboxCommand;
use super::{CliError, Context, Exit};
use crate::sandbox::{Running, Sandbox};
use crate::ui;
use crate::ui::waiting::Voice;
use leoctl_core::engine::ports::{Failure, FailureKind};

/// Starts, stops, shows or resets the sandbox.
pub async fn run(context: &Context, command: SandboxCommand) -> Result<Exit, CliError> {
    let sandbox = Sandbox::open()?;
    match command {
        SandboxCommand::Start => {
            let running = running(context).await?;
            ui::out(format!("The sandbox runs at {} (process {}).", running.endpoint(), running.pid));
        }
        SandboxCommand::Stop => match sandbox.stop()? {
            true => ui::out("The sandbox is stopped; what is in it stays."),
            false => ui::out("The sandbox does not run."),
        },
        SandboxCommand::Status => match sandbox.status() {
            Some(running) => ui::out(format!("The sandbox runs at {} (process {}).", running.endpoint(), running.pid)),
            None => ui::out("The sandbox does not run."),
        },
        SandboxCommand::Reset => {
            sandbox.reset()?;
            ui::out("The sandbox is empty.");
        }
    }
    Ok(Exit::Done)
}

/// The sandbox, started unless it runs.
///
/// # Errors
/// When it cannot be installed, or does not come up.
pub async fn running(context: &Context) -> Result<Running, CliError> {
    let sandbox = Sandbox::open()?;
    let words = context.clone();
    // Python's programs are waited for in a thread of their own, so that leoctl hears signals meanwhile.
    let starting = tokio::task::spawn_blocking(move || sandbox.start(&|text| words.say(text)));
    let line = |_| "waiting for the sandbox's emulator to be installed and to start".to_owned();
    match Voice::new(context.global.json).during(line, starting).await {
        Ok(started) => Ok(started?),
        Err(error) => Err(CliError::usage(&format!("the sandbox cannot be started: {error}"), "try again")),
    }
}

/// What to do about a failure that comes of something the sandbox's emulator does not know; nothing without a sandbox.
pub fn lacks(context: &Context, failure: &Failure) -> Option<String> {
    if !context.global.sandbox || !is_unknown(failure) {
        return None;
    }
    let what = failure.operation.split(':').next().unwrap_or_default();
    Some(format!(
        "help: the sandbox lacks this part of {what} ({}): your stack is fine; leave out what needs it with `--exclude ADDRESS`, \
         or try it in AWS",
        failure.operation
    ))
}

/// Whether an operation is not known where it was called: an answer without a code of AWS's, or the codes AWS has for
/// operations that do not exist (Common Error Types of its services).
fn is_unknown(failure: &Failure) -> bool {
    let unheard = matches!(failure.kind, FailureKind::Other | FailureKind::NotFound | FailureKind::Ambiguous);
    match failure.code.as_deref() {
        _ if failure.no_answer.is_some() => false,
        None => unheard && !failure.operation.is_empty(),
        Some("InvalidAction" | "UnknownOperationException" | "UnknownOperation" | "NotImplemented" | "UnsupportedOperation") => true,
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_sandbox_does_not_know_is_told_apart_from_what_the_stack_does_wrong() {
        let failure = |code: Option<&str>| Failure {
            code: code.map(str::to_owned),
            operation: "application-autoscaling:DescribeScalableTargets".to_owned(),
            ..Failure::new(FailureKind::Other, "x")
        };
        assert!(is_unknown(&failure(None)) && is_unknown(&failure(Some("InvalidAction"))));
        assert!(!is_unknown(&failure(Some("ValidationException"))));
        assert!(!is_unknown(&Failure::new(FailureKind::Interrupted, "x")));
    }
}
