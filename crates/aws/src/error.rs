//! The one place that turns SDK errors into [`Failure`]s, by error code and never by text.

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;

use super::fence::NotOurs;
use leoctl_core::engine::ports::{Failure, FailureKind, Outcome};

/// Turning the result of a call into an [`Outcome`].
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

fn failure<E>(operation: &str, error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let status = error.raw_response().map(|response| response.status().as_u16());
    let code = error.code().map(str::to_owned);
    let kind = match error {
        SdkError::ServiceError(_) => kind_of(code.as_deref(), status),
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => FailureKind::Ambiguous,
        other if caused_by::<CredentialsError>(other) => FailureKind::Credentials,
        other if caused_by::<NotOurs>(other) => FailureKind::Lost,
        // Whatever broke on the way may have broken on the way back, a connection closed in the middle among it.
        SdkError::DispatchFailure(dispatch) if !dispatch.is_user() => FailureKind::Ambiguous,
        _ => FailureKind::Other,
    };
    let message = match error.message() {
        Some(message) => message.to_owned(),
        None => chain(error),
    };
    Failure { kind, operation: operation.to_owned(), code, message, request_id: error.request_id().map(str::to_owned) }
}

fn kind_of(code: Option<&str>, status: Option<u16>) -> FailureKind {
    match code {
        Some(code) if is_not_found(code) => FailureKind::NotFound,
        Some(code) if is_already_exists(code) => FailureKind::AlreadyExists,
        Some(code) if is_throttling(code) => FailureKind::Transient,
        Some("AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "AuthorizationError") => FailureKind::Denied,
        Some(code) if is_credentials_code(code) => FailureKind::Credentials,
        // HEAD requests are answered without a body, and so without a code.
        None if status == Some(404) => FailureKind::NotFound,
        None if status == Some(403) => FailureKind::Denied,
        _ if status.is_some_and(|status| status >= 500) => FailureKind::Ambiguous,
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
                | "ObjectNotFoundException"
                | "ParameterNotFound"
                | "ServiceNotFound"
                | "ServiceNotActiveException"
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
            | "InvalidKeyPair.Duplicate"
            | "DuplicateLoadBalancerName"
            | "DuplicateTargetGroupName"
            | "ServiceAlreadyExists"
            | "DuplicateListener"
            | "PriorityInUse"
            | "FileSystemAlreadyExists"
            | "AccessPointAlreadyExists"
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
            | "RequestThrottled"
            | "RequestThrottledException"
            | "TooManyRequestsException"
            | "SlowDown"
            | "BandwidthLimitExceeded"
            | "PriorRequestNotComplete"
            | "ProvisionedThroughputExceededException"
    )
}

fn is_credentials_code(code: &str) -> bool {
    matches!(
        code,
        "ExpiredToken"
            | "ExpiredTokenException"
            | "RequestExpired"
            | "RequestTimeTooSkewed"
            | "InvalidClientTokenId"
            | "InvalidAccessKeyId"
            | "UnrecognizedClientException"
            | "AuthFailure"
            | "SignatureDoesNotMatch"
            | "InvalidSignatureException"
    )
}

/// Whether an error of type `E` is among the causes.
fn caused_by<E: std::error::Error + 'static>(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<E>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The causes of an error in one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
