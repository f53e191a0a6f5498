//! What EC2 says of an instance, from the calls that it takes.

use std::collections::BTreeMap;

use aws_sdk_ec2::types as api;
use aws_sdk_ec2::types::InstanceAttributeName;
use futures_util::future::{try_join_all, try_join4};

use super::metadata::MetadataOptions;
use super::{CreditSpecification, Instance, volumes};
use crate::client::Aws;
use crate::ec2::{arn, filter, tags};
use crate::error::{OrAbsent, OrFail};
use leoctl_core::engine::ports::Outcome;

/// What is read of an instance one by one.
#[derive(Default)]
pub(super) struct Attributes {
    user_data: Option<String>,
    disable_api_termination: bool,
    disable_api_stop: bool,
    instance_initiated_shutdown_behavior: Option<String>,
}

/// Whether a type has credits: T2 and newer (EC2 API Reference, DescribeInstanceCreditSpecifications, which refuses
/// others).
pub(super) fn is_burstable(instance_type: &str) -> bool {
    let family = instance_type.split('.').next().unwrap_or_default();
    family.strip_prefix('t').is_some_and(|rest| rest.starts_with(|c: char| ('2'..='9').contains(&c)))
}

/// States in which an instance is there or about to be.
pub(super) const THERE: [&str; 4] = ["pending", "running", "stopping", "stopped"];

impl Instance {
    /// Instances with the ids of their owners.
    pub(super) async fn describe(aws: &Aws, filters: Vec<api::Filter>) -> Outcome<Vec<(String, api::Instance)>> {
        let pages = aws.ec2().describe_instances().set_filters(Some(filters)).into_paginator().items().send();
        let reservations: Vec<api::Reservation> = pages.try_collect().await.or_fail("ec2:DescribeInstances")?;
        let instances = reservations.into_iter().flat_map(|reservation| {
            let owner = reservation.owner_id.unwrap_or_default();
            reservation.instances.unwrap_or_default().into_iter().map(move |instance| (owner.clone(), instance))
        });
        Ok(instances.collect())
    }

