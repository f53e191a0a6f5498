//! What is in an account, read with the SDK past leoctl: one line for each resource, with what it is known by and
//! without what AWS makes up anew each time. Two accounts with the same lines have the same resources.

use aws_config::SdkConfig;

use super::sdk;

/// The resources behind an endpoint.
pub struct Inventory {
    config: SdkConfig,
    account: String,
}

impl Inventory {
    /// The account `account` of an emulator.
    pub async fn new(endpoint: &str, account: &str) -> Self {
        Self { account: account.to_owned(), config: sdk::config(endpoint, account).await }
    }

    /// Every resource, one line each, sorted.
    pub async fn lines(&self) -> Vec<String> {
        let mut lines = self.network().await;
        lines.extend(self.balancing().await);
        lines.extend(self.containers().await);
        lines.extend(self.storage().await);
        lines.extend(self.roles().await);
        // Bucket names are unique in the world, and so have the account in them.
        let mut lines: Vec<String> = lines.into_iter().map(|line| line.replace(&self.account, "ACCOUNT")).collect();
        lines.sort();
        lines
    }

    /// What there is of these types, which Cloud Control lists: by their names, and by their numbers where AWS makes those up.
    pub async fn cloud_control(&self, types: &[&str]) -> Vec<String> {
        let api = aws_sdk_cloudcontrol::Client::new(&self.config);
        let mut lines = Vec::new();
        for name in types {
            let mut pages = api.list_resources().type_name(*name).into_paginator().items().send();
            while let Some(one) = pages.next().await {
                let one = one.unwrap();
                let id = one.identifier().unwrap_or_default();
                // The URL of a queue begins with where its emulator listens.
                let path = id.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or(id, |(_, path)| path);
                lines.push(if name.starts_with("AWS::CloudFront::") { (*name).to_owned() } else { format!("{name} {path}") });
            }
        }
        lines.sort();
        lines
    }

    async fn network(&self) -> Vec<String> {
        let ec2 = aws_sdk_ec2::Client::new(&self.config);
        let own = |tags: &[aws_sdk_ec2::types::Tag]| {
            let address = tags.iter().find(|tag| tag.key() == Some("leoctl:address")).and_then(|tag| tag.value());
            address.unwrap_or("not ours").to_owned()
        };
        let vpcs = ec2.describe_vpcs().send().await.unwrap();
        let mut lines: Vec<String> =
            vpcs.vpcs().iter().map(|vpc| format!("vpc {} {}", own(vpc.tags()), vpc.cidr_block().unwrap_or_default())).collect();
        let subnets = ec2.describe_subnets().send().await.unwrap();
        lines.extend(subnets.subnets().iter().map(|one| format!("subnet {} {}", own(one.tags()), one.cidr_block().unwrap_or_default())));
        let gateways = ec2.describe_internet_gateways().send().await.unwrap();
        let gateways = gateways.internet_gateways().iter();
        lines.extend(gateways.map(|one| format!("internet gateway {} in {} networks", own(one.tags()), one.attachments().len())));
        let tables = ec2.describe_route_tables().send().await.unwrap();
        lines.extend(
            tables
                .route_tables()
                .iter()
                .map(|one| format!("route table {} with {} routes for {}", own(one.tags()), one.routes().len(), one.associations().len())),
        );
        let groups = ec2.describe_security_groups().send().await.unwrap();
        lines.extend(groups.security_groups().iter().map(|one| {
            let rules = (one.ip_permissions().len(), one.ip_permissions_egress().len());
            format!("security group {} {} {rules:?}", own(one.tags()), one.group_name().unwrap_or_default())
        }));
        lines
    }

    async fn balancing(&self) -> Vec<String> {
        let elb = aws_sdk_elasticloadbalancingv2::Client::new(&self.config);
        let mut lines = Vec::new();
        for balancer in elb.describe_load_balancers().send().await.unwrap().load_balancers() {
            let arn = balancer.load_balancer_arn().unwrap();
            let listeners = elb.describe_listeners().load_balancer_arn(arn).send().await.unwrap();
            let ports: Vec<_> = listeners.listeners().iter().map(|listener| listener.port()).collect();
            lines.push(format!("load balancer {} listening on {ports:?}", balancer.load_balancer_name().unwrap()));
        }
        let groups = elb.describe_target_groups().send().await.unwrap();
        let groups = groups.target_groups().iter();
        lines.extend(groups.map(|one| format!("target group {} of {}", one.target_group_name().unwrap(), one.load_balancer_arns().len())));
        lines
    }

    async fn containers(&self) -> Vec<String> {
        let ecs = aws_sdk_ecs::Client::new(&self.config);
        let mut lines = Vec::new();
        for cluster in ecs.list_clusters().send().await.unwrap().cluster_arns() {
            let described = ecs.describe_clusters().clusters(cluster).send().await.unwrap();
            let active = described.clusters().iter().filter(|cluster| cluster.status() == Some("ACTIVE"));
            lines.extend(active.map(|cluster| format!("cluster {}", cluster.cluster_name().unwrap())));
            for service in ecs.list_services().cluster(cluster).send().await.unwrap().service_arns() {
                let described = ecs.describe_services().cluster(cluster).services(service).send().await.unwrap();
                let active = described.services().iter().filter(|service| service.status() != Some("INACTIVE"));
                lines.extend(active.map(|service| format!("service {}", service.service_name().unwrap())));
            }
        }
        let definitions = ecs.list_task_definitions().status(aws_sdk_ecs::types::TaskDefinitionStatus::Active).send().await.unwrap();
        for arn in definitions.task_definition_arns() {
            let family = arn.rsplit('/').next().unwrap().split(':').next().unwrap();
            lines.push(format!("task definition of {family}"));
        }
        lines
    }

    async fn storage(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let s3 = aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&self.config).force_path_style(true).build());
        for bucket in s3.list_buckets().send().await.unwrap().buckets() {
            lines.push(format!("bucket {}", bucket.name().unwrap()));
        }
        let ecr = aws_sdk_ecr::Client::new(&self.config);
        let repositories = ecr.describe_repositories().send().await.unwrap();
        lines.extend(repositories.repositories().iter().map(|one| format!("repository {}", one.repository_name().unwrap())));
        let logs = aws_sdk_cloudwatchlogs::Client::new(&self.config);
        let groups = logs.describe_log_groups().send().await.unwrap();
        lines.extend(groups.log_groups().iter().map(|one| format!("log group {}", one.log_group_name().unwrap())));
        let secrets = aws_sdk_secretsmanager::Client::new(&self.config).list_secrets().send().await.unwrap();
        let kept = secrets.secret_list().iter().filter(|secret| secret.deleted_date().is_none());
        lines.extend(kept.map(|secret| format!("secret {}", secret.name().unwrap())));
        lines
    }

    async fn roles(&self) -> Vec<String> {
        let iam = aws_sdk_iam::Client::new(&self.config);
        let mut lines = Vec::new();
        for role in iam.list_roles().send().await.unwrap().roles() {
            // What the emulator itself makes for a service is not the stack's.
            if role.path().starts_with("/aws-service-role/") {
                continue;
            }
            let inline = iam.list_role_policies().role_name(role.role_name()).send().await.unwrap();
            let attached = iam.list_attached_role_policies().role_name(role.role_name()).send().await.unwrap();
            let policies = (inline.policy_names().len(), attached.attached_policies().len());
            lines.push(format!("role {} with {policies:?} policies", role.role_name()));
        }
        lines
    }
}
