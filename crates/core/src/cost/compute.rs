//! Containers: services, tasks that are started on demand, clusters.

use super::bill::Desk;
use super::instance;
use super::network;
use super::prices::Price;
use super::side::{Resource, Side, get, number, text};
use crate::model::value::Value;
use crate::stack::usage::Use;

/// Scratch space every Fargate task has at no charge, in GiB (Fargate price page).
const SCRATCH_GIB: f64 = 20.0;

/// The size of a Fargate task, and its prices.
struct Size {
    vcpu: f64,
    gb: f64,
    scratch_gb: f64,
    vcpu_price: Price,
    gb_price: Price,
}

/// A service: its tasks, their addresses and disks.
pub fn service(desk: &mut Desk<'_>, side: &Side<'_>, service: &Resource<'_>) {
    if matches!(service.text("launch_type"), Some("EC2" | "EXTERNAL")) {
        return desk.missing("its tasks run on instances of your own, which are paid for by themselves");
    }
    let Some(definition) = definition_of(side, service) else {
        return desk.missing("its tasks: their task definition is not one of this stack");
    };
    let size = match size(definition) {
        Ok(size) => size,
        Err(why) => return desk.missing(why),
    };
    let tasks = held(side, service).or_else(|| desk.assume(Use::TASKS)).unwrap_or_else(|| tasks(side, service));
    for (provider, share) in shares(side, service, tasks) {
        match provider.as_str() {
            "FARGATE" => fargate(desk, &size, share, None),
            "FARGATE_SPOT" => {
                let discount = desk.amount(Use::SPOT_DISCOUNT);
                fargate(desk, &size, share, Some(discount));
            }
            other => desk.missing(format!("its tasks on {other}, whose instances are paid for by themselves")),
        }
    }
    if is_public(service) {
        network::addresses(desk, tasks);
        if service.list("load_balancers").is_empty() {
            network::data_out(desk);
        }
    }
    for volume in service.list("volume_configurations").iter().filter_map(|volume| get(volume, "managed_ebs_volume")) {
        instance::volume(desk, "disk of a task", volume, tasks);
    }
}

/// The task definition of a service. Another revision than the stack's, registered past it, is of the same size mostly.
fn definition_of<'s, 'a>(side: &'s Side<'a>, service: &Resource<'_>) -> Option<&'s Resource<'a>> {
    fn family<'r>(resource: &Resource<'r>, arn: &str) -> Option<&'r str> {
        Some(resource.text(arn)?.rsplit_once(':')?.0)
    }
    let own = side.referred(service, "task_definition", "ecs_task_definition", "arn");
    own.or_else(|| {
        let wanted = family(service, "task_definition")?;
        side.of_type("ecs_task_definition").find(|definition| family(definition, "arn") == Some(wanted))
    })
}

/// How many tasks a service runs whose autoscaling is suspended, as `scale` does it: as many as are desired, whatever the
/// bounds are and whatever is assumed of it (Application Auto Scaling User Guide, "Suspend and resume scaling").
fn held(side: &Side<'_>, service: &Resource<'_>) -> Option<f64> {
    const ALL: [&str; 3] = ["dynamic_scaling_in_suspended", "dynamic_scaling_out_suspended", "scheduled_scaling_suspended"];
    let suspended = scales(side, service)?.get("suspended_state")?;
    let is_suspended = |what: &str| matches!(get(suspended, what), Some(Value::Bool(true)));
    service.number("desired_count").filter(|_| ALL.into_iter().all(is_suspended))
}

/// What scales a service.
fn scales<'s, 'a>(side: &'s Side<'a>, service: &Resource<'_>) -> Option<&'s Resource<'a>> {
    side.of_type("appautoscaling_target").find(|target| target.depends_on.contains(service.address))
}

/// How many tasks a service runs: as many as are desired, within the bounds of what scales it.
fn tasks(side: &Side<'_>, service: &Resource<'_>) -> f64 {
    let desired = service.number("desired_count").unwrap_or(1.0);
    let Some(target) = scales(side, service) else { return desired };
    let (least, most) = (target.number("min_capacity"), target.number("max_capacity"));
    desired.min(most.unwrap_or(f64::MAX)).max(least.unwrap_or_default())
}

fn is_public(service: &Resource<'_>) -> bool {
    let address = service.get("network_configuration").and_then(|network| get(network, "assign_public_ip"));
    address.and_then(text) == Some("ENABLED")
}

