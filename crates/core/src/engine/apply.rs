//! Carrying out a plan: the executor around the ready queue, and what is recorded when.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::Value as Json;
use tokio::sync::{mpsc, watch};

use super::event::{Event, EventSink, Verb};
use super::ports::{Failure, FailureKind, Provider, Store, StoreError};
use super::queue::Queue;
use super::refresh::Planned;
use super::step;
use super::values::{known_values, set_instance};
use crate::model::address::{Address, Block};
use crate::model::journal::{Ledger, Record};
use crate::model::place::Place;
use crate::model::redact::Redactor;
use crate::model::schema::Catalog;
use crate::model::state::State;
use crate::model::value::Value;
use crate::plan::build::conclude::check_results;
use crate::plan::step::Step;
use crate::plan::types::{CheckResult, Plan};
use crate::stack::scope::{BlockValue, StackScope};

/// Everything an apply runs with.
pub struct Engine<'a> {
    /// AWS.
    pub provider: &'a dyn Provider,
    /// The schemas.
    pub catalog: &'a Catalog,
    /// The state.
    pub store: &'a dyn Store,
    /// Who is told.
    pub sink: &'a dyn EventSink,
    /// How many operations run at once.
    pub parallelism: usize,
    /// True once the user wants to stop.
    pub interrupted: watch::Receiver<bool>,
}

/// How an apply ended.
#[derive(Debug, Default)]
pub struct Report {
    /// How many steps each verb had.
    pub done: BTreeMap<&'static str, usize>,
    /// What failed.
    pub failed: Vec<(Address, Verb, Failure)>,
    /// What was being waited for when the user interrupted: it is in the state, and the next apply goes on with it.
    pub waiting: Vec<(Address, Failure)>,
    /// What was not tried.
    pub skipped: Vec<Address>,
    /// Whether the user interrupted.
    pub interrupted: bool,
    /// The outputs.
    pub outputs: BTreeMap<String, Value>,
    /// The stack's conditions.
    pub checks: Vec<CheckResult>,
}

/// What the steps of an apply share.
pub(super) struct Shared<'a> {
    pub(super) engine: &'a Engine<'a>,
    pub(super) plan: &'a Plan,
    ledger: Mutex<Ledger>,
    values: Mutex<BTreeMap<Block, BlockValue>>,
    data: Mutex<BTreeMap<Block, Value>>,
    /// The resources of which a step has changed a part, as they are now.
    halfway: Mutex<BTreeMap<Address, Value>>,
    /// What the steps have created.
    created: Mutex<BTreeSet<Place>>,
    pub(super) progress: mpsc::UnboundedSender<(Address, String)>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The values behind are whole at every moment a panic could strike.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn not_recorded(error: StoreError) -> Failure {
    let kind = if error.lost { FailureKind::Lost } else { FailureKind::Unrecorded };
    Failure::new(kind, error.message)
}

impl Shared<'_> {
    /// Makes a record durable, then folds it in.
    pub(super) async fn record(&self, record: Record) -> Result<(), Failure> {
        let appended = self.engine.store.append(&record).await;
        if let Record::Created { place, .. } = &record {
            locked(&self.created).insert(place.clone());
        }
        locked(&self.ledger).record(record);
        appended.map_err(not_recorded)
    }

    /// Makes sure that the state, and so what it is about, is still ours to change.
    pub(super) async fn check(&self) -> Result<(), Failure> {
        self.engine.store.check().await.map_err(not_recorded)
    }

    /// Whether a step has created the resource at a place.
    pub(super) fn has_created(&self, place: &Place) -> bool {
        locked(&self.created).contains(place)
    }

    /// Runs `with` on the state as it is now.
    pub(super) fn state<R>(&self, with: impl FnOnce(&State) -> R) -> R {
        with(locked(&self.ledger).state())
    }

    /// Runs `with` on a scope over what is known now.
    pub(super) fn scope<R>(&self, with: impl FnOnce(StackScope<'_>) -> R) -> R {
        let (data, values) = (locked(&self.data), locked(&self.values));
        with(StackScope::new(&self.plan.stack, Some(&self.plan.identity), &data, &values))
    }

    /// Lets later expressions see a resource as it is now.
    pub(super) fn set_value(&self, address: &Address, value: Value) {
        set_instance(&mut locked(&self.values), address, value);
    }

    /// What a step has left of a resource for a later one to change further.
    pub(super) fn halfway(&self, address: &Address) -> Option<Value> {
        locked(&self.halfway).get(address).cloned()
    }

    pub(super) fn set_halfway(&self, address: &Address, live: Value) {
        locked(&self.halfway).insert(address.clone(), live);
    }

    /// What takes the secrets of this apply out of AWS's messages.
    fn redactor(&self) -> Redactor {
        let (data, values) = (locked(&self.data), locked(&self.values));
        let of_blocks = values.values().flat_map(|block| match block {
            BlockValue::Single(value) => vec![value],
            BlockValue::Each(instances) => instances.values().collect(),
            BlockValue::Absent => Vec::new(),
        });
        self.plan.redactor().and(Redactor::new(data.values().chain(of_blocks)))
    }

    pub(super) fn set_data(&self, block: &Block, value: Value) {
        locked(&self.data).insert(block.clone(), value);
    }
}

