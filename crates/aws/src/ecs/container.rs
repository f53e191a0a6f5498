//! A container of a task definition.

use std::collections::BTreeMap;

use aws_sdk_ecs::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::container_part::{
    Capabilities, ContainerDependency, Firelens, HealthCheck, LogConfiguration, MountPoint, PortMapping, RestartPolicy, Ulimit,
    VolumesFrom, secrets, text,
};
use super::linux::{Device, Linux, Tmpfs};
use super::on_instance::{ExtraHost, ResourceRequirement};
use super::unbuilt;
use leoctl_core::engine::ports::Outcome;

/// A container of a task definition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Container {
    /// The name, unique in the task.
    #[schemars(extend("pattern" = "^[a-zA-Z0-9_-]+$", "x-form" = "letters, digits, hyphens and underscores"), length(max = 255))]
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
    /// Containers whose volumes it sees too.
    #[schemars(extend("default" = [], "x-key" = "source_container"))]
    volumes_from: Vec<VolumesFrom>,
    /// Kernel parameters of the task, by name.
    #[schemars(extend("default" = {}))]
    system_controls: BTreeMap<String, String>,
    /// What of the kernel it may use.
    capabilities: Option<Capabilities>,
    /// Whether it is started again when it ends, while the task goes on.
    restart_policy: Option<RestartPolicy>,
    /// Whether it routes the logs of the containers whose driver is `awsfirelens`.
    firelens_configuration: Option<Firelens>,
    /// Labels for the container runtime.
    #[schemars(extend("default" = {}))]
    docker_labels: BTreeMap<String, String>,
    /// Whether an init process reaps orphans and forwards signals.
    #[schemars(extend("default" = false))]
    init_process_enabled: bool,
    /// The size of `/dev/shm` in MiB.
    #[schemars(range(min = 1))]
    shared_memory_size: Option<i32>,
    /// How much it may swap in MiB: nothing with 0; on EC2 alone.
    #[schemars(range(min = 0))]
    max_swap: Option<i32>,
    /// How readily it swaps, with `max_swap`; 60 when left out.
    #[schemars(range(min = 0, max = 100))]
    swappiness: Option<i32>,
    /// File systems in memory.
    #[schemars(extend("default" = [], "x-key" = "container_path"))]
    tmpfs: Vec<Tmpfs>,
    /// Devices of the instance; on EC2 alone.
    #[schemars(extend("default" = [], "x-key" = "host_path"))]
    devices: Vec<Device>,
    /// Containers of the task it reaches by name, as `name` or `name:alias`, with the network mode `bridge`.
    #[schemars(extend("default" = [], "x-set" = true))]
    links: Vec<String>,
    /// Its host name; not with the network mode `awsvpc`.
    hostname: Option<String>,
    /// Further lines of its `/etc/hosts`; not with the network mode `awsvpc`.
    #[schemars(extend("default" = [], "x-set" = true))]
    extra_hosts: Vec<ExtraHost>,
    /// The DNS servers it asks; on instances alone.
    #[schemars(extend("default" = []))]
    dns_servers: Vec<String>,
    /// The domains in which it looks for names; on instances alone.
    #[schemars(extend("default" = []))]
    dns_search_domains: Vec<String>,
    /// Whether it has no network; on instances alone.
    #[schemars(extend("default" = false))]
    disable_networking: bool,
    /// Whether it may do with its instance what root may; on instances alone.
    #[schemars(extend("default" = false))]
    privileged: bool,
    /// Labels of SELinux, AppArmor and the like; on instances alone.
    #[schemars(extend("default" = [], "x-set" = true))]
    docker_security_options: Vec<String>,
    /// Files with credentials of Active Directory, as `credentialspec:ARN` or `credentialspecdomainless:ARN`.
    #[schemars(extend("default" = []))]
    credential_specs: Vec<String>,
    /// What it has of its instance for itself, such as GPUs; on instances alone.
    #[schemars(extend("default" = [], "x-key" = "type"))]
    resource_requirements: Vec<ResourceRequirement>,
    /// Whether its root file system cannot be written.
    #[schemars(extend("default" = false))]
    readonly_root_filesystem: bool,
    /// Seconds to wait for the containers it depends on; from 2 to 120 on Fargate.
    #[schemars(range(min = 0))]
    start_timeout: Option<i32>,
    /// Seconds between SIGTERM and SIGKILL; from 2 to 120 on Fargate.
    #[schemars(range(min = 0))]
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

