//! What is remembered and not desired any more.

use std::collections::{BTreeMap, BTreeSet};

use super::change::{guard, predecessor_risk};
use super::{Builder, Live};
use crate::model::address::Address;
use crate::model::value::Value;
use crate::plan::diff::diff;
use crate::plan::select::with_dependents;
use crate::plan::types::{Action, Change, RemovalKind};
use crate::stack::diagnostic::{Code, Diagnostic};

impl Builder<'_> {
    /// What is remembered and not desired.
    pub(super) fn leftovers(&mut self) {
        let desired = self.wanted();
        let state = self.world.state;
        self.going = if self.options.destroy { self.options.destroyed(state) } else { self.going(&desired) };
        let going: Vec<&Address> =
            state.resources.keys().filter(|known| !desired.contains(*known) && self.going.contains(*known)).collect();
        for address in going {
            match self.leftover(address) {
                Ok(change) => self.changes.extend(change),
                Err(diagnostic) => self.diagnostics.push(diagnostic),
            }
        }
    }

    /// What is not desired any more and selected, with what was made from it and is not desired either.
    fn going(&self, desired: &BTreeSet<Address>) -> BTreeSet<Address> {
        let state = self.world.state;
        let left = || state.resources.keys().filter(|address| !desired.contains(*address));
        let selected = left().filter(|address| self.selection.includes_leftover(address)).cloned().collect();
        let left: BTreeSet<&Address> = left().collect();
        with_dependents(state, selected, |address| left.contains(address))
    }

    fn leftover(&self, address: &Address) -> Result<Option<Change>, Diagnostic> {
        let schema = self.catalog.resources.get(address.type_name());
        let attributes = schema.map(|schema| schema.schema.attributes.as_slice()).unwrap_or_default();
        let removed = self.stack.config.removed.iter().any(|removed| removed.from.covers(address));
        let mut deposed = self.others(address, self.world.state.current(address));
        let configured = self.stack.config.resources.get(&address.block).filter(|_| self.options.destroy);
        let (guard, goes) = match self.world.state.current(address) {
            Some(saved) => {
                let guard = configured.map_or(saved.guard, guard);
                (guard, self.departing(attributes, saved, guard.retain))
            }
            // Only predecessors are left: the last one stands for the address.
            None => match deposed.pop() {
                Some(last) => (last.remembered.guard, last),
                None => return Ok(None),
            },
        };
        let place = goes.remembered.place.clone();
        let loss = self.world.live.get(&place).and_then(Live::loss);
        if guard.prevent_destroy && loss.is_none() && !removed {
            return Err(Diagnostic::general(
                Code::Protected,
                format!("{address} ({}) would be deleted, but `prevent_destroy` protects it", place.id),
            )
            .help("to delete it, set `prevent_destroy = false` and apply that first")
            .help(format!("to keep it and forget it here, add `[[removed]]` with `from = \"{address}\"`")));
        }
        let mut goes = goes;
        for removal in deposed.iter_mut().chain([&mut goes]).filter(|_| removed) {
            removal.kind = RemovalKind::Forget;
        }
        let mut risks: Vec<String> =
            schema.iter().flat_map(|schema| deposed.iter().filter_map(|gone| predecessor_risk(schema, gone))).collect();
        if goes.kind == RemovalKind::Delete {
            if let Some(off) = schema.and_then(|schema| (schema.protected)(&goes.last)) {
                return Err(Diagnostic::general(
                    Code::Protected,
                    format!("{address} ({}) would be deleted, but AWS protects it", place.id),
                )
                .help(format!("to delete it, set `{off}` and apply that first")));
            }
            risks.extend(
                schema.and_then(|schema| schema.loss(&Value::from(&goes.remembered.attributes))).map(|loss| format!("deletes {loss}")),
            );
        }
        Ok(Some(Change {
            address: address.clone(),
            action: match goes.kind {
                RemovalKind::Delete => Action::Delete,
                RemovalKind::Forget => Action::Forget,
            },
            reason: match loss {
                Some(loss) => Some(format!("it {loss}")),
                None if removed => Some("`[[removed]]` says to forget it".to_owned()),
                None if guard.retain => {
                    let why = schema.and_then(|schema| schema.stays).unwrap_or("its `deletion_policy` is \"retain\"");
                    Some(format!("{why}; it stays in AWS"))
                }
                None if self.options.destroy => None,
                None => Some("it is not in the stack any more".to_owned()),
            },
            account: place.account.clone(),
            account_name: self.world.identity.name_of(&place.account).map(str::to_owned),
            region: place.region.clone(),
            place: Some(place),
            gone: None,
            attributes: diff(attributes, &goes.last, &Value::Map(BTreeMap::new())),
            before: goes.last.clone(),
            after: Value::Null,
            risks,
            depends_on: Vec::new(),
            reads: Vec::new(),
            comes_after: Vec::new(),
            widens: Vec::new(),
            waits_for: BTreeMap::new(),
            still_uses: Vec::new(),
            prior_depends_on: goes.remembered.depends_on.clone(),
            create_before_destroy: false,
            deposed,
            guard,
            each: None,
            governors: Vec::new(),
            governed: Vec::new(),
            sensitive: goes.remembered.sensitive.clone(),
            goes: Some(goes),
            authored: Vec::new(),
            state_only: BTreeSet::new(),
            unfinished: false,
        }))
    }
}
