//! Failures that may pass within minutes of what was just made: not all of AWS knows it yet.

use serde_json::{Map, Value as Json};

use super::kind::Kind;

/// What a role, a profile or a principal that is not known yet is refused with, depending on the service: as a wrong request, or
/// as one that is not allowed (IAM User Guide, "Changes that I make are not always immediately visible").
const OF_IAM: &[&str] = &["InvalidRequest", "AccessDenied"];

/// The codes after which a request for a resource of this model may succeed a little later.
pub fn codes<'k>(kind: &'k Kind, model: &Map<String, Json>) -> Vec<&'k str> {
    let of_iam = if refers_to_iam(kind, model) { OF_IAM } else { &[] };
    kind.knowledge.passes.iter().map(String::as_str).chain(of_iam.iter().copied()).collect()
}

/// Whether a model has the ARN of something in IAM; or names a role, or what has one, to a service that is handed it.
fn refers_to_iam(kind: &Kind, model: &Map<String, Json>) -> bool {
    let hands_over = kind.facts.changing().iter().any(|action| action == "iam:PassRole");
    model.iter().any(|(name, value)| is_of_iam(name, value, hands_over))
}

fn is_of_iam(name: &str, value: &Json, hands_over: bool) -> bool {
    match value {
        Json::String(text) => has_arn(text) || hands_over && names_role(name),
        Json::Array(items) => items.iter().any(|item| is_of_iam(name, item, hands_over)),
        Json::Object(map) => {
            let mut inner = map.iter();
            hands_over && names_role(name) || inner.any(|(name, value)| has_arn(name) || is_of_iam(name, value, hands_over))
        }
        _ => false,
    }
}

/// Whether a text has the ARN of something in IAM that somebody may just have made: not of an account as a whole, or of AWS's own.
fn has_arn(text: &str) -> bool {
    text.split(":iam::").skip(1).any(|rest| match rest.split_once(':') {
        Some((account, name)) => account != "aws" && !name.starts_with("root"),
        None => false,
    })
}

/// Whether a property is a role's name, or names something that has a role.
fn names_role(name: &str) -> bool {
    ["Role", "InstanceProfile", "LaunchTemplate", "LaunchConfiguration"].iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::codes;
    use crate::cloud_control;
    use leoctl_core::model::value::Value;

    fn passing(type_name: &str, written: Json) -> Vec<&'static str> {
        let kind = cloud_control::kind(type_name).unwrap();
        codes(kind, &kind.model(&Value::from(written)))
    }

    #[test]
    fn what_names_something_of_iam_may_be_early() {
        let role = "arn:aws:iam::123456789012:role/r";
        let policy =
            |principal: &str| json!({ "policy_document": { "Statement": [{ "Effect": "Allow", "Principal": { "AWS": principal } }] } });
        for (type_name, written) in [
            ("awscc_eks_nodegroup", json!({ "node_role": role })),
            ("awscc_pipes_pipe", json!({ "role_arn": role })),
            ("awscc_rds_db_instance", json!({ "monitoring_role_arn": role })),
            ("awscc_s3_bucket_policy", policy(role)),
            ("awscc_cloudtrail_trail", json!({ "cloudwatch_logs_role_arn": role })),
            // A profile stands in the template.
            ("awscc_autoscaling_auto_scaling_group", json!({ "launch_template": { "launch_template_id": "lt-1", "version": "1" } })),
            ("awscc_opensearchservice_domain", json!({ "access_policies": { "Statement": [{ "Principal": { "AWS": role } }] } })),
            // What Lambda is to read from is read with the role of the function.
            ("awscc_lambda_event_source_mapping", json!({ "function_name": "f" })),
            ("awscc_secretsmanager_rotation_schedule", json!({ "secret_id": "s" })),
        ] {
            let codes = passing(type_name, written);
            assert!(codes.contains(&"InvalidRequest") && codes.contains(&"AccessDenied"), "{type_name}: {codes:?}");
        }
    }

    #[test]
    fn what_has_nothing_of_iam_in_it_fails_at_once() {
        let policy =
            |principal: &str| json!({ "policy_document": { "Statement": [{ "Effect": "Allow", "Principal": { "AWS": principal } }] } });
        for (type_name, written) in [
            ("awscc_sqs_queue", json!({ "queue_name": "q" })),
            ("awscc_rds_db_instance", json!({ "db_instance_class": "db.t4g.micro" })),
            ("awscc_s3_bucket_policy", policy("arn:aws:iam::123456789012:root")),
            ("awscc_iam_group", json!({ "managed_policy_arns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"] })),
        ] {
            assert_eq!(passing(type_name, written), Vec::<&str>::new(), "{type_name}");
        }
    }
}
