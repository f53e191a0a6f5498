//! The orders that types declare, and what AWS does not delete while it is used.

use super::tests::ipv6;
use crate::model::value::Value;
use crate::plan::build::Live;
use crate::plan::step::Step;
use crate::plan::types::{Action, Plan};
use crate::testing::{Account, change, names};

#[test]
fn what_shares_a_target_comes_after_by_its_type() {
    let stack = r#"
[resource.service.s]
group = "${group.g.arn}"
[resource.service.other]
group = "${group.h.arn}"
[resource.listener.l]
group = "${locals.g}"
[resource.group.g]
name = "g"
[resource.group.h]
name = "h"
[locals]
g = "${group.g.arn}"
"#;
    let plan = Account::new().plan(stack).unwrap();
    assert_eq!(names(&change(&plan, "service.s").depends_on), ["group.g", "listener.l"]);
    assert_eq!(names(&change(&plan, "service.other").depends_on), ["group.h"]);
    assert!(!Account::new().applied(stack).plan(stack).unwrap().changes.iter().any(|change| !change.state_only.is_empty()));
    let far =
        stack.replace("group = \"${group.g.arn}\"", "group = \"${policy.p.arn}\"") + "[resource.policy.p]\nname = \"${group.g.arn}\"\n";
    let plan = Account::new().plan(&far).unwrap();
    assert_eq!(names(&change(&plan, "service.s").depends_on), ["policy.p", "listener.l"], "at a distance");
    let account = Account::new().applied(stack);
    let gone = account.plan("").unwrap();
    assert!(waits(&gone, ("delete", "listener.l"), ("delete", "service.s")));
}

#[test]
fn a_written_reference_wins_over_a_declared_order() {
    let stack = r#"
[resource.service.s]
group = "${group.g.arn}"
[resource.listener.l]
group = "${group.g.arn}"
depends_on = ["service.s"]
[resource.group.g]
name = "g"
"#;
    let plan = Account::new().plan(stack).unwrap();
    assert_eq!(names(&change(&plan, "service.s").depends_on), ["group.g"]);
    assert_eq!(names(&change(&plan, "listener.l").depends_on), ["group.g", "service.s"]);
}

/// The position of the step that does this to a resource.
fn step(plan: &Plan, verb: &str, address: &str) -> usize {
    let is_it = |step: &Step| step.address.to_string() == address && step.kind.name() == verb;
    plan.steps.iter().position(is_it).unwrap_or_else(|| panic!("no step to {verb} {address}: {:#?}", plan.steps))
}

/// Whether a step waits for another, directly or through others.
fn waits(plan: &Plan, (verb, address): (&str, &str), on: (&str, &str)) -> bool {
    let (mut open, on) = (vec![step(plan, verb, address)], step(plan, on.0, on.1));
    let mut seen = std::collections::BTreeSet::new();
    while let Some(at) = open.pop() {
        if seen.insert(at) {
            open.extend(&plan.steps[at].after);
        }
    }
    seen.contains(&on)
}

/// Every step comes up: nothing waits for itself.
fn ends(plan: &Plan) -> bool {
    let mut done = std::collections::BTreeSet::new();
    loop {
        let ready = |(at, step): &(usize, &Step)| !done.contains(at) && step.after.iter().all(|on| done.contains(on));
        match plan.steps.iter().enumerate().find(ready) {
            Some((at, _)) => drop(done.insert(at)),
            None => return done.len() == plan.steps.len(),
        }
    }
}

