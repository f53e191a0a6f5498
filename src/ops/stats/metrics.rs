//! Asking CloudWatch for percentiles and for the course of many metrics in one call.

use aws_sdk_cloudwatch::types as api;
use aws_smithy_types::DateTime;
use futures_util::future::try_join_all;
use jiff::Timestamp;

use leoctl_aws::client::Aws;
use leoctl_aws::error::OrFail;
use leoctl_core::engine::ports::Outcome;

/// Most queries that GetMetricData takes in one call (CloudWatch API Reference).
const QUERIES: usize = 500;
/// What is asked of each metric. The last is asked in short periods, the others over the whole time.
const STATISTICS: [&str; 4] = ["p50", "p95", "p99", "Maximum"];
/// About how many periods the course of a metric has.
const COURSE: i64 = 288;

/// The time that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub to: Timestamp,
}

impl Window {
    /// The last hours, up to the end of this minute.
    pub fn last(hours: u32, now: Timestamp) -> Self {
        let to = now.as_second().div_euclid(60) * 60 + 60;
        let time = |second: i64| Timestamp::from_second(second).unwrap_or(now);
        Self { from: time(to - i64::from(hours) * 3600), to: time(to) }
    }

    fn seconds(&self) -> i64 {
        self.to.as_second() - self.from.as_second()
    }

    /// The period of the percentiles, in seconds: all of the time, or days where it is longer.
    fn whole(&self) -> i64 {
        self.seconds().min(24 * 3600)
    }

    /// The period of the course. CloudWatch keeps minutes for 15 days, and then five of them for 63 days (CloudWatch
    /// User Guide, "Metrics retention").
    fn short(&self) -> i64 {
        let step = if self.seconds() > 15 * 24 * 3600 { 300 } else { 60 };
        ((self.seconds() / COURSE).max(1) + step - 1) / step * step
    }
}

/// A metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its namespace.
    pub namespace: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its dimensions.
    pub dimensions: [(&'static str, String); 2],
}

/// What CloudWatch knows of a metric.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// P50, P95 and P99: of each day, where it is several.
    pub percentiles: [Vec<f64>; 3],
    /// The largest value of each short period.
    pub maxima: Vec<(i64, f64)>,
}

/// A metric in four numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Half of the values are below it.
    pub p50: f64,
    /// 95 % of them are.
    pub p95: f64,
    /// 99 % of them are.
    pub p99: f64,
    /// All of them are, or are it.
    pub peak: f64,
    /// Whether CloudWatch had no percentiles, and these are of the largest values of each period.
    pub of_maxima: bool,
}

impl Measured {
    /// The metric in four numbers, of several days the worst; none when there are no values.
    ///
    /// Of values that were published as sums CloudWatch has no percentiles (CloudWatch User Guide, "Percentiles").
    /// Then they are those of the largest values, which are not below.
    pub fn summary(&self) -> Option<Summary> {
        let mut maxima: Vec<f64> = self.maxima.iter().map(|(_, value)| *value).collect();
        maxima.sort_by(f64::total_cmp);
        let [p50, p95, p99] = &self.percentiles;
        let peak = maxima.last().copied();
        match (worst(p50), worst(p95), worst(p99)) {
            (Some(p50), Some(p95), Some(p99)) => Some(Summary { p50, p95, p99, peak: peak.unwrap_or(p99), of_maxima: false }),
            _ => {
                let [p50, p95, p99] = [50, 95, 99].map(|percent| rank(&maxima, percent));
                Some(Summary { p50: p50?, p95: p95?, p99: p99?, peak: peak?, of_maxima: true })
            }
        }
    }

    /// The largest value of each of `columns` equal parts of the time; none where there is none.
    pub fn course(&self, window: &Window, columns: usize) -> Vec<Option<f64>> {
        let mut course = vec![None; columns];
        for (second, value) in &self.maxima {
            let at = second - window.from.as_second();
            let column = i64::try_from(columns).unwrap_or(1) * at / window.seconds().max(1);
            // CloudWatch may begin a period before the time that was asked for.
            let column = usize::try_from(column.max(0)).unwrap_or_default().min(columns.saturating_sub(1));
            if let Some(slot) = course.get_mut(column) {
                *slot = Some(slot.map_or(*value, |known: f64| known.max(*value)));
            }
        }
        course
    }
}

fn worst(values: &[f64]) -> Option<f64> {
    values.iter().copied().max_by(f64::total_cmp)
}

/// The value that so many percent of these do not exceed, by nearest rank.
fn rank(sorted: &[f64], percent: usize) -> Option<f64> {
    sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied()
}

/// What CloudWatch knows of these metrics, in their order.
///
/// # Errors
/// When AWS refuses.
pub async fn read(aws: &Aws, window: &Window, metrics: &[Metric]) -> Outcome<Vec<Measured>> {
    let calls = metrics.chunks(QUERIES / STATISTICS.len()).map(async |some| one_call(aws, window, some).await);
    Ok(try_join_all(calls).await?.into_iter().flatten().collect())
}

