//! A changing call is sent again when its answer was lost, and finds its effect there: an apply in which every answer is
//! lost once ends as if none had been. What was just made may not be known everywhere, and a code of one call decides
//! nothing about another.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use leoctl_aws::client::{Clients, Settings};
use serde_json::json;

use crate::support::emulator::Emulator;
use crate::support::program::{Project, Ran, ran};
use crate::support::proxy::Proxy;
use crate::support::proxy::call::Call;
use crate::support::proxy::fault::Fault;
use crate::support::sdk;

const STACK: &str = "stacks/r.toml";

fn write(project: &Project, body: &str) {
    project.write(STACK, &format!("[stack]\nname = \"repeated\"\nregion = \"us-east-1\"\n{body}"));
}

fn through(project: &Project, proxy: &Proxy, arguments: &[&str]) -> Ran {
    let mut command = project.command(arguments);
    command.env("AWS_ENDPOINT_URL", &proxy.endpoint).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    proxy.victim(child.id());
    ran(child.wait_with_output().unwrap())
}

fn ends_well(ran: &Ran) {
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
}

const ATTACHED: &str = r#"
[resource.vpc.n]
cidr_block = "10.0.0.0/16"
enable_dns_hostnames = true
[resource.vpc.m]
cidr_block = "10.1.0.0/16"
[resource.internet_gateway.n]
vpc_id = "${vpc.n.id}"
[resource.subnet.a]
vpc_id = "${vpc.n.id}"
cidr_block = "10.0.1.0/24"
[resource.subnet.b]
vpc_id = "${vpc.n.id}"
cidr_block = "10.0.2.0/24"
[resource.route_table.a]
vpc_id = "${vpc.n.id}"
routes = [{ destination_cidr_block = "0.0.0.0/0", gateway_id = "${internet_gateway.n.id}" }]
subnet_ids = ["${subnet.a.id}", "${subnet.b.id}"]
[resource.route_table.b]
vpc_id = "${vpc.n.id}"
[resource.security_group.n]
name = "repeated"
description = "d"
vpc_id = "${vpc.n.id}"
ingress = [{ ip_protocol = "tcp", from_port = 80, to_port = 80, cidr_ipv4 = "10.0.0.0/8" }]
[resource.security_group_rule.n]
type = "ingress"
group_id = "${security_group.n.id}"
ip_protocol = "tcp"
from_port = 443
to_port = 443
cidr_ipv4 = "10.0.0.0/8"
[resource.iam_policy.n]
name = "repeated"
policy = { Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "*" }] }
[resource.iam_role.n]
name = "repeated-role"
assume_role_policy = { Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }] }
managed_policy_arns = ["${iam_policy.n.arn}"]
inline_policies.one = { Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:PutObject", Resource = "*" }] }
[resource.iam_instance_profile.n]
name = "repeated-profile"
role = "${iam_role.n.name}"
[resource.route53_zone.n]
name = "repeated.internal"
private_zone = true
vpcs = [{ vpc_id = "${vpc.n.id}" }]
[resource.route53_record.n]
zone_id = "${route53_zone.n.id}"
name = "a.repeated.internal"
type = "A"
ttl = 60
records = ["192.0.2.1"]
[resource.secretsmanager_secret.n]
name = "repeated"
[resource.cloudwatch_log_group.n]
name = "/repeated"
retention_in_days = 7
[resource.ecr_repository.n]
name = "repeated-images"
[resource.s3_bucket.n]
bucket = "repeated-answers"
[resource.sns_topic.n]
name = "repeated"
[resource.kms_key.n]
enable_key_rotation = true
deletion_window_in_days = 7
"#;

/// What changes of it: a subnet goes from one table to the other, rules, versions, VPCs and roles are exchanged.
const CHANGES: &[(&str, &str)] = &[
    ("subnet_ids = [\"${subnet.a.id}\", \"${subnet.b.id}\"]", "subnet_ids = [\"${subnet.a.id}\"]"),
    (
        "[resource.route_table.b]\nvpc_id = \"${vpc.n.id}\"",
        "[resource.route_table.b]\nvpc_id = \"${vpc.n.id}\"\nsubnet_ids = [\"${subnet.b.id}\"]",
    ),
    ("from_port = 80, to_port = 80", "from_port = 8080, to_port = 8080"),
    ("s3:GetObject", "s3:ListBucket"),
    ("inline_policies.one", "inline_policies.two"),
    ("vpcs = [{ vpc_id = \"${vpc.n.id}\" }]", "vpcs = [{ vpc_id = \"${vpc.n.id}\" }, { vpc_id = \"${vpc.m.id}\" }]"),
    ("192.0.2.1", "192.0.2.2"),
    ("retention_in_days = 7\n", ""),
    ("enable_key_rotation = true", "enable_key_rotation = false"),
];

#[test]
fn an_apply_in_which_every_answer_is_lost_once_ends_as_if_none_had_been() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    let seen: Mutex<BTreeSet<String>> = Mutex::default();
    let lost = Proxy::start(&emulator.endpoint, move |call| {
        let first = call.mutates && seen.lock().unwrap().insert(format!("{} {}", call.name(), call.request));
        first.then_some(Fault::CutAfter)
    });
    let changed = CHANGES.iter().fold(ATTACHED.to_owned(), |body, (from, to)| {
        assert!(body.contains(from), "{from}");
        body.replace(from, to)
    });
    for body in [ATTACHED, &changed, ATTACHED] {
        write(&project, body);
        ends_well(&through(&project, &lost, &["apply", "-y", STACK]));
        project.expect(0, &["plan", "--detailed-exitcode", STACK]);
    }
    ends_well(&through(&project, &lost, &["destroy", "-y", STACK]));
    // What waits for its deletion is restored.
    ends_well(&through(&project, &lost, &["apply", "-y", STACK]));
    project.expect(0, &["plan", "--detailed-exitcode", STACK]);
    ends_well(&through(&project, &lost, &["destroy", "-y", STACK]));
    let restored = lost.calls().iter().filter(|call| call.operation == "RestoreSecret").count();
    assert!(restored >= 1, "{restored}");
}

