//! The resource type `iam_role`.

use std::collections::BTreeMap;

use futures_util::future::{try_join_all, try_join3};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{from_api, is_whole, to_api};
use crate::client::{Aws, send_once};
use crate::document::Policy;
use crate::error::{OrAbsent, OrFail};
use crate::permissions::{Grant, Permissions};
use crate::repeat::{Changing, says};
use crate::resource::{EVENTUALLY, Info, Resource, Retry, Tags};
use crate::tags::TagChange;
use leoctl_core::engine::ports::{Operation, Outcome, Wanted};
use leoctl_core::model::place::Scope;

/// A role, with its inline policies and the managed ones attached to it.
///
/// Import by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IamRole {
    /// The name, unique in the account.
    #[schemars(extend("x-replace" = true, "x-caseless" = true, "pattern" = "^[a-zA-Z0-9_+=,.@-]+$", "x-form" = "letters, digits and _+=,.@-"), length(max = 64))]
    name: String,
    /// The path in the ARN.
    #[schemars(extend("default" = "/", "x-replace" = true, "pattern" = "^/([!-~]+/)?$", "x-form" = "a path that begins and ends with a slash"), length(max = 512))]
    path: String,
    /// Who may assume the role.
    assume_role_policy: Policy,
    /// What it is for.
    #[schemars(extend("pattern" = "^[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u00A1-\\u00FF]*$", "x-form" = "letters of Latin-1"), length(max = 1000))]
    description: Option<String>,
    /// The longest session, in seconds.
    #[schemars(extend("default" = 3600), range(min = 3600, max = 43200))]
    max_session_duration: i32,
    /// The policy that bounds what the role can be allowed.
    #[schemars(extend("x-format" = "arn:iam"))]
    permissions_boundary: Option<String>,
    /// Policies of the role's own, by name.
    #[schemars(extend("default" = {}))]
    inline_policies: BTreeMap<String, Policy>,
    /// The ARNs of managed policies.
    #[schemars(extend("default" = [], "x-set" = true, "x-format" = "arn:iam"))]
    managed_policy_arns: Vec<String>,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The ARN.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
    /// The unique id, which a role of the same name made later does not share.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    unique_id: String,
}

impl IamRole {
    async fn attached(aws: &Aws, name: &str) -> Outcome<Vec<String>> {
        let mut pages = aws.iam().list_attached_role_policies().role_name(name).into_paginator().send();
        let mut arns = Vec::new();
        while let Some(page) = pages.next().await {
            let Some(page) = page.or_fail("iam:ListAttachedRolePolicies").or_absent()? else { break };
            arns.extend(page.attached_policies().iter().filter_map(|policy| policy.policy_arn().map(str::to_owned)));
        }
        Ok(arns)
    }

    async fn inline(aws: &Aws, name: &str) -> Outcome<BTreeMap<String, Policy>> {
        let mut pages = aws.iam().list_role_policies().role_name(name).into_paginator().send();
        let mut names = Vec::new();
        while let Some(page) = pages.next().await {
            let Some(page) = page.or_fail("iam:ListRolePolicies").or_absent()? else { break };
            names.extend_from_slice(page.policy_names());
        }
        let read = names.into_iter().map(async |policy| {
            let call = aws.iam().get_role_policy().role_name(name).policy_name(&policy);
            let found = call.send().await.or_fail("iam:GetRolePolicy").or_absent()?;
            let document = found.map(|found| Policy::parse_encoded(found.policy_document())).transpose()?;
            Ok(document.map(|document| (policy, document)))
        });
        Ok(try_join_all(read).await?.into_iter().flatten().collect())
    }

    async fn read_one(aws: &Aws, name: &str) -> Outcome<Option<Self>> {
        let role = async { aws.iam().get_role().role_name(name).send().await.or_fail("iam:GetRole").or_absent() };
        let (role, attached, inline_policies) = try_join3(role, Self::attached(aws, name), Self::inline(aws, name)).await?;
        let Some(role) = role.and_then(|found| found.role) else { return Ok(None) };
        is_whole("iam:GetRole", role.arn())?;
        Ok(Some(Self {
            name: role.role_name().to_owned(),
            path: role.path().to_owned(),
            assume_role_policy: Policy::parse_encoded(role.assume_role_policy_document().unwrap_or("{}"))?,
            description: role.description().filter(|text| !text.is_empty()).map(str::to_owned),
            max_session_duration: role.max_session_duration().unwrap_or(3600),
            permissions_boundary: role.permissions_boundary().and_then(|boundary| boundary.permissions_boundary_arn()).map(str::to_owned),
            inline_policies,
            managed_policy_arns: attached,
            tags: from_api(role.tags()),
            arn: role.arn().to_owned(),
            unique_id: role.role_id().to_owned(),
        }))
    }
}

