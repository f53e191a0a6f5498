//! What a schedule calls.

use std::collections::BTreeMap;

use aws_sdk_scheduler::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ecs::EcsParameters;
use super::unbuilt;
use leoctl_core::engine::ports::Outcome;

/// What a schedule calls, and as whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// What is called: a function, a queue, the cluster tasks are started in, or any API operation as
    /// `arn:aws:scheduler:::aws-sdk:SERVICE:OPERATION`.
    #[schemars(extend("x-format" = "arn"))]
    arn: String,
    /// The role it is called as.
    #[schemars(extend("x-format" = "arn:iam"))]
    role_arn: String,
    /// What it is called with: the text as it is, JSON for most targets.
    input: Option<String>,
    /// How often it is called again when it fails.
    #[schemars(extend("default" = {}))]
    retry_policy: RetryPolicy,
    /// Where calls go that failed for good.
    dead_letter_config: Option<DeadLetter>,
    /// The tasks that are started.
    ecs_parameters: Option<EcsParameters>,
    /// What an event of an event bus says of itself.
    event_bridge_parameters: Option<EventBridge>,
    /// Where in a Kinesis stream a record goes.
    kinesis_parameters: Option<Kinesis>,
    /// In which group of a FIFO queue a message is.
    sqs_parameters: Option<Sqs>,
    /// Parameters of a SageMaker pipeline, by name.
    #[schemars(extend("default" = {}))]
    sage_maker_pipeline_parameters: BTreeMap<String, String>,
}

/// How often something that failed is called again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryPolicy {
    /// Seconds after which it is given up.
    #[schemars(extend("default" = 86_400), range(min = 60, max = 86_400))]
    maximum_event_age_in_seconds: i32,
    /// How often.
    #[schemars(extend("default" = 185), range(min = 0, max = 185))]
    maximum_retry_attempts: i32,
}

/// Where calls go that failed for good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeadLetter {
    /// The queue.
    #[schemars(extend("x-format" = "arn:sqs"))]
    arn: String,
}

/// What an event says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventBridge {
    /// What it is about.
    #[schemars(length(max = 128))]
    detail_type: String,
    /// Where it is from; what begins with `aws.` is AWS's own.
    #[schemars(extend("pattern" = "^([/._A-Za-z0-9-].*|\\$([.][A-Za-z0-9_-]+(\\[([0-9]+|[*])\\])*)*)$", "x-form" = "letters, digits and /._- or a path such as $.source"), length(max = 256))]
    source: String,
}

/// Where in a stream a record goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Kinesis {
    /// What the shard is chosen by.
    #[schemars(length(max = 256))]
    partition_key: String,
}

/// In which group of a FIFO queue a message is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sqs {
    /// The group.
    message_group_id: String,
}

// AWS's defaults: EventBridge Scheduler API Reference, RetryPolicy.
const LONGEST: i32 = 86_400;
const MOST: i32 = 185;

impl Target {
    /// The target for a call.
    ///
    /// # Errors
    /// When the SDK finds it incomplete.
    pub fn to_api(&self) -> Outcome<api::Target> {
        let Self {
            arn,
            role_arn,
            input,
            retry_policy: RetryPolicy { maximum_event_age_in_seconds, maximum_retry_attempts },
            dead_letter_config,
            ecs_parameters,
            event_bridge_parameters,
            kinesis_parameters,
            sqs_parameters,
            sage_maker_pipeline_parameters,
        } = self;
        let retry = api::RetryPolicy::builder()
            .maximum_event_age_in_seconds(*maximum_event_age_in_seconds)
            .maximum_retry_attempts(*maximum_retry_attempts);
        let event = |event: &EventBridge| {
            let event = api::EventBridgeParameters::builder().detail_type(&event.detail_type).source(&event.source);
            event.build().map_err(unbuilt)
        };
        let record = |record: &Kinesis| api::KinesisParameters::builder().partition_key(&record.partition_key).build().map_err(unbuilt);
        let named =
            |(name, value): (&String, &String)| api::SageMakerPipelineParameter::builder().name(name).value(value).build().map_err(unbuilt);
        let pipeline = sage_maker_pipeline_parameters.iter().map(named).collect::<Outcome<Vec<_>>>()?;
        let pipeline = Some(pipeline).filter(|all| !all.is_empty());
        api::Target::builder()
            .arn(arn)
            .role_arn(role_arn)
            .set_input(input.clone())
            .retry_policy(retry.build())
            .set_dead_letter_config(dead_letter_config.as_ref().map(|queue| api::DeadLetterConfig::builder().arn(&queue.arn).build()))
            .set_ecs_parameters(ecs_parameters.as_ref().map(EcsParameters::to_api).transpose()?)
            .set_event_bridge_parameters(event_bridge_parameters.as_ref().map(event).transpose()?)
            .set_kinesis_parameters(kinesis_parameters.as_ref().map(record).transpose()?)
            .set_sqs_parameters(
                sqs_parameters.as_ref().map(|group| api::SqsParameters::builder().message_group_id(&group.message_group_id).build()),
            )
            .set_sage_maker_pipeline_parameters(
                pipeline.map(|all| api::SageMakerPipelineParameters::builder().set_pipeline_parameter_list(Some(all)).build()),
            )
            .build()
            .map_err(unbuilt)
    }

    /// The target AWS returned.
    pub fn from_api(found: &api::Target) -> Self {
        let retry = found.retry_policy();
        let pipeline = found.sage_maker_pipeline_parameters().map(api::SageMakerPipelineParameters::pipeline_parameter_list);
        let pipeline = pipeline.unwrap_or_default().iter().map(|one| (one.name().to_owned(), one.value().to_owned()));
        Self {
            arn: found.arn().to_owned(),
            role_arn: found.role_arn().to_owned(),
            input: found.input().map(str::to_owned),
            retry_policy: RetryPolicy {
                maximum_event_age_in_seconds: retry.and_then(|retry| retry.maximum_event_age_in_seconds()).unwrap_or(LONGEST),
                maximum_retry_attempts: retry.and_then(|retry| retry.maximum_retry_attempts()).unwrap_or(MOST),
            },
            dead_letter_config: found.dead_letter_config().and_then(|queue| queue.arn()).map(|arn| DeadLetter { arn: arn.to_owned() }),
            ecs_parameters: found.ecs_parameters().map(EcsParameters::from_api),
            event_bridge_parameters: found
                .event_bridge_parameters()
                .map(|event| EventBridge { detail_type: event.detail_type().to_owned(), source: event.source().to_owned() }),
            kinesis_parameters: found.kinesis_parameters().map(|record| Kinesis { partition_key: record.partition_key().to_owned() }),
            sqs_parameters: found
                .sqs_parameters()
                .and_then(|group| group.message_group_id())
                .map(|group| Sqs { message_group_id: group.to_owned() }),
            sage_maker_pipeline_parameters: pipeline.collect(),
        }
    }
}
