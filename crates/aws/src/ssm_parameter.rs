//! The resource type `ssm_parameter`.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use aws_sdk_ssm::types as api;
use futures_util::future::{try_join_all, try_join3};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::client::{Aws, send_once};
use super::document::Document;
use super::error::{OrFail, unbuilt};
use super::repeat::Changing;
use super::resource::{Info, Resource, Retry, Tags};
use super::tags::{TagChange, collect};
use crate::given::text;
use crate::permissions::{Grant, Permissions};
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::schema::{Governed, Refusal};
use leoctl_core::model::value::Value;

/// A value by name in Parameter Store, which containers can have as a secret or that other stacks can read.
///
/// Import by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SsmParameter {
    /// The name, unique in account and region, such as `/leo/prod/url`.
    #[schemars(extend("x-replace" = true, "pattern" = "^[a-zA-Z0-9_./-]+$", "x-form" = "letters, digits and _./-"), length(max = 1011))]
    name: String,
    /// `StringList` for values separated by commas, `SecureString` for an encrypted one.
    #[schemars(extend("default" = "String", "x-replace" = true, "enum" = ["String", "StringList", "SecureString"]))]
    r#type: String,
    /// The value of a `String` or `StringList`.
    #[schemars(length(max = 8192))]
    value: Option<String>,
    /// The value of a `SecureString`: shown nowhere, and remembered as a hash. It is written when it changes here; a
    /// change outside leoctl is neither seen nor undone.
    #[schemars(extend("x-sensitive" = true, "x-local" = true), length(max = 8192))]
    secure_value: Option<SecureValue>,
    /// What it is for.
    #[schemars(length(max = 1024))]
    description: Option<String>,
    /// `Advanced` allows 8 KiB instead of 4, and policies, and is paid for. It cannot become `Standard` again: to
    /// go back, replace the parameter (`--replace`). With `Intelligent-Tiering` AWS chooses.
    #[schemars(extend("default" = "Standard", "enum" = ["Standard", "Advanced", AWS_CHOOSES]))]
    tier: String,
    /// The KMS key of a `SecureString`; `alias/aws/ssm` when left out.
    #[schemars(extend("x-server" = true))]
    key_id: Option<String>,
    /// A regular expression that values must match.
    #[schemars(length(max = 1024))]
    allowed_pattern: Option<String>,
    /// What kind of text it is: AWS checks that an image exists.
    #[schemars(extend("default" = "text", "enum" = ["text", "aws:ec2:image", "aws:ssm:integration"]))]
    data_type: String,
    /// When it expires or says that it was not changed, as Parameter Store's own list of policies; `Advanced` only.
    policies: Option<Document>,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The ARN, as containers' `secrets` and policies want it.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
}

/// A secret that shows itself nowhere.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SecureValue(String);

impl fmt::Debug for SecureValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(sensitive)")
    }
}

const SECURE: &str = "SecureString";
/// The tier that AWS chooses by what the parameter has.
const AWS_CHOOSES: &str = "Intelligent-Tiering";

fn to_api(tags: &Tags) -> Outcome<Vec<api::Tag>> {
    let tags = tags.iter().map(|(key, value)| api::Tag::builder().key(key).value(value).build());
    tags.collect::<Result<_, _>>().map_err(unbuilt)
}

/// What Parameter Store knows of these parameters beside their values.
async fn describe(aws: &Aws, names: &[String]) -> Outcome<Vec<api::ParameterMetadata>> {
    // Fifty names in a filter (Systems Manager API Reference, ParameterStringFilter).
    let pages = names.chunks(50).map(async |some| {
        let filter = api::ParameterStringFilter::builder().key("Name").option("Equals").set_values(Some(some.to_vec()));
        let filter = filter.build().map_err(unbuilt)?;
        let mut pages = aws.ssm().describe_parameters().parameter_filters(filter).max_results(50).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            found.extend(page.or_fail("ssm:DescribeParameters")?.parameters.unwrap_or_default());
        }
        Ok(found)
    });
    Ok(try_join_all(pages).await?.into_iter().flatten().collect())
}

/// Waits before the list, which lags behind, is asked again for parameters that have values.
const LISTED: [u64; 5] = [1, 2, 4, 8, 16];

