//! What AWS allows once: who has it, who takes it over, and in which order.

use super::world::{HOME, World, place};
use crate::plan::select::Options;

fn group(block: &str, name: &str) -> String {
    format!("[resource.group.{block}]\nname = \"{name}\"\n")
}

/// The names that two groups have in turn, and that both are what they should be at the end, without a failure.
async fn arrives(before: &str, after: &str, there: &[&str]) {
    let world = World::default();
    world.apply(before).await;
    world.apply(after).await;
    assert_eq!(world.cloud.world(), there.iter().map(|name| format!("group {name} {HOME}")).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_name_arrives_wherever_it_comes_from() {
    let (a, b) = (|name: &str| group("a", name), |name: &str| group("b", name));
    let both = |one: &str, other: &str| format!("{}{}", a(one), b(other));
    // Shifted, in both directions of the alphabet, exchanged, taken over from what goes, and left to what comes.
    arrives(&both("x", "y"), &both("y", "z"), &["y", "z"]).await;
    arrives(&both("x", "y"), &both("z", "x"), &["x", "z"]).await;
    arrives(&both("x", "y"), &both("y", "x"), &["x", "y"]).await;
    arrives(&both("x", "y"), &a("y"), &["y"]).await;
    arrives(&a("x"), &both("y", "x"), &["x", "y"]).await;
    // Around three, and where one depends on the other.
    let three = |one: &str, other: &str, third: &str| format!("{}{}", both(one, other), group("c", third));
    arrives(&three("x", "y", "z"), &three("y", "z", "x"), &["x", "y", "z"]).await;
    let made_from = |one: &str, other: &str| format!("{}{}uses = \"${{group.a.arn}}\"\n", a(one), b(other));
    arrives(&made_from("x", "y"), &made_from("y", "x"), &["x", "y"]).await;
    arrives(&made_from("x", "y"), &made_from("y", "z"), &["y", "z"]).await;
}

#[tokio::test(start_paused = true)]
async fn an_exchange_goes_on_wherever_it_was_cut_short() {
    let body = |one: &str, other: &str| format!("{}{}", group("a", one), group("b", other));
    for at in 0..4 {
        for fault in [super::world::Fault::KilledBefore, super::world::Fault::KilledAfter] {
            let world = World::default();
            world.apply(&body("x", "y")).await;
            world.cloud.strike(at, fault);
            world.run(&body("y", "x"), &Options::default()).await;
            world.apply(&body("y", "x")).await;
            assert_eq!(world.cloud.world(), [format!("group x {HOME}"), format!("group y {HOME}")], "{at} {fault:?}");
            assert!(world.steps(&body("y", "x")).await.is_empty(), "{at} {fault:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_goes_first_says_so_and_is_refused_where_the_block_forbids_it() {
    let body = |one: &str, other: &str| format!("{}{}", group("a", one), group("b", other));
    let world = World::default();
    world.apply(&body("x", "y")).await;
    let plan = world.plan(&body("y", "x")).await.unwrap().plan;
    let said = plan.changes.iter().flat_map(|change| &change.risks).any(|risk| risk.contains("takes over its `name`"));
    assert!(said, "{:?}", plan.changes);
    let first = "[resource.group.KEY.lifecycle]\ncreate_before_destroy = true\n";
    let guarded = format!("{}{}{}", body("y", "x"), first.replace("KEY", "a"), first.replace("KEY", "b"));
    assert!(world.plan(&guarded).await.err().unwrap().contains("cannot be replaced before its predecessor is deleted"));
}

#[tokio::test(start_paused = true)]
async fn a_rename_without_saying_so_is_refused_and_another_resource_is_not() {
    let world = World::default();
    world.apply(&group("a", "x")).await;
    let refused = world.plan(&group("b", "x")).await.err().unwrap();
    assert!(refused.contains("group.b and group.a are the same in AWS"), "{refused}");
    // One that could not be moved is another one.
    arrives(&group("a", "x"), &format!("{}size = 2\n", group("b", "x")), &["x"]).await;
}

#[tokio::test(start_paused = true)]
async fn what_stays_in_aws_keeps_its_name() {
    let retained = format!("{}[resource.group.a.lifecycle]\ndeletion_policy = \"retain\"\n", group("a", "x"));
    let world = World::default();
    world.apply(&retained).await;
    let refused = world.plan(&group("b", "x")).await.err().unwrap();
    assert!(refused.contains("stays in AWS"), "{refused}");
    let world = World::default();
    world.apply(&group("a", "x")).await;
    let removed = format!("{}[[removed]]\nfrom = \"group.a\"\n", group("b", "x"));
    assert!(world.plan(&removed).await.err().unwrap().contains("stays in AWS"));
    // Unless it is taken over.
    world.apply(&format!("{removed}[[import]]\nto = \"group.b\"\nid = \"x\"\n")).await;
    assert!(world.steps(&group("b", "x")).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_was_deleted_by_hand_does_not_keep_its_name() {
    for parallelism in [1, 16] {
        let world = World::default();
        world.apply(&group("z", "x")).await;
        world.cloud.delete(&place("group", "x", HOME));
        world.run_with(&group("a", "x"), &Options::default(), parallelism).await.unwrap();
        assert_eq!(world.cloud.world(), [format!("group x {HOME}")]);
        assert!(world.steps(&group("a", "x")).await.is_empty());
        world.apply("").await;
        assert!(world.cloud.world().is_empty(), "no orphan");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_imported_is_not_deleted_under_its_old_address() {
    let world = World::default();
    world.apply(&group("a", "x")).await;
    let import = |more: &str| format!("{}[[import]]\nto = \"group.b\"\nid = \"x\"\n{more}", group("b", "x"));
    let refused = world.plan(&import("")).await.err().unwrap();
    assert!(refused.contains("group.b"), "{refused}");
    world.apply(&import("[[removed]]\nfrom = \"group.a\"\n")).await;
    assert_eq!(world.cloud.world(), [format!("group x {HOME}")]);
    assert!(world.steps(&group("b", "x")).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn two_that_would_be_one_are_told_apart_before_what_they_are_made_from_exists() {
    let body = "[resource.net.n]\ncidr = \"a\"\n[resource.member.a]\nof = \"${net.n.id}\"\nname = \"m\"\n";
    let twice = format!("{body}[resource.member.b]\nof = \"${{net.n.id}}\"\nname = \"m\"\n");
    let world = World::default();
    let refused = world.plan(&twice).await.err().unwrap();
    assert!(refused.contains("member.b and member.a have the same `of`, `name`"), "{refused}");
    world.plan(&twice.replace("name = \"m\"\n[resource.member.b]", "name = \"other\"\n[resource.member.b]")).await.unwrap();
    // Each instance has its own.
    let each = "[resource.net.n]\nfor_each = [\"a\", \"b\"]\ncidr = \"${each.key}\"\n\
                [resource.member.m]\nfor_each = [\"a\", \"b\"]\nof = \"${net.n[each.key].id}\"\nname = \"m\"\n";
    world.plan(each).await.unwrap();
    // Elements that are one resource's only.
    let list = |more: &str| format!("{body}users = [\"${{net.n.id}}\"]\n[resource.member.b]\nof = \"x\"\nname = \"n\"\nusers = [{more}]\n");
    let refused = world.plan(&list("\"${net.n.id}\"")).await.err().unwrap();
    assert!(refused.contains("the same element of `users`"), "{refused}");
    world.plan(&list("\"u\"")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn keys_that_differ_only_in_what_tags_cannot_hold_are_two_resources() {
    let world = World::default();
    let body = "[resource.net.n]\nfor_each = [\"a,b\", \"a;b\"]\ncidr = \"${each.key}\"\n";
    world.apply(body).await;
    assert_eq!(world.steps(body).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_may_not_stand_beside_a_predecessor_stands_beside_none() {
    let body = |names: [&str; 2]| {
        let member = |block: &str, name: &str| format!("[resource.member.{block}]\nof = \"one\"\nname = \"{name}\"\n");
        member("a", names[0]) + &member("b", names[1])
    };
    let world = World::default();
    world.apply(&body(["x", "y"])).await;
    let steps = world.plan(&body(["v", "w"])).await.unwrap().plan.steps;
    for create in steps.iter().filter(|step| step.kind.name() == "create") {
        let before: Vec<&str> = create.after.iter().map(|index| steps[*index].kind.name()).collect();
        assert_eq!(before, ["delete", "delete"], "all of the old ones go first");
    }
    world.apply(&body(["v", "w"])).await;
}
