//! The resource type `sns_topic_subscription`.

use std::collections::HashMap;

use futures_util::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Attributes, changed, document, text};
use crate::client::{Aws, send_once};
use crate::document::Document;
use crate::error::{OrAbsent, OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::Changing;
use crate::resource::{EVENTUALLY, Info, Resource, Retry};
use leoctl_core::engine::ports::{Operation, Outcome, Wanted};
use leoctl_core::model::canonical::masked_url;
use leoctl_core::model::path::Path;
use leoctl_core::model::schema::{HangsOn, Named};
use leoctl_core::model::value::Value;

/// Somebody who gets the messages of a topic.
///
/// An e-mail address, and whatever answers a URL, confirms the subscription first: until then it is there, with
/// `pending_confirmation = true`, and nothing is delivered. AWS forgets one that nobody confirms after two days; the
/// next plan then makes it again, which sends the mail again.
///
/// Import by ARN: `arn:aws:sns:…:TOPIC:…`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SnsTopicSubscription {
    /// The topic.
    #[schemars(extend("x-replace" = true, "x-format" = "arn:sns"))]
    topic_arn: String,
    /// How messages get there.
    #[schemars(extend("x-replace" = true, "enum" = ["email", "email-json", "http", "https", "sqs", "lambda", "firehose", "sms", "application"]))]
    protocol: String,
    /// Where they go: an e-mail address, a URL, an ARN, a phone number. Of the password in a URL SNS returns `****`: that
    /// it changed is not seen, and replaces nothing.
    #[schemars(extend("x-replace" = true, "x-format" = "masked-url"))]
    endpoint: String,
    /// Which messages are delivered, in SNS's own form, such as `{ severity = ["high"] }`; all when left out.
    filter_policy: Option<Document>,
    /// What the filter looks at.
    #[schemars(extend("default" = "MessageAttributes", "enum" = ["MessageAttributes", "MessageBody"]))]
    filter_policy_scope: String,
    /// Whether the bare message is delivered, without SNS's JSON around it.
    #[schemars(extend("default" = false))]
    raw_message_delivery: bool,
    /// Where messages go that cannot be delivered: `{ deadLetterTargetArn = "arn:aws:sqs:…" }`.
    redrive_policy: Option<Document>,
    /// How deliveries over HTTP are tried again, in SNS's own keys.
    #[schemars(extend("x-document" = "delivery"))]
    delivery_policy: Option<Document>,
    /// The role SNS writes to a Firehose stream with.
    #[schemars(extend("x-format" = "arn:iam"))]
    subscription_role_arn: Option<String>,
    /// The ARN, which is also the id.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
    /// Whether it still has to be confirmed.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    pending_confirmation: bool,
}

/// The scope of filters that say nothing.
const DEFAULT_SCOPE: &str = "MessageAttributes";

