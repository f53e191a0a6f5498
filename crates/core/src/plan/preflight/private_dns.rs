//! Interface endpoints that a VPC gives no private name.

use super::{Check, Finding, of_type, sets};
use crate::model::value::Value;
use crate::plan::types::{Change, Plan};

/// What both have to be so (AWS PrivateLink Guide, "Create a VPC endpoint": private DNS names).
const NEEDED: [&str; 2] = ["enable_dns_support", "enable_dns_hostnames"];

/// The endpoints with private names in VPCs of this plan that have none.
pub fn findings(plan: &Plan) -> Vec<Finding> {
    let endpoints = of_type(plan, "vpc_endpoint").filter(|change| sets(change, "private_dns_enabled") && has_private_names(change));
    endpoints.filter_map(|endpoint| refused(plan, endpoint)).collect()
}

/// An interface has private names unless it is said to have none (EC2 API Reference, CreateVpcEndpoint).
fn has_private_names(endpoint: &Change) -> bool {
    let is_interface = endpoint.after.get("vpc_endpoint_type").and_then(Value::as_str) == Some("Interface");
    is_interface && !matches!(endpoint.after.get("private_dns_enabled"), Some(Value::Bool(false)))
}

fn refused(plan: &Plan, endpoint: &Change) -> Option<Finding> {
    let vpcs = endpoint.depends_on.iter().filter(|address| address.type_name() == "vpc").filter_map(|address| plan.change(address));
    let id = endpoint.after.get("vpc_id").and_then(Value::as_str);
    let is_it = |vpc: &&Change| id.is_none_or(|id| vpc.after.get("id").and_then(Value::as_str).is_none_or(|known| known == id));
    let vpc = vpcs.filter(is_it).find(|vpc| !lacking(vpc).is_empty())?;
    let lacking = lacking(vpc).join(" and ");
    Some(Finding {
        check: Check::PrivateDns,
        address: endpoint.address.clone(),
        message: format!("{} is without {lacking}: AWS refuses an endpoint with private names there", vpc.address),
        fix: format!("set {lacking} of {} to true, or `private_dns_enabled = false` here", vpc.address),
    })
}

/// What of a VPC is off.
fn lacking(vpc: &Change) -> Vec<String> {
    let is_off = |name: &&&str| matches!(vpc.after.get(name), Some(Value::Bool(false)));
    NEEDED.iter().filter(is_off).map(|name| format!("`{name}`")).collect()
}
