//! What a change does with the tables inside of a resource: what is taken away leaves, what takes its place comes, and what AWS
//! never returns stays.

use std::sync::Arc;

use leoctl_core::plan::types::Action;
use serde_json::json;

use super::unchanged;
use crate::support::cloud_control::Cloud;
use crate::support::emulator::Emulator;
use crate::support::proxy::Proxy;
use crate::support::world::{World, shown};

/// A Cloud Control that behaves as the schemas say, and a stack on it.
async fn world(name: &str) -> Option<(Arc<Cloud>, Proxy, World)> {
    let endpoint = Emulator::Fakecloud.endpoint()?;
    let cloud = Arc::new(Cloud::default());
    let behind = Arc::clone(&cloud);
    let proxy = Proxy::start(endpoint, move |call| behind.answer(call));
    let world = World::new(&proxy.endpoint, name).await;
    Some((cloud, proxy, world))
}

/// The changes of the only resource of a plan.
async fn changes(world: &World, body: &str) -> Vec<String> {
    let plan = world.plan(body).await.unwrap();
    assert_eq!(plan.changes[0].action, Action::Update, "{}", shown(&plan));
    plan.changes[0].attributes.iter().map(|change| change.path.to_string()).collect()
}

const ACL: &str = r#"
[resource.awscc_wafv2_web_acl.w]
name              = "front"
scope             = "REGIONAL"
description       = "what comes in"
default_action    = { allow = {} }
visibility_config = { cloudwatch_metrics_enabled = true, metric_name = "m", sampled_requests_enabled = true }

[[resource.awscc_wafv2_web_acl.w.rules]]
name              = "countries"
priority          = 1
action            = { block = {} }
visibility_config = { cloudwatch_metrics_enabled = true, metric_name = "r", sampled_requests_enabled = true }
statement         = { geo_match_statement = { country_codes = ["US"] } }
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_several_tables_takes_the_place_of_another_and_is_put_back() {
    let Some((cloud, _proxy, world)) = world("cc-acl").await else { return };
    world.apply(ACL).await.unwrap();
    unchanged(&world, ACL).await;
    let switched = ACL.replace("{ allow = {} }", "{ block = {} }").replace("action            = { block", "action            = { count");
    let found = changes(&world, &switched).await;
    let rule = "rules[\"countries\"]";
    let wanted = ["default_action.allow", "default_action.block", &format!("{rule}.action.block"), &format!("{rule}.action.count")]
        .map(str::to_owned);
    assert_eq!(found, wanted);
    world.apply(&switched).await.unwrap();
    let acl = cloud.only("AWS::WAFv2::WebACL");
    assert_eq!((&acl["DefaultAction"], &acl["Rules"][0]["Action"]), (&json!({ "Block": {} }), &json!({ "Count": {} })));
    unchanged(&world, &switched).await;
    // Somebody lets everything in.
    cloud.change("AWS::WAFv2::WebACL", |acl| drop(acl.insert("DefaultAction".to_owned(), json!({ "Allow": {} }))));
    let plan = world.plan(&switched).await.unwrap();
    assert_eq!(plan.drift[0].attributes.len(), 2, "{}", shown(&plan));
    world.apply(&switched).await.unwrap();
    assert_eq!(cloud.only("AWS::WAFv2::WebACL")["DefaultAction"], json!({ "Block": {} }));
    unchanged(&world, &switched).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_is_taken_away_leaves_aws_and_what_aws_filled_in_is_no_difference() {
    let Some((cloud, _proxy, world)) = world("cc-line").await else { return };
    world.apply(ACL).await.unwrap();
    cloud.change("AWS::WAFv2::WebACL", |acl| drop(acl.insert("TokenDomains".to_owned(), json!(["a.example.org"]))));
    let plan = world.plan(ACL).await.unwrap();
    assert_eq!(plan.changes[0].action, Action::NoOp, "{}", shown(&plan));
    let less = ACL.replace("description       = \"what comes in\"\n", "");
    assert_eq!(changes(&world, &less).await, ["description"]);
    world.apply(&less).await.unwrap();
    let acl = cloud.only("AWS::WAFv2::WebACL");
    assert!(!acl.contains_key("Description") && acl.contains_key("TokenDomains"), "{acl:?}");
    unchanged(&world, &less).await;
}

const FUNCTION: &str = r#"
[resource.awscc_lambda_function.f]
function_name = "orders"
role          = "arn:aws:iam::123456789012:role/orders"
runtime       = "python3.12"
handler       = "index.handler"
memory_size   = 128
code          = { s3_bucket = "artifacts", s3_key = "orders-1.zip" }
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_aws_never_returns_is_remembered_and_sent_with_every_change() {
    let Some((cloud, _proxy, world)) = world("cc-code").await else { return };
    world.apply(FUNCTION).await.unwrap();
    unchanged(&world, FUNCTION).await;
    let larger = FUNCTION.replace("128", "256");
    assert_eq!(changes(&world, &larger).await, ["memory_size"]);
    world.apply(&larger).await.unwrap();
    assert_eq!(cloud.only("AWS::Lambda::Function")["Code"], json!({ "S3Bucket": "artifacts", "S3Key": "orders-1.zip" }));
    unchanged(&world, &larger).await;
    let newer = larger.replace("orders-1", "orders-2");
    assert_eq!(changes(&world, &newer).await, ["code.s3_key"]);
    world.apply(&newer).await.unwrap();
    assert_eq!(cloud.only("AWS::Lambda::Function")["Code"]["S3Key"], "orders-2.zip");
    unchanged(&world, &newer).await;
}

const CONNECTION: &str = r#"
[resource.awscc_ec2_vpn_connection.v]
customer_gateway_id = "cgw-1"
type                = "ipsec.1"
vpn_tunnel_options_specifications = [
  { pre_shared_key = "first-not-to-be-found", tunnel_inside_cidr = "169.254.6.0/30" },
  { pre_shared_key = "other-not-to-be-found", tunnel_inside_cidr = "169.254.7.0/30" },
]
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_aws_never_returns_of_the_elements_of_a_list_is_remembered_and_sent_with_every_change() {
    let Some((cloud, _proxy, world)) = world("cc-vpn").await else { return };
    world.apply(CONNECTION).await.unwrap();
    unchanged(&world, CONNECTION).await;
    for (name, bytes) in world.files() {
        assert!(!String::from_utf8_lossy(&bytes).contains("not-to-be-found"), "a key is in {}", name.display());
    }
    let moved = CONNECTION.replace("cgw-1", "cgw-2");
    assert_eq!(changes(&world, &moved).await, ["customer_gateway_id"]);
    world.apply(&moved).await.unwrap();
    let options = cloud.only("AWS::EC2::VPNConnection")["VpnTunnelOptionsSpecifications"].to_string();
    assert!(options.contains("first-not-to-be-found") && options.contains("other-not-to-be-found"), "{options}");
    unchanged(&world, &moved).await;
}
