//! A release as it is told, from what AWS says of the service, the record of its deployment, its tasks and its targets.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecs::types as api;

use super::{LogLine, Release, ReleaseTask, Verdict};
use crate::ops::status::services::Service;
use crate::ops::status::targets::TargetGroup;
use crate::ops::status::{Unreadable, name_of, tasks, time};
use crate::ops::task::Task;
use leoctl_aws::ecs::rollout::{self, Deployment, Standing};

/// What AWS says of a service whose release is followed.
pub struct Said<'a> {
    /// The service as a status shows it.
    pub service: Service,
    /// The service; nothing when it is gone.
    pub found: Option<&'a api::Service>,
    /// The deployment that is followed, where ECS controls any.
    pub deployment: Option<&'a Deployment>,
    /// Its record, where there is one.
    pub record: Option<&'a api::ServiceDeployment>,
    /// The service's tasks.
    pub tasks: Vec<&'a Task>,
    /// What tasks wrote last, by the ARN of the task.
    pub logs: &'a BTreeMap<String, Vec<LogLine>>,
    /// The families whose images are sensitive.
    pub hidden: &'a BTreeSet<String>,
    /// The service's target groups.
    pub target_groups: Vec<TargetGroup>,
    /// What may not be read.
    pub unreadable: Vec<Unreadable>,
}

/// The release.
pub fn release(said: Said<'_>) -> Release {
    let followed = said.found.zip(said.deployment).and_then(|(found, wanted)| {
        let listed = found.deployments().iter().find(|deployment| wanted.is(deployment));
        match wanted {
            // ECS does not list it any more once it has gone back.
            Deployment::Id(id) => Some((id.clone(), listed)),
            Deployment::Of(_) => listed.map(|listed| (listed.id().unwrap_or_default().to_owned(), Some(listed))),
        }
    });
    let began = followed.as_ref().and_then(|(_, listed)| listed.and_then(|listed| time(listed.created_at())));
    let began = began.or_else(|| said.record.and_then(|record| time(record.created_at())));
    let is_of_it = |task: &&&Task| !task.has_stopped() || began.is_none() || task.stopped() >= began;
    let tasks = said.tasks.iter().filter(is_of_it).map(|task| {
        let logs = said.logs.get(task.arn()).cloned().unwrap_or_default();
        reported(task, said.found, followed.as_ref().map(|(id, _)| id.as_str()), logs)
    });
    let tasks = tasks.collect();
    let verdict = verdict(&said);
    let release = Release {
        verdict,
        images: images(&said.tasks, said.hidden),
        tasks,
        followed: followed.map(|(id, _)| id),
        began,
        service: said.service,
        target_groups: said.target_groups,
        unreadable: said.unreadable,
    };
    keeps_failing(release)
}

/// A release of which no task runs and so many have failed that ECS's own circuit breaker would give up will not succeed,
/// whatever count of them ECS keeps.
fn keeps_failing(release: Release) -> Release {
    let ours = release.service.deployments.iter().find(|one| release.is_followed(&one.id));
    let (runs, desired) = (ours.is_none_or(|ours| ours.running > 0), ours.map_or(0, |ours| ours.desired));
    let failed = i32::try_from(release.failed().count()).unwrap_or(i32::MAX);
    // As many as ECS itself would take for a failure: of a large service some may.
    let most = rollout::FAILED_TASKS.max(desired / 2);
    match &release.verdict {
        Verdict::Going { said } if !runs && failed >= most => {
            let reason = format!("its tasks keep failing: {said}");
            Release { verdict: Verdict::Failed { reason }, ..release }
        }
        _ => release,
    }
}

fn verdict(said: &Said<'_>) -> Verdict {
    let Some(found) = said.found.filter(|found| found.status().is_none_or(|status| status == "ACTIVE")) else {
        return Verdict::Failed { reason: "the service is gone from ECS".to_owned() };
    };
    let Some(deployment) = said.deployment else {
        let (running, desired) = (found.running_count(), found.desired_count());
        return match running == desired && found.pending_count() == 0 {
            true => Verdict::Done,
            false => Verdict::Going { said: format!("{running} of {desired} tasks run") },
        };
    };
    match rollout::standing(found, said.record, deployment) {
        Standing::Going(said) => Verdict::Going { said },
        Standing::Done => Verdict::Done,
        Standing::Failed(reason) => Verdict::Failed { reason },
    }
}

/// The images that tasks run, as AWS says them, by the task definition.
fn images(tasks: &[&Task], hidden: &BTreeSet<String>) -> BTreeMap<String, Vec<String>> {
    let mut images: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for task in tasks.iter().filter(|task| !hidden.contains(task.family())) {
        let of = name_of(task.live.task_definition_arn().unwrap_or_default()).to_owned();
        let all = task.live.containers().iter().filter_map(|container| container.image()).map(str::to_owned);
        images.entry(of).or_default().extend(all);
    }
    images.into_iter().filter(|(_, all)| !all.is_empty()).map(|(of, all)| (of, all.into_iter().collect())).collect()
}

