//! Saying what is being waited for, and since when: live on a terminal, a line now and then elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::{Instant, sleep};

use super::live::{Quiet, display};
use super::terminal::{for_display, is_live};
use super::{FAINT, note, one_line, styled};

/// How long nothing is said.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often the live line is brought up to date.
const LIVE: Duration = Duration::from_millis(500);
/// How often a line is written elsewhere.
const LINES: Duration = Duration::from_secs(10);

/// How waiting is told about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// A line that is always up to date.
    Live,
    /// A line now and then.
    Lines,
    /// Nobody is told.
    Silent,
}

impl Voice {
    /// As stderr is; silent where only JSON is wanted.
    pub fn new(silent: bool) -> Self {
        match (silent, is_live()) {
            (true, _) => Self::Silent,
            (false, true) => Self::Live,
            (false, false) => Self::Lines,
        }
    }

    /// Carries something out; when it takes long, says `what` is being waited for. That is asked again whenever it is said,
    /// with how long it has taken so far.
    pub async fn during<T>(self, what: impl Fn(Duration) -> String, work: impl Future<Output = T>) -> T {
        let began = Instant::now();
        let mut work = std::pin::pin!(work);
        let mut pause = PATIENCE;
        let mut line = Line::None;
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = sleep(pause) => {}
            }
            if self == Self::Silent {
                return work.await;
            }
            line.say(self, &what(began.elapsed()), began.elapsed());
            pause = if self == Self::Live { LIVE } else { LINES };
        }
    }
}

/// The line of something that is waited for.
enum Line {
    None,
    Live(ProgressBar, Quiet),
}

impl Line {
    fn say(&mut self, voice: Voice, what: &str, elapsed: Duration) {
        let text = styled(FAINT, format!("{} ({} s)", one_line(what), elapsed.as_secs()));
        if voice != Voice::Live {
            return note(text);
        }
        if let Self::None = self {
            let bar = display().add(ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            *self = Self::Live(bar, Quiet::new());
        }
        if let Self::Live(bar, _) = self {
            bar.set_message(for_display(&text));
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Self::Live(bar, _) = self {
            bar.finish_and_clear();
            display().remove(bar);
        }
    }
}
