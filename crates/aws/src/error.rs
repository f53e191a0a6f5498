//! The one place that turns SDK errors into [`Failure`]s, by error code and never by text.

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;

use super::accounts::Unassumed;
use super::fence::NotOurs;
use super::limits::OutOfTime;
use super::unanswered::{chain, find, no_answer};
use leoctl_core::engine::ports::{Failure, FailureKind, Outcome};

/// Turning the result of a call that only reads into an [`Outcome`]; for calls that change something there is
/// [`super::repeat::Changing`].
pub trait OrFail<T> {
    /// The result, with its error as a [`Failure`] of `operation` (as `service:Operation`).
    ///
    /// # Errors
    /// When the call failed.
    fn or_fail(self, operation: &str) -> Outcome<T>;
}

impl<T, E> OrFail<T> for Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    fn or_fail(self, operation: &str) -> Outcome<T> {
        self.map_err(|error| failure(operation, &error))
    }
}

/// Turning "not found" into nothing.
pub trait OrAbsent<T> {
    /// The result, or nothing when what was asked for does not exist.
    ///
    /// # Errors
    /// Any other failure.
    fn or_absent(self) -> Outcome<Option<T>>;
}

impl<T> OrAbsent<T> for Outcome<T> {
    fn or_absent(self) -> Outcome<Option<T>> {
        match self {
            Ok(value) => Ok(Some(value)),
            Err(failure) if failure.kind == FailureKind::NotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

/// Whether somebody was there at the other end when a call failed, and may answer it yet.
pub fn may_pass<E>(error: &SdkError<E, HttpResponse>) -> bool
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match error {
        SdkError::DispatchFailure(dispatch) => dispatch.is_other(),
        SdkError::ServiceError(_) => matches!(failure("", error).kind, FailureKind::Transient | FailureKind::Ambiguous),
        SdkError::ResponseError(_) => true,
        _ => false,
    }
}

/// The id in the answer of a creation.
///
/// # Errors
/// [`FailureKind::Other`] when there is none: whether anything was made is not known then.
pub fn made_id<T: Into<String>>(operation: &str, id: Option<T>) -> Outcome<String> {
    let id = id.map(Into::into).filter(|id| !id.is_empty());
    id.ok_or_else(|| Failure {
        operation: operation.to_owned(),
        ..Failure::new(FailureKind::Other, "AWS's answer lacks the id of what it made")
    })
}

/// A request that cannot be built from what is wanted: nothing was sent.
pub fn unbuilt(error: impl std::fmt::Display) -> Failure {
    Failure::new(FailureKind::Invalid, error.to_string())
}

fn failure<E>(operation: &str, error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    if let Some(Unassumed(failure)) = find::<Unassumed>(error) {
        // The call waited for credentials and was not sent: what failed is asking for them.
        return failure.clone();
    }
    let status = error.raw_response().map(|response| response.status().as_u16());
    let code = error.code().map(str::to_owned);
    let kind = match error {
        SdkError::ServiceError(_) => kind_of(code.as_deref(), status),
        // A refusal in no form of AWS's, perhaps of something on the way: neither is it of AWS, nor does it pass, but for
        // those of a server that has no time (408, 429).
        SdkError::ResponseError(_) if status.is_some_and(|status| (400..500).contains(&status) && ![408, 429].contains(&status)) => {
            FailureKind::Other
        }
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => FailureKind::Ambiguous,
        other if find::<CredentialsError>(other).is_some() => FailureKind::Credentials,
        other if find::<NotOurs>(other).is_some() => FailureKind::Lost,
        other if find::<OutOfTime>(other).is_some() => FailureKind::Transient,
        SdkError::ConstructionFailure(_) => FailureKind::Invalid,
        // Whatever broke on the way may have broken on the way back, a connection closed in the middle among it.
        SdkError::DispatchFailure(dispatch) if !dispatch.is_user() => FailureKind::Ambiguous,
        SdkError::DispatchFailure(_) => FailureKind::Invalid,
        _ => FailureKind::Other,
    };
    let no_answer = error.raw_response().is_none().then(|| no_answer(error)).flatten();
    let message = match (error.message().filter(|message| !message.is_empty()), error.raw_response(), &code) {
        (Some(message), ..) => message.to_owned(),
        (None, Some(response), Some(code)) => answered(response.status().as_u16(), code.as_bytes()),
        (None, Some(response), None) => answered(response.status().as_u16(), response.body().bytes().unwrap_or_default()),
        (None, None, _) => match (find::<OutOfTime>(error), &no_answer) {
            (Some(out_of_time), _) => out_of_time.to_string(),
            (None, Some(no_answer)) => no_answer.cause.to_string(),
            (None, None) => chain(error),
        },
    };
    let request_id = error.request_id().map(str::to_owned);
    Failure { kind, operation: operation.to_owned(), status, code, message, request_id, no_answer: no_answer.map(Box::new) }
}

/// How much of an answer's body is shown, in characters.
const SHOWN: usize = 300;

/// An answer that does not say itself what is wrong: its status and the start of its body, in one line.
fn answered(status: u16, body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown: String = line.chars().take(SHOWN).collect();
    match (shown.is_empty(), shown.len() < line.len()) {
        (true, _) => format!("the answer is {status} without a word"),
        (false, true) => format!("the answer is {status}: {shown}…"),
        (false, false) => format!("the answer is {status}: {shown}"),
    }
}

fn kind_of(code: Option<&str>, status: Option<u16>) -> FailureKind {
    match code {
        Some(code) if is_not_found(code) => FailureKind::NotFound,
        Some(code) if is_already_exists(code) => FailureKind::AlreadyExists,
        Some(code) if is_throttling(code) => FailureKind::Transient,
        Some(code) if is_denied(code) => FailureKind::Denied,
        // EC2 says this of credentials with 401, and with 400 of what another account or a service of AWS manages (EC2 API
        // Reference, "Error codes").
        Some("AuthFailure") if status != Some(401) => FailureKind::Denied,
        Some(code) if is_credentials_code(code) => FailureKind::Credentials,
        // HEAD requests are answered without a body, and so without a code.
        None if status == Some(404) => FailureKind::NotFound,
        None if status == Some(403) => FailureKind::Denied,
        None if status == Some(429) => FailureKind::Transient,
        // The service waited for the rest of a request and may have had it.
        Some("RequestTimeout" | "RequestTimeoutException") => FailureKind::Ambiguous,
        _ if status.is_some_and(|status| status >= 500 || status == 408) => FailureKind::Ambiguous,
        Some(_) if status.is_some_and(|status| (300..500).contains(&status)) => FailureKind::Refused,
        _ => FailureKind::Other,
    }
}
/// EC2's codes end in `.NotFound`; the others are each service's own (their API references, "Errors").
fn is_not_found(code: &str) -> bool {
    code.ends_with(".NotFound")
        || matches!(
            code,
            "NotFound"
                | "NoSuchEntity"
                | "NoSuchHostedZone"
                | "NoSuchChange"
                | "VPCAssociationNotFound"
                | "NoSuchBucket"
                | "NoSuchBucketPolicy"
                | "NoSuchCORSConfiguration"
                | "NoSuchLifecycleConfiguration"
                | "NoSuchPublicAccessBlockConfiguration"
                | "NoSuchTagSet"
                | "NoSuchWebsiteConfiguration"
                | "OwnershipControlsNotFoundError"
                | "ServerSideEncryptionConfigurationNotFoundError"
                | "ResourceNotFound"
                | "ResourceNotFoundException"
                | "DashboardNotFoundError"
                | "NotFoundException"
                | "RepositoryNotFoundException"
                | "RepositoryPolicyNotFoundException"
                | "LifecyclePolicyNotFoundException"
                | "ImageNotFoundException"
                | "LoadBalancerNotFound"
                | "TargetGroupNotFound"
                | "ListenerNotFound"
                | "RuleNotFound"
                | "ClusterNotFoundException"
                | "ServiceNotFoundException"
                | "NamespaceNotFound"
                | "OperationNotFound"
                | "ObjectNotFoundException"
                | "ParameterNotFound"
                | "ServiceNotFound"
                | "FileSystemNotFound"
                | "MountTargetNotFound"
                | "AccessPointNotFound"
                | "PolicyNotFound"
                | "NatGatewayNotFound"
                | "ParameterVersionNotFound"
        )
}

fn is_already_exists(code: &str) -> bool {
    matches!(
        code,
        "EntityAlreadyExists"
            | "AlreadyExistsException"
            | "NamespaceAlreadyExists"
            | "ParameterAlreadyExists"
            | "RepositoryAlreadyExistsException"
            | "ResourceAlreadyExistsException"
            | "ResourceExistsException"
            | "HostedZoneAlreadyExists"
            | "BucketAlreadyExists"
            | "BucketAlreadyOwnedByYou"
            | "InvalidGroup.Duplicate"
            | "InvalidPermission.Duplicate"
            | "InvalidKeyPair.Duplicate"
            | "DuplicateLoadBalancerName"
            | "DuplicateTargetGroupName"
            | "ServiceAlreadyExists"
            | "DuplicateListener"
            | "PriorityInUse"
            | "FileSystemAlreadyExists"
            | "AccessPointAlreadyExists"
            | "MountTargetConflict"
            | "ConflictingDomainExists"
    )
}

fn is_throttling(code: &str) -> bool {
    matches!(
        code,
        "Throttling"
            | "ThrottlingException"
            | "Throttled"
            | "ThrottledException"
            | "RequestLimitExceeded"
            | "EC2ThrottledException"
            | "TransactionInProgressException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "TooManyRequestsException"
            | "SlowDown"
            | "BandwidthLimitExceeded"
            | "PriorRequestNotComplete"
            | "ProvisionedThroughputExceededException"
    )
}

/// What somebody whom AWS knows may not do, or an account (their API references, "Common Errors").
fn is_denied(code: &str) -> bool {
    matches!(
        code,
        "AccessDenied"
            | "AccessDeniedException"
            | "AccountProblem"
            | "AllAccessDisabled"
            | "AuthorizationError"
            | "NotAuthorized"
            | "NotSignedUp"
            | "OptInRequired"
            | "UnauthorizedOperation"
    )
}

fn is_credentials_code(code: &str) -> bool {
    matches!(
        code,
        "ExpiredToken"
            | "ExpiredTokenException"
            | "RequestExpired"
            | "RequestTimeTooSkewed"
            | "RequestInTheFuture"
            | "InvalidSecurity"
            | "InvalidClientTokenId"
            | "InvalidAccessKeyId"
            | "UnrecognizedClientException"
            | "InvalidToken"
            | "TokenRefreshRequired"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "IncompleteSignature"
            | "IncompleteSignatureException"
            | "AuthFailure"
            | "SignatureDoesNotMatch"
            | "InvalidSignatureException"
    )
}

#[cfg(test)]
mod tests {
    use leoctl_core::engine::ports::FailureKind::{
        self, AlreadyExists, Ambiguous, Credentials, Denied, NotFound, Other, Refused, Transient,
    };

    use super::{answered, kind_of, made_id};

    #[test]
    fn what_an_answer_means_for_whether_anything_was_done() {
        let cases: [(Option<&str>, Option<u16>, FailureKind); 25] = [
            (Some("InvalidParameterException"), Some(400), Refused),
            (Some("PermanentRedirect"), Some(301), Refused),
            (Some("LimitExceededException"), Some(400), Refused),
            (Some("ServiceNotActiveException"), Some(400), Refused),
            (Some("InvalidVpcID.NotFound"), Some(400), NotFound),
            (Some("NoSuchBucket"), Some(404), NotFound),
            (Some("InvalidPermission.Duplicate"), Some(400), AlreadyExists),
            (Some("MountTargetConflict"), Some(409), AlreadyExists),
            (Some("ThrottlingException"), Some(400), Transient),
            (Some("SlowDown"), Some(503), Transient),
            (Some("InternalFailure"), Some(500), Ambiguous),
            (Some("RequestTimeout"), Some(400), Ambiguous),
            (Some("AuthFailure"), Some(401), Credentials),
            (Some("AuthFailure"), Some(400), Denied),
            (Some("ExpiredToken"), Some(403), Credentials),
            (Some("MissingAuthenticationToken"), Some(403), Credentials),
            (Some("InvalidToken"), Some(400), Credentials),
            (Some("UnrecognizedClientException"), Some(400), Credentials),
            (Some("OptInRequired"), Some(403), Denied),
            (Some("EC2ThrottledException"), Some(400), Transient),
            (None, Some(404), NotFound),
            (None, Some(403), Denied),
            (None, Some(408), Ambiguous),
            // This answer does not say what became of the call.
            (None, Some(400), Other),
            (None, None, Other),
        ];
        for (code, status, kind) in cases {
            assert_eq!(kind_of(code, status), kind, "{code:?} {status:?}");
        }
    }

    #[test]
    fn an_answer_without_a_message_is_shown_as_it_is_and_shortened() {
        assert_eq!(answered(404, b"<html>\n  <h1>Not here</h1>\n</html>"), "the answer is 404: <html> <h1>Not here</h1> </html>");
        assert_eq!(answered(502, b""), "the answer is 502 without a word");
        let long = answered(400, "é".repeat(1000).as_bytes());
        assert_eq!((long.chars().count(), long.ends_with('…')), (300 + "the answer is 400: …".chars().count(), true));
    }

    #[test]
    fn an_answer_without_an_id_says_neither_that_something_was_made_nor_that_nothing_was() {
        assert_eq!(made_id("ec2:CreateVpc", Some("vpc-1")).unwrap(), "vpc-1");
        for answer in [None, Some("")] {
            let failure = made_id("ec2:CreateVpc", answer).unwrap_err();
            assert_eq!((failure.kind, failure.operation.as_str()), (Other, "ec2:CreateVpc"));
        }
    }
}
