//! States and journals of format 1 are read for what they say: on files that the last program of that format wrote
//! (`tests/fixtures/state-v1`, where `make.py` says how), and over a whole platform, which upgrades, plans empty and is
//! destroyed to nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use leoctl::store::LocalStore;
use leoctl_aws::state::{Location, S3Store};
use leoctl_core::engine::ports::Store;
use leoctl_core::model::state::State;
use serde_json::{Map, Value as Json, json};

use crate::support::emulator::Emulator;
use crate::support::inventory::Inventory;
use crate::support::program::Project;
use crate::support::sdk;

/// What the old program makes of a state, and what must not be forgotten of it: resources, open creations and pins.
type Normal = BTreeMap<String, Map<String, Json>>;

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/state-v1");
    let mut all: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.retain(|path| path.join("state.json").is_file());
    all.sort();
    assert!(all.len() > 15, "{all:?}");
    all
}

fn read(path: &Path) -> Json {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// What a state of format 1 says.
fn normal_of_v1(state: &Json) -> Normal {
    let resources = state["resources"].as_object().unwrap().iter().map(|(address, known)| {
        let mut depends_on = known["depends_on"].as_array().cloned().unwrap_or_default();
        depends_on.sort_by_key(ToString::to_string);
        let mut entry = json!({ "id": known["id"], "region": known["region"], "depends_on": depends_on, "guard": known["guard"] });
        if known["incomplete"] == true {
            entry["incomplete"] = Json::Bool(true);
        }
        if let Some(deposed) = known["deposed"].as_array().filter(|deposed| !deposed.is_empty()) {
            entry["deposed"] = deposed.iter().map(|deposed| deposed["id"].clone()).collect();
        }
        (address.clone(), entry)
    });
    let resources = resources.collect();
    let open = state["open"].as_array().into_iter().flatten();
    let open =
        open.map(|one| (one["address"].as_str().unwrap().to_owned(), json!({ "region": one["region"], "token": one["token"] }))).collect();
    let pins = state.get("pins").and_then(Json::as_object).cloned().unwrap_or_default();
    Normal::from([("resources".to_owned(), resources), ("open".to_owned(), open), ("pins".to_owned(), pins)])
}

fn normal(state: &State) -> Normal {
    normal_of_v1(&downgraded(serde_json::to_value(state).unwrap()))
}

/// A state of format 2 as format 1 would have it: the inverse of the upgrade.
fn downgraded(mut state: Json) -> Json {
    assert_eq!(state["format_version"], 2);
    state["format_version"] = json!(1);
    state.as_object_mut().unwrap().remove("variables");
    for known in state["resources"].as_object_mut().unwrap().values_mut() {
        let mut deposed = known["deposed"].as_array().cloned().unwrap_or_default();
        // What was left of an address in format 1 was one of its predecessors.
        let current = known.get("current").cloned().filter(|current| !current.is_null()).or_else(|| deposed.pop()).unwrap();
        let mut old = json!({ "id": current["place"]["id"], "region": current["place"]["region"] });
        for (field, empty) in [("attributes", json!({})), ("authored", json!([])), ("depends_on", json!([])), ("guard", json!({}))] {
            old[field] = current.get(field).cloned().unwrap_or(empty);
        }
        for field in ["sensitive", "incomplete"] {
            if let Some(value) = current.get(field) {
                old[field] = value.clone();
            }
        }
        if !deposed.is_empty() {
            let deposed = deposed.iter().map(|one| json!({ "id": one["place"]["id"], "attributes": one["attributes"] }));
            old["deposed"] = deposed.collect();
        }
        *known = old;
    }
    for intent in state.get_mut("open").and_then(Json::as_array_mut).into_iter().flatten() {
        let intent = intent.as_object_mut().unwrap();
        intent.remove("account");
        intent.remove("sensitive");
    }
    state
}

fn changed(normal: &mut Normal, delta: &Json) {
    for (part, changes) in delta.as_object().unwrap() {
        let part = normal.entry(part.clone()).or_default();
        for (key, value) in changes.as_object().unwrap() {
            part.remove(key);
            if !value.is_null() {
                part.insert(key.clone(), value.clone());
            }
        }
    }
}

#[test]
fn the_inverse_of_the_upgrade_is_its_inverse_on_every_fixture() {
    for fixture in fixtures() {
        let text = std::fs::read_to_string(fixture.join("state.json")).unwrap();
        let upgraded = State::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", fixture.display()));
        assert_eq!(downgraded(serde_json::to_value(upgraded).unwrap()), read(&fixture.join("state.json")), "{}", fixture.display());
    }
}

#[tokio::test]
async fn every_prefix_of_an_old_journal_says_what_the_old_program_read_in_it() {
    let mut cuts = 0;
    for fixture in fixtures() {
        let state = std::fs::read_to_string(fixture.join("state.json")).unwrap();
        let name = read(&fixture.join("state.json"))["stack"].as_str().unwrap().to_owned();
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join(format!("{name}.journal"));
        std::fs::write(folder.path().join(format!("{name}.json")), &state).unwrap();
        let load = || async {
            let loaded = LocalStore::new(folder.path(), &name).load().await;
            loaded.unwrap_or_else(|error| panic!("{}: {error}", fixture.display())).unwrap()
        };
        let said = load().await;
        said.verify().unwrap();
        assert_eq!(normal(&said), normal_of_v1(&read(&fixture.join("state.json"))), "{}", fixture.display());
        if !fixture.join("folds.json").is_file() {
            continue;
        }
        let folds = read(&fixture.join("folds.json"));
        let folds = folds.as_array().unwrap();
        let whole = std::fs::read_to_string(fixture.join("journal")).unwrap();
        let lines: Vec<&str> = whole.split_inclusive('\n').collect();
        let mut expected = Normal::from(["resources", "open", "pins"].map(|part| (part.to_owned(), Map::new())));
        // Where the last line is torn, there is only the whole of it.
        let torn = folds.len() == 1;
        for (count, delta) in folds.iter().enumerate() {
            changed(&mut expected, delta);
            let count = if torn { lines.len() } else { count };
            std::fs::write(&journal, lines[..count].concat()).unwrap();
            let said = load().await;
            said.verify().unwrap();
            similar(&normal(&said), &expected, &format!("{} at {count}", fixture.display()));
            cuts += 1;
            // Cut in the middle of the next line, it says the same.
            if let Some(next) = lines.get(count) {
                std::fs::write(&journal, format!("{}{}", lines[..count].concat(), &next[..next.len() / 2])).unwrap();
                similar(&normal(&load().await), &expected, &format!("{} in the middle of {count}", fixture.display()));
            }
        }
    }
    assert!(cuts > 300, "{cuts}");
}

/// The two say the same, but for what only predecessors are left of: format 2 has more of these.
fn similar(found: &Normal, expected: &Normal, at: &str) {
    for (part, expected) in expected {
        let found = &found[part];
        let keys = |map: &Map<String, Json>| map.keys().cloned().collect::<std::collections::BTreeSet<_>>();
        assert_eq!(keys(found), keys(expected), "{at}: {part}");
        for (key, expected) in expected {
            assert_eq!(&found[key], expected, "{at}: {key}");
        }
    }
}

#[tokio::test]
async fn an_old_state_in_s3_says_with_its_journal_what_the_old_program_read_in_it() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/state-v1/shared");
    let config = sdk::config(Emulator::MiniStack.endpoint().unwrap(), "test").await;
    let client = aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build());
    client.create_bucket().bucket("old-state").send().await.unwrap();
    let objects = fixture.join("objects");
    let mut folders = vec![objects.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
                continue;
            }
            let key = entry.strip_prefix(&objects).unwrap().to_str().unwrap();
            let bytes = std::fs::read(&entry).unwrap();
            client.put_object().bucket("old-state").key(key).body(bytes.into()).send().await.unwrap();
        }
    }
    let location = Location { bucket: "old-state".to_owned(), key: "small.json".to_owned(), kms_key_id: None };
    let said = S3Store::new(client, &location).load().await.unwrap().unwrap();
    said.verify().unwrap();
    let expected: Normal = serde_json::from_value(read(&fixture.join("folds.json"))[0].clone()).unwrap();
    similar(&normal(&said), &expected, "shared");
}

