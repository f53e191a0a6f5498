//! How a service's tasks are exchanged for new ones.

use aws_sdk_ecs::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::unbuilt;
use leoctl_core::engine::ports::Outcome;

/// How tasks are exchanged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeploymentConfiguration {
    /// `ROLLING` exchanges tasks one after the other; the others start all new ones beside the old and move the
    /// requests over at once, in equal steps, or a few first.
    #[schemars(extend("default" = "ROLLING", "enum" = ["ROLLING", "BLUE_GREEN", "LINEAR", "CANARY"]))]
    strategy: String,
    /// The most tasks during a deployment, in percent of the desired count.
    #[schemars(extend("default" = 200), range(min = 100))]
    maximum_percent: i32,
    /// The fewest healthy tasks during a deployment, in percent of the desired count.
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
    /// Functions that are asked before a deployment goes on.
    #[schemars(extend("default" = [], "x-key" = "hook_target_arn"))]
    lifecycle_hooks: Vec<LifecycleHook>,
    /// The steps of `LINEAR`.
    linear_configuration: Option<Linear>,
    /// The first few of `CANARY`.
    canary_configuration: Option<Canary>,
}

/// Stopping a deployment whose tasks keep failing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CircuitBreaker {
    /// Whether it is stopped.
    #[schemars(extend("default" = false))]
    enable: bool,
    /// Whether the last good deployment comes back.
    #[schemars(extend("default" = false))]
    rollback: bool,
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

/// A function that is asked before a deployment goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LifecycleHook {
    /// The Lambda function.
    #[schemars(extend("x-format" = "arn:lambda"))]
    hook_target_arn: String,
    /// The role ECS calls it with.
    #[schemars(extend("x-format" = "arn:iam"))]
    role_arn: String,
    /// When it is asked, such as `POST_TEST_TRAFFIC_SHIFT`.
    #[schemars(extend("x-set" = true))]
    lifecycle_stages: Vec<Stage>,
}

/// A moment in a deployment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("enum" = [
    "RECONCILE_SERVICE", "PRE_SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"
]))]
pub struct Stage(String);

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

impl DeploymentConfiguration {
    /// The configuration for a call. Of deployments that ECS does not control itself it has only the percentages
    /// (ECS API Reference, DeploymentConfiguration).
    ///
    /// # Errors
    /// When the SDK finds it incomplete.
    pub fn to_api(&self, controller: &str) -> Outcome<api::DeploymentConfiguration> {
        let percentages = api::DeploymentConfiguration::builder()
            .maximum_percent(self.maximum_percent)
            .minimum_healthy_percent(self.minimum_healthy_percent);
        if controller != "ECS" {
            return Ok(percentages.build());
        }
        let breaker = &self.deployment_circuit_breaker;
        let breaker = api::DeploymentCircuitBreaker::builder().enable(breaker.enable).rollback(breaker.rollback).build();
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
            .deployment_circuit_breaker(breaker)
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
            strategy: strategy.map_or("ROLLING", api::DeploymentStrategy::as_str).to_owned(),
            maximum_percent: configuration.and_then(|configuration| configuration.maximum_percent()).unwrap_or(200),
            minimum_healthy_percent: configuration.and_then(|configuration| configuration.minimum_healthy_percent()).unwrap_or(100),
            deployment_circuit_breaker: CircuitBreaker {
                enable: breaker.is_some_and(api::DeploymentCircuitBreaker::enable),
                rollback: breaker.is_some_and(api::DeploymentCircuitBreaker::rollback),
            },
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

impl LifecycleHook {
    fn to_api(&self) -> api::DeploymentLifecycleHook {
        let stages = self.lifecycle_stages.iter().map(|Stage(stage)| api::DeploymentLifecycleHookStage::from(stage.as_str()));
        api::DeploymentLifecycleHook::builder()
            .hook_target_arn(&self.hook_target_arn)
            .role_arn(&self.role_arn)
            .set_lifecycle_stages(Some(stages.collect()))
            .build()
    }

    fn from_api(hook: &api::DeploymentLifecycleHook) -> Self {
        Self {
            hook_target_arn: hook.hook_target_arn().unwrap_or_default().to_owned(),
            role_arn: hook.role_arn().unwrap_or_default().to_owned(),
            lifecycle_stages: hook.lifecycle_stages().iter().map(|stage| Stage(stage.as_str().to_owned())).collect(),
        }
    }
}
