//! The resource type `instance`.

pub mod change;
pub mod metadata;
mod read;
pub mod volumes;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_ec2::types as api;
use aws_sdk_ec2::types::{InstanceStateName, ResourceType};
use futures_util::future::{try_join_all, try_join3};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::metadata::MetadataOptions;
pub use self::read::first_of_several;
use self::read::{THERE, is_burstable, primary};
use self::volumes::{EbsBlockDevice, RootBlockDevice};
use super::{filter, in_chunks, ownership_filters, specification, tags};
use crate::client::{Aws, send_once};
use crate::error::made_id;
use crate::permissions::{Grant, Permissions};
use crate::repeat::{Changing, says};
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome, Wanted};
use leoctl_core::engine::usual::Usual;
use leoctl_core::model::path::Path;
use leoctl_core::model::schema::After;
use leoctl_core::model::value::Value;

/// A virtual machine.
///
/// Whether it runs is not leoctl's to say: one that was stopped stays stopped.
///
/// Import by id: `i-0123456789abcdef0`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// The AMI. When it comes from `data.ssm_parameter`, a newer image replaces the instance: to keep it as long as
    /// nobody asks for another, write `lifecycle = { ignore_changes = ["image_id"] }`.
    #[schemars(extend("x-replace" = true, "pattern" = "^ami-[0-9a-z]+$", "x-form" = "an id, `ami-…`"))]
    image_id: String,
    /// The type, such as `t3a.small`. Changing it stops the instance, if it runs, and starts it again.
    instance_type: String,
    /// The subnet; one of the default VPC when left out.
    #[schemars(extend("x-format" = "id:subnet:subnet-", "x-replace" = true, "x-server" = true))]
    subnet_id: Option<String>,
    /// The availability zone, that of the subnet.
    #[schemars(extend("x-replace" = true, "x-server" = true))]
    availability_zone: Option<String>,
    /// Its security groups; the VPC's default group when left out.
    #[schemars(extend("x-format" = "id:security_group:sg-", "x-set" = true, "x-server" = true))]
    security_group_ids: Option<Vec<String>>,
    /// Whether its first network interface gets a public IPv4 address; as the subnet says when left out.
    #[schemars(extend("x-local" = true))]
    associate_public_ip_address: Option<bool>,
    /// Its private IPv4 address in the subnet.
    #[schemars(extend("x-replace" = true, "x-server" = true))]
    private_ip_address: Option<String>,
    /// Whether it takes only what is addressed to it. A router, such as a NAT instance, needs false.
    #[schemars(extend("default" = true))]
    source_dest_check: bool,
    /// The name of the instance profile, which gives it a role.
    #[schemars(extend("pattern" = "^[a-zA-Z0-9_+=,.@-]+$", "x-form" = "the name of a profile, not its ARN"))]
    iam_instance_profile: Option<String>,
    /// The name of the key pair that lets in over SSH.
    #[schemars(extend("x-replace" = true))]
    key_name: Option<String>,
    // "User data … can be up to 16 KB" before encoding; scripts run at the first launch only (EC2 User Guide, "Run
    // commands when you launch an EC2 instance with user data input").
    /// What the instance does at its first start, as text: a script or cloud-init configuration. Changing it stops the
    /// instance, if it runs, and starts it again, and nothing on its disks is lost; but cloud-init does not run the new
    /// text of itself. To have a new instance begin with it, apply with `--replace`.
    #[schemars(length(max = 16384))]
    user_data: Option<String>,
    /// The instance metadata service.
    #[schemars(extend("x-server" = true))]
    metadata_options: Option<MetadataOptions>,
    /// The volume it starts from.
    #[schemars(extend("x-server" = true))]
    root_block_device: Option<RootBlockDevice>,
    /// Further volumes: all of them, also those of the AMI, or none to leave them alone.
    #[schemars(extend("x-key" = "device_name", "x-server" = true))]
    ebs_block_devices: Option<Vec<EbsBlockDevice>>,
    /// Whether metrics come every minute, which costs, rather than every five.
    #[schemars(extend("default" = false))]
    monitoring: bool,
    /// Whether it has bandwidth of its own to EBS; newer types always do. Changing it stops the instance, if it runs,
    /// and starts it again.
    #[schemars(extend("default" = false))]
    ebs_optimized: bool,
    /// For a burstable type, such as `t3a.small`: what happens when its credits are used up.
    #[schemars(extend("x-server" = true, "x-follows" = ["instance_type"]))]
    credit_specification: Option<CreditSpecification>,
    /// Whether terminating it is refused.
    #[schemars(extend("default" = false))]
    disable_api_termination: bool,
    /// Whether stopping it is refused, and with it what takes a stop.
    #[schemars(extend("default" = false))]
    disable_api_stop: bool,
    /// What shutting it down from inside does: `terminate` deletes it.
    #[schemars(extend("default" = "stop", "enum" = ["stop", "terminate"]))]
    instance_initiated_shutdown_behavior: String,
    /// Whether it runs on hardware of its own.
    #[schemars(extend("x-replace" = true, "x-server" = true, "enum" = ["default", "dedicated", "host"]))]
    tenancy: Option<String>,
    /// Whether it can hibernate. Its root volume has to be encrypted.
    #[schemars(extend("default" = false, "x-replace" = true))]
    hibernation: bool,
    /// Tags, which its volumes get too.
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
    /// The public IPv4 address, while it has one. It changes with every stop and start, and when an `eip` is given to the
    /// instance: for one that stays, refer to the `public_ip` of an `eip`.
    #[schemars(extend("x-computed" = true, "x-follows" = ["instance_type", "user_data", "ebs_optimized", "associate_public_ip_address"]))]
    public_ip: Option<String>,
    /// The public DNS name, while it has one.
    #[schemars(extend("x-computed" = true, "x-follows" = ["instance_type", "user_data", "ebs_optimized", "associate_public_ip_address"]))]
    public_dns: Option<String>,
    /// The private IPv4 address.
    #[schemars(extend("x-computed" = true))]
    private_ip: Option<String>,
    /// The private DNS name.
    #[schemars(extend("x-computed" = true))]
    private_dns: Option<String>,
    /// Its first network interface, for routes.
    #[schemars(extend("x-computed" = true))]
    primary_network_interface_id: Option<String>,
    /// The VPC.
    #[schemars(extend("x-format" = "id:vpc:vpc-", "x-computed" = true))]
    vpc_id: Option<String>,
}

