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
    /// The region that was asked for it. A resource of a global service has one, too: that of the stack that made it.
    pub region: String,
    /// AWS's id of it, as `import` takes it.
    pub id: String,
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

impl Place {
    /// Whether the two are one resource, of a type of this scope.
    pub fn is_same(&self, other: &Self, scope: Scope) -> bool {
        let here = |place: &Self| match scope {
            Scope::Regional | Scope::GlobalName => place.region.clone(),
            Scope::Global => String::new(),
        };
        (&self.type_name, &self.account, &self.id, here(self)) == (&other.type_name, &other.account, &other.id, here(other))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} in {}", self.type_name, self.id, self.region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(type_name: &str, region: &str) -> Place {
        Place { type_name: type_name.into(), account: "111111111111".into(), region: region.into(), id: "web".into() }
    }

    #[test]
    fn one_id_is_two_resources_in_two_regions_or_of_two_types() {
        let here = place("cloudwatch_log_group", "eu-west-1");
        assert!(here.is_same(&here.clone(), Scope::Regional));
        assert!(!here.is_same(&place("cloudwatch_log_group", "us-east-1"), Scope::Regional));
        assert!(!here.is_same(&place("ecs_cluster", "eu-west-1"), Scope::Regional));
    }

    #[test]
    fn a_region_means_nothing_to_a_global_service() {
        assert!(place("iam_role", "eu-west-1").is_same(&place("iam_role", "us-east-1"), Scope::Global));
        assert!(!place("iam_role", "eu-west-1").is_same(&place("iam_instance_profile", "eu-west-1"), Scope::Global));
    }
}
