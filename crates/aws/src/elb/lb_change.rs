//! Changing a load balancer, by a call for each part. SetSubnets and SetSecurityGroups set back what they are not told (Elastic Load
//! Balancing API Reference), so that they are told what AWS has where it is not AWS's default.

use aws_sdk_elasticloadbalancingv2::types::{
    EnablePrefixForIpv6SourceNatEnum, EnforceSecurityGroupInboundRulesOnPrivateLinkTrafficEnum, IpAddressType, LoadBalancerAttribute,
    RemoveIpamPoolEnum,
};

use super::attributes::{changes, load_balancer_defaults};
use super::lb::Lb;
use super::lb_part::{Capacity, IpamPools, Mapping, mappings};
use super::update_tags;
use crate::client::Aws;
use crate::repeat::Changing;
use leoctl_core::engine::ports::Outcome;

const DUALSTACK: &str = "dualstack";

/// Makes one load balancer into another.
///
/// # Errors
/// When AWS refuses.
pub async fn update(aws: &Aws, id: &str, from: &Lb, to: &Lb) -> Outcome<()> {
    let Lb {
        ip_address_type: _,
        security_groups: _,
        enforce_security_group_inbound_rules_on_private_link_traffic: _,
        enable_prefix_for_ipv6_source_nat: _,
        subnets: _,
        subnet_mappings: _,
        ipam_pools,
        minimum_load_balancer_capacity,
        attributes,
        tags,
        name: _,
        r#type: _,
        scheme: _,
        arn: _,
        full_name: _,
        dns_name: _,
        canonical_hosted_zone_id: _,
        vpc_id: _,
    } = to;
    set_subnets(aws, id, from, to).await?;
    set_security_groups(aws, id, from, to).await?;
    modify_pools(aws, id, from.ipam_pools.as_ref(), ipam_pools.as_ref()).await?;
    let changed = changes(&from.attributes, attributes, &load_balancer_defaults());
    if !changed.is_empty() {
        let changed = changed.into_iter().map(|(key, value)| LoadBalancerAttribute::builder().key(key).value(value).build()).collect();
        let call = aws.elb().modify_load_balancer_attributes().load_balancer_arn(id).set_attributes(Some(changed));
        call.send().await.idempotent("elasticloadbalancing:ModifyLoadBalancerAttributes")?;
    }
    modify_capacity(aws, id, from.minimum_load_balancer_capacity.as_ref(), minimum_load_balancer_capacity.as_ref()).await?;
    update_tags(aws, id, &from.tags, tags).await
}

/// The value of a switch that a call sets back when it is not told: none where AWS's default says the same already.
fn kept<'a>(from: Option<&str>, to: Option<&'a str>, default: &str) -> Option<&'a str> {
    to.filter(|value| *value != default || from.is_some_and(|from| from != *value))
}

/// Subnets and IP versions. Dual stack needs subnets that have IPv6, so that subnets go first; prefixes to send from need dual
/// stack, so that one call says both.
async fn set_subnets(aws: &Aws, id: &str, from: &Lb, to: &Lb) -> Outcome<()> {
    let ip_address_type = IpAddressType::from(to.ip_address_type.as_str());
    let prefix = |lb: &Lb| lb.enable_prefix_for_ipv6_source_nat.clone();
    let (before, after) = (prefix(from), prefix(to));
    let told = kept(before.as_deref(), after.as_deref(), "off");
    let turns = told.is_some() && before != after;
    let sends = to.subnets != from.subnets || to.subnet_mappings != from.subnet_mappings || turns;
    if sends {
        let call = aws.elb().set_subnets().load_balancer_arn(id);
        let call = match told {
            Some(told) => call
                .enable_prefix_for_ipv6_source_nat(EnablePrefixForIpv6SourceNatEnum::from(told))
                .ip_address_type(ip_address_type.clone())
                .set_subnet_mappings(Some(mappings(&prefixed(from, to, told == "on")))),
            // Of the two forms one is written; the other is what AWS said of it before.
            None if to.subnets != from.subnets => call.set_subnets(to.subnets.clone()),
            None => call.set_subnet_mappings(to.subnet_mappings.as_deref().map(mappings)),
        };
        call.send().await.idempotent("elasticloadbalancing:SetSubnets")?;
    }
    let is_said = sends && told.is_some();
    if to.ip_address_type != from.ip_address_type && !is_said {
        let call = aws.elb().set_ip_address_type().load_balancer_arn(id).ip_address_type(ip_address_type);
        call.send().await.idempotent("elasticloadbalancing:SetIpAddressType")?;
    }
    Ok(())
}

