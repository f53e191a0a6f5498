//! AWS failures as people need them at night: what failed, AWS's own words, and what to do.

use std::sync::OnceLock;

use super::one_line;
use leoctl_core::engine::ports::{Failure, FailureKind};

/// Set once, when this run uses the sandbox: what fails there is not AWS's.
static SANDBOX: OnceLock<()> = OnceLock::new();

/// From now on failures come of the sandbox, and so does what to do about them.
pub fn in_sandbox() {
    SANDBOX.get_or_init(|| ());
}

/// A failure as lines: message, code and request, hint.
pub fn lines(failure: &Failure) -> Vec<String> {
    let mut lines: Vec<String> = failure.message.lines().map(|line| one_line(line).into_owned()).collect();
    let mut facts = Vec::new();
    if !failure.operation.is_empty() {
        facts.push(failure.operation.clone());
    }
    facts.extend(failure.code.clone());
    facts.extend(failure.request_id.as_ref().map(|id| format!("request {id}")));
    if !facts.is_empty() {
        lines.push(one_line(&format!("({})", facts.join(", "))).into_owned());
    }
    let detail = failure.no_answer.iter().flat_map(|no_answer| no_answer.detail.lines());
    lines.extend(detail.map(|line| one_line(line).into_owned()));
    lines.extend(hint(failure).map(|hint| format!("help: {hint}")));
    lines
}

/// What to do about a failure where this run's calls go.
pub fn hint(failure: &Failure) -> Option<String> {
    SANDBOX.get().and_then(|()| of_sandbox(failure)).or_else(|| of_aws(failure))
}

/// What to do about a failure that comes of the sandbox: its emulator does not answer, or lacks what was asked of it.
fn of_sandbox(failure: &Failure) -> Option<String> {
    if failure.no_answer.is_some() {
        return Some(
            "see whether the sandbox runs: `leoctl sandbox status`; the same command again starts it where it does not".to_owned(),
        );
    }
    let what = failure.operation.split(':').next().unwrap_or_default();
    is_unknown(failure).then(|| {
        format!(
            "the sandbox lacks this part of {what} ({}): your stack is fine; leave out what needs it with `--exclude ADDRESS`, or try it \
             in AWS",
            failure.operation
        )
    })
}

/// Whether an operation is not known where it was called: an answer without a code of AWS's, or the codes AWS has for
/// operations that do not exist (Common Error Types of its services).
fn is_unknown(failure: &Failure) -> bool {
    let unheard = matches!(failure.kind, FailureKind::Other | FailureKind::NotFound | FailureKind::Ambiguous);
    match failure.code.as_deref() {
        None => unheard && !failure.operation.is_empty(),
        Some("InvalidAction" | "UnknownOperationException" | "UnknownOperation" | "NotImplemented" | "UnsupportedOperation") => true,
        Some(_) => false,
    }
}

fn of_aws(failure: &Failure) -> Option<String> {
    if let Some(no_answer) = &failure.no_answer {
        return Some(no_answer.cause.advice().to_owned());
    }
    if failure.operation == "sts:AssumeRole"
        && let Some(hint) = of_a_role(failure)
    {
        return Some(hint.to_owned());
    }
    Some(match failure.kind {
        FailureKind::Credentials if about_time(failure.code.as_deref()) => {
            "AWS takes no signature that is minutes away from its own time: set this machine's clock, see that the secret key is the \
             right one, and run the same command again"
                .to_owned()
        }
        FailureKind::Credentials => {
            "renew your credentials (`aws login`, `aws sso login`, or a new session) and run the same command again".to_owned()
        }
        FailureKind::Denied => format!("your role lacks a permission: {}", failure.operation),
        FailureKind::AlreadyExists => "something of that name appeared since the plan: run plan again, it says whose it is".to_owned(),
        FailureKind::Transient => "AWS asked for patience longer than the timeout allows: run the same command again".to_owned(),
        FailureKind::Ambiguous if failure.status.is_some() => {
            "the answer does not say what became of the call: run the same command again, it finds out what was done".to_owned()
        }
        FailureKind::Ambiguous => {
            "AWS did not answer: run the same command again; where it was to change something, it finds out whether that was done"
                .to_owned()
        }
        FailureKind::Interrupted => "run the same command again: it continues here".to_owned(),
        FailureKind::Lost => "run the same command again when the other leoctl is done".to_owned(),
        FailureKind::Unrecorded => {
            "nothing more was begun, since it could not be recorded: mend that, and run the same command again; it finds out what was done"
                .to_owned()
        }
        FailureKind::NotFound | FailureKind::Refused | FailureKind::Invalid | FailureKind::Other => {
            return match (failure.code.as_deref(), failure.status) {
                (Some(code), _) => by_code(code),
                (None, Some(_)) => Some(
                    "the answer has no error code, as AWS's have: see that `--endpoint-url`, AWS_ENDPOINT_URL and proxies on the way lead \
                     to AWS"
                        .to_owned(),
                ),
                (None, None) => None,
            };
        }
    })
}

