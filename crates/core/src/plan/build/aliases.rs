//! Aliases of KMS keys that are written where AWS answers with a key: only KMS knows whose they are.

use super::Instance;
use super::change::attributes_of;
use crate::model::address::Address;
use crate::model::kms_key::is_alias;
use crate::model::path::Path;
use crate::model::place::Site;
use crate::model::value::Value;
use crate::plan::diff::diff;
use crate::plan::types::{Action, Change};

/// An alias that is written for the key that a resource has.
#[derive(Clone, Debug, PartialEq)]
pub struct Alias {
    /// The resource.
    pub address: Address,
    /// Where it is.
    pub site: Site,
    /// The attribute.
    pub path: Path,
    /// The alias.
    pub alias: String,
    /// The ARN of the key.
    pub key: String,
}

impl Alias {
    /// What is to be known where the alias is of another key: what is encrypted stays with the key it has.
    pub fn moved(&self, to: &str) -> String {
        let Self { address, path, alias, key, .. } = self;
        format!(
            "{address}: `{path}` is {alias}, which is an alias of {to}, and AWS has {key}: the key stays. \
             To make {address} anew with the other key, write the ARN of that key"
        )
    }
}

/// The aliases that stand for a key in what a resource is to be.
pub(super) fn aliases(instance: &Instance<'_>, desired: &Value, change: &Change) -> Vec<Alias> {
    if matches!(change.action, Action::Create | Action::Replace) {
        return Vec::new();
    }
    let attributes = attributes_of(instance.block);
    let ignored = instance.block.ignored(&change.before, desired);
    // Nothing else differs by an alias: what is to be is what is desired.
    let differences = diff(attributes, &change.after, desired).into_iter();
    let differences = differences.filter(|one| !one.sensitive && !ignored.iter().any(|ignored| one.path.starts_with(ignored)));
    let aliases = differences.filter_map(|one| {
        let (key, alias) = (one.before?.as_str()?.to_owned(), one.after?.as_str().filter(|name| is_alias(name))?.to_owned());
        Some(Alias { address: change.address.clone(), site: change.site(), path: one.path, alias, key })
    });
    aliases.collect()
}

#[cfg(test)]
mod tests {
    use crate::plan::types::Action;
    use crate::testing::Account;

    const KEY: &str = "arn:aws:kms:us-east-1:111111111111:key/1";

    fn balancer(key: &str) -> String {
        format!("[resource.balancer.b]\nkey = \"{key}\"\n")
    }

    #[test]
    fn an_alias_replaces_nothing_and_another_key_does() {
        let account = Account::new().applied(&balancer(KEY));
        for name in ["arn:aws:kms:us-east-1:111111111111:alias/app", "alias/app", "1", KEY] {
            assert_eq!(account.aliases(&balancer(name)).1, Action::NoOp, "{name}");
        }
        for other in ["arn:aws:kms:us-east-1:111111111111:key/2", "2", "arn:aws:kms:us-east-1:222222222222:alias/app"] {
            assert_eq!(account.aliases(&balancer(other)).1, Action::Replace, "{other}");
        }
    }

    #[test]
    fn whose_an_alias_is_can_be_asked_and_said() {
        let account = Account::new().applied(&balancer(KEY));
        assert_eq!(account.aliases(&balancer(KEY)).0, []);
        let (aliases, _) = account.aliases(&balancer("alias/app"));
        let [alias] = aliases.as_slice() else { panic!("{aliases:?}") };
        assert_eq!((alias.alias.as_str(), alias.key.as_str(), alias.site.region.as_str()), ("alias/app", KEY, "us-east-1"));
        let said = alias.moved("arn:aws:kms:us-east-1:111111111111:key/2");
        assert!(
            said.starts_with("balancer.b: `key` is alias/app, which is an alias of arn:aws:kms:us-east-1:111111111111:key/2"),
            "{said}"
        );
        // A new one gets whatever key the alias is of.
        assert_eq!(Account::new().aliases(&balancer("alias/app")), (Vec::new(), Action::Create));
    }
}
