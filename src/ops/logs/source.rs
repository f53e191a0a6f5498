//! Which log groups and streams are meant.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::ops::kind::Kind;
use crate::ops::service::{self, Service};
use crate::ops::task::{self, Cluster, last};
use crate::ops::task_definition::{self, Log, TaskDefinition};
use crate::ops::word::{self, Named};
use crate::ops::{Deployed, Problem};
use leoctl_core::model::address::Address;
use leoctl_core::model::place::Site;
use leoctl_core::stack::diagnostic::suggestion;

/// A log group, or some of its streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The log group's name.
    pub group: String,
    /// Where it is.
    pub site: Site,
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
    site: Site,
}

/// What of a stack has logs.
struct Known {
    groups: Vec<Group>,
    services: Vec<Service>,
    /// All revisions that may run, the current one of each first.
    revisions: Vec<TaskDefinition>,
}

/// The logs that words name: services, task definitions and log groups of the stack; all of its groups when there are none.
///
/// # Errors
/// For a word that names nothing, or something without logs.
pub fn chosen(deployed: &Deployed<'_>, words: &[String], task: Option<&str>) -> Result<Vec<Source>, Problem> {
    let groups = deployed.there(Kind::LogGroup).map(|(address, resource)| Group {
        address: Some(address.clone()),
        name: resource.attributes.get("name").and_then(Json::as_str).unwrap_or(&resource.place.id).to_owned(),
        site: resource.place.site(),
    });
    let mut known = Known { groups: groups.collect(), services: service::all(deployed), revisions: task_definition::revisions(deployed) };
    known.add_written();
    let task = task.map(|word| Meant::of(word, &deployed.state.account_id, &task::clusters(deployed))).transpose()?;
    if let Some(task) = &task {
        known.may_run(task, words)?;
    }
    known.sources(words, task.map(|task| task.id))
}

/// The logs of a task definition's containers, of this task.
pub fn of_task(definition: &TaskDefinition, task: &str) -> Vec<Source> {
    let logs = definition.containers.iter().filter_map(|container| container.log.as_ref());
    let of =
        |log: &Log| Source { group: log.group.clone(), site: log.site.clone(), prefix: log.streams.clone(), task: Some(task.to_owned()) };
    logs.map(of).collect()
}

/// The task that a person means.
struct Meant<'a> {
    word: &'a str,
    /// Its id, or the beginning of it.
    id: &'a str,
    /// Where it runs, where that was said: an ARN says it, but for the cluster in the short format.
    at: Option<(&'a str, Option<&'a str>)>,
}

impl<'a> Meant<'a> {
    /// What a person means by an id, the beginning of one, or an ARN: another account's, region's or cluster's task is none
    /// of the stack's, whatever its id.
    fn of(word: &'a str, account: &str, clusters: &BTreeSet<Cluster>) -> Result<Self, Problem> {
        let id = last(word);
        if !word.starts_with("arn:") {
            return Ok(Self { word, id, at: None });
        }
        let parts: Vec<&str> = word.splitn(6, ':').collect();
        let (region, theirs, path) = match parts.as_slice() {
            [_, _, "ecs", region, account, path] => (*region, *account, path.split('/').collect::<Vec<_>>()),
            _ => return Err(not_a_task(word)),
        };
        let cluster = match path.as_slice() {
            ["task", cluster, id] if !id.is_empty() => Some(*cluster),
            ["task", id] if !id.is_empty() => None,
            _ => return Err(not_a_task(word)),
        };
        let meant = Self { word, id, at: Some((region, cluster)) };
        if theirs != account {
            let help = format!("the stack is in account {account}; `leoctl tasks list` shows its tasks");
            return Err(Problem::new(format!("the task {word} is in account {theirs}"), help));
        }
        if clusters.iter().any(|cluster| meant.may_be_in(cluster)) {
            return Ok(meant);
        }
        let all: Vec<String> = clusters.iter().map(|cluster| format!("{} in {}", cluster.name, cluster.site.region)).collect();
        let help = match all.is_empty() {
            true => "the stack has no clusters".to_owned(),
            false => format!("the stack's tasks run in: {}", all.join(", ")),
        };
        Err(Problem::new(format!("the task {word} is in {}, where the stack runs none", meant.place()), help))
    }

