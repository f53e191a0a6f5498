//! Changing an instance: what can be changed while it runs, and what takes a stop.

use std::time::Duration;

use aws_sdk_ec2::types as api;
use aws_sdk_ec2::types::InstanceStateName;
use aws_smithy_types::Blob;

use super::volumes;
use super::{Instance, first_of_several, is_burstable, primary, state};
use crate::client::{Aws, send_once};
use crate::ec2::{filter, tags, update_tags};
use crate::error::OrFail;
use crate::repeat::{Changing, verified};
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome};

/// The tag an instance has while it is stopped to be changed: it is to be started again, whoever stopped it.
const RESTART_TAG: &str = "leoctl:restart";

/// Changes what differs between `from` and `to`.
///
/// # Errors
/// When AWS refuses.
pub async fn update(aws: &Aws, operation: &Operation, id: &str, from: &Instance, to: &Instance) -> Outcome<()> {
    let Instance {
        instance_type,
        security_group_ids,
        associate_public_ip_address,
        source_dest_check,
        iam_instance_profile,
        user_data,
        metadata_options,
        root_block_device,
        ebs_block_devices,
        monitoring,
        ebs_optimized,
        credit_specification,
        disable_api_termination,
        disable_api_stop,
        instance_initiated_shutdown_behavior,
        tags,
        // Changing these replaces the instance.
        image_id: _,
        subnet_id: _,
        availability_zone: _,
        private_ip_address: _,
        key_name: _,
        tenancy: _,
        hibernation: _,
        // These are AWS's.
        id: _,
        arn: _,
        public_ip: _,
        public_dns: _,
        private_ip: _,
        private_dns: _,
        primary_network_interface_id: _,
        vpc_id: _,
    } = to;
    // What is there now counts, where reads see it already.
    let now = settled(aws, operation, id).await?;
    let ec2 = aws.ec2();
    // One attribute a call (EC2 API Reference, ModifyInstanceAttribute).
    let modify = || ec2.modify_instance_attribute().instance_id(id);
    let on = |value: bool| api::AttributeBooleanValue::builder().value(value).build();
    if !*disable_api_stop && from.disable_api_stop {
        modify().disable_api_stop(on(false)).send().await.idempotent("ec2:ModifyInstanceAttribute")?;
    }
    // Of an instance with several interfaces these are its first one's (EC2 API Reference, ModifyInstanceAttribute).
    let first = first_of_several(&now);
    let interface = |id: &str| ec2.modify_network_interface_attribute().network_interface_id(id);
    if *security_group_ids != from.security_group_ids {
        match first {
            Some(first) => {
                let call = interface(first).set_groups(security_group_ids.clone());
                call.send().await.idempotent("ec2:ModifyNetworkInterfaceAttribute").map(drop)?;
            }
            None => drop(modify().set_groups(security_group_ids.clone()).send().await.idempotent("ec2:ModifyInstanceAttribute")?),
        }
    }
    if *source_dest_check != from.source_dest_check {
        match first {
            Some(first) => {
                let call = interface(first).source_dest_check(on(*source_dest_check));
                call.send().await.idempotent("ec2:ModifyNetworkInterfaceAttribute").map(drop)?;
            }
            None => drop(modify().source_dest_check(on(*source_dest_check)).send().await.idempotent("ec2:ModifyInstanceAttribute")?),
        }
    }
    if *disable_api_termination != from.disable_api_termination {
        modify().disable_api_termination(on(*disable_api_termination)).send().await.idempotent("ec2:ModifyInstanceAttribute")?;
    }
    if *instance_initiated_shutdown_behavior != from.instance_initiated_shutdown_behavior {
        let behavior = api::AttributeValue::builder().value(instance_initiated_shutdown_behavior).build();
        modify().instance_initiated_shutdown_behavior(behavior).send().await.idempotent("ec2:ModifyInstanceAttribute")?;
    }
    // Left out, it is as the subnet said at launch, and stays as it is.
    if let (Some(public), Some(interface)) = (*associate_public_ip_address, primary(&now))
        && from.associate_public_ip_address != Some(public)
    {
        let call = ec2.modify_network_interface_attribute().network_interface_id(interface).associate_public_ip_address(public);
        call.send().await.idempotent("ec2:ModifyNetworkInterfaceAttribute")?;
    }
    match monitoring {
        true if !from.monitoring => drop(ec2.monitor_instances().instance_ids(id).send().await.idempotent("ec2:MonitorInstances")?),
        false if from.monitoring => drop(ec2.unmonitor_instances().instance_ids(id).send().await.idempotent("ec2:UnmonitorInstances")?),
        _ => {}
    }
    if *iam_instance_profile != from.iam_instance_profile {
        give_profile(aws, operation, &now, iam_instance_profile.as_deref()).await?;
    }
    if let Some(options) = metadata_options.as_ref().filter(|_| *metadata_options != from.metadata_options) {
        options.set(aws, id, from.metadata_options.as_ref()).await?;
    }
    let restarts = *instance_type != from.instance_type || *user_data != from.user_data || *ebs_optimized != from.ebs_optimized;
    if restarts {
        stop(aws, operation, &now).await?;
    }
    let stopped_only = async {
        if *instance_type != from.instance_type {
            let kind = api::AttributeValue::builder().value(instance_type).build();
            modify().instance_type(kind).send().await.idempotent("ec2:ModifyInstanceAttribute")?;
        }
        if *ebs_optimized != from.ebs_optimized {
            modify().ebs_optimized(on(*ebs_optimized)).send().await.idempotent("ec2:ModifyInstanceAttribute")?;
        }
        if *user_data != from.user_data {
            let data = Blob::new(user_data.clone().unwrap_or_default().into_bytes());
            let data = api::SecureBlobAttributeValue::builder().value(data).build();
            modify().user_data(data).send().await.idempotent("ec2:ModifyInstanceAttribute")?;
        }
        Ok(())
    };
    let changed = stopped_only.await;
    // A type that AWS refuses is no reason to leave the machine off.
    let started = start(aws, operation, id).await;
    changed.and(started)?;
    if let Some(credits) = credit_specification.as_ref().filter(|_| is_burstable(instance_type))
        && *credit_specification != from.credit_specification
    {
        let request = api::InstanceCreditSpecificationRequest::builder().instance_id(id).cpu_credits(&credits.cpu_credits).build();
        let call = ec2.modify_instance_credit_specification().instance_credit_specifications(request);
        let done = call.send().await.idempotent("ec2:ModifyInstanceCreditSpecification")?;
        // What went wrong is in the answer.
        if let Some(error) = done.unsuccessful_instance_credit_specifications().iter().find_map(|item| item.error()) {
            let failure = Failure::new(FailureKind::Refused, error.message().unwrap_or("AWS refused the credit specification"));
            let code = error.code().map(|code| code.as_str().to_owned());
            return Err(Failure { operation: "ec2:ModifyInstanceCreditSpecification".to_owned(), code, ..failure });
        }
    }
    let old = from.ebs_block_devices.as_deref().unwrap_or_default();
    let devices = ebs_block_devices.as_deref().unwrap_or_default();
    if *root_block_device != from.root_block_device || *ebs_block_devices != from.ebs_block_devices {
        let (old, new) = ((from.root_block_device.as_ref(), old), (root_block_device.as_ref(), devices));
        volumes::update(aws, operation, &now, old, new, tags).await?;
    }
    if *disable_api_stop && !from.disable_api_stop {
        modify().disable_api_stop(on(true)).send().await.idempotent("ec2:ModifyInstanceAttribute")?;
    }
    if *tags != from.tags {
        for volume in now.block_device_mappings().iter().filter_map(|mapping| mapping.ebs().and_then(|ebs| ebs.volume_id())) {
            update_tags(ec2, volume, &from.tags, tags).await?;
        }
    }
    update_tags(ec2, id, &from.tags, tags).await
}

