//! Questions at the terminal, and the one way to ask before something is changed.

use super::{CliError, Context, signals};
use crate::ui;

/// Whether to go on with what has just been shown: asks unless told not to, and refuses where nobody can answer.
///
/// # Errors
/// When there is no terminal, and when the question is interrupted.
pub async fn confirmed(context: &Context, yes: bool, question: &str) -> Result<bool, CliError> {
    if yes {
        return Ok(true);
    }
    if !context.interactive {
        return Err(CliError::usage("nobody is there to confirm it: this is no terminal", "pass `--yes` once you have seen what it does"));
    }
    let agreed = agreed(question).await?;
    if !agreed {
        context.say("Nothing was done.");
    }
    Ok(agreed)
}

/// Asks until the answer can be read; where nothing is typed, the answer is `default`. None where the input ends. Only for commands
/// that have nothing to let go of: a signal ends the process.
pub fn until<T>(question: &str, default: &str, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
    loop {
        ui::ask(&format!("{question} [{default}] "));
        let mut line = String::new();
        if !std::io::stdin().read_line(&mut line).is_ok_and(|read| read > 0) {
            // The answer's line was begun.
            ui::note("");
            return None;
        }
        let answer = Some(line.trim()).filter(|answer| !answer.is_empty()).unwrap_or(default);
        match read(answer) {
            Ok(answer) => return Some(answer),
            Err(problem) => ui::note(problem),
        }
    }
}

/// Asks, and takes a whole line for an answer: anything but a yes is a no, and so is the end of the input.
///
/// # Errors
/// When it is interrupted.
pub async fn agreed(question: &str) -> Result<bool, CliError> {
    ui::ask(&format!("{question} [yes/no] "));
    let mut stop = signals::watch_signals();
    let (sender, answer) = tokio::sync::oneshot::channel();
    // A thread that nobody waits for: reading a line cannot be called off.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().read_line(&mut line);
        // Nobody may be there any more to hear it.
        let _ = sender.send(read.is_ok() && matches!(line.trim().to_lowercase().as_str(), "y" | "yes"));
    });
    tokio::select! {
        answer = answer => Ok(answer.unwrap_or(false)),
        Ok(_) = stop.wait_for(|stop| *stop) => {
            // The answer's line was begun.
            ui::note("");
            Err(CliError::Interrupted)
        }
    }
}
