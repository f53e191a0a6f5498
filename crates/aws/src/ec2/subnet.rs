//! The resource type `subnet`.

use std::time::Duration;

use aws_sdk_ec2::types as api;
use aws_sdk_ec2::types::{AttributeBooleanValue, ResourceType, SubnetCidrBlockStateCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocked::{Part, explained};
use super::{filter, in_chunks, is_same_network, network_size, ownership_filters, specification, tags, update_tags};
use crate::client::{Aws, send_once};
use crate::error::{OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::{Changing, verified};
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{Operation, Outcome, Wanted};
use leoctl_core::engine::usual::Usual;
use leoctl_core::model::path::Path;
use leoctl_core::model::value::Value;

/// A part of a VPC in one availability zone.
///
/// Import by id: `subnet-0123456789abcdef0`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subnet {
    /// The VPC.
    #[schemars(extend("x-format" = "id:vpc:vpc-", "x-replace" = true))]
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
    async fn describe(aws: &Aws, id: &str) -> Outcome<Option<api::Subnet>> {
        let call = aws.ec2().describe_subnets().filters(filter("subnet-id", &[id.to_owned()]));
        let found = call.send().await.or_fail("ec2:DescribeSubnets")?.subnets.unwrap_or_default();
        Ok(found.into_iter().find(|subnet| subnet.subnet_id() == Some(id)))
    }

    fn from_api(aws: &Aws, subnet: &api::Subnet) -> (String, Self) {
        let id = subnet.subnet_id().unwrap_or_default().to_owned();
        let ipv6 = ipv6_network(subnet);
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
        held_by: &[
            "ecs_service",
            "efs_mount_target",
            "instance",
            "lb",
            "nat_gateway",
            "vpc_endpoint",
            "awscc_amazonmq_broker",
            "awscc_apigatewayv2_vpc_link",
            "awscc_ec2_network_interface",
            "awscc_eks_cluster",
            "awscc_elasticache_serverless_cache",
            "awscc_lambda_function",
            "awscc_msk_cluster",
            "awscc_opensearchservice_domain",
            "awscc_rds_db_proxy",
        ],
        transient: &[Retry::after("DependencyViolation", &["ec2:DeleteSubnet"])],
        propagating: &[
            Retry::after("InvalidVpcID.NotFound", &["ec2:CreateSubnet"]),
            // The subnet's IPv6 network is still being associated.
            Retry::after("InvalidParameterValue", &["ec2:ModifySubnetAttribute"]),
        ],
        // The interfaces of functions hold it longest: 20 to 45 minutes (Lambda Developer Guide, "Giving Lambda functions access to
        // resources in an Amazon VPC"; coverage-roadmap of CloudFormation, 392).
        timeout: 2700,
        // Published logs of Terraform's applies of the same calls: made and gone in seconds.
        usual: Usual::of((0, 20), (0, 20), (0, 60)),
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:ec2:{region}:{account}:subnet/*",
        plan: &[Grant::any(&["ec2:DescribeSubnets"])],
        apply: &[
            // What holds it, to name it.
            Grant::any(&["ec2:DescribeNetworkInterfaces", "ec2:DescribeVpcEndpoints"]),
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
        let found = in_chunks("subnet-id", ids, |only| async move {
            let pages = aws.ec2().describe_subnets().filters(only).into_paginator().items().send();
            pages.try_collect().await.or_fail("ec2:DescribeSubnets")
        });
        let found: Vec<api::Subnet> = found.await?;
        Ok(found.iter().map(|subnet| Self::from_api(aws, subnet)).collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let pages = aws.ec2().describe_subnets().set_filters(Some(ownership_filters(wanted))).into_paginator().items().send();
        let found: Vec<aws_sdk_ec2::types::Subnet> = pages.try_collect().await.or_fail("ec2:DescribeSubnets")?;
        Ok(wanted.pick(
            found.iter().filter(|subnet| wanted.owns(&tags(subnet.tags()))).filter_map(|subnet| subnet.subnet_id().map(str::to_owned)),
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

    async fn update(aws: &Aws, operation: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
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
        // One attribute a call (EC2 API Reference, ModifySubnetAttribute).
        let modify = || ec2.modify_subnet_attribute().subnet_id(id);
        let assign = async |on: bool| {
            modify().assign_ipv6_address_on_creation(value(on)).send().await.idempotent("ec2:ModifySubnetAttribute").map(drop)
        };
        let dns64 = async |on: bool| modify().enable_dns64(value(on)).send().await.idempotent("ec2:ModifySubnetAttribute").map(drop);
        // What rests on an IPv6 network is off while that changes: AWS takes none away from a subnet that assigns addresses of it.
        let moves = *ipv6_cidr_block != from.ipv6_cidr_block;
        if from.assign_ipv6_address_on_creation && (moves || !assign_ipv6_address_on_creation) {
            assign(false).await?;
        }
        if from.enable_dns64 && (moves || !enable_dns64) {
            dns64(false).await?;
        }
        if moves {
            change_network(aws, operation, id, from.ipv6_association_id.as_deref(), ipv6_cidr_block.as_deref()).await?;
        }
        if *assign_ipv6_address_on_creation || *enable_dns64 {
            settled(aws, operation, id, ipv6_cidr_block.as_deref()).await?;
        }
        if *assign_ipv6_address_on_creation && (moves || !from.assign_ipv6_address_on_creation) {
            assign(true).await?;
        }
        if *enable_dns64 && (moves || !from.enable_dns64) {
            dns64(true).await?;
        }
        if *map_public_ip_on_launch != from.map_public_ip_on_launch {
            let call = modify().map_public_ip_on_launch(value(*map_public_ip_on_launch));
            call.send().await.idempotent("ec2:ModifySubnetAttribute")?;
        }
        update_tags(ec2, id, &from.tags, tags).await
    }

    async fn ready(aws: &Aws, operation: &Operation, id: &str, to: &Self) -> Outcome<()> {
        settled(aws, operation, id, to.ipv6_cidr_block.as_deref()).await
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        let deleted = aws.ec2().delete_subnet().subnet_id(id).send().await.or_gone("ec2:DeleteSubnet");
        explained(aws, deleted, Part::Subnet(id)).await.map(drop)
    }
}

/// Gives a subnet another IPv6 network, or none: it has one at a time (EC2 API Reference, AssociateSubnetCidrBlock).
async fn change_network(aws: &Aws, operation: &Operation, id: &str, old: Option<&str>, network: Option<&str>) -> Outcome<()> {
    let has = Subnet::describe(aws, id).await?.as_ref().and_then(coming).map(str::to_owned);
    if has.is_some() && is_same_network(has.as_deref(), network) {
        // Begun before.
        return settled(aws, operation, id, network).await;
    }
    if let Some(association) = old {
        let call = aws.ec2().disassociate_subnet_cidr_block().association_id(association);
        call.send().await.or_gone("ec2:DisassociateSubnetCidrBlock")?;
        settled(aws, operation, id, None).await?;
    }
    let Some(network) = network else { return Ok(()) };
    let call = aws.ec2().associate_subnet_cidr_block().subnet_id(id).ipv6_cidr_block(network);
    let sent = send_once!(aws_sdk_ec2, call).await.sent_once("ec2:AssociateSubnetCidrBlock");
    let there = async || Ok(is_same_network(Subnet::describe(aws, id).await?.as_ref().and_then(coming), Some(network)));
    verified(sent, &["InvalidSubnet.Conflict"], there).await?;
    settled(aws, operation, id, Some(network)).await
}

/// Waits until a subnet can be used and has this IPv6 network, or none, and no other on its way.
async fn settled(aws: &Aws, operation: &Operation, id: &str, network: Option<&str>) -> Outcome<()> {
    loop {
        if Subnet::describe(aws, id).await?.is_some_and(|subnet| is_settled(&subnet, network)) {
            return Ok(());
        }
        operation.pause(Duration::from_secs(1), "waiting for the subnet's IPv6 network").await?;
    }
}

fn state_of(association: &api::SubnetIpv6CidrBlockAssociation) -> Option<&SubnetCidrBlockStateCode> {
    association.ipv6_cidr_block_state().and_then(|state| state.state())
}

/// The IPv6 network of a subnet, once it can be used; its association.
fn ipv6_network(subnet: &api::Subnet) -> Option<&api::SubnetIpv6CidrBlockAssociation> {
    let usable = |one: &&api::SubnetIpv6CidrBlockAssociation| {
        state_of(one) == Some(&SubnetCidrBlockStateCode::Associated) && one.ipv6_cidr_block().is_some_and(|network| !network.is_empty())
    };
    subnet.ipv6_cidr_block_association_set().iter().find(usable)
}

/// The IPv6 network that a subnet has or is about to have.
fn coming(subnet: &api::Subnet) -> Option<&str> {
    use SubnetCidrBlockStateCode::{Associated, Associating};
    let mut networks = subnet.ipv6_cidr_block_association_set().iter();
    networks.find(|one| matches!(state_of(one), Some(Associated | Associating))).and_then(|one| one.ipv6_cidr_block())
}

fn is_settled(subnet: &api::Subnet, network: Option<&str>) -> bool {
    use SubnetCidrBlockStateCode::{Associating, Disassociating};
    let moving = |one: &api::SubnetIpv6CidrBlockAssociation| matches!(state_of(one), Some(Associating | Disassociating));
    let has = ipv6_network(subnet).and_then(|association| association.ipv6_cidr_block());
    let moves = subnet.ipv6_cidr_block_association_set().iter().any(moving);
    subnet.state() != Some(&api::SubnetState::Pending) && !moves && is_same_network(has, network)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::canned::{Answer, Canned};
    use crate::patience::tests::operation;

    fn subnet(networks: &[(&str, SubnetCidrBlockStateCode)]) -> api::Subnet {
        let association = |(network, state): &(&str, SubnetCidrBlockStateCode)| {
            let state = api::SubnetCidrBlockState::builder().state(state.clone()).build();
            api::SubnetIpv6CidrBlockAssociation::builder().ipv6_cidr_block(*network).ipv6_cidr_block_state(state).build()
        };
        let associations = networks.iter().map(association).collect();
        api::Subnet::builder().state(api::SubnetState::Available).set_ipv6_cidr_block_association_set(Some(associations)).build()
    }

    #[test]
    fn an_ipv6_network_is_there_once_it_is_associated() {
        use SubnetCidrBlockStateCode::{Associated, Associating, Disassociated, Disassociating, Failed};
        let (old, new) = ("2600::/64", "2600:0:0:1::/64");
        let both = subnet(&[(old, Disassociating), (new, Associating)]);
        assert!(!is_settled(&both, Some(new)) && ipv6_network(&both).is_none() && coming(&both) == Some(new));
        assert!(!is_settled(&subnet(&[(old, Disassociating)]), None));
        assert!(is_settled(&subnet(&[(old, Disassociated)]), None));
        assert!(is_settled(&subnet(&[(old, Disassociated), (new, Associated)]), Some(new)));
        assert!(!is_settled(&subnet(&[(old, Associated)]), Some(new)));
        assert!(!is_settled(&subnet(&[(new, Failed)]), Some(new)));
        assert!(is_settled(&subnet(&[]), None));
        assert!(is_settled(&subnet(&[("2600:0:0:1::/64", Associated)]), Some("2600:0000:0000:0001::/64")));
        // AWS answers a creation with an empty text for a network that it has not chosen yet.
        assert!(ipv6_network(&subnet(&[("", Associated)])).is_none());
    }

    /// A subnet as EC2 keeps it: it assigns addresses, and has one network at a time, which comes and goes slowly.
    struct Kept {
        assigns: bool,
        networks: Vec<(&'static str, &'static str)>,
    }

    impl Kept {
        /// What EC2 says of it. The next time what was on its way has arrived.
        fn described(&mut self) -> Answer {
            let network = |(network, state): &(&str, &str)| {
                format!(
                    "<item><associationId>of-{network}</associationId><ipv6CidrBlock>{network}</ipv6CidrBlock>\
                     <ipv6CidrBlockState><state>{state}</state></ipv6CidrBlockState></item>"
                )
            };
            let networks: String = self.networks.iter().map(network).collect();
            for (_, state) in &mut self.networks {
                *state = match *state {
                    "associating" => "associated",
                    "disassociating" => "disassociated",
                    settled => settled,
                };
            }
            Answer::Done(format!(
                "<subnetSet><item><subnetId>subnet-1</subnetId><state>available</state>\
                 <ipv6CidrBlockAssociationSet>{networks}</ipv6CidrBlockAssociationSet></item></subnetSet>"
            ))
        }

        fn asked(&mut self, action: &str, members: &str) -> Answer {
            let busy = self.networks.iter().any(|(_, state)| *state != "disassociated");
            match action {
                "DescribeSubnets" => return self.described(),
                "DisassociateSubnetCidrBlock" if self.assigns => return Answer::Refused("InvalidCidrBlock.InUse"),
                "DisassociateSubnetCidrBlock" => self.networks = vec![("2600::/64", "disassociating")],
                "AssociateSubnetCidrBlock" if busy => return Answer::Refused("InvalidSubnet.Conflict"),
                "AssociateSubnetCidrBlock" => self.networks.push(("2600:0:0:1::/64", "associating")),
                "ModifySubnetAttribute" => {
                    let on = members.contains("=true");
                    if on && !self.networks.iter().any(|(_, state)| *state == "associated") {
                        return Answer::Refused("InvalidParameterValue");
                    }
                    self.assigns = on;
                }
                _ => {}
            }
            Answer::Done(String::new())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_subnet_changes_its_ipv6_network_in_the_order_that_aws_takes() {
        let kept = Mutex::new(Kept { assigns: true, networks: vec![("2600::/64", "associated")] });
        let canned = Canned::new(move |action, members| kept.lock().unwrap().asked(action, members));
        let subnet = |network: &str, association: &str| {
            let subnet = serde_json::json!({
                "vpc_id": "vpc-1", "cidr_block": "10.0.0.0/24", "ipv6_cidr_block": network, "ipv6_association_id": association,
                "map_public_ip_on_launch": false, "assign_ipv6_address_on_creation": true, "enable_dns64": false, "tags": {},
            });
            serde_json::from_value::<Subnet>(subnet).unwrap()
        };
        let (from, to) = (subnet("2600::/64", "of-2600::/64"), subnet("2600:0:0:1::/64", ""));
        Subnet::update(&canned.aws, &operation(0), "subnet-1", &from, &to).await.unwrap();
        Subnet::ready(&canned.aws, &operation(0), "subnet-1", &to).await.unwrap();
        let changes = canned.changes();
        let order: Vec<&str> = changes.iter().map(|call| call.split(' ').next().unwrap_or_default()).collect();
        assert_eq!(order, ["ModifySubnetAttribute", "DisassociateSubnetCidrBlock", "AssociateSubnetCidrBlock", "ModifySubnetAttribute"]);
    }
}
