//! The resource type `acm_imported_certificate`.

use std::fmt;

use aws_sdk_acm::operation::import_certificate::builders::ImportCertificateFluentBuilder;
use aws_sdk_acm::types as api;
use aws_smithy_types::Blob;
use futures_util::future::{try_join_all, try_join3};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{api_tags, describe, ours, tags_of, update_tags};
use crate::client::{Aws, send_once};
use crate::error::{OrAbsent, OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::Changing;
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome, Wanted};
use leoctl_core::engine::usual::Usual;

/// A certificate of another authority, with its key, that load balancers can use.
///
/// AWS does not renew it: another `certificate_body` is put in its place under the same ARN, which takes a key of the same kind
/// and size. One with another kind of key is made by replacing it (`--replace`).
///
/// Import by ARN: `arn:aws:acm:…:certificate/…`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcmImportedCertificate {
    /// The certificate in PEM, such as `${file('example.org.pem')}`.
    #[schemars(extend("x-format" = "certificates"), length(max = 32768))]
    certificate_body: String,
    /// Its key in PEM, without a passphrase: shown nowhere, and remembered as a hash. AWS never returns it.
    #[schemars(required, extend("x-sensitive" = true, "x-local" = true), length(max = 5120))]
    private_key: Option<PrivateKey>,
    /// The certificates of the authorities above it in PEM, the nearest one first; none when left out.
    #[schemars(extend("x-format" = "certificates"))]
    certificate_chain: Option<String>,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The ARN, which is also the id.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
    /// The domain it is for.
    #[serde(default)]
    #[schemars(extend("x-computed" = true, "x-follows" = ["certificate_body"]))]
    domain_name: String,
    /// All domains it is for.
    #[serde(default)]
    #[schemars(extend("x-computed" = true, "x-follows" = ["certificate_body"]))]
    subject_alternative_names: Vec<String>,
    /// When it ends.
    #[schemars(extend("x-computed" = true, "x-follows" = ["certificate_body"]))]
    not_after: Option<String>,
}

/// A key that shows itself nowhere.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct PrivateKey(String);

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(sensitive)")
    }
}

impl AcmImportedCertificate {
    async fn read_one(aws: &Aws, arn: &str) -> Outcome<Option<(String, Self)>> {
        let content = async {
            let call = aws.acm().get_certificate().certificate_arn(arn);
            call.send().await.or_fail("acm:GetCertificate").or_absent()
        };
        let (Some(found), Some(content), tags) = try_join3(describe(aws, arn), content, tags_of(aws, arn)).await? else {
            return Ok(None);
        };
        // What AWS has issued is an `acm_certificate`.
        if found.r#type().is_some_and(|kind| *kind != api::CertificateType::Imported) {
            return Ok(None);
        }
        let read = Self {
            certificate_body: content.certificate.unwrap_or_default(),
            private_key: None,
            certificate_chain: content.certificate_chain.filter(|chain| !chain.trim().is_empty()),
            tags,
            arn: found.certificate_arn().unwrap_or(arn).to_owned(),
            domain_name: found.domain_name().unwrap_or_default().to_owned(),
            subject_alternative_names: found.subject_alternative_names().to_vec(),
            not_after: found.not_after().map(ToString::to_string),
        };
        Ok(Some((arn.to_owned(), read)))
    }

    /// The call that puts this certificate into AWS.
    fn import(&self, aws: &Aws) -> Outcome<ImportCertificateFluentBuilder> {
        let Self {
            certificate_body,
            private_key,
            certificate_chain,
            tags: _,
            arn: _,
            domain_name: _,
            subject_alternative_names: _,
            not_after: _,
        } = self;
        let Some(PrivateKey(key)) = private_key else {
            return Err(Failure::new(FailureKind::Invalid, "the private key is not known, and AWS takes no certificate without it"));
        };
        let call = aws.acm().import_certificate().certificate(blob(certificate_body)).private_key(blob(key));
        Ok(call.set_certificate_chain(certificate_chain.as_deref().map(blob)))
    }
}

fn blob(text: &str) -> Blob {
    Blob::new(text.as_bytes())
}

