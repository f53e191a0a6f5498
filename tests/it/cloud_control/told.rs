//! What AWS is told of a change and what it is not, and what in AWS is somebody else's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::unchanged;
use crate::support::cloud_control::Cloud;
use crate::support::emulator::Emulator;
use crate::support::proxy::Proxy;
use crate::support::proxy::fault::Fault;
use crate::support::world::{World, shown};

/// A Cloud Control in front of an emulator for everything else.
fn cloud(endpoint: &str) -> (Arc<Cloud>, Proxy) {
    let cloud = Arc::new(Cloud::default());
    let behind = Arc::clone(&cloud);
    let proxy = Proxy::start(endpoint, move |call| behind.answer(call));
    (cloud, proxy)
}

/// The patches that were sent, each as `operation path`.
fn patches(proxy: &Proxy) -> Vec<Vec<String>> {
    let updates = proxy.calls().into_iter().filter(|call| call.operation == "UpdateResource");
    let patch = |request: &str| {
        let body: Value = serde_json::from_str(&request[request.find('{').unwrap()..]).unwrap();
        let patch: Vec<Value> = serde_json::from_str(body["PatchDocument"].as_str().unwrap()).unwrap();
        patch.iter().map(|one| format!("{} {}", one["op"].as_str().unwrap(), one["path"].as_str().unwrap())).collect()
    };
    updates.map(|call| patch(&call.request)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_database_changes_and_what_it_began_with_is_only_forgotten() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let (_, proxy) = cloud(endpoint);
    let world = World::new(&proxy.endpoint, "cc-restored").await;
    let database = |days: u8, more: &str| {
        format!(
            "[resource.awscc_rds_db_instance.d]\ndb_instance_identifier = \"restored\"\ndb_instance_class = \"db.t4g.micro\"\nbackup_retention_period = {days}\n{more}"
        )
    };
    let began = "db_snapshot_identifier = \"before-migration\"\n";
    world.apply(&database(7, began)).await.unwrap();
    world.apply(&database(14, began)).await.unwrap();
    assert_eq!(patches(&proxy), [["replace /BackupRetentionPeriod"]]);
    unchanged(&world, &database(14, began)).await;
    // Without a snapshot, the engine has to be said.
    let without = database(14, "engine = \"postgres\"\n");
    let plan = world.plan(&without).await.unwrap();
    let said =
        plan.changes[0].risks.iter().any(|risk| risk.starts_with("`db_snapshot_identifier` is only forgotten: AWS never returns it"));
    assert!(said, "{}", shown(&plan));
    assert!(!plan.changes[0].risks.iter().any(|risk| risk.contains("changing `db_snapshot_identifier`")), "{}", shown(&plan));
    world.apply(&without).await.unwrap();
    unchanged(&world, &without).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_for_a_role_that_was_just_made_is_asked_for_again() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let (cloud, met) = (Arc::new(Cloud::default()), AtomicBool::new(false));
    let behind = Arc::clone(&cloud);
    let proxy = Proxy::start(endpoint, move |call| match call.operation.as_str() {
        "CreateResource" if !met.swap(true, Ordering::SeqCst) => Some(Fault::json(&json!({ "ProgressEvent": {
            "TypeName": "AWS::Pipes::Pipe", "RequestToken": "request-that-was-too-early", "Operation": "CREATE",
            "OperationStatus": "FAILED", "ErrorCode": "InvalidRequest", "StatusMessage": "The role cannot be assumed",
        } }))),
        _ => behind.answer(call),
    });
    let world = World::new(&proxy.endpoint, "cc-early").await;
    let pipe = r#"
[resource.awscc_pipes_pipe.p]
name = "cc-early"
role_arn = "arn:aws:iam::123456789012:role/just-made"
source = "arn:aws:sqs:us-east-1:123456789012:from"
target = "arn:aws:sqs:us-east-1:123456789012:to"
"#;
    world.apply(pipe).await.unwrap();
    assert_eq!(cloud.count("AWS::Pipes::Pipe"), 1);
    unchanged(&world, pipe).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tag_by_which_ecs_knows_a_group_of_instances_stays() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let (cloud, proxy) = cloud(endpoint);
    let world = World::new(&proxy.endpoint, "cc-ecs").await;
    let group = |team: &str| {
        format!(
            "[resource.awscc_autoscaling_auto_scaling_group.g]\nauto_scaling_group_name = \"cc-ecs\"\nmin_size = \"0\"\nmax_size = \"4\"\nvpc_zone_identifier = [\"subnet-1\"]\nlaunch_template = {{ launch_template_id = \"lt-1\", version = \"1\" }}\ntags = {{ Team = \"{team}\" }}\n"
        )
    };
    world.apply(&group("a")).await.unwrap();
    let tag = json!({ "Key": "AmazonECSManaged", "Value": "true", "PropagateAtLaunch": true });
    let tags = |model: &serde_json::Map<String, Value>| model["Tags"].as_array().cloned().unwrap();
    cloud.change("AWS::AutoScaling::AutoScalingGroup", |model| model["Tags"].as_array_mut().unwrap().push(tag.clone()));
    unchanged(&world, &group("a")).await;
    world.apply(&group("b")).await.unwrap();
    let left = tags(&cloud.only("AWS::AutoScaling::AutoScalingGroup"));
    assert!(left.contains(&tag), "{left:?}");
    assert!(left.iter().any(|tag| tag["Key"] == "Team" && tag["Value"] == "b"), "{left:?}");
}
