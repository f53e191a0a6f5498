//! Places that resources take from one another: no two have the same at any time, and those that exchange theirs do so
//! in one call.

use std::collections::BTreeMap;

use serde_json::json;

use super::world::{Call, Fault, HOME, World, place};
use crate::model::value::Value;
use crate::plan::select::Options;

/// A rule: its name, its listener and its priority.
type Rule<'a> = (&'a str, &'a str, i64);

fn rules(rules: &[Rule<'_>]) -> String {
    let rule =
        |(name, listener, priority): &Rule<'_>| format!("[resource.rule.{name}]\nlistener = \"{listener}\"\npriority = {priority}\n");
    rules.iter().map(rule).collect()
}

/// What the rules have in the cloud, as `listener/priority` by address.
fn there(world: &World) -> BTreeMap<String, String> {
    let resources = world.cloud.resources.lock().unwrap();
    let shown = resources.values().map(|value| {
        let text = |name: &str| value.get(name).unwrap().to_public_json(&|_| serde_json::Value::Null).to_string().replace('"', "");
        let address = value.get("tags").unwrap().get("leoctl:address").and_then(Value::as_str).unwrap().to_owned();
        (address, format!("{}/{}", text("listener"), text("priority")))
    });
    shown.collect()
}

fn wanted(rules: &[Rule<'_>]) -> BTreeMap<String, String> {
    rules.iter().map(|(name, listener, priority)| (format!("rule.{name}"), format!("{listener}/{priority}"))).collect()
}

fn verbs(calls: &[Call]) -> Vec<&'static str> {
    calls.iter().map(|call| call.verb).collect()
}

const ABC: [Rule<'_>; 3] = [("a", "x", 1), ("b", "x", 2), ("c", "x", 3)];

#[tokio::test(start_paused = true)]
async fn rules_take_the_priorities_of_one_another_in_one_call_and_never_meet() {
    let cases: &[(&str, &[Rule<'_>], &[&str])] = &[
        ("a swap", &[("a", "x", 2), ("b", "x", 1), ("c", "x", 3)], &["reassign"]),
        ("a rotation", &[("a", "x", 2), ("b", "x", 3), ("c", "x", 1)], &["reassign"]),
        ("a shift", &[("a", "x", 2), ("b", "x", 3), ("c", "x", 4)], &["reassign"]),
        ("one alone, to a free one", &[("a", "x", 9), ("b", "x", 2), ("c", "x", 3)], &["update"]),
        ("a new one in a place that is left", &[("a", "x", 9), ("b", "x", 2), ("c", "x", 3), ("d", "x", 1)], &["reassign", "create"]),
        ("a new one in front", &[("d", "x", 1), ("a", "x", 2), ("b", "x", 3), ("c", "x", 4)], &["reassign", "create"]),
        ("one goes, another takes its place", &[("b", "x", 1), ("c", "x", 3)], &["delete", "update"]),
        ("one goes, the others move up", &[("b", "x", 1), ("c", "x", 2)], &["delete", "reassign"]),
        ("one goes, a new one takes its place", &[("d", "x", 1), ("b", "x", 2), ("c", "x", 3)], &["delete", "create"]),
        ("all at once", &[("d", "x", 3), ("b", "x", 1), ("c", "x", 2)], &["delete", "reassign", "create"]),
    ];
    for (case, to, calls) in cases {
        let world = World::default();
        world.apply(&rules(&ABC)).await;
        let so_far = world.cloud.calls.lock().unwrap().len();
        world.apply(&rules(to)).await;
        assert_eq!(there(&world), wanted(to), "{case}");
        assert_eq!(verbs(&world.cloud.calls.lock().unwrap()[so_far..]), *calls, "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_listener_has_a_call_of_its_own_and_what_goes_to_the_other_is_made_anew() {
    let world = World::default();
    let two = [("a", "x", 1), ("b", "x", 2), ("c", "y", 1), ("d", "y", 2)];
    world.apply(&rules(&two)).await;
    let so_far = world.cloud.calls.lock().unwrap().len();
    let swapped = [("a", "x", 2), ("b", "x", 1), ("c", "y", 2), ("d", "y", 1)];
    world.apply(&rules(&swapped)).await;
    assert_eq!((there(&world), verbs(&world.cloud.calls.lock().unwrap()[so_far..])), (wanted(&swapped), vec!["reassign"; 2]));
    // Two change sides, and the one that stays beside each takes the place that is left.
    for crossed in
        [[("a", "y", 2), ("b", "x", 2), ("c", "x", 1), ("d", "y", 1)], [("a", "x", 1), ("b", "y", 1), ("c", "y", 2), ("d", "x", 2)]]
    {
        world.apply(&rules(&crossed)).await;
        assert_eq!(there(&world), wanted(&crossed));
    }
}

#[tokio::test(start_paused = true)]
async fn the_joint_change_is_a_step_that_the_others_wait_for() {
    let world = World::default();
    world.apply(&rules(&ABC)).await;
    let to = format!("{}note = \"n\"\n", rules(&[("d", "x", 1), ("c", "x", 4), ("b", "x", 3), ("a", "x", 2)]));
    let plan = world.plan(&to).await.unwrap().plan;
    let steps: Vec<String> = plan.steps.iter().map(|step| format!("{} {} {:?}", step.kind.name(), step.address, step.after)).collect();
    assert_eq!(steps, ["reassign rule.c []", "create rule.d [0]", "update rule.c [0]", "update rule.b [0]", "update rule.a [0]"]);
    let reason = |address: &str| plan.change(&address.parse().unwrap()).unwrap().reason.clone();
    assert_eq!(reason("rule.b").as_deref(), Some("changes `priority` in one call with rule.c, rule.a"));
    // What else changes of one is done after.
    let so_far = world.cloud.calls.lock().unwrap().len();
    world.apply(&to).await;
    let calls = world.cloud.calls.lock().unwrap();
    assert_eq!(verbs(&calls[so_far..]).iter().filter(|verb| **verb == "update").count(), 1, "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn killed_before_or_after_the_joint_change_the_next_apply_finishes_it() {
    let to = [("d", "x", 1), ("a", "x", 2), ("b", "x", 3), ("c", "x", 4)];
    for at in 0..2 {
        for fault in [Fault::KilledBefore, Fault::KilledAfter] {
            let world = World::default();
            world.apply(&rules(&ABC)).await;
            world.cloud.strike(at, fault);
            assert!(world.run(&rules(&to), &Options::default()).await.is_none());
            let drift = world.plan(&rules(&to)).await.unwrap().plan.drift;
            assert!(drift.is_empty(), "nobody else has changed anything: {at} {fault:?} {drift:?}");
            world.apply(&rules(&to)).await;
            assert_eq!(there(&world), wanted(&to), "{at} {fault:?}");
            let calls = world.cloud.calls.lock().unwrap();
            assert_eq!(
                calls.iter().filter(|call| call.verb == "create").count() - 3,
                if fault == Fault::KilledBefore && at == 1 { 2 } else { 1 }
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_this_stacks_to_move_is_named_by_the_plan() {
    let world = World::default();
    world.apply(&rules(&ABC)).await;
    world.cloud.make(place("rule", "by-hand", HOME), json!({ "listener": "x", "priority": 4, "tags": {} }));
    for to in [[("a", "x", 4), ("b", "x", 2), ("c", "x", 3)], [("a", "x", 2), ("b", "x", 3), ("c", "x", 4)]] {
        let refused = world.plan(&rules(&to)).await.err().unwrap();
        assert!(refused.contains("cannot have `priority` 4: by-hand has it"), "{refused}");
    }
    // One that is dropped from the state, and one that this plan leaves alone.
    let kept = rules(&[("a", "x", 3), ("b", "x", 2)]) + "[[removed]]\nfrom = \"rule.c\"\n";
    let refused = world.plan(&kept).await.err().unwrap();
    assert!(refused.contains("rule.a cannot have `priority` 3: rule.c has it and stays in AWS"), "{refused}");
    let only_a = Options { targets: vec!["rule.a".parse().unwrap()], ..Options::default() };
    let refused = world.plan_with(&rules(&[("a", "x", 3), ("b", "x", 2)]), &only_a).await.err().unwrap();
    assert!(refused.contains("rule.a cannot have `priority` 3: rule.c has it"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_predecessor_that_is_left_gives_its_place_to_its_successor() {
    let world = World::default();
    world.apply(&rules(&[("a", "x", 1), ("b", "x", 2)])).await;
    // The new one is there, the old one is still to go.
    world.cloud.strike(1, Fault::KilledBefore);
    assert!(world.run(&rules(&[("a", "y", 1), ("b", "x", 2)]), &Options::default()).await.is_none());
    let to = [("a", "y", 3), ("b", "x", 1)];
    world.apply(&rules(&to)).await;
    assert_eq!(there(&world), wanted(&to));
}
