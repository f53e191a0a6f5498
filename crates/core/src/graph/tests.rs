use std::collections::BTreeSet;

use super::fold::folded;
use super::tree::{Item, Kind, tree};
use super::*;
use crate::model::redact::MASK;
use crate::testing::{Account, stack};

const NETWORK: &str = r#"
[resource.vpc.main]
cidr_block = "10.0.0.0/16"
[resource.subnet.s]
for_each = ["a", "b"]
vpc_id = "${vpc.main.id}"
cidr_block = "${cidrsubnet(vpc.main.cidr_block, 8, each.index)}"
[resource.route_table.r]
vpc_id = "${vpc.main.id}"
subnet_ids = "${pluck(subnet.s, 'id')}"
[resource.policy.p]
name = "p"
document = { resource = "${vpc.main.id}" }
"#;

fn read(text: &str) -> Graph {
    of_stack(&stack(text).unwrap())
}

fn edges(graph: &Graph) -> BTreeSet<String> {
    let name = |node: usize| graph.nodes[node].address.as_str();
    graph.edges.iter().filter(|edge| edge.link == Link::Uses).map(|edge| format!("{} > {}", name(edge.from), name(edge.to))).collect()
}

fn names(graph: &Graph) -> Vec<&str> {
    graph.nodes.iter().map(|node| node.address.as_str()).collect()
}

#[test]
fn a_stack_has_the_edges_that_its_plan_goes_by() {
    let graph = read(NETWORK);
    let plan = Account::new().plan(NETWORK).unwrap();
    let planned: BTreeSet<String> =
        plan.changes.iter().flat_map(|change| change.depends_on.iter().map(move |on| format!("{} > {on}", change.address))).collect();
    assert_eq!(edges(&graph), planned);
    assert_eq!(edges(&of_plan(&plan)), planned);
}

