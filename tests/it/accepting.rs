//! What was changed by hand in AWS is accepted into the stack file: its comments stay, and the plan is empty.

use serde_json::Value;

use crate::support::emulator::Emulator;
use crate::support::program::Project;
use crate::support::sdk;

const STACK: &str = "stacks/kept.toml";

const OWN: &str = r#"[stack]
name    = "kept"
region  = "us-east-1"
extends = ["base/kept.toml"]
tags    = { Team = "web" }

[vars.days]
default = 7

# What the site says.
[resource.cloudwatch_log_group.site]
name              = "kept-site"
retention_in_days = 7  # A week.

[resource.cloudwatch_log_group.given]
name              = "kept-given"
retention_in_days = "${vars.days}"

[resource.cloudwatch_log_group.each]
for_each          = ["a", "b"]
name              = "kept-${each.value}"
retention_in_days = 7
"#;

const BASE: &str = r#"[resource.security_group.web]
name        = "kept-web"
vpc_id      = "${vpc.main.id}"
description = "web"
ingress     = [
  { ip_protocol = "tcp", from_port = 443, to_port = 443, cidr_ipv4 = "10.0.0.0/8" },  # From inside.
]

[resource.vpc.main]
cidr_block = "10.0.0.0/16"
"#;

fn text(project: &Project, file: &str) -> String {
    std::fs::read_to_string(project.path().join(file)).unwrap()
}

fn drifted(project: &Project) -> Vec<String> {
    let drift: Value = serde_json::from_str(&project.run(&["drift", "--json", STACK]).stdout).unwrap();
    let mut all: Vec<String> = drift["drift"].as_array().unwrap().iter().map(|one| one["address"].as_str().unwrap().to_owned()).collect();
    all.sort();
    all
}

async fn keep_for(project: &Project, endpoint: &str, group: &str, days: i32) {
    let logs = aws_sdk_cloudwatchlogs::Client::new(&sdk::config(endpoint, "test").await);
    logs.put_retention_policy().log_group_name(group).retention_in_days(days).send().await.unwrap();
    assert!(!drifted(project).is_empty());
}

fn applied(endpoint: &str) -> Project {
    let project = Project::new(endpoint, "test");
    project.write(STACK, OWN);
    project.write("stacks/base/kept.toml", BASE);
    project.expect(0, &["apply", "-y", STACK]);
    project
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_changed_by_hand_is_written_where_it_stands() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = applied(&emulator.endpoint);
    let config = sdk::config(&emulator.endpoint, "test").await;
    keep_for(&project, &emulator.endpoint, "kept-site", 30).await;
    let logs = aws_sdk_cloudwatchlogs::Client::new(&config);
    let arn = "arn:aws:logs:us-east-1:123456789012:log-group:kept-site";
    logs.tag_resource().resource_arn(arn).tags("Owner", "ops").send().await.unwrap();
    let ec2 = aws_sdk_ec2::Client::new(&config);
    let groups = ec2.describe_security_groups().send().await.unwrap();
    let group = groups.security_groups().iter().find(|group| group.group_name() == Some("kept-web")).unwrap();
    let range = aws_sdk_ec2::types::IpRange::builder().cidr_ip("192.0.2.0/24").build();
    let rule = aws_sdk_ec2::types::IpPermission::builder().ip_protocol("tcp").from_port(80).to_port(80).ip_ranges(range).build();
    ec2.authorize_security_group_ingress().group_id(group.group_id().unwrap()).ip_permissions(rule).send().await.unwrap();
    assert_eq!(drifted(&project), ["cloudwatch_log_group.site", "security_group.web"]);

    // Nobody can be asked: nothing is written.
    let accept = ["drift", "--accept", "cloudwatch_log_group.site", "--accept", "security_group.web", STACK];
    let asked = project.expect(1, &accept);
    assert!(asked.stderr.contains("nobody is there to confirm it"), "{}", asked.stderr);
    assert!(asked.stdout.contains("+retention_in_days = 30  # A week."), "{}", asked.stdout);
    assert_eq!((text(&project, STACK).as_str(), text(&project, "stacks/base/kept.toml").as_str()), (OWN, BASE));

    project.expect(0, &[&accept[..], &["-y"]].concat());
    let own = OWN.replacen(
        "retention_in_days = 7  # A week.\n",
        "retention_in_days = 30  # A week.\ntags              = { Owner = \"ops\" }\n",
        1,
    );
    assert_eq!(text(&project, STACK), own);
    let base = text(&project, "stacks/base/kept.toml");
    let first = "cidr_ipv4 = \"10.0.0.0/8\" },  # From inside.\n  { ";
    assert!(base.contains(first) && base.contains("\"192.0.2.0/24\""), "{base}");
    let plan = project.json(&["plan", "--json", STACK]);
    assert!(plan["changes"].as_array().unwrap().iter().all(|change| change["action"] == "no_op"), "{plan:#}");
    project.expect(0, &["fmt", "--check", STACK]);
    project.expect(0, &["apply", "-y", STACK]);
    project.expect(0, &["plan", "--detailed-exitcode", STACK]);
    assert!(drifted(&project).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_written_is_said_with_its_line_and_the_rest_is_written() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = applied(&emulator.endpoint);
    for group in ["kept-site", "kept-given", "kept-a"] {
        keep_for(&project, &emulator.endpoint, group, 14).await;
    }
    let accept = |address| ["drift", "-y", "--accept", address, STACK];
    let refused = project.expect(1, &accept("cloudwatch_log_group.given"));
    assert!(refused.stderr.contains("an expression gives it") && refused.stderr.contains("stacks/kept.toml:17:21"), "{}", refused.stderr);
    let refused = project.expect(1, &accept("cloudwatch_log_group.each[a].retention_in_days"));
    assert!(refused.stderr.contains("its block stands for several resources"), "{}", refused.stderr);
    let refused = project.expect(1, &accept("cloudwatch_log_group.site.tags"));
    assert!(refused.stderr.contains("what has changed of cloudwatch_log_group.site: retention_in_days"), "{}", refused.stderr);
    assert_eq!(text(&project, STACK), OWN);
    // One of the two is written.
    let both = ["drift", "-y", "--accept", "cloudwatch_log_group.given", "--accept", "cloudwatch_log_group.site.retention_in_days", STACK];
    project.expect(1, &both);
    assert_eq!(text(&project, STACK), OWN.replacen("= 7  # A week.", "= 14  # A week.", 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_beside_what_is_written_is_not_shown() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    let text = "[stack]\nname = \"kept\"\nregion = \"us-east-1\"\n\n[resource.cloudwatch_log_group.site]\nname = \"kept-site\"\nretention_in_days = 7\n\n[resource.ssm_parameter.token]\nname = \"/kept/token\"\ntype = \"SecureString\"\nsecure_value = \"MARKER-5f1c\"\n";
    project.write(STACK, text);
    project.expect(0, &["apply", "-y", STACK]);
    keep_for(&project, &emulator.endpoint, "kept-site", 14).await;
    let shown = project.expect(0, &["drift", "-y", "--accept", "cloudwatch_log_group.site", STACK]);
    assert!(shown.stdout.contains("+retention_in_days = 14") && !shown.stdout.contains("MARKER"), "{}", shown.stdout);
    assert_eq!(self::text(&project, STACK), text.replacen("= 7", "= 14", 1));
}
