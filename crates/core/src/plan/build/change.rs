//! What happens to one resource: desired against live.

use super::edges::still_used;
use super::refusals::{at_block, foreign, guarded_replacement, import_replaces, refused};
use super::{Builder, Instance, Live};
use crate::model::address::Address;
use crate::model::canonical::{canonicalize, with_known, with_local};
use crate::model::path::Path;
use crate::model::place::{Place, Scope};
use crate::model::schema::{Attribute, ResourceSchema, prefix_of};
use crate::model::secrecy::{conceal, recall, secret_paths, unhide};
use crate::model::state::{Guard, Remembered};
use crate::model::value::Value;
use crate::plan::desired::{Present, governed_notes, settled};
use crate::plan::diff::{complete, diff};
use crate::plan::state_change::Aspect;
use crate::plan::types::{Action, Change, Removal, RemovalKind};
use crate::plan::withdrawn::authored;
use crate::stack::config::ResourceBlock;
use crate::stack::diagnostic::{Code, Diagnostic, Diagnostics};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

impl Builder<'_> {
    /// An error at the block of an address.
    pub(super) fn at(&self, address: &Address, code: Code, error: &str) -> Diagnostic {
        at_block(self.stack, address, code, error)
    }

    pub(super) fn change(&self, instance: &Instance<'_>, desired: &Value) -> Result<Change, Diagnostic> {
        let address = &instance.address;
        let attributes = attributes_of(instance.block);
        let prefix = instance.block.schema.prefixed.map(prefix_of);
        let names = instance.block.schema.unique.iter().flat_map(|group| group.iter()).copied().chain(prefix.as_deref());
        if let Some(name) = names.into_iter().find(|name| desired.get(name).is_some_and(Value::has_secret)) {
            let error = format!("`{name}` of {address} is sensitive, and AWS makes ids of it that are shown and stored");
            return Err(Diagnostic::error(Code::Exposed, &instance.block.span, error).help("use a value that need not be hidden"));
        }
        if self.leaves_out(address) {
            return Ok(self.untouched(instance, self.world.state.current(address), desired));
        }
        let saved = self.standing(instance, desired);
        let mut change = self.blank(instance, saved);
        if let Some(deep) = written(instance, desired) {
            change.authored = deep;
        }
        let remembered = saved.and_then(|saved| {
            let live = self.live(attributes, saved, desired)?;
            Some((saved.place.clone(), doubtful(attributes, &live, desired, saved)))
        });
        let (place, live, imported) = match (remembered, self.world.found.get(address)) {
            (Some((place, live)), _) => (place, live, false),
            (None, Some(found)) if found.ours => {
                // A secret that AWS does not return may be any: it is set.
                let local = Value::from(desired.to_public_json(&|_| Json::Null));
                (found.place.clone(), with_local(attributes, &canonicalize(attributes, &found.attributes), &local), true)
            }
            (None, Some(found)) => return Err(foreign(instance, found)),
            (None, None) => {
                let loss = saved.and_then(|saved| Some(format!("{} {}", saved.place.id, self.world.live.get(&saved.place)?.loss()?)));
                return Ok(created(change, instance, desired, saved, loss));
            }
        };
        change.gone = saved.map(|saved| saved.place.clone()).filter(|gone| imported && *gone != place);
        let relocated = relocated(instance, &place);
        change.place = Some(place);
        self.compare(&mut change, instance, desired, &Existing { live, imported, relocated, saved })?;
        Ok(change)
    }

    /// Whether an `[[import]]` block names an address.
    fn is_imported(&self, address: &Address) -> bool {
        self.stack.config.imports.iter().any(|import| import.to == *address)
    }

    /// What is to become of a resource that exists.
    fn compare(&self, change: &mut Change, instance: &Instance<'_>, desired: &Value, existing: &Existing<'_>) -> Result<(), Diagnostic> {
        let Existing { live, imported, relocated, saved } = existing;
        let (address, attributes) = (&instance.address, attributes_of(instance.block));
        let only = self.options.only(address);
        change.governors = change.place.as_ref().map(|place| self.governors(place)).unwrap_or_default();
        let known = saved.filter(|_| !imported);
        let after = settled(instance.block, desired, Present { live, saved: known, governors: &change.governors }, false, only);
        change.governed = if only.is_none() { governed_notes(instance.block, desired, live, &change.governors) } else { Vec::new() };
        change.sensitive = secret_paths(attributes, &after);
        // What was hidden at the last apply and is written in clear by now is compared, shown and remembered in clear.
        let live = unhide(&conceal(attributes, live, &change.sensitive), &after);
        change.attributes = diff(attributes, &live, &after);
        let replacing = (instance.block.schema.replaces)(&live, &after);
        for changed in &mut change.attributes {
            let replaces = changed.path.root().is_some_and(|name| replacing.contains(&name));
            changed.forces_replacement |= replaces || self.leaves(instance, &live, &changed.path);
        }
        let forced = self.options.replace.iter().any(|wanted| wanted.covers(address));
        change.action = match () {
            () if forced || *relocated || change.attributes.iter().any(|change| change.forces_replacement) => Action::Replace,
            () if *imported => Action::Import,
            () if !change.attributes.is_empty() => Action::Update,
            () => Action::NoOp,
        };
        if *imported && change.action == Action::Replace && self.is_imported(address) {
            return Err(import_replaces(instance, &change.attributes, change.id().unwrap_or_default()));
        }
        if let (Action::Update | Action::Import, Some(refusal)) = (change.action, (instance.block.schema.refuses)(&live, &after)) {
            return Err(refused(instance, refusal));
        }
        change.reason = self.reason(change, existing, forced);
        change.after = if change.action == Action::Replace {
            settled(instance.block, desired, Present { live: &live, saved: known, governors: &change.governors }, true, only)
        } else {
            after
        };
        change.before = live;
        change.unfinished = saved.is_some_and(|saved| saved.incomplete);
        if let Some(saved) = saved.filter(|_| change.action != Action::Replace) {
            change.still_uses = still_used(self.world.state, saved, change);
        }
        change.state_only = saved.map(|saved| remembered_otherwise(saved, change)).unwrap_or_default();
        if change.action == Action::Replace {
            change.create_before_destroy = made_first(change, instance, *relocated)?;
            change.goes = saved.map(|saved| removal(saved, change.before.clone(), change.guard.retain));
        }
        change.risks.extend(risks(change, instance));
        change.risks.extend(self.taken_from(change));
        let schema = &instance.block.schema;
        if let (Action::Replace, Some(off)) = (change.action, (schema.protected)(&change.before).filter(|_| !change.guard.retain)) {
            let error = Diagnostic::error(
                Code::Protected,
                &instance.block.span,
                format!("{address} would be replaced, but AWS protects it from deletion"),
            );
            return Err(error.help(format!("to replace it, set `{off}` and apply that first")));
        }
        if change.action == Action::Replace && change.guard.prevent_destroy {
            return Err(guarded_replacement(instance, change));
        }
        Ok(())
    }

    /// Whose a resource may be that was found in AWS.
    fn taken_from(&self, change: &Change) -> Option<String> {
        let found = self.world.found.get(&change.address).filter(|found| change.place.as_ref() == Some(&found.place))?;
        let owner = found.owner.as_ref()?;
        if owner.stack != self.stack.name {
            return Some(format!("is taken from {owner}, which may still manage it"));
        }
        let schema = self.catalog.resources.get(change.address.type_name())?;
        // The tags name the stack, and a stack's name is unique in a region only.
        (schema.scope == Scope::Global && !self.is_imported(&change.address)).then(|| {
            let stack = &self.stack.name;
            format!(
                "may belong to another region's stack {stack}: it is global, has that name in its tags, and this state does not know it"
            )
        })
    }

    fn reason(&self, change: &Change, existing: &Existing<'_>, forced: bool) -> Option<String> {
        let id = change.id().unwrap_or_default();
        match (change.action, existing) {
            _ if forced => Some("asked for with --replace".to_owned()),
            (_, Existing { imported: true, .. }) => {
                Some(match self.world.found.get(&change.address).and_then(|found| found.hangs_on.as_ref()) {
                    Some(parent) => format!("{id} hangs on {parent} and is taken over with it"),
                    None => format!("{id} exists and is taken over"),
                })
            }
            (Action::Replace, Existing { relocated: true, saved: Some(saved), .. }) => {
                let (is, to_be) = (saved.place.site(), change.site());
                Some(match is.account == to_be.account {
                    true => format!("it is in {}, and is to be in {}", is.region, to_be.region),
                    false => format!("it is in {is}, and is to be in {to_be}"),
                })
            }
            (Action::Update | Action::NoOp, Existing { saved: Some(saved), .. }) if saved.incomplete => {
                Some("an earlier apply did not finish it".to_owned())
            }
            _ => None,
        }
    }

    /// Another stack's tags are on a resource that has no name by which a second one would be refused: what is meant is not
    /// known. What else is refused may come of making it anew, and is not said.
    pub(super) fn handed_over(&mut self) {
        let mut found = Vec::new();
        for change in self.changes.iter().filter(|change| change.action == Action::Create) {
            let Some(saved) = self.world.state.current(&change.address) else { continue };
            let Some(Live::Foreign(owner)) = self.world.live.get(&saved.place) else { continue };
            if self.catalog.resources.get(change.address.type_name()).is_some_and(|schema| schema.unique.is_empty()) {
                let (address, id) = (&change.address, &saved.place.id);
                found.push(
                    self.at(address, Code::AlreadyExists, &format!("{address} ({id}) belongs to {owner} now"))
                        .label("its tags were changed outside leoctl, which leaves it alone")
                        .help(format!("to take it back, add [[import]] with to = '{address}', id = \"{id}\""))
                        .help(format!("to make another one here, forget it first: `leoctl state rm '{address}'`")),
                );
            }
        }
        if !found.is_empty() {
            self.diagnostics = Diagnostics::from(found);
        }
    }

    /// The attributes in AWS, or as remembered when AWS was not asked; none when it is gone.
    pub(super) fn live(&self, attributes: &[Attribute], saved: &Remembered, desired: &Value) -> Option<Value> {
        let known = self.known(attributes, saved, desired);
        match self.world.live.get(&saved.place) {
            Some(Live::Present(value)) => Some(seen(attributes, value, &known, saved)),
            Some(Live::Gone | Live::Foreign(_)) => None,
            None => Some(remembered(attributes, &known, saved)),
        }
    }

    /// The remembered attributes, with the desired secrets where just their hashes are remembered.
    pub(super) fn known(&self, attributes: &[Attribute], saved: &Remembered, desired: &Value) -> Value {
        recall(attributes, &Value::from(&saved.attributes), desired, &|secret| self.world.state.digest(secret))
    }

    /// A resource that is left out stays as it is, with all that is remembered of it.
    fn untouched(&self, instance: &Instance<'_>, saved: Option<&Remembered>, desired: &Value) -> Change {
        let attributes = attributes_of(instance.block);
        let live = saved.and_then(|saved| self.live(attributes, saved, &Value::Null)).unwrap_or(Value::Null);
        let mut change = self.blank(instance, saved);
        // What has become sensitive is hidden here, too.
        change.sensitive = secret_paths(attributes, desired);
        if let Some(saved) = saved {
            let others = saved.sensitive.iter().filter(|path| !change.sensitive.contains(path)).cloned().collect::<Vec<_>>();
            change.sensitive.extend(others);
            change.depends_on.clone_from(&saved.depends_on);
            change.authored.clone_from(&saved.authored);
            change.guard = saved.guard;
        }
        let live = conceal(attributes, &live, &change.sensitive);
        change.before = live.clone();
        change.after = live;
        change.deposed.clear();
        change.risks.clear();
        change
    }

    /// A change in which nothing changes yet but that predecessors go.
    fn blank(&self, instance: &Instance<'_>, saved: Option<&Remembered>) -> Change {
        let deposed = self.others(&instance.address, saved);
        Change {
            action: Action::NoOp,
            reason: None,
            place: saved.map(|saved| saved.place.clone()),
            gone: None,
            account: instance.site.account.clone(),
            account_name: self.world.identity.name_of(&instance.site.account).map(str::to_owned),
            region: instance.site.region.clone(),
            before: Value::Null,
            after: Value::Null,
            attributes: Vec::new(),
            risks: deposed.iter().filter_map(|gone| predecessor_risk(&instance.block.schema, gone)).collect(),
            depends_on: instance.depends_on.clone(),
            reads: instance.reads.clone(),
            comes_after: Vec::new(),
            widens: Vec::new(),
            waits_for: BTreeMap::new(),
            still_uses: Vec::new(),
            prior_depends_on: saved.map(|saved| saved.depends_on.clone()).unwrap_or_default(),
            create_before_destroy: false,
            deposed,
            goes: None,
            guard: guard(instance.block),
            each: instance.each.clone(),
            governors: Vec::new(),
            governed: Vec::new(),
            sensitive: Vec::new(),
            authored: instance.block.attributes.as_table().into_iter().flat_map(|fields| fields.keys()).map(Path::attribute).collect(),
            state_only: BTreeSet::new(),
            unfinished: false,
            address: instance.address.clone(),
        }
    }

    /// What is remembered under an address beside what stands for it, each as it was itself: what its successor says is not
    /// about it.
    pub(super) fn others(&self, address: &Address, standing: Option<&Remembered>) -> Vec<Removal> {
        let attributes = self.catalog.resources.get(address.type_name()).map(|schema| schema.schema.attributes.as_slice());
        let known = self.world.state.deposed(address).iter().chain(self.world.state.current(address));
        let others = known.filter(|known| standing.is_none_or(|standing| known.place != standing.place));
        others.map(|saved| self.departing(attributes.unwrap_or_default(), saved, saved.guard.retain)).collect()
    }

    /// A remembered resource that goes: forgotten when it is gone already or is kept.
    pub(super) fn departing(&self, attributes: &[Attribute], saved: &Remembered, retain: bool) -> Removal {
        let last = self.live(attributes, saved, &Value::Null);
        let gone = last.is_none();
        removal(saved, last.unwrap_or(Value::Null), retain || gone)
    }
}

