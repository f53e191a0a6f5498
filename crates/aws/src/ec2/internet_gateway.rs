//! The resource type `internet_gateway`.

use std::time::Duration;

use aws_sdk_ec2::types as api;
use aws_sdk_ec2::types::ResourceType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocked::{Part, explained};
use super::{arn, filter, in_chunks, ownership_filters, specification, tags, update_tags};
use crate::client::{Aws, send_once};
use crate::error::{OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::{Changing, verified};
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{Operation, Outcome, Wanted};
use leoctl_core::engine::usual::Usual;

/// A VPC's way to the internet.
///
/// Import by id: `igw-0123456789abcdef0`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InternetGateway {
    /// The VPC it is attached to.
    #[schemars(extend("x-format" = "id:vpc:vpc-", "x-within" = "vpc"))]
    vpc_id: Option<String>,
    /// Tags.
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

impl Resource for InternetGateway {
    const TYPE: &'static str = "internet_gateway";
    // "You can attach only one internet gateway to a VPC at a time" (VPC User Guide, "Amazon VPC quotas"). Detaching waits
    // until public addresses in the VPC are released.
    const INFO: Info = Info {
        unique: &[&["vpc_id"]],
        transient: &[Retry::after("DependencyViolation", &["ec2:DetachInternetGateway", "ec2:DeleteInternetGateway"])],
        propagating: &[
            Retry::after("InvalidVpcID.NotFound", &["ec2:AttachInternetGateway"]),
            // Its predecessor is still being detached.
            Retry::after("Resource.AlreadyAssociated", &["ec2:AttachInternetGateway"]),
        ],
        // Public addresses of what is going away linger.
        timeout: 1200,
        // Published logs of Terraform's applies of the same calls: gone in up to 48 seconds, while public addresses go.
        usual: Usual::of((0, 20), (0, 20), (0, 60)),
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:ec2:{region}:{account}:internet-gateway/*",
        plan: &[Grant::any(&["ec2:DescribeInternetGateways"])],
        apply: &[
            // What holds it, to name it.
            Grant::any(&["ec2:DescribeNetworkInterfaces"]),
            Grant::on(
                &["ec2:AttachInternetGateway", "ec2:DetachInternetGateway"],
                &["arn:{partition}:ec2:{region}:{account}:internet-gateway/*", "arn:{partition}:ec2:{region}:{account}:vpc/{vpc_id}"],
            ),
            Grant::itself(&["ec2:CreateInternetGateway", "ec2:CreateTags", "ec2:DeleteInternetGateway", "ec2:DeleteTags"]),
        ],
    };

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let found = in_chunks("internet-gateway-id", ids, |only| async move {
            let pages = aws.ec2().describe_internet_gateways().filters(only).into_paginator().items().send();
            pages.try_collect().await.or_fail("ec2:DescribeInternetGateways")
        });
        let found = found.await?;
        let read = found.iter().map(|gateway: &api::InternetGateway| {
            let id = gateway.internet_gateway_id().unwrap_or_default().to_owned();
            let read = Self {
                vpc_id: attached_to(gateway).map(str::to_owned),
                tags: tags(gateway.tags()),
                arn: arn(&aws.region, gateway.owner_id().unwrap_or_default(), "internet-gateway", &id),
                id: id.clone(),
            };
            (id, read)
        });
        Ok(read.collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let pages = aws.ec2().describe_internet_gateways().set_filters(Some(ownership_filters(wanted))).into_paginator().items().send();
        let found: Vec<aws_sdk_ec2::types::InternetGateway> = pages.try_collect().await.or_fail("ec2:DescribeInternetGateways")?;
        let ours = found.iter().filter(|gateway| wanted.owns(&tags(gateway.tags())));
        Ok(wanted.pick(ours.filter_map(|gateway| gateway.internet_gateway_id().map(str::to_owned))))
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let call = aws.ec2().create_internet_gateway().tag_specifications(specification(ResourceType::InternetGateway, &to.tags));
        let made = send_once!(aws_sdk_ec2, call).await.sent_once("ec2:CreateInternetGateway")?;
        made_id("ec2:CreateInternetGateway", made.internet_gateway().and_then(|gateway| gateway.internet_gateway_id()))
    }

    fn as_created(to: &Self) -> Self {
        Self { vpc_id: None, ..to.clone() }
    }

    async fn update(aws: &Aws, operation: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self { vpc_id, tags, id: _, arn: _ } = to;
        if *vpc_id != from.vpc_id {
            detach(aws, operation, id, from).await?;
            if let Some(vpc) = vpc_id {
                let call = aws.ec2().attach_internet_gateway().internet_gateway_id(id).vpc_id(vpc);
                let sent = send_once!(aws_sdk_ec2, call).await.sent_once("ec2:AttachInternetGateway");
                let attached = async || Ok(Self::read_one(aws, id).await?.is_some_and(|gateway| gateway.vpc_id.as_ref() == Some(vpc)));
                verified(sent, &["Resource.AlreadyAssociated"], attached).await?;
            }
        }
        update_tags(aws.ec2(), id, &from.tags, tags).await
    }

    async fn delete(aws: &Aws, operation: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        // Where it is attached now counts, not where it was last seen.
        if let Some(gateway) = Self::read_one(aws, id).await? {
            detach(aws, operation, id, &gateway).await?;
        }
        let call = aws.ec2().delete_internet_gateway().internet_gateway_id(id);
        call.send().await.or_gone("ec2:DeleteInternetGateway").map(drop)
    }
}

/// The VPC that a gateway is attached to, or about to be.
fn attached_to(gateway: &api::InternetGateway) -> Option<&str> {
    let going = |one: &&api::InternetGatewayAttachment| {
        matches!(one.state(), Some(api::AttachmentStatus::Detached | api::AttachmentStatus::Detaching))
    };
    gateway.attachments().iter().find(|one| !going(one)).and_then(|attachment| attachment.vpc_id())
}

/// Whether a gateway has to do with a VPC yet, be it that it is just being detached.
async fn is_known_to(aws: &Aws, id: &str, vpc: &str) -> Outcome<bool> {
    let call = aws.ec2().describe_internet_gateways().filters(filter("internet-gateway-id", &[id.to_owned()]));
    let found = call.send().await.or_fail("ec2:DescribeInternetGateways")?;
    let mut its = found.internet_gateways().iter().filter(|gateway| gateway.internet_gateway_id() == Some(id));
    Ok(its.any(|gateway| {
        gateway.attachments().iter().any(|one| one.vpc_id() == Some(vpc) && one.state() != Some(&api::AttachmentStatus::Detached))
    }))
}

async fn detach(aws: &Aws, operation: &Operation, id: &str, from: &InternetGateway) -> Outcome<()> {
    let Some(vpc) = &from.vpc_id else { return Ok(()) };
    let call = aws.ec2().detach_internet_gateway().internet_gateway_id(id).vpc_id(vpc);
    let codes = ["Gateway.NotAttached", "InvalidInternetGatewayID.NotFound", "InvalidVpcID.NotFound"];
    explained(aws, call.send().await.or_done("ec2:DetachInternetGateway", &codes), Part::Internet(vpc)).await?;
    while is_known_to(aws, id, vpc).await? {
        operation.pause(Duration::from_secs(1), "waiting for the gateway to be detached").await?;
    }
    Ok(())
}
