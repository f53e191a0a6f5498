//! The resource type `service_discovery_service`.

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
use leoctl_core::engine::ports::{Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::value::Value;

/// A name in a namespace, under which instances such as the tasks of an `ecs_service` are found.
///
/// Import by id: `srv-0123456789abcdef`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceDiscoveryService {
    /// The name, unique in the namespace.
    #[schemars(extend("x-replace" = true, "pattern" = "^([a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?)([.][a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?)*$", "x-form" = "a name of DNS: labels of at most 63 letters, digits, hyphens and underscores"), length(max = 127))]
    name: String,
    /// The namespace.
    #[schemars(extend("x-replace" = true))]
    namespace_id: String,
    /// What it is for.
    #[schemars(length(max = 1024))]
    description: Option<String>,
    /// The DNS records each instance gets.
    dns_config: Option<DnsConfig>,
    /// Route 53's checks of instances, in public namespaces only.
    health_check_config: Option<HealthCheck>,
    /// Checks by somebody else, such as ECS, who tells Cloud Map.
    #[schemars(extend("x-replace" = true))]
    health_check_custom_config: Option<CustomHealthCheck>,
    /// `HTTP` for instances found through the API only, without DNS records; also to be written in an HTTP namespace.
    #[schemars(extend("x-replace" = true, "enum" = ["HTTP"]))]
    r#type: Option<String>,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The id.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    id: String,
    /// The ARN, as `service_registries` of `ecs_service` want it.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
}

/// The DNS records each instance gets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DnsConfig {
    /// The records.
    #[schemars(extend("x-key" = "type"))]
    dns_records: Vec<DnsRecord>,
    /// Whether answers have up to eight healthy instances, or one.
    #[schemars(extend("default" = "MULTIVALUE", "x-replace" = true, "enum" = ["MULTIVALUE", "WEIGHTED"]))]
    routing_policy: String,
}

/// A kind of DNS record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DnsRecord {
    /// The kind.
    #[schemars(extend("x-replace" = true, "enum" = ["A", "AAAA", "CNAME", "SRV"]))]
    r#type: String,
    /// Seconds for which resolvers remember it.
    #[schemars(range(min = 0))]
    ttl: i64,
}

/// Route 53's checks of instances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthCheck {
    /// How.
    #[schemars(extend("x-replace" = true, "enum" = ["HTTP", "HTTPS", "TCP"]))]
    r#type: String,
    /// The path that is asked for; `/` when left out. Not for `TCP`.
    #[schemars(extend("x-server" = true), length(max = 255))]
    resource_path: Option<String>,
    /// After how many checks in a row an instance changes its state.
    #[schemars(extend("default" = 1), range(min = 1, max = 10))]
    failure_threshold: i32,
}

/// Checks by somebody else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomHealthCheck {
    // "This parameter is no longer supported and is always set to 1" (Cloud Map API Reference, HealthCheckCustomConfig).
    /// After how many reports an instance changes its state: always 1.
    #[schemars(extend("default" = 1), range(min = 1, max = 1))]
    failure_threshold: i32,
}

impl DnsConfig {
    fn records(&self) -> Outcome<Vec<api::DnsRecord>> {
        let record = |record: &DnsRecord| {
            let built = api::DnsRecord::builder().r#type(api::RecordType::from(record.r#type.as_str())).ttl(record.ttl);
            built.build().map_err(unbuilt)
        };
        self.dns_records.iter().map(record).collect()
    }

    fn to_api(&self) -> Outcome<api::DnsConfig> {
        let routing = api::RoutingPolicy::from(self.routing_policy.as_str());
        api::DnsConfig::builder().routing_policy(routing).set_dns_records(Some(self.records()?)).build().map_err(unbuilt)
    }

