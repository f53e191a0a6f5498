//! The resource type `s3_bucket`.

use std::time::Duration;

use aws_sdk_s3::types as api;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use futures_util::future::{try_join_all, try_join3, try_join4};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bucket_name;
use super::lifecycle::{self, LifecycleRule};
use super::notification::{self, Notification};
use super::settings::{AccessLog, CorsRule, Encryption, PublicAccessBlock};
use super::website::{self, Website};
use super::{ageing, contents, policy, tagging, unbuilt};
use crate::client::{Aws, send_once};
use crate::document::Policy;
use crate::error::{OrAbsent, OrFail};
use crate::patience::insisting;
use crate::permissions::{Grant, Permissions};
use crate::repeat::{Changing, says};
use crate::resource::{EVENTUALLY, Info, Resource, Retry, Tags};
use crate::tags::collect;
use crate::{domain, partition};
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::place::Scope;
use leoctl_core::model::value::Value;

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
    /// How it answers as a website, at `website_endpoint`; it is none when left out. It is for a bucket that is not closed: with
    /// all of `public_access_block` on, S3 serves nobody so, and is not asked for it.
    website: Option<Website>,
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
    /// The domain name at which it answers as a website.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    website_endpoint: String,
}

impl S3Bucket {
    async fn read_one(aws: &Aws, bucket: &str) -> Outcome<Option<Self>> {
        let s3 = aws.s3();
        let settings = try_join4(
            async { s3.get_bucket_encryption().bucket(bucket).send().await.or_fail("s3:GetEncryptionConfiguration").or_absent() },
            async {
                let found =
                    s3.get_public_access_block().bucket(bucket).send().await.or_fail("s3:GetBucketPublicAccessBlock").or_absent()?;
                let public = PublicAccessBlock::from_api(found.as_ref().and_then(|found| found.public_access_block_configuration()));
                // Most buckets are closed, and serve nobody as a website: they are not asked for one.
                let website = if public.is_closed() { None } else { Website::get(aws, bucket).await? };
                Ok((public, website))
            },
            async { s3.get_bucket_versioning().bucket(bucket).send().await.or_fail("s3:GetBucketVersioning").or_absent() },
            ageing::get(aws, bucket),
        );
        let access = try_join3(
            async { s3.get_bucket_policy().bucket(bucket).send().await.or_fail("s3:GetBucketPolicy").or_absent() },
            async { s3.get_bucket_cors().bucket(bucket).send().await.or_fail("s3:GetBucketCORS").or_absent() },
            tagging::get(aws, bucket),
        );
        let around = try_join3(
            async { s3.get_bucket_ownership_controls().bucket(bucket).send().await.or_fail("s3:GetBucketOwnershipControls").or_absent() },
            async { s3.get_bucket_logging().bucket(bucket).send().await.or_fail("s3:GetBucketLogging").or_absent() },
            async {
                let call = s3.get_bucket_notification_configuration().bucket(bucket);
                call.send().await.or_fail("s3:GetBucketNotification").or_absent()
            },
        );
        let ((encryption, (public_access_block, website), versioning, lifecycle), (policy, cors, tags), (ownership, logging, told)) =
            try_join3(settings, access, around).await?;
        // Every bucket has a versioning status; only one that does not exist has none (S3 API Reference, GetBucketVersioning).
        let Some(versioning) = versioning else { return Ok(None) };
        let policy = policy.and_then(|found| found.policy).filter(|text| !text.is_empty()).map(|text| Policy::parse(&text)).transpose()?;
        let (policy, tls_only) = policy::split(policy);
        let encryption = encryption.as_ref().and_then(|found| found.server_side_encryption_configuration()).and_then(Encryption::from_api);
        let versioning = versioning.status;
        let owner = ownership.as_ref().and_then(|found| found.ownership_controls()).and_then(|controls| controls.rules().first());
        Ok(Some(Self {
            bucket: bucket.to_owned(),
            encryption: encryption.unwrap_or_else(Encryption::aws_default),
            public_access_block,
            versioning: versioning.map_or("Suspended".to_owned(), |status| status.as_str().to_owned()),
            lifecycle_rules: ageing::rules(lifecycle.as_ref()),
            policy,
            tls_only,
            cors_rules: cors.iter().flat_map(|found| found.cors_rules()).map(CorsRule::from_api).collect(),
            // Buckets from before April 2023 may have none, which is this (S3 User Guide, "Controlling ownership of objects").
            object_ownership: owner.map_or("ObjectWriter", |rule| rule.object_ownership().as_str()).to_owned(),
            logging: logging.as_ref().and_then(|found| found.logging_enabled()).map(AccessLog::from_api),
            website,
            notifications: told.as_ref().map(notification::from_api).unwrap_or_default(),
            event_bridge_enabled: told.is_some_and(|found| found.event_bridge_configuration().is_some()),
            empty_on_delete: false,
            tags: collect(tags.iter().map(|tag| (tag.key(), tag.value()))),
            arn: format!("arn:{}:s3:::{bucket}", partition(&aws.region)),
            domain_name: format!("{bucket}.s3.{}", domain(&aws.region)),
            regional_domain_name: format!("{bucket}.s3.{}.{}", aws.region, domain(&aws.region)),
            website_endpoint: website::endpoint(bucket, &aws.region),
        }))
    }
}

