//! The resource type `vpc_endpoint`.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_ec2::types::{DnsOptionsSpecification, DnsRecordIpType, IpAddressType, PrefixList, ResourceType, VpcEndpointType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{arn, in_chunks, is_one_of, ownership_filters, specification, tags, update_tags};
use crate::client::{Aws, send_once};
use crate::document::Policy;
use crate::error::{OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::Changing;
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome, Wanted};
use leoctl_core::engine::usual::Usual;
use leoctl_core::model::path::Path;
use leoctl_core::model::value::Value;

/// A way from a VPC to a service of AWS, or of somebody else, that does not lead over the internet.
///
/// Import by id: `vpce-0123456789abcdef0`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VpcEndpoint {
    /// The VPC.
    #[schemars(extend("x-format" = "id:vpc:vpc-", "x-replace" = true))]
    vpc_id: String,
    /// The service, such as `com.amazonaws.us-west-2.s3`.
    #[schemars(extend("x-replace" = true))]
    service_name: String,
    /// `Gateway`, which costs nothing, for S3 and DynamoDB; `Interface` for everything else; `GatewayLoadBalancer` for
    /// appliances.
    #[schemars(extend("default" = "Gateway", "x-replace" = true, "enum" = ["Gateway", "Interface", "GatewayLoadBalancer"]))]
    vpc_endpoint_type: String,
    /// For a gateway: the route tables that get routes to it. They are not listed among the tables' own.
    #[schemars(extend("default" = [], "x-set" = true))]
    route_table_ids: Vec<String>,
    /// For the other types: the subnets that get a network interface of it, one in each availability zone.
    #[schemars(extend("x-format" = "id:subnet:subnet-", "default" = [], "x-set" = true))]
    subnet_ids: Vec<String>,
    /// For an interface: the security groups of its network interfaces; the VPC's default group when left out.
    #[schemars(extend("x-format" = "id:security_group:sg-", "x-set" = true, "x-server" = true))]
    security_group_ids: Option<Vec<String>>,
    /// For an interface: whether the service's ordinary DNS name leads to it in the VPC, which needs both DNS
    /// attributes of the VPC. AWS's choice is true.
    #[schemars(extend("x-server" = true))]
    private_dns_enabled: Option<bool>,
    /// What may be done through it; everything by default.
    #[schemars(extend("default" = everything()))]
    policy_document: Policy,
    /// For an interface: which IP versions it has.
    #[schemars(extend("x-server" = true, "enum" = ["ipv4", "dualstack", "ipv6"]))]
    ip_address_type: Option<String>,
    /// For an interface: its DNS records.
    #[schemars(extend("x-server" = true, "x-follows" = ["ip_address_type"]))]
    dns_options: Option<DnsOptions>,
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
    /// The DNS names of an interface.
    #[serde(default)]
    #[schemars(extend("x-computed" = true, "x-follows" = ["subnet_ids", "private_dns_enabled", "ip_address_type", "dns_options"]))]
    dns_entries: Vec<DnsEntry>,
    /// The network interfaces.
    #[serde(default)]
    #[schemars(extend("x-computed" = true, "x-follows" = ["subnet_ids", "ip_address_type"]))]
    network_interface_ids: Vec<String>,
    /// For a gateway: the prefix list of the service's addresses, for security groups.
    #[schemars(extend("x-computed" = true))]
    prefix_list_id: Option<String>,
}

/// The DNS records of an endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DnsOptions {
    /// Which IP versions the records are for.
    #[schemars(extend("x-server" = true, "enum" = ["ipv4", "dualstack", "ipv6", "service-defined"]))]
    dns_record_ip_type: Option<String>,
    /// Whether the private name is only for networks outside that ask over an inbound resolver endpoint, while the VPC
    /// goes on using a gateway endpoint.
    #[schemars(extend("x-server" = true))]
    private_dns_only_for_inbound_resolver_endpoint: Option<bool>,
}

/// A DNS name of an endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DnsEntry {
    /// The name.
    #[schemars(extend("x-computed" = true))]
    dns_name: Option<String>,
    /// The Route 53 zone it is in, for alias records.
    #[schemars(extend("x-computed" = true))]
    hosted_zone_id: Option<String>,
}

/// The policy of an endpoint nobody gave one.
fn everything() -> Json {
    json!({ "Statement": [{ "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*" }] })
}

