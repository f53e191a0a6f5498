//! What is one resource and what is another: ids with their places, and one address for each.

use serde_json::json;

use super::world::{HOME, World, place};
use crate::model::value::Value;
use crate::plan::select::Options;

const GROUP: &str = "[resource.group.g]\nname = \"web\"\n";

fn owned(address: &str) -> serde_json::Value {
    json!({ "leoctl:stack": "s", "leoctl:address": address })
}

#[tokio::test(start_paused = true)]
async fn what_was_made_again_by_hand_in_its_place_is_refused_and_the_plan_ends() {
    let world = World::default();
    let body = "[resource.net.n]\ncidr = \"a\"\n";
    world.apply(body).await;
    let made = world.cloud.resources.lock().unwrap().keys().next().unwrap().clone();
    world.cloud.delete(&made);
    world.cloud.make(place("net", "net-by-hand", HOME), json!({ "cidr": "a", "tags": owned("net.n") }));
    *world.cloud.finds.lock().unwrap() = 0;
    let steps = [format!("forget net.n {} {HOME}", made.id), format!("import net.n net-by-hand {HOME}")];
    assert_eq!(world.steps(body).await, steps);
    assert_eq!(*world.cloud.finds.lock().unwrap(), 1, "each address is searched once");
    world.apply(body).await;

    // A foreign one under the same name.
    let world = World::default();
    world.apply(GROUP).await;
    world.shelf.edit(|state| {
        let known = state.resources.values_mut().next().unwrap().current.as_mut().unwrap();
        known.place.id = "sg-gone".into();
    });
    world.cloud.make(place("group", "web", HOME), json!({ "name": "web" }));
    let refused = world.plan(GROUP).await.err().unwrap();
    assert!(refused.contains("web exists already"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn what_another_stack_has_made_in_its_place_is_left_alone_whatever_becomes_of_the_block() {
    let theirs = || json!({ "name": "web", "tags": { "leoctl:stack": "other", "leoctl:address": "group.theirs" } });
    let taken = async || {
        let world = World::default();
        world.apply(GROUP).await;
        world.cloud.delete(&place("group", "web", HOME));
        world.cloud.make(place("group", "web", HOME), theirs());
        world
    };
    let there = [format!("group web {HOME}")];

    // The block is removed, or the stack destroyed: it is forgotten.
    let world = taken().await;
    let plan = world.plan("").await.unwrap().plan;
    assert_eq!(plan.drift[0].loss.as_deref(), Some("belongs to group.theirs of stack other now"));
    world.apply("").await;
    assert_eq!(world.cloud.world(), there);
    let world = taken().await;
    world.destroy(GROUP).await;
    assert_eq!(world.cloud.world(), there);

    // The block stays: it is refused, whether or not it differs, and can be taken over.
    let world = taken().await;
    for body in [GROUP.to_owned(), format!("{GROUP}note = \"n\"\n")] {
        let refused = world.plan(&body).await.err().unwrap();
        assert!(refused.contains("web exists already"), "{refused}");
    }
    let imported = format!("{GROUP}[[import]]\nto = \"group.g\"\nid = \"web\"\n");
    world.apply(&imported).await;
    assert!(world.steps(GROUP).await.is_empty());

    // It gets another name or another region: theirs stays, ours is made beside it.
    let world = taken().await;
    world.apply(&GROUP.replace("web", "own")).await;
    assert_eq!(world.cloud.world(), [format!("group own {HOME}"), there[0].clone()]);
}

#[tokio::test(start_paused = true)]
async fn a_resource_without_a_name_whose_tags_say_another_stack_is_neither_changed_nor_made_again() {
    let body = "[resource.net.n]\ncidr = \"a\"\n";
    let world = World::default();
    world.apply(body).await;
    let made = world.cloud.resources.lock().unwrap().keys().next().unwrap().clone();
    let theirs = json!({ "cidr": "a", "tags": { "leoctl:stack": "other", "leoctl:address": "net.x" } });
    world.cloud.make(made.clone(), theirs);
    let refused = world.plan(body).await.err().unwrap();
    assert!(refused.contains("belongs to net.x of stack other now"), "{refused}");
    // An import takes it back.
    world.apply(&format!("{body}[[import]]\nto = \"net.n\"\nid = \"{}\"\n", made.id)).await;
    assert!(world.steps(body).await.is_empty());
    assert_eq!(world.cloud.world().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_role_does_not_hide_a_profile_of_its_name() {
    let body = "[resource.role.r]\nname = \"web\"\n[resource.profile.p]\nname = \"web\"\nuses = \"${role.r.arn}\"\n";
    let world = World::default();
    // A foreign profile is seen although a role of that name is ours.
    world.apply("[resource.role.r]\nname = \"web\"\n").await;
    world.cloud.make(place("profile", "web", "global"), json!({ "name": "web" }));
    assert!(world.plan(body).await.err().unwrap().contains("exists already"));
    world.cloud.delete(&place("profile", "web", "global"));
    // Killed after it was made, it is found again.
    world.cloud.strike(0, super::world::Fault::KilledAfter);
    assert!(world.run(body, &Options::default()).await.is_none());
    world.apply(body).await;
    assert_eq!(world.cloud.world(), ["profile web global", "role web global"]);
}

#[tokio::test(start_paused = true)]
async fn another_region_is_another_resource_and_the_old_one_is_deleted_where_it_is() {
    let body = |region: &str, note: &str| format!("{GROUP}region = \"{region}\"\n{note}");
    let world = World::default();
    world.apply(&body(HOME, "")).await;
    // With a change beside it that is only remembered.
    let moved = body("us-east-1", "[resource.group.g.lifecycle]\nprevent_destroy = false\n");
    assert_eq!(world.steps(&moved).await, ["create group.g".to_owned(), format!("delete group.g web {HOME}")]);
    world.apply(&moved).await;
    assert_eq!(world.cloud.world(), ["group web us-east-1"]);
    // The region means nothing to a global service, and a bucket's name is taken everywhere.
    let role = |region: &str| format!("[resource.role.r]\nname = \"x\"\nregion = \"{region}\"\n");
    let world = World::default();
    world.apply(&role(HOME)).await;
    assert!(world.steps(&role("us-east-1")).await.is_empty());
    let bucket = |region: &str| format!("[resource.bucket.b]\nname = \"x\"\nregion = \"{region}\"\n");
    let world = World::default();
    world.apply(&bucket(HOME)).await;
    assert_eq!(world.steps(&bucket("us-east-1")).await, ["create bucket.b".to_owned(), format!("delete bucket.b x {HOME}")]);
    world.apply(&bucket("us-east-1")).await;
    assert_eq!(world.cloud.world(), ["bucket x us-east-1"]);
}

#[tokio::test(start_paused = true)]
async fn a_predecessor_is_deleted_with_its_own_attributes_and_its_loss_is_said() {
    let body = |name: &str, empty: bool| format!("[resource.bucket.b]\nname = \"{name}\"\nempty_on_delete = {empty}\n");
    let world = World::default();
    world.apply(&body("old", false)).await;
    // The new one is there, the old one is still to go when leoctl dies.
    world.cloud.strike(1, super::world::Fault::KilledBefore);
    assert!(world.run(&body("new", true), &Options::default()).await.is_none());
    let planned = world.plan(&body("new", true)).await.unwrap();
    assert_eq!(planned.plan.changes[0].risks, ["deletes what is in it of its predecessor old"]);
    let left = (world.cloud.resources.lock().unwrap().clone(), world.shelf.state().unwrap());
    // Whatever is wanted of the address by now.
    let destroy = Options { destroy: true, ..Options::default() };
    for (wanted, options) in [(body("new", true), &Options::default()), (body("new", true), &destroy), (String::new(), &Options::default())]
    {
        *world.cloud.resources.lock().unwrap() = left.0.clone();
        world.shelf.edit(|state| *state = left.1.clone());
        assert!(world.run(&wanted, options).await.unwrap().failed.is_empty());
        let calls = world.cloud.calls.lock().unwrap();
        let deleted = calls.iter().rfind(|call| call.verb == "delete" && call.place.id == "old").unwrap();
        assert_eq!(deleted.value.get("empty_on_delete"), Some(&Value::Bool(false)));
        drop(calls);
        world.cloud.calls.lock().unwrap().clear();
    }
}

#[tokio::test(start_paused = true)]
async fn a_predecessor_goes_though_what_replaced_it_was_deleted_by_hand() {
    let body = |name: &str| format!("[resource.group.g]\nname = \"{name}\"\n");
    let destroy = Options { destroy: true, ..Options::default() };
    let again = [format!("group new {HOME}")];
    for (wanted, options, left) in
        [(body("new"), &destroy, &[][..]), (String::new(), &Options::default(), &[]), (body("new"), &Options::default(), &again)]
    {
        let world = World::default();
        world.apply(&body("old")).await;
        world.cloud.strike(1, super::world::Fault::KilledBefore);
        assert!(world.run(&body("new"), &Options::default()).await.is_none());
        world.cloud.delete(&place("group", "new", HOME));
        let report = world.run(&wanted, options).await.unwrap();
        assert!(report.failed.is_empty());
        assert_eq!(world.cloud.world(), left);
        assert_eq!(world.shelf.state().unwrap().resources.len(), left.len());
    }
}

#[tokio::test(start_paused = true)]
async fn one_name_in_two_regions_is_two_resources() {
    let other = "[resource.group.other]\nname = \"web\"\nregion = \"us-east-1\"\n";
    let both = format!("{GROUP}{other}");
    let world = World::default();
    world.apply(GROUP).await;
    // A foreign one is seen although ours has its name, and one that was made as leoctl died is found.
    world.cloud.make(place("group", "web", "us-east-1"), json!({ "name": "web" }));
    assert!(world.plan(&both).await.err().unwrap().contains("exists already"));
    world.cloud.delete(&place("group", "web", "us-east-1"));
    world.cloud.strike(0, super::world::Fault::KilledAfter);
    assert!(world.run(&both, &Options::default()).await.is_none());
    world.apply(&both).await;
    // Each goes by itself.
    world.apply(other).await;
    assert_eq!(world.cloud.world(), ["group web us-east-1"]);
}

#[tokio::test(start_paused = true)]
async fn two_addresses_that_would_be_one_resource_are_an_error_that_names_both() {
    let world = World::default();
    world.cloud.make(place("net", "net-1", HOME), json!({ "cidr": "a" }));
    let body = "[resource.net.a]\ncidr = \"a\"\n[resource.net.b]\ncidr = \"a\"\n[[import]]\nto = \"net.a\"\nid = \"net-1\"\n[[import]]\nto = \"net.b\"\nid = \"net-1\"\n";
    let refused = world.plan(body).await.err().unwrap();
    assert!(refused.contains("net.a") && refused.contains("net.b") && refused.contains("net-1"), "{refused}");
    for body in [
        "[resource.group.a]\nname = \"x\"\n[resource.group.b]\nname = \"x\"\n",
        "[resource.bucket.a]\nname = \"x\"\n[resource.bucket.b]\nname = \"x\"\nregion = \"us-east-1\"\n",
        "[resource.role.a]\nname = \"x\"\n[resource.role.b]\nname = \"x\"\nregion = \"us-east-1\"\n",
        "[resource.group.a]\nfor_each = [\"1\", \"2\"]\nname = \"x\"\n",
    ] {
        let refused = world.plan(body).await.err().unwrap();
        assert!(refused.contains("have the same `name`"), "{body}: {refused}");
    }
    let apart =
        "[resource.group.a]\nname = \"x\"\n[resource.group.b]\nname = \"x\"\nregion = \"us-east-1\"\n[resource.role.c]\nname = \"x\"\n";
    world.apply(apart).await;
}

#[tokio::test(start_paused = true)]
async fn a_state_that_has_one_resource_twice_can_be_read_mended_and_destroyed() {
    let world = World::default();
    world.apply("[resource.net.a]\ncidr = \"a\"\n").await;
    world.shelf.edit(|state| {
        let known = state.resources.values().next().unwrap().clone();
        state.resources.insert("net.b".parse().unwrap(), known);
    });
    let refused = world.plan("[resource.net.a]\ncidr = \"a\"\n").await.err().unwrap();
    assert!(refused.contains("twice, as net.a and as net.b"), "{refused}");
    let report = world.destroy("[resource.net.a]\ncidr = \"a\"\n").await;
    assert!(report.failed.is_empty() && world.cloud.world().is_empty());
}

#[tokio::test(start_paused = true)]
async fn moved_blocks_stay_and_chain_and_two_to_one_address_lose_nothing() {
    let moved = |name: &str, pairs: &[(&str, &str)]| {
        let blocks = pairs.iter().map(|(from, to)| format!("[[moved]]\nfrom = \"net.{from}\"\nto = \"net.{to}\"\n"));
        format!("[resource.net.{name}]\ncidr = \"a\"\n{}", blocks.collect::<String>())
    };
    let world = World::default();
    world.apply(&moved("a", &[])).await;
    world.apply(&moved("b", &[("a", "b")])).await;
    world.apply(&moved("c", &[("a", "b"), ("b", "c")])).await;
    assert_eq!(world.cloud.calls.lock().unwrap().iter().filter(|call| call.verb != "update").count(), 1, "made once, never deleted");

    let world = World::default();
    world.apply("[resource.net.a]\ncidr = \"a\"\n[resource.net.b]\ncidr = \"b\"\n").await;
    let refused = world.plan(&moved("c", &[("a", "c"), ("b", "c")])).await.err().unwrap();
    assert!(refused.contains("net.a and net.b would both become net.c"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_move_that_would_lose_something_or_do_nothing_is_refused() {
    let net = |name: &str| format!("[resource.net.{name}]\ncidr = \"{name}\"\n");
    let moved = |from: &str, to: &str| format!("[[moved]]\nfrom = '{from}'\nto = '{to}'\n");
    let world = World::default();
    world.apply(&format!("{}{}", net("a"), net("b"))).await;
    let (a, b) = {
        let state = world.shelf.state().unwrap();
        let id = |address: &str| state.current(&address.parse().unwrap()).unwrap().place.id.clone();
        (id("net.a"), id("net.b"))
    };
    let both = format!("{}{}", net("b"), moved("net.a", "net.b"));
    let refused = world.plan(&both).await.err().unwrap();
    assert_eq!(refused, format!("net.a ({a}) cannot become net.b, which is remembered already ({b})"));
    // Nothing of it is wanted: that both go is what was asked for.
    assert!(world.destroy(&both).await.failed.is_empty() && world.cloud.world().is_empty());

    let world = World::default();
    world.apply(&net("a")).await;
    let two = format!("{}{}{}{}", net("b"), net("c"), moved("net.a", "net.c"), moved("net.a", "net.b"));
    let refused = world.plan(&two).await.err().unwrap();
    assert_eq!(refused, "[[moved]] says that net.a becomes net.c, and that it becomes net.b");
    let twice = format!("{}{}{}", net("c"), moved("net.a", "net.c"), moved("net.a", "net.c"));
    assert_eq!(world.plan(&twice).await.err().unwrap(), "[[moved]] says twice that net.a becomes net.c");

    let world = World::default();
    world.apply("[resource.net.old]\nfor_each = [\"k\"]\ncidr = \"a\"\n").await;
    let one = format!("[resource.net.new]\nfor_each = [\"k\"]\ncidr = \"a\"\n{}", moved("net.old", "net.new[\"k\"]"));
    let refused = world.plan(&one).await.err().unwrap();
    assert_eq!(refused, "net.old cannot become net.new[\"k\"]: net.old[\"k\"] is an instance of it");
}

#[tokio::test(start_paused = true)]
async fn what_is_told_by_something_that_is_found_is_looked_for_then() {
    let body = "[resource.net.n]\ncidr = \"a\"\n[resource.group.g]\nname = \"${net.n.id}\"\n";
    let world = World::default();
    world.cloud.make(place("net", "net-by-hand", HOME), json!({ "cidr": "a", "id": "arn:net-by-hand", "tags": owned("net.n") }));
    // Its name is known once the network is found.
    world.cloud.make(place("group", "arn:net-by-hand", HOME), json!({ "name": "arn:net-by-hand", "tags": { "leoctl:stack": "s" } }));
    let refused = world.plan(body).await.err().unwrap();
    assert!(refused.contains("arn:net-by-hand exists already"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn what_is_remembered_in_another_account_is_never_taken_for_what_has_its_name_in_ours() {
    let world = World::default();
    world.apply(GROUP).await;
    let mut state = world.shelf.state().unwrap();
    state.resources.values_mut().next().unwrap().current.as_mut().unwrap().place.account = "222222222222".into();
    for options in [Options::default(), Options { destroy: true, ..Options::default() }] {
        let refused = world.plan_over(GROUP, &options, Some(state.clone())).await.err().unwrap();
        assert_eq!(refused, "group.g is in account 222222222222, and no account of the stack file is that one");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_refused_for_what_is_found_a_moment_later() {
    let guarded = "[resource.net.n]\ncidr = \"a\"\n[resource.group.g]\nname = \"${net.n.id}\"\n[resource.group.g.lifecycle]\nprevent_destroy = true\n";
    let twice = "[resource.net.n]\ncidr = \"a\"\n[resource.net.m]\ncidr = \"${net.n.id}\"\n[resource.group.g]\nname = \"${net.m.id}\"\n[resource.group.g.lifecycle]\nprevent_destroy = true\n";
    let net = "net.n".parse().unwrap();
    for body in [guarded, twice] {
        let world = World::default();
        world.apply(body).await;
        let id = world.shelf.state().unwrap().current(&net).unwrap().place.id.clone();
        let forget = || world.shelf.edit(|state| drop(state.resources.remove(&net)));
        // What was forgotten is found by its tags, and nothing of what stands on it changes.
        forget();
        assert_eq!(world.steps(body).await, [format!("import net.n {id} {HOME}")]);
        forget();
        world.apply(&format!("{body}[[import]]\nto = \"net.n\"\nid = \"{id}\"\n")).await;
        // Where nothing is found, the refusal stands.
        forget();
        world.cloud.resources.lock().unwrap().retain(|place, _| place.id != id);
        let refused = world.plan(body).await.err().unwrap();
        assert!(refused.contains("prevent_destroy"), "{refused}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_region_that_means_nothing_makes_no_resource_its_own_predecessor() {
    let role = |name: &str, region: &str| format!("[resource.role.r]\nname = \"{name}\"\n{region}");
    let elsewhere = "region = \"us-east-1\"\n";
    let world = World::default();
    world.apply(&role("n1", elsewhere)).await;
    world.cloud.strike(1, super::world::Fault::KilledBefore);
    assert!(world.run(&role("n2", elsewhere), &Options::default()).await.is_none());
    world.apply(&role("n1", "")).await;
    assert_eq!(world.cloud.world(), ["role n1 global"]);
}

#[tokio::test(start_paused = true)]
async fn places_of_an_older_leoctl_are_read_in_normal_form() {
    let body = "[resource.role.r]\nname = \"n1\"\n";
    let world = World::default();
    world.apply(body).await;
    // The region of its block, and what was written under the region of the stack since then.
    world.shelf.edit(|state| {
        let known = state.resources.values_mut().next().unwrap();
        let mut older = known.current.clone().unwrap();
        older.place.region = "us-east-1".into();
        known.deposed.push(older);
    });
    let planned = world.plan(body).await.unwrap();
    assert!(!planned.plan.has_changes() && planned.plan.steps.is_empty(), "{:?}", planned.plan.steps);
    world.apply(body).await;
    assert_eq!(world.cloud.world(), ["role n1 global"]);
    // One resource that is remembered in two regions is remembered twice.
    world.shelf.edit(|state| {
        let mut known = state.resources.values().next().unwrap().clone();
        known.current.as_mut().unwrap().place.region = "us-east-1".into();
        state.resources.insert("role.other".parse().unwrap(), known);
    });
    assert!(world.plan(body).await.err().unwrap().contains("twice"));
}

#[tokio::test(start_paused = true)]
async fn what_has_our_tags_and_has_to_be_made_anew_is_replaced_like_anything_else() {
    let body = |name: &str, size: u32, guard: &str| format!("[resource.group.g]\nname = \"{name}\"\nsize = {size}\n{guard}");
    let lost = async || {
        let world = World::default();
        world.apply(&body("web", 1, "")).await;
        world.shelf.edit(|state| state.resources.clear());
        world
    };
    let world = lost().await;
    let planned = world.plan(&body("web", 2, "")).await.unwrap();
    let change = &planned.plan.changes[0];
    assert_eq!(change.action, crate::plan::types::Action::Replace);
    assert!(change.risks.iter().any(|risk| risk == "deletes what is in it"), "{:?}", change.risks);
    world.apply(&body("web", 2, "")).await;
    assert_eq!(world.cloud.world().len(), 1);
    // Its guard holds, and an import that would replace what somebody named is refused.
    let world = lost().await;
    let refused = world.plan(&body("web", 2, "[resource.group.g.lifecycle]\nprevent_destroy = true\n")).await.err().unwrap();
    assert!(refused.contains("would be replaced, but `prevent_destroy` protects it"), "{refused}");
    let refused = world.plan(&body("web", 2, "[[import]]\nto = \"group.g\"\nid = \"web\"\n")).await.err().unwrap();
    assert!(refused.contains("cannot be imported"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_global_resource_that_the_state_does_not_know_may_be_a_namesakes() {
    let body = |type_name: &str, size: u32| format!("[resource.{type_name}.x]\nname = \"web\"\nsize = {size}\n");
    let risks = async |world: &World, body: &str| world.plan(body).await.unwrap().plan.changes[0].risks.join("; ");
    let lost = async |type_name: &str| {
        let world = World::default();
        world.apply(&body(type_name, 1)).await;
        world.shelf.edit(|state| state.resources.clear());
        world
    };
    let world = lost("role").await;
    for size in [1, 2] {
        let risks = risks(&world, &body("role", size)).await;
        assert!(risks.contains("may belong to another region's stack s"), "{size}: {risks}");
    }
    // In a region, a stack's name is its own; and what somebody has named, what is remembered, and what a crash left is known.
    assert_eq!(risks(&lost("group").await, &body("group", 1)).await, "");
    let imported = format!("{}[[import]]\nto = \"role.x\"\nid = \"web\"\n", body("role", 1));
    assert_eq!(risks(&world, &imported).await, "");
    world.apply(&body("role", 1)).await;
    assert_eq!(risks(&world, &format!("{}note = \"n\"\n", body("role", 1))).await, "");
    let world = World::default();
    world.cloud.strike(0, super::world::Fault::KilledAfter);
    assert!(world.run(&body("role", 1), &Options::default()).await.is_none());
    assert_eq!(risks(&world, &body("role", 1)).await, "");
}

#[tokio::test(start_paused = true)]
async fn what_is_imported_under_another_form_of_its_id_is_the_one_resource_it_is() {
    let import = |to: &str, id: &str| format!("[resource.net.{to}]\ncidr = \"a\"\n[[import]]\nto = \"net.{to}\"\nid = \"{id}\"\n");
    let world = World::default();
    world.cloud.make(place("net", "net-1", HOME), json!({ "cidr": "a" }));
    let refused = world.plan(&format!("{}{}", import("a", "net-1"), import("b", "arn:net-1"))).await.err().unwrap();
    assert!(refused.contains("net.a") && refused.contains("net.b") && refused.contains("net-1"), "{refused}");
    world.apply(&import("b", "arn:net-1")).await;
    let id = || world.shelf.state().unwrap().current(&"net.b".parse().unwrap()).unwrap().place.id.clone();
    assert_eq!(id(), "net-1");
    // What an older leoctl remembered as it was written becomes what it is, and stays as it is.
    world.shelf.edit(|state| state.resources.values_mut().next().unwrap().current.as_mut().unwrap().place.id = "arn:net-1".into());
    assert!(!world.plan(&import("b", "arn:net-1")).await.unwrap().plan.has_changes());
    world.apply(&import("b", "arn:net-1")).await;
    assert_eq!((id().as_str(), world.cloud.world().len()), ("net-1", 1));
}

#[tokio::test(start_paused = true)]
async fn a_mistake_in_the_stack_file_is_said_before_anything_is_looked_for() {
    let world = World::default();
    let net = "[resource.net.n]\ncidr = \"a\"\n";
    world.apply(net).await;
    *world.cloud.finds.lock().unwrap() = 0;
    let body = format!("{net}[resource.net.m]\ncidr = \"${{net.n.tags.missing}}\"\n[resource.net.new]\ncidr = \"b\"\n");
    let refused = world.plan(&body).await.err().unwrap();
    assert!(refused.contains("missing"), "{refused}");
    assert_eq!(*world.cloud.finds.lock().unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_is_answered_with_what_another_address_has_makes_nothing_new() {
    let world = World::default();
    world.apply(GROUP).await;
    let both = format!("{GROUP}[resource.group.h]\nname = \"other\"\n");
    *world.cloud.answers_with.lock().unwrap() = Some("web".to_owned());
    let report = world.run(&both, &Options::default()).await.unwrap();
    let [(address, _, failure)] = report.failed.as_slice() else { panic!("{report:?}") };
    assert_eq!(address.to_string(), "group.h");
    assert!(failure.message.contains("which is group.g in the state"), "{}", failure.message);
    assert_eq!(world.cloud.world(), [format!("group web {HOME}")]);
    *world.cloud.answers_with.lock().unwrap() = None;
    world.apply(&both).await;
    assert_eq!(world.cloud.world(), [format!("group other {HOME}"), format!("group web {HOME}")]);
}

#[tokio::test(start_paused = true)]
async fn what_a_replacement_turns_out_to_be_is_not_deleted_as_its_predecessor() {
    let world = World::default();
    let body = |cidr: &str| {
        format!(
            "[resource.net.n]\ncidr = \"{cidr}\"\nlifecycle = {{ create_before_destroy = true }}\n\
             [resource.group.g]\nname = \"${{net.n.id == '' ? 'other' : 'web'}}\"\n"
        )
    };
    world.apply(&body("a")).await;
    // Its name is known only once the new net is there, and is the one it has: AWS answers with what exists.
    *world.cloud.answers_with.lock().unwrap() = Some("web".to_owned());
    world.apply(&body("b")).await;
    let there = world.cloud.world();
    assert!(there.contains(&format!("group web {HOME}")) && there.len() == 2, "{there:?}");
    assert_eq!(world.steps(&body("b")).await, Vec::<String>::new());
}
