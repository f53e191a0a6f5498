//! Looking at the world, and the plan that comes of it. Everything that does not wait for something else is asked at once.
//!
//! A plan is made in stages over one [`Ledger`], each seeing what the one before has recorded:
//!
//! 1. [`normal`]: what an older leoctl has remembered otherwise than this one does is brought into its form.
//! 2. [`live`]: every remembered resource is read, once it is known which [`accounts`] the stack file means.
//! 3. [`recover`]: what an unfinished apply may have created without learning its id is looked for.
//! 4. [`moves`]: `[[moved]]` blocks.
//! 5. [`successors`]: newer revisions that another tool has made.
//! 6. [`pins`]: what a command sets otherwise than the stack file says.
//! 7. [`data`]: data sources.
//! 8. [`governors`]: who has chosen what the plan would undo.
//! 9. [`adopt`]: what stands where something is to be created; an address is searched again only when more is known of it.
//!    What takes no tags is ours where what it hangs on is ([`hanging`]).
//! 10. [`keys`]: whose the aliases are that are written for KMS keys.

mod accounts;
mod adopt;
mod data;
pub mod find;
mod governors;
mod hanging;
mod keys;
mod live;
mod moves;
mod normal;
mod pins;
mod recover;
mod successors;

use self::adopt::{replaced_as_found, standing_again};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::EngineError;
use super::ports::{Provider, Wanted};
use crate::model::address::Address;
use crate::model::journal::{Ledger, Record};
use crate::model::place::{Place, Scope, Site};
use crate::model::schema::Catalog;
use crate::model::state::State;
use crate::model::value::Value;
use crate::plan::build::{self, Draft, Found, Live, World};
use crate::plan::desired::Governor;
use crate::plan::preflight::Preflight;
use crate::plan::select::Options;
use crate::plan::state_change::StateChange;
use crate::plan::types::{Action, Plan};
use crate::stack::Stack;
use crate::stack::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::stack::scope::Identity;

/// A plan, and the state it was made from.
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// The state, with what making the plan has found out of it: recorded first when the plan is applied.
    pub ledger: Ledger,
    /// What would make applying it fail; empty where nobody asked.
    pub preflight: Preflight,
}

impl Planned {
    /// Whether applying it would do anything: also write down what nobody would apply a stack for, such as what every plan
    /// finds out again.
    pub fn has_work(&self) -> bool {
        let remembers = self.plan.changes.iter().any(|change| !change.state_only.is_empty());
        self.plan.has_changes() || remembers || self.ledger.has_unwritten()
    }
}

/// Makes a plan from a stack, its state and AWS.
pub struct Planner<'a> {
    /// AWS.
    pub provider: &'a dyn Provider,
    /// The schemas.
    pub catalog: &'a Catalog,
    /// The stack.
    pub stack: &'a Arc<Stack>,
    /// Whether live resources are read.
    pub refresh: bool,
    /// What the user asked for.
    pub options: &'a Options,
}

/// What AWS said of remembered resources, by place.
type LiveByPlace = BTreeMap<Place, Live>;

/// Who chooses something of resources for the sake of what the state does not know, by place.
type GovernorsByPlace = BTreeMap<Place, Vec<Governor>>;

/// A resource that is looked for, and how.
struct Search<'a> {
    address: &'a Address,
    site: &'a Site,
    token: Option<&'a str>,
    desired: &'a Value,
}

