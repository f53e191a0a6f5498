//! Objects of a bucket, written only where nobody else has written in between.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::ServerSideEncryption;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::{DateTime, Format};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::unanswered::no_answer;
use leoctl_core::engine::no_answer::NoAnswer;
use leoctl_core::engine::ports::StoreError;
use leoctl_core::model::base64::sha256;

/// How long the deletion of an old version may take.
const LONGEST_DROP: Duration = Duration::from_secs(3);

/// Attempts of one write that S3 says collides with another.
const ATTEMPTS: usize = 5;

/// The objects of a bucket.
#[derive(Clone, Debug)]
pub struct Objects {
    /// The client.
    pub client: Client,
    /// The bucket.
    pub bucket: String,
    /// The KMS key objects are encrypted with; the bucket's own encryption without.
    pub kms_key_id: Option<String>,
}

/// An object as it was read.
#[derive(Clone, Debug)]
pub struct Object {
    /// Its content.
    pub text: String,
    /// What tells this version of it from others.
    pub etag: String,
    /// The version's own id, where the bucket keeps old ones.
    pub version: Option<String>,
    /// How long ago it was written, by S3's own clock; unknown when S3 did not say the time.
    pub age: Option<Duration>,
}

/// A version of an object that was just written.
#[derive(Clone, Debug)]
pub struct Written {
    /// What tells it from others.
    pub etag: String,
    /// Its own id, where the bucket keeps old versions.
    pub version: Option<String>,
}

/// When a write takes place.
#[derive(Clone, Copy, Debug)]
pub enum When<'a> {
    /// There is no such object yet.
    Absent,
    /// The object is still this version.
    Unchanged(&'a str),
    /// Always.
    Any,
}

/// The most bytes of an object that is read: what somebody else put there does not take all memory.
const MAX_OBJECT: i64 = 256 << 20;

impl Objects {
    /// Reads an object; none when there is none.
    ///
    /// # Errors
    /// When S3 cannot be asked.
    pub async fn get(&self, key: &str) -> Result<Option<Object>, StoreError> {
        let clock = Clock::default();
        let call = self.client.get_object().bucket(&self.bucket).key(key);
        let found = match call.customize().interceptor(clock.clone()).send().await {
            Ok(found) => found,
            Err(error) if error.code() == Some("NoSuchKey") => return Ok(None),
            Err(error) => return Err(self.failed("read", key, &error)),
        };
        let (etag, version) = (found.e_tag().unwrap_or_default().to_owned(), found.version_id().map(str::to_owned));
        let written = found.last_modified().map(DateTime::secs);
        if let Some(length) = found.content_length().filter(|length| *length > MAX_OBJECT) {
            let problem = format!("{} has {length} bytes, and leoctl reads objects of {MAX_OBJECT} at most", self.place(key));
            return Err(StoreError::new(problem).help("a state is smaller by far: look whether bucket and key are those of one"));
        }
        let body = found.body.collect().await.map_err(|error| self.broken(key, &error.to_string()))?;
        let text = String::from_utf8(body.to_vec()).map_err(|error| self.broken(key, &error.to_string()))?;
        let age = clock.seconds().zip(written).map(|(now, written)| Duration::from_secs(u64::try_from(now - written).unwrap_or(0)));
        Ok(Some(Object { text, etag, version, age }))
    }

    /// When an object was written, in seconds; none when there is none.
    ///
    /// # Errors
    /// When S3 cannot be asked.
    pub async fn written(&self, key: &str) -> Result<Option<i64>, StoreError> {
        match self.client.head_object().bucket(&self.bucket).key(key).send().await {
            Ok(found) => Ok(found.last_modified().map(DateTime::secs)),
            Err(error) if error.code() == Some("NotFound") => Ok(None),
            Err(error) => Err(self.failed("look at", key, &error)),
        }
    }

