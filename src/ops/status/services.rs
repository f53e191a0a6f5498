//! Services: how many tasks run, where their deployments stand, and what ECS said lately.

use std::collections::BTreeMap;

use aws_sdk_ecs::types as api;
use futures_util::future::try_join_all;
use jiff::Timestamp;
use serde::Serialize;

use super::time;
use crate::ops::{Deployed, scale, service};
use leoctl_aws::client::Aws;
use leoctl_aws::error::{OrAbsent, OrFail};
use leoctl_core::engine::ports::{Failure, Outcome};
use leoctl_core::model::address::Address;
use leoctl_core::model::place::Site;

/// Most services that DescribeServices takes in one call (ECS API Reference).
const BATCH: usize = 10;
/// How many of a service's events are kept, of the hundred that ECS returns.
const EVENTS: usize = 10;

/// A service.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Service {
    /// Its address.
    pub address: Address,
    /// Its name in ECS.
    pub name: String,
    /// The region it is in.
    pub region: String,
    /// Its cluster's name.
    pub cluster: String,
    /// Its ARN.
    pub arn: String,
    /// `ACTIVE`, `DRAINING`, `INACTIVE`, or `MISSING` when ECS has none.
    pub status: String,
    /// How many tasks it is to have.
    pub desired: i32,
    /// How many it has been scaled to by hand, whatever its stack file says.
    pub scaled_to: Option<i64>,
    /// How many run.
    pub running: i32,
    /// How many are being started.
    pub pending: i32,
    /// Its deployments, the newest first.
    pub deployments: Vec<Deployment>,
    /// What ECS said lately, the newest first.
    pub events: Vec<Event>,
}

/// A deployment of a service.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Deployment {
    /// Its id.
    pub id: String,
    /// `PRIMARY` for the newest, `ACTIVE` for one whose tasks are being replaced.
    pub status: String,
    /// The task definition it runs, as `family:revision`.
    pub task_definition: String,
    /// `IN_PROGRESS`, `COMPLETED` or `FAILED`; none where ECS does not control deployments.
    pub rollout: Option<String>,
    /// ECS's words about it.
    pub reason: Option<String>,
    /// How many tasks it is to have.
    pub desired: i32,
    /// How many run.
    pub running: i32,
    /// How many are being started.
    pub pending: i32,
    /// How many failed.
    pub failed: i32,
    /// When it began.
    pub created_at: Option<Timestamp>,
}

/// Something ECS said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// When.
    pub at: Option<Timestamp>,
    /// What.
    pub message: String,
}

/// The stack's services: of each cluster in as few calls as ECS takes.
///
/// # Errors
/// When AWS refuses.
pub async fn read(deployed: &Deployed<'_>) -> Outcome<Vec<Service>> {
    let services = service::all(deployed);
    let found = found(deployed, &services.iter().collect::<Vec<_>>()).await?;
    Ok(services.iter().zip(&found).map(|(service, found)| reported(deployed, service, found.as_ref())).collect())
}

/// What ECS has of each of some services, in as few calls as it takes; nothing of one that it does not have.
///
/// # Errors
/// When AWS refuses.
pub async fn found(deployed: &Deployed<'_>, services: &[&service::Service]) -> Outcome<Vec<Option<api::Service>>> {
    let mut clusters: BTreeMap<(&Site, &str), Vec<&service::Service>> = BTreeMap::new();
    for service in services {
        clusters.entry((&service.site, &service.cluster)).or_default().push(service);
    }
    let batches = clusters.iter().flat_map(|(cluster, services)| services.chunks(BATCH).map(move |some| (*cluster, some)));
    let found = try_join_all(batches.map(async |((site, cluster), some)| {
        let arns = some.iter().map(|service| service.arn.clone()).collect();
        let found = describe(deployed.provider.at(site)?.as_ref(), cluster, arns).await?;
        Ok::<_, Failure>(found.into_iter().map(move |one| (site, cluster, one)))
    }));
    let found: Vec<Found<'_>> = found.await?.into_iter().flatten().collect();
    Ok(services.iter().map(|service| of(service, &found).cloned()).collect())
}

/// A service of the stack as ECS has it.
pub fn reported(deployed: &Deployed<'_>, service: &service::Service, found: Option<&api::Service>) -> Service {
    from_api(service, found, scale::by_hand(deployed.state.pins.get(&service.address)))
}

/// What ECS has of a service, with the site and the cluster that it was asked in.
type Found<'a> = (&'a Site, &'a str, api::Service);

