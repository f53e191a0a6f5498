//! What a service's tasks are attached to: network, load balancers, Cloud Map, disks.

use aws_sdk_ecs::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{from_api, to_api, unbuilt};
use crate::resource::Tags;
use leoctl_core::engine::ports::Outcome;
use leoctl_core::model::schema::{NamedIn, NamedPart};

/// Where tasks are in the network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfiguration {
    /// Their subnets.
    #[schemars(extend("x-format" = "id:subnet:subnet-", "x-set" = true))]
    subnets: Vec<String>,
    /// Their security groups; the VPC's default group when left out.
    #[schemars(extend("x-format" = "id:security_group:sg-", "x-set" = true, "x-server" = true))]
    security_groups: Option<Vec<String>>,
    /// Whether they get public addresses; without, they need a NAT gateway to pull images.
    #[schemars(extend("default" = "DISABLED", "enum" = ["ENABLED", "DISABLED"]))]
    assign_public_ip: String,
}

/// What the containers of the task definition have to have (ECS API Reference, LoadBalancer and ServiceRegistry: a container's
/// name and port "in the task definition").
pub(super) const CONTAINERS: &[NamedIn] = &[
    container(&["load_balancers", "container_name"]),
    port(&["load_balancers", "container_port"]),
    container(&["service_registries", "container_name"]),
    port(&["service_registries", "container_port"]),
];

const fn container(attribute: &'static [&'static str]) -> NamedIn {
    NamedIn { attribute, through: "task_definition", names: &["container_definitions", "name"], what: "a container", part: None }
}

/// A port is one of the container that is named beside it.
const fn port(attribute: &'static [&'static str]) -> NamedIn {
    NamedIn {
        attribute,
        through: "task_definition",
        names: &["container_definitions", "port_mappings", "container_port"],
        what: "a port",
        part: Some(NamedPart { beside: "container_name", parts: &["container_definitions"], name: "name", what: "the container" }),
    }
}

/// A target group or a classic load balancer tasks are registered in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceLoadBalancer {
    /// The target group.
    #[schemars(extend("x-format" = "arn:elasticloadbalancing"))]
    target_group_arn: Option<String>,
    /// The classic load balancer, by its name, instead of a target group; not with the network mode `awsvpc`.
    load_balancer_name: Option<String>,
    /// The container that gets the requests.
    container_name: String,
    /// Its port.
    #[schemars(range(min = 1, max = 65535))]
    container_port: i32,
    /// Where new tasks stand until the requests move to them, for strategies other than `ROLLING`.
    advanced_configuration: Option<Alternate>,
}

/// Where new tasks stand until the requests move to them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alternate {
    /// The other target group.
    #[schemars(extend("x-format" = "arn:elasticloadbalancing"))]
    alternate_target_group_arn: String,
    /// The listener rule (or the listener of a network load balancer) whose requests move.
    #[schemars(extend("x-format" = "arn:elasticloadbalancing"))]
    production_listener_rule: String,
    /// The rule of test requests, which move first.
    #[schemars(extend("x-format" = "arn:elasticloadbalancing"))]
    test_listener_rule: Option<String>,
    /// The role ECS changes the rules with.
    #[schemars(extend("x-format" = "arn:iam"))]
    role_arn: String,
}

/// A Cloud Map service tasks are registered in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceRegistry {
    /// The Cloud Map service.
    #[schemars(extend("x-format" = "arn:servicediscovery"))]
    registry_arn: String,
    /// The container, for SRV records of tasks with ports of their instance.
    container_name: Option<String>,
    /// Its port, with `container_name`.
    #[schemars(range(min = 1, max = 65535))]
    container_port: Option<i32>,
    /// The port of SRV records, instead of a container's; for tasks with a network interface of their own alone.
    #[schemars(range(min = 1, max = 65535))]
    port: Option<i32>,
}

/// A disk each task gets for its volume of the same name, which says `configured_at_launch`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceVolume {
    /// The volume's name in the task definition.
    name: String,
    /// The EBS volume.
    managed_ebs_volume: EbsVolume,
}

