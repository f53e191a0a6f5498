//! Pins: what a command sets otherwise than the stack file says, or releases.

use super::Planner;
use crate::model::address::Address;
use crate::model::journal::{Ledger, Record};
use crate::model::path::Path;
use crate::plan::types::Plan;

impl Planner<'_> {
    /// Records what the command that plans pins and releases.
    pub(super) fn pin(&self, ledger: &mut Ledger) {
        let known = |ledger: &Ledger, address: &Address| ledger.state().pins.get(address).cloned().unwrap_or_default();
        for (address, pins) in self.options.only.iter().flat_map(|only| &only.pins) {
            if known(ledger, address) == *pins {
                continue;
            }
            ledger.record(Record::Pinned { address: address.clone(), pins: pins.clone() });
        }
        let asked = ledger.state().pins.iter().filter(|(address, _)| self.options.scale_up && self.options.selects(address));
        let released = asked.filter_map(|(address, pins)| {
            let mut left = pins.clone();
            left.retain(|_, pin| pin.instead_of.is_some());
            (left.len() < pins.len()).then(|| Record::Pinned { address: address.clone(), pins: left })
        });
        let released: Vec<Record> = released.collect();
        released.into_iter().for_each(|record| ledger.record(record));
    }
}

/// Releases the pins that are over, as the stack file has come to say something else.
pub(super) fn release(plan: &Plan, ledger: &mut Ledger) {
    let over =
        |address: &Address, path: &Path| plan.pinned.iter().any(|pinned| pinned.over && pinned.address == *address && pinned.path == *path);
    let changed = ledger.state().pins.iter().filter(|(address, pins)| pins.keys().any(|path| over(address, path)));
    let records = changed.map(|(address, pins)| {
        let left = pins.iter().filter(|(path, _)| !over(address, path)).map(|(path, pin)| (path.clone(), pin.clone()));
        Record::Pinned { address: address.clone(), pins: left.collect() }
    });
    let records: Vec<Record> = records.collect();
    records.into_iter().for_each(|record| ledger.record(record));
}
