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

/// An id without the kind AWS writes before it, as in `/hostedzone/Z123`.
pub fn bare(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

/// A domain name as AWS returns it, in leoctl's form: without a dot at its end, its escapes undone. Route 53 escapes
/// everything but letters, digits, hyphens and underscores as three octal digits, `*` as `\052`
/// (Route 53 Developer Guide, "DNS domain name format").
pub fn canonical(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let mut rest = lower.strip_suffix('.').unwrap_or(&lower);
    let mut out = String::new();
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let code = after.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok()).filter(u8::is_ascii_graphic);
        match (code, after.get(3..)) {
            (Some(code), Some(tail)) => {
                out.push(char::from(code));
                rest = tail;
            }
            _ => {
                out.push('\\');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// Changes one record set; the id of the change.
async fn change(aws: &Aws, zone: &str, action: ChangeAction, set: ResourceRecordSet) -> Outcome<String> {
    // Creating and deleting fail when sent twice: their callers look first.
    let upserts = action == ChangeAction::Upsert;
    let change = Change::builder().action(action).resource_record_set(set).build().map_err(unbuilt)?;
    let batch = ChangeBatch::builder().changes(change).build().map_err(unbuilt)?;
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

#[cfg(test)]
mod tests {
    #[test]
    fn names_lose_their_escapes_and_last_dot() {
        for (name, canonical) in [
            (r"\052.Example.org.", "*.example.org"),
            ("example.org", "example.org"),
            (r"a\057b.example.org.", "a/b.example.org"),
            (r"odd\09", r"odd\09"),
            (r"end\", r"end\"),
        ] {
            assert_eq!(super::canonical(name), canonical);
        }
    }
}
