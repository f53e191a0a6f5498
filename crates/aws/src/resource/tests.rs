//! What a code means, and how long, and which form an id has.

use super::*;
use crate::appautoscaling::target::AppautoscalingTarget;
use crate::ec2::subnet::Subnet;
use crate::ec2::vpc::Vpc;
use crate::ecs::cluster::EcsCluster;
use crate::ecs::service::EcsService;
use crate::efs::mount_target::EfsMountTarget;
use crate::elb::lb::Lb;
use crate::elb::listener::LbListener;
use crate::elb::listener_rule::LbListenerRule;
use crate::iam::instance_profile::IamInstanceProfile;
use crate::iam::role::IamRole;
use crate::kms::alias::KmsAlias;
use crate::kms::key::KmsKey;
use crate::patience::tests::operation;
use crate::route53::record::Route53Record;
use crate::s3::bucket::S3Bucket;
use crate::scheduler::schedule::SchedulerSchedule;
use crate::secretsmanager_secret::SecretsmanagerSecret;
use crate::sns::topic_subscription::SnsTopicSubscription;
use crate::ssm_parameter::SsmParameter;

fn answered<R: Resource>(began: u64, call: &str, code: &str, kind: FailureKind) -> FailureKind {
    let failure = Failure { operation: call.to_owned(), code: Some(code.to_owned()), ..Failure::new(kind, "no") };
    Typed::<R>::classify(&operation(began), Err::<(), _>(failure)).unwrap_err().kind
}

#[test]
fn a_code_is_tried_again_after_only_where_it_is_said_of_the_call() {
    use FailureKind::{NotFound, Refused, Transient};
    assert_eq!(answered::<Vpc>(0, "ec2:DeleteVpc", "DependencyViolation", Refused), Transient);
    assert_eq!(answered::<Vpc>(0, "ec2:DisassociateVpcCidrBlock", "DependencyViolation", Refused), Refused);
    assert_eq!(answered::<Subnet>(0, "ec2:CreateSubnet", "InvalidVpcID.NotFound", NotFound), Transient);
    assert_eq!(answered::<Subnet>(0, "ec2:DeleteSubnet", "InvalidVpcID.NotFound", NotFound), NotFound);
    assert_eq!(answered::<Subnet>(0, "ec2:DeleteSubnet", "InvalidParameterValue", Refused), Refused);
    assert_eq!(answered::<EfsMountTarget>(0, "elasticfilesystem:DeleteMountTarget", "SubnetNotFound", Refused), Refused);
}

#[test]
fn what_is_named_may_have_been_made_a_moment_ago() {
    use FailureKind::{NotFound, Refused, Transient};
    fn passes<R: Resource>(call: &str, codes: &[&str]) {
        for code in codes {
            let kind = if code.ends_with("NotFound") || code.ends_with("NotFoundException") { NotFound } else { Refused };
            assert_eq!(answered::<R>(0, call, code, kind), Transient, "{call}: {code}");
            assert_eq!(answered::<R>(125, call, code, kind), kind, "{call}: {code}, which does not pass");
        }
    }
    passes::<EcsService>("ecs:CreateService", &["ClusterNotFoundException", "InvalidParameterException"]);
    passes::<EcsCluster>("ecs:CreateCluster", &["InvalidParameterException"]);
    passes::<Lb>("elasticloadbalancing:CreateLoadBalancer", &["InvalidSubnet", "SubnetNotFound", "InvalidSecurityGroup"]);
    let listener = ["CertificateNotFound", "UnsupportedCertificate", "TargetGroupNotFound", "LoadBalancerNotFound"];
    passes::<LbListener>("elasticloadbalancing:CreateListener", &listener);
    passes::<LbListener>("elasticloadbalancing:AddListenerCertificates", &["CertificateNotFound"]);
    passes::<LbListenerRule>("elasticloadbalancing:CreateRule", &["ListenerNotFound", "TargetGroupNotFound"]);
    passes::<AppautoscalingTarget>("application-autoscaling:RegisterScalableTarget", &["ValidationException"]);
}

