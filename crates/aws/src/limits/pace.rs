//! How fast the calls of one service go out: all at once until it refuses one for their number, and from then on at a rate
//! that is learned from what it takes and what it refuses.
//!
//! AWS counts with token buckets: so many calls a second, and some more at once while a bucket is full. A rate that swings
//! around the right one loses nothing, because what is not used is in the bucket a moment later; so the rate falls a little
//! at a refusal, comes back to where it was, stays there for some seconds, and only then tries more and more (the curve is
//! that of TCP's CUBIC, RFC 9438).

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// How many calls more may be under way at the same time after each that was taken, until there are [`MOST_AT_ONCE`]. A
/// service that refuses does so to all that are under way, so that it begins with few.
const MORE_AT_ONCE: f64 = 1.0 / 8.0;
/// The most calls of one service that are under way at the same time.
const MOST_AT_ONCE: f64 = 64.0;
/// What a service takes before its first refusal is about what it takes in so many seconds.
const BURST: Duration = Duration::from_secs(3);
/// What is left of the rate after a refusal.
const AFTER_REFUSAL: f64 = 0.8;
/// What is left of it where more is refused than [`MANY`].
const AFTER_MANY: f64 = 0.5;
/// The share of refusals among the last ten or twenty calls that says that the rate is far too high.
const MANY: f64 = 0.3;
/// How fast that share forgets.
const FORGETS: f64 = 0.1;
/// How many seconds calls are kept waiting until the rate is again what was refused.
const RECOVERY: f64 = 3.0;
/// The rate below which only many refusals bring it: no service is documented to take less in a second. Single refusals
/// come of other programs that call it, too.
const LEAST: f64 = 5.0;
/// The rate below which nothing brings it.
const SLOWEST: f64 = 0.5;
/// The rate above which it is not limited at all.
const FASTEST: f64 = 10_000.0;

/// When a call may go out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Turn {
    /// Now: it counts as under way.
    Now,
    /// After so long, for the rate.
    In(Duration),
    /// When one that is under way has ended.
    WhenFree,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The service took it, whatever it answered.
    Taken,
    /// The service refused it because there were too many.
    Refused,
    /// There was no answer.
    Unanswered,
}

/// The pace of one service's calls.
#[derive(Debug)]
pub struct Pace {
    at_once: f64,
    under_way: usize,
    /// The share of refusals among the last calls.
    refused: f64,
    /// When calls were taken, of the last [`BURST`]; only until the first refusal.
    taken: VecDeque<Instant>,
    rate: Option<Rate>,
}

/// What has been learned of the rate.
#[derive(Debug)]
struct Rate {
    /// In calls a second.
    now: f64,
    /// What it was at once after the last refusal.
    after: f64,
    /// What was refused last.
    before: f64,
    /// How many seconds calls have been kept waiting since then.
    kept: f64,
    /// Whether one is being kept waiting.
    keeps: bool,
    /// How many may go out at once.
    allowance: f64,
    /// When all of this was so.
    at: Instant,
    /// When the last refusal was taken to heart: calls sent before say nothing new.
    refused_at: Instant,
}

impl Pace {
    /// A pace that begins with so many calls at once.
    pub fn new(at_once: u32) -> Self {
        Self { at_once: f64::from(at_once), under_way: 0, refused: 0.0, taken: VecDeque::new(), rate: None }
    }

    /// Whether the next call may go out.
    pub fn turn(&mut self, now: Instant) -> Turn {
        if self.under_way as f64 + 1.0 > self.at_once {
            return Turn::WhenFree;
        }
        if let Some(wait) = self.rate.as_mut().and_then(|rate| rate.wait(now)) {
            return Turn::In(wait);
        }
        self.under_way += 1;
        Turn::Now
    }

    /// A call that was sent then has ended.
    pub fn ended(&mut self, sent: Instant, now: Instant, end: End) {
        self.under_way = self.under_way.saturating_sub(1);
        match end {
            End::Taken => self.taken(now),
            End::Refused => self.refused(sent, now),
            End::Unanswered => {}
        }
    }

    /// Whether calls are kept waiting for the rate.
    pub fn keeps_waiting(&self) -> bool {
        self.rate.as_ref().is_some_and(|rate| rate.keeps)
    }

    fn taken(&mut self, now: Instant) {
        self.refused *= 1.0 - FORGETS;
        self.at_once = (self.at_once + MORE_AT_ONCE).min(MOST_AT_ONCE);
        if self.rate.is_none() {
            self.taken.push_back(now);
            self.forget(now);
        }
    }

