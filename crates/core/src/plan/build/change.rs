//! What happens to one resource: desired against live, or remembered and not desired any more.

use super::{Builder, Found, Instance, Live};
use crate::model::address::Address;
use crate::model::canonical::{canonicalize, with_local};
use crate::model::path::Path;
use crate::model::schema::{Attribute, ResourceSchema};
use crate::model::secrecy::{conceal, recall, secret_paths};
use crate::model::state::{Guard, ResourceState};
use crate::model::value::Value;
use crate::plan::desired::settled;
use crate::plan::diff::{complete, diff};
use crate::plan::select::covers;
use crate::plan::types::{Action, Change};
use crate::stack::Stack;
use crate::stack::config::ResourceBlock;
use crate::stack::diagnostic::Diagnostic;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

impl Builder<'_> {
    pub(super) fn change(&self, instance: &Instance<'_>, desired: &Value) -> Result<Change, Diagnostic> {
        let address = &instance.address;
        let saved = self.world.state.resources.get(address);
        let attributes = attributes_of(instance.block);
        let names = instance.block.schema.unique.iter().flat_map(|group| group.iter());
        if let Some(name) = names.copied().find(|name| desired.get(name).is_some_and(Value::has_secret)) {
            let error = format!("`{name}` of {address} is sensitive, and AWS makes ids of it that are shown and stored");
            return Err(Diagnostic::error(&instance.block.span, error).help("use a value that need not be hidden"));
        }
        if !self.selection.includes(address) || self.options.only(address).is_some_and(<[_]>::is_empty) {
            return Ok(self.untouched(instance, saved));
        }
        let (id, live, imported) = match (saved, self.world.found.get(address)) {
            (Some(saved), _) => (Some(saved.id.clone()), self.live(instance, saved, desired), false),
            (None, Some(found)) if found.ours => {
                // A secret that AWS does not return may be any: it is set.
                let local = Value::from(desired.to_public_json(&|_| Json::Null));
                (Some(found.id.clone()), Some(with_local(attributes, &canonicalize(attributes, &found.attributes), &local)), true)
            }
            (None, Some(found)) => return Err(foreign(instance, found)),
            (None, None) => (None, None, false),
        };
        let mut change = blank(instance, saved, id);
        let Some(live) = live else {
            change.after = complete(attributes, desired, None);
            change.attributes = diff(attributes, &Value::Map(BTreeMap::new()), &change.after);
            change.action = Action::Create;
            if let Some(saved) = saved {
                change.reason = Some(format!("{} was deleted outside leoctl", saved.id));
            }
            change.id = None;
            change.sensitive = secret_paths(attributes, &change.after);
            return Ok(change);
        };
        let only = self.options.only(address);
        let after = settled(instance.block, desired, &live, false, only);
        let sensitive = secret_paths(attributes, &after);
        let live = conceal(attributes, &live, &sensitive);
        let changes = diff(attributes, &live, &after);
        let forced = self.options.replace.iter().any(|wanted| covers(wanted, address));
        change.action = match () {
            () if forced || changes.iter().any(|change| change.forces_replacement) => Action::Replace,
            () if imported => Action::Import,
            () if !changes.is_empty() => Action::Update,
            () => Action::NoOp,
        };
        if imported && change.action == Action::Replace {
            return Err(import_replaces(instance, &changes, change.id.as_deref().unwrap_or_default()));
        }
        change.reason = self.reason(&change, saved, forced, imported);
        change.after = if change.action == Action::Replace { settled(instance.block, desired, &live, true, only) } else { after };
        change.before = live;
        change.attributes = changes;
        change.sensitive = sensitive;
        change.unfinished = saved.is_some_and(|saved| saved.incomplete);
        change.state_only = saved.is_some_and(|saved| {
            saved.guard != change.guard || saved.depends_on != change.depends_on || saved.incomplete || saved.authored != change.authored
        });
        if change.action == Action::Replace {
            change.create_before_destroy = made_first(&change, instance)?;
        }
        change.risks = risks(&change, instance);
        let owner = self.world.found.get(address).and_then(|found| found.owner.as_ref()).filter(|_| imported);
        if let Some((stack, from)) = owner.filter(|(stack, _)| *stack != self.stack.name) {
            change.risks.push(format!("is taken from {from} of stack {stack}, which may still manage it"));
        }
        let schema = &instance.block.schema;
        if let (Action::Replace, Some(off)) = (change.action, (schema.protected)(&change.before).filter(|_| !change.guard.retain)) {
            let error = Diagnostic::error(&instance.block.span, format!("{address} would be replaced, but AWS protects it from deletion"));
            return Err(error.help(format!("to replace it, set `{off}` and apply that first")));
        }
        if change.action == Action::Replace && change.guard.prevent_destroy {
            return Err(guarded_replacement(instance, &change));
        }
        Ok(change)
    }

    pub(super) fn reason(&self, change: &Change, saved: Option<&ResourceState>, forced: bool, imported: bool) -> Option<String> {
        if forced {
            return Some("asked for with --replace".to_owned());
        }
        if imported {
            return Some(format!("{} exists and is taken over", change.id.as_deref().unwrap_or_default()));
        }
        (saved.is_some_and(|saved| saved.incomplete) && matches!(change.action, Action::Update | Action::NoOp))
            .then(|| "an earlier apply did not finish it".to_owned())
    }

    /// The attributes in AWS, or as remembered when AWS was not asked; none when it is gone.
    pub(super) fn live(&self, instance: &Instance<'_>, saved: &ResourceState, desired: &Value) -> Option<Value> {
        let attributes = attributes_of(instance.block);
        let known = self.known(attributes, saved, desired);
        match self.world.live.get(&instance.address) {
            Some(Live::Present(value)) => Some(seen(attributes, value, &known, saved)),
            Some(Live::Gone) => None,
            None => Some(remembered(attributes, &known, saved)),
        }
    }

    /// The remembered attributes, with the desired secrets where just their hashes are remembered.
    pub(super) fn known(&self, attributes: &[Attribute], saved: &ResourceState, desired: &Value) -> Value {
        recall(attributes, &Value::from(&saved.attributes), desired, &|secret| self.world.state.digest(secret))
    }

    /// A resource that `--target` or `--exclude` leaves out stays as it is.
    pub(super) fn untouched(&self, instance: &Instance<'_>, saved: Option<&ResourceState>) -> Change {
        let live = saved.and_then(|saved| self.live(instance, saved, &Value::Null)).unwrap_or(Value::Null);
        let mut change = blank(instance, saved, saved.map(|saved| saved.id.clone()));
        change.before = live.clone();
        change.after = live;
        change.deposed.clear();
        change
    }

    /// What is remembered and not desired.
    pub(super) fn leftovers(&mut self) {
        let desired: BTreeSet<Address> = self.changes.iter().map(|change| change.address.clone()).collect();
        let state = self.world.state;
        let doomed = if self.options.destroy { self.options.doomed(state) } else { BTreeSet::new() };
        let going = self.going(&desired);
        for (address, saved) in state.resources.iter().filter(|(address, _)| !desired.contains(*address)) {
            if !self.options.destroy && !going.contains(address) {
                continue;
            }
            if self.options.destroy && !doomed.contains(address) {
                continue;
            }
            match self.leftover(address, saved) {
                Ok(change) => self.changes.push(change),
                Err(diagnostic) => self.diagnostics.push(diagnostic),
            }
        }
    }

    /// What is not desired any more and selected, with what was made from it and is not desired either.
    fn going(&self, desired: &BTreeSet<Address>) -> BTreeSet<Address> {
        let left: Vec<_> = self.world.state.resources.iter().filter(|(address, _)| !desired.contains(*address)).collect();
        let mut going: BTreeSet<Address> =
            left.iter().filter(|(address, _)| self.selection.includes_leftover(address)).map(|(address, _)| (*address).clone()).collect();
        loop {
            let with =
                left.iter().filter(|(address, saved)| !going.contains(*address) && saved.depends_on.iter().any(|on| going.contains(on)));
            let more: Vec<Address> = with.map(|(address, _)| (*address).clone()).collect();
            if more.is_empty() {
                return going;
            }
            going.extend(more);
        }
    }

    pub(super) fn leftover(&self, address: &Address, saved: &ResourceState) -> Result<Change, Diagnostic> {
        let configured = self.stack.config.resources.get(&address.block);
        let guard = match configured {
            Some(block) if self.options.destroy => guard(block),
            _ => saved.guard,
        };
        let gone = matches!(self.world.live.get(address), Some(Live::Gone));
        let removed = self.stack.config.removed.iter().any(|removed| covers(&removed.from, address));
        if guard.prevent_destroy && !gone && !removed {
            return Err(Diagnostic::general(format!("{address} ({}) would be deleted, but `prevent_destroy` protects it", saved.id))
                .help("to delete it, set `prevent_destroy = false` and apply that first")
                .help(format!("to keep it and forget it here, add `[[removed]]` with `from = \"{address}\"`")));
        }
        let schema = self.catalog.resources.get(address.type_name());
        let attributes = schema.map(|schema| schema.schema.attributes.as_slice()).unwrap_or_default();
        let known = Value::from(&saved.attributes);
        let before = match self.world.live.get(address) {
            Some(Live::Present(value)) => seen(attributes, value, &known, saved),
            Some(Live::Gone) => Value::Null,
            None => remembered(attributes, &known, saved),
        };
        let forget = gone || guard.retain || removed;
        let mut change = Change {
            address: address.clone(),
            action: if forget { Action::Forget } else { Action::Delete },
            reason: match () {
                () if gone => Some("it was deleted outside leoctl".to_owned()),
                () if removed => Some("`[[removed]]` says to forget it".to_owned()),
                () if guard.retain => Some("its `deletion_policy` is \"retain\"; it stays in AWS".to_owned()),
                () if self.options.destroy => None,
                () => Some("it is not in the stack any more".to_owned()),
            },
            id: Some(saved.id.clone()),
            region: saved.region.clone(),
            attributes: diff(attributes, &before, &Value::Map(BTreeMap::new())),
            before,
            after: Value::Null,
            risks: Vec::new(),
            depends_on: Vec::new(),
            reads: Vec::new(),
            prior_depends_on: saved.depends_on.clone(),
            create_before_destroy: false,
            deposed: saved.deposed.iter().map(|deposed| deposed.id.clone()).collect(),
            guard,
            each: None,
            sensitive: saved.sensitive.clone(),
            authored: Vec::new(),
            state_only: false,
            unfinished: false,
        };
        if change.action == Action::Delete
            && let Some(off) = schema.and_then(|schema| (schema.protected)(&change.before))
        {
            return Err(Diagnostic::general(format!("{address} ({}) would be deleted, but AWS protects it", saved.id))
                .help(format!("to delete it, set `{off}` and apply that first")));
        }
        if change.action == Action::Delete
            && let Some(loss) = schema.and_then(|schema| schema.data_loss)
        {
            change.risks.push(format!("deletes {loss}"));
        }
        Ok(change)
    }
}

