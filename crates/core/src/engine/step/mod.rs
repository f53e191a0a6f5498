//! One step of an apply: what is asked of AWS, and what is made durable before and after.

mod create;
mod reassign;
mod update;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::apply::Shared;
use super::event::{Event, Verb};
use super::ports::{Failure, FailureKind, Handler, Operation, Outcome, Progress};
use super::retry::retrying;
use crate::model::address::{Address, Block};
use crate::model::canonical::{canonicalize, with_known, with_local};
use crate::model::journal::Record;
use crate::model::pin::Pins;
use crate::model::place::{Place, Site};
use crate::model::schema::Attribute;
use crate::model::secrecy::{conceal, secret_paths};
use crate::model::state::Remembered;
use crate::model::value::Value;
use crate::plan::desired::{Present, desired, left, settled};
use crate::plan::diff::{complete, diff};
use crate::plan::step::{Delete, Step, StepKind, Target};
use crate::plan::withdrawn::authored;
use crate::stack::Stack;
use crate::stack::config::ResourceBlock;
use crate::stack::diagnostic::Diagnostic;
use crate::stack::expand::{self, Instances};
use crate::stack::modules::validations_of;
use crate::stack::template;

/// How long is waited before it is looked again whether what was done is seen; each next wait is twice as long.
const READ_BACK: Duration = Duration::from_millis(500);

impl Verb {
    /// What a step does.
    pub fn of(kind: &StepKind) -> Self {
        match kind {
            StepKind::Read(_) => Self::Read,
            StepKind::Create(_) => Self::Create,
            StepKind::Update(_) => Self::Update,
            StepKind::Reassign(_) => Self::Reassign,
            StepKind::Import(_) => Self::Import,
            StepKind::Wait(_) | StepKind::Remember(_) => Self::Wait,
            StepKind::Delete(_) => Self::Delete,
            StepKind::Forget(_) => Self::Forget,
        }
    }

    /// The verb as what has been done.
    pub fn past(self) -> &'static str {
        match self {
            Self::Create => "created",
            Self::Update => "updated",
            Self::Reassign => "reassigned",
            Self::Delete => "deleted",
            Self::Import => "imported",
            Self::Forget => "forgotten",
            Self::Wait => "ready",
            Self::Read => "read",
        }
    }
}

/// Carries out a step and says when it is done.
pub(super) async fn run(shared: &Shared<'_>, step: &Step) -> Outcome<()> {
    let started = Instant::now();
    shared.check().await?;
    let mut verb = Verb::of(&step.kind);
    let id = match &step.kind {
        StepKind::Read(block) => read_data(shared, block).await?,
        StepKind::Create(create) => Runner::new(shared, &step.address)?.create(create).await?,
        StepKind::Update(update) => Runner::new(shared, &step.address)?.update(update).await?,
        StepKind::Reassign(reassign) => Runner::new(shared, &step.address)?.reassign(reassign).await?,
        StepKind::Import(import) => Runner::new(shared, &step.address)?.import(import).await?,
        StepKind::Wait(confirm) => Runner::new(shared, &step.address)?.confirm(confirm, true).await?,
        StepKind::Remember(confirm) => Runner::new(shared, &step.address)?.confirm(confirm, false).await?,
        StepKind::Delete(delete) if shared.has_created(&delete.remembered.place) => {
            // What it was to give way to turned out, once its name was known, to be where it is.
            verb = Verb::Wait;
            delete.remembered.place.id.clone()
        }
        StepKind::Delete(delete) => Runner::new(shared, &step.address)?.delete(delete).await?,
        StepKind::Forget(place) => {
            forget(shared, &step.address, place).await?;
            place.id.clone()
        }
    };
    shared.engine.sink.emit(&Event::Finished { address: step.address.clone(), verb, id, elapsed: started.elapsed() });
    Ok(())
}

