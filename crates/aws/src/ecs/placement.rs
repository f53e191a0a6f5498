//! Which instances tasks run on: constraints and strategies.

use aws_sdk_ecs::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::given::{Problem, is_given, list, problem, text};
use leoctl_core::model::value::Value;

const CONSTRAINTS: &str = "placement_constraints";
const STRATEGY: &str = "placement_strategy";

/// Which instances a service's tasks may run on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlacementConstraint {
    /// `distinctInstance` for one task on each, `memberOf` for instances that an expression chooses.
    #[schemars(extend("enum" = ["distinctInstance", "memberOf"]))]
    r#type: String,
    /// The expression of `memberOf`, such as `attribute:ecs.instance-type =~ t3.*`.
    expression: Option<String>,
}

/// Which of the instances that it may run on a task gets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlacementStrategy {
    /// `spread` evenly over what `field` says, `binpack` on as few as possible, or `random`.
    #[schemars(extend("enum" = ["spread", "binpack", "random"]))]
    r#type: String,
    /// What tasks are spread over, such as `attribute:ecs.availability-zone` or `instanceId`; what is to be used up, `cpu` or
    /// `memory`, of `binpack`.
    field: Option<String>,
}

/// Which instances a task may run on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskConstraint {
    /// Instances that an expression chooses.
    #[schemars(extend("default" = "memberOf", "enum" = ["memberOf"]))]
    r#type: String,
    /// The expression, such as `attribute:ecs.instance-type =~ t3.*`.
    expression: String,
}