    fn from_api(found: &api::DnsConfig) -> Option<Self> {
        let record = |record: &api::DnsRecord| DnsRecord { r#type: record.r#type().as_str().to_owned(), ttl: record.ttl() };
        let dns_records: Vec<_> = found.dns_records().iter().map(record).collect();
        let routing_policy = found.routing_policy().map_or("MULTIVALUE", api::RoutingPolicy::as_str).to_owned();
        (!dns_records.is_empty()).then_some(Self { dns_records, routing_policy })
    }
}

impl HealthCheck {
    fn to_api(&self) -> Outcome<api::HealthCheckConfig> {
        api::HealthCheckConfig::builder()
            .r#type(api::HealthCheckType::from(self.r#type.as_str()))
            .set_resource_path(self.resource_path.clone())
            .failure_threshold(self.failure_threshold)
            .build()
            .map_err(unbuilt)
    }

    fn from_api(found: &api::HealthCheckConfig) -> Self {
        Self {
            r#type: found.r#type().as_str().to_owned(),
            resource_path: found.resource_path().map(str::to_owned),
            failure_threshold: found.failure_threshold().unwrap_or(1),
        }
    }
}

impl ServiceDiscoveryService {
    async fn read_one(aws: &Aws, id: &str) -> Outcome<Option<Self>> {
        let found = aws.discovery().get_service().id(id).send().await.or_fail("servicediscovery:GetService").or_absent()?;
        let Some(found) = found.and_then(|found| found.service) else { return Ok(None) };
        let arn = found.arn().unwrap_or_default().to_owned();
        Ok(Some(Self {
            name: found.name().unwrap_or_default().to_owned(),
            namespace_id: found.namespace_id().unwrap_or_default().to_owned(),
            description: found.description().filter(|text| !text.is_empty()).map(str::to_owned),
            dns_config: found.dns_config().and_then(DnsConfig::from_api),
            health_check_config: found.health_check_config().map(HealthCheck::from_api),
            health_check_custom_config: found.health_check_custom_config().map(|_| CustomHealthCheck { failure_threshold: 1 }),
            r#type: found.r#type().filter(|kind| **kind == api::ServiceType::Http).map(|kind| kind.as_str().to_owned()),
            tags: tags_of(aws, &arn).await?,
            id: found.id().unwrap_or(id).to_owned(),
            arn,
        }))
    }
}

impl Resource for ServiceDiscoveryService {
    const TYPE: &'static str = "service_discovery_service";
    // Instances that are still being deregistered; another operation that is not done.
    const INFO: Info = Info {
        unique: &[&["namespace_id", "name"]],
        held_by: &["ecs_service"],
        transient: &[
            Retry::after("DuplicateRequest", &["servicediscovery:UpdateService"]),
            Retry::after("ResourceInUse", &["servicediscovery:DeleteService"]),
        ],
        timeout: 300,
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:servicediscovery:{region}:{account}:service/*",
        plan: &[
            Grant::any(&["servicediscovery:ListServices", "servicediscovery:ListTagsForResource"]),
            Grant::itself(&["servicediscovery:GetService"]),
        ],
        apply: &[
            Grant::any(&["servicediscovery:GetOperation", "servicediscovery:TagResource", "servicediscovery:UntagResource"]),
            Grant::on(
                &["servicediscovery:CreateService"],
                &[
                    "arn:{partition}:servicediscovery:{region}:{account}:namespace/{namespace_id}",
                    "arn:{partition}:servicediscovery:{region}:{account}:service/*",
                ],
            ),
            Grant::itself(&["servicediscovery:DeleteService", "servicediscovery:UpdateService"]),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let given = |key: &str| desired.get(key).is_some_and(|value| !value.is_null());
        match given("health_check_config") && given("health_check_custom_config") {
            true => {
                let problem = "a service has `health_check_config` or `health_check_custom_config`, not both".to_owned();
                vec![(Path::attribute("health_check_config"), problem)]
            }
            false => Vec::new(),
        }
    }

    /// What is found through the API only may be in a namespace without DNS, in which no service is changed (Cloud Map API
    /// Reference, UpdateService).
    fn replaces(before: &Value, _: &Value) -> &'static [&'static str] {
        match before.get("type").and_then(Value::as_str) {
            Some("HTTP") => &["description", "health_check_config"],
            _ => &[],
        }
    }

    /// A service is read by its id or its ARN (Cloud Map API Reference, GetService).
    fn id(&self, _: &str) -> String {
        self.id.clone()
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let read = try_join_all(ids.iter().map(async |id| Ok(Self::read_one(aws, id).await?.map(|read| (id.clone(), read))))).await?;
        Ok(read.into_iter().flatten().collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let (Some(namespace), Some(name)) = (wanted.text("namespace_id"), wanted.text("name")) else { return Ok(None) };
        let filter = api::ServiceFilter::builder().name(api::ServiceFilterName::NamespaceId).values(namespace);
        let filter = filter.condition(api::FilterCondition::Eq).build().map_err(unbuilt)?;
        let mut pages = aws.discovery().list_services().filters(filter).into_paginator().send();
        while let Some(page) = pages.next().await {
            // A namespace that is gone has no services.
            let Some(page) = page.or_fail("servicediscovery:ListServices").or_absent()? else { return Ok(None) };
            let named = page.services.unwrap_or_default().into_iter().filter(|service| service.name() == Some(name));
            let found = wanted.pick(named.filter_map(|service| service.id));
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    async fn create(aws: &Aws, operation: &Operation, to: &Self) -> Outcome<String> {
        let call = aws
            .discovery()
            .create_service()
            .creator_request_id(&operation.token)
            .name(&to.name)
            .namespace_id(&to.namespace_id)
            .set_description(to.description.clone())
            .set_dns_config(to.dns_config.as_ref().map(DnsConfig::to_api).transpose()?)
            .set_health_check_config(to.health_check_config.as_ref().map(HealthCheck::to_api).transpose()?)
            .set_health_check_custom_config(to.health_check_custom_config.as_ref().map(|_| api::HealthCheckCustomConfig::builder().build()))
            .set_type(to.r#type.as_deref().map(api::ServiceTypeOption::from))
            .set_tags(to_api(&to.tags)?);
        let made = send_once!(aws_sdk_servicediscovery, call).await.sent_once("servicediscovery:CreateService")?;
        made_id("servicediscovery:CreateService", made.service.and_then(|service| service.id))
    }

    async fn update(aws: &Aws, operation: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self {
            description,
            dns_config,
            health_check_config,
            tags,
            name: _,
            namespace_id: _,
            health_check_custom_config: _,
            r#type: _,
            id: _,
            arn: _,
        } = to;
        if *description != from.description || *dns_config != from.dns_config || *health_check_config != from.health_check_config {
            let records = dns_config
                .as_ref()
                .map(|dns| api::DnsConfigChange::builder().set_dns_records(Some(dns.records()?)).build().map_err(unbuilt));
            // What is left out is removed (Cloud Map API Reference, UpdateService).
            let change = api::ServiceChange::builder()
                .description(description.clone().unwrap_or_default())
                .set_dns_config(records.transpose()?)
                .set_health_check_config(health_check_config.as_ref().map(HealthCheck::to_api).transpose()?);
            let asked = aws.discovery().update_service().id(id).service(change.build()).send().await;
            let asked = asked.idempotent("servicediscovery:UpdateService")?;
            wait(aws, operation, asked.operation_id(), api::OperationTargetType::Service).await?;
        }
        update_tags(aws, &from.arn, &from.tags, tags).await
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        aws.discovery().delete_service().id(id).send().await.or_gone("servicediscovery:DeleteService").map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_through_the_api_only_is_not_changed_in_place() {
        let of = |kind: Option<&str>| Value::from(serde_json::json!({ "name": "web", "type": kind }));
        assert_eq!(ServiceDiscoveryService::replaces(&of(Some("HTTP")), &of(Some("HTTP"))), ["description", "health_check_config"]);
        assert!(ServiceDiscoveryService::replaces(&of(None), &of(None)).is_empty());
    }
}
