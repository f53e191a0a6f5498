//! The task definitions of a stack: their containers, and where those write their logs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::kind::Kind;
use super::service::Service;
use super::word::{self, Named};
use super::{Deployed, Problem};
use leoctl_core::model::address::Address;
use leoctl_core::model::place::Site;
use leoctl_core::model::state::Remembered;
use leoctl_core::stack::diagnostic::suggestion;

/// A task definition of the stack: one revision of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskDefinition {
    /// Its address.
    pub address: Address,
    /// Its family.
    pub family: String,
    /// Its ARN, with the revision the stack made.
    pub arn: String,
    /// Where it is.
    pub site: Site,
    /// Whether it is for Fargate.
    pub fargate: bool,
    /// Whether it is for instances.
    pub instances: bool,
    /// Whether its tasks have network interfaces of their own.
    pub awsvpc: bool,
    /// Its containers.
    pub containers: Vec<Container>,
}

/// A container of a task definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Whether the task ends when it does.
    pub essential: bool,
    /// Where it writes its logs, if that is CloudWatch.
    pub log: Option<Log>,
    /// Its environment, without what is secret.
    pub environment: BTreeMap<String, String>,
}

/// Where a container writes its logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The log group's name.
    pub group: String,
    /// Where the group is.
    pub site: Site,
    /// What the names of its streams begin with: `prefix/container/`, and the task's id follows.
    pub streams: Option<String>,
}

/// The task definitions that a stack has now, by address: what can be run, and changed.
pub fn all(deployed: &Deployed<'_>) -> Vec<TaskDefinition> {
    deployed.current(Kind::TaskDefinition).map(|(address, resource)| from_state(address, resource)).collect()
}

/// Every revision that may run, by address, the current one of each first: a rollout that failed or was cut short leaves
/// services on a predecessor.
pub fn revisions(deployed: &Deployed<'_>) -> Vec<TaskDefinition> {
    deployed.there(Kind::TaskDefinition).map(|(address, resource)| from_state(address, resource)).collect()
}

/// The ARN of a revision.
pub fn arn(resource: &Remembered) -> &str {
    resource.attributes.get("arn").and_then(Json::as_str).unwrap_or(&resource.place.id)
}

fn from_state(address: &Address, resource: &Remembered) -> TaskDefinition {
    let attributes = &resource.attributes;
    let text = |name: &str| attributes.get(name).and_then(Json::as_str);
    let compatibilities = attributes.get("requires_compatibilities").and_then(Json::as_array);
    let containers = attributes.get("container_definitions").and_then(Json::as_array).into_iter().flatten();
    TaskDefinition {
        address: address.clone(),
        family: text("family").unwrap_or_default().to_owned(),
        arn: arn(resource).to_owned(),
        site: resource.place.site(),
        // Left out, both are what Fargate needs.
        instances: compatibilities.is_some_and(|all| all.iter().any(|one| one.as_str() == Some("EC2"))),
        fargate: compatibilities.is_none_or(|all| all.iter().any(|one| one.as_str() == Some("FARGATE"))),
        awsvpc: text("network_mode").is_none_or(|mode| mode == "awsvpc"),
        containers: containers.map(|container| container_of(container, &resource.place.site())).collect(),
    }
}

fn container_of(container: &Json, site: &Site) -> Container {
    let name = container.get("name").and_then(Json::as_str).unwrap_or_default();
    let environment = container.get("environment").and_then(Json::as_object).into_iter().flatten();
    let environment = environment.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    Container {
        name: name.to_owned(),
        essential: container.get("essential").and_then(Json::as_bool).unwrap_or(true),
        log: log_of(container, name, site),
        environment: environment.collect(),
    }
}

/// The options of the driver `awslogs`, and the names it gives streams (ECS Developer Guide, "Send Amazon ECS logs to
/// CloudWatch").
fn log_of(container: &Json, name: &str, site: &Site) -> Option<Log> {
    let configuration = container.get("log_configuration")?;
    if configuration.get("log_driver").and_then(Json::as_str) != Some("awslogs") {
        return None;
    }
    let option = |name: &str| configuration.get("options")?.get(name)?.as_str();
    Some(Log {
        group: option("awslogs-group")?.to_owned(),
        site: Site::new(&*site.account, option("awslogs-region").unwrap_or(&site.region)),
        streams: option("awslogs-stream-prefix").map(|prefix| format!("{prefix}/{name}/")),
    })
}

