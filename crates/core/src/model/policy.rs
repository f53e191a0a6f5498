//! The canonical form of IAM policy documents.
//!
//! IAM treats a single value and a list of one alike, gives lists of actions, resources and principals no
//! order, and turns a bare account id as principal into that account's root ARN, which is in the account's partition;
//! everybody is `"*"` or `{ "AWS": "*" }`; a policy without a version is of the first one
//! (IAM User Guide, "Grammar of the IAM JSON policy language", "AWS JSON policy elements: Principal" and "Version").

use std::collections::BTreeMap;

use super::canonical::sort_key;
use super::value::Value;

/// What `change` makes of a value; of a secret, it still secret.
fn through(value: &Value, change: &dyn Fn(&Value) -> Value) -> Value {
    match value {
        Value::Secret(inner) => through(inner, change).into_secret(),
        other => change(other),
    }
}

/// A policy document with statements as a list, sets sorted, lists of one as their element. What is secret in it stays
/// so, in canonical form.
pub fn canonicalize(document: &Value) -> Value {
    through(document, &plain)
}

fn plain(document: &Value) -> Value {
    let Value::Map(map) = document else { return document.clone() };
    let mut out = BTreeMap::new();
    for (key, value) in map {
        let value = match key.as_str() {
            "Statement" => through(value, &statements),
            _ => value.clone(),
        };
        out.insert(key.clone(), value);
    }
    if out.contains_key("Statement") {
        out.entry("Version".to_owned()).or_insert_with(|| Value::String(FIRST_VERSION.to_owned()));
    }
    Value::Map(out)
}

/// The version of policies that say none.
const FIRST_VERSION: &str = "2008-10-17";

fn statements(value: &Value) -> Value {
    let canonical = |value: &Value| through(value, &statement);
    match value {
        Value::List(statements) => Value::List(statements.iter().map(canonical).collect()),
        Value::Map(_) => Value::List(vec![canonical(value)]),
        other => other.clone(),
    }
}

fn statement(value: &Value) -> Value {
    let Value::Map(map) = value else { return value.clone() };
    let mut out = BTreeMap::new();
    for (key, value) in map {
        let value = match key.as_str() {
            "Action" | "NotAction" | "Resource" | "NotResource" => through(value, &set),
            "Principal" | "NotPrincipal" => per_key(&everybody(value), &|value| set(&principals(value))),
            "Condition" => per_key(value, &|test| per_key(test, &|value| set(&texts(value)))),
            _ => value.clone(),
        };
        // IAM returns an empty Sid as none.
        if key == "Sid" && value.as_str() == Some("") {
            continue;
        }
        out.insert(key.clone(), value);
    }
    Value::Map(out)
}

fn per_key(value: &Value, change: &dyn Fn(&Value) -> Value) -> Value {
    match value {
        Value::Secret(inner) => per_key(inner, change).into_secret(),
        Value::Map(map) => Value::Map(map.iter().map(|(key, value)| (key.clone(), through(value, change))).collect()),
        other => other.clone(),
    }
}

/// A list of one as its element, a longer one sorted and without repetition.
fn set(value: &Value) -> Value {
    let Value::List(items) = value else { return value.clone() };
    let mut items = items.clone();
    items.sort_by_cached_key(sort_key);
    items.dedup();
    if let [single] = items.as_slice() { single.clone() } else { Value::List(items) }
}

/// Condition values are compared as text: `true` is `"true"`.
fn texts(value: &Value) -> Value {
    match value {
        Value::Secret(inner) => texts(inner).into_secret(),
        Value::Bool(flag) => Value::String(flag.to_string()),
        Value::Int(number) => Value::String(number.to_string()),
        Value::List(items) => Value::List(items.iter().map(texts).collect()),
        other => other.clone(),
    }
}

/// Whom `"*"` means, in the form that others have.
fn everybody(value: &Value) -> Value {
    match value {
        Value::Secret(inner) => everybody(inner).into_secret(),
        Value::String(text) if text == "*" => Value::Map(BTreeMap::from([("AWS".to_owned(), value.clone())])),
        other => other.clone(),
    }
}

/// The account whose root an ARN of whatever partition is.
fn account_of_root(arn: &str) -> Option<&str> {
    let (_, account) = arn.strip_prefix("arn:")?.split_once(":iam::")?;
    account.strip_suffix(":root").filter(|id| id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()))
}

