//! What AWS's models say of the values that creations take is said by `validate`, too.

use serde_json::Value;

use crate::support::strict::models::{self, Shape};
use leoctl_aws::registry;

/// The types, with the service and the operation that makes one.
const MADE_BY: &[(&str, &str, &str)] = &[
    ("acm_certificate", "acm", "RequestCertificate"),
    ("acm_imported_certificate", "acm", "ImportCertificate"),
    ("appautoscaling_policy", "application-autoscaling", "PutScalingPolicy"),
    ("appautoscaling_scheduled_action", "application-autoscaling", "PutScheduledAction"),
    ("appautoscaling_target", "application-autoscaling", "RegisterScalableTarget"),
    ("backup_plan", "backup", "CreateBackupPlan"),
    ("backup_selection", "backup", "CreateBackupSelection"),
    ("backup_vault", "backup", "CreateBackupVault"),
    ("cloudwatch_dashboard", "cloudwatch", "PutDashboard"),
    ("cloudwatch_log_group", "logs", "CreateLogGroup"),
    ("cloudwatch_log_metric_filter", "logs", "PutMetricFilter"),
    ("cloudwatch_metric_alarm", "cloudwatch", "PutMetricAlarm"),
    ("ecr_repository", "ecr", "CreateRepository"),
    ("ecs_cluster", "ecs", "CreateCluster"),
    ("ecs_service", "ecs", "CreateService"),
    ("ecs_task_definition", "ecs", "RegisterTaskDefinition"),
    ("efs_access_point", "efs", "CreateAccessPoint"),
    ("efs_file_system", "efs", "CreateFileSystem"),
    ("efs_mount_target", "efs", "CreateMountTarget"),
    ("eip", "ec2", "AllocateAddress"),
    ("iam_instance_profile", "iam", "CreateInstanceProfile"),
    ("iam_openid_connect_provider", "iam", "CreateOpenIDConnectProvider"),
    ("iam_policy", "iam", "CreatePolicy"),
    ("iam_role", "iam", "CreateRole"),
    ("instance", "ec2", "RunInstances"),
    ("key_pair", "ec2", "ImportKeyPair"),
    ("kms_alias", "kms", "CreateAlias"),
    ("kms_key", "kms", "CreateKey"),
    ("lb", "elbv2", "CreateLoadBalancer"),
    ("lb_listener", "elbv2", "CreateListener"),
    ("lb_listener_rule", "elbv2", "CreateRule"),
    ("lb_target_group", "elbv2", "CreateTargetGroup"),
    ("nat_gateway", "ec2", "CreateNatGateway"),
    ("s3_bucket", "s3", "CreateBucket"),
    ("scheduler_schedule", "scheduler", "CreateSchedule"),
    ("secretsmanager_secret", "secretsmanager", "CreateSecret"),
    ("security_group", "ec2", "CreateSecurityGroup"),
    ("service_discovery_private_dns_namespace", "servicediscovery", "CreatePrivateDnsNamespace"),
    ("service_discovery_service", "servicediscovery", "CreateService"),
    ("sns_topic", "sns", "CreateTopic"),
    ("sns_topic_subscription", "sns", "Subscribe"),
    ("ssm_parameter", "ssm", "PutParameter"),
    ("subnet", "ec2", "CreateSubnet"),
    ("vpc", "ec2", "CreateVpc"),
    ("vpc_endpoint", "ec2", "CreateVpcEndpoint"),
];

