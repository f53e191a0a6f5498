//! The plan as data: what will be done, why, and what it risks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::desired::Governor;
use super::diff::AttributeChange;
use super::select::Options;
use super::state_change::{Aspect, StateChange};
use super::step::Step;
use crate::model::address::{Address, Block};
use crate::model::path::Path;
use crate::model::place::{Place, Site};
use crate::model::redact::Redactor;
use crate::model::state::{Guard, Remembered};
use crate::model::value::Value;
use crate::stack::Stack;
use crate::stack::scope::{Each, Identity};

/// Everything an apply does, and what is shown before it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The stack with its expressions: references are resolved again when a step runs.
    pub stack: Arc<Stack>,
    /// The account and region it is for.
    pub identity: Identity,
    /// The serial of the state it was made from.
    pub serial: u64,
    /// The lineage of the state it was made from; empty for a stack never applied.
    pub lineage: String,
    /// What was asked for.
    pub options: Options,
    /// Why: one entry for every resource that is desired or goes, each after what it depends on. One that is desired and left
    /// out by the options stays as it is; one that is not desired and left out has no entry.
    pub changes: Vec<Change>,
    /// What is done, and in which order.
    pub steps: Vec<Step>,
    /// Data sources that can only be read once something has been applied.
    pub reads: Vec<Read>,
    /// What data sources said.
    pub data: BTreeMap<Block, Value>,
    /// What changed outside leoctl.
    pub drift: Vec<Drift>,
    /// The outputs as they will be.
    pub outputs: BTreeMap<String, OutputChange>,
    /// What the state alone says otherwise afterwards.
    pub state_changes: Vec<StateChange>,
    /// The stack's conditions.
    pub checks: Vec<CheckResult>,
    /// What is set otherwise than the stack file says.
    pub pinned: Vec<Pinned>,
    /// What deserves a look that belongs to no one resource.
    pub warnings: Vec<String>,
}

/// What happens to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is made.
    Create,
    /// It is changed in place.
    Update,
    /// It is made anew and the old one deleted.
    Replace,
    /// It is deleted.
    Delete,
    /// An existing resource is taken into the state, and changed where it differs.
    Import,
    /// It is dropped from the state and stays in AWS.
    Forget,
    /// Nothing.
    NoOp,
}

/// What happens to one resource.
#[derive(Clone, Debug)]
pub struct Change {
    /// The resource.
    pub address: Address,
    /// What happens.
    pub action: Action,
    /// Why, when that is not plain from the attributes.
    pub reason: Option<String>,
    /// Where it is, when it exists.
    pub place: Option<Place>,
    /// What was remembered of it and is gone from AWS, though it is wanted.
    pub gone: Option<Place>,
    /// The account it is to be in.
    pub account: String,
    /// The name of that account in the stack file, when it is not the stack's own.
    pub account_name: Option<String>,
    /// The region it is to be in.
    pub region: String,
    /// As it is in AWS; null when it is not.
    pub before: Value,
    /// As it will be; null when it will not be.
    pub after: Value,
    /// Where the two differ.
    pub attributes: Vec<AttributeChange>,
    /// What may go wrong or be lost.
    pub risks: Vec<String>,
    /// What it is made from.
    pub depends_on: Vec<Address>,
    /// Data sources it waits for.
    pub reads: Vec<Block>,
    /// What is changed or deleted first although it depends on this resource: AWS does not take away what is still used.
    pub comes_after: Vec<Address>,
    /// Sets that are added to before those in `comes_after` change, and taken away from afterwards.
    pub widens: Vec<String>,
    /// The references that each unknown in `after` waits for; lists go by position.
    pub waits_for: BTreeMap<Path, Vec<String>>,
    /// What it was made from and still has something of in AWS, though what the stack file says does not come from there
    /// any more.
    pub still_uses: Vec<Address>,
    /// What the remembered resource was made from: deletes wait for these the other way round.
    pub prior_depends_on: Vec<Address>,
    /// Whether its replacement is made before it goes.
    pub create_before_destroy: bool,
    /// Predecessors left behind by an interrupted replacement, to be removed.
    pub deposed: Vec<Removal>,
    /// The resource itself, when it goes.
    pub goes: Option<Removal>,
    /// What protects it, to be remembered.
    pub guard: Guard,
    /// `each`, for an instance of a block with `for_each`.
    pub each: Option<Each>,
    /// Who else in AWS chooses something of it.
    pub governors: Vec<Governor>,
    /// What is written of it and does not count, as something else in AWS sets it.
    pub governed: Vec<String>,
    /// Where secrets stand in it.
    pub sensitive: Vec<Path>,
    /// The attributes the stack file sets.
    pub authored: Vec<Path>,
    /// In what that which is remembered of it differs from what will be, though AWS does not: saved without a call.
    pub state_only: BTreeSet<Aspect>,
    /// Whether an earlier apply made or changed it and did not wait until it was ready.
    pub unfinished: bool,
}

