//! Orders that AWS needs and that no reference shows: the types declare them, and here they become edges.

use std::collections::{BTreeMap, BTreeSet};

use super::Builder;
use crate::model::address::Address;
use crate::model::schema::{After, Release};
use crate::model::value::Value;
use crate::plan::types::{Action, Change};
use crate::stack::config::ResourceBlock;
use crate::stack::deps::Item;
use crate::stack::diagnostic::{Code, Diagnostic};

impl Builder<'_> {
    /// What a resource comes after by the orders of its type: resources that refer to something it depends on as
    /// well, directly (`on`) or at any distance.
    pub(super) fn declared(&self, resource: &ResourceBlock, address: &Address, on: &[Address]) -> Vec<Address> {
        if resource.schema.after.is_empty() {
            return Vec::new();
        }
        let own = self.all_below(on);
        // The blocks that come first have been evaluated already, but for those that depend on this one.
        let first: Vec<_> =
            self.dependencies.get(&Item::Resource(address.block.clone())).into_iter().flatten().map(|(item, _)| item).collect();
        let comes_first =
            |change: &&Change| first.iter().any(|item| matches!(item, Item::Resource(block) if *block == change.address.block));
        let shares = |change: &&Change, order: &After| {
            let shared = |other: &Address| other.type_name() == order.through && own.contains(other);
            change.address.type_name() == order.type_name && change.depends_on.iter().any(shared)
        };
        let orders = resource.schema.after.iter();
        let found = orders.flat_map(|order| self.changes.iter().filter(comes_first).filter(move |change| shares(change, order)));
        found.map(|change| change.address.clone()).filter(|other| !on.contains(other)).collect()
    }

    /// These resources and everything that they depend on.
    pub(super) fn all_below(&self, of: &[Address]) -> BTreeSet<Address> {
        let planned: BTreeMap<&Address, &Change> = self.changes.iter().map(|change| (&change.address, change)).collect();
        let (mut seen, mut open) = (BTreeSet::new(), of.to_vec());
        while let Some(address) = open.pop() {
            if seen.insert(address.clone())
                && let Some(change) = planned.get(&address)
            {
                open.extend(change.depends_on.iter().cloned());
            }
        }
        seen
    }

    /// Updates that take something away wait for those that stop using it, although these depend on the resource.
    pub(super) fn releases(&mut self) {
        for index in 0..self.changes.len() {
            let Some(change) = self.changes.get(index).filter(|change| change.action == Action::Update) else { continue };
            let Some(schema) = self.catalog.resources.get(change.address.type_name()) else { continue };
            let mut first = BTreeSet::new();
            let mut widens = Vec::new();
            let mut refused = Vec::new();
            for release in schema.releases {
                let Some(taken) = taken_away(change, release.attribute) else { continue };
                let keeps = self.changes.iter().find(|user| keeps_using(user, change, release, &taken));
                refused.extend(keeps.map(|user| self.still_in_use(change, user, release)));
                let users: Vec<&Change> = self.changes.iter().filter(|user| stops_using(user, change, release, &taken)).collect();
                let exchanged = users.iter().any(|user| mentions(&user.after, release.using, &taken.added));
                let addresses = users.iter().map(|user| user.address.clone()).collect();
                match (users.first(), self.before(&change.address, addresses)) {
                    (None, _) => {}
                    (_, Some(found)) => {
                        first.extend(found);
                        widens.extend(exchanged.then(|| release.attribute.to_owned()));
                    }
                    (Some(user), None) => refused.push(self.cannot_wait(change, user, release)),
                }
            }
            if let Some(change) = self.changes.get_mut(index) {
                if !widens.is_empty() {
                    let names = widens.join("` and `");
                    change.reason.get_or_insert_with(|| format!("`{names}` is added to first, and taken away from once nothing uses that"));
                }
                change.comes_after = first.into_iter().collect();
                change.widens = widens;
            }
            refused.into_iter().for_each(|diagnostic| self.diagnostics.push(diagnostic));
        }
    }

    /// What takes something away would have to come before its user, and after it.
    fn cannot_wait(&self, change: &Change, user: &Change, release: &Release) -> Diagnostic {
        let (address, user, attribute) = (&change.address, &user.address, release.attribute);
        let error = format!("{address} cannot change `{attribute}` now: AWS does that once {user} has given up its `{}`", release.using);
        self.at(address, Code::InUse, &error)
            .label(format!("{user}, or what it waits for, uses what {address} will be only then"))
            .help(format!("apply the change of {user} first, with `{attribute}` as it was, and then this one"))
    }

    /// What is to be taken away is used by something that stays with it.
    fn still_in_use(&self, change: &Change, user: &Change, release: &Release) -> Diagnostic {
        let (address, user, attribute, using) = (&change.address, &user.address, release.attribute, release.using);
        let error =
            format!("{address} cannot give up what it has in `{attribute}`: {user} uses it, and AWS takes away only what nothing uses");
        self.at(address, Code::InUse, &error)
            .label(format!("`{using}` of {user} has it, as written there or as AWS took it from here when {user} was made"))
            .help(format!("write another `{using}` in {user}, or leave `{attribute}` as it is"))
    }

    /// What has to come before `address` when `users` do: these, and whatever they wait for that would itself wait for
    /// it. Nothing when one of them cannot do without what it will be.
    fn before(&self, address: &Address, users: Vec<Address>) -> Option<BTreeSet<Address>> {
        let mut first: BTreeSet<Address> = users.iter().cloned().collect();
        let mut seen = BTreeSet::new();
        let mut open = users;
        while let Some(user) = open.pop() {
            if !seen.insert(user.clone()) {
                continue;
            }
            let Some(change) = self.changes.iter().find(|change| change.address == user) else { continue };
            let waits_on = self.waits_on(change);
            if waits_on.contains(address) {
                if needs_anew(change, address) {
                    return None;
                }
                first.insert(user);
            }
            if !change.reads.is_empty() {
                return None;
            }
            open.extend(waits_on.into_iter().filter(|on| on != address));
        }
        (!seen.contains(address)).then_some(first)
    }

    /// What a change waits for; of one that deletes, these are the changes of what was made from it.
    fn waits_on(&self, change: &Change) -> BTreeSet<Address> {
        let mut found: BTreeSet<Address> = change.comes_after.iter().cloned().collect();
        if !matches!(change.action, Action::Delete | Action::Forget) {
            let later =
                |on: &&Address| !self.changes.iter().any(|other| other.address == **on && other.comes_after.contains(&change.address));
            found.extend(change.depends_on.iter().filter(later).cloned());
        }
        if matches!(change.action, Action::Delete | Action::Forget | Action::Replace) {
            let users = self.changes.iter().filter(|user| user.prior_depends_on.contains(&change.address));
            found.extend(users.map(|user| user.address.clone()));
        }
        found
    }
}

