//! The resource type `eip`.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Address, DomainType, NetworkInterface, ResourceType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::instance::{Instance, first_of_several};
use super::{in_chunks, ownership_filters, specification, tags, update_tags};
use crate::client::{Aws, send_once};
use crate::error::{OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::Changing;
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::schema::After;
use leoctl_core::model::value::Value;

/// A public IPv4 address that stays: an Elastic IP address. For a NAT gateway or a network load balancer it is named
/// there; for an instance or a network interface, here.
///
/// Import by allocation id: `eipalloc-0123456789abcdef0`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Eip {
    /// Where it can be used: in a VPC, as everything today.
    #[schemars(extend("default" = "vpc", "x-replace" = true, "enum" = ["vpc"]))]
    domain: String,
    /// The instance whose first network interface has the address. Its VPC needs an internet gateway. One that
    /// is in the same stack is made first.
    instance_id: Option<String>,
    /// The network interface that has the address; for the first one of an instance write `instance_id`.
    network_interface_id: Option<String>,
    /// Which of the interface's private addresses it stands for; the primary one when left out.
    #[schemars(extend("x-server" = true, "x-follows" = ["instance_id", "network_interface_id"]))]
    private_ip_address: Option<String>,
    /// The zones it is announced from: the region or a Local Zone's group.
    #[schemars(extend("x-replace" = true, "x-server" = true))]
    network_border_group: Option<String>,
    /// The pool it comes from: Amazon's, or one of addresses brought to AWS.
    #[schemars(extend("x-replace" = true, "x-server" = true))]
    public_ipv4_pool: Option<String>,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The allocation id.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    id: String,
    /// The address.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    public_ip: String,
    /// The id of its association, when something has it.
    #[schemars(extend("x-computed" = true, "x-follows" = ["instance_id", "network_interface_id", "private_ip_address"]))]
    association_id: Option<String>,
}

impl Eip {
    /// `interface` is the one that has the address.
    fn from_api(address: &Address, interface: Option<&NetworkInterface>) -> Self {
        let text = |value: Option<&str>| value.filter(|text| !text.is_empty()).map(str::to_owned);
        // NAT gateways and load balancers have interfaces of their own, on which only they place addresses.
        let theirs = interface.is_some_and(|interface| {
            interface.requester_managed() == Some(true)
                || !matches!(interface.interface_type().map_or("interface", |kind| kind.as_str()), "interface" | "efa" | "trunk" | "branch")
        });
        let secondary = interface.and_then(NetworkInterface::attachment).and_then(|attachment| attachment.device_index()) > Some(0);
        let instance_id = text(address.instance_id()).filter(|_| !secondary);
        let network_interface_id = text(address.network_interface_id()).filter(|_| instance_id.is_none() && !theirs);
        Self {
            domain: address.domain().map_or("vpc", DomainType::as_str).to_owned(),
            private_ip_address: text(address.private_ip_address()).filter(|_| instance_id.is_some() || network_interface_id.is_some()),
            instance_id,
            network_interface_id,
            network_border_group: text(address.network_border_group()),
            public_ipv4_pool: text(address.public_ipv4_pool()),
            tags: tags(address.tags()),
            id: address.allocation_id().unwrap_or_default().to_owned(),
            public_ip: address.public_ip().unwrap_or_default().to_owned(),
            association_id: text(address.association_id()),
        }
    }

    fn has_target(&self) -> bool {
        self.instance_id.is_some() || self.network_interface_id.is_some()
    }
}

