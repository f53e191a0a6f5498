//! Emptying a bucket, every version of every object.

use aws_sdk_s3::types::{Delete, EncodingType, ObjectIdentifier};

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
        // A key may have characters in it that XML cannot.
        let call = s3.list_object_versions().bucket(bucket).encoding_type(EncodingType::Url);
        let Some(page) = call.send().await.or_fail("s3:ListBucketVersions").or_absent()? else {
            return Ok(());
        };
        let is_encoded = page.encoding_type() == Some(&EncodingType::Url);
        let versions = page.versions().iter().map(|one| (one.key(), one.version_id()));
        let markers = page.delete_markers().iter().map(|one| (one.key(), one.version_id()));
        let mut objects = Vec::new();
        for (key, version) in versions.chain(markers) {
            let key = key.unwrap_or_default();
            let key = if is_encoded { decoded(key) } else { key.to_owned() };
            let object = ObjectIdentifier::builder().key(key).set_version_id(version.map(str::to_owned));
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

/// A key as it is, of one that S3 has encoded: a space as a plus sign, and most other characters in hexadecimal.
fn decoded(key: &str) -> String {
    percent_encoding::percent_decode_str(&key.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn encoded_keys_are_decoded() {
        for (encoded, key) in [("a/b", "a/b"), ("with+space", "with space"), ("a%2Bb", "a+b"), ("%01%C3%A9", "\u{1}é")] {
            assert_eq!(super::decoded(encoded), key);
        }
    }
}
