//! The disks of an instance.

mod modification;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_ec2::types as api;
use aws_sdk_ec2::types::{ResourceType, VolumeAttachmentState, VolumeState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::modification::modify;
use crate::client::{Aws, send_once};
use crate::ec2::{filter, in_chunks, specification, tags as tags_of};
use crate::error::OrFail;
use crate::repeat::{Changing, verified};
use crate::resource::Tags;
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome};

/// The tag that says which device of the instance a volume is that stands apart from it.
const DEVICE_TAG: &str = "leoctl:device";

/// The volume the instance starts from. What is left out, the AMI chooses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RootBlockDevice {
    /// The size in GiB. It can only grow; Amazon Linux and Ubuntu grow the file system when they start the next time.
    #[schemars(extend("x-server" = true), range(min = 1))]
    volume_size: Option<i32>,
    /// The type: `gp3` for nearly everything.
    #[schemars(extend("x-server" = true, "enum" = ["gp2", "gp3", "io1", "io2", "sc1", "st1", "standard"]))]
    volume_type: Option<String>,
    /// Operations in a second, of `gp3`, `io1` and `io2`.
    #[schemars(extend("x-server" = true, "x-follows" = ["volume_type", "volume_size"]), range(min = 100))]
    iops: Option<i32>,
    /// MiB in a second, of `gp3`.
    #[schemars(extend("x-server" = true, "x-follows" = ["volume_type", "volume_size"]), range(min = 125))]
    throughput: Option<i32>,
    /// Whether it is encrypted. Changing this replaces the instance.
    #[schemars(extend("x-replace" = true, "x-server" = true))]
    encrypted: Option<bool>,
    /// The ARN of the key it is encrypted with; AWS's own for EBS when left out. Changing this replaces the instance. With the
    /// ARN of an alias it gets the key that has the alias, and keeps that key when the alias goes to another one.
    #[schemars(extend("x-replace" = true, "x-server" = true, "x-kms-key" = true, "x-format" = "arn:kms"))]
    kms_key_id: Option<String>,
    /// Whether it is deleted with the instance.
    #[schemars(extend("default" = true))]
    delete_on_termination: bool,
    /// The volume's id.
    #[schemars(extend("x-computed" = true))]
    volume_id: Option<String>,
}

/// A further volume. One that is added is made and attached while the instance runs; one that is taken out is
/// detached and kept, and the same one comes back with its line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EbsBlockDevice {
    /// The device it is attached as, such as `/dev/sdf`.
    device_name: String,
    /// The snapshot it is made from. Changing this replaces the instance.
    #[schemars(extend("x-replace" = true, "x-server" = true))]
    snapshot_id: Option<String>,
    /// The size in GiB; that of the snapshot when left out. It can only grow.
    #[schemars(extend("x-server" = true), range(min = 1))]
    volume_size: Option<i32>,
    /// The type: `gp3` for nearly everything.
    #[schemars(extend("x-server" = true, "enum" = ["gp2", "gp3", "io1", "io2", "sc1", "st1", "standard"]))]
    volume_type: Option<String>,
    /// Operations in a second, of `gp3`, `io1` and `io2`.
    #[schemars(extend("x-server" = true, "x-follows" = ["volume_type", "volume_size"]), range(min = 100))]
    iops: Option<i32>,
    /// MiB in a second, of `gp3`.
    #[schemars(extend("x-server" = true, "x-follows" = ["volume_type", "volume_size"]), range(min = 125))]
    throughput: Option<i32>,
    /// Whether it is encrypted. Changing this replaces the instance.
    #[schemars(extend("x-replace" = true, "x-server" = true))]
    encrypted: Option<bool>,
    /// The ARN of the key it is encrypted with; AWS's own for EBS when left out. Changing this replaces the instance. With the
    /// ARN of an alias it gets the key that has the alias, and keeps that key when the alias goes to another one.
    #[schemars(extend("x-replace" = true, "x-server" = true, "x-kms-key" = true, "x-format" = "arn:kms"))]
    kms_key_id: Option<String>,
    /// Whether it is deleted with the instance.
    #[schemars(extend("default" = true))]
    delete_on_termination: bool,
    /// The volume's id.
    #[schemars(extend("x-computed" = true))]
    volume_id: Option<String>,
}

/// What both kinds are: the root is one without a name of its own.
#[derive(Clone, Debug, PartialEq)]
struct Device {
    name: String,
    snapshot_id: Option<String>,
    size: Option<i32>,
    kind: Option<String>,
    iops: Option<i32>,
    throughput: Option<i32>,
    encrypted: Option<bool>,
    kms_key_id: Option<String>,
    delete_on_termination: bool,
    volume_id: Option<String>,
}

