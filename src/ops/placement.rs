//! Where a task that is run on demand belongs: its cluster and its network, found from the stack.
//!
//! In this order:
//! 1. as the service that was named runs its tasks;
//! 2. as the container that starts it does, by its environment: one of its variables is the task definition, others are
//!    subnets, security groups and the cluster;
//! 3. as the service that runs the same task definition;
//! 4. as the services of the stack do, when they all do alike.
//!
//! Of several answers none is taken.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::kind::Kind;
use super::service::{self, Service};
use super::task::{Cluster, current_clusters, last};
use super::task_definition::{self, Container, TaskDefinition, family};
use super::word::{self, Named};
use super::{Deployed, Problem};
use leoctl_core::model::address::Address;

/// Where a task runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The cluster's name.
    pub cluster: String,
    /// The subnets.
    pub subnets: BTreeSet<String>,
    /// The security groups.
    pub security_groups: BTreeSet<String>,
    /// Whether it gets a public address.
    pub public: bool,
    /// What the tasks of the service run on that it belongs with; nothing where there is no such service, or several that do not do
    /// alike.
    pub runs_on: Option<RunsOn>,
}

/// What tasks run on, as a service says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunsOn {
    /// A launch type.
    Launch(String),
    /// Capacity providers, each with its weight and how many tasks it gets first.
    Providers(Vec<(String, i32, i32)>),
}

impl RunsOn {
    /// What a service runs on, by its attributes.
    fn of(attributes: &Json) -> Option<Self> {
        let providers = attributes.get("capacity_provider_strategy").and_then(Json::as_array).into_iter().flatten();
        let number = |item: &Json, name: &str| item.get(name).and_then(Json::as_i64).and_then(|number| i32::try_from(number).ok());
        let provider = |item: &Json| {
            let name = item.get("capacity_provider")?.as_str()?.to_owned();
            Some((name, number(item, "weight").unwrap_or_default(), number(item, "base").unwrap_or_default()))
        };
        let providers: Vec<_> = providers.filter_map(provider).collect();
        if !providers.is_empty() {
            return Some(Self::Providers(providers));
        }
        attributes.get("launch_type").and_then(Json::as_str).map(|launch| Self::Launch(launch.to_owned()))
    }

    /// Whether a task of this definition can run there.
    pub fn takes(&self, definition: &TaskDefinition) -> bool {
        let fargate = match self {
            Self::Launch(launch) => launch == "FARGATE",
            Self::Providers(providers) => providers.iter().all(|(name, ..)| ["FARGATE", "FARGATE_SPOT"].contains(&name.as_str())),
        };
        if fargate { definition.fargate } else { definition.instances }
    }
}

/// What a person says of the place.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// Run it as this service's tasks.
    pub like: Option<String>,
    /// In these subnets.
    pub subnets: Vec<String>,
    /// With these security groups.
    pub security_groups: Vec<String>,
}

/// A placement, and whose it is.
type Found = (Placement, String);

/// What a stack says of places.
struct Known {
    clusters: Vec<String>,
    /// Each service with its placement, where it has a network.
    services: Vec<(Service, Option<Placement>)>,
    /// What the tasks of each service run on.
    runs_on: BTreeMap<Address, RunsOn>,
    definitions: Vec<TaskDefinition>,
    /// The stack's subnets, and whether what starts in them gets a public address.
    subnets: Vec<(String, bool)>,
}