/// An EBS volume that ECS makes for each task, and deletes with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EbsVolume {
    /// The role ECS makes it with.
    #[schemars(extend("x-format" = "arn:iam"))]
    role_arn: String,
    /// The size; a snapshot's own when left out.
    #[schemars(extend("x-server" = true), range(min = 1, max = 65536))]
    size_in_gib: Option<i32>,
    /// The kind of disk.
    #[schemars(extend("x-server" = true, "enum" = ["gp2", "gp3", "io1", "io2", "sc1", "st1", "standard"]))]
    volume_type: Option<String>,
    /// Operations in a second.
    #[schemars(extend("x-server" = true))]
    iops: Option<i32>,
    /// MiB in a second, for `gp3`.
    #[schemars(extend("x-server" = true))]
    throughput: Option<i32>,
    /// Whether it is encrypted.
    #[schemars(extend("x-server" = true))]
    encrypted: Option<bool>,
    /// The KMS key.
    kms_key_id: Option<String>,
    /// The snapshot it begins as.
    snapshot_id: Option<String>,
    /// MiB in a second with which the snapshot is read as the volume is made, with `snapshot_id`; as fast as it comes when left out.
    #[schemars(range(min = 100, max = 300))]
    volume_initialization_rate: Option<i32>,
    /// The tags of the volume, beside those that ECS gives it.
    #[schemars(extend("default" = [], "x-key" = "resource_type"))]
    tag_specifications: Vec<VolumeTags>,
    /// The file system on it.
    #[schemars(extend("x-server" = true, "enum" = ["xfs", "ext3", "ext4", "ntfs"]))]
    filesystem_type: Option<String>,
}

/// Tags of a volume.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VolumeTags {
    /// What has them.
    #[schemars(extend("default" = "volume", "enum" = ["volume"]))]
    resource_type: String,
    /// Whose tags it gets, too.
    #[schemars(extend("default" = "NONE", "enum" = ["NONE", "SERVICE", "TASK_DEFINITION"]))]
    propagate_tags: String,
    /// Tags of its own.
    #[schemars(extend("default" = {}))]
    tags: Tags,
}

impl VolumeTags {
    fn to_api(&self) -> Outcome<api::EbsTagSpecification> {
        let Self { resource_type, propagate_tags, tags } = self;
        let propagate = Some(api::PropagateTags::from(propagate_tags.as_str())).filter(|from| *from != api::PropagateTags::None);
        api::EbsTagSpecification::builder()
            .resource_type(api::EbsResourceType::from(resource_type.as_str()))
            .set_propagate_tags(propagate)
            .set_tags(to_api(tags))
            .build()
            .map_err(unbuilt)
    }

    fn from_api(tags: &api::EbsTagSpecification) -> Self {
        Self {
            resource_type: tags.resource_type().as_str().to_owned(),
            propagate_tags: tags.propagate_tags().map_or("NONE", api::PropagateTags::as_str).to_owned(),
            tags: from_api(tags.tags()),
        }
    }
}

impl NetworkConfiguration {
    /// The configuration for a call.
    ///
    /// # Errors
    /// When the SDK finds it incomplete.
    pub fn to_api(&self) -> Outcome<api::NetworkConfiguration> {
        let vpc = api::AwsVpcConfiguration::builder()
            .set_subnets(Some(self.subnets.clone()))
            .set_security_groups(self.security_groups.clone())
            .assign_public_ip(api::AssignPublicIp::from(self.assign_public_ip.as_str()));
        Ok(api::NetworkConfiguration::builder().awsvpc_configuration(vpc.build().map_err(unbuilt)?).build())
    }

    /// The configuration AWS returned.
    pub fn from_api(network: &api::NetworkConfiguration) -> Option<Self> {
        let vpc = network.awsvpc_configuration()?;
        Some(Self {
            subnets: vpc.subnets().to_vec(),
            security_groups: Some(vpc.security_groups().to_vec()),
            assign_public_ip: vpc.assign_public_ip().map_or("DISABLED", api::AssignPublicIp::as_str).to_owned(),
        })
    }
}

impl ServiceLoadBalancer {
    /// The load balancer for a call.
    pub fn to_api(&self) -> api::LoadBalancer {
        let advanced = self.advanced_configuration.as_ref().map(|alternate| {
            api::AdvancedConfiguration::builder()
                .alternate_target_group_arn(&alternate.alternate_target_group_arn)
                .production_listener_rule(&alternate.production_listener_rule)
                .set_test_listener_rule(alternate.test_listener_rule.clone())
                .role_arn(&alternate.role_arn)
                .build()
        });
        api::LoadBalancer::builder()
            .set_target_group_arn(self.target_group_arn.clone())
            .set_load_balancer_name(self.load_balancer_name.clone())
            .container_name(&self.container_name)
            .container_port(self.container_port)
            .set_advanced_configuration(advanced)
            .build()
    }

