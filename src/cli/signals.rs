//! Being told to stop, by SIGINT or SIGTERM.
//!
//! A signal is for whoever asked last and still listens: an apply finishes what runs, a command that holds the lock
//! gives it back, every other command ends. The second signal ends the process.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::Signal as Number;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, watch};

use super::CliError;
use crate::ui;

/// What a shell expects of a program that was interrupted.
const INTERRUPTED: i32 = 130;
/// How long a command may take to end that only has to let go of everything.
const LETTING_GO: Duration = Duration::from_secs(3);

/// Those who listen, in the order in which they began to.
static LISTENERS: Mutex<Vec<watch::Sender<bool>>> = Mutex::new(Vec::new());

/// Says that what a signal was for has ended, and the command goes on.
static GOES_ON: Notify = Notify::const_new();

/// Whether the keys that send signals are for a program that leoctl runs.
static KEYS_ARE_THE_SESSIONS: AtomicBool = AtomicBool::new(false);

/// The keys of the terminal go to a session: until this goes, the signals they send (SIGINT, SIGQUIT, SIGTSTP), which
/// reach leoctl, too, say nothing to it.
#[derive(Debug)]
pub struct Keys {
    _taken: [Signal; 2],
}

/// Leaves the keys of the terminal to a session.
///
/// # Errors
/// When the system lets nobody take signals.
pub fn keys_are_the_sessions() -> io::Result<Keys> {
    // SIGINT is taken already.
    let taken = [signal(SignalKind::quit())?, signal(SignalKind::from_raw(Number::TSTP.as_raw()))?];
    KEYS_ARE_THE_SESSIONS.store(true, Ordering::SeqCst);
    Ok(Keys { _taken: taken })
}

impl Drop for Keys {
    fn drop(&mut self) {
        KEYS_ARE_THE_SESSIONS.store(false, Ordering::SeqCst);
    }
}

fn listeners() -> MutexGuard<'static, Vec<watch::Sender<bool>>> {
    LISTENERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// True from the signal on that is for this listener: the first that comes while nobody who asked later listens.
pub fn watch_signals() -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    listeners().push(sender);
    receiver
}

/// Tells whoever listens; whether that is the command as a whole.
fn tell() -> bool {
    let mut listeners = listeners();
    listeners.retain(|listener| !listener.is_closed());
    if let Some(last) = listeners.last() {
        last.send_replace(true);
    }
    listeners.len() <= 1
}

/// Begins to take signals, which end the process by themselves until then.
fn take() {
    tokio::spawn(async {
        let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
            // Without handlers a signal ends leoctl at once, and the journal has what was done.
            return;
        };
        let mut next = async || loop {
            tokio::select! {
                _ = interrupt.recv() => if !KEYS_ARE_THE_SESSIONS.load(Ordering::SeqCst) { break },
                _ = terminate.recv() => break,
            }
        };
        loop {
            next().await;
            let whole = tell();
            tokio::select! {
                () = GOES_ON.notified() => continue,
                () = next() => end("Stopped at once. What was begun in AWS may go on; `leoctl plan` shows what an apply has left to do."),
                // A command that is busy with itself does not hear.
                () = tokio::time::sleep(LETTING_GO), if whole => end("Interrupted."),
            }
            std::process::exit(INTERRUPTED);
        }
    });
}

/// Says a last word, where live lines may be.
fn end(word: &str) {
    ui::live::leave();
    ui::note(word);
}

/// Carries out a whole command, unless a signal comes that is for it.
///
/// # Errors
/// Those of the command, and that it was interrupted.
pub async fn command<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    take();
    until_interrupted(work).await
}

/// Lets a command go on after a signal ended a part of it: the next signal is a first one again.
pub fn go_on() {
    GOES_ON.notify_one();
}

/// Carries something out unless a signal comes while nobody in it listens.
///
/// # Errors
/// Its own, and that it was interrupted.
pub async fn until_interrupted<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let mut stop = watch_signals();
    let told = stop.clone();
    tokio::select! {
        biased;
        // What failed after the signal failed because of it: programs that leoctl runs hear it, too.
        outcome = work => outcome.map_err(|error| if *told.borrow() { CliError::Interrupted } else { error }),
        Ok(_) = stop.wait_for(|stop| *stop) => Err(CliError::Interrupted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_signal_is_for_whoever_asked_last_and_still_listens() {
        let whole = watch_signals();
        let inner = watch_signals();
        {
            let apply = watch_signals();
            assert!(!tell());
            assert_eq!((*apply.borrow(), *inner.borrow(), *whole.borrow()), (true, false, false));
        }
        tell();
        assert_eq!((*inner.borrow(), *whole.borrow()), (true, false));
        drop(inner);
        let outcome: Result<(), CliError> = until_interrupted(async {
            tell();
            std::future::pending().await
        })
        .await;
        assert!(matches!(outcome, Err(CliError::Interrupted)));
        assert!(!*whole.borrow());
    }
}
