//! Waiting for a service's rollout, by the deployment's own verdict.

use std::time::Duration;

use aws_sdk_ecs::types as api;

use crate::aws::client::Aws;
use crate::aws::error::OrFail;
use crate::engine::ports::{Failure, FailureKind, Operation, Outcome};

/// How often the deployment is looked at.
const POLL: Duration = Duration::from_secs(5);
/// Tasks that fail in a row before a rollout without circuit breaker counts as failed: the breaker's own
/// least threshold (ECS Developer Guide, "How the Amazon ECS deployment circuit breaker detects failures").
const FAILED_TASKS: i32 = 3;

/// Where a rollout stands.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    /// Every task runs and is healthy.
    Done,
    /// Not yet; in words.
    Going(String),
    /// It will not succeed; why.
    Failed(String),
}

/// Waits until the service runs `task_definition`.
///
/// # Errors
/// When the rollout fails, is rolled back, or takes too long: with the reasons of the tasks that stopped.
pub async fn wait(aws: &Aws, operation: &Operation, cluster: &str, service: &str, task_definition: &str) -> Outcome<()> {
    let mut said = String::new();
    loop {
        let call = aws.ecs().describe_services().cluster(cluster).services(service);
        let found = call.send().await.or_fail("ecs:DescribeServices")?;
        let Some(found) = found.services().first() else {
            return Err(Failure::new(FailureKind::NotFound, "the service is gone"));
        };
        match standing(found, task_definition) {
            Standing::Done => return Ok(()),
            Standing::Going(message) => {
                if message != said {
                    (operation.progress.0)(message.clone());
                    said = message;
                }
            }
            Standing::Failed(reason) => return Err(explained(aws, cluster, found, &reason).await),
        }
        if let Err(failure) = operation.pause(POLL, "waiting for the rollout").await {
            if failure.kind == FailureKind::Interrupted {
                return Err(failure);
            }
            return Err(explained(aws, cluster, found, &failure.message).await);
        }
    }
}

fn standing(service: &api::Service, task_definition: &str) -> Standing {
    let deployments = service.deployments();
    let is_ours = |deployment: &&api::Deployment| deployment.task_definition().is_some_and(|arn| names(task_definition, arn));
    let Some(ours) = deployments.iter().find(is_ours) else {
        return Standing::Going("the deployment has not begun".to_owned());
    };
    let count = format!("{} of {} tasks run, {} failed", ours.running_count(), ours.desired_count(), ours.failed_tasks());
    if ours.rollout_state() == Some(&api::DeploymentRolloutState::Failed) {
        let reason = ours.rollout_state_reason().unwrap_or("AWS gives no reason");
        return Standing::Failed(format!("the deployment failed: {reason}"));
    }
    if ours.status() != Some("PRIMARY") {
        return Standing::Failed("the deployment was rolled back".to_owned());
    }
    match ours.rollout_state() {
        Some(api::DeploymentRolloutState::Completed) => Standing::Done,
        // Without a rollout state the service's own counts are all there is.
        None if deployments.len() == 1 && ours.running_count() == ours.desired_count() => Standing::Done,
        _ if ours.failed_tasks() >= FAILED_TASKS && ours.running_count() == 0 => {
            Standing::Failed(format!("its tasks keep failing: {count}"))
        }
        _ => Standing::Going(count),
    }
}

/// Whether `written` (an ARN, `family:revision` or a family) names the revision `arn`.
fn names(written: &str, arn: &str) -> bool {
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

/// Why the service's tasks stopped, the same reason once.
async fn stopped_tasks(aws: &Aws, cluster: &str, service: &str) -> Outcome<Vec<String>> {
    let call = aws.ecs().list_tasks().cluster(cluster).service_name(service).desired_status(api::DesiredStatus::Stopped).max_results(10);
    let arns = call.send().await.or_fail("ecs:ListTasks")?.task_arns.unwrap_or_default();
    if arns.is_empty() {
        return Ok(Vec::new());
    }
    let described = aws.ecs().describe_tasks().cluster(cluster).set_tasks(Some(arns)).send().await.or_fail("ecs:DescribeTasks")?;
    let mut reasons = Vec::new();
    for task in described.tasks() {
        let mut reason = match (task.stop_code(), task.stopped_reason()) {
            (Some(code), Some(reason)) => format!("{}: {reason}", code.as_str()),
            (Some(code), None) => code.as_str().to_owned(),
            (None, reason) => reason.unwrap_or("stopped").to_owned(),
        };
        for container in task.containers() {
            let name = container.name().unwrap_or_default();
            match (container.exit_code(), container.reason()) {
                (_, Some(why)) => reason.push_str(&format!("; container {name}: {why}")),
                (Some(code), None) => reason.push_str(&format!("; container {name} exited with {code}")),
                (None, None) => {}
            }
        }
        let line = format!("stopped task: {reason}");
        if !reasons.contains(&line) {
            reasons.push(line);
        }
    }
    Ok(reasons)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(status: &str, state: api::DeploymentRolloutState, failed: i32) -> api::Deployment {
        let deployment = api::Deployment::builder().status(status).rollout_state(state).failed_tasks(failed).desired_count(1);
        deployment.task_definition("arn:aws:ecs:r:1:task-definition/app:2").build()
    }

    fn of(deployments: Vec<api::Deployment>) -> Standing {
        standing(&api::Service::builder().set_deployments(Some(deployments)).build(), "arn:aws:ecs:r:1:task-definition/app:2")
    }

    #[test]
    fn a_rollback_is_a_failure_though_the_service_is_stable_again() {
        let back = api::Deployment::builder().status("PRIMARY").rollout_state(api::DeploymentRolloutState::Completed);
        let back = back.task_definition("arn:aws:ecs:r:1:task-definition/app:1").build();
        let ours = deployment("ACTIVE", api::DeploymentRolloutState::InProgress, 0);
        assert!(matches!(of(vec![back, ours]), Standing::Failed(_)));
        assert!(matches!(of(vec![deployment("ACTIVE", api::DeploymentRolloutState::Failed, 3)]), Standing::Failed(_)));
    }

    #[test]
    fn tasks_that_keep_failing_are_a_failure_and_not_an_hour_of_silence() {
        assert!(matches!(of(vec![deployment("PRIMARY", api::DeploymentRolloutState::InProgress, 3)]), Standing::Failed(_)));
        assert!(matches!(of(vec![deployment("PRIMARY", api::DeploymentRolloutState::InProgress, 1)]), Standing::Going(_)));
        assert_eq!(of(vec![deployment("PRIMARY", api::DeploymentRolloutState::Completed, 0)]), Standing::Done);
    }
}
