//! The types a Fargate platform stands on: network, containers, roles, storage of images and secrets.

use super::Case;

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

const SUBNET: &str = r#"
[resource.subnet.c]
vpc_id = "${vpc.n.id}"
cidr_block = "10.9.9.0/24"
availability_zone = "us-east-1c"
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

pub const NEEDS: &[(&str, &str)] =
    &[("network", NETWORK), ("subnet", SUBNET), ("tasks", TASKS), ("bucket", "[resource.s3_bucket.n]\nbucket = \"NAME-n\"\n")];

pub const CASES: &[Case] = &[
    Case {
        type_name: "vpc",
        needs: "",
        least: "cidr_block = \"10.8.0.0/16\"",
        optional: &[
            "amazon_provided_ipv6_cidr_block = true",
            "instance_tenancy = \"dedicated\"",
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
        changed: &[
            ("from_port = 22", "from_port = 21"),
            ("to_port = 22", "to_port = 23"),
            ("ip_protocol = \"tcp\"", "ip_protocol = \"udp\""),
            ("type = \"ingress\"", "type = \"egress\""),
            ("referenced_group_id = \"${security_group.m.id}\"", "cidr_ipv4 = \"10.1.0.0/16\""),
        ],
    },
    Case {
        type_name: "ecs_cluster",
        needs: "",
        least: "name = \"NAME-x\"",
        optional: &[
            "container_insights = \"enabled\"",
            "capacity_providers = [\"FARGATE\", \"FARGATE_SPOT\"]",
            "execute_command = { logging = \"OVERRIDE\", cloud_watch_log_group_name = \"/exec\", s3_bucket_name = \"sessions\", s3_key_prefix = \"s\", kms_key_id = \"KEY\" }",
            "execute_command = { logging = \"OVERRIDE\", cloud_watch_log_group_name = \"/exec\", cloud_watch_encryption_enabled = true, s3_bucket_name = \"sessions\", s3_encryption_enabled = true }",
            "managed_storage = { fargate_ephemeral_storage_kms_key_id = \"KEY\" }",
            "service_connect_namespace = \"arn:aws:servicediscovery:us-east-1:123456789012:namespace/ns-1\"",
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
            "volumes = [{ name = \"scratch\" }, { name = \"disk\", configured_at_launch = true }]",
            "volumes = [{ name = \"shared\", efs_volume_configuration = { file_system_id = \"fs-01234567\", root_directory = \"/x\", transit_encryption = \"ENABLED\", transit_encryption_port = 2999, access_point_id = \"fsap-01234567\", iam = \"ENABLED\" } }]",
            "requires_compatibilities = [\"EC2\"]\nvolumes = [{ name = \"socket\", host = { source_path = \"/var/run/docker.sock\" } }]",
            "pid_mode = \"task\"",
            "enable_fault_injection = true",
            "tags = { a = \"b\" }",
        ],
        changed: &[
            ("cpu = 256\nmemory = 512", "cpu = 512\nmemory = 1024"),
            ("image = \"nginx:1\"", "image = \"nginx:2\""),
            ("environment = { A = \"1\" }", "environment = { A = \"2\", B = \"3\" }"),
            (
                "environment = { A = \"1\" }",
                "essential = true, cpu = 128, memory = 256, memory_reservation = 128, command = [\"a\"], entry_point = [\"b\"], user = \"1000\", working_directory = \"/w\", secrets = { S = \"arn:aws:secretsmanager:us-east-1:123456789012:secret:s\" }, environment_files = [\"arn:aws:s3:::b/e.env\"], port_mappings = [{ container_port = 80, name = \"web\", app_protocol = \"http\" }], log_configuration = { log_driver = \"awslogs\", options = { awslogs-group = \"g\" }, secret_options = { T = \"arn:aws:ssm:us-east-1:123456789012:parameter/t\" } }, health_check = { command = [\"CMD\", \"true\"], interval = 10, timeout = 4, retries = 2, start_period = 3 }",
            ),
            (
                "environment = { A = \"1\" }",
                "docker_labels = { l = \"1\" }, init_process_enabled = true, readonly_root_filesystem = true, start_timeout = 20, stop_timeout = 5, interactive = true, pseudo_terminal = true, repository_credentials = \"arn:aws:secretsmanager:us-east-1:123456789012:secret:r\", version_consistency = \"disabled\", ulimits = [{ name = \"nofile\", soft_limit = 10, hard_limit = 20 }], system_controls = { \"net.core.somaxconn\" = \"1024\" }, capabilities = { add = [\"SYS_PTRACE\"], drop = [\"ALL\"] }, restart_policy = { ignored_exit_codes = [0], restart_attempt_period = 60 }",
            ),
            ("environment = { A = \"1\" }", "tmpfs = [{ container_path = \"/tmp\", size = 64, mount_options = [\"noexec\"] }]"),
            (
                "environment = { A = \"1\" }",
                "mount_points = [{ source_volume = \"v\", container_path = \"/v\", read_only = true }], depends_on = [{ container_name = \"logs\", condition = \"START\" }], volumes_from = [{ source_container = \"logs\", read_only = true }] }, { name = \"logs\", image = \"fluent:1\", firelens_configuration = { type = \"fluentbit\", options = { enable-ecs-log-metadata = \"true\" } } }]\nvolumes = [{ name = \"v\"",
            ),
        ],
    },
    Case {
        type_name: "ecs_task_definition",
        needs: "tasks",
        least: "family = \"NAME-x\"\nrequires_compatibilities = [\"EC2\"]\nnetwork_mode = \"bridge\"\nmemory = 512\ncontainer_definitions = [{ name = \"web\", image = \"nginx:1\", environment = { A = \"1\" } }, { name = \"db\", image = \"db:1\" }]",
        optional: &[
            "ipc_mode = \"task\"",
            "placement_constraints = [{ expression = \"attribute:ecs.instance-type =~ t3.*\" }]",
            "volumes = [{ name = \"cache\", docker_volume_configuration = { scope = \"shared\", autoprovision = true, driver = \"local\", driver_opts = { type = \"tmpfs\" }, labels = { a = \"b\" } } }]",
        ],
        changed: &[
            (
                "environment = { A = \"1\" }",
                "links = [\"db\"], hostname = \"web\", extra_hosts = [{ hostname = \"h\", ip_address = \"10.0.0.9\" }], dns_servers = [\"10.0.0.2\"], dns_search_domains = [\"example.internal\"]",
            ),
            (
                "environment = { A = \"1\" }",
                "privileged = true, disable_networking = true, docker_security_options = [\"no-new-privileges\"], resource_requirements = [{ type = \"GPU\", value = \"1\" }]",
            ),
            (
                "environment = { A = \"1\" }",
                "shared_memory_size = 64, max_swap = 0, swappiness = 10, devices = [{ host_path = \"/dev/fuse\", container_path = \"/dev/fuse\", permissions = [\"read\"] }]",
            ),
        ],
    },
    Case {
        type_name: "ecs_service",
        needs: "network+tasks",
        least: "name = \"NAME-x\"\ncluster = \"${ecs_cluster.n.arn}\"\ntask_definition = \"${ecs_task_definition.n.arn}\"\nlaunch_type = \"EC2\"\nrollout = \"none\"\nnetwork_configuration = { subnets = [\"${subnet.a.id}\"], security_groups = [\"${security_group.n.id}\"] }",
        optional: &[
            "placement_constraints = [{ type = \"distinctInstance\" }, { type = \"memberOf\", expression = \"attribute:ecs.instance-type =~ t3.*\" }]",
            "placement_strategy = [{ type = \"spread\", field = \"attribute:ecs.availability-zone\" }, { type = \"binpack\", field = \"memory\" }]",
        ],
        changed: &[],
    },
    Case {
        type_name: "ecs_service",
        needs: "network+balancer+listener+tasks",
        least: "name = \"NAME-x\"\ncluster = \"${ecs_cluster.n.arn}\"\ntask_definition = \"${ecs_task_definition.n.arn}\"\nlaunch_type = \"FARGATE\"\nrollout = \"none\"\nnetwork_configuration = { subnets = [\"${subnet.a.id}\"], security_groups = [\"${security_group.n.id}\"] }",
        optional: &[
            "desired_count = 2",
            "deployment_configuration = { maximum_percent = 150, minimum_healthy_percent = 50, deployment_circuit_breaker = { enable = true, rollback = true } }",
            "deployment_configuration = { alarms = { alarm_names = [\"a\"], enable = true, rollback = true } }",
            "deployment_configuration = { strategy = \"BLUE_GREEN\", bake_time_in_minutes = 5, lifecycle_hooks = [{ hook_target_arn = \"arn:aws:lambda:us-east-1:123456789012:function:f\", role_arn = \"${iam_role.n.arn}\", lifecycle_stages = [\"PRE_SCALE_UP\"] }] }",
            "deployment_configuration = { strategy = \"LINEAR\", linear_configuration = { step_percent = 20.0, step_bake_time_in_minutes = 2 } }",
            "deployment_configuration = { strategy = \"CANARY\", canary_configuration = { canary_percent = 10.0, canary_bake_time_in_minutes = 2 } }",
            "load_balancers = [{ target_group_arn = \"${lb_target_group.n.arn}\", container_name = \"web\", container_port = 80 }]\nhealth_check_grace_period_seconds = 30",
            "load_balancers = [{ target_group_arn = \"${lb_target_group.n.arn}\", container_name = \"web\", container_port = 80, advanced_configuration = { alternate_target_group_arn = \"${lb_target_group.m.arn}\", production_listener_rule = \"${lb_listener.n.arn}\", role_arn = \"${iam_role.n.arn}\" } }]",
            "service_registries = [{ registry_arn = \"arn:aws:servicediscovery:us-east-1:123456789012:service/srv-1\", container_name = \"web\", container_port = 80 }]",
            "service_connect_configuration = { namespace = \"arn:aws:servicediscovery:us-east-1:123456789012:namespace/ns-1\", services = [{ port_name = \"web\", discovery_name = \"web\", client_aliases = [{ port = 80, dns_name = \"web\" }], ingress_port_override = 8080, timeout = { idle_timeout_seconds = 60 } }], log_configuration = { log_driver = \"awslogs\", options = { awslogs-group = \"g\" } } }",
            "volume_configurations = [{ name = \"disk\", managed_ebs_volume = { role_arn = \"${iam_role.n.arn}\", size_in_gib = 10, volume_type = \"gp3\", filesystem_type = \"ext4\" } }]",
            "platform_version = \"1.4.0\"",
            "availability_zone_rebalancing = \"ENABLED\"",
            "enable_execute_command = true",
            "enable_ecs_managed_tags = true",
            "propagate_tags = \"SERVICE\"",
            "tags = { a = \"b\" }",
        ],
        changed: &[
            ("task_definition = \"${ecs_task_definition.n.arn}\"", "task_definition = \"${ecs_task_definition.m.arn}\""),
            (
                "launch_type = \"FARGATE\"",
                "capacity_provider_strategy = [{ capacity_provider = \"FARGATE_SPOT\", weight = 2 }, { capacity_provider = \"FARGATE\", weight = 1, base = 1 }]",
            ),
            ("subnets = [\"${subnet.a.id}\"]", "subnets = [\"${subnet.a.id}\", \"${subnet.b.id}\"], assign_public_ip = \"ENABLED\""),
        ],
    },
    Case {
        type_name: "ecr_repository",
        needs: "",
        least: "name = \"NAME-x\"",
        optional: &[
            "image_tag_mutability = \"IMMUTABLE\"",
            "image_tag_mutability = \"IMMUTABLE_WITH_EXCLUSION\"\nimage_tag_mutability_exclusion_filters = [\"latest*\"]",
            "encryption_type = \"KMS\"\nkms_key = \"KEY\"",
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
        needs: "bucket",
        least: "bucket = \"NAME-x\"",
        optional: &[
            "encryption = { sse_algorithm = \"aws:kms\", kms_master_key_id = \"KEY\", bucket_key_enabled = true }",
            "object_ownership = \"BucketOwnerPreferred\"",
            "logging = { target_bucket = \"${s3_bucket.n.bucket}\", target_prefix = \"p/\" }",
            "encryption = { bucket_key_enabled = true, blocked_encryption_types = [\"SSE-C\"] }",
            "logging = { target_bucket = \"${s3_bucket.n.bucket}\", target_object_key_format = { partitioned_prefix = {} } }",
            "public_access_block = { restrict_public_buckets = false }\nwebsite = { index_document = \"index.html\", error_document = \"404.html\", routing_rules = [{ condition = { key_prefix_equals = \"old/\" }, redirect = { replace_key_prefix_with = \"new/\" } }] }",
            "public_access_block = { restrict_public_buckets = false }\nwebsite = { redirect_all_requests_to = { host_name = \"www.example.org\", protocol = \"https\" } }",
            "event_bridge_enabled = true",
            "notifications = [{ id = \"all\", target_arn = \"arn:aws:sqs:us-east-1:123456789012:q\", events = [\"s3:ObjectCreated:*\"], filter_prefix = \"in/\", filter_suffix = \".zip\" }]",
            "lifecycle_rules = [{ id = \"cool\", tags = { a = \"b\" }, object_size_greater_than = 1024, transitions = [{ storage_class = \"STANDARD_IA\", days = 30 }], noncurrent_version_transitions = [{ storage_class = \"GLACIER\", days = 60 }], noncurrent_version_expiration_in_days = 90, newer_noncurrent_versions = 3 }, { id = \"off\", status = \"Disabled\", expired_object_delete_marker = true }]",
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
        optional: &[
            "description = \"a token\"",
            "kms_key_id = \"KEY\"",
            "replica_regions = [{ region = \"us-west-2\" }, { region = \"eu-west-1\", kms_key_id = \"KEY\" }]",
            "generate = { length = 20, exclude_punctuation = true }",
            "tags = { a = \"b\" }",
        ],
        changed: &[("recovery_window_in_days = 7", "recovery_window_in_days = 0")],
    },
    Case {
        type_name: "iam_role",
        needs: "",
        least: "name = \"NAME-x\"\nassume_role_policy = { Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Action = \"sts:AssumeRole\", Principal = { Service = \"ecs-tasks.amazonaws.com\" } }] }",
        optional: &[
            "description = \"a role\"",
            "max_session_duration = 7200",
            "path = \"/apps/\"",
            "permissions_boundary = \"arn:aws:iam::aws:policy/PowerUserAccess\"",
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
        optional: &["path = \"/apps/\"", "tags = { a = \"b\" }"],
        changed: &[("s3:GetObject", "s3:PutObject"), ("name = \"NAME-x\"", "name = \"NAME-x\"\ndescription = \"for reading\"")],
    },
    Case {
        type_name: "cloudwatch_log_group",
        needs: "",
        least: "name = \"/t/NAME-x\"",
        optional: &[
            "retention_in_days = 7",
            "kms_key_id = \"KEY\"",
            "deletion_protection_enabled = true",
            "log_group_class = \"INFREQUENT_ACCESS\"",
            "tags = { a = \"b\" }",
        ],
        changed: &[],
    },
];