/// A remembered resource that goes.
#[derive(Clone, Debug)]
pub struct Removal {
    /// The resource.
    pub remembered: Remembered,
    /// Its attributes as last seen, with what only leoctl knows of it.
    pub last: Value,
    /// What becomes of it.
    pub kind: RemovalKind,
}

impl Removal {
    /// Whether it is not in AWS any more, so that nothing has to be waited for to forget it.
    pub fn is_gone(&self) -> bool {
        self.kind == RemovalKind::Forget && self.last.is_null()
    }
}

/// What becomes of a remembered resource that goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemovalKind {
    /// It is deleted in AWS.
    Delete,
    /// It is only dropped from the state, as it is gone already or is to stay in AWS.
    Forget,
}

/// A data source read during apply.
#[derive(Clone, Debug)]
pub struct Read {
    /// The data source.
    pub block: Block,
    /// Where it is read.
    pub site: Site,
    /// What has to be applied first.
    pub depends_on: Vec<Address>,
    /// Data sources that have to be read first.
    pub reads: Vec<Block>,
}

/// A resource that changed outside leoctl.
#[derive(Clone, Debug)]
pub struct Drift {
    /// The resource.
    pub address: Address,
    /// Its id.
    pub id: String,
    /// Why it is not there any more, as what is said of it; nothing, if it is there.
    pub loss: Option<String>,
    /// What was remembered against what is there.
    pub attributes: Vec<AttributeChange>,
}

/// An attribute that a command has set otherwise than the stack file says.
#[derive(Clone, Debug, PartialEq)]
pub struct Pinned {
    /// The resource.
    pub address: Address,
    /// The attribute.
    pub path: Path,
    /// What it is.
    pub value: Value,
    /// What the stack file says.
    pub says: Value,
    /// Whether it lasts until it is released, and not just until the stack file says something new.
    pub lasting: bool,
    /// Whether it is over, as the stack file says something new.
    pub over: bool,
}

/// An output's change.
#[derive(Clone, Debug)]
pub struct OutputChange {
    /// As remembered; secret when it is to be, though it was not. Of one that was sensitive only that is remembered: it is a
    /// secret that is not known.
    pub before: Option<Value>,
    /// As it will be; nothing when it goes.
    pub after: Option<Value>,
    /// The references it waits for where it is not known.
    pub waits_for: Vec<String>,
}

/// How a condition came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckResult {
    /// Its name.
    pub name: String,
    /// Whether it holds; not known before apply when none.
    pub holds: Option<bool>,
    /// What to say when it does not.
    pub message: String,
}

/// How many resources each action has. A predecessor that goes counts as one of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Made.
    pub create: usize,
    /// Changed in place.
    pub update: usize,
    /// Made anew.
    pub replace: usize,
    /// Deleted.
    pub delete: usize,
    /// Data sources read during apply.
    pub read: usize,
    /// Left as they are.
    pub no_op: usize,
    /// Taken into the state.
    pub import: usize,
    /// Dropped from the state only.
    pub forget: usize,
}

impl Plan {
    /// What data sources have said of which something is sensitive, so that the plan does not show it.
    pub fn hidden_data(&self) -> impl Iterator<Item = (&Block, &Value)> {
        self.data.iter().filter(|(_, value)| value.has_secret())
    }

