//! Alarms, dashboards, notifications.

use super::Case;
use crate::gaps::Gap;
use crate::support::emulator::Emulator;

pub const NEEDS: &[(&str, &str)] =
    &[("topic", "[resource.sns_topic.n]\nname = \"NAME-n\"\n"), ("log-group", "[resource.cloudwatch_log_group.n]\nname = \"/NAME/n\"\n")];

pub const CASES: &[Case] = &[
    Case {
        type_name: "cloudwatch_metric_alarm",
        needs: "topic",
        least: "name = \"NAME-x\"\nmetric_name = \"CPUUtilization\"\nnamespace = \"AWS/ECS\"\nstatistic = \"Average\"\nperiod = 60\nevaluation_periods = 3\nthreshold = 80\ncomparison_operator = \"GreaterThanThreshold\"",
        optional: &[
            "alarm_description = \"busy\"",
            "dimensions = { ClusterName = \"c\", ServiceName = \"s\" }",
            "unit = \"Percent\"",
            "datapoints_to_alarm = 2",
            "treat_missing_data = \"breaching\"",
            "actions_enabled = false",
            "alarm_actions = [\"${sns_topic.n.arn}\"]",
            "ok_actions = [\"${sns_topic.n.arn}\"]",
            "insufficient_data_actions = [\"${sns_topic.n.arn}\"]",
            "tags = { a = \"b\" }",
        ],
        changed: &[
            ("threshold = 80", "threshold = 0.5"),
            ("period = 60", "period = 300"),
            ("evaluation_periods = 3", "evaluation_periods = 5"),
            ("statistic = \"Average\"", "statistic = \"Maximum\""),
            ("statistic = \"Average\"", "extended_statistic = \"p99\"\nevaluate_low_sample_count_percentile = \"ignore\""),
            ("GreaterThanThreshold", "LessThanOrEqualToThreshold"),
            ("CPUUtilization", "MemoryUtilization"),
            ("AWS/ECS", "Shop"),
            ("NAME-x", "NAME-y"),
        ],
    },
    Case {
        type_name: "cloudwatch_metric_alarm",
        needs: "",
        least: "name = \"NAME-x\"\nevaluation_periods = 1\nthreshold = 5\ncomparison_operator = \"GreaterThanOrEqualToThreshold\"\nmetrics = [{ id = \"rate\", expression = \"100 * errors / requests\", label = \"Errors in percent\" }, { id = \"errors\", return_data = false, metric_stat = { metric = { namespace = \"AWS/ApplicationELB\", metric_name = \"HTTPCode_Target_5XX_Count\", dimensions = { LoadBalancer = \"app/a/1\" } }, period = 60, stat = \"Sum\", unit = \"Count\" } }, { id = \"requests\", return_data = false, metric_stat = { metric = { namespace = \"AWS/ApplicationELB\", metric_name = \"RequestCount\" }, period = 60, stat = \"Sum\" } }]",
        optional: &[],
        changed: &[("100 * errors", "1000 * errors"), ("period = 60, stat = \"Sum\", unit = \"Count\"", "period = 300, stat = \"p90\"")],
    },
    Case {
        type_name: "cloudwatch_metric_alarm",
        needs: "",
        least: "name = \"NAME-x\"\nevaluation_periods = 2\nthreshold_metric_id = \"band\"\ncomparison_operator = \"GreaterThanUpperThreshold\"\nmetrics = [{ id = \"band\", expression = \"ANOMALY_DETECTION_BAND(cpu, 2)\" }, { id = \"cpu\", metric_stat = { metric = { namespace = \"AWS/ECS\", metric_name = \"CPUUtilization\" }, period = 60, stat = \"Average\" } }]",
        optional: &[],
        changed: &[("(cpu, 2)", "(cpu, 3)")],
    },
    Case {
        type_name: "cloudwatch_dashboard",
        needs: "",
        least: "name = \"NAME-x\"\ndashboard_body = { widgets = [{ type = \"text\", x = 0, y = 0, width = 6, height = 2, properties = { markdown = \"# Hello\" } }] }",
        optional: &["tags = { a = \"b\" }"],
        changed: &[("# Hello", "# Bye"), ("NAME-x", "NAME-y")],
    },
    Case {
        type_name: "cloudwatch_log_metric_filter",
        needs: "log-group",
        least: "name = \"errors\"\nlog_group_name = \"${cloudwatch_log_group.n.name}\"\nmetric_transformations = [{ metric_name = \"Errors\", metric_namespace = \"NAME\", metric_value = \"1\" }]",
        optional: &[
            "filter_pattern = \"{ $.level = \\\"error\\\" }\"",
            "apply_on_transformed_logs = true",
            "field_selection_criteria = \"@aws.region = \\\"us-east-1\\\"\"",
            "emit_system_field_dimensions = [\"@aws.account\", \"@aws.region\"]",
        ],
        changed: &[
            ("metric_value = \"1\"", "metric_value = \"$.count\", default_value = 0"),
            ("metric_value = \"1\"", "metric_value = \"1\", dimensions = { Path = \"$.path\" }"),
            ("metric_value = \"1\"", "metric_value = \"1\", unit = \"Count\""),
            ("name = \"errors\"", "name = \"others\""),
        ],
    },
    Case {
        type_name: "sns_topic",
        needs: "",
        least: "name = \"NAME-x\"",
        optional: &[
            "display_name = \"Shop\"",
            "policy = { Version = \"2012-10-17\", Statement = [{ Sid = \"alarms\", Effect = \"Allow\", Principal = { Service = \"cloudwatch.amazonaws.com\" }, Action = \"sns:Publish\", Resource = \"*\" }] }",
            "delivery_policy = { http = { defaultHealthyRetryPolicy = { minDelayTarget = 10, maxDelayTarget = 30, numRetries = 10, numMaxDelayRetries = 0, numNoDelayRetries = 0, numMinDelayRetries = 0, backoffFunction = \"linear\" }, disableSubscriptionOverrides = false } }",
            "kms_master_key_id = \"alias/aws/sns\"",
            "tracing_config = \"Active\"",
            "signature_version = \"2\"",
            "maximum_message_size = 1024",
            "delivery_status_logging = [{ protocol = \"HTTP\", failure_feedback_role_arn = \"arn:aws:iam::123456789012:role/f\", success_feedback_role_arn = \"arn:aws:iam::123456789012:role/s\", success_feedback_sample_rate = 50 }]",
            "tags = { a = \"b\" }",
        ],
        changed: &[("NAME-x", "NAME-y")],
    },
    Case {
        type_name: "sns_topic",
        needs: "",
        least: "name = \"NAME-x.fifo\"\nfifo_topic = true",
        optional: &[
            "content_based_deduplication = true",
            "fifo_throughput_scope = \"MessageGroup\"",
            "archive_policy = { MessageRetentionPeriod = 30 }",
        ],
        changed: &[],
    },
    Case {
        type_name: "sns_topic_subscription",
        needs: "topic",
        least: "topic_arn = \"${sns_topic.n.arn}\"\nprotocol = \"sqs\"\nendpoint = \"arn:aws:sqs:us-east-1:123456789012:NAME-x\"",
        optional: &[
            "filter_policy = { severity = [\"high\", \"low\"] }",
            "filter_policy = { severity = [\"high\"] }\nfilter_policy_scope = \"MessageBody\"",
            "raw_message_delivery = true",
            "redrive_policy = { deadLetterTargetArn = \"arn:aws:sqs:us-east-1:123456789012:dead\" }",
        ],
        changed: &[("NAME-x", "NAME-y")],
    },
    Case {
        type_name: "sns_topic_subscription",
        needs: "topic",
        least: "topic_arn = \"${sns_topic.n.arn}\"\nprotocol = \"https\"\nendpoint = \"https://example.org/NAME\"",
        optional: &["delivery_policy = { healthyRetryPolicy = { minDelayTarget = 10, maxDelayTarget = 30, numRetries = 5 } }"],
        changed: &[],
    },
    Case {
        type_name: "sns_topic_subscription",
        needs: "topic",
        least: "topic_arn = \"${sns_topic.n.arn}\"\nprotocol = \"email\"\nendpoint = \"NAME@example.org\"",
        optional: &[],
        changed: &[],
    },
    Case {
        type_name: "sns_topic_subscription",
        needs: "topic",
        least: "topic_arn = \"${sns_topic.n.arn}\"\nprotocol = \"firehose\"\nendpoint = \"arn:aws:firehose:us-east-1:123456789012:deliverystream/NAME\"\nsubscription_role_arn = \"arn:aws:iam::123456789012:role/a\"",
        optional: &[],
        changed: &[("role/a", "role/b")],
    },
];