/// Families of task definitions, each with where it is.
pub type Families = BTreeSet<(Site, String)>;

/// The families of a stack, those of predecessors too.
pub fn families(deployed: &Deployed<'_>) -> Families {
    revisions(deployed).into_iter().map(|definition| (definition.site, definition.family)).collect()
}

/// The family in an ARN, in `family:revision`, or in a family.
pub fn family(named: &str) -> &str {
    let name = named.rsplit_once('/').map_or(named, |(_, name)| name);
    match name.rsplit_once(':') {
        Some((family, revision)) if revision.chars().all(|digit| digit.is_ascii_digit()) => family,
        _ => name,
    }
}

/// The one of all [`revisions`] that a service runs: this very one, or where another pipeline made it, the current one of its
/// family. There is no other answer to what a service runs.
pub fn of_service<'a>(revisions: &'a [TaskDefinition], service: &Service) -> Option<&'a TaskDefinition> {
    let here = || revisions.iter().filter(|one| one.site == service.site);
    let exact = here().find(|one| service.runs(&one.arn));
    exact.or_else(|| here().find(|one| one.family == family(&service.task_definition)))
}

/// The task definition that a word names.
///
/// # Errors
/// When it names none, or several.
pub fn chosen(all: Vec<TaskDefinition>, word: &str) -> Result<TaskDefinition, Problem> {
    word::one(&all, word).cloned()
}

impl Named for TaskDefinition {
    const KIND: (&'static str, &'static str) = ("task definition", "task definitions");

    fn address(&self) -> Option<&Address> {
        Some(&self.address)
    }

    /// Its family, `family:revision` and its ARN.
    fn names(&self) -> Vec<&str> {
        let revision = self.arn.rsplit_once('/').map(|(_, name)| name);
        [self.family.as_str(), &self.arn].into_iter().chain(revision).collect()
    }
}

