//! Platforms that people run, written as stacks (`tests/platforms`): each is made, found as wanted and deleted whole.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::support::emulator::Emulator;
use crate::support::program::Project;
use crate::support::proxy::Proxy;

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// A project with the platforms where this repository has them.
fn project(endpoint: &str, account: &str) -> Project {
    let project = Project::new(endpoint, account);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for path in files(&root.join("tests/platforms")) {
        project.write(path.strip_prefix(root).unwrap().to_str().unwrap(), &fs::read_to_string(&path).unwrap());
    }
    project
}

/// Makes a platform, changes what `changes` says, and deletes it. `without` is what the emulator lacks.
fn lives(name: &str, (emulator, account): (Emulator, &str), without: &[&str], changes: &[&str]) {
    let Some(alone) = emulator.alone() else { return };
    let aws = Proxy::strict(&alone.endpoint, emulator);
    let project = project(&aws.endpoint, account);
    let stack = format!("tests/platforms/{name}.toml");
    let run = |command: &[&str], more: &[&str]| project.expect(0, &[command, &[&stack], more].concat());
    run(&["validate"], &[]);
    run(&["apply", "-y"], without);
    run(&["plan", "--detailed-exitcode"], without);
    if !changes.is_empty() {
        let with = [without, changes].concat();
        run(&["apply", "-y"], &with);
        run(&["plan", "--detailed-exitcode"], &with);
    }
    run(&["destroy", "-y"], &[without, changes].concat());
    assert_eq!(project.json(&["state", "list", "--json", &stack]), json!([]));
}

#[test]
fn a_service_in_private_subnets_with_gateways_in_each_zone() {
    lives("a", (Emulator::Fakecloud, "test"), &[], &["--var", "zone_count=3"]);
}

#[test]
fn a_service_with_flow_logs_a_table_and_secrets() {
    // fakecloud: "Resource type 'AWS::EC2::FlowLog' is not supported by Cloud Control API on fakecloud".
    lives("b", (Emulator::Fakecloud, "test"), &["--exclude", "awscc_ec2_flow_log.main"], &[]);
}

#[test]
fn two_services_with_two_colours_and_a_pipeline() {
    // The template of CodeBuild's projects has to be in a bucket: without it the stack of CloudFormation and the pipeline cannot be.
    lives("c", (Emulator::Fakecloud, "test"), &["--exclude", "awscc_cloudformation_stack.builds"], &[]);
}

#[test]
fn several_projects_behind_one_load_balancer_with_pools_databases_and_functions() {
    lives("d", (Emulator::Fakecloud, "test"), &[], &[]);
}

#[test]
fn a_network_with_a_database_a_queue_a_cache_and_a_distribution() {
    lives("data", (Emulator::Fakecloud, "test"), &[], &["--var", "size=large"]);
}
