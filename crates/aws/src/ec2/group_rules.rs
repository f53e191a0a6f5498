//! The rules that a security group has of its own, and how they become others.

use std::time::Duration;

use aws_sdk_ec2::types::{IpPermission, SecurityGroup, SecurityGroupRule};
use futures_util::future::try_join;

use super::rule::{self, Rule};
use super::{in_chunks, tags};
use crate::client::{Aws, send_once};
use crate::error::OrFail;
use crate::repeat::{Changing, says};
use leoctl_core::engine::ports::{FailureKind, Operation, Outcome};
use leoctl_core::model::path::Path;
use leoctl_core::model::value::Value;
use leoctl_core::plan::desired::ADDRESS_TAG;

/// A group's own rules.
#[derive(Clone, Copy)]
pub struct Own<'a> {
    /// What may come in.
    pub ingress: &'a [Rule],
    /// What may go out.
    pub egress: &'a [Rule],
    /// Whether AWS's default of what may go out has what AWS adds to it in a VPC with an IPv6 network.
    pub with_ipv6: bool,
}

/// What is wrong with the rules of a group as far as they are known.
pub fn problems(desired: &Value) -> Vec<(Path, String)> {
    let of = |direction| desired.get(direction).and_then(Value::as_list).unwrap_or_default();
    let directions = ["ingress", "egress"].into_iter();
    let problems = directions
        .clone()
        .flat_map(|direction| of(direction).iter().filter_map(rule::problem).map(move |problem| (Path::attribute(direction), problem)));
    let repeated = directions.filter(|direction| rule::repeated(of(direction)));
    let repeated = repeated.map(|direction| (Path::attribute(direction), "a rule is there twice: AWS takes each once".to_owned()));
    problems.chain(repeated).collect()
}

/// These groups, each with what may come in and what may go out.
///
/// # Errors
/// When AWS refuses.
pub async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(SecurityGroup, Vec<Rule>, Vec<Rule>)>> {
    let groups = in_chunks("group-id", ids, |only| async move {
        let pages = aws.ec2().describe_security_groups().filters(only).into_paginator().items().send();
        pages.try_collect().await.or_fail("ec2:DescribeSecurityGroups")
    });
    let (groups, rules): (Vec<SecurityGroup>, _) = try_join(groups, rules(aws, ids)).await?;
    let with_rules = groups.into_iter().map(|group| {
        let of = |egress: bool| own(&rules, group.group_id().unwrap_or_default(), egress).into_iter().map(|(_, rule)| rule).collect();
        let (ingress, egress) = (of(false), of(true));
        (group, ingress, egress)
    });
    Ok(with_rules.collect())
}

/// Makes the rules that a group has of its own those that are wanted. `known` is what may go out as far as that is known.
///
/// # Errors
/// When AWS refuses.
pub async fn bring(aws: &Aws, operation: &Operation, id: &str, known: &[Rule], to: Own<'_>) -> Outcome<()> {
    match change_both(aws, operation, id, known, to).await {
        // There already, by a call whose answer was lost or that was not seen yet: only what is missing now is sent.
        Err(failure) if failure.kind == FailureKind::Ambiguous || says(&failure, &["InvalidPermission.Duplicate"]) => {
            operation.pause(SEEN_AGAIN, "waiting for AWS to show the group's rules").await?;
            change_both(aws, operation, id, known, to).await
        }
        changed => changed,
    }
}

/// How long rules may take to be seen after AWS has said that they are there.
const SEEN_AGAIN: Duration = Duration::from_secs(1);

/// The same, from what the group has now.
async fn change_both(aws: &Aws, operation: &Operation, id: &str, known: &[Rule], to: Own<'_>) -> Outcome<()> {
    let now = all_rules(aws, operation, id, known).await?;
    change_rules(aws, id, false, &own(&now, id, false), to.ingress).await?;
    let egress = own(&now, id, true);
    let wanted = if to.with_ipv6 { wanted_egress(&egress, to.egress) } else { to.egress.to_vec() };
    change_rules(aws, id, true, &egress, &wanted).await
}

/// What may go out: to AWS's default belongs what AWS adds to it in a VPC with an IPv6 network.
fn wanted_egress(now: &[(String, Rule)], wanted: &[Rule]) -> Vec<Rule> {
    let ipv6 = Rule::everything_ipv6();
    let added = wanted == [Rule::everything_ipv4()] && now.iter().any(|(_, rule)| *rule == ipv6);
    wanted.iter().cloned().chain(added.then_some(ipv6)).collect()
}

/// The rules of a group, once those are seen that it is known to have: reads may not see yet what AWS made with it.
async fn all_rules(aws: &Aws, operation: &Operation, id: &str, known: &[Rule]) -> Outcome<Vec<SecurityGroupRule>> {
    let mut waits = [500, 1000, 2000].into_iter().map(Duration::from_millis);
    loop {
        let now = rules(aws, &[id.to_owned()]).await?;
        let egress = own(&now, id, true);
        let complete = known.iter().all(|rule| egress.iter().any(|(_, seen)| seen.same_traffic(rule)));
        match waits.next() {
            Some(wait) if !complete => operation.pause(wait, "waiting for AWS to show the group's rules").await?,
            _ => return Ok(now),
        }
    }
}

/// The rules of these groups.
async fn rules(aws: &Aws, groups: &[String]) -> Outcome<Vec<SecurityGroupRule>> {
    in_chunks("group-id", groups, |only| async move {
        let pages = aws.ec2().describe_security_group_rules().filters(only).max_results(1000).into_paginator().items().send();
        pages.try_collect().await.or_fail("ec2:DescribeSecurityGroupRules")
    })
    .await
}

