//! The tasks of a stack's clusters: listing, finding and stopping them.

use std::collections::BTreeSet;

use aws_sdk_ecs::types as api;
use futures_util::future::try_join_all;
use jiff::Timestamp;

use super::service::{self, Service};
use super::task_definition::{self, Families};
use super::{Deployed, Problem};
use leoctl_aws::client::Aws;
use leoctl_aws::ecs::rollout::why_stopped;
use leoctl_aws::error::{OrAbsent, OrFail};
use leoctl_aws::repeat::Changing;
use leoctl_core::engine::ports::{Failure, Outcome};

/// The most tasks DescribeTasks takes (ECS API Reference).
const AT_ONCE: usize = 100;

/// A task.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its id.
    pub id: String,
    /// The region it is in.
    pub region: String,
    /// Its cluster's name.
    pub cluster: String,
    /// The name of the service it is of.
    pub service: Option<String>,
    /// What ECS says of it.
    pub live: api::Task,
}

impl Task {
    /// What ECS says of a task.
    pub fn new(live: api::Task, region: &str) -> Self {
        let last = |arn: Option<&str>| last(arn.unwrap_or_default()).to_owned();
        Self {
            id: last(live.task_arn()),
            region: region.to_owned(),
            cluster: last(live.cluster_arn()),
            // ECS API Reference, Task, `group`.
            service: live.group().and_then(|group| group.strip_prefix("service:")).map(str::to_owned),
            live,
        }
    }

    /// Its ARN.
    pub fn arn(&self) -> &str {
        self.live.task_arn().unwrap_or_default()
    }

    /// The family of its task definition.
    pub fn family(&self) -> &str {
        task_definition::family(self.live.task_definition_arn().unwrap_or_default())
    }

    /// How far it has come, such as `RUNNING`.
    pub fn status(&self) -> &str {
        self.live.last_status().unwrap_or_default()
    }

    /// Whether it has stopped.
    pub fn has_stopped(&self) -> bool {
        self.status() == "STOPPED"
    }

    /// Whether it stopped without having run.
    pub fn never_started(&self) -> bool {
        self.live.stop_code() == Some(&api::TaskStopCode::TaskFailedToStart)
    }

    /// Why it stopped, once it is stopping.
    pub fn why_stopped(&self) -> Option<String> {
        let stopping = self.has_stopped() || self.live.desired_status() == Some("STOPPED");
        stopping.then(|| why_stopped(&self.live))
    }

    /// How its containers' health checks stand; nothing without any.
    pub fn health(&self) -> Option<&str> {
        self.live.health_status().map(api::HealthStatus::as_str).filter(|health| *health != "UNKNOWN")
    }

    /// When it started to run.
    pub fn started(&self) -> Option<Timestamp> {
        moment(self.live.started_at())
    }

    /// When it had stopped.
    pub fn stopped(&self) -> Option<Timestamp> {
        moment(self.live.stopped_at())
    }

    /// The one of these services that it is of.
    pub fn of<'a>(&self, services: &'a [Service]) -> Option<&'a Service> {
        let name = self.service.as_deref()?;
        services.iter().find(|service| service.is(&self.region, &self.cluster, name))
    }

    /// Whether a person means it by this: its whole ARN, or the beginning of its id.
    pub fn is_called(&self, word: &str) -> bool {
        if word.starts_with("arn:") { self.arn() == word } else { !word.is_empty() && self.id.starts_with(word) }
    }

    /// A container of it.
    pub fn container(&self, name: &str) -> Option<&api::Container> {
        self.live.containers().iter().find(|container| container.name() == Some(name))
    }
}

fn moment(time: Option<&aws_smithy_types::DateTime>) -> Option<Timestamp> {
    Timestamp::from_second(time?.secs()).ok()
}

/// What an ARN ends with, which is the name.
pub fn last(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// How long ago something was, in the largest unit that fits.
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(then.as_second()).max(0);
    let (number, unit) = match seconds {
        0..60 => (seconds, "s"),
        60..3600 => (seconds / 60, "m"),
        3600..86_400 => (seconds / 3600, "h"),
        _ => (seconds / 86_400, "d"),
    };
    format!("{number}{unit} ago")
}

