//! Who may talk to whom: exactly these rules, no more.

use aws_sdk_ec2::types::{Filter, SecurityGroup, SecurityGroupRule};

use super::Form;
use crate::support::live::{Live, sorted};

const GROUPS: [(&str, &str); 3] =
    [("security_group.alb", "ALB"), ("security_group.app", "Orchestrator"), ("security_group.generator", "Generator tasks")];

pub async fn holds(live: &Live, form: &Form) {
    groups_hold(live).await;
    for (address, _) in GROUPS {
        everything_may_go_out_of(live, address).await;
    }
    assert_eq!(rules(live, "security_group.alb", false).await, sorted(from_the_networks(form)));
    // The orchestrator is reached through the load balancer, and by generators that report back over a WebSocket.
    let expected =
        ["tcp 5013-5013 security_group.alb: ALB to orchestrator", "tcp 5013-5013 security_group.generator: Generator to orchestrator"];
    assert_eq!(rules(live, "security_group.app", false).await, expected);
    let expected = ["-1 all security_group.app: Orchestrator to generator"];
    assert_eq!(rules(live, "security_group.generator", false).await, expected);
}

/// The VPC has these groups beside the default one, which comes with it.
async fn groups_hold(live: &Live) {
    let filter = Filter::builder().name("vpc-id").values(live.id("vpc.main")).build();
    let found = live.ec2.describe_security_groups().filters(filter).send().await.unwrap();
    let own: Vec<&SecurityGroup> = found.security_groups().iter().filter(|group| group.group_name() != Some("default")).collect();
    let described = sorted(own.iter().map(|group| (group.group_id().unwrap(), group.description().unwrap())));
    assert_eq!(described, sorted(GROUPS.map(|(address, description)| (live.id(address), description))));
}

async fn everything_may_go_out_of(live: &Live, address: &str) {
    let expected = ["-1 all 0.0.0.0/0: Allow all outbound traffic by default", "-1 all ::/0: Allow all outbound ipv6 traffic by default"];
    assert_eq!(rules(live, address, true).await, expected, "{address}");
}

/// Each allowed network may reach each port that is served.
fn from_the_networks(form: &Form) -> Vec<String> {
    let ports = form.ports().iter();
    ports
        .flat_map(|(name, port)| form.networks.iter().map(move |network| format!("tcp {port}-{port} {network}: {name} from {network}")))
        .collect()
}

/// The rules of a group in one direction.
async fn rules(live: &Live, address: &str, egress: bool) -> Vec<String> {
    let filter = Filter::builder().name("group-id").values(live.id(address)).build();
    let found = live.ec2.describe_security_group_rules().filters(filter).send().await.unwrap();
    sorted(found.security_group_rules().iter().filter(|rule| rule.is_egress() == Some(egress)).map(|rule| text(live, rule)))
}

/// A rule as protocol, ports, who, and why.
fn text(live: &Live, rule: &SecurityGroupRule) -> String {
    let protocol = rule.ip_protocol().unwrap();
    let ports = match protocol {
        "-1" => "all".to_owned(),
        _ => format!("{}-{}", rule.from_port().unwrap(), rule.to_port().unwrap()),
    };
    let group = rule.referenced_group_info().map(|group| named(live, group.group_id().unwrap()));
    let peer = rule.cidr_ipv4().or(rule.cidr_ipv6()).or(group).unwrap();
    format!("{protocol} {ports} {peer}: {}", rule.description().unwrap_or("no description"))
}

/// The address of a group.
fn named<'a>(live: &Live, id: &'a str) -> &'a str {
    GROUPS.iter().map(|(address, _)| *address).find(|address| live.id(address) == id).unwrap_or(id)
}