const SECRET: &str = "[resource.secretsmanager_secret.token]\nname = \"shared/token\"\ndescription = \"ours\"\n";

#[tokio::test]
async fn a_secret_of_another_stack_is_not_restored() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let (ours, theirs) = (Project::new(&emulator.endpoint, "test"), Project::new(&emulator.endpoint, "test"));
    theirs.write(STACK, &format!("[stack]\nname = \"theirs\"\nregion = \"us-east-1\"\n{SECRET}"));
    theirs.expect(0, &["apply", "-y", STACK]);
    theirs.expect(0, &["destroy", "-y", STACK]);
    write(&ours, SECRET);
    for arguments in [&["plan", STACK][..], &["apply", "-y", STACK], &["apply", "-y", "--no-preflight", STACK]] {
        let refused = ours.expect(1, arguments);
        assert!(refused.stderr.contains("was secretsmanager_secret.token of stack theirs"), "{}", refused.stderr);
    }
    let client = aws_sdk_secretsmanager::Client::new(&sdk::config(&emulator.endpoint, "test").await);
    let left = client.describe_secret().secret_id("shared/token").send().await.unwrap();
    assert!(left.deleted_date().is_some());
    let tags: BTreeMap<_, _> = left.tags().iter().map(|tag| (tag.key().unwrap(), tag.value().unwrap())).collect();
    assert_eq!(tags["leoctl:stack"], "theirs");
    // The stack that deleted it has it back, under another address too.
    theirs.write(STACK, &format!("[stack]\nname = \"theirs\"\nregion = \"us-east-1\"\n{}", SECRET.replace("token]", "other]")));
    theirs.expect(0, &["apply", "-y", STACK]);
    let back = client.describe_secret().secret_id("shared/token").send().await.unwrap();
    assert_eq!((back.arn(), back.deleted_date()), (left.arn(), None));
    theirs.expect(0, &["plan", "--detailed-exitcode", STACK]);
    // One that nobody of us made is not.
    client.create_secret().name("by/hand").send().await.unwrap();
    client.delete_secret().secret_id("by/hand").send().await.unwrap();
    write(&ours, &SECRET.replace("shared/token", "by/hand"));
    let refused = ours.expect(1, &["plan", STACK]);
    assert!(refused.stderr.contains("was not made by leoctl"), "{}", refused.stderr);
}

