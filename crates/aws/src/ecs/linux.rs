//! What a container has of the kernel of its machine: memory, file systems in memory, devices.

use aws_sdk_ecs::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::container_part::Capabilities;
use super::unbuilt;
use leoctl_core::engine::ports::Outcome;

/// A file system in memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tmpfs {
    /// Where the container sees it.
    container_path: String,
    /// Its size in MiB.
    #[schemars(range(min = 1))]
    size: i32,
    /// How it is mounted, such as `noexec`.
    #[schemars(extend("default" = [], "x-set" = true))]
    mount_options: Vec<String>,
}

/// A device of the instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Where it is on the instance.
    host_path: String,
    /// Where the container sees it; at the same place when left out.
    container_path: Option<String>,
    /// What the container may do with it; everything when left out.
    #[schemars(extend("default" = [], "x-set" = true, "items" = { "type": "string", "enum": ["read", "write", "mknod"] }))]
    permissions: Vec<String>,
}

/// What a container has of the kernel.
pub struct Linux {
    /// What it may use of it.
    pub capabilities: Option<Capabilities>,
    /// Whether it has an init process.
    pub init_process_enabled: bool,
    /// The size of `/dev/shm` in MiB.
    pub shared_memory_size: Option<i32>,
    /// How much it may swap in MiB.
    pub max_swap: Option<i32>,
    /// How readily it swaps.
    pub swappiness: Option<i32>,
    /// Its file systems in memory.
    pub tmpfs: Vec<Tmpfs>,
    /// Its devices.
    pub devices: Vec<Device>,
}

impl Linux {
    /// The parameters for a call; none where nothing is said.
    ///
    /// # Errors
    /// When the SDK finds them incomplete.
    pub fn into_api(self) -> Outcome<Option<api::LinuxParameters>> {
        let Self { capabilities, init_process_enabled, shared_memory_size, max_swap, swappiness, tmpfs, devices } = self;
        let says_nothing = capabilities.is_none()
            && !init_process_enabled
            && (shared_memory_size, max_swap, swappiness) == (None, None, None)
            && tmpfs.is_empty()
            && devices.is_empty();
        let tmpfs = tmpfs.into_iter().map(Tmpfs::into_api).collect::<Outcome<Vec<_>>>()?;
        let devices = devices.into_iter().map(Device::into_api).collect::<Outcome<Vec<_>>>()?;
        let built = api::LinuxParameters::builder()
            .set_capabilities(capabilities.map(Capabilities::into_api))
            .set_init_process_enabled(init_process_enabled.then_some(true))
            .set_shared_memory_size(shared_memory_size)
            .set_max_swap(max_swap)
            .set_swappiness(swappiness)
            .set_tmpfs(Some(tmpfs).filter(|all| !all.is_empty()))
            .set_devices(Some(devices).filter(|all| !all.is_empty()));
        Ok((!says_nothing).then(|| built.build()))
    }

    /// The parameters AWS returned.
    pub fn from_api(found: Option<&api::LinuxParameters>) -> Self {
        Self {
            capabilities: found.and_then(|linux| linux.capabilities()).and_then(Capabilities::from_api),
            init_process_enabled: found.and_then(api::LinuxParameters::init_process_enabled).unwrap_or_default(),
            shared_memory_size: found.and_then(api::LinuxParameters::shared_memory_size),
            max_swap: found.and_then(api::LinuxParameters::max_swap),
            swappiness: found.and_then(api::LinuxParameters::swappiness),
            tmpfs: found.into_iter().flat_map(|linux| linux.tmpfs()).map(Tmpfs::from_api).collect(),
            devices: found.into_iter().flat_map(|linux| linux.devices()).map(Device::from_api).collect(),
        }
    }
}

impl Tmpfs {
    fn into_api(self) -> Outcome<api::Tmpfs> {
        let options = Some(self.mount_options).filter(|options| !options.is_empty());
        api::Tmpfs::builder().container_path(self.container_path).size(self.size).set_mount_options(options).build().map_err(unbuilt)
    }

    fn from_api(found: &api::Tmpfs) -> Self {
        Self { container_path: found.container_path().to_owned(), size: found.size(), mount_options: found.mount_options().to_vec() }
    }
}

impl Device {
    fn into_api(self) -> Outcome<api::Device> {
        let permissions = self.permissions.iter().map(|one| api::DeviceCgroupPermission::from(one.as_str())).collect::<Vec<_>>();
        let device = api::Device::builder().host_path(self.host_path).set_container_path(self.container_path);
        device.set_permissions(Some(permissions).filter(|all| !all.is_empty())).build().map_err(unbuilt)
    }

    fn from_api(found: &api::Device) -> Self {
        Self {
            host_path: found.host_path().to_owned(),
            container_path: found.container_path().map(str::to_owned),
            permissions: found.permissions().iter().map(|one| one.as_str().to_owned()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_the_kernel_is_read_as_it_was_written_and_nothing_is_sent_of_nothing() {
        assert!(Linux::from_api(None).into_api().unwrap().is_none());
        let tmpfs = api::Tmpfs::builder().container_path("/tmp").size(64).mount_options("noexec").build().unwrap();
        let device = api::Device::builder().host_path("/dev/fuse").permissions(api::DeviceCgroupPermission::Read).build().unwrap();
        let said = api::LinuxParameters::builder().tmpfs(tmpfs).devices(device).shared_memory_size(128).max_swap(0).swappiness(10);
        let said = said.init_process_enabled(true).build();
        assert_eq!(Linux::from_api(Some(&said)).into_api().unwrap(), Some(said));
    }
}
