//! The data source `acm_certificate`.

use aws_sdk_acm::types::{CertificateStatus, CertificateSummary, Filters, KeyAlgorithm};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::acm::KEY_TYPES;
use crate::client::Aws;
use crate::error::OrFail;
use crate::permissions::Grant;
use crate::resource::{DataSource, wrong_argument};
use leoctl_core::engine::ports::Outcome;

/// A certificate in Certificate Manager.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcmCertificate {
    /// The domain it is for.
    domain: String,
    /// The states it may be in.
    #[schemars(extend("default" = ["ISSUED"], "x-set" = true))]
    statuses: Vec<String>,
    /// The kinds of key it may have; any when left out.
    #[schemars(extend("default" = KEY_TYPES, "x-set" = true, "items" = { "type": "string", "enum": KEY_TYPES }))]
    key_types: Vec<String>,
    /// Whether the newest of several is taken.
    #[schemars(extend("default" = false))]
    most_recent: bool,
    /// Its ARN.
    #[schemars(extend("x-computed" = true))]
    arn: Option<String>,
    /// Its state.
    #[schemars(extend("x-computed" = true))]
    status: Option<String>,
}

/// When a certificate came to be: one that was imported has no date of its creation.
fn made_at(certificate: &CertificateSummary) -> Option<i64> {
    let dates = [certificate.created_at(), certificate.imported_at(), certificate.not_before()];
    dates.into_iter().flatten().next().map(|date| date.secs())
}

impl DataSource for AcmCertificate {
    const TYPE: &'static str = "acm_certificate";
    const PERMISSIONS: &'static [Grant] = &[Grant::any(&["acm:ListCertificates"])];

    async fn read(self, aws: &Aws) -> Outcome<Self> {
        let statuses = self.statuses.iter().map(|status| CertificateStatus::from(status.as_str())).collect();
        let kinds = self.key_types.iter().map(|kind| KeyAlgorithm::from(kind.as_str())).collect();
        let call = aws.acm().list_certificates().set_certificate_statuses(Some(statuses));
        let mut pages = call.includes(Filters::builder().set_key_types(Some(kinds)).build()).into_paginator().send();
        let mut found: Vec<CertificateSummary> = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.or_fail("acm:ListCertificates")?;
            found.extend(page.certificate_summary_list().iter().filter(|one| one.domain_name() == Some(self.domain.as_str())).cloned());
        }
        found.sort_by_key(made_at);
        let chosen = match found.as_slice() {
            [] => {
                return Err(wrong_argument(format!(
                    "no certificate for {} in {} is {}",
                    self.domain,
                    aws.region,
                    self.statuses.join(" or ")
                )));
            }
            [.., last] if self.most_recent || found.len() == 1 => last,
            several => {
                return Err(wrong_argument(format!(
                    "{} certificates are for {}: `most_recent = true` takes the newest",
                    several.len(),
                    self.domain
                )));
            }
        };
        Ok(Self {
            arn: chosen.certificate_arn().map(str::to_owned),
            status: chosen.status().map(|status| status.as_str().to_owned()),
            ..self
        })
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::DateTime;

    use super::*;

    #[test]
    fn every_kind_of_key_that_acm_has_is_asked_for() {
        for kind in KEY_TYPES {
            assert!(KeyAlgorithm::try_parse(kind).is_ok(), "{kind}");
        }
        assert_eq!(KeyAlgorithm::values().len(), KEY_TYPES.len());
    }

    #[test]
    fn an_imported_certificate_is_as_old_as_its_import() {
        let imported = CertificateSummary::builder().imported_at(DateTime::from_secs(20)).not_before(DateTime::from_secs(10)).build();
        let requested = CertificateSummary::builder().created_at(DateTime::from_secs(15)).build();
        assert!(made_at(&imported) > made_at(&requested));
        assert_eq!(made_at(&CertificateSummary::builder().not_before(DateTime::from_secs(10)).build()), Some(10));
    }
}
