//! What waits for what, on emulators: values that follow a change, and orders that types declare.

use leoctl_core::model::value::Value;

use crate::support::emulator::Emulator;
use crate::support::program::Project;
use crate::support::world::{World, shown};

fn network(six: bool) -> String {
    let (vpc, subnet) = match six {
        true => ("amazon_provided_ipv6_cidr_block = true", "ipv6_cidr_block = \"${cidrsubnet(vpc.main.ipv6_cidr_block, 8, each.index)}\""),
        false => ("", ""),
    };
    format!(
        r#"
[resource.vpc.main]
cidr_block = "10.20.0.0/16"
{vpc}
[resource.subnet.s]
for_each = ["a", "b"]
vpc_id = "${{vpc.main.id}}"
cidr_block = "${{cidrsubnet(vpc.main.cidr_block, 8, each.index)}}"
{subnet}
"#
    )
}

#[tokio::test]
async fn ipv6_is_switched_on_for_a_vpc_that_exists_in_one_apply() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let world = World::new(endpoint, "g-six").await;
    world.apply(&network(false)).await.unwrap();
    let plan = world.plan(&network(true)).await.unwrap();
    let subnets: Vec<_> = plan.changes.iter().filter(|change| change.address.type_name() == "subnet").collect();
    assert!(subnets.iter().all(|change| matches!(change.after.get("ipv6_cidr_block"), Some(Value::Unknown))), "{}", shown(&plan));
    world.apply(&network(true)).await.unwrap();
    assert!(!world.plan(&network(true)).await.unwrap().has_changes());
    world.destroy(&network(true)).await.unwrap();
}

#[tokio::test]
async fn what_an_update_makes_aws_set_is_not_told_beforehand() {
    let world = World::new(Emulator::Moto.endpoint().unwrap(), "g-told").await;
    let stack = |six: &str| {
        format!(
            r#"
[resource.vpc.main]
cidr_block = "10.21.0.0/16"
{six}
[resource.subnet.s]
vpc_id = "${{vpc.main.id}}"
cidr_block = "10.21.1.0/24"
tags = {{ six = "${{vpc.main.ipv6_cidr_block == null ? 'none' : vpc.main.ipv6_cidr_block}}" }}
[outputs]
six = "${{vpc.main.ipv6_cidr_block == null ? 'none' : vpc.main.ipv6_cidr_block}}"
"#
        )
    };
    world.apply(&stack("")).await.unwrap();
    let on = stack("amazon_provided_ipv6_cidr_block = true");
    let plan = world.plan(&on).await.unwrap();
    let subnet = plan.change(&"subnet.s".parse().unwrap()).unwrap();
    assert!(matches!(subnet.after.get("tags").unwrap().get("six"), Some(Value::Unknown)), "{}", shown(&plan));
    assert_eq!(subnet.waits_for[&"tags.six".parse_path()], ["vpc.main.ipv6_cidr_block"]);
    assert!(plan.outputs["six"].after.as_ref().unwrap().has_unknown());
    let text = shown(&plan);
    assert!(text.contains("(known after apply: vpc.main.ipv6_cidr_block)"), "{text}");
    world.apply(&on).await.unwrap();
    assert!(!world.plan(&on).await.unwrap().has_changes());
    world.destroy(&on).await.unwrap();
}

