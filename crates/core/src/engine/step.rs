//! One step of an apply: what is asked of AWS, and what is made durable before and after.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::apply::Shared;
use super::event::{Event, Verb};
use super::ports::{Failure, FailureKind, Handler, Operation, Outcome, Progress, Wanted};
use super::refresh::{Sought, patiently_find};
use super::retry::{backoff, retrying};
use crate::model::address::{Address, Block};
use crate::model::canonical::{canonicalize, with_local};
use crate::model::journal::Record;
use crate::model::pin::Pins;
use crate::model::secrecy::{conceal, secret_paths};
use crate::model::state::{Intent, ResourceState};
use crate::model::value::Value;
use crate::plan::desired::{desired, settled};
use crate::plan::diff::{complete, diff, ignore};
use crate::plan::schedule::Task;
use crate::plan::types::{Action, Change, Plan};
use crate::stack::config::ResourceBlock;
use crate::stack::expand::{self, Instances};
use crate::stack::template;

/// How long what was done may take to be seen.
const READ_BACK: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(1)];

/// One step: a task that does something.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) address: Address,
    pub(super) verb: Verb,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Read(Block),
    Apply(Box<Change>),
    Delete(Box<Change>),
}

impl Verb {
    /// The verb as what has been done.
    pub fn past(self) -> &'static str {
        match self {
            Self::Create => "created",
            Self::Update => "updated",
            Self::Delete => "deleted",
            Self::Import => "imported",
            Self::Forget => "forgotten",
            Self::Wait => "ready",
            Self::Read => "read",
        }
    }
}

impl Step {
    /// The step of a task; none when there is nothing to do.
    pub(super) fn of(plan: &Plan, task: &Task) -> Option<Self> {
        let (address, verb, kind) = match task {
            Task::Read(block) => {
                let address = Address { block: Block::new(format!("data.{}", block.type_name), &*block.name), key: None };
                (address, Verb::Read, Kind::Read(block.clone()))
            }
            Task::Apply(address) => {
                let change = plan.change(address)?;
                let verb = match change.action {
                    Action::Create | Action::Replace => Verb::Create,
                    Action::Update => Verb::Update,
                    Action::Import => Verb::Import,
                    Action::NoOp if change.state_only => Verb::Wait,
                    Action::NoOp | Action::Delete | Action::Forget => return None,
                };
                (address.clone(), verb, Kind::Apply(Box::new(change.clone())))
            }
            Task::Delete(address) => {
                let change = plan.change(address)?;
                let verb = if change.action == Action::Forget || change.guard.retain { Verb::Forget } else { Verb::Delete };
                (address.clone(), verb, Kind::Delete(Box::new(change.clone())))
            }
        };
        Some(Self { address, verb, kind })
    }

    pub(super) async fn run(&self, shared: &Shared<'_>) -> Outcome<()> {
        let started = Instant::now();
        shared.check().await?;
        let id = match &self.kind {
            Kind::Read(block) => read_data(shared, block).await?,
            Kind::Apply(change) => Runner::new(shared, change)?.apply().await?,
            Kind::Delete(change) => Runner::new(shared, change)?.delete().await?,
        };
        shared.engine.sink.emit(&Event::Finished { address: self.address.clone(), verb: self.verb, id, elapsed: started.elapsed() });
        Ok(())
    }
}

async fn read_data(shared: &Shared<'_>, block: &Block) -> Outcome<String> {
    let Some(config) = shared.plan.stack.config.data.get(block) else { return Ok(String::new()) };
    let arguments = shared.scope(|scope| config.attributes.eval(&scope)).map_err(unresolved)?;
    let arguments = canonicalize(&config.schema.attributes, &arguments);
    let value = shared.engine.provider.read_data(&block.type_name, &shared.plan.identity.region, &arguments).await?;
    shared.set_data(block, value);
    Ok(String::new())
}

fn unresolved((error, _): template::Failure) -> Failure {
    Failure::new(FailureKind::Other, error.message)
}

/// Runs the operations of one change.
struct Runner<'a> {
    shared: &'a Shared<'a>,
    change: &'a Change,
    handler: Arc<dyn Handler>,
}

