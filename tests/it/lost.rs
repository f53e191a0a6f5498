//! The state of each stack of this repository is lost: a plan makes nothing anew, an apply takes everything over, and the
//! stack is as if nothing had happened.

use serde_json::Value;

use crate::support::emulator::Emulator;
use crate::support::program::Project;

const FAST: [&str; 2] = ["--var", "rollout=none"];

/// What a plan without a state would do to each resource.
fn actions(plan: &Value) -> Vec<String> {
    let of = |change: &Value| format!("{} {}", change["action"].as_str().unwrap(), change["address"].as_str().unwrap());
    plan["changes"].as_array().unwrap().iter().map(of).collect()
}

fn loses_its_state(project: &Project, stack: &str, variables: &[&str]) {
    let expect = |command: &[&str]| project.expect(0, &[command, &[stack], variables].concat()).stdout;
    expect(&["apply", "-y"]);
    let kept = expect(&["state", "list"]);
    std::fs::remove_dir_all(project.path().join("state")).unwrap();
    let plan: Value = serde_json::from_str(&expect(&["plan", "--json"])).unwrap();
    let found = actions(&plan);
    let made: Vec<&String> = found.iter().filter(|action| !action.starts_with("import ")).collect();
    assert!(made.is_empty() && !found.is_empty(), "{stack}: {made:?}");
    expect(&["apply", "-y"]);
    assert_eq!(expect(&["state", "list"]), kept, "{stack}");
    expect(&["plan", "--detailed-exitcode"]);
    expect(&["destroy", "-y"]);
}

#[test]
fn every_stack_finds_again_what_it_has_made() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let mut stacks: Vec<String> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/stacks"))
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok().filter(|name| name.ends_with(".toml")))
        .collect();
    stacks.sort();
    // Its key pair has no tags there; it is found on Moto.
    stacks.retain(|name| name != "devbox.toml");
    assert!(stacks.len() > 5, "{stacks:?}");
    for stack in stacks {
        let project = Project::new(&emulator.endpoint, "test");
        loses_its_state(&project, &format!("stacks/{stack}"), &FAST);
    }
}