    fn may_be_in(&self, cluster: &Cluster) -> bool {
        self.at.is_none_or(|(region, name)| region == cluster.site.region && name.is_none_or(|name| name == cluster.name))
    }

    fn place(&self) -> String {
        match self.at {
            Some((region, Some(cluster))) => format!("cluster {cluster} of {region}"),
            Some((region, None)) => region.to_owned(),
            None => "no place that is known".to_owned(),
        }
    }
}

fn not_a_task(word: &str) -> Problem {
    Problem::new(format!("{word} is no ARN of a task"), "`leoctl tasks list --json` shows them; the beginning of an id is enough")
}

impl Known {
    /// Whether the services that are named may run a task there.
    fn may_run(&self, task: &Meant<'_>, words: &[String]) -> Result<(), Problem> {
        for word in words {
            for service in word::find(&self.services, word)? {
                let cluster = task::cluster_of(service);
                if !task.may_be_in(&cluster) {
                    let problem = format!("the task {} is in {}, and none of {}", task.word, task.place(), service.address);
                    let help = format!("{} runs its tasks in cluster {} of {}", service.address, cluster.name, cluster.site.region);
                    return Err(Problem::new(problem, help));
                }
            }
        }
        Ok(())
    }

    /// The current revisions, which can be named.
    fn definitions(&self) -> Vec<TaskDefinition> {
        let mut seen = BTreeSet::new();
        self.revisions.iter().filter(|one| seen.insert(&one.address)).cloned().collect()
    }

