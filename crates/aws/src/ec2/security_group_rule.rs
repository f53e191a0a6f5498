//! The resource type `security_group_rule`.

use aws_sdk_ec2::types::ResourceType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rule::{self, Rule};
use super::{filter, in_chunks, ownership_filters, specification, tags, update_tags};
use crate::client::{Aws, send_once};
use crate::error::{OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::{Changing, says};
use crate::resource::{Info, Resource, Retry, Tags};
use crate::tags::same_owner;
use leoctl_core::engine::ports::{Failure, Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::schema::Inside;
use leoctl_core::model::value::Value;

/// One rule of a security group as a resource of its own: for groups that refer to each other, where rules
/// inside both would be a dependency cycle.
///
/// Import by id: `sgr-0123456789abcdef0`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecurityGroupRule {
    /// `ingress` for what comes in, `egress` for what goes out.
    #[schemars(extend("x-replace" = true, "enum" = ["ingress", "egress"]))]
    r#type: String,
    /// The group that gets the rule.
    #[schemars(extend("x-replace" = true))]
    group_id: String,
    /// `tcp`, `udp`, `icmp`, `icmpv6`, a protocol number, or `-1` for all.
    #[schemars(extend("x-replace" = true))]
    ip_protocol: String,
    /// The first port; the ICMP type for `icmp` and `icmpv6`, all when left out. Not with other protocols.
    #[schemars(extend("x-replace" = true, "x-none" = -1), range(min = -1, max = 65535))]
    from_port: Option<i32>,
    /// The last port; the ICMP code for `icmp` and `icmpv6`, all when left out. Not with other protocols.
    #[schemars(extend("x-replace" = true, "x-none" = -1), range(min = -1, max = 65535))]
    to_port: Option<i32>,
    /// The peer: an IPv4 network.
    #[schemars(extend("x-replace" = true, "x-format" = "cidr4"))]
    cidr_ipv4: Option<String>,
    /// The peer: an IPv6 network.
    #[schemars(extend("x-replace" = true, "x-format" = "cidr6"))]
    cidr_ipv6: Option<String>,
    /// The peer: a prefix list.
    #[schemars(extend("x-replace" = true))]
    prefix_list_id: Option<String>,
    /// The peer: members of this security group.
    #[schemars(extend("x-replace" = true))]
    referenced_group_id: Option<String>,
    /// What it is for.
    #[schemars(extend("pattern" = r"^[a-zA-Z0-9 ._:/()#,@\[\]+=&;{}!$*-]*$", "x-form" = "letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*"), length(max = 255))]
    description: Option<String>,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The id.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    id: String,
}

impl SecurityGroupRule {
    fn rule(&self) -> Rule {
        let Self { ip_protocol, from_port, to_port, cidr_ipv4, cidr_ipv6, prefix_list_id, referenced_group_id, description, .. } =
            self.clone();
        Rule { ip_protocol, from_port, to_port, cidr_ipv4, cidr_ipv6, prefix_list_id, referenced_group_id, description }
    }
}

/// The rules that the group itself has in a direction.
const fn in_group(direction: &'static str) -> Inside {
    Inside { of: "security_group", by: "group_id", list: direction, when: ("type", direction), aside: &["description"] }
}

impl Resource for SecurityGroupRule {
    const TYPE: &'static str = "security_group_rule";
    const INFO: Info = Info {
        unique: &[&[
            "type",
            "ip_protocol",
            "from_port",
            "to_port",
            "cidr_ipv4",
            "cidr_ipv6",
            "prefix_list_id",
            "referenced_group_id",
            "group_id",
        ]],
        inside: &[in_group("ingress"), in_group("egress")],
        // The group, and the one it names.
        propagating: &[Retry::after("InvalidGroup.NotFound", &["ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress"])],
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:ec2:{region}:{account}:security-group-rule/*",
        plan: &[Grant::any(&["ec2:DescribeSecurityGroupRules"])],
        apply: &[Grant::on(
            &[
                "ec2:AuthorizeSecurityGroupEgress",
                "ec2:AuthorizeSecurityGroupIngress",
                "ec2:CreateTags",
                "ec2:DeleteTags",
                "ec2:ModifySecurityGroupRules",
                "ec2:RevokeSecurityGroupEgress",
                "ec2:RevokeSecurityGroupIngress",
            ],
            &[
                "arn:{partition}:ec2:{region}:{account}:security-group/{group_id}",
                "arn:{partition}:ec2:{region}:{account}:security-group-rule/*",
            ],
        )],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        rule::problem(desired).map(|problem| (Path::attribute("ip_protocol"), problem)).into_iter().collect()
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let found = in_chunks("security-group-rule-id", ids, |only| async move {
            let pages = aws.ec2().describe_security_group_rules().filters(only).into_paginator().items().send();
            pages.try_collect().await.or_fail("ec2:DescribeSecurityGroupRules")
        });
        let found: Vec<aws_sdk_ec2::types::SecurityGroupRule> = found.await?;
        let read = found.iter().map(|found| {
            let id = found.security_group_rule_id().unwrap_or_default().to_owned();
            let Rule { ip_protocol, from_port, to_port, cidr_ipv4, cidr_ipv6, prefix_list_id, referenced_group_id, description } =
                Rule::from_api(found);
            let read = Self {
                r#type: if found.is_egress() == Some(true) { "egress" } else { "ingress" }.to_owned(),
                group_id: found.group_id().unwrap_or_default().to_owned(),
                ip_protocol,
                from_port,
                to_port,
                cidr_ipv4,
                cidr_ipv6,
                prefix_list_id,
                referenced_group_id,
                description,
                tags: tags(found.tags()),
                id: id.clone(),
            };
            (id, read)
        });
        Ok(read.collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let pages = aws.ec2().describe_security_group_rules().set_filters(Some(ownership_filters(wanted))).into_paginator().items().send();
        let found: Vec<aws_sdk_ec2::types::SecurityGroupRule> = pages.try_collect().await.or_fail("ec2:DescribeSecurityGroupRules")?;
        let ours = found.iter().filter(|rule| wanted.owns(&tags(rule.tags())));
        Ok(wanted.pick(ours.filter_map(|rule| rule.security_group_rule_id().map(str::to_owned))))
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let tags = specification(ResourceType::SecurityGroupRule, &to.tags);
        let permission = to.rule().permission();
        let ec2 = aws.ec2();
        let sent = if to.r#type == "egress" {
            let call = ec2.authorize_security_group_egress().group_id(&to.group_id).ip_permissions(permission).tag_specifications(tags);
            let sent = send_once!(aws_sdk_ec2, call).await.sent_once("ec2:AuthorizeSecurityGroupEgress");
            sent.map(|made| (made.security_group_rules, "ec2:AuthorizeSecurityGroupEgress"))
        } else {
            let call = ec2.authorize_security_group_ingress().group_id(&to.group_id).ip_permissions(permission).tag_specifications(tags);
            let sent = send_once!(aws_sdk_ec2, call).await.sent_once("ec2:AuthorizeSecurityGroupIngress");
            sent.map(|made| (made.security_group_rules, "ec2:AuthorizeSecurityGroupIngress"))
        };
        match sent {
            Ok((rules, operation)) => made_id(operation, rules.unwrap_or_default().first().and_then(|rule| rule.security_group_rule_id())),
            // Ours, by a call whose answer was lost and that no search has seen; or another's.
            Err(failure) if says(&failure, &["InvalidPermission.Duplicate"]) => same_rule(aws, to, failure).await,
            Err(failure) => Err(failure),
        }
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self {
            group_id,
            description,
            tags,
            r#type: _,
            ip_protocol: _,
            from_port: _,
            to_port: _,
            cidr_ipv4: _,
            cidr_ipv6: _,
            prefix_list_id: _,
            referenced_group_id: _,
            id: _,
        } = to;
        if *description != from.description {
            let call = aws.ec2().modify_security_group_rules().group_id(group_id).security_group_rules(to.rule().update(id));
            call.send().await.idempotent("ec2:ModifySecurityGroupRules")?;
        }
        update_tags(aws.ec2(), id, &from.tags, tags).await
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, last: Option<&Self>) -> Outcome<()> {
        let Some(last) = last else {
            // Where it is has to be asked first.
            let Some(found) = Self::read_one(aws, id).await? else { return Ok(()) };
            return revoke(aws, id, &found).await;
        };
        revoke(aws, id, last).await
    }
}

/// The id of the rule that stands in a new one's way, where it is the new one.
async fn same_rule(aws: &Aws, to: &SecurityGroupRule, failure: Failure) -> Outcome<String> {
    let call = aws.ec2().describe_security_group_rules().filters(filter("group-id", std::slice::from_ref(&to.group_id)));
    let mut pages = call.max_results(1000).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.or_fail("ec2:DescribeSecurityGroupRules")?;
        let mut same = page
            .security_group_rules()
            .iter()
            .filter(|found| found.is_egress() == Some(to.r#type == "egress") && Rule::from_api(found).same_traffic(&to.rule()));
        if let Some(found) = same.next() {
            let id = found.security_group_rule_id().unwrap_or_default().to_owned();
            return match same_owner(&tags(found.tags()), &to.tags) {
                true => Ok(id),
                false => Err(Failure {
                    message: format!("{id} of {} says the same, and is not ours: {}", to.group_id, failure.message),
                    ..failure
                }),
            };
        }
    }
    Err(failure)
}

async fn revoke(aws: &Aws, id: &str, rule: &SecurityGroupRule) -> Outcome<()> {
    let ec2 = aws.ec2();
    if rule.r#type == "egress" {
        let call = ec2.revoke_security_group_egress().group_id(&rule.group_id).security_group_rule_ids(id);
        call.send().await.or_gone("ec2:RevokeSecurityGroupEgress").map(drop)
    } else {
        let call = ec2.revoke_security_group_ingress().group_id(&rule.group_id).security_group_rule_ids(id);
        call.send().await.or_gone("ec2:RevokeSecurityGroupIngress").map(drop)
    }
}