    /// The load balancer AWS returned.
    pub fn from_api(balancer: &api::LoadBalancer) -> Self {
        Self {
            target_group_arn: balancer.target_group_arn().map(str::to_owned),
            load_balancer_name: balancer.load_balancer_name().map(str::to_owned),
            container_name: balancer.container_name().unwrap_or_default().to_owned(),
            container_port: balancer.container_port().unwrap_or_default(),
            advanced_configuration: balancer.advanced_configuration().map(|alternate| Alternate {
                alternate_target_group_arn: alternate.alternate_target_group_arn().unwrap_or_default().to_owned(),
                production_listener_rule: alternate.production_listener_rule().unwrap_or_default().to_owned(),
                test_listener_rule: alternate.test_listener_rule().map(str::to_owned),
                role_arn: alternate.role_arn().unwrap_or_default().to_owned(),
            }),
        }
    }

    /// Whether it is of the same target group, or the same load balancer.
    pub fn is_of(&self, other: &Self) -> bool {
        self.target_group_arn == other.target_group_arn && self.load_balancer_name == other.load_balancer_name
    }
}

impl ServiceRegistry {
    /// The registry for a call.
    pub fn to_api(&self) -> api::ServiceRegistry {
        api::ServiceRegistry::builder()
            .registry_arn(&self.registry_arn)
            .set_container_name(self.container_name.clone())
            .set_container_port(self.container_port)
            .set_port(self.port)
            .build()
    }

    /// The registry AWS returned.
    pub fn from_api(registry: &api::ServiceRegistry) -> Self {
        Self {
            registry_arn: registry.registry_arn().unwrap_or_default().to_owned(),
            container_name: registry.container_name().map(str::to_owned),
            container_port: registry.container_port(),
            port: registry.port(),
        }
    }
}

impl ServiceVolume {
    /// The volume for a call.
    ///
    /// # Errors
    /// When the SDK finds it incomplete.
    pub fn to_api(&self) -> Outcome<api::ServiceVolumeConfiguration> {
        let disk = self.managed_ebs_volume.clone();
        let tags = disk.tag_specifications.iter().map(VolumeTags::to_api).collect::<Outcome<Vec<_>>>()?;
        let disk = api::ServiceManagedEbsVolumeConfiguration::builder()
            .role_arn(disk.role_arn)
            .set_size_in_gib(disk.size_in_gib)
            .set_volume_type(disk.volume_type)
            .set_iops(disk.iops)
            .set_throughput(disk.throughput)
            .set_encrypted(disk.encrypted)
            .set_kms_key_id(disk.kms_key_id)
            .set_snapshot_id(disk.snapshot_id)
            .set_volume_initialization_rate(disk.volume_initialization_rate)
            .set_tag_specifications(Some(tags).filter(|tags| !tags.is_empty()))
            .set_filesystem_type(disk.filesystem_type.as_deref().map(api::TaskFilesystemType::from))
            .build()
            .map_err(unbuilt)?;
        api::ServiceVolumeConfiguration::builder().name(&self.name).managed_ebs_volume(disk).build().map_err(unbuilt)
    }

    /// The volume AWS returned.
    pub fn from_api(volume: &api::ServiceVolumeConfiguration) -> Option<Self> {
        let disk = volume.managed_ebs_volume()?;
        Some(Self {
            name: volume.name().to_owned(),
            managed_ebs_volume: EbsVolume {
                role_arn: disk.role_arn().to_owned(),
                size_in_gib: disk.size_in_gib(),
                volume_type: disk.volume_type().map(str::to_owned),
                iops: disk.iops(),
                throughput: disk.throughput(),
                encrypted: disk.encrypted(),
                kms_key_id: disk.kms_key_id().map(str::to_owned),
                snapshot_id: disk.snapshot_id().map(str::to_owned),
                volume_initialization_rate: disk.volume_initialization_rate(),
                tag_specifications: disk.tag_specifications().iter().map(VolumeTags::from_api).collect(),
                filesystem_type: disk.filesystem_type().map(|kind| kind.as_str().to_owned()),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_reads_back_as_it_was_asked_for() {
        let volume = ServiceVolume {
            name: "disk".to_owned(),
            managed_ebs_volume: EbsVolume {
                role_arn: "arn:aws:iam::123456789012:role/r".to_owned(),
                size_in_gib: Some(10),
                volume_type: Some("gp3".to_owned()),
                iops: Some(3000),
                throughput: Some(125),
                encrypted: Some(true),
                kms_key_id: Some("k".to_owned()),
                snapshot_id: Some("snap-1".to_owned()),
                volume_initialization_rate: Some(200),
                tag_specifications: vec![VolumeTags {
                    resource_type: "volume".to_owned(),
                    propagate_tags: "SERVICE".to_owned(),
                    tags: Tags::from([("a".to_owned(), "b".to_owned())]),
                }],
                filesystem_type: Some("ext4".to_owned()),
            },
        };
        assert_eq!(ServiceVolume::from_api(&volume.to_api().unwrap()), Some(volume));
    }
}
