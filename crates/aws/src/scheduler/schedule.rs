//! The resource type `scheduler_schedule`.

use aws_sdk_scheduler::operation::get_schedule::GetScheduleOutput;
use aws_sdk_scheduler::types as api;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use futures_util::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check;
use super::target::Target;
use super::unbuilt;
use crate::client::{Aws, send_once};
use crate::error::{OrAbsent, OrFail};
use crate::permissions::{Grant, Permissions};
use crate::repeat::{Changing, says};
use crate::resource::{Info, Resource, Retry};
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::schema::{HangsOn, Named};
use leoctl_core::model::value::Value;

/// Something that is called at certain times, such as a task that is started every night.
///
/// Import by group and name: `default/NAME`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SchedulerSchedule {
    /// The name, unique in its group.
    #[schemars(extend("x-replace" = true, "pattern" = "^[0-9a-zA-Z._-]+$", "x-form" = "letters, digits and ._-"), length(max = 64))]
    name: String,
    /// The schedule group, which has to exist.
    #[schemars(extend("default" = "default", "x-replace" = true, "pattern" = "^[0-9a-zA-Z._-]+$", "x-form" = "letters, digits and ._-"), length(max = 64))]
    group_name: String,
    /// When: `rate(5 minutes)`, `cron(0 3 * * ? *)`, or once `at(2030-01-01T03:00:00)`.
    #[schemars(extend("pattern" = "^(rate|cron|at)[(].+[)]$", "x-form" = "`rate(…)`, `cron(…)` or `at(…)`"), length(max = 256))]
    schedule_expression: String,
    /// The time zone of `cron` and `at`, such as `Europe/Berlin`.
    #[schemars(extend("default" = "UTC"), length(max = 50))]
    schedule_expression_timezone: String,
    /// From when on it is called, such as `2030-01-01T00:00:00Z`; at once when left out.
    #[schemars(extend("x-local" = true, "pattern" = TIME, "x-form" = "a time in UTC such as `2030-01-01T00:00:00Z`"))]
    #[serde(default)]
    start_date: Option<String>,
    /// Until when it is called; forever when left out.
    #[schemars(extend("pattern" = TIME, "x-form" = "a time in UTC such as `2030-01-01T00:00:00Z`"))]
    end_date: Option<String>,
    /// Whether it is called at the very time or some time after it.
    #[schemars(extend("default" = {}))]
    flexible_time_window: TimeWindow,
    /// Whether it is called at all.
    #[schemars(extend("default" = "ENABLED", "enum" = ["ENABLED", "DISABLED"]))]
    state: String,
    /// What it is for.
    #[schemars(length(max = 512))]
    description: Option<String>,
    /// The KMS key its data is encrypted with; Scheduler's own when left out.
    #[schemars(extend("x-format" = "arn:kms"))]
    kms_key_arn: Option<String>,
    /// Whether AWS deletes it after its last call. With `DELETE` the next apply makes it anew.
    #[schemars(extend("default" = "NONE", "enum" = ["NONE", "DELETE"]))]
    action_after_completion: String,
    /// What is called.
    target: Target,
    /// The ARN.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
}

const TIME: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$";

/// Whether something is called at the very time or some time after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeWindow {
    /// `OFF` for the very time, `FLEXIBLE` for some time after it.
    #[schemars(extend("default" = "OFF", "enum" = ["OFF", "FLEXIBLE"]))]
    mode: String,
    /// How many minutes after it at most, with `FLEXIBLE`.
    #[schemars(range(min = 1, max = 1440))]
    maximum_window_in_minutes: Option<i32>,
}

impl TimeWindow {
    fn to_api(&self) -> Outcome<api::FlexibleTimeWindow> {
        let window = api::FlexibleTimeWindow::builder().mode(api::FlexibleTimeWindowMode::from(self.mode.as_str()));
        window.set_maximum_window_in_minutes(self.maximum_window_in_minutes).build().map_err(unbuilt)
    }
}

fn to_time(text: Option<&String>) -> Outcome<Option<DateTime>> {
    let time = text.map(|text| DateTime::from_str(text, Format::DateTime)).transpose();
    time.map_err(unbuilt)
}

