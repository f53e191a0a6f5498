//! Which log groups and streams are meant.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::ops::service::{self, Service};
use crate::ops::task_definition::{self, Log, TaskDefinition};
use crate::ops::word::{self, Named};
use crate::ops::{Deployed, Problem};
use leoctl_core::model::address::Address;
use leoctl_core::stack::diagnostic::suggestion;

/// A log group, or some of its streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The log group's name.
    pub group: String,
    /// The region it is in.
    pub region: String,
    /// Only streams whose names begin so.
    pub prefix: Option<String>,
    /// Only streams of tasks whose ids begin so.
    pub task: Option<String>,
}

impl Source {
    /// Whether a stream of the group is meant.
    pub fn has(&self, stream: &str) -> bool {
        let last = stream.rsplit('/').next().unwrap_or(stream);
        self.prefix.as_deref().is_none_or(|prefix| stream.starts_with(prefix))
            && self.task.as_deref().is_none_or(|task| last.starts_with(task))
    }

    /// What the names of all its streams begin with, as far as it is known.
    pub fn beginning(&self) -> Option<String> {
        self.prefix.as_ref().map(|prefix| format!("{prefix}{}", self.task.as_deref().unwrap_or_default()))
    }
}

/// A log group of the stack.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    address: Option<Address>,
    name: String,
    region: String,
}

/// What of a stack has logs.
struct Known {
    groups: Vec<Group>,
    services: Vec<Service>,
    definitions: Vec<TaskDefinition>,
}

/// The logs that words name: services, task definitions and log groups of the stack; all of its groups when there are none.
///
/// # Errors
/// For a word that names nothing, or something without logs.
pub fn chosen(deployed: &Deployed<'_>, words: &[String], task: Option<&str>) -> Result<Vec<Source>, Problem> {
    let definitions = task_definition::all(deployed);
    let groups = deployed.of_type("cloudwatch_log_group").map(|(address, resource)| Group {
        address: Some(address.clone()),
        name: resource.attributes.get("name").and_then(Json::as_str).unwrap_or(&resource.place.id).to_owned(),
        region: resource.place.region.clone(),
    });
    let mut known = Known { groups: groups.collect(), services: service::all(deployed), definitions };
    known.add_written();
    known.sources(words, task.map(task_id))
}

