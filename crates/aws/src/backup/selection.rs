//! The resource type `backup_selection`.

use aws_sdk_backup::types as api;
use futures_util::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::plan::BackupPlan;
use super::unbuilt;
use crate::client::{Aws, send_once};
use crate::error::{OrAbsent, OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::Changing;
use crate::resource::{Info, Resource, Retry};
use leoctl_core::engine::ports::{Failure, Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::schema::{HangsOn, Named};
use leoctl_core::model::value::Value;

/// What a backup plan is for.
///
/// Import by the ids of plan and selection: `0123abcd-4567-89ef-0123-456789abcdef/89abcdef-0123-4567-89ab-cdef01234567`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupSelection {
    /// The id of the plan.
    #[schemars(extend("x-replace" = true))]
    backup_plan_id: String,
    /// The name, unique in the plan.
    #[schemars(extend("x-replace" = true, "pattern" = "^[a-zA-Z0-9_.-]{1,50}$", "x-form" = "1 to 50 letters, digits and -_."))]
    name: String,
    /// The role that AWS Backup makes backups with.
    #[schemars(extend("x-replace" = true, "x-format" = "arn:iam"))]
    iam_role_arn: String,
    /// The ARNs of what is backed up, with `*` at the end for several.
    #[schemars(extend("default" = [], "x-replace" = true, "x-set" = true))]
    resources: Vec<String>,
    /// The ARNs of what is not.
    #[schemars(extend("default" = [], "x-replace" = true, "x-set" = true))]
    not_resources: Vec<String>,
    /// Tags of which one is enough for a resource to be backed up.
    #[schemars(extend("default" = [], "x-replace" = true, "x-set" = true))]
    list_of_tags: Vec<TagCondition>,
    /// Conditions on tags that all have to be met.
    #[schemars(extend("x-replace" = true))]
    conditions: Option<Conditions>,
    /// The id of the selection, without the plan's.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    selection_id: String,
}

/// A tag that resources have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TagCondition {
    /// How the value is compared.
    #[schemars(extend("default" = "STRINGEQUALS", "enum" = ["STRINGEQUALS"]))]
    condition_type: String,
    /// The tag's key.
    condition_key: String,
    /// The tag's value.
    condition_value: String,
}

/// Conditions on tags.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Conditions {
    /// Tags of exactly this value.
    #[schemars(extend("default" = [], "x-set" = true))]
    string_equals: Vec<Condition>,
    /// Tags of any other value.
    #[schemars(extend("default" = [], "x-set" = true))]
    string_not_equals: Vec<Condition>,
    /// Tags of a value like this, `*` standing for anything.
    #[schemars(extend("default" = [], "x-set" = true))]
    string_like: Vec<Condition>,
    /// Tags of a value not like this, `*` standing for anything.
    #[schemars(extend("default" = [], "x-set" = true))]
    string_not_like: Vec<Condition>,
}

/// What a tag is compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// `aws:ResourceTag/` and the tag's key.
    #[schemars(extend("pattern" = "^aws:ResourceTag/.+$", "x-form" = "`aws:ResourceTag/` and the tag's key"))]
    condition_key: String,
    /// The value.
    condition_value: String,
}

impl TagCondition {
    fn to_api(&self) -> Outcome<api::Condition> {
        let Self { condition_type, condition_key, condition_value } = self;
        let condition = api::Condition::builder().condition_type(condition_type.as_str().into());
        condition.condition_key(condition_key).condition_value(condition_value).build().map_err(unbuilt)
    }

    fn from_api(condition: &api::Condition) -> Self {
        Self {
            condition_type: condition.condition_type().as_str().to_owned(),
            condition_key: condition.condition_key().to_owned(),
            condition_value: condition.condition_value().to_owned(),
        }
    }
}

