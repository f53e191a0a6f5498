//! Tasks: those that run, and why the others stopped.

use std::collections::BTreeSet;

use aws_sdk_ecs::types as api;
use futures_util::future::{try_join, try_join_all};
use jiff::Timestamp;
use serde::Serialize;

use super::{name_of, time};
use crate::ops::{Deployed, service};
use leoctl_aws::client::Aws;
use leoctl_aws::ecs::rollout;
use leoctl_aws::error::{OrAbsent, OrFail};
use leoctl_core::engine::ports::Outcome;

/// Most tasks that DescribeTasks takes in one call (ECS API Reference).
const BATCH: usize = 100;

/// A task that runs, or stopped in the last hour: longer ECS does not remember.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Task {
    /// Its id.
    pub id: String,
    /// The service it is of, by its name in ECS; none of one that was started by itself.
    pub service: Option<String>,
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

impl Task {
    /// What it is of, for people: its service, or its family.
    pub fn owner(&self) -> &str {
        self.service.as_deref().unwrap_or(&self.family)
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
    let text = |resource: &leoctl_core::model::state::Remembered| Some(resource.attributes.get("family")?.as_str()?.to_owned());
    let families: BTreeSet<String> = deployed.of_type("ecs_task_definition").filter_map(|(_, resource)| text(resource)).collect();
    let clusters: Vec<(String, String)> =
        deployed.of_type("ecs_cluster").map(|(_, cluster)| (cluster.place.region.clone(), cluster.place.id.clone())).collect();
    let listings = listings(&clusters, &services);
    let found = try_join_all(listings.iter().map(async |listing| of(&deployed.provider.region(&listing.region), listing).await));
    let tasks = found.await?.into_iter().flatten().map(|task| from_api(&task));
    let ours = |task: &Task| match &task.service {
        Some(name) => services.iter().any(|service| service.name == *name),
        None => families.contains(&task.family),
    };
    let mut tasks: Vec<Task> = tasks.filter(ours).collect();
    tasks.sort_by(|one, other| (one.owner(), other.stopped_at, other.started_at).cmp(&(other.owner(), one.stopped_at, one.started_at)));
    Ok(tasks)
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

fn from_api(task: &api::Task) -> Task {
    let definition = name_of(task.task_definition_arn().unwrap_or_default());
    let stopped = task.last_status() == Some("STOPPED");
    Task {
        id: name_of(task.task_arn().unwrap_or_default()).to_owned(),
        service: task.group().and_then(|group| group.strip_prefix("service:")).map(str::to_owned),
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
        from_api(&task.task_definition_arn("arn:aws:ecs:r:1:task-definition/gen:3").task_arn("arn:aws:ecs:r:1:task/c/abc").build())
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
        };
        let listed = listings(&clusters, &[service("a", "ours"), service("b", "arn:aws:ecs:r:1:cluster/ours"), service("c", "theirs")]);
        let listed: Vec<_> = listed.iter().map(|one| (one.cluster.as_str(), one.service.as_deref())).collect();
        assert_eq!(listed, [("arn:aws:ecs:r:1:cluster/ours", None), ("theirs", Some("c"))]);
    }
}
