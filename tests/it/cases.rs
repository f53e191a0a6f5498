//! For every resource type: the least that makes one, and a change of every attribute that can be changed.

use crate::support::emulator::Emulator;

/// One type's case.
pub struct Case {
    /// The type.
    pub type_name: &'static str,
    /// Resources it needs.
    pub needs: &'static str,
    /// The attributes of the smallest one, named `x`.
    pub least: &'static str,
    /// One optional attribute each, added to the least; removing it again must return AWS's default.
    pub optional: &'static [&'static str],
    /// Required attributes changed in place: the line of `least`, and what it becomes.
    pub changed: &'static [(&'static str, &'static str)],
}

/// What an emulator does wrong, as shown by AWS's own documentation; such an attribute is covered by another emulator.
pub struct Gap {
    pub emulator: Emulator,
    pub type_name: &'static str,
    /// The attribute, or empty for the whole type.
    pub attribute: &'static str,
    pub evidence: &'static str,
}

const NETWORK: &str = r#"
[resource.vpc.n]
cidr_block = "10.9.0.0/16"
[resource.subnet.a]
vpc_id = "${vpc.n.id}"
cidr_block = "10.9.0.0/24"
availability_zone = "us-east-1a"
[resource.subnet.b]
vpc_id = "${vpc.n.id}"
cidr_block = "10.9.1.0/24"
availability_zone = "us-east-1b"
[resource.internet_gateway.n]
vpc_id = "${vpc.n.id}"
[resource.security_group.n]
name = "NAME-n"
description = "n"
vpc_id = "${vpc.n.id}"
[resource.security_group.m]
name = "NAME-m"
description = "m"
vpc_id = "${vpc.n.id}"
"#;

const BALANCER: &str = r#"
[resource.lb.n]
name = "NAME-n"
subnets = ["${subnet.a.id}", "${subnet.b.id}"]
security_groups = ["${security_group.n.id}"]
[resource.lb_target_group.n]
name = "NAME-n"
target_type = "ip"
port = 80
protocol = "HTTP"
vpc_id = "${vpc.n.id}"
[resource.lb_target_group.m]
name = "NAME-m"
target_type = "ip"
port = 81
protocol = "HTTP"
vpc_id = "${vpc.n.id}"
"#;

const LISTENER: &str = r#"
[resource.lb_listener.n]
load_balancer_arn = "${lb.n.arn}"
port = 80
protocol = "HTTP"
default_actions = [{ type = "forward", target_group_arn = "${lb_target_group.n.arn}" }]
"#;

const TASKS: &str = r#"
[resource.iam_role.n]
name = "NAME-n"
assume_role_policy = { Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }] }
[resource.ecs_cluster.n]
name = "NAME-n"
[resource.ecs_task_definition.n]
family = "NAME-n"
cpu = 256
memory = 512
execution_role_arn = "${iam_role.n.arn}"
container_definitions = [{ name = "web", image = "nginx:1", port_mappings = [{ container_port = 80 }] }]
[resource.ecs_task_definition.m]
family = "NAME-m"
cpu = 256
memory = 512
container_definitions = [{ name = "web", image = "nginx:2", port_mappings = [{ container_port = 80 }] }]
"#;

/// What a case's `needs` stands for.
pub fn scaffold(needs: &str) -> String {
    needs
        .split('+')
        .map(|part| match part {
            "network" => NETWORK,
            "balancer" => BALANCER,
            "listener" => LISTENER,
            "tasks" => TASKS,
            _ => "",
        })
        .collect()
}

