//! Following releases until they have ended: live on the whole terminal, line by line elsewhere.

pub mod lines;
mod pace;
pub mod view;

use std::cell::RefCell;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::live::{self, Left, Seen};
use super::{CliError, Context, Exit, signals};
use crate::ops::release::{Reader, Release, Verdict};
use crate::ui::screen::{Line, Screen};
use crate::ui::{self, failure};
use leoctl_core::engine::ports::Failure;
use lines::Told;
use pace::Pace;

/// How often releases are looked at that end by themselves, in seconds.
pub const EVERY: u64 = 5;

/// What is followed, and how.
pub struct Following<'a> {
    /// Who reads.
    pub reader: Reader<'a>,
    /// What the releases are of.
    pub title: Line,
    /// How often they are looked at, in seconds.
    pub every: u64,
    /// Until when they are waited for, and how long that is in all.
    pub patience: Option<(Instant, Duration)>,
    /// Whether a live display stays when they have ended.
    pub stays: bool,
}

/// How following ended.
pub struct Followed {
    /// The releases as they were seen last.
    pub releases: Vec<Release>,
    /// Whether somebody left while they went on.
    pub left: bool,
}

impl Followed {
    /// What leoctl exits with.
    pub fn exit(&self) -> Exit {
        let failed = self.releases.iter().any(|release| matches!(release.verdict, Verdict::Failed { .. }));
        match (failed, self.left) {
            (true, _) => Exit::Error,
            (false, true) => Exit::Interrupted,
            (false, false) => Exit::Done,
        }
    }
}

impl Following<'_> {
    /// Follows the releases until all have ended, or somebody leaves.
    ///
    /// # Errors
    /// When AWS does not say how they go, and would not later.
    pub async fn run(mut self, context: &Context) -> Result<Followed, CliError> {
        if !live::is_possible(context) || context.global.verbose > 0 {
            return lines(context, self).await;
        }
        // What has ended by the time of the first look needs no screen.
        let first = match self.reader.read().await {
            Ok(first) if all_ended(&first) && !self.stays => return Ok(Followed { releases: first, left: false }),
            Ok(first) => Some(first),
            // The screen asks again.
            Err(failure) if pace::passes(&failure) => None,
            Err(failure) => return Err(reading(failure)),
        };
        self.on_screen(first).await
    }

    async fn on_screen(self, first: Option<Vec<Release>>) -> Result<Followed, CliError> {
        let Self { reader, title, every, patience, stays } = self;
        let pace = RefCell::new(Pace::new(Duration::from_secs(every)));
        let (first, last, fatal) = (RefCell::new(first), RefCell::new(Vec::new()), RefCell::new(None));
        let reader = tokio::sync::Mutex::new(reader);
        let read = async || {
            let mut reader = reader.lock().await;
            let first = first.borrow_mut().take();
            let read = match first {
                Some(first) => Ok(first),
                None => reader.read().await,
            };
            match read {
                Ok(releases) => {
                    let releases = given_up(releases, patience);
                    let screen = view::screen(&title, &releases, Timestamp::now());
                    let ends = all_ended(&releases) && !stays;
                    *last.borrow_mut() = releases;
                    Ok(Seen { screen, ends, pause: pace.borrow_mut().answered() })
                }
                Err(failure) if stays || pace::passes(&failure) && in_time(patience) => {
                    Err((reading(failure), pace.borrow_mut().refused()))
                }
                Err(failure) => {
                    *fatal.borrow_mut() = Some(reading(failure));
                    Ok(Seen { screen: Screen::default(), ends: true, pause: Duration::ZERO })
                }
            }
        };
        let left = live::run(every, read).await?;
        if let Some(error) = fatal.take() {
            return Err(error);
        }
        Ok(Followed { releases: last.take(), left: left != Left::Ended })
    }
}

/// Says how a release ended. A failure is said with `--quiet`, too.
pub fn tell(context: &Context, release: &Release) {
    let lines = lines::report(release);
    let failed = matches!(release.verdict, Verdict::Failed { .. });
    match failed && !context.global.json {
        true => lines.iter().for_each(|line| ui::note(ui::prose(line))),
        false => lines.iter().for_each(|line| context.say(&ui::prose(line))),
    }
}

/// Whether it is still waited for the end of a release.
fn in_time(patience: Option<(Instant, Duration)>) -> bool {
    patience.is_none_or(|(until, _)| Instant::now() < until)
}

fn all_ended(releases: &[Release]) -> bool {
    releases.iter().all(|release| release.verdict.is_final())
}

fn reading(failure: Failure) -> CliError {
    CliError::aws("asking how the release goes", failure)
}

/// The releases, of which those have failed that are waited for no longer.
fn given_up(mut releases: Vec<Release>, patience: Option<(Instant, Duration)>) -> Vec<Release> {
    let Some((_, whole)) = patience.filter(|(until, _)| Instant::now() >= *until) else { return releases };
    for release in &mut releases {
        if let Verdict::Going { said } = &release.verdict {
            let reason = format!("the rollout took longer than {} min: {said}", whole.as_secs().div_ceil(60));
            release.verdict = Verdict::Failed { reason };
        }
    }
    releases
}

async fn lines(context: &Context, following: Following<'_>) -> Result<Followed, CliError> {
    let Following { mut reader, every, patience, .. } = following;
    let mut stop = signals::watch_signals();
    let (mut told, mut pace) = (Told::default(), Pace::new(Duration::from_secs(every)));
    let mut releases = Vec::new();
    loop {
        let read = tokio::select! {
            read = reader.read() => read,
            Ok(_) = stop.wait_for(|stop| *stop) => return Ok(Followed { releases, left: true }),
        };
        let pause = match read {
            Ok(read) => {
                releases = given_up(read, patience);
                releases.iter().flat_map(|release| told.news(release, Timestamp::now())).for_each(|line| context.say(&ui::prose(line)));
                if all_ended(&releases) {
                    return Ok(Followed { releases, left: false });
                }
                pace.answered()
            }
            Err(failure) if pace::passes(&failure) && in_time(patience) => {
                let pause = pace.refused();
                let why = failure::lines(&failure).join(" ");
                context.say(&ui::prose(format!("AWS does not say how the release goes: {why}; asking again in {} s", pause.as_secs())));
                pause
            }
            Err(failure) => return Err(reading(failure)),
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            Ok(_) = stop.wait_for(|stop| *stop) => return Ok(Followed { releases, left: true }),
        }
    }
}
