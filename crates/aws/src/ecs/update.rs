//! Changing a service: the calls carry what changes and nothing else, so that nothing is set back that something else in AWS has
//! set, and nothing is sent that ECS does not take of this service.

use aws_sdk_ecs::operation::update_service::builders::UpdateServiceInputBuilder;
use aws_sdk_ecs::types as api;

use super::attachment::NetworkConfiguration;
use super::connect::ServiceConnect;
use super::controller::ECS;
use super::service::EcsService;
use super::{quiet, rollout, unbuilt, update_tags};
use crate::client::Aws;
use crate::repeat::Changing;
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome};

/// Makes one service of another, and waits until it runs as it is to.
pub(super) async fn update(aws: &Aws, operation: &Operation, id: &str, from: &EcsService, to: &EcsService) -> Outcome<()> {
    let mut before = from;
    let between = halfway(from, to);
    if let Some(between) = &between {
        let updated = send(aws, id, before, between).await?;
        wait(aws, operation, id, before, between, updated.as_ref()).await?;
        before = between;
    }
    let updated = send(aws, id, before, to).await?;
    update_tags(aws, id, &before.tags, &to.tags).await?;
    wait(aws, operation, id, before, to, updated.as_ref()).await
}

/// What a service is first, on its way to another strategy: target groups change while it is the rolling one, which takes them
/// with and without another group (ECS Developer Guide, "Migrate to ECS blue/green deployments"), and one deployment ends before
/// the next change.
fn halfway(from: &EcsService, to: &EcsService) -> Option<EcsService> {
    let moves = |service: &EcsService| service.deployment_configuration.moves_requests();
    let (target_groups, deployment_configuration) = match (moves(from), moves(to)) {
        _ if from.load_balancers == to.load_balancers => return None,
        (false, true) => (to, from.deployment_configuration.clone()),
        (true, false) => (from, to.deployment_configuration.clone()),
        _ => return None,
    };
    let between = EcsService { deployment_configuration, tags: from.tags.clone(), rollout: to.rollout.clone(), ..target_groups.clone() };
    Some(between).filter(|between| between != to && between != from)
}

/// Makes the call, where there is one to be made; the service as ECS has answered.
async fn send(aws: &Aws, id: &str, from: &EcsService, to: &EcsService) -> Outcome<Option<api::Service>> {
    let Some(call) = input(id, from, to)? else { return Ok(None) };
    let updated = call.send_with(aws.ecs()).await.idempotent("ecs:UpdateService")?;
    updated.service.as_ref().map_or(Ok(()), |service| launched(service, to))?;
    Ok(updated.service)
}

/// Whether a service that has left its strategy runs on the launch type that is wanted: no document says which one that is of a
/// service that never had one.
fn launched(updated: &api::Service, to: &EcsService) -> Outcome<()> {
    let leaves = to.capacity_provider_strategy.as_ref().is_none_or(Vec::is_empty) && updated.capacity_provider_strategy().is_empty();
    match (to.launch_type.as_deref(), updated.launch_type().map(api::LaunchType::as_str)) {
        (Some(wanted), Some(live)) if leaves && wanted != live => Err(Failure {
            operation: "ecs:UpdateService".to_owned(),
            ..Failure::new(
                FailureKind::Other,
                format!(
                    "AWS has gone back to the launch type {live} where the capacity provider strategy was removed, and {wanted} is wanted. \
                     Only another service can have it: the next plan replaces this one. To keep it, write a \
                     `capacity_provider_strategy` with the provider {wanted}"
                ),
            )
        }),
        _ => Ok(()),
    }
}

