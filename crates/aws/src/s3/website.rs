//! A bucket as a website.

use aws_sdk_s3::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::unbuilt;
use crate::client::Aws;
use crate::domain;
use crate::error::{OrAbsent, OrFail};
use crate::repeat::Changing;
use leoctl_core::engine::ports::Outcome;
use leoctl_core::model::path::Path;
use leoctl_core::model::value::Value;

/// How a bucket answers as a website: with its objects, or with one redirection for all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Website {
    /// What stands for a directory, such as `index.html`.
    index_document: Option<String>,
    /// The key of what is answered in place of what is not there.
    error_document: Option<String>,
    /// Where all requests are sent instead.
    redirect_all_requests_to: Option<RedirectAll>,
    /// What is sent elsewhere, the first rule that fits.
    #[schemars(extend("default" = []))]
    routing_rules: Vec<RoutingRule>,
}

/// Where all requests are sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedirectAll {
    /// The host.
    host_name: String,
    /// The protocol; that of the request when left out.
    #[schemars(extend("enum" = ["http", "https"]))]
    protocol: Option<String>,
}

/// A rule for what is sent elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoutingRule {
    /// Which requests; all when left out.
    condition: Option<Condition>,
    /// Where they are sent.
    redirect: Redirect,
}

/// Which requests are sent elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Those that would be answered with this code.
    http_error_code_returned_equals: Option<String>,
    /// Those for keys that begin so.
    key_prefix_equals: Option<String>,
}

/// Where requests are sent. What is left out stays as it was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Redirect {
    /// The host.
    host_name: Option<String>,
    /// The code of the answer.
    http_redirect_code: Option<String>,
    /// The protocol.
    #[schemars(extend("enum" = ["http", "https"]))]
    protocol: Option<String>,
    /// What stands in place of `key_prefix_equals`.
    replace_key_prefix_with: Option<String>,
    /// The whole key.
    replace_key_with: Option<String>,
}

fn text(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

fn protocol(protocol: Option<&api::Protocol>) -> Option<String> {
    text(protocol.map(api::Protocol::as_str))
}

impl Website {
    /// What a bucket answers as a website; none where it is none.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn get(aws: &Aws, bucket: &str) -> Outcome<Option<Self>> {
        let found = aws.s3().get_bucket_website().bucket(bucket).send().await.or_fail("s3:GetBucketWebsite").or_absent()?;
        let read = found.map(|found| Self {
            index_document: found.index_document().map(|index| index.suffix().to_owned()),
            error_document: found.error_document().map(|error| error.key().to_owned()),
            redirect_all_requests_to: found
                .redirect_all_requests_to()
                .map(|all| RedirectAll { host_name: all.host_name().to_owned(), protocol: protocol(all.protocol()) }),
            routing_rules: found.routing_rules().iter().map(RoutingRule::from_api).collect(),
        });
        Ok(read.filter(|site| site.index_document.is_some() || site.redirect_all_requests_to.is_some()))
    }

    /// Makes a bucket a website, or none.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn put(this: Option<&Self>, aws: &Aws, bucket: &str) -> Outcome<()> {
        let Some(site) = this else {
            return aws.s3().delete_bucket_website().bucket(bucket).send().await.idempotent("s3:DeleteBucketWebsite").map(drop);
        };
        let call = aws.s3().put_bucket_website().bucket(bucket).website_configuration(site.to_api()?);
        call.send().await.idempotent("s3:PutBucketWebsite").map(drop)
    }

    fn to_api(&self) -> Outcome<api::WebsiteConfiguration> {
        let Self { index_document, error_document, redirect_all_requests_to, routing_rules } = self;
        let index = index_document.as_ref().map(|suffix| api::IndexDocument::builder().suffix(suffix).build());
        let error = error_document.as_ref().map(|key| api::ErrorDocument::builder().key(key).build());
        let all = redirect_all_requests_to.as_ref().map(|all| {
            let protocol = all.protocol.as_deref().map(api::Protocol::from);
            api::RedirectAllRequestsTo::builder().host_name(&all.host_name).set_protocol(protocol).build()
        });
        let rules: Vec<_> = routing_rules.iter().map(RoutingRule::to_api).collect();
        Ok(api::WebsiteConfiguration::builder()
            .set_index_document(index.transpose().map_err(unbuilt)?)
            .set_error_document(error.transpose().map_err(unbuilt)?)
            .set_redirect_all_requests_to(all.transpose().map_err(unbuilt)?)
            .set_routing_rules(Some(rules).filter(|rules| !rules.is_empty()))
            .build())
    }
}

