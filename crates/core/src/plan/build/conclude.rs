//! What a plan says beside its changes: drift, outputs, conditions, warnings.

use super::change::{remembered, seen};
use super::claims::is_desired;
use super::{Builder, Live};
use crate::model::address::Address;
use crate::model::canonical::with_local;
use crate::model::path::Path;
use crate::model::pin::at;
use crate::model::schema::{ResourceSchema, TypeSchema, Unset, prefix_of};
use crate::model::secrecy::{conceal, digest_paths};
use crate::model::state::{Guard, Remembered, is_digest};
use crate::model::value::Value;
use crate::plan::desired::STACK_TAG;
use crate::plan::diff::{AttributeChange, diff};
use crate::plan::types::{Action, Change, CheckResult, Drift, OutputChange, Pinned};
use crate::stack::Stack;
use crate::stack::check::{assertion, failed};
use crate::stack::diagnostic::Diagnostic;
use crate::stack::modules::validations;
use crate::stack::scope::StackScope;
use std::collections::BTreeMap;

impl Builder<'_> {
    pub(super) fn drift(&self) -> Vec<Drift> {
        let mut drift = Vec::new();
        let desired: BTreeMap<&Address, &Value> = self.changes.iter().map(|change| (&change.address, &change.after)).collect();
        for (address, saved) in self.world.state.currents() {
            let Some(schema) = self.catalog.resources.get(address.type_name()) else { continue };
            let attributes = schema.schema.attributes.as_slice();
            let live = self.world.live.get(&saved.place);
            let (loss, changes) = match live {
                None => continue,
                Some(Live::Gone | Live::Foreign(_)) => (live.and_then(Live::loss), Vec::new()),
                // Of a creation that did not end nothing was read back yet.
                Some(Live::Present(_)) if saved.incomplete && saved.updating.is_empty() => continue,
                Some(Live::Present(live)) => {
                    // What has become sensitive since the last apply is hidden in what was before, too.
                    let now = self.changes.iter().find(|change| change.address == *address).map(|change| change.sensitive.as_slice());
                    let hashes = digest_paths(attributes, &Value::from(&saved.attributes));
                    let hidden: Vec<Path> = saved.sensitive.iter().chain(now.unwrap_or_default()).chain(&hashes).cloned().collect();
                    let known = self.known(attributes, saved, desired.get(address).copied().unwrap_or(&Value::Null));
                    let live = seen(attributes, live, &known, saved);
                    // Secrets are compared by hash: what is remembered of them is one.
                    let hashed = Value::from(conceal(attributes, &live, &hidden).to_public_json(&|secret| self.world.state.digest(secret)));
                    let saved_attributes = Value::from(&saved.attributes);
                    let remembered = conceal(attributes, &remembered(attributes, &saved_attributes, saved), &hidden);
                    // What is remembered in clear and is secret by now has no hash to be compared by.
                    let before = Value::from(remembered.to_public_json(&|secret| match secret.as_str().is_some_and(is_digest) {
                        true => secret.to_json().unwrap_or_default(),
                        false => self.world.state.digest(secret),
                    }));
                    let before = conceal(attributes, &before, &hidden);
                    // Requests that were moved meanwhile are no drift.
                    let before =
                        self.governors(&saved.place).iter().fold(before, |before, one| (schema.yields)(&before, &hashed, &one.among));
                    let after = conceal(attributes, &with_local(attributes, &hashed, &saved_attributes), &hidden);
                    let mut changes = diff(attributes, &before, &after);
                    let elsewhere = self.set_elsewhere(address, schema, &after, &before);
                    changes.retain(|change| !elsewhere.iter().any(|path| change.path.starts_with(path)) && !self.follows(saved, change));
                    changes.retain(|change| !was_updating(saved, &schema.schema, change));
                    (None, changes)
                }
            };
            if loss.is_some() || !changes.is_empty() {
                drift.push(Drift { address: address.clone(), id: saved.place.id.clone(), loss, attributes: changes });
            }
        }
        drift
    }

    /// The attributes of a resource that something else sets, which is no drift.
    fn set_elsewhere(&self, address: &Address, schema: &ResourceSchema, live: &Value, remembered: &Value) -> Vec<Path> {
        match self.stack.config.resources.get(&address.block) {
            Some(block) => block.ignored(live, remembered),
            None => (schema.governed)(live, remembered).into_iter().map(|governed| governed.path).collect(),
        }
    }

    /// Whether an attribute has come to name the newer revision of what `ignore_changes` leaves to others.
    fn follows(&self, saved: &Remembered, change: &AttributeChange) -> bool {
        let shared = |on: &&Address| {
            let block = self.stack.config.resources.get(&on.block);
            block.is_some_and(|block| !block.lifecycle.ignore_changes.is_empty())
        };
        let named = change.after.as_ref().and_then(Value::as_str);
        let mut made_from = saved.depends_on.iter().filter(shared).filter_map(|on| self.world.state.current(on));
        named.is_some_and(|named| made_from.any(|on| on.place.id == named))
    }

    pub(super) fn outputs(&mut self) -> BTreeMap<String, OutputChange> {
        let state = &self.world.state;
        let before = |name: &str, value| match self.stack.is_output_sensitive(name) {
            true => Value::from(value).into_secret(),
            false => Value::from(value),
        };
        let sensitive = state.sensitive_outputs.iter().map(|name| (name.clone(), OutputChange::concealed()));
        let known = state.outputs.iter().map(|(name, value)| (name.clone(), OutputChange::remembered(before(name, value))));
        let mut outputs: BTreeMap<String, OutputChange> = sensitive.chain(known).collect();
        if self.options.destroy || self.options.only.is_some() {
            if self.options.only.is_some() || !self.options.targets.is_empty() || !self.options.excludes.is_empty() {
                outputs.values_mut().for_each(|output| output.after = output.before.clone());
            }
            return outputs;
        }
        let mut failures = Vec::new();
        for (name, output) in &self.stack.config.outputs {
            let scope = self.scope();
            let after = match output.value.eval(&scope) {
                Ok(value) if output.sensitive => value.into_secret(),
                Ok(value) => value,
                Err(failure) => {
                    failures.push(failed(failure));
                    continue;
                }
            };
            let entry = outputs.entry(name.clone()).or_insert(OutputChange { before: None, after: None, waits_for: Vec::new() });
            entry.before = entry.before.take().map(|before| match () {
                () if after.has_secret() => before.into_secret(),
                // Its text names a secret that its value does not show.
                () if before == after => after.clone(),
                () => before,
            });
            entry.waits_for = if after.has_unknown() { scope.take_lookups().unknown.into_iter().collect() } else { Vec::new() };
            entry.after = Some(after);
        }
        failures.into_iter().for_each(|failure| self.mistakes.push(failure));
        outputs
    }

    /// The conditions of variables, as far as AWS has told what they ask for.
    pub(super) fn conditions(&mut self) {
        if !self.options.destroy {
            let broken = validations(self.stack, &self.scope());
            broken.into_iter().for_each(|problem| self.mistakes.push(problem));
        }
    }

    pub(super) fn checks(&mut self) -> Vec<CheckResult> {
        let (results, failures) = check_results(self.stack, &self.scope());
        failures.into_iter().for_each(|failure| self.mistakes.push(failure));
        results
    }

    /// What is to be made just as something goes whose tags say that it is this stack's, by another address: one that is
    /// alike, or else the only one of its type.
    fn maybe_renamed(&self) -> Vec<String> {
        let of = |action: Action| self.changes.iter().filter(move |change| change.action == action);
        let of_type = |action, like: &Change| {
            let name = like.address.type_name().to_owned();
            of(action).filter(move |change| change.address.type_name() == name)
        };
        let old_of = |new: &Change| {
            let ours = || of_type(Action::Delete, new).filter(|old| self.is_ours_by_tags(old));
            let only = ours().count() == 1 && of_type(Action::Create, new).count() == 1;
            ours().find(|old| self.alike(new, old)).or_else(|| ours().next().filter(|_| only))
        };
        let note = |new: &Change, old: &Change| {
            let (new, old, id) = (&new.address, &old.address, old.id().unwrap_or_default());
            format!(
                "{new} is made just as {old} ({id}) is deleted: if it was only renamed, add [[moved]] with from = '{old}', to = '{new}'"
            )
        };
        of(Action::Create).filter_map(|new| Some(note(new, old_of(new)?))).collect()
    }

    /// Whether the tags a resource has in AWS say that it is this stack's; one of a type without tags is what its state says.
    fn is_ours_by_tags(&self, change: &Change) -> bool {
        match change.before.get("tags") {
            Some(tags) => tags.get(STACK_TAG).and_then(Value::as_str) == Some(&self.stack.name),
            None => true,
        }
    }

    /// Whether what is known of a new resource is what an old one is.
    fn alike(&self, new: &Change, old: &Change) -> bool {
        let Some(block) = self.stack.config.resources.get(&new.address.block) else { return false };
        let attributes = block.schema.schema.attributes.iter().filter(|attribute| !attribute.computed && attribute.name != "tags");
        let mut known = attributes.filter_map(|attribute| {
            let value = new.after.get(&attribute.name)?;
            (!value.has_unknown()).then(|| old.before.get(&attribute.name) == Some(value))
        });
        known.all(|same| same)
    }

    /// Variables that were given at the last apply and are not now, so that they are something else.
    fn forgotten_variables(&self) -> Vec<String> {
        let forgotten = self.world.state.variables.iter().filter_map(|(name, then)| {
            let now = self.stack.vars.get(name).filter(|now| !now.has_secret() && !self.stack.given.contains(name))?;
            let (then, now) = (Value::from(then), now.to_public_json(&|_| serde_json::Value::Null));
            (then != Value::from(&now)).then(|| {
                let then = then.to_public_json(&|_| serde_json::Value::Null);
                format!("variable `{name}` was given as {then} at the last apply, and nothing gives it now, so that it is {now}: pass `--var {name}=…` to keep it")
            })
        });
        forgotten.collect()
    }

    pub(super) fn warnings(&self) -> Vec<String> {
        let mut warnings = self.maybe_renamed();
        warnings.extend(self.left_out_along());
        warnings.extend(self.forgotten_variables());
        warnings.extend(self.pinned.iter().filter_map(pin_note));
        let governed = self.changes.iter().flat_map(|change| change.governed.iter().map(move |note| format!("{}: {note}", change.address)));
        warnings.extend(governed);
        for change in self.changes.iter().filter(|change| change.action != Action::Delete) {
            let (Some(saved), Some(block)) =
                (self.world.state.current(&change.address), self.stack.config.resources.get(&change.address.block))
            else {
                continue;
            };
            warnings.extend(guard_changes(&change.address, saved.guard, change.guard));
            let is_written = |path: &Path| change.authored.iter().any(|written| written.starts_with(path) || path.starts_with(written));
            for path in saved.authored.iter().filter(|path| is_desired(change) && !is_written(path)) {
                let attribute = path.root().and_then(|name| block.schema.schema.attribute(name));
                // With the beginning of a name instead, it is a new one or the one that begins so.
                let is_begun = block
                    .schema
                    .prefixed
                    .is_some_and(|name| path.root() == Some(name) && change.authored.contains(&Path::attribute(prefix_of(name))));
                let stays = !is_begun && (!block.schema.takes_away || !at(&change.after, path).is_null());
                if stays && attribute.is_some_and(|attribute| attribute.unset == Unset::Server) {
                    warnings.push(format!("{}: `{path}` is not set any more; AWS keeps the value it has", change.address));
                }
            }
        }
        warnings
    }
}

