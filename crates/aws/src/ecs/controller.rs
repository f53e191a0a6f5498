//! Services whose tasks somebody else than ECS exchanges: CodeDeploy, or a tool that makes task sets of its own. What these
//! decide is theirs, and so is where the requests go that a deployment moves.

use aws_sdk_ecs::types as api;

use super::attachment::ServiceLoadBalancer;
use super::{hook, placement, rebalancing};
use crate::given::{int, is_given, text};
use leoctl_core::model::path::{Path, Segment};
use leoctl_core::model::schema::{Governed, Governs};
use leoctl_core::model::value::Value;

/// The controller of a service that says of none.
pub const ECS: &str = "ECS";
/// The controller that is AWS CodeDeploy.
const CODE_DEPLOY: &str = "CODE_DEPLOY";
/// The controller that is a tool of somebody's own.
pub const EXTERNAL: &str = "EXTERNAL";

/// What belongs to the task sets of such a service, and UpdateService does not take (ECS API Reference, UpdateService).
const OF_TASK_SETS: [&str; 10] = [
    "task_definition",
    "launch_type",
    "capacity_provider_strategy",
    "platform_version",
    "network_configuration",
    "load_balancers",
    "vpc_lattice_configurations",
    "service_registries",
    "service_connect_configuration",
    "volume_configurations",
];

/// Where a deployment moves requests: what they go to, and what says where they go.
const GROUP: &str = "lb_target_group";
const RULE: &str = "lb_listener_rule";
const LISTENER: &str = "lb_listener";

fn of_deployment(name: &str) -> Path {
    Path::attribute("deployment_configuration").join(Segment::field(name))
}

fn controller(service: &Value) -> &str {
    text(service, "deployment_controller").unwrap_or(ECS)
}

/// Who exchanges the tasks of a service, as a plan calls it.
fn name(controller: &str) -> &'static str {
    if controller == CODE_DEPLOY { "CodeDeploy" } else { "its deployment controller" }
}

/// What of a live service something else sets.
pub(super) fn governed(live: &Value, wanted: &Value) -> Vec<Governed> {
    let mut governed = counts(live, wanted);
    let of = controller(live);
    if of != ECS && of == controller(wanted) {
        let external = (of == EXTERNAL).then_some("deployment_configuration");
        let set = |attribute| Governed { path: Path::attribute(attribute), by: Some(name(of)) };
        governed.extend(OF_TASK_SETS.into_iter().chain(external).map(set));
    }
    governed
}

/// The numbers of tasks that are not the stack file's.
fn counts(live: &Value, wanted: &Value) -> Vec<Governed> {
    let desired = |by| Governed { path: Path::attribute("desired_count"), by: Some(by) };
    if text(live, "scheduling_strategy") == Some("DAEMON") {
        // A daemon has no more tasks than instances, and percentages of its own when none are written.
        let percentages = wanted.get("deployment_configuration");
        let defaults = [("maximum_percent", 200), ("minimum_healthy_percent", 100)].into_iter();
        let defaults = defaults.filter(|(name, default)| percentages.and_then(|all| all.get(name)) == Some(&Value::Int(*default)));
        let defaults = defaults.map(|(name, _)| Governed { path: of_deployment(name), by: None });
        return std::iter::once(desired("the number of instances")).chain(defaults).collect();
    }
    match live.get("autoscaled") {
        Some(Value::Bool(true)) => vec![desired("Application Auto Scaling")],
        Some(Value::Bool(false)) => Vec::new(),
        _ => vec![desired("perhaps Application Auto Scaling, which application-autoscaling:DescribeScalableTargets would tell,")],
    }
}

/// What a live service lets its deployments set of listeners and their rules: where requests go.
pub(super) fn governs(live: &Value) -> Vec<Governs> {
    let balancers = live.get("load_balancers").and_then(Value::as_list).unwrap_or_default();
    if controller(live) == ECS {
        return balancers.iter().flat_map(moved_by_ecs).collect();
    }
    let among: Vec<String> = balancers.iter().filter_map(|one| text(one, "target_group_arn")).map(str::to_owned).collect();
    if among.is_empty() {
        return Vec::new();
    }
    // Which listeners these are is known to the controller only.
    let any = |type_name| Governs { type_name, id: None, among: among.clone(), and: Some(GROUP), by: name(controller(live)) };
    vec![any(LISTENER), any(RULE)]
}

