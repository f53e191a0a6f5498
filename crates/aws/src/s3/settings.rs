//! The smaller settings of a bucket: encryption, public access, CORS, access logs.

use aws_sdk_s3::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::unbuilt;
use crate::client::Aws;
use crate::error::{OrAbsent, OrFail};
use crate::repeat::Changing;
use leoctl_core::engine::ports::Outcome;

/// How new objects are encrypted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Encryption {
    /// The algorithm.
    #[schemars(extend("default" = "AES256", "enum" = ["AES256", "aws:kms", "aws:kms:dsse"]))]
    sse_algorithm: String,
    /// The KMS key, for `aws:kms`.
    kms_master_key_id: Option<String>,
    /// Whether one data key serves the bucket for a while, which saves KMS calls.
    #[schemars(extend("default" = false))]
    bucket_key_enabled: bool,
    /// How uploads may not be encrypted: `SSE-C`, with keys that come with each upload, or `NONE` for no limit.
    #[schemars(extend("x-server" = true, "x-set" = true, "items" = { "type": "string", "enum": ["NONE", "SSE-C"] }))]
    #[serde(default)]
    blocked_encryption_types: Option<Vec<String>>,
}

impl Encryption {
    /// The configuration for a call, with what an earlier one says beyond this.
    fn to_api(&self, before: Option<&api::ServerSideEncryptionConfiguration>) -> Outcome<api::ServerSideEncryptionConfiguration> {
        let default = api::ServerSideEncryptionByDefault::builder()
            .sse_algorithm(api::ServerSideEncryption::from(self.sse_algorithm.as_str()))
            .set_kms_master_key_id(self.kms_master_key_id.clone())
            .build()
            .map_err(unbuilt)?;
        let written = self.blocked_encryption_types.as_ref().map(|types| {
            let types = types.iter().map(|one| api::EncryptionType::from(one.as_str())).collect();
            api::BlockedEncryptionTypes::builder().set_encryption_type(Some(types)).build()
        });
        let blocked = written.or_else(|| before.and_then(|before| before.rules().first()?.blocked_encryption_types().cloned()));
        let rule = api::ServerSideEncryptionRule::builder()
            .apply_server_side_encryption_by_default(default)
            .bucket_key_enabled(self.bucket_key_enabled)
            .set_blocked_encryption_types(blocked)
            .build();
        api::ServerSideEncryptionConfiguration::builder().rules(rule).build().map_err(unbuilt)
    }

    /// Gives a bucket this encryption. The call replaces all of it: what is not said here stays as it is.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn put(&self, aws: &Aws, bucket: &str) -> Outcome<()> {
        let before = aws.s3().get_bucket_encryption().bucket(bucket).send().await.or_fail("s3:GetEncryptionConfiguration").or_absent()?;
        let configuration = self.to_api(before.as_ref().and_then(|found| found.server_side_encryption_configuration()))?;
        let call = aws.s3().put_bucket_encryption().bucket(bucket).server_side_encryption_configuration(configuration);
        call.send().await.idempotent("s3:PutEncryptionConfiguration").map(drop)
    }

    /// The configuration AWS returned.
    pub fn from_api(configuration: &api::ServerSideEncryptionConfiguration) -> Option<Self> {
        let rule = configuration.rules().first()?;
        let default = rule.apply_server_side_encryption_by_default()?;
        Some(Self {
            sse_algorithm: default.sse_algorithm().as_str().to_owned(),
            kms_master_key_id: default.kms_master_key_id().map(str::to_owned),
            bucket_key_enabled: rule.bucket_key_enabled().unwrap_or_default(),
            blocked_encryption_types: rule
                .blocked_encryption_types()
                .map(|blocked| blocked.encryption_type().iter().map(|one| one.as_str().to_owned()).collect()),
        })
    }

    /// What AWS does since 2023 with buckets that say nothing (S3 User Guide, "Setting default encryption").
    pub fn aws_default() -> Self {
        Self { sse_algorithm: "AES256".to_owned(), kms_master_key_id: None, bucket_key_enabled: false, blocked_encryption_types: None }
    }
}

/// What is kept from being public.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublicAccessBlock {
    /// Whether public ACLs are refused.
    #[schemars(extend("default" = true))]
    block_public_acls: bool,
    /// Whether public policies are refused.
    #[schemars(extend("default" = true))]
    block_public_policy: bool,
    /// Whether public ACLs have no effect.
    #[schemars(extend("default" = true))]
    ignore_public_acls: bool,
    /// Whether a public policy lets only AWS services and the account itself in.
    #[schemars(extend("default" = true))]
    restrict_public_buckets: bool,
}

