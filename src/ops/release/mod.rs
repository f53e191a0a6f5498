//! Releases as they run: a service's deployments, their tasks, why some of these failed and what they wrote last, the health
//! of the targets, and what ECS says.

mod last;
mod reader;
mod view;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::status::Unreadable;
use super::status::services::Service;
use super::status::targets::TargetGroup;
use leoctl_core::model::redact::Redactor;

pub use last::LINES;
pub use reader::{Followed, Reader};

/// A release of a service.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Release {
    /// The service, with its deployments and what ECS said lately.
    #[serde(flatten)]
    pub service: Service,
    /// The deployment that is followed, by its id; none of a service whose deployments ECS does not control.
    pub followed: Option<String>,
    /// When that began.
    pub began: Option<Timestamp>,
    /// Where it stands.
    pub verdict: Verdict,
    /// The images that tasks run, by their task definition; none that is sensitive.
    pub images: BTreeMap<String, Vec<String>>,
    /// The tasks that run, and those that stopped since the deployment began, the newest first.
    pub tasks: Vec<ReleaseTask>,
    /// The target groups that the service registers its tasks in.
    pub target_groups: Vec<TargetGroup>,
    /// What these credentials may not read.
    pub unreadable: Vec<Unreadable>,
}

/// Where a release stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Verdict {
    /// It goes on.
    Going {
        /// How far it has come.
        said: String,
    },
    /// The new tasks have taken over.
    Done,
    /// It will not succeed.
    Failed {
        /// Why.
        reason: String,
    },
}

impl Verdict {
    /// Whether nothing more comes of it.
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Going { .. })
    }
}

/// A task of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReleaseTask {
    /// Its id.
    pub id: String,
    /// The deployment that started it, by its id, where that is known.
    pub deployment: Option<String>,
    /// Its state, such as `RUNNING` or `STOPPED`.
    pub status: String,
    /// What its containers' health checks say; nothing without any.
    pub health: Option<String>,
    /// When it began to run.
    pub started_at: Option<Timestamp>,
    /// When it stopped.
    pub stopped_at: Option<Timestamp>,
    /// Why it stopped, with how its containers ended.
    pub reason: Option<String>,
    /// Whether it failed: it could not start, or ended by itself.
    pub failed: bool,
    /// The last that its containers wrote, of the newest ones that failed.
    pub logs: Vec<LogLine>,
}

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// When it was written.
    pub at: Option<Timestamp>,
    /// The container that wrote it.
    pub container: String,
    /// What it says.
    pub message: String,
}

impl Release {
    /// Whether a deployment is the one that is followed.
    pub fn is_followed(&self, deployment: &str) -> bool {
        self.followed.as_deref() == Some(deployment)
    }

    /// The tasks of the deployment that is followed which failed, the newest first; of every deployment, where none is known.
    pub fn failed(&self) -> impl Iterator<Item = &ReleaseTask> {
        let ours = |task: &&ReleaseTask| self.followed.is_none() || task.deployment.as_deref().is_none_or(|of| self.is_followed(of));
        self.tasks.iter().filter(|task| task.failed).filter(ours)
    }

    /// The same without what is secret: events, reasons and logs quote what containers were given.
    pub fn redacted(mut self, redactor: &Redactor) -> Self {
        let hide = |text: &mut String| *text = redactor.redact(text);
        self.service.events.iter_mut().for_each(|event| hide(&mut event.message));
        self.service.deployments.iter_mut().filter_map(|deployment| deployment.reason.as_mut()).for_each(hide);
        self.images.values_mut().flatten().for_each(hide);
        for task in &mut self.tasks {
            task.reason.iter_mut().for_each(hide);
            task.logs.iter_mut().for_each(|line| hide(&mut line.message));
        }
        for target in self.target_groups.iter_mut().flat_map(|group| &mut group.targets) {
            target.reason.iter_mut().for_each(hide);
        }
        match &mut self.verdict {
            Verdict::Going { said: text } | Verdict::Failed { reason: text } => hide(text),
            Verdict::Done => {}
        }
        self
    }
}

