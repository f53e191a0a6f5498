//! Reading data sources.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use super::{LiveByPlace, Planner, same_place};
use crate::engine::EngineError;
use crate::model::address::Block;
use crate::model::state::State;
use crate::model::value::Value;
use crate::plan::build::{self, World};
use crate::stack::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::stack::scope::Identity;

impl Planner<'_> {
    /// Who we are and what data sources say, as a plan would read them. Of resources nothing is read: they are as remembered.
    ///
    /// # Errors
    /// When AWS does not answer, or the state is not of this place.
    pub async fn data_alone(
        &self,
        loaded: Option<State>,
        fresh: impl FnOnce(&Identity) -> State,
    ) -> Result<(Identity, BTreeMap<Block, Value>), EngineError> {
        let disclosed = loaded.as_ref().map(|state| self.stack.disclosed(state)).unwrap_or_default();
        let read = async {
            let loaded = loaded.map(|state| self.normal(state));
            let (identity, _) = self.looked_at(None).await?;
            let ledger = loaded.unwrap_or_else(|| self.ledger(fresh(&identity)));
            same_place(self.stack, &identity, ledger.state())?;
            let data = self.data(&identity, ledger.state(), &LiveByPlace::new()).await?;
            Ok((identity, data))
        };
        read.await.map_err(|error: EngineError| error.redacted(&self.stack.redactor().and(disclosed)))
    }

    /// Reads the data sources whose arguments are known, in as many rounds as they depend on each other.
    pub(super) async fn data(&self, identity: &Identity, state: &State, live: &LiveByPlace) -> Result<BTreeMap<Block, Value>, EngineError> {
        let (found, elsewhere) = (BTreeMap::new(), BTreeMap::new());
        let mut data = BTreeMap::new();
        let secrets = self.stack.redactor();
        let mut tried = BTreeSet::new();
        loop {
            let world = World { identity, state, live, data: &data, found: &found, elsewhere: &elsewhere };
            let mut reads = build::readable(self.stack, self.catalog, world, self.options);
            reads.retain(|(block, ..)| !tried.contains(block));
            if reads.is_empty() {
                return Ok(data);
            }
            let answers =
                join_all(reads.iter().map(|(block, site, arguments)| self.provider.read_data(&block.type_name, site, arguments))).await;
            let mut diagnostics = Diagnostics::default();
            for ((block, ..), answer) in reads.into_iter().zip(answers) {
                tried.insert(block.clone());
                match answer {
                    Ok(value) => drop(data.insert(block, secrets.hidden(value))),
                    Err(failure) if failure.operation.is_empty() => {
                        let span = self.stack.config.data.get(&block).map(|config| config.span.clone()).unwrap_or_default();
                        diagnostics.push(Diagnostic::error(Code::DataNotRead, &span, format!("data.{block}: {}", failure.message)));
                    }
                    Err(failure) => return Err(EngineError::aws(format!("reading data.{block}"), failure)),
                }
            }
            if diagnostics.has_errors() {
                return Err(diagnostics.into());
            }
        }
    }
}
