//! The resource type `security_group`.

use aws_sdk_ec2::types::ResourceType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocked::{Part, explained};
use super::group_rules::{self, Own};
use super::rule::Rule;
use super::{filter, ownership_filters, specification, tags, update_tags};
use crate::client::{Aws, send_once};
use crate::error::{OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::Changing;
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{Operation, Outcome, Wanted};
use leoctl_core::engine::usual::Usual;
use leoctl_core::model::path::Path;
use leoctl_core::model::value::Value;

/// A firewall around network interfaces, with its rules.
///
/// The group owns every rule in it but those that are `security_group_rule` resources of some stack.
///
/// Import by id: `sg-0123456789abcdef0`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecurityGroup {
    /// The name, unique in the VPC whatever its case; `sg-` is what ids begin with.
    #[schemars(extend("x-replace" = true, "x-caseless" = true, "pattern" = r"^[a-zA-Z0-9 ._:/()#,@\[\]+=&;{}!$*-]+$", "x-form" = "letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*"), length(max = 255))]
    name: String,
    /// What it is for.
    #[schemars(extend("x-replace" = true, "pattern" = r"^[a-zA-Z0-9 ._:/()#,@\[\]+=&;{}!$*-]*$", "x-form" = "letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*"), length(max = 255))]
    description: String,
    /// The VPC; the default VPC when left out.
    #[schemars(extend("x-format" = "id:vpc:vpc-", "x-replace" = true, "x-server" = true))]
    vpc_id: Option<String>,
    /// What may come in.
    #[schemars(extend("default" = [], "x-set" = true))]
    ingress: Vec<Rule>,
    /// What may go out. Left out, everything over IPv4, which is AWS's default; in a VPC with an IPv6 network the rule for
    /// everything over IPv6, which AWS adds to that, stays. To have the first rule alone there, give it a description.
    #[schemars(extend("default" = [{"ip_protocol": "-1", "cidr_ipv4": "0.0.0.0/0"}], "x-or" = [{"ip_protocol": "-1", "cidr_ipv4": "0.0.0.0/0"}, {"ip_protocol": "-1", "cidr_ipv6": "::/0"}], "x-set" = true))]
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
        held_by: &[
            "default_security_group",
            "ecs_service",
            "efs_mount_target",
            "instance",
            "lb",
            "security_group",
            "security_group_rule",
            "vpc_endpoint",
            "awscc_amazonmq_broker",
            "awscc_apigatewayv2_vpc_link",
            "awscc_dms_replication_instance",
            "awscc_docdb_db_cluster",
            "awscc_ec2_network_interface",
            "awscc_ec2_security_group_ingress",
            "awscc_ecs_service",
            "awscc_eks_cluster",
            "awscc_elasticache_cache_cluster",
            "awscc_elasticache_replication_group",
            "awscc_elasticache_serverless_cache",
            "awscc_elasticloadbalancingv2_load_balancer",
            "awscc_lambda_function",
            "awscc_memorydb_cluster",
            "awscc_msk_cluster",
            "awscc_neptune_db_cluster",
            "awscc_opensearchservice_domain",
            "awscc_rds_db_cluster",
            "awscc_rds_db_instance",
            "awscc_rds_db_proxy",
            "awscc_redshift_cluster",
        ],
        transient: &[
            Retry::after("DependencyViolation", &["ec2:DeleteSecurityGroup"]),
            Retry::after("InvalidGroup.InUse", &["ec2:DeleteSecurityGroup"]),
        ],
        // What uses it lingers: interfaces of stopped tasks, of load balancers, and longest those of functions, which Lambda gives
        // back 20 to 45 minutes after the last of them (Lambda Developer Guide, "Giving Lambda functions access to resources in an
        // Amazon VPC"; coverage-roadmap of CloudFormation, 392).
        timeout: 2700,
        // The VPC, and the group that a rule names.
        propagating: &[
            Retry::after("InvalidVpcID.NotFound", &["ec2:CreateSecurityGroup"]),
            Retry::after("InvalidGroup.NotFound", &["ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress"]),
        ],
        // Published logs of Terraform's applies of the same calls: gone in up to 1m 51s, while interfaces that have it go.
        usual: Usual::of((0, 20), (0, 20), (0, 120)),
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
        let id = desired.get("name").and_then(Value::as_str).is_some_and(|name| name.starts_with("sg-"));
        let name =
            id.then(|| (Path::attribute("name"), "`sg-` is what the ids of groups begin with, and AWS takes no such name".to_owned()));
        group_rules::problems(desired).into_iter().chain(name).collect()
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let read = group_rules::read(aws, ids).await?.into_iter().map(|(group, ingress, egress)| {
            let id = group.group_id().unwrap_or_default().to_owned();
            let read = Self {
                name: group.group_name().unwrap_or_default().to_owned(),
                description: group.description().unwrap_or_default().to_owned(),
                vpc_id: group.vpc_id().map(str::to_owned),
                ingress,
                egress,
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
        let pages = aws.ec2().describe_security_groups().set_filters(Some(filters)).into_paginator().items().send();
        let found: Vec<aws_sdk_ec2::types::SecurityGroup> = pages.try_collect().await.or_fail("ec2:DescribeSecurityGroups")?;
        // The filter takes `*` in a name for anything.
        let is_it = |group: &&aws_sdk_ec2::types::SecurityGroup| match named {
            Some((name, _)) => group.group_name().is_some_and(|found| found.eq_ignore_ascii_case(name)),
            None => wanted.owns(&tags(group.tags())),
        };
        let there = found.iter().filter(is_it);
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
        Self { ingress: Vec::new(), egress: vec![Rule::everything_ipv4()], ..to.clone() }
    }

    async fn update(aws: &Aws, operation: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self { ingress, egress, tags, name: _, description: _, vpc_id: _, id: _, arn: _ } = to;
        if *ingress != from.ingress || *egress != from.egress {
            group_rules::bring(aws, operation, id, &from.egress, Own { ingress, egress, with_ipv6: true }).await?;
        }
        update_tags(aws.ec2(), id, &from.tags, tags).await
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        let deleted = aws.ec2().delete_security_group().group_id(id).send().await.or_gone("ec2:DeleteSecurityGroup");
        explained(aws, deleted, Part::Group(id)).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::canned::{Answer, Canned};

    #[test]
    fn a_group_with_a_rule_twice_or_the_name_of_an_id_is_refused() {
        let problems = |group: serde_json::Value| {
            SecurityGroup::check(&Value::from(group)).into_iter().map(|(path, _)| path.to_string()).collect::<Vec<_>>()
        };
        let rule = |description: &str| json!({ "ip_protocol": "-1", "cidr_ipv4": "10.0.0.0/8", "description": description });
        assert_eq!(problems(json!({ "name": "sg-web" })), ["name"]);
        assert_eq!(problems(json!({ "name": "web", "ingress": [rule("a"), rule("b")] })), ["ingress"]);
        assert!(problems(json!({ "name": "web", "ingress": [rule("a")], "egress": [rule("a")] })).is_empty());
    }

    #[tokio::test]
    async fn a_group_is_found_by_its_whole_name() {
        let canned = Canned::new(|_, _| {
            let group = |id: &str, name: &str| format!("<item><groupId>{id}</groupId><groupName>{name}</groupName></item>");
            Answer::Done(format!("<securityGroupInfo>{}{}</securityGroupInfo>", group("sg-1", "web-1"), group("sg-2", "Web-*")))
        });
        let wanted = Wanted {
            address: leoctl_core::model::address::Address {
                block: leoctl_core::model::address::Block::new("security_group", "web"),
                key: None,
            },
            stack: "shop".to_owned(),
            account: "1".to_owned(),
            region: "eu-west-1".to_owned(),
            token: None,
            desired: Value::from(json!({ "name": "web-*", "vpc_id": "vpc-1" })),
            known: std::collections::BTreeSet::new(),
        };
        assert_eq!(SecurityGroup::find(&canned.aws, &wanted).await.unwrap().as_deref(), Some("sg-2"));
    }
}
