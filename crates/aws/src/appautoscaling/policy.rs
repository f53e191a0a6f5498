//! The resource type `appautoscaling_policy`.

use std::collections::BTreeMap;

use aws_sdk_applicationautoscaling::types as api;
use futures_util::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::predictive::PredictiveScaling;
use super::tracking::TargetTracking;
use super::{Scalable, parse, unbuilt, wanted_id};
use crate::client::{Aws, send_once};
use crate::error::{OrAbsent, OrFail};
use crate::permissions::{Grant, Permissions};
use crate::repeat::{Changing, says};
use crate::resource::{Info, Resource, Retry};
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::schema::{After, HangsOn, Named};
use leoctl_core::model::value::Value;

/// What an `appautoscaling_target` is scaled by: it keeps a metric at a value, takes steps when an alarm goes off, or scales
/// ahead of a forecast.
///
/// Import by namespace, resource, dimension and name: `ecs/service/CLUSTER/NAME/ecs:service:DesiredCount/POLICY`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppautoscalingPolicy {
    /// The name, unique for what is scaled.
    #[schemars(extend("x-replace" = true, "pattern" = "^[ -~]+$", "x-form" = "printable characters"), length(max = 256))]
    name: String,
    /// The target's `service_namespace`.
    #[schemars(extend("x-replace" = true))]
    service_namespace: String,
    /// The target's `resource_id`.
    #[schemars(extend("x-replace" = true))]
    resource_id: String,
    /// The target's `scalable_dimension`.
    #[schemars(extend("x-replace" = true))]
    scalable_dimension: String,
    /// `TargetTrackingScaling` keeps a metric at a value, `StepScaling` takes steps when a CloudWatch alarm whose
    /// action is this policy goes off, `PredictiveScaling` scales ahead of a forecast.
    #[schemars(extend("x-replace" = true, "enum" = ["TargetTrackingScaling", "StepScaling", "PredictiveScaling"]))]
    policy_type: String,
    /// What `TargetTrackingScaling` keeps at which value.
    target_tracking_scaling_policy_configuration: Option<TargetTracking>,
    /// The steps of `StepScaling`.
    step_scaling_policy_configuration: Option<StepScaling>,
    /// What `PredictiveScaling` forecasts.
    predictive_scaling_policy_configuration: Option<PredictiveScaling>,
    /// The ARN, which alarms have as their action.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
    /// The CloudWatch alarms that AWS made for it, or that have it as their action.
    #[serde(default)]
    #[schemars(extend("x-computed" = true, "x-follows" = ["target_tracking_scaling_policy_configuration"]))]
    alarms: Vec<Alarm>,
}

/// Steps that are taken when an alarm goes off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepScaling {
    /// What the number of a step is: how many more, how many in all, or how many percent more.
    #[schemars(extend("enum" = ["ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity"]))]
    adjustment_type: String,
    /// The steps, by how far the metric is from the alarm's threshold.
    #[schemars(extend("x-set" = true))]
    step_adjustments: Vec<StepAdjustment>,
    /// The least change of a `PercentChangeInCapacity`.
    #[schemars(range(min = 1))]
    min_adjustment_magnitude: Option<i32>,
    /// Seconds to wait for a step to take effect.
    #[schemars(extend("x-server" = true), range(min = 0))]
    cooldown: Option<i32>,
    /// What is made of the metric's data points.
    #[schemars(extend("default" = "Average", "enum" = ["Average", "Maximum", "Minimum"]))]
    metric_aggregation_type: String,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepAdjustment {
    /// From how far over the threshold; from far below when left out.
    metric_interval_lower_bound: Option<f64>,
    /// To how far over the threshold; without end when left out.
    metric_interval_upper_bound: Option<f64>,
    /// How much is added, or taken away when negative.
    scaling_adjustment: i32,
}

/// A CloudWatch alarm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alarm {
    /// The name.
    alarm_name: String,
    /// The ARN.
    alarm_arn: String,
}

impl StepScaling {
    fn to_api(&self) -> Outcome<api::StepScalingPolicyConfiguration> {
        let Self { adjustment_type, step_adjustments, min_adjustment_magnitude, cooldown, metric_aggregation_type } = self;
        let step = |step: &StepAdjustment| {
            api::StepAdjustment::builder()
                .set_metric_interval_lower_bound(step.metric_interval_lower_bound)
                .set_metric_interval_upper_bound(step.metric_interval_upper_bound)
                .scaling_adjustment(step.scaling_adjustment)
                .build()
        };
        Ok(api::StepScalingPolicyConfiguration::builder()
            .adjustment_type(api::AdjustmentType::from(adjustment_type.as_str()))
            .set_step_adjustments(Some(step_adjustments.iter().map(step).collect::<Result<_, _>>().map_err(unbuilt)?))
            .set_min_adjustment_magnitude(*min_adjustment_magnitude)
            .set_cooldown(*cooldown)
            .metric_aggregation_type(api::MetricAggregationType::from(metric_aggregation_type.as_str()))
            .build())
    }