/// A resource that exists and is compared with what is wanted.
struct Existing<'a> {
    live: Value,
    /// Whether it was found, and is taken over.
    imported: bool,
    /// Whether it is in another account or region than it is to be in.
    relocated: bool,
    saved: Option<&'a Remembered>,
}

/// Completes the change of a resource that does not exist.
fn created(mut change: Change, instance: &Instance<'_>, desired: &Value, saved: Option<&Remembered>, loss: Option<String>) -> Change {
    let attributes = attributes_of(instance.block);
    change.after = complete(attributes, desired, None);
    change.attributes = diff(attributes, &Value::Map(BTreeMap::new()), &change.after);
    change.action = Action::Create;
    change.reason = loss;
    change.gone = saved.map(|saved| saved.place.clone());
    change.place = None;
    change.sensitive = secret_paths(attributes, &change.after);
    change
}

/// What is written of a resource, at whatever depth, where taking it out of the stack file takes it away.
fn written(instance: &Instance<'_>, desired: &Value) -> Option<Vec<Path>> {
    let schema = &instance.block.schema;
    schema.takes_away.then(|| authored(&schema.schema.attributes, desired))
}

/// Whether a resource is in another account or region than it is to be in.
pub(super) fn relocated(instance: &Instance<'_>, place: &Place) -> bool {
    place.site() != instance.site
}

