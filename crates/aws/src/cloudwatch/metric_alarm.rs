//! The resource type `cloudwatch_metric_alarm`.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::operation::put_metric_alarm::builders::PutMetricAlarmFluentBuilder;
use aws_sdk_cloudwatch::types as api;
use futures_util::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::alarm_check;
use super::metric_query::{MetricQuery, UNITS, dimensions, read_dimensions};
use super::{tags_of, to_api, update_tags};
use crate::client::{Aws, send_once};
use crate::error::OrFail;
use crate::permissions::{Grant, Permissions};
use crate::repeat::Changing;
use crate::resource::{Info, Resource, Tags};
use leoctl_core::engine::ports::{Failure, Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::value::Value;

/// An alarm on a metric, or on an expression over several.
///
/// Import by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloudwatchMetricAlarm {
    /// The name, unique in account and region.
    #[schemars(extend("x-replace" = true), length(max = 255))]
    name: String,
    /// What it means, and what to do: people read it in the notification.
    #[schemars(length(max = 1500))]
    alarm_description: Option<String>,
    /// The metric it watches. Either this is written, or `metrics`.
    #[schemars(length(max = 255))]
    metric_name: Option<String>,
    /// The metric's namespace, such as `AWS/ECS`.
    #[schemars(extend("pattern" = "^[^:].*$", "x-form" = "a name that begins with no colon"), length(max = 255))]
    namespace: Option<String>,
    /// The metric's dimensions, such as `{ ClusterName = "prod" }`.
    #[schemars(extend("default" = {}, "maxProperties" = 30))]
    dimensions: BTreeMap<String, String>,
    /// Seconds that one value is for: 10, 20, 30 or a multiple of 60.
    #[schemars(range(min = 10))]
    period: Option<i32>,
    /// What is made of the values in a period.
    #[schemars(extend("enum" = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"]))]
    statistic: Option<String>,
    /// Any other statistic, such as `p99`.
    extended_statistic: Option<String>,
    /// Only values of this unit, such as `Seconds`.
    #[schemars(extend("enum" = UNITS))]
    unit: Option<String>,
    /// Metrics and expressions over them; the alarm watches the one with `return_data`.
    #[schemars(extend("default" = [], "x-key" = "id"))]
    metrics: Vec<MetricQuery>,
    /// How a value is compared with the threshold.
    #[schemars(extend("enum" = ["GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold", "LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold", "GreaterThanUpperThreshold"]))]
    comparison_operator: Option<String>,
    /// The threshold.
    threshold: Option<f64>,
    /// The `id` of the `ANOMALY_DETECTION_BAND` in `metrics`, instead of a threshold.
    #[schemars(length(max = 255))]
    threshold_metric_id: Option<String>,
    /// Over how many periods is looked.
    #[schemars(range(min = 1))]
    evaluation_periods: Option<i32>,
    /// How many of these have to be beyond the threshold; all when left out.
    #[schemars(range(min = 1))]
    datapoints_to_alarm: Option<i32>,
    /// What a period without values counts as.
    #[schemars(extend("default" = "missing", "enum" = ["breaching", "notBreaching", "ignore", "missing"]))]
    treat_missing_data: String,
    /// What happens when a percentile rests on too few values.
    #[schemars(extend("x-server" = true, "enum" = ["evaluate", "ignore"]))]
    evaluate_low_sample_count_percentile: Option<String>,
    /// Whether it acts.
    #[schemars(extend("default" = true))]
    actions_enabled: bool,
    /// What is done when the alarm goes off: ARNs, of SNS topics and others.
    #[schemars(extend("default" = [], "x-set" = true, "x-format" = "arn"), length(max = 5), inner(length(max = 1024)))]
    alarm_actions: Vec<String>,
    /// What is done when all is well again.
    #[schemars(extend("default" = [], "x-set" = true, "x-format" = "arn"), length(max = 5), inner(length(max = 1024)))]
    ok_actions: Vec<String>,
    /// What is done when too little is known.
    #[schemars(extend("default" = [], "x-set" = true, "x-format" = "arn"), length(max = 5), inner(length(max = 1024)))]
    insufficient_data_actions: Vec<String>,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The ARN.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
}

impl CloudwatchMetricAlarm {
    /// The call that makes the alarm, or replaces all of it but its tags.
    fn put(&self, aws: &Aws) -> PutMetricAlarmFluentBuilder {
        let Self {
            name,
            alarm_description,
            metric_name,
            namespace,
            dimensions: of,
            period,
            statistic,
            extended_statistic,
            unit,
            metrics,
            comparison_operator,
            threshold,
            threshold_metric_id,
            evaluation_periods,
            datapoints_to_alarm,
            treat_missing_data,
            evaluate_low_sample_count_percentile,
            actions_enabled,
            alarm_actions,
            ok_actions,
            insufficient_data_actions,
            tags: _,
            arn: _,
        } = self.clone();
        let queries: Vec<_> = metrics.iter().map(MetricQuery::to_api).collect();
        aws.cloudwatch()
            .put_metric_alarm()
            .alarm_name(name)
            .set_alarm_description(alarm_description)
            .set_metric_name(metric_name)
            .set_namespace(namespace)
            .set_dimensions(dimensions(&of))
            .set_period(period)
            .set_statistic(statistic.as_deref().map(api::Statistic::from))
            .set_extended_statistic(extended_statistic)
            .set_unit(unit.as_deref().map(api::StandardUnit::from))
            .set_metrics(Some(queries).filter(|queries| !queries.is_empty()))
            .set_comparison_operator(comparison_operator.as_deref().map(api::ComparisonOperator::from))
            .set_threshold(threshold)
            .set_threshold_metric_id(threshold_metric_id)
            .set_evaluation_periods(evaluation_periods)
            .set_datapoints_to_alarm(datapoints_to_alarm)
            .treat_missing_data(treat_missing_data)
            .set_evaluate_low_sample_count_percentile(evaluate_low_sample_count_percentile)
            .actions_enabled(actions_enabled)
            .set_alarm_actions(Some(alarm_actions))
            .set_ok_actions(Some(ok_actions))
            .set_insufficient_data_actions(Some(insufficient_data_actions))
    }

