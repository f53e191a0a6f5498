//! Route 53: zones and the records in them.

pub mod record;
pub mod record_set;
pub mod routing;
pub mod zone;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ChangeStatus, ResourceRecordSet, Tag, TagResourceType};
use futures_util::future::try_join_all;

use super::client::{Aws, send_once};
use super::error::{OrAbsent, OrFail, unbuilt};
use super::repeat::Changing;
use super::resource::Tags;
use super::tags::{TagChange, collect};
use leoctl_core::engine::ports::{Operation, Outcome};
pub use leoctl_core::model::canonical::domain as canonical;

/// An id without the kind AWS writes before it, as in `/hostedzone/Z123`.
pub fn bare(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

/// Changes record sets, all of them or none; the id of the change.
async fn change(aws: &Aws, zone: &str, changes: Vec<(ChangeAction, ResourceRecordSet)>) -> Outcome<String> {
    // Creating and deleting fail when sent twice: their callers look first.
    let upserts = changes.iter().all(|(action, _)| *action == ChangeAction::Upsert);
    let changes = changes.into_iter().map(|(action, set)| Change::builder().action(action).resource_record_set(set).build());
    let changes = changes.collect::<Result<Vec<_>, _>>().map_err(unbuilt)?;
    let batch = ChangeBatch::builder().set_changes(Some(changes)).build().map_err(unbuilt)?;
    let call = aws.route53().change_resource_record_sets().hosted_zone_id(zone).change_batch(batch);
    let made = if upserts {
        call.send().await.idempotent("route53:ChangeResourceRecordSets")?
    } else {
        send_once!(aws_sdk_route53, call).await.sent_once("route53:ChangeResourceRecordSets")?
    };
    Ok(made.change_info().map(|info| bare(info.id()).to_owned()).unwrap_or_default())
}

/// Seconds between two looks at a change, at most.
const LONGEST_WAIT: u64 = 8;

/// Waits until all of Route 53's servers know of a change, usually within a minute. One that is not known is long over.
async fn in_sync(aws: &Aws, operation: &Operation, change: &str) -> Outcome<()> {
    let mut seconds = 1;
    loop {
        let found = aws.route53().get_change().id(change).send().await.or_fail("route53:GetChange").or_absent()?;
        let status = found.and_then(|found| found.change_info).map(|info| info.status);
        if status.is_none_or(|status| status != ChangeStatus::Pending) {
            return Ok(());
        }
        // An account has five calls a second (Route 53 Developer Guide, "Quotas").
        operation.pause(Duration::from_secs(seconds), "waiting for Route 53's servers").await?;
        seconds = LONGEST_WAIT.min(seconds * 2);
    }
}

/// The tags of these zones. One that does not exist has none.
async fn tags_of(aws: &Aws, zones: &[String]) -> Outcome<BTreeMap<String, Tags>> {
    // Ten a call (Route 53 API Reference, ListTagsForResources); one has a call of its own.
    let batches = zones.chunks(10).map(async |some| {
        if let [only] = some {
            let call = aws.route53().list_tags_for_resource().resource_type(TagResourceType::Hostedzone).resource_id(only);
            let found = call.send().await.or_fail("route53:ListTagsForResource").or_absent()?;
            return Ok(found.and_then(|found| found.resource_tag_set).into_iter().collect());
        }
        let call = aws.route53().list_tags_for_resources().resource_type(TagResourceType::Hostedzone);
        let found = call.set_resource_ids(Some(some.to_vec())).send().await.or_fail("route53:ListTagsForResources").or_absent()?;
        Ok(found.map(|found| found.resource_tag_sets).unwrap_or_default())
    });
    let sets = try_join_all(batches).await?.into_iter().flatten();
    let each = sets.map(|set| {
        let tags = collect(set.tags().iter().map(|tag| (tag.key().unwrap_or_default(), tag.value().unwrap_or_default())));
        (set.resource_id().unwrap_or_default().to_owned(), tags)
    });
    Ok(each.collect())
}

/// Makes one set of tags of a zone into another; ten each way a call (Route 53 API Reference, ChangeTagsForResource).
async fn update_tags(aws: &Aws, zone: &str, from: &Tags, to: &Tags) -> Outcome<()> {
    let change = TagChange::between(from, to);
    let set: Vec<_> = change.set.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
    let call = || aws.route53().change_tags_for_resource().resource_type(TagResourceType::Hostedzone).resource_id(zone);
    for some in set.chunks(10) {
        call().set_add_tags(Some(some.to_vec())).send().await.idempotent("route53:ChangeTagsForResource")?;
    }
    for some in change.remove.chunks(10) {
        call().set_remove_tag_keys(Some(some.to_vec())).send().await.idempotent("route53:ChangeTagsForResource")?;
    }
    Ok(())
}
