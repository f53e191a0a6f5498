//! The data source `terraform_state`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::beside;
use crate::client::Aws;
use crate::document::Document;
use crate::permissions::Grant;
use crate::resource::{DataSource, wrong_argument};
use leoctl_core::engine::ports::Outcome;
use leoctl_core::stack::functions::has_long_integer;

/// The outputs in a state of Terraform or OpenTofu (format 4), in a file or in S3.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TerraformState {
    /// The state's file, from the folder of the stack file on. Either this or `bucket` and `key`.
    pub path: Option<String>,
    /// The bucket it is in.
    pub bucket: Option<String>,
    /// Its object in the bucket; that of a workspace is `env:/WORKSPACE/KEY`.
    pub key: Option<String>,
    /// The bucket's region, when not the stack's.
    pub region: Option<String>,
    /// The profile whose credentials may read the bucket, when not the stack's.
    pub profile: Option<String>,
    /// Whether `sensitive_outputs` are wanted.
    #[schemars(extend("default" = false))]
    pub sensitive: bool,
    /// The outputs by name, but for sensitive ones.
    #[schemars(extend("x-computed" = true))]
    pub outputs: Option<Document>,
    /// The sensitive outputs by name, where they are wanted: they are never shown or stored.
    #[schemars(extend("x-computed" = true))]
    pub sensitive_outputs: Option<Document>,
}

#[derive(Deserialize)]
struct State {
    version: u64,
    #[serde(default)]
    outputs: BTreeMap<String, Output>,
}

#[derive(Deserialize)]
struct Output {
    value: Json,
    #[serde(default)]
    sensitive: bool,
}

impl TerraformState {
    /// What a state says.
    ///
    /// # Errors
    /// When the text is no state, or one of another format.
    pub fn answered(self, text: &str) -> Outcome<Self> {
        let not_one = |why: String| wrong_argument(format!("{} is no state of Terraform: {why}", self.place()));
        let state: State = serde_json::from_str(text)
            .map_err(|error| not_one(format!("it is not JSON of that form at line {}, column {}", error.line(), error.column())))?;
        if state.version != 4 {
            return Err(not_one(format!("its format is {}, and format 4 is read: `terraform apply` writes it anew", state.version)));
        }
        if state.outputs.values().any(|output| has_long_integer(&output.value)) {
            return Err(wrong_argument(format!("an output of {} has a whole number that does not fit in 64 bits", self.place())));
        }
        let (secret, public): (Vec<_>, Vec<_>) = state.outputs.into_iter().partition(|(_, output)| output.sensitive);
        let all = |outputs: Vec<(String, Output)>| {
            Document(outputs.into_iter().map(|(name, output)| (name, output.value)).collect::<serde_json::Map<_, _>>().into())
        };
        let sensitive_outputs = self.sensitive.then(|| all(secret));
        Ok(Self { outputs: Some(all(public)), sensitive_outputs, ..self })
    }

    /// Where the state is, for people.
    pub fn place(&self) -> String {
        match (&self.path, &self.bucket, &self.key) {
            (Some(path), ..) => path.clone(),
            (None, bucket, key) => format!("s3://{}/{}", bucket.as_deref().unwrap_or_default(), key.as_deref().unwrap_or_default()),
        }
    }
}

impl DataSource for TerraformState {
    const TYPE: &'static str = "terraform_state";
    // Where it is in a bucket is known of the stack file: `iam-policy` says it.
    const PERMISSIONS: &'static [Grant] = &[];

    fn secrets(&self) -> &'static [&'static str] {
        &["sensitive_outputs"]
    }

    async fn read(self, _: &Aws) -> Outcome<Self> {
        Err(beside(Self::TYPE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(sensitive: bool) -> TerraformState {
        serde_json::from_value(serde_json::json!({ "path": "network.tfstate", "sensitive": sensitive })).unwrap()
    }

    const TEXT: &str = r#"{ "version": 4, "terraform_version": "1.9.0", "serial": 3, "lineage": "x", "resources": [],
        "outputs": { "vpc_id": { "value": "vpc-1", "type": "string" },
                     "password": { "value": "hidden", "type": "string", "sensitive": true } } }"#;

    #[test]
    fn sensitive_outputs_are_read_only_when_they_are_wanted_and_apart() {
        let read = state(false).answered(TEXT).unwrap();
        assert_eq!(read.outputs, Some(Document(serde_json::json!({ "vpc_id": "vpc-1" }))));
        assert_eq!(read.sensitive_outputs, None);
        let read = state(true).answered(TEXT).unwrap();
        assert_eq!(read.sensitive_outputs, Some(Document(serde_json::json!({ "password": "hidden" }))));
        assert_eq!(read.secrets(), ["sensitive_outputs"]);
    }

    #[test]
    fn what_is_no_state_is_said_without_its_contents() {
        let said = |text: &str| state(false).answered(text).err().map(|failure| failure.message).unwrap();
        assert_eq!(said("{ secret"), "network.tfstate is no state of Terraform: it is not JSON of that form at line 1, column 3");
        assert!(said(r#"{ "version": 3 }"#).contains("its format is 3"));
    }
}
