//! What a container is made of beside its own attributes.

use std::collections::BTreeMap;

use aws_sdk_ecs::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::unbuilt;
use leoctl_core::engine::ports::Outcome;

/// The network mode in which containers have ports of their instance.
pub const BRIDGE: &str = "bridge";

/// A port a container listens on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PortMapping {
    /// The port.
    #[schemars(range(min = 1, max = 65535))]
    container_port: i32,
    /// The instance's port that leads to it, with the network mode `bridge`; one that is free for each task when left out. With
    /// the other modes it is the container's own.
    #[schemars(extend("x-none" = 0), range(min = 0, max = 65535))]
    host_port: Option<i32>,
    /// The protocol.
    #[schemars(extend("default" = "tcp", "enum" = ["tcp", "udp"]))]
    protocol: String,
    /// Its name for Service Connect.
    name: Option<String>,
    /// What is spoken on it, for Service Connect.
    #[schemars(extend("enum" = ["http", "http2", "grpc"]))]
    app_protocol: Option<String>,
}

/// Where a container's output goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogConfiguration {
    /// The log driver.
    #[schemars(extend("enum" = ["awslogs", "awsfirelens", "splunk", "json-file", "syslog", "journald", "gelf", "fluentd"]))]
    log_driver: String,
    /// The driver's options, such as `awslogs-group`.
    #[schemars(extend("default" = {}))]
    options: BTreeMap<String, String>,
    /// Options from Secrets Manager or SSM: the ARN each comes from.
    #[schemars(extend("default" = {}))]
    secret_options: BTreeMap<String, String>,
}

/// How a container's health is checked from inside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthCheck {
    /// The command: `["CMD-SHELL", "curl -f http://localhost/ || exit 1"]`.
    command: Vec<String>,
    /// Seconds between checks.
    #[schemars(extend("default" = 30), range(min = 5, max = 300))]
    interval: i32,
    /// Seconds a check may take.
    #[schemars(extend("default" = 5), range(min = 2, max = 60))]
    timeout: i32,
    /// Failures in a row that make it unhealthy.
    #[schemars(extend("default" = 3), range(min = 1, max = 10))]
    retries: i32,
    /// Seconds after the start in which failures do not count.
    #[schemars(range(min = 0, max = 300))]
    start_period: Option<i32>,
}

/// Waiting for another container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContainerDependency {
    /// The other container.
    container_name: String,
    /// What is waited for.
    #[schemars(extend("enum" = ["START", "COMPLETE", "SUCCESS", "HEALTHY"]))]
    condition: String,
}

/// A volume in a container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MountPoint {
    /// The volume's name in the task.
    source_volume: String,
    /// Where it is in the container.
    container_path: String,
    /// Whether it cannot be written.
    #[schemars(extend("default" = false))]
    read_only: bool,
}

/// A limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ulimit {
    /// What is limited, such as `nofile`.
    #[schemars(extend("enum" = [
        "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio", "rttime",
        "sigpending", "stack",
    ]))]
    name: String,
    /// The limit the container may raise.
    soft_limit: i32,
    /// The limit it may not exceed.
    hard_limit: i32,
}

/// A container whose volumes another sees too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VolumesFrom {
    /// The container that has them.
    source_container: String,
    /// Whether they cannot be written.
    #[schemars(extend("default" = false))]
    read_only: bool,
}

/// What of the kernel a container may use, such as `SYS_PTRACE`, which is the only one Fargate can add.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Capabilities {
    /// What it may use beyond the usual.
    #[schemars(extend("default" = [], "x-set" = true))]
    add: Vec<String>,
    /// What it may not use; `ALL` for nothing at all.
    #[schemars(extend("default" = [], "x-set" = true))]
    drop: Vec<String>,
}

/// Starting a container again when it ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RestartPolicy {
    /// Exit codes after which it stays down.
    #[schemars(extend("default" = [], "x-set" = true))]
    ignored_exit_codes: Vec<i32>,
    /// Seconds it has to have run to be started again.
    #[schemars(extend("default" = 300), range(min = 60, max = 1800))]
    restart_attempt_period: i32,
}

/// Routing logs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Firelens {
    /// The router.
    #[schemars(extend("enum" = ["fluentd", "fluentbit"]))]
    r#type: String,
    /// Its options, such as `enable-ecs-log-metadata`.
    #[schemars(extend("default" = {}))]
    options: BTreeMap<String, String>,
}

