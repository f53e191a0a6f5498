//! A cloud, a state and a stack, all in memory.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;

use super::edges::{Nobody, Text};
use super::governed::governing;
use super::late::Late;
use super::law;
use super::shelf::Shelf;
use crate::engine::EngineError;
use crate::engine::apply::{Engine, Report};
use crate::engine::ports::{Failure, FailureKind, Handler, Operation, Outcome, Provider, Wanted};
use crate::engine::refresh::{Planned, Planner};
use crate::model::place::{Place, Scope, Site};
use crate::model::schema::{Catalog, HangsOn, Named, Release, ResourceSchema, TypeSchema};
use crate::model::state::State;
use crate::model::value::Value;
use crate::plan::desired::Governor;
use crate::plan::select::Options;
use crate::stack::scope::Identity;
use crate::stack::vars::Given;
use crate::stack::{self, Stack};

/// The stack's account.
pub const ACCOUNT: &str = "111111111111";
/// The stack's region.
pub const HOME: &str = "eu-west-1";

/// Some types that differ in what their id is and where it is unique.
pub fn catalog() -> Catalog {
    let text = || json!({ "type": "string" });
    let tags = || json!({ "type": "object", "additionalProperties": { "type": "string" } });
    let named = json!({ "type": "object", "required": ["name"], "properties": {
        "name": { "type": "string", "x-replace": true }, "note": text(), "uses": text(), "tags": tags(),
        "zone": { "type": "string", "x-server": true },
        "empty_on_delete": { "type": "boolean", "default": false, "x-local": true },
        "key": { "type": "string", "x-local": true },
        "size": { "type": "integer", "default": 1, "x-replace": true },
        "arn": { "type": "string", "x-computed": true } } });
    let unnamed = json!({ "type": "object", "properties": {
        "cidr": { "type": "string", "x-replace": true }, "uses": text(), "tags": tags(), "id": { "type": "string", "x-computed": true } } });
    let member = json!({ "type": "object", "required": ["of", "name"], "properties": {
        "of": { "type": "string", "x-replace": true }, "name": { "type": "string", "x-replace": true },
        "users": { "type": "array", "items": text(), "default": [] }, "tags": tags(), "arn": { "type": "string", "x-computed": true } } });
    let placed = json!({ "type": "object", "required": ["listener", "priority"], "properties": {
        "listener": { "type": "string", "x-replace": true }, "priority": { "type": "integer" }, "note": text(), "tags": tags(),
        "arn": { "type": "string", "x-computed": true } } });
    let mut untagged = named.clone();
    untagged.pointer_mut("/properties").unwrap().as_object_mut().unwrap().remove("tags");
    let mut catalog = Catalog::default();
    let mut add = |name: &str, schema: &serde_json::Value, scope, unique: &'static [&'static [&'static str]]| {
        let schema = TypeSchema::compile(name, schema).unwrap();
        let joint = (name == "rule").then_some("priority");
        let conflicts: &[&[&str]] = if name == "member" { &[&["of"]] } else { &[] };
        let releases: &[Release] =
            if name == "cluster" { &[Release { attribute: "providers", by: "task", using: "provider" }] } else { &[] };
        let schema = ResourceSchema {
            scope,
            unique,
            exclusive: &["users"],
            conflicts,
            joint,
            releases,
            data_loss: Some("what is in it"),
            held_by: if name == "role" { &["given"] } else { &[] },
            hangs_on: if name == "record" { &[HangsOn { attribute: &["uses"], names: Named::Attribute("group", "arn") }] } else { &[] },
            stays: (name == "given").then_some("the cloud makes it by itself"),
            ..ResourceSchema::plain(schema)
        };
        catalog.resources.insert(name.to_owned(), Arc::new(schema));
    };
    add("role", &named, Scope::Global, &[&["name"]]);
    add("profile", &named, Scope::Global, &[&["name"]]);
    add("group", &named, Scope::Regional, &[&["name"]]);
    add("bucket", &named, Scope::GlobalName, &[&["name"]]);
    add("record", &untagged, Scope::Regional, &[&["name"]]);
    add("given", &named, Scope::Regional, &[&["name"]]);
    add("net", &unnamed, Scope::Regional, &[]);
    add("member", &member, Scope::Regional, &[&["of", "name"]]);
    let cluster = json!({ "type": "object", "required": ["name"], "properties": { "name": { "type": "string", "x-replace": true },
        "providers": { "type": "array", "x-set": true, "items": text() }, "tags": tags(), "arn": { "type": "string", "x-computed": true } } });
    let task = json!({ "type": "object", "required": ["name"], "properties": { "name": { "type": "string", "x-replace": true },
        "cluster": text(), "provider": text(), "tags": tags(), "arn": { "type": "string", "x-computed": true } } });
    add("cluster", &cluster, Scope::Regional, &[&["name"]]);
    add("task", &task, Scope::Regional, &[&["name"]]);
    add("rule", &placed, Scope::Regional, &[&["listener", "priority"]]);
    governing(&mut catalog);
    catalog
}

