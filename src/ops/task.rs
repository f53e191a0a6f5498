//! The tasks of a stack's clusters: listing, finding and stopping them.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecs::types as api;
use futures_util::future::{try_join, try_join_all};
use jiff::Timestamp;

use super::kind::Kind;
use super::service::{self, Service};
use super::task_definition::{self, Families};
use super::{Deployed, Problem};
use leoctl_aws::client::Aws;
use leoctl_aws::ecs::rollout::why_stopped;
use leoctl_aws::error::{OrAbsent, OrFail};
use leoctl_aws::repeat::Changing;
use leoctl_core::engine::ports::{Failure, Outcome};
use leoctl_core::model::place::Site;
use leoctl_core::model::state::Remembered;

/// The most tasks DescribeTasks takes (ECS API Reference).
const AT_ONCE: usize = 100;

/// A task.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its id.
    pub id: String,
    /// Where it is.
    pub site: Site,
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
            site: Site::new(account_of(live.task_arn()), region),
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
        services.iter().find(|service| service.is(&self.site, &self.cluster, name))
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

/// The account in an ARN.
fn account_of(arn: Option<&str>) -> &str {
    arn.and_then(|arn| arn.split(':').nth(4)).unwrap_or_default()
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
    /// Where it is.
    pub site: Site,
    /// Its name.
    pub name: String,
}

/// The clusters that tasks of a stack may run in: its own, and those its services run in.
pub fn clusters(deployed: &Deployed<'_>) -> BTreeSet<Cluster> {
    let mut all = own_clusters(deployed);
    all.extend(service::there(deployed).iter().map(cluster_of));
    all
}

/// The clusters that the stack has made and that may be there, predecessors too.
fn own_clusters(deployed: &Deployed<'_>) -> BTreeSet<Cluster> {
    deployed.there(Kind::Cluster).map(|(_, resource)| from_state(resource)).collect()
}

/// The clusters that the stack has now, to run tasks in.
pub fn current_clusters(deployed: &Deployed<'_>) -> BTreeSet<Cluster> {
    deployed.current(Kind::Cluster).map(|(_, resource)| from_state(resource)).collect()
}

fn from_state(cluster: &Remembered) -> Cluster {
    Cluster { site: cluster.place.site(), name: last(&cluster.place.id).to_owned() }
}

/// The cluster that a service runs in.
pub fn cluster_of(service: &Service) -> Cluster {
    Cluster { site: service.site.clone(), name: service.cluster_name().to_owned() }
}

/// Which tasks of a stack there are.
struct Ours {
    /// The clusters that the stack has made: whatever runs there is its.
    own: BTreeSet<Cluster>,
    services: Vec<Service>,
    families: Families,
}

/// The tasks of a cluster to ask for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Which {
    All,
    OfService(String),
    OfFamily(String),
}

impl Ours {
    fn new(deployed: &Deployed<'_>) -> Self {
        Self { own: own_clusters(deployed), services: service::there(deployed), families: task_definition::families(deployed) }
    }

    /// Whether a task is the stack's.
    fn has(&self, task: &Task) -> bool {
        let cluster = Cluster { site: task.site.clone(), name: task.cluster.clone() };
        self.own.contains(&cluster)
            || match &task.service {
                Some(_) => task.of(&self.services).is_some(),
                None => self.families.contains(&(task.site.clone(), task.family().to_owned())),
            }
    }

    /// What to list: the stack's own clusters whole, as anybody may have started tasks in them; of one that it shares what
    /// its services run there, and what was started of its task definitions.
    fn listings(&self) -> BTreeSet<(Cluster, Which)> {
        let shared = self.services.iter().map(|service| (cluster_of(service), service));
        let shared = shared.filter(|(cluster, _)| !self.own.contains(cluster)).flat_map(|(cluster, service)| {
            let families = self.families.iter().filter(|(site, _)| *site == cluster.site);
            let families = families.map(|(_, family)| Which::OfFamily(family.clone()));
            let all: Vec<_> = std::iter::once(Which::OfService(service.name.clone())).chain(families).collect();
            all.into_iter().map(move |which| (cluster.clone(), which))
        });
        self.own.iter().map(|cluster| (cluster.clone(), Which::All)).chain(shared).collect()
    }
}

