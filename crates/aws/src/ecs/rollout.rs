//! Waiting for a service's rollout, by the deployment's own verdict.

use std::collections::BTreeSet;
use std::time::Duration;

use super::record::{number, record};
use super::service::id_of;
use crate::client::Aws;
use crate::error::OrFail;
use aws_sdk_ecs::types as api;
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome};

/// How often the deployment is looked at.
const POLL: Duration = Duration::from_secs(5);
/// Tasks that fail in a row before a rollout without circuit breaker counts as failed: the breaker's own
/// least threshold (ECS Developer Guide, "How the Amazon ECS deployment circuit breaker detects failures").
pub const FAILED_TASKS: i32 = 3;

/// Looks at the deployment for each look at the tasks that stopped: what does not start says why only there.
const LOOKS: u32 = 4;
/// Most tasks that are listed and described in one call (ECS API Reference).
const TASKS: i32 = 100;
/// How many of them are asked for when a rollout has failed.
const EXPLAINED: i32 = 10;

/// How much older than the deployment itself the record of it may be, in seconds: both are made in one call.
const SAME_DEPLOYMENT: i64 = 60;

/// Which deployment of a service is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deployment {
    /// The one of a task definition: an ARN, `family:revision` or a family.
    Of(String),
    /// The one with this id.
    Id(String),
}

impl Deployment {
    /// Whether it is this one.
    pub fn is(&self, deployment: &api::Deployment) -> bool {
        match self {
            Self::Of(task_definition) => deployment.task_definition().is_some_and(|arn| names(task_definition, arn)),
            Self::Id(id) => deployment.id() == Some(id),
        }
    }

    /// The number of the service's revision that it deploys: an id is `ecs-svc/NUMBER`.
    pub fn revision<'a>(&'a self, service: &'a api::Service) -> Option<&'a str> {
        let id = match self {
            Self::Id(id) => Some(id.as_str()),
            Self::Of(_) => service.deployments().iter().find(|deployment| self.is(deployment)).and_then(|ours| ours.id()),
        };
        id.and_then(number)
    }
}

/// Where a rollout stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Every task runs and is healthy.
    Done,
    /// Not yet; in words.
    Going(String),
    /// It will not succeed; why.
    Failed(String),
}

/// Waits until a deployment of the service has taken over.
///
/// # Errors
/// When the rollout fails, is rolled back, or takes too long: with the reasons of the tasks that stopped.
pub async fn wait(aws: &Aws, operation: &Operation, cluster: &str, service: &str, deployment: &Deployment) -> Outcome<()> {
    let mut said = String::new();
    let mut heard = BTreeSet::new();
    let mut stops = None;
    for look in 0_u32.. {
        let found = describe(aws, cluster, service).await?;
        let record = record(aws, cluster, service, deployment.revision(&found)).await?;
        news(&found, deployment, &mut heard).into_iter().for_each(|event| (operation.progress.0)(event));
        match standing(&found, record.as_ref(), deployment) {
            Standing::Done => return Ok(()),
            Standing::Going(message) => {
                // What starts at once is not asked about.
                if look % LOOKS == 1 {
                    stops = stopped_of(aws, cluster, &found, deployment).await;
                }
                let message = stops.iter().fold(message, |message, stops| format!("{message}; {stops}"));
                if message != said {
                    (operation.progress.0)(message.clone());
                    said = message;
                }
            }
            Standing::Failed(reason) => return Err(explained(aws, cluster, &found, &reason).await),
        }
        if let Err(failure) = operation.pause(POLL, "waiting for the rollout").await {
            if failure.kind == FailureKind::Interrupted {
                return Err(failure);
            }
            return Err(explained(aws, cluster, &found, &failure.message).await);
        }
    }
    Ok(())
}

