//! Certificate Manager: certificates, and waiting for them.

pub mod certificate;
pub mod validation;

use aws_sdk_acm::types::CertificateDetail;

use super::client::Aws;
use super::error::{OrAbsent, OrFail};
use leoctl_core::engine::ports::{Failure, FailureKind, Outcome};

/// What AWS says of a certificate; none when there is none.
///
/// # Errors
/// When AWS refuses.
pub async fn describe(aws: &Aws, arn: &str) -> Outcome<Option<CertificateDetail>> {
    let call = aws.acm().describe_certificate().certificate_arn(arn);
    Ok(call.send().await.or_fail("acm:DescribeCertificate").or_absent()?.and_then(|found| found.certificate))
}

/// The failure of a certificate that will never be issued; none while it may be.
fn failed(certificate: &CertificateDetail) -> Option<Failure> {
    use aws_sdk_acm::types::CertificateStatus::{Expired, Failed, Inactive, Revoked, ValidationTimedOut};
    let status = certificate.status().filter(|status| matches!(status, Expired | Failed | Inactive | Revoked | ValidationTimedOut))?;
    let why = match (status, certificate.failure_reason(), certificate.revocation_reason()) {
        (_, Some(reason), _) => reason.as_str().to_owned(),
        (_, _, Some(reason)) => reason.as_str().to_owned(),
        // ACM User Guide, "Certificate request times out": 72 hours.
        (ValidationTimedOut, ..) => "the domain was not validated within 72 hours; replace the certificate to ask again".to_owned(),
        _ => "AWS gives no reason".to_owned(),
    };
    let name = certificate.domain_name().unwrap_or_default();
    Some(Failure::new(FailureKind::Other, format!("the certificate for {name} is {}: {why}", status.as_str())))
}
