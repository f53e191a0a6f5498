//! Cloud Map: namespaces, and services by name in them.

pub mod namespace;
pub mod service;

use std::time::Duration;

use aws_sdk_servicediscovery::types::{OperationStatus, OperationTargetType, Tag};

use super::client::Aws;
use super::error::{OrAbsent, OrFail, unbuilt};
use super::repeat::Changing;
use super::resource::Tags;
use super::tags::{TagChange, collect};
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome};

/// Tags for a call.
fn to_api(tags: &Tags) -> Outcome<Option<Vec<Tag>>> {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build().map_err(unbuilt));
    Ok(Some(tags.collect::<Outcome<Vec<_>>>()?).filter(|tags| !tags.is_empty()))
}

async fn tags_of(aws: &Aws, arn: &str) -> Outcome<Tags> {
    let call = aws.discovery().list_tags_for_resource().resource_arn(arn);
    let found = call.send().await.or_fail("servicediscovery:ListTagsForResource").or_absent()?;
    let tags = found.and_then(|found| found.tags).unwrap_or_default();
    Ok(collect(tags.iter().map(|tag| (tag.key(), tag.value()))))
}

async fn update_tags(aws: &Aws, arn: &str, from: &Tags, to: &Tags) -> Outcome<()> {
    let change = TagChange::between(from, to);
    if let Some(set) = to_api(&change.set)? {
        let call = aws.discovery().tag_resource().resource_arn(arn).set_tags(Some(set));
        call.send().await.idempotent("servicediscovery:TagResource")?;
    }
    if !change.remove.is_empty() {
        let call = aws.discovery().untag_resource().resource_arn(arn).set_tag_keys(Some(change.remove));
        call.send().await.idempotent("servicediscovery:UntagResource")?;
    }
    Ok(())
}

/// Waits for what Cloud Map does in the background; the id of what it was done to.
async fn wait(aws: &Aws, operation: &Operation, id: Option<&str>, target: OperationTargetType) -> Outcome<Option<String>> {
    let Some(id) = id else { return Ok(None) };
    loop {
        // AWS forgets an operation a day after it, and of one begun a moment ago it may not know yet.
        let found = aws.discovery().get_operation().operation_id(id).send().await.or_fail("servicediscovery:GetOperation").or_absent()?;
        let found = found.and_then(|found| found.operation);
        match found.as_ref().and_then(|found| found.status()) {
            Some(OperationStatus::Success) => {
                let targets = found.and_then(|found| found.targets);
                return Ok(targets.and_then(|mut targets| targets.remove(&target)));
            }
            Some(OperationStatus::Fail) => {
                let code = found.as_ref().and_then(|found| found.error_code()).unwrap_or("FAIL").to_owned();
                let why = found.as_ref().and_then(|found| found.error_message()).unwrap_or("AWS gives no reason");
                let failure = Failure::new(FailureKind::Refused, format!("Cloud Map failed: {why}"));
                return Err(Failure { code: Some(code), ..failure });
            }
            _ => operation.pause(Duration::from_secs(2), "waiting for Cloud Map").await?,
        }
    }
}