/// Waits until as many tasks of the service run as there are to be.
///
/// # Errors
/// When tasks keep failing meanwhile, or it takes too long: with the reasons of the tasks that stopped.
pub async fn wait_for_count(aws: &Aws, operation: &Operation, cluster: &str, service: &str) -> Outcome<()> {
    let mut failed_before = None;
    loop {
        let found = describe(aws, cluster, service).await?;
        let (running, desired) = (found.running_count(), found.desired_count());
        if is_settled(&found) {
            return Ok(());
        }
        let failed: i32 = found.deployments().iter().map(|deployment| deployment.failed_tasks()).sum();
        let failed = failed - *failed_before.get_or_insert(failed);
        if failed >= FAILED_TASKS && running < desired {
            return Err(explained(aws, cluster, &found, &format!("its tasks keep failing: {running} of {desired} tasks run")).await);
        }
        (operation.progress.0)(match failed {
            0 => format!("{running} of {desired} tasks run"),
            _ => format!("{running} of {desired} tasks run, {failed} failed"),
        });
        if let Err(failure) = operation.pause(POLL, "waiting for the tasks").await {
            if failure.kind == FailureKind::Interrupted {
                return Err(failure);
            }
            return Err(explained(aws, cluster, &found, &failure.message).await);
        }
    }
}

/// Whether as many tasks of a service run as there are to be. Where somebody else controls deployments, the task set that
/// serves says so, and a service without any has none to run (ECS API Reference, TaskSet).
fn is_settled(service: &api::Service) -> bool {
    let external = service.deployment_controller().is_some_and(|of| *of.r#type() == api::DeploymentControllerType::External);
    let serving = service.task_sets().iter().find(|set| set.status() == Some("PRIMARY"));
    let steady = serving.is_some_and(|set| set.stability_status() == Some(&api::StabilityStatus::SteadyState));
    let counted = service.running_count() == service.desired_count() && service.pending_count() == 0;
    steady || counted || external && service.task_sets().is_empty()
}

/// What ECS has said since the deployment began and was not heard yet, in order of time: tasks that start and stop,
/// targets that are registered, drained, or fail their health checks, and why. What is said again of another task is not
/// news: how many there are is in the count.
fn news(service: &api::Service, wanted: &Deployment, heard: &mut BTreeSet<String>) -> Vec<String> {
    let ours = service.deployments().iter().find(|deployment| wanted.is(deployment));
    let Some(began) = ours.and_then(|ours| ours.created_at()).map(aws_smithy_types::DateTime::secs) else { return Vec::new() };
    let events = service.events().iter().rev();
    let since = events.filter(|event| event.created_at().is_some_and(|at| at.secs() >= began));
    let said = since.filter_map(|event| event.message());
    said.filter(|message| heard.insert(without_names(message))).map(str::to_owned).collect()
}

/// A message of ECS without what it puts in brackets: names of services, tasks and targets.
pub fn without_names(message: &str) -> String {
    let mut depth = 0_usize;
    let outside = |c: &char| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => return depth == 0,
        }
        false
    };
    message.chars().filter(outside).collect()
}

async fn describe(aws: &Aws, cluster: &str, service: &str) -> Outcome<api::Service> {
    let found = aws.ecs().describe_services().cluster(cluster).services(service).send().await.or_fail("ecs:DescribeServices")?;
    // One that was made long ago has an ARN without its cluster.
    let is_it = |found: &api::Service| id_of(found) == service || found.service_name() == Some(service);
    let found = found.services.unwrap_or_default().into_iter().find(is_it);
    found.ok_or_else(|| Failure::new(FailureKind::NotFound, "the service is gone"))
}

/// Whether a record is of the deployment of this revision; where one of the two has none, whether it is not of one that
/// began before.
fn is_ours(record: &api::ServiceDeployment, revision: Option<&str>, began: Option<&aws_smithy_types::DateTime>) -> bool {
    let of = record.target_service_revision().and_then(|of| of.arn()).and_then(number);
    let made = record.created_at().map(aws_smithy_types::DateTime::secs);
    match revision.zip(of) {
        Some((revision, of)) => revision == of,
        None => made.zip(began).is_none_or(|(made, began)| made >= began.secs() - SAME_DEPLOYMENT),
    }
}

