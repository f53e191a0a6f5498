//! How an instance is told about itself.

use aws_sdk_ec2::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::client::Aws;
use crate::repeat::Changing;
use leoctl_core::engine::ports::Outcome;
use leoctl_core::model::path::{Path, Segment};
use leoctl_core::model::value::Value;

// What is left out is the AMI's choice, or the account's (EC2 User Guide, "Configure instance metadata options":
// order of precedence).
/// The instance metadata service. What is left out, the AMI or the account's settings choose.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetadataOptions {
    /// Write `required`: then a request needs a token (IMDSv2), and nobody gets at the role's credentials through a
    /// proxy on the instance. `optional` answers without a token too.
    #[schemars(extend("x-server" = true, "enum" = ["optional", "required"]))]
    http_tokens: Option<String>,
    /// How many hops an answer may travel: 1 reaches the instance itself, 2 containers on it.
    #[schemars(extend("x-server" = true), range(min = 1, max = 64))]
    http_put_response_hop_limit: Option<i32>,
    /// Whether the service answers.
    #[schemars(extend("x-server" = true, "enum" = ["enabled", "disabled"]))]
    http_endpoint: Option<String>,
    /// Whether it answers over IPv6 too.
    #[schemars(extend("x-server" = true, "enum" = ["enabled", "disabled"]))]
    http_protocol_ipv6: Option<String>,
    /// Whether it tells the instance's tags.
    #[schemars(extend("x-server" = true, "enum" = ["enabled", "disabled"]))]
    instance_metadata_tags: Option<String>,
}

impl MetadataOptions {
    /// The options AWS returned.
    pub fn from_api(options: &api::InstanceMetadataOptionsResponse) -> Self {
        Self {
            http_tokens: options.http_tokens().map(|tokens| tokens.as_str().to_owned()),
            http_put_response_hop_limit: options.http_put_response_hop_limit(),
            http_endpoint: options.http_endpoint().map(|state| state.as_str().to_owned()),
            http_protocol_ipv6: options.http_protocol_ipv6().map(|state| state.as_str().to_owned()),
            instance_metadata_tags: options.instance_metadata_tags().map(|state| state.as_str().to_owned()),
        }
    }

    /// The options for a launch.
    pub fn to_api(&self) -> api::InstanceMetadataOptionsRequest {
        let Self { http_tokens, http_put_response_hop_limit, http_endpoint, http_protocol_ipv6, instance_metadata_tags } =
            self.change(None);
        api::InstanceMetadataOptionsRequest::builder()
            .set_http_tokens(http_tokens.as_deref().map(Into::into))
            .set_http_put_response_hop_limit(http_put_response_hop_limit)
            .set_http_endpoint(http_endpoint.as_deref().map(Into::into))
            .set_http_protocol_ipv6(http_protocol_ipv6.as_deref().map(Into::into))
            .set_instance_metadata_tags(instance_metadata_tags.as_deref().map(Into::into))
            .build()
    }

