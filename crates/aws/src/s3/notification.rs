//! Whom a bucket tells of changes to its objects.

use aws_sdk_s3::operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput;
use aws_sdk_s3::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::unbuilt;
use leoctl_core::engine::ports::Outcome;

/// A queue, topic or function that is told of changes to objects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Notification {
    /// The name, unique in the bucket.
    id: String,
    /// Whom to tell: an SQS queue, an SNS topic or a Lambda function, which has to allow it.
    #[schemars(extend("x-format" = "arn:sqs|sns|lambda"))]
    target_arn: String,
    /// Of what, such as `s3:ObjectCreated:*`.
    #[schemars(extend("x-set" = true))]
    events: Vec<String>,
    /// Only of objects whose key begins so.
    #[schemars(extend("default" = ""))]
    filter_prefix: String,
    /// Only of objects whose key ends so.
    #[schemars(extend("default" = ""))]
    filter_suffix: String,
}

impl Notification {
    /// The service in the target's ARN, which says what kind of target it is.
    fn service(&self) -> &str {
        self.target_arn.split(':').nth(2).unwrap_or_default()
    }

    fn filter(&self) -> Option<api::NotificationConfigurationFilter> {
        let rule = |name, value: &str| (!value.is_empty()).then(|| api::FilterRule::builder().name(name).value(value).build());
        let rules = [rule(api::FilterRuleName::Prefix, &self.filter_prefix), rule(api::FilterRuleName::Suffix, &self.filter_suffix)];
        let rules: Vec<_> = rules.into_iter().flatten().collect();
        let key = || api::S3KeyFilter::builder().set_filter_rules(Some(rules.clone())).build();
        (!rules.is_empty()).then(|| api::NotificationConfigurationFilter::builder().key(key()).build())
    }

    fn from_api(id: Option<&str>, target: &str, events: &[api::Event], filter: Option<&api::NotificationConfigurationFilter>) -> Self {
        let rules = filter.and_then(|filter| filter.key()).map(api::S3KeyFilter::filter_rules).unwrap_or_default();
        // AWS returns the names with a capital letter.
        let of = |name: &str| rules.iter().find(|rule| rule.name().is_some_and(|found| found.as_str().eq_ignore_ascii_case(name)));
        let value = |name: &str| of(name).and_then(|rule| rule.value()).unwrap_or_default().to_owned();
        Self {
            id: id.unwrap_or_default().to_owned(),
            target_arn: target.to_owned(),
            events: events.iter().map(|event| event.as_str().to_owned()).collect(),
            filter_prefix: value("prefix"),
            filter_suffix: value("suffix"),
        }
    }
}

/// The configuration for a call.
///
/// # Errors
/// When the SDK finds it incomplete.
pub fn to_api(notifications: &[Notification], event_bridge: bool) -> Outcome<api::NotificationConfiguration> {
    let (mut queues, mut topics, mut functions) = (Vec::new(), Vec::new(), Vec::new());
    for one in notifications {
        let events = one.events.iter().map(|event| api::Event::from(event.as_str())).collect();
        match one.service() {
            "sqs" => {
                let queue = api::QueueConfiguration::builder().id(&one.id).queue_arn(&one.target_arn);
                queues.push(queue.set_events(Some(events)).set_filter(one.filter()).build().map_err(unbuilt)?);
            }
            "sns" => {
                let topic = api::TopicConfiguration::builder().id(&one.id).topic_arn(&one.target_arn);
                topics.push(topic.set_events(Some(events)).set_filter(one.filter()).build().map_err(unbuilt)?);
            }
            _ => {
                let function = api::LambdaFunctionConfiguration::builder().id(&one.id).lambda_function_arn(&one.target_arn);
                functions.push(function.set_events(Some(events)).set_filter(one.filter()).build().map_err(unbuilt)?);
            }
        }
    }
    Ok(api::NotificationConfiguration::builder()
        .set_queue_configurations(Some(queues))
        .set_topic_configurations(Some(topics))
        .set_lambda_function_configurations(Some(functions))
        .set_event_bridge_configuration(event_bridge.then(|| api::EventBridgeConfiguration::builder().build()))
        .build())
}

/// The notifications AWS returned.
pub fn from_api(found: &GetBucketNotificationConfigurationOutput) -> Vec<Notification> {
    let queues = found.queue_configurations().iter();
    let queues = queues.map(|queue| Notification::from_api(queue.id(), queue.queue_arn(), queue.events(), queue.filter()));
    let topics = found.topic_configurations().iter();
    let topics = topics.map(|topic| Notification::from_api(topic.id(), topic.topic_arn(), topic.events(), topic.filter()));
    let functions = found.lambda_function_configurations().iter();
    let functions = functions
        .map(|function| Notification::from_api(function.id(), function.lambda_function_arn(), function.events(), function.filter()));
    queues.chain(topics).chain(functions).collect()
}
