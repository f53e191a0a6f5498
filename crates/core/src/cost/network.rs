//! Ways in and out: load balancers, NAT gateways, endpoints, public addresses, DNS.

use super::bill::Desk;
use super::prices::Price;
use super::side::{Resource, get, number, text};
use crate::stack::usage::Use;

/// Public IPv4 addresses, which are paid for in use or not (VPC price page).
pub fn addresses(desk: &mut Desk<'_>, count: f64) {
    let hours = desk.hours();
    let what = if count > 1.0 { format!("{count} public IPv4 addresses") } else { "public IPv4 address".to_owned() };
    desk.always(what, (hours * count, "hours"), Price::Ipv4Hour);
}

/// What is sent to the internet.
pub fn data_out(desk: &mut Desk<'_>) {
    let gb = desk.amount(Use::DATA_OUT_GB);
    desk.by_use("data out to the internet", (gb, "GB"), Price::DataOutGb);
}

/// A load balancer: its hours, capacity in use, and addresses.
pub fn load_balancer(desk: &mut Desk<'_>, lb: &Resource<'_>) {
    let (hour, unit) = match lb.text("type") {
        Some("gateway") => return desk.missing("leoctl has no prices for gateway load balancers"),
        Some("network") => (Price::NlbHour, Price::NlbLcuHour),
        _ => (Price::AlbHour, Price::AlbLcuHour),
    };
    let hours = desk.hours();
    desk.always("load balancer", (hours, "hours"), hour);
    if lb.text("scheme") != Some("internal") {
        if lb.text("ip_address_type") != Some("dualstack-without-public-ipv4") {
            balancer_addresses(desk, lb);
        }
        data_out(desk);
    }
    let kept = lb.get("minimum_load_balancer_capacity").and_then(|kept| get(kept, "capacity_units"));
    if kept.and_then(number).is_some_and(|units| units > 0.0) {
        desk.missing("the capacity that is kept for it: leoctl has no prices for that");
    }
    let units = desk.amount(Use::LB_CAPACITY);
    desk.by_use("capacity units", (hours * units, "unit hours"), unit);
}

/// One address in each subnet; one that is an `eip` is paid for there.
fn balancer_addresses(desk: &mut Desk<'_>, lb: &Resource<'_>) {
    let mappings = lb.list("subnet_mappings");
    // What AWS chooses is not known either before it is made.
    let own = lb.is_made_from("eip") || mappings.iter().any(|mapping| get(mapping, "allocation_id").and_then(text).is_some());
    let attribute = if mappings.is_empty() { "subnets" } else { "subnet_mappings" };
    match lb.count(attribute, "subnet") {
        Some(count) if !own => addresses(desk, count),
        Some(_) => {}
        None => desk.missing("its public IPv4 addresses: in how many subnets it is, is not known"),
    }
}

/// A NAT gateway: its hours, and what goes through it. Its address is an `eip`.
pub fn nat_gateway(desk: &mut Desk<'_>, nat: &Resource<'_>) {
    let hours = desk.hours();
    desk.always("NAT gateway", (hours, "hours"), Price::NatHour);
    let gb = desk.amount(Use::NAT_GB);
    desk.by_use("data through it", (gb, "GB"), Price::NatGb);
    if nat.text("connectivity_type") != Some("private") {
        data_out(desk);
    }
}

/// An endpoint: those of gateways are free, interfaces are paid for in each availability zone.
pub fn endpoint(desk: &mut Desk<'_>, endpoint: &Resource<'_>) {
    match endpoint.text("vpc_endpoint_type") {
        Some("Interface") => {}
        Some("GatewayLoadBalancer") => return desk.missing("leoctl has no prices for endpoints of gateway load balancers"),
        _ => return,
    }
    match endpoint.count("subnet_ids", "subnet") {
        Some(zones) => {
            let hours = desk.hours();
            let what = if zones > 1.0 { format!("endpoint in {zones} zones") } else { "endpoint in one zone".to_owned() };
            desk.always(what, (hours * zones, "hours"), Price::VpcEndpointHour);
        }
        None => desk.missing("its hours: in how many subnets it is, is not known"),
    }
    let gb = desk.amount(Use::ENDPOINT_GB);
    desk.by_use("data through it", (gb, "GB"), Price::VpcEndpointGb);
}

/// A zone, and the queries to it. Those within a VPC are free.
pub fn zone(desk: &mut Desk<'_>, zone: &Resource<'_>) {
    desk.always("hosted zone", (1.0, "zones"), Price::Route53ZoneMonth);
    if !zone.flag("private_zone") {
        let queries = desk.amount(Use::DNS_QUERIES);
        desk.by_use("queries", (queries, "queries"), Price::Route53Queries);
    }
}

/// A namespace, which is a hosted zone of its VPC.
pub fn namespace(desk: &mut Desk<'_>) {
    desk.always("hosted zone", (1.0, "zones"), Price::Route53ZoneMonth);
}
