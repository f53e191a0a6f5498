//! The resource type `lb_listener_rule`.

use aws_sdk_elasticloadbalancingv2::types as api;
use futures_util::future::try_join;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::action::{self, Action};
use super::{batched, tags_of, to_api, update_tags};
use crate::aws::client::{Aws, send_once};
use crate::aws::error::{OrAbsent, OrFail};
use crate::aws::resource::{Info, Resource, Tags};
use crate::engine::ports::{Operation, Outcome, Wanted};
use crate::model::path::Path;
use crate::model::value::Value;

/// A rule of a listener: for requests like these, do that.
///
/// Import by ARN: `arn:aws:elasticloadbalancing:…:listener-rule/app/…`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LbListenerRule {
    /// The listener.
    #[schemars(extend("x-replace" = true, "x-format" = "arn"))]
    listener_arn: String,
    /// Rules are tried in this order, lowest first; no two rules of a listener have the same.
    #[schemars(range(min = 1, max = 50000))]
    priority: i32,
    /// What a request must be like, all of it.
    #[schemars(extend("x-set" = true))]
    conditions: Vec<Condition>,
    /// What to do with such a request.
    actions: Vec<Action>,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The ARN, which is also the id.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
}

/// What a request must be like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// What is looked at.
    #[schemars(extend("enum" = ["host-header", "path-pattern", "http-header", "http-request-method", "query-string", "source-ip"]))]
    field: String,
    /// Any of these, for every field but `query-string`. `*` and `?` stand for any characters and any one.
    #[schemars(extend("default" = [], "x-set" = true))]
    values: Vec<String>,
    /// The header, for `http-header`.
    http_header_name: Option<String>,
    /// Any of these, for `query-string`.
    #[schemars(extend("default" = [], "x-set" = true))]
    query_strings: Vec<QueryString>,
}

/// A part of a query.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryString {
    /// The key; any when left out.
    key: Option<String>,
    /// The value.
    value: String,
}

impl Condition {
    fn from_api(condition: &api::RuleCondition) -> Self {
        let mut values = condition.host_header_config().map(|config| config.values()).unwrap_or_default().to_vec();
        values.extend_from_slice(condition.path_pattern_config().map(|config| config.values()).unwrap_or_default());
        values.extend_from_slice(condition.http_header_config().map(|config| config.values()).unwrap_or_default());
        values.extend_from_slice(condition.http_request_method_config().map(|config| config.values()).unwrap_or_default());
        values.extend_from_slice(condition.source_ip_config().map(|config| config.values()).unwrap_or_default());
        if values.is_empty() {
            values = condition.values().to_vec();
        }
        let queries = condition.query_string_config().map(|config| config.values()).unwrap_or_default();
        Self {
            field: condition.field().unwrap_or_default().to_owned(),
            values,
            http_header_name: condition.http_header_config().and_then(|config| config.http_header_name()).map(str::to_owned),
            query_strings: queries
                .iter()
                .map(|pair| QueryString { key: pair.key().map(str::to_owned), value: pair.value().unwrap_or_default().to_owned() })
                .collect(),
        }
    }

    fn to_api(&self) -> api::RuleCondition {
        let values = Some(self.values.clone());
        let condition = api::RuleCondition::builder().field(&self.field);
        let condition = match self.field.as_str() {
            "host-header" => condition.host_header_config(api::HostHeaderConditionConfig::builder().set_values(values).build()),
            "path-pattern" => condition.path_pattern_config(api::PathPatternConditionConfig::builder().set_values(values).build()),
            "http-header" => condition.http_header_config(
                api::HttpHeaderConditionConfig::builder().set_http_header_name(self.http_header_name.clone()).set_values(values).build(),
            ),
            "http-request-method" => {
                condition.http_request_method_config(api::HttpRequestMethodConditionConfig::builder().set_values(values).build())
            }
            "source-ip" => condition.source_ip_config(api::SourceIpConditionConfig::builder().set_values(values).build()),
            _ => {
                let pairs = self.query_strings.iter();
                let pairs = pairs.map(|pair| api::QueryStringKeyValuePair::builder().set_key(pair.key.clone()).value(&pair.value).build());
                condition.query_string_config(api::QueryStringConditionConfig::builder().set_values(Some(pairs.collect())).build())
            }
        };
        condition.build()
    }
}