    /// How many resources each action has.
    pub fn summary(&self) -> Summary {
        let count = |action| self.changes.iter().filter(|change| change.action == action).count();
        let predecessors = |kind| self.changes.iter().flat_map(|change| &change.deposed).filter(|removal| removal.kind == kind).count();
        Summary {
            create: count(Action::Create),
            update: count(Action::Update),
            replace: count(Action::Replace),
            delete: count(Action::Delete) + predecessors(RemovalKind::Delete),
            read: self.reads.len(),
            // What was left out and is not there yet is no resource that stays as it is.
            no_op: self.changes.iter().filter(|change| change.action == Action::NoOp && change.place.is_some()).count(),
            import: count(Action::Import),
            forget: count(Action::Forget) + predecessors(RemovalKind::Forget),
        }
    }

    /// Whether there is anything to apply: something changes in AWS, in the outputs or in the state alone. Exit codes,
    /// reviews and the question before an apply go by this.
    pub fn has_changes(&self) -> bool {
        self.changes_resources() || self.outputs.values().any(OutputChange::is_change) || !self.state_changes.is_empty()
    }

    /// Whether anything is done to a resource.
    pub fn changes_resources(&self) -> bool {
        self.changes.iter().any(Change::is_change)
    }

    /// What takes everything secret in it out of texts that others have written.
    pub fn redactor(&self) -> Redactor {
        let changed = self.changes.iter().flat_map(|change| [&change.before, &change.after]);
        self.stack.redactor().and(Redactor::new(self.data.values().chain(changed)))
    }

    /// The change of a resource.
    pub fn change(&self, address: &Address) -> Option<&Change> {
        self.changes.iter().find(|change| change.address == *address)
    }
}

impl Change {
    /// Where it is to be.
    pub fn site(&self) -> Site {
        Site { account: self.account.clone(), region: self.region.clone() }
    }

    /// Its id, when it exists.
    pub fn id(&self) -> Option<&str> {
        self.place.as_ref().map(|place| place.id.as_str())
    }

    /// What the state remembers of its dependencies, for the order of deletes.
    pub fn remembered_depends_on(&self) -> Vec<Address> {
        self.depends_on.iter().chain(&self.still_uses).cloned().collect()
    }

    /// Everything remembered of the resource that goes: predecessors first, then itself.
    pub fn removals(&self) -> impl Iterator<Item = &Removal> {
        self.deposed.iter().chain(&self.goes)
    }

    /// Whether applying it does anything to the resource.
    pub fn is_change(&self) -> bool {
        self.action != Action::NoOp || !self.deposed.is_empty() || self.unfinished
    }

    /// The attributes that force a replacement.
    pub fn replace_paths(&self) -> Vec<Path> {
        let forcing = self.attributes.iter().filter(|attribute| attribute.forces_replacement && self.action == Action::Replace);
        forcing.map(|attribute| attribute.path.clone()).collect()
    }
}

fn is_concealed(value: &Value) -> bool {
    matches!(value, Value::Secret(inner) if matches!(**inner, Value::Unknown))
}

impl OutputChange {
    /// An output of the last apply that this plan says nothing of yet.
    pub(super) fn remembered(before: Value) -> Self {
        Self { before: Some(before), after: None, waits_for: Vec::new() }
    }

    /// A sensitive output of the last apply: its value is not kept.
    pub(super) fn concealed() -> Self {
        Self::remembered(Value::Secret(Box::new(Value::Unknown)))
    }

    /// Whether the output changes; one that is not known yet may.
    pub fn is_change(&self) -> bool {
        match (&self.before, &self.after) {
            (None, None) => false,
            // Whether a sensitive one has another value cannot be told.
            (Some(before), Some(after)) if is_concealed(before) => !after.has_secret(),
            // One that is to be secret from now on is taken out of the state.
            (Some(before), Some(after)) => before.has_secret() || before != after,
            (None, Some(_)) | (Some(_), None) => true,
        }
    }
}