/// In what that which is remembered of a resource differs from what will be, though AWS does not.
fn remembered_otherwise(saved: &Remembered, change: &Change) -> BTreeSet<Aspect> {
    let depends_on = change.remembered_depends_on();
    let more = depends_on.iter().any(|on| !saved.depends_on.contains(on));
    let aspects = [
        (Aspect::Guard, saved.guard != change.guard),
        (Aspect::Dependencies, more),
        (Aspect::FewerDependencies, !more && saved.depends_on != depends_on),
        (Aspect::Authored, saved.authored != change.authored),
        (Aspect::Sensitive, saved.sensitive != change.sensitive),
    ];
    aspects.into_iter().filter(|(_, differs)| *differs).map(|(aspect, _)| aspect).collect()
}

fn removal(saved: &Remembered, last: Value, forget: bool) -> Removal {
    let kind = if forget { RemovalKind::Forget } else { RemovalKind::Delete };
    Removal { remembered: saved.clone(), last, kind }
}

/// What the deletion of a predecessor loses.
pub(super) fn predecessor_risk(schema: &ResourceSchema, removal: &Removal) -> Option<String> {
    let loss = schema.loss(&Value::from(&removal.remembered.attributes)).filter(|_| removal.kind == RemovalKind::Delete)?;
    Some(format!("deletes {loss} of its predecessor {}", removal.remembered.place.id))
}

