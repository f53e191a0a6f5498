//! Making a volume larger, faster or of another type, which AWS does in its own time.

use std::time::Duration;

use aws_sdk_ec2::types as api;
use aws_sdk_ec2::types::VolumeModificationState;

use super::Device;
use crate::client::{Aws, send_once};
use crate::ec2::filter;
use crate::error::OrFail;
use crate::repeat::{Changing, says, verified};
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome};

/// Changes a volume to what is wanted and waits until it is as large and fast.
///
/// # Errors
/// When AWS refuses, or the change fails.
pub(super) async fn modify(aws: &Aws, operation: &Operation, volume: &str, old: &Device, device: &Device) -> Outcome<()> {
    // What type the volume will have decides which figures it has: those AWS said of the old type are not for the new.
    let has_iops = matches!(device.kind.as_deref(), Some("gp3" | "io1" | "io2"));
    let wanted = Device {
        iops: device.iops.filter(|_| has_iops),
        throughput: device.throughput.filter(|_| device.kind.as_deref() == Some("gp3")),
        ..device.clone()
    };
    if !under_way(aws, volume, &wanted).await? {
        let call = aws
            .ec2()
            .modify_volume()
            .volume_id(volume)
            .set_size(wanted.size.filter(|_| wanted.size != old.size))
            .set_volume_type(wanted.kind.as_deref().filter(|_| wanted.kind != old.kind).map(Into::into))
            .set_iops(wanted.figure(old, |one| one.iops))
            .set_throughput(wanted.figure(old, |one| one.throughput));
        let sent = send_once!(aws_sdk_ec2, call).await.sent_once("ec2:ModifyVolume");
        let codes = ["IncorrectModificationState", "VolumeModificationRateExceeded"];
        let sent = verified(sent, &codes, async || under_way(aws, volume, &wanted).await).await;
        if let Err(failure) = sent {
            let before = latest(aws, volume).await.ok().flatten().filter(|_| says(&failure, &["IncorrectModificationState"]));
            if let Some(before) = before {
                (operation.progress.0)(unfinished(&before));
            }
            return Err(failure);
        }
    }
    // The volume can be used all the while, and is as large as wanted long before its data is where it will be.
    while !is_done(aws, volume, &wanted).await? {
        operation.pause(Duration::from_secs(3), "waiting for the volume to change").await?;
    }
    Ok(())
}

/// What an earlier change of a volume is at, which another one waits for.
fn unfinished(change: &api::VolumeModification) -> String {
    let since = change.start_time().map(|time| format!(" since {time}")).unwrap_or_default();
    let far = change.progress().map(|progress| format!(", {progress} %")).unwrap_or_default();
    format!("an earlier change of the volume is under way{since}{far}")
}

async fn latest(aws: &Aws, volume: &str) -> Outcome<Option<api::VolumeModification>> {
    let call = aws.ec2().describe_volumes_modifications().filters(filter("volume-id", &[volume.to_owned()]));
    let found = call.send().await.or_fail("ec2:DescribeVolumesModifications")?.volumes_modifications.unwrap_or_default();
    let its = found.into_iter().filter(|modification| modification.volume_id() == Some(volume));
    Ok(its.max_by_key(|modification| modification.start_time().map(|time| time.secs())))
}

/// Whether a volume is being made what it is to be, by a call before.
async fn under_way(aws: &Aws, volume: &str, wanted: &Device) -> Outcome<bool> {
    let met = |one: &api::VolumeModification| {
        let kind = one.target_volume_type().map(|kind| kind.as_str());
        let going = !matches!(one.modification_state(), Some(VolumeModificationState::Failed | VolumeModificationState::Completed));
        going && wanted.is_met(one.target_size(), kind, one.target_iops(), one.target_throughput())
    };
    Ok(latest(aws, volume).await?.as_ref().is_some_and(met))
}

async fn is_done(aws: &Aws, volume: &str, wanted: &Device) -> Outcome<bool> {
    let call = aws.ec2().describe_volumes().filters(filter("volume-id", &[volume.to_owned()]));
    let found = call.send().await.or_fail("ec2:DescribeVolumes")?;
    let met = |one: &api::Volume| wanted.is_met(one.size(), one.volume_type().map(|kind| kind.as_str()), one.iops(), one.throughput());
    if found.volumes().iter().any(|found| found.volume_id() == Some(volume) && met(found)) {
        return Ok(true);
    }
    match latest(aws, volume).await? {
        Some(one) if one.modification_state() == Some(&VolumeModificationState::Failed) => {
            let reason = one.status_message().unwrap_or("AWS gives no reason");
            Err(Failure::new(FailureKind::Other, format!("the change of {volume} failed: {reason}")))
        }
        _ => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(kind: &str, iops: Option<i32>, throughput: Option<i32>) -> Device {
        Device {
            name: "/dev/sdf".to_owned(),
            snapshot_id: None,
            size: Some(100),
            kind: Some(kind.to_owned()),
            iops,
            throughput,
            encrypted: None,
            kms_key_id: None,
            delete_on_termination: true,
            volume_id: None,
        }
    }

    #[test]
    fn another_type_is_told_its_figures_though_they_are_the_same() {
        let (old, new) = (device("io1", Some(10_000), None), device("gp3", Some(10_000), Some(125)));
        assert_eq!((new.figure(&old, |one| one.iops), new.figure(&old, |one| one.throughput)), (Some(10_000), Some(125)));
        let faster = device("gp3", Some(10_000), Some(250));
        assert_eq!((faster.figure(&new, |one| one.iops), faster.figure(&new, |one| one.throughput)), (None, Some(250)));
    }

    #[test]
    fn a_change_that_is_under_way_says_how_far_it_is() {
        let change = api::VolumeModification::builder().progress(42).build();
        assert_eq!(unfinished(&change), "an earlier change of the volume is under way, 42 %");
    }
}
