//! The policy of a file system, and what EFS makes of it.

use serde_json::Value as Json;

use crate::document::Policy;
use leoctl_core::model::value::Value;

/// The `Id` that EFS gives a policy without (EFS API Reference, PutFileSystemPolicy, the example).
const FILLED_ID: &str = "1";
/// What a `Sid` begins with that EFS gives a statement without (EFS API Reference, PutFileSystemPolicy, the example).
const FILLED_SID: &str = "efs-statement-";

/// A policy without what EFS fills in where a user says nothing. A statement is then about this very file system
/// (CDK writes one without `Resource`).
pub fn without_filled_in(Policy(mut document): Policy, arn: &str) -> Policy {
    let own = |resource: &Json| match resource {
        Json::Array(all) => matches!(all.as_slice(), [Json::String(only)] if only == arn),
        resource => resource.as_str() == Some(arn),
    };
    if let Some(policy) = document.as_object_mut().filter(|policy| policy.get("Id").and_then(Json::as_str) == Some(FILLED_ID)) {
        policy.remove("Id");
    }
    let statements = match document.get_mut("Statement") {
        Some(Json::Array(statements)) => statements.as_mut_slice(),
        Some(single) => std::slice::from_mut(single),
        None => &mut [],
    };
    for statement in statements.iter_mut().filter_map(Json::as_object_mut) {
        if statement.get("Resource").is_some_and(own) {
            statement.remove("Resource");
        }
        if statement.get("Sid").and_then(Json::as_str).is_some_and(|sid| sid.starts_with(FILLED_SID)) {
            statement.remove("Sid");
        }
    }
    Policy(document)
}

fn statements(policy: &Value) -> &[Value] {
    let statements = policy.get("Statement");
    statements.and_then(Value::as_list).or(statements.map(std::slice::from_ref)).unwrap_or_default()
}

/// Whether a statement of a policy names a file system, which can only be its own: EFS takes no other.
pub fn names_file_system(policy: &Value) -> bool {
    let names = |resource: &Value| resource.as_str().is_some_and(|arn| arn.contains(":file-system/"));
    let own = |resource: &Value| match resource.as_list() {
        Some([only]) => names(only),
        _ => names(resource),
    };
    statements(policy).iter().filter_map(|statement| statement.get("Resource")).any(own)
}

/// Whether a policy says what `without_filled_in` takes away.
pub fn says_filled_in(policy: &Value) -> bool {
    let statements = statements(policy);
    let sid = |statement: &Value| statement.get("Sid").and_then(Value::as_str).is_some_and(|sid| sid.starts_with(FILLED_SID));
    policy.get("Id").and_then(Value::as_str) == Some(FILLED_ID) || statements.iter().any(sid)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_efs_fills_in_is_not_the_users() {
        let arn = "arn:aws:elasticfilesystem:us-east-1:123456789012:file-system/fs-1";
        let filled =
            json!({ "Statement": [{ "Effect": "Allow", "Resource": arn }, { "Effect": "Deny", "Resource": [arn] }, { "Resource": "*" }] });
        let own = json!({ "Statement": [{ "Effect": "Allow" }, { "Effect": "Deny" }, { "Resource": "*" }] });
        assert_eq!(without_filled_in(Policy(filled), arn), Policy(own.clone()));
        assert_eq!(without_filled_in(Policy(own.clone()), arn), Policy(own));
        let single = json!({ "Id": "1", "Statement": { "Sid": "efs-statement-0", "Effect": "Allow", "Resource": arn } });
        assert_eq!(without_filled_in(Policy(single), arn), Policy(json!({ "Statement": { "Effect": "Allow" } })));
    }
}
