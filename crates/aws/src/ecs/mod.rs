//! Elastic Container Service: clusters, task definitions, services and their rollouts.

pub mod attachment;
pub mod breaker;
pub mod cluster;
mod cluster_instances;
pub mod connect;
pub mod container;
pub mod container_part;
mod controller;
pub mod deployment;
pub mod hook;
pub mod lattice;
mod linux;
pub mod movers;
pub mod on_instance;
pub mod placement;
mod quiet;
mod rebalancing;
pub mod record;
pub mod rollout;
pub mod service;
mod task_check;
pub mod task_definition;
mod update;
pub mod volume;

use aws_sdk_ecs::types::Tag;

use super::client::Aws;
use super::repeat::Changing;
use super::resource::Tags;
use super::tags::{TagChange, collect};
use crate::error::unbuilt;
use leoctl_core::engine::ports::Outcome;

/// Tags for a creation call.
pub fn to_api(tags: &Tags) -> Option<Vec<Tag>> {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    Some(tags.collect::<Vec<_>>()).filter(|tags| !tags.is_empty())
}

/// Tags as ECS returns them.
pub fn from_api(tags: &[Tag]) -> Tags {
    collect(tags.iter().map(|tag| (tag.key().unwrap_or_default(), tag.value().unwrap_or_default())))
}

/// Makes one set of tags of a resource into another.
///
/// # Errors
/// When AWS refuses.
pub async fn update_tags(aws: &Aws, arn: &str, from: &Tags, to: &Tags) -> Outcome<()> {
    let change = TagChange::between(from, to);
    if let Some(set) = to_api(&change.set) {
        aws.ecs().tag_resource().resource_arn(arn).set_tags(Some(set)).send().await.idempotent("ecs:TagResource")?;
    }
    if !change.remove.is_empty() {
        let call = aws.ecs().untag_resource().resource_arn(arn).set_tag_keys(Some(change.remove));
        call.send().await.idempotent("ecs:UntagResource")?;
    }
    Ok(())
}
