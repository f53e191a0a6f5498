//! What AWS does not let go stays, and is said with the reason and the way out; the rest goes, and a rerun goes on.

use aws_sdk_s3::primitives::ByteStream;

use crate::support::emulator::Emulator;
use crate::support::program::{Project, ran};
use crate::support::proxy::Proxy;
use crate::support::proxy::fault::Fault;
use crate::support::sdk;

const STACK: &str = "stacks/held.toml";

const BODY: &str = r#"
[stack]
name = "held"
region = "us-east-1"
[resource.vpc.main]
cidr_block = "10.0.0.0/16"
[resource.subnet.main]
vpc_id = "${vpc.main.id}"
cidr_block = "10.0.0.0/24"
[resource.security_group.main]
name = "held"
description = "held"
vpc_id = "${vpc.main.id}"
timeouts = { delete = "2s" }
[resource.s3_bucket.main]
bucket = "held-${stack.account_id}"
[resource.ecr_repository.main]
name = "held"
[resource.backup_vault.main]
name = "held"
force_delete = false
[resource.cloudwatch_log_group.main]
name = "/held"
"#;

#[tokio::test]
async fn what_aws_does_not_let_go_stays_and_is_said() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    project.write(STACK, BODY);
    project.expect(0, &["apply", "-y", STACK]);
    let id = |address: &str| project.json(&["state", "show", address, "--json", STACK])["id"].as_str().unwrap().to_owned();
    let config = sdk::config(&emulator.endpoint, "test").await;

    // Somebody else's objects and images.
    let s3 = aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build());
    let bucket = id("s3_bucket.main");
    s3.put_object().bucket(&bucket).key("k").body(ByteStream::from_static(b"b")).send().await.unwrap();
    let ecr = aws_sdk_ecr::Client::new(&config);
    let manifest = r#"{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":2,"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"layers":[]}"#;
    ecr.put_image().repository_name("held").image_tag("latest").image_manifest(manifest).send().await.unwrap();
    let backup = aws_sdk_backup::Client::new(&config);
    let job = backup.start_backup_job().backup_vault_name("held").iam_role_arn("arn:aws:iam::000000000000:role/r");
    job.resource_arn("arn:aws:elasticfilesystem:us-east-1:000000000000:file-system/fs-1").send().await.unwrap();
    // fakecloud deletes a group that an interface has; AWS answers DependencyViolation (EC2 API Reference, DeleteSecurityGroup).
    let proxy = Proxy::start(&emulator.endpoint, |call| {
        (call.operation == "DeleteSecurityGroup").then(|| Fault::refuse(400, "DependencyViolation"))
    });

    let mut command = project.command(&["destroy", "-y", STACK]);
    let destroy = ran(command.env("AWS_ENDPOINT_URL", &proxy.endpoint).output().unwrap());
    assert_eq!(destroy.code, 1, "{}", destroy.stderr);
    let why = ["BucketNotEmpty", "RepositoryNotEmptyException", "1 recovery point is in the vault held", "DependencyViolation"];
    for said in why.into_iter().chain(["empty_on_delete = true", "force_delete = true"]) {
        assert!(destroy.stderr.contains(said), "{said}: {}", destroy.stderr);
    }
    let left = project.json(&["state", "list", "--json", STACK]);
    let mut left: Vec<&str> = left.as_array().unwrap().iter().map(|entry| entry["address"].as_str().unwrap()).collect();
    left.sort_unstable();
    // The VPC waits for what is in it.
    assert_eq!(left, ["backup_vault.main", "ecr_repository.main", "s3_bucket.main", "security_group.main", "vpc.main"]);

    s3.delete_object().bucket(&bucket).key("k").send().await.unwrap();
    let image = aws_sdk_ecr::types::ImageIdentifier::builder().image_tag("latest").build();
    ecr.batch_delete_image().repository_name("held").image_ids(image).send().await.unwrap();
    // What is in the vault goes with it, once that is asked for.
    project.write(STACK, &BODY.replace("force_delete = false", "force_delete = true"));
    project.expect(0, &["apply", "-y", "--target", "backup_vault.main", STACK]);
    project.expect(0, &["destroy", "-y", STACK]);
    assert_eq!(project.json(&["state", "list", "--json", STACK]), serde_json::json!([]));
}
