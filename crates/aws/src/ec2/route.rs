//! The routes of a table, its own or those that AWS has made with a VPC.

use std::collections::BTreeSet;

use aws_sdk_ec2::types as api;
use aws_sdk_ec2::types::RouteOrigin;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{in_chunks, tags};
use crate::client::{Aws, send_once};
use crate::error::OrFail;
use crate::repeat::{Changing, says};
use crate::resource::{Retry, Tags};
use leoctl_core::engine::ports::{FailureKind, Outcome};
use leoctl_core::model::path::Path;
use leoctl_core::model::value::Value;

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

/// What a table names may have been made a moment ago.
pub const PROPAGATING: &[Retry] = &[
    Retry::after("InvalidVpcID.NotFound", &["ec2:CreateRouteTable", "ec2:DescribeRouteTables"]),
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
];

/// What is wrong with the routes of a table as far as they are known.
pub fn problems(desired: &Value) -> Vec<(Path, String)> {
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

/// These tables, with their routes.
///
/// # Errors
/// When AWS refuses.
pub async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(api::RouteTable, Vec<Route>)>> {
    let found = in_chunks("route-table-id", ids, |only| async move {
        let pages = aws.ec2().describe_route_tables().filters(only).into_paginator().items().send();
        pages.try_collect().await.or_fail("ec2:DescribeRouteTables")
    });
    let found: Vec<api::RouteTable> = found.await?;
    let services = interfaces_of_services(aws, &found).await?;
    let with_routes = found.into_iter().map(|table| {
        let routes = table.routes().iter().filter_map(|route| Route::from_api(route, &services)).collect();
        (table, routes)
    });
    Ok(with_routes.collect())
}

/// The routes of a table; none where reads do not see it.
///
/// # Errors
/// When AWS refuses.
pub async fn of_table(aws: &Aws, id: &str) -> Outcome<Option<Vec<Route>>> {
    let found = read(aws, &[id.to_owned()]).await?;
    Ok(found.into_iter().find(|(table, _)| table.route_table_id() == Some(id)).map(|(_, routes)| routes))
}

/// Makes one set of routes of a table into another.
///
/// # Errors
/// When AWS refuses.
pub async fn change(aws: &Aws, id: &str, from: &[Route], to: &[Route]) -> Outcome<()> {
    for route in to.iter().filter(|route| !from.contains(route)) {
        match from.iter().any(|old| old.same_destination(route)) {
            true => replace_route(aws, id, route).await?,
            false => create_route(aws, id, route).await?,
        }
    }
    for route in from.iter().filter(|old| !to.iter().any(|route| route.same_destination(old))) {
        delete_route(aws, id, route).await?;
    }
    Ok(())
}

/// The tags of a table without FSx's: a file system in several zones marks by it the tables whose routes it keeps (FSx for
/// ONTAP User Guide, "VPC route tables").
pub fn own_tags(found: &[api::Tag]) -> Tags {
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
    let routes = of_table(aws, id).await?.unwrap_or_default();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(route: api::builders::RouteBuilder) -> Option<Route> {
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
