//! The status as it changes, on the whole terminal.

use std::io::IsTerminal;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use jiff::Timestamp;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::view;
use crate::cli::session::{self, Session};
use crate::cli::{CliError, Context, Exit, signals};
use crate::ui::failure;
use crate::ui::screen::Screen;
use crate::ui::watch::{Action, Watch};
use leoctl_core::engine::EngineError;

/// How often the terminal is asked whether a key was pressed while nobody waits for keys any more.
const LOOK: Duration = Duration::from_millis(200);
/// How often ages on the screen move on.
const TICK: Duration = Duration::from_secs(1);

/// Whether there is somebody to show it to, and a terminal.
pub fn possible(context: &Context) -> Result<(), CliError> {
    if !context.global.json && std::io::stdin().is_terminal() && crate::ui::terminal::stdout_is_terminal() {
        return Ok(());
    }
    Err(CliError::usage("`--watch` is for people at a terminal", "leave it out; scripts use `--json`"))
}

/// The terminal, which is as it was when this is dropped; a panic puts it right by the hook that `try_init` sets.
struct Taken(DefaultTerminal);

impl Taken {
    fn take() -> Result<Self, CliError> {
        ratatui::try_init().map(Self).map_err(|error| {
            // Half of it may have been done.
            drop(ratatui::try_restore());
            unusable(&error)
        })
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        // Where that fails there is no terminal any more.
        drop(ratatui::try_restore());
    }
}

type Reading<'a> = LocalBoxFuture<'a, Result<Screen, CliError>>;

/// Shows the status until somebody leaves.
pub async fn run(session: &Session, seconds: u64) -> Result<Exit, CliError> {
    let mut stop = signals::watch_signals();
    let mut taken = Taken::take()?;
    let mut keys = keys();
    let mut watch = Watch::new(seconds);
    let interval = Duration::from_secs(seconds);
    let mut reading: Option<Reading<'_>> = Some(Box::pin(read(session)));
    let mut next = Instant::now();
    loop {
        taken.0.draw(|frame| watch.draw(frame, Timestamp::now())).map_err(|error| unusable(&error))?;
        tokio::select! {
            read = done(&mut reading) => {
                reading = None;
                next = Instant::now() + interval;
                match read {
                    Ok(screen) => watch.refreshed(screen, Timestamp::now()),
                    Err(error) => watch.failed(words(&error)),
                }
            }
            pressed = keys.recv() => match pressed {
                // The terminal went away.
                None => return Ok(Exit::Done),
                Some(Event::Key(key)) => match watch.key(key) {
                    Some(Action::Leave) => return Ok(Exit::Done),
                    Some(Action::Refresh) => next = Instant::now(),
                    None => {}
                },
                Some(_) => {}
            },
            () = sleep_until(next), if reading.is_none() => reading = Some(Box::pin(read(session))),
            () = tokio::time::sleep(TICK) => {}
            _ = stop.wait_for(|stop| *stop) => return Ok(Exit::Interrupted),
        }
    }
}

/// The state anew as well: an apply may be going on.
async fn read(session: &Session) -> Result<Screen, CliError> {
    let Some(state) = session.store.load().await? else { return Err(session::never_applied(&session.stack.name)) };
    Ok(view::screen(&super::read(session, &state).await?))
}

/// The reading that is under way; never, when none is.
async fn done(reading: &mut Option<Reading<'_>>) -> Result<Screen, CliError> {
    match reading {
        Some(reading) => reading.await,
        None => std::future::pending().await,
    }
}

/// What is done at the terminal, until nobody waits for it.
fn keys() -> mpsc::Receiver<Event> {
    let (sender, receiver) = mpsc::channel(16);
    // A thread: waiting for a key blocks.
    std::thread::spawn(move || {
        while !sender.is_closed() {
            let pressed = match event::poll(LOOK) {
                Ok(true) => event::read(),
                Ok(false) => continue,
                Err(error) => Err(error),
            };
            if pressed.map_or(true, |event| sender.blocking_send(event).is_err()) {
                break;
            }
        }
    });
    receiver
}

fn unusable(error: &std::io::Error) -> CliError {
    CliError::usage(&format!("the terminal cannot be used: {error}"), "leave `--watch` out")
}

/// Why a refresh failed, with what to do.
fn words(error: &CliError) -> Vec<String> {
    match error {
        CliError::Engine(EngineError::Aws { failure: why, .. }) => failure::lines(why),
        CliError::Store(error) => std::iter::once(error.message.clone()).chain(error.help.clone()).collect(),
        CliError::Usage { message, help } => vec![message.clone(), help.clone()],
        other => vec![other.to_string()],
    }
}
