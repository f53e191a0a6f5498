//! An AWS that shows for a while what was there before a change.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use crate::engine::ports::SEEN_WITHIN;
use crate::model::place::Place;
use crate::model::value::Value;

/// How many reads show what was there before, how long leoctl expects that to last, and what it was.
#[derive(Default)]
pub struct Late {
    reads: Mutex<usize>,
    within: Mutex<Option<Duration>>,
    before: Mutex<BTreeMap<Place, (Value, usize)>>,
}

impl Late {
    /// From now on changes are seen after so many reads, by types that may show them so late.
    pub fn by(&self, reads: usize, within: Duration) {
        *self.reads.lock().unwrap() = reads;
        *self.within.lock().unwrap() = Some(within);
    }

    /// How late the types may show changes.
    pub fn within(&self) -> Duration {
        self.within.lock().unwrap().unwrap_or(SEEN_WITHIN)
    }

    /// Something is about to change.
    pub fn changes(&self, place: &Place, now: Option<&Value>) {
        let reads = *self.reads.lock().unwrap();
        self.before.lock().unwrap().extend(now.map(|now| (place.clone(), (now.clone(), reads))));
    }

    /// What a read shows of what is there.
    pub fn shown(&self, place: &Place, now: &Value) -> Value {
        match self.before.lock().unwrap().get_mut(place) {
            Some((before, reads)) if *reads > 0 => {
                *reads -= 1;
                before.clone()
            }
            _ => now.clone(),
        }
    }
}
