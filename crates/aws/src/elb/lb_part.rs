//! What a load balancer is made of beside its own attributes.

use aws_sdk_elasticloadbalancingv2::types::{
    AvailabilityZone, IpamPools as ApiPools, LoadBalancerAddress, MinimumLoadBalancerCapacity, SubnetMapping,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::client::Aws;
use crate::error::{OrAbsent, OrFail};
use leoctl_core::engine::ports::{FailureKind, Outcome};

/// A subnet of a network load balancer, and its address there. An address stays as long as its subnet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The subnet.
    #[schemars(extend("x-format" = "id:subnet:subnet-"))]
    pub(super) subnet_id: String,
    // "You can't change these IP addresses after you create the load balancer" (Network Load Balancers guide).
    /// The Elastic IP address of an internet-facing load balancer.
    #[schemars(extend("x-replace" = true, "x-server" = true))]
    allocation_id: Option<String>,
    /// The private IPv4 address of an internal load balancer.
    #[schemars(extend("x-replace" = true, "x-server" = true))]
    private_ipv4_address: Option<String>,
    /// The IPv6 address.
    #[schemars(extend("x-replace" = true, "x-server" = true))]
    ipv6_address: Option<String>,
    /// The IPv6 prefix (`/80`) it sends from, with `enable_prefix_for_ipv6_source_nat`; one that AWS chooses when left out.
    #[schemars(extend("x-server" = true, "x-format" = "cidr6"))]
    source_nat_ipv6_prefix: Option<String>,
}

impl Mapping {
    /// The subnet with the addresses that AWS chooses.
    pub fn of(subnet: &str) -> Self {
        Self {
            subnet_id: subnet.to_owned(),
            allocation_id: None,
            private_ipv4_address: None,
            ipv6_address: None,
            source_nat_ipv6_prefix: None,
        }
    }

    /// The same without a prefix to send from.
    pub fn without_prefix(self) -> Self {
        Self { source_nat_ipv6_prefix: None, ..self }
    }

    /// The subnet that AWS returned.
    pub fn from_api(zone: &AvailabilityZone) -> Option<Self> {
        let addresses = zone.load_balancer_addresses();
        let first = |of: fn(&LoadBalancerAddress) -> Option<&str>| addresses.iter().find_map(of).map(str::to_owned);
        Some(Self {
            subnet_id: zone.subnet_id()?.to_owned(),
            allocation_id: first(LoadBalancerAddress::allocation_id),
            private_ipv4_address: first(LoadBalancerAddress::private_ipv4_address),
            ipv6_address: first(LoadBalancerAddress::ipv6_address),
            source_nat_ipv6_prefix: zone.source_nat_ipv6_prefixes().first().cloned(),
        })
    }

    /// The same without its address of IPv6.
    pub fn without_ipv6(self) -> Self {
        Self { ipv6_address: None, ..self }
    }

    fn to_api(&self) -> SubnetMapping {
        let Self { subnet_id, allocation_id, private_ipv4_address, ipv6_address, source_nat_ipv6_prefix } = self.clone();
        SubnetMapping::builder()
            .subnet_id(subnet_id)
            .set_allocation_id(allocation_id)
            .set_private_ipv4_address(private_ipv4_address)
            .set_ipv6_address(ipv6_address)
            .set_source_nat_ipv6_prefix(source_nat_ipv6_prefix)
            .build()
    }
}

/// Subnets for a call.
pub fn mappings(mappings: &[Mapping]) -> Vec<SubnetMapping> {
    mappings.iter().map(Mapping::to_api).collect()
}

/// The pools addresses come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IpamPools {
    /// The pool of IPv4 addresses; addresses of AWS's own once it has none left.
    pub(super) ipv4_ipam_pool_id: Option<String>,
}

impl IpamPools {
    /// The pools for a call; none where there are none.
    pub fn to_api(&self) -> Option<ApiPools> {
        let Self { ipv4_ipam_pool_id } = self;
        ipv4_ipam_pool_id.as_ref().map(|pool| ApiPools::builder().ipv4_ipam_pool_id(pool).build())
    }

    /// The pools that AWS returned.
    pub fn from_api(pools: Option<&ApiPools>) -> Self {
        Self { ipv4_ipam_pool_id: pools.and_then(|pools| pools.ipv4_ipam_pool_id()).map(str::to_owned) }
    }
}

/// The capacity that is kept for a load balancer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Capacity {
    /// Load balancer capacity units (LCU).
    #[schemars(range(min = 0))]
    pub(super) capacity_units: i32,
}

impl Capacity {
    /// The capacity for a call; none where none is kept.
    pub fn to_api(&self) -> Option<MinimumLoadBalancerCapacity> {
        let Self { capacity_units } = *self;
        (capacity_units > 0).then(|| MinimumLoadBalancerCapacity::builder().capacity_units(capacity_units).build())
    }
}

/// The capacity that is kept for a load balancer; nothing where that may not be asked, or cannot be in this region.
///
/// # Errors
/// When AWS fails to answer.
pub async fn reserved(aws: &Aws, arn: &str) -> Outcome<Option<Capacity>> {
    let asked = aws.elb().describe_capacity_reservation().load_balancer_arn(arn).send().await;
    match asked.or_fail("elasticloadbalancing:DescribeCapacityReservation").or_absent() {
        Err(failure) if matches!(failure.kind, FailureKind::Denied | FailureKind::Refused | FailureKind::Other) => Ok(None),
        found => {
            let units = |capacity: MinimumLoadBalancerCapacity| capacity.capacity_units.unwrap_or_default();
            // Of one that AWS does not know everywhere yet, none is kept either.
            let kept = found?.and_then(|found| found.minimum_load_balancer_capacity).map_or(0, units);
            Ok(Some(Capacity { capacity_units: kept }))
        }
    }
}
