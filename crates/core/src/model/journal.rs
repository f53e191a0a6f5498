//! The journal of an apply: what was about to be done and what was done, folded onto the state.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::address::Address;
use super::pin::Pins;
use super::state::{Deposed, Intent, ResourceState, State};

/// One entry of the journal, durable before what follows it happens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// The journal of an apply on this state begins.
    Begin {
        /// The state's lineage.
        lineage: String,
        /// The state's serial.
        serial: u64,
    },
    /// A resource is about to be created.
    Intent(Intent),
    /// AWS refused to create a resource: nothing was made.
    Refused {
        /// The resource.
        address: Address,
    },
    /// AWS returned the id of a new resource; nothing else has been done to it yet.
    Created {
        /// The resource.
        address: Address,
        /// Its id.
        id: String,
    },
    /// What is now known of a resource.
    Saved {
        /// The resource.
        address: Address,
        /// Everything about it.
        resource: ResourceState,
    },
    /// What was remembered under one address is from now on under another.
    Moved {
        /// The old address.
        from: Address,
        /// The new one.
        to: Address,
    },
    /// Another id stands for a resource: a newer revision that something else has made and that is in use.
    Succeeded {
        /// The resource.
        address: Address,
        /// The id that stands for it.
        id: String,
    },
    /// What a command has set otherwise than the stack file says, of one resource: all of its pins.
    Pinned {
        /// The resource.
        address: Address,
        /// Its pins; none when they are released.
        pins: Pins,
    },
    /// A resource, or a predecessor of it, is gone or forgotten.
    Deleted {
        /// The resource.
        address: Address,
        /// Its id.
        id: String,
    },
}

/// A state and what an unfinished apply left open.
#[derive(Clone, Debug, PartialEq)]
pub struct Folded {
    /// The state with every record on it.
    pub state: State,
    /// Creations that were begun and not confirmed.
    pub open: Vec<Intent>,
}

impl Folded {
    /// A state as it was saved.
    pub fn new(mut state: State) -> Self {
        let open = std::mem::take(&mut state.open);
        Self { state, open }
    }

    /// The state as it is to be saved.
    pub fn into_state(self) -> State {
        State { open: self.open, ..self.state }
    }

    /// Folds one record onto the state.
    pub fn fold(&mut self, record: &Record) {
        match record {
            Record::Begin { .. } => {}
            Record::Moved { from, to } => self.moved(from, to),
            Record::Succeeded { address, id } => {
                if let Some(known) = self.state.resources.get_mut(address) {
                    known.id.clone_from(id);
                }
            }
            Record::Pinned { address, pins } => {
                self.state.pins.remove(address);
                if !pins.is_empty() {
                    self.state.pins.insert(address.clone(), pins.clone());
                }
            }
            Record::Intent(intent) => {
                self.open.retain(|open| open.address != intent.address);
                self.open.push(intent.clone());
            }
            Record::Refused { address } => self.open.retain(|open| open.address != *address),
            Record::Created { address, id } => self.created(address, id),
            Record::Saved { address, resource } => {
                self.open.retain(|open| open.address != *address);
                let mut resource = resource.clone();
                if let Some(known) = self.state.resources.get(address) {
                    // Predecessors go by their own records.
                    resource.deposed = known.deposed.iter().filter(|deposed| deposed.id != resource.id).cloned().collect();
                    if known.id != resource.id {
                        resource.deposed.push(Deposed { id: known.id.clone(), attributes: known.attributes.clone() });
                    }
                }
                self.state.resources.insert(address.clone(), resource);
            }
            Record::Deleted { address, id } => {
                let Some(known) = self.state.resources.get_mut(address) else { return };
                known.deposed.retain(|deposed| deposed.id != *id);
                if known.id == *id {
                    match known.deposed.pop() {
                        // What is left of the address are predecessors: one of them stands for it until it is gone.
                        Some(left) => {
                            known.id = left.id;
                            known.attributes = left.attributes;
                        }
                        None => drop(self.state.resources.remove(address)),
                    }
                }
            }
        }
    }

    fn moved(&mut self, from: &Address, to: &Address) {
        let Some(resource) = self.state.resources.remove(from) else { return };
        self.state.resources.insert(to.clone(), resource);
        if let Some(pins) = self.state.pins.remove(from) {
            self.state.pins.insert(to.clone(), pins);
        }
        for other in self.state.resources.values_mut() {
            for on in other.depends_on.iter_mut().filter(|on| *on == from) {
                *on = to.clone();
            }
        }
    }

    fn created(&mut self, address: &Address, id: &str) {
        let intent = self.open.iter().find(|open| open.address == *address).cloned();
        self.open.retain(|open| open.address != *address);
        let predecessors = self.state.resources.remove(address).map(|known| {
            let own = Deposed { id: known.id, attributes: known.attributes };
            known.deposed.into_iter().chain([own]).filter(|deposed| deposed.id != id).collect()
        });
        let resource = ResourceState {
            id: id.to_owned(),
            region: intent.as_ref().map_or_else(|| self.state.region.clone(), |intent| intent.region.clone()),
            attributes: intent.as_ref().map_or(Json::Null, |intent| intent.attributes.clone()),
            authored: Vec::new(),
            sensitive: Vec::new(),
            depends_on: intent.as_ref().map(|intent| intent.depends_on.clone()).unwrap_or_default(),
            guard: intent.map(|intent| intent.guard).unwrap_or_default(),
            incomplete: true,
            deposed: predecessors.unwrap_or_default(),
        };
        self.state.resources.insert(address.clone(), resource);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::state::Guard;

    fn address() -> Address {
        Address::single("vpc", "main")
    }

    fn created(folded: &mut Folded, id: &str) {
        folded.fold(&Record::Intent(Intent {
            address: address(),
            region: "r".to_owned(),
            token: "t".to_owned(),
            attributes: Json::Null,
            depends_on: Vec::new(),
            guard: Guard::default(),
        }));
        folded.fold(&Record::Created { address: address(), id: id.to_owned() });
    }

    fn folded() -> Folded {
        Folded::new(State::new("s", "1", "r", "l".to_owned(), "x".to_owned()))
    }

    #[test]
    fn an_intent_is_open_until_its_id_is_known() {
        let mut folded = folded();
        created(&mut folded, "vpc-1");
        assert!(folded.open.is_empty());
        assert!(folded.state.resources[&address()].incomplete);
    }

    #[test]
    fn a_replacement_keeps_its_predecessor_until_that_is_deleted() {
        let mut folded = folded();
        created(&mut folded, "vpc-1");
        created(&mut folded, "vpc-2");
        assert_eq!(folded.state.resources[&address()].id, "vpc-2");
        assert_eq!(folded.state.resources[&address()].deposed[0].id, "vpc-1");
        folded.fold(&Record::Deleted { address: address(), id: "vpc-1".to_owned() });
        assert!(folded.state.resources[&address()].deposed.is_empty());
        folded.fold(&Record::Deleted { address: address(), id: "vpc-2".to_owned() });
        assert!(folded.state.resources.is_empty());
    }
}
