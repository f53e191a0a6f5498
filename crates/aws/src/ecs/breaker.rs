//! When a deployment counts as failed or as done before all of its tasks run.

use aws_sdk_ecs::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::unbuilt;
use leoctl_core::engine::ports::Outcome;

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
    /// Whether a task that becomes healthy sets the count of failures back to 0; AWS begins with that.
    #[schemars(extend("x-server" = true))]
    reset_on_healthy_task: Option<bool>,
    /// How many failures are too many; half of the desired count where AWS chooses.
    #[schemars(extend("x-server" = true))]
    threshold_configuration: Option<Threshold>,
}

/// How many failures of tasks are too many.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// What `value` is: a number of failures, or percent of the desired count with or without bounds that AWS sets.
    #[schemars(extend("default" = "BOUNDED_PERCENT", "enum" = ["BOUNDED_PERCENT", "UNBOUNDED_PERCENT", "COUNT"]))]
    r#type: String,
    /// How many.
    #[schemars(range(min = 0))]
    value: i32,
}

/// Counting a deployment as done before all of its tasks are healthy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EarlySuccess {
    /// Whether it is.
    #[schemars(extend("default" = false))]
    enable: bool,
    /// How many tasks have to be healthy, in percent of the desired count; no fewer than `minimum_healthy_percent`.
    #[schemars(extend("x-server" = true), range(min = 0, max = 100))]
    healthy_percent: Option<i32>,
    /// Whether the tasks of before are removed first (`BLOCKING`), or afterwards (`DEFERRED`).
    #[schemars(extend("x-server" = true, "enum" = ["BLOCKING", "DEFERRED"]))]
    source_service_revision_cleanup: Option<String>,
}

impl CircuitBreaker {
    /// The circuit breaker for a call. What is not written is what AWS has, which a call without it may set back.
    ///
    /// # Errors
    /// When the SDK finds it incomplete.
    pub fn to_api(&self) -> Outcome<api::DeploymentCircuitBreaker> {
        let Self { enable, rollback, reset_on_healthy_task, threshold_configuration } = self.clone();
        let threshold = threshold_configuration.map(|threshold| {
            let kind = api::ThresholdType::from(threshold.r#type.as_str());
            api::ThresholdConfiguration::builder().r#type(kind).value(threshold.value).build().map_err(unbuilt)
        });
        Ok(api::DeploymentCircuitBreaker::builder()
            .enable(enable)
            .rollback(rollback)
            .set_reset_on_healthy_task(reset_on_healthy_task)
            .set_threshold_configuration(threshold.transpose()?)
            .build())
    }

    /// The circuit breaker AWS returned.
    pub fn from_api(breaker: Option<&api::DeploymentCircuitBreaker>) -> Self {
        Self {
            enable: breaker.is_some_and(api::DeploymentCircuitBreaker::enable),
            rollback: breaker.is_some_and(api::DeploymentCircuitBreaker::rollback),
            reset_on_healthy_task: breaker.and_then(|breaker| breaker.reset_on_healthy_task()),
            threshold_configuration: breaker
                .and_then(|breaker| breaker.threshold_configuration())
                .map(|threshold| Threshold { r#type: threshold.r#type().as_str().to_owned(), value: threshold.value() }),
        }
    }
}

impl EarlySuccess {
    /// The criteria for a call; none where they have never been used.
    pub fn to_api(&self) -> Option<api::DeploymentEarlySuccessCriteria> {
        let Self { enable, healthy_percent, source_service_revision_cleanup: cleanup } = self;
        let is_known = *enable || healthy_percent.is_some() || cleanup.is_some();
        is_known.then(|| {
            api::DeploymentEarlySuccessCriteria::builder()
                .enable(*enable)
                .set_healthy_percent(*healthy_percent)
                .set_source_service_revision_cleanup(cleanup.as_deref().map(Into::into))
                .build()
        })
    }

    /// The criteria AWS returned.
    pub fn from_api(criteria: Option<&api::DeploymentEarlySuccessCriteria>) -> Self {
        Self {
            enable: criteria.is_some_and(|criteria| criteria.enable()),
            healthy_percent: criteria.and_then(|criteria| criteria.healthy_percent()),
            source_service_revision_cleanup: criteria
                .and_then(|criteria| criteria.source_service_revision_cleanup())
                .map(|cleanup| cleanup.as_str().to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_aws_has_of_a_circuit_breaker_and_of_early_success_is_sent_again() {
        let threshold = api::ThresholdConfiguration::builder().r#type(api::ThresholdType::Count).value(3).build().unwrap();
        let breaker = api::DeploymentCircuitBreaker::builder().enable(true).rollback(true).reset_on_healthy_task(false);
        let breaker = breaker.threshold_configuration(threshold).build();
        assert_eq!(CircuitBreaker::from_api(Some(&breaker)).to_api().unwrap(), breaker);
        let early = api::DeploymentEarlySuccessCriteria::builder().enable(true).healthy_percent(90);
        let early = early.source_service_revision_cleanup("DEFERRED".into()).build();
        assert_eq!(EarlySuccess::from_api(Some(&early)).to_api(), Some(early.clone()));
        // Once it was used, switching it off is said.
        let off = EarlySuccess { enable: false, ..EarlySuccess::from_api(Some(&early)) };
        assert_eq!(off.to_api().map(|off| off.enable()), Some(false));
        assert_eq!(EarlySuccess::from_api(None).to_api(), None, "a region that has none of it is not asked for it");
    }
}
