//! The resource type `ecr_repository`.

use std::collections::BTreeMap;

use aws_sdk_ecr::types as api;
use futures_util::future::{try_join, try_join_all};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::client::{Aws, send_once};
use super::document::{Document, Policy};
use super::error::{OrAbsent, OrFail, unbuilt};
use super::repeat::Changing;
use super::resource::{Info, Resource, Retry, Tags};
use super::tags::{TagChange, collect};
use crate::permissions::{Grant, Permissions};
use leoctl_core::engine::ports::{Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::schema::Governed;
use leoctl_core::model::value::Value;

/// A repository of container images.
///
/// Import by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EcrRepository {
    /// The name, unique in account and region.
    #[schemars(extend("x-replace" = true, "pattern" = r"^([a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*/)*[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*$", "x-form" = "lower-case letters and digits, single dots, one or two underscores and hyphens between them, slashes between such parts"), length(max = 256))]
    name: String,
    /// Whether a tag can be moved to another image; with `_WITH_EXCLUSION` the tags below are the exception.
    #[schemars(extend("default" = "MUTABLE", "enum" = ["MUTABLE", "IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION"]))]
    image_tag_mutability: String,
    /// The tags that are the exception, `*` standing for anything, such as `latest*`.
    #[schemars(extend("default" = [], "x-set" = true, "maxItems" = 5))]
    image_tag_mutability_exclusion_filters: Vec<String>,
    /// Whether images are scanned for vulnerabilities when they are pushed.
    #[schemars(extend("default" = false))]
    scan_on_push: bool,
    /// What images are encrypted with.
    #[schemars(extend("default" = "AES256", "x-replace" = true, "enum" = ["AES256", "KMS", "KMS_DSSE"]))]
    encryption_type: String,
    /// The ARN or the id of the KMS key, for `KMS`. An alias may come to mean another key, and is refused.
    #[schemars(extend("x-replace" = true, "x-server" = true))]
    kms_key: Option<String>,
    /// Which images are deleted when.
    lifecycle_policy: Option<Document>,
    /// Who else may use the repository.
    repository_policy: Option<Policy>,
    /// Whether deleting the repository deletes the images in it; without, deleting one that has images fails.
    #[schemars(extend("default" = false, "x-local" = true))]
    #[serde(default)]
    force_delete: bool,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The ARN.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
    /// What images are pushed to and pulled from.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    repository_uri: String,
    /// The account whose registry it is in.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    registry_id: String,
}

impl EcrRepository {
    fn exclusions(&self) -> Outcome<Option<Vec<api::ImageTagMutabilityExclusionFilter>>> {
        let filters = self.image_tag_mutability_exclusion_filters.iter().map(|filter| {
            let wildcard = api::ImageTagMutabilityExclusionFilterType::Wildcard;
            let filter = api::ImageTagMutabilityExclusionFilter::builder().filter_type(wildcard).filter(filter).build();
            filter.map_err(unbuilt)
        });
        Ok(Some(filters.collect::<Outcome<Vec<_>>>()?).filter(|filters| !filters.is_empty()))
    }

    async fn parts(aws: &Aws, name: &str) -> Outcome<(Option<Document>, Option<Policy>)> {
        let lifecycle = async {
            let found = aws.ecr().get_lifecycle_policy().repository_name(name).send().await;
            found.or_fail("ecr:GetLifecyclePolicy").or_absent()
        };
        let policy = async {
            let found = aws.ecr().get_repository_policy().repository_name(name).send().await;
            found.or_fail("ecr:GetRepositoryPolicy").or_absent()
        };
        let (lifecycle, policy) = try_join(lifecycle, policy).await?;
        let lifecycle = lifecycle.and_then(|found| found.lifecycle_policy_text).map(|text| Document::parse(&text));
        let policy = policy.and_then(|found| found.policy_text).map(|text| Policy::parse(&text));
        Ok((lifecycle.transpose()?, policy.transpose()?))
    }

    async fn describe(aws: &Aws, names: &[String]) -> Outcome<Vec<api::Repository>> {
        let call = aws.ecr().describe_repositories().set_repository_names(Some(names.to_vec()));
        match call.send().await.or_fail("ecr:DescribeRepositories").or_absent()? {
            Some(found) => {
                let mut found = found.repositories.unwrap_or_default();
                found.retain(|repository| repository.repository_name().is_some_and(|name| names.iter().any(|asked| asked == name)));
                Ok(found)
            }
            // One that is gone fails the whole batch: then each is asked for alone.
            None if names.len() > 1 => {
                let alone = names.iter().map(|name| Box::pin(Self::describe(aws, std::slice::from_ref(name))));
                Ok(try_join_all(alone).await?.into_iter().flatten().collect())
            }
            None => Ok(Vec::new()),
        }
    }

