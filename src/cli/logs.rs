//! `leoctl logs`, and how log events are shown.

use jiff::Timestamp;
use regex_lite::Regex;
use serde_json::{Value as Json, json};

use super::args::LogsArgs;
use super::{CliError, Context, Exit, session, signals};
use crate::ops::Deployed;
use crate::ops::logs::event::Event;
use crate::ops::logs::tail::{Tail, nothing_there};
use crate::ops::logs::{follow, source};
use crate::ui::tail::Painter;
use crate::ui::{self, WARN, styled};

/// Shows logs, and follows them when asked to.
pub async fn run(context: &Context, args: &LogsArgs) -> Result<Exit, CliError> {
    let grep = args.grep.as_deref().map(expression).transpose()?;
    let (_, session, state) = session::applied(context, args.stack.as_deref()).await?;
    let deployed = Deployed { state: &state, provider: &session.provider };
    let sources = source::chosen(&deployed, &args.names, args.task.as_deref())?;
    let from = args.since.millisecond(Timestamp::now());
    let note = |text: &str| note(context, text);
    let mut tail = Tail::new(&session.provider, sources, args.filter.clone(), from, &note);
    let mut printer = Printer::new(context.global.json);
    printer.grep = grep;
    let reading = |failure| CliError::aws("reading the logs", failure);
    if args.follow {
        let stop = signals::watch_signals();
        follow::follow(&mut tail, stop, &mut |event| printer.show(event)).await.map_err(reading)?;
        return Ok(Exit::Done);
    }
    let whole = tail.poll(&mut |event| printer.show(event)).await.map_err(reading)?;
    if whole && tail.nothing_there() {
        return Err(reading(nothing_there()));
    }
    if whole && printer.shown == 0 {
        context.say(&format!("No events since {}.", time(from)));
    }
    Ok(Exit::Done)
}

/// Says something beside the logs.
pub fn note(context: &Context, text: &str) {
    context.say(&styled(WARN, format!("Note: {text}")));
}

/// A regular expression that messages are looked for by.
pub fn expression(text: &str) -> Result<Regex, CliError> {
    Regex::new(text).map_err(|error| CliError::usage(&format!("`{text}` is no regular expression: {error}"), "see `leoctl logs --help`"))
}

/// Writes events as they come.
#[derive(Debug)]
pub struct Printer {
    json: bool,
    painter: Painter,
    /// Only messages that match.
    pub grep: Option<Regex>,
    /// Whether messages stand alone, without time and source.
    pub bare: bool,
    /// What JSON objects say they are, when there are others among them.
    pub kind: Option<&'static str>,
    /// How many have been shown.
    pub shown: usize,
}

impl Printer {
    /// One that writes for people, or JSON.
    pub fn new(json: bool) -> Self {
        Self { json, painter: Painter::default(), grep: None, bare: false, kind: None, shown: 0 }
    }

    /// Writes an event; whether somebody still reads.
    pub fn show(&mut self, event: &Event) -> bool {
        if self.grep.as_ref().is_some_and(|grep| !grep.is_match(&event.message)) {
            return true;
        }
        self.shown += 1;
        if self.json {
            return ui::line(self.object(event));
        }
        if self.bare {
            return ui::line(event.message.trim_end());
        }
        ui::line(self.painter.lines(&time(event.time), &source::short(&event.group, &event.stream), &event.message))
    }

    fn object(&self, event: &Event) -> Json {
        let mut object = json!({
            "time": time(event.time), "group": event.group, "stream": event.stream, "message": event.message, "event_id": event.id,
        });
        if let (Some(kind), Some(members)) = (self.kind, object.as_object_mut()) {
            members.insert("event".to_owned(), kind.into());
        }
        object
    }
}

/// Milliseconds since 1970 as people and programs read them.
pub fn time(millisecond: i64) -> String {
    Timestamp::from_millisecond(millisecond).map_or_else(|_| millisecond.to_string(), |time| format!("{time:.3}"))
}
