//! Which of what is remembered under an address stands for it.

use super::change::{attributes_of, relocated};
use super::{Builder, Instance};
use crate::model::secrecy::{conceal, secret_paths};
use crate::model::state::Remembered;
use crate::model::value::Value;
use crate::plan::desired::{Present, settled};
use crate::plan::diff::diff;

impl Builder<'_> {
    /// What stands for an address: its current resource, unless that would have to be made anew while a predecessor, still
    /// to be deleted, would not. The latest of these is then what is wanted again.
    pub(super) fn standing(&self, instance: &Instance<'_>, desired: &Value) -> Option<&Remembered> {
        let current = self.world.state.current(&instance.address);
        let deposed = self.world.state.deposed(&instance.address);
        let forced = self.options.replace.iter().any(|wanted| wanted.covers(&instance.address));
        if forced || deposed.is_empty() || current.is_some_and(|current| self.fits(instance, desired, current)) {
            return current;
        }
        deposed.iter().rev().find(|deposed| self.fits(instance, desired, deposed)).or(current)
    }

    /// Whether a remembered resource is there, and can become what is wanted.
    fn fits(&self, instance: &Instance<'_>, desired: &Value, saved: &Remembered) -> bool {
        let attributes = attributes_of(instance.block);
        let Some(live) = self.live(attributes, saved, desired) else { return false };
        let governors = self.governors(&saved.place);
        let existing = Present { live: &live, saved: Some(saved), governors: &governors };
        let after = settled(instance.block, desired, existing, false, self.options.only(&instance.address));
        let live = conceal(attributes, &live, &secret_paths(attributes, &after));
        !relocated(instance, &saved.place) && !diff(attributes, &live, &after).iter().any(|change| change.forces_replacement)
    }
}