/// Where a task belongs, and why there.
///
/// # Errors
/// When the stack does not say, or says several things.
pub fn find(deployed: &Deployed<'_>, definition: &TaskDefinition, wishes: &Wishes) -> Result<(Placement, String), Problem> {
    let here = |cluster: Cluster| (cluster.site == definition.site).then_some(cluster.name);
    let services = service::all(deployed).into_iter().filter(|service| service.site == definition.site);
    let mut runs_on = BTreeMap::new();
    let placed = services.map(|service| {
        let resource = deployed.state.current(&service.address);
        let own = resource.and_then(|resource| RunsOn::of(&resource.attributes));
        runs_on.extend(own.map(|own| (service.address.clone(), own)));
        let placement = resource.and_then(|resource| of_service(&service, &resource.attributes));
        (service, placement)
    });
    let services = placed.collect();
    let subnet = |attributes: &Json| attributes.get("map_public_ip_on_launch").and_then(Json::as_bool).unwrap_or(false);
    let known = Known {
        clusters: current_clusters(deployed).into_iter().filter_map(here).collect(),
        services,
        runs_on,
        definitions: task_definition::all(deployed).into_iter().filter(|one| one.site == definition.site).collect(),
        subnets: deployed.there(Kind::Subnet).map(|(_, resource)| (resource.place.id.clone(), subnet(&resource.attributes))).collect(),
    };
    known.find(definition, wishes)
}

fn of_service(service: &Service, attributes: &Json) -> Option<Placement> {
    let network = attributes.get("network_configuration")?;
    let list = |name: &str| {
        let all = network.get(name).and_then(Json::as_array).into_iter().flatten();
        all.filter_map(Json::as_str).map(str::to_owned).collect()
    };
    Some(Placement {
        cluster: last(&service.cluster).to_owned(),
        subnets: Some(list("subnets")).filter(|subnets: &BTreeSet<String>| !subnets.is_empty())?,
        security_groups: list("security_groups"),
        public: network.get("assign_public_ip").and_then(Json::as_str) == Some("ENABLED"),
        runs_on: RunsOn::of(attributes),
    })
}

impl Named for (Service, Option<Placement>) {
    const KIND: (&'static str, &'static str) = Service::KIND;

    fn address(&self) -> Option<&Address> {
        self.0.address()
    }

    fn names(&self) -> Vec<&str> {
        self.0.names()
    }
}

fn as_service((service, place): &(Service, Option<Placement>)) -> Option<Found> {
    Some((place.clone()?, format!("as {} runs its tasks", service.address)))
}

/// The one answer there is; nothing without any.
fn only(found: Vec<Found>, definition: &TaskDefinition) -> Result<Option<Found>, Problem> {
    let different: BTreeSet<_> =
        found.iter().map(|(place, _)| (&place.cluster, &place.subnets, &place.security_groups, place.public)).collect();
    if different.len() > 1 {
        let who: Vec<&str> = found.iter().map(|(_, who)| who.as_str()).collect();
        let problem = format!("the stack says several things about where {} belongs: {}", definition.address, who.join("; "));
        return Err(Problem::new(problem, "name the service whose network it is to have with `--like`"));
    }
    // Services that do alike in the network may still run on different things.
    let alike = found.iter().all(|(place, _)| Some(&place.runs_on) == found.first().map(|(first, _)| &first.runs_on));
    let first = found.into_iter().next();
    Ok(first.map(|(place, why)| (Placement { runs_on: place.runs_on.filter(|_| alike), ..place }, why)))
}

impl Known {
    fn find(&self, definition: &TaskDefinition, wishes: &Wishes) -> Result<Found, Problem> {
        let unplaced = || self.unplaced(definition);
        if !definition.awsvpc {
            return self.without_network(definition, wishes)?.ok_or_else(unplaced);
        }
        let told = !wishes.subnets.is_empty() || !wishes.security_groups.is_empty();
        let found = match &wishes.like {
            Some(word) => self.like(word)?,
            // What is told need not be found.
            None if told => self.discovered(definition).unwrap_or_default(),
            None => self.discovered(definition)?,
        };
        if !told {
            return found.ok_or_else(unplaced);
        }
        let runs_on = found.as_ref().and_then(|(place, _)| place.runs_on.clone());
        let (place, cluster) = match (found, self.clusters.as_slice()) {
            (Some((place, _)), _) => (Some(place.clone()), place.cluster),
            (None, [only]) => (None, only.clone()),
            (None, _) => return Err(unplaced()),
        };
        let (subnets, groups) = place.map(|place| (place.subnets, place.security_groups)).unwrap_or_default();
        let or = |named: &[String], found| if named.is_empty() { found } else { named.iter().cloned().collect() };
        let (subnets, security_groups) = (or(&wishes.subnets, subnets), or(&wishes.security_groups, groups));
        if subnets.is_empty() {
            return Err(unplaced());
        }
        let public = self.are_public(&subnets);
        Ok((Placement { cluster, subnets, security_groups, public, runs_on }, "as told".to_owned()))
    }

