//! The resource type `acm_certificate`.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_acm::types as api;
use futures_util::future::{try_join, try_join_all};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{api_tags, describe, failed, ours, tags_of, update_tags};
use crate::client::{Aws, send_once};
use crate::error::{made_id, unbuilt};
use crate::permissions::{Grant, Permissions};
use crate::repeat::Changing;
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{Operation, Outcome, Wanted};
use leoctl_core::engine::usual::Usual;
use leoctl_core::model::path::Path;
use leoctl_core::model::value::Value;

/// A certificate that AWS issues once it is shown that the domains are yours, and renews as long as that can be seen.
///
/// Creating one does not wait until it is issued: a `route53_record` is made for each of its `validation_records`, and
/// `acm_certificate_validation` waits.
///
/// Import by ARN: `arn:aws:acm:…:certificate/…`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcmCertificate {
    /// The domain it is for, such as `example.org` or `*.example.org`.
    #[schemars(extend("x-replace" = true, "x-format" = "domain"), length(max = 64))]
    domain_name: String,
    /// Further domains it is for.
    #[schemars(extend("default" = [], "x-replace" = true, "x-set" = true, "x-format" = "domain", "maxItems" = 100), inner(length(max = 253)))]
    subject_alternative_names: Vec<String>,
    /// How it is shown that the domains are yours: by a record in DNS, or by a link in an e-mail.
    #[schemars(extend("default" = "DNS", "x-replace" = true, "enum" = ["DNS", "EMAIL"]))]
    validation_method: String,
    /// Of which domain above a domain the owner is written to, for `EMAIL`.
    #[schemars(extend("default" = [], "x-replace" = true, "x-key" = "domain_name", "maxItems" = 100))]
    domain_validation_options: Vec<ValidationOption>,
    /// The kind of key.
    #[schemars(extend("default" = "RSA_2048", "x-replace" = true, "enum" = ["RSA_2048", "EC_prime256v1", "EC_secp384r1"]))]
    key_algorithm: String,
    /// Whether the private key can be taken out of AWS, which costs.
    #[schemars(extend("default" = "DISABLED", "x-replace" = true, "enum" = ["DISABLED", "ENABLED"]))]
    export: String,
    /// The private certificate authority that issues it, instead of Amazon.
    #[schemars(extend("x-replace" = true, "x-format" = "arn:acm-pca"))]
    certificate_authority_arn: Option<String>,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The ARN, which is also the id.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
    /// Its state, such as `PENDING_VALIDATION` or `ISSUED`.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    status: String,
    /// The record that shows a domain is yours, by domain. A wildcard has the record of the domain below it: make it once.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    validation_records: BTreeMap<String, ValidationRecord>,
    /// When it ends, if it is issued; AWS renews it before.
    #[schemars(extend("x-computed" = true))]
    not_after: Option<String>,
}

/// Of which domain the owner is written to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValidationOption {
    /// The certificate's domain.
    #[schemars(extend("x-format" = "domain"))]
    domain_name: String,
    /// This domain, or one above it.
    #[schemars(extend("x-format" = "domain"))]
    validation_domain: String,
}

/// A record in DNS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValidationRecord {
    /// Its name.
    name: String,
    /// Its type, `CNAME`.
    r#type: String,
    /// Its value.
    value: String,
}