impl Resource for IamRole {
    const TYPE: &'static str = "iam_role";
    // A principal or policy made a moment ago may not be known everywhere yet.
    const INFO: Info = Info {
        propagating: &[
            Retry::after("MalformedPolicyDocument", &["iam:CreateRole", "iam:UpdateAssumeRolePolicy", "iam:PutRolePolicy"]),
            Retry::after("NoSuchEntity", &["iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePermissionsBoundary"]),
        ],
        unique: &[&["name"]],
        scope: Scope::Global,
        seen_within: EVENTUALLY,
        transient: &[Retry::always("ConcurrentModification"), Retry::after("DeleteConflict", &["iam:DeleteRole"])],
        timeout: 300,
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:iam::{account}:role{path}{name}",
        plan: &[Grant::itself(&["iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"])],
        apply: &[
            Grant::itself(&[
                "iam:AttachRolePolicy",
                "iam:CreateRole",
                "iam:DeleteRole",
                "iam:DeleteRolePermissionsBoundary",
                "iam:DeleteRolePolicy",
                "iam:DetachRolePolicy",
                "iam:ListInstanceProfilesForRole",
                "iam:PutRolePermissionsBoundary",
                "iam:PutRolePolicy",
                "iam:TagRole",
                "iam:UntagRole",
                "iam:UpdateAssumeRolePolicy",
                "iam:UpdateRole",
            ]),
            // A role that goes is taken out of whatever profile has it.
            Grant::on(&["iam:RemoveRoleFromInstanceProfile"], &["arn:{partition}:iam::{account}:instance-profile/*"]),
        ],
    };

    /// IAM does not tell names apart by case (IAM User Guide, "IAM and AWS STS quotas").
    fn id(&self, _: &str) -> String {
        self.name.clone()
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let read = try_join_all(ids.iter().map(async |name| Ok(Self::read_one(aws, name).await?.map(|read| (name.clone(), read))))).await?;
        Ok(read.into_iter().flatten().collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let Some(name) = wanted.text("name") else { return Ok(None) };
        let found = aws.iam().get_role().role_name(name).send().await.or_fail("iam:GetRole").or_absent()?;
        Ok(wanted.pick(found.and_then(|found| found.role).map(|role| role.role_name)))
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let call = aws
            .iam()
            .create_role()
            .role_name(&to.name)
            .path(&to.path)
            .assume_role_policy_document(to.assume_role_policy.to_string())
            .set_description(to.description.clone())
            .max_session_duration(to.max_session_duration)
            .set_permissions_boundary(to.permissions_boundary.clone())
            .set_tags(to_api(&to.tags)?);
        send_once!(aws_sdk_iam, call).await.sent_once("iam:CreateRole")?;
        Ok(to.name.clone())
    }

    fn as_created(to: &Self) -> Self {
        Self { inline_policies: BTreeMap::new(), managed_policy_arns: Vec::new(), ..to.clone() }
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self {
            assume_role_policy,
            description,
            max_session_duration,
            permissions_boundary,
            inline_policies,
            managed_policy_arns,
            tags,
            name: _,
            path: _,
            arn: _,
            unique_id: _,
        } = to;
        let iam = aws.iam();
        if *assume_role_policy != from.assume_role_policy {
            let call = iam.update_assume_role_policy().role_name(id).policy_document(assume_role_policy.to_string());
            call.send().await.idempotent("iam:UpdateAssumeRolePolicy")?;
        }
        if *description != from.description || *max_session_duration != from.max_session_duration {
            // A session duration that is left out becomes an hour (IAM API Reference, UpdateRole), so both are sent.
            let call = iam.update_role().role_name(id).description(description.clone().unwrap_or_default());
            call.max_session_duration(*max_session_duration).send().await.idempotent("iam:UpdateRole")?;
        }
        match permissions_boundary {
            now if *now == from.permissions_boundary => {}
            Some(arn) => {
                let call = iam.put_role_permissions_boundary().role_name(id).permissions_boundary(arn);
                call.send().await.idempotent("iam:PutRolePermissionsBoundary")?;
            }
            None => {
                let call = iam.delete_role_permissions_boundary().role_name(id);
                call.send().await.or_gone("iam:DeleteRolePermissionsBoundary")?;
            }
        }
        let gone = Policies {
            inline: from.inline_policies.iter().filter(|(policy, _)| !inline_policies.contains_key(*policy)).collect(),
            managed: from.managed_policy_arns.iter().filter(|arn| !managed_policy_arns.contains(arn)).collect(),
        };
        let new = Policies {
            inline: inline_policies.iter().filter(|(policy, document)| from.inline_policies.get(*policy) != Some(*document)).collect(),
            managed: managed_policy_arns.iter().filter(|arn| !from.managed_policy_arns.contains(arn)).collect(),
        };
        match new.give(aws, id).await {
            // There is no room for both: what goes makes it.
            Err(failure) if says(&failure, &["LimitExceeded"]) && !gone.is_empty() => {
                gone.take(aws, id).await?;
                new.give(aws, id).await?;
            }
            given => {
                given?;
                gone.take(aws, id).await?;
            }
        }
        let change = TagChange::between(&from.tags, tags);
        if let Some(set) = to_api(&change.set)? {
            iam.tag_role().role_name(id).set_tags(Some(set)).send().await.idempotent("iam:TagRole")?;
        }
        if !change.remove.is_empty() {
            iam.untag_role().role_name(id).set_tag_keys(Some(change.remove)).send().await.idempotent("iam:UntagRole")?;
        }
        Ok(())
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        // What is attached now counts, not what was last seen: a role goes only when nothing is.
        let (managed, inline) = (Self::attached(aws, id).await?, Self::inline(aws, id).await?);
        Policies { inline: inline.iter().collect(), managed: managed.iter().collect() }.take(aws, id).await?;
        let profiles = aws.iam().list_instance_profiles_for_role().role_name(id).send().await;
        let profiles = profiles.or_fail("iam:ListInstanceProfilesForRole").or_absent()?;
        for profile in profiles.iter().flat_map(|found| found.instance_profiles()) {
            let call = aws.iam().remove_role_from_instance_profile().role_name(id).instance_profile_name(profile.instance_profile_name());
            call.send().await.or_gone("iam:RemoveRoleFromInstanceProfile")?;
        }
        aws.iam().delete_role().role_name(id).send().await.or_gone("iam:DeleteRole").map(drop)
    }
}

/// Some of a role's policies.
struct Policies<'a> {
    inline: Vec<(&'a String, &'a Policy)>,
    managed: Vec<&'a String>,
}

