//! The resource type `appautoscaling_target`.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_applicationautoscaling::types as api;
use futures_util::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Scalable;
use super::scheduled_action::{Set, bounds};
use crate::client::{Aws, send_once};
use crate::error::{OrAbsent, OrFail};
use crate::given::{int, problem_if, text};
use crate::permissions::{Grant, Permissions};
use crate::repeat::Changing;
use crate::resource::{Info, Resource, Retry, Tags};
use crate::tags::{TagChange, collect};
use leoctl_core::engine::ports::{Failure, Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::schema::Governed;
use leoctl_core::model::value::Value;

/// Something that is scaled, such as an ECS service, and the bounds in between.
///
/// What it is scaled by are its `appautoscaling_policy` and `appautoscaling_scheduled_action` resources. As long as it exists,
/// the `desired_count` of an `ecs_service` is Application Auto Scaling's to set. Bounds that scheduled actions set are theirs,
/// and what is written here is for its creation; with `scheduled_scaling_suspended` it counts again. Deleting it deletes its
/// policies and actions, too.
///
/// Import by namespace, resource and dimension: `ecs/service/CLUSTER/NAME/ecs:service:DesiredCount`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppautoscalingTarget {
    /// The service it is of, such as `ecs`, `dynamodb`, `rds`, `lambda`.
    #[schemars(extend("x-replace" = true, "pattern" = "^[a-z0-9-]+$", "x-form" = "the service's name in lower case, such as `ecs`"))]
    service_namespace: String,
    /// What is scaled: `service/CLUSTER/NAME` for an ECS service.
    #[schemars(extend("x-replace" = true), length(max = 1600))]
    resource_id: String,
    /// What of it is scaled: `ecs:service:DesiredCount` for an ECS service.
    #[schemars(extend("x-replace" = true, "pattern" = "^[a-z0-9-]+:[A-Za-z-]+:[A-Za-z]+$", "x-form" = "such as `ecs:service:DesiredCount`"))]
    scalable_dimension: String,
    /// The least it is scaled in to.
    #[schemars(range(min = 0))]
    min_capacity: i32,
    /// The most it is scaled out to.
    #[schemars(range(min = 0))]
    max_capacity: i32,
    /// The role that may scale it, for services that have no service-linked role (ECS has one).
    #[schemars(extend("x-server" = true, "x-format" = "arn:iam"))]
    role_arn: Option<String>,
    /// What is suspended for now.
    #[schemars(extend("default" = {}))]
    suspended_state: SuspendedState,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The ARN.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
    /// Whether scheduled actions set `min_capacity`. Nothing when AWS may not be asked: then it is left as it is, too.
    #[schemars(extend("x-computed" = true))]
    min_capacity_scheduled: Option<bool>,
    /// Whether scheduled actions set `max_capacity`. Nothing when AWS may not be asked: then it is left as it is, too.
    #[schemars(extend("x-computed" = true))]
    max_capacity_scheduled: Option<bool>,
}

/// What is suspended for now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuspendedState {
    /// Whether policies do not scale in.
    #[schemars(extend("default" = false))]
    dynamic_scaling_in_suspended: bool,
    /// Whether policies do not scale out.
    #[schemars(extend("default" = false))]
    dynamic_scaling_out_suspended: bool,
    /// Whether scheduled actions do not scale.
    #[schemars(extend("default" = false))]
    scheduled_scaling_suspended: bool,
}

impl SuspendedState {
    fn to_api(&self) -> api::SuspendedState {
        api::SuspendedState::builder()
            .dynamic_scaling_in_suspended(self.dynamic_scaling_in_suspended)
            .dynamic_scaling_out_suspended(self.dynamic_scaling_out_suspended)
            .scheduled_scaling_suspended(self.scheduled_scaling_suspended)
            .build()
    }

    fn from_api(state: Option<&api::SuspendedState>) -> Self {
        let on = |of: fn(&api::SuspendedState) -> Option<bool>| state.and_then(of).unwrap_or_default();
        Self {
            dynamic_scaling_in_suspended: on(api::SuspendedState::dynamic_scaling_in_suspended),
            dynamic_scaling_out_suspended: on(api::SuspendedState::dynamic_scaling_out_suspended),
            scheduled_scaling_suspended: on(api::SuspendedState::scheduled_scaling_suspended),
        }
    }
}