#[test]
fn our_own_secret_is_restored_and_made_what_is_wanted_wherever_leoctl_dies() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    let killed = |operation: &'static str, after: bool| {
        Proxy::start(&emulator.endpoint, move |call| {
            (call.operation == operation).then_some(if after { Fault::KillAfter } else { Fault::KillBefore })
        })
    };
    for (round, (operation, after)) in [("RestoreSecret", false), ("RestoreSecret", true), ("UpdateSecret", false)].into_iter().enumerate()
    {
        write(&project, SECRET);
        project.expect(0, &["apply", "-y", STACK]);
        project.expect(0, &["destroy", "-y", STACK]);
        let wanted = SECRET.replace("ours", &format!("restored {round}"));
        write(&project, &wanted);
        let proxy = killed(operation, after);
        assert_ne!(through(&project, &proxy, &["apply", "-y", STACK]).code, 0, "{operation}");
        project.expect(0, &["apply", "-y", STACK]);
        project.expect(0, &["plan", "--detailed-exitcode", STACK]);
        project.expect(0, &["destroy", "-y", STACK]);
    }
}

/// A name of which only the beginning is written is chosen before AWS is asked, and found again after a crash.
#[tokio::test]
async fn what_got_a_name_by_its_beginning_is_found_wherever_leoctl_dies_and_is_replaced_beside_its_predecessor() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    let body = |prefix: &str| {
        format!(
            "[resource.cloudwatch_log_group.n]\nname_prefix = \"/{prefix}-\"\nretention_in_days = 7\n\
             [resource.s3_bucket.n]\nbucket_prefix = \"{prefix}-\"\n\
             [resource.iam_role.n]\nname_prefix = \"{prefix}-\"\ndescription = \"for ${{s3_bucket.n.bucket}}\"\n\
             assume_role_policy = {{ Version = \"2012-10-17\", Statement = [{{ Effect = \"Allow\", Action = \"sts:AssumeRole\", Principal = {{ Service = \"ecs-tasks.amazonaws.com\" }} }}] }}\n"
        )
    };
    let config = sdk::config(&emulator.endpoint, "test").await;
    let groups = async || {
        let found = aws_sdk_cloudwatchlogs::Client::new(&config).describe_log_groups().send().await.unwrap();
        found.log_groups().iter().filter_map(|group| group.log_group_name().map(str::to_owned)).collect::<Vec<_>>()
    };
    for after in [false, true] {
        write(&project, &body("shop"));
        let proxy = Proxy::start(&emulator.endpoint, move |call| {
            (call.operation == "CreateLogGroup").then_some(if after { Fault::KillAfter } else { Fault::KillBefore })
        });
        assert_ne!(through(&project, &proxy, &["apply", "-y", STACK]).code, 0);
        project.expect(0, &["apply", "-y", STACK]);
        project.expect(0, &["plan", "--detailed-exitcode", STACK]);
        let made = groups().await;
        assert!(made.len() == 1 && made[0].starts_with("/shop-") && made[0].len() == "/shop-".len() + 8, "{made:?}");

        // Another beginning is another resource, made before the first one goes.
        write(&project, &body("store"));
        let plan = project.json(&["plan", "--json", STACK]);
        let replaced = |change: &serde_json::Value| change["action"] == "replace";
        assert!(plan["changes"].as_array().unwrap().iter().all(replaced), "{plan:#}");
        project.expect(0, &["apply", "-y", STACK]);
        project.expect(0, &["plan", "--detailed-exitcode", STACK]);
        let made = groups().await;
        assert!(made.len() == 1 && made[0].starts_with("/store-"), "{made:?}");

        // With the whole name, which it has, written instead, it stays.
        let whole = body("store").replacen("name_prefix = \"/store-\"", &format!("name = \"{}\"", made[0]), 1);
        write(&project, &whole);
        project.expect(0, &["apply", "-y", STACK]);
        project.expect(0, &["plan", "--detailed-exitcode", STACK]);
        assert_eq!(groups().await, made);
        project.expect(0, &["destroy", "-y", STACK]);
        assert_eq!(groups().await, Vec::<String>::new());
    }
}

