//! What may exist is never forgotten, and an apply that cannot go on says so.

use super::world::{Fault, HOME, World};
use crate::engine::ports::FailureKind;
use crate::plan::select::Options;

const NET: &str = "[resource.net.n]\ncidr = \"a\"\n";

#[tokio::test(start_paused = true)]
async fn only_a_definite_refusal_closes_an_intent() {
    let kinds = [
        (FailureKind::Lost, true),
        (FailureKind::Other, true),
        (FailureKind::Interrupted, true),
        (FailureKind::Unrecorded, true),
        (FailureKind::Refused, false),
        (FailureKind::Denied, false),
        (FailureKind::Invalid, false),
    ];
    for (kind, stays) in kinds {
        let world = World::default();
        // Whatever the failure says, something was made.
        world.cloud.strike(0, if stays { Fault::DoneAndFails(kind) } else { Fault::Fails(kind) });
        world.run(NET, &Options::default()).await.unwrap();
        assert_eq!(!world.shelf.state().unwrap().open.is_empty(), stays, "{kind:?}");
        world.apply(NET).await;
        assert_eq!(world.cloud.world().len(), 1, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_intent_that_nobody_wants_is_looked_for_once_and_closed() {
    let two = format!("{NET}[resource.net.m]\ncidr = \"b\"\nregion = \"us-east-1\"\n");
    for body in [NET, &two] {
        for destroy in [false, true] {
            let world = World::default();
            for at in 0..body.matches("[resource").count() {
                world.cloud.strike(0, Fault::KilledBefore);
                let targets = vec![["net.n", "net.m"][at].parse().unwrap()];
                assert!(world.run(body, &Options { targets, ..Options::default() }).await.is_none());
                assert_eq!(world.shelf.state().unwrap().open.len(), at + 1);
            }
            let planned = world.plan("").await.unwrap();
            assert!(planned.ledger.state().open.is_empty());
            let wanted = if destroy { body } else { "" };
            world.run(wanted, &Options { destroy, ..Options::default() }).await.unwrap();
            assert!(world.shelf.state().unwrap().open.is_empty());
            *world.cloud.finds.lock().unwrap() = 0;
            assert!(world.steps("").await.is_empty());
            assert_eq!(*world.cloud.finds.lock().unwrap(), 0, "it is not looked for again");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_crashed_creation_made_is_renamed_like_anything_else() {
    let moved =
        |cidr: &str, rest: &str| format!("[resource.net.m]\n{rest}cidr = \"{cidr}\"\n[[moved]]\nfrom = \"net.n\"\nto = \"net.m\"\n");
    let each = "for_each = [\"k\"]\n";
    let bodies = [
        (NET.to_owned(), moved("a", "")),
        (format!("{NET}{each}"), moved("a", each)),
        (NET.to_owned(), moved("a", "tags = { a = \"b\" }\n")),
    ];
    for (before, after) in bodies {
        for fault in [Fault::KilledAfter, Fault::KilledBefore] {
            let world = World::default();
            world.cloud.strike(0, fault);
            assert!(world.run(&before, &Options::default()).await.is_none());
            world.apply(&after).await;
            assert_eq!(world.cloud.world().len(), 1, "{fault:?} {after}");
            assert!(world.cloud.calls.lock().unwrap().iter().all(|call| call.verb != "delete"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_and_then_another_region_leaves_nothing_behind() {
    for fault in [Fault::KilledBefore, Fault::KilledAfter, Fault::DoneAndFails(FailureKind::Ambiguous)] {
        let world = World::default();
        world.cloud.strike(0, fault);
        world.run(NET, &Options::default()).await;
        let body = format!("{NET}region = \"us-east-1\"\n");
        world.apply(&body).await;
        assert!(world.shelf.state().unwrap().open.is_empty(), "{fault:?}");
        let left = world.cloud.world();
        assert!(left.len() == 1 && left[0].ends_with("us-east-1"), "{fault:?}: {left:?}");
        world.destroy(&body).await;
        assert!(world.cloud.world().is_empty(), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cycle_in_the_state_is_said_and_everything_is_deleted_all_the_same() {
    let body = "[resource.group.a]\nname = \"a\"\n[resource.group.b]\nname = \"b\"\nuses = \"${group.a.arn}\"\n";
    let world = World::default();
    world.apply(body).await;
    world.shelf.edit(|state| {
        let a = state.resources.get_mut(&"group.a".parse().unwrap()).unwrap().current.as_mut().unwrap();
        a.depends_on.push("group.b".parse().unwrap());
    });
    let planned = world.plan_with(body, &Options { destroy: true, ..Options::default() }).await.unwrap();
    assert!(planned.plan.warnings.iter().any(|warning| warning.contains("dependency cycle")), "{:?}", planned.plan.warnings);
    let report = world.destroy(body).await;
    assert!(report.failed.is_empty() && report.skipped.is_empty());
    assert!(world.cloud.world().is_empty());
}

#[tokio::test(start_paused = true)]
async fn no_dependencies_in_the_state_keep_a_destroy_from_ending() {
    let body = "[resource.group.a]\nname = \"a\"\n[resource.group.b]\nname = \"b\"\n[resource.group.c]\nname = \"c\"\n";
    // Around three, around two with another on it, and on what nobody knows.
    for edges in [[("a", "b"), ("b", "c"), ("c", "a")], [("a", "b"), ("b", "a"), ("c", "a")], [("a", "x"), ("b", "x"), ("c", "b")]] {
        let world = World::default();
        world.apply(body).await;
        world.shelf.edit(|state| {
            for (from, to) in edges {
                let from = state.resources.get_mut(&format!("group.{from}").parse().unwrap()).unwrap();
                from.current.as_mut().unwrap().depends_on.push(format!("group.{to}").parse().unwrap());
            }
        });
        let report = world.destroy(body).await;
        assert!(report.failed.is_empty() && report.skipped.is_empty(), "{edges:?}: {report:?}");
        assert!(world.cloud.world().is_empty(), "{edges:?}");
        assert!(world.shelf.state().is_none_or(|state| state.resources.is_empty()), "{edges:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_done_is_never_said_to_be_done() {
    let body = "[resource.group.a]\nname = \"a\"\n[resource.group.b]\nname = \"b\"\nuses = \"${group.a.arn}\"\n";
    let world = World::default();
    world.cloud.strike(0, Fault::Fails(FailureKind::Refused));
    let report = world.run(body, &Options::default()).await.unwrap();
    assert_eq!((report.failed.len(), report.skipped.len()), (1, 1), "{report:?}");
    world.apply(body).await;
    // The other way round.
    world.cloud.strike(0, Fault::Fails(FailureKind::Refused));
    let report = world.destroy(body).await;
    assert_eq!((report.failed.len(), report.skipped.len()), (1, 1), "{report:?}");
    assert_eq!(world.cloud.world().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn no_timeout_is_too_long_to_be_an_instant() {
    let world = World::default();
    let body = format!("{NET}timeouts = {{ create = 604800, delete = 604800 }}\n");
    world.apply(&body).await;
    for timeout in ["create = 9223372036854775807", "delete = -1", "update = \"99999999999999h\"", "create = 604801", "create = \"soon\""] {
        let refused = world.plan(&format!("{NET}timeouts = {{ {timeout} }}\n")).await.err().unwrap();
        assert!(refused.contains("duration"), "{timeout}: {refused}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_apply_that_died_has_changed_is_drift_once_only() {
    let body = |note: &str| format!("[resource.group.g]\nname = \"web\"\nnote = \"{note}\"\n");
    let world = World::default();
    world.apply(&body("a")).await;
    world.cloud.strike(0, Fault::KilledAfter);
    assert!(world.run(&body("b"), &Options::default()).await.is_none());
    let report = world.run(&body("b"), &Options::default()).await.unwrap();
    assert!(report.failed.is_empty());
    let plan = world.plan(&body("b")).await.unwrap().plan;
    assert!(plan.drift.is_empty() && plan.steps.is_empty(), "{:?} {:?}", plan.drift, plan.steps);
}

#[tokio::test(start_paused = true)]
async fn back_to_the_old_name_after_a_crash_the_predecessor_stands_for_the_address_again() {
    for type_name in ["group", "role"] {
        let body = |name: &str| format!("[resource.{type_name}.g]\nname = \"{name}\"\n");
        let world = World::default();
        world.apply(&body("old")).await;
        // The new one is there, the old one is still to go.
        world.cloud.strike(1, Fault::KilledBefore);
        assert!(world.run(&body("new"), &Options::default()).await.is_none());
        let before = world.cloud.calls.lock().unwrap().len();
        world.apply(&body("old")).await;
        assert_eq!(world.cloud.world().len(), 1);
        let calls = world.cloud.calls.lock().unwrap();
        let created: Vec<_> = calls[before..].iter().filter(|call| call.verb == "create").collect();
        assert!(created.is_empty(), "{created:?}");
    }
    // To a third name, both go.
    let body = |name: &str| format!("[resource.group.g]\nname = \"{name}\"\n");
    let world = World::default();
    world.apply(&body("old")).await;
    world.cloud.strike(1, Fault::KilledBefore);
    assert!(world.run(&body("new"), &Options::default()).await.is_none());
    world.apply(&body("third")).await;
    assert_eq!(world.cloud.world(), [format!("group third {HOME}")]);
}

#[tokio::test(start_paused = true)]
async fn a_successor_that_an_older_state_does_not_know_stands_for_its_address() {
    let net = |cidr: &str| format!("[resource.net.n]\ncidr = \"{cidr}\"\n");
    let group = |name: &str| format!("[resource.group.n]\nname = \"{name}\"\n");
    for body in [&net as &dyn Fn(&str) -> String, &group] {
        for fault in [Fault::KilledBefore, Fault::KilledAfter] {
            let world = World::default();
            world.apply(&body("a")).await;
            let older = world.shelf.state().unwrap();
            world.cloud.strike(1, fault);
            assert!(world.run(&body("b"), &Options::default()).await.is_none());
            world.shelf.edit(|state| *state = older);
            world.apply(&body("b")).await;
            assert_eq!(world.cloud.world().len(), 1, "{:?}", world.cloud.world());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_variable_that_was_given_and_is_forgotten_is_said() {
    let body = "[vars.note]\ndefault = \"a\"\n[vars.token]\ndefault = \"t\"\nsensitive = true\n[resource.group.g]\nname = \"g\"\nnote = \"${vars.note}\"\nuses = \"${vars.token}\"\n";
    let mut world = World::default();
    world.given.arguments = vec![("note".into(), "b".into()), ("token".into(), "s3cr3t".into())];
    world.apply(body).await;
    let remembered = world.shelf.state().unwrap().variables;
    assert_eq!(remembered, [("note".to_owned(), "b".into())].into(), "a sensitive one is not kept");
    world.given.arguments.clear();
    let warnings = world.plan(body).await.unwrap().plan.warnings;
    assert!(warnings.iter().any(|warning| warning.contains("`note` was given as \"b\"")), "{warnings:?}");
    // For what was made with it, it is what it was.
    world.given.remembered = remembered;
    world.given.arguments = vec![("token".into(), "s3cr3t".into())];
    assert!(!world.plan(body).await.unwrap().plan.has_changes());
}

#[tokio::test(start_paused = true)]
async fn a_variable_that_has_become_sensitive_leaves_the_state_with_the_next_apply_though_nothing_changes() {
    let body = |sensitive: bool, rest: &str| {
        format!("[vars.note]\nsensitive = {sensitive}\n[vars.other]\ndefault = \"pl41nDefault\"\nsensitive = {sensitive}\n{rest}")
    };
    let group = |name: &str, note: &str| format!("[resource.group.{name}]\nname = \"{name}\"\nnote = \"{note}\"\n");
    let both = group("a", "x-${vars.note}") + &group("b", "${vars.other}");
    let mut world = World::default();
    world.given.arguments = vec![("note".into(), "pl41n".into())];
    world.apply(&body(false, &both)).await;
    let kept = |world: &World| serde_json::to_string(&world.shelf.state().unwrap()).unwrap();
    assert!(kept(&world).contains("pl41nDefault") && kept(&world).contains("x-pl41n"));
    let before = world.shelf.state().unwrap();
    let planned = world.plan(&body(true, &both)).await.unwrap();
    assert!(!planned.plan.changes_resources() && planned.plan.has_changes(), "it is for an apply to take it out");
    world.apply(&body(true, &both)).await;
    assert!(!kept(&world).contains("pl41n"), "{}", kept(&world));

    // One goes in the same change, and the apply dies: the next one takes it out all the same.
    world.shelf.edit(|state| *state = before);
    world.cloud.strike(1, Fault::KilledBefore);
    let one = body(true, &(group("b", "shown") + &group("c", "new")));
    assert!(world.run(&one, &Options::default()).await.is_none());
    let plan = world.plan(&one).await.unwrap().plan;
    assert!(
        !format!("{:?}", plan.changes.iter().map(|change| change.before.to_public_json(&|_| "".into())).collect::<Vec<_>>())
            .contains("pl41n")
    );
    world.apply(&one).await;
    assert!(!kept(&world).contains("pl41n"), "{}", kept(&world));
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_made_nothing_is_not_in_the_way_of_a_move() {
    let net = |name: &str| format!("[resource.net.{name}]\ncidr = \"a\"\n");
    let moved = |from: &str| format!("[[moved]]\nfrom = \"net.{from}\"\nto = \"net.b\"\n");
    let world = World::default();
    world.apply(&net("a")).await;
    // Renamed without a word, and killed before the new one was asked for.
    world.cloud.strike(0, Fault::KilledBefore);
    let targets = vec!["net.b".parse().unwrap()];
    assert!(world.run(&net("b"), &Options { targets, ..Options::default() }).await.is_none());
    world.apply(&format!("{}{}", net("b"), moved("a"))).await;
    let verbs = || world.cloud.calls.lock().unwrap().iter().map(|call| call.verb).collect::<Vec<_>>();
    assert!(!verbs().contains(&"delete"), "{:?}", verbs());
    assert_eq!(world.cloud.world().len(), 1);
    assert!(world.shelf.state().unwrap().open.is_empty());
    // Nor is it a second one of two that become one.
    let world = World::default();
    world.apply(&net("a")).await;
    world.cloud.strike(0, Fault::KilledBefore);
    assert!(world.run(&format!("{}{}", net("a"), net("c")), &Options::default()).await.is_none());
    world.apply(&format!("{}{}{}", net("b"), moved("a"), moved("c"))).await;
    assert_eq!(world.cloud.world().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_others_made_where_a_creation_was_interrupted_is_theirs() {
    let record = |note: &str| format!("[resource.record.r]\nname = \"www\"\nnote = \"{note}\"\n");
    let there = || super::world::place("record", "www", HOME);
    let by_hand = async |note: &str| {
        let world = World::default();
        world.cloud.strike(0, Fault::KilledBefore);
        assert!(world.run(&record("ours"), &Options::default()).await.is_none());
        world.cloud.make(there(), serde_json::json!({ "name": "www", "note": note, "size": 1 }));
        world
    };
    let world = by_hand("theirs").await;
    let refused = world.plan(&record("ours")).await.err().unwrap();
    assert!(refused.contains("www exists already"), "{refused}");
    assert!(world.steps("").await.is_empty());
    world.apply("").await;
    assert_eq!(world.cloud.world(), [format!("record www {HOME}")], "it is left alone when the block goes");

    // What is as it was asked for is taken for what was made; it cannot be told from it, and nothing of it changes.
    let world = by_hand("ours").await;
    world.apply(&record("ours")).await;
    assert_eq!(world.cloud.calls.lock().unwrap().len(), 1);

    // What was made is found, whatever the block says by now, and so it is when the answer is lost while leoctl lives.
    let world = World::default();
    world.cloud.strike(0, Fault::KilledAfter);
    assert!(world.run(&record("a"), &Options::default()).await.is_none());
    world.apply(&record("b")).await;
    world.destroy("").await;
    assert!(world.cloud.world().is_empty());
    world.cloud.strike(0, Fault::DoneAndFails(FailureKind::Ambiguous));
    world.apply(&record("a")).await;

    // Somebody else's that comes in the way of a creation whose answer is lost stays theirs.
    let world = World::default();
    let planned = world.plan(&record("ours")).await.unwrap();
    world.cloud.make(there(), serde_json::json!({ "name": "www", "note": "theirs", "size": 1 }));
    world.cloud.strike(0, Fault::Fails(FailureKind::Ambiguous));
    let report = world.carry_out(planned).await.unwrap();
    assert_eq!(report.failed.len(), 1);
    assert!(world.shelf.state().unwrap().all().next().is_none(), "it is not remembered");
}

#[tokio::test(start_paused = true)]
async fn what_is_taken_back_keeps_its_guard_and_what_it_was_made_from_whenever_leoctl_dies() {
    let body = |name: &str| {
        format!(
            "[resource.group.on]\nname = \"on\"\n[resource.group.g]\nname = \"{name}\"\nuses = \"${{group.on.arn}}\"\n[resource.group.g.lifecycle]\ndeletion_policy = \"retain\"\n"
        )
    };
    // A successor that an older state does not know.
    let world = World::default();
    world.apply(&body("a")).await;
    let older = world.shelf.state().unwrap();
    world.apply(&body("b")).await;
    world.shelf.edit(|state| *state = older);
    let planned = world.plan(&body("b")).await.unwrap();
    let known = planned.ledger.state().current(&"group.g".parse().unwrap()).unwrap();
    assert_eq!(known.place.id, "b");
    assert!(known.guard.retain && known.depends_on == ["group.on".parse().unwrap()], "{known:?}");
    assert_eq!(known.attributes.get("name"), Some(&"b".into()));
}

#[tokio::test(start_paused = true)]
async fn a_predecessor_that_is_wanted_again_stands_for_its_address_and_nothing_is_made() {
    let net = |cidr: &str, rest: &str| format!("[resource.net.n]\ncidr = \"{cidr}\"\n{rest}");
    let first = "create_before_destroy = true\n";
    let lifecycle = |more: &str| format!("[resource.net.n.lifecycle]\n{first}{more}");
    let world = World::default();
    world.apply(&net("a", &lifecycle(""))).await;
    let original = world.cloud.world();
    let edited = async || {
        // The new one is there, the old one is still to go.
        world.cloud.strike(1, Fault::KilledBefore);
        assert!(world.run(&net("b", &lifecycle("")), &Options::default()).await.is_none());
        assert_eq!(world.cloud.world().len(), 2);
    };
    edited().await;
    world.apply(&net("a", &lifecycle(""))).await;
    assert_eq!(world.cloud.world(), original);
    // A guard of the one that is wanted again is no obstacle: it is the other one that goes.
    edited().await;
    world.apply(&net("a", &lifecycle("prevent_destroy = true\n"))).await;
    assert_eq!(world.cloud.world(), original);
    world.apply(&net("a", &lifecycle(""))).await;
    // So it is when what replaced it was deleted by hand, or is to have another tag at once.
    edited().await;
    let newer = world.cloud.resources.lock().unwrap().keys().find(|place| !original[0].contains(&place.id)).unwrap().clone();
    world.cloud.delete(&newer);
    world.apply(&net("a", &format!("tags = {{ a = \"b\" }}\n{}", lifecycle("")))).await;
    assert_eq!(world.cloud.world(), original);
    let created = world.cloud.calls.lock().unwrap().iter().filter(|call| call.verb == "create").count();
    assert_eq!(created, 4, "the first one, and one for each edit");
}

#[tokio::test(start_paused = true)]
async fn a_predecessor_is_replaced_under_its_name_when_only_that_is_wanted_again() {
    let body = |name: &str, size: u32| format!("[resource.group.g]\nname = \"{name}\"\nsize = {size}\n");
    for by_hand in [false, true] {
        let world = World::default();
        world.apply(&body("old", 1)).await;
        world.cloud.strike(1, Fault::KilledBefore);
        assert!(world.run(&body("new", 1), &Options::default()).await.is_none());
        if by_hand {
            world.cloud.delete(&super::world::place("group", "new", HOME));
        }
        world.apply(&body("old", 2)).await;
        assert_eq!(world.cloud.world(), [format!("group old {HOME}")]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_predecessor_whose_deletion_was_not_heard_of_is_made_anew_under_its_name_and_remembered() {
    let user = "[resource.net.n]\ncidr = \"${group.g.arn}\"\n";
    let body = |name: &str, size: u32| format!("[resource.group.g]\nname = \"{name}\"\nsize = {size}\n");
    for with in ["", user] {
        for size in [1, 2] {
            let world = World::default();
            world.apply(&format!("{}{with}", body("old", 1))).await;
            let calls = world.cloud.calls.lock().unwrap().len();
            world.apply(&format!("{}{with}", body("new", 1))).await;
            let deleted = world.cloud.calls.lock().unwrap().iter().skip(calls).filter(|call| call.verb != "read").count();
            world.apply(&format!("{}{with}", body("old", 1))).await;
            // The last call of the same again deletes the predecessor, and its answer never comes.
            world.cloud.strike(deleted - 1, Fault::KilledAfter);
            assert!(world.run(&format!("{}{with}", body("new", 1)), &Options::default()).await.is_none());
            world.apply(&format!("{}{with}", body("old", size))).await;
            let there = world.cloud.world();
            assert!(there.contains(&format!("group old {HOME}")) && !there.iter().any(|one| one.contains("group new")), "{there:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_aws_will_not_look_for_is_named_in_full_with_what_to_do() {
    let net = |name: &str| format!("[resource.net.{name}]\ncidr = \"a\"\nregion = \"me-south-1\"\n");
    let both = format!("{}{}", net("a"), net("b"));
    let group = "[resource.group.g]\nname = \"g\"\n";
    let world = World::default();
    world.apply(group).await;
    for body in [net("a"), both.clone()] {
        let targets = vec![body.rsplit_once("[resource.").unwrap().1.split_once(']').unwrap().0.parse().unwrap()];
        world.cloud.strike(0, Fault::KilledBefore);
        assert!(world.run(&format!("{group}{body}"), &Options { targets, ..Options::default() }).await.is_none());
    }
    *world.cloud.closed.lock().unwrap() = Some("me-south-1".into());
    for destroy in [false, true] {
        let refused = world.plan_with(&format!("{group}{both}"), &Options { destroy, ..Options::default() }).await.err().unwrap();
        assert!(refused.contains("net.a may exist in me-south-1") && refused.contains("net.b may exist in me-south-1"), "{refused}");
    }
    // A command about something else goes on.
    let only = crate::plan::select::Only {
        attributes: [("group.g".parse().unwrap(), vec![crate::model::path::Path::attribute("note")])].into(),
        ..Default::default()
    };
    world.plan_with(&format!("{group}{both}"), &Options { only: Some(only), ..Options::default() }).await.unwrap();
    // So does everything, once the two are forgotten.
    let addresses: Vec<String> = world.shelf.state().unwrap().addresses().into_iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["group.g", "net.a", "net.b"]);
    world.shelf.edit(|state| {
        let records: Vec<_> = state.open.iter().map(|open| (open.address.clone(), open.token.clone())).collect();
        records.into_iter().for_each(|(address, token)| state.fold(&crate::model::journal::Record::Refused { address, token }));
    });
    world.apply(group).await;
}
