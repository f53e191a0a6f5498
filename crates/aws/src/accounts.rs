//! The accounts that a stack's calls go to: clients for each, and the credentials of the roles that are assumed there.

mod assume;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::client::{Aws, Clients};
use super::error::OrFail;
use super::profile::UnknownProfile;
use assume::Role;
pub use assume::Unassumed;
use leoctl_core::engine::ports::{Failure, FailureKind, Outcome};
use leoctl_core::model::place::Site;
use leoctl_core::stack::accounts::{self, Access};

/// The clients of a stack's accounts. Which account a name leads to, and so which clients are those of an account, AWS says.
pub struct Accounts {
    /// With the configured credentials.
    configured: Arc<Clients>,
    /// Of the stack's own account.
    own: Arc<Clients>,
    /// How calls reach that.
    access: Access,
    /// The stack, which sessions are named after.
    stack: String,
    /// How calls reach the accounts that the stack file names.
    named: BTreeMap<String, Access>,
    /// The clients of those that were needed so far. Held while one is made, so that each is made once.
    made: tokio::sync::Mutex<BTreeMap<String, Arc<Clients>>>,
    known: Mutex<Known>,
}

/// What AWS has said so far.
#[derive(Default)]
struct Known {
    /// The id of the stack's own account.
    own: Option<String>,
    /// The clients that lead to an account, by its id and the name in the stack file.
    named: BTreeMap<String, BTreeMap<String, Arc<Clients>>>,
    /// Who we are in each account, as an ARN.
    callers: BTreeMap<String, String>,
    /// Whether a role that cannot be assumed says by its ARN which account is meant.
    believes: bool,
    /// Why accounts cannot be reached, by id.
    lost: BTreeMap<String, Failure>,
}

impl Accounts {
    /// The accounts of a stack; the configured credentials are those of `configured`.
    pub fn new(configured: Clients, stack: &str, accounts: accounts::Accounts) -> Self {
        let configured = Arc::new(configured);
        let own = match Role::of(&accounts.own, &configured, stack, None) {
            Some(role) => Arc::new(configured.with_credentials(role, "")),
            None => Arc::clone(&configured),
        };
        let named = accounts.named.into_iter().collect();
        Self {
            configured,
            own,
            access: accounts.own,
            stack: stack.to_owned(),
            named,
            made: tokio::sync::Mutex::default(),
            known: Mutex::default(),
        }
    }

    /// The clients of the stack's own account.
    pub fn own(&self) -> &Arc<Clients> {
        &self.own
    }

    /// The clients of a region of an account.
    ///
    /// # Errors
    /// When nothing that the stack file says leads to the account.
    pub fn at(&self, site: &Site) -> Outcome<Arc<Aws>> {
        let known = self.known();
        let named = known.named.get(&site.account).and_then(|names| names.values().next());
        let clients = match (&known.own, named) {
            (Some(own), _) if *own == site.account => &self.own,
            (_, Some(clients)) => clients,
            // Who we are is asked meanwhile, and a plan for another account is refused then.
            (None, None) => &self.own,
            (Some(_), None) => return Err(known.lost.get(&site.account).cloned().unwrap_or_else(|| unreachable(&site.account))),
        };
        Ok(clients.region(&site.region))
    }

    /// Who we are in an account, as an ARN, once AWS was asked.
    pub fn caller(&self, account: &str) -> Option<String> {
        self.known().callers.get(account).cloned()
    }

    /// Remembers who we are with the stack's own credentials.
    pub(crate) fn is_own(&self, account: &str, caller: &str) {
        let mut known = self.known();
        known.own = Some(account.to_owned());
        known.callers.insert(account.to_owned(), caller.to_owned());
    }

    /// From now on a role that cannot be assumed says by its ARN which account is meant: for who has to know no more of it.
    pub fn believe_arns(&self) {
        self.known().believes = true;
    }

    /// The account in the ARN of a role that cannot be assumed, where that is enough.
    fn believed(&self, access: &Access, failure: &Failure) -> Option<String> {
        let account = accounts::account_of_role(access.role_arn.as_deref()?)?.to_owned();
        let mut known = self.known();
        known.believes.then(|| known.lost.insert(account.clone(), failure.clone()));
        known.believes.then_some(account)
    }