/// Whether a policy allows everything, however that is written.
fn is_everything(policy: &Policy) -> bool {
    let canonical = |document: Json| leoctl_core::model::policy::canonicalize(&document.into()).to_json();
    canonical(policy.0.clone()) == canonical(everything())
}

/// Reads a policy; AWS writes everything with and without its oldest version (AWS PrivateLink Guide, "Control access
/// to VPC endpoints using endpoint policies": default endpoint policy), and some types have none.
fn policy(text: Option<&str>) -> Outcome<Policy> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(Policy(everything())) };
    let Policy(mut document) = Policy::parse(text)?;
    if let Some(map) = document.as_object_mut().filter(|map| map.get("Version") == Some(&json!("2008-10-17"))) {
        map.remove("Version");
    }
    match document == everything() {
        true => Ok(Policy(document)),
        false => Policy::parse(text),
    }
}

fn dns_options(options: Option<&DnsOptions>) -> Option<DnsOptionsSpecification> {
    let DnsOptions { dns_record_ip_type, private_dns_only_for_inbound_resolver_endpoint } = options?;
    let specification = DnsOptionsSpecification::builder()
        .set_dns_record_ip_type(dns_record_ip_type.as_deref().map(DnsRecordIpType::from))
        .set_private_dns_only_for_inbound_resolver_endpoint(*private_dns_only_for_inbound_resolver_endpoint);
    Some(specification.build())
}

/// The API Reference writes states with a capital letter, and AWS answers without.
fn is(endpoint: &aws_sdk_ec2::types::VpcEndpoint, states: &[&str]) -> bool {
    endpoint.state().is_some_and(|state| states.iter().any(|one| state.as_str().eq_ignore_ascii_case(one)))
}

impl VpcEndpoint {
    fn from_api(aws: &Aws, endpoint: &aws_sdk_ec2::types::VpcEndpoint) -> Outcome<(String, Self)> {
        let id = endpoint.vpc_endpoint_id().unwrap_or_default().to_owned();
        let options = endpoint.dns_options().map(|options| DnsOptions {
            dns_record_ip_type: options.dns_record_ip_type().map(|kind| kind.as_str().to_owned()),
            private_dns_only_for_inbound_resolver_endpoint: options.private_dns_only_for_inbound_resolver_endpoint(),
        });
        let entries = endpoint.dns_entries().iter().map(|entry| DnsEntry {
            dns_name: entry.dns_name().map(str::to_owned),
            hosted_zone_id: entry.hosted_zone_id().map(str::to_owned),
        });
        let read = Self {
            vpc_id: endpoint.vpc_id().unwrap_or_default().to_owned(),
            service_name: endpoint.service_name().unwrap_or_default().to_owned(),
            vpc_endpoint_type: endpoint.vpc_endpoint_type().map_or("Gateway", VpcEndpointType::as_str).to_owned(),
            route_table_ids: endpoint.route_table_ids().to_vec(),
            subnet_ids: endpoint.subnet_ids().to_vec(),
            security_group_ids: Some(endpoint.groups().iter().filter_map(|group| group.group_id().map(str::to_owned)).collect()),
            private_dns_enabled: endpoint.private_dns_enabled(),
            policy_document: policy(endpoint.policy_document())?,
            ip_address_type: endpoint.ip_address_type().map(|kind| kind.as_str().to_owned()),
            dns_options: options,
            tags: tags(endpoint.tags()),
            arn: arn(&aws.region, endpoint.owner_id().unwrap_or_default(), "vpc-endpoint", &id),
            dns_entries: entries.collect(),
            network_interface_ids: endpoint.network_interface_ids().to_vec(),
            prefix_list_id: None,
            id: id.clone(),
        };
        Ok((id, read))
    }

    async fn describe(aws: &Aws, ids: &[String]) -> Outcome<Vec<aws_sdk_ec2::types::VpcEndpoint>> {
        let found = in_chunks("vpc-endpoint-id", ids, |only| async move {
            let pages = aws.ec2().describe_vpc_endpoints().filters(only).into_paginator().items().send();
            pages.try_collect().await.or_fail("ec2:DescribeVpcEndpoints")
        });
        let mut found: Vec<aws_sdk_ec2::types::VpcEndpoint> = found.await?;
        found.retain(|endpoint| is_one_of(ids, endpoint.vpc_endpoint_id()));
        Ok(found)
    }
}

