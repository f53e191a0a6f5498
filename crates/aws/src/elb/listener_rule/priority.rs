//! Priorities: no two rules of a listener have the same one at any time, so that rules which exchange theirs have to
//! do so in one call (Elastic Load Balancing API Reference, SetRulePriorities).

use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types as api;

use crate::client::Aws;
use crate::elb::tags_of;
use crate::error::OrFail;
use crate::repeat::Changing;
use crate::resource::Tags;
use leoctl_core::engine::ports::{Failure, Operation, Outcome};
use leoctl_core::plan::desired::STACK_TAG;

/// The highest priority (Elastic Load Balancing API Reference, CreateRule).
const HIGHEST: i32 = 50_000;

/// How often the rules are looked at again: other rules of the listener may be changing at the same moment.
const ATTEMPTS: u32 = 20;

/// Who wants a priority.
pub(super) struct Claim<'a> {
    /// The rule, when it exists.
    pub rule: Option<&'a str>,
    /// Its listener.
    pub listener: &'a str,
    /// The priority it is to have.
    pub priority: i32,
    /// The tags it is to have.
    pub tags: &'a Tags,
}

/// Whether a failure is that another rule has the priority.
pub(super) fn is_taken(failure: &Failure) -> bool {
    failure.code.as_deref() == Some("PriorityInUse")
}

/// Gives an existing rule its priority.
///
/// # Errors
/// When AWS refuses, or a rule of somebody else has it.
pub(super) async fn set(aws: &Aws, operation: &Operation, claim: &Claim<'_>) -> Outcome<()> {
    let Some(rule) = claim.rule else { return Ok(()) };
    let mut moves = vec![(rule.to_owned(), claim.priority)];
    for attempt in 1.. {
        let taken = match apply(aws, &moves).await {
            Err(failure) if is_taken(&failure) && attempt < ATTEMPTS => failure,
            outcome => return outcome,
        };
        if attempt > 1 {
            operation.pause(Duration::from_millis(200), "waiting for other rules of the listener").await?;
        }
        moves = vec![(rule.to_owned(), claim.priority)];
        moves.extend(out_of_the_way(aws, claim, taken).await?);
    }
    Ok(())
}

/// Moves the rule of this stack that has the priority of a rule to be created out of the way.
///
/// # Errors
/// The failure given when a rule of somebody else has it; or AWS refuses.
pub(super) async fn make_free(aws: &Aws, claim: &Claim<'_>, taken: Failure) -> Outcome<()> {
    match out_of_the_way(aws, claim, taken).await? {
        Some(moved) => apply(aws, &[moved]).await,
        None => Ok(()),
    }
}

async fn apply(aws: &Aws, moves: &[(String, i32)]) -> Outcome<()> {
    let pairs = moves.iter().map(|(rule, priority)| api::RulePriorityPair::builder().rule_arn(rule).priority(*priority).build());
    let call = aws.elb().set_rule_priorities().set_rule_priorities(Some(pairs.collect()));
    call.send().await.idempotent("elasticloadbalancing:SetRulePriorities").map(drop)
}

/// The rule that has the wanted priority, and another priority for it until its own change gives it the right one.
/// None when the priority has become free; `taken` when the rule is not of this stack, and so stays where it is.
async fn out_of_the_way(aws: &Aws, claim: &Claim<'_>, taken: Failure) -> Outcome<Option<(String, i32)>> {
    let mut pages = aws.elb().describe_rules().listener_arn(claim.listener).into_paginator().send();
    let mut rules = Vec::new();
    while let Some(page) = pages.next().await {
        let found = page.or_fail("elasticloadbalancing:DescribeRules")?.rules.unwrap_or_default();
        rules.extend(found.into_iter().filter_map(|rule| Some((rule.rule_arn?, rule.priority?.parse().ok()?))));
    }
    let Some((other, free)) = exchange(&rules, claim.rule, claim.priority) else { return Ok(None) };
    let tags = tags_of(aws, std::slice::from_ref(&other)).await?;
    let stack = |tags: &Tags| tags.get(STACK_TAG).cloned();
    match tags.get(&other).and_then(stack) {
        Some(of) if Some(&of) == claim.tags.get(STACK_TAG) => Ok(Some((other, free))),
        _ => Err(taken),
    }
}

/// Of the rules of a listener with their priorities, the one that has `wanted`, and what it gets in exchange: what
/// `rule` has, or the highest that is free.
fn exchange(rules: &[(String, i32)], rule: Option<&str>, wanted: i32) -> Option<(String, i32)> {
    let (other, _) = rules.iter().find(|(arn, priority)| *priority == wanted && Some(arn.as_str()) != rule)?;
    let own = rules.iter().find(|(arn, _)| Some(arn.as_str()) == rule).map(|(_, priority)| *priority);
    let is_free = |priority: &i32| rules.iter().all(|(_, taken)| taken != priority);
    let free = own.or_else(|| (1..=HIGHEST).rev().find(is_free))?;
    Some((other.clone(), free))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every rule's own change, one after the other.
    fn settled(from: &[(&str, i32)], to: &[(&str, i32)]) -> Vec<(String, i32)> {
        let mut rules: Vec<(String, i32)> = from.iter().map(|(arn, priority)| ((*arn).to_owned(), *priority)).collect();
        for (rule, wanted) in to {
            if let Some((other, free)) = exchange(&rules, Some(rule), *wanted) {
                rules.iter_mut().filter(|(arn, _)| *arn == other).for_each(|(_, priority)| *priority = free);
            }
            rules.iter_mut().filter(|(arn, _)| arn == rule).for_each(|(_, priority)| *priority = *wanted);
            let mut priorities: Vec<i32> = rules.iter().map(|(_, priority)| *priority).collect();
            priorities.sort_unstable();
            priorities.dedup();
            assert_eq!(priorities.len(), rules.len(), "{rules:?}");
        }
        rules
    }

    #[test]
    fn rules_that_exchange_or_shift_their_priorities_end_where_they_belong() {
        let from = [("a", 1), ("b", 2), ("c", 3), ("d", 9)];
        for to in [
            [("a", 2), ("b", 1), ("c", 3), ("d", 9)],
            [("a", 2), ("b", 3), ("c", 4), ("d", 9)],
            [("c", 1), ("a", 3), ("b", 2), ("d", 9)],
            [("d", 1), ("a", 2), ("b", 3), ("c", 9)],
            [("b", 3), ("c", 1), ("a", 2), ("d", 9)],
        ] {
            let settled = settled(&from, &to);
            for (rule, wanted) in to {
                assert!(settled.contains(&(rule.to_owned(), wanted)), "{to:?}: {settled:?}");
            }
        }
    }

    #[test]
    fn what_is_in_the_way_of_a_new_rule_goes_to_the_highest_free_priority() {
        let rules = [("a".to_owned(), 1), ("b".to_owned(), HIGHEST)];
        assert_eq!(exchange(&rules, None, 1), Some(("a".to_owned(), HIGHEST - 1)));
        assert_eq!(exchange(&rules, None, 2), None);
    }
}