/// The call that makes one service of another; none where that takes none.
fn input(id: &str, from: &EcsService, to: &EcsService) -> Outcome<Option<UpdateServiceInputBuilder>> {
    let EcsService {
        task_definition,
        desired_count,
        // What tasks run on.
        launch_type: _,
        capacity_provider_strategy: _,
        placement_constraints,
        placement_strategy,
        platform_version,
        network_configuration,
        load_balancers,
        vpc_lattice_configurations,
        service_registries,
        service_connect_configuration,
        volume_configurations,
        health_check_grace_period_seconds,
        deployment_configuration,
        deployment_controller,
        enable_execute_command,
        enable_ecs_managed_tags,
        propagate_tags,
        availability_zone_rebalancing,
        scheduling_strategy,
        // Set by calls of their own.
        tags: _,
        // What leoctl does after the call, not what is in it.
        rollout: _,
        name: _,
        cluster: _,
        role_arn: _,
        arn: _,
        autoscaled: _,
    } = to;
    let strategy = strategy(from, to)?;
    let daemon = scheduling_strategy == "DAEMON";
    let call = UpdateServiceInputBuilder::default()
        .set_task_definition(changed(task_definition, &from.task_definition).cloned().flatten())
        .set_desired_count(changed(desired_count, &from.desired_count).copied())
        // Without, tasks stay where they are until something else begins a deployment.
        .set_force_new_deployment(strategy.is_some().then_some(true))
        .set_capacity_provider_strategy(strategy)
        .set_placement_constraints(changed(placement_constraints, &from.placement_constraints).map(|_| to.constraints()))
        .set_placement_strategy(changed(placement_strategy, &from.placement_strategy).map(|_| to.placement()))
        .set_platform_version(changed(platform_version, &from.platform_version).cloned().flatten())
        .set_network_configuration(
            changed(network_configuration, &from.network_configuration)
                .and_then(Option::as_ref)
                .map(NetworkConfiguration::to_api)
                .transpose()?,
        )
        .set_load_balancers(changed(load_balancers, &from.load_balancers).map(|_| to.balancers()))
        .set_vpc_lattice_configurations(
            changed(vpc_lattice_configurations, &from.vpc_lattice_configurations).map(|_| to.lattices()).transpose()?,
        )
        .set_service_registries(changed(service_registries, &from.service_registries).map(|_| to.registries()))
        .set_service_connect_configuration(
            changed(service_connect_configuration, &from.service_connect_configuration)
                .map(|connect| ServiceConnect::to_api(connect.as_ref()))
                .transpose()?,
        )
        .set_volume_configurations(changed(volume_configurations, &from.volume_configurations).map(|_| to.volumes()).transpose()?)
        .set_health_check_grace_period_seconds(changed(health_check_grace_period_seconds, &from.health_check_grace_period_seconds).copied())
        .set_deployment_configuration(
            changed(deployment_configuration, &from.deployment_configuration)
                .map(|deployment| deployment.to_api(deployment_controller, daemon))
                .transpose()?,
        )
        .set_deployment_controller(changed(deployment_controller, &from.deployment_controller).map(|of| controller(of)).transpose()?)
        .set_enable_execute_command(changed(enable_execute_command, &from.enable_execute_command).copied())
        .set_enable_ecs_managed_tags(changed(enable_ecs_managed_tags, &from.enable_ecs_managed_tags).copied())
        .set_propagate_tags(changed(propagate_tags, &from.propagate_tags).map(|of| api::PropagateTags::from(of.as_str())))
        .set_availability_zone_rebalancing(
            changed(availability_zone_rebalancing, &from.availability_zone_rebalancing)
                .and_then(Option::as_deref)
                .map(api::AvailabilityZoneRebalancing::from),
        );
    let nothing = call == UpdateServiceInputBuilder::default();
    Ok((!nothing).then(|| call.cluster(&to.cluster).service(id)))
}

/// What something is to be, where that is not what it is.
fn changed<'a, T: PartialEq>(to: &'a T, from: &T) -> Option<&'a T> {
    (to != from).then_some(to)
}

fn controller(of: &str) -> Outcome<api::DeploymentController> {
    api::DeploymentController::builder().r#type(api::DeploymentControllerType::from(of)).build().map_err(unbuilt)
}

/// The strategy for the call, where tasks are to run on something else: an empty one goes back to the launch type (ECS API
/// Reference, UpdateService).
fn strategy(from: &EcsService, to: &EcsService) -> Outcome<Option<Vec<api::CapacityProviderStrategyItem>>> {
    let has_strategy = from.capacity_provider_strategy.as_ref().is_some_and(|strategy| !strategy.is_empty());
    match () {
        () if to.capacity_provider_strategy != from.capacity_provider_strategy => to.strategy().map(Some),
        // The strategy that is not written is still the live one.
        () if to.launch_type != from.launch_type && has_strategy => Ok(Some(Vec::new())),
        () => Ok(None),
    }
}