/// A cluster that tasks of the stack run in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cluster {
    /// The region it is in.
    pub region: String,
    /// Its name.
    pub name: String,
}

/// The clusters of a stack: its own, and those its services run in.
pub fn clusters(deployed: &Deployed<'_>) -> BTreeSet<Cluster> {
    let mut all = own_clusters(deployed);
    all.extend(
        service::all(deployed).into_iter().map(|service| Cluster { region: service.region, name: last(&service.cluster).to_owned() }),
    );
    all
}

/// The clusters the stack has made.
pub fn own_clusters(deployed: &Deployed<'_>) -> BTreeSet<Cluster> {
    let own = deployed.of_type("ecs_cluster");
    own.map(|(_, resource)| Cluster { region: resource.place.region.clone(), name: last(&resource.place.id).to_owned() }).collect()
}

/// The tasks of the stack, those that stopped within the last hour among them: all in its own clusters, and in those it
/// shares its services' and task definitions'.
///
/// # Errors
/// When AWS refuses.
pub async fn all(deployed: &Deployed<'_>) -> Outcome<Vec<Task>> {
    let (own, services) = (own_clusters(deployed), service::all(deployed));
    let families = task_definition::families(deployed);
    let clusters = clusters(deployed);
    let found = try_join_all(clusters.iter().map(async |cluster| {
        let mut tasks = in_cluster(&deployed.provider.region(&cluster.region), &cluster.name, None).await?;
        if !own.contains(cluster) {
            tasks.retain(|task| is_ours(task, &services, &families));
        }
        Ok::<_, Failure>(tasks)
    }));
    Ok(in_order(found.await?.into_iter().flatten().collect()))
}

/// Those that run before those that stopped, newer ones first.
fn in_order(mut tasks: Vec<Task>) -> Vec<Task> {
    let made = |task: &Task| std::cmp::Reverse(task.live.created_at().map(aws_smithy_types::DateTime::secs));
    tasks.sort_by_cached_key(|task| (task.has_stopped(), made(task), task.id.clone()));
    tasks
}

fn is_ours(task: &Task, services: &[Service], families: &Families) -> bool {
    match &task.service {
        Some(_) => task.of(services).is_some(),
        None => families.contains(&(task.region.clone(), task.family().to_owned())),
    }
}

/// The tasks of a service, those that stopped within the last hour among them.
///
/// # Errors
/// When AWS refuses.
pub async fn of_service(deployed: &Deployed<'_>, service: &Service) -> Outcome<Vec<Task>> {
    let tasks = in_cluster(&deployed.provider.region(&service.region), &service.cluster, Some(&service.name)).await?;
    Ok(in_order(tasks))
}

async fn in_cluster(aws: &Aws, cluster: &str, service: Option<&str>) -> Outcome<Vec<Task>> {
    let mut arns = BTreeSet::new();
    for status in [api::DesiredStatus::Running, api::DesiredStatus::Stopped] {
        let call = aws.ecs().list_tasks().cluster(cluster).set_service_name(service.map(str::to_owned)).desired_status(status);
        let mut pages = call.into_paginator().send();
        while let Some(page) = pages.next().await {
            let Some(page) = page.or_fail("ecs:ListTasks").or_absent()? else { break };
            arns.extend(page.task_arns.unwrap_or_default());
        }
    }
    let arns: Vec<String> = arns.into_iter().collect();
    described(aws, cluster, &arns).await
}

/// Those of these tasks that ECS knows.
///
/// # Errors
/// When AWS refuses.
pub async fn described(aws: &Aws, cluster: &str, arns: &[String]) -> Outcome<Vec<Task>> {
    let mut tasks = Vec::new();
    for some in arns.chunks(AT_ONCE) {
        let call = aws.ecs().describe_tasks().cluster(cluster).set_tasks(Some(some.to_vec()));
        let found = call.send().await.or_fail("ecs:DescribeTasks")?.tasks.unwrap_or_default();
        tasks.extend(found.into_iter().map(|task| Task::new(task, &aws.region)));
    }
    Ok(tasks)
}

