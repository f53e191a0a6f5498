//! The resource type `vpc`.

use aws_sdk_ec2::types::{
    AttributeBooleanValue, ResourceType, Tenancy, VpcAttributeName, VpcCidrBlockStateCode, VpcIpv6CidrBlockAssociation, VpcTenancy,
};
use futures_util::future::{try_join, try_join_all};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocked::{Part, explained};
use super::{arn, in_chunks, network_size, ownership_filters, specification, tags, update_tags};
use crate::client::{Aws, send_once};
use crate::error::{OrAbsent, OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::{Changing, verified};
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{Operation, Outcome, Wanted};
use leoctl_core::engine::usual::Usual;
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
    /// From `dedicated` to `default` it changes in place; the other way the VPC is replaced.
    #[schemars(extend("default" = "default", "enum" = ["default", "dedicated"]))]
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

/// The IPv6 networks of a VPC in one of these states: what it has given back is still listed.
fn ipv6_networks<'a>(
    vpc: &'a aws_sdk_ec2::types::Vpc,
    states: &[VpcCidrBlockStateCode],
) -> impl Iterator<Item = &'a VpcIpv6CidrBlockAssociation> {
    let state = |one: &VpcIpv6CidrBlockAssociation| one.ipv6_cidr_block_state().and_then(|state| state.state()).cloned();
    vpc.ipv6_cidr_block_association_set().iter().filter(move |one| state(one).is_some_and(|state| states.contains(&state)))
}

/// Whether an IPv6 network is of Amazon's, and not of a pool of the account's own.
fn is_amazons(network: &VpcIpv6CidrBlockAssociation) -> bool {
    network.ipv6_pool().is_none_or(|pool| pool.is_empty() || pool == "Amazon")
}

/// The IPv6 network that a VPC has, Amazon's before others: one that can be used, for AWS says an empty text of one it has not
/// chosen yet (AWS CLI Reference, create-vpc, the example with an IPv6 network).
pub fn ipv6_network(vpc: &aws_sdk_ec2::types::Vpc) -> Option<&VpcIpv6CidrBlockAssociation> {
    let usable = || {
        let associated = ipv6_networks(vpc, &[VpcCidrBlockStateCode::Associated]);
        associated.filter(|one| one.ipv6_cidr_block().is_some_and(|network| !network.is_empty()))
    };
    usable().find(|one| is_amazons(one)).or_else(|| usable().next())
}

/// Whether a VPC has an IPv6 network of Amazon's or is about to.
fn is_given(vpc: &aws_sdk_ec2::types::Vpc) -> bool {
    use VpcCidrBlockStateCode::{Associated, Associating};
    ipv6_networks(vpc, &[Associated, Associating]).any(is_amazons)
}

impl Vpc {
    async fn describe(aws: &Aws, ids: &[String]) -> Outcome<Vec<aws_sdk_ec2::types::Vpc>> {
        in_chunks("vpc-id", ids, |only| async move {
            let pages = aws.ec2().describe_vpcs().filters(only).into_paginator().items().send();
            pages.try_collect().await.or_fail("ec2:DescribeVpcs")
        })
        .await
    }

    /// Whether it has an IPv6 network of Amazon's or is about to.
    async fn is_given(aws: &Aws, id: &str) -> Outcome<bool> {
        let found = Self::describe(aws, &[id.to_owned()]).await?;
        Ok(found.iter().any(|vpc| vpc.vpc_id() == Some(id) && is_given(vpc)))
    }

