//! The resource type `ecs_task_definition`.

use std::time::Duration;

use aws_sdk_ecs::types as api;
use futures_util::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::container::Container;
use super::container_part::BRIDGE;
use super::placement::TaskConstraint;
use super::task_check;
use super::volume::Volume;
use super::{from_api, to_api, update_tags};
use crate::client::{Aws, send_once};
use crate::error::{OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::{Changing, verified};
use crate::resource::{Info, Resource, Retry, Tags};
use leoctl_core::engine::ports::{Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::value::Value;

/// What a task runs. Every change registers a new revision and deregisters the old one.
///
/// Import by ARN with revision: `arn:aws:ecs:…:task-definition/FAMILY:7`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EcsTaskDefinition {
    /// The family: the name all revisions share.
    #[schemars(extend("x-replace" = true, "pattern" = "^[a-zA-Z0-9_-]+$", "x-form" = "letters, digits, hyphens and underscores"), length(max = 255))]
    family: String,
    /// CPU units of the whole task: 1024 are one vCPU. Fargate has certain sizes only.
    #[schemars(extend("x-replace" = true))]
    cpu: Option<i32>,
    /// Memory of the whole task in MiB. Fargate has certain sizes for each `cpu`.
    #[schemars(extend("x-replace" = true))]
    memory: Option<i32>,
    /// How containers are networked: `awsvpc` on Fargate.
    #[schemars(extend("default" = "awsvpc", "x-replace" = true, "enum" = ["awsvpc", "bridge", "host", "none"]))]
    network_mode: String,
    /// What it has to be able to run on.
    #[schemars(extend(
        "default" = ["FARGATE"],
        "x-set" = true,
        "x-replace" = true,
        "items" = { "type": "string", "enum": ["EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"] },
    ))]
    requires_compatibilities: Vec<String>,
    /// The role that pulls images, writes logs and reads secrets for the containers.
    #[schemars(extend("x-replace" = true, "x-format" = "arn:iam"))]
    execution_role_arn: Option<String>,
    /// The role the containers have.
    #[schemars(extend("x-replace" = true, "x-format" = "arn:iam"))]
    task_role_arn: Option<String>,
    /// The containers.
    #[schemars(extend("x-replace" = true, "x-key" = "name"))]
    container_definitions: Vec<Container>,
    /// Volumes the containers share.
    #[schemars(extend("default" = [], "x-replace" = true, "x-key" = "name"))]
    volumes: Vec<Volume>,
    /// The processor and operating system.
    #[schemars(extend("x-replace" = true))]
    runtime_platform: Option<RuntimePlatform>,
    /// Scratch space in GiB beyond Fargate's 20.
    #[schemars(extend("x-replace" = true), range(min = 21, max = 200))]
    ephemeral_storage_gib: Option<i32>,
    /// Whether the containers see each other's processes.
    #[schemars(extend("x-replace" = true, "enum" = ["task", "host"]))]
    pid_mode: Option<String>,
    /// Whether the containers share memory with each other or with the instance, `none` for neither; not on Fargate.
    #[schemars(extend("x-replace" = true, "enum" = ["none", "task", "host"]))]
    ipc_mode: Option<String>,
    /// Which instances it may run on; not on Fargate.
    #[schemars(extend("default" = [], "x-set" = true, "x-replace" = true))]
    placement_constraints: Vec<TaskConstraint>,
    /// Whether the fault injection endpoints are there.
    #[schemars(extend("default" = false, "x-replace" = true))]
    enable_fault_injection: bool,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The ARN with revision, which is also the id.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
    /// The revision.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    revision: i32,
}

// ECS API Reference, RuntimePlatform.
const SYSTEMS: &[&str] = &[
    "WINDOWS_SERVER_2019_FULL",
    "WINDOWS_SERVER_2019_CORE",
    "WINDOWS_SERVER_2016_FULL",
    "WINDOWS_SERVER_2004_CORE",
    "WINDOWS_SERVER_2022_CORE",
    "WINDOWS_SERVER_2022_FULL",
    "WINDOWS_SERVER_2025_CORE",
    "WINDOWS_SERVER_2025_FULL",
    "WINDOWS_SERVER_20H2_CORE",
    "LINUX",
];

/// The processor and operating system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuntimePlatform {
    /// The processor.
    #[schemars(extend("default" = "X86_64", "enum" = ["X86_64", "ARM64"]))]
    cpu_architecture: String,
    /// The operating system.
    #[schemars(extend("default" = "LINUX", "enum" = SYSTEMS))]
    operating_system_family: String,
}

