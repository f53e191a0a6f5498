//! Alarms: which went off, since when, and why.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use jiff::Timestamp;
use serde::Serialize;

use super::time;
use crate::ops::Deployed;
use crate::ops::kind::Kind;
use leoctl_aws::cloudwatch::metric_alarm::CloudwatchMetricAlarm;
use leoctl_core::engine::ports::Outcome;
use leoctl_core::model::address::Address;
use leoctl_core::model::place::Site;

/// An alarm.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alarm {
    /// Its address.
    pub address: Address,
    /// Its name.
    pub name: String,
    /// `OK`, `ALARM`, `INSUFFICIENT_DATA`, or `MISSING` when CloudWatch has none.
    pub state: String,
    /// Since when.
    pub since: Option<Timestamp>,
    /// CloudWatch's words.
    pub reason: Option<String>,
}

/// The stack's alarms.
///
/// # Errors
/// When AWS refuses.
pub async fn read(deployed: &Deployed<'_>) -> Outcome<Vec<Alarm>> {
    let mut sites: BTreeMap<Site, Vec<(&Address, String)>> = BTreeMap::new();
    for (address, alarm) in deployed.current(Kind::Alarm) {
        sites.entry(alarm.place.site()).or_default().push((address, alarm.place.id.clone()));
    }
    let read = sites.iter().map(async |(site, alarms)| {
        let names: Vec<String> = alarms.iter().map(|(_, name)| name.clone()).collect();
        let found = CloudwatchMetricAlarm::describe(deployed.provider.at(site)?.as_ref(), &names).await?;
        let one = |(address, name): &(&Address, String)| {
            let found = found.iter().find(|alarm| alarm.alarm_name() == Some(name));
            Alarm {
                address: (*address).clone(),
                name: name.clone(),
                state: found.map_or("MISSING", |alarm| alarm.state_value().map_or("INSUFFICIENT_DATA", |state| state.as_str())).to_owned(),
                since: found.and_then(|alarm| time(alarm.state_updated_timestamp())),
                reason: found.and_then(|alarm| alarm.state_reason()).filter(|reason| !reason.is_empty()).map(str::to_owned),
            }
        };
        Ok(alarms.iter().map(one).collect::<Vec<_>>())
    });
    Ok(try_join_all(read).await?.into_iter().flatten().collect())
}
