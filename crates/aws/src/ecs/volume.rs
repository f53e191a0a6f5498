//! A volume of a task definition.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_ecs::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::unbuilt;
use leoctl_core::engine::ports::Outcome;

/// The scope of a Docker volume that outlives its tasks.
const SHARED: &str = "shared";

/// A volume.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// The name mount points go by.
    name: String,
    /// The EFS file system; scratch space when left out.
    efs_volume_configuration: Option<EfsVolume>,
    /// The directory of the instance, instead of a file system; not on Fargate.
    host: Option<HostVolume>,
    /// The volume that Docker has, instead of a file system; not on Fargate.
    docker_volume_configuration: Option<DockerVolume>,
    /// The file system of Amazon FSx for Windows File Server; not on Fargate.
    fsx_windows_file_server_volume_configuration: Option<FsxVolume>,
    /// Whether the service says what disk it is, in its `volume_configurations`.
    #[schemars(extend("default" = false))]
    configured_at_launch: bool,
}

/// A directory of the instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostVolume {
    /// Where it is; it is made where there is none.
    source_path: String,
}

/// A volume on EFS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EfsVolume {
    /// The file system.
    file_system_id: String,
    /// The directory that is mounted.
    #[schemars(extend("default" = "/"))]
    root_directory: String,
    /// Whether traffic is encrypted.
    #[schemars(extend("default" = "DISABLED", "enum" = ["ENABLED", "DISABLED"]))]
    transit_encryption: String,
    /// The port of encrypted traffic.
    transit_encryption_port: Option<i32>,
    /// The access point.
    access_point_id: Option<String>,
    /// Whether the task role is used.
    #[schemars(extend("default" = "DISABLED", "enum" = ["ENABLED", "DISABLED"]))]
    iam: String,
}

/// A volume that Docker has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DockerVolume {
    /// Whether it comes and goes with its `task`, or is `shared` and stays.
    #[schemars(extend("default" = "task", "enum" = ["task", "shared"]))]
    scope: String,
    /// Whether a shared one is made where there is none.
    #[schemars(extend("default" = false))]
    autoprovision: bool,
    /// Docker's driver of it.
    #[schemars(extend("default" = "local"))]
    driver: String,
    /// The driver's options.
    #[schemars(extend("default" = {}))]
    driver_opts: BTreeMap<String, String>,
    /// Labels for Docker.
    #[schemars(extend("default" = {}))]
    labels: BTreeMap<String, String>,
}

/// A volume on Amazon FSx for Windows File Server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FsxVolume {
    /// The file system.
    file_system_id: String,
    /// The directory that is mounted.
    root_directory: String,
    /// The secret or the parameter with the credentials.
    #[schemars(extend("x-format" = "arn:secretsmanager|ssm"))]
    credentials_parameter: String,
    /// The domain of Active Directory.
    domain: String,
}

impl Volume {
    /// The volume for a call.
    ///
    /// # Errors
    /// When the SDK finds it incomplete.
    pub fn to_api(&self) -> Outcome<api::Volume> {
        let efs = self.efs_volume_configuration.clone().map(|efs| {
            let authorization = api::EfsAuthorizationConfig::builder()
                .set_access_point_id(efs.access_point_id.clone())
                .iam(api::EfsAuthorizationConfigIam::from(efs.iam.as_str()))
                .build();
            let plain = efs.access_point_id.is_none() && efs.iam == "DISABLED";
            api::EfsVolumeConfiguration::builder()
                .file_system_id(efs.file_system_id)
                .root_directory(efs.root_directory)
                .transit_encryption(api::EfsTransitEncryption::from(efs.transit_encryption.as_str()))
                .set_transit_encryption_port(efs.transit_encryption_port)
                .set_authorization_config((!plain).then_some(authorization))
                .build()
        });
        Ok(api::Volume::builder()
            .name(&self.name)
            .set_efs_volume_configuration(efs.transpose().map_err(unbuilt)?)
            .set_host(self.host.as_ref().map(|host| api::HostVolumeProperties::builder().source_path(&host.source_path).build()))
            .set_docker_volume_configuration(self.docker_volume_configuration.as_ref().map(DockerVolume::to_api))
            .set_fsx_windows_file_server_volume_configuration(
                self.fsx_windows_file_server_volume_configuration.as_ref().map(FsxVolume::to_api).transpose()?,
            )
            .set_configured_at_launch(self.configured_at_launch.then_some(true))
            .build())
    }

