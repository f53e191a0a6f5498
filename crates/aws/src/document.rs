//! JSON documents as attributes.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use leoctl_core::engine::ports::{Failure, FailureKind, Outcome};

/// An IAM policy document, in AWS's exact keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Policy(pub Json);

/// Any other JSON document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Document(pub Json);

impl Policy {
    /// Reads what AWS returned.
    ///
    /// # Errors
    /// When it is not JSON.
    pub fn parse(text: &str) -> Outcome<Self> {
        parse(text).map(Self)
    }

    /// Reads what IAM returned, which it URL-encodes (IAM API Reference, GetRolePolicy: RFC 3986).
    ///
    /// # Errors
    /// When it is not JSON.
    pub fn parse_encoded(text: &str) -> Outcome<Self> {
        Self::parse(&percent_decoded(text))
    }
}

impl Document {
    /// Reads what AWS returned.
    ///
    /// # Errors
    /// When it is not JSON.
    pub fn parse(text: &str) -> Outcome<Self> {
        parse(text).map(Self)
    }
}

impl std::fmt::Display for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::fmt::Display for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl JsonSchema for Policy {
    fn schema_name() -> Cow<'static, str> {
        "Policy".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["object", "string"], "x-document": "policy" })
    }
}

impl JsonSchema for Document {
    fn schema_name() -> Cow<'static, str> {
        "Document".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["object", "array", "string"], "x-document": "json" })
    }
}

fn parse(text: &str) -> Outcome<Json> {
    serde_json::from_str(text)
        .map_err(|error| Failure::new(FailureKind::Other, format!("AWS returned a document that is not JSON: {error}")))
}

fn percent_decoded(text: &str) -> Cow<'_, str> {
    // JSON itself begins with `{`: only encoded text begins with `%7B`.
    if text.trim_start().starts_with('{') {
        return text.into();
    }
    percent_encoding::percent_decode_str(text).decode_utf8_lossy()
}