impl Resource for AcmImportedCertificate {
    const TYPE: &'static str = "acm_imported_certificate";
    // A listener that is going still uses it for some minutes.
    const INFO: Info = Info {
        create_before_destroy: true,
        held_by: super::certificate::USERS,
        transient: &[
            Retry::after("ResourceInUseException", &["acm:DeleteCertificate"]),
            Retry::always("RequestInProgressException"),
            Retry::always("ConflictException"),
        ],
        timeout: 1200,
        // It is imported at once. It goes when nothing has it any more, which may be known a moment later.
        usual: Usual::of((0, 20), (0, 20), (0, 60)),
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:acm:{region}:{account}:certificate/*",
        plan: &[
            Grant::any(&["acm:ListCertificates"]),
            Grant::itself(&["acm:DescribeCertificate", "acm:GetCertificate", "acm:ListTagsForCertificate"]),
        ],
        apply: &[Grant::itself(&[
            "acm:AddTagsToCertificate",
            "acm:DeleteCertificate",
            "acm:ImportCertificate",
            "acm:RemoveTagsFromCertificate",
        ])],
    };

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let read = try_join_all(ids.iter().map(|arn| Self::read_one(aws, arn))).await?;
        Ok(read.into_iter().flatten().collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        ours(aws, wanted, |one| one.r#type().is_none_or(|kind| *kind == api::CertificateType::Imported)).await
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let call = to.import(aws)?.set_tags(api_tags(&to.tags)?);
        let made = send_once!(aws_sdk_acm, call).await.sent_once("acm:ImportCertificate")?;
        made_id("acm:ImportCertificate", made.certificate_arn())
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self {
            certificate_body,
            private_key,
            certificate_chain,
            tags,
            arn: _,
            domain_name: _,
            subject_alternative_names: _,
            not_after: _,
        } = to;
        let is_same = *certificate_body == from.certificate_body && *certificate_chain == from.certificate_chain;
        if !is_same || *private_key != from.private_key {
            // Tags are taken with the first import alone (ACM API Reference, ImportCertificate).
            to.import(aws)?.certificate_arn(id).send().await.idempotent("acm:ImportCertificate")?;
        }
        update_tags(aws, id, &from.tags, tags).await
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        aws.acm().delete_certificate().certificate_arn(id).send().await.or_gone("acm:DeleteCertificate").map(drop)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::patience::tests::operation;
    use crate::scripted::{Answer, Scripted};

    const ARN: &str = "arn:aws:acm:eu-west-1:111111111111:certificate/1";
    const PEM: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

    fn aws(kind: &'static str) -> Scripted {
        Scripted::new(move |call| {
            let answer = match call.name.as_str() {
                "DescribeCertificate" => json!({ "Certificate": {
                    "CertificateArn": ARN, "DomainName": "example.org", "SubjectAlternativeNames": ["example.org"], "Type": kind,
                    "NotAfter": 1893456000, "Status": "ISSUED",
                } }),
                "GetCertificate" => json!({ "Certificate": PEM, "CertificateChain": PEM }),
                "ImportCertificate" => json!({ "CertificateArn": ARN }),
                _ => json!({}),
            };
            Answer::ok(answer.to_string())
        })
    }

    fn wanted() -> AcmImportedCertificate {
        AcmImportedCertificate {
            certificate_body: PEM.to_owned(),
            private_key: Some(PrivateKey("k3y".to_owned())),
            certificate_chain: None,
            tags: [("a".to_owned(), "b".to_owned())].into(),
            arn: String::new(),
            domain_name: String::new(),
            subject_alternative_names: Vec::new(),
            not_after: None,
        }
    }

    #[tokio::test]
    async fn an_imported_certificate_is_read_with_its_end_and_without_its_key() {
        let read = AcmImportedCertificate::read(&aws("IMPORTED").aws, &[ARN.to_owned()]).await.unwrap();
        let [(_, read)] = read.as_slice() else { panic!("one: {read:?}") };
        assert_eq!((read.not_after.as_deref(), &read.private_key), (Some("2030-01-01T00:00:00Z"), &None));
        assert_eq!((read.certificate_body.as_str(), read.certificate_chain.as_deref()), (PEM, Some(PEM)));
        let issued = AcmImportedCertificate::read(&aws("AMAZON_ISSUED").aws, &[ARN.to_owned()]).await.unwrap();
        assert!(issued.is_empty(), "what AWS has issued is another type");
    }

    #[tokio::test]
    async fn another_body_is_put_under_the_same_arn_without_tags_and_a_tag_imports_nothing() {
        let scripted = aws("IMPORTED");
        let (from, mut to) = (wanted(), wanted());
        to.certificate_body = PEM.replace("AAAA", "BBBB");
        AcmImportedCertificate::update(&scripted.aws, &operation(0), ARN, &from, &to).await.unwrap();
        let calls = scripted.calls();
        assert_eq!(scripted.names(), ["ImportCertificate"]);
        assert!(calls[0].body.contains(ARN) && !calls[0].body.contains("Tags"), "{}", calls[0].body);
        let scripted = aws("IMPORTED");
        let to = AcmImportedCertificate { tags: Tags::new(), ..wanted() };
        AcmImportedCertificate::update(&scripted.aws, &operation(0), ARN, &from, &to).await.unwrap();
        assert_eq!(scripted.names(), ["RemoveTagsFromCertificate"]);
    }

    #[test]
    fn the_key_is_in_no_debug_text() {
        assert!(!format!("{:?}", wanted()).contains("k3y"));
    }
}