impl Resource for Eip {
    const TYPE: &'static str = "eip";
    const INFO: Info = Info {
        // Until a gateway or load balancer has another address, AWS keeps the one it has.
        create_before_destroy: true,
        held_by: &["lb", "nat_gateway"],
        data_loss: Some("the address, which AWS gives to somebody else"),
        after: &[After { type_name: "internet_gateway", through: "vpc" }],
        // A NAT gateway being deleted gives its address back last; an instance takes one only once it runs, and in a
        // VPC with an internet gateway.
        transient: &[
            Retry::after("InvalidIPAddress.InUse", &["ec2:ReleaseAddress"]),
            // What a NAT gateway or load balancer still has, only AWS may give back.
            Retry::after("AuthFailure", &["ec2:ReleaseAddress"]),
            Retry::after("IncorrectInstanceState", &["ec2:AssociateAddress"]),
            Retry::after("InvalidInstanceID", &["ec2:AssociateAddress"]),
            Retry::after("Gateway.NotAttached", &["ec2:AssociateAddress"]),
        ],
        propagating: &[
            Retry::after("InvalidAllocationID.NotFound", &["ec2:AssociateAddress"]),
            Retry::after("InvalidInstanceID.NotFound", &["ec2:AssociateAddress"]),
            Retry::after("InvalidNetworkInterfaceID.NotFound", &["ec2:AssociateAddress"]),
        ],
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:ec2:{region}:{account}:elastic-ip/*",
        plan: &[Grant::any(&["ec2:DescribeAddresses", "ec2:DescribeNetworkInterfaces"])],
        apply: &[
            Grant::any(&["ec2:DescribeInstances"]),
            Grant::on(&["ec2:AllocateAddress"], &["arn:{partition}:ec2:{region}:{account}:ipv4pool-ec2/{public_ipv4_pool}"])
                .when("public_ipv4_pool"),
            Grant::on(
                &["ec2:AssociateAddress", "ec2:DisassociateAddress"],
                &[
                    "arn:{partition}:ec2:{region}:{account}:elastic-ip/*",
                    "arn:{partition}:ec2:{region}:{account}:instance/*",
                    "arn:{partition}:ec2:{region}:{account}:network-interface/*",
                ],
            ),
            Grant::itself(&["ec2:AllocateAddress", "ec2:CreateTags", "ec2:DeleteTags", "ec2:ReleaseAddress"]),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let present = |key: &str| desired.get(key).is_some_and(|value| !value.is_null());
        let both = present("instance_id") && present("network_interface_id");
        let problem = || (Path::attribute("network_interface_id"), "an address belongs to one: `instance_id` is written too".to_owned());
        both.then(problem).into_iter().collect()
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let found = in_chunks("allocation-id", ids, |only| async move {
            let found = aws.ec2().describe_addresses().filters(only).send().await.or_fail("ec2:DescribeAddresses")?;
            Ok(found.addresses.unwrap_or_default())
        });
        let found = found.await?;
        let used: Vec<String> = found.iter().filter_map(|address| address.network_interface_id().map(str::to_owned)).collect();
        let described = in_chunks("network-interface-id", &used, |only| async move {
            // In an account with many of them AWS answers only with pages (EC2 API Reference, DescribeNetworkInterfaces).
            let pages = aws.ec2().describe_network_interfaces().filters(only).max_results(1000).into_paginator().items().send();
            pages.try_collect().await.or_fail("ec2:DescribeNetworkInterfaces")
        });
        let described: Vec<NetworkInterface> = described.await?;
        let interfaces: BTreeMap<String, NetworkInterface> =
            described.into_iter().map(|one| (one.network_interface_id().unwrap_or_default().to_owned(), one)).collect();
        let read = found.iter().map(|address| {
            let read = Self::from_api(address, address.network_interface_id().and_then(|id| interfaces.get(id)));
            (read.id.clone(), read)
        });
        Ok(read.collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let call = aws.ec2().describe_addresses().set_filters(Some(ownership_filters(wanted)));
        let found = call.send().await.or_fail("ec2:DescribeAddresses")?;
        let ours = found.addresses().iter().filter(|address| wanted.owns(&tags(address.tags())));
        Ok(wanted.pick(ours.filter_map(|address| address.allocation_id().map(str::to_owned))))
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let call = aws
            .ec2()
            .allocate_address()
            .domain(DomainType::from(to.domain.as_str()))
            .set_network_border_group(to.network_border_group.clone())
            .set_public_ipv4_pool(to.public_ipv4_pool.clone())
            .tag_specifications(specification(ResourceType::ElasticIp, &to.tags));
        let made = send_once!(aws_sdk_ec2, call).await.sent_once("ec2:AllocateAddress")?;
        made_id("ec2:AllocateAddress", made.allocation_id())
    }

    fn as_created(to: &Self) -> Self {
        Self { instance_id: None, network_interface_id: None, private_ip_address: None, ..to.clone() }
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self {
            instance_id,
            network_interface_id,
            private_ip_address,
            tags,
            domain: _,
            network_border_group: _,
            public_ipv4_pool: _,
            id: _,
            public_ip: _,
            association_id: _,
        } = to;
        let moves = *instance_id != from.instance_id || *network_interface_id != from.network_interface_id;
        if to.has_target() && (moves || *private_ip_address != from.private_ip_address) {
            let primary = match instance_id {
                Some(instance) => primary_of_several(aws, instance).await?,
                None => None,
            };
            let call = aws
                .ec2()
                .associate_address()
                .allocation_id(id)
                .set_instance_id(instance_id.clone().filter(|_| primary.is_none()))
                .set_network_interface_id(primary.or_else(|| network_interface_id.clone()))
                // At another interface the old one's address, which nobody wrote anew, means nothing.
                .set_private_ip_address(private_ip_address.clone().filter(|_| *private_ip_address != from.private_ip_address))
                .allow_reassociation(true);
            call.send().await.idempotent("ec2:AssociateAddress")?;
        } else if moves {
            disassociate(aws, from).await?;
        }
        update_tags(aws.ec2(), id, &from.tags, tags).await
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, last: Option<&Self>) -> Outcome<()> {
        // What has it now counts, not what had it when it was last seen.
        let now = Self::read_one(aws, id).await?;
        if let Some(address) = now.as_ref().filter(|address| address.has_target()) {
            disassociate(aws, address).await?;
        }
        // Without the group that it is announced from, AWS does not find one of a Local Zone (EC2 API Reference, ReleaseAddress).
        let group = now.or_else(|| last.cloned()).and_then(|address| address.network_border_group).filter(|group| *group != aws.region);
        let call = aws.ec2().release_address().allocation_id(id).set_network_border_group(group);
        call.send().await.or_gone("ec2:ReleaseAddress").map(drop)
    }
}

/// The first interface of an instance that has several: AWS gives an address to an instance by its own id only when it has one
/// (EC2 API Reference, AssociateAddress).
async fn primary_of_several(aws: &Aws, instance: &str) -> Outcome<Option<String>> {
    let found = Instance::now(aws, instance).await?;
    Ok(found.as_ref().and_then(first_of_several).map(str::to_owned))
}

async fn disassociate(aws: &Aws, from: &Eip) -> Outcome<()> {
    let Some(association) = &from.association_id else { return Ok(()) };
    aws.ec2().disassociate_address().association_id(association).send().await.or_gone("ec2:DisassociateAddress").map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canned::{Answer, Canned};
    use crate::patience::tests::operation;

    async fn released(group: &str) -> Vec<String> {
        let group = group.to_owned();
        let canned = Canned::new(move |_, _| {
            let address =
                format!("<allocationId>eipalloc-1</allocationId><domain>vpc</domain><networkBorderGroup>{group}</networkBorderGroup>");
            Answer::Done(format!("<addressesSet><item>{address}</item></addressesSet>"))
        });
        Eip::delete(&canned.aws, &operation(0), "eipalloc-1", None).await.unwrap();
        canned.changes()
    }

    #[tokio::test]
    async fn an_address_of_a_local_zone_is_released_where_it_is() {
        assert_eq!(released("eu-west-1").await, ["ReleaseAddress AllocationId=eipalloc-1"]);
        let there = "ReleaseAddress AllocationId=eipalloc-1&NetworkBorderGroup=us-west-2-lax-1";
        assert_eq!(released("us-west-2-lax-1").await, [there]);
    }
}
