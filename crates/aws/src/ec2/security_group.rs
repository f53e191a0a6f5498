//! The resource type `security_group`.

use std::time::Duration;

use aws_sdk_ec2::types::{ResourceType, SecurityGroupRule};
use futures_util::future::try_join;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rule::{self, Rule};
use super::{filter, ownership_filters, specification, tags, update_tags};
use crate::client::{Aws, send_once};
use crate::error::{OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::{Changing, says};
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{FailureKind, Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::value::Value;
use leoctl_core::plan::desired::ADDRESS_TAG;

/// A firewall around network interfaces, with its rules.
///
/// The group owns every rule in it but those that are `security_group_rule` resources of some stack.
///
/// Import by id: `sg-0123456789abcdef0`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecurityGroup {
    /// The name, unique in the VPC.
    #[schemars(extend("x-replace" = true, "pattern" = r"^[a-zA-Z0-9 ._:/()#,@\[\]+=&;{}!$*-]+$", "x-form" = "letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*"), length(max = 255))]
    name: String,
    /// What it is for.
    #[schemars(extend("x-replace" = true), length(max = 255))]
    description: String,
    /// The VPC; the default VPC when left out.
    #[schemars(extend("x-replace" = true, "x-server" = true))]
    vpc_id: Option<String>,
    /// What may come in.
    #[schemars(extend("default" = [], "x-set" = true))]
    ingress: Vec<Rule>,
    /// What may go out. Left out, everything over IPv4, which is AWS's default.
    #[schemars(extend("default" = [{"ip_protocol": "-1", "cidr_ipv4": "0.0.0.0/0"}], "x-set" = true))]
    egress: Vec<Rule>,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The id.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    id: String,
    /// The ARN.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
}

impl Resource for SecurityGroup {
    const TYPE: &'static str = "security_group";
    // A group cannot go while an interface of a stopped task or a deleted load balancer still has it.
    const INFO: Info = Info {
        unique: &[&["vpc_id", "name"]],
        held_by: &["ecs_service", "efs_mount_target", "instance", "lb", "security_group", "security_group_rule", "vpc_endpoint"],
        transient: &[
            Retry::after("DependencyViolation", &["ec2:DeleteSecurityGroup"]),
            Retry::after("InvalidGroup.InUse", &["ec2:DeleteSecurityGroup"]),
        ],
        // The VPC, and the group that a rule names.
        propagating: &[
            Retry::after("InvalidVpcID.NotFound", &["ec2:CreateSecurityGroup"]),
            Retry::after("InvalidGroup.NotFound", &["ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress"]),
        ],
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:ec2:{region}:{account}:security-group/*",
        plan: &[Grant::any(&["ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroupRules", "ec2:DescribeSecurityGroups"])],
        apply: &[
            Grant::on(
                &["ec2:CreateSecurityGroup"],
                &["arn:{partition}:ec2:{region}:{account}:security-group/*", "arn:{partition}:ec2:{region}:{account}:vpc/{vpc_id}"],
            ),
            Grant::on(
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
                    "arn:{partition}:ec2:{region}:{account}:security-group/*",
                    "arn:{partition}:ec2:{region}:{account}:security-group-rule/*",
                ],
            ),
            Grant::itself(&["ec2:DeleteSecurityGroup"]),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let problems = ["ingress", "egress"].into_iter().flat_map(|direction| {
            let rules = desired.get(direction).and_then(Value::as_list).unwrap_or_default();
            rules.iter().filter_map(rule::problem).map(move |problem| (Path::attribute(direction), problem))
        });
        problems.collect()
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let groups = async {
            let call = aws.ec2().describe_security_groups().filters(filter("group-id", ids));
            call.send().await.or_fail("ec2:DescribeSecurityGroups")
        };
        let (groups, rules) = try_join(groups, rules(aws, ids)).await?;
        let read = groups.security_groups().iter().map(|group| {
            let id = group.group_id().unwrap_or_default().to_owned();
            let of = |egress: bool| own(&rules, &id, egress).into_iter().map(|(_, rule)| rule).collect();
            let read = Self {
                name: group.group_name().unwrap_or_default().to_owned(),
                description: group.description().unwrap_or_default().to_owned(),
                vpc_id: group.vpc_id().map(str::to_owned),
                ingress: of(false),
                egress: of(true),
                tags: tags(group.tags()),
                arn: super::arn(&aws.region, group.owner_id().unwrap_or_default(), "security-group", &id),
                id: id.clone(),
            };
            (id, read)
        });
        Ok(read.collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        // In a VPC that does not exist yet there is no group of that name.
        let named = wanted.text("name").zip(wanted.text("vpc_id"));
        let filters = match named {
            Some((name, vpc)) => vec![filter("group-name", &[name.to_owned()]), filter("vpc-id", &[vpc.to_owned()])],
            None => ownership_filters(wanted),
        };
        let call = aws.ec2().describe_security_groups().set_filters(Some(filters));
        let found = call.send().await.or_fail("ec2:DescribeSecurityGroups")?;
        let there = found.security_groups().iter().filter(|group| named.is_some() || wanted.owns(&tags(group.tags())));
        Ok(wanted.pick(there.filter_map(|group| group.group_id().map(str::to_owned))))
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let call = aws
            .ec2()
            .create_security_group()
            .group_name(&to.name)
            .description(&to.description)
            .set_vpc_id(to.vpc_id.clone())
            .tag_specifications(specification(ResourceType::SecurityGroup, &to.tags));
        let made = send_once!(aws_sdk_ec2, call).await.sent_once("ec2:CreateSecurityGroup")?;
        made_id("ec2:CreateSecurityGroup", made.group_id())
    }

    fn as_created(to: &Self) -> Self {
        // AWS's own first rule (EC2 API Reference, CreateSecurityGroup).
        let everything = Rule {
            ip_protocol: "-1".to_owned(),
            from_port: None,
            to_port: None,
            cidr_ipv4: Some("0.0.0.0/0".to_owned()),
            cidr_ipv6: None,
            prefix_list_id: None,
            referenced_group_id: None,
            description: None,
        };
        Self { ingress: Vec::new(), egress: vec![everything], ..to.clone() }
    }

    async fn update(aws: &Aws, operation: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self { ingress, egress, tags, name: _, description: _, vpc_id: _, id: _, arn: _ } = to;
        if *ingress != from.ingress || *egress != from.egress {
            let changed = change_both(aws, operation, id, from, to).await;
            // There already, by a call whose answer was lost or that was not seen yet: only what is missing now is sent.
            match changed {
                Err(failure) if failure.kind == FailureKind::Ambiguous || says(&failure, &["InvalidPermission.Duplicate"]) => {
                    operation.pause(SEEN_AGAIN, "waiting for AWS to show the group's rules").await?;
                    change_both(aws, operation, id, from, to).await?;
                }
                changed => changed?,
            }
        }
        update_tags(aws.ec2(), id, &from.tags, tags).await
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        aws.ec2().delete_security_group().group_id(id).send().await.or_gone("ec2:DeleteSecurityGroup").map(drop)
    }
}

/// How long rules may take to be seen after AWS has said that they are there.
const SEEN_AGAIN: Duration = Duration::from_secs(1);

/// Makes a group's own rules those that are wanted, from what it has now.
async fn change_both(aws: &Aws, operation: &Operation, id: &str, from: &SecurityGroup, to: &SecurityGroup) -> Outcome<()> {
    let now = all_rules(aws, operation, id, from).await?;
    change_rules(aws, id, false, &own(&now, id, false), &to.ingress).await?;
    change_rules(aws, id, true, &own(&now, id, true), &to.egress).await
}

/// The rules of a group, once those are seen that it is known to have: reads may not see yet what AWS made with it.
async fn all_rules(aws: &Aws, operation: &Operation, id: &str, known: &SecurityGroup) -> Outcome<Vec<SecurityGroupRule>> {
    let mut waits = [500, 1000, 2000].into_iter().map(Duration::from_millis);
    loop {
        let now = rules(aws, &[id.to_owned()]).await?;
        let egress = own(&now, id, true);
        let complete = known.egress.iter().all(|rule| egress.iter().any(|(_, seen)| seen.same_traffic(rule)));
        match waits.next() {
            Some(wait) if !complete => operation.pause(wait, "waiting for AWS to show the group's rules").await?,
            _ => return Ok(now),
        }
    }
}

/// The rules of these groups.
async fn rules(aws: &Aws, groups: &[String]) -> Outcome<Vec<SecurityGroupRule>> {
    let mut pages = aws.ec2().describe_security_group_rules().filters(filter("group-id", groups)).max_results(1000).into_paginator().send();
    let mut rules = Vec::new();
    while let Some(page) = pages.next().await {
        rules.extend_from_slice(page.or_fail("ec2:DescribeSecurityGroupRules")?.security_group_rules());
    }
    Ok(rules)
}

/// The rules of a group that are its own and no resources of themselves, with their ids.
fn own(rules: &[SecurityGroupRule], group: &str, egress: bool) -> Vec<(String, Rule)> {
    let of_group = rules.iter().filter(|rule| rule.group_id() == Some(group) && rule.is_egress() == Some(egress));
    let own = of_group.filter(|rule| !tags(rule.tags()).contains_key(ADDRESS_TAG));
    own.map(|rule| (rule.security_group_rule_id().unwrap_or_default().to_owned(), Rule::from_api(rule))).collect()
}

/// Makes one set of rules into another: descriptions first, then what is new, then what goes.
async fn change_rules(aws: &Aws, id: &str, egress: bool, from: &[(String, Rule)], to: &[Rule]) -> Outcome<()> {
    let same = |rule: &Rule| from.iter().find(|(_, old)| old.same_traffic(rule));
    let renamed: Vec<_> = to.iter().filter_map(|rule| same(rule).filter(|(_, old)| old != rule).map(|(id, _)| rule.update(id))).collect();
    let added: Vec<&Rule> = to.iter().filter(|rule| same(rule).is_none()).collect();
    let removed: Vec<&Rule> = from.iter().map(|(_, old)| old).filter(|old| !to.iter().any(|rule| rule.same_traffic(old))).collect();
    let permissions = |rules: &[&Rule]| Some(rules.iter().map(|rule| rule.permission()).collect::<Vec<_>>());
    let ec2 = aws.ec2();
    if !renamed.is_empty() {
        let call = ec2.modify_security_group_rules().group_id(id).set_security_group_rules(Some(renamed));
        call.send().await.idempotent("ec2:ModifySecurityGroupRules")?;
    }
    if !added.is_empty() {
        let rules = permissions(&added);
        if egress {
            let call = ec2.authorize_security_group_egress().group_id(id).set_ip_permissions(rules);
            send_once!(aws_sdk_ec2, call).await.sent_once("ec2:AuthorizeSecurityGroupEgress")?;
        } else {
            let call = ec2.authorize_security_group_ingress().group_id(id).set_ip_permissions(rules);
            send_once!(aws_sdk_ec2, call).await.sent_once("ec2:AuthorizeSecurityGroupIngress")?;
        }
    }
    if !removed.is_empty() {
        let rules = permissions(&removed);
        if egress {
            let call = ec2.revoke_security_group_egress().group_id(id).set_ip_permissions(rules);
            call.send().await.or_gone("ec2:RevokeSecurityGroupEgress")?;
        } else {
            let call = ec2.revoke_security_group_ingress().group_id(id).set_ip_permissions(rules);
            call.send().await.or_gone("ec2:RevokeSecurityGroupIngress")?;
        }
    }
    Ok(())
}
