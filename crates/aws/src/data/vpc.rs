//! The data source `vpc`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{criteria, filters};
use crate::client::Aws;
use crate::ec2::{self, filter};
use crate::error::OrFail;
use crate::permissions::Grant;
use crate::resource::{DataSource, Tags, wrong_argument};
use leoctl_core::engine::ports::Outcome;

/// One VPC: the default one, or the one that matches.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vpc {
    /// The region's default VPC.
    #[schemars(extend("default" = false))]
    default: bool,
    /// The VPC with this id.
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
    /// Its IPv4 network.
    #[schemars(extend("x-computed" = true))]
    cidr_block: Option<String>,
    /// Its IPv6 network, when it has one.
    #[schemars(extend("x-computed" = true))]
    ipv6_cidr_block: Option<String>,
    /// All its tags.
    #[schemars(extend("x-computed" = true))]
    all_tags: Option<Tags>,
}

impl DataSource for Vpc {
    const TYPE: &'static str = "vpc";
    const PERMISSIONS: &'static [Grant] = &[Grant::any(&["ec2:DescribeVpcs"])];

    async fn read(self, aws: &Aws) -> Outcome<Self> {
        let mut wanted = filters(&self.filters, &self.tags);
        wanted.extend(self.vpc_id.as_ref().map(|id| filter("vpc-id", std::slice::from_ref(id))));
        wanted.extend(self.default.then(|| filter("is-default", &["true".to_owned()])));
        let pages = aws.ec2().describe_vpcs().set_filters(Some(wanted.clone())).into_paginator().items().send();
        let found: Vec<aws_sdk_ec2::types::Vpc> = pages.try_collect().await.or_fail("ec2:DescribeVpcs")?;
        let vpc = match found.as_slice() {
            [only] => only,
            [] if self.default => return Err(wrong_argument(format!("{} has no default VPC", aws.region))),
            [] => return Err(wrong_argument(format!("no VPC matches{}", criteria(&wanted)))),
            several => return Err(wrong_argument(format!("{} VPCs match: say more", several.len()))),
        };
        let ipv6 = ec2::vpc::ipv6_network(vpc).and_then(|association| association.ipv6_cidr_block());
        Ok(Self {
            id: vpc.vpc_id().map(str::to_owned),
            cidr_block: vpc.cidr_block().map(str::to_owned),
            ipv6_cidr_block: ipv6.map(str::to_owned),
            all_tags: Some(ec2::tags(vpc.tags())),
            ..self
        })
    }
}