impl Conditions {
    fn to_api(&self) -> api::Conditions {
        let Self { string_equals, string_not_equals, string_like, string_not_like } = self;
        let all = |conditions: &[Condition]| {
            let one = |Condition { condition_key, condition_value }: &Condition| {
                api::ConditionParameter::builder().condition_key(condition_key).condition_value(condition_value).build()
            };
            Some(conditions.iter().map(one).collect::<Vec<_>>()).filter(|all| !all.is_empty())
        };
        api::Conditions::builder()
            .set_string_equals(all(string_equals))
            .set_string_not_equals(all(string_not_equals))
            .set_string_like(all(string_like))
            .set_string_not_like(all(string_not_like))
            .build()
    }

    /// The conditions AWS returned; none when there are none.
    fn from_api(conditions: &api::Conditions) -> Option<Self> {
        let all = |conditions: &[api::ConditionParameter]| {
            let one = |condition: &api::ConditionParameter| Condition {
                condition_key: condition.condition_key().unwrap_or_default().to_owned(),
                condition_value: condition.condition_value().unwrap_or_default().to_owned(),
            };
            conditions.iter().map(one).collect::<Vec<_>>()
        };
        let read = Self {
            string_equals: all(conditions.string_equals()),
            string_not_equals: all(conditions.string_not_equals()),
            string_like: all(conditions.string_like()),
            string_not_like: all(conditions.string_not_like()),
        };
        let Self { string_equals, string_not_equals, string_like, string_not_like } = &read;
        let none = [string_equals, string_not_equals, string_like, string_not_like].iter().all(|conditions| conditions.is_empty());
        (!none).then_some(read)
    }
}

impl BackupSelection {
    async fn read_one(aws: &Aws, id: &str) -> Outcome<Option<(String, Self)>> {
        let Some((plan, selection)) = id.split_once('/') else { return Ok(None) };
        let call = aws.backup().get_backup_selection().backup_plan_id(plan).selection_id(selection);
        let found = match call.send().await.or_fail("backup:GetBackupSelection").or_absent() {
            Err(failure) => unless_planless(aws, plan, failure).await?,
            Ok(found) => found,
        };
        let Some(found) = found.and_then(|found| found.backup_selection) else { return Ok(None) };
        let read = Self {
            backup_plan_id: plan.to_owned(),
            name: found.selection_name().to_owned(),
            iam_role_arn: found.iam_role_arn().to_owned(),
            resources: found.resources().to_vec(),
            not_resources: found.not_resources().to_vec(),
            list_of_tags: found.list_of_tags().iter().map(TagCondition::from_api).collect(),
            conditions: found.conditions().and_then(Conditions::from_api),
            selection_id: selection.to_owned(),
        };
        Ok(Some((id.to_owned(), read)))
    }
}

