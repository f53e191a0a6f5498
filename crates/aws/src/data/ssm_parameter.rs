//! The data source `ssm_parameter`.

use aws_sdk_ssm::types::ParameterType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::client::Aws;
use crate::error::{OrAbsent, OrFail};
use crate::permissions::Grant;
use crate::resource::{DataSource, wrong_argument};
use leoctl_core::engine::ports::Outcome;

/// A parameter of Systems Manager: one of your own, or one AWS publishes, such as the newest Amazon Linux image,
/// `/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SsmParameter {
    /// Its name, or its ARN. `NAME:VERSION` and `NAME:LABEL` read a version other than the newest.
    name: String,
    /// Whether a `SecureString` is read as its text, which takes `kms:Decrypt` on its key, or as ciphertext.
    #[schemars(extend("default" = true))]
    with_decryption: bool,
    /// The value: that of a `SecureString` is never shown or stored.
    #[schemars(extend("x-computed" = true))]
    value: Option<String>,
    /// `String`, `StringList` (its values joined by commas) or `SecureString`.
    #[schemars(extend("x-computed" = true))]
    r#type: Option<String>,
    /// The version.
    #[schemars(extend("x-computed" = true))]
    version: Option<i64>,
    /// The ARN.
    #[schemars(extend("x-computed" = true))]
    arn: Option<String>,
}

impl DataSource for SsmParameter {
    const TYPE: &'static str = "ssm_parameter";
    const PERMISSIONS: &'static [Grant] = &[
        // What AWS publishes belongs to no account.
        Grant::on(&["ssm:GetParameter"], &["arn:{partition}:ssm:{region}:*:parameter/{name after /}"]),
    ];

    fn secrets(&self) -> &'static [&'static str] {
        // What is neither of the two kinds known to be public counts as secret.
        if matches!(self.r#type.as_deref(), Some("String" | "StringList")) { &[] } else { &["value"] }
    }

    async fn read(self, aws: &Aws) -> Outcome<Self> {
        let call = aws.ssm().get_parameter().name(&self.name).with_decryption(self.with_decryption);
        let found = call.send().await.or_fail("ssm:GetParameter").or_absent()?;
        match found.and_then(|found| found.parameter) {
            Some(found) => Ok(Self {
                r#type: found.r#type().map(ParameterType::as_str).map(str::to_owned),
                version: Some(found.version()),
                value: found.value,
                arn: found.arn,
                ..self
            }),
            None => Err(wrong_argument(format!("there is no parameter {} in {}", self.name, aws.region))),
        }
    }
}
