//! What is wrong with a stack, told from its status.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Status;
use super::alarms::Alarm;
use super::certificates::Certificate;
use super::services::Service;
use super::targets::TargetGroup;
use super::tasks::{Owner, TaskReport};

/// From how many days before its end on a certificate is a problem: AWS begins to renew sixty days before (ACM User
/// Guide, "Managed certificate renewal"), so one that is still the old one then is not being renewed.
const DAYS_LEFT: i64 = 30;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something does not work.
    Error,
    /// Something will not, or may not.
    Warning,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// What it is about: an address, or the name of what is not the stack's.
    pub subject: String,
    /// What is wrong.
    pub message: String,
}

impl Problem {
    fn error(subject: impl ToString, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, subject: subject.to_string(), message: message.into() }
    }

    fn warning(subject: impl ToString, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, subject: subject.to_string(), message: message.into() }
    }
}

/// What is wrong, the worst first.
pub fn of(status: &Status) -> Vec<Problem> {
    let mut problems: Vec<Problem> = status.services.iter().flat_map(service).collect();
    problems.extend(failures(&status.services, &status.tasks));
    problems.extend(status.target_groups.iter().filter_map(targets));
    problems.extend(status.alarms.iter().filter_map(alarm));
    problems.extend(status.certificates.iter().filter_map(certificate));
    problems.extend(status.state.unfinished.iter().map(|address| {
        Problem::warning(address, "the last apply did not finish it, or is at it now: `leoctl plan` shows what is left to do")
    }));
    problems.extend(
        status
            .unreadable
            .iter()
            .map(|part| Problem::warning(part.what, format!("these credentials may not read them: your role lacks {}", part.permission))),
    );
    problems.sort_by_key(|problem| problem.severity);
    problems
}

fn service(service: &Service) -> Vec<Problem> {
    let name = &service.address;
    match service.status.as_str() {
        "ACTIVE" => {}
        "MISSING" | "INACTIVE" => {
            return vec![Problem::error(name, "it is gone from ECS: `leoctl plan` shows what bringing it back takes")];
        }
        other => return vec![Problem::error(name, format!("it is {other}"))],
    }
    let mut problems = Vec::new();
    for deployment in &service.deployments {
        if deployment.rollout.as_deref() == Some("FAILED") {
            let reason = deployment.reason.as_deref().unwrap_or("ECS gives no reason");
            problems.push(Problem::error(name, format!("the deployment of {} failed: {reason}", deployment.task_definition)));
        } else if deployment.failed > 0 && deployment.status == "PRIMARY" {
            let message = format!("{} of the deployment of {} failed", tasks_of(deployment.failed), deployment.task_definition);
            problems.push(Problem::warning(name, message));
        }
    }
    if service.running < service.desired {
        let message = format!("{} of {} run", service.running, tasks_of(service.desired));
        let one = if service.running == 0 { Problem::error } else { Problem::warning };
        problems.push(one(name.to_string(), message));
    }
    problems
}

fn tasks_of(count: i32) -> String {
    if count == 1 { "1 task".to_owned() } else { format!("{count} tasks") }
}

/// The tasks that failed, of each service or family together.
fn failures(services: &[Service], tasks: &[TaskReport]) -> Vec<Problem> {
    let mut failed: BTreeMap<Owner<'_>, Vec<&TaskReport>> = BTreeMap::new();
    for task in tasks.iter().filter(|task| task.failed) {
        failed.entry(task.owner()).or_default().push(task);
    }
    let problem = |failed: Vec<&TaskReport>| {
        let latest = failed.iter().max_by_key(|task| task.stopped_at)?;
        let count = tasks_of(i32::try_from(failed.len()).unwrap_or(i32::MAX));
        let message = format!("{count} failed in the last hour, the last one: {}", latest.reason.as_deref().unwrap_or("no reason given"));
        Some(match services.iter().find(|service| latest.address.as_ref() == Some(&service.address)) {
            Some(service) if service.running < service.desired => Problem::error(&service.address, message),
            Some(service) => Problem::warning(&service.address, message),
            None => Problem::warning(latest.owner_name(), message),
        })
    };
    failed.into_values().filter_map(problem).collect()
}

