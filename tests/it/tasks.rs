//! Tasks: listed, stopped and run on demand.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value as Json, json};

use crate::support::emulator::{Emulator, Running};
use crate::support::program::{Project, Ran, ran};
use crate::support::proxy::Proxy;
use crate::support::proxy::fault::Fault;
use crate::support::sdk;

pub const STACK: &str = "stacks/shop.toml";

/// As Leo is: a service whose container starts jobs, by what its environment says.
const BODY: &str = r#"
[stack]
name = "shop"
region = "us-east-1"
[vars.exec]
default = false
[resource.vpc.main]
cidr_block = "10.0.0.0/16"
[resource.subnet.public]
vpc_id = "${vpc.main.id}"
cidr_block = "10.0.0.0/24"
map_public_ip_on_launch = true
[resource.security_group.web]
name = "web"
description = "web"
vpc_id = "${vpc.main.id}"
[resource.security_group.job]
name = "job"
description = "job"
vpc_id = "${vpc.main.id}"
[resource.cloudwatch_log_group.jobs]
name = "/shop/jobs"
[resource.iam_role.execution]
name = "shop-execution"
assume_role_policy = { Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }] }
[resource.ecs_cluster.main]
name = "shop"
[resource.ecs_task_definition.job]
family = "shop-job"
cpu = 256
memory = 512
execution_role_arn = "${iam_role.execution.arn}"
container_definitions = [{ name = "job", image = "job", log_configuration = { log_driver = "awslogs", options = { awslogs-group = "${cloudwatch_log_group.jobs.name}", awslogs-stream-prefix = "job", awslogs-region = "us-east-1" } } }]
[resource.ecs_task_definition.web]
family = "shop-web"
cpu = 256
memory = 512
execution_role_arn = "${iam_role.execution.arn}"
[[resource.ecs_task_definition.web.container_definitions]]
name = "nginx"
image = "nginx"
environment = { CLUSTER = "${ecs_cluster.main.name}", JOB = "${ecs_task_definition.job.arn}", JOB_SUBNETS = "${subnet.public.id}", JOB_GROUP = "${security_group.job.id}" }
[resource.ecs_service.web]
name = "shop-web"
cluster = "${ecs_cluster.main.arn}"
task_definition = "${ecs_task_definition.web.arn}"
desired_count = 1
launch_type = "FARGATE"
enable_execute_command = "${vars.exec}"
network_configuration = { subnets = ["${subnet.public.id}"], security_groups = ["${security_group.web.id}"], assign_public_ip = "ENABLED" }
rollout = "none"
"#;

pub fn shop(emulator: Emulator) -> Option<(Running, Project)> {
    let emulator = emulator.alone()?;
    let project = Project::new(&emulator.endpoint, "test");
    project.write(STACK, BODY);
    project.expect(0, &["apply", "-y", STACK]);
    Some((emulator, project))
}

fn through(proxy: &Proxy, project: &Project, arguments: &[&str]) -> Ran {
    ran(project.command(arguments).env("AWS_ENDPOINT_URL", &proxy.endpoint).output().unwrap())
}

pub fn tasks(project: &Project, arguments: &[&str]) -> Vec<Json> {
    let listed = project.json(&[&["tasks", "list", "--json", "--stack", STACK], arguments].concat());
    listed.as_array().unwrap().clone()
}

pub fn text<'a>(task: &'a Json, member: &str) -> &'a str {
    task[member].as_str().unwrap_or_default()
}

#[test]
fn tasks_are_listed_and_stopped_in_the_stack_s_clusters() {
    let Some((_emulator, project)) = shop(Emulator::MiniStack) else { return };
    let all = tasks(&project, &[]);
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!((text(&all[0], "family"), text(&all[0], "status")), ("shop-web", "RUNNING"));
    let id = text(&all[0], "id").to_owned();
    let short: &str = id.get(..8).unwrap();
    let table = project.expect(0, &["tasks", "list", "--stack", STACK]).stdout;
    assert!(table.starts_with("ID") && table.contains(short) && table.contains("256/512"), "{table}");

    let typo = project.expect(1, &["tasks", "list", "wbe", "--stack", STACK]);
    assert!(typo.stderr.contains("web"), "{}", typo.stderr);
    let unknown = project.expect(1, &["tasks", "stop", "ffffffff", "-y", "--stack", STACK]);
    assert!(unknown.stderr.contains("tasks list"), "{}", unknown.stderr);
    let asked = project.expect(1, &["tasks", "stop", short, "--stack", STACK]);
    assert!(asked.stderr.contains("--yes"), "{}", asked.stderr);
    assert_eq!(text(&tasks(&project, &[])[0], "status"), "RUNNING");
    let stopped = project.expect(0, &["tasks", "stop", short, "-y", "--reason", "by the test", "--stack", STACK]);
    assert!(stopped.stderr.contains("of ecs_service.web: its service starts another"), "{}", stopped.stderr);
    assert!(stopped.stderr.contains("is stopping"), "{}", stopped.stderr);
    let all = tasks(&project, &[]);
    let ours = all.iter().find(|task| text(task, "id") == id).unwrap();
    assert_eq!(text(ours, "status"), "STOPPED");
    assert!(text(ours, "stop_reason").contains("by the test"), "{ours}");
    assert!(project.expect(0, &["tasks", "stop", short, "-y", "--stack", STACK]).stderr.contains("already"));
}

