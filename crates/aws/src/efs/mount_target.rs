//! The resource type `efs_mount_target`.

use std::time::Duration;

use aws_sdk_efs::types as api;
use futures_util::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{dns_name, is_ready, is_there};
use crate::client::{Aws, send_once};
use crate::error::{OrAbsent, OrFail};
use crate::permissions::{Grant, Permissions};
use crate::repeat::Changing;
use crate::resource::{Info, Resource, Retry};
use leoctl_core::engine::ports::{Operation, Outcome, Wanted};
use leoctl_core::engine::usual::Usual;
use leoctl_core::model::schema::{HangsOn, Named};

/// An address of a file system in a subnet: what clients in that availability zone mount. A file system has at most
/// one in each zone.
///
/// Import by id: `fsmt-0123456789abcdef0`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EfsMountTarget {
    /// The file system.
    #[schemars(extend("x-replace" = true))]
    file_system_id: String,
    /// The subnet.
    #[schemars(extend("x-format" = "id:subnet:subnet-", "x-replace" = true))]
    subnet_id: String,
    /// The security groups, which let clients in on port 2049; the VPC's default one when left out.
    #[schemars(extend("x-format" = "id:security_group:sg-", "x-server" = true, "x-set" = true, "maxItems" = 100))]
    security_groups: Option<Vec<String>>,
    /// The kinds of address it has.
    #[schemars(extend("default" = "IPV4_ONLY", "x-replace" = true, "enum" = ["IPV4_ONLY", "DUAL_STACK", "IPV6_ONLY"]))]
    ip_address_type: String,
    /// The IPv4 address, a free one of the subnet's.
    #[schemars(extend("x-replace" = true, "x-server" = true, "pattern" = "^[0-9]{1,3}([.][0-9]{1,3}){3}$", "x-form" = "an IPv4 address"), length(max = 15))]
    ip_address: Option<String>,
    /// The IPv6 address, a free one of the subnet's.
    #[schemars(extend("x-replace" = true, "x-server" = true), length(min = 3, max = 39))]
    ipv6_address: Option<String>,
    /// The id.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    id: String,
    /// The name of this very address: ZONE.FILESYSTEM.efs.REGION.amazonaws.com.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    mount_target_dns_name: String,
    /// The availability zone.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    availability_zone_name: String,
    /// The network interface.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    network_interface_id: String,
}

impl EfsMountTarget {
    async fn describe(aws: &Aws, id: &str) -> Outcome<Option<api::MountTargetDescription>> {
        let call = aws.efs().describe_mount_targets().mount_target_id(id);
        let found = call.send().await.or_fail("elasticfilesystem:DescribeMountTargets").or_absent()?;
        Ok(found.and_then(|found| found.mount_targets).unwrap_or_default().into_iter().find(|found| found.mount_target_id() == id))
    }

    /// Every mount target of a file system.
    async fn list(aws: &Aws, file_system: &str) -> Outcome<Vec<api::MountTargetDescription>> {
        let mut pages = aws.efs().describe_mount_targets().file_system_id(file_system).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let Some(page) = page.or_fail("elasticfilesystem:DescribeMountTargets").or_absent()? else { break };
            found.extend(page.mount_targets.unwrap_or_default());
        }
        Ok(found)
    }

    /// Those of `ids` that exist: mostly they are all of one file system, which one call lists.
    async fn describe_all(aws: &Aws, ids: &[String]) -> Outcome<Vec<api::MountTargetDescription>> {
        let Some((first, others)) = ids.split_first() else { return Ok(Vec::new()) };
        let mut found = Vec::from_iter(Self::describe(aws, first).await?);
        if let (Some(file_system), false) = (found.first().map(|found| found.file_system_id().to_owned()), others.is_empty()) {
            let siblings = Self::list(aws, &file_system).await?;
            found.extend(siblings.into_iter().filter(|sibling| others.iter().any(|id| id == sibling.mount_target_id())));
        }
        let strangers = others.iter().filter(|id| !found.iter().any(|found| found.mount_target_id() == *id));
        let strangers = try_join_all(strangers.map(|id| Self::describe(aws, id))).await?;
        found.extend(strangers.into_iter().flatten());
        Ok(found)
    }

    async fn from_api(aws: &Aws, found: &api::MountTargetDescription) -> Outcome<Option<(String, Self)>> {
        let id = found.mount_target_id();
        let call = aws.efs().describe_mount_target_security_groups().mount_target_id(id);
        let groups = call.send().await.or_fail("elasticfilesystem:DescribeMountTargetSecurityGroups").or_absent()?;
        let Some(groups) = groups else { return Ok(None) };
        let zone = found.availability_zone_name().unwrap_or_default();
        let read = Self {
            file_system_id: found.file_system_id().to_owned(),
            subnet_id: found.subnet_id().to_owned(),
            security_groups: Some(groups.security_groups),
            ip_address_type: match (found.ip_address(), found.ipv6_address()) {
                (Some(_), Some(_)) => "DUAL_STACK",
                (None, Some(_)) => "IPV6_ONLY",
                _ => "IPV4_ONLY",
            }
            .to_owned(),
            ip_address: found.ip_address().map(str::to_owned),
            ipv6_address: found.ipv6_address().map(str::to_owned),
            mount_target_dns_name: format!("{zone}.{}", dns_name(&aws.region, found.file_system_id())),
            availability_zone_name: zone.to_owned(),
            network_interface_id: found.network_interface_id().unwrap_or_default().to_owned(),
            id: id.to_owned(),
        };
        Ok(Some((id.to_owned(), read)))
    }
}

