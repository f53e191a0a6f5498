//! A status as a screen: problems first, then everything in as few lines as say it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::ops::status::Status;
use crate::ops::status::alarms::Alarm;
use crate::ops::status::certificates::Certificate;
use crate::ops::status::problems::{Problem, Severity};
use crate::ops::status::services::{Deployment, Service};
use crate::ops::status::targets::TargetGroup;
use crate::ops::status::tasks::{Owner, TaskReport};
use crate::ui;
use crate::ui::age::ago;
use crate::ui::commands;
use crate::ui::screen::{Cell, Line, Screen, Section, Tone};
use leoctl_core::model::address::Address;

/// How many events are shown, of all services together.
const EVENTS: usize = 5;

/// A status as it is shown.
pub fn screen(status: &Status) -> Screen {
    let now = status.read_at;
    let section = |title: &str, rows: Vec<Line>| Section { title: title.to_owned(), rows };
    let mut sections = vec![
        section("Problems", status.problems.iter().map(problem).collect()),
        section("Services", status.services.iter().flat_map(|service| self::service(service, now)).collect()),
        section("Tasks", tasks(&status.tasks, now)),
        section("Targets", status.target_groups.iter().flat_map(targets).collect()),
        section("Alarms", status.alarms.iter().map(|alarm| self::alarm(alarm, now)).collect()),
        section("Certificates", status.certificates.iter().map(certificate).collect()),
        section("Events", events(&status.services, now)),
    ];
    if status.problems.is_empty() {
        sections.insert(0, section("Problems", vec![vec![Cell::new(Tone::Good, "none")]]));
    }
    Screen { title: title(status), sections }
}

fn title(status: &Status) -> Line {
    let saved_at = status.state.saved_at.filter(|_| status.state.serial > 0);
    let saved = saved_at.map_or_else(String::new, |at| format!(", last {}", ago(at, status.read_at)));
    let rest = format!(" in account {}, {}, {}{saved}", status.account_id, status.region, ui::applied(status.state.serial));
    vec![Cell::new(Tone::Strong, &status.stack), Cell::new(Tone::Faint, rest)]
}

/// A service's name in the stack: of one in a module, its whole address.
pub fn name(address: &Address) -> String {
    let whole = address.to_string();
    let own = whole.split_once('.').filter(|_| address.block.module.is_root()).map(|(_, name)| name.to_owned());
    own.unwrap_or(whole)
}

fn problem(problem: &Problem) -> Line {
    let tone = match problem.severity {
        Severity::Error => Tone::Bad,
        Severity::Warning => Tone::Warn,
    };
    vec![Cell::new(tone, &problem.subject), Cell::new(tone, commands::here(&problem.message))]
}

/// A line for the service, and one for each deployment that is not the newest.
fn service(service: &Service, now: Timestamp) -> Vec<Line> {
    let (newest, others) = match service.deployments.split_first() {
        Some((newest, others)) => (Some(newest), others),
        None => (None, Default::default()),
    };
    let short = service.running < service.desired;
    let tone = if service.status != "ACTIVE" || short && service.running == 0 {
        Tone::Bad
    } else if short || service.running > service.desired {
        Tone::Warn
    } else {
        Tone::Plain
    };
    let count = match (service.status.as_str(), service.pending) {
        ("ACTIVE", 0) => format!("{} of {} run", service.running, service.desired),
        ("ACTIVE", pending) => format!("{} of {} run, {pending} start", service.running, service.desired),
        (status, _) => status.to_lowercase(),
    };
    let count = match service.scaled_to {
        Some(_) => format!("{count}, scaled by hand"),
        None => count,
    };
    let mut lines = vec![vec![Cell::new(Tone::Strong, name(&service.address)), Cell::new(tone, count)]];
    if let (Some(first), Some(newest)) = (lines.first_mut(), newest) {
        first.extend(deployment(newest, now));
    }
    lines.extend(others.iter().map(|other| {
        let count = format!("{} of {} run", other.running, other.desired);
        let mut line = vec![Cell::new(Tone::Plain, ""), Cell::new(Tone::Faint, count)];
        line.extend(deployment(other, now));
        line
    }));
    lines
}

