//! Security group rules, as groups hold them and as resources of their own.

use aws_sdk_ec2::types::{
    IpPermission, IpRange, Ipv6Range, PrefixListId, SecurityGroupRule, SecurityGroupRuleRequest, SecurityGroupRuleUpdate, UserIdGroupPair,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use leoctl_core::model::value::Value;

/// One rule of a security group: a protocol, ports and one peer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// `tcp`, `udp`, `icmp`, `icmpv6`, a protocol number, or `-1` for all.
    pub ip_protocol: String,
    /// The first port; the ICMP type for `icmp`. Not with protocol `-1`.
    #[schemars(range(min = -1, max = 65535))]
    pub from_port: Option<i32>,
    /// The last port; the ICMP code for `icmp`. Not with protocol `-1`.
    #[schemars(range(min = -1, max = 65535))]
    pub to_port: Option<i32>,
    /// The peer: an IPv4 network.
    #[schemars(extend("x-format" = "cidr4"))]
    pub cidr_ipv4: Option<String>,
    /// The peer: an IPv6 network.
    #[schemars(extend("x-format" = "cidr6"))]
    pub cidr_ipv6: Option<String>,
    /// The peer: a prefix list.
    pub prefix_list_id: Option<String>,
    /// The peer: members of this security group.
    pub referenced_group_id: Option<String>,
    /// What it is for.
    #[schemars(length(max = 255))]
    pub description: Option<String>,
}

impl Rule {
    /// What AWS returned.
    pub fn from_api(rule: &SecurityGroupRule) -> Self {
        let protocol = rule.ip_protocol().unwrap_or_default();
        // For all protocols AWS returns -1 as ports, which nobody writes.
        let port = |port: Option<i32>| port.filter(|_| protocol != "-1");
        let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        Self {
            ip_protocol: protocol.to_owned(),
            from_port: port(rule.from_port()),
            to_port: port(rule.to_port()),
            cidr_ipv4: text(rule.cidr_ipv4()),
            cidr_ipv6: text(rule.cidr_ipv6()),
            prefix_list_id: text(rule.prefix_list_id()),
            referenced_group_id: text(rule.referenced_group_info().and_then(|group| group.group_id())),
            description: text(rule.description()),
        }
    }

    /// The rule for a call.
    pub fn permission(&self) -> IpPermission {
        let description = self.description.clone();
        let mut permission = IpPermission::builder().ip_protocol(&self.ip_protocol).set_from_port(self.from_port).set_to_port(self.to_port);
        if let Some(network) = &self.cidr_ipv4 {
            permission = permission.ip_ranges(IpRange::builder().cidr_ip(network).set_description(description.clone()).build());
        }
        if let Some(network) = &self.cidr_ipv6 {
            permission = permission.ipv6_ranges(Ipv6Range::builder().cidr_ipv6(network).set_description(description.clone()).build());
        }
        if let Some(list) = &self.prefix_list_id {
            permission =
                permission.prefix_list_ids(PrefixListId::builder().prefix_list_id(list).set_description(description.clone()).build());
        }
        if let Some(group) = &self.referenced_group_id {
            permission = permission.user_id_group_pairs(UserIdGroupPair::builder().group_id(group).set_description(description).build());
        }
        permission.build()
    }

    /// What makes the rule with this id into this one.
    pub fn update(&self, id: &str) -> SecurityGroupRuleUpdate {
        let rule = self.clone();
        // For all protocols ports mean nothing; AWS itself writes -1 (EC2 API Reference, SecurityGroupRuleRequest).
        let all = (rule.ip_protocol == "-1").then_some(-1);
        let request = SecurityGroupRuleRequest::builder()
            .ip_protocol(rule.ip_protocol)
            .set_from_port(rule.from_port.or(all))
            .set_to_port(rule.to_port.or(all))
            .set_cidr_ipv4(rule.cidr_ipv4)
            .set_cidr_ipv6(rule.cidr_ipv6)
            .set_prefix_list_id(rule.prefix_list_id)
            .set_referenced_group_id(rule.referenced_group_id)
            .description(rule.description.unwrap_or_default());
        SecurityGroupRuleUpdate::builder().security_group_rule_id(id).security_group_rule(request.build()).build()
    }

    /// Whether both rules let the same through; AWS allows no two such in one group.
    pub fn same_traffic(&self, other: &Self) -> bool {
        let bare = |rule: &Self| Self { description: None, ..rule.clone() };
        bare(self) == bare(other)
    }
}

/// What is wrong with a rule as far as it is known.
pub fn problem(rule: &Value) -> Option<String> {
    rule.as_map()?;
    let present = |key: &&str| rule.get(key).is_some_and(|value| !value.is_null());
    let peers = ["cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_group_id"];
    if peers.iter().filter(|key| present(key)).count() != 1 {
        return Some(format!("a rule has exactly one peer: one of {}", peers.join(", ")));
    }
    let ports = ["from_port", "to_port"].iter().filter(|key| present(key)).count();
    match rule.get("ip_protocol").and_then(Value::as_str) {
        Some("all" | "any") => Some("all protocols are written \"-1\"".to_owned()),
        Some("6") => Some("protocol 6 is written \"tcp\"".to_owned()),
        Some("17") => Some("protocol 17 is written \"udp\"".to_owned()),
        Some("1") => Some("protocol 1 is written \"icmp\"".to_owned()),
        Some("-1") if ports > 0 => Some("a rule for all protocols (\"-1\") has no ports".to_owned()),
        Some("tcp" | "udp") if ports != 2 => Some("a tcp or udp rule needs `from_port` and `to_port`".to_owned()),
        _ => None,
    }
}
