//! The resource type `egress_only_internet_gateway`.

use aws_sdk_ec2::types::ResourceType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ownership_filters, specification, tags, update_tags};
use crate::client::{Aws, send_once};
use crate::error::{OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::Changing;
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{Operation, Outcome, Wanted};

/// A VPC's way to the internet over IPv6 that lets nobody in.
///
/// Import by id: `eigw-0123456789abcdef0`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EgressOnlyInternetGateway {
    /// The VPC.
    #[schemars(extend("x-format" = "id:vpc:vpc-", "x-replace" = true))]
    vpc_id: String,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The id, for `egress_only_internet_gateway_id` of a route.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    id: String,
}

impl Resource for EgressOnlyInternetGateway {
    const TYPE: &'static str = "egress_only_internet_gateway";
    // "You can attach only one egress-only internet gateway to a VPC at a time" (VPC User Guide, "Amazon VPC quotas").
    const INFO: Info = Info {
        unique: &[&["vpc_id"]],
        transient: &[Retry::after("DependencyViolation", &["ec2:DeleteEgressOnlyInternetGateway"])],
        propagating: &[Retry::after("InvalidVpcID.NotFound", &["ec2:CreateEgressOnlyInternetGateway"])],
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:ec2:{region}:{account}:egress-only-internet-gateway/*",
        plan: &[Grant::any(&["ec2:DescribeEgressOnlyInternetGateways"])],
        apply: &[
            Grant::on(
                &["ec2:CreateEgressOnlyInternetGateway"],
                &[
                    "arn:{partition}:ec2:{region}:{account}:egress-only-internet-gateway/*",
                    "arn:{partition}:ec2:{region}:{account}:vpc/{vpc_id}",
                ],
            ),
            Grant::itself(&["ec2:CreateTags", "ec2:DeleteEgressOnlyInternetGateway", "ec2:DeleteTags"]),
        ],
    };

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        // There is no filter for ids, and asking for one that does not exist fails for all (EC2 API Reference,
        // DescribeEgressOnlyInternetGateways); a region has five of them unless its quota was raised.
        let mut pages = aws.ec2().describe_egress_only_internet_gateways().into_paginator().send();
        let mut read = Vec::new();
        while let Some(page) = pages.next().await {
            for gateway in page.or_fail("ec2:DescribeEgressOnlyInternetGateways")?.egress_only_internet_gateways() {
                let id = gateway.egress_only_internet_gateway_id().unwrap_or_default().to_owned();
                // One that was deleted may still be listed, without its VPC.
                let vpc = gateway.attachments().iter().find_map(|attachment| attachment.vpc_id());
                if let Some(vpc) = vpc.filter(|_| ids.contains(&id)) {
                    read.push((id.clone(), Self { vpc_id: vpc.to_owned(), tags: tags(gateway.tags()), id }));
                }
            }
        }
        Ok(read)
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let pages =
            aws.ec2().describe_egress_only_internet_gateways().set_filters(Some(ownership_filters(wanted))).into_paginator().items().send();
        let found: Vec<aws_sdk_ec2::types::EgressOnlyInternetGateway> =
            pages.try_collect().await.or_fail("ec2:DescribeEgressOnlyInternetGateways")?;
        let ours = found.iter().filter(|gateway| wanted.owns(&tags(gateway.tags())));
        Ok(wanted.pick(ours.filter_map(|gateway| gateway.egress_only_internet_gateway_id().map(str::to_owned))))
    }

    async fn create(aws: &Aws, operation: &Operation, to: &Self) -> Outcome<String> {
        let call = aws
            .ec2()
            .create_egress_only_internet_gateway()
            .vpc_id(&to.vpc_id)
            .client_token(&operation.token)
            .tag_specifications(specification(ResourceType::EgressOnlyInternetGateway, &to.tags));
        let made = send_once!(aws_sdk_ec2, call).await.sent_once("ec2:CreateEgressOnlyInternetGateway")?;
        let id = made.egress_only_internet_gateway().and_then(|gateway| gateway.egress_only_internet_gateway_id());
        made_id("ec2:CreateEgressOnlyInternetGateway", id)
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self { tags, vpc_id: _, id: _ } = to;
        update_tags(aws.ec2(), id, &from.tags, tags).await
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        let call = aws.ec2().delete_egress_only_internet_gateway().egress_only_internet_gateway_id(id);
        call.send().await.or_gone("ec2:DeleteEgressOnlyInternetGateway").map(drop)
    }
}
