//! The actions that say where a request goes: to targets, elsewhere, or nowhere with an answer.

use aws_sdk_elasticloadbalancingv2::types::{
    Action as ApiAction, FixedResponseActionConfig, ForwardActionConfig, RedirectActionConfig, RedirectActionStatusCodeEnum,
    TargetGroupStickinessConfig, TargetGroupTuple,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use leoctl_core::model::value::Value;

/// Forwarding to several target groups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Forward {
    /// The groups and their shares.
    #[schemars(extend("x-key" = "target_group_arn"))]
    target_groups: Vec<Share>,
    /// Whether a client stays with the group it got first.
    #[schemars(extend("default" = {}))]
    target_group_stickiness: Stickiness,
}

/// A target group's share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// The group.
    target_group_arn: String,
    /// Its weight among all.
    #[schemars(extend("default" = 1), range(min = 0, max = 999))]
    weight: i32,
}

/// Staying with a target group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stickiness {
    /// Whether clients stay.
    #[schemars(extend("default" = false))]
    enabled: bool,
    /// For how many seconds, when they do.
    #[schemars(range(min = 1, max = 604_800))]
    duration_seconds: Option<i32>,
}

/// A redirect. What is left out stays as in the request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Redirect {
    /// `HTTP_301` for always, `HTTP_302` for now.
    #[schemars(extend("enum" = ["HTTP_301", "HTTP_302"]))]
    status_code: String,
    /// The protocol.
    #[schemars(extend("default" = "#{protocol}", "enum" = ["HTTP", "HTTPS", "#{protocol}"]))]
    protocol: String,
    /// The port.
    #[schemars(extend("default" = "#{port}"))]
    port: String,
    /// The host.
    #[schemars(extend("default" = "#{host}"), length(max = 128))]
    host: String,
    /// The path.
    #[schemars(extend("default" = "/#{path}"), length(max = 128))]
    path: String,
    /// The query.
    #[schemars(extend("default" = "#{query}"), length(max = 128))]
    query: String,
}

/// An answer of the load balancer's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FixedResponse {
    /// The HTTP status, such as `503`.
    #[schemars(extend("pattern" = "^[245][0-9]{2}$", "x-form" = "2XX, 4XX or 5XX"))]
    status_code: String,
    /// The content type.
    #[schemars(extend("enum" = ["text/plain", "text/css", "text/html", "application/javascript", "application/json"]))]
    content_type: Option<String>,
    /// The body.
    #[schemars(length(max = 1024))]
    message_body: Option<String>,
}

impl Forward {
    /// Where AWS forwards to. Forwarding to one group is a `target_group_arn`, though AWS returns both forms.
    pub(super) fn from_api(action: &ApiAction) -> (Option<String>, Option<Self>) {
        let groups = action.forward_config().map(ForwardActionConfig::target_groups).unwrap_or_default();
        let sticky = action.forward_config().and_then(|forward| forward.target_group_stickiness_config());
        let sticky = sticky.filter(|sticky| sticky.enabled() == Some(true));
        if groups.len() <= 1 && sticky.is_none() {
            let first = groups.first().and_then(|group| group.target_group_arn()).or(action.target_group_arn());
            return (first.map(str::to_owned), None);
        }
        let shares = groups.iter().map(|group| Share {
            target_group_arn: group.target_group_arn().unwrap_or_default().to_owned(),
            weight: group.weight().unwrap_or(1),
        });
        let target_group_stickiness =
            Stickiness { enabled: sticky.is_some(), duration_seconds: sticky.and_then(TargetGroupStickinessConfig::duration_seconds) };
        (None, Some(Self { target_groups: shares.collect(), target_group_stickiness }))
    }