pub(super) fn attributes_of(block: &ResourceBlock) -> &[Attribute] {
    &block.schema.schema.attributes
}

/// What protects a block's resources.
pub(super) fn guard(block: &ResourceBlock) -> Guard {
    Guard { prevent_destroy: block.lifecycle.prevent_destroy, retain: block.lifecycle.retain || block.schema.stays.is_some() }
}

/// The attributes AWS returned, with what only leoctl knows.
pub(super) fn seen(attributes: &[Attribute], live: &Value, known: &Value, saved: &Remembered) -> Value {
    let live = with_known(attributes, &with_local(attributes, &canonicalize(attributes, live), known), known);
    conceal(attributes, &canonicalize(attributes, &live), &saved.sensitive)
}

/// A live value without what an update that did not end was setting and AWS does not return: that may be what it is to be, or
/// not, and is set again.
fn doubtful(attributes: &[Attribute], live: &Value, desired: &Value, saved: &Remembered) -> Value {
    if saved.updating.is_empty() {
        return live.clone();
    }
    let wanted = complete(attributes, desired, Some(live));
    let same = |name: &str| live.get(name) == wanted.get(name);
    let doubtful = attributes.iter().filter(|attribute| saved.updating.contains(&attribute.name) && same(&attribute.name));
    let doubtful: Vec<Attribute> = doubtful.cloned().collect();
    canonicalize(attributes, &with_local(&doubtful, live, &Value::Null))
}

