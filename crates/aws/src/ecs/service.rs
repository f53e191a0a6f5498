//! The resource type `ecs_service`.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_ecs::types as api;
use futures_util::future::{try_join, try_join_all};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::attachment::{CONTAINERS, NetworkConfiguration, ServiceLoadBalancer, ServiceRegistry, ServiceVolume};
use super::cluster::StrategyItem;
use super::connect::ServiceConnect;
use super::deployment::DeploymentConfiguration;
use super::lattice::VpcLattice;
use super::placement::{PlacementConstraint, PlacementStrategy};
use super::{controller, deployment, from_api, quiet, rebalancing, rollout, to_api, unbuilt, update};
use crate::appautoscaling::scaled_services;
use crate::client::{Aws, send_once};
use crate::error::{OrAbsent, OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::{Changing, says};
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome, Wanted};
use leoctl_core::engine::usual::Usual;
use leoctl_core::model::path::Path;
use leoctl_core::model::schema::{After, Governed, Governs, Refusal};
use leoctl_core::model::value::Value;

/// Tasks that are kept running, behind a load balancer if wanted.
///
/// Import by ARN: `arn:aws:ecs:…:service/CLUSTER/NAME`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EcsService {
    /// The name, unique in the cluster.
    #[schemars(extend("x-replace" = true, "pattern" = "^[a-zA-Z0-9_-]+$", "x-form" = "letters, digits, hyphens and underscores"), length(max = 255))]
    pub(super) name: String,
    /// The cluster's ARN.
    #[schemars(extend("x-replace" = true, "x-format" = "arn:ecs"))]
    pub(super) cluster: String,
    /// The ARN of the task definition's revision; not of a service with the controller `EXTERNAL`.
    #[schemars(extend("x-format" = "arn:ecs"))]
    pub(super) task_definition: Option<String>,
    /// How many tasks run. While the service has an `appautoscaling_target` (of this stack or not), this is only how
    /// many it begins with: from then on Application Auto Scaling sets the number, whatever is written here is not
    /// compared with it, and no apply resets it. When the target goes, what is written here counts again.
    #[schemars(extend("default" = 1), range(min = 0))]
    pub(super) desired_count: i32,
    /// What tasks run on; not together with `capacity_provider_strategy`, by which alone they run on `MANAGED_INSTANCES`. It changes
    /// to one and back in place; another launch type replaces the service.
    #[schemars(extend(
        "x-server" = true,
        "x-follows" = ["capacity_provider_strategy"],
        "enum" = ["FARGATE", "EC2", "EXTERNAL", "MANAGED_INSTANCES"],
    ))]
    pub(super) launch_type: Option<String>,
    // AWS gives the service the cluster's strategy when it is made (ECS API Reference, CreateService).
    /// Which capacity providers tasks run on, instead of `launch_type`. Where neither is written and the cluster has a
    /// default strategy, the service takes that when it is made, and keeps it.
    #[schemars(extend("x-server" = true, "x-key" = "capacity_provider", "x-follows" = ["launch_type"]))]
    pub(super) capacity_provider_strategy: Option<Vec<StrategyItem>>,
    /// Which instances tasks may run on; not on Fargate. `[]` for any; left out, they stay.
    #[schemars(extend("x-server" = true, "x-set" = true))]
    pub(super) placement_constraints: Option<Vec<PlacementConstraint>>,
    /// Which of these instances a task gets, the first strategy before the next; not on Fargate. `[]` for none; left out, it stays.
    #[schemars(extend("x-server" = true))]
    pub(super) placement_strategy: Option<Vec<PlacementStrategy>>,
    /// Fargate's version.
    #[schemars(extend("x-server" = true))]
    pub(super) platform_version: Option<String>,
    /// Where tasks are in the network.
    pub(super) network_configuration: Option<NetworkConfiguration>,
    /// The target groups tasks are registered in.
    #[schemars(extend("default" = [], "x-set" = true))]
    pub(super) load_balancers: Vec<ServiceLoadBalancer>,
    /// The target groups of VPC Lattice tasks are registered in. `[]` for none; left out, they stay.
    #[schemars(extend("x-server" = true, "x-set" = true))]
    pub(super) vpc_lattice_configurations: Option<Vec<VpcLattice>>,
    /// The role with which ECS registers tasks in target groups; ECS's own when left out, as it has to be with the network mode
    /// `awsvpc`.
    #[schemars(extend("x-server" = true, "x-replace" = true, "x-format" = "arn:iam"))]
    pub(super) role_arn: Option<String>,
    /// The Cloud Map services tasks are registered in.
    #[schemars(extend("default" = [], "x-set" = true))]
    pub(super) service_registries: Vec<ServiceRegistry>,
    /// How it reaches other services by name, and is reached.
    pub(super) service_connect_configuration: Option<ServiceConnect>,
    /// The disks each task gets.
    #[schemars(extend("default" = [], "x-key" = "name"))]
    pub(super) volume_configurations: Vec<ServiceVolume>,
    /// Seconds after a task's start in which failing health checks do not count.
    #[schemars(extend("default" = 0), range(min = 0))]
    pub(super) health_check_grace_period_seconds: i32,
    /// How tasks are exchanged.
    #[schemars(extend("default" = {}))]
    pub(super) deployment_configuration: DeploymentConfiguration,
    /// Who exchanges tasks: ECS itself, CodeDeploy, or a tool of your own. With the last two the task definition, load
    /// balancers, network and whatever else UpdateService does not take are for the service's creation at most, and not
    /// compared: their deployments set them.
    #[schemars(extend("default" = "ECS", "enum" = ["ECS", "CODE_DEPLOY", "EXTERNAL"]))]
    pub(super) deployment_controller: String,
    /// Whether `execute-command` works in tasks.
    #[schemars(extend("default" = false))]
    pub(super) enable_execute_command: bool,
    /// Whether ECS tags tasks with cluster and service.
    #[schemars(extend("default" = false))]
    pub(super) enable_ecs_managed_tags: bool,
    /// Whose tags tasks get.
    #[schemars(extend("default" = "NONE", "enum" = ["NONE", "SERVICE", "TASK_DEFINITION"]))]
    pub(super) propagate_tags: String,
    /// `REPLICA` keeps so many, `DAEMON` one on each instance.
    #[schemars(extend("default" = "REPLICA", "x-replace" = true, "enum" = ["REPLICA", "DAEMON"]))]
    pub(super) scheduling_strategy: String,
    /// Whether tasks are spread over zones again when they have gathered in one: of services with more than 100 percent of tasks
    /// at most, and without the strategy `DAEMON`, the launch type `EXTERNAL`, classic load balancers and constraints on zones.
    /// Left out, AWS does so for new services where it can.
    #[schemars(extend("x-server" = true, "enum" = ["ENABLED", "DISABLED"]))]
    pub(super) availability_zone_rebalancing: Option<String>,
    /// `wait` for the deployment's verdict, or `none` when no image has been pushed yet.
    #[schemars(extend("default" = "wait", "x-local" = true, "enum" = ["wait", "none"]))]
    #[serde(default = "wait")]
    pub(super) rollout: String,
    /// Tags.
    #[schemars(extend("default" = {}))]
    pub(super) tags: Tags,
    /// The ARN, which is also the id.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    pub(super) arn: String,
    /// Whether Application Auto Scaling sets `desired_count`: whether it has a scalable target of the service. Nothing when
    /// it may not be asked: then the number is left as it is, too.
    #[schemars(extend("x-computed" = true))]
    pub(super) autoscaled: Option<bool>,
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
        let controller = service.deployment_controller().map_or(controller::ECS, |controller| controller.r#type().as_str());
        let read = Self {
            name: service.service_name().unwrap_or_default().to_owned(),
            cluster: service.cluster_arn().unwrap_or_default().to_owned(),
            task_definition: service.task_definition().map(str::to_owned),
            desired_count: service.desired_count(),
            launch_type,
            capacity_provider_strategy: Some(strategy),
            placement_constraints: Some(service.placement_constraints().iter().map(PlacementConstraint::from_api).collect()),
            placement_strategy: Some(service.placement_strategy().iter().map(PlacementStrategy::from_api).collect()),
            platform_version: service.platform_version().map(str::to_owned),
            network_configuration: service.network_configuration().and_then(NetworkConfiguration::from_api),
            load_balancers: controller::balancers(service),
            vpc_lattice_configurations: newest.map(|newest| newest.vpc_lattice_configurations().iter().map(VpcLattice::from_api).collect()),
            role_arn: service.role_arn().filter(|role| !role.is_empty()).map(str::to_owned),
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
            autoscaled: Some(false),
        };
        (id_of(service), read)
    }

    /// Services of one cluster, at most ten; deleted ones left out.
    async fn describe(aws: &Aws, cluster: &str, asked_for: &[String]) -> Outcome<Vec<api::Service>> {
        let call = aws.ecs().describe_services().cluster(cluster).set_services(Some(asked_for.to_vec())).include(api::ServiceField::Tags);
        let services = match call.send().await.or_fail("ecs:DescribeServices") {
            // That one is not found says nothing of the others.
            Err(failure) if says(&failure, &["ServiceNotFoundException"]) && asked_for.len() > 1 => {
                let alone = asked_for.iter().map(|one| Box::pin(Self::describe(aws, cluster, std::slice::from_ref(one))));
                return Ok(try_join_all(alone).await?.into_iter().flatten().collect());
            }
            found => found.or_absent()?.and_then(|found| found.services).unwrap_or_default(),
        };
        // A deleted service is described as INACTIVE for a while.
        let is_asked = |service: &api::Service| {
            let names = [service.service_arn().map(str::to_owned), service.service_name().map(str::to_owned), Some(id_of(service))];
            asked_for.iter().any(|asked| names.iter().flatten().any(|name| name == asked))
        };
        Ok(services.into_iter().filter(|service| is_asked(service) && service.status() != Some("INACTIVE")).collect())
    }

    pub(super) fn balancers(&self) -> Vec<api::LoadBalancer> {
        self.load_balancers.iter().map(ServiceLoadBalancer::to_api).collect()
    }

    pub(super) fn registries(&self) -> Vec<api::ServiceRegistry> {
        self.service_registries.iter().map(ServiceRegistry::to_api).collect()
    }

    pub(super) fn lattices(&self) -> Outcome<Vec<api::VpcLatticeConfiguration>> {
        self.vpc_lattice_configurations.iter().flatten().map(VpcLattice::to_api).collect()
    }

    pub(super) fn constraints(&self) -> Vec<api::PlacementConstraint> {
        self.placement_constraints.iter().flatten().map(PlacementConstraint::to_api).collect()
    }

    pub(super) fn placement(&self) -> Vec<api::PlacementStrategy> {
        self.placement_strategy.iter().flatten().map(PlacementStrategy::to_api).collect()
    }

    pub(super) fn volumes(&self) -> Outcome<Vec<api::ServiceVolumeConfiguration>> {
        self.volume_configurations.iter().map(ServiceVolume::to_api).collect()
    }

    pub(super) fn strategy(&self) -> Outcome<Vec<api::CapacityProviderStrategyItem>> {
        self.capacity_provider_strategy.iter().flatten().map(StrategyItem::to_api).collect()
    }
}

