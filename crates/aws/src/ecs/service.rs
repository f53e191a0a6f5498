//! The resource type `ecs_service`.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_ecs::types as api;
use futures_util::future::{try_join, try_join_all};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::attachment::{NetworkConfiguration, ServiceLoadBalancer, ServiceRegistry, ServiceVolume};
use super::cluster::StrategyItem;
use super::connect::ServiceConnect;
use super::deployment::DeploymentConfiguration;
use super::{from_api, quiet, rollout, to_api, unbuilt, update_tags};
use crate::appautoscaling::scaled_services;
use crate::client::{Aws, send_once};
use crate::error::{OrAbsent, OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::{Changing, says};
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::schema::After;
use leoctl_core::model::value::Value;

/// Tasks that are kept running, behind a load balancer if wanted.
///
/// Import by ARN: `arn:aws:ecs:…:service/CLUSTER/NAME`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EcsService {
    /// The name, unique in the cluster.
    #[schemars(extend("x-replace" = true, "pattern" = "^[a-zA-Z0-9_-]+$", "x-form" = "letters, digits, hyphens and underscores"), length(max = 255))]
    name: String,
    /// The cluster's ARN.
    #[schemars(extend("x-replace" = true, "x-format" = "arn:ecs"))]
    cluster: String,
    /// The ARN of the task definition's revision.
    #[schemars(extend("x-format" = "arn:ecs"))]
    task_definition: String,
    /// How many tasks run. While the service has an `appautoscaling_target` (of this stack or not), this is only how
    /// many it begins with: from then on Application Auto Scaling sets the number, whatever is written here is not
    /// compared with it, and no apply resets it. When the target goes, what is written here counts again.
    #[schemars(extend("default" = 1), range(min = 0))]
    desired_count: i32,
    /// What tasks run on; not together with `capacity_provider_strategy`.
    #[schemars(extend("x-server" = true, "x-replace" = true, "enum" = ["FARGATE", "EC2", "EXTERNAL"]))]
    launch_type: Option<String>,
    // AWS gives the service the cluster's strategy when it is made (ECS API Reference, CreateService).
    /// Which capacity providers tasks run on, instead of `launch_type`. Where neither is written and the cluster has a
    /// default strategy, the service takes that when it is made, and keeps it.
    #[schemars(extend("x-server" = true, "x-key" = "capacity_provider"))]
    capacity_provider_strategy: Option<Vec<StrategyItem>>,
    /// Fargate's version.
    #[schemars(extend("x-server" = true))]
    platform_version: Option<String>,
    /// Where tasks are in the network.
    network_configuration: Option<NetworkConfiguration>,
    /// The target groups tasks are registered in.
    #[schemars(extend("default" = [], "x-set" = true))]
    load_balancers: Vec<ServiceLoadBalancer>,
    /// The Cloud Map services tasks are registered in.
    #[schemars(extend("default" = [], "x-set" = true))]
    service_registries: Vec<ServiceRegistry>,
    /// How it reaches other services by name, and is reached.
    service_connect_configuration: Option<ServiceConnect>,
    /// The disks each task gets.
    #[schemars(extend("default" = [], "x-key" = "name"))]
    volume_configurations: Vec<ServiceVolume>,
    /// Seconds after a task's start in which failing health checks do not count.
    #[schemars(extend("default" = 0), range(min = 0))]
    health_check_grace_period_seconds: i32,
    /// How tasks are exchanged.
    #[schemars(extend("default" = {}))]
    deployment_configuration: DeploymentConfiguration,
    /// Who exchanges tasks.
    #[schemars(extend("default" = "ECS", "x-replace" = true, "enum" = ["ECS", "CODE_DEPLOY", "EXTERNAL"]))]
    deployment_controller: String,
    /// Whether `execute-command` works in tasks.
    #[schemars(extend("default" = false))]
    enable_execute_command: bool,
    /// Whether ECS tags tasks with cluster and service.
    #[schemars(extend("default" = false))]
    enable_ecs_managed_tags: bool,
    /// Whose tags tasks get.
    #[schemars(extend("default" = "NONE", "enum" = ["NONE", "SERVICE", "TASK_DEFINITION"]))]
    propagate_tags: String,
    /// `REPLICA` keeps so many, `DAEMON` one on each instance.
    #[schemars(extend("default" = "REPLICA", "x-replace" = true, "enum" = ["REPLICA", "DAEMON"]))]
    scheduling_strategy: String,
    /// Whether tasks are spread over zones again when they have gathered in one.
    #[schemars(extend("x-server" = true, "enum" = ["ENABLED", "DISABLED"]))]
    availability_zone_rebalancing: Option<String>,
    /// `wait` for the deployment's verdict, or `none` when no image has been pushed yet.
    #[schemars(extend("default" = "wait", "x-local" = true, "enum" = ["wait", "none"]))]
    #[serde(default = "wait")]
    rollout: String,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The ARN, which is also the id.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
    /// Whether Application Auto Scaling sets `desired_count`: whether it has a scalable target of the service.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    autoscaled: bool,
}

