//! The resource type `lb_target_group`.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::{
    Matcher, ProtocolEnum, TargetDescription, TargetGroupAttribute, TargetGroupIpAddressTypeEnum, TargetTypeEnum,
};
use futures_util::future::{try_join, try_join_all};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::attributes::{self, Attributes, changes, target_group_defaults};
use super::{batched, new_one, tags_of, target_group_check, to_api, update_tags};
use crate::client::{Aws, send_once};
use crate::error::{OrAbsent, OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::Changing;
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::value::Value;

/// A set of targets that a load balancer sends requests to, and how their health is checked.
///
/// Import by ARN: `arn:aws:elasticloadbalancing:…:targetgroup/NAME/…`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LbTargetGroup {
    /// The name, unique in account and region.
    #[schemars(extend("x-replace" = true, "pattern" = "^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?$", "x-form" = "letters, digits and hyphens, no hyphen first or last"), length(max = 32))]
    name: String,
    /// The port targets listen on, unless registered with another.
    #[schemars(extend("x-replace" = true), range(min = 1, max = 65535))]
    port: Option<i32>,
    /// The protocol to the targets. `GENEVE` is not supported.
    #[schemars(extend("x-replace" = true, "enum" = ["HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC", "GENEVE"]))]
    protocol: Option<String>,
    /// The HTTP version to the targets.
    #[schemars(extend("x-replace" = true, "x-server" = true, "enum" = ["HTTP1", "HTTP2", "GRPC"]))]
    protocol_version: Option<String>,
    /// The port on which targets tell how many requests they can take, for the target optimizer.
    #[schemars(extend("x-replace" = true), range(min = 1, max = 65535))]
    target_control_port: Option<i32>,
    /// What targets are: `ip` for Fargate tasks. `lambda` is not supported.
    #[schemars(extend("default" = "instance", "x-replace" = true, "enum" = ["instance", "ip", "lambda", "alb"]))]
    target_type: String,
    /// The VPC of the targets.
    #[schemars(extend("x-format" = "id:vpc:vpc-", "x-replace" = true))]
    vpc_id: Option<String>,
    /// The IP version to the targets.
    #[schemars(extend("default" = "ipv4", "x-replace" = true, "enum" = ["ipv4", "ipv6"]))]
    ip_address_type: String,
    /// Whether health is checked.
    #[schemars(extend("default" = true))]
    health_check_enabled: bool,
    /// Seconds between checks.
    #[schemars(extend("default" = 30), range(min = 5, max = 300))]
    health_check_interval_seconds: i32,
    /// The path asked for.
    #[schemars(extend("x-server" = true, "x-follows" = ["health_check_protocol"]), length(max = 1024))]
    health_check_path: Option<String>,
    /// The port asked, or `traffic-port` for the target's own.
    #[schemars(extend("default" = "traffic-port"))]
    health_check_port: String,
    /// The protocol asked with.
    #[schemars(extend("x-server" = true, "enum" = ["HTTP", "HTTPS", "TCP"]))]
    health_check_protocol: Option<String>,
    /// Seconds until no answer counts as a failure.
    #[schemars(extend("x-server" = true, "x-follows" = ["health_check_protocol"]), range(min = 2, max = 120))]
    health_check_timeout_seconds: Option<i32>,
    /// Successes in a row that make a target healthy.
    #[schemars(extend("default" = 5), range(min = 2, max = 10))]
    healthy_threshold_count: i32,
    /// Failures in a row that make a target unhealthy.
    #[schemars(extend("default" = 2), range(min = 2, max = 10))]
    unhealthy_threshold_count: i32,
    /// Which answers are healthy.
    #[schemars(extend("x-server" = true, "x-follows" = ["health_check_protocol"]))]
    matcher: Option<HealthyAnswer>,
    /// Targets that are always in it, such as instances. Those of ECS services are registered by ECS, and are not written here.
    /// What else is registered stays, and that one of these was taken out elsewhere is not seen.
    #[schemars(extend("default" = [], "x-local" = true, "x-set" = true))]
    #[serde(default)]
    targets: Vec<Target>,
    /// Attributes by AWS's own keys, such as `"stickiness.enabled"`.
    #[schemars(extend("default" = {}, "x-defaults" = target_group_defaults()))]
    attributes: Attributes,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The ARN, which is also the id.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
    /// The part of the ARN that CloudWatch metrics go by.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    full_name: String,
}

