//! Key Management Service: keys, and names for them.

pub mod alias;
pub mod key;

use crate::client::Aws;
use crate::error::{OrAbsent, OrFail};
use leoctl_core::engine::ports::Outcome;

/// The ARN of the key that has a name: its id, its ARN or an alias; none when there is no such key.
///
/// # Errors
/// When AWS refuses.
pub async fn key_arn(aws: &Aws, name: &str) -> Outcome<Option<String>> {
    let found = aws.kms().describe_key().key_id(name).send().await.or_fail("kms:DescribeKey").or_absent()?;
    Ok(found.and_then(|found| found.key_metadata).and_then(|key| key.arn))
}
