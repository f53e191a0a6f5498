//! Looking at the world: identity, live resources, data sources, and what already stands where something is
//! to be created. Everything that does not wait for something else is asked at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};

use super::EngineError;
use super::ports::{FailureKind, Handler, Outcome, Provider, Wanted};
use crate::model::address::{Address, Block};
use crate::model::canonical::canonicalize;
use crate::model::journal::{Folded, Record};
use crate::model::path::Path;
use crate::model::schema::Catalog;
use crate::model::secrecy::conceal;
use crate::model::state::{Intent, State};
use crate::model::value::Value;
use crate::plan::build::{self, Found, Live, World};
use crate::plan::desired::{ADDRESS_TAG, STACK_TAG};
use crate::plan::preflight::Preflight;
use crate::plan::select::Options;
use crate::plan::types::{Action, Plan};
use crate::stack::Stack;
use crate::stack::check::failed;
use crate::stack::config::{Import, Moved};
use crate::stack::diagnostic::{Diagnostic, Diagnostics};
use crate::stack::scope::{BlockValue, Identity, StackScope};

/// A plan, and the state it was made from.
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// The state, with what an unfinished apply left found again.
    pub folded: Folded,
    /// What making the plan has already changed in that state: made durable first when it is applied.
    pub records: Vec<Record>,
    /// What would make applying it fail; empty where nobody asked.
    pub preflight: Preflight,
}

/// Makes a plan from a stack, its state and AWS.
pub struct Planner<'a> {
    /// AWS.
    pub provider: &'a dyn Provider,
    /// The schemas.
    pub catalog: &'a Catalog,
    /// The stack.
    pub stack: &'a Arc<Stack>,
    /// Whether live resources are read.
    pub refresh: bool,
    /// What the user asked for.
    pub options: &'a Options,
}

