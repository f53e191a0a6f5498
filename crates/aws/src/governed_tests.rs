//! What something else in AWS sets of real types is left to it: plans over what AWS says after a deployment has moved requests.

use std::collections::BTreeMap;
use std::path::Path as FilePath;
use std::sync::Arc;

use leoctl_core::model::address::{Address, Block};
use leoctl_core::model::place::Place;
use leoctl_core::model::state::{Guard, Remembered, ResourceState, State};
use leoctl_core::model::value::Value;
use leoctl_core::plan::build::{Live, World, build};
use leoctl_core::plan::select::Options;
use leoctl_core::plan::types::{Action, Plan};
use leoctl_core::stack::scope::Identity;
use leoctl_core::stack::vars::Given;
use leoctl_core::stack::{Files, load};
use serde_json::{Value as Json, json};

use crate::registry;

struct Text(String);

impl Files for Text {
    fn read(&self, _: &FilePath) -> Result<String, String> {
        Ok(self.0.clone())
    }

    fn read_env(&self, _: &FilePath) -> Result<Vec<(String, String)>, String> {
        Ok(Vec::new())
    }
}

const RULE: &str = "arn:aws:elasticloadbalancing:us-east-1:111111111111:listener-rule/app/lb/1/2/3";
const LISTENER: &str = "arn:aws:elasticloadbalancing:us-east-1:111111111111:listener/app/lb/1/2";
const SERVICE: &str = "arn:aws:ecs:us-east-1:111111111111:service/c/web";

fn group(color: &str) -> String {
    format!("arn:aws:elasticloadbalancing:us-east-1:111111111111:targetgroup/{color}/1")
}

