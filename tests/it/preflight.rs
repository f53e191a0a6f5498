//! What would make an apply fail is found when it is planned, and said with its fix.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::support::cloud_control::Cloud;
use crate::support::emulator::Emulator;
use crate::support::program::{Project, Ran, ran};
use crate::support::proxy::Proxy;
use crate::support::proxy::call::Call;
use crate::support::proxy::fault::Fault;
use crate::support::sdk;

const STACK: &str = "stacks/shop.toml";

/// A stack of this body.
fn project(endpoint: &str, body: &str) -> Project {
    let project = Project::new(endpoint, "test");
    write(&project, body);
    project
}

fn write(project: &Project, body: &str) {
    project.write(STACK, &format!("[stack]\nname = \"shop\"\nregion = \"us-east-1\"\n{body}"));
}

fn through(project: &Project, proxy: &Proxy, arguments: &[&str]) -> Ran {
    let mut command = project.command(arguments);
    let ran = ran(command.env("AWS_ENDPOINT_URL", &proxy.endpoint).output().unwrap());
    assert_eq!(ran.code, 0, "{arguments:?}\n{}\n{}", ran.stdout, ran.stderr);
    ran
}

/// What is said of a plan: the check and address of each finding.
fn found(plan: &Json) -> Vec<(String, String)> {
    let text = |value: &Json| value.as_str().unwrap().to_owned();
    plan["preflight"]["findings"].as_array().unwrap().iter().map(|one| (text(&one["check"]), text(&one["address"]))).collect()
}

fn finding(check: &str, address: &str) -> Vec<(String, String)> {
    vec![(check.to_owned(), address.to_owned())]
}

fn read(ran: &Ran) -> Json {
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn a_secret_that_is_scheduled_for_deletion_is_said_to_come_back() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = project(&emulator.endpoint, "[resource.secretsmanager_secret.token]\nname = \"shop/token\"\n");
    assert_eq!(found(&project.json(&["plan", "--json", STACK])), []);
    project.expect(0, &["apply", "-y", STACK]);
    project.expect(0, &["destroy", "-y", STACK]);

    let plan = project.json(&["plan", "--json", STACK]);
    assert_eq!(found(&plan), finding("scheduled_secret", "secretsmanager_secret.token"));
    let said = &plan["preflight"]["findings"][0];
    assert_eq!((&said["file"], &said["line"]), (&json!(STACK), &json!(4)));
    let text = project.expect(0, &["plan", STACK]).stdout;
    assert!(text.contains("stacks/shop.toml:4") && text.contains("restore-secret"), "{text}");
    let comment = project.expect(0, &["plan", "--markdown", STACK]).stdout;
    assert!(comment.contains("**Preflight**") && comment.contains("`stacks/shop.toml:4`"), "{comment}");

    // Apply says it and goes on.
    let apply = project.expect(0, &["apply", "-y", STACK]);
    assert!(apply.stderr.contains("scheduled for deletion"), "{}", apply.stderr);
}

const HOLDERS: &str = r#"
[resource.s3_bucket.files]
bucket = "shop-files"
[resource.s3_bucket.empty]
bucket = "shop-empty"
[resource.s3_bucket.forced]
bucket = "shop-forced"
empty_on_delete = true
[resource.ecr_repository.app]
name = "shop/app"
[resource.backup_vault.main]
name = "shop"
"#;

