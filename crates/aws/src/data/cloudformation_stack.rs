//! The data source `cloudformation_stack`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::client::Aws;
use crate::error::OrFail;
use crate::permissions::Grant;
use crate::resource::{DataSource, wrong_argument};
use leoctl_core::engine::ports::Outcome;

/// A stack of CloudFormation or CDK in the stack's account and region.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloudformationStack {
    /// Its name, or its ARN.
    name: String,
    /// Its outputs by name.
    #[schemars(extend("x-computed" = true))]
    outputs: Option<BTreeMap<String, String>>,
    /// Its parameters by name; those with `NoEcho` are `****`.
    #[schemars(extend("x-computed" = true))]
    parameters: Option<BTreeMap<String, String>>,
    /// Its status, such as `UPDATE_COMPLETE`.
    #[schemars(extend("x-computed" = true))]
    status: Option<String>,
    /// The ARN.
    #[schemars(extend("x-computed" = true))]
    arn: Option<String>,
}

/// The error of a stack that does not exist has no code of its own (CloudFormation API Reference, DescribeStacks).
const NO_SUCH_STACK: &str = "ValidationError";

impl DataSource for CloudformationStack {
    const TYPE: &'static str = "cloudformation_stack";
    const PERMISSIONS: &'static [Grant] =
        &[Grant::on(&["cloudformation:DescribeStacks"], &["arn:{partition}:cloudformation:{region}:{account}:stack/{name}/*"])];

    async fn read(self, aws: &Aws) -> Outcome<Self> {
        let call = aws.cloudformation().describe_stacks().stack_name(&self.name);
        let found = match call.send().await.or_fail("cloudformation:DescribeStacks") {
            Err(failure) if failure.code.as_deref() == Some(NO_SUCH_STACK) => None,
            found => found?.stacks.unwrap_or_default().into_iter().next(),
        };
        let Some(found) = found else {
            return Err(wrong_argument(format!("there is no CloudFormation stack {} in {}", self.name, aws.region)));
        };
        let outputs =
            found.outputs().iter().filter_map(|output| Some((output.output_key()?.to_owned(), output.output_value()?.to_owned())));
        let parameters = found.parameters().iter().filter_map(|one| {
            let value = one.resolved_value().or_else(|| one.parameter_value());
            Some((one.parameter_key()?.to_owned(), value?.to_owned()))
        });
        Ok(Self {
            outputs: Some(outputs.collect()),
            parameters: Some(parameters.collect()),
            status: found.stack_status().map(|status| status.as_str().to_owned()),
            arn: found.stack_id().map(str::to_owned),
            ..self
        })
    }
}