impl SnsTopicSubscription {
    /// Everything that can be changed, as SNS has it; empty text is what was never set.
    fn attributes(&self) -> Attributes {
        let Self {
            topic_arn: _,
            protocol: _,
            endpoint: _,
            filter_policy,
            filter_policy_scope,
            raw_message_delivery,
            redrive_policy,
            delivery_policy,
            subscription_role_arn,
            arn: _,
            pending_confirmation: _,
        } = self.clone();
        let document = |document: Option<Document>| document.map(|document| document.to_string()).unwrap_or_default();
        let given = [
            // A filter goes with an empty one (SNS Developer Guide, "Removing a subscription filter policy").
            ("FilterPolicy", filter_policy.map_or("{}".to_owned(), |policy| policy.to_string())),
            ("FilterPolicyScope", filter_policy_scope),
            ("RawMessageDelivery", raw_message_delivery.to_string()),
            ("RedrivePolicy", document(redrive_policy)),
            ("DeliveryPolicy", document(delivery_policy)),
            ("SubscriptionRoleArn", subscription_role_arn.unwrap_or_default()),
        ];
        given.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The same subscription without anything that is optional.
    fn plain(&self) -> Self {
        Self {
            filter_policy: None,
            filter_policy_scope: DEFAULT_SCOPE.to_owned(),
            raw_message_delivery: false,
            redrive_policy: None,
            delivery_policy: None,
            subscription_role_arn: None,
            ..self.clone()
        }
    }

    fn from_api(arn: &str, found: &HashMap<String, String>) -> Outcome<Self> {
        let get = |name: &str| found.get(name);
        let is = |name: &str| get(name).is_some_and(|value| value == "true");
        Ok(Self {
            topic_arn: text(get("TopicArn")).unwrap_or_default(),
            protocol: text(get("Protocol")).unwrap_or_default(),
            endpoint: text(get("Endpoint")).unwrap_or_default(),
            filter_policy: document(get("FilterPolicy"))?,
            filter_policy_scope: text(get("FilterPolicyScope")).unwrap_or_else(|| DEFAULT_SCOPE.to_owned()),
            raw_message_delivery: is("RawMessageDelivery"),
            redrive_policy: document(get("RedrivePolicy"))?,
            delivery_policy: document(get("DeliveryPolicy"))?,
            subscription_role_arn: text(get("SubscriptionRoleArn")),
            arn: arn.to_owned(),
            pending_confirmation: is("PendingConfirmation"),
        })
    }

    async fn read_one(aws: &Aws, arn: &str) -> Outcome<Option<(String, Self)>> {
        let call = aws.sns().get_subscription_attributes().subscription_arn(arn);
        let found = call.send().await.or_fail("sns:GetSubscriptionAttributes").or_absent()?;
        let Some(found) = found.and_then(|found| found.attributes) else { return Ok(None) };
        Ok(Some((arn.to_owned(), Self::from_api(arn, &found)?)))
    }
}

/// The value of an attribute for a call: a redrive policy goes with none at all, and SNS takes no empty one.
fn sent(name: &str, value: String) -> Option<String> {
    Some(value).filter(|value| !value.is_empty() || name != "RedrivePolicy")
}

impl Resource for SnsTopicSubscription {
    const TYPE: &'static str = "sns_topic_subscription";
    // A role or queue made a moment ago may not be known everywhere yet.
    const INFO: Info = Info {
        unique: &[&["topic_arn", "protocol", "endpoint"]],
        transient: &[Retry::always("ConcurrentAccess"), Retry::always("ConcurrentAccessException")],
        propagating: &[Retry::after("InvalidParameter", &["sns:Subscribe", "sns:SetSubscriptionAttributes"])],
        seen_within: EVENTUALLY,
        timeout: 300,
        hangs_on: &[HangsOn { attribute: &["topic_arn"], names: Named::Attribute("sns_topic", "arn") }],
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "{topic_arn}",
        plan: &[Grant::any(&["sns:GetSubscriptionAttributes"]), Grant::itself(&["sns:ListSubscriptionsByTopic"])],
        apply: &[
            Grant::any(&["sns:SetSubscriptionAttributes", "sns:Unsubscribe"]),
            Grant::itself(&["sns:Subscribe"]),
            Grant::pass("subscription_role_arn", "sns.amazonaws.com"),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let filter = desired.get("filter_policy").is_some_and(|filter| !filter.is_null());
        let problem = || {
            (
                Path::attribute("filter_policy_scope"),
                "SNS forgets the scope of a filter that there is not: write a `filter_policy`".to_owned(),
            )
        };
        let scope = desired.get("filter_policy_scope").and_then(Value::as_str).unwrap_or(DEFAULT_SCOPE);
        (!filter && scope != DEFAULT_SCOPE).then(problem).into_iter().collect()
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        // The lists say nothing of a subscription but where it goes.
        let read = try_join_all(ids.iter().map(|arn| Self::read_one(aws, arn))).await?;
        Ok(read.into_iter().flatten().collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let (Some(topic), Some(protocol), Some(endpoint)) = (wanted.text("topic_arn"), wanted.text("protocol"), wanted.text("endpoint"))
        else {
            return Ok(None);
        };
        let mut pages = aws.sns().list_subscriptions_by_topic().topic_arn(topic).into_paginator().send();
        while let Some(page) = pages.next().await {
            let Some(page) = page.or_fail("sns:ListSubscriptionsByTopic").or_absent()? else { break };
            let is_it = |found: &str| found == endpoint || found == masked_url(endpoint);
            let same = page.subscriptions().iter().filter(|one| one.protocol() == Some(protocol) && one.endpoint().is_some_and(is_it));
            // The list has no ARN of one that is pending, or deleted a moment ago: subscribing once more is right for both,
            // as it makes no second one (SNS API Reference, Subscribe).
            let arns = same.filter_map(|one| one.subscription_arn()).filter(|arn| arn.starts_with("arn:"));
            if let Some(found) = wanted.pick(arns.map(str::to_owned)) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let call = aws
            .sns()
            .subscribe()
            .topic_arn(&to.topic_arn)
            .protocol(&to.protocol)
            .endpoint(&to.endpoint)
            .set_attributes(Some(changed(&to.plain().attributes(), &to.attributes()).into_iter().collect()))
            // Also of one that nobody has confirmed yet.
            .return_subscription_arn(true);
        let made = send_once!(aws_sdk_sns, call).await.sent_once("sns:Subscribe")?;
        made_id("sns:Subscribe", made.subscription_arn())
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        // `attributes` takes it apart. A filter on the body may be of a form that one on attributes may not.
        let mut changes = changed(&from.attributes(), &to.attributes());
        if to.filter_policy_scope != DEFAULT_SCOPE {
            changes.sort_by_key(|(name, _)| name != "FilterPolicyScope");
        }
        for (name, value) in changes {
            let value = sent(&name, value);
            let call = aws.sns().set_subscription_attributes().subscription_arn(id).attribute_name(name).set_attribute_value(value);
            call.send().await.idempotent("sns:SetSubscriptionAttributes")?;
        }
        Ok(())
    }

    async fn ready(aws: &Aws, operation: &Operation, id: &str, to: &Self) -> Outcome<()> {
        // Of one that is there already and waits to be confirmed, Subscribe returns the ARN and leaves the attributes as they
        // are.
        match Self::read_one(aws, id).await? {
            Some((_, there)) => Self::update(aws, operation, id, &there, to).await,
            None => Ok(()),
        }
    }

    async fn changed(_: &Aws, _: &Operation, _: &str, _: &Self, _: &Self) -> Outcome<()> {
        Ok(())
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        // One that is pending is its owner's to confirm or not; AWS forgets it by itself ("What's New with AWS", 10 May 2023:
        // after 48 hours).
        match Self::read_one(aws, id).await? {
            Some((_, live)) if !live.pending_confirmation => {
                aws.sns().unsubscribe().subscription_arn(id).send().await.or_gone("sns:Unsubscribe").map(drop)
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redrive_policy_goes_without_a_value() {
        assert_eq!(sent("RedrivePolicy", String::new()), None);
        assert_eq!(sent("DeliveryPolicy", String::new()).as_deref(), Some(""));
    }

    #[test]
    fn a_scope_needs_a_filter() {
        let problems = |json| SnsTopicSubscription::check(&Value::from(json)).len();
        assert_eq!(problems(serde_json::json!({ "filter_policy_scope": "MessageBody" })), 1);
        assert_eq!(problems(serde_json::json!({ "filter_policy_scope": "MessageBody", "filter_policy": { "a": ["b"] } })), 0);
        assert_eq!(problems(serde_json::json!({ "filter_policy_scope": "MessageAttributes" })), 0);
    }

    #[test]
    fn a_pending_subscription_differs_from_a_confirmed_one_in_nothing_that_is_written() {
        let attributes = |pending: &str| -> HashMap<String, String> {
            let given = [("TopicArn", "arn:aws:sns:us-east-1:1:t"), ("Protocol", "email"), ("Endpoint", "a@example.org")];
            let given = given.into_iter().chain([("PendingConfirmation", pending), ("RawMessageDelivery", "false")]);
            given.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
        };
        let pending = SnsTopicSubscription::from_api("arn:aws:sns:us-east-1:1:t:s", &attributes("true")).unwrap();
        let confirmed = SnsTopicSubscription::from_api("arn:aws:sns:us-east-1:1:t:s", &attributes("false")).unwrap();
        assert!(pending.pending_confirmation && !confirmed.pending_confirmation);
        assert_eq!(SnsTopicSubscription { pending_confirmation: false, ..pending.clone() }, confirmed);
        assert!(changed(&pending.plain().attributes(), &confirmed.attributes()).is_empty());
    }
}
