//! Things that AWS deletes only when they are empty, and that are not.

use super::{Check, Finding};
use crate::model::address::Address;
use crate::model::place::Site;
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
}

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
}

/// How much is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// How many were counted.
    pub count: usize,
    /// Whether there are more.
    pub more: bool,
}

impl Kind {
    fn of(type_name: &str) -> Option<Self> {
        match type_name {
            "s3_bucket" => Some(Self::Bucket),
            "ecr_repository" => Some(Self::Repository),
            "backup_vault" => Some(Self::Vault),
            _ => None,
        }
    }

    /// The attribute with which leoctl empties it.
    fn force(self) -> &'static str {
        match self {
            Self::Bucket => "empty_on_delete",
            Self::Repository | Self::Vault => "force_delete",
        }
    }

    fn contents(self, count: Count) -> String {
        let (one, many) = match self {
            Self::Bucket => ("object (or version of one)", "objects and versions of them"),
            Self::Repository => ("image", "images"),
            Self::Vault => ("recovery point", "recovery points"),
        };
        match count {
            Count { count: 1, more: false } => format!("1 {one} is in it"),
            Count { count, more: false } => format!("{count} {many} are in it"),
            Count { count, more: true } => format!("more than {count} {many} are in it"),
        }
    }
}

/// What is to be deleted that has to be empty.
pub fn holders(plan: &Plan) -> Vec<Holder> {
    let removed = plan.changes.iter().flat_map(|change| change.removals().map(move |removal| (&change.address, removal)));
    let holders = removed.filter(|(_, removal)| removal.kind == RemovalKind::Delete).filter_map(|(address, removal)| {
        let kind = Kind::of(address.type_name())?;
        // Each goes by its own settings, not by those of what replaces it.
        let forced = matches!(removal.last.get(kind.force()).map(Value::revealed), Some(Value::Bool(true)));
        let place = &removal.remembered.place;
        (!forced).then(|| Holder { address: address.clone(), kind, site: place.site(), name: place.id.clone() })
    });
    holders.collect()
}

/// What it means that so much is in one.
pub fn judge(plan: &Plan, holder: &Holder, found: Count) -> Vec<Finding> {
    if found.count == 0 {
        return Vec::new();
    }
    let force = holder.kind.force();
    let fix = match plan.stack.config.resources.contains_key(&holder.address.block) {
        true => format!("set `{force} = true` on it and apply that first, which deletes them with it, or empty it yourself"),
        false => format!("put its block back with `{force} = true`, apply that, and take it out again, or empty it yourself"),
    };
    let message = format!("AWS deletes {} only when it is empty: {}", holder.name, holder.kind.contents(found));
    vec![Finding { check: Check::NotEmpty, address: holder.address.clone(), message, fix }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_it_is_counted_in_its_own_words() {
        assert_eq!(Kind::Repository.contents(Count { count: 1, more: false }), "1 image is in it");
        assert_eq!(Kind::Vault.contents(Count { count: 3, more: false }), "3 recovery points are in it");
        assert_eq!(Kind::Bucket.contents(Count { count: 1000, more: true }), "more than 1000 objects and versions of them are in it");
    }
}
