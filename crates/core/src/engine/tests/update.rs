//! An update that did not end is known not to have ended, and is finished by the next apply.

use std::collections::BTreeMap;
use std::time::Duration;

use super::world::{Fault, HOME, World, place};
use crate::engine::ports::{FailureKind, SEEN_WITHIN};
use crate::model::address::Address;
use crate::model::path::Path;
use crate::model::value::Value;
use crate::plan::select::{Only, Options};
use crate::plan::types::Action;

/// A group that uses a role; another name replaces the role, and its predecessor goes once nothing uses it.
fn service(role: &str) -> String {
    format!("[resource.role.r]\nname = \"{role}\"\n[resource.group.g]\nname = \"web\"\nuses = \"${{role.r.arn}}\"\n")
}

fn group(rest: &str) -> String {
    format!("[resource.group.g]\nname = \"web\"\n{rest}")
}

fn group_address() -> Address {
    Address::single("group", "g")
}

/// What is passed to AWS in the last update.
fn last_update(world: &World) -> Option<Value> {
    world.cloud.calls.lock().unwrap().iter().rfind(|call| call.verb == "update").map(|call| call.value.clone())
}

#[tokio::test(start_paused = true)]
async fn what_was_not_waited_for_is_waited_for_by_the_next_apply_and_so_does_what_waits_for_it() {
    let done = [Fault::KilledAfter, Fault::DoneAndFails(FailureKind::Interrupted), Fault::DoneAndFails(FailureKind::Other)];
    for fault in done {
        let world = World::default();
        world.apply(&service("old")).await;
        // The role is made, then the group is updated.
        world.cloud.strike(1, fault);
        world.run(&service("new"), &Options::default()).await;
        let plan = world.plan(&service("new")).await.unwrap().plan;
        assert!(plan.drift.is_empty(), "leoctl's own change is not said to have come from outside: {:?}", plan.drift);
        let change = plan.change(&group_address()).unwrap();
        assert_eq!((change.action, change.unfinished), (Action::NoOp, true), "{fault:?}");
        assert_eq!(change.reason.as_deref(), Some("an earlier apply did not finish it"));
        let steps = world.steps(&service("new")).await;
        assert_eq!(steps, [format!("delete role.r old {HOME}"), format!("wait group.g web {HOME}")]);
        assert_eq!(plan.steps[0].after, [1], "its predecessor is deleted after the wait");
        world.apply(&service("new")).await;
        assert_eq!(*world.cloud.waits.lock().unwrap(), [place("group", "web", HOME)], "{fault:?}");
        assert_eq!(*world.cloud.waited_after.lock().unwrap(), ["uses"], "what was being set tells what to wait for");
        assert_eq!(world.cloud.world(), [format!("group web {HOME}"), "role new global".to_owned()]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_that_did_nothing_is_made_again() {
    for fault in [Fault::KilledBefore, Fault::Fails(FailureKind::Refused), Fault::Fails(FailureKind::Other)] {
        let world = World::default();
        world.apply(&group("note = \"a\"\n")).await;
        world.cloud.strike(0, fault);
        world.run(&group("note = \"b\"\n"), &Options::default()).await;
        let plan = world.plan(&group("note = \"b\"\n")).await.unwrap().plan;
        let change = plan.change(&group_address()).unwrap();
        assert_eq!((change.action, change.unfinished, plan.drift.len()), (Action::Update, true, 0), "{fault:?}");
        world.apply(&group("note = \"b\"\n")).await;
        // Or it is given up.
        world.cloud.strike(0, fault);
        world.run(&group("note = \"c\"\n"), &Options::default()).await;
        world.apply(&group("note = \"b\"\n")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_adoption_that_was_interrupted_while_it_changed_something_is_finished() {
    let owned = serde_json::json!({ "leoctl:stack": "s", "leoctl:address": "group.g" });
    let world = World::default();
    world.cloud.make(place("group", "web", HOME), serde_json::json!({ "name": "web", "note": "old", "tags": owned }));
    world.cloud.strike(0, Fault::DoneAndFails(FailureKind::Interrupted));
    world.run(&group("note = \"new\"\n"), &Options::default()).await;
    let plan = world.plan(&group("note = \"new\"\n")).await.unwrap().plan;
    assert!(plan.drift.is_empty() && plan.change(&group_address()).unwrap().unfinished);
    world.apply(&group("note = \"new\"\n")).await;
    assert_eq!(world.cloud.waits.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_changes_of_an_unfinished_resource_is_said() {
    let body = |note: &str| group(&format!("note = \"{note}\"\nuses = \"x\"\n"));
    let world = World::default();
    world.apply(&body("a")).await;
    world.cloud.strike(0, Fault::KilledAfter);
    world.run(&body("b"), &Options::default()).await;
    let mut live = world.cloud.resources.lock().unwrap().get(&place("group", "web", HOME)).unwrap().to_json().unwrap();
    live["uses"] = "by hand".into();
    world.cloud.make(place("group", "web", HOME), live);
    let plan = world.plan(&body("b")).await.unwrap().plan;
    let drift: Vec<String> = plan.drift.iter().flat_map(|one| &one.attributes).map(|change| change.path.to_string()).collect();
    assert_eq!(drift, ["uses"]);
}

#[tokio::test(start_paused = true)]
async fn what_aws_never_returns_is_set_again_whatever_it_is_to_be_now() {
    let key = |key: Option<&str>| group(&key.map_or_else(String::new, |key| format!("key = \"{key}\"\n")));
    for (before, began) in [(Some("a"), Some("b")), (None, Some("b")), (Some("a"), None)] {
        for fault in [Fault::KilledBefore, Fault::KilledAfter] {
            for wanted in [before, began] {
                let world = World::default();
                world.apply(&key(before)).await;
                world.cloud.strike(0, fault);
                assert!(world.run(&key(began), &Options::default()).await.is_none());
                let calls = world.cloud.calls.lock().unwrap().len();
                world.apply(&key(wanted)).await;
                let case = format!("from {before:?} to {began:?}, {fault:?}, and then {wanted:?}");
                assert_eq!(world.cloud.calls.lock().unwrap().len(), calls + 1, "{case}");
                let sent = last_update(&world).unwrap();
                assert_eq!(sent.get("key").and_then(|key| key.as_str()), wanted, "{case}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_unfinished_update_was_to_use_and_what_it_used_are_deleted_after_it() {
    let roles = "[resource.role.a]\nname = \"a\"\n[resource.role.b]\nname = \"b\"\n";
    let body = |role: &str| format!("{roles}{}", group(&format!("uses = \"${{role.{role}.arn}}\"\n")));
    let world = World::default();
    world.apply(&body("a")).await;
    world.cloud.strike(0, Fault::KilledBefore);
    assert!(world.run(&body("b"), &Options::default()).await.is_none());
    let calls = world.cloud.calls.lock().unwrap().len();
    world.apply("").await;
    let deleted: Vec<String> = world.cloud.calls.lock().unwrap()[calls..].iter().map(|call| call.place.id.clone()).collect();
    assert_eq!(deleted[0], "web", "{deleted:?}");
    // Once it has ended, only what it uses counts.
    world.apply(&body("a")).await;
    world.apply(&body("b")).await;
    let state = world.shelf.state().unwrap();
    assert_eq!(state.current(&group_address()).unwrap().depends_on, [Address::single("role", "b")]);
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_an_unfinished_update_was_setting_is_hidden_when_the_resource_goes() {
    let body = |note: &str| format!("[vars.token]\ndefault = \"marker\"\nsensitive = true\n{}", group(&format!("note = \"{note}\"\n")));
    let world = World::default();
    world.apply(&body("a")).await;
    world.cloud.strike(0, Fault::KilledAfter);
    assert!(world.run(&body("${vars.token}"), &Options::default()).await.is_none());
    let plan = world.plan("").await.unwrap().plan;
    let before = plan.change(&group_address()).unwrap().before.clone();
    assert!(before.get("note").is_some_and(|note| note.has_secret()), "{before:?}");
}

#[tokio::test(start_paused = true)]
async fn a_command_about_something_else_leaves_an_unfinished_update_unfinished() {
    let body = |note: &str| group(&format!("note = \"{note}\"\nuses = \"x\"\n"));
    let world = World::default();
    world.apply(&body("a")).await;
    world.cloud.strike(0, Fault::KilledAfter);
    assert!(world.run(&body("b"), &Options::default()).await.is_none());
    let only = |name: &str| Options {
        only: Some(Only { attributes: BTreeMap::from([(group_address(), vec![Path::attribute(name)])]), ..Only::default() }),
        ..Options::default()
    };
    let changed = body("b").replace("\"x\"", "\"y\"");
    assert!(world.run(&changed, &only("uses")).await.unwrap().failed.is_empty());
    assert!(world.cloud.waits.lock().unwrap().is_empty(), "it does not wait for what is none of its business");
    assert!(world.plan(&changed).await.unwrap().plan.change(&group_address()).unwrap().unfinished);
    world.apply(&changed).await;
    assert_eq!(world.cloud.waits.lock().unwrap().len(), 1);
    // A command that sets the same anew has finished it.
    world.cloud.strike(0, Fault::KilledAfter);
    assert!(world.run(&body("c"), &Options::default()).await.is_none());
    let report = world.run(&body("d").replace("\"x\"", "\"y\""), &only("note")).await.unwrap();
    assert!(report.failed.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_creation_is_told_what_it_replaces_while_that_is_there_and_is_to_go() {
    let replaces = async |before: &str, after: &str| {
        let world = World::default();
        world.apply(before).await;
        world.apply(after).await;
        let calls = world.cloud.calls.lock().unwrap();
        calls.iter().rfind(|call| call.verb == "create").and_then(|call| call.replaces.clone())
    };
    assert_eq!(replaces(&group(""), &group("").replace("web", "other")).await.as_deref(), Some("web"));
    // Its predecessor has the same name and goes first.
    assert_eq!(replaces(&group("size = 1\n"), &group("size = 2\n")).await, None);
    // Its predecessor stays.
    let kept = |name: &str| format!("{}[resource.group.g.lifecycle]\ndeletion_policy = \"retain\"\n", group("").replace("web", name));
    assert_eq!(replaces(&kept("web"), &kept("other")).await, None);
}

#[tokio::test(start_paused = true)]
async fn what_is_seen_late_is_read_again_for_as_long_as_its_type_says() {
    // Read again after half a second, one, two, four and eight, and at the end.
    let cases = [
        ("", 2, SEEN_WITHIN, "b"),
        ("", 5, SEEN_WITHIN, "a"),
        ("", 5, Duration::from_secs(20), "b"),
        // What was done is done, though it is not seen in the time that the stack file gives.
        ("timeouts = { update = \"1s\" }\n", 5, Duration::from_secs(20), "a"),
    ];
    for (timeouts, late, within, seen) in cases {
        let world = World::default();
        let uses = "[resource.group.d]\nname = \"d\"\nnote = \"${group.g.note}\"\n";
        let body = |note: &str| format!("{}{uses}", group(&format!("note = \"{note}\"\n{timeouts}")));
        world.apply(&body("a")).await;
        world.cloud.late.by(late, within);
        let report = world.run(&body("b"), &Options::default()).await.unwrap();
        assert!(report.failed.is_empty());
        let remembered = world.shelf.state().unwrap().current(&group_address()).unwrap().attributes.clone();
        assert_eq!(remembered["note"], seen, "{timeouts} {late} {within:?}");
        // What uses it is made of what was done, be it seen or not.
        let resources = world.cloud.resources.lock().unwrap();
        let used = resources.values().find(|value| value.get("name").and_then(Value::as_str) == Some("d")).unwrap();
        assert_eq!(used.get("note").and_then(Value::as_str), Some("b"), "{timeouts} {late} {within:?}");
    }
}