impl Planner<'_> {
    /// Reads what has to be read and plans. `fresh` makes the state of a stack never applied.
    ///
    /// # Errors
    /// When AWS or the stack does not allow a plan.
    pub async fn plan(&self, loaded: Option<Folded>, fresh: impl FnOnce(&Identity) -> State) -> Result<Planned, EngineError> {
        let known = loaded.as_ref().map(|folded| &folded.state);
        let (identity, live) = tokio::join!(self.provider.identity(self.stack.region.as_deref()), self.live(known));
        let identity = identity.map_err(|failure| EngineError::aws("asking AWS who we are", failure))?;
        let mut live = live?;
        let mut folded = loaded.unwrap_or_else(|| Folded::new(fresh(&identity)));
        same_place(self.stack, &identity, &folded.state)?;
        let mut records = self.resolve_intents(&folded, &mut live).await?;
        records.extend(self.moves(&folded.state, &mut live));
        records.iter().for_each(|record| folded.fold(record));
        let mut more = self.successors(&folded.state, &mut live).await?;
        more.extend(self.pinning(&folded.state));
        more.iter().for_each(|record| folded.fold(record));
        records.extend(more);
        let data = if self.options.destroy { BTreeMap::new() } else { self.data(&identity, &folded.state, &live).await? };
        let mut found = BTreeMap::new();
        let with = |found: &BTreeMap<Address, Found>| {
            let world = World { identity: &identity, state: &folded.state, live: &live, data: &data, found };
            build::build(self.stack, self.catalog, world, self.options)
        };
        let mut plan = with(&found)?;
        // What is found makes more known of what stands on it, which can then be looked for in turn.
        loop {
            let more = if self.refresh { self.found(&plan, &identity, &folded.state.ids()).await? } else { BTreeMap::new() };
            if more.is_empty() {
                break;
            }
            found.extend(more);
            plan = with(&found)?;
        }
        let whole = self.options.targets.is_empty() && self.options.excludes.is_empty();
        for intent in folded.open.iter().filter(|_| whole) {
            if plan.change(&intent.address).is_none_or(|change| matches!(change.action, Action::Delete | Action::Forget)) {
                // Nobody wants it any more, and it was looked for.
                records.push(Record::Refused { address: intent.address.clone() });
            }
        }
        if self.refresh {
            self.in_the_way(&plan, &folded.state.ids()).await?;
        }
        let over: Vec<Record> = unpinned(&plan, &folded.state);
        over.iter().for_each(|record| folded.fold(record));
        records.extend(over);
        Ok(Planned { plan, folded, records, preflight: Preflight::default() })
    }

    /// Reads every remembered resource, one batch for each type and region, all batches at once.
    async fn live(&self, state: Option<&State>) -> Result<BTreeMap<Address, Live>, EngineError> {
        let Some(state) = state.filter(|_| self.refresh) else { return Ok(BTreeMap::new()) };
        let mut batches: BTreeMap<(&str, &str), Vec<(&Address, &str)>> = BTreeMap::new();
        for (address, saved) in &state.resources {
            batches.entry((address.type_name(), &saved.region)).or_default().push((address, &saved.id));
        }
        let reads = batches.into_iter().map(|((type_name, region), members)| async move {
            let Some(handler) = self.provider.handler(type_name) else {
                return Err(EngineError::unknown_type(type_name));
            };
            let ids: Vec<String> = members.iter().map(|(_, id)| (*id).to_owned()).collect();
            let found = handler.read(region, &ids).await.map_err(|failure| EngineError::aws(format!("reading {type_name}"), failure))?;
            Ok(members
                .into_iter()
                .map(|(address, id)| (address.clone(), found.get(id).cloned().map_or(Live::Gone, Live::Present)))
                .collect::<Vec<_>>())
        });
        Ok(try_join_all(reads).await?.into_iter().flatten().collect())
    }

    /// Finds what an unfinished apply may have created without learning its id.
    async fn resolve_intents(&self, folded: &Folded, live: &mut BTreeMap<Address, Live>) -> Result<Vec<Record>, EngineError> {
        let mut records = Vec::new();
        let searches = folded.open.iter().map(|intent| (intent, self.wanted(intent, &folded.state))).map(|(intent, wanted)| async move {
            let handler =
                self.provider.handler(intent.address.type_name()).ok_or_else(|| EngineError::unknown_type(intent.address.type_name()))?;
            let found = patiently_find(handler.as_ref(), &wanted).await;
            let what = format!("looking for {}, whose creation was interrupted", intent.address);
            Ok::<_, EngineError>((intent, handler, found.map_err(|failure| EngineError::aws(what, failure))?))
        });
        for (intent, handler, sought) in try_join_all(searches).await? {
            let id = match sought {
                Sought::Ours(id) => id,
                // Its place is taken: it was never made.
                Sought::Foreign(_) => {
                    records.push(Record::Refused { address: intent.address.clone() });
                    continue;
                }
                // It may be on its way still: who makes it again does so with the same token.
                Sought::Absent => continue,
            };
            if folded.state.resources.values().any(|known| known.id == id && known.region == intent.region) {
                continue;
            }
            let read = handler.read(&intent.region, std::slice::from_ref(&id)).await;
            let read = read.map_err(|failure| EngineError::aws(format!("reading {}", intent.address), failure))?;
            records.push(Record::Created { address: intent.address.clone(), id: id.clone() });
            live.insert(intent.address.clone(), read.get(&id).cloned().map_or(Live::Gone, Live::Present));
        }
        Ok(records)
    }

    fn wanted(&self, intent: &Intent, state: &State) -> Wanted {
        Wanted {
            address: intent.address.clone(),
            stack: state.stack.clone(),
            region: intent.region.clone(),
            desired: Value::from(&intent.attributes),
            known: state.ids(),
        }
    }

    /// `[[moved]]`: what is remembered under the old address is from now on under the new one.
    fn moves(&self, state: &State, live: &mut BTreeMap<Address, Live>) -> Vec<Record> {
        let mut records = Vec::new();
        let whole = |from: &Address, to: &Address| -> Vec<(Address, Address)> {
            // A block with `for_each` moves with all its instances.
            let instances = state.resources.keys().filter(|known| from.key.is_none() && to.key.is_none() && known.block == from.block);
            let keyed = instances.filter(|known| known.key.is_some());
            keyed.map(|known| (known.clone(), Address { block: to.block.clone(), key: known.key.clone() })).collect()
        };
        let moved = self.stack.config.moved.iter();
        let moved = moved.flat_map(|Moved { from, to, .. }| whole(from, to).into_iter().chain([(from.clone(), to.clone())]));
        for (from, to) in &moved.collect::<Vec<_>>() {
            if state.resources.contains_key(to) || !state.resources.contains_key(from) {
                continue;
            }
            records.push(Record::Moved { from: from.clone(), to: to.clone() });
            if let Some(known) = live.remove(from) {
                live.insert(to.clone(), known);
            }
        }
        records
    }

    /// Newer revisions that another tool has made of what `ignore_changes` leaves to it.
    async fn successors(&self, state: &State, live: &mut BTreeMap<Address, Live>) -> Result<Vec<Record>, EngineError> {
        let blocks = &self.stack.config.resources;
        let shared = |address: &Address| blocks.get(&address.block).is_some_and(|block| !block.lifecycle.ignore_changes.is_empty());
        let asked = state.resources.iter().filter(|(address, _)| self.refresh && !self.options.destroy && shared(address));
        let answers = asked.map(|(address, saved)| {
            let mut used = texts_of_dependents(state, live, address);
            // What still runs until an apply that was cut short goes on is no news.
            used.retain(|id| !saved.deposed.iter().any(|deposed| deposed.id == *id));
            async move {
                let handler = self.provider.handler(address.type_name()).ok_or_else(|| EngineError::unknown_type(address.type_name()))?;
                let reading = |failure| EngineError::aws(format!("reading {address}"), failure);
                let id = handler.successor(&saved.region, &saved.id, &used).await.map_err(reading)?;
                if id == saved.id {
                    return Ok::<_, EngineError>(None);
                }
                let read = handler.read(&saved.region, std::slice::from_ref(&id)).await.map_err(reading)?.remove(&id);
                Ok(read.map(|read| (address.clone(), id, read)))
            }
        });
        let mut records = Vec::new();
        for (address, id, read) in try_join_all(answers.collect::<Vec<_>>()).await?.into_iter().flatten() {
            live.insert(address.clone(), Live::Present(read));
            records.push(Record::Succeeded { address, id });
        }
        Ok(records)
    }

    /// What the command that plans sets otherwise than the stack file says, or releases.
    fn pinning(&self, state: &State) -> Vec<Record> {
        let asked = self.options.only.iter().flat_map(|only| &only.pins);
        let mut records: Vec<Record> =
            asked.map(|(address, pins)| Record::Pinned { address: address.clone(), pins: pins.clone() }).collect();
        for (address, pins) in state.pins.iter().filter(|(address, _)| self.options.scale_up && self.options.selects(address)) {
            let mut left = pins.clone();
            left.retain(|_, pin| pin.instead_of.is_some());
            if left.len() < pins.len() {
                records.push(Record::Pinned { address: address.clone(), pins: left });
            }
        }
        records
    }

    /// Reads the data sources whose arguments are known, in as many rounds as they depend on each other.
    async fn data(
        &self,
        identity: &Identity,
        state: &State,
        live: &BTreeMap<Address, Live>,
    ) -> Result<BTreeMap<Block, Value>, EngineError> {
        let resources = self.live_values(state, live);
        let mut data = BTreeMap::new();
        let mut tried = BTreeSet::new();
        loop {
            let scope = StackScope::new(self.stack, Some(identity), &data, &resources);
            let mut reads = Vec::new();
            for (block, config) in self.stack.config.data.iter().filter(|(block, _)| !tried.contains(*block)) {
                let arguments = config.attributes.eval(&scope).map_err(|failure| Diagnostics(vec![failed(failure)]))?;
                if !arguments.has_unknown() {
                    reads.push((block.clone(), &config.span, canonicalize(&config.schema.attributes, &arguments)));
                }
            }
            drop(scope);
            if reads.is_empty() {
                return Ok(data);
            }
            let answers =
                join_all(reads.iter().map(|(block, _, arguments)| self.provider.read_data(&block.type_name, &identity.region, arguments)))
                    .await;
            let mut diagnostics = Diagnostics::default();
            for ((block, span, _), answer) in reads.into_iter().zip(answers) {
                tried.insert(block.clone());
                match answer {
                    Ok(value) => drop(data.insert(block, value)),
                    Err(failure) if failure.operation.is_empty() => {
                        diagnostics.push(Diagnostic::error(span, format!("data.{block}: {}", failure.message)));
                    }
                    Err(failure) => return Err(EngineError::aws(format!("reading data.{block}"), failure)),
                }
            }
            if diagnostics.has_errors() {
                return Err(diagnostics.into());
            }
        }
    }

    /// The live resources as expressions see them.
    fn live_values(&self, state: &State, live: &BTreeMap<Address, Live>) -> BTreeMap<Block, BlockValue> {
        let mut values = BTreeMap::new();
        for (address, saved) in &state.resources {
            let Some(schema) = self.catalog.resources.get(address.type_name()) else { continue };
            let attributes = &schema.schema.attributes;
            let value = match live.get(address) {
                Some(Live::Present(value)) => value.clone(),
                Some(Live::Gone) => continue,
                None => Value::from(&saved.attributes),
            };
            set_instance(&mut values, address, conceal(attributes, &canonicalize(attributes, &value), &saved.sensitive));
        }
        values
    }

    /// What already stands where the plan would create something.
    async fn found(&self, plan: &Plan, identity: &Identity, known: &BTreeSet<String>) -> Result<BTreeMap<Address, Found>, EngineError> {
        let scope = StackScope::new(self.stack, Some(identity), &plan.data, &NO_RESOURCES);
        let mut imports = BTreeMap::new();
        for Import { to: address, id } in &self.stack.config.imports {
            let id = id.eval(&scope).map_err(|failure| Diagnostics(vec![failed(failure)]))?;
            imports.insert(address.clone(), id.as_str().unwrap_or_default().to_owned());
        }
        let searches = plan.changes.iter().filter(|change| change.action == Action::Create).map(|change| {
            let import = imports.get(&change.address);
            async move {
                let handler = self.provider.handler(change.address.type_name())?;
                let wanted = Wanted {
                    address: change.address.clone(),
                    stack: self.stack.name.clone(),
                    region: change.region.clone(),
                    desired: change.after.clone(),
                    known: known.clone(),
                };
                let found = find_one(handler.as_ref(), &wanted, import.map(String::as_str)).await;
                Some((change.address.clone(), found))
            }
        });
        let mut found = BTreeMap::new();
        let mut diagnostics = Diagnostics::default();
        for (address, outcome) in join_all(searches).await.into_iter().flatten() {
            let outcome = match outcome {
                Err(failure) if failure.kind == FailureKind::AlreadyExists => {
                    diagnostics.push(build::taken(self.stack, &address, &failure.message));
                    continue;
                }
                outcome => outcome.map_err(|failure| EngineError::aws(format!("looking for an existing {address}"), failure))?,
            };
            match (outcome, imports.get(&address)) {
                (Some(existing), _) => drop(found.insert(address, existing)),
                (None, Some(id)) => {
                    let missing = Diagnostic::general(format!("{address} cannot be imported: there is no {} {id}", address.type_name()));
                    diagnostics.push(missing.help("correct the `id` of its [[import]], or remove that block to create it"));
                }
                (None, None) => {}
            }
        }
        if diagnostics.has_errors() {
            return Err(diagnostics.into());
        }
        Ok(found)
    }

    /// What already stands where a replacement is to be made first: AWS would refuse it, or worse, hand it over.
    async fn in_the_way(&self, plan: &Plan, known: &BTreeSet<String>) -> Result<(), EngineError> {
        let replaced = plan.changes.iter().filter(|change| change.action == Action::Replace && change.create_before_destroy);
        let searches = replaced.map(|change| async move {
            let handler = self.provider.handler(change.address.type_name())?;
            let wanted = Wanted {
                address: change.address.clone(),
                stack: self.stack.name.clone(),
                region: change.region.clone(),
                desired: change.after.clone(),
                known: known.clone(),
            };
            Some((change, find_one(handler.as_ref(), &wanted, None).await))
        });
        let mut diagnostics = Diagnostics::default();
        for (change, outcome) in join_all(searches).await.into_iter().flatten() {
            let doing = || format!("looking for what is in the way of {}", change.address);
            if let Some(found) = outcome.map_err(|failure| EngineError::aws(doing(), failure))? {
                let error = format!("{} cannot be replaced: {} exists already", change.address, found.id);
                let block = self.stack.config.resources.get(&change.address.block);
                let error = block.map_or_else(|| Diagnostic::general(&error), |block| Diagnostic::error(&block.span, &error));
                diagnostics.push(error.label(build::owned_by(&found)).help("choose another name, or delete that one first"));
            }
        }
        if diagnostics.has_errors() { Err(diagnostics.into()) } else { Ok(()) }
    }
}

