//! The resource type `lb_listener`.

mod tls;

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::{Listener as ApiListener, ListenerAttribute, MutualAuthenticationAttributes, ProtocolEnum};
use futures_util::future::{try_join, try_join_all};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::tls::{ListenerCertificate, MutualAuthentication, is_secure};
use super::action::{self, Action};
use super::attributes::{self, Attributes, changes, listener_defaults};
use super::{batched, tags_of, to_api, update_tags};
use crate::client::{Aws, send_once};
use crate::ecs::movers;
use crate::error::{OrAbsent, OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::Changing;
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::schema::{After, Governed};
use leoctl_core::model::value::Value;
use leoctl_core::plan::desired::Governor;

/// AWS's name for no Application-Layer Protocol Negotiation.
const NO_ALPN: &str = "None";

/// A port of a load balancer, and what is done with requests that no rule takes.
///
/// Import by ARN: `arn:aws:elasticloadbalancing:…:listener/app/…`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LbListener {
    /// The load balancer.
    #[schemars(extend("x-replace" = true, "x-format" = "arn:elasticloadbalancing"))]
    load_balancer_arn: String,
    /// The port.
    #[schemars(range(min = 1, max = 65535))]
    port: i32,
    /// The protocol.
    #[schemars(extend("enum" = ["HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"]))]
    protocol: String,
    /// The TLS versions and ciphers of an HTTPS or TLS listener.
    #[schemars(extend("x-server" = true, "x-follows" = ["protocol"]))]
    ssl_policy: Option<String>,
    /// The certificates of an HTTPS or TLS listener; the first is the default one, the others have no order.
    #[schemars(extend("default" = []))]
    certificates: Vec<ListenerCertificate>,
    /// Which HTTP versions a TLS listener of a network load balancer offers; none when left out.
    #[schemars(extend("enum" = ["HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred"]))]
    alpn_policy: Option<String>,
    /// What is done with the certificates of an HTTPS listener's clients; they are not asked for when left out.
    mutual_authentication: Option<MutualAuthentication>,
    /// What to do with requests, one after the other.
    default_actions: Vec<Action>,
    /// Attributes by AWS's own keys, such as `"routing.http.response.server.enabled"`.
    #[schemars(extend("default" = {}, "x-defaults" = listener_defaults()))]
    attributes: Attributes,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The ARN, which is also the id.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
}

impl LbListener {
    async fn describe(aws: &Aws, arns: &[String]) -> Outcome<Vec<ApiListener>> {
        batched(arns, async |arns| {
            let call = aws.elb().describe_listeners().set_listener_arns(Some(arns));
            Ok(call.send().await.or_fail("elasticloadbalancing:DescribeListeners")?.listeners.unwrap_or_default())
        })
        .await
    }

    async fn attributes(aws: &Aws, arn: &str) -> Outcome<Attributes> {
        let call = aws.elb().describe_listener_attributes().listener_arn(arn);
        let found = call.send().await.or_fail("elasticloadbalancing:DescribeListenerAttributes").or_absent()?;
        let found = found.and_then(|found| found.attributes).unwrap_or_default();
        Ok(attributes::read(found.iter().map(|one| (one.key(), one.value()))))
    }

    /// The ALPN policy for a call: only TLS listeners have one.
    fn negotiation(&self) -> Option<Vec<String>> {
        (self.protocol == "TLS").then(|| vec![self.alpn_policy.clone().unwrap_or_else(|| NO_ALPN.to_owned())])
    }

    /// What a call says of the clients' certificates, where `from` holds: only HTTPS listeners ask for them.
    fn mutual(&self, from: Option<&MutualAuthentication>) -> Option<MutualAuthenticationAttributes> {
        let to = self.mutual_authentication.as_ref();
        (self.protocol == "HTTPS" && to != from).then(|| to.map_or_else(MutualAuthentication::off, MutualAuthentication::to_api))
    }

    async fn from_api(aws: &Aws, listener: &ApiListener, tags: &BTreeMap<String, Tags>) -> Outcome<(String, Self)> {
        let arn = listener.listener_arn().unwrap_or_default().to_owned();
        let (certificates, attributes) = try_join(ListenerCertificate::all(aws, listener), Self::attributes(aws, &arn)).await?;
        let read = Self {
            load_balancer_arn: listener.load_balancer_arn().unwrap_or_default().to_owned(),
            port: listener.port().unwrap_or_default(),
            protocol: listener.protocol().map_or("", ProtocolEnum::as_str).to_owned(),
            ssl_policy: listener.ssl_policy().filter(|policy| !policy.is_empty()).map(str::to_owned),
            certificates,
            alpn_policy: listener.alpn_policy().first().filter(|policy| *policy != NO_ALPN).cloned(),
            mutual_authentication: listener.mutual_authentication().and_then(MutualAuthentication::from_api),
            attributes,
            default_actions: action::from_api(listener.default_actions()),
            tags: tags.get(&arn).cloned().unwrap_or_default(),
            arn: arn.clone(),
        };
        Ok((arn, read))
    }
}