impl Engine<'_> {
    /// Carries out a plan on the state it was made from.
    ///
    /// # Errors
    /// When the state cannot be written; what failed in AWS is in the report.
    pub async fn apply(&self, planned: Planned) -> Result<Report, StoreError> {
        let Planned { plan, ledger, preflight: _ } = planned;
        let plan = &plan;
        self.store.begin(ledger.state()).await?;
        for record in ledger.records() {
            self.store.append(record).await?;
        }
        let (progress, mut heard) = mpsc::unbounded_channel();
        let shared = Shared {
            engine: self,
            progress,
            plan,
            values: Mutex::new(known_values(plan)),
            data: Mutex::new(plan.data.clone()),
            halfway: Mutex::default(),
            created: Mutex::default(),
            ledger: Mutex::new(ledger),
        };
        let (mut report, undone) = self.run(&shared, &mut heard).await;
        self.conclude(&shared, &undone, &mut report).await?;
        Ok(report)
    }

    /// That a step begins, and how long it usually takes.
    fn started(&self, shared: &Shared<'_>, step: &Step) -> Event {
        let verb = Verb::of(&step.kind);
        let wanted = shared.plan.change(&step.address).map(|change| &change.after);
        let handler = self.provider.handler(step.address.type_name());
        let usual = handler.and_then(|handler| handler.usual(wanted.unwrap_or(&Value::Null)));
        Event::Started { address: step.address.clone(), verb, usual: usual.and_then(|usual| usual.to(verb)) }
    }

    /// What came of the steps, and which of them were not done.
    async fn run(&self, shared: &Shared<'_>, progress: &mut mpsc::UnboundedReceiver<(Address, String)>) -> (Report, BTreeSet<usize>) {
        let steps = &shared.plan.steps;
        self.sink.emit(&Event::Begin { steps: steps.len() });
        let mut queue = Queue::new(steps.iter().enumerate().map(|(number, step)| (number, step.after.iter().copied().collect())).collect());
        let mut running = FuturesUnordered::new();
        let mut report = Report::default();
        let mut undone: BTreeSet<usize> = (0..steps.len()).collect();
        let mut interrupted = self.interrupted.clone();
        let mut stopping = false;
        loop {
            while running.len() < self.parallelism && !stopping {
                let Some(number) = queue.pop() else { break };
                let Some(step) = steps.get(number) else { continue };
                self.sink.emit(&self.started(shared, step));
                running.push(async move { (number, step, step::run(shared, step).await) });
            }
            let (number, step, outcome) = tokio::select! {
                finished = running.next() => match finished {
                    Some(finished) => finished,
                    None => break,
                },
                Some((address, message)) = progress.recv() => {
                    let message = shared.redactor().redact(&message);
                    self.sink.emit(&Event::Progress { address, message });
                    continue;
                }
                Ok(_) = interrupted.wait_for(|stop| *stop), if !stopping => {
                    stopping = true;
                    report.interrupted = true;
                    self.sink.emit(&Event::Interrupted);
                    continue;
                }
            };
            let verb = Verb::of(&step.kind);
            match outcome {
                Ok(()) => {
                    *report.done.entry(verb.past()).or_default() += 1;
                    undone.remove(&number);
                    queue.finish(&number);
                }
                Err(failure) if failure.kind == FailureKind::Interrupted => {
                    // The wait was cut short, and the next apply goes on there. The signal may not have been heard here yet.
                    let failure = failure.redacted(&shared.redactor());
                    stopping = true;
                    report.interrupted = true;
                    let (address, message) = (step.address.clone(), failure.message.clone());
                    self.sink.emit(&Event::Waiting { address, verb, message });
                    let waiting = queue.fail(&number);
                    self.skip(waiting, None, shared.plan, &mut report);
                    report.waiting.push((step.address.clone(), failure));
                }
                Err(failure) => {
                    let failure = failure.redacted(&shared.redactor());
                    self.sink.emit(&Event::Failed { address: step.address.clone(), verb, failure: failure.clone() });
                    let waiting = queue.fail(&number);
                    self.skip(waiting, Some(&step.address), shared.plan, &mut report);
                    // Nothing else can succeed without credentials, and nothing may be done that cannot be recorded.
                    stopping |= matches!(failure.kind, FailureKind::Credentials | FailureKind::Lost | FailureKind::Unrecorded);
                    report.failed.push((step.address.clone(), verb, failure));
                }
            }
        }
        let rest = queue.drain();
        self.skip(rest, None, shared.plan, &mut report);
        (report, undone)
    }

    fn skip(&self, steps: impl IntoIterator<Item = usize>, because: Option<&Address>, plan: &Plan, report: &mut Report) {
        for Step { address, .. } in steps.into_iter().filter_map(|number| plan.steps.get(number)) {
            if !report.skipped.contains(address) {
                report.skipped.push(address.clone());
                self.sink.emit(&Event::Skipped { address: address.clone(), because: because.cloned() });
            }
        }
    }

    /// Outputs, conditions, and the state written whole.
    async fn conclude(&self, shared: &Shared<'_>, undone: &BTreeSet<usize>, report: &mut Report) -> Result<(), StoreError> {
        shared.see_what_stands(undone);
        let outputs = shared.outputs(undone);
        if !shared.plan.options.destroy && shared.plan.options.only.is_none() {
            report.checks = shared.scope(|scope| check_results(&shared.plan.stack, &scope).0);
        }
        let mut state = shared.state(State::clone);
        state.sensitive_outputs = outputs.iter().filter(|(_, value)| value.has_secret()).map(|(name, _)| name.clone()).collect();
        state.outputs = outputs
            .iter()
            .filter(|(_, value)| !value.has_secret() && !value.has_unknown())
            .map(|(name, value)| (name.clone(), value.to_json().unwrap_or(Json::Null)))
            .collect();
        report.outputs = outputs;
        if shared.plan.options.only.is_none() {
            state.variables = shared.plan.stack.given_values();
            state.public = shared.plan.stack.public_values();
        }
        state.serial += 1;
        self.store.save(&state).await?;
        Ok(())
    }
}
