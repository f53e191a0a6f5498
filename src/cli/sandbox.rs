//! `leoctl sandbox`.

use super::args::SandboxCommand;
use super::{CliError, Context, Exit};
use crate::sandbox::Sandbox;
use crate::ui;

/// Starts, stops, shows or resets the sandbox.
pub fn run(context: &Context, command: SandboxCommand) -> Result<Exit, CliError> {
    let sandbox = Sandbox::open()?;
    match command {
        SandboxCommand::Start => {
            let running = sandbox.start(&|text| context.say(text))?;
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
