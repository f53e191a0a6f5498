//! The resource type `s3_bucket`.

use aws_sdk_s3::types as api;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use futures_util::future::{try_join_all, try_join3, try_join4};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::lifecycle::LifecycleRule;
use super::notification::{self, Notification};
use super::settings::{AccessLog, CorsRule, Encryption, PublicAccessBlock};
use super::{contents, unbuilt};
use crate::client::{Aws, send_once};
use crate::document::Policy;
use crate::error::{OrAbsent, OrFail};
use crate::partition;
use crate::permissions::{Grant, Permissions};
use crate::repeat::Changing;
use crate::resource::{Info, Resource, Retry, Tags};
use crate::tags::collect;
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome, Wanted};
use leoctl_core::model::place::Scope;

/// A bucket of objects.
///
/// Import by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct S3Bucket {
    /// The name, unique in the world.
    #[schemars(extend("x-replace" = true, "pattern" = "^[a-z0-9][a-z0-9.-]+[a-z0-9]$", "x-form" = "at least 3 lower-case letters, digits, dots and hyphens, a letter or digit first and last"), length(max = 63))]
    bucket: String,
    /// How new objects are encrypted.
    #[schemars(extend("default" = {}))]
    encryption: Encryption,
    /// What is kept from being public; everything when left out.
    #[schemars(extend("default" = {}))]
    public_access_block: PublicAccessBlock,
    /// Whether overwritten and deleted objects are kept as older versions. Once on, it can only be suspended.
    #[schemars(extend("default" = "Suspended", "enum" = ["Enabled", "Suspended"]))]
    versioning: String,
    /// What happens to objects as they age.
    #[schemars(extend("default" = [], "x-key" = "id"))]
    lifecycle_rules: Vec<LifecycleRule>,
    /// Who may do what.
    policy: Option<Policy>,
    /// Whether requests without TLS are refused, by a statement added to the policy.
    #[schemars(extend("default" = false))]
    tls_only: bool,
    /// What browsers on other origins may do.
    #[schemars(extend("default" = []))]
    cors_rules: Vec<CorsRule>,
    /// Who owns objects that others put there, and whether ACLs mean anything: with `BucketOwnerEnforced` they do not.
    #[schemars(extend("default" = "BucketOwnerEnforced", "enum" = ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"]))]
    object_ownership: String,
    /// Where requests are logged.
    logging: Option<AccessLog>,
    /// Whom changes to objects are told.
    #[schemars(extend("default" = [], "x-key" = "id"))]
    notifications: Vec<Notification>,
    /// Whether EventBridge is told of every change to objects.
    #[schemars(extend("default" = false))]
    event_bridge_enabled: bool,
    /// Whether deleting the bucket deletes the objects in it; without, deleting one that has objects fails.
    #[schemars(extend("default" = false, "x-local" = true))]
    #[serde(default)]
    empty_on_delete: bool,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The ARN.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
    /// The domain name, without region.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    domain_name: String,
    /// The domain name with region.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    regional_domain_name: String,
}

/// The name of the statement that refuses requests without TLS.
const TLS_ONLY: &str = "LeoctlTlsOnly";

fn tls_statement(region: &str, bucket: &str) -> Json {
    let arn = format!("arn:{}:s3:::{bucket}", partition(region));
    json!({
        "Sid": TLS_ONLY,
        "Effect": "Deny",
        "Principal": { "AWS": "*" },
        "Action": "s3:*",
        "Resource": [arn, format!("{arn}/*")],
        "Condition": { "Bool": { "aws:SecureTransport": "false" } }
    })
}

/// A policy as AWS has it, taken apart: what the user wrote, and whether the TLS statement is in it.
fn split(policy: Option<Policy>) -> (Option<Policy>, bool) {
    let Some(Policy(mut document)) = policy else { return (None, false) };
    let mut tls_only = false;
    let mut left = 1;
    if let Some(statements) = document.get_mut("Statement").and_then(Json::as_array_mut) {
        let all = statements.len();
        statements.retain(|statement| statement.get("Sid").and_then(Json::as_str) != Some(TLS_ONLY));
        tls_only = statements.len() < all;
        left = statements.len();
    }
    ((left > 0).then_some(Policy(document)), tls_only)
}

