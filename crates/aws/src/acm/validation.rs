//! The resource type `acm_certificate_validation`.

use std::time::Duration;

use aws_sdk_acm::types::{CertificateDetail, CertificateStatus, DomainStatus};
use futures_util::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{describe, failed};
use crate::client::Aws;
use crate::permissions::{Grant, Permissions};
use crate::resource::{Info, Resource};
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome, Wanted};
use leoctl_core::engine::usual::Usual;
use leoctl_core::model::value::Value;

/// Waits until a certificate is issued. Nothing in AWS is made or deleted by it.
///
/// What needs an issued certificate, such as a listener, takes `certificate_arn` from here.
///
/// Import by the certificate's ARN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcmCertificateValidation {
    /// The certificate.
    #[schemars(extend("x-replace" = true, "x-format" = "arn:acm"))]
    certificate_arn: String,
    /// The names of the records that validate it, as `route53_record` returns them in `fqdn`: it waits for these first, and
    /// says which is missing.
    #[schemars(extend("default" = [], "x-set" = true, "x-format" = "domain", "x-local" = true))]
    #[serde(default)]
    validation_record_fqdns: Vec<String>,
    /// The certificate's state.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    status: String,
}

impl AcmCertificateValidation {
    /// The failure when records were written and a domain's is not among them.
    fn missing(&self, certificate: &CertificateDetail) -> Option<Failure> {
        let open = certificate.domain_validation_options().iter().filter(|one| one.validation_status() != Some(&DomainStatus::Success));
        let missing = open.filter(|option| {
            let name = option.resource_record().map(|record| record.name().trim_end_matches('.').to_ascii_lowercase());
            name.is_some_and(|name| !self.validation_record_fqdns.contains(&name))
        });
        let names: Vec<_> = missing.map(|option| option.domain_name()).collect();
        if self.validation_record_fqdns.is_empty() || names.is_empty() {
            return None;
        }
        let message = format!("no record among `validation_record_fqdns` validates {}", names.join(", "));
        Some(Failure::new(FailureKind::Other, message))
    }
}

impl Resource for AcmCertificateValidation {
    const TYPE: &'static str = "acm_certificate_validation";
    // "Usually within 30 minutes" once the records can be seen (ACM User Guide, "DNS validation").
    const INFO: Info = Info {
        unique: &[&["certificate_arn"]],
        timeout: 4500,
        // Published logs of Terraform's applies of the same calls: 1m 1s to 8m 52s once the records are there.
        usual: Usual::of((60, 600), (60, 600), (0, 20)),
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions =
        Permissions { arn: "{certificate_arn}", plan: &[Grant::itself(&["acm:DescribeCertificate"])], apply: &[] };

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let found = try_join_all(ids.iter().map(async |arn| Ok((arn, describe(aws, arn).await?)))).await?;
        let read = found.into_iter().filter_map(|(arn, found)| {
            let status = found?.status.map(|status| status.as_str().to_owned()).unwrap_or_default();
            Some((arn.clone(), Self { certificate_arn: arn.clone(), validation_record_fqdns: Vec::new(), status }))
        });
        Ok(read.collect())
    }

    /// What has been waited for is there; anything else is waited for once more, which does no harm: while records are still to be
    /// made, it has not been.
    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let has_unknown = |attribute| wanted.desired.get(attribute).is_some_and(Value::has_unknown);
        let Some(arn) = wanted.text("certificate_arn").filter(|_| !has_unknown("validation_record_fqdns")) else { return Ok(None) };
        let issued = describe(aws, arn).await?.filter(|found| found.status() == Some(&CertificateStatus::Issued));
        Ok(wanted.pick(issued.map(|_| arn.to_owned())))
    }

    /// Nothing in AWS is anybody's by it.
    fn takes_over() -> bool {
        true
    }

    async fn create(_: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        Ok(to.certificate_arn.clone())
    }

    async fn update(_: &Aws, _: &Operation, _: &str, _: &Self, to: &Self) -> Outcome<()> {
        let Self { certificate_arn: _, validation_record_fqdns: _, status: _ } = to;
        Ok(())
    }

    async fn ready(aws: &Aws, operation: &Operation, id: &str, to: &Self) -> Outcome<()> {
        loop {
            let found = describe(aws, id).await?;
            let found = found.ok_or_else(|| Failure::new(FailureKind::NotFound, format!("there is no certificate {id}")))?;
            if found.status() == Some(&CertificateStatus::Issued) {
                return Ok(());
            }
            if let Some(failure) = failed(&found).or_else(|| to.missing(&found)) {
                return Err(failure);
            }
            operation.pause(Duration::from_secs(5), "waiting for the certificate to be issued").await?;
        }
    }

    async fn delete(_: &Aws, _: &Operation, _: &str, _: Option<&Self>) -> Outcome<()> {
        Ok(())
    }
}
