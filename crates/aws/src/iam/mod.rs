//! Identity and Access Management: roles, policies, instance profiles, providers of identities. IAM is global: any
//! region's client will do.

pub mod instance_profile;
pub mod openid_connect_provider;
pub mod policy;
pub mod role;

use aws_sdk_iam::types::Tag;

use super::resource::Tags;
use super::tags::collect;
use crate::error::unbuilt;
use leoctl_core::engine::ports::Outcome;

/// Tags for a call.
///
/// # Errors
/// When the SDK finds one incomplete.
pub fn to_api(tags: &Tags) -> Outcome<Option<Vec<Tag>>> {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    let tags: Vec<Tag> = tags.collect::<Result<_, _>>().map_err(unbuilt)?;
    Ok(Some(tags).filter(|tags| !tags.is_empty()))
}

/// Tags as IAM returns them.
pub fn from_api(tags: &[Tag]) -> Tags {
    collect(tags.iter().map(|tag| (tag.key(), tag.value())))
}