/// What was found of a service. ARNs of the short format do not name the cluster: it is told from where was asked.
fn of<'a>(service: &service::Service, found: &'a [Found<'_>]) -> Option<&'a api::Service> {
    let is = |(site, cluster, one): &&Found<'_>| {
        **site == service.site && *cluster == service.cluster && one.service_arn() == Some(&service.arn)
    };
    found.iter().find(is).map(|(_, _, one)| one)
}

/// Those of these services that exist; none when their cluster does not.
async fn describe(aws: &Aws, cluster: &str, arns: Vec<String>) -> Outcome<Vec<api::Service>> {
    let call = aws.ecs().describe_services().cluster(cluster).set_services(Some(arns));
    let found = call.send().await.or_fail("ecs:DescribeServices").or_absent()?;
    Ok(found.and_then(|found| found.services).unwrap_or_default())
}

fn from_api(service: &service::Service, found: Option<&api::Service>, scaled_to: Option<i64>) -> Service {
    let mut one = Service {
        address: service.address.clone(),
        name: service.name.clone(),
        region: service.site.region.clone(),
        cluster: service.cluster_name().to_owned(),
        arn: service.arn.clone(),
        status: "MISSING".to_owned(),
        desired: 0,
        scaled_to,
        running: 0,
        pending: 0,
        deployments: Vec::new(),
        events: Vec::new(),
    };
    if let Some(found) = found {
        found.status().unwrap_or("ACTIVE").clone_into(&mut one.status);
        (one.desired, one.running, one.pending) = (found.desired_count(), found.running_count(), found.pending_count());
        one.deployments = found.deployments().iter().map(deployment).collect();
        let event =
            |event: &api::ServiceEvent| Event { at: time(event.created_at()), message: event.message().unwrap_or_default().to_owned() };
        one.events = found.events().iter().take(EVENTS).map(event).collect();
    }
    one
}

fn deployment(found: &api::Deployment) -> Deployment {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    Deployment {
        id: text(found.id()),
        status: text(found.status()),
        task_definition: super::name_of(found.task_definition().unwrap_or_default()).to_owned(),
        rollout: found.rollout_state().map(|state| state.as_str().to_owned()),
        reason: found.rollout_state_reason().map(str::to_owned),
        desired: found.desired_count(),
        running: found.running_count(),
        pending: found.pending_count(),
        failed: found.failed_tasks(),
        created_at: time(found.created_at()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ecs_says_is_of_the_service_of_that_cluster_and_region() {
        let service = |cluster: &str, region: &str| service::Service {
            address: "ecs_service.app".parse().unwrap(),
            name: "app".to_owned(),
            arn: "arn:aws:ecs:r:1:service/app".to_owned(),
            cluster: cluster.to_owned(),
            site: Site::new("1", region),
            task_definition: "t:1".to_owned(),
            desired_count: Some(1),
            daemon: false,
        };
        let said = |message: &str| {
            let event = api::ServiceEvent::builder().message(message).build();
            api::Service::builder().service_arn("arn:aws:ecs:r:1:service/app").events(event).build()
        };
        let (near, far) = (Site::new("1", "r"), Site::new("1", "s"));
        let found = [(&near, "blue", said("of blue")), (&near, "green", said("of green")), (&far, "blue", said("of far away"))];
        let events = |cluster: &str, region: &str| {
            let service = service(cluster, region);
            from_api(&service, of(&service, &found), None).events.into_iter().map(|event| event.message).collect::<Vec<_>>()
        };
        assert_eq!(events("green", "r"), ["of green"]);
        assert_eq!(events("blue", "s"), ["of far away"]);
        assert_eq!(events("green", "s"), Vec::<String>::new());
    }

    #[test]
    fn a_service_that_ecs_does_not_have_is_missing() {
        let service = service::Service {
            address: "ecs_service.app".parse().unwrap(),
            name: "app".to_owned(),
            arn: "arn:aws:ecs:r:1:service/c/app".to_owned(),
            cluster: "c".to_owned(),
            site: Site::new("1", "r"),
            task_definition: "t:1".to_owned(),
            desired_count: Some(1),
            daemon: false,
        };
        assert_eq!(from_api(&service, None, None).status, "MISSING");
        let running = api::Deployment::builder().task_definition("arn:aws:ecs:r:1:task-definition/t:4").running_count(2).build();
        let found = api::Service::builder().status("ACTIVE").desired_count(2).running_count(2).deployments(running).build();
        let found = from_api(&service, Some(&found), None);
        assert_eq!((found.desired, found.running, found.deployments[0].task_definition.as_str()), (2, 2, "t:4"));
    }
}
