//! A bucket's policy, and the statement in it that refuses requests without TLS.

use serde_json::{Value as Json, json};

use crate::document::Policy;
use crate::partition;
use leoctl_core::model::path::Path;
use leoctl_core::model::value::Value;

/// The name of the statement that refuses requests without TLS.
const TLS_ONLY: &str = "LeoctlTlsOnly";

fn tls_statement(region: &str, bucket: &str) -> Json {
    let arn = format!("arn:{}:s3:::{bucket}", partition(region));
    json!({
        "Sid": TLS_ONLY,
        "Effect": "Deny",
        "Principal": { "AWS": "*" },
        "Action": "s3:*",
        "Resource": [arn, format!("{arn}/*")],
        "Condition": { "Bool": { "aws:SecureTransport": "false" } }
    })
}

/// A policy as AWS has it, taken apart: what the user wrote, and whether the TLS statement is in it.
pub fn split(policy: Option<Policy>) -> (Option<Policy>, bool) {
    let Some(Policy(mut document)) = policy else { return (None, false) };
    let mut tls_only = false;
    let mut left = 1;
    if let Some(statements) = document.get_mut("Statement").and_then(Json::as_array_mut) {
        let all = statements.len();
        statements.retain(|statement| statement.get("Sid").and_then(Json::as_str) != Some(TLS_ONLY));
        tls_only = statements.len() < all;
        left = statements.len();
    }
    ((left > 0).then_some(Policy(document)), tls_only)
}

/// The policy as AWS is to have it; none when there is nothing to say.
pub fn whole(own: Option<&Policy>, tls_only: bool, region: &str, bucket: &str) -> Option<Json> {
    let own = own.map(|policy| policy.0.clone());
    if !tls_only {
        return own;
    }
    let statement = tls_statement(region, bucket);
    let mut document = own.unwrap_or_else(|| json!({ "Version": "2012-10-17", "Statement": [] }));
    match document.get_mut("Statement") {
        Some(Json::Array(statements)) => statements.push(statement),
        Some(single) => *single = json!([single.take(), statement]),
        None => {
            if let Some(document) = document.as_object_mut() {
                document.insert("Statement".to_owned(), json!([statement]));
            }
        }
    }
    Some(document)
}

/// S3 turns a canonical user into the ARN of whom it means, so that a policy that names one would differ at every plan.
pub fn check(policy: Option<&Value>) -> Vec<(Path, String)> {
    let statements = match policy.and_then(|policy| policy.get("Statement")) {
        Some(Value::List(statements)) => statements.as_slice(),
        Some(single) => std::slice::from_ref(single),
        None => &[],
    };
    let canonical = statements.iter().any(|one| one.get("Principal").and_then(|principal| principal.get("CanonicalUser")).is_some());
    let problem = "S3 turns a `CanonicalUser` into an ARN: write that under `AWS` instead, for an origin access identity of CloudFront \
                   `arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity ID`";
    canonical.then(|| (Path::attribute("policy"), problem.to_owned())).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tls_statement_goes_in_and_comes_out() {
        let own = Policy(json!({ "Version": "2012-10-17", "Statement": [{ "Sid": "Own", "Effect": "Allow" }] }));
        let with = whole(Some(&own), true, "us-east-1", "b").unwrap();
        assert_eq!(split(Some(Policy(with))), (Some(own.clone()), true));
        assert_eq!(split(Some(own.clone())), (Some(own), false));
        assert_eq!(split(whole(None, true, "us-east-1", "b").map(Policy)), (None, true));
    }

    #[test]
    fn a_canonical_user_is_refused_in_a_policy() {
        let with = |principal: Json| Value::from(json!({ "Statement": [{ "Effect": "Allow", "Principal": principal }] }));
        assert_eq!(check(Some(&with(json!({ "CanonicalUser": "79a5" })))).len(), 1);
        assert!(check(Some(&with(json!({ "AWS": "*" })))).is_empty() && check(None).is_empty());
    }
}