async fn read_data(shared: &Shared<'_>, block: &Block) -> Outcome<String> {
    let Some(config) = shared.plan.stack.config.data.get(block) else { return Ok(String::new()) };
    let arguments = shared.scope(|scope| config.attributes.eval(&scope)).map_err(|failure| unresolved(&shared.plan.stack, failure))?;
    let arguments = canonicalize(&config.schema.attributes, &arguments);
    let planned = shared.plan.reads.iter().find(|read| read.block == *block);
    let site = planned.map_or_else(|| shared.plan.identity.site(), |read| read.site.clone());
    let value = shared.engine.provider.read_data(&block.type_name, &site, &arguments).await?;
    shared.set_data(block, shared.plan.stack.redactor().hidden(value));
    Ok(String::new())
}

/// Drops a resource from the state, and with the last of an address its pins.
async fn forget(shared: &Shared<'_>, address: &Address, place: &Place) -> Outcome<()> {
    shared.record(Record::Deleted { address: address.clone(), place: place.clone() }).await?;
    let left = shared.state(|state| state.resources.contains_key(address) || !state.pins.contains_key(address));
    let wanted = shared.plan.stack.config.resources.contains_key(&address.block) && !shared.plan.options.destroy;
    if left || wanted {
        return Ok(());
    }
    shared.record(Record::Pinned { address: address.clone(), pins: Pins::new() }).await
}

/// An expression that has no value although all that it names is there, with the line that it stands on.
fn unresolved(stack: &Stack, (error, span): template::Failure) -> Failure {
    let source = stack.sources.get(span.file).filter(|_| !span.range.is_empty());
    let place = source.and_then(|source| {
        let line = source.text.get(..span.range.start)?.matches('\n').count() + 1;
        Some(format!(" ({}:{line})", source.path.display()))
    });
    Failure::new(FailureKind::Invalid, error.message + &place.unwrap_or_default())
}

/// Runs the operations of one resource.
struct Runner<'a> {
    shared: &'a Shared<'a>,
    address: &'a Address,
    handler: Arc<dyn Handler>,
}

impl<'a> Runner<'a> {
    fn new(shared: &'a Shared<'_>, address: &'a Address) -> Outcome<Self> {
        let type_name = address.type_name();
        let handler = shared.engine.provider.handler(type_name);
        let handler =
            handler.ok_or_else(|| Failure::new(FailureKind::Invalid, format!("this leoctl does not know the type {type_name}")))?;
        Ok(Self { shared, address, handler })
    }

    /// Another address that has a place in the state.
    fn other_of(&self, place: &Place) -> Option<Address> {
        self.shared.state(|state| state.addresses_of(place).find(|known| *known != self.address).cloned())
    }

