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
    /// The first port; the ICMP type for `icmp` and `icmpv6`, all when left out. Not with other protocols.
    #[schemars(extend("x-none" = -1), range(min = -1, max = 65535))]
    pub from_port: Option<i32>,
    /// The last port; the ICMP code for `icmp` and `icmpv6`, all when left out. Not with other protocols.
    #[schemars(extend("x-none" = -1), range(min = -1, max = 65535))]
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
    #[schemars(extend("pattern" = r"^[a-zA-Z0-9 ._:/()#,@\[\]+=&;{}!$*-]*$", "x-form" = "letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*"), length(max = 255))]
    pub description: Option<String>,
}

impl Rule {
    /// All traffic, of nobody yet.
    pub fn everything() -> Self {
        Self {
            ip_protocol: "-1".to_owned(),
            from_port: None,
            to_port: None,
            cidr_ipv4: None,
            cidr_ipv6: None,
            prefix_list_id: None,
            referenced_group_id: None,
            description: None,
        }
    }

    /// What AWS lets out of a new group.
    pub fn everything_ipv4() -> Self {
        Self { cidr_ipv4: Some("0.0.0.0/0".to_owned()), ..Self::everything() }
    }

    /// What AWS lets out as well, in a VPC with an IPv6 network (EC2 API Reference, CreateSecurityGroup).
    pub fn everything_ipv6() -> Self {
        Self { cidr_ipv6: Some("::/0".to_owned()), ..Self::everything() }
    }