/// The pins that are left of a resource when the stack file has come to say something else.
fn unpinned(plan: &Plan, state: &State) -> Vec<Record> {
    let over =
        |address: &Address, path: &Path| plan.pinned.iter().any(|pinned| pinned.over && pinned.address == *address && pinned.path == *path);
    let changed = state.pins.iter().filter(|(address, pins)| pins.keys().any(|path| over(address, path)));
    let records = changed.map(|(address, pins)| {
        let left = pins.iter().filter(|(path, _)| !over(address, path)).map(|(path, pin)| (path.clone(), pin.clone()));
        Record::Pinned { address: address.clone(), pins: left.collect() }
    });
    records.collect()
}

/// The texts in the live attributes of what was made from a resource.
fn texts_of_dependents(state: &State, live: &BTreeMap<Address, Live>, address: &Address) -> Vec<String> {
    let dependents = state.resources.iter().filter(|(_, saved)| saved.depends_on.contains(address));
    let values = dependents.filter_map(|(dependent, _)| match live.get(dependent) {
        Some(Live::Present(Value::Map(attributes))) => Some(attributes.values()),
        _ => None,
    });
    values.flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

static NO_RESOURCES: BTreeMap<Block, BlockValue> = BTreeMap::new();

async fn find_one(handler: &dyn Handler, wanted: &Wanted, import: Option<&str>) -> Outcome<Option<Found>> {
    let id = match import {
        Some(id) => Some(id.to_owned()),
        None => handler.find(wanted).await?,
    };
    let Some(id) = id else { return Ok(None) };
    let Some(attributes) = handler.read(&wanted.region, std::slice::from_ref(&id)).await?.remove(&id) else {
        return Ok(None);
    };
    let tag = |key: &str| attributes.get("tags").and_then(|tags| tags.get(key)).and_then(Value::as_str).map(str::to_owned);
    let owner = tag(STACK_TAG).zip(tag(ADDRESS_TAG));
    let tagged = wanted.ownership().iter().all(|(key, value)| tag(key).as_ref() == Some(value));
    Ok(Some(Found { id, attributes, ours: tagged || import.is_some(), owner }))
}

/// What stands where something may have been created moments ago.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sought {
    /// It; its id.
    Ours(String),
    /// Something else; its id.
    Foreign(String),
    /// Nothing.
    Absent,
}