/// The tasks of the stack, those that stopped within the last hour among them: all in its own clusters, and in those it
/// shares its services' and task definitions'.
///
/// # Errors
/// When AWS refuses.
pub async fn all(deployed: &Deployed<'_>) -> Outcome<Vec<Task>> {
    let ours = Ours::new(deployed);
    let listings = ours.listings();
    let found = try_join_all(
        listings.iter().map(async |(cluster, which)| in_cluster(deployed.provider.at(&cluster.site)?.as_ref(), &cluster.name, which).await),
    );
    // A service's tasks are found by their family, too.
    let found = found.await?.into_iter().flatten().filter(|task| ours.has(task)).map(|task| (task.arn().to_owned(), task));
    Ok(in_order(found.collect::<BTreeMap<_, _>>().into_values().collect()))
}

/// Those that run before those that stopped, newer ones first.
fn in_order(mut tasks: Vec<Task>) -> Vec<Task> {
    let made = |task: &Task| std::cmp::Reverse(task.live.created_at().map(aws_smithy_types::DateTime::secs));
    tasks.sort_by_cached_key(|task| (task.has_stopped(), made(task), task.id.clone()));
    tasks
}

/// The tasks of a service, those that stopped within the last hour among them.
///
/// # Errors
/// When AWS refuses.
pub async fn of_service(deployed: &Deployed<'_>, service: &Service) -> Outcome<Vec<Task>> {
    let which = Which::OfService(service.name.clone());
    let tasks = in_cluster(deployed.provider.at(&service.site)?.as_ref(), &service.cluster, &which).await?;
    Ok(in_order(tasks))
}

/// The tasks of some services, those that stopped within the last hour among them. Those that are known to have stopped are
/// not described again, and the tasks of the services of a cluster are described together.
///
/// # Errors
/// When AWS refuses.
pub async fn of_services(deployed: &Deployed<'_>, services: &[&Service], stopped: &BTreeMap<String, Task>) -> Outcome<Vec<Task>> {
    let listed = try_join_all(services.iter().map(async |service| {
        let aws = deployed.provider.at(&service.site)?;
        let arns = listed(&aws, &service.cluster, &Which::OfService(service.name.clone())).await?;
        Ok::<_, Failure>((cluster_of(service), arns))
    }));
    let mut clusters: BTreeMap<Cluster, BTreeSet<String>> = BTreeMap::new();
    for (cluster, arns) in listed.await? {
        clusters.entry(cluster).or_default().extend(arns);
    }
    let found = try_join_all(clusters.iter().map(async |(cluster, arns)| {
        let (known, new): (Vec<&String>, Vec<&String>) = arns.iter().partition(|arn| stopped.contains_key(*arn));
        let new: Vec<String> = new.into_iter().cloned().collect();
        let found = described(deployed.provider.at(&cluster.site)?.as_ref(), &cluster.name, &new).await?;
        Ok::<_, Failure>(found.into_iter().chain(known.into_iter().filter_map(|arn| stopped.get(arn)).cloned()))
    }));
    Ok(in_order(found.await?.into_iter().flatten().collect()))
}

/// The ARNs of tasks that run, and of those that stopped.
async fn listed(aws: &Aws, cluster: &str, which: &Which) -> Outcome<BTreeSet<String>> {
    let listed = |status| list(aws, cluster, which, status);
    let (running, stopped) = try_join(listed(api::DesiredStatus::Running), listed(api::DesiredStatus::Stopped)).await?;
    Ok(running.into_iter().chain(stopped).collect())
}

async fn in_cluster(aws: &Aws, cluster: &str, which: &Which) -> Outcome<Vec<Task>> {
    let arns: Vec<String> = listed(aws, cluster, which).await?.into_iter().collect();
    described(aws, cluster, &arns).await
}

async fn list(aws: &Aws, cluster: &str, which: &Which, status: api::DesiredStatus) -> Outcome<Vec<String>> {
    let call = aws.ecs().list_tasks().cluster(cluster).desired_status(status);
    let call = match which {
        Which::All => call,
        Which::OfService(name) => call.service_name(name),
        Which::OfFamily(family) => call.family(family),
    };
    let mut pages = call.into_paginator().send();
    let mut arns = Vec::new();
    while let Some(page) = pages.next().await {
        // A cluster or service that is gone has none.
        let Some(page) = page.or_fail("ecs:ListTasks").or_absent()? else { break };
        arns.extend(page.task_arns.unwrap_or_default());
    }
    Ok(arns)
}