/// The subnets with what AWS has of each, its prefix among it.
fn prefixed(from: &Lb, to: &Lb, has_prefixes: bool) -> Vec<Mapping> {
    let known = |subnet: &String| {
        let known = from.subnet_mappings.iter().flatten().find(|mapping| mapping.subnet_id == *subnet);
        known.cloned().unwrap_or_else(|| Mapping::of(subnet))
    };
    let wanted = match to.subnets != from.subnets {
        true => to.subnets.iter().flatten().map(known).collect(),
        false => to.subnet_mappings.clone().unwrap_or_default(),
    };
    let wanted = wanted.into_iter();
    let wanted: Vec<Mapping> = if has_prefixes { wanted.collect() } else { wanted.map(Mapping::without_prefix).collect() };
    // An IPv6 address is of a load balancer with both versions.
    if to.ip_address_type == DUALSTACK { wanted } else { wanted.into_iter().map(Mapping::without_ipv6).collect() }
}

async fn set_security_groups(aws: &Aws, id: &str, from: &Lb, to: &Lb) -> Outcome<()> {
    let enforces = |lb: &Lb| lb.enforce_security_group_inbound_rules_on_private_link_traffic.clone();
    let (before, after) = (enforces(from), enforces(to));
    if to.security_groups == from.security_groups && (after.is_none() || before == after) {
        return Ok(());
    }
    let told = after.filter(|after| after != "on" || before.as_ref() != Some(after));
    let call = aws.elb().set_security_groups().load_balancer_arn(id).set_security_groups(to.security_groups.clone());
    let told = told.as_deref().map(EnforceSecurityGroupInboundRulesOnPrivateLinkTrafficEnum::from);
    let call = call.set_enforce_security_group_inbound_rules_on_private_link_traffic(told);
    call.send().await.idempotent("elasticloadbalancing:SetSecurityGroups").map(drop)
}

async fn modify_pools(aws: &Aws, id: &str, from: Option<&IpamPools>, to: Option<&IpamPools>) -> Outcome<()> {
    let Some(to) = to.filter(|to| from != Some(*to)) else { return Ok(()) };
    let pools = to.to_api();
    let removes = pools.is_none().then(|| vec![RemoveIpamPoolEnum::Ipv4]);
    if removes.is_some() && from.is_none_or(|from| from.to_api().is_none()) {
        return Ok(());
    }
    let call = aws.elb().modify_ip_pools().load_balancer_arn(id).set_ipam_pools(pools).set_remove_ipam_pools(removes);
    call.send().await.idempotent("elasticloadbalancing:ModifyIpPools").map(drop)
}

