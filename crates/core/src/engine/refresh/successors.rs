//! Newer revisions that another tool has made of what `ignore_changes` leaves to it.

use futures_util::future::try_join_all;

use super::{LiveByPlace, Planner};
use crate::engine::EngineError;
use crate::model::address::Address;
use crate::model::journal::{Ledger, Record};
use crate::model::place::Place;
use crate::model::state::State;
use crate::model::value::Value;
use crate::plan::build::Live;

impl Planner<'_> {
    /// Records what stands for a resource now.
    pub(super) async fn successors(&self, ledger: &mut Ledger, live: &mut LiveByPlace) -> Result<(), EngineError> {
        if !self.refresh || self.options.destroy {
            return Ok(());
        }
        let state = ledger.state();
        let blocks = &self.stack.config.resources;
        let shared = |address: &Address| blocks.get(&address.block).is_some_and(|block| !block.lifecycle.ignore_changes.is_empty());
        let answers = state.currents().filter(|(address, _)| shared(address)).map(|(address, saved)| {
            let mut used = texts_of_dependents(state, live, address);
            // What still runs until an apply that was cut short goes on is no news.
            used.retain(|id| !state.deposed(address).iter().any(|deposed| deposed.place.id == *id));
            async move {
                let handler = self.provider.handler(address.type_name()).ok_or_else(|| EngineError::unknown_type(address.type_name()))?;
                let reading = |failure| EngineError::aws(format!("reading {address}"), failure);
                let id = handler.successor(&saved.place.site(), &saved.place.id, &used).await.map_err(reading)?;
                if id == saved.place.id {
                    return Ok::<_, EngineError>(None);
                }
                let read = handler.read(&saved.place.site(), std::slice::from_ref(&id)).await.map_err(reading)?.remove(&id);
                Ok(read.map(|read| (address.clone(), Place { id, ..saved.place.clone() }, read)))
            }
        });
        let answers = try_join_all(answers.collect::<Vec<_>>()).await?;
        for (address, place, read) in answers.into_iter().flatten() {
            live.insert(place.clone(), Live::Present(read));
            ledger.record(Record::Succeeded { address, place });
        }
        Ok(())
    }
}

/// The texts in the live attributes of what was made from a resource.
fn texts_of_dependents(state: &State, live: &LiveByPlace, address: &Address) -> Vec<String> {
    let dependents = state.currents().filter(|(_, saved)| saved.depends_on.contains(address));
    let values = dependents.filter_map(|(_, dependent)| match live.get(&dependent.place) {
        Some(Live::Present(Value::Map(attributes))) => Some(attributes.values()),
        _ => None,
    });
    values.flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
