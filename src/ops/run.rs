//! Running a task on demand.

use aws_sdk_ecs::types as api;

use super::Deployed;
use super::placement::{Placement, RunsOn};
use super::task::Task;
use super::task_definition::{Container, TaskDefinition};
use leoctl_aws::error::unbuilt;
use leoctl_aws::repeat::Changing;
use leoctl_core::engine::ports::{Failure, FailureKind, Outcome};

/// What is run.
#[derive(Clone)]
pub struct Request<'a> {
    /// The task definition.
    pub definition: &'a TaskDefinition,
    /// The container the rest is for.
    pub container: &'a Container,
    /// Where.
    pub placement: &'a Placement,
    /// How many tasks.
    pub count: i32,
    /// More environment variables. Their values may be secret.
    pub environment: &'a [(String, String)],
    /// The command, when it is not the container's own.
    pub command: &'a [String],
}

/// Starts the tasks. However often a lost answer has it sent, they are started once.
///
/// # Errors
/// When AWS refuses, or starts none.
pub async fn start(deployed: &Deployed<'_>, request: &Request<'_>) -> Outcome<(Vec<Task>, Vec<String>)> {
    let site = &request.definition.site;
    let aws = deployed.provider.at(site)?;
    let network = request.definition.awsvpc.then(|| network(request.placement)).transpose()?;
    let (launch, providers) = runs_on(request)?;
    let call = aws
        .ecs()
        .run_task()
        .cluster(&request.placement.cluster)
        .task_definition(&request.definition.arn)
        .set_launch_type(launch)
        .set_capacity_provider_strategy(providers)
        .count(request.count)
        .client_token(uuid::Uuid::new_v4().to_string())
        .started_by("leoctl")
        .set_overrides(overrides(request))
        .set_network_configuration(network);
    // With the same token, ECS answers with the tasks it has started already (ECS API Reference, RunTask).
    let started = call.send().await.idempotent("ecs:RunTask")?;
    let tasks: Vec<Task> = started.tasks.unwrap_or_default().into_iter().map(|task| Task::new(task, &site.region)).collect();
    let failures: Vec<String> = started.failures.unwrap_or_default().iter().map(words).collect();
    if tasks.is_empty() {
        let message = if failures.is_empty() { "ECS started no task, and does not say why".to_owned() } else { failures.join("\n") };
        return Err(Failure { operation: "ecs:RunTask".to_owned(), ..Failure::new(FailureKind::Other, message) });
    }
    Ok((tasks, failures))
}

/// What the task runs on: as the service's that it belongs with, where that can be; else what its definition is for. With neither
/// a launch type nor providers, the cluster's default strategy would decide (ECS API Reference, RunTask).
fn runs_on(request: &Request<'_>) -> Outcome<(Option<api::LaunchType>, Option<Vec<api::CapacityProviderStrategyItem>>)> {
    let by_definition = if request.definition.fargate { api::LaunchType::Fargate } else { api::LaunchType::Ec2 };
    Ok(match request.placement.runs_on.as_ref().filter(|runs_on| runs_on.takes(request.definition)) {
        None => (Some(by_definition), None),
        Some(RunsOn::Launch(launch)) => (Some(api::LaunchType::from(launch.as_str())), None),
        Some(RunsOn::Providers(providers)) => {
            let items = providers.iter().map(|(name, weight, base)| {
                let item = api::CapacityProviderStrategyItem::builder().capacity_provider(name).weight(*weight).base(*base);
                item.build().map_err(unbuilt)
            });
            (None, Some(items.collect::<Outcome<_>>()?))
        }
    })
}

fn words(failure: &api::Failure) -> String {
    let parts = [failure.reason(), failure.detail(), failure.arn()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
}

fn network(placement: &Placement) -> Outcome<api::NetworkConfiguration> {
    let public = if placement.public { api::AssignPublicIp::Enabled } else { api::AssignPublicIp::Disabled };
    let groups: Vec<String> = placement.security_groups.iter().cloned().collect();
    let vpc = api::AwsVpcConfiguration::builder()
        .set_subnets(Some(placement.subnets.iter().cloned().collect()))
        .set_security_groups(Some(groups).filter(|groups| !groups.is_empty()))
        .assign_public_ip(public);
    let vpc = vpc.build().map_err(unbuilt)?;
    Ok(api::NetworkConfiguration::builder().awsvpc_configuration(vpc).build())
}

fn overrides(request: &Request<'_>) -> Option<api::TaskOverride> {
    if request.environment.is_empty() && request.command.is_empty() {
        return None;
    }
    let variable = |(name, value): &(String, String)| api::KeyValuePair::builder().name(name).value(value).build();
    let environment: Vec<_> = request.environment.iter().map(variable).collect();
    let container = api::ContainerOverride::builder()
        .name(&request.container.name)
        .set_environment(Some(environment).filter(|all| !all.is_empty()))
        .set_command(Some(request.command.to_vec()).filter(|words| !words.is_empty()));
    Some(api::TaskOverride::builder().container_overrides(container.build()).build())
}

/// How a task that has stopped ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The container exited with this.
    Exited(i32),
    /// It did not get that far, or was stopped; why.
    Broken(String),
}

/// How a task that has stopped ended, by this container.
pub fn ending(task: &Task, container: &str) -> Ending {
    let code = task.container(container).and_then(api::Container::exit_code).filter(|_| !task.never_started());
    code.map_or_else(|| Ending::Broken(task.why_stopped().unwrap_or_default()), Ending::Exited)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stopped(code: Option<i32>, why: api::TaskStopCode) -> Task {
        let container = api::Container::builder().name("gen").set_exit_code(code).build();
        let task = api::Task::builder().last_status("STOPPED").stop_code(why).stopped_reason("no image").containers(container);
        Task::new(task.build(), "r")
    }

    #[test]
    fn a_task_ends_with_its_container_s_exit_code_or_the_reason_there_is_none() {
        let exited = api::TaskStopCode::EssentialContainerExited;
        assert_eq!(ending(&stopped(Some(3), exited), "gen"), Ending::Exited(3));
        let broken = Ending::Broken("TaskFailedToStart: no image".to_owned());
        assert_eq!(ending(&stopped(None, api::TaskStopCode::TaskFailedToStart), "gen"), broken);
    }
}
