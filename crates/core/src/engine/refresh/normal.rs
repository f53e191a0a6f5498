//! Places in normal form: two of them are one resource when they are equal, and only then.

use super::Planner;
use crate::model::journal::{Ledger, Record};
use crate::model::place::Place;
use crate::model::state::{Intent, State};
use crate::model::value::Value;

impl Planner<'_> {
    /// A state as it was read, with every place in normal form: older versions gave what belongs to a global service the
    /// region of its block, and what was imported the form of its id that somebody had written.
    pub(super) fn normal(&self, state: State) -> Ledger {
        let mut ledger = self.ledger(state);
        let state = ledger.state();
        let region = |type_name: &str, asked: &str| self.scope(type_name).region(asked, &state.region).to_owned();
        let places = state.all().filter_map(|(address, known)| {
            let from = &known.place;
            // What was said of it when it was remembered tells: a name may be another one's by now.
            let attributes = Value::from(&known.attributes);
            let id = self.provider.handler(&from.type_name).map(|handler| handler.id_of(&from.id, &attributes));
            let region = region(&from.type_name, &from.region);
            let to = Place { region, id: id.unwrap_or_else(|| from.id.clone()), ..from.clone() };
            (to != *from).then(|| Record::Placed { address: address.clone(), from: from.clone(), to })
        });
        let intents = state.open.iter().filter_map(|open| {
            let intent = Intent { region: region(open.address.type_name(), &open.region), ..open.clone() };
            (intent.region != open.region).then_some(Record::Intent(intent))
        });
        let records: Vec<Record> = places.chain(intents).collect();
        records.into_iter().for_each(|record| ledger.record(record));
        ledger
    }
}