/// How a burstable instance spends credits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreditSpecification {
    /// `standard` slows down, `unlimited` goes on and costs. T3 and newer are unlimited unless the account says otherwise.
    #[schemars(extend("enum" = ["standard", "unlimited"]))]
    cpu_credits: String,
}

/// A failure to launch: where EC2 says that it has no machine of that type, it has made none, though it says so as an error of its
/// own (EC2 API Reference, "Error codes": server error codes).
fn without_capacity(failure: Failure) -> Failure {
    let codes = ["InsufficientInstanceCapacity", "InsufficientHostCapacity", "InsufficientCapacity"];
    if !says(&failure, &codes) {
        return failure;
    }
    let advice = "another `instance_type` or zone may do, or another time";
    let message = format!("{}: {advice}", failure.message.trim_end_matches('.'));
    Failure { kind: FailureKind::Refused, message, ..failure }
}

fn state(instance: &api::Instance) -> Option<&InstanceStateName> {
    instance.state().and_then(|state| state.name())
}

impl Resource for Instance {
    const TYPE: &'static str = "instance";
    const INFO: Info = Info {
        data_loss: Some("what is on its disks"),
        transient: &[
            Retry::always("IncorrectInstanceState"),
            Retry::always("IncorrectState"),
            Retry::after("IncorrectModificationState", &["ec2:ModifyVolume"]),
        ],
        // Public addresses in use hold the gateway (EC2 API Reference, DetachInternetGateway).
        after: &[After { type_name: "internet_gateway", through: "vpc" }],
        propagating: &[
            // An instance profile that is not known yet is an invalid value.
            Retry::after(
                "InvalidParameterValue",
                &["ec2:RunInstances", "ec2:AssociateIamInstanceProfile", "ec2:ReplaceIamInstanceProfileAssociation"],
            ),
            Retry::after("InvalidGroup.NotFound", &["ec2:RunInstances", "ec2:ModifyInstanceAttribute"]),
            Retry::after("InvalidSubnetID.NotFound", &["ec2:RunInstances"]),
            Retry::after("InvalidKeyPair.NotFound", &["ec2:RunInstances"]),
            Retry::after("InvalidVolume.NotFound", &["ec2:AttachVolume"]),
            // A volume that was just attached: the instance does not know its device yet.
            Retry::after("InvalidInstanceAttributeValue", &["ec2:ModifyInstanceAttribute"]),
        ],
        timeout: 900,
        // Published logs of Terraform's applies of the same calls: made in 10 to 42 seconds, gone in 20 to 62. Another size
        // stops and starts it.
        usual: Usual::of((10, 60), (0, 180), (20, 90)),
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:ec2:{region}:{account}:instance/*",
        plan: &[
            Grant::any(&["ec2:DescribeInstanceCreditSpecifications", "ec2:DescribeInstances", "ec2:DescribeVolumes"]),
            Grant::itself(&["ec2:DescribeInstanceAttribute"]),
            // Where an alias is written: whose it is.
            Grant::key("root_block_device.kms_key_id", &["kms:DescribeKey"]),
            Grant::key("ebs_block_devices.kms_key_id", &["kms:DescribeKey"]),
        ],
        apply: &[
            Grant::any(&["ec2:DescribeIamInstanceProfileAssociations", "ec2:DescribeImages", "ec2:DescribeVolumesModifications"]),
            Grant::on(
                &["ec2:RunInstances"],
                &[
                    "arn:{partition}:ec2:{region}::image/{image_id}",
                    "arn:{partition}:ec2:{region}:{account}:instance/*",
                    "arn:{partition}:ec2:{region}:{account}:key-pair/{key_name}",
                    "arn:{partition}:ec2:{region}:{account}:network-interface/*",
                    "arn:{partition}:ec2:{region}:{account}:security-group/*",
                    "arn:{partition}:ec2:{region}::snapshot/*",
                    "arn:{partition}:ec2:{region}:{account}:subnet/{subnet_id}",
                    "arn:{partition}:ec2:{region}:{account}:volume/*",
                ],
            ),
            Grant::itself(&[
                "ec2:AssociateIamInstanceProfile",
                "ec2:DisassociateIamInstanceProfile",
                "ec2:ModifyInstanceCreditSpecification",
                "ec2:ModifyInstanceMetadataOptions",
                "ec2:MonitorInstances",
                "ec2:ReplaceIamInstanceProfileAssociation",
                "ec2:StartInstances",
                "ec2:StopInstances",
                "ec2:TerminateInstances",
                "ec2:UnmonitorInstances",
            ]),
            Grant::on(
                &["ec2:ModifyInstanceAttribute"],
                &[
                    "arn:{partition}:ec2:{region}:{account}:instance/*",
                    "arn:{partition}:ec2:{region}:{account}:security-group/*",
                    "arn:{partition}:ec2:{region}:{account}:volume/*",
                ],
            ),
            Grant::on(
                &["ec2:ModifyNetworkInterfaceAttribute"],
                &[
                    "arn:{partition}:ec2:{region}:{account}:instance/*",
                    "arn:{partition}:ec2:{region}:{account}:network-interface/*",
                    "arn:{partition}:ec2:{region}:{account}:security-group/*",
                ],
            ),
            Grant::on(
                &["ec2:CreateVolume"],
                &["arn:{partition}:ec2:{region}::snapshot/*", "arn:{partition}:ec2:{region}:{account}:volume/*"],
            ),
            Grant::on(
                &["ec2:AttachVolume", "ec2:CreateTags", "ec2:DeleteTags", "ec2:DetachVolume"],
                &["arn:{partition}:ec2:{region}:{account}:instance/*", "arn:{partition}:ec2:{region}:{account}:volume/*"],
            ),
            Grant::on(&["ec2:ModifyVolume"], &["arn:{partition}:ec2:{region}:{account}:volume/*"]),
            Grant::pass_profile("iam_instance_profile"),
            Grant::key(
                "root_block_device.kms_key_id",
                &["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext"],
            ),
            Grant::key(
                "ebs_block_devices.kms_key_id",
                &["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext"],
            ),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        metadata::check(desired).into_iter().collect()
    }

    fn protected(live: &Value) -> Option<&'static str> {
        let protected = live.get("disable_api_termination") == Some(&Value::Bool(true));
        protected.then_some("disable_api_termination = false")
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let there = filter("instance-state-name", &THERE.map(str::to_owned));
        let found = in_chunks("instance-id", ids, |only| Self::describe(aws, vec![only, there.clone()])).await?;
        let id = |instance: &api::Instance| instance.instance_id().unwrap_or_default().to_owned();
        let burstable = |instance: &api::Instance| instance.instance_type().is_some_and(|kind| is_burstable(kind.as_str()));
        let known: Vec<String> = found.iter().map(|(_, instance)| id(instance)).collect();
        if known.is_empty() {
            return Ok(Vec::new());
        }
        let credits = Self::credits(aws, found.iter().filter(|(_, one)| burstable(one)).map(|(_, one)| id(one)).collect());
        let attributes = try_join_all(known.iter().map(|id| Self::attributes(aws, id)));
        let (volumes, mut credits, attributes) = try_join3(volumes::of_instances(aws, &known), credits, attributes).await?;
        let mut attributes: BTreeMap<_, _> = attributes.into_iter().flatten().collect();
        let read = found.iter().filter_map(|(owner, instance)| {
            let id = id(instance);
            let read = Self::from_api(aws, owner, instance, attributes.remove(&id)?, credits.remove(&id), &volumes);
            Some((id, read))
        });
        Ok(read.collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let mut filters = ownership_filters(wanted);
        filters.push(filter("instance-state-name", &THERE.map(str::to_owned)));
        let found = Self::describe(aws, filters).await?;
        let ours = found.into_iter().filter(|(_, instance)| wanted.owns(&tags(instance.tags())));
        Ok(wanted.pick(ours.filter_map(|(_, instance)| instance.instance_id)))
    }

    async fn create(aws: &Aws, operation: &Operation, to: &Self) -> Outcome<String> {
        let volumes = volumes::for_launch(aws, &to.image_id, to.root_block_device.as_ref(), to.ebs_block_devices.as_deref()).await?;
        let profile = to.iam_instance_profile.as_ref().map(|name| api::IamInstanceProfileSpecification::builder().name(name).build());
        let placement = (to.tenancy.is_some() || to.availability_zone.is_some()).then(|| {
            let tenancy = to.tenancy.as_deref().map(Into::into);
            api::Placement::builder().set_tenancy(tenancy).set_availability_zone(to.availability_zone.clone()).build()
        });
        let credits = to.credit_specification.as_ref();
        let credits = credits.map(|one| api::CreditSpecificationRequest::builder().cpu_credits(&one.cpu_credits).build());
        let call = aws
            .ec2()
            .run_instances()
            .min_count(1)
            .max_count(1)
            .image_id(&to.image_id)
            .instance_type(to.instance_type.as_str().into())
            .set_iam_instance_profile(profile)
            .set_key_name(to.key_name.clone())
            .set_user_data(to.user_data.as_ref().map(aws_smithy_types::base64::encode))
            .set_metadata_options(to.metadata_options.as_ref().map(MetadataOptions::to_api))
            .set_block_device_mappings(volumes)
            .monitoring(api::RunInstancesMonitoringEnabled::builder().enabled(to.monitoring).build())
            .ebs_optimized(to.ebs_optimized)
            .set_credit_specification(credits)
            .disable_api_termination(to.disable_api_termination)
            .disable_api_stop(to.disable_api_stop)
            .instance_initiated_shutdown_behavior(to.instance_initiated_shutdown_behavior.as_str().into())
            .set_placement(placement)
            .set_hibernation_options(to.hibernation.then(|| api::HibernationOptionsRequest::builder().configured(true).build()))
            .client_token(&operation.token)
            .tag_specifications(specification(ResourceType::Instance, &to.tags))
            .tag_specifications(specification(ResourceType::Volume, &to.tags));
        // Whether there is a public address is said of the network interface, and then the rest of it too.
        let call = match to.associate_public_ip_address {
            None => call
                .set_subnet_id(to.subnet_id.clone())
                .set_security_group_ids(to.security_group_ids.clone())
                .set_private_ip_address(to.private_ip_address.clone()),
            Some(public) => call.network_interfaces(
                api::InstanceNetworkInterfaceSpecification::builder()
                    .device_index(0)
                    .associate_public_ip_address(public)
                    .delete_on_termination(true)
                    .set_subnet_id(to.subnet_id.clone())
                    .set_groups(to.security_group_ids.clone())
                    .set_private_ip_address(to.private_ip_address.clone())
                    .build(),
            ),
        };
        let made = send_once!(aws_sdk_ec2, call).await.sent_once("ec2:RunInstances").map_err(without_capacity)?;
        made_id("ec2:RunInstances", made.instances().first().and_then(|instance| instance.instance_id()))
    }

    fn as_created(to: &Self) -> Self {
        Self { source_dest_check: true, ..to.clone() }
    }

    async fn update(aws: &Aws, operation: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        change::update(aws, operation, id, from, to).await
    }

    async fn ready(aws: &Aws, operation: &Operation, id: &str, _: &Self) -> Outcome<()> {
        loop {
            let found = Self::now(aws, id).await?;
            match found.as_ref().and_then(state) {
                // It may have been stopped by hand.
                Some(InstanceStateName::Running | InstanceStateName::Stopped) => return Ok(()),
                Some(InstanceStateName::ShuttingDown | InstanceStateName::Terminated) => {
                    let reason = found.as_ref().and_then(|instance| instance.state_reason());
                    let code = reason.and_then(|reason| reason.code()).unwrap_or("terminated");
                    let message = reason.and_then(|reason| reason.message()).unwrap_or("AWS gives no reason");
                    return Err(Failure::new(FailureKind::Other, format!("the instance did not start: {code}: {message}")));
                }
                _ => operation.pause(Duration::from_secs(2), "waiting for the instance").await?,
            }
        }
    }

    async fn delete(aws: &Aws, operation: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        let sent = aws.ec2().terminate_instances().instance_ids(id).send().await;
        if sent.or_gone("ec2:TerminateInstances")?.is_none() {
            return Ok(());
        }
        while Self::now(aws, id).await?.is_some_and(|instance| state(&instance) != Some(&InstanceStateName::Terminated)) {
            operation.pause(Duration::from_secs(2), "waiting for the instance to be terminated").await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_launch_without_capacity_is_refused() {
        let failure = |code: &str| Failure {
            code: Some(code.to_owned()),
            ..Failure::new(FailureKind::Ambiguous, "We currently do not have sufficient t3.small capacity.")
        };
        let refused = without_capacity(failure("InsufficientInstanceCapacity"));
        assert_eq!(refused.kind, FailureKind::Refused);
        assert!(refused.message.contains("sufficient t3.small capacity: another `instance_type`"), "{}", refused.message);
        // What became of any other call that failed so is not known.
        assert_eq!(without_capacity(failure("InternalError")).kind, FailureKind::Ambiguous);
    }
}
