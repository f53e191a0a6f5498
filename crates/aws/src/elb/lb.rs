//! The resource type `lb`.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::{
    EnablePrefixForIpv6SourceNatEnum, IpAddressType, LoadBalancerSchemeEnum, LoadBalancerStateEnum, LoadBalancerTypeEnum,
};
use futures_util::future::{try_join, try_join_all};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::attributes::{self, Attributes, load_balancer_defaults};
use super::lb_part::{Capacity, IpamPools, Mapping, mappings, reserved};
use super::{batched, lb_change, lb_check, new_one, tags_of, to_api};
use crate::client::{Aws, send_once};
use crate::error::{OrAbsent, OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::Changing;
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome, Wanted};
use leoctl_core::engine::usual::Usual;
use leoctl_core::model::path::Path;
use leoctl_core::model::schema::{After, Refusal};
use leoctl_core::model::value::Value;

/// A load balancer.
///
/// Import by ARN: `arn:aws:elasticloadbalancing:…:loadbalancer/app/NAME/…`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lb {
    /// The name, unique in account and region.
    #[schemars(extend("x-replace" = true, "pattern" = "^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?$", "x-form" = "letters, digits and hyphens, no hyphen first or last"), length(max = 32))]
    pub(super) name: String,
    /// `application` for HTTP, `network` for TCP and UDP. `gateway` is not supported.
    #[schemars(extend("default" = APPLICATION, "x-replace" = true, "enum" = ["application", "network", "gateway"]))]
    pub(super) r#type: String,
    /// Whether the internet can reach it.
    #[schemars(extend("default" = "internet-facing", "x-replace" = true, "enum" = ["internet-facing", "internal"]))]
    pub(super) scheme: String,
    /// Which IP versions its clients use.
    #[schemars(extend("default" = "ipv4", "enum" = ["ipv4", "dualstack", "dualstack-without-public-ipv4"]))]
    pub(super) ip_address_type: String,
    /// Its security groups; of an application load balancer the VPC's default group when left out. A network load balancer
    /// made without any cannot get some later: that replaces it.
    #[schemars(extend("x-format" = "id:security_group:sg-", "x-set" = true, "x-server" = true, "x-within" = "vpc"))]
    pub(super) security_groups: Option<Vec<String>>,
    /// Whether the rules of its security groups hold for traffic over PrivateLink, too, of a network load balancer with security
    /// groups; AWS begins with `on`.
    #[schemars(extend("x-server" = true, "enum" = ["on", "off"]))]
    pub(super) enforce_security_group_inbound_rules_on_private_link_traffic: Option<String>,
    /// Whether a network load balancer with UDP listeners that is `dualstack` sends from an IPv6 prefix of each subnet; AWS begins
    /// with `off`.
    #[schemars(extend("x-server" = true, "enum" = ["on", "off"]))]
    pub(super) enable_prefix_for_ipv6_source_nat: Option<String>,
    /// The pool from which an application load balancer that faces the internet has its addresses first. `{}` for none; left out,
    /// it stays.
    #[schemars(extend("x-server" = true))]
    pub(super) ipam_pools: Option<IpamPools>,
    /// The capacity that is kept for it, and billed. None with 0 units; left out, it stays.
    #[schemars(extend("x-server" = true))]
    pub(super) minimum_load_balancer_capacity: Option<Capacity>,
    /// Its subnets, in at least two availability zones for an application load balancer. Either these are written
    /// or `subnet_mappings`.
    #[schemars(extend("x-format" = "id:subnet:subnet-", "x-set" = true, "x-server" = true, "x-within" = "vpc", "x-follows" = ["subnet_mappings"]))]
    pub(super) subnets: Option<Vec<String>>,
    /// Its subnets with its addresses in them, for a network load balancer.
    #[schemars(extend("x-key" = "subnet_id", "x-server" = true, "x-within" = "vpc", "x-follows" = ["subnets", "ip_address_type", "enable_prefix_for_ipv6_source_nat"]))]
    pub(super) subnet_mappings: Option<Vec<Mapping>>,
    /// Attributes by AWS's own keys, such as `"idle_timeout.timeout_seconds"`.
    #[schemars(extend("default" = {}, "x-defaults" = load_balancer_defaults()))]
    pub(super) attributes: Attributes,
    /// Tags.
    #[schemars(extend("default" = {}))]
    pub(super) tags: Tags,
    /// The ARN, which is also the id.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    pub(super) arn: String,
    /// The part of the ARN that CloudWatch metrics go by, their dimension `LoadBalancer`.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    pub(super) full_name: String,
    /// The DNS name.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    pub(super) dns_name: String,
    /// The Route 53 zone of the DNS name, for alias records.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    pub(super) canonical_hosted_zone_id: String,
    /// The VPC.
    #[schemars(extend("x-format" = "id:vpc:vpc-", "x-computed" = true))]
    pub(super) vpc_id: Option<String>,
}

