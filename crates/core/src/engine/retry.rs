//! Trying again what may be tried again, inside an operation's deadline.

use std::future::Future;
use std::time::{Duration, Instant};

use backon::{ExponentialBuilder, Retryable};

use super::ports::{FailureKind, Operation, Outcome};

/// Runs a call until it succeeds, fails for good, or the deadline passes. Only for calls that may run twice.
///
/// # Errors
/// The last failure.
pub async fn retrying<T, F, Fut>(operation: &Operation, call: F) -> Outcome<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Outcome<T>>,
{
    let left = operation.deadline.saturating_duration_since(Instant::now());
    let interrupted = operation.interrupted.clone();
    call.retry(backoff().with_total_delay(Some(left)))
        .when(|failure| matches!(failure.kind, FailureKind::Transient | FailureKind::Ambiguous) && !*interrupted.borrow())
        .notify(|failure, wait| tracing::debug!(operation = failure.operation, code = failure.code, ?wait, "trying again"))
        .await
}

/// The waits between attempts: from half a second to ten, with jitter, without end.
pub fn backoff() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_jitter()
        .with_min_delay(Duration::from_millis(500))
        .with_max_delay(Duration::from_secs(10))
        .without_max_times()
}
