//! What an unfinished apply may have created without learning its id.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;

use super::find::{FindOutcome, find_patiently};
use super::{LiveByPlace, Planner, Search};
use crate::engine::EngineError;
use crate::model::journal::{Ledger, Record};
use crate::model::value::Value;
use crate::plan::build::Live;

impl Planner<'_> {
    /// Looks for what every open intent may have made, and records what comes of it; the tokens of those not found.
    pub(super) async fn recover(&self, ledger: &mut Ledger, live: &mut LiveByPlace) -> Result<BTreeSet<String>, EngineError> {
        let state = ledger.state();
        let searches = state.open.iter().map(|intent| {
            let desired = Value::from(&intent.attributes);
            let search = Search { address: &intent.address, region: &intent.region, token: Some(&intent.token), desired: &desired };
            let wanted = self.wanted(state, live, &search);
            async move {
                let type_name = intent.address.type_name();
                let known = self.provider.handler(type_name).zip(self.catalog.resources.get(type_name));
                let (handler, schema) = known.ok_or_else(|| EngineError::unknown_type(type_name))?;
                let what = || format!("looking for {}, whose creation was interrupted", intent.address);
                let outcome = find_patiently(handler.as_ref(), &schema.schema, &wanted).await;
                let outcome = outcome.map_err(|failure| EngineError::aws(what(), failure))?;
                Ok::<_, EngineError>((intent.clone(), outcome))
            }
        });
        let outcomes = try_join_all(searches.collect::<Vec<_>>()).await?;
        let mut absent = BTreeSet::new();
        for (intent, outcome) in outcomes {
            let (address, token) = (intent.address, intent.token);
            match outcome {
                // What is remembered under another address is not this one.
                FindOutcome::Ours(found) if ledger.state().addresses_of(&found.place).next().is_none() => {
                    live.insert(found.place.clone(), Live::Present(found.attributes));
                    ledger.record(Record::Created { address, token, place: found.place });
                }
                // Its place is taken: it was never made.
                FindOutcome::Ours(_) | FindOutcome::Foreign(_) | FindOutcome::Hidden => ledger.record(Record::Refused { address, token }),
                // It may be on its way still: who makes it again does so with the same token.
                FindOutcome::Absent => drop(absent.insert(token)),
            }
        }
        Ok(absent)
    }
}