impl Planner<'_> {
    /// Reads what has to be read and plans. `fresh` makes the state of a stack never applied.
    ///
    /// # Errors
    /// When AWS or the stack does not allow a plan.
    pub async fn plan(&self, loaded: Option<State>, fresh: impl FnOnce(&Identity) -> State) -> Result<Planned, EngineError> {
        // What AWS says of a failure quotes what it was given.
        let disclosed = loaded.as_ref().map(|state| self.stack.disclosed(state)).unwrap_or_default();
        self.planned(loaded, fresh).await.map_err(|error| error.redacted(&self.stack.redactor().and(disclosed)))
    }

    async fn planned(&self, loaded: Option<State>, fresh: impl FnOnce(&Identity) -> State) -> Result<Planned, EngineError> {
        let loaded = loaded.map(|state| self.normal(state));
        let remembered = loaded.as_ref().map(Ledger::state);
        let (identity, mut live) = self.looked_at(remembered).await?;
        let mut ledger = loaded.unwrap_or_else(|| self.ledger(fresh(&identity)));
        same_place(self.stack, &identity, ledger.state())?;
        let searched = self.recover(&mut ledger, &mut live).await?;
        self.moves(&mut ledger, &searched)?;
        self.successors(&mut ledger, &mut live).await?;
        self.pin(&mut ledger);
        let data = if self.options.destroy { BTreeMap::new() } else { self.data(&identity, ledger.state(), &live).await? };
        let (mut found, mut elsewhere) = (BTreeMap::new(), GovernorsByPlace::new());
        let mut draft = self.adopting(&identity, ledger.state(), &live, &data, &mut found, &mut elsewhere).await?;
        let mut standing = BTreeSet::new();
        loop {
            let again = standing_again(&draft.plan, ledger.state());
            if !again.is_empty() {
                again.into_iter().for_each(|record| ledger.record(record));
                draft = self.adopting(&identity, ledger.state(), &live, &data, &mut found, &mut elsewhere).await?;
            }
            let mut own = replaced_as_found(&draft.plan, ledger.state(), &found);
            if self.refresh {
                own.extend(self.in_the_way(&draft.plan, ledger.state(), &live).await?);
            }
            // Each is remembered from now on: no place is found twice, so that this ends.
            own.retain(|(_, found)| standing.insert(found.place.clone()));
            if own.is_empty() {
                break;
            }
            for (change, own) in own {
                let record = self.own(change, &own, ledger.state());
                live.insert(own.place.clone(), Live::Present(own.attributes.clone()));
                if matches!(record, Record::Saved { .. }) {
                    // Whose it may be is said of it, though it is remembered from now on.
                    found.insert(change.address.clone(), own);
                }
                ledger.record(record);
            }
            draft = self.adopting(&identity, ledger.state(), &live, &data, &mut found, &mut elsewhere).await?;
        }
        let aliases = if self.refresh { std::mem::take(&mut draft.aliases) } else { Vec::new() };
        let mut plan = draft.judged()?;
        plan.warnings.extend(self.moved(&aliases).await);
        plan.warnings.extend(accounts::same(&identity));
        accounts::remember(&identity, &mut ledger);
        self.close_intents(&plan, &searched, &mut ledger);
        pins::release(&plan, &mut ledger);
        plan.state_changes.splice(..0, StateChange::recorded(&ledger));
        self.taken_along(&plan, &found, &mut ledger);
        Ok(Planned { plan, ledger, preflight: Preflight::default() })
    }

    /// The ledger of a state, without what has become sensitive since that was written.
    fn ledger(&self, mut state: State) -> Ledger {
        match self.stack.hide_in(&mut state, self.catalog) {
            true => Ledger::cleaned(state),
            false => Ledger::new(state),
        }
    }

    /// Plans, looks for what is to be created and for who governs what would be undone, and plans again with what was found. What is found makes more known of
    /// what stands on it, which can then be looked for in turn: every round but the last finds another address, so that this
    /// ends. A refusal counts only when there is nothing more to be found: what is missing now may be the reason for it.
    async fn adopting(
        &self,
        identity: &Identity,
        state: &State,
        live: &LiveByPlace,
        data: &BTreeMap<crate::model::address::Block, Value>,
        found: &mut BTreeMap<Address, Found>,
        elsewhere: &mut GovernorsByPlace,
    ) -> Result<Draft, EngineError> {
        let mut searched = BTreeMap::new();
        loop {
            let world = World { identity, state, live, data, found, elsewhere };
            let draft = build::draft(self.stack, self.catalog, world, self.options)?;
            if !self.refresh {
                return Ok(draft);
            }
            let more = self.found(&draft.plan, state, live, &mut searched, found).await?;
            let governors = self.undone(&draft.plan, elsewhere).await?;
            if more.is_empty() && governors.is_empty() {
                return Ok(draft);
            }
            found.extend(more);
            self.hanging(&draft.plan, found);
            elsewhere.extend(governors);
        }
    }

    /// Closes the intents of creations that nobody wants any more, and whose resource was looked for and is not there.
    fn close_intents(&self, plan: &Plan, searched: &BTreeSet<String>, ledger: &mut Ledger) {
        if !self.options.targets.is_empty() || !self.options.excludes.is_empty() {
            return;
        }
        let wanted = |address: &Address, site: &Site| {
            plan.change(address).is_some_and(|change| matches!(change.action, Action::Create | Action::Replace) && change.site() == *site)
        };
        let over: Vec<Record> = ledger
            .state()
            .open
            .iter()
            .filter(|intent| searched.contains(&intent.token) && !wanted(&intent.address, &intent.site()))
            .map(|intent| Record::Refused { address: intent.address.clone(), token: intent.token.clone() })
            .collect();
        over.into_iter().for_each(|record| ledger.record(record));
    }

    fn scope(&self, type_name: &str) -> Scope {
        self.catalog.resources.get(type_name).map(|schema| schema.scope).unwrap_or_default()
    }

    /// What `find` is told of a resource. What is gone from AWS is not among what is known: it may have been made again.
    fn wanted(&self, state: &State, live: &LiveByPlace, search: &Search<'_>) -> Wanted {
        let known = state.all().map(|(_, known)| &known.place);
        let type_name = search.address.type_name();
        let known = known.filter(|place| place.type_name == type_name && live.get(place).and_then(Live::loss).is_none());
        Wanted {
            address: search.address.clone(),
            stack: self.stack.name.clone(),
            account: search.site.account.clone(),
            region: self.scope(type_name).region(&search.site.region, &state.region).to_owned(),
            token: search.token.map(str::to_owned),
            desired: search.desired.clone(),
            known: known.cloned().collect(),
        }
    }
}

/// What is to be done about a state of another account, region or stack.
pub(super) const OURS: &str = "use the credentials, region and stack file the state was made with, or another stack name";

/// That a state is of another account, region or stack.
pub(super) fn foreign(what: &str, there: &str, here: &str) -> String {
    format!("the state belongs to {what} {there}, but this is {what} {here}")
}

/// A state of another account, region or stack is never touched.
fn same_place(stack: &Stack, identity: &Identity, state: &State) -> Result<(), EngineError> {
    let mismatch = |what: &str, there: &str, here: &str| {
        Err(Diagnostics::from(vec![Diagnostic::general(Code::ForeignState, foreign(what, there, here)).help(OURS)]).into())
    };
    if state.account_id != identity.account_id {
        return mismatch("account", &state.account_id, &identity.account_id);
    }
    if state.region != identity.region {
        return mismatch("region", &state.region, &identity.region);
    }
    if state.stack != stack.name {
        return mismatch("stack", &state.stack, &stack.name);
    }
    Ok(())
}
