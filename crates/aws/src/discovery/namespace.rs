//! The resource type `service_discovery_private_dns_namespace`.

use aws_sdk_servicediscovery::operation::create_private_dns_namespace::CreatePrivateDnsNamespaceError;
use aws_sdk_servicediscovery::types as api;
use futures_util::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{tags_of, to_api, unbuilt, update_tags, wait};
use crate::client::{Aws, send_once};
use crate::error::{OrAbsent, OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::Changing;
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome, Wanted};
use leoctl_core::engine::usual::Usual;

/// A DNS zone of a VPC in which services are found by name.
///
/// Import by id: `ns-0123456789abcdef`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceDiscoveryPrivateDnsNamespace {
    /// The name of the zone, such as `leo.internal`.
    #[schemars(extend("x-replace" = true, "pattern" = "^[!-~]+$", "x-form" = "a domain name"), length(max = 253))]
    name: String,
    /// The VPC it is known in. AWS does not say it of a namespace: who imports one writes the right one.
    #[schemars(extend("x-format" = "id:vpc:vpc-", "x-replace" = true, "x-local" = true))]
    #[serde(default)]
    vpc: String,
    /// What it is for.
    #[schemars(length(max = 1024))]
    description: Option<String>,
    /// Seconds for which resolvers remember that a name does not exist: the TTL of the zone's SOA record.
    #[schemars(extend("x-server" = true), range(min = 0))]
    soa_ttl: Option<i64>,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The id.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    id: String,
    /// The ARN, as `ecs_service` wants it.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
    /// The Route 53 zone.
    #[schemars(extend("x-computed" = true))]
    hosted_zone_id: Option<String>,
}

impl ServiceDiscoveryPrivateDnsNamespace {
    async fn read_one(aws: &Aws, id: &str) -> Outcome<Option<Self>> {
        let found = aws.discovery().get_namespace().id(id).send().await.or_fail("servicediscovery:GetNamespace").or_absent()?;
        let Some(found) = found.and_then(|found| found.namespace) else { return Ok(None) };
        let dns = found.properties().and_then(|properties| properties.dns_properties());
        let arn = found.arn().unwrap_or_default().to_owned();
        Ok(Some(Self {
            name: found.name().unwrap_or_default().to_owned(),
            vpc: String::new(),
            description: found.description().filter(|text| !text.is_empty()).map(str::to_owned),
            soa_ttl: dns.and_then(|dns| dns.soa()).map(api::Soa::ttl),
            tags: tags_of(aws, &arn).await?,
            id: found.id().unwrap_or(id).to_owned(),
            arn,
            hosted_zone_id: dns.and_then(|dns| dns.hosted_zone_id()).map(str::to_owned),
        }))
    }

    /// The namespaces of this name, which every VPC can have, with their tags.
    async fn named(aws: &Aws, name: &str) -> Outcome<Vec<(String, Tags)>> {
        let filter = |key: api::NamespaceFilterName, value: &str| {
            let filter = api::NamespaceFilter::builder().name(key).values(value).condition(api::FilterCondition::Eq);
            filter.build().map_err(unbuilt)
        };
        let call = aws.discovery().list_namespaces().filters(filter(api::NamespaceFilterName::Type, "DNS_PRIVATE")?);
        let mut pages = call.filters(filter(api::NamespaceFilterName::Name, name)?).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            found.extend(page.or_fail("servicediscovery:ListNamespaces")?.namespaces.unwrap_or_default());
        }
        let named = found.into_iter().filter(|found| found.name() == Some(name)).filter_map(|found| Some((found.id?, found.arn?)));
        try_join_all(named.map(async |(id, arn)| Ok((id, tags_of(aws, &arn).await?)))).await
    }
}

