//! The resource type `lb_listener_rule`.

mod condition;
mod transform;

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types as api;
use futures_util::future::try_join;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::condition::Condition;
use self::transform::Transform;
use super::action::{self, Action};
use super::{batched, tags_of, to_api, update_tags};
use crate::client::{Aws, send_once};
use crate::ecs::movers;
use crate::error::{OrAbsent, OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::Changing;
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::value::Value;
use leoctl_core::plan::desired::Governor;

/// A rule of a listener: for requests like these, do that.
///
/// Import by ARN: `arn:aws:elasticloadbalancing:…:listener-rule/app/…`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LbListenerRule {
    /// The listener.
    #[schemars(extend("x-replace" = true, "x-format" = "arn:elasticloadbalancing"))]
    listener_arn: String,
    /// Rules are tried in this order, lowest first; no two rules of a listener have the same.
    #[schemars(range(min = 1, max = 50000))]
    priority: i32,
    /// What a request must be like, all of it.
    #[schemars(extend("x-set" = true))]
    conditions: Vec<Condition>,
    /// What to do with such a request, one after the other.
    actions: Vec<Action>,
    /// How such a request is changed on its way, for an application load balancer.
    #[schemars(extend("default" = [], "x-key" = "type"))]
    transforms: Vec<Transform>,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The ARN, which is also the id.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
}

impl LbListenerRule {
    async fn describe(aws: &Aws, arns: &[String]) -> Outcome<Vec<api::Rule>> {
        batched(arns, async |arns| {
            let call = aws.elb().describe_rules().set_rule_arns(Some(arns));
            Ok(call.send().await.or_fail("elasticloadbalancing:DescribeRules")?.rules.unwrap_or_default())
        })
        .await
    }

    /// Gives rules of one listener their priorities. That one of them has what another is to have is no matter, as no two
    /// have the same afterwards (Elastic Load Balancing API Reference, SetRulePriorities).
    async fn set_priorities(aws: &Aws, to: &[(&str, i32)]) -> Outcome<()> {
        let pairs = to.iter().map(|(rule, priority)| api::RulePriorityPair::builder().rule_arn(*rule).priority(*priority).build());
        let call = aws.elb().set_rule_priorities().set_rule_priorities(Some(pairs.collect()));
        call.send().await.idempotent("elasticloadbalancing:SetRulePriorities").map(drop)
    }
}