/// The kind of load balancer that HTTP has.
pub(super) const APPLICATION: &str = "application";

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
        transient: &[
            Retry::after("ResourceInUse", &["elasticloadbalancing:DeleteLoadBalancer"]),
            // One that is still provisioned has no capacity kept, and one change of that waits for the other.
            Retry::after("OperationNotPermitted", &["elasticloadbalancing:ModifyCapacityReservation"]),
            Retry::after(
                "CapacityReservationPending",
                &["elasticloadbalancing:ModifyCapacityReservation", "elasticloadbalancing:SetSubnets"],
            ),
        ],
        // The route to an internet gateway, and what it names.
        propagating: &[
            Retry::after("InvalidSubnet", &["elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:SetSubnets"]),
            Retry::after("SubnetNotFound", &["elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:SetSubnets"]),
            Retry::after("InvalidSecurityGroup", &["elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:SetSecurityGroups"]),
        ],
        // One that faces the internet needs the gateway attached, and holds it with its addresses.
        after: &[After { type_name: "internet_gateway", through: "vpc" }],
        // Published logs of Terraform's applies of the same calls: made in 2m 15s to 3m 10s, gone in up to 2m 33s.
        usual: Usual::of((120, 240), (0, 60), (0, 180)),
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/*/{name}/*",
        plan: &[Grant::any(&[
            "elasticloadbalancing:DescribeCapacityReservation",
            "elasticloadbalancing:DescribeLoadBalancerAttributes",
            "elasticloadbalancing:DescribeLoadBalancers",
            "elasticloadbalancing:DescribeTags",
        ])],
        apply: &[
            Grant::itself(&[
                "elasticloadbalancing:AddTags",
                "elasticloadbalancing:CreateLoadBalancer",
                "elasticloadbalancing:DeleteLoadBalancer",
                "elasticloadbalancing:ModifyCapacityReservation",
                "elasticloadbalancing:ModifyIpPools",
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
        lb_check::check(desired)
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

    fn refuses(before: &Value, after: &Value) -> Option<Refusal> {
        lb_check::refuses(before, after)
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let described = Self::describe(aws, ids);
        let attributes = try_join_all(ids.iter().map(|arn| Self::attributes(aws, arn)));
        let capacities = try_join_all(ids.iter().map(async |arn| Ok((arn.clone(), reserved(aws, arn).await?))));
        let ((described, attributes), (mut tags, capacities)) =
            try_join(try_join(described, attributes), try_join(tags_of(aws, ids), capacities)).await?;
        let mut attributes: BTreeMap<_, _> = attributes.into_iter().flatten().collect();
        let mut capacities: BTreeMap<_, _> = capacities.into_iter().collect();
        let read = described.into_iter().filter_map(|lb| {
            let arn = lb.load_balancer_arn().unwrap_or_default().to_owned();
            // One whose attributes AWS does not know is not known everywhere yet, or not any more.
            let attributes = attributes.remove(&arn)?;
            let zones = lb.availability_zones();
            let kind = lb.r#type().map_or(APPLICATION, LoadBalancerTypeEnum::as_str);
            let read = Self {
                name: lb.load_balancer_name().unwrap_or_default().to_owned(),
                r#type: kind.to_owned(),
                scheme: lb.scheme().map_or("internet-facing", LoadBalancerSchemeEnum::as_str).to_owned(),
                ip_address_type: lb.ip_address_type().map_or("ipv4", IpAddressType::as_str).to_owned(),
                security_groups: Some(lb.security_groups().to_vec()),
                enforce_security_group_inbound_rules_on_private_link_traffic: lb
                    .enforce_security_group_inbound_rules_on_private_link_traffic()
                    .filter(|is_on| !is_on.is_empty())
                    .map(str::to_owned),
                enable_prefix_for_ipv6_source_nat: lb.enable_prefix_for_ipv6_source_nat().map(|prefix| prefix.as_str().to_owned()),
                ipam_pools: (kind == APPLICATION).then(|| IpamPools::from_api(lb.ipam_pools())),
                minimum_load_balancer_capacity: capacities.remove(&arn).flatten(),
                subnets: Some(zones.iter().filter_map(|zone| zone.subnet_id().map(str::to_owned)).collect()),
                subnet_mappings: Some(zones.iter().filter_map(Mapping::from_api).collect()),
                attributes,
                tags: tags.remove(&arn).unwrap_or_default(),
                dns_name: lb.dns_name().unwrap_or_default().to_owned(),
                canonical_hosted_zone_id: lb.canonical_hosted_zone_id().unwrap_or_default().to_owned(),
                vpc_id: lb.vpc_id().map(str::to_owned),
                full_name: arn.split_once(":loadbalancer/").map(|(_, name)| name.to_owned()).unwrap_or_default(),
                arn: arn.clone(),
            };
            Some((arn, read))
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
            .set_subnet_mappings(to.subnet_mappings.as_deref().map(mappings))
            .set_enable_prefix_for_ipv6_source_nat(
                to.enable_prefix_for_ipv6_source_nat.as_deref().map(EnablePrefixForIpv6SourceNatEnum::from),
            )
            .set_ipam_pools(to.ipam_pools.as_ref().and_then(IpamPools::to_api))
            .set_tags(to_api(&to.tags));
        let made = send_once!(aws_sdk_elasticloadbalancingv2, call).await.sent_once("elasticloadbalancing:CreateLoadBalancer")?;
        let call = "elasticloadbalancing:CreateLoadBalancer";
        let arn = made_id(call, made.load_balancers().first().and_then(|lb| lb.load_balancer_arn()))?;
        new_one(aws, call, arn, &to.tags).await
    }

    /// The creation does not take whether rules hold for PrivateLink, nor what capacity is kept (Elastic Load Balancing API
    /// Reference, CreateLoadBalancer).
    fn as_created(to: &Self) -> Self {
        Self {
            attributes: Attributes::new(),
            enforce_security_group_inbound_rules_on_private_link_traffic: None,
            minimum_load_balancer_capacity: None,
            ..to.clone()
        }
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        lb_change::update(aws, id, from, to).await
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
}
