//! The data source `awscc`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::client::Aws;
use crate::cloud_control::facts::Verb;
use crate::cloud_control::kind::Kind;
use crate::cloud_control::names::type_name;
use crate::cloud_control::{self, read_model};
use crate::document::Document;
use crate::error::OrFail;
use crate::permissions::Grant;
use crate::resource::{DataSource, wrong_argument};
use leoctl_core::engine::ports::{Failure, FailureKind, Outcome};

/// A resource of any type that the Cloud Control API reads, or the list of all of a type.
///
/// Reading one takes what its type's own API takes of IAM, beside what `leoctl iam-policy` says of this data source.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Awscc {
    /// The type, as stack files name it or as AWS does: `awscc_sqs_queue` or `AWS::SQS::Queue`.
    r#type: String,
    /// The id of one. Left out, all are listed.
    identifier: Option<String>,
    /// What a list of some types has to be asked with, such as the API of its routes, in AWS's own names.
    resource_model: Option<Document>,
    /// The attributes of the one, as the type has them in stack files.
    #[schemars(extend("x-computed" = true))]
    attributes: Option<Document>,
    /// The ids of all that there are, sorted.
    #[schemars(extend("x-computed" = true))]
    identifiers: Option<Vec<String>>,
}

impl Awscc {
    fn kind(&self) -> Outcome<&'static Kind> {
        let name = if self.r#type.starts_with("AWS::") { type_name(&self.r#type) } else { self.r#type.clone() };
        cloud_control::kind(&name).ok_or_else(|| wrong_argument(format!("leoctl knows no type {}", self.r#type)))
    }
}

impl DataSource for Awscc {
    const TYPE: &'static str = "awscc";
    const PERMISSIONS: &'static [Grant] = &[Grant::any(&["cloudformation:GetResource", "cloudformation:ListResources"])];

    fn secrets(&self) -> &'static [&'static str] {
        // Which of them are sensitive the type says; expressions see one document.
        let has_secret = self.kind().is_ok_and(Kind::has_sensitive);
        if has_secret { &["attributes"] } else { &[] }
    }

    async fn read(self, aws: &Aws) -> Outcome<Self> {
        let kind = self.kind()?;
        let name = kind.facts.aws;
        if let Some(id) = &self.identifier {
            let Some(model) = read_model(aws, name, id).await? else {
                return Err(wrong_argument(format!("there is no {name} {id} in {}", aws.region)));
            };
            let attributes = kind.attributes(id, &model).to_json();
            let attributes = attributes.map_err(|path| Failure::new(FailureKind::Other, format!("`{path}` is not known")))?;
            return Ok(Self { attributes: Some(Document(attributes)), ..self });
        }
        if !kind.facts.can(Verb::List) {
            return Err(wrong_argument(format!("AWS's Cloud Control API cannot list {name}: say which one by its `identifier`")));
        }
        let asked = self.resource_model.as_ref().map(|model| match &model.0 {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        });
        let mut pages = aws.cloudcontrol().list_resources().type_name(name).set_resource_model(asked).into_paginator().send();
        let mut identifiers = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.or_fail("cloudformation:ListResources")?;
            identifiers.extend(page.resource_descriptions.unwrap_or_default().into_iter().filter_map(|found| found.identifier));
        }
        identifiers.sort();
        Ok(Self { identifiers: Some(identifiers), ..self })
    }
}
