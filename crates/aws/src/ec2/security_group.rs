//! The resource type `security_group`.

use std::time::Duration;

use aws_sdk_ec2::types::{IpPermission, ResourceType, SecurityGroupRule};
use futures_util::future::try_join;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocked::{Part, explained};
use super::rule::{self, Rule};
use super::{filter, in_chunks, ownership_filters, specification, tags, update_tags};
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
    /// The name, unique in the VPC whatever its case; `sg-` is what ids begin with.
    #[schemars(extend("x-replace" = true, "x-caseless" = true, "pattern" = r"^[a-zA-Z0-9 ._:/()#,@\[\]+=&;{}!$*-]+$", "x-form" = "letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*"), length(max = 255))]
    name: String,
    /// What it is for.
    #[schemars(extend("x-replace" = true, "pattern" = r"^[a-zA-Z0-9 ._:/()#,@\[\]+=&;{}!$*-]*$", "x-form" = "letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*"), length(max = 255))]
    description: String,
    /// The VPC; the default VPC when left out.
    #[schemars(extend("x-replace" = true, "x-server" = true))]
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
        held_by: &["ecs_service", "efs_mount_target", "instance", "lb", "security_group", "security_group_rule", "vpc_endpoint"],
        transient: &[
            Retry::after("DependencyViolation", &["ec2:DeleteSecurityGroup"]),
            Retry::after("InvalidGroup.InUse", &["ec2:DeleteSecurityGroup"]),
        ],
        // What uses it lingers: interfaces of stopped tasks and of load balancers.
        timeout: 1200,
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
        let repeated = ["ingress", "egress"]
            .into_iter()
            .filter(|direction| rule::repeated(desired.get(direction).and_then(Value::as_list).unwrap_or_default()));
        let repeated = repeated.map(|direction| (Path::attribute(direction), "a rule is there twice: AWS takes each once".to_owned()));
        let id = desired.get("name").and_then(Value::as_str).is_some_and(|name| name.starts_with("sg-"));
        let name =
            id.then(|| (Path::attribute("name"), "`sg-` is what the ids of groups begin with, and AWS takes no such name".to_owned()));
        problems.chain(repeated).chain(name).collect()
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let groups = async {
            in_chunks("group-id", ids, |only| async move {
                let pages = aws.ec2().describe_security_groups().filters(only).into_paginator().items().send();
                pages.try_collect().await.or_fail("ec2:DescribeSecurityGroups")
            })
            .await
        };
        let (groups, rules): (Vec<aws_sdk_ec2::types::SecurityGroup>, _) = try_join(groups, rules(aws, ids)).await?;
        let read = groups.iter().map(|group| {
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
        let deleted = aws.ec2().delete_security_group().group_id(id).send().await.or_gone("ec2:DeleteSecurityGroup");
        explained(aws, deleted, Part::Group(id)).await.map(drop)
    }
}

/// How long rules may take to be seen after AWS has said that they are there.
const SEEN_AGAIN: Duration = Duration::from_secs(1);

/// Makes a group's own rules those that are wanted, from what it has now.
async fn change_both(aws: &Aws, operation: &Operation, id: &str, from: &SecurityGroup, to: &SecurityGroup) -> Outcome<()> {
    let now = all_rules(aws, operation, id, from).await?;
    change_rules(aws, id, false, &own(&now, id, false), &to.ingress).await?;
    let egress = own(&now, id, true);
    change_rules(aws, id, true, &egress, &wanted_egress(&egress, &to.egress)).await
}

/// What may go out: to AWS's default belongs what AWS adds to it in a VPC with an IPv6 network.
fn wanted_egress(now: &[(String, Rule)], wanted: &[Rule]) -> Vec<Rule> {
    let ipv6 = Rule::everything_ipv6();
    let added = wanted == [Rule::everything_ipv4()] && now.iter().any(|(_, rule)| *rule == ipv6);
    wanted.iter().cloned().chain(added.then_some(ipv6)).collect()
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
    in_chunks("group-id", groups, |only| async move {
        let pages = aws.ec2().describe_security_group_rules().filters(only).max_results(1000).into_paginator().items().send();
        pages.try_collect().await.or_fail("ec2:DescribeSecurityGroupRules")
    })
    .await
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
    let gone = from.iter().filter(|(_, old)| !to.iter().any(|rule| rule.same_traffic(old)));
    let removed: Vec<String> = gone.map(|(id, _)| id.clone()).collect();
    let permissions = |rules: &[&Rule]| rules.iter().map(|rule| rule.permission()).collect::<Vec<_>>();
    let ec2 = aws.ec2();
    if !renamed.is_empty() {
        let call = ec2.modify_security_group_rules().group_id(id).set_security_group_rules(Some(renamed));
        call.send().await.idempotent("ec2:ModifySecurityGroupRules")?;
    }
    match authorize(aws, id, egress, permissions(&added)).await {
        // In a group that is nearly full there is room only after what goes has gone (VPC User Guide, "Amazon VPC quotas").
        Err(failure) if says(&failure, &["RulesPerSecurityGroupLimitExceeded"]) && !removed.is_empty() => {
            revoke(aws, id, egress, removed).await?;
            authorize(aws, id, egress, permissions(&added)).await
        }
        Err(failure) => Err(failure),
        Ok(()) => revoke(aws, id, egress, removed).await,
    }
}