    fn forget(&mut self, now: Instant) {
        while self.taken.front().is_some_and(|then| now.duration_since(*then) > BURST) {
            self.taken.pop_front();
        }
    }

    fn refused(&mut self, sent: Instant, now: Instant) {
        self.refused += FORGETS * (1.0 - self.refused);
        let many = self.refused > MANY;
        match &mut self.rate {
            Some(rate) => rate.refused(sent, now, many),
            None => {
                self.forget(now);
                let rate = (self.taken.len() as f64 / BURST.as_secs_f64()).max(LEAST);
                self.rate = Some(Rate::new(rate, now));
                // Those that are under way will be refused as well, and say no more than this one.
                self.refused = 0.0;
                self.taken = VecDeque::new();
            }
        }
    }
}

impl Rate {
    fn new(rate: f64, now: Instant) -> Self {
        let after = rate * AFTER_REFUSAL;
        Self { now: after, after, before: rate, kept: 0.0, keeps: false, allowance: 0.0, at: now, refused_at: now }
    }

    /// How long the next call has to wait; nothing when it may go out.
    fn wait(&mut self, now: Instant) -> Option<Duration> {
        let passed = now.duration_since(self.at).as_secs_f64();
        self.at = now;
        if self.keeps {
            self.kept += passed;
            self.now = self.recovered();
        }
        // What was not used in the last second can be used now.
        self.allowance = (self.allowance + passed * self.now).min(self.now.max(1.0));
        // A nanosecond more or less is no reason to wait.
        self.keeps = self.allowance < 1.0 - 1e-6;
        if self.keeps {
            return Some(Duration::from_secs_f64((1.0 - self.allowance) / self.now));
        }
        self.allowance -= 1.0;
        None
    }

    fn recovered(&self) -> f64 {
        let lost = (1.0 - self.after / self.before).max(1.0 - AFTER_REFUSAL);
        let grown = self.before * (1.0 + lost * (self.kept / RECOVERY - 1.0).powi(3));
        grown.clamp(self.after, FASTEST)
    }

    fn refused(&mut self, sent: Instant, now: Instant, many: bool) {
        if sent <= self.refused_at {
            return;
        }
        (self.before, self.after) = if many {
            (self.now * (AFTER_MANY + AFTER_REFUSAL) / 2.0, self.now * AFTER_MANY)
        } else {
            (self.now, (self.now * AFTER_REFUSAL).max(self.now.min(LEAST)))
        };
        self.after = self.after.max(SLOWEST);
        self.before = self.before.max(self.after);
        self.now = self.after;
        (self.kept, self.allowance, self.refused_at) = (0.0, 0.0, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_never_refused_never_waits_for_a_rate() {
        let now = Instant::now();
        let mut pace = Pace::new(4);
        for _ in 0..1000 {
            assert_eq!(pace.turn(now), Turn::Now);
            pace.ended(now, now, End::Taken);
        }
        assert!(!pace.keeps_waiting());
    }

    #[test]
    fn so_many_are_under_way_at_once_and_more_when_they_are_taken() {
        let now = Instant::now();
        let mut pace = Pace::new(2);
        let under_way = |pace: &mut Pace| (0..).take_while(|_| pace.turn(now) == Turn::Now).count();
        assert_eq!(under_way(&mut pace), 2);
        pace.ended(now, now, End::Unanswered);
        assert_eq!(under_way(&mut pace), 1);
        (0..2).for_each(|_| pace.ended(now, now, End::Unanswered));
        for _ in 0..10_000 {
            assert_eq!(pace.turn(now), Turn::Now);
            pace.ended(now, now, End::Taken);
        }
        assert_eq!(under_way(&mut pace), 64);
    }

    #[test]
    fn refusals_of_what_was_under_way_together_count_once() {
        let now = Instant::now();
        let mut pace = Pace::new(20);
        (0..20).for_each(|_| assert_eq!(pace.turn(now), Turn::Now));
        let later = now + Duration::from_millis(10);
        (0..10).for_each(|_| pace.ended(now, later, End::Taken));
        (0..10).for_each(|_| pace.ended(now, later, End::Refused));
        // Ten in the first moment is about three a second, and less than any service is known to take.
        let rate = pace.rate.as_ref().unwrap().now;
        assert!((rate - LEAST * AFTER_REFUSAL).abs() < 1e-9, "{rate}");
    }
}