fn moved_by_ecs(balancer: &Value) -> Vec<Governs> {
    let Some(advanced) = balancer.get("advanced_configuration") else { return Vec::new() };
    let groups = [text(balancer, "target_group_arn"), text(advanced, "alternate_target_group_arn")];
    let among: Vec<String> = groups.into_iter().flatten().map(str::to_owned).collect();
    let rules = ["production_listener_rule", "test_listener_rule"].into_iter().filter_map(|name| text(advanced, name));
    let governs = |arn: &str| Governs {
        // Of a network load balancer it is the listener itself.
        type_name: if arn.contains(":listener-rule/") { RULE } else { LISTENER },
        id: Some(arn.to_owned()),
        among: among.clone(),
        and: None,
        by: ECS,
    };
    rules.map(governs).collect()
}

/// The attributes that a change from one service to the other takes a replacement for.
pub(super) fn replaces(before: &Value, after: &Value) -> &'static [&'static str] {
    // A launch type becomes a strategy and the other way round; there is no call for one launch type to become another.
    let launch_types = (text(before, "launch_type"), text(after, "launch_type"));
    if matches!(launch_types, (Some(before), Some(after)) if before != after) { &["launch_type"] } else { &[] }
}

/// The target groups of a service's tasks: its own, or those of its task sets.
pub(super) fn balancers(service: &api::Service) -> Vec<ServiceLoadBalancer> {
    let of_sets = service.task_sets().iter().flat_map(api::TaskSet::load_balancers);
    let mut read: Vec<ServiceLoadBalancer> = Vec::new();
    for balancer in service.load_balancers().iter().chain(of_sets).map(ServiceLoadBalancer::from_api) {
        if !read.iter().any(|known| known.is_of(&balancer)) {
            read.push(balancer);
        }
    }
    read
}

/// What is wrong with a service as far as it is written.
pub(super) fn problems(desired: &Value) -> Vec<(Path, String)> {
    let given = |key: &str| desired.get(key).is_some_and(|value| !value.is_null() && value.as_list().is_none_or(|list| !list.is_empty()));
    let mut problems = Vec::new();
    if given("launch_type") && given("capacity_provider_strategy") {
        problems.push((Path::attribute("launch_type"), "a service has `launch_type` or `capacity_provider_strategy`, not both".to_owned()));
    }
    if text(desired, "launch_type") == Some("MANAGED_INSTANCES") {
        let problem = "tasks run on managed instances by `capacity_provider_strategy`, with a capacity provider of such instances";
        problems.push((Path::attribute("launch_type"), problem.to_owned()));
    }
    problems.extend(placement::problems(desired));
    problems.extend(rebalancing::conflict(desired).map(|what| (Path::attribute(rebalancing::ATTRIBUTE), what.to_owned())));
    let Some(configured) = desired.as_map() else { return problems };
    // What is not known yet may be any.
    let of = match configured.get("deployment_controller") {
        None | Some(Value::Null) => Some(ECS),
        Some(written) => written.as_str(),
    };
    match of {
        Some(EXTERNAL) => {
            let written = OF_TASK_SETS.into_iter().filter(|name| given(name));
            problems.extend(written.map(|name| {
                let problem = format!("`{name}` of a service with the controller EXTERNAL is its task sets': leave it out");
                (Path::attribute(name), problem)
            }));
        }
        Some(_) if !configured.contains_key("task_definition") => {
            problems.push((
                Path::attribute("task_definition"),
                "`task_definition` is missing: only a service with the controller EXTERNAL has none".to_owned(),
            ));
        }
        _ => {}
    }
    let deployment = desired.get("deployment_configuration").unwrap_or(&Value::Null);
    let balancers = desired.get("load_balancers").and_then(Value::as_list).unwrap_or_default();
    let has = |balancer: &Value, name: &str| balancer.get(name).is_some_and(|value| !value.is_null());
    let both_or_none = |balancer: &Value| has(balancer, "target_group_arn") == has(balancer, "load_balancer_name");
    if balancers.iter().any(|balancer| balancer.as_map().is_some() && both_or_none(balancer)) {
        let problem = "each is of a `target_group_arn`, or of a classic load balancer by its `load_balancer_name`";
        problems.push((Path::attribute("load_balancers"), problem.to_owned()));
    }
    let lattices = desired.get("vpc_lattice_configurations").and_then(Value::as_list).unwrap_or_default();
    if lattices.iter().any(|lattice| has(lattice, "advanced_configuration")) {
        let problem =
            "`advanced_configuration` of VPC Lattice is not supported: move requests with a load balancer, or make the service elsewhere";
        problems.push((Path::attribute("vpc_lattice_configurations"), problem.to_owned()));
    }
    problems.extend(strategy_problems(deployment, balancers, of).into_iter().map(|(name, problem)| (Path::attribute(name), problem)));
    if text(desired, "scheduling_strategy") == Some("DAEMON") {
        problems.extend(daemon_problems(deployment));
    }
    problems
}

