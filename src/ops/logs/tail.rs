//! Reading logs: every page of every source, in order of time, and again from where it ended.

use std::collections::BTreeSet;

use aws_sdk_cloudwatchlogs::types as api;
use futures_util::future::try_join_all;
use jiff::Timestamp;

use super::event::{Event, Merge, Seen};
use super::source::Source;
use leoctl_aws::client::Aws;
use leoctl_aws::error::{OrAbsent, OrFail};
use leoctl_aws::registry::AwsProvider;
use leoctl_core::engine::ports::{Failure, FailureKind, Outcome};

/// How much of what has been read is read again, in milliseconds: an event is found only a while after it happened.
const OVERLAP: i64 = 60_000;

/// Who gets the events; says whether to go on.
pub type Show<'a> = dyn FnMut(&Event) -> bool + Send + 'a;
/// Who hears what is to be said beside them.
pub type Note<'a> = dyn Fn(&str) + Send + Sync + 'a;

/// Logs that are read, once or again and again.
pub struct Tail<'a> {
    /// AWS.
    pub provider: &'a AwsProvider,
    /// What is read.
    pub sources: Vec<Source>,
    /// Only what matches this pattern of CloudWatch's.
    pub filter: Option<String>,
    /// Who hears what is to be said.
    pub note: &'a Note<'a>,
    from: i64,
    newest: Option<i64>,
    seen: Seen,
    absent: BTreeSet<String>,
}

impl<'a> Tail<'a> {
    /// Logs from a moment on, in milliseconds since 1970.
    pub fn new(provider: &'a AwsProvider, sources: Vec<Source>, filter: Option<String>, from: i64, note: &'a Note<'a>) -> Self {
        Self { provider, sources, filter, note, from, newest: None, seen: Seen::default(), absent: BTreeSet::new() }
    }

    /// Reads to the end what is new; whether somebody still wants it.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn poll(&mut self, show: &mut Show<'_>) -> Outcome<bool> {
        let began = Timestamp::now().as_millisecond();
        let mut merge = Merge::new(self.sources.len());
        let mut tokens: Vec<Option<String>> = vec![None; self.sources.len()];
        loop {
            let hungry = merge.hungry();
            let known = |number: usize| Some((number, self.sources.get(number)?, tokens.get(number)?.clone()));
            let pages = hungry.into_iter().filter_map(known).map(async |(number, source, token)| {
                let page = self.page(source, token).await?;
                Ok::<_, Failure>((number, page))
            });
            let pages = try_join_all(pages).await?;
            if pages.is_empty() {
                break;
            }
            for (number, page) in pages {
                if page.is_none() {
                    self.is_absent(number);
                }
                let (events, next) = page.unwrap_or_default();
                merge.feed(number, events, next.is_none());
                if let Some(token) = tokens.get_mut(number) {
                    *token = next;
                }
            }
            while let Some(event) = merge.earliest() {
                if !self.take(&event, show) {
                    return Ok(false);
                }
                // However much there is to read, only what may be read again is kept in mind.
                self.seen.forget(self.next_from(began));
            }
        }
        self.read_until(began);
        Ok(true)
    }

    /// An event that came another way; whether somebody still wants more.
    pub fn came(&mut self, event: &Event, show: &mut Show<'_>) -> bool {
        let meant = self.sources.iter().any(|source| source.group == event.group && source.has(&event.stream));
        !meant || self.take(event, show)
    }

    fn take(&mut self, event: &Event, show: &mut Show<'_>) -> bool {
        self.newest = self.newest.max(Some(event.time));
        !self.seen.is_new(event) || show(event)
    }

    /// Takes note that everything found by this time has been shown. The events' own times count as well: this machine's
    /// clock may be ahead of theirs.
    pub fn read_until(&mut self, time: i64) {
        self.from = self.next_from(time);
        self.seen.forget(self.from);
    }

    /// From when on to read again what was read until this time.
    fn next_from(&self, time: i64) -> i64 {
        self.newest.map_or(self.from, |newest| self.from.max(time.min(newest).saturating_sub(OVERLAP)))
    }

    /// Whether no group is there to read.
    pub fn nothing_there(&self) -> bool {
        self.sources.iter().all(|source| self.absent.contains(&source.group))
    }

    /// Says once of a group that it is not there.
    fn is_absent(&mut self, number: usize) {
        let Some(source) = self.sources.get(number) else { return };
        if self.absent.insert(source.group.clone()) {
            (self.note)(&format!("there is no log group {} in {}", source.group, source.site.region));
        }
    }

    /// A page and the token of the next one; nothing of a group that does not exist.
    async fn page(&self, source: &Source, token: Option<String>) -> Outcome<Option<(Vec<Event>, Option<String>)>> {
        let aws: std::sync::Arc<Aws> = self.provider.at(&source.site)?;
        let call = aws
            .logs()
            .filter_log_events()
            .log_group_name(&source.group)
            .set_log_stream_name_prefix(source.beginning())
            .set_filter_pattern(self.filter.clone())
            .start_time(self.from)
            .set_next_token(token);
        let Some(found) = call.send().await.or_fail("logs:FilterLogEvents").or_absent()? else { return Ok(None) };
        let events = found.events.unwrap_or_default().into_iter().map(|event| from_api(event, &source.group));
        let mut events: Vec<Event> = events.filter(|event| source.has(&event.stream)).collect();
        events.sort_by_key(|event| event.time);
        Ok(Some((events, found.next_token)))
    }
}

fn from_api(event: api::FilteredLogEvent, group: &str) -> Event {
    Event {
        time: event.timestamp.unwrap_or_default(),
        group: group.to_owned(),
        stream: event.log_stream_name.unwrap_or_default(),
        message: event.message.unwrap_or_default(),
        // An event without an id would be taken for one of Live Tail's.
        id: Some(event.event_id.unwrap_or_default()),
    }
}

/// What is to be said when no group is there.
pub fn nothing_there() -> Failure {
    Failure { operation: "logs:FilterLogEvents".to_owned(), ..Failure::new(FailureKind::NotFound, "none of the log groups is there") }
}
