//! Tasks: those that run, and why the others stopped.

use std::collections::BTreeSet;

use aws_sdk_ecs::types as api;
use futures_util::future::{try_join, try_join_all};
use jiff::Timestamp;
use serde::Serialize;

use super::{name_of, time};
use crate::ops::task_definition::{self, Families};
use crate::ops::{Deployed, service};
use leoctl_aws::client::Aws;
use leoctl_aws::ecs::rollout;
use leoctl_aws::error::{OrAbsent, OrFail};
use leoctl_core::engine::ports::{Failure, Outcome};
use leoctl_core::model::address::Address;

/// Most tasks that DescribeTasks takes in one call (ECS API Reference).
const BATCH: usize = 100;

/// A task that runs, or stopped in the last hour: longer ECS does not remember.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Task {
    /// Its id.
    pub id: String,
    /// The region it is in.
    pub region: String,
    /// Its cluster's name.
    pub cluster: String,
    /// The service it is of, by its name in ECS; none of one that was started by itself.
    pub service: Option<String>,
    /// The address of that service.
    pub address: Option<Address>,
    /// The family of its task definition.
    pub family: String,
    /// Its state, such as `RUNNING` or `STOPPED`.
    pub status: String,
    /// What its containers' health checks say: `HEALTHY`, `UNHEALTHY` or `UNKNOWN`.
    pub health: String,
    /// When it began to run.
    pub started_at: Option<Timestamp>,
    /// When it stopped.
    pub stopped_at: Option<Timestamp>,
    /// Why it stopped, with how its containers ended.
    pub reason: Option<String>,
    /// Whether it failed: it could not start, or a container ended that was not to.
    pub failed: bool,
}

/// What a task is of: a name, the region, the cluster, and whether it is a service's name or a family's.
pub type Owner<'a> = (&'a str, &'a str, &'a str, bool);

impl Task {
    /// What it is of: its service or its family, in its cluster. Each cluster of each region may have one of that name.
    pub fn owner(&self) -> Owner<'_> {
        (self.service.as_deref().unwrap_or(&self.family), &self.region, &self.cluster, self.service.is_some())
    }

    /// The same for people.
    pub fn owner_name(&self) -> String {
        self.address.as_ref().map_or_else(|| self.owner().0.to_owned(), ToString::to_string)
    }
}

/// Tasks to list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Listing {
    region: String,
    cluster: String,
    /// Only this service's.
    service: Option<String>,
}

/// The tasks of the stack's services and task definitions.
///
/// # Errors
/// When AWS refuses.
pub async fn read(deployed: &Deployed<'_>) -> Outcome<Vec<Task>> {
    let services = service::all(deployed);
    let families = task_definition::families(deployed);
    let clusters: Vec<(String, String)> =
        deployed.of_type("ecs_cluster").map(|(_, cluster)| (cluster.place.region.clone(), cluster.place.id.clone())).collect();
    let listings = listings(&clusters, &services);
    let found = try_join_all(listings.iter().map(async |listing| {
        let tasks = of(&deployed.provider.region(&listing.region), listing).await?;
        Ok::<_, Failure>(tasks.into_iter().map(|task| from_api(&task, listing)))
    }));
    let tasks = found.await?.into_iter().flatten();
    let mut tasks: Vec<Task> = tasks.filter_map(|task| ours(task, &services, &families)).collect();
    tasks.sort_by(|one, other| (one.owner(), other.stopped_at, other.started_at).cmp(&(other.owner(), one.stopped_at, one.started_at)));
    Ok(tasks)
}

/// A task with the stack's service it is of; nothing when it is not the stack's.
fn ours(mut task: Task, services: &[service::Service], families: &Families) -> Option<Task> {
    match &task.service {
        Some(name) => {
            let service = services.iter().find(|service| service.is(&task.region, &task.cluster, name))?;
            task.address = Some(service.address.clone());
            Some(task)
        }
        None => families.contains(&(task.region.clone(), task.family.clone())).then_some(task),
    }
}

/// A cluster of the stack is listed whole, as tasks may have been started in it by themselves; of another one only
/// the stack's services.
fn listings(clusters: &[(String, String)], services: &[service::Service]) -> BTreeSet<Listing> {
    let own = |service: &service::Service| clusters.iter().any(|(region, id)| *region == service.region && is(id, &service.cluster));
    let elsewhere = services.iter().filter(|service| !own(service)).map(|service| Listing {
        region: service.region.clone(),
        cluster: service.cluster.clone(),
        service: Some(service.name.clone()),
    });
    let whole = clusters.iter().map(|(region, id)| Listing { region: region.clone(), cluster: id.clone(), service: None });
    whole.chain(elsewhere).collect()
}

/// Whether a service's cluster, a name or an ARN, is this one.
fn is(arn: &str, cluster: &str) -> bool {
    arn == cluster || name_of(arn) == cluster
}

async fn of(aws: &Aws, listing: &Listing) -> Outcome<Vec<api::Task>> {
    let (running, stopped) =
        try_join(list(aws, listing, api::DesiredStatus::Running), list(aws, listing, api::DesiredStatus::Stopped)).await?;
    let arns: Vec<String> = running.into_iter().chain(stopped).collect();
    let described = try_join_all(arns.chunks(BATCH).map(async |some| {
        let call = aws.ecs().describe_tasks().cluster(&listing.cluster).set_tasks(Some(some.to_vec()));
        let found = call.send().await.or_fail("ecs:DescribeTasks").or_absent()?;
        Ok(found.and_then(|found| found.tasks).unwrap_or_default())
    }));
    Ok(described.await?.into_iter().flatten().collect())
}

