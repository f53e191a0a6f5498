//! The resource type `efs_access_point`.

use std::time::Duration;

use aws_sdk_efs::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{is_ready, is_there, tags, to_api, unbuilt, update_tags};
use crate::client::{Aws, send_once};
use crate::error::{OrAbsent, OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::Changing;
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{FailureKind, Operation, Outcome, Wanted};

/// A way into a file system: into one directory, as one user, whoever the client is.
///
/// Import by id: `fsap-0123456789abcdef0`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EfsAccessPoint {
    /// The file system.
    #[schemars(extend("x-replace" = true))]
    file_system_id: String,
    /// The user every access is made as; the client's own when left out.
    #[schemars(extend("x-replace" = true))]
    posix_user: Option<PosixUser>,
    /// The directory that clients see as the root.
    #[schemars(extend("default" = {}, "x-replace" = true))]
    root_directory: RootDirectory,
    /// Tags; `Name` is what the console shows.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The id.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    id: String,
    /// The ARN.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
}

/// A user of a file system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PosixUser {
    /// The user's id.
    #[schemars(range(min = 0, max = 4_294_967_295_i64))]
    uid: i64,
    /// The id of the user's group.
    #[schemars(range(min = 0, max = 4_294_967_295_i64))]
    gid: i64,
    /// The ids of other groups the user is in, at most 16.
    #[schemars(extend("default" = [], "x-set" = true), length(max = 16), inner(range(min = 0, max = 4_294_967_295_i64)))]
    secondary_gids: Vec<i64>,
}

/// A directory of a file system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RootDirectory {
    /// Its path, at most four directories deep.
    #[schemars(extend("default" = "/", "pattern" = "^(/|(/[^.$#<>;`|&?{}^*/\\n][^$#<>;`|&?{}^*/\\n]*){1,4})$", "x-form" = "an absolute path of at most four parts, without a slash at its end, none of which begins with a dot or has one of $#<>;`|&?{}^*"), length(max = 100))]
    path: String,
    /// What it is made like when there is none; without, mounting fails when there is none.
    creation_info: Option<CreationInfo>,
}

/// What a directory is made like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreationInfo {
    /// The id of the user who owns it.
    #[schemars(range(min = 0, max = 4_294_967_295_i64))]
    owner_uid: i64,
    /// The id of the group that owns it.
    #[schemars(range(min = 0, max = 4_294_967_295_i64))]
    owner_gid: i64,
    /// Who may do what in it, such as `0755`.
    #[schemars(extend("pattern" = "^[0-7]{3,4}$", "x-form" = "three or four octal digits"), length(max = 4))]
    permissions: String,
}

impl PosixUser {
    fn to_api(&self) -> Outcome<api::PosixUser> {
        let Self { uid, gid, secondary_gids } = self;
        let others = Some(secondary_gids.clone()).filter(|others| !others.is_empty());
        api::PosixUser::builder().uid(*uid).gid(*gid).set_secondary_gids(others).build().map_err(unbuilt)
    }

    fn from_api(user: &api::PosixUser) -> Self {
        Self { uid: user.uid(), gid: user.gid(), secondary_gids: user.secondary_gids().to_vec() }
    }
}

impl RootDirectory {
    fn to_api(&self) -> Outcome<api::RootDirectory> {
        let made = self.creation_info.as_ref().map(|CreationInfo { owner_uid, owner_gid, permissions }| {
            let made = api::CreationInfo::builder().owner_uid(*owner_uid).owner_gid(*owner_gid).permissions(permissions);
            made.build().map_err(unbuilt)
        });
        Ok(api::RootDirectory::builder().path(&self.path).set_creation_info(made.transpose()?).build())
    }

    fn from_api(directory: Option<&api::RootDirectory>) -> Self {
        let made = directory.and_then(|directory| directory.creation_info());
        Self {
            path: directory.and_then(|directory| directory.path()).unwrap_or("/").to_owned(),
            creation_info: made.map(|made| CreationInfo {
                owner_uid: made.owner_uid(),
                owner_gid: made.owner_gid(),
                permissions: made.permissions().to_owned(),
            }),
        }
    }
}

impl EfsAccessPoint {
    async fn describe(aws: &Aws, id: &str) -> Outcome<Option<api::AccessPointDescription>> {
        let call = aws.efs().describe_access_points().access_point_id(id);
        let found = call.send().await.or_fail("elasticfilesystem:DescribeAccessPoints").or_absent()?;
        let found = found.and_then(|found| found.access_points).unwrap_or_default();
        Ok(found.into_iter().find(|found| found.access_point_id() == Some(id)))
    }

