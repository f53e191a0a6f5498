//! The resource type `appautoscaling_scheduled_action`.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_applicationautoscaling::operation::put_scheduled_action::builders::PutScheduledActionFluentBuilder;
use aws_sdk_applicationautoscaling::types as api;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use futures_util::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Scalable, parse, unbuilt, wanted_id};
use crate::client::{Aws, send_once};
use crate::error::{OrAbsent, OrFail};
use crate::permissions::{Grant, Permissions};
use crate::repeat::Changing;
use crate::resource::{Info, Resource, Retry};
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::schema::{After, HangsOn, Named};
use leoctl_core::model::value::Value;

/// A change of the bounds of an `appautoscaling_target` at some time, once or again and again, such as fewer tasks at night.
///
/// Once there is one, the bounds that it sets are what the last such action has set them to, and those of the target in the
/// stack file are for its creation.
///
/// Import by namespace, resource, dimension and name: `ecs/service/CLUSTER/NAME/ecs:service:DesiredCount/ACTION`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppautoscalingScheduledAction {
    /// The name, unique for what is scaled.
    #[schemars(extend("x-replace" = true, "pattern" = NAME, "x-form" = "without `:`, `/`, `|` and control characters, and without a space at its beginning or end"), length(max = 256))]
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
    /// When: `cron(0 22 * * ? *)`, `rate(12 hours)`, or once `at(2030-01-01T03:00:00)`.
    #[schemars(extend("pattern" = "^(rate|cron|at)[(].+[)]$", "x-form" = "`rate(…)`, `cron(…)` or `at(…)`"), length(max = 1600))]
    schedule: String,
    /// The time zone of `cron` and `at`, such as `Europe/Berlin`.
    #[schemars(extend("default" = UTC), length(max = 1600))]
    timezone: String,
    /// From when on it is done, such as `2030-01-01T00:00:00Z`; at once when left out.
    #[schemars(extend("pattern" = TIME, "x-form" = "a time in UTC such as `2030-01-01T00:00:00Z`"))]
    start_time: Option<String>,
    /// Until when it is done; forever when left out.
    #[schemars(extend("pattern" = TIME, "x-form" = "a time in UTC such as `2030-01-01T00:00:00Z`"))]
    end_time: Option<String>,
    /// The bounds that it sets: one of them, or both.
    scalable_target_action: TargetAction,
    /// The ARN.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
}

const NAME: &str = r"^[^ \x00-\x1f\x7f-\x9f:/|]([^\x00-\x1f\x7f-\x9f:/|]*[^ \x00-\x1f\x7f-\x9f:/|])?$";
const TIME: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$";
const UTC: &str = "UTC";

/// The bounds that an action sets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetAction {
    /// The least it is scaled in to from then on; as before when left out.
    #[schemars(range(min = 0))]
    min_capacity: Option<i32>,
    /// The most it is scaled out to from then on; as before when left out.
    #[schemars(range(min = 0))]
    max_capacity: Option<i32>,
}

fn to_time(text: Option<&String>) -> Outcome<Option<DateTime>> {
    text.map(|text| DateTime::from_str(text, Format::DateTime)).transpose().map_err(unbuilt)
}

/// A time in whole seconds, which is how it is kept.
fn from_time(time: Option<&DateTime>) -> Option<String> {
    DateTime::from_secs(time?.secs()).fmt(Format::DateTime).ok()
}

/// The actions of a namespace: those of one resource, or all of them.
async fn actions(aws: &Aws, namespace: &str, resource: Option<String>, names: Option<Vec<String>>) -> Outcome<Vec<api::ScheduledAction>> {
    let call = aws.autoscaling().describe_scheduled_actions().service_namespace(api::ServiceNamespace::from(namespace));
    let mut pages = call.set_resource_id(resource).set_scheduled_action_names(names).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.or_fail("application-autoscaling:DescribeScheduledActions").or_absent()?;
        found.extend(page.and_then(|page| page.scheduled_actions).unwrap_or_default());
    }
    Ok(found)
}

/// Which bounds of a target scheduled actions set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Set {
    /// Whether the least.
    pub min_capacity: bool,
    /// Whether the most.
    pub max_capacity: bool,
}

/// Which bounds scheduled actions set, of each of these that has any; nothing where that may not be asked.
///
/// # Errors
/// When AWS fails to answer.
pub async fn bounds(aws: &Aws, of: &[Scalable]) -> Outcome<Option<BTreeMap<Scalable, Set>>> {
    let mut namespaces: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for scalable in of {
        namespaces.entry(&scalable.namespace).or_default().insert(&scalable.resource);
    }
    let asked = namespaces.iter().map(async |(namespace, resources)| {
        let only = resources.iter().next().filter(|_| resources.len() == 1).map(|one| (*one).to_owned());
        actions(aws, namespace, only, None).await
    });
    let found = match try_join_all(asked).await {
        Err(Failure { kind: FailureKind::Denied, .. }) => return Ok(None),
        found => found?,
    };
    let mut bounds: BTreeMap<Scalable, Set> = BTreeMap::new();
    for (_, action) in found.iter().flatten().map(AppautoscalingScheduledAction::from_api) {
        let set = bounds.entry(action.scalable()).or_default();
        set.min_capacity |= action.scalable_target_action.min_capacity.is_some();
        set.max_capacity |= action.scalable_target_action.max_capacity.is_some();
    }
    Ok(Some(bounds))
}

