//! Service Connect: how the services of a namespace reach each other by name.

use aws_sdk_ecs::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::container_part::LogConfiguration;
use super::unbuilt;
use leoctl_core::engine::ports::Outcome;

/// How a service reaches others of its namespace, and is reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceConnect {
    /// The ARN of the Cloud Map namespace; the cluster's when left out.
    #[schemars(extend("x-server" = true, "x-format" = "arn:servicediscovery"))]
    namespace: Option<String>,
    /// The ports others reach; none for a service that only reaches others.
    #[schemars(extend("default" = [], "x-key" = "port_name"))]
    services: Vec<ConnectService>,
    /// Where the proxy's output goes.
    log_configuration: Option<LogConfiguration>,
    /// Whether and how the proxy logs requests.
    access_log_configuration: Option<AccessLog>,
}

/// A port others reach.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectService {
    /// The port mapping's name in the task definition.
    port_name: String,
    /// The name in Cloud Map; the port's when left out.
    #[schemars(extend("x-server" = true))]
    discovery_name: Option<String>,
    /// The addresses others use.
    #[schemars(extend("default" = [], "x-key" = "port"))]
    client_aliases: Vec<ClientAlias>,
    /// The port the proxy listens on, instead of one AWS chooses.
    #[schemars(range(min = 1, max = 65535))]
    ingress_port_override: Option<i32>,
    /// How long the proxy waits.
    timeout: Option<Timeout>,
    /// How traffic between proxies is encrypted.
    tls: Option<Tls>,
}

/// An address others use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientAlias {
    /// The port.
    #[schemars(range(min = 1, max = 65535))]
    port: i32,
    /// The host name; discovery name and namespace when left out.
    #[schemars(extend("x-server" = true))]
    dns_name: Option<String>,
    /// Which requests go to the new tasks first, for strategies other than `ROLLING`.
    test_traffic_rules: Option<TestTraffic>,
}

/// Requests that go to the new tasks first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestTraffic {
    /// The header that tells them.
    header: TestHeader,
}

/// A header of test requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestHeader {
    /// Its name.
    name: String,
    /// Its value; any when left out.
    value: Option<TestValue>,
}

/// The value of a header of test requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestValue {
    /// What it is exactly.
    exact: String,
}

/// How long a proxy waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Timeout {
    /// Seconds a connection may be idle; 0 for ever.
    #[schemars(range(min = 0))]
    idle_timeout_seconds: Option<i32>,
    /// Seconds an answer may take; 0 for ever.
    #[schemars(range(min = 0))]
    per_request_timeout_seconds: Option<i32>,
}

/// How traffic between proxies is encrypted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The private certificate authority.
    #[schemars(extend("x-format" = "arn:acm-pca"))]
    aws_pca_authority_arn: String,
    /// The KMS key of the certificates.
    kms_key: Option<String>,
    /// The role ECS gets certificates with.
    #[schemars(extend("x-format" = "arn:iam"))]
    role_arn: Option<String>,
}

/// How a proxy logs requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessLog {
    /// The form of a line.
    #[schemars(extend("enum" = ["TEXT", "JSON"]))]
    format: String,
    /// Whether a line has the query.
    #[schemars(extend("default" = "DISABLED", "enum" = ["ENABLED", "DISABLED"]))]
    include_query_parameters: String,
}

impl ServiceConnect {
    /// The configuration for a call; none turns Service Connect off.
    ///
    /// # Errors
    /// When the SDK finds it incomplete.
    pub fn to_api(this: Option<&Self>) -> Outcome<api::ServiceConnectConfiguration> {
        let Some(this) = this else { return Ok(api::ServiceConnectConfiguration::builder().enabled(false).build()) };
        let access_log = this.access_log_configuration.as_ref().map(|log| {
            api::ServiceConnectAccessLogConfiguration::builder()
                .format(api::ServiceConnectAccessLoggingFormat::from(log.format.as_str()))
                .include_query_parameters(api::ServiceConnectIncludeQueryParameters::from(log.include_query_parameters.as_str()))
                .build()
                .map_err(unbuilt)
        });
        Ok(api::ServiceConnectConfiguration::builder()
            .enabled(true)
            .set_namespace(this.namespace.clone())
            .set_services(Some(this.services.iter().map(ConnectService::to_api).collect::<Outcome<_>>()?))
            .set_log_configuration(this.log_configuration.clone().map(LogConfiguration::into_api).transpose()?)
            .set_access_log_configuration(access_log.transpose()?)
            .build())
    }

