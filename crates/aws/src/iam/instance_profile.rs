//! The resource type `iam_instance_profile`.

use futures_util::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{from_api, is_whole, to_api};
use crate::client::{Aws, send_once};
use crate::error::{OrAbsent, OrFail};
use crate::permissions::{Grant, Permissions};
use crate::repeat::{Changing, verified};
use crate::resource::{EVENTUALLY, Info, Resource, Retry, Tags};
use crate::tags::TagChange;
use leoctl_core::engine::ports::{Operation, Outcome, Wanted};
use leoctl_core::model::place::Scope;

/// What gives EC2 instances a role.
///
/// Import by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IamInstanceProfile {
    /// The name, unique in the account.
    #[schemars(extend("x-replace" = true, "x-caseless" = true, "pattern" = "^[a-zA-Z0-9_+=,.@-]+$", "x-form" = "letters, digits and _+=,.@-"), length(max = 128))]
    name: String,
    /// The path in the ARN.
    #[schemars(extend("default" = "/", "x-replace" = true, "pattern" = "^/([!-~]+/)?$", "x-form" = "a path that begins and ends with a slash"), length(max = 512))]
    path: String,
    /// The name of the role. EC2 takes a while to give instances another one that is written here.
    role: Option<String>,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The ARN.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
    /// The unique id, which a profile of the same name made later does not share.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    unique_id: String,
}

impl IamInstanceProfile {
    async fn read_one(aws: &Aws, name: &str) -> Outcome<Option<Self>> {
        let call = aws.iam().get_instance_profile().instance_profile_name(name);
        let found = call.send().await.or_fail("iam:GetInstanceProfile").or_absent()?;
        let Some(profile) = found.and_then(|found| found.instance_profile) else { return Ok(None) };
        is_whole("iam:GetInstanceProfile", profile.arn())?;
        Ok(Some(Self {
            name: profile.instance_profile_name().to_owned(),
            path: profile.path().to_owned(),
            // One at most (IAM API Reference, AddRoleToInstanceProfile).
            role: profile.roles().first().map(|role| role.role_name().to_owned()),
            tags: from_api(profile.tags()),
            arn: profile.arn().to_owned(),
            unique_id: profile.instance_profile_id().to_owned(),
        }))
    }

    /// Gives the profile this role and no other: what it has now counts.
    async fn give(aws: &Aws, name: &str, role: Option<&String>) -> Outcome<()> {
        let has = Self::read_one(aws, name).await?.and_then(|profile| profile.role);
        if has.as_ref() == role {
            return Ok(());
        }
        if let Some(old) = has {
            let call = aws.iam().remove_role_from_instance_profile().instance_profile_name(name).role_name(old);
            call.send().await.or_gone("iam:RemoveRoleFromInstanceProfile")?;
        }
        if let Some(role) = role {
            let call = aws.iam().add_role_to_instance_profile().instance_profile_name(name).role_name(role);
            let sent = send_once!(aws_sdk_iam, call).await.sent_once("iam:AddRoleToInstanceProfile");
            let has = async || Ok(Self::read_one(aws, name).await?.and_then(|profile| profile.role).as_ref() == Some(role));
            verified(sent, &["EntityAlreadyExists", "LimitExceeded"], has).await?;
        }
        Ok(())
    }
}

impl Resource for IamInstanceProfile {
    const TYPE: &'static str = "iam_instance_profile";
    // A role or profile made a moment ago may not be known everywhere yet.
    const INFO: Info = Info {
        unique: &[&["name"]],
        scope: Scope::Global,
        seen_within: EVENTUALLY,
        transient: &[Retry::always("ConcurrentModification"), Retry::after("DeleteConflict", &["iam:DeleteInstanceProfile"])],
        propagating: &[
            Retry::after("NoSuchEntity", &["iam:AddRoleToInstanceProfile"]),
            // A role that was just taken away.
            Retry::after("LimitExceeded", &["iam:AddRoleToInstanceProfile"]),
        ],
        timeout: 300,
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:iam::{account}:instance-profile{path}{name}",
        plan: &[Grant::itself(&["iam:GetInstanceProfile"])],
        apply: &[
            Grant::itself(&[
                "iam:AddRoleToInstanceProfile",
                "iam:CreateInstanceProfile",
                "iam:DeleteInstanceProfile",
                "iam:RemoveRoleFromInstanceProfile",
                "iam:TagInstanceProfile",
                "iam:UntagInstanceProfile",
            ]),
            Grant::pass("role", "ec2.amazonaws.com"),
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
        Ok(wanted.pick(Self::read_one(aws, name).await?.map(|profile| profile.name)))
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let call = aws.iam().create_instance_profile().instance_profile_name(&to.name).path(&to.path).set_tags(to_api(&to.tags)?);
        send_once!(aws_sdk_iam, call).await.sent_once("iam:CreateInstanceProfile")?;
        Ok(to.name.clone())
    }

    fn as_created(to: &Self) -> Self {
        Self { role: None, ..to.clone() }
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self { role, tags, name: _, path: _, arn: _, unique_id: _ } = to;
        if *role != from.role {
            Self::give(aws, id, role.as_ref()).await?;
        }
        let change = TagChange::between(&from.tags, tags);
        if let Some(set) = to_api(&change.set)? {
            let call = aws.iam().tag_instance_profile().instance_profile_name(id).set_tags(Some(set));
            call.send().await.idempotent("iam:TagInstanceProfile")?;
        }
        if !change.remove.is_empty() {
            let call = aws.iam().untag_instance_profile().instance_profile_name(id).set_tag_keys(Some(change.remove));
            call.send().await.idempotent("iam:UntagInstanceProfile")?;
        }
        Ok(())
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        // A profile goes only when it has no role.
        Self::give(aws, id, None).await?;
        aws.iam().delete_instance_profile().instance_profile_name(id).send().await.or_gone("iam:DeleteInstanceProfile").map(drop)
    }
}