async fn modify_capacity(aws: &Aws, id: &str, from: Option<&Capacity>, to: Option<&Capacity>) -> Outcome<()> {
    let Some(to) = to else { return Ok(()) };
    let capacity = to.to_api();
    if capacity == from.and_then(Capacity::to_api) {
        return Ok(());
    }
    let resets = capacity.is_none().then_some(true);
    let call = aws.elb().modify_capacity_reservation().load_balancer_arn(id);
    let call = call.set_minimum_load_balancer_capacity(capacity).set_reset_capacity_reservation(resets);
    call.send().await.idempotent("elasticloadbalancing:ModifyCapacityReservation").map(drop)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::scripted::{Answer, Scripted};

    fn lb(more: Json) -> Lb {
        let mut body = json!({
            "name": "n", "type": "network", "scheme": "internal", "ip_address_type": "dualstack", "security_groups": ["sg-1"],
            "enforce_security_group_inbound_rules_on_private_link_traffic": "off", "enable_prefix_for_ipv6_source_nat": "on",
            "subnets": ["subnet-1"], "attributes": {}, "tags": {},
            "subnet_mappings": [{ "subnet_id": "subnet-1", "private_ipv4_address": "10.0.0.9", "source_nat_ipv6_prefix": "2600:1::/80" }],
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(body).unwrap()
    }

    /// The calls of a change, each with its members behind the load balancer's ARN.
    async fn sent(from: Json, to: Json) -> Vec<String> {
        let scripted = Scripted::new(|call| Answer::ok(format!("<{0}Response><{0}Result/></{0}Response>", call.name)));
        update(&scripted.aws, "arn", &lb(from), &lb(to)).await.unwrap();
        scripted
            .calls()
            .iter()
            .map(|call| {
                let body = percent_encoding::percent_decode_str(&call.body).decode_utf8_lossy().into_owned();
                let members =
                    body.split('&').filter(|part| !["Action=", "Version=", "LoadBalancerArn="].iter().any(|known| part.starts_with(known)));
                format!("{} {}", call.name, members.collect::<Vec<_>>().join("&"))
            })
            .collect()
    }

    #[tokio::test]
    async fn what_aws_has_of_a_load_balancer_is_told_when_its_subnets_or_security_groups_change() {
        let more = sent(json!({}), json!({ "subnets": ["subnet-1", "subnet-2"] })).await;
        let expected = "SetSubnets SubnetMappings.member.1.SubnetId=subnet-1&SubnetMappings.member.1.PrivateIPv4Address=10.0.0.9\
                        &SubnetMappings.member.1.SourceNatIpv6Prefix=2600:1::/80&SubnetMappings.member.2.SubnetId=subnet-2\
                        &IpAddressType=dualstack&EnablePrefixForIpv6SourceNat=on";
        assert_eq!(more, [expected]);
        let groups = sent(json!({}), json!({ "security_groups": ["sg-2"] })).await;
        assert_eq!(groups, ["SetSecurityGroups SecurityGroups.member.1=sg-2&EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic=off"]);
    }

    #[tokio::test]
    async fn what_is_as_aws_begins_is_not_told() {
        let plain = |more: Json| {
            let mut body = json!({
                "enforce_security_group_inbound_rules_on_private_link_traffic": "on", "enable_prefix_for_ipv6_source_nat": "off",
                "subnet_mappings": [{ "subnet_id": "subnet-1" }],
            });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        let changed = plain(json!({ "subnets": ["subnet-2"], "security_groups": ["sg-2"] }));
        let expected = ["SetSubnets Subnets.member.1=subnet-2", "SetSecurityGroups SecurityGroups.member.1=sg-2"];
        assert_eq!(sent(plain(json!({})), changed).await, expected);
    }

    #[tokio::test]
    async fn prefixes_to_send_from_come_and_go_with_the_addresses_they_need() {
        let without = json!({
            "ip_address_type": "ipv4", "enable_prefix_for_ipv6_source_nat": "off",
            "subnet_mappings": [{ "subnet_id": "subnet-1", "private_ipv4_address": "10.0.0.9" }],
        });
        let subnet = "SetSubnets SubnetMappings.member.1.SubnetId=subnet-1&SubnetMappings.member.1.PrivateIPv4Address=10.0.0.9";
        let mut with = without.clone();
        with["ip_address_type"] = json!("dualstack");
        with["enable_prefix_for_ipv6_source_nat"] = json!("on");
        let on = format!("{subnet}&IpAddressType=dualstack&EnablePrefixForIpv6SourceNat=on");
        assert_eq!(sent(without.clone(), with).await, [on]);
        // The prefix that AWS had chosen goes, too, and so does the address of IPv6.
        let off = json!({ "ip_address_type": "ipv4", "enable_prefix_for_ipv6_source_nat": "off", "subnet_mappings": [{
            "subnet_id": "subnet-1", "private_ipv4_address": "10.0.0.9", "ipv6_address": "2600:1::9", "source_nat_ipv6_prefix": "2600:1::/80",
        }] });
        assert_eq!(sent(json!({}), off).await, [format!("{subnet}&IpAddressType=ipv4&EnablePrefixForIpv6SourceNat=off")]);
    }

    #[tokio::test]
    async fn capacity_and_pools_are_set_and_taken_away_and_stay_where_nothing_is_written() {
        let kept = |units: i32| json!({ "minimum_load_balancer_capacity": { "capacity_units": units } });
        let set = "ModifyCapacityReservation MinimumLoadBalancerCapacity.CapacityUnits=200";
        assert_eq!(sent(json!({}), kept(200)).await, [set]);
        assert_eq!(sent(kept(200), kept(0)).await, ["ModifyCapacityReservation ResetCapacityReservation=true"]);
        assert_eq!(sent(json!({}), kept(0)).await, [] as [&str; 0]);
        assert_eq!(sent(kept(200), json!({})).await, [] as [&str; 0]);
        let pool = json!({ "ipam_pools": { "ipv4_ipam_pool_id": "ipam-pool-1" } });
        let none = json!({ "ipam_pools": {} });
        assert_eq!(sent(none.clone(), pool.clone()).await, ["ModifyIpPools IpamPools.Ipv4IpamPoolId=ipam-pool-1"]);
        assert_eq!(sent(pool, none.clone()).await, ["ModifyIpPools RemoveIpamPools.member.1=ipv4"]);
        assert_eq!(sent(json!({}), none).await, [] as [&str; 0]);
    }
}
