//! Credentials of a role, as STS gives them to those who may assume it.

use std::fmt;
use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};

use crate::client::Clients;
use crate::error::OrFail;
use crate::limits::Unqueued;
use leoctl_core::engine::ports::{Failure, FailureKind, Outcome};
use leoctl_core::stack::accounts::Access;

/// The longest name of a session (STS API Reference, AssumeRole).
const LONGEST_NAME: usize = 64;

/// A role that is assumed. Its credentials last an hour, which is the most that STS gives to one that is assumed with those of
/// another (IAM User Guide, "Role chaining"), and are then asked for anew.
#[derive(Clone)]
pub(super) struct Role {
    /// With whose credentials.
    source: Arc<Clients>,
    arn: String,
    external_id: Option<String>,
    session_name: String,
    /// Where the stack file says it.
    place: String,
}

/// Why a role's credentials are not there.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unassumed(pub Failure);

impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Role").field("arn", &self.arn).finish_non_exhaustive()
    }
}

impl Role {
    /// The role that is assumed for an account of a stack; none where the credentials are its own.
    pub(super) fn of(access: &Access, source: &Arc<Clients>, stack: &str, name: Option<&str>) -> Option<Self> {
        let session = || match name {
            Some(name) => format!("leoctl-{stack}-{name}"),
            None => format!("leoctl-{stack}"),
        };
        Some(Self {
            source: Arc::clone(source),
            arn: access.role_arn.clone()?,
            external_id: access.external_id.clone(),
            session_name: access.session_name.clone().unwrap_or_else(|| session().chars().take(LONGEST_NAME).collect()),
            place: name.map_or_else(|| "[stack]".to_owned(), |name| format!("accounts.{name}")),
        })
    }

    async fn assume(&self) -> Outcome<Credentials> {
        let region = self.source.default_region().unwrap_or_else(|| "us-east-1".to_owned());
        let aws = self.source.region(&region);
        let call = aws.sts().assume_role().role_arn(&self.arn).role_session_name(&self.session_name);
        // A call that waits for these credentials has its turn already, and perhaps the last connection.
        let call = call.set_external_id(self.external_id.clone()).customize().interceptor(Unqueued);
        let given = match call.send().await.or_fail("sts:AssumeRole") {
            Ok(given) => given.credentials,
            Err(failure) => return Err(self.refused(failure, &region).await),
        };
        let lacking =
            || Failure { operation: "sts:AssumeRole".to_owned(), ..Failure::new(FailureKind::Other, "the answer has no credentials") };
        let given = given.ok_or_else(lacking)?;
        let expires = (*given.expiration()).try_into().ok();
        Ok(Credentials::new(given.access_key_id, given.secret_access_key, Some(given.session_token), expires, "leoctl"))
    }

    /// The failure with who asked for which role, and how.
    async fn refused(&self, failure: Failure, region: &str) -> Failure {
        // Nothing of what waits for the credentials was sent.
        let kind = if failure.kind == FailureKind::Ambiguous { FailureKind::Transient } else { failure.kind };
        let message = match failure.kind {
            FailureKind::Denied => {
                let aws = self.source.region(region);
                let asked = aws.sts().get_caller_identity().customize().interceptor(Unqueued).send().await;
                let who = asked.ok().and_then(|found| found.arn).unwrap_or_else(|| "who we are".to_owned());
                let with = if self.external_id.is_some() { "with the external id that is written" } else { "without an external id" };
                format!("{who} may not assume {}, asked {with} for {}\n{}", self.arn, self.place, failure.message)
            }
            _ => format!("{} cannot be assumed for {}: {}", self.arn, self.place, failure.message),
        };
        Failure { kind, message, ..failure }
    }
}

impl ProvideCredentials for Role {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async move {
            self.assume().await.map_err(|failure| CredentialsError::provider_error(Unassumed(failure)))
        })
    }
}
