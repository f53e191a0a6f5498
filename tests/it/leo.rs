//! The Leo platform through the real binary, on emulators that behave as AWS is documented to: made, found as wanted, changed,
//! drifted, repaired, deleted.

use serde_json::Value;

use crate::support::emulator::Emulator;
use crate::support::program::{Project, Ran};
use crate::support::proxy::Proxy;

const STACK: &str = "stacks/prod.toml";

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stdout))
}

/// Makes, checks and deletes the stack twice.
fn whole_life((endpoint, emulator): (&str, Emulator), account: &str, extra: &[&str]) {
    let aws = Proxy::strict(endpoint, emulator);
    let project = Project::new(&aws.endpoint, account);
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
        // The proxy's pages have one entry, which no page of AWS has: calls are counted without it.
        let direct = project.expect(0, &[&["plan", "--detailed-exitcode", "--json", "--endpoint-url", endpoint, STACK], extra].concat());
        let calls = &json(&direct)["api_calls"];
        // Each secret is asked for by itself, as the list of them may be five minutes old.
        let secrets = calls["by_operation"]["secretsmanager:DescribeSecret"].as_u64().unwrap();
        assert!(secrets == 7 && calls["total"].as_u64().unwrap() - secrets <= 60, "{calls:#}");
        assert_eq!(run(0, &["output", "--json"]).stdout.matches("subnet-").count(), 2);
        run(0, &["destroy", "-y"]);
        assert_eq!(json(&run(0, &["state", "list", "--json"])), serde_json::json!([]));
    }
}

#[test]
fn leo_lives_on_fakecloud() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    whole_life((endpoint, Emulator::Fakecloud), "test", &["--var", "rollout=none"]);
}

#[test]
fn leo_lives_on_ministack_with_its_rollout() {
    // MiniStack has no IPv6: AssociateVpcCidrBlock answers InvalidAction.
    let endpoint = Emulator::MiniStack.endpoint().unwrap();
    whole_life((endpoint, Emulator::MiniStack), "111111111111", &["--var", "ipv6=false"]);
}

#[test]
fn leo_lives_on_moto_without_its_bucket() {
    // GetBucketVersioning answers with a root that no SDK accepts, so the bucket and what needs it stay out.
    // Of the rest Moto drops these fields, which AWS's API references return as they were given:
    const DROPPED: &[&str] = &[
        "security_group_rule.alb_to_app description",
        "security_group_rule.app_to_generator description",
        "security_group_rule.generator_to_app description",
    ];
    let aws = Proxy::strict(Emulator::Moto.endpoint().unwrap(), Emulator::Moto);
    let project = Project::new(&aws.endpoint, "test");
    // CreateSubnet drops Ipv6CidrBlock, which the EC2 API Reference's Subnet returns, and which is waited for.
    let without = ["--var", "rollout=none", "--var", "ipv6=false", "--exclude", "s3_bucket.apps"];
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
