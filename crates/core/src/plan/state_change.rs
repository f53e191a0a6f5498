//! What an apply changes in the state alone. It is as much a part of a plan as what changes in AWS: what is not remembered,
//! such as a guard, does not hold once the block is gone from the stack file.

use std::fmt;

use serde::Serialize;

use super::types::{Action, Change};
use crate::model::address::Address;
use crate::model::journal::{Ledger, Record};

/// One thing that the state says otherwise after an apply, though nothing changes in AWS for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StateChange {
    /// What has become sensitive since the state was written is taken out of it.
    Hidden,
    /// What was remembered under one address is from then on under another.
    Moved {
        /// The old address.
        from: Address,
        /// The new one.
        to: Address,
    },
    /// A creation that was interrupted made nothing, and is not looked for any more.
    Closed {
        /// The resource.
        address: Address,
    },
    /// What a command has set otherwise than the stack file says is set, or released.
    Pinned {
        /// The resource.
        address: Address,
    },
    /// Something else is remembered of a resource that stays as it is.
    Remembered {
        /// The resource.
        address: Address,
        /// What.
        aspects: Vec<Aspect>,
    },
}

/// What is remembered of a resource beside what it is in AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Aspect {
    /// What protects it.
    Guard,
    /// What it is made from, when that is more than is remembered: the order of deletes goes by it.
    Dependencies,
    /// What it is made from, when that is less than is remembered. The order of deletes is right without that.
    FewerDependencies,
    /// Which attributes the stack file sets.
    Authored,
    /// Where secrets stand in it.
    Sensitive,
    /// What changed outside leoctl and is not changed back.
    Drift,
}

impl Aspect {
    /// Whether an apply is wanted for it. Where what is remembered is only more than what is so, everything is done as it
    /// should be without one.
    fn is_wanted(self) -> bool {
        match self {
            Self::Guard | Self::Dependencies | Self::Authored | Self::Sensitive | Self::Drift => true,
            Self::FewerDependencies => false,
        }
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Guard => "what protects it",
            Self::Dependencies | Self::FewerDependencies => "what it depends on",
            Self::Authored => "which attributes the stack file sets",
            Self::Sensitive => "which attributes are sensitive",
            Self::Drift => "what changed outside leoctl",
        })
    }
}

impl fmt::Display for StateChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hidden => write!(f, "what is sensitive now is taken out of the state"),
            Self::Moved { from, to } => write!(f, "{from} becomes {to}"),
            Self::Closed { address } => write!(f, "{address}: its interrupted creation made nothing"),
            Self::Pinned { address } => write!(f, "{address}: what commands have set of it"),
            Self::Remembered { address, aspects } => {
                let aspects: Vec<String> = aspects.iter().map(ToString::to_string).collect();
                write!(f, "{address}: {}", aspects.join(", "))
            }
        }
    }
}

impl StateChange {
    /// What is to be remembered of resources that stay as they are.
    pub(super) fn of_resources(changes: &[Change]) -> Vec<Self> {
        let staying = changes.iter().filter(|change| change.action == Action::NoOp && !change.is_change());
        let wanted = staying.filter(|change| change.state_only.iter().any(|aspect| aspect.is_wanted()));
        let remembered = |change: &Change| Self::Remembered {
            address: change.address.clone(),
            aspects: change.state_only.iter().copied().filter(|aspect| aspect.is_wanted()).collect(),
        };
        wanted.map(remembered).collect()
    }

    /// What making a plan has recorded that an apply is wanted for.
    pub fn recorded(ledger: &Ledger) -> Vec<Self> {
        let hidden = ledger.is_cleaned().then_some(Self::Hidden);
        hidden.into_iter().chain(ledger.records().iter().filter_map(Self::of_record)).collect()
    }

    fn of_record(record: &Record) -> Option<Self> {
        match record {
            Record::Moved { from, to } => Some(Self::Moved { from: from.clone(), to: to.clone() }),
            Record::Refused { address, token: _ } => Some(Self::Closed { address: address.clone() }),
            Record::Pinned { address, pins: _ } => Some(Self::Pinned { address: address.clone() }),
            // What is made of these is a change of its own.
            Record::Created { .. } | Record::Saved { .. } | Record::Restored { .. } => None,
            // Every plan finds these again and goes by them, written down or not: another tool's deployment is no reason to
            // apply a stack, nor is a new form of what an older leoctl wrote.
            Record::Succeeded { .. } | Record::Placed { .. } => None,
            // An apply alone writes these.
            Record::Begin { .. } | Record::Intent(_) | Record::Deleted { .. } | Record::Accounts { .. } => None,
        }
    }
}
