//! Security groups that go, and who outside the stack still uses them.

use std::collections::BTreeMap;

use super::{Check, Finding, of_type};
use crate::model::address::Address;
use crate::model::place::Site;
use crate::model::value::Value;
use crate::plan::types::{Plan, RemovalKind};

/// The groups of one region and account that are to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    /// Where they are.
    pub site: Site,
    /// Their ids and addresses.
    pub groups: BTreeMap<String, Address>,
}

/// A network interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// Its id.
    pub id: String,
    /// The ids of the security groups it has.
    pub groups: Vec<String>,
    /// What AWS or its maker says of it.
    pub description: String,
    /// Its type, such as `interface`, `nat_gateway` or `lambda`.
    pub kind: String,
    /// Who asked for it, when not the account itself, such as `amazon-elb`; or the account.
    pub owner: String,
    /// The instance it is attached to.
    pub instance: Option<String>,
}

/// The groups to look for.
pub fn groups(plan: &Plan) -> Vec<Groups> {
    let mut sites: BTreeMap<Site, BTreeMap<String, Address>> = BTreeMap::new();
    for change in of_type(plan, "security_group") {
        for place in change.removals().filter(|removal| removal.kind == RemovalKind::Delete).map(|removal| &removal.remembered.place) {
            sites.entry(place.site()).or_default().insert(place.id.clone(), change.address.clone());
        }
    }
    sites.into_iter().map(|(site, groups)| Groups { site, groups }).collect()
}

/// Who outside the stack uses them.
pub fn judge(plan: &Plan, asked: &Groups, found: &[Interface]) -> Vec<Finding> {
    let findings = asked.groups.iter().filter_map(|(id, address)| {
        let holds = |interface: &&Interface| interface.groups.contains(id) && !is_ours(plan, interface, id);
        let holders: Vec<String> = found.iter().filter(holds).map(Interface::in_words).collect();
        if holders.is_empty() {
            return None;
        }
        Some(Finding {
            check: Check::SecurityGroup,
            address: address.clone(),
            message: format!("{id} is still used outside the stack, and AWS deletes only unused groups: {}", holders.join("; ")),
            fix: "delete those, or give them another group (`aws ec2 modify-network-interface-attribute --groups`)".to_owned(),
        })
    });
    findings.collect()
}

impl Interface {
    /// What it is, and whose.
    pub fn in_words(&self) -> String {
        let Self { id, description, kind, owner, instance, .. } = self;
        let described = if description.is_empty() { String::new() } else { format!(" \"{description}\"") };
        let attached = instance.as_ref().map(|instance| format!(", attached to {instance}")).unwrap_or_default();
        format!("network interface {id}{described} ({kind}, of {owner}{attached})")
    }
}

/// Whether an interface belongs to something that the stack has made, so that it goes with that, or is given another
/// group before.
fn is_ours(plan: &Plan, interface: &Interface, group: &str) -> bool {
    let made = plan.changes.iter().filter_map(|change| Some((change.address.type_name(), change.id()?, &change.before)));
    made.into_iter().any(|(type_name, id, before)| is_of(interface, group, type_name, id, before))
}

/// Whether an interface is that of a resource. AWS says what one is for in its description (EC2 User Guide,
/// "Requester-managed network interfaces"): the id of a gateway, an endpoint or a mount target, the end of a load
/// balancer's ARN, or the ARN of a task's attachment, which names no service.
fn is_of(interface: &Interface, group: &str, type_name: &str, id: &str, before: &Value) -> bool {
    match type_name {
        "instance" => interface.instance.as_deref() == Some(id),
        "lb" => id.split_once(":loadbalancer/").is_some_and(|(_, name)| interface.description == format!("ELB {name}")),
        "ecs_service" | "scheduler_schedule" => is_task(&interface.description) && mentions(before, group),
        "vpc_endpoint" | "nat_gateway" | "efs_mount_target" => names(before, interface, id),
        _ => false,
    }
}

fn is_task(description: &str) -> bool {
    description.starts_with("arn:") && description.contains(":ecs:") && description.contains(":attachment/")
}

fn names(before: &Value, interface: &Interface, id: &str) -> bool {
    let listed = before.get("network_interface_id").and_then(Value::as_str) == Some(&interface.id);
    let words = interface.description.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    listed || words.into_iter().any(|word| word == id)
}

/// Whether a text stands anywhere in a value.
fn mentions(value: &Value, text: &str) -> bool {
    match value.revealed() {
        Value::String(found) => found == text,
        Value::List(items) => items.iter().any(|item| mentions(item, text)),
        Value::Map(map) => map.values().any(|item| mentions(item, text)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_interface_is_of_what_its_description_names() {
        let described = |description: &str| Interface { description: description.to_owned(), ..Interface::default() };
        let of = |description: &str, type_name: &str, id: &str, before: serde_json::Value| {
            is_of(&described(description), "sg-1", type_name, id, &Value::from(before))
        };
        let lb = "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/web/50dc6c495c0c9188";
        assert!(of("ELB app/web/50dc6c495c0c9188", "lb", lb, json!({})));
        assert!(!of("ELB app/other/50dc6c495c0c9188", "lb", lb, json!({})));
        assert!(of("EFS mount target for fs-1 (fsmt-2)", "efs_mount_target", "fsmt-2", json!({})));
        assert!(!of("EFS mount target for fs-1 (fsmt-22)", "efs_mount_target", "fsmt-2", json!({})));
        let task = "arn:aws:ecs:us-east-1:1:attachment/2e9b0f3a-0000-4000-8000-000000000000";
        let network = |group: &str| json!({ "network_configuration": { "security_groups": [group] } });
        assert!(of(task, "ecs_service", "web", network("sg-1")));
        assert!(!of(task, "ecs_service", "web", network("sg-2")));
        assert!(!of("AWS Lambda VPC ENI-report", "ecs_service", "web", network("sg-1")));
    }

    #[test]
    fn a_holder_is_described_by_what_it_is_and_whose() {
        let interface = Interface {
            id: "eni-1".to_owned(),
            description: "AWS Lambda VPC ENI-report".to_owned(),
            kind: "lambda".to_owned(),
            owner: "123456789012".to_owned(),
            ..Interface::default()
        };
        assert_eq!(interface.in_words(), "network interface eni-1 \"AWS Lambda VPC ENI-report\" (lambda, of 123456789012)");
    }
}