/// What to do about a role that cannot be assumed (STS API Reference, AssumeRole).
fn of_a_role(failure: &Failure) -> Option<&'static str> {
    match (failure.kind, failure.code.as_deref()) {
        (FailureKind::Denied, _) => Some(
            "the role's trust policy has to let that principal in, with the external id that it may ask for, and the principal's own \
             policy has to allow `sts:AssumeRole` on the role; AWS says the same of a role that does not exist. `leoctl iam-policy` prints both policies",
        ),
        (_, Some("RegionDisabledException")) => Some("switch STS on for this region in the account of the role, or use another region"),
        (_, Some("PackedPolicyTooLarge" | "ValidationError")) => {
            Some("look at `role_arn`, `external_id` and `session_name`: AWS does not take one of them as it is written")
        }
        _ => None,
    }
}

/// Codes of a clock that is wrong (IAM User Guide, "Troubleshoot Signature Version 4"): some of them are a wrong key's as well.
fn about_time(code: Option<&str>) -> bool {
    matches!(code, Some("RequestTimeTooSkewed" | "RequestExpired" | "SignatureDoesNotMatch" | "InvalidSignatureException"))
}

fn by_code(code: &str) -> Option<String> {
    Some(
        match code {
            "DependencyViolation" => {
                "something still uses it, often a network interface of a task that is stopping: wait a few minutes and run again"
            }
            "BucketNotEmpty" => "set `empty_on_delete = true` on the bucket and apply that first, or empty it yourself",
            "RepositoryNotEmptyException" => {
                "set `force_delete = true` on the repository and apply that first, or delete its images yourself"
            }
            "VpcLimitExceeded" | "InternetGatewayLimitExceeded" => {
                "ask AWS for a higher quota in Service Quotas; where it is a replacement, `create_before_destroy = false` in its \
                 lifecycle deletes the old one first"
            }
            "LimitExceeded" | "LimitExceededException" => "ask AWS for a higher quota in Service Quotas, or delete what is not needed",
            "MalformedPolicyDocument" | "MalformedPolicy" => "AWS does not accept this policy: compare it with the IAM policy grammar",
            "ResourceInUse" => "something still uses it: delete or change that first",
            _ => return None,
        }
        .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use leoctl_core::engine::no_answer::{Cause, NoAnswer};

    #[test]
    fn only_what_was_not_answered_is_said_not_to_be() {
        let of = |kind, status, code: Option<&str>| {
            of_aws(&Failure { status, code: code.map(str::to_owned), ..Failure::new(kind, "no") }).unwrap_or_default()
        };
        assert!(of(FailureKind::Ambiguous, None, None).contains("AWS did not answer"));
        for (kind, status, code) in [
            (FailureKind::Other, 400, None),
            (FailureKind::Ambiguous, 502, None),
            (FailureKind::Ambiguous, 500, Some("InternalFailure")),
            (FailureKind::Refused, 400, Some("DependencyViolation")),
        ] {
            let hint = of(kind, Some(status), code);
            assert!(!hint.is_empty() && !hint.contains("did not answer"), "{kind:?} {status} {code:?}: {hint}");
        }
        assert!(of(FailureKind::Other, Some(400), None).contains("--endpoint-url"));
    }

    #[test]
    fn a_role_that_cannot_be_assumed_has_advice_of_its_own() {
        let of = |kind, code: &str| {
            let (operation, code) = ("sts:AssumeRole".to_owned(), Some(code.to_owned()));
            of_aws(&Failure { operation, code, status: Some(403), ..Failure::new(kind, "no") }).unwrap_or_default()
        };
        assert!(of(FailureKind::Denied, "AccessDenied").contains("trust policy"));
        assert!(of(FailureKind::Credentials, "ExpiredToken").contains("renew your credentials"));
        assert!(of(FailureKind::Refused, "ValidationError").contains("session_name"));
        assert!(of(FailureKind::Refused, "RegionDisabledException").contains("switch STS on"));
    }

    #[test]
    fn what_the_sandbox_does_not_know_is_told_apart_from_what_the_stack_does_wrong() {
        let failure = |status, code: Option<&str>| Failure {
            status,
            code: code.map(str::to_owned),
            operation: "application-autoscaling:DescribeScalableTargets".to_owned(),
            ..Failure::new(FailureKind::Other, "x")
        };
        for unknown in [failure(None, None), failure(Some(404), None), failure(Some(400), Some("InvalidAction"))] {
            let hint = of_sandbox(&unknown).unwrap();
            assert!(hint.contains("the sandbox lacks") && !hint.contains("--endpoint-url"), "{hint}");
        }
        assert_eq!(of_sandbox(&failure(Some(400), Some("ValidationException"))), None);
        assert_eq!(of_sandbox(&Failure::new(FailureKind::Interrupted, "x")), None);
    }

    #[test]
    fn where_the_sandbox_does_not_answer_nobody_is_sent_to_aws() {
        for cause in [
            Cause::Refused { address: "127.0.0.1:4566".to_owned() },
            Cause::Broken { address: "127.0.0.1:4566".to_owned() },
            Cause::Unreachable { address: "127.0.0.1:4566".to_owned() },
        ] {
            let no_answer = Some(Box::new(NoAnswer { cause, detail: "refused".to_owned() }));
            let hint = of_sandbox(&Failure { no_answer, ..Failure::new(FailureKind::Ambiguous, "x") }).unwrap();
            assert!(hint.contains("leoctl sandbox status") && !hint.contains("AWS"), "{hint}");
        }
    }
}
