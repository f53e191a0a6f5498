//! The types that leoctl has of its own for what Cloud Control manages, too.

const OWN: &[(&str, &str)] = &[
    ("AWS::ApplicationAutoScaling::ScalableTarget", "appautoscaling_target"),
    ("AWS::ApplicationAutoScaling::ScalingPolicy", "appautoscaling_policy"),
    ("AWS::Backup::BackupPlan", "backup_plan"),
    ("AWS::Backup::BackupSelection", "backup_selection"),
    ("AWS::Backup::BackupVault", "backup_vault"),
    ("AWS::CertificateManager::Certificate", "acm_certificate"),
    ("AWS::CloudWatch::Alarm", "cloudwatch_metric_alarm"),
    ("AWS::CloudWatch::Dashboard", "cloudwatch_dashboard"),
    ("AWS::EC2::EIP", "eip"),
    ("AWS::EC2::EgressOnlyInternetGateway", "egress_only_internet_gateway"),
    ("AWS::EC2::Instance", "instance"),
    ("AWS::EC2::InternetGateway", "internet_gateway"),
    ("AWS::EC2::KeyPair", "key_pair"),
    ("AWS::EC2::NatGateway", "nat_gateway"),
    ("AWS::EC2::RouteTable", "route_table"),
    ("AWS::EC2::SecurityGroup", "security_group"),
    ("AWS::EC2::SecurityGroupEgress", "security_group_rule"),
    ("AWS::EC2::SecurityGroupIngress", "security_group_rule"),
    ("AWS::EC2::Subnet", "subnet"),
    ("AWS::EC2::VPC", "vpc"),
    ("AWS::EC2::VPCEndpoint", "vpc_endpoint"),
    ("AWS::ECR::Repository", "ecr_repository"),
    ("AWS::ECS::Cluster", "ecs_cluster"),
    ("AWS::ECS::Service", "ecs_service"),
    ("AWS::ECS::TaskDefinition", "ecs_task_definition"),
    ("AWS::EFS::AccessPoint", "efs_access_point"),
    ("AWS::EFS::FileSystem", "efs_file_system"),
    ("AWS::EFS::MountTarget", "efs_mount_target"),
    ("AWS::ElasticLoadBalancingV2::Listener", "lb_listener"),
    ("AWS::ElasticLoadBalancingV2::ListenerRule", "lb_listener_rule"),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", "lb"),
    ("AWS::ElasticLoadBalancingV2::TargetGroup", "lb_target_group"),
    ("AWS::IAM::InstanceProfile", "iam_instance_profile"),
    ("AWS::IAM::ManagedPolicy", "iam_policy"),
    ("AWS::IAM::OIDCProvider", "iam_openid_connect_provider"),
    ("AWS::IAM::Role", "iam_role"),
    ("AWS::KMS::Alias", "kms_alias"),
    ("AWS::KMS::Key", "kms_key"),
    ("AWS::Logs::LogGroup", "cloudwatch_log_group"),
    ("AWS::Logs::MetricFilter", "cloudwatch_log_metric_filter"),
    ("AWS::Route53::HostedZone", "route53_zone"),
    ("AWS::Route53::RecordSet", "route53_record"),
    ("AWS::S3::Bucket", "s3_bucket"),
    ("AWS::SNS::Subscription", "sns_topic_subscription"),
    ("AWS::SNS::Topic", "sns_topic"),
    ("AWS::SSM::Parameter", "ssm_parameter"),
    ("AWS::Scheduler::Schedule", "scheduler_schedule"),
    ("AWS::SecretsManager::Secret", "secretsmanager_secret"),
    ("AWS::ServiceDiscovery::PrivateDnsNamespace", "service_discovery_private_dns_namespace"),
    ("AWS::ServiceDiscovery::Service", "service_discovery_service"),
];

/// The type of leoctl's own for what AWS calls so.
pub fn instead(aws: &str) -> Option<&'static str> {
    OWN.iter().find(|(name, _)| *name == aws).map(|(_, own)| *own)
}

/// The services of the types that Cloud Control does not have.
const BESIDE: &[(&str, &str)] = &[
    ("acm_certificate_validation", "CertificateManager"),
    ("acm_imported_certificate", "CertificateManager"),
    ("appautoscaling_scheduled_action", "ApplicationAutoScaling"),
    ("default_route_table", "EC2"),
    ("default_security_group", "EC2"),
];

/// The service that a type of leoctl's own is of, as AWS's names of types have it.
pub fn service(own: &str) -> Option<&'static str> {
    let like = OWN.iter().find(|(_, name)| *name == own).and_then(|(aws, _)| super::names::service(aws));
    like.or_else(|| BESIDE.iter().find(|(name, _)| *name == own).map(|(_, service)| *service))
}

/// What Cloud Control has as a resource of its own and a type of leoctl's as an attribute: AWS's type, the type and the attribute.
const PARTS: &[(&str, &str, &str)] = &[
    ("AWS::EC2::EIPAssociation", "eip", "instance_id"),
    ("AWS::EC2::Route", "route_table", "routes"),
    ("AWS::EC2::SecurityGroupEgress", "security_group", "egress"),
    ("AWS::EC2::SecurityGroupIngress", "security_group", "ingress"),
    ("AWS::EC2::SubnetRouteTableAssociation", "route_table", "subnet_ids"),
    ("AWS::EC2::VPCGatewayAttachment", "internet_gateway", "vpc_id"),
    ("AWS::ECS::ClusterCapacityProviderAssociations", "ecs_cluster", "capacity_providers"),
    ("AWS::IAM::RolePolicy", "iam_role", "inline_policies"),
    ("AWS::S3::BucketPolicy", "s3_bucket", "policy"),
    ("AWS::SNS::TopicInlinePolicy", "sns_topic", "policy"),
    ("AWS::SNS::TopicPolicy", "sns_topic", "policy"),
];

/// The type of leoctl's own of which this is a part, and the attribute that says it there.
pub fn part_of(aws: &str) -> Option<(&'static str, &'static str)> {
    PARTS.iter().find(|(name, ..)| *name == aws).map(|(_, own, attribute)| (*own, *attribute))
}

#[cfg(test)]
mod tests {
    use super::{OWN, PARTS};
    use crate::cloud_control::bundle::Bundle;

    #[test]
    fn what_is_pointed_to_is_there() {
        let catalog = crate::registry::catalog();
        let known: Vec<&str> = Bundle::get().unwrap().types().values().map(|entry| entry.aws).collect();
        for (aws, own) in OWN {
            assert!(known.contains(aws), "{aws}");
            assert!(catalog.resources.get(own).is_some(), "{own}");
        }
        for (aws, own, attribute) in PARTS {
            assert!(known.contains(aws), "{aws}");
            assert!(catalog.resources[*own].schema.attribute(attribute).is_some(), "{own}.{attribute}");
        }
        let pointed: Vec<&str> = OWN.iter().map(|(_, own)| *own).collect();
        // What waits for a certificate to be issued is no resource of AWS's; the others AWS's schemas do not have, or as a part of
        // another type.
        let alone: Vec<&String> = catalog.resources.keys().filter(|name| !pointed.contains(&name.as_str())).collect();
        let known = [
            "acm_certificate_validation",
            "acm_imported_certificate",
            "appautoscaling_scheduled_action",
            "default_route_table",
            "default_security_group",
        ];
        assert_eq!(alone, known);
    }
}