    async fn tags_of(aws: &Aws, repository: &api::Repository) -> Outcome<Tags> {
        let call = aws.ecr().list_tags_for_resource().resource_arn(repository.repository_arn().unwrap_or_default());
        let found = call.send().await.or_fail("ecr:ListTagsForResource").or_absent()?;
        let tags = found.and_then(|found| found.tags).unwrap_or_default();
        Ok(collect(tags.iter().map(|tag| (tag.key(), tag.value()))))
    }
}

/// Whether the key that is wanted is the live one: AWS says its ARN, whatever it was given.
fn same_key(live: &Value, wanted: &Value) -> bool {
    let id = |arn: &str| arn.rsplit_once(":key/").map(|(_, id)| id.to_owned());
    matches!((live.as_str(), wanted.as_str()), (Some(live), Some(wanted)) if id(live).as_deref() == Some(wanted))
}

/// Whether two lifecycle policies mean the same: AWS returns the rules by their priority, and tags have no order.
fn same_rules(one: &Value, other: &Value) -> bool {
    let normal = |policy: &Value| {
        let mut policy = policy.to_json().ok()?;
        let rules = policy.get_mut("rules")?.as_array_mut()?;
        rules.sort_by_key(|rule| rule.get("rulePriority").and_then(Json::as_i64));
        for name in ["tagPrefixList", "tagPatternList"] {
            for tags in rules.iter_mut().filter_map(|rule| rule.get_mut("selection")?.get_mut(name)?.as_array_mut()) {
                tags.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
            }
        }
        Some(policy)
    };
    normal(one).is_some_and(|one| normal(other) == Some(one))
}

fn to_api(tags: &Tags) -> Outcome<Vec<api::Tag>> {
    let tags = tags.iter().map(|(key, value)| api::Tag::builder().key(key).value(value).build());
    tags.collect::<Result<_, _>>().map_err(unbuilt)
}

