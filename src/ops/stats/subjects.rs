//! What is measured: services, and task definitions where Container Insights is on.

use serde::Serialize;
use serde_json::Value as Json;

use super::fargate::Size;
use super::metrics::Metric;
use super::{Missing, Resource};
use crate::ops::service::{self, Service};
use crate::ops::{Deployed, kind, task_definition};
use leoctl_core::model::address::Address;
use leoctl_core::model::place::Site;
use leoctl_core::model::state::Remembered;

/// What a subject is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A service: AWS/ECS has its use in percent (ECS Developer Guide, "Amazon ECS CloudWatch metrics").
    Service,
    /// A task definition: Container Insights has its use in CPU units and MiB (CloudWatch User Guide, "Amazon ECS
    /// Container Insights metrics").
    TaskDefinition,
}

/// Something that is measured, in one cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// Its address.
    pub address: Address,
    /// What it is.
    pub kind: Kind,
    /// The service's name or the family.
    pub name: String,
    /// The cluster's name.
    pub cluster: String,
    /// Where it is.
    pub site: Site,
    /// The size of a task, which use in units is a part of.
    size: Option<Size>,
}

/// A task definition of the stack.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Its address.
    pub address: Address,
    /// Its family.
    family: String,
    /// Where it is.
    pub site: Site,
    /// Its size; none when only its containers have one.
    pub size: Option<Size>,
    /// Whether this size is on its way out: what runs is a predecessor, and the current revision has another.
    pub leaves: bool,
    /// Whether its tasks run on Fargate, on Linux.
    pub fargate: bool,
    /// Whether they run on ARM.
    pub arm: bool,
    /// The services that run it.
    pub services: Vec<Address>,
    /// How many tasks these are to have; none when there are no services, or something else decides.
    pub count: Option<i64>,
    /// The clusters it runs in.
    clusters: Vec<String>,
}

impl Subject {
    /// What to ask of CloudWatch: CPU, and memory.
    pub fn metrics(&self) -> [Metric; 2] {
        let (namespace, names, dimension) = match self.kind {
            Kind::Service => ("AWS/ECS", ["CPUUtilization", "MemoryUtilization"], "ServiceName"),
            Kind::TaskDefinition => ("ECS/ContainerInsights", ["CpuUtilized", "MemoryUtilized"], "TaskDefinitionFamily"),
        };
        let dimensions = [("ClusterName", self.cluster.clone()), (dimension, self.name.clone())];
        names.map(|name| Metric { namespace, name, dimensions: dimensions.clone() })
    }

    /// What makes percent of the numbers CloudWatch has.
    pub fn percent(&self, resource: Resource) -> Option<f64> {
        match (self.kind, resource) {
            (Kind::Service, _) => Some(1.0),
            (Kind::TaskDefinition, Resource::Cpu) => Some(100.0 / self.size?.cpu as f64),
            (Kind::TaskDefinition, Resource::Memory) => Some(100.0 / self.size?.memory as f64),
        }
    }

    /// That CloudWatch has no numbers of it.
    pub fn without_numbers(&self, hours: u32) -> Missing {
        let problem = match self.kind {
            Kind::Service => format!("no numbers of {} in the last {hours} h", self.name),
            Kind::TaskDefinition => format!("no numbers of {} in cluster {} in the last {hours} h", self.name, self.cluster),
        };
        let help = match self.kind {
            Kind::Service => "no task of it ran, or the first one began minutes ago: CloudWatch has them a little later",
            Kind::TaskDefinition => "no task of it ran, or Container Insights was turned on later: it knows only tasks that began since",
        };
        Missing { address: self.address.clone(), problem, help: help.to_owned() }
    }
}

fn text<'a>(resource: &'a Remembered, attribute: &str) -> Option<&'a str> {
    resource.attributes.get(attribute)?.as_str()
}

fn name_of(arn: &str) -> &str {
    arn.rsplit_once('/').map_or(arn, |(_, name)| name)
}

/// What is measured of a stack, and what cannot be.
pub fn of(deployed: &Deployed<'_>) -> (Vec<Subject>, Vec<Missing>) {
    let services = service::all(deployed).into_iter().map(|service| Subject {
        address: service.address,
        kind: Kind::Service,
        name: service.name,
        cluster: name_of(&service.cluster).to_owned(),
        site: service.site,
        size: None,
    });
    let mut subjects: Vec<Subject> = services.collect();
    let mut missing = Vec::new();
    let tasks = tasks(deployed);
    for task in tasks.iter().filter(|task| task.size.is_none()) {
        missing.push(Missing {
            address: task.address.clone(),
            problem: format!("{} has no `cpu` and `memory` of its own: use cannot be told in percent of them", task.family),
            help: "set both on the task definition; on Fargate they have to be".to_owned(),
        });
    }
    for task in tasks.iter().filter(|task| task.size.is_some()) {
        for cluster in task.clusters.iter().filter(|cluster| insights_are_on(deployed, &task.site, cluster)) {
            subjects.push(Subject {
                address: task.address.clone(),
                kind: Kind::TaskDefinition,
                name: task.family.clone(),
                cluster: cluster.clone(),
                site: task.site.clone(),
                size: task.size,
            });
        }
    }
    missing.extend(without_insights(deployed, &tasks));
    (subjects, missing)
}

