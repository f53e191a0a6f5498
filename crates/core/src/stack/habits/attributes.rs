//! What attributes are called in Terraform, where the nearest name does not lead to what they are called here.

/// An attribute of Terraform's.
#[derive(Clone, Copy, Debug)]
pub struct Habit {
    /// The types that it is one of; all, where there are none.
    pub of: &'static [&'static str],
    /// Its name there.
    pub there: &'static str,
    /// The attribute that says the same here; empty where none does.
    pub here: &'static str,
    /// How it is written here, where it is not only called otherwise.
    pub how: &'static str,
}

const fn row(of: &'static [&'static str], there: &'static str, here: &'static str, how: &'static str) -> Habit {
    Habit { of, there, here, how }
}

const ANY: &[&str] = &[];
const RULES: &[&str] = &["security_group", "default_security_group", "security_group_rule"];
const ACTIONS: &[&str] = &["lb_listener", "lb_listener_rule"];
const DEPLOYMENT: &str = "write `deployment_configuration = { … }`";
const ATTRIBUTES: &str = "`attributes` has them by AWS's own keys";
const CONDITION: &str = "write `{ field = \"path-pattern\", values = […] }`";

/// Attributes of Terraform's. Of two with the same name the first that fits is taken.
pub const ALL: &[Habit] = &[
    row(RULES, "protocol", "ip_protocol", ""),
    row(RULES, "cidr_blocks", "cidr_ipv4", "a rule has one network: write a rule for each"),
    row(RULES, "ipv6_cidr_blocks", "cidr_ipv6", "a rule has one network: write a rule for each"),
    row(RULES, "prefix_list_ids", "prefix_list_id", "a rule has one prefix list: write a rule for each"),
    row(RULES, "security_groups", "referenced_group_id", "a rule has one group: write a rule for each"),
    row(RULES, "source_security_group_id", "referenced_group_id", ""),
    row(&["security_group_rule"], "security_group_id", "group_id", ""),
    row(RULES, "self", "referenced_group_id", "a group that lets itself in has a `security_group_rule` of its own"),
    row(RULES, "revoke_rules_on_delete", "", "leave it out: the rules of a group go with it"),
    row(&["instance"], "ami", "image_id", ""),
    row(&["instance"], "vpc_security_group_ids", "security_group_ids", ""),
    row(&["instance"], "security_groups", "security_group_ids", ""),
    row(&["instance"], "user_data_base64", "user_data", "it takes the text itself"),
    row(&["instance"], "private_ip", "private_ip_address", ""),
    row(&["nat_gateway"], "private_ip", "private_ip_address", ""),
    row(&["eip"], "vpc", "domain", "write `domain = \"vpc\"`"),
    row(&["eip"], "instance", "instance_id", ""),
    row(&["eip"], "network_interface", "network_interface_id", ""),
    row(&["eip"], "allocation_id", "id", ""),
    row(&["vpc"], "assign_generated_ipv6_cidr_block", "amazon_provided_ipv6_cidr_block", ""),
    row(&["vpc", "subnet"], "cidr", "cidr_block", ""),
    row(&["route_table", "default_route_table"], "cidr_block", "destination_cidr_block", ""),
    row(&["route_table", "default_route_table"], "ipv6_cidr_block", "destination_ipv6_cidr_block", ""),
    row(&["route_table", "default_route_table"], "egress_only_gateway_id", "egress_only_internet_gateway_id", ""),
    row(&["route_table", "default_route_table"], "route", "routes", ""),
    row(&["lb"], "load_balancer_type", "type", ""),
    row(&["lb"], "internal", "scheme", "write `scheme = \"internal\"` or `\"internet-facing\"`"),
    row(&["lb"], "enable_deletion_protection", "attributes", "write `attributes = { \"deletion_protection.enabled\" = \"true\" }`"),
    row(&["lb"], "idle_timeout", "attributes", "write `attributes = { \"idle_timeout.timeout_seconds\" = \"60\" }`"),
    row(
        &["lb"],
        "access_logs",
        "attributes",
        "write `attributes = { \"access_logs.s3.enabled\" = \"true\", \"access_logs.s3.bucket\" = … }`",
    ),
    row(&["lb"], "enable_http2", "attributes", ATTRIBUTES),
    row(&["lb"], "drop_invalid_header_fields", "attributes", ATTRIBUTES),
    row(&["lb"], "enable_cross_zone_load_balancing", "attributes", ATTRIBUTES),
    row(&["lb"], "arn_suffix", "full_name", ""),
    row(&["lb"], "zone_id", "canonical_hosted_zone_id", ""),
    row(&["lb_target_group"], "arn_suffix", "full_name", ""),
    row(
        &["lb_target_group"],
        "health_check",
        "health_check_path",
        "`health_check_path`, `health_check_interval_seconds` and the like stand by themselves",
    ),
    row(
        &["lb_target_group"],
        "deregistration_delay",
        "attributes",
        "write `attributes = { \"deregistration_delay.timeout_seconds\" = \"30\" }`",
    ),
    row(&["lb_target_group"], "slow_start", "attributes", "write `attributes = { \"slow_start.duration_seconds\" = \"30\" }`"),
    row(
        &["lb_target_group"],
        "stickiness",
        "attributes",
        "write `attributes = { \"stickiness.enabled\" = \"true\", \"stickiness.type\" = \"lb_cookie\" }`",
    ),
    row(&["lb_listener"], "default_action", "default_actions", ""),
    row(&["lb_listener"], "certificate_arn", "certificates", "write `certificates = [{ certificate_arn = … }]`"),
    row(&["lb_listener_rule"], "action", "actions", ""),
    row(&["lb_listener_rule"], "condition", "conditions", ""),
    row(&["lb_listener_rule"], "path_pattern", "field", CONDITION),
    row(&["lb_listener_rule"], "host_header", "field", "write `{ field = \"host-header\", values = […] }`"),
    row(&["lb_listener_rule"], "http_request_method", "field", "write `{ field = \"http-request-method\", values = […] }`"),
    row(&["lb_listener_rule"], "source_ip", "field", "write `{ field = \"source-ip\", values = […] }`"),
    row(&["lb_listener_rule"], "http_header", "field", "write `{ field = \"http-header\", http_header_name = …, values = […] }`"),
    row(&["lb_listener_rule"], "query_string", "query_strings", "write `{ field = \"query-string\", query_strings = […] }`"),
    row(ACTIONS, "fixed_response", "fixed_response_config", ""),
    row(ACTIONS, "redirect", "redirect_config", ""),
    row(ACTIONS, "forward", "forward_config", ""),
    row(ACTIONS, "authenticate_oidc", "authenticate_oidc_config", ""),
    row(ACTIONS, "authenticate_cognito", "authenticate_cognito_config", ""),
    row(ACTIONS, "target_group", "target_groups", ""),
    row(ACTIONS, "arn", "target_group_arn", ""),
    row(ACTIONS, "stickiness", "target_group_stickiness", ""),
    row(&["ecs_service"], "load_balancer", "load_balancers", ""),
    row(&["ecs_service"], "iam_role", "role_arn", ""),
    row(&["ecs_service"], "ordered_placement_strategy", "placement_strategy", ""),
    row(
        &["ecs_service"],
        "deployment_minimum_healthy_percent",
        "deployment_configuration",
        "write `deployment_configuration = { minimum_healthy_percent = … }`",
    ),
    row(
        &["ecs_service"],
        "deployment_maximum_percent",
        "deployment_configuration",
        "write `deployment_configuration = { maximum_percent = … }`",
    ),
    row(
        &["ecs_service"],
        "deployment_circuit_breaker",
        "deployment_configuration",
        "write `deployment_configuration = { deployment_circuit_breaker = { … } }`",
    ),
    row(&["ecs_service"], "alarms", "deployment_configuration", DEPLOYMENT),
    row(&["ecs_service"], "force_new_deployment", "", "leave it out: `leoctl redeploy` starts its tasks anew"),
    row(
        &["ecs_service"],
        "assign_public_ip",
        "network_configuration",
        "write `network_configuration = { …, assign_public_ip = \"ENABLED\" }`",
    ),
    row(&["ecs_service"], "security_group_ids", "security_groups", ""),
    row(
        &["ecs_service"],
        "security_groups",
        "network_configuration",
        "write `network_configuration = { subnets = […], security_groups = […] }`",
    ),
    row(&["ecs_service"], "subnet_ids", "subnets", ""),
    row(&["ecs_service"], "subnets", "network_configuration", "write `network_configuration = { subnets = […], security_groups = […] }`"),
    row(&["ecs_task_definition"], "volume", "volumes", ""),
    row(&["ecs_task_definition"], "env", "environment", ""),
    row(&["ecs_task_definition"], "ports", "port_mappings", ""),
    row(&["ecs_task_definition"], "authorization_config", "access_point_id", "`access_point_id` and `iam` stand by themselves"),
    row(&["ecs_task_definition"], "skip_destroy", "", "write `lifecycle = { deletion_policy = \"retain\" }`"),
    row(&["ecs_cluster"], "setting", "container_insights", "write `container_insights = \"enabled\"`"),
    row(&["ecs_cluster"], "configuration", "execute_command", ""),
    row(&["ecs_cluster"], "service_connect_defaults", "service_connect_namespace", ""),
    row(
        &["iam_role"],
        "inline_policy",
        "inline_policies",
        "write `[resource.iam_role.NAME.inline_policies]`, and under it each policy by its name",
    ),
    row(
        &["iam_role"],
        "policy",
        "inline_policies",
        "write `[resource.iam_role.NAME.inline_policies]`, and under it each policy by its name",
    ),
    row(&["iam_role"], "force_detach_policies", "", "leave it out: its policies are taken from a role that goes"),
    row(&["iam_role"], "id", "name", ""),
    row(&["iam_instance_profile"], "roles", "role", ""),
    row(&["s3_bucket"], "force_destroy", "empty_on_delete", ""),
    row(&["s3_bucket"], "acl", "policy", "buckets have no access lists any more: `policy` says who may do what"),
    row(&["s3_bucket"], "server_side_encryption_configuration", "encryption", ""),
    row(&["s3_bucket"], "lifecycle_rule", "lifecycle_rules", ""),
    row(&["s3_bucket"], "cors_rule", "cors_rules", ""),
    row(&["s3_bucket"], "expiration", "expiration_in_days", ""),
    row(&["s3_bucket"], "transition", "transitions", ""),
    row(&["s3_bucket"], "noncurrent_version_expiration", "noncurrent_version_expiration_in_days", ""),
    row(&["s3_bucket"], "noncurrent_version_transition", "noncurrent_version_transitions", ""),
    row(&["s3_bucket"], "enabled", "status", "write `status = \"Enabled\"`"),
    row(&["s3_bucket"], "block_public_acls", "public_access_block", "write `public_access_block = { … }`"),
    row(&["s3_bucket"], "block_public_policy", "public_access_block", "write `public_access_block = { … }`"),
    row(&["s3_bucket"], "bucket_domain_name", "domain_name", ""),
    row(&["s3_bucket"], "bucket_regional_domain_name", "regional_domain_name", ""),
    row(&["s3_bucket"], "id", "bucket", ""),
    row(&["cloudwatch_log_group"], "skip_destroy", "", "write `lifecycle = { deletion_policy = \"retain\" }`"),
    row(&["cloudwatch_log_group"], "id", "name", ""),
    row(&["cloudwatch_metric_alarm"], "alarm_name", "name", ""),
    row(&["cloudwatch_metric_alarm"], "metric_query", "metrics", ""),
    row(&["cloudwatch_log_metric_filter"], "pattern", "filter_pattern", ""),
    row(&["route53_record"], "hosted_zone_id", "zone_id", ""),
    row(&["route53_record"], "values", "records", ""),
    row(&["route53_record"], "name", "dns_name", ""),
    row(&["route53_record"], "weighted_routing_policy", "weight", ""),
    row(&["route53_record"], "failover_routing_policy", "failover", ""),
    row(&["route53_record"], "latency_routing_policy", "region", ""),
    row(&["route53_record"], "geolocation_routing_policy", "geo_location", ""),
    row(&["route53_record"], "multivalue_answer_routing_policy", "multi_value_answer", ""),
    row(&["route53_record"], "allow_overwrite", "", "leave it out: a record that is there already is taken over with `[[import]]`"),
    row(&["route53_zone"], "vpc", "vpcs", ""),
    row(&["route53_zone"], "zone_id", "id", ""),
    row(
        &["secretsmanager_secret"],
        "secret_string",
        "generate",
        "values are in no file: `generate` makes one, `leoctl secrets set` takes one",
    ),
    row(&["secretsmanager_secret"], "replica", "replica_regions", ""),
    row(&["secretsmanager_secret", "sns_topic", "lb", "lb_listener", "lb_target_group", "acm_certificate", "iam_policy"], "id", "arn", ""),
    row(&["efs_file_system"], "lifecycle_policy", "lifecycle_policies", ""),
    row(&["efs_file_system"], "creation_token", "", "leave it out: leoctl chooses one"),
    row(&["acm_certificate"], "validation_option", "domain_validation_options", ""),
    row(&["acm_certificate"], "certificate_body", "", "a certificate from elsewhere is an `acm_imported_certificate`"),
    row(&["acm_certificate"], "private_key", "", "a certificate from elsewhere is an `acm_imported_certificate`"),
    row(&["ecr_repository"], "force_destroy", "force_delete", ""),
    row(&["ecr_repository"], "image_scanning_configuration", "scan_on_push", "write `scan_on_push = true`"),
    row(&["ecr_repository"], "encryption_configuration", "encryption_type", ""),
    row(&["ecr_repository"], "policy", "repository_policy", ""),
    row(&["ecr_repository"], "repository_url", "repository_uri", ""),
    row(&["backup_vault"], "force_destroy", "force_delete", ""),
    row(&["kms_key"], "customer_master_key_spec", "key_spec", ""),
    row(&["key_pair"], "key_name", "name", ""),
    row(ANY, "name_prefix", "name", "write the whole name: `name = \"${stack.name}-app\"`"),
    row(ANY, "tags_all", "tags", "`tags` of `[stack]` are on everything that can have tags"),
];

/// What an attribute of Terraform's is here, among these attributes of a type or of a table inside it.
pub fn habit<'a>(type_name: &str, there: &str, attributes: impl Iterator<Item = &'a str> + Clone) -> Option<&'static Habit> {
    let has = |wanted: &str| attributes.clone().any(|name| name == wanted);
    let is_of = |habit: &&Habit| habit.there == there && (habit.of.is_empty() || habit.of.contains(&type_name));
    let found = ALL.iter().filter(is_of).find(|habit| habit.here.is_empty() || has(habit.here));
    // What is an attribute here means itself.
    found.filter(|_| !has(there))
}
