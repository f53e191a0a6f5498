//! One place, one address: two addresses that are or would be one object in AWS are an error that names both.

use std::collections::BTreeMap;

use super::Builder;
use crate::model::address::Address;
use crate::model::place::{Place, Scope};
use crate::model::value::Value;
use crate::plan::types::{Action, Change};
use crate::stack::config::ResourceBlock;
use crate::stack::diagnostic::Diagnostic;

/// What only one resource of a type can have: the attributes, their values, and within which region.
type Claim<'a> = (&'a str, &'static [&'static str], String, Vec<String>);

impl Builder<'_> {
    pub(super) fn one_place_one_address(&mut self) {
        let mut found = self.equal_places();
        found.extend(self.equal_names());
        if !self.options.destroy {
            found.extend(self.remembered_twice());
        }
        found.into_iter().for_each(|diagnostic| self.diagnostics.push(diagnostic));
    }

    /// Two addresses of which each is, or imports, the same resource.
    fn equal_places(&self) -> Vec<Diagnostic> {
        let mut seen: BTreeMap<&Place, &Address> = BTreeMap::new();
        let mut diagnostics = Vec::new();
        for change in self.desired() {
            let Some(place) = &change.place else { continue };
            if let Some(other) = seen.insert(place, &change.address) {
                let error = format!("{} and {other} would both be {} {}", change.address, place.type_name, place.id);
                diagnostics.push(self.at(&change.address, &error).help("keep one of the two blocks, or import another id"));
            }
        }
        diagnostics
    }

    /// Two desired resources that have in common what AWS lets only one have.
    fn equal_names(&self) -> Vec<Diagnostic> {
        let mut seen: BTreeMap<Claim<'_>, &Address> = BTreeMap::new();
        let mut diagnostics = Vec::new();
        for change in self.desired() {
            let Some(block) = self.stack.config.resources.get(&change.address.block) else { continue };
            for claim in claims(change, block) {
                let group = claim.1;
                if let Some(other) = seen.insert(claim, &change.address) {
                    let error = format!("{} and {other} have the same `{}`, and AWS allows that once", change.address, group.join("`, `"));
                    diagnostics.push(self.at(&change.address, &error).help("give one of them another, or keep only one of the two blocks"));
                }
            }
        }
        diagnostics
    }

    /// A place that an older leoctl, or a hand, has remembered under two addresses.
    fn remembered_twice(&self) -> Option<Diagnostic> {
        let (place, one, other) = self.world.state.claimed_twice()?;
        let error = Diagnostic::general(format!("the state has {} {} twice, as {one} and as {other}", place.type_name, place.id));
        Some(error.help(format!("`leoctl state rm '{other}'` forgets one of the two and leaves it in AWS")))
    }

    fn desired(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| !matches!(change.action, Action::Delete | Action::Forget))
    }

    /// An error at the block of an address.
    pub(super) fn at(&self, address: &Address, error: &str) -> Diagnostic {
        let block = self.stack.config.resources.get(&address.block);
        block.map_or_else(|| Diagnostic::general(error), |block| Diagnostic::error(&block.span, error))
    }
}

/// What a resource will have that no other can have, as far as it is known.
fn claims<'a>(change: &'a Change, block: &'a ResourceBlock) -> impl Iterator<Item = Claim<'a>> {
    let schema = &block.schema;
    let region = if schema.scope == Scope::Regional { change.region.clone() } else { String::new() };
    schema.unique.iter().filter_map(move |group| {
        let value = |name: &&str| change.after.get(name).unwrap_or(&Value::Null);
        let told_apart = group.last().is_some_and(|name| !value(name).is_null());
        let known = group.iter().all(|name| !value(name).has_unknown() && !value(name).has_secret());
        let values = || group.iter().map(|name| value(name).to_public_json(&|_| serde_json::Value::Null).to_string()).collect();
        (told_apart && known).then(|| (change.address.type_name(), *group, region.clone(), values()))
    })
}
