//! Things that AWS deletes only when they are empty, and that are not.

use std::collections::BTreeSet;

use super::{Check, Finding};
use crate::model::address::Address;
use crate::model::place::{Place, Site};
use crate::model::value::Value;
use crate::plan::types::{Plan, RemovalKind};

/// What is emptied first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A bucket.
    Bucket,
    /// A repository of images.
    Repository,
    /// A backup vault.
    Vault,
    /// What Cloud Control manages: what may be in it is known of its type, if anything is.
    CloudControl,
}

/// What the names of types begin with that Cloud Control manages.
const CLOUD_CONTROL: &str = "awscc_";

/// One that is to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The resource.
    pub address: Address,
    /// What it is.
    pub kind: Kind,
    /// Where it is.
    pub site: Site,
    /// Its name, which is its id.
    pub name: String,
    /// What the same plan deletes.
    pub own: BTreeSet<Place>,
}

/// How much is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many were counted.
    pub count: usize,
    /// Whether there are more.
    pub more: bool,
    /// What is in it, where it is named.
    pub names: Vec<String>,
}

impl Kind {
    fn of(type_name: &str) -> Option<Self> {
        match type_name {
            "s3_bucket" => Some(Self::Bucket),
            "ecr_repository" => Some(Self::Repository),
            "backup_vault" => Some(Self::Vault),
            other => other.starts_with(CLOUD_CONTROL).then_some(Self::CloudControl),
        }
    }

    /// The attribute with which leoctl empties it; none where nothing does.
    fn force(self) -> Option<&'static str> {
        match self {
            Self::Bucket => Some("empty_on_delete"),
            Self::Repository | Self::Vault => Some("force_delete"),
            Self::CloudControl => None,
        }
    }

    fn contents(self, count: &Count) -> String {
        let (one, many) = match self {
            Self::CloudControl => {
                let names = count.names.join(", ");
                return format!("{names} {} in it, and not deleted with it", if count.count == 1 { "is" } else { "are" });
            }
            Self::Bucket => ("object (or version of one)", "objects and versions of them"),
            Self::Repository => ("image", "images"),
            Self::Vault => ("recovery point", "recovery points"),
        };
        match (count.count, count.more) {
            (1, false) => format!("1 {one} is in it"),
            (count, false) => format!("{count} {many} are in it"),
            (count, true) => format!("more than {count} {many} are in it"),
        }
    }
}

/// What is to be deleted that has to be empty.
pub fn holders(plan: &Plan) -> Vec<Holder> {
    let removed = plan.changes.iter().flat_map(|change| change.removals().map(move |removal| (&change.address, removal)));
    let holders = removed.filter(|(_, removal)| removal.kind == RemovalKind::Delete).filter_map(|(address, removal)| {
        let kind = Kind::of(address.type_name())?;
        // Each goes by its own settings, not by those of what replaces it.
        let forced = kind.force().and_then(|force| removal.last.get(force));
        let forced = matches!(forced.map(Value::revealed), Some(Value::Bool(true)));
        let place = &removal.remembered.place;
        (!forced).then(|| Holder { address: address.clone(), kind, site: place.site(), name: place.id.clone(), own: own(plan, kind) })
    });
    holders.collect()
}

/// What is deleted and may be in one.
fn own(plan: &Plan, kind: Kind) -> BTreeSet<Place> {
    let removed = plan.changes.iter().flat_map(|change| change.removals()).filter(|removal| removal.kind == RemovalKind::Delete);
    let places = removed.map(|removal| &removal.remembered.place);
    places.filter(|place| kind == Kind::CloudControl && Kind::of(&place.type_name) == Some(kind)).cloned().collect()
}

/// What it means that so much is in one.
pub fn judge(plan: &Plan, holder: &Holder, found: &Count) -> Vec<Finding> {
    if found.count == 0 {
        return Vec::new();
    }
    let is_written = plan.stack.config.resources.contains_key(&holder.address.block);
    let fix = match holder.kind.force() {
        None => "delete these first, or write them into the stack".to_owned(),
        Some(force) if is_written => {
            format!("set `{force} = true` on it and apply that first, which deletes them with it, or empty it yourself")
        }
        Some(force) => format!("put its block back with `{force} = true`, apply that, and take it out again, or empty it yourself"),
    };
    let message = format!("AWS deletes {} only when it is empty: {}", holder.name, holder.kind.contents(found));
    vec![Finding { check: Check::NotEmpty, address: holder.address.clone(), message, fix }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_it_is_counted_in_its_own_words() {
        let of = |kind: Kind, count, more| kind.contents(&Count { count, more, names: vec!["a".to_owned(), "b".to_owned()] });
        assert_eq!(of(Kind::Repository, 1, false), "1 image is in it");
        assert_eq!(of(Kind::Vault, 3, false), "3 recovery points are in it");
        assert_eq!(of(Kind::Bucket, 1000, true), "more than 1000 objects and versions of them are in it");
        assert_eq!(of(Kind::CloudControl, 2, false), "a, b are in it, and not deleted with it");
    }
}