/// The rules of a group that are its own and no resources of themselves, with their ids.
fn own(rules: &[SecurityGroupRule], group: &str, egress: bool) -> Vec<(String, Rule)> {
    let of_group = rules.iter().filter(|rule| rule.group_id() == Some(group) && rule.is_egress() == Some(egress));
    let own = of_group.filter(|rule| !tags(rule.tags()).contains_key(ADDRESS_TAG));
    own.map(|rule| (rule.security_group_rule_id().unwrap_or_default().to_owned(), Rule::from_api(rule))).collect()
}

/// Makes one set of rules into another: descriptions first, then what is new, then what goes.
async fn change_rules(aws: &Aws, id: &str, egress: bool, from: &[(String, Rule)], to: &[Rule]) -> Outcome<()> {
    let same = |rule: &Rule| from.iter().find(|(_, old)| old.same_traffic(rule));
    let renamed: Vec<_> = to.iter().filter_map(|rule| same(rule).filter(|(_, old)| old != rule).map(|(id, _)| rule.update(id))).collect();
    let added: Vec<&Rule> = to.iter().filter(|rule| same(rule).is_none()).collect();
    let gone = from.iter().filter(|(_, old)| !to.iter().any(|rule| rule.same_traffic(old)));
    let removed: Vec<String> = gone.map(|(id, _)| id.clone()).collect();
    let permissions = |rules: &[&Rule]| rules.iter().map(|rule| rule.permission()).collect::<Vec<_>>();
    let ec2 = aws.ec2();
    if !renamed.is_empty() {
        let call = ec2.modify_security_group_rules().group_id(id).set_security_group_rules(Some(renamed));
        call.send().await.idempotent("ec2:ModifySecurityGroupRules")?;
    }
    match authorize(aws, id, egress, permissions(&added)).await {
        // In a group that is nearly full there is room only after what goes has gone (VPC User Guide, "Amazon VPC quotas").
        Err(failure) if says(&failure, &["RulesPerSecurityGroupLimitExceeded"]) && !removed.is_empty() => {
            revoke(aws, id, egress, removed).await?;
            authorize(aws, id, egress, permissions(&added)).await
        }
        Err(failure) => Err(failure),
        Ok(()) => revoke(aws, id, egress, removed).await,
    }
}

async fn authorize(aws: &Aws, id: &str, egress: bool, rules: Vec<IpPermission>) -> Outcome<()> {
    let ec2 = aws.ec2();
    if rules.is_empty() {
        return Ok(());
    }
    if egress {
        let call = ec2.authorize_security_group_egress().group_id(id).set_ip_permissions(Some(rules));
        send_once!(aws_sdk_ec2, call).await.sent_once("ec2:AuthorizeSecurityGroupEgress").map(drop)
    } else {
        let call = ec2.authorize_security_group_ingress().group_id(id).set_ip_permissions(Some(rules));
        send_once!(aws_sdk_ec2, call).await.sent_once("ec2:AuthorizeSecurityGroupIngress").map(drop)
    }
}

async fn revoke(aws: &Aws, id: &str, egress: bool, rules: Vec<String>) -> Outcome<()> {
    let ec2 = aws.ec2();
    if rules.is_empty() {
        return Ok(());
    }
    if egress {
        let call = ec2.revoke_security_group_egress().group_id(id).set_security_group_rule_ids(Some(rules));
        call.send().await.or_gone("ec2:RevokeSecurityGroupEgress").map(drop)
    } else {
        let call = ec2.revoke_security_group_ingress().group_id(id).set_security_group_rule_ids(Some(rules));
        call.send().await.or_gone("ec2:RevokeSecurityGroupIngress").map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canned::{Answer, Canned};

    #[test]
    fn what_aws_adds_for_ipv6_belongs_to_its_default_alone() {
        let (ipv4, ipv6) = (Rule::everything_ipv4(), Rule::everything_ipv6());
        let now = |rules: &[&Rule]| rules.iter().map(|rule| ("sgr-1".to_owned(), (*rule).clone())).collect::<Vec<_>>();
        let default = std::slice::from_ref(&ipv4);
        assert_eq!(wanted_egress(&now(&[&ipv4, &ipv6]), default), [ipv4.clone(), ipv6.clone()]);
        assert_eq!(wanted_egress(&now(&[&ipv4]), default), default);
        let described = Rule { description: Some("out".to_owned()), ..ipv4.clone() };
        assert_eq!(wanted_egress(&now(&[&ipv4, &ipv6]), std::slice::from_ref(&described)), [described]);
        assert!(wanted_egress(&now(&[&ipv4, &ipv6]), &[]).is_empty());
    }

    #[tokio::test]
    async fn a_full_group_loses_rules_before_it_gets_others() {
        let full = std::sync::atomic::AtomicBool::new(true);
        let canned = Canned::new(move |action, _| {
            use std::sync::atomic::Ordering::Relaxed;
            match action {
                "AuthorizeSecurityGroupIngress" if full.load(Relaxed) => Answer::Refused("RulesPerSecurityGroupLimitExceeded"),
                "RevokeSecurityGroupIngress" => {
                    full.store(false, Relaxed);
                    Answer::Done(String::new())
                }
                _ => Answer::Done(String::new()),
            }
        });
        let (old, new) = (("sgr-1".to_owned(), Rule::everything_ipv4()), Rule::everything_ipv6());
        change_rules(&canned.aws, "sg-1", false, &[old], &[new]).await.unwrap();
        let changes = canned.changes();
        let order: Vec<&str> = changes.iter().map(|call| call.split(' ').next().unwrap_or_default()).collect();
        assert_eq!(order, ["AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress", "AuthorizeSecurityGroupIngress"]);
        assert!(changes[1].contains("SecurityGroupRuleId.1=sgr-1"), "{}", changes[1]);
    }
}