/// A record's verdict.
fn verdict(record: &api::ServiceDeployment) -> Option<Standing> {
    use api::ServiceDeploymentStatus as Status;
    let reason = record.rollback().and_then(|rollback| rollback.reason()).or(record.status_reason());
    let reason = reason.unwrap_or("AWS gives no reason");
    match record.status()? {
        Status::Successful => Some(Standing::Done),
        // Tasks of before may be stable again: that is no success (ECS API Reference, ServiceDeployment).
        Status::RollbackRequested | Status::RollbackInProgress => {
            Some(Standing::Failed(format!("the deployment is being rolled back: {reason}")))
        }
        Status::RollbackSuccessful => Some(Standing::Failed(format!("the deployment was rolled back: {reason}"))),
        Status::RollbackFailed => Some(Standing::Failed(format!("the deployment failed, and so did its rollback: {reason}"))),
        Status::StopRequested | Status::Stopped => Some(Standing::Failed(format!("the deployment was stopped: {reason}"))),
        Status::Pending | Status::InProgress => {
            let stage = record.lifecycle_stage().map(|stage| stage.as_str().to_lowercase().replace('_', " "));
            Some(Standing::Going(stage.unwrap_or_default()))
        }
        _ => None,
    }
}

/// Where a deployment of a service stands, by what ECS says of the service and by its record of the deployment.
pub fn standing(service: &api::Service, record: Option<&api::ServiceDeployment>, wanted: &Deployment) -> Standing {
    let deployments = service.deployments();
    let ours = deployments.iter().find(|deployment| wanted.is(deployment));
    let revision = wanted.revision(service);
    let record = record.filter(|record| is_ours(record, revision, ours.and_then(|ours| ours.created_at())));
    let verdict = record.and_then(verdict);
    // One that has failed is not listed any more once ECS has gone back.
    if let Some(Standing::Failed(reason)) = verdict {
        return Standing::Failed(reason);
    }
    let Some(ours) = ours else {
        return match verdict {
            // Another one has taken its place since.
            Some(Standing::Done) if revision.is_some() => Standing::Done,
            _ => Standing::Going("the deployment has not begun".to_owned()),
        };
    };
    let old: i32 = deployments.iter().filter(|other| other.id() != ours.id()).map(|other| other.running_count()).sum();
    let parts = [(ours.pending_count(), "start"), (old, "of before still run"), (ours.failed_tasks(), "failed")];
    let parts = parts.iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!(", {number} {what}"));
    let count = match ours.desired_count() {
        0 => "no task is to run yet".to_owned(),
        desired => format!("{} of {desired} tasks run", ours.running_count()),
    };
    let count = format!("{count}{}", parts.collect::<String>());
    if ours.rollout_state() == Some(&api::DeploymentRolloutState::Failed) {
        let reason = ours.rollout_state_reason().unwrap_or("AWS gives no reason");
        return Standing::Failed(format!("the deployment failed: {reason}"));
    }
    if ours.status() != Some("PRIMARY") {
        return Standing::Failed("the deployment was rolled back".to_owned());
    }
    match (ours.rollout_state(), verdict) {
        // All tasks run, and the old ones are still there in case an alarm goes off.
        (Some(api::DeploymentRolloutState::Completed), Some(Standing::Going(stage))) if !stage.is_empty() => {
            Standing::Going(format!("{count}, {stage}"))
        }
        (Some(api::DeploymentRolloutState::Completed), Some(Standing::Going(_))) => Standing::Going(count),
        (Some(api::DeploymentRolloutState::Completed), _) => Standing::Done,
        // Without a rollout state the service's own counts are all there is.
        (None, None) if deployments.len() == 1 && ours.running_count() == ours.desired_count() => Standing::Done,
        (None, Some(Standing::Done)) => Standing::Done,
        _ if ours.failed_tasks() >= FAILED_TASKS && ours.running_count() == 0 => {
            Standing::Failed(format!("its tasks keep failing: {count}"))
        }
        _ => Standing::Going(count),
    }
}