/// Waits for what an update has begun: the deployment that the answer to it names, or the number of tasks.
async fn wait(
    aws: &Aws,
    operation: &Operation,
    id: &str,
    from: &EcsService,
    to: &EcsService,
    updated: Option<&api::Service>,
) -> Outcome<()> {
    let Some(updated) = updated.filter(|_| to.rollout == "wait") else { return Ok(()) };
    match quiet::waits_for(&quiet::differing(from, to)) {
        quiet::Wait::Nothing => Ok(()),
        quiet::Wait::Deployment if to.deployment_controller == ECS => match begun(updated, to) {
            Some(deployment) => rollout::wait(aws, operation, &to.cluster, id, &deployment).await,
            None => rollout::wait_for_count(aws, operation, &to.cluster, id).await,
        },
        quiet::Wait::Count | quiet::Wait::Deployment => rollout::wait_for_count(aws, operation, &to.cluster, id).await,
    }
}

/// The deployment of an updated service: what a later look says may still be of the one before.
fn begun(updated: &api::Service, to: &EcsService) -> Option<rollout::Deployment> {
    let newest = updated.deployments().iter().find(|deployment| deployment.status() == Some("PRIMARY"));
    let id = newest.and_then(|newest| newest.id()).map(|id| rollout::Deployment::Id(id.to_owned()));
    id.or_else(|| to.task_definition.clone().map(rollout::Deployment::Of))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(change: impl FnOnce(&mut EcsService)) -> EcsService {
        let network = api::AwsVpcConfiguration::builder().subnets("subnet-1").build().unwrap();
        let service = api::Service::builder().service_name("web").cluster_arn("c").task_definition("t:1").desired_count(2);
        let service = service.network_configuration(api::NetworkConfiguration::builder().awsvpc_configuration(network).build());
        let (_, mut service) = EcsService::from_api(&service.build());
        change(&mut service);
        service
    }

    fn call(from: &EcsService, to: &EcsService) -> Option<UpdateServiceInputBuilder> {
        input("id", from, to).unwrap()
    }

    fn only() -> UpdateServiceInputBuilder {
        UpdateServiceInputBuilder::default().cluster("c").service("id")
    }

    #[test]
    fn a_call_carries_what_changes_and_nothing_else() {
        let before = service(|_| ());
        let to = |change: fn(&mut EcsService)| call(&before, &service(change));
        assert_eq!(to(|service| service.desired_count = 3), Some(only().desired_count(3)));
        assert_eq!(to(|service| service.task_definition = Some("t:2".to_owned())), Some(only().task_definition("t:2")));
        assert_eq!(to(|service| service.enable_execute_command = true), Some(only().enable_execute_command(true)));
        assert_eq!(to(|service| service.health_check_grace_period_seconds = 30), Some(only().health_check_grace_period_seconds(30)));
        assert_eq!(to(|service| service.rollout = "none".to_owned()), None);
        assert_eq!(to(|service| drop(service.tags.insert("a".to_owned(), "b".to_owned()))), None);
    }

    #[test]
    fn launch_type_strategy_and_controller_change_in_place() {
        let item = || super::super::cluster::StrategyItem { capacity_provider: "FARGATE_SPOT".to_owned(), weight: 1, base: 0 };
        let launched = service(|service| service.launch_type = Some("FARGATE".to_owned()));
        let provided = |launch_type: Option<&str>| {
            service(|service| {
                service.launch_type = launch_type.map(str::to_owned);
                service.capacity_provider_strategy = Some(vec![item()]);
            })
        };
        // The launch type that is not written is the live one until the call.
        let strategy = only().capacity_provider_strategy(item().to_api().unwrap()).force_new_deployment(true);
        assert_eq!(call(&launched, &provided(Some("FARGATE"))), Some(strategy));
        let back = only().set_capacity_provider_strategy(Some(Vec::new())).force_new_deployment(true);
        assert_eq!(
            call(&provided(None), &provided(Some("FARGATE"))),
            Some(back.clone()),
            "the strategy that is not written is the live one"
        );
        assert_eq!(call(&provided(None), &launched), Some(back), "an empty one is written");
        let deployed = service(|service| service.deployment_controller = "CODE_DEPLOY".to_owned());
        let ecs = api::DeploymentController::builder().r#type(api::DeploymentControllerType::Ecs).build().unwrap();
        assert_eq!(call(&deployed, &service(|_| ())), Some(only().deployment_controller(ecs)));
    }

    #[test]
    fn another_launch_type_than_the_wanted_one_after_a_strategy_is_said() {
        let fargate = service(|service| service.launch_type = Some("FARGATE".to_owned()));
        let live = |launch: &str| launched(&api::Service::builder().launch_type(launch.into()).build(), &fargate).err();
        assert!(live("FARGATE").is_none());
        let said = live("EC2").unwrap().message;
        assert!(said.contains("launch type EC2") && said.contains("FARGATE is wanted"), "{said}");
        let item = api::CapacityProviderStrategyItem::builder().capacity_provider("FARGATE").build().unwrap();
        let provided = api::Service::builder().launch_type(api::LaunchType::Ec2).capacity_provider_strategy(item).build();
        assert!(launched(&provided, &fargate).is_ok(), "what is shown beside a strategy is not what tasks run on");
    }

    #[test]
    fn what_began_is_the_deployment_of_the_answer() {
        let deployment = |id: &str, status: &str| api::Deployment::builder().id(id).status(status).task_definition("t:1").build();
        let answer = api::Service::builder().deployments(deployment("ecs-svc/1", "ACTIVE")).deployments(deployment("ecs-svc/2", "PRIMARY"));
        assert_eq!(begun(&answer.build(), &service(|_| ())), Some(rollout::Deployment::Id("ecs-svc/2".to_owned())));
        let silent = api::Service::builder().build();
        assert_eq!(begun(&silent, &service(|_| ())), Some(rollout::Deployment::Of("t:1".to_owned())));
    }

    #[test]
    fn classic_load_balancers_stay_when_something_else_changes() {
        let classic = || api::LoadBalancer::builder().load_balancer_name("classic").container_name("web").container_port(80).build();
        let group = || api::LoadBalancer::builder().target_group_arn("blue").container_name("web").container_port(80).build();
        let of = |balancers: Vec<api::LoadBalancer>, count: i32| {
            EcsService::from_api(&api::Service::builder().set_load_balancers(Some(balancers)).desired_count(count).build()).1
        };
        let sent = call(&of(vec![classic()], 1), &of(vec![classic()], 2)).unwrap();
        assert_eq!(sent.get_load_balancers(), &None);
        let sent = call(&of(vec![classic()], 1), &of(vec![classic(), group()], 1)).unwrap();
        assert_eq!(sent.get_load_balancers(), &Some(vec![classic(), group()]));
    }

    #[test]
    fn what_chooses_instances_is_told_when_it_changes_and_taken_away_by_nothing() {
        let service = |placed: bool| {
            let constraint = api::PlacementConstraint::builder().r#type(api::PlacementConstraintType::DistinctInstance).build();
            let strategy = api::PlacementStrategy::builder().r#type(api::PlacementStrategyType::Binpack).field("cpu").build();
            let service = api::Service::builder().set_placement_constraints(placed.then(|| vec![constraint]));
            EcsService::from_api(&service.set_placement_strategy(placed.then(|| vec![strategy])).build()).1
        };
        let sent = call(&service(false), &service(true)).unwrap();
        assert_eq!(
            (sent.get_placement_constraints().iter().flatten().count(), sent.get_placement_strategy().iter().flatten().count()),
            (1, 1)
        );
        let taken = call(&service(true), &service(false)).unwrap();
        assert_eq!((taken.get_placement_constraints(), taken.get_placement_strategy()), (&Some(Vec::new()), &Some(Vec::new())));
        assert_eq!(call(&service(true), &service(true)), None);
    }

    #[test]
    fn another_strategy_and_its_target_groups_are_two_calls() {
        let balanced = |strategy: &str, advanced: bool| {
            let alternate = api::AdvancedConfiguration::builder().alternate_target_group_arn("green").build();
            let balancer = api::LoadBalancer::builder().target_group_arn("blue").container_name("web").container_port(80);
            let balancer = balancer.set_advanced_configuration(advanced.then_some(alternate)).build();
            let configuration = api::DeploymentConfiguration::builder().strategy(strategy.into()).build();
            EcsService::from_api(&api::Service::builder().load_balancers(balancer).deployment_configuration(configuration).build()).1
        };
        let (rolling, ready, green) = (balanced("ROLLING", false), balanced("ROLLING", true), balanced("BLUE_GREEN", true));
        assert_eq!(halfway(&rolling, &green), Some(ready.clone()));
        assert_eq!(halfway(&green, &rolling), Some(ready.clone()));
        assert_eq!(halfway(&ready, &green), None);
        assert_eq!(halfway(&rolling, &ready), None);
    }
}
