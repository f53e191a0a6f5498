//! The resource type `lb`.

use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::{
    IpAddressType, LoadBalancerAttribute, LoadBalancerSchemeEnum, LoadBalancerStateEnum, LoadBalancerTypeEnum,
};
use futures_util::future::{try_join, try_join_all};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::attributes::{Attributes, changes, load_balancer_defaults};
use super::{batched, tags_of, to_api, update_tags};
use crate::aws::client::{Aws, send_once};
use crate::aws::error::{OrAbsent, OrFail};
use crate::aws::resource::{Info, Resource, Tags};
use crate::engine::ports::{Failure, FailureKind, Operation, Outcome, Wanted};

/// A load balancer.
///
/// Import by ARN: `arn:aws:elasticloadbalancing:…:loadbalancer/app/NAME/…`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lb {
    /// The name, unique in account and region.
    #[schemars(extend("x-replace" = true), length(max = 32))]
    name: String,
    /// `application` for HTTP, `network` for TCP and UDP.
    #[schemars(extend("default" = "application", "x-replace" = true, "enum" = ["application", "network", "gateway"]))]
    r#type: String,
    /// Whether the internet can reach it.
    #[schemars(extend("default" = "internet-facing", "x-replace" = true, "enum" = ["internet-facing", "internal"]))]
    scheme: String,
    /// Which IP versions its clients use.
    #[schemars(extend("default" = "ipv4", "enum" = ["ipv4", "dualstack", "dualstack-without-public-ipv4"]))]
    ip_address_type: String,
    /// Its security groups; the VPC's default group when left out.
    #[schemars(extend("x-set" = true, "x-server" = true))]
    security_groups: Option<Vec<String>>,
    /// Its subnets, in at least two availability zones for an application load balancer.
    #[schemars(extend("x-set" = true))]
    subnets: Vec<String>,
    /// Attributes by AWS's own keys, such as `"idle_timeout.timeout_seconds"`.
    #[schemars(extend("default" = {}, "x-defaults" = load_balancer_defaults()))]
    attributes: Attributes,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The ARN, which is also the id.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
    /// The DNS name.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    dns_name: String,
    /// The Route 53 zone of the DNS name, for alias records.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    canonical_hosted_zone_id: String,
    /// The VPC.
    #[schemars(extend("x-computed" = true))]
    vpc_id: Option<String>,
}

impl Lb {
    async fn attributes(aws: &Aws, arn: &str) -> Outcome<Option<(String, Attributes)>> {
        let call = aws.elb().describe_load_balancer_attributes().load_balancer_arn(arn);
        let found = call.send().await.or_fail("elasticloadbalancing:DescribeLoadBalancerAttributes").or_absent()?;
        Ok(found.map(|found| {
            let pairs = found.attributes().iter().filter_map(|a| Some((a.key()?.to_owned(), a.value().unwrap_or_default().to_owned())));
            (arn.to_owned(), pairs.collect())
        }))
    }

    async fn describe(aws: &Aws, arns: &[String]) -> Outcome<Vec<aws_sdk_elasticloadbalancingv2::types::LoadBalancer>> {
        batched(arns, async |arns| {
            let call = aws.elb().describe_load_balancers().set_load_balancer_arns(Some(arns));
            Ok(call.send().await.or_fail("elasticloadbalancing:DescribeLoadBalancers")?.load_balancers.unwrap_or_default())
        })
        .await
    }
}