impl PortMapping {
    /// The part for a call, with a network mode.
    pub fn into_api(self, mode: &str) -> api::PortMapping {
        // With awsvpc and host networking the host's port is the container's, and with bridge networking none is a free one
        // (ECS API Reference, PortMapping).
        let host_port = if mode == BRIDGE { self.host_port } else { Some(self.container_port) };
        api::PortMapping::builder()
            .container_port(self.container_port)
            .set_host_port(host_port)
            .protocol(api::TransportProtocol::from(self.protocol.as_str()))
            .set_name(self.name)
            .set_app_protocol(self.app_protocol.as_deref().map(api::ApplicationProtocol::from))
            .build()
    }

    /// The part AWS returned, with a network mode.
    pub fn from_api(mapping: &api::PortMapping, mode: &str) -> Self {
        Self {
            container_port: mapping.container_port().unwrap_or_default(),
            host_port: mapping.host_port().filter(|port| mode == BRIDGE && *port != 0),
            protocol: mapping.protocol().map_or("tcp", api::TransportProtocol::as_str).to_owned(),
            name: mapping.name().map(str::to_owned),
            app_protocol: mapping.app_protocol().map(|protocol| protocol.as_str().to_owned()),
        }
    }
}

impl LogConfiguration {
    /// The configuration for a call.
    ///
    /// # Errors
    /// When the SDK finds it incomplete.
    pub fn into_api(self) -> Outcome<api::LogConfiguration> {
        api::LogConfiguration::builder()
            .log_driver(api::LogDriver::from(self.log_driver.as_str()))
            .set_options(Some(self.options.into_iter().collect()))
            .set_secret_options(Some(secrets(self.secret_options)?).filter(|secrets| !secrets.is_empty()))
            .build()
            .map_err(unbuilt)
    }

    /// The configuration AWS returned.
    pub fn from_api(log: &api::LogConfiguration) -> Self {
        Self {
            log_driver: log.log_driver().as_str().to_owned(),
            options: log.options().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect(),
            secret_options: log.secret_options().iter().map(|secret| (secret.name().to_owned(), secret.value_from().to_owned())).collect(),
        }
    }
}

impl HealthCheck {
    /// The part for a call.
    pub fn into_api(self) -> Outcome<api::HealthCheck> {
        api::HealthCheck::builder()
            .set_command(Some(self.command))
            .interval(self.interval)
            .timeout(self.timeout)
            .retries(self.retries)
            .set_start_period(self.start_period)
            .build()
            .map_err(unbuilt)
    }

    /// The part AWS returned.
    pub fn from_api(check: &api::HealthCheck) -> Self {
        Self {
            command: check.command().to_vec(),
            interval: check.interval().unwrap_or(30),
            timeout: check.timeout().unwrap_or(5),
            retries: check.retries().unwrap_or(3),
            start_period: check.start_period(),
        }
    }
}

impl ContainerDependency {
    /// The part for a call.
    pub fn into_api(self) -> Outcome<api::ContainerDependency> {
        let condition = api::ContainerCondition::from(self.condition.as_str());
        api::ContainerDependency::builder().container_name(self.container_name).condition(condition).build().map_err(unbuilt)
    }

    /// The part AWS returned.
    pub fn from_api(on: &api::ContainerDependency) -> Self {
        Self { container_name: on.container_name().to_owned(), condition: on.condition().as_str().to_owned() }
    }
}

impl MountPoint {
    /// The part for a call.
    pub fn into_api(self) -> api::MountPoint {
        api::MountPoint::builder().source_volume(self.source_volume).container_path(self.container_path).read_only(self.read_only).build()
    }

    /// The part AWS returned.
    pub fn from_api(mount: &api::MountPoint) -> Self {
        Self {
            source_volume: text(mount.source_volume()),
            container_path: text(mount.container_path()),
            read_only: mount.read_only().unwrap_or_default(),
        }
    }
}

impl Ulimit {
    /// The part for a call.
    pub fn into_api(self) -> Outcome<api::Ulimit> {
        let name = api::UlimitName::from(self.name.as_str());
        api::Ulimit::builder().name(name).soft_limit(self.soft_limit).hard_limit(self.hard_limit).build().map_err(unbuilt)
    }

