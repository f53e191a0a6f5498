//! Requests that a deployment has moved are not moved back, whoever the deployed service belongs to.

use aws_sdk_elasticloadbalancingv2::types as elb;

use crate::graph::BALANCER;
use crate::support::emulator::Emulator;
use crate::support::sdk;
use crate::support::world::{World, shown};

/// A load balancer with a rule between whose groups requests are moved; `NAME` names it.
fn balanced(priority: i64) -> String {
    let group = |name: &str, port: u16| {
        format!(
            "[resource.lb_target_group.{name}]\nname = \"NAME-{name}\"\nport = {port}\nprotocol = \"HTTP\"\ntarget_type = \"ip\"\nvpc_id = \"${{vpc.n.id}}\"\n"
        )
    };
    let rule = format!(
        r#"
[resource.lb_listener_rule.web]
listener_arn = "${{lb_listener.n.arn}}"
priority = {priority}
conditions = [{{ field = "path-pattern", values = ["/web"] }}]
actions = [{{ type = "forward", target_group_arn = "${{lb_target_group.blue.arn}}" }}]
"#
    );
    [BALANCER, &group("blue", 80), &group("green", 81), &rule].concat()
}

/// A service that ECS deploys behind a rule; what it names is filled in.
const SERVICE: &str = r#"
[resource.ecs_cluster.n]
name = "NAME"
[resource.ecs_task_definition.n]
family = "NAME"
cpu = 256
memory = 512
container_definitions = [{ name = "web", image = "nginx:1", port_mappings = [{ container_port = 80 }] }]
[resource.ecs_service.web]
name = "NAME"
cluster = "${ecs_cluster.n.arn}"
task_definition = "${ecs_task_definition.n.arn}"
desired_count = 0
launch_type = "FARGATE"
rollout = "none"
network_configuration = { subnets = ["NET"] }

[[resource.ecs_service.web.load_balancers]]
target_group_arn = "FROM"
container_name = "web"
container_port = 80
advanced_configuration = { alternate_target_group_arn = "TO", production_listener_rule = "SHIFTED", role_arn = "arn:aws:iam::123456789012:role/ecs" }
"#;

/// What ECS does when it deploys: all requests go to the green group, and the blue one stays beside it.
async fn shift(endpoint: &str, rule: &str, blue: &str, green: &str) {
    let group = |arn: &str, weight| elb::TargetGroupTuple::builder().target_group_arn(arn).weight(weight).build();
    let forward = elb::ForwardActionConfig::builder().target_groups(group(blue, 0)).target_groups(group(green, 100)).build();
    let action = elb::Action::builder().r#type(elb::ActionTypeEnum::Forward).forward_config(forward).build();
    let client = aws_sdk_elasticloadbalancingv2::Client::new(&sdk::config(endpoint, "test").await);
    client.modify_rule().rule_arn(rule).actions(action).send().await.unwrap();
}

/// Where the rule sends all requests.
async fn target(endpoint: &str, rule: &str) -> String {
    let client = aws_sdk_elasticloadbalancingv2::Client::new(&sdk::config(endpoint, "test").await);
    let rules = client.describe_rules().rule_arns(rule).send().await.unwrap();
    let shares = rules.rules()[0].actions()[0].forward_config().unwrap().target_groups();
    shares.iter().max_by_key(|share| share.weight().unwrap_or(1)).unwrap().target_group_arn().unwrap().to_owned()
}

fn id(plan: &leoctl_core::plan::types::Plan, address: &str) -> String {
    plan.change(&address.parse().unwrap()).unwrap().id().unwrap().to_owned()
}

#[tokio::test]
async fn a_deployment_of_the_stacks_own_service_is_not_undone() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let world = World::new(endpoint, "m-own").await;
    let named = [
        ("NET", "${subnet.n['us-east-1a'].id}"),
        ("FROM", "${lb_target_group.blue.arn}"),
        ("TO", "${lb_target_group.green.arn}"),
        ("SHIFTED", "${lb_listener_rule.web.arn}"),
    ];
    let service = named.iter().fold(SERVICE.to_owned(), |service, (name, value)| service.replace(name, value));
    let stack = |priority| (balanced(priority) + &service).replace("NAME", "m-own");
    world.apply(&stack(1)).await.unwrap();
    let plan = world.plan(&stack(1)).await.unwrap();
    let (rule, blue, green) = (id(&plan, "lb_listener_rule.web"), id(&plan, "lb_target_group.blue"), id(&plan, "lb_target_group.green"));
    shift(endpoint, &rule, &blue, &green).await;
    let after = world.plan(&stack(1)).await.unwrap();
    assert!(!after.has_changes() && after.drift.is_empty(), "{}", shown(&after));
    assert!(after.warnings.iter().any(|note| note.contains("ECS for ecs_service.web moves them")), "{:?}", after.warnings);
    world.apply(&stack(2)).await.unwrap();
    assert_eq!(target(endpoint, &rule).await, green, "another change of the rule leaves requests where they go");
    world.destroy("").await.unwrap();
}

#[tokio::test]
async fn a_deployment_of_another_stacks_service_is_not_undone() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let shared = World::new(endpoint, "m-shared").await;
    let stack = balanced(1).replace("NAME", "m-shared");
    shared.apply(&stack).await.unwrap();
    let plan = shared.plan(&stack).await.unwrap();
    let (rule, blue, green) = (id(&plan, "lb_listener_rule.web"), id(&plan, "lb_target_group.blue"), id(&plan, "lb_target_group.green"));
    let subnet = plan.changes.iter().find(|change| change.address.type_name() == "subnet").unwrap().id().unwrap().to_owned();
    let named = [("NET", &subnet), ("FROM", &blue), ("TO", &green), ("SHIFTED", &rule)];
    let service = named.iter().fold(SERVICE.replace("NAME", "m-web"), |service, (name, value)| service.replace(name, value));
    let web = World::new(endpoint, "m-web").await;
    web.apply(&service).await.unwrap();
    shift(endpoint, &rule, &blue, &green).await;
    let after = shared.plan(&stack).await.unwrap();
    assert!(!after.has_changes(), "{}", shown(&after));
    assert!(after.warnings.iter().any(|note| note.contains("service/m-web/m-web moves them")), "{:?}", after.warnings);
    web.destroy("").await.unwrap();
    assert!(shared.plan(&stack).await.unwrap().has_changes(), "nobody moves them any more");
    shared.destroy("").await.unwrap();
}

#[test]
fn stickiness_that_is_off_is_written_or_left_out() {
    let attributes = &leoctl_aws::registry::catalog().resources["lb_listener_rule"].schema.attributes;
    let rule = |more: serde_json::Value| {
        let mut forward = serde_json::json!({ "target_groups": [{ "target_group_arn": "blue" }, { "target_group_arn": "green" }] });
        forward.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        let rule = serde_json::json!({ "actions": [{ "type": "forward", "forward_config": forward }] });
        leoctl_core::model::canonical::canonicalize(attributes, &leoctl_core::model::value::Value::from(rule))
    };
    let off = rule(serde_json::json!({ "target_group_stickiness": { "enabled": false } }));
    assert_eq!(rule(serde_json::json!({})), off);
    assert_ne!(rule(serde_json::json!({ "target_group_stickiness": { "enabled": true } })), off);
}
