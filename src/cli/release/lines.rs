//! Releases as lines: only what has changed since the lines before, each with its time.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::view::{said, short};
use crate::cli::status::view::name;
use crate::ops::release::{LogLine, Release, ReleaseTask, Verdict};
use crate::ops::status::targets::TargetGroup;
use crate::ui::{BAD, FAINT, STRONG, one_line, styled};
use leoctl_aws::ecs::rollout::without_names;
use leoctl_core::model::address::Address;

/// Of how many tasks that failed the logs are shown in the end.
const LOGS: usize = 3;

/// What has been told of releases.
#[derive(Debug, Default)]
pub struct Told(BTreeMap<Address, Heard>);

/// What has been told of one.
#[derive(Debug, Default)]
struct Heard {
    verdict: Option<Verdict>,
    deployments: BTreeMap<String, String>,
    events: BTreeSet<String>,
    tasks: BTreeSet<String>,
    reasons: BTreeSet<String>,
    targets: BTreeMap<String, String>,
    lacking: BTreeSet<String>,
}

/// What happened at a time, in lines.
type Happened = (Option<Timestamp>, Vec<String>);

/// How a line is made of what happened at a time.
type Line<'a> = dyn Fn(Option<Timestamp>, &str) -> String + 'a;

impl Told {
    /// What is new in a release.
    pub fn news(&mut self, release: &Release, now: Timestamp) -> Vec<String> {
        let heard = self.0.entry(release.service.address.clone()).or_default();
        let of = name(&release.service.address);
        let line = |at: Option<Timestamp>, text: &str| {
            format!("{} {}: {}", styled(FAINT, clock(at.unwrap_or(now))), styled(STRONG, &of), one_line(text))
        };
        let mut lines = heard.deployments(release, &|text| line(None, text));
        let events = heard.events(release).into_iter().map(|(at, text)| (at, vec![line(at, text)]));
        let mut happened: Vec<_> = events.chain(heard.failures(release, &line)).collect();
        happened.sort_by_key(|(at, _)| *at);
        lines.extend(happened.into_iter().flat_map(|(_, lines)| lines));
        lines.extend(heard.targets(release).into_iter().map(|text| line(None, &text)));
        lines.extend(heard.lacking(release).into_iter().map(|text| line(None, &text)));
        if let Verdict::Going { said } = &release.verdict
            && heard.verdict.as_ref() != Some(&release.verdict)
        {
            lines.push(line(None, said));
        }
        heard.verdict = Some(release.verdict.clone());
        lines
    }
}

impl Heard {
    fn deployments(&mut self, release: &Release, line: &dyn Fn(&str) -> String) -> Vec<String> {
        let mut lines = Vec::new();
        for deployment in &release.service.deployments {
            let images = release.images.get(&deployment.task_definition).map(|images| format!(" ({})", images.join(", ")));
            let runs = format!("{}{}", deployment.task_definition, images.unwrap_or_default());
            let was = self.deployments.insert(deployment.id.clone(), runs.clone());
            // Which image it is may be known later: its tasks say it.
            if was.as_ref() != Some(&runs) {
                let role = if release.is_followed(&deployment.id) { "the new tasks run" } else { "the tasks of before run" };
                lines.push(line(&format!("{role} {runs}")));
            }
        }
        lines
    }

    /// What ECS said. What it says again of another task is not news: how many there are is in the count.
    fn events<'a>(&mut self, release: &'a Release) -> Vec<(Option<Timestamp>, &'a str)> {
        let since = release.service.events.iter().rev().filter(|event| release.began.is_none() || event.at >= release.began);
        let new = since.filter(|event| self.events.insert(without_names(&event.message)));
        new.map(|event| (event.at, said(&release.service.name, &event.message))).collect()
    }

    /// The tasks that failed: the first for each reason with what it wrote last.
    fn failures(&mut self, release: &Release, line: &Line<'_>) -> Vec<Happened> {
        let failed: Vec<&ReleaseTask> = release.failed().collect();
        let new: Vec<&ReleaseTask> = failed.into_iter().rev().filter(|task| self.tasks.insert(task.id.clone())).collect();
        let told = new.into_iter().map(|task| {
            let reason = task.reason.as_deref().unwrap_or("no reason given");
            let mut lines = vec![line(task.stopped_at, &format!("task {} failed: {reason}", short(&task.id)))];
            if self.reasons.insert(reason.to_owned()) {
                lines.extend(task.logs.iter().map(log_line));
            }
            (task.stopped_at, lines)
        });
        told.collect()
    }

    fn targets(&mut self, release: &Release) -> Vec<String> {
        let new = release.target_groups.iter().filter_map(|group| {
            let health = health(group);
            let was = self.targets.insert(group.arn.clone(), health.clone());
            (was.as_ref() != Some(&health)).then(|| format!("targets of {}: {health}", group.name))
        });
        new.collect()
    }

    fn lacking(&mut self, release: &Release) -> Vec<String> {
        let new = release.unreadable.iter().filter(|part| self.lacking.insert(part.permission.clone()));
        new.map(|part| format!("{} cannot be shown: your role lacks {}", part.what, part.permission)).collect()
    }
}