    /// The part AWS returned.
    pub fn from_api(limit: &api::Ulimit) -> Self {
        Self { name: limit.name().as_str().to_owned(), soft_limit: limit.soft_limit(), hard_limit: limit.hard_limit() }
    }
}

impl VolumesFrom {
    /// The part for a call.
    pub fn into_api(self) -> api::VolumeFrom {
        api::VolumeFrom::builder().source_container(self.source_container).read_only(self.read_only).build()
    }

    /// The part AWS returned.
    pub fn from_api(volumes: &api::VolumeFrom) -> Self {
        Self { source_container: text(volumes.source_container()), read_only: volumes.read_only().unwrap_or_default() }
    }
}

impl Capabilities {
    /// The part for a call.
    pub fn into_api(self) -> api::KernelCapabilities {
        let some = |list: Vec<String>| Some(list).filter(|list| !list.is_empty());
        api::KernelCapabilities::builder().set_add(some(self.add)).set_drop(some(self.drop)).build()
    }

    /// The part AWS returned; none when there is nothing in it.
    pub fn from_api(capabilities: &api::KernelCapabilities) -> Option<Self> {
        let read = Self { add: capabilities.add().to_vec(), drop: capabilities.drop().to_vec() };
        (!read.add.is_empty() || !read.drop.is_empty()).then_some(read)
    }
}

impl RestartPolicy {
    /// The part for a call.
    pub fn into_api(self) -> Outcome<api::ContainerRestartPolicy> {
        api::ContainerRestartPolicy::builder()
            .enabled(true)
            .set_ignored_exit_codes(Some(self.ignored_exit_codes).filter(|codes| !codes.is_empty()))
            .restart_attempt_period(self.restart_attempt_period)
            .build()
            .map_err(unbuilt)
    }

    /// The part AWS returned; none when it is turned off.
    pub fn from_api(policy: &api::ContainerRestartPolicy) -> Option<Self> {
        policy.enabled().then(|| Self {
            ignored_exit_codes: policy.ignored_exit_codes().to_vec(),
            // ECS API Reference, ContainerRestartPolicy.
            restart_attempt_period: policy.restart_attempt_period().unwrap_or(300),
        })
    }
}

impl Firelens {
    /// The part for a call.
    pub fn into_api(self) -> Outcome<api::FirelensConfiguration> {
        let options = Some(self.options.into_iter().collect()).filter(|options: &std::collections::HashMap<_, _>| !options.is_empty());
        let kind = api::FirelensConfigurationType::from(self.r#type.as_str());
        api::FirelensConfiguration::builder().r#type(kind).set_options(options).build().map_err(unbuilt)
    }

    /// The part AWS returned.
    pub fn from_api(firelens: &api::FirelensConfiguration) -> Self {
        Self {
            r#type: firelens.r#type().as_str().to_owned(),
            options: firelens.options().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect(),
        }
    }
}

/// Values from Secrets Manager or SSM, for a call.
///
/// # Errors
/// When the SDK finds one incomplete.
pub fn secrets(secrets: BTreeMap<String, String>) -> Outcome<Vec<api::Secret>> {
    let secrets = secrets.into_iter().map(|(name, from)| api::Secret::builder().name(name).value_from(from).build());
    secrets.collect::<Result<_, _>>().map_err(unbuilt)
}

/// Text that AWS always has.
pub fn text(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_on_a_bridge_share_no_port_of_their_instance() {
        let mapping = |host_port| PortMapping { container_port: 80, host_port, protocol: "tcp".to_owned(), name: None, app_protocol: None };
        assert_eq!(mapping(None).into_api(BRIDGE).host_port(), None, "a free one");
        assert_eq!(mapping(Some(8080)).into_api(BRIDGE).host_port(), Some(8080));
        assert_eq!(mapping(None).into_api("awsvpc").host_port(), Some(80));
        for (mode, host_port) in [(BRIDGE, None), (BRIDGE, Some(8080)), ("awsvpc", None), ("host", None)] {
            let mapping = mapping(host_port);
            assert_eq!(PortMapping::from_api(&mapping.clone().into_api(mode), mode), mapping, "{mode}");
        }
        let dynamic = api::PortMapping::builder().container_port(80).host_port(0).protocol(api::TransportProtocol::Tcp).build();
        assert_eq!(PortMapping::from_api(&dynamic, BRIDGE), mapping(None));
    }
}
