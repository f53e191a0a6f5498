//! Trying again what may be tried again, inside an operation's deadline.

use std::future::Future;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder};

use super::ports::{Failure, FailureKind, Operation, Outcome};

/// Runs a call until it succeeds, fails for good, the deadline passes or the user interrupts. Only for calls that may run
/// twice.
///
/// # Errors
/// The last failure; that it was interrupted, when the call would have been tried again.
pub async fn retrying<T, F, Fut>(operation: &Operation, mut call: F) -> Outcome<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Outcome<T>>,
{
    let left = operation.deadline.saturating_duration_since(Instant::now());
    let mut waits = backoff().with_total_delay(Some(left)).build();
    loop {
        let failure = match call().await {
            Err(failure) if matches!(failure.kind, FailureKind::Transient | FailureKind::Ambiguous) => failure,
            done => return done,
        };
        let Some(wait) = waits.next() else { return Err(failure) };
        tracing::debug!(operation = failure.operation, code = failure.code, ?wait, "trying again");
        before_trying_again(operation, wait, failure).await?;
    }
}

/// Waits before a call is tried again that failed so.
///
/// # Errors
/// The failure, when the deadline passes before; that it was interrupted, when the user does not wait for it.
pub async fn before_trying_again(operation: &Operation, wait: Duration, failure: Failure) -> Outcome<()> {
    if wait >= WORTH_SAYING {
        (operation.progress.0)(format!("is tried again, as it was refused: {}", failure.message));
    }
    match operation.pause(wait, "waiting to try again").await {
        Err(stopped) if stopped.kind == FailureKind::Interrupted => {
            let message = format!("interrupted before it was tried again: {}", failure.message);
            Err(Failure { kind: FailureKind::Interrupted, message, no_answer: None, ..failure })
        }
        Err(_) => Err(failure),
        Ok(()) => Ok(()),
    }
}

/// From how long a wait on it is said what is waited for: what is refused for good looks the same at first.
const WORTH_SAYING: Duration = Duration::from_secs(4);

/// The waits between attempts: from half a second to ten, with jitter, without end.
pub fn backoff() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_jitter()
        .with_min_delay(Duration::from_millis(500))
        .with_max_delay(Duration::from_secs(10))
        .without_max_times()
}
