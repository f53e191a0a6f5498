//! What keeps AWS from deleting a part of a network. AWS says that something does, and not what.

use aws_sdk_ec2::types::{Filter, NetworkInterface};

use super::filter;
use crate::client::Aws;
use crate::error::OrFail;
use crate::preflight::interfaces;
use crate::repeat::says;
use leoctl_core::engine::ports::{Failure, Outcome};

/// How many interfaces are named.
const NAMED: usize = 5;

/// A part of a network that is to go.
#[derive(Clone, Copy)]
pub enum Part<'a> {
    /// A subnet.
    Subnet(&'a str),
    /// A security group.
    Group(&'a str),
    /// The way from a VPC to the internet.
    Internet(&'a str),
    /// A VPC.
    Vpc(&'a str),
}

impl Part<'_> {
    fn interfaces(self) -> Filter {
        let (name, id) = match self {
            Self::Subnet(id) => ("subnet-id", id),
            Self::Group(id) => ("group-id", id),
            Self::Internet(id) | Self::Vpc(id) => ("vpc-id", id),
        };
        filter(name, &[id.to_owned()])
    }

    /// Whether an interface that is in it holds it.
    fn is_held_by(self, interface: &NetworkInterface) -> bool {
        !matches!(self, Self::Internet(_)) || interface.association().is_some_and(|association| association.public_ip().is_some())
    }
}

/// The outcome of a deletion. Where AWS refused it because something still uses the resource, the failure names that; without
/// the permission to look, it has AWS's own words alone.
///
/// # Errors
/// The deletion's own.
pub async fn explained<T>(aws: &Aws, outcome: Outcome<T>, part: Part<'_>) -> Outcome<T> {
    match outcome {
        Err(failure) if says(&failure, &["DependencyViolation", "InvalidGroup.InUse"]) => {
            let mut holders = by_interfaces(aws, part).await.unwrap_or_default();
            holders.extend(by_guard_duty(aws, part).await.unwrap_or_default());
            Err(with(failure, &holders))
        }
        outcome => outcome,
    }
}

fn with(failure: Failure, holders: &[String]) -> Failure {
    if holders.is_empty() {
        return failure;
    }
    let more = match holders.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let named: Vec<&str> = holders.iter().take(NAMED).map(String::as_str).collect();
    let message = format!("{}; still there: {}{more}", failure.message.trim_end_matches('.'), named.join("; "));
    Failure { message, ..failure }
}

async fn by_interfaces(aws: &Aws, part: Part<'_>) -> Outcome<Vec<String>> {
    let call = aws.ec2().describe_network_interfaces().filters(part.interfaces()).max_results(100);
    let found = call.send().await.or_fail("ec2:DescribeNetworkInterfaces")?;
    let holding = found.network_interfaces().iter().filter(|interface| part.is_held_by(interface));
    Ok(holding.map(|interface| interfaces::from_api(interface).in_words()).collect())
}

/// What GuardDuty's Runtime Monitoring has made for itself, which nobody deletes who has not made it (GuardDuty User Guide,
/// "Clean up resources of Runtime Monitoring").
async fn by_guard_duty(aws: &Aws, part: Part<'_>) -> Outcome<Vec<String>> {
    let (Part::Subnet(id) | Part::Vpc(id)) = part else { return Ok(Vec::new()) };
    let managed = filter("tag:GuardDutyManaged", &["true".to_owned()]);
    let call = aws.ec2().describe_vpc_endpoints().filters(managed);
    let endpoints = call.send().await.or_fail("ec2:DescribeVpcEndpoints")?;
    let of_part = endpoints.vpc_endpoints().iter().filter(|endpoint| match part {
        Part::Vpc(_) => endpoint.vpc_id() == Some(id),
        _ => endpoint.subnet_ids().iter().any(|subnet| subnet == id),
    });
    let mut found: Vec<String> = of_part.filter_map(|endpoint| endpoint.vpc_endpoint_id()).map(endpoint).collect();
    if let Part::Vpc(vpc) = part {
        let named = filter("group-name", &[format!("GuardDutyManagedSecurityGroup-{vpc}")]);
        let call = aws.ec2().describe_security_groups().filters(filter("vpc-id", &[vpc.to_owned()])).filters(named);
        let groups = call.send().await.or_fail("ec2:DescribeSecurityGroups")?;
        found.extend(groups.security_groups().iter().filter_map(|group| group.group_id()).map(group));
    }
    Ok(found)
}

fn endpoint(id: &str) -> String {
    format!(
        "GuardDuty's endpoint {id}: switch off its automated agent management here, and then `aws ec2 delete-vpc-endpoints \
         --vpc-endpoint-ids {id}`"
    )
}

fn group(id: &str) -> String {
    format!("GuardDuty's security group {id}: `aws ec2 delete-security-group --group-id {id}`")
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::NetworkInterfaceAssociation;
    use leoctl_core::engine::ports::FailureKind;

    use super::*;
    use crate::canned::{Answer, Canned};

    #[test]
    fn a_refusal_names_what_is_left() {
        let refused = || Failure::new(FailureKind::Refused, "The subnet 'subnet-1' has dependencies and cannot be deleted.");
        assert_eq!(with(refused(), &[]).message, refused().message);
        let one = with(refused(), &["network interface eni-1".to_owned()]).message;
        assert_eq!(one, "The subnet 'subnet-1' has dependencies and cannot be deleted; still there: network interface eni-1");
        let many: Vec<String> = (0..7).map(|number| format!("eni-{number}")).collect();
        assert!(with(refused(), &many).message.ends_with("eni-3; eni-4; and 2 more"));
    }

    #[test]
    fn only_public_addresses_hold_an_internet_gateway() {
        let bare = NetworkInterface::builder().build();
        let public = NetworkInterface::builder().association(NetworkInterfaceAssociation::builder().public_ip("3.3.3.3").build()).build();
        assert!(Part::Subnet("s").is_held_by(&bare));
        assert!(!Part::Internet("v").is_held_by(&bare) && Part::Internet("v").is_held_by(&public));
    }

    #[tokio::test]
    async fn what_guard_duty_has_made_is_named() {
        let canned = Canned::new(|action, _| match action {
            "DescribeVpcEndpoints" => {
                let subnets = "<subnetIdSet><item>subnet-1</item></subnetIdSet>";
                let endpoint = format!("<item><vpcEndpointId>vpce-1</vpcEndpointId><vpcId>vpc-1</vpcId>{subnets}</item>");
                Answer::Done(format!("<vpcEndpointSet>{endpoint}</vpcEndpointSet>"))
            }
            "DescribeSecurityGroups" => {
                Answer::Done("<securityGroupInfo><item><groupId>sg-9</groupId></item></securityGroupInfo>".to_owned())
            }
            _ => Answer::Refused("UnauthorizedOperation"),
        });
        let refused = || {
            let failure = Failure::new(FailureKind::Refused, "it has dependencies.");
            Err::<(), _>(Failure { code: Some("DependencyViolation".to_owned()), ..failure })
        };
        let subnet = explained(&canned.aws, refused(), Part::Subnet("subnet-1")).await.unwrap_err();
        assert!(subnet.message.starts_with("it has dependencies; still there: GuardDuty's endpoint vpce-1: "), "{}", subnet.message);
        let vpc = explained(&canned.aws, refused(), Part::Vpc("vpc-1")).await.unwrap_err();
        assert!(vpc.message.contains("GuardDuty's security group sg-9: "), "{}", vpc.message);
        let other = explained(&canned.aws, refused(), Part::Subnet("subnet-2")).await.unwrap_err();
        assert_eq!((other.message.as_str(), other.code.as_deref()), ("it has dependencies.", Some("DependencyViolation")));
    }
}
