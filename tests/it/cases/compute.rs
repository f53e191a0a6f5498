//! Machines and the network around them.

mod gaps;

pub use self::gaps::GAPS;
use super::Case;

/// A machine's network, role and key.
const MACHINE: &str = r#"
[resource.vpc.n]
cidr_block = "10.9.0.0/16"
[resource.subnet.a]
vpc_id = "${vpc.n.id}"
cidr_block = "10.9.0.0/24"
availability_zone = "us-east-1a"
[resource.internet_gateway.n]
vpc_id = "${vpc.n.id}"
[resource.route_table.n]
vpc_id = "${vpc.n.id}"
[resource.security_group.n]
name = "NAME-n"
description = "n"
vpc_id = "${vpc.n.id}"
[resource.security_group.m]
name = "NAME-m"
description = "m"
vpc_id = "${vpc.n.id}"
[data.ssm_parameter.image]
name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
"#;

const PROFILES: &str = r#"
[resource.iam_role.n]
name = "NAME-n"
assume_role_policy = { Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }] }
[resource.iam_role.m]
name = "NAME-m"
assume_role_policy = { Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }] }
[resource.iam_instance_profile.n]
name = "NAME-n"
role = "${iam_role.n.name}"
[resource.iam_instance_profile.m]
name = "NAME-m"
role = "${iam_role.m.name}"
"#;

const KEY_PAIR: &str = r#"
[resource.key_pair.n]
name = "NAME-n"
public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJSRTXwJz22KXsImUFiJu6OWjrL0KCtDR0qVyQn3iTgV n@host"
"#;

const INSTANCE: &str = r#"
[resource.instance.n]
image_id = "${data.ssm_parameter.image.value}"
instance_type = "t3a.small"
subnet_id = "${subnet.a.id}"
[resource.instance.m]
image_id = "${data.ssm_parameter.image.value}"
instance_type = "t3a.small"
subnet_id = "${subnet.a.id}"
"#;

const ADDRESSES: &str = r#"
[resource.eip.n]
[resource.eip.m]
[resource.eip.o]
"#;

/// Ways out of the network.
const WAYS: &str = r#"
[resource.nat_gateway.n]
subnet_id = "${subnet.a.id}"
allocation_id = "${eip.n.id}"
depends_on = ["internet_gateway.n"]
"#;

const EGRESS: &str = r#"
[resource.egress_only_internet_gateway.n]
vpc_id = "${vpc.n.id}"
"#;

pub const NEEDS: &[(&str, &str)] = &[
    ("machine", MACHINE),
    ("profiles", PROFILES),
    ("key", KEY_PAIR),
    ("instance", INSTANCE),
    ("addresses", ADDRESSES),
    ("ways", WAYS),
    ("egress", EGRESS),
];