pub(super) fn attributes_of(block: &ResourceBlock) -> &[Attribute] {
    &block.schema.schema.attributes
}

/// What protects a block's resources.
pub(super) fn guard(block: &ResourceBlock) -> Guard {
    Guard { prevent_destroy: block.lifecycle.prevent_destroy, retain: block.lifecycle.retain }
}

/// The attributes AWS returned, with what only leoctl knows.
pub(super) fn seen(attributes: &[Attribute], live: &Value, known: &Value, saved: &ResourceState) -> Value {
    let live = with_local(attributes, &canonicalize(attributes, live), known);
    conceal(attributes, &canonicalize(attributes, &live), &saved.sensitive)
}

/// The remembered attributes; of secrets that are not known again only the hash is.
pub(super) fn remembered(attributes: &[Attribute], known: &Value, saved: &ResourceState) -> Value {
    canonicalize(attributes, &conceal(attributes, known, &saved.sensitive))
}

/// A change in which nothing changes yet.
pub(super) fn blank(instance: &Instance<'_>, saved: Option<&ResourceState>, id: Option<String>) -> Change {
    Change {
        address: instance.address.clone(),
        action: Action::NoOp,
        reason: None,
        id,
        region: instance.region.clone(),
        before: Value::Null,
        after: Value::Null,
        attributes: Vec::new(),
        risks: Vec::new(),
        depends_on: instance.depends_on.clone(),
        reads: instance.reads.clone(),
        prior_depends_on: saved.map(|saved| saved.depends_on.clone()).unwrap_or_default(),
        create_before_destroy: false,
        deposed: saved.map(|saved| saved.deposed.iter().map(|deposed| deposed.id.clone()).collect()).unwrap_or_default(),
        guard: guard(instance.block),
        each: instance.each.clone(),
        sensitive: Vec::new(),
        authored: instance.block.attributes.as_table().into_iter().flat_map(|fields| fields.keys()).map(Path::attribute).collect(),
        state_only: false,
        unfinished: false,
    }
}

