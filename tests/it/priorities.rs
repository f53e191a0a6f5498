//! Rules of a listener that take priorities of one another: one call for each listener, and AWS never sees two with the same.

use leoctl_core::plan::types::Action;

use crate::graph::BALANCER;
use crate::support::emulator::Emulator;
use crate::support::proxy::Proxy;
use crate::support::world::{World, shown};

/// A rule: its name, its listener and its priority.
type Rule<'a> = (&'a str, &'a str, i64);

const SECOND: &str = r#"
[resource.lb_listener.m]
load_balancer_arn = "${lb.n.arn}"
port = 81
protocol = "HTTP"
default_actions = [{ type = "fixed-response", fixed_response_config = { status_code = "404" } }]
"#;

fn stack(name: &str, rules: &[Rule<'_>]) -> String {
    let rule = |(rule, listener, priority): &Rule<'_>| {
        format!(
            "[resource.lb_listener_rule.{rule}]\nlistener_arn = \"${{lb_listener.{listener}.arn}}\"\npriority = {priority}\nconditions = [{{ field = \"path-pattern\", values = [\"/{rule}\"] }}]\nactions = [{{ type = \"fixed-response\", fixed_response_config = {{ status_code = \"200\" }} }}]\n"
        )
    };
    BALANCER.replace("NAME", name) + SECOND + &rules.iter().map(rule).collect::<String>()
}

/// The operations that change rules, in order.
fn changes(proxy: &Proxy, since: usize) -> Vec<String> {
    let calls = proxy.calls().into_iter().skip(since);
    calls.filter(|call| call.mutates && call.service == "elasticloadbalancing").map(|call| call.operation).collect()
}

// Moto refuses a priority that another rule of the same call gives up, which the ELBv2 API Reference allows
// (SetRulePriorities), and MiniStack gives one priority to two rules.
#[tokio::test]
async fn rules_exchange_and_shift_their_priorities_in_one_call_for_each_listener() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let proxy = Proxy::recording(endpoint);
    let world = World::new(&proxy.endpoint, "p-rules").await;
    let of = |rules: &[Rule<'_>]| stack("p-rules", rules);
    world.apply(&of(&[("a", "n", 1), ("b", "n", 2), ("c", "n", 3)])).await.unwrap();
    let cases: &[(&[Rule<'_>], &[&str])] = &[
        (&[("a", "n", 2), ("b", "n", 1), ("c", "n", 3)], &["SetRulePriorities"]),
        (&[("b", "n", 2), ("a", "n", 3), ("c", "n", 4)], &["SetRulePriorities"]),
        (&[("b", "n", 3), ("a", "n", 4), ("c", "n", 2)], &["SetRulePriorities"]),
        // A new one takes the place of one that moves.
        (&[("b", "n", 3), ("a", "n", 5), ("c", "n", 2), ("d", "n", 4)], &["SetRulePriorities", "CreateRule"]),
        // One goes, and others move up.
        (&[("a", "n", 3), ("c", "n", 2), ("d", "n", 4)], &["DeleteRule", "SetRulePriorities"]),
        (&[("a", "n", 3), ("c", "n", 2), ("d", "n", 4), ("e", "m", 1), ("f", "m", 2)], &["CreateRule", "CreateRule"]),
        (&[("a", "n", 2), ("c", "n", 3), ("d", "n", 4), ("e", "m", 2), ("f", "m", 1)], &["SetRulePriorities", "SetRulePriorities"]),
        // Two change sides.
        (
            &[("e", "n", 2), ("c", "n", 3), ("d", "n", 4), ("a", "m", 2), ("f", "m", 1)],
            &["DeleteRule", "DeleteRule", "CreateRule", "CreateRule"],
        ),
    ];
    for (rules, expected) in cases {
        let plan = world.plan(&of(rules)).await.unwrap();
        let since = proxy.calls().len();
        world.apply(&of(rules)).await.unwrap_or_else(|error| panic!("{rules:?}: {error}\n{}", shown(&plan)));
        assert_eq!(changes(&proxy, since), *expected, "{rules:?}\n{}", shown(&plan));
        let after = world.plan(&of(rules)).await.unwrap();
        assert!(!after.has_changes(), "{rules:?}: {}", shown(&after));
    }
    world.destroy(&of(&[])).await.unwrap();
}

#[tokio::test]
async fn a_priority_that_a_rule_of_somebody_else_has_is_an_error_of_the_plan() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let world = World::new(endpoint, "p-foreign").await;
    let of = |rules: &[Rule<'_>]| stack("p-foreign", rules);
    world.apply(&of(&[("a", "n", 1), ("b", "n", 2), ("c", "n", 3)])).await.unwrap();
    let theirs = world.id("lb_listener_rule.c").await.unwrap();
    world.forget("lb_listener_rule.c").await;
    let refused = world.plan(&of(&[("a", "n", 2), ("b", "n", 3)])).await.unwrap_err();
    assert!(refused.contains(&format!("lb_listener_rule.b cannot have `priority` 3: {theirs} has it")), "{refused}");
    // What is found again for its own address is this stack's.
    let plan = world.plan(&of(&[("a", "n", 2), ("b", "n", 1), ("c", "n", 3)])).await.unwrap();
    assert_eq!(plan.change(&"lb_listener_rule.c".parse().unwrap()).unwrap().action, Action::Import, "{}", shown(&plan));
    world.apply(&of(&[("a", "n", 2), ("b", "n", 1), ("c", "n", 3)])).await.unwrap();
    world.destroy(&of(&[])).await.unwrap();
}
