//! What is stored: file systems, backups, buckets, images.

use super::bill::Desk;
use super::prices::Price;
use super::side::{Resource, Side, get};
use crate::stack::usage::Use;

/// A file system: what is in it, its throughput, the backups it makes by itself.
pub fn file_system(desk: &mut Desk<'_>, file_system: &Resource<'_>) {
    let one_zone = file_system.text("availability_zone_name").is_some();
    let elastic = file_system.text("throughput_mode") == Some("elastic");
    let gb = desk.amount(Use::EFS_GB);
    desk.by_use("files", (gb, "GB"), if one_zone { Price::EfsOneZoneGb } else { Price::EfsGb });
    let moves = file_system.get("lifecycle_policies").and_then(|policies| get(policies, "transition_to_ia")).is_some();
    if moves {
        let gb = desk.amount(Use::EFS_IA_GB);
        match elastic {
            true if gb > 0.0 => desk.missing("files in Infrequent Access: leoctl has no price for them with elastic throughput"),
            true => {}
            false => {
                let price = if one_zone { Price::EfsOneZoneIaGb } else { Price::EfsIaGb };
                desk.by_use("files in Infrequent Access", (gb, "GB"), price);
            }
        }
    }
    if elastic {
        let (read, written) = (desk.amount(Use::EFS_READ_GB), desk.amount(Use::EFS_WRITE_GB));
        desk.by_use("reading", (read, "GB"), Price::EfsReadGb);
        desk.by_use("writing", (written, "GB"), Price::EfsWriteGb);
    }
    if let Some(mibps) = file_system.number("provisioned_throughput_in_mibps") {
        // Fifty KiB a second for each GB are not paid for (EFS price page); what is left out here is that little.
        desk.always("provisioned throughput", (mibps, "MiB/s"), Price::EfsProvisionedMibps);
    }
    let backed_up = file_system.text("backup_policy").map_or(one_zone, |policy| policy == "ENABLED");
    if backed_up {
        backups(desk);
    }
}

fn backups(desk: &mut Desk<'_>) {
    let gb = desk.amount(Use::BACKUP_GB);
    desk.by_use("backups of files", (gb, "GB"), Price::BackupEfsGb);
}

/// A vault: the backups in it, by what the stack has to back up.
pub fn vault(desk: &mut Desk<'_>, side: &Side<'_>) {
    match side.of_type("efs_file_system").next() {
        Some(_) => backups(desk),
        None => desk.missing("the backups in it: leoctl has prices of those of file systems only"),
    }
}

/// A bucket: objects in Standard storage, and requests.
pub fn bucket(desk: &mut Desk<'_>) {
    let (gb, writes, reads) = (desk.amount(Use::S3_GB), desk.amount(Use::S3_WRITES), desk.amount(Use::S3_READS));
    desk.by_use("objects", (gb, "GB"), Price::S3Gb);
    desk.by_use("requests that write or list", (writes, "requests"), Price::S3Writes);
    desk.by_use("requests that read", (reads, "requests"), Price::S3Reads);
}

/// A repository: its images.
pub fn repository(desk: &mut Desk<'_>) {
    let gb = desk.amount(Use::ECR_GB);
    desk.by_use("images", (gb, "GB"), Price::EcrGb);
}
