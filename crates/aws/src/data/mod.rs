//! Data sources: what exists and is not ours.

pub mod acm_certificate;
pub mod availability_zones;
pub mod awscc;
pub mod by_id;
pub mod caller_identity;
pub mod cloudformation_stack;
pub mod ecr_image;
pub mod route53_zone;
pub mod secretsmanager_secret;
pub mod security_group;
pub mod ssm_parameter;
pub mod stack;
pub mod subnets;
pub mod terraform_state;
pub mod vpc;

use std::collections::BTreeMap;

use aws_sdk_ec2::types::Filter;

use super::ec2::filter;
use leoctl_core::engine::ports::{Failure, FailureKind};

/// The failure of what is read beside AWS where nobody has said how ([`crate::registry::Elsewhere`]).
fn beside(type_name: &str) -> Failure {
    Failure::new(FailureKind::Invalid, format!("{type_name} cannot be read here"))
}

/// EC2 filters of a data source: those of the user and those for tags.
fn filters(user: &BTreeMap<String, Vec<String>>, tags: &BTreeMap<String, String>) -> Vec<Filter> {
    let user = user.iter().map(|(name, values)| filter(name, values));
    let tags = tags.iter().map(|(key, value)| filter(&format!("tag:{key}"), std::slice::from_ref(value)));
    user.chain(tags).collect()
}

/// What was looked for, for messages.
fn criteria(filters: &[Filter]) -> String {
    let one = |filter: &Filter| format!("{} = {}", filter.name().unwrap_or_default(), filter.values().join(" or "));
    match filters.is_empty() {
        true => String::new(),
        false => format!(" {}", filters.iter().map(one).collect::<Vec<_>>().join(", ")),
    }
}
