//! The Leo platform through the real binary: made, found as wanted, changed, drifted, repaired, deleted.

use serde_json::Value;

use crate::support::emulator::Emulator;
use crate::support::program::{Project, Ran};

const STACK: &str = "stacks/prod.toml";

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stdout))
}

/// Makes, checks and deletes the stack twice.
fn whole_life(project: &Project, extra: &[&str]) {
    for _ in 0..2 {
        let with = |arguments: &[&'static str]| -> Vec<String> {
            arguments.iter().chain([&STACK]).map(ToString::to_string).chain(extra.iter().map(ToString::to_string)).collect()
        };
        let run = |code: i32, arguments: &[&'static str]| {
            let all = with(arguments);
            project.expect(code, &all.iter().map(String::as_str).collect::<Vec<_>>())
        };
        run(0, &["apply", "-y"]);
        let plan = json(&run(0, &["plan", "--detailed-exitcode", "--json"]));
        assert_eq!(plan["drift"], serde_json::json!([]), "{plan:#}");
        let calls = plan["api_calls"]["total"].as_u64().unwrap();
        assert!(calls <= 60, "{calls} calls: {:#}", plan["api_calls"]);
        assert_eq!(run(0, &["output", "--json"]).stdout.matches("subnet-").count(), 2);
        run(0, &["destroy", "-y"]);
        assert_eq!(json(&run(0, &["state", "list", "--json"])), serde_json::json!([]));
    }
}

#[test]
fn leo_lives_on_fakecloud() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    whole_life(&Project::new(endpoint, "test"), &["--var", "rollout=none"]);
}

#[test]
fn leo_lives_on_ministack_with_its_rollout() {
    // MiniStack has no IPv6: AssociateVpcCidrBlock answers InvalidAction.
    let endpoint = Emulator::MiniStack.endpoint().unwrap();
    whole_life(&Project::new(endpoint, "111111111111"), &["--var", "ipv6=false"]);
}

#[test]
fn leo_lives_on_moto_without_its_bucket() {
    // GetBucketVersioning answers with a root that no SDK accepts, so the bucket and what needs it stay out.
    // Of the rest Moto drops these fields, which AWS's API references return as they were given:
    const DROPPED: &[&str] = &[
        "security_group_rule.alb_to_app description",
        "security_group_rule.app_to_generator description",
        "security_group_rule.generator_to_app description",
        "subnet.public[\"us-east-1a\"] ipv6_cidr_block",
        "subnet.public[\"us-east-1b\"] ipv6_cidr_block",
    ];
    let endpoint = Emulator::Moto.endpoint().unwrap();
    let project = Project::new(endpoint, "test");
    let without = ["--var", "rollout=none", "--exclude", "s3_bucket.apps"];
    let run = |code: i32, arguments: &[&str]| project.expect(code, &[arguments, &[STACK], &without].concat());
    run(0, &["apply", "-y"]);
    let plan = json(&run(0, &["plan", "--json"]));
    let mut differing = Vec::new();
    for change in plan["changes"].as_array().unwrap() {
        for attribute in change["attributes"].as_array().unwrap() {
            differing.push(format!("{} {}", change["address"].as_str().unwrap(), attribute["path"].as_str().unwrap()));
        }
    }
    differing.sort_unstable();
    assert_eq!(differing, DROPPED);
    project.expect(0, &["destroy", "-y", STACK]);
}

#[test]
fn a_rollout_whose_tasks_fail_is_a_failure_with_their_reason() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let project = Project::new(endpoint, "test");
    let names = ["app_name", "generator_name", "secret_prefix", "cluster_name", "target_group_name", "resource_prefix", "bucket_prefix"];
    let mut variables = Vec::new();
    for name in names {
        variables.extend(["--var".to_owned(), format!("{name}=rollout-{}", name.replace('_', "-").replace("target-group", "tg"))]);
    }
    let variables: Vec<&str> = variables.iter().map(String::as_str).collect();
    project.write(
        "stacks/r.toml",
        "[stack]\nname = \"leo-rollout\"\nextends = [\"base/leo.toml\"]\n[resource.ecs_service.app]\ntimeouts = { create = \"40s\" }\n",
    );
    let ran = project.expect(1, &[&["apply", "-y", "stacks/r.toml"], variables.as_slice()].concat());
    assert!(ran.stderr.contains("stopped task: "), "{}", ran.stderr);
    // The service is there and its rollout is not: that is no empty plan.
    let plan = project.expect(2, &[&["plan", "--detailed-exitcode", "stacks/r.toml"], variables.as_slice()].concat());
    assert!(plan.stdout.contains("1 to finish"), "{}", plan.stdout);
    project.expect(0, &[&["destroy", "-y", "stacks/r.toml"], variables.as_slice()].concat());
}

