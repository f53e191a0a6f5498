//! An apply as it runs: live on a terminal, plain lines elsewhere, JSON lines on request.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use super::live::{self, Quiet};
use super::terminal::for_display;
use super::{ADD, BAD, CHANGE, FAINT, REMOVE, STRONG, failure, json, note, one_line, out, prose, styled};
use leoctl_core::engine::event::{Event, EventSink, Verb};
use leoctl_core::engine::usual::{Span, said};
use leoctl_core::model::address::Address;

/// How often lines look at what takes long.
const LOOK: Duration = Duration::from_secs(1);
/// After how long a line first says of something that it takes long.
const FIRST: Duration = Duration::from_secs(10);
/// How long after the last line the next one says it again, once it takes longer than usual.
const AGAIN: Duration = Duration::from_secs(300);

/// Events as lines of JSON on stdout.
pub struct JsonLines;

impl EventSink for JsonLines {
    fn emit(&self, event: &Event) {
        out(json::event(event));
    }
}

/// Events as lines of text on stderr, and now and then what takes long.
pub struct Lines {
    waits: Arc<Mutex<Waits>>,
    /// Gone, nobody looks any more at what takes long.
    _looks: mpsc::Sender<()>,
}

impl Lines {
    /// Lines, and somebody who looks at what takes long.
    pub fn new() -> Self {
        let waits: Arc<Mutex<Waits>> = Arc::default();
        let (looks, gone) = mpsc::channel();
        // A thread: it has to look while the engine waits.
        std::thread::spawn({
            let waits = Arc::clone(&waits);
            move || {
                while gone.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                    let due = waits.lock().unwrap_or_else(PoisonError::into_inner).due(Instant::now());
                    due.iter().for_each(|line| note(styled(FAINT, format!("  {line}"))));
                }
            }
        });
        Self { waits, _looks: looks }
    }
}

impl Default for Lines {
    fn default() -> Self {
        Self::new()
    }
}

impl EventSink for Lines {
    fn emit(&self, event: &Event) {
        let is_news = self.waits.lock().unwrap_or_else(PoisonError::into_inner).hear(event, Instant::now());
        if let Some(text) = text(event).filter(|_| is_news) {
            note(text);
        }
    }
}

/// What is going on, and when it is said next that it takes long.
#[derive(Default)]
struct Waits(BTreeMap<Address, Wait>);

struct Wait {
    verb: Verb,
    usual: Option<Span>,
    began: Instant,
    next: Duration,
    /// How it was said last to be going.
    going: String,
}

impl Waits {
    /// Takes note of an event; whether it says anything new.
    fn hear(&mut self, event: &Event, now: Instant) -> bool {
        match event {
            Event::Started { address, verb, usual } => {
                let wait = Wait { verb: *verb, usual: *usual, began: now, next: FIRST, going: String::new() };
                self.0.insert(address.clone(), wait);
            }
            Event::Progress { address, message } => {
                let before = self.0.get_mut(address).map(|wait| std::mem::replace(&mut wait.going, message.clone()));
                return before.is_none_or(|before| before != *message);
            }
            Event::Finished { address, .. }
            | Event::Failed { address, .. }
            | Event::Waiting { address, .. }
            | Event::Skipped { address, .. } => drop(self.0.remove(address)),
            Event::Begin { .. } | Event::Interrupted => {}
        }
        true
    }

    /// What is to be said now: at first, when it takes longer than usual, and then every few minutes.
    fn due(&mut self, now: Instant) -> Vec<String> {
        let mut lines = Vec::new();
        for (address, wait) in &mut self.0 {
            let elapsed = now.saturating_duration_since(wait.began);
            if elapsed < wait.next {
                continue;
            }
            let passed = wait.usual.map(|usual| Duration::from_secs(usual.most.saturating_add(1)));
            wait.next = passed.filter(|passed| elapsed < *passed).unwrap_or_else(|| elapsed.saturating_add(AGAIN));
            lines.extend(said(wait.usual, elapsed).map(|said| format!("{} {address}, {said}", gerund(wait.verb))));
        }
        lines
    }
}

/// Only what failed, as lines of text on stderr.
pub struct Failures;

impl EventSink for Failures {
    fn emit(&self, event: &Event) {
        if let (Event::Failed { .. }, Some(text)) = (event, text(event)) {
            note(text);
        }
    }
}

/// Events as a live display: what is running and since when, below what is done.
pub struct Live {
    display: &'static MultiProgress,
    _quiet: Quiet,
    total: ProgressBar,
    running: Mutex<BTreeMap<Address, ProgressBar>>,
}

impl Live {
    /// A display on the terminal.
    pub fn new() -> Self {
        let display = live::display();
        let total = display.add(ProgressBar::new(0));
        if let Ok(style) = ProgressStyle::with_template("{pos}/{len} done, {elapsed}") {
            total.set_style(style);
        }
        Self { display, _quiet: Quiet::new(), total, running: Mutex::default() }
    }

