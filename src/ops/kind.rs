//! The types of resources that the commands of every day are about.
//!
//! A command finds resources by one of these, and by nothing else ([`super::Deployed`]). So each new one has to say what it
//! takes of IAM to operate it ([`super::iam_policy`]) before a command can be about it.

use leoctl_core::model::address::Address;

/// A type of resources that commands are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `cloudwatch_metric_alarm`.
    Alarm,
    /// `acm_certificate`.
    Certificate,
    /// `ecs_cluster`.
    Cluster,
    /// `lb_listener`.
    Listener,
    /// `cloudwatch_log_group`.
    LogGroup,
    /// `ecr_repository`.
    Repository,
    /// `appautoscaling_target`.
    ScalableTarget,
    /// `secretsmanager_secret`.
    Secret,
    /// `ecs_service`.
    Service,
    /// `subnet`.
    Subnet,
    /// `lb_target_group`.
    TargetGroup,
    /// `ecs_task_definition`.
    TaskDefinition,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Alarm,
        Self::Certificate,
        Self::Cluster,
        Self::Listener,
        Self::LogGroup,
        Self::Repository,
        Self::ScalableTarget,
        Self::Secret,
        Self::Service,
        Self::Subnet,
        Self::TargetGroup,
        Self::TaskDefinition,
    ];

    /// The name of the type.
    pub const fn type_name(self) -> &'static str {
        match self {
            Self::Alarm => "cloudwatch_metric_alarm",
            Self::Certificate => "acm_certificate",
            Self::Cluster => "ecs_cluster",
            Self::Listener => "lb_listener",
            Self::LogGroup => "cloudwatch_log_group",
            Self::Repository => "ecr_repository",
            Self::ScalableTarget => "appautoscaling_target",
            Self::Secret => "secretsmanager_secret",
            Self::Service => "ecs_service",
            Self::Subnet => "subnet",
            Self::TargetGroup => "lb_target_group",
            Self::TaskDefinition => "ecs_task_definition",
        }
    }

    /// The kind of a type; nothing for one that no command is about.
    pub fn of_type(type_name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.type_name() == type_name)
    }

    /// Whether an address is of this type.
    pub fn has(self, address: &Address) -> bool {
        address.type_name() == self.type_name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use leoctl_aws::registry;

    #[test]
    fn every_kind_is_a_type_that_there_is_and_is_found_by_its_name() {
        let catalog = registry::catalog();
        for kind in Kind::ALL {
            assert!(catalog.resources.contains_key(kind.type_name()), "{kind:?}");
            assert_eq!(Kind::of_type(kind.type_name()), Some(kind));
        }
        assert_eq!(Kind::of_type("kms_key"), None);
    }
}