/// What is wrong in the protocol that the tests' proxy speaks with the emulators, and right in the one that leoctl speaks.
pub const BY_QUERY: &[Gap] = &[Gap {
    emulator: Emulator::MiniStack,
    type_name: "cloudwatch_metric_alarm",
    attribute: "",
    evidence: "DescribeAlarms by the Query protocol lacks Period, Statistic, AlarmActions and others of the CloudWatch API Reference's MetricAlarm",
}];

pub const GAPS: &[Gap] = &[
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "cloudwatch_dashboard",
        attribute: "",
        evidence: "TagResource knows alarms only; dashboards have tags (CloudWatch API Reference, PutDashboard)",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "cloudwatch_dashboard",
        attribute: "",
        evidence: "TagResource knows alarms only; dashboards have tags (CloudWatch API Reference, PutDashboard)",
    },
    Gap {
        emulator: Emulator::Fakecloud,
        type_name: "cloudwatch_log_metric_filter",
        attribute: "apply_on_transformed_logs",
        evidence: "PutMetricFilter drops applyOnTransformedLogs of the CloudWatch Logs API Reference; no emulator has it",
    },
    Gap {
        emulator: Emulator::Fakecloud,
        type_name: "cloudwatch_log_metric_filter",
        attribute: "field_selection_criteria",
        evidence: "PutMetricFilter drops fieldSelectionCriteria of the CloudWatch Logs API Reference; no emulator has it",
    },
    Gap {
        emulator: Emulator::Fakecloud,
        type_name: "cloudwatch_log_metric_filter",
        attribute: "emit_system_field_dimensions",
        evidence: "PutMetricFilter drops emitSystemFieldDimensions of the CloudWatch Logs API Reference; no emulator has it",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "cloudwatch_log_metric_filter",
        attribute: "apply_on_transformed_logs",
        evidence: "PutMetricFilter drops applyOnTransformedLogs of the CloudWatch Logs API Reference; no emulator has it",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "cloudwatch_log_metric_filter",
        attribute: "field_selection_criteria",
        evidence: "PutMetricFilter drops fieldSelectionCriteria of the CloudWatch Logs API Reference; no emulator has it",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "cloudwatch_log_metric_filter",
        attribute: "emit_system_field_dimensions",
        evidence: "PutMetricFilter drops emitSystemFieldDimensions of the CloudWatch Logs API Reference; no emulator has it",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "sns_topic",
        attribute: "tracing_config",
        evidence: "GetTopicAttributes lacks TracingConfig of the SNS API Reference's SetTopicAttributes",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "sns_topic",
        attribute: "signature_version",
        evidence: "GetTopicAttributes lacks SignatureVersion of the SNS API Reference's SetTopicAttributes",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "sns_topic",
        attribute: "maximum_message_size",
        evidence: "GetTopicAttributes lacks MaximumMessageSize of the SNS API Reference's SetTopicAttributes",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "sns_topic",
        attribute: "delivery_status_logging",
        evidence: "GetTopicAttributes lacks HTTPSuccessFeedbackRoleArn and the like of the SNS API Reference's SetTopicAttributes",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "sns_topic",
        attribute: "fifo_throughput_scope",
        evidence: "GetTopicAttributes lacks FifoThroughputScope of the SNS API Reference's SetTopicAttributes",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "sns_topic",
        attribute: "archive_policy",
        evidence: "GetTopicAttributes lacks ArchivePolicy of the SNS API Reference's SetTopicAttributes",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "sns_topic_subscription",
        attribute: "\"https\"",
        evidence: "Subscribe answers `pending confirmation` to ReturnSubscriptionArn; the SNS API Reference returns the ARN in all cases",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "cloudwatch_log_metric_filter",
        attribute: "",
        evidence: "PutMetricFilter of a filter that exists adds a second one, of which DeleteMetricFilter leaves one; the CloudWatch Logs API Reference updates it",
    },
];
