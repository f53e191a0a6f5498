//! Platforms that people run, written as stacks (`tests/platforms`): each is made, found as wanted and deleted whole.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::support::cloud_control::Cloud;
use crate::support::emulator::Emulator;
use crate::support::program::Project;
use crate::support::proxy::Proxy;
use crate::support::proxy::call::Call;
use crate::support::proxy::fault::Fault;

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// A project with the platforms where this repository has them.
pub fn project(endpoint: &str, account: &str) -> Project {
    let project = Project::new(endpoint, account);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for path in files(&root.join("tests/platforms")) {
        project.write(path.strip_prefix(root).unwrap().to_str().unwrap(), &fs::read_to_string(&path).unwrap());
    }
    project
}

/// What an emulator's Cloud Control lacks: these types, as their schemas say that they behave.
fn played(types: &'static [&'static str]) -> impl Fn(&Call) -> Option<Fault> + Send + Sync {
    let cloud = Cloud::default();
    move |call| {
        let is_of = |name: &&str| call.request.contains(&format!("\"TypeName\":\"{name}\""));
        // Of other requests it knows nothing, and leaves them to the emulator.
        let is_played = call.operation == "GetResourceRequestStatus" || types.iter().any(is_of);
        is_played.then(|| cloud.answer(call)).flatten()
    }
}

/// Makes a platform on fakecloud, changes what `changes` says, and deletes it. `lacking` are the types that its Cloud Control
/// refuses.
fn lives(name: &str, lacking: &'static [&'static str], changes: &[&str]) {
    let Some(alone) = Emulator::Fakecloud.alone() else { return };
    let aws = Proxy::strict_with(&alone.endpoint, Emulator::Fakecloud, played(lacking));
    let project = project(&aws.endpoint, "test");
    let stack = format!("tests/platforms/{name}.toml");
    let run = |command: &[&str], more: &[&str]| project.expect(0, &[command, &[&stack], more].concat());
    run(&["validate"], &[]);
    run(&["apply", "-y"], &[]);
    run(&["plan", "--detailed-exitcode"], &[]);
    if !changes.is_empty() {
        run(&["apply", "-y"], changes);
        run(&["plan", "--detailed-exitcode"], changes);
    }
    run(&["destroy", "-y"], changes);
    assert_eq!(project.json(&["state", "list", "--json", &stack]), json!([]));
}

#[test]
fn a_service_in_private_subnets_with_gateways_in_each_zone() {
    lives("a", &[], &["--var", "zone_count=3"]);
}

#[test]
fn a_service_with_flow_logs_a_table_and_secrets() {
    // fakecloud: "Resource type 'AWS::EC2::FlowLog' is not supported by Cloud Control API on fakecloud".
    lives("b", &["AWS::EC2::FlowLog"], &[]);
}

#[test]
fn two_services_with_two_colours_and_a_pipeline() {
    // fakecloud has no type AWS::CloudFormation::Stack for Cloud Control.
    lives("c", &["AWS::CloudFormation::Stack"], &[]);
}

#[test]
fn several_projects_behind_one_load_balancer_with_pools_databases_and_functions() {
    lives("d", &[], &[]);
}

#[test]
fn a_network_with_a_database_a_queue_a_cache_and_a_distribution() {
    lives("data", &[], &["--var", "size=large"]);
}