    /// Writes an object; what tells the new version from others, or none when the condition does not hold.
    ///
    /// # Errors
    /// When S3 cannot be asked.
    pub async fn put(&self, key: &str, text: &str, when: When<'_>) -> Result<Option<Written>, StoreError> {
        for attempt in 0..ATTEMPTS {
            let call = self.client.put_object().bucket(&self.bucket).key(key).content_type("application/json");
            // A bucket with a default retention of Object Lock takes nothing without a checksum (S3 API Reference, PutObject).
            let call = call.body(text.as_bytes().to_vec().into()).checksum_sha256(sha256(text));
            let call = match when {
                When::Absent => call.if_none_match("*"),
                When::Unchanged(etag) => call.if_match(etag),
                When::Any => call,
            };
            let call = match &self.kms_key_id {
                Some(kms_key_id) => call.server_side_encryption(ServerSideEncryption::AwsKms).ssekms_key_id(kms_key_id),
                None => call,
            };
            match call.send().await {
                Ok(made) => {
                    let (etag, version) = (made.e_tag().unwrap_or_default().to_owned(), made.version_id().map(str::to_owned));
                    return Ok(Some(Written { etag, version }));
                }
                Err(error) => match error.code() {
                    // The object to be replaced is gone.
                    Some("NoSuchKey") => return Ok(None),
                    // An answer that was lost and a write sent again look the same: ours is there.
                    Some("PreconditionFailed") => {
                        let now = self.get(key).await?;
                        return Ok(now.filter(|now| now.text == text).map(|now| Written { etag: now.etag, version: now.version }));
                    }
                    // Another write at the same moment (S3 API Reference, PutObject): whether it won is seen by trying again.
                    Some("ConditionalRequestConflict") if attempt + 1 < ATTEMPTS => {}
                    _ => return Err(self.failed("write", key, &error)),
                },
            }
        }
        Ok(None)
    }

    /// The keys that begin with `prefix`, in order.
    ///
    /// # Errors
    /// When S3 cannot be asked.
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let mut pages = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix).into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.failed("list", prefix, &error))?;
            keys.extend(page.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
        }
        keys.sort();
        Ok(keys)
    }

    /// Deletes an object, if it is there.
    ///
    /// # Errors
    /// When S3 cannot be asked.
    pub async fn delete(&self, key: &str) -> Result<(), StoreError> {
        let deleted = self.client.delete_object().bucket(&self.bucket).key(key).send().await;
        deleted.map(drop).map_err(|error| self.failed("delete", key, &error))
    }

    /// Deletes a version of an object that is not the newest, for good. What cannot be deleted, as where Object Lock keeps it,
    /// stays; nobody waits long for it.
    pub async fn drop_version(&self, key: &str, version: &str) {
        let deleted = self.client.delete_object().bucket(&self.bucket).key(key).version_id(version).send();
        drop(tokio::time::timeout(LONGEST_DROP, deleted).await);
    }

    /// Whether old versions of objects are kept.
    ///
    /// # Errors
    /// When S3 cannot be asked.
    pub async fn versioned(&self) -> Result<bool, StoreError> {
        let found = self.client.get_bucket_versioning().bucket(&self.bucket).send().await;
        let found = found.map_err(|error| self.failed("look at", "", &error))?;
        Ok(found.status() == Some(&aws_sdk_s3::types::BucketVersioningStatus::Enabled))
    }

    /// The object's place, for people.
    pub fn place(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }

    fn broken(&self, key: &str, why: &str) -> StoreError {
        StoreError::new(format!("cannot read {}: {why}", self.place(key))).help("run the same command again")
    }

    fn failed<E>(&self, what: &str, key: &str, error: &SdkError<E, HttpResponse>) -> StoreError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let place = self.place(key);
        if let Some(NoAnswer { cause, detail }) = no_answer(error) {
            return StoreError::new(format!("cannot {what} {place}: {cause}\n({detail})")).help(cause.advice());
        }
        let why = match (error.code(), error.message()) {
            (Some(code), Some(message)) => format!("{message} ({code})"),
            (Some(code), None) => code.to_owned(),
            _ => aws_smithy_types::error::display::DisplayErrorContext(error).to_string(),
        };
        let help = match error.code() {
            Some("NoSuchBucket") => "make the bucket first, with versioning on; a state cannot live in a bucket of its own stack",
            Some("AccessDenied") => "the state takes s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket on its bucket",
            _ => "run the same command again once this is mended: it continues where this one stopped",
        };
        StoreError::new(format!("cannot {what} {place}: {why}")).help(help)
    }
}

/// Hears what time it is at S3: leases are never measured by the clocks of their holders.
#[derive(Clone, Debug, Default)]
struct Clock(Arc<Mutex<Option<i64>>>);

impl Clock {
    fn seconds(&self) -> Option<i64> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intercept for Clock {
    fn name(&self) -> &'static str {
        "Clock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let date = date.and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = date.map(|date| date.secs());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Objects;
    use crate::scripted::{Answer, Scripted};

    #[tokio::test]
    async fn what_is_too_large_for_a_state_is_not_read() {
        let length = (super::MAX_OBJECT + 1).to_string();
        let scripted = Scripted::new(move |_| Answer(200, vec![("content-length", length.clone())], "{}".to_owned()));
        let objects = Objects { client: scripted.aws.s3().clone(), bucket: "b".to_owned(), kms_key_id: None };
        let refused = objects.get("backup.tar").await.unwrap_err();
        assert!(refused.message.starts_with("s3://b/backup.tar has 268435457 bytes"), "{}", refused.message);
    }
}
