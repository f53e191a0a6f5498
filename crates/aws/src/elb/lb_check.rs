//! What Elastic Load Balancing refuses of a load balancer (Elastic Load Balancing API Reference, CreateLoadBalancer, SetSubnets).

use super::lb::APPLICATION;
use crate::given::{Problem, is_given, problem, text};
use leoctl_core::model::schema::Refusal;
use leoctl_core::model::value::Value;

const ENFORCES: &str = "enforce_security_group_inbound_rules_on_private_link_traffic";
const PREFIX: &str = "enable_prefix_for_ipv6_source_nat";

/// What is wrong with a load balancer as far as it is written.
pub fn check(desired: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    if text(desired, "type") == Some("gateway") {
        problems
            .push(problem("type", "gateway load balancers are not supported: make it elsewhere, and name it by its ARN where it is used"));
    }
    if text(desired, "name").is_some_and(|name| name.starts_with("internal-")) {
        problems.push(problem("name", "the name of a load balancer cannot begin with `internal-`"));
    }
    if desired.as_map().is_some() && is_given(desired, "subnets") == is_given(desired, "subnet_mappings") {
        problems.push(problem("subnet_mappings", "a load balancer needs either `subnets` or `subnet_mappings`"));
    }
    problems.extend(of_another_type(desired));
    if is_given(desired, ENFORCES) && !is_given(desired, "security_groups") {
        problems.push(problem(ENFORCES, "rules that hold for PrivateLink are those of `security_groups`, of which none are written"));
    }
    // What is not known yet may be any.
    let is_dualstack = desired.get("ip_address_type").is_some_and(|kind| kind.as_str().is_none_or(|kind| kind == "dualstack"));
    if text(desired, PREFIX) == Some("on") && !is_dualstack {
        problems.push(problem(PREFIX, "prefixes to send from need `ip_address_type = \"dualstack\"`"));
    }
    problems
}

/// A load balancer that sends from prefixes of IPv6 has both versions: AWS takes neither away without the other.
pub fn refuses(_: &Value, after: &Value) -> Option<Refusal> {
    let is_left = text(after, PREFIX) == Some("on") && text(after, "ip_address_type") == Some("ipv4");
    is_left.then_some(Refusal {
        why: "it sends from prefixes of IPv6, which need `ip_address_type = \"dualstack\"`",
        help: "write `enable_prefix_for_ipv6_source_nat = \"off\"` as well",
    })
}

/// What is for the other type of load balancer than this.
fn of_another_type(desired: &Value) -> Vec<Problem> {
    let may_be = |key: &str, default: &str, wanted: &str| match desired.get(key) {
        None | Some(Value::Null) => default == wanted,
        Some(written) => written.as_str().is_none_or(|written| written == wanted),
    };
    let mut problems = Vec::new();
    if !may_be("type", APPLICATION, "network") {
        if is_given(desired, ENFORCES) {
            problems.push(problem(ENFORCES, "rules that hold for PrivateLink are for network load balancers"));
        }
        if is_given(desired, PREFIX) {
            problems.push(problem(PREFIX, "prefixes to send from are for network load balancers"));
        }
    }
    let has_pool = desired.get("ipam_pools").is_some_and(|pools| is_given(pools, "ipv4_ipam_pool_id"));
    if has_pool && !(may_be("type", APPLICATION, APPLICATION) && may_be("scheme", "internet-facing", "internet-facing")) {
        problems.push(problem("ipam_pools", "pools of addresses are for application load balancers that face the internet"));
    }
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn problems(body: Json) -> Vec<String> {
        check(&Value::from(body)).into_iter().map(|(_, problem)| problem).collect()
    }

    #[test]
    fn what_cannot_be_made_is_refused_before() {
        assert!(problems(json!({ "type": "gateway", "subnets": [] }))[0].contains("gateway load balancers are not supported"));
        assert!(problems(json!({ "name": "internal-web", "subnets": [] }))[0].contains("cannot begin"));
        assert!(problems(json!({ "name": "web", "subnets": [] })).is_empty());
    }

    #[test]
    fn what_is_for_another_type_of_load_balancer_is_refused_before() {
        let with = |more: Json| {
            let mut body = json!({ "name": "web", "subnets": ["subnet-1"] });
            body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
            problems(body)
        };
        let prefix = |kind: &str, ip: &str| with(json!({ "type": kind, "ip_address_type": ip, "enable_prefix_for_ipv6_source_nat": "on" }));
        let enforces = |groups: Json| {
            let rules = "enforce_security_group_inbound_rules_on_private_link_traffic";
            with(json!({ "type": "network", rules: "on", "security_groups": groups }))
        };
        assert!(enforces(json!(["sg-1"])).is_empty());
        assert!(enforces(json!(null))[0].contains("`security_groups`"));
        assert!(prefix("network", "dualstack").is_empty());
        assert!(prefix("network", "ipv4")[0].contains("dualstack"));
        assert!(prefix("application", "dualstack")[0].contains("network load balancers"));
        let pool = |kind: &str, scheme: &str| with(json!({ "type": kind, "scheme": scheme, "ipam_pools": { "ipv4_ipam_pool_id": "p" } }));
        assert!(pool("application", "internet-facing").is_empty());
        assert_eq!(pool("network", "internet-facing").len(), 1);
        assert_eq!(pool("application", "internal").len(), 1);
        assert!(with(json!({ "ipam_pools": { "ipv4_ipam_pool_id": "p" } })).is_empty());
        assert!(with(json!({ "type": "network", "ipam_pools": {} })).is_empty());
    }

    #[test]
    fn prefixes_that_aws_has_are_taken_away_with_the_addresses_they_need() {
        let to = |ip: &str, prefix: &str| Value::from(json!({ "ip_address_type": ip, "enable_prefix_for_ipv6_source_nat": prefix }));
        let from = to("dualstack", "on");
        assert!(refuses(&from, &to("ipv4", "on")).is_some());
        assert!(refuses(&from, &to("ipv4", "off")).is_none() && refuses(&from, &to("dualstack", "on")).is_none());
    }
}
