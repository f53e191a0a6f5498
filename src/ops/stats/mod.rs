//! How much CPU and memory a stack's tasks use, and which sizes would fit.

pub mod advice;
pub mod fargate;
pub mod metrics;
pub mod place;
pub mod price;
mod subjects;

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use serde::Serialize;

use super::Deployed;
use advice::{Use, Verdict, sizing};
use fargate::Size;
use leoctl_core::engine::ports::Outcome;
use leoctl_core::model::address::Address;
use leoctl_core::model::place::Site;
use leoctl_core::stack::Stack;
use metrics::{Measured, Metric, Summary, Window};
use place::Place;
pub use subjects::Kind;
use subjects::{Subject, Task};

/// In how many parts the course of a metric is shown.
const COLUMNS: usize = 24;

/// What a stack's tasks use.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stats {
    /// The stack.
    pub stack: String,
    /// Over how many hours.
    pub hours: u32,
    /// What is used, of each service and task definition.
    pub usage: Vec<Usage>,
    /// What to change.
    pub advice: Vec<Advice>,
    /// What is not known, and why.
    pub missing: Vec<Missing>,
}

/// CPU or memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Resource {
    /// CPU.
    Cpu,
    /// Memory.
    Memory,
}

/// How much of a resource is used, in percent of what its tasks have.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Usage {
    /// The service or task definition.
    pub address: Address,
    /// Which of the two it is.
    pub kind: Kind,
    /// The service's name or the task definition's family.
    pub name: String,
    /// The cluster.
    pub cluster: String,
    /// Which resource.
    pub resource: Resource,
    /// Half of the time less is used.
    pub p50: f64,
    /// 95 % of the time less is used.
    pub p95: f64,
    /// 99 % of the time less is used.
    pub p99: f64,
    /// The most that was used.
    pub peak: f64,
    /// Whether these are of the largest values of each period, as CloudWatch has no percentiles of this metric.
    pub of_maxima: bool,
    /// The most that was used in each part of the time, the oldest first; nothing where nothing ran.
    pub course: Vec<Option<f64>>,
}

/// What to change of a task definition.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Advice {
    /// The task definition.
    pub address: Address,
    /// Why, in words.
    pub because: Vec<String>,
    /// What CPU asks for.
    pub cpu: Verdict,
    /// What memory asks for.
    pub memory: Verdict,
    /// The size it has.
    pub now: Size,
    /// Whether the tasks run on Fargate, on Linux, where not every size is valid.
    pub fargate: bool,
    /// The size that would fit; none when there is none so large, or the tasks do not run on Fargate.
    pub size: Option<Size>,
    /// How many tasks services run of it; none when they are started one by one or scaled automatically.
    pub tasks: Option<i64>,
    /// Dollars an hour of one task would cost more; none where prices are not known.
    pub hourly_usd: Option<f64>,
    /// Dollars all tasks of services would cost more in a month.
    pub monthly_usd: Option<f64>,
    /// The lines of the stack's files to change.
    pub lines: Vec<Edit>,
}

/// A line to change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Edit {
    /// The attribute.
    pub attribute: &'static str,
    /// What it is to be.
    pub value: i64,
    /// Where that is written.
    #[serde(flatten)]
    pub place: Place,
}

/// What is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// What it is about.
    pub address: Address,
    /// What is not known, and why.
    pub problem: String,
    /// What to do.
    pub help: String,
}

/// Asks CloudWatch what the stack's tasks use: in one call for each account and region.
///
/// # Errors
/// When AWS refuses.
pub async fn read(deployed: &Deployed<'_>, stack: &Stack, hours: u32) -> Outcome<Stats> {
    let window = Window::last(hours, jiff::Timestamp::now());
    let (subjects, mut missing) = subjects::of(deployed);
    let mut sites: BTreeMap<&Site, Vec<&Subject>> = BTreeMap::new();
    for subject in &subjects {
        sites.entry(&subject.site).or_default().push(subject);
    }
    let read = sites.iter().map(async |(site, subjects)| {
        let metrics: Vec<Metric> = subjects.iter().flat_map(|subject| subject.metrics()).collect();
        let measured = metrics::read(deployed.provider.at(site)?.as_ref(), &window, &metrics).await?;
        let measured = measured.chunks(2).map(<[Measured]>::to_vec);
        Ok(subjects.iter().copied().zip(measured).collect::<Vec<_>>())
    });
    let measured: Vec<(&Subject, Vec<Measured>)> = try_join_all(read).await?.into_iter().flatten().collect();
    let mut usage = Vec::new();
    for (subject, measured) in &measured {
        let found = used(subject, measured, &window);
        if found.is_empty() {
            missing.push(subject.without_numbers(hours));
        }
        usage.extend(found);
    }
    let tasks = subjects::tasks(deployed);
    let advice = tasks.iter().filter_map(|task| advise(task, &usage, stack)).collect();
    Ok(Stats { stack: deployed.state.stack.clone(), hours, usage, advice, missing })
}

