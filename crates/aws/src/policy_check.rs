//! What AWS refuses of a policy document (IAM User Guide, "Grammar of the IAM JSON policy language").

use std::collections::BTreeMap;

use crate::given::{Problem, problem};
use leoctl_core::model::schema::{DocumentKind, Type, TypeSchema};
use leoctl_core::model::value::Value;

/// An attribute that is a policy, or a table of policies by name.
pub struct Policies {
    name: String,
    by_name: bool,
}

/// The attributes of a type that are policies, or tables of them.
pub fn policies(schema: &TypeSchema) -> Vec<Policies> {
    let is_policy = |ty: &Type| matches!(ty, Type::Document(DocumentKind::Policy));
    let found = schema.attributes.iter().filter_map(|attribute| {
        let by_name = matches!(&attribute.ty, Type::Map { item, .. } if is_policy(item));
        (by_name || is_policy(&attribute.ty)).then(|| Policies { name: attribute.name.clone(), by_name })
    });
    found.collect()
}

/// What is wrong with these attributes of a resource, as far as they are known.
pub fn check(policies: &[Policies], resource: &Value) -> Vec<Problem> {
    let written = policies.iter().filter_map(|of| Some((of, resource.get(&of.name)?)));
    written
        .flat_map(|(of, value)| {
            let documents: Vec<&Value> =
                if of.by_name { value.as_map().into_iter().flat_map(BTreeMap::values).collect() } else { vec![value] };
            documents.into_iter().flat_map(problems).map(|what| problem(&of.name, what))
        })
        .collect()
}

/// What is wrong with a policy, which may be JSON text.
fn problems(policy: &Value) -> Vec<String> {
    let parsed = policy.as_str().and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok()).map(|json| Value::from(&json));
    let Value::Map(document) = parsed.as_ref().unwrap_or(policy) else { return Vec::new() };
    let mut problems = Vec::new();
    if let Some(Value::String(version)) = document.get("Version")
        && !matches!(version.as_str(), "2012-10-17" | "2008-10-17")
    {
        problems.push("the `Version` of a policy is that of its language: \"2012-10-17\"".to_owned());
    }
    match document.get("Statement") {
        Some(Value::List(statements)) => {
            problems.extend(statements.iter().enumerate().filter_map(|(index, one)| statement(one, &format!("statement {index}"))));
        }
        Some(one) => problems.extend(statement(one, "the statement")),
        None if document.is_empty() => {}
        None => problems.push("a policy has a `Statement`".to_owned()),
    }
    problems
}

fn statement(statement: &Value, which: &str) -> Option<String> {
    let map = statement.as_map()?;
    match map.get("Effect") {
        Some(Value::String(effect)) if !matches!(effect.as_str(), "Allow" | "Deny") => {
            return Some(format!("the `Effect` of {which} is \"Allow\" or \"Deny\", not \"{effect}\""));
        }
        None => return Some(format!("{which} has an `Effect`: \"Allow\" or \"Deny\"")),
        _ => {}
    }
    let actions: Vec<&Value> = ["Action", "NotAction"].iter().filter_map(|key| map.get(*key)).collect();
    let [actions] = actions.as_slice() else { return Some(format!("{which} has either an `Action` or a `NotAction`")) };
    let texts = match actions {
        Value::List(items) => items.as_slice(),
        one => std::slice::from_ref(*one),
    };
    let wrong = texts.iter().filter_map(Value::as_str).find(|text| !is_action(text))?;
    Some(format!("\"{wrong}\" of {which} is no action: it is written `service:Action`, such as `s3:GetObject`"))
}

fn is_action(text: &str) -> bool {
    let is_service = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let is_name = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '*' | '?' | '-'));
    text == "*" || text.split_once(':').is_some_and(|(service, name)| is_service(service) && is_name(name))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::{Policies, check, problems};
    use leoctl_core::model::value::Value;

    fn found(statement: Json) -> usize {
        problems(&Value::from(&json!({ "Version": "2012-10-17", "Statement": [statement] }))).len()
    }

    #[test]
    fn policies_by_name_may_be_tables_texts_and_not_known_yet() {
        let by_name = [Policies { name: "inline_policies".to_owned(), by_name: true }];
        let said = |policies: Json| check(&by_name, &Value::from(&json!({ "inline_policies": policies }))).len();
        let policy = json!({ "Statement": [{ "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*" }] });
        assert_eq!(said(json!({ "read": policy.to_string(), "Version": policy })), 0);
        assert_eq!(said(json!({ "read": "{\"Version\": \"2012-10-17\"}", "write": {} })), 1, "the text has no statement");
        let unknown = Value::Map([("read".to_owned(), Value::Unknown)].into());
        assert!(check(&by_name, &Value::Map([("inline_policies".to_owned(), unknown)].into())).is_empty());
    }

    #[test]
    fn a_statement_that_aws_refuses_is_found() {
        for right in [
            json!({ "Effect": "Allow", "Action": "*", "Resource": "*" }),
            json!({ "Effect": "Deny", "NotAction": ["s3:Get*", "ecr-public:GetAuthorizationToken"], "Resource": "*" }),
        ] {
            assert_eq!(found(right.clone()), 0, "{right}");
        }
        for wrong in [
            json!({ "Effect": "Permit", "Action": "s3:GetObject" }),
            json!({ "Action": "s3:GetObject" }),
            json!({ "Effect": "Allow" }),
            json!({ "Effect": "Allow", "Action": "s3:GetObject", "NotAction": "s3:PutObject" }),
            json!({ "Effect": "Allow", "Action": ["s3GetObject"] }),
            json!({ "Effect": "Allow", "Action": "s3.GetObject" }),
        ] {
            assert_eq!(found(wrong.clone()), 1, "{wrong}");
        }
        assert_eq!(problems(&Value::from(&json!({ "Version": "2024-01-01", "Statement": [] }))).len(), 1);
        assert_eq!(problems(&Value::from(&json!({ "Version": "2012-10-17" }))).len(), 1);
    }

    #[test]
    fn what_is_not_known_is_no_problem() {
        let mut document = Value::from(&json!({ "Statement": { "Effect": "Allow", "Action": "s3:*" } }));
        assert_eq!(problems(&document), Vec::<String>::new());
        if let Value::Map(map) = &mut document {
            map.insert("Statement".to_owned(), Value::Unknown);
        }
        assert_eq!(problems(&document), Vec::<String>::new());
    }
}