/// A platform applied, its state written as the old program would have written it, and what becomes of it.
async fn upgrades(stack: &str, name: &str, variables: &[&str]) {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    let run = |code: i32, command: &[&str]| project.expect(code, &[command, &[stack], variables].concat());
    let account = Inventory::new(&emulator.endpoint, "test").await;
    run(0, &["apply", "-y"]);
    let file = project.path().join(format!("state/{name}.json"));
    let state = read(&file);
    let old = serde_json::to_string_pretty(&downgraded(state.clone())).unwrap();
    std::fs::write(&file, old).unwrap();
    run(0, &["plan", "--detailed-exitcode"]);
    assert_eq!(project.json(&["state", "pull", stack])["resources"], state["resources"]);
    run(0, &["apply", "-y"]);
    run(0, &["destroy", "-y"]);
    let empty = read(&file);
    assert_eq!((&empty["format_version"], &empty["resources"]), (&json!(2), &json!({})));
    // fakecloud keeps a VPC's own route table and security group.
    let left = account.lines().await;
    let left: Vec<&String> = left.iter().filter(|line| !line.contains("not ours")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_state_of_leo_upgrades_plans_empty_and_is_destroyed_to_nothing() {
    upgrades("stacks/prod.toml", "leo", &["--var", "rollout=none"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_state_of_the_agent_upgrades_plans_empty_and_is_destroyed_to_nothing() {
    upgrades("stacks/agent-dev.toml", "claude-code-dev", &["--var", "rollout=none"]).await;
}

#[test]
fn a_saved_plan_of_format_1_is_refused_with_what_to_do() {
    let project = Project::new("http://127.0.0.1:9", "test");
    let plan = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/state-v1/saved-plan/plan.json");
    let refused = project.expect(1, &["apply", "-y", "--plan", plan.to_str().unwrap()]);
    assert!(refused.stderr.contains("format 1"), "{}", refused.stderr);
    assert!(refused.stderr.contains("leoctl plan --out"), "{}", refused.stderr);
}
