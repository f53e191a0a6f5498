//! The data source `stack`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::beside;
use crate::client::Aws;
use crate::document::Document;
use crate::permissions::Grant;
use crate::resource::DataSource;
use leoctl_core::engine::ports::Outcome;

/// What another stack's last apply has put out, read from that stack's state, wherever its file says that is. Sensitive outputs
/// are in no state: what is secret is read where it is kept, with `data.secretsmanager_secret` or `data.ssm_parameter`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stack {
    /// The other stack's file, from the folder of this one on.
    pub file: String,
    /// Its variables, where its name or the place of its state depends on some that have no default.
    #[schemars(extend("default" = {}))]
    pub vars: BTreeMap<String, String>,
    /// Its name.
    #[schemars(extend("x-computed" = true))]
    pub name: Option<String>,
    /// The account it is in.
    #[schemars(extend("x-computed" = true))]
    pub account_id: Option<String>,
    /// The region it is in.
    #[schemars(extend("x-computed" = true))]
    pub region: Option<String>,
    /// Its outputs by name.
    #[schemars(extend("x-computed" = true))]
    pub outputs: Option<Document>,
}

impl DataSource for Stack {
    const TYPE: &'static str = "stack";
    const PERMISSIONS: &'static [Grant] = &[];

    async fn read(self, _: &Aws) -> Outcome<Self> {
        Err(beside(Self::TYPE))
    }
}
