//! The services of a stack, and new deployments of them.

use std::collections::BTreeSet;
use std::time::Duration;

use super::kind::Kind;
use super::task::last;
use super::word::{self, Named};
use super::{Deployed, Problem};
use leoctl_aws::ecs::rollout::{self, Deployment};
use leoctl_aws::repeat::Changing;
use leoctl_core::engine::ports::{Failure, FailureKind, Outcome};
use leoctl_core::model::address::Address;
use leoctl_core::model::place::Site;
use leoctl_core::model::state::Remembered;
use leoctl_core::model::value::Value;
use serde_json::Value as Json;

/// A service of the stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its address.
    pub address: Address,
    /// Its name in ECS.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Its cluster, by name or ARN.
    pub cluster: String,
    /// Where it is.
    pub site: Site,
    /// The task definition the stack has it run.
    pub task_definition: String,
    /// How many tasks the stack wants of it; nothing where autoscaling decides.
    pub desired_count: Option<i64>,
    /// Whether it is a daemon: one task on each instance, whatever number is asked for.
    pub daemon: bool,
}

/// The services that a stack has now, by address.
pub fn all(deployed: &Deployed<'_>) -> Vec<Service> {
    deployed.current(Kind::Service).map(from_state).collect()
}

/// The services whose tasks may run, by address: the predecessors too that a replacement has left.
pub fn there(deployed: &Deployed<'_>) -> Vec<Service> {
    deployed.there(Kind::Service).map(from_state).collect()
}

fn from_state((address, resource): (&Address, &Remembered)) -> Service {
    let text = |attribute: &str| resource.attributes.get(attribute).and_then(Json::as_str).unwrap_or_default().to_owned();
    Service {
        address: address.clone(),
        name: text("name"),
        arn: resource.place.id.clone(),
        cluster: text("cluster"),
        site: resource.place.site(),
        task_definition: text("task_definition"),
        desired_count: resource.attributes.get("desired_count").and_then(Json::as_i64),
        daemon: text("scheduling_strategy") == "DAEMON",
    }
}

impl Service {
    /// Whether it runs this revision of a task definition.
    pub fn runs(&self, task_definition: &str) -> bool {
        rollout::names(&self.task_definition, task_definition)
    }

    /// Its cluster's name.
    pub fn cluster_name(&self) -> &str {
        last(&self.cluster)
    }

    /// Whether it is the service of this name there. A name alone says nothing: each cluster of each account and region may have one.
    pub fn is(&self, site: &Site, cluster: &str, name: &str) -> bool {
        self.name == name && self.cluster_name() == last(cluster) && self.site == *site
    }
}

impl Named for Service {
    const KIND: (&'static str, &'static str) = ("service", "services");

    fn address(&self) -> Option<&Address> {
        Some(&self.address)
    }

    fn names(&self) -> Vec<&str> {
        vec![&self.name]
    }
}

/// The services that these words name; all when there are none.
///
/// # Errors
/// For a word that names none, or that has several meanings.
pub fn chosen(services: Vec<Service>, words: &[String]) -> Result<Vec<Service>, Problem> {
    let mut named: BTreeSet<Address> = BTreeSet::new();
    for word in words {
        named.extend(word::meant(&services, word)?.into_iter().map(|service| service.address.clone()));
    }
    Ok(services.into_iter().filter(|service| words.is_empty() || named.contains(&service.address)).collect())
}

/// How much longer than exchanging the tasks a deployment of a service may take: moving requests takes its steps.
pub fn takes(deployed: &Deployed<'_>, service: &Service) -> Duration {
    let mut services = deployed.current(Kind::Service);
    let resource = services.find(|(address, _)| **address == service.address).map(|(_, resource)| resource);
    let deployment = resource.and_then(|resource| resource.attributes.get("deployment_configuration"));
    deployment.map(|deployment| leoctl_aws::ecs::deployment::takes(&Value::from(deployment))).unwrap_or_default()
}

/// Has a service start its tasks anew; the deployment that it has begun.
///
/// # Errors
/// When AWS refuses.
pub async fn redeploy(deployed: &Deployed<'_>, service: &Service) -> Outcome<Deployment> {
    let aws = deployed.provider.at(&service.site)?;
    let call = aws.ecs().update_service().cluster(&service.cluster).service(&service.arn).force_new_deployment(true);
    // Sent again, it begins another deployment, which takes the place of the one before: that one is followed.
    let updated = call.send().await.idempotent("ecs:UpdateService")?;
    let deployments = updated.service.and_then(|service| service.deployments).unwrap_or_default();
    let ours = deployments.into_iter().find(|deployment| deployment.status() == Some("PRIMARY")).and_then(|deployment| deployment.id);
    ours.map(Deployment::Id).ok_or_else(|| Failure::new(FailureKind::Other, "ECS does not say which deployment it began"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(address: &str, name: &str) -> Service {
        let (arn, cluster, site) = (format!("arn:{name}"), "c".to_owned(), Site::new("1", "r"));
        let task_definition = "t:1".to_owned();
        Service {
            address: address.parse().unwrap(),
            name: name.to_owned(),
            arn,
            cluster,
            site,
            task_definition,
            desired_count: Some(1),
            daemon: false,
        }
    }

    #[test]
    fn a_service_is_meant_by_any_of_its_names_and_a_typo_is_met_with_the_right_one() {
        let services = || vec![service("ecs_service.app", "leo-orchestrator"), service("ecs_service.worker", "leo-worker")];
        let names = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            chosen(services(), &words).map(|found| found.into_iter().map(|service| service.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&["app"]).unwrap(), ["leo-orchestrator"]);
        assert_eq!(names(&["leo-worker", "ecs_service.app"]).unwrap(), ["leo-orchestrator", "leo-worker"]);
        assert_eq!(names(&[]).unwrap().len(), 2);
        assert!(names(&["wroker"]).unwrap_err().help.contains("worker"));
        assert_eq!(names(&["app", "leo-orchestrator"]).unwrap(), ["leo-orchestrator"]);
    }
}
