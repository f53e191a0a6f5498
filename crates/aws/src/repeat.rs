//! What AWS says to a changing call whose effect is there already.
//!
//! Such a call is sent again by the SDK when its answer was lost, by the engine when it begins a step anew, and by
//! the next apply when leoctl was killed. Every changing call therefore says, where it is made, how AWS answers that:
//! - [`Changing::idempotent`]: like the first time;
//! - [`Changing::or_gone`]: that what was to be deleted does not exist;
//! - [`Changing::or_done`]: with these codes;
//! - [`Changing::sent_once`]: nobody but the engine may send it again, which finds out first what became of it. What a
//!   code alone does not tell then is looked at: [`verified`].
//!
//! [`super::error::OrFail`] is for calls that change nothing.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::error::{OrAbsent, OrFail};
use leoctl_core::engine::ports::{Failure, FailureKind, Outcome};

/// Turning the result of a call that changes something into an [`Outcome`].
pub trait Changing<T> {
    /// Of a call that AWS answers with success however often it is sent.
    ///
    /// # Errors
    /// When it failed.
    fn idempotent(self, operation: &str) -> Outcome<T>;

    /// Of a call that AWS refuses with one of `codes` when its effect is there already, which is success: nothing then.
    ///
    /// # Errors
    /// When it failed otherwise.
    fn or_done(self, operation: &str, codes: &[&str]) -> Outcome<Option<T>>;

    /// Of a call that takes something away: that it does not exist is success, and nothing.
    ///
    /// # Errors
    /// When it failed otherwise.
    fn or_gone(self, operation: &str) -> Outcome<Option<T>>;

    /// Of a call that was sent once, without the SDK's retries ([`super::client::send_once`]).
    ///
    /// # Errors
    /// When it failed, or its answer was lost.
    fn sent_once(self, operation: &str) -> Outcome<T>;
}

impl<T, E> Changing<T> for Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    fn idempotent(self, operation: &str) -> Outcome<T> {
        self.or_fail(operation)
    }

    fn or_done(self, operation: &str, codes: &[&str]) -> Outcome<Option<T>> {
        unless(self.or_fail(operation), codes)
    }

    fn or_gone(self, operation: &str) -> Outcome<Option<T>> {
        self.or_fail(operation).or_absent()
    }

    fn sent_once(self, operation: &str) -> Outcome<T> {
        self.or_fail(operation)
    }
}

/// Nothing where an outcome failed with one of these codes.
fn unless<T>(outcome: Outcome<T>, codes: &[&str]) -> Outcome<Option<T>> {
    match outcome {
        Err(failure) if says(&failure, codes) => Ok(None),
        outcome => outcome.map(Some),
    }
}

/// Whether a failure has one of these codes.
pub fn says(failure: &Failure, codes: &[&str]) -> bool {
    failure.code.as_deref().is_some_and(|code| codes.contains(&code))
}

/// The outcome of a call whose answer was lost, or that AWS refused with one of `codes`, which may mean that its
/// effect is there: `done` looks whether it is. If not, the failure stands, and the engine decides whether the change
/// begins again.
///
/// # Errors
/// When the call failed, or what it did cannot be found out.
pub async fn verified<T>(outcome: Outcome<T>, codes: &[&str], done: impl AsyncFnOnce() -> Outcome<bool>) -> Outcome<()> {
    match outcome {
        Err(failure) if failure.kind == FailureKind::Ambiguous || says(&failure, codes) => {
            if done().await? {
                Ok(())
            } else {
                Err(failure)
            }
        }
        other => other.map(drop),
    }
}

#[cfg(test)]
mod tests {
    use leoctl_core::engine::ports::{Failure, FailureKind, Outcome};

    use super::{unless, verified};

    fn refused(kind: FailureKind, code: &str) -> Outcome<()> {
        Err(Failure { code: Some(code.to_owned()), ..Failure::new(kind, "no") })
    }

    #[test]
    fn only_the_codes_that_were_named_say_that_it_is_done() {
        assert!(unless(refused(FailureKind::Refused, "Gateway.NotAttached"), &["Gateway.NotAttached"]).unwrap().is_none());
        assert!(unless(refused(FailureKind::Refused, "DependencyViolation"), &["Gateway.NotAttached"]).is_err());
        assert!(unless(refused(FailureKind::NotFound, "InvalidVpcID.NotFound"), &[]).is_err());
        assert!(unless(Ok(()), &[]).unwrap().is_some());
    }

    #[tokio::test]
    async fn what_a_code_does_not_tell_is_looked_at() {
        let codes = ["Resource.AlreadyAssociated"];
        let is = async |done: bool, outcome| verified(outcome, &codes, async || Ok(done)).await.is_ok();
        // There, and what was wanted.
        assert!(is(true, refused(FailureKind::Refused, "Resource.AlreadyAssociated")).await);
        // There, and another's.
        assert!(!is(false, refused(FailureKind::Refused, "Resource.AlreadyAssociated")).await);
        // The answer was lost.
        assert!(is(true, refused(FailureKind::Ambiguous, "InternalError")).await);
        assert!(!is(false, refused(FailureKind::Ambiguous, "InternalError")).await);
        // Whatever is there, this is no question of it.
        assert!(!is(true, refused(FailureKind::Denied, "UnauthorizedOperation")).await);
        assert!(is(false, Ok(())).await);
    }
}