    fn block(&self) -> Outcome<&'a ResourceBlock> {
        let block = self.shared.plan.stack.config.resources.get(&self.address.block);
        block.ok_or_else(|| Failure::new(FailureKind::Invalid, "it is not in the stack"))
    }

    /// An operation that makes of a resource what is `wanted`, or deletes what was.
    fn operation(&self, site: Site, timeout: Option<u64>, token: String, wanted: &Value) -> Operation {
        let timeout = timeout.map_or_else(|| self.handler.timeout(wanted), Duration::from_secs);
        let (address, sender) = (self.address.clone(), self.shared.progress.clone());
        Operation {
            site,
            token,
            replaces: None,
            deadline: Instant::now() + timeout,
            timeout,
            interrupted: self.shared.engine.interrupted.clone(),
            // Nobody hears it once the apply is over, and nobody has to.
            progress: Progress(Arc::new(move |message| drop(sender.send((address.clone(), message))))),
        }
    }

    /// What the stack file says, with every reference resolved from what is known now.
    fn written(&self, target: &Target) -> Outcome<Value> {
        let block = self.block()?;
        let options = &self.shared.plan.options;
        let pins = self.shared.state(|state| options.pins(state, self.address));
        let resolved = self.shared.scope(|scope| {
            let each = match (&target.each, &block.for_each) {
                (Some(each), Some(_)) if each.value.has_unknown() => {
                    // What the instance is repeated over was not known in full when it was planned.
                    match expand::block(&self.address.block, block, &scope)? {
                        Instances::Each(all) => all.into_iter().find(|now| now.key == each.key).or_else(|| Some(each.clone())),
                        _ => Some(each.clone()),
                    }
                }
                (each, _) => each.clone(),
            };
            desired(block, self.address, &scope.with_each(each.as_ref()), &pins)
        });
        let resolved = resolved.map_err(|failure| unresolved(&self.shared.plan.stack, failure))?;
        self.conditions()?;
        if let Some(path) = resolved.paths_where(&|value| matches!(value, Value::Unknown)).first() {
            return Err(Failure::new(FailureKind::Invalid, format!("`{path}` is still not known")));
        }
        Ok(resolved)
    }

    /// That the inputs of the modules that the resource is in meet their conditions: some are known only now.
    fn conditions(&self) -> Outcome<()> {
        let (module, stack) = (&self.address.block.module, &self.shared.plan.stack);
        let broken = self.shared.scope(|scope| validations_of(module, stack, &scope)).into_iter().next();
        match broken {
            Some(Diagnostic { message, help, .. }) => {
                Err(Failure::new(FailureKind::Invalid, [message].into_iter().chain(help).collect::<Vec<_>>().join("; ")))
            }
            None => Ok(()),
        }
    }

    /// A target with the paths of what is `written` now that all of it is known, where they go deeper than its attributes.
    fn known(&self, target: &Target, written: &Value) -> Outcome<Target> {
        let schema = &self.block()?.schema;
        let authored = if schema.takes_away { authored(&schema.schema.attributes, written) } else { target.authored.clone() };
        Ok(Target { authored, ..target.clone() })
    }

    /// What is `written`, completed by what there is; what a replacement is made from when `anew`.
    fn desired(&self, target: &Target, written: &Value, live: Option<&Value>, anew: bool) -> Outcome<Value> {
        let block = self.block()?;
        let value = match live {
            Some(live) => {
                let is_there = |saved: &&Remembered| !anew && saved.place.site() == target.site();
                let saved = self.shared.state(|state| state.current(self.address).filter(is_there).cloned());
                let present = Present { live, saved: saved.as_ref(), governors: &target.governors };
                settled(block, written, present, anew, self.shared.plan.options.only(self.address))
            }
            None => complete(&block.schema.schema.attributes, written, None),
        };
        // What is unknown now is AWS's to choose.
        Ok(without_unknown(value))
    }

    async fn delete(&self, delete: &Delete) -> Outcome<String> {
        let Delete { remembered: Remembered { place, .. }, last } = delete;
        let timeouts = self.shared.plan.stack.config.resources.get(&self.address.block).map(|block| block.timeouts);
        let operation = self.operation(place.site(), timeouts.and_then(|timeouts| timeouts.delete), String::new(), &Value::Null);
        match retrying(&operation, || self.handler.delete(&operation, &place.id, last)).await {
            Err(failure) if failure.kind != FailureKind::NotFound => return Err(failure),
            _ => {}
        }
        forget(self.shared, self.address, place).await?;
        Ok(place.id.clone())
    }

    /// Reads a resource back and remembers it.
    async fn save(&self, operation: &Operation, target: &Target, place: &Place, desired: &Value) -> Outcome<()> {
        let read = self.read_back(operation, target, place, desired, desired).await?;
        let remembered = self.remembered(target, place, &read.live, desired)?;
        self.record_saved(remembered).await?;
        self.show(&read, desired)
    }

    /// Lets what depends on a resource see what was made of it, also where AWS does not show it yet.
    fn show(&self, read: &ReadBack, desired: &Value) -> Outcome<()> {
        let Some(unseen) = &read.unseen else { return Ok(()) };
        let attributes = &self.block()?.schema.schema.attributes;
        self.shared.set_value(self.address, conceal(attributes, unseen, &secret_paths(attributes, desired)));
        Ok(())
    }

    /// How a resource is that was just made or changed: it may take a moment to be readable, and what was changed to be
    /// seen, which is what is `expected`.
    async fn read_back(
        &self,
        operation: &Operation,
        target: &Target,
        place: &Place,
        desired: &Value,
        expected: &Value,
    ) -> Outcome<ReadBack> {
        let block = self.block()?;
        let attributes = &block.schema.schema.attributes;
        let id = &place.id;
        let (mut waited, mut wait) = (Duration::ZERO, READ_BACK);
        loop {
            let live = retrying(operation, || async {
                let mut read = self.handler.read(&operation.site, std::slice::from_ref(id)).await?;
                read.remove(id).ok_or_else(|| Failure::new(FailureKind::Transient, format!("{id} cannot be read back")))
            })
            .await?;
            let live = with_local(attributes, &canonicalize(attributes, &live), desired);
            let live = with_known(attributes, &live, expected);
            // What is still not seen then is remembered as AWS says it, and the next plan speaks of it.
            let wanted = left(block, &complete(attributes, expected, Some(&live)), &live, &target.governors);
            let seen = diff(attributes, &live, &wanted).is_empty();
            wait = wait.min(self.handler.seen_within().saturating_sub(waited));
            if seen {
                return Ok(ReadBack { live, unseen: None });
            }
            if wait.is_zero() {
                return Ok(ReadBack { live, unseen: Some(wanted) });
            }
            match operation.pause(wait, "waiting for AWS to show what was done").await {
                Ok(()) => (waited, wait) = (waited + wait, wait * 2),
                Err(ended) if ended.kind == FailureKind::Interrupted => return Err(ended),
                // What was done is done, whether there is time to see it or not.
                Err(_) => return Ok(ReadBack { live, unseen: Some(wanted) }),
            }
        }
    }

    async fn record_saved(&self, remembered: Remembered) -> Outcome<()> {
        self.shared.record(Record::Saved { address: self.address.clone(), remembered }).await
    }

    /// What is known of a resource now, for the state and for later expressions.
    fn remembered(&self, target: &Target, place: &Place, live: &Value, desired: &Value) -> Outcome<Remembered> {
        let attributes = &self.block()?.schema.schema.attributes;
        let sensitive = secret_paths(attributes, desired);
        let live = conceal(attributes, live, &sensitive);
        self.shared.set_value(self.address, live.clone());
        let attributes = self.shared.state(|state| live.to_public_json(&|secret| state.digest(secret)));
        Ok(Remembered {
            place: place.clone(),
            attributes,
            authored: target.authored.clone(),
            sensitive,
            depends_on: target.depends_on.clone(),
            guard: target.guard,
            incomplete: false,
            updating: Vec::new(),
        })
    }
}