fn targets(group: &TargetGroup) -> Option<Problem> {
    let bad: Vec<_> = group.targets.iter().filter(|target| target.state == "unhealthy").collect();
    let first = bad.first()?;
    let reason = first.reason.as_deref().unwrap_or("AWS gives no reason");
    let message = format!("{} of {} targets are unhealthy: {reason}", bad.len(), group.targets.len());
    let name = group.address.as_ref().map_or_else(|| group.name.clone(), ToString::to_string);
    Some(Problem::error(name, message))
}

fn alarm(alarm: &Alarm) -> Option<Problem> {
    match alarm.state.as_str() {
        "ALARM" => {
            let reason = alarm.reason.as_deref().unwrap_or("CloudWatch gives no reason");
            Some(Problem::error(&alarm.address, format!("the alarm went off: {reason}")))
        }
        "MISSING" => {
            Some(Problem::warning(&alarm.address, "CloudWatch has no such alarm: `leoctl plan` shows what bringing it back takes"))
        }
        _ => None,
    }
}

fn certificate(certificate: &Certificate) -> Option<Problem> {
    let subject = certificate.addresses.first().map_or_else(|| certificate.domain.clone(), ToString::to_string);
    let domain = &certificate.domain;
    match (certificate.status.as_str(), certificate.days_left) {
        ("MISSING", _) => Some(Problem::error(subject, format!("there is no certificate {}", certificate.arn))),
        ("PENDING_VALIDATION", _) => Some(Problem::warning(subject, format!("the certificate for {domain} waits to be validated"))),
        (_, Some(days)) if days < 0 => Some(Problem::error(subject, format!("the certificate for {domain} has expired"))),
        ("ISSUED", Some(days)) if days < DAYS_LEFT => {
            let renewal = certificate.renewal.as_ref().map_or_else(String::new, |renewal| format!(", its renewal is {renewal}"));
            Some(Problem::warning(subject, format!("the certificate for {domain} expires in {days} days{renewal}")))
        }
        ("ISSUED", _) => None,
        (status, _) => Some(Problem::error(subject, format!("the certificate for {domain} is {status}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::services::Deployment;
    use super::super::targets::Target;
    use super::*;

    fn web(desired: i32, running: i32, rollout: &str) -> Service {
        let deployment = Deployment {
            id: "ecs-svc/1".to_owned(),
            status: "PRIMARY".to_owned(),
            task_definition: "web:2".to_owned(),
            rollout: Some(rollout.to_owned()),
            reason: Some("tasks failed to start".to_owned()),
            desired,
            running,
            pending: 0,
            failed: 0,
            created_at: None,
        };
        Service {
            address: "ecs_service.web".parse().unwrap(),
            name: "web".to_owned(),
            region: "r".to_owned(),
            cluster: "c".to_owned(),
            arn: String::new(),
            status: "ACTIVE".to_owned(),
            desired,
            scaled_to: None,
            running,
            pending: 0,
            deployments: vec![deployment],
            events: Vec::new(),
        }
    }

    fn said(problems: &[Problem]) -> Vec<String> {
        problems.iter().map(|problem| format!("{:?} {}: {}", problem.severity, problem.subject, problem.message)).collect()
    }

    #[test]
    fn a_service_scaled_to_nothing_is_well_and_one_short_of_tasks_is_not() {
        assert_eq!(service(&web(0, 0, "COMPLETED")), []);
        assert_eq!(service(&web(2, 2, "COMPLETED")), []);
        assert_eq!(said(&service(&web(2, 1, "COMPLETED"))), ["Warning ecs_service.web: 1 of 2 tasks run"]);
        let failed = said(&service(&web(1, 0, "FAILED")));
        assert_eq!(
            failed,
            ["Error ecs_service.web: the deployment of web:2 failed: tasks failed to start", "Error ecs_service.web: 0 of 1 task run"]
        );
        let gone = Service { status: "MISSING".to_owned(), ..web(1, 1, "COMPLETED") };
        assert_eq!(service(&gone)[0].severity, Severity::Error);
    }

    #[test]
    fn tasks_that_fail_are_one_problem_with_the_last_reason() {
        let task = |second: i64, reason: &str| TaskReport {
            id: String::new(),
            region: "r".to_owned(),
            cluster: "c".to_owned(),
            service: Some("web".to_owned()),
            address: Some("ecs_service.web".parse().unwrap()),
            family: "web".to_owned(),
            status: "STOPPED".to_owned(),
            health: "UNKNOWN".to_owned(),
            started_at: None,
            stopped_at: jiff::Timestamp::from_second(second).ok(),
            reason: Some(reason.to_owned()),
            failed: true,
        };
        let tasks = [task(10, "out of memory"), task(5, "exit 1")];
        let expected = "ecs_service.web: 2 tasks failed in the last hour, the last one: out of memory";
        assert_eq!(said(&failures(&[web(1, 1, "COMPLETED")], &tasks)), [format!("Warning {expected}")]);
        assert_eq!(said(&failures(&[web(1, 0, "COMPLETED")], &tasks)), [format!("Error {expected}")]);
    }

    #[test]
    fn of_two_services_of_one_name_the_failures_are_each_one_s_own() {
        let task = |address: Option<&str>, region: &str, cluster: &str, reason: &str| TaskReport {
            id: String::new(),
            region: region.to_owned(),
            cluster: cluster.to_owned(),
            service: address.map(|_| "web".to_owned()),
            address: address.map(|address| address.parse().unwrap()),
            family: "web".to_owned(),
            status: "STOPPED".to_owned(),
            health: "UNKNOWN".to_owned(),
            started_at: None,
            stopped_at: None,
            reason: Some(reason.to_owned()),
            failed: true,
        };
        let blue = Service { address: "ecs_service.blue".parse().unwrap(), cluster: "blue".to_owned(), ..web(1, 1, "COMPLETED") };
        let green = Service { address: "ecs_service.green".parse().unwrap(), cluster: "green".to_owned(), ..web(1, 0, "COMPLETED") };
        let tasks = [
            task(Some("ecs_service.green"), "r", "green", "out of memory"),
            task(None, "r", "green", "a job of the same family"),
            task(None, "s", "green", "one of another region"),
        ];
        let said = said(&failures(&[blue, green], &tasks));
        let line =
            |severity: &str, subject: &str, why: &str| format!("{severity} {subject}: 1 task failed in the last hour, the last one: {why}");
        assert!(said.contains(&line("Error", "ecs_service.green", "out of memory")), "{said:?}");
        assert!(said.contains(&line("Warning", "web", "one of another region")), "{said:?}");
    }

    #[test]
    fn unhealthy_targets_alarms_and_old_certificates_are_problems() {
        let target = |state: &str| Target {
            id: "i".to_owned(),
            port: None,
            state: state.to_owned(),
            code: None,
            reason: Some("no answer".to_owned()),
        };
        let targets = vec![target("healthy"), target("unhealthy"), target("draining")];
        let group = TargetGroup { address: None, name: "web".to_owned(), arn: String::new(), services: Vec::new(), targets };
        assert_eq!(super::targets(&group).unwrap().message, "1 of 3 targets are unhealthy: no answer");
        let alarm = |state: &str| Alarm {
            address: "cloudwatch_metric_alarm.a".parse().unwrap(),
            name: "a".to_owned(),
            state: state.to_owned(),
            since: None,
            reason: None,
        };
        assert!(super::alarm(&alarm("ALARM")).is_some() && super::alarm(&alarm("INSUFFICIENT_DATA")).is_none());
        let certificate = |status: &str, days_left: Option<i64>| {
            super::certificate(&Certificate {
                arn: "arn".to_owned(),
                domain: "example.org".to_owned(),
                addresses: Vec::new(),
                status: status.to_owned(),
                expires_at: None,
                days_left,
                renewal: None,
            })
            .map(|problem| problem.severity)
        };
        assert_eq!(certificate("ISSUED", Some(30)), None);
        assert_eq!(certificate("ISSUED", Some(29)), Some(Severity::Warning));
        assert_eq!(certificate("ISSUED", Some(-1)), Some(Severity::Error));
        assert_eq!(certificate("VALIDATION_TIMED_OUT", None), Some(Severity::Error));
    }
}
