//! The names of secrets and their keys, in env files and on the command line.
//!
//! - `VARIABLE`: what containers get under this name.
//! - `OWNER.VARIABLE` and `OWNER.CONTAINER.VARIABLE`: what the containers of a service or a task definition get. It is
//!   named by its address, by its name in the stack or by the one in ECS.
//! - `SECRET` and `SECRET:KEY`: a secret by its address or by its name in Secrets Manager, and a key in it.
//!
//! A name that could mean several is none, and so is one that could mean what a container gets beside the secrets of the
//! stack: a plain value, a secret of another stack, a parameter, or a line of an environment file.

use std::collections::{BTreeMap, BTreeSet};

use super::{Beside, Open, Owner, Secret, Target, Use};
use crate::model::address::{Address, is_name};
use crate::model::module::Used;
use crate::stack::diagnostic::suggestion;
use crate::stack::env_file::can_be_a_name;

/// What every name means.
pub struct Names<'a> {
    secrets: &'a [Secret],
    meanings: BTreeMap<String, BTreeSet<Target>>,
    /// What containers get beside the secrets, by every name of it: who gets it.
    beside: BTreeMap<String, BTreeSet<String>>,
    open: &'a [Open],
}

/// What a name means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Nothing of the stack.
    Nothing,
    /// This.
    One(Target),
    /// Any of these, or what these services and task definitions get beside the secrets.
    Several(BTreeSet<Target>, BTreeSet<String>),
}

impl<'a> Names<'a> {
    /// The names of these secrets, and what containers get beside them.
    pub fn new(secrets: &'a [Secret], beside: &'a Beside) -> Self {
        let mut meanings: BTreeMap<String, BTreeSet<Target>> = BTreeMap::new();
        for secret in secrets {
            for (name, key) in names(secret) {
                meanings.entry(name).or_default().insert(Target { secret: secret.address.clone(), key });
            }
        }
        let mut others: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for one in &beside.variables {
            for name in qualified(one).into_iter().chain([one.variable.clone()]) {
                others.entry(name).or_default().extend(shown(&one.owners));
            }
        }
        Self { secrets, meanings, beside: others, open: &beside.open }
    }

    /// What a name means.
    pub fn meaning(&self, name: &str) -> Meaning {
        let mut targets = self.meanings.get(name).cloned().unwrap_or_default();
        // A key that no container gets is known by nobody but who names it.
        for secret in self.secrets {
            let keys = spellings(secret).into_iter().filter_map(|own| key_of(name.strip_prefix(own.as_str())?));
            targets.extend(keys.map(|key| Target { secret: secret.address.clone(), key: Some(key) }));
        }
        let beside = self.beside(name);
        match (targets.len(), targets.first()) {
            (_, None) => Meaning::Nothing,
            (1, Some(only)) if beside.is_empty() => Meaning::One(only.clone()),
            _ => Meaning::Several(targets, beside),
        }
    }

    /// Who gets this beside the secrets of the stack, or may get it.
    fn beside(&self, name: &str) -> BTreeSet<String> {
        let mut owners = self.beside.get(name).cloned().unwrap_or_default();
        owners.extend(self.open.iter().filter(|open| open.may_get(name)).filter_map(|open| shown(&open.owners)));
        owners
    }

    /// The secrets that no container gets and that this may have been meant for, by the last part of their names.
    pub fn unused(&self, name: &str) -> Option<String> {
        let named = self.secrets.iter().filter(|secret| secret.uses.is_empty() && usual(&secret.name) == name);
        let named: Vec<String> = named.map(|secret| self.shortest(&Target { secret: secret.address.clone(), key: None })).collect();
        let meant = !named.is_empty() && self.beside(name).is_empty();
        meant.then(|| format!("what no container gets is called by the secret's whole name: {}", named.join(", ")))
    }

    /// Whether a name that means nothing is one letter or two off one that means a secret, and none that a container gets.
    pub fn resembles(&self, name: &str) -> bool {
        self.beside(name).is_empty() && self.meanings.keys().any(|meant| strsim::damerau_levenshtein(name, meant) <= 2)
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
        if let Some(unused) = self.unused(name) {
            return unused;
        }
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
    for one in &secret.uses {
        names.push((one.variable.clone(), one.key.clone()));
        names.extend(qualified(one).into_iter().map(|name| (name, one.key.clone())));
    }
    names
}

impl Open {
    /// Whether this may name a variable of it that is not known.
    fn may_get(&self, name: &str) -> bool {
        let variable = |text: &str| is_name(text) && !self.known.contains(text);
        let of_container = |rest: &str| match (&self.container, rest.split_once('.')) {
            (_, None) => variable(rest),
            (None, Some((_, rest))) => variable(rest),
            (Some(container), Some(_)) => rest.strip_prefix(container).and_then(|rest| rest.strip_prefix('.')).is_some_and(variable),
        };
        let owners = self.owners.iter().flat_map(owner);
        let mut rests = owners.filter_map(|owner| name.strip_prefix(owner.as_str())?.strip_prefix('.'));
        variable(name) || rests.any(of_container)
    }
}

/// What runs a container, as messages call it.
fn shown(owners: &[Owner]) -> Option<String> {
    owners.first().map(|owner| owner.address.to_string())
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
    names.extend(with_index(&address.block.name, address.key.as_deref()));
    names.extend(address.block.module.iter().last().into_iter().flat_map(of_module));
    names.push(owner.name.clone());
    names.extend(spelled(address));
    names
}

/// What the one service of a module is called by it: the key of an instance, or its name.
fn of_module(used: &Used) -> Vec<String> {
    let own = used.key.iter().chain([&used.name]).cloned();
    own.chain(with_index(&used.name, used.key.as_deref())).collect()
}

fn spellings(secret: &Secret) -> Vec<String> {
    let mut names = vec![secret.name.clone()];
    names.extend(spelled(&secret.address));
    names
}

/// An address, and the ways its key may be written: a shell takes double quotes away.
fn spelled(address: &Address) -> Vec<String> {
    let block = address.block.to_string();
    if address.key.is_none() { vec![block] } else { with_index(&block, address.key.as_deref()) }
}

fn with_index(block: &str, key: Option<&str>) -> Vec<String> {
    let Some(key) = key else { return Vec::new() };
    vec![format!("{block}[{}]", serde_json::Value::from(key)), format!("{block}['{key}']"), format!("{block}[{key}]")]
}

/// The variable that a secret without a container would usually be: `leo/github-bot-token` has `GITHUB_BOT_TOKEN`.
fn usual(name: &str) -> String {
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