/// An instance gets another public address when it is stopped to become larger, and an address what it is attached to.
#[tokio::test]
async fn what_follows_from_a_change_of_an_instance_or_an_address_is_not_told_beforehand() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let world = World::new(endpoint, "g-follows").await;
    let stack = |size: &str, attached: &str| {
        format!(
            r#"
[resource.vpc.v]
cidr_block = "10.25.0.0/16"
[resource.subnet.a]
vpc_id = "${{vpc.v.id}}"
cidr_block = "10.25.0.0/24"
map_public_ip_on_launch = true
[resource.instance.i]
image_id = "ami-12345678"
instance_type = "{size}"
subnet_id = "${{subnet.a.id}}"
[resource.eip.e]
domain = "vpc"
{attached}
[resource.cloudwatch_log_group.g]
name = "g-follows"
tags = {{ ip = "ip-${{instance.i.public_ip}}", private = "${{instance.i.private_ip}}", held = "${{eip.e.association_id == null ? 'none' : eip.e.association_id}}" }}
"#
        )
    };
    let small = stack("t3.micro", "");
    world.apply(&small).await.unwrap();
    let unknown = async |body: &str| {
        let plan = world.plan(body).await.unwrap();
        let tags = plan.change(&"cloudwatch_log_group.g".parse().unwrap()).unwrap().after.get("tags").cloned().unwrap();
        ["ip", "private", "held"].map(|name| matches!(tags.get(name), Some(Value::Unknown)))
    };
    assert_eq!(unknown(&small).await, [false, false, false]);
    assert_eq!(unknown(&stack("t3.small", "")).await, [true, false, false]);
    assert_eq!(unknown(&stack("t3.micro", "instance_id = \"${instance.i.id}\"")).await, [false, false, true]);
    world.destroy(&small).await.unwrap();
}

trait ParsePath {
    fn parse_path(&self) -> leoctl_core::model::path::Path;
}

impl ParsePath for str {
    fn parse_path(&self) -> leoctl_core::model::path::Path {
        leoctl_core::model::path::Path::parse(self).unwrap()
    }
}

/// A load balancer with a listener.
pub const BALANCER: &str = r#"
[resource.vpc.n]
cidr_block = "10.22.0.0/16"
[resource.internet_gateway.n]
vpc_id = "${vpc.n.id}"
[resource.subnet.n]
for_each = ["us-east-1a", "us-east-1b"]
vpc_id = "${vpc.n.id}"
cidr_block = "${cidrsubnet(vpc.n.cidr_block, 8, each.index)}"
availability_zone = "${each.value}"
[resource.lb.n]
name = "NAME"
subnets = "${pluck(subnet.n, 'id')}"
[resource.lb_listener.n]
load_balancer_arn = "${lb.n.arn}"
port = 80
protocol = "HTTP"
default_actions = [{ type = "fixed-response", fixed_response_config = { status_code = "404" } }]
"#;

/// Nothing in these names the gateway: AWS refuses them, or they reach nothing, without it.
#[tokio::test]
async fn what_needs_a_way_out_waits_for_it() {
    let world = World::new(Emulator::MiniStack.endpoint().unwrap(), "g-out").await;
    let stack = BALANCER.replace("NAME", "g-out")
        + r#"
[resource.eip.n]
domain = "vpc"
[resource.nat_gateway.n]
subnet_id = "${subnet.n['us-east-1a'].id}"
allocation_id = "${eip.n.id}"
[resource.instance.n]
image_id = "ami-12345678"
instance_type = "t3.micro"
subnet_id = "${subnet.n['us-east-1b'].id}"
[resource.vpc.other]
cidr_block = "10.23.0.0/16"
[resource.subnet.other]
vpc_id = "${vpc.other.id}"
cidr_block = "10.23.0.0/24"
[resource.instance.other]
image_id = "ami-12345678"
instance_type = "t3.micro"
subnet_id = "${subnet.other.id}"
"#;
    let plan = world.plan(&stack).await.unwrap();
    let gateway = "internet_gateway.n".parse().unwrap();
    let waits = |address: &str| plan.change(&address.parse().unwrap()).unwrap().depends_on.contains(&gateway);
    for address in ["lb.n", "nat_gateway.n", "instance.n"] {
        assert!(waits(address), "{address}");
    }
    assert!(!waits("instance.other"), "the gateway of another network");
}

