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
    /// Its name. Either this is written or `arn`.
    name: Option<String>,
    /// Its ARN, also of another account's secret.
    #[schemars(extend("x-format" = "arn:secretsmanager"))]
    arn: Option<String>,
    /// What it is for.
    #[schemars(extend("x-computed" = true))]
    description: Option<String>,
}

impl DataSource for SecretsmanagerSecret {
    const TYPE: &'static str = "secretsmanager_secret";
    const PERMISSIONS: &'static [Grant] = &[
        Grant::on(&["secretsmanager:DescribeSecret"], &["arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-??????"])
            .when("name"),
        Grant::on(&["secretsmanager:DescribeSecret"], &["{arn}"]).when("arn"),
    ];

    async fn read(self, aws: &Aws) -> Outcome<Self> {
        let id = match (&self.name, &self.arn) {
            (Some(id), None) | (None, Some(id)) => id,
            _ => return Err(wrong_argument("a secret is looked for by either `name` or `arn`")),
        };
        let call = aws.secrets().describe_secret().secret_id(id);
        let found = call.send().await.or_fail("secretsmanager:DescribeSecret").or_absent()?;
        match found.filter(|found| found.deleted_date().is_none()) {
            Some(found) => Ok(Self { name: found.name, arn: found.arn, description: found.description }),
            None => Err(wrong_argument(format!("there is no secret {id} in {}", aws.region))),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scripted::{Answer, Scripted};

    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:db-AbCdEf";

    #[tokio::test]
    async fn a_secret_is_found_by_its_name_or_its_arn_and_not_by_both() {
        let scripted = Scripted::new(|_| Answer::ok(json!({ "ARN": ARN, "Name": "db" }).to_string()));
        let asked = |name: Option<&str>, arn: Option<&str>| {
            let (name, arn) = (name.map(str::to_owned), arn.map(str::to_owned));
            SecretsmanagerSecret { name, arn, description: None }.read(&scripted.aws)
        };
        for found in [asked(Some("db"), None).await.unwrap(), asked(None, Some(ARN)).await.unwrap()] {
            assert_eq!((found.name.as_deref(), found.arn.as_deref()), (Some("db"), Some(ARN)));
        }
        assert!(asked(None, None).await.is_err() && asked(Some("db"), Some(ARN)).await.is_err());
        assert_eq!(scripted.names().len(), 2);
    }
}