impl EcsTaskDefinition {
    async fn describe(aws: &Aws, name: &str) -> Outcome<Option<Self>> {
        let call = aws.ecs().describe_task_definition().task_definition(name).include(api::TaskDefinitionField::Tags);
        let found = match call.send().await.or_fail("ecs:DescribeTaskDefinition") {
            // A revision or family that does not exist is a ClientException (ECS API Reference, DescribeTaskDefinition).
            Err(failure) if failure.code.as_deref() == Some("ClientException") => return Ok(None),
            other => other?,
        };
        let Some(definition) = found.task_definition() else { return Ok(None) };
        // One that is being deleted serves nobody any more either (ECS API Reference, DeleteTaskDefinitions).
        if matches!(definition.status(), Some(api::TaskDefinitionStatus::Inactive | api::TaskDefinitionStatus::DeleteInProgress)) {
            return Ok(None);
        }
        let mode = definition.network_mode().map_or(BRIDGE, api::NetworkMode::as_str);
        let number = |text: Option<&str>| text.and_then(|text| text.parse().ok());
        Ok(Some(Self {
            family: definition.family().unwrap_or_default().to_owned(),
            cpu: number(definition.cpu()),
            memory: number(definition.memory()),
            network_mode: mode.to_owned(),
            requires_compatibilities: definition.requires_compatibilities().iter().map(|one| one.as_str().to_owned()).collect(),
            execution_role_arn: definition.execution_role_arn().map(str::to_owned),
            task_role_arn: definition.task_role_arn().map(str::to_owned),
            container_definitions: definition
                .container_definitions()
                .iter()
                .map(|container| Container::from_api(container, mode))
                .collect(),
            volumes: definition.volumes().iter().map(Volume::from_api).collect(),
            runtime_platform: definition.runtime_platform().map(|platform| RuntimePlatform {
                cpu_architecture: platform.cpu_architecture().map_or("X86_64", api::CpuArchitecture::as_str).to_owned(),
                operating_system_family: platform.operating_system_family().map_or("LINUX", api::OsFamily::as_str).to_owned(),
            }),
            ephemeral_storage_gib: definition.ephemeral_storage().map(api::EphemeralStorage::size_in_gib),
            pid_mode: definition.pid_mode().map(|mode| mode.as_str().to_owned()),
            ipc_mode: definition.ipc_mode().map(|mode| mode.as_str().to_owned()),
            placement_constraints: definition.placement_constraints().iter().map(TaskConstraint::from_api).collect(),
            enable_fault_injection: definition.enable_fault_injection().unwrap_or_default(),
            tags: from_api(found.tags()),
            arn: definition.task_definition_arn().unwrap_or_default().to_owned(),
            revision: definition.revision(),
        }))
    }
}

/// The family in a revision's ARN, with all before it, and the revision.
fn revision(arn: &str) -> Option<(&str, u64)> {
    let (family, revision) = arn.rsplit_once(':')?;
    Some((family, revision.parse().ok()?))
}

/// Fargate's sizes: for each `cpu`, the memory in MiB from, to and in steps of
/// (ECS Developer Guide, "Task CPU and memory" on Fargate). With the smallest `cpu` the memory doubles from step to step.
pub const FARGATE: [(i64, i64, i64, i64); 7] = [
    (256, 512, 2048, 0),
    (512, 1024, 4096, 1024),
    (1024, 2048, 8192, 1024),
    (2048, 4096, 16384, 1024),
    (4096, 8192, 30720, 1024),
    (8192, 16384, 61440, 4096),
    (16384, 32768, 122_880, 8192),
];

fn fargate_problem(cpu: i64, memory: i64) -> Option<(&'static str, String)> {
    if cpu == 256 {
        let fits = [512, 1024, 2048].contains(&memory);
        return (!fits).then(|| ("memory", "Fargate with `cpu` 256 has `memory` 512, 1024 or 2048".to_owned()));
    }
    let Some((_, from, to, step)) = FARGATE.iter().find(|(size, ..)| *size == cpu) else {
        return Some(("cpu", format!("Fargate has no `cpu` {cpu}: it is 256, 512, 1024, 2048, 4096, 8192 or 16384")));
    };
    let fits = (*from..=*to).contains(&memory) && memory % step == 0;
    (!fits).then(|| ("memory", format!("Fargate with `cpu` {cpu} has `memory` from {from} to {to} in steps of {step}, not {memory}")))
}