impl RootBlockDevice {
    fn device(&self, name: &str) -> Device {
        let Self { volume_size, volume_type, iops, throughput, encrypted, kms_key_id, delete_on_termination, volume_id } = self.clone();
        Device {
            name: name.to_owned(),
            snapshot_id: None,
            size: volume_size,
            kind: volume_type,
            iops,
            throughput,
            encrypted,
            kms_key_id,
            delete_on_termination,
            volume_id,
        }
    }
}

impl EbsBlockDevice {
    fn device(&self) -> Device {
        let Self {
            device_name,
            snapshot_id,
            volume_size,
            volume_type,
            iops,
            throughput,
            encrypted,
            kms_key_id,
            delete_on_termination,
            volume_id,
        } = self.clone();
        Device {
            name: device_name,
            snapshot_id,
            size: volume_size,
            kind: volume_type,
            iops,
            throughput,
            encrypted,
            kms_key_id,
            delete_on_termination,
            volume_id,
        }
    }
}

impl Device {
    /// The volume as it is attached to an instance.
    fn from_api(mapping: &api::InstanceBlockDeviceMapping, volumes: &BTreeMap<String, api::Volume>) -> Self {
        let ebs = mapping.ebs();
        let volume = ebs.and_then(|ebs| ebs.volume_id()).and_then(|id| volumes.get(id));
        let kind = volume.and_then(api::Volume::volume_type).map(|kind| kind.as_str().to_owned());
        // Of other types AWS says what it makes of the size, which nobody can write.
        let has_iops = matches!(kind.as_deref(), Some("gp3" | "io1" | "io2"));
        let has_throughput = kind.as_deref() == Some("gp3");
        Self {
            name: mapping.device_name().unwrap_or_default().to_owned(),
            snapshot_id: volume.and_then(api::Volume::snapshot_id).filter(|id| !id.is_empty()).map(str::to_owned),
            size: volume.and_then(api::Volume::size),
            iops: volume.and_then(api::Volume::iops).filter(|_| has_iops),
            throughput: volume.and_then(api::Volume::throughput).filter(|_| has_throughput),
            kind,
            encrypted: volume.and_then(api::Volume::encrypted),
            kms_key_id: volume.and_then(api::Volume::kms_key_id).filter(|id| !id.is_empty()).map(str::to_owned),
            delete_on_termination: ebs.and_then(|ebs| ebs.delete_on_termination()).unwrap_or_default(),
            volume_id: ebs.and_then(|ebs| ebs.volume_id()).map(str::to_owned),
        }
    }

    /// The volume for a launch.
    fn to_api(&self) -> api::BlockDeviceMapping {
        let Self { name, snapshot_id, size, kind, iops, throughput, encrypted, kms_key_id, delete_on_termination, volume_id: _ } =
            self.clone();
        let ebs = api::EbsBlockDevice::builder()
            .set_snapshot_id(snapshot_id)
            .set_volume_size(size)
            .set_volume_type(kind.as_deref().map(Into::into))
            .set_iops(iops)
            .set_throughput(throughput)
            .set_encrypted(encrypted)
            .set_kms_key_id(kms_key_id)
            .delete_on_termination(delete_on_termination)
            .build();
        api::BlockDeviceMapping::builder().device_name(name).ebs(ebs).build()
    }

    /// A figure that a change sends: of another type AWS would choose it (EC2 API Reference, ModifyVolume: `Iops`).
    fn figure(&self, old: &Self, of: fn(&Self) -> Option<i32>) -> Option<i32> {
        of(self).filter(|_| of(self) != of(old) || self.kind != old.kind)
    }

    /// Whether a volume, or what it is about to become, is as large and fast as this.
    fn is_met(&self, size: Option<i32>, kind: Option<&str>, iops: Option<i32>, throughput: Option<i32>) -> bool {
        self.size == size
            && self.kind.as_deref() == kind
            && (self.iops.is_none() || self.iops == iops)
            && (self.throughput.is_none() || self.throughput == throughput)
    }
}

/// The volumes attached to these instances, by id.
///
/// # Errors
/// When they cannot be read.
pub async fn of_instances(aws: &Aws, ids: &[String]) -> Outcome<BTreeMap<String, api::Volume>> {
    let found = in_chunks("attachment.instance-id", ids, |only| async move {
        let pages = aws.ec2().describe_volumes().filters(only).into_paginator().items().send();
        pages.try_collect().await.or_fail("ec2:DescribeVolumes")
    });
    let found: Vec<api::Volume> = found.await?;
    Ok(found.into_iter().map(|volume| (volume.volume_id().unwrap_or_default().to_owned(), volume)).collect())
}