    /// Gives an instance these options; it goes on running.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn set(&self, aws: &Aws, id: &str, from: Option<&Self>) -> Outcome<()> {
        let Self { http_tokens, http_put_response_hop_limit, http_endpoint, http_protocol_ipv6, instance_metadata_tags } =
            self.change(from);
        let call = aws
            .ec2()
            .modify_instance_metadata_options()
            .instance_id(id)
            .set_http_tokens(http_tokens.as_deref().map(Into::into))
            .set_http_put_response_hop_limit(http_put_response_hop_limit)
            .set_http_endpoint(http_endpoint.as_deref().map(Into::into))
            .set_http_protocol_ipv6(http_protocol_ipv6.as_deref().map(Into::into))
            .set_instance_metadata_tags(instance_metadata_tags.as_deref().map(Into::into));
        call.send().await.idempotent("ec2:ModifyInstanceMetadataOptions").map(drop)
    }

    /// What is sent: a service that does not answer has no other option (EC2 API Reference, ModifyInstanceMetadataOptions), and
    /// of one that answers only what differs.
    fn change(&self, from: Option<&Self>) -> Self {
        let known = Self::default();
        let from = from.unwrap_or(&known);
        let text = |to: &Option<String>, from: &Option<String>| to.clone().filter(|_| to != from);
        let Self { http_tokens, http_put_response_hop_limit, http_endpoint, http_protocol_ipv6, instance_metadata_tags } = self;
        if self.is_off() {
            return Self { http_endpoint: http_endpoint.clone(), ..Self::default() };
        }
        Self {
            http_tokens: text(http_tokens, &from.http_tokens),
            http_put_response_hop_limit: http_put_response_hop_limit
                .filter(|_| *http_put_response_hop_limit != from.http_put_response_hop_limit),
            http_endpoint: http_endpoint.clone(),
            http_protocol_ipv6: text(http_protocol_ipv6, &from.http_protocol_ipv6),
            instance_metadata_tags: text(instance_metadata_tags, &from.instance_metadata_tags),
        }
    }

    fn is_off(&self) -> bool {
        self.http_endpoint.as_deref() == Some("disabled")
    }
}

/// What AWS takes of no service that does not answer: any other option.
pub fn check(desired: &Value) -> Option<(Path, String)> {
    let options = desired.get("metadata_options")?;
    let is_off = options.get("http_endpoint").and_then(Value::as_str) == Some("disabled");
    let other = options.as_map()?.iter().find(|(name, value)| *name != "http_endpoint" && !value.is_null());
    let (name, _) = other.filter(|_| is_off)?;
    let what = "a metadata service that is `disabled` has no other option: leave this one out";
    Some((Path::attribute("metadata_options").join(Segment::field(name)), what.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_of_a_service_that_does_not_answer_is_refused() {
        let of = |options: serde_json::Value| check(&Value::from(serde_json::json!({ "metadata_options": options })));
        let (path, _) = of(serde_json::json!({ "http_endpoint": "disabled", "http_tokens": "required" })).unwrap();
        assert_eq!(path.to_string(), "metadata_options.http_tokens");
        assert!(of(serde_json::json!({ "http_endpoint": "disabled", "http_tokens": null })).is_none());
        assert!(of(serde_json::json!({ "http_endpoint": "enabled", "http_tokens": "required" })).is_none());
    }

    #[test]
    fn a_service_that_does_not_answer_has_no_other_option() {
        let on = MetadataOptions {
            http_tokens: Some("required".to_owned()),
            http_put_response_hop_limit: Some(2),
            http_endpoint: Some("enabled".to_owned()),
            http_protocol_ipv6: Some("disabled".to_owned()),
            instance_metadata_tags: Some("disabled".to_owned()),
        };
        let off = MetadataOptions { http_endpoint: Some("disabled".to_owned()), ..on.clone() };
        let alone = MetadataOptions { http_endpoint: Some("disabled".to_owned()), ..MetadataOptions::default() };
        assert_eq!(off.change(Some(&on)), alone);
        assert_eq!(MetadataOptions::from_request(&off.to_api()), alone);
        let hops = MetadataOptions { http_put_response_hop_limit: Some(1), ..on.clone() };
        let sent = hops.change(Some(&on));
        assert_eq!((sent.http_put_response_hop_limit, sent.http_tokens, sent.http_endpoint.as_deref()), (Some(1), None, Some("enabled")));
    }

    impl MetadataOptions {
        fn from_request(request: &api::InstanceMetadataOptionsRequest) -> Self {
            Self {
                http_tokens: request.http_tokens().map(|tokens| tokens.as_str().to_owned()),
                http_put_response_hop_limit: request.http_put_response_hop_limit(),
                http_endpoint: request.http_endpoint().map(|state| state.as_str().to_owned()),
                http_protocol_ipv6: request.http_protocol_ipv6().map(|state| state.as_str().to_owned()),
                instance_metadata_tags: request.instance_metadata_tags().map(|state| state.as_str().to_owned()),
            }
        }
    }
}
