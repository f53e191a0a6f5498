//! The data source `secretsmanager_secret`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::client::Aws;
use crate::error::{OrAbsent, OrFail};
use crate::permissions::Grant;
use crate::resource::{DataSource, wrong_argument};
use leoctl_core::engine::ports::Outcome;

/// A secret, but never its value.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretsmanagerSecret {
    /// Its name.
    name: String,
    /// Its ARN.
    #[schemars(extend("x-computed" = true))]
    arn: Option<String>,
    /// What it is for.
    #[schemars(extend("x-computed" = true))]
    description: Option<String>,
}

impl DataSource for SecretsmanagerSecret {
    const TYPE: &'static str = "secretsmanager_secret";
    const PERMISSIONS: &'static [Grant] =
        &[Grant::on(&["secretsmanager:DescribeSecret"], &["arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-??????"])];

    async fn read(self, aws: &Aws) -> Outcome<Self> {
        let call = aws.secrets().describe_secret().secret_id(&self.name);
        let found = call.send().await.or_fail("secretsmanager:DescribeSecret").or_absent()?;
        match found.filter(|found| found.deleted_date().is_none()) {
            Some(found) => Ok(Self { arn: found.arn, description: found.description, ..self }),
            None => Err(wrong_argument(format!("there is no secret {} in {}", self.name, aws.region))),
        }
    }
}
