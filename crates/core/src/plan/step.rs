//! Steps: the closed list of what an apply does. Nothing runs that is not one of these, and what runs is what was planned.

use crate::model::address::{Address, Block};
use crate::model::path::Path;
use crate::model::place::{Place, Site};
use crate::model::state::{Guard, Remembered};
use crate::model::value::Value;
use crate::plan::desired::Governor;
use crate::stack::scope::Each;

/// One step of a plan.
#[derive(Clone, Debug)]
pub struct Step {
    /// The resource, or the data source.
    pub address: Address,
    /// What is done.
    pub kind: StepKind,
    /// The steps that have to be done before, by their position in the plan.
    pub after: Vec<usize>,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum StepKind {
    /// Reads a data source.
    Read(Block),
    /// Makes a resource.
    Create(Box<Create>),
    /// Changes a resource in place.
    Update(Box<Update>),
    /// Gives several resources an attribute that no two have in common at any time, in one call.
    Reassign(Box<Reassign>),
    /// Takes an existing resource into the state, and changes it where it differs.
    Import(Box<Update>),
    /// Waits until a resource that an earlier apply made is ready.
    Wait(Box<Confirm>),
    /// Remembers what is to be known of a resource; nothing is asked of AWS.
    Remember(Box<Confirm>),
    /// Deletes a resource in AWS.
    Delete(Box<Delete>),
    /// Drops a resource from the state; nothing is asked of AWS.
    Forget(Place),
}

/// What is remembered with a resource that is made or changed.
#[derive(Clone, Debug)]
pub struct Target {
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// What it is made from.
    pub depends_on: Vec<Address>,
    /// What protects it.
    pub guard: Guard,
    /// The attributes the stack file sets.
    pub authored: Vec<Path>,
    /// `each`, for an instance of a block with `for_each`.
    pub each: Option<Each>,
    /// Who else chooses something of it.
    pub governors: Vec<Governor>,
}

impl Target {
    /// Where calls go.
    pub fn site(&self) -> Site {
        Site { account: self.account.clone(), region: self.region.clone() }
    }
}

/// A creation.
#[derive(Clone, Debug)]
pub struct Create {
    /// What is remembered with it.
    pub target: Target,
    /// The attributes of the resource it replaces.
    pub replaces: Option<Value>,
}

/// A change in place.
#[derive(Clone, Debug)]
pub struct Update {
    /// What is remembered with it.
    pub target: Target,
    /// The resource.
    pub place: Place,
    /// Its attributes in AWS.
    pub live: Value,
    /// Whether an earlier step has changed it already: then what that left is what is there.
    pub rest: bool,
    /// Sets from which nothing is taken away yet: a later step does.
    pub keeps: Vec<String>,
}

/// A joint change of one attribute.
#[derive(Clone, Debug)]
pub struct Reassign {
    /// Where the call goes.
    pub site: Site,
    /// The attribute.
    pub attribute: String,
    /// The resources that change it.
    pub members: Vec<Member>,
}

/// A resource that changes an attribute together with others.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its address.
    pub address: Address,
    /// The resource.
    pub place: Place,
    /// Its attributes in AWS.
    pub live: Value,
    /// What the attribute becomes.
    pub value: Value,
}

/// A resource that stays as it is.
#[derive(Clone, Debug)]
pub struct Confirm {
    /// What is remembered with it.
    pub target: Target,
    /// The resource.
    pub place: Place,
    /// Its attributes in AWS.
    pub live: Value,
    /// Its attributes as the stack file wants them.
    pub after: Value,
}

/// A deletion.
#[derive(Clone, Debug)]
pub struct Delete {
    /// The resource, with what it was made from.
    pub remembered: Remembered,
    /// Its attributes as last seen, with what only leoctl knows of it.
    pub last: Value,
}

impl StepKind {
    /// The name of what is done, as plans and events have it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Read(_) => "read",
            Self::Create(_) => "create",
            Self::Update(_) => "update",
            Self::Reassign(_) => "reassign",
            Self::Import(_) => "import",
            Self::Wait(_) => "wait",
            Self::Remember(_) => "remember",
            Self::Delete(_) => "delete",
            Self::Forget(_) => "forget",
        }
    }

    /// The existing resource a step is about; none where it is about several.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Read(_) | Self::Create(_) | Self::Reassign(_) => None,
            Self::Update(update) => Some(&update.place),
            Self::Import(import) => Some(&import.place),
            Self::Wait(confirm) | Self::Remember(confirm) => Some(&confirm.place),
            Self::Delete(delete) => Some(&delete.remembered.place),
            Self::Forget(place) => Some(place),
        }
    }
}

/// The address under which a data source is spoken of.
pub fn data_address(block: &Block) -> Address {
    Address { block: Block::new(format!("data.{}", block.type_name), &*block.name).within(&block.module), key: None }
}