/// The remembered attributes; of secrets that are not known again only the hash is.
pub(super) fn remembered(attributes: &[Attribute], known: &Value, saved: &Remembered) -> Value {
    canonicalize(attributes, &conceal(attributes, known, &saved.sensitive))
}

/// Whether a replacement is made before its predecessor goes: where the two have nothing in common that AWS lets
/// only one have, unless the stack file says otherwise.
///
/// In another account or region nothing is in common, but for a name that is taken everywhere.
fn made_first(change: &Change, instance: &Instance<'_>, relocated: bool) -> Result<bool, Diagnostic> {
    let schema = &instance.block.schema;
    let apart = relocated && is_apart(schema, change);
    let shared = in_common(schema, change).next();
    if let (true, Some(group)) = (change.guard.retain, shared) {
        let address = &instance.address;
        return Err(Diagnostic::error(
            Code::ReplaceOrder,
            &instance.block.span,
            format!("{address} cannot be replaced: {}", schema.stays.unwrap_or("its `deletion_policy` keeps the old one")),
        )
        .label(format!("both would have the same `{}`, and AWS allows that once", group.join("`, `")))
        .help(match schema.stays {
            Some(_) => "change that, too",
            None => "change that, too, or set `deletion_policy = \"delete\"`",
        }));
    }
    if change.guard.retain {
        return Ok(true);
    }
    match (instance.block.lifecycle.create_before_destroy, shared) {
        (Some(false), _) => Ok(false),
        (Some(true), Some(group)) => {
            let address = &instance.address;
            Err(Diagnostic::error(
                Code::ReplaceOrder,
                &instance.block.span,
                format!("{address} cannot be replaced before its predecessor is deleted"),
            )
            .label(format!("both have the same `{}`, and AWS allows that once", group.join("`, `")))
            .help("change that, too, or leave out `create_before_destroy`"))
        }
        (Some(true), None) => Ok(true),
        (None, shared) => Ok(schema.create_before_destroy || apart || !schema.unique.is_empty() && shared.is_none()),
    }
}

