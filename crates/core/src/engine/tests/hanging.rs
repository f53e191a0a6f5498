//! Whose something is that takes no tags, once the state is lost.

use serde_json::json;

use super::world::{Fault, HOME, World, place};
use crate::plan::select::Options;
use crate::plan::types::Action;

const GROUP: &str = "[resource.group.g]\nname = \"web\"\n";

fn record(note: &str) -> String {
    format!("[resource.record.r]\nname = \"www\"\nuses = \"${{group.g.arn}}\"\nnote = \"{note}\"\n")
}

/// What a record by hand says, on the group of the stack.
fn by_hand() -> serde_json::Value {
    json!({ "name": "www", "uses": "arn:web", "note": "a", "size": 1 })
}

#[tokio::test(start_paused = true)]
async fn what_hangs_on_what_is_ours_is_taken_over_with_it() {
    let body = format!("{GROUP}{}", record("a"));
    let world = World::default();
    world.apply(&body).await;
    world.shelf.lose();
    let plan = world.plan(&body).await.unwrap().plan;
    assert!(plan.changes.iter().all(|change| change.action == Action::Import), "{:?}", plan.changes);
    let reason = plan.changes.iter().find(|change| change.address.type_name() == "record").and_then(|change| change.reason.clone());
    assert_eq!(reason.as_deref(), Some("www hangs on group.g and is taken over with it"));
    world.apply(&body).await;
    // What was changed meanwhile is shown, and changed back.
    world.shelf.lose();
    let changed = format!("{GROUP}{}", record("b"));
    let plan = world.plan(&changed).await.unwrap().plan;
    let differs: Vec<_> =
        plan.changes.iter().filter(|change| !change.attributes.is_empty()).map(|change| change.address.to_string()).collect();
    assert_eq!(differs, ["record.r"]);
    world.apply(&changed).await;
    assert_eq!(world.cloud.world().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_apply_that_dies_as_it_takes_over_goes_on() {
    let body = |note: &str| format!("{GROUP}note = \"{note}\"\n{}", record(note));
    for (at, fault) in [(0, Fault::KilledBefore), (0, Fault::KilledAfter), (1, Fault::KilledBefore), (1, Fault::KilledAfter)] {
        let world = World::default();
        world.apply(&body("a")).await;
        world.shelf.lose();
        world.cloud.strike(at, fault);
        assert!(world.run(&body("b"), &Options::default()).await.is_none());
        world.apply(&body("b")).await;
        assert_eq!(world.cloud.world().len(), 2, "{at} {fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_be_somebody_elses_is_never_taken_over() {
    let body = format!("{GROUP}{}", record("a"));
    let refused = async |world: &World, body: &str| {
        let refused = world.plan(body).await.err().unwrap();
        assert!(refused.contains("record.r cannot be created: www exists already"), "{refused}");
    };
    // What it is to hang on is remembered: what is not remembered with it was made by somebody else.
    let world = World::default();
    world.apply(GROUP).await;
    world.cloud.make(place("record", "www", HOME), by_hand());
    refused(&world, &body).await;

    // What it is to hang on is only imported.
    let world = World::default();
    world.cloud.make(place("group", "web", HOME), json!({ "name": "web", "size": 1 }));
    world.cloud.make(place("record", "www", HOME), by_hand());
    refused(&world, &format!("{body}[[import]]\nto = \"group.g\"\nid = \"web\"\n")).await;

    // What it is to hang on is another stack's.
    let tags = json!({ "leoctl:stack": "other", "leoctl:address": "group.g" });
    world.cloud.make(place("group", "web", HOME), json!({ "name": "web", "size": 1, "tags": tags }));
    assert!(world.plan(&body).await.err().unwrap().contains("group.g cannot be created: web exists already"));

    // It hangs on something else than what is wanted.
    let world = World::default();
    world.apply(&body).await;
    world.shelf.lose();
    world.cloud.make(place("record", "www", HOME), json!({ "name": "www", "uses": "arn:other", "note": "a", "size": 1 }));
    refused(&world, &body).await;
}
