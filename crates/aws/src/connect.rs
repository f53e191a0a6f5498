//! Connections: over the proxy that HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY name, as the AWS CLI has it, and
//! without one to this machine and to what only it can reach, such as its metadata service.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use super::unanswered::Names;

/// What tells connectors apart: how long a connection and an answer may take.
type Patience = (Option<Duration>, Option<Duration>);

/// The HTTP client of all SDK clients. Those with the same patience share connections.
#[derive(Debug)]
pub struct Connections {
    known: Mutex<BTreeMap<Patience, SharedHttpConnector>>,
    /// How many connections to each service are kept for later calls.
    idle: usize,
}

impl Connections {
    /// Of which so many to each service are kept for later calls.
    pub fn kept(idle: usize) -> Self {
        Self { known: Mutex::default(), idle }
    }
}

impl HttpClient for Connections {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let to = |proxy| SharedHttpConnector::new(connector(proxy, self.idle, settings, components));
            SharedHttpConnector::new(Routed { near: to(ProxyConfig::disabled()), far: to(ProxyConfig::from_env()) })
        };
        known.entry((settings.connect_timeout(), settings.read_timeout())).or_insert_with(make).clone()
    }
}

fn connector(proxy: ProxyConfig, idle: usize, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> Connector {
    let mut builder = Connector::builder().connector_settings(settings.clone()).proxy_config(proxy).pool_max_idle_per_host(idle);
    builder.set_sleep_impl(components.sleep_impl());
    builder.tls_provider(Provider::Rustls(CryptoMode::Ring)).build_with_resolver(Names)
}

/// Two ways out.
#[derive(Debug)]
struct Routed {
    near: SharedHttpConnector,
    far: SharedHttpConnector,
}

impl HttpConnector for Routed {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if is_near(request.uri()) { self.near.call(request) } else { self.far.call(request) }
    }
}

/// Whether an address is of this machine, or of what only it can reach.
fn is_near(uri: &str) -> bool {
    let authority = uri.split_once("://").map_or(uri, |(_, rest)| rest).split(['/', '?']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    match host.parse() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_link_local(),
        // EC2's metadata service has a local address of its own (EC2 User Guide, "Access instance metadata").
        Ok(IpAddr::V6(address)) => address.is_loopback() || address.is_unicast_link_local() || address.is_unique_local(),
        Err(_) => host == "localhost",
    }
}

#[cfg(test)]
mod tests {
    use super::is_near;

    #[test]
    fn only_what_is_of_this_machine_goes_around_the_proxy() {
        for near in [
            "http://127.0.0.1:4566/",
            "http://localhost:4566",
            "http://[::1]:4566/x",
            "http://169.254.169.254/latest/api/token",
            "http://169.254.170.2/v2/credentials?a=b",
            "http://[fd00:ec2::254]/latest",
        ] {
            assert!(is_near(near), "{near}");
        }
        for far in
            ["https://sts.eu-west-1.amazonaws.com/", "http://10.0.0.5:4566/", "https://localhost.example.org/", "http://[2001:db8::1]/"]
        {
            assert!(!is_near(far), "{far}");
        }
    }
}
