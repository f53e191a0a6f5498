//! Trying again what AWS refuses only because it has not heard everywhere yet of what was just done.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome};

/// How long what was just made may be unknown in parts of AWS (IAM User Guide, "Changes that I make are not always
/// immediately visible"; EC2 API Reference, "Eventual consistency").
pub const PROPAGATION: Duration = Duration::from_secs(120);

/// The first wait before a call is made again; each next is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What is done to a resource that was just made: that AWS does not find it passes. After two minutes it is gone.
///
/// # Errors
/// The last failure of the call, or that the wait was ended.
pub async fn patiently<F: Future<Output = Outcome<()>>>(operation: &Operation, call: impl FnMut() -> F) -> Outcome<()> {
    let passes = |failure: &Failure| failure.kind == FailureKind::NotFound;
    insisting(operation, "waiting for AWS to know what was made", passes, call).await
}

/// A call that is made again for two minutes after failures that may pass.
///
/// # Errors
/// The last failure of the call, or that the wait was ended.
pub async fn insisting<T, F: Future<Output = Outcome<T>>>(
    operation: &Operation,
    waiting_for: &str,
    passes: impl Fn(&Failure) -> bool,
    mut call: impl FnMut() -> F,
) -> Outcome<T> {
    let began = Instant::now();
    let mut wait = FIRST_WAIT;
    loop {
        match call().await {
            Err(failure) if began.elapsed() < PROPAGATION && passes(&failure) => {
                operation.pause(wait, waiting_for).await?;
                wait = LONGEST_WAIT.min(wait * 2);
            }
            outcome => return outcome,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use leoctl_core::engine::ports::Progress;
    use leoctl_core::model::place::Site;
    use tokio::sync::watch;

    use super::{Duration, Failure, FailureKind, Operation, insisting, patiently};

    /// An operation that began so many seconds ago.
    pub fn operation(began: u64) -> Operation {
        let timeout = Duration::from_secs(600);
        let (_, interrupted) = watch::channel(false);
        let deadline = Instant::now() + timeout.saturating_sub(Duration::from_secs(began));
        let progress = Progress(Arc::new(|_| {}));
        let site = Site { account: "1".to_owned(), region: "us-east-1".to_owned() };
        Operation { site, token: String::new(), replaces: None, deadline, timeout, interrupted, progress }
    }

    #[tokio::test]
    async fn what_was_just_made_is_asked_for_until_it_is_known_and_whatever_else_fails_ends_it() {
        let operation = operation(0);
        let mut answers = vec![FailureKind::NotFound, FailureKind::NotFound];
        let known = patiently(&operation, || {
            let answer = answers.pop();
            async move { answer.map_or(Ok(()), |kind| Err(Failure::new(kind, "no"))) }
        });
        assert!(known.await.is_ok() && answers.is_empty());
        let refused = patiently(&operation, || async { Err(Failure::new(FailureKind::Denied, "no")) }).await;
        assert_eq!(refused.unwrap_err().kind, FailureKind::Denied);
    }

    #[tokio::test]
    async fn what_may_pass_is_tried_again_and_nothing_else() {
        let operation = operation(0);
        let mut answers = vec![FailureKind::Denied, FailureKind::Denied];
        let passed = insisting(
            &operation,
            "waiting",
            |failure| failure.kind == FailureKind::Denied,
            || {
                let answer = answers.pop();
                async move { answer.map_or(Ok(5), |kind| Err(Failure::new(kind, "no"))) }
            },
        );
        assert_eq!(passed.await.unwrap(), 5);
        let mut calls = 0;
        let refused = insisting(
            &operation,
            "waiting",
            |_| false,
            || {
                calls += 1;
                async { Err::<(), _>(Failure::new(FailureKind::Denied, "no")) }
            },
        );
        assert_eq!((refused.await.unwrap_err().kind, calls), (FailureKind::Denied, 1));
    }
}
