//! Every store keeps the same promises: what was recorded is there after a crash, and nothing that somebody else has
//! written is overwritten. Two leoctls on one shared state: one works, the other says who does.

use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use leoctl::store::LocalStore;
use leoctl_aws::state::{Location, S3Store};
use leoctl_core::engine::ports::Store;
use leoctl_core::model::address::Address;
use leoctl_core::model::journal::Record;
use leoctl_core::model::place::Place;
use leoctl_core::model::state::State;

use crate::support::emulator::Emulator;
use crate::support::inventory::Inventory;
use crate::support::preload;
use crate::support::program::{Project, Ran, ran};
use crate::support::proxy::Proxy;
use crate::support::proxy::fault::Fault;
use crate::support::sdk;

const STACK: &str = "stacks/shared.toml";
const BUCKET: &str = "leo-state";

fn state(serial: u64) -> State {
    let mut state = State::new("s", "1", "r", "lineage".to_owned(), "salt".to_owned());
    state.serial = serial;
    state
}

fn created(name: &str) -> Record {
    let place = Place { type_name: "vpc".to_owned(), account: "1".to_owned(), region: "r".to_owned(), id: format!("vpc-{name}") };
    Record::Created { address: Address::single("vpc", name), token: name.to_owned(), place }
}

async fn client(endpoint: &str, bucket: &str) -> aws_sdk_s3::Client {
    let client = client_of(endpoint).await;
    client.create_bucket().bucket(bucket).send().await.unwrap();
    client
}

async fn client_of(endpoint: &str) -> aws_sdk_s3::Client {
    let config = sdk::config(endpoint, "test").await;
    aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build())
}

/// What every store does, given a way to open it anew.
async fn keeps_its_promises(open: impl Fn() -> Box<dyn Store>) {
    let first = open();
    first.lock("leoctl apply").await.unwrap();
    assert!(first.load().await.unwrap().is_none());
    assert_eq!(first.saved_at().await.unwrap(), None);
    first.begin(&state(0)).await.unwrap();
    first.append(&created("a")).await.unwrap();
    first.append(&created("b")).await.unwrap();
    // It dies here. What it recorded is there for the next one, which records more.
    first.release().await;
    drop(first);
    let second = open();
    second.lock("leoctl apply").await.unwrap();
    let found = second.load().await.unwrap().unwrap();
    assert_eq!(found.resources.len(), 2);
    assert_eq!(found.serial, 0);
    second.begin(&found).await.unwrap();
    second.append(&created("c")).await.unwrap();
    let mut all = open().load().await.unwrap().unwrap();
    assert_eq!(all.resources.len(), 3, "reading takes no lock, and sees what has been recorded");
    // Saved whole, the journal is over.
    all.serial += 1;
    second.save(&all).await.unwrap();
    let saved_at = open().saved_at().await.unwrap().unwrap();
    assert!(saved_at.duration_until(jiff::Timestamp::now()).as_secs() < 60, "{saved_at}");
    let saved = open().load().await.unwrap().unwrap();
    assert_eq!((saved.serial, saved.resources.len()), (1, 3));
    let copy = second.backup(&all).await.unwrap();
    assert!(!copy.is_empty());
    second.remove().await.unwrap();
    assert!(open().load().await.unwrap().is_none());
    second.release().await;
}

#[tokio::test]
async fn a_local_store_keeps_its_promises() {
    let folder = tempfile::tempdir().unwrap();
    keeps_its_promises(|| Box::new(LocalStore::new(folder.path(), "s"))).await;
}

#[tokio::test]
async fn a_store_in_s3_keeps_its_promises() {
    for (number, emulator) in [Emulator::Fakecloud, Emulator::MiniStack, Emulator::Moto].into_iter().enumerate() {
        let Some(endpoint) = emulator.endpoint() else { continue };
        let bucket = format!("promises-{number}");
        let client = client(endpoint, &bucket).await;
        let location = Location { bucket, key: "s.json".to_owned(), kms_key_id: None };
        keeps_its_promises(|| Box::new(S3Store::new(client.clone(), &location))).await;
    }
}

