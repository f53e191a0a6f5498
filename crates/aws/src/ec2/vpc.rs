//! The resource type `vpc`.

use aws_sdk_ec2::types::{
    AttributeBooleanValue, ResourceType, Tenancy, VpcAttributeName, VpcCidrBlockStateCode, VpcIpv6CidrBlockAssociation,
};
use futures_util::future::{try_join, try_join_all};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{arn, filter, network_size, ownership_filters, specification, tags, update_tags};
use crate::client::{Aws, send_once};
use crate::error::{OrAbsent, OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::{Changing, verified};
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::schema::Release;
use leoctl_core::model::value::Value;

/// A virtual network.
///
/// Import by id: `vpc-0123456789abcdef0`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vpc {
    /// The IPv4 network, from /16 to /28.
    #[schemars(extend("x-replace" = true, "x-format" = "cidr4"))]
    cidr_block: String,
    /// Whether instances run on hardware of their own.
    #[schemars(extend("default" = "default", "x-replace" = true, "enum" = ["default", "dedicated"]))]
    instance_tenancy: String,
    /// Whether the VPC has an IPv6 /56 of Amazon's.
    #[schemars(extend("default" = false))]
    amazon_provided_ipv6_cidr_block: bool,
    /// Whether Amazon's DNS server answers in the VPC.
    #[schemars(extend("default" = true))]
    enable_dns_support: bool,
    /// Whether instances with public addresses get public DNS names. Needs `enable_dns_support`.
    #[schemars(extend("default" = false))]
    enable_dns_hostnames: bool,
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
    /// The IPv6 network, when there is one.
    #[schemars(extend("x-computed" = true, "x-follows" = ["amazon_provided_ipv6_cidr_block"]))]
    ipv6_cidr_block: Option<String>,
    /// The id of the IPv6 network's association.
    #[schemars(extend("x-computed" = true, "x-follows" = ["amazon_provided_ipv6_cidr_block"]))]
    ipv6_association_id: Option<String>,
    /// The account it is in.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    owner_id: String,
}

/// The IPv6 network that a VPC has or is about to have: those it has given back are still listed.
pub fn ipv6_network(vpc: &aws_sdk_ec2::types::Vpc) -> Option<&VpcIpv6CidrBlockAssociation> {
    vpc.ipv6_cidr_block_association_set().iter().find(|association| {
        let state = association.ipv6_cidr_block_state().and_then(|state| state.state());
        matches!(state, Some(VpcCidrBlockStateCode::Associated | VpcCidrBlockStateCode::Associating))
    })
}

impl Vpc {
    async fn from_api(aws: &Aws, vpc: &aws_sdk_ec2::types::Vpc) -> Outcome<Option<(String, Self)>> {
        let id = vpc.vpc_id().unwrap_or_default().to_owned();
        let attribute = async |name: VpcAttributeName| {
            let call = aws.ec2().describe_vpc_attribute().vpc_id(&id).attribute(name);
            call.send().await.or_fail("ec2:DescribeVpcAttribute").or_absent()
        };
        let (support, hostnames) =
            try_join(attribute(VpcAttributeName::EnableDnsSupport), attribute(VpcAttributeName::EnableDnsHostnames)).await?;
        let (Some(support), Some(hostnames)) = (support, hostnames) else { return Ok(None) };
        let on = |value: Option<&AttributeBooleanValue>| value.and_then(AttributeBooleanValue::value).unwrap_or_default();
        let ipv6 = ipv6_network(vpc);
        let owner_id = vpc.owner_id().unwrap_or_default().to_owned();
        let read = Self {
            cidr_block: vpc.cidr_block().unwrap_or_default().to_owned(),
            instance_tenancy: vpc.instance_tenancy().map_or("default", Tenancy::as_str).to_owned(),
            amazon_provided_ipv6_cidr_block: ipv6.is_some(),
            enable_dns_support: on(support.enable_dns_support()),
            enable_dns_hostnames: on(hostnames.enable_dns_hostnames()),
            tags: tags(vpc.tags()),
            arn: arn(&aws.region, &owner_id, "vpc", &id),
            ipv6_cidr_block: ipv6.and_then(|ipv6| ipv6.ipv6_cidr_block()).map(str::to_owned),
            ipv6_association_id: ipv6.and_then(|ipv6| ipv6.association_id()).map(str::to_owned),
            owner_id,
            id: id.clone(),
        };
        Ok(Some((id, read)))
    }
}