/// What happens to a changing call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process dies before it.
    KilledBefore,
    /// The process dies after it.
    KilledAfter,
    /// It is answered with this kind of failure, and nothing is done.
    Fails(FailureKind),
    /// It is done, and answered with this kind of failure.
    DoneAndFails(FailureKind),
    /// It is answered with this kind of failure just as the user interrupts, and nothing is done.
    FailsInterrupted(FailureKind),
}

/// A changing call: what, where, and with what it was last seen.
#[derive(Clone, Debug)]
pub struct Call {
    /// `create`, `update`, `reassign` or `delete`.
    pub verb: &'static str,
    /// The resource.
    pub place: Place,
    /// The attributes that were passed.
    pub value: Value,
    /// What a creation replaces.
    pub replaces: Option<String>,
}

/// AWS, as far as the engine can tell.
#[derive(Default)]
pub struct Cloud {
    /// Everything that exists.
    pub resources: Mutex<BTreeMap<Place, Value>>,
    /// Every changing call.
    pub calls: Mutex<Vec<Call>>,
    /// The accounts that names of the stack file lead to; of another name nobody knows.
    pub accounts: Mutex<BTreeMap<String, String>>,
    /// The accounts that were asked for.
    pub asked_for_accounts: Mutex<Vec<String>>,
    /// The region in which nothing may be looked for.
    pub closed: Mutex<Option<String>>,
    /// How often something was looked for.
    pub finds: Mutex<usize>,
    /// The id with which creations of what has a name are answered, instead of making anything.
    pub answers_with: Mutex<Option<String>>,
    /// Every resource that was waited for without changing it.
    pub waits: Mutex<Vec<Place>>,
    /// What was being set of those.
    pub waited_after: Mutex<Vec<String>>,
    /// How late changes are seen.
    pub late: Late,
    /// Who chooses something of resources, by id.
    pub governors: Mutex<Vec<(String, Governor)>>,
    /// The resources of which that was asked.
    pub asked_for_governors: Mutex<Vec<String>>,
    fault: Mutex<Option<(usize, Fault)>>,
    killed: tokio::sync::Notify,
    signalled: tokio::sync::Notify,
}

impl Cloud {
    /// Strikes at a changing call, counted from now on, once.
    pub fn strike(&self, at: usize, fault: Fault) {
        let so_far = self.calls.lock().unwrap().len();
        *self.fault.lock().unwrap() = Some((so_far + at, fault));
    }

    /// Makes a resource by hand.
    pub fn make(&self, place: Place, attributes: serde_json::Value) {
        let mut value = Value::from(attributes);
        if let Value::Map(map) = &mut value {
            map.insert("arn".into(), Value::string(format!("arn:{}", place.id)));
        }
        self.resources.lock().unwrap().insert(place, value);
    }

    /// Deletes by hand.
    pub fn delete(&self, place: &Place) {
        assert!(self.resources.lock().unwrap().remove(place).is_some(), "{place} is not there");
    }

    /// What exists, as `type id region`.
    pub fn world(&self) -> Vec<String> {
        self.resources.lock().unwrap().keys().map(|place| format!("{} {} {}", place.type_name, place.id, place.region)).collect()
    }

    /// What exists, as `type id account`.
    pub fn accounts(&self) -> Vec<String> {
        self.resources.lock().unwrap().keys().map(|place| format!("{} {} {}", place.type_name, place.id, place.account)).collect()
    }

    /// Lets a name of the stack file lead to an account.
    pub fn leads(&self, name: &str, account: &str) {
        self.accounts.lock().unwrap().insert(name.to_owned(), account.to_owned());
    }

    /// Changes what exists, unless AWS would not have it so.
    fn become_if_lawful(&self, change: impl FnOnce(&mut BTreeMap<Place, Value>)) -> Outcome<()> {
        let mut resources = self.resources.lock().unwrap();
        let mut next = resources.clone();
        change(&mut next);
        law::kept(&next)?;
        *resources = next;
        Ok(())
    }