/// Whether `written` (an ARN, `family:revision` or a family) names the revision `arn`.
pub fn names(written: &str, arn: &str) -> bool {
    let name = arn.rsplit_once('/').map_or(arn, |(_, name)| name);
    written == arn || written == name || name.rsplit_once(':').is_some_and(|(family, _)| family == written)
}

/// The failure with what the stopped tasks and the service say about it.
async fn explained(aws: &Aws, cluster: &str, service: &api::Service, reason: &str) -> Failure {
    let mut message = reason.to_owned();
    let name = service.service_name().unwrap_or_default();
    // The rollout's failure is the news; not being able to say more of it must not hide it.
    for task in stopped_tasks(aws, cluster, name).await.unwrap_or_default() {
        message.push_str("\n  ");
        message.push_str(&task);
    }
    if let Some(event) = service.events().first().and_then(|event| event.message()) {
        message.push_str("\n  last event: ");
        message.push_str(event);
    }
    Failure { operation: "ecs:DescribeServices".to_owned(), ..Failure::new(FailureKind::Other, message) }
}

/// The service's tasks that stopped lately, as many as there are up to a number.
async fn stopped(aws: &Aws, cluster: &str, service: &str, most: i32) -> Outcome<Vec<api::Task>> {
    let call = aws.ecs().list_tasks().cluster(cluster).service_name(service).desired_status(api::DesiredStatus::Stopped).max_results(most);
    let arns = call.send().await.or_fail("ecs:ListTasks")?.task_arns.unwrap_or_default();
    if arns.is_empty() {
        return Ok(Vec::new());
    }
    let described = aws.ecs().describe_tasks().cluster(cluster).set_tasks(Some(arns)).send().await.or_fail("ecs:DescribeTasks")?;
    Ok(described.tasks.unwrap_or_default())
}

/// The deployment's own tasks that have stopped, while fewer run than there are to be; in words.
async fn stopped_of(aws: &Aws, cluster: &str, service: &api::Service, wanted: &Deployment) -> Option<String> {
    let ours = service.deployments().iter().find(|deployment| wanted.is(deployment))?;
    if ours.running_count() >= ours.desired_count() {
        return None;
    }
    // Not being able to say more must not end the wait.
    let tasks = stopped(aws, cluster, service.service_name().unwrap_or_default(), TASKS).await.ok()?;
    stops(&tasks, ours)
}

/// How many of these tasks are a deployment's, and why the last of them stopped.
fn stops(tasks: &[api::Task], ours: &api::Deployment) -> Option<String> {
    let began = ours.created_at().map(aws_smithy_types::DateTime::secs);
    let is_ours = |task: &&api::Task| {
        task.task_definition_arn() == ours.task_definition() && task.created_at().map(aws_smithy_types::DateTime::secs) >= began
    };
    let ours: Vec<&api::Task> = tasks.iter().filter(is_ours).collect();
    let last = ours.iter().max_by_key(|task| task.stopped_at().or(task.stopping_at()).map(aws_smithy_types::DateTime::secs))?;
    let number = if ours.len() == 1 { "1 task has".to_owned() } else { format!("{} tasks have", ours.len()) };
    Some(format!("{number} stopped, the last one: {}", why_stopped(last)))
}

/// Why the service's tasks stopped, the same reason once.
async fn stopped_tasks(aws: &Aws, cluster: &str, service: &str) -> Outcome<Vec<String>> {
    let mut reasons = Vec::new();
    for task in &stopped(aws, cluster, service, EXPLAINED).await? {
        let line = format!("stopped task: {}", why_stopped(task));
        if !reasons.contains(&line) {
            reasons.push(line);
        }
    }
    Ok(reasons)
}

