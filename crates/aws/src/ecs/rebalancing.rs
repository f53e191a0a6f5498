//! Spreading the tasks of a service over zones again, which ECS does not do for all services.

use crate::given::{int, list, text};
use leoctl_core::model::schema::Refusal;
use leoctl_core::model::value::Value;

/// The attribute that says whether ECS does.
pub(super) const ATTRIBUTE: &str = "availability_zone_rebalancing";

/// What of a service excludes that its tasks are spread over zones again (ECS Developer Guide, "Balancing an Amazon ECS service
/// across Availability Zones").
pub(super) fn conflict(service: &Value) -> Option<&'static str> {
    if text(service, ATTRIBUTE) != Some("ENABLED") {
        return None;
    }
    let deployment = service.get("deployment_configuration").unwrap_or(&Value::Null);
    let is_classic = |balancer: &Value| text(balancer, "load_balancer_name").is_some();
    let is_of_zones = |constraint: &Value| text(constraint, "expression").is_some_and(|text| text.contains("ecs.availability-zone"));
    Some(match () {
        () if text(service, "scheduling_strategy") == Some("DAEMON") => {
            "a service with the strategy DAEMON is not rebalanced between zones"
        }
        () if text(service, "launch_type") == Some("EXTERNAL") => "a service with the launch type EXTERNAL is not rebalanced between zones",
        () if int(deployment, "maximum_percent").is_some_and(|most| most <= 100) => {
            "a service is rebalanced between zones by tasks beside those that it has: `maximum_percent` is more than 100"
        }
        () if list(service, "load_balancers").iter().any(is_classic) => {
            "a service with a classic load balancer is not rebalanced between zones"
        }
        () if list(service, "placement_constraints").iter().any(is_of_zones) => {
            "a service with a constraint on `ecs.availability-zone` is not rebalanced between zones"
        }
        () => return None,
    })
}

/// Why ECS refuses to make one service of the other. One that says nothing of it is rebalanced from its creation on, and goes on to
/// be (ECS API Reference, UpdateService: `availabilityZoneRebalancing`).
pub(super) fn refusal(before: &Value, after: &Value) -> Option<Refusal> {
    let why = conflict(after).filter(|_| conflict(before).is_none())?;
    Some(Refusal {
        why,
        help: "set `availability_zone_rebalancing = \"DISABLED\"`: a service that leaves it out keeps what AWS chose for it",
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::{conflict, refusal};
    use leoctl_core::model::value::Value;

    #[test]
    fn what_ecs_does_not_rebalance_is_refused() {
        let service = |rebalancing: &str, name: &str, value: Json| {
            let mut service = json!({ "availability_zone_rebalancing": rebalancing, "launch_type": "FARGATE", "deployment_configuration": { "maximum_percent": 200 } });
            service[name] = value;
            Value::from(service)
        };
        for (name, value) in [
            ("scheduling_strategy", json!("DAEMON")),
            ("launch_type", json!("EXTERNAL")),
            ("deployment_configuration", json!({ "maximum_percent": 100 })),
            ("load_balancers", json!([{ "load_balancer_name": "old" }])),
            ("placement_constraints", json!([{ "type": "memberOf", "expression": "attribute:ecs.availability-zone == eu-west-1a" }])),
        ] {
            assert!(conflict(&service("ENABLED", name, value.clone())).is_some(), "{name}");
            assert!(conflict(&service("DISABLED", name, value.clone())).is_none(), "{name}");
            let before = Value::from(json!({ "availability_zone_rebalancing": "ENABLED" }));
            let help = refusal(&before, &service("ENABLED", name, value)).unwrap().help;
            assert!(help.contains("= \"DISABLED\""), "{help}");
        }
        let kept = json!([{ "type": "memberOf", "expression": "attribute:ecs.instance-type =~ t3.*" }]);
        assert!(conflict(&service("ENABLED", "placement_constraints", kept)).is_none());
        assert!(conflict(&Value::from(json!({ "deployment_configuration": { "maximum_percent": 100 } }))).is_none());
    }
}
