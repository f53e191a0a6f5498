//! What AWS refuses and emulators let pass: rules for a proxy, each with what it remembers of the calls so far. A refusal
//! stands in the proxy's record, so that a test can tell an order that was right from one that was tried until it was.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::call::Call;
use super::fault::Fault;

/// The IPv6 network of a VPC stays while a subnet has a part of it (Amazon VPC User Guide, "Remove an IPv6 CIDR block from
/// your VPC").
pub fn ipv6_in_use() -> impl Fn(&Call) -> Option<Fault> + Send + Sync + 'static {
    let subnets = Mutex::new(0_usize);
    move |call| {
        let mut subnets = subnets.lock().unwrap();
        match call.operation.as_str() {
            "CreateSubnet" if call.request.contains("Ipv6CidrBlock=") => *subnets += 1,
            "AssociateSubnetCidrBlock" => *subnets += 1,
            "DisassociateSubnetCidrBlock" | "DeleteSubnet" => *subnets = subnets.saturating_sub(1),
            "DisassociateVpcCidrBlock" if *subnets > 0 => return Some(Fault::refuse(400, "InvalidCidrBlock.InUse")),
            _ => {}
        }
        None
    }
}

/// What a cluster has and what its one service uses.
#[derive(Default)]
struct Providers {
    cluster: BTreeSet<String>,
    service: BTreeSet<String>,
}

/// A cluster keeps the capacity providers that a service uses, and a service uses only those of its cluster (ECS API
/// Reference, PutClusterCapacityProviders and CreateService). For one cluster with one service.
pub fn providers_in_use() -> impl Fn(&Call) -> Option<Fault> + Send + Sync + 'static {
    let known = Mutex::new(Providers::default());
    move |call| {
        let mut known = known.lock().unwrap();
        let body = body(call);
        let texts = |list: &Value, of: &dyn Fn(&Value) -> Option<String>| -> Option<BTreeSet<String>> {
            Some(list.as_array()?.iter().filter_map(of).collect())
        };
        let plain = texts(&body["capacityProviders"], &|one| one.as_str().map(str::to_owned));
        let strategy = texts(&body["capacityProviderStrategy"], &|one| one["capacityProvider"].as_str().map(str::to_owned));
        match (call.operation.as_str(), plain, strategy) {
            ("CreateCluster" | "PutClusterCapacityProviders", Some(providers), _) => {
                if !known.service.is_subset(&providers) {
                    return Some(Fault::refuse(400, "ResourceInUseException"));
                }
                known.cluster = providers;
            }
            ("CreateService" | "UpdateService", _, Some(providers)) => {
                if !providers.is_subset(&known.cluster) {
                    return Some(Fault::refuse(400, "InvalidParameterException"));
                }
                known.service = providers;
            }
            ("DeleteService", ..) => known.service.clear(),
            _ => {}
        }
        None
    }
}

/// A service takes only target groups that a load balancer routes to (ECS API Reference, CreateService), and what routes to
/// them takes so long to make.
pub fn target_group_without_balancer(slow: std::time::Duration) -> impl Fn(&Call) -> Option<Fault> + Send + Sync + 'static {
    let routed = Arc::new(Mutex::new(String::new()));
    move |call| match call.operation.as_str() {
        "CreateLoadBalancer" => Some(Fault::Wait(slow)),
        "CreateListener" | "CreateRule" => {
            let (routed, request) = (Arc::clone(&routed), call.request.replace("%3A", ":").replace("%2F", "/"));
            Some(Fault::Then(Arc::new(move || routed.lock().unwrap().push_str(&request))))
        }
        "CreateService" => {
            let routed = routed.lock().unwrap();
            let body = body(call);
            let groups = body["loadBalancers"].as_array().into_iter().flatten().filter_map(|one| one["targetGroupArn"].as_str());
            let lonely = groups.into_iter().any(|group| !routed.contains(group));
            lonely.then(|| Fault::refuse(400, "InvalidParameterException"))
        }
        _ => None,
    }
}

/// The body of a call that is written as JSON.
fn body(call: &Call) -> Value {
    let text = call.request.split_once(' ').map_or("", |(_, body)| body);
    serde_json::from_str(text).unwrap_or(Value::Null)
}
