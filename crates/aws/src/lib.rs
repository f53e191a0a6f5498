//! AWS: clients, errors, one file for each resource type, and the state in S3.

pub mod accounts;
pub mod acm;
pub mod appautoscaling;
pub mod backup;
pub mod client;
pub mod cloud_control;
pub mod cloudwatch;
pub mod cloudwatch_log_group;
mod connect;
pub mod data;
pub mod discovery;
pub mod document;
pub mod ec2;
pub mod ecr_repository;
pub mod ecs;
pub mod efs;
pub mod elb;
pub mod error;
pub mod examples;
pub mod fence;
mod given;
pub mod iam;
pub mod kms;
pub mod limits;
pub mod patience;
pub mod permissions;
mod policy_check;
mod prefix;
pub mod preflight;
pub mod profile;
pub mod registry;
pub mod repeat;
pub mod resource;
pub mod route53;
pub mod s3;
pub mod scheduler;
pub mod secretsmanager_secret;
mod shared;
mod sizes;
pub mod sns;
pub mod ssm_parameter;
pub mod state;
pub mod tags;
pub mod traffic;
mod unanswered;

#[cfg(test)]
mod canned;
#[cfg(test)]
mod follows_tests;
#[cfg(test)]
mod governed_tests;
#[cfg(test)]
mod scripted;

/// Where regions are: how their names begin, their partition, and the domain of its services (the endpoints of the AWS SDKs,
/// `partitions.json`; AWS General Reference, "Amazon Resource Names").
const PARTITIONS: [(&str, &str, &str); 8] = [
    ("cn-", "aws-cn", "amazonaws.com.cn"),
    ("us-gov-", "aws-us-gov", "amazonaws.com"),
    ("eusc-", "aws-eusc", "amazonaws.eu"),
    ("us-isob-", "aws-iso-b", "sc2s.sgov.gov"),
    ("us-isof-", "aws-iso-f", "csp.hci.ic.gov"),
    ("us-iso-", "aws-iso", "c2s.ic.gov"),
    ("eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"),
    ("", "aws", "amazonaws.com"),
];

fn place(region: &str) -> Option<&'static (&'static str, &'static str, &'static str)> {
    PARTITIONS.iter().find(|(prefix, ..)| region.starts_with(prefix))
}

/// The partition of a region.
pub fn partition(region: &str) -> &'static str {
    place(region).map_or("aws", |(_, partition, _)| partition)
}

/// The domain that the services of a region are in.
pub fn domain(region: &str) -> &'static str {
    place(region).map_or("amazonaws.com", |(.., domain)| domain)
}

#[cfg(test)]
mod tests {
    use super::{domain, partition};

    #[test]
    fn a_region_says_its_partition_and_its_domain() {
        for (region, wanted) in [
            ("eu-west-1", ("aws", "amazonaws.com")),
            ("cn-north-1", ("aws-cn", "amazonaws.com.cn")),
            ("us-gov-west-1", ("aws-us-gov", "amazonaws.com")),
            ("eusc-de-east-1", ("aws-eusc", "amazonaws.eu")),
            ("us-iso-east-1", ("aws-iso", "c2s.ic.gov")),
            ("us-isob-east-1", ("aws-iso-b", "sc2s.sgov.gov")),
            ("eu-isoe-west-1", ("aws-iso-e", "cloud.adc-e.uk")),
            ("us-isof-south-1", ("aws-iso-f", "csp.hci.ic.gov")),
        ] {
            assert_eq!((partition(region), domain(region)), wanted, "{region}");
        }
    }
}
