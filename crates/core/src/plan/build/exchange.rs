//! Places that resources take from one another, such as the priorities of a listener's rules: no two have the same one
//! at any time. Those that only change theirs do so in one step, which is one call; what is deleted leaves its place before
//! another takes it; what is made takes it afterwards.

use std::collections::{BTreeMap, BTreeSet};

use super::{Builder, Live, owned_by};
use crate::model::address::Address;
use crate::model::place::Site;
use crate::model::value::Value;
use crate::plan::handover::Exchange;
use crate::plan::types::{Action, Change, RemovalKind};
use crate::stack::diagnostic::{Code, Diagnostic};

/// How many others are named of a joint change.
const NAMED: usize = 3;

/// Within what places are taken: the type, the site, and the other attributes that tell one place from another.
type Group = (String, Site, Vec<String>);

/// A place: within what, and the value of the joint attribute.
type Spot = (Group, String);

/// What becomes of a place that a resource has now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It is left by a change in place.
    Moves,
    /// It is left when the resource, or its predecessor, is deleted.
    Goes,
    /// It stays taken.
    Stays,
}

impl Builder<'_> {
    /// Finds out who takes whose place, and in which order that can be done.
    pub(super) fn exchanges(&mut self) {
        let holders = self.holders();
        let mut movers: BTreeMap<Group, Vec<Address>> = BTreeMap::new();
        let mut followed: BTreeMap<Group, Vec<Address>> = BTreeMap::new();
        let mut removed: BTreeMap<Address, BTreeSet<Address>> = BTreeMap::new();
        let mut first = Vec::new();
        for taker in self.changes.iter().filter(|change| self.takes_place(change)) {
            let Some(spot) = self.spot(taker.address.type_name(), taker.site(), &taker.after) else { continue };
            let moves = taker.action != Action::Create && taker.action != Action::Replace;
            if moves {
                movers.entry(spot.0.clone()).or_default().push(taker.address.clone());
            }
            for (holder, fate) in holders.get(&spot).into_iter().flatten() {
                match fate {
                    Fate::Moves if !moves => followed.entry(spot.0.clone()).or_default().push(taker.address.clone()),
                    Fate::Moves => {}
                    Fate::Goes => drop(removed.entry(taker.address.clone()).or_default().insert(holder.clone())),
                    Fate::Stays => first.push(self.stays(taker, holder)),
                }
            }
            if let Some(found) = self.world.found.get(&taker.address).filter(|found| moves && taker.place.as_ref() != Some(&found.place)) {
                let error = self.at(
                    &taker.address,
                    Code::SamePlace,
                    &format!("{} cannot have {}: {} has it", taker.address, self.wish(taker), found.place.id),
                );
                first.push(error.label(owned_by(found)).help("choose another one, or change that one first"));
            }
        }
        first.into_iter().for_each(|diagnostic| self.diagnostics.push(diagnostic));
        for (group, members) in movers {
            let followers = followed.remove(&group).unwrap_or_default();
            let attribute = self.catalog.resources.get(&group.0).and_then(|schema| schema.joint);
            if let Some(attribute) = attribute.filter(|_| members.len() > 1 || !followers.is_empty()) {
                self.say_joint(attribute, &members);
                self.handovers.exchanges.push(Exchange { attribute, members, followers });
            }
        }
        self.handovers.removed = removed;
        self.replaced_in_turn();
    }

    /// Who has which place now.
    fn holders(&self) -> BTreeMap<Spot, Vec<(Address, Fate)>> {
        let mut holders: BTreeMap<Spot, Vec<(Address, Fate)>> = BTreeMap::new();
        let mut hold = |spot: Option<Spot>, address: &Address, fate| {
            if let Some(spot) = spot {
                holders.entry(spot).or_default().push((address.clone(), fate));
            }
        };
        for change in &self.changes {
            let type_name = change.address.type_name();
            for removal in change.removals().filter(|removal| !removal.last.is_null()) {
                let fate = match removal.kind {
                    RemovalKind::Forget => Fate::Stays,
                    RemovalKind::Delete => Fate::Goes,
                };
                hold(self.spot(type_name, removal.remembered.place.site(), &removal.last), &change.address, fate);
            }
            // What stays where it is has no other beside it: that two want one place is found elsewhere.
            if change.place.is_some() && matches!(change.action, Action::Update | Action::Import) && self.takes_place(change) {
                hold(self.spot(type_name, change.site(), &change.before), &change.address, Fate::Moves);
            }
        }
        for (address, saved) in self.left_out() {
            let attributes = match self.world.live.get(&saved.place) {
                Some(Live::Present(value)) => value.clone(),
                Some(Live::Gone | Live::Foreign(_)) => continue,
                None => Value::from(&saved.attributes),
            };
            hold(self.spot(address.type_name(), saved.place.site(), &attributes), address, Fate::Stays);
        }
        holders
    }

    /// The place that a resource of these attributes has, where it is known.
    fn spot(&self, type_name: &str, site: Site, attributes: &Value) -> Option<Spot> {
        let schema = self.catalog.resources.get(type_name)?;
        let joint = schema.joint?;
        let names = schema.unique.iter().find(|names| names.contains(&joint))?;
        let text = |name: &str| {
            let value = attributes.get(name)?;
            (!value.is_null() && !value.has_unknown()).then(|| value.to_public_json(&|_| serde_json::Value::Null).to_string())
        };
        let within: Option<Vec<String>> = names.iter().filter(|name| **name != joint).map(|name| text(name)).collect();
        Some(((type_name.to_owned(), site, within?), text(joint)?))
    }

    /// Whether a change makes a resource take a place that it does not have.
    fn takes_place(&self, change: &Change) -> bool {
        let joint = self.catalog.resources.get(change.address.type_name()).and_then(|schema| schema.joint);
        joint.is_some_and(|joint| takes(change, joint))
    }

    /// What a change wants, for people.
    fn wish(&self, change: &Change) -> String {
        let joint = self.catalog.resources.get(change.address.type_name()).and_then(|schema| schema.joint).unwrap_or_default();
        let value = change.after.get(joint).unwrap_or(&Value::Null);
        format!("`{joint}` {}", value.to_public_json(&|_| "(sensitive)".into()))
    }

    fn stays(&self, taker: &Change, holder: &Address) -> Diagnostic {
        let error = format!("{} cannot have {}: {holder} has it and stays in AWS", taker.address, self.wish(taker));
        self.at(&taker.address, Code::SamePlace, &error).help(format!("choose another one, or change or delete {holder} as well"))
    }

    fn say_joint(&mut self, attribute: &str, members: &[Address]) {
        for change in self.changes.iter_mut().filter(|change| members.contains(&change.address)) {
            let others: Vec<String> = members.iter().filter(|other| **other != change.address).map(ToString::to_string).collect();
            let others = match others.len() {
                0 => continue,
                count if count > NAMED => format!("{count} others"),
                _ => others.join(", "),
            };
            change.reason.get_or_insert_with(|| format!("changes `{attribute}` in one call with {others}"));
        }
    }

    /// A replacement that takes a place which another leaves, or leaves one that another takes, cannot be made first: in a
    /// row of such each would wait for the next.
    fn replaced_in_turn(&mut self) {
        let handovers = &self.handovers;
        let followers: BTreeSet<&Address> = handovers.exchanges.iter().flat_map(|exchange| &exchange.followers).collect();
        let in_turn =
            |address: &Address| followers.contains(address) || handovers.removed.contains_key(address) || handovers.gives_way(address);
        let replaced = self.changes.iter().filter(|change| change.action == Action::Replace && change.create_before_destroy);
        let demoted: Vec<Address> = replaced.map(|change| &change.address).filter(|address| in_turn(address)).cloned().collect();
        for address in demoted {
            if let Some(change) = self.changes.iter_mut().find(|change| change.address == address) {
                change.create_before_destroy = false;
                change
                    .risks
                    .push("is deleted before its replacement exists, because one of the two is where another was or will be".to_owned());
            }
            let label = "its old place is taken by another, or its new one is left by another, in this apply".to_owned();
            self.asked_otherwise(&address, label, "change the others in an apply of its own, or leave it out here".to_owned());
        }
    }
}

/// Whether a change makes a resource take another value of a joint attribute, or be made with one.
pub fn takes(change: &Change, joint: &str) -> bool {
    match change.action {
        Action::Create | Action::Replace => true,
        Action::Update | Action::Import => change.attributes.iter().any(|attribute| attribute.path.root() == Some(joint)),
        Action::Delete | Action::Forget | Action::NoOp => false,
    }
}
