//! AWS's list prices: a dated table, and nothing else. What is not in it has no price.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

/// What AWS charges for, each by its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is described where it is used, and named after its unit")]
pub enum Price {
    FargateVcpuHour,
    FargateGbHour,
    FargateArmVcpuHour,
    FargateArmGbHour,
    FargateStorageHour,
    Ipv4Hour,
    AlbHour,
    AlbLcuHour,
    NlbHour,
    NlbLcuHour,
    NatHour,
    NatGb,
    VpcEndpointHour,
    VpcEndpointGb,
    DataOutGb,
    EfsGb,
    EfsIaGb,
    EfsOneZoneGb,
    EfsOneZoneIaGb,
    EfsProvisionedMibps,
    EfsReadGb,
    EfsWriteGb,
    BackupEfsGb,
    S3Gb,
    S3Writes,
    S3Reads,
    EcrGb,
    LogsGb,
    LogsIaGb,
    LogsStoredGb,
    AlarmMonth,
    AlarmFastMonth,
    MetricMonth,
    SecretMonth,
    Gp3Gb,
    Gp3Iops,
    Gp3Mibps,
    Gp2Gb,
    Io1Gb,
    Io1Iops,
    St1Gb,
    Sc1Gb,
    StandardGb,
    DashboardMonth,
    Route53ZoneMonth,
    Route53Queries,
    KmsKeyMonth,
    SnsPublishes,
    SnsEmail,
    SnsHttp,
    SsmAdvancedMonth,
    SchedulerCalls,
}

/// A price, and whether a copy of AWS's list confirms it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// US dollars for a unit.
    pub usd: f64,
    /// Whether it is confirmed.
    pub confirmed: bool,
}

/// The prices of all regions.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// The day the table was made.
    pub compiled: String,
    /// What it was made from.
    pub source: String,
    global: Table,
    regions: BTreeMap<String, Table>,
}

#[derive(Clone, Debug, Deserialize)]
struct Table {
    unconfirmed: Vec<Price>,
    #[serde(default)]
    instances: BTreeMap<String, f64>,
    #[serde(flatten)]
    prices: BTreeMap<Price, f64>,
}

impl Table {
    fn rate(&self, price: Price) -> Option<Rate> {
        let usd = *self.prices.get(&price)?;
        Some(Rate { usd, confirmed: !self.unconfirmed.contains(&price) })
    }
}

impl Prices {
    /// The prices leoctl comes with.
    ///
    /// # Errors
    /// When its own table cannot be read.
    pub fn built_in() -> Result<&'static Self, &'static toml::de::Error> {
        static PRICES: OnceLock<Result<Prices, toml::de::Error>> = OnceLock::new();
        PRICES.get_or_init(|| toml::from_str(include_str!("prices.toml"))).as_ref()
    }

    /// The regions that have prices.
    pub fn regions(&self) -> impl Iterator<Item = &str> {
        self.regions.keys().map(String::as_str)
    }

    /// Whether a region has prices.
    pub fn has_region(&self, region: &str) -> bool {
        self.regions.contains_key(region)
    }

    /// A price in a region.
    pub fn rate(&self, region: &str, price: Price) -> Option<Rate> {
        self.global.rate(price).or_else(|| self.regions.get(region)?.rate(price))
    }

    /// What an hour of an instance costs in a region.
    pub fn instance(&self, region: &str, instance_type: &str) -> Option<Rate> {
        let usd = *self.regions.get(region)?.instances.get(instance_type)?;
        Some(Rate { usd, confirmed: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_and_has_the_regions_of_our_stacks() {
        let prices = Prices::built_in().unwrap();
        assert_eq!(prices.regions().collect::<Vec<_>>(), ["eu-west-1", "us-east-1", "us-west-2"]);
        let usd = |region, price| prices.rate(region, price).map(|rate| rate.usd);
        assert_eq!(usd("us-west-2", Price::FargateVcpuHour), Some(0.04048));
        assert_eq!(usd("eu-west-1", Price::LogsGb), Some(0.57));
        assert_eq!(usd("ap-south-1", Price::LogsGb), None);
        // The same everywhere.
        assert_eq!(usd("ap-south-1", Price::KmsKeyMonth), Some(1.0));
        assert_eq!(prices.instance("us-east-1", "t3a.small"), Some(Rate { usd: 0.0188, confirmed: true }));
        assert!(!prices.rate("us-west-2", Price::EfsGb).unwrap().confirmed);
    }

    #[test]
    fn every_price_is_more_than_nothing_and_what_is_not_confirmed_is_there() {
        let prices = Prices::built_in().unwrap();
        for table in prices.regions.values().chain([&prices.global]) {
            assert!(table.prices.values().chain(table.instances.values()).all(|usd| *usd > 0.0));
            assert!(table.unconfirmed.iter().all(|price| table.prices.contains_key(price)), "{:?}", table.unconfirmed);
        }
    }
}
