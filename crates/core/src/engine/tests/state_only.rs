//! What only the state says otherwise is as much of a plan as what changes in AWS: it is applied, once.

use super::world::{HOME, World, place};
use crate::model::journal::{Ledger, Record};
use crate::model::path::Path;
use crate::model::pin::Pin;
use crate::model::value::Value;
use crate::plan::state_change::{Aspect, StateChange};

const GROUP: &str = "[resource.role.r]\nname = \"r\"\n[resource.group.g]\nname = \"g\"\nnote = \"n\"\n";

/// Plans `after` over what `before` made; only the state is to change, and that once.
async fn changes_only_the_state(case: &str, world: &World, after: &str) -> Vec<StateChange> {
    let so_far = world.cloud.calls.lock().unwrap().len();
    let plan = world.plan(after).await.unwrap().plan;
    assert!(plan.has_changes() && !plan.changes_resources(), "{case}: {:?}", plan.state_changes);
    world.apply(after).await;
    assert_eq!(world.cloud.calls.lock().unwrap().len(), so_far, "{case}: nothing is asked of AWS");
    plan.state_changes
}

#[tokio::test(start_paused = true)]
async fn what_the_stack_file_says_is_remembered_though_nothing_changes_in_aws() {
    let with = |more: &str| format!("{GROUP}{more}\n");
    let cases = [
        ("deletion policy", GROUP, with("lifecycle = { deletion_policy = \"retain\" }"), Aspect::Guard),
        ("prevent_destroy", GROUP, with("lifecycle = { prevent_destroy = true }"), Aspect::Guard),
        ("a guard that goes", &with("lifecycle = { prevent_destroy = true }"), GROUP.to_owned(), Aspect::Guard),
        ("a dependency", GROUP, with("depends_on = [\"role.r\"]"), Aspect::Dependencies),
        ("a default that is written", GROUP, with("size = 1"), Aspect::Authored),
    ];
    for (case, before, after, aspect) in cases {
        let world = World::default();
        world.apply(before).await;
        let found = changes_only_the_state(case, &world, &after).await;
        let expected = StateChange::Remembered { address: "group.g".parse().unwrap(), aspects: vec![aspect] };
        assert_eq!(found, [expected], "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_move_is_applied_though_nothing_in_aws_has_its_address() {
    let record = |block: &str| format!("[resource.record.{block}]\nname = \"n\"\n");
    let world = World::default();
    world.apply(&record("old")).await;
    let moved = record("new") + "[[moved]]\nfrom = \"record.old\"\nto = \"record.new\"\n";
    let found = changes_only_the_state("moved", &world, &moved).await;
    assert_eq!(found, [StateChange::Moved { from: "record.old".parse().unwrap(), to: "record.new".parse().unwrap() }]);
    // The block has done its work.
    assert!(!world.plan(&record("new")).await.unwrap().plan.has_changes());
}

#[tokio::test(start_paused = true)]
async fn a_pin_that_is_over_and_drift_that_stays_are_applied() {
    let address = "group.g".parse().unwrap();
    let world = World::default();
    world.apply(GROUP).await;
    world.shelf.edit(|state| {
        let pin = Pin { value: "n".into(), instead_of: Some("before".into()) };
        state.pins.insert(address, [(Path::attribute("note"), pin)].into());
    });
    let found = changes_only_the_state("pin", &world, GROUP).await;
    assert_eq!(found, [StateChange::Pinned { address: "group.g".parse().unwrap() }]);
    assert!(world.shelf.state().unwrap().pins.is_empty());

    // What the stack file leaves to AWS is not changed back.
    let group = place("group", "g", HOME);
    if let Some(Value::Map(live)) = world.cloud.resources.lock().unwrap().get_mut(&group) {
        live.insert("zone".into(), Value::string("by hand"));
    }
    let found = changes_only_the_state("drift", &world, GROUP).await;
    let drifted = StateChange::Remembered { address: "group.g".parse().unwrap(), aspects: vec![Aspect::Drift] };
    assert_eq!(found, [drifted]);
    assert!(world.plan(GROUP).await.unwrap().plan.drift.is_empty(), "it is drift once");
}

#[tokio::test(start_paused = true)]
async fn a_stack_is_not_applied_for_what_every_plan_finds_out_again() {
    let world = World::default();
    world.apply(GROUP).await;
    // An earlier apply did not know which branch was taken.
    world.shelf.edit(|state| {
        let known = state.resources.get_mut(&"group.g".parse().unwrap()).unwrap().current.as_mut().unwrap();
        known.depends_on = vec!["role.r".parse().unwrap()];
    });
    let planned = world.plan(GROUP).await.unwrap();
    assert!(!planned.plan.has_changes() && planned.has_work(), "{:?}", planned.plan.state_changes);
    world.apply(GROUP).await;
    assert!(!world.plan(GROUP).await.unwrap().has_work(), "an apply has written it down");
    // Another tool's deployment, and a place in another form.
    let mut ledger = Ledger::new(world.shelf.state().unwrap());
    let (address, there) = ("group.g".parse::<crate::model::address::Address>().unwrap(), place("group", "g", HOME));
    ledger.record(Record::Succeeded { address: address.clone(), place: there.clone() });
    ledger.record(Record::Placed { address: address.clone(), from: there.clone(), to: there });
    assert_eq!(StateChange::recorded(&ledger), []);
    ledger.record(Record::Refused { address: address.clone(), token: "t".into() });
    assert_eq!(StateChange::recorded(&ledger), [StateChange::Closed { address }]);
}