impl<'a> Runner<'a> {
    fn new(shared: &'a Shared<'_>, change: &'a Change) -> Outcome<Self> {
        let type_name = change.address.type_name();
        let handler = shared.engine.provider.handler(type_name);
        let handler = handler.ok_or_else(|| Failure::new(FailureKind::Other, format!("this leoctl does not know the type {type_name}")))?;
        Ok(Self { shared, change, handler })
    }

    fn block(&self) -> Outcome<&'a ResourceBlock> {
        let block = self.shared.plan.stack.config.resources.get(&self.change.address.block);
        block.ok_or_else(|| Failure::new(FailureKind::Other, "it is not in the stack"))
    }

    fn operation(&self, timeout: Option<u64>, token: String) -> Operation {
        let timeout = timeout.map_or_else(|| self.handler.timeout(), Duration::from_secs);
        let (address, sender) = (self.change.address.clone(), self.shared.progress.clone());
        Operation {
            region: self.change.region.clone(),
            token,
            deadline: Instant::now() + timeout,
            timeout,
            interrupted: self.shared.engine.interrupted.clone(),
            // Nobody hears it once the apply is over, and nobody has to.
            progress: Progress(Arc::new(move |message| drop(sender.send((address.clone(), message))))),
        }
    }

    async fn apply(&self) -> Outcome<String> {
        match self.change.action {
            Action::Create | Action::Replace => self.create().await,
            Action::Update | Action::Import => self.update().await,
            Action::NoOp | Action::Delete | Action::Forget => self.confirm().await,
        }
    }

    /// What the stack file wants, with every reference resolved from what is known now; what a replacement is made
    /// from when `anew`.
    fn desired(&self, live: Option<&Value>, anew: bool) -> Outcome<Value> {
        let block = self.block()?;
        let options = &self.shared.plan.options;
        let pins = self.shared.state(|folded| options.pins(&folded.state, &self.change.address));
        let attributes = &block.schema.schema.attributes;
        let resolved = self.shared.scope(|scope| {
            let each = match (&self.change.each, &block.for_each) {
                (Some(each), Some(_)) if each.value.has_unknown() => {
                    // What the instance is repeated over was not known in full when it was planned.
                    match expand::block(&self.change.address.block, block, &scope)? {
                        Instances::Each(all) => all.into_iter().find(|now| now.key == each.key).or_else(|| Some(each.clone())),
                        _ => Some(each.clone()),
                    }
                }
                (each, _) => each.clone(),
            };
            desired(block, &self.change.address, &scope.with_each(each.as_ref()), &pins)
        });
        let resolved = resolved.map_err(unresolved)?;
        if let Some(path) = resolved.paths_where(&|value| matches!(value, Value::Unknown)).first() {
            return Err(Failure::new(FailureKind::Other, format!("`{path}` is still not known")));
        }
        let value = match live {
            Some(live) => settled(block, &resolved, live, anew, options.only(&self.change.address)),
            None => complete(attributes, &resolved, None),
        };
        // What is unknown now is AWS's to choose.
        Ok(without_unknown(value))
    }

    async fn create(&self) -> Outcome<String> {
        let replaced = Some(&self.change.before).filter(|_| self.change.action == Action::Replace);
        let desired = self.desired(replaced, true)?;
        let block = self.block()?;
        if self.change.action == Action::Create {
            // What was remembered here was found to be gone: nothing of it is left to delete.
            let gone = self.shared.state(|folded| folded.state.resources.get(&self.change.address).map(|known| known.id.clone()));
            if let Some(id) = gone {
                self.shared.record(Record::Deleted { address: self.change.address.clone(), id }).await?;
            }
        }
        let known = self.shared.state(|folded| folded.open.iter().find(|open| open.address == self.change.address).cloned());
        let attributes = self.shared.state(|folded| desired.to_public_json(&|secret| folded.state.digest(secret)));
        // With the token of a creation that may still arrive, AWS makes one of the two; another wish has another token.
        let same = known.filter(|open| open.attributes == attributes);
        let token = same.map_or_else(|| uuid::Uuid::new_v4().to_string(), |open| open.token);
        let intent = Intent {
            address: self.change.address.clone(),
            region: self.change.region.clone(),
            token: token.clone(),
            attributes,
            depends_on: self.change.depends_on.clone(),
            guard: self.change.guard,
        };
        self.shared.record(Record::Intent(intent)).await?;
        let operation = self.operation(block.timeouts.create, token);
        let id = match self.create_once(&operation, &desired).await {
            Ok(id) => id,
            Err((failure, may_exist)) => {
                if !may_exist {
                    // Nothing was made: what may stand under the same name is not ours.
                    self.shared.record(Record::Refused { address: self.change.address.clone() }).await?;
                }
                return Err(failure);
            }
        };
        self.shared.record(Record::Created { address: self.change.address.clone(), id: id.clone() }).await?;
        retrying(&operation, || self.handler.finish_create(&operation, &id, &desired)).await?;
        self.save(&operation, &id, &desired).await?;
        Ok(id)
    }

    /// Creates, so that a lost answer never makes a second one: whether the first is there is found out first.
    /// With a failure goes whether something may exist all the same: then it is looked for by whoever comes next.
    async fn create_once(&self, operation: &Operation, desired: &Value) -> Result<String, (Failure, bool)> {
        let mut waits = backon::BackoffBuilder::build(backoff().with_total_delay(Some(operation.timeout)));
        let mut may_exist = false;
        loop {
            let failure = match self.handler.create(operation, desired).await {
                Ok(id) => return Ok(id),
                Err(failure) => failure,
            };
            match failure.kind {
                FailureKind::Ambiguous => {
                    may_exist = true;
                    let wanted = Wanted {
                        address: self.change.address.clone(),
                        stack: self.shared.plan.stack.name.clone(),
                        region: operation.region.clone(),
                        desired: desired.clone(),
                        known: self.shared.state(|folded| folded.state.ids()),
                    };
                    match patiently_find(self.handler.as_ref(), &wanted).await.map_err(|why| (why, true))? {
                        Sought::Ours(id) => return Ok(id),
                        Sought::Foreign(id) => return Err((taken(id, failure), false)),
                        Sought::Absent => {}
                    }
                }
                FailureKind::Transient => {}
                FailureKind::Interrupted => return Err((failure, true)),
                _ => return Err((failure, may_exist)),
            }
            let Some(wait) = waits.next() else { return Err((failure, may_exist)) };
            operation.pause(wait, "waiting to try again").await.map_err(|_| (failure, may_exist))?;
        }
    }

    async fn update(&self) -> Outcome<String> {
        let id = self.change.id.clone().unwrap_or_default();
        let block = self.block()?;
        let attributes = &block.schema.schema.attributes;
        let live = &self.change.before;
        let desired = self.desired(Some(live), false)?;
        let changes = diff(attributes, live, &desired);
        if let Some(forced) = changes.iter().find(|change| change.forces_replacement) {
            let message = format!("`{}` turned out to change, which replaces the resource; that was not in the plan", forced.path);
            return Err(Failure::new(FailureKind::Other, message));
        }
        if self.change.action == Action::Import {
            // Ours from now on, whatever becomes of the update.
            self.record_saved(&id, live, &desired, true).await?;
        }
        let operation = self.operation(block.timeouts.update, String::new());
        if !changes.is_empty() {
            retrying(&operation, || self.handler.update(&operation, &id, live, &desired)).await?;
        }
        self.save(&operation, &id, &desired).await?;
        Ok(id)
    }

    /// Nothing changes in AWS: what an unfinished apply did not wait for is waited for, and remembered.
    async fn confirm(&self) -> Outcome<String> {
        let id = self.change.id.clone().unwrap_or_default();
        let operation = self.operation(self.block()?.timeouts.update, String::new());
        let incomplete = self.shared.state(|folded| folded.state.resources.get(&self.change.address).is_some_and(|known| known.incomplete));
        if incomplete {
            retrying(&operation, || self.handler.wait_ready(&operation, &id, &self.change.after)).await?;
        }
        self.record_saved(&id, &self.change.before, &self.change.after, false).await?;
        Ok(id)
    }

    /// Reads a resource back and remembers it; what was just made may take a moment to be readable, and what was
    /// just changed to be seen.
    async fn save(&self, operation: &Operation, id: &str, desired: &Value) -> Outcome<()> {
        let block = self.block()?;
        let attributes = &block.schema.schema.attributes;
        let mut waits = READ_BACK.iter();
        loop {
            let live = retrying(operation, || async {
                let mut read = self.handler.read(&operation.region, std::slice::from_ref(&id.to_owned())).await?;
                read.remove(id).ok_or_else(|| Failure::new(FailureKind::Transient, format!("{id} cannot be read back")))
            })
            .await?;
            let live = with_local(attributes, &canonicalize(attributes, &live), desired);
            // What is still not seen then is remembered as AWS says it, and the next plan speaks of it.
            let wanted = ignore(&complete(attributes, desired, Some(&live)), &live, &block.ignored(&live));
            let seen = diff(attributes, &live, &wanted).is_empty();
            match waits.next() {
                Some(wait) if !seen => operation.pause(*wait, "waiting for AWS to show what was done").await?,
                _ => return self.record_saved(id, &live, desired, false).await,
            }
        }
    }

    async fn record_saved(&self, id: &str, live: &Value, desired: &Value, incomplete: bool) -> Outcome<()> {
        let attributes = &self.block()?.schema.schema.attributes;
        let sensitive = secret_paths(attributes, desired);
        let live = conceal(attributes, live, &sensitive);
        self.shared.set_value(&self.change.address, live.clone());
        let saved = self.shared.state(|folded| live.to_public_json(&|secret| folded.state.digest(secret)));
        let resource = ResourceState {
            id: id.to_owned(),
            region: self.change.region.clone(),
            attributes: saved,
            authored: self.change.authored.clone(),
            sensitive,
            depends_on: self.change.depends_on.clone(),
            guard: self.change.guard,
            incomplete,
            deposed: Vec::new(),
        };
        self.shared.record(Record::Saved { address: self.change.address.clone(), resource }).await
    }

    async fn delete(&self) -> Outcome<String> {
        let mut ids: Vec<String> = self.change.deposed.clone();
        if matches!(self.change.action, Action::Delete | Action::Replace | Action::Forget) {
            ids.extend(self.change.id.clone());
        }
        let timeouts = self.shared.plan.stack.config.resources.get(&self.change.address.block).map(|block| block.timeouts);
        let operation = self.operation(timeouts.and_then(|timeouts| timeouts.delete), String::new());
        for id in &ids {
            if self.change.action != Action::Forget && !self.change.guard.retain {
                let outcome = retrying(&operation, || self.handler.delete(&operation, id, &self.change.before)).await;
                match outcome {
                    Err(failure) if failure.kind != FailureKind::NotFound => return Err(failure),
                    _ => {}
                }
            }
            self.shared.record(Record::Deleted { address: self.change.address.clone(), id: id.clone() }).await?;
        }
        let address = &self.change.address;
        let goes = matches!(self.change.action, Action::Delete | Action::Forget);
        if goes && self.shared.state(|folded| folded.state.pins.contains_key(address)) {
            self.shared.record(Record::Pinned { address: address.clone(), pins: Pins::new() }).await?;
        }
        Ok(ids.join(", "))
    }
}

/// The failure of a creation whose answer was lost, and whose place something else has taken.
fn taken(id: String, failure: Failure) -> Failure {
    let message = format!("{id} appeared in its place while it was being created, and is not ours: {}", failure.message);
    Failure { kind: FailureKind::AlreadyExists, message, ..failure }
}

/// A value for a call: what AWS sets is left out.
fn without_unknown(value: Value) -> Value {
    match value {
        Value::Map(map) => {
            let known = map.into_iter().filter(|(_, value)| !matches!(value, Value::Unknown));
            Value::Map(known.map(|(key, value)| (key, without_unknown(value))).collect())
        }
        Value::List(items) => Value::List(items.into_iter().map(without_unknown).collect()),
        Value::Secret(inner) => without_unknown(*inner).into_secret(),
        value => value,
    }
}