/// What the list has of these parameters, asked again until it has all that have values: one that it lacks is not gone.
async fn all_listed(
    aws: &Aws,
    mut found: Vec<api::ParameterMetadata>,
    values: &BTreeMap<String, api::Parameter>,
) -> Outcome<Vec<api::ParameterMetadata>> {
    let mut waits = LISTED.iter();
    loop {
        let missing = unlisted(&found, values);
        let Some(wait) = waits.next().filter(|_| !missing.is_empty()) else {
            return if missing.is_empty() { Ok(found) } else { Err(not_listed(&missing)) };
        };
        tokio::time::sleep(Duration::from_secs(*wait)).await;
        found.extend(describe(aws, &missing).await?);
    }
}

fn not_listed(missing: &[String]) -> Failure {
    let message = format!("Parameter Store has {} and does not list it yet: run the same command again", missing.join(", "));
    Failure { operation: "ssm:DescribeParameters".to_owned(), ..Failure::new(FailureKind::Transient, message) }
}

/// The parameters with a value that are not among those listed.
fn unlisted(found: &[api::ParameterMetadata], values: &BTreeMap<String, api::Parameter>) -> Vec<String> {
    values.keys().filter(|name| !found.iter().any(|one| one.name() == Some(name.as_str()))).cloned().collect()
}

/// The values of these parameters, those of secure ones encrypted. What has none does not exist.
async fn values(aws: &Aws, names: &[String]) -> Outcome<BTreeMap<String, api::Parameter>> {
    // Ten names (Systems Manager API Reference, GetParameters).
    let calls = names.chunks(10).map(async |some| {
        let found = aws.ssm().get_parameters().set_names(Some(some.to_vec())).send().await.or_fail("ssm:GetParameters")?;
        Ok(found.parameters.unwrap_or_default())
    });
    let found = try_join_all(calls).await?.into_iter().flatten();
    Ok(found.filter_map(|parameter| Some((parameter.name.clone()?, parameter))).collect())
}

async fn tags_of(aws: &Aws, name: &str) -> Outcome<(String, Tags)> {
    let call = aws.ssm().list_tags_for_resource().resource_type(api::ResourceTypeForTagging::Parameter).resource_id(name);
    let found = match call.send().await.or_fail("ssm:ListTagsForResource") {
        // A parameter that does not exist (Systems Manager API Reference, ListTagsForResource).
        Err(failure) if failure.code.as_deref() == Some("InvalidResourceId") => None,
        found => Some(found?),
    };
    let tags = found.and_then(|found| found.tag_list).unwrap_or_default();
    Ok((name.to_owned(), collect(tags.iter().map(|tag| (tag.key(), tag.value())))))
}

/// The list that Parameter Store took, from the policies it tells one by one.
fn policies(found: &[api::ParameterInlinePolicy]) -> Outcome<Option<Document>> {
    let texts = found.iter().filter_map(|policy| policy.policy_text());
    let list = texts.map(|text| Ok(Document::parse(text)?.0)).collect::<Outcome<Vec<Json>>>()?;
    Ok((!list.is_empty()).then_some(Document(Json::Array(list))))
}

/// Whether Parameter Store refuses a name (Systems Manager API Reference, PutParameter, Name).
fn is_reserved(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    match name.strip_prefix('/') {
        Some(path) => path.split('/').next().is_some_and(|first| matches!(first, "aws" | "ssm")),
        None => name.starts_with("aws") || name.starts_with("ssm"),
    }
}

/// That a parameter has the value of its type, and no other.
fn value_problem(desired: &Value) -> Option<(Path, String)> {
    let secure = match desired.get("type") {
        None | Some(Value::Null) => false,
        Some(Value::String(kind)) => kind == SECURE,
        Some(_) => return None,
    };
    let (needed, wrong, of) =
        if secure { ("secure_value", "value", "a `SecureString`") } else { ("value", "secure_value", "a `String` or `StringList`") };
    let given = |name: &str| desired.get(name).is_some_and(|value| !value.is_null());
    match (given(needed), given(wrong)) {
        (_, true) => Some((Path::attribute(wrong), format!("the value of {of} is its `{needed}`"))),
        (false, false) => Some((Path::attribute(needed), format!("{of} needs a `{needed}`"))),
        (true, false) => None,
    }
}

impl SsmParameter {
    fn from_api(found: &api::ParameterMetadata, value: &api::Parameter, tags: Tags) -> Outcome<Self> {
        let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        let kind = found.r#type().map_or("String", api::ParameterType::as_str);
        Ok(Self {
            name: found.name().unwrap_or_default().to_owned(),
            r#type: kind.to_owned(),
            value: value.value().filter(|_| kind != SECURE).map(str::to_owned),
            secure_value: None,
            description: text(found.description()),
            tier: found.tier().map_or("Standard", api::ParameterTier::as_str).to_owned(),
            key_id: text(found.key_id()),
            allowed_pattern: text(found.allowed_pattern()),
            data_type: text(found.data_type()).unwrap_or_else(|| "text".to_owned()),
            policies: policies(found.policies())?,
            tags,
            arn: value.arn().unwrap_or_default().to_owned(),
        })
    }

