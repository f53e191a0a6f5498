//! Certificates that a listener cannot use.

use super::{Check, Finding, arn_part, of_type, sets};
use crate::model::address::Address;
use crate::model::place::Site;
use crate::model::value::Value;
use crate::plan::types::{Change, Plan};

/// A certificate of ACM that a listener is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The listener.
    pub address: Address,
    /// Where it is.
    pub site: Site,
    /// Its ARN.
    pub arn: String,
}

/// The certificates to look at, and what is known without.
pub fn certificates(plan: &Plan) -> (Vec<Certificate>, Vec<Finding>) {
    let (mut certificates, mut findings) = (Vec::new(), Vec::new());
    for change in of_type(plan, "lb_listener").filter(|change| sets(change, "certificates")) {
        let given = change.after.get("certificates").and_then(Value::as_list).unwrap_or_default();
        for arn in given.iter().filter_map(|one| one.get("certificate_arn")?.as_str()) {
            // Those of IAM have no region.
            if arn_part(arn, 2) != Some("acm") {
                continue;
            }
            match arn_part(arn, 3) {
                Some(region) if region != change.region => findings.push(elsewhere(change, arn, region)),
                _ if is_waited_for(plan, change, arn) => {}
                _ => certificates.push(Certificate { address: change.address.clone(), site: change.site(), arn: arn.to_owned() }),
            }
        }
    }
    (certificates, findings)
}

/// Whether this plan waits until the certificate is issued, before it comes to the listener.
fn is_waited_for(plan: &Plan, change: &Change, arn: &str) -> bool {
    let waits = change.depends_on.iter().filter(|address| address.type_name() == "acm_certificate_validation");
    waits
        .filter_map(|address| plan.change(address))
        .any(|validation| validation.is_change() && validation.after.get("certificate_arn").and_then(Value::as_str) == Some(arn))
}

fn elsewhere(change: &Change, arn: &str, region: &str) -> Finding {
    Finding {
        check: Check::Certificate,
        address: change.address.clone(),
        message: format!(
            "the certificate {arn} is in {region}, and the load balancer in {}: it takes only those of its region",
            change.region
        ),
        fix: format!("request or import the certificate in {} and name that one", change.region),
    }
}

/// What a certificate's status means; none is that there is no such certificate.
pub fn judge(certificate: &Certificate, found: Option<String>) -> Vec<Finding> {
    let arn = &certificate.arn;
    let (message, fix) = match found.as_deref() {
        Some("ISSUED") => return Vec::new(),
        None => (format!("there is no certificate {arn}"), "correct the ARN, or request the certificate first"),
        Some("PENDING_VALIDATION") => (
            format!("the certificate {arn} is not issued yet (PENDING_VALIDATION): AWS takes only issued ones"),
            "make its validation records in DNS, and name the certificate through `acm_certificate_validation`, which waits until it is issued",
        ),
        Some("EXPIRED") => (
            format!("the certificate {arn} has expired"),
            "request a new one, or import the renewed one under the same ARN (`aws acm import-certificate`)",
        ),
        Some(status) => (format!("the certificate {arn} is {status}: AWS takes only issued ones"), "request a new one, and name that"),
    };
    vec![Finding { check: Check::Certificate, address: certificate.address.clone(), message, fix: fix.to_owned() }]
}
