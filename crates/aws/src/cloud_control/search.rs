//! Finding a resource whose id is not known: by its ownership tags, among all of its type.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::try_join_all;
use serde_json::{Value as Json, json};

use super::facts::Verb;
use super::handler::{classified, parsed, read_model};
use super::kind::Kind;
use crate::client::Aws;
use crate::error::{OrAbsent, OrFail};
use leoctl_core::engine::ports::{Failure, Operation, Outcome, Wanted};
use leoctl_core::model::value::Value;
use leoctl_core::plan::desired::{ADDRESS_TAG, STACK_TAG};

/// Of how many that no list shows the tags of each is looked at, at a time.
const AT_ONCE: usize = 50;
/// How long a second look waits for AWS's lists to show what a creation left behind.
const SECOND_LOOK: Duration = Duration::from_secs(2);

/// What is looked for: the tags of ours, among what is not known.
pub struct Expected<'a> {
    tags: BTreeMap<String, String>,
    wanted: Option<&'a Wanted>,
}

impl<'a> Expected<'a> {
    /// The resource that is wanted.
    pub fn of(wanted: &'a Wanted) -> Self {
        Self { tags: wanted.ownership(), wanted: Some(wanted) }
    }

    /// One that was to have these attributes; none where they do not say whose it is.
    fn like(desired: &Value) -> Option<Self> {
        let tag = |key: &str| Some((key.to_owned(), desired.get("tags")?.get(key)?.as_str()?.to_owned()));
        Some(Self { tags: [tag(STACK_TAG)?, tag(ADDRESS_TAG)?].into(), wanted: None })
    }

    fn is_known(&self, id: &str) -> bool {
        self.wanted.is_some_and(|wanted| wanted.is_known(id))
    }

    fn is(&self, attributes: &Value) -> bool {
        let tag = |key: &str| attributes.get("tags").and_then(|tags| tags.get(key)).and_then(Value::as_str);
        self.tags.iter().all(|(key, value)| tag(key) == Some(value))
    }
}

/// What a creation that has failed left behind.
pub enum Left {
    /// A resource with our tags.
    Ours(String),
    /// Nothing.
    Nothing,
    /// Something of its name that has no tags which say whose it is.
    Unknown,
}

/// A search in one account and region.
pub struct Search<'a> {
    aws: &'a Aws,
    kind: &'static Kind,
}

impl<'a> Search<'a> {
    /// A search for resources of a type.
    pub fn new(aws: &'a Aws, kind: &'static Kind) -> Self {
        Self { aws, kind }
    }

    /// What there is of a resource that was to have these attributes, when its creation has failed.
    ///
    /// # Errors
    /// When AWS refuses, or the wait was ended.
    pub async fn left_behind(&self, operation: &Operation, desired: &Value) -> Outcome<Left> {
        let expected = Expected::like(desired);
        if let Some(id) = self.kind.id_of(desired) {
            let model = read_model(self.aws, self.kind.facts.aws, &id).await?;
            return Ok(match (model, expected) {
                (None, _) => Left::Nothing,
                (Some(model), Some(expected)) if expected.is(&self.kind.attributes(&id, &model)) => Left::Ours(id),
                (Some(_), Some(_)) => Left::Nothing,
                (Some(_), None) => Left::Unknown,
            });
        }
        let Some(expected) = expected else { return Ok(Left::Nothing) };
        if let Some(id) = self.tagged(desired, true, &expected).await? {
            return Ok(Left::Ours(id));
        }
        operation.pause(SECOND_LOOK, "looking for what the creation left behind").await?;
        Ok(self.tagged(desired, true, &expected).await?.map_or(Left::Nothing, Left::Ours))
    }

    /// The id of one that has the tags that are expected. A list may show them; what it does not show them of is looked at one by one
    /// where `silent` is to be looked at, too.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn tagged(&self, desired: &Value, silent: bool, expected: &Expected<'_>) -> Outcome<Option<String>> {
        if !self.kind.facts.can(Verb::List) {
            return Ok(None);
        }
        let call = self.aws.cloudcontrol().list_resources().type_name(self.kind.facts.aws);
        let mut pages = call.set_resource_model(self.kind.listed_by(desired)).into_paginator().send();
        let mut unseen = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.or_fail("cloudformation:ListResources").or_absent().map_err(classified)?;
            let Some(page) = page else { break };
            for found in page.resource_descriptions.unwrap_or_default() {
                let Some(id) = found.identifier.filter(|id| !expected.is_known(id)) else { continue };
                let model = found.properties.as_deref().map(parsed).transpose()?.unwrap_or_default();
                let attributes = self.kind.attributes(&id, &model);
                match attributes.get("tags") {
                    Some(_) if expected.is(&attributes) => return Ok(Some(id)),
                    Some(_) => {}
                    None => unseen.push(id),
                }
            }
        }
        for some in unseen.chunks(AT_ONCE).filter(|_| silent) {
            if let Some(id) = self.first_of(some, expected).await? {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// The ids of those of which a property has a value. A list may show it; what it does not show it of is read.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn naming(&self, property: &str, value: &str) -> Outcome<Vec<String>> {
        let by = self.kind.facts.listed_by();
        let asked = by.contains(&property).then(|| json!({ property: value }).to_string());
        let call = self.aws.cloudcontrol().list_resources().type_name(self.kind.facts.aws).set_resource_model(asked);
        let listed = call.into_paginator().items().send().try_collect().await;
        let listed = listed.or_fail("cloudformation:ListResources").or_absent().map_err(classified)?.unwrap_or_default();
        let has = |model: &Json| model.get(property).map(|found| found.as_str() == Some(value));
        let (mut found, mut unseen) = (Vec::new(), Vec::new());
        for one in listed {
            let Some(id) = one.identifier else { continue };
            let model = one.properties.as_deref().map(parsed).transpose()?.unwrap_or_default();
            match has(&model) {
                Some(true) => found.push(id),
                Some(false) => {}
                None => unseen.push(id),
            }
        }
        for some in unseen.chunks(AT_ONCE) {
            let looks = some.iter().map(|id| async move {
                let model = read_model(self.aws, self.kind.facts.aws, id).await?;
                Ok::<_, Failure>(model.is_some_and(|model| has(&model) == Some(true)).then(|| id.clone()))
            });
            found.extend(try_join_all(looks).await?.into_iter().flatten());
        }
        Ok(found)
    }

    /// The first of these that has the tags that are expected.
    async fn first_of(&self, ids: &[String], expected: &Expected<'_>) -> Outcome<Option<String>> {
        let looks = ids.iter().map(|id| async move {
            let model: Option<Json> = read_model(self.aws, self.kind.facts.aws, id).await?;
            Ok::<_, Failure>(model.filter(|model| expected.is(&self.kind.attributes(id, model))).map(|_| id.clone()))
        });
        Ok(try_join_all(looks).await?.into_iter().flatten().next())
    }
}
