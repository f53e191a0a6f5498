//! How secrets stand against env files.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join_all;
use sha2::{Digest, Sha256};

use super::{Current, Held, Stored, current};
use crate::ops::Deployed;
use leoctl_core::engine::ports::Outcome;
use leoctl_core::secrets::Target;
use leoctl_core::secrets::join::Entry;
use leoctl_core::secrets::value::{self, NoObject, Write};

/// How a secret or a key of it stands against the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has no value, and the files have one.
    Unset,
    /// It has no value, and nor have the files.
    Nowhere,
    /// It has the files' value.
    Same,
    /// Its value is another one than the files'.
    Differs,
    /// It has a value, and the files have none.
    NotInFiles,
    /// It has bytes, which env files cannot have.
    Binary,
    /// The secret has a text that is no JSON object, and so has no keys.
    NoObject,
}

/// A secret or a key of it.
pub struct Part {
    /// Which.
    pub target: Target,
    /// How it stands.
    pub standing: Standing,
    /// What it has.
    pub before: Option<Fingerprint>,
    /// What the files have.
    pub after: Option<Fingerprint>,
}

/// A secret, how the parts of it stand, and what it would be set to.
pub struct Compared {
    /// The secret.
    pub stored: Stored,
    /// Its parts.
    pub parts: Vec<Part>,
    pub(super) current: Current,
    pub(super) value: Option<String>,
}

impl Compared {
    /// Whether it is to be set.
    pub fn changes(&self) -> bool {
        self.value.is_some()
    }

    /// The first part that stands so and that the files have a value for.
    pub fn refused(&self, standing: Standing) -> Option<&Part> {
        self.parts.iter().find(|part| part.standing == standing && part.after.is_some())
    }
}

/// Tells whether two values are one without showing either: a hash with a salt that no two runs share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub String);

/// The salt of a run.
struct Salt(uuid::Uuid);

impl Salt {
    fn fingerprint(&self, text: &str) -> Fingerprint {
        let hash = Sha256::new().chain_update(self.0.as_bytes()).chain_update(text).finalize();
        Fingerprint(hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect())
    }
}

/// Reads these secrets and compares them with what is to be written.
///
/// # Errors
/// When one cannot be read.
pub async fn compare(deployed: &Deployed<'_>, secrets: Vec<Stored>, writes: &BTreeMap<Target, Entry>) -> Outcome<Vec<Compared>> {
    let salt = Salt(uuid::Uuid::new_v4());
    let compared = secrets.into_iter().map(async |stored| {
        let current = current(deployed.provider.at(&stored.site)?.as_ref(), &stored.arn).await?;
        Ok(one(stored, current, writes, &salt))
    });
    try_join_all(compared).await
}

fn one(stored: Stored, current: Current, writes: &BTreeMap<Target, Entry>, salt: &Salt) -> Compared {
    let ours: BTreeMap<&Target, &Entry> = writes.iter().filter(|(target, _)| target.secret == stored.secret.address).collect();
    let targets: BTreeSet<Target> = stored.secret.targets().into_iter().chain(ours.keys().map(|target| (*target).clone())).collect();
    let parts = targets.into_iter().map(|target| part(ours.get(&target).map(|entry| entry.value.as_str()), target, &current.value, salt));
    let parts = parts.collect();
    let ours: Vec<Write<'_>> = ours.iter().map(|(target, entry)| Write { key: target.key.as_deref(), text: &entry.value }).collect();
    let value = match &current.value {
        Held::Binary => None,
        Held::Nothing => value::with(None, &ours).unwrap_or_default(),
        Held::Text(text) => value::with(Some(text), &ours).unwrap_or_default(),
    };
    Compared { stored, parts, current, value }
}

fn part(wanted: Option<&str>, target: Target, held: &Held, salt: &Salt) -> Part {
    let key = target.key.as_deref();
    let has = match held {
        Held::Nothing | Held::Binary => Ok(None),
        Held::Text(text) => value::text(text, key),
    };
    let same = |wanted: &str| match held {
        Held::Text(text) => value::with(Some(text), &[Write { key, text: wanted }]) == Ok(None),
        Held::Nothing | Held::Binary => false,
    };
    let standing = match (held, &has, wanted) {
        (Held::Binary, _, _) => Standing::Binary,
        (_, Err(NoObject), _) => Standing::NoObject,
        (_, Ok(None), None) => Standing::Nowhere,
        (_, Ok(None), Some(_)) => Standing::Unset,
        (_, Ok(Some(_)), None) => Standing::NotInFiles,
        (_, Ok(Some(_)), Some(wanted)) if same(wanted) => Standing::Same,
        (_, Ok(Some(_)), Some(_)) => Standing::Differs,
    };
    let before = has.ok().flatten().map(|text| salt.fingerprint(&text));
    Part { target, standing, before, after: wanted.map(|text| salt.fingerprint(text)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(held: &Held, key: Option<&str>, wanted: Option<&str>) -> Standing {
        let target = Target { secret: "secretsmanager_secret.x".parse().unwrap(), key: key.map(str::to_owned) };
        part(wanted, target, held, &Salt(uuid::Uuid::nil())).standing
    }

    #[test]
    fn a_part_stands_as_what_it_has_and_what_the_files_have() {
        let text = |text: &str| Held::Text(text.to_owned());
        for (held, key, wanted, expected) in [
            (Held::Nothing, None, None, Standing::Nowhere),
            (Held::Nothing, Some("a"), Some("1"), Standing::Unset),
            (text("x"), None, Some("x"), Standing::Same),
            (text("x"), None, Some("y"), Standing::Differs),
            (text("x"), None, None, Standing::NotInFiles),
            (text("x"), Some("a"), Some("1"), Standing::NoObject),
            (text("{}"), Some("a"), Some("1"), Standing::Unset),
            (text("{\"a\":1}"), Some("a"), Some("1"), Standing::Same),
            (Held::Binary, None, None, Standing::Binary),
            (Held::Binary, Some("a"), Some("1"), Standing::Binary),
        ] {
            assert_eq!(standing(&held, key, wanted), expected);
        }
    }

    #[test]
    fn a_fingerprint_is_another_in_each_run_and_one_for_one_value() {
        let (salt, other) = (Salt(uuid::Uuid::nil()), Salt(uuid::Uuid::max()));
        assert_eq!(salt.fingerprint("x"), salt.fingerprint("x"));
        assert_ne!(salt.fingerprint("x"), salt.fingerprint("y"));
        assert_ne!(salt.fingerprint("x"), other.fingerprint("x"));
    }
}
