//! The resource type `nat_gateway`.

use std::time::Duration;

use aws_sdk_ec2::types as api;
use aws_sdk_ec2::types::{ConnectivityType, NatGatewayAddress, NatGatewayAddressStatus, NatGatewayState, ResourceType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{in_chunks, is_one_of, ownership_filters, specification, tags, update_tags};
use crate::client::{Aws, send_once};
use crate::error::{OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::{Changing, verified};
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome, Wanted};
use leoctl_core::engine::usual::Usual;
use leoctl_core::model::path::Path;
use leoctl_core::model::schema::After;
use leoctl_core::model::value::Value;

/// Lets what has no public address reach the internet, or other networks, and nobody in.
///
/// The VPC of a public one needs an internet gateway. One that is in the same stack is made first.
///
/// Import by id: `nat-0123456789abcdef0`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NatGateway {
    /// The subnet it is in: for a public one a subnet with a route to the internet gateway.
    #[schemars(extend("x-format" = "id:subnet:subnet-", "x-replace" = true))]
    subnet_id: String,
    /// Whether it leads to the internet or only to other private networks.
    #[schemars(extend("default" = "public", "x-replace" = true, "enum" = ["public", "private"]))]
    connectivity_type: String,
    /// The allocation id of its Elastic IP address; a public one needs it.
    #[schemars(extend("x-replace" = true))]
    allocation_id: Option<String>,
    /// Its private IPv4 address in the subnet.
    #[schemars(extend("x-replace" = true, "x-server" = true))]
    private_ip_address: Option<String>,
    /// The allocation ids of further Elastic IP addresses: each allows 55,000 more connections to one destination.
    #[schemars(extend("default" = [], "x-set" = true))]
    secondary_allocation_ids: Vec<String>,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The id.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    id: String,
    /// The public address, when it has one.
    #[schemars(extend("x-computed" = true))]
    public_ip: Option<String>,
    /// Its network interface.
    #[schemars(extend("x-computed" = true))]
    network_interface_id: Option<String>,
    /// The VPC.
    #[schemars(extend("x-format" = "id:vpc:vpc-", "x-computed" = true))]
    vpc_id: Option<String>,
}

/// Addresses that are there or about to be.
fn addresses(gateway: &aws_sdk_ec2::types::NatGateway) -> impl Iterator<Item = &NatGatewayAddress> {
    gateway.nat_gateway_addresses().iter().filter(|address| {
        use NatGatewayAddressStatus::{Disassociating, Failed, Unassigning};
        !matches!(address.status(), Some(Disassociating | Failed | Unassigning))
    })
}

/// Whether a gateway is there or about to be; deleted and failed ones are listed for an hour (VPC User Guide,
/// "Troubleshoot NAT gateways").
fn is_there(gateway: &aws_sdk_ec2::types::NatGateway) -> bool {
    !matches!(gateway.state(), Some(NatGatewayState::Deleted | NatGatewayState::Deleting | NatGatewayState::Failed))
}

impl NatGateway {
    fn from_api(gateway: &aws_sdk_ec2::types::NatGateway) -> (String, Self) {
        let id = gateway.nat_gateway_id().unwrap_or_default().to_owned();
        // The first one when none says that it is the primary one.
        let primary = addresses(gateway).find(|address| address.is_primary() == Some(true)).or_else(|| addresses(gateway).next());
        let of = |get: fn(&NatGatewayAddress) -> Option<&str>| primary.and_then(get).filter(|text| !text.is_empty()).map(str::to_owned);
        let allocation_id = of(NatGatewayAddress::allocation_id);
        let all = addresses(gateway).filter_map(|address| address.allocation_id().map(str::to_owned));
        let read = Self {
            subnet_id: gateway.subnet_id().unwrap_or_default().to_owned(),
            connectivity_type: gateway.connectivity_type().map_or("public", ConnectivityType::as_str).to_owned(),
            secondary_allocation_ids: all.filter(|id| Some(id) != allocation_id.as_ref()).collect(),
            allocation_id,
            private_ip_address: of(NatGatewayAddress::private_ip),
            tags: tags(gateway.tags()),
            public_ip: of(NatGatewayAddress::public_ip),
            network_interface_id: of(NatGatewayAddress::network_interface_id),
            vpc_id: gateway.vpc_id().map(str::to_owned),
            id: id.clone(),
        };
        (id, read)
    }