/// What a deployment runs, where it stands and why.
fn deployment(deployment: &Deployment, now: Timestamp) -> Line {
    let (tone, words) = match (deployment.status.as_str(), deployment.rollout.as_deref()) {
        (_, Some("FAILED")) => (Tone::Bad, "failed"),
        ("PRIMARY", Some("COMPLETED")) => (Tone::Good, "rolled out"),
        ("PRIMARY", Some("IN_PROGRESS")) => (Tone::Warn, "rolling out"),
        ("PRIMARY", _) => (Tone::Plain, "newest"),
        _ => (Tone::Faint, "leaving"),
    };
    let since = deployment.created_at.map_or_else(String::new, |at| format!("begun {}", ago(at, now)));
    // Once all is well its words say nothing more.
    let reason = deployment.reason.as_deref().filter(|_| words != "rolled out").unwrap_or_default();
    vec![
        Cell::new(tone, words),
        Cell::new(Tone::Plain, &deployment.task_definition),
        Cell::new(Tone::Faint, [since.as_str(), reason].join(if since.is_empty() || reason.is_empty() { "" } else { ", " })),
    ]
}

/// What tasks have in common that are shown in one line: what they are of, whether they have stopped, their state, and
/// what there is to say of them.
type Alike<'a> = (Owner<'a>, Option<&'a Address>, bool, &'a str, Option<&'a str>);

/// A line for those of an owner that run, and one for each reason why others stopped.
fn tasks(tasks: &[TaskReport], now: Timestamp) -> Vec<Line> {
    let mut groups: BTreeMap<Alike<'_>, Vec<&TaskReport>> = BTreeMap::new();
    for task in tasks {
        let stopped = task.stopped_at.is_some();
        // While a task runs its containers' health is what matters, once it has stopped the reason.
        let about = if stopped || task.health == "UNKNOWN" { None } else { Some(task.health.as_str()) };
        groups
            .entry((task.owner(), task.address.as_ref(), stopped, &task.status, about.or(task.reason.as_deref())))
            .or_default()
            .push(task);
    }
    let line = |(((owner, ..), address, stopped, status, about), some): (Alike<'_>, Vec<&TaskReport>)| {
        let failed = some.iter().any(|task| task.failed) || about == Some("UNHEALTHY");
        let tone = if failed {
            Tone::Bad
        } else if stopped {
            Tone::Faint
        } else {
            Tone::Plain
        };
        let latest = if stopped {
            some.iter().filter_map(|task| task.stopped_at).max().map(|at| ago(at, now))
        } else {
            some.iter().filter_map(|task| task.started_at).max().map(|at| format!("since {}", ago(at, now).trim_end_matches(" ago")))
        };
        vec![
            Cell::new(Tone::Strong, address.map_or_else(|| owner.to_owned(), name)),
            Cell::new(tone, format!("{} {}", some.len(), status.to_lowercase())),
            Cell::new(Tone::Faint, latest.unwrap_or_default()),
            Cell::new(tone, about.map(|about| if stopped { about.to_owned() } else { about.to_lowercase() }).unwrap_or_default()),
        ]
    };
    groups.into_iter().map(line).collect()
}

/// A line for the healthy targets, and one for each of the others.
pub fn targets(group: &TargetGroup) -> Vec<Line> {
    let healthy = group.targets.iter().filter(|target| target.state == "healthy").count();
    let (tone, count) = match (healthy, group.targets.len()) {
        (_, 0) => (Tone::Faint, "no targets".to_owned()),
        (healthy, all) if healthy == all => (Tone::Good, format!("{healthy} healthy")),
        (healthy, all) => (Tone::Warn, format!("{healthy} of {all} healthy")),
    };
    let mut lines = vec![vec![Cell::new(Tone::Strong, &group.name), Cell::new(tone, count)]];
    lines.extend(group.targets.iter().filter(|target| target.state != "healthy").map(|target| {
        let tone = match target.state.as_str() {
            "unhealthy" => Tone::Bad,
            "unavailable" => Tone::Warn,
            _ => Tone::Faint,
        };
        let id = target.port.map_or_else(|| target.id.clone(), |port| format!("{}:{port}", target.id));
        let reason = target.reason.as_deref().unwrap_or_default();
        vec![Cell::new(Tone::Plain, ""), Cell::new(tone, &target.state), Cell::new(Tone::Plain, id), Cell::new(tone, reason)]
    }));
    lines
}