#[tokio::test]
async fn what_is_not_empty_is_not_deleted_and_counted() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = project(&emulator.endpoint, HOLDERS);
    project.expect(0, &["apply", "-y", STACK]);
    assert_eq!(found(&project.json(&["plan", "--destroy", "--json", STACK])), []);
    let config = sdk::config(&emulator.endpoint, "test").await;
    let s3 = aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build());
    for bucket in ["shop-files", "shop-forced"] {
        for key in ["a", "b"] {
            s3.put_object().bucket(bucket).key(key).body(b"x".to_vec().into()).send().await.unwrap();
        }
    }
    push(&emulator.endpoint, "shop/app", "v1").await;
    // No emulator makes recovery points at will: Backup API Reference, ListRecoveryPointsByBackupVault.
    let point = json!({ "RecoveryPointArn": "arn:aws:backup:us-east-1:123456789012:recovery-point:1", "BackupVaultName": "shop" });
    let points = json!({ "RecoveryPoints": [point, point, point] });
    let proxy = Proxy::start(&emulator.endpoint, move |call| call.operation.contains("/recovery-points").then(|| Fault::json(&points)));
    let plan = read(&through(&project, &proxy, &["plan", "--destroy", "--json", STACK]));
    let holders = ["backup_vault.main", "ecr_repository.app", "s3_bucket.files"];
    let mut all = found(&plan);
    all.sort();
    assert_eq!(all, holders.map(|address| ("not_empty".to_owned(), address.to_owned())));
    let text = through(&project, &proxy, &["plan", "--destroy", STACK]).stdout;
    for words in ["2 objects", "1 image is", "3 recovery points", "`empty_on_delete = true`", "`force_delete = true`"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    // A block that is gone has to come back first.
    write(&project, "");
    let gone = project.expect(0, &["plan", STACK]).stdout;
    assert!(gone.contains("put its block back with `empty_on_delete = true`"), "{gone}");
}

#[test]
fn what_is_in_a_cluster_and_is_not_the_stacks_is_named_before_the_cluster_goes() {
    let cloud = Arc::new(Cloud::default());
    let played = Arc::clone(&cloud);
    let aws = Proxy::start(Emulator::MiniStack.endpoint().unwrap(), move |call| played.answer(call));
    let own = "[resource.awscc_neptune_db_cluster.c]\ndb_cluster_identifier = \"pre-c\"\n";
    let instance = "[resource.awscc_neptune_db_instance.i]\ndb_instance_identifier = \"pre-i\"\ndb_instance_class = \"db.t4g.medium\"\ndb_cluster_identifier = \"${awscc_neptune_db_cluster.c.db_cluster_identifier}\"\n";
    let project = project(&aws.endpoint, &format!("{own}{instance}"));
    project.expect(0, &["apply", "-y", STACK]);
    // The stack's own instance goes with it, and another cluster's is not looked at.
    let other = |cluster: &str| json!({ "DBInstanceClass": "db.t4g.medium", "DBClusterIdentifier": cluster }).as_object().unwrap().clone();
    cloud.put("AWS::Neptune::DBInstance", "somewhere-else", other("else"));
    let plan = project.json(&["plan", "--destroy", "--json", STACK]);
    assert_eq!(found(&plan), []);
    cloud.put("AWS::Neptune::DBInstance", "by-hand", other("pre-c"));
    let plan = project.json(&["plan", "--destroy", "--json", STACK]);
    assert_eq!(found(&plan), finding("not_empty", "awscc_neptune_db_cluster.c"));
    let shown = project.expect(0, &["plan", "--destroy", STACK]).stdout;
    let said = "AWS deletes pre-c only when it is empty: AWS::Neptune::DBInstance by-hand is in it, and not deleted with it";
    assert!(shown.split_whitespace().collect::<Vec<_>>().join(" ").contains(said), "{shown}");
    project.expect(0, &["destroy", "-y", STACK]);
}

/// Puts an image into a repository: any manifest will do.
async fn push(endpoint: &str, repository: &str, tag: &str) {
    let manifest = json!({ "schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": { "mediaType": "application/vnd.docker.container.image.v1+json", "size": 2, "digest": format!("sha256:{}", "0".repeat(64)) },
        "layers": [] });
    let ecr = aws_sdk_ecr::Client::new(&sdk::config(endpoint, "test").await);
    ecr.put_image().repository_name(repository).image_manifest(manifest.to_string()).image_tag(tag).send().await.unwrap();
}