#[tokio::test]
async fn a_service_waits_for_what_routes_to_it_and_goes_before_it() {
    let world = World::new(Emulator::MiniStack.endpoint().unwrap(), "g-service").await;
    let stack = BALANCER.replace("NAME", "g-service").replace(
        "[{ type = \"fixed-response\", fixed_response_config = { status_code = \"404\" } }]",
        "[{ type = \"forward\", target_group_arn = \"${lb_target_group.n.arn}\" }]",
    ) + r#"
[resource.lb_target_group.n]
name = "g-service"
port = 80
protocol = "HTTP"
target_type = "ip"
vpc_id = "${vpc.n.id}"
[resource.ecs_cluster.n]
name = "g-service"
[resource.ecs_task_definition.n]
family = "g-service"
network_mode = "awsvpc"
requires_compatibilities = ["FARGATE"]
cpu = 256
memory = 512
container_definitions = [{ name = "web", image = "nginx", port_mappings = [{ container_port = 80 }] }]
[resource.ecs_service.n]
name = "g-service"
cluster = "${ecs_cluster.n.arn}"
task_definition = "${ecs_task_definition.n.arn}"
desired_count = 0
launch_type = "FARGATE"
rollout = "none"
load_balancers = [{ target_group_arn = "${lb_target_group.n.arn}", container_name = "web", container_port = 80 }]
network_configuration = { subnets = "${pluck(subnet.n, 'id')}" }
"#;
    let plan = world.plan(&stack).await.unwrap();
    let of = |address: &str| -> Vec<String> {
        plan.change(&address.parse().unwrap()).unwrap().depends_on.iter().map(ToString::to_string).collect()
    };
    assert!(of("ecs_service.n").contains(&"lb_listener.n".to_owned()), "{:?}", of("ecs_service.n"));
    assert!(of("lb.n").contains(&"internet_gateway.n".to_owned()), "{:?}", of("lb.n"));
}

#[test]
fn a_text_for_a_list_is_found_before_anything_is_made() {
    let project = Project::new("", "test");
    project.write(
        "f2.toml",
        "[stack]\nname = \"f2\"\nregion = \"us-east-1\"\n[resource.vpc.v]\ncidr_block = \"10.0.0.0/16\"\n[resource.subnet.a]\nvpc_id = \"${vpc.v.id}\"\ncidr_block = \"10.0.0.0/24\"\n[resource.route_table.r]\nvpc_id = \"${vpc.v.id}\"\nsubnet_ids = \"${subnet.a.id}\"\n",
    );
    let said = project.expect(1, &["validate", "f2.toml"]).stderr;
    assert!(said.contains("`subnet_ids` is a list, and `subnet.a.id` is a string"), "{said}");
    assert!(said.contains("write `[\"${subnet.a.id}\"]`") && said.contains("f2.toml:11"), "{said}");
}

#[tokio::test]
async fn a_data_source_about_a_new_instance_is_read_once_it_is_there() {
    let world = World::new(Emulator::MiniStack.endpoint().unwrap(), "g-data").await;
    let stack = |keys: &str, last: &str| {
        format!(
            r#"
[resource.vpc.v]
for_each = [{keys}]
cidr_block = "10.3${{each.index}}.0.0/16"
[resource.subnet.s]
for_each = [{keys}]
vpc_id = "${{vpc.v[each.key].id}}"
cidr_block = "${{cidrsubnet(vpc.v[each.key].cidr_block, 8, 0)}}"
[data.security_group.last]
name = "default"
vpc_id = "${{vpc.v['{last}'].id}}"
[outputs]
last = "${{data.security_group.last.vpc_id}}"
"#
        )
    };
    world.apply(&stack("\"a\"", "a")).await.unwrap();
    let two = stack("\"a\", \"b\"", "b");
    let plan = world.plan(&two).await.unwrap();
    assert_eq!(plan.reads.len(), 1, "{}", shown(&plan));
    let report = world.apply(&two).await.unwrap();
    assert_eq!(report.outputs["last"].as_str(), world.id("vpc.v[\"b\"]").await.as_deref());
    assert!(!world.plan(&two).await.unwrap().has_changes());
    world.destroy(&two).await.unwrap();
}