impl AcmCertificate {
    fn from_api(found: &api::CertificateDetail, tags: Tags) -> Self {
        let domain_name = found.domain_name().unwrap_or_default().to_owned();
        let options = found.domain_validation_options();
        let method = options.iter().find_map(api::DomainValidation::validation_method);
        let is_email = method == Some(&api::ValidationMethod::Email);
        let mailed = |option: &api::DomainValidation| {
            // Of a wildcard the owner of the domain below the asterisk is asked anyway.
            let validation_domain = option.validation_domain().filter(|domain| is_email && *domain != below(option.domain_name()))?;
            Some(ValidationOption { domain_name: option.domain_name().to_owned(), validation_domain: validation_domain.to_owned() })
        };
        let record = |option: &api::DomainValidation| {
            let record = option.resource_record()?;
            let (name, value) = (record.name().to_owned(), record.value().to_owned());
            Some((option.domain_name().to_owned(), ValidationRecord { name, r#type: record.r#type().as_str().to_owned(), value }))
        };
        let others = found.subject_alternative_names().iter().filter(|name| **name != domain_name);
        let not_after = found.not_after().filter(|_| found.status() == Some(&api::CertificateStatus::Issued));
        Self {
            subject_alternative_names: others.cloned().collect(),
            validation_method: method.map_or("DNS", api::ValidationMethod::as_str).to_owned(),
            domain_validation_options: options.iter().filter_map(mailed).collect(),
            // Spelt with hyphens or underscores.
            key_algorithm: found.key_algorithm().map_or("RSA_2048", api::KeyAlgorithm::as_str).replace('-', "_"),
            export: exported(found).to_owned(),
            certificate_authority_arn: found.certificate_authority_arn().map(str::to_owned),
            tags,
            arn: found.certificate_arn().unwrap_or_default().to_owned(),
            status: found.status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
            validation_records: options.iter().filter_map(record).collect(),
            not_after: not_after.map(ToString::to_string),
            domain_name,
        }
    }

    async fn read_one(aws: &Aws, arn: &str) -> Outcome<Option<(String, Self)>> {
        let (found, tags) = try_join(describe(aws, arn), tags_of(aws, arn)).await?;
        Ok(found.map(|found| (arn.to_owned(), Self::from_api(&found, tags))))
    }
}

/// Whether a certificate can be exported; nothing is said of one of a private authority, which always can be.
fn exported(found: &api::CertificateDetail) -> &str {
    let said = found.options().and_then(|options| options.export()).filter(|_| found.certificate_authority_arn().is_none());
    said.map_or("DISABLED", api::CertificateExport::as_str)
}

/// The domain whose owner is asked of a name when nothing else is said.
fn below(name: &str) -> &str {
    name.strip_prefix("*.").unwrap_or(name)
}

/// Whether nothing more is known of a certificate a moment later. A private authority issues it in seconds, and before that
/// nothing can be done with it; of others the validation records come late.
fn is_known(found: &api::CertificateDetail, to: &AcmCertificate) -> bool {
    if to.certificate_authority_arn.is_some() {
        return found.status() == Some(&api::CertificateStatus::Issued);
    }
    let has_record = |option: &api::DomainValidation| {
        option.resource_record().is_some() || option.validation_status() == Some(&api::DomainStatus::Success)
    };
    let options = found.domain_validation_options();
    to.validation_method != "DNS" || !options.is_empty() && options.iter().all(has_record)
}

/// What uses a certificate, so that AWS does not delete it.
pub const USERS: &[&str] = &[
    "lb_listener",
    "awscc_apigateway_domain_name",
    "awscc_apigateway_domain_name_v2",
    "awscc_apigatewayv2_domain_name",
    "awscc_appsync_domain_name",
    "awscc_cloudfront_distribution",
    "awscc_cognito_user_pool_domain",
    "awscc_elasticloadbalancingv2_listener",
    "awscc_elasticloadbalancingv2_listener_certificate",
    "awscc_opensearchservice_domain",
    "awscc_vpclattice_service",
];

impl Resource for AcmCertificate {
    const TYPE: &'static str = "acm_certificate";
    // A listener that is going still uses it for some minutes.
    const INFO: Info = Info {
        create_before_destroy: true,
        held_by: USERS,
        transient: &[
            Retry::after("ResourceInUseException", &["acm:DeleteCertificate"]),
            Retry::always("RequestInProgressException"),
            Retry::always("ConflictException"),
        ],
        timeout: 1200,
        // It is requested at once. It goes when nothing has it any more, which may be known a moment later.
        usual: Usual::of((0, 20), (0, 20), (0, 60)),
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:acm:{region}:{account}:certificate/*",
        plan: &[Grant::any(&["acm:ListCertificates"]), Grant::itself(&["acm:DescribeCertificate", "acm:ListTagsForCertificate"])],
        apply: &[
            Grant::any(&["acm:RequestCertificate"]),
            Grant::itself(&["acm:AddTagsToCertificate", "acm:DeleteCertificate", "acm:RemoveTagsFromCertificate"]),
            Grant::on(&["acm-pca:GetCertificate", "acm-pca:IssueCertificate"], &["{certificate_authority_arn}"])
                .when("certificate_authority_arn"),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let name = desired.get("domain_name").and_then(Value::as_str);
        let others = desired.get("subject_alternative_names").and_then(Value::as_list).unwrap_or_default();
        let options = desired.get("domain_validation_options").and_then(Value::as_list).unwrap_or_default();
        let itself = |option: &&Value| {
            option
                .get("domain_name")
                .and_then(Value::as_str)
                .is_some_and(|name| option.get("validation_domain").and_then(Value::as_str) == Some(below(name)))
        };
        if options.iter().any(|option| itself(&option)) {
            let problem = "a name is validated by itself anyway: leave this option out".to_owned();
            return vec![(Path::attribute("domain_validation_options"), problem)];
        }
        let is_private = desired.get("certificate_authority_arn").is_some_and(|authority| !authority.is_null());
        if is_private && desired.get("export").and_then(Value::as_str) == Some("ENABLED") {
            let problem = "a certificate of a private authority can be exported anyway: leave this out".to_owned();
            return vec![(Path::attribute("export"), problem)];
        }
        if name.is_none_or(|name| !others.iter().any(|other| other.as_str() == Some(name))) {
            return Vec::new();
        }
        vec![(Path::attribute("subject_alternative_names"), "`domain_name` is among a certificate's names already".to_owned())]
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let read = try_join_all(ids.iter().map(|arn| Self::read_one(aws, arn))).await?;
        Ok(read.into_iter().flatten().collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let Some(name) = wanted.text("domain_name") else { return Ok(None) };
        ours(aws, wanted, |one| one.domain_name() == Some(name)).await
    }

    async fn create(aws: &Aws, operation: &Operation, to: &Self) -> Outcome<String> {
        let options = to.domain_validation_options.iter().map(|option| {
            let built = api::DomainValidationOption::builder().domain_name(&option.domain_name);
            built.validation_domain(&option.validation_domain).build().map_err(unbuilt)
        });
        let options: Vec<_> = options.collect::<Outcome<_>>()?;
        let export = api::CertificateOptions::builder().export(api::CertificateExport::from(to.export.as_str())).build();
        let is_public = to.certificate_authority_arn.is_none();
        let call = aws
            .acm()
            .request_certificate()
            .domain_name(&to.domain_name)
            .set_subject_alternative_names(Some(to.subject_alternative_names.clone()).filter(|names| !names.is_empty()))
            .set_validation_method(is_public.then(|| api::ValidationMethod::from(to.validation_method.as_str())))
            .set_domain_validation_options(Some(options).filter(|options| !options.is_empty()))
            .key_algorithm(api::KeyAlgorithm::from(to.key_algorithm.as_str()))
            .set_options((to.export != "DISABLED").then_some(export))
            .set_certificate_authority_arn(to.certificate_authority_arn.clone())
            // At most 32 letters, digits and underscores (ACM API Reference, RequestCertificate).
            .idempotency_token(operation.token.replace('-', ""))
            .set_tags(api_tags(&to.tags)?);
        let made = send_once!(aws_sdk_acm, call).await.sent_once("acm:RequestCertificate")?;
        made_id("acm:RequestCertificate", made.certificate_arn())
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self {
            tags,
            // Changing these replaces the certificate.
            domain_name: _,
            subject_alternative_names: _,
            validation_method: _,
            domain_validation_options: _,
            key_algorithm: _,
            export: _,
            certificate_authority_arn: _,
            // These are AWS's.
            arn: _,
            status: _,
            validation_records: _,
            not_after: _,
        } = to;
        update_tags(aws, id, &from.tags, tags).await
    }

    /// Waits until the validation records are known, a matter of seconds, and never until it is issued: that needs them.
    /// Only one of a private authority is waited for.
    async fn ready(aws: &Aws, operation: &Operation, id: &str, to: &Self) -> Outcome<()> {
        loop {
            let found = describe(aws, id).await?;
            if let Some(failure) = found.as_ref().and_then(failed) {
                return Err(failure);
            }
            if found.as_ref().is_some_and(|found| is_known(found, to)) {
                return Ok(());
            }
            operation.pause(Duration::from_secs(2), "waiting for the certificate's details").await?;
        }
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        aws.acm().delete_certificate().certificate_arn(id).send().await.or_gone("acm:DeleteCertificate").map(drop)
    }
}

#[cfg(test)]
mod tests {
    use leoctl_core::model::schema::Type;
    use serde_json::json;

    use super::*;

    fn mailed(name: &str, to: &str) -> api::CertificateDetail {
        let option = api::DomainValidation::builder().domain_name(name).validation_domain(to);
        let option = option.validation_method(api::ValidationMethod::Email).build().unwrap();
        api::CertificateDetail::builder().domain_name(name).domain_validation_options(option).build()
    }

    #[test]
    fn mail_to_the_domain_below_a_wildcard_is_no_option() {
        let options = |name: &str, to: &str| AcmCertificate::from_api(&mailed(name, to), Tags::new()).domain_validation_options.len();
        assert_eq!((options("*.example.org", "example.org"), options("example.org", "example.org")), (0, 0));
        assert_eq!(options("a.example.org", "example.org"), 1);
        let written = json!({ "domain_validation_options": [{ "domain_name": "*.example.org", "validation_domain": "example.org" }] });
        assert_eq!(AcmCertificate::check(&Value::from(written)).len(), 1);
    }

    #[test]
    fn a_certificate_of_a_private_authority_is_waited_for() {
        let of = |authority: Option<&str>| {
            let wanted = AcmCertificate::from_api(&api::CertificateDetail::builder().domain_name("a.org").build(), Tags::new());
            AcmCertificate { certificate_authority_arn: authority.map(str::to_owned), ..wanted }
        };
        let found = |status, validated| {
            let option = api::DomainValidation::builder().domain_name("a.org").set_validation_status(validated).build().unwrap();
            api::CertificateDetail::builder().status(status).domain_validation_options(option).build()
        };
        let pending = api::CertificateStatus::PendingValidation;
        let private = of(Some("arn:aws:acm-pca:eu-west-1:111111111111:certificate-authority/1"));
        assert!(!is_known(&found(pending.clone(), None), &private));
        assert!(is_known(&found(api::CertificateStatus::Issued, None), &private));
        // One that is validated already has its records no more.
        assert!(is_known(&found(pending.clone(), Some(api::DomainStatus::Success)), &of(None)));
        assert!(!is_known(&found(pending, None), &of(None)));
    }

    #[test]
    fn a_private_certificate_says_nothing_of_export() {
        let options = api::CertificateOptions::builder().export(api::CertificateExport::Enabled).build();
        let public = api::CertificateDetail::builder().options(options);
        let private = public.clone().certificate_authority_arn("arn:aws:acm-pca:eu-west-1:111111111111:certificate-authority/1");
        assert_eq!((exported(&public.build()), exported(&private.build())), ("ENABLED", "DISABLED"));
        let written = json!({ "certificate_authority_arn": "arn", "export": "ENABLED" });
        assert_eq!(AcmCertificate::check(&Value::from(written)).len(), 1);
    }

    #[test]
    fn a_certificates_first_domain_has_64_characters() {
        let catalog = crate::registry::catalog();
        let domain = catalog.resources["acm_certificate"].schema.attribute("domain_name").unwrap();
        assert!(matches!(&domain.ty, Type::String(rule) if rule.max_length == Some(64)));
    }
}
