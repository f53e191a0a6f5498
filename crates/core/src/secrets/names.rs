//! The names of secrets and their keys, in env files and on the command line.
//!
//! - `VARIABLE`: what containers get under this name.
//! - `OWNER.VARIABLE` and `OWNER.CONTAINER.VARIABLE`: what the containers of a service or a task definition get. It is
//!   named by its address, by its name in the stack or by the one in ECS.
//! - `SECRET` and `SECRET:KEY`: a secret by its address or by its name in Secrets Manager, and a key in it.
//!
//! A secret that no container gets has the usual variable of its name, too. A name that could mean several is none, and
//! so is one that could mean what a container gets from elsewhere: a secret of another stack, or a parameter.

use std::collections::{BTreeMap, BTreeSet};

use super::{Owner, Secret, Target, Use};
use crate::model::address::Address;
use crate::stack::diagnostic::suggestion;
use crate::stack::env_file::can_be_a_name;

/// What every name means.
pub struct Names<'a> {
    secrets: &'a [Secret],
    meanings: BTreeMap<String, BTreeSet<Target>>,
    elsewhere: BTreeSet<String>,
}

/// What a name means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Nothing of the stack.
    Nothing,
    /// This.
    One(Target),
    /// Any of these, or of these and what is elsewhere.
    Several(BTreeSet<Target>),
}

impl<'a> Names<'a> {
    /// The names of these secrets, beside what containers get from elsewhere.
    pub fn new(secrets: &'a [Secret], elsewhere: &[Use]) -> Self {
        let mut meanings: BTreeMap<String, BTreeSet<Target>> = BTreeMap::new();
        for secret in secrets {
            for (name, key) in names(secret) {
                meanings.entry(name).or_default().insert(Target { secret: secret.address.clone(), key });
            }
        }
        let elsewhere = elsewhere.iter().flat_map(|one| qualified(one).into_iter().chain([one.variable.clone()])).collect();
        Self { secrets, meanings, elsewhere }
    }

    /// What a name means.
    pub fn meaning(&self, name: &str) -> Meaning {
        let mut targets = self.meanings.get(name).cloned().unwrap_or_default();
        // A key that no container gets is known by nobody but who names it.
        for secret in self.secrets {
            let keys = spellings(secret).into_iter().filter_map(|own| key_of(name.strip_prefix(own.as_str())?));
            targets.extend(keys.map(|key| Target { secret: secret.address.clone(), key: Some(key) }));
        }
        match (targets.len(), targets.first()) {
            (_, None) => Meaning::Nothing,
            (1, Some(only)) if !self.elsewhere.contains(name) => Meaning::One(only.clone()),
            _ => Meaning::Several(targets),
        }
    }

    /// The secret that is called so, whatever key of it is meant.
    pub fn secret(&self, name: &str) -> Option<&'a Secret> {
        let mut called = self.secrets.iter().filter(|secret| spellings(secret).iter().any(|own| own == name));
        called.next().filter(|_| called.next().is_none())
    }

    /// The shortest name that means this and nothing else.
    pub fn shortest(&self, target: &Target) -> String {
        self.written(target, true)
    }

    /// A name that means this, and says of which service it is where one gets it.
    pub fn full(&self, target: &Target) -> String {
        self.written(target, false)
    }

    fn written(&self, target: &Target, bare: bool) -> String {
        let secret = self.secrets.iter().find(|secret| secret.address == target.secret);
        let mut candidates: Vec<String> = Vec::new();
        if let Some(secret) = secret {
            let uses = || secret.uses.iter().filter(|one| one.key == target.key);
            if bare {
                candidates.extend(uses().map(|one| one.variable.clone()));
                candidates.extend(secret.uses.is_empty().then(|| usual(&secret.name)).filter(|_| target.key.is_none()));
            }
            candidates.extend(uses().flat_map(qualified));
            candidates.push(match &target.key {
                Some(key) => with_key(&secret.name, key),
                None => secret.name.clone(),
            });
        }
        let fits = |name: &String| can_be_a_name(name) && self.meaning(name) == Meaning::One(target.clone());
        candidates.into_iter().find(fits).unwrap_or_else(|| target.to_string())
    }

    /// What may have been meant by a name that means nothing.
    pub fn meant(&self, name: &str) -> String {
        let all: Vec<String> = self.secrets.iter().flat_map(Secret::targets).map(|target| self.shortest(&target)).collect();
        suggestion(name, self.meanings.keys().map(String::as_str)).unwrap_or_else(|| match all.is_empty() {
            true => "the stack has no secrets".to_owned(),
            false => format!("the stack's secrets: {}", all.join(", ")),
        })
    }
}

/// The names of a secret that are known without being asked for, each with the key it means.
fn names(secret: &Secret) -> Vec<(String, Option<String>)> {
    let mut names: Vec<(String, Option<String>)> = spellings(secret).into_iter().map(|own| (own, None)).collect();
    if secret.uses.is_empty() {
        names.push((usual(&secret.name), None));
    }
    for one in &secret.uses {
        names.push((one.variable.clone(), one.key.clone()));
        names.extend(qualified(one).into_iter().map(|name| (name, one.key.clone())));
    }
    names
}

/// The names of a container's variable with what runs the container, the shortest first.
fn qualified(one: &Use) -> Vec<String> {
    let owners: Vec<String> = one.owners.iter().flat_map(owner).collect();
    let short = owners.iter().map(|owner| format!("{owner}.{}", one.variable));
    short.chain(owners.iter().map(|owner| format!("{owner}.{}.{}", one.container, one.variable))).collect()
}

fn owner(owner: &Owner) -> Vec<String> {
    let address = &owner.address;
    let mut names = vec![address.block.name.clone()];
    names.extend(with_index(&address.block.name, address));
    names.push(owner.name.clone());
    names.extend(spelled(address));
    names
}

fn spellings(secret: &Secret) -> Vec<String> {
    let mut names = vec![secret.name.clone()];
    names.extend(spelled(&secret.address));
    names
}

/// An address, and the ways its key may be written: a shell takes double quotes away.
fn spelled(address: &Address) -> Vec<String> {
    let block = address.block.to_string();
    if address.key.is_none() { vec![block] } else { with_index(&block, address) }
}

fn with_index(block: &str, address: &Address) -> Vec<String> {
    let Some(key) = &address.key else { return Vec::new() };
    vec![format!("{block}[{}]", serde_json::Value::from(key.as_str())), format!("{block}['{key}']"), format!("{block}[{key}]")]
}

/// The variable of a secret that no container gets: `leo/github-bot-token` has `GITHUB_BOT_TOKEN`.
pub fn usual(name: &str) -> String {
    name.rsplit('/').next().unwrap_or(name).chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

/// The name of a key: `SECRET:KEY`, and `SECRET:["a key"]` for one that cannot stand in a name.
pub fn with_key(secret: &str, key: &str) -> String {
    match !key.starts_with('[') && can_be_a_name(key) {
        true => format!("{secret}:{key}"),
        false => format!("{secret}:[{}]", serde_json::Value::from(key)),
    }
}

/// The key that the rest of a name, behind the secret's, says.
fn key_of(rest: &str) -> Option<String> {
    let key = rest.strip_prefix(':').filter(|key| !key.is_empty())?;
    let quoted = key.strip_prefix('[').and_then(|key| serde_json::from_str(key.strip_suffix(']')?).ok());
    Some(quoted.unwrap_or_else(|| key.to_owned()))
}
