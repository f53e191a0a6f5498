//! The real engine over resources in memory that fail, lose answers, or die at the n-th call: whatever
//! happens, running again ends where an undisturbed run ends, with nothing twice and nothing left behind.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use leoctl::store::LocalStore;
use leoctl_aws::registry;
use leoctl_core::engine::apply::Engine;
use leoctl_core::engine::ports::{Failure, FailureKind, Handler, Operation, Outcome, Provider, Store, Wanted};
use leoctl_core::engine::refresh::Planner;
use leoctl_core::model::place::Site;
use leoctl_core::model::state::State;
use leoctl_core::model::value::Value;
use leoctl_core::plan::select::Options;
use leoctl_core::stack::scope::Identity;

use crate::support::world::{Nobody, stack};

/// What happens at the n-th change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Refused,
    LostBefore,
    LostAfter,
    KilledBefore,
    KilledAfter,
}

const FAULTS: [Fault; 5] = [Fault::Refused, Fault::LostBefore, Fault::LostAfter, Fault::KilledBefore, Fault::KilledAfter];

#[derive(Default)]
struct Cloud {
    resources: Mutex<BTreeMap<(String, String), Value>>,
    made: AtomicUsize,
    changes: AtomicUsize,
    fault: Mutex<Option<(usize, Fault)>>,
    killed: tokio::sync::Notify,
}

impl Cloud {
    /// Does a change, or what the fault makes of it.
    async fn change<T>(&self, effect: impl FnOnce() -> T) -> Outcome<T> {
        let at = self.changes.fetch_add(1, Ordering::Relaxed);
        let fault = self.fault.lock().unwrap().filter(|(n, _)| *n == at).map(|(_, fault)| fault);
        match fault {
            None => Ok(effect()),
            Some(Fault::Refused) => Err(Failure::new(FailureKind::Refused, "refused")),
            Some(Fault::LostBefore) => Err(Failure::new(FailureKind::Ambiguous, "lost")),
            Some(Fault::LostAfter) => {
                effect();
                Err(Failure::new(FailureKind::Ambiguous, "lost"))
            }
            Some(kill) => {
                if kill == Fault::KilledAfter {
                    effect();
                }
                self.killed.notify_one();
                std::future::pending().await
            }
        }
    }
}

struct Memory {
    cloud: Arc<Cloud>,
    type_name: String,
}

impl Memory {
    fn key(&self, id: &str) -> (String, String) {
        (self.type_name.clone(), id.to_owned())
    }

    fn put(&self, id: &str, desired: &Value) {
        let schema = &registry::catalog().resources[&self.type_name].schema;
        let mut map = desired.as_map().unwrap().clone();
        for attribute in schema.attributes.iter().filter(|attribute| attribute.computed) {
            map.insert(attribute.name.clone(), Value::string(id));
        }
        self.cloud.resources.lock().unwrap().insert(self.key(id), Value::Map(map));
    }
}

#[async_trait]
impl Handler for Memory {
    async fn read(&self, _: &Site, ids: &[String]) -> Outcome<BTreeMap<String, Value>> {
        let resources = self.cloud.resources.lock().unwrap();
        Ok(ids.iter().filter_map(|id| Some((id.clone(), resources.get(&self.key(id))?.clone()))).collect())
    }

    async fn find(&self, wanted: &Wanted) -> Outcome<Option<String>> {
        let resources = self.cloud.resources.lock().unwrap();
        let owned = resources.iter().filter(|((type_name, _), value)| {
            let tags = value.get("tags").and_then(Value::as_map).into_iter().flatten();
            let tags = tags.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect();
            *type_name == self.type_name && wanted.owns(&tags)
        });
        Ok(wanted.pick(owned.map(|((_, id), _)| id.clone())))
    }

    async fn create(&self, _: &Operation, desired: &Value) -> Outcome<String> {
        let id = format!("{}-{}", self.type_name, self.cloud.made.fetch_add(1, Ordering::Relaxed));
        self.cloud.change(|| self.put(&id, desired)).await?;
        Ok(id)
    }

    async fn finish_create(&self, _: &Operation, _: &str, _: &Value) -> Outcome<()> {
        Ok(())
    }

    async fn update(&self, _: &Operation, id: &str, _: &Value, to: &Value) -> Outcome<()> {
        self.cloud.change(|| self.put(id, to)).await
    }

    async fn wait_ready(&self, _: &Operation, _: &str, _: &[String], _: &Value) -> Outcome<()> {
        Ok(())
    }

    async fn delete(&self, _: &Operation, id: &str, _: &Value) -> Outcome<()> {
        self.cloud.change(|| drop(self.cloud.resources.lock().unwrap().remove(&self.key(id)))).await
    }

    fn timeout(&self, _: &Value) -> Duration {
        Duration::from_secs(60)
    }
}

struct InMemory(Arc<Cloud>);

#[async_trait]
impl Provider for InMemory {
    async fn identity(&self, _: Option<&str>) -> Outcome<Identity> {
        Ok(Identity {
            account_id: "1".to_owned(),
            partition: "aws".to_owned(),
            region: "us-east-1".to_owned(),
            accounts: Default::default(),
        })
    }

