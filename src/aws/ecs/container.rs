//! A container of a task definition.

use std::collections::BTreeMap;

use aws_sdk_ecs::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::incomplete;
use crate::engine::ports::Outcome;

/// A container of a task definition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Container {
    /// The name, unique in the task.
    name: String,
    /// The image, with tag or digest.
    image: String,
    /// Whether the task stops when this container does.
    #[schemars(extend("default" = true))]
    essential: bool,
    /// CPU units of the task's that are reserved for this container.
    #[schemars(extend("default" = 0), range(min = 0))]
    cpu: i32,
    /// The most memory it may use, in MiB: more, and it is killed.
    #[schemars(range(min = 4))]
    memory: Option<i32>,
    /// The memory it is promised, in MiB.
    #[schemars(range(min = 4))]
    memory_reservation: Option<i32>,
    /// What runs, instead of the image's entry point.
    #[schemars(extend("default" = []))]
    entry_point: Vec<String>,
    /// The arguments, instead of the image's.
    #[schemars(extend("default" = []))]
    command: Vec<String>,
    /// Where it runs.
    working_directory: Option<String>,
    /// As whom it runs: `uid`, `uid:gid`, `user` or `user:group`.
    user: Option<String>,
    /// Environment variables.
    #[schemars(extend("default" = {}))]
    environment: BTreeMap<String, String>,
    /// Files of environment variables in S3.
    #[schemars(extend("default" = []))]
    environment_files: Vec<String>,
    /// Environment variables from Secrets Manager or SSM: the ARN each comes from.
    #[schemars(extend("default" = {}))]
    secrets: BTreeMap<String, String>,
    /// Ports it listens on.
    #[schemars(extend("default" = [], "x-set" = true))]
    port_mappings: Vec<PortMapping>,
    /// Where its output goes.
    log_configuration: Option<LogConfiguration>,
    /// How its health is checked from inside.
    health_check: Option<HealthCheck>,
    /// Containers it waits for.
    #[schemars(extend("default" = [], "x-key" = "container_name"))]
    depends_on: Vec<ContainerDependency>,
    /// Volumes it sees.
    #[schemars(extend("default" = [], "x-key" = "container_path"))]
    mount_points: Vec<MountPoint>,
    /// Limits of open files and the like.
    #[schemars(extend("default" = [], "x-key" = "name"))]
    ulimits: Vec<Ulimit>,
    /// Labels for the container runtime.
    #[schemars(extend("default" = {}))]
    docker_labels: BTreeMap<String, String>,
    /// Whether an init process reaps orphans and forwards signals.
    #[schemars(extend("default" = false))]
    init_process_enabled: bool,
    /// Whether its root file system cannot be written.
    #[schemars(extend("default" = false))]
    readonly_root_filesystem: bool,
    /// Seconds to wait for the containers it depends on.
    #[schemars(range(min = 2, max = 120))]
    start_timeout: Option<i32>,
    /// Seconds between SIGTERM and SIGKILL.
    #[schemars(range(min = 0, max = 120))]
    stop_timeout: Option<i32>,
    /// Whether standard input is open.
    #[schemars(extend("default" = false))]
    interactive: bool,
    /// Whether it has a terminal.
    #[schemars(extend("default" = false))]
    pseudo_terminal: bool,
    /// The secret with the credentials of a private registry.
    #[schemars(extend("x-format" = "arn"))]
    repository_credentials: Option<String>,
    /// Whether a tag is resolved to a digest once for a whole deployment.
    #[schemars(extend("x-server" = true, "enum" = ["enabled", "disabled"]))]
    version_consistency: Option<String>,
}

/// A port a container listens on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PortMapping {
    /// The port.
    #[schemars(range(min = 1, max = 65535))]
    container_port: i32,
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
    name: String,
    /// The limit the container may raise.
    soft_limit: i32,
    /// The limit it may not exceed.
    hard_limit: i32,
}