    pub(super) fn to_api(&self) -> ForwardActionConfig {
        let Self { target_groups, target_group_stickiness } = self;
        let groups = target_groups.iter();
        let groups = groups.map(|share| TargetGroupTuple::builder().target_group_arn(&share.target_group_arn).weight(share.weight).build());
        let Stickiness { enabled, duration_seconds } = target_group_stickiness;
        let sticky = enabled.then(|| TargetGroupStickinessConfig::builder().enabled(true).set_duration_seconds(*duration_seconds).build());
        ForwardActionConfig::builder().set_target_groups(Some(groups.collect())).set_target_group_stickiness_config(sticky).build()
    }
}

impl Redirect {
    pub(super) fn from_api(redirect: &RedirectActionConfig) -> Self {
        Self {
            status_code: redirect.status_code().map_or("", RedirectActionStatusCodeEnum::as_str).to_owned(),
            protocol: redirect.protocol().unwrap_or("#{protocol}").to_owned(),
            port: redirect.port().unwrap_or("#{port}").to_owned(),
            host: redirect.host().unwrap_or("#{host}").to_owned(),
            path: redirect.path().unwrap_or("/#{path}").to_owned(),
            query: redirect.query().unwrap_or("#{query}").to_owned(),
        }
    }

    pub(super) fn to_api(&self) -> RedirectActionConfig {
        let Self { status_code, protocol, port, host, path, query } = self;
        RedirectActionConfig::builder()
            .status_code(RedirectActionStatusCodeEnum::from(status_code.as_str()))
            .protocol(protocol)
            .port(port)
            .host(host)
            .path(path)
            .query(query)
            .build()
    }
}

impl FixedResponse {
    pub(super) fn from_api(fixed: &FixedResponseActionConfig) -> Self {
        Self {
            status_code: fixed.status_code().unwrap_or_default().to_owned(),
            content_type: fixed.content_type().map(str::to_owned),
            message_body: fixed.message_body().map(str::to_owned),
        }
    }

    pub(super) fn to_api(&self) -> FixedResponseActionConfig {
        let Self { status_code, content_type, message_body } = self.clone();
        FixedResponseActionConfig::builder().status_code(status_code).set_content_type(content_type).set_message_body(message_body).build()
    }
}

/// That a redirect leads elsewhere (ELBv2 API Reference, RedirectActionConfig).
pub(super) fn redirect_problem(redirect: &Value) -> Option<String> {
    let stays = |(key, same): (&str, &str)| match redirect.get(key) {
        None | Some(Value::Null) => true,
        Some(value) => value.as_str() == Some(same),
    };
    let same = [("protocol", "#{protocol}"), ("port", "#{port}"), ("host", "#{host}"), ("path", "/#{path}")];
    let loops = redirect.as_map().is_some() && same.into_iter().all(stays);
    loops.then(|| "a redirect changes one at least of `protocol`, `port`, `host` and `path`: else it leads to itself".to_owned())
}

/// What is wrong with a forward action as far as it is known.
pub(super) fn forward_problem(action: &Value) -> Option<String> {
    let present = |key: &str| action.get(key).is_some_and(|value| !value.is_null());
    if present("target_group_arn") == present("forward_config") {
        return Some("a forward action needs either `target_group_arn` or `forward_config`".to_owned());
    }
    let forward = action.get("forward_config")?;
    let sticky = forward.get("target_group_stickiness").filter(|sticky| !sticky.is_null());
    let is_off = sticky
        .is_none_or(|sticky| matches!(sticky.get("enabled"), None | Some(Value::Null | Value::Bool(false))) && sticky.as_map().is_some());
    if is_off && sticky.is_some_and(|sticky| sticky.get("duration_seconds").is_some_and(|seconds| !seconds.is_null())) {
        return Some("`duration_seconds` is for `target_group_stickiness` with `enabled = true`".to_owned());
    }
    let groups = forward.get("target_groups").and_then(Value::as_list);
    groups.filter(|groups| groups.len() == 1 && is_off).map(|_| "forwarding to one group is written `target_group_arn`".to_owned())
}
