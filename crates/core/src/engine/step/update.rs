//! Changing a resource in place, so that a change that did not end is finished by the next apply.

use super::{Runner, keeping, open_tokens, with, without_unknown};
use crate::engine::ports::{Failure, FailureKind, Outcome};
use crate::engine::retry::retrying;
use crate::model::journal::Record;
use crate::model::secrecy::conceal;
use crate::model::state::Remembered;
use crate::model::value::Value;
use crate::plan::build::unsettled;
use crate::plan::diff::{AttributeChange, diff};
use crate::plan::step::{Confirm, Target, Update};

/// What an update does, with every reference resolved.
struct Wanted {
    /// What is remembered with it.
    target: Target,
    /// The resource as it is: an earlier step of the same apply may have changed a part of it.
    live: Value,
    /// As it will be once all of its steps are done.
    whole: Value,
    /// As it will be after this one.
    desired: Value,
    /// That without what AWS sets anew when something else changes.
    expected: Value,
    changes: Vec<AttributeChange>,
}

impl Wanted {
    /// The attributes that change.
    fn attributes(&self) -> impl Iterator<Item = &str> {
        self.changes.iter().filter_map(|change| change.path.root())
    }

    /// Refuses what would take a replacement.
    fn in_place(&self) -> Outcome<()> {
        let Some(forced) = self.changes.iter().find(|change| change.forces_replacement) else { return Ok(()) };
        let message = format!("`{}` turned out to change, which replaces the resource; that was not in the plan", forced.path);
        Err(Failure::new(FailureKind::Invalid, message))
    }
}

