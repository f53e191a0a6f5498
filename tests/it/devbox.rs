//! A dev box through the real binary: made, made larger, deleted.

use aws_sdk_ec2::types::{InstanceStateName, Tag};
use serde_json::{Value, json};

use crate::support::emulator::Emulator;
use crate::support::program::Project;
use crate::support::sdk;

const STACK: &str = "stacks/devbox.toml";

const VARIABLES: [&str; 4] = [
    "--var",
    "ssh_public_key=ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJSRTXwJz22KXsImUFiJu6OWjrL0KCtDR0qVyQn3iTgV me@host",
    "--var",
    "allowed_cidr=203.0.113.7/32",
];

fn with<'a>(arguments: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [arguments, &[STACK], &VARIABLES, more].concat()
}

/// What is remembered of the instance.
fn instance(project: &Project) -> Value {
    project.json(&with(&["state", "show", "instance.devbox", "--json"], &[]))
}

#[tokio::test]
async fn a_dev_box_lives_on_moto() {
    // Of the three only Moto returns the public key of a key pair.
    let endpoint = Emulator::Moto.endpoint().unwrap();
    whole_life(&Project::new(endpoint, "test"));
    assert_eq!(left(endpoint).await, Vec::<String>::new());
}

/// What is there of a dev box, read with the SDK past leoctl.
async fn left(endpoint: &str) -> Vec<String> {
    let config = sdk::config(endpoint, "test").await;
    let (ec2, iam) = (aws_sdk_ec2::Client::new(&config), aws_sdk_iam::Client::new(&config));
    let ours = |tags: &[Tag]| tags.iter().any(|tag| tag.key() == Some("leoctl:stack") && tag.value() == Some("devbox"));
    let mut left = Vec::new();
    let reservations = ec2.describe_instances().send().await.unwrap();
    for instance in reservations.reservations().iter().flat_map(|reservation| reservation.instances()).filter(|one| ours(one.tags())) {
        let state = instance.state().and_then(|state| state.name()).unwrap();
        if *state != InstanceStateName::Terminated {
            left.push(format!("instance {state}"));
        }
    }
    let volumes = ec2.describe_volumes().send().await.unwrap();
    left.extend(volumes.volumes().iter().filter(|one| ours(one.tags())).map(|one| format!("volume {:?}", one.volume_id())));
    let addresses = ec2.describe_addresses().send().await.unwrap();
    left.extend(addresses.addresses().iter().filter(|one| ours(one.tags())).map(|one| format!("address {:?}", one.public_ip())));
    let pairs = ec2.describe_key_pairs().send().await.unwrap();
    left.extend(pairs.key_pairs().iter().filter(|one| ours(one.tags())).map(|one| format!("key {:?}", one.key_name())));
    let profiles = iam.list_instance_profiles().send().await.unwrap();
    left.extend(profiles.instance_profiles().iter().map(|one| one.instance_profile_name().to_owned()).filter(|name| name == "devbox"));
    left
}

/// Makes, checks, changes and deletes it.
fn whole_life(project: &Project) {
    let run = |code: i32, arguments: &[&'static str]| project.expect(code, &with(arguments, &[]));
    run(0, &["apply", "-y"]);
    run(0, &["plan", "--detailed-exitcode"]);
    let outputs = project.json(&with(&["output", "--json"], &[]));
    let ip = outputs["ip"].as_str().unwrap_or_default().to_owned();
    assert!(ip.parse::<std::net::Ipv4Addr>().is_ok(), "{outputs:#}");
    assert_eq!(outputs["ssh"], format!("ssh ec2-user@{ip}"));
    let before = instance(project);

    // A larger one is the same one.
    let larger = |arguments: &[&'static str]| project.expect(0, &with(arguments, &["--var", "instance_type=t3a.medium"]));
    larger(&["apply", "-y"]);
    larger(&["plan", "--detailed-exitcode"]);
    let after = instance(project);
    assert_eq!(before["id"], after["id"]);
    assert_eq!(after["attributes"]["instance_type"], "t3a.medium");
    assert_eq!(project.json(&with(&["output", "--json"], &[]))["ip"], json!(ip));

    run(0, &["destroy", "-y"]);
    assert_eq!(project.json(&with(&["state", "list", "--json"], &[])), json!([]));
}