/// The instance, once it neither starts nor stops.
async fn settled(aws: &Aws, operation: &Operation, id: &str) -> Outcome<api::Instance> {
    loop {
        let now = Instance::now(aws, id).await?;
        match now {
            Some(now) if !matches!(state(&now), Some(InstanceStateName::Pending | InstanceStateName::Stopping)) => return Ok(now),
            _ => operation.pause(Duration::from_secs(2), "waiting for the instance").await?,
        }
    }
}

/// Stops an instance that runs, and marks it, so that it is started again even if leoctl dies meanwhile: the mark is a
/// tag nobody wrote, which the next plan shows.
async fn stop(aws: &Aws, operation: &Operation, now: &api::Instance) -> Outcome<()> {
    let id = now.instance_id().unwrap_or_default();
    if state(now) == Some(&InstanceStateName::Running) {
        let mark = api::Tag::builder().key(RESTART_TAG).value("true").build();
        aws.ec2().create_tags().resources(id).tags(mark).send().await.idempotent("ec2:CreateTags")?;
        aws.ec2().stop_instances().instance_ids(id).send().await.idempotent("ec2:StopInstances")?;
    }
    while settled(aws, operation, id).await.is_ok_and(|now| state(&now) == Some(&InstanceStateName::Running)) {
        operation.pause(Duration::from_secs(2), "waiting for the instance to stop").await?;
    }
    Ok(())
}