#[test]
fn what_the_reference_lists_reads_back_from_aws() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let project = Project::new(endpoint, "test");
    project.write("stacks/ref.toml", "[stack]\nname = \"leo-ref\"\nextends = [\"base/leo.toml\"]\n[vars]\napp_name.default = \"ref-app\"\ngenerator_name.default = \"ref\"\nsecret_prefix.default = \"ref\"\ncluster_name.default = \"ref\"\ntarget_group_name.default = \"ref\"\nresource_prefix.default = \"ref\"\nbucket_prefix.default = \"ref\"\n");
    let certificate = "certificate_arn=arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555";
    let cidrs = "allowed_cidrs=[\"187.223.16.15/32\", \"2001:db8::/64\"]";
    let arguments = ["stacks/ref.toml", "--var", "rollout=none", "--var", certificate, "--var", cidrs];
    project.expect(0, &[&["apply", "-y"], arguments.as_slice()].concat());
    let plan = json(&project.expect(0, &[&["plan", "--json"], arguments.as_slice()].concat()));
    // The plan's `before` is what AWS was just read to have.
    let live = |address: &str| {
        let change = plan["changes"].as_array().unwrap().iter().find(|change| change["address"] == address);
        change.unwrap_or_else(|| panic!("no {address}"))["before"].clone()
    };
    assert_eq!(plan["summary"]["no_op"], 35, "{:#}", plan["summary"]);
    let vpc = live("vpc.main");
    assert_eq!(
        (&vpc["cidr_block"], &vpc["enable_dns_hostnames"], &vpc["enable_dns_support"]),
        (&"10.0.0.0/16".into(), &true.into(), &true.into())
    );
    for (zone, network) in [("us-east-1a", "10.0.0.0/17"), ("us-east-1b", "10.0.128.0/17")] {
        let subnet = live(&format!("subnet.public[\"{zone}\"]"));
        assert_eq!(subnet["cidr_block"], network);
        assert_eq!((&subnet["map_public_ip_on_launch"], &subnet["assign_ipv6_address_on_creation"]), (&true.into(), &true.into()));
        assert_eq!(live(&format!("route_table.public[\"{zone}\"]"))["routes"].as_array().unwrap().len(), 2);
    }
    let ingress = live("security_group.alb")["ingress"].clone();
    let mut described: Vec<&str> = ingress.as_array().unwrap().iter().map(|rule| rule["description"].as_str().unwrap()).collect();
    described.sort_unstable();
    assert_eq!(
        described,
        ["HTTP from 187.223.16.15/32", "HTTP from 2001:db8::/64", "HTTPS from 187.223.16.15/32", "HTTPS from 2001:db8::/64"]
    );
    let lb = live("lb.main");
    assert_eq!((&lb["ip_address_type"], &lb["scheme"]), (&"dualstack".into(), &"internet-facing".into()));
    let redirect = &live("lb_listener.http")["default_actions"][0]["redirect_config"];
    assert_eq!((&redirect["protocol"], &redirect["port"], &redirect["status_code"]), (&"HTTPS".into(), &"443".into(), &"HTTP_301".into()));
    let https = live("lb_listener.https");
    assert_eq!(https["ssl_policy"], "ELBSecurityPolicy-TLS13-1-2-PQ-2025-09");
    let group = live("lb_target_group.app");
    assert_eq!(
        (&group["health_check_path"], &group["healthy_threshold_count"], &group["unhealthy_threshold_count"]),
        (&"/health".into(), &2.into(), &3.into())
    );
    assert_eq!(group["attributes"]["stickiness.enabled"], "true");
    let bucket = live("s3_bucket.apps");
    assert_eq!((&bucket["encryption"]["sse_algorithm"], &bucket["tls_only"]), (&"AES256".into(), &true.into()));
    assert_eq!(bucket["lifecycle_rules"][0]["expiration_in_days"], 30);
    assert_eq!(bucket["public_access_block"]["restrict_public_buckets"], true);
    let service = live("ecs_service.app");
    assert_eq!(service["deployment_configuration"]["minimum_healthy_percent"], 50);
    assert_eq!((&service["health_check_grace_period_seconds"], &service["launch_type"]), (&60.into(), &"FARGATE".into()));
    assert_eq!(service["network_configuration"]["assign_public_ip"], "ENABLED");
    let task = live("ecs_task_definition.app");
    assert_eq!((&task["cpu"], &task["memory"]), (&1024.into(), &2048.into()));
    let container = &task["container_definitions"][0];
    assert_eq!(container["environment"].as_object().unwrap().len(), 8);
    assert_eq!(container["secrets"].as_object().unwrap().len(), 7);
    assert_eq!(live("cloudwatch_log_group.app")["retention_in_days"], 7);
    let statements = live("iam_role.app")["inline_policies"]["default"]["Statement"].clone();
    assert_eq!(statements.as_array().unwrap().len(), 4);
    assert_eq!(statements[1]["Condition"]["StringEquals"]["iam:PassedToService"], "ecs-tasks.amazonaws.com");
    project.expect(0, &[&["destroy", "-y"], arguments.as_slice()].concat());
}