/// A beginning that is still to come: AWS refuses one that has passed, and it means nothing any more.
fn ahead(text: Option<&String>) -> Outcome<Option<DateTime>> {
    Ok(to_time(text)?.filter(|time| time.secs() > jiff::Timestamp::now().as_second()))
}

/// A time in whole seconds, which is how Scheduler keeps it.
fn from_time(time: Option<&DateTime>) -> Option<String> {
    DateTime::from_secs(time?.secs()).fmt(Format::DateTime).ok()
}

/// The group and name in an id.
fn place(id: &str) -> Outcome<(&str, &str)> {
    id.split_once('/').ok_or_else(|| Failure::new(FailureKind::Invalid, format!("`{id}` is not a GROUP/NAME")))
}

impl SchedulerSchedule {
    async fn get(aws: &Aws, id: &str) -> Outcome<Option<GetScheduleOutput>> {
        let (group, name) = place(id)?;
        aws.scheduler().get_schedule().group_name(group).name(name).send().await.or_fail("scheduler:GetSchedule").or_absent()
    }

    fn from_api(found: &GetScheduleOutput) -> Option<Self> {
        let window = found.flexible_time_window();
        Some(Self {
            name: found.name()?.to_owned(),
            group_name: found.group_name().unwrap_or("default").to_owned(),
            schedule_expression: found.schedule_expression().unwrap_or_default().to_owned(),
            schedule_expression_timezone: found.schedule_expression_timezone().unwrap_or("UTC").to_owned(),
            start_date: from_time(found.start_date()),
            end_date: from_time(found.end_date()),
            flexible_time_window: TimeWindow {
                mode: window.map_or("OFF", |window| window.mode().as_str()).to_owned(),
                maximum_window_in_minutes: window.and_then(|window| window.maximum_window_in_minutes()),
            },
            state: found.state().map_or("ENABLED", api::ScheduleState::as_str).to_owned(),
            description: found.description().map(str::to_owned),
            kms_key_arn: found.kms_key_arn().map(str::to_owned),
            action_after_completion: found.action_after_completion().map_or("NONE", api::ActionAfterCompletion::as_str).to_owned(),
            target: Target::from_api(found.target()?),
            arn: found.arn().unwrap_or_default().to_owned(),
        })
    }
}

