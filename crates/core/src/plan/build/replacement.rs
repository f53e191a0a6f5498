//! What is made and what goes, in one plan: which comes first.

use std::collections::BTreeSet;

use super::Builder;
use crate::model::address::Address;
use crate::plan::handover::Takeover;
use crate::plan::schedule;
use crate::plan::types::Action;
use crate::stack::diagnostic::{Code, Diagnostic};

impl Builder<'_> {
    /// A replacement made before its predecessor goes cannot wait for one that is made after.
    pub(super) fn settle_replacement_order(&mut self) {
        loop {
            let after: BTreeSet<Address> = self
                .changes
                .iter()
                .filter(|change| change.action == Action::Replace && !change.create_before_destroy)
                .map(|change| change.address.clone())
                .collect();
            let demoted = self.changes.iter_mut().find_map(|change| {
                let made_first = change.action == Action::Replace && change.create_before_destroy;
                let on = change.prior_depends_on.iter().find(|on| made_first && after.contains(on))?.clone();
                Some((change, on))
            });
            let Some((change, on)) = demoted else { return };
            let address = change.address.clone();
            self.demote(
                &address,
                format!("is deleted before its replacement exists, because {on} is, which it was made from"),
                format!("it was made from {on}, which is deleted before its own replacement exists"),
                format!("set `create_before_destroy = true` in the lifecycle of {on}, too, or leave it out here"),
            );
        }
    }

    /// Replacements that would wait for each other to give up what only one can have go before theirs come.
    pub(super) fn settle_takeovers(&mut self) {
        while let Some(stuck) = schedule::stuck(&self.changes, &self.reads, &self.handovers) {
            let made_first = |address: &Address| {
                let change = self.changes.iter().find(|change| change.address == *address);
                change.is_some_and(|change| change.action == Action::Replace && change.create_before_destroy)
            };
            let Some(Takeover { taker, holder, what, .. }) = stuck.iter().find(|takeover| made_first(&takeover.holder)) else {
                return self.cannot_hand_over(&stuck);
            };
            self.demote(
                holder,
                format!("is deleted before its replacement exists, because {taker} takes over its {what}"),
                format!("{taker} takes over its {what}, and neither can be made first"),
                "make the two changes in two applies, or leave `create_before_destroy` out here".to_owned(),
            );
            self.settle_replacement_order();
        }
    }

    /// Resources that would each have to wait for the other.
    fn cannot_hand_over(&mut self, stuck: &[Takeover]) {
        let Some(Takeover { taker, holder, what, .. }) = stuck.first() else { return };
        let error = format!("{taker} cannot take over the {what} of {holder} in one apply: each would have to come first");
        let error = self.at(taker, Code::SamePlace, &error).help(format!("give {holder} another one first, in an apply of its own"));
        self.diagnostics.push(error);
    }

    /// Lets a resource be deleted before its replacement exists, unless its block asks for the other order.
    fn demote(&mut self, address: &Address, risk: String, label: String, help: String) {
        let Some(change) = self.changes.iter_mut().find(|change| change.address == *address) else { return };
        change.create_before_destroy = false;
        change.risks.push(risk);
        self.asked_otherwise(address, label, help);
    }

    /// Where a block asks that its replacement is made first, it is an error that it cannot be.
    pub(super) fn asked_otherwise(&mut self, address: &Address, label: String, help: String) {
        let block = self.stack.config.resources.get(&address.block);
        if let Some(block) = block.filter(|block| block.lifecycle.create_before_destroy == Some(true)) {
            let error = format!("{address} cannot be replaced before its predecessor is deleted, as its `create_before_destroy` asks");
            self.diagnostics.push(Diagnostic::error(Code::ReplaceOrder, &block.span, error).label(label).help(help));
        }
    }
}
