//! The resource type `default_security_group`.

use aws_sdk_ec2::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::group_rules::{self, Own};
use super::rule::Rule;
use super::{Standing, filter, ownership_filters, tags, take_over, update_tags};
use crate::client::Aws;
use crate::error::OrFail;
use crate::permissions::{Grant, Permissions};
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::value::Value;

/// The security group that AWS makes with a VPC, and gives to what is made there without a group of its own.
///
/// It is not made but taken over: its rules become those that are written, and AWS's own, which let everything through
/// between its members and out, go. Without rules it lets nothing through. It stays in AWS, with the rules that it has, when
/// it is removed from the stack, as AWS deletes it with its VPC alone. As long as one of its rules names a group, AWS does not
/// delete that one, and a plan that would is refused.
///
/// Import by id: `sg-0123456789abcdef0`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DefaultSecurityGroup {
    /// The VPC.
    #[schemars(extend("x-format" = "id:vpc:vpc-", "x-replace" = true))]
    vpc_id: String,
    /// What may come in: nothing when left out.
    #[schemars(extend("default" = [], "x-set" = true))]
    ingress: Vec<Rule>,
    /// What may go out: nothing when left out.
    #[schemars(extend("default" = [], "x-set" = true))]
    egress: Vec<Rule>,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The id.
    #[serde(default)]
    #[schemars(extend("x-format" = "id:security_group:sg-", "x-computed" = true))]
    id: String,
    /// The ARN.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
}

/// The name that AWS gives it, and takes for no other.
const NAME: &str = "default";

/// The default group of a VPC.
async fn of_vpc(aws: &Aws, vpc: &str) -> Outcome<Option<api::SecurityGroup>> {
    let filters = [filter("group-name", &[NAME.to_owned()]), filter("vpc-id", &[vpc.to_owned()])];
    let call = aws.ec2().describe_security_groups().set_filters(Some(filters.to_vec()));
    let found = call.send().await.or_fail("ec2:DescribeSecurityGroups")?;
    let is_it = |group: &api::SecurityGroup| group.group_name() == Some(NAME) && group.vpc_id() == Some(vpc);
    Ok(found.security_groups.unwrap_or_default().into_iter().find(is_it))
}