impl PublicAccessBlock {
    /// Whether all of it is on: then the public gets nothing.
    pub fn is_closed(&self) -> bool {
        self.block_public_acls && self.block_public_policy && self.ignore_public_acls && self.restrict_public_buckets
    }

    /// The configuration for a call.
    pub fn to_api(&self) -> api::PublicAccessBlockConfiguration {
        api::PublicAccessBlockConfiguration::builder()
            .block_public_acls(self.block_public_acls)
            .block_public_policy(self.block_public_policy)
            .ignore_public_acls(self.ignore_public_acls)
            .restrict_public_buckets(self.restrict_public_buckets)
            .build()
    }

    /// The configuration AWS returned; nothing is blocked without one.
    pub fn from_api(configuration: Option<&api::PublicAccessBlockConfiguration>) -> Self {
        let on = |field: fn(&api::PublicAccessBlockConfiguration) -> Option<bool>| configuration.and_then(field).unwrap_or_default();
        Self {
            block_public_acls: on(api::PublicAccessBlockConfiguration::block_public_acls),
            block_public_policy: on(api::PublicAccessBlockConfiguration::block_public_policy),
            ignore_public_acls: on(api::PublicAccessBlockConfiguration::ignore_public_acls),
            restrict_public_buckets: on(api::PublicAccessBlockConfiguration::restrict_public_buckets),
        }
    }

    /// What differs from this in everything.
    pub fn opposite(&self) -> Self {
        Self {
            block_public_acls: !self.block_public_acls,
            block_public_policy: !self.block_public_policy,
            ignore_public_acls: !self.ignore_public_acls,
            restrict_public_buckets: !self.restrict_public_buckets,
        }
    }

    /// Whether public policies are refused.
    pub fn blocks_public_policy(&self) -> bool {
        self.block_public_policy
    }
}

/// Where requests to a bucket are logged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessLog {
    /// The bucket that gets the logs, in the same region.
    target_bucket: String,
    /// What their keys begin with.
    #[schemars(extend("default" = ""))]
    target_prefix: String,
    /// How their keys go on; with the time and a random text alone when left out.
    target_object_key_format: Option<KeyFormat>,
}

/// How the keys of logs go on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyFormat {
    /// By account, region, bucket and day.
    partitioned_prefix: PartitionedPrefix,
}

/// Keys by account, region, bucket and day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartitionedPrefix {
    /// Which day that is: that of the request, or that on which the log is delivered.
    #[schemars(extend("default" = "EventTime", "enum" = ["EventTime", "DeliveryTime"]))]
    partition_date_source: String,
}

impl KeyFormat {
    fn to_api(&self) -> api::TargetObjectKeyFormat {
        let source = api::PartitionDateSource::from(self.partitioned_prefix.partition_date_source.as_str());
        let partitioned = api::PartitionedPrefix::builder().partition_date_source(source).build();
        api::TargetObjectKeyFormat::builder().partitioned_prefix(partitioned).build()
    }

    /// The format AWS returned; none for the simple one.
    fn from_api(format: &api::TargetObjectKeyFormat) -> Option<Self> {
        let source = format.partitioned_prefix()?.partition_date_source();
        let partition_date_source = source.map_or("EventTime", api::PartitionDateSource::as_str).to_owned();
        Some(Self { partitioned_prefix: PartitionedPrefix { partition_date_source } })
    }
}

impl AccessLog {
    /// The status for a call; none turns logging off. The grants of an earlier one stay.
    fn to_api(this: Option<&Self>, before: Option<&api::LoggingEnabled>) -> Outcome<api::BucketLoggingStatus> {
        let enabled = this.map(|log| {
            let enabled = api::LoggingEnabled::builder().target_bucket(&log.target_bucket).target_prefix(&log.target_prefix);
            let enabled = enabled.set_target_object_key_format(log.target_object_key_format.as_ref().map(KeyFormat::to_api));
            enabled.set_target_grants(before.and_then(|before| before.target_grants.clone())).build().map_err(unbuilt)
        });
        Ok(api::BucketLoggingStatus::builder().set_logging_enabled(enabled.transpose()?).build())
    }

    /// Has a bucket's requests logged so, or not at all. The call replaces all of it: what is not said here stays as it is.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn put(this: Option<&Self>, aws: &Aws, bucket: &str) -> Outcome<()> {
        let before = aws.s3().get_bucket_logging().bucket(bucket).send().await.or_fail("s3:GetBucketLogging").or_absent()?;
        let status = Self::to_api(this, before.as_ref().and_then(|found| found.logging_enabled()))?;
        aws.s3().put_bucket_logging().bucket(bucket).bucket_logging_status(status).send().await.idempotent("s3:PutBucketLogging").map(drop)
    }

    /// The log AWS returned.
    pub fn from_api(enabled: &api::LoggingEnabled) -> Self {
        Self {
            target_bucket: enabled.target_bucket().to_owned(),
            target_prefix: enabled.target_prefix().to_owned(),
            target_object_key_format: enabled.target_object_key_format().and_then(KeyFormat::from_api),
        }
    }
}