    /// Those of `ids` that are listed, and no other that an answer may hold.
    async fn describe(aws: &Aws, ids: &[String]) -> Outcome<Vec<aws_sdk_ec2::types::NatGateway>> {
        let found = in_chunks("nat-gateway-id", ids, |only| async move {
            let pages = aws.ec2().describe_nat_gateways().filter(only).into_paginator().items().send();
            pages.try_collect().await.or_fail("ec2:DescribeNatGateways")
        });
        let mut found: Vec<aws_sdk_ec2::types::NatGateway> = found.await?;
        found.retain(|gateway| is_one_of(ids, gateway.nat_gateway_id()));
        Ok(found)
    }

    /// The gateway itself, also one that is gone and still listed.
    async fn describe_one(aws: &Aws, id: &str) -> Outcome<Option<aws_sdk_ec2::types::NatGateway>> {
        let found = Self::describe(aws, &[id.to_owned()]).await?;
        Ok(found.into_iter().find(|gateway| gateway.nat_gateway_id() == Some(id)))
    }

    /// Makes its further addresses these: what it has now counts.
    async fn place(aws: &Aws, operation: &Operation, id: &str, wanted: &[String]) -> Outcome<()> {
        let Some(gateway) = Self::describe_one(aws, id).await? else { return Ok(()) };
        let (_, now) = Self::from_api(&gateway);
        let has = async || Ok(Self::describe_one(aws, id).await?.map(|gateway| Self::from_api(&gateway).1.secondary_allocation_ids));
        let new: Vec<String> = wanted.iter().filter(|id| !now.secondary_allocation_ids.contains(id)).cloned().collect();
        if !new.is_empty() {
            let call = aws.ec2().associate_nat_gateway_address().nat_gateway_id(id).set_allocation_ids(Some(new.clone()));
            let sent = send_once!(aws_sdk_ec2, call).await.sent_once("ec2:AssociateNatGatewayAddress");
            // With this gateway, by a call whose answer was lost; or with another one.
            let given = async || Ok(has().await?.is_some_and(|has| new.iter().all(|one| has.contains(one))));
            verified(sent, &["Resource.AlreadyAssociated", "InvalidIPAddress.InUse"], given).await?;
            // While one address moves AWS moves no other.
            Self::settled(aws, operation, id, wanted).await?;
        }
        let gone = |allocation: &str| {
            now.secondary_allocation_ids.iter().any(|one| one == allocation) && !wanted.iter().any(|one| one == allocation)
        };
        let (old, associations): (Vec<String>, Vec<String>) = addresses(&gateway)
            .filter_map(|address| Some((address.allocation_id()?.to_owned(), address.association_id()?.to_owned())))
            .filter(|(allocation, _)| gone(allocation))
            .unzip();
        if !associations.is_empty() {
            let call = aws.ec2().disassociate_nat_gateway_address().nat_gateway_id(id).set_association_ids(Some(associations));
            let sent = send_once!(aws_sdk_ec2, call).await.sent_once("ec2:DisassociateNatGatewayAddress");
            let taken = async || Ok(has().await?.is_none_or(|has| !old.iter().any(|one| has.contains(one))));
            verified(sent, &["InvalidAssociationID.NotFound"], taken).await?;
        }
        Ok(())
    }

    /// Waits until a gateway can be used and none of its addresses moves.
    async fn settled(aws: &Aws, operation: &Operation, id: &str, wanted: &[String]) -> Outcome<()> {
        loop {
            let gateway = Self::describe_one(aws, id).await?;
            if let Some(gateway) = &gateway
                && is_settled(gateway, wanted)?
            {
                return Ok(());
            }
            operation.pause(Duration::from_secs(3), "waiting for the NAT gateway").await?;
        }
    }
}