    fn handler(&self, type_name: &str) -> Option<Arc<dyn Handler>> {
        Some(Arc::new(Memory { cloud: Arc::clone(&self.0), type_name: type_name.to_owned() }))
    }

    async fn read_data(&self, _: &str, _: &Site, _: &Value) -> Outcome<Value> {
        Ok(Value::Null)
    }

    fn api_calls(&self) -> BTreeMap<String, u64> {
        BTreeMap::new()
    }
}

/// One stack, one cloud, one state folder.
struct Bench {
    cloud: Arc<Cloud>,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { cloud: Arc::default(), folder: tempfile::tempdir().unwrap() }
    }

    /// One run of leoctl; whether it ended well. A killed one is simply dropped.
    async fn run(&self, body: &str) -> bool {
        let provider = InMemory(Arc::clone(&self.cloud));
        let store = LocalStore::new(self.folder.path(), "bench");
        let run = async {
            let stack = Arc::new(stack("bench", "us-east-1", body).unwrap());
            let catalog = registry::catalog();
            let options = Options::default();
            let planner = Planner { provider: &provider, catalog, stack: &stack, refresh: true, options: &options };
            let fresh = |_: &Identity| State::new("bench", "1", "us-east-1", "lineage".to_owned(), "salt".to_owned());
            let planned = planner.plan(store.load().await.unwrap(), fresh).await.unwrap();
            let (_keep, interrupted) = tokio::sync::watch::channel(false);
            let engine = Engine { provider: &provider, catalog, store: &store, sink: &Nobody, parallelism: 4, interrupted };
            let report = engine.apply(planned).await.unwrap();
            report.failed.is_empty()
        };
        tokio::select! {
            well = run => well,
            () = self.cloud.killed.notified() => false,
        }
    }

    /// What exists, ids aside: type and every attribute that is not an id.
    fn world(&self) -> Vec<(String, String)> {
        let resources = self.cloud.resources.lock().unwrap();
        let named = |value: &Value| {
            let keys = ["name", "cidr_block", "retention_in_days"];
            keys.iter().filter_map(|key| value.get(key)).map(leoctl::ui::value::inline).collect::<Vec<_>>().join(" ")
        };
        let mut world: Vec<_> = resources.iter().map(|((type_name, _), value)| (type_name.clone(), named(value))).collect();
        world.sort();
        world
    }
}

const FIRST: &str = r#"
[resource.vpc.v]
cidr_block = "10.0.0.0/16"
[resource.subnet.s]
for_each = ["a", "b"]
vpc_id = "${vpc.v.id}"
cidr_block = "${cidrsubnet(vpc.v.cidr_block, 8, each.index)}"
[resource.cloudwatch_log_group.l]
name = "l"
retention_in_days = 7
[resource.cloudwatch_log_group.gone]
name = "gone"
"#;

/// The VPC and what is in it are replaced, a group is changed, another deleted.
const SECOND: &str = r#"
[resource.vpc.v]
cidr_block = "10.1.0.0/16"
[resource.vpc.v.lifecycle]
create_before_destroy = true
[resource.subnet.s]
for_each = ["a", "b"]
vpc_id = "${vpc.v.id}"
cidr_block = "${cidrsubnet(vpc.v.cidr_block, 8, each.index)}"
[resource.subnet.s.lifecycle]
create_before_destroy = true
[resource.cloudwatch_log_group.l]
name = "l"
retention_in_days = 30
"#;

/// From one stack to another, with every fault at every change.
async fn sweep(from: &str, to: &str) {
    let calm = Bench::new();
    assert!(calm.run(from).await);
    let before = calm.cloud.changes.load(Ordering::Relaxed);
    assert!(calm.run(to).await);
    let changes = calm.cloud.changes.load(Ordering::Relaxed) - before;
    assert!(changes >= 5, "the sweep has nothing to disturb");
    let expected = calm.world();
    for fault in FAULTS {
        for at in 0..changes {
            let bench = Bench::new();
            assert!(bench.run(from).await);
            let start = bench.cloud.changes.load(Ordering::Relaxed);
            *bench.cloud.fault.lock().unwrap() = Some((start + at, fault));
            let mut runs = 1;
            while !bench.run(to).await {
                runs += 1;
                assert!(runs <= 2, "{fault:?} at {at}: a second run did not end it");
            }
            assert_eq!(bench.world(), expected, "{fault:?} at {at}");
            let changed = bench.cloud.changes.load(Ordering::Relaxed);
            assert!(bench.run(to).await);
            assert_eq!(bench.cloud.changes.load(Ordering::Relaxed), changed, "{fault:?} at {at}: a further run changes something");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_fault_while_creating_is_survived() {
    sweep("", FIRST).await;
}

#[tokio::test(start_paused = true)]
async fn every_fault_while_replacing_is_survived() {
    sweep(FIRST, SECOND).await;
    // The same, where what is replaced goes first.
    let lifecycles = ["[resource.vpc.v.lifecycle]\n", "[resource.subnet.s.lifecycle]\n", "create_before_destroy = true\n"];
    sweep(FIRST, &lifecycles.iter().fold(SECOND.to_owned(), |text, line| text.replace(line, ""))).await;
}

#[tokio::test(start_paused = true)]
async fn every_fault_while_deleting_is_survived() {
    sweep(FIRST, "").await;
}