/// The task's id in what a person calls it by: an id, the beginning of one, or an ARN.
fn task_id(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

/// The logs of a task definition's containers, of this task.
pub fn of_task(definition: &TaskDefinition, task: &str) -> Vec<Source> {
    let logs = definition.containers.iter().filter_map(|container| container.log.as_ref());
    let of = |log: &Log| Source {
        group: log.group.clone(),
        region: log.region.clone(),
        prefix: log.streams.clone(),
        task: Some(task.to_owned()),
    };
    logs.map(of).collect()
}

impl Known {
    /// Adds the groups that containers write to and the stack did not make.
    fn add_written(&mut self) {
        for log in self.definitions.iter().flat_map(|definition| &definition.containers).filter_map(|container| container.log.as_ref()) {
            if !self.groups.iter().any(|group| group.name == log.group && group.region == log.region) {
                self.groups.push(Group { address: None, name: log.group.clone(), region: log.region.clone() });
            }
        }
    }

    fn sources(&self, words: &[String], task: Option<&str>) -> Result<Vec<Source>, Problem> {
        let mut found = Vec::new();
        if words.is_empty() {
            self.groups.iter().for_each(|group| self.add_group(group, task, &mut found));
        }
        for word in words {
            self.add(word, task, &mut found)?;
        }
        if found.is_empty() {
            return Err(Problem::new("the stack has no logs", "`leoctl state list` shows what it has"));
        }
        let whole: Vec<Source> = found.iter().filter(|source| source.prefix.is_none()).cloned().collect();
        let mut sources: Vec<Source> = Vec::new();
        for source in found {
            let within = source.prefix.is_some() && whole.iter().any(|all| all.group == source.group && all.region == source.region);
            if !within && !sources.contains(&source) {
                sources.push(source);
            }
        }
        Ok(sources)
    }

    /// What one word names: a service before a task definition before a group.
    fn add(&self, word: &str, task: Option<&str>, found: &mut Vec<Source>) -> Result<(), Problem> {
        let services = word::find(&self.services, word)?;
        for service in &services {
            let Some(definition) = task_definition::of_service(&self.definitions, service) else {
                let problem = format!("the stack does not know the task definition of {}", service.address);
                return Err(Problem::new(problem, "name its log group instead"));
            };
            self.add_definition(definition, task, found)?;
        }
        if !services.is_empty() {
            return Ok(());
        }
        let definitions = word::find(&self.definitions, word)?;
        for definition in &definitions {
            self.add_definition(definition, task, found)?;
        }
        if !definitions.is_empty() {
            return Ok(());
        }
        let groups = word::find(&self.groups, word)?;
        groups.iter().for_each(|group| self.add_group(group, task, found));
        if groups.is_empty() { Err(self.unknown(word)) } else { Ok(()) }
    }

    fn add_definition(&self, definition: &TaskDefinition, task: Option<&str>, found: &mut Vec<Source>) -> Result<(), Problem> {
        let logs: Vec<&Log> = definition.containers.iter().filter_map(|container| container.log.as_ref()).collect();
        if logs.is_empty() {
            let help = "give its containers a `log_configuration` with the driver `awslogs`, or name a log group";
            return Err(Problem::new(format!("{} writes no logs to CloudWatch", definition.address), help));
        }
        found.extend(logs.into_iter().map(|log| Source {
            group: log.group.clone(),
            region: log.region.clone(),
            // All of a group of its own: streams of containers that had other names are its as well.
            prefix: if task.is_some() || self.is_shared(log, definition) { log.streams.clone() } else { None },
            task: task.map(str::to_owned),
        }));
        Ok(())
    }

    /// Whether another task definition writes to the same group.
    fn is_shared(&self, log: &Log, definition: &TaskDefinition) -> bool {
        let mut others = self.definitions.iter().filter(|other| other.address != definition.address).flat_map(|other| &other.containers);
        others.any(|container| container.log.as_ref().is_some_and(|other| other.group == log.group && other.region == log.region))
    }

    /// A group; of a task, the streams containers that are known would write to.
    fn add_group(&self, group: &Group, task: Option<&str>, found: &mut Vec<Source>) {
        let whole = Source { group: group.name.clone(), region: group.region.clone(), prefix: None, task: task.map(str::to_owned) };
        let containers = self.definitions.iter().flat_map(|definition| &definition.containers);
        let logs = containers.filter_map(|container| container.log.as_ref());
        let prefixes: BTreeSet<String> =
            logs.filter(|log| log.group == group.name && log.region == group.region).filter_map(|log| log.streams.clone()).collect();
        if task.is_none() || prefixes.is_empty() {
            found.push(whole);
        } else {
            found.extend(prefixes.into_iter().map(|prefix| Source { prefix: Some(prefix), ..whole.clone() }));
        }
    }

    fn unknown(&self, word: &str) -> Problem {
        let services = self.services.iter().map(|service| service.address.block.name.as_str());
        let definitions = self.definitions.iter().map(|definition| definition.address.block.name.as_str());
        let names: BTreeSet<&str> = services.chain(definitions).chain(self.groups.iter().map(|group| group.name.as_str())).collect();
        let help = suggestion(word, names.iter().copied());
        let all = || format!("the stack has {}", names.iter().copied().collect::<Vec<_>>().join(", "));
        Problem::new(format!("there is no service, task definition or log group `{word}`"), help.unwrap_or_else(all))
    }
}

impl Named for Group {
    const KIND: (&'static str, &'static str) = ("log group", "log groups");

    fn address(&self) -> Option<&Address> {
        self.address.as_ref()
    }

    fn names(&self) -> Vec<&str> {
        vec![&self.name]
    }
}

/// A short name for where an event is from: the container and the beginning of its task's id, or the end of the group's
/// name with the stream.
pub fn short(group: &str, stream: &str) -> String {
    let parts: Vec<&str> = stream.split('/').collect();
    if let [_, .., container, task] = parts.as_slice()
        && parts.len() > 2
        && task.len() == 32
        && task.chars().all(|digit| digit.is_ascii_hexdigit())
    {
        return format!("{container}/{}", task.get(..8).unwrap_or(task));
    }
    format!("{}/{stream}", group.rsplit('/').next().unwrap_or(group))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::task_definition::Container;

    fn definition(name: &str, logs: &[(&str, &str)]) -> TaskDefinition {
        let container = |(name, group): &(&str, &str)| Container {
            name: (*name).to_owned(),
            essential: true,
            log: Some(Log { group: (*group).to_owned(), region: "r".to_owned(), streams: Some(format!("p/{name}/")) }),
            environment: std::collections::BTreeMap::new(),
        };
        TaskDefinition {
            address: format!("ecs_task_definition.{name}").parse().unwrap(),
            family: format!("leo-{name}"),
            arn: format!("arn:aws:ecs:r:1:task-definition/leo-{name}:1"),
            region: "r".to_owned(),
            fargate: true,
            awsvpc: true,
            containers: logs.iter().map(container).collect(),
        }
    }

    fn service(name: &str, runs: &str) -> Service {
        Service {
            address: format!("ecs_service.{name}").parse().unwrap(),
            name: format!("Leo-{name}"),
            arn: String::new(),
            cluster: "c".to_owned(),
            region: "r".to_owned(),
            task_definition: format!("arn:aws:ecs:r:1:task-definition/leo-{runs}:4"),
            desired_count: None,
            daemon: false,
        }
    }

    fn known() -> Known {
        let group = |name: &str, full: &str| Group {
            address: Some(format!("cloudwatch_log_group.{name}").parse().unwrap()),
            name: full.to_owned(),
            region: "r".to_owned(),
        };
        let mut known = Known {
            groups: vec![group("app", "/ecs/app"), group("flow", "/vpc/flow")],
            services: vec![service("app", "app"), service("worker", "worker"), service("mute", "mute")],
            definitions: vec![
                definition("app", &[("web", "/ecs/app"), ("side", "/ecs/side")]),
                definition("worker", &[("work", "/ecs/app")]),
                definition("mute", &[]),
            ],
        };
        known.add_written();
        known
    }

    fn named(words: &[&str], task: Option<&str>) -> Result<Vec<String>, Problem> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let sources = known().sources(&words, task)?;
        Ok(sources.iter().map(|source| format!("{} {}", source.group, source.beginning().unwrap_or_default())).collect())
    }

    #[test]
    fn without_names_all_groups_are_meant_those_of_others_too() {
        assert_eq!(named(&[], None).unwrap(), ["/ecs/app ", "/vpc/flow ", "/ecs/side "]);
    }

    #[test]
    fn a_service_means_what_its_containers_write_and_not_what_others_write_to_the_same_group() {
        assert_eq!(named(&["app"], None).unwrap(), ["/ecs/app p/web/", "/ecs/side "]);
        assert_eq!(named(&["ecs_service.worker"], None).unwrap(), ["/ecs/app p/work/"]);
        assert_eq!(named(&["cloudwatch_log_group.app"], None).unwrap(), ["/ecs/app "]);
        // The whole group is named too.
        assert_eq!(named(&["worker", "/ecs/app"], None).unwrap(), ["/ecs/app "]);
        assert!(named(&["mute"], None).unwrap_err().help.contains("awslogs"));
        assert!(named(&["wroker"], None).unwrap_err().help.contains("worker"));
    }

    #[test]
    fn a_task_means_the_streams_it_writes() {
        assert_eq!(named(&["worker"], Some("abc")).unwrap(), ["/ecs/app p/work/abc"]);
        assert_eq!(named(&[], Some("abc")).unwrap(), ["/ecs/app p/web/abc", "/ecs/app p/work/abc", "/vpc/flow ", "/ecs/side p/side/abc"]);
        let one = Source { group: "g".to_owned(), region: "r".to_owned(), prefix: None, task: Some("abc".to_owned()) };
        assert!(one.has("p/web/abcdef") && one.has("abcd") && !one.has("abc/web/def"));
        assert_eq!(task_id("arn:aws:ecs:r:1:task/c/abcdef"), "abcdef");
    }

    #[test]
    fn where_an_event_is_from_is_said_in_short() {
        assert_eq!(short("/ecs/app", "p/web/0123456789abcdef0123456789abcdef"), "web/01234567");
        assert_eq!(short("/ecs/app", "a/b/web/0123456789abcdef0123456789abcdef"), "web/01234567");
        assert_eq!(short("/vpc/flow", "eni-1"), "flow/eni-1");
    }
}
