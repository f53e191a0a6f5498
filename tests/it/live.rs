//! The kit that tries leoctl on a real account, from end to end on an emulator.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::emulator::Emulator;
use crate::support::program::{Project, Ran, ran};
use crate::support::proxy::Proxy;
use crate::support::proxy::fault::Fault;
use crate::support::sdk;

/// Runs the kit on an emulator of its own account. fakecloud reads `CANARY` back as `ROLLING` and runs no containers (ECS API
/// Reference, DeploymentConfiguration: what is asked for is what is returned), so its canary service is an ordinary one.
fn kit(endpoint: &str, out: &Path, arguments: &[&str]) -> Ran {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/live");
    let mut command = Command::new("python3");
    command.arg(script).arg(env!("CARGO_BIN_EXE_leoctl")).args(["--endpoint-url", endpoint, "--out"]).arg(out).args(arguments);
    command.args(["--var", "canary:strategy=ROLLING", "--var", "canary:rollout=none"]);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", out);
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "a-very-secret-key").env("PYTHONDONTWRITEBYTECODE", "1");
    ran(command.output().unwrap())
}

fn transcript(out: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(out.join("transcript.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Whether a text has the id of an account in it: twelve digits that stand alone.
fn names_an_account(text: &str) -> bool {
    text.split(|char: char| !char.is_ascii_alphanumeric()).any(|word| word.len() == 12 && word.chars().all(|char| char.is_ascii_digit()))
}

#[test]
fn the_kit_makes_changes_kills_and_deletes_and_its_transcript_can_be_shown() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let folder = tempfile::tempdir().unwrap();
    let done = kit(&emulator.endpoint, folder.path(), &["--points", "6", "--yes"]);
    assert_eq!(done.code, 0, "{}\n{}", done.stdout, done.stderr);
    let steps = transcript(folder.path());
    let named = |system: &str, step: &str| {
        steps.iter().filter(|one| one["system"] == system && one["step"].as_str().unwrap().contains(step)).count()
    };
    for system in ["leo", "agent", "canary"] {
        assert!(named(system, "killed at its changing call") >= 4, "{system}: {}", done.stdout);
        assert!(named(system, "the plan after it is empty: ") >= 1, "{system}: {}", done.stdout);
        assert_eq!(named(system, "nothing of it is left"), 1, "{system}: {}", done.stdout);
    }
    let made = steps.iter().find(|one| one["step"] == "made from nothing").unwrap();
    assert_eq!((&made["calls"]["ec2:CreateVpc"], &made["ok"]), (&Value::from(1), &Value::from(true)));
    assert!(made["seconds"].is_number() && made["refused"].is_object(), "{made}");
    let text = std::fs::read_to_string(folder.path().join("transcript.jsonl")).unwrap();
    assert!(!names_an_account(&text) && !text.contains("a-very-secret-key"), "{text}");
}

#[tokio::test]
async fn the_kit_asks_aws_itself_what_is_left() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let folder = tempfile::tempdir().unwrap();
    let config = sdk::config(&emulator.endpoint, "test").await;
    // What no stack names, so that leoctl does not look for it: a role by its name, and a secret by its tag, which fakecloud's
    // GetResources does not list (Resource Groups Tagging API Reference).
    let iam = aws_sdk_iam::Client::new(&config);
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"ec2.amazonaws.com"}}]}"#;
    iam.create_role().role_name("leoctl-live-forgotten").assume_role_policy_document(trust).send().await.unwrap();
    let proxy = Proxy::start(&emulator.endpoint, |call| {
        let asked =
            call.operation == "GetResources" && call.request.contains(r#"[{"Key": "leoctl:stack", "Values": ["leoctl-live-agent"]}]"#);
        let arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:forgotten";
        asked.then(|| Fault::json(&json!({ "ResourceTagMappingList": [{ "ResourceARN": arn }] })))
    });
    let refused = kit(&proxy.endpoint, folder.path(), &["--only", "agent", "--yes"]);
    assert_eq!(refused.code, 1, "{}", refused.stdout);
    let steps = transcript(folder.path());
    let said = steps.last().unwrap()["said"].as_str().unwrap();
    assert!(steps.len() == 1 && said.contains("role leoctl-live-forgotten") && said.contains(":secret:forgotten"), "{said}");
}

#[test]
fn the_kit_does_nothing_unasked_and_leaves_alone_what_it_did_not_make() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let folder = tempfile::tempdir().unwrap();
    let told = kit(&emulator.endpoint, folder.path(), &["--only", "agent"]);
    assert_eq!((told.code, transcript(folder.path()).len()), (0, 0), "{}", told.stderr);
    assert!(told.stdout.contains("estimated cost $") && told.stdout.contains("Nothing was done"), "{}", told.stdout);
    // Somebody has the names already.
    let other = Project::new(&emulator.endpoint, "test");
    let group = "[stack]\nname = \"other\"\nregion = \"us-east-1\"\n[resource.cloudwatch_log_group.x]\nname = \"/ecs/leoctl-live-dev\"\n";
    other.write("stacks/other.toml", group);
    other.expect(0, &["apply", "-y", "stacks/other.toml"]);
    let refused = kit(&emulator.endpoint, folder.path(), &["--only", "agent", "--yes"]);
    assert_eq!(refused.code, 1, "{}", refused.stdout);
    assert_eq!(transcript(folder.path()).len(), 1, "{}", refused.stdout);
    other.expect(0, &["plan", "--detailed-exitcode", "stacks/other.toml"]);
}
