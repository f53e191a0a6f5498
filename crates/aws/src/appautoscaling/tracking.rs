//! What a target-tracking policy keeps at which value.

use aws_sdk_applicationautoscaling::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::unbuilt;
use leoctl_core::engine::ports::Outcome;

/// Keeps a metric at a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetTracking {
    /// The value, in the metric's unit: percent for utilizations.
    target_value: f64,
    /// A metric AWS knows how to read.
    predefined_metric_specification: Option<PredefinedMetric>,
    /// Any other metric.
    customized_metric_specification: Option<CustomizedMetric>,
    /// Seconds to wait for a scale-out to take effect.
    #[schemars(extend("x-server" = true), range(min = 0))]
    scale_out_cooldown: Option<i32>,
    /// Seconds between two scale-ins.
    #[schemars(extend("x-server" = true), range(min = 0))]
    scale_in_cooldown: Option<i32>,
    /// Whether it only ever scales out.
    #[schemars(extend("default" = false))]
    disable_scale_in: bool,
}

// Application Auto Scaling API Reference, PredefinedMetricSpecification.
const METRICS: &[&str] = &[
    "DynamoDBReadCapacityUtilization",
    "DynamoDBWriteCapacityUtilization",
    "ALBRequestCountPerTarget",
    "RDSReaderAverageCPUUtilization",
    "RDSReaderAverageDatabaseConnections",
    "EC2SpotFleetRequestAverageCPUUtilization",
    "EC2SpotFleetRequestAverageNetworkIn",
    "EC2SpotFleetRequestAverageNetworkOut",
    "SageMakerVariantInvocationsPerInstance",
    "ECSServiceAverageCPUUtilization",
    "ECSServiceAverageMemoryUtilization",
    "AppStreamAverageCapacityUtilization",
    "ComprehendInferenceUtilization",
    "LambdaProvisionedConcurrencyUtilization",
    "CassandraReadCapacityUtilization",
    "CassandraWriteCapacityUtilization",
    "KafkaBrokerStorageUtilization",
    "ElastiCacheEngineCPUUtilization",
    "ElastiCacheDatabaseMemoryUsagePercentage",
    "ElastiCachePrimaryEngineCPUUtilization",
    "ElastiCacheReplicaEngineCPUUtilization",
    "ElastiCacheDatabaseMemoryUsageCountedForEvictPercentage",
    "NeptuneReaderAverageCPUUtilization",
    "SageMakerVariantProvisionedConcurrencyUtilization",
    "ElastiCacheDatabaseCapacityUsageCountedForEvictPercentage",
    "SageMakerInferenceComponentInvocationsPerCopy",
    "WorkSpacesAverageUserSessionsCapacityUtilization",
    "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution",
    "SageMakerVariantConcurrentRequestsPerModelHighResolution",
    "ECSServiceAverageCPUUtilizationHighResolution",
    "ECSServiceAverageMemoryUtilizationHighResolution",
];

/// A metric AWS knows how to read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PredefinedMetric {
    /// The metric: `ECSServiceAverageCPUUtilization`, `ECSServiceAverageMemoryUtilization` or
    /// `ALBRequestCountPerTarget` for an ECS service.
    #[schemars(extend("enum" = METRICS))]
    predefined_metric_type: String,
    /// The load balancer and target group of `ALBRequestCountPerTarget`: `app/NAME/ID/targetgroup/NAME/ID`, from
    /// their ARNs.
    #[schemars(length(max = 1023))]
    resource_label: Option<String>,
}

/// A metric of CloudWatch, or an expression over several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomizedMetric {
    /// The metric's name.
    metric_name: Option<String>,
    /// Its namespace.
    namespace: Option<String>,
    /// Its dimensions.
    #[schemars(extend("default" = [], "x-key" = "name"))]
    dimensions: Vec<Dimension>,
    /// What is made of its data points.
    #[schemars(extend("enum" = ["Average", "Maximum", "Minimum", "SampleCount", "Sum"]))]
    statistic: Option<String>,
    /// Its unit.
    unit: Option<String>,
    /// Metrics and expressions over them, instead of one metric; exactly one of them returns data.
    #[schemars(extend("default" = [], "x-key" = "id"))]
    metrics: Vec<MetricQuery>,
}

/// A dimension of a metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dimension {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A metric or an expression over others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricQuery {
    /// Its name in expressions.
    #[schemars(length(max = 255))]
    pub id: String,
    /// The expression.
    #[schemars(length(max = 2048))]
    pub expression: Option<String>,
    /// Its label.
    pub label: Option<String>,
    /// The metric.
    pub metric_stat: Option<MetricStat>,
    /// Whether it is what is tracked.
    #[schemars(extend("default" = true))]
    pub return_data: bool,
}

/// A metric and what is made of its data points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricStat {
    /// The metric's name.
    pub metric_name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its dimensions.
    #[schemars(extend("default" = [], "x-key" = "name"))]
    pub dimensions: Vec<Dimension>,
    /// The statistic, such as `Sum`.
    pub stat: String,
    /// The unit.
    #[schemars(length(max = 1023))]
    pub unit: Option<String>,
}

