//! What `--target` and `--exclude` leave out keeps what it has: nothing is made, changed or imported in its place.

use super::world::{Fault, HOME, World, place};
use crate::model::address::Address;
use crate::plan::select::Options;

fn group(block: &str, name: &str) -> String {
    format!("[resource.group.{block}]\nname = \"{name}\"\n")
}

fn import(id: &str) -> String {
    format!("{}[[import]]\nto = \"group.b\"\nid = \"{id}\"\n", group("b", id))
}

fn only(address: &str) -> Options {
    Options { targets: vec![address.parse().unwrap()], ..Options::default() }
}

fn without(address: &str) -> Options {
    Options { excludes: vec![address.parse().unwrap()], ..Options::default() }
}

/// Refuses a plan that says of whom something would be taken, and changes nothing.
async fn refused(case: &str, world: &World, body: &str, options: &Options, says: &str) {
    let (state, calls) = (world.shelf.state(), world.cloud.calls.lock().unwrap().len());
    let why = world.plan_with(body, options).await.err().unwrap_or_else(|| panic!("{case}: it is not refused"));
    assert!(why.contains(says) && why.contains(".a"), "{case}: {why}");
    assert_eq!((world.shelf.state(), world.cloud.calls.lock().unwrap().len()), (state, calls), "{case}");
}

#[tokio::test(start_paused = true)]
async fn a_name_is_not_taken_from_what_is_left_out() {
    let (b_only, renamed) = (group("b", "x"), group("a", "y") + &group("b", "x"));
    let to_x = group("a", "y") + &group("b", "x");
    let cases = [
        ("its block is gone", group("a", "x"), &b_only, only("group.b"), "cannot be made"),
        ("its block says another name, and it is excluded", group("a", "x"), &renamed, without("group.a"), "cannot be made"),
        ("its block says another name, and it is no target", group("a", "x"), &renamed, only("group.b"), "cannot be made"),
        ("another one is to be replaced by it", group("a", "x") + &group("b", "z"), &to_x, without("group.a"), "cannot be replaced"),
    ];
    for (case, before, after, options, says) in cases {
        for by_hand in [false, true] {
            let world = World::default();
            world.apply(&before).await;
            if by_hand {
                world.cloud.delete(&place("group", "x", HOME));
            }
            refused(&format!("{case}, gone: {by_hand}"), &world, after, &options, says).await;
        }
    }
    // One that says it was renamed, and a plan about both, go through.
    let world = World::default();
    world.apply(&group("a", "x")).await;
    world.run(&format!("{b_only}[[moved]]\nfrom = \"group.a\"\nto = \"group.b\"\n"), &only("group.b")).await.unwrap();
    world.apply(&b_only).await;
    let world = World::default();
    world.apply(&group("a", "x")).await;
    world.cloud.delete(&place("group", "x", HOME));
    let both = Options { targets: vec![Address::single("group", "a").into(), Address::single("group", "b").into()], ..Options::default() };
    assert!(world.run(&b_only, &both).await.unwrap().failed.is_empty());
    world.apply(&b_only).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_left_out_is_not_imported_as_another() {
    let world = World::default();
    world.apply(&group("a", "x")).await;
    refused("its block is gone", &world, &import("x"), &only("group.b"), "group.b cannot be imported as x").await;
    let both = group("a", "x") + &import("x");
    refused("it is excluded", &world, &both, &without("group.a"), "group.b cannot be imported as x").await;
    // Nor is a predecessor of it.
    let world = World::default();
    world.apply(&group("a", "x")).await;
    world.cloud.strike(1, Fault::KilledBefore);
    assert!(world.run(&group("a", "y"), &Options::default()).await.is_none());
    let both = group("a", "y") + &import("x");
    refused("its predecessor", &world, &both, &only("group.b"), "group.b cannot be imported as x").await;
}

#[tokio::test(start_paused = true)]
async fn an_element_that_only_one_can_have_is_not_taken_from_what_is_left_out() {
    let member = |block: &str, users: &str| format!("[resource.member.{block}]\nof = \"n\"\nname = \"{block}\"\nusers = [{users}]\n");
    let world = World::default();
    world.apply(&(member("a", "\"u\"") + &member("b", ""))).await;
    let passed = member("a", "") + &member("b", "\"u\"");
    refused("an update", &world, &passed, &only("member.b"), "cannot be changed").await;
    world.apply(&passed).await;
}

/// Whatever stood, stands and is asked for of two groups and two names: what is carried out succeeds, leaves no resource
/// remembered twice, and none that nobody remembers.
#[tokio::test(start_paused = true)]
async fn no_choice_of_targets_makes_two_of_one_or_loses_one() {
    let names = [None, Some("x"), Some("y")];
    let body = |names: [Option<&str>; 2]| {
        let blocks = ["a", "b"].into_iter().zip(names).filter_map(|(block, name)| Some(group(block, name?)));
        blocks.collect::<String>()
    };
    let pairs = || names.into_iter().flat_map(|a| names.map(|b| [a, b])).filter(|[a, b]| a.is_none() || a != b);
    let choices = [only("group.a"), only("group.b"), without("group.a"), without("group.b")];
    let mut carried_out = 0;
    for (before, after) in pairs().flat_map(|before| pairs().map(move |after| (before, after))) {
        for (by_hand, options) in [None, Some("x"), Some("y")].into_iter().flat_map(|gone| choices.iter().map(move |choice| (gone, choice)))
        {
            if by_hand.is_some() && !before.contains(&by_hand) {
                continue;
            }
            let world = World::default();
            world.apply(&body(before)).await;
            if let Some(gone) = by_hand {
                world.cloud.delete(&place("group", gone, HOME));
            }
            let case = format!("{before:?} → {after:?}, {by_hand:?} gone, {options:?}");
            let Ok(planned) = world.plan_with(&body(after), options).await else { continue };
            let report = world.carry_out(planned).await.unwrap();
            assert!(report.failed.is_empty(), "{case}: {:?}", report.failed);
            let state = world.shelf.state().unwrap();
            assert_eq!(state.claimed_twice(), None, "{case}");
            let remembered = |id: &str| state.all().any(|(_, known)| known.place.id == id);
            let there = world.cloud.world();
            assert!(["x", "y"].iter().all(|id| !there.contains(&format!("group {id} {HOME}")) || remembered(id)), "{case}: {there:?}");
            carried_out += 1;
        }
    }
    assert!(carried_out > 100, "{carried_out}");
}
