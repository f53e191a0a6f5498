//! How a service's tasks are exchanged for new ones.

use std::time::Duration;

use aws_sdk_ecs::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::breaker::{CircuitBreaker, EarlySuccess};
use super::controller::ECS;
use super::hook::{self, LifecycleHook};
use super::unbuilt;
use leoctl_core::engine::ports::Outcome;
use leoctl_core::model::value::Value;

/// The strategy that moves no requests.
const ROLLING: &str = "ROLLING";

/// How tasks are exchanged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeploymentConfiguration {
    /// `ROLLING` exchanges tasks one after the other; the others start all new ones beside the old and move the
    /// requests over at once, in equal steps, or a few first.
    #[schemars(extend("default" = ROLLING, "enum" = ["ROLLING", "BLUE_GREEN", "LINEAR", "CANARY"]))]
    strategy: String,
    /// The most tasks during a deployment, in percent of the desired count; 100 of a `DAEMON`.
    #[schemars(extend("default" = 200), range(min = 100))]
    maximum_percent: i32,
    /// The fewest healthy tasks during a deployment, in percent of the desired count; 0 of a `DAEMON` when left out.
    #[schemars(extend("default" = 100), range(min = 0, max = 100))]
    minimum_healthy_percent: i32,
    /// Whether a deployment whose tasks keep failing is stopped.
    #[schemars(extend("default" = {}))]
    deployment_circuit_breaker: CircuitBreaker,
    /// CloudWatch alarms that stop a deployment.
    #[schemars(extend("default" = {}))]
    alarms: Alarms,
    /// Minutes for which the old tasks stay after all requests have moved.
    #[schemars(extend("x-server" = true), range(min = 0, max = 1440))]
    bake_time_in_minutes: Option<i32>,
    /// Functions that are asked before a deployment goes on, and pauses in which somebody is.
    #[schemars(extend("default" = [], "x-set" = true))]
    lifecycle_hooks: Vec<LifecycleHook>,
    /// Whether a deployment of the strategy `ROLLING` has succeeded before all of its tasks are healthy.
    #[schemars(extend("default" = {}))]
    early_success_criteria: EarlySuccess,
    /// The steps of `LINEAR`.
    linear_configuration: Option<Linear>,
    /// The first few of `CANARY`.
    canary_configuration: Option<Canary>,
}

/// Stopping a deployment during which an alarm goes off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alarms {
    /// The alarms.
    #[schemars(extend("default" = [], "x-set" = true))]
    alarm_names: Vec<String>,
    /// Whether they are looked at.
    #[schemars(extend("default" = false))]
    enable: bool,
    /// Whether the last good deployment comes back.
    #[schemars(extend("default" = false))]
    rollback: bool,
}

/// Moving requests in equal steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Linear {
    /// The size of a step, in percent of the requests.
    step_percent: f64,
    /// Minutes between steps.
    #[schemars(range(min = 0, max = 1440))]
    step_bake_time_in_minutes: i32,
}

/// Moving a few requests first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Canary {
    /// How many, in percent of the requests.
    canary_percent: f64,
    /// Minutes until the rest follows.
    #[schemars(range(min = 0, max = 1440))]
    canary_bake_time_in_minutes: i32,
}

