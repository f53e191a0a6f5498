//! Certificates: whether they are valid, and for how long.

use std::collections::BTreeMap;

use aws_sdk_acm::types as api;
use futures_util::future::try_join_all;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value as Json;

use super::time;
use crate::ops::Deployed;
use crate::ops::kind::Kind;
use leoctl_aws::acm;
use leoctl_core::engine::ports::Outcome;
use leoctl_core::model::address::Address;
use leoctl_core::model::place::Site;

/// A certificate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Certificate {
    /// Its ARN.
    pub arn: String,
    /// The domain it is for.
    pub domain: String,
    /// The stack's resources that are it or use it.
    pub addresses: Vec<Address>,
    /// Its state, such as `ISSUED`, or `MISSING` when there is none.
    pub status: String,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// How many days that is from now; negative when it has ended.
    pub days_left: Option<i64>,
    /// Where AWS's renewal of it stands, such as `PENDING_VALIDATION`.
    pub renewal: Option<String>,
}

/// The stack's certificates and those its listeners use.
///
/// # Errors
/// When AWS refuses.
pub async fn read(deployed: &Deployed<'_>) -> Outcome<Vec<Certificate>> {
    let used = used(deployed);
    let now = Timestamp::now();
    let read = used.iter().map(async |(arn, addresses)| {
        let own = || Site::new(&*deployed.state.account_id, &*deployed.state.region);
        let site = Site::of_arn(arn).unwrap_or_else(own);
        let found = acm::describe(deployed.provider.at(&site)?.as_ref(), arn).await?;
        Ok(from_api(arn, addresses, found.as_ref(), now))
    });
    try_join_all(read).await
}

/// The certificates by ARN, with what uses them. Those that IAM keeps are not Certificate Manager's to tell of.
fn used(deployed: &Deployed<'_>) -> BTreeMap<String, Vec<Address>> {
    let mut used: BTreeMap<String, Vec<Address>> = BTreeMap::new();
    for (address, certificate) in deployed.current(Kind::Certificate) {
        used.entry(certificate.place.id.clone()).or_default().push(address.clone());
    }
    for (address, listener) in deployed.current(Kind::Listener) {
        let certificates = listener.attributes.get("certificates").and_then(Json::as_array).into_iter().flatten();
        for arn in certificates.filter_map(|one| one.get("certificate_arn")?.as_str()) {
            if arn.split(':').nth(2) == Some("acm") {
                used.entry(arn.to_owned()).or_default().push(address.clone());
            }
        }
    }
    used
}

fn from_api(arn: &str, addresses: &[Address], found: Option<&api::CertificateDetail>, now: Timestamp) -> Certificate {
    let expires_at = found.and_then(|found| time(found.not_after()));
    let status = found.map_or("MISSING", |found| found.status().map_or("UNKNOWN", api::CertificateStatus::as_str));
    Certificate {
        arn: arn.to_owned(),
        domain: found.and_then(|found| found.domain_name()).unwrap_or(super::name_of(arn)).to_owned(),
        addresses: addresses.to_vec(),
        status: status.to_owned(),
        expires_at,
        days_left: expires_at.map(|end| (end.as_second() - now.as_second()).div_euclid(24 * 60 * 60)),
        renewal: found.and_then(|found| found.renewal_summary()).map(|renewal| renewal.renewal_status().as_str().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_types::DateTime;

    #[test]
    fn days_are_counted_down_past_the_end() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let left = |seconds: i64| {
            let found = api::CertificateDetail::builder().not_after(DateTime::from_secs(1_000_000 + seconds)).build();
            from_api("arn", &[], Some(&found), now).days_left
        };
        assert_eq!((left(3 * 86_400 + 5), left(5), left(-5)), (Some(3), Some(0), Some(-1)));
        assert_eq!(from_api("arn:aws:acm:r:1:certificate/x", &[], None, now).status, "MISSING");
    }
}
