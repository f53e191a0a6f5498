//! The resource type `sns_topic`.

use std::collections::HashMap;

use aws_sdk_sns::types::Tag;
use futures_util::future::{try_join, try_join_all};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Attributes, changed, document, text};
use crate::client::{Aws, send_once};
use crate::document::{Document, Policy};
use crate::error::{OrAbsent, OrFail, made_id, unbuilt};
use crate::given::problem_if;
use crate::permissions::{Grant, Permissions};
use crate::repeat::Changing;
use crate::resource::{EVENTUALLY, Info, Resource, Retry, Tags};
use crate::tags::{TagChange, collect};
use leoctl_core::engine::ports::{Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::value::Value;

/// A topic that messages are published to, for those who subscribed to it.
///
/// Import by ARN: `arn:aws:sns:…:NAME`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SnsTopic {
    /// The name, unique in account and region; that of a FIFO topic ends in `.fifo`.
    #[schemars(extend("x-replace" = true, "pattern" = r"^[a-zA-Z0-9_-]+(\.fifo)?$", "x-form" = "letters, digits, hyphens and underscores, and `.fifo` at the end of a FIFO topic's"), length(max = 256))]
    name: String,
    /// Whether messages keep their order and none is delivered twice.
    #[schemars(extend("default" = false, "x-replace" = true))]
    fifo_topic: bool,
    /// The sender's name in e-mails and text messages.
    #[schemars(length(max = 100))]
    display_name: Option<String>,
    /// Who may publish and subscribe; without, the account alone.
    #[schemars(extend("x-server" = true))]
    policy: Option<Policy>,
    /// How deliveries over HTTP are tried again, in SNS's own keys.
    #[schemars(extend("x-document" = "delivery"))]
    delivery_policy: Option<Document>,
    /// The KMS key messages are encrypted with, such as `alias/aws/sns`.
    kms_master_key_id: Option<String>,
    /// Whether X-Ray traces messages by itself: `Active`.
    #[schemars(extend("default" = "PassThrough", "enum" = ["PassThrough", "Active"]))]
    tracing_config: String,
    /// What messages are signed with: `1` is SHA1, `2` SHA256.
    #[schemars(extend("default" = "1", "enum" = ["1", "2"]))]
    signature_version: String,
    /// The largest message, in bytes.
    #[schemars(extend("default" = 262_144), range(min = 1024, max = 1_048_576))]
    maximum_message_size: i32,
    /// Whether messages of the same content are the same, in a FIFO topic.
    #[schemars(extend("default" = false))]
    content_based_deduplication: bool,
    /// In what a message is not delivered twice, in a FIFO topic: the smaller, the faster.
    #[schemars(extend("x-server" = true, "enum" = ["Topic", "MessageGroup"]))]
    fifo_throughput_scope: Option<String>,
    /// How long a FIFO topic keeps messages, such as `{ MessageRetentionPeriod = 30 }` for days.
    archive_policy: Option<Document>,
    /// Which deliveries are logged.
    #[schemars(extend("default" = [], "x-key" = "protocol"))]
    delivery_status_logging: Vec<DeliveryStatus>,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The ARN, which is also the id.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
}

/// How deliveries over one protocol are logged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveryStatus {
    /// The protocol.
    #[schemars(extend("enum" = PROTOCOLS))]
    protocol: String,
    /// The role SNS logs failed deliveries with.
    #[schemars(extend("x-format" = "arn:iam"))]
    failure_feedback_role_arn: Option<String>,
    /// The role SNS logs successful deliveries with.
    #[schemars(extend("x-format" = "arn:iam"))]
    success_feedback_role_arn: Option<String>,
    /// How many of a hundred successful deliveries are logged.
    #[schemars(extend("x-server" = true), range(min = 0, max = 100))]
    success_feedback_sample_rate: Option<i32>,
}

const PROTOCOLS: [&str; 5] = ["HTTP", "Firehose", "Lambda", "Application", "SQS"];

impl DeliveryStatus {
    fn attributes(&self) -> [(String, String); 3] {
        let Self { protocol, failure_feedback_role_arn, success_feedback_role_arn, success_feedback_sample_rate } = self.clone();
        [
            (format!("{protocol}FailureFeedbackRoleArn"), failure_feedback_role_arn.unwrap_or_default()),
            (format!("{protocol}SuccessFeedbackRoleArn"), success_feedback_role_arn.unwrap_or_default()),
            (format!("{protocol}SuccessFeedbackSampleRate"), success_feedback_sample_rate.map(|rate| rate.to_string()).unwrap_or_default()),
        ]
    }