/// How a resource is that was just made or changed.
struct ReadBack {
    /// As AWS says.
    live: Value,
    /// As it is to be, where AWS does not show that yet.
    unseen: Option<Value>,
}

/// The tokens of the creations of an address at a site whose outcome is not known.
fn open_tokens(state: &crate::model::state::State, address: &Address, site: &Site) -> Vec<String> {
    let open = state.open.iter().filter(|open| open.address == *address && open.site() == *site);
    open.map(|open| open.token.clone()).collect()
}

/// `desired` with everything in some sets that `live` has in them.
fn keeping(attributes: &[Attribute], desired: &Value, live: &Value, keeps: &[String]) -> Value {
    if keeps.is_empty() {
        return desired.clone();
    }
    let items = |value: &Value, name: &str| value.get(name).and_then(Value::as_list).unwrap_or_default().to_vec();
    let both = |name: &String| Value::List(items(live, name).into_iter().chain(items(desired, name)).collect());
    canonicalize(attributes, &keeps.iter().fold(desired.clone(), |value, name| with(value, name, both(name))))
}

/// A table with another value of one attribute.
fn with(value: Value, name: &str, other: Value) -> Value {
    let Value::Map(mut map) = value else { return value };
    map.insert(name.to_owned(), other);
    Value::Map(map)
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
