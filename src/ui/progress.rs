//! An apply as it runs: live on a terminal, plain lines elsewhere, JSON lines on request.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::terminal::for_display;
use super::{ADD, BAD, CHANGE, FAINT, REMOVE, STRONG, failure, json, note, one_line, out, prose, styled};
use leoctl_core::engine::event::{Event, EventSink, Verb};
use leoctl_core::model::address::Address;

/// Events as lines of JSON on stdout.
pub struct JsonLines;

impl EventSink for JsonLines {
    fn emit(&self, event: &Event) {
        out(json::event(event));
    }
}

/// Events as lines of text on stderr.
pub struct Lines;

impl EventSink for Lines {
    fn emit(&self, event: &Event) {
        if let Some(text) = text(event) {
            note(text);
        }
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
    display: MultiProgress,
    total: ProgressBar,
    running: Mutex<BTreeMap<Address, (ProgressBar, Instant)>>,
}

impl Live {
    /// A display on the terminal.
    pub fn new() -> Self {
        let display = MultiProgress::new();
        let total = display.add(ProgressBar::new(0));
        if let Ok(style) = ProgressStyle::with_template("{pos}/{len} done, {elapsed}") {
            total.set_style(style);
        }
        Self { display, total, running: Mutex::default() }
    }

    fn done(&self, address: &Address, text: Option<String>) {
        if let Some((bar, _)) = self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(address) {
            bar.finish_and_clear();
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
        self.total.finish_and_clear();
    }
}

impl EventSink for Live {
    fn emit(&self, event: &Event) {
        match event {
            Event::Begin { steps } => {
                self.total.set_length(*steps as u64);
                self.total.enable_steady_tick(Duration::from_millis(250));
            }
            Event::Started { address, verb } => {
                let bar = self.display.insert_before(&self.total, ProgressBar::new_spinner());
                if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {elapsed} {msg}") {
                    bar.set_style(style);
                }
                bar.set_prefix(for_display(&format!("{} {address}", gerund(*verb))));
                bar.enable_steady_tick(Duration::from_millis(120));
                self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(address.clone(), (bar, Instant::now()));
            }
            Event::Progress { address, message } => {
                if let Some((bar, _)) = self.running.lock().unwrap_or_else(PoisonError::into_inner).get(address) {
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
