//! A VPC with IPv4 and IPv6, and two public subnets with their own way out.

use aws_sdk_ec2::types::{Filter, RouteTable, Subnet, Tenancy, Vpc, VpcAttributeName, VpcCidrBlockStateCode};
use ipnet::Ipv6Net;

use crate::support::live::{Live, sorted};

pub const ZONES: [&str; 2] = ["us-east-1a", "us-east-1b"];
const NETWORKS: [&str; 2] = ["10.0.0.0/17", "10.0.128.0/17"];

pub async fn holds(live: &Live) {
    let block = vpc_holds(live).await;
    subnets_hold(live, block).await;
    gateway_holds(live).await;
    for (zone, subnet) in ZONES.into_iter().zip(subnets(live)) {
        route_table_holds(live, zone, subnet).await;
    }
}

/// The VPC; its IPv6 block.
async fn vpc_holds(live: &Live) -> Ipv6Net {
    let vpc = vpc(live).await;
    assert_eq!(vpc.cidr_block(), Some("10.0.0.0/16"));
    assert_eq!(vpc.instance_tenancy(), Some(&Tenancy::Default));
    assert!(attribute(live, VpcAttributeName::EnableDnsHostnames).await, "DNS host names");
    assert!(attribute(live, VpcAttributeName::EnableDnsSupport).await, "DNS resolution");
    let [block] = vpc.ipv6_cidr_block_association_set() else { panic!("not one IPv6 block: {vpc:?}") };
    assert_eq!(block.ipv6_pool(), Some("Amazon"));
    assert_eq!(block.ipv6_cidr_block_state().unwrap().state(), Some(&VpcCidrBlockStateCode::Associated));
    block.ipv6_cidr_block().unwrap().parse().unwrap()
}

async fn vpc(live: &Live) -> Vpc {
    let found = live.ec2.describe_vpcs().vpc_ids(live.id("vpc.main")).send().await.unwrap();
    found.vpcs()[0].clone()
}

async fn attribute(live: &Live, name: VpcAttributeName) -> bool {
    let found = live.ec2.describe_vpc_attribute().vpc_id(live.id("vpc.main")).attribute(name).send().await.unwrap();
    let value = found.enable_dns_hostnames().or(found.enable_dns_support()).unwrap();
    value.value().unwrap()
}

async fn subnets_hold(live: &Live, block: Ipv6Net) {
    let filter = Filter::builder().name("vpc-id").values(live.id("vpc.main")).build();
    let found = live.ec2.describe_subnets().filters(filter).send().await.unwrap();
    assert_eq!(sorted(found.subnets().iter().map(|subnet| subnet.subnet_id().unwrap())), sorted(subnets(live)));
    for (index, id) in subnets(live).into_iter().enumerate() {
        let subnet = found.subnets().iter().find(|subnet| subnet.subnet_id() == Some(id)).unwrap();
        subnet_holds(subnet, index, block);
    }
}

fn subnet_holds(subnet: &Subnet, index: usize, block: Ipv6Net) {
    assert_eq!(subnet.availability_zone(), Some(ZONES[index]));
    assert_eq!(subnet.cidr_block(), Some(NETWORKS[index]));
    assert_eq!(subnet.map_public_ip_on_launch(), Some(true));
    assert_eq!(subnet.assign_ipv6_address_on_creation(), Some(true));
    let [own] = subnet.ipv6_cidr_block_association_set() else { panic!("not one IPv6 block: {subnet:?}") };
    let expected = block.subnets(64).unwrap().nth(index);
    assert_eq!(own.ipv6_cidr_block().unwrap().parse().ok(), expected);
}

async fn gateway_holds(live: &Live) {
    let request = live.ec2.describe_internet_gateways().internet_gateway_ids(live.id("internet_gateway.main"));
    let found = request.send().await.unwrap();
    let attached: Vec<_> = found.internet_gateways()[0].attachments().iter().map(|one| one.vpc_id()).collect();
    assert_eq!(attached, [Some(live.id("vpc.main"))]);
}

/// Each subnet has a route table to itself, with the internet behind the gateway in both address families.
async fn route_table_holds(live: &Live, zone: &str, subnet: &str) {
    let id = live.id(&format!("route_table.public[\"{zone}\"]"));
    let found = live.ec2.describe_route_tables().route_table_ids(id).send().await.unwrap();
    let table = &found.route_tables()[0];
    assert_eq!(table.vpc_id(), Some(live.id("vpc.main")));
    let associated: Vec<_> = table.associations().iter().map(|one| one.subnet_id()).collect();
    assert_eq!(associated, [Some(subnet)]);
    let gateway = live.id("internet_gateway.main");
    assert_eq!(routes(table), sorted([("0.0.0.0/0", gateway), ("::/0", gateway)]));
}

/// The routes but those within the VPC, as destination and gateway.
fn routes(table: &RouteTable) -> Vec<(&str, &str)> {
    let outward = table.routes().iter().filter(|route| route.gateway_id() != Some("local"));
    sorted(outward.map(|route| {
        let destination = route.destination_cidr_block().or(route.destination_ipv6_cidr_block());
        (destination.unwrap(), route.gateway_id().unwrap())
    }))
}

pub async fn is_gone(live: &Live) {
    let vpcs = live.ec2.describe_vpcs().send().await.unwrap();
    assert!(vpcs.vpcs().iter().all(|vpc| vpc.is_default() == Some(true)), "{vpcs:?}");
    // fakecloud heeds no filter when it describes gateways.
    let gateways = live.ec2.describe_internet_gateways().send().await.unwrap();
    let own = live.id("internet_gateway.main");
    assert!(gateways.internet_gateways().iter().all(|gateway| gateway.internet_gateway_id() != Some(own)), "{gateways:?}");
}

/// The ids of the subnets, by zone.
pub fn subnets(live: &Live) -> Vec<&str> {
    ZONES.iter().map(|zone| live.id(&format!("subnet.public[\"{zone}\"]"))).collect()
}