pub const CASES: &[Case] = &[
    Case {
        type_name: "iam_instance_profile",
        needs: "machine+profiles",
        least: "name = \"NAME-x\"",
        optional: &["path = \"/p/\"", "role = \"${iam_role.n.name}\"", "tags = { a = \"b\" }"],
        changed: &[],
    },
    Case {
        type_name: "iam_instance_profile",
        needs: "machine+profiles",
        least: "name = \"NAME-x\"\nrole = \"${iam_role.n.name}\"",
        optional: &[],
        changed: &[("iam_role.n", "iam_role.m")],
    },
    Case {
        type_name: "key_pair",
        needs: "",
        least: "name = \"NAME-x\"\npublic_key = \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJSRTXwJz22KXsImUFiJu6OWjrL0KCtDR0qVyQn3iTgV me@host\"",
        optional: &["tags = { a = \"b\" }"],
        changed: &[(
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJSRTXwJz22KXsImUFiJu6OWjrL0KCtDR0qVyQn3iTgV",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIN9PqhuI+lK5bDP1xlgRXL8oR3AKTn9wWQIh2jLHZ4Lm",
        )],
    },
    Case {
        type_name: "instance",
        needs: "machine+profiles",
        least: "image_id = \"${data.ssm_parameter.image.value}\"\ninstance_type = \"t3a.small\"\nsubnet_id = \"${subnet.a.id}\"\nsecurity_group_ids = [\"${security_group.n.id}\"]",
        optional: &[
            "private_ip_address = \"10.9.0.77\"",
            "source_dest_check = false",
            "associate_public_ip_address = true",
            "iam_instance_profile = \"${iam_instance_profile.n.name}\"",
            "user_data = \"\"\"#!/bin/sh\ntouch /ä\n\"\"\"",
            "metadata_options = { http_tokens = \"required\", http_put_response_hop_limit = 2, http_endpoint = \"enabled\" }",
            "metadata_options = { http_protocol_ipv6 = \"enabled\" }",
            "metadata_options = { instance_metadata_tags = \"enabled\" }",
            "monitoring = true",
            "ebs_optimized = true",
            "credit_specification = { cpu_credits = \"unlimited\" }",
            "disable_api_stop = true",
            "instance_initiated_shutdown_behavior = \"terminate\"",
            "tenancy = \"dedicated\"",
            "hibernation = true",
            "tags = { a = \"b\" }",
        ],
        changed: &[
            ("t3a.small", "t3a.medium"),
            ("t3a.small", "m5.large"),
            ("[\"${security_group.n.id}\"]", "[\"${security_group.m.id}\", \"${security_group.n.id}\"]"),
        ],
    },
    Case {
        type_name: "instance",
        needs: "machine+profiles",
        least: "image_id = \"${data.ssm_parameter.image.value}\"\ninstance_type = \"t3a.small\"\nsubnet_id = \"${subnet.a.id}\"\niam_instance_profile = \"${iam_instance_profile.n.name}\"",
        optional: &["disable_api_termination = true"],
        changed: &[("iam_instance_profile.n", "iam_instance_profile.m")],
    },
    Case {
        type_name: "instance",
        needs: "machine+key",
        least: "image_id = \"${data.ssm_parameter.image.value}\"\ninstance_type = \"t3a.small\"\nsubnet_id = \"${subnet.a.id}\"\navailability_zone = \"us-east-1a\"",
        optional: &["key_name = \"${key_pair.n.name}\""],
        changed: &[],
    },
    Case {
        type_name: "instance",
        needs: "machine",
        least: "image_id = \"${data.ssm_parameter.image.value}\"\ninstance_type = \"t3a.small\"\nsubnet_id = \"${subnet.a.id}\"\nroot_block_device = { volume_size = 20, volume_type = \"gp3\", iops = 3000, encrypted = false }",
        optional: &["ebs_block_devices = [{ device_name = \"/dev/sdf\", volume_size = 10, volume_type = \"gp3\" }]"],
        changed: &[
            ("volume_size = 20", "volume_size = 30"),
            ("iops = 3000", "iops = 4000"),
            ("encrypted = false", "encrypted = true"),
            ("iops = 3000", "iops = 3000, delete_on_termination = false"),
        ],
    },
    Case {
        type_name: "instance",
        needs: "machine",
        least: "image_id = \"${data.ssm_parameter.image.value}\"\ninstance_type = \"t3a.small\"\nsubnet_id = \"${subnet.a.id}\"\nroot_block_device = { volume_size = 20, volume_type = \"gp3\", throughput = 125 }",
        optional: &[],
        changed: &[("throughput = 125", "throughput = 200")],
    },
    Case {
        type_name: "instance",
        needs: "machine",
        least: "image_id = \"${data.ssm_parameter.image.value}\"\ninstance_type = \"t3a.small\"\nsubnet_id = \"${subnet.a.id}\"\nebs_block_devices = [{ device_name = \"/dev/sdf\", volume_size = 10, volume_type = \"gp3\" }]",
        optional: &[],
        changed: &[
            ("volume_size = 10", "volume_size = 11"),
            ("volume_type = \"gp3\"", "volume_type = \"gp3\", delete_on_termination = false"),
            ("[{", "[{ device_name = \"/dev/sdg\", volume_size = 12 }, {"),
        ],
    },
    Case {
        type_name: "eip",
        needs: "machine+instance",
        least: "depends_on = [\"internet_gateway.n\"]",
        optional: &["instance_id = \"${instance.n.id}\"", "tags = { a = \"b\" }"],
        changed: &[],
    },
    Case {
        type_name: "eip",
        needs: "machine+instance",
        least: "instance_id = \"${instance.n.id}\"\ndepends_on = [\"internet_gateway.n\"]",
        optional: &[],
        changed: &[("instance.n", "instance.m")],
    },
    Case {
        type_name: "nat_gateway",
        needs: "machine+addresses",
        least: "subnet_id = \"${subnet.a.id}\"\nallocation_id = \"${eip.n.id}\"\ndepends_on = [\"internet_gateway.n\"]",
        optional: &[
            "private_ip_address = \"10.9.0.50\"",
            "secondary_allocation_ids = [\"${eip.m.id}\", \"${eip.o.id}\"]",
            "tags = { a = \"b\" }",
        ],
        changed: &[("eip.n", "eip.m")],
    },
    Case {
        type_name: "nat_gateway",
        needs: "machine",
        least: "subnet_id = \"${subnet.a.id}\"\nconnectivity_type = \"private\"",
        optional: &["tags = { a = \"b\" }"],
        changed: &[],
    },
    Case {
        type_name: "vpc_endpoint",
        needs: "machine",
        least: "vpc_id = \"${vpc.n.id}\"\nservice_name = \"com.amazonaws.us-east-1.s3\"",
        optional: &[
            "route_table_ids = [\"${route_table.n.id}\"]",
            "policy_document = { Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Principal = \"*\", Action = \"s3:GetObject\", Resource = \"*\" }] }",
            "tags = { a = \"b\" }",
        ],
        changed: &[],
    },
    Case {
        type_name: "vpc_endpoint",
        needs: "machine",
        least: "vpc_id = \"${vpc.n.id}\"\nservice_name = \"com.amazonaws.us-east-1.ssm\"\nvpc_endpoint_type = \"Interface\"\nsecurity_group_ids = [\"${security_group.n.id}\"]\nprivate_dns_enabled = true",
        optional: &[
            "subnet_ids = [\"${subnet.a.id}\"]",
            "ip_address_type = \"dualstack\"",
            "dns_options = { dns_record_ip_type = \"dualstack\" }",
        ],
        changed: &[("security_group.n", "security_group.m"), ("private_dns_enabled = true", "private_dns_enabled = false")],
    },
    Case {
        type_name: "egress_only_internet_gateway",
        needs: "machine",
        least: "vpc_id = \"${vpc.n.id}\"",
        optional: &["tags = { a = \"b\" }"],
        changed: &[],
    },
    Case {
        type_name: "route_table",
        needs: "machine+addresses+ways",
        least: "vpc_id = \"${vpc.n.id}\"",
        optional: &["routes = [{ destination_cidr_block = \"0.0.0.0/0\", nat_gateway_id = \"${nat_gateway.n.id}\" }]"],
        changed: &[],
    },
    Case {
        type_name: "default_route_table",
        needs: "machine",
        least: "vpc_id = \"${vpc.n.id}\"",
        optional: &[
            "routes = [{ destination_cidr_block = \"0.0.0.0/0\", gateway_id = \"${internet_gateway.n.id}\" }]",
            "tags = { a = \"b\" }",
        ],
        changed: &[],
    },
    Case {
        type_name: "default_security_group",
        needs: "machine",
        least: "vpc_id = \"${vpc.n.id}\"",
        optional: &[
            "ingress = [{ ip_protocol = \"tcp\", from_port = 80, to_port = 80, cidr_ipv4 = \"10.0.0.0/8\", description = \"web\" }]",
            "egress = [{ ip_protocol = \"-1\", cidr_ipv4 = \"0.0.0.0/0\" }]",
            "tags = { a = \"b\" }",
        ],
        changed: &[],
    },
    Case {
        type_name: "route_table",
        needs: "machine+egress",
        least: "vpc_id = \"${vpc.n.id}\"",
        optional: &[
            "routes = [{ destination_ipv6_cidr_block = \"::/0\", egress_only_internet_gateway_id = \"${egress_only_internet_gateway.n.id}\" }]",
        ],
        changed: &[],
    },
    Case {
        type_name: "route_table",
        needs: "machine+instance",
        least: "vpc_id = \"${vpc.n.id}\"",
        optional: &[
            "routes = [{ destination_cidr_block = \"0.0.0.0/0\", network_interface_id = \"${instance.n.primary_network_interface_id}\" }]",
        ],
        changed: &[],
    },
];