impl S3Bucket {
    /// The policy as AWS is to have it; none when there is nothing to say.
    fn full_policy(&self, region: &str) -> Option<Json> {
        let own = self.policy.clone().map(|policy| policy.0);
        if !self.tls_only {
            return own;
        }
        let statement = tls_statement(region, &self.bucket);
        let mut document = own.unwrap_or_else(|| json!({ "Version": "2012-10-17", "Statement": [] }));
        match document.get_mut("Statement") {
            Some(Json::Array(statements)) => statements.push(statement),
            Some(single) => *single = json!([single.take(), statement]),
            None => {
                if let Some(document) = document.as_object_mut() {
                    document.insert("Statement".to_owned(), json!([statement]));
                }
            }
        }
        Some(document)
    }

    async fn read_one(aws: &Aws, bucket: &str) -> Outcome<Option<Self>> {
        let s3 = aws.s3();
        let settings = try_join4(
            async { s3.get_bucket_encryption().bucket(bucket).send().await.or_fail("s3:GetEncryptionConfiguration").or_absent() },
            async { s3.get_public_access_block().bucket(bucket).send().await.or_fail("s3:GetBucketPublicAccessBlock").or_absent() },
            async { s3.get_bucket_versioning().bucket(bucket).send().await.or_fail("s3:GetBucketVersioning").or_absent() },
            async {
                s3.get_bucket_lifecycle_configuration().bucket(bucket).send().await.or_fail("s3:GetLifecycleConfiguration").or_absent()
            },
        );
        let access = try_join3(
            async { s3.get_bucket_policy().bucket(bucket).send().await.or_fail("s3:GetBucketPolicy").or_absent() },
            async { s3.get_bucket_cors().bucket(bucket).send().await.or_fail("s3:GetBucketCORS").or_absent() },
            async { s3.get_bucket_tagging().bucket(bucket).send().await.or_fail("s3:GetBucketTagging").or_absent() },
        );
        let around = try_join3(
            async { s3.get_bucket_ownership_controls().bucket(bucket).send().await.or_fail("s3:GetBucketOwnershipControls").or_absent() },
            async { s3.get_bucket_logging().bucket(bucket).send().await.or_fail("s3:GetBucketLogging").or_absent() },
            async {
                let call = s3.get_bucket_notification_configuration().bucket(bucket);
                call.send().await.or_fail("s3:GetBucketNotification").or_absent()
            },
        );
        let ((encryption, public, versioning, lifecycle), (policy, cors, tags), (ownership, logging, told)) =
            try_join3(settings, access, around).await?;
        // Every bucket has a versioning status; only one that does not exist has none (S3 API Reference, GetBucketVersioning).
        let Some(versioning) = versioning else { return Ok(None) };
        let policy = policy.and_then(|found| found.policy).filter(|text| !text.is_empty()).map(|text| Policy::parse(&text)).transpose()?;
        let (policy, tls_only) = split(policy);
        let encryption = encryption.as_ref().and_then(|found| found.server_side_encryption_configuration()).and_then(Encryption::from_api);
        let versioning = versioning.status;
        let owner = ownership.as_ref().and_then(|found| found.ownership_controls()).and_then(|controls| controls.rules().first());
        let tags = tags.map(|found| found.tag_set).unwrap_or_default();
        Ok(Some(Self {
            bucket: bucket.to_owned(),
            encryption: encryption.unwrap_or_else(Encryption::aws_default),
            public_access_block: PublicAccessBlock::from_api(public.as_ref().and_then(|found| found.public_access_block_configuration())),
            versioning: versioning.map_or("Suspended".to_owned(), |status| status.as_str().to_owned()),
            lifecycle_rules: lifecycle.iter().flat_map(|found| found.rules()).map(LifecycleRule::from_api).collect(),
            policy,
            tls_only,
            cors_rules: cors.iter().flat_map(|found| found.cors_rules()).map(CorsRule::from_api).collect(),
            // Buckets from before April 2023 may have none, which is this (S3 User Guide, "Controlling ownership of objects").
            object_ownership: owner.map_or("ObjectWriter", |rule| rule.object_ownership().as_str()).to_owned(),
            logging: logging.as_ref().and_then(|found| found.logging_enabled()).map(AccessLog::from_api),
            notifications: told.as_ref().map(notification::from_api).unwrap_or_default(),
            event_bridge_enabled: told.is_some_and(|found| found.event_bridge_configuration().is_some()),
            empty_on_delete: false,
            tags: collect(tags.iter().map(|tag| (tag.key(), tag.value()))),
            arn: format!("arn:{}:s3:::{bucket}", partition(&aws.region)),
            domain_name: format!("{bucket}.s3.amazonaws.com"),
            regional_domain_name: format!("{bucket}.s3.{}.amazonaws.com", aws.region),
        }))
    }
}