/// Why a task stopped, and how its containers ended.
pub fn why_stopped(task: &api::Task) -> String {
    let code = task.stop_code().map(api::TaskStopCode::as_str).filter(|code| !code.is_empty());
    let reason = task.stopped_reason().filter(|reason| !reason.is_empty());
    let mut why = match (code, reason) {
        (Some(code), Some(reason)) => format!("{code}: {reason}"),
        (one, other) => one.or(other).unwrap_or("stopped").to_owned(),
    };
    for container in task.containers() {
        let name = container.name().unwrap_or_default();
        match (container.exit_code(), container.reason()) {
            (_, Some(reason)) => why.push_str(&format!("; container {name}: {reason}")),
            (Some(code), None) => why.push_str(&format!("; container {name} exited with {code}")),
            (None, None) => {}
        }
    }
    why
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::{DeploymentRolloutState as State, ServiceDeploymentStatus as Status};
    use aws_smithy_types::DateTime;

    const OURS: &str = "arn:aws:ecs:r:1:task-definition/app:2";

    fn ours() -> Deployment {
        Deployment::Of(OURS.to_owned())
    }

    fn deployment(status: &str, state: State, failed: i32) -> api::Deployment {
        let running = i32::from(state == State::Completed);
        let deployment = api::Deployment::builder().status(status).rollout_state(state).failed_tasks(failed);
        let deployment = deployment.desired_count(1).running_count(running);
        deployment.task_definition(OURS).created_at(DateTime::from_secs(1000)).build()
    }

    fn of(deployments: Vec<api::Deployment>) -> Standing {
        standing(&api::Service::builder().set_deployments(Some(deployments)).build(), None, &ours())
    }

    fn with_record(state: State, status: Status, made: i64) -> Standing {
        let service = api::Service::builder().deployments(deployment("PRIMARY", state, 0)).build();
        let rollback = api::Rollback::builder().reason("alarm too-many-errors").build();
        let record = api::ServiceDeployment::builder().status(status).rollback(rollback).created_at(DateTime::from_secs(made)).build();
        standing(&service, Some(&record), &ours())
    }

    #[test]
    fn a_rollback_is_a_failure_though_the_service_is_stable_again() {
        let back = api::Deployment::builder().status("PRIMARY").rollout_state(State::Completed);
        let back = back.task_definition("arn:aws:ecs:r:1:task-definition/app:1").build();
        let ours = deployment("ACTIVE", State::InProgress, 0);
        assert!(matches!(of(vec![back, ours]), Standing::Failed(_)));
        assert!(matches!(of(vec![deployment("ACTIVE", State::Failed, 3)]), Standing::Failed(_)));
        let Standing::Failed(reason) = with_record(State::Completed, Status::RollbackSuccessful, 1000) else { panic!("not failed") };
        assert_eq!(reason, "the deployment was rolled back: alarm too-many-errors");
        assert!(matches!(with_record(State::InProgress, Status::Stopped, 1000), Standing::Failed(_)));
    }

    #[test]
    fn the_verdict_on_an_earlier_deployment_is_not_the_verdict_on_this_one() {
        assert!(matches!(with_record(State::InProgress, Status::RollbackSuccessful, 100), Standing::Going(_)));
        assert!(matches!(with_record(State::InProgress, Status::Successful, 100), Standing::Going(_)));
    }

    #[test]
    fn a_verdict_is_of_the_revision_it_names_however_old_it_is() {
        let record = |number: u32, status: Status| {
            let of = api::ServiceRevisionSummary::builder().arn(format!("arn:aws:ecs:r:1:service-revision/c/s/{number}")).build();
            api::ServiceDeployment::builder().status(status).target_service_revision(of).created_at(DateTime::from_secs(999)).build()
        };
        let wanted = Deployment::Id("ecs-svc/7".to_owned());
        let mut listed = deployment("PRIMARY", State::InProgress, 0);
        listed.id = Some("ecs-svc/7".to_owned());
        let service = api::Service::builder().deployments(listed).build();
        // Rolled back a moment before the fix was applied.
        assert!(matches!(standing(&service, Some(&record(6, Status::RollbackSuccessful)), &wanted), Standing::Going(_)));
        assert!(matches!(standing(&service, Some(&record(7, Status::RollbackSuccessful)), &wanted), Standing::Failed(_)));
        // ECS has gone back already and does not list it any more.
        let back = api::Service::builder().deployments(deployment("PRIMARY", State::Completed, 0)).build();
        assert!(matches!(standing(&back, Some(&record(7, Status::Stopped)), &wanted), Standing::Failed(_)));
        assert_eq!(standing(&back, Some(&record(7, Status::Successful)), &wanted), Standing::Done);
        assert!(matches!(standing(&back, Some(&record(6, Status::Successful)), &wanted), Standing::Going(_)));
    }

    #[test]
    fn a_service_that_codedeploy_deploys_is_waited_for_by_its_task_sets() {
        let service = |controller: &str, set: Option<(&str, &str)>| {
            let of = api::DeploymentController::builder().r#type(controller.into()).build().unwrap();
            let set = set.map(|(status, stable)| api::TaskSet::builder().status(status).stability_status(stable.into()).build());
            let service = api::Service::builder().deployment_controller(of).desired_count(2).running_count(1);
            is_settled(&service.set_task_sets(set.map(|set| vec![set])).build())
        };
        assert!(service("CODE_DEPLOY", Some(("PRIMARY", "STEADY_STATE"))));
        assert!(!service("CODE_DEPLOY", Some(("PRIMARY", "STABILIZING"))));
        assert!(!service("CODE_DEPLOY", Some(("ACTIVE", "STEADY_STATE"))));
        assert!(!service("CODE_DEPLOY", None), "the first task set is not there yet");
        assert!(service("EXTERNAL", None), "nobody has made one yet");
    }

    #[test]
    fn a_deployment_that_is_still_watched_is_not_done() {
        assert!(matches!(with_record(State::Completed, Status::InProgress, 1000), Standing::Going(_)));
        assert_eq!(with_record(State::Completed, Status::Successful, 1000), Standing::Done);
    }

    #[test]
    fn what_ecs_says_is_said_once_and_only_of_this_deployment() {
        let event = |id: &str, at: i64, message: &str| {
            api::ServiceEvent::builder().id(id).created_at(DateTime::from_secs(at)).message(message).build()
        };
        let service = api::Service::builder().deployments(deployment("PRIMARY", State::InProgress, 0));
        let started = |id: &str, at: i64| event(id, at, &format!("(service app) has started 1 tasks: (task {id})."));
        let service = service.events(event("d", 1010, "is unhealthy: [502]")).events(started("c", 1005)).events(started("b", 1001));
        let service = service.events(event("a", 900, "of before")).build();
        let mut heard = BTreeSet::new();
        assert_eq!(news(&service, &ours(), &mut heard), ["(service app) has started 1 tasks: (task b).", "is unhealthy: [502]"]);
        assert!(news(&service, &ours(), &mut heard).is_empty());
    }

    #[test]
    fn a_wait_says_why_tasks_of_this_deployment_do_not_start() {
        let task = |definition: &str, made: i64, stopped: i64, reason: &str| {
            let task = api::Task::builder().task_definition_arn(definition).stop_code(api::TaskStopCode::TaskFailedToStart);
            let task = task.created_at(DateTime::from_secs(made)).stopped_at(DateTime::from_secs(stopped));
            task.stopped_reason(reason).build()
        };
        let ours = deployment("PRIMARY", State::InProgress, 0);
        let before = [task("arn:aws:ecs:r:1:task-definition/app:1", 1000, 2000, "of another"), task(OURS, 900, 2000, "of before")];
        assert_eq!(stops(&before, &ours), None);
        let tasks = [task(OURS, 1000, 1005, "no image"), task(OURS, 1001, 1009, "no secret"), task(OURS, 1002, 1006, "no image")];
        let tasks = [&before[..], &tasks].concat();
        assert_eq!(stops(&tasks, &ours).unwrap(), "3 tasks have stopped, the last one: TaskFailedToStart: no secret");
    }

    #[test]
    fn tasks_that_keep_failing_are_a_failure_and_not_an_hour_of_silence() {
        assert!(matches!(of(vec![deployment("PRIMARY", State::InProgress, 3)]), Standing::Failed(_)));
        assert!(matches!(of(vec![deployment("PRIMARY", State::InProgress, 1)]), Standing::Going(_)));
        assert_eq!(of(vec![deployment("PRIMARY", State::Completed, 0)]), Standing::Done);
    }
}
