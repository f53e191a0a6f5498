//! What `--target` and `--exclude` leave out keeps all that is remembered of it.

use super::world::{HOME, World, place};
use crate::model::address::Address;
use crate::model::path::Path;
use crate::model::pin::Pin;
use crate::plan::select::Options;

const GUARDED: &str = "[resource.role.r]\nname = \"role\"\n[resource.group.web]\nname = \"web\"\nnote = \"n\"\nuses = \"${role.r.arn}\"\n\
    lifecycle = { prevent_destroy = true, deletion_policy = \"retain\" }\n[resource.group.other]\nname = \"other\"\n";
const PLAIN: &str =
    "[resource.role.r]\nname = \"role\"\n[resource.group.web]\nname = \"web\"\n[resource.group.other]\nname = \"other\"\nnote = \"new\"\n";

#[tokio::test(start_paused = true)]
async fn what_is_left_out_keeps_its_guards_and_its_order_though_it_has_drifted() {
    let (web, other) = (Address::single("group", "web"), Address::single("group", "other"));
    let choices = [
        Options { targets: vec![other.clone().into()], ..Options::default() },
        Options { excludes: vec![web.clone().into()], ..Options::default() },
    ];
    for options in choices {
        let world = World::default();
        world.apply(GUARDED).await;
        // The file then said something else of what is pinned.
        world.shelf.edit(|state| {
            let pin = Pin { value: "pinned".into(), instead_of: Some("then".into()) };
            state.pins.insert(web.clone(), [(Path::attribute("note"), pin)].into());
        });
        let before = world.shelf.state().unwrap();
        world.cloud.make(place("group", "web", HOME), serde_json::json!({ "name": "web", "note": "by hand", "uses": "arn:role" }));
        let plan = world.plan_with(PLAIN, &options).await.unwrap().plan;
        assert!(plan.drift.iter().any(|one| one.address == web), "it is told of");
        assert!(!plan.warnings.iter().any(|warning| warning.contains("group.web")), "{:?}", plan.warnings);
        world.run(PLAIN, &options).await.unwrap();

        let after = world.shelf.state().unwrap();
        assert_eq!(after.current(&web), before.current(&web));
        assert_eq!(after.pins, before.pins);
        assert_ne!(after.current(&other), before.current(&other), "the other is changed");
        assert!(world.plan_with(PLAIN, &options).await.unwrap().plan.drift.iter().any(|one| one.address == web), "it stays drift");
        // The next apply that it is part of takes all of the file.
        world.apply(PLAIN).await;
        assert!(!world.shelf.state().unwrap().current(&web).unwrap().guard.prevent_destroy);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_left_out_with_what_is_excluded_is_named() {
    let world = World::default();
    let without = |address: &str| Options { excludes: vec![address.parse().unwrap()], ..Options::default() };
    let notes = |options: Options| {
        let world = &world;
        async move { world.plan_with(GUARDED, &options).await.unwrap().plan.warnings }
    };
    assert_eq!(notes(without("role.r")).await, ["left out with it, as it depends on what is excluded: group.web"]);
    assert_eq!(notes(without("group.web")).await, [""; 0]);
    let both = Options { excludes: vec!["role.r".parse().unwrap(), "group.web".parse().unwrap()], ..Options::default() };
    assert_eq!(notes(both).await, [""; 0], "both are named");
    let other = Options { targets: vec!["group.other".parse().unwrap()], ..without("role.r") };
    assert_eq!(notes(other).await, [""; 0], "it is not asked for");

    let world = World::default();
    world.apply(PLAIN).await;
    world.apply(&GUARDED.replace("prevent_destroy = true, deletion_policy = \"retain\"", "")).await;
    let plan = world.plan_with(PLAIN, &Options { destroy: true, ..without("group.web") }).await.unwrap().plan;
    assert_eq!(plan.warnings, ["left out with it, as what is excluded was made from it: role.r"]);
}