async fn list(aws: &Aws, listing: &Listing, status: api::DesiredStatus) -> Outcome<Vec<String>> {
    let call = aws.ecs().list_tasks().cluster(&listing.cluster).set_service_name(listing.service.clone()).desired_status(status);
    let mut pages = call.into_paginator().send();
    let mut arns = Vec::new();
    while let Some(page) = pages.next().await {
        // A cluster or service that is gone has none.
        let Some(page) = page.or_fail("ecs:ListTasks").or_absent()? else { break };
        arns.extend(page.task_arns.unwrap_or_default());
    }
    Ok(arns)
}

fn from_api(task: &api::Task, listing: &Listing) -> Task {
    let definition = name_of(task.task_definition_arn().unwrap_or_default());
    let stopped = task.last_status() == Some("STOPPED");
    Task {
        id: name_of(task.task_arn().unwrap_or_default()).to_owned(),
        region: listing.region.clone(),
        cluster: name_of(&listing.cluster).to_owned(),
        service: task.group().and_then(|group| group.strip_prefix("service:")).map(str::to_owned),
        address: None,
        family: definition.rsplit_once(':').map_or(definition, |(family, _)| family).to_owned(),
        status: task.last_status().unwrap_or("UNKNOWN").to_owned(),
        health: task.health_status().map_or("UNKNOWN", api::HealthStatus::as_str).to_owned(),
        started_at: time(task.started_at()),
        stopped_at: time(task.stopped_at()).filter(|_| stopped),
        reason: stopped.then(|| rollout::why_stopped(task)),
        failed: stopped && failed(task),
    }
}

/// A task started by itself may end; a service's may not.
fn failed(task: &api::Task) -> bool {
    let of_service = task.group().is_some_and(|group| group.starts_with("service:"));
    match task.stop_code() {
        Some(api::TaskStopCode::TaskFailedToStart) => true,
        Some(api::TaskStopCode::EssentialContainerExited) => {
            of_service || task.containers().iter().any(|container| container.exit_code() != Some(0))
        }
        _ => task.health_status() == Some(&api::HealthStatus::Unhealthy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(group: &str, code: api::TaskStopCode, exit: Option<i32>) -> Task {
        let container = api::Container::builder().name("web").set_exit_code(exit).build();
        let task = api::Task::builder().group(group).last_status("STOPPED").stop_code(code).stopped_reason("why").containers(container);
        let listing = Listing { region: "r".to_owned(), cluster: "arn:aws:ecs:r:1:cluster/c".to_owned(), service: None };
        from_api(
            &task.task_definition_arn("arn:aws:ecs:r:1:task-definition/gen:3").task_arn("arn:aws:ecs:r:1:task/c/abc").build(),
            &listing,
        )
    }

    #[test]
    fn a_job_that_ends_well_has_not_failed_and_a_service_s_task_that_ends_has() {
        let job = task("family:gen", api::TaskStopCode::EssentialContainerExited, Some(0));
        assert_eq!((job.id.as_str(), job.service.as_deref(), job.family.as_str(), job.failed), ("abc", None, "gen", false));
        assert_eq!(job.reason.as_deref(), Some("EssentialContainerExited: why; container web exited with 0"));
        assert!(task("service:web", api::TaskStopCode::EssentialContainerExited, Some(0)).failed);
        assert!(task("family:gen", api::TaskStopCode::EssentialContainerExited, Some(137)).failed);
        assert!(task("family:gen", api::TaskStopCode::TaskFailedToStart, None).failed);
        assert!(!task("service:web", api::TaskStopCode::ServiceSchedulerInitiated, Some(143)).failed);
    }

    #[test]
    fn a_task_is_of_the_service_of_its_own_cluster_and_region() {
        let service = |address: &str, region: &str, cluster: &str| service::Service {
            address: address.parse().unwrap(),
            name: "web".to_owned(),
            arn: String::new(),
            cluster: format!("arn:aws:ecs:{region}:1:cluster/{cluster}"),
            region: region.to_owned(),
            task_definition: String::new(),
            desired_count: None,
            daemon: false,
        };
        let services = [service("ecs_service.blue", "r", "blue"), service("ecs_service.c", "r", "c"), service("ecs_service.far", "s", "c")];
        let failed = || task("service:web", api::TaskStopCode::TaskFailedToStart, None);
        let of = |task: Task| ours(task, &services, &Families::new()).and_then(|task| task.address).map(|address| address.to_string());
        assert_eq!(of(failed()).as_deref(), Some("ecs_service.c"));
        assert_eq!(of(Task { region: "s".to_owned(), ..failed() }).as_deref(), Some("ecs_service.far"));
        // A service of that name in a cluster that the stack only shares is not the stack's.
        assert_eq!(of(Task { cluster: "shared".to_owned(), ..failed() }), None);
    }

    #[test]
    fn a_foreign_cluster_is_not_listed_whole() {
        let clusters = [("r".to_owned(), "arn:aws:ecs:r:1:cluster/ours".to_owned())];
        let service = |name: &str, cluster: &str| service::Service {
            address: "ecs_service.app".parse().unwrap(),
            name: name.to_owned(),
            arn: String::new(),
            cluster: cluster.to_owned(),
            region: "r".to_owned(),
            task_definition: String::new(),
            desired_count: None,
            daemon: false,
        };
        let listed = listings(&clusters, &[service("a", "ours"), service("b", "arn:aws:ecs:r:1:cluster/ours"), service("c", "theirs")]);
        let listed: Vec<_> = listed.iter().map(|one| (one.cluster.as_str(), one.service.as_deref())).collect();
        assert_eq!(listed, [("arn:aws:ecs:r:1:cluster/ours", None), ("theirs", Some("c"))]);
    }
}