/// Looks for something that may have been created moments ago, while AWS's reads catch up. Only what has its
/// tags is it.
///
/// # Errors
/// When AWS refuses.
pub async fn patiently_find(handler: &dyn Handler, wanted: &Wanted) -> Outcome<Sought> {
    let mut sought = Sought::Absent;
    for wait in [0, 500, 1000, 2000, 4000] {
        tokio::time::sleep(Duration::from_millis(wait)).await;
        let id = match handler.find(wanted).await {
            Err(failure) if failure.kind == FailureKind::NotFound => None,
            // What cannot be looked at is nobody's of us.
            Err(failure) if failure.kind == FailureKind::AlreadyExists => {
                sought = Sought::Foreign("something".to_owned());
                continue;
            }
            found => found?,
        };
        let Some(id) = id else { continue };
        let Some(attributes) = handler.read(&wanted.region, std::slice::from_ref(&id)).await?.remove(&id) else { continue };
        let taggable = wanted.desired.get("tags").is_some();
        let tag = |key: &str| attributes.get("tags").and_then(|tags| tags.get(key)).and_then(Value::as_str);
        if !taggable || wanted.ownership().iter().all(|(key, value)| tag(key) == Some(value)) {
            return Ok(Sought::Ours(id));
        }
        sought = Sought::Foreign(id);
    }
    Ok(sought)
}

