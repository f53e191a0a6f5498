//! The metrics and expressions an alarm is computed from.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The units of metrics (CloudWatch API Reference, MetricDatum).
pub const UNITS: &[&str] = &[
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
];

/// A metric, or an expression over others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricQuery {
    /// The name expressions call it by: a lower-case letter, then letters, digits and underscores.
    #[schemars(extend("pattern" = "^[a-z][a-zA-Z0-9_]*$", "x-form" = "a lower-case letter, then letters, digits and underscores"), length(max = 255))]
    pub id: String,
    /// The expression, such as `100 * errors / requests`.
    #[schemars(length(max = 2048))]
    pub expression: Option<String>,
    /// The metric.
    pub metric_stat: Option<MetricStat>,
    /// What people call it.
    pub label: Option<String>,
    /// Whether the alarm watches it: true for exactly one.
    #[schemars(extend("default" = true))]
    pub return_data: bool,
    /// Seconds that one value of the expression is for.
    #[schemars(range(min = 1))]
    pub period: Option<i32>,
    /// The account the metric is in, when it is another.
    pub account_id: Option<String>,
}

/// A metric, and what is made of its values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricStat {
    /// The metric.
    pub metric: Metric,
    /// Seconds that one value is for.
    #[schemars(range(min = 1))]
    pub period: i32,
    /// The statistic, such as `Sum` or `p99`.
    pub stat: String,
    /// Only values of this unit.
    #[schemars(extend("enum" = UNITS))]
    pub unit: Option<String>,
}

/// The name of a metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// The namespace, such as `AWS/ECS`.
    #[schemars(extend("pattern" = "^[^:].*$", "x-form" = "a name that begins with no colon"), length(max = 255))]
    pub namespace: Option<String>,
    /// The name.
    #[schemars(length(max = 255))]
    pub metric_name: String,
    /// The dimensions.
    #[schemars(extend("default" = {}, "maxProperties" = 30))]
    pub dimensions: BTreeMap<String, String>,
}

/// Dimensions for a call.
pub fn dimensions(dimensions: &BTreeMap<String, String>) -> Option<Vec<api::Dimension>> {
    let dimensions = dimensions.iter().map(|(name, value)| api::Dimension::builder().name(name).value(value).build());
    Some(dimensions.collect::<Vec<_>>()).filter(|dimensions| !dimensions.is_empty())
}

/// Dimensions as AWS returns them.
pub fn read_dimensions(dimensions: &[api::Dimension]) -> BTreeMap<String, String> {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    dimensions.iter().map(|dimension| (text(dimension.name()), text(dimension.value()))).collect()
}

impl MetricQuery {
    /// The query for a call.
    pub fn to_api(&self) -> api::MetricDataQuery {
        let Self { id, expression, metric_stat, label, return_data, period, account_id } = self.clone();
        api::MetricDataQuery::builder()
            .id(id)
            .set_expression(expression)
            .set_metric_stat(metric_stat.as_ref().map(MetricStat::to_api))
            .set_label(label)
            .return_data(return_data)
            .set_period(period)
            .set_account_id(account_id)
            .build()
    }

    /// The query AWS returned.
    pub fn from_api(query: &api::MetricDataQuery) -> Self {
        let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        Self {
            id: query.id().unwrap_or_default().to_owned(),
            expression: text(query.expression()),
            metric_stat: query.metric_stat().map(MetricStat::from_api),
            label: text(query.label()),
            return_data: query.return_data().unwrap_or(true),
            period: query.period(),
            account_id: text(query.account_id()),
        }
    }
}

impl MetricStat {
    fn to_api(&self) -> api::MetricStat {
        let metric = api::Metric::builder()
            .set_namespace(self.metric.namespace.clone())
            .metric_name(&self.metric.metric_name)
            .set_dimensions(dimensions(&self.metric.dimensions))
            .build();
        api::MetricStat::builder()
            .metric(metric)
            .period(self.period)
            .stat(&self.stat)
            .set_unit(self.unit.as_deref().map(api::StandardUnit::from))
            .build()
    }

    fn from_api(stat: &api::MetricStat) -> Self {
        let metric = stat.metric();
        Self {
            metric: Metric {
                namespace: metric.and_then(|metric| metric.namespace()).map(str::to_owned),
                metric_name: metric.and_then(|metric| metric.metric_name()).unwrap_or_default().to_owned(),
                dimensions: read_dimensions(metric.map(|metric| metric.dimensions()).unwrap_or_default()),
            },
            period: stat.period().unwrap_or_default(),
            stat: stat.stat().unwrap_or_default().to_owned(),
            unit: stat.unit().map(|unit| unit.as_str().to_owned()),
        }
    }
}
