//! The resource type `lb`.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::{
    AvailabilityZone, EnforceSecurityGroupInboundRulesOnPrivateLinkTrafficEnum, IpAddressType, LoadBalancerAddress, LoadBalancerAttribute,
    LoadBalancerSchemeEnum, LoadBalancerStateEnum, LoadBalancerTypeEnum, SubnetMapping,
};
use futures_util::future::{try_join, try_join_all};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::attributes::{self, Attributes, changes, load_balancer_defaults};
use super::{batched, tags_of, to_api, update_tags};
use crate::client::{Aws, send_once};
use crate::error::{OrAbsent, OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::Changing;
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::schema::After;
use leoctl_core::model::value::Value;

/// A load balancer.
///
/// Import by ARN: `arn:aws:elasticloadbalancing:…:loadbalancer/app/NAME/…`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lb {
    /// The name, unique in account and region.
    #[schemars(extend("x-replace" = true, "pattern" = "^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?$", "x-form" = "letters, digits and hyphens, no hyphen first or last"), length(max = 32))]
    name: String,
    /// `application` for HTTP, `network` for TCP and UDP. `gateway` is not supported.
    #[schemars(extend("default" = "application", "x-replace" = true, "enum" = ["application", "network", "gateway"]))]
    r#type: String,
    /// Whether the internet can reach it.
    #[schemars(extend("default" = "internet-facing", "x-replace" = true, "enum" = ["internet-facing", "internal"]))]
    scheme: String,
    /// Which IP versions its clients use.
    #[schemars(extend("default" = "ipv4", "enum" = ["ipv4", "dualstack", "dualstack-without-public-ipv4"]))]
    ip_address_type: String,
    /// Its security groups; of an application load balancer the VPC's default group when left out. A network load balancer
    /// made without any cannot get some later: that replaces it.
    #[schemars(extend("x-set" = true, "x-server" = true, "x-within" = "vpc"))]
    security_groups: Option<Vec<String>>,
    /// Whether the rules of its security groups hold for traffic over PrivateLink, too, of a network load balancer with security
    /// groups; AWS begins with `on`.
    #[schemars(extend("x-server" = true, "enum" = ["on", "off"]))]
    enforce_security_group_inbound_rules_on_private_link_traffic: Option<String>,
    /// Its subnets, in at least two availability zones for an application load balancer. Either these are written
    /// or `subnet_mappings`.
    #[schemars(extend("x-set" = true, "x-server" = true, "x-within" = "vpc", "x-follows" = ["subnet_mappings"]))]
    subnets: Option<Vec<String>>,
    /// Its subnets with its addresses in them, for a network load balancer.
    #[schemars(extend("x-key" = "subnet_id", "x-server" = true, "x-within" = "vpc", "x-follows" = ["subnets", "ip_address_type"]))]
    subnet_mappings: Option<Vec<Mapping>>,
    /// Attributes by AWS's own keys, such as `"idle_timeout.timeout_seconds"`.
    #[schemars(extend("default" = {}, "x-defaults" = load_balancer_defaults()))]
    attributes: Attributes,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The ARN, which is also the id.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
    /// The DNS name.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    dns_name: String,
    /// The Route 53 zone of the DNS name, for alias records.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    canonical_hosted_zone_id: String,
    /// The VPC.
    #[schemars(extend("x-computed" = true))]
    vpc_id: Option<String>,
}

/// A subnet of a network load balancer, and its address there. An address stays as long as its subnet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The subnet.
    subnet_id: String,
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
}

impl Mapping {
    fn from_api(zone: &AvailabilityZone) -> Option<Self> {
        let addresses = zone.load_balancer_addresses();
        let first = |of: fn(&LoadBalancerAddress) -> Option<&str>| addresses.iter().find_map(of).map(str::to_owned);
        Some(Self {
            subnet_id: zone.subnet_id()?.to_owned(),
            allocation_id: first(LoadBalancerAddress::allocation_id),
            private_ipv4_address: first(LoadBalancerAddress::private_ipv4_address),
            ipv6_address: first(LoadBalancerAddress::ipv6_address),
        })
    }

    fn to_api(&self) -> SubnetMapping {
        let Self { subnet_id, allocation_id, private_ipv4_address, ipv6_address } = self.clone();
        SubnetMapping::builder()
            .subnet_id(subnet_id)
            .set_allocation_id(allocation_id)
            .set_private_ipv4_address(private_ipv4_address)
            .set_ipv6_address(ipv6_address)
            .build()
    }
}

