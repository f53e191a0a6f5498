//! The record sets of zones: their ids, and finding them in few calls.

use std::collections::BTreeMap;

use aws_sdk_route53::types as api;
use futures_util::future::try_join_all;

use super::canonical;
use crate::client::Aws;
use crate::error::{OrAbsent, OrFail};
use leoctl_core::engine::ports::Outcome;

/// Every type of record, as AWS writes it.
pub const TYPES: [&str; 17] =
    ["A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "SSHFP", "SVCB", "TLSA", "TXT"];

/// What tells a record set from all others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The zone.
    pub zone: String,
    /// The name in its canonical form.
    pub name: String,
    /// The type.
    pub kind: String,
    /// The identifier among several of one name and type.
    pub set: Option<String>,
}

impl Key {
    /// The key an id stands for. A name may have slashes in it, but is in lower case; a set identifier may be anything.
    pub fn parse(id: &str) -> Option<Self> {
        let (zone, rest) = id.split_once('/')?;
        let mut name = Vec::new();
        let mut parts = rest.split('/');
        let kind = loop {
            match parts.next()? {
                kind if !name.is_empty() && TYPES.contains(&kind) => break kind,
                part => name.push(part),
            }
        };
        let set: Vec<&str> = parts.collect();
        let set = Some(set.join("/")).filter(|set| !set.is_empty());
        Some(Self { zone: zone.to_owned(), name: canonical(&name.join("/")), kind: kind.to_owned(), set })
    }

    /// The id.
    pub fn id(&self) -> String {
        let Self { zone, name, kind, set } = self;
        match set {
            Some(set) => format!("{zone}/{name}/{kind}/{set}"),
            None => format!("{zone}/{name}/{kind}"),
        }
    }

    /// Whether both can be there, being of one name: a `CNAME` has no other type beside it, and one with a set identifier
    /// none without (Route 53 API Reference, ResourceRecordSet).
    pub fn goes_with(&self, other: &Self) -> bool {
        match self.kind == other.kind {
            true => self.set.is_some() && other.set.is_some(),
            false => self.kind != "CNAME" && other.kind != "CNAME",
        }
    }

    /// Whether both are of one set of records of one name and type, of which one is answered.
    pub fn is_beside(&self, other: &Self) -> bool {
        self.kind == other.kind && self.set.is_some() && other.set.is_some()
    }

    /// The key of a record set of a zone.
    pub fn of(zone: &str, set: &api::ResourceRecordSet) -> Self {
        Self {
            zone: zone.to_owned(),
            name: canonical(set.name()),
            kind: set.r#type().as_str().to_owned(),
            set: set.set_identifier().map(str::to_owned),
        }
    }
}

/// The record set of a key, if it exists.
pub async fn one(aws: &Aws, key: &Key) -> Outcome<Option<api::ResourceRecordSet>> {
    let call = aws.route53().list_resource_record_sets().hosted_zone_id(&key.zone).start_record_name(&key.name);
    let call = call.start_record_type(api::RrType::from(key.kind.as_str())).set_start_record_identifier(key.set.clone()).max_items(1);
    let found = call.send().await.or_fail("route53:ListResourceRecordSets").or_absent()?;
    let sets = found.map(|found| found.resource_record_sets).unwrap_or_default();
    Ok(sets.into_iter().find(|set| Key::of(&key.zone, set) == *key))
}

/// The record sets of a key's name.
pub async fn named(aws: &Aws, key: &Key) -> Outcome<Vec<Key>> {
    let call = aws.route53().list_resource_record_sets().hosted_zone_id(&key.zone).start_record_name(&key.name);
    let found = call.send().await.or_fail("route53:ListResourceRecordSets").or_absent()?;
    let sets = found.map(|found| found.resource_record_sets).unwrap_or_default();
    Ok(sets.iter().map(|set| Key::of(&key.zone, set)).filter(|found| found.name == key.name).collect())
}

/// Those of these record sets of one zone that exist. The first page has all of most zones; what is not on it is asked
/// for alone.
async fn in_zone(aws: &Aws, zone: &str, keys: &[Key]) -> Outcome<Vec<(Key, api::ResourceRecordSet)>> {
    let (mut found, mut left) = (BTreeMap::new(), keys.to_vec());
    if keys.len() > 1 {
        let call = aws.route53().list_resource_record_sets().hosted_zone_id(zone).max_items(300);
        let Some(page) = call.send().await.or_fail("route53:ListResourceRecordSets").or_absent()? else { return Ok(Vec::new()) };
        found.extend(page.resource_record_sets.into_iter().map(|set| (Key::of(zone, &set), set)));
        found.retain(|key, _| keys.contains(key));
        left.retain(|key| page.is_truncated && !found.contains_key(key));
    }
    let alone = try_join_all(left.into_iter().map(async |key| Ok(one(aws, &key).await?.map(|set| (key, set))))).await?;
    Ok(found.into_iter().chain(alone.into_iter().flatten()).collect())
}

/// Those of these record sets that exist.
pub async fn all(aws: &Aws, keys: Vec<Key>) -> Outcome<Vec<(Key, api::ResourceRecordSet)>> {
    let mut zones: BTreeMap<String, Vec<Key>> = BTreeMap::new();
    for key in keys {
        zones.entry(key.zone.clone()).or_default().push(key);
    }
    let found = try_join_all(zones.iter().map(|(zone, keys)| in_zone(aws, zone, keys))).await?;
    Ok(found.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_keep_slashes_in_names_and_identifiers() {
        for id in ["Z1/www.example.org/A", "Z1/*.example.org/CNAME", "Z1/0/25.2.0.192.in-addr.arpa/NS", "Z1/a.example.org/A/blue/green"] {
            assert_eq!(Key::parse(id).unwrap().id(), id);
        }
        assert_eq!(Key::parse("Z1/a.example.org/A/blue/green").unwrap().set.as_deref(), Some("blue/green"));
        assert_eq!(Key::parse("Z1/A.Example.org./A").unwrap().name, "a.example.org");
        assert_eq!(Key::parse("Z1/a.example.org"), None);
    }

    #[test]
    fn a_cname_stands_alone_and_identifiers_stand_together() {
        let goes = |one: &str, other: &str| {
            Key::parse(&format!("Z/a.org/{one}")).unwrap().goes_with(&Key::parse(&format!("Z/a.org/{other}")).unwrap())
        };
        assert!(goes("A", "AAAA") && goes("A/blue", "A/green") && goes("A/blue", "TXT") && goes("CNAME/blue", "CNAME/green"));
        assert!(!goes("A", "CNAME") && !goes("CNAME", "TXT") && !goes("A", "A/blue") && !goes("CNAME/blue", "A/green"));
    }
}