impl Container {
    /// The container for a call.
    ///
    /// # Errors
    /// When the SDK finds it incomplete.
    pub fn to_api(&self) -> Outcome<api::ContainerDefinition> {
        let this = self.clone();
        let some = |list: Vec<String>| Some(list).filter(|list| !list.is_empty());
        let environment = this.environment.into_iter().map(|(name, value)| api::KeyValuePair::builder().name(name).value(value).build());
        let files = this.environment_files.into_iter();
        let files = files.map(|arn| api::EnvironmentFile::builder().value(arn).r#type(api::EnvironmentFileType::S3).build());
        let linux = api::LinuxParameters::builder().init_process_enabled(true).build();
        let credentials = this.repository_credentials;
        let credentials = credentials.map(|arn| api::RepositoryCredentials::builder().credentials_parameter(arn).build());
        Ok(api::ContainerDefinition::builder()
            .name(this.name)
            .image(this.image)
            .essential(this.essential)
            .cpu(this.cpu)
            .set_memory(this.memory)
            .set_memory_reservation(this.memory_reservation)
            .set_entry_point(some(this.entry_point))
            .set_command(some(this.command))
            .set_working_directory(this.working_directory)
            .set_user(this.user)
            .set_environment(Some(environment.collect()))
            .set_environment_files(Some(files.collect::<Result<Vec<_>, _>>().map_err(incomplete)?).filter(|files| !files.is_empty()))
            .set_secrets(Some(secrets(this.secrets)?).filter(|secrets| !secrets.is_empty()))
            .set_port_mappings(Some(this.port_mappings.into_iter().map(PortMapping::into_api).collect()))
            .set_log_configuration(this.log_configuration.map(LogConfiguration::into_api).transpose()?)
            .set_health_check(this.health_check.map(HealthCheck::into_api).transpose()?)
            .set_depends_on(
                Some(this.depends_on.into_iter().map(ContainerDependency::into_api).collect::<Outcome<Vec<_>>>()?)
                    .filter(|list| !list.is_empty()),
            )
            .set_mount_points(Some(this.mount_points.into_iter().map(MountPoint::into_api).collect()))
            .set_ulimits(Some(this.ulimits.into_iter().map(Ulimit::into_api).collect::<Outcome<Vec<_>>>()?).filter(|list| !list.is_empty()))
            .set_docker_labels(
                Some(this.docker_labels.into_iter().collect()).filter(|labels: &std::collections::HashMap<_, _>| !labels.is_empty()),
            )
            .set_linux_parameters(this.init_process_enabled.then_some(linux))
            .set_readonly_root_filesystem(this.readonly_root_filesystem.then_some(true))
            .set_start_timeout(this.start_timeout)
            .set_stop_timeout(this.stop_timeout)
            .set_interactive(this.interactive.then_some(true))
            .set_pseudo_terminal(this.pseudo_terminal.then_some(true))
            .set_repository_credentials(credentials.transpose().map_err(incomplete)?)
            .set_version_consistency(this.version_consistency.as_deref().map(api::VersionConsistency::from))
            .build())
    }

    /// The container AWS returned.
    pub fn from_api(container: &api::ContainerDefinition) -> Self {
        let pairs = container.environment().iter();
        Self {
            name: text(container.name()),
            image: text(container.image()),
            essential: container.essential().unwrap_or(true),
            cpu: container.cpu(),
            memory: container.memory(),
            memory_reservation: container.memory_reservation(),
            entry_point: container.entry_point().to_vec(),
            command: container.command().to_vec(),
            working_directory: container.working_directory().map(str::to_owned),
            user: container.user().map(str::to_owned),
            environment: pairs.map(|pair| (text(pair.name()), text(pair.value()))).collect(),
            environment_files: container.environment_files().iter().map(|file| file.value().to_owned()).collect(),
            secrets: container.secrets().iter().map(|secret| (secret.name().to_owned(), secret.value_from().to_owned())).collect(),
            port_mappings: container.port_mappings().iter().map(PortMapping::from_api).collect(),
            log_configuration: container.log_configuration().map(LogConfiguration::from_api),
            health_check: container.health_check().map(HealthCheck::from_api),
            depends_on: container
                .depends_on()
                .iter()
                .map(|on| ContainerDependency {
                    container_name: on.container_name().to_owned(),
                    condition: on.condition().as_str().to_owned(),
                })
                .collect(),
            mount_points: container
                .mount_points()
                .iter()
                .map(|mount| MountPoint {
                    source_volume: text(mount.source_volume()),
                    container_path: text(mount.container_path()),
                    read_only: mount.read_only().unwrap_or_default(),
                })
                .collect(),
            ulimits: container
                .ulimits()
                .iter()
                .map(|limit| Ulimit {
                    name: limit.name().as_str().to_owned(),
                    soft_limit: limit.soft_limit(),
                    hard_limit: limit.hard_limit(),
                })
                .collect(),
            docker_labels: container.docker_labels().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect(),
            init_process_enabled: container.linux_parameters().and_then(|linux| linux.init_process_enabled()).unwrap_or_default(),
            readonly_root_filesystem: container.readonly_root_filesystem().unwrap_or_default(),
            start_timeout: container.start_timeout(),
            stop_timeout: container.stop_timeout(),
            interactive: container.interactive().unwrap_or_default(),
            pseudo_terminal: container.pseudo_terminal().unwrap_or_default(),
            repository_credentials: container.repository_credentials().map(|credentials| credentials.credentials_parameter().to_owned()),
            version_consistency: container.version_consistency().map(|consistency| consistency.as_str().to_owned()),
        }
    }
}

impl PortMapping {
    fn into_api(self) -> api::PortMapping {
        api::PortMapping::builder()
            .container_port(self.container_port)
            // With awsvpc networking the host's port is the container's (ECS API Reference, PortMapping).
            .host_port(self.container_port)
            .protocol(api::TransportProtocol::from(self.protocol.as_str()))
            .set_name(self.name)
            .set_app_protocol(self.app_protocol.as_deref().map(api::ApplicationProtocol::from))
            .build()
    }

