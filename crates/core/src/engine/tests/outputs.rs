//! An apply that fails leaves the outputs of what it has not changed.

use serde_json::Value as Json;

use super::world::{Fault, World};
use crate::engine::ports::FailureKind;
use crate::plan::select::Options;

/// A group with a name and a size, and outputs of it.
fn stack(name: &str, size: u32, note: &str) -> String {
    format!(
        "[resource.group.g]\nname = \"{name}\"\nsize = {size}\nnote = \"{note}\"\n\
         [resource.group.user]\nname = \"user\"\nuses = \"${{group.g.arn}}\"\n\
         [outputs]\narn = \"${{group.g.arn}}\"\nnote = \"${{group.g.note}}\"\nuses = \"${{group.user.uses}}\"\n"
    )
}

fn output(world: &World, name: &str) -> Option<String> {
    let state = world.shelf.state().unwrap();
    state.outputs.get(name).and_then(Json::as_str).map(str::to_owned)
}

/// The stack of one group, then another with a failure at a call; the outputs `arn`, `note` and `uses` then.
async fn after_failure(to: &str, at: usize, fault: Fault) -> [Option<String>; 3] {
    let world = World::default();
    world.apply(&stack("x", 1, "a")).await;
    world.cloud.strike(at, fault);
    let report = world.run(to, &Options::default()).await.unwrap();
    assert!(!report.failed.is_empty() || report.interrupted, "{to}: it did not fail");
    let found = ["arn", "note", "uses"].map(|name| output(&world, name));
    // What is said then is what the next plan starts from, and the next apply goes on.
    world.apply(to).await;
    assert!(["arn", "note", "uses"].iter().all(|name| output(&world, name).is_some()), "{to}");
    found
}

fn are(values: [&str; 3]) -> [Option<String>; 3] {
    values.map(|value| Some(value.to_owned()).filter(|value| !value.is_empty()))
}

const REFUSED: Fault = Fault::Fails(FailureKind::Refused);

#[tokio::test(start_paused = true)]
async fn what_stands_keeps_its_outputs() {
    let before = are(["arn:x", "a", "arn:x"]);
    assert_eq!(after_failure(&stack("y", 1, "a"), 0, REFUSED).await, before, "its replacement is refused");
    assert_eq!(after_failure(&stack("x", 2, "a"), 0, REFUSED).await, before, "deleting it is refused");
    assert_eq!(after_failure(&stack("x", 1, "b"), 0, REFUSED).await, before, "changing it is refused");
    let interrupted = Fault::FailsInterrupted(FailureKind::Transient);
    assert_eq!(after_failure(&stack("y", 1, "a"), 0, interrupted).await, before, "the user stops it");
}

#[tokio::test(start_paused = true)]
async fn outputs_say_what_was_done_and_nothing_of_what_is_gone() {
    // The new one is there, and what uses it was not changed.
    assert_eq!(after_failure(&stack("y", 1, "a"), 1, REFUSED).await, are(["arn:y", "a", "arn:x"]));
    // It was deleted, and its replacement is refused.
    assert_eq!(after_failure(&stack("x", 2, "a"), 1, REFUSED).await, are(["", "", "arn:x"]));
}

#[tokio::test(start_paused = true)]
async fn an_output_of_what_is_not_made_yet_stays_what_it_was() {
    let to =
        stack("x", 1, "a").replace("arn = \"${group.g.arn}\"", "arn = \"${group.new.arn}\"") + "[resource.group.new]\nname = \"new\"\n";
    assert_eq!(after_failure(&to, 0, REFUSED).await, are(["arn:x", "a", "arn:x"]));
}

#[tokio::test(start_paused = true)]
async fn a_destroy_that_fails_leaves_the_outputs_of_what_is_left() {
    for (at, left) in [(0, are(["arn:x", "a", "arn:x"])), (1, are(["arn:x", "a", ""]))] {
        let world = World::default();
        world.apply(&stack("x", 1, "a")).await;
        world.cloud.strike(at, REFUSED);
        world.destroy(&stack("x", 1, "a")).await;
        assert_eq!(["arn", "note", "uses"].map(|name| output(&world, name)), left, "{at}");
    }
}
