//! The accounts that a plan is about: which they are is asked before anything is read in them.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{join_all, try_join_all};

use super::{LiveByPlace, Planner, same_place};
use crate::engine::EngineError;
use crate::model::address::Address;
use crate::model::journal::{Ledger, Record};
use crate::model::place::Site;
use crate::model::state::State;
use crate::stack::accounts;
use crate::stack::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::stack::scope::Identity;

impl Planner<'_> {
    /// Who and where we are, and what there is of what is remembered. In the stack's own account both are asked at once.
    pub(super) async fn looked_at(&self, state: Option<&State>) -> Result<(Identity, LiveByPlace), EngineError> {
        let asking = |failure| EngineError::aws("asking AWS who we are", failure);
        let names = self.accounts_needed(state);
        let own_only = state.is_none_or(|state| state.accounts().all(|(_, account)| account == state.account_id));
        if names.is_empty() && own_only {
            let (identity, live) = tokio::join!(self.provider.identity(self.stack.region.as_deref()), self.live(state));
            return Ok((identity.map_err(asking)?, live?));
        }
        let (identity, named) = tokio::join!(self.provider.identity(self.stack.region.as_deref()), self.asked(&names));
        let mut identity = identity.map_err(asking)?;
        self.name(&mut identity, named?)?;
        let is_reached = |identity: &Identity, state: &State| state.accounts().all(|(_, account)| identity.reaches(account));
        if state.is_some_and(|state| !is_reached(&identity, state)) {
            // A name may lead elsewhere by now, and another to what it was. Those that lead nowhere are not needed.
            let others = self.stack.config.accounts.keys().filter(|name| !names.contains(*name)).cloned();
            let others = join_all(others.map(async |name| Some((name.clone(), self.provider.account(&name).await.ok()?)))).await;
            self.name(&mut identity, others.into_iter().flatten().collect())?;
        }
        if let Some(state) = state {
            same_place(self.stack, &identity, state)?;
            reachable(&identity, state)?;
        }
        let live = self.live(state).await?;
        Ok((identity, live))
    }

    /// The accounts that these names lead to, all asked for at once.
    async fn asked(&self, names: &BTreeSet<String>) -> Result<Vec<(String, String)>, EngineError> {
        let asked = names.iter().map(async |name| match self.provider.account(name).await {
            Ok(account) => Ok((name.clone(), account)),
            Err(failure) => Err(EngineError::aws(format!("asking AWS which account accounts.{name} is"), failure)),
        });
        try_join_all(asked).await
    }

    /// Adds what names lead to.
    fn name(&self, identity: &mut Identity, named: Vec<(String, String)>) -> Result<(), EngineError> {
        let said = accounts::accounts(self.stack)?;
        for (name, account) in named {
            let region = said.named.get(&name).and_then(|access| access.region.clone());
            let site = Site { account, region: region.unwrap_or_else(|| identity.region.clone()) };
            identity.accounts.insert(name, site);
        }
        Ok(())
    }

    /// The names of the accounts that the plan needs: those that blocks name, and those that something is remembered in.
    fn accounts_needed(&self, state: Option<&State>) -> BTreeSet<String> {
        let declared = |name: &&String| self.stack.config.accounts.contains_key(*name);
        let mut names = if self.options.destroy { BTreeSet::new() } else { accounts::used(self.stack) };
        names.retain(|name| declared(&name));
        for account in state.into_iter().flat_map(State::accounts).map(|(_, account)| account) {
            let known = state.into_iter().flat_map(|state| &state.named_accounts).filter(|(_, id)| *id == account);
            let known: Vec<&String> = known.map(|(name, _)| name).filter(declared).collect();
            if !known.iter().any(|name| names.contains(*name)) {
                names.extend(known.first().map(|name| (*name).clone()));
            }
        }
        names
    }
}

/// Whether the stack file says how to reach every account that something is remembered in.
fn reachable(identity: &Identity, state: &State) -> Result<(), EngineError> {
    let mut lost: BTreeMap<&str, Vec<&Address>> = BTreeMap::new();
    for (address, account) in state.accounts().filter(|(_, account)| !identity.reaches(account)) {
        lost.entry(account).or_default().push(address);
    }
    let problems: Vec<Diagnostic> =
        lost.into_iter().map(|(account, addresses)| unreachable(identity, state, account, &addresses)).collect();
    if problems.is_empty() { Ok(()) } else { Err(Diagnostics::from(problems).into()) }
}

fn unreachable(identity: &Identity, state: &State, account: &str, addresses: &[&Address]) -> Diagnostic {
    let Some(first) = addresses.first() else {
        return Diagnostic::general(Code::BadAccount, format!("nothing leads to account {account}"));
    };
    let what = match addresses.len() {
        1 => format!("{first} is"),
        count => format!("{first} and {} more are", count - 1),
    };
    let role = format!("role_arn = \"arn:{}:iam::{account}:role/NAME\"", identity.partition);
    let named = state.named_accounts.iter().find(|(_, id)| *id == account).map(|(name, _)| name);
    let changed = named.and_then(|name| Some((name, identity.accounts.get(name)?)));
    let error = match changed {
        Some((name, now)) => Diagnostic::general(Code::BadAccount, format!("accounts.{name} is account {} now, and {what} in account {account}", now.account))
            .help(format!("let it lead to account {account} again; for the resources to move, give the new account another name and keep both until they have")),
        None => {
            let name = named.map_or("NAME", String::as_str);
            Diagnostic::general(Code::BadAccount, format!("{what} in account {account}, and no account of the stack file is that one"))
                .help(format!("write [accounts.{name}] with {role}: what is there is then read, and deleted if the stack file does not want it"))
        }
    };
    error.help(format!("`leoctl state rm '{first}'` forgets it, and leaves it in AWS"))
}

/// What is to be known of several names of one account: only one of them says how calls get there.
pub(super) fn same(identity: &Identity) -> Vec<String> {
    let mut names: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, site) in &identity.accounts {
        names.entry(&site.account).or_default().push(name);
    }
    let several = names.into_iter().filter_map(|(account, names)| {
        let all: Vec<String> = names.iter().map(|name| format!("accounts.{name}")).collect();
        match (account == identity.account_id, all.as_slice()) {
            (true, _) => {
                Some(format!("{} is account {account}, the stack's own: the stack's credentials are used there", all.join(" and ")))
            }
            (false, [first, _, ..]) => {
                Some(format!("{} are one account, {account}: the credentials of {first} are used there", all.join(" and ")))
            }
            (false, _) => None,
        }
    });
    several.collect()
}

/// Remembers which account each name leads to. What nothing needs any more stays: it may be named again.
pub(super) fn remember(identity: &Identity, ledger: &mut Ledger) {
    let mut accounts = ledger.state().named_accounts.clone();
    accounts.extend(identity.accounts.iter().map(|(name, site)| (name.clone(), site.account.clone())));
    if accounts != ledger.state().named_accounts {
        ledger.record(Record::Accounts { accounts });
    }
}