/// The cluster in a service's ARN (`…:service/CLUSTER/NAME`).
fn cluster_of(arn: &str) -> Outcome<String> {
    let mut parts = arn.rsplit('/');
    let (_, cluster) = (parts.next(), parts.next());
    let known = cluster.filter(|_| parts.next().is_some());
    known.map(str::to_owned).ok_or_else(|| {
        let message =
            format!("`{arn}` is not the ARN of a service in a cluster, which is `arn:…:service/CLUSTER/NAME`: write it with its cluster");
        Failure::new(FailureKind::Invalid, message)
    })
}

/// The id of a service: its ARN, with its cluster. Services made before 2021 may have an ARN without (ECS Developer Guide,
/// "Amazon Resource Names (ARNs) and IDs").
pub(super) fn id_of(service: &api::Service) -> String {
    let arn = service.service_arn().unwrap_or_default();
    match (arn.split_once(":service/"), service.cluster_arn().and_then(|cluster| cluster.rsplit_once('/'))) {
        (Some((before, name)), Some((_, cluster))) if !name.contains('/') => format!("{before}:service/{cluster}/{name}"),
        _ => arn.to_owned(),
    }
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
        // A deployment that is just ending.
        transient: &[Retry::after("InvalidParameterException", &["ecs:DeleteService"])],
        // A role or a listener made a moment ago.
        propagating: &[
            Retry::after("InvalidParameterException", &["ecs:CreateService", "ecs:UpdateService"]),
            Retry::after("ClusterNotFoundException", &["ecs:CreateService"]),
        ],
        unique: &[&["cluster", "name"]],
        // ECS takes only a target group that a load balancer routes to (ECS API Reference, CreateService).
        after: &[
            After { type_name: "lb_listener", through: "lb_target_group" },
            After { type_name: "lb_listener_rule", through: "lb_target_group" },
            // Its tasks need the way to their images, and what they mount, as soon as they start.
            After { type_name: "route_table", through: "subnet" },
            After { type_name: "default_route_table", through: "vpc" },
            After { type_name: "efs_mount_target", through: "efs_file_system" },
        ],
        named_in: CONTAINERS,
        timeout: 1800,
        // An estimate: images are pulled, health checks pass, and those that go have 5 minutes for their last requests (ELBv2
        // API Reference, `deregistration_delay.timeout_seconds`).
        usual: Usual::of((60, 600), (60, 600), (30, 600)),
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
            Grant::pass("deployment_configuration.lifecycle_hooks.role_arn", "ecs.amazonaws.com"),
            Grant::pass("load_balancers.advanced_configuration.role_arn", "ecs.amazonaws.com"),
            Grant::pass("role_arn", "ecs.amazonaws.com"),
            Grant::pass("service_connect_configuration.services.tls.role_arn", "ecs.amazonaws.com"),
            Grant::pass("volume_configurations.managed_ebs_volume.role_arn", "ecs.amazonaws.com"),
            Grant::pass("vpc_lattice_configurations.role_arn", "ecs.amazonaws.com"),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        controller::problems(desired)
    }

    fn governed(live: &Value, wanted: &Value) -> Vec<Governed> {
        controller::governed(live, wanted)
    }

    fn governs(live: &Value) -> Vec<Governs> {
        controller::governs(live)
    }

    fn refuses(before: &Value, after: &Value) -> Option<Refusal> {
        rebalancing::refusal(before, after)
    }

    fn replaces(before: &Value, after: &Value) -> &'static [&'static str] {
        controller::replaces(before, after)
    }

    fn takes(wanted: &Value) -> Duration {
        deployment::takes(wanted.get("deployment_configuration").unwrap_or(&Value::Null))
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
            let autoscaled = scaled.as_ref().map(|scaled| scalable(&arn).is_some_and(|resource| scaled.contains(&resource)));
            (arn, Self { autoscaled, ..service })
        });
        Ok(read.collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let (Some(cluster), Some(name)) = (wanted.text("cluster"), wanted.text("name")) else { return Ok(None) };
        let found = Self::describe(aws, cluster, &[name.to_owned()]).await?;
        Ok(wanted.pick(found.iter().filter(|service| !is_draining(service)).map(id_of)))
    }

    async fn create(aws: &Aws, operation: &Operation, to: &Self) -> Outcome<String> {
        let controller =
            api::DeploymentController::builder().r#type(api::DeploymentControllerType::from(to.deployment_controller.as_str()));
        let daemon = to.scheduling_strategy == "DAEMON";
        let strategy = to.strategy()?;
        // A daemon runs on instances only, whatever the cluster's default strategy says.
        let launch_type = to.launch_type.as_deref().or((daemon && strategy.is_empty()).then_some("EC2"));
        let call = aws
            .ecs()
            .create_service()
            .client_token(&operation.token)
            .service_name(&to.name)
            .cluster(&to.cluster)
            .set_task_definition(to.task_definition.clone())
            .set_desired_count((!daemon).then_some(to.desired_count))
            .set_launch_type(launch_type.filter(|_| to.deployment_controller != controller::EXTERNAL).map(api::LaunchType::from))
            .set_capacity_provider_strategy(Some(strategy).filter(|strategy| !strategy.is_empty()))
            .set_placement_constraints(Some(to.constraints()).filter(|constraints| !constraints.is_empty()))
            .set_placement_strategy(Some(to.placement()).filter(|strategies| !strategies.is_empty()))
            .set_platform_version(to.platform_version.clone())
            .set_network_configuration(to.network_configuration.as_ref().map(NetworkConfiguration::to_api).transpose()?)
            .set_load_balancers(Some(to.balancers()).filter(|balancers| !balancers.is_empty()))
            .set_vpc_lattice_configurations(Some(to.lattices()?).filter(|lattices| !lattices.is_empty()))
            .set_role(to.role_arn.clone())
            .set_service_registries(Some(to.registries()).filter(|registries| !registries.is_empty()))
            .set_health_check_grace_period_seconds(
                (to.health_check_grace_period_seconds > 0).then_some(to.health_check_grace_period_seconds),
            )
            .set_service_connect_configuration(
                to.service_connect_configuration.as_ref().map(|connect| ServiceConnect::to_api(Some(connect))).transpose()?,
            )
            .set_volume_configurations(Some(to.volumes()?).filter(|volumes| !volumes.is_empty()))
            .deployment_configuration(to.deployment_configuration.to_api(&to.deployment_controller, daemon)?)
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
        made_id("ecs:CreateService", made.service().map(id_of).as_deref())
    }

    async fn update(aws: &Aws, operation: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        match update::update(aws, operation, id, from, to).await {
            Err(failure) if says(&failure, &["ServiceNotActiveException"]) => Err(drained(aws, operation, id, failure).await?),
            updated => updated,
        }
    }

    async fn ready(aws: &Aws, operation: &Operation, id: &str, to: &Self) -> Outcome<()> {
        match &to.task_definition {
            _ if to.rollout != "wait" => Ok(()),
            Some(task_definition) if to.deployment_controller == controller::ECS => {
                rollout::wait(aws, operation, &to.cluster, id, &rollout::Deployment::Of(task_definition.clone())).await
            }
            _ => rollout::wait_for_count(aws, operation, &to.cluster, id).await,
        }
    }

    /// The update itself has waited: it knows which deployment it began.
    async fn changed(_: &Aws, _: &Operation, _: &str, _: &Self, _: &Self) -> Outcome<()> {
        Ok(())
    }

    async fn resumed(aws: &Aws, operation: &Operation, id: &str, updating: &[String], to: &Self) -> Outcome<()> {
        match quiet::waits_for(updating) {
            quiet::Wait::Nothing => Ok(()),
            // How the last deployment ended says nothing about the number of tasks.
            quiet::Wait::Count if to.rollout == "wait" => rollout::wait_for_count(aws, operation, &to.cluster, id).await,
            quiet::Wait::Count | quiet::Wait::Deployment => Self::ready(aws, operation, id, to).await,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_known_by_its_arn_with_its_cluster() {
        let service =
            |arn: &str| api::Service::builder().service_arn(arn).service_name("web").cluster_arn("arn:aws:ecs:r:1:cluster/c").build();
        let long = "arn:aws:ecs:r:1:service/c/web";
        assert_eq!(id_of(&service("arn:aws:ecs:r:1:service/web")), long);
        assert_eq!(id_of(&service(long)), long);
        assert_eq!(cluster_of(long).unwrap(), "c");
        let failure = cluster_of("arn:aws:ecs:r:1:service/web").unwrap_err();
        assert!(failure.message.ends_with("write it with its cluster"), "{}", failure.message);
    }
}