impl AppautoscalingTarget {
    fn scalable(&self) -> Scalable {
        Scalable {
            namespace: self.service_namespace.clone(),
            resource: self.resource_id.clone(),
            dimension: self.scalable_dimension.clone(),
        }
    }

    /// The targets among these that exist.
    async fn describe(aws: &Aws, wanted: &[Scalable]) -> Outcome<Vec<(Scalable, api::ScalableTarget)>> {
        let mut namespaces: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for scalable in wanted {
            namespaces.entry(&scalable.namespace).or_default().push(scalable.resource.clone());
        }
        // Fifty resources at most (Application Auto Scaling API Reference, DescribeScalableTargets).
        let batches = namespaces.iter().flat_map(|(namespace, ids)| ids.chunks(50).map(move |some| (namespace, some)));
        let found = batches.map(async |(namespace, some)| {
            let call = aws.autoscaling().describe_scalable_targets().service_namespace(api::ServiceNamespace::from(*namespace));
            let mut pages = call.set_resource_ids(Some(some.to_vec())).into_paginator().send();
            let mut found = Vec::new();
            while let Some(page) = pages.next().await {
                let page = page.or_fail("application-autoscaling:DescribeScalableTargets").or_absent()?;
                found.extend(page.and_then(|page| page.scalable_targets).unwrap_or_default());
            }
            Ok(found)
        });
        let found = try_join_all(found).await?.into_iter().flatten();
        let known = found.map(|target| {
            let scalable = Scalable {
                namespace: target.service_namespace().as_str().to_owned(),
                resource: target.resource_id().to_owned(),
                dimension: target.scalable_dimension().as_str().to_owned(),
            };
            (scalable, target)
        });
        Ok(known.filter(|(scalable, _)| wanted.contains(scalable)).collect())
    }

    async fn from_api(aws: &Aws, (scalable, target): &(Scalable, api::ScalableTarget), set: Option<Set>) -> Outcome<(String, Self)> {
        let arn = target.scalable_target_arn().unwrap_or_default().to_owned();
        // One registered before targets had ARNs has none, and no tags.
        let tags = match arn.is_empty() {
            true => None,
            false => {
                let call = aws.autoscaling().list_tags_for_resource().resource_arn(&arn);
                call.send().await.or_fail("application-autoscaling:ListTagsForResource").or_absent()?
            }
        };
        let read = Self {
            service_namespace: scalable.namespace.clone(),
            resource_id: scalable.resource.clone(),
            scalable_dimension: scalable.dimension.clone(),
            min_capacity: target.min_capacity(),
            max_capacity: target.max_capacity(),
            role_arn: Some(target.role_arn().to_owned()).filter(|arn| !arn.is_empty()),
            suspended_state: SuspendedState::from_api(target.suspended_state()),
            tags: collect(tags.and_then(|found| found.tags).unwrap_or_default()),
            arn,
            min_capacity_scheduled: set.map(|set| set.min_capacity),
            max_capacity_scheduled: set.map(|set| set.max_capacity),
        };
        Ok((scalable.id(), read))
    }
}