    /// The volume AWS returned.
    pub fn from_api(volume: &api::Volume) -> Self {
        let efs = volume.efs_volume_configuration().map(|efs| {
            let authorization = efs.authorization_config();
            EfsVolume {
                file_system_id: efs.file_system_id().to_owned(),
                root_directory: efs.root_directory().unwrap_or("/").to_owned(),
                transit_encryption: efs.transit_encryption().map_or("DISABLED", api::EfsTransitEncryption::as_str).to_owned(),
                transit_encryption_port: efs.transit_encryption_port(),
                access_point_id: authorization.and_then(|authorization| authorization.access_point_id()).map(str::to_owned),
                iam: authorization
                    .and_then(|authorization| authorization.iam())
                    .map_or("DISABLED", api::EfsAuthorizationConfigIam::as_str)
                    .to_owned(),
            }
        });
        Self {
            name: volume.name().unwrap_or_default().to_owned(),
            efs_volume_configuration: efs,
            // Of scratch space AWS says a host without a path.
            host: volume
                .host()
                .and_then(|host| host.source_path())
                .filter(|path| !path.is_empty())
                .map(|path| HostVolume { source_path: path.to_owned() }),
            docker_volume_configuration: volume.docker_volume_configuration().map(DockerVolume::from_api),
            fsx_windows_file_server_volume_configuration: volume.fsx_windows_file_server_volume_configuration().map(FsxVolume::from_api),
            configured_at_launch: volume.configured_at_launch().unwrap_or_default(),
        }
    }
}

impl DockerVolume {
    fn to_api(&self) -> api::DockerVolumeConfiguration {
        let Self { scope, autoprovision, driver, driver_opts, labels } = self.clone();
        let some = |map: BTreeMap<String, String>| Some(map.into_iter().collect::<HashMap<_, _>>()).filter(|map| !map.is_empty());
        api::DockerVolumeConfiguration::builder()
            .scope(api::Scope::from(scope.as_str()))
            // Only of a shared one (ECS API Reference, DockerVolumeConfiguration).
            .set_autoprovision((scope == SHARED).then_some(autoprovision))
            .driver(driver)
            .set_driver_opts(some(driver_opts))
            .set_labels(some(labels))
            .build()
    }

    fn from_api(volume: &api::DockerVolumeConfiguration) -> Self {
        let map = |map: Option<&HashMap<String, String>>| {
            map.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect::<BTreeMap<_, _>>()
        };
        Self {
            scope: volume.scope().map_or("task", api::Scope::as_str).to_owned(),
            autoprovision: volume.autoprovision().unwrap_or_default(),
            driver: volume.driver().unwrap_or("local").to_owned(),
            driver_opts: map(volume.driver_opts()),
            labels: map(volume.labels()),
        }
    }
}

impl FsxVolume {
    fn to_api(&self) -> Outcome<api::FSxWindowsFileServerVolumeConfiguration> {
        let Self { file_system_id, root_directory, credentials_parameter, domain } = self.clone();
        let authorization = api::FSxWindowsFileServerAuthorizationConfig::builder()
            .credentials_parameter(credentials_parameter)
            .domain(domain)
            .build()
            .map_err(unbuilt)?;
        let volume = api::FSxWindowsFileServerVolumeConfiguration::builder().file_system_id(file_system_id).root_directory(root_directory);
        volume.authorization_config(authorization).build().map_err(unbuilt)
    }

    fn from_api(volume: &api::FSxWindowsFileServerVolumeConfiguration) -> Self {
        let authorization = volume.authorization_config();
        Self {
            file_system_id: volume.file_system_id().to_owned(),
            root_directory: volume.root_directory().to_owned(),
            credentials_parameter: authorization.map(|of| of.credentials_parameter().to_owned()).unwrap_or_default(),
            domain: authorization.map(|of| of.domain().to_owned()).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn volumes_of_instances_read_back_as_they_were_written() {
        let volumes = json!([
            { "name": "files", "host": { "source_path": "/srv" }, "configured_at_launch": false },
            { "name": "cache", "docker_volume_configuration": {
                "scope": "shared", "autoprovision": true, "driver": "local", "driver_opts": { "type": "nfs" }, "labels": { "a": "b" },
            }, "configured_at_launch": false },
            { "name": "scratch", "docker_volume_configuration": {
                "scope": "task", "autoprovision": false, "driver": "local", "driver_opts": {}, "labels": {},
            }, "configured_at_launch": false },
            { "name": "share", "fsx_windows_file_server_volume_configuration": {
                "file_system_id": "fs-1", "root_directory": "\\\\data", "credentials_parameter": "arn:aws:ssm:r:1:parameter/p", "domain": "d.example",
            }, "configured_at_launch": false },
        ]);
        let volumes: Vec<Volume> = serde_json::from_value(volumes).unwrap();
        for volume in volumes {
            assert_eq!(Volume::from_api(&volume.to_api().unwrap()), volume);
        }
    }
}
