//! What a container has of the instance it runs on, and of its network; Fargate has none of it.

use aws_sdk_ecs::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::container_part::BRIDGE;
use super::unbuilt;
use crate::given::{is_given, list, text};
use leoctl_core::engine::ports::Outcome;
use leoctl_core::model::value::Value;

/// A line of `/etc/hosts`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtraHost {
    /// The name.
    hostname: String,
    /// The address it stands for.
    ip_address: String,
}

/// What a container has for itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResourceRequirement {
    /// What: graphics processors, or AWS's own for machine learning.
    #[schemars(extend("enum" = ["GPU", "NeuronDevice"]))]
    r#type: String,
    /// How many, or `ALL`.
    value: String,
}

impl ExtraHost {
    /// The part for a call.
    ///
    /// # Errors
    /// When the SDK finds it incomplete.
    pub fn into_api(self) -> Outcome<api::HostEntry> {
        api::HostEntry::builder().hostname(self.hostname).ip_address(self.ip_address).build().map_err(unbuilt)
    }

    /// The part AWS returned.
    pub fn from_api(host: &api::HostEntry) -> Self {
        Self { hostname: host.hostname().to_owned(), ip_address: host.ip_address().to_owned() }
    }
}

impl ResourceRequirement {
    /// The part for a call.
    ///
    /// # Errors
    /// When the SDK finds it incomplete.
    pub fn into_api(self) -> Outcome<api::ResourceRequirement> {
        let kind = api::ResourceType::from(self.r#type.as_str());
        api::ResourceRequirement::builder().r#type(kind).value(self.value).build().map_err(unbuilt)
    }

    /// The part AWS returned.
    pub fn from_api(requirement: &api::ResourceRequirement) -> Self {
        Self { r#type: requirement.r#type().as_str().to_owned(), value: requirement.value().to_owned() }
    }
}

/// What of a container Fargate does not take (ECS Developer Guide, "Fargate task definition considerations").
const OF_CONTAINERS: [&str; 13] = [
    "devices",
    "disable_networking",
    "dns_search_domains",
    "dns_servers",
    "docker_security_options",
    "extra_hosts",
    "hostname",
    "links",
    "max_swap",
    "privileged",
    "resource_requirements",
    "shared_memory_size",
    "swappiness",
];
/// The same of its volumes.
const OF_VOLUMES: [&str; 3] = ["host", "docker_volume_configuration", "fsx_windows_file_server_volume_configuration"];

/// Whether an attribute says something: it is given, and not what it is when it is left out.
fn is_said(of: &Value, name: &str) -> bool {
    is_given(of, name)
        && of.get(name).is_some_and(|value| *value != Value::Bool(false) && value.as_list().is_none_or(|all| !all.is_empty()))
}

fn said<'a>(of: &'a Value, names: &'static [&'static str]) -> impl Iterator<Item = &'static str> + 'a {
    names.iter().copied().filter(|name| is_said(of, name))
}

fn name(of: &Value) -> &str {
    text(of, "name").unwrap_or("…")
}

/// What Fargate refuses of a task, each problem with the attribute it is with.
pub fn not_on_fargate(task: &Value) -> Vec<(&'static str, String)> {
    let of_containers = list(task, "container_definitions").iter().flat_map(|container| {
        let what =
            move |said: &'static str| ("container_definitions", format!("Fargate has no `{said}`, which `{}` says", name(container)));
        said(container, &OF_CONTAINERS).map(what)
    });
    let of_volumes = list(task, "volumes").iter().flat_map(|volume| {
        let what = move |said: &'static str| ("volumes", format!("Fargate has no `{said}` of volumes, which `{}` says", name(volume)));
        said(volume, &OF_VOLUMES).map(what)
    });
    let of_task = said(task, &["ipc_mode", "placement_constraints"]).map(|said| (said, format!("Fargate has no `{said}`")));
    let host =
        text(task, "pid_mode").filter(|mode| *mode == "host").map(|_| ("pid_mode", "Fargate has no `pid_mode = \"host\"`".to_owned()));
    of_containers.chain(of_volumes).chain(of_task).chain(host).collect()
}

/// What containers do not take of a network mode (ECS API Reference, ContainerDefinition): links are a bridge's, and with an
/// interface of its own a task has its own names.
pub fn not_of_network(task: &Value) -> Vec<(&'static str, String)> {
    let Some(mode) = task.get("network_mode").map_or(Some("awsvpc"), Value::as_str) else { return Vec::new() };
    let containers = list(task, "container_definitions").iter();
    let wrong = containers.flat_map(|container| {
        let links = (mode != BRIDGE && is_said(container, "links")).then_some("links");
        let own = ["hostname", "extra_hosts"].into_iter().filter(move |name| mode == "awsvpc" && is_said(container, name));
        let what = move |said| format!("the network mode `{mode}` has no `{said}`, which `{}` says", name(container));
        links.into_iter().chain(own).map(move |said| ("container_definitions", what(said)))
    });
    wrong.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_instances_have_and_fargate_has_not_is_said() {
        let task = Value::from(json!({
            "container_definitions": [{
                "name": "web", "privileged": true, "dns_servers": ["10.0.0.2"], "links": [], "disable_networking": false,
            }],
            "volumes": [{ "name": "files", "host": { "source_path": "/srv" } }],
            "ipc_mode": "task",
            "placement_constraints": [],
        }));
        let names: Vec<_> = not_on_fargate(&task).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["container_definitions", "container_definitions", "volumes", "ipc_mode"]);
    }

    #[test]
    fn links_are_for_a_bridge_and_names_not_for_an_interface_of_the_tasks_own() {
        let said = |mode: Option<&str>| {
            let container = json!({ "name": "web", "links": ["db"], "hostname": "web", "extra_hosts": [{ "hostname": "h", "ip_address": "10.0.0.9" }] });
            not_of_network(&Value::from(json!({ "network_mode": mode.unwrap_or("awsvpc"), "container_definitions": [container] }))).len()
        };
        assert_eq!([said(Some("bridge")), said(Some("host")), said(None)], [0, 1, 3]);
    }
}