/// The volumes of an instance: the root, and the others.
pub fn from_api(instance: &api::Instance, volumes: &BTreeMap<String, api::Volume>) -> (Option<RootBlockDevice>, Vec<EbsBlockDevice>) {
    let (mut root, mut others) = (None, Vec::new());
    for mapping in instance.block_device_mappings() {
        let Device { name, snapshot_id, size, kind, iops, throughput, encrypted, kms_key_id, delete_on_termination, volume_id } =
            Device::from_api(mapping, volumes);
        if instance.root_device_name() == Some(name.as_str()) {
            root = Some(RootBlockDevice {
                volume_size: size,
                volume_type: kind,
                iops,
                throughput,
                encrypted,
                kms_key_id,
                delete_on_termination,
                volume_id,
            });
        } else {
            others.push(EbsBlockDevice {
                device_name: name,
                snapshot_id,
                volume_size: size,
                volume_type: kind,
                iops,
                throughput,
                encrypted,
                kms_key_id,
                delete_on_termination,
                volume_id,
            });
        }
    }
    (root, others)
}

/// The volumes for a launch; of what is left out, nothing.
///
/// # Errors
/// When the AMI cannot be read: it alone knows the name of its root.
pub async fn for_launch(
    aws: &Aws,
    image: &str,
    root: Option<&RootBlockDevice>,
    others: Option<&[EbsBlockDevice]>,
) -> Outcome<Option<Vec<api::BlockDeviceMapping>>> {
    if root.is_none() && others.is_none() {
        return Ok(None);
    }
    let found = aws.ec2().describe_images().image_ids(image).send().await.or_fail("ec2:DescribeImages")?;
    let found = found.images().iter().find(|found| found.image_id() == Some(image));
    let mut mappings: Vec<_> = others.into_iter().flatten().map(|device| device.device().to_api()).collect();
    if let Some(root) = root {
        let name = found.and_then(|found| found.root_device_name());
        let unknown = || Failure::new(FailureKind::Invalid, format!("{image} does not say the name of its root device"));
        mappings.push(root.device(name.ok_or_else(unknown)?).to_api());
    }
    if let (Some(found), Some(others)) = (found, others) {
        mappings.extend(unwanted(found, others));
    }
    Ok(Some(mappings).filter(|mappings| !mappings.is_empty()))
}

/// The further volumes of an AMI that are not among these: AWS makes them all the same where nobody says not to (EC2 User Guide,
/// "Block device mappings").
fn unwanted<'a>(image: &'a api::Image, others: &'a [EbsBlockDevice]) -> impl Iterator<Item = api::BlockDeviceMapping> + 'a {
    let names = image.block_device_mappings().iter().filter(|mapping| mapping.ebs().is_some()).filter_map(|mapping| mapping.device_name());
    let unwanted = names.filter(|name| image.root_device_name() != Some(name) && !others.iter().any(|device| device.device_name == *name));
    unwanted.map(|name| api::BlockDeviceMapping::builder().device_name(name).no_device("").build())
}

/// Both kinds of an instance.
pub type Both<'a> = (Option<&'a RootBlockDevice>, &'a [EbsBlockDevice]);

/// Makes the volumes of an instance these: new ones are attached, those gone detached, others grow.
///
/// # Errors
/// When AWS refuses, or a volume does not become what it is to be.
pub async fn update(aws: &Aws, operation: &Operation, instance: &api::Instance, from: Both<'_>, to: Both<'_>, tags: &Tags) -> Outcome<()> {
    let id = instance.instance_id().unwrap_or_default();
    let root_name = instance.root_device_name().unwrap_or_default();
    let devices = |(root, others): Both<'_>| -> Vec<Device> {
        root.map(|root| root.device(root_name)).into_iter().chain(others.iter().map(EbsBlockDevice::device)).collect()
    };
    let (from, to) = (devices(from), devices(to));
    for device in from.iter().filter(|old| old.name != root_name && !to.iter().any(|device| device.name == old.name)) {
        detach(aws, operation, id, device, tags).await?;
    }
    for device in &to {
        match from.iter().find(|old| old.name == device.name) {
            Some(old) => change(aws, operation, id, old, device).await?,
            None => attach(aws, operation, instance, device, tags).await?,
        }
    }
    Ok(())
}

