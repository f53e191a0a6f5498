//! Types that leoctl has no file for, through Cloud Control: their whole life, as any other's.

mod draw;
mod tables;
mod told;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use leoctl_core::plan::types::Action;
use serde_json::json;

use crate::support::cloud_control::Cloud;
use crate::support::emulator::Emulator;
use crate::support::program::Project;
use crate::support::proxy::Proxy;
use crate::support::proxy::fault::Fault;
use crate::support::world::{World, shown, stack};

/// A stack, the same with one attribute changed, and the address of what is imported again.
struct Life {
    name: &'static str,
    first: &'static str,
    change: (&'static str, &'static str),
    address: &'static str,
    /// What the change is about.
    changed: &'static str,
}

const LIVES: &[Life] = &[
    Life {
        name: "cc-sqs",
        first: r#"
[resource.awscc_sqs_queue.q]
queue_name = "cc-jobs"
visibility_timeout = 30
tags = { Team = "a" }
"#,
        change: ("visibility_timeout = 30", "visibility_timeout = 60"),
        address: "awscc_sqs_queue.q",
        changed: "visibility_timeout",
    },
    Life {
        name: "cc-dynamodb",
        first: r#"
[resource.awscc_dynamodb_table.t]
table_name = "cc-items"
billing_mode = "PAY_PER_REQUEST"
attribute_definitions = [{ attribute_name = "id", attribute_type = "S" }]
key_schema = [{ attribute_name = "id", key_type = "HASH" }]
"#,
        change: ("billing_mode", "deletion_protection_enabled = false\nbilling_mode"),
        address: "awscc_dynamodb_table.t",
        changed: "deletion_protection_enabled",
    },
    Life {
        name: "cc-events",
        first: r#"
[resource.awscc_events_rule.r]
name = "cc-nightly"
schedule_expression = "rate(5 minutes)"
state = "ENABLED"
"#,
        change: ("ENABLED", "DISABLED"),
        address: "awscc_events_rule.r",
        changed: "state",
    },
    Life {
        name: "cc-rds",
        first: r#"
[resource.awscc_rds_db_instance.d]
db_instance_identifier = "cc-main"
engine = "postgres"
db_instance_class = "db.t3.micro"
allocated_storage = "20"
master_username = "app"
master_user_password = "not-to-be-found"
backup_retention_period = 1
"#,
        change: ("backup_retention_period = 1", "backup_retention_period = 7"),
        address: "awscc_rds_db_instance.d",
        changed: "backup_retention_period",
    },
];

async fn unchanged(world: &World, body: &str) {
    let plan = world.plan(body).await.unwrap();
    assert!(!plan.has_changes() && plan.drift.is_empty(), "{}", shown(&plan));
}

