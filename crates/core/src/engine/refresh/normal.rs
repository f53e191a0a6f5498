//! Places in normal form: two of them are one resource when they are equal, and only then.

use super::Planner;
use crate::model::journal::{Ledger, Record};
use crate::model::place::Place;
use crate::model::state::{Intent, State};

impl Planner<'_> {
    /// A state as it was read, with every place in normal form: older versions gave what belongs to a global service the
    /// region of its block.
    pub(super) fn normal(&self, state: State) -> Ledger {
        let region = |type_name: &str, asked: &str| self.scope(type_name).region(asked, &state.region).to_owned();
        let places = state.all().filter_map(|(address, known)| {
            let from = &known.place;
            let to = Place { region: region(&from.type_name, &from.region), ..from.clone() };
            (to != *from).then(|| Record::Placed { address: address.clone(), from: from.clone(), to })
        });
        let intents = state.open.iter().filter_map(|open| {
            let intent = Intent { region: region(open.address.type_name(), &open.region), ..open.clone() };
            (intent.region != open.region).then_some(Record::Intent(intent))
        });
        let records: Vec<Record> = places.chain(intents).collect();
        let mut ledger = Ledger::new(state);
        records.into_iter().for_each(|record| ledger.record(record));
        ledger
    }
}