    /// Adds the groups that containers write to and the stack did not make.
    fn add_written(&mut self) {
        for log in self.revisions.iter().flat_map(|definition| &definition.containers).filter_map(|container| container.log.as_ref()) {
            if !self.groups.iter().any(|group| group.name == log.group && group.site == log.site) {
                self.groups.push(Group { address: None, name: log.group.clone(), site: log.site.clone() });
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
            let within = source.prefix.is_some() && whole.iter().any(|all| all.group == source.group && all.site == source.site);
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
            let Some(definition) = task_definition::of_service(&self.revisions, service) else {
                let problem = format!("the stack does not know the task definition of {}", service.address);
                return Err(Problem::new(problem, "name its log group instead"));
            };
            self.add_definition(&definition.address, task, found)?;
        }
        if !services.is_empty() {
            return Ok(());
        }
        let definitions = self.definitions();
        let named = word::find(&definitions, word)?;
        for definition in &named {
            self.add_definition(&definition.address, task, found)?;
        }
        if !named.is_empty() {
            return Ok(());
        }
        let groups = word::find(&self.groups, word)?;
        groups.iter().for_each(|group| self.add_group(group, task, found));
        if groups.is_empty() { Err(self.unknown(word)) } else { Ok(()) }
    }

    /// What the containers of a task definition write, those of a predecessor too: while a rollout is under way, or after
    /// one that failed, tasks of both have something to say.
    fn add_definition(&self, definition: &Address, task: Option<&str>, found: &mut Vec<Source>) -> Result<(), Problem> {
        let revisions = self.revisions.iter().filter(|one| one.address == *definition);
        let logs: Vec<&Log> = revisions.flat_map(|one| &one.containers).filter_map(|container| container.log.as_ref()).collect();
        if logs.is_empty() {
            let help = "give its containers a `log_configuration` with the driver `awslogs`, or name a log group";
            return Err(Problem::new(format!("{definition} writes no logs to CloudWatch"), help));
        }
        found.extend(logs.into_iter().map(|log| Source {
            group: log.group.clone(),
            site: log.site.clone(),
            // All of a group of its own: streams of containers that had other names are its as well.
            prefix: if task.is_some() || self.is_shared(log, definition) { log.streams.clone() } else { None },
            task: task.map(str::to_owned),
        }));
        Ok(())
    }

    /// Whether another task definition writes to the same group.
    fn is_shared(&self, log: &Log, definition: &Address) -> bool {
        let mut others = self.revisions.iter().filter(|other| other.address != *definition).flat_map(|other| &other.containers);
        others.any(|container| container.log.as_ref().is_some_and(|other| other.group == log.group && other.site == log.site))
    }

    /// A group; of a task, the streams containers that are known would write to.
    fn add_group(&self, group: &Group, task: Option<&str>, found: &mut Vec<Source>) {
        let whole = Source { group: group.name.clone(), site: group.site.clone(), prefix: None, task: task.map(str::to_owned) };
        let containers = self.revisions.iter().flat_map(|definition| &definition.containers);
        let logs = containers.filter_map(|container| container.log.as_ref());
        let prefixes: BTreeSet<String> =
            logs.filter(|log| log.group == group.name && log.site == group.site).filter_map(|log| log.streams.clone()).collect();
        if task.is_none() || prefixes.is_empty() {
            found.push(whole);
        } else {
            found.extend(prefixes.into_iter().map(|prefix| Source { prefix: Some(prefix), ..whole.clone() }));
        }
    }

    fn unknown(&self, word: &str) -> Problem {
        let services = self.services.iter().map(|service| word::called(&self.services, &service.address));
        // The task definition of a service in a module goes by the name of that.
        let in_a_service = |address: &Address| self.services.iter().any(|service| service.address.block.module == address.block.module);
        let is_shown = |address: &&Address| address.block.module.is_root() || !in_a_service(address);
        let definitions = self.revisions.iter().map(|definition| &definition.address).filter(is_shown).map(word::spoken);
        let names: BTreeSet<String> = services.chain(definitions).chain(self.groups.iter().map(|group| group.name.clone())).collect();
        let help = suggestion(word, names.iter().map(String::as_str));
        let all = || format!("the stack has {}", names.iter().cloned().collect::<Vec<_>>().join(", "));
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
            log: Some(Log { group: (*group).to_owned(), site: Site::new("1", "r"), streams: Some(format!("p/{name}/")) }),
            environment: std::collections::BTreeMap::new(),
        };
        TaskDefinition {
            address: format!("ecs_task_definition.{name}").parse().unwrap(),
            family: format!("leo-{name}"),
            arn: format!("arn:aws:ecs:r:1:task-definition/leo-{name}:1"),
            site: Site::new("1", "r"),
            fargate: true,
            instances: false,
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
            site: Site::new("1", "r"),
            task_definition: format!("arn:aws:ecs:r:1:task-definition/leo-{runs}:4"),
            desired_count: None,
            daemon: false,
        }
    }