impl Resource for EcsTaskDefinition {
    const TYPE: &'static str = "ecs_task_definition";
    // A role that was just made may not be known to ECS yet.
    const INFO: Info = Info {
        propagating: &[Retry::after("ClientException", &["ecs:RegisterTaskDefinition"])],
        create_before_destroy: true,
        timeout: 300,
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:ecs:{region}:{account}:task-definition/{family}:*",
        plan: &[Grant::any(&["ecs:DescribeTaskDefinition"]), Grant::images("container_definitions.image", &["ecr:DescribeImages"])],
        apply: &[
            Grant::any(&["ecs:DeregisterTaskDefinition"]),
            Grant::itself(&["ecs:RegisterTaskDefinition", "ecs:TagResource", "ecs:UntagResource"]),
            Grant::pass("execution_role_arn", "ecs-tasks.amazonaws.com"),
            Grant::pass("task_role_arn", "ecs-tasks.amazonaws.com"),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let mut problems = Vec::new();
        let int = |key: &str| match desired.get(key) {
            Some(Value::Int(number)) => Some(*number),
            _ => None,
        };
        // Left out, it is Fargate.
        let fargate = match desired.get("requires_compatibilities") {
            Some(value) => value.as_list().unwrap_or_default().iter().any(|one| one.as_str() == Some("FARGATE")),
            None => true,
        };
        let given = |key: &str| desired.get(key).is_some_and(|value| !value.is_null());
        problems.extend(task_check::check(desired, fargate));
        match (int("cpu"), int("memory")) {
            _ if !fargate => {}
            (Some(cpu), Some(memory)) => {
                problems.extend(fargate_problem(cpu, memory).map(|(at, problem)| (Path::attribute(at), problem)));
            }
            _ if !given("cpu") || !given("memory") => {
                problems.push((Path::attribute("cpu"), "a Fargate task needs both `cpu` and `memory`".to_owned()));
            }
            _ => {}
        }
        problems
    }

    /// One is described by family, family and revision, or ARN (ECS API Reference, DescribeTaskDefinition). An ARN with its
    /// revision is an id already, though what is remembered may be of the revision before.
    fn id(&self, asked: &str) -> String {
        let has_revision = asked.rsplit_once(':').is_some_and(|(_, revision)| revision.parse::<u32>().is_ok());
        if asked.starts_with("arn:") && has_revision { asked.to_owned() } else { self.arn.clone() }
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let read = try_join_all(ids.iter().map(async |id| Ok(Self::describe(aws, id).await?.map(|read| (id.clone(), read))))).await?;
        Ok(read.into_iter().flatten().collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        // Others' revisions of the family stand in nobody's way; only one with our tags is this one.
        let Some(family) = wanted.text("family") else { return Ok(None) };
        let Some(latest) = Self::describe(aws, family).await? else { return Ok(None) };
        Ok(wanted.pick(wanted.owns(&latest.tags).then_some(latest.arn)))
    }

    async fn successor(aws: &Aws, id: &str, used: &[String]) -> Outcome<String> {
        let Some((family, ours)) = revision(id) else { return Ok(id.to_owned()) };
        let running = used.iter().filter_map(|arn| revision(arn)).filter(|(of, _)| *of == family).map(|(_, revision)| revision).max();
        // What runs counts, an older one too: somebody has gone back to it.
        let successor = match running {
            Some(running) => Some(running),
            None => {
                let name = family.rsplit_once('/').map_or(family, |(_, name)| name);
                let newest = Self::describe(aws, name).await?.and_then(|newest| u64::try_from(newest.revision).ok());
                newest.filter(|newest| *newest > ours)
            }
        };
        Ok(successor.map_or_else(|| id.to_owned(), |revision| format!("{family}:{revision}")))
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let this = to.clone();
        let containers: Vec<_> =
            this.container_definitions.iter().map(|container| container.to_api(&this.network_mode)).collect::<Outcome<_>>()?;
        let volumes: Vec<_> = this.volumes.iter().map(Volume::to_api).collect::<Outcome<_>>()?;
        let constraints: Vec<_> = this.placement_constraints.iter().map(TaskConstraint::to_api).collect();
        let platform = this.runtime_platform.map(|platform| {
            api::RuntimePlatform::builder()
                .cpu_architecture(api::CpuArchitecture::from(platform.cpu_architecture.as_str()))
                .operating_system_family(api::OsFamily::from(platform.operating_system_family.as_str()))
                .build()
        });
        let storage = this.ephemeral_storage_gib.map(|size| api::EphemeralStorage::builder().size_in_gib(size).build());
        let compatibilities = this.requires_compatibilities.iter().map(|one| api::Compatibility::from(one.as_str())).collect();
        let call = aws
            .ecs()
            .register_task_definition()
            .family(this.family)
            .set_cpu(this.cpu.map(|cpu| cpu.to_string()))
            .set_memory(this.memory.map(|memory| memory.to_string()))
            .network_mode(api::NetworkMode::from(this.network_mode.as_str()))
            .set_requires_compatibilities(Some(compatibilities))
            .set_execution_role_arn(this.execution_role_arn)
            .set_task_role_arn(this.task_role_arn)
            .set_container_definitions(Some(containers))
            .set_volumes(Some(volumes).filter(|volumes| !volumes.is_empty()))
            .set_runtime_platform(platform)
            .set_ephemeral_storage(storage)
            .set_pid_mode(this.pid_mode.as_deref().map(api::PidMode::from))
            .set_ipc_mode(this.ipc_mode.as_deref().map(api::IpcMode::from))
            .set_placement_constraints(Some(constraints).filter(|constraints| !constraints.is_empty()))
            .set_enable_fault_injection(this.enable_fault_injection.then_some(true))
            .set_tags(to_api(&this.tags));
        let made = send_once!(aws_sdk_ecs, call).await.sent_once("ecs:RegisterTaskDefinition")?;
        made_id("ecs:RegisterTaskDefinition", made.task_definition().and_then(|definition| definition.task_definition_arn()))
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        // A revision never changes but for its tags.
        let Self {
            tags,
            family: _,
            cpu: _,
            memory: _,
            network_mode: _,
            requires_compatibilities: _,
            execution_role_arn: _,
            task_role_arn: _,
            container_definitions: _,
            volumes: _,
            runtime_platform: _,
            ephemeral_storage_gib: _,
            pid_mode: _,
            ipc_mode: _,
            placement_constraints: _,
            enable_fault_injection: _,
            arn: _,
            revision: _,
        } = to;
        update_tags(aws, id, &from.tags, tags).await
    }

    async fn delete(aws: &Aws, operation: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        let call = aws.ecs().deregister_task_definition().task_definition(id);
        let deregistered = call.send().await.or_gone("ecs:DeregisterTaskDefinition");
        let codes = ["ClientException", "InvalidParameterException"];
        verified(deregistered, &codes, async || Ok(Self::describe(aws, id).await?.is_none())).await?;
        while Self::describe(aws, id).await?.is_some() {
            operation.pause(Duration::from_secs(1), "waiting for the revision to be deregistered").await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problems(body: serde_json::Value) -> Vec<String> {
        EcsTaskDefinition::check(&Value::from(body)).into_iter().map(|(path, _)| path.to_string()).collect()
    }

    #[test]
    fn an_instances_port_is_for_a_bridge() {
        let with = |mode: Option<&str>| {
            let containers = json!([{ "name": "web", "memory": 128, "port_mappings": [{ "container_port": 80, "host_port": 8080 }] }]);
            problems(
                json!({ "requires_compatibilities": ["EC2"], "network_mode": mode.unwrap_or("awsvpc"), "container_definitions": containers }),
            )
        };
        assert!(with(Some("bridge")).is_empty());
        assert_eq!(with(Some("host")), ["container_definitions"]);
        assert_eq!(with(None), ["container_definitions"]);
    }

    #[test]
    fn capabilities_that_say_nothing_are_refused() {
        let with = |capabilities: serde_json::Value| {
            let containers = json!([{ "name": "web", "memory": 128, "capabilities": capabilities }]);
            problems(json!({ "requires_compatibilities": ["EC2"], "container_definitions": containers }))
        };
        assert_eq!(with(json!({})), ["container_definitions"]);
        assert_eq!(with(json!({ "add": [] })), ["container_definitions"]);
        assert!(with(json!({ "drop": ["ALL"] })).is_empty());
        assert!(with(serde_json::Value::Null).is_empty());
    }

    #[test]
    fn who_may_use_a_file_system_is_asked_over_an_encrypted_connection() {
        let with = |efs: serde_json::Value| {
            problems(json!({ "requires_compatibilities": ["EC2"], "volumes": [{ "name": "d", "efs_volume_configuration": efs }] }))
        };
        assert_eq!(with(json!({ "file_system_id": "fs-1", "iam": "ENABLED" })), ["volumes"]);
        assert_eq!(with(json!({ "file_system_id": "fs-1", "access_point_id": "fsap-1", "transit_encryption": "DISABLED" })), ["volumes"]);
        assert!(with(json!({ "file_system_id": "fs-1", "access_point_id": "fsap-1", "transit_encryption": "ENABLED" })).is_empty());
        assert!(with(json!({ "file_system_id": "fs-1" })).is_empty());
    }
}