impl AppautoscalingScheduledAction {
    fn scalable(&self) -> Scalable {
        Scalable {
            namespace: self.service_namespace.clone(),
            resource: self.resource_id.clone(),
            dimension: self.scalable_dimension.clone(),
        }
    }

    fn from_api(found: &api::ScheduledAction) -> (String, Self) {
        let sets = found.scalable_target_action();
        let read = Self {
            name: found.scheduled_action_name().to_owned(),
            service_namespace: found.service_namespace().as_str().to_owned(),
            resource_id: found.resource_id().to_owned(),
            scalable_dimension: found.scalable_dimension().map(|dimension| dimension.as_str().to_owned()).unwrap_or_default(),
            schedule: found.schedule().to_owned(),
            timezone: found.timezone().filter(|zone| !zone.is_empty()).unwrap_or(UTC).to_owned(),
            start_time: from_time(found.start_time()),
            end_time: from_time(found.end_time()),
            scalable_target_action: TargetAction {
                min_capacity: sets.and_then(api::ScalableTargetAction::min_capacity),
                max_capacity: sets.and_then(api::ScalableTargetAction::max_capacity),
            },
            arn: found.scheduled_action_arn().to_owned(),
        };
        (format!("{}/{}", read.scalable().id(), read.name), read)
    }

    /// Makes the action what is wanted, or makes it: AWS has one call for both, and forgets times that are not in it.
    fn put(&self, aws: &Aws) -> Outcome<PutScheduledActionFluentBuilder> {
        let Self {
            name,
            service_namespace: _,
            resource_id,
            scalable_dimension: _,
            schedule,
            timezone,
            start_time,
            end_time,
            scalable_target_action: TargetAction { min_capacity, max_capacity },
            arn: _,
        } = self;
        let scalable = self.scalable();
        let sets = api::ScalableTargetAction::builder().set_min_capacity(*min_capacity).set_max_capacity(*max_capacity).build();
        Ok(aws
            .autoscaling()
            .put_scheduled_action()
            .scheduled_action_name(name)
            .service_namespace(scalable.namespace())
            .resource_id(resource_id)
            .scalable_dimension(scalable.dimension())
            .schedule(schedule)
            .set_timezone((!schedule.starts_with("rate(")).then(|| timezone.clone()))
            .set_start_time(to_time(start_time.as_ref())?)
            .set_end_time(to_time(end_time.as_ref())?)
            .scalable_target_action(sets))
    }
}

