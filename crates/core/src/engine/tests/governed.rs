//! What something else in AWS sets of a resource for the sake of another one is left to it.

use std::sync::Arc;

use serde_json::json;

use super::world::{HOME, World, place};
use crate::model::address::Address;
use crate::model::path::Path;
use crate::model::schema::{Catalog, Governs, ResourceSchema, TypeSchema};
use crate::model::value::Value;
use crate::plan::desired::Governor;
use crate::plan::diff::ignore;
use crate::plan::select::Options;
use crate::plan::types::Action;

/// A route that a mover sends to one of several places, as ECS does with a listener's rule.
pub fn governing(catalog: &mut Catalog) {
    let text = || json!({ "type": "string" });
    let named = |more: [&str; 2]| {
        let mut schema = json!({ "type": "object", "required": ["name"], "properties": {
            "name": { "type": "string", "x-replace": true }, "arn": { "type": "string", "x-computed": true } } });
        for name in more {
            schema["properties"][name] = text();
        }
        schema
    };
    let schema = |name: &str, more| ResourceSchema {
        unique: &[&["name"]],
        ..ResourceSchema::plain(TypeSchema::compile(name, &named(more)).unwrap())
    };
    let route = ResourceSchema {
        yields: &|wanted, live, among| {
            let chooses = |value: &Value| value.get("to").and_then(Value::as_str).is_some_and(|to| among.iter().any(|one| one == to));
            let path = Path::attribute("to");
            if chooses(wanted) && chooses(live) { ignore(wanted, live, &[path]) } else { wanted.clone() }
        },
        undoes: &|_, _, drifted| drifted,
        replaces: &|before, _| if before.get("note").and_then(Value::as_str) == Some("fixed") { &["note"] } else { &[] },
        ..schema("route", ["to", "note"])
    };
    let mover = ResourceSchema {
        governs: &|live| {
            let text = |name: &str| live.get(name).and_then(Value::as_str).map(str::to_owned);
            let among = text("between").into_iter().collect();
            vec![Governs { type_name: "route", id: text("moves"), among, and: Some("group"), by: "the mover" }]
        },
        ..schema("mover", ["moves", "between"])
    };
    catalog.resources.insert("route".to_owned(), Arc::new(route));
    catalog.resources.insert("mover".to_owned(), Arc::new(mover));
}

/// A route, and a mover that sends it to `green` or to the group that it is made from.
fn moved(to: &str, note: &str) -> String {
    format!(
        r#"
[resource.group.blue]
name = "blue"
[resource.route.r]
name = "r"
to = "{to}"
note = "{note}"
[resource.mover.m]
name = "m"
moves = "${{route.r.name}}"
between = "green"
depends_on = ["group.blue"]
"#
    )
}

/// The mover has done its work.
fn move_to(world: &World, to: &str, note: &str) {
    world.cloud.make(place("route", "r", HOME), json!({ "name": "r", "to": to, "note": note, "arn": "arn:r" }));
}

fn sent(world: &World, verb: &str) -> Option<String> {
    let calls = world.cloud.calls.lock().unwrap();
    let last = calls.iter().rfind(|call| call.verb == verb && call.value.get("to").is_some())?;
    last.value.get("to").and_then(Value::as_str).map(str::to_owned)
}

#[tokio::test(start_paused = true)]
async fn what_was_moved_is_neither_a_change_nor_drift_and_the_plan_says_who_moves_it() {
    let world = World::default();
    world.apply(&moved("blue", "a")).await;
    move_to(&world, "green", "a");
    let plan = world.plan(&moved("blue", "a")).await.unwrap().plan;
    assert!(!plan.has_changes() && plan.drift.is_empty(), "{:?} {:?}", plan.changes, plan.drift);
    let note = "route.r: where it sends requests stays as it is: the mover for mover.m moves them";
    assert!(plan.warnings.iter().any(|warning| warning == note), "{:?}", plan.warnings);
}

#[tokio::test(start_paused = true)]
async fn another_change_of_it_leaves_requests_where_they_go() {
    let world = World::default();
    world.apply(&moved("blue", "a")).await;
    move_to(&world, "green", "a");
    world.apply(&moved("blue", "b")).await;
    assert_eq!(sent(&world, "update").as_deref(), Some("green"));
    // So does a replacement.
    world.apply(&moved("blue", "fixed")).await;
    world.run(&moved("blue", "c"), &Options::default()).await;
    assert_eq!(sent(&world, "create").as_deref(), Some("green"), "not to where nothing runs");
}

#[tokio::test(start_paused = true)]
async fn what_the_mover_does_not_choose_among_is_compared() {
    let world = World::default();
    world.apply(&moved("blue", "a")).await;
    move_to(&world, "green", "a");
    let action = |body: String| {
        let world = &world;
        async move { world.plan(&body).await.unwrap().plan.change(&Address::single("route", "r")).unwrap().action }
    };
    assert_eq!(action(moved("maintenance", "a")).await, Action::Update, "the stack file sends them elsewhere");
    let alone = "[resource.group.blue]\nname = \"blue\"\n[resource.route.r]\nname = \"r\"\nto = \"blue\"\nnote = \"a\"\n";
    assert_eq!(action(alone.to_owned()).await, Action::NoOp, "the mover is still there");
    world.run(alone, &Options::default()).await;
    assert_eq!(action(alone.to_owned()).await, Action::Update, "and now it is not");
    move_to(&world, "elsewhere", "a");
    assert_eq!(action(moved("blue", "a")).await, Action::Update, "somebody else has moved them");
}

#[tokio::test(start_paused = true)]
async fn some_changes_of_an_attribute_replace_and_others_do_not() {
    let world = World::default();
    world.apply(&moved("blue", "a")).await;
    let action = |note: &str| {
        let (world, body) = (&world, moved("blue", note));
        async move { world.plan(&body).await.unwrap().plan.change(&Address::single("route", "r")).unwrap().action }
    };
    assert_eq!(action("b").await, Action::Update);
    world.apply(&moved("blue", "fixed")).await;
    assert_eq!(action("b").await, Action::Replace);
}

#[tokio::test(start_paused = true)]
async fn what_a_mover_of_another_stack_chooses_is_asked_about_only_when_somebody_has_changed_it() {
    let alone = |to: &str| format!("[resource.route.r]\nname = \"r\"\nto = \"{to}\"\nnote = \"a\"\n");
    let world = World::default();
    world.apply(&alone("blue")).await;
    let governor = Governor { among: vec!["blue".to_owned(), "green".to_owned()], by: "the mover of another stack".to_owned() };
    world.cloud.governors.lock().unwrap().push(("r".to_owned(), governor));
    let action = |body: String| {
        let world = &world;
        async move { world.plan(&body).await.unwrap().plan.change(&Address::single("route", "r")).unwrap().action }
    };
    assert_eq!(action(alone("green")).await, Action::Update, "the stack file sends them elsewhere, and nobody else has");
    assert!(world.cloud.asked_for_governors.lock().unwrap().is_empty());
    move_to(&world, "green", "a");
    assert_eq!(action(alone("blue")).await, Action::NoOp);
    assert_eq!(*world.cloud.asked_for_governors.lock().unwrap(), ["r"], "once");
    assert_eq!(action(alone("maintenance")).await, Action::Update);
}