    /// Every access point, of a file system or of all.
    async fn list(aws: &Aws, file_system: Option<&str>) -> Outcome<Vec<api::AccessPointDescription>> {
        let call = aws.efs().describe_access_points().set_file_system_id(file_system.map(str::to_owned));
        let mut pages = call.into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let Some(page) = page.or_fail("elasticfilesystem:DescribeAccessPoints").or_absent()? else { break };
            found.extend(page.access_points.unwrap_or_default());
        }
        Ok(found)
    }

    /// The access point that a creation with this token made.
    async fn of_token(aws: &Aws, file_system: Option<&str>, token: &str) -> Outcome<Option<String>> {
        let found = Self::list(aws, file_system).await?;
        let mut made = found.into_iter().filter(|found| exists(found) && found.client_token() == Some(token));
        Ok(made.next().and_then(|made| made.access_point_id))
    }

    fn from_api(found: &api::AccessPointDescription) -> (String, Self) {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let read = Self {
            file_system_id: text(found.file_system_id()),
            posix_user: found.posix_user().map(PosixUser::from_api),
            root_directory: RootDirectory::from_api(found.root_directory()),
            tags: tags(found.tags()),
            id: text(found.access_point_id()),
            arn: text(found.access_point_arn()),
        };
        (read.id.clone(), read)
    }
}

fn exists(found: &api::AccessPointDescription) -> bool {
    found.life_cycle_state().is_none_or(is_there)
}

impl Resource for EfsAccessPoint {
    const TYPE: &'static str = "efs_access_point";
    // What mounts the old one goes on until it knows the new one.
    const INFO: Info = Info {
        create_before_destroy: true,
        transient: &[Retry::after("IncorrectFileSystemLifeCycleState", &["elasticfilesystem:CreateAccessPoint"])],
        timeout: 300,
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:elasticfilesystem:{region}:{account}:access-point/*",
        plan: &[Grant::on(
            &["elasticfilesystem:DescribeAccessPoints"],
            &[
                "arn:{partition}:elasticfilesystem:{region}:{account}:access-point/*",
                "arn:{partition}:elasticfilesystem:{region}:{account}:file-system/*",
            ],
        )],
        apply: &[
            Grant::on(
                &["elasticfilesystem:CreateAccessPoint"],
                &["arn:{partition}:elasticfilesystem:{region}:{account}:file-system/{file_system_id}"],
            ),
            Grant::itself(&["elasticfilesystem:DeleteAccessPoint", "elasticfilesystem:TagResource", "elasticfilesystem:UntagResource"]),
        ],
    };

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let found = match ids {
            [id] => Self::describe(aws, id).await?.into_iter().collect(),
            _ => Self::list(aws, None).await?,
        };
        let wanted = found.iter().filter(|found| exists(found) && ids.iter().any(|id| found.access_point_id() == Some(id)));
        Ok(wanted.map(Self::from_api).collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let Some(file_system) = wanted.text("file_system_id") else { return Ok(None) };
        let found = Self::list(aws, Some(file_system)).await?;
        let ours = found.into_iter().filter(|found| exists(found) && wanted.owns(&tags(found.tags())));
        Ok(wanted.pick(ours.filter_map(|found| found.access_point_id)))
    }

    async fn find_by_token(aws: &Aws, wanted: &Wanted, token: &str) -> Outcome<Option<String>> {
        Self::of_token(aws, wanted.text("file_system_id"), token).await
    }

    async fn create(aws: &Aws, operation: &Operation, to: &Self) -> Outcome<String> {
        let call = aws
            .efs()
            .create_access_point()
            .client_token(&operation.token)
            .file_system_id(&to.file_system_id)
            .set_posix_user(to.posix_user.as_ref().map(PosixUser::to_api).transpose()?)
            .root_directory(to.root_directory.to_api()?)
            .set_tags(Some(to_api(&to.tags)?));
        match send_once!(aws_sdk_efs, call).await.sent_once("elasticfilesystem:CreateAccessPoint") {
            Ok(made) => made_id("elasticfilesystem:CreateAccessPoint", made.access_point_id),
            // Of this token: made by an earlier call whose answer was lost.
            Err(failure) if failure.kind == FailureKind::AlreadyExists => {
                Self::of_token(aws, Some(&to.file_system_id), &operation.token).await?.ok_or(failure)
            }
            Err(failure) => Err(failure),
        }
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self { tags, file_system_id: _, posix_user: _, root_directory: _, id: _, arn: _ } = to;
        update_tags(aws, id, &from.tags, tags).await
    }

    async fn ready(aws: &Aws, operation: &Operation, id: &str, _: &Self) -> Outcome<()> {
        loop {
            let found = Self::describe(aws, id).await?;
            if is_ready("access point", found.as_ref().and_then(|found| found.life_cycle_state()))? {
                return Ok(());
            }
            operation.pause(Duration::from_secs(1), "waiting for the access point").await?;
        }
    }

    async fn delete(aws: &Aws, operation: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        let deleted = aws.efs().delete_access_point().access_point_id(id).send().await;
        deleted.or_gone("elasticfilesystem:DeleteAccessPoint")?;
        while Self::describe(aws, id).await?.is_some_and(|found| found.life_cycle_state() != Some(&api::LifeCycleState::Deleted)) {
            operation.pause(Duration::from_secs(1), "waiting for the access point to go").await?;
        }
        Ok(())
    }
}
