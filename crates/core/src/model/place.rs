//! Where a resource is in AWS.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One resource in AWS. An id alone says nothing: a role and an instance profile may both be called `web`, and so may
/// two log groups in two regions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The resource type, such as `vpc`.
    #[serde(rename = "type")]
    pub type_name: String,
    /// The account, twelve digits.
    pub account: String,
    /// The region that was asked for it. A resource of a global service has one, too: that of its stack ([`Scope::region`]).
    pub region: String,
    /// AWS's id of it, as `import` takes it.
    pub id: String,
}

/// Where calls go: a region of an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    /// The account, twelve digits.
    pub account: String,
    /// The region.
    pub region: String,
}

impl Site {
    /// This region of this account.
    pub fn new(account: impl Into<String>, region: impl Into<String>) -> Self {
        Self { account: account.into(), region: region.into() }
    }

    /// Where the resource with an ARN is; nothing where the ARN does not say.
    pub fn of_arn(arn: &str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':').skip(3);
        let (region, account) = (parts.next()?, parts.next()?);
        (!region.is_empty() && !account.is_empty()).then(|| Self::new(account, region))
    }
}

impl Place {
    /// Where calls about it go.
    pub fn site(&self) -> Site {
        Site { account: self.account.clone(), region: self.region.clone() }
    }
}

/// Within what the id of a type's resources tells one from another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// A region of an account.
    #[default]
    Regional,
    /// An account: the service is global, and a region means nothing to it.
    Global,
    /// All accounts and regions: a name that is taken is taken everywhere, though the resource is in one region.
    GlobalName,
}

impl Scope {
    /// The region in the place of a resource that is asked for in one region, by a stack of another (`home`). To a global
    /// service a region means nothing: its resources all have the stack's, so that two places are one resource when they
    /// are equal, and only then.
    pub fn region<'a>(self, asked: &'a str, home: &'a str) -> &'a str {
        match self {
            Self::Regional | Self::GlobalName => asked,
            Self::Global => home,
        }
    }
}

impl Scope {
    /// Whether two resources have nothing in common by this, such as a name that only one of them may have.
    pub fn apart(self, one: &Site, other: &Site) -> bool {
        match self {
            Self::Regional => one != other,
            Self::Global => one.account != other.account,
            Self::GlobalName => false,
        }
    }

    /// Within what a name is taken, as a text that is the same for all who cannot have it both.
    pub fn within(self, site: &Site) -> String {
        match self {
            Self::Regional => format!("{}/{}", site.account, site.region),
            Self::Global => site.account.clone(),
            Self::GlobalName => String::new(),
        }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of account {}", self.region, self.account)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} in {}", self.type_name, self.id, self.region)
    }
}

/// Whether this is how a region is named, such as `us-east-1` or `us-gov-west-1` (the patterns of `partitions.json`).
pub fn is_region(name: &str) -> bool {
    let is_word = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = name.split('-').collect();
    let Some((number, words)) = parts.split_last() else { return false };
    words.len() >= 2 && words.iter().all(is_word) && is_number(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_named_by_at_least_two_words_and_a_number() {
        for region in ["us-east-1", "us-gov-west-1", "eusc-de-east-1", "cn-northwest-1", "us-isob-east-1"] {
            assert!(is_region(region), "{region}");
        }
        for other in ["", "mars-1", "us-east1", "us-east", "us-east-1a", "US-EAST-1", "us--1", "eu-west-1 "] {
            assert!(!is_region(other), "{other}");
        }
    }

    #[test]
    fn a_region_means_nothing_to_a_global_service() {
        assert_eq!(Scope::Global.region("us-east-1", "eu-west-1"), "eu-west-1");
        assert_eq!(Scope::Regional.region("us-east-1", "eu-west-1"), "us-east-1");
        assert_eq!(Scope::GlobalName.region("us-east-1", "eu-west-1"), "us-east-1");
    }

    #[test]
    fn what_two_sites_have_in_common_is_said_by_the_scope() {
        let site = |account: &str, region: &str| Site { account: account.to_owned(), region: region.to_owned() };
        let (here, there, theirs) = (site("1", "us-east-1"), site("1", "eu-west-1"), site("2", "us-east-1"));
        assert_eq!([Scope::Regional.apart(&here, &there), Scope::Regional.apart(&here, &theirs)], [true, true]);
        assert_eq!([Scope::Global.apart(&here, &there), Scope::Global.apart(&here, &theirs)], [false, true]);
        assert_eq!([Scope::GlobalName.apart(&here, &there), Scope::GlobalName.apart(&here, &theirs)], [false, false]);
        for scope in [Scope::Regional, Scope::Global, Scope::GlobalName] {
            for other in [&here, &there, &theirs] {
                assert_eq!(scope.within(&here) != scope.within(other), scope.apart(&here, other), "{scope:?} {other}");
            }
        }
    }
}
