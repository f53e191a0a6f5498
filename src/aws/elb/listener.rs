//! The resource type `lb_listener`.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::{Certificate, Listener as ApiListener, ProtocolEnum};
use futures_util::future::{try_join, try_join_all};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::action::{self, Action};
use super::{batched, tags_of, to_api, update_tags};
use crate::aws::client::{Aws, send_once};
use crate::aws::error::{OrAbsent, OrFail};
use crate::aws::resource::{Info, Resource, Tags};
use crate::engine::ports::{Operation, Outcome, Wanted};
use crate::model::path::Path;
use crate::model::value::Value;

/// A port of a load balancer, and what is done with requests that no rule takes.
///
/// Import by ARN: `arn:aws:elasticloadbalancing:…:listener/app/…`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LbListener {
    /// The load balancer.
    #[schemars(extend("x-replace" = true, "x-format" = "arn"))]
    load_balancer_arn: String,
    /// The port.
    #[schemars(range(min = 1, max = 65535))]
    port: i32,
    /// The protocol.
    #[schemars(extend("enum" = ["HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP"]))]
    protocol: String,
    /// The TLS versions and ciphers of an HTTPS or TLS listener.
    #[schemars(extend("x-server" = true))]
    ssl_policy: Option<String>,
    /// The certificates of an HTTPS or TLS listener; the first is the default one.
    #[schemars(extend("default" = []))]
    certificates: Vec<ListenerCertificate>,
    /// What to do with requests.
    default_actions: Vec<Action>,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The ARN, which is also the id.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
}

/// A certificate of a listener.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListenerCertificate {
    /// The certificate.
    #[schemars(extend("x-format" = "arn"))]
    certificate_arn: String,
}

impl ListenerCertificate {
    fn to_api(&self) -> Certificate {
        Certificate::builder().certificate_arn(&self.certificate_arn).build()
    }
}

impl LbListener {
    async fn describe(aws: &Aws, arns: &[String]) -> Outcome<Vec<ApiListener>> {
        batched(arns, async |arns| {
            let call = aws.elb().describe_listeners().set_listener_arns(Some(arns));
            Ok(call.send().await.or_fail("elasticloadbalancing:DescribeListeners")?.listeners.unwrap_or_default())
        })
        .await
    }

    /// The certificates beside the default one.
    async fn more_certificates(aws: &Aws, listener: &ApiListener) -> Outcome<Vec<ListenerCertificate>> {
        if listener.certificates().is_empty() {
            return Ok(Vec::new());
        }
        let arn = listener.listener_arn().unwrap_or_default();
        let call = aws.elb().describe_listener_certificates().listener_arn(arn);
        let found = call.send().await.or_fail("elasticloadbalancing:DescribeListenerCertificates").or_absent()?;
        let found = found.and_then(|found| found.certificates).unwrap_or_default();
        let more = found.into_iter().filter(|certificate| certificate.is_default() != Some(true));
        let default = listener.certificates().first().and_then(|certificate| certificate.certificate_arn());
        let more = more.filter_map(|certificate| certificate.certificate_arn).filter(|arn| Some(arn.as_str()) != default);
        Ok(more.map(|certificate_arn| ListenerCertificate { certificate_arn }).collect())
    }

    async fn from_api(aws: &Aws, listener: &ApiListener, tags: &BTreeMap<String, Tags>) -> Outcome<(String, Self)> {
        let arn = listener.listener_arn().unwrap_or_default().to_owned();
        let default = listener.certificates().first().and_then(|certificate| certificate.certificate_arn());
        let default = default.map(|arn| ListenerCertificate { certificate_arn: arn.to_owned() });
        let more = Self::more_certificates(aws, listener).await?;
        let read = Self {
            load_balancer_arn: listener.load_balancer_arn().unwrap_or_default().to_owned(),
            port: listener.port().unwrap_or_default(),
            protocol: listener.protocol().map_or("", ProtocolEnum::as_str).to_owned(),
            ssl_policy: listener.ssl_policy().filter(|policy| !policy.is_empty()).map(str::to_owned),
            certificates: default.into_iter().chain(more).collect(),
            default_actions: action::from_api(listener.default_actions()),
            tags: tags.get(&arn).cloned().unwrap_or_default(),
            arn: arn.clone(),
        };
        Ok((arn, read))
    }
}