    async fn change<T>(&self, call: Call, effect: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        let at = {
            let mut calls = self.calls.lock().unwrap();
            calls.push(call);
            calls.len() - 1
        };
        let fault = self.fault.lock().unwrap().take_if(|(n, _)| *n == at).map(|(_, fault)| fault);
        match fault {
            None => effect(),
            Some(Fault::Fails(kind)) => Err(Failure::new(kind, "it failed")),
            Some(Fault::FailsInterrupted(kind)) => {
                self.signalled.notify_one();
                Err(Failure::new(kind, "it failed"))
            }
            Some(Fault::DoneAndFails(kind)) => {
                drop(effect());
                Err(Failure::new(kind, "it failed"))
            }
            Some(kill) => {
                if kill == Fault::KilledAfter {
                    drop(effect());
                }
                self.killed.notify_one();
                std::future::pending().await
            }
        }
    }
}

/// The place of a resource of the stack's account.
pub fn place(type_name: &str, id: &str, region: &str) -> Place {
    Place { type_name: type_name.into(), account: ACCOUNT.into(), region: region.into(), id: id.into() }
}

struct Memory {
    cloud: Arc<Cloud>,
    type_name: String,
    schema: Arc<ResourceSchema>,
}

impl Memory {
    fn place(&self, site: &Site, id: &str) -> Place {
        let region = if self.schema.scope == Scope::Global { "global" } else { &site.region };
        Place { account: site.account.clone(), ..place(&self.type_name, id, region) }
    }

    /// A network is read by its id or its ARN.
    fn bare<'a>(&self, id: &'a str) -> &'a str {
        if self.type_name == "net" { id.strip_prefix("arn:").unwrap_or(id) } else { id }
    }

    fn stored(&self, place: Place, value: &Value) -> Outcome<String> {
        let mut map = value.as_map().unwrap().clone();
        map.retain(|name, _| !["empty_on_delete", "key"].contains(&name.as_str()));
        map.insert(if self.type_name == "net" { "id" } else { "arn" }.into(), Value::string(format!("arn:{}", place.id)));
        let id = place.id.clone();
        self.cloud.become_if_lawful(|resources| drop(resources.insert(place, Value::Map(map))))?;
        Ok(id)
    }
}

#[async_trait]
impl Handler for Memory {
    async fn read(&self, site: &Site, ids: &[String]) -> Outcome<BTreeMap<String, Value>> {
        let resources = self.cloud.resources.lock().unwrap();
        let places = ids.iter().map(|id| (id, self.place(site, self.bare(id))));
        let shown = |place: &Place| Some(self.cloud.late.shown(place, resources.get(place)?));
        Ok(places.filter_map(|(id, place)| Some((id.clone(), shown(&place)?))).collect())
    }

    fn id_of(&self, asked: &str, _: &Value) -> String {
        self.bare(asked).to_owned()
    }

    fn takes_over(&self) -> bool {
        self.schema.stays.is_some()
    }

    async fn find(&self, wanted: &Wanted) -> Outcome<Option<String>> {
        *self.cloud.finds.lock().unwrap() += 1;
        if self.cloud.closed.lock().unwrap().as_ref() == Some(&wanted.region) {
            return Err(Failure::new(FailureKind::Denied, "not subscribed"));
        }
        let resources = self.cloud.resources.lock().unwrap();
        let here = resources.iter().filter(|(place, _)| place.type_name == self.type_name);
        if self.type_name == "rule" {
            let at = |value: &Value| ["listener", "priority"].map(|name| value.get(name).cloned());
            let here = here.filter(|(_, value)| at(value) == at(&wanted.desired));
            return Ok(wanted.pick(here.map(|(place, _)| place.id.clone())));
        }
        let ids: Vec<String> = match wanted.text("name") {
            Some(name) => {
                here.filter(|(place, _)| **place == self.place(&wanted.site(), name)).map(|(place, _)| place.id.clone()).collect()
            }
            None => here
                .filter(|(place, value)| {
                    let tags = value.get("tags").and_then(Value::as_map).into_iter().flatten();
                    let tags = tags.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect();
                    place.site() == wanted.site() && wanted.owns(&tags)
                })
                .map(|(place, _)| place.id.clone())
                .collect(),
        };
        Ok(wanted.pick(ids))
    }

