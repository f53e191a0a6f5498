//! Which changes of a service begin no deployment.

use super::service::EcsService;

/// What is changed without a deployment (ECS API Reference, UpdateService: "This parameter doesn't trigger a new service
/// deployment"), and what only leoctl or no task knows of.
const QUIET: &[&str] = &[
    "availability_zone_rebalancing",
    "deployment_configuration",
    "desired_count",
    "enable_ecs_managed_tags",
    "enable_execute_command",
    "health_check_grace_period_seconds",
    "placement_constraints",
    "placement_strategy",
    "propagate_tags",
    "rollout",
    "tags",
];

/// What is waited for after an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// No task starts or stops because of it.
    Nothing,
    /// As many tasks as there are to be.
    Count,
    /// The deployment that it has begun.
    Deployment,
}

/// What is waited for after an update that sets these attributes; of a service just made there is a deployment.
pub(super) fn waits_for(attributes: &[String]) -> Wait {
    match () {
        () if attributes.is_empty() || !attributes.iter().all(|name| QUIET.contains(&name.as_str())) => Wait::Deployment,
        () if attributes.iter().any(|name| name == "desired_count") => Wait::Count,
        () => Wait::Nothing,
    }
}

/// The attributes in which two services differ.
pub(super) fn differing(from: &EcsService, to: &EcsService) -> Vec<String> {
    let fields = |service: &EcsService| serde_json::to_value(service).unwrap_or_default();
    let (from, to) = (fields(from), fields(to));
    let fields = to.as_object().into_iter().flatten();
    fields.filter(|(name, value)| from.get(name.as_str()) != Some(value)).map(|(name, _)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::types as api;

    use super::*;

    #[test]
    fn only_a_change_that_begins_no_deployment_is_judged_by_the_number_of_tasks() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(waits_for(&names(&["desired_count", "tags"])), Wait::Count);
        assert_eq!(waits_for(&names(&["tags", "propagate_tags"])), Wait::Nothing);
        assert_eq!(waits_for(&names(&["desired_count", "task_definition"])), Wait::Deployment);
        assert_eq!(waits_for(&[]), Wait::Deployment, "of a creation that did not end");
        let known = |name: &&str| crate::registry::catalog().resources["ecs_service"].schema.attribute(name).is_some();
        assert!(QUIET.iter().all(known));
        let (_, service) = EcsService::from_api(&api::Service::builder().desired_count(2).build());
        let (_, more) = EcsService::from_api(&api::Service::builder().desired_count(3).build());
        assert_eq!(differing(&service, &more), ["desired_count"]);
        assert!(differing(&service, &service).is_empty());
    }
}