/// How many minutes tasks of before stay, and a step takes, where nobody says (ECS Developer Guide, "Amazon ECS blue/green
/// deployments" and "linear deployments").
const BAKE: u64 = 15;
const STEP: u64 = 6;
const CANARY: u64 = 10;
/// No deployment is waited for longer than two months.
const MOST: u64 = 60 * 24 * 60;
/// The least step, which makes the most of them.
const STEP_PERCENT: f64 = 10.0;
/// How much longer a deployment may take than exchanging the tasks does, as its configuration says.
pub fn takes(deployment: &Value) -> Duration {
    let minutes = |block: Option<&Value>, name: &str| match block.and_then(|block| block.get(name)) {
        Some(Value::Int(minutes)) => u64::try_from(*minutes).ok(),
        _ => None,
    };
    let strategy = deployment.get("strategy").and_then(Value::as_str).unwrap_or(ROLLING);
    let moves = strategy != ROLLING;
    let bake = minutes(Some(deployment), "bake_time_in_minutes").unwrap_or(if moves { BAKE } else { 0 });
    let steps = match strategy {
        "LINEAR" => {
            let linear = deployment.get("linear_configuration");
            let percent = linear.and_then(|linear| number(linear.get("step_percent")?)).filter(|percent| *percent >= 1.0);
            // At most a hundred of them.
            let steps = (1..=100_u64).find(|steps| *steps as f64 * percent.unwrap_or(STEP_PERCENT) >= 100.0).unwrap_or(100);
            minutes(linear, "step_bake_time_in_minutes").unwrap_or(STEP).saturating_mul(steps)
        }
        "CANARY" => minutes(deployment.get("canary_configuration"), "canary_bake_time_in_minutes").unwrap_or(CANARY),
        _ => 0,
    };
    let hooks = deployment
        .get("lifecycle_hooks")
        .and_then(Value::as_list)
        .unwrap_or_default()
        .iter()
        .map(hook::minutes)
        .fold(0, u64::saturating_add);
    Duration::from_secs(60 * bake.saturating_add(steps).saturating_add(hooks).min(MOST))
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}

impl DeploymentConfiguration {
    /// Whether deployments move requests from one target group to another.
    pub fn moves_requests(&self) -> bool {
        self.strategy != ROLLING
    }

    /// The configuration for a call. Of deployments that ECS does not control itself it has only the percentages
    /// (ECS API Reference, DeploymentConfiguration); of a daemon's only those that are written, as AWS refuses the others'
    /// defaults.
    ///
    /// # Errors
    /// When the SDK finds it incomplete.
    pub fn to_api(&self, controller: &str, daemon: bool) -> Outcome<api::DeploymentConfiguration> {
        let written = |percent: i32, default: i32| (!daemon || percent != default).then_some(percent);
        let percentages = api::DeploymentConfiguration::builder()
            .set_maximum_percent(written(self.maximum_percent, 200))
            .set_minimum_healthy_percent(written(self.minimum_healthy_percent, 100));
        if controller != ECS {
            return Ok(percentages.build());
        }
        let alarms = api::DeploymentAlarms::builder()
            .set_alarm_names(Some(self.alarms.alarm_names.clone()))
            .enable(self.alarms.enable)
            .rollback(self.alarms.rollback);
        let linear = self.linear_configuration.as_ref().map(|linear| {
            api::LinearConfiguration::builder()
                .step_percent(linear.step_percent)
                .step_bake_time_in_minutes(linear.step_bake_time_in_minutes)
                .build()
        });
        let canary = self.canary_configuration.as_ref().map(|canary| {
            api::CanaryConfiguration::builder()
                .canary_percent(canary.canary_percent)
                .canary_bake_time_in_minutes(canary.canary_bake_time_in_minutes)
                .build()
        });
        Ok(percentages
            .strategy(api::DeploymentStrategy::from(self.strategy.as_str()))
            .deployment_circuit_breaker(self.deployment_circuit_breaker.to_api()?)
            // Other strategies have none, and what AWS remembers of them is not said to it.
            .set_early_success_criteria(self.early_success_criteria.to_api().filter(|_| self.strategy == ROLLING))
            .alarms(alarms.build().map_err(unbuilt)?)
            .set_bake_time_in_minutes(self.bake_time_in_minutes)
            .set_lifecycle_hooks(Some(self.lifecycle_hooks.iter().map(LifecycleHook::to_api).collect()))
            .set_linear_configuration(linear)
            .set_canary_configuration(canary)
            .build())
    }