/// Puts the value of one instance among those of its block.
pub fn set_instance(values: &mut BTreeMap<Block, BlockValue>, address: &Address, value: Value) {
    match &address.key {
        None => drop(values.insert(address.block.clone(), BlockValue::Single(value))),
        Some(key) => match values.entry(address.block.clone()).or_insert_with(|| BlockValue::Each(BTreeMap::new())) {
            BlockValue::Each(instances) => drop(instances.insert(key.clone(), value)),
            other => *other = BlockValue::Each([(key.clone(), value)].into()),
        },
    }
}

/// A state of another account, region or stack is never touched.
fn same_place(stack: &Stack, identity: &Identity, state: &State) -> Result<(), EngineError> {
    let mismatch = |what: &str, there: &str, here: &str| {
        Err(Diagnostics(vec![
            Diagnostic::general(format!("the state belongs to {what} {there}, but this is {what} {here}"))
                .help("use the credentials, region and stack file the state was made with, or another stack name"),
        ])
        .into())
    };
    if state.account_id != identity.account_id {
        return mismatch("account", &state.account_id, &identity.account_id);
    }
    if state.region != identity.region {
        return mismatch("region", &state.region, &identity.region);
    }
    if state.stack != stack.name {
        return mismatch("stack", &state.stack, &stack.name);
    }
    Ok(())
}
