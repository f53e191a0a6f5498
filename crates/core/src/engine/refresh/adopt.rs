//! What stands already where the plan would create something.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::find::find;
use super::{LiveByPlace, Planner, Search};
use crate::engine::EngineError;
use crate::engine::ports::FailureKind;
use crate::model::address::{Address, Block};
use crate::model::state::State;
use crate::model::value::Value;
use crate::plan::build::{self, Found};
use crate::plan::types::{Action, Plan};
use crate::stack::check::failed;
use crate::stack::config::Import;
use crate::stack::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::stack::scope::{BlockValue, StackScope};

static NO_RESOURCES: BTreeMap<Block, BlockValue> = BTreeMap::new();

impl Planner<'_> {
    /// Looks for everything that is to be created and has not been looked for with what is known of it now.
    pub(super) async fn found(
        &self,
        plan: &Plan,
        state: &State,
        live: &LiveByPlace,
        searched: &mut BTreeMap<Address, Value>,
        known: &BTreeMap<Address, Found>,
    ) -> Result<BTreeMap<Address, Found>, EngineError> {
        let imports = self.imports(plan)?;
        let created = plan.changes.iter().filter(|change| change.action == Action::Create);
        let created = created.filter(|change| !known.contains_key(&change.address));
        // What was looked for before more of it was known may be found by that.
        let new: Vec<_> = created
            .filter(|change| searched.insert(change.address.clone(), change.after.clone()).as_ref() != Some(&change.after))
            .collect();
        let searches = new.into_iter().map(|change| {
            let import = imports.get(&change.address);
            async move {
                let handler = self.provider.handler(change.address.type_name())?;
                let search = Search { address: &change.address, region: &change.region, token: None, desired: &change.after };
                let wanted = self.wanted(state, live, &search);
                Some((&change.address, find(handler.as_ref(), &wanted, import.map(|(id, _)| id.as_str())).await))
            }
        });
        let mut found = BTreeMap::new();
        let mut diagnostics = Diagnostics::default();
        for (address, outcome) in join_all(searches).await.into_iter().flatten() {
            let outcome = match outcome {
                Err(failure) if failure.kind == FailureKind::AlreadyExists => {
                    diagnostics.push(build::taken(self.stack, address, &failure.message));
                    continue;
                }
                outcome => outcome.map_err(|failure| EngineError::aws(format!("looking for an existing {address}"), failure))?,
            };
            match (outcome, imports.get(address)) {
                (Some(existing), _) => drop(found.insert(address.clone(), existing)),
                (None, Some((id, written))) => {
                    let missing = format!("{address} cannot be imported: there is no {} {id}", address.type_name());
                    diagnostics.push(match written {
                        Some(written) => Diagnostic::error(written, missing).help("correct it, or remove the block to create the resource"),
                        None => Diagnostic::general(missing).help("the reference of the type says what its ids are"),
                    });
                }
                (None, None) => {}
            }
        }
        if diagnostics.has_errors() {
            return Err(diagnostics.into());
        }
        Ok(found)
    }

    /// Whether a resource of this type is told by its name.
    fn has_name(&self, type_name: &str) -> bool {
        self.catalog.resources.get(type_name).is_some_and(|schema| !schema.unique.is_empty())
    }

    /// The ids that `[[import]]` blocks name, and where; nowhere for what `leoctl import` was given.
    fn imports(&self, plan: &Plan) -> Result<BTreeMap<Address, (String, Option<&Span>)>, EngineError> {
        let scope = StackScope::new(self.stack, Some(&plan.identity), &plan.data, &NO_RESOURCES);
        let mut imports = BTreeMap::new();
        for Import { to: address, id: template } in &self.stack.config.imports {
            let id = template.eval(&scope).map_err(|failure| Diagnostics(vec![failed(failure)]))?;
            let written = (template.span != Span::default()).then_some(&template.span);
            imports.insert(address.clone(), (id.as_str().unwrap_or_default().to_owned(), written));
        }
        Ok(imports)
    }

    /// What stands where a replacement is to be made first: AWS would refuse it, or worse, hand it over. What is the address's
    /// own stands for it from now on: a successor that an older state does not know, and a predecessor that is still to be
    /// deleted when the stack file goes back to its name.
    ///
    /// # Errors
    /// When what stands there is somebody else's.
    pub(super) async fn in_the_way(&self, plan: &Plan, state: &State, live: &LiveByPlace) -> Result<Vec<(Address, Found)>, EngineError> {
        let replaced = plan.changes.iter().filter(|change| change.action == Action::Replace && change.create_before_destroy);
        let searches = replaced.map(|change| async move {
            let handler = self.provider.handler(change.address.type_name())?;
            let search = Search { address: &change.address, region: &change.region, token: None, desired: &change.after };
            let mut wanted = self.wanted(state, live, &search);
            let own = state.resources.get(&change.address).map(|known| known.deposed.as_slice()).unwrap_or_default();
            if self.has_name(change.address.type_name()) {
                wanted.known.retain(|place| !own.iter().any(|deposed| deposed.place == *place));
            }
            Some((change, find(handler.as_ref(), &wanted, None).await))
        });
        let mut diagnostics = Diagnostics::default();
        let mut successors = Vec::new();
        for (change, outcome) in join_all(searches).await.into_iter().flatten() {
            let doing = || format!("looking for what is in the way of {}", change.address);
            if let Some(found) = outcome.map_err(|failure| EngineError::aws(doing(), failure))? {
                let deposed = state.resources.get(&change.address).map(|known| known.deposed.as_slice()).unwrap_or_default();
                // What has no tags to be told by is known by having been remembered.
                if found.ours || deposed.iter().any(|deposed| deposed.place == found.place) {
                    successors.push((change.address.clone(), found));
                    continue;
                }
                let error = format!("{} cannot be replaced: {} exists already", change.address, found.place.id);
                let block = self.stack.config.resources.get(&change.address.block);
                let error = block.map_or_else(|| Diagnostic::general(&error), |block| Diagnostic::error(&block.span, &error));
                diagnostics.push(error.label(build::owned_by(&found)).help("choose another name, or delete that one first"));
            }
        }
        if diagnostics.has_errors() { Err(diagnostics.into()) } else { Ok(successors) }
    }
}
