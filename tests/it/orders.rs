//! Orders that AWS needs and that no reference shows, against a proxy that refuses what AWS refuses: no call comes too early.

use crate::cases::scaffold;
use crate::graph::BALANCER;
use crate::support::emulator::Emulator;
use crate::support::proxy::Proxy;
use crate::support::world::{World, shown};

/// Those of the changing calls since then that have one of these names, in order; none was refused.
fn made(proxy: &Proxy, since: usize, names: &[&str]) -> Vec<String> {
    let calls: Vec<_> = proxy.calls().into_iter().skip(since).filter(|call| call.mutates).collect();
    let refused: Vec<_> = calls.iter().filter(|call| call.fault.as_ref().is_some_and(|fault| fault.starts_with("refused"))).collect();
    assert!(refused.is_empty(), "{refused:?}");
    calls.into_iter().map(|call| call.operation).filter(|operation| names.contains(&operation.as_str())).collect()
}

#[tokio::test]
async fn ipv6_is_switched_off_for_the_subnets_before_their_vpc() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let proxy = Proxy::of_facts(endpoint, &["ipv6-network-in-use-stays"]);
    let world = World::new(&proxy.endpoint, "o-six").await;
    let network = |vpc: &str, subnet: &str| {
        format!(
            r#"
[resource.vpc.main]
cidr_block = "10.24.0.0/16"
{vpc}
[resource.subnet.s]
for_each = ["a", "b"]
vpc_id = "${{vpc.main.id}}"
cidr_block = "${{cidrsubnet(vpc.main.cidr_block, 8, each.index)}}"
{subnet}
[resource.route_table.r]
vpc_id = "${{vpc.main.id}}"
subnet_ids = "${{pluck(subnet.s, 'id')}}"
"#
        )
    };
    let on = network(
        "amazon_provided_ipv6_cidr_block = true",
        "ipv6_cidr_block = \"${cidrsubnet(vpc.main.ipv6_cidr_block, 8, each.index)}\"\nassign_ipv6_address_on_creation = true",
    );
    world.apply(&on).await.unwrap();
    let plan = world.plan(&on).await.unwrap();
    assert!(!plan.has_changes(), "{}", shown(&plan));
    let since = proxy.calls().len();
    // fakecloud answers DisassociateSubnetCidrBlock and keeps the network (EC2 API Reference: it is disassociated). So the
    // subnets are waited for, and the VPC's is not touched before they have let go.
    let waited = world.apply(&network("", "timeouts = { update = \"2s\" }")).await.unwrap_err();
    assert!(waited.contains("waiting for the subnet's IPv6 network"), "{waited}");
    let calls = made(&proxy, since, &["DisassociateSubnetCidrBlock", "DisassociateVpcCidrBlock"]);
    assert_eq!(calls, ["DisassociateSubnetCidrBlock", "DisassociateSubnetCidrBlock"]);
    world.destroy(&on).await.unwrap();
}