impl TargetTracking {
    /// The configuration for a call.
    ///
    /// # Errors
    /// When the SDK finds it incomplete.
    pub fn to_api(&self) -> Outcome<api::TargetTrackingScalingPolicyConfiguration> {
        let Self {
            target_value,
            predefined_metric_specification,
            customized_metric_specification,
            scale_out_cooldown,
            scale_in_cooldown,
            disable_scale_in,
        } = self;
        api::TargetTrackingScalingPolicyConfiguration::builder()
            .target_value(*target_value)
            .set_predefined_metric_specification(predefined_metric_specification.as_ref().map(PredefinedMetric::to_api).transpose()?)
            .set_customized_metric_specification(customized_metric_specification.as_ref().map(CustomizedMetric::to_api).transpose()?)
            .set_scale_out_cooldown(*scale_out_cooldown)
            .set_scale_in_cooldown(*scale_in_cooldown)
            .disable_scale_in(*disable_scale_in)
            .build()
            .map_err(unbuilt)
    }

    /// The configuration AWS returned.
    pub fn from_api(found: &api::TargetTrackingScalingPolicyConfiguration) -> Self {
        Self {
            target_value: found.target_value(),
            predefined_metric_specification: found.predefined_metric_specification().map(|metric| PredefinedMetric {
                predefined_metric_type: metric.predefined_metric_type().as_str().to_owned(),
                resource_label: metric.resource_label().map(str::to_owned),
            }),
            customized_metric_specification: found.customized_metric_specification().map(CustomizedMetric::from_api),
            scale_out_cooldown: found.scale_out_cooldown(),
            scale_in_cooldown: found.scale_in_cooldown(),
            disable_scale_in: found.disable_scale_in().unwrap_or_default(),
        }
    }
}

impl PredefinedMetric {
    fn to_api(&self) -> Outcome<api::PredefinedMetricSpecification> {
        api::PredefinedMetricSpecification::builder()
            .predefined_metric_type(api::MetricType::from(self.predefined_metric_type.as_str()))
            .set_resource_label(self.resource_label.clone())
            .build()
            .map_err(unbuilt)
    }
}

impl CustomizedMetric {
    fn to_api(&self) -> Outcome<api::CustomizedMetricSpecification> {
        let Self { metric_name, namespace, dimensions, statistic, unit, metrics } = self;
        let dimension = |one: &Dimension| api::MetricDimension::builder().name(&one.name).value(&one.value).build();
        let dimensions = dimensions.iter().map(dimension).collect::<Result<Vec<_>, _>>().map_err(unbuilt)?;
        let metrics = metrics.iter().map(MetricQuery::to_api).collect::<Outcome<Vec<_>>>()?;
        Ok(api::CustomizedMetricSpecification::builder()
            .set_metric_name(metric_name.clone())
            .set_namespace(namespace.clone())
            .set_dimensions(Some(dimensions).filter(|all| !all.is_empty()))
            .set_statistic(statistic.as_deref().map(api::MetricStatistic::from))
            .set_unit(unit.clone())
            .set_metrics(Some(metrics).filter(|all| !all.is_empty()))
            .build())
    }

    fn from_api(found: &api::CustomizedMetricSpecification) -> Self {
        let dimension = |one: &api::MetricDimension| Dimension { name: one.name().to_owned(), value: one.value().to_owned() };
        Self {
            metric_name: found.metric_name().map(str::to_owned),
            namespace: found.namespace().map(str::to_owned),
            dimensions: found.dimensions().iter().map(dimension).collect(),
            statistic: found.statistic().map(|statistic| statistic.as_str().to_owned()),
            unit: found.unit().map(str::to_owned),
            metrics: found.metrics().iter().map(MetricQuery::from_api).collect(),
        }
    }
}

impl MetricQuery {
    fn to_api(&self) -> Outcome<api::TargetTrackingMetricDataQuery> {
        let Self { id, expression, label, metric_stat, return_data } = self;
        api::TargetTrackingMetricDataQuery::builder()
            .id(id)
            .set_expression(expression.clone())
            .set_label(label.clone())
            .set_metric_stat(metric_stat.as_ref().map(MetricStat::to_api).transpose()?)
            .return_data(*return_data)
            .build()
            .map_err(unbuilt)
    }

    fn from_api(found: &api::TargetTrackingMetricDataQuery) -> Self {
        Self {
            id: found.id().to_owned(),
            expression: found.expression().map(str::to_owned),
            label: found.label().map(str::to_owned),
            metric_stat: found.metric_stat().map(MetricStat::from_api),
            return_data: found.return_data().unwrap_or(true),
        }
    }
}

impl MetricStat {
    fn to_api(&self) -> Outcome<api::TargetTrackingMetricStat> {
        let Self { metric_name, namespace, dimensions, stat, unit } = self;
        let dimension = |one: &Dimension| api::TargetTrackingMetricDimension::builder().name(&one.name).value(&one.value).build();
        let dimensions = dimensions.iter().map(dimension).collect::<Result<Vec<_>, _>>().map_err(unbuilt)?;
        let metric = api::TargetTrackingMetric::builder().metric_name(metric_name).namespace(namespace);
        let metric = metric.set_dimensions(Some(dimensions).filter(|all| !all.is_empty())).build();
        api::TargetTrackingMetricStat::builder().metric(metric).stat(stat).set_unit(unit.clone()).build().map_err(unbuilt)
    }

    fn from_api(found: &api::TargetTrackingMetricStat) -> Self {
        let metric = found.metric();
        let dimension = |one: &api::TargetTrackingMetricDimension| Dimension { name: one.name().to_owned(), value: one.value().to_owned() };
        Self {
            metric_name: metric.and_then(|metric| metric.metric_name()).unwrap_or_default().to_owned(),
            namespace: metric.and_then(|metric| metric.namespace()).unwrap_or_default().to_owned(),
            dimensions: metric.map(|metric| metric.dimensions().iter().map(dimension).collect()).unwrap_or_default(),
            stat: found.stat().to_owned(),
            unit: found.unit().map(str::to_owned),
        }
    }
}
