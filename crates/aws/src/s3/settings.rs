//! The smaller settings of a bucket: encryption, public access, CORS, access logs.

use aws_sdk_s3::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::unbuilt;
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
}

impl Encryption {
    /// The configuration for a call.
    ///
    /// # Errors
    /// When the SDK finds it incomplete.
    pub fn to_api(&self) -> Outcome<api::ServerSideEncryptionConfiguration> {
        let default = api::ServerSideEncryptionByDefault::builder()
            .sse_algorithm(api::ServerSideEncryption::from(self.sse_algorithm.as_str()))
            .set_kms_master_key_id(self.kms_master_key_id.clone())
            .build()
            .map_err(unbuilt)?;
        let rule = api::ServerSideEncryptionRule::builder()
            .apply_server_side_encryption_by_default(default)
            .bucket_key_enabled(self.bucket_key_enabled)
            .build();
        api::ServerSideEncryptionConfiguration::builder().rules(rule).build().map_err(unbuilt)
    }

    /// The configuration AWS returned.
    pub fn from_api(configuration: &api::ServerSideEncryptionConfiguration) -> Option<Self> {
        let rule = configuration.rules().first()?;
        let default = rule.apply_server_side_encryption_by_default()?;
        Some(Self {
            sse_algorithm: default.sse_algorithm().as_str().to_owned(),
            kms_master_key_id: default.kms_master_key_id().map(str::to_owned),
            bucket_key_enabled: rule.bucket_key_enabled().unwrap_or_default(),
        })
    }

    /// What AWS does since 2023 with buckets that say nothing (S3 User Guide, "Setting default encryption").
    pub fn aws_default() -> Self {
        Self { sse_algorithm: "AES256".to_owned(), kms_master_key_id: None, bucket_key_enabled: false }
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

    /// Nothing blocked.
    pub fn open() -> Self {
        Self::from_api(None)
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
}

impl AccessLog {
    /// The status for a call; none turns logging off.
    ///
    /// # Errors
    /// When the SDK finds it incomplete.
    pub fn to_api(this: Option<&Self>) -> Outcome<api::BucketLoggingStatus> {
        let enabled = this.map(|log| {
            let enabled = api::LoggingEnabled::builder().target_bucket(&log.target_bucket).target_prefix(&log.target_prefix);
            enabled.build().map_err(unbuilt)
        });
        Ok(api::BucketLoggingStatus::builder().set_logging_enabled(enabled.transpose()?).build())
    }

    /// The log AWS returned.
    pub fn from_api(enabled: &api::LoggingEnabled) -> Self {
        Self { target_bucket: enabled.target_bucket().to_owned(), target_prefix: enabled.target_prefix().to_owned() }
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