    /// The text that is written: what the stack file says when that changes, else what is there. Of a secret that is
    /// not written here any more only the hash is known, and somebody else may have written another.
    async fn text(&self, aws: &Aws, from: &Self) -> Outcome<Option<String>> {
        if self.r#type != SECURE {
            return Ok(self.value.clone());
        }
        if self.secure_value != from.secure_value {
            return Ok(self.secure_value.clone().map(|secret| secret.0));
        }
        let call = aws.ssm().get_parameter().name(&self.name).with_decryption(true);
        let found = call.send().await.or_fail("ssm:GetParameter")?;
        Ok(found.parameter.and_then(|parameter| parameter.value))
    }
}

impl Resource for SsmParameter {
    const TYPE: &'static str = "ssm_parameter";
    // A key made a moment ago.
    const INFO: Info = Info {
        unique: &[&["name"]],
        transient: &[Retry::always("TooManyUpdates")],
        propagating: &[Retry::after("InvalidKeyId", &["ssm:PutParameter"])],
        timeout: 300,
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:ssm:{region}:{account}:parameter/{name after /}",
        plan: &[Grant::any(&["ssm:DescribeParameters"]), Grant::itself(&["ssm:GetParameters", "ssm:ListTagsForResource"])],
        apply: &[
            Grant::itself(&[
                "ssm:AddTagsToResource",
                "ssm:DeleteParameter",
                "ssm:GetParameter",
                "ssm:PutParameter",
                "ssm:RemoveTagsFromResource",
            ]),
            Grant::key("key_id", &["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"]),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let reserved = desired.get("name").and_then(Value::as_str).filter(|name| is_reserved(name));
        let reserved = reserved.map(|_| (Path::attribute("name"), "names that begin with `aws` or `ssm` are AWS's own".to_owned()));
        value_problem(desired).into_iter().chain(reserved).collect()
    }

    /// An advanced parameter does not become a standard one again: AWS would have to cut off what does not fit (Systems Manager User
    /// Guide, "Managing parameter tiers").
    fn refuses(before: &Value, after: &Value) -> Option<Refusal> {
        let goes_back = text(before, "tier") == Some("Advanced") && text(after, "tier") == Some("Standard");
        goes_back.then_some(Refusal {
            why: "a parameter of the tier Advanced never becomes Standard again",
            help: "write `tier = \"Advanced\"`; or have it made anew with `--replace`, which loses its history",
        })
    }

    // AWS answers with the tier that it chose.
    fn governed(live: &Value, wanted: &Value) -> Vec<Governed> {
        let chosen =
            wanted.get("tier").and_then(Value::as_str) == Some(AWS_CHOOSES) && live.get("tier").is_some_and(|tier| !tier.is_null());
        chosen.then(|| Governed { path: Path::attribute("tier"), by: None }).into_iter().collect()
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let tags = try_join_all(ids.iter().map(|name| tags_of(aws, name)));
        let (listed, values, tags) = try_join3(describe(aws, ids), values(aws, ids), tags).await?;
        let described = all_listed(aws, listed, &values).await?;
        let mut tags: BTreeMap<_, _> = tags.into_iter().collect();
        let mut read = Vec::new();
        for found in &described {
            let Some((name, value)) = found.name().and_then(|name| Some((name, values.get(name)?))) else { continue };
            let tags = tags.remove(name).unwrap_or_default();
            read.push((name.to_owned(), Self::from_api(found, value, tags)?));
        }
        Ok(read)
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let Some(name) = wanted.text("name") else { return Ok(None) };
        Ok(wanted.pick(values(aws, &[name.to_owned()]).await?.into_keys()))
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let secret = to.secure_value.clone().map(|secret| secret.0);
        let call = aws
            .ssm()
            .put_parameter()
            .overwrite(false)
            .name(&to.name)
            .r#type(api::ParameterType::from(to.r#type.as_str()))
            .set_value(to.value.clone().or(secret))
            .set_description(to.description.clone())
            .tier(api::ParameterTier::from(to.tier.as_str()))
            .set_key_id(to.key_id.clone())
            .set_allowed_pattern(to.allowed_pattern.clone())
            .data_type(&to.data_type)
            .set_policies(to.policies.as_ref().map(ToString::to_string))
            .set_tags(Some(to_api(&to.tags)?));
        send_once!(aws_sdk_ssm, call).await.sent_once("ssm:PutParameter")?;
        Ok(to.name.clone())
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self {
            r#type,
            value: _,
            secure_value: _,
            description,
            tier,
            key_id,
            allowed_pattern,
            data_type,
            policies,
            tags,
            name: _,
            arn: _,
        } = to;
        let same_calls = Self { tags: from.tags.clone(), ..to.clone() };
        if same_calls != *from {
            // Policies stay until an empty one is sent (Systems Manager API Reference, PutParameter).
            let policies = match (policies, &from.policies) {
                (None, Some(_)) => Some("[{}]".to_owned()),
                (policies, _) => policies.as_ref().map(ToString::to_string),
            };
            let call = aws
                .ssm()
                .put_parameter()
                .overwrite(true)
                .name(id)
                .r#type(api::ParameterType::from(r#type.as_str()))
                .set_value(to.text(aws, from).await?)
                .description(description.clone().unwrap_or_default())
                .tier(api::ParameterTier::from(tier.as_str()))
                .set_key_id(key_id.clone().filter(|_| r#type == SECURE))
                .allowed_pattern(allowed_pattern.clone().unwrap_or_default())
                .data_type(data_type)
                .set_policies(policies);
            call.send().await.idempotent("ssm:PutParameter")?;
        }
        let change = TagChange::between(&from.tags, tags);
        let kind = api::ResourceTypeForTagging::Parameter;
        if !change.set.is_empty() {
            let call = aws.ssm().add_tags_to_resource().resource_type(kind.clone()).resource_id(id);
            call.set_tags(Some(to_api(&change.set)?)).send().await.idempotent("ssm:AddTagsToResource")?;
        }
        if !change.remove.is_empty() {
            let call = aws.ssm().remove_tags_from_resource().resource_type(kind).resource_id(id);
            call.set_tag_keys(Some(change.remove)).send().await.idempotent("ssm:RemoveTagsFromResource")?;
        }
        Ok(())
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        aws.ssm().delete_parameter().name(id).send().await.or_gone("ssm:DeleteParameter").map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_with_a_value_is_not_gone_when_the_list_lacks_it() {
        let values = ["/a", "/b"].map(|name| (name.to_owned(), api::Parameter::builder().name(name).build()));
        let listed = [api::ParameterMetadata::builder().name("/a").build()];
        let missing = unlisted(&listed, &values.into_iter().collect());
        assert_eq!(missing, ["/b"]);
        assert_eq!(not_listed(&missing).kind, FailureKind::Transient);
    }

    #[test]
    fn an_advanced_parameter_does_not_become_a_standard_one() {
        let refuses = |before: &str, after: &str| {
            let tier = |tier: &str| Value::from(serde_json::json!({ "tier": tier }));
            SsmParameter::refuses(&tier(before), &tier(after)).is_some()
        };
        assert!(refuses("Advanced", "Standard"));
        assert!(!refuses("Advanced", AWS_CHOOSES) && !refuses("Standard", "Advanced") && !refuses("Advanced", "Advanced"));
    }

    #[tokio::test]
    async fn policies_that_are_not_wanted_any_more_are_taken_away_by_an_empty_one() {
        let parameter = |policies: Json| -> SsmParameter {
            serde_json::from_value(serde_json::json!({
                "name": "/a", "type": "String", "value": "v", "tier": "Advanced", "data_type": "text", "policies": policies, "tags": {},
            }))
            .unwrap()
        };
        let expires =
            serde_json::json!([{ "Type": "Expiration", "Version": "1.0", "Attributes": { "Timestamp": "2030-01-01T00:00:00Z" } }]);
        let sent = async |from: &Json, to: &Json| {
            let scripted = crate::scripted::Scripted::new(|_| crate::scripted::Answer::ok("{}"));
            let operation = crate::patience::tests::operation(0);
            let from = SsmParameter { description: Some("before".to_owned()), ..parameter(from.clone()) };
            SsmParameter::update(&scripted.aws, &operation, "/a", &from, &parameter(to.clone())).await.unwrap();
            let calls = scripted.calls();
            assert_eq!(scripted.names(), ["PutParameter"]);
            serde_json::from_str::<Json>(&calls[0].body).unwrap()["Policies"].clone()
        };
        assert_eq!(sent(&expires, &Json::Null).await, "[{}]");
        assert_eq!(sent(&Json::Null, &Json::Null).await, Json::Null);
        let kept = sent(&expires, &expires).await;
        assert_eq!(serde_json::from_str::<Json>(kept.as_str().unwrap()).unwrap(), expires);
    }
}