/// The region of a bucket that another region was asked for: that is answered with a redirection or a refusal, also of
/// a bucket of another account (S3 API Reference, HeadBucket).
fn elsewhere(response: &HttpResponse, ours: &str) -> Option<String> {
    let region = response.headers().get("x-amz-bucket-region").filter(|region| *region != ours);
    match response.status().as_u16() {
        301 => Some(region.unwrap_or("another region").to_owned()),
        _ => region.map(str::to_owned),
    }
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

/// A bucket's name is kept for up to an hour after the bucket is deleted, and longer where it was in another region.
fn maybe_just_deleted(failure: Failure) -> Failure {
    if !says(&failure, &["OperationAborted"]) {
        return failure;
    }
    let message = format!("{} (if a bucket of this name was just deleted, S3 takes up to an hour to free it)", failure.message);
    Failure { message, ..failure }
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
        seen_within: EVENTUALLY,
        data_loss: Some("the objects in it"),
        emptied_by: Some("empty_on_delete"),
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
            "s3:GetBucketWebsite",
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
                "s3:DeleteBucketWebsite",
                "s3:PutBucketCORS",
                "s3:PutBucketLogging",
                "s3:PutBucketNotification",
                "s3:PutBucketOwnershipControls",
                "s3:PutBucketPolicy",
                "s3:PutBucketPublicAccessBlock",
                "s3:PutBucketTagging",
                "s3:PutBucketVersioning",
                "s3:PutBucketWebsite",
                "s3:PutEncryptionConfiguration",
                "s3:PutLifecycleConfiguration",
                "s3:TagResource",
                "s3:UntagResource",
            ]),
            Grant::on(&["s3:DeleteObject", "s3:DeleteObjectVersion"], &["arn:{partition}:s3:::{bucket}/*"]).when("empty_on_delete"),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let (rules, policy) = (lifecycle::check(desired.get("lifecycle_rules")), policy::check(desired.get("policy")));
        let name = desired.get("bucket").and_then(Value::as_str).and_then(bucket_name::problem);
        let name = name.map(|problem| (Path::attribute("bucket"), problem));
        rules
            .into_iter()
            .chain(policy)
            .chain(name)
            .chain(website::check(desired.get("website"), desired.get("public_access_block")))
            .collect()
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let read = try_join_all(ids.iter().map(async |name| Ok(Self::read_one(aws, name).await?.map(|read| (name.clone(), read))))).await?;
        Ok(read.into_iter().flatten().collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let Some(bucket) = wanted.text("bucket") else { return Ok(None) };
        let sent = aws.s3().head_bucket().bucket(bucket).send().await;
        let elsewhere = sent.as_ref().err().and_then(|error| elsewhere(error.raw_response()?, &aws.region));
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
        let configuration = configuration.set_tags(Some(tagging::to_api(&to.tags)?)).build();
        let call = aws.s3().create_bucket().bucket(&to.bucket).create_bucket_configuration(configuration);
        let call = call.object_ownership(api::ObjectOwnership::from(to.object_ownership.as_str()));
        send_once!(aws_sdk_s3, call).await.sent_once("s3:CreateBucket").map_err(maybe_just_deleted)?;
        Ok(to.bucket.clone())
    }

    fn as_created(to: &Self) -> Self {
        Self {
            encryption: Encryption::aws_default(),
            // AWS blocks all public access of new buckets: whatever is wanted is put.
            public_access_block: to.public_access_block.opposite(),
            versioning: "Suspended".to_owned(),
            lifecycle_rules: Vec::new(),
            policy: None,
            tls_only: false,
            cors_rules: Vec::new(),
            logging: None,
            website: None,
            notifications: Vec::new(),
            event_bridge_enabled: false,
            ..to.clone()
        }
    }

    async fn update(aws: &Aws, operation: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
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
            website,
            notifications,
            event_bridge_enabled,
            tags,
            // Heeded when deleting.
            empty_on_delete: _,
            bucket: _,
            arn: _,
            domain_name: _,
            regional_domain_name: _,
            website_endpoint: _,
        } = to;
        let s3 = aws.s3();
        if *tags != from.tags {
            tagging::put(aws, id, tags).await?;
        }
        if *public_access_block != from.public_access_block {
            let call = s3.put_public_access_block().bucket(id).public_access_block_configuration(public_access_block.to_api());
            call.send().await.idempotent("s3:PutBucketPublicAccessBlock")?;
        }
        if *encryption != from.encryption {
            encryption.put(aws, id).await?;
        }
        if *versioning != from.versioning {
            let configuration = api::VersioningConfiguration::builder().status(api::BucketVersioningStatus::from(versioning.as_str()));
            let call = s3.put_bucket_versioning().bucket(id).versioning_configuration(configuration.build());
            call.send().await.idempotent("s3:PutBucketVersioning")?;
        }
        if *lifecycle_rules != from.lifecycle_rules {
            ageing::put(aws, id, lifecycle_rules).await?;
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
            AccessLog::put(logging.as_ref(), aws, id).await?;
        }
        if *website != from.website {
            Website::put(website.as_ref(), aws, id).await?;
        }
        if *notifications != from.notifications || *event_bridge_enabled != from.event_bridge_enabled {
            let configuration = notification::to_api(notifications, *event_bridge_enabled)?;
            let call = s3.put_bucket_notification_configuration().bucket(id).notification_configuration(configuration);
            call.send().await.idempotent("s3:PutBucketNotification")?;
        }
        // Last, because it may take away from leoctl what the calls above need.
        if *policy != from.policy || *tls_only != from.tls_only {
            let Some(document) = policy::whole(policy.as_ref(), *tls_only, &aws.region, id) else {
                return s3.delete_bucket_policy().bucket(id).send().await.idempotent("s3:DeleteBucketPolicy").map(drop);
            };
            // A block that was lifted a moment ago still refuses a public policy here and there.
            let lifted = !public_access_block.blocks_public_policy() && from.public_access_block.blocks_public_policy();
            let passes = |failure: &Failure| lifted && failure.kind == FailureKind::Denied;
            insisting(operation, "waiting for the bucket's public access block to be lifted", passes, || async {
                s3.put_bucket_policy().bucket(id).policy(document.to_string()).send().await.idempotent("s3:PutBucketPolicy")
            })
            .await?;
        }
        Ok(())
    }

    async fn ready(aws: &Aws, operation: &Operation, id: &str, to: &Self) -> Outcome<()> {
        match to.lifecycle_rules.as_slice() {
            [] => Ok(()),
            rules => ageing::settled(aws, operation, id, rules).await,
        }
    }

    async fn changed(aws: &Aws, operation: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        match from.lifecycle_rules == to.lifecycle_rules {
            true => Ok(()),
            false => ageing::settled(aws, operation, id, &to.lifecycle_rules).await,
        }
    }

    async fn delete(aws: &Aws, operation: &Operation, id: &str, last: Option<&Self>) -> Outcome<()> {
        if !last.is_some_and(|last| last.empty_on_delete) {
            return aws.s3().delete_bucket().bucket(id).send().await.or_gone("s3:DeleteBucket").map(drop);
        }
        loop {
            contents::delete(aws, operation, id).await?;
            match aws.s3().delete_bucket().bucket(id).send().await.or_gone("s3:DeleteBucket") {
                // Somebody still writes to it, as a load balancer does its last access logs.
                Err(failure) if says(&failure, &["BucketNotEmpty"]) => {}
                deleted => return deleted.map(drop),
            }
            operation.pause(EMPTIED_AGAIN, "emptying the bucket, to which something is still written,").await?;
        }
    }
}