/// The region of a bucket that another region was asked for: that is answered with a redirection, whoever it belongs to
/// (S3 API Reference, HeadBucket).
fn redirected_to(response: &HttpResponse) -> Option<String> {
    let region = || response.headers().get("x-amz-bucket-region").unwrap_or("another region").to_owned();
    (response.status().as_u16() == 301).then(region)
}

/// Why a bucket that is there cannot be looked at; another account's is forbidden.
fn out_of_sight(bucket: &str, failure: Failure, elsewhere: Option<String>) -> Failure {
    let place = match elsewhere {
        Some(region) => format!("in {region}"),
        None if failure.kind == FailureKind::Denied => "in another account, or closed to these credentials".to_owned(),
        None => return failure,
    };
    let message = format!("the bucket {bucket} exists already, {place}: bucket names are unique in the world");
    Failure { kind: FailureKind::AlreadyExists, message, ..failure }
}

fn tag_set(tags: &Tags) -> Outcome<Vec<api::Tag>> {
    tags.iter().map(|(key, value)| api::Tag::builder().key(key).value(value).build().map_err(unbuilt)).collect()
}

impl Resource for S3Bucket {
    const TYPE: &'static str = "s3_bucket";
    // Changes to one bucket at the same time, and a name that is not free again yet.
    const INFO: Info = Info {
        propagating: &[
            // A principal made a moment ago.
            Retry::after("MalformedPolicy", &["s3:PutBucketPolicy"]),
            // The policy of a topic, queue or function that was just put.
            Retry::after("InvalidArgument", &["s3:PutBucketNotification"]),
        ],
        unique: &[&["bucket"]],
        scope: Scope::GlobalName,
        data_loss: Some("the objects in it"),
        transient: &[Retry::always("OperationAborted")],
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:s3:::{bucket}",
        plan: &[Grant::itself(&[
            "s3:GetBucketCORS",
            "s3:GetBucketLogging",
            "s3:GetBucketNotification",
            "s3:GetBucketOwnershipControls",
            "s3:GetBucketPolicy",
            "s3:GetBucketPublicAccessBlock",
            "s3:GetBucketTagging",
            "s3:GetBucketVersioning",
            "s3:GetEncryptionConfiguration",
            "s3:GetLifecycleConfiguration",
            "s3:ListBucket",
            "s3:ListBucketVersions",
        ])],
        apply: &[
            Grant::itself(&[
                "s3:CreateBucket",
                "s3:DeleteBucket",
                "s3:DeleteBucketPolicy",
                "s3:PutBucketCORS",
                "s3:PutBucketLogging",
                "s3:PutBucketNotification",
                "s3:PutBucketOwnershipControls",
                "s3:PutBucketPolicy",
                "s3:PutBucketPublicAccessBlock",
                "s3:PutBucketTagging",
                "s3:PutBucketVersioning",
                "s3:PutEncryptionConfiguration",
                "s3:PutLifecycleConfiguration",
                "s3:TagResource",
            ]),
            Grant::on(&["s3:DeleteObject", "s3:DeleteObjectVersion"], &["arn:{partition}:s3:::{bucket}/*"]).when("empty_on_delete"),
        ],
    };

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let read = try_join_all(ids.iter().map(async |name| Ok(Self::read_one(aws, name).await?.map(|read| (name.clone(), read))))).await?;
        Ok(read.into_iter().flatten().collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let Some(bucket) = wanted.text("bucket") else { return Ok(None) };
        let sent = aws.s3().head_bucket().bucket(bucket).send().await;
        let elsewhere = sent.as_ref().err().and_then(|error| redirected_to(error.raw_response()?));
        let head = sent.or_fail("s3:ListBucket").or_absent().map_err(|failure| out_of_sight(bucket, failure, elsewhere))?;
        Ok(wanted.pick(head.map(|_| bucket.to_owned())))
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        // In us-east-1 creating a bucket one has already succeeds (S3 API Reference, CreateBucket).
        if aws.s3().head_bucket().bucket(&to.bucket).send().await.or_fail("s3:ListBucket").or_absent()?.is_some() {
            return Err(Failure::exists("s3:CreateBucket", &format!("the bucket {}", to.bucket)));
        }
        // us-east-1 is what no constraint means, and may not be written (S3 API Reference, CreateBucket).
        let constraint = (aws.region != "us-east-1").then(|| api::BucketLocationConstraint::from(aws.region.as_str()));
        let configuration = api::CreateBucketConfiguration::builder().set_location_constraint(constraint);
        let configuration = configuration.set_tags(Some(tag_set(&to.tags)?)).build();
        let call = aws.s3().create_bucket().bucket(&to.bucket).create_bucket_configuration(configuration);
        let call = call.object_ownership(api::ObjectOwnership::from(to.object_ownership.as_str()));
        send_once!(aws_sdk_s3, call).await.sent_once("s3:CreateBucket")?;
        Ok(to.bucket.clone())
    }

