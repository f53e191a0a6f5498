//! How often AWS is asked: every few seconds, and less and less often while it does not answer.

use std::time::Duration;

use leoctl_core::engine::ports::{Failure, FailureKind};

/// The longest pause.
const LONGEST: Duration = Duration::from_secs(60);

/// The pause until the next question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    usual: Duration,
    now: Duration,
}

impl Pace {
    /// A question every so often.
    pub fn new(usual: Duration) -> Self {
        Self { usual, now: usual }
    }

    /// After an answer.
    pub fn answered(&mut self) -> Duration {
        self.now = self.usual;
        self.now
    }

    /// After none: twice the pause before.
    pub fn refused(&mut self) -> Duration {
        self.now = self.now.saturating_mul(2).min(LONGEST.max(self.usual));
        self.now
    }
}

/// Whether the same question may be answered later: it was one too many, or nothing came back.
pub fn passes(failure: &Failure) -> bool {
    matches!(failure.kind, FailureKind::Transient | FailureKind::Ambiguous)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_refused_asks_less_often_and_who_is_answered_as_before() {
        let mut pace = Pace::new(Duration::from_secs(5));
        let refused: Vec<u64> = (0..5).map(|_| pace.refused().as_secs()).collect();
        assert_eq!(refused, [10, 20, 40, 60, 60]);
        assert_eq!(pace.answered().as_secs(), 5);
        assert_eq!(pace.refused().as_secs(), 10);
        assert_eq!(Pace::new(Duration::from_secs(90)).refused().as_secs(), 90);
    }

    #[test]
    fn throttling_and_silence_pass_and_a_refusal_does_not() {
        let failure = |kind| Failure::new(kind, "no");
        assert!(passes(&failure(FailureKind::Transient)) && passes(&failure(FailureKind::Ambiguous)));
        assert!(!passes(&failure(FailureKind::Denied)) && !passes(&failure(FailureKind::Credentials)));
    }
}