/// The tasks that these words name: each an id, the beginning of one, or a whole ARN.
///
/// # Errors
/// For a word that names none, or several.
pub fn chosen(tasks: &[Task], words: &[String]) -> Result<Vec<Task>, Problem> {
    let mut found: Vec<Task> = Vec::new();
    for word in words {
        let mut matching = tasks.iter().filter(|task| task.is_called(word));
        match (matching.next(), matching.next()) {
            (Some(one), None) => {
                if !found.iter().any(|task| task.arn() == one.arn()) {
                    found.push(one.clone());
                }
            }
            (Some(_), Some(_)) => return Err(Problem::new(format!("several tasks begin with `{word}`"), "give more of the id")),
            (None, _) => {
                let problem = format!("there is no task `{word}` in the stack's clusters");
                return Err(Problem::new(problem, "`leoctl tasks list` shows those there are"));
            }
        }
    }
    Ok(found)
}

/// Has a task stopped.
///
/// # Errors
/// When AWS refuses.
pub async fn stop(deployed: &Deployed<'_>, task: &Task, reason: &str) -> Outcome<()> {
    let aws = deployed.provider.region(&task.region);
    let call = aws.ecs().stop_task().cluster(&task.cluster).task(task.arn()).reason(reason);
    call.send().await.idempotent("ecs:StopTask").map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(id: &str, group: &str) -> Task {
        let live = api::Task::builder()
            .task_arn(format!("arn:aws:ecs:r:1:task/leo/{id}"))
            .cluster_arn("arn:aws:ecs:r:1:cluster/leo")
            .task_definition_arn("arn:aws:ecs:r:1:task-definition/leo-gen:3")
            .group(group)
            .build();
        Task::new(live, "r")
    }

    #[test]
    fn a_task_is_named_by_the_beginning_of_its_id() {
        let tasks = [task("abc1", "service:app"), task("abd2", "family:leo-gen")];
        let ids = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            chosen(&tasks, &words).map(|found| found.into_iter().map(|task| task.id).collect::<Vec<_>>())
        };
        assert_eq!(ids(&["abc"]).unwrap(), ["abc1"]);
        assert_eq!(ids(&["arn:aws:ecs:r:1:task/leo/abd2", "abd"]).unwrap(), ["abd2"]);
        assert!(ids(&["ab"]).unwrap_err().message.contains("several"));
        assert!(ids(&["x"]).unwrap_err().help.contains("tasks list"));
        assert!(ids(&[""]).is_err());
        // The ARN of a task of another account, region or cluster is that task's alone.
        for arn in ["arn:aws:ecs:r:2:task/leo/abd2", "arn:aws:ecs:s:1:task/leo/abd2", "arn:aws:ecs:r:1:task/other/abd2"] {
            assert!(ids(&[arn]).unwrap_err().message.contains(arn), "{arn}");
        }
    }

    #[test]
    fn in_a_shared_cluster_only_the_stack_s_tasks_are_its() {
        let families = Families::from([("r".to_owned(), "leo-gen".to_owned())]);
        assert!(is_ours(&task("a", "family:leo-gen"), &[], &families));
        assert!(!is_ours(&task("a", "service:other"), &[], &families));
        assert!(!is_ours(&task("a", "family:leo-gen"), &[], &BTreeSet::new()));
        // A family of another region is another.
        assert!(!is_ours(&task("a", "family:leo-gen"), &[], &Families::from([("s".to_owned(), "leo-gen".to_owned())])));
        assert_eq!(task("a", "service:app").service.as_deref(), Some("app"));
    }

    #[test]
    fn times_are_said_in_the_largest_unit() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let before = |seconds: i64| ago(Timestamp::from_second(1_000_000 - seconds).unwrap(), now);
        assert_eq!([before(5), before(61), before(7300), before(200_000)], ["5s ago", "1m ago", "2h ago", "2d ago"]);
    }
}
