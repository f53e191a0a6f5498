//! The data source `availability_zones`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::client::Aws;
use crate::ec2::filter;
use crate::error::OrFail;
use crate::permissions::Grant;
use crate::resource::DataSource;
use leoctl_core::engine::ports::Outcome;

/// The region's availability zones, local and Wavelength zones aside.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AvailabilityZones {
    /// Only zones in this state.
    #[schemars(extend("default" = "available", "enum" = ["available", "information", "impaired", "unavailable", "constrained"]))]
    state: String,
    /// The names, sorted, such as `us-west-2a`. Another account's zone of the same name may be another zone.
    #[schemars(extend("x-computed" = true))]
    names: Option<Vec<String>>,
    /// The ids in the names' order, such as `usw2-az1`, the same in every account.
    #[schemars(extend("x-computed" = true))]
    zone_ids: Option<Vec<String>>,
}

impl DataSource for AvailabilityZones {
    const TYPE: &'static str = "availability_zones";
    const PERMISSIONS: &'static [Grant] = &[Grant::any(&["ec2:DescribeAvailabilityZones"])];

    async fn read(self, aws: &Aws) -> Outcome<Self> {
        let only = [filter("state", std::slice::from_ref(&self.state)), filter("zone-type", &["availability-zone".to_owned()])];
        let call = aws.ec2().describe_availability_zones().set_filters(Some(only.to_vec()));
        let found = call.send().await.or_fail("ec2:DescribeAvailabilityZones")?;
        let zones = found.availability_zones().iter();
        let mut zones: Vec<(String, String)> =
            zones.map(|zone| (zone.zone_name().unwrap_or_default().to_owned(), zone.zone_id().unwrap_or_default().to_owned())).collect();
        zones.sort();
        let (names, ids) = zones.into_iter().unzip();
        Ok(Self { state: self.state, names: Some(names), zone_ids: Some(ids) })
    }
}
