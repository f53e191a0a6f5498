//! How long operations usually take, as data beside each type, and what is said of one that takes long.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::event::Verb;

/// How long nothing is said.
const PATIENCE: Duration = Duration::from_secs(5);
/// From how many seconds on a time is said in minutes.
const IN_MINUTES: u64 = 120;

/// How long an operation usually takes, in seconds: at least, and at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u64, u64)", into = "(u64, u64)")]
pub struct Span {
    /// At least; nothing for what is done at once in many cases.
    pub least: u64,
    /// At most.
    pub most: u64,
}

impl From<(u64, u64)> for Span {
    fn from((least, most): (u64, u64)) -> Self {
        Self { least, most }
    }
}

impl From<Span> for (u64, u64) {
    fn from(span: Span) -> Self {
        (span.least, span.most)
    }
}

/// How long the operations of a type usually take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usual {
    /// Making one, until it can be used.
    pub create: Span,
    /// Changing one.
    pub update: Span,
    /// Deleting one, until it is gone.
    pub delete: Span,
}

impl Usual {
    /// What is answered at once, with time for what it names to be known everywhere (IAM User Guide, "Changes that I make are
    /// not always immediately visible").
    pub const AT_ONCE: Self = Self::of((0, 20), (0, 20), (0, 20));

    /// Of creating, updating and deleting, in seconds.
    pub const fn of(create: (u64, u64), update: (u64, u64), delete: (u64, u64)) -> Self {
        const fn span((least, most): (u64, u64)) -> Span {
            Span { least, most }
        }
        Self { create: span(create), update: span(update), delete: span(delete) }
    }

    /// What is made or changed takes so much longer, as it says itself.
    pub fn longer(self, takes: Duration) -> Self {
        let longer = |span: Span| Span { most: span.most.saturating_add(takes.as_secs()), ..span };
        Self { create: longer(self.create), update: longer(self.update), ..self }
    }

    /// Of what is done to a resource; nothing of what calls nothing that takes long.
    pub fn to(self, verb: Verb) -> Option<Span> {
        match verb {
            Verb::Create | Verb::Wait => Some(self.create),
            Verb::Update | Verb::Reassign => Some(self.update),
            Verb::Delete => Some(self.delete),
            Verb::Import | Verb::Forget | Verb::Read => None,
        }
    }
}

impl Span {
    /// In words, such as `1 to 3 minutes`.
    fn words(self) -> String {
        let minutes = |seconds: u64| seconds.div_ceil(60);
        match (self.least, self.most) {
            (0, most) if most < IN_MINUTES => format!("less than {most} seconds"),
            (0, most) => format!("less than {} minutes", minutes(most)),
            (least, most) if most < IN_MINUTES => format!("{least} to {most} seconds"),
            (least, most) if least < 60 => format!("{least} seconds to {} minutes", minutes(most)),
            (least, most) => format!("{} to {} minutes", least / 60, minutes(most)),
        }
    }
}

/// What is said of an operation that has taken so long; nothing in its first seconds.
pub fn said(usual: Option<Span>, elapsed: Duration) -> Option<String> {
    if elapsed < PATIENCE {
        return None;
    }
    let since = since(elapsed);
    Some(match usual {
        None => since,
        Some(span) if elapsed.as_secs() <= span.most => format!("{since} (usually {})", span.words()),
        Some(span) => format!("{since}, longer than usual ({})", span.words()),
    })
}

/// A time as people say it: `1m 40s`.
fn since(elapsed: Duration) -> String {
    match elapsed.as_secs() {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds @ 60..3600 => format!("{}m {}s", seconds / 60, seconds % 60),
        seconds => format!("{}h {}m", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_long_says_what_is_usual_and_when_it_is_not() {
        let span = |least, most| Some(Span { least, most });
        let at = |usual, seconds| said(usual, Duration::from_secs(seconds));
        assert_eq!(at(span(60, 180), 4), None);
        assert_eq!(at(span(60, 180), 100).as_deref(), Some("1m 40s (usually 1 to 3 minutes)"));
        assert_eq!(at(span(60, 180), 181).as_deref(), Some("3m 1s, longer than usual (1 to 3 minutes)"));
        assert_eq!(at(span(0, 20), 12).as_deref(), Some("12s (usually less than 20 seconds)"));
        assert_eq!(at(span(30, 90), 12).as_deref(), Some("12s (usually 30 to 90 seconds)"));
        assert_eq!(at(span(10, 180), 12).as_deref(), Some("12s (usually 10 seconds to 3 minutes)"));
        assert_eq!(at(span(0, 300), 4000).as_deref(), Some("1h 6m, longer than usual (less than 5 minutes)"));
        assert_eq!(at(None, 65).as_deref(), Some("1m 5s"));
    }

    #[test]
    fn what_says_how_long_it_takes_is_waited_for_that_much_longer() {
        let usual = Usual::of((60, 180), (60, 180), (0, 20)).longer(Duration::from_secs(600));
        assert_eq!(usual.to(Verb::Update), Some(Span { least: 60, most: 780 }));
        assert_eq!(usual.to(Verb::Delete), Some(Span { least: 0, most: 20 }));
        assert_eq!(usual.to(Verb::Forget), None);
    }
}
