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
use leoctl_core::engine::ports::{Failure, FailureKind, Outcome};

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

/// Whether what IAM returned is all there: for a moment after a creation its ARN may be its unique id (`AROA…`), which
/// nothing that is made from it could use.
///
/// # Errors
/// [`FailureKind::Transient`] when it is not.
pub fn is_whole(operation: &str, arn: &str) -> Outcome<()> {
    if arn.starts_with("arn:") {
        return Ok(());
    }
    let message = format!("IAM gives {arn} where the ARN is to be");
    Err(Failure { operation: operation.to_owned(), ..Failure::new(FailureKind::Transient, message) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_arn_yet_is_read_again() {
        assert!(is_whole("iam:GetRole", "arn:aws:iam::111111111111:role/web").is_ok());
        assert_eq!(is_whole("iam:GetRole", "AROAEXAMPLE").unwrap_err().kind, FailureKind::Transient);
    }
}