impl Resource for Vpc {
    const TYPE: &'static str = "vpc";
    // A VPC cannot go while network interfaces in it are still being released.
    const INFO: Info = Info {
        // Two may have the same network; what is in one cannot be used while it goes.
        create_before_destroy: true,
        transient: &[Retry::after("DependencyViolation", &["ec2:DeleteVpc"])],
        // A network with subnets in it cannot be taken away (EC2 API Reference, DisassociateVpcCidrBlock).
        releases: &[Release { attribute: "amazon_provided_ipv6_cidr_block", by: "subnet", using: "ipv6_cidr_block" }],
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:ec2:{region}:{account}:vpc/*",
        plan: &[Grant::any(&["ec2:DescribeVpcs"]), Grant::itself(&["ec2:DescribeVpcAttribute"])],
        apply: &[Grant::itself(&[
            "ec2:AssociateVpcCidrBlock",
            "ec2:CreateTags",
            "ec2:CreateVpc",
            "ec2:DeleteTags",
            "ec2:DeleteVpc",
            "ec2:DisassociateVpcCidrBlock",
            "ec2:ModifyVpcAttribute",
        ])],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        network_size(desired)
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let found = aws.ec2().describe_vpcs().filters(filter("vpc-id", ids)).send().await.or_fail("ec2:DescribeVpcs")?;
        let read = try_join_all(found.vpcs().iter().map(|vpc| Self::from_api(aws, vpc))).await?;
        Ok(read.into_iter().flatten().collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let call = aws.ec2().describe_vpcs().set_filters(Some(ownership_filters(wanted)));
        let found = call.send().await.or_fail("ec2:DescribeVpcs")?;
        Ok(wanted.pick(found.vpcs().iter().filter(|vpc| wanted.owns(&tags(vpc.tags()))).filter_map(|vpc| vpc.vpc_id().map(str::to_owned))))
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let call = aws
            .ec2()
            .create_vpc()
            .cidr_block(&to.cidr_block)
            .instance_tenancy(Tenancy::from(to.instance_tenancy.as_str()))
            .amazon_provided_ipv6_cidr_block(to.amazon_provided_ipv6_cidr_block)
            .tag_specifications(specification(ResourceType::Vpc, &to.tags));
        let made = send_once!(aws_sdk_ec2, call).await.sent_once("ec2:CreateVpc")?;
        made_id("ec2:CreateVpc", made.vpc().and_then(|vpc| vpc.vpc_id()))
    }

    fn as_created(to: &Self) -> Self {
        Self { enable_dns_support: true, enable_dns_hostnames: false, ..to.clone() }
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self {
            amazon_provided_ipv6_cidr_block,
            enable_dns_support,
            enable_dns_hostnames,
            tags,
            // Changing these replaces the VPC.
            cidr_block: _,
            instance_tenancy: _,
            // These are AWS's.
            id: _,
            arn: _,
            ipv6_cidr_block: _,
            ipv6_association_id: _,
            owner_id: _,
        } = to;
        let value = |on: &bool| AttributeBooleanValue::builder().value(*on).build();
        // One attribute a call (EC2 API Reference, ModifyVpcAttribute); support goes on before and off after hostnames.
        let support = async || {
            if *enable_dns_support != from.enable_dns_support {
                let call = aws.ec2().modify_vpc_attribute().vpc_id(id).enable_dns_support(value(enable_dns_support));
                call.send().await.idempotent("ec2:ModifyVpcAttribute")?;
            }
            Ok(())
        };
        if *enable_dns_support {
            support().await?;
        }
        if *enable_dns_hostnames != from.enable_dns_hostnames {
            let call = aws.ec2().modify_vpc_attribute().vpc_id(id).enable_dns_hostnames(value(enable_dns_hostnames));
            call.send().await.idempotent("ec2:ModifyVpcAttribute")?;
        }
        if !*enable_dns_support {
            support().await?;
        }
        match (from.amazon_provided_ipv6_cidr_block, *amazon_provided_ipv6_cidr_block) {
            (false, true) => {
                let call = aws.ec2().associate_vpc_cidr_block().vpc_id(id).amazon_provided_ipv6_cidr_block(true);
                let sent = send_once!(aws_sdk_ec2, call).await.sent_once("ec2:AssociateVpcCidrBlock");
                let associated = async || Ok(Self::read_one(aws, id).await?.is_some_and(|vpc| vpc.ipv6_cidr_block.is_some()));
                verified(sent, &[], associated).await?;
            }
            (true, false) => {
                let call = aws.ec2().disassociate_vpc_cidr_block().set_association_id(from.ipv6_association_id.clone());
                call.send().await.or_gone("ec2:DisassociateVpcCidrBlock")?;
            }
            _ => {}
        }
        update_tags(aws.ec2(), id, &from.tags, tags).await
    }

    async fn ready(aws: &Aws, operation: &Operation, id: &str, to: &Self) -> Outcome<()> {
        loop {
            let vpc = Self::read_one(aws, id).await?;
            if vpc.is_some_and(|vpc| to.amazon_provided_ipv6_cidr_block == vpc.ipv6_cidr_block.is_some()) {
                return Ok(());
            }
            operation.pause(std::time::Duration::from_secs(1), "waiting for the VPC's IPv6 network").await?;
        }
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        aws.ec2().delete_vpc().vpc_id(id).send().await.or_gone("ec2:DeleteVpc").map(drop)
    }
}