fn principals(value: &Value) -> Value {
    match value {
        Value::Secret(inner) => principals(inner).into_secret(),
        Value::List(items) => Value::List(items.iter().map(principals).collect()),
        // The account alone says the same in every partition.
        Value::String(arn) => Value::String(account_of_root(arn).unwrap_or(arn).to_owned()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn equivalent_policies_have_one_form() {
        let a = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": ["b", "a"], "Resource": ["*"],
            "Principal": {"AWS": "123456789012"}, "Condition": {"Bool": {"aws:SecureTransport": false}}}});
        let b = json!({"Statement": [{"Action": ["a", "b"], "Resource": "*", "Effect": "Allow",
            "Principal": {"AWS": ["arn:aws:iam::123456789012:root"]},
            "Condition": {"Bool": {"aws:SecureTransport": ["false"]}}}], "Version": "2012-10-17"});
        assert_eq!(canonicalize(&Value::from(a)), canonicalize(&Value::from(b)));
    }

    fn same(one: serde_json::Value, other: serde_json::Value) -> bool {
        canonicalize(&Value::from(one)) == canonicalize(&Value::from(other))
    }

    #[test]
    fn a_policy_without_a_version_is_of_the_first() {
        let statement = json!([{"Effect": "Allow", "Action": "s3:GetObject"}]);
        assert!(same(json!({"Statement": statement}), json!({"Version": "2008-10-17", "Statement": statement})));
        assert!(!same(json!({"Statement": statement}), json!({"Version": "2012-10-17", "Statement": statement})));
        assert!(same(json!({}), json!({})) && !same(json!({}), json!({"Version": "2008-10-17"})));
    }

    #[test]
    fn an_account_is_the_same_principal_in_every_partition_and_everybody_is_everybody() {
        let with = |principal: serde_json::Value| json!({"Statement": [{"Principal": principal}]});
        for partition in ["aws", "aws-cn", "aws-us-gov"] {
            let root = format!("arn:{partition}:iam::123456789012:root");
            assert!(same(with(json!({"AWS": "123456789012"})), with(json!({"AWS": [root]}))), "{partition}");
        }
        assert!(!same(with(json!({"AWS": "123456789012"})), with(json!({"AWS": "arn:aws:iam::123456789012:role/root"}))));
        assert!(same(with(json!("*")), with(json!({"AWS": ["*"]}))));
        assert!(!same(with(json!("*")), with(json!({"Service": "*"}))));
    }

    #[test]
    fn a_policy_has_that_form_wherever_a_secret_is_in_it() {
        let plain = json!({"Statement": [{"Action": ["a", "b"], "Resource": ["*"], "Effect": "Allow",
            "Principal": {"AWS": ["123456789012"]}, "Condition": {"Bool": {"aws:SecureTransport": [false]}}}]});
        let form = canonicalize(&Value::from(plain.clone()));
        let places = [
            "",
            "/Statement",
            "/Statement/0",
            "/Statement/0/Action",
            "/Statement/0/Action/1",
            "/Statement/0/Resource",
            "/Statement/0/Resource/0",
            "/Statement/0/Principal",
            "/Statement/0/Principal/AWS",
            "/Statement/0/Principal/AWS/0",
            "/Statement/0/Condition",
            "/Statement/0/Condition/Bool/aws:SecureTransport/0",
        ];
        for place in places {
            let steps: Vec<&str> = place.split('/').skip(1).collect();
            let canonical = canonicalize(&with_secret(&Value::from(plain.clone()), &steps));
            assert_eq!(canonical, form, "{place}");
            assert!(canonical.has_secret(), "{place}");
        }
    }

    /// The value with what is at this place of it secret.
    fn with_secret(value: &Value, steps: &[&str]) -> Value {
        let Some((step, rest)) = steps.split_first() else { return value.clone().into_secret() };
        match value {
            Value::Map(map) => {
                let one =
                    |(key, value): (&String, &Value)| (key.clone(), if key == step { with_secret(value, rest) } else { value.clone() });
                Value::Map(map.iter().map(one).collect())
            }
            Value::List(items) => {
                let one = |(index, item): (usize, &Value)| if index.to_string() == *step { with_secret(item, rest) } else { item.clone() };
                Value::List(items.iter().enumerate().map(one).collect())
            }
            other => other.clone(),
        }
    }
}
