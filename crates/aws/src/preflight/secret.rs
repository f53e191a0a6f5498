//! Secrets that are scheduled for deletion.

use crate::client::Aws;
use crate::error::{OrAbsent, OrFail};
use crate::tags::collect;
use leoctl_core::engine::ports::Outcome;
use leoctl_core::plan::preflight::secret::Scheduled;

/// The secret of a name, if it is scheduled for deletion: then it has a date (Secrets Manager API Reference,
/// DescribeSecret).
pub async fn scheduled(aws: &Aws, name: &str) -> Outcome<Option<Scheduled>> {
    let call = aws.secrets().describe_secret().secret_id(name);
    let found = call.send().await.or_fail("secretsmanager:DescribeSecret").or_absent()?;
    let scheduled = found.and_then(|found| {
        let date = found.deleted_date()?.to_string();
        let tags = collect(found.tags().iter().map(|tag| (tag.key().unwrap_or_default(), tag.value().unwrap_or_default())));
        let date = date.split('T').next().unwrap_or_default().to_owned();
        Some(Scheduled { arn: found.arn().unwrap_or(name).to_owned(), date, tags })
    });
    Ok(scheduled)
}