    async fn create(&self, operation: &Operation, desired: &Value) -> Outcome<String> {
        if let Some(there) = self.cloud.answers_with.lock().unwrap().clone()
            && desired.get("name").is_some()
        {
            return Ok(there);
        }
        let made = self.cloud.calls.lock().unwrap().len();
        let id = desired.get("name").and_then(Value::as_str).map_or_else(|| format!("net-{made}"), str::to_owned);
        let place = self.place(&operation.site, &id);
        let call = Call { verb: "create", place: place.clone(), value: desired.clone(), replaces: operation.replaces.clone() };
        self.cloud
            .change(call, || {
                let taken = |known: &Place| {
                    known.type_name == place.type_name
                        && known.id == id
                        && (known.site() == place.site() || self.schema.scope == Scope::GlobalName)
                };
                if self.cloud.resources.lock().unwrap().keys().any(taken) {
                    return Err(Failure::exists("test:Create", &id));
                }
                self.stored(place.clone(), desired)
            })
            .await
    }

    async fn finish_create(&self, _: &Operation, _: &str, _: &Value) -> Outcome<()> {
        Ok(())
    }

    async fn update(&self, operation: &Operation, id: &str, _: &Value, to: &Value) -> Outcome<()> {
        let place = self.place(&operation.site, id);
        let call = Call { verb: "update", place: place.clone(), value: to.clone(), replaces: None };
        self.cloud.late.changes(&place, self.cloud.resources.lock().unwrap().get(&place));
        self.cloud.change(call, || self.stored(place, to).map(drop)).await
    }

    async fn reassign(&self, operation: &Operation, to: &[(String, Value)]) -> Outcome<()> {
        let places: Vec<Place> = to.iter().map(|(id, _)| self.place(&operation.site, id)).collect();
        let values = Value::List(to.iter().map(|(_, to)| to.clone()).collect());
        let call = Call { verb: "reassign", place: places[0].clone(), value: values, replaces: None };
        self.cloud
            .change(call, || {
                self.cloud.become_if_lawful(|resources| {
                    for (place, (_, to)) in places.iter().zip(to) {
                        let Some(Value::Map(map)) = resources.get_mut(place) else { panic!("{place} is not there") };
                        map.insert("priority".into(), to.clone());
                    }
                })
            })
            .await
    }

    async fn wait_ready(&self, operation: &Operation, id: &str, updating: &[String], _: &Value) -> Outcome<()> {
        self.cloud.waits.lock().unwrap().push(self.place(&operation.site, id));
        self.cloud.waited_after.lock().unwrap().extend(updating.iter().cloned());
        Ok(())
    }

    async fn delete(&self, operation: &Operation, id: &str, last: &Value) -> Outcome<()> {
        let place = self.place(&operation.site, id);
        let call = Call { verb: "delete", place: place.clone(), value: last.clone(), replaces: None };
        self.cloud
            .change(call, || {
                self.cloud.resources.lock().unwrap().remove(&place);
                Ok(())
            })
            .await
    }

    async fn governors(&self, _: &Site, ids: &[String]) -> Outcome<BTreeMap<String, Vec<Governor>>> {
        let foreign = self.cloud.governors.lock().unwrap();
        self.cloud.asked_for_governors.lock().unwrap().extend(ids.iter().cloned());
        Ok(foreign.iter().filter(|(id, _)| ids.contains(id)).map(|(id, governor)| (id.clone(), vec![governor.clone()])).collect())
    }

    fn timeout(&self, _: &Value) -> Duration {
        Duration::from_secs(60)
    }

    fn seen_within(&self) -> Duration {
        self.cloud.late.within()
    }
}

struct InMemory {
    cloud: Arc<Cloud>,
    catalog: Catalog,
}

#[async_trait]
impl Provider for InMemory {
    async fn identity(&self, _: Option<&str>) -> Outcome<Identity> {
        Ok(Identity { account_id: ACCOUNT.into(), partition: "aws".into(), region: HOME.into(), accounts: BTreeMap::new() })
    }

    async fn account(&self, name: &str) -> Outcome<String> {
        self.cloud.asked_for_accounts.lock().unwrap().push(name.to_owned());
        let known = self.cloud.accounts.lock().unwrap().get(name).cloned();
        known.ok_or_else(|| Failure::new(FailureKind::Denied, format!("nobody may be {name}")))
    }

    fn handler(&self, type_name: &str) -> Option<Arc<dyn Handler>> {
        let schema = Arc::clone(self.catalog.resources.get(type_name)?);
        Some(Arc::new(Memory { cloud: Arc::clone(&self.cloud), type_name: type_name.to_owned(), schema }))
    }

    async fn read_data(&self, _: &str, _: &Site, _: &Value) -> Outcome<Value> {
        Ok(Value::Null)
    }

    fn api_calls(&self) -> BTreeMap<String, u64> {
        BTreeMap::new()
    }
}

