//! The resource type `subnet`.

use aws_sdk_ec2::types::{AttributeBooleanValue, ResourceType, SubnetCidrBlockStateCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{filter, network_size, ownership_filters, specification, tags, update_tags};
use crate::client::{Aws, send_once};
use crate::error::{OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::{Changing, verified};
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::value::Value;

/// A part of a VPC in one availability zone.
///
/// Import by id: `subnet-0123456789abcdef0`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subnet {
    /// The VPC.
    #[schemars(extend("x-replace" = true))]
    vpc_id: String,
    /// The IPv4 network, inside the VPC's.
    #[schemars(extend("x-replace" = true, "x-format" = "cidr4"))]
    cidr_block: String,
    /// The IPv6 network, a /64 inside the VPC's.
    #[schemars(extend("x-format" = "cidr6"))]
    ipv6_cidr_block: Option<String>,
    /// The availability zone, such as `us-west-2a`.
    #[schemars(extend("x-replace" = true, "x-server" = true))]
    availability_zone: Option<String>,
    /// Whether network interfaces get public IPv4 addresses.
    #[schemars(extend("default" = false))]
    map_public_ip_on_launch: bool,
    /// Whether network interfaces get IPv6 addresses.
    #[schemars(extend("default" = false))]
    assign_ipv6_address_on_creation: bool,
    /// Whether DNS answers for IPv4-only names with synthetic IPv6 addresses.
    #[schemars(extend("default" = false))]
    enable_dns64: bool,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The id.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    id: String,
    /// The ARN.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
    /// The zone's id, the same in every account, such as `usw2-az1`.
    #[schemars(extend("x-computed" = true))]
    availability_zone_id: Option<String>,
    /// The id of the IPv6 network's association.
    #[schemars(extend("x-computed" = true, "x-follows" = ["ipv6_cidr_block"]))]
    ipv6_association_id: Option<String>,
}

impl Subnet {
    fn from_api(aws: &Aws, subnet: &aws_sdk_ec2::types::Subnet) -> (String, Self) {
        let id = subnet.subnet_id().unwrap_or_default().to_owned();
        let ipv6 = subnet.ipv6_cidr_block_association_set().iter().find(|association| {
            let state = association.ipv6_cidr_block_state().and_then(|state| state.state());
            matches!(state, Some(SubnetCidrBlockStateCode::Associated | SubnetCidrBlockStateCode::Associating))
        });
        let owner = subnet.owner_id().unwrap_or_default();
        let read = Self {
            vpc_id: subnet.vpc_id().unwrap_or_default().to_owned(),
            cidr_block: subnet.cidr_block().unwrap_or_default().to_owned(),
            ipv6_cidr_block: ipv6.and_then(|ipv6| ipv6.ipv6_cidr_block()).map(str::to_owned),
            availability_zone: subnet.availability_zone().map(str::to_owned),
            map_public_ip_on_launch: subnet.map_public_ip_on_launch().unwrap_or_default(),
            assign_ipv6_address_on_creation: subnet.assign_ipv6_address_on_creation().unwrap_or_default(),
            enable_dns64: subnet.enable_dns64().unwrap_or_default(),
            tags: tags(subnet.tags()),
            arn: subnet.subnet_arn().map_or_else(|| super::arn(&aws.region, owner, "subnet", &id), str::to_owned),
            availability_zone_id: subnet.availability_zone_id().map(str::to_owned),
            ipv6_association_id: ipv6.and_then(|ipv6| ipv6.association_id()).map(str::to_owned),
            id: id.clone(),
        };
        (id, read)
    }
}

impl Resource for Subnet {
    const TYPE: &'static str = "subnet";
    // Network interfaces of stopped tasks and deleted load balancers take minutes to be released; a VPC's IPv6
    // network takes a moment before subnets can be cut from it.
    const INFO: Info = Info {
        unique: &[&["vpc_id", "cidr_block"], &["vpc_id", "ipv6_cidr_block"]],
        held_by: &["ecs_service", "efs_mount_target", "instance", "lb", "nat_gateway", "vpc_endpoint"],
        transient: &[Retry::after("DependencyViolation", &["ec2:DeleteSubnet"])],
        propagating: &[
            Retry::after("InvalidVpcID.NotFound", &["ec2:CreateSubnet"]),
            // The subnet's IPv6 network is still being associated.
            Retry::after("InvalidParameterValue", &["ec2:ModifySubnetAttribute"]),
        ],
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:ec2:{region}:{account}:subnet/*",
        plan: &[Grant::any(&["ec2:DescribeSubnets"])],
        apply: &[
            Grant::on(
                &["ec2:CreateSubnet"],
                &["arn:{partition}:ec2:{region}:{account}:subnet/*", "arn:{partition}:ec2:{region}:{account}:vpc/{vpc_id}"],
            ),
            Grant::itself(&[
                "ec2:AssociateSubnetCidrBlock",
                "ec2:CreateTags",
                "ec2:DeleteSubnet",
                "ec2:DeleteTags",
                "ec2:DisassociateSubnetCidrBlock",
                "ec2:ModifySubnetAttribute",
            ]),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        network_size(desired)
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let call = aws.ec2().describe_subnets().filters(filter("subnet-id", ids));
        let found = call.send().await.or_fail("ec2:DescribeSubnets")?;
        Ok(found.subnets().iter().map(|subnet| Self::from_api(aws, subnet)).collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let call = aws.ec2().describe_subnets().set_filters(Some(ownership_filters(wanted)));
        let found = call.send().await.or_fail("ec2:DescribeSubnets")?;
        Ok(wanted.pick(
            found
                .subnets()
                .iter()
                .filter(|subnet| wanted.owns(&tags(subnet.tags())))
                .filter_map(|subnet| subnet.subnet_id().map(str::to_owned)),
        ))
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let call = aws
            .ec2()
            .create_subnet()
            .vpc_id(&to.vpc_id)
            .cidr_block(&to.cidr_block)
            .set_ipv6_cidr_block(to.ipv6_cidr_block.clone())
            .set_availability_zone(to.availability_zone.clone())
            .tag_specifications(specification(ResourceType::Subnet, &to.tags));
        let made = send_once!(aws_sdk_ec2, call).await.sent_once("ec2:CreateSubnet")?;
        made_id("ec2:CreateSubnet", made.subnet().and_then(|subnet| subnet.subnet_id()))
    }

    fn as_created(to: &Self) -> Self {
        Self { map_public_ip_on_launch: false, assign_ipv6_address_on_creation: false, enable_dns64: false, ..to.clone() }
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self {
            ipv6_cidr_block,
            map_public_ip_on_launch,
            assign_ipv6_address_on_creation,
            enable_dns64,
            tags,
            vpc_id: _,
            cidr_block: _,
            availability_zone: _,
            id: _,
            arn: _,
            availability_zone_id: _,
            ipv6_association_id: _,
        } = to;
        let ec2 = aws.ec2();
        let value = |on: bool| AttributeBooleanValue::builder().value(on).build();
        let modify = || ec2.modify_subnet_attribute().subnet_id(id);
        let assign = async || {
            if *assign_ipv6_address_on_creation != from.assign_ipv6_address_on_creation {
                let call = modify().assign_ipv6_address_on_creation(value(*assign_ipv6_address_on_creation));
                call.send().await.idempotent("ec2:ModifySubnetAttribute")?;
            }
            Ok(())
        };
        // Addresses are assigned only while there is a network to assign them from.
        if !assign_ipv6_address_on_creation {
            assign().await?;
        }
        if *ipv6_cidr_block != from.ipv6_cidr_block {
            if let Some(association) = &from.ipv6_association_id {
                let call = ec2.disassociate_subnet_cidr_block().association_id(association);
                call.send().await.or_gone("ec2:DisassociateSubnetCidrBlock")?;
            }
            if let Some(network) = ipv6_cidr_block {
                let call = ec2.associate_subnet_cidr_block().subnet_id(id).ipv6_cidr_block(network);
                let sent = send_once!(aws_sdk_ec2, call).await.sent_once("ec2:AssociateSubnetCidrBlock");
                let associated =
                    async || Ok(Self::read_one(aws, id).await?.is_some_and(|subnet| subnet.ipv6_cidr_block.as_ref() == Some(network)));
                verified(sent, &["InvalidSubnet.Conflict"], associated).await?;
            }
        }
        if *assign_ipv6_address_on_creation {
            assign().await?;
        }
        // One attribute a call (EC2 API Reference, ModifySubnetAttribute).
        if *map_public_ip_on_launch != from.map_public_ip_on_launch {
            let call = modify().map_public_ip_on_launch(value(*map_public_ip_on_launch));
            call.send().await.idempotent("ec2:ModifySubnetAttribute")?;
        }
        if *enable_dns64 != from.enable_dns64 {
            modify().enable_dns64(value(*enable_dns64)).send().await.idempotent("ec2:ModifySubnetAttribute")?;
        }
        update_tags(ec2, id, &from.tags, tags).await
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        aws.ec2().delete_subnet().subnet_id(id).send().await.or_gone("ec2:DeleteSubnet").map(drop)
    }
}
