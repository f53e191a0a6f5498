//! What tasks use, for people.

use crate::ops::stats::advice::Verdict;
use crate::ops::stats::{Advice, Edit, Missing, Stats, Usage};
use crate::ui::{ADD, BAD, CHANGE, FAINT, STRONG, WARN, spark, styled, table};

/// Everything, in paragraphs.
pub fn text(stats: &Stats) -> String {
    let mut parts = Vec::new();
    if !stats.usage.is_empty() {
        let course = format!("last {} h, most used", stats.hours);
        let head = ["", "of", "p50", "p95", "p99", "peak", course.as_str()];
        parts.push(table::render(&head, stats.usage.iter().map(usage)));
    }
    if stats.usage.iter().any(|usage| usage.of_maxima) {
        let note = "* CloudWatch has no percentiles of it: these are of the largest value of each period, so not too low.";
        parts.push(styled(FAINT, note));
    }
    if !stats.advice.is_empty() {
        let lines = stats.advice.iter().flat_map(advice);
        parts.push(std::iter::once(styled(STRONG, "Advice")).chain(lines).collect::<Vec<_>>().join("\n"));
    } else if !stats.usage.is_empty() {
        parts.push(format!("{}: nothing is too small (P99 above 90 %) or too large (P95 below 50 %).", styled(ADD, "Sizes fit")));
    }
    if !stats.missing.is_empty() {
        let lines = stats.missing.iter().flat_map(missing);
        parts.push(std::iter::once(styled(STRONG, "Not known")).chain(lines).collect::<Vec<_>>().join("\n"));
    }
    if parts.is_empty() {
        parts.push("The stack has no services and no task definitions.".to_owned());
    }
    parts.join("\n\n")
}

fn usage(usage: &Usage) -> Vec<String> {
    let percent = |value: f64| format!("{value:.1} %");
    let low = if usage.p95 < 50.0 { styled(CHANGE, percent(usage.p95)) } else { percent(usage.p95) };
    let high = if usage.p99 > 90.0 { styled(BAD, percent(usage.p99)) } else { percent(usage.p99) };
    let resource = match usage.resource {
        crate::ops::stats::Resource::Cpu => "cpu",
        crate::ops::stats::Resource::Memory => "memory",
    };
    let mark = if usage.of_maxima { "*" } else { "" };
    let course = spark::line(&usage.course, 100.0);
    vec![
        styled(STRONG, &usage.address),
        format!("{resource}{mark}"),
        percent(usage.p50),
        low,
        high,
        percent(usage.peak),
        course.trim_end().to_owned(),
    ]
}

fn advice(advice: &Advice) -> Vec<String> {
    let mut lines = vec![format!("  {}  {}", styled(STRONG, &advice.address), advice.because.join("; "))];
    let (now, raise) = (advice.now, advice.cpu == Verdict::Raise || advice.memory == Verdict::Raise);
    match advice.size {
        Some(size) => {
            let style = if raise { WARN } else { ADD };
            let change = format!("{} → {}", sized(now.cpu, now.memory), sized(size.cpu, size.memory));
            lines.push(format!("    {}{}", styled(style, change), styled(FAINT, cost(advice))));
        }
        None => {
            let (style, what) = if raise { (WARN, "raise it") } else { (ADD, "lower it") };
            let why = if advice.fargate {
                "Fargate on Linux has no size so large"
            } else {
                "it is not for Fargate on Linux, which size is yours to choose"
            };
            lines.push(format!("    {}: {why}", styled(style, what)));
        }
    }
    lines.extend(advice.lines.iter().map(edit));
    lines
}

fn sized(cpu: i64, memory: i64) -> String {
    format!("cpu {cpu}, memory {memory}")
}

/// What it saves or costs.
fn cost(advice: &Advice) -> String {
    let words = |dollars: f64| if dollars < 0.0 { "saves" } else { "costs" };
    match (advice.monthly_usd, advice.tasks, advice.hourly_usd) {
        (Some(monthly), Some(tasks), _) if tasks > 0 => {
            let tasks = if tasks == 1 { "1 task".to_owned() } else { format!("{tasks} tasks") };
            format!("  {} ${:.2} a month ({tasks}, on demand)", words(monthly), monthly.abs())
        }
        (_, _, Some(hourly)) => format!("  {} ${:.4} an hour of each task (on demand)", words(hourly), hourly.abs()),
        _ => "  (no prices of this region here)".to_owned(),
    }
}

fn edit(edit: &Edit) -> String {
    let place = &edit.place;
    let what = if place.name == edit.attribute || place.computed {
        format!("{} = {}", edit.attribute, edit.value)
    } else {
        format!("{} = {}, by the default of {}", edit.attribute, edit.value, place.name)
    };
    let but = match (place.computed, place.given) {
        (true, _) => " (computed there)",
        (_, true) => " (it is set from outside now: by --var, --var-file or the environment)",
        _ => "",
    };
    format!("    {}:{}: {what}{}", place.file, place.line, styled(FAINT, but))
}

fn missing(missing: &Missing) -> [String; 2] {
    [format!("  {}  {}", styled(STRONG, &missing.address), missing.problem), styled(FAINT, format!("    {}", missing.help))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::stats::Resource;
    use crate::ops::stats::fargate::Size;
    use crate::ops::stats::place::Place;

    fn one(resource: Resource, p95: f64, p99: f64) -> Usage {
        Usage {
            address: "ecs_service.web".parse().unwrap(),
            kind: crate::ops::stats::Kind::Service,
            name: "shop-web".to_owned(),
            cluster: "shop".to_owned(),
            resource,
            p50: 10.0,
            p95,
            p99,
            peak: 99.5,
            of_maxima: resource == Resource::Memory,
            course: vec![None, Some(10.0), Some(60.0), Some(99.5)],
        }
    }

    #[test]
    fn use_advice_and_what_is_not_known() {
        let place =
            |line, name: &str, given| Place { file: "stacks/shop.toml".to_owned(), line, name: name.to_owned(), computed: false, given };
        let advice = |tasks, size| Advice {
            address: "ecs_task_definition.web".parse().unwrap(),
            because: vec!["memory: P99 is 97.1 %, above 90 %".to_owned()],
            cpu: Verdict::Keep,
            memory: Verdict::Raise,
            now: Size { cpu: 1024, memory: 2048 },
            fargate: true,
            size,
            tasks,
            hourly_usd: size.map(|_| 0.004_445),
            monthly_usd: tasks.map(|tasks| 3.244_85 * tasks as f64),
            lines: size.map_or_else(Vec::new, |_| {
                vec![
                    Edit { attribute: "memory", value: 3072, place: place(12, "memory", false) },
                    Edit { attribute: "memory", value: 3072, place: place(3, "vars.memory", true) },
                ]
            }),
        };
        let larger = Some(Size { cpu: 1024, memory: 3072 });
        let stats = Stats {
            stack: "shop".to_owned(),
            hours: 24,
            usage: vec![one(Resource::Cpu, 20.0, 30.0), one(Resource::Memory, 90.0, 97.1)],
            advice: vec![advice(Some(2), larger), advice(None, larger), advice(Some(1), None)],
            missing: vec![Missing {
                address: "ecs_cluster.main".parse().unwrap(),
                problem: "Container Insights is off".to_owned(),
                help: "set it".to_owned(),
            }],
        };
        insta::assert_snapshot!(anstream::adapter::strip_str(&text(&stats)));
    }
}