#[tokio::test]
async fn what_somebody_else_has_written_is_not_overwritten() {
    let endpoint = Emulator::MiniStack.endpoint().unwrap();
    let client = client(endpoint, "overwritten").await;
    let location = Location { bucket: "overwritten".to_owned(), key: "s.json".to_owned(), kms_key_id: None };
    let old = S3Store::new(client.clone(), &location);
    old.lock("leoctl apply").await.unwrap();
    old.begin(&state(0)).await.unwrap();
    old.append(&created("a")).await.unwrap();
    // Somebody takes the lock away and goes on, with what the old one has recorded.
    let new = S3Store::new(client, &location);
    assert!(new.unlock().await.unwrap().unwrap().contains("leoctl apply"));
    new.lock("leoctl apply").await.unwrap();
    let found = new.load().await.unwrap().unwrap();
    new.begin(&found).await.unwrap();
    new.append(&created("b")).await.unwrap();
    let refused = old.save(&state(1)).await.unwrap_err();
    assert!(refused.lost, "{refused}");
    assert!(old.append(&created("c")).await.unwrap_err().lost);
    let mut all = new.load().await.unwrap().unwrap();
    assert_eq!(all.resources.len(), 2);
    all.serial += 1;
    new.save(&all).await.unwrap();
}

/// A store on a bucket of its own.
async fn stores(bucket: &str) -> impl Fn() -> S3Store {
    let client = client(Emulator::MiniStack.endpoint().unwrap(), bucket).await;
    let location = Location { bucket: bucket.to_owned(), key: "s.json".to_owned(), kms_key_id: None };
    move || S3Store::new(client.clone(), &location)
}

#[tokio::test]
async fn what_is_recorded_between_reading_and_beginning_is_not_passed_over() {
    let open = stores("between").await;
    let slow = open();
    slow.lock("leoctl apply").await.unwrap();
    slow.begin(&state(0)).await.unwrap();
    let read = slow.load().await.unwrap().unwrap();
    // One that was thought dead records what its last call had made.
    let journal = aws_sdk_s3::primitives::ByteStream::from(serde_json::to_vec(&created("late")).unwrap());
    let client = client_of(Emulator::MiniStack.endpoint().unwrap()).await;
    client.put_object().bucket("between").key("s.json.journal/000000000000-lineage/00000007").body(journal).send().await.unwrap();
    let refused = slow.begin(&read).await.unwrap_err();
    assert!(refused.message.contains("something was recorded"), "{refused}");
    let again = slow.load().await.unwrap().unwrap();
    assert!(again.resources.contains_key(&Address::single("vpc", "late")));
    slow.begin(&again).await.unwrap();
    slow.release().await;
}

#[tokio::test]
async fn a_journal_of_a_later_state_is_not_passed_over() {
    let open = stores("later").await;
    let store = open();
    store.lock("leoctl apply").await.unwrap();
    store.begin(&state(3)).await.unwrap();
    store.append(&created("a")).await.unwrap();
    // Somebody puts an older state in the place of the one the journal belongs to.
    let client = client_of(Emulator::MiniStack.endpoint().unwrap()).await;
    let older = aws_sdk_s3::primitives::ByteStream::from(serde_json::to_vec(&state(2)).unwrap());
    client.put_object().bucket("later").key("s.json").body(older).send().await.unwrap();
    let refused = open().load().await.unwrap_err();
    assert!(refused.message.contains("belongs to a later state"), "{refused}");
    store.release().await;
}

#[tokio::test]
async fn a_lock_that_was_just_renewed_is_not_broken_unseen() {
    let open = stores("unlocked").await;
    let holder = open();
    holder.lock("leoctl apply").await.unwrap();
    assert!(open().unlock().await.unwrap().unwrap().contains("leoctl apply"));
    // It is free, and stays so for one who only looks again.
    assert!(open().unlock().await.unwrap().is_none());
    let next = open();
    assert!(next.lock("leoctl destroy").await.unwrap().iter().all(|note| !note.contains("expired")));
    assert!(holder.save(&state(1)).await.unwrap_err().lost);
    next.begin(&state(0)).await.unwrap();
    next.release().await;
}

/// Puts the state of a project's Leo stack into a bucket, which is made.
pub fn share(project: &Project, endpoint: &str, stack: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(client(endpoint, BUCKET));
    point(project, stack);
}

fn point(project: &Project, stack: &str) {
    let backend = format!("[stack.backend.s3]\nbucket = \"{BUCKET}\"\nkey = \"prod.json\"\n");
    project.write(stack, &format!("[stack]\nname = \"leo\"\nextends = [\"base/leo.toml\"]\n{backend}[vars]\nrollout.default = \"none\"\n"));
}

/// A project whose state is in S3.
fn shared(endpoint: &str) -> Project {
    let project = Project::new(endpoint, "test");
    point(&project, STACK);
    project
}

