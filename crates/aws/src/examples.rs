//! An example of each type of leoctl's own, and of each Cloud Control type that there is a file of knowledge about: its block first,
//! and all that it refers to. It is a module by itself, and can be put into a stack.

/// Looks up the examples of types by their files.
macro_rules! examples {
    (resources: $($resource:literal),*; data: $($data:literal),*) => {
        fn of_resource(name: &str) -> Option<&'static str> {
            match name {
                $($resource => Some(include_str!(concat!("../examples/", $resource, ".toml"))),)*
                _ => None,
            }
        }

        fn of_data(name: &str) -> Option<&'static str> {
            match name {
                $($data => Some(include_str!(concat!("../examples/data/", $data, ".toml"))),)*
                _ => None,
            }
        }
    };
}

/// The example of a type, by its name as `leoctl explain` takes it: `vpc`, `awscc_sqs_queue`, or `data.vpc`.
pub fn of(title: &str) -> Option<&'static str> {
    match title.strip_prefix("data.") {
        Some(name) => of_data(name),
        None => of_resource(title),
    }
}

examples! {
    resources:
        "acm_certificate", "acm_certificate_validation", "acm_imported_certificate", "appautoscaling_policy",
        "appautoscaling_scheduled_action", "appautoscaling_target", "awscc_apigateway_api_key",
        "awscc_apigatewayv2_api", "awscc_apigatewayv2_deployment", "awscc_autoscaling_auto_scaling_group",
        "awscc_cloudfront_distribution", "awscc_cloudfront_function", "awscc_cloudfront_origin_access_control",
        "awscc_cloudtrail_trail", "awscc_cloudwatch_composite_alarm", "awscc_codepipeline_pipeline",
        "awscc_cognito_user_pool", "awscc_cognito_user_pool_client", "awscc_dynamodb_table",
        "awscc_ec2_launch_template", "awscc_ec2_network_acl", "awscc_ec2_volume", "awscc_ecs_capacity_provider",
        "awscc_eks_cluster", "awscc_elasticache_replication_group", "awscc_elasticache_serverless_cache",
        "awscc_elasticache_subnet_group", "awscc_events_rule", "awscc_guardduty_detector", "awscc_kinesis_stream",
        "awscc_kinesisfirehose_delivery_stream", "awscc_lambda_event_source_mapping",
        "awscc_lambda_function", "awscc_lambda_permission",
        "awscc_logs_subscription_filter", "awscc_neptune_db_cluster", "awscc_opensearchservice_domain",
        "awscc_rds_db_cluster", "awscc_rds_db_cluster_parameter_group", "awscc_rds_db_instance",
        "awscc_rds_db_parameter_group", "awscc_rds_db_subnet_group", "awscc_secretsmanager_rotation_schedule",
        "awscc_ses_email_identity", "awscc_sqs_queue", "awscc_stepfunctions_state_machine", "awscc_wafv2_web_acl",
        "awscc_wafv2_web_acl_association", "backup_plan", "backup_selection", "backup_vault", "cloudwatch_dashboard",
        "cloudwatch_log_group", "cloudwatch_log_metric_filter", "cloudwatch_metric_alarm", "default_route_table",
        "default_security_group", "ecr_repository", "ecs_cluster", "ecs_service", "ecs_task_definition",
        "efs_access_point", "efs_file_system", "efs_mount_target", "egress_only_internet_gateway", "eip",
        "iam_instance_profile", "iam_openid_connect_provider", "iam_policy", "iam_role", "instance", "internet_gateway",
        "key_pair", "kms_alias", "kms_key", "lb", "lb_listener", "lb_listener_rule", "lb_target_group", "nat_gateway",
        "route53_record", "route53_zone", "route_table", "s3_bucket", "scheduler_schedule", "secretsmanager_secret",
        "security_group", "security_group_rule", "service_discovery_private_dns_namespace", "service_discovery_service",
        "sns_topic", "sns_topic_subscription", "ssm_parameter", "subnet", "vpc", "vpc_endpoint";
    data:
        "acm_certificate", "availability_zones", "awscc", "caller_identity", "cloudformation_stack", "ecr_image",
        "route53_zone", "secretsmanager_secret", "security_group", "ssm_parameter", "stack", "subnets",
        "terraform_state", "vpc"
}