impl PlacementConstraint {
    /// The constraint for a call.
    pub fn to_api(&self) -> api::PlacementConstraint {
        let Self { r#type, expression } = self.clone();
        let kind = api::PlacementConstraintType::from(r#type.as_str());
        api::PlacementConstraint::builder().r#type(kind).set_expression(expression).build()
    }

    /// The constraint AWS returned.
    pub fn from_api(constraint: &api::PlacementConstraint) -> Self {
        Self {
            r#type: constraint.r#type().map(api::PlacementConstraintType::as_str).unwrap_or_default().to_owned(),
            expression: constraint.expression().filter(|expression| !expression.is_empty()).map(str::to_owned),
        }
    }
}

impl PlacementStrategy {
    /// The strategy for a call.
    pub fn to_api(&self) -> api::PlacementStrategy {
        let Self { r#type, field } = self.clone();
        api::PlacementStrategy::builder().r#type(api::PlacementStrategyType::from(r#type.as_str())).set_field(field).build()
    }

    /// The strategy AWS returned.
    pub fn from_api(strategy: &api::PlacementStrategy) -> Self {
        Self {
            r#type: strategy.r#type().map(api::PlacementStrategyType::as_str).unwrap_or_default().to_owned(),
            field: strategy.field().filter(|field| !field.is_empty()).map(str::to_owned),
        }
    }
}

impl TaskConstraint {
    /// The constraint for a call.
    pub fn to_api(&self) -> api::TaskDefinitionPlacementConstraint {
        let Self { r#type, expression } = self.clone();
        let kind = api::TaskDefinitionPlacementConstraintType::from(r#type.as_str());
        api::TaskDefinitionPlacementConstraint::builder().r#type(kind).expression(expression).build()
    }

    /// The constraint AWS returned.
    pub fn from_api(constraint: &api::TaskDefinitionPlacementConstraint) -> Self {
        Self {
            r#type: constraint.r#type().map(api::TaskDefinitionPlacementConstraintType::as_str).unwrap_or("memberOf").to_owned(),
            expression: constraint.expression().unwrap_or_default().to_owned(),
        }
    }
}

/// What ECS refuses of where a service's tasks run (ECS API Reference, PlacementConstraint, PlacementStrategy; ECS Developer Guide,
/// "How Amazon ECS places tasks on container instances").
pub fn problems(service: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    for name in [CONSTRAINTS, STRATEGY] {
        if is_on_fargate(service) && !list(service, name).is_empty() {
            problems.push(problem(name, "Fargate places tasks itself: constraints and strategies are for instances"));
        }
    }
    if text(service, "scheduling_strategy") == Some("DAEMON") && !list(service, STRATEGY).is_empty() {
        problems.push(problem(STRATEGY, "a service with the strategy DAEMON has a task on each instance: there is nothing to choose"));
    }
    let constraints = list(service, CONSTRAINTS).iter().filter_map(constraint_problem).map(|what| problem(CONSTRAINTS, what));
    problems.extend(constraints);
    problems.extend(list(service, STRATEGY).iter().filter_map(strategy_problem).map(|what| problem(STRATEGY, what)));
    problems
}

/// Whether a service's tasks run on Fargate, by its launch type or by all of its capacity providers.
fn is_on_fargate(service: &Value) -> bool {
    let providers = list(service, "capacity_provider_strategy");
    let by_providers =
        || providers.iter().all(|one| text(one, "capacity_provider").is_some_and(|name| ["FARGATE", "FARGATE_SPOT"].contains(&name)));
    text(service, "launch_type") == Some("FARGATE") || !providers.is_empty() && by_providers()
}

fn constraint_problem(constraint: &Value) -> Option<&'static str> {
    match (text(constraint, "type")?, is_given(constraint, "expression")) {
        ("distinctInstance", true) => Some("`distinctInstance` has no `expression`"),
        ("memberOf", false) => Some("`memberOf` needs an `expression`"),
        _ => None,
    }
}

fn strategy_problem(strategy: &Value) -> Option<&'static str> {
    let field = strategy.get("field").unwrap_or(&Value::Null);
    match (text(strategy, "type")?, field.as_str()) {
        ("random", _) if !field.is_null() => Some("`random` has no `field`"),
        ("binpack" | "spread", None) if field.is_null() => Some("`binpack` and `spread` need a `field`"),
        ("binpack", Some(field)) if !["cpu", "memory"].contains(&field) => Some("`field` of `binpack` is `cpu` or `memory`"),
        ("spread", Some("host")) => Some("`field` is `instanceId`, as which ECS returns `host`"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn said(service: Json) -> Vec<String> {
        problems(&Value::from(service)).into_iter().map(|(path, _)| path.to_string()).collect()
    }

    #[test]
    fn what_ecs_refuses_of_where_tasks_run_is_said_before() {
        let strategy =
            |kind: &str, field: Json| said(json!({ "launch_type": "EC2", "placement_strategy": [{ "type": kind, "field": field }] }));
        for (kind, field) in
            [("spread", json!("instanceId")), ("spread", json!("attribute:a")), ("binpack", json!("cpu")), ("random", json!(null))]
        {
            assert!(strategy(kind, field.clone()).is_empty(), "{kind} {field}");
        }
        for (kind, field) in [("spread", json!("host")), ("spread", json!(null)), ("binpack", json!("disk")), ("random", json!("cpu"))] {
            assert_eq!(strategy(kind, field.clone()), ["placement_strategy"], "{kind} {field}");
        }
        let constraint = |constraint: Json| said(json!({ "placement_constraints": [constraint] }));
        assert!(constraint(json!({ "type": "distinctInstance" })).is_empty());
        assert!(constraint(json!({ "type": "memberOf", "expression": "attribute:a exists" })).is_empty());
        assert_eq!(constraint(json!({ "type": "memberOf" })), ["placement_constraints"]);
        assert_eq!(constraint(json!({ "type": "distinctInstance", "expression": "e" })), ["placement_constraints"]);
        let both = json!({ "placement_constraints": [{ "type": "distinctInstance" }], "placement_strategy": [{ "type": "random" }] });
        let providers = |names: &[&str]| {
            let strategy: Vec<Json> = names.iter().map(|name| json!({ "capacity_provider": name })).collect();
            let mut service = both.clone();
            service["capacity_provider_strategy"] = json!(strategy);
            said(service)
        };
        assert_eq!(providers(&["FARGATE", "FARGATE_SPOT"]), ["placement_constraints", "placement_strategy"]);
        assert!(providers(&["instances"]).is_empty());
        let with = |name: &str, value: &str| {
            let mut service = both.clone();
            service[name] = json!(value);
            said(service)
        };
        assert_eq!(with("launch_type", "FARGATE"), ["placement_constraints", "placement_strategy"]);
        assert_eq!(with("scheduling_strategy", "DAEMON"), ["placement_strategy"]);
    }
}
