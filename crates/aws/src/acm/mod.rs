//! Certificate Manager: certificates, and waiting for them.

pub mod certificate;
pub mod imported;
pub mod validation;

use aws_sdk_acm::types as api;
use aws_sdk_acm::types::CertificateDetail;
use futures_util::future::try_join_all;

use super::client::Aws;
use super::error::{OrAbsent, OrFail, unbuilt};
use super::repeat::Changing;
use super::resource::Tags;
use super::tags::{TagChange, collect};
use leoctl_core::engine::ports::{Failure, FailureKind, Outcome, Wanted};

/// Every kind of key: unless they are named, ACM lists RSA keys of 1024 and 2048 bits alone (ACM API Reference, ListCertificates).
pub const KEY_TYPES: [&str; 7] = ["RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"];

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

/// The certificate of these that has the wanted one's ownership tags.
async fn ours(aws: &Aws, wanted: &Wanted, is_meant: impl Fn(&api::CertificateSummary) -> bool) -> Outcome<Option<String>> {
    let kinds = KEY_TYPES.iter().map(|kind| api::KeyAlgorithm::from(*kind)).collect();
    let kinds = api::Filters::builder().set_key_types(Some(kinds)).build();
    let mut pages = aws.acm().list_certificates().includes(kinds).into_paginator().send();
    let mut arns = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.or_fail("acm:ListCertificates")?;
        let meant = page.certificate_summary_list().iter().filter(|one| is_meant(one));
        arns.extend(meant.filter_map(|one| one.certificate_arn().map(str::to_owned)));
    }
    let tagged = try_join_all(arns.into_iter().map(async |arn| Ok((tags_of(aws, &arn).await?, arn)))).await?;
    Ok(wanted.pick(tagged.into_iter().filter(|(tags, _)| wanted.owns(tags)).map(|(_, arn)| arn)))
}

async fn tags_of(aws: &Aws, arn: &str) -> Outcome<Tags> {
    let call = aws.acm().list_tags_for_certificate().certificate_arn(arn);
    let found = call.send().await.or_fail("acm:ListTagsForCertificate").or_absent()?;
    let tags = found.and_then(|found| found.tags).unwrap_or_default();
    Ok(collect(tags.iter().map(|tag| (tag.key(), tag.value().unwrap_or_default()))))
}

fn api_tags(tags: &Tags) -> Outcome<Option<Vec<api::Tag>>> {
    let tags = tags.iter().map(|(key, value)| api::Tag::builder().key(key).value(value).build());
    let tags: Vec<_> = tags.collect::<Result<_, _>>().map_err(unbuilt)?;
    Ok(Some(tags).filter(|tags| !tags.is_empty()))
}

/// Makes one set of tags of a certificate into another.
async fn update_tags(aws: &Aws, id: &str, from: &Tags, to: &Tags) -> Outcome<()> {
    let change = TagChange::between(from, to);
    if let Some(set) = api_tags(&change.set)? {
        let call = aws.acm().add_tags_to_certificate().certificate_arn(id).set_tags(Some(set));
        call.send().await.idempotent("acm:AddTagsToCertificate")?;
    }
    if !change.remove.is_empty() {
        // A tag without a value is removed whatever its value is (ACM API Reference, RemoveTagsFromCertificate).
        let gone = change.remove.into_iter().map(|key| api::Tag::builder().key(key).build());
        let gone = gone.collect::<Result<_, _>>().map_err(unbuilt)?;
        let call = aws.acm().remove_tags_from_certificate().certificate_arn(id).set_tags(Some(gone));
        call.send().await.idempotent("acm:RemoveTagsFromCertificate")?;
    }
    Ok(())
}