    fn from_api(protocol: &str, attributes: &HashMap<String, String>) -> Option<Self> {
        let get = |name: &str| text(attributes.get(&format!("{protocol}{name}")));
        let read = Self {
            protocol: protocol.to_owned(),
            failure_feedback_role_arn: get("FailureFeedbackRoleArn"),
            success_feedback_role_arn: get("SuccessFeedbackRoleArn"),
            success_feedback_sample_rate: get("SuccessFeedbackSampleRate").and_then(|rate| rate.parse().ok()),
        };
        (read.failure_feedback_role_arn.is_some() || read.success_feedback_role_arn.is_some()).then_some(read)
    }
}

impl SnsTopic {
    /// Everything that can be changed, as SNS has it; empty text is what was never set.
    fn attributes(&self) -> Attributes {
        let Self {
            name: _,
            fifo_topic: _,
            display_name,
            policy,
            delivery_policy,
            kms_master_key_id,
            tracing_config,
            signature_version,
            maximum_message_size,
            content_based_deduplication,
            fifo_throughput_scope,
            archive_policy,
            delivery_status_logging,
            tags: _,
            arn: _,
        } = self.clone();
        let document = |document: Option<Document>| document.map(|document| document.to_string()).unwrap_or_default();
        let given = [
            ("DisplayName", display_name.unwrap_or_default()),
            ("DeliveryPolicy", document(delivery_policy)),
            ("KmsMasterKeyId", kms_master_key_id.unwrap_or_default()),
            ("TracingConfig", tracing_config),
            ("SignatureVersion", signature_version),
            ("MaximumMessageSize", maximum_message_size.to_string()),
            ("ContentBasedDeduplication", content_based_deduplication.to_string()),
        ];
        let mut attributes: Attributes = given.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        attributes.extend(policy.map(|policy| ("Policy".to_owned(), policy.to_string())));
        attributes.extend(fifo_throughput_scope.map(|scope| ("FifoThroughputScope".to_owned(), scope)));
        // An archive is given up with an empty policy (SNS Developer Guide, "Message archiving for FIFO topic owners").
        attributes.insert("ArchivePolicy".to_owned(), archive_policy.map_or("{}".to_owned(), |policy| policy.to_string()));
        attributes.extend(delivery_status_logging.iter().flat_map(DeliveryStatus::attributes));
        attributes
    }

    /// A topic of this name that says nothing else.
    fn plain(&self) -> Self {
        Self {
            name: self.name.clone(),
            fifo_topic: self.fifo_topic,
            display_name: None,
            policy: None,
            delivery_policy: None,
            kms_master_key_id: None,
            tracing_config: "PassThrough".to_owned(),
            signature_version: "1".to_owned(),
            maximum_message_size: DEFAULT_SIZE,
            content_based_deduplication: false,
            fifo_throughput_scope: None,
            archive_policy: None,
            delivery_status_logging: Vec::new(),
            tags: Tags::new(),
            arn: String::new(),
        }
    }

    async fn read_one(aws: &Aws, arn: &str) -> Outcome<Option<(String, Self)>> {
        let attributes =
            async { aws.sns().get_topic_attributes().topic_arn(arn).send().await.or_fail("sns:GetTopicAttributes").or_absent() };
        let tags = async {
            let found = aws.sns().list_tags_for_resource().resource_arn(arn).send().await;
            found.or_fail("sns:ListTagsForResource").or_absent()
        };
        let (found, tags) = try_join(attributes, tags).await?;
        let Some(found) = found.and_then(|found| found.attributes) else { return Ok(None) };
        let get = |name: &str| found.get(name);
        let is = |name: &str| get(name).is_some_and(|value| value == "true");
        let tags = tags.and_then(|found| found.tags).unwrap_or_default();
        let read = Self {
            name: arn.rsplit(':').next().unwrap_or_default().to_owned(),
            fifo_topic: is("FifoTopic"),
            display_name: text(get("DisplayName")),
            policy: text(get("Policy")).map(|policy| Policy::parse(&policy)).transpose()?,
            delivery_policy: document(get("DeliveryPolicy"))?,
            kms_master_key_id: text(get("KmsMasterKeyId")),
            tracing_config: text(get("TracingConfig")).unwrap_or_else(|| "PassThrough".to_owned()),
            signature_version: text(get("SignatureVersion")).unwrap_or_else(|| "1".to_owned()),
            maximum_message_size: get("MaximumMessageSize").and_then(|size| size.parse().ok()).unwrap_or(DEFAULT_SIZE),
            content_based_deduplication: is("ContentBasedDeduplication"),
            fifo_throughput_scope: text(get("FifoThroughputScope")),
            archive_policy: document(get("ArchivePolicy"))?,
            delivery_status_logging: PROTOCOLS.iter().filter_map(|protocol| DeliveryStatus::from_api(protocol, &found)).collect(),
            tags: collect(tags.iter().map(|tag| (tag.key(), tag.value()))),
            arn: arn.to_owned(),
        };
        Ok(Some((arn.to_owned(), read)))
    }
}

/// Bytes a message can have in a topic that says nothing.
const DEFAULT_SIZE: i32 = 262_144;

