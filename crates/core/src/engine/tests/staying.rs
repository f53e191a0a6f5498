//! What is in AWS before leoctl is, and stays there when it is let go.

use serde_json::json;

use super::world::{HOME, World, place};
use crate::model::value::Value;
use crate::plan::select::Options;
use crate::plan::types::Action;

#[tokio::test(start_paused = true)]
async fn what_the_cloud_makes_by_itself_is_taken_over_and_forgotten() {
    let body = "[resource.given.g]\nname = \"default\"\nnote = \"closed\"\n";
    let world = World::default();
    let there = place("given", "default", HOME);
    world.cloud.make(there.clone(), json!({ "name": "default", "note": "open" }));
    // What it has is shown before it is taken.
    let plan = world.plan(body).await.unwrap().plan;
    let change = &plan.changes[0];
    assert_eq!((change.action, change.before.get("note").and_then(Value::as_str)), (Action::Import, Some("open")));
    world.apply(body).await;
    assert!(world.steps(body).await.is_empty());
    // Another stack's is not taken.
    let theirs = json!({ "name": "other", "tags": { "leoctl:stack": "other", "leoctl:address": "given.x" } });
    world.cloud.make(place("given", "other", HOME), theirs);
    let refused = world.plan(&format!("{body}[resource.given.o]\nname = \"other\"\n")).await.err().unwrap();
    assert!(refused.contains("other exists already"), "{refused}");
    // Removed, it stays as it is, and the plan says why.
    let plan = world.plan("").await.unwrap().plan;
    let reason = plan.changes[0].reason.as_deref();
    assert_eq!((plan.changes[0].action, reason), (Action::Forget, Some("the cloud makes it by itself; it stays in AWS")));
    world.destroy(body).await;
    assert!(world.cloud.world().contains(&format!("given default {HOME}")));
    assert_eq!(world.cloud.resources.lock().unwrap()[&there].get("note").and_then(Value::as_str), Some("closed"));
}

#[tokio::test(start_paused = true)]
async fn what_is_used_by_something_that_stays_is_not_deleted_before_it_is_let_go() {
    let body = |uses: &str| format!("[resource.role.r]\nname = \"web\"\n[resource.given.g]\nname = \"default\"\n{uses}");
    let using = body("uses = \"${role.r.arn}\"\n");
    let world = World::default();
    world.apply(&using).await;
    let destroy = Options { destroy: true, ..Options::default() };
    let refused = world.plan_with(&using, &destroy).await.err().unwrap();
    assert!(refused.contains("role.r cannot be deleted: given.g (default) stays in AWS and uses it"), "{refused}");
    // So does the one in whose place another one is taken, whether that is there already or is to be made.
    let elsewhere = using.replace("\"web\"", "\"site\"").replace("\"default\"", "\"other\"");
    for other_is_there in [false, true] {
        if other_is_there {
            world.cloud.make(place("given", "other", HOME), json!({ "name": "other" }));
        }
        let refused = world.plan(&elsewhere).await.err().unwrap();
        assert!(refused.contains("role.r cannot be deleted: given.g (default) stays in AWS and uses it"), "{refused}");
    }
    // What is kept as well is not deleted.
    let kept = elsewhere.replace("name = \"site\"", "name = \"site\"\nlifecycle = { deletion_policy = \"retain\" }");
    assert!(world.plan(&kept).await.is_ok());
    world.cloud.delete(&place("given", "other", HOME));
    world.apply(&body("")).await;
    world.destroy(&body("")).await;
    assert_eq!(world.cloud.world(), [format!("given default {HOME}")]);
}

#[tokio::test(start_paused = true)]
async fn what_stays_and_has_the_name_of_what_is_deleted_does_not_use_it_by_that() {
    let body = "[resource.role.r]\nname = \"default\"\n[resource.given.g]\nname = \"default\"\n";
    let world = World::default();
    world.apply(body).await;
    world.destroy(body).await;
    assert_eq!(world.cloud.world(), [format!("given default {HOME}")]);
}
