//! Emptying a bucket, every version of every object.

use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use super::unbuilt;
use crate::client::Aws;
use crate::error::{OrAbsent, OrFail};
use crate::repeat::Changing;
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome};

/// Deletes everything in a bucket.
///
/// # Errors
/// When AWS refuses to delete something.
pub async fn delete(aws: &Aws, operation: &Operation, bucket: &str) -> Outcome<()> {
    let s3 = aws.s3();
    let mut gone = 0_usize;
    loop {
        let Some(page) = s3.list_object_versions().bucket(bucket).send().await.or_fail("s3:ListBucketVersions").or_absent()? else {
            return Ok(());
        };
        let versions = page.versions().iter().map(|one| (one.key(), one.version_id()));
        let markers = page.delete_markers().iter().map(|one| (one.key(), one.version_id()));
        let mut objects = Vec::new();
        for (key, version) in versions.chain(markers) {
            let object = ObjectIdentifier::builder().key(key.unwrap_or_default()).set_version_id(version.map(str::to_owned));
            objects.push(object.build().map_err(unbuilt)?);
        }
        if objects.is_empty() {
            return Ok(());
        }
        gone += objects.len();
        let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build().map_err(unbuilt)?;
        let answer = s3.delete_objects().bucket(bucket).delete(delete).send().await.idempotent("s3:DeleteObject")?;
        if let Some(error) = answer.errors().first() {
            let message = format!("{}: {}", error.key().unwrap_or_default(), error.message().unwrap_or("cannot be deleted"));
            return Err(Failure {
                code: error.code().map(str::to_owned),
                operation: "s3:DeleteObject".to_owned(),
                ..Failure::new(FailureKind::Refused, message)
            });
        }
        (operation.progress.0)(format!("{gone} object versions deleted"));
    }
}