/// A zone is made before it can have tags: until then its token alone says whose it is.
#[tokio::test]
async fn a_zone_that_leoctl_died_over_is_found_whatever_became_of_its_block_since() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    let zone = |comment: &str| format!("[resource.route53_zone.n]\nname = \"token.example.org\"\ncomment = \"{comment}\"\n");
    let settings = Settings {
        endpoint_url: Some(emulator.endpoint.clone()),
        credentials: Some(Credentials::new("test", "test", None, None, "test")),
        ..Settings::default()
    };
    let aws = Clients::load(&settings).await.unwrap().region("us-east-1");
    let zones = async || aws.route53().list_hosted_zones().send().await.unwrap().hosted_zones;
    for (since, there) in [(zone("after"), 1), (zone("before"), 1), (String::new(), 0)] {
        write(&project, &zone("before"));
        let proxy = Proxy::start(&emulator.endpoint, |call| {
            (call.service == "route53" && call.operation.starts_with("POST") && call.operation.ends_with("/hostedzone"))
                .then_some(Fault::KillAfter)
        });
        assert_ne!(through(&project, &proxy, &["apply", "-y", STACK]).code, 0);
        write(&project, &since);
        project.expect(0, &["apply", "-y", STACK]);
        project.expect(0, &["plan", "--detailed-exitcode", STACK]);
        assert_eq!(zones().await.len(), there, "{since}");
        project.expect(0, &["destroy", "-y", STACK]);
        assert!(zones().await.is_empty());
    }
}

/// The second call of a creation, and what it is refused with while AWS does not know the first everywhere.
fn unknown_yet(call: &Call) -> Option<(u16, &'static str)> {
    Some(match (call.service.as_str(), call.operation.as_str()) {
        ("s3", "PUT bucket?publicAccessBlock" | "PUT bucket?versioning" | "PUT bucket?policy") => (404, "NoSuchBucket"),
        ("ec2", "AuthorizeSecurityGroupIngress") => (400, "InvalidGroup.NotFound"),
        ("ec2", "AttachInternetGateway") => (400, "InvalidInternetGatewayID.NotFound"),
        ("ec2", "CreateRoute") => (400, "InvalidRouteTableID.NotFound"),
        ("ec2", "ModifyVpcAttribute") => (400, "InvalidVpcID.NotFound"),
        ("iam", "PutRolePolicy" | "AttachRolePolicy" | "AddRoleToInstanceProfile") => (404, "NoSuchEntity"),
        ("ecr", "PutLifecyclePolicy") => (400, "RepositoryNotFoundException"),
        ("logs", "PutRetentionPolicy") => (400, "ResourceNotFoundException"),
        ("kms", "EnableKeyRotation") => (400, "NotFoundException"),
        _ => return None,
    })
}

#[test]
fn what_aws_does_not_know_everywhere_yet_is_asked_again() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    let counts: Mutex<BTreeMap<String, usize>> = Mutex::default();
    let proxy = Proxy::start(&emulator.endpoint, move |call| {
        let (status, code) = unknown_yet(call)?;
        let mut counts = counts.lock().unwrap();
        let count = counts.entry(call.operation.clone()).or_default();
        *count += 1;
        (*count <= 2).then(|| Fault::refuse(status, code))
    });
    let policy = "lifecycle_policy = { rules = [{ rulePriority = 1, selection = { tagStatus = \"any\", countType = \"imageCountMoreThan\", countNumber = 3 }, action = { type = \"expire\" } }] }\n";
    write(&project, &ATTACHED.replace("[resource.ecr_repository.n]\n", &format!("[resource.ecr_repository.n]\n{policy}")));
    ends_well(&through(&project, &proxy, &["apply", "-y", STACK]));
    project.expect(0, &["plan", "--detailed-exitcode", STACK]);
    let refused: BTreeSet<String> = proxy.calls().iter().filter(|call| call.fault.is_some()).map(Call::name).collect();
    assert!(refused.len() >= 10, "{refused:?}");
}

