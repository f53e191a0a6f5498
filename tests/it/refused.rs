//! What AWS refuses and emulators take: the strict proxy refuses it, and whole stacks live with that.

use serde_json::Value;

use crate::support::emulator::Emulator;
use crate::support::program::{Project, Ran, ran};
use crate::support::proxy::Proxy;
use crate::support::sdk;

const STACK: &str = "stacks/refused.toml";

const HEAD: &str = "[stack]\nname = \"refused\"\nregion = \"us-east-1\"\n";

fn project(endpoint: &str, account: &str, body: &str) -> Project {
    let project = Project::new(endpoint, account);
    project.write(STACK, &format!("{HEAD}{body}"));
    project
}

fn through(proxy: &Proxy, project: &Project, arguments: &[&str]) -> Ran {
    let ran = ran(project.command(arguments).env("AWS_ENDPOINT_URL", &proxy.endpoint).output().unwrap());
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    ran
}

/// How often a call was refused.
fn refused(proxy: &Proxy, operation: &str) -> usize {
    proxy.calls().iter().filter(|call| call.operation == operation && call.fault.is_some()).count()
}

#[tokio::test]
async fn a_daemon_runs_in_a_cluster_with_a_default_strategy() {
    let (endpoint, account) = (Emulator::MiniStack.endpoint().unwrap(), "440000000021");
    let project = project(
        endpoint,
        account,
        r#"
[resource.ecs_cluster.main]
name = "refused"
capacity_providers = ["FARGATE"]
default_capacity_provider_strategy = [{ capacity_provider = "FARGATE", weight = 1 }]
[resource.ecs_task_definition.agent]
family = "refused-agent"
network_mode = "bridge"
requires_compatibilities = ["EC2"]
cpu = 128
memory = 128
container_definitions = [{ name = "agent", image = "agent:v1" }]
[resource.ecs_service.agent]
name = "agent"
cluster = "${ecs_cluster.main.arn}"
task_definition = "${ecs_task_definition.agent.arn}"
scheduling_strategy = "DAEMON"
rollout = "none"
"#,
    );
    let proxy = Proxy::of_facts(endpoint, &["daemon-takes-no-default-strategy"]);
    through(&proxy, &project, &["apply", "-y", STACK]);
    through(&proxy, &project, &["plan", "--detailed-exitcode", STACK]);
    // Without the launch type it would have been refused.
    let ecs = aws_sdk_ecs::Client::new(&sdk::config(&proxy.endpoint, account).await);
    let made = ecs.create_service().cluster("refused").service_name("other").task_definition("refused-agent");
    made.scheduling_strategy(aws_sdk_ecs::types::SchedulingStrategy::Daemon).send().await.unwrap_err();
    assert_eq!(refused(&proxy, "CreateService"), 1);
}

#[test]
fn an_endpoint_takes_over_the_private_name_of_the_one_before() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = project(
        &emulator.endpoint,
        "test",
        r#"
[resource.vpc.main]
cidr_block = "10.0.0.0/16"
enable_dns_support = true
enable_dns_hostnames = true
[resource.subnet.main]
vpc_id = "${vpc.main.id}"
cidr_block = "10.0.0.0/24"
[resource.security_group.main]
name = "refused"
description = "refused"
vpc_id = "${vpc.main.id}"
[resource.vpc_endpoint.ssm]
vpc_id = "${vpc.main.id}"
service_name = "com.amazonaws.us-east-1.ssm"
vpc_endpoint_type = "Interface"
subnet_ids = ["${subnet.main.id}"]
security_group_ids = ["${security_group.main.id}"]
private_dns_enabled = true
"#,
    );
    let proxy = Proxy::of_facts(&emulator.endpoint, &["a-private-name-is-taken-for-a-while"]);
    through(&proxy, &project, &["apply", "-y", STACK]);
    let id = || project.json(&["state", "show", "vpc_endpoint.ssm", "--json", STACK])["id"].as_str().unwrap().to_owned();
    let before = id();
    through(&proxy, &project, &["apply", "-y", "--replace", "vpc_endpoint.ssm", STACK]);
    assert_ne!(id(), before);
    assert_eq!(refused(&proxy, "CreateVpcEndpoint"), 1);
    through(&proxy, &project, &["plan", "--detailed-exitcode", STACK]);
}

#[tokio::test]
async fn a_role_goes_with_what_others_have_given_it() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let trust = r#"{ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }] }"#;
    let project =
        project(&emulator.endpoint, "test", &format!("[resource.iam_role.main]\nname = \"refused\"\nassume_role_policy = {trust}\n"));
    let proxy = Proxy::of_facts(&emulator.endpoint, &["a-role-goes-with-nothing-attached"]);
    through(&proxy, &project, &["apply", "-y", STACK]);

    // Somebody else's, all of it.
    let iam = aws_sdk_iam::Client::new(&sdk::config(&proxy.endpoint, "test").await);
    iam.attach_role_policy().role_name("refused").policy_arn("arn:aws:iam::aws:policy/ReadOnlyAccess").send().await.unwrap();
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"}]}"#;
    iam.put_role_policy().role_name("refused").policy_name("theirs").policy_document(policy).send().await.unwrap();
    iam.create_instance_profile().instance_profile_name("theirs").send().await.unwrap();
    iam.add_role_to_instance_profile().instance_profile_name("theirs").role_name("refused").send().await.unwrap();

    through(&proxy, &project, &["destroy", "-y", STACK]);
    assert!(iam.get_role().role_name("refused").send().await.is_err());
    let profile = iam.get_instance_profile().instance_profile_name("theirs").send().await.unwrap().instance_profile.unwrap();
    assert!(profile.roles().is_empty(), "{profile:?}");
    // The refusal of a role that still had a policy a moment ago passes.
    assert_eq!(refused(&proxy, "DeleteRole"), 1);
}

#[test]
fn a_parameter_is_not_planned_back_to_the_standard_tier() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let body = "[resource.ssm_parameter.main]\nname = \"/refused\"\nvalue = \"v\"\n";
    let project = project(&emulator.endpoint, "test", &format!("{body}tier = \"Advanced\"\n"));
    project.expect(0, &["apply", "-y", STACK]);
    project.write(STACK, &format!("{HEAD}{body}"));
    let refused = project.expect(1, &["plan", STACK]);
    assert!(refused.stderr.contains("never becomes Standard again") && refused.stderr.contains("--replace"), "{}", refused.stderr);
    project.expect(0, &["apply", "-y", "--replace", "ssm_parameter.main", STACK]);
    let plan: Value = project.json(&["plan", "--json", STACK]);
    assert_eq!(plan["summary"]["update"], 0, "{plan}");
}
