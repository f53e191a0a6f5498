//! What the cloud in memory never lets be, as AWS does not.

use std::collections::BTreeMap;

use crate::engine::ports::{Failure, FailureKind, Outcome};
use crate::model::place::Place;
use crate::model::value::Value;

/// Whether everything that exists may exist beside one another.
///
/// # Errors
/// AWS's, where it may not.
pub fn kept(resources: &BTreeMap<Place, Value>) -> Outcome<()> {
    let of = |type_name: &'static str| resources.iter().filter(move |(place, _)| place.type_name == type_name).map(|(_, value)| value);
    let refused = |code: &str| Err(Failure { code: Some(code.to_owned()), ..Failure::new(FailureKind::Refused, code) });
    let mut places: Vec<_> = of("rule").map(|rule| (text(rule, "listener"), rule.get("priority").cloned())).collect();
    while let Some(one) = places.pop() {
        if places.contains(&one) {
            return refused("PriorityInUse");
        }
    }
    for task in of("task") {
        let cluster = of("cluster").find(|cluster| text(cluster, "arn") == text(task, "cluster"));
        let has = |cluster: &Value| {
            cluster.get("providers").and_then(Value::as_list).unwrap_or_default().contains(task.get("provider").unwrap_or(&Value::Null))
        };
        if !cluster.is_some_and(has) {
            return refused("ResourceInUse");
        }
    }
    Ok(())
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned)
}