/// A resource that exists: its address, its id, what AWS says of it, and what it was made from.
struct There(&'static str, String, Json, &'static [&'static str]);

fn tags(address: &str) -> Json {
    json!({ "leoctl:stack": "t", "leoctl:address": address })
}

fn rule(actions: &Json) -> There {
    let live = json!({
        "listener_arn": LISTENER, "priority": 1, "conditions": [{ "field": "path-pattern", "values": ["/*"] }], "actions": actions,
        "transforms": [], "tags": tags("lb_listener_rule.web"), "arn": RULE,
    });
    There("lb_listener_rule.web", RULE.to_owned(), live, &[])
}

/// A service as ECS says of it, with a deployment controller and the target groups it has now.
fn service(controller: &str, balancer: &Json, task_definition: &str) -> There {
    let live = json!({
        "name": "web", "cluster": "arn:aws:ecs:us-east-1:111111111111:cluster/c", "task_definition": task_definition, "desired_count": 1,
        "launch_type": "FARGATE", "capacity_provider_strategy": [], "load_balancers": [balancer], "service_registries": [],
        "volume_configurations": [], "health_check_grace_period_seconds": 0, "deployment_configuration": {}, "propagate_tags": "NONE",
        "deployment_controller": controller, "enable_execute_command": false, "enable_ecs_managed_tags": false,
        "scheduling_strategy": "REPLICA", "tags": tags("ecs_service.web"), "arn": SERVICE, "autoscaled": false,
    });
    There("ecs_service.web", SERVICE.to_owned(), live, &["lb_target_group.blue"])
}

fn target_group() -> There {
    let live = json!({
        "name": "blue", "port": 80, "protocol": "HTTP", "target_type": "ip", "vpc_id": "vpc-1", "ip_address_type": "ipv4",
        "health_check_enabled": true, "health_check_interval_seconds": 30, "health_check_port": "traffic-port",
        "healthy_threshold_count": 5, "unhealthy_threshold_count": 2, "attributes": {}, "tags": tags("lb_target_group.blue"),
        "arn": group("blue"), "full_name": "targetgroup/blue/1",
    });
    There("lb_target_group.blue", group("blue"), live, &[])
}

fn plan(body: &str, there: Vec<There>) -> Plan {
    let catalog = registry::catalog();
    let identity =
        Identity { account_id: "1".repeat(12), partition: "aws".to_owned(), region: "us-east-1".to_owned(), accounts: Default::default() };
    let text = format!("[stack]\nname = \"t\"\nregion = \"us-east-1\"\n{body}");
    let loaded = load(FilePath::new("t.toml"), &Text(text.clone()), &Given::default(), catalog);
    let stack = Arc::new(loaded.stack.unwrap_or_else(|| panic!("{text}\n{:#?}", loaded.diagnostics)));
    let mut state = State::new("t", &identity.account_id, "us-east-1", "lineage".to_owned(), "salt".to_owned());
    let mut live = BTreeMap::new();
    for There(address, id, attributes, depends_on) in there {
        let address: Address = address.parse().unwrap();
        let type_name = address.type_name().to_owned();
        let place = Place { type_name, account: identity.account_id.clone(), region: "us-east-1".to_owned(), id };
        live.insert(place.clone(), Live::Present(Value::from(&attributes)));
        let current = Remembered {
            place,
            attributes,
            authored: Vec::new(),
            sensitive: Vec::new(),
            depends_on: depends_on.iter().map(|on| on.parse().unwrap()).collect(),
            guard: Guard::default(),
            incomplete: false,
            updating: Vec::new(),
        };
        state.resources.insert(address, ResourceState { current: Some(current), deposed: Vec::new() });
    }
    let data: BTreeMap<Block, Value> = BTreeMap::new();
    let (found, elsewhere) = (BTreeMap::new(), BTreeMap::new());
    let world = World { identity: &identity, state: &state, live: &live, data: &data, found: &found, elsewhere: &elsewhere };
    build(&stack, catalog, world, &Options::default()).unwrap_or_else(|errors| panic!("{text}\n{errors:#?}"))
}

fn stack(service: &str, to: &str) -> String {
    let blue = group("blue");
    format!(
        r#"
[resource.lb_target_group.blue]
name = "blue"
port = 80
protocol = "HTTP"
target_type = "ip"
vpc_id = "vpc-1"
[resource.lb_listener_rule.web]
listener_arn = "{LISTENER}"
priority = 1
conditions = [{{ field = "path-pattern", values = ["/*"] }}]
actions = [{{ type = "forward", target_group_arn = "{to}" }}]
[resource.ecs_service.web]
name = "web"
cluster = "arn:aws:ecs:us-east-1:111111111111:cluster/c"
task_definition = "arn:aws:ecs:us-east-1:111111111111:task-definition/web:1"
launch_type = "FARGATE"
{service}
load_balancers = [{{ target_group_arn = "{blue}", container_name = "web", container_port = 80 ADVANCED }}]
depends_on = ["lb_target_group.blue"]
"#
    )
}

const TASK_DEFINITION: &str = "arn:aws:ecs:us-east-1:111111111111:task-definition/web:1";

fn ecs(to: &str) -> String {
    let (green, role) = (group("green"), "arn:aws:iam::111111111111:role/r");
    let advanced = format!(
        ", advanced_configuration = {{ alternate_target_group_arn = \"{green}\", production_listener_rule = \"{RULE}\", role_arn = \"{role}\" }}"
    );
    stack("", to).replace("ADVANCED", &advanced)
}

fn by_ecs() -> There {
    let advanced = json!({ "alternate_target_group_arn": group("green"), "production_listener_rule": RULE, "role_arn": "arn:aws:iam::111111111111:role/r" });
    let balancer =
        json!({ "target_group_arn": group("blue"), "container_name": "web", "container_port": 80, "advanced_configuration": advanced });
    service("ECS", &balancer, TASK_DEFINITION)
}

/// What ECS makes of a rule's actions.
fn shifted() -> Json {
    let shares = json!([{ "target_group_arn": group("blue"), "weight": 0 }, { "target_group_arn": group("green"), "weight": 100 }]);
    json!([{ "type": "forward", "forward_config": { "target_groups": shares, "target_group_stickiness": { "enabled": false } } }])
}

fn action(plan: &Plan, address: &str) -> Action {
    plan.change(&address.parse().unwrap()).unwrap().action
}

#[test]
fn after_an_ecs_deployment_the_plan_leaves_requests_where_they_go() {
    let after = plan(&ecs(&group("blue")), vec![rule(&shifted()), by_ecs(), target_group()]);
    let rule_change = after.change(&"lb_listener_rule.web".parse().unwrap()).unwrap();
    assert_eq!(rule_change.action, Action::NoOp, "{:?}", rule_change.attributes);
    let note = "lb_listener_rule.web: where it sends requests stays as it is: ECS for ecs_service.web moves them";
    assert!(after.warnings.iter().any(|warning| warning == note), "{:?}", after.warnings);
    let elsewhere = plan(&ecs(&group("maintenance")), vec![rule(&shifted()), by_ecs(), target_group()]);
    assert_eq!(action(&elsewhere, "lb_listener_rule.web"), Action::Update);
}

#[test]
fn after_a_codedeploy_deployment_the_plan_leaves_requests_and_service_as_they_are() {
    let codedeploy = stack("deployment_controller = \"CODE_DEPLOY\"", &group("blue")).replace(" ADVANCED", "");
    let moved = || {
        let balancer = json!({ "target_group_arn": group("green"), "container_name": "web", "container_port": 80 });
        let newer = "arn:aws:ecs:us-east-1:111111111111:task-definition/web:2";
        let forward = json!([{ "type": "forward", "target_group_arn": group("green") }]);
        vec![rule(&forward), service("CODE_DEPLOY", &balancer, newer), target_group()]
    };
    let after = plan(&codedeploy, moved());
    for address in ["lb_listener_rule.web", "ecs_service.web"] {
        let change = after.change(&address.parse().unwrap()).unwrap();
        assert_eq!(change.action, Action::NoOp, "{address}: {:?}", change.attributes);
    }
    let note = "ecs_service.web: `task_definition` stays as it is, whatever is written: CodeDeploy sets it";
    assert!(after.warnings.iter().any(|warning| warning == note), "{:?}", after.warnings);
    let back = plan(&codedeploy.replace("CODE_DEPLOY", "ECS"), moved());
    assert_eq!(action(&back, "ecs_service.web"), Action::Update, "ECS takes over, with what is written");
}

#[test]
fn a_strategy_that_is_not_written_is_the_clusters() {
    let mut there = by_ecs();
    there.2["capacity_provider_strategy"] = json!([{ "capacity_provider": "FARGATE_SPOT", "weight": 1, "base": 0 }]);
    there.2["launch_type"] = Json::Null;
    let body = ecs(&group("blue")).replace("launch_type = \"FARGATE\"\n", "");
    let actions = json!([{ "type": "forward", "target_group_arn": group("blue") }]);
    assert_eq!(action(&plan(&body, vec![rule(&actions), there, target_group()]), "ecs_service.web"), Action::NoOp);
}

#[test]
fn launch_type_and_strategy_change_without_a_replacement() {
    let actions = json!([{ "type": "forward", "target_group_arn": group("blue") }]);
    let strategy = "capacity_provider_strategy = [{ capacity_provider = \"FARGATE_SPOT\", weight = 1 }]";
    let body = ecs(&group("blue")).replace("launch_type = \"FARGATE\"", strategy);
    assert_eq!(action(&plan(&body, vec![rule(&actions), by_ecs(), target_group()]), "ecs_service.web"), Action::Update);
    let body = ecs(&group("blue")).replace("launch_type = \"FARGATE\"", "launch_type = \"EC2\"");
    assert_eq!(action(&plan(&body, vec![rule(&actions), by_ecs(), target_group()]), "ecs_service.web"), Action::Replace);
}
