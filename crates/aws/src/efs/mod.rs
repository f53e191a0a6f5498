//! Elastic File System: file systems, how to reach them, and ways into them.

pub mod access_point;
pub mod file_system;
pub mod mount_target;
mod policy;

use aws_sdk_efs::types::{LifeCycleState, Tag};

use super::client::Aws;
use super::domain;
use super::repeat::Changing;
use super::resource::Tags;
use super::tags::{TagChange, collect};
use crate::error::unbuilt;
use leoctl_core::engine::ports::{Failure, FailureKind, Outcome};

/// Tags for a call.
fn to_api(tags: &Tags) -> Outcome<Vec<Tag>> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build().map_err(unbuilt)).collect()
}

/// Tags as EFS returns them.
fn tags(tags: &[Tag]) -> Tags {
    collect(tags.iter().map(|tag| (tag.key(), tag.value())))
}

/// Makes one set of tags of a file system or access point into another.
async fn update_tags(aws: &Aws, id: &str, from: &Tags, to: &Tags) -> Outcome<()> {
    let change = TagChange::between(from, to);
    if !change.set.is_empty() {
        let call = aws.efs().tag_resource().resource_id(id).set_tags(Some(to_api(&change.set)?));
        call.send().await.idempotent("elasticfilesystem:TagResource")?;
    }
    if !change.remove.is_empty() {
        let call = aws.efs().untag_resource().resource_id(id).set_tag_keys(Some(change.remove));
        call.send().await.idempotent("elasticfilesystem:UntagResource")?;
    }
    Ok(())
}

/// Whether something in this state is there, and not on its way out.
fn is_there(state: &LifeCycleState) -> bool {
    !matches!(state, LifeCycleState::Deleting | LifeCycleState::Deleted)
}

/// Whether something in this state can be used; what was just made may not be shown yet, and then has none.
fn is_ready(what: &str, state: Option<&LifeCycleState>) -> Outcome<bool> {
    match state {
        Some(LifeCycleState::Available) => Ok(true),
        // EFS gives no reason (EFS API Reference, FileSystemDescription and its like).
        Some(LifeCycleState::Error) => Err(Failure::new(FailureKind::Other, format!("the {what} failed, and EFS does not say why"))),
        _ => Ok(false),
    }
}

/// The name by which a file system is mounted (EFS User Guide, "Mounting on Amazon EC2 with a DNS name").
fn dns_name(region: &str, file_system: &str) -> String {
    format!("{file_system}.efs.{region}.{}", domain(region))
}
