//! How a rule changes a request before it reaches a target.

use aws_sdk_elasticloadbalancingv2::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use leoctl_core::model::value::Value;

/// A change of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Transform {
    /// What is changed.
    #[schemars(extend("enum" = ["host-header-rewrite", "url-rewrite"]))]
    r#type: String,
    /// How the host header is changed.
    host_header_rewrite_config: Option<Rewrites>,
    /// How path and query are changed.
    url_rewrite_config: Option<Rewrites>,
}

/// How a text is changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rewrites {
    /// What is replaced; AWS takes one.
    rewrites: Vec<Rewrite>,
}

/// A replacement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rewrite {
    /// A regular expression of what is replaced.
    #[schemars(length(max = 1024))]
    regex: String,
    /// What it becomes; `$1` is the first group.
    #[schemars(length(max = 1024))]
    replace: String,
}

impl Rewrites {
    fn from_api(rewrites: &[api::RewriteConfig]) -> Self {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        Self { rewrites: rewrites.iter().map(|one| Rewrite { regex: text(one.regex()), replace: text(one.replace()) }).collect() }
    }

    fn to_api(&self) -> Option<Vec<api::RewriteConfig>> {
        let rewrites = self.rewrites.iter();
        Some(rewrites.map(|Rewrite { regex, replace }| api::RewriteConfig::builder().regex(regex).replace(replace).build()).collect())
    }
}

impl Transform {
    pub(super) fn from_api(transform: &api::RuleTransform) -> Self {
        let host = transform.host_header_rewrite_config();
        let url = transform.url_rewrite_config();
        Self {
            r#type: transform.r#type().map_or("", api::TransformTypeEnum::as_str).to_owned(),
            host_header_rewrite_config: host.map(|config| Rewrites::from_api(config.rewrites())),
            url_rewrite_config: url.map(|config| Rewrites::from_api(config.rewrites())),
        }
    }

    fn to_api(&self) -> api::RuleTransform {
        let Self { r#type, host_header_rewrite_config: host, url_rewrite_config: url } = self;
        let host = host.as_ref().map(|host| api::HostHeaderRewriteConfig::builder().set_rewrites(host.to_api()).build());
        let url = url.as_ref().map(|url| api::UrlRewriteConfig::builder().set_rewrites(url.to_api()).build());
        api::RuleTransform::builder()
            .r#type(r#type.as_str().into())
            .set_host_header_rewrite_config(host)
            .set_url_rewrite_config(url)
            .build()
    }

    /// What is wrong with it as far as it is known.
    pub(super) fn problem(transform: &Value) -> Option<&'static str> {
        let given = |key: &str| transform.get(key).is_some_and(|value| !value.is_null());
        match (transform.get("type")?.as_str()?, given("host_header_rewrite_config"), given("url_rewrite_config")) {
            ("host-header-rewrite", true, false) | ("url-rewrite", false, true) => None,
            ("host-header-rewrite", ..) => Some("a host-header-rewrite transform needs `host_header_rewrite_config` and nothing else"),
            _ => Some("a url-rewrite transform needs `url_rewrite_config` and nothing else"),
        }
    }
}

/// Transforms for a call; none for an empty list.
pub(super) fn to_api(transforms: &[Transform]) -> Option<Vec<api::RuleTransform>> {
    Some(transforms.iter().map(Transform::to_api).collect::<Vec<_>>()).filter(|transforms| !transforms.is_empty())
}
