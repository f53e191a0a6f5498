//! Which requests a rule is for.

use aws_sdk_elasticloadbalancingv2::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use leoctl_core::model::value::Value;

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
    /// Regular expressions instead of `values`, for `host-header`, `path-pattern` and `http-header`.
    #[schemars(extend("default" = [], "x-set" = true))]
    regex_values: Vec<String>,
    /// The header, for `http-header`.
    http_header_name: Option<String>,
    /// Any of these, for `query-string`.
    #[schemars(extend("default" = [], "x-set" = true))]
    query_strings: Vec<QueryString>,
    /// The IP version instead of `values`, for `source-ip` and a network load balancer.
    #[schemars(extend("enum" = ["ipv4", "ipv6"]))]
    ip_address_type: Option<String>,
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
    pub(super) fn from_api(condition: &api::RuleCondition) -> Self {
        let mut values = condition.host_header_config().map(|config| config.values()).unwrap_or_default().to_vec();
        values.extend_from_slice(condition.path_pattern_config().map(|config| config.values()).unwrap_or_default());
        values.extend_from_slice(condition.http_header_config().map(|config| config.values()).unwrap_or_default());
        values.extend_from_slice(condition.http_request_method_config().map(|config| config.values()).unwrap_or_default());
        values.extend_from_slice(condition.source_ip_config().map(|config| config.values()).unwrap_or_default());
        if values.is_empty() {
            values = condition.values().to_vec();
        }
        let mut regex_values = condition.host_header_config().map(|config| config.regex_values()).unwrap_or_default().to_vec();
        regex_values.extend_from_slice(condition.path_pattern_config().map(|config| config.regex_values()).unwrap_or_default());
        regex_values.extend_from_slice(condition.http_header_config().map(|config| config.regex_values()).unwrap_or_default());
        if regex_values.is_empty() {
            regex_values = condition.regex_values().to_vec();
        }
        let ip_address_type = condition.source_ip_config().and_then(|config| config.ip_address_type());
        let queries = condition.query_string_config().map(|config| config.values()).unwrap_or_default();
        Self {
            field: condition.field().unwrap_or_default().to_owned(),
            values,
            regex_values,
            http_header_name: condition.http_header_config().and_then(|config| config.http_header_name()).map(str::to_owned),
            query_strings: queries
                .iter()
                .map(|pair| QueryString { key: pair.key().map(str::to_owned), value: pair.value().unwrap_or_default().to_owned() })
                .collect(),
            ip_address_type: ip_address_type.map(|version| version.as_str().to_owned()),
        }
    }

    fn to_api(&self) -> api::RuleCondition {
        let Self { field, values, regex_values, http_header_name, query_strings, ip_address_type } = self.clone();
        let some = |values: Vec<String>| Some(values).filter(|values| !values.is_empty());
        let (values, regex) = (some(values), some(regex_values));
        let condition = api::RuleCondition::builder().field(&field);
        match field.as_str() {
            "host-header" => {
                let config = api::HostHeaderConditionConfig::builder().set_values(values).set_regex_values(regex);
                condition.host_header_config(config.build())
            }
            "path-pattern" => {
                let config = api::PathPatternConditionConfig::builder().set_values(values).set_regex_values(regex);
                condition.path_pattern_config(config.build())
            }
            "http-header" => {
                let config = api::HttpHeaderConditionConfig::builder().set_values(values).set_regex_values(regex);
                condition.http_header_config(config.set_http_header_name(http_header_name).build())
            }
            "http-request-method" => {
                condition.http_request_method_config(api::HttpRequestMethodConditionConfig::builder().set_values(values).build())
            }
            "source-ip" => {
                let version = ip_address_type.as_deref().map(Into::into);
                condition.source_ip_config(api::SourceIpConditionConfig::builder().set_values(values).set_ip_address_type(version).build())
            }
            _ => {
                let pairs = query_strings.into_iter();
                let pairs = pairs.map(|pair| api::QueryStringKeyValuePair::builder().set_key(pair.key).value(pair.value).build());
                condition.query_string_config(api::QueryStringConditionConfig::builder().set_values(Some(pairs.collect())).build())
            }
        }
        .build()
    }

    /// What is wrong with it as far as it is known.
    pub(super) fn problem(condition: &Value) -> Option<&'static str> {
        let has = |key: &str| condition.get(key).is_some_and(|value| !value.is_null());
        let matched = match condition.get("field")?.as_str()? {
            "query-string" if !has("query_strings") => return Some("a query-string condition needs `query_strings`"),
            "query-string" => return None,
            "http-header" if !has("http_header_name") => return Some("an http-header condition needs `http_header_name`"),
            "host-header" | "path-pattern" | "http-header" => has("values") || has("regex_values"),
            "source-ip" => has("values") || has("ip_address_type"),
            _ => has("values"),
        };
        if !matched {
            return Some("a condition needs `values`");
        }
        let mut values = condition.get("values").and_then(Value::as_list).unwrap_or_default().iter().filter_map(Value::as_str);
        match condition.get("field")?.as_str()? {
            "source-ip" => {
                values.any(|value| !is_network(value)).then_some("the values of a source-ip condition are networks: `10.0.0.0/8`")
            }
            "http-request-method" => {
                values.any(|value| !is_method(value)).then_some("the values of an http-request-method condition are upper-case: `GET`")
            }
            _ => None,
        }
    }
}

/// Whether it is an address with the length of its prefix.
fn is_network(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let most = match address.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(_)) => 32,
        Ok(std::net::IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    length.parse::<u8>().is_ok_and(|length| length <= most)
}

/// Whether it is the name of a method as AWS takes one (ELBv2 API Reference, HttpRequestMethodConditionConfig).
fn is_method(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_uppercase() || matches!(c, '-' | '_'))
}

/// Conditions for a call.
pub(super) fn to_api(conditions: &[Condition]) -> Option<Vec<api::RuleCondition>> {
    Some(conditions.iter().map(Condition::to_api).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_comes_back_as_it_was_sent() {
        let values = |field: &str, key: &str| serde_json::json!({ "field": field, "values": [], "regex_values": [], key: ["GET"], "query_strings": [] });
        let mut header = values("http-header", "regex_values");
        header["http_header_name"] = serde_json::json!("X-A");
        let mut version = values("source-ip", "values");
        version["values"] = serde_json::json!([]);
        version["ip_address_type"] = serde_json::json!("ipv6");
        let fields = [
            ("host-header", "regex_values"),
            ("path-pattern", "regex_values"),
            ("path-pattern", "values"),
            ("http-request-method", "values"),
        ];
        for json in fields.map(|(field, key)| values(field, key)).into_iter().chain([header, version]) {
            assert_eq!(Condition::problem(&Value::from(&json)), None);
            let condition: Condition = serde_json::from_value(json).unwrap();
            assert_eq!(Condition::from_api(&condition.to_api()), condition);
        }
    }

    #[test]
    fn a_condition_needs_something_to_match() {
        let problem = |json: serde_json::Value| Condition::problem(&Value::from(json));
        assert_eq!(problem(serde_json::json!({ "field": "path-pattern" })), Some("a condition needs `values`"));
        assert_eq!(
            problem(serde_json::json!({ "field": "http-request-method", "regex_values": ["a"] })),
            Some("a condition needs `values`")
        );
        assert_eq!(problem(serde_json::json!({ "field": "source-ip", "ip_address_type": "ipv4" })), None);
    }
}
