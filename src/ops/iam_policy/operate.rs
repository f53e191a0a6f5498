//! What operating a stack takes of IAM beyond planning it: the calls of `src/ops` and of the commands on it, for each
//! kind of resource that they are about. What scaling and redeploying change goes through the engine, as in an apply, but only there.
//!
//! Which action is limited to what is in AWS's Service Authorization Reference, and what an image's push calls in the
//! Amazon ECR User Guide, "IAM permissions for pushing an image".

use crate::ops::kind::Kind;
use leoctl_aws::permissions::{Grant, On};

const TASKS: &str = "arn:{partition}:ecs:{region}:{account}:task/{cluster after cluster/}/*";

/// What operating a resource of a type takes; nothing for one that no command is about.
pub fn grants(type_name: &str) -> &'static [Grant] {
    Kind::of_type(type_name).map_or(&[], of)
}

/// What operating takes. There is no arm for the rest, so that a kind that is new says what commands take of it.
fn of(kind: Kind) -> &'static [Grant] {
    match kind {
        Kind::Cluster => CLUSTER,
        Kind::LogGroup => LOG_GROUP,
        Kind::Repository => REPOSITORY,
        Kind::ScalableTarget => SCALABLE_TARGET,
        Kind::Secret => SECRET,
        Kind::Service => SERVICE,
        Kind::TargetGroup => TARGET_GROUP,
        Kind::TaskDefinition => TASK_DEFINITION,
        // They are only looked at, as a plan does.
        Kind::Alarm | Kind::Certificate | Kind::Listener | Kind::Subnet => &[],
    }
}

const SCALABLE_TARGET: &[Grant] = &[Grant::any(&["application-autoscaling:RegisterScalableTarget"])];

const TARGET_GROUP: &[Grant] = &[Grant::any(&["elasticloadbalancing:DescribeTargetHealth"])];

const LOG_GROUP: &[Grant] = &[Grant::on(
    &["logs:FilterLogEvents", "logs:GetLogEvents", "logs:StartLiveTail"],
    &["arn:{partition}:logs:{region}:{account}:log-group:{name}", "arn:{partition}:logs:{region}:{account}:log-group:{name}:*"],
)];

const REPOSITORY: &[Grant] = &[
    Grant::any(&["ecr:GetAuthorizationToken"]),
    Grant::itself(&[
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:CompleteLayerUpload",
        "ecr:GetDownloadUrlForLayer",
        "ecr:InitiateLayerUpload",
        "ecr:PutImage",
        "ecr:UploadLayerPart",
    ]),
];

const CLUSTER: &[Grant] = &[
    Grant { actions: &["ecs:ListTasks"], on: On::Cluster("name"), when: None },
    Grant::on(&["ecs:DescribeTasks", "ecs:StopTask"], &["arn:{partition}:ecs:{region}:{account}:task/{name}/*"]),
    Grant::on(
        &["ecs:ExecuteCommand"],
        &["arn:{partition}:ecs:{region}:{account}:cluster/{name}", "arn:{partition}:ecs:{region}:{account}:task/{name}/*"],
    ),
    Grant::key("execute_command.kms_key_id", &["kms:GenerateDataKey"]),
    Grant::any(&["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"]),
];

const SERVICE: &[Grant] = &[
    Grant { actions: &["ecs:ListTasks"], on: On::Cluster("cluster"), when: None },
    Grant::on(&["ecs:DescribeTasks", "ecs:StopTask"], &[TASKS]),
    Grant::on(&["ecs:ExecuteCommand"], &["arn:{partition}:ecs:{region}:{account}:cluster/{cluster after cluster/}", TASKS]),
    Grant::itself(&["ecs:DescribeServiceDeployments", "ecs:ListServiceDeployments", "ecs:UpdateService"]),
    Grant::on(
        &["ecs:DescribeServiceDeployments"],
        &["arn:{partition}:ecs:{region}:{account}:service-deployment/{cluster after cluster/}/{name}/*"],
    ),
    Grant::any(&["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"]),
    // The target groups that it registers tasks in may be another stack's.
    Grant::any(&["elasticloadbalancing:DescribeTargetHealth"]).when("load_balancers"),
];

const TASK_DEFINITION: &[Grant] = &[
    Grant::any(&["ecs:DeregisterTaskDefinition"]),
    Grant::itself(&["ecs:RegisterTaskDefinition", "ecs:RunTask", "ecs:TagResource"]),
    Grant::pass("execution_role_arn", "ecs-tasks.amazonaws.com"),
    Grant::pass("task_role_arn", "ecs-tasks.amazonaws.com"),
];

const SECRET: &[Grant] = &[
    Grant::itself(&["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]),
    Grant::key("kms_key_id", &["kms:Decrypt", "kms:GenerateDataKey"]),
];
