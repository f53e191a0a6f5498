//! Secrets under keys of every kind, in a state that is written and read again between commands.

use super::world::{HOME, World, place};
use crate::model::value::Value;
use crate::plan::select::Options;
use crate::plan::types::Plan;

const SECRET: &str = "m4rk3r";
const KEPT: &str = "[vars.token]\nsensitive = true\n[resource.group.g]\nname = \"web\"\n\
    tags = { \"my/key\" = \"${vars.token}\", \"A.B\" = \"${vars.token}\", plain = \"${vars.token}\" }\n";
const REMOVED: &str = "[vars.token]\nsensitive = true\n";

/// What is shown of a plan's values.
fn shown(plan: &Plan) -> String {
    let public = |value: &Value| value.to_public_json(&|_| "(sensitive)".into()).to_string();
    let changes = plan.changes.iter().flat_map(|change| [&change.before, &change.after]).map(public);
    let attributes = plan.changes.iter().flat_map(|change| &change.attributes).chain(plan.drift.iter().flat_map(|one| &one.attributes));
    let attributes = attributes.filter(|one| !one.sensitive).flat_map(|one| [&one.before, &one.after]).flatten().map(public);
    changes.chain(attributes).collect::<Vec<_>>().join("\n")
}

#[tokio::test(start_paused = true)]
async fn a_secret_under_any_key_is_hidden_whatever_becomes_of_its_resource() {
    let mut world = World::default();
    world.given.arguments.push(("token".to_owned(), SECRET.to_owned()));
    // Nothing is left to be remembered, and nothing has drifted.
    world.apply(KEPT).await;
    assert!(world.plan(KEPT).await.unwrap().plan.drift.is_empty());

    let destroy = Options { destroy: true, ..Options::default() };
    for (body, options) in [(REMOVED, &Options::default()), (KEPT, &destroy)] {
        let plan = world.plan_with(body, options).await.unwrap().plan;
        assert!(!shown(&plan).contains(SECRET), "{}", shown(&plan));
    }
    let tags = serde_json::json!({ "leoctl:stack": "s", "leoctl:address": "group.g", "my/key": "another", "A.B": SECRET, "plain": SECRET });
    world.cloud.make(place("group", "web", HOME), serde_json::json!({ "name": "web", "tags": tags }));
    let plan = world.plan(KEPT).await.unwrap().plan;
    let drifted: Vec<String> = plan.drift.iter().flat_map(|one| &one.attributes).map(|one| one.path.to_string()).collect();
    assert_eq!(drifted, [r#"tags["my/key"]"#]);
    assert!(!shown(&plan).contains(SECRET) && !shown(&plan).contains("another"), "{}", shown(&plan));
}

#[tokio::test(start_paused = true)]
async fn what_is_written_in_clear_again_leaves_no_hash_behind() {
    let mut world = World::default();
    world.given.arguments.push(("token".to_owned(), SECRET.to_owned()));
    world.apply(KEPT).await;
    // AWS knows no secrets: all of it comes back in clear.
    let tags = serde_json::json!({ "leoctl:stack": "s", "leoctl:address": "group.g", "my/key": SECRET, "A.B": SECRET, "plain": SECRET });
    world.cloud.make(place("group", "web", HOME), serde_json::json!({ "name": "web", "arn": "arn:web", "tags": tags }));
    let clear = KEPT.replace("sensitive = true", "sensitive = false");
    world.apply(&clear).await;
    let state = world.shelf.state().unwrap();
    let (_, known) = state.currents().next().unwrap();
    assert_eq!(known.attributes["tags"]["plain"], SECRET);
    assert!(known.sensitive.is_empty() && world.plan(&clear).await.unwrap().plan.drift.is_empty());
}

/// As it was left by versions that forgot where a hash stands.
#[tokio::test(start_paused = true)]
async fn a_hash_that_stands_where_no_secret_does_is_no_drift() {
    let world = World::default();
    let body = "[resource.group.g]\nname = \"web\"\nnote = \"a\"\n";
    world.apply(body).await;
    let mut state = world.shelf.state().unwrap();
    let hash = state.digest(&Value::string("a"));
    let (_, known) = state.resources.iter_mut().next().unwrap();
    known.current.as_mut().unwrap().attributes["note"] = hash;
    let drift = async |state| world.plan_over(body, &Options::default(), Some(state)).await.unwrap().plan.drift;
    assert!(drift(state.clone()).await.is_empty());

    let attributes = &mut state.resources.values_mut().next().unwrap().current.as_mut().unwrap().attributes;
    attributes["note"] = crate::model::state::digest("salt", &Value::string("b"));
    assert_eq!(drift(state).await.len(), 1, "another value is one");
}