/// One stack, one cloud, one state.
#[derive(Default)]
pub struct World {
    /// AWS.
    pub cloud: Arc<Cloud>,
    /// The state.
    pub shelf: Shelf,
    /// The values given for variables.
    pub given: Given,
}

impl World {
    fn stack(&self, body: &str) -> Result<Stack, String> {
        let text = format!("[stack]\nname = \"s\"\nregion = \"{HOME}\"\n{body}");
        let loaded = stack::load(Path::new("s.toml"), &Text(text), &self.given, &catalog());
        let told = |loaded: &stack::Loaded| loaded.diagnostics.0.iter().map(|one| one.message.clone()).collect::<Vec<_>>().join("; ");
        let problem = told(&loaded);
        loaded.stack.ok_or(problem)
    }

    /// A plan, or the messages of why there is none.
    pub async fn plan_with(&self, body: &str, options: &Options) -> Result<Planned, String> {
        self.plan_over(body, options, self.shelf.state()).await
    }

    /// A plan over a state that the shelf does not have, or the messages of why there is none.
    pub async fn plan_over(&self, body: &str, options: &Options, state: Option<State>) -> Result<Planned, String> {
        let stack = Arc::new(self.stack(body)?);
        let catalog = catalog();
        let provider = InMemory { cloud: Arc::clone(&self.cloud), catalog: catalog.clone() };
        let planner = Planner { provider: &provider, catalog: &catalog, stack: &stack, refresh: true, options };
        let fresh = |_: &Identity| State::new("s", ACCOUNT, HOME, "lineage".into(), "salt".into());
        planner.plan(state, fresh).await.map_err(|error| match error {
            EngineError::Diagnostics(diagnostics) => diagnostics.0.iter().map(|one| one.message.clone()).collect::<Vec<_>>().join("; "),
            other => other.to_string(),
        })
    }

    /// A plan, or the messages of why there is none.
    pub async fn plan(&self, body: &str) -> Result<Planned, String> {
        self.plan_with(body, &Options::default()).await
    }

    /// Plans and carries it out; none when leoctl was killed.
    pub async fn run(&self, body: &str, options: &Options) -> Option<Report> {
        self.run_with(body, options, 4).await
    }

    /// The same with as many operations at once.
    pub async fn run_with(&self, body: &str, options: &Options, parallelism: usize) -> Option<Report> {
        self.carry_out_with(self.plan_with(body, options).await.unwrap(), parallelism).await
    }

    /// Carries a plan out; none when leoctl was killed.
    pub async fn carry_out(&self, planned: Planned) -> Option<Report> {
        self.carry_out_with(planned, 4).await
    }

    async fn carry_out_with(&self, planned: Planned, parallelism: usize) -> Option<Report> {
        let catalog = catalog();
        let provider = InMemory { cloud: Arc::clone(&self.cloud), catalog: catalog.clone() };
        let (signal, interrupted) = tokio::sync::watch::channel(false);
        let signalled = async {
            self.cloud.signalled.notified().await;
            signal.send_replace(true);
            std::future::pending::<std::convert::Infallible>().await
        };
        let engine = Engine { provider: &provider, catalog: &catalog, store: &self.shelf, sink: &Nobody, parallelism, interrupted };
        tokio::select! {
            report = engine.apply(planned) => Some(report.unwrap()),
            () = self.cloud.killed.notified() => None,
            never = signalled => match never {},
        }
    }

    /// Applies, which has to succeed, and leaves nothing further to do.
    pub async fn apply(&self, body: &str) -> Report {
        let report = self.run(body, &Options::default()).await.expect("it was not killed");
        assert!(report.failed.is_empty(), "{:?}", report.failed);
        let again = self.plan(body).await.unwrap();
        assert!(!again.plan.has_changes() && again.plan.steps.is_empty(), "{:?}", again.plan.steps);
        assert!(again.ledger.records().is_empty(), "{:?}", again.ledger.records());
        report
    }

    /// Deletes everything.
    pub async fn destroy(&self, body: &str) -> Report {
        self.run(body, &Options { destroy: true, ..Options::default() }).await.expect("it was not killed")
    }

    /// What steps a plan has, as `action address place`.
    pub async fn steps(&self, body: &str) -> Vec<String> {
        let planned = self.plan(body).await.unwrap();
        let shown = planned.plan.steps.iter().map(|step| {
            let place = step.kind.place().map(|place| format!(" {} {}", place.id, place.region)).unwrap_or_default();
            format!("{} {}{place}", step.kind.name(), step.address)
        });
        shown.collect()
    }
}
