//! What follows the load, the clock and other services; keys and parameters.

use super::Case;
use crate::gaps::Gap;
use crate::support::emulator::Emulator;

const SERVICE: &str = r#"
[resource.ecs_service.n]
name = "NAME-n"
cluster = "${ecs_cluster.n.arn}"
task_definition = "${ecs_task_definition.n.arn}"
launch_type = "FARGATE"
rollout = "none"
network_configuration = { subnets = ["${subnet.a.id}"], security_groups = ["${security_group.n.id}"] }
"#;

const SCALABLE: &str = r#"
[resource.appautoscaling_target.n]
service_namespace = "ecs"
resource_id = "service/${ecs_cluster.n.name}/${ecs_service.n.name}"
scalable_dimension = "ecs:service:DesiredCount"
min_capacity = 1
max_capacity = 4
"#;

const SCHEDULER_ROLE: &str = r#"
[resource.iam_role.s]
name = "NAME-s"
assume_role_policy = { Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "scheduler.amazonaws.com" } }] }
"#;

const NAMESPACE: &str = r#"
[resource.service_discovery_private_dns_namespace.n]
name = "NAME.internal"
vpc = "${vpc.n.id}"
"#;

const KEYS: &str = r#"
[resource.kms_key.n]
deletion_window_in_days = 7
[resource.kms_key.m]
deletion_window_in_days = 7
"#;

pub const NEEDS: &[(&str, &str)] =
    &[("service", SERVICE), ("scalable", SCALABLE), ("scheduler-role", SCHEDULER_ROLE), ("namespace", NAMESPACE), ("keys", KEYS)];