fn wait() -> String {
    "wait".to_owned()
}

impl EcsService {
    pub(super) fn from_api(service: &api::Service) -> (String, Self) {
        let strategy: Vec<StrategyItem> = service.capacity_provider_strategy().iter().map(StrategyItem::from_api).collect();
        // A service has a launch type or a strategy (ECS API Reference, Service).
        let launch_type = service.launch_type().filter(|_| strategy.is_empty()).map(|launch| launch.as_str().to_owned());
        // What a deployment changes is told of the newest one only (ECS API Reference, Deployment).
        let newest = service.deployments().iter().find(|deployment| deployment.status() == Some("PRIMARY"));
        let controller = service.deployment_controller().map_or("ECS", |controller| controller.r#type().as_str());
        let read = Self {
            name: service.service_name().unwrap_or_default().to_owned(),
            cluster: service.cluster_arn().unwrap_or_default().to_owned(),
            task_definition: service.task_definition().unwrap_or_default().to_owned(),
            desired_count: service.desired_count(),
            launch_type,
            capacity_provider_strategy: Some(strategy),
            platform_version: service.platform_version().map(str::to_owned),
            network_configuration: service.network_configuration().and_then(NetworkConfiguration::from_api),
            load_balancers: service.load_balancers().iter().map(ServiceLoadBalancer::from_api).collect(),
            service_registries: service.service_registries().iter().map(ServiceRegistry::from_api).collect(),
            service_connect_configuration: newest
                .and_then(|newest| newest.service_connect_configuration())
                .and_then(ServiceConnect::from_api),
            volume_configurations: newest
                .map(api::Deployment::volume_configurations)
                .unwrap_or_default()
                .iter()
                .filter_map(ServiceVolume::from_api)
                .collect(),
            health_check_grace_period_seconds: service.health_check_grace_period_seconds().unwrap_or_default(),
            deployment_configuration: DeploymentConfiguration::from_api(service.deployment_configuration()),
            deployment_controller: controller.to_owned(),
            enable_execute_command: service.enable_execute_command(),
            enable_ecs_managed_tags: service.enable_ecs_managed_tags(),
            propagate_tags: service.propagate_tags().map_or("NONE", api::PropagateTags::as_str).to_owned(),
            scheduling_strategy: service.scheduling_strategy().map_or("REPLICA", api::SchedulingStrategy::as_str).to_owned(),
            availability_zone_rebalancing: service.availability_zone_rebalancing().map(|one| one.as_str().to_owned()),
            rollout: wait(),
            tags: from_api(service.tags()),
            arn: service.service_arn().unwrap_or_default().to_owned(),
            autoscaled: false,
        };
        (read.arn.clone(), read)
    }

    /// Services of one cluster, at most ten; deleted ones left out.
    async fn describe(aws: &Aws, cluster: &str, asked_for: &[String]) -> Outcome<Vec<api::Service>> {
        let call = aws.ecs().describe_services().cluster(cluster).set_services(Some(asked_for.to_vec())).include(api::ServiceField::Tags);
        let found = call.send().await.or_fail("ecs:DescribeServices").or_absent()?;
        let services = found.and_then(|found| found.services).unwrap_or_default();
        // A deleted service is described as INACTIVE for a while.
        let is_asked = |service: &api::Service| {
            let names = [service.service_arn(), service.service_name()];
            asked_for.iter().any(|asked| names.contains(&Some(asked.as_str())))
        };
        Ok(services.into_iter().filter(|service| is_asked(service) && service.status() != Some("INACTIVE")).collect())
    }

    fn balancers(&self) -> Vec<api::LoadBalancer> {
        self.load_balancers.iter().map(ServiceLoadBalancer::to_api).collect()
    }

    fn registries(&self) -> Vec<api::ServiceRegistry> {
        self.service_registries.iter().map(ServiceRegistry::to_api).collect()
    }

    fn volumes(&self) -> Outcome<Vec<api::ServiceVolumeConfiguration>> {
        self.volume_configurations.iter().map(ServiceVolume::to_api).collect()
    }

    fn strategy(&self) -> Outcome<Vec<api::CapacityProviderStrategyItem>> {
        self.capacity_provider_strategy.iter().flatten().map(StrategyItem::to_api).collect()
    }
}

/// The cluster in a service's ARN (`…:service/CLUSTER/NAME`).
fn cluster_of(arn: &str) -> Outcome<String> {
    let mut parts = arn.rsplit('/');
    let (_, cluster) = (parts.next(), parts.next());
    let known = cluster.filter(|_| parts.next().is_some());
    known.map(str::to_owned).ok_or_else(|| Failure::new(FailureKind::Invalid, format!("`{arn}` is not the ARN of a service in a cluster")))
}

/// A service as Application Auto Scaling calls it: `service/CLUSTER/NAME`.
fn scalable(arn: &str) -> Option<String> {
    let (_, place) = arn.split_once(":service/")?;
    Some(format!("service/{place}"))
}

/// Whether a service is being deleted: it can neither be changed nor come back (ECS API Reference, DeleteService).
fn is_draining(service: &api::Service) -> bool {
    service.status() == Some("DRAINING")
}

/// Waits until a service that is being deleted is inactive.
async fn inactive(aws: &Aws, operation: &Operation, cluster: &str, service: &str) -> Outcome<()> {
    while !EcsService::describe(aws, cluster, &[service.to_owned()]).await?.is_empty() {
        operation.pause(Duration::from_secs(3), "waiting for the service's tasks to stop").await?;
    }
    Ok(())
}

/// Why a service cannot be changed that somebody else deletes: said once it has gone, so that the next apply can make it.
async fn drained(aws: &Aws, operation: &Operation, id: &str, failure: Failure) -> Outcome<Failure> {
    inactive(aws, operation, &cluster_of(id)?, id).await?;
    let message =
        format!("the service was deleted by somebody else while it was to be changed; the next apply makes it anew: {}", failure.message);
    Ok(Failure { message, ..failure })
}

impl Resource for EcsService {
    const TYPE: &'static str = "ecs_service";
    const INFO: Info = Info {
        // A role or a listener made a moment ago; a deployment that is just ending.
        propagating: &[
            Retry::after("InvalidParameterException", &["ecs:CreateService", "ecs:UpdateService", "ecs:DeleteService"]),
            Retry::after("ClusterNotFoundException", &["ecs:CreateService"]),
        ],
        unique: &[&["cluster", "name"]],
        // ECS takes only a target group that a load balancer routes to (ECS API Reference, CreateService).
        after: &[
            After { type_name: "lb_listener", through: "lb_target_group" },
            After { type_name: "lb_listener_rule", through: "lb_target_group" },
            // Its tasks need the way to their images, and what they mount, as soon as they start.
            After { type_name: "route_table", through: "subnet" },
            After { type_name: "efs_mount_target", through: "efs_file_system" },
        ],
        timeout: 1800,
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:ecs:{region}:{account}:service/{cluster after cluster/}/{name}",
        plan: &[Grant::any(&["application-autoscaling:DescribeScalableTargets"]), Grant::itself(&["ecs:DescribeServices"])],
        apply: &[
            Grant::itself(&[
                "ecs:CreateService",
                "ecs:DeleteService",
                "ecs:DescribeServiceDeployments",
                "ecs:ListServiceDeployments",
                "ecs:TagResource",
                "ecs:UntagResource",
                "ecs:UpdateService",
            ]),
            Grant::on(
                &["ecs:DescribeServiceDeployments"],
                &["arn:{partition}:ecs:{region}:{account}:service-deployment/{cluster after cluster/}/{name}/*"],
            ),
            Grant::on(&["ecs:ListTasks"], &["arn:{partition}:ecs:{region}:{account}:container-instance/{cluster after cluster/}/*"]),
            Grant::on(&["ecs:DescribeTasks"], &["arn:{partition}:ecs:{region}:{account}:task/{cluster after cluster/}/*"]),
            Grant::linked_role("ecs.amazonaws.com"),
            Grant::pass("load_balancers.advanced_configuration.role_arn", "ecs.amazonaws.com"),
            Grant::pass("service_connect_configuration.services.tls.role_arn", "ecs.amazonaws.com"),
            Grant::pass("volume_configurations.managed_ebs_volume.role_arn", "ecs.amazonaws.com"),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let given =
            |key: &str| desired.get(key).is_some_and(|value| !value.is_null() && value.as_list().is_none_or(|list| !list.is_empty()));
        match given("launch_type") && given("capacity_provider_strategy") {
            true => {
                vec![(Path::attribute("launch_type"), "a service has `launch_type` or `capacity_provider_strategy`, not both".to_owned())]
            }
            false => Vec::new(),
        }
    }

    fn governed(live: &Value) -> &'static [&'static str] {
        // The number of a daemon's tasks is that of the instances.
        let daemon = live.get("scheduling_strategy").and_then(Value::as_str) == Some("DAEMON");
        if daemon || matches!(live.get("autoscaled"), Some(Value::Bool(true))) { &["desired_count"] } else { &[] }
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let mut clusters: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for id in ids {
            clusters.entry(cluster_of(id)?).or_default().push(id.clone());
        }
        let batches = clusters.iter().flat_map(|(cluster, arns)| arns.chunks(10).map(move |some| Self::describe(aws, cluster, some)));
        let resources: Vec<String> = ids.iter().filter_map(|arn| scalable(arn)).collect();
        let (found, scaled) = try_join(try_join_all(batches), scaled_services(aws, &resources)).await?;
        let there = found.iter().flatten().filter(|service| !is_draining(service));
        let read = there.map(Self::from_api).map(|(arn, service)| {
            let autoscaled = scalable(&arn).is_some_and(|resource| scaled.contains(&resource));
            (arn, Self { autoscaled, ..service })
        });
        Ok(read.collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let (Some(cluster), Some(name)) = (wanted.text("cluster"), wanted.text("name")) else { return Ok(None) };
        let found = Self::describe(aws, cluster, &[name.to_owned()]).await?;
        Ok(wanted.pick(found.into_iter().filter(|service| !is_draining(service)).filter_map(|service| service.service_arn)))
    }

    async fn create(aws: &Aws, operation: &Operation, to: &Self) -> Outcome<String> {
        let controller =
            api::DeploymentController::builder().r#type(api::DeploymentControllerType::from(to.deployment_controller.as_str()));
        let replica = to.scheduling_strategy == "REPLICA";
        let call = aws
            .ecs()
            .create_service()
            .client_token(&operation.token)
            .service_name(&to.name)
            .cluster(&to.cluster)
            .task_definition(&to.task_definition)
            .set_desired_count(replica.then_some(to.desired_count))
            .set_launch_type(to.launch_type.as_deref().map(api::LaunchType::from))
            .set_capacity_provider_strategy(Some(to.strategy()?).filter(|strategy| !strategy.is_empty()))
            .set_platform_version(to.platform_version.clone())
            .set_network_configuration(to.network_configuration.as_ref().map(NetworkConfiguration::to_api).transpose()?)
            .set_load_balancers(Some(to.balancers()).filter(|balancers| !balancers.is_empty()))
            .set_service_registries(Some(to.registries()).filter(|registries| !registries.is_empty()))
            .set_health_check_grace_period_seconds(
                (to.health_check_grace_period_seconds > 0).then_some(to.health_check_grace_period_seconds),
            )
            .set_service_connect_configuration(
                to.service_connect_configuration.as_ref().map(|connect| ServiceConnect::to_api(Some(connect))).transpose()?,
            )
            .set_volume_configurations(Some(to.volumes()?).filter(|volumes| !volumes.is_empty()))
            .deployment_configuration(to.deployment_configuration.to_api(&to.deployment_controller)?)
            .deployment_controller(controller.build().map_err(unbuilt)?)
            .enable_execute_command(to.enable_execute_command)
            .enable_ecs_managed_tags(to.enable_ecs_managed_tags)
            .propagate_tags(api::PropagateTags::from(to.propagate_tags.as_str()))
            .scheduling_strategy(api::SchedulingStrategy::from(to.scheduling_strategy.as_str()))
            .set_availability_zone_rebalancing(to.availability_zone_rebalancing.as_deref().map(api::AvailabilityZoneRebalancing::from))
            .set_tags(to_api(&to.tags));
        let made = match send_once!(aws_sdk_ecs, call).await.sent_once("ecs:CreateService") {
            // A service of this name is still being drained: once it is inactive the name is free.
            Err(failure) if says(&failure, &["InvalidParameterException"]) => {
                if Self::describe(aws, &to.cluster, std::slice::from_ref(&to.name)).await?.iter().any(is_draining) {
                    inactive(aws, operation, &to.cluster, &to.name).await.map_err(|_| failure.clone())?;
                    return Err(Failure { kind: FailureKind::Transient, ..failure });
                }
                return Err(failure);
            }
            made => made?,
        };
        made_id("ecs:CreateService", made.service().and_then(|service| service.service_arn()))
    }

    async fn update(aws: &Aws, operation: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self {
            task_definition,
            desired_count,
            capacity_provider_strategy,
            platform_version,
            network_configuration,
            load_balancers,
            service_registries,
            service_connect_configuration,
            volume_configurations,
            health_check_grace_period_seconds,
            deployment_configuration,
            enable_execute_command,
            enable_ecs_managed_tags,
            propagate_tags,
            availability_zone_rebalancing,
            tags,
            // What leoctl does after the call, not what is in it.
            rollout: _,
            name: _,
            cluster: _,
            launch_type: _,
            deployment_controller: _,
            scheduling_strategy: _,
            arn: _,
            autoscaled: _,
        } = to;
        let same_calls = Self { tags: from.tags.clone(), rollout: from.rollout.clone(), ..to.clone() };
        if same_calls != *from {
            let mut call = aws
                .ecs()
                .update_service()
                .cluster(&to.cluster)
                .service(id)
                .task_definition(task_definition)
                // Sent only when it changes: between plan and call autoscaling may have set another.
                .set_desired_count((*desired_count != from.desired_count).then_some(*desired_count))
                .set_network_configuration(network_configuration.as_ref().map(NetworkConfiguration::to_api).transpose()?)
                .health_check_grace_period_seconds(*health_check_grace_period_seconds)
                .deployment_configuration(deployment_configuration.to_api(&to.deployment_controller)?)
                .enable_execute_command(*enable_execute_command)
                .enable_ecs_managed_tags(*enable_ecs_managed_tags)
                .propagate_tags(api::PropagateTags::from(propagate_tags.as_str()))
                .set_availability_zone_rebalancing(availability_zone_rebalancing.as_deref().map(api::AvailabilityZoneRebalancing::from));
            if *platform_version != from.platform_version {
                call = call.set_platform_version(platform_version.clone());
            }
            // Each of these, when given, makes a new deployment.
            if *capacity_provider_strategy != from.capacity_provider_strategy {
                call = call.set_capacity_provider_strategy(Some(to.strategy()?)).force_new_deployment(true);
            }
            if *load_balancers != from.load_balancers {
                call = call.set_load_balancers(Some(to.balancers()));
            }
            if *service_registries != from.service_registries {
                call = call.set_service_registries(Some(to.registries()));
            }
            if *service_connect_configuration != from.service_connect_configuration {
                call = call.service_connect_configuration(ServiceConnect::to_api(service_connect_configuration.as_ref())?);
            }
            if *volume_configurations != from.volume_configurations {
                call = call.set_volume_configurations(Some(to.volumes()?));
            }
            match call.send().await.idempotent("ecs:UpdateService") {
                Err(failure) if says(&failure, &["ServiceNotActiveException"]) => return Err(drained(aws, operation, id, failure).await?),
                updated => drop(updated?),
            }
        }
        update_tags(aws, id, &from.tags, tags).await
    }

    async fn ready(aws: &Aws, operation: &Operation, id: &str, to: &Self) -> Outcome<()> {
        match to.rollout.as_str() {
            "wait" => rollout::wait(aws, operation, &to.cluster, id, &rollout::Deployment::Of(to.task_definition.clone())).await,
            _ => Ok(()),
        }
    }

    async fn changed(aws: &Aws, operation: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        Self::resumed(aws, operation, id, &quiet::differing(from, to), to).await
    }

    async fn resumed(aws: &Aws, operation: &Operation, id: &str, updating: &[String], to: &Self) -> Outcome<()> {
        match to.rollout.as_str() {
            // How the last deployment ended says nothing about the number of tasks.
            "wait" if quiet::begins_none(updating) => rollout::wait_for_count(aws, operation, &to.cluster, id).await,
            _ => Self::ready(aws, operation, id, to).await,
        }
    }

    async fn delete(aws: &Aws, operation: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        let cluster = cluster_of(id)?;
        let ids = [id.to_owned()];
        let draining = Self::describe(aws, &cluster, &ids).await?.iter().any(is_draining);
        if !draining {
            let call = aws.ecs().delete_service().cluster(&cluster).service(id).force(true);
            let codes = ["ServiceNotActiveException", "ServiceNotFoundException", "ClusterNotFoundException"];
            call.send().await.or_done("ecs:DeleteService", &codes)?;
        }
        // Until it is inactive its tasks hold network interfaces, and its name cannot be used again.
        inactive(aws, operation, &cluster, id).await
    }
}
