//! What is paid for by the piece: logs, metrics, secrets, keys, messages.

use super::bill::Desk;
use super::prices::Price;
use super::side::{Resource, get, number};
use crate::model::value::Value;
use crate::stack::usage::Use;

/// Days of a month.
const MONTH: f64 = 365.0 / 12.0;
/// Alarms that one with an anomaly detection band counts as: the metric and both bounds (CloudWatch price page).
const ANOMALY: f64 = 3.0;

/// Logs: taken in, and kept. Without an end to their retention a year of them is counted.
pub fn log_group(desk: &mut Desk<'_>, group: &Resource<'_>) {
    let price = match group.text("log_group_class") {
        Some("DELIVERY") => return desk.missing("leoctl has no prices for the log class DELIVERY"),
        Some("INFREQUENT_ACCESS") => Price::LogsIaGb,
        _ => Price::LogsGb,
    };
    let gb = desk.amount(Use::LOG_GB);
    desk.by_use("logs taken in", (gb, "GB"), price);
    let days = group.number("retention_in_days");
    let what = days.map_or_else(|| "logs kept, of a year".to_owned(), |days| format!("logs kept, of {days} days"));
    desk.by_use(what, (gb * days.unwrap_or(365.0) / MONTH, "GB"), Price::LogsStoredGb);
}

/// An alarm is paid for by the metrics it looks at, and more where it looks more than once a minute.
pub fn alarm(desk: &mut Desk<'_>, alarm: &Resource<'_>) {
    let stats = || alarm.list("metrics").iter().filter_map(|metric| get(metric, "metric_stat"));
    let mut metrics = stats().fold(0.0, |count: f64, _| count + 1.0).max(1.0);
    if alarm.text("threshold_metric_id").is_some() {
        metrics *= ANOMALY;
    }
    let periods = stats().filter_map(|stat| get(stat, "period").and_then(number)).chain(alarm.number("period"));
    let price = if periods.fold(f64::MAX, f64::min) < 60.0 { Price::AlarmFastMonth } else { Price::AlarmMonth };
    desk.always("alarm", (metrics, "metrics"), price);
}

/// A filter makes a metric; with dimensions one for each of their values, of which there is one at least.
pub fn metric_filter(desk: &mut Desk<'_>, filter: &Resource<'_>) {
    desk.always("metric", (1.0, "metrics"), Price::MetricMonth);
    let dimensions = |one: &Value| get(one, "dimensions").and_then(Value::as_map).is_some_and(|map| !map.is_empty());
    if filter.list("metric_transformations").iter().any(dimensions) {
        desk.missing("more metrics: there is one for each value its dimensions take");
    }
}

/// A dashboard.
pub fn dashboard(desk: &mut Desk<'_>) {
    desk.always("dashboard", (1.0, "dashboards"), Price::DashboardMonth);
}

/// A secret, and its copies in other regions.
pub fn secret(desk: &mut Desk<'_>, secret: &Resource<'_>) {
    let copies = secret.list("replica_regions").iter().fold(0.0, |count: f64, _| count + 1.0);
    desk.always("secret", (1.0 + copies, "secrets"), Price::SecretMonth);
}

/// A key.
pub fn key(desk: &mut Desk<'_>) {
    desk.always("key", (1.0, "keys"), Price::KmsKeyMonth);
}

/// A parameter: only advanced ones are paid for.
pub fn parameter(desk: &mut Desk<'_>, parameter: &Resource<'_>) {
    if parameter.text("tier") == Some("Advanced") {
        desk.always("advanced parameter", (1.0, "parameters"), Price::SsmAdvancedMonth);
    }
}

/// A topic: what is published.
pub fn topic(desk: &mut Desk<'_>, topic: &Resource<'_>) {
    if topic.flag("fifo_topic") {
        return desk.missing("leoctl has no prices for FIFO topics");
    }
    let messages = desk.amount(Use::SNS_MESSAGES);
    desk.by_use("messages", (messages, "messages"), Price::SnsPublishes);
}

/// A subscription: what is delivered. To SQS and Lambda that is free (SNS price page).
pub fn subscription(desk: &mut Desk<'_>, subscription: &Resource<'_>) {
    let (what, price) = match subscription.text("protocol") {
        Some("sqs" | "lambda") => return,
        Some("email" | "email-json") => ("e-mails", Price::SnsEmail),
        Some("http" | "https") => ("deliveries over HTTP", Price::SnsHttp),
        other => return desk.missing(format!("leoctl has no price for deliveries to {}", other.unwrap_or("what is not known yet"))),
    };
    let messages = desk.amount(Use::SNS_MESSAGES);
    desk.by_use(what, (messages, "messages"), price);
}

/// A schedule: its calls. What it starts is paid for by itself.
pub fn schedule(desk: &mut Desk<'_>, schedule: &Resource<'_>) {
    if schedule.text("state") != Some("DISABLED") {
        let calls = desk.amount(Use::SCHEDULE_CALLS);
        desk.by_use("calls", (calls, "calls"), Price::SchedulerCalls);
    }
}

/// A certificate is free, unless its key can be taken out or somebody else than Amazon issues it.
pub fn certificate(desk: &mut Desk<'_>, certificate: &Resource<'_>) {
    if certificate.text("export") == Some("ENABLED") || certificate.text("certificate_authority_arn").is_some() {
        desk.missing("leoctl has no prices for certificates that can be exported or are of a private authority");
    }
}
