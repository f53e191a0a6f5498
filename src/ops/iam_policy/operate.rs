//! What operating a stack takes of IAM beyond planning it: the calls of `src/ops` and of the commands on it, for each
//! type of resource. What scaling and redeploying change goes through the engine, as in an apply, but only there.
//!
//! Which action is limited to what is in AWS's Service Authorization Reference, and what an image's push calls in the
//! Amazon ECR User Guide, "IAM permissions for pushing an image".

use leoctl_aws::permissions::{Grant, On};

const TASKS: &str = "arn:{partition}:ecs:{region}:{account}:task/{cluster after cluster/}/*";

/// What operating a resource of a type takes.
pub fn grants(type_name: &str) -> &'static [Grant] {
    match type_name {
        "appautoscaling_target" => SCALABLE_TARGET,
        "cloudwatch_log_group" => LOG_GROUP,
        "ecr_repository" => REPOSITORY,
        "ecs_cluster" => CLUSTER,
        "ecs_service" => SERVICE,
        "ecs_task_definition" => TASK_DEFINITION,
        "lb_target_group" => TARGET_GROUP,
        "secretsmanager_secret" => SECRET,
        _ => &[],
    }
}

const SCALABLE_TARGET: &[Grant] = &[Grant::any(&["application-autoscaling:RegisterScalableTarget"])];

const TARGET_GROUP: &[Grant] = &[Grant::any(&["elasticloadbalancing:DescribeTargetHealth"])];

const LOG_GROUP: &[Grant] = &[Grant::on(
    &["logs:FilterLogEvents", "logs:StartLiveTail"],
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
