//! What is deleted before its replacement exists, while something that stays uses it: AWS would refuse.

use super::Builder;
use super::change::in_common;
use super::order::mentions;
use crate::model::value::Value;
use crate::plan::types::{Action, Change, Removal, RemovalKind};
use crate::stack::diagnostic::{Code, Diagnostic};

impl Builder<'_> {
    pub(super) fn held(&mut self) {
        let last = self.changes.iter().filter(|change| is_made_last(change));
        let replaced = last.filter_map(|change| Some(self.cannot_go(change, self.holder(change)?)));
        let deleted = self.changes.iter().flat_map(|change| change.removals().map(move |removal| (change, removal)));
        let deleted = deleted.filter(|(_, removal)| removal.kind == RemovalKind::Delete);
        let deleted = deleted.filter_map(|(change, removal)| Some(self.held_for_ever(change, self.lasting(change, removal)?)));
        let found: Vec<Diagnostic> = replaced.chain(deleted).collect();
        found.into_iter().for_each(|diagnostic| self.diagnostics.push(diagnostic));
    }

    /// What stays and keeps AWS from deleting a resource.
    fn holder(&self, change: &Change) -> Option<&Change> {
        let schema = self.catalog.resources.get(change.address.type_name())?;
        self.changes.iter().find(|user| {
            user.action == Action::Update
                && schema.held_by.contains(&user.address.type_name())
                && user.prior_depends_on.contains(&change.address)
                && uses(&user.before, &told_by(change.id(), &change.before))
        })
    }

    /// What stays in AWS when the stack lets it go, or its predecessor, and keeps AWS from deleting a resource.
    fn lasting(&self, change: &Change, removal: &Removal) -> Option<(&Change, &Removal)> {
        let schema = self.catalog.resources.get(change.address.type_name())?;
        let place = &removal.remembered.place;
        let told_by = told_by(Some(&place.id), &removal.last);
        // Where two have one name, that a name is meant is known by what refers to it alone.
        let means = |user: &Change, left: &Removal| user.prior_depends_on.contains(&change.address) || left.remembered.place.id != place.id;
        let users = self.changes.iter().filter(|user| schema.held_by.contains(&user.address.type_name()));
        let staying = users.flat_map(|user| user.removals().map(move |left| (user, left)));
        let staying = staying.filter(|(_, left)| left.kind == RemovalKind::Forget && left.remembered.place.site() == place.site());
        let mut holding = staying.filter(|(user, left)| means(user, left) && uses(&left.last, &told_by));
        holding.next()
    }

    /// Why a resource cannot be deleted that is used by what stays in AWS as it is.
    fn held_for_ever(&self, change: &Change, (user, left): (&Change, &Removal)) -> Diagnostic {
        let (address, id) = (&change.address, &left.remembered.place.id);
        let user = &user.address;
        let error = format!("{address} cannot be deleted: {user} ({id}) stays in AWS and uses it, and AWS deletes only what nothing uses");
        let by_itself = self.catalog.resources.get(user.type_name()).is_some_and(|schema| schema.stays.is_some());
        let keep = format!("keep {address}, too, with `deletion_policy = \"retain\"`, or let {user} be deleted with it");
        let error = self.at(address, Code::InUse, &error).help(format!("take what names it out of {user}, and apply that first"));
        if by_itself { error } else { error.help(keep) }
    }

    /// Why a resource that is held has to go first, and what would let its replacement be made before.
    fn cannot_go(&self, change: &Change, user: &Change) -> Diagnostic {
        let (chain, root) = self.made_last_because(change);
        let address = &change.address;
        let error = self.at(
            address,
            Code::InUse,
            &format!("{address} cannot be replaced: {} uses it, and AWS deletes only what nothing uses", user.address),
        );
        let error = match chain.split_first() {
            None => error,
            Some((on, rest)) => {
                let rest: String = rest.iter().map(|on| format!(", made from {}", on.address)).collect();
                error.label(format!("it is deleted before its replacement exists, as {}{rest} is, which it was made from", on.address))
            }
        };
        let of = &root.address;
        let asked = self.asked(root);
        let common: Vec<&[&str]> = self.in_common(root).collect();
        let error = match common.first().filter(|_| chain.is_empty()) {
            Some(group) => error.label(format!("both would have the same `{}`, and AWS allows that once", group.join("`, `"))),
            None => error,
        };
        let names: Vec<&str> = common.iter().filter_map(|group| group.last().copied()).collect();
        let error = match (names.is_empty(), asked) {
            (false, _) => {
                let names = names.join("` and `");
                let what = if chain.is_empty() { format!("its `{names}`") } else { format!("`{names}` of {of}") };
                error.help(format!("change {what} too: then the new one is made first"))
            }
            (true, Some(false)) => error,
            (true, _) => error.help(format!("set `create_before_destroy = true` in the lifecycle of {of}: then the new one is made first")),
        };
        match asked {
            Some(false) => error.help(format!("leave out `create_before_destroy = false` in the lifecycle of {of}")),
            _ => error,
        }
    }

    fn in_common(&self, change: &Change) -> impl Iterator<Item = &'static [&'static str]> {
        self.catalog.resources.get(change.address.type_name()).into_iter().flat_map(|schema| in_common(schema, change))
    }

    /// Whether a resource goes first whatever it was made from.
    fn is_last_by_itself(&self, change: &Change) -> bool {
        let asked = self.asked(change);
        let schema = self.catalog.resources.get(change.address.type_name());
        let by_type = schema.is_some_and(|schema| !schema.create_before_destroy && schema.unique.is_empty());
        asked == Some(false) || asked.is_none() && by_type || self.in_common(change).next().is_some()
    }

    /// What the stack file says of the order.
    fn asked(&self, change: &Change) -> Option<bool> {
        self.stack.config.resources.get(&change.address.block)?.lifecycle.create_before_destroy
    }

    /// What a resource was made from that is deleted before its own replacement exists, and so on, and the last of these.
    fn made_last_because<'c>(&'c self, change: &'c Change) -> (Vec<&'c Change>, &'c Change) {
        let (mut chain, mut at) = (Vec::new(), change);
        let next = |at: &Change| self.changes.iter().find(|on| is_made_last(on) && at.prior_depends_on.contains(&on.address));
        while let Some(on) = next(at).filter(|on| !chain.iter().any(|known: &&Change| known.address == on.address)) {
            if self.is_last_by_itself(at) {
                break;
            }
            chain.push(on);
            at = on;
        }
        (chain, at)
    }
}

fn is_made_last(change: &Change) -> bool {
    change.action == Action::Replace && !change.create_before_destroy
}

/// What tells a resource in AWS.
fn told_by(id: Option<&str>, attributes: &Value) -> Vec<Value> {
    let told_by = ["id", "arn"].iter().filter_map(|name| attributes.get(name).cloned());
    id.map(Value::string).into_iter().chain(told_by).collect()
}

/// Whether one of some values is in an attribute; in a tag it is but a text.
fn uses(attributes: &Value, these: &[Value]) -> bool {
    let all = attributes.as_map().into_iter().flatten();
    all.filter(|(name, _)| *name != "tags").any(|(name, _)| mentions(attributes, name, these))
}