impl Resource for SchedulerSchedule {
    const TYPE: &'static str = "scheduler_schedule";
    // A role that Scheduler cannot assume yet (Scheduler User Guide, "Troubleshooting").
    const INFO: Info = Info {
        unique: &[&["group_name", "name"]],
        // Another change of it is not done.
        transient: &[Retry::after("ConflictException", &["scheduler:UpdateSchedule", "scheduler:DeleteSchedule"])],
        propagating: &[Retry::after("ValidationException", &["scheduler:CreateSchedule", "scheduler:UpdateSchedule"])],
        timeout: 300,
        hangs_on: &[HangsOn { attribute: &["target", "role_arn"], names: Named::Attribute("iam_role", "arn") }],
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:scheduler:{region}:{account}:schedule/{group_name}/{name}",
        plan: &[Grant::itself(&["scheduler:GetSchedule"])],
        apply: &[
            Grant::itself(&["scheduler:CreateSchedule", "scheduler:DeleteSchedule", "scheduler:UpdateSchedule"]),
            Grant::pass("target.role_arn", "scheduler.amazonaws.com"),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let mut problems = check::check(desired);
        let window = desired.get("flexible_time_window");
        let mode = window.and_then(|window| window.get("mode")).and_then(Value::as_str);
        let length = window.and_then(|window| window.get("maximum_window_in_minutes")).filter(|length| !length.is_null());
        if (mode, length) == (Some("FLEXIBLE"), None) {
            problems.push((Path::attribute("flexible_time_window"), "`FLEXIBLE` needs `maximum_window_in_minutes`".to_owned()));
        }
        problems
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        // A list lacks what is called with which input (EventBridge Scheduler API Reference, ListSchedules).
        let read = try_join_all(ids.iter().map(async |id| Ok((id.clone(), Self::get(aws, id).await?)))).await?;
        Ok(read.into_iter().filter_map(|(id, found)| Some((id, Self::from_api(&found?)?))).collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let (Some(group), Some(name)) = (wanted.text("group_name"), wanted.text("name")) else { return Ok(None) };
        let id = format!("{group}/{name}");
        Ok(wanted.pick(Self::get(aws, &id).await?.map(|_| id)))
    }

    async fn create(aws: &Aws, operation: &Operation, to: &Self) -> Outcome<String> {
        let call = aws
            .scheduler()
            .create_schedule()
            .client_token(&operation.token)
            .name(&to.name)
            .group_name(&to.group_name)
            .schedule_expression(&to.schedule_expression)
            .schedule_expression_timezone(&to.schedule_expression_timezone)
            .set_start_date(ahead(to.start_date.as_ref())?)
            .set_end_date(to_time(to.end_date.as_ref())?)
            .flexible_time_window(to.flexible_time_window.to_api()?)
            .state(api::ScheduleState::from(to.state.as_str()))
            .set_description(to.description.clone())
            .set_kms_key_arn(to.kms_key_arn.clone())
            .action_after_completion(api::ActionAfterCompletion::from(to.action_after_completion.as_str()))
            .target(to.target.to_api()?);
        let made = send_once!(aws_sdk_scheduler, call).await.sent_once("scheduler:CreateSchedule");
        // Of a creation this code says that the name is taken (EventBridge Scheduler API Reference, CreateSchedule).
        made.map_err(|failure| match says(&failure, &["ConflictException"]) {
            true => Failure { kind: FailureKind::AlreadyExists, ..failure },
            false => failure,
        })?;
        Ok(format!("{}/{}", to.group_name, to.name))
    }

    async fn update(aws: &Aws, _: &Operation, _: &str, _: &Self, to: &Self) -> Outcome<()> {
        let Self {
            name,
            group_name,
            schedule_expression,
            schedule_expression_timezone,
            start_date,
            end_date,
            flexible_time_window,
            state,
            description,
            kms_key_arn,
            action_after_completion,
            target,
            arn: _,
        } = to;
        // What is left out goes back to its default (EventBridge Scheduler API Reference, UpdateSchedule).
        let call = aws
            .scheduler()
            .update_schedule()
            .name(name)
            .group_name(group_name)
            .schedule_expression(schedule_expression)
            .schedule_expression_timezone(schedule_expression_timezone)
            .set_start_date(ahead(start_date.as_ref())?)
            .set_end_date(to_time(end_date.as_ref())?)
            .flexible_time_window(flexible_time_window.to_api()?)
            .state(api::ScheduleState::from(state.as_str()))
            .set_description(description.clone())
            .set_kms_key_arn(kms_key_arn.clone())
            .action_after_completion(api::ActionAfterCompletion::from(action_after_completion.as_str()))
            .target(target.to_api()?);
        call.send().await.idempotent("scheduler:UpdateSchedule").map(drop)
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        let (group, name) = place(id)?;
        let call = aws.scheduler().delete_schedule().group_name(group).name(name);
        call.send().await.or_gone("scheduler:DeleteSchedule").map(drop)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::patience::tests::operation;
    use crate::registry::catalog;
    use crate::scripted::{Answer, Scripted};
    use leoctl_core::model::canonical::canonicalize;

    #[tokio::test]
    async fn a_creation_that_conflicts_says_that_the_name_is_taken() {
        let conflict = |_: &crate::scripted::Call| {
            Answer(409, vec![("x-amzn-errortype", "ConflictException".to_owned())], r#"{"Message":"no"}"#.to_owned())
        };
        let scripted = Scripted::new(conflict);
        let target = json!({ "arn": "arn:aws:sqs:eu-west-1:111111111111:q", "role_arn": "arn:aws:iam::111111111111:role/r" });
        let written = Value::from(&json!({ "name": "s", "schedule_expression": "rate(5 minutes)", "target": target }));
        let attributes = &catalog().resources["scheduler_schedule"].schema.attributes;
        let schedule: SchedulerSchedule = serde_json::from_value(canonicalize(attributes, &written).to_json().unwrap()).unwrap();
        let failure = SchedulerSchedule::create(&scripted.aws, &operation(0), &schedule).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::AlreadyExists);
    }
}
