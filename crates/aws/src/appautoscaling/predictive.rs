//! What a predictive policy forecasts, and what it does with that.

use aws_sdk_applicationautoscaling::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tracking::{Dimension, MetricQuery, MetricStat};
use super::unbuilt;
use leoctl_core::engine::ports::Outcome;

/// Forecasts the load from that of the weeks before, and scales out ahead of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PredictiveScaling {
    /// What is forecast, and the utilization that is aimed at. AWS takes one.
    #[schemars(extend("minItems" = 1, "maxItems" = 1))]
    metric_specifications: Vec<MetricSpecification>,
    /// Whether it only forecasts, or scales by the forecast.
    #[schemars(extend("default" = "ForecastOnly", "enum" = ["ForecastOnly", "ForecastAndScale"]))]
    mode: String,
    /// Seconds before the time of the forecast at which it scales, such as the time that a task takes to start; AWS begins
    /// with 300.
    #[schemars(extend("x-server" = true), range(min = 0, max = 3600))]
    scheduling_buffer_time: Option<i32>,
    /// What it does when the forecast comes near to the target's `max_capacity` or exceeds it.
    #[schemars(extend("default" = "HonorMaxCapacity", "enum" = ["HonorMaxCapacity", "IncreaseMaxCapacity"]))]
    max_capacity_breach_behavior: String,
    /// How many percent above the forecast `max_capacity` is then, with `IncreaseMaxCapacity`.
    #[schemars(range(min = 0, max = 100))]
    max_capacity_buffer: Option<i32>,
}

/// What is forecast: a pair of metrics, or one for the load and one for the utilization.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricSpecification {
    /// The utilization that is aimed at.
    target_value: f64,
    /// Load and utilization that belong together, such as `ECSServiceCPUUtilization`.
    predefined_metric_pair_specification: Option<PredefinedForecast>,
    /// The utilization, such as `ECSServiceAverageCPUUtilization`.
    predefined_scaling_metric_specification: Option<PredefinedForecast>,
    /// The load, such as `ECSServiceTotalCPUUtilization`.
    predefined_load_metric_specification: Option<PredefinedForecast>,
    /// The utilization, of any other metrics.
    customized_scaling_metric_specification: Option<CustomizedForecast>,
    /// The load, of any other metrics.
    customized_load_metric_specification: Option<CustomizedForecast>,
    /// The capacity, of any other metrics.
    customized_capacity_metric_specification: Option<CustomizedForecast>,
}

/// Metrics AWS knows how to read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PredefinedForecast {
    /// The metric or pair of metrics.
    #[schemars(length(max = 128))]
    predefined_metric_type: String,
    /// The load balancer and target group of `ALBRequestCount`: `app/NAME/ID/targetgroup/NAME/ID`, from their ARNs.
    #[schemars(length(max = 1023))]
    resource_label: Option<String>,
}

/// Metrics of CloudWatch, and expressions over them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomizedForecast {
    /// The metrics and expressions; exactly one of them returns data.
    #[schemars(extend("x-key" = "id"))]
    metric_data_queries: Vec<MetricQuery>,
}

impl PredictiveScaling {
    /// The configuration for a call.
    ///
    /// # Errors
    /// When the SDK finds it incomplete.
    pub fn to_api(&self) -> Outcome<api::PredictiveScalingPolicyConfiguration> {
        let Self { metric_specifications, mode, scheduling_buffer_time, max_capacity_breach_behavior, max_capacity_buffer } = self;
        api::PredictiveScalingPolicyConfiguration::builder()
            .set_metric_specifications(Some(metric_specifications.iter().map(MetricSpecification::to_api).collect::<Outcome<_>>()?))
            .mode(api::PredictiveScalingMode::from(mode.as_str()))
            .set_scheduling_buffer_time(*scheduling_buffer_time)
            .max_capacity_breach_behavior(api::PredictiveScalingMaxCapacityBreachBehavior::from(max_capacity_breach_behavior.as_str()))
            .set_max_capacity_buffer(*max_capacity_buffer)
            .build()
            .map_err(unbuilt)
    }

