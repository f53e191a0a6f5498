//! The resource type `cloudwatch_log_metric_filter`.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatchlogs::operation::put_metric_filter::builders::PutMetricFilterFluentBuilder;
use aws_sdk_cloudwatchlogs::types as api;
use futures_util::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metric_query::UNITS;
use crate::client::{Aws, send_once};
use crate::error::{OrAbsent, OrFail, unbuilt};
use crate::permissions::{Grant, Permissions};
use crate::repeat::Changing;
use crate::resource::{Info, Resource, Retry};
use leoctl_core::engine::ports::{Failure, Operation, Outcome, Wanted};
use leoctl_core::model::schema::{HangsOn, Named};

/// A metric made of the events of a log group that match a pattern.
///
/// Import by group and name: `/ecs/web:errors`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloudwatchLogMetricFilter {
    /// The name, unique in the log group.
    #[schemars(extend("x-replace" = true, "pattern" = "^[^:*]+$", "x-form" = "anything but colons and asterisks"), length(max = 512))]
    name: String,
    /// The log group.
    #[schemars(extend("x-replace" = true, "pattern" = "^[.\\-_/#A-Za-z0-9]+$", "x-form" = "letters, digits and .-_/#"), length(max = 512))]
    log_group_name: String,
    /// What matches, such as `ERROR` or `{ $.level = "error" }`; empty matches every event.
    #[schemars(extend("default" = ""), length(max = 1024))]
    filter_pattern: String,
    /// The metric it makes: one.
    #[schemars(extend("maxItems" = 1))]
    metric_transformations: Vec<Transformation>,
    /// Whether it sees events after the log group's transformer.
    #[schemars(extend("default" = false))]
    apply_on_transformed_logs: bool,
    /// Which events of other accounts and regions count, such as `@aws.region = "us-east-1"`.
    #[schemars(length(max = 2000))]
    field_selection_criteria: Option<String>,
    /// Where an event is from, as further dimensions: `@aws.account`, `@aws.region`.
    #[schemars(extend("default" = [], "x-set" = true))]
    emit_system_field_dimensions: Vec<String>,
}

/// A metric, and what a matching event adds to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Transformation {
    /// The metric's name.
    #[schemars(extend("pattern" = "^[^:*$]*$", "x-form" = "anything but colons, asterisks and dollar signs"), length(max = 255))]
    metric_name: String,
    /// The metric's namespace, such as `Shop`.
    #[schemars(extend("pattern" = "^[^:*$]*$", "x-form" = "anything but colons, asterisks and dollar signs"), length(max = 255))]
    metric_namespace: String,
    /// What an event adds: a number such as `1`, or a field of it such as `$.latency`.
    #[schemars(length(max = 100))]
    metric_value: String,
    /// What is published when no event matches.
    default_value: Option<f64>,
    /// Dimensions, each of a field of the event: `{ Path = "$.path" }`. Not together with `default_value`.
    #[schemars(extend("default" = {}))]
    dimensions: BTreeMap<String, String>,
    /// The unit, such as `Milliseconds`.
    #[schemars(extend("default" = "None", "enum" = UNITS))]
    unit: String,
}

impl Transformation {
    fn to_api(&self) -> Outcome<api::MetricTransformation> {
        let Self { metric_name, metric_namespace, metric_value, default_value, dimensions, unit } = self.clone();
        let built = api::MetricTransformation::builder()
            .metric_name(metric_name)
            .metric_namespace(metric_namespace)
            .metric_value(metric_value)
            .set_default_value(default_value)
            .set_dimensions(Some(dimensions.into_iter().collect()).filter(|map: &std::collections::HashMap<_, _>| !map.is_empty()))
            .unit(api::StandardUnit::from(unit.as_str()))
            .build();
        built.map_err(unbuilt)
    }

    fn from_api(found: &api::MetricTransformation) -> Self {
        Self {
            metric_name: found.metric_name().to_owned(),
            metric_namespace: found.metric_namespace().to_owned(),
            metric_value: found.metric_value().to_owned(),
            default_value: found.default_value(),
            dimensions: found.dimensions().into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect(),
            unit: found.unit().map_or("None", api::StandardUnit::as_str).to_owned(),
        }
    }
}

