//! Waiting for what Cloud Control was asked to do, and what its codes mean.

use std::time::Duration;

use aws_sdk_cloudcontrol::types::{HandlerErrorCode, OperationStatus, ProgressEvent};

use crate::client::Aws;
use crate::error::OrFail;
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome};

/// The first wait before a request is asked after; each next is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Whether a request is at its end.
fn is_over(event: &ProgressEvent) -> bool {
    use OperationStatus::{CancelComplete, Failed, Success};
    matches!(event.operation_status, Some(Success | Failed | CancelComplete))
}

/// Waits until a request has ended, whatever became of it, or `enough` is known of it.
///
/// # Errors
/// When the wait was ended, or AWS does not say what became of the request.
pub async fn ended(
    aws: &Aws,
    operation: &Operation,
    event: Option<ProgressEvent>,
    enough: impl Fn(&ProgressEvent) -> bool + Send,
) -> Outcome<ProgressEvent> {
    let missing = || Failure::new(FailureKind::Other, "AWS's answer does not say what became of the request");
    let mut event = event.ok_or_else(missing)?;
    let mut wait = FIRST_WAIT;
    let mut heard = String::new();
    while !is_over(&event) && !enough(&event) {
        if let Some(said) = event.status_message().filter(|said| !said.is_empty() && *said != heard) {
            heard = said.to_owned();
            (operation.progress.0)(heard.clone());
        }
        let kind = event.type_name().unwrap_or("the resource").to_owned();
        operation.pause(asked_for(&event).unwrap_or(wait), &format!("waiting for {kind}")).await?;
        wait = LONGEST_WAIT.min(wait * 2);
        let token = event.request_token().unwrap_or_default();
        let call = aws.cloudcontrol().get_resource_request_status().request_token(token);
        event = call.send().await.or_fail("cloudformation:GetResourceRequestStatus")?.progress_event.ok_or_else(missing)?;
    }
    Ok(event)
}

/// A request that has ended, as what it came to.
///
/// # Errors
/// When it failed.
pub fn succeeded(event: ProgressEvent) -> Outcome<ProgressEvent> {
    match event.operation_status {
        Some(OperationStatus::Failed | OperationStatus::CancelComplete) => Err(failure(&event)),
        _ => Ok(event),
    }
}

/// How long AWS asks to wait.
fn asked_for(event: &ProgressEvent) -> Option<Duration> {
    let left = event.retry_after()?.as_secs_f64() - jiff::Timestamp::now().as_millisecond() as f64 / 1000.0;
    Duration::try_from_secs_f64(left).ok().map(|left| left.clamp(FIRST_WAIT, LONGEST_WAIT))
}

/// A request that failed.
fn failure(event: &ProgressEvent) -> Failure {
    let operation = match event.operation() {
        Some(operation) => format!("cloudformation:{}Resource", capital(operation.as_str())),
        None => "cloudformation:GetResourceRequestStatus".to_owned(),
    };
    let code = event.error_code();
    let message = event.status_message().filter(|message| !message.is_empty()).unwrap_or("AWS does not say why");
    Failure {
        operation,
        code: code.map(|code| code.as_str().to_owned()),
        request_id: event.request_token().map(str::to_owned),
        ..Failure::new(code.map_or(FailureKind::Other, kind_of), message)
    }
}

fn capital(word: &str) -> String {
    let lower = word.to_ascii_lowercase();
    lower.get(..1).map(str::to_ascii_uppercase).unwrap_or_default() + lower.get(1..).unwrap_or_default()
}

/// What a handler's code means (CloudFormation CLI User Guide, "Handler error codes").
fn kind_of(code: &HandlerErrorCode) -> FailureKind {
    use HandlerErrorCode as Code;
    match code {
        Code::AlreadyExists => FailureKind::AlreadyExists,
        Code::NotFound => FailureKind::NotFound,
        Code::AccessDenied | Code::UnauthorizedTaggingOperation => FailureKind::Denied,
        Code::InvalidCredentials => FailureKind::Credentials,
        Code::Throttling | Code::ResourceConflict => FailureKind::Transient,
        Code::InvalidRequest | Code::NotUpdatable | Code::ServiceLimitExceeded => FailureKind::Refused,
        // Something may have been made before it failed.
        _ => FailureKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_code_of_a_failed_request_means() {
        for (code, kind) in [
            ("AlreadyExists", FailureKind::AlreadyExists),
            ("Throttling", FailureKind::Transient),
            ("ResourceConflict", FailureKind::Transient),
            ("NotStabilized", FailureKind::Other),
            ("InvalidRequest", FailureKind::Refused),
            ("SomethingNew", FailureKind::Other),
        ] {
            let event = ProgressEvent::builder()
                .operation(aws_sdk_cloudcontrol::types::Operation::Create)
                .operation_status(OperationStatus::Failed)
                .error_code(HandlerErrorCode::from(code))
                .status_message("no")
                .request_token("t")
                .build();
            let failed = failure(&event);
            assert_eq!(
                (failed.kind, failed.operation.as_str(), failed.code.as_deref()),
                (kind, "cloudformation:CreateResource", Some(code))
            );
        }
    }
}
