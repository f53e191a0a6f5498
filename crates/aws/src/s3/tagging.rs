//! The tags of a bucket.

use aws_sdk_s3::types as api;

use super::unbuilt;
use crate::client::Aws;
use crate::error::{OrAbsent, OrFail};
use crate::repeat::Changing;
use crate::resource::Tags;
use leoctl_core::engine::ports::Outcome;

/// Tags for a call.
pub fn to_api(tags: &Tags) -> Outcome<Vec<api::Tag>> {
    tags.iter().map(|(key, value)| api::Tag::builder().key(key).value(value).build().map_err(unbuilt)).collect()
}

/// The tags AWS returned, its own among them.
pub async fn get(aws: &Aws, bucket: &str) -> Outcome<Vec<api::Tag>> {
    let found = aws.s3().get_bucket_tagging().bucket(bucket).send().await.or_fail("s3:GetBucketTagging").or_absent()?;
    Ok(found.map(|found| found.tag_set).unwrap_or_default())
}

/// Gives a bucket these tags in place of those it has.
pub async fn put(aws: &Aws, bucket: &str, tags: &Tags) -> Outcome<()> {
    let set = with_those_of_aws(get(aws, bucket).await?, to_api(tags)?);
    let tagging = api::Tagging::builder().set_tag_set(Some(set)).build().map_err(unbuilt)?;
    aws.s3().put_bucket_tagging().bucket(bucket).tagging(tagging).send().await.idempotent("s3:PutBucketTagging").map(drop)
}

/// A set of tags with those of AWS's own that are there: S3 takes none that lacks them.
fn with_those_of_aws(has: Vec<api::Tag>, tags: Vec<api::Tag>) -> Vec<api::Tag> {
    has.into_iter().filter(|tag| tag.key().starts_with("aws:")).chain(tags).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_aws_stay_in_the_set_that_is_put() {
        let set = |keys: &[&str]| to_api(&keys.iter().map(|key| ((*key).to_owned(), "v".to_owned())).collect()).unwrap();
        let put = with_those_of_aws(set(&["aws:cloudformation:stack-name", "old"]), set(&["new"]));
        assert_eq!(put.iter().map(api::Tag::key).collect::<Vec<_>>(), ["aws:cloudformation:stack-name", "new"]);
    }
}