#[test]
fn instances_of_a_block_are_one_unless_a_plan_tells_them_apart() {
    let graph = read(NETWORK);
    assert_eq!(names(&graph), ["vpc.main", "subnet.s[\"a\"]", "subnet.s[\"b\"]", "route_table.r", "policy.p"]);
    let few = folded(&graph);
    assert_eq!(names(&few), ["vpc.main", "subnet.s", "route_table.r", "policy.p"]);
    let subnets = &few.nodes[1];
    assert_eq!(subnets.members.len(), 2);
    assert_eq!(subnets.differing, ["cidr_block"]);
    assert!(edges(&few).contains("route_table.r > subnet.s"));

    let account = Account::new().applied(NETWORK);
    let more = NETWORK.replace(r#"["a", "b"]"#, r#"["a", "b", "c"]"#);
    let few = folded(&of_plan(&account.plan(&more).unwrap()));
    assert!(names(&few).contains(&"subnet.s[\"c\"]") && names(&few).contains(&"subnet.s[\"a\"]"), "{:?}", names(&few));
    let fate = |name: &str| few.nodes[few.named(name).unwrap()].fate.as_ref().unwrap().action;
    assert_eq!((fate("subnet.s[\"c\"]"), fate("subnet.s[\"a\"]")), (Action::Create, Action::NoOp));
}

#[test]
fn what_goes_is_there_with_what_it_was_made_from() {
    let account = Account::new().applied(NETWORK);
    let less = NETWORK.split("[resource.route_table.r]").next().unwrap();
    let graph = of_plan(&account.plan(less).unwrap());
    let gone = graph.nodes[graph.named("route_table.r").unwrap()].fate.as_ref().unwrap();
    assert_eq!(gone.action, Action::Delete);
    assert!(edges(&graph).contains("route_table.r > vpc.main"), "{:?}", edges(&graph));
}

#[test]
fn what_names_a_network_lies_in_it_and_what_only_mentions_it_does_not() {
    let graph = folded(&read(NETWORK));
    let tree = tree(&graph);
    let vpc = graph.named("vpc.main").unwrap();
    let Item::Group(group) = tree.item(vpc) else { panic!("the VPC is no box") };
    assert_eq!(tree.groups[group].kind, Kind::Network(vpc));
    let inside = |name: &str| tree.parent(tree.item(graph.named(name).unwrap())) == Some(group);
    assert!(inside("subnet.s") && inside("route_table.r") && !inside("policy.p"));
}

#[test]
fn a_number_of_instances_that_is_not_known_is_one_node() {
    let graph = read(
        r#"
[data.zones.here]
[resource.vpc.main]
cidr_block = "10.0.0.0/16"
[resource.subnet.s]
for_each = "${data.zones.here.names}"
vpc_id = "${vpc.main.id}"
cidr_block = "10.0.0.0/24"
[resource.route_table.r]
for_each = "${data.zones.here.names}"
vpc_id = "${vpc.main.id}"
subnet_ids = ["${subnet.s[each.key].id}"]
"#,
    );
    assert_eq!(names(&graph), ["data.zones.here", "vpc.main", "subnet.s", "route_table.r"]);
    assert!(graph.nodes[2].is_open && graph.nodes[2].members.is_empty());
    assert!(edges(&graph).contains("route_table.r > subnet.s"));
    assert!(edges(&graph).contains("subnet.s > data.zones.here"));
    let without = graph.without_data();
    assert_eq!(names(&without), ["vpc.main", "subnet.s", "route_table.r"]);
    assert!(without.nodes[1].within.contains(&0));
}

#[test]
fn what_uses_a_data_source_uses_what_that_is_read_for() {
    let graph = read(
        r#"
[resource.policy.p]
name = "p"
[data.zones.z]
of = "${policy.p.arn}"
[resource.policy.q]
name = "q"
document = { zones = "${data.zones.z.names}" }
"#,
    );
    assert_eq!(edges(&graph).len(), 2);
    assert_eq!(edges(&graph.without_data()), BTreeSet::from(["policy.q > policy.p".to_owned()]));
}

#[test]
fn secrets_are_hidden() {
    let text = r#"
[vars.key]
sensitive = true
default = "hunter2-hunter2"
[resource.policy.p]
name = "p"
document = { key = "${vars.key}", text = "say ${vars.key}" }
[resource.policy.q]
name = "q"
document = { copied = "hunter2-hunter2" }
"#;
    for graph in [read(text), of_plan(&Account::new().plan(text).unwrap())] {
        for node in &graph.nodes {
            let shown = node.attributes.to_public_json(&|_| MASK.into()).to_string();
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
}

#[test]
fn arrows_that_follow_from_others_are_needless() {
    let graph = folded(&read(NETWORK));
    let at = |name| graph.named(name).unwrap();
    let needless = graph.needless();
    assert!(needless.contains(&(at("route_table.r"), at("vpc.main"))));
    assert!(!needless.contains(&(at("route_table.r"), at("subnet.s"))));
    assert!(!needless.contains(&(at("policy.p"), at("vpc.main"))));
}

#[test]
fn in_a_large_group_what_is_linked_stands_together() {
    let service =
        |at: usize| format!("[resource.policy.a{at}]\nname = \"a{at}\"\n[resource.policy.b{at}]\nname = \"${{policy.a{at}.arn}}\"\n");
    let graph = read(&(0..6).map(service).collect::<String>());
    let plain = tree(&graph);
    let links: Vec<(Item, Item)> = graph.edges.iter().map(|edge| (plain.item(edge.from), plain.item(edge.to))).collect();
    assert_eq!(plain.clone().gathered(&links, 20).groups.len(), 0, "not in a small one");
    let parts = plain.gathered(&links, 12);
    assert_eq!((parts.groups.len(), parts.roots.len()), (6, 6));
    for edge in &graph.edges {
        let group = parts.parent(Item::Node(edge.from));
        assert!(group.is_some() && group == parts.parent(Item::Node(edge.to)));
    }
}
