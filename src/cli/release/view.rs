//! Releases as a screen: for each service its deployments, its tasks with what the failed ones wrote last, its targets and
//! its events.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::cli::status::view::{name, targets};
use crate::ops::release::{LogLine, Release, ReleaseTask, Verdict};
use crate::ops::status::services::Deployment;
use crate::ui::age::ago;
use crate::ui::screen::{Cell, Line, Screen, Section, Tone};

/// How many events of a service are shown.
const EVENTS: usize = 6;
/// Of how many failed tasks the logs are shown.
const LOGS: usize = 2;

/// Releases as they are shown.
pub fn screen(title: &Line, releases: &[Release], now: Timestamp) -> Screen {
    Screen { title: title.clone(), sections: releases.iter().flat_map(|release| sections(release, now)).collect() }
}

fn sections(release: &Release, now: Timestamp) -> Vec<Section> {
    let of = name(&release.service.address);
    let section = |title: String, rows: Vec<Line>| Section { title, rows };
    let lacking = |part: &crate::ops::status::Unreadable| {
        vec![Cell::new(Tone::Warn, format!("{} cannot be shown: your role lacks {}", part.what, part.permission))]
    };
    let mut first = vec![verdict(&release.verdict)];
    first.extend(release.unreadable.iter().map(lacking));
    vec![
        section(of.clone(), first),
        section(format!("{of}: deployments"), deployments(release, now)),
        section(format!("{of}: tasks"), tasks(release, now)),
        section(format!("{of}: targets"), release.target_groups.iter().flat_map(targets).collect()),
        section(format!("{of}: events"), events(release, now)),
    ]
}

fn verdict(verdict: &Verdict) -> Line {
    match verdict {
        Verdict::Going { said } => vec![Cell::new(Tone::Warn, "releasing"), Cell::new(Tone::Plain, said)],
        Verdict::Done => vec![Cell::new(Tone::Good, "released"), Cell::new(Tone::Plain, "the new tasks have taken over")],
        Verdict::Failed { reason } => vec![Cell::new(Tone::Bad, "failed"), Cell::new(Tone::Bad, reason)],
    }
}

/// What a deployment is in the release.
fn role(release: &Release, deployment: &str, status: Option<&str>) -> &'static str {
    match status {
        _ if release.is_followed(deployment) => "new",
        // ECS has gone back to it.
        Some("PRIMARY") => "back",
        _ => "old",
    }
}

/// Two lines for each: how many tasks it has, and what they run.
fn deployments(release: &Release, now: Timestamp) -> Vec<Line> {
    release.service.deployments.iter().flat_map(|deployment| self::deployment(release, deployment, now)).collect()
}

fn deployment(release: &Release, deployment: &Deployment, now: Timestamp) -> Vec<Line> {
    let tone = match deployment.rollout.as_deref() {
        Some("FAILED") => Tone::Bad,
        _ if deployment.failed > 0 => Tone::Warn,
        _ if release.is_followed(&deployment.id) => Tone::Plain,
        _ => Tone::Faint,
    };
    let counts = [(deployment.pending, "start"), (deployment.failed, "failed")];
    let counts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!(", {count} {what}"));
    let counts = format!("{} of {} run{}", deployment.running, deployment.desired, counts.collect::<String>());
    let images = release.images.get(&deployment.task_definition).map(|images| images.join(", "));
    let begun = deployment.created_at.map(|at| format!("begun {}", ago(at, now)));
    let what = [Some(deployment.task_definition.clone()), images, begun].into_iter().flatten().collect::<Vec<_>>().join(", ");
    let mut lines = vec![vec![
        Cell::new(Tone::Strong, role(release, &deployment.id, Some(&deployment.status))),
        Cell::new(tone, counts),
        Cell::new(Tone::Plain, what),
    ]];
    let is_failed = deployment.rollout.as_deref() == Some("FAILED");
    if let Some(reason) = deployment.reason.as_deref().filter(|_| is_failed) {
        lines.push(vec![Cell::new(Tone::Plain, ""), Cell::new(Tone::Bad, "failed"), Cell::new(Tone::Bad, reason)]);
    }
    lines
}

/// What tasks have in common that are shown in one line: their role, whether they have stopped, whether they failed, their
/// state, and their health or why they stopped.
type Alike<'a> = (&'static str, bool, bool, &'a str, Option<&'a str>);

