//! What is made and what goes, in one plan: which comes first, and what AWS does not delete because it is used.

use std::collections::BTreeSet;

use super::Builder;
use crate::model::address::Address;
use crate::plan::schedule::{self, Handover};
use crate::plan::types::Action;
use crate::stack::diagnostic::Diagnostic;

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
    pub(super) fn settle_handovers(&mut self, handovers: &[Handover]) {
        while let Some(stuck) = schedule::stuck(&self.changes, &self.reads, handovers) {
            let made_first = |address: &Address| {
                let change = self.changes.iter().find(|change| change.address == *address);
                change.is_some_and(|change| change.action == Action::Replace && change.create_before_destroy)
            };
            let Some(Handover { taker, holder, what, .. }) = stuck.iter().find(|handover| made_first(&handover.holder)) else {
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
    fn cannot_hand_over(&mut self, stuck: &[Handover]) {
        let Some(Handover { taker, holder, what, .. }) = stuck.first() else { return };
        let error = format!("{taker} cannot take over the {what} of {holder} in one apply: each would have to come first");
        let error = self.at(taker, &error).help(format!("give {holder} another one first, in an apply of its own"));
        self.diagnostics.push(error);
    }

    /// Lets a resource be deleted before its replacement exists, unless its block asks for the other order.
    fn demote(&mut self, address: &Address, risk: String, label: String, help: String) {
        let Some(change) = self.changes.iter_mut().find(|change| change.address == *address) else { return };
        change.create_before_destroy = false;
        change.risks.push(risk);
        let block = self.stack.config.resources.get(&address.block);
        if let Some(block) = block.filter(|block| block.lifecycle.create_before_destroy == Some(true)) {
            let error = format!("{address} cannot be replaced before its predecessor is deleted, as its `create_before_destroy` asks");
            self.diagnostics.push(Diagnostic::error(&block.span, error).label(label).help(help));
        }
    }

    /// What is deleted before its replacement exists, while something that stays uses it: AWS would refuse.
    pub(super) fn held(&mut self) {
        let mut found = Vec::new();
        for change in self.changes.iter().filter(|change| change.action == Action::Replace && !change.create_before_destroy) {
            let Some(block) = self.stack.config.resources.get(&change.address.block).filter(|block| block.schema.held) else { continue };
            let user = self.changes.iter().find(|user| user.action == Action::Update && user.prior_depends_on.contains(&change.address));
            let Some(user) = user else { continue };
            let names: Vec<&str> = block.schema.unique.iter().filter_map(|group| group.last().copied()).collect();
            let error = format!("{} cannot be replaced: {} uses it, and AWS deletes only what nothing uses", change.address, user.address);
            found.push(
                Diagnostic::error(&block.span, error)
                    .label("its replacement has to exist first, and the two have a name or a network in common")
                    .help(format!("change its `{}` too: then the new one is made first", names.join("` and `"))),
            );
        }
        found.into_iter().for_each(|diagnostic| self.diagnostics.push(diagnostic));
    }
}
