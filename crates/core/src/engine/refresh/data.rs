//! Reading data sources.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use super::{LiveByPlace, Planner};
use crate::engine::EngineError;
use crate::engine::values::set_instance;
use crate::model::address::Block;
use crate::model::canonical::canonicalize;
use crate::model::secrecy::conceal;
use crate::model::state::State;
use crate::model::value::Value;
use crate::plan::build::Live;
use crate::stack::check::failed;
use crate::stack::diagnostic::{Diagnostic, Diagnostics};
use crate::stack::scope::{BlockValue, Identity, StackScope};

impl Planner<'_> {
    /// Reads the data sources whose arguments are known, in as many rounds as they depend on each other.
    pub(super) async fn data(&self, identity: &Identity, state: &State, live: &LiveByPlace) -> Result<BTreeMap<Block, Value>, EngineError> {
        let resources = self.live_values(state, live);
        let mut data = BTreeMap::new();
        let mut tried = BTreeSet::new();
        loop {
            let scope = StackScope::new(self.stack, Some(identity), &data, &resources);
            let mut reads = Vec::new();
            for (block, config) in self.stack.config.data.iter().filter(|(block, _)| !tried.contains(*block)) {
                let arguments = config.attributes.eval(&scope).map_err(|failure| Diagnostics(vec![failed(failure)]))?;
                if !arguments.has_unknown() {
                    reads.push((block.clone(), &config.span, canonicalize(&config.schema.attributes, &arguments)));
                }
            }
            drop(scope);
            if reads.is_empty() {
                return Ok(data);
            }
            let answers =
                join_all(reads.iter().map(|(block, _, arguments)| self.provider.read_data(&block.type_name, &identity.region, arguments)))
                    .await;
            let mut diagnostics = Diagnostics::default();
            for ((block, span, _), answer) in reads.into_iter().zip(answers) {
                tried.insert(block.clone());
                match answer {
                    Ok(value) => drop(data.insert(block, value)),
                    Err(failure) if failure.operation.is_empty() => {
                        diagnostics.push(Diagnostic::error(span, format!("data.{block}: {}", failure.message)));
                    }
                    Err(failure) => return Err(EngineError::aws(format!("reading data.{block}"), failure)),
                }
            }
            if diagnostics.has_errors() {
                return Err(diagnostics.into());
            }
        }
    }

    /// The live resources as expressions see them.
    fn live_values(&self, state: &State, live: &LiveByPlace) -> BTreeMap<Block, BlockValue> {
        let mut values = BTreeMap::new();
        for (address, saved) in state.currents() {
            let Some(schema) = self.catalog.resources.get(address.type_name()) else { continue };
            let attributes = &schema.schema.attributes;
            let value = match live.get(&saved.place) {
                Some(Live::Present(value)) => value.clone(),
                Some(Live::Gone) => continue,
                None => Value::from(&saved.attributes),
            };
            set_instance(&mut values, address, conceal(attributes, &canonicalize(attributes, &value), &saved.sensitive));
        }
        values
    }
}