    /// The configuration AWS returned.
    pub fn from_api(found: &api::PredictiveScalingPolicyConfiguration) -> Self {
        use api::PredictiveScalingMaxCapacityBreachBehavior as Behaviour;
        Self {
            metric_specifications: found.metric_specifications().iter().map(MetricSpecification::from_api).collect(),
            mode: found.mode().map_or("ForecastOnly", api::PredictiveScalingMode::as_str).to_owned(),
            scheduling_buffer_time: found.scheduling_buffer_time(),
            max_capacity_breach_behavior: found.max_capacity_breach_behavior().map_or("HonorMaxCapacity", Behaviour::as_str).to_owned(),
            max_capacity_buffer: found.max_capacity_buffer(),
        }
    }
}

impl MetricSpecification {
    fn to_api(&self) -> Outcome<api::PredictiveScalingMetricSpecification> {
        let Self {
            target_value,
            predefined_metric_pair_specification: pair,
            predefined_scaling_metric_specification: scaling,
            predefined_load_metric_specification: load,
            customized_scaling_metric_specification: own_scaling,
            customized_load_metric_specification: own_load,
            customized_capacity_metric_specification: own_capacity,
        } = self;
        let pair = pair.as_ref().map(|of| {
            let of = of.clone();
            let built =
                api::PredictiveScalingPredefinedMetricPairSpecification::builder().predefined_metric_type(of.predefined_metric_type);
            built.set_resource_label(of.resource_label).build().map_err(unbuilt)
        });
        let scaling = scaling.as_ref().map(|of| {
            let of = of.clone();
            let built =
                api::PredictiveScalingPredefinedScalingMetricSpecification::builder().predefined_metric_type(of.predefined_metric_type);
            built.set_resource_label(of.resource_label).build().map_err(unbuilt)
        });
        let load = load.as_ref().map(|of| {
            let of = of.clone();
            let built =
                api::PredictiveScalingPredefinedLoadMetricSpecification::builder().predefined_metric_type(of.predefined_metric_type);
            built.set_resource_label(of.resource_label).build().map_err(unbuilt)
        });
        let own = |of: &Option<CustomizedForecast>| of.as_ref().map(CustomizedForecast::to_api).transpose();
        api::PredictiveScalingMetricSpecification::builder()
            .target_value(*target_value)
            .set_predefined_metric_pair_specification(pair.transpose()?)
            .set_predefined_scaling_metric_specification(scaling.transpose()?)
            .set_predefined_load_metric_specification(load.transpose()?)
            .set_customized_scaling_metric_specification(own(own_scaling)?)
            .set_customized_load_metric_specification(own(own_load)?)
            .set_customized_capacity_metric_specification(own(own_capacity)?)
            .build()
            .map_err(unbuilt)
    }

    fn from_api(found: &api::PredictiveScalingMetricSpecification) -> Self {
        let predefined = |kind: &str, label: Option<&str>| PredefinedForecast {
            predefined_metric_type: kind.to_owned(),
            resource_label: label.map(str::to_owned),
        };
        Self {
            target_value: found.target_value(),
            predefined_metric_pair_specification: found
                .predefined_metric_pair_specification()
                .map(|of| predefined(of.predefined_metric_type(), of.resource_label())),
            predefined_scaling_metric_specification: found
                .predefined_scaling_metric_specification()
                .map(|of| predefined(of.predefined_metric_type(), of.resource_label())),
            predefined_load_metric_specification: found
                .predefined_load_metric_specification()
                .map(|of| predefined(of.predefined_metric_type(), of.resource_label())),
            customized_scaling_metric_specification: found.customized_scaling_metric_specification().map(CustomizedForecast::from_api),
            customized_load_metric_specification: found.customized_load_metric_specification().map(CustomizedForecast::from_api),
            customized_capacity_metric_specification: found.customized_capacity_metric_specification().map(CustomizedForecast::from_api),
        }
    }
}