    /// The stack's own account, where its role cannot be assumed and its ARN is enough.
    pub(crate) fn believed_own(&self, failure: &Failure) -> Option<String> {
        self.believed(&self.access, failure)
    }

    /// The account of the configured credentials.
    ///
    /// # Errors
    /// When AWS does not say.
    pub async fn configured(&self) -> Outcome<String> {
        let region = self.configured.default_region().unwrap_or_else(|| "us-east-1".to_owned());
        let found = self.configured.region(&region).sts().get_caller_identity().send().await.or_fail("sts:GetCallerIdentity")?;
        Ok(found.account().unwrap_or_default().to_owned())
    }

    /// Asks which account a name leads to that was this one. Where it is not any more, or cannot be asked, another name may lead
    /// there by now; where none does, that is said to those who need the account, and to nobody else.
    pub async fn expect(&self, name: &str, account: &str) {
        let why = match self.account(name).await {
            Ok(found) if found == account => return,
            Ok(other) => Failure::new(FailureKind::Invalid, format!("accounts.{name} is account {other} now, and was {account}")),
            Err(failure) => failure,
        };
        for other in self.named.keys().filter(|other| *other != name) {
            if self.account(other).await.is_ok_and(|found| found == account) {
                return;
            }
        }
        self.known().lost.insert(account.to_owned(), why);
    }

    /// The account that the stack file names so, as AWS says it.
    ///
    /// # Errors
    /// When there are no credentials for it, or AWS does not answer.
    pub async fn account(&self, name: &str) -> Outcome<String> {
        let clients = self.clients(name).await?;
        let access = self.named.get(name);
        let region = access.and_then(|access| access.region.clone());
        let region = region.or_else(|| clients.default_region()).unwrap_or_else(|| "us-east-1".to_owned());
        let found = match clients.region(&region).sts().get_caller_identity().send().await.or_fail("sts:GetCallerIdentity") {
            Ok(found) => found,
            Err(failure) => return access.and_then(|access| self.believed(access, &failure)).ok_or(failure),
        };
        let account = found.account().unwrap_or_default().to_owned();
        let mut known = self.known();
        if known.own.as_ref() != Some(&account) {
            known.callers.insert(account.clone(), found.arn().unwrap_or_default().to_owned());
        }
        known.named.entry(account.clone()).or_default().insert(name.to_owned(), clients);
        Ok(account)
    }

    /// The clients with the credentials that a name stands for, and those of the names that it is reached from.
    async fn clients(&self, name: &str) -> Outcome<Arc<Clients>> {
        let mut made = self.made.lock().await;
        let mut chain = vec![name];
        while let Some(source) = chain.last().and_then(|last| self.named.get(*last)?.source.as_deref()) {
            if chain.contains(&source) {
                return Err(Failure::new(FailureKind::Invalid, format!("the sources of accounts.{name} are a cycle")));
            }
            chain.push(source);
        }
        let mut clients = Arc::clone(&self.configured);
        for name in chain.into_iter().rev() {
            clients = match made.get(name) {
                Some(known) => Arc::clone(known),
                None => {
                    let new = self.reached_from(&clients, name).await?;
                    made.insert(name.to_owned(), Arc::clone(&new));
                    new
                }
            };
        }
        Ok(clients)
    }

    async fn reached_from(&self, source: &Arc<Clients>, name: &str) -> Outcome<Arc<Clients>> {
        let access = self.named.get(name).ok_or_else(|| Failure::new(FailureKind::Invalid, format!("there is no account `{name}`")))?;
        let source = match &access.profile {
            Some(profile) => Arc::new(source.of_profile(profile, name).await.map_err(|unknown| no_profile(name, &unknown))?),
            None => Arc::clone(source),
        };
        Ok(match Role::of(access, &source, &self.stack, Some(name)) {
            Some(role) => Arc::new(source.with_credentials(role, name)),
            None => source,
        })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unreachable(account: &str) -> Failure {
    Failure::new(
        FailureKind::Invalid,
        format!("nothing in the stack file leads to account {account}: it needs an [accounts.NAME] of its own"),
    )
}

fn no_profile(name: &str, unknown: &UnknownProfile) -> Failure {
    let known = if unknown.known.is_empty() { "there are none".to_owned() } else { format!("there are: {}", unknown.known.join(", ")) };
    Failure::new(FailureKind::Credentials, format!("accounts.{name}: {unknown}; {known}"))
}

#[cfg(test)]
mod tests;