impl Resource for AppautoscalingTarget {
    const TYPE: &'static str = "appautoscaling_target";
    // A role, the service-linked one among them, and a service made a moment ago are not known there at once.
    const INFO: Info = Info {
        unique: &[&["service_namespace", "resource_id", "scalable_dimension"]],
        transient: &[Retry::always("ConcurrentUpdateException")],
        propagating: &[Retry::after("ValidationException", &["application-autoscaling:RegisterScalableTarget"])],
        timeout: 300,
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:application-autoscaling:{region}:{account}:scalable-target/*",
        plan: &[
            Grant::any(&["application-autoscaling:DescribeScalableTargets", "application-autoscaling:DescribeScheduledActions"]),
            Grant::itself(&["application-autoscaling:ListTagsForResource"]),
        ],
        apply: &[
            Grant::itself(&[
                "application-autoscaling:DeregisterScalableTarget",
                "application-autoscaling:RegisterScalableTarget",
                "application-autoscaling:TagResource",
                "application-autoscaling:UntagResource",
            ]),
            // What is scaled, as the caller (Application Auto Scaling User Guide, "Identity-based policy examples").
            Grant::on(
                &["ecs:DescribeServices", "ecs:UpdateService"],
                &["arn:{partition}:ecs:{region}:{account}:service/{resource_id after service/}"],
            ),
            Grant::linked_role("ecs.application-autoscaling.amazonaws.com"),
            Grant::pass("role_arn", "application-autoscaling.amazonaws.com"),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let most = int(desired, "min_capacity").zip(int(desired, "max_capacity")).is_some_and(|(min, max)| min > max);
        let service = text(desired, "service_namespace").zip(text(desired, "scalable_dimension"));
        let other = service.is_some_and(|(service, dimension)| dimension.split(':').next() != Some(service));
        let ecs = text(desired, "service_namespace") == Some("ecs")
            && text(desired, "resource_id").is_some_and(|id| !id.starts_with("service/") || id.split('/').count() != 3);
        let problems = [
            problem_if(most, "min_capacity", "`min_capacity` is more than `max_capacity`"),
            problem_if(other, "scalable_dimension", "the `scalable_dimension` begins with the `service_namespace`"),
            problem_if(ecs, "resource_id", "the `resource_id` of an ECS service is `service/CLUSTER/NAME`"),
        ];
        problems.into_iter().flatten().collect()
    }

    fn governed(live: &Value, wanted: &Value) -> Vec<Governed> {
        let suspended = wanted.get("suspended_state").and_then(|state| state.get("scheduled_scaling_suspended"));
        if suspended == Some(&Value::Bool(true)) {
            return Vec::new();
        }
        let bounds = [("min_capacity", "min_capacity_scheduled"), ("max_capacity", "max_capacity_scheduled")];
        let set = bounds.into_iter().filter_map(|(bound, scheduled)| {
            let by = match live.get(scheduled) {
                Some(Value::Bool(false)) => return None,
                Some(Value::Bool(true)) => "a scheduled action",
                _ => "perhaps a scheduled action, which application-autoscaling:DescribeScheduledActions would tell,",
            };
            Some(Governed { path: Path::attribute(bound), by: Some(by) })
        });
        set.collect()
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let wanted = ids.iter().map(|id| Scalable::parse(id)).collect::<Outcome<Vec<_>>>()?;
        let found = Self::describe(aws, &wanted).await?;
        let known: Vec<Scalable> = found.iter().map(|(scalable, _)| scalable.clone()).collect();
        let bounds = bounds(aws, &known).await?;
        let set = |of: &Scalable| bounds.as_ref().map(|bounds| bounds.get(of).copied().unwrap_or_default());
        try_join_all(found.iter().map(|found| Self::from_api(aws, found, set(&found.0)))).await
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let text = |key: &str| wanted.text(key).map(str::to_owned);
        let parts = (text("service_namespace"), text("resource_id"), text("scalable_dimension"));
        let (Some(namespace), Some(resource), Some(dimension)) = parts else { return Ok(None) };
        let found = Self::describe(aws, &[Scalable { namespace, resource, dimension }]).await?;
        Ok(wanted.pick(found.into_iter().map(|(scalable, _)| scalable.id())))
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let scalable = to.scalable();
        // Registering one that exists changes it, also where somebody else made it.
        if !Self::describe(aws, std::slice::from_ref(&scalable)).await?.is_empty() {
            return Err(Failure::exists("application-autoscaling:RegisterScalableTarget", &scalable.id()));
        }
        let call = aws
            .autoscaling()
            .register_scalable_target()
            .service_namespace(scalable.namespace())
            .resource_id(&to.resource_id)
            .scalable_dimension(scalable.dimension())
            .min_capacity(to.min_capacity)
            .max_capacity(to.max_capacity)
            .set_role_arn(to.role_arn.clone())
            .suspended_state(to.suspended_state.to_api())
            .set_tags(Some(to.tags.clone().into_iter().collect()));
        send_once!(aws_sdk_applicationautoscaling, call).await.sent_once("application-autoscaling:RegisterScalableTarget")?;
        Ok(scalable.id())
    }

    async fn update(aws: &Aws, _: &Operation, _: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self {
            min_capacity,
            max_capacity,
            role_arn,
            suspended_state,
            tags,
            service_namespace: _,
            resource_id,
            scalable_dimension: _,
            arn: _,
            min_capacity_scheduled: _,
            max_capacity_scheduled: _,
        } = to;
        let scalable = to.scalable();
        let same_calls = Self {
            tags: from.tags.clone(),
            min_capacity_scheduled: from.min_capacity_scheduled,
            max_capacity_scheduled: from.max_capacity_scheduled,
            ..to.clone()
        };
        if same_calls != *from {
            let call = aws
                .autoscaling()
                .register_scalable_target()
                .service_namespace(scalable.namespace())
                .resource_id(resource_id)
                .scalable_dimension(scalable.dimension())
                .min_capacity(*min_capacity)
                .max_capacity(*max_capacity)
                .set_role_arn(role_arn.clone().filter(|_| *role_arn != from.role_arn))
                .suspended_state(suspended_state.to_api());
            call.send().await.idempotent("application-autoscaling:RegisterScalableTarget")?;
        }
        let change = TagChange::between(&from.tags, tags);
        if !change.set.is_empty() {
            let call = aws.autoscaling().tag_resource().resource_arn(&from.arn).set_tags(Some(change.set.into_iter().collect()));
            call.send().await.idempotent("application-autoscaling:TagResource")?;
        }
        if !change.remove.is_empty() {
            let call = aws.autoscaling().untag_resource().resource_arn(&from.arn).set_tag_keys(Some(change.remove));
            call.send().await.idempotent("application-autoscaling:UntagResource")?;
        }
        Ok(())
    }

    async fn delete(aws: &Aws, operation: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        let scalable = Scalable::parse(id)?;
        let call = aws.autoscaling().deregister_scalable_target().service_namespace(scalable.namespace());
        let call = call.resource_id(&scalable.resource).scalable_dimension(scalable.dimension());
        call.send().await.or_gone("application-autoscaling:DeregisterScalableTarget")?;
        // As long as it is there, another one cannot be registered with other bounds.
        while !Self::describe(aws, std::slice::from_ref(&scalable)).await?.is_empty() {
            operation.pause(Duration::from_secs(2), "waiting for the scalable target to go").await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::patience::tests::operation;
    use crate::scripted::{Answer, Scripted};

    #[test]
    fn bounds_that_scheduled_actions_set_are_left_to_them() {
        let governed = |live: serde_json::Value, suspended: bool| -> Vec<String> {
            let wanted = json!({ "suspended_state": { "scheduled_scaling_suspended": suspended } });
            let governed = AppautoscalingTarget::governed(&Value::from(live), &Value::from(wanted));
            governed.into_iter().map(|governed| governed.path.to_string()).collect()
        };
        let of = |min: bool, max: bool| json!({ "min_capacity_scheduled": min, "max_capacity_scheduled": max });
        assert_eq!(governed(of(true, false), false), ["min_capacity"]);
        assert!(governed(of(false, false), false).is_empty());
        // Suspended, they set nothing: what is written counts.
        assert!(governed(of(true, true), true).is_empty());
        assert_eq!(governed(json!({}), false).len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_target_that_was_deregistered_is_waited_for_until_it_is_gone() {
        let target = json!({
            "ServiceNamespace": "ecs", "ResourceId": "service/c/web", "ScalableDimension": "ecs:service:DesiredCount",
            "MinCapacity": 1, "MaxCapacity": 2, "RoleARN": "arn:aws:iam::111111111111:role/r", "CreationTime": 1,
        });
        let mut left = 2;
        let scripted = Scripted::new(move |call| match call.name.as_str() {
            "DescribeScalableTargets" if left > 0 => {
                left -= 1;
                Answer::ok(json!({ "ScalableTargets": [target] }).to_string())
            }
            "DescribeScalableTargets" => Answer::ok(r#"{"ScalableTargets":[]}"#),
            _ => Answer::ok("{}"),
        });
        let id = "ecs/service/c/web/ecs:service:DesiredCount";
        AppautoscalingTarget::delete(&scripted.aws, &operation(0), id, None).await.unwrap();
        let asked = scripted.names().into_iter().filter(|name| name == "DescribeScalableTargets").count();
        assert_eq!(asked, 3);
    }
}
