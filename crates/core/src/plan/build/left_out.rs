//! What a plan leaves as it is, whatever the stack file says: what `--target`, `--exclude` or the command is not about, and
//! what is not desired any more and is not to go yet. It keeps what AWS allows once, and stays what it is in the state.

use std::collections::{BTreeMap, BTreeSet};

use super::claims::{Claim, is_desired};
use super::{Builder, Live};
use crate::model::address::Address;
use crate::model::state::Remembered;
use crate::model::value::Value;
use crate::plan::types::{Action, Change};
use crate::stack::diagnostic::{Code, Diagnostic};

/// How many resources are named in one sentence.
const NAMED: usize = 20;

impl Builder<'_> {
    /// Whether a desired resource is not what the plan is about: `--target`, `--exclude` or the command leaves it out.
    pub(super) fn leaves_out(&self, address: &Address) -> bool {
        !self.selection.includes(address) || self.options.only(address).is_some_and(<[_]>::is_empty)
    }

    /// Whether a change is none, as its resource is left out.
    pub(super) fn is_left_out(&self, change: &Change) -> bool {
        is_desired(change) && self.leaves_out(&change.address)
    }

    /// What is left out together with what is excluded, in words: nobody has named it.
    pub(super) fn left_out_along(&self) -> Option<String> {
        if self.options.excludes.is_empty() {
            return None;
        }
        let (along, why): (Vec<&Address>, _) = match self.options.destroy {
            true => {
                let remembered = self.world.state.resources.keys();
                let stays = remembered.filter(|address| !self.going.contains(*address) && self.options.selects(address));
                (stays.collect(), "as what is excluded was made from it")
            }
            false => {
                let desired = self.changes.iter().filter(|change| is_desired(change)).map(|change| &change.address);
                (desired.filter(|address| self.selection.bars(address)).collect(), "as it depends on what is excluded")
            }
        };
        let more = along.len().saturating_sub(NAMED);
        let names: Vec<String> = along.iter().take(NAMED).map(ToString::to_string).collect();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!along.is_empty()).then(|| format!("left out with it, {why}: {}{more}", names.join(", ")))
    }

    /// Everything remembered that stays what it is, predecessors too, whether or not it is still in AWS. What could not be
    /// planned is not among it.
    pub(super) fn left_out(&self) -> impl Iterator<Item = (&Address, &Remembered)> {
        let planned: BTreeMap<&Address, bool> = self.changes.iter().map(|change| (&change.address, self.is_left_out(change))).collect();
        self.world.state.all().filter(move |(address, _)| match planned.get(address) {
            Some(left_out) => *left_out,
            None => !self.going.contains(*address) && !self.failed.has(address),
        })
    }

    /// Why resources cannot have what is left out has: nothing of this plan takes it from there.
    pub(super) fn kept(&self) -> Vec<Diagnostic> {
        let mut kept: BTreeMap<Claim, (&Address, &Remembered)> = BTreeMap::new();
        for (address, saved) in self.left_out() {
            let last = self.last_seen(address, saved);
            let claims: Vec<Claim> = self.claims_apart(address, &last, saved.place.site()).collect();
            kept.extend(claims.into_iter().chain([Self::place_claim(&saved.place)]).map(|claim| (claim, (address, saved))));
        }
        if kept.is_empty() {
            return Vec::new();
        }
        let takers = self.changes.iter().filter(|change| is_desired(change) && !self.is_left_out(change));
        takers.filter_map(|taker| self.kept_from(taker, &kept)).collect()
    }

    /// Why a resource cannot have what it wants anew.
    fn kept_from(&self, taker: &Change, kept: &BTreeMap<Claim, (&Address, &Remembered)>) -> Option<Diagnostic> {
        if let (Action::Import, Some(place)) = (taker.action, &taker.place)
            && let Some((holder, _)) = kept.get(&Self::place_claim(place))
        {
            let error = format!("{} cannot be imported as {}: that is {holder} in the state", taker.address, place.id);
            let forgotten = format!("to manage it as {} alone, forget the other first: `leoctl state rm '{holder}'`", taker.address);
            return Some(self.at(&taker.address, Code::SamePlace, &error).help(renamed(taker, holder)).help(forgotten));
        }
        let stays = taker.place.is_some() && !matches!(taker.action, Action::Import | Action::Replace);
        let has: BTreeSet<Claim> =
            if stays { self.claims_apart(&taker.address, &taker.before, taker.site()).collect() } else { BTreeSet::new() };
        let mut wanted = self.claims_apart(&taker.address, &taker.after, taker.site()).filter(|claim| !has.contains(claim));
        let (claim, (holder, saved)) = wanted.find_map(|claim| kept.get(&claim).copied().map(|by| (claim, by)))?;
        let (address, id) = (&taker.address, &saved.place.id);
        let done = match taker.action {
            Action::Create => "made",
            Action::Replace => "replaced",
            Action::Import => "imported",
            Action::Update | Action::Delete | Action::Forget | Action::NoOp => "changed",
        };
        let error =
            format!("{address} cannot be {done}: {holder} ({id}) has the same {} in the state, and this plan leaves it out", claim.what);
        let error = self.at(address, Code::SamePlace, &error);
        let error = match self.world.live.get(&saved.place).and_then(Live::loss) {
            Some(loss) => error.label(format!("{id} {loss}, which is recorded by a plan that is about {holder}")),
            None => error,
        };
        Some(error.help(self.about_both(holder)).help(renamed(taker, holder)))
    }

    /// How a plan comes to be about what this one leaves out.
    fn about_both(&self, holder: &Address) -> String {
        match () {
            () if self.options.only.is_some() => "`leoctl apply` settles which of the two has it".to_owned(),
            () if self.options.excludes.iter().any(|out| out.covers(holder)) => {
                format!("to plan both at once, do not exclude {holder}")
            }
            () if !self.options.targets.is_empty() => format!("to plan both at once, add `--target '{holder}'`"),
            () => format!("to plan both at once, do not exclude what {holder} depends on"),
        }
    }

    /// What is known of a remembered resource: as it is, or where it is gone, as it was.
    fn last_seen(&self, address: &Address, saved: &Remembered) -> Value {
        let schema = self.catalog.resources.get(address.type_name());
        let attributes = schema.map(|schema| schema.schema.attributes.as_slice()).unwrap_or_default();
        self.live(attributes, saved, &Value::Null).unwrap_or_else(|| Value::from(&saved.attributes))
    }
}

fn renamed(taker: &Change, holder: &Address) -> String {
    format!("if it was renamed, add [[moved]] with from = '{holder}', to = '{}'", taker.address)
}