impl CustomizedForecast {
    fn to_api(&self) -> Outcome<api::PredictiveScalingCustomizedMetricSpecification> {
        let queries = self.metric_data_queries.iter().map(query_to_api).collect::<Outcome<Vec<_>>>()?;
        api::PredictiveScalingCustomizedMetricSpecification::builder().set_metric_data_queries(Some(queries)).build().map_err(unbuilt)
    }

    fn from_api(found: &api::PredictiveScalingCustomizedMetricSpecification) -> Self {
        Self { metric_data_queries: found.metric_data_queries().iter().map(query_from_api).collect() }
    }
}

fn query_to_api(query: &MetricQuery) -> Outcome<api::PredictiveScalingMetricDataQuery> {
    let MetricQuery { id, expression, label, metric_stat, return_data } = query;
    api::PredictiveScalingMetricDataQuery::builder()
        .id(id)
        .set_expression(expression.clone())
        .set_label(label.clone())
        .set_metric_stat(metric_stat.as_ref().map(stat_to_api).transpose()?)
        .return_data(*return_data)
        .build()
        .map_err(unbuilt)
}

fn query_from_api(found: &api::PredictiveScalingMetricDataQuery) -> MetricQuery {
    MetricQuery {
        id: found.id().to_owned(),
        expression: found.expression().map(str::to_owned),
        label: found.label().map(str::to_owned),
        metric_stat: found.metric_stat().map(stat_from_api),
        return_data: found.return_data().unwrap_or(true),
    }
}

fn stat_to_api(of: &MetricStat) -> Outcome<api::PredictiveScalingMetricStat> {
    let MetricStat { metric_name, namespace, dimensions, stat, unit } = of;
    let dimension = |one: &Dimension| api::PredictiveScalingMetricDimension::builder().name(&one.name).value(&one.value).build();
    let dimensions = dimensions.iter().map(dimension).collect::<Result<Vec<_>, _>>().map_err(unbuilt)?;
    let metric = api::PredictiveScalingMetric::builder().metric_name(metric_name).namespace(namespace);
    let metric = metric.set_dimensions(Some(dimensions).filter(|all| !all.is_empty())).build();
    api::PredictiveScalingMetricStat::builder().metric(metric).stat(stat).set_unit(unit.clone()).build().map_err(unbuilt)
}

fn stat_from_api(found: &api::PredictiveScalingMetricStat) -> MetricStat {
    let metric = found.metric();
    let dimension = |one: &api::PredictiveScalingMetricDimension| Dimension { name: one.name().to_owned(), value: one.value().to_owned() };
    MetricStat {
        metric_name: metric.and_then(|metric| metric.metric_name()).unwrap_or_default().to_owned(),
        namespace: metric.and_then(|metric| metric.namespace()).unwrap_or_default().to_owned(),
        dimensions: metric.map(|metric| metric.dimensions().iter().map(dimension).collect()).unwrap_or_default(),
        stat: found.stat().to_owned(),
        unit: found.unit().map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_forecast_is_read_as_it_was_sent() {
        let query = json!({ "id": "m", "return_data": true, "metric_stat": {
            "metric_name": "Depth", "namespace": "Leo", "stat": "Sum", "dimensions": [{ "name": "Queue", "value": "q" }] } });
        let written = json!({
            "mode": "ForecastAndScale", "scheduling_buffer_time": 60, "max_capacity_breach_behavior": "IncreaseMaxCapacity",
            "max_capacity_buffer": 10,
            "metric_specifications": [{ "target_value": 60.0,
                "predefined_metric_pair_specification": { "predefined_metric_type": "ECSServiceCPUUtilization" },
                "customized_load_metric_specification": { "metric_data_queries": [query] } }],
        });
        let wanted: PredictiveScaling = serde_json::from_value(written).unwrap();
        assert_eq!(PredictiveScaling::from_api(&wanted.to_api().unwrap()), wanted);
    }
}