/// Whether a gateway can be used and none of its addresses moves. An address that has failed is listed for a while, and means
/// something while it is wanted.
fn is_settled(gateway: &api::NatGateway, wanted: &[String]) -> Outcome<bool> {
    use NatGatewayAddressStatus::{Assigning, Associating, Disassociating, Failed, Unassigning};
    let addresses = gateway.nat_gateway_addresses();
    let is_wanted = |address: &NatGatewayAddress| wanted.iter().any(|id| address.allocation_id() == Some(id));
    let has = |id: &str| addresses.iter().any(|one| one.allocation_id() == Some(id) && one.status() != Some(&Failed));
    match gateway.state() {
        Some(NatGatewayState::Failed) => Err(failed(gateway.failure_code(), gateway.failure_message())),
        Some(NatGatewayState::Available) => {
            let mut failing = addresses.iter().filter(|one| one.status() == Some(&Failed) && is_wanted(one));
            if let Some(address) = failing.find(|one| !one.allocation_id().is_some_and(has)) {
                return Err(failed(None, address.failure_message()));
            }
            let moving = |one: &NatGatewayAddress| matches!(one.status(), Some(Assigning | Associating | Disassociating | Unassigning));
            Ok(!addresses.iter().any(moving))
        }
        _ => Ok(false),
    }
}

/// The calls that give a gateway addresses.
const PLACING: &[&str] = &["ec2:AssociateNatGatewayAddress", "ec2:CreateNatGateway"];