/// What browsers on other origins may do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CorsRule {
    /// The rule's name.
    id: Option<String>,
    /// The methods.
    #[schemars(extend("x-set" = true))]
    allowed_methods: Vec<String>,
    /// The origins.
    #[schemars(extend("x-set" = true))]
    allowed_origins: Vec<String>,
    /// The request headers.
    #[schemars(extend("default" = [], "x-set" = true))]
    allowed_headers: Vec<String>,
    /// The response headers scripts may see.
    #[schemars(extend("default" = [], "x-set" = true))]
    expose_headers: Vec<String>,
    /// Seconds a browser remembers the answer.
    max_age_seconds: Option<i32>,
}

impl CorsRule {
    /// The rule for a call.
    ///
    /// # Errors
    /// When the SDK finds it incomplete.
    pub fn to_api(&self) -> Outcome<api::CorsRule> {
        let some = |list: &[String]| Some(list.to_vec()).filter(|list| !list.is_empty());
        api::CorsRule::builder()
            .set_id(self.id.clone())
            .set_allowed_methods(some(&self.allowed_methods))
            .set_allowed_origins(some(&self.allowed_origins))
            .set_allowed_headers(some(&self.allowed_headers))
            .set_expose_headers(some(&self.expose_headers))
            .set_max_age_seconds(self.max_age_seconds)
            .build()
            .map_err(unbuilt)
    }

    /// The rule AWS returned.
    pub fn from_api(rule: &api::CorsRule) -> Self {
        Self {
            id: rule.id().map(str::to_owned),
            allowed_methods: rule.allowed_methods().to_vec(),
            allowed_origins: rule.allowed_origins().to_vec(),
            allowed_headers: rule.allowed_headers().to_vec(),
            expose_headers: rule.expose_headers().to_vec(),
            max_age_seconds: rule.max_age_seconds(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_public_access_a_new_bucket_is_to_have_is_put() {
        for on in [true, false] {
            let wanted = PublicAccessBlock {
                block_public_acls: on,
                block_public_policy: false,
                ignore_public_acls: on,
                restrict_public_buckets: true,
            };
            assert_ne!(wanted.opposite(), wanted);
        }
    }

    #[test]
    fn what_is_not_said_of_encryption_and_logs_stays() {
        let blocked = api::BlockedEncryptionTypes::builder().encryption_type(api::EncryptionType::SseC).build();
        let rule = api::ServerSideEncryptionRule::builder().blocked_encryption_types(blocked.clone()).build();
        let before = api::ServerSideEncryptionConfiguration::builder().rules(rule).build().unwrap();
        let put = Encryption::aws_default().to_api(Some(&before)).unwrap();
        assert_eq!(put.rules().first().unwrap().blocked_encryption_types(), Some(&blocked));

        // Unless it is said.
        let said = Encryption { blocked_encryption_types: Some(vec!["NONE".to_owned()]), ..Encryption::aws_default() };
        let put = said.to_api(Some(&before)).unwrap();
        assert_eq!(Encryption::from_api(&put), Some(said));

        let owner = api::Grantee::builder().r#type(api::Type::CanonicalUser).id("1").build().unwrap();
        let grant = api::TargetGrant::builder().grantee(owner).permission(api::BucketLogsPermission::Read).build();
        let before = api::LoggingEnabled::builder().target_bucket("b").target_prefix("").target_grants(grant.clone()).build().unwrap();
        let partitioned = PartitionedPrefix { partition_date_source: "DeliveryTime".to_owned() };
        let log = AccessLog {
            target_bucket: "b".to_owned(),
            target_prefix: "new/".to_owned(),
            target_object_key_format: Some(KeyFormat { partitioned_prefix: partitioned }),
        };
        let put = AccessLog::to_api(Some(&log), Some(&before)).unwrap();
        let put = put.logging_enabled().unwrap();
        assert_eq!((put.target_grants(), AccessLog::from_api(put)), ([grant].as_slice(), log));
        let simple = api::TargetObjectKeyFormat::builder().simple_prefix(api::SimplePrefix::builder().build()).build();
        assert_eq!(KeyFormat::from_api(&simple), None);
        assert!(AccessLog::to_api(None, None).unwrap().logging_enabled().is_none());
    }
}