impl Resource for AppautoscalingScheduledAction {
    const TYPE: &'static str = "appautoscaling_scheduled_action";
    const INFO: Info = Info {
        unique: &[&["service_namespace", "resource_id", "scalable_dimension", "name"]],
        transient: &[Retry::always("ConcurrentUpdateException")],
        // What it scales has to be registered (Application Auto Scaling API Reference, PutScheduledAction).
        after: &[After { type_name: "appautoscaling_target", through: "ecs_service" }],
        // A target made a moment ago.
        propagating: &[Retry::after("ObjectNotFoundException", &["application-autoscaling:PutScheduledAction"])],
        timeout: 300,
        hangs_on: &[HangsOn { attribute: &["resource_id"], names: Named::Attribute("appautoscaling_target", "resource_id") }],
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:application-autoscaling:{region}:{account}:scalable-target/*",
        plan: &[Grant::any(&["application-autoscaling:DescribeScheduledActions"])],
        apply: &[Grant::itself(&["application-autoscaling:DeleteScheduledAction", "application-autoscaling:PutScheduledAction"])],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let Some(sets) = desired.get("scalable_target_action").filter(|sets| sets.as_map().is_some()) else { return Vec::new() };
        let at = |problem: &str| vec![(Path::attribute("scalable_target_action"), problem.to_owned())];
        match (sets.get("min_capacity"), sets.get("max_capacity")) {
            (None | Some(Value::Null), None | Some(Value::Null)) => at("an action sets `min_capacity`, `max_capacity`, or both"),
            (Some(Value::Int(min)), Some(Value::Int(max))) if min > max => at("`min_capacity` is more than `max_capacity`"),
            _ => Vec::new(),
        }
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
        // Fifty on a page (Application Auto Scaling API Reference, DescribeScheduledActions).
        let batches = namespaces.iter().flat_map(|(namespace, names)| names.chunks(50).map(move |some| (namespace, some)));
        let found = batches.map(async |(namespace, some)| actions(aws, namespace, None, Some(some.to_vec())).await);
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
            return Err(Failure::exists("application-autoscaling:PutScheduledAction", &id));
        }
        send_once!(aws_sdk_applicationautoscaling, to.put(aws)?).await.sent_once("application-autoscaling:PutScheduledAction")?;
        Ok(id)
    }

    async fn update(aws: &Aws, _: &Operation, _: &str, from: &Self, to: &Self) -> Outcome<()> {
        if from != to {
            to.put(aws)?.send().await.idempotent("application-autoscaling:PutScheduledAction")?;
        }
        Ok(())
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        let (scalable, name) = parse(id)?;
        let call = aws.autoscaling().delete_scheduled_action().scheduled_action_name(name).service_namespace(scalable.namespace());
        let call = call.resource_id(&scalable.resource).scalable_dimension(scalable.dimension());
        call.send().await.or_gone("application-autoscaling:DeleteScheduledAction").map(drop)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::patience::tests::operation;
    use crate::scripted::{Answer, Scripted};

    const TARGET: &str = "ecs/service/c/web/ecs:service:DesiredCount";

    fn action(name: &str, sets: serde_json::Value) -> serde_json::Value {
        json!({
            "ScheduledActionName": name, "ServiceNamespace": "ecs", "ResourceId": "service/c/web",
            "ScalableDimension": "ecs:service:DesiredCount", "Schedule": "cron(0 22 * * ? *)", "StartTime": 1893456000,
            "ScalableTargetAction": sets, "ScheduledActionARN": format!("arn:{name}"), "CreationTime": 1,
        })
    }

    fn read_of(found: &serde_json::Value) -> (String, AppautoscalingScheduledAction) {
        let sets = &found["ScalableTargetAction"];
        let bound = |name: &str| sets[name].as_i64().and_then(|value| i32::try_from(value).ok());
        let sets = api::ScalableTargetAction::builder().set_min_capacity(bound("MinCapacity")).set_max_capacity(bound("MaxCapacity"));
        let text = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
        let built = api::ScheduledAction::builder()
            .scheduled_action_name(text("ScheduledActionName"))
            .service_namespace(api::ServiceNamespace::Ecs)
            .resource_id(text("ResourceId"))
            .scalable_dimension(api::ScalableDimension::EcsServiceDesiredCount)
            .schedule(text("Schedule"))
            .scheduled_action_arn(text("ScheduledActionARN"))
            .start_time(DateTime::from_secs(1_893_456_000))
            .creation_time(DateTime::from_secs(1))
            .scalable_target_action(sets.build());
        AppautoscalingScheduledAction::from_api(&built.build().unwrap())
    }

    #[tokio::test]
    async fn an_action_is_read_as_it_was_written() {
        let answer = json!({ "ScheduledActions": [action("night", json!({ "MaxCapacity": 0 })), action("other", json!({}))] });
        let scripted = Scripted::new(move |_| Answer::ok(answer.to_string()));
        let read = AppautoscalingScheduledAction::read(&scripted.aws, &[format!("{TARGET}/night")]).await.unwrap();
        let [(id, read)] = read.as_slice() else { panic!("one of the two: {read:?}") };
        assert_eq!((id.as_str(), read.timezone.as_str()), (&*format!("{TARGET}/night"), "UTC"));
        assert_eq!(read.start_time.as_deref(), Some("2030-01-01T00:00:00Z"));
        assert_eq!(read.scalable_target_action, TargetAction { min_capacity: None, max_capacity: Some(0) });
    }

    #[tokio::test]
    async fn what_actions_set_of_a_target_is_told_for_each_bound() {
        let asked = Scalable::parse(TARGET).unwrap();
        let answer = json!({ "ScheduledActions": [action("night", json!({ "MinCapacity": 0 }))] });
        let scripted = Scripted::new(move |_| Answer::ok(answer.to_string()));
        let found = bounds(&scripted.aws, std::slice::from_ref(&asked)).await.unwrap().unwrap();
        assert_eq!(found[&asked], Set { min_capacity: true, max_capacity: false });
    }

    #[tokio::test]
    async fn times_that_are_taken_out_are_not_sent_as_aws_forgets_them_then() {
        let scripted = Scripted::new(|_| Answer::ok("{}"));
        let (_, from) = read_of(&action("night", json!({ "MinCapacity": 0 })));
        let to = AppautoscalingScheduledAction { start_time: None, ..from.clone() };
        AppautoscalingScheduledAction::update(&scripted.aws, &operation(0), "", &from, &to).await.unwrap();
        let calls = scripted.calls();
        let [call] = calls.as_slice() else { panic!("one call: {calls:?}") };
        assert!(call.name == "PutScheduledAction" && !call.body.contains("StartTime"), "{}", call.body);
        assert!(call.body.contains("cron(0 22 * * ? *)") && call.body.contains("MinCapacity"), "{}", call.body);
    }

    #[test]
    fn an_action_that_sets_nothing_or_more_at_least_than_at_most_is_refused() {
        let problems =
            |sets: serde_json::Value| AppautoscalingScheduledAction::check(&Value::from(json!({ "scalable_target_action": sets }))).len();
        assert_eq!((problems(json!({})), problems(json!({ "min_capacity": 3, "max_capacity": 2 }))), (1, 1));
        assert_eq!((problems(json!({ "min_capacity": 3 })), problems(json!({ "min_capacity": 0, "max_capacity": 0 }))), (0, 0));
    }
}
