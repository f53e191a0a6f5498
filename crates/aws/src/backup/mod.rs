//! AWS Backup: vaults, plans, and what the plans are for.

pub mod plan;
pub mod recovery_points;
pub mod rule;
pub mod selection;
pub mod vault;

use super::client::Aws;
use super::error::{OrAbsent, OrFail, unbuilt};
use super::repeat::Changing;
use super::resource::Tags;
use super::tags::{TagChange, collect};
use leoctl_core::engine::ports::Outcome;

/// The tags of a vault or plan.
async fn tags_of(aws: &Aws, arn: &str) -> Outcome<Tags> {
    let mut pages = aws.backup().list_tags().resource_arn(arn).into_paginator().send();
    let mut tags = Tags::new();
    while let Some(page) = pages.next().await {
        let Some(page) = page.or_fail("backup:ListTags").or_absent()? else { break };
        tags.extend(collect(page.tags.unwrap_or_default()));
    }
    Ok(tags)
}

/// Makes one set of tags of a vault or plan into another.
async fn update_tags(aws: &Aws, arn: &str, from: &Tags, to: &Tags) -> Outcome<()> {
    let TagChange { set, remove } = TagChange::between(from, to);
    if !set.is_empty() {
        let call = aws.backup().tag_resource().resource_arn(arn).set_tags(Some(set.into_iter().collect()));
        call.send().await.idempotent("backup:TagResource")?;
    }
    if !remove.is_empty() {
        let call = aws.backup().untag_resource().resource_arn(arn).set_tag_key_list(Some(remove));
        call.send().await.idempotent("backup:UntagResource")?;
    }
    Ok(())
}