impl Runner<'_> {
    pub(super) async fn import(&self, update: &Update) -> Outcome<String> {
        if let Some(other) = self.other_of(&update.place) {
            let message = format!("{} is {other} in the state, and is not taken over as {} too", update.place.id, self.address);
            return Err(Failure::new(FailureKind::AlreadyExists, message));
        }
        let wanted = self.wanted(update)?;
        // Ours from now on, whatever becomes of the update.
        self.begin(update, &wanted, None).await?;
        for token in self.shared.state(|state| open_tokens(state, self.address, &update.place.site())) {
            // What that creation may have made is this, or nothing.
            self.shared.record(Record::Refused { address: self.address.clone(), token }).await?;
        }
        wanted.in_place()?;
        self.carry_out(update, &wanted, None).await
    }

    pub(super) async fn update(&self, update: &Update) -> Outcome<String> {
        let wanted = self.wanted(update)?;
        wanted.in_place()?;
        let known = self.shared.state(|state| state.current(self.address).cloned());
        if !wanted.changes.is_empty() {
            self.begin(update, &wanted, known.as_ref()).await?;
        }
        self.carry_out(update, &wanted, known.as_ref().filter(|known| known.incomplete)).await
    }

    /// Nothing changes in AWS: what an unfinished apply did not wait for is waited for, and remembered.
    pub(super) async fn confirm(&self, confirm: &Confirm, unfinished: bool) -> Outcome<String> {
        let Confirm { target, place, live, after } = confirm;
        if unfinished {
            let operation = self.operation(place.site(), self.block()?.timeouts.update, String::new(), after);
            let updating = self.shared.state(|state| state.current(self.address).map(|known| known.updating.clone())).unwrap_or_default();
            retrying(&operation, || self.handler.wait_ready(&operation, &place.id, &updating, after)).await?;
        }
        self.record_saved(self.remembered(target, place, live, after)?).await?;
        Ok(place.id.clone())
    }

    fn wanted(&self, update: &Update) -> Outcome<Wanted> {
        let attributes = &self.block()?.schema.schema.attributes;
        let left = self.shared.halfway(self.address).filter(|_| update.rest);
        let live = left.unwrap_or_else(|| update.live.clone());
        let written = self.written(&update.target)?;
        let target = self.known(&update.target, &written)?;
        let whole = self.desired(&target, &written, Some(&live), false)?;
        let desired = keeping(attributes, &whole, &live, &update.keeps);
        let changes = diff(attributes, &live, &desired);
        let expected = without_unknown(unsettled(attributes, &desired, &written, &changes));
        Ok(Wanted { target, live, whole, desired, expected, changes })
    }

    /// Remembers that an update begins, before its first call. Until it has ended the resource may be what it was, what it is
    /// to be, or partly each: it may use what either uses, and has secrets where either has them.
    async fn begin(&self, update: &Update, wanted: &Wanted, known: Option<&Remembered>) -> Outcome<()> {
        let mut begun = self.remembered(&wanted.target, &update.place, &wanted.live, &wanted.desired)?;
        begun.incomplete = true;
        begun.updating = wanted.attributes().map(str::to_owned).collect();
        begun.updating.dedup();
        self.remember_local(&mut begun, &wanted.desired)?;
        if let Some(known) = known {
            unite(&mut begun.updating, &known.updating);
            keep(&mut begun, known);
        }
        self.record_saved(begun).await
    }

    /// Of an attribute that AWS does not return and that is set for the first time, only what it is to be tells later that
    /// it has been set.
    fn remember_local(&self, begun: &mut Remembered, desired: &Value) -> Outcome<()> {
        let Some(fields) = begun.attributes.as_object_mut() else { return Ok(()) };
        let attributes = self.block()?.schema.schema.attributes.iter();
        for attribute in attributes.filter(|one| one.local && begun.updating.contains(&one.name)) {
            if let (false, Some(value)) = (fields.contains_key(&attribute.name), desired.get(&attribute.name)) {
                let value = self.shared.state(|state| value.to_public_json(&|secret| state.digest(secret)));
                fields.insert(attribute.name.clone(), value);
            }
        }
        Ok(())
    }

    /// Makes the calls, and waits. What an earlier apply did not wait for (`unfinished`) is waited for as well, but by a
    /// command that is about something else.
    async fn carry_out(&self, update: &Update, wanted: &Wanted, unfinished: Option<&Remembered>) -> Outcome<String> {
        let Update { place, keeps, .. } = update;
        let Wanted { target, live, whole, desired, expected, changes } = wanted;
        let operation = self.operation(place.site(), self.block()?.timeouts.update, String::new(), desired);
        if !changes.is_empty() {
            retrying(&operation, || self.handler.update(&operation, &place.id, live, desired)).await?;
        }
        let only = self.shared.plan.options.only(self.address).is_some();
        if let Some(unfinished) = unfinished.filter(|_| !only) {
            retrying(&operation, || self.handler.wait_ready(&operation, &place.id, &unfinished.updating, desired)).await?;
        }
        let read = self.read_back(&operation, target, place, desired, expected).await?;
        let mut remembered = self.remembered(target, place, &read.live, desired)?;
        let left = conceal(&self.block()?.schema.schema.attributes, &read.live, &remembered.sensitive);
        if let Some(unfinished) = unfinished.filter(|_| only) {
            remembered.updating.clone_from(&unfinished.updating);
            remembered.updating.retain(|name| !wanted.attributes().any(|changed| changed == name));
            remembered.incomplete = unfinished.updating.is_empty() || !remembered.updating.is_empty();
            keep(&mut remembered, unfinished);
        }
        self.record_saved(remembered).await?;
        self.show(&read, desired)?;
        if !keeps.is_empty() {
            // What is done before the rest of it sees what the resource will be.
            let kept = keeps.iter().fold(left.clone(), |value, name| with(value, name, whole.get(name).cloned().unwrap_or(Value::Null)));
            self.shared.set_value(self.address, kept);
            self.shared.set_halfway(self.address, left);
        }
        Ok(place.id.clone())
    }
}

/// Keeps in mind of a resource that may be partly what it was what it was made from and where it has secrets.
fn keep(remembered: &mut Remembered, before: &Remembered) {
    unite(&mut remembered.depends_on, &before.depends_on);
    unite(&mut remembered.authored, &before.authored);
    unite(&mut remembered.sensitive, &before.sensitive);
}

/// Adds what is not among these yet.
pub(super) fn unite<T: Clone + PartialEq>(these: &mut Vec<T>, more: &[T]) {
    let new: Vec<T> = more.iter().filter(|one| !these.contains(one)).cloned().collect();
    these.extend(new);
}