/// Whether a replacement is made before its predecessor goes: where the two have nothing in common that AWS lets
/// only one have, unless the stack file says otherwise.
fn made_first(change: &Change, instance: &Instance<'_>) -> Result<bool, Diagnostic> {
    let schema = &instance.block.schema;
    let shared = schema.unique.iter().find(|group| {
        let value = |value: &Value, name: &str| value.get(name).cloned().unwrap_or(Value::Null);
        let absent = group.last().is_none_or(|name| value(&change.after, name).is_null());
        !absent && group.iter().all(|name| value(&change.before, name) == value(&change.after, name))
    });
    if let (true, Some(group)) = (change.guard.retain, shared) {
        let address = &instance.address;
        return Err(Diagnostic::error(
            &instance.block.span,
            format!("{address} cannot be replaced: its `deletion_policy` keeps the old one"),
        )
        .label(format!("both would have the same `{}`, and AWS allows that once", group.join("`, `")))
        .help("change that, too, or set `deletion_policy = \"delete\"`"));
    }
    if change.guard.retain {
        return Ok(true);
    }
    match (instance.block.lifecycle.create_before_destroy, shared) {
        (Some(false), _) => Ok(false),
        (Some(true), Some(group)) => {
            let address = &instance.address;
            Err(Diagnostic::error(&instance.block.span, format!("{address} cannot be replaced before its predecessor is deleted"))
                .label(format!("both have the same `{}`, and AWS allows that once", group.join("`, `")))
                .help("change that, too, or leave out `create_before_destroy`"))
        }
        (Some(true), None) => Ok(true),
        (None, shared) => Ok(schema.create_before_destroy || !schema.unique.is_empty() && shared.is_none()),
    }
}