fn strategy_problems(deployment: &Value, balancers: &[Value], controller: Option<&str>) -> Vec<(&'static str, String)> {
    let at = "deployment_configuration";
    let given = |key: &str| deployment.get(key).is_some_and(|value| !value.is_null());
    let strategy = match deployment.get("strategy") {
        None | Some(Value::Null) => "ROLLING",
        Some(written) => match written.as_str() {
            Some(strategy) => strategy,
            None => return Vec::new(),
        },
    };
    let mut problems: Vec<(&str, String)> = hook::problem(deployment).map(|problem| (at, problem.to_owned())).into_iter().collect();
    for (of, block) in [("LINEAR", "linear_configuration"), ("CANARY", "canary_configuration")] {
        if given(block) && strategy != of {
            problems.push((at, format!("`{block}` is for the strategy {of}, not for {strategy}")));
        }
    }
    problems.extend(early_problem(deployment, strategy, controller).map(|what| (at, what.to_owned())));
    if strategy == "ROLLING" {
        return problems;
    }
    if let Some(other) = controller.filter(|controller| *controller != ECS) {
        problems.push((at, format!("the strategy {strategy} is for the controller ECS, not for {other}")));
    }
    // A group that is known without the other one: there is nothing that requests could be moved to.
    let alone = |balancer: &Value| balancer.as_map().is_some_and(|map| map.get("advanced_configuration").is_none_or(Value::is_null));
    if balancers.iter().any(alone) {
        problems.push((
            "load_balancers",
            format!("the strategy {strategy} needs `advanced_configuration`: another target group, and the rule whose requests move"),
        ));
    }
    problems
}

const MINIMUM: &str = "minimum_healthy_percent";

/// What ECS refuses of criteria of early success (ECS API Reference, DeploymentEarlySuccessCriteria).
fn early_problem(deployment: &Value, strategy: &str, controller: Option<&str>) -> Option<&'static str> {
    let early = deployment.get("early_success_criteria").filter(|early| early.get("enable") == Some(&Value::Bool(true)))?;
    if strategy != "ROLLING" || controller.is_some_and(|controller| controller != ECS) {
        return Some("`early_success_criteria` is for the strategy ROLLING of the controller ECS");
    }
    if !(is_given(early, "healthy_percent") && is_given(early, "source_service_revision_cleanup")) {
        return Some("`early_success_criteria` needs `healthy_percent` and `source_service_revision_cleanup`");
    }
    let least = if is_given(deployment, MINIMUM) { int(deployment, MINIMUM) } else { Some(100) };
    let too_few = int(early, "healthy_percent").zip(least).is_some_and(|(healthy, least)| healthy < least);
    too_few.then_some("`healthy_percent` of `early_success_criteria` is `minimum_healthy_percent` at least, which is 100 when left out")
}