impl Resource for LbListenerRule {
    const TYPE: &'static str = "lb_listener_rule";
    // What it names may have been made a moment ago.
    const INFO: Info = Info {
        unique: &[&["listener_arn", "priority"]],
        joint: Some("priority"),
        propagating: &[
            Retry::after("ListenerNotFound", &["elasticloadbalancing:CreateRule"]),
            Retry::after("TargetGroupNotFound", &["elasticloadbalancing:CreateRule", "elasticloadbalancing:ModifyRule"]),
        ],
        timeout: 300,
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:elasticloadbalancing:{region}:{account}:listener-rule/{listener_arn after listener/}/*",
        plan: &[Grant::any(&["elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeTags"]), Grant::any(movers::ASKED)],
        apply: &[
            Grant::on(&["elasticloadbalancing:CreateRule"], &["{listener_arn}"]),
            Grant::itself(&[
                "elasticloadbalancing:AddTags",
                "elasticloadbalancing:DeleteRule",
                "elasticloadbalancing:ModifyRule",
                "elasticloadbalancing:RemoveTags",
                "elasticloadbalancing:SetRulePriorities",
            ]),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let items = |key: &str| desired.get(key).and_then(Value::as_list).unwrap_or_default();
        let conditions = items("conditions").iter().filter_map(Condition::problem).map(|problem| ("conditions", problem.to_owned()));
        let actions = action::problems(desired.get("actions")).into_iter().map(|problem| ("actions", problem));
        let transforms = items("transforms").iter().filter_map(Transform::problem).map(|problem| ("transforms", problem.to_owned()));
        let none = matches!(desired.get("conditions"), Some(Value::List(items)) if items.is_empty());
        let none = none.then(|| ("conditions", "a rule has a condition: what meets none is for the listener's own actions".to_owned()));
        let problems = conditions.chain(actions).chain(transforms).chain(none);
        problems.map(|(attribute, problem)| (Path::attribute(attribute), problem)).collect()
    }

    /// A deployment moves requests from one target group to another.
    fn yields(wanted: &Value, live: &Value, among: &[String]) -> Value {
        action::moved::yields(wanted, live, "actions", among)
    }

    fn undoes(before: &Value, after: &Value, drifted: bool) -> bool {
        action::moved::undoes(before, after, "actions", drifted)
    }

    async fn governors(aws: &Aws, ids: &[String]) -> Outcome<BTreeMap<String, Vec<Governor>>> {
        movers::of(aws, Self::TYPE, ids).await
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let (described, tags) = try_join(Self::describe(aws, ids), tags_of(aws, ids)).await?;
        let arns: Vec<String> = described.iter().filter_map(|rule| rule.rule_arn().map(str::to_owned)).collect();
        let read = described.iter().zip(arns).map(|(rule, arn)| {
            // arn:…:listener-rule/app/lb/id/listener/rule is a rule of arn:…:listener/app/lb/id/listener.
            let listener = arn.rsplit_once('/').map(|(listener, _)| listener.replacen(":listener-rule/", ":listener/", 1));
            let read = Self {
                listener_arn: listener.unwrap_or_default(),
                priority: rule.priority().and_then(|priority| priority.parse().ok()).unwrap_or_default(),
                conditions: rule.conditions().iter().map(Condition::from_api).collect(),
                actions: action::from_api(rule.actions()),
                transforms: rule.transforms().iter().map(Transform::from_api).collect(),
                tags: tags.get(&arn).cloned().unwrap_or_default(),
                arn: arn.clone(),
            };
            (arn, read)
        });
        Ok(read.collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        // No two rules of a listener have the same priority.
        let (Some(listener), Some(Value::Int(priority))) = (wanted.text("listener_arn"), wanted.desired.get("priority")) else {
            return Ok(None);
        };
        let mut pages = aws.elb().describe_rules().listener_arn(listener).into_paginator().send();
        while let Some(page) = pages.next().await {
            let Some(page) = page.or_fail("elasticloadbalancing:DescribeRules").or_absent()? else { return Ok(None) };
            let there = page.rules.unwrap_or_default().into_iter().filter(|rule| rule.priority() == Some(&priority.to_string()));
            let found = wanted.pick(there.filter_map(|rule| rule.rule_arn));
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let call = aws
            .elb()
            .create_rule()
            .listener_arn(&to.listener_arn)
            .priority(to.priority)
            .set_conditions(condition::to_api(&to.conditions))
            .set_actions(action::to_api(&[], &to.actions))
            .set_transforms(transform::to_api(&to.transforms))
            .set_tags(to_api(&to.tags));
        let made = send_once!(aws_sdk_elasticloadbalancingv2, call).await.sent_once("elasticloadbalancing:CreateRule")?;
        made_id("elasticloadbalancing:CreateRule", made.rules().first().and_then(|rule| rule.rule_arn()))
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self { priority, conditions, actions, transforms, tags, listener_arn: _, arn: _ } = to;
        if *priority != from.priority {
            Self::set_priorities(aws, &[(id, *priority)]).await?;
        }
        if *conditions != from.conditions || *actions != from.actions || *transforms != from.transforms {
            let call = aws
                .elb()
                .modify_rule()
                .rule_arn(id)
                // What is not sent stays (Elastic Load Balancing API Reference, ModifyRule): others move requests meanwhile.
                .set_conditions(condition::to_api(conditions).filter(|_| *conditions != from.conditions))
                .set_actions(action::to_api(&from.actions, actions).filter(|_| *actions != from.actions))
                .set_transforms(transform::to_api(transforms).filter(|_| *transforms != from.transforms))
                .set_reset_transforms((transforms.is_empty() && !from.transforms.is_empty()).then_some(true));
            call.send().await.idempotent("elasticloadbalancing:ModifyRule")?;
        }
        update_tags(aws, id, &from.tags, tags).await
    }

    async fn reassign(aws: &Aws, _: &Operation, to: &[(String, Value)]) -> Outcome<()> {
        let priority = |value: &Value| match value {
            Value::Int(priority) => i32::try_from(*priority).ok(),
            _ => None,
        };
        let wanted = to.iter().map(|(rule, value)| Some((rule.as_str(), priority(value)?)));
        let wanted = wanted.collect::<Option<Vec<_>>>();
        let wanted = wanted.ok_or_else(|| Failure::new(FailureKind::Invalid, "a priority is a whole number"))?;
        Self::set_priorities(aws, &wanted).await
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        aws.elb().delete_rule().rule_arn(id).send().await.or_gone("elasticloadbalancing:DeleteRule").map(drop)
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_elasticloadbalancingv2::types as api;

    use super::*;
    use crate::patience::tests::operation;
    use crate::scripted::{Answer, Scripted};

    fn rule(path: &str, group: &str) -> LbListenerRule {
        let condition = api::RuleCondition::builder().field("path-pattern").values(path).build();
        let forward = api::Action::builder().r#type(api::ActionTypeEnum::Forward).target_group_arn(group).build();
        LbListenerRule {
            listener_arn: "l".to_owned(),
            priority: 1,
            conditions: vec![Condition::from_api(&condition)],
            actions: action::from_api(&[forward]),
            transforms: Vec::new(),
            tags: Tags::new(),
            arn: "r".to_owned(),
        }
    }

    #[tokio::test]
    async fn a_change_sends_what_changed_as_others_move_requests_meanwhile() {
        let sent = async |from: &LbListenerRule, to: &LbListenerRule| {
            let scripted = Scripted::new(|_| Answer::ok("<ModifyRuleResponse><ModifyRuleResult/></ModifyRuleResponse>"));
            LbListenerRule::update(&scripted.aws, &operation(0), "r", from, to).await.unwrap();
            let body = scripted.calls().into_iter().map(|call| call.body).collect::<String>();
            ["Conditions.member", "Actions.member"].map(|member| body.contains(member))
        };
        assert_eq!(sent(&rule("/a", "one"), &rule("/b", "one")).await, [true, false]);
        assert_eq!(sent(&rule("/a", "one"), &rule("/a", "two")).await, [false, true]);
        assert_eq!(sent(&rule("/a", "one"), &rule("/a", "one")).await, [false, false]);
    }
}
