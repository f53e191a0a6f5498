//! The journal of an apply: what was about to be done and what was done, folded onto the state.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::address::Address;
use super::pin::Pins;
use super::place::Place;
use super::state::{Guard, Intent, Remembered, State};

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
    /// A creation made nothing: AWS refused it, or what it may have made was looked for and is not there.
    Refused {
        /// The resource.
        address: Address,
        /// The token of the creation.
        token: String,
    },
    /// AWS returned the id of a new resource; nothing else has been done to it yet.
    Created {
        /// The resource.
        address: Address,
        /// The token of the creation.
        token: String,
        /// Where it is.
        place: Place,
    },
    /// What is now known of a resource: of one that was read back, or that is about to be changed.
    Saved {
        /// The resource.
        address: Address,
        /// Everything about it.
        remembered: Remembered,
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
        /// What stands for it.
        place: Place,
    },
    /// A predecessor that is still to be deleted stands for its address again, and what replaced it is its predecessor.
    Restored {
        /// The resource.
        address: Address,
        /// Where the predecessor is.
        place: Place,
    },
    /// The same resource is from now on known by another place: its place in normal form.
    Placed {
        /// The resource.
        address: Address,
        /// Its place, or that of a predecessor, as it was remembered.
        from: Place,
        /// The place as it is to be.
        to: Place,
    },
    /// What a command has set otherwise than the stack file says, of one resource: all of its pins.
    Pinned {
        /// The resource.
        address: Address,
        /// Its pins; none when they are released.
        pins: Pins,
    },
    /// Which account each name of the stack file leads to.
    Accounts {
        /// The accounts by name.
        accounts: BTreeMap<String, String>,
    },
    /// A resource, or a predecessor of it, is gone or forgotten.
    Deleted {
        /// The resource.
        address: Address,
        /// Where it was.
        place: Place,
    },
}

impl State {
    /// Folds one record onto the state. Folding a record again changes nothing.
    pub fn fold(&mut self, record: &Record) {
        match record {
            Record::Begin { .. } => {}
            Record::Intent(intent) => {
                self.open.retain(|open| open.token != intent.token);
                self.open.push(intent.clone());
            }
            Record::Refused { address: _, token } => self.open.retain(|open| open.token != *token),
            Record::Created { address, token, place } => self.created(address, token, place),
            Record::Saved { address, remembered } => self.set_current(address, remembered.clone()),
            Record::Moved { from, to } => self.moved(from, to),
            Record::Succeeded { address, place } => {
                if let Some(current) = self.resources.get_mut(address).and_then(|known| known.current.as_mut()) {
                    current.place = place.clone();
                }
            }
            Record::Restored { address, place } => self.restored(address, place),
            Record::Placed { address, from, to } => self.placed(address, from, to),
            Record::Pinned { address, pins } => {
                self.pins.remove(address);
                if !pins.is_empty() {
                    self.pins.insert(address.clone(), pins.clone());
                }
            }
            Record::Accounts { accounts } => self.named_accounts.clone_from(accounts),
            Record::Deleted { address, place } => self.deleted(address, place),
        }
    }

    fn created(&mut self, address: &Address, token: &str, place: &Place) {
        let intent = self.open.iter().position(|open| open.token == token).map(|at| self.open.remove(at));
        if self.current(address).is_some_and(|current| current.place == *place) {
            return;
        }
        let remembered = match intent {
            Some(Intent { attributes, sensitive, authored, depends_on, guard, .. }) => {
                Remembered { attributes, sensitive, authored, depends_on, guard, ..Remembered::unfinished(place.clone()) }
            }
            None => Remembered::unfinished(place.clone()),
        };
        self.set_current(address, remembered);
    }

    /// Makes this the resource of an address. Another one that was it becomes its predecessor.
    fn set_current(&mut self, address: &Address, remembered: Remembered) {
        let known = self.resources.entry(address.clone()).or_default();
        known.deposed.retain(|deposed| deposed.place != remembered.place);
        if let Some(before) = known.current.take().filter(|before| before.place != remembered.place) {
            known.deposed.push(before);
        }
        known.current = Some(remembered);
    }

    fn moved(&mut self, from: &Address, to: &Address) {
        for intent in self.open.iter_mut().filter(|intent| intent.address == *from) {
            intent.address = to.clone();
        }
        if let Some(known) = self.resources.remove(from) {
            self.resources.insert(to.clone(), known);
        }
        if let Some(pins) = self.pins.remove(from) {
            self.pins.insert(to.clone(), pins);
        }
        let known = self.resources.values_mut().flat_map(|known| known.current.iter_mut().chain(&mut known.deposed));
        let remembered = known.flat_map(|known| &mut known.depends_on);
        for on in remembered.chain(self.open.iter_mut().flat_map(|intent| &mut intent.depends_on)).filter(|on| *on == from) {
            *on = to.clone();
        }
    }

    fn restored(&mut self, address: &Address, place: &Place) {
        let deposed = self.resources.get(address).and_then(|known| known.deposed.iter().find(|deposed| deposed.place == *place));
        if let Some(again) = deposed.cloned() {
            self.set_current(address, again);
        }
    }

    /// Renames a place. What then has the place of a successor is that successor, and no predecessor of it.
    fn placed(&mut self, address: &Address, from: &Place, to: &Place) {
        let Some(known) = self.resources.get_mut(address) else { return };
        for remembered in known.current.iter_mut().chain(&mut known.deposed).filter(|remembered| remembered.place == *from) {
            remembered.place = to.clone();
        }
        let mut seen: BTreeSet<Place> = known.current.iter().map(|current| current.place.clone()).collect();
        known.deposed.retain(|deposed| seen.insert(deposed.place.clone()));
    }

