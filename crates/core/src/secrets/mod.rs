//! The values of a stack's secrets: which variable of an env file is for which, and what a secret is set to.
//!
//! - [`names`]: what a name means, and how to write what is meant.
//! - [`join`]: from the secrets and the variables of env files to what is written where.
//! - [`value`]: from what a secret has and what is written to what it is set to.
//!
//! A value is for a secret only when its name says so without doubt: no value of one secret ever gets into another.

pub mod join;
pub mod names;
#[cfg(test)]
mod tests;
pub mod value;

use std::collections::BTreeSet;
use std::fmt;

use crate::model::address::Address;

/// A secret of the stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// Its address.
    pub address: Address,
    /// Its name in Secrets Manager.
    pub name: String,
    /// Where containers get it.
    pub uses: Vec<Use>,
}

/// An environment variable of a container that comes from a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// Its name.
    pub variable: String,
    /// The key of the secret's JSON object it is at; nothing when it is all of the secret.
    pub key: Option<String>,
    /// The container.
    pub container: String,
    /// What runs the container: services, and last the task definition.
    pub owners: Vec<Owner>,
}

/// What containers get beside the secrets of the stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// Variables with a plain value, from secrets of other stacks, or from parameters.
    pub variables: Vec<Use>,
    /// Containers that may get variables which are not known here.
    pub open: Vec<Open>,
}

/// A container that may get any variable: from environment files, or from what is sensitive in the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The container; nothing where not even the containers of a task definition are known.
    pub container: Option<String>,
    /// What runs it: services, and last the task definition.
    pub owners: Vec<Owner>,
    /// The variables that it is known to get: what else gives these is overruled.
    pub known: BTreeSet<String>,
}

/// A service or a task definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its address.
    pub address: Address,
    /// Its name in ECS.
    pub name: String,
}

/// All of a secret, or one key of the JSON object in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// The secret.
    pub secret: Address,
    /// The key; nothing for all of it.
    pub key: Option<String>,
}

impl fmt::Display for Target {
    /// As a name that always means it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.secret.fmt(f)?;
        self.key.as_deref().map_or(Ok(()), |key| f.write_str(&names::with_key("", key)))
    }
}

impl Secret {
    /// The parts of it that containers get; all of it when they get none.
    pub fn targets(&self) -> Vec<Target> {
        let target = |key: Option<String>| Target { secret: self.address.clone(), key };
        let mut targets: Vec<Target> = self.uses.iter().map(|one| target(one.key.clone())).collect();
        if targets.is_empty() {
            targets.push(target(None));
        }
        targets.sort();
        targets.dedup();
        targets
    }

    /// The keys of it that containers get.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.uses.iter().filter_map(|one| one.key.as_deref())
    }
}
