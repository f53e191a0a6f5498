//! The data source `subnets`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::filters;
use crate::client::Aws;
use crate::ec2::filter;
use crate::error::OrFail;
use crate::permissions::Grant;
use crate::resource::{DataSource, Tags};
use leoctl_core::engine::ports::Outcome;

/// The subnets that match.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subnets {
    /// In this VPC.
    #[schemars(extend("x-format" = "id:vpc:vpc-"))]
    vpc_id: Option<String>,
    /// EC2's own filters: a name and the values any of which will do.
    #[schemars(extend("default" = {}))]
    filters: BTreeMap<String, Vec<String>>,
    /// Tags they have to have.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// Their ids, in the order of their zones and then networks.
    #[schemars(extend("x-computed" = true))]
    ids: Option<Vec<String>>,
    /// Their zones, in the order of the ids.
    #[schemars(extend("x-computed" = true))]
    availability_zones: Option<Vec<String>>,
}

impl DataSource for Subnets {
    const TYPE: &'static str = "subnets";
    const PERMISSIONS: &'static [Grant] = &[Grant::any(&["ec2:DescribeSubnets"])];

    async fn read(self, aws: &Aws) -> Outcome<Self> {
        let mut wanted = filters(&self.filters, &self.tags);
        wanted.extend(self.vpc_id.as_ref().map(|id| filter("vpc-id", std::slice::from_ref(id))));
        let pages = aws.ec2().describe_subnets().set_filters(Some(wanted)).into_paginator().items().send();
        let subnets: Vec<aws_sdk_ec2::types::Subnet> = pages.try_collect().await.or_fail("ec2:DescribeSubnets")?;
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let place =
            |subnet: &aws_sdk_ec2::types::Subnet| (text(subnet.availability_zone()), text(subnet.cidr_block()), text(subnet.subnet_id()));
        let mut found: Vec<_> = subnets.iter().map(place).collect();
        found.sort();
        Ok(Self {
            ids: Some(found.iter().map(|(_, _, id)| id.clone()).collect()),
            availability_zones: Some(found.into_iter().map(|(zone, _, _)| zone).collect()),
            ..self
        })
    }
}