    /// Where a task without a network of its own runs: that takes a cluster only.
    fn without_network(&self, definition: &TaskDefinition, wishes: &Wishes) -> Result<Option<Found>, Problem> {
        let place = |cluster: String, runs_on: Option<RunsOn>| {
            let (subnets, security_groups) = (BTreeSet::new(), BTreeSet::new());
            Placement { cluster, subnets, security_groups, public: false, runs_on }
        };
        Ok(match (&wishes.like, self.clusters.as_slice()) {
            (Some(word), _) => {
                let (service, _) = self.called(word)?;
                let runs_on = self.runs_on.get(&service.address).cloned();
                Some((place(last(&service.cluster).to_owned(), runs_on), format!("as {} runs its tasks", service.address)))
            }
            (None, [only]) => {
                let same = self.services.iter().filter(|(service, _)| family(&service.task_definition) == definition.family);
                let mut known = same.map(|(service, _)| self.runs_on.get(&service.address));
                let first = known.next().flatten();
                let runs_on = first.filter(|first| known.all(|other| other == Some(first))).cloned();
                Some((place(only.clone(), runs_on), "the stack's only cluster".to_owned()))
            }
            (None, _) => None,
        })
    }

    fn called(&self, word: &str) -> Result<&(Service, Option<Placement>), Problem> {
        word::one(&self.services, word)
    }

    fn like(&self, word: &str) -> Result<Option<Found>, Problem> {
        self.called(word).map(as_service)
    }

    fn discovered(&self, definition: &TaskDefinition) -> Result<Option<Found>, Problem> {
        let others = self.definitions.iter().filter(|other| other.family != definition.family);
        let containers = others.flat_map(|other| other.containers.iter().map(move |container| (other, container)));
        let starters = containers.flat_map(|(other, container)| {
            let why = format!("as the container {} of {} starts it", container.name, other.address);
            self.started_by(container, definition).into_iter().map(move |place| (place, why.clone()))
        });
        let same = |(service, _): &&(Service, _)| family(&service.task_definition) == definition.family;
        let same = self.services.iter().filter(same).filter_map(as_service);
        // What only has the same network is not like them in what it runs on.
        let any = self.services.iter().filter_map(as_service).map(|(place, why)| (Placement { runs_on: None, ..place }, why));
        let answers: [Vec<Found>; 3] = [starters.collect(), same.collect(), any.collect()];
        answers.into_iter().find(|found| !found.is_empty()).map_or(Ok(None), |found| only(found, definition))
    }

    /// Where a container starts a task, by its environment: in each list of subnets with each list of security groups.
    fn started_by(&self, container: &Container, definition: &TaskDefinition) -> Vec<Placement> {
        let values = || container.environment.values().map(String::as_str);
        let is_it = |value: &str| family(value) == definition.family && (!value.contains('/') || value.contains(":task-definition/"));
        let named = self.clusters.iter().find(|cluster| values().any(|value| last(value) == *cluster));
        let cluster = match (named, self.clusters.as_slice()) {
            (Some(named), _) => named,
            (None, [only]) => only,
            (None, _) => return Vec::new(),
        };
        if !values().any(is_it) {
            return Vec::new();
        }
        let lists = |prefix: &str| -> BTreeSet<BTreeSet<String>> {
            let all = values().map(|value| value.split(',').map(str::trim).collect::<Vec<_>>());
            let all = all.filter(|words| words.iter().all(|word| word.starts_with(prefix)));
            all.map(|words| words.into_iter().map(str::to_owned).collect()).collect()
        };
        let mut groups = lists("sg-");
        if groups.is_empty() {
            groups.insert(BTreeSet::new());
        }
        let subnets = lists("subnet-");
        let each = subnets.iter().flat_map(|subnets| groups.iter().map(move |groups| (subnets.clone(), groups.clone())));
        each.map(|(subnets, security_groups)| {
            let public = self.are_public(&subnets);
            Placement { cluster: cluster.clone(), subnets, security_groups, public, runs_on: None }
        })
        .collect()
    }