impl Resource for ServiceDiscoveryPrivateDnsNamespace {
    const TYPE: &'static str = "service_discovery_private_dns_namespace";
    // Services that are going, another operation that is not done.
    const INFO: Info = Info {
        unique: &[&["vpc", "name"]],
        held_by: &["service_discovery_service"],
        transient: &[
            Retry::after("DuplicateRequest", &["servicediscovery:UpdatePrivateDnsNamespace", "servicediscovery:DeleteNamespace"]),
            Retry::after("ResourceInUse", &["servicediscovery:DeleteNamespace"]),
        ],
        // An estimate: it makes a hosted zone, whose changes are everywhere within 60 seconds (Route 53 API Reference,
        // GetChange).
        usual: Usual::of((20, 90), (20, 90), (20, 90)),
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:servicediscovery:{region}:{account}:namespace/*",
        plan: &[
            Grant::any(&["servicediscovery:ListNamespaces", "servicediscovery:ListTagsForResource"]),
            Grant::itself(&["servicediscovery:GetNamespace"]),
        ],
        apply: &[
            // Cloud Map makes the zone as the caller (Cloud Map Developer Guide, "API permissions reference").
            Grant::any(&[
                "ec2:DescribeRegions",
                "ec2:DescribeVpcs",
                "route53:CreateHostedZone",
                "route53:ListHostedZonesByName",
                "servicediscovery:CreatePrivateDnsNamespace",
                "servicediscovery:GetOperation",
                "servicediscovery:TagResource",
                "servicediscovery:UntagResource",
            ]),
            Grant::on(&["route53:GetHostedZone"], &["arn:{partition}:route53:::hostedzone/*"]),
            Grant::itself(&["servicediscovery:DeleteNamespace", "servicediscovery:UpdatePrivateDnsNamespace"]),
        ],
    };

    /// A namespace is read by its id or its ARN (Cloud Map API Reference, GetNamespace).
    fn id(&self, _: &str) -> String {
        self.id.clone()
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let read = try_join_all(ids.iter().map(async |id| Ok(Self::read_one(aws, id).await?.map(|read| (id.clone(), read))))).await?;
        Ok(read.into_iter().flatten().collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let Some(name) = wanted.text("name") else { return Ok(None) };
        // Of which VPC one is cannot be asked. That a foreign one has the name there, Cloud Map says when asked to make it.
        let ours = Self::named(aws, name).await?.into_iter().filter(|(_, tags)| wanted.owns(tags));
        Ok(wanted.pick(ours.map(|(id, _)| id)))
    }

    async fn create(aws: &Aws, operation: &Operation, to: &Self) -> Outcome<String> {
        let soa = to.soa_ttl.map(|ttl| api::Soa::builder().ttl(ttl).build().map_err(unbuilt)).transpose()?;
        let dns = soa.map(|soa| api::PrivateDnsPropertiesMutable::builder().soa(soa).build());
        let call = aws
            .discovery()
            .create_private_dns_namespace()
            .creator_request_id(&operation.token)
            .name(&to.name)
            .vpc(&to.vpc)
            .set_description(to.description.clone())
            .set_properties(dns.map(|dns| api::PrivateDnsNamespaceProperties::builder().dns_properties(dns).build()))
            .set_tags(to_api(&to.tags)?);
        let asked = send_once!(aws_sdk_servicediscovery, call).await;
        let known = asked.as_ref().err().and_then(|error| error.as_service_error());
        let id = match known {
            // An earlier try with this token is still going on, or done.
            Some(CreatePrivateDnsNamespaceError::DuplicateRequest(known)) if known.duplicate_operation_id().is_some() => {
                known.duplicate_operation_id().map(str::to_owned)
            }
            Some(CreatePrivateDnsNamespaceError::NamespaceAlreadyExists(known))
                if known.creator_request_id() == Some(&*operation.token) && known.namespace_id().is_some() =>
            {
                return made_id("servicediscovery:CreatePrivateDnsNamespace", known.namespace_id());
            }
            _ => asked.sent_once("servicediscovery:CreatePrivateDnsNamespace")?.operation_id,
        };
        match wait(aws, operation, id.as_deref(), api::OperationTargetType::Namespace).await {
            Ok(Some(id)) => Ok(id),
            Ok(None) => Err(Failure::new(FailureKind::Ambiguous, "Cloud Map does not say which namespace it made")),
            // Cloud Map has said no. Whatever else ended the wait, the namespace may come to be.
            Err(failure) if failure.operation.is_empty() && failure.code.is_some() => Err(failure),
            Err(failure) if failure.kind == FailureKind::Interrupted => Err(failure),
            Err(failure) => Err(Failure { kind: FailureKind::Ambiguous, ..failure }),
        }
    }

    async fn update(aws: &Aws, operation: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self { description, soa_ttl, tags, name: _, vpc: _, id: _, arn: _, hosted_zone_id: _ } = to;
        if *description != from.description || *soa_ttl != from.soa_ttl {
            let soa = soa_ttl.map(|ttl| api::SoaChange::builder().ttl(ttl).build().map_err(unbuilt)).transpose()?;
            let dns = soa.map(|soa| api::PrivateDnsPropertiesMutableChange::builder().soa(soa).build());
            let change = api::PrivateDnsNamespaceChange::builder()
                .description(description.clone().unwrap_or_default())
                .set_properties(dns.map(|dns| api::PrivateDnsNamespacePropertiesChange::builder().dns_properties(dns).build()));
            let call = aws.discovery().update_private_dns_namespace().id(id).namespace(change.build());
            let asked = call.send().await.idempotent("servicediscovery:UpdatePrivateDnsNamespace")?;
            wait(aws, operation, asked.operation_id(), api::OperationTargetType::Namespace).await?;
        }
        update_tags(aws, &from.arn, &from.tags, tags).await
    }

    async fn delete(aws: &Aws, operation: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        let asked = aws.discovery().delete_namespace().id(id).send().await.or_gone("servicediscovery:DeleteNamespace")?;
        let id = asked.and_then(|asked| asked.operation_id);
        wait(aws, operation, id.as_deref(), api::OperationTargetType::Namespace).await.map(drop)
    }
}
