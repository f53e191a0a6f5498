//! Operating what a stack has made: what a command is about is found from the stack's state, never typed.

pub mod exec;
pub mod exec_status;
pub mod iam_policy;
pub mod image;
pub mod kind;
pub mod logs;
pub mod placement;
pub mod pty;
pub mod release;
pub mod repository;
pub mod run;
pub mod scale;
pub mod secrets;
pub mod service;
pub mod stats;
pub mod status;
pub mod task;
pub mod task_definition;
pub mod word;

use std::sync::Arc;

use futures_util::future::join_all;

use kind::Kind;
use leoctl_aws::client::Aws;
use leoctl_aws::registry::AwsProvider;
use leoctl_core::engine::ports::{Outcome, Provider};
use leoctl_core::model::address::Address;
use leoctl_core::model::state::{Remembered, State};

/// A stack that has been applied, and AWS where it is.
pub struct Deployed<'a> {
    /// What the stack has made.
    pub state: &'a State,
    /// AWS.
    pub provider: &'a AwsProvider,
}

impl<'a> Deployed<'a> {
    /// The resources of a kind that the stack has now: what can be named, and changed.
    pub fn current(&self, kind: Kind) -> impl Iterator<Item = (&'a Address, &'a Remembered)> + use<'a> {
        self.state.currents().filter(move |(address, _)| kind.has(address))
    }

    /// Those of a kind that may be in AWS, each address with its current one first: the predecessors too that a replacement
    /// has left to be deleted. These may still run, be used by what runs, and be what AWS speaks of.
    pub fn there(&self, kind: Kind) -> impl Iterator<Item = (&'a Address, &'a Remembered)> + use<'a> {
        self.state.all().filter(move |(address, _)| kind.has(address))
    }

    /// The clients of a resource's account and region.
    ///
    /// # Errors
    /// When nothing leads to that account any more.
    pub fn aws(&self, resource: &Remembered) -> Outcome<Arc<Aws>> {
        self.provider.at(&resource.place.site())
    }

    /// Whether these credentials are those of the stack's account; the account they are of when not.
    ///
    /// # Errors
    /// When AWS does not say.
    pub async fn stranger(&self) -> Outcome<Option<String>> {
        let is_used = |account: &str| self.state.accounts().any(|(_, of)| of == account);
        let named = self.state.named_accounts.iter().filter(|(_, account)| is_used(account));
        let named = join_all(named.map(|(name, account)| self.provider.expect(name, account)));
        let (identity, _) = tokio::join!(self.provider.identity(Some(&self.state.region)), named);
        let identity = identity?;
        Ok((identity.account_id != self.state.account_id).then_some(identity.account_id))
    }
}

/// Why what a person asked for makes no sense, and what would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Why not.
    pub message: String,
    /// What would.
    pub help: String,
}

impl Problem {
    /// A problem, and what to do about it.
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}
