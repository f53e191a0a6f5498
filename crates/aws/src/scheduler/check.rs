//! What EventBridge Scheduler refuses of a schedule (EventBridge Scheduler User Guide, "Schedule types").

use crate::given::{Problem, is_given, list, problem, text};
use leoctl_core::model::value::Value;

/// What is wrong with a schedule, as far as it is known.
pub fn check(schedule: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    let expression = text(schedule, "schedule_expression").and_then(unfit);
    problems.extend(expression.map(|what| problem("schedule_expression", what)));
    let Some(target) = schedule.get("target") else { return problems };
    if let Some(tasks) = target.get("ecs_parameters")
        && is_given(tasks, "launch_type")
        && !list(tasks, "capacity_provider_strategy").is_empty()
    {
        problems.push(problem("target", "tasks have either a `launch_type` or a `capacity_provider_strategy`"));
    }
    let source = target.get("event_bridge_parameters").and_then(|event| text(event, "source"));
    if source.is_some_and(|source| source.starts_with("aws.")) {
        problems.push(problem("target", "an event's `source` that begins with `aws.` is AWS's own"));
    }
    problems
}

/// Why an expression is no time.
fn unfit(expression: &str) -> Option<&'static str> {
    let (kind, inner) = expression.strip_suffix(')')?.split_once('(')?;
    match kind {
        "rate" => (!is_rate(inner)).then_some("`rate` has a number of at least 1 and `minutes`, `hours` or `days`"),
        "cron" => (inner.split_whitespace().count() != 6)
            .then_some("`cron` has six fields: minutes, hours, day of the month, month, day of the week and year"),
        "at" => inner.parse::<jiff::civil::DateTime>().is_err().then_some("`at` has a time such as `2030-01-01T03:00:00`"),
        _ => None,
    }
}

fn is_rate(inner: &str) -> bool {
    let mut words = inner.split_whitespace();
    let number = words.next().and_then(|number| number.parse::<u32>().ok()).is_some_and(|number| number > 0);
    let unit = words.next().is_some_and(|unit| matches!(unit.trim_end_matches('s'), "minute" | "hour" | "day"));
    number && unit && words.next().is_none()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{check, unfit};
    use leoctl_core::model::value::Value;

    #[test]
    fn an_expression_that_is_no_time_is_found() {
        for right in ["rate(1 minute)", "rate(15 minutes)", "cron(0 3 * * ? *)", "cron(0/5 8-17 ? * MON-FRI *)", "at(2030-01-01T03:00:00)"]
        {
            assert_eq!(unfit(right), None, "{right}");
        }
        for wrong in ["rate(0 minutes)", "rate(5)", "rate(5 weeks)", "cron(0 3 * * *)", "at(tomorrow)"] {
            assert!(unfit(wrong).is_some(), "{wrong}");
        }
    }

    #[test]
    fn what_excludes_each_other_in_a_target_is_found() {
        let found = |target: serde_json::Value| check(&Value::from(&json!({ "target": target }))).len();
        let strategy = json!([{ "capacity_provider": "FARGATE" }]);
        assert_eq!(found(json!({ "ecs_parameters": { "launch_type": "FARGATE", "capacity_provider_strategy": strategy } })), 1);
        assert_eq!(found(json!({ "ecs_parameters": { "capacity_provider_strategy": strategy } })), 0);
        assert_eq!(found(json!({ "event_bridge_parameters": { "source": "aws.ec2" } })), 1);
        assert_eq!(found(json!({ "event_bridge_parameters": { "source": "shop" } })), 0);
    }
}
