//! Machines and their disks.

use super::bill::Desk;
use super::network;
use super::prices::Price;
use super::side::{Resource, Side, get, number, text};
use crate::model::value::Value;

/// Metrics of detailed monitoring (CloudWatch price page: EC2 detailed monitoring).
const MONITORED: f64 = 7.0;
/// What every gp3 volume has at no charge (EBS price page).
const GP3_IOPS: f64 = 3000.0;
/// The same, in MiB a second.
const GP3_MIBPS: f64 = 125.0;

/// A machine: its hours, disks and address.
pub fn instance(desk: &mut Desk<'_>, side: &Side<'_>, instance: &Resource<'_>) {
    match (instance.text("instance_type"), instance.text("tenancy")) {
        (_, Some("dedicated" | "host")) => desk.missing("its hours: leoctl has no prices for dedicated hardware"),
        (Some(instance_type), _) => desk.instance(instance_type),
        (None, _) => desk.missing("its hours: its type is not known"),
    }
    if instance.flag("monitoring") {
        desk.always("detailed monitoring", (MONITORED, "metrics"), Price::MetricMonth);
    }
    match instance.get("root_block_device") {
        Some(root) => volume(desk, "root volume", root, 1.0),
        None => desk.missing("its root volume: its size comes with the image"),
    }
    for device in instance.list("ebs_block_devices") {
        volume(desk, "volume", device, 1.0);
    }
    match is_public(side, instance) {
        Some(true) => {
            network::addresses(desk, 1.0);
            network::data_out(desk);
        }
        Some(false) if has_eip(side, instance) => network::data_out(desk),
        Some(false) => {}
        None => desk.missing("its public IPv4 address: whether it has one is its subnet's to say, which is not one of this stack"),
    }
}

fn has_eip(side: &Side<'_>, instance: &Resource<'_>) -> bool {
    let named = |eip: &Resource<'_>| side.referred(eip, "instance_id", "instance", "id").map(|found| found.address);
    side.of_type("eip").any(|eip| named(eip) == Some(instance.address))
}

/// Whether a machine has a public address beside those that are an `eip`, which take its place.
fn is_public(side: &Side<'_>, instance: &Resource<'_>) -> Option<bool> {
    if has_eip(side, instance) {
        return Some(false);
    }
    match instance.attributes.get("public_ip") {
        Some(Value::String(address)) => return Some(!address.is_empty()),
        Some(Value::Null) => return Some(false),
        _ => {}
    }
    if let Some(Value::Bool(wanted)) = instance.get("associate_public_ip_address") {
        return Some(*wanted);
    }
    if let Some(subnet) = side.referred(instance, "subnet_id", "subnet", "id") {
        return Some(subnet.flag("map_public_ip_on_launch"));
    }
    // Subnets of the default VPC give their instances public addresses (VPC User Guide, "Default VPCs").
    (!side.writes(instance, "subnet_id")).then_some(true)
}

/// A disk: its size, and what it does beyond what is free.
pub fn volume(desk: &mut Desk<'_>, what: &str, volume: &Value, count: f64) {
    let of = |key: &str| get(volume, key).and_then(number);
    let kind = get(volume, "volume_type").and_then(text);
    let (Some(gib), Some(kind)) = (of("volume_size").or_else(|| of("size_in_gib")), kind) else {
        return desk.missing(format!("{what}: its size and kind are not known; `volume_size` and `volume_type` say them"));
    };
    let (gb, iops, mibps) = (gib * count, of("iops").unwrap_or_default(), of("throughput").unwrap_or_default());
    let price = match kind {
        "gp3" => Price::Gp3Gb,
        "gp2" => Price::Gp2Gb,
        "io1" => Price::Io1Gb,
        "st1" => Price::St1Gb,
        "sc1" => Price::Sc1Gb,
        "standard" => Price::StandardGb,
        other => return desk.missing(format!("{what}: leoctl has no price for {other}")),
    };
    desk.always(format!("{what}, {kind}"), (gb, "GB"), price);
    match kind {
        "gp3" => {
            desk.always(format!("{what}, operations beyond 3,000"), ((iops - GP3_IOPS) * count, "IOPS"), Price::Gp3Iops);
            desk.always(format!("{what}, throughput beyond 125"), ((mibps - GP3_MIBPS) * count, "MiB/s"), Price::Gp3Mibps);
        }
        "io1" => desk.always(format!("{what}, operations"), (iops * count, "IOPS"), Price::Io1Iops),
        _ => {}
    }
}