impl RoutingRule {
    fn to_api(&self) -> api::RoutingRule {
        let Self { condition, redirect } = self;
        let condition = condition.as_ref().map(|condition| {
            api::Condition::builder()
                .set_http_error_code_returned_equals(condition.http_error_code_returned_equals.clone())
                .set_key_prefix_equals(condition.key_prefix_equals.clone())
                .build()
        });
        let redirect = api::Redirect::builder()
            .set_host_name(redirect.host_name.clone())
            .set_http_redirect_code(redirect.http_redirect_code.clone())
            .set_protocol(redirect.protocol.as_deref().map(api::Protocol::from))
            .set_replace_key_prefix_with(redirect.replace_key_prefix_with.clone())
            .set_replace_key_with(redirect.replace_key_with.clone())
            .build();
        api::RoutingRule::builder().set_condition(condition).redirect(redirect).build()
    }

    fn from_api(rule: &api::RoutingRule) -> Self {
        let redirect = rule.redirect();
        Self {
            condition: rule.condition().map(|condition| Condition {
                http_error_code_returned_equals: text(condition.http_error_code_returned_equals()),
                key_prefix_equals: text(condition.key_prefix_equals()),
            }),
            redirect: Redirect {
                host_name: text(redirect.and_then(api::Redirect::host_name)),
                http_redirect_code: text(redirect.and_then(api::Redirect::http_redirect_code)),
                protocol: protocol(redirect.and_then(api::Redirect::protocol)),
                replace_key_prefix_with: redirect.and_then(api::Redirect::replace_key_prefix_with).map(str::to_owned),
                replace_key_with: text(redirect.and_then(api::Redirect::replace_key_with)),
            },
        }
    }
}

/// What is wrong with a website as far as it is known (S3 API Reference, WebsiteConfiguration).
pub fn check(website: Option<&Value>, public: Option<&Value>) -> Option<(Path, String)> {
    let website = website.filter(|website| website.as_map().is_some())?;
    let is_on = |name: &str| public.and_then(|public| public.get(name)).is_none_or(|on| on.is_null() || *on == Value::Bool(true));
    let is_known = public != Some(&Value::Unknown);
    if is_known && ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"].into_iter().all(is_on) {
        let problem = "a website is for a bucket that is not closed: switch off what its visitors need of `public_access_block`, such as \
                       `{ block_public_policy = false, restrict_public_buckets = false }`";
        return Some((Path::attribute("website"), problem.to_owned()));
    }
    let given = |name: &str| website.get(name).is_some_and(|value| !value.is_null() && value.as_list().is_none_or(|list| !list.is_empty()));
    let others = given("index_document") || given("error_document") || given("routing_rules");
    let problem = match (given("redirect_all_requests_to"), given("index_document")) {
        (true, _) if others => "`redirect_all_requests_to` stands alone: nothing else is answered then",
        (false, false) => "a website needs `index_document`, or `redirect_all_requests_to`",
        _ => return None,
    };
    Some((Path::attribute("website"), problem.to_owned()))
}

/// The regions whose endpoints of websites are written with a hyphen (AWS General Reference, "Amazon S3 website endpoints").
const WITH_HYPHEN: [&str; 9] = [
    "us-east-1",
    "us-west-1",
    "us-west-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "eu-west-1",
    "sa-east-1",
    "us-gov-west-1",
];

/// Where a bucket answers as a website.
pub fn endpoint(bucket: &str, region: &str) -> String {
    let sign = if WITH_HYPHEN.contains(&region) { '-' } else { '.' };
    format!("{bucket}.s3-website{sign}{region}.{}", domain(region))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_website_is_sent_as_it_is_written() {
        let written = json!({
            "index_document": "index.html", "error_document": "404.html",
            "routing_rules": [{ "condition": { "key_prefix_equals": "old/" }, "redirect": { "replace_key_prefix_with": "new/", "protocol": "https" } }],
        });
        let site: Website = serde_json::from_value(written).unwrap();
        let sent = site.to_api().unwrap();
        assert_eq!(sent.index_document().map(api::IndexDocument::suffix), Some("index.html"));
        assert_eq!(sent.routing_rules().iter().map(RoutingRule::from_api).collect::<Vec<_>>(), site.routing_rules);
    }

    #[test]
    fn a_website_that_s3_would_refuse_is_refused_before() {
        let open = Value::from(json!({ "restrict_public_buckets": false }));
        let is_wrong = |website: serde_json::Value| check(Some(&Value::from(website)), Some(&open)).is_some();
        assert!(is_wrong(json!({ "error_document": "e.html" })));
        assert!(is_wrong(json!({ "redirect_all_requests_to": { "host_name": "h" }, "index_document": "i.html" })));
        assert!(!is_wrong(json!({ "redirect_all_requests_to": { "host_name": "h" } })));
        assert!(!is_wrong(json!({ "index_document": "i.html" })) && check(None, None).is_none());
        let site = Value::from(json!({ "index_document": "i.html" }));
        assert!(check(Some(&site), None).is_some(), "nobody could see it");
    }

    #[test]
    fn endpoints_of_websites_are_spelt_as_in_their_region() {
        assert_eq!(endpoint("b", "eu-west-1"), "b.s3-website-eu-west-1.amazonaws.com");
        assert_eq!(endpoint("b", "eu-central-1"), "b.s3-website.eu-central-1.amazonaws.com");
    }
}
