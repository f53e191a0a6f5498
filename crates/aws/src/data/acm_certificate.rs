//! The data source `acm_certificate`.

use aws_sdk_acm::types::{CertificateStatus, CertificateSummary};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

impl DataSource for AcmCertificate {
    const TYPE: &'static str = "acm_certificate";
    const PERMISSIONS: &'static [Grant] = &[Grant::any(&["acm:ListCertificates"])];

    async fn read(self, aws: &Aws) -> Outcome<Self> {
        let statuses = self.statuses.iter().map(|status| CertificateStatus::from(status.as_str())).collect();
        let mut pages = aws.acm().list_certificates().set_certificate_statuses(Some(statuses)).into_paginator().send();
        let mut found: Vec<CertificateSummary> = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.or_fail("acm:ListCertificates")?;
            found.extend(page.certificate_summary_list().iter().filter(|one| one.domain_name() == Some(self.domain.as_str())).cloned());
        }
        found.sort_by_key(|certificate| certificate.created_at().map(|date| date.secs()));
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
