//! Requests that a deployment moves from one target group to another: where they go is not the stack file's to say.

use std::collections::BTreeSet;

use leoctl_core::model::value::Value;

/// What says where an action forwards to.
const WHERE: [&str; 2] = ["target_group_arn", "forward_config"];

/// What is wanted, with `actions` forwarding to where they do in AWS, as long as both forward to these groups only.
pub fn yields(wanted: &Value, live: &Value, actions: &str, among: &[String]) -> Value {
    let forward = |value: &Value| value.get(actions)?.as_list()?.iter().find(|action| is_forward(action)).cloned();
    let within = |action: &Value| groups(action).is_some_and(|groups| groups.iter().all(|group| among.iter().any(|one| one == group)));
    let (Some(now), Value::Map(map)) = (forward(live).filter(within), wanted) else { return wanted.clone() };
    let Some(Value::List(items)) = map.get(actions) else { return wanted.clone() };
    let items = items.iter().map(|action| match action {
        Value::Map(_) if is_forward(action) && within(action) => forwarding(action, &now),
        other => other.clone(),
    });
    let mut map = map.clone();
    map.insert(actions.to_owned(), Value::List(items.collect()));
    Value::Map(map)
}

/// Whether a change sends requests from one target group to another one that something else may have chosen: it has two groups
/// and nothing else, and either somebody has changed it since the last apply (`drifted`), or it sends all to one of two.
pub fn undoes(before: &Value, after: &Value, actions: &str, drifted: bool) -> bool {
    let forward = |value: &Value| value.get(actions)?.as_list()?.iter().find(|action| is_forward(action)).cloned();
    let (Some(before), Some(after)) = (forward(before), forward(after)) else { return false };
    let (Some(now), Some(then)) = (groups(&before), groups(&after)) else { return false };
    let all: BTreeSet<&str> = now.into_iter().chain(then).collect();
    before != after && all.len() == 2 && (drifted || sends_all_to_one(&before))
}

fn sends_all_to_one(action: &Value) -> bool {
    let shares = action.get("forward_config").and_then(|forward| forward.get("target_groups")).and_then(Value::as_list).unwrap_or_default();
    let nothing = shares.iter().filter(|share| share.get("weight") == Some(&Value::Int(0))).count();
    shares.len() == 2 && nothing == 1
}

fn is_forward(action: &Value) -> bool {
    action.get("type").and_then(Value::as_str) == Some("forward")
}

/// The groups that an action forwards to; nothing where one of them is not known.
fn groups(action: &Value) -> Option<Vec<&str>> {
    if let Some(group) = action.get("target_group_arn").filter(|group| !group.is_null()) {
        return Some(vec![group.as_str()?]);
    }
    let shares = action.get("forward_config")?.get("target_groups")?.as_list()?;
    shares.iter().map(|share| share.get("target_group_arn")?.as_str()).collect()
}

/// An action that forwards to where another one does.
fn forwarding(action: &Value, other: &Value) -> Value {
    let Value::Map(map) = action else { return action.clone() };
    let mut map = map.clone();
    for name in WHERE {
        match other.get(name).filter(|value| !value.is_null()) {
            Some(value) => map.insert(name.to_owned(), value.clone()),
            None => map.remove(name),
        };
    }
    Value::Map(map)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn kept(wanted: Json, live: Json) -> bool {
        let of = |actions: Json| Value::from(json!({ "actions": actions, "priority": 1 }));
        let (wanted, live) = (of(wanted), of(live));
        let settled = yields(&wanted, &live, "actions", &["blue".to_owned(), "green".to_owned()]);
        settled == live && wanted != live
    }

    fn to(group: &str) -> Json {
        json!({ "type": "forward", "target_group_arn": group })
    }

    /// What ECS makes of a rule that it moves requests with.
    fn shifted(from: &str, to: &str) -> Json {
        let shares = json!([{ "target_group_arn": from, "weight": 0 }, { "target_group_arn": to, "weight": 100 }]);
        json!({ "type": "forward", "forward_config": { "target_groups": shares } })
    }

    #[test]
    fn requests_that_a_deployment_has_moved_stay_where_they_are() {
        assert!(kept(json!([to("blue")]), json!([shifted("blue", "green")])), "by ECS");
        assert!(kept(json!([to("blue")]), json!([to("green")])), "by CodeDeploy");
        assert!(kept(json!([shifted("green", "blue")]), json!([shifted("blue", "green")])));
        assert!(!kept(json!([to("other")]), json!([to("green")])), "the stack file sends them elsewhere");
        assert!(!kept(json!([to("blue")]), json!([shifted("blue", "other")])), "somebody else sends them elsewhere");
        assert!(!kept(json!([to("blue")]), json!([{ "type": "fixed-response", "fixed_response_config": { "status_code": "503" } }])));
    }

    #[test]
    fn who_moves_requests_is_asked_only_where_somebody_may() {
        let of = |actions: Json| Value::from(json!({ "actions": actions }));
        let asked = |before: Json, after: Json, drifted: bool| undoes(&of(json!([before])), &of(json!([after])), "actions", drifted);
        assert!(asked(shifted("blue", "green"), to("blue"), false));
        assert!(asked(to("green"), to("blue"), true), "somebody has changed it");
        assert!(!asked(to("green"), to("blue"), false), "it is as the last apply has left it: the stack file has changed");
        assert!(!asked(shifted("blue", "green"), to("maintenance"), true));
        assert!(!asked(to("blue"), to("blue"), true), "something else changes");
    }

    #[test]
    fn every_other_action_is_compared() {
        let login = json!({ "type": "authenticate-cognito" });
        let of = |actions: Json| Value::from(json!({ "actions": actions }));
        let settled =
            yields(&of(json!([login, to("blue")])), &of(json!([to("green")])), "actions", &["blue".to_owned(), "green".to_owned()]);
        assert_eq!(settled, of(json!([login, to("green")])), "who asks for it is sent to where the tasks are");
        let unknown = Value::Map([("type".to_owned(), Value::string("forward")), ("target_group_arn".to_owned(), Value::Unknown)].into());
        let wanted = Value::Map([("actions".to_owned(), Value::List(vec![unknown]))].into());
        let settled = yields(&wanted, &of(json!([to("green")])), "actions", &["green".to_owned()]);
        assert!(settled.has_unknown(), "a group that is made anew is another one");
    }
}