const REPOSITORY: &str = "[resource.ecr_repository.app]\nname = \"shop/app\"\n";

fn task(image: &str) -> String {
    format!(
        "[resource.ecs_task_definition.web]\nfamily = \"shop-web\"\ncpu = 256\nmemory = 512\n\
         [[resource.ecs_task_definition.web.container_definitions]]\nname = \"web\"\nimage = \"{image}\"\n"
    )
}

#[tokio::test]
async fn an_image_that_is_not_there_is_named() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let ours = task("${ecr_repository.app.repository_uri}:v1");
    let project = project(&emulator.endpoint, &format!("{REPOSITORY}{ours}"));
    // Its repository comes with the same plan.
    let first = project.expect(0, &["plan", STACK]).stdout;
    assert!(first.contains("leoctl push IMAGE app"), "{first}");
    assert_eq!(first.matches("Preflight: 1 finding").count(), 1, "{first}");
    write(&project, REPOSITORY);
    project.expect(0, &["apply", "-y", STACK]);

    write(&project, &format!("{REPOSITORY}{ours}"));
    let plan = project.json(&["plan", "--json", STACK]);
    assert_eq!(found(&plan), finding("image", "ecs_task_definition.web"));
    let said = &plan["preflight"]["findings"][0];
    assert!(said["message"].as_str().unwrap().contains("does not have the tag v1"), "{said}");
    assert!(said["fix"].as_str().unwrap().contains("leoctl push IMAGE app --tag v1"), "{said}");

    // A plan that was saved before the image came is the same plan.
    project.expect(0, &["plan", "--out", "saved.plan", STACK]);
    let comment = |project: &Project| project.expect(0, &["plan", "--markdown", STACK]).stdout;
    let id = |comment: &str| comment.split("plan `").nth(1).unwrap().split('`').next().unwrap().to_owned();
    let before = comment(&project);
    push(&emulator.endpoint, "shop/app", "v1").await;
    let after = comment(&project);
    assert!(before.contains("Preflight") && !after.contains("Preflight"), "{after}");
    assert_eq!(id(&before), id(&after));
    project.expect(0, &["apply", "--plan", "saved.plan"]);

    // Any account's repositories are looked into, other registries are not.
    write(&project, &format!("{REPOSITORY}{}", task("123456789012.dkr.ecr.us-east-1.amazonaws.com/nowhere:v2")));
    let nowhere = project.expect(0, &["plan", STACK]).stdout;
    assert!(nowhere.contains("there is no repository nowhere"), "{nowhere}");
    write(&project, &format!("{REPOSITORY}{}", task("public.ecr.aws/nginx/nginx:1.27")));
    assert_eq!(found(&project.json(&["plan", "--json", STACK])), []);
}

#[test]
fn what_may_not_be_asked_is_noted_and_nothing_fails() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let body = task("123456789012.dkr.ecr.us-east-1.amazonaws.com/app:v2");
    let project = project(&emulator.endpoint, &body);
    let proxy =
        Proxy::start(&emulator.endpoint, |call| (call.name() == "ecr:DescribeImages").then(|| Fault::refuse(400, "AccessDeniedException")));
    let text = through(&project, &proxy, &["plan", STACK]).stdout;
    assert!(text.contains("not checked: images of containers, as ecr:DescribeImages is not allowed"), "{text}");
    let plan = read(&through(&project, &proxy, &["plan", "--json", STACK]));
    assert_eq!(found(&plan), []);
    assert_eq!(plan["preflight"]["unchecked"][0]["check"], "image");
    through(&project, &proxy, &["apply", "-y", STACK]);

    // Advice holds no plan up.
    write(&project, &task("123456789012.dkr.ecr.us-east-1.amazonaws.com/app:v3"));
    let proxy = Proxy::start(&emulator.endpoint, |call| (call.name() == "ecr:DescribeImages").then_some(Fault::Hang));
    let text = through(&project, &proxy, &["plan", STACK]).stdout;
    assert!(text.contains("not checked: images of containers, as AWS did not answer within 15 seconds"), "{text}");
}

