//! AWS failures as people need them at night: what failed, AWS's own words, and what to do.

use super::one_line;
use leoctl_core::engine::ports::{Failure, FailureKind};

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

/// What to do about a failure.
pub fn hint(failure: &Failure) -> Option<String> {
    if let Some(no_answer) = &failure.no_answer {
        return Some(no_answer.cause.advice().to_owned());
    }
    Some(match failure.kind {
        FailureKind::Credentials if about_time(failure.code.as_deref()) => {
            "AWS takes no signature that is minutes away from its own time: set this machine's clock, see that the secret key is the \
             right one, and run the same command again"
                .to_owned()
        }
        FailureKind::Credentials => "renew your credentials (`aws sso login`, or a new session) and run the same command again".to_owned(),
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

    #[test]
    fn only_what_was_not_answered_is_said_not_to_be() {
        let of = |kind, status, code: Option<&str>| {
            hint(&Failure { status, code: code.map(str::to_owned), ..Failure::new(kind, "no") }).unwrap_or_default()
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
}