async fn change(aws: &Aws, operation: &Operation, id: &str, old: &Device, device: &Device) -> Outcome<()> {
    let Some(volume) = &old.volume_id else { return Ok(()) };
    let differs = (&old.size, &old.kind, &old.iops, &old.throughput) != (&device.size, &device.kind, &device.iops, &device.throughput);
    if differs {
        modify(aws, operation, volume, old, device).await?;
    }
    if old.delete_on_termination != device.delete_on_termination {
        keep(aws, id, volume, device).await?;
    }
    Ok(())
}

/// Whether a volume is deleted with its instance.
async fn keep(aws: &Aws, id: &str, volume: &str, device: &Device) -> Outcome<()> {
    let ebs = api::EbsInstanceBlockDeviceSpecification::builder().volume_id(volume).delete_on_termination(device.delete_on_termination);
    let mapping = api::InstanceBlockDeviceMappingSpecification::builder().device_name(&device.name).ebs(ebs.build()).build();
    let call = aws.ec2().modify_instance_attribute().instance_id(id).block_device_mappings(mapping);
    call.send().await.idempotent("ec2:ModifyInstanceAttribute").map(drop)
}

/// Whether an instance has a volume, or is about to.
async fn is_attached(aws: &Aws, volume: &str, instance: &str) -> Outcome<bool> {
    let call = aws.ec2().describe_volumes().filters(filter("volume-id", &[volume.to_owned()]));
    let found = call.send().await.or_fail("ec2:DescribeVolumes")?;
    let mut attachments = found.volumes().iter().filter(|one| one.volume_id() == Some(volume)).flat_map(|one| one.attachments());
    Ok(attachments.any(|one| one.instance_id() == Some(instance)))
}

/// The state of a volume; nothing when it is gone.
async fn state(aws: &Aws, volume: &str) -> Outcome<Option<VolumeState>> {
    let call = aws.ec2().describe_volumes().filters(filter("volume-id", &[volume.to_owned()]));
    let found = call.send().await.or_fail("ec2:DescribeVolumes")?;
    let it = found.volumes().iter().find(|found| found.volume_id() == Some(volume));
    Ok(it.and_then(|volume| volume.state().cloned()))
}

/// Waits until an instance has a volume: the volume says so before its device is mapped.
async fn attached(aws: &Aws, operation: &Operation, volume: &str, instance: &str) -> Outcome<()> {
    loop {
        let call = aws.ec2().describe_volumes().filters(filter("volume-id", &[volume.to_owned()]));
        let found = call.send().await.or_fail("ec2:DescribeVolumes")?;
        let mut attachments = found.volumes().iter().filter(|one| one.volume_id() == Some(volume)).flat_map(|one| one.attachments());
        let is_there = |one: &api::VolumeAttachment| {
            one.instance_id() == Some(instance) && one.state().is_none_or(|state| *state == VolumeAttachmentState::Attached)
        };
        if attachments.any(is_there) {
            return Ok(());
        }
        operation.pause(Duration::from_secs(2), "waiting for the volume to be attached").await?;
    }
}

/// Waits for a state. A volume just made may not be seen yet.
async fn wait(aws: &Aws, operation: &Operation, volume: &str, wanted: &VolumeState, waiting_for: &str) -> Outcome<()> {
    loop {
        match state(aws, volume).await? {
            Some(state) if state == *wanted => return Ok(()),
            Some(VolumeState::Error) => return Err(Failure::new(FailureKind::Other, format!("the volume {volume} failed"))),
            _ => operation.pause(Duration::from_secs(2), waiting_for).await?,
        }
    }
}

async fn detach(aws: &Aws, operation: &Operation, id: &str, device: &Device, tags: &Tags) -> Outcome<()> {
    let Some(volume) = &device.volume_id else { return Ok(()) };
    let known = own(tags, device).into_iter().map(|(key, value)| api::Tag::builder().key(key).value(value).build()).collect();
    aws.ec2().create_tags().resources(volume).set_tags(Some(known)).send().await.idempotent("ec2:CreateTags")?;
    let now = state(aws, volume).await?;
    if now.is_none() {
        return Ok(());
    }
    if now == Some(VolumeState::InUse) {
        let call = aws.ec2().detach_volume().volume_id(volume).instance_id(id).device(&device.name);
        // Detached already, by a call whose answer was lost.
        call.send().await.or_done("ec2:DetachVolume", &["IncorrectState", "InvalidVolume.NotFound", "InvalidAttachment.NotFound"])?;
    }
    wait(aws, operation, volume, &VolumeState::Available, "waiting for the volume to be detached").await
}