impl TaskDefinition {
    /// What is remembered of this revision.
    pub fn remembered<'a>(&self, deployed: &Deployed<'a>) -> Option<&'a Remembered> {
        let is = |(address, resource): &(&Address, &Remembered)| **address == self.address && arn(resource) == self.arn;
        deployed.there(Kind::TaskDefinition).find(is).map(|(_, resource)| resource)
    }

    /// The container a command is about: the one named, the only one, or the only essential one.
    ///
    /// # Errors
    /// When there is none of that name, or several it could be.
    pub fn principal(&self, named: Option<&str>) -> Result<&Container, Problem> {
        let names: Vec<&str> = self.containers.iter().map(|container| container.name.as_str()).collect();
        if let Some(named) = named {
            return self.containers.iter().find(|container| container.name == named).ok_or_else(|| {
                let help = suggestion(named, names.iter().copied()).unwrap_or_else(|| format!("its containers: {}", names.join(", ")));
                Problem::new(format!("{} has no container `{named}`", self.address), help)
            });
        }
        let mut essential = self.containers.iter().filter(|container| container.essential);
        match (self.containers.as_slice(), essential.next(), essential.next()) {
            ([only], ..) | (_, Some(only), None) => Ok(only),
            _ => {
                let help = format!("name one with `--container`: {}", names.join(", "));
                Err(Problem::new(format!("{} has several containers", self.address), help))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn made(containers: Json) -> TaskDefinition {
        let resource = json!({
            "place": { "type": "ecs_task_definition", "account": "1", "region": "us-east-1", "id": "arn:aws:ecs:r:1:task-definition/leo:3" },
            "attributes": { "family": "leo", "arn": "arn:aws:ecs:r:1:task-definition/leo:3", "container_definitions": containers },
        });
        let address = "ecs_task_definition.generator".parse().unwrap();
        from_state(&address, &serde_json::from_value(resource).unwrap())
    }

    #[test]
    fn containers_say_where_their_logs_are() {
        let options = json!({ "awslogs-group": "/ecs/leo", "awslogs-stream-prefix": "gen", "awslogs-region": "us-west-2" });
        let made = made(json!([
            { "name": "leo", "log_configuration": { "log_driver": "awslogs", "options": options }, "environment": { "A": "1", "B": { "$secret": "x" } } },
            { "name": "side", "essential": false, "log_configuration": { "log_driver": "splunk" } },
        ]));
        let log = Log { group: "/ecs/leo".to_owned(), site: Site::new("1", "us-west-2"), streams: Some("gen/leo/".to_owned()) };
        assert_eq!(made.containers[0].log, Some(log));
        assert_eq!(made.containers[0].environment, BTreeMap::from([("A".to_owned(), "1".to_owned())]));
        assert_eq!(made.containers[1].log, None);
        assert!(made.fargate && made.awsvpc);
    }

    #[test]
    fn the_container_meant_is_the_named_the_only_or_the_only_essential_one() {
        let two = made(json!([{ "name": "app" }, { "name": "side", "essential": false }]));
        assert_eq!(two.principal(None).unwrap().name, "app");
        assert_eq!(two.principal(Some("side")).unwrap().name, "side");
        assert!(two.principal(Some("sid")).unwrap_err().help.contains("side"));
        let both = made(json!([{ "name": "app" }, { "name": "web" }]));
        assert!(both.principal(None).unwrap_err().help.contains("app, web"));
        assert_eq!(made(json!([{ "name": "one", "essential": false }])).principal(None).unwrap().name, "one");
    }

    fn revision(name: &str, region: &str, number: u32) -> TaskDefinition {
        let arn = format!("arn:aws:ecs:{region}:1:task-definition/{name}:{number}");
        TaskDefinition { family: name.to_owned(), site: Site::new("1", region), arn, ..made(json!([])) }
    }

    fn runs(region: &str, task_definition: &str) -> Service {
        Service {
            address: "ecs_service.web".parse().unwrap(),
            name: "web".to_owned(),
            arn: String::new(),
            cluster: "c".to_owned(),
            site: Site::new("1", region),
            task_definition: task_definition.to_owned(),
            desired_count: None,
            daemon: false,
        }
    }

    #[test]
    fn what_a_service_runs_is_found_among_predecessors_too() {
        // The current revision of each first, as the state has them.
        let all = [revision("web", "r", 3), revision("web", "r", 1), revision("web", "r", 2), revision("old-web", "r", 7)];
        let found = |task_definition: &str| of_service(&all, &runs("r", task_definition)).map(|one| one.arn.as_str());
        let arn = |name: &str| format!("arn:aws:ecs:r:1:task-definition/{name}");
        for name in ["web:1", "web:2", "web:3", "old-web:7"] {
            assert_eq!(found(&arn(name)), Some(arn(name).as_str()));
            assert_eq!(found(name), Some(arn(name).as_str()));
        }
        // One that another pipeline made, or no revision at all: the current one of the family.
        assert_eq!(found(&arn("web:9")), Some(arn("web:3").as_str()));
        assert_eq!(found("web"), Some(arn("web:3").as_str()));
        assert_eq!(found("other:1"), None);
        assert_eq!(of_service(&all, &runs("s", "web:3")), None, "a family of another region is another");
    }

    #[test]
    fn a_task_definition_is_meant_by_any_of_its_names() {
        let all = || vec![made(json!([]))];
        for word in ["generator", "leo", "leo:3", "ecs_task_definition.generator", "arn:aws:ecs:r:1:task-definition/leo:3"] {
            assert!(chosen(all(), word).is_ok(), "{word}");
        }
        assert!(chosen(all(), "generatr").unwrap_err().help.contains("generator"));
        assert!(chosen(all(), "leo:2").is_err());
        assert_eq!(family("arn:aws:ecs:r:1:task-definition/leo:3"), "leo");
        assert_eq!(family("leo:12"), "leo");
        assert_eq!(family("leo"), "leo");
    }
}