    /// The configuration AWS returned; none when it is turned off.
    pub fn from_api(connect: &api::ServiceConnectConfiguration) -> Option<Self> {
        let access_log = connect.access_log_configuration();
        connect.enabled().then(|| Self {
            namespace: connect.namespace().map(str::to_owned),
            services: connect.services().iter().map(ConnectService::from_api).collect(),
            log_configuration: connect.log_configuration().map(LogConfiguration::from_api),
            access_log_configuration: access_log.map(|log| AccessLog {
                format: log.format().as_str().to_owned(),
                include_query_parameters: log
                    .include_query_parameters()
                    .map_or("DISABLED", api::ServiceConnectIncludeQueryParameters::as_str)
                    .to_owned(),
            }),
        })
    }
}

impl TestTraffic {
    fn to_api(&self) -> Outcome<api::ServiceConnectTestTrafficRules> {
        let TestHeader { name, value } = &self.header;
        let value = value.as_ref().map(|value| api::ServiceConnectTestTrafficHeaderMatchRules::builder().exact(&value.exact).build());
        let header = api::ServiceConnectTestTrafficHeaderRules::builder().name(name).set_value(value.transpose().map_err(unbuilt)?);
        Ok(api::ServiceConnectTestTrafficRules::builder().header(header.build().map_err(unbuilt)?).build())
    }

    fn from_api(rules: &api::ServiceConnectTestTrafficRules) -> Option<Self> {
        let header = rules.header()?;
        let value = header.value().map(|value| TestValue { exact: value.exact().to_owned() });
        Some(Self { header: TestHeader { name: header.name().to_owned(), value } })
    }
}

impl ConnectService {
    fn to_api(&self) -> Outcome<api::ServiceConnectService> {
        let aliases = self.client_aliases.iter().map(|alias| {
            let rules = alias.test_traffic_rules.as_ref().map(TestTraffic::to_api).transpose()?;
            let alias = api::ServiceConnectClientAlias::builder().port(alias.port).set_dns_name(alias.dns_name.clone());
            alias.set_test_traffic_rules(rules).build().map_err(unbuilt)
        });
        let timeout = self.timeout.as_ref().map(|timeout| {
            api::TimeoutConfiguration::builder()
                .set_idle_timeout_seconds(timeout.idle_timeout_seconds)
                .set_per_request_timeout_seconds(timeout.per_request_timeout_seconds)
                .build()
        });
        let tls = self.tls.as_ref().map(|tls| {
            let authority = api::ServiceConnectTlsCertificateAuthority::builder().aws_pca_authority_arn(&tls.aws_pca_authority_arn).build();
            api::ServiceConnectTlsConfiguration::builder()
                .issuer_certificate_authority(authority)
                .set_kms_key(tls.kms_key.clone())
                .set_role_arn(tls.role_arn.clone())
                .build()
        });
        let aliases = Some(aliases.collect::<Outcome<Vec<_>>>()?).filter(|aliases| !aliases.is_empty());
        api::ServiceConnectService::builder()
            .port_name(&self.port_name)
            .set_discovery_name(self.discovery_name.clone())
            .set_client_aliases(aliases)
            .set_ingress_port_override(self.ingress_port_override)
            .set_timeout(timeout)
            .set_tls(tls)
            .build()
            .map_err(unbuilt)
    }

    fn from_api(service: &api::ServiceConnectService) -> Self {
        let aliases = service.client_aliases().iter();
        let authority =
            |tls: &api::ServiceConnectTlsConfiguration| tls.issuer_certificate_authority()?.aws_pca_authority_arn().map(str::to_owned);
        Self {
            port_name: service.port_name().to_owned(),
            discovery_name: service.discovery_name().map(str::to_owned),
            client_aliases: aliases
                .map(|alias| ClientAlias {
                    port: alias.port(),
                    dns_name: alias.dns_name().map(str::to_owned),
                    test_traffic_rules: alias.test_traffic_rules().and_then(TestTraffic::from_api),
                })
                .collect(),
            ingress_port_override: service.ingress_port_override(),
            timeout: service.timeout().map(|timeout| Timeout {
                idle_timeout_seconds: timeout.idle_timeout_seconds(),
                per_request_timeout_seconds: timeout.per_request_timeout_seconds(),
            }),
            tls: service.tls().map(|tls| Tls {
                aws_pca_authority_arn: authority(tls).unwrap_or_default(),
                kms_key: tls.kms_key().map(str::to_owned),
                role_arn: tls.role_arn().map(str::to_owned),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_of_test_requests_read_back_as_they_were_written() {
        let alias = |value: Option<&str>| ClientAlias {
            port: 80,
            dns_name: None,
            test_traffic_rules: Some(TestTraffic {
                header: TestHeader { name: "X-Test".to_owned(), value: value.map(|exact| TestValue { exact: exact.to_owned() }) },
            }),
        };
        let service = |alias| ConnectService {
            port_name: "http".to_owned(),
            discovery_name: None,
            client_aliases: vec![alias],
            ingress_port_override: None,
            timeout: None,
            tls: None,
        };
        for alias in [alias(None), alias(Some("yes"))] {
            let service = service(alias);
            assert_eq!(ConnectService::from_api(&service.to_api().unwrap()), service);
        }
    }
}