    /// The configuration AWS returned.
    pub fn from_api(configuration: Option<&api::DeploymentConfiguration>) -> Self {
        let breaker = configuration.and_then(|configuration| configuration.deployment_circuit_breaker());
        let alarms = configuration.and_then(|configuration| configuration.alarms());
        let linear = configuration.and_then(|configuration| configuration.linear_configuration());
        let canary = configuration.and_then(|configuration| configuration.canary_configuration());
        let hooks = configuration.map(api::DeploymentConfiguration::lifecycle_hooks).unwrap_or_default();
        let strategy = configuration.and_then(|configuration| configuration.strategy());
        Self {
            strategy: strategy.map_or(ROLLING, api::DeploymentStrategy::as_str).to_owned(),
            maximum_percent: configuration.and_then(|configuration| configuration.maximum_percent()).unwrap_or(200),
            minimum_healthy_percent: configuration.and_then(|configuration| configuration.minimum_healthy_percent()).unwrap_or(100),
            deployment_circuit_breaker: CircuitBreaker::from_api(breaker),
            early_success_criteria: EarlySuccess::from_api(configuration.and_then(|configuration| configuration.early_success_criteria())),
            alarms: Alarms {
                alarm_names: alarms.map(|alarms| alarms.alarm_names().to_vec()).unwrap_or_default(),
                enable: alarms.is_some_and(api::DeploymentAlarms::enable),
                rollback: alarms.is_some_and(api::DeploymentAlarms::rollback),
            },
            bake_time_in_minutes: configuration.and_then(|configuration| configuration.bake_time_in_minutes()),
            lifecycle_hooks: hooks.iter().map(LifecycleHook::from_api).collect(),
            linear_configuration: linear.map(|linear| Linear {
                step_percent: linear.step_percent().unwrap_or_default(),
                step_bake_time_in_minutes: linear.step_bake_time_in_minutes().unwrap_or_default(),
            }),
            canary_configuration: canary.map(|canary| Canary {
                canary_percent: canary.canary_percent().unwrap_or_default(),
                canary_bake_time_in_minutes: canary.canary_bake_time_in_minutes().unwrap_or_default(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(deployment: serde_json::Value) -> u64 {
        takes(&Value::from(deployment)).as_secs() / 60
    }

    #[test]
    fn a_deployment_may_take_as_long_as_its_steps_do() {
        assert_eq!(minutes(serde_json::json!({})), 0);
        assert_eq!(minutes(serde_json::json!({ "strategy": "BLUE_GREEN", "bake_time_in_minutes": 1440 })), 1440);
        // Ten steps of six minutes, and a quarter of an hour in which it can still go back.
        assert_eq!(minutes(serde_json::json!({ "strategy": "LINEAR" })), 75);
        let linear = serde_json::json!({ "step_percent": 30.0, "step_bake_time_in_minutes": 10 });
        assert_eq!(minutes(serde_json::json!({ "strategy": "LINEAR", "bake_time_in_minutes": 0, "linear_configuration": linear })), 40);
        let canary = serde_json::json!({ "canary_percent": 5, "canary_bake_time_in_minutes": 30 });
        assert_eq!(minutes(serde_json::json!({ "strategy": "CANARY", "bake_time_in_minutes": 5, "canary_configuration": canary })), 35);
        let hooks = serde_json::json!([{ "lifecycle_stages": ["PRE_SCALE_UP", "POST_SCALE_UP"] }]);
        assert_eq!(
            minutes(serde_json::json!({ "strategy": "BLUE_GREEN", "bake_time_in_minutes": 0, "lifecycle_hooks": hooks })),
            2 * 24 * 60
        );
    }

    #[test]
    fn a_daemon_has_no_maximum() {
        let configuration = DeploymentConfiguration::from_api(None);
        let daemon = configuration.to_api(ECS, true).unwrap();
        assert_eq!((daemon.maximum_percent(), daemon.minimum_healthy_percent()), (None, None));
        let replica = configuration.to_api(ECS, false).unwrap();
        assert_eq!((replica.maximum_percent(), replica.minimum_healthy_percent()), (Some(200), Some(100)));
        let half = DeploymentConfiguration { minimum_healthy_percent: 50, ..configuration };
        assert_eq!(half.to_api(ECS, true).unwrap().minimum_healthy_percent(), Some(50));
    }
}