impl CloudwatchLogMetricFilter {
    /// The call that makes the filter, or replaces all of it.
    fn put(&self, aws: &Aws) -> Outcome<PutMetricFilterFluentBuilder> {
        let Self {
            name,
            log_group_name,
            filter_pattern,
            metric_transformations,
            apply_on_transformed_logs,
            field_selection_criteria,
            emit_system_field_dimensions,
        } = self.clone();
        let call = aws
            .logs()
            .put_metric_filter()
            .filter_name(name)
            .log_group_name(log_group_name)
            .filter_pattern(filter_pattern)
            .set_metric_transformations(Some(metric_transformations.iter().map(Transformation::to_api).collect::<Outcome<_>>()?))
            .set_apply_on_transformed_logs(apply_on_transformed_logs.then_some(true))
            .set_field_selection_criteria(field_selection_criteria)
            .set_emit_system_field_dimensions(Some(emit_system_field_dimensions).filter(|fields| !fields.is_empty()));
        Ok(call)
    }

    fn from_api(group: &str, filter: &api::MetricFilter) -> Self {
        Self {
            name: filter.filter_name().unwrap_or_default().to_owned(),
            log_group_name: group.to_owned(),
            filter_pattern: filter.filter_pattern().unwrap_or_default().to_owned(),
            metric_transformations: filter.metric_transformations().iter().map(Transformation::from_api).collect(),
            apply_on_transformed_logs: filter.apply_on_transformed_logs(),
            field_selection_criteria: filter.field_selection_criteria().filter(|text| !text.is_empty()).map(str::to_owned),
            emit_system_field_dimensions: filter.emit_system_field_dimensions().to_vec(),
        }
    }

    /// The filters of a log group; those whose name begins so, if asked for.
    async fn of_group(aws: &Aws, group: &str, prefix: Option<&str>) -> Outcome<Vec<(String, Self)>> {
        let call = aws.logs().describe_metric_filters().log_group_name(group).set_filter_name_prefix(prefix.map(str::to_owned));
        let mut pages = call.into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let Some(page) = page.or_fail("logs:DescribeMetricFilters").or_absent()? else { break };
            let read = page.metric_filters().iter().map(|filter| Self::from_api(group, filter));
            found.extend(read.map(|filter| (id(group, &filter.name), filter)));
        }
        Ok(found)
    }
}

fn id(group: &str, name: &str) -> String {
    format!("{group}:{name}")
}

impl Resource for CloudwatchLogMetricFilter {
    const TYPE: &'static str = "cloudwatch_log_metric_filter";
    const INFO: Info = Info {
        unique: &[&["log_group_name", "name"]],
        transient: &[Retry::always("OperationAbortedException")],
        timeout: 300,
        hangs_on: &[HangsOn { attribute: &["log_group_name"], names: Named::Attribute("cloudwatch_log_group", "name") }],
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:logs:{region}:{account}:log-group:{log_group_name}:*",
        plan: &[Grant::itself(&["logs:DescribeMetricFilters"])],
        apply: &[Grant::itself(&["logs:DeleteMetricFilter", "logs:PutMetricFilter"])],
    };

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let wanted: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
        // Neither part has a colon in it.
        let groups: BTreeSet<&str> = ids.iter().filter_map(|id| Some(id.rsplit_once(':')?.0)).collect();
        let only = match ids {
            [only] => only.rsplit_once(':').map(|(_, name)| name),
            _ => None,
        };
        let found = try_join_all(groups.into_iter().map(|group| Self::of_group(aws, group, only))).await?;
        Ok(found.into_iter().flatten().filter(|(id, _)| wanted.contains(id.as_str())).collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let (Some(group), Some(name)) = (wanted.text("log_group_name"), wanted.text("name")) else { return Ok(None) };
        let found = Self::of_group(aws, group, Some(name)).await?;
        Ok(wanted.pick(found.into_iter().map(|(found, _)| found).filter(|found| *found == id(group, name))))
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        // Putting one that exists changes it, also where somebody else made it.
        if Self::of_group(aws, &to.log_group_name, Some(&to.name)).await?.iter().any(|(_, filter)| filter.name == to.name) {
            return Err(Failure::exists("logs:PutMetricFilter", &to.name));
        }
        send_once!(aws_sdk_cloudwatchlogs, to.put(aws)?).await.sent_once("logs:PutMetricFilter")?;
        Ok(id(&to.log_group_name, &to.name))
    }

    async fn update(aws: &Aws, _: &Operation, _: &str, from: &Self, to: &Self) -> Outcome<()> {
        // `put` takes it apart.
        if to != from {
            to.put(aws)?.send().await.idempotent("logs:PutMetricFilter")?;
        }
        Ok(())
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        let Some((group, name)) = id.rsplit_once(':') else { return Ok(()) };
        let call = aws.logs().delete_metric_filter().log_group_name(group).filter_name(name);
        call.send().await.or_gone("logs:DeleteMetricFilter").map(drop)
    }
}