/// Which answers to a health check are healthy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthyAnswer {
    /// HTTP codes, such as `200`, `200,302` or `200-299`.
    http_code: Option<String>,
    /// gRPC codes, such as `0-99`.
    grpc_code: Option<String>,
}

/// Something that gets requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The id of an instance, an IP address, or the ARN of a load balancer, as `target_type` says.
    id: String,
    /// The port; the group's when left out.
    #[schemars(range(min = 1, max = 65535))]
    port: Option<i32>,
    /// The availability zone of an IP address; `all` for one outside of the VPC.
    availability_zone: Option<String>,
}

impl Target {
    fn to_api(&self) -> TargetDescription {
        let Self { id, port, availability_zone } = self.clone();
        TargetDescription::builder().id(id).set_port(port).set_availability_zone(availability_zone).build()
    }
}

/// Registers the targets that are new, and takes out those that are not wanted any more.
async fn change_targets(aws: &Aws, group: &str, from: &[Target], to: &[Target]) -> Outcome<()> {
    let only = |of: &[Target], not_in: &[Target]| -> Vec<TargetDescription> {
        of.iter().filter(|target| !not_in.contains(target)).map(Target::to_api).collect()
    };
    let (new, gone) = (only(to, from), only(from, to));
    if !new.is_empty() {
        let call = aws.elb().register_targets().target_group_arn(group).set_targets(Some(new));
        call.send().await.idempotent("elasticloadbalancing:RegisterTargets")?;
    }
    if !gone.is_empty() {
        let call = aws.elb().deregister_targets().target_group_arn(group).set_targets(Some(gone));
        // One that is not registered any more, or whose instance is gone (Elastic Load Balancing API Reference, DeregisterTargets).
        call.send().await.or_done("elasticloadbalancing:DeregisterTargets", &["InvalidTarget"])?;
    }
    Ok(())
}

impl HealthyAnswer {
    fn to_api(&self) -> Matcher {
        Matcher::builder().set_http_code(self.http_code.clone()).set_grpc_code(self.grpc_code.clone()).build()
    }
}

impl LbTargetGroup {
    /// Whether health is asked for over HTTP: nothing else has a path or an answer (Elastic Load Balancing API Reference,
    /// ModifyTargetGroup).
    fn asks_http(&self) -> bool {
        self.health_check_protocol.as_deref().is_none_or(|protocol| matches!(protocol, "HTTP" | "HTTPS"))
    }

    fn asked_path(&self) -> Option<String> {
        self.health_check_path.clone().filter(|_| self.asks_http())
    }

    fn healthy_answer(&self) -> Option<Matcher> {
        self.matcher.as_ref().filter(|_| self.asks_http()).map(HealthyAnswer::to_api)
    }

    async fn attributes(aws: &Aws, arn: &str) -> Outcome<Option<(String, Attributes)>> {
        let call = aws.elb().describe_target_group_attributes().target_group_arn(arn);
        let found = call.send().await.or_fail("elasticloadbalancing:DescribeTargetGroupAttributes").or_absent()?;
        Ok(found.map(|found| (arn.to_owned(), attributes::read(found.attributes().iter().map(|one| (one.key(), one.value()))))))
    }

    async fn describe(aws: &Aws, arns: &[String]) -> Outcome<Vec<aws_sdk_elasticloadbalancingv2::types::TargetGroup>> {
        batched(arns, async |arns| {
            let call = aws.elb().describe_target_groups().set_target_group_arns(Some(arns));
            Ok(call.send().await.or_fail("elasticloadbalancing:DescribeTargetGroups")?.target_groups.unwrap_or_default())
        })
        .await
    }
}

