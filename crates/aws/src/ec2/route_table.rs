//! The resource type `route_table`.

use std::collections::BTreeSet;

use aws_sdk_ec2::types as api;
use aws_sdk_ec2::types::{ResourceType, RouteOrigin, RouteTableAssociation, RouteTableAssociationStateCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{arn, filter, in_chunks, ownership_filters, specification, tags, update_tags};
use crate::client::{Aws, send_once};
use crate::error::{OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::{Changing, says, verified};
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::value::Value;

/// A VPC's routes, with the subnets that use them. The VPC's own local routes are not listed.
///
/// Import by id: `rtb-0123456789abcdef0`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteTable {
    /// The VPC.
    #[schemars(extend("x-replace" = true))]
    vpc_id: String,
    /// The routes.
    #[schemars(extend("default" = [], "x-set" = true))]
    routes: Vec<Route>,
    /// The subnets that use this table.
    #[schemars(extend("default" = [], "x-set" = true))]
    subnet_ids: Vec<String>,
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
}

/// A route: one destination, one target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The IPv4 network it is for.
    #[schemars(extend("x-format" = "cidr4"))]
    destination_cidr_block: Option<String>,
    /// The IPv6 network it is for.
    #[schemars(extend("x-format" = "cidr6"))]
    destination_ipv6_cidr_block: Option<String>,
    /// The prefix list it is for.
    destination_prefix_list_id: Option<String>,
    /// Through this internet gateway.
    gateway_id: Option<String>,
    /// Through this NAT gateway.
    nat_gateway_id: Option<String>,
    /// Through this egress-only internet gateway.
    egress_only_internet_gateway_id: Option<String>,
    /// Through this Gateway Load Balancer endpoint. The routes to a gateway endpoint are made by its own
    /// `route_table_ids`.
    vpc_endpoint_id: Option<String>,
    /// Through this transit gateway.
    transit_gateway_id: Option<String>,
    /// Through this peering connection.
    vpc_peering_connection_id: Option<String>,
    /// Through this network interface, such as that of an instance: `primary_network_interface_id`.
    network_interface_id: Option<String>,
}

impl Route {
    fn same_destination(&self, other: &Self) -> bool {
        self.destination_cidr_block == other.destination_cidr_block
            && self.destination_ipv6_cidr_block == other.destination_ipv6_cidr_block
            && self.destination_prefix_list_id == other.destination_prefix_list_id
    }

    /// None for routes AWS makes itself. `services` are the interfaces that services of AWS have across accounts.
    fn from_api(route: &api::Route, services: &BTreeSet<String>) -> Option<Self> {
        let gateway_id = route.gateway_id().map(str::to_owned);
        let (vpc_endpoint_id, gateway_id): (Option<_>, Option<_>) = match gateway_id {
            Some(id) if id.starts_with("vpce-") => (Some(id), None),
            other => (None, other),
        };
        // Routes to a gateway endpoint, which are the only ones from a prefix list to an endpoint, are that endpoint's
        // and not the table's (AWS PrivateLink Guide, "Gateway endpoints": routing).
        let endpoint = vpc_endpoint_id.is_some() && route.destination_prefix_list_id().is_some();
        let service = route.network_interface_id().is_some_and(|id| services.contains(id));
        // A virtual private gateway and a route server spread routes of their own (EC2 API Reference, Route: `Origin`), and so
        // does VPC Lattice.
        let spread = matches!(route.origin(), Some(RouteOrigin::EnableVgwRoutePropagation | RouteOrigin::Advertisement));
        if matches!(gateway_id.as_deref(), Some("local" | "VpcLattice")) || endpoint || service || spread {
            return None;
        }
        Some(Self {
            destination_cidr_block: route.destination_cidr_block().map(str::to_owned),
            destination_ipv6_cidr_block: route.destination_ipv6_cidr_block().map(str::to_owned),
            destination_prefix_list_id: route.destination_prefix_list_id().map(str::to_owned),
            gateway_id,
            vpc_endpoint_id,
            nat_gateway_id: route.nat_gateway_id().map(str::to_owned),
            egress_only_internet_gateway_id: route.egress_only_internet_gateway_id().map(str::to_owned),
            transit_gateway_id: route.transit_gateway_id().map(str::to_owned),
            vpc_peering_connection_id: route.vpc_peering_connection_id().map(str::to_owned),
            network_interface_id: route.network_interface_id().map(str::to_owned),
        })
    }
}

/// The calls that name the target of a route.
const TO_TARGETS: &[&str] = &["ec2:CreateRoute", "ec2:ReplaceRoute"];