#[test]
fn what_was_just_made_may_be_unknown_to_what_names_it() {
    use FailureKind::{NotFound, Refused, Transient};
    let cases = [
        answered::<S3Bucket>(0, "s3:PutBucketPolicy", "MalformedPolicy", Refused),
        answered::<S3Bucket>(0, "s3:PutBucketNotification", "InvalidArgument", Refused),
        answered::<IamRole>(0, "iam:AttachRolePolicy", "NoSuchEntity", NotFound),
        answered::<IamRole>(0, "iam:PutRolePermissionsBoundary", "NoSuchEntity", NotFound),
        answered::<IamRole>(0, "iam:CreateRole", "MalformedPolicyDocument", Refused),
        answered::<IamInstanceProfile>(0, "iam:AddRoleToInstanceProfile", "NoSuchEntity", NotFound),
        answered::<IamInstanceProfile>(0, "iam:AddRoleToInstanceProfile", "LimitExceeded", Refused),
        answered::<Route53Record>(0, "route53:ChangeResourceRecordSets", "NoSuchHostedZone", NotFound),
        answered::<SecretsmanagerSecret>(0, "secretsmanager:CreateSecret", "InvalidRequestException", Refused),
        answered::<SecretsmanagerSecret>(0, "secretsmanager:RestoreSecret", "InvalidRequestException", Refused),
        answered::<KmsKey>(0, "kms:EnableKeyRotation", "DisabledException", Refused),
        answered::<KmsKey>(0, "kms:CreateKey", "MalformedPolicyDocumentException", Refused),
        answered::<KmsAlias>(0, "kms:CreateAlias", "NotFoundException", NotFound),
        answered::<SsmParameter>(0, "ssm:PutParameter", "InvalidKeyId", Refused),
        answered::<SnsTopicSubscription>(0, "sns:Subscribe", "InvalidParameter", Refused),
        answered::<SchedulerSchedule>(0, "scheduler:CreateSchedule", "ValidationException", Refused),
    ];
    assert_eq!(cases, [Transient; 16]);
    assert_eq!(answered::<IamRole>(0, "iam:GetRole", "NoSuchEntity", NotFound), NotFound);
    assert_eq!(answered::<KmsKey>(0, "kms:PutKeyPolicy", "DisabledException", Refused), Refused);
}

#[test]
fn what_is_still_in_use_is_waited_for() {
    use FailureKind::{Refused, Transient};
    let cluster =
        ["ClusterContainsCapacityProviderException", "ClusterContainsContainerInstancesException", "ClusterContainsTasksException"];
    for code in cluster {
        assert_eq!(answered::<EcsCluster>(500, "ecs:DeleteCluster", code, Refused), Transient, "{code}");
    }
    assert_eq!(answered::<EcsService>(500, "ecs:DeleteService", "InvalidParameterException", Refused), Transient);
}

#[test]
fn what_is_not_known_yet_is_an_error_after_two_minutes() {
    use FailureKind::{NotFound, Refused, Transient};
    for (began, kind) in [(0, Transient), (115, Transient), (125, NotFound)] {
        assert_eq!(answered::<Subnet>(began, "ec2:CreateSubnet", "InvalidVpcID.NotFound", NotFound), kind, "{began}");
    }
    // What is being released is waited for as long as the operation may take.
    assert_eq!(answered::<Vpc>(500, "ec2:DeleteVpc", "DependencyViolation", Refused), Transient);
}

#[test]
fn an_id_has_one_form_whatever_form_was_asked_for() {
    let key = |id: &str| {
        Value::from(serde_json::json!({
            "key_usage": "ENCRYPT_DECRYPT", "key_spec": "SYMMETRIC_DEFAULT", "enable_key_rotation": false, "multi_region": false,
            "is_enabled": true, "tags": {}, "id": id, "arn": format!("arn:aws:kms:eu-west-1:111111111111:key/{id}"),
        }))
    };
    for asked in ["alias/app", "1234", "arn:aws:kms:eu-west-1:111111111111:key/1234"] {
        assert_eq!(id_of::<KmsKey>(asked, &key("1234")), "1234");
    }
    // Of one that is not read yet, nothing else is known.
    assert_eq!(id_of::<KmsKey>("1234", &key("")), "1234");
    assert_eq!(id_of::<KmsKey>("1234", &Value::Null), "1234");
    let arn = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:app-AbCdEf";
    let secret = Value::from(serde_json::json!({ "name": "app", "replica_regions": [], "tags": {}, "arn": arn }));
    for asked in ["app", arn] {
        assert_eq!(id_of::<SecretsmanagerSecret>(asked, &secret), arn);
    }
    assert_eq!(id_of::<Vpc>("vpc-1", &Value::Null), "vpc-1");
}