impl Policies<'_> {
    fn is_empty(&self) -> bool {
        self.inline.is_empty() && self.managed.is_empty()
    }

    /// Gives them to a role.
    async fn give(&self, aws: &Aws, role: &str) -> Outcome<()> {
        for (name, document) in &self.inline {
            let call = aws.iam().put_role_policy().role_name(role).policy_name(*name).policy_document(document.to_string());
            call.send().await.idempotent("iam:PutRolePolicy")?;
        }
        for arn in &self.managed {
            aws.iam().attach_role_policy().role_name(role).policy_arn(*arn).send().await.idempotent("iam:AttachRolePolicy")?;
        }
        Ok(())
    }

    /// Takes them from a role.
    async fn take(&self, aws: &Aws, role: &str) -> Outcome<()> {
        for arn in &self.managed {
            aws.iam().detach_role_policy().role_name(role).policy_arn(*arn).send().await.or_gone("iam:DetachRolePolicy")?;
        }
        for (name, _) in &self.inline {
            aws.iam().delete_role_policy().role_name(role).policy_name(*name).send().await.or_gone("iam:DeleteRolePolicy")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::{Answer, Scripted};

    fn role(policy: &str) -> IamRole {
        let role = serde_json::json!({ "name": "r", "path": "/", "assume_role_policy": {}, "max_session_duration": 3600,
            "inline_policies": {}, "managed_policy_arns": [policy], "tags": {} });
        serde_json::from_value(role).unwrap()
    }

    async fn swapped(mut full: bool) -> Vec<String> {
        let scripted = Scripted::new(move |call| match call.name.as_str() {
            "AttachRolePolicy" if full => Answer::query_error(409, "LimitExceeded"),
            name => {
                full &= name != "DetachRolePolicy";
                Answer::ok(format!("<{name}Response></{name}Response>"))
            }
        });
        let operation = crate::patience::tests::operation(0);
        IamRole::update(&scripted.aws, &operation, "r", &role("arn:aws:iam::aws:policy/Old"), &role("arn:aws:iam::aws:policy/New"))
            .await
            .unwrap();
        scripted.names()
    }

    #[tokio::test]
    async fn a_role_at_its_quota_gives_one_policy_for_another() {
        assert_eq!(swapped(true).await, ["AttachRolePolicy", "DetachRolePolicy", "AttachRolePolicy"]);
        // Where there is room the role is never without either.
        assert_eq!(swapped(false).await, ["AttachRolePolicy", "DetachRolePolicy"]);
    }
}