impl Resource for LbTargetGroup {
    const TYPE: &'static str = "lb_target_group";
    // A group cannot go while a listener that is being deleted still names it.
    const INFO: Info = Info {
        unique: &[&["name"]],
        held_by: &["lb_listener", "lb_listener_rule"],
        transient: &[Retry::after("ResourceInUse", &["elasticloadbalancing:DeleteTargetGroup"])],
        timeout: 300,
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:elasticloadbalancing:{region}:{account}:targetgroup/{name}/*",
        plan: &[Grant::any(&[
            "elasticloadbalancing:DescribeTags",
            "elasticloadbalancing:DescribeTargetGroupAttributes",
            "elasticloadbalancing:DescribeTargetGroups",
        ])],
        apply: &[
            Grant::itself(&[
                "elasticloadbalancing:AddTags",
                "elasticloadbalancing:CreateTargetGroup",
                "elasticloadbalancing:DeleteTargetGroup",
                "elasticloadbalancing:ModifyTargetGroup",
                "elasticloadbalancing:ModifyTargetGroupAttributes",
                "elasticloadbalancing:RemoveTags",
            ]),
            Grant::itself(&["elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"]).when("targets"),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let text = |key: &str| desired.get(key).and_then(Value::as_str);
        let mut problems = Vec::new();
        if text("protocol") == Some("GENEVE") {
            let problem = "target groups of gateway load balancers are not supported: make it elsewhere, and name it by its ARN";
            problems.push((Path::attribute("protocol"), problem.to_owned()));
        }
        if text("target_type") == Some("lambda") {
            let problem = "target groups of functions are not supported: make it elsewhere, and name it by its ARN";
            problems.push((Path::attribute("target_type"), problem.to_owned()));
        }
        problems.into_iter().chain(target_group_check::check(desired)).collect()
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let described = Self::describe(aws, ids);
        let attributes = try_join_all(ids.iter().map(|arn| Self::attributes(aws, arn)));
        let ((described, attributes), mut tags) = try_join(try_join(described, attributes), tags_of(aws, ids)).await?;
        let mut attributes: BTreeMap<_, _> = attributes.into_iter().flatten().collect();
        let read = described.into_iter().map(|group| {
            let arn = group.target_group_arn().unwrap_or_default().to_owned();
            let matcher = group.matcher().map(|matcher| HealthyAnswer {
                http_code: matcher.http_code().map(str::to_owned),
                grpc_code: matcher.grpc_code().map(str::to_owned),
            });
            let read = Self {
                name: group.target_group_name().unwrap_or_default().to_owned(),
                port: group.port(),
                protocol: group.protocol().map(|protocol| protocol.as_str().to_owned()),
                protocol_version: group.protocol_version().map(str::to_owned),
                target_control_port: group.target_control_port(),
                target_type: group.target_type().map_or("instance", TargetTypeEnum::as_str).to_owned(),
                vpc_id: group.vpc_id().map(str::to_owned),
                ip_address_type: group.ip_address_type().map_or("ipv4", TargetGroupIpAddressTypeEnum::as_str).to_owned(),
                health_check_enabled: group.health_check_enabled().unwrap_or(true),
                health_check_interval_seconds: group.health_check_interval_seconds().unwrap_or(30),
                health_check_path: group.health_check_path().map(str::to_owned),
                health_check_port: group.health_check_port().unwrap_or("traffic-port").to_owned(),
                health_check_protocol: group.health_check_protocol().map(|protocol| protocol.as_str().to_owned()),
                health_check_timeout_seconds: group.health_check_timeout_seconds(),
                healthy_threshold_count: group.healthy_threshold_count().unwrap_or(5),
                unhealthy_threshold_count: group.unhealthy_threshold_count().unwrap_or(2),
                matcher,
                targets: Vec::new(),
                attributes: attributes.remove(&arn).unwrap_or_default(),
                tags: tags.remove(&arn).unwrap_or_default(),
                full_name: arn.rsplit_once(':').map(|(_, name)| name.to_owned()).unwrap_or_default(),
                arn: arn.clone(),
            };
            (arn, read)
        });
        Ok(read.collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let Some(name) = wanted.text("name") else { return Ok(None) };
        let call = aws.elb().describe_target_groups().names(name);
        let found = call.send().await.or_fail("elasticloadbalancing:DescribeTargetGroups").or_absent()?;
        let found = found.and_then(|found| found.target_groups).unwrap_or_default();
        Ok(wanted.pick(found.into_iter().filter_map(|group| group.target_group_arn)))
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let call = aws
            .elb()
            .create_target_group()
            .name(&to.name)
            .set_port(to.port)
            .set_protocol(to.protocol.as_deref().map(ProtocolEnum::from))
            .set_protocol_version(to.protocol_version.clone())
            .set_target_control_port(to.target_control_port)
            .target_type(TargetTypeEnum::from(to.target_type.as_str()))
            .set_vpc_id(to.vpc_id.clone())
            // A group of load balancers has none of its own.
            .set_ip_address_type((to.target_type != "alb").then(|| TargetGroupIpAddressTypeEnum::from(to.ip_address_type.as_str())))
            .health_check_enabled(to.health_check_enabled)
            .health_check_interval_seconds(to.health_check_interval_seconds)
            .set_health_check_path(to.asked_path())
            .health_check_port(&to.health_check_port)
            .set_health_check_protocol(to.health_check_protocol.as_deref().map(ProtocolEnum::from))
            .set_health_check_timeout_seconds(to.health_check_timeout_seconds)
            .healthy_threshold_count(to.healthy_threshold_count)
            .unhealthy_threshold_count(to.unhealthy_threshold_count)
            .set_matcher(to.healthy_answer())
            .set_tags(to_api(&to.tags));
        let made = send_once!(aws_sdk_elasticloadbalancingv2, call).await.sent_once("elasticloadbalancing:CreateTargetGroup")?;
        let call = "elasticloadbalancing:CreateTargetGroup";
        let arn = made_id(call, made.target_groups().first().and_then(|group| group.target_group_arn()))?;
        new_one(aws, call, arn, &to.tags).await
    }

    fn as_created(to: &Self) -> Self {
        Self { attributes: Attributes::new(), targets: Vec::new(), ..to.clone() }
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self {
            health_check_enabled,
            health_check_interval_seconds,
            // Asked for over HTTP only.
            health_check_path: _,
            matcher: _,
            health_check_port,
            health_check_protocol,
            health_check_timeout_seconds,
            healthy_threshold_count,
            unhealthy_threshold_count,
            targets,
            attributes,
            tags,
            name: _,
            port: _,
            protocol: _,
            protocol_version: _,
            target_control_port: _,
            target_type: _,
            vpc_id: _,
            ip_address_type: _,
            arn: _,
            full_name: _,
        } = to;
        let unchanged = Self { attributes: from.attributes.clone(), targets: from.targets.clone(), tags: from.tags.clone(), ..to.clone() };
        if unchanged != *from {
            // What is not sent stays (Elastic Load Balancing API Reference, ModifyTargetGroup). A check that begins, or asks in
            // another way, is said whole.
            let anew = *health_check_enabled != from.health_check_enabled || *health_check_protocol != from.health_check_protocol;
            let sent = |changed: bool| anew || changed;
            let call = aws
                .elb()
                .modify_target_group()
                .target_group_arn(id)
                .set_health_check_enabled(sent(false).then_some(*health_check_enabled))
                .set_health_check_interval_seconds(
                    sent(*health_check_interval_seconds != from.health_check_interval_seconds).then_some(*health_check_interval_seconds),
                )
                .set_health_check_path(to.asked_path().filter(|_| sent(to.asked_path() != from.asked_path())))
                .set_health_check_port(sent(*health_check_port != from.health_check_port).then(|| health_check_port.clone()))
                .set_health_check_protocol(health_check_protocol.as_deref().filter(|_| sent(false)).map(ProtocolEnum::from))
                .set_health_check_timeout_seconds(
                    health_check_timeout_seconds.filter(|_| sent(*health_check_timeout_seconds != from.health_check_timeout_seconds)),
                )
                .set_healthy_threshold_count(
                    sent(*healthy_threshold_count != from.healthy_threshold_count).then_some(*healthy_threshold_count),
                )
                .set_unhealthy_threshold_count(
                    sent(*unhealthy_threshold_count != from.unhealthy_threshold_count).then_some(*unhealthy_threshold_count),
                )
                .set_matcher(to.healthy_answer().filter(|_| sent(to.healthy_answer() != from.healthy_answer())));
            call.send().await.idempotent("elasticloadbalancing:ModifyTargetGroup")?;
        }
        let changed = changes(&from.attributes, attributes, &target_group_defaults());
        if !changed.is_empty() {
            let changed = changed.into_iter().map(|(key, value)| TargetGroupAttribute::builder().key(key).value(value).build()).collect();
            let call = aws.elb().modify_target_group_attributes().target_group_arn(id).set_attributes(Some(changed));
            call.send().await.idempotent("elasticloadbalancing:ModifyTargetGroupAttributes")?;
        }
        change_targets(aws, id, &from.targets, targets).await?;
        update_tags(aws, id, &from.tags, tags).await
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        let call = aws.elb().delete_target_group().target_group_arn(id);
        call.send().await.or_gone("elasticloadbalancing:DeleteTargetGroup").map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::{Answer, Scripted};

    fn target(id: &str, port: i32) -> Target {
        Target { id: id.to_owned(), port: Some(port), availability_zone: None }
    }

    #[tokio::test]
    async fn only_targets_that_are_new_or_not_wanted_any_more_are_sent() {
        let scripted = Scripted::new(|call| match call.name.as_str() {
            "DeregisterTargets" => Answer::query_error(400, "InvalidTarget"),
            _ => Answer::ok("<R><RegisterTargetsResult/></R>"),
        });
        let (kept, gone, new) = (target("10.0.0.1", 80), target("10.0.0.2", 80), target("10.0.0.1", 81));
        change_targets(&scripted.aws, "arn", &[kept.clone(), gone], &[kept.clone(), new]).await.unwrap();
        let calls = scripted.calls();
        let [register, deregister] = calls.as_slice() else { panic!("two calls: {calls:?}") };
        assert!(register.body.contains("Port=81") && !register.body.contains("Port=80"), "{}", register.body);
        assert!(deregister.body.contains("10.0.0.2") && !deregister.body.contains("10.0.0.1"), "{}", deregister.body);
        // Nothing is asked of a group whose targets ECS registers.
        change_targets(&scripted.aws, "arn", &[], &[]).await.unwrap();
        assert_eq!(scripted.names().len(), 2);
    }

    #[test]
    fn groups_of_functions_and_of_gateway_load_balancers_are_refused_before() {
        let problems = |mut body: serde_json::Value| {
            body["port"] = serde_json::json!(80);
            body["vpc_id"] = serde_json::json!("vpc-1");
            LbTargetGroup::check(&Value::from(body)).into_iter().map(|(path, _)| path.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(problems(serde_json::json!({ "target_type": "lambda" })), ["target_type"]);
        assert_eq!(problems(serde_json::json!({ "protocol": "GENEVE" })), ["protocol"]);
        assert!(problems(serde_json::json!({ "protocol": "HTTP", "target_type": "ip" })).is_empty());
    }

    #[test]
    fn only_http_has_a_path_and_an_answer() {
        let group = |protocol: &str| -> LbTargetGroup {
            serde_json::from_value(serde_json::json!({
                "name": "web", "target_type": "ip", "ip_address_type": "ipv4", "health_check_enabled": true, "health_check_interval_seconds": 30,
                "health_check_path": "/health", "health_check_port": "traffic-port", "health_check_protocol": protocol,
                "healthy_threshold_count": 5, "unhealthy_threshold_count": 2, "matcher": { "http_code": "200" }, "attributes": {}, "tags": {},
            }))
            .unwrap()
        };
        let asked = |protocol: &str| (group(protocol).asked_path(), group(protocol).healthy_answer().is_some());
        assert_eq!(asked("HTTP"), (Some("/health".to_owned()), true));
        assert_eq!(asked("TCP"), (None, false), "kept from when it was HTTP");
    }
}