async fn lives(life: &Life, endpoint: &str) {
    let world = World::new(endpoint, life.name).await;
    world.apply(life.first).await.unwrap();
    unchanged(&world, life.first).await;
    let second = life.first.replace(life.change.0, life.change.1);
    let plan = world.plan(&second).await.unwrap();
    let changed: Vec<String> = plan.changes.iter().flat_map(|change| &change.attributes).map(|change| change.path.to_string()).collect();
    assert_eq!(changed, [life.changed], "{}", shown(&plan));
    assert_eq!(plan.changes[0].action, Action::Update);
    world.apply(&second).await.unwrap();
    unchanged(&world, &second).await;

    let id = world.id(life.address).await.unwrap();
    world.forget(life.address).await;
    let import = format!("{second}\n[[import]]\nto = \"{}\"\nid = \"{id}\"\n", life.address);
    let plan = world.plan(&import).await.unwrap();
    assert_eq!(plan.changes[0].action, Action::Import, "{}", shown(&plan));
    world.apply(&import).await.unwrap();
    unchanged(&world, &second).await;

    world.destroy(&second).await.unwrap();
    let type_name = life.address.split('.').next().unwrap();
    assert!(!world.exists(type_name, &id).await, "{id} is still there");
    world.delete(type_name, &id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_no_file_of_its_own_is_made_changed_imported_and_deleted() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    for life in LIVES {
        let proxy = Proxy::strict(endpoint, Emulator::Fakecloud);
        lives(life, &proxy.endpoint).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_sends_what_changes_and_what_aws_never_returns_and_no_secret_is_stored() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let proxy = Proxy::recording(endpoint);
    let world = World::new(&proxy.endpoint, "cc-patch").await;
    let first = LIVES[3].first.replace("cc-main", "cc-patch");
    world.apply(&first).await.unwrap();
    for (name, bytes) in world.files() {
        assert!(!String::from_utf8_lossy(&bytes).contains("not-to-be-found"), "a password is in {}", name.display());
    }
    world.apply(&first.replace("backup_retention_period = 1", "backup_retention_period = 2")).await.unwrap();
    let updates: Vec<_> = proxy.calls().into_iter().filter(|call| call.operation == "UpdateResource").collect();
    assert_eq!(updates.len(), 1);
    let body: serde_json::Value = serde_json::from_str(&updates[0].request[updates[0].request.find('{').unwrap()..]).unwrap();
    let patch: serde_json::Value = serde_json::from_str(body["PatchDocument"].as_str().unwrap()).unwrap();
    let mut paths: Vec<&str> = patch.as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["/BackupRetentionPeriod", "/MasterUserPassword"]);
    let creates: Vec<_> = proxy.calls().into_iter().filter(|call| call.operation == "CreateResource").collect();
    assert!(creates.len() == 1 && creates[0].request.contains("ClientToken"));
    world.destroy(&first).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_aws_sets_and_does_not_say_again_stays_known() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let world = World::new(endpoint, "cc-url").await;
    let body = LIVES[0].first.replace("cc-jobs", "cc-url") + "[outputs]\nurl = \"${awscc_sqs_queue.q.queue_url}\"\n";
    world.apply(&body).await.unwrap();
    let first = world.output("url").await;
    assert_eq!(first, world.id("awscc_sqs_queue.q").await.map(serde_json::Value::from));
    let second = body.replace("visibility_timeout = 30", "visibility_timeout = 60");
    world.apply(&second).await.unwrap();
    assert_eq!(world.output("url").await, first);
    unchanged(&world, &second).await;
    world.destroy(&second).await.unwrap();
}

/// A pool is answered with the attributes that every pool has, and `custom:` before the names of its own (Cognito API Reference,
/// SchemaAttributeType).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_attributes_that_every_pool_has_are_no_difference() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let cloud = Arc::new(Cloud::default());
    let behind = Arc::clone(&cloud);
    let proxy = Proxy::start(endpoint, move |call| behind.answer(call));
    let world = World::new(&proxy.endpoint, "cc-pool").await;
    let body = "[resource.awscc_cognito_user_pool.p]\nuser_pool_name = \"p\"\nschema = [{ name = \"tier\", attribute_data_type = \"String\", mutable = true }]\n";
    world.apply(body).await.unwrap();
    cloud.change("AWS::Cognito::UserPool", |pool| {
        let of = |name: &str| json!({ "Name": name, "AttributeDataType": "String", "Mutable": true });
        pool.insert("Schema".to_owned(), json!([of("address"), of("birthdate"), of("custom:tier")]));
    });
    unchanged(&world, body).await;
    // One more of the stack's own is an update.
    let more = body.replace("}]", "}, { name = \"team\", attribute_data_type = \"String\", mutable = true }]");
    let plan = world.plan(&more).await.unwrap();
    assert_eq!(plan.changes[0].action, Action::Update, "{}", shown(&plan));
    world.destroy(body).await.unwrap();
}

const API: &str = "[resource.awscc_apigatewayv2_api.a]\nname = \"orders\"\nprotocol_type = \"HTTP\"\n";

