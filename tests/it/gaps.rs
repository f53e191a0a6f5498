//! What the emulators do wrong, each with the evidence; such an attribute is covered by another emulator.

use crate::cases::{compute, domains, growing, storage, watching};
use crate::support::emulator::Emulator;

/// What an emulator does wrong, as shown by AWS's own documentation; such an attribute is covered by another emulator.
pub struct Gap {
    pub emulator: Emulator,
    pub type_name: &'static str,
    /// The attribute, or empty for the whole type. A case that cannot do without the attribute is left out; so is
    /// one that needs what is named here.
    pub attribute: &'static str,
    pub evidence: &'static str,
}

/// Every gap that tests meet.
pub fn all() -> impl Iterator<Item = &'static Gap> {
    own().chain(watching::BY_QUERY)
}

/// Every gap that leoctl itself meets.
pub fn own() -> impl Iterator<Item = &'static Gap> {
    [GAPS, storage::GAPS, watching::GAPS, domains::GAPS, compute::GAPS, growing::GAPS].into_iter().flatten()
}

const GAPS: &[Gap] = &[
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "lb",
        attribute: "ipam_pools",
        evidence: "CreateLoadBalancer and DescribeLoadBalancers lack IpamPools, and there is no ModifyIpPools, of the ELBv2 API Reference",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "lb",
        attribute: "minimum_load_balancer_capacity",
        evidence: "there is no ModifyCapacityReservation of the ELBv2 API Reference",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "ecs_service",
        attribute: "placement_strategy",
        evidence: "CreateService and DescribeServices drop placementStrategy of the ECS API Reference",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "ecs_service",
        attribute: "placement_constraints",
        evidence: "CreateService and DescribeServices drop placementConstraints of the ECS API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "lb",
        attribute: "ipam_pools",
        evidence: "CreateLoadBalancer and DescribeLoadBalancers lack IpamPools, and there is no ModifyIpPools, of the ELBv2 API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "lb",
        attribute: "minimum_load_balancer_capacity",
        evidence: "there is no ModifyCapacityReservation of the ELBv2 API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "ecs_service",
        attribute: "placement_strategy",
        evidence: "CreateService and DescribeServices drop placementStrategy of the ECS API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "ecs_service",
        attribute: "placement_constraints",
        evidence: "CreateService and DescribeServices drop placementConstraints of the ECS API Reference",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "lb",
        attribute: "enforce_security_group",
        evidence: "SetSecurityGroups and DescribeLoadBalancers lack EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic of the ELBv2 API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "lb",
        attribute: "enforce_security_group",
        evidence: "SetSecurityGroups and DescribeLoadBalancers lack EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic of the ELBv2 API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "lb",
        attribute: "subnet_mappings",
        evidence: "DescribeLoadBalancers returns no LoadBalancerAddresses; they are in the ELBv2 API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "lb_listener",
        attribute: "mutual_authentication",
        evidence: "CreateListener and ModifyListener drop MutualAuthentication of the ELBv2 API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "lb_listener",
        attribute: "alpn_policy",
        evidence: "ModifyListener refuses TLS; it is among the protocols in the ELBv2 API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "lb_listener",
        attribute: "protocol = \"TCP\"",
        evidence: "ModifyListener refuses TLS; it is among the protocols in the ELBv2 API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "lb_listener_rule",
        attribute: "jwt-validation",
        evidence: "ModifyRule answers 500 to a type of action in the ELBv2 API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "lb_listener_rule",
        attribute: "regex_values",
        evidence: "ModifyRule answers 500 to RegexValues of the ELBv2 API Reference; no emulator returns them",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "ecs_service",
        attribute: "FARGATE_SPOT",
        evidence: "after UpdateService with an empty capacityProviderStrategy DescribeServices says launch type EC2; by the ECS API Reference's UpdateService that goes back to the launch type, which here is FARGATE",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "lb_listener_rule",
        attribute: "regex_values",
        evidence: "CreateRule and ModifyRule drop RegexValues of the ELBv2 API Reference; no emulator returns them",
    },
    Gap {
        emulator: Emulator::Fakecloud,
        type_name: "lb_listener_rule",
        attribute: "regex_values",
        evidence: "CreateRule and ModifyRule drop RegexValues of the ELBv2 API Reference; no emulator returns them",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "lb_listener_rule",
        attribute: "https-listener",
        evidence: "DescribeListenerCertificates answers InvalidAction; it is in the ELBv2 API Reference",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "lb_listener_rule",
        attribute: "query-string",
        evidence: "CreateRule and ModifyRule drop QueryStringConfig of the ELBv2 API Reference",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "lb_listener_rule",
        attribute: "forward_config",
        evidence: "CreateRule and ModifyRule drop ForwardConfig of the ELBv2 API Reference",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "lb",
        attribute: "subnet_mappings",
        evidence: "CreateLoadBalancer ignores SubnetMappings of the ELBv2 API Reference",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "lb_target_group",
        attribute: "protocol_version",
        evidence: "CreateTargetGroup drops ProtocolVersion of the ELBv2 API Reference",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "lb_listener",
        attribute: "certificates",
        evidence: "AddListenerCertificates and DescribeListenerCertificates answer InvalidAction; they are in the ELBv2 API Reference",
    },
    Gap {
        emulator: Emulator::Fakecloud,
        type_name: "lb_listener_rule",
        attribute: "transforms",
        evidence: "CreateRule and ModifyRule drop Transforms of the ELBv2 API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "lb_listener_rule",
        attribute: "transforms",
        evidence: "CreateRule and ModifyRule drop Transforms of the ELBv2 API Reference",
    },
    Gap {
        emulator: Emulator::Fakecloud,
        type_name: "lb_target_group",
        attribute: "target_control_port",
        evidence: "CreateTargetGroup drops TargetControlPort of the ELBv2 API Reference; no emulator has it",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "lb_target_group",
        attribute: "target_control_port",
        evidence: "CreateTargetGroup drops TargetControlPort of the ELBv2 API Reference; no emulator has it",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "lb_target_group",
        attribute: "target_control_port",
        evidence: "CreateTargetGroup drops TargetControlPort of the ELBv2 API Reference; no emulator has it",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "vpc",
        attribute: "instance_tenancy",
        evidence: "ModifyVpcTenancy answers InvalidAction; it is in the EC2 API Reference",
    },
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
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "ecs_task_definition",
        attribute: "enable_fault_injection",
        evidence: "RegisterTaskDefinition drops enableFaultInjection of the ECS API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "ecs_task_definition",
        attribute: "enable_fault_injection",
        evidence: "RegisterTaskDefinition drops enableFaultInjection of the ECS API Reference",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "ecs_service",
        attribute: "service_registries",
        evidence: "UpdateService drops serviceRegistries of the ECS API Reference",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "ecs_service",
        attribute: "service_connect_configuration",
        evidence: "DescribeServices lacks serviceConnectConfiguration of the ECS API Reference's Deployment",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "ecs_service",
        attribute: "service_connect_configuration",
        evidence: "DescribeServices lacks serviceConnectConfiguration of the ECS API Reference's Deployment",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "ecs_service",
        attribute: "volume_configurations",
        evidence: "DescribeServices lacks volumeConfigurations of the ECS API Reference's Deployment",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "ecs_service",
        attribute: "volume_configurations",
        evidence: "DescribeServices lacks volumeConfigurations of the ECS API Reference's Deployment",
    },
    Gap {
        emulator: Emulator::Fakecloud,
        type_name: "ecs_service",
        attribute: "volume_configurations",
        evidence: "DescribeServices lacks volumeConfigurations of the ECS API Reference's Deployment",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "ecs_service",
        attribute: "availability_zone_rebalancing",
        evidence: "UpdateService drops availabilityZoneRebalancing of the ECS API Reference",
    },
    Gap {
        emulator: Emulator::Fakecloud,
        type_name: "ecs_service",
        attribute: "alarms",
        evidence: "UpdateService drops alarms of the ECS API Reference's DeploymentConfiguration",
    },
    Gap {
        emulator: Emulator::Fakecloud,
        type_name: "ecs_service",
        attribute: "{ strategy",
        evidence: "UpdateService drops strategy of the ECS API Reference's DeploymentConfiguration",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "ecr_repository",
        attribute: "exclusion_filters",
        evidence: "PutImageTagMutability drops imageTagMutabilityExclusionFilters of the ECR API Reference",
    },
    Gap {
        emulator: Emulator::Fakecloud,
        type_name: "ecr_repository",
        attribute: "exclusion_filters",
        evidence: "PutImageTagMutability refuses IMMUTABLE_WITH_EXCLUSION of the ECR API Reference",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "s3_bucket",
        attribute: "notifications",
        evidence: "PutBucketNotificationConfiguration asks whether the queue exists, as S3 does, and none does",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "secretsmanager_secret",
        attribute: "replica_regions",
        evidence: "RemoveRegionsFromReplication is an unknown action; it is in the Secrets Manager API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "secretsmanager_secret",
        attribute: "replica_regions",
        evidence: "ReplicateSecretToRegions ignores KmsKeyId of the Secrets Manager API Reference",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "cloudwatch_log_group",
        attribute: "kms_key_id",
        evidence: "AssociateKmsKey is an unknown action; it is in the CloudWatch Logs API Reference",
    },
    Gap { emulator: Emulator::Moto, type_name: "cloudwatch_log_group", attribute: "kms_key_id", evidence: "AssociateKmsKey answers 500" },
    Gap {
        emulator: Emulator::Moto,
        type_name: "cloudwatch_log_group",
        attribute: "log_group_class",
        evidence: "CreateLogGroup drops logGroupClass of the CloudWatch Logs API Reference",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "cloudwatch_log_group",
        attribute: "deletion_protection",
        evidence: "PutLogGroupDeletionProtection is an unknown action; it is in the CloudWatch Logs API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "cloudwatch_log_group",
        attribute: "deletion_protection",
        evidence: "PutLogGroupDeletionProtection answers 500; it is in the CloudWatch Logs API Reference",
    },
    Gap {
        emulator: Emulator::Fakecloud,
        type_name: "cloudwatch_log_group",
        attribute: "deletion_protection",
        evidence: "DescribeLogGroups lacks deletionProtectionEnabled; it is in the CloudWatch Logs API Reference",
    },
];
