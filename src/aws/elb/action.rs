//! What a listener does with a request.

use aws_sdk_elasticloadbalancingv2::types::{
    Action as ApiAction, ActionTypeEnum, FixedResponseActionConfig, ForwardActionConfig, RedirectActionConfig,
    RedirectActionStatusCodeEnum, TargetGroupStickinessConfig, TargetGroupTuple,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::value::Value;

/// What a listener does with a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// What is done.
    #[schemars(extend("enum" = ["forward", "redirect", "fixed-response"]))]
    r#type: String,
    /// Where to forward to.
    target_group_arn: Option<String>,
    /// Where to forward to, in shares.
    forward_config: Option<Forward>,
    /// Where to redirect to.
    redirect_config: Option<Redirect>,
    /// What to answer.
    fixed_response_config: Option<FixedResponse>,
}

/// Forwarding to several target groups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Forward {
    /// The groups and their shares.
    #[schemars(extend("x-key" = "target_group_arn"))]
    target_groups: Vec<Share>,
    /// Whether a client stays with the group it got first.
    target_group_stickiness: Option<Stickiness>,
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
    enabled: bool,
    /// For how many seconds.
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
    #[schemars(extend("default" = "#{host}"))]
    host: String,
    /// The path.
    #[schemars(extend("default" = "/#{path}"))]
    path: String,
    /// The query.
    #[schemars(extend("default" = "#{query}"))]
    query: String,
}

/// An answer of the load balancer's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FixedResponse {
    /// The HTTP status, such as `503`.
    status_code: String,
    /// The content type.
    #[schemars(extend("enum" = ["text/plain", "text/css", "text/html", "application/javascript", "application/json"]))]
    content_type: Option<String>,
    /// The body.
    #[schemars(length(max = 1024))]
    message_body: Option<String>,
}

impl Action {
    /// The action AWS returned. Forwarding to one group is a `target_group_arn`, though AWS returns both forms.
    pub fn from_api(action: &ApiAction) -> Self {
        let groups = action.forward_config().map(ForwardActionConfig::target_groups).unwrap_or_default();
        let sticky = action.forward_config().and_then(|forward| forward.target_group_stickiness_config());
        let sticky = sticky.filter(|sticky| sticky.enabled() == Some(true));
        let single = groups.len() <= 1 && sticky.is_none();
        let first = groups.first().and_then(|group| group.target_group_arn()).or(action.target_group_arn());
        Self {
            r#type: action.r#type().map_or("", ActionTypeEnum::as_str).to_owned(),
            target_group_arn: first.filter(|_| single).map(str::to_owned),
            forward_config: (!single).then(|| Forward {
                target_groups: groups
                    .iter()
                    .map(|group| Share {
                        target_group_arn: group.target_group_arn().unwrap_or_default().to_owned(),
                        weight: group.weight().unwrap_or(1),
                    })
                    .collect(),
                target_group_stickiness: sticky.map(|sticky| Stickiness { enabled: true, duration_seconds: sticky.duration_seconds() }),
            }),
            redirect_config: action.redirect_config().map(|redirect| Redirect {
                status_code: redirect.status_code().map_or("", RedirectActionStatusCodeEnum::as_str).to_owned(),
                protocol: redirect.protocol().unwrap_or("#{protocol}").to_owned(),
                port: redirect.port().unwrap_or("#{port}").to_owned(),
                host: redirect.host().unwrap_or("#{host}").to_owned(),
                path: redirect.path().unwrap_or("/#{path}").to_owned(),
                query: redirect.query().unwrap_or("#{query}").to_owned(),
            }),
            fixed_response_config: action.fixed_response_config().map(|fixed| FixedResponse {
                status_code: fixed.status_code().unwrap_or_default().to_owned(),
                content_type: fixed.content_type().map(str::to_owned),
                message_body: fixed.message_body().map(str::to_owned),
            }),
        }
    }

    fn to_api(&self) -> ApiAction {
        let Self { r#type, target_group_arn, forward_config, redirect_config, fixed_response_config } = self.clone();
        let forward = forward_config.map(|forward| {
            let groups = forward.target_groups.into_iter();
            let groups =
                groups.map(|share| TargetGroupTuple::builder().target_group_arn(share.target_group_arn).weight(share.weight).build());
            let sticky = forward.target_group_stickiness.map(|sticky| {
                TargetGroupStickinessConfig::builder().enabled(sticky.enabled).set_duration_seconds(sticky.duration_seconds).build()
            });
            ForwardActionConfig::builder().set_target_groups(Some(groups.collect())).set_target_group_stickiness_config(sticky).build()
        });
        let redirect = redirect_config.map(|redirect| {
            RedirectActionConfig::builder()
                .status_code(RedirectActionStatusCodeEnum::from(redirect.status_code.as_str()))
                .protocol(redirect.protocol)
                .port(redirect.port)
                .host(redirect.host)
                .path(redirect.path)
                .query(redirect.query)
                .build()
        });
        let fixed = fixed_response_config.map(|fixed| {
            FixedResponseActionConfig::builder()
                .status_code(fixed.status_code)
                .set_content_type(fixed.content_type)
                .set_message_body(fixed.message_body)
                .build()
        });
        ApiAction::builder()
            .r#type(ActionTypeEnum::from(r#type.as_str()))
            .set_target_group_arn(target_group_arn)
            .set_forward_config(forward)
            .set_redirect_config(redirect)
            .set_fixed_response_config(fixed)
            .build()
    }
}

/// Actions for a call.
pub fn to_api(actions: &[Action]) -> Option<Vec<ApiAction>> {
    Some(actions.iter().map(Action::to_api).collect())
}

/// The actions AWS returned.
pub fn from_api(actions: &[ApiAction]) -> Vec<Action> {
    actions.iter().map(Action::from_api).collect()
}

/// What is wrong with an action as far as it is known.
pub fn problem(action: &Value) -> Option<String> {
    let present = |key: &str| action.get(key).is_some_and(|value| !value.is_null());
    match action.get("type").and_then(Value::as_str)? {
        "forward" if present("target_group_arn") == present("forward_config") => {
            Some("a forward action needs either `target_group_arn` or `forward_config`".to_owned())
        }
        "forward" => {
            let groups = action.get("forward_config").and_then(|forward| forward.get("target_groups")).and_then(Value::as_list);
            let sticky = action.get("forward_config").and_then(|forward| forward.get("target_group_stickiness")).is_some();
            groups.filter(|groups| groups.len() == 1 && !sticky).map(|_| "forwarding to one group is written `target_group_arn`".to_owned())
        }
        "redirect" if !present("redirect_config") => Some("a redirect action needs `redirect_config`".to_owned()),
        "fixed-response" if !present("fixed_response_config") => Some("a fixed-response action needs `fixed_response_config`".to_owned()),
        _ => None,
    }
}