pub const CASES: &[Case] = &[
    Case {
        type_name: "appautoscaling_target",
        needs: "network+tasks+service",
        least: "service_namespace = \"ecs\"\nresource_id = \"service/${ecs_cluster.n.name}/${ecs_service.n.name}\"\nscalable_dimension = \"ecs:service:DesiredCount\"\nmin_capacity = 1\nmax_capacity = 4",
        optional: &[
            "suspended_state = { dynamic_scaling_in_suspended = true, scheduled_scaling_suspended = true }",
            "suspended_state = { dynamic_scaling_out_suspended = true }",
            "tags = { a = \"b\" }",
        ],
        changed: &[("min_capacity = 1", "min_capacity = 2"), ("max_capacity = 4", "max_capacity = 8")],
    },
    Case {
        type_name: "appautoscaling_policy",
        needs: "network+tasks+service+scalable",
        least: "name = \"NAME cpu\"\npolicy_type = \"TargetTrackingScaling\"\nservice_namespace = \"${appautoscaling_target.n.service_namespace}\"\nresource_id = \"${appautoscaling_target.n.resource_id}\"\nscalable_dimension = \"${appautoscaling_target.n.scalable_dimension}\"\ntarget_tracking_scaling_policy_configuration = { target_value = 60.5, predefined_metric_specification = { predefined_metric_type = \"ECSServiceAverageCPUUtilization\" } }",
        optional: &[],
        changed: &[
            ("target_value = 60.5", "target_value = 70"),
            ("target_value = 60.5", "disable_scale_in = true, scale_in_cooldown = 60, scale_out_cooldown = 30, target_value = 60.5"),
            (
                "{ predefined_metric_type = \"ECSServiceAverageCPUUtilization\" }",
                "{ predefined_metric_type = \"ALBRequestCountPerTarget\", resource_label = \"app/x/0123456789abcdef/targetgroup/x/0123456789abcdef\" }",
            ),
            (
                "predefined_metric_specification = { predefined_metric_type = \"ECSServiceAverageCPUUtilization\" }",
                "customized_metric_specification = { metric_name = \"Depth\", namespace = \"Leo\", statistic = \"Average\", unit = \"Count\", dimensions = [{ name = \"Queue\", value = \"q\" }] }",
            ),
            (
                "predefined_metric_specification = { predefined_metric_type = \"ECSServiceAverageCPUUtilization\" }",
                "customized_metric_specification = { metrics = [{ id = \"m1\", return_data = false, metric_stat = { metric_name = \"Depth\", namespace = \"Leo\", stat = \"Sum\", unit = \"Count\", dimensions = [{ name = \"Queue\", value = \"q\" }] } }, { id = \"e1\", expression = \"m1 / 2\", label = \"half\" }] }",
            ),
        ],
    },
    Case {
        type_name: "appautoscaling_policy",
        needs: "network+tasks+service+scalable",
        least: "name = \"NAME steps\"\npolicy_type = \"StepScaling\"\nservice_namespace = \"${appautoscaling_target.n.service_namespace}\"\nresource_id = \"${appautoscaling_target.n.resource_id}\"\nscalable_dimension = \"${appautoscaling_target.n.scalable_dimension}\"\nstep_scaling_policy_configuration = { adjustment_type = \"ChangeInCapacity\", step_adjustments = [{ metric_interval_lower_bound = 0, metric_interval_upper_bound = 10, scaling_adjustment = 1 }, { metric_interval_lower_bound = 10, scaling_adjustment = 2 }] }",
        optional: &[],
        changed: &[
            ("scaling_adjustment = 2", "scaling_adjustment = 3"),
            (
                "adjustment_type = \"ChangeInCapacity\"",
                "adjustment_type = \"PercentChangeInCapacity\", min_adjustment_magnitude = 2, cooldown = 60, metric_aggregation_type = \"Maximum\"",
            ),
        ],
    },
    Case {
        type_name: "appautoscaling_policy",
        needs: "network+tasks+service+scalable",
        least: "name = \"NAME ahead\"\npolicy_type = \"PredictiveScaling\"\nservice_namespace = \"${appautoscaling_target.n.service_namespace}\"\nresource_id = \"${appautoscaling_target.n.resource_id}\"\nscalable_dimension = \"${appautoscaling_target.n.scalable_dimension}\"\npredictive_scaling_policy_configuration = { metric_specifications = [{ target_value = 60, predefined_metric_pair_specification = { predefined_metric_type = \"ECSServiceCPUUtilization\" } }] }",
        optional: &[],
        changed: &[
            ("{ metric_specifications", "{ mode = \"ForecastAndScale\", scheduling_buffer_time = 60, metric_specifications"),
            (
                "{ metric_specifications",
                "{ max_capacity_breach_behavior = \"IncreaseMaxCapacity\", max_capacity_buffer = 10, metric_specifications",
            ),
        ],
    },
    Case {
        type_name: "appautoscaling_scheduled_action",
        needs: "network+tasks+service+scalable",
        least: "name = \"NAME night\"\nschedule = \"cron(0 22 * * ? *)\"\nservice_namespace = \"${appautoscaling_target.n.service_namespace}\"\nresource_id = \"${appautoscaling_target.n.resource_id}\"\nscalable_dimension = \"${appautoscaling_target.n.scalable_dimension}\"\nscalable_target_action = { min_capacity = 0 }",
        optional: &["timezone = \"Europe/Berlin\"", "start_time = \"2035-01-01T00:00:00Z\"\nend_time = \"2036-01-01T00:00:00Z\""],
        changed: &[
            ("cron(0 22 * * ? *)", "at(2035-01-01T00:00:00)"),
            ("cron(0 22 * * ? *)", "rate(12 hours)"),
            ("min_capacity = 0", "min_capacity = 2, max_capacity = 3"),
        ],
    },
    Case {
        type_name: "scheduler_schedule",
        needs: "network+tasks+scheduler-role",
        least: "name = \"NAME-x\"\nschedule_expression = \"rate(5 minutes)\"\ntarget = { arn = \"arn:aws:sqs:us-east-1:123456789012:q\", role_arn = \"${iam_role.s.arn}\" }",
        optional: &[
            "schedule_expression_timezone = \"Europe/Berlin\"",
            "start_date = \"2035-01-01T00:00:00Z\"\nend_date = \"2036-01-01T00:00:00Z\"",
            "flexible_time_window = { mode = \"FLEXIBLE\", maximum_window_in_minutes = 15 }",
            "state = \"DISABLED\"",
            "description = \"every five minutes\"",
            "kms_key_arn = \"KEY\"",
            "action_after_completion = \"DELETE\"",
        ],
        changed: &[
            ("rate(5 minutes)", "cron(0 3 * * ? *)"),
            (
                "target = { ",
                "target = { input = \"{ \\\"a\\\": 1 }\", retry_policy = { maximum_event_age_in_seconds = 60, maximum_retry_attempts = 2 }, dead_letter_config = { arn = \"arn:aws:sqs:us-east-1:123456789012:dead\" }, ",
            ),
            (
                "target = { arn = \"arn:aws:sqs:us-east-1:123456789012:q\"",
                "target = { arn = \"arn:aws:sqs:us-east-1:123456789012:q.fifo\", sqs_parameters = { message_group_id = \"g\" }",
            ),
            (
                "target = { arn = \"arn:aws:sqs:us-east-1:123456789012:q\"",
                "target = { arn = \"arn:aws:events:us-east-1:123456789012:event-bus/b\", input = \"{}\", event_bridge_parameters = { detail_type = \"d\", source = \"s\" }",
            ),
            (
                "target = { arn = \"arn:aws:sqs:us-east-1:123456789012:q\"",
                "target = { arn = \"arn:aws:kinesis:us-east-1:123456789012:stream/s\", kinesis_parameters = { partition_key = \"k\" }",
            ),
            (
                "target = { arn = \"arn:aws:sqs:us-east-1:123456789012:q\"",
                "target = { arn = \"arn:aws:sagemaker:us-east-1:123456789012:pipeline/p\", sage_maker_pipeline_parameters = { a = \"b\" }",
            ),
            (
                "target = { arn = \"arn:aws:sqs:us-east-1:123456789012:q\"",
                "target = { arn = \"${ecs_cluster.n.arn}\", ecs_parameters = { task_definition_arn = \"${ecs_task_definition.n.arn}\", launch_type = \"FARGATE\", task_count = 2, platform_version = \"1.4.0\", group = \"g\", enable_ecs_managed_tags = true, enable_execute_command = true, propagate_tags = \"TASK_DEFINITION\", reference_id = \"r\", network_configuration = { subnets = [\"${subnet.a.id}\"], security_groups = [\"${security_group.n.id}\"], assign_public_ip = \"ENABLED\" } }",
            ),
            (
                "target = { arn = \"arn:aws:sqs:us-east-1:123456789012:q\"",
                "target = { arn = \"${ecs_cluster.n.arn}\", ecs_parameters = { task_definition_arn = \"${ecs_task_definition.n.arn}\", capacity_provider_strategy = [{ capacity_provider = \"FARGATE_SPOT\", weight = 1, base = 1 }], placement_constraints = [{ type = \"distinctInstance\" }], placement_strategy = [{ type = \"spread\", field = \"attribute:ecs.availability-zone\" }], tags = { team = \"web\" } }",
            ),
        ],
    },
    Case {
        type_name: "service_discovery_private_dns_namespace",
        needs: "network",
        least: "name = \"NAME.local\"\nvpc = \"${vpc.n.id}\"",
        optional: &["description = \"of tests\"", "soa_ttl = 60", "tags = { a = \"b\" }"],
        changed: &[],
    },
    Case {
        type_name: "service_discovery_service",
        needs: "network+namespace",
        least: "name = \"NAME-x\"\nnamespace_id = \"${service_discovery_private_dns_namespace.n.id}\"\ndns_config = { dns_records = [{ type = \"A\", ttl = 10 }] }",
        optional: &["description = \"web\"", "health_check_custom_config = {}", "tags = { a = \"b\" }"],
        changed: &[
            ("ttl = 10", "ttl = 60"),
            ("{ type = \"A\", ttl = 10 }", "{ type = \"SRV\", ttl = 10 }"),
            ("dns_config = { ", "dns_config = { routing_policy = \"WEIGHTED\", "),
            ("dns_config = { dns_records = [{ type = \"A\", ttl = 10 }] }", "type = \"HTTP\""),
        ],
    },
    // No emulator removes a check that UpdateService leaves out, as the Cloud Map API Reference does.
    Case {
        type_name: "service_discovery_service",
        needs: "network+namespace",
        least: "name = \"NAME-y\"\nnamespace_id = \"${service_discovery_private_dns_namespace.n.id}\"\ndns_config = { dns_records = [{ type = \"A\", ttl = 10 }] }\nhealth_check_config = { type = \"HTTPS\", resource_path = \"/up\", failure_threshold = 3 }",
        optional: &[],
        changed: &[("failure_threshold = 3", "failure_threshold = 5"), ("resource_path = \"/up\"", "resource_path = \"/health\"")],
    },
    Case {
        type_name: "iam_openid_connect_provider",
        needs: "",
        least: "url = \"https://NAME.example.com\"\nthumbprint_list = [\"6938fd4d98bab03faadb97b34396831e3780aea1\"]",
        optional: &["client_id_list = [\"sts.amazonaws.com\", \"another\"]", "tags = { a = \"b\" }"],
        changed: &[("aea1\"]", "aea1\", \"1c58a3a8518e8759bf075b76b750d4f2df264fcd\"]")],
    },
    Case {
        type_name: "kms_key",
        needs: "",
        least: "deletion_window_in_days = 7",
        optional: &[
            "description = \"of tests\"",
            "enable_key_rotation = true\nrotation_period_in_days = 180",
            "enable_key_rotation = true",
            "is_enabled = false",
            "multi_region = true",
            "key_usage = \"SIGN_VERIFY\"\nkey_spec = \"ECC_NIST_P256\"",
            "policy = { Version = \"2012-10-17\", Statement = [{ Sid = \"all\", Effect = \"Allow\", Principal = { AWS = \"arn:aws:iam::123456789012:root\" }, Action = \"kms:*\", Resource = \"*\" }] }",
            "bypass_policy_lockout_safety_check = true",
            "tags = { a = \"b\" }",
        ],
        changed: &[("deletion_window_in_days = 7", "deletion_window_in_days = 8")],
    },
    Case {
        type_name: "kms_alias",
        needs: "keys",
        least: "name = \"alias/NAME-x\"\ntarget_key_id = \"${kms_key.n.id}\"",
        optional: &[],
        changed: &[("kms_key.n.id", "kms_key.m.id")],
    },
    Case {
        type_name: "ssm_parameter",
        needs: "",
        least: "name = \"/NAME/x\"\nvalue = \"one\"",
        optional: &[
            "description = \"of tests\"",
            "allowed_pattern = \"^[a-z]+$\"",
            "data_type = \"aws:ec2:image\"",
            "tags = { a = \"b\" }",
        ],
        changed: &[("value = \"one\"", "value = \"two\""), ("value = \"one\"", "type = \"StringList\"\nvalue = \"one,two\"")],
    },
    Case {
        type_name: "ssm_parameter",
        needs: "keys",
        least: "name = \"/NAME/secret\"\ntype = \"SecureString\"\nsecure_value = \"one\"",
        optional: &["description = \"of tests\"", "key_id = \"${kms_key.n.id}\""],
        changed: &[("secure_value = \"one\"", "secure_value = \"two\"")],
    },
    // fakecloud refuses the empty policy by which policies are removed.
    Case {
        type_name: "ssm_parameter",
        needs: "",
        least: "name = \"/NAME/policies\"\nvalue = \"one\"\ntier = \"Advanced\"\npolicies = [{ Type = \"NoChangeNotification\", Version = \"1.0\", Attributes = { After = \"20\", Unit = \"Days\" } }]",
        optional: &["description = \"of tests\""],
        changed: &[("After = \"20\"", "After = \"15\"")],
    },
];

