//! Reading what is remembered.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;

use super::{LiveByPlace, Planner};
use crate::engine::EngineError;
use crate::model::place::Place;
use crate::model::state::State;
use crate::plan::build::Live;

impl Planner<'_> {
    /// Reads every remembered resource, predecessors too: one batch for each type and region, all batches at once.
    pub(super) async fn live(&self, state: Option<&State>) -> Result<LiveByPlace, EngineError> {
        let Some(state) = state.filter(|_| self.refresh) else { return Ok(LiveByPlace::new()) };
        let mut batches: BTreeMap<(&str, &str), Vec<&Place>> = BTreeMap::new();
        for (_, known) in state.all() {
            batches.entry((&known.place.type_name, &known.place.region)).or_default().push(&known.place);
        }
        let reads = batches.into_iter().map(|((type_name, region), places)| async move {
            let Some(handler) = self.provider.handler(type_name) else {
                return Err(EngineError::unknown_type(type_name));
            };
            let mut ids: Vec<String> = places.iter().map(|place| place.id.clone()).collect();
            ids.sort();
            ids.dedup();
            let reading = |failure| EngineError::aws(format!("reading {type_name} {}", ids.join(", ")), failure);
            let found = handler.read(region, &ids).await.map_err(reading)?;
            let live = |place: &Place| found.get(&place.id).cloned().map_or(Live::Gone, Live::Present);
            Ok(places.into_iter().map(|place| (place.clone(), live(place))).collect::<Vec<_>>())
        });
        Ok(try_join_all(reads).await?.into_iter().flatten().collect())
    }
}