impl Resource for DefaultSecurityGroup {
    const TYPE: &'static str = "default_security_group";
    const INFO: Info = Info {
        unique: &[&["vpc_id"]],
        stays: Some("AWS makes it with its VPC and deletes it with that alone"),
        // The VPC, which comes with it, and the group that a rule names.
        propagating: &[
            Retry::after("InvalidVpcID.NotFound", &["ec2:DescribeSecurityGroups"]),
            Retry::after("InvalidGroup.NotFound", &["ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress"]),
        ],
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:ec2:{region}:{account}:security-group/*",
        plan: &[Grant::any(&["ec2:DescribeSecurityGroupRules", "ec2:DescribeSecurityGroups"])],
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
            &["arn:{partition}:ec2:{region}:{account}:security-group/*", "arn:{partition}:ec2:{region}:{account}:security-group-rule/*"],
        )],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        group_rules::problems(desired)
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let read = group_rules::read(aws, ids).await?.into_iter().filter(|(group, ..)| group.group_name() == Some(NAME));
        let read = read.map(|(group, ingress, egress)| {
            let id = group.group_id().unwrap_or_default().to_owned();
            let read = Self {
                vpc_id: group.vpc_id().unwrap_or_default().to_owned(),
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
        if let Some(vpc) = wanted.text("vpc_id") {
            return Ok(wanted.pick(of_vpc(aws, vpc).await?.and_then(|group| group.group_id)));
        }
        let call = aws.ec2().describe_security_groups().set_filters(Some(ownership_filters(wanted)));
        let found = call.send().await.or_fail("ec2:DescribeSecurityGroups")?;
        let ours = found.security_groups().iter().filter(|group| group.group_name() == Some(NAME) && wanted.owns(&tags(group.tags())));
        Ok(wanted.pick(ours.filter_map(|group| group.group_id().map(str::to_owned))))
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let found = of_vpc(aws, &to.vpc_id).await?;
        let standing = found.as_ref().map(|group| Standing { id: group.group_id().unwrap_or_default(), tags: tags(group.tags()) });
        take_over(aws, standing, &to.tags, &to.vpc_id, "ec2:DescribeSecurityGroups").await
    }

    fn as_created(to: &Self) -> Self {
        // AWS's own rules: whatever comes from the group itself, whose id is not known here, and everything out (VPC User Guide,
        // "Default security groups for your VPCs"). What the group has is looked at in any case.
        Self { ingress: vec![Rule::everything()], egress: vec![Rule::everything_ipv4()], ..to.clone() }
    }

    async fn update(aws: &Aws, operation: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self { ingress, egress, tags, vpc_id: _, id: _, arn: _ } = to;
        if *ingress != from.ingress || *egress != from.egress {
            group_rules::bring(aws, operation, id, &from.egress, Own { ingress, egress, with_ipv6: false }).await?;
        }
        update_tags(aws.ec2(), id, &from.tags, tags).await
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        let is_there = Self::read_one(aws, id).await?.is_some();
        if is_there { Err(super::goes_with_its_vpc(id)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canned::{Answer, Canned};
    use crate::patience::tests::operation;
    use leoctl_core::engine::ports::FailureKind;

    const RULES: &str = "<securityGroupRuleSet>\
        <item><securityGroupRuleId>sgr-1</securityGroupRuleId><groupId>sg-1</groupId><isEgress>false</isEgress><ipProtocol>-1</ipProtocol>\
        <fromPort>-1</fromPort><toPort>-1</toPort><referencedGroupInfo><groupId>sg-1</groupId></referencedGroupInfo></item>\
        <item><securityGroupRuleId>sgr-2</securityGroupRuleId><groupId>sg-1</groupId><isEgress>true</isEgress><ipProtocol>-1</ipProtocol>\
        <fromPort>-1</fromPort><toPort>-1</toPort><cidrIpv4>0.0.0.0/0</cidrIpv4></item></securityGroupRuleSet>";

    /// A VPC whose default group has these tags and AWS's own rules.
    fn vpc(owner: &'static str) -> Canned {
        Canned::new(move |action, _| match action {
            "DescribeSecurityGroups" => Answer::Done(format!(
                "<securityGroupInfo><item><groupId>sg-1</groupId><groupName>default</groupName><vpcId>vpc-1</vpcId><ownerId>1</ownerId>\
                 <tagSet>{owner}<item><key>Name</key><value>old</value></item></tagSet></item></securityGroupInfo>"
            )),
            "DescribeSecurityGroupRules" => Answer::Done(RULES.to_owned()),
            _ => Answer::Done(String::new()),
        })
    }

    fn closed() -> DefaultSecurityGroup {
        let tags = [("leoctl:stack", "shop"), ("leoctl:address", "default_security_group.x")];
        DefaultSecurityGroup {
            vpc_id: "vpc-1".to_owned(),
            ingress: Vec::new(),
            egress: Vec::new(),
            tags: tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            id: String::new(),
            arn: String::new(),
        }
    }

    #[tokio::test]
    async fn the_group_of_a_vpc_is_taken_over_and_closed() {
        let canned = vpc("");
        let to = closed();
        assert_eq!(DefaultSecurityGroup::create(&canned.aws, &operation(0), &to).await.unwrap(), "sg-1");
        DefaultSecurityGroup::update(&canned.aws, &operation(0), "sg-1", &DefaultSecurityGroup::as_created(&to), &to).await.unwrap();
        let changes = canned.changes();
        let called: Vec<&str> = changes.iter().map(|call| call.split(' ').next().unwrap_or_default()).collect();
        assert_eq!(called, ["CreateTags", "DeleteTags", "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress"]);
        assert!(changes[1].contains("Tag.1.Key=Name"), "{}", changes[1]);
        assert!(changes[2].contains("sgr-1") && changes[3].contains("sgr-2"), "{changes:?}");
    }

    #[tokio::test]
    async fn the_group_that_another_stack_has_is_not_taken_over() {
        let canned =
            vpc("<item><key>leoctl:stack</key><value>other</value></item><item><key>leoctl:address</key><value>x.y</value></item>");
        let failure = DefaultSecurityGroup::create(&canned.aws, &operation(0), &closed()).await.unwrap_err();
        assert_eq!((failure.kind, canned.changes().len()), (FailureKind::AlreadyExists, 0));
    }
}