fn reported(task: &Task, service: Option<&api::Service>, followed: Option<&str>, logs: Vec<LogLine>) -> ReleaseTask {
    let stopped = task.has_stopped();
    ReleaseTask {
        id: task.id.clone(),
        deployment: deployment_of(task, service, followed),
        status: task.status().to_owned(),
        health: task.health().filter(|_| !stopped).map(str::to_owned),
        started_at: task.started(),
        stopped_at: task.stopped().filter(|_| stopped),
        reason: task.why_stopped().filter(|_| stopped),
        failed: stopped && tasks::failed(&task.live),
        logs,
    }
}

/// The deployment that started a task: a service's tasks say it (ECS API Reference, Task, `startedBy`); where one says none
/// that is known, the newest of its task definition that had begun by then.
fn deployment_of(task: &Task, service: Option<&api::Service>, followed: Option<&str>) -> Option<String> {
    let deployments = service.map(api::Service::deployments).unwrap_or_default();
    let is_known = |by: &&str| Some(*by) == followed || deployments.iter().any(|deployment| deployment.id() == Some(*by));
    if let Some(started_by) = task.live.started_by().filter(is_known) {
        return Some(started_by.to_owned());
    }
    let second = |time: Option<&aws_smithy_types::DateTime>| time.map(aws_smithy_types::DateTime::secs);
    let made = second(task.live.created_at());
    let is = |deployment: &&api::Deployment| {
        deployment.task_definition() == task.live.task_definition_arn()
            && made.zip(second(deployment.created_at())).is_none_or(|(made, began)| made >= began)
    };
    deployments.iter().filter(is).max_by_key(|deployment| second(deployment.created_at()))?.id().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::DateTime;

    use super::*;

    fn deployment(id: u8, began: i64) -> api::Deployment {
        let deployment = api::Deployment::builder().id(format!("ecs-svc/{id}")).created_at(DateTime::from_secs(began));
        deployment.task_definition("arn:aws:ecs:r:1:task-definition/web:2").status("PRIMARY").build()
    }

    fn task(made: i64, started_by: Option<&str>) -> Task {
        let live = api::Task::builder().task_arn("arn:aws:ecs:r:1:task/c/abc").created_at(DateTime::from_secs(made));
        let live = live.task_definition_arn("arn:aws:ecs:r:1:task-definition/web:2").set_started_by(started_by.map(str::to_owned));
        let container = api::Container::builder().name("web").image("web:v2").build();
        Task::new(live.containers(container).build(), "r")
    }

    #[test]
    fn a_task_is_of_the_deployment_that_started_it() {
        let service = api::Service::builder().deployments(deployment(9, 200)).deployments(deployment(8, 100)).build();
        let of = |made, by| deployment_of(&task(made, by), Some(&service), Some("ecs-svc/10"));
        assert_eq!(of(250, Some("ecs-svc/8")).as_deref(), Some("ecs-svc/8"));
        assert_eq!(of(250, None).as_deref(), Some("ecs-svc/9"));
        assert_eq!(of(150, Some("a person")).as_deref(), Some("ecs-svc/8"));
        assert_eq!(of(50, None), None);
        // ECS has gone back already, and does not list it any more.
        assert_eq!(of(250, Some("ecs-svc/10")).as_deref(), Some("ecs-svc/10"));
        assert_eq!(of(250, Some("of-another-kind")).as_deref(), Some("ecs-svc/9"));
    }

    #[test]
    fn a_release_of_which_no_task_runs_and_three_have_failed_will_not_succeed() {
        let going = || crate::ops::release::tests::troubled();
        assert_eq!(keeps_failing(going()).verdict, going().verdict, "one runs");
        let mut none = going();
        none.service.deployments[0].running = 0;
        assert!(!keeps_failing(none.clone()).verdict.is_final(), "two have failed");
        let third = none.tasks[4].clone();
        none.tasks.push(third);
        let Verdict::Failed { reason } = keeps_failing(none).verdict else { panic!("it goes on") };
        assert!(reason.starts_with("its tasks keep failing: 1 of 2 tasks run"), "{reason}");
    }

    #[test]
    fn an_image_that_is_sensitive_is_not_shown() {
        let (task, hidden) = (task(1, None), BTreeSet::from(["web".to_owned()]));
        assert_eq!(images(&[&task], &BTreeSet::new()), BTreeMap::from([("web:2".to_owned(), vec!["web:v2".to_owned()])]));
        assert_eq!(images(&[&task], &hidden), BTreeMap::new());
    }
}
