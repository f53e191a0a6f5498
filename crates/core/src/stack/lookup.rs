//! What evaluation looked up: the edges of the graph between instances.

use std::collections::BTreeSet;

use crate::model::address::{Address, Block};

/// What was looked up in a scope, through locals too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lookups {
    /// Single instances of blocks with `for_each`.
    pub instances: BTreeSet<Address>,
    /// Whole resource blocks: every instance of a block with `for_each`, or the one of a block without.
    pub blocks: BTreeSet<Block>,
    /// Data sources.
    pub data: BTreeSet<Block>,
    /// The references whose value was not known, such as `vpc.main.id`. They hold names from the stack file only.
    pub unknown: BTreeSet<String>,
}

impl Lookups {
    /// Adds what `other` depends on, and not what was unknown there.
    pub fn depend_on(&mut self, other: &Self) {
        self.instances.extend(other.instances.iter().cloned());
        self.blocks.extend(other.blocks.iter().cloned());
        self.data.extend(other.data.iter().cloned());
    }

    /// Adds all of `other`.
    pub fn extend(&mut self, other: &Self) {
        self.depend_on(other);
        self.unknown.extend(other.unknown.iter().cloned());
    }
}
