//! AWS: clients, errors, one file for each resource type, and the state in S3.

pub mod acm;
pub mod appautoscaling;
pub mod backup;
pub mod client;
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
pub mod fence;
pub mod iam;
pub mod kms;
pub mod patience;
pub mod permissions;
pub mod preflight;
pub mod registry;
pub mod repeat;
pub mod resource;
pub mod route53;
pub mod s3;
pub mod scheduler;
pub mod secretsmanager_secret;
mod shared;
pub mod sns;
pub mod ssm_parameter;
pub mod state;
pub mod tags;
pub mod traffic;
mod unanswered;

#[cfg(test)]
mod follows_tests;
#[cfg(test)]
mod scripted;

/// What domain names of AWS end in, in the partition of a region.
pub fn dns_suffix(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

/// The partition of a region (AWS General Reference, "Amazon Resource Names").
pub fn partition(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

#[cfg(test)]
mod tests {
    use super::{dns_suffix, partition};

    #[test]
    fn domain_names_end_as_those_of_the_partition() {
        let of = |region| (partition(region), dns_suffix(region));
        assert_eq!(of("cn-north-1"), ("aws-cn", "amazonaws.com.cn"));
        assert_eq!(of("us-gov-west-1"), ("aws-us-gov", "amazonaws.com"));
        assert_eq!(of("eu-west-1"), ("aws", "amazonaws.com"));
    }
}
