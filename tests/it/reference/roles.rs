//! What the tasks may do: exactly that, and through nothing but their own role.

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::storage::BUCKET;
use crate::support::live::{Live, sorted};

const EXECUTION: &str = "leo-task-execution";
const ORCHESTRATOR: &str = "leo-orchestrator-task";
const GENERATOR: &str = "leo-generator-task";

pub async fn holds(live: &Live) {
    for (role, allowed) in [(EXECUTION, execution()), (ORCHESTRATOR, orchestrator()), (GENERATOR, generator())] {
        is_for_tasks(live, role).await;
        may(live, role, allowed).await;
    }
}

/// The ARN of a role.
pub fn arn(role: &str) -> String {
    format!("arn:aws:iam::123456789012:role/{role}")
}

/// Only ECS can hand the role to a task.
async fn is_for_tasks(live: &Live, role: &str) {
    let found = live.iam.get_role().role_name(role).send().await.unwrap();
    let found = found.role().unwrap();
    assert_eq!(found.arn(), arn(role));
    let expected = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": ["sts:AssumeRole"], "Principal": { "Service": "ecs-tasks.amazonaws.com" } }],
    });
    assert_eq!(policy(found.assume_role_policy_document().unwrap()), expected, "{role}");
}

/// The role's one policy, which stands inside it, allows this and nothing else.
async fn may(live: &Live, role: &str, allowed: Value) {
    let attached = live.iam.list_attached_role_policies().role_name(role).send().await.unwrap();
    assert_eq!(attached.attached_policies(), [], "{role}");
    let inline = live.iam.list_role_policies().role_name(role).send().await.unwrap();
    let [name] = inline.policy_names() else { panic!("{role} has not one policy: {inline:?}") };
    let found = live.iam.get_role_policy().role_name(role).policy_name(name).send().await.unwrap();
    assert_eq!(policy(found.policy_document()), json!({ "Version": "2012-10-17", "Statement": allowed }), "{role}");
}

/// ECS itself: pull the images, write the logs, read the secrets that containers start with.
fn execution() -> Value {
    json!([
        {
            "Effect": "Allow",
            "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            "Resource": [
                "arn:aws:ecr:us-east-1:123456789012:repository/leo",
                "arn:aws:ecr:us-east-1:123456789012:repository/leo-saas-app",
            ],
        },
        { "Effect": "Allow", "Action": ["ecr:GetAuthorizationToken"], "Resource": ["*"] },
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            // A log group's ARN in CloudFormation ends so: its streams are meant.
            "Resource": [
                "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/leo-saas-app:*",
                "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/leo:*",
            ],
        },
        {
            "Effect": "Allow",
            "Action": ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
            "Resource": [
                "arn:aws:secretsmanager:us-east-1:123456789012:secret:leo-saas/claude-oauth-token-??????",
                "arn:aws:secretsmanager:us-east-1:123456789012:secret:leo-saas/database-url-??????",
                "arn:aws:secretsmanager:us-east-1:123456789012:secret:leo-saas/fly-api-token-??????",
                "arn:aws:secretsmanager:us-east-1:123456789012:secret:leo-saas/github-bot-token-??????",
                "arn:aws:secretsmanager:us-east-1:123456789012:secret:leo-saas/supabase-anon-key-??????",
                "arn:aws:secretsmanager:us-east-1:123456789012:secret:leo-saas/supabase-service-role-key-??????",
                "arn:aws:secretsmanager:us-east-1:123456789012:secret:leo-saas/supabase-url-??????",
            ],
        },
    ])
}

/// The orchestrator: run, watch and stop tasks in its own cluster, hand them their two roles, read and write the
/// bucket, read the platform's secrets.
fn orchestrator() -> Value {
    json!([
        {
            "Effect": "Allow",
            "Action": ["ecs:DescribeTasks", "ecs:RunTask", "ecs:StopTask"],
            "Resource": ["*"],
            "Condition": { "ArnEquals": { "ecs:cluster": "arn:aws:ecs:us-east-1:123456789012:cluster/leo-saas-cluster" } },
        },
        {
            "Effect": "Allow",
            "Action": ["iam:PassRole"],
            "Resource": [arn(GENERATOR), arn(EXECUTION)],
            "Condition": { "StringEquals": { "iam:PassedToService": "ecs-tasks.amazonaws.com" } },
        },
        {
            "Effect": "Allow",
            "Action": [
                "s3:Abort*",
                "s3:DeleteObject*",
                "s3:GetBucket*",
                "s3:GetObject*",
                "s3:List*",
                "s3:PutObject",
                "s3:PutObjectLegalHold",
                "s3:PutObjectRetention",
                "s3:PutObjectTagging",
                "s3:PutObjectVersionTagging",
            ],
            "Resource": bucket(),
        },
        {
            "Effect": "Allow",
            "Action": ["secretsmanager:GetSecretValue"],
            "Resource": ["arn:aws:secretsmanager:us-east-1:123456789012:secret:leo-saas/*"],
        },
    ])
}

/// A generator: write the bucket, never read it, and read the one secret it works with.
fn generator() -> Value {
    json!([
        {
            "Effect": "Allow",
            "Action": [
                "s3:Abort*",
                "s3:DeleteObject*",
                "s3:PutObject",
                "s3:PutObjectLegalHold",
                "s3:PutObjectRetention",
                "s3:PutObjectTagging",
                "s3:PutObjectVersionTagging",
            ],
            "Resource": bucket(),
        },
        {
            "Effect": "Allow",
            "Action": ["secretsmanager:GetSecretValue"],
            "Resource": ["arn:aws:secretsmanager:us-east-1:123456789012:secret:leo-saas/claude-oauth-token-??????"],
        },
    ])
}

fn bucket() -> Value {
    json!([format!("arn:aws:s3:::{BUCKET}"), format!("arn:aws:s3:::{BUCKET}/*")])
}

/// A policy document, which IAM hands out percent-encoded, with the lists that AWS does not order in order.
pub fn policy(text: &str) -> Value {
    let mut document: Value = serde_json::from_str(&percent_decode_str(text).decode_utf8().unwrap()).unwrap();
    for statement in document["Statement"].as_array_mut().unwrap() {
        for key in ["Action", "Resource"] {
            if let Some(list) = statement.get_mut(key) {
                *list = in_order(list);
            }
        }
    }
    document
}

/// One string or several, as a list in order.
fn in_order(list: &Value) -> Value {
    let entries = list.as_array().map_or(std::slice::from_ref(list), Vec::as_slice);
    json!(sorted(entries.iter().map(|entry| entry.as_str().unwrap())))
}

pub async fn are_gone(live: &Live) {
    for role in [EXECUTION, ORCHESTRATOR, GENERATOR] {
        let answer = live.iam.get_role().role_name(role).send().await;
        assert!(answer.unwrap_err().into_service_error().is_no_such_entity_exception(), "{role} is left");
    }
}