fn to_api(tags: &Tags) -> Outcome<Vec<Tag>> {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    tags.collect::<Result<_, _>>().map_err(unbuilt)
}

impl Resource for SnsTopic {
    const TYPE: &'static str = "sns_topic";
    // A role or key made a moment ago may not be known everywhere yet.
    const INFO: Info = Info {
        unique: &[&["name"]],
        transient: &[Retry::always("ConcurrentAccess"), Retry::always("ConcurrentAccessException")],
        propagating: &[Retry::after("InvalidParameter", &["sns:CreateTopic", "sns:SetTopicAttributes"])],
        seen_within: EVENTUALLY,
        timeout: 300,
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:sns:{region}:{account}:{name}",
        plan: &[Grant::any(&["sts:GetCallerIdentity"]), Grant::itself(&["sns:GetTopicAttributes", "sns:ListTagsForResource"])],
        apply: &[
            Grant::itself(&["sns:CreateTopic", "sns:DeleteTopic", "sns:SetTopicAttributes", "sns:TagResource", "sns:UntagResource"]),
            Grant::pass("delivery_status_logging.failure_feedback_role_arn", "sns.amazonaws.com"),
            Grant::pass("delivery_status_logging.success_feedback_role_arn", "sns.amazonaws.com"),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let is_fifo = matches!(desired.get("fifo_topic"), Some(Value::Bool(true)));
        let named_so = desired.get("name").and_then(Value::as_str).map(|name| name.ends_with(".fifo"));
        let known = desired.get("fifo_topic").is_none_or(|fifo| matches!(fifo, Value::Bool(_)));
        let name = named_so.is_some_and(|named_so| known && named_so != is_fifo);
        let deduplicates = known && !is_fifo && matches!(desired.get("content_based_deduplication"), Some(Value::Bool(true)));
        let problems = [
            problem_if(name, "name", "the name of a FIFO topic, and of no other, ends in `.fifo`"),
            problem_if(deduplicates, "content_based_deduplication", "only a FIFO topic drops what it got twice"),
        ];
        problems.into_iter().flatten().collect()
    }

    fn protected(live: &Value) -> Option<&'static str> {
        // SNS Developer Guide, "Message archiving for FIFO topic owners": deactivating it deletes the archive.
        live.get("archive_policy").is_some_and(|policy| !policy.is_null()).then_some("archive_policy = null")
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let read = try_join_all(ids.iter().map(|arn| Self::read_one(aws, arn))).await?;
        Ok(read.into_iter().flatten().collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let Some(name) = wanted.text("name") else { return Ok(None) };
        // The ARN follows from the name; the list could have a thousand pages.
        let caller = aws.sts().get_caller_identity().send().await.or_fail("sts:GetCallerIdentity")?;
        let account = caller.account().unwrap_or_default();
        let arn = format!("arn:{}:sns:{}:{account}:{name}", crate::partition(&aws.region), aws.region);
        let found = aws.sns().get_topic_attributes().topic_arn(&arn).send().await.or_fail("sns:GetTopicAttributes").or_absent()?;
        Ok(wanted.pick(found.map(|_| arn)))
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let mut attributes: HashMap<_, _> = changed(&to.plain().attributes(), &Self::as_created(to).attributes()).into_iter().collect();
        if to.fifo_topic {
            attributes.insert("FifoTopic".to_owned(), "true".to_owned());
        }
        let call = aws.sns().create_topic().name(&to.name).set_attributes(Some(attributes)).set_tags(Some(to_api(&to.tags)?));
        let made = send_once!(aws_sdk_sns, call).await.sent_once("sns:CreateTopic")?;
        made_id("sns:CreateTopic", made.topic_arn())
    }

    fn as_created(to: &Self) -> Self {
        // Not among CreateTopic's attributes (SNS API Reference).
        Self { signature_version: "1".to_owned(), ..to.clone() }
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        // `attributes` takes it apart.
        for (name, value) in changed(&from.attributes(), &to.attributes()) {
            let call = aws.sns().set_topic_attributes().topic_arn(id).attribute_name(name).attribute_value(value);
            call.send().await.idempotent("sns:SetTopicAttributes")?;
        }
        let change = TagChange::between(&from.tags, &to.tags);
        if !change.set.is_empty() {
            let call = aws.sns().tag_resource().resource_arn(id).set_tags(Some(to_api(&change.set)?));
            call.send().await.idempotent("sns:TagResource")?;
        }
        if !change.remove.is_empty() {
            let call = aws.sns().untag_resource().resource_arn(id).set_tag_keys(Some(change.remove));
            call.send().await.idempotent("sns:UntagResource")?;
        }
        Ok(())
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        aws.sns().delete_topic().topic_arn(id).send().await.or_gone("sns:DeleteTopic").map(drop)
    }
}