/// A logs client past leoctl.
async fn logs(endpoint: &str) -> aws_sdk_cloudwatchlogs::Client {
    aws_sdk_cloudwatchlogs::Client::new(&sdk::config(endpoint, "test").await)
}

/// Waits until a task of this family runs; its id.
fn running(project: &Project, family: &str) -> String {
    loop {
        let all = tasks(project, &[]);
        if let Some(task) = all.iter().find(|task| text(task, "family") == family && text(task, "status") == "RUNNING") {
            return text(task, "id").to_owned();
        }
    }
}

#[tokio::test]
async fn a_task_is_run_as_the_container_that_starts_it_would_and_followed_to_its_end() {
    let Some((emulator, project)) = shop(Emulator::MiniStack) else { return };
    let proxy = Proxy::recording(&emulator.endpoint);
    let arguments = ["run", "job", "--env", "TOKEN=hunter2", "-vv", "--stack", STACK, "--", "work", "--hard"];
    let mut command = project.command(&arguments);
    let child = command.env("AWS_ENDPOINT_URL", &proxy.endpoint).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let id = running(&project, "shop-job");
    let logs = logs(&emulator.endpoint).await;
    let stream = format!("job/job/{id}");
    logs.create_log_stream().log_group_name("/shop/jobs").log_stream_name(&stream).send().await.unwrap();
    let now = i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let event = aws_sdk_cloudwatchlogs::types::InputLogEvent::builder().timestamp(now).message("working hard").build().unwrap();
    logs.put_log_events().log_group_name("/shop/jobs").log_stream_name(&stream).log_events(event).send().await.unwrap();
    project.expect(0, &["tasks", "stop", &id, "-y", "--stack", STACK]);
    let ran = ran(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 0, "MiniStack's containers exit with 0: {}", ran.stderr);
    assert_eq!(ran.stdout, "working hard\n");
    assert!(ran.stderr.contains("as the container nginx of ecs_task_definition.web starts it"), "{}", ran.stderr);
    assert!(ran.stderr.contains("RUNNING") && ran.stderr.contains("STOPPED") && ran.stderr.contains("job exited with 0"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("hunter2"));
    let call = proxy.calls().into_iter().find(|call| call.operation == "RunTask").unwrap();
    let request: Json = serde_json::from_str(call.request.split_once(' ').unwrap().1).unwrap();
    let network = &request["networkConfiguration"]["awsvpcConfiguration"];
    let state: Json = serde_json::from_str(&std::fs::read_to_string(project.path().join("state/shop.json")).unwrap()).unwrap();
    let made = |address: &str| state["resources"][address]["current"]["place"]["id"].clone();
    assert_eq!(network["subnets"], json!([made("subnet.public")]));
    assert_eq!(network["securityGroups"], json!([made("security_group.job")]));
    assert_eq!(network["assignPublicIp"], "ENABLED");
    assert_eq!(text(&request, "launchType"), "FARGATE");
    assert!(!text(&request, "clientToken").is_empty());
    let container = &request["overrides"]["containerOverrides"][0];
    assert_eq!(
        *container,
        json!({ "name": "job", "command": ["work", "--hard"], "environment": [{ "name": "TOKEN", "value": "hunter2" }] })
    );
}

/// MiniStack's containers end only when stopped, and with 0: how this one ends is answered by the test, in the form of the
/// ECS API Reference (DescribeTasks).
#[test]
fn run_exits_as_the_container_does() {
    let Some((emulator, project)) = shop(Emulator::MiniStack) else { return };
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let proxy = Proxy::start(&emulator.endpoint, move |call| {
        if call.operation != "DescribeTasks" {
            return None;
        }
        let request: Json = serde_json::from_str(call.request.split_once(' ').unwrap().1).unwrap();
        let (status, code) = if counter.fetch_add(1, Ordering::SeqCst) == 0 { ("RUNNING", None) } else { ("STOPPED", Some(3)) };
        Some(Fault::json(&json!({ "failures": [], "tasks": [{
            "taskArn": request["tasks"][0], "lastStatus": status, "desiredStatus": status, "stopCode": code.map(|_| "EssentialContainerExited"),
            "stoppedReason": code.map(|_| "Essential container in task exited"),
            "containers": [{ "name": "job", "lastStatus": status, "exitCode": code }],
        }] })))
    });
    let run = through(&proxy, &project, &["run", "job", "--json", "--stack", STACK]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    let events: Vec<Json> = run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(text(&events[0], "event"), "started");
    let last = events.last().unwrap();
    assert_eq!((text(last, "event"), &last["exit_code"]), ("stopped", &json!(3)));
}

/// ECS starts the tasks of a token once (ECS API Reference, RunTask), which the emulators do not: what is sent again has it.
#[test]
fn a_run_whose_answer_is_lost_is_sent_again_as_the_same() {
    let Some((emulator, project)) = shop(Emulator::MiniStack) else { return };
    let first = AtomicUsize::new(0);
    let asked = |request: &str| -> Json { serde_json::from_str(request.split_once(' ').unwrap().1).unwrap() };
    let proxy = Proxy::start(&emulator.endpoint, move |call| match call.operation.as_str() {
        "RunTask" => (first.fetch_add(1, Ordering::SeqCst) == 0).then_some(Fault::CutBefore),
        "DescribeTasks" => Some(Fault::json(&json!({ "failures": [], "tasks": [{
            "taskArn": asked(&call.request)["tasks"][0], "lastStatus": "STOPPED", "stopCode": "EssentialContainerExited",
            "containers": [{ "name": "job", "lastStatus": "STOPPED", "exitCode": 0 }],
        }] }))),
        _ => None,
    });
    let run = through(&proxy, &project, &["run", "job", "--stack", STACK]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let calls = proxy.calls();
    let sent = calls.iter().filter(|call| call.operation == "RunTask");
    let tokens: Vec<Json> = sent.map(|call| asked(&call.request)["clientToken"].clone()).collect();
    assert!(tokens.len() == 2 && tokens[0].is_string() && tokens[0] == tokens[1], "{tokens:?}");
}

/// What of a task definition's revision a service runs on, and with which RunTask is asked for a task like its own.
fn launched_as(service: &str, like: &str) -> Json {
    let emulator = Emulator::MiniStack.alone().unwrap();
    let project = Project::new(&emulator.endpoint, "test");
    project.write(STACK, &BODY.replace("launch_type = \"FARGATE\"", service));
    project.expect(0, &["apply", "-y", STACK]);
    let proxy =
        Proxy::start(&emulator.endpoint, |call| (call.operation == "RunTask").then(|| Fault::refuse(400, "InvalidParameterException")));
    let run = through(&proxy, &project, &["run", "job", "--like", like, "--stack", STACK]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let calls = proxy.calls();
    let sent = calls.iter().find(|call| call.operation == "RunTask").unwrap();
    let asked: Json = serde_json::from_str(sent.request.split_once(' ').unwrap().1).unwrap();
    json!([asked["launchType"], asked["capacityProviderStrategy"]])
}

#[test]
fn a_task_runs_on_what_the_service_runs_on_that_it_is_like() {
    assert_eq!(launched_as("launch_type = \"FARGATE\"", "web"), json!(["FARGATE", null]));
    let spot = "capacity_provider_strategy = [{ capacity_provider = \"FARGATE_SPOT\", weight = 1 }]";
    assert_eq!(launched_as(spot, "web"), json!([null, [{ "capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0 }]]));
}

#[test]
fn interrupted_run_leaves_the_task_and_says_how_to_stop_it() {
    let Some((_emulator, project)) = shop(Emulator::MiniStack) else { return };
    let mut command = project.command(&["run", "shop-job", "--stack", STACK]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let id = running(&project, "shop-job");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let ran = ran(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 130, "{}", ran.stderr);
    assert!(ran.stderr.contains(&format!("leoctl tasks stop {id}")), "{}", ran.stderr);
    assert_eq!(running(&project, "shop-job"), id);
}

#[test]
fn a_task_that_does_not_start_says_why() {
    // fakecloud has no container runtime here, and fails each task as ECS does one whose image cannot be pulled.
    let Some((emulator, project)) = shop(Emulator::Fakecloud) else { return };
    let run = project.expect(1, &["run", "job", "--stack", STACK]);
    assert!(run.stderr.contains("TaskFailedToStart") && run.stderr.contains("running ecs_task_definition.job"), "{}", run.stderr);
    let listed = project.expect(0, &["tasks", "list", "--stack", STACK]).stdout;
    assert!(listed.contains("shop-job") && listed.contains("TaskFailedToStart"), "{listed}");
    let none = project.expect(1, &["tasks", "list", "job", "--stack", STACK]);
    assert!(none.stderr.contains("there is no service `job`"), "{}", none.stderr);

    let typo = project.expect(1, &["run", "jbo", "--stack", STACK]);
    assert!(typo.stderr.contains("did you mean `job`"), "{}", typo.stderr);
    assert!(project.expect(1, &["run", "job", "--container", "jbo", "--stack", STACK]).stderr.contains("`job`"));
    assert!(project.expect(1, &["run", "job", "--like", "wbe", "--stack", STACK]).stderr.contains("`web`"));
    let denied =
        Proxy::start(&emulator.endpoint, |call| (call.operation == "RunTask").then(|| Fault::refuse(400, "AccessDeniedException")));
    let refused = through(&denied, &project, &["run", "job", "--env", "TOKEN=hunter2", "--stack", STACK]);
    assert!(refused.code == 1 && refused.stderr.contains("lacks a permission: ecs:RunTask"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("hunter2"));
}