const ENFORCES: &str = "enforce_security_group_inbound_rules_on_private_link_traffic";

fn mappings(mappings: Option<&Vec<Mapping>>) -> Option<Vec<SubnetMapping>> {
    mappings.map(|mappings| mappings.iter().map(Mapping::to_api).collect())
}

impl Lb {
    async fn attributes(aws: &Aws, arn: &str) -> Outcome<Option<(String, Attributes)>> {
        let call = aws.elb().describe_load_balancer_attributes().load_balancer_arn(arn);
        let found = call.send().await.or_fail("elasticloadbalancing:DescribeLoadBalancerAttributes").or_absent()?;
        Ok(found.map(|found| (arn.to_owned(), attributes::read(found.attributes().iter().map(|one| (one.key(), one.value()))))))
    }

    async fn describe(aws: &Aws, arns: &[String]) -> Outcome<Vec<aws_sdk_elasticloadbalancingv2::types::LoadBalancer>> {
        let mut found = batched(arns, async |arns| {
            let call = aws.elb().describe_load_balancers().set_load_balancer_arns(Some(arns));
            Ok(call.send().await.or_fail("elasticloadbalancing:DescribeLoadBalancers")?.load_balancers.unwrap_or_default())
        })
        .await?;
        found.retain(|lb| lb.load_balancer_arn().is_some_and(|arn| arns.iter().any(|asked| asked == arn)));
        Ok(found)
    }
}