/// What is in the first list and not in the second; nothing when that is nothing.
fn without(these: &[String], those: &[String]) -> Option<Vec<String>> {
    let only: Vec<String> = these.iter().filter(|one| !those.contains(one)).cloned().collect();
    Some(only).filter(|only| !only.is_empty())
}

/// The DNS options that go with a change. AWS takes a private name that is switched on without them for one that is only for
/// networks outside (EC2 API Reference, DnsOptionsSpecification), whatever they were.
fn options_to_send<'a>(from: &VpcEndpoint, to: &'a VpcEndpoint) -> Option<&'a DnsOptions> {
    let switched_on = to.private_dns_enabled == Some(true) && from.private_dns_enabled != Some(true);
    to.dns_options.as_ref().filter(|options| switched_on || from.dns_options.as_ref() != Some(*options))
}

/// The calls that make an endpoint what it is.
const MAKING: &[&str] = &["ec2:CreateVpcEndpoint", "ec2:ModifyVpcEndpoint"];

impl Resource for VpcEndpoint {
    const TYPE: &'static str = "vpc_endpoint";
    const INFO: Info = Info {
        propagating: &[
            Retry::after("InvalidRouteTableId.NotFound", MAKING),
            Retry::after("InvalidSecurityGroupId.NotFound", MAKING),
            Retry::after("InvalidSubnetId.NotFound", MAKING),
            Retry::after("InvalidVpcId.NotFound", MAKING),
            // The DNS attributes of its VPC that were just switched on.
            Retry::after("InvalidParameter", MAKING),
        ],
        // Its DNS name and routes are free again a moment after an endpoint before it has gone.
        transient: &[
            Retry::after("DependencyViolation", &["ec2:DeleteVpcEndpoints"]),
            Retry::after("RouteAlreadyExists", MAKING),
            Retry::after("IncorrectState", MAKING),
            Retry::after("OperationInProgress", MAKING),
        ],
        // Published logs of Terraform's applies of the same calls: gateways made in 3 to 7 seconds. Of interfaces in several
        // subnets an estimate: nothing is published.
        usual: Usual::of((5, 180), (0, 120), (5, 180)),
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:ec2:{region}:{account}:vpc-endpoint/*",
        plan: &[Grant::any(&["ec2:DescribePrefixLists", "ec2:DescribeVpcEndpoints"])],
        apply: &[
            Grant::any(&["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"]),
            Grant::on(
                &["ec2:CreateVpcEndpoint", "ec2:ModifyVpcEndpoint"],
                &[
                    "arn:{partition}:ec2:{region}:{account}:route-table/*",
                    "arn:{partition}:ec2:{region}:{account}:security-group/*",
                    "arn:{partition}:ec2:{region}:{account}:subnet/*",
                    "arn:{partition}:ec2:{region}:{account}:vpc/{vpc_id}",
                    "arn:{partition}:ec2:{region}:{account}:vpc-endpoint/*",
                ],
            ),
            Grant::on(&["route53:AssociateVPCWithHostedZone"], &["arn:{partition}:route53:::hostedzone/*"]),
            Grant::itself(&["ec2:CreateTags", "ec2:DeleteTags", "ec2:DeleteVpcEndpoints"]),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let list = |key: &str| desired.get(key).and_then(Value::as_list).is_some_and(|items| !items.is_empty());
        let gateway = desired.get("vpc_endpoint_type").and_then(Value::as_str).map(|kind| kind == "Gateway");
        match gateway {
            Some(true) if list("subnet_ids") => {
                vec![(Path::attribute("subnet_ids"), "a gateway is in no subnet: it has `route_table_ids`".to_owned())]
            }
            Some(false) if list("route_table_ids") => {
                vec![(Path::attribute("route_table_ids"), "only a gateway has route tables".to_owned())]
            }
            _ => Vec::new(),
        }
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let found = Self::describe(aws, ids).await?;
        let there = found.iter().filter(|endpoint| !is(endpoint, &["deleting", "deleted", "failed", "rejected", "expired"]));
        let mut read: Vec<(String, Self)> = there.map(|endpoint| Self::from_api(aws, endpoint)).collect::<Outcome<_>>()?;
        let is_gateway = |endpoint: &Self| endpoint.vpc_endpoint_type == "Gateway";
        let services: BTreeSet<String> = read.iter().filter(|(_, one)| is_gateway(one)).map(|(_, one)| one.service_name.clone()).collect();
        let services = Vec::from_iter(services);
        let lists = in_chunks("prefix-list-name", &services, |only| async move {
            let pages = aws.ec2().describe_prefix_lists().filters(only).into_paginator().items().send();
            pages.try_collect().await.or_fail("ec2:DescribePrefixLists")
        });
        let lists: Vec<PrefixList> = lists.await?;
        for (_, endpoint) in read.iter_mut().filter(|(_, endpoint)| is_gateway(endpoint)) {
            let its = lists.iter().find(|list| list.prefix_list_name() == Some(&endpoint.service_name));
            endpoint.prefix_list_id = its.and_then(|list| list.prefix_list_id()).map(str::to_owned);
        }
        Ok(read)
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let pages = aws.ec2().describe_vpc_endpoints().set_filters(Some(ownership_filters(wanted))).into_paginator().items().send();
        let found: Vec<aws_sdk_ec2::types::VpcEndpoint> = pages.try_collect().await.or_fail("ec2:DescribeVpcEndpoints")?;
        let ours = found.iter().filter(|endpoint| {
            !is(endpoint, &["deleting", "deleted", "failed", "rejected", "expired"]) && wanted.owns(&tags(endpoint.tags()))
        });
        Ok(wanted.pick(ours.filter_map(|endpoint| endpoint.vpc_endpoint_id().map(str::to_owned))))
    }

    async fn create(aws: &Aws, operation: &Operation, to: &Self) -> Outcome<String> {
        let some = |list: &Vec<String>| Some(list.clone()).filter(|list| !list.is_empty());
        // Not every service takes a policy.
        let policy = Some(&to.policy_document).filter(|policy| !is_everything(policy)).map(ToString::to_string);
        let call = aws
            .ec2()
            .create_vpc_endpoint()
            .vpc_id(&to.vpc_id)
            .service_name(&to.service_name)
            .vpc_endpoint_type(VpcEndpointType::from(to.vpc_endpoint_type.as_str()))
            .set_route_table_ids(some(&to.route_table_ids))
            .set_subnet_ids(some(&to.subnet_ids))
            .set_security_group_ids(to.security_group_ids.clone())
            .set_private_dns_enabled(to.private_dns_enabled)
            .set_policy_document(policy)
            .set_ip_address_type(to.ip_address_type.as_deref().map(IpAddressType::from))
            .set_dns_options(dns_options(to.dns_options.as_ref()))
            .client_token(&operation.token)
            .tag_specifications(specification(ResourceType::VpcEndpoint, &to.tags));
        let made = send_once!(aws_sdk_ec2, call).await.sent_once("ec2:CreateVpcEndpoint")?;
        made_id("ec2:CreateVpcEndpoint", made.vpc_endpoint().and_then(|endpoint| endpoint.vpc_endpoint_id()))
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self {
            route_table_ids,
            subnet_ids,
            security_group_ids,
            private_dns_enabled,
            policy_document,
            ip_address_type,
            // Sent by `options_to_send`.
            dns_options: _,
            tags,
            vpc_id: _,
            service_name: _,
            vpc_endpoint_type: _,
            id: _,
            arn: _,
            dns_entries: _,
            network_interface_ids: _,
            prefix_list_id: _,
        } = to;
        let (groups, old_groups) = (security_group_ids.clone().unwrap_or_default(), from.security_group_ids.clone().unwrap_or_default());
        let policy = Some(policy_document).filter(|policy| **policy != from.policy_document);
        let reset = policy.is_some_and(is_everything);
        // Adding what is there, or removing what is not, changes nothing: the call may run again.
        let call = aws
            .ec2()
            .modify_vpc_endpoint()
            .vpc_endpoint_id(id)
            .set_add_route_table_ids(without(route_table_ids, &from.route_table_ids))
            .set_remove_route_table_ids(without(&from.route_table_ids, route_table_ids))
            .set_add_subnet_ids(without(subnet_ids, &from.subnet_ids))
            .set_remove_subnet_ids(without(&from.subnet_ids, subnet_ids))
            .set_add_security_group_ids(without(&groups, &old_groups))
            .set_remove_security_group_ids(without(&old_groups, &groups))
            .set_private_dns_enabled(private_dns_enabled.filter(|_| *private_dns_enabled != from.private_dns_enabled))
            .set_policy_document(policy.filter(|_| !reset).map(ToString::to_string))
            .set_reset_policy(reset.then_some(true))
            .set_ip_address_type(ip_address_type.as_deref().filter(|_| *ip_address_type != from.ip_address_type).map(IpAddressType::from))
            .set_dns_options(dns_options(options_to_send(from, to)));
        if (Self { tags: from.tags.clone(), ..to.clone() }) != *from {
            call.send().await.idempotent("ec2:ModifyVpcEndpoint")?;
        }
        update_tags(aws.ec2(), id, &from.tags, tags).await
    }

    async fn ready(aws: &Aws, operation: &Operation, id: &str, _: &Self) -> Outcome<()> {
        loop {
            let found = Self::describe(aws, &[id.to_owned()]).await?;
            match found.iter().find(|endpoint| endpoint.vpc_endpoint_id() == Some(id)) {
                // Whether the owner of a service accepts is not ours to wait for.
                Some(endpoint) if is(endpoint, &["available", "pendingAcceptance"]) => return Ok(()),
                Some(endpoint) if is(endpoint, &["failed", "rejected", "expired"]) => {
                    let reason = endpoint.last_error().and_then(|error| error.message()).or_else(|| endpoint.failure_reason());
                    let state = endpoint.state().map(|state| state.as_str().to_ascii_lowercase()).unwrap_or_default();
                    let message = format!("the endpoint is {state}: {}", reason.unwrap_or("AWS gives no reason"));
                    return Err(Failure::new(FailureKind::Other, message));
                }
                _ => operation.pause(Duration::from_secs(3), "waiting for the endpoint").await?,
            }
        }
    }

    async fn delete(aws: &Aws, operation: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        let there = async || Ok(Self::describe(aws, &[id.to_owned()]).await?.iter().any(|endpoint| !is(endpoint, &["deleted"])));
        if !there().await? {
            return Ok(());
        }
        let deleted = aws.ec2().delete_vpc_endpoints().vpc_endpoint_ids(id).send().await.idempotent("ec2:DeleteVpcEndpoints")?;
        // What went wrong is in the answer; one that has gone meanwhile is seen below.
        let refused = deleted.unsuccessful().iter().find_map(|item| item.error());
        if let Some(error) = refused.filter(|error| !error.code().is_some_and(|code| code.ends_with(".NotFound"))) {
            let message = error.message().unwrap_or_default();
            let failure = Failure::new(FailureKind::Refused, message);
            return Err(Failure { operation: "ec2:DeleteVpcEndpoints".to_owned(), code: error.code().map(str::to_owned), ..failure });
        }
        while there().await? {
            operation.pause(Duration::from_secs(3), "waiting for the endpoint to go").await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_that_allows_everything_is_none_however_it_is_written() {
        let of = |document: Json| is_everything(&Policy(document));
        assert!(of(everything()));
        let allow = json!([{ "Effect": "Allow", "Principal": { "AWS": "*" }, "Action": "*", "Resource": "*" }]);
        assert!(of(json!({ "Version": "2008-10-17", "Statement": allow })));
        assert!(!of(json!({ "Statement": [{ "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*" }] })));
    }

    #[test]
    fn a_private_name_is_switched_on_with_its_options() {
        let endpoint = |private: bool, only_outside: bool| {
            serde_json::from_value::<VpcEndpoint>(json!({
                "vpc_id": "vpc-1", "service_name": "com.amazonaws.eu-west-1.s3", "vpc_endpoint_type": "Interface",
                "route_table_ids": [], "subnet_ids": [], "policy_document": everything(), "tags": {},
                "private_dns_enabled": private, "dns_options": { "private_dns_only_for_inbound_resolver_endpoint": only_outside },
            }))
            .unwrap()
        };
        let sent = |from: &VpcEndpoint, to: &VpcEndpoint| {
            options_to_send(from, to).and_then(|options| options.private_dns_only_for_inbound_resolver_endpoint)
        };
        let (off, on, outside) = (endpoint(false, false), endpoint(true, false), endpoint(true, true));
        assert_eq!(sent(&off, &on), Some(false));
        assert_eq!(sent(&on, &outside), Some(true));
        assert_eq!((sent(&on, &on), sent(&on, &off)), (None, None));
    }
}
