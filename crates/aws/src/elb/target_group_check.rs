//! What Elastic Load Balancing refuses of a target group (ELBv2 API Reference, CreateTargetGroup).

use crate::given::{Problem, int, is_given, problem, problem_if, text};
use leoctl_core::model::value::Value;

/// What is wrong with a target group of instances, addresses or a load balancer, as far as it is known.
pub fn check(group: &Value) -> Vec<Problem> {
    if group.as_map().is_none() || text(group, "target_type") == Some("lambda") {
        return Vec::new();
    }
    let missing = ["protocol", "port", "vpc_id"].into_iter().filter(|key| !is_given(group, key));
    let mut problems: Vec<Problem> = missing.map(|key| problem(key, format!("a target group needs its `{key}`"))).collect();
    let http = text(group, "protocol").map(|protocol| matches!(protocol, "HTTP" | "HTTPS"));
    let versioned = is_given(group, "protocol_version") && http == Some(false);
    problems.extend(problem_if(versioned, "protocol_version", "only HTTP and HTTPS have a `protocol_version`"));
    problems.extend(health_check(group));
    problems
}

fn health_check(group: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    let by = text(group, "health_check_protocol");
    let by_tcp = by == Some("TCP");
    for key in ["health_check_path", "matcher"] {
        let what = "a health check by TCP opens a connection, and asks for nothing";
        problems.extend(problem_if(by_tcp && is_given(group, key), key, what));
    }
    let timeout = int(group, "health_check_timeout_seconds");
    let interval =
        int(group, "health_check_interval_seconds").or_else(|| (!is_given(group, "health_check_interval_seconds")).then_some(30));
    let longer = timeout.zip(interval).is_some_and(|(timeout, interval)| timeout > interval);
    problems.extend(problem_if(longer, "health_check_timeout_seconds", "a health check cannot take longer than the interval between two"));
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::check;
    use leoctl_core::model::value::Value;

    #[test]
    fn what_aws_refuses_of_a_target_group_is_found() {
        let found = |more: Json| {
            let mut group = json!({ "protocol": "HTTP", "port": 80, "vpc_id": "vpc-1" });
            group.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            check(&Value::from(&group)).into_iter().map(|(path, _)| path.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(found(json!({ "protocol_version": "GRPC", "health_check_path": "/" })), Vec::<String>::new());
        for (more, at) in [
            (json!({ "port": null }), "port"),
            (json!({ "vpc_id": null }), "vpc_id"),
            (json!({ "protocol": "TCP", "protocol_version": "HTTP2" }), "protocol_version"),
            (json!({ "protocol": "TCP", "health_check_protocol": "TCP", "health_check_path": "/" }), "health_check_path"),
            (json!({ "health_check_timeout_seconds": 40 }), "health_check_timeout_seconds"),
        ] {
            assert_eq!(found(more.clone()), [at], "{more}");
        }
    }
}
