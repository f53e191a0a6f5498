//! What stands already where the plan would create something.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::find::find;
use super::{LiveByPlace, Planner, Search};
use crate::engine::EngineError;
use crate::engine::ports::FailureKind;
use crate::model::address::{Address, Block};
use crate::model::canonical::canonicalize;
use crate::model::journal::Record;
use crate::model::secrecy::conceal;
use crate::model::state::{Remembered, State};
use crate::model::value::Value;
use crate::plan::build::{self, Found};
use crate::plan::types::{Action, Change, Plan};
use crate::stack::check::failed;
use crate::stack::config::Import;
use crate::stack::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::stack::scope::{BlockValue, StackScope};

static NO_RESOURCES: BTreeMap<Block, BlockValue> = BTreeMap::new();

impl Planner<'_> {
    /// Looks for everything that is to be created, or to take the place of another, and has not been looked for with what is known of it now.
    pub(super) async fn found(
        &self,
        plan: &Plan,
        state: &State,
        live: &LiveByPlace,
        searched: &mut BTreeMap<Address, Value>,
        known: &BTreeMap<Address, Found>,
    ) -> Result<BTreeMap<Address, Found>, EngineError> {
        let imports = self.imports(plan)?;
        let created = plan.changes.iter().filter(|change| match change.action {
            Action::Create => true,
            Action::Update => self.joint(change).is_some_and(|joint| build::takes(change, joint)),
            _ => false,
        });
        let created = created.filter(|change| !known.contains_key(&change.address));
        // What was looked for before more of it was known may be found by that.
        let new: Vec<_> = created
            .filter(|change| searched.insert(change.address.clone(), change.after.clone()).as_ref() != Some(&change.after))
            .collect();
        let searches = new.into_iter().map(|change| {
            let import = imports.get(&change.address);
            async move {
                let handler = self.provider.handler(change.address.type_name())?;
                let search = Search { address: &change.address, site: &change.site(), token: None, desired: &change.after };
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
                        Some(written) => Diagnostic::error(Code::WrongImport, written, missing)
                            .help("correct it, or remove the block to create the resource"),
                        None => Diagnostic::general(Code::WrongImport, missing).help("the reference of the type says what its ids are"),
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

    /// The attribute that the type of a resource changes jointly.
    fn joint(&self, change: &Change) -> Option<&'static str> {
        self.catalog.resources.get(change.address.type_name())?.joint
    }

    /// Whether a resource of this type is told by its name.
    fn has_name(&self, type_name: &str) -> bool {
        self.catalog.resources.get(type_name).is_some_and(|schema| !schema.unique.is_empty())
    }

    /// The ids that `[[import]]` blocks name, and where; nowhere for what `leoctl import` was given.
    fn imports(&self, plan: &Plan) -> Result<BTreeMap<Address, (String, Option<&Span>)>, EngineError> {
        let scope = StackScope::new(self.stack, Some(&plan.identity), &plan.data, &NO_RESOURCES);
        let mut imports = BTreeMap::new();
        for Import { to: address, id: template, .. } in &self.stack.config.imports {
            let id = template.eval(&scope).map_err(|failure| Diagnostics::from(vec![failed(failure)]))?;
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
    pub(super) async fn in_the_way<'p>(
        &self,
        plan: &'p Plan,
        state: &State,
        live: &LiveByPlace,
    ) -> Result<Vec<(&'p Change, Found)>, EngineError> {
        let is_in_the_way = |change: &&Change| match change.action {
            Action::Replace => change.create_before_destroy,
            // Anything but a predecessor has been looked for.
            Action::Create => !state.deposed(&change.address).is_empty(),
            Action::Update | Action::Delete | Action::Import | Action::Forget | Action::NoOp => false,
        };
        let replaced = plan.changes.iter().filter(is_in_the_way);
        let searches = replaced.map(|change| async move {
            let handler = self.provider.handler(change.address.type_name())?;
            let search = Search { address: &change.address, site: &change.site(), token: None, desired: &change.after };
            let mut wanted = self.wanted(state, live, &search);
            let own = state.deposed(&change.address);
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
                // What has no tags to be told by is known by having been remembered.
                if found.ours || state.deposed(&change.address).iter().any(|deposed| deposed.place == found.place) {
                    successors.push((change, found));
                    continue;
                }
                let error = format!("{} cannot be replaced: {} exists already", change.address, found.place.id);
                let error = build::at_block(self.stack, &change.address, Code::AlreadyExists, &error);
                diagnostics.push(error.label(build::owned_by(&found)).help("choose another name, or delete that one first"));
            }
        }
        if diagnostics.has_errors() { Err(diagnostics.into()) } else { Ok(successors) }
    }

    /// Remembers what is found to be an address's own: a predecessor as what it was, anything else as if it had been made
    /// from what its block says now.
    pub(super) fn own(&self, change: &Change, found: &Found, state: &State) -> Record {
        if state.deposed(&change.address).iter().any(|deposed| deposed.place == found.place) {
            return Record::Restored { address: change.address.clone(), place: found.place.clone() };
        }
        let schema = self.catalog.resources.get(change.address.type_name());
        let attributes = schema.map(|schema| schema.schema.attributes.as_slice()).unwrap_or_default();
        let live = conceal(attributes, &canonicalize(attributes, &found.attributes), &change.sensitive);
        let remembered = Remembered {
            place: found.place.clone(),
            attributes: live.to_public_json(&|secret| state.digest(secret)),
            authored: Vec::new(),
            sensitive: change.sensitive.clone(),
            depends_on: change.depends_on.clone(),
            guard: change.guard,
            incomplete: true,
            updating: Vec::new(),
        };
        Record::Saved { address: change.address.clone(), remembered }
    }
}

/// The predecessors that the plan lets stand for their addresses again.
pub(super) fn standing_again(plan: &Plan, state: &State) -> Vec<Record> {
    let standing = plan.changes.iter().filter_map(|change| Some((&change.address, change.place.as_ref()?, change.action)));
    let again = standing.filter(|(address, place, action)| {
        !matches!(action, Action::Delete | Action::Forget) && state.deposed(address).iter().any(|deposed| deposed.place == **place)
    });
    again.map(|(address, place, _)| Record::Restored { address: address.clone(), place: place.clone() }).collect()
}

/// What has our tags and was not remembered, but cannot become what is wanted: it is remembered first, and then replaced like
/// anything else.
pub(super) fn replaced_as_found<'p>(plan: &'p Plan, state: &State, found: &BTreeMap<Address, Found>) -> Vec<(&'p Change, Found)> {
    let replaced = plan.changes.iter().filter(|change| change.action == Action::Replace);
    let found = replaced.filter_map(|change| Some((change, found.get(&change.address)?.clone())));
    found
        .filter(|(change, found)| change.place.as_ref() == Some(&found.place) && state.addresses_of(&found.place).next().is_none())
        .collect()
}