/// What others test with.
#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::ops::status::services::{Deployment, Event};
    use crate::ops::status::targets::Target;
    use leoctl_core::model::value::Value;

    /// A moment of the release of these tests.
    pub fn at(second: i64) -> Option<Timestamp> {
        Timestamp::from_second(1_790_000_000 + second).ok()
    }

    fn deployment(status: &str, revision: u8, counts: [i32; 4], began: i64) -> Deployment {
        Deployment {
            id: format!("ecs-svc/{revision}"),
            status: status.to_owned(),
            task_definition: format!("shop-web:{revision}"),
            rollout: Some(if status == "PRIMARY" { "IN_PROGRESS" } else { "COMPLETED" }.to_owned()),
            reason: None,
            desired: counts[0],
            running: counts[1],
            pending: counts[2],
            failed: counts[3],
            created_at: at(began),
        }
    }

    fn task(id: &str, revision: u8, status: &str, health: Option<&str>) -> ReleaseTask {
        ReleaseTask {
            id: id.to_owned(),
            deployment: Some(format!("ecs-svc/{revision}")),
            status: status.to_owned(),
            health: health.map(str::to_owned),
            started_at: at(-30).filter(|_| status == "RUNNING"),
            stopped_at: None,
            reason: None,
            failed: false,
            logs: Vec::new(),
        }
    }

    fn died(id: &str, stopped: i64, logs: &[&str]) -> ReleaseTask {
        let line = |(second, message): (usize, &&str)| LogLine {
            at: at(stopped - 2 + i64::try_from(second).unwrap()),
            container: "web".to_owned(),
            message: (*message).to_owned(),
        };
        ReleaseTask {
            stopped_at: at(stopped),
            reason: Some("EssentialContainerExited: Essential container in task exited; container web exited with 1".to_owned()),
            failed: true,
            logs: logs.iter().enumerate().map(line).collect(),
            ..task(id, 8, "STOPPED", None)
        }
    }

    fn target(id: &str, state: &str, reason: Option<&str>) -> Target {
        Target { id: id.to_owned(), port: Some(8080), state: state.to_owned(), code: None, reason: reason.map(str::to_owned) }
    }

    /// A release in the middle that does not go well, with what a terminal would obey in what AWS says.
    pub fn troubled() -> Release {
        let event = |second: i64, message: &str| Event { at: at(second), message: format!("(service shop-web) {message}") };
        Release {
            service: Service {
                address: "ecs_service.web".parse().unwrap(),
                name: "shop-web".to_owned(),
                region: "us-east-1".to_owned(),
                cluster: "shop".to_owned(),
                arn: "arn:aws:ecs:us-east-1:123456789012:service/shop/shop-web".to_owned(),
                status: "ACTIVE".to_owned(),
                desired: 2,
                scaled_to: None,
                running: 3,
                pending: 1,
                deployments: vec![deployment("PRIMARY", 8, [2, 1, 1, 2], -90), deployment("ACTIVE", 7, [2, 2, 0, 0], -86_400)],
                events: vec![
                    event(-5, "has started 1 tasks: (task 4f0c)."),
                    event(-20, "(port 8080) is unhealthy in (target-group shop-web) due to (reason Health checks failed\u{1b}[2J)."),
                    event(-60, "has started 2 tasks: (task 9a1b) (task 77d2)."),
                ],
            },
            followed: Some("ecs-svc/8".to_owned()),
            began: at(-90),
            verdict: Verdict::Going { said: "1 of 2 tasks run, 1 start, 2 of before still run, 2 failed".to_owned() },
            images: BTreeMap::from([
                ("shop-web:7".to_owned(), vec!["registry.example/shop/web:v41".to_owned()]),
                ("shop-web:8".to_owned(), vec!["registry.example/shop/web:v42".to_owned()]),
            ]),
            tasks: vec![
                task("4f0c7d1e2b3a4958", 8, "PENDING", None),
                task("77d2aa01c3e5f768", 8, "RUNNING", Some("HEALTHY")),
                task("0a0a0a0a0a0a0a0a", 7, "RUNNING", Some("HEALTHY")),
                task("0b0b0b0b0b0b0b0b", 7, "RUNNING", Some("HEALTHY")),
                died(
                    "9a1b3c5d7e9f0a1b",
                    -15,
                    &["listening on 8080", "Error: connect ECONNREFUSED 10.0.3.4:5432 \u{1b}[31mhunter2\u{9b}2J"],
                ),
                died("1111222233334444", -40, &["Error: connect ECONNREFUSED 10.0.3.4:5432"]),
            ],
            target_groups: vec![TargetGroup {
                address: Some("lb_target_group.web".parse().unwrap()),
                name: "shop-web".to_owned(),
                arn: String::new(),
                services: vec!["ecs_service.web".parse().unwrap()],
                targets: vec![
                    target("10.0.0.1", "healthy", None),
                    target("10.0.0.2", "healthy", None),
                    target("10.0.0.7", "initial", Some("its first health checks are under way")),
                ],
            }],
            unreadable: Vec::new(),
        }
    }

    #[test]
    fn what_is_secret_is_taken_out_of_all_that_is_quoted() {
        let redactor = Redactor::new([&Value::string("hunter2").into_secret()]);
        let mut release = troubled();
        release.service.events[0].message.push_str(" hunter2");
        release.verdict = Verdict::Failed { reason: "no image web:hunter2".to_owned() };
        release.tasks[4].reason = Some("CannotPullContainerError: web:hunter2".to_owned());
        release.images.insert("shop-web:9".to_owned(), vec!["web:hunter2".to_owned()]);
        release.target_groups[0].targets[2].reason = Some("answered hunter2".to_owned());
        let shown = serde_json::to_string(&release.redacted(&redactor)).unwrap();
        assert!(!shown.contains("hunter2") && shown.matches("(sensitive)").count() == 6, "{shown}");
    }

    #[test]
    fn what_failed_before_is_not_of_the_release() {
        let mut release = troubled();
        release.tasks[5].deployment = Some("ecs-svc/7".to_owned());
        assert_eq!(release.failed().map(|task| task.id.as_str()).collect::<Vec<_>>(), ["9a1b3c5d7e9f0a1b"]);
    }
}