    fn done(&self, address: &Address, text: Option<String>) {
        if let Some(bar) = self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(address) {
            bar.finish_and_clear();
            self.display.remove(&bar);
        }
        self.total.inc(1);
        self.say(text);
    }

    fn say(&self, text: Option<String>) {
        if let Some(text) = text {
            // Without a terminal to draw on there is nobody to tell.
            drop(self.display.println(for_display(&text)));
        }
    }
}

impl Default for Live {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let running = std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
        running.values().chain([&self.total]).for_each(|bar| {
            bar.finish_and_clear();
            self.display.remove(bar);
        });
    }
}

impl EventSink for Live {
    fn emit(&self, event: &Event) {
        match event {
            Event::Begin { steps } => {
                self.total.set_length(*steps as u64);
                self.total.enable_steady_tick(Duration::from_millis(250));
            }
            Event::Started { address, verb, usual } => {
                let bar = self.display.insert_before(&self.total, ProgressBar::new_spinner());
                if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}{since} {wide_msg}") {
                    let usual = *usual;
                    let since = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                        let said = said(usual, state.elapsed()).map_or_else(String::new, |said| format!(", {said}"));
                        // There is nothing to be done where it cannot be written.
                        let _ = out.write_str(&said);
                    };
                    bar.set_style(style.with_key("since", since));
                }
                bar.set_prefix(for_display(&format!("{} {address}", gerund(*verb))));
                bar.enable_steady_tick(Duration::from_millis(120));
                self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(address.clone(), bar);
            }
            Event::Progress { address, message } => {
                if let Some(bar) = self.running.lock().unwrap_or_else(PoisonError::into_inner).get(address) {
                    bar.set_message(for_display(&one_line(message)));
                }
            }
            Event::Finished { address, .. } | Event::Failed { address, .. } | Event::Waiting { address, .. } => {
                self.done(address, text(event));
            }
            Event::Skipped { address, .. } => self.done(address, text(event)),
            Event::Interrupted => self.say(text(event)),
        }
    }
}

/// An event as a line; none for those that say nothing once they are past.
fn text(event: &Event) -> Option<String> {
    Some(match event {
        Event::Begin { .. } | Event::Started { .. } => return None,
        Event::Progress { address, message } => styled(FAINT, format!("  {address}: {}", one_line(message))),
        Event::Finished { address, verb, id, elapsed } => {
            let style = match verb {
                Verb::Create | Verb::Import => ADD,
                Verb::Update | Verb::Reassign => CHANGE,
                Verb::Delete => REMOVE,
                Verb::Forget | Verb::Wait | Verb::Read => FAINT,
            };
            let id = if id.is_empty() { String::new() } else { styled(FAINT, format!(" {}", one_line(id))) };
            format!("{} {address}{id} {}", styled(style, verb.past()), styled(FAINT, seconds(*elapsed)))
        }
        Event::Failed { address, failure: why, .. } => {
            let lines: Vec<String> = failure::lines(why).iter().map(|line| prose(format!("  {line}"))).collect();
            format!("{} {}\n{}", styled(BAD, "failed"), styled(STRONG, address), lines.join("\n"))
        }
        Event::Waiting { address, message, .. } => {
            format!("{} {address}: {}", styled(CHANGE, "left"), one_line(message))
        }
        Event::Skipped { address, because: Some(cause) } => format!("{} {address}, because {cause} failed", styled(FAINT, "skipped")),
        Event::Skipped { address, because: None } => format!("{} {address}", styled(FAINT, "skipped")),
        Event::Interrupted => styled(BAD, "Interrupted: finishing what is running, beginning nothing more. Once more to stop at once."),
    })
}

fn gerund(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "creating",
        Verb::Update => "updating",
        Verb::Reassign => "reassigning",
        Verb::Delete => "deleting",
        Verb::Import => "importing",
        Verb::Forget => "forgetting",
        Verb::Wait => "waiting for",
        Verb::Read => "reading",
    }
}

/// A duration to a tenth of a second.
pub fn seconds(duration: Duration) -> String {
    format!("{:.1}s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_say_what_takes_long_at_first_when_it_is_unusual_and_then_now_and_then() {
        let address: Address = "nat_gateway.main".parse().unwrap();
        let began = Instant::now();
        let mut waits = Waits::default();
        let usual = Some(Span { least: 60, most: 180 });
        waits.hear(&Event::Started { address: address.clone(), verb: Verb::Create, usual }, began);
        let mut at = |second: u64| waits.due(began + Duration::from_secs(second));
        assert!(at(9).is_empty());
        assert_eq!(at(10), ["creating nat_gateway.main, 10s (usually 1 to 3 minutes)"]);
        assert!(at(11).is_empty() && at(180).is_empty());
        assert_eq!(at(181), ["creating nat_gateway.main, 3m 1s, longer than usual (1 to 3 minutes)"]);
        assert!(at(300).is_empty());
        assert_eq!(at(481).len(), 1);
        waits.hear(&Event::Skipped { address, because: None }, began);
        assert!(waits.due(began + Duration::from_secs(9000)).is_empty());
    }
}
