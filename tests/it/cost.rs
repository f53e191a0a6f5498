//! What a stack costs: its arithmetic against sums made by hand, and the real binary.

mod charges;

use std::collections::BTreeMap;
use std::sync::Arc;

use leoctl_aws::registry::catalog;
use leoctl_core::cost::prices::Prices;
use leoctl_core::cost::side::Side;
use leoctl_core::cost::{self, Estimate};
use leoctl_core::model::state::State;
use leoctl_core::plan::build::{World, build};
use leoctl_core::plan::select::Options;
use leoctl_core::plan::types::Plan;
use leoctl_core::stack::scope::Identity;
use serde_json::{Value, json};

use crate::support::emulator::Emulator;
use crate::support::program::Project;
use crate::support::world::stack;

/// The plan of a stack that was never applied, made without AWS.
fn plan(region: &str, body: &str) -> Plan {
    let stack = Arc::new(stack("shop", region, body).unwrap());
    let identity = Identity {
        account_id: "123456789012".to_owned(),
        partition: "aws".to_owned(),
        region: region.to_owned(),
        accounts: Default::default(),
    };
    let state = State::new("shop", &identity.account_id, region, "lineage".to_owned(), "salt".to_owned());
    let (live, data, found) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let elsewhere = BTreeMap::new();
    let world = World { identity: &identity, state: &state, live: &live, data: &data, found: &found, elsewhere: &elsewhere };
    build(&stack, catalog(), world, &Options::default()).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn estimate(region: &str, body: &str) -> Estimate {
    cost::estimate(&Side::after(&plan(region, body)), Prices::built_in().unwrap())
}

/// What each resource costs, in hundredths of a cent.
fn sums(region: &str, body: &str) -> BTreeMap<String, i64> {
    let estimate = estimate(region, body);
    assert!(estimate.not_priced().is_empty(), "{:?}", estimate.not_priced());
    estimate.bills.iter().map(|bill| (bill.address.to_string(), (bill.total() * 1e4).round() as i64)).collect()
}

const CLUSTER: &str = r#"
[resource.ecs_cluster.main]
name = "shop"
[resource.ecs_task_definition.web]
family = "web"
cpu = 1024
memory = 2048
container_definitions = [{ name = "web", image = "nginx" }]
[resource.ecs_service.web]
name = "web"
cluster = "${ecs_cluster.main.arn}"
task_definition = "${ecs_task_definition.web.arn}"
"#;

#[test]
fn a_service_is_its_tasks_and_their_addresses() {
    let of = |more: &str| sums("us-east-1", &format!("{CLUSTER}{more}"))["ecs_service.web"];
    // 730 hours of 1 vCPU at 0.04048 and 2 GB at 0.004445: 29.5504 + 6.4897.
    assert_eq!(of("desired_count = 1"), 36_0401);
    assert_eq!(of("desired_count = 3"), 108_1203);
    assert_eq!(of("desired_count = 0"), 0);
    // Scaled, it has two at least.
    let scaled = "desired_count = 1\n[resource.appautoscaling_target.web]\nservice_namespace = \"ecs\"\nscalable_dimension = \"ecs:service:DesiredCount\"\nresource_id = \"service/shop/${ecs_service.web.name}\"\nmin_capacity = 2\nmax_capacity = 9\n";
    assert_eq!(of(scaled), 72_0802);
    // Scaled by hand, which suspends that, it has as many as it was scaled to, whatever is assumed of it.
    let suspended = "suspended_state = { dynamic_scaling_in_suspended = true, dynamic_scaling_out_suspended = true, scheduled_scaling_suspended = true }\n[cost.ecs_service.web]\ntasks = 5";
    assert_eq!(of(&format!("{}{suspended}", scaled.replace("desired_count = 1", "desired_count = 0"))), 0);
    assert_eq!(of(&format!("{scaled}{suspended}")), 36_0401);
    // On average five, whatever it begins with; 200 hours a month.
    assert_eq!(of("desired_count = 1\n[cost.ecs_service.web]\ntasks = 5"), 180_2005);
    assert_eq!(of("[cost]\nhours = 200"), 9_8740);
    // Two public addresses at 0.005, and 10 GB out at 0.09.
    let public = "desired_count = 2\nnetwork_configuration = { subnets = [\"subnet-1\"], assign_public_ip = \"ENABLED\" }";
    assert_eq!(of(public), 72_0802 + 7_3000 + 9000);
}

#[test]
fn capacity_providers_have_their_base_first_and_then_their_weights() {
    let of = |strategy: &str| sums("us-east-1", &format!("{CLUSTER}desired_count = 5\n{strategy}"))["ecs_service.web"];
    let mixed = "capacity_provider_strategy = [{ capacity_provider = \"FARGATE\", base = 1, weight = 1 }, { capacity_provider = \"FARGATE_SPOT\", weight = 3 }]";
    // One and a quarter of four are not on Spot: two whole tasks, and three at three tenths.
    assert_eq!(of(mixed), 2 * 36_0401 + 32_4361);
    let spot = "capacity_provider_strategy = [{ capacity_provider = \"FARGATE_SPOT\", weight = 1 }]\n[cost]\nfargate_spot_discount = 50";
    assert_eq!(of(spot), 90_1003);
    let default = CLUSTER.replace("name = \"shop\"", "name = \"shop\"\ncapacity_providers = [\"FARGATE_SPOT\"]\ndefault_capacity_provider_strategy = [{ capacity_provider = \"FARGATE_SPOT\", weight = 1 }]");
    // The cluster's own strategy, while nothing else is said.
    assert_eq!(sums("us-east-1", &default)["ecs_service.web"], 10_8120);
}

#[test]
fn a_task_on_arm_costs_less_and_scratch_space_beyond_twenty_gb_more() {
    let arm = CLUSTER.replace("cpu = 1024", "cpu = 1024\nephemeral_storage_gib = 100\nruntime_platform = { cpu_architecture = \"ARM64\" }");
    // 730 × 0.03238 + 1460 × 0.00356 + 730 × 80 × 0.000111.
    assert_eq!(sums("us-east-1", &arm)["ecs_service.web"], 23_6374 + 5_1976 + 6_4824);
    let windows =
        CLUSTER.replace("cpu = 1024", "cpu = 1024\nruntime_platform = { operating_system_family = \"WINDOWS_SERVER_2022_CORE\" }");
    assert_eq!(estimate("us-east-1", &windows).not_priced().len(), 1);
}

#[test]
fn a_task_definition_without_a_service_is_started_on_demand() {
    let body = r#"
[cost.ecs_task_definition.job]
task_runs = 60
task_minutes = 30
[resource.ecs_task_definition.job]
family = "job"
cpu = 4096
memory = 8192
container_definitions = [{ name = "job", image = "job" }]
"#;
    let all = sums("us-east-1", &format!("{CLUSTER}{body}"));
    // Thirty hours of 4 vCPU, 8 GB and an address: 4.8576 + 1.0668 + 0.15. That of the service is paid for there.
    assert_eq!((all["ecs_task_definition.job"], all["ecs_task_definition.web"]), (6_0744, 0));
}

#[test]
fn services_of_for_each_have_the_task_definitions_of_their_keys() {
    let body = r#"
[locals]
sizes = { small = 256, large = 4096 }
definitions = "${ecs_task_definition.t}"
[resource.ecs_cluster.main]
name = "shop"
[resource.ecs_task_definition.t]
for_each = "${locals.sizes}"
family = "${each.key}"
cpu = "${each.value}"
memory = "${each.value * 2}"
container_definitions = [{ name = "web", image = "nginx" }]
[resource.ecs_service.s]
for_each = "${locals.sizes}"
name = "${each.key}"
cluster = "${ecs_cluster.main.arn}"
task_definition = "${locals.definitions[each.key].arn}"
"#;
    let all = sums("us-east-1", body);
    assert_eq!((all["ecs_service.s[\"small\"]"], all["ecs_service.s[\"large\"]"]), (9_0100, 144_1604));
}

const NETWORK: &str = r#"
[resource.vpc.main]
cidr_block = "10.0.0.0/16"
[resource.subnet.a]
for_each = { a = 0, b = 1 }
vpc_id = "${vpc.main.id}"
cidr_block = "${cidrsubnet(vpc.main.cidr_block, 8, each.value)}"
availability_zone = "us-east-1${each.key}"
[resource.eip.nat]
"#;

#[test]
fn ways_in_and_out_cost_their_hours_and_what_goes_through() {
    let body = r#"
[resource.nat_gateway.main]
subnet_id = "${subnet.a['a'].id}"
allocation_id = "${eip.nat.id}"
[resource.lb.web]
name = "web"
subnets = "${pluck(subnet.a, 'id')}"
[resource.lb.inside]
name = "inside"
type = "network"
scheme = "internal"
subnets = "${pluck(subnet.a, 'id')}"
[resource.vpc_endpoint.s3]
vpc_id = "${vpc.main.id}"
service_name = "com.amazonaws.us-east-1.s3"
[resource.vpc_endpoint.ecr]
vpc_id = "${vpc.main.id}"
vpc_endpoint_type = "Interface"
service_name = "com.amazonaws.us-east-1.ecr.dkr"
subnet_ids = "${pluck(subnet.a, 'id')}"
[resource.route53_zone.out]
name = "example.org"
[resource.route53_zone.inside]
name = "example.internal"
private_zone = true
vpcs = [{ vpc_id = "${vpc.main.id}" }]
[cost]
lb_capacity_units = 2
nat_gb = 100
"#;
    let all = sums("us-east-1", &format!("{NETWORK}{body}"));
    let of = |address: &str| all[address];
    assert_eq!(of("eip.nat"), 3_6500);
    // 730 × 0.045, 100 GB at 0.045, 10 GB out.
    assert_eq!(of("nat_gateway.main"), 32_8500 + 4_5000 + 9000);
    // 730 × 0.0225, two addresses, 10 GB out, 1,460 capacity unit hours at 0.008; inside 0.006, no addresses.
    assert_eq!(of("lb.web"), 16_4250 + 7_3000 + 9000 + 11_6800);
    assert_eq!(of("lb.inside"), 16_4250 + 8_7600);
    assert_eq!(of("vpc_endpoint.s3"), 0);
    // Two zones at 0.01, 10 GB at 0.01.
    assert_eq!(of("vpc_endpoint.ecr"), 14_6000 + 1000);
    assert_eq!((of("route53_zone.out"), of("route53_zone.inside")), (5400, 5000));
    assert_eq!((of("vpc.main"), of("subnet.a[\"a\"]")), (0, 0));
}

#[test]
fn an_instance_is_its_hours_its_disks_and_its_address() {
    let body = r#"
[resource.instance.box]
image_id = "ami-1"
instance_type = "t3a.small"
monitoring = true
root_block_device = { volume_size = 30, volume_type = "gp3", iops = 4000, throughput = 250 }
ebs_block_devices = [{ device_name = "/dev/sdf", volume_size = 100, volume_type = "gp2" }]
"#;
    // 13.724; 7 × 0.30; 2.40 + 1,000 × 0.005 + 125 × 0.04; 10.00.
    let machine = 13_7240 + 2_1000 + 2_4000 + 5_0000 + 5_0000 + 10_0000;
    // In the default VPC it gets an address: 3.65, and 10 GB out.
    assert_eq!(sums("us-east-1", body)["instance.box"], machine + 3_6500 + 9000);
    let eip = sums("us-east-1", &format!("{body}[resource.eip.box]\ninstance_id = \"${{instance.box.id}}\"\n"));
    assert_eq!((eip["instance.box"], eip["eip.box"]), (machine + 9000, 3_6500));
    assert_eq!(sums("us-east-1", &format!("{body}associate_public_ip_address = false"))["instance.box"], machine);
    let unknown =
        estimate("us-east-1", "[resource.instance.box]\nimage_id = \"ami-1\"\ninstance_type = \"x9.huge\"\nsubnet_id = \"subnet-1\"\n");
    let why: Vec<&str> = unknown.not_priced().iter().map(|(_, why)| *why).collect();
    assert_eq!(why.len(), 3, "{why:?}");
    assert!(why[0].contains("x9.huge") && why[1].contains("root volume") && why[2].contains("public IPv4"), "{why:?}");
}

#[test]
fn what_is_stored_costs_by_its_class() {
    let body = r#"
[cost]
efs_gb = 50
backup_gb = 20
s3_gb = 1000
[cost.ecr_repository.r]
ecr_gb = 3
[resource.efs_file_system.regional]
[resource.efs_file_system.zonal]
availability_zone_name = "us-east-1a"
[resource.efs_file_system.moving]
lifecycle_policies = { transition_to_ia = "AFTER_30_DAYS" }
throughput_mode = "provisioned"
provisioned_throughput_in_mibps = 8
[resource.efs_file_system.elastic]
throughput_mode = "elastic"
[cost.efs_file_system.moving]
efs_ia_gb = 200
[resource.backup_vault.v]
name = "vault"
[resource.s3_bucket.b]
bucket = "shop-b"
[resource.ecr_repository.r]
name = "rr"
"#;
    let all = sums("us-east-1", body);
    assert_eq!(all["efs_file_system.regional"], 15_0000);
    // AWS backs up a file system of one zone by itself.
    assert_eq!(all["efs_file_system.zonal"], 8_0000 + 1_0000);
    assert_eq!(all["efs_file_system.moving"], 15_0000 + 5_0000 + 48_0000);
    assert_eq!(all["efs_file_system.elastic"], 15_0000 + 3000 + 6000);
    assert_eq!(all["backup_vault.v"], 1_0000);
    // 23.00, 10,000 writes at 0.005 a thousand, 100,000 reads at 0.0004.
    assert_eq!(all["s3_bucket.b"], 23_0000 + 500 + 400);
    assert_eq!(all["ecr_repository.r"], 3000);
}

#[test]
fn what_watches_and_tells_costs_by_the_piece() {
    let body = r#"
[cost]
log_gb = 10
sns_messages = 100000
container_insights_metrics = 20
[resource.cloudwatch_log_group.month]
name = "a"
retention_in_days = 30
[resource.cloudwatch_log_group.ever]
name = "b"
log_group_class = "INFREQUENT_ACCESS"
[resource.cloudwatch_metric_alarm.one]
name = "one"
namespace = "A"
metric_name = "m"
statistic = "Sum"
period = 60
evaluation_periods = 1
threshold = 1
comparison_operator = "GreaterThanThreshold"
[resource.cloudwatch_metric_alarm.fast]
name = "fast"
namespace = "A"
metric_name = "m"
statistic = "Sum"
period = 10
evaluation_periods = 1
threshold = 1
comparison_operator = "GreaterThanThreshold"
[resource.cloudwatch_dashboard.d]
name = "d"
dashboard_body = { widgets = [] }
[resource.cloudwatch_log_metric_filter.f]
name = "f"
log_group_name = "${cloudwatch_log_group.month.name}"
metric_transformations = [{ metric_name = "m", metric_namespace = "A", metric_value = "1" }]
[resource.secretsmanager_secret.s]
name = "s"
replica_regions = [{ region = "us-west-2" }]
[resource.kms_key.k]
[resource.ssm_parameter.plain]
name = "/p"
value = "v"
[resource.ssm_parameter.large]
name = "/l"
value = "v"
tier = "Advanced"
[resource.sns_topic.t]
name = "t"
[resource.sns_topic_subscription.mail]
topic_arn = "${sns_topic.t.arn}"
protocol = "email"
endpoint = "a@example.org"
[resource.ecs_cluster.c]
name = "c"
container_insights = "enabled"
[resource.iam_role.r]
name = "r"
assume_role_policy = { Version = "2012-10-17", Statement = [] }
"#;
    let all = sums("us-east-1", body);
    let of = |address: &str| all[address];
    // 10 GB at 0.50, kept for 30 days of 30.42 at 0.03; at 0.25, and twelve months of them.
    assert_eq!(of("cloudwatch_log_group.month"), 5_0000 + 2959);
    assert_eq!(of("cloudwatch_log_group.ever"), 2_5000 + 3_6000);
    assert_eq!((of("cloudwatch_metric_alarm.one"), of("cloudwatch_metric_alarm.fast")), (1000, 3000));
    assert_eq!((of("cloudwatch_dashboard.d"), of("cloudwatch_log_metric_filter.f")), (3_0000, 3000));
    assert_eq!((of("secretsmanager_secret.s"), of("kms_key.k")), (8000, 1_0000));
    assert_eq!((of("ssm_parameter.plain"), of("ssm_parameter.large")), (0, 500));
    assert_eq!((of("sns_topic.t"), of("sns_topic_subscription.mail")), (500, 2_0000));
    assert_eq!((of("ecs_cluster.c"), of("iam_role.r")), (6_0000, 0));
}

#[test]
fn every_type_is_priced_or_free() {
    let unknown: Vec<&String> = catalog().resources.keys().filter(|name| !cost::knows(name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}: say in crates/core/src/cost/mod.rs what they cost");
}

#[test]
fn what_has_no_price_is_named_and_not_counted_as_nothing() {
    let estimate = estimate(
        "ap-south-1",
        &format!("{CLUSTER}[resource.kms_key.k]\n[resource.s3_bucket.b]\nbucket = \"b-b\"\n[cost]\ns3_writes = 0\n"),
    );
    let named: Vec<(String, &str)> = estimate.not_priced().into_iter().map(|(address, why)| (address.to_string(), why)).collect();
    let addresses: Vec<&str> = named.iter().map(|(address, _)| address.as_str()).collect();
    assert_eq!(addresses, ["ecs_service.web", "s3_bucket.b"], "{named:?}");
    assert!(named.iter().all(|(_, why)| why.contains("no prices for ap-south-1, only for eu-west-1")), "{named:?}");
    // A key costs the same everywhere.
    assert!((estimate.always() - 1.0).abs() < 1e-9);
    let body = "[resource.efs_file_system.f]\n[resource.backup_vault.v]\nname = \"vault\"\n";
    let vault = self::estimate("eu-west-1", body);
    let named: Vec<(String, String)> = vault.not_priced().into_iter().map(|(address, why)| (address.to_string(), why.to_owned())).collect();
    assert_eq!(named, [("backup_vault.v".to_owned(), "backups of files: leoctl has no price for it in eu-west-1".to_owned())]);
}

#[test]
fn no_secret_is_in_a_bill() {
    let body = r#"
[vars.kind]
default   = "hunter2.small"
sensitive = true
[resource.instance.box]
image_id = "ami-1"
instance_type = "${vars.kind}"
root_block_device = { volume_size = 30, volume_type = "gp3" }
"#;
    let shown = format!("{:?}", estimate("us-east-1", body));
    assert!(shown.contains("its type is not known") && !shown.contains("hunter2"), "{shown}");
}

const STACK: &str = "stacks/shop.toml";

fn shop(cpu: u32, count: u32) -> String {
    let service = CLUSTER.replace("cpu = 1024", &format!("cpu = {cpu}")).replace("memory = 2048", &format!("memory = {}", cpu * 2));
    format!("[stack]\nname = \"shop\"\nregion = \"us-east-1\"\n{service}desired_count = {count}\nrollout = \"none\"\n")
}

fn close(value: &Value, expected: f64) {
    assert!((value.as_f64().unwrap() - expected).abs() < 1e-6, "{value} is not {expected}");
}

#[test]
fn a_plan_says_what_it_changes_in_the_cost_and_nothing_when_it_changes_nothing() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    let line = |arguments: &[&str]| {
        let shown = project.expect(0, &[arguments, &["--no-color", STACK]].concat()).stdout;
        shown.lines().find(|line| line.starts_with("Cost:")).map(str::to_owned)
    };
    let starts = |line: Option<String>, with: &str| assert!(line.as_deref().is_some_and(|line| line.starts_with(with)), "{line:?}");
    project.write(STACK, &shop(1024, 1));
    starts(line(&["plan"]), "Cost: $0.00 → $36.04 a month (+$36.04); 730 hours, list prices of ");
    // Before it is asked for, too.
    let applied = project.expect(0, &["apply", "-y", "--no-color", STACK]);
    assert!(applied.stderr.contains("(+$36.04)"), "{}", applied.stderr);
    assert_eq!(line(&["plan"]), None);
    assert_eq!(project.json(&["plan", "--json", STACK])["cost"], json!(null));

    // Larger tasks are a new revision of their definition, which the service then has.
    project.write(STACK, &shop(2048, 1));
    starts(line(&["plan"]), "Cost: $36.04 → $72.08 a month (+$36.04); ");
    project.write(STACK, &shop(1024, 3));
    starts(line(&["plan"]), "Cost: $36.04 → $108.12 a month (+$72.08); ");
    let plan = project.json(&["plan", "--json", STACK]);
    let cost = &plan["cost"];
    close(&cost["before"]["always"], 36.0401);
    close(&cost["after"]["total"], 108.1203);
    close(&cost["change"]["total"], 72.0802);
    assert_eq!((&cost["currency"], &cost["not_priced"]), (&json!("USD"), &json!([])));
    assert_eq!(cost["assumptions"][0]["name"], "hours");
    // What is written of its use is not a change of the stack.
    project.write(STACK, &format!("{}[cost]\nhours = 100\n", shop(1024, 1)));
    assert_eq!(line(&["plan"]), None);
    starts(line(&["plan", "--destroy"]), "Cost: $4.94 → $0.00 a month (-$4.94); 100 hours, ");

    // A plan that was saved knows no prices: they may be others when it is applied.
    project.write(STACK, &shop(1024, 3));
    project.expect(0, &["plan", "--out", "plan.json", STACK]);
    assert!(!std::fs::read_to_string(project.path().join("plan.json")).unwrap().contains("prices"));
    project.expect(0, &["apply", "--plan", "plan.json"]);
}

#[test]
fn leo_in_production_is_estimated_as_its_documentation_says() {
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "888888888801");
    let shown = project.expect(0, &["cost", "--no-color", "stacks/prod.toml"]).stdout;
    insta::assert_snapshot!(shown);
    assert!(include_str!("../../docs/leo.md").contains("**$66.22**") && shown.contains("Always       $66.22"), "{shown}");
    // Nothing is made by looking.
    assert!(project.expect(1, &["show", "stacks/prod.toml"]).stderr.contains("never been applied"));
}