    fn from_api(found: &api::StepScalingPolicyConfiguration) -> Self {
        let step = |step: &api::StepAdjustment| StepAdjustment {
            metric_interval_lower_bound: step.metric_interval_lower_bound(),
            metric_interval_upper_bound: step.metric_interval_upper_bound(),
            scaling_adjustment: step.scaling_adjustment(),
        };
        Self {
            adjustment_type: found.adjustment_type().map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
            step_adjustments: found.step_adjustments().iter().map(step).collect(),
            min_adjustment_magnitude: found.min_adjustment_magnitude(),
            cooldown: found.cooldown(),
            // "If the aggregation type is null, the value is treated as Average" (API Reference).
            metric_aggregation_type: found.metric_aggregation_type().map_or("Average", api::MetricAggregationType::as_str).to_owned(),
        }
    }
}

impl AppautoscalingPolicy {
    fn scalable(&self) -> Scalable {
        Scalable {
            namespace: self.service_namespace.clone(),
            resource: self.resource_id.clone(),
            dimension: self.scalable_dimension.clone(),
        }
    }

    fn from_api(found: &api::ScalingPolicy) -> (String, Self) {
        let alarm = |alarm: &api::Alarm| Alarm { alarm_name: alarm.alarm_name().to_owned(), alarm_arn: alarm.alarm_arn().to_owned() };
        let read = Self {
            name: found.policy_name().to_owned(),
            service_namespace: found.service_namespace().as_str().to_owned(),
            resource_id: found.resource_id().to_owned(),
            scalable_dimension: found.scalable_dimension().as_str().to_owned(),
            policy_type: found.policy_type().as_str().to_owned(),
            target_tracking_scaling_policy_configuration: found
                .target_tracking_scaling_policy_configuration()
                .map(TargetTracking::from_api),
            step_scaling_policy_configuration: found.step_scaling_policy_configuration().map(StepScaling::from_api),
            predictive_scaling_policy_configuration: found.predictive_scaling_policy_configuration().map(PredictiveScaling::from_api),
            arn: found.policy_arn().to_owned(),
            alarms: found.alarms().iter().map(alarm).collect(),
        };
        (format!("{}/{}", read.scalable().id(), read.name), read)
    }

    /// Makes the policy what is wanted, or makes it: AWS has one call for both.
    fn put(
        &self,
        aws: &Aws,
    ) -> Outcome<aws_sdk_applicationautoscaling::operation::put_scaling_policy::builders::PutScalingPolicyFluentBuilder> {
        let Self {
            name,
            service_namespace: _,
            resource_id,
            scalable_dimension: _,
            policy_type,
            target_tracking_scaling_policy_configuration: tracking,
            step_scaling_policy_configuration: steps,
            predictive_scaling_policy_configuration: predictive,
            arn: _,
            alarms: _,
        } = self;
        let scalable = self.scalable();
        Ok(aws
            .autoscaling()
            .put_scaling_policy()
            .policy_name(name)
            .service_namespace(scalable.namespace())
            .resource_id(resource_id)
            .scalable_dimension(scalable.dimension())
            .policy_type(api::PolicyType::from(policy_type.as_str()))
            .set_target_tracking_scaling_policy_configuration(tracking.as_ref().map(TargetTracking::to_api).transpose()?)
            .set_step_scaling_policy_configuration(steps.as_ref().map(StepScaling::to_api).transpose()?)
            .set_predictive_scaling_policy_configuration(predictive.as_ref().map(PredictiveScaling::to_api).transpose()?))
    }
}