/// Whether a change needs something of another resource that is only known once that has changed.
fn needs_anew(change: &Change, on: &Address) -> bool {
    let of = on.to_string();
    let is_of = |reference: &String| reference.strip_prefix(&of).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    change.waits_for.values().flatten().any(|reference| is_of(reference) || *reference == on.block.to_string())
}

/// What an update takes away from an attribute, and what it adds to it.
struct Taken {
    /// Elements; none where the whole is taken away.
    removed: Vec<Value>,
    added: Vec<Value>,
}

/// What an update takes away from an attribute; nothing when it takes nothing away.
fn taken_away(change: &Change, attribute: &str) -> Option<Taken> {
    let of = |value: &Value| value.get(attribute).map_or(Value::Null, |value| value.revealed().clone());
    let all = Taken { removed: Vec::new(), added: Vec::new() };
    match (of(&change.before), of(&change.after)) {
        (Value::Bool(true), Value::Bool(false) | Value::Null) => Some(all),
        (Value::Bool(_) | Value::Null, _) | (_, Value::Unknown) => None,
        (Value::List(before), Value::List(after)) => {
            let without = |these: &[Value], those: &[Value]| these.iter().filter(|one| !those.contains(one)).cloned().collect::<Vec<_>>();
            let taken = Taken { removed: without(&before, &after), added: without(&after, &before) };
            (!taken.removed.is_empty()).then_some(taken)
        }
        (_, after) => after.is_null().then_some(all),
    }
}

/// Whether a change gives up something of a resource that is to be taken away from it.
fn stops_using(user: &Change, resource: &Change, release: &Release, taken: &Taken) -> bool {
    let depends = user.prior_depends_on.contains(&resource.address) || user.depends_on.contains(&resource.address);
    let uses = taken.removed.is_empty() || mentions(&user.before, release.using, &taken.removed);
    user.address.type_name() == release.by
        && depends
        && uses
        && match user.action {
            Action::Delete | Action::Replace => true,
            Action::Update => user.attributes.iter().any(|change| change.path.root() == Some(release.using)),
            Action::Create | Action::Import | Action::Forget | Action::NoOp => false,
        }
}

/// Whether something that stays has of a resource what is to be taken away from it, and goes on having it. What is not known
/// yet may be another.
fn keeps_using(user: &Change, resource: &Change, release: &Release, taken: &Taken) -> bool {
    let stays = matches!(user.action, Action::NoOp | Action::Update);
    let after = user.after.get(release.using).unwrap_or(&Value::Null);
    let uses = match taken.removed.is_empty() {
        true => !after.is_null() && !after.has_unknown() && user.before.get(release.using) == Some(after),
        false => mentions(&user.after, release.using, &taken.removed),
    };
    user.address.type_name() == release.by && stays && user.depends_on.contains(&resource.address) && uses
}

/// Whether an attribute of a resource has one of these values anywhere in it.
pub(super) fn mentions(value: &Value, attribute: &str, these: &[Value]) -> bool {
    fn anywhere(value: &Value, these: &[Value]) -> bool {
        these.contains(value)
            || match value.revealed() {
                Value::List(items) => items.iter().any(|item| anywhere(item, these)),
                Value::Map(map) => map.values().any(|item| anywhere(item, these)),
                _ => false,
            }
    }
    value.get(attribute).is_some_and(|value| anywhere(value, these))
}
