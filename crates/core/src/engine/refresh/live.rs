//! Reading what is remembered.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use backon::BackoffBuilder;
use futures_util::future::try_join_all;

use super::{LiveByPlace, Planner};
use crate::engine::EngineError;
use crate::engine::ports::{FailureKind, Outcome};
use crate::engine::retry::backoff;
use crate::model::address::Address;
use crate::model::place::Site;
use crate::model::state::{Remembered, State};
use crate::model::value::Value;
use crate::plan::build::Live;
use crate::plan::desired::{self, Owner};

/// For how long a plan reads again what AWS cannot tell yet, such as the name of a role that was just made.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads until AWS can tell.
async fn patiently<T, F: AsyncFnMut() -> Outcome<T>>(mut read: F) -> Outcome<T> {
    let mut waits = backoff().with_total_delay(Some(PATIENCE)).build();
    loop {
        match (read().await, waits.next()) {
            (Err(failure), Some(wait)) if failure.kind == FailureKind::Transient => tokio::time::sleep(wait).await,
            (done, _) => return done,
        }
    }
}

/// What is read in one call, or as few as the type takes.
#[derive(Default)]
struct Batch<'a> {
    addresses: BTreeSet<&'a Address>,
    known: Vec<&'a Remembered>,
}

/// How many of those that cannot be read are named.
const NAMED: usize = 4;

impl Planner<'_> {
    /// Reads every remembered resource, predecessors too: one batch for each type, account and region, all batches at once.
    pub(super) async fn live(&self, state: Option<&State>) -> Result<LiveByPlace, EngineError> {
        let Some(state) = state.filter(|_| self.refresh) else { return Ok(LiveByPlace::new()) };
        let mut batches: BTreeMap<(&str, Site), Batch<'_>> = BTreeMap::new();
        for (address, known) in state.all() {
            let batch = batches.entry((&known.place.type_name, known.place.site())).or_default();
            batch.addresses.insert(address);
            batch.known.push(known);
        }
        let reads = batches.into_iter().map(|((type_name, site), Batch { addresses, known })| async move {
            let Some(handler) = self.provider.handler(type_name) else {
                return Err(EngineError::unknown_type(type_name));
            };
            let mut ids: Vec<String> = known.iter().map(|known| known.place.id.clone()).collect();
            ids.sort();
            ids.dedup();
            let reading = |failure| {
                let named: Vec<String> = addresses.iter().take(NAMED).map(ToString::to_string).collect();
                let more = addresses.len().checked_sub(NAMED).filter(|more| *more > 0).map(|more| format!(" and {more} more"));
                EngineError::aws(format!("cannot read {}{}", named.join(", "), more.unwrap_or_default()), failure)
            };
            let found = patiently(async || handler.read(&site, &ids).await).await.map_err(reading)?;
            let live = |known: &Remembered| match found.get(&known.place.id) {
                None => Live::Gone,
                Some(attributes) => self.theirs(known, attributes).map_or_else(|| Live::Present(attributes.clone()), Live::Foreign),
            };
            Ok(known.into_iter().map(|known| (known.place.clone(), live(known))).collect::<Vec<_>>())
        });
        Ok(try_join_all(reads).await?.into_iter().flatten().collect())
    }

    /// The other stack that what is remembered belongs to by its tags. What already had them when it was remembered was
    /// taken over on purpose.
    fn theirs(&self, known: &Remembered, live: &Value) -> Option<Owner> {
        let owner = desired::owner(live).filter(|owner| owner.stack != self.stack.name)?;
        let remembered = desired::owner(&Value::from(&known.attributes));
        (remembered.as_ref() != Some(&owner)).then_some(owner)
    }
}
