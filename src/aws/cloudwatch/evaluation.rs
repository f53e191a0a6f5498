//! What few alarms need: PromQL queries, a time to warm up, tags in notifications.

use aws_sdk_cloudwatch::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A PromQL query. It yields a vector; what is in the vector is beyond the threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PromQlCriteria {
    /// The query.
    query: String,
    /// Seconds for which something has to be in the vector before the alarm goes off.
    pending_period: Option<i32>,
    /// Seconds for which it has to be gone before all is well again.
    recovery_period: Option<i32>,
}

/// Which tags notifications contain: all, when neither list is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TagsPropagation {
    /// Only these keys.
    #[schemars(extend("default" = [], "x-set" = true))]
    included_tag_keys: Vec<String>,
    /// All but these keys.
    #[schemars(extend("default" = [], "x-set" = true))]
    excluded_tag_keys: Vec<String>,
}

impl PromQlCriteria {
    /// For a call.
    pub fn to_api(&self) -> api::EvaluationCriteria {
        let Self { query, pending_period, recovery_period } = self.clone();
        let criteria = api::AlarmPromQlCriteria::builder().query(query).set_pending_period(pending_period);
        api::EvaluationCriteria::PromQlCriteria(criteria.set_recovery_period(recovery_period).build())
    }

    /// What AWS returned; none where it does nothing.
    pub fn from_api(criteria: &api::EvaluationCriteria) -> Option<Self> {
        let criteria = criteria.as_prom_ql_criteria().ok()?;
        Some(Self {
            query: criteria.query().unwrap_or_default().to_owned(),
            pending_period: criteria.pending_period(),
            recovery_period: criteria.recovery_period(),
        })
    }
}

impl TagsPropagation {
    /// For a call.
    pub fn to_api(&self) -> api::AlarmTagsPropagation {
        let Self { included_tag_keys, excluded_tag_keys } = self.clone();
        let some = |keys: Vec<String>| Some(keys).filter(|keys| !keys.is_empty());
        let enabled = api::AlarmTagsPropagation::builder().enabled(true);
        enabled.set_included_tag_keys(some(included_tag_keys)).set_excluded_tag_keys(some(excluded_tag_keys)).build()
    }

    /// What AWS returned; none where it does nothing.
    pub fn from_api(propagation: &api::AlarmTagsPropagation) -> Option<Self> {
        propagation.enabled().unwrap_or_default().then(|| Self {
            included_tag_keys: propagation.included_tag_keys().to_vec(),
            excluded_tag_keys: propagation.excluded_tag_keys().to_vec(),
        })
    }
}

/// How long an alarm waits after each change of it, in `INSUFFICIENT_DATA` and without acting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WarmUp {
    /// Minutes.
    #[schemars(range(min = 1))]
    warm_up_period_duration_in_minutes: i32,
    /// Whether they pass in full even when values come earlier.
    #[schemars(extend("default" = false))]
    only_start_evaluating_after_warm_up_period_ends: bool,
}

impl WarmUp {
    /// For a call.
    pub fn to_api(&self) -> api::WarmUpConfiguration {
        let Self { warm_up_period_duration_in_minutes, only_start_evaluating_after_warm_up_period_ends } = self;
        api::WarmUpConfiguration::builder()
            .warm_up_period_duration_in_minutes(*warm_up_period_duration_in_minutes)
            .only_start_evaluating_after_warm_up_period_ends(*only_start_evaluating_after_warm_up_period_ends)
            .build()
    }

    /// What AWS returned; none where it does nothing.
    pub fn from_api(warm_up: &api::WarmUpConfiguration) -> Option<Self> {
        Some(Self {
            warm_up_period_duration_in_minutes: warm_up.warm_up_period_duration_in_minutes()?,
            only_start_evaluating_after_warm_up_period_ends: warm_up.only_start_evaluating_after_warm_up_period_ends().unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // No emulator knows these: the two directions are held to each other.
    #[test]
    fn what_is_sent_is_what_is_read() {
        let criteria = PromQlCriteria { query: "up == 0".to_owned(), pending_period: Some(60), recovery_period: None };
        assert_eq!(PromQlCriteria::from_api(&criteria.to_api()), Some(criteria));
        let propagation = TagsPropagation { included_tag_keys: vec!["a".to_owned()], excluded_tag_keys: Vec::new() };
        assert_eq!(TagsPropagation::from_api(&propagation.to_api()), Some(propagation));
        let warm_up = WarmUp { warm_up_period_duration_in_minutes: 5, only_start_evaluating_after_warm_up_period_ends: true };
        assert_eq!(WarmUp::from_api(&warm_up.to_api()), Some(warm_up));
        assert_eq!(TagsPropagation::from_api(&api::AlarmTagsPropagation::builder().enabled(false).build()), None);
    }
}
