//! Asking who else in AWS has chosen what a plan would undo, such as a service of another stack whose deployment has moved
//! requests of a shared load balancer.

use std::collections::BTreeMap;

use super::{GovernorsByPlace, Planner};
use crate::engine::EngineError;
use crate::model::place::{Place, Site};
use crate::plan::types::{Action, Change, Plan};

impl Planner<'_> {
    /// Who governs what this plan would undo; only what somebody else than leoctl has changed since the last apply, or looks
    /// as if, is asked about, and once.
    pub(super) async fn undone(&self, plan: &Plan, known: &GovernorsByPlace) -> Result<GovernorsByPlace, EngineError> {
        let mut asked: BTreeMap<(String, Site), Vec<Place>> = BTreeMap::new();
        for change in plan.changes.iter().filter(|change| self.undoes(plan, change)) {
            if let Some(place) = change.place.as_ref().filter(|place| !known.contains_key(place)) {
                asked.entry((place.type_name.clone(), place.site())).or_default().push(place.clone());
            }
        }
        let mut found = GovernorsByPlace::new();
        for ((type_name, site), places) in asked {
            let Some(handler) = self.provider.handler(&type_name) else { continue };
            let ids: Vec<String> = places.iter().map(|place| place.id.clone()).collect();
            let governors = handler.governors(&site, &ids).await;
            let mut governors = governors.map_err(|failure| EngineError::aws("asking who else sets a resource", failure))?;
            found.extend(places.into_iter().map(|place| (place.clone(), governors.remove(&place.id).unwrap_or_default())));
        }
        Ok(found)
    }

    fn undoes(&self, plan: &Plan, change: &Change) -> bool {
        let Some(schema) = self.catalog.resources.get(change.address.type_name()) else { return false };
        let changes = matches!(change.action, Action::Update | Action::Replace | Action::Import);
        let drifted = || plan.drift.iter().any(|drift| drift.address == change.address);
        changes && (schema.undoes)(&change.before, &change.after, drifted())
    }
}