impl Resource for Lb {
    const TYPE: &'static str = "lb";
    const INFO: Info = Info { transient: &["OperationNotPermitted.InProgress", "InvalidSubnet", "ResourceInUse"], ..Info::DEFAULT };

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let described = Self::describe(aws, ids);
        let attributes = try_join_all(ids.iter().map(|arn| Self::attributes(aws, arn)));
        let ((described, attributes), mut tags) = try_join(try_join(described, attributes), tags_of(aws, ids)).await?;
        let mut attributes: std::collections::BTreeMap<_, _> = attributes.into_iter().flatten().collect();
        let read = described.into_iter().map(|lb| {
            let arn = lb.load_balancer_arn().unwrap_or_default().to_owned();
            let zones = lb.availability_zones().iter();
            let read = Self {
                name: lb.load_balancer_name().unwrap_or_default().to_owned(),
                r#type: lb.r#type().map_or("application", LoadBalancerTypeEnum::as_str).to_owned(),
                scheme: lb.scheme().map_or("internet-facing", LoadBalancerSchemeEnum::as_str).to_owned(),
                ip_address_type: lb.ip_address_type().map_or("ipv4", IpAddressType::as_str).to_owned(),
                security_groups: Some(lb.security_groups().to_vec()),
                subnets: zones.filter_map(|zone| zone.subnet_id().map(str::to_owned)).collect(),
                attributes: attributes.remove(&arn).unwrap_or_default(),
                tags: tags.remove(&arn).unwrap_or_default(),
                dns_name: lb.dns_name().unwrap_or_default().to_owned(),
                canonical_hosted_zone_id: lb.canonical_hosted_zone_id().unwrap_or_default().to_owned(),
                vpc_id: lb.vpc_id().map(str::to_owned),
                arn: arn.clone(),
            };
            (arn, read)
        });
        Ok(read.collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let Some(name) = wanted.text("name") else { return Ok(None) };
        let call = aws.elb().describe_load_balancers().names(name);
        let found = call.send().await.or_fail("elasticloadbalancing:DescribeLoadBalancers").or_absent()?;
        let found = found.and_then(|found| found.load_balancers).unwrap_or_default();
        Ok(wanted.pick(found.into_iter().filter_map(|lb| lb.load_balancer_arn)))
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let call = aws
            .elb()
            .create_load_balancer()
            .name(&to.name)
            .r#type(LoadBalancerTypeEnum::from(to.r#type.as_str()))
            .scheme(LoadBalancerSchemeEnum::from(to.scheme.as_str()))
            .ip_address_type(IpAddressType::from(to.ip_address_type.as_str()))
            .set_security_groups(to.security_groups.clone())
            .set_subnets(Some(to.subnets.clone()))
            .set_tags(to_api(&to.tags));
        let made = send_once!(aws_sdk_elasticloadbalancingv2, call).await.or_fail("elasticloadbalancing:CreateLoadBalancer")?;
        Ok(made.load_balancers().first().and_then(|lb| lb.load_balancer_arn()).unwrap_or_default().to_owned())
    }

    fn as_created(to: &Self) -> Self {
        Self { attributes: Attributes::new(), ..to.clone() }
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self {
            ip_address_type,
            security_groups,
            subnets,
            attributes,
            tags,
            name: _,
            r#type: _,
            scheme: _,
            arn: _,
            dns_name: _,
            canonical_hosted_zone_id: _,
            vpc_id: _,
        } = to;
        let elb = aws.elb();
        // Dual stack needs subnets that have IPv6, so subnets go first.
        if *subnets != from.subnets {
            let call = elb.set_subnets().load_balancer_arn(id).set_subnets(Some(subnets.clone()));
            call.send().await.or_fail("elasticloadbalancing:SetSubnets")?;
        }
        if *ip_address_type != from.ip_address_type {
            let call = elb.set_ip_address_type().load_balancer_arn(id).ip_address_type(IpAddressType::from(ip_address_type.as_str()));
            call.send().await.or_fail("elasticloadbalancing:SetIpAddressType")?;
        }
        if *security_groups != from.security_groups {
            let call = elb.set_security_groups().load_balancer_arn(id).set_security_groups(security_groups.clone());
            call.send().await.or_fail("elasticloadbalancing:SetSecurityGroups")?;
        }
        let changed = changes(&from.attributes, attributes, &load_balancer_defaults());
        if !changed.is_empty() {
            let changed = changed.into_iter().map(|(key, value)| LoadBalancerAttribute::builder().key(key).value(value).build()).collect();
            let call = elb.modify_load_balancer_attributes().load_balancer_arn(id).set_attributes(Some(changed));
            call.send().await.or_fail("elasticloadbalancing:ModifyLoadBalancerAttributes")?;
        }
        update_tags(aws, id, &from.tags, tags).await
    }

    async fn ready(aws: &Aws, operation: &Operation, id: &str, _: &Self) -> Outcome<()> {
        loop {
            let found = Self::describe(aws, &[id.to_owned()]).await?;
            let state = found.first().and_then(|lb| lb.state());
            match state.and_then(|state| state.code()) {
                Some(LoadBalancerStateEnum::Provisioning) => {}
                Some(LoadBalancerStateEnum::Failed) => {
                    let reason = state.and_then(|state| state.reason()).unwrap_or("AWS gives no reason");
                    return Err(Failure::new(FailureKind::Other, format!("the load balancer failed: {reason}")));
                }
                _ => return Ok(()),
            }
            operation.pause(Duration::from_secs(3), "waiting for the load balancer").await?;
        }
    }

    async fn delete(aws: &Aws, operation: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        aws.elb()
            .delete_load_balancer()
            .load_balancer_arn(id)
            .send()
            .await
            .or_fail("elasticloadbalancing:DeleteLoadBalancer")
            .or_absent()?;
        while !Self::describe(aws, &[id.to_owned()]).await?.is_empty() {
            operation.pause(Duration::from_secs(2), "waiting for the load balancer to go").await?;
        }
        Ok(())
    }
}