fn alarm(alarm: &Alarm, now: Timestamp) -> Line {
    let (tone, words) = match alarm.state.as_str() {
        "OK" => (Tone::Good, "ok"),
        "ALARM" => (Tone::Bad, "alarm"),
        "INSUFFICIENT_DATA" => (Tone::Faint, "no data yet"),
        _ => (Tone::Warn, "missing"),
    };
    let since = alarm.since.map_or_else(String::new, |at| ago(at, now));
    // The reason of one that went off is among the problems.
    let reason = alarm.reason.as_deref().filter(|_| alarm.state != "ALARM").unwrap_or_default();
    vec![Cell::new(Tone::Strong, &alarm.name), Cell::new(tone, words), Cell::new(Tone::Faint, since), Cell::new(Tone::Faint, reason)]
}

fn certificate(certificate: &Certificate) -> Line {
    let end = match (certificate.expires_at, certificate.days_left) {
        (Some(at), Some(days)) if days >= 0 => format!("expires in {days} days ({at:.0})"),
        (Some(at), _) => format!("expired ({at:.0})"),
        (None, _) => String::new(),
    };
    let tone = if certificate.status == "ISSUED" { Tone::Good } else { Tone::Warn };
    let status = certificate.status.to_lowercase().replace('_', " ");
    vec![Cell::new(Tone::Strong, &certificate.domain), Cell::new(tone, status), Cell::new(Tone::Plain, end)]
}