const SERVICE: &str = r#"
[resource.ecs_cluster.n]
name = "repeated"
[resource.ecs_task_definition.n]
family = "repeated"
cpu = 256
memory = 512
container_definitions = [{ name = "app", image = "nginx" }]
[resource.vpc.n]
cidr_block = "10.0.0.0/16"
[resource.subnet.n]
vpc_id = "${vpc.n.id}"
cidr_block = "10.0.1.0/24"
[resource.ecs_service.n]
name = "repeated"
cluster = "${ecs_cluster.n.arn}"
task_definition = "${ecs_task_definition.n.arn}"
launch_type = "FARGATE"
rollout = "none"
network_configuration = { subnets = ["${subnet.n.id}"] }
"#;

/// ECS keeps a deleted service as `DRAINING` until its tasks have stopped, and neither changes it nor makes another of
/// its name meanwhile (ECS API Reference, DeleteService).
#[tokio::test]
async fn a_service_that_somebody_deletes_is_made_anew_once_it_is_gone() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    write(&project, SERVICE);
    project.expect(0, &["apply", "-y", STACK]);
    let client = aws_sdk_ecs::Client::new(&sdk::config(&emulator.endpoint, "test").await);
    let found = client.describe_services().cluster("repeated").services("repeated").send().await.unwrap();
    let arn = found.services()[0].service_arn().unwrap().to_owned();
    client.delete_service().cluster("repeated").service("repeated").force(true).send().await.unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let proxy = Proxy::start(&emulator.endpoint, move |call| {
        let draining = || asked.load(Ordering::SeqCst) < 6;
        match call.operation.as_str() {
            "DescribeServices" if draining() => {
                asked.fetch_add(1, Ordering::SeqCst);
                let service = json!({ "serviceArn": arn, "serviceName": "repeated", "status": "DRAINING" });
                Some(Fault::json(&json!({ "services": [service], "failures": [] })))
            }
            "CreateService" if draining() => Some(Fault::refuse(400, "InvalidParameterException")),
            "UpdateService" => Some(Fault::refuse(400, "ServiceNotActiveException")),
            _ => None,
        }
    });
    write(&project, &SERVICE.replace("rollout = \"none\"", "rollout = \"none\"\ndesired_count = 2"));
    ends_well(&through(&project, &proxy, &["apply", "-y", STACK]));
    assert!(proxy.calls().iter().all(|call| call.operation != "UpdateService"));
    project.expect(0, &["plan", "--detailed-exitcode", STACK]);
}

/// Whatever answers so: a call that is refused for good is not tried again because another type or call has such a code.
#[test]
fn a_definite_refusal_ends_at_once_and_leaves_no_open_creation() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    // Whoever tries again does so for no longer than this.
    write(&project, "[resource.vpc.n]\ncidr_block = \"10.0.0.0/16\"\ntimeouts = { create = \"20s\" }\n");
    for code in ["DependencyViolation", "VpcLimitExceeded", "InvalidParameterValue"] {
        let proxy = Proxy::start(&emulator.endpoint, move |call| (call.operation == "CreateVpc").then(|| Fault::refuse(400, code)));
        let refused = through(&project, &proxy, &["apply", "-y", STACK]);
        assert_eq!(refused.code, 1, "{}", refused.stderr);
        assert!(refused.stderr.contains(code), "{}", refused.stderr);
        assert_eq!(proxy.calls().iter().filter(|call| call.operation == "CreateVpc").count(), 1, "{code}");
        // Nothing is looked for: nothing can have been made.
        let next = Proxy::recording(&emulator.endpoint);
        ends_well(&through(&project, &next, &["plan", STACK]));
        assert!(next.calls().iter().filter(|call| call.operation == "DescribeVpcs").count() <= 1, "{code}");
    }
}