/// Whose something is that was found.
pub fn owned_by(found: &Found) -> String {
    match &found.owner {
        Some((stack, address)) => format!("it belongs to {address} of stack {stack}"),
        None => "it was not made by leoctl".to_owned(),
    }
}

/// The name of a resource to be created is taken by something that cannot even be looked at.
pub fn taken(stack: &Stack, address: &Address, why: &str) -> Diagnostic {
    let error = format!("{address} cannot be created: {why}");
    let block = stack.config.resources.get(&address.block);
    let error = block.map_or_else(|| Diagnostic::general(&error), |block| Diagnostic::error(&block.span, &error));
    error.help("choose another name")
}

pub(super) fn foreign(instance: &Instance<'_>, found: &Found) -> Diagnostic {
    let address = &instance.address;
    Diagnostic::error(&instance.block.span, format!("{address} cannot be created: {} exists already", found.id))
        .label(owned_by(found))
        .help(format!("to manage it here, add [[import]] with to = '{address}', id = \"{}\"", found.id))
        .help("to leave it alone, choose another name")
}

/// What is adopted is to be kept: one that would have to be replaced is not the one meant.
fn import_replaces(instance: &Instance<'_>, changes: &[crate::plan::diff::AttributeChange], id: &str) -> Diagnostic {
    let forcing: Vec<String> =
        changes.iter().filter(|change| change.forces_replacement).map(|change| format!("`{}`", change.path)).collect();
    let address = &instance.address;
    Diagnostic::error(&instance.block.span, format!("{address} cannot be imported as {id}: it would be deleted and made anew"))
        .label(format!("it differs in {}, which cannot be changed", forcing.join(", ")))
        .help("write what it has, or import another one")
}

pub(super) fn guarded_replacement(instance: &Instance<'_>, change: &Change) -> Diagnostic {
    let forcing: Vec<String> = change.replace_paths().iter().map(|path| format!("`{path}`")).collect();
    let address = &instance.address;
    Diagnostic::error(&instance.block.span, format!("{address} would be replaced, but `prevent_destroy` protects it"))
        .label(format!("changing {} forces a replacement", forcing.join(", ")))
        .help("undo that change, or set `prevent_destroy = false` for this apply")
}

pub(super) fn risks(change: &Change, instance: &Instance<'_>) -> Vec<String> {
    let mut risks = Vec::new();
    if change.action != Action::Replace {
        return risks;
    }
    let schema: &ResourceSchema = &instance.block.schema;
    if change.guard.retain {
        risks.push("leaves the old one in AWS, as its `deletion_policy` says".to_owned());
    } else if let Some(loss) = schema.data_loss {
        risks.push(format!("deletes {loss}"));
    }
    if !change.create_before_destroy {
        risks.push("is deleted before its replacement exists".to_owned());
    }
    risks
}