    /// Whether what takes its time is as it is to be: what is made in the VPC then rests on it.
    fn is_as(&self, to: &Self) -> bool {
        self.amazon_provided_ipv6_cidr_block == to.amazon_provided_ipv6_cidr_block
            && self.enable_dns_support == to.enable_dns_support
            && self.enable_dns_hostnames == to.enable_dns_hostnames
    }

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
            amazon_provided_ipv6_cidr_block: ipv6.is_some_and(is_amazons),
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
        timeout: 1200,
        // Published logs of Terraform's applies of the same calls: made in seconds; what is in it may take longer to go.
        usual: Usual::of((0, 20), (0, 60), (0, 60)),
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:ec2:{region}:{account}:vpc/*",
        plan: &[Grant::any(&["ec2:DescribeVpcs"]), Grant::itself(&["ec2:DescribeVpcAttribute"])],
        apply: &[
            // What holds it, to name it.
            Grant::any(&["ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups", "ec2:DescribeVpcEndpoints"]),
            Grant::itself(&[
                "ec2:AssociateVpcCidrBlock",
                "ec2:CreateTags",
                "ec2:CreateVpc",
                "ec2:DeleteTags",
                "ec2:DeleteVpc",
                "ec2:DisassociateVpcCidrBlock",
                "ec2:ModifyVpcAttribute",
                "ec2:ModifyVpcTenancy",
            ]),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        network_size(desired)
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let found = Self::describe(aws, ids).await?;
        let read = try_join_all(found.iter().map(|vpc| Self::from_api(aws, vpc))).await?;
        Ok(read.into_iter().flatten().collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let pages = aws.ec2().describe_vpcs().set_filters(Some(ownership_filters(wanted))).into_paginator().items().send();
        let found: Vec<aws_sdk_ec2::types::Vpc> = pages.try_collect().await.or_fail("ec2:DescribeVpcs")?;
        Ok(wanted.pick(found.iter().filter(|vpc| wanted.owns(&tags(vpc.tags()))).filter_map(|vpc| vpc.vpc_id().map(str::to_owned))))
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

    /// ModifyVpcTenancy has `default` only (EC2 API Reference).
    fn replaces(before: &Value, after: &Value) -> &'static [&'static str] {
        let tenancy = |value: &Value| value.get("instance_tenancy").and_then(Value::as_str).map(str::to_owned);
        match (tenancy(before).as_deref(), tenancy(after).as_deref()) {
            (Some("default"), Some("dedicated")) => &["instance_tenancy"],
            _ => &[],
        }
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self {
            amazon_provided_ipv6_cidr_block,
            enable_dns_support,
            enable_dns_hostnames,
            tags,
            instance_tenancy,
            // Changing it replaces the VPC.
            cidr_block: _,
            // These are AWS's.
            id: _,
            arn: _,
            ipv6_cidr_block: _,
            ipv6_association_id: _,
            owner_id: _,
        } = to;
        if *instance_tenancy != from.instance_tenancy {
            let call = aws.ec2().modify_vpc_tenancy().vpc_id(id).instance_tenancy(VpcTenancy::from(instance_tenancy.as_str()));
            call.send().await.idempotent("ec2:ModifyVpcTenancy")?;
        }
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
            // Begun again, it may have one: it would get another.
            (false, true) if !Self::is_given(aws, id).await? => {
                let call = aws.ec2().associate_vpc_cidr_block().vpc_id(id).amazon_provided_ipv6_cidr_block(true);
                let sent = send_once!(aws_sdk_ec2, call).await.sent_once("ec2:AssociateVpcCidrBlock");
                verified(sent, &[], async || Self::is_given(aws, id).await).await?;
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
            if vpc.is_some_and(|vpc| vpc.is_as(to)) {
                return Ok(());
            }
            operation.pause(std::time::Duration::from_secs(1), "waiting for the VPC's network and attributes").await?;
        }
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        let deleted = aws.ec2().delete_vpc().vpc_id(id).send().await.or_gone("ec2:DeleteVpc");
        explained(aws, deleted, Part::Vpc(id)).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types as api;

    use super::*;
    use crate::canned::{Answer, Canned};
    use crate::patience::tests::operation;

    fn vpc(networks: &[(&str, VpcCidrBlockStateCode, &str)]) -> api::Vpc {
        let association = |(network, state, pool): &(&str, VpcCidrBlockStateCode, &str)| {
            let state = api::VpcCidrBlockState::builder().state(state.clone()).build();
            let association = VpcIpv6CidrBlockAssociation::builder().ipv6_cidr_block(*network).ipv6_cidr_block_state(state);
            association.ipv6_pool(*pool).build()
        };
        api::Vpc::builder().set_ipv6_cidr_block_association_set(Some(networks.iter().map(association).collect())).build()
    }

    fn network(vpc: &api::Vpc) -> Option<&str> {
        ipv6_network(vpc).and_then(|association| association.ipv6_cidr_block())
    }

    #[test]
    fn an_ipv6_network_is_there_once_it_is_associated() {
        use VpcCidrBlockStateCode::{Associated, Associating, Disassociated};
        let created = vpc(&[("", Associating, "Amazon")]);
        assert_eq!((network(&created), is_given(&created)), (None, true));
        assert_eq!(network(&vpc(&[("2600::/56", Disassociated, "Amazon"), ("2601::/56", Associated, "Amazon")])), Some("2601::/56"));
        assert!(!is_given(&vpc(&[("2600::/56", Disassociated, "Amazon")])));
    }

    #[tokio::test]
    async fn the_tenancy_goes_back_to_default_in_place_and_no_other_way() {
        let canned = Canned::new(|_, _| Answer::Done("<return>true</return>".to_owned()));
        let of = |tenancy: &str| {
            let json = serde_json::json!({
                "cidr_block": "10.0.0.0/16", "instance_tenancy": tenancy, "amazon_provided_ipv6_cidr_block": false,
                "enable_dns_support": true, "enable_dns_hostnames": false, "tags": {}, "id": "", "arn": "", "ipv6_cidr_block": null,
                "ipv6_association_id": null, "owner_id": "",
            });
            serde_json::from_value::<Vpc>(json).unwrap()
        };
        Vpc::update(&canned.aws, &operation(0), "vpc-1", &of("dedicated"), &of("default")).await.unwrap();
        assert_eq!(canned.changes(), ["ModifyVpcTenancy VpcId=vpc-1&InstanceTenancy=default"]);
        let replaces = |before: &str, after: &str| {
            let value = |tenancy: &str| Value::from(serde_json::json!({ "instance_tenancy": tenancy }));
            Vpc::replaces(&value(before), &value(after))
        };
        assert!(replaces("dedicated", "default").is_empty());
        assert_eq!(replaces("default", "dedicated"), ["instance_tenancy"]);
    }

    #[test]
    fn a_network_of_the_accounts_own_pool_is_not_amazons() {
        use VpcCidrBlockStateCode::Associated;
        let own = vpc(&[("2001:db8::/56", Associated, "ipv6pool-ec2-1")]);
        assert!(!is_given(&own) && !ipv6_network(&own).is_some_and(is_amazons));
        let both = vpc(&[("2001:db8::/56", Associated, "ipv6pool-ec2-1"), ("2600::/56", Associated, "Amazon")]);
        assert_eq!(network(&both), Some("2600::/56"));
    }
}