/// What is no AWS error at all is shown as it came.
#[test]
fn an_answer_that_is_not_awss_is_shown() {
    let body = "HTTP/1.1 418 X\r\nContent-Type: text/html\r\nContent-Length: 31\r\n\r\n<html> a teapot, no AWS </html>";
    let strange = Proxy::start("http://127.0.0.1:9", move |_| Some(Fault::Raw(body.as_bytes().to_vec())));
    let project = Project::new(&strange.endpoint, "test");
    write(&project, "[resource.vpc.n]\ncidr_block = \"10.0.0.0/16\"\n");
    let refused = project.expect(1, &["plan", STACK]);
    assert!(refused.stderr.contains("418") && refused.stderr.contains("a teapot"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("unhandled"), "{}", refused.stderr);
}

/// Two tables change in one apply: the one that takes a subnet meets it while the other has it, or has just let go of it.
#[test]
fn a_subnet_that_one_route_table_hands_to_another_arrives() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    write(&project, ATTACHED);
    project.expect(0, &["apply", "-y", STACK]);
    let counts: Mutex<BTreeMap<String, usize>> = Mutex::default();
    let proxy = Proxy::start(&emulator.endpoint, move |call| {
        let code = match call.operation.as_str() {
            "AssociateRouteTable" => "Resource.AlreadyAssociated",
            "ReplaceRouteTableAssociation" => "InvalidAssociationID.NotFound",
            _ => return None,
        };
        let mut counts = counts.lock().unwrap();
        let count = counts.entry(call.operation.clone()).or_default();
        *count += 1;
        (*count <= 2).then(|| Fault::refuse(400, code))
    });
    let moved = CHANGES.iter().take(2).fold(ATTACHED.to_owned(), |body, (from, to)| body.replace(from, to));
    write(&project, &moved);
    ends_well(&through(&project, &proxy, &["apply", "-y", STACK]));
    project.expect(0, &["plan", "--detailed-exitcode", STACK]);
}

/// A code that says "there already" counts only when what is there is ours.
#[tokio::test]
async fn a_rule_that_somebody_else_made_is_not_taken_for_ours() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    let (group, rule) = ATTACHED.split_once("[resource.security_group_rule.n]").unwrap();
    let rule = rule.split("\n[resource").next().unwrap();
    write(&project, group);
    project.expect(0, &["apply", "-y", STACK]);
    let ec2 = aws_sdk_ec2::Client::new(&sdk::config(&emulator.endpoint, "test").await);
    let groups = ec2.describe_security_groups().send().await.unwrap().security_groups.unwrap_or_default();
    let id = groups.iter().find(|group| group.group_name() == Some("repeated")).and_then(|group| group.group_id()).unwrap();
    let range = aws_sdk_ec2::types::IpRange::builder().cidr_ip("10.0.0.0/8").description("theirs").build();
    let permission = aws_sdk_ec2::types::IpPermission::builder().ip_protocol("tcp").from_port(443).to_port(443).ip_ranges(range);
    ec2.authorize_security_group_ingress().group_id(id).ip_permissions(permission.build()).send().await.unwrap();
    // The group itself would take it away.
    let group = format!("{group}[resource.security_group.n.lifecycle]\nignore_changes = [\"ingress\"]\n");
    write(&project, &format!("{group}[resource.security_group_rule.n]{rule}\n"));
    let proxy = Proxy::start(&emulator.endpoint, |call| {
        (call.operation == "AuthorizeSecurityGroupIngress").then(|| Fault::refuse(400, "InvalidPermission.Duplicate"))
    });
    let refused = through(&project, &proxy, &["apply", "-y", "--target", "security_group_rule.n", STACK]);
    assert_eq!(refused.code, 1, "{}{}", refused.stdout, refused.stderr);
    assert!(refused.stderr.contains("says the same, and is not ours"), "{}", refused.stderr);
}
