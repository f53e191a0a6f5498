//! The live lines on stderr: one display for all that is going on at a time.
//!
//! A terminal echoes control keys (`^C`) where the cursor is, which is at the end of the last line: it goes on to another
//! line then, and what is drawn next is off by one. So as long as there are live lines these keys are not echoed.

use std::sync::{LazyLock, Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressDrawTarget};
use rustix::process::getpgrp;
use rustix::stdio::stderr;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcgetpgrp, tcsetattr};

static DISPLAY: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// How many keep control keys from being echoed, and whether they were before.
static QUIET: Mutex<(usize, bool)> = Mutex::new((0, false));

/// The display.
pub fn display() -> &'static MultiProgress {
    &DISPLAY
}

/// Takes all live lines away for good, as the process is about to end.
pub fn leave() {
    // Without a terminal to draw on there are no lines.
    drop(DISPLAY.clear());
    DISPLAY.set_draw_target(ProgressDrawTarget::hidden());
    let (users, echoed) = &mut *QUIET.lock().unwrap_or_else(PoisonError::into_inner);
    if *users > 0 && *echoed {
        echo(true);
    }
}

/// As long as there is one of these, control keys are not echoed.
#[derive(Debug)]
pub struct Quiet(());

impl Quiet {
    /// Keeps control keys from being echoed.
    #[expect(clippy::new_without_default, reason = "it changes the terminal")]
    pub fn new() -> Self {
        let (users, echoed) = &mut *QUIET.lock().unwrap_or_else(PoisonError::into_inner);
        if *users == 0 {
            *echoed = echo(false);
        }
        *users += 1;
        Self(())
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let (users, echoed) = &mut *QUIET.lock().unwrap_or_else(PoisonError::into_inner);
        *users = users.saturating_sub(1);
        if *users == 0 && *echoed {
            echo(true);
        }
    }
}

/// Has the terminal echo control keys, or not; whether it did before. A program that is not in front leaves the terminal
/// alone: it would be stopped.
fn echo(on: bool) -> bool {
    let terminal = stderr();
    if tcgetpgrp(terminal).is_ok_and(|front| front != getpgrp()) {
        return false;
    }
    let Ok(mut modes) = tcgetattr(terminal) else { return false };
    let before = modes.local_modes.contains(LocalModes::ECHOCTL);
    modes.local_modes.set(LocalModes::ECHOCTL, on);
    // A terminal that has gone echoes nothing.
    let _ = tcsetattr(terminal, OptionalActions::Now, &modes);
    before
}