    fn as_created(to: &Self) -> Self {
        Self {
            encryption: Encryption::aws_default(),
            // AWS blocks public access of new buckets, but says so only once it is put.
            public_access_block: PublicAccessBlock::open(),
            versioning: "Suspended".to_owned(),
            lifecycle_rules: Vec::new(),
            policy: None,
            tls_only: false,
            cors_rules: Vec::new(),
            logging: None,
            notifications: Vec::new(),
            event_bridge_enabled: false,
            ..to.clone()
        }
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self {
            encryption,
            public_access_block,
            versioning,
            lifecycle_rules,
            policy,
            tls_only,
            cors_rules,
            object_ownership,
            logging,
            notifications,
            event_bridge_enabled,
            tags,
            // Heeded when deleting.
            empty_on_delete: _,
            bucket: _,
            arn: _,
            domain_name: _,
            regional_domain_name: _,
        } = to;
        let s3 = aws.s3();
        if *tags != from.tags {
            let tagging = api::Tagging::builder().set_tag_set(Some(tag_set(tags)?)).build().map_err(unbuilt)?;
            s3.put_bucket_tagging().bucket(id).tagging(tagging).send().await.idempotent("s3:PutBucketTagging")?;
        }
        if *public_access_block != from.public_access_block {
            let call = s3.put_public_access_block().bucket(id).public_access_block_configuration(public_access_block.to_api());
            call.send().await.idempotent("s3:PutBucketPublicAccessBlock")?;
        }
        if *encryption != from.encryption {
            let call = s3.put_bucket_encryption().bucket(id).server_side_encryption_configuration(encryption.to_api()?);
            call.send().await.idempotent("s3:PutEncryptionConfiguration")?;
        }
        if *versioning != from.versioning {
            let configuration = api::VersioningConfiguration::builder().status(api::BucketVersioningStatus::from(versioning.as_str()));
            let call = s3.put_bucket_versioning().bucket(id).versioning_configuration(configuration.build());
            call.send().await.idempotent("s3:PutBucketVersioning")?;
        }
        if *lifecycle_rules != from.lifecycle_rules {
            if lifecycle_rules.is_empty() {
                s3.delete_bucket_lifecycle().bucket(id).send().await.idempotent("s3:PutLifecycleConfiguration")?;
            } else {
                let rules = lifecycle_rules.iter().map(LifecycleRule::to_api).collect::<Outcome<Vec<_>>>()?;
                let configuration = api::BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build().map_err(unbuilt)?;
                let call = s3.put_bucket_lifecycle_configuration().bucket(id).lifecycle_configuration(configuration);
                call.send().await.idempotent("s3:PutLifecycleConfiguration")?;
            }
        }
        if *cors_rules != from.cors_rules {
            if cors_rules.is_empty() {
                s3.delete_bucket_cors().bucket(id).send().await.idempotent("s3:PutBucketCORS")?;
            } else {
                let rules = cors_rules.iter().map(CorsRule::to_api).collect::<Outcome<Vec<_>>>()?;
                let configuration = api::CorsConfiguration::builder().set_cors_rules(Some(rules)).build().map_err(unbuilt)?;
                s3.put_bucket_cors().bucket(id).cors_configuration(configuration).send().await.idempotent("s3:PutBucketCORS")?;
            }
        }
        if *object_ownership != from.object_ownership {
            let ownership = api::ObjectOwnership::from(object_ownership.as_str());
            let rule = api::OwnershipControlsRule::builder().object_ownership(ownership).build().map_err(unbuilt)?;
            let controls = api::OwnershipControls::builder().rules(rule).build().map_err(unbuilt)?;
            let call = s3.put_bucket_ownership_controls().bucket(id).ownership_controls(controls);
            call.send().await.idempotent("s3:PutBucketOwnershipControls")?;
        }
        if *logging != from.logging {
            let call = s3.put_bucket_logging().bucket(id).bucket_logging_status(AccessLog::to_api(logging.as_ref())?);
            call.send().await.idempotent("s3:PutBucketLogging")?;
        }
        if *notifications != from.notifications || *event_bridge_enabled != from.event_bridge_enabled {
            let configuration = notification::to_api(notifications, *event_bridge_enabled)?;
            let call = s3.put_bucket_notification_configuration().bucket(id).notification_configuration(configuration);
            call.send().await.idempotent("s3:PutBucketNotification")?;
        }
        // Last, because it may take away from leoctl what the calls above need.
        if *policy != from.policy || *tls_only != from.tls_only {
            match to.full_policy(&aws.region) {
                Some(document) => {
                    s3.put_bucket_policy().bucket(id).policy(document.to_string()).send().await.idempotent("s3:PutBucketPolicy")?;
                }
                None => {
                    s3.delete_bucket_policy().bucket(id).send().await.idempotent("s3:DeleteBucketPolicy")?;
                }
            }
        }
        Ok(())
    }

    async fn delete(aws: &Aws, operation: &Operation, id: &str, last: Option<&Self>) -> Outcome<()> {
        if last.is_some_and(|last| last.empty_on_delete) {
            contents::delete(aws, operation, id).await?;
        }
        aws.s3().delete_bucket().bucket(id).send().await.or_gone("s3:DeleteBucket").map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tls_statement_goes_in_and_comes_out() {
        let own = Policy(json!({ "Version": "2012-10-17", "Statement": [{ "Sid": "Own", "Effect": "Allow" }] }));
        let mut with = own.0.clone();
        with["Statement"].as_array_mut().unwrap().push(tls_statement("us-east-1", "b"));
        assert_eq!(split(Some(Policy(with))), (Some(own.clone()), true));
        assert_eq!(split(Some(own.clone())), (Some(own), false));
        let alone = json!({ "Version": "2012-10-17", "Statement": [tls_statement("us-east-1", "b")] });
        assert_eq!(split(Some(Policy(alone))), (None, true));
    }
}