    /// Whether what starts in these subnets gets a public address: as the subnets do it with what starts there.
    fn are_public(&self, subnets: &BTreeSet<String>) -> bool {
        subnets.iter().all(|id| self.subnets.iter().any(|(known, public)| known == id && *public))
    }

    fn unplaced(&self, definition: &TaskDefinition) -> Problem {
        let problem = format!("the stack does not say where {} belongs", definition.address);
        let help = match self.clusters.len() {
            0 => "it needs a cluster: the stack has none, and no service that has one",
            1 => "name its network with `--subnets` and `--security-group`",
            _ => "name the service whose cluster and network it is to have with `--like`",
        };
        Problem::new(problem, help)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use leoctl_core::model::place::Site;

    fn placement(subnets: &[&str], groups: &[&str], public: bool) -> Placement {
        let owned = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
        Placement { cluster: "leo".to_owned(), subnets: owned(subnets), security_groups: owned(groups), public, runs_on: None }
    }

    fn service(name: &str, runs: &str, place: Placement) -> (Service, Option<Placement>) {
        let service = Service {
            address: format!("ecs_service.{name}").parse().unwrap(),
            name: name.to_owned(),
            arn: String::new(),
            cluster: "arn:aws:ecs:r:1:cluster/leo".to_owned(),
            site: Site::new("1", "r"),
            task_definition: format!("arn:aws:ecs:r:1:task-definition/{runs}:1"),
            desired_count: None,
            daemon: false,
        };
        (service, Some(place))
    }

    fn definition(name: &str, environment: &[(&str, &str)]) -> TaskDefinition {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let container = Container { name: name.to_owned(), essential: true, log: None, environment };
        TaskDefinition {
            address: format!("ecs_task_definition.{name}").parse().unwrap(),
            family: name.to_owned(),
            arn: format!("arn:aws:ecs:r:1:task-definition/{name}:7"),
            site: Site::new("1", "r"),
            fargate: true,
            instances: false,
            awsvpc: true,
            containers: vec![container],
        }
    }

    /// As Leo is: a service whose container starts the generator by its environment.
    fn leo(environment: &[(&str, &str)]) -> Known {
        Known {
            clusters: vec!["leo".to_owned()],
            services: vec![service("app", "app", placement(&["subnet-a", "subnet-b"], &["sg-app"], true))],
            definitions: vec![definition("app", environment), definition("gen", &[])],
            runs_on: BTreeMap::new(),
            subnets: vec![("subnet-a".to_owned(), true), ("subnet-b".to_owned(), true), ("subnet-p".to_owned(), false)],
        }
    }

    const STARTS: [(&str, &str); 4] = [
        ("ECS_CLUSTER", "leo"),
        ("TASK_DEF", "arn:aws:ecs:r:1:task-definition/gen:7"),
        ("TASK_SECURITY_GROUP", "sg-gen"),
        ("TASK_SUBNETS", "subnet-a,subnet-b"),
    ];

    fn found(known: &Known, name: &str, wishes: &Wishes) -> Result<Found, Problem> {
        known.find(&definition(name, &[]), wishes)
    }

    #[test]
    fn a_task_runs_where_the_container_that_starts_it_would_run_it() {
        let (place, why) = found(&leo(&STARTS), "gen", &Wishes::default()).unwrap();
        assert_eq!(place, placement(&["subnet-a", "subnet-b"], &["sg-gen"], true));
        assert_eq!(why, "as the container app of ecs_task_definition.app starts it");
        // Private subnets: no public address.
        let private = [STARTS[0], STARTS[1], STARTS[2], ("TASK_SUBNETS", "subnet-p")];
        assert!(!found(&leo(&private), "gen", &Wishes::default()).unwrap().0.public);
        let two = [STARTS[1], ("PUBLIC", "subnet-a"), ("PRIVATE", "subnet-p")];
        assert!(found(&leo(&two), "gen", &Wishes::default()).unwrap_err().help.contains("--like"));
    }

    #[test]
    fn otherwise_it_runs_as_the_services_do_when_they_do_alike() {
        assert_eq!(found(&leo(&[]), "gen", &Wishes::default()).unwrap().1, "as ecs_service.app runs its tasks");
        let mut known = leo(&[]);
        known.services.push(service("worker", "worker", placement(&["subnet-p"], &["sg-worker"], false)));
        let problem = found(&known, "gen", &Wishes::default()).unwrap_err();
        assert!(
            problem.message.contains("ecs_service.app")
                && problem.message.contains("ecs_service.worker")
                && problem.help.contains("--like")
        );
        assert_eq!(found(&known, "worker", &Wishes::default()).unwrap().0.security_groups.first().unwrap(), "sg-worker");
        let like = Wishes { like: Some("worker".to_owned()), ..Wishes::default() };
        assert!(!found(&known, "gen", &like).unwrap().0.public);
        let typo = Wishes { like: Some("wroker".to_owned()), ..Wishes::default() };
        assert!(found(&known, "gen", &typo).unwrap_err().help.contains("worker"));
    }

    #[test]
    fn what_the_stack_does_not_say_can_be_told() {
        let mut known = leo(&[]);
        known.services.clear();
        assert!(found(&known, "gen", &Wishes::default()).unwrap_err().help.contains("--subnets"));
        let told = Wishes { subnets: vec!["subnet-x".to_owned()], security_groups: vec!["sg-x".to_owned()], like: None };
        assert_eq!(found(&known, "gen", &told).unwrap().0, placement(&["subnet-x"], &["sg-x"], false));
        let bridge = TaskDefinition { awsvpc: false, ..definition("gen", &[]) };
        assert_eq!(known.find(&bridge, &Wishes::default()).unwrap().0.cluster, "leo");
        known.clusters.clear();
        assert!(found(&known, "gen", &told).unwrap_err().help.contains("cluster"));
    }

    #[test]
    fn a_task_runs_on_what_the_service_runs_on_that_it_belongs_with() {
        let spot = RunsOn::of(
            &serde_json::json!({ "capacity_provider_strategy": [{ "capacity_provider": "FARGATE_SPOT", "weight": 1 }], "launch_type": null }),
        );
        assert_eq!(spot, Some(RunsOn::Providers(vec![("FARGATE_SPOT".to_owned(), 1, 0)])));
        let instances = RunsOn::of(&serde_json::json!({ "capacity_provider_strategy": [], "launch_type": "EC2" })).unwrap();
        assert_eq!(instances, RunsOn::Launch("EC2".to_owned()));
        assert!(!instances.takes(&definition("gen", &[])) && spot.as_ref().unwrap().takes(&definition("gen", &[])));
        let on = |runs_on: &Option<RunsOn>| Placement { runs_on: runs_on.clone(), ..placement(&["subnet-p"], &["sg"], false) };
        let mut known = leo(&[]);
        known.services = vec![service("app", "app", on(&spot))];
        assert_eq!(found(&known, "app", &Wishes::default()).unwrap().0.runs_on, spot, "as the service that runs the same");
        assert_eq!(found(&known, "gen", &Wishes::default()).unwrap().0.runs_on, None, "it only has the same network");
        let like = Wishes { like: Some("app".to_owned()), ..Wishes::default() };
        assert_eq!(found(&known, "gen", &like).unwrap().0.runs_on, spot);
        known.services.push(service("worker", "app", on(&Some(instances))));
        assert_eq!(found(&known, "app", &Wishes::default()).unwrap().0.runs_on, None, "the two do not do alike");
    }
}
