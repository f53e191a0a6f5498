//! What HTTPS and TLS listeners have: certificates, of their own and of their clients.

use aws_sdk_elasticloadbalancingv2::types::{
    AdvertiseTrustStoreCaNamesEnum, Certificate, Listener as ApiListener, MutualAuthenticationAttributes,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::client::Aws;
use crate::error::{OrAbsent, OrFail};
use crate::repeat::Changing;
use leoctl_core::engine::ports::Outcome;
use leoctl_core::model::value::Value;

/// Whether a listener of this protocol has certificates.
pub(super) fn is_secure(protocol: &str) -> bool {
    matches!(protocol, "HTTPS" | "TLS")
}

/// A certificate of a listener.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListenerCertificate {
    /// The certificate.
    #[schemars(extend("x-format" = "arn:acm|iam"))]
    certificate_arn: String,
}

impl ListenerCertificate {
    pub(super) fn to_api(&self) -> Certificate {
        Certificate::builder().certificate_arn(&self.certificate_arn).build()
    }

    /// The certificates of a listener, the default one first. One that is not secure has none, whatever it had
    /// before (ELBv2 API Reference, ModifyListener).
    pub(super) async fn all(aws: &Aws, listener: &ApiListener) -> Outcome<Vec<Self>> {
        let default = listener.certificates().first().and_then(|certificate| certificate.certificate_arn());
        let Some(default) = default.filter(|_| listener.protocol().is_some_and(|protocol| is_secure(protocol.as_str()))) else {
            return Ok(Vec::new());
        };
        let arn = listener.listener_arn().unwrap_or_default();
        let (mut found, mut marker) = (Vec::new(), None);
        loop {
            let call = aws.elb().describe_listener_certificates().listener_arn(arn).set_marker(marker);
            let Some(page) = call.send().await.or_fail("elasticloadbalancing:DescribeListenerCertificates").or_absent()? else { break };
            found.extend(page.certificates.unwrap_or_default());
            marker = page.next_marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                break;
            }
        }
        let more = found.into_iter().filter(|certificate| certificate.is_default() != Some(true));
        let more = more.filter_map(|certificate| certificate.certificate_arn).filter(|arn| arn != default);
        Ok(std::iter::once(default.to_owned()).chain(more).map(|certificate_arn| Self { certificate_arn }).collect())
    }
}

/// Whether two lists of certificates mean the same: the first is the default one, the others are a set.
pub(super) fn same_certificates(one: &Value, other: &Value) -> bool {
    let arns = |list: &Value| {
        let arns =
            list.as_list().unwrap_or_default().iter().map(|certificate| certificate.get("certificate_arn")?.as_str().map(str::to_owned));
        let mut arns = arns.collect::<Option<Vec<String>>>()?;
        arns.get_mut(1..)?.sort();
        Some(arns)
    };
    arns(one).is_some_and(|one| arns(other) == Some(one))
}

/// Makes the certificates of a listener beside its default one those of `to`.
///
/// # Errors
/// When AWS refuses.
pub(super) async fn update_more(aws: &Aws, id: &str, from: &[ListenerCertificate], to: &[ListenerCertificate]) -> Outcome<()> {
    let without = |all: &[ListenerCertificate], others: &[ListenerCertificate]| -> Vec<Certificate> {
        all.iter().filter(|one| !others.contains(one)).map(ListenerCertificate::to_api).collect()
    };
    let more = |all: &'_ [ListenerCertificate]| all.get(1..).unwrap_or_default().to_vec();
    let added = without(&more(to), &more(from));
    if !added.is_empty() {
        let call = aws.elb().add_listener_certificates().listener_arn(id).set_certificates(Some(added));
        call.send().await.idempotent("elasticloadbalancing:AddListenerCertificates")?;
    }
    // What has become the default one stays, and what was it goes: AWS may keep it beside the new one.
    let removed = without(from, to);
    if !removed.is_empty() {
        let call = aws.elb().remove_listener_certificates().listener_arn(id).set_certificates(Some(removed));
        call.send().await.or_done("elasticloadbalancing:RemoveListenerCertificates", &["CertificateNotFound"])?;
    }
    Ok(())
}

/// AWS's word for what is not done.
const OFF: &str = "off";

/// What is done with the certificates of clients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MutualAuthentication {
    /// `verify` checks a client's certificate, `passthrough` hands it on to the targets.
    #[schemars(extend("enum" = ["passthrough", "verify"]))]
    mode: String,
    /// The trust store that certificates are checked with, for `verify`.
    #[schemars(extend("x-format" = "arn:elasticloadbalancing"))]
    trust_store_arn: Option<String>,
    /// Whether one that has expired is good too, for `verify`.
    #[schemars(extend("default" = false))]
    ignore_client_certificate_expiry: bool,
    /// Whether clients are told which authorities are trusted, for `verify`.
    #[schemars(extend("default" = OFF, "enum" = [OFF, "on"]))]
    advertise_trust_store_ca_names: String,
}

impl MutualAuthentication {
    /// What AWS says; nothing when clients are not asked.
    pub(super) fn from_api(api: &MutualAuthenticationAttributes) -> Option<Self> {
        let advertise = api.advertise_trust_store_ca_names();
        Some(Self {
            mode: api.mode().filter(|mode| *mode != OFF)?.to_owned(),
            trust_store_arn: api.trust_store_arn().map(str::to_owned),
            ignore_client_certificate_expiry: api.ignore_client_certificate_expiry().unwrap_or_default(),
            advertise_trust_store_ca_names: advertise.map_or(OFF, AdvertiseTrustStoreCaNamesEnum::as_str).to_owned(),
        })
    }

    /// Clients are not asked.
    pub(super) fn off() -> MutualAuthenticationAttributes {
        MutualAuthenticationAttributes::builder().mode(OFF).build()
    }

    pub(super) fn to_api(&self) -> MutualAuthenticationAttributes {
        let Self { mode, trust_store_arn, ignore_client_certificate_expiry, advertise_trust_store_ca_names } = self;
        let api = MutualAuthenticationAttributes::builder().mode(mode);
        match mode.as_str() {
            "verify" => api
                .set_trust_store_arn(trust_store_arn.clone())
                .ignore_client_certificate_expiry(*ignore_client_certificate_expiry)
                .advertise_trust_store_ca_names(advertise_trust_store_ca_names.as_str().into()),
            _ => api,
        }
        .build()
    }

    /// What is wrong with it as far as it is known.
    pub(super) fn problem(value: &Value) -> Option<&'static str> {
        let given = |key: &str| value.get(key).is_some_and(|value| !value.is_null());
        match value.get("mode").map(Value::as_str) {
            Some(Some("verify")) if !given("trust_store_arn") => Some("the mode `verify` needs `trust_store_arn`"),
            Some(Some("passthrough")) if given("trust_store_arn") => Some("`trust_store_arn` is for the mode `verify`"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_beside_the_default_one_have_no_order() {
        let list = |arns: &[&str]| {
            let all = arns.iter().map(|arn| serde_json::json!({ "certificate_arn": arn }));
            Value::from(serde_json::Value::Array(all.collect()))
        };
        assert!(same_certificates(&list(&["a", "c", "b"]), &list(&["a", "b", "c"])));
        assert!(!same_certificates(&list(&["b", "a"]), &list(&["a", "b"])), "another one is the default");
        assert!(!same_certificates(&list(&["a", "b"]), &list(&["a", "c"])));
        assert!(!same_certificates(&list(&["a", "b"]), &list(&["a"])));
        assert!(!same_certificates(&Value::Unknown, &Value::Unknown));
    }
}
