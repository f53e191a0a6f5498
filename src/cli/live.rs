//! Something that is read again and again, on the whole terminal.

use std::io::IsTerminal;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use jiff::Timestamp;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::{CliError, Context, signals};
use crate::ui::failure;
use crate::ui::screen::Screen;
use crate::ui::watch::{Action, Watch};
use leoctl_core::engine::EngineError;

/// How often the terminal is asked whether a key was pressed while nobody waits for keys any more.
const LOOK: Duration = Duration::from_millis(200);
/// How often ages on the screen move on.
const TICK: Duration = Duration::from_secs(1);

/// What was read.
pub struct Seen {
    /// How it is shown.
    pub screen: Screen,
    /// Whether that was the last of it.
    pub ends: bool,
    /// How long to wait before it is read again.
    pub pause: Duration,
}

/// Why the display ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Nothing more comes.
    Ended,
    /// Somebody left, or the terminal went away.
    Gone,
    /// A signal came.
    Interrupted,
}

/// Whether there is somebody to show something live to, and a terminal.
pub fn is_possible(context: &Context) -> bool {
    let talks = !context.global.json && !context.global.quiet && !context.global.plain;
    talks && std::io::stdin().is_terminal() && crate::ui::terminal::stdout_is_terminal()
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

/// What a reading comes to; of one that failed, how long to wait before the next.
type Read = Result<Seen, (CliError, Duration)>;
type Reading<'a> = LocalBoxFuture<'a, Read>;

/// Shows what is read, every so many seconds, until that ends or somebody leaves.
pub async fn run(seconds: u64, read: impl AsyncFn() -> Read) -> Result<Left, CliError> {
    let mut stop = signals::watch_signals();
    let mut taken = Taken::take()?;
    let mut keys = keys();
    let mut watch = Watch::new(seconds);
    let mut reading: Option<Reading<'_>> = Some(Box::pin(read()));
    let mut next = Instant::now();
    loop {
        taken.0.draw(|frame| watch.draw(frame, Timestamp::now())).map_err(|error| unusable(&error))?;
        tokio::select! {
            read = done(&mut reading) => {
                reading = None;
                let pause = match read {
                    Ok(Seen { ends: true, .. }) => return Ok(Left::Ended),
                    Ok(Seen { screen, pause, .. }) => {
                        watch.refreshed(screen, Timestamp::now());
                        pause
                    }
                    Err((error, pause)) => {
                        watch.failed(words(&error));
                        pause
                    }
                };
                next = Instant::now() + pause;
            }
            pressed = keys.recv() => match pressed {
                // The terminal went away.
                None => return Ok(Left::Gone),
                Some(Event::Key(key)) => match watch.key(key) {
                    Some(Action::Leave) => return Ok(Left::Gone),
                    Some(Action::Refresh) => next = Instant::now(),
                    None => {}
                },
                Some(_) => {}
            },
            () = sleep_until(next), if reading.is_none() => reading = Some(Box::pin(read())),
            () = tokio::time::sleep(TICK) => {}
            _ = stop.wait_for(|stop| *stop) => return Ok(Left::Interrupted),
        }
    }
}

/// The reading that is under way; never, when none is.
async fn done(reading: &mut Option<Reading<'_>>) -> Read {
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
    CliError::usage(&format!("the terminal cannot be used: {error}"), "`--plain` writes lines")
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