impl Resource for LbListener {
    const TYPE: &'static str = "lb_listener";
    const INFO: Info = Info { timeout: 300, ..Info::DEFAULT };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let actions = desired.get("default_actions").and_then(Value::as_list).unwrap_or_default();
        let mut problems: Vec<(Path, String)> =
            actions.iter().filter_map(action::problem).map(|problem| (Path::attribute("default_actions"), problem)).collect();
        let certified = desired.get("certificates").is_some_and(|certificates| certificates.as_list().is_none_or(|list| !list.is_empty()));
        match desired.get("protocol").and_then(Value::as_str) {
            Some("HTTPS" | "TLS") if !certified => {
                problems.push((Path::attribute("protocol"), "an HTTPS or TLS listener needs `certificates`".to_owned()))
            }
            Some("HTTP" | "TCP" | "UDP" | "TCP_UDP") if certified => {
                problems.push((Path::attribute("certificates"), "only HTTPS and TLS listeners have certificates".to_owned()));
            }
            _ => {}
        }
        problems
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let described = Self::describe(aws, ids);
        let (described, tags) = try_join(described, tags_of(aws, ids)).await?;
        try_join_all(described.iter().map(|listener| Self::from_api(aws, listener, &tags))).await
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        // A load balancer has one listener on a port.
        let (Some(lb), Some(Value::Int(port))) = (wanted.text("load_balancer_arn"), wanted.desired.get("port")) else { return Ok(None) };
        let call = aws.elb().describe_listeners().load_balancer_arn(lb);
        let found = call.send().await.or_fail("elasticloadbalancing:DescribeListeners").or_absent()?;
        let found = found.and_then(|found| found.listeners).unwrap_or_default();
        let there = found.into_iter().filter(|listener| listener.port().map(i64::from) == Some(*port));
        Ok(wanted.pick(there.filter_map(|listener| listener.listener_arn)))
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
            .set_default_actions(action::to_api(&to.default_actions))
            .set_tags(to_api(&to.tags));
        let made = send_once!(aws_sdk_elasticloadbalancingv2, call).await.or_fail("elasticloadbalancing:CreateListener")?;
        Ok(made.listeners().first().and_then(|listener| listener.listener_arn()).unwrap_or_default().to_owned())
    }

    fn as_created(to: &Self) -> Self {
        Self { certificates: to.certificates.iter().take(1).cloned().collect(), ..to.clone() }
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self { port, protocol, ssl_policy, certificates, default_actions, tags, load_balancer_arn: _, arn: _ } = to;
        let elb = aws.elb();
        let default_changed = certificates.first() != from.certificates.first();
        if *port != from.port
            || *protocol != from.protocol
            || *ssl_policy != from.ssl_policy
            || *default_actions != from.default_actions
            || default_changed
        {
            let secure = matches!(protocol.as_str(), "HTTPS" | "TLS");
            let call = elb
                .modify_listener()
                .listener_arn(id)
                .port(*port)
                .protocol(ProtocolEnum::from(protocol.as_str()))
                .set_ssl_policy(ssl_policy.clone().filter(|_| secure))
                .set_certificates(certificates.first().map(|certificate| vec![certificate.to_api()]))
                .set_default_actions(action::to_api(default_actions));
            call.send().await.or_fail("elasticloadbalancing:ModifyListener")?;
        }
        let more = |all: &[ListenerCertificate]| all.iter().skip(1).cloned().collect::<Vec<_>>();
        let (old, new) = (more(&from.certificates), more(certificates));
        let added: Vec<Certificate> = new.iter().filter(|one| !old.contains(one)).map(ListenerCertificate::to_api).collect();
        if !added.is_empty() {
            let call = elb.add_listener_certificates().listener_arn(id).set_certificates(Some(added));
            call.send().await.or_fail("elasticloadbalancing:AddListenerCertificates")?;
        }
        let removed: Vec<Certificate> = old.iter().filter(|one| !new.contains(one)).map(ListenerCertificate::to_api).collect();
        if !removed.is_empty() {
            let call = elb.remove_listener_certificates().listener_arn(id).set_certificates(Some(removed));
            call.send().await.or_fail("elasticloadbalancing:RemoveListenerCertificates")?;
        }
        update_tags(aws, id, &from.tags, tags).await
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        aws.elb().delete_listener().listener_arn(id).send().await.or_fail("elasticloadbalancing:DeleteListener").or_absent().map(drop)
    }
}