#[test]
fn what_is_taken_away_is_given_up_first() {
    let on = ipv6(true).replace("${cidrsubnet(vpc.main.ipv6_cidr_block, 8, each.index)}", "2001:db8::/64");
    let account = Account::new().applied(&on);
    let plan = account.plan(&ipv6(false)).unwrap();
    assert_eq!(names(&change(&plan, "vpc.main").comes_after), [r#"subnet.s["a"]"#, r#"subnet.s["b"]"#]);
    assert!(waits(&plan, ("update", "vpc.main"), ("update", r#"subnet.s["a"]"#)));
    assert!(!waits(&plan, ("update", r#"subnet.s["a"]"#), ("update", "vpc.main")));
    assert!(ends(&plan));
    // Switched on, the VPC comes first as ever.
    let plan = Account::new().applied(&ipv6(false)).plan(&on).unwrap();
    assert!(waits(&plan, ("update", r#"subnet.s["a"]"#), ("update", "vpc.main")) && ends(&plan));
}

#[test]
fn what_is_deleted_gives_up_what_is_taken_away_too() {
    let table = "[resource.route_table.r]\nvpc_id = \"${vpc.main.id}\"\nsubnet_ids = \"${pluck(subnet.s, 'id')}\"\n";
    let on = ipv6(true).replace("${cidrsubnet(vpc.main.ipv6_cidr_block, 8, each.index)}", "2001:db8::/64");
    let account = Account::new().applied(&format!("{on}{table}"));
    let plan = account.plan(&format!("{}{table}", ipv6(false).replace(r#"["a", "b"]"#, r#"["a"]"#))).unwrap();
    assert!(waits(&plan, ("update", "vpc.main"), ("delete", r#"subnet.s["b"]"#)));
    assert!(waits(&plan, ("update", "vpc.main"), ("update", "route_table.r")));
    assert!(ends(&plan));
}

#[test]
fn what_can_neither_wait_nor_go_first_is_refused_with_the_way_out() {
    let on = ipv6(true).replace("${cidrsubnet(vpc.main.ipv6_cidr_block, 8, each.index)}", "2001:db8::/64");
    let account = Account::new().applied(&on);
    let both = ipv6(false).replace("for_each", "tags = { x = \"${string(vpc.main.ipv6_cidr_block)}\" }\nfor_each");
    let errors = account.plan(&both).unwrap_err();
    assert!(errors.len() == 1 && errors[0].starts_with("vpc.main cannot change `six` now"), "{errors:?}");
}

#[test]
fn elements_are_taken_away_once_nothing_uses_them() {
    let stack = |providers: &str, strategy: &str| {
        format!(
            "[resource.cluster.c]\nproviders = {providers}\n[resource.task.t]\ncluster = \"${{cluster.c.arn}}\"\nstrategy = {strategy}\n"
        )
    };
    let account = Account::new().applied(&stack(r#"["a", "b"]"#, r#"["a"]"#));
    let order = |providers: &str, strategy: &str| {
        let plan = account.plan(&stack(providers, strategy))?;
        assert!(ends(&plan));
        Ok::<_, Vec<String>>(waits(&plan, ("update", "cluster.c"), ("update", "task.t")))
    };
    assert_eq!(order(r#"["b"]"#, r#"["b"]"#), Ok(true), "moved within what stays");
    assert_eq!(order(r#"["b", "c"]"#, r#"["b"]"#), Ok(true), "something else is added beside it");
    assert_eq!(order(r#"["a", "b", "c"]"#, r#"["c"]"#), Ok(false), "nothing is taken away");
    assert_eq!(order(r#"["a", "c"]"#, r#"["a", "c"]"#), Ok(false), "what is taken away is not used");
    let plan = account.plan(&stack(r#"["b", "c"]"#, r#"["c"]"#)).unwrap();
    assert_eq!(change(&plan, "cluster.c").widens, ["providers"], "to what is added: that comes first");
    assert!(waits(&plan, ("update", "task.t"), ("update", "cluster.c")) && ends(&plan));
}

#[test]
fn what_something_goes_on_using_is_not_taken_away() {
    let stack = |providers: &str| {
        format!("[resource.cluster.c]\nproviders = {providers}\n[resource.task.t]\ncluster = \"${{cluster.c.arn}}\"\nstrategy = [\"a\"]\n")
    };
    let account = Account::new().applied(&stack(r#"["a", "b"]"#));
    let errors = account.plan(&stack(r#"["b"]"#)).unwrap_err();
    assert!(
        errors.len() == 1 && errors[0].starts_with("cluster.c cannot give up what it has in `providers`: task.t uses it"),
        "{errors:?}"
    );
    assert!(account.plan(&stack(r#"["a"]"#)).is_ok(), "what nothing uses");
    let left = stack(r#"["b"]"#);
    assert!(account.plan(left.split("[resource.task").next().unwrap()).is_ok(), "its user goes");
}

#[test]
fn a_replacement_that_cannot_be_made_first_says_so() {
    let stack = |cidr: &str, lifecycle: &str| {
        format!("[resource.vpc.main]\ncidr_block = \"{cidr}\"\n[resource.group.g]\nname = \"${{vpc.main.cidr_block}}\"\n{lifecycle}")
    };
    let mut replaced = Account::new().applied(&stack("10.0.0.0/16", ""));
    replaced.options.replace = vec!["group.g".parse().unwrap()];
    let plan = replaced.plan(&stack("10.1.0.0/16", "")).unwrap();
    assert_eq!(change(&plan, "group.g").risks, ["is deleted before its replacement exists, because vpc.main is, which it was made from"]);
    let errors = replaced.plan(&stack("10.1.0.0/16", "[resource.group.g.lifecycle]\ncreate_before_destroy = true\n")).unwrap_err();
    assert!(errors[0].contains("create_before_destroy"), "{errors:?}");
}

/// A link in a network, and what names it.
fn linked(cidr: &str, link: &str, user: &str) -> String {
    format!("[resource.vpc.main]\ncidr_block = \"{cidr}\"\n[resource.link.a]\nnet = \"${{vpc.main.id}}\"\nname = \"web\"\n{link}\n{user}\n")
}

#[test]
fn only_what_aws_holds_it_by_keeps_a_resource() {
    let texts = [
        "[resource.policy.p]\nname = \"${link.a.id}\"",
        "[resource.balancer.b]\nlinks = [\"x\"]\ntags = { link = \"${link.a.id}\" }",
        "[resource.balancer.b]\nlinks = [\"x\"]\nnote = \"${vpc.main.cidr_block}\"\ndepends_on = [\"link.a\"]",
    ];
    for user in texts {
        let plan = Account::new().applied(&linked("10.0.0.0/16", "", user)).plan(&linked("10.1.0.0/16", "", user)).unwrap();
        assert_eq!(change(&plan, "link.a").action, Action::Replace, "{user}");
    }
}

#[test]
fn what_stays_in_a_network_is_replaced_with_it() {
    let user = "[resource.gate.g]\nlinks = [\"${link.a.id}\"]";
    let account = gate_in(Account::new().applied(&linked("10.0.0.0/16", "", user)), "vpc.main");
    let plan = account.plan(&linked("10.1.0.0/16", "", user)).unwrap();
    assert_eq!(change(&plan, "gate.g").action, Action::Replace);
    assert_eq!(change(&plan, "gate.g").replace_paths()[0].root(), Some("links"));
    assert!(ends(&plan) && waits(&plan, ("delete", "link.a"), ("delete", "gate.g")));
    let renamed = linked("10.0.0.0/16", "", user).replace("web", "new");
    assert_eq!(change(&account.plan(&renamed).unwrap(), "gate.g").action, Action::Update, "within the same network it changes in place");
}

/// An account in which the gate says that it is in this network.
fn gate_in(mut account: Account, network: &str) -> Account {
    for (place, live) in &mut account.live {
        if let (true, Live::Present(Value::Map(attributes))) = (place.type_name == "gate", live) {
            attributes.insert("vpc_id".to_owned(), Value::string(network));
        }
    }
    account
}

/// Two networks with a link in each, and a gate.
fn networks(links: &str, first: bool, second: bool) -> String {
    let network = |name: &str| {
        format!(
            "[resource.vpc.{name}]\ncidr_block = \"10.0.0.0/16\"\n[resource.link.{name}]\nnet = \"${{vpc.{name}.id}}\"\nname = \"{name}\"\n"
        )
    };
    let names = [("one", first), ("two", second)].into_iter().filter(|(_, is_there)| *is_there);
    names.map(|(name, _)| network(name)).collect::<String>() + &format!("[resource.gate.g]\n{links}\n")
}

#[test]
fn what_would_have_to_move_to_another_network_is_replaced() {
    let one = "links = [\"${link.one.id}\"]";
    let two = "links = [\"${link.two.id}\"]";
    let action = |account: &Account, text: &str| change(&account.plan(text).unwrap(), "gate.g").action;
    let both = gate_in(Account::new().applied(&networks(one, true, true)), "vpc.one");
    assert_eq!(action(&both, &networks(two, true, true)), Action::Replace, "to one that exists");
    assert_eq!(action(&both, &networks(two, false, true)), Action::Replace, "and its own goes");
    let alone = gate_in(Account::new().applied(&networks(one, true, false)), "vpc.one");
    assert_eq!(action(&alone, &networks(two, true, true)), Action::Replace, "to a new one");
    assert_eq!(action(&alone, &networks(two, false, true)), Action::Replace, "to a new one, and its own goes");
    let more = networks("links = [\"${link.one.id}\", \"${link.more.id}\"]", true, true)
        + "[resource.link.more]\nnet = \"${vpc.one.id}\"\nname = \"more\"\n";
    assert_eq!(action(&both, &more), Action::Update, "to another link of its own network");
    let tagged = format!("{one}\ntags = {{ other = \"${{vpc.two.id}}\" }}");
    assert_eq!(action(&both, &networks(&tagged, true, true)), Action::Update, "what it only mentions is not where it is");
    let unmanaged = networks("links = [\"link-0\"]", true, true);
    assert_eq!(action(&both, &unmanaged), Action::Update, "where that lies nobody knows");
}

#[test]
fn what_is_held_says_why_it_would_go_first_and_what_helps() {
    let user = "[resource.balancer.b]\nlinks = [\"${link.a.id}\"]";
    let account = Account::new().applied(&linked("10.0.0.0/16", "", user));
    let said = |text: &str| {
        let errors = account.refused(text);
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].message.starts_with("link.a cannot be replaced: balancer.b uses it"), "{errors:?}");
        (errors[0].label.clone(), errors[0].help.join("; "))
    };
    let because = "it is deleted before its replacement exists, as vpc.main is, which it was made from";
    let first = "set `create_before_destroy = true` in the lifecycle of vpc.main: then the new one is made first";
    assert_eq!(said(&linked("10.1.0.0/16", "", user)), (because.to_owned(), first.to_owned()));
    let helped = linked("10.1.0.0/16", "", &format!("{user}\n[resource.vpc.main.lifecycle]\ncreate_before_destroy = true"));
    assert!(change(&account.plan(&helped).unwrap(), "link.a").create_before_destroy, "what is advised helps");
    let (label, help) = said(&linked("10.0.0.0/16", "size = \"l\"", user));
    assert_eq!(label, "both would have the same `net`, `name`, and AWS allows that once");
    assert_eq!(help, "change its `name` too: then the new one is made first");
    let (_, help) =
        said(&linked("10.1.0.0/16", "lifecycle = { create_before_destroy = false }", user).replace("10.1", "10.0").replace("web", "new"));
    assert_eq!(help, "leave out `create_before_destroy = false` in the lifecycle of link.a");
}

/// Two tables that have these subnets.
fn tables(one: &str, two: &str) -> String {
    let table = |name: &str, subnets: &str| format!("[resource.route_table.{name}]\nvpc_id = \"v\"\nsubnet_ids = {subnets}\n");
    table("one", one) + &table("two", two)
}

#[test]
fn what_passes_from_one_to_another_is_taken_over_before_it_is_let_go_of() {
    let account = Account::new().applied(&tables(r#"["a", "b"]"#, r#"["c"]"#));
    let plan = account.plan(&tables(r#"["b"]"#, r#"["c", "a"]"#)).unwrap();
    assert!(waits(&plan, ("update", "route_table.one"), ("update", "route_table.two")) && ends(&plan));
    let alone = "[resource.route_table.two]\nvpc_id = \"v\"\nsubnet_ids = [\"c\", \"a\", \"b\"]\n";
    let plan = account.plan(alone).unwrap();
    assert!(waits(&plan, ("delete", "route_table.one"), ("update", "route_table.two")) && ends(&plan), "also by what goes itself");
    let new = "[resource.route_table.new]\nvpc_id = \"v\"\nsubnet_ids = [\"a\"]\n";
    let plan = account.plan(&(tables(r#"["b"]"#, r#"["c"]"#) + new)).unwrap();
    assert!(waits(&plan, ("update", "route_table.one"), ("create", "route_table.new")) && ends(&plan), "also to what is new");
    assert!(ends(&account.plan(&tables(r#"["c", "b"]"#, r#"["a"]"#)).unwrap()), "an exchange waits for nobody");
}

#[test]
fn names_that_differ_in_case_only_are_one_where_aws_tells_none_apart() {
    let link = |label: &str, name: &str| format!("[resource.link.{label}]\nnet = \"n\"\nname = \"{name}\"\n");
    let errors = Account::new().plan(&(link("a", "Web") + &link("b", "web"))).unwrap_err();
    assert!(errors.len() == 1 && errors[0].contains("have the same `net`, `name`"), "{errors:?}");
    let account = Account::new().applied(&link("a", "Web"));
    let plan = account.plan(&link("a", "web")).unwrap();
    assert!(waits(&plan, ("create", "link.a"), ("delete", "link.a")), "one has to go before the other comes");
    assert!(change(&account.plan(&link("a", "app")).unwrap(), "link.a").create_before_destroy);
}

#[test]
fn what_stands_in_a_list_of_another_is_not_a_resource_beside_it() {
    let stack = |to: &str, side: &str| {
        format!(
            "[resource.route_table.r]\nvpc_id = \"v\"\nroutes = [{{ to = \"a\", via = \"x\" }}, {{ to = \"b\", weight = 1 }}]\n\
             [resource.listener.l]\ngroup = \"${{route_table.r.id}}\"\nside = \"{side}\"\nto = \"{to}\"\nvia = \"mine\"\n"
        )
    };
    let said = |account: &Account, to: &str| account.plan(&stack(to, "in")).err().unwrap_or_default();
    let wanted = "listener.l and an element of `routes` of route_table.r are the same, and AWS allows that once";
    let account = Account::new().applied(&stack("c", "in"));
    assert_eq!(said(&Account::new(), "a"), [wanted], "of a table that is still to be made");
    assert_eq!(said(&account, "a"), [wanted], "of one that exists");
    assert!(said(&account, "c").is_empty() && said(&account, "b").is_empty(), "what differs in anything is another");
    assert!(account.plan(&stack("a", "out")).is_ok(), "in the other direction");
}
