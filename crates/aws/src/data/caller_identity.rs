//! The data source `caller_identity`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::client::Aws;
use crate::error::OrFail;
use crate::permissions::Grant;
use crate::resource::DataSource;
use leoctl_core::engine::ports::Outcome;

/// Whose credentials leoctl has.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallerIdentity {
    /// The account, twelve digits.
    #[schemars(extend("x-computed" = true))]
    account_id: Option<String>,
    /// The ARN of the user or role.
    #[schemars(extend("x-computed" = true))]
    arn: Option<String>,
    /// The unique id of the user or role.
    #[schemars(extend("x-computed" = true))]
    user_id: Option<String>,
}

impl DataSource for CallerIdentity {
    const TYPE: &'static str = "caller_identity";
    const PERMISSIONS: &'static [Grant] = &[Grant::any(&["sts:GetCallerIdentity"])];

    async fn read(self, aws: &Aws) -> Outcome<Self> {
        let found = aws.sts().get_caller_identity().send().await.or_fail("sts:GetCallerIdentity")?;
        Ok(Self { account_id: found.account, arn: found.arn, user_id: found.user_id })
    }
}