#[test]
fn the_agent_in_production_is_estimated_as_its_documentation_says() {
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "888888888802");
    let estimate = |stack: &str, more: &[&str]| project.json(&[&["cost", "--json", stack], more].concat());
    let prod = estimate("stacks/agent-prod.toml", &[]);
    close(&prod["monthly"]["always"], 174.3692);
    close(&estimate("stacks/agent-dev.toml", &[])["monthly"]["always"], 89.3096);
    // Spot is 70 % off the task, not off its address, its secret and its alarms.
    close(&estimate("stacks/agent-prod.toml", &["--var", "use_fargate_spot=true"])["monthly"]["always"], 55.28576);
    let documentation = include_str!("../../docs/agent.md");
    assert!(documentation.contains("| **$89.31** | **$174.37** |"));
    let service = prod["resources"].as_array().unwrap().iter().find(|one| one["address"] == "ecs_service.agent").unwrap();
    assert_eq!(service["items"][0]["what"], "vCPU on Fargate");
    assert_eq!(service["items"][0]["unit_price"], 0.04048);
    let efs = prod["assumptions"].as_array().unwrap().iter().find(|one| one["name"] == "efs_gb").unwrap();
    assert_eq!((&efs["value"], &efs["written"]), (&json!(50.0), &json!(true)));
    assert_eq!(prod["prices"]["compiled"], Prices::built_in().unwrap().compiled);
    let insights = prod["resources"].as_array().unwrap().iter().find(|one| one["address"] == "ecs_cluster.main").unwrap();
    assert!(insights["not_priced"][0].as_str().unwrap().contains("container_insights_metrics"), "{insights}");
}

#[test]
fn the_documentation_has_every_assumption() {
    let documentation = include_str!("../../docs/stack-language.md");
    for known in leoctl_core::stack::usage::ASSUMPTIONS {
        let default = known.default.map(|value| value.to_string()).unwrap_or_default();
        let row = format!("| `{}` | {default} | {} |", known.use_of.name(), known.doc);
        assert!(documentation.contains(&row), "docs/stack-language.md lacks: {row}");
    }
}

#[test]
fn mistakes_under_cost_are_shown_with_what_was_meant() {
    let project = Project::new("", "test");
    let text = r#"
[stack]
name = "x"

[resource.s3_bucket.apps]
bucket = "x-apps"

[cost]
hours     = 800
log_db    = 3
efs_gb    = "many"
s3_gb     = -1
[cost.s3_bucket.aps]
s3_gb = 1
[cost.s3_bucket.apps]
log_gb = 1
s3_reds = 5
[cost.s3_buckett.apps]
s3_gb = 1
"#;
    project.write("s.toml", text);
    insta::assert_snapshot!(project.expect(1, &["--no-color", "validate", "s.toml"]).stderr);
}