/// A Cloud Control of which the first creation is done and its answer lost, as `lost` says.
fn losing(endpoint: &str, lost: Fault) -> (Arc<Cloud>, Proxy) {
    let (cloud, met) = (Arc::new(Cloud::default()), AtomicBool::new(false));
    let behind = Arc::clone(&cloud);
    let proxy = Proxy::start(endpoint, move |call| {
        let answer = behind.answer(call);
        if call.operation == "CreateResource" && !met.swap(true, Ordering::SeqCst) { Some(lost.clone()) } else { answer }
    });
    (cloud, proxy)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_creation_whose_answer_is_lost_is_asked_for_again_with_its_token() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let (cloud, proxy) = losing(endpoint, Fault::CutBefore);
    let world = World::new(&proxy.endpoint, "cc-lost").await;
    world.apply(API).await.unwrap();
    assert_eq!(cloud.count("AWS::ApiGatewayV2::Api"), 1);
    unchanged(&world, API).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_leoctl_died_over_is_found_by_its_tags() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let (cloud, proxy) = losing(endpoint, Fault::Hang);
    let world = World::new(&proxy.endpoint, "cc-died").await;
    // The call never ends: what is dropped while it waits is as good as killed.
    let died = tokio::time::timeout(Duration::from_secs(10), async {
        tokio::select! {
            outcome = world.apply(API) => panic!("{outcome:?}"),
            () = async { while cloud.count("AWS::ApiGatewayV2::Api") == 0 { tokio::task::yield_now().await } } => {}
        }
    });
    died.await.unwrap();
    world.apply(API).await.unwrap();
    assert_eq!(cloud.count("AWS::ApiGatewayV2::Api"), 1);
    assert_eq!(proxy.calls().iter().filter(|call| call.operation == "CreateResource").count(), 1);
    unchanged(&world, API).await;
    world.destroy(API).await.unwrap();
    assert_eq!(cloud.count("AWS::ApiGatewayV2::Api"), 0);
}

