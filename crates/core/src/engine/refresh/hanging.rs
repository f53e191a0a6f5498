//! Whose a resource is that takes no tags: of a stack whose state is lost, what it hangs on is found by its tags, and tells.

use std::collections::BTreeMap;

use super::Planner;
use crate::model::address::Address;
use crate::model::journal::{Ledger, Record};
use crate::model::place::Scope;
use crate::model::schema::{HangsOn, Named};
use crate::model::value::Value;
use crate::plan::build::Found;
use crate::plan::types::{Action, Plan};

impl Planner<'_> {
    /// Takes what hangs on a resource of ours for ours. That one has to be found by its tags in this very plan: of one that
    /// is remembered, what is not remembered with it may be anybody's, and so may be what hangs on one that is imported.
    pub(super) fn hanging(&self, plan: &Plan, found: &mut BTreeMap<Address, Found>) {
        loop {
            let doubtful = found.iter().filter(|(_, found)| !found.ours && found.owner.is_none());
            let ours: Vec<(Address, Address)> = doubtful
                .filter_map(|(address, child)| Some((address.clone(), self.holder(plan, address, child, found)?.clone())))
                .collect();
            if ours.is_empty() {
                return;
            }
            for (address, holder) in ours {
                if let Some(child) = found.get_mut(&address) {
                    child.ours = true;
                    child.hangs_on = Some(holder);
                }
            }
        }
    }

    /// Remembers what is taken along before anything is done: should the apply die once its holder is remembered, nothing
    /// would tell whose it is.
    pub(super) fn taken_along(&self, plan: &Plan, found: &BTreeMap<Address, Found>, ledger: &mut Ledger) {
        let taken: Vec<Record> = plan
            .changes
            .iter()
            .filter(|change| change.action == Action::Import)
            .filter_map(|change| Some((change, found.get(&change.address).filter(|found| found.hangs_on.is_some())?)))
            .map(|(change, found)| self.own(change, found, ledger.state()))
            .collect();
        taken.into_iter().for_each(|record| ledger.record(record));
    }

    /// What a resource hangs on, where that is ours.
    fn holder<'f>(&self, plan: &Plan, address: &Address, child: &Found, found: &'f BTreeMap<Address, Found>) -> Option<&'f Address> {
        let schema = self.catalog.resources.get(address.type_name()).filter(|schema| !schema.schema.is_taggable())?;
        let made_from = plan.change(address).map(|change| change.depends_on.as_slice()).unwrap_or_default();
        let is_named = |hangs_on: &HangsOn, address: &Address, holder: &Found| {
            let value = hangs_on.attribute.iter().try_fold(&child.attributes, |value, name| value.get(name)).and_then(Value::as_str);
            value.is_some_and(|value| match hangs_on.names {
                Named::Attribute(type_name, name) => {
                    address.type_name() == type_name && holder.attributes.get(name).and_then(Value::as_str) == Some(value)
                }
                Named::Reference => {
                    let arn = holder.attributes.get("arn").and_then(Value::as_str);
                    made_from.contains(address) && (holder.place.id == value || arn == Some(value))
                }
            })
        };
        let holds = |address: &Address, holder: &Found| {
            let is_near = self.scope(address.type_name()) != Scope::Regional || holder.place.region == child.place.region;
            let is_near = is_near && holder.place.account == child.place.account;
            is_near && schema.hangs_on.iter().any(|hangs_on| is_named(hangs_on, address, holder))
        };
        let ours = found.iter().filter(|(address, holder)| self.tells(address, holder));
        ours.filter(|(address, holder)| holds(address, holder)).map(|(address, _)| address).next()
    }

    /// Whether a resource that was found tells by its tags that it, and what hangs on it, is this stack's.
    fn tells(&self, address: &Address, found: &Found) -> bool {
        let is_ours = found.owner.as_ref().is_some_and(|owner| owner.stack == self.stack.name) || found.hangs_on.is_some();
        found.ours && is_ours && !self.stack.config.imports.iter().any(|import| import.to == *address)
    }
}
