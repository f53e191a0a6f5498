//! A signal is no failure: whatever an apply waited for, the next one goes on there.

use super::world::{Fault, HOME, World};
use crate::engine::ports::FailureKind;
use crate::plan::select::Options;

#[tokio::test(start_paused = true)]
async fn an_interrupted_wait_is_no_failure() {
    let world = World::default();
    world.cloud.strike(0, Fault::DoneAndFails(FailureKind::Interrupted));
    let report = world.run("[resource.net.n]\ncidr = \"a\"\n", &Options::default()).await.unwrap();
    assert!(report.interrupted && report.failed.is_empty(), "{report:?}");
    assert_eq!((report.waiting.len(), report.skipped.len()), (1, 0), "what was waited for is no failure");
    world.apply("[resource.net.n]\ncidr = \"a\"\n").await;
    assert_eq!(world.cloud.world(), [format!("net net-0 {HOME}")]);
}

#[tokio::test(start_paused = true)]
async fn no_interrupted_step_is_a_failure_and_the_next_apply_finishes_it() {
    let group = |name: &str, rest: &str| format!("[resource.group.{name}]\nname = \"{name}\"\n{rest}");
    let made_from = format!("{}{}", group("a", ""), group("b", "uses = \"${group.a.arn}\"\n"));
    let renamed = made_from.replace("name = \"a\"", "name = \"c\"");
    let more = format!("{made_from}{}", group("d", ""));
    let noted = made_from.replace("name = \"a\"", "name = \"a\"\nnote = \"n\"");
    // What changes, the call at which the signal comes, and what then has not been tried.
    let cases = [
        (more.as_str(), 0, "create", 0, &["a", "b", "d"][..]),
        (&noted, 0, "update", 0, &["a", "b"]),
        (&renamed, 1, "update", 1, &["b", "c"]),
        (&renamed, 2, "delete", 0, &["b", "c"]),
        ("", 0, "delete", 1, &[]),
        ("", 1, "delete", 0, &[]),
    ];
    for (body, at, verb, skipped, left) in cases {
        for fault in [
            // What was begun is waited for.
            Fault::DoneAndFails(FailureKind::Interrupted),
            Fault::Fails(FailureKind::Interrupted),
            // It would have been tried again.
            Fault::FailsInterrupted(FailureKind::Transient),
            Fault::FailsInterrupted(FailureKind::Ambiguous),
        ] {
            let world = World::default();
            world.apply(&made_from).await;
            world.cloud.strike(at, fault);
            let report = world.run(body, &Options::default()).await.unwrap();
            assert_eq!(world.cloud.calls.lock().unwrap().last().unwrap().verb, verb, "{body} {fault:?}");
            assert!(report.interrupted && report.failed.is_empty(), "{body} {fault:?}: {report:?}");
            assert_eq!((report.waiting.len(), report.skipped.len()), (1, skipped), "{body} {fault:?}: {report:?}");
            world.apply(body).await;
            assert_eq!(world.cloud.world(), left.iter().map(|name| format!("group {name} {HOME}")).collect::<Vec<_>>(), "{fault:?}");
        }
    }
}