fn conditions(conditions: &[Condition]) -> Option<Vec<api::RuleCondition>> {
    Some(conditions.iter().map(Condition::to_api).collect())
}

impl LbListenerRule {
    async fn describe(aws: &Aws, arns: &[String]) -> Outcome<Vec<api::Rule>> {
        batched(arns, async |arns| {
            let call = aws.elb().describe_rules().set_rule_arns(Some(arns));
            Ok(call.send().await.or_fail("elasticloadbalancing:DescribeRules")?.rules.unwrap_or_default())
        })
        .await
    }
}

impl Resource for LbListenerRule {
    const TYPE: &'static str = "lb_listener_rule";
    const INFO: Info = Info { timeout: 300, ..Info::DEFAULT };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let actions = desired.get("actions").and_then(Value::as_list).unwrap_or_default();
        let mut problems: Vec<(Path, String)> =
            actions.iter().filter_map(action::problem).map(|problem| (Path::attribute("actions"), problem)).collect();
        for condition in desired.get("conditions").and_then(Value::as_list).unwrap_or_default() {
            let has = |key: &str| condition.get(key).is_some_and(|value| !value.is_null());
            let problem = match condition.get("field").and_then(Value::as_str) {
                Some("query-string") if !has("query_strings") => "a query-string condition needs `query_strings`",
                Some("http-header") if !has("http_header_name") => "an http-header condition needs `http_header_name`",
                Some(field) if field != "query-string" && !has("values") => "a condition needs `values`",
                _ => continue,
            };
            problems.push((Path::attribute("conditions"), problem.to_owned()));
        }
        problems
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
        let call = aws.elb().describe_rules().listener_arn(listener);
        let found = call.send().await.or_fail("elasticloadbalancing:DescribeRules").or_absent()?;
        let found = found.and_then(|found| found.rules).unwrap_or_default();
        let there = found.into_iter().filter(|rule| rule.priority() == Some(&priority.to_string()));
        Ok(wanted.pick(there.filter_map(|rule| rule.rule_arn)))
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let call = aws
            .elb()
            .create_rule()
            .listener_arn(&to.listener_arn)
            .priority(to.priority)
            .set_conditions(conditions(&to.conditions))
            .set_actions(action::to_api(&to.actions))
            .set_tags(to_api(&to.tags));
        let made = send_once!(aws_sdk_elasticloadbalancingv2, call).await.or_fail("elasticloadbalancing:CreateRule")?;
        Ok(made.rules().first().and_then(|rule| rule.rule_arn()).unwrap_or_default().to_owned())
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self { priority, conditions: wanted, actions, tags, listener_arn: _, arn: _ } = to;
        if *priority != from.priority {
            let pair = api::RulePriorityPair::builder().rule_arn(id).priority(*priority).build();
            aws.elb().set_rule_priorities().rule_priorities(pair).send().await.or_fail("elasticloadbalancing:SetRulePriorities")?;
        }
        if *wanted != from.conditions || *actions != from.actions {
            let call = aws.elb().modify_rule().rule_arn(id).set_conditions(conditions(wanted)).set_actions(action::to_api(actions));
            call.send().await.or_fail("elasticloadbalancing:ModifyRule")?;
        }
        update_tags(aws, id, &from.tags, tags).await
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        aws.elb().delete_rule().rule_arn(id).send().await.or_fail("elasticloadbalancing:DeleteRule").or_absent().map(drop)
    }
}