/// The stack's clusters that measure no task definitions, though some run there.
fn without_insights(deployed: &Deployed<'_>, tasks: &[Task]) -> Vec<Missing> {
    let off = deployed.current(kind::Kind::Cluster).filter(|(_, cluster)| off(cluster));
    let missing = off.filter_map(|(address, cluster)| {
        let here = |task: &&Task| task.site == cluster.place.site() && task.clusters.iter().any(|name| name == name_of(&cluster.place.id));
        let families: Vec<&str> = tasks.iter().filter(here).map(|task| task.family.as_str()).collect();
        (!families.is_empty()).then(|| Missing {
            address: address.clone(),
            problem: format!("Container Insights is off: no numbers per task definition ({})", families.join(", ")),
            help: format!("set `container_insights = \"enabled\"` on {address} and apply; CloudWatch charges for its metrics"),
        })
    });
    missing.collect()
}

fn off(cluster: &Remembered) -> bool {
    text(cluster, "container_insights") == Some("disabled")
}

/// Whether a cluster measures task definitions. Of one that is not the stack's it is found out by asking.
fn insights_are_on(deployed: &Deployed<'_>, site: &Site, name: &str) -> bool {
    let mut clusters = deployed.there(kind::Kind::Cluster);
    clusters
        .find(|(_, cluster)| cluster.place.site() == *site && name_of(&cluster.place.id) == name)
        .is_none_or(|(_, cluster)| !off(cluster))
}

/// The size of a task; none when only its containers have one.
fn size(task: &Remembered) -> Option<Size> {
    let number = |attribute: &str| task.attributes.get(attribute).and_then(Json::as_i64);
    number("cpu").zip(number("memory")).map(|(cpu, memory)| Size { cpu, memory })
}

/// The stack's task definitions.
pub fn tasks(deployed: &Deployed<'_>) -> Vec<Task> {
    let services = service::all(deployed);
    let revisions = task_definition::revisions(deployed);
    let runs = |service: &Service| task_definition::of_service(&revisions, service);
    let tasks = deployed.current(kind::Kind::TaskDefinition).map(|(address, current)| {
        let running: Vec<&Service> = services.iter().filter(|service| runs(service).is_some_and(|one| one.address == *address)).collect();
        // What was measured is what runs, which may be a predecessor.
        let task = running.iter().find_map(|service| runs(service)?.remembered(deployed)).unwrap_or(current);
        let own = deployed.there(kind::Kind::Cluster).filter(|(_, cluster)| cluster.place.site() == task.place.site());
        let mut clusters: Vec<String> = match running.is_empty() {
            // Started by itself, it may be in any of them.
            true => own.map(|(_, cluster)| name_of(&cluster.place.id).to_owned()).collect(),
            false => running.iter().map(|service| name_of(&service.cluster).to_owned()).collect(),
        };
        clusters.sort();
        clusters.dedup();
        let platform = |attribute: &str| task.attributes.get("runtime_platform")?.get(attribute)?.as_str();
        let runs_on = task.attributes.get("requires_compatibilities").and_then(Json::as_array).into_iter().flatten();
        let linux = platform("operating_system_family").is_none_or(|system| system == "LINUX");
        Task {
            address: address.clone(),
            family: text(task, "family").unwrap_or_default().to_owned(),
            site: task.place.site(),
            size: size(task),
            leaves: size(task) != size(current),
            fargate: linux && runs_on.into_iter().any(|one| one.as_str() == Some("FARGATE")),
            arm: platform("cpu_architecture") == Some("ARM64"),
            services: running.iter().map(|service| service.address.clone()).collect(),
            count: count(deployed, &running),
            clusters,
        }
    });
    tasks.collect()
}

/// How many tasks these services are to have together.
fn count(deployed: &Deployed<'_>, services: &[&Service]) -> Option<i64> {
    let counts = services.iter().map(|service| {
        let attributes = &deployed.state.current(&service.address)?.attributes;
        let scaled = attributes.get("autoscaled").and_then(Json::as_bool).unwrap_or_default();
        service.desired_count.filter(|_| !scaled)
    });
    let counts: Option<Vec<i64>> = counts.collect();
    counts.filter(|counts| !counts.is_empty()).map(|counts| counts.iter().sum())
}