/// The calls that name certificates.
const NAMING_CERTIFICATES: &[&str] =
    &["elasticloadbalancing:CreateListener", "elasticloadbalancing:ModifyListener", "elasticloadbalancing:AddListenerCertificates"];

impl Resource for LbListener {
    const TYPE: &'static str = "lb_listener";
    // What it names may have been made a moment ago.
    const INFO: Info = Info {
        unique: &[&["load_balancer_arn", "port"]],
        propagating: &[
            Retry::after("CertificateNotFound", NAMING_CERTIFICATES),
            Retry::after("UnsupportedCertificate", NAMING_CERTIFICATES),
            Retry::after("TargetGroupNotFound", &["elasticloadbalancing:CreateListener", "elasticloadbalancing:ModifyListener"]),
            Retry::after("LoadBalancerNotFound", &["elasticloadbalancing:CreateListener"]),
        ],
        timeout: 300,
        // A certificate has to be issued first (Elastic Load Balancing API Reference, `UnsupportedCertificate`).
        after: &[After { type_name: "acm_certificate_validation", through: "acm_certificate" }],
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:elasticloadbalancing:{region}:{account}:listener/{load_balancer_arn after loadbalancer/}/*",
        plan: &[
            Grant::any(&[
                "elasticloadbalancing:DescribeListenerAttributes",
                "elasticloadbalancing:DescribeListenerCertificates",
                "elasticloadbalancing:DescribeListeners",
                "elasticloadbalancing:DescribeTags",
            ]),
            Grant::any(movers::ASKED),
            Grant::named("certificates.certificate_arn", "acm", &["acm:DescribeCertificate"]),
        ],
        apply: &[
            Grant::on(&["elasticloadbalancing:CreateListener"], &["{load_balancer_arn}"]),
            Grant::itself(&[
                "elasticloadbalancing:AddListenerCertificates",
                "elasticloadbalancing:AddTags",
                "elasticloadbalancing:DeleteListener",
                "elasticloadbalancing:ModifyListener",
                "elasticloadbalancing:ModifyListenerAttributes",
                "elasticloadbalancing:RemoveListenerCertificates",
                "elasticloadbalancing:RemoveTags",
            ]),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let mut problems: Vec<(&str, String)> = Vec::new();
        problems.extend(action::problems(desired.get("default_actions")).into_iter().map(|problem| ("default_actions", problem)));
        let mutual = desired.get("mutual_authentication").unwrap_or(&Value::Null);
        problems.extend(MutualAuthentication::problem(mutual).map(|problem| ("mutual_authentication", problem.to_owned())));
        let certified = desired.get("certificates").is_some_and(|certificates| certificates.as_list().is_none_or(|list| !list.is_empty()));
        if let Some(protocol) = desired.get("protocol").and_then(Value::as_str) {
            if is_secure(protocol) && !certified {
                problems.push(("protocol", "an HTTPS or TLS listener needs `certificates`".to_owned()));
            }
            if !is_secure(protocol) && certified {
                problems.push(("certificates", "only HTTPS and TLS listeners have certificates".to_owned()));
            }
            if protocol != "HTTPS" && !mutual.is_null() {
                problems.push(("mutual_authentication", "only HTTPS listeners authenticate their clients".to_owned()));
            }
            if protocol != "HTTPS" && action::authenticates(desired.get("default_actions")) {
                problems.push(("default_actions", "only HTTPS listeners authenticate users and validate tokens".to_owned()));
            }
            if protocol != "TLS" && desired.get("alpn_policy").is_some_and(|policy| !policy.is_null()) {
                problems.push(("alpn_policy", "only TLS listeners have an ALPN policy".to_owned()));
            }
        }
        problems.into_iter().map(|(attribute, problem)| (Path::attribute(attribute), problem)).collect()
    }

    fn governed(live: &Value, wanted: &Value) -> Vec<Governed> {
        let certificates = (live.get("certificates"), wanted.get("certificates"));
        let same = tls::same_certificates(certificates.0.unwrap_or(&Value::Null), certificates.1.unwrap_or(&Value::Null));
        same.then(|| Governed { path: Path::attribute("certificates"), by: None }).into_iter().collect()
    }

    /// A deployment of a service behind a network load balancer moves requests from one target group to another.
    fn yields(wanted: &Value, live: &Value, among: &[String]) -> Value {
        action::moved::yields(wanted, live, "default_actions", among)
    }

    fn undoes(before: &Value, after: &Value, drifted: bool) -> bool {
        action::moved::undoes(before, after, "default_actions", drifted)
    }

    async fn governors(aws: &Aws, ids: &[String]) -> Outcome<BTreeMap<String, Vec<Governor>>> {
        movers::of(aws, Self::TYPE, ids).await
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let described = Self::describe(aws, ids);
        let (described, tags) = try_join(described, tags_of(aws, ids)).await?;
        try_join_all(described.iter().map(|listener| Self::from_api(aws, listener, &tags))).await
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        // A load balancer has one listener on a port.
        let (Some(lb), Some(Value::Int(port))) = (wanted.text("load_balancer_arn"), wanted.desired.get("port")) else { return Ok(None) };
        let mut pages = aws.elb().describe_listeners().load_balancer_arn(lb).into_paginator().send();
        while let Some(page) = pages.next().await {
            let Some(page) = page.or_fail("elasticloadbalancing:DescribeListeners").or_absent()? else { return Ok(None) };
            let there = page.listeners.unwrap_or_default().into_iter().filter(|listener| listener.port().map(i64::from) == Some(*port));
            let found = wanted.pick(there.filter_map(|listener| listener.listener_arn));
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let call = aws
            .elb()
            .create_listener()
            .load_balancer_arn(&to.load_balancer_arn)
            .port(to.port)
            .protocol(ProtocolEnum::from(to.protocol.as_str()))
            .set_ssl_policy(to.ssl_policy.clone())
            .set_certificates(to.certificates.first().map(|certificate| vec![certificate.to_api()]))
            .set_alpn_policy(to.negotiation())
            .set_mutual_authentication(to.mutual(None))
            .set_default_actions(action::to_api(&[], &to.default_actions))
            .set_tags(to_api(&to.tags));
        let made = send_once!(aws_sdk_elasticloadbalancingv2, call).await.sent_once("elasticloadbalancing:CreateListener")?;
        made_id("elasticloadbalancing:CreateListener", made.listeners().first().and_then(|listener| listener.listener_arn()))
    }

    fn as_created(to: &Self) -> Self {
        Self { certificates: to.certificates.iter().take(1).cloned().collect(), attributes: Attributes::new(), ..to.clone() }
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self {
            port,
            protocol,
            ssl_policy,
            certificates,
            alpn_policy,
            mutual_authentication,
            default_actions,
            attributes,
            tags,
            load_balancer_arn: _,
            arn: _,
        } = to;
        let elb = aws.elb();
        if *port != from.port
            || *protocol != from.protocol
            || *ssl_policy != from.ssl_policy
            || *alpn_policy != from.alpn_policy
            || *mutual_authentication != from.mutual_authentication
            || *default_actions != from.default_actions
            || certificates.first() != from.certificates.first()
        {
            let default = certificates.first().filter(|_| certificates.first() != from.certificates.first());
            let call = elb
                .modify_listener()
                .listener_arn(id)
                // What is not sent stays (Elastic Load Balancing API Reference, ModifyListener): others move requests
                // meanwhile.
                .set_port((*port != from.port).then_some(*port))
                .set_protocol((*protocol != from.protocol).then(|| ProtocolEnum::from(protocol.as_str())))
                .set_ssl_policy(
                    ssl_policy.clone().filter(|_| is_secure(protocol) && (*ssl_policy != from.ssl_policy || *protocol != from.protocol)),
                )
                .set_certificates(default.map(|certificate| vec![certificate.to_api()]))
                .set_alpn_policy(to.negotiation().filter(|_| *alpn_policy != from.alpn_policy))
                .set_mutual_authentication(
                    to.mutual(from.mutual_authentication.as_ref()).filter(|_| *mutual_authentication != from.mutual_authentication),
                )
                .set_default_actions(
                    action::to_api(&from.default_actions, default_actions).filter(|_| *default_actions != from.default_actions),
                );
            call.send().await.idempotent("elasticloadbalancing:ModifyListener")?;
        }
        tls::update_more(aws, id, &from.certificates, certificates).await?;
        let changed = changes(&from.attributes, attributes, &listener_defaults());
        if !changed.is_empty() {
            let changed = changed.into_iter().map(|(key, value)| ListenerAttribute::builder().key(key).value(value).build()).collect();
            let call = elb.modify_listener_attributes().listener_arn(id).set_attributes(Some(changed));
            call.send().await.idempotent("elasticloadbalancing:ModifyListenerAttributes")?;
        }
        update_tags(aws, id, &from.tags, tags).await
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        aws.elb().delete_listener().listener_arn(id).send().await.or_gone("elasticloadbalancing:DeleteListener").map(drop)
    }
}
