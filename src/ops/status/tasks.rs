//! Tasks: those that run, and why the others stopped.

use aws_sdk_ecs::types as api;
use jiff::Timestamp;
use serde::Serialize;

use crate::ops::Deployed;
use crate::ops::service::{self, Service};
use crate::ops::task::{self, Task};
use leoctl_core::engine::ports::Outcome;
use leoctl_core::model::address::Address;

/// What is said of a task that runs, or stopped in the last hour: longer ECS does not remember.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskReport {
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

impl TaskReport {
    fn new(task: &Task, services: &[Service]) -> Self {
        let stopped = task.has_stopped();
        Self {
            id: task.id.clone(),
            region: task.site.region.clone(),
            cluster: task.cluster.clone(),
            service: task.service.clone(),
            address: task.of(services).map(|service| service.address.clone()),
            family: task.family().to_owned(),
            status: task.live.last_status().unwrap_or("UNKNOWN").to_owned(),
            health: task.live.health_status().map_or("UNKNOWN", api::HealthStatus::as_str).to_owned(),
            started_at: task.started(),
            stopped_at: task.stopped().filter(|_| stopped),
            reason: task.why_stopped().filter(|_| stopped),
            failed: stopped && failed(&task.live),
        }
    }

    /// What it is of: its service or its family, in its cluster. Each cluster of each region may have one of that name.
    pub fn owner(&self) -> Owner<'_> {
        (self.service.as_deref().unwrap_or(&self.family), &self.region, &self.cluster, self.service.is_some())
    }

    /// The same for people.
    pub fn owner_name(&self) -> String {
        self.address.as_ref().map_or_else(|| self.owner().0.to_owned(), ToString::to_string)
    }
}

/// The tasks of the stack, which are those that `tasks list` shows.
///
/// # Errors
/// When AWS refuses.
pub async fn read(deployed: &Deployed<'_>) -> Outcome<Vec<TaskReport>> {
    let services = service::there(deployed);
    let mut tasks: Vec<TaskReport> = task::all(deployed).await?.iter().map(|task| TaskReport::new(task, &services)).collect();
    tasks.sort_by(|one, other| (one.owner(), other.stopped_at, other.started_at).cmp(&(other.owner(), one.stopped_at, one.started_at)));
    Ok(tasks)
}

/// Whether a task that has stopped failed: one started by itself may end; a service's may not.
pub fn failed(task: &api::Task) -> bool {
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
    use leoctl_core::model::place::Site;

    fn task(group: &str, code: api::TaskStopCode, exit: Option<i32>) -> Task {
        let container = api::Container::builder().name("web").set_exit_code(exit).build();
        let task = api::Task::builder().group(group).last_status("STOPPED").stop_code(code).stopped_reason("why").containers(container);
        let task = task.task_definition_arn("arn:aws:ecs:r:1:task-definition/gen:3").task_arn("arn:aws:ecs:r:1:task/c/abc");
        Task::new(task.cluster_arn("arn:aws:ecs:r:1:cluster/c").build(), "r")
    }

    #[test]
    fn a_job_that_ends_well_has_not_failed_and_a_service_s_task_that_ends_has() {
        let report = |group: &str, code, exit| TaskReport::new(&task(group, code, exit), &[]);
        let job = report("family:gen", api::TaskStopCode::EssentialContainerExited, Some(0));
        assert_eq!((job.id.as_str(), job.service.as_deref(), job.family.as_str(), job.failed), ("abc", None, "gen", false));
        assert_eq!(job.reason.as_deref(), Some("EssentialContainerExited: why; container web exited with 0"));
        assert!(report("service:web", api::TaskStopCode::EssentialContainerExited, Some(0)).failed);
        assert!(report("family:gen", api::TaskStopCode::EssentialContainerExited, Some(137)).failed);
        assert!(report("family:gen", api::TaskStopCode::TaskFailedToStart, None).failed);
        assert!(!report("service:web", api::TaskStopCode::ServiceSchedulerInitiated, Some(143)).failed);
    }

    #[test]
    fn a_task_is_of_the_service_of_its_own_cluster_and_region() {
        let service = |address: &str, region: &str, cluster: &str| Service {
            address: address.parse().unwrap(),
            name: "web".to_owned(),
            arn: String::new(),
            cluster: format!("arn:aws:ecs:{region}:1:cluster/{cluster}"),
            site: Site::new("1", region),
            task_definition: String::new(),
            desired_count: None,
            daemon: false,
        };
        let services = [service("ecs_service.blue", "r", "blue"), service("ecs_service.c", "r", "c"), service("ecs_service.far", "s", "c")];
        let failed = || task("service:web", api::TaskStopCode::TaskFailedToStart, None);
        let of = |task: Task| TaskReport::new(&task, &services).address.map(|address| address.to_string());
        assert_eq!(of(failed()).as_deref(), Some("ecs_service.c"));
        assert_eq!(of(Task { site: Site::new("1", "s"), ..failed() }).as_deref(), Some("ecs_service.far"));
        assert_eq!(of(Task { cluster: "shared".to_owned(), ..failed() }), None);
    }
}