/// A member's name as an attribute has it.
fn snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| letters[before]);
        let begins = letter.is_uppercase()
            && before.is_some_and(|before| !before.is_uppercase() || letters.get(index + 1).is_some_and(|next| next.is_lowercase()));
        if begins {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// What a model says of a member that the attribute's schema does not.
fn lacks(attribute: &Value, member: Shape) -> Vec<String> {
    let number = |name: &str| member.trait_of(name).and_then(Value::as_i64);
    let says = |name: &str| !attribute[name].is_null();
    let is_closed = says("enum") || says("const") || says("x-format") || says("x-document");
    match member.kind() {
        "string" if !is_closed => {
            let mut lacks = Vec::new();
            lacks.extend(number("max").filter(|_| !says("maxLength")).map(|max| format!("at most {max} characters")));
            lacks.extend(
                number("min")
                    .filter(|min| *min > 1 && !says("minLength") && !says("pattern"))
                    .map(|min| format!("at least {min} characters")),
            );
            // Some patterns allow whatever a text can hold.
            let is_anything = |pattern: &str| pattern == ".*" || pattern.contains("\\s\\S") || pattern.contains("\\u0020-\\uD7FF");
            let pattern = member.text("pattern").filter(|pattern| !says("pattern") && !is_anything(pattern));
            lacks.extend(pattern.map(|pattern| format!("the pattern {pattern}")));
            lacks.extend(member.trait_of("enum").map(|choices| format!("one of {choices}")));
            lacks
        }
        "integer" | "long" if !is_closed => {
            let mut lacks = Vec::new();
            lacks.extend(number("max").filter(|max| *max < i64::from(i32::MAX) && !says("maximum")).map(|max| format!("at most {max}")));
            lacks.extend(number("min").filter(|_| !says("minimum")).map(|min| format!("at least {min}")));
            lacks
        }
        "list" | "map" => number("max")
            .filter(|_| !says("maxItems") && !says("maxProperties"))
            .map(|max| format!("at most {max} elements"))
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

/// What a schema allows less of than the model does.
fn narrows(attribute: &Value, member: Shape) -> Vec<String> {
    let number = |name: &str| member.trait_of(name).and_then(Value::as_i64);
    let mut narrows = Vec::new();
    let allowed = attribute["enum"].as_array().into_iter().flatten();
    let allowed: Vec<&str> = allowed.filter_map(Value::as_str).collect();
    if let Some(Value::Array(choices)) = member.trait_of("enum").filter(|_| !allowed.is_empty()) {
        let refused = choices.iter().filter_map(Value::as_str).filter(|choice| !allowed.contains(choice));
        narrows.extend(refused.map(|choice| format!("`{choice}` is refused")));
    }
    let least = |ours: &str| attribute[ours].as_i64();
    match member.kind() {
        "string" => narrows.extend(
            least("maxLength")
                .zip(number("max"))
                .filter(|(ours, theirs)| ours < theirs)
                .map(|(ours, theirs)| format!("{ours} of {theirs} characters")),
        ),
        "integer" | "long" => {
            let below = |ours: &str, theirs: &str| least(ours).zip(number(theirs)).filter(|(ours, theirs)| ours < theirs);
            let above = |ours: &str, theirs: &str| least(ours).zip(number(theirs)).filter(|(ours, theirs)| ours > theirs);
            narrows.extend(below("maximum", "max").map(|(ours, theirs)| format!("at most {ours} of {theirs}")));
            narrows.extend(above("minimum", "min").map(|(ours, theirs)| format!("at least {ours} of {theirs}")));
        }
        "list" | "map" => narrows.extend(
            least("maxItems")
                .zip(number("max"))
                .filter(|(ours, theirs)| ours < theirs)
                .map(|(ours, theirs)| format!("{ours} of {theirs} elements")),
        ),
        _ => {}
    }
    narrows
}

/// What is not held against a schema: ids, which AWS makes and references give; tags, which AWS counts with those that stand for
/// the stack; and choices that AWS adds to every month.
fn is_left_out(attribute: &str) -> bool {
    attribute.ends_with("_id")
        || ["vpc", "security_groups", "tags", "instance_type", "service_namespace", "scalable_dimension", "key_spec"].contains(&attribute)
}

/// How a schema and a model differ in one value.
type Compare = fn(&Value, Shape) -> Vec<String>;

/// How they differ in a member, and in what is inside of it.
fn inside(at: &str, attribute: &Value, member: Shape, compare: Compare, all: &mut Vec<String>) {
    all.extend(compare(attribute, member).into_iter().map(|lack| format!("{at}: {lack}")));
    match member.kind() {
        "list" => {
            if let Some(element) = member.element().filter(|_| !attribute["items"].is_null()) {
                // A format written on the list is that of its elements.
                let mut items = attribute["items"].clone();
                if !attribute["x-format"].is_null() {
                    items["x-format"] = attribute["x-format"].clone();
                }
                inside(&format!("{at}[]"), &items, element, compare, all);
            }
        }
        "structure" => {
            for (name, schema) in attribute["properties"].as_object().into_iter().flatten().filter(|(name, _)| !is_left_out(name)) {
                if let Some((_, member)) = member.members().find(|(member, _)| snake(member) == *name) {
                    inside(&format!("{at}.{name}"), schema, member, compare, all);
                }
            }
        }
        _ => {}
    }
}

/// How all types differ from the models.
fn compared(compare: Compare) -> Vec<String> {
    let schemas = registry::resource_json_schemas();
    let mut all = Vec::new();
    for (name, service, operation) in MADE_BY {
        let input = models::named(service).and_then(|model| model.input(operation)).unwrap_or_else(|| panic!("{service}:{operation}"));
        let noun = name.rsplit('_').next().unwrap();
        let properties = schemas[name]["properties"].as_object().unwrap();
        for (attribute, schema) in properties.iter().filter(|(name, schema)| schema["x-computed"] != true && !is_left_out(name)) {
            let written = [attribute.clone(), format!("{noun}_{attribute}"), format!("{name}_{attribute}")];
            let Some((_, member)) = input.members().find(|(member, _)| written.contains(&snake(member))) else { continue };
            inside(&format!("{name}.{attribute}"), schema, member, compare, &mut all);
        }
    }
    all
}

#[test]
fn what_the_models_say_of_values_is_said_before_aws_does() {
    let all = compared(lacks);
    assert!(all.is_empty(), "{}", all.join("\n"));
}

/// What the models allow and AWS does not, or leoctl has no use for, and where that is said.
const NARROWER: &[(&str, &str)] = &[
    ("acm_certificate.domain_name: 64 of 253 characters", "RequestCertificate, DomainName: the first name has 64 at most"),
    ("acm_certificate.validation_method: `HTTP`", "CloudFront asks for these"),
    ("acm_certificate.key_algorithm:", "ACM User Guide, Key algorithms: the others are for certificates that are imported"),
    ("eip.domain: `standard`", "EC2-Classic is retired"),
    ("lb_listener.protocol: `GENEVE`", "gateway load balancers are refused, by their target groups too"),
    ("lb_target_group.health_check_protocol:", "CreateTargetGroup, HealthCheckProtocol: HTTP, HTTPS and TCP"),
    ("ecs_task_definition.container_definitions[].resource_requirements[].type: `InferenceAccelerator`", "Elastic Inference is retired"),
    ("ssm_parameter.name: 1011 of 2048 characters", "PutParameter, Name: 1011 with what its ARN has before it"),
    ("vpc.instance_tenancy: `host`", "CreateVpc, InstanceTenancy: `default` or `dedicated`"),
    ("vpc_endpoint.vpc_endpoint_type:", "they name a resource or a network of VPC Lattice, for which the type has no attribute"),
    ("cloudwatch_metric_alarm.period: at least 10 of 1", "PutMetricAlarm, Period: 10, 20, 30 or a multiple of 60"),
    ("ecs_service.service_connect_configuration.services[].client_aliases[].port: at least 1 of 0", "nothing connects to the port 0"),
    ("ecs_service.service_connect_configuration.services[].ingress_port_override: at least 1 of 0", "nothing listens on the port 0"),
    ("service_discovery_service.health_check_custom_config.failure_threshold:", "HealthCheckCustomConfig: always 1"),
    ("appautoscaling_policy.policy_type: `PredictiveScaling`", "the type has no attribute for its configuration"),
];

#[test]
fn nothing_is_refused_that_the_models_allow() {
    let all = compared(narrows);
    let all: Vec<String> = all.into_iter().filter(|one| !NARROWER.iter().any(|(known, _)| one.starts_with(known))).collect();
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn an_alarm_may_stop_and_start_an_instance() {
    let alarm = |action: &str| {
        crate::support::world::stack(
            "alarms",
            "us-east-1",
            &format!(
                "[resource.cloudwatch_metric_alarm.x]\nname = \"x\"\nnamespace = \"AWS/EC2\"\nmetric_name = \"CPUUtilization\"\n\
                 statistic = \"Average\"\nperiod = 60\nevaluation_periods = 1\nthreshold = 5\n\
                 comparison_operator = \"LessThanThreshold\"\nalarm_actions = [{action:?}]\n"
            ),
        )
    };
    for action in ["stop", "terminate", "reboot", "recover"] {
        if let Err(problems) = alarm(&format!("arn:aws:automate:us-east-1:ec2:{action}")) {
            panic!("{problems}");
        }
    }
    assert!(alarm("ec2:stop").is_err());
}