pub const CASES: &[Case] = &[
    Case {
        type_name: "vpc",
        needs: "",
        least: "cidr_block = \"10.8.0.0/16\"",
        optional: &[
            "amazon_provided_ipv6_cidr_block = true",
            "enable_dns_support = false",
            "enable_dns_hostnames = true",
            "tags = { a = \"b\" }",
        ],
        changed: &[],
    },
    Case {
        type_name: "subnet",
        needs: "network",
        least: "vpc_id = \"${vpc.n.id}\"\ncidr_block = \"10.9.2.0/24\"\navailability_zone = \"us-east-1a\"",
        optional: &["map_public_ip_on_launch = true", "enable_dns64 = true", "tags = { a = \"b\" }"],
        changed: &[],
    },
    Case { type_name: "internet_gateway", needs: "", least: "", optional: &["tags = { a = \"b\" }"], changed: &[] },
    Case {
        type_name: "route_table",
        needs: "network",
        least: "vpc_id = \"${vpc.n.id}\"",
        optional: &[
            "routes = [{ destination_cidr_block = \"0.0.0.0/0\", gateway_id = \"${internet_gateway.n.id}\" }]",
            "subnet_ids = [\"${subnet.a.id}\", \"${subnet.b.id}\"]",
            "tags = { a = \"b\" }",
        ],
        changed: &[],
    },
    Case {
        type_name: "security_group",
        needs: "network",
        least: "name = \"NAME-x\"\ndescription = \"x\"\nvpc_id = \"${vpc.n.id}\"",
        optional: &[
            "ingress = [{ ip_protocol = \"tcp\", from_port = 80, to_port = 80, cidr_ipv4 = \"10.0.0.0/8\", description = \"web\" }, { ip_protocol = \"tcp\", from_port = 1, to_port = 2, referenced_group_id = \"${security_group.n.id}\" }]",
            "egress = [{ ip_protocol = \"udp\", from_port = 53, to_port = 53, cidr_ipv4 = \"0.0.0.0/0\", description = \"dns\" }]",
            "tags = { a = \"b\" }",
        ],
        changed: &[],
    },
    Case {
        type_name: "security_group_rule",
        needs: "network",
        least: "type = \"ingress\"\ngroup_id = \"${security_group.n.id}\"\nip_protocol = \"tcp\"\nfrom_port = 22\nto_port = 22\nreferenced_group_id = \"${security_group.m.id}\"",
        optional: &["description = \"ssh\"", "tags = { a = \"b\" }"],
        changed: &[("from_port = 22", "from_port = 21")],
    },
    Case {
        type_name: "lb",
        needs: "network",
        least: "name = \"NAME-x\"\nsubnets = [\"${subnet.a.id}\", \"${subnet.b.id}\"]\nsecurity_groups = [\"${security_group.n.id}\"]",
        optional: &["attributes = { \"idle_timeout.timeout_seconds\" = \"120\" }", "tags = { a = \"b\" }"],
        changed: &[("security_groups = [\"${security_group.n.id}\"]", "security_groups = [\"${security_group.m.id}\"]")],
    },
    Case {
        type_name: "lb_target_group",
        needs: "network",
        least: "name = \"NAME-x\"\ntarget_type = \"ip\"\nport = 80\nprotocol = \"HTTP\"\nvpc_id = \"${vpc.n.id}\"",
        optional: &[
            "health_check_interval_seconds = 15",
            "healthy_threshold_count = 3",
            "unhealthy_threshold_count = 4",
            "health_check_port = \"81\"",
            "attributes = { \"stickiness.enabled\" = \"true\", \"deregistration_delay.timeout_seconds\" = \"30\" }",
            "tags = { a = \"b\" }",
        ],
        changed: &[("port = 80", "port = 82")],
    },
    Case {
        type_name: "lb_listener",
        needs: "network+balancer",
        least: "load_balancer_arn = \"${lb.n.arn}\"\nport = 80\nprotocol = \"HTTP\"\ndefault_actions = [{ type = \"forward\", target_group_arn = \"${lb_target_group.n.arn}\" }]",
        optional: &["tags = { a = \"b\" }"],
        changed: &[
            ("port = 80", "port = 8080"),
            (
                "default_actions = [{ type = \"forward\", target_group_arn = \"${lb_target_group.n.arn}\" }]",
                "default_actions = [{ type = \"forward\", forward_config = { target_groups = [{ target_group_arn = \"${lb_target_group.n.arn}\", weight = 3 }, { target_group_arn = \"${lb_target_group.m.arn}\" }] } }]",
            ),
            (
                "default_actions = [{ type = \"forward\", target_group_arn = \"${lb_target_group.n.arn}\" }]",
                "default_actions = [{ type = \"fixed-response\", fixed_response_config = { status_code = \"503\", content_type = \"text/plain\", message_body = \"later\" } }]",
            ),
            (
                "default_actions = [{ type = \"forward\", target_group_arn = \"${lb_target_group.n.arn}\" }]",
                "default_actions = [{ type = \"redirect\", redirect_config = { status_code = \"HTTP_301\", protocol = \"HTTPS\", port = \"443\" } }]",
            ),
        ],
    },
    Case {
        type_name: "lb_listener_rule",
        needs: "network+balancer+listener",
        least: "listener_arn = \"${lb_listener.n.arn}\"\npriority = 10\nconditions = [{ field = \"path-pattern\", values = [\"/a\"] }]\nactions = [{ type = \"forward\", target_group_arn = \"${lb_target_group.m.arn}\" }]",
        optional: &["tags = { a = \"b\" }"],
        changed: &[
            ("priority = 10", "priority = 11"),
            (
                "conditions = [{ field = \"path-pattern\", values = [\"/a\"] }]",
                "conditions = [{ field = \"host-header\", values = [\"a.example\", \"b.example\"] }]",
            ),
        ],
    },
    Case {
        type_name: "ecs_cluster",
        needs: "",
        least: "name = \"NAME-x\"",
        optional: &[
            "container_insights = \"enabled\"",
            "capacity_providers = [\"FARGATE\", \"FARGATE_SPOT\"]",
            "capacity_providers = [\"FARGATE\"]\ndefault_capacity_provider_strategy = [{ capacity_provider = \"FARGATE\", weight = 1, base = 1 }]",
            "tags = { a = \"b\" }",
        ],
        changed: &[],
    },
    Case {
        type_name: "ecs_task_definition",
        needs: "tasks",
        least: "family = \"NAME-x\"\ncpu = 256\nmemory = 512\nexecution_role_arn = \"${iam_role.n.arn}\"\ncontainer_definitions = [{ name = \"web\", image = \"nginx:1\", environment = { A = \"1\" } }]",
        optional: &[
            "task_role_arn = \"${iam_role.n.arn}\"",
            "runtime_platform = { cpu_architecture = \"ARM64\" }",
            "ephemeral_storage_gib = 30",
            "volumes = [{ name = \"scratch\" }]",
            "tags = { a = \"b\" }",
        ],
        changed: &[
            ("cpu = 256\nmemory = 512", "cpu = 512\nmemory = 1024"),
            ("image = \"nginx:1\"", "image = \"nginx:2\""),
            ("environment = { A = \"1\" }", "environment = { A = \"2\", B = \"3\" }"),
            (
                "environment = { A = \"1\" }",
                "essential = true, command = [\"a\"], entry_point = [\"b\"], user = \"1000\", working_directory = \"/w\", secrets = { S = \"arn:aws:secretsmanager:us-east-1:123456789012:secret:s\" }, port_mappings = [{ container_port = 80 }], log_configuration = { log_driver = \"awslogs\", options = { awslogs-group = \"g\" } }, health_check = { command = [\"CMD\", \"true\"] }, readonly_root_filesystem = true, stop_timeout = 5, ulimits = [{ name = \"nofile\", soft_limit = 10, hard_limit = 20 }]",
            ),
        ],
    },
    Case {
        type_name: "ecs_service",
        needs: "network+tasks",
        least: "name = \"NAME-x\"\ncluster = \"${ecs_cluster.n.arn}\"\ntask_definition = \"${ecs_task_definition.n.arn}\"\nlaunch_type = \"FARGATE\"\nrollout = \"none\"\nnetwork_configuration = { subnets = [\"${subnet.a.id}\"], security_groups = [\"${security_group.n.id}\"] }",
        optional: &[
            "desired_count = 2",
            "deployment_configuration = { maximum_percent = 150, minimum_healthy_percent = 50, deployment_circuit_breaker = { enable = true, rollback = true } }",
            "enable_execute_command = true",
            "enable_ecs_managed_tags = true",
            "propagate_tags = \"SERVICE\"",
            "tags = { a = \"b\" }",
        ],
        changed: &[
            ("task_definition = \"${ecs_task_definition.n.arn}\"", "task_definition = \"${ecs_task_definition.m.arn}\""),
            ("subnets = [\"${subnet.a.id}\"]", "subnets = [\"${subnet.a.id}\", \"${subnet.b.id}\"], assign_public_ip = \"ENABLED\""),
        ],
    },
    Case {
        type_name: "ecr_repository",
        needs: "",
        least: "name = \"NAME-x\"",
        optional: &[
            "image_tag_mutability = \"IMMUTABLE\"",
            "scan_on_push = true",
            "lifecycle_policy = { rules = [{ rulePriority = 1, selection = { tagStatus = \"untagged\", countType = \"imageCountMoreThan\", countNumber = 5 }, action = { type = \"expire\" } }] }",
            "repository_policy = { Version = \"2012-10-17\", Statement = [{ Sid = \"pull\", Effect = \"Allow\", Principal = \"*\", Action = [\"ecr:BatchGetImage\"] }] }",
            "force_delete = true",
            "tags = { a = \"b\" }",
        ],
        changed: &[],
    },
    Case {
        type_name: "s3_bucket",
        needs: "",
        least: "bucket = \"NAME-x\"",
        optional: &[
            "encryption = { sse_algorithm = \"aws:kms\", bucket_key_enabled = true }",
            "public_access_block = { block_public_policy = false, restrict_public_buckets = false }",
            "versioning = \"Enabled\"",
            "lifecycle_rules = [{ id = \"old\", prefix = \"tmp/\", expiration_in_days = 7 }, { id = \"parts\", abort_incomplete_multipart_upload_days = 1 }]",
            "policy = { Version = \"2012-10-17\", Statement = [{ Sid = \"Read\", Effect = \"Allow\", Principal = { AWS = \"123456789012\" }, Action = \"s3:GetObject\", Resource = \"arn:aws:s3:::NAME-x/*\" }] }",
            "tls_only = true",
            "cors_rules = [{ allowed_methods = [\"GET\"], allowed_origins = [\"https://a.example\"], max_age_seconds = 60 }]",
            "empty_on_delete = true",
            "tags = { a = \"b\" }",
        ],
        changed: &[],
    },
    Case {
        type_name: "secretsmanager_secret",
        needs: "",
        least: "name = \"NAME-x\"\nrecovery_window_in_days = 7",
        optional: &["description = \"a token\"", "tags = { a = \"b\" }"],
        changed: &[("recovery_window_in_days = 7", "recovery_window_in_days = 0")],
    },
    Case {
        type_name: "iam_role",
        needs: "",
        least: "name = \"NAME-x\"\nassume_role_policy = { Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Action = \"sts:AssumeRole\", Principal = { Service = \"ecs-tasks.amazonaws.com\" } }] }",
        optional: &[
            "description = \"a role\"",
            "max_session_duration = 7200",
            "inline_policies = { a = { Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Action = \"s3:GetObject\", Resource = \"*\" }] } }",
            "managed_policy_arns = [\"arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy\"]",
            "tags = { a = \"b\" }",
        ],
        changed: &[("ecs-tasks.amazonaws.com", "ec2.amazonaws.com")],
    },
    Case {
        type_name: "iam_policy",
        needs: "",
        least: "name = \"NAME-x\"\npolicy = { Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Action = \"s3:GetObject\", Resource = \"*\" }] }",
        optional: &["tags = { a = \"b\" }"],
        changed: &[("s3:GetObject", "s3:PutObject"), ("name = \"NAME-x\"", "name = \"NAME-x\"\ndescription = \"for reading\"")],
    },
    Case {
        type_name: "cloudwatch_log_group",
        needs: "",
        least: "name = \"/t/NAME-x\"",
        optional: &["retention_in_days = 7", "tags = { a = \"b\" }"],
        changed: &[],
    },
];