    fn from_api(alarm: &api::MetricAlarm) -> Self {
        let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        Self {
            name: alarm.alarm_name().unwrap_or_default().to_owned(),
            alarm_description: text(alarm.alarm_description()),
            metric_name: text(alarm.metric_name()),
            namespace: text(alarm.namespace()),
            dimensions: read_dimensions(alarm.dimensions()),
            period: alarm.period(),
            statistic: alarm.statistic().map(|statistic| statistic.as_str().to_owned()),
            extended_statistic: text(alarm.extended_statistic()),
            unit: alarm.unit().map(|unit| unit.as_str().to_owned()),
            metrics: alarm.metrics().iter().map(MetricQuery::from_api).collect(),
            comparison_operator: alarm.comparison_operator().map(|operator| operator.as_str().to_owned()),
            threshold: alarm.threshold(),
            threshold_metric_id: text(alarm.threshold_metric_id()),
            evaluation_periods: alarm.evaluation_periods(),
            datapoints_to_alarm: alarm.datapoints_to_alarm(),
            treat_missing_data: text(alarm.treat_missing_data()).unwrap_or_else(|| "missing".to_owned()),
            evaluate_low_sample_count_percentile: text(alarm.evaluate_low_sample_count_percentile()),
            actions_enabled: alarm.actions_enabled().unwrap_or(true),
            alarm_actions: alarm.alarm_actions().to_vec(),
            ok_actions: alarm.ok_actions().to_vec(),
            insufficient_data_actions: alarm.insufficient_data_actions().to_vec(),
            tags: Tags::new(),
            arn: alarm.alarm_arn().unwrap_or_default().to_owned(),
        }
    }

    /// Those of these alarms that exist: a hundred names a call (CloudWatch API Reference, DescribeAlarms).
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn describe(aws: &Aws, names: &[String]) -> Outcome<Vec<api::MetricAlarm>> {
        let found = names.chunks(100).map(async |some| {
            let call = aws.cloudwatch().describe_alarms().set_alarm_names(Some(some.to_vec())).max_records(100);
            let found = call.send().await.or_fail("cloudwatch:DescribeAlarms")?.metric_alarms.unwrap_or_default();
            Ok(found.into_iter().filter(|alarm| alarm.alarm_name().is_some_and(|found| some.iter().any(|name| name == found))))
        });
        Ok(try_join_all(found).await?.into_iter().flatten().collect())
    }
}

impl Resource for CloudwatchMetricAlarm {
    const TYPE: &'static str = "cloudwatch_metric_alarm";
    const INFO: Info = Info { unique: &[&["name"]], timeout: 300, ..Info::DEFAULT };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}",
        plan: &[
            // Many names are asked for in one call.
            Grant::on(&["cloudwatch:DescribeAlarms"], &["arn:{partition}:cloudwatch:{region}:{account}:alarm:*"]),
            Grant::itself(&["cloudwatch:ListTagsForResource"]),
        ],
        apply: &[Grant::itself(&[
            "cloudwatch:DeleteAlarms",
            "cloudwatch:PutMetricAlarm",
            "cloudwatch:TagResource",
            "cloudwatch:UntagResource",
        ])],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        alarm_check::check(desired)
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let found = Self::describe(aws, ids).await?;
        let read = found.iter().map(async |alarm| {
            let read = Self::from_api(alarm);
            let tags = tags_of(aws, &read.arn).await?;
            Ok((read.name.clone(), Self { tags, ..read }))
        });
        try_join_all(read).await
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let Some(name) = wanted.text("name") else { return Ok(None) };
        let found = Self::describe(aws, &[name.to_owned()]).await?;
        Ok(wanted.pick(found.into_iter().filter_map(|alarm| alarm.alarm_name)))
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        // Putting one that exists changes it, also where somebody else made it.
        if !Self::describe(aws, std::slice::from_ref(&to.name)).await?.is_empty() {
            return Err(Failure::exists("cloudwatch:PutMetricAlarm", &to.name));
        }
        let call = to.put(aws).set_tags(to_api(&to.tags));
        send_once!(aws_sdk_cloudwatch, call).await.sent_once("cloudwatch:PutMetricAlarm")?;
        Ok(to.name.clone())
    }

    async fn update(aws: &Aws, _: &Operation, _: &str, from: &Self, to: &Self) -> Outcome<()> {
        // `put` takes the rest apart.
        let unchanged = Self { tags: from.tags.clone(), arn: from.arn.clone(), ..to.clone() };
        if unchanged != *from {
            to.put(aws).send().await.idempotent("cloudwatch:PutMetricAlarm")?;
        }
        update_tags(aws, &from.arn, &from.tags, &to.tags).await
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        aws.cloudwatch().delete_alarms().alarm_names(id).send().await.or_gone("cloudwatch:DeleteAlarms").map(drop)
    }
}

#[cfg(test)]
mod tests {
    use leoctl_core::model::schema::Unset;

    #[test]
    fn what_few_samples_mean_is_awss_to_say() {
        let catalog = crate::registry::catalog();
        let schema = &catalog.resources["cloudwatch_metric_alarm"].schema;
        assert_eq!(schema.attribute("evaluate_low_sample_count_percentile").unwrap().unset, Unset::Server);
    }
}