fn listener(arn: &str) -> String {
    format!(
        "[resource.lb_listener.https]\nload_balancer_arn = \"arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/x/0123456789abcdef\"\n\
         port = 443\nprotocol = \"HTTPS\"\ncertificates = [{{ certificate_arn = \"{arn}\" }}]\n\
         default_actions = [{{ type = \"fixed-response\", fixed_response_config = {{ status_code = \"404\", content_type = \"text/plain\" }} }}]\n"
    )
}

#[test]
fn a_certificate_that_is_not_issued_or_not_here_is_named() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let certificate = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-1111-4111-8111-111111111111";
    let project = project(&emulator.endpoint, &listener(certificate));
    // ACM API Reference, DescribeCertificate: emulators issue at once.
    for (status, words) in [("PENDING_VALIDATION", "acm_certificate_validation"), ("EXPIRED", "has expired"), ("ISSUED", "")] {
        let answer = json!({ "Certificate": { "CertificateArn": certificate, "DomainName": "shop.example.org", "Status": status } });
        let proxy = Proxy::start(&emulator.endpoint, move |call| (call.name() == "acm:DescribeCertificate").then(|| Fault::json(&answer)));
        let text = through(&project, &proxy, &["plan", STACK]).stdout;
        assert!(text.contains(words), "{text}");
        assert_eq!(text.contains("Preflight"), status != "ISSUED", "{text}");
    }
    let nowhere = project.expect(0, &["plan", STACK]).stdout;
    assert!(nowhere.contains("there is no certificate arn:aws:acm:us-east-1"), "{nowhere}");
    write(&project, &listener(&certificate.replace("us-east-1", "eu-west-1")));
    let elsewhere = project.expect(0, &["plan", STACK]).stdout;
    assert!(elsewhere.contains("is in eu-west-1, and the load balancer in us-east-1"), "{elsewhere}");
}