#[tokio::test]
async fn a_service_leaves_a_capacity_provider_before_its_cluster_does() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let proxy = Proxy::of_facts(endpoint, &["capacity-provider-in-use-stays"]);
    let world = World::new(&proxy.endpoint, "o-providers").await;
    let stack = |providers: &str, provider: &str| {
        format!(
            r#"
[resource.ecs_cluster.c]
name = "o-providers"
capacity_providers = {providers}
timeouts = {{ update = "30s" }}
[resource.ecs_task_definition.t]
family = "o-providers"
network_mode = "awsvpc"
requires_compatibilities = ["FARGATE"]
cpu = 256
memory = 512
container_definitions = [{{ name = "web", image = "nginx" }}]
[resource.ecs_service.s]
name = "o-providers"
cluster = "${{ecs_cluster.c.arn}}"
task_definition = "${{ecs_task_definition.t.arn}}"
desired_count = 0
rollout = "none"
capacity_provider_strategy = [{{ capacity_provider = "{provider}", weight = 1 }}]
network_configuration = {{ subnets = ["${{subnet.a.id}}"] }}
"#
        ) + &scaffold("network").replace("NAME", "o-providers")
    };
    world.apply(&stack(r#"["FARGATE", "FARGATE_SPOT"]"#, "FARGATE_SPOT")).await.unwrap();
    let both = ["PutClusterCapacityProviders", "UpdateService"];
    for (providers, provider, expected) in [
        (r#"["FARGATE"]"#, "FARGATE", &["UpdateService", "PutClusterCapacityProviders"][..]),
        // The cluster has both while its service goes from the one to the other.
        (r#"["FARGATE_SPOT"]"#, "FARGATE_SPOT", &["PutClusterCapacityProviders", "UpdateService", "PutClusterCapacityProviders"]),
    ] {
        let since = proxy.calls().len();
        let stack = stack(providers, provider);
        world.apply(&stack).await.unwrap();
        assert_eq!(made(&proxy, since, &both), expected);
        assert!(!world.plan(&stack).await.unwrap().has_changes());
    }
    world.destroy("").await.unwrap();
}

#[tokio::test]
async fn a_service_waits_for_a_slow_load_balancer_to_route_to_it() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let proxy = Proxy::of_facts(endpoint, &["target-groups-of-a-service-are-routed-to"]);
    let world = World::new(&proxy.endpoint, "o-balanced").await;
    let group = |name: &str, port: u16| {
        format!(
            "[resource.lb_target_group.{name}]\nname = \"o-balanced-{name}\"\nport = {port}\nprotocol = \"HTTP\"\ntarget_type = \"ip\"\nvpc_id = \"${{vpc.n.id}}\"\n"
        )
    };
    let service = |name: &str| {
        format!(
            r#"
[resource.ecs_service.{name}]
name = "o-balanced-{name}"
cluster = "${{ecs_cluster.n.arn}}"
task_definition = "${{ecs_task_definition.n.arn}}"
desired_count = 0
launch_type = "FARGATE"
rollout = "none"
load_balancers = [{{ target_group_arn = "${{lb_target_group.{name}.arn}}", container_name = "web", container_port = 80 }}]
network_configuration = {{ subnets = "${{pluck(subnet.n, 'id')}}" }}
"#
        )
    };
    // One is behind the listener itself, the other behind a rule of it.
    let stack = BALANCER.replace("NAME", "o-balanced").replace(
        "[{ type = \"fixed-response\", fixed_response_config = { status_code = \"404\" } }]",
        "[{ type = \"forward\", target_group_arn = \"${lb_target_group.one.arn}\" }]",
    ) + &[group("one", 80), group("two", 81), service("one"), service("two")].concat()
        + r#"
[resource.lb_listener_rule.two]
listener_arn = "${lb_listener.n.arn}"
priority = 1
conditions = [{ field = "path-pattern", values = ["/two"] }]
actions = [{ type = "forward", target_group_arn = "${lb_target_group.two.arn}" }]
[resource.ecs_cluster.n]
name = "o-balanced"
[resource.ecs_task_definition.n]
family = "o-balanced"
network_mode = "awsvpc"
requires_compatibilities = ["FARGATE"]
cpu = 256
memory = 512
container_definitions = [{ name = "web", image = "nginx", port_mappings = [{ container_port = 80 }] }]
"#;
    world.apply(&stack).await.unwrap();
    let names = ["CreateLoadBalancer", "CreateListener", "CreateRule", "CreateService"];
    let calls = made(&proxy, 0, &names);
    assert_eq!(calls.iter().filter(|call| *call == "CreateService").count(), 2, "{calls:?}");
    assert_eq!(calls[..2], ["CreateLoadBalancer", "CreateListener"]);
    assert!(!world.plan(&stack).await.unwrap().has_changes());
    // They go before what routes to them.
    let since = proxy.calls().len();
    world.destroy(&stack).await.unwrap();
    let gone = made(&proxy, since, &["DeleteService", "DeleteRule", "DeleteListener"]);
    let at = |name: &str| gone.iter().rposition(|call| call == name).unwrap();
    assert!(at("DeleteListener") > at("DeleteService"), "{gone:?}");
}