/// Starts an instance that was stopped to be changed, now or by an apply that died.
async fn start(aws: &Aws, operation: &Operation, id: &str) -> Outcome<()> {
    let now = settled(aws, operation, id).await?;
    if !tags(now.tags()).contains_key(RESTART_TAG) {
        return Ok(());
    }
    if state(&now) == Some(&InstanceStateName::Stopped) {
        aws.ec2().start_instances().instance_ids(id).send().await.idempotent("ec2:StartInstances")?;
    }
    let mark = api::Tag::builder().key(RESTART_TAG).build();
    aws.ec2().delete_tags().resources(id).tags(mark).send().await.idempotent("ec2:DeleteTags").map(drop)
}

/// The association of an instance with its profile: its id and the profile's name.
async fn profile_of(aws: &Aws, id: &str) -> Outcome<Option<(String, String)>> {
    let call = aws
        .ec2()
        .describe_iam_instance_profile_associations()
        .filters(filter("instance-id", &[id.to_owned()]))
        .filters(filter("state", &["associating".to_owned(), "associated".to_owned()]));
    let found = call.send().await.or_fail("ec2:DescribeIamInstanceProfileAssociations")?;
    let known = found.iam_instance_profile_associations().iter().find(|known| known.instance_id() == Some(id));
    let name =
        known.and_then(|known| known.iam_instance_profile()).and_then(|profile| profile.arn()).and_then(|arn| arn.rsplit('/').next());
    Ok(known.and_then(|known| known.association_id()).zip(name).map(|(association, name)| (association.to_owned(), name.to_owned())))
}

/// Gives an instance an instance profile, or takes it away: what it has now counts.
async fn give_profile(aws: &Aws, operation: &Operation, now: &api::Instance, name: Option<&str>) -> Outcome<()> {
    let id = now.instance_id().unwrap_or_default();
    let mut has = profile_of(aws, id).await?;
    // AWS puts another profile in the place of one only while the instance runs (EC2 API Reference,
    // ReplaceIamInstanceProfileAssociation).
    let other = name.is_some() && has.as_ref().is_some_and(|(_, has)| Some(has.as_str()) != name);
    if other && state(now) != Some(&InstanceStateName::Running) {
        take_profile(aws, has.as_ref().map(|(association, _)| association.as_str()).unwrap_or_default()).await?;
        while has.is_some() {
            has = profile_of(aws, id).await?;
            if has.is_some() {
                operation.pause(Duration::from_secs(1), "waiting for the instance to lose its profile").await?;
            }
        }
    }
    let given = async || Ok(profile_of(aws, id).await?.is_some_and(|(_, has)| Some(has.as_str()) == name));
    let profile = |name: &str| api::IamInstanceProfileSpecification::builder().name(name).build();
    match (has, name) {
        (Some((_, has)), Some(name)) if has == name => Ok(()),
        (Some((association, _)), Some(name)) => {
            let call = aws.ec2().replace_iam_instance_profile_association().association_id(association).iam_instance_profile(profile(name));
            let sent = send_once!(aws_sdk_ec2, call).await.sent_once("ec2:ReplaceIamInstanceProfileAssociation");
            verified(sent, &["InvalidAssociationID.NotFound", "IncorrectState"], given).await
        }
        (None, Some(name)) => {
            let call = aws.ec2().associate_iam_instance_profile().instance_id(id).iam_instance_profile(profile(name));
            let sent = send_once!(aws_sdk_ec2, call).await.sent_once("ec2:AssociateIamInstanceProfile");
            verified(sent, &["IncorrectState"], given).await
        }
        (Some((association, _)), None) => take_profile(aws, &association).await,
        (None, None) => Ok(()),
    }
}

