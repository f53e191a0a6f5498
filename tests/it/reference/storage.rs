//! Images, generated apps, logs and secrets.

use aws_sdk_ecr::types::Repository;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ExpirationStatus, ServerSideEncryption};
use serde_json::{Value, json};

use super::roles::policy;
use crate::support::live::{Live, sorted};

pub const BUCKET: &str = "leo-saas-generated-apps-123456789012";
const REPOSITORIES: [&str; 2] = ["leo", "leo-saas-app"];
const SECRETS: [&str; 7] = [
    "claude-oauth-token",
    "database-url",
    "fly-api-token",
    "github-bot-token",
    "supabase-anon-key",
    "supabase-service-role-key",
    "supabase-url",
];

pub async fn holds(live: &Live) {
    repositories_hold(live).await;
    logs_hold(live).await;
    secrets_hold(live).await;
    bucket_is_private(live).await;
    bucket_is_encrypted(live).await;
    bucket_forgets_after_a_month(live).await;
    bucket_refuses_plain_http(live).await;
}

async fn repositories_hold(live: &Live) {
    let found = repositories(live).await;
    assert_eq!(sorted(found.iter().map(|repository| repository.repository_name().unwrap())), REPOSITORIES);
}

async fn repositories(live: &Live) -> Vec<Repository> {
    live.ecr.describe_repositories().send().await.unwrap().repositories().to_vec()
}

/// Where a repository's images are pushed to and pulled from, as ECR says.
///
/// The registry's own name cannot be shown: fakecloud serves images itself and answers `127.0.0.1:PORT/leo`, where
/// Amazon's user guide has `123456789012.dkr.ecr.us-east-1.amazonaws.com/leo`.
pub async fn repository_uri(live: &Live, name: &str) -> String {
    let found = repositories(live).await;
    found.iter().find(|repository| repository.repository_name() == Some(name)).unwrap().repository_uri().unwrap().to_owned()
}

async fn logs_hold(live: &Live) {
    let found = live.logs.describe_log_groups().send().await.unwrap();
    let kept = sorted(found.log_groups().iter().map(|group| (group.log_group_name().unwrap(), group.retention_in_days())));
    assert_eq!(kept, [("/ecs/leo", Some(7)), ("/ecs/leo-saas-app", Some(7))]);
}

/// The secrets are there to be filled: what is in them is never the stack's.
async fn secrets_hold(live: &Live) {
    let found = live.secrets.list_secrets().send().await.unwrap();
    let names = sorted(found.secret_list().iter().map(|secret| secret.name().unwrap()));
    assert_eq!(names, SECRETS.map(|name| format!("leo-saas/{name}")));
    for name in names {
        let answer = live.secrets.get_secret_value().secret_id(name).send().await;
        assert!(answer.unwrap_err().into_service_error().is_resource_not_found_exception(), "{name} has a value");
    }
}

async fn bucket_is_private(live: &Live) {
    let found = live.s3.get_public_access_block().bucket(BUCKET).send().await.unwrap();
    let block = found.public_access_block_configuration().unwrap();
    assert_eq!((block.block_public_acls(), block.block_public_policy()), (Some(true), Some(true)));
    assert_eq!((block.ignore_public_acls(), block.restrict_public_buckets()), (Some(true), Some(true)));
}

/// What is written without a word about encryption is encrypted with the bucket's own: AES256.
///
/// That is how it can be read here: GetBucketEncryption answers ServerSideEncryptionConfigurationNotFoundError on
/// fakecloud for a bucket that was left as AWS makes it, where Amazon's reference says "By default, all buckets have a
/// default encryption configuration that uses server-side encryption with Amazon S3 managed keys (SSE-S3)".
async fn bucket_is_encrypted(live: &Live) {
    live.s3.put_object().bucket(BUCKET).key("app.zip").body(ByteStream::from_static(b"app")).send().await.unwrap();
    let found = live.s3.head_object().bucket(BUCKET).key("app.zip").send().await.unwrap();
    assert_eq!(found.server_side_encryption(), Some(&ServerSideEncryption::Aes256));
    assert_eq!(found.ssekms_key_id(), None);
}

async fn bucket_forgets_after_a_month(live: &Live) {
    let found = live.s3.get_bucket_lifecycle_configuration().bucket(BUCKET).send().await.unwrap();
    let [rule] = found.rules() else { panic!("not one rule: {found:?}") };
    assert_eq!(rule.id(), Some("DeleteAfter30Days"));
    assert_eq!(rule.status(), &ExpirationStatus::Enabled);
    assert_eq!(rule.expiration().unwrap().days(), Some(30));
    assert_eq!(rule.filter().and_then(|filter| filter.prefix()).unwrap_or_default(), "", "a part of the bucket only");
    assert!(rule.transitions().is_empty(), "{rule:?}");
}

async fn bucket_refuses_plain_http(live: &Live) {
    let found = live.s3.get_bucket_policy().bucket(BUCKET).send().await.unwrap();
    let mut document = policy(found.policy().unwrap());
    // A label, by which leoctl knows the statement again.
    document["Statement"][0].as_object_mut().unwrap().remove("Sid");
    let arn = format!("arn:aws:s3:::{BUCKET}");
    let expected: Value = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Deny",
            "Principal": { "AWS": "*" },
            "Action": ["s3:*"],
            "Resource": [arn, format!("{arn}/*")],
            "Condition": { "Bool": { "aws:SecureTransport": "false" } },
        }],
    });
    assert_eq!(document, expected);
}

/// Pushes an image to both repositories.
pub async fn push_images(live: &Live) {
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "size": 2,
            "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        },
        "layers": [],
    });
    for name in REPOSITORIES {
        let request = live.ecr.put_image().repository_name(name).image_tag("latest");
        request.image_manifest(manifest.to_string()).send().await.unwrap();
    }
}

/// Secrets wait out their recovery window, unlisted.
pub async fn is_gone(live: &Live) {
    assert_eq!(repositories(live).await, []);
    assert_eq!(live.s3.list_buckets().send().await.unwrap().buckets(), []);
    assert_eq!(live.logs.describe_log_groups().send().await.unwrap().log_groups(), []);
    assert_eq!(live.secrets.list_secrets().send().await.unwrap().secret_list(), []);
}