fn tasks(release: &Release, now: Timestamp) -> Vec<Line> {
    let mut groups: BTreeMap<Alike<'_>, Vec<&ReleaseTask>> = BTreeMap::new();
    for task in &release.tasks {
        let of = task.deployment.as_deref().unwrap_or_default();
        let status = release.service.deployments.iter().find(|known| known.id == of).map(|known| known.status.as_str());
        let stopped = task.stopped_at.is_some() || task.status == "STOPPED";
        let about = if stopped { task.reason.as_deref() } else { task.health.as_deref() };
        groups.entry((role(release, of, status), stopped, task.failed, &task.status, about)).or_default().push(task);
    }
    let mut logs = LOGS;
    groups
        .into_iter()
        .flat_map(|((role, stopped, failed, status, about), some)| {
            let tone = match (failed || about == Some("UNHEALTHY"), stopped) {
                (true, _) => Tone::Bad,
                (false, true) => Tone::Faint,
                (false, false) => Tone::Plain,
            };
            let since = match stopped {
                true => some.iter().filter_map(|task| task.stopped_at).max().map(|at| ago(at, now)),
                false => some
                    .iter()
                    .filter_map(|task| task.started_at)
                    .max()
                    .map(|at| format!("since {}", ago(at, now).trim_end_matches(" ago"))),
            };
            let said = about.map(|about| if stopped { about.to_owned() } else { about.to_lowercase() });
            let said = [since, said].into_iter().flatten().collect::<Vec<_>>().join(", ");
            let count = format!("{} {}", some.len(), status.to_lowercase());
            let mut lines = vec![vec![Cell::new(Tone::Strong, role), Cell::new(tone, count), Cell::new(tone, said)]];
            let with_logs = some.iter().filter(|task| !task.logs.is_empty()).take(logs).copied().collect::<Vec<_>>();
            logs = logs.saturating_sub(with_logs.len());
            lines.extend(with_logs.iter().flat_map(|task| task.logs.iter().map(|line| log_line(task, line))));
            lines
        })
        .collect()
}

fn log_line(task: &ReleaseTask, line: &LogLine) -> Line {
    let from = format!("{}/{}", line.container, short(&task.id));
    vec![Cell::new(Tone::Plain, ""), Cell::new(Tone::Faint, from), Cell::new(Tone::Plain, &line.message)]
}

/// The beginning of a task's id.
pub fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

fn events(release: &Release, now: Timestamp) -> Vec<Line> {
    let service = &release.service;
    let line = |event: &crate::ops::status::services::Event| {
        let when = event.at.map_or_else(String::new, |at| ago(at, now));
        vec![Cell::new(Tone::Faint, when), Cell::new(Tone::Plain, said(&service.name, &event.message))]
    };
    service.events.iter().filter(|event| release.began.is_none() || event.at >= release.began).take(EVENTS).map(line).collect()
}

/// What ECS said, without the service's name, with which it begins.
pub fn said<'a>(service: &str, message: &'a str) -> &'a str {
    message.strip_prefix(&format!("(service {service}) ")).unwrap_or(message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::release::tests::{at, troubled};
    use crate::ui::watch::Watch;

    fn title() -> Line {
        vec![Cell::new(Tone::Strong, "shop"), Cell::new(Tone::Faint, " in account 123456789012, us-east-1, the release of web")]
    }

    #[test]
    fn a_release_is_read_at_every_width_and_nothing_in_it_moves_the_terminal() {
        let failed =
            Release { verdict: Verdict::Failed { reason: "its tasks keep failing: 0 of 2 tasks run, 3 failed".to_owned() }, ..troubled() };
        for width in [60, 100, 160] {
            for (what, release) in [("going", troubled()), ("failed", failed.clone())] {
                let screen = screen(&title(), &[release], at(0).unwrap());
                let text = anstream::adapter::strip_str(&screen.text(Some(width))).to_string();
                assert!(text.lines().all(|line| line.chars().count() <= width), "{width}: {text}");
                assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text}");
                insta::assert_snapshot!(format!("{what}_{width}"), text);
            }
        }
    }

    #[test]
    fn the_live_display_shows_the_same() {
        let mut watch = Watch::new(5);
        watch.refreshed(screen(&title(), &[troubled()], at(0).unwrap()), at(0).unwrap());
        let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(60, 50)).unwrap();
        terminal.draw(|frame| watch.draw(frame, at(2).unwrap())).unwrap();
        insta::assert_snapshot!(terminal.backend().to_string());
    }

    #[test]
    fn once_it_has_gone_back_the_deployment_it_went_back_to_says_so() {
        let mut release = troubled();
        release.service.deployments.remove(0);
        release.service.deployments[0].status = "PRIMARY".to_owned();
        release.verdict = Verdict::Failed { reason: "the deployment was rolled back: alarm too-many-errors".to_owned() };
        let text = screen(&title(), &[release], at(0).unwrap()).text(None);
        let text = anstream::adapter::strip_str(&text).to_string();
        assert!(text.contains("  back  2 of 2 run") && text.contains("rolled back: alarm"), "{text}");
    }
}
