//! The tags of a bucket.

use aws_sdk_s3::types as api;
use aws_sdk_s3control::types as control;

use super::unbuilt;
use crate::client::Aws;
use crate::error::{OrAbsent, OrFail};
use crate::partition;
use crate::repeat::Changing;
use crate::resource::Tags;
use leoctl_core::engine::ports::{FailureKind, Outcome};

/// Tags for a call.
pub fn to_api(tags: &Tags) -> Outcome<Vec<api::Tag>> {
    tags.iter().map(|(key, value)| api::Tag::builder().key(key).value(value).build().map_err(unbuilt)).collect()
}

/// The tags AWS returned, its own among them.
pub async fn get(aws: &Aws, bucket: &str) -> Outcome<Vec<api::Tag>> {
    let found = aws.s3().get_bucket_tagging().bucket(bucket).send().await.or_fail("s3:GetBucketTagging").or_absent()?;
    Ok(found.map(|found| found.tag_set).unwrap_or_default())
}

/// Gives a bucket these tags in place of those it has. For one with attribute-based access control S3 refuses that, and takes
/// them one by one (S3 API Reference, PutBucketTagging).
pub async fn put(aws: &Aws, bucket: &str, tags: &Tags) -> Outcome<()> {
    let has = get(aws, bucket).await?;
    let set = with_those_of_aws(has.clone(), to_api(tags)?);
    let tagging = api::Tagging::builder().set_tag_set(Some(set)).build().map_err(unbuilt)?;
    let put = aws.s3().put_bucket_tagging().bucket(bucket).tagging(tagging).send().await.idempotent("s3:PutBucketTagging");
    match put {
        // Where they are not taken so either, the first refusal says why.
        Err(refused) if refused.kind == FailureKind::Refused => one_by_one(aws, bucket, &has, tags).await.map_err(|_| refused),
        put => put.map(drop),
    }
}

/// Sets and removes tags by S3 Control (S3 Control API Reference, TagResource, UntagResource).
async fn one_by_one(aws: &Aws, bucket: &str, has: &[api::Tag], tags: &Tags) -> Outcome<()> {
    let account = aws.sts().get_caller_identity().send().await.or_fail("sts:GetCallerIdentity")?.account.unwrap_or_default();
    let arn = format!("arn:{}:s3:::{bucket}", partition(&aws.region));
    let gone = has.iter().map(api::Tag::key).filter(|key| !key.starts_with("aws:") && !tags.contains_key(*key));
    let gone: Vec<String> = gone.map(str::to_owned).collect();
    if !gone.is_empty() {
        let call = aws.s3control().untag_resource().account_id(&account).resource_arn(&arn).set_tag_keys(Some(gone));
        call.send().await.idempotent("s3:UntagResource")?;
    }
    let tag = |(key, value): (&String, &String)| control::Tag::builder().key(key).value(value).build().map_err(unbuilt);
    let set: Vec<control::Tag> = tags.iter().map(tag).collect::<Outcome<_>>()?;
    if !set.is_empty() {
        let call = aws.s3control().tag_resource().account_id(&account).resource_arn(&arn).set_tags(Some(set));
        call.send().await.idempotent("s3:TagResource")?;
    }
    Ok(())
}

/// A set of tags with those of AWS's own that are there: S3 takes none that lacks them.
fn with_those_of_aws(has: Vec<api::Tag>, tags: Vec<api::Tag>) -> Vec<api::Tag> {
    has.into_iter().filter(|tag| tag.key().starts_with("aws:")).chain(tags).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::{Answer, Scripted};

    #[tokio::test(start_paused = true)]
    async fn a_bucket_that_takes_no_set_of_tags_takes_them_one_by_one() {
        let has =
            "<Tagging><TagSet><Tag><Key>aws:x</Key><Value>1</Value></Tag><Tag><Key>old</Key><Value>1</Value></Tag></TagSet></Tagging>";
        let play = |taken: bool| {
            Scripted::new(move |call| match call.name.as_str() {
                name if name.starts_with("GET ") => Answer::ok(has),
                "GetCallerIdentity" => Answer::ok(
                    "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111111111111</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
                ),
                name if name.contains("/tags/") && taken => Answer::ok(""),
                name if name.contains("/tags/") => Answer::xml_error(400, "InvalidTag"),
                _ => Answer::xml_error(405, "MethodNotAllowed"),
            })
        };
        let tags: Tags = [("new".to_owned(), "v".to_owned())].into();
        let scripted = play(true);
        put(&scripted.aws, "b", &tags).await.unwrap();
        let calls = scripted.calls();
        let control: Vec<&str> = calls.iter().filter(|call| call.name.contains("/tags/")).map(|call| call.name.as_str()).collect();
        assert!(
            matches!(control.as_slice(), [gone, set] if gone.starts_with("DELETE ") && gone.contains("old") && set.starts_with("POST ")),
            "{control:?}"
        );
        assert!(!control.iter().any(|call| call.contains("aws%3Ax") || call.contains("aws:x")), "{control:?}");
        assert!(calls.iter().any(|call| call.name.starts_with("POST ") && call.body.contains("<Key>new</Key>")), "{calls:?}");
        let refused = put(&play(false).aws, "b", &tags).await.unwrap_err();
        assert_eq!(refused.code.as_deref(), Some("MethodNotAllowed"));
    }

    #[test]
    fn tags_of_aws_stay_in_the_set_that_is_put() {
        let set = |keys: &[&str]| to_api(&keys.iter().map(|key| ((*key).to_owned(), "v".to_owned())).collect()).unwrap();
        let put = with_those_of_aws(set(&["aws:cloudformation:stack-name", "old"]), set(&["new"]));
        assert_eq!(put.iter().map(api::Tag::key).collect::<Vec<_>>(), ["aws:cloudformation:stack-name", "new"]);
    }
}
