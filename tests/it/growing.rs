//! What others change by right: the number of tasks that follows the load, a secret that is rotated.

use leoctl_core::plan::types::Action;

use crate::cases::scaffold;
use crate::support::emulator::Emulator;
use crate::support::sdk;
use crate::support::world::{World, shown};

const SERVICE: &str = r#"
[resource.ecs_service.web]
name = "web"
cluster = "${ecs_cluster.n.arn}"
task_definition = "${ecs_task_definition.n.arn}"
launch_type = "FARGATE"
rollout = "none"
desired_count = 2
network_configuration = { subnets = ["${subnet.a.id}"], security_groups = ["${security_group.n.id}"] }
"#;

const TARGET: &str = r#"
[resource.appautoscaling_target.web]
service_namespace = "ecs"
resource_id = "service/${ecs_cluster.n.name}/${ecs_service.web.name}"
scalable_dimension = "ecs:service:DesiredCount"
min_capacity = 1
max_capacity = 8
"#;

async fn count(ecs: &aws_sdk_ecs::Client, cluster: &str) -> i32 {
    let found = ecs.describe_services().cluster(cluster).services("web").send().await.unwrap();
    found.services().first().unwrap().desired_count()
}

async fn scale(ecs: &aws_sdk_ecs::Client, cluster: &str, to: i32) {
    ecs.update_service().cluster(cluster).service("web").desired_count(to).send().await.unwrap();
}

async fn unchanged(world: &World, body: &str) {
    let plan = world.plan(body).await.unwrap();
    assert!(!plan.has_changes() && plan.drift.is_empty(), "{}", shown(&plan));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_autoscaling_sets_is_not_set_back() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let name = "follows-the-load";
    let world = World::new(endpoint, name).await;
    let (ecs, cluster) = (aws_sdk_ecs::Client::new(&sdk::config(endpoint, "test").await), format!("{name}-n"));
    let needs = scaffold("network+tasks").replace("NAME", name);
    let alone = format!("{needs}{SERVICE}");
    let stack = format!("{alone}{TARGET}");

    world.apply(&stack).await.unwrap();
    assert_eq!(count(&ecs, &cluster).await, 2);
    unchanged(&world, &stack).await;

    scale(&ecs, &cluster, 5).await;
    unchanged(&world, &stack).await;
    // What is written is how many it begins with.
    unchanged(&world, &stack.replace("desired_count = 2", "desired_count = 3")).await;
    let another = stack.replace("rollout = \"none\"", "rollout = \"none\"\nenable_execute_command = true");
    let plan = world.plan(&another).await.unwrap();
    let change = plan.changes.iter().find(|change| change.address.to_string() == "ecs_service.web").unwrap();
    assert_eq!(change.action, Action::Update);
    assert!(change.attributes.iter().all(|attribute| attribute.path.to_string() == "enable_execute_command"), "{}", shown(&plan));
    world.apply(&another).await.unwrap();
    assert_eq!(count(&ecs, &cluster).await, 5);
    unchanged(&world, &another).await;

    // Between the plan and the call, too.
    let planned = world.planned(&stack, &Default::default()).await.unwrap();
    scale(&ecs, &cluster, 7).await;
    world.carry_out(planned).await.unwrap();
    assert_eq!(count(&ecs, &cluster).await, 7);
    unchanged(&world, &stack).await;

    // Without its target the service is the stack's again.
    world.apply(&alone).await.unwrap();
    assert_eq!(count(&ecs, &cluster).await, 7);
    let plan = world.plan(&alone).await.unwrap();
    assert!(plan.has_changes(), "{}", shown(&plan));
    world.apply(&alone).await.unwrap();
    assert_eq!(count(&ecs, &cluster).await, 2);
    scale(&ecs, &cluster, 4).await;
    assert!(world.plan(&alone).await.unwrap().has_changes());
    world.destroy(&alone).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_others_rotate_is_kept_and_never_becomes_its_hash() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let world = World::new(endpoint, "rotated").await;
    let ssm = aws_sdk_ssm::Client::new(&sdk::config(endpoint, "test").await);
    let value = async || {
        let found = ssm.get_parameter().name("/rotated").with_decryption(true).send().await.unwrap();
        found.parameter.unwrap().value.unwrap()
    };
    let least = "[resource.ssm_parameter.x]\nname = \"/rotated\"\ntype = \"SecureString\"\nsecure_value = \"first\"\n";
    let ignored = "lifecycle = { ignore_changes = [\"secure_value\"] }\n";
    world.apply(least).await.unwrap();
    assert_eq!(value().await, "first");

    ssm.put_parameter().name("/rotated").value("rotated").overwrite(true).send().await.unwrap();
    unchanged(&world, least).await;
    // Anything else changes around it, whether the file still says what it was or something nobody heeds.
    world.apply(&format!("{least}description = \"one\"\n")).await.unwrap();
    assert_eq!(value().await, "rotated");
    let another = least.replace("first", "unheeded");
    world.apply(&format!("{another}{ignored}description = \"two\"\n")).await.unwrap();
    assert_eq!(value().await, "rotated");

    // One that is made anew has what the file says: of what there was only the hash is known.
    world.apply(&format!("{another}{ignored}").replace("/rotated", "/rotated-anew")).await.unwrap();
    let found = ssm.get_parameter().name("/rotated-anew").with_decryption(true).send().await.unwrap();
    assert_eq!(found.parameter.unwrap().value.unwrap(), "unheeded");

    world.apply(&least.replace("first", "second")).await.unwrap();
    assert_eq!(value().await, "second");
    world.destroy(least).await.unwrap();
}