pub const GAPS: &[Gap] = &[
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "appautoscaling_target",
        attribute: "",
        evidence: "answers `Unsupported service: application-autoscaling`; AWS has it in every region",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "appautoscaling_policy",
        attribute: "",
        evidence: "answers `Unsupported service: application-autoscaling`; AWS has it in every region",
    },
    Gap {
        emulator: Emulator::Fakecloud,
        type_name: "appautoscaling_scheduled_action",
        attribute: "start_time",
        evidence: "PutScheduledAction without StartTime keeps the old one; by the Application Auto Scaling API Reference it is deleted",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "appautoscaling_scheduled_action",
        attribute: "",
        evidence: "answers `Unsupported service: application-autoscaling`; AWS has it in every region",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "appautoscaling_scheduled_action",
        attribute: "",
        evidence: "ListTagsForResource of the target it needs answers 500; it is in the Application Auto Scaling API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "appautoscaling_target",
        attribute: "",
        evidence: "ListTagsForResource answers 500; it is in the Application Auto Scaling API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "appautoscaling_policy",
        attribute: "",
        evidence: "ListTagsForResource of the target it needs answers 500; it is in the Application Auto Scaling API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "scheduler_schedule",
        attribute: "action_after_completion",
        evidence: "UpdateSchedule drops ActionAfterCompletion of the EventBridge Scheduler API Reference",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "service_discovery_service",
        attribute: "type = \"HTTP\"",
        evidence: "GetService lacks the Type of the Cloud Map API Reference of a service made with HTTP",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "iam_openid_connect_provider",
        attribute: "client_id_list",
        evidence: "AddClientIDToOpenIDConnectProvider is an unknown action; it is in the IAM API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "iam_openid_connect_provider",
        attribute: "client_id_list",
        evidence: "AddClientIDToOpenIDConnectProvider answers 500; it is in the IAM API Reference",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "iam_openid_connect_provider",
        attribute: "tags",
        evidence: "TagOpenIDConnectProvider is an unknown action; it is in the IAM API Reference",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "iam_openid_connect_provider",
        attribute: "1c58a3a8518e8759bf075b76b750d4f2df264fcd",
        evidence: "UpdateOpenIDConnectProviderThumbprint is an unknown action; it is in the IAM API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "kms_key",
        attribute: "rotation_period_in_days",
        evidence: "GetKeyRotationStatus lacks RotationPeriodInDays of the KMS API Reference",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "ssm_parameter",
        attribute: "policies",
        evidence: "DescribeParameters returns Policies as a text; it is a list in the Systems Manager API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "ssm_parameter",
        attribute: "policies",
        evidence: "DescribeParameters returns a PolicyText that is not JSON; it is in the Systems Manager API Reference",
    },
];