async fn take_profile(aws: &Aws, association: &str) -> Outcome<()> {
    let call = aws.ec2().disassociate_iam_instance_profile().association_id(association);
    call.send().await.or_gone("ec2:DisassociateIamInstanceProfile").map(drop)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::canned::{Answer, Canned};
    use crate::patience::tests::operation;

    fn instance(state: InstanceStateName) -> api::Instance {
        let state = api::InstanceState::builder().name(state).build();
        api::Instance::builder().instance_id("i-1").state(state).build()
    }

    /// An EC2 in which an instance has the profile `old`.
    fn with_profile() -> Canned {
        let has = Mutex::new(Some("old"));
        Canned::new(move |action, _| {
            let mut has = has.lock().unwrap();
            match action {
                "DisassociateIamInstanceProfile" => *has = None,
                "AssociateIamInstanceProfile" | "ReplaceIamInstanceProfileAssociation" => *has = Some("new"),
                _ => {}
            }
            let association = has.map(|name| {
                format!(
                    "<item><associationId>iip-assoc-{name}</associationId><instanceId>i-1</instanceId><state>associated</state>\
                     <iamInstanceProfile><arn>arn:aws:iam::1:instance-profile/{name}</arn></iamInstanceProfile></item>"
                )
            });
            let associations = association.unwrap_or_default();
            Answer::Done(format!("<iamInstanceProfileAssociationSet>{associations}</iamInstanceProfileAssociationSet>"))
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_stopped_instance_loses_its_profile_before_it_gets_another() {
        let stopped = with_profile();
        give_profile(&stopped.aws, &operation(0), &instance(InstanceStateName::Stopped), Some("new")).await.unwrap();
        let changes = stopped.changes();
        assert_eq!(changes[0], "DisassociateIamInstanceProfile AssociationId=iip-assoc-old");
        assert_eq!(changes[1], "AssociateIamInstanceProfile IamInstanceProfile.Name=new&InstanceId=i-1");
        let running = with_profile();
        give_profile(&running.aws, &operation(0), &instance(InstanceStateName::Running), Some("new")).await.unwrap();
        let replaced = "ReplaceIamInstanceProfileAssociation IamInstanceProfile.Name=new&AssociationId=iip-assoc-old";
        assert_eq!(running.changes(), [replaced]);
        give_profile(&running.aws, &operation(0), &instance(InstanceStateName::Stopped), Some("new")).await.unwrap();
        assert_eq!(running.changes().len(), 1, "it has that already");
    }

    #[test]
    fn the_groups_of_an_instance_with_several_interfaces_are_its_firsts() {
        let interface = |id: &str, index: i32| {
            let attachment = api::InstanceNetworkInterfaceAttachment::builder().device_index(index).build();
            api::InstanceNetworkInterface::builder().network_interface_id(id).attachment(attachment).build()
        };
        let one = api::Instance::builder().network_interfaces(interface("eni-1", 0)).build();
        assert_eq!(first_of_several(&one), None);
        let two = api::Instance::builder().network_interfaces(interface("eni-2", 1)).network_interfaces(interface("eni-1", 0)).build();
        assert_eq!(first_of_several(&two), Some("eni-1"));
    }
}
