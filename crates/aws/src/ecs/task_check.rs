//! What ECS refuses of a task definition (ECS API Reference, RegisterTaskDefinition; ECS Developer Guide, "Task definition
//! parameters").

use std::collections::BTreeSet;

use super::container_part::BRIDGE;
use super::on_instance;
use crate::given::{Problem, int, is_given, list, problem, text};
use leoctl_core::model::value::Value;

/// What is wrong with the containers of a task and with what they use, as far as it is known.
pub fn check(task: &Value, on_fargate: bool) -> Vec<Problem> {
    let containers = list(task, "container_definitions");
    let mut problems: Vec<String> = containers.iter().flat_map(|container| of_one(task, containers, container)).collect();
    let essential = |container: &Value| container.as_map().is_none_or(|map| map.get("essential") != Some(&Value::Bool(false)));
    if !containers.is_empty() && !containers.iter().any(essential) {
        problems.push("one container at least is essential: without any, a task would never end".to_owned());
    }
    if on_fargate {
        problems.extend(containers.iter().flat_map(too_long_on_fargate));
    } else if !is_given(task, "memory") {
        problems.extend(containers.iter().filter_map(without_memory));
    }
    let not_here = if on_fargate { on_instance::not_on_fargate(task) } else { on_instance::not_of_network(task) };
    let not_here = not_here.into_iter().map(|(name, what)| problem(name, what));
    let mode = text(task, "network_mode").filter(|mode| on_fargate && *mode != "awsvpc");
    let mode = mode.map(|mode| problem("network_mode", format!("Fargate has the network mode `awsvpc` only, not `{mode}`")));
    let problems = problems.into_iter().map(|what| problem("container_definitions", what)).chain(mode).chain(not_here);
    let provisioned = list(task, "volumes").iter().find_map(unshared).map(|what| problem("volumes", what));
    let problems = problems.chain(provisioned);
    problems.chain(port_problem(task)).chain(volume_problem(task)).chain(empty_problem(task)).collect()
}

/// Only a shared volume of Docker is made where there is none (ECS API Reference, DockerVolumeConfiguration).
fn unshared(volume: &Value) -> Option<String> {
    let docker = volume.get("docker_volume_configuration")?;
    let is_shared = docker.get("scope").is_some_and(|scope| scope.as_str().is_none_or(|scope| scope == "shared"));
    let makes = docker.get("autoprovision") == Some(&Value::Bool(true));
    (makes && !is_shared).then(|| format!("`autoprovision` of `{}` is for `scope = \"shared\"`", name(volume)))
}

fn name(container: &Value) -> &str {
    text(container, "name").unwrap_or("…")
}

/// That a container depends on containers, and mounts volumes, that the task has.
fn of_one(task: &Value, containers: &[Value], container: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    if let Some(names) = names(containers) {
        let others = list(container, "depends_on").iter().filter_map(|on| text(on, "container_name"));
        for other in others.filter(|other| !names.contains(other)) {
            problems.push(format!("`{}` depends on `{other}`, and the task has no such container", name(container)));
        }
    }
    if task.get("volumes").is_none_or(|volumes| volumes.as_list().is_some() || volumes.is_null())
        && let Some(names) = names(list(task, "volumes"))
    {
        let volumes = list(container, "mount_points").iter().filter_map(|mount| text(mount, "source_volume"));
        for volume in volumes.filter(|volume| !names.contains(volume)) {
            problems.push(format!("`{}` mounts `{volume}`, and the task has no such volume", name(container)));
        }
    }
    problems
}

/// The names of all; none where one is not known.
fn names(all: &[Value]) -> Option<BTreeSet<&str>> {
    all.iter().map(|one| text(one, "name")).collect()
}

/// Fargate waits from two seconds to two minutes for a container to start and to stop.
fn too_long_on_fargate(container: &Value) -> Vec<String> {
    let out =
        ["start_timeout", "stop_timeout"].into_iter().filter(|key| int(container, key).is_some_and(|wait| !(2..=120).contains(&wait)));
    out.map(|key| format!("`{key}` of `{}` is from 2 to 120 on Fargate", name(container))).collect()
}

fn without_memory(container: &Value) -> Option<String> {
    container.as_map()?;
    let given = ["memory", "memory_reservation"].iter().any(|key| is_given(container, key));
    (!given).then(|| format!("`{}` needs `memory` or `memory_reservation`, or the task its `memory`", name(container)))
}

