//! The data source `security_group`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{criteria, filters};
use crate::client::Aws;
use crate::ec2::filter;
use crate::error::OrFail;
use crate::permissions::Grant;
use crate::resource::{DataSource, Tags, wrong_argument};
use leoctl_core::engine::ports::Outcome;

/// One security group.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecurityGroup {
    /// With this name.
    name: Option<String>,
    /// The group with this id.
    group_id: Option<String>,
    /// In this VPC.
    #[schemars(extend("x-format" = "id:vpc:vpc-"))]
    vpc_id: Option<String>,
    /// EC2's own filters: a name and the values any of which will do.
    #[schemars(extend("default" = {}))]
    filters: BTreeMap<String, Vec<String>>,
    /// Tags it has to have.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// Its id.
    #[schemars(extend("x-computed" = true))]
    id: Option<String>,
    /// What it is for.
    #[schemars(extend("x-computed" = true))]
    description: Option<String>,
}

impl DataSource for SecurityGroup {
    const TYPE: &'static str = "security_group";
    const PERMISSIONS: &'static [Grant] = &[Grant::any(&["ec2:DescribeSecurityGroups"])];

    async fn read(self, aws: &Aws) -> Outcome<Self> {
        let mut wanted = filters(&self.filters, &self.tags);
        wanted.extend(self.name.as_ref().map(|name| filter("group-name", std::slice::from_ref(name))));
        wanted.extend(self.group_id.as_ref().map(|id| filter("group-id", std::slice::from_ref(id))));
        wanted.extend(self.vpc_id.as_ref().map(|id| filter("vpc-id", std::slice::from_ref(id))));
        let pages = aws.ec2().describe_security_groups().set_filters(Some(wanted.clone())).into_paginator().items().send();
        let mut found: Vec<aws_sdk_ec2::types::SecurityGroup> = pages.try_collect().await.or_fail("ec2:DescribeSecurityGroups")?;
        // The filter takes `*` in a name for anything.
        found.retain(|group| self.name.as_deref().is_none_or(|name| group.group_name() == Some(name)));
        match found.as_slice() {
            [only] => Ok(Self { id: only.group_id().map(str::to_owned), description: only.description().map(str::to_owned), ..self }),
            [] => Err(wrong_argument(format!("no security group matches{}", criteria(&wanted)))),
            several => Err(wrong_argument(format!("{} security groups match: say more", several.len()))),
        }
    }
}