impl Resource for EfsMountTarget {
    const TYPE: &'static str = "efs_mount_target";
    // Two in one availability zone cannot be, so the old one always goes first. A file system and a network just made
    // take a moment to be known.
    const INFO: Info = Info {
        unique: &[&["file_system_id", "subnet_id"]],
        conflicts: &[&["file_system_id"]],
        transient: &[
            Retry::after("DependencyTimeout", &["elasticfilesystem:CreateMountTarget", "elasticfilesystem:DeleteMountTarget"]),
            Retry::after("IncorrectFileSystemLifeCycleState", &["elasticfilesystem:CreateMountTarget"]),
            Retry::after("IncorrectMountTargetState", &["elasticfilesystem:ModifyMountTargetSecurityGroups"]),
        ],
        propagating: &[
            Retry::after(
                "SecurityGroupNotFound",
                &["elasticfilesystem:CreateMountTarget", "elasticfilesystem:ModifyMountTargetSecurityGroups"],
            ),
            Retry::after("SubnetNotFound", &["elasticfilesystem:CreateMountTarget"]),
            Retry::after("FileSystemNotFound", &["elasticfilesystem:CreateMountTarget"]),
        ],
        // EFS User Guide, "Mounting EFS file systems": 90 seconds until it is known by its name.
        usual: Usual::of((60, 150), (0, 60), (10, 120)),
        hangs_on: &[HangsOn { attribute: &["file_system_id"], names: Named::Attribute("efs_file_system", "id") }],
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:elasticfilesystem:{region}:{account}:file-system/{file_system_id}",
        plan: &[
            // EFS looks after the network interface as the caller (EFS API Reference, CreateMountTarget and its siblings).
            Grant::any(&["ec2:DescribeNetworkInterfaceAttribute"]),
            Grant::itself(&["elasticfilesystem:DescribeMountTargetSecurityGroups", "elasticfilesystem:DescribeMountTargets"]),
        ],
        apply: &[
            Grant::any(&["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"]),
            Grant::on(
                &["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:ModifyNetworkInterfaceAttribute"],
                &[
                    "arn:{partition}:ec2:{region}:{account}:network-interface/*",
                    "arn:{partition}:ec2:{region}:{account}:security-group/*",
                    "arn:{partition}:ec2:{region}:{account}:subnet/*",
                ],
            ),
            Grant::itself(&[
                "elasticfilesystem:CreateMountTarget",
                "elasticfilesystem:DeleteMountTarget",
                "elasticfilesystem:ModifyMountTargetSecurityGroups",
            ]),
        ],
    };

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let found = Self::describe_all(aws, ids).await?;
        let there = found.iter().filter(|found| is_there(found.life_cycle_state()));
        Ok(try_join_all(there.map(|found| Self::from_api(aws, found))).await?.into_iter().flatten().collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let (Some(file_system), Some(subnet)) = (wanted.text("file_system_id"), wanted.text("subnet_id")) else { return Ok(None) };
        // They have no tags; a file system has no two in one subnet (EFS API Reference, CreateMountTarget).
        let found = Self::list(aws, file_system).await?;
        let there = found.into_iter().filter(|found| found.subnet_id() == subnet && is_there(found.life_cycle_state()));
        Ok(wanted.pick(there.map(|found| found.mount_target_id)))
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let call = aws
            .efs()
            .create_mount_target()
            .file_system_id(&to.file_system_id)
            .subnet_id(&to.subnet_id)
            .ip_address_type(to.ip_address_type.as_str().into())
            .set_ip_address(to.ip_address.clone())
            .set_ipv6_address(to.ipv6_address.clone())
            .set_security_groups(to.security_groups.clone());
        let made = send_once!(aws_sdk_efs, call).await.sent_once("elasticfilesystem:CreateMountTarget")?;
        Ok(made.mount_target_id)
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self {
            security_groups,
            file_system_id: _,
            subnet_id: _,
            ip_address_type: _,
            ip_address: _,
            ipv6_address: _,
            id: _,
            mount_target_dns_name: _,
            availability_zone_name: _,
            network_interface_id: _,
        } = to;
        if *security_groups != from.security_groups {
            let call = aws.efs().modify_mount_target_security_groups().mount_target_id(id).set_security_groups(security_groups.clone());
            call.send().await.idempotent("elasticfilesystem:ModifyMountTargetSecurityGroups")?;
        }
        Ok(())
    }

    async fn ready(aws: &Aws, operation: &Operation, id: &str, _: &Self) -> Outcome<()> {
        loop {
            let found = Self::describe(aws, id).await?;
            if is_ready("mount target", found.as_ref().map(|found| found.life_cycle_state()))? {
                return Ok(());
            }
            operation.pause(Duration::from_secs(3), "waiting for the mount target").await?;
        }
    }

    async fn delete(aws: &Aws, operation: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        let going = Self::describe(aws, id).await?.is_some_and(|found| !is_there(found.life_cycle_state()));
        if !going {
            let deleted = aws.efs().delete_mount_target().mount_target_id(id).send().await;
            deleted.or_gone("elasticfilesystem:DeleteMountTarget")?;
        }
        while Self::describe(aws, id).await?.is_some_and(|found| *found.life_cycle_state() != api::LifeCycleState::Deleted) {
            operation.pause(Duration::from_secs(2), "waiting for the mount target to go").await?;
        }
        Ok(())
    }
}
