//! What AWS allows once, such as a name: who has it now, and who is to have it. Two that are to have it are an error that
//! names both; one that takes it over waits for the one that gives it up.

use std::collections::BTreeMap;

use super::Builder;
use crate::model::address::Address;
use crate::model::place::{Place, Scope, Site};
use crate::model::schema::ResourceSchema;
use crate::model::value::Value;
use crate::plan::diff::diff;
use crate::plan::handover::{GivenUpBy, Takeover};
use crate::plan::types::{Action, Change, Removal, RemovalKind};
use crate::stack::config::ResourceBlock;
use crate::stack::diagnostic::{Code, Diagnostic};
use crate::stack::template::TemplateKind;

/// Something that only one resource can have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Claim {
    type_name: String,
    /// What it is: the attributes, or a word for the resource itself.
    pub what: String,
    /// Within which account and region; empty where it is unique everywhere.
    within: String,
    /// Whether it is changed jointly, so that [`super::exchange`] sees to its order.
    joint: bool,
    /// The values. One that is known only after apply is told by the expression that gives it.
    values: Vec<String>,
}

/// Who has a claim now.
struct Holder<'a> {
    change: &'a Change,
    by: GivenUpBy,
    /// What goes with it.
    removal: Option<&'a Removal>,
}

impl Builder<'_> {
    /// Reports what more than one resource claims, and finds what one takes over from another.
    pub(super) fn claims(&mut self) {
        let mut found = self.claimed_twice();
        if !self.options.destroy {
            found.extend(self.remembered_twice());
        }
        let (takeovers, refused) = self.takeovers();
        found.extend(refused);
        found.extend(self.kept());
        found.into_iter().for_each(|diagnostic| self.diagnostics.push(diagnostic));
        self.handovers.takeovers = takeovers;
        self.handovers.passed_on = self.passed_on();
    }

    /// Two desired resources that would be one object in AWS, or have in common what AWS lets only one have. What is left out
    /// has what it has, whatever the stack file says of it.
    fn claimed_twice(&self) -> Vec<Diagnostic> {
        let mut seen: BTreeMap<Claim, &Address> = BTreeMap::new();
        let mut diagnostics = Vec::new();
        for change in self.changes.iter().filter(|change| is_desired(change) && !self.is_left_out(change)) {
            let address = &change.address;
            if let Some(place) = &change.place
                && let Some(other) = seen.insert(Self::place_claim(place), address)
            {
                let error = format!("{address} and {other} would both be {} {}", place.type_name, place.id);
                diagnostics.push(self.at(address, Code::SamePlace, &error).help("keep one of the two blocks, or import another id"));
            }
            for claim in self.wanted_claims(change).chain(self.element_claims(&change.address, &change.after)) {
                let what = claim.what.clone();
                if let Some(other) = seen.insert(claim, address) {
                    let error = format!("{address} and {other} have the same {what}, and AWS allows that once");
                    diagnostics
                        .push(self.at(address, Code::SamePlace, &error).help("give one of them another, or keep only one of the two"));
                }
            }
        }
        diagnostics
    }

    /// A place that an older leoctl, or a hand, has remembered under two addresses.
    fn remembered_twice(&self) -> Option<Diagnostic> {
        let (place, one, other) = self.world.state.claimed_twice()?;
        let error =
            Diagnostic::general(Code::SamePlace, format!("the state has {} {} twice, as {one} and as {other}", place.type_name, place.id));
        Some(error.help(format!("`leoctl state rm '{other}'` forgets one of the two and leaves it in AWS")))
    }

    /// What one resource takes over from another, and why it cannot where it cannot.
    fn takeovers(&self) -> (Vec<Takeover>, Vec<Diagnostic>) {
        let held = self.held_claims();
        let (mut takeovers, mut refused) = (Vec::new(), Vec::new());
        for taker in self.changes.iter().filter(|change| is_desired(change)) {
            let own = |holder: &&&Holder<'_>| holder.change.address == taker.address;
            let imported = taker.place.as_ref().filter(|_| taker.action == Action::Import).map(Self::place_claim);
            for (claim, is_place) in self
                .wanted_claims(taker)
                .filter(|claim| !claim.joint)
                .map(|claim| (claim, false))
                .chain(imported.map(|claim| (claim, true)))
            {
                let holders = held.get(&claim).into_iter().flatten().collect::<Vec<_>>();
                // What it has already it takes over from nobody.
                if !is_place && taker.place.is_some() && holders.iter().any(|holder| own(&holder) && holder.by == GivenUpBy::Update) {
                    continue;
                }
                for holder in holders.iter().filter(|holder| !own(holder)) {
                    let address = &holder.change.address;
                    match self.refused(taker, holder, &claim, is_place) {
                        Some(diagnostic) => refused.push(diagnostic),
                        // Two that are to have it have been reported.
                        None if holder.by == GivenUpBy::Update && self.wanted_claims(holder.change).any(|kept| kept == claim) => {}
                        None => takeovers.push(Takeover {
                            taker: taker.address.clone(),
                            holder: address.clone(),
                            by: holder.by,
                            what: claim.what.clone(),
                        }),
                    }
                }
            }
        }
        takeovers.extend(self.after_all_predecessors());
        (takeovers, refused)
    }

    /// What a replacement and its predecessor cannot have in common, it cannot have in common with the predecessors of others
    /// either: mount targets of one file system go together from one VPC to another.
    fn after_all_predecessors(&self) -> Vec<Takeover> {
        let conflicts = |schema: &ResourceSchema| schema.conflicts;
        let mut going: BTreeMap<Claim, Vec<(&Address, usize)>> = BTreeMap::new();
        for change in self.changes.iter().filter(|change| matches!(change.action, Action::Replace | Action::Delete)) {
            for (index, removal) in change.removals().enumerate().filter(|(_, removal)| removal.kind == RemovalKind::Delete) {
                for claim in self.groups_of(&change.address, &removal.last, removal.remembered.place.site(), conflicts) {
                    going.entry(claim).or_default().push((&change.address, index));
                }
            }
        }
        let mut found = Vec::new();
        for taker in self.changes.iter().filter(|change| change.action == Action::Replace) {
            for claim in self.groups_of(&taker.address, &taker.after, taker.site(), conflicts) {
                let others = going.get(&claim).into_iter().flatten().filter(|(holder, _)| **holder != taker.address);
                found.extend(others.map(|(holder, index)| Takeover {
                    taker: taker.address.clone(),
                    holder: (*holder).clone(),
                    by: GivenUpBy::Removal(*index),
                    what: claim.what.clone(),
                }));
            }
        }
        found
    }

    /// Why a resource cannot have what another one has until now.
    fn refused(&self, taker: &Change, holder: &Holder<'_>, claim: &Claim, is_place: bool) -> Option<Diagnostic> {
        let removal = holder.removal?;
        let (address, from) = (&taker.address, &holder.change.address);
        let moved = || format!("if it was renamed, add [[moved]] with from = '{from}', to = '{address}'");
        let id = &removal.remembered.place.id;
        if is_place {
            let error = format!("{address} imports {id}, which is {from} in the state and would be deleted as such");
            return (removal.kind == RemovalKind::Delete).then(|| self.at(address, Code::SamePlace, &error).help(moved()));
        }
        if removal.kind == RemovalKind::Forget && !self.stack.config.imports.iter().any(|import| import.to == *address) {
            let error = format!("{address} cannot be made: {from} ({id}) stays in AWS and has the same {}", claim.what);
            let is_there = self.world.live.get(&removal.remembered.place).is_none_or(|live| live.loss().is_none());
            return is_there
                .then(|| self.at(address, Code::SamePlace, &error).help("choose another one, or let it be deleted").help(moved()));
        }
        let renamed = removal.kind == RemovalKind::Delete
            && taker.action == Action::Create
            && holder.change.action == Action::Delete
            && self.alike_but_for_name(taker, removal);
        renamed.then(|| {
            let error = format!("{address} and {from} are the same in AWS ({}): one would be created, the other deleted", claim.what);
            self.at(address, Code::SamePlace, &error)
                .help(moved())
                .help("if they are two resources, give one another name, or delete the old one in an apply of its own")
        })
    }

    /// Whether nothing would force a replacement if the one were the other.
    fn alike_but_for_name(&self, taker: &Change, removal: &Removal) -> bool {
        let schema = self.catalog.resources.get(taker.address.type_name());
        let attributes = schema.map(|schema| schema.schema.attributes.as_slice()).unwrap_or_default();
        taker.site() == removal.remembered.place.site()
            && !diff(attributes, &removal.last, &taker.after).iter().any(|change| change.forces_replacement)
    }

    /// Everything that is claimed now, but by what is left out.
    fn held_claims(&self) -> BTreeMap<Claim, Vec<Holder<'_>>> {
        let mut held: BTreeMap<Claim, Vec<Holder<'_>>> = BTreeMap::new();
        for change in self.changes.iter().filter(|change| !self.is_left_out(change)) {
            for (index, removal) in change.removals().enumerate() {
                let remembered;
                let last = match removal.last.is_null() {
                    true => {
                        remembered = Value::from(&removal.remembered.attributes);
                        &remembered
                    }
                    false => &removal.last,
                };
                let place = &removal.remembered.place;
                for claim in self.claims_of(&change.address, last, place.site()).chain([Self::place_claim(place)]) {
                    held.entry(claim).or_default().push(Holder { change, by: GivenUpBy::Removal(index), removal: Some(removal) });
                }
            }
            if let Some(lost) = change.gone.as_ref().and_then(|_| self.world.state.current(&change.address)) {
                for claim in self.claims_of(&change.address, &Value::from(&lost.attributes), lost.place.site()) {
                    held.entry(claim).or_default().push(Holder { change, by: GivenUpBy::Loss, removal: None });
                }
            }
            if is_desired(change)
                && change.action != Action::Replace
                && let Some(place) = &change.place
            {
                for claim in self.claims_of(&change.address, &change.before, place.site()) {
                    held.entry(claim).or_default().push(Holder { change, by: GivenUpBy::Update, removal: None });
                }
            }
        }
        held
    }

    /// What a resource is to have alone.
    fn wanted_claims<'a>(&'a self, change: &'a Change) -> impl Iterator<Item = Claim> + 'a {
        self.claims_of(&change.address, &change.after, change.site())
    }

    /// What a resource with these attributes has alone, as far as it is known.
    fn claims_of<'a>(&'a self, address: &'a Address, attributes: &'a Value, site: Site) -> impl Iterator<Item = Claim> + 'a {
        self.groups_of(address, attributes, site, |schema| schema.unique)
    }

    /// The same with its elements, and without what is changed jointly.
    pub(super) fn claims_apart<'a>(&'a self, address: &'a Address, attributes: &'a Value, site: Site) -> impl Iterator<Item = Claim> + 'a {
        let apart = self.claims_of(address, attributes, site).filter(|claim| !claim.joint);
        apart.chain(self.element_claims(address, attributes))
    }

    /// What a resource with these attributes has of groups of them, as far as it is known.
    fn groups_of<'a>(
        &'a self,
        address: &'a Address,
        attributes: &'a Value,
        site: Site,
        groups: fn(&ResourceSchema) -> &'static [&'static [&'static str]],
    ) -> impl Iterator<Item = Claim> + 'a {
        let schema = self.catalog.resources.get(address.type_name());
        let block = self.stack.config.resources.get(&address.block);
        schema.into_iter().flat_map(move |schema| {
            let within = schema.scope.within(&site);
            groups(schema).iter().filter_map(move |group| {
                let value = |name: &str| attributes.get(name).unwrap_or(&Value::Null);
                let told_apart = group.last().is_some_and(|name| !value(name).is_null());
                let values: Option<Vec<String>> =
                    group.iter().map(|name| known(&schema.schema.told_by(name, value(name)), written(block, name))).collect();
                Some(Claim {
                    type_name: address.type_name().to_owned(),
                    what: format!("`{}`", group.join("`, `")),
                    within: within.clone(),
                    joint: schema.joint.is_some_and(|joint| group.contains(&joint)),
                    values: values.filter(|_| told_apart)?,
                })
            })
        })
    }

    /// The elements of lists that only one resource can have each.
    fn element_claims<'a>(&'a self, address: &'a Address, attributes: &'a Value) -> impl Iterator<Item = Claim> + 'a {
        let schema = self.catalog.resources.get(address.type_name());
        let block = self.stack.config.resources.get(&address.block);
        let names = schema.into_iter().flat_map(|schema| schema.exclusive);
        names.flat_map(move |name| {
            let items = attributes.get(name).and_then(|list| list.revealed().as_list()).unwrap_or_default();
            let templates = match written(block, name) {
                Some(TemplateKind::List(templates)) => templates.as_slice(),
                _ => &[],
            };
            // Those that are not known stand where they are written only while all of them do.
            let aligned = templates.len() == items.len() && items.iter().all(Value::has_unknown);
            let values = items
                .iter()
                .enumerate()
                .filter_map(move |(index, item)| known(item, templates.get(index).filter(|_| aligned).map(|template| &template.kind)));
            values.map(move |value| Claim {
                type_name: address.type_name().to_owned(),
                what: format!("element of `{name}` ({value})"),
                within: String::new(),
                joint: false,
                values: vec![value],
            })
        })
    }

    /// The elements that go from one resource to another.
    fn passed_on(&self) -> Vec<Takeover> {
        let stays = |change: &&Change| is_desired(change) && change.action != Action::Replace;
        let mut takers: BTreeMap<Claim, &Address> = BTreeMap::new();
        for change in self.changes.iter().filter(|change| is_desired(change)) {
            let had: Vec<Claim> =
                Some(change).filter(stays).into_iter().flat_map(|it| self.element_claims(&it.address, &it.before)).collect();
            let new = self.element_claims(&change.address, &change.after).filter(|claim| !had.contains(claim));
            takers.extend(new.map(|claim| (claim, &change.address)));
        }
        let mut found = Vec::new();
        for holder in &self.changes {
            let mut give = |attributes: &Value, by: GivenUpBy| {
                for claim in self.element_claims(&holder.address, attributes) {
                    if let Some(taker) = takers.get(&claim).filter(|taker| ***taker != holder.address) {
                        let (taker, holder) = ((*taker).clone(), holder.address.clone());
                        found.push(Takeover { taker, holder, by, what: claim.what });
                    }
                }
            };
            if stays(&holder) {
                give(&holder.before, GivenUpBy::Update);
            }
            for (index, removal) in holder.removals().enumerate() {
                give(&removal.last, GivenUpBy::Removal(index));
            }
        }
        found
    }

    /// The resource itself.
    pub(super) fn place_claim(place: &Place) -> Claim {
        let within = Scope::Regional.within(&place.site());
        Claim { type_name: place.type_name.clone(), what: "id".to_owned(), within, joint: false, values: vec![place.id.clone()] }
    }
}

/// Whether a change is of what the stack file wants.
pub(super) fn is_desired(change: &Change) -> bool {
    !matches!(change.action, Action::Delete | Action::Forget)
}

/// A value, or what stands for it while it is not known: an expression that is the same for every instance.
fn known(value: &Value, written: Option<&TemplateKind>) -> Option<String> {
    if value.has_secret() {
        return None;
    }
    if !value.has_unknown() {
        return Some(value.to_public_json(&|_| serde_json::Value::Null).to_string());
    }
    match written? {
        TemplateKind::Expr(expr) if !expr.references.iter().any(|reference| reference.root() == "each") => {
            Some(format!("${{{}}}", expr.source.trim()))
        }
        _ => None,
    }
}

/// What the stack file says of an attribute.
fn written<'a>(block: Option<&'a ResourceBlock>, name: &str) -> Option<&'a TemplateKind> {
    Some(&block?.attributes.as_table()?.get(name)?.value.kind)
}