fn started(project: &Project, endpoint: &str) -> Child {
    let mut command = project.command(&["apply", "-y", STACK]);
    command.env("AWS_ENDPOINT_URL", endpoint).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn ended(child: Child) -> Ran {
    ran(child.wait_with_output().unwrap())
}

async fn nothing_is_twice(endpoint: &str, alone: &[String]) {
    let lines = Inventory::new(endpoint, "test").await.lines().await;
    assert_eq!(lines, alone);
}

/// What an apply of one alone leaves.
async fn alone() -> Option<Vec<String>> {
    let emulator = Emulator::Fakecloud.alone()?;
    client(&emulator.endpoint, BUCKET).await;
    shared(&emulator.endpoint).expect(0, &["apply", "-y", STACK]);
    Some(Inventory::new(&emulator.endpoint, "test").await.lines().await)
}

async fn race(times: usize) {
    let Some(wanted) = alone().await else { return };
    for _ in 0..times {
        let emulator = Emulator::Fakecloud.alone().unwrap();
        client(&emulator.endpoint, BUCKET).await;
        let (one, other) = (shared(&emulator.endpoint), shared(&emulator.endpoint));
        let (one, other) = (started(&one, &emulator.endpoint), started(&other, &emulator.endpoint));
        let mut both = [ended(one), ended(other)];
        both.sort_by_key(|ran| ran.code);
        assert_eq!([both[0].code, both[1].code], [0, 1], "{}\n{}", both[0].stderr, both[1].stderr);
        let refused = &both[1].stderr;
        assert!(refused.contains("working on this stack: `leoctl apply` on ") && refused.contains(", since 20"), "{refused}");
        nothing_is_twice(&emulator.endpoint, &wanted).await;
    }
}

#[tokio::test]
async fn of_two_at_once_one_works_and_the_other_says_who() {
    race(2).await;
}

#[tokio::test]
#[ignore = "takes minutes; its figures are in docs/reliability.md"]
async fn of_two_at_once_one_works_and_the_other_says_who_twenty_times() {
    race(20).await;
}

#[tokio::test]
async fn one_that_slept_past_its_lease_changes_nothing_more() {
    let Some(wanted) = alone().await else { return };
    let emulator = Emulator::Fakecloud.alone().unwrap();
    client(&emulator.endpoint, BUCKET).await;
    let sleeper = shared(&emulator.endpoint);
    let asleep = Arc::new(AtomicUsize::new(0));
    let (process, stopped) = (Arc::clone(&asleep), Arc::new(tokio::sync::Notify::new()));
    let tell = Arc::clone(&stopped);
    let first = AtomicUsize::new(0);
    // In the middle of its work, with calls on their way.
    let proxy = Proxy::start(&emulator.endpoint, move |call| {
        let (process, tell) = (Arc::clone(&process), Arc::clone(&tell));
        (call.operation == "CreateSubnet" && first.fetch_add(1, Ordering::SeqCst) == 0).then(|| {
            Fault::Then(Arc::new(move || {
                signal("STOP", process.load(Ordering::SeqCst));
                tell.notify_one();
            }))
        })
    });
    let child = started(&sleeper, &proxy.endpoint);
    asleep.store(usize::try_from(child.id()).unwrap(), Ordering::SeqCst);
    stopped.notified().await;
    let began = Instant::now();
    // The other waits until the lease is over, and goes on where the sleeper stopped.
    let other = shared(&emulator.endpoint).expect(0, &["apply", "-y", STACK]);
    assert!(other.stderr.contains("had expired and was taken over"), "{}", other.stderr);
    let waits = ["the lock, should its holder be dead, ends within ", "it is held by `leoctl apply` on "];
    assert!(waits.iter().all(|words| other.stderr.contains(words)), "{}", other.stderr);
    assert!(began.elapsed() < Duration::from_secs(60));
    let before = proxy.calls().len();
    signal("CONT", asleep.load(Ordering::SeqCst));
    let woken = ended(child);
    assert_eq!(woken.code, 1, "{}", woken.stderr);
    assert!(woken.stderr.contains("the lock on the state was lost"), "{}", woken.stderr);
    let after: Vec<String> = proxy.calls().iter().skip(before).filter(|call| call.mutates).map(|call| call.name()).collect();
    assert!(after.iter().all(|name| name.starts_with("s3:PUT object")), "{after:?}");
    nothing_is_twice(&emulator.endpoint, &wanted).await;
    shared(&emulator.endpoint).expect(0, &["plan", "--detailed-exitcode", STACK]);
}

#[tokio::test]
async fn a_clock_that_is_minutes_wrong_takes_no_lock_and_loses_none() {
    let Some(wanted) = alone().await else { return };
    for (minutes, others) in [(0, 20), (-20, 0), (20, -20)] {
        let emulator = Emulator::Fakecloud.alone().unwrap();
        client(&emulator.endpoint, BUCKET).await;
        let (begun, told) = (Arc::new(tokio::sync::Notify::new()), AtomicUsize::new(0));
        let tell = Arc::clone(&begun);
        let proxy = Proxy::start(&emulator.endpoint, move |call| {
            if call.operation == "CreateSubnet" && told.fetch_add(1, Ordering::SeqCst) == 0 {
                tell.notify_one();
            }
            // Long enough that the lock is renewed more than once.
            (call.operation == "CreateSubnet").then_some(Fault::Wait(Duration::from_secs(9)))
        });
        let working = shared(&emulator.endpoint);
        let mut command = working.command(&["apply", "-y", STACK]);
        command.env("AWS_ENDPOINT_URL", &proxy.endpoint).stdout(Stdio::piped()).stderr(Stdio::piped());
        let working = preload::clock(&mut command, minutes * 60).spawn().unwrap();
        begun.notified().await;
        let other = shared(&emulator.endpoint);
        let refused = ran(preload::clock(&mut other.command(&["apply", "-y", STACK]), others * 60).output().unwrap());
        assert_eq!(refused.code, 1, "{}", refused.stderr);
        assert!(refused.stderr.contains("is working on this stack"), "{}", refused.stderr);
        let worked = ended(working);
        assert_eq!(worked.code, 0, "{}", worked.stderr);
        nothing_is_twice(&emulator.endpoint, &wanted).await;
    }
}

fn signal(name: &str, process: usize) {
    let sent = std::process::Command::new("kill").args([&format!("-{name}"), &process.to_string()]).status().unwrap();
    assert!(sent.success());
}

#[tokio::test]
async fn a_state_moves_between_a_file_and_a_bucket() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    client(&emulator.endpoint, BUCKET).await;
    let project = Project::new(&emulator.endpoint, "test");
    let here = "[stack]\nname = \"m\"\nregion = \"us-east-1\"\n[resource.vpc.main]\ncidr_block = \"10.0.0.0/16\"\n";
    let there = here.replace("region", &format!("backend.s3 = {{ bucket = \"{BUCKET}\", key = \"m.json\" }}\nregion"));
    project.write("stacks/m.toml", here);
    project.expect(0, &["apply", "-y", "stacks/m.toml"]);
    project.write("stacks/m.toml", &there);
    // Planning on an empty bucket would make everything a second time.
    let refused = project.expect(1, &["plan", "stacks/m.toml"]);
    assert!(refused.stderr.contains("leoctl state migrate"), "{}", refused.stderr);
    project.expect(0, &["state", "migrate", "stacks/m.toml"]);
    assert!(!project.path().join("state/m.json").exists());
    project.expect(0, &["plan", "--detailed-exitcode", "stacks/m.toml"]);
    project.expect(0, &["state", "mv", "vpc.main", "vpc.other", "stacks/m.toml"]);
    project.write("stacks/m.toml", &there.replace("vpc.main", "vpc.other"));
    // Its tags still say what it was.
    assert!(project.expect(2, &["plan", "--detailed-exitcode", "stacks/m.toml"]).stdout.contains("1 to update"));
    project.expect(0, &["apply", "-y", "stacks/m.toml"]);
    let pulled = project.expect(0, &["state", "pull", "stacks/m.toml"]).stdout;
    project.write("pulled.json", &pulled);
    project.expect(0, &["state", "rm", "vpc.other", "stacks/m.toml"]);
    assert_eq!(project.json(&["state", "list", "--json", "stacks/m.toml"]), serde_json::json!([]));
    let older = project.expect(1, &["state", "push", "pulled.json", "stacks/m.toml"]);
    assert!(older.stderr.contains("the file is older") && older.stderr.contains("--force"), "{}", older.stderr);
    project.expect(0, &["state", "push", "--force", "pulled.json", "stacks/m.toml"]);
    project.write("stacks/m.toml", &here.replace("vpc.main", "vpc.other"));
    project.expect(0, &["state", "migrate", "--from", &format!("s3://{BUCKET}/m.json"), "stacks/m.toml"]);
    project.expect(0, &["plan", "--detailed-exitcode", "stacks/m.toml"]);
}
