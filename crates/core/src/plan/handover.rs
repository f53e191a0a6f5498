//! Who takes over what another gives up, of what AWS allows once: an order of an apply that no reference shows.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::address::Address;

/// Everything that one resource gives up and another takes over.
#[derive(Clone, Debug, Default)]
pub struct Handovers {
    /// Those that change their places jointly.
    pub exchanges: Vec<Exchange>,
    /// Of each that takes a place, those of which something has it until it is deleted.
    pub removed: BTreeMap<Address, BTreeSet<Address>>,
    /// What is not changed jointly: names, networks, ids.
    pub takeovers: Vec<Takeover>,
    /// What changes hands in one call of the taker, so that nobody is without it: here the holder waits.
    pub passed_on: Vec<Takeover>,
}

/// Something that one resource takes over from another, such as a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Takeover {
    /// Who takes it over.
    pub taker: Address,
    /// Who has it until now.
    pub holder: Address,
    /// What gives it up.
    pub by: GivenUpBy,
    /// What it is, for messages.
    pub what: String,
}

/// What of a change gives something up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GivenUpBy {
    /// Its update.
    Update,
    /// A removal, by its position among [`crate::plan::types::Change::removals`].
    Removal(usize),
    /// That it is gone from AWS, which is still to be recorded.
    Loss,
}

/// Resources that change an attribute jointly.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The attribute.
    pub attribute: &'static str,
    /// The resources.
    pub members: Vec<Address>,
    /// What is made in a place that one of them leaves.
    pub followers: Vec<Address>,
}

impl Handovers {
    /// The position of the exchange that a resource takes part in.
    pub fn exchange_of(&self, address: &Address) -> Option<usize> {
        self.exchanges.iter().position(|exchange| exchange.members.contains(address))
    }

    /// Whether another waits until something of this address is deleted.
    pub fn gives_way(&self, address: &Address) -> bool {
        self.removed.values().any(|removed| removed.contains(address))
    }
}