/// Whether an update that did not end was setting an attribute, or something that it follows.
fn was_updating(saved: &Remembered, schema: &TypeSchema, change: &AttributeChange) -> bool {
    let attribute = change.path.root().and_then(|name| schema.attribute(name));
    attribute.is_some_and(|attribute| [&attribute.name].into_iter().chain(&attribute.follows).any(|name| saved.updating.contains(name)))
}

/// What is to be known of an attribute that is set otherwise than the stack file says.
fn pin_note(pinned: &Pinned) -> Option<String> {
    let Pinned { address, path, value, says, lasting, over } = pinned;
    let shown = |value: &Value| value.to_public_json(&|_| "(sensitive)".into()).to_string();
    let (value, says) = (shown(value), shown(says));
    match (over, lasting) {
        (true, _) => Some(format!("{address}: `{path}` was set to {value} by hand; the stack file has changed since, and counts again")),
        (false, _) if value == says => None,
        (false, true) => {
            Some(format!("{address} is scaled by hand: `{path}` is {value} and not {says}, until `leoctl scale up` or `apply --scale-up`"))
        }
        (false, false) => Some(format!(
            "{address}: `{path}` stays {value} as `leoctl redeploy` has set it, until the stack file says something else than {says}"
        )),
    }
}

/// What an apply will remember of a resource's protection, though nothing changes in AWS.
fn guard_changes(address: &Address, before: Guard, after: Guard) -> Vec<String> {
    let mut notes = Vec::new();
    match (before.prevent_destroy, after.prevent_destroy) {
        (false, true) => notes.push(format!("{address}: from the next apply on, plans that delete it are refused")),
        (true, false) => notes.push(format!("{address}: from the next apply on, it may be deleted")),
        _ => {}
    }
    match (before.retain, after.retain) {
        (false, true) => notes.push(format!("{address}: from the next apply on, deleting it leaves it in AWS")),
        (true, false) => notes.push(format!("{address}: from the next apply on, deleting it deletes it in AWS")),
        _ => {}
    }
    notes
}

/// How the stack's conditions come out in a scope, and the expressions that fail.
pub fn check_results(stack: &Stack, scope: &StackScope<'_>) -> (Vec<CheckResult>, Vec<Diagnostic>) {
    let (mut results, mut failures) = (Vec::new(), Vec::new());
    for (name, check) in stack.config.all_checks() {
        let evaluated = check.assert.eval(scope).and_then(|holds| Ok((holds, check.message.eval(scope)?)));
        let evaluated = evaluated.map_err(failed).and_then(|(holds, message)| Ok((assertion(&name, &check.assert.span, &holds)?, message)));
        match evaluated {
            Ok((holds, message)) => {
                let message = match &message {
                    Value::Secret(_) => "(the message is withheld: it uses a sensitive value)",
                    other => other.as_str().unwrap_or_default(),
                };
                results.push(CheckResult { name, holds, message: message.to_owned() });
            }
            Err(problem) => failures.push(problem),
        }
    }
    (results, failures)
}