impl Resource for Lb {
    const TYPE: &'static str = "lb";
    const INFO: Info = Info {
        unique: &[&["name"]],
        transient: &[Retry::after("ResourceInUse", &["elasticloadbalancing:DeleteLoadBalancer"])],
        // The route to an internet gateway, and what it names.
        propagating: &[
            Retry::after("InvalidSubnet", &["elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:SetSubnets"]),
            Retry::after("SubnetNotFound", &["elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:SetSubnets"]),
            Retry::after("InvalidSecurityGroup", &["elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:SetSecurityGroups"]),
        ],
        // One that faces the internet needs the gateway attached, and holds it with its addresses.
        after: &[After { type_name: "internet_gateway", through: "vpc" }],
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/*/{name}/*",
        plan: &[Grant::any(&[
            "elasticloadbalancing:DescribeLoadBalancerAttributes",
            "elasticloadbalancing:DescribeLoadBalancers",
            "elasticloadbalancing:DescribeTags",
        ])],
        apply: &[
            Grant::itself(&[
                "elasticloadbalancing:AddTags",
                "elasticloadbalancing:CreateLoadBalancer",
                "elasticloadbalancing:DeleteLoadBalancer",
                "elasticloadbalancing:ModifyLoadBalancerAttributes",
                "elasticloadbalancing:RemoveTags",
                "elasticloadbalancing:SetIpAddressType",
                "elasticloadbalancing:SetSecurityGroups",
                "elasticloadbalancing:SetSubnets",
            ]),
            Grant::linked_role("elasticloadbalancing.amazonaws.com"),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let present = |key: &str| desired.get(key).is_some_and(|value| !value.is_null());
        let text = |key: &str| desired.get(key).and_then(Value::as_str);
        let mut problems = Vec::new();
        if text("type") == Some("gateway") {
            problems.push((
                "type",
                "gateway load balancers are not supported: make it elsewhere, and name it by its ARN where it is used".to_owned(),
            ));
        }
        if text("name").is_some_and(|name| name.starts_with("internal-")) {
            problems.push(("name", "the name of a load balancer cannot begin with `internal-`".to_owned()));
        }
        if desired.as_map().is_some() && present("subnets") == present("subnet_mappings") {
            problems.push(("subnet_mappings", "a load balancer needs either `subnets` or `subnet_mappings`".to_owned()));
        }
        let may_be_network = desired.get("type").is_some_and(|kind| kind.as_str().is_none_or(|kind| kind == "network"));
        if present(ENFORCES) && !may_be_network {
            problems.push((ENFORCES, "rules that hold for PrivateLink are for network load balancers".to_owned()));
        }
        problems.into_iter().map(|(attribute, problem)| (Path::attribute(attribute), problem)).collect()
    }

    /// One made without security groups never gets any, and one with some never loses them all (Elastic Load Balancing API
    /// Reference, SetSecurityGroups).
    fn replaces(before: &Value, after: &Value) -> &'static [&'static str] {
        let has_groups = |value: &Value| match value.get("security_groups") {
            Some(Value::List(groups)) => Some(!groups.is_empty()),
            None | Some(Value::Null) => Some(false),
            Some(_) => None,
        };
        let network = before.get("type").and_then(Value::as_str) == Some("network");
        match (has_groups(before), has_groups(after)) {
            (Some(before), Some(after)) if network && before != after => &["security_groups"],
            _ => &[],
        }
    }

    fn protected(live: &Value) -> Option<&'static str> {
        let protection = live.get("attributes").and_then(|attributes| attributes.get("deletion_protection.enabled"));
        (protection.and_then(Value::as_str) == Some("true")).then_some("attributes = { \"deletion_protection.enabled\" = \"false\" }")
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let described = Self::describe(aws, ids);
        let attributes = try_join_all(ids.iter().map(|arn| Self::attributes(aws, arn)));
        let ((described, attributes), mut tags) = try_join(try_join(described, attributes), tags_of(aws, ids)).await?;
        let mut attributes: BTreeMap<_, _> = attributes.into_iter().flatten().collect();
        let read = described.into_iter().map(|lb| {
            let arn = lb.load_balancer_arn().unwrap_or_default().to_owned();
            let zones = lb.availability_zones();
            let read = Self {
                name: lb.load_balancer_name().unwrap_or_default().to_owned(),
                r#type: lb.r#type().map_or("application", LoadBalancerTypeEnum::as_str).to_owned(),
                scheme: lb.scheme().map_or("internet-facing", LoadBalancerSchemeEnum::as_str).to_owned(),
                ip_address_type: lb.ip_address_type().map_or("ipv4", IpAddressType::as_str).to_owned(),
                security_groups: Some(lb.security_groups().to_vec()),
                enforce_security_group_inbound_rules_on_private_link_traffic: lb
                    .enforce_security_group_inbound_rules_on_private_link_traffic()
                    .filter(|is_on| !is_on.is_empty())
                    .map(str::to_owned),
                subnets: Some(zones.iter().filter_map(|zone| zone.subnet_id().map(str::to_owned)).collect()),
                subnet_mappings: Some(zones.iter().filter_map(Mapping::from_api).collect()),
                attributes: attributes.remove(&arn).unwrap_or_default(),
                tags: tags.remove(&arn).unwrap_or_default(),
                dns_name: lb.dns_name().unwrap_or_default().to_owned(),
                canonical_hosted_zone_id: lb.canonical_hosted_zone_id().unwrap_or_default().to_owned(),
                vpc_id: lb.vpc_id().map(str::to_owned),
                arn: arn.clone(),
            };
            (arn, read)
        });
        Ok(read.collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let Some(name) = wanted.text("name") else { return Ok(None) };
        let call = aws.elb().describe_load_balancers().names(name);
        let found = call.send().await.or_fail("elasticloadbalancing:DescribeLoadBalancers").or_absent()?;
        let found = found.and_then(|found| found.load_balancers).unwrap_or_default();
        Ok(wanted.pick(found.into_iter().filter_map(|lb| lb.load_balancer_arn)))
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let call = aws
            .elb()
            .create_load_balancer()
            .name(&to.name)
            .r#type(LoadBalancerTypeEnum::from(to.r#type.as_str()))
            .scheme(LoadBalancerSchemeEnum::from(to.scheme.as_str()))
            .ip_address_type(IpAddressType::from(to.ip_address_type.as_str()))
            .set_security_groups(to.security_groups.clone())
            .set_subnets(to.subnets.clone())
            .set_subnet_mappings(mappings(to.subnet_mappings.as_ref()))
            .set_tags(to_api(&to.tags));
        let made = send_once!(aws_sdk_elasticloadbalancingv2, call).await.sent_once("elasticloadbalancing:CreateLoadBalancer")?;
        made_id("elasticloadbalancing:CreateLoadBalancer", made.load_balancers().first().and_then(|lb| lb.load_balancer_arn()))
    }

    fn as_created(to: &Self) -> Self {
        // The creation does not take whether rules hold for PrivateLink (Elastic Load Balancing API Reference, CreateLoadBalancer).
        Self { attributes: Attributes::new(), enforce_security_group_inbound_rules_on_private_link_traffic: None, ..to.clone() }
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self {
            ip_address_type,
            security_groups,
            enforce_security_group_inbound_rules_on_private_link_traffic: enforce,
            subnets,
            subnet_mappings,
            attributes,
            tags,
            name: _,
            r#type: _,
            scheme: _,
            arn: _,
            dns_name: _,
            canonical_hosted_zone_id: _,
            vpc_id: _,
        } = to;
        let elb = aws.elb();
        // Dual stack needs subnets that have IPv6, so subnets go first. Of the two forms one is written; the other
        // is what AWS said of it before.
        if *subnets != from.subnets || *subnet_mappings != from.subnet_mappings {
            let call = elb.set_subnets().load_balancer_arn(id);
            let call = match *subnets != from.subnets {
                true => call.set_subnets(subnets.clone()),
                false => call.set_subnet_mappings(mappings(subnet_mappings.as_ref())),
            };
            call.send().await.idempotent("elasticloadbalancing:SetSubnets")?;
        }
        if *ip_address_type != from.ip_address_type {
            let call = elb.set_ip_address_type().load_balancer_arn(id).ip_address_type(IpAddressType::from(ip_address_type.as_str()));
            call.send().await.idempotent("elasticloadbalancing:SetIpAddressType")?;
        }
        let enforces = enforce.clone().filter(|_| *enforce != from.enforce_security_group_inbound_rules_on_private_link_traffic);
        if *security_groups != from.security_groups || enforces.is_some() {
            let enforces = enforces.as_deref().map(EnforceSecurityGroupInboundRulesOnPrivateLinkTrafficEnum::from);
            let call = elb.set_security_groups().load_balancer_arn(id).set_security_groups(security_groups.clone());
            let call = call.set_enforce_security_group_inbound_rules_on_private_link_traffic(enforces);
            call.send().await.idempotent("elasticloadbalancing:SetSecurityGroups")?;
        }
        let changed = changes(&from.attributes, attributes, &load_balancer_defaults());
        if !changed.is_empty() {
            let changed = changed.into_iter().map(|(key, value)| LoadBalancerAttribute::builder().key(key).value(value).build()).collect();
            let call = elb.modify_load_balancer_attributes().load_balancer_arn(id).set_attributes(Some(changed));
            call.send().await.idempotent("elasticloadbalancing:ModifyLoadBalancerAttributes")?;
        }
        update_tags(aws, id, &from.tags, tags).await
    }

    async fn ready(aws: &Aws, operation: &Operation, id: &str, _: &Self) -> Outcome<()> {
        loop {
            let found = Self::describe(aws, &[id.to_owned()]).await?;
            let lb = found.iter().find(|lb| lb.load_balancer_arn() == Some(id));
            let state = lb.and_then(|lb| lb.state());
            match state.and_then(|state| state.code()) {
                Some(LoadBalancerStateEnum::Provisioning) => {}
                Some(LoadBalancerStateEnum::Failed) => {
                    let reason = state.and_then(|state| state.reason()).unwrap_or("AWS gives no reason");
                    return Err(Failure::new(FailureKind::Other, format!("the load balancer failed: {reason}")));
                }
                _ if lb.is_some() => return Ok(()),
                _ => {}
            }
            operation.pause(Duration::from_secs(3), "waiting for the load balancer").await?;
        }
    }

    async fn delete(aws: &Aws, operation: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        aws.elb().delete_load_balancer().load_balancer_arn(id).send().await.or_gone("elasticloadbalancing:DeleteLoadBalancer")?;
        while !Self::describe(aws, &[id.to_owned()]).await?.is_empty() {
            operation.pause(Duration::from_secs(2), "waiting for the load balancer to go").await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lb(kind: &str, groups: &[&str]) -> Value {
        Value::from(serde_json::json!({ "type": kind, "security_groups": groups }))
    }

    #[test]
    fn a_network_load_balancer_gets_and_loses_security_groups_only_by_a_replacement() {
        assert_eq!(Lb::replaces(&lb("network", &[]), &lb("network", &["sg-1"])), ["security_groups"]);
        assert_eq!(Lb::replaces(&lb("network", &["sg-1"]), &lb("network", &[])), ["security_groups"]);
        assert!(Lb::replaces(&lb("network", &["sg-1"]), &lb("network", &["sg-2"])).is_empty());
        assert!(Lb::replaces(&lb("application", &["sg-1"]), &lb("application", &[])).is_empty());
    }

    #[test]
    fn what_cannot_be_made_is_refused_before() {
        let problems = |body: serde_json::Value| Lb::check(&Value::from(body)).into_iter().map(|(_, problem)| problem).collect::<Vec<_>>();
        assert!(problems(serde_json::json!({ "type": "gateway", "subnets": [] }))[0].contains("gateway load balancers are not supported"));
        assert!(problems(serde_json::json!({ "name": "internal-web", "subnets": [] }))[0].contains("cannot begin"));
        assert!(problems(serde_json::json!({ "name": "web", "subnets": [] })).is_empty());
    }
}