impl Resource for BackupSelection {
    const TYPE: &'static str = "backup_selection";
    // A role just made cannot be assumed everywhere at once.
    const INFO: Info = Info {
        unique: &[&["backup_plan_id", "name"]],
        propagating: &[
            Retry::after("AccessDeniedException", &["backup:CreateBackupSelection"]),
            Retry::after("InvalidParameterValueException", &["backup:CreateBackupSelection"]),
        ],
        timeout: 300,
        hangs_on: &[HangsOn { attribute: &["backup_plan_id"], names: Named::Attribute("backup_plan", "id") }],
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:backup:{region}:{account}:backup-plan:{backup_plan_id}",
        plan: &[Grant::itself(&["backup:GetBackupPlan", "backup:GetBackupSelection", "backup:ListBackupSelections"])],
        apply: &[
            Grant::itself(&["backup:CreateBackupSelection", "backup:DeleteBackupSelection"]),
            Grant::pass("iam_role_arn", "backup.amazonaws.com"),
            Grant::linked_role("backup.amazonaws.com"),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let Some(conditions) = desired.get("conditions").and_then(Value::as_map) else { return Vec::new() };
        let empty = |value: &Value| value.is_null() || value.as_list().is_some_and(<[_]>::is_empty);
        let problem = || (Path::attribute("conditions"), "no condition is in it: leave it out".to_owned());
        conditions.values().all(empty).then(problem).into_iter().collect()
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        Ok(try_join_all(ids.iter().map(|id| Self::read_one(aws, id))).await?.into_iter().flatten().collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let (Some(plan), Some(name)) = (wanted.text("backup_plan_id"), wanted.text("name")) else { return Ok(None) };
        let mut pages = aws.backup().list_backup_selections().backup_plan_id(plan).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = match page.or_fail("backup:ListBackupSelections").or_absent() {
                Err(failure) => unless_planless(aws, plan, failure).await?,
                Ok(page) => page,
            };
            let Some(page) = page else { break };
            found.extend(page.backup_selections_list.unwrap_or_default());
        }
        let named = found.into_iter().filter(|selection| selection.selection_name() == Some(name));
        Ok(wanted.pick(named.filter_map(|selection| Some(format!("{plan}/{}", selection.selection_id?)))))
    }

    async fn create(aws: &Aws, operation: &Operation, to: &Self) -> Outcome<String> {
        let all = |arns: &[String]| Some(arns.to_vec()).filter(|arns| !arns.is_empty());
        let tags = to.list_of_tags.iter().map(TagCondition::to_api).collect::<Outcome<Vec<_>>>()?;
        let selection = api::BackupSelection::builder()
            .selection_name(&to.name)
            .iam_role_arn(&to.iam_role_arn)
            .set_resources(all(&to.resources))
            .set_not_resources(all(&to.not_resources))
            .set_list_of_tags(Some(tags).filter(|tags| !tags.is_empty()))
            .set_conditions(to.conditions.as_ref().map(Conditions::to_api))
            .build()
            .map_err(unbuilt)?;
        let call = aws.backup().create_backup_selection().creator_request_id(&operation.token);
        let call = call.backup_plan_id(&to.backup_plan_id).backup_selection(selection);
        let made = send_once!(aws_sdk_backup, call).await.sent_once("backup:CreateBackupSelection")?;
        Ok(format!("{}/{}", to.backup_plan_id, made_id("backup:CreateBackupSelection", made.selection_id)?))
    }

    async fn update(_: &Aws, _: &Operation, _: &str, _: &Self, to: &Self) -> Outcome<()> {
        // Whatever changes, it is made anew.
        let Self {
            backup_plan_id: _,
            name: _,
            iam_role_arn: _,
            resources: _,
            not_resources: _,
            list_of_tags: _,
            conditions: _,
            selection_id: _,
        } = to;
        Ok(())
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        let Some((plan, selection)) = id.split_once('/') else { return Ok(()) };
        let call = aws.backup().delete_backup_selection().backup_plan_id(plan).selection_id(selection);
        match call.send().await.or_gone("backup:DeleteBackupSelection") {
            Err(failure) => unless_planless(aws, plan, failure).await.map(|_: Option<()>| ()),
            Ok(_) => Ok(()),
        }
    }
}

/// Nothing when the plan a selection is of is gone, for then so is the selection, and AWS calls the plan's id invalid;
/// otherwise the failure.
async fn unless_planless<T>(aws: &Aws, plan: &str, failure: Failure) -> Outcome<Option<T>> {
    let invalid = failure.code.as_deref() == Some("InvalidParameterValueException");
    if invalid && BackupPlan::describe(aws, plan).await?.is_none() { Ok(None) } else { Err(failure) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn conditions_without_any_are_refused() {
        let problems = |conditions: serde_json::Value| BackupSelection::check(&Value::from(json!({ "conditions": conditions }))).len();
        assert_eq!((problems(json!({})), problems(json!({ "string_equals": [] }))), (1, 1));
        let one = json!({ "condition_key": "aws:ResourceTag/a", "condition_value": "b" });
        assert_eq!((problems(json!({ "string_equals": [one] })), problems(serde_json::Value::Null)), (0, 0));
        let unknown = Value::Map([("conditions".to_owned(), Value::Map([("string_equals".to_owned(), Value::Unknown)].into()))].into());
        assert!(BackupSelection::check(&unknown).is_empty());
    }
}
