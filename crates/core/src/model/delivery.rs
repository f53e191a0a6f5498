//! The canonical form of SNS's delivery policies.
//!
//! SNS adds to what was written: nulls, counts of zero and switches that are off, each of which is what leaving it out
//! means (SNS Developer Guide, "Amazon SNS message delivery retries").

use std::collections::BTreeMap;

use super::value::Value;

/// Counts of retries that are zero, and switches that are off, when nobody says otherwise. No retries at all (`numRetries`)
/// is no default.
const NOTHING: [&str; 5] = ["numNoDelayRetries", "numMinDelayRetries", "numMaxDelayRetries", "guaranteed", "disableSubscriptionOverrides"];

/// A policy without what says nothing.
pub fn canonicalize(value: &Value) -> Value {
    match value {
        Value::Secret(inner) => canonicalize(inner).into_secret(),
        Value::Map(map) => {
            let said: BTreeMap<_, _> = map.iter().map(|(key, value)| (key.clone(), canonicalize(value))).collect();
            Value::Map(said.into_iter().filter(|(key, value)| !says_nothing(key, value.revealed())).collect())
        }
        other => other.clone(),
    }
}

fn says_nothing(key: &str, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Map(map) => map.is_empty(),
        Value::Bool(false) | Value::Int(0) => NOTHING.contains(&key),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_sns_adds_is_no_difference() {
        let written = json!({ "healthyRetryPolicy": { "numRetries": 5, "minDelayTarget": 10, "maxDelayTarget": 30 } });
        let returned = json!({
            "healthyRetryPolicy": { "numRetries": 5, "minDelayTarget": 10, "maxDelayTarget": 30, "numNoDelayRetries": 0,
                "numMinDelayRetries": 0, "numMaxDelayRetries": null, "backoffFunction": null },
            "sicklyRetryPolicy": null, "throttlePolicy": { "maxReceivesPerSecond": null }, "guaranteed": false,
        });
        let canonical = |json| canonicalize(&Value::from(json));
        assert_eq!(canonical(written.clone()), canonical(returned));
        let never = json!({ "healthyRetryPolicy": { "numRetries": 0 } });
        assert_ne!(canonical(never), canonical(json!({})));
        // The form the console writes.
        assert_eq!(canonical(json!({ "http": { "disableSubscriptionOverrides": false } })), canonical(json!({})));
        let mut console = written.clone();
        console["guaranteed"] = json!(false);
        console["throttlePolicy"] = json!(null);
        assert_eq!(canonical(console), canonical(written));
    }
}
