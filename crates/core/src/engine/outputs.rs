//! What the outputs are when an apply has ended, whether or not it did all that was planned.

use std::collections::{BTreeMap, BTreeSet};

use super::apply::Shared;
use crate::model::place::Place;
use crate::model::value::Value;
use crate::plan::step::StepKind;
use crate::plan::types::{Action, Change};
use crate::stack::lookup::Lookups;

impl Shared<'_> {
    /// The outputs as far as they are known; `undone` are the steps that were not done. What these were to give an output
    /// it does not have yet: it stays what it was, unless what it was made from is gone.
    pub(super) fn outputs(&self, undone: &BTreeSet<usize>) -> BTreeMap<String, Value> {
        let (stack, planned, options) = (&self.plan.stack, &self.plan.outputs, &self.plan.options);
        let all_goes = options.destroy && options.targets.is_empty() && options.excludes.is_empty();
        if options.only.is_some() || options.destroy && (undone.is_empty() || !all_goes) {
            return planned.iter().filter_map(|(name, output)| Some((name.clone(), output.after.clone()?))).collect();
        }
        let mut outputs = BTreeMap::new();
        for (name, output) in &stack.config.outputs {
            let (value, lookups) = self.scope(|scope| (output.value.eval(&scope), scope.take_lookups()));
            let value = value.ok().filter(|_| !options.destroy);
            let value = value.map(|value| if output.sensitive { value.into_secret() } else { value });
            let kept = value.filter(|value| undone.is_empty() || !value.has_unknown()).or_else(|| self.kept(name, &lookups));
            outputs.extend(kept.map(|value| (name.clone(), value)));
        }
        outputs
    }

    /// What an output was before, unless something that it is made from is gone.
    fn kept(&self, name: &str, lookups: &Lookups) -> Option<Value> {
        let before = self.plan.outputs.get(name)?.before.clone()?;
        let used = |change: &&Change| lookups.instances.contains(&change.address) || lookups.blocks.contains(&change.address.block);
        let is_gone = |change: &Change| {
            let left = |place: &Place| self.state(|state| state.addresses_of(place).next().is_some());
            change.gone.is_some() || !change.place.iter().all(left)
        };
        (!self.plan.changes.iter().filter(used).any(is_gone)).then_some(before)
    }

    /// Lets expressions see what was left as it was, as it is: until now they saw what it was to be.
    pub(super) fn see_what_stands(&self, undone: &BTreeSet<usize>) {
        for step in undone.iter().filter_map(|number| self.plan.steps.get(*number)) {
            let settles = match step.kind {
                StepKind::Create(_) | StepKind::Update(_) | StepKind::Import(_) | StepKind::Wait(_) | StepKind::Remember(_) => true,
                StepKind::Read(_) | StepKind::Reassign(_) | StepKind::Delete(_) | StepKind::Forget(_) => false,
            };
            let desired = |change: &&Change| !matches!(change.action, Action::Delete | Action::Forget);
            let Some(change) = self.plan.change(&step.address).filter(desired).filter(|_| settles) else { continue };
            let is_there = self.state(|state| state.current(&step.address).map(|known| known.place.clone())) == change.place;
            if is_there && !change.before.is_null() {
                let now = self.halfway(&step.address).unwrap_or_else(|| change.before.clone());
                self.set_value(&step.address, now);
            }
        }
    }
}