impl Resource for RouteTable {
    const TYPE: &'static str = "route_table";
    const INFO: Info = Info {
        // The new one takes the subnets over; without a table of their own they would be on the VPC's main one meanwhile.
        create_before_destroy: true,
        exclusive: &["subnet_ids"],
        transient: &[
            Retry::after("DependencyViolation", &["ec2:DeleteRouteTable"]),
            // Another table is just giving the subnet away: it is looked at anew.
            Retry::after("Resource.AlreadyAssociated", &["ec2:AssociateRouteTable"]),
            Retry::after("InvalidAssociationID.NotFound", &["ec2:ReplaceRouteTableAssociation"]),
        ],
        propagating: &[
            Retry::after("InvalidVpcID.NotFound", &["ec2:CreateRouteTable"]),
            Retry::after("InvalidSubnetID.NotFound", &["ec2:AssociateRouteTable"]),
            Retry::after("RouteAlreadyExists", &["ec2:CreateRoute"]),
            Retry::after("InvalidRoute.NotFound", &["ec2:ReplaceRoute"]),
            Retry::after("InvalidGatewayID.NotFound", TO_TARGETS),
            Retry::after("InvalidInternetGatewayID.NotFound", TO_TARGETS),
            Retry::after("InvalidNatGatewayID.NotFound", TO_TARGETS),
            Retry::after("NatGatewayNotFound", TO_TARGETS),
            Retry::after("InvalidEgressOnlyInternetGatewayId.NotFound", TO_TARGETS),
            Retry::after("InvalidVpcEndpointId.NotFound", TO_TARGETS),
            Retry::after("InvalidTransitGatewayID.NotFound", TO_TARGETS),
            Retry::after("InvalidVpcPeeringConnectionID.NotFound", TO_TARGETS),
            Retry::after("InvalidNetworkInterfaceID.NotFound", TO_TARGETS),
            Retry::after("InvalidParameterException", TO_TARGETS),
        ],
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:ec2:{region}:{account}:route-table/*",
        plan: &[Grant::any(&["ec2:DescribeNetworkInterfaces", "ec2:DescribeRouteTables"])],
        apply: &[
            Grant::on(
                &["ec2:CreateRouteTable"],
                &["arn:{partition}:ec2:{region}:{account}:route-table/*", "arn:{partition}:ec2:{region}:{account}:vpc/{vpc_id}"],
            ),
            Grant::on(
                &["ec2:AssociateRouteTable", "ec2:DisassociateRouteTable", "ec2:ReplaceRouteTableAssociation"],
                &["arn:{partition}:ec2:{region}:{account}:route-table/*", "arn:{partition}:ec2:{region}:{account}:subnet/*"],
            ),
            Grant::itself(&[
                "ec2:CreateRoute",
                "ec2:CreateTags",
                "ec2:DeleteRoute",
                "ec2:DeleteRouteTable",
                "ec2:DeleteTags",
                "ec2:ReplaceRoute",
            ]),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let mut problems = Vec::new();
        for route in desired.get("routes").and_then(Value::as_list).unwrap_or_default() {
            let count = |keys: &[&str]| keys.iter().filter(|key| route.get(key).is_some_and(|value| !value.is_null())).count();
            let destinations = count(&["destination_cidr_block", "destination_ipv6_cidr_block", "destination_prefix_list_id"]);
            let targets = count(&[
                "gateway_id",
                "nat_gateway_id",
                "egress_only_internet_gateway_id",
                "vpc_endpoint_id",
                "transit_gateway_id",
                "vpc_peering_connection_id",
                "network_interface_id",
            ]);
            if count(&["vpc_endpoint_id", "destination_prefix_list_id"]) == 2 {
                let problem = "a route to an endpoint is for a network; from a prefix list it would be a gateway endpoint's own";
                problems.push((Path::attribute("routes"), problem.to_owned()));
            }
            if route.as_map().is_some() && (destinations != 1 || targets != 1) {
                problems.push((Path::attribute("routes"), "a route has exactly one destination and one target".to_owned()));
            }
        }
        problems
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let found = in_chunks("route-table-id", ids, |only| async move {
            let pages = aws.ec2().describe_route_tables().filters(only).into_paginator().items().send();
            pages.try_collect().await.or_fail("ec2:DescribeRouteTables")
        });
        let found: Vec<api::RouteTable> = found.await?;
        let services = interfaces_of_services(aws, &found).await?;
        let read = found.iter().map(|table| {
            let id = table.route_table_id().unwrap_or_default().to_owned();
            let associated = table.associations().iter().filter(|association| is_there(association));
            let read = Self {
                vpc_id: table.vpc_id().unwrap_or_default().to_owned(),
                routes: table.routes().iter().filter_map(|route| Route::from_api(route, &services)).collect(),
                subnet_ids: associated.filter_map(|association| association.subnet_id().map(str::to_owned)).collect(),
                tags: own_tags(table.tags()),
                arn: arn(&aws.region, table.owner_id().unwrap_or_default(), "route-table", &id),
                id: id.clone(),
            };
            (id, read)
        });
        Ok(read.collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let pages = aws.ec2().describe_route_tables().set_filters(Some(ownership_filters(wanted))).into_paginator().items().send();
        let found: Vec<aws_sdk_ec2::types::RouteTable> = pages.try_collect().await.or_fail("ec2:DescribeRouteTables")?;
        let ours = found.iter().filter(|table| wanted.owns(&tags(table.tags())));
        Ok(wanted.pick(ours.filter_map(|table| table.route_table_id().map(str::to_owned))))
    }

    async fn create(aws: &Aws, operation: &Operation, to: &Self) -> Outcome<String> {
        let call = aws
            .ec2()
            .create_route_table()
            .vpc_id(&to.vpc_id)
            .client_token(&operation.token)
            .tag_specifications(specification(ResourceType::RouteTable, &to.tags));
        let made = send_once!(aws_sdk_ec2, call).await.sent_once("ec2:CreateRouteTable")?;
        made_id("ec2:CreateRouteTable", made.route_table().and_then(|table| table.route_table_id()))
    }

    fn as_created(to: &Self) -> Self {
        Self { routes: Vec::new(), subnet_ids: Vec::new(), ..to.clone() }
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self { routes, subnet_ids, tags, vpc_id: _, id: _, arn: _ } = to;
        // Begun again, some of it is done: what is there now counts, where reads see it already.
        let now = Self::read_one(aws, id).await?;
        let from = &Self { tags: from.tags.clone(), ..now.unwrap_or_else(|| from.clone()) };
        for route in routes.iter().filter(|route| !from.routes.contains(route)) {
            match from.routes.iter().any(|old| old.same_destination(route)) {
                true => replace_route(aws, id, route).await?,
                false => create_route(aws, id, route).await?,
            }
        }
        for route in from.routes.iter().filter(|old| !routes.iter().any(|route| route.same_destination(old))) {
            delete_route(aws, id, route).await?;
        }
        for subnet in subnet_ids.iter().filter(|subnet| !from.subnet_ids.contains(subnet)) {
            associate(aws, id, subnet).await?;
        }
        let gone: Vec<&String> = from.subnet_ids.iter().filter(|subnet| !subnet_ids.contains(subnet)).collect();
        disassociate(aws, id, |subnet| gone.iter().any(|gone| *gone == subnet)).await?;
        update_tags(aws.ec2(), id, &from.tags, tags).await
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        disassociate(aws, id, |_| true).await?;
        if is_main(aws, id).await? {
            let message =
                format!("{id} is the main table of its VPC, which goes with the VPC alone: make another one the main table first");
            return Err(Failure { operation: "ec2:DeleteRouteTable".to_owned(), ..Failure::new(FailureKind::Refused, message) });
        }
        aws.ec2().delete_route_table().route_table_id(id).send().await.or_gone("ec2:DeleteRouteTable").map(drop)
    }
}

/// The tags of a table without FSx's: a file system in several zones marks by it the tables whose routes it keeps (FSx for
/// ONTAP User Guide, "VPC route tables").
fn own_tags(found: &[api::Tag]) -> Tags {
    let mut tags = tags(found);
    tags.remove("AmazonFSx");
    tags
}

/// The interfaces in routes that a service of AWS has attached to a machine of its own account: it keeps those routes itself.
async fn interfaces_of_services(aws: &Aws, tables: &[api::RouteTable]) -> Outcome<BTreeSet<String>> {
    let foreign = |table: &api::RouteTable, route: &api::Route| {
        route.instance_owner_id().is_some() && table.owner_id().is_some() && route.instance_owner_id() != table.owner_id()
    };
    let suspects = tables.iter().flat_map(|table| table.routes().iter().filter(move |route| foreign(table, route)));
    let suspects: BTreeSet<String> = suspects.filter_map(|route| route.network_interface_id().map(str::to_owned)).collect();
    let suspects: Vec<String> = suspects.into_iter().collect();
    let found = in_chunks("network-interface-id", &suspects, |only| async move {
        let pages = aws.ec2().describe_network_interfaces().filters(only).max_results(1000).into_paginator().items().send();
        pages.try_collect().await.or_fail("ec2:DescribeNetworkInterfaces")
    });
    let found: Vec<api::NetworkInterface> = found.await?;
    let theirs = found.iter().filter(|interface| is_of_service(interface));
    Ok(theirs.filter_map(|interface| interface.network_interface_id().map(str::to_owned)).collect())
}

/// Whether an interface is attached to a machine of another account than its own.
fn is_of_service(interface: &api::NetworkInterface) -> bool {
    let machine = interface.attachment().and_then(|attachment| attachment.instance_owner_id());
    machine.is_some() && interface.owner_id().is_some() && machine != interface.owner_id()
}

async fn create_route(aws: &Aws, id: &str, wanted: &Route) -> Outcome<()> {
    let route = wanted.clone();
    let call = aws
        .ec2()
        .create_route()
        .route_table_id(id)
        .set_destination_cidr_block(route.destination_cidr_block)
        .set_destination_ipv6_cidr_block(route.destination_ipv6_cidr_block)
        .set_destination_prefix_list_id(route.destination_prefix_list_id)
        .set_gateway_id(route.gateway_id)
        .set_nat_gateway_id(route.nat_gateway_id)
        .set_egress_only_internet_gateway_id(route.egress_only_internet_gateway_id)
        .set_vpc_endpoint_id(route.vpc_endpoint_id)
        .set_transit_gateway_id(route.transit_gateway_id)
        .set_vpc_peering_connection_id(route.vpc_peering_connection_id)
        .set_network_interface_id(route.network_interface_id);
    let sent = send_once!(aws_sdk_ec2, call).await.sent_once("ec2:CreateRoute");
    let lost = match sent {
        Err(failure) if failure.kind == FailureKind::Ambiguous || says(&failure, &["RouteAlreadyExists"]) => failure,
        sent => return sent.map(drop),
    };
    let routes = RouteTable::read_one(aws, id).await?.map(|table| table.routes).unwrap_or_default();
    match routes.iter().find(|route| route.same_destination(wanted)) {
        Some(route) if route == wanted => Ok(()),
        // To another target: all routes of the table are its own.
        Some(_) => replace_route(aws, id, wanted).await,
        None => Err(lost),
    }
}

async fn replace_route(aws: &Aws, id: &str, route: &Route) -> Outcome<()> {
    let route = route.clone();
    let call = aws
        .ec2()
        .replace_route()
        .route_table_id(id)
        .set_destination_cidr_block(route.destination_cidr_block)
        .set_destination_ipv6_cidr_block(route.destination_ipv6_cidr_block)
        .set_destination_prefix_list_id(route.destination_prefix_list_id)
        .set_gateway_id(route.gateway_id)
        .set_nat_gateway_id(route.nat_gateway_id)
        .set_egress_only_internet_gateway_id(route.egress_only_internet_gateway_id)
        .set_vpc_endpoint_id(route.vpc_endpoint_id)
        .set_transit_gateway_id(route.transit_gateway_id)
        .set_vpc_peering_connection_id(route.vpc_peering_connection_id)
        .set_network_interface_id(route.network_interface_id);
    call.send().await.idempotent("ec2:ReplaceRoute").map(drop)
}

async fn delete_route(aws: &Aws, id: &str, route: &Route) -> Outcome<()> {
    let route = route.clone();
    let call = aws
        .ec2()
        .delete_route()
        .route_table_id(id)
        .set_destination_cidr_block(route.destination_cidr_block)
        .set_destination_ipv6_cidr_block(route.destination_ipv6_cidr_block)
        .set_destination_prefix_list_id(route.destination_prefix_list_id);
    call.send().await.or_gone("ec2:DeleteRoute").map(drop)
}

async fn associate(aws: &Aws, id: &str, subnet: &str) -> Outcome<()> {
    let call = aws.ec2().associate_route_table().route_table_id(id).subnet_id(subnet);
    let failure = match send_once!(aws_sdk_ec2, call).await.sent_once("ec2:AssociateRouteTable") {
        Ok(_) => return Ok(()),
        Err(failure) => failure,
    };
    // With this table, by a call whose answer was lost; or with another, perhaps one that is about to be deleted or that
    // gives the subnet away in the same apply: this table takes it over.
    if failure.kind != FailureKind::Ambiguous && !says(&failure, &["Resource.AlreadyAssociated"]) {
        return Err(failure);
    }
    let Some((table, association)) = table_of(aws, subnet).await? else { return Err(failure) };
    if table == id {
        return Ok(());
    }
    let call = aws.ec2().replace_route_table_association().route_table_id(id).association_id(association);
    let sent = send_once!(aws_sdk_ec2, call).await.sent_once("ec2:ReplaceRouteTableAssociation");
    // The other table has let go of it meanwhile, or the call took effect: its association is gone in both cases.
    verified(sent, &["InvalidAssociationID.NotFound"], async || Ok(table_of(aws, subnet).await?.is_some_and(|(table, _)| table == id)))
        .await
}

/// The table that a subnet is associated with, and the association's id; none for the VPC's main table.
async fn table_of(aws: &Aws, subnet: &str) -> Outcome<Option<(String, String)>> {
    let call = aws.ec2().describe_route_tables().filters(filter("association.subnet-id", &[subnet.to_owned()]));
    let found = call.send().await.or_fail("ec2:DescribeRouteTables")?;
    let mut associations = found.route_tables().iter().flat_map(|table| table.associations());
    let known = associations.rfind(|known| known.subnet_id() == Some(subnet) && is_there(known));
    Ok(known.and_then(|known| Some((known.route_table_id()?.to_owned(), known.route_table_association_id()?.to_owned()))))
}

/// Whether an association is there or about to be.
fn is_there(association: &RouteTableAssociation) -> bool {
    let state = association.association_state().and_then(|state| state.state());
    !matches!(state, Some(RouteTableAssociationStateCode::Disassociated | RouteTableAssociationStateCode::Disassociating))
}

/// Takes a table from these subnets and gateways; it is a gateway's where traffic that comes in goes by it.
async fn disassociate(aws: &Aws, id: &str, which: impl Fn(&str) -> bool) -> Outcome<()> {
    let call = aws.ec2().describe_route_tables().filters(filter("route-table-id", &[id.to_owned()]));
    let found = call.send().await.or_fail("ec2:DescribeRouteTables")?;
    let tables = found.route_tables().iter().filter(|table| table.route_table_id() == Some(id));
    for association in tables.flat_map(|table| table.associations()) {
        if association.subnet_id().or(association.gateway_id()).is_some_and(&which) {
            let call = aws.ec2().disassociate_route_table().set_association_id(association.route_table_association_id().map(str::to_owned));
            call.send().await.or_gone("ec2:DisassociateRouteTable")?;
        }
    }
    Ok(())
}

/// Whether a table is the one that subnets without another use.
async fn is_main(aws: &Aws, id: &str) -> Outcome<bool> {
    let call = aws.ec2().describe_route_tables().filters(filter("route-table-id", &[id.to_owned()]));
    let found = call.send().await.or_fail("ec2:DescribeRouteTables")?;
    let mut tables = found.route_tables().iter().filter(|table| table.route_table_id() == Some(id));
    Ok(tables.any(|table| table.associations().iter().any(|association| association.main() == Some(true))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(route: aws_sdk_ec2::types::builders::RouteBuilder) -> Option<Route> {
        Route::from_api(&route.destination_cidr_block("10.1.0.0/16").build(), &["eni-fsx".to_owned()].into())
    }

    #[test]
    fn routes_that_something_else_keeps_are_not_the_tables() {
        let to = || api::Route::builder();
        assert!(read(to().gateway_id("igw-1").origin(RouteOrigin::CreateRoute)).is_some());
        assert!(read(to().network_interface_id("eni-1").origin(RouteOrigin::CreateRoute)).is_some());
        assert!(read(to().network_interface_id("eni-fsx").origin(RouteOrigin::CreateRoute)).is_none());
        assert!(read(to().network_interface_id("eni-1").origin(RouteOrigin::Advertisement)).is_none());
        assert!(read(to().gateway_id("vgw-1").origin(RouteOrigin::EnableVgwRoutePropagation)).is_none());
        assert!(read(to().gateway_id("VpcLattice").origin(RouteOrigin::CreateRoute)).is_none());
        assert!(read(to().gateway_id("local").origin(RouteOrigin::CreateRouteTable)).is_none());
    }

    #[test]
    fn an_interface_is_a_services_where_the_machine_is_of_another_account() {
        let attached = |owner: &str, machine: &str| {
            let attachment = api::NetworkInterfaceAttachment::builder().instance_owner_id(machine).build();
            is_of_service(&api::NetworkInterface::builder().owner_id(owner).attachment(attachment).build())
        };
        assert!(attached("111111111111", "amazon-elasticsearch") && attached("111111111111", "222222222222"));
        assert!(!attached("222222222222", "222222222222"));
    }

    #[test]
    fn the_mark_of_fsx_is_not_the_users() {
        let tag = |key: &str| api::Tag::builder().key(key).value("x").build();
        assert_eq!(own_tags(&[tag("AmazonFSx"), tag("Name")]), [("Name".to_owned(), "x".to_owned())].into());
    }
}