async fn authorize(aws: &Aws, id: &str, egress: bool, rules: Vec<IpPermission>) -> Outcome<()> {
    let ec2 = aws.ec2();
    if rules.is_empty() {
        return Ok(());
    }
    if egress {
        let call = ec2.authorize_security_group_egress().group_id(id).set_ip_permissions(Some(rules));
        send_once!(aws_sdk_ec2, call).await.sent_once("ec2:AuthorizeSecurityGroupEgress").map(drop)
    } else {
        let call = ec2.authorize_security_group_ingress().group_id(id).set_ip_permissions(Some(rules));
        send_once!(aws_sdk_ec2, call).await.sent_once("ec2:AuthorizeSecurityGroupIngress").map(drop)
    }
}

async fn revoke(aws: &Aws, id: &str, egress: bool, rules: Vec<String>) -> Outcome<()> {
    let ec2 = aws.ec2();
    if rules.is_empty() {
        return Ok(());
    }
    if egress {
        let call = ec2.revoke_security_group_egress().group_id(id).set_security_group_rule_ids(Some(rules));
        call.send().await.or_gone("ec2:RevokeSecurityGroupEgress").map(drop)
    } else {
        let call = ec2.revoke_security_group_ingress().group_id(id).set_security_group_rule_ids(Some(rules));
        call.send().await.or_gone("ec2:RevokeSecurityGroupIngress").map(drop)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::canned::{Answer, Canned};

    #[test]
    fn what_aws_adds_for_ipv6_belongs_to_its_default_alone() {
        let (ipv4, ipv6) = (Rule::everything_ipv4(), Rule::everything_ipv6());
        let now = |rules: &[&Rule]| rules.iter().map(|rule| ("sgr-1".to_owned(), (*rule).clone())).collect::<Vec<_>>();
        let default = std::slice::from_ref(&ipv4);
        assert_eq!(wanted_egress(&now(&[&ipv4, &ipv6]), default), [ipv4.clone(), ipv6.clone()]);
        assert_eq!(wanted_egress(&now(&[&ipv4]), default), default);
        let described = Rule { description: Some("out".to_owned()), ..ipv4.clone() };
        assert_eq!(wanted_egress(&now(&[&ipv4, &ipv6]), std::slice::from_ref(&described)), [described]);
        assert!(wanted_egress(&now(&[&ipv4, &ipv6]), &[]).is_empty());
    }

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
    async fn a_full_group_loses_rules_before_it_gets_others() {
        let full = std::sync::atomic::AtomicBool::new(true);
        let canned = Canned::new(move |action, _| {
            use std::sync::atomic::Ordering::Relaxed;
            match action {
                "AuthorizeSecurityGroupIngress" if full.load(Relaxed) => Answer::Refused("RulesPerSecurityGroupLimitExceeded"),
                "RevokeSecurityGroupIngress" => {
                    full.store(false, Relaxed);
                    Answer::Done(String::new())
                }
                _ => Answer::Done(String::new()),
            }
        });
        let (old, new) = (("sgr-1".to_owned(), Rule::everything_ipv4()), Rule::everything_ipv6());
        change_rules(&canned.aws, "sg-1", false, &[old], &[new]).await.unwrap();
        let changes = canned.changes();
        let order: Vec<&str> = changes.iter().map(|call| call.split(' ').next().unwrap_or_default()).collect();
        assert_eq!(order, ["AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress", "AuthorizeSecurityGroupIngress"]);
        assert!(changes[1].contains("SecurityGroupRuleId.1=sgr-1"), "{}", changes[1]);
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