#[tokio::test]
async fn what_credentials_may_not_do_is_found_resource_by_resource() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let iam = aws_sdk_iam::Client::new(&sdk::config(&emulator.endpoint, "test").await);
    iam.create_user().user_name("deployer").send().await.unwrap();
    let policy = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": ["s3:*", "iam:SimulatePrincipalPolicy"], "Resource": ["arn:aws:s3:::shop-a", "arn:aws:iam::*:user/*"] },
        { "Effect": "Allow", "Action": "iam:*", "Resource": "arn:aws:iam::*:role/shop-*" } ] });
    iam.put_user_policy().user_name("deployer").policy_name("deploy").policy_document(policy.to_string()).send().await.unwrap();
    let key = iam.create_access_key().user_name("deployer").send().await.unwrap().access_key.unwrap();
    let trust = "assume_role_policy = { Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Action = \"sts:AssumeRole\", Principal = { Service = \"ecs-tasks.amazonaws.com\" } }] }";
    let body = format!(
        "[resource.s3_bucket.a]\nbucket = \"shop-a\"\n[resource.s3_bucket.b]\nbucket = \"shop-b\"\n\
         [resource.iam_role.ours]\nname = \"shop-tasks\"\n{trust}\n[resource.iam_role.theirs]\nname = \"other-tasks\"\n{trust}\n"
    );
    let project = project(&emulator.endpoint, &body);
    let as_deployer = |arguments: &[&str], endpoint: &str| {
        let mut command = project.command(arguments);
        command.env("AWS_ACCESS_KEY_ID", &key.access_key_id).env("AWS_SECRET_ACCESS_KEY", &key.secret_access_key);
        let ran = ran(command.env("AWS_ENDPOINT_URL", endpoint).output().unwrap());
        assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
        ran
    };
    let plan = read(&as_deployer(&["plan", "--json", STACK], &emulator.endpoint));
    let mut all = found(&plan);
    all.sort();
    assert_eq!(all, ["iam_role.theirs", "s3_bucket.b"].map(|address| ("permission".to_owned(), address.to_owned())));
    let text = as_deployer(&["plan", STACK], &emulator.endpoint).stdout;
    assert!(text.contains("user/deployer may not s3:CreateBucket") && text.contains("on arn:aws:s3:::shop-b"), "{text}");

    // Who may not ask is told that once.
    let proxy =
        Proxy::start(&emulator.endpoint, |call| (call.operation == "SimulatePrincipalPolicy").then(|| Fault::refuse(403, "AccessDenied")));
    let text = as_deployer(&["plan", STACK], &proxy.endpoint).stdout;
    assert_eq!(text.matches("not checked: permissions, as iam:SimulatePrincipalPolicy is not allowed").count(), 1, "{text}");

    // A session's policies are its role's, whose path only IAM knows. STS API Reference, GetCallerIdentity; IAM API
    // Reference, GetRole and SimulatePrincipalPolicy.
    let caller = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
        <Arn>arn:aws:sts::123456789012:assumed-role/deploy/ci</Arn><UserId>AROA:ci</UserId><Account>123456789012</Account>\
        </GetCallerIdentityResult></GetCallerIdentityResponse>";
    let role = "<GetRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetRoleResult><Role><Path>/teams/</Path>\
        <Arn>arn:aws:iam::123456789012:role/teams/deploy</Arn><RoleName>deploy</RoleName><RoleId>AROA</RoleId>\
        <CreateDate>2026-01-01T00:00:00Z</CreateDate></Role></GetRoleResult></GetRoleResponse>";
    let proxy = Proxy::start(&emulator.endpoint, move |call| match call.operation.as_str() {
        "GetCallerIdentity" => Some(Fault::Answer(caller.to_owned())),
        "GetRole" if call.request.contains("RoleName=deploy") => Some(Fault::Answer(role.to_owned())),
        _ => None,
    });
    through(&project, &proxy, &["plan", STACK]);
    let calls = proxy.calls();
    let asked: Vec<&Call> = calls.iter().filter(|call| call.operation == "SimulatePrincipalPolicy").collect();
    assert!(!asked.is_empty() && asked.iter().all(|call| call.request.contains("role%2Fteams%2Fdeploy")), "{asked:?}");
}

const NETWORK: &str = r#"
[resource.vpc.main]
cidr_block = "10.9.0.0/16"
[resource.subnet.a]
vpc_id = "${vpc.main.id}"
cidr_block = "10.9.1.0/24"
[resource.security_group.web]
name = "shop-web"
description = "web"
vpc_id = "${vpc.main.id}"
"#;

#[tokio::test]
async fn a_security_group_that_somebody_else_uses_is_said_to_be_theirs() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = project(&emulator.endpoint, NETWORK);
    project.expect(0, &["apply", "-y", STACK]);
    let id = |address: &str| {
        project.json(&["show", "--json", STACK])["resources"][address]["current"]["place"]["id"].as_str().unwrap().to_owned()
    };
    let ec2 = aws_sdk_ec2::Client::new(&sdk::config(&emulator.endpoint, "test").await);
    let made = ec2.create_network_interface().subnet_id(id("subnet.a")).groups(id("security_group.web")).description("report generator");
    let interface = made.send().await.unwrap().network_interface.unwrap().network_interface_id.unwrap();

    let without = NETWORK.split("[resource.security_group").next().unwrap();
    write(&project, without);
    let plan = project.json(&["plan", "--json", STACK]);
    assert_eq!(found(&plan), finding("security_group", "security_group.web"));
    let message = plan["preflight"]["findings"][0]["message"].as_str().unwrap();
    assert!(message.contains(&interface) && message.contains("report generator"), "{message}");
    assert_eq!(plan["preflight"]["findings"][0]["file"], Json::Null);

    ec2.delete_network_interface().network_interface_id(&interface).send().await.unwrap();
    assert_eq!(found(&project.json(&["plan", "--json", STACK])), []);
}

#[test]
fn a_bucket_of_another_account_or_region_is_taken() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = project(&emulator.endpoint, "[resource.s3_bucket.files]\nbucket = \"shop-files\"\n");
    // S3 API Reference, HeadBucket: there is no body.
    let forbidden = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
    let moved = "HTTP/1.1 301 Moved Permanently\r\nx-amz-bucket-region: eu-west-1\r\nContent-Length: 0\r\n\r\n";
    for (answer, words) in [(forbidden, "in another account"), (moved, "in eu-west-1")] {
        let proxy =
            Proxy::start(&emulator.endpoint, move |call| (call.operation == "HEAD bucket").then(|| Fault::Raw(answer.as_bytes().to_vec())));
        let mut command = project.command(&["plan", STACK]);
        let ran = ran(command.env("AWS_ENDPOINT_URL", &proxy.endpoint).output().unwrap());
        assert_eq!(ran.code, 1, "{}", ran.stdout);
        assert!(ran.stderr.contains(words) && ran.stderr.contains("choose another name"), "{}", ran.stderr);
        assert!(ran.stderr.contains("stacks/shop.toml:4"), "{}", ran.stderr);
    }
}

/// A plan in which every check has something to ask.
fn everything(project: &Project) -> String {
    write(project, &format!("{HOLDERS}{NETWORK}"));
    project.expect(0, &["apply", "-y", STACK]);
    let certificate = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-1111-4111-8111-111111111111";
    let image = task("123456789012.dkr.ecr.us-east-1.amazonaws.com/app:v2");
    format!("{image}{}[resource.secretsmanager_secret.token]\nname = \"shop/token\"\n", listener(certificate))
}

#[tokio::test]
async fn all_checks_take_two_more_waves_and_none_when_they_are_not_wanted() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = project(&emulator.endpoint, "");
    let body = everything(&project);
    // A role's session: its role has to be looked up before its policies can be asked about.
    let config = sdk::config(&emulator.endpoint, "test").await;
    let trust =
        json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "AWS": "*" } }] });
    let made = aws_sdk_iam::Client::new(&config).create_role().role_name("deploy").assume_role_policy_document(trust.to_string());
    let role = made.send().await.unwrap().role.unwrap().arn;
    let session = aws_sdk_sts::Client::new(&config).assume_role().role_arn(role).role_session_name("ci").send().await.unwrap();
    let session = session.credentials.unwrap();
    let through = |proxy: &Proxy, arguments: &[&str]| {
        let mut command = project.command(arguments);
        command.env("AWS_ACCESS_KEY_ID", &session.access_key_id).env("AWS_SECRET_ACCESS_KEY", &session.secret_access_key);
        let ran = ran(command.env("AWS_SESSION_TOKEN", &session.session_token).env("AWS_ENDPOINT_URL", &proxy.endpoint).output().unwrap());
        assert_eq!(ran.code, 0, "{arguments:?}\n{}\n{}", ran.stdout, ran.stderr);
        ran
    };
    // Slow enough that what is asked at once overlaps.
    let recording = || Proxy::start(&emulator.endpoint, |_| Some(Fault::Wait(Duration::from_millis(300))));
    let unchanged = recording();
    through(&unchanged, &["plan", STACK]);
    let names = |proxy: &Proxy| proxy.calls().iter().map(Call::name).collect::<Vec<_>>();
    let asked = |name: &str| {
        let special = ["acm:DescribeCertificate", "ecr:DescribeImages", "ec2:DescribeNetworkInterfaces", "iam:SimulatePrincipalPolicy"];
        special.contains(&name) || name == "iam:GetRole" || name == "s3:GET bucket?versions" || name.contains("/recovery-points")
    };
    assert_eq!(names(&unchanged).into_iter().filter(|name| asked(name)).collect::<Vec<_>>(), Vec::<String>::new());

    write(&project, &body);
    let without = recording();
    let plan = through(&without, &["plan", "--no-preflight", STACK]);
    assert!(!plan.stdout.contains("Preflight"), "{}", plan.stdout);
    assert_eq!(names(&without).into_iter().filter(|name| asked(name)).collect::<Vec<_>>(), Vec::<String>::new());
    assert_eq!(read(&through(&without, &["plan", "--no-preflight", "--json", STACK]))["preflight"], Json::Null);
    let without = recording();
    through(&without, &["plan", "--no-preflight", STACK]);

    let with = recording();
    through(&with, &["plan", STACK]);
    let kinds: std::collections::BTreeSet<String> = names(&with).into_iter().filter(|name| asked(name)).collect();
    assert!(kinds.len() >= 7, "{kinds:?}");
    assert!(with.waves() <= without.waves() + 2, "{} waves, {} without", with.waves(), without.waves());
    assert!(with.calls().iter().all(|call| !call.mutates && call.operation != "GetSecretValue"));
}

#[test]
fn apply_says_what_it_found_before_it_asks_and_is_not_kept_by_it() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let body = task("123456789012.dkr.ecr.us-east-1.amazonaws.com/app:v2");
    let project = project(&emulator.endpoint, &body);
    let asked = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&asked);
    let proxy = Proxy::start(&emulator.endpoint, move |call| {
        if call.name() == "ecr:DescribeImages" {
            seen.store(true, Ordering::SeqCst);
        }
        // Nothing is made before it was looked for.
        (call.mutates && !seen.load(Ordering::SeqCst)).then(|| Fault::refuse(400, "AccessDeniedException"))
    });
    let nobody = project.expect(1, &["apply", STACK]);
    assert!(nobody.stderr.contains("there is no repository app") && nobody.stderr.contains("confirm"), "{}", nobody.stderr);
    let apply = through(&project, &proxy, &["apply", "-y", STACK]);
    assert!(apply.stderr.contains("there is no repository app"), "{}", apply.stderr);
    assert!(asked.load(Ordering::SeqCst));
    project.expect(0, &["plan", "--detailed-exitcode", STACK]);
    let destroy = project.expect(0, &["destroy", "-y", "--no-preflight", STACK]);
    assert!(!destroy.stderr.contains("Preflight"), "{}", destroy.stderr);
}

#[test]
fn an_endpoint_has_private_names_only_where_the_vpc_gives_some() {
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "450000000031");
    let found = |vpc: &str, endpoint: &str| {
        let stack = format!(
            "[stack]\nname = 'names'\nregion = 'us-east-1'\n[resource.vpc.v]\ncidr_block = '10.0.0.0/16'\n{vpc}\n\
             [resource.vpc_endpoint.e]\nvpc_id = '${{vpc.v.id}}'\nservice_name = 'com.amazonaws.us-east-1.ecs'\n{endpoint}\n"
        );
        project.write("stacks/names.toml", &stack);
        let plan = project.json(&["plan", "--json", "stacks/names.toml"]);
        let findings = plan["preflight"]["findings"].as_array().unwrap().clone();
        let ours = findings.into_iter().filter(|finding| finding["check"] == "private_dns");
        ours.map(|finding| finding["fix"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let interface = "vpc_endpoint_type = 'Interface'";
    let fix = found("", interface);
    assert!(fix.len() == 1 && fix[0].starts_with("set `enable_dns_hostnames` of vpc.v to true"), "{fix:?}");
    assert_eq!(found("enable_dns_hostnames = true", interface), [""; 0]);
    assert_eq!(found("", "vpc_endpoint_type = 'Interface'\nprivate_dns_enabled = false"), [""; 0]);
    assert_eq!(found("", ""), [""; 0], "a gateway has no names");
}