impl Container {
    /// The container for a call, with a network mode.
    ///
    /// # Errors
    /// When the SDK finds it incomplete.
    pub fn to_api(&self, mode: &str) -> Outcome<api::ContainerDefinition> {
        let this = self.clone();
        let some = |list: Vec<String>| Some(list).filter(|list| !list.is_empty());
        let environment = this.environment.into_iter().map(|(name, value)| api::KeyValuePair::builder().name(name).value(value).build());
        let files = this.environment_files.into_iter();
        let files = files.map(|arn| api::EnvironmentFile::builder().value(arn).r#type(api::EnvironmentFileType::S3).build());
        let linux = Linux {
            capabilities: this.capabilities,
            init_process_enabled: this.init_process_enabled,
            shared_memory_size: this.shared_memory_size,
            max_swap: this.max_swap,
            swappiness: this.swappiness,
            tmpfs: this.tmpfs,
            devices: this.devices,
        };
        let controls = this.system_controls.into_iter();
        let controls = controls.map(|(name, value)| api::SystemControl::builder().namespace(name).value(value).build());
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
            .set_environment_files(Some(files.collect::<Result<Vec<_>, _>>().map_err(unbuilt)?).filter(|files| !files.is_empty()))
            .set_secrets(Some(secrets(this.secrets)?).filter(|secrets| !secrets.is_empty()))
            .set_port_mappings(Some(this.port_mappings.into_iter().map(|mapping| mapping.into_api(mode)).collect()))
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
            .set_linux_parameters(linux.into_api()?)
            .set_system_controls(Some(controls.collect::<Vec<_>>()).filter(|controls| !controls.is_empty()))
            .set_volumes_from(
                Some(this.volumes_from.into_iter().map(VolumesFrom::into_api).collect::<Vec<_>>()).filter(|volumes| !volumes.is_empty()),
            )
            .set_restart_policy(this.restart_policy.map(RestartPolicy::into_api).transpose()?)
            .set_firelens_configuration(this.firelens_configuration.map(Firelens::into_api).transpose()?)
            .set_links(some(this.links))
            .set_hostname(this.hostname)
            .set_extra_hosts(
                Some(this.extra_hosts.into_iter().map(ExtraHost::into_api).collect::<Outcome<Vec<_>>>()?).filter(|list| !list.is_empty()),
            )
            .set_dns_servers(some(this.dns_servers))
            .set_dns_search_domains(some(this.dns_search_domains))
            .set_disable_networking(this.disable_networking.then_some(true))
            .set_privileged(this.privileged.then_some(true))
            .set_docker_security_options(some(this.docker_security_options))
            .set_credential_specs(some(this.credential_specs))
            .set_resource_requirements(
                Some(this.resource_requirements.into_iter().map(ResourceRequirement::into_api).collect::<Outcome<Vec<_>>>()?)
                    .filter(|list| !list.is_empty()),
            )
            .set_readonly_root_filesystem(this.readonly_root_filesystem.then_some(true))
            .set_start_timeout(this.start_timeout)
            .set_stop_timeout(this.stop_timeout)
            .set_interactive(this.interactive.then_some(true))
            .set_pseudo_terminal(this.pseudo_terminal.then_some(true))
            .set_repository_credentials(credentials.transpose().map_err(unbuilt)?)
            .set_version_consistency(this.version_consistency.as_deref().map(api::VersionConsistency::from))
            .build())
    }

    /// The container AWS returned, with a network mode.
    pub fn from_api(container: &api::ContainerDefinition, mode: &str) -> Self {
        let pairs = container.environment().iter();
        let linux = Linux::from_api(container.linux_parameters());
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
            port_mappings: container.port_mappings().iter().map(|mapping| PortMapping::from_api(mapping, mode)).collect(),
            log_configuration: container.log_configuration().map(LogConfiguration::from_api),
            health_check: container.health_check().map(HealthCheck::from_api),
            depends_on: container.depends_on().iter().map(ContainerDependency::from_api).collect(),
            mount_points: container.mount_points().iter().map(MountPoint::from_api).collect(),
            ulimits: container.ulimits().iter().map(Ulimit::from_api).collect(),
            volumes_from: container.volumes_from().iter().map(VolumesFrom::from_api).collect(),
            system_controls: container.system_controls().iter().map(|control| (text(control.namespace()), text(control.value()))).collect(),
            capabilities: linux.capabilities,
            restart_policy: container.restart_policy().and_then(RestartPolicy::from_api),
            firelens_configuration: container.firelens_configuration().map(Firelens::from_api),
            docker_labels: container.docker_labels().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect(),
            init_process_enabled: linux.init_process_enabled,
            shared_memory_size: linux.shared_memory_size,
            max_swap: linux.max_swap,
            swappiness: linux.swappiness,
            tmpfs: linux.tmpfs,
            devices: linux.devices,
            links: container.links().to_vec(),
            hostname: container.hostname().map(str::to_owned),
            extra_hosts: container.extra_hosts().iter().map(ExtraHost::from_api).collect(),
            dns_servers: container.dns_servers().to_vec(),
            dns_search_domains: container.dns_search_domains().to_vec(),
            disable_networking: container.disable_networking().unwrap_or_default(),
            privileged: container.privileged().unwrap_or_default(),
            docker_security_options: container.docker_security_options().to_vec(),
            credential_specs: container.credential_specs().to_vec(),
            resource_requirements: container.resource_requirements().iter().map(ResourceRequirement::from_api).collect(),
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