    /// What AWS returned.
    pub fn from_api(rule: &SecurityGroupRule) -> Self {
        // AWS returns -1 for a port that says nothing.
        let port = |port: Option<i32>| port.filter(|port| *port != -1);
        let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        Self {
            ip_protocol: rule.ip_protocol().unwrap_or_default().to_owned(),
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
        // ICMP has no call without type and code (EC2 API Reference, IpPermission).
        let all = matches!(self.ip_protocol.as_str(), "icmp" | "icmpv6").then_some(-1);
        let (first, last) = (self.from_port.or(all), self.to_port.or(all));
        let mut permission = IpPermission::builder().ip_protocol(&self.ip_protocol).set_from_port(first).set_to_port(last);
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
        // Where ports mean nothing AWS itself writes -1 (EC2 API Reference, SecurityGroupRuleRequest).
        let all = (!has_ports(&rule.ip_protocol)).then_some(-1);
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
    let protocol = rule.get("ip_protocol").and_then(Value::as_str)?;
    if let Ok(number) = protocol.parse::<u8>() {
        return match name_of(number) {
            Some(name) => Some(format!("protocol {number} is written \"{name}\"")),
            None => (ports > 0).then(|| format!("protocol {number} has no ports")),
        };
    }
    match protocol {
        "all" | "any" => Some("all protocols are written \"-1\"".to_owned()),
        "-1" => (ports > 0).then(|| "a rule for all protocols (\"-1\") has no ports".to_owned()),
        "tcp" | "udp" if ports != 2 => Some("a tcp or udp rule needs `from_port` and `to_port`".to_owned()),
        "tcp" | "udp" => is_backwards(rule).then(|| "`from_port` is greater than `to_port`".to_owned()),
        "icmp" | "icmpv6" => {
            (present(&"to_port") && !present(&"from_port")).then(|| "an ICMP code (`to_port`) needs its type (`from_port`)".to_owned())
        }
        _ => Some(format!("\"{protocol}\" is not a protocol: write tcp, udp, icmp, icmpv6, a number or -1")),
    }
}

/// Whether a range of ports ends before it begins.
fn is_backwards(rule: &Value) -> bool {
    matches!((rule.get("from_port"), rule.get("to_port")), (Some(Value::Int(from)), Some(Value::Int(to))) if from > to)
}

/// Whether ports tell rules of a protocol apart.
fn has_ports(protocol: &str) -> bool {
    matches!(protocol, "tcp" | "udp")
}

/// The name by which AWS answers a protocol's number.
fn name_of(number: u8) -> Option<&'static str> {
    match number {
        1 => Some("icmp"),
        6 => Some("tcp"),
        17 => Some("udp"),
        58 => Some("icmpv6"),
        _ => None,
    }
}

/// The rules of a list that let the same through as one before them, as far as they are known: AWS takes each once, whatever
/// its description.
pub fn repeated(rules: &[Value]) -> bool {
    let traffic = |rule: &Value| {
        let mut fields = rule.as_map()?.clone();
        fields.remove("description");
        fields.retain(|key, value| !(value.is_null() || key.ends_with("_port") && *value == Value::Int(-1)));
        (!Value::Map(fields.clone()).has_unknown()).then_some(fields)
    };
    let known: Vec<_> = rules.iter().filter_map(traffic).collect();
    known.iter().enumerate().any(|(at, rule)| known.iter().take(at).any(|before| before == rule))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rule(json: serde_json::Value) -> Value {
        Value::from(json)
    }

    fn is_sound(protocol: &str, ports: Option<(i32, i32)>) -> bool {
        let ports = ports.map(|(from, to)| json!({ "from_port": from, "to_port": to })).unwrap_or_else(|| json!({}));
        let mut whole = json!({ "ip_protocol": protocol, "cidr_ipv6": "::/0" });
        whole.as_object_mut().unwrap().extend(ports.as_object().unwrap().clone());
        problem(&rule(whole)).is_none()
    }

    #[test]
    fn a_protocol_is_written_as_aws_answers_it() {
        for (protocol, ports) in
            [("tcp", Some((80, 80))), ("icmp", None), ("icmp", Some((8, -1))), ("icmpv6", None), ("50", None), ("-1", None)]
        {
            assert!(is_sound(protocol, ports), "{protocol} {ports:?}");
        }
        for (protocol, ports) in [
            ("tcp", None),
            ("TCP", Some((80, 80))),
            ("6", Some((80, 80))),
            ("58", None),
            ("50", Some((0, 0))),
            ("-1", Some((0, 0))),
            ("all", None),
            ("http", None),
            ("300", None),
        ] {
            assert!(!is_sound(protocol, ports), "{protocol} {ports:?}");
        }
    }

    #[test]
    fn a_port_that_says_nothing_is_none_whatever_the_protocol() {
        for protocol in ["icmp", "icmpv6", "50", "-1"] {
            let answered = SecurityGroupRule::builder().ip_protocol(protocol).from_port(-1).to_port(-1).cidr_ipv6("::/0").build();
            let read = Rule::from_api(&answered);
            assert_eq!((read.from_port, read.to_port), (None, None), "{protocol}");
            let sent = read.permission();
            let icmp = protocol.starts_with("icmp");
            assert_eq!((sent.from_port(), sent.to_port()), if icmp { (Some(-1), Some(-1)) } else { (None, None) }, "{protocol}");
        }
        let ping = SecurityGroupRule::builder().ip_protocol("icmp").from_port(8).to_port(-1).cidr_ipv4("0.0.0.0/0").build();
        let sent = Rule::from_api(&ping).permission();
        assert_eq!((sent.from_port(), sent.to_port()), (Some(8), Some(-1)));
    }

    #[test]
    fn one_rule_with_two_descriptions_is_one() {
        let tcp = |port: i32, description: &str| {
            rule(json!({ "ip_protocol": "tcp", "from_port": port, "to_port": port, "cidr_ipv4": "10.0.0.0/8", "description": description }))
        };
        assert!(repeated(&[tcp(80, "a"), tcp(443, "a"), tcp(80, "b")]));
        assert!(!repeated(&[tcp(80, "a"), tcp(443, "a")]));
        let all = |port: serde_json::Value| rule(json!({ "ip_protocol": "icmpv6", "from_port": port, "cidr_ipv6": "::/0" }));
        assert!(repeated(&[all(json!(-1)), all(serde_json::Value::Null)]));
    }
}
