//! CloudWatch: alarms, dashboards, metrics made of logs.

mod alarm_check;
pub mod dashboard;
pub mod log_metric_filter;
pub mod metric_alarm;
pub mod metric_query;

use aws_sdk_cloudwatch::types::Tag;

use super::client::Aws;
use super::error::{OrAbsent, OrFail};
use super::repeat::Changing;
use super::resource::Tags;
use super::tags::{TagChange, collect};
use leoctl_core::engine::ports::Outcome;

/// Tags for a creation call.
fn to_api(tags: &Tags) -> Option<Vec<Tag>> {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    Some(tags.collect::<Vec<_>>()).filter(|tags| !tags.is_empty())
}

/// The tags of a resource. One that does not exist has none.
async fn tags_of(aws: &Aws, arn: &str) -> Outcome<Tags> {
    let call = aws.cloudwatch().list_tags_for_resource().resource_arn(arn);
    let found = call.send().await.or_fail("cloudwatch:ListTagsForResource").or_absent()?;
    let tags = found.and_then(|found| found.tags).unwrap_or_default();
    Ok(collect(tags.iter().map(|tag| (tag.key().unwrap_or_default(), tag.value().unwrap_or_default()))))
}

/// Makes one set of tags of a resource into another.
async fn update_tags(aws: &Aws, arn: &str, from: &Tags, to: &Tags) -> Outcome<()> {
    let change = TagChange::between(from, to);
    if let Some(set) = to_api(&change.set) {
        let call = aws.cloudwatch().tag_resource().resource_arn(arn).set_tags(Some(set));
        call.send().await.idempotent("cloudwatch:TagResource")?;
    }
    if !change.remove.is_empty() {
        let call = aws.cloudwatch().untag_resource().resource_arn(arn).set_tag_keys(Some(change.remove));
        call.send().await.idempotent("cloudwatch:UntagResource")?;
    }
    Ok(())
}