/// What a subject uses; nothing where CloudWatch has no numbers.
fn used(subject: &Subject, measured: &[Measured], window: &Window) -> Vec<Usage> {
    let each = [Resource::Cpu, Resource::Memory].into_iter().zip(measured);
    let one = |(resource, measured): (Resource, &Measured)| {
        let percent = subject.percent(resource)?;
        let summary = measured.summary()?;
        // What is shown is what is decided by.
        let round = |value: f64| (value * percent * 10.0).round() / 10.0;
        Some(Usage {
            address: subject.address.clone(),
            kind: subject.kind,
            name: subject.name.clone(),
            cluster: subject.cluster.clone(),
            resource,
            p50: round(summary.p50),
            p95: round(summary.p95),
            p99: round(summary.p99),
            peak: round(summary.peak),
            of_maxima: summary.of_maxima,
            course: measured.course(window, COLUMNS).into_iter().map(|value| value.map(round)).collect(),
        })
    };
    each.filter_map(one).collect()
}

/// What to change of a task definition; nothing when it is as it should be, or nothing is known.
fn advise(task: &Task, usage: &[Usage], stack: &Stack) -> Option<Advice> {
    let now = task.size?;
    let used = Use { cpu: worst(task, usage, Resource::Cpu), memory: worst(task, usage, Resource::Memory) };
    let sizing = sizing(now, &used);
    let kept = sizing.cpu == Verdict::Keep && sizing.memory == Verdict::Keep;
    if kept || task.leaves || sizing.size == Some(now) {
        return None;
    }
    let size = sizing.size.filter(|_| task.fargate);
    let because = [("cpu", sizing.cpu, used.cpu), ("memory", sizing.memory, used.memory)];
    let because = because.into_iter().filter_map(|(name, verdict, used)| words(name, verdict, &used?)).collect();
    let edit = |(attribute, old, new): (&'static str, i64, i64)| {
        let place = place::of(stack, &task.address.block, attribute).filter(|_| old != new)?;
        Some(Edit { attribute, value: new, place })
    };
    let changes = size.map(|size| [("cpu", now.cpu, size.cpu), ("memory", now.memory, size.memory)]);
    let price = |size| price::hourly(&task.site.region, task.arm, size);
    let hourly_usd = size.and_then(|size| Some(price(size)? - price(now)?));
    Some(Advice {
        address: task.address.clone(),
        because,
        cpu: sizing.cpu,
        memory: sizing.memory,
        now,
        fargate: task.fargate,
        size,
        tasks: task.count,
        hourly_usd,
        monthly_usd: hourly_usd.zip(task.count).map(|(hourly, count)| hourly * price::MONTH * count as f64),
        lines: changes.into_iter().flatten().filter_map(edit).collect(),
    })
}

/// What a task definition's tasks use at worst: by its own numbers, else by those of the services that run it.
fn worst(task: &Task, usage: &[Usage], resource: Resource) -> Option<Summary> {
    let of = |ours: &dyn Fn(&Usage) -> bool| {
        let found = usage.iter().filter(|usage| usage.resource == resource && ours(usage));
        let summaries =
            found.map(|usage| Summary { p50: usage.p50, p95: usage.p95, p99: usage.p99, peak: usage.peak, of_maxima: usage.of_maxima });
        summaries.reduce(|one, other| Summary {
            p50: one.p50.max(other.p50),
            p95: one.p95.max(other.p95),
            p99: one.p99.max(other.p99),
            peak: one.peak.max(other.peak),
            of_maxima: one.of_maxima || other.of_maxima,
        })
    };
    of(&|usage| usage.address == task.address).or_else(|| of(&|usage| task.services.contains(&usage.address)))
}

fn words(name: &str, verdict: Verdict, used: &Summary) -> Option<String> {
    match verdict {
        Verdict::Raise => Some(format!("{name}: P99 is {:.1} %, above 90 %", used.p99)),
        Verdict::Lower => Some(format!("{name}: P95 is {:.1} %, below 50 %", used.p95)),
        Verdict::Keep => None,
    }
}
