//! Who takes a place that another leaves: an order of an apply that no reference shows.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::address::Address;

/// Every place that one resource leaves and another takes.
#[derive(Clone, Debug, Default)]
pub struct Handovers {
    /// Those that change their places jointly.
    pub exchanges: Vec<Exchange>,
    /// Of each that takes a place, those of which something has it until it is deleted.
    pub removed: BTreeMap<Address, BTreeSet<Address>>,
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