/// The tokens of the creations that were asked for.
fn tokens(proxy: &Proxy) -> Vec<String> {
    let creates = proxy.calls().into_iter().filter(|call| call.operation == "CreateResource");
    let token = |call: &crate::support::proxy::call::Call| {
        let body: serde_json::Value = serde_json::from_str(&call.request[call.request.find('{').unwrap()..]).unwrap();
        body["ClientToken"].as_str().unwrap().to_owned()
    };
    creates.map(|call| token(&call)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_creation_that_has_failed_is_asked_for_again_with_another_token() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let (cloud, met) = (Arc::new(Cloud::default()), AtomicBool::new(false));
    let behind = Arc::clone(&cloud);
    let proxy = Proxy::start(endpoint, move |call| match call.operation.as_str() {
        "CreateResource" if !met.swap(true, Ordering::SeqCst) => Some(Fault::json(&serde_json::json!({ "ProgressEvent": {
            "TypeName": "AWS::ApiGatewayV2::Api", "RequestToken": "request-that-has-failed", "Operation": "CREATE",
            "OperationStatus": "FAILED", "ErrorCode": "GeneralServiceException", "StatusMessage": "it did not work",
        } }))),
        _ => behind.answer(call),
    });
    let world = World::new(&proxy.endpoint, "cc-failed").await;
    let failed = world.apply(API).await.unwrap_err();
    assert!(failed.contains("it did not work"), "{failed}");
    world.apply(API).await.unwrap();
    let tokens = tokens(&proxy);
    assert!(tokens.len() == 2 && tokens[0] != tokens[1], "{tokens:?}");
    unchanged(&world, API).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_leoctl_died_over_is_found_among_many() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let (cloud, proxy) = losing(endpoint, Fault::Hang);
    let world = World::new(&proxy.endpoint, "cc-many").await;
    let died = tokio::time::timeout(Duration::from_secs(10), async {
        tokio::select! {
            outcome = world.apply(API) => panic!("{outcome:?}"),
            () = async { while cloud.count("AWS::ApiGatewayV2::Api") == 0 { tokio::task::yield_now().await } } => {}
        }
    });
    died.await.unwrap();
    // Before it in every list.
    let other = serde_json::json!({ "Name": "other", "ProtocolType": "HTTP" });
    for number in 0..250 {
        cloud.put("AWS::ApiGatewayV2::Api", &format!("{number:04}"), other.as_object().unwrap().clone());
    }
    world.apply(API).await.unwrap();
    assert_eq!(tokens(&proxy).len(), 1);
    unchanged(&world, API).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_known_of_a_type_is_said_by_plans() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let world = World::new(endpoint, "cc-known").await;
    let first = LIVES[3].first.replace("cc-main", "cc-known");
    world.apply(&first).await.unwrap();
    let plan = world.plan(&first.replace("db.t3.micro", "db.t3.small")).await.unwrap();
    assert_eq!(plan.changes[0].risks, ["changing `db_instance_class` restarts it"]);
    let plan = world.plan(&first.replace("\"cc-known\"", "\"cc-other\"")).await.unwrap();
    assert_eq!(plan.changes[0].action, Action::Replace, "{}", shown(&plan));
    assert!(plan.changes[0].risks.iter().any(|risk| risk.contains("the database in it")), "{:?}", plan.changes[0].risks);
    let safe = first.replace("engine =", "deletion_protection = true\nengine =");
    world.apply(&safe).await.unwrap();
    let refused = world.destroy(&safe).await.unwrap_err();
    assert!(refused.contains("deletion_protection = false"), "{refused}");
    world.apply(&first.replace("engine =", "deletion_protection = false\nengine =")).await.unwrap();
    world.destroy(&first).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_the_stacks_is_read_and_listed() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let world = World::new(endpoint, "cc-data").await;
    let queue = "[resource.awscc_sqs_queue.q]\nqueue_name = \"cc-read\"\ndelay_seconds = 3\n";
    world.apply(queue).await.unwrap();
    let id = world.id("awscc_sqs_queue.q").await.unwrap();
    let reads = format!(
        r#"
[data.awscc.one]
type = "awscc_sqs_queue"
identifier = "{id}"
[data.awscc.all]
type = "AWS::SQS::Queue"
[checks.one]
assert = "${{data.awscc.one.attributes.delay_seconds == 3 && '{id}' in data.awscc.all.identifiers}}"
message = "it is not read"
"#
    );
    let plan = world.plan(&format!("{queue}{reads}")).await.unwrap();
    assert!(plan.checks.iter().all(|check| check.holds == Some(true)), "{}", shown(&plan));
    world.destroy(queue).await.unwrap();
}

#[test]
fn validate_points_to_the_types_that_leoctl_has_of_its_own() {
    let project = Project::new("", "1");
    let block = "[resource.awscc_ec2_vpc.v]\ncidr_block = \"10.0.0.0/16\"\n";
    project.write("stacks/x.toml", &format!("[stack]\nname = \"x\"\nregion = \"us-east-1\"\n{block}"));
    let ran = project.expect(0, &["validate", "stacks/x.toml"]);
    assert!(ran.stderr.contains("awscc_ec2_vpc.v is what leoctl has a type of its own for: `vpc`"), "{}", ran.stderr);
    let shown = project.json(&["--json", "validate", "stacks/x.toml"]);
    assert_eq!(shown["warnings"].as_array().map(Vec::len), Some(1), "{shown}");
}

#[test]
fn what_the_schema_forbids_is_said_before_aws_is_asked() {
    for (body, says) in [
        ("[resource.awscc_sqs_queue.q]\ndelay_seconds = 901\n", "`delay_seconds` is from 0 to 900, not 901"),
        ("[resource.awscc_sqs_queue.q]\narn = \"x\"\n", "`arn` of awscc_sqs_queue.q is set by AWS"),
        ("[resource.awscc_rds_db_subnet_group.s]\nsubnet_ids = [\"a\"]\n", "needs `db_subnet_group_description`"),
        ("[resource.awscc_sqs_queu.q]\n", "did you mean `awscc_sqs_queue`?"),
        ("[resource.awscc_sqs_queue.q]\ndelay_second = 1\n", "did you mean `delay_seconds`?"),
        ("[resource.awscc_codebuild_project.p]\n", "AWS's Cloud Control API cannot make or read or delete an AWS::CodeBuild::Project"),
        ("[resource.awscc_memorydb_cluster.c]\nfinal_snapshot_name = \"last\"\n", "`final_snapshot_name` has no effect"),
        ("[resource.awscc_dynamodb_table.t]\nkey_schema = []\nbilling_mode = \"FREE\"\n", "`billing_mode` cannot be \"FREE\""),
    ] {
        let said = stack("cc-wrong", "us-east-1", body).unwrap_err();
        assert!(said.contains(says), "{body}: {said}");
    }
}