impl Resource for EcrRepository {
    const TYPE: &'static str = "ecr_repository";
    const INFO: Info = Info {
        // A principal or key made a moment ago.
        propagating: &[Retry::after("InvalidParameterException", &["ecr:CreateRepository", "ecr:SetRepositoryPolicy"])],
        unique: &[&["name"]],
        data_loss: Some("the images in it"),
        emptied_by: Some("force_delete"),
        timeout: 300,
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:ecr:{region}:{account}:repository/{name}",
        plan: &[Grant::itself(&[
            "ecr:DescribeImages",
            "ecr:DescribeRepositories",
            "ecr:GetLifecyclePolicy",
            "ecr:GetRepositoryPolicy",
            "ecr:ListTagsForResource",
        ])],
        apply: &[
            Grant::itself(&[
                "ecr:CreateRepository",
                "ecr:DeleteLifecyclePolicy",
                "ecr:DeleteRepository",
                "ecr:DeleteRepositoryPolicy",
                "ecr:PutImageScanningConfiguration",
                "ecr:PutImageTagMutability",
                "ecr:PutLifecyclePolicy",
                "ecr:SetRepositoryPolicy",
                "ecr:TagResource",
                "ecr:UntagResource",
            ]),
            Grant::key("kms_key", &["kms:CreateGrant", "kms:DescribeKey", "kms:RetireGrant"]),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let key = desired.get("kms_key").and_then(Value::as_str).unwrap_or_default();
        let alias = key.starts_with("alias/") || key.contains(":alias/");
        let problem = "write the key's ARN or id: AWS keeps the key that an alias means now, and another one replaces the repository";
        let short = desired.get("name").and_then(Value::as_str).is_some_and(|name| name.chars().count() == 1);
        let name = short.then(|| (Path::attribute("name"), "the name of a repository has at least two characters".to_owned()));
        // ECR API Reference, PutImageTagMutability.
        let excludes = desired.get("image_tag_mutability").and_then(Value::as_str).is_some_and(|how| how.ends_with("_WITH_EXCLUSION"));
        let filters = desired.get("image_tag_mutability_exclusion_filters");
        let none = filters.is_none_or(|filters| filters.is_null() || filters.as_list().is_some_and(<[Value]>::is_empty));
        let exclusion = (excludes && none).then(|| {
            let problem = "an exclusion says what it excludes: `image_tag_mutability_exclusion_filters`".to_owned();
            (Path::attribute("image_tag_mutability"), problem)
        });
        alias.then(|| (Path::attribute("kms_key"), problem.to_owned())).into_iter().chain(name).chain(exclusion).collect()
    }

    fn governed(live: &Value, wanted: &Value) -> Vec<Governed> {
        let both = |name: &str| (live.get(name).unwrap_or(&Value::Null), wanted.get(name).unwrap_or(&Value::Null));
        let (key, policy) = (both("kms_key"), both("lifecycle_policy"));
        let key = same_key(key.0, key.1).then_some("kms_key");
        let policy = same_rules(policy.0, policy.1).then_some("lifecycle_policy");
        key.into_iter().chain(policy).map(|name| Governed { path: Path::attribute(name), by: None }).collect()
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let parts = try_join_all(ids.iter().map(async |name| Ok((name.clone(), Self::parts(aws, name).await?))));
        let described = async {
            let found = try_join_all(ids.chunks(100).map(|some| Self::describe(aws, some))).await?;
            let found: Vec<api::Repository> = found.into_iter().flatten().collect();
            let tags = try_join_all(found.iter().map(|repository| Self::tags_of(aws, repository))).await?;
            Ok(found.into_iter().zip(tags).collect::<Vec<_>>())
        };
        let (parts, described) = try_join(parts, described).await?;
        let mut parts: BTreeMap<String, (Option<Document>, Option<Policy>)> = parts.into_iter().collect();
        let read = described.into_iter().map(|(repository, tags)| {
            let name = repository.repository_name().unwrap_or_default().to_owned();
            let (lifecycle_policy, repository_policy) = parts.remove(&name).unwrap_or_default();
            let encryption = repository.encryption_configuration();
            let read = Self {
                name: name.clone(),
                image_tag_mutability_exclusion_filters: repository
                    .image_tag_mutability_exclusion_filters()
                    .iter()
                    .map(|filter| filter.filter().to_owned())
                    .collect(),
                image_tag_mutability: repository.image_tag_mutability().map_or("MUTABLE", api::ImageTagMutability::as_str).to_owned(),
                scan_on_push: repository.image_scanning_configuration().is_some_and(api::ImageScanningConfiguration::scan_on_push),
                encryption_type: encryption.map_or("AES256", |encryption| encryption.encryption_type().as_str()).to_owned(),
                kms_key: encryption.and_then(|encryption| encryption.kms_key()).map(str::to_owned),
                lifecycle_policy,
                repository_policy,
                force_delete: false,
                tags,
                arn: repository.repository_arn().unwrap_or_default().to_owned(),
                repository_uri: repository.repository_uri().unwrap_or_default().to_owned(),
                registry_id: repository.registry_id().unwrap_or_default().to_owned(),
            };
            (name, read)
        });
        Ok(read.collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let Some(name) = wanted.text("name") else { return Ok(None) };
        let found = Self::describe(aws, &[name.to_owned()]).await?;
        Ok(wanted.pick(found.into_iter().filter_map(|repository| repository.repository_name)))
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let encryption = api::EncryptionConfiguration::builder()
            .encryption_type(api::EncryptionType::from(to.encryption_type.as_str()))
            .set_kms_key(to.kms_key.clone());
        let call = aws
            .ecr()
            .create_repository()
            .repository_name(&to.name)
            .image_tag_mutability(api::ImageTagMutability::from(to.image_tag_mutability.as_str()))
            .set_image_tag_mutability_exclusion_filters(to.exclusions()?)
            .image_scanning_configuration(api::ImageScanningConfiguration::builder().scan_on_push(to.scan_on_push).build())
            .encryption_configuration(encryption.build().map_err(unbuilt)?)
            .set_tags(Some(to_api(&to.tags)?));
        let made = send_once!(aws_sdk_ecr, call).await.sent_once("ecr:CreateRepository")?;
        Ok(made.repository().and_then(|repository| repository.repository_name()).unwrap_or(&to.name).to_owned())
    }

    fn as_created(to: &Self) -> Self {
        Self { lifecycle_policy: None, repository_policy: None, ..to.clone() }
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self {
            image_tag_mutability,
            image_tag_mutability_exclusion_filters,
            scan_on_push,
            lifecycle_policy,
            repository_policy,
            tags,
            // Heeded when deleting.
            force_delete: _,
            name: _,
            encryption_type: _,
            kms_key: _,
            arn: _,
            repository_uri: _,
            registry_id: _,
        } = to;
        let ecr = aws.ecr();
        if *image_tag_mutability != from.image_tag_mutability
            || *image_tag_mutability_exclusion_filters != from.image_tag_mutability_exclusion_filters
        {
            let mutability = api::ImageTagMutability::from(image_tag_mutability.as_str());
            let call = ecr.put_image_tag_mutability().repository_name(id).image_tag_mutability(mutability);
            let call = call.set_image_tag_mutability_exclusion_filters(to.exclusions()?);
            call.send().await.idempotent("ecr:PutImageTagMutability")?;
        }
        if *scan_on_push != from.scan_on_push {
            let scanning = api::ImageScanningConfiguration::builder().scan_on_push(*scan_on_push).build();
            let call = ecr.put_image_scanning_configuration().repository_name(id).image_scanning_configuration(scanning);
            call.send().await.idempotent("ecr:PutImageScanningConfiguration")?;
        }
        if *lifecycle_policy != from.lifecycle_policy {
            match lifecycle_policy {
                Some(policy) => {
                    let call = ecr.put_lifecycle_policy().repository_name(id).lifecycle_policy_text(policy.to_string());
                    call.send().await.idempotent("ecr:PutLifecyclePolicy")?;
                }
                None => {
                    ecr.delete_lifecycle_policy().repository_name(id).send().await.or_gone("ecr:DeleteLifecyclePolicy")?;
                }
            }
        }
        if *repository_policy != from.repository_policy {
            match repository_policy {
                Some(policy) => {
                    let call = ecr.set_repository_policy().repository_name(id).policy_text(policy.to_string());
                    call.send().await.idempotent("ecr:SetRepositoryPolicy")?;
                }
                None => {
                    ecr.delete_repository_policy().repository_name(id).send().await.or_gone("ecr:DeleteRepositoryPolicy")?;
                }
            }
        }
        let change = TagChange::between(&from.tags, tags);
        if change == TagChange::default() {
            return Ok(());
        }
        let Some(repository) = Self::describe(aws, &[id.to_owned()]).await?.into_iter().next() else { return Ok(()) };
        let arn = repository.repository_arn().unwrap_or_default();
        if !change.set.is_empty() {
            ecr.tag_resource().resource_arn(arn).set_tags(Some(to_api(&change.set)?)).send().await.idempotent("ecr:TagResource")?;
        }
        if !change.remove.is_empty() {
            ecr.untag_resource().resource_arn(arn).set_tag_keys(Some(change.remove)).send().await.idempotent("ecr:UntagResource")?;
        }
        Ok(())
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, last: Option<&Self>) -> Outcome<()> {
        let force = last.is_some_and(|last| last.force_delete);
        let call = aws.ecr().delete_repository().repository_name(id).force(force);
        call.send().await.or_gone("ecr:DeleteRepository").map(drop)
    }
}

#[cfg(test)]
mod tests {
    use leoctl_core::model::schema::Type;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_is_what_it_resolves_to_and_no_alias() {
        let governed = |live: Json, wanted: Json| !EcrRepository::governed(&Value::from(live), &Value::from(wanted)).is_empty();
        let live = json!({ "kms_key": "arn:aws:kms:eu-west-1:1:key/1234" });
        assert!(governed(live.clone(), json!({ "kms_key": "1234" })));
        assert!(!governed(live, json!({ "kms_key": "4321" })));
        for alias in ["alias/images", "arn:aws:kms:eu-west-1:1:alias/images"] {
            assert_eq!(EcrRepository::check(&Value::from(json!({ "kms_key": alias }))).len(), 1, "{alias}");
        }
    }

    #[test]
    fn a_repository_is_named_as_ecr_takes_it() {
        let attribute = crate::registry::catalog().resources["ecr_repository"].schema.attribute("name").unwrap();
        let Type::String(rule) = &attribute.ty else { panic!("a name is text") };
        let fits = |name: &str| rule.pattern.as_ref().is_some_and(|pattern| pattern.allows(name));
        for name in ["app", "team/app", "a__b", "a--b", "a---b", "a.b_c-d", "ab"] {
            assert!(fits(name), "{name}");
        }
        assert_eq!(EcrRepository::check(&Value::from(json!({ "name": "a" }))).len(), 1);
        for name in ["a___b", "-a", "a..b", "App", "a/"] {
            assert!(!fits(name), "{name}");
        }
    }

    #[test]
    fn rules_come_back_by_their_priority() {
        let rule = |priority: u32, tags: &[&str]| json!({ "rulePriority": priority, "selection": { "tagPrefixList": tags } });
        let policy = |rules: &[Json]| Value::from(json!({ "rules": rules }));
        assert!(same_rules(&policy(&[rule(1, &["a", "b"]), rule(2, &[])]), &policy(&[rule(2, &[]), rule(1, &["b", "a"])])));
        assert!(!same_rules(&policy(&[rule(1, &["a"])]), &policy(&[rule(1, &["b"])])));
        assert!(!same_rules(&Value::Null, &Value::Null));
    }
}