    fn deleted(&mut self, address: &Address, place: &Place) {
        let Some(known) = self.resources.get_mut(address) else { return };
        known.deposed.retain(|deposed| deposed.place != *place);
        known.current.take_if(|current| current.place == *place);
        if known.current.is_none() && known.deposed.is_empty() {
            self.resources.remove(address);
        }
    }
}

impl Remembered {
    /// A resource of which nothing but its place is known.
    pub fn unfinished(place: Place) -> Self {
        Self {
            place,
            attributes: Json::Null,
            authored: Vec::new(),
            sensitive: Vec::new(),
            depends_on: Vec::new(),
            guard: Guard::default(),
            incomplete: true,
            updating: Vec::new(),
        }
    }
}

/// A state and the records that made it what it is since it was written: the only way to change one.
///
/// While a plan is made the records are only kept, for an apply to write down before its first step.
#[derive(Clone, Debug, PartialEq)]
pub struct Ledger {
    state: State,
    records: Vec<Record>,
    cleaned: bool,
}

impl Ledger {
    /// A state as it was read.
    pub fn new(state: State) -> Self {
        Self { state, records: Vec::new(), cleaned: false }
    }

    /// A state out of which something was taken that may not stand in it any more. There is no record of it: the
    /// next run that reads that state takes it out again, until it is written whole.
    pub fn cleaned(state: State) -> Self {
        Self { state, records: Vec::new(), cleaned: true }
    }

    /// Whether there is anything to be written down, though no step does anything.
    pub fn has_unwritten(&self) -> bool {
        self.cleaned || !self.records.is_empty()
    }

    /// Whether something was taken out of the state that may not stand in it.
    pub fn is_cleaned(&self) -> bool {
        self.cleaned
    }

    /// The state with every record on it.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The records since the state was read, in order.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Adds a record and folds it onto the state.
    pub fn record(&mut self, record: Record) {
        self.state.fold(&record);
        self.records.push(record);
    }

    /// The state with every record on it.
    pub fn into_state(self) -> State {
        self.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address() -> Address {
        Address::single("vpc", "main")
    }

    fn place(id: &str, region: &str) -> Place {
        Place { type_name: "vpc".into(), account: "1".into(), region: region.into(), id: id.into() }
    }

    fn intent(token: &str, region: &str) -> Intent {
        Intent {
            address: address(),
            account: "1".into(),
            region: region.into(),
            token: token.into(),
            attributes: Json::Null,
            sensitive: vec![Path::attribute("password")],
            authored: vec![Path::attribute("name")],
            depends_on: Vec::new(),
            guard: Guard::default(),
        }
    }

    fn created(state: &mut State, id: &str) {
        state.fold(&Record::Intent(intent(id, "r")));
        state.fold(&Record::Created { address: address(), token: id.into(), place: place(id, "r") });
    }

    fn state() -> State {
        State::new("s", "1", "r", "l".to_owned(), "x".to_owned())
    }

    use crate::model::path::Path;

    #[test]
    fn an_intent_is_open_until_its_id_is_known() {
        let mut state = state();
        created(&mut state, "vpc-1");
        assert!(state.open.is_empty());
        let current = state.current(&address()).unwrap();
        assert!(current.incomplete);
        assert_eq!(current.sensitive, [Path::attribute("password")], "what AWS returns of it is hidden where its secrets stand");
    }

    #[test]
    fn an_intent_in_another_region_does_not_close_the_first() {
        let mut state = state();
        state.fold(&Record::Intent(intent("t1", "r1")));
        state.fold(&Record::Intent(intent("t2", "r2")));
        assert_eq!(state.open.len(), 2);
        state.fold(&Record::Refused { address: address(), token: "t2".into() });
        assert_eq!(state.open[0].region, "r1");
    }

    #[test]
    fn a_replacement_keeps_its_predecessor_until_that_is_deleted() {
        let mut state = state();
        created(&mut state, "vpc-1");
        created(&mut state, "vpc-2");
        assert_eq!(state.current(&address()).unwrap().place.id, "vpc-2");
        assert_eq!(state.deposed(&address())[0].place.id, "vpc-1");
        state.fold(&Record::Deleted { address: address(), place: place("vpc-1", "r") });
        assert!(state.deposed(&address()).is_empty());
        state.fold(&Record::Deleted { address: address(), place: place("vpc-2", "r") });
        assert!(state.resources.is_empty());
    }

    #[test]
    fn a_predecessor_outlives_the_one_that_replaced_it() {
        let mut state = state();
        created(&mut state, "vpc-1");
        created(&mut state, "vpc-2");
        state.fold(&Record::Deleted { address: address(), place: place("vpc-2", "r") });
        assert!(state.current(&address()).is_none());
        assert_eq!(state.deposed(&address())[0].place.id, "vpc-1");
        state.verify().unwrap();
    }

    #[test]
    fn one_id_in_another_region_is_another_resource() {
        let mut state = state();
        created(&mut state, "vpc-1");
        state.fold(&Record::Deleted { address: address(), place: place("vpc-1", "elsewhere") });
        assert!(state.current(&address()).is_some());
    }

    #[test]
    fn folding_again_changes_nothing() {
        let mut state = state();
        created(&mut state, "vpc-1");
        let once = state.clone();
        created(&mut state, "vpc-1");
        state.fold(&Record::Moved { from: Address::single("vpc", "old"), to: address() });
        assert_eq!(state, once);
    }

    #[test]
    fn a_move_takes_what_is_open_along() {
        let mut state = state();
        state.fold(&Record::Intent(intent("t", "r")));
        state.fold(&Record::Moved { from: address(), to: Address::single("vpc", "new") });
        assert_eq!(state.open[0].address, Address::single("vpc", "new"));
    }
}