    fn known() -> Known {
        let group = |name: &str, full: &str| Group {
            address: Some(format!("cloudwatch_log_group.{name}").parse().unwrap()),
            name: full.to_owned(),
            site: Site::new("1", "r"),
        };
        let mut known = Known {
            groups: vec![group("app", "/ecs/app"), group("flow", "/vpc/flow")],
            services: vec![service("app", "app"), service("worker", "worker"), service("mute", "mute")],
            revisions: vec![
                definition("app", &[("web", "/ecs/app"), ("side", "/ecs/side")]),
                definition("worker", &[("job", "/ecs/app")]),
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
        assert_eq!(named(&["ecs_service.worker"], None).unwrap(), ["/ecs/app p/job/"]);
        assert_eq!(named(&["cloudwatch_log_group.app"], None).unwrap(), ["/ecs/app "]);
        // The whole group is named too.
        assert_eq!(named(&["worker", "/ecs/app"], None).unwrap(), ["/ecs/app "]);
        assert!(named(&["mute"], None).unwrap_err().help.contains("awslogs"));
        assert!(named(&["wroker"], None).unwrap_err().help.contains("worker"));
    }

    #[test]
    fn a_task_means_the_streams_it_writes() {
        assert_eq!(named(&["worker"], Some("abc")).unwrap(), ["/ecs/app p/job/abc"]);
        assert_eq!(named(&[], Some("abc")).unwrap(), ["/ecs/app p/job/abc", "/ecs/app p/web/abc", "/vpc/flow ", "/ecs/side p/side/abc"]);
        let one = Source { group: "g".to_owned(), site: Site::new("1", "r"), prefix: None, task: Some("abc".to_owned()) };
        assert!(one.has("p/web/abcdef") && one.has("abcd") && !one.has("abc/web/def"));
    }

    fn clusters() -> BTreeSet<Cluster> {
        [("r", "c"), ("s", "d")].map(|(region, name)| Cluster { site: Site::new("1", region), name: name.to_owned() }).into()
    }

    #[test]
    fn a_task_s_arn_means_the_task_in_that_very_place() {
        let clusters = clusters();
        let of = |word| Meant::of(word, "1", &clusters).map(|meant| meant.id);
        for (word, id) in [("arn:aws:ecs:r:1:task/c/abc", "abc"), ("arn:aws:ecs:s:1:task/abc", "abc"), ("abc", "abc"), ("c/abc", "abc")] {
            assert_eq!(of(word), Ok(id), "{word}");
        }
        let refused = |word| of(word).map_err(|problem| format!("{}; {}", problem.message, problem.help)).unwrap_err();
        for (word, place) in [
            ("arn:aws:ecs:r:1:task/d/abc", "cluster d of r"),
            ("arn:aws:ecs:s:1:task/c/abc", "cluster c of s"),
            ("arn:aws:ecs:t:1:task/abc", "t"),
        ] {
            let said = format!("the task {word} is in {place}, where the stack runs none; the stack's tasks run in: c in r, d in s");
            assert_eq!(refused(word), said);
        }
        assert!(refused("arn:aws:ecs:r:2:task/c/abc").contains("account 2"));
        for word in ["arn:aws:ecs:r:1:service/c/web", "arn:aws:s3:::task/c/abc", "arn:", "arn:aws:ecs:r:1:task/", "arn:aws:ecs:r:1:task/c/"]
        {
            assert!(refused(word).contains("no ARN of a task"), "{word}");
        }
    }

    #[test]
    fn a_task_of_another_cluster_is_none_of_a_service_that_is_named() {
        let clusters = clusters();
        let check = |word, names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            known().may_run(&Meant::of(word, "1", &clusters).unwrap(), &names)
        };
        assert_eq!(check("arn:aws:ecs:r:1:task/c/abc", &["app"]), Ok(()));
        assert_eq!(check("arn:aws:ecs:s:1:task/d/abc", &["/vpc/flow"]), Ok(()));
        let problem = check("arn:aws:ecs:s:1:task/d/abc", &["app"]).unwrap_err();
        assert!(problem.message.ends_with("is in cluster d of s, and none of ecs_service.app"), "{}", problem.message);
        assert!(problem.help.contains("cluster c of r"), "{}", problem.help);
    }

    #[test]
    fn after_a_rollout_that_failed_the_logs_of_both_revisions_are_a_service_s() {
        let mut known = known();
        let predecessor = TaskDefinition {
            arn: "arn:aws:ecs:r:1:task-definition/leo-app:0".to_owned(),
            ..definition("app", &[("web", "/ecs/before"), ("side", "/ecs/side")])
        };
        known.revisions.insert(1, predecessor);
        known.services[0].task_definition = "arn:aws:ecs:r:1:task-definition/leo-app:0".to_owned();
        known.add_written();
        for word in ["app", "leo-app", "ecs_task_definition.app"] {
            let sources = known.sources(&[word.to_owned()], None).unwrap();
            let groups: BTreeSet<&str> = sources.iter().map(|source| source.group.as_str()).collect();
            assert_eq!(groups, BTreeSet::from(["/ecs/app", "/ecs/before", "/ecs/side"]), "{word}");
        }
    }

    #[test]
    fn where_an_event_is_from_is_said_in_short() {
        assert_eq!(short("/ecs/app", "p/web/0123456789abcdef0123456789abcdef"), "web/01234567");
        assert_eq!(short("/ecs/app", "a/b/web/0123456789abcdef0123456789abcdef"), "web/01234567");
        assert_eq!(short("/vpc/flow", "eni-1"), "flow/eni-1");
    }
}