/// How long a bucket that is still written to is left alone before it is emptied again.
const EMPTIED_AGAIN: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;

    use super::*;
    use crate::patience::tests::operation;
    use crate::scripted::{Answer, Scripted};

    #[test]
    fn a_bucket_of_another_region_is_told_by_whatever_answer() {
        let answer = |status: u16, region: Option<&'static str>| {
            let mut response = HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::empty());
            region.map(|region| response.headers_mut().insert("x-amz-bucket-region", region));
            elsewhere(&response, "eu-west-1")
        };
        for status in [301, 400, 403] {
            assert_eq!(answer(status, Some("us-east-1")).as_deref(), Some("us-east-1"), "{status}");
        }
        assert_eq!(answer(403, Some("eu-west-1")), None);
        assert_eq!(answer(404, None), None);
        assert_eq!(answer(301, None).as_deref(), Some("another region"));
    }

    #[test]
    fn a_name_that_is_not_free_yet_is_said_to_be_one() {
        let failure = |code: &str| Failure { code: Some(code.to_owned()), ..Failure::new(FailureKind::Refused, "no") };
        assert!(maybe_just_deleted(failure("OperationAborted")).message.contains("just deleted"));
        assert_eq!(maybe_just_deleted(failure("InvalidBucketName")).message, "no");
    }

    #[tokio::test(start_paused = true)]
    async fn a_bucket_that_is_written_to_while_it_is_deleted_is_emptied_again() {
        let mut deletions = 0;
        let scripted = Scripted::new(move |call| match call.name.split_once(' ') {
            Some(("DELETE", _)) => {
                deletions += 1;
                if deletions == 1 { Answer::xml_error(409, "BucketNotEmpty") } else { Answer(204, Vec::new(), String::new()) }
            }
            _ => Answer::ok("<ListVersionsResult></ListVersionsResult>"),
        });
        let wanted = serde_json::json!({ "bucket": "b", "encryption": { "sse_algorithm": "AES256", "bucket_key_enabled": false },
            "public_access_block": { "block_public_acls": true, "block_public_policy": true, "ignore_public_acls": true, "restrict_public_buckets": true },
            "versioning": "Suspended", "lifecycle_rules": [], "tls_only": false, "cors_rules": [], "object_ownership": "ObjectWriter",
            "notifications": [], "event_bridge_enabled": false, "empty_on_delete": true, "tags": {} });
        let last: S3Bucket = serde_json::from_value(wanted).unwrap();
        S3Bucket::delete(&scripted.aws, &operation(0), "b", Some(&last)).await.unwrap();
        let methods: Vec<_> = scripted.names().iter().map(|name| name.split(' ').next().unwrap().to_owned()).collect();
        assert_eq!(methods, ["GET", "DELETE", "GET", "DELETE"]);
    }
}