fn daemon_problems(deployment: &Value) -> Vec<(Path, String)> {
    let number = |name: &str| int(deployment, name);
    let mut problems = Vec::new();
    if number("maximum_percent").is_some_and(|maximum| maximum > 100) {
        problems.push((
            of_deployment("maximum_percent"),
            "a service with the strategy DAEMON has no more than 100 percent of its tasks".to_owned(),
        ));
    }
    if number("minimum_healthy_percent") == Some(100) {
        problems.push((
            of_deployment("minimum_healthy_percent"),
            "a service with the strategy DAEMON stops a task before it starts the next: less than 100 percent stay".to_owned(),
        ));
    }
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn names(governed: &[Governed]) -> Vec<String> {
        governed.iter().map(|one| one.path.to_string()).collect()
    }

    fn set_elsewhere(live: &Json, wanted: &Json) -> Vec<String> {
        names(&governed(&Value::from(live), &Value::from(wanted)))
    }

    #[test]
    fn what_codedeploy_and_others_deploy_is_theirs_until_ecs_takes_over() {
        let of = |controller: &str| json!({ "deployment_controller": controller, "autoscaled": false });
        let theirs = set_elsewhere(&of("CODE_DEPLOY"), &of("CODE_DEPLOY"));
        for name in ["task_definition", "load_balancers", "network_configuration"] {
            assert!(theirs.iter().any(|one| one == name), "{theirs:?}");
        }
        assert!(!theirs.iter().any(|one| one == "desired_count" || one == "deployment_configuration"), "{theirs:?}");
        assert!(set_elsewhere(&of("EXTERNAL"), &of("EXTERNAL")).iter().any(|one| one == "deployment_configuration"));
        assert!(set_elsewhere(&of("CODE_DEPLOY"), &of("ECS")).is_empty());
        assert!(set_elsewhere(&of("ECS"), &of("ECS")).is_empty());
    }

    #[test]
    fn a_daemons_numbers_are_its_instances() {
        let live = json!({ "scheduling_strategy": "DAEMON", "autoscaled": false });
        let wanted = |maximum: i64, minimum: i64| json!({ "scheduling_strategy": "DAEMON", "deployment_configuration": { "maximum_percent": maximum, "minimum_healthy_percent": minimum } });
        let percentages = ["desired_count", "deployment_configuration.maximum_percent", "deployment_configuration.minimum_healthy_percent"];
        assert_eq!(set_elsewhere(&live, &wanted(200, 100)), percentages, "the defaults are not a daemon's");
        assert_eq!(set_elsewhere(&live, &wanted(100, 50)), ["desired_count"]);
    }

    #[test]
    fn the_number_of_tasks_is_left_alone_where_nobody_may_ask_who_sets_it() {
        assert_eq!(set_elsewhere(&json!({ "autoscaled": true }), &json!({})), ["desired_count"]);
        assert_eq!(set_elsewhere(&json!({}), &json!({})), ["desired_count"]);
        assert!(set_elsewhere(&json!({ "autoscaled": false }), &json!({})).is_empty());
    }

    #[test]
    fn a_deployment_moves_requests_of_the_rules_it_names() {
        let rule = "arn:aws:elasticloadbalancing:r:1:listener-rule/app/lb/1/2/3";
        let listener = "arn:aws:elasticloadbalancing:r:1:listener/net/lb/1/2";
        let advanced = json!({ "alternate_target_group_arn": "green", "production_listener_rule": rule, "test_listener_rule": listener });
        let service = |controller: &str, advanced: Json| {
            let balancer = json!({ "target_group_arn": "blue", "advanced_configuration": advanced });
            Value::from(json!({ "deployment_controller": controller, "load_balancers": [balancer] }))
        };
        let moved = governs(&service("ECS", advanced));
        let shown: Vec<_> = moved.iter().map(|one| (one.type_name, one.id.as_deref(), one.among.join(" "))).collect();
        assert_eq!(
            shown,
            [("lb_listener_rule", Some(rule), "blue green".to_owned()), ("lb_listener", Some(listener), "blue green".to_owned())]
        );
        assert!(governs(&service("ECS", Json::Null)).is_empty(), "a rolling deployment moves none");
        let moved = governs(&service("CODE_DEPLOY", Json::Null));
        assert!(moved.iter().all(|one| one.id.is_none() && one.among == ["blue"] && one.and == Some("lb_target_group")));
        assert_eq!(moved.len(), 2);
    }

    #[test]
    fn another_launch_type_replaces_and_a_strategy_does_not() {
        let of = |launch_type: Option<&str>| Value::from(json!({ "launch_type": launch_type }));
        assert_eq!(replaces(&of(Some("EC2")), &of(Some("FARGATE"))), ["launch_type"]);
        assert!(replaces(&of(Some("FARGATE")), &of(None)).is_empty());
        assert!(replaces(&of(None), &of(Some("FARGATE"))).is_empty());
    }

    fn said(body: Json) -> Vec<String> {
        problems(&Value::from(body)).into_iter().map(|(path, _)| path.to_string()).collect()
    }

    #[test]
    fn what_ecs_does_not_take_is_refused_before() {
        let with = |more: Json| {
            let mut body = json!({ "task_definition": "t" });
            body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
            said(body)
        };
        assert!(with(json!({})).is_empty());
        assert_eq!(said(json!({ "name": "x" })), ["task_definition"]);
        assert!(said(json!({ "deployment_controller": "EXTERNAL" })).is_empty());
        assert_eq!(with(json!({ "deployment_controller": "EXTERNAL" })), ["task_definition"]);
        assert_eq!(with(json!({ "launch_type": "EC2", "capacity_provider_strategy": [{}] })), ["launch_type"]);
        assert_eq!(with(json!({ "launch_type": "MANAGED_INSTANCES" })), ["launch_type"]);
        let daemon =
            |percent: i64| with(json!({ "scheduling_strategy": "DAEMON", "deployment_configuration": { "maximum_percent": percent } }));
        assert_eq!(daemon(150), ["deployment_configuration.maximum_percent"]);
        assert!(daemon(100).is_empty());
        let canary = json!({ "strategy": "LINEAR", "canary_configuration": {} });
        assert_eq!(with(json!({ "deployment_configuration": canary })), ["deployment_configuration"]);
        let green = json!({ "deployment_configuration": { "strategy": "BLUE_GREEN" }, "load_balancers": [{ "target_group_arn": "blue" }] });
        assert_eq!(with(green), ["load_balancers"]);
        let lattice = |more: Json| {
            let mut one = json!({ "target_group_arn": "t", "port_name": "p", "role_arn": "r" });
            one.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
            with(json!({ "vpc_lattice_configurations": [one] }))
        };
        assert!(lattice(json!({})).is_empty());
        assert_eq!(lattice(json!({ "advanced_configuration": {} })), ["vpc_lattice_configurations"]);
        let early = |more: Json, deployment: Json| {
            let mut criteria = json!({ "enable": true, "healthy_percent": 90, "source_service_revision_cleanup": "DEFERRED" });
            criteria.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
            let mut whole = json!({ "minimum_healthy_percent": 90, "early_success_criteria": criteria });
            whole.as_object_mut().unwrap().extend(deployment.as_object().cloned().unwrap());
            with(json!({ "deployment_configuration": whole }))
        };
        assert!(early(json!({}), json!({})).is_empty());
        assert!(early(json!({ "enable": false, "healthy_percent": null }), json!({ "strategy": "CANARY" })).is_empty());
        for (more, deployment) in [
            (json!({ "healthy_percent": null }), json!({})),
            (json!({ "source_service_revision_cleanup": null }), json!({})),
            (json!({}), json!({ "minimum_healthy_percent": null })),
            (json!({}), json!({ "strategy": "CANARY" })),
        ] {
            assert_eq!(early(more.clone(), deployment.clone()), ["deployment_configuration"], "{more} {deployment}");
        }
        let balanced = |balancer: Json| with(json!({ "load_balancers": [balancer] }));
        assert!(balanced(json!({ "target_group_arn": "blue" })).is_empty());
        assert!(balanced(json!({ "load_balancer_name": "classic" })).is_empty());
        assert_eq!(balanced(json!({ "target_group_arn": "blue", "load_balancer_name": "classic" })), ["load_balancers"]);
        assert_eq!(balanced(json!({ "container_name": "web" })), ["load_balancers"]);
        let deploy = json!({ "deployment_controller": "CODE_DEPLOY", "deployment_configuration": { "strategy": "CANARY" } });
        assert_eq!(with(deploy), ["deployment_configuration"]);
    }
}