    fn from_api(mapping: &api::PortMapping) -> Self {
        Self {
            container_port: mapping.container_port().unwrap_or_default(),
            protocol: mapping.protocol().map_or("tcp", api::TransportProtocol::as_str).to_owned(),
            name: mapping.name().map(str::to_owned),
            app_protocol: mapping.app_protocol().map(|protocol| protocol.as_str().to_owned()),
        }
    }
}

impl LogConfiguration {
    fn into_api(self) -> Outcome<api::LogConfiguration> {
        api::LogConfiguration::builder()
            .log_driver(api::LogDriver::from(self.log_driver.as_str()))
            .set_options(Some(self.options.into_iter().collect()))
            .set_secret_options(Some(secrets(self.secret_options)?).filter(|secrets| !secrets.is_empty()))
            .build()
            .map_err(incomplete)
    }

    fn from_api(log: &api::LogConfiguration) -> Self {
        Self {
            log_driver: log.log_driver().as_str().to_owned(),
            options: log.options().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect(),
            secret_options: log.secret_options().iter().map(|secret| (secret.name().to_owned(), secret.value_from().to_owned())).collect(),
        }
    }
}

impl HealthCheck {
    fn into_api(self) -> Outcome<api::HealthCheck> {
        api::HealthCheck::builder()
            .set_command(Some(self.command))
            .interval(self.interval)
            .timeout(self.timeout)
            .retries(self.retries)
            .set_start_period(self.start_period)
            .build()
            .map_err(incomplete)
    }

    fn from_api(check: &api::HealthCheck) -> Self {
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
    fn into_api(self) -> Outcome<api::ContainerDependency> {
        let condition = api::ContainerCondition::from(self.condition.as_str());
        api::ContainerDependency::builder().container_name(self.container_name).condition(condition).build().map_err(incomplete)
    }
}

impl MountPoint {
    fn into_api(self) -> api::MountPoint {
        api::MountPoint::builder().source_volume(self.source_volume).container_path(self.container_path).read_only(self.read_only).build()
    }
}

impl Ulimit {
    fn into_api(self) -> Outcome<api::Ulimit> {
        let name = api::UlimitName::from(self.name.as_str());
        api::Ulimit::builder().name(name).soft_limit(self.soft_limit).hard_limit(self.hard_limit).build().map_err(incomplete)
    }
}

fn secrets(secrets: BTreeMap<String, String>) -> Outcome<Vec<api::Secret>> {
    let secrets = secrets.into_iter().map(|(name, from)| api::Secret::builder().name(name).value_from(from).build());
    secrets.collect::<Result<_, _>>().map_err(incomplete)
}

fn text(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}