/// Whether a resource and its replacement are where nothing is in common.
fn is_apart(schema: &ResourceSchema, change: &Change) -> bool {
    change.place.as_ref().is_some_and(|place| schema.scope.apart(&place.site(), &change.site()))
}

/// What a resource and its replacement both have, and AWS lets only one have: groups of attributes.
///
/// In another account or region nothing is in common, but for a name that is taken everywhere.
pub(super) fn in_common(schema: &ResourceSchema, change: &Change) -> impl Iterator<Item = &'static [&'static str]> {
    let value = |value: &Value, name: &str| value.get(name).map_or(Value::Null, |value| schema.schema.told_by(name, value));
    let apart = is_apart(schema, change);
    let groups = schema.unique.iter().chain(schema.conflicts).copied().filter(move |_| !apart);
    groups.filter(move |group| {
        let absent = group.last().is_none_or(|name| value(&change.after, name).is_null());
        !absent && group.iter().all(|name| value(&change.before, name) == value(&change.after, name))
    })
}

/// What changes in place interrupt, and what of them AWS does not hear of.
fn interruptions(change: &Change, schema: &ResourceSchema) -> Vec<String> {
    let unheard = (schema.unheard)(&change.before, &change.after);
    let heard = change.attributes.iter().map(|changed| &changed.path).filter(|path| !unheard.contains(path));
    let heard: Vec<String> = heard.map(ToString::to_string).collect();
    let changes = |path: &str| heard.iter().any(|changed| is_at(changed, path));
    let forgotten = unheard.iter().map(|path| {
        format!(
            "`{path}` is only forgotten: AWS never returns it, and is not told that it is gone; write another value, or `--replace '{}'`",
            change.address
        )
    });
    let interrupting = schema.interrupts.iter().filter(|(path, _)| changes(path));
    interrupting.map(|(path, how)| format!("changing `{path}` {how}")).chain(forgotten).collect()
}

/// Whether a path is another one, or leads into it.
fn is_at(path: &str, of: &str) -> bool {
    path.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

pub(super) fn risks(change: &Change, instance: &Instance<'_>) -> Vec<String> {
    let mut risks = Vec::new();
    let schema: &ResourceSchema = &instance.block.schema;
    if change.action == Action::Update {
        return interruptions(change, schema);
    }
    if change.action != Action::Replace {
        return risks;
    }
    if change.guard.retain {
        risks.push(match schema.stays {
            Some(why) => format!("leaves the old one in AWS: {why}"),
            None => "leaves the old one in AWS, as its `deletion_policy` says".to_owned(),
        });
    } else if let Some(loss) = schema.loss(&change.before) {
        risks.push(format!("deletes {loss}"));
    }
    if !change.create_before_destroy {
        risks.push("is deleted before its replacement exists".to_owned());
    }
    risks
}
