//! What is made and what goes, in one plan: the order of replacements, renames that were not said, and what AWS does
//! not delete because it is used.

use std::collections::{BTreeMap, BTreeSet};

use super::Builder;
use crate::model::address::Address;
use crate::model::value::Value;
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
            change.create_before_destroy = false;
            change.risks.push(format!("is deleted before its replacement exists, because {on} is, which it was made from"));
            let address = change.address.clone();
            let block = self.stack.config.resources.get(&address.block);
            if let Some(block) = block.filter(|block| block.lifecycle.create_before_destroy == Some(true)) {
                let error = format!("{address} cannot be replaced before its predecessor is deleted, as its `create_before_destroy` asks");
                self.diagnostics.push(
                    Diagnostic::error(&block.span, error)
                        .label(format!("it was made from {on}, which is deleted before its own replacement exists"))
                        .help(format!("set `create_before_destroy = true` in the lifecycle of {on}, too, or leave it out here")),
                );
            }
        }
    }

    /// A block that was renamed without saying so would be made and deleted under one name in AWS.
    pub(super) fn renames(&mut self) {
        let name = |value: &Value| ["name", "bucket", "family"].iter().find_map(|key| value.get(key)?.as_str().map(str::to_owned));
        let created = self.changes.iter().filter(|change| change.action == Action::Create);
        let gone: BTreeMap<(&str, &str, String), &Address> = self
            .changes
            .iter()
            .filter(|change| change.action == Action::Delete)
            .filter_map(|change| Some(((change.address.type_name(), change.region.as_str(), name(&change.before)?), &change.address)))
            .collect();
        let mut renamed = Vec::new();
        for change in created {
            let Some(name) = name(&change.after) else { continue };
            if let Some(from) = gone.get(&(change.address.type_name(), change.region.as_str(), name.clone())) {
                renamed.push(
                    Diagnostic::general(format!(
                        "{} and {from} are both {name} in AWS: one would be created, the other deleted",
                        change.address
                    ))
                    .help(format!("if the block was renamed, add [[moved]] with from = '{from}', to = '{}'", change.address))
                    .help("if they are two resources, give one another name, or delete the old one in an apply of its own"),
                );
            }
        }
        renamed.into_iter().for_each(|diagnostic| self.diagnostics.push(diagnostic));
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
