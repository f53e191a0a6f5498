//! What something else in AWS sets of a resource for the sake of another one, such as the target group that a rule forwards to
//! while a service is deployed.

use super::{Builder, Live, World};
use crate::model::place::Place;
use crate::model::schema::{Catalog, Governs};
use crate::model::value::Value;
use crate::plan::desired::Governor;

/// What the resources that exist let something else set of others.
#[derive(Default)]
pub(super) struct Governing(Vec<(Place, Governs, String)>);

impl Governing {
    /// As AWS says of what is remembered. What the stack file says of it counts once it is so.
    pub(super) fn of(catalog: &Catalog, world: World<'_>) -> Self {
        let mut all = Vec::new();
        for (address, saved) in world.state.currents() {
            let Some(schema) = catalog.resources.get(address.type_name()) else { continue };
            let governs = match world.live.get(&saved.place) {
                Some(Live::Present(live)) => (schema.governs)(live),
                Some(Live::Gone | Live::Foreign(_)) => continue,
                None => (schema.governs)(&Value::from(&saved.attributes)),
            };
            for mut governs in governs {
                let and = saved.depends_on.iter().filter(|on| governs.and == Some(on.type_name()));
                let and: Vec<String> = and.filter_map(|on| Some(world.state.current(on)?.place.id.clone())).collect();
                governs.among.extend(and);
                let by = format!("{} for {address}", governs.by);
                all.push((saved.place.clone(), governs, by));
            }
        }
        Self(all)
    }
}

impl Builder<'_> {
    /// Who else chooses something of the resource at a place.
    pub(super) fn governors(&self, place: &Place) -> Vec<Governor> {
        let there = |of: &Place| of.account == place.account && of.region == place.region;
        let meant = |governs: &Governs| governs.type_name == place.type_name && governs.id.as_ref().is_none_or(|id| *id == place.id);
        let all = self.governing.0.iter().filter(|(of, governs, _)| there(of) && meant(governs));
        let own = all.map(|(_, governs, by)| Governor { among: governs.among.clone(), by: by.clone() });
        own.chain(self.world.elsewhere.get(place).into_iter().flatten().cloned()).collect()
    }
}