pub const GAPS: &[Gap] = &[
    Gap {
        emulator: Emulator::Moto,
        type_name: "s3_bucket",
        attribute: "",
        evidence: "GetBucketVersioning answers <GetBucketVersioningResponse>; the API Reference's root is <VersioningConfiguration>, and the SDK accepts no other",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "vpc",
        attribute: "amazon_provided_ipv6_cidr_block",
        evidence: "AssociateVpcCidrBlock answers InvalidAction; it is in the EC2 API Reference",
    },
    Gap {
        emulator: Emulator::Fakecloud,
        type_name: "vpc",
        attribute: "amazon_provided_ipv6_cidr_block",
        evidence: "DisassociateVpcCidrBlock answers for vpc-00000000000000000 and the network stays associated; the EC2 API Reference disassociates it",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "subnet",
        attribute: "enable_dns64",
        evidence: "ModifySubnetAttribute ignores EnableDns64 of the EC2 API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "subnet",
        attribute: "enable_dns64",
        evidence: "ModifySubnetAttribute ignores EnableDns64 of the EC2 API Reference",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "security_group_rule",
        attribute: "description",
        evidence: "ModifySecurityGroupRules keeps a description that the new rule has not",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "lb_listener",
        attribute: "forward_config",
        evidence: "ModifyListener drops ForwardConfig; the ELBv2 API Reference returns it",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "ecs_service",
        attribute: "enable_ecs_managed_tags",
        evidence: "UpdateService drops enableECSManagedTags of the ECS API Reference",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "ecs_service",
        attribute: "propagate_tags",
        evidence: "UpdateService drops propagateTags of the ECS API Reference",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "iam_role",
        attribute: "description",
        evidence: "UpdateRole ignores an empty Description; the IAM API Reference allows it from 0 characters on",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "ecs_cluster",
        attribute: "container_insights",
        evidence: "UpdateClusterSettings answers 500",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "ecr_repository",
        attribute: "scan_on_push",
        evidence: "PutImageScanningConfiguration without scanOnPush keeps it; false is its default in the ECR API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "secretsmanager_secret",
        attribute: "description",
        evidence: "UpdateSecret ignores an empty Description; the Secrets Manager API Reference allows it from 0 characters on",
    },
    Gap {
        emulator: Emulator::Fakecloud,
        type_name: "ecr_repository",
        attribute: "scan_on_push",
        evidence: "PutImageScanningConfiguration refuses an empty configuration; scanOnPush is optional in the ECR API Reference",
    },
];
