//! What CloudWatch refuses of an alarm (CloudWatch API Reference, PutMetricAlarm).

use crate::given::{Problem, int, is_given, list, problem, problem_if, text};
use leoctl_core::model::value::Value;

/// What is wrong with an alarm, as far as it is known.
pub fn check(alarm: &Value) -> Vec<Problem> {
    if alarm.as_map().is_none() {
        return Vec::new();
    }
    let several = !list(alarm, "metrics").is_empty() || alarm.get("metrics") == Some(&Value::Unknown);
    let mut problems = Vec::new();
    problems.extend(problem_if(
        is_given(alarm, "metric_name") == several,
        "metric_name",
        "an alarm watches either a metric (`metric_name`) or `metrics`",
    ));
    if several {
        problems.extend(watched(alarm));
    } else if is_given(alarm, "metric_name") {
        problems.extend(single(alarm));
    }
    problems.extend(compared(alarm));
    problems.extend(periods(alarm));
    problems
}

/// Of an alarm over several metrics, that one is watched. A band has values of its own ("Anomaly Detection Model Alarm").
fn watched(alarm: &Value) -> Option<Problem> {
    let queries = list(alarm, "metrics").iter().map(|query| query.get("return_data").cloned().unwrap_or(Value::Bool(true)));
    let watched = queries.map(|on| match on {
        Value::Bool(on) => Some(on),
        _ => None,
    });
    let watched = watched.collect::<Option<Vec<bool>>>()?;
    let wrong = !watched.is_empty() && !is_given(alarm, "threshold_metric_id") && watched.iter().filter(|on| **on).count() != 1;
    problem_if(wrong, "metrics", "exactly one of `metrics` is watched: the others need `return_data = false`")
}

/// Of an alarm on one metric, that it says what is made of its values.
fn single(alarm: &Value) -> Vec<Problem> {
    let statistics = ["statistic", "extended_statistic"].iter().filter(|key| is_given(alarm, key)).count();
    let mut problems = Vec::new();
    problems.extend(problem_if(statistics != 1, "metric_name", "a metric needs one of `statistic` and `extended_statistic`"));
    for key in ["namespace", "period"] {
        if !is_given(alarm, key) {
            problems.push(problem("metric_name", format!("a metric needs its `{key}`")));
        }
    }
    problems
}

fn compared(alarm: &Value) -> Option<Problem> {
    let given = ["threshold", "threshold_metric_id"].iter().filter(|key| is_given(alarm, key)).count();
    problem_if(given != 1, "threshold", "an alarm compares with one of `threshold` and `threshold_metric_id`")
}

fn periods(alarm: &Value) -> Vec<Problem> {
    const DAY: i64 = 86_400;
    let (period, evaluated) = (int(alarm, "period"), int(alarm, "evaluation_periods"));
    let mut problems = Vec::new();
    let odd = period.is_some_and(|period| ![10, 20, 30].contains(&period) && (period < 60 || period % 60 != 0));
    problems.extend(problem_if(odd, "period", "`period` is 10, 20, 30 or a multiple of 60"));
    let more = int(alarm, "datapoints_to_alarm").zip(evaluated).is_some_and(|(points, evaluated)| points > evaluated);
    problems.extend(problem_if(more, "datapoints_to_alarm", "`datapoints_to_alarm` is more than `evaluation_periods`"));
    if let Some((period, evaluated)) = period.zip(evaluated) {
        let (longest, words) =
            if period >= 3600 { (7 * DAY, "seven days") } else { (DAY, "a day, or seven with an hour or more for each") };
        let whole = period.saturating_mul(evaluated);
        let what = format!("`period` times `evaluation_periods` is {whole} seconds, and AWS looks back {words} at most");
        problems.extend((whole > longest).then(|| problem("evaluation_periods", what)));
    }
    problems.extend(problem_if(
        text(alarm, "comparison_operator")
            .is_some_and(|operator| operator.contains("UpperThreshold") || operator.starts_with("LessThanLowerThreshold"))
            && !is_given(alarm, "threshold_metric_id"),
        "comparison_operator",
        "this operator compares with the band that `threshold_metric_id` names",
    ));
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::check;
    use leoctl_core::model::value::Value;

    fn found(more: &Json) -> Vec<String> {
        let mut alarm =
            json!({ "metric_name": "m", "namespace": "N", "period": 60, "statistic": "Sum", "threshold": 1, "evaluation_periods": 3 });
        alarm.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        check(&Value::from(&alarm)).into_iter().map(|(path, _)| path.to_string()).collect()
    }

    #[test]
    fn what_aws_refuses_of_an_alarm_is_found() {
        assert_eq!(found(&json!({})), Vec::<String>::new());
        for (more, at) in [
            (json!({ "period": 15 }), "period"),
            (json!({ "period": 61 }), "period"),
            (json!({ "statistic": null }), "metric_name"),
            (json!({ "extended_statistic": "p99" }), "metric_name"),
            (json!({ "threshold": null }), "threshold"),
            (json!({ "datapoints_to_alarm": 4 }), "datapoints_to_alarm"),
            (json!({ "period": 3600, "evaluation_periods": 169 }), "evaluation_periods"),
            (json!({ "period": 60, "evaluation_periods": 1441 }), "evaluation_periods"),
            (json!({ "metrics": [{ "id": "a" }] }), "metric_name"),
            (json!({ "comparison_operator": "GreaterThanUpperThreshold" }), "comparison_operator"),
        ] {
            assert_eq!(found(&more), [at], "{more}");
        }
        assert_eq!(found(&json!({ "period": 3600, "evaluation_periods": 168 })), Vec::<String>::new());
    }

    #[test]
    fn one_of_several_metrics_is_watched() {
        let several = |metrics: Json| found(&json!({ "metric_name": null, "statistic": null, "period": null, "metrics": metrics }));
        assert_eq!(several(json!([{ "id": "a", "return_data": false }, { "id": "b" }])), Vec::<String>::new());
        assert_eq!(several(json!([{ "id": "a" }, { "id": "b" }])), ["metrics"]);
    }
}
