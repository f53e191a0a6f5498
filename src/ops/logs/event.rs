//! Log events: several groups' in one order, and none shown twice.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A log event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it happened, in milliseconds since 1970.
    pub time: i64,
    /// The log group.
    pub group: String,
    /// The log stream.
    pub stream: String,
    /// What it says.
    pub message: String,
    /// Its id; Live Tail gives none.
    pub id: Option<String>,
}

/// The events of several sources, each of which comes in pages in order of time, merged as they come.
#[derive(Debug)]
pub struct Merge(Vec<Pages>);

#[derive(Debug, Default)]
struct Pages {
    events: VecDeque<Event>,
    ended: bool,
}

impl Merge {
    /// Of this many sources.
    pub fn new(sources: usize) -> Self {
        Self(std::iter::repeat_with(Pages::default).take(sources).collect())
    }

    /// The sources whose next page is needed.
    pub fn hungry(&self) -> Vec<usize> {
        self.0.iter().enumerate().filter(|(_, pages)| !pages.ended && pages.events.is_empty()).map(|(number, _)| number).collect()
    }

    /// Takes a page of a source.
    pub fn feed(&mut self, source: usize, events: Vec<Event>, last: bool) {
        if let Some(pages) = self.0.get_mut(source) {
            pages.events.extend(events);
            pages.ended = last;
        }
    }

    /// The earliest event, when no page that is still to come can have an earlier one.
    pub fn earliest(&mut self) -> Option<Event> {
        if !self.hungry().is_empty() {
            return None;
        }
        let waiting = self.0.iter_mut().filter(|pages| !pages.events.is_empty());
        waiting.min_by_key(|pages| pages.events.front().map(|event| event.time))?.events.pop_front()
    }
}

/// What has been shown. Live Tail gives events no id, so an event is known by all it says; of events that are alike in all
/// of it, as many are shown as there are.
#[derive(Debug, Default)]
pub struct Seen(BTreeMap<Key, Sightings>);

/// When it happened, its group, stream and message.
type Key = (i64, String, String, String);

#[derive(Debug, Default)]
struct Sightings {
    live: usize,
    ids: BTreeSet<String>,
}

impl Seen {
    /// Whether an event is new.
    pub fn is_new(&mut self, event: &Event) -> bool {
        let key = (event.time, event.group.clone(), event.stream.clone(), event.message.clone());
        let sightings = self.0.entry(key).or_default();
        match &event.id {
            Some(id) => sightings.ids.insert(id.clone()) && sightings.ids.len() > sightings.live,
            None => {
                sightings.live += 1;
                sightings.live > sightings.ids.len()
            }
        }
    }

    /// Forgets what happened before this, and will not be read again.
    pub fn forget(&mut self, before: i64) {
        while self.0.first_key_value().is_some_and(|((time, ..), _)| *time < before) {
            self.0.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(time: i64, id: Option<&str>) -> Event {
        let (group, stream, message) = ("g".to_owned(), "s".to_owned(), format!("at {time}"));
        Event { time, group, stream, message, id: id.map(str::to_owned) }
    }

    fn drained(merge: &mut Merge) -> Vec<i64> {
        std::iter::from_fn(|| merge.earliest()).map(|event| event.time).collect()
    }

    #[test]
    fn events_come_in_order_of_time_and_none_before_all_pages_it_depends_on_are_there() {
        let mut merge = Merge::new(2);
        assert_eq!(merge.hungry(), [0, 1]);
        merge.feed(0, vec![event(1, None), event(5, None)], false);
        assert!(drained(&mut merge).is_empty());
        merge.feed(1, vec![event(2, None), event(9, None)], true);
        assert_eq!(drained(&mut merge), [1, 2, 5]);
        assert_eq!(merge.hungry(), [0]);
        // A page may be empty and not the last one.
        merge.feed(0, vec![], false);
        assert_eq!(merge.hungry(), [0]);
        merge.feed(0, vec![event(7, None)], true);
        assert_eq!(drained(&mut merge), [7, 9]);
        assert!(merge.hungry().is_empty());
    }

    #[test]
    fn an_event_is_shown_once_whichever_way_it_comes_first() {
        let mut seen = Seen::default();
        assert!(seen.is_new(&event(1, Some("a"))));
        assert!(!seen.is_new(&event(1, Some("a"))));
        assert!(!seen.is_new(&event(1, None)));
        assert!(seen.is_new(&event(2, None)));
        assert!(!seen.is_new(&event(2, Some("b"))));
        // Two that are alike are two.
        assert!(seen.is_new(&event(2, Some("c"))));
        assert!(!seen.is_new(&event(2, None)));
        assert!(seen.is_new(&event(2, None)));
    }

    #[test]
    fn what_cannot_be_read_again_is_forgotten() {
        let mut seen = Seen::default();
        assert!(seen.is_new(&event(1, Some("a"))) && seen.is_new(&event(5, Some("b"))));
        seen.forget(5);
        assert!(!seen.is_new(&event(5, Some("b"))));
        assert_eq!(seen.0.len(), 1);
    }
}