/// The tags by which a volume that stands apart is known to be this device of this instance.
fn own(tags: &Tags, device: &Device) -> Tags {
    let mut own: Tags =
        tags.iter().filter(|(key, _)| key.starts_with("leoctl:")).map(|(key, value)| (key.clone(), value.clone())).collect();
    own.insert(DEVICE_TAG.to_owned(), device.name.clone());
    own
}

async fn attach(aws: &Aws, operation: &Operation, instance: &api::Instance, device: &Device, tags: &Tags) -> Outcome<()> {
    let id = instance.instance_id().unwrap_or_default();
    let its = instance.block_device_mappings().iter().find(|mapping| mapping.device_name() == Some(&device.name));
    if let Some(volume) = its.and_then(|mapping| mapping.ebs()).and_then(|ebs| ebs.volume_id()) {
        // By this change, which has begun again.
        return mapped(aws, operation, id, volume, device).await;
    }
    let zone = instance.placement().and_then(|placement| placement.availability_zone()).unwrap_or_default();
    // One that was detached, or made by a call whose answer was lost.
    let known = own(tags, device);
    let mut filters: Vec<_> = known.iter().map(|(key, value)| filter(&format!("tag:{key}"), std::slice::from_ref(value))).collect();
    filters.push(filter("status", &["available".to_owned(), "creating".to_owned()]));
    filters.push(filter("availability-zone", &[zone.to_owned()]));
    let found = aws.ec2().describe_volumes().set_filters(Some(filters)).send().await.or_fail("ec2:DescribeVolumes")?;
    let is_it = |volume: &&api::Volume| {
        let has = tags_of(volume.tags());
        known.iter().all(|(key, value)| has.get(key) == Some(value)) && volume.availability_zone() == Some(zone)
    };
    let there = found.volumes().iter().find(is_it).and_then(|volume| volume.volume_id().map(str::to_owned));
    let volume = match there {
        Some(volume) => volume,
        None => {
            let tags = tags.iter().map(|(key, value)| (key.clone(), value.clone())).chain(known).collect();
            let call = aws
                .ec2()
                .create_volume()
                .availability_zone(zone)
                .set_snapshot_id(device.snapshot_id.clone())
                .set_size(device.size)
                .set_volume_type(device.kind.as_deref().map(Into::into))
                .set_iops(device.iops)
                .set_throughput(device.throughput)
                .set_encrypted(device.encrypted)
                .set_kms_key_id(device.kms_key_id.clone())
                .tag_specifications(specification(ResourceType::Volume, &tags));
            // A lost answer begins the change again, which looks first.
            let made = send_once!(aws_sdk_ec2, call).await.sent_once("ec2:CreateVolume")?;
            made.volume_id().unwrap_or_default().to_owned()
        }
    };
    wait(aws, operation, &volume, &VolumeState::Available, "waiting for the volume").await?;
    let call = aws.ec2().attach_volume().volume_id(&volume).instance_id(id).device(&device.name);
    let sent = send_once!(aws_sdk_ec2, call).await.sent_once("ec2:AttachVolume");
    verified(sent, &["VolumeInUse"], async || is_attached(aws, &volume, id).await).await?;
    mapped(aws, operation, id, &volume, device).await
}

/// Waits until a volume is a device of an instance. Attached later it stays when its instance goes, unless it is said otherwise.
async fn mapped(aws: &Aws, operation: &Operation, id: &str, volume: &str, device: &Device) -> Outcome<()> {
    attached(aws, operation, volume, id).await?;
    if device.delete_on_termination { keep(aws, id, volume, device).await } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_listed_of_an_ami_is_not_made() {
        let mapping = |name: &str| api::BlockDeviceMapping::builder().device_name(name).ebs(api::EbsBlockDevice::builder().build()).build();
        let image = api::Image::builder().root_device_name("/dev/xvda");
        let image = image.block_device_mappings(mapping("/dev/xvda")).block_device_mappings(mapping("/dev/sdf"));
        let bare = api::BlockDeviceMapping::builder().device_name("/dev/sdc").virtual_name("ephemeral0").build();
        let image = image.block_device_mappings(mapping("/dev/sdg")).block_device_mappings(bare).build();
        let listed: EbsBlockDevice =
            serde_json::from_value(serde_json::json!({ "device_name": "/dev/sdf", "delete_on_termination": true })).unwrap();
        let names: Vec<String> = unwanted(&image, &[listed]).map(|one| one.device_name().unwrap_or_default().to_owned()).collect();
        assert_eq!(names, ["/dev/sdg"]);
    }
}