    /// The instance, in whatever state it is.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn now(aws: &Aws, id: &str) -> Outcome<Option<api::Instance>> {
        let found = Self::describe(aws, vec![filter("instance-id", &[id.to_owned()])]).await?;
        Ok(found.into_iter().map(|(_, instance)| instance).find(|instance| instance.instance_id() == Some(id)))
    }

    pub(super) async fn attributes(aws: &Aws, id: &str) -> Outcome<Option<(String, Attributes)>> {
        let one = async |name: InstanceAttributeName| {
            let call = aws.ec2().describe_instance_attribute().instance_id(id).attribute(name);
            call.send().await.or_fail("ec2:DescribeInstanceAttribute").or_absent()
        };
        let read = try_join4(
            one(InstanceAttributeName::UserData),
            one(InstanceAttributeName::DisableApiTermination),
            one(InstanceAttributeName::DisableApiStop),
            one(InstanceAttributeName::InstanceInitiatedShutdownBehavior),
        );
        let (Some(data), Some(termination), Some(stop), Some(shutdown)) = read.await? else { return Ok(None) };
        let on = |value: Option<&api::AttributeBooleanValue>| value.and_then(api::AttributeBooleanValue::value).unwrap_or_default();
        let data = data.user_data().and_then(|data| data.value()).and_then(|text| aws_smithy_types::base64::decode(text).ok());
        let attributes = Attributes {
            user_data: data.filter(|data| !data.is_empty()).map(|data| String::from_utf8_lossy(&data).into_owned()),
            disable_api_termination: on(termination.disable_api_termination()),
            disable_api_stop: on(stop.disable_api_stop()),
            instance_initiated_shutdown_behavior: shutdown
                .instance_initiated_shutdown_behavior()
                .and_then(|behavior| behavior.value())
                .map(str::to_owned),
        };
        Ok(Some((id.to_owned(), attributes)))
    }

    pub(super) async fn credits(aws: &Aws, ids: Vec<String>) -> Outcome<BTreeMap<String, CreditSpecification>> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        // As many ids as a call takes (EC2 API Reference, DescribeInstanceCreditSpecifications).
        let asked = ids.chunks(1000).map(|some| async move {
            let call = aws.ec2().describe_instance_credit_specifications().set_instance_ids(Some(some.to_vec()));
            let found = call.send().await.or_fail("ec2:DescribeInstanceCreditSpecifications").or_absent()?;
            Ok(found.and_then(|found| found.instance_credit_specifications).unwrap_or_default())
        });
        let found: Vec<Vec<api::InstanceCreditSpecification>> = try_join_all(asked).await?;
        let found = found.into_iter().flatten();
        let credits = found.filter_map(|one| Some((one.instance_id?, CreditSpecification { cpu_credits: one.cpu_credits? })));
        Ok(credits.collect())
    }

    pub(super) fn from_api(
        aws: &Aws,
        owner: &str,
        instance: &api::Instance,
        attributes: Attributes,
        credits: Option<CreditSpecification>,
        volumes: &BTreeMap<String, api::Volume>,
    ) -> Self {
        let text = |value: Option<&str>| value.filter(|text| !text.is_empty()).map(str::to_owned);
        let id = instance.instance_id().unwrap_or_default().to_owned();
        let (root, others) = volumes::from_api(instance, volumes);
        let profile = instance.iam_instance_profile().and_then(|profile| profile.arn());
        let placement = instance.placement();
        // Of several interfaces the first is the instance's own.
        let first = primary_interface(instance);
        let groups = first.map(|first| first.groups()).filter(|groups| !groups.is_empty()).unwrap_or_else(|| instance.security_groups());
        let monitoring = instance.monitoring().and_then(|monitoring| monitoring.state());
        Self {
            image_id: instance.image_id().unwrap_or_default().to_owned(),
            instance_type: instance.instance_type().map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
            subnet_id: text(instance.subnet_id()),
            availability_zone: text(placement.and_then(|placement| placement.availability_zone())),
            security_group_ids: Some(groups.iter().filter_map(|group| group.group_id().map(str::to_owned)).collect()),
            associate_public_ip_address: None,
            private_ip_address: text(instance.private_ip_address()),
            source_dest_check: first.and_then(|first| first.source_dest_check()).or(instance.source_dest_check()).unwrap_or(true),
            iam_instance_profile: text(profile.and_then(|arn| arn.rsplit('/').next())),
            key_name: text(instance.key_name()),
            user_data: attributes.user_data,
            metadata_options: instance.metadata_options().map(MetadataOptions::from_api),
            root_block_device: root,
            ebs_block_devices: Some(others),
            monitoring: matches!(monitoring, Some(api::MonitoringState::Enabled | api::MonitoringState::Pending)),
            ebs_optimized: instance.ebs_optimized().unwrap_or_default(),
            credit_specification: credits,
            disable_api_termination: attributes.disable_api_termination,
            disable_api_stop: attributes.disable_api_stop,
            instance_initiated_shutdown_behavior: attributes.instance_initiated_shutdown_behavior.unwrap_or_else(|| "stop".to_owned()),
            tenancy: placement.and_then(|placement| placement.tenancy()).map(|tenancy| tenancy.as_str().to_owned()),
            hibernation: instance.hibernation_options().and_then(|options| options.configured()).unwrap_or_default(),
            tags: tags(instance.tags()),
            arn: arn(&aws.region, owner, "instance", &id),
            public_ip: text(instance.public_ip_address()),
            public_dns: text(instance.public_dns_name()),
            private_ip: text(instance.private_ip_address()),
            private_dns: text(instance.private_dns_name()),
            primary_network_interface_id: primary(instance).map(str::to_owned),
            vpc_id: text(instance.vpc_id()),
            id,
        }
    }
}

/// The id of the first network interface.
pub fn primary(instance: &api::Instance) -> Option<&str> {
    primary_interface(instance).and_then(|one| one.network_interface_id())
}

/// The id of the first network interface where there are several, which then have to be named.
pub fn first_of_several(instance: &api::Instance) -> Option<&str> {
    primary(instance).filter(|_| instance.network_interfaces().len() > 1)
}

fn primary_interface(instance: &api::Instance) -> Option<&api::InstanceNetworkInterface> {
    let first = |one: &&api::InstanceNetworkInterface| one.attachment().and_then(|attachment| attachment.device_index()) == Some(0);
    instance.network_interfaces().iter().find(first)
}

#[cfg(test)]
mod tests {
    use super::is_burstable;

    #[test]
    fn types_with_credits_are_told_by_their_family() {
        for burstable in ["t2.micro", "t3.nano", "t3a.small", "t4g.2xlarge"] {
            assert!(is_burstable(burstable), "{burstable}");
        }
        for other in ["t1.micro", "trn1.2xlarge", "m5.large", "c7g.medium", "tx.large", ""] {
            assert!(!is_burstable(other), "{other}");
        }
    }
}