/// How many tasks each capacity provider has: its base first, then the rest by weight.
fn shares(side: &Side<'_>, service: &Resource<'_>, tasks: f64) -> Vec<(String, f64)> {
    let mut strategy = service.list("capacity_provider_strategy");
    if strategy.is_empty() && service.text("launch_type").is_none() {
        let cluster = side.referred(service, "cluster", "ecs_cluster", "arn");
        strategy = cluster.map(|cluster| cluster.list("default_capacity_provider_strategy")).unwrap_or_default();
    }
    let named = strategy.iter().filter_map(|one| {
        let of = |key: &str| get(one, key).and_then(number).unwrap_or_default();
        Some((get(one, "capacity_provider").and_then(text)?.to_owned(), of("base"), of("weight")))
    });
    let named: Vec<(String, f64, f64)> = named.collect();
    if named.is_empty() {
        return vec![("FARGATE".to_owned(), tasks)];
    }
    let based: f64 = named.iter().map(|(_, base, _)| base).sum::<f64>().min(tasks);
    let weights: f64 = named.iter().map(|(_, _, weight)| weight).sum();
    let rest = |weight: f64| if weights > 0.0 { (tasks - based) * weight / weights } else { 0.0 };
    named.into_iter().map(|(name, base, weight)| (name, base.min(tasks) + rest(weight))).collect()
}

/// The size of a task on Fargate; or why it has none that can be priced.
fn size(definition: &Resource<'_>) -> Result<Size, &'static str> {
    let on_fargate = definition.list("requires_compatibilities").iter().any(|one| text(one) == Some("FARGATE"));
    if !on_fargate {
        return Err("its tasks run on instances of your own, which are paid for by themselves");
    }
    let platform = |key: &str| definition.get("runtime_platform").and_then(|platform| text(get(platform, key)?));
    if platform("operating_system_family").is_some_and(|family| family != "LINUX") {
        return Err("its tasks: leoctl has no prices for Windows on Fargate");
    }
    let (Some(units), Some(mib)) = (definition.number("cpu"), definition.number("memory")) else {
        return Err("its tasks: how large they are is not known");
    };
    let (vcpu_price, gb_price) = match platform("cpu_architecture") {
        Some("ARM64") => (Price::FargateArmVcpuHour, Price::FargateArmGbHour),
        _ => (Price::FargateVcpuHour, Price::FargateGbHour),
    };
    let scratch_gb = definition.number("ephemeral_storage_gib").map_or(0.0, |gib| (gib - SCRATCH_GIB).max(0.0));
    Ok(Size { vcpu: units / 1024.0, gb: mib / 1024.0, scratch_gb, vcpu_price, gb_price })
}

/// Tasks that are kept running.
fn fargate(desk: &mut Desk<'_>, size: &Size, tasks: f64, spot: Option<f64>) {
    let hours = desk.hours() * tasks;
    let (on, discount) = spot.map_or(("Fargate", 0.0), |discount| ("Fargate Spot", discount));
    desk.discounted(format!("vCPU on {on}"), (hours * size.vcpu, "hours"), size.vcpu_price, discount);
    desk.discounted(format!("memory on {on}"), (hours * size.gb, "GB hours"), size.gb_price, discount);
    desk.always("scratch space beyond 20 GB", (hours * size.scratch_gb, "GB hours"), Price::FargateStorageHour);
}

/// A task definition: what is started of it on demand. The tasks of services are paid for with these.
pub fn task_definition(desk: &mut Desk<'_>, side: &Side<'_>, definition: &Resource<'_>) {
    let runs_it = |service: &Resource<'_>| definition_of(side, service).is_some_and(|found| found.address == definition.address);
    if side.of_type("ecs_service").any(runs_it) {
        return;
    }
    let size = match size(definition) {
        Ok(size) => size,
        Err(why) => return desk.missing(why),
    };
    let hours = desk.amount(Use::TASK_RUNS) * desk.amount(Use::TASK_MINUTES) / 60.0;
    desk.by_use("vCPU of its runs", (hours * size.vcpu, "hours"), size.vcpu_price);
    desk.by_use("memory of its runs", (hours * size.gb, "GB hours"), size.gb_price);
    desk.by_use("scratch space beyond 20 GB", (hours * size.scratch_gb, "GB hours"), Price::FargateStorageHour);
    let addresses = desk.amount(Use::TASK_ADDRESSES);
    desk.by_use("public IPv4 address of its runs", (hours * addresses, "hours"), Price::Ipv4Hour);
}

/// A cluster: Container Insights, if it is on.
pub fn cluster(desk: &mut Desk<'_>, cluster: &Resource<'_>) {
    match cluster.text("container_insights") {
        Some("enabled") => match desk.assume(Use::INSIGHTS_METRICS) {
            Some(metrics) => desk.by_use("metrics of Container Insights", (metrics, "metrics"), Price::MetricMonth),
            None => desk.missing("Container Insights: how many metrics it makes is for `container_insights_metrics` under [cost] to say"),
        },
        Some("enhanced") => desk.missing("Container Insights with enhanced observability: leoctl has no price for it"),
        _ => {}
    }
}