fn events(services: &[Service], now: Timestamp) -> Vec<Line> {
    let mut events: Vec<_> = services.iter().flat_map(|service| service.events.iter().map(move |event| (service, event))).collect();
    events.sort_by_key(|(_, event)| std::cmp::Reverse(event.at));
    let line = |(service, event): (&Service, &crate::ops::status::services::Event)| {
        let when = event.at.map_or_else(String::new, |at| ago(at, now));
        // ECS begins each with the service's name.
        let said = event.message.strip_prefix(&format!("(service {}) ", service.name)).unwrap_or(&event.message);
        vec![Cell::new(Tone::Faint, when), Cell::new(Tone::Plain, name(&service.address)), Cell::new(Tone::Faint, said)]
    };
    events.into_iter().take(EVENTS).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::status::problems;
    use crate::ops::status::services::Event;
    use crate::ops::status::targets::Target;
    use crate::ops::status::{Saved, Unreadable};

    fn at(second: i64) -> Option<Timestamp> {
        Timestamp::from_second(1_790_000_000 + second).ok()
    }

    fn deployment(status: &str, revision: u8, rollout: &str, counts: [i32; 2]) -> Deployment {
        Deployment {
            id: format!("ecs-svc/{revision}"),
            status: status.to_owned(),
            task_definition: format!("shop-web:{revision}"),
            rollout: Some(rollout.to_owned()),
            reason: Some(format!("ECS deployment ecs-svc/{revision} in progress.")),
            desired: counts[0],
            running: counts[1],
            pending: 0,
            failed: 1,
            created_at: at(-90),
        }
    }

    fn task(id: u8, stopped: Option<i64>, reason: Option<&str>) -> TaskReport {
        TaskReport {
            id: id.to_string(),
            region: "us-east-1".to_owned(),
            cluster: "shop".to_owned(),
            address: Some("ecs_service.web".parse().unwrap()),
            service: Some("shop-web".to_owned()),
            family: "shop-web".to_owned(),
            status: if stopped.is_some() { "STOPPED" } else { "RUNNING" }.to_owned(),
            health: if stopped.is_some() { "UNKNOWN" } else { "HEALTHY" }.to_owned(),
            started_at: at(-7200),
            stopped_at: stopped.and_then(at),
            reason: reason.map(str::to_owned),
            failed: reason.is_some(),
        }
    }

    fn target(id: &str, state: &str, reason: Option<&str>) -> Target {
        Target { id: id.to_owned(), port: Some(5013), state: state.to_owned(), code: None, reason: reason.map(str::to_owned) }
    }

    /// A stack in the middle of a deployment that does not go well.
    fn troubled() -> Status {
        let died = Some("EssentialContainerExited: Essential container in task exited; container web exited with 1");
        let alarm = |name: &str, state: &str, reason: &str| Alarm {
            address: format!("cloudwatch_metric_alarm.{name}").parse().unwrap(),
            name: format!("shop-{name}"),
            state: state.to_owned(),
            since: at(-600),
            reason: Some(reason.to_owned()),
        };
        let mut status = Status {
            stack: "shop".to_owned(),
            account_id: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            read_at: at(0).unwrap(),
            state: Saved { serial: 7, saved_at: at(-120), unfinished: vec!["ecs_service.web".parse().unwrap()] },
            problems: Vec::new(),
            services: vec![Service {
                address: "ecs_service.web".parse().unwrap(),
                name: "shop-web".to_owned(),
                region: "us-east-1".to_owned(),
                cluster: "shop".to_owned(),
                arn: String::new(),
                status: "ACTIVE".to_owned(),
                desired: 2,
                scaled_to: None,
                running: 1,
                pending: 1,
                deployments: vec![deployment("PRIMARY", 8, "IN_PROGRESS", [2, 0]), deployment("ACTIVE", 7, "COMPLETED", [2, 1])],
                events: vec![Event { at: at(-30), message: "(service shop-web) has started 1 tasks: (task 1).".to_owned() }],
            }],
            tasks: vec![task(1, None, None), task(2, Some(-60), died), task(3, Some(-20), died)],
            target_groups: vec![TargetGroup {
                address: Some("lb_target_group.web".parse().unwrap()),
                name: "shop-web".to_owned(),
                arn: String::new(),
                services: Vec::new(),
                targets: vec![
                    target("10.0.0.1", "healthy", None),
                    target("10.0.0.2", "unhealthy", Some("the health check is not answered in time")),
                ],
            }],
            alarms: vec![alarm("errors", "ALARM", "Threshold Crossed: 12 > 5"), alarm("cpu", "OK", "Threshold not crossed")],
            certificates: vec![Certificate {
                arn: String::new(),
                domain: "shop.example.org".to_owned(),
                addresses: vec!["lb_listener.https".parse().unwrap()],
                status: "ISSUED".to_owned(),
                expires_at: at(12 * 86_400),
                days_left: Some(12),
                renewal: Some("PENDING_VALIDATION".to_owned()),
            }],
            unreadable: vec![Unreadable { what: "alarms", permission: "cloudwatch:DescribeAlarms".to_owned(), message: String::new() }],
        };
        status.problems = problems::of(&status);
        status
    }

    #[test]
    fn problems_come_first_and_everything_fits_on_a_screen() {
        let status = troubled();
        insta::assert_snapshot!("text", anstream::adapter::strip_str(&screen(&status).text(None)));
        insta::assert_snapshot!("json", serde_json::to_string_pretty(&status).unwrap());
    }

    #[test]
    fn the_live_display_shows_the_same() {
        let mut watch = crate::ui::watch::Watch::new(5);
        watch.refreshed(screen(&troubled()), at(0).unwrap());
        let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(100, 45)).unwrap();
        terminal.draw(|frame| watch.draw(frame, at(2).unwrap())).unwrap();
        insta::assert_snapshot!(terminal.backend().to_string());
    }

    #[test]
    fn a_stack_without_problems_says_so() {
        let mut status = troubled();
        (status.services, status.tasks, status.target_groups, status.alarms) = Default::default();
        (status.problems, status.certificates) = Default::default();
        let text = anstream::adapter::strip_str(&screen(&status).text(None)).to_string();
        assert!(text.ends_with("\n\nProblems\n  none"), "{text}");
    }
}