/// How many targets are in which state, and why the first of those is so that are unhealthy.
fn health(group: &TargetGroup) -> String {
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    for target in &group.targets {
        *states.entry(&target.state).or_default() += 1;
    }
    let states = states.iter().map(|(state, count)| format!("{count} {state}")).collect::<Vec<_>>();
    let why = group.targets.iter().find(|target| target.state == "unhealthy").and_then(|target| target.reason.as_deref());
    match (states.is_empty(), why) {
        (true, _) => "none".to_owned(),
        (false, None) => states.join(", "),
        (false, Some(why)) => format!("{} ({why})", states.join(", ")),
    }
}

fn log_line(line: &LogLine) -> String {
    let time = line.at.map_or_else(String::new, |at| format!("{} ", clock(at)));
    format!("    {}{}", styled(FAINT, format!("{time}{} | ", one_line(&line.container))), one_line(&line.message))
}

/// The time of day, in UTC.
fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%SZ").to_string()
}

/// How a release ended: of one that failed why, why its tasks stopped, and what they wrote last.
pub fn report(release: &Release) -> Vec<String> {
    let of = styled(STRONG, &release.service.address);
    let reason = match &release.verdict {
        Verdict::Done => return vec![format!("{of}: the new tasks have taken over.")],
        Verdict::Going { said } => return vec![format!("{of}: {}", one_line(said))],
        Verdict::Failed { reason } => reason,
    };
    let mut lines = vec![format!("{of}: {}", styled(BAD, "the release failed")), format!("  {}", one_line(reason))];
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for task in release.failed() {
        *reasons.entry(task.reason.as_deref().unwrap_or("no reason given")).or_default() += 1;
    }
    lines.extend(reasons.iter().map(|(reason, count)| {
        let tasks = if *count == 1 { "1 task failed".to_owned() } else { format!("{count} tasks failed") };
        format!("  {tasks}: {}", one_line(reason))
    }));
    lines.extend(logs(release));
    let last = release.service.events.first().map(|event| said(&release.service.name, &event.message));
    lines.extend(last.map(|said| format!("  ECS said last: {}", one_line(said))));
    lines
}

/// What the tasks that failed wrote last.
pub fn logs(release: &Release) -> Vec<String> {
    let wrote = release.failed().filter(|task| !task.logs.is_empty()).take(LOGS);
    let lines = wrote.flat_map(|task| {
        let first = format!("  The last that task {} wrote:", short(&task.id));
        std::iter::once(first).chain(task.logs.iter().map(log_line))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::release::tests::{at, troubled};
    use crate::ui::terminal::plain;

    fn shown(lines: &[String]) -> String {
        plain(&lines.join("\n"))
    }

    #[test]
    fn lines_say_only_what_has_changed() {
        let mut told = Told::default();
        let mut release = troubled();
        let mut said = vec![shown(&told.news(&release, at(0).unwrap()))];
        assert!(told.news(&release, at(5).unwrap()).is_empty());
        // Another task failed for the reason that is known, and one of the targets is well.
        let mut another = release.tasks[4].clone();
        (another.id, another.stopped_at) = ("5555666677778888".to_owned(), at(8));
        release.tasks.insert(0, another);
        release.target_groups[0].targets[2].state = "healthy".to_owned();
        release.verdict = Verdict::Going { said: "1 of 2 tasks run, 3 failed".to_owned() };
        said.push(shown(&told.news(&release, at(10).unwrap())));
        release.verdict = Verdict::Failed { reason: "its tasks keep failing: 0 of 2 tasks run, 3 failed".to_owned() };
        assert!(told.news(&release, at(15).unwrap()).is_empty(), "how it ended is reported");
        said.push(shown(&report(&release)));
        insta::assert_snapshot!(said.join("\n---\n"));
        assert!(!said.concat().chars().any(|c| c.is_control() && c != '\n'));
    }

    #[test]
    fn a_release_that_is_done_says_so_in_a_line() {
        let done = Release { verdict: Verdict::Done, ..troubled() };
        assert_eq!(shown(&report(&done)), "ecs_service.web: the new tasks have taken over.");
    }
}