impl Resource for AppautoscalingPolicy {
    const TYPE: &'static str = "appautoscaling_policy";
    const INFO: Info = Info {
        unique: &[&["service_namespace", "resource_id", "scalable_dimension", "name"]],
        transient: &[Retry::always("ConcurrentUpdateException")],
        // What it scales has to be registered (Application Auto Scaling API Reference, PutScalingPolicy).
        after: &[After { type_name: "appautoscaling_target", through: "ecs_service" }],
        // A target made a moment ago.
        propagating: &[
            Retry::after("ObjectNotFoundException", &["application-autoscaling:PutScalingPolicy"]),
            Retry::after("FailedResourceAccessException", &["application-autoscaling:PutScalingPolicy"]),
        ],
        timeout: 300,
        hangs_on: &[HangsOn { attribute: &["resource_id"], names: Named::Attribute("appautoscaling_target", "resource_id") }],
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:application-autoscaling:{region}:{account}:scalable-target/*",
        plan: &[Grant::any(&["application-autoscaling:DescribeScalingPolicies"])],
        apply: &[
            Grant::itself(&["application-autoscaling:DeleteScalingPolicy", "application-autoscaling:PutScalingPolicy"]),
            // The alarms of a target tracking policy are made as the caller (Application Auto Scaling User Guide, "Identity-based
            // policy examples").
            Grant::on(
                &["cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm"],
                &["arn:{partition}:cloudwatch:{region}:{account}:alarm:TargetTracking-{resource_id}*"],
            ),
            Grant::on(&["cloudwatch:DescribeAlarms"], &["arn:{partition}:cloudwatch:{region}:{account}:alarm:*"]),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let Some(kind) = desired.get("policy_type").and_then(Value::as_str) else { return Vec::new() };
        let configurations = [
            ("target_tracking_scaling_policy_configuration", "TargetTrackingScaling"),
            ("step_scaling_policy_configuration", "StepScaling"),
            ("predictive_scaling_policy_configuration", "PredictiveScaling"),
        ];
        let problem = |(name, of): (&str, &str)| {
            let given = desired.get(name).is_some_and(|value| !value.is_null());
            let what = match (given, kind == of) {
                (false, true) => format!("a policy of type `{of}` needs `{name}`"),
                (true, false) => format!("`{name}` is for policies of type `{of}`"),
                _ => return None,
            };
            Some((Path::attribute(name), what))
        };
        configurations.into_iter().filter_map(problem).collect()
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let mut namespaces: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for id in ids {
            let (scalable, name) = parse(id)?;
            let names = namespaces.entry(scalable.namespace).or_default();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        // Ten on a page (Application Auto Scaling API Reference, DescribeScalingPolicies).
        let batches = namespaces.iter().flat_map(|(namespace, names)| names.chunks(10).map(move |some| (namespace, some)));
        let found = batches.map(async |(namespace, some)| {
            let call = aws.autoscaling().describe_scaling_policies().service_namespace(api::ServiceNamespace::from(namespace.as_str()));
            let mut pages = call.set_policy_names(Some(some.to_vec())).into_paginator().send();
            let mut found = Vec::new();
            while let Some(page) = pages.next().await {
                let page = match page.or_fail("application-autoscaling:DescribeScalingPolicies") {
                    // The alarms of a policy could not be looked at, which says nothing of the policies of others.
                    Err(failure) if says(&failure, &["FailedResourceAccessException"]) => {
                        let message = format!(
                            "the alarms of the policies cannot be read, which takes cloudwatch:DescribeAlarms: {}",
                            failure.message
                        );
                        return Err(Failure { kind: FailureKind::Denied, message, ..failure });
                    }
                    page => page.or_absent()?,
                };
                found.extend(page.and_then(|page| page.scaling_policies).unwrap_or_default());
            }
            Ok(found)
        });
        let found = try_join_all(found).await?;
        Ok(found.iter().flatten().map(Self::from_api).filter(|(id, _)| ids.contains(id)).collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let Some(id) = wanted_id(wanted) else { return Ok(None) };
        let found = Self::read(aws, &[id]).await?;
        Ok(wanted.pick(found.into_iter().map(|(id, _)| id)))
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let id = format!("{}/{}", to.scalable().id(), to.name);
        // Putting one that exists changes it, also where somebody else made it.
        if !Self::read(aws, std::slice::from_ref(&id)).await?.is_empty() {
            return Err(Failure::exists("application-autoscaling:PutScalingPolicy", &id));
        }
        send_once!(aws_sdk_applicationautoscaling, to.put(aws)?).await.sent_once("application-autoscaling:PutScalingPolicy")?;
        Ok(id)
    }

    async fn update(aws: &Aws, _: &Operation, _: &str, from: &Self, to: &Self) -> Outcome<()> {
        if from != to {
            to.put(aws)?.send().await.idempotent("application-autoscaling:PutScalingPolicy")?;
        }
        Ok(())
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        let (scalable, name) = parse(id)?;
        let call = aws.autoscaling().delete_scaling_policy().policy_name(name).service_namespace(scalable.namespace());
        let call = call.resource_id(&scalable.resource).scalable_dimension(scalable.dimension());
        call.send().await.or_gone("application-autoscaling:DeleteScalingPolicy").map(drop)
    }
}