/// Those of these tasks that ECS knows; none when their cluster is gone.
///
/// # Errors
/// When AWS refuses.
pub async fn described(aws: &Aws, cluster: &str, arns: &[String]) -> Outcome<Vec<Task>> {
    let found = try_join_all(arns.chunks(AT_ONCE).map(async |some| {
        let call = aws.ecs().describe_tasks().cluster(cluster).set_tasks(Some(some.to_vec()));
        let found = call.send().await.or_fail("ecs:DescribeTasks").or_absent()?;
        Ok::<_, Failure>(found.and_then(|found| found.tasks).unwrap_or_default())
    }));
    Ok(found.await?.into_iter().flatten().map(|task| Task::new(task, &aws.region)).collect())
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
    let aws = deployed.provider.at(&task.site)?;
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

    fn service(name: &str, region: &str, cluster: &str) -> Service {
        Service {
            address: format!("ecs_service.{name}").parse().unwrap(),
            name: name.to_owned(),
            arn: String::new(),
            cluster: cluster.to_owned(),
            site: Site::new("1", region),
            task_definition: String::new(),
            desired_count: None,
            daemon: false,
        }
    }

    fn cluster(region: &str, name: &str) -> Cluster {
        Cluster { site: Site::new("1", region), name: name.to_owned() }
    }

    fn ours(own: &[Cluster], services: &[Service], families: &[(&str, &str)]) -> Ours {
        let families = families.iter().map(|(region, family)| (Site::new("1", *region), (*family).to_owned()));
        Ours { own: own.iter().cloned().collect(), services: services.to_vec(), families: families.collect() }
    }

    #[test]
    fn in_a_shared_cluster_only_the_stack_s_tasks_are_its() {
        let of_family = |region: &str| ours(&[], &[], &[(region, "leo-gen")]);
        assert!(of_family("r").has(&task("a", "family:leo-gen")));
        assert!(!of_family("r").has(&task("a", "service:other")));
        assert!(!ours(&[], &[], &[]).has(&task("a", "family:leo-gen")));
        // A family of another region is another.
        assert!(!of_family("s").has(&task("a", "family:leo-gen")));
        assert_eq!(task("a", "service:app").service.as_deref(), Some("app"));
        // A service of that name in another cluster or region is another.
        for (region, name, is) in
            [("r", "leo", true), ("r", "arn:aws:ecs:r:1:cluster/leo", true), ("s", "leo", false), ("r", "blue", false)]
        {
            assert_eq!(ours(&[], &[service("app", region, name)], &[]).has(&task("a", "service:app")), is, "{region} {name}");
        }
    }

    #[test]
    fn whatever_runs_in_a_cluster_of_the_stack_is_its() {
        let ours = ours(&[cluster("r", "leo")], &[], &[]);
        assert!(ours.has(&task("a", "family:another")) && ours.has(&task("a", "service:another")));
        let elsewhere = |own: Cluster| self::ours(&[own], &[], &[]).has(&task("a", "family:another"));
        assert!(!elsewhere(cluster("s", "leo")) && !elsewhere(cluster("r", "blue")));
    }

    #[test]
    fn a_shared_cluster_is_not_listed_whole() {
        let services = [service("a", "r", "ours"), service("b", "r", "arn:aws:ecs:r:1:cluster/ours"), service("c", "r", "theirs")];
        let ours = ours(&[cluster("r", "ours")], &services, &[("r", "gen"), ("s", "far")]);
        let theirs = |which| (cluster("r", "theirs"), which);
        let expected =
            [(cluster("r", "ours"), Which::All), theirs(Which::OfService("c".to_owned())), theirs(Which::OfFamily("gen".to_owned()))];
        assert_eq!(ours.listings(), BTreeSet::from(expected));
    }

    #[test]
    fn times_are_said_in_the_largest_unit() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let before = |seconds: i64| ago(Timestamp::from_second(1_000_000 - seconds).unwrap(), now);
        assert_eq!([before(5), before(61), before(7300), before(200_000)], ["5s ago", "1m ago", "2h ago", "2d ago"]);
    }
}
