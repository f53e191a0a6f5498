//! What an instance depends on, from what its evaluation looked up, and what cannot be judged because something
//! that it needs has failed.

use std::collections::BTreeSet;

use super::Builder;
use crate::model::address::{Address, Block};
use crate::model::place::Place;
use crate::model::state::{Remembered, State};
use crate::model::value::Value;
use crate::plan::types::Change;
use crate::stack::config::ResourceBlock;
use crate::stack::lookup::Lookups;

/// What could not be planned. An error has been reported for each, or for what it needs: whatever uses one of these
/// is not judged, since it could only repeat that error in other words.
#[derive(Debug, Default)]
pub(super) struct Failed {
    /// Resource blocks of which it is not even known which instances there are.
    pub blocks: BTreeSet<Block>,
    /// Single resources.
    pub instances: BTreeSet<Address>,
    /// Data sources.
    pub data: BTreeSet<Block>,
}

impl Failed {
    /// Whether it is an address that could not be planned.
    pub fn has(&self, address: &Address) -> bool {
        self.instances.contains(address) || self.blocks.contains(&address.block)
    }

    /// Whether any of what was looked up has failed.
    pub fn affects(&self, lookups: &Lookups) -> bool {
        let failed = |block: &Block| self.blocks.contains(block);
        lookups.data.iter().any(|block| self.data.contains(block))
            || lookups.instances.iter().any(|address| self.instances.contains(address) || failed(&address.block))
            || lookups.blocks.iter().any(|block| failed(block) || self.instances.iter().any(|address| address.block == *block))
    }
}

impl Builder<'_> {
    /// The resources that were looked up, and those that the data sources among them were read for, in plan order.
    pub(super) fn edges(&self, lookups: &Lookups) -> Vec<Address> {
        let mut found = lookups.clone();
        let mut open: Vec<Block> = lookups.data.iter().cloned().collect();
        while let Some(block) = open.pop() {
            if let Some(more) = self.data_lookups.get(&block) {
                open.extend(more.data.difference(&found.data).cloned());
                found.depend_on(more);
            }
        }
        let blocks: BTreeSet<&Block> = found.blocks.iter().chain(found.instances.iter().map(|address| &address.block)).collect();
        let instances = blocks.into_iter().flat_map(|block| self.instances.get(block).into_iter().flatten());
        instances.filter(|address| found.blocks.contains(&address.block) || found.instances.contains(*address)).cloned().collect()
    }

    /// What an instance depends on: what was looked up for it, every instance of the blocks in `depends_on`, and what
    /// its type comes after.
    pub(super) fn depends_on(&self, resource: &ResourceBlock, address: &Address, lookups: &Lookups) -> Vec<Address> {
        let mut all = lookups.clone();
        all.blocks.extend(resource.depends_on.iter().map(|(block, _)| block.clone()));
        let mut found = self.edges(&all);
        let declared = self.declared(resource, address, &found);
        found.extend(declared);
        found
    }

    /// Every address that the stack wants, also where planning it has failed.
    pub(super) fn wanted(&self) -> BTreeSet<Address> {
        let planned = self.changes.iter().map(|change| &change.address).chain(&self.failed.instances);
        let remembered = self.world.state.resources.keys().filter(|address| self.failed.blocks.contains(&address.block));
        planned.chain(remembered).cloned().collect()
    }
}

/// What a resource was made from and still has something of, though nothing that was evaluated names it any more: where
/// `ignore_changes` or AWS keeps what an earlier reference gave. The state remembers these edges for the order of deletes.
pub(super) fn still_used(state: &State, saved: &Remembered, change: &Change) -> Vec<Address> {
    let uses = |on: &&Address| {
        let known = state.resources.get(*on).into_iter().flat_map(|known| known.current.iter().chain(&known.deposed));
        known.into_iter().any(|known| names(&change.after, &known.place, known.attributes.get("arn").and_then(serde_json::Value::as_str)))
    };
    saved.depends_on.iter().filter(|on| !change.depends_on.contains(on)).filter(uses).cloned().collect()
}

/// Whether a name stands in a text by itself: `app` is in `role/app`, and not in `application`.
fn has_word(text: &str, name: &str) -> bool {
    let apart = |edge: Option<char>| edge.is_none_or(|edge| !edge.is_alphanumeric());
    let mut found = text.match_indices(name).filter(|_| !name.is_empty());
    found.any(|(at, _)| {
        let (before, rest) = text.split_at(at);
        apart(before.chars().next_back()) && apart(rest.chars().nth(name.chars().count()))
    })
}

/// Whether a value has the id or the ARN of a resource in it.
fn names(value: &Value, place: &Place, arn: Option<&str>) -> bool {
    match value.revealed() {
        Value::String(text) => [Some(place.id.as_str()), arn].into_iter().flatten().any(|name| has_word(text, name)),
        Value::List(items) => items.iter().any(|item| names(item, place, arn)),
        Value::Map(map) => map.values().any(|item| names(item, place, arn)),
        _ => false,
    }
}
