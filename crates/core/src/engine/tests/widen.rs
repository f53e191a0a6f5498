//! What uses something goes from what is taken away to what is added: that is added first, and the other taken away last.

use super::world::{Fault, World};
use crate::plan::select::Options;

fn stack(providers: &str, provider: &str) -> String {
    format!(
        "[resource.cluster.c]\nname = \"c\"\nproviders = {providers}\n[resource.task.t]\nname = \"t\"\ncluster = \"${{cluster.c.arn}}\"\nprovider = \"{provider}\"\n"
    )
}

fn changed(world: &World, since: usize) -> Vec<String> {
    let calls = world.cloud.calls.lock().unwrap();
    calls[since..].iter().map(|call| format!("{} {}", call.verb, call.place.type_name)).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_exchanged_is_there_twice_while_its_users_change() {
    // Written out, and taken from the cluster itself.
    for provider in ["PROVIDER", "${cluster.c.providers[0]}"] {
        let of = |name: &str| stack(&format!("[\"{name}\"]"), &provider.replace("PROVIDER", name));
        let world = World::default();
        world.apply(&of("old")).await;
        let plan = world.plan(&of("new")).await.unwrap().plan;
        let steps: Vec<String> = plan.steps.iter().map(|step| format!("{} {} {:?}", step.kind.name(), step.address, step.after)).collect();
        assert_eq!(steps, ["update cluster.c []", "update cluster.c [0, 2]", "update task.t [0]"], "{provider}");
        let since = world.cloud.calls.lock().unwrap().len();
        world.apply(&of("new")).await;
        assert_eq!(changed(&world, since), ["update cluster", "update task", "update cluster"], "{provider}");
        // Where nothing is added that they use, one step is enough.
        let since = world.cloud.calls.lock().unwrap().len();
        world.apply(&stack("[\"new\", \"more\"]", "more")).await;
        world.apply(&stack("[\"new\"]", "new")).await;
        assert_eq!(changed(&world, since), ["update cluster", "update task", "update task", "update cluster"]);
    }
}

#[tokio::test(start_paused = true)]
async fn killed_at_any_moment_of_an_exchange_the_next_apply_finishes_it() {
    for at in 0..3 {
        for fault in [Fault::KilledBefore, Fault::KilledAfter] {
            let world = World::default();
            world.apply(&stack("[\"old\"]", "old")).await;
            world.cloud.strike(at, fault);
            assert!(world.run(&stack("[\"new\"]", "new"), &Options::default()).await.is_none());
            world.apply(&stack("[\"new\"]", "new")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_that_is_deleted_gives_up_what_it_used() {
    let world = World::default();
    world.apply(&stack("[\"old\"]", "old")).await;
    let since = world.cloud.calls.lock().unwrap().len();
    world.apply("[resource.cluster.c]\nname = \"c\"\nproviders = [\"new\"]\n").await;
    assert_eq!(changed(&world, since), ["delete task", "update cluster"]);
}
