//! Elastic Load Balancing v2: load balancers, target groups, listeners, rules.

pub mod action;
pub mod attributes;
pub mod lb;
mod lb_change;
mod lb_check;
pub mod lb_part;
pub mod listener;
pub mod listener_rule;
pub mod target_group;
mod target_group_check;

use std::collections::BTreeMap;
use std::future::Future;

use aws_sdk_elasticloadbalancingv2::types::Tag;
use futures_util::future::try_join_all;

use super::client::Aws;
use super::error::{OrAbsent, OrFail};
use super::repeat::Changing;
use super::resource::Tags;
use super::tags::{TagChange, collect};
use leoctl_core::engine::ports::{Failure, FailureKind, Outcome};
use leoctl_core::plan::desired::{ADDRESS_TAG, STACK_TAG};

/// Most ARNs that DescribeTags and DescribeLoadBalancers take in one call (ELBv2 API Reference).
pub const BATCH: usize = 20;

/// Tags for a creation call.
pub fn to_api(tags: &Tags) -> Option<Vec<Tag>> {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    Some(tags.collect::<Vec<_>>()).filter(|tags| !tags.is_empty())
}

/// Asks about many ARNs in as few calls as AWS takes. One that is gone fails its whole batch: then each of the
/// batch is asked about alone.
///
/// # Errors
/// When AWS refuses for another reason.
pub async fn batched<T, F, Fut>(arns: &[String], ask: F) -> Outcome<Vec<T>>
where
    F: Fn(Vec<String>) -> Fut,
    Fut: Future<Output = Outcome<Vec<T>>>,
{
    let batches = arns.chunks(BATCH).map(async |batch| match ask(batch.to_vec()).await {
        Err(failure) if failure.kind == FailureKind::NotFound && batch.len() > 1 => {
            let alone = try_join_all(batch.iter().map(async |arn| ask(vec![arn.clone()]).await.or_absent())).await?;
            Ok(alone.into_iter().flatten().flatten().collect())
        }
        Err(failure) if failure.kind == FailureKind::NotFound => Ok(Vec::new()),
        other => other,
    });
    Ok(try_join_all(batches).await?.into_iter().flatten().collect())
}

/// The tags of these resources by ARN. One that does not exist has none.
///
/// # Errors
/// When AWS refuses.
pub async fn tags_of(aws: &Aws, arns: &[String]) -> Outcome<BTreeMap<String, Tags>> {
    let described = batched(arns, async |arns| {
        let call = aws.elb().describe_tags().set_resource_arns(Some(arns));
        Ok(call.send().await.or_fail("elasticloadbalancing:DescribeTags")?.tag_descriptions.unwrap_or_default())
    });
    let each = described.await?.into_iter().map(|description| {
        let tags = description.tags().iter().map(|tag| (tag.key().unwrap_or_default(), tag.value().unwrap_or_default()));
        (description.resource_arn().unwrap_or_default().to_owned(), collect(tags))
    });
    Ok(each.collect())
}

/// What a creation has made. With the name and the settings of one that is there, AWS answers with that one and makes none
/// (Elastic Load Balancing API Reference, CreateLoadBalancer, CreateTargetGroup): what says in its tags that it is another's is not
/// taken for new. What has no tags yet, or may not be asked for them, is.
///
/// # Errors
/// When it is another's.
pub async fn new_one(aws: &Aws, call: &str, arn: String, tags: &Tags) -> Outcome<String> {
    let found = tags_of(aws, std::slice::from_ref(&arn)).await.unwrap_or_default();
    let other = found
        .get(&arn)
        .is_some_and(|found| [STACK_TAG, ADDRESS_TAG].iter().any(|key| found.get(*key) != tags.get(*key) && !found.is_empty()));
    if !other {
        return Ok(arn);
    }
    let message = format!("AWS answered with {arn}, which is there already and not this one by its tags: it made nothing new");
    Err(Failure { operation: call.to_owned(), ..Failure::new(FailureKind::AlreadyExists, message) })
}

/// Makes one set of tags of a resource into another.
///
/// # Errors
/// When AWS refuses.
pub async fn update_tags(aws: &Aws, arn: &str, from: &Tags, to: &Tags) -> Outcome<()> {
    let change = TagChange::between(from, to);
    if !change.set.is_empty() {
        let call = aws.elb().add_tags().resource_arns(arn).set_tags(to_api(&change.set));
        call.send().await.idempotent("elasticloadbalancing:AddTags")?;
    }
    if !change.remove.is_empty() {
        let call = aws.elb().remove_tags().resource_arns(arn).set_tag_keys(Some(change.remove));
        call.send().await.idempotent("elasticloadbalancing:RemoveTags")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::{Answer, Scripted};

    /// What is made of an answer whose load balancer has these tags.
    async fn made(found: &[(&str, &str)]) -> Outcome<String> {
        let tags = |pairs: &[(&str, &str)]| pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<Tags>();
        let listed: String =
            tags(found).iter().map(|(key, value)| format!("<member><Key>{key}</Key><Value>{value}</Value></member>")).collect();
        let listed = format!(
            "<DescribeTagsResponse><DescribeTagsResult><TagDescriptions><member><ResourceArn>arn</ResourceArn><Tags>{listed}</Tags></member></TagDescriptions></DescribeTagsResult></DescribeTagsResponse>"
        );
        let scripted = Scripted::new(move |_| Answer::ok(listed.clone()));
        let ours = tags(&[(STACK_TAG, "shop"), (ADDRESS_TAG, "lb.web"), ("a", "b")]);
        new_one(&scripted.aws, "elasticloadbalancing:CreateLoadBalancer", "arn".to_owned(), &ours).await
    }

    #[tokio::test]
    async fn a_creation_that_is_answered_with_what_another_has_made_is_refused() {
        assert_eq!(made(&[(STACK_TAG, "shop"), (ADDRESS_TAG, "lb.web"), ("a", "b")]).await.unwrap(), "arn");
        assert_eq!(made(&[]).await.unwrap(), "arn", "tags that are not there yet say nothing");
        for other in [&[(STACK_TAG, "other"), (ADDRESS_TAG, "lb.web")][..], &[(STACK_TAG, "shop"), (ADDRESS_TAG, "lb.x")], &[("a", "b")]] {
            let failure = made(other).await.unwrap_err();
            assert_eq!(failure.kind, FailureKind::AlreadyExists, "{other:?}");
        }
    }
}