/// Only on a bridge the port of the instance is another one than the container's (ECS API Reference, PortMapping).
fn port_problem(task: &Value) -> Option<Problem> {
    let mode = task.get("network_mode").map_or(Some("awsvpc"), Value::as_str)?;
    let containers = task.get("container_definitions").and_then(Value::as_list).unwrap_or_default();
    let mut mappings = containers.iter().flat_map(|container| container.get("port_mappings").and_then(Value::as_list).unwrap_or_default());
    let written = mappings.any(|mapping| mapping.get("host_port").is_some_and(|port| !port.is_null()));
    let problem = format!("`host_port` is for the network mode `{BRIDGE}`: with `{mode}` it is `container_port`; leave it out");
    (mode != BRIDGE && written).then(|| self::problem("container_definitions", problem))
}

/// AWS keeps nothing of a table that says nothing, so that each plan would find it missing.
fn empty_problem(task: &Value) -> Option<Problem> {
    let containers = task.get("container_definitions").and_then(Value::as_list).unwrap_or_default();
    let is_empty = |value: &Value| value.is_null() || value.as_list().is_some_and(<[_]>::is_empty);
    let says_nothing = |container: &Value| {
        let capabilities = container.get("capabilities").and_then(Value::as_map)?;
        Some(["add", "drop"].iter().all(|name| capabilities.get(*name).is_none_or(is_empty)))
    };
    let problem = "`capabilities` says nothing: leave it out, or write what is to be added or dropped";
    let any = containers.iter().any(|container| says_nothing(container) == Some(true));
    any.then(|| self::problem("container_definitions", problem))
}

/// Who may use a file system is asked over an encrypted connection only (ECS API Reference, EFSVolumeConfiguration).
fn volume_problem(task: &Value) -> Option<Problem> {
    let volumes = task.get("volumes").and_then(Value::as_list).unwrap_or_default();
    let open = |volume: &Value| {
        let efs = volume.get("efs_volume_configuration").filter(|efs| efs.as_map().is_some())?;
        let given = |name: &str| efs.get(name).is_some_and(|value| !value.is_null());
        let authorizes = given("access_point_id") || efs.get("iam").and_then(Value::as_str) == Some("ENABLED");
        let plain = efs.get("transit_encryption").is_none_or(|written| matches!(written.as_str(), Some("DISABLED")) || written.is_null());
        Some(authorizes && plain)
    };
    let problem = "`access_point_id` and `iam` of an EFS volume need `transit_encryption = \"ENABLED\"`";
    volumes.iter().any(|volume| open(volume) == Some(true)).then(|| self::problem("volumes", problem))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::check;
    use leoctl_core::model::value::Value;

    fn found(task: Json, on_fargate: bool) -> usize {
        check(&Value::from(&task), on_fargate).len()
    }

    #[test]
    fn what_aws_refuses_of_containers_is_found() {
        let container = |more: Json| {
            let mut whole = json!({ "name": "a", "image": "b" });
            whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!({ "container_definitions": [whole], "volumes": [{ "name": "files" }] })
        };
        assert_eq!(found(container(json!({ "mount_points": [{ "source_volume": "files" }], "stop_timeout": 120 })), true), 0);
        for more in [
            json!({ "essential": false }),
            json!({ "depends_on": [{ "container_name": "zz" }] }),
            json!({ "mount_points": [{ "source_volume": "nope" }] }),
            json!({ "stop_timeout": 900 }),
            json!({ "start_timeout": 1 }),
        ] {
            assert_eq!(found(container(more.clone()), true), 1, "{more}");
        }
        assert_eq!(found(container(json!({ "stop_timeout": 900, "memory": 128 })), false), 0, "an instance waits as long as it is told to");
        assert_eq!(found(container(json!({})), false), 1, "no memory");
        assert_eq!(found(json!({ "network_mode": "bridge" }), true), 1);
        assert_eq!((found(json!({ "pid_mode": "host" }), true), found(json!({ "pid_mode": "task" }), true)), (1, 0));
        let volume = |docker: Json| found(json!({ "volumes": [{ "name": "files", "docker_volume_configuration": docker }] }), false);
        assert_eq!(volume(json!({ "autoprovision": true })), 1);
        assert_eq!(volume(json!({ "autoprovision": true, "scope": "shared" })), 0);
    }
}