impl Resource for NatGateway {
    const TYPE: &'static str = "nat_gateway";
    const INFO: Info = Info {
        propagating: &[
            Retry::after("InvalidSubnetID.NotFound", &["ec2:CreateNatGateway"]),
            Retry::after("InvalidSubnet", &["ec2:CreateNatGateway"]),
            Retry::after("InvalidAllocationID.NotFound", PLACING),
        ],
        // The address of a gateway that is going is given back last.
        transient: &[Retry::after("Resource.AlreadyAssociated", PLACING), Retry::after("InvalidIPAddress.InUse", PLACING)],
        // Deletions of 10 to 15 minutes were seen, with connections through it.
        timeout: 1800,
        // A public one needs the gateway attached, and holds it (EC2 API Reference, CreateNatGateway: `Gateway.NotAttached`).
        after: &[After { type_name: "internet_gateway", through: "vpc" }],
        // Published logs of Terraform's applies of the same calls: made in 1m 24s to 2m 34s, gone in 42 to 61 seconds.
        usual: Usual::of((60, 180), (0, 60), (30, 90)),
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:ec2:{region}:{account}:natgateway/*",
        plan: &[Grant::any(&["ec2:DescribeNatGateways"])],
        apply: &[
            Grant::on(
                &["ec2:AssociateNatGatewayAddress", "ec2:CreateNatGateway", "ec2:DisassociateNatGatewayAddress"],
                &[
                    "arn:{partition}:ec2:{region}:{account}:elastic-ip/*",
                    "arn:{partition}:ec2:{region}:{account}:natgateway/*",
                    "arn:{partition}:ec2:{region}:{account}:network-interface/*",
                    "arn:{partition}:ec2:{region}:{account}:subnet/*",
                    "arn:{partition}:ec2:{region}:{account}:vpc/*",
                ],
            ),
            Grant::itself(&["ec2:CreateTags", "ec2:DeleteNatGateway", "ec2:DeleteTags"]),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let absent = |key: &str| desired.get(key).is_none_or(Value::is_null);
        let kind = desired.get("connectivity_type").and_then(Value::as_str);
        let problem = match kind {
            Some("public") if absent("allocation_id") => "a public NAT gateway needs the allocation id of an Elastic IP address",
            Some("private") if !absent("allocation_id") => "a private NAT gateway has no Elastic IP address",
            _ => return Vec::new(),
        };
        vec![(Path::attribute("allocation_id"), problem.to_owned())]
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let found = Self::describe(aws, ids).await?;
        Ok(found.iter().filter(|gateway| is_there(gateway)).map(Self::from_api).collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let pages = aws.ec2().describe_nat_gateways().set_filter(Some(ownership_filters(wanted))).into_paginator().items().send();
        let found: Vec<aws_sdk_ec2::types::NatGateway> = pages.try_collect().await.or_fail("ec2:DescribeNatGateways")?;
        let ours = found.iter().filter(|gateway| is_there(gateway) && wanted.owns(&tags(gateway.tags())));
        Ok(wanted.pick(ours.filter_map(|gateway| gateway.nat_gateway_id().map(str::to_owned))))
    }

    async fn create(aws: &Aws, operation: &Operation, to: &Self) -> Outcome<String> {
        let secondary = Some(to.secondary_allocation_ids.clone()).filter(|ids| !ids.is_empty());
        let call = aws
            .ec2()
            .create_nat_gateway()
            .subnet_id(&to.subnet_id)
            .connectivity_type(ConnectivityType::from(to.connectivity_type.as_str()))
            .set_allocation_id(to.allocation_id.clone())
            .set_private_ip_address(to.private_ip_address.clone())
            .set_secondary_allocation_ids(secondary)
            .client_token(&operation.token)
            .tag_specifications(specification(ResourceType::Natgateway, &to.tags));
        let made = send_once!(aws_sdk_ec2, call).await.sent_once("ec2:CreateNatGateway")?;
        made_id("ec2:CreateNatGateway", made.nat_gateway().and_then(|gateway| gateway.nat_gateway_id()))
    }

    async fn update(aws: &Aws, operation: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self {
            secondary_allocation_ids,
            tags,
            subnet_id: _,
            connectivity_type: _,
            allocation_id: _,
            private_ip_address: _,
            id: _,
            public_ip: _,
            network_interface_id: _,
            vpc_id: _,
        } = to;
        if *secondary_allocation_ids != from.secondary_allocation_ids {
            Self::place(aws, operation, id, secondary_allocation_ids).await?;
        }
        update_tags(aws.ec2(), id, &from.tags, tags).await
    }

    async fn ready(aws: &Aws, operation: &Operation, id: &str, to: &Self) -> Outcome<()> {
        let wanted: Vec<String> = to.allocation_id.iter().chain(&to.secondary_allocation_ids).cloned().collect();
        Self::settled(aws, operation, id, &wanted).await
    }

    async fn delete(aws: &Aws, operation: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        aws.ec2().delete_nat_gateway().nat_gateway_id(id).send().await.or_gone("ec2:DeleteNatGateway")?;
        let going =
            |gateway: &aws_sdk_ec2::types::NatGateway| !matches!(gateway.state(), Some(NatGatewayState::Deleted | NatGatewayState::Failed));
        while Self::describe_one(aws, id).await?.as_ref().is_some_and(going) {
            operation.pause(Duration::from_secs(3), "waiting for the NAT gateway to go").await?;
        }
        Ok(())
    }
}

fn failed(code: Option<&str>, message: Option<&str>) -> Failure {
    // What the gateway needs may not have been known everywhere yet.
    let again = matches!(code, Some("Gateway.NotAttached" | "InvalidAllocationID.NotFound" | "Resource.AlreadyAssociated"));
    let advice = if again { "; the next apply makes another one" } else { "" };
    let message = message.unwrap_or("AWS gives no reason").trim_end_matches('.');
    let failure = Failure::new(FailureKind::Other, format!("the NAT gateway failed: {message}{advice}"));
    Failure { operation: "ec2:CreateNatGateway".to_owned(), code: code.map(str::to_owned), ..failure }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_address_that_is_wanted_fails_a_gateway() {
        use NatGatewayAddressStatus::{Associating, Failed, Succeeded};
        let address = |id: &str, status: NatGatewayAddressStatus| NatGatewayAddress::builder().allocation_id(id).status(status).build();
        let settled = |addresses: Vec<NatGatewayAddress>| {
            let gateway = api::NatGateway::builder().state(NatGatewayState::Available).set_nat_gateway_addresses(Some(addresses)).build();
            is_settled(&gateway, &["eipalloc-1".to_owned()])
        };
        assert!(settled(vec![address("eipalloc-1", Succeeded), address("eipalloc-2", Failed)]).unwrap());
        assert!(settled(vec![address("eipalloc-1", Failed), address("eipalloc-1", Succeeded)]).unwrap());
        assert!(!settled(vec![address("eipalloc-1", Associating)]).unwrap());
        assert!(settled(vec![address("eipalloc-1", Failed)]).is_err());
    }

    #[test]
    fn a_failed_gateway_says_its_code_and_what_becomes_of_it() {
        let gateway = api::NatGateway::builder().state(NatGatewayState::Failed).failure_code("Gateway.NotAttached");
        let failure = is_settled(&gateway.failure_message("Network vpc-1 has no Internet gateway attached").build(), &[]).unwrap_err();
        assert_eq!(failure.code.as_deref(), Some("Gateway.NotAttached"));
        assert!(failure.message.ends_with("attached; the next apply makes another one"), "{}", failure.message);
    }
}