async fn one_call(aws: &Aws, window: &Window, metrics: &[Metric]) -> Outcome<Vec<Measured>> {
    let queries = metrics
        .iter()
        .enumerate()
        .flat_map(|(number, metric)| STATISTICS.iter().map(move |statistic| query(&id(number, statistic), metric, statistic, window)));
    let time = |time: Timestamp| DateTime::from_secs(time.as_second());
    let call = aws.cloudwatch().get_metric_data().start_time(time(window.from)).end_time(time(window.to));
    let call = call.set_metric_data_queries(Some(queries.collect())).scan_by(api::ScanBy::TimestampAscending);
    let mut pages = call.into_paginator().send();
    let mut results = Vec::new();
    while let Some(page) = pages.next().await {
        results.extend(page.or_fail("cloudwatch:GetMetricData")?.metric_data_results.unwrap_or_default());
    }
    Ok((0..metrics.len()).map(|number| measured(number, &results)).collect())
}

fn id(number: usize, statistic: &str) -> String {
    format!("m{number}_{}", statistic.to_lowercase())
}

fn query(id: &str, metric: &Metric, statistic: &str, window: &Window) -> api::MetricDataQuery {
    let dimension = |(name, value): &(&str, String)| api::Dimension::builder().name(*name).value(value).build();
    let dimensions = metric.dimensions.iter().map(dimension).collect();
    let of = api::Metric::builder().namespace(metric.namespace).metric_name(metric.name).set_dimensions(Some(dimensions)).build();
    let period = if statistic == "Maximum" { window.short() } else { window.whole() };
    let period = i32::try_from(period).unwrap_or(i32::MAX);
    let stat = api::MetricStat::builder().metric(of).period(period).stat(statistic).build();
    api::MetricDataQuery::builder().id(id).metric_stat(stat).return_data(true).build()
}

/// What the results, of which a page may have only a part, say of a metric.
fn measured(number: usize, results: &[api::MetricDataResult]) -> Measured {
    let points = |statistic: &str| {
        let id = id(number, statistic);
        let ours = results.iter().filter(|result| result.id() == Some(&id));
        let points = ours.flat_map(|result| result.timestamps().iter().zip(result.values()));
        points.map(|(time, value)| (time.secs(), *value)).collect::<Vec<_>>()
    };
    let values = |statistic| points(statistic).into_iter().map(|(_, value)| value).collect();
    Measured { percentiles: [values("p50"), values("p95"), values("p99")], maxima: points("Maximum") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(hours: u32) -> Window {
        Window::last(hours, Timestamp::from_second(1_790_000_030).unwrap())
    }

    #[test]
    fn periods_are_what_cloudwatch_takes_for_every_length() {
        for hours in 1..=1512 {
            let window = window(hours);
            let (whole, short) = (window.whole(), window.short());
            let step = if hours > 15 * 24 { 300 } else { 60 };
            assert!(whole % step == 0 && short % step == 0 && short > 0 && whole <= 86_400, "{hours}: {whole}, {short}");
            assert!(window.seconds() / short <= COURSE && short <= whole, "{hours}: {short}");
        }
        assert_eq!(window(24).short(), 300);
    }

    #[test]
    fn of_several_days_the_worst_counts() {
        let measured = Measured { percentiles: [vec![10.0, 20.0], vec![30.0, 25.0], vec![40.0, 90.0]], maxima: vec![(0, 95.0)] };
        let expected = Summary { p50: 20.0, p95: 30.0, p99: 90.0, peak: 95.0, of_maxima: false };
        assert_eq!(measured.summary(), Some(expected));
        assert_eq!(Measured::default().summary(), None);
    }

    #[test]
    fn without_percentiles_those_of_the_maxima_do() {
        let maxima = (1..=200).map(|n| (n, n as f64)).collect();
        let summary = Measured { maxima, ..Measured::default() }.summary().unwrap();
        assert_eq!((summary.p50, summary.p95, summary.p99, summary.peak, summary.of_maxima), (100.0, 190.0, 198.0, 200.0, true));
    }

    #[test]
    fn a_course_has_gaps_where_nothing_was_measured() {
        let window = window(4);
        let start = window.from.as_second();
        let maxima = vec![(start - 30, 1.0), (start + 60, 5.0), (start + 7200, 3.0), (start + 4 * 3600, 9.0)];
        assert_eq!(Measured { maxima, ..Measured::default() }.course(&window, 4), [Some(5.0), None, Some(3.0), Some(9.0)]);
    }

    #[test]
    fn results_are_told_apart_by_their_ids_and_put_together_over_pages() {
        let result = |id: &str, second: i64, value: f64| {
            api::MetricDataResult::builder().id(id).timestamps(DateTime::from_secs(second)).values(value).build()
        };
        let results = [result("m1_p99", 0, 7.0), result("m1_maximum", 0, 8.0), result("m11_p99", 0, 1.0), result("m1_maximum", 60, 9.0)];
        let measured = super::measured(1, &results);
        assert_eq!((measured.percentiles[2].as_slice(), measured.maxima.as_slice()), ([7.0].as_slice(), [(0, 8.0), (60, 9.0)].as_slice()));
    }
}
