//! What an unfinished apply may have created without learning its id.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;

use super::find::{FindOutcome, find_patiently};
use super::{LiveByPlace, Planner, Search};
use crate::engine::EngineError;
use crate::engine::ports::{Failure, FailureKind};
use crate::model::journal::{Ledger, Record};
use crate::model::state::Intent;
use crate::model::value::Value;
use crate::plan::build::Live;
use crate::stack::diagnostic::{Code, Diagnostic, Diagnostics};

impl Planner<'_> {
    /// Looks for what every open intent may have made, and records what comes of it; the tokens of those not found.
    pub(super) async fn recover(&self, ledger: &mut Ledger, live: &mut LiveByPlace) -> Result<BTreeSet<String>, EngineError> {
        let state = ledger.state();
        let searches = state.open.iter().map(|intent| {
            let desired = Value::from(&intent.attributes);
            let search = Search { address: &intent.address, site: &intent.site(), token: Some(&intent.token), desired: &desired };
            let wanted = self.wanted(state, live, &search);
            async move {
                let type_name = intent.address.type_name();
                let known = self.provider.handler(type_name).zip(self.catalog.resources.get(type_name));
                let (handler, schema) = known.ok_or_else(|| EngineError::unknown_type(type_name))?;
                let outcome = find_patiently(handler.as_ref(), &schema.schema, &wanted).await;
                Ok::<_, EngineError>((intent.clone(), outcome))
            }
        });
        let outcomes = try_join_all(searches.collect::<Vec<_>>()).await?;
        let mut absent = BTreeSet::new();
        let mut refused = Diagnostics::default();
        for (intent, outcome) in outcomes {
            let outcome = match outcome {
                Ok(outcome) => outcome,
                Err(failure) if may_pass(failure.kind) => {
                    return Err(EngineError::aws(format!("looking for {}, whose creation was interrupted", intent.address), failure));
                }
                // It stays open. A command for some resources goes on without the others.
                Err(_) if self.options.only(&intent.address).is_some_and(<[_]>::is_empty) => continue,
                Err(failure) => {
                    refused.push(self.out_of_sight(&intent, failure));
                    continue;
                }
            };
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
        if refused.has_errors() { Err(refused.into()) } else { Ok(absent) }
    }

    /// AWS does not let us look for what an interrupted creation may have made: whether it exists is not known.
    fn out_of_sight(&self, intent: &Intent, failure: Failure) -> Diagnostic {
        let Intent { address, region, .. } = intent;
        let Failure { operation, code, message, .. } = failure.redacted(&self.stack.redactor());
        let said: Vec<String> = [Some(operation), code, Some(message)].into_iter().flatten().filter(|part| !part.is_empty()).collect();
        let error = format!("{address} may exist in {region}: its creation was interrupted, and AWS refuses to look for it");
        let block = self.stack.config.resources.get(&address.block);
        let error = block.map_or_else(
            || Diagnostic::general(Code::Unresolved, &error),
            |block| Diagnostic::error(Code::Unresolved, &block.span, &error),
        );
        error
            .label(said.join(": "))
            .help(format!("let these credentials look there; leoctl then goes on with {address} by itself"))
            .help(format!("`leoctl state rm '{address}'` forgets that it may exist: what was made of it, if anything, stays in AWS"))
    }
}

/// Whether a search may succeed when it is made again, so that nothing has to be forgotten.
fn may_pass(kind: FailureKind) -> bool {
    match kind {
        FailureKind::Transient | FailureKind::Ambiguous | FailureKind::Credentials | FailureKind::Interrupted => true,
        FailureKind::NotFound
        | FailureKind::AlreadyExists
        | FailureKind::Denied
        | FailureKind::Lost
        | FailureKind::Unrecorded
        | FailureKind::Refused
        | FailureKind::Invalid
        | FailureKind::Other => false,
    }
}
