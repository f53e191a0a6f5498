//! How a stack is doing: what AWS says of its services, tasks, targets, alarms and certificates.

use std::process::{Command, Stdio};
use std::time::Duration;

use aws_sdk_cloudwatch::types::StateValue;
use serde_json::Value;

use crate::support::emulator::Emulator;
use crate::support::live::Live;
use crate::support::program::{Project, ran};
use crate::support::proxy::Proxy;
use crate::support::proxy::call::Call;
use crate::support::proxy::fault::Fault;

const STACK: &str = "stacks/shop.toml";

const BODY: &str = r#"
[stack]
name = "shop"
region = "us-east-1"
[resource.vpc.main]
cidr_block = "10.0.0.0/16"
[resource.lb_target_group.web]
name = "shop-web"
target_type = "ip"
port = 8080
protocol = "HTTP"
vpc_id = "${vpc.main.id}"
[resource.cloudwatch_metric_alarm.errors]
name = "shop-errors"
namespace = "Shop"
metric_name = "Errors"
statistic = "Sum"
period = 60
evaluation_periods = 1
threshold = 5
comparison_operator = "GreaterThanThreshold"
[resource.acm_certificate.web]
domain_name = "shop.example.org"
[resource.ecs_cluster.main]
name = "shop"
[resource.ecs_task_definition.web]
family = "shop-web"
cpu = 256
memory = 512
network_mode = "bridge"
requires_compatibilities = ["EC2"]
[[resource.ecs_task_definition.web.container_definitions]]
name = "web"
image = "nginx"
memory = 512
port_mappings = [{ container_port = 8080 }]
[resource.ecs_service.web]
name = "shop-web"
cluster = "${ecs_cluster.main.arn}"
task_definition = "${ecs_task_definition.web.arn}"
launch_type = "EC2"
desired_count = 2
rollout = "none"
load_balancers = [{ target_group_arn = "${lb_target_group.web.arn}", container_name = "web", container_port = 8080 }]
"#;

fn applied(emulator: &str) -> Project {
    let project = Project::new(emulator, "test");
    project.write(STACK, BODY);
    project.expect(0, &["apply", "-y", STACK]);
    project
}

/// The messages of the problems with a subject.
fn problems(status: &Value, subject: &str) -> Vec<String> {
    let ours = status["problems"].as_array().unwrap().iter().filter(|problem| problem["subject"] == subject);
    ours.map(|problem| problem["message"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_stack_in_trouble_says_what_is_wrong_and_why() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    project.write(STACK, BODY);
    let never = project.expect(1, &["status", STACK]);
    assert!(never.stderr.contains("leoctl apply"), "{}", never.stderr);
    project.expect(0, &["apply", "-y", STACK]);
    let live = Live::new(&emulator.endpoint, &project, STACK);
    let went_off = live.alarms.set_alarm_state().alarm_name("shop-errors").state_value(StateValue::Alarm).state_reason("12 errors");
    went_off.send().await.unwrap();

    let status = project.json(&["status", "--json", STACK]);
    assert_eq!(status["state"]["serial"], 1);
    assert!(status["state"]["saved_at"].is_string(), "{status}");
    assert_eq!(problems(&status, "cloudwatch_metric_alarm.errors"), ["the alarm went off: 12 errors"]);
    assert_eq!(status["alarms"][0]["state"], "ALARM");
    assert_eq!(status["services"][0]["desired"], 2);
    assert_eq!(status["services"][0]["deployments"][0]["task_definition"], "shop-web:1");
    assert_eq!(status["target_groups"][0]["services"], serde_json::json!(["ecs_service.web"]));
    assert_eq!(status["certificates"][0]["domain"], "shop.example.org");
    assert_eq!(status["unreadable"], serde_json::json!([]));
    let shown = project.expect(0, &["status", STACK]).stdout;
    let (problems, rest) = shown.split_once("Services").unwrap();
    assert!(problems.contains("12 errors"), "{shown}");
    assert!(rest.contains("shop-web") && rest.contains("shop.example.org"), "{shown}");
}

/// The targets' health as AWS writes it (ELBv2 API Reference, DescribeTargetHealth, "Examples"), with reasons, which no
/// emulator gives.
const HEALTH: &str = r#"<DescribeTargetHealthResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/">
  <DescribeTargetHealthResult><TargetHealthDescriptions>
    <member><HealthCheckPort>8080</HealthCheckPort><Target><Port>8080</Port><Id>10.0.0.7</Id></Target>
      <TargetHealth><State>unhealthy</State><Reason>Target.Timeout</Reason><Description>Request timed out</Description></TargetHealth></member>
    <member><HealthCheckPort>8080</HealthCheckPort><Target><Port>8080</Port><Id>10.0.0.8</Id></Target>
      <TargetHealth><State>healthy</State></TargetHealth></member>
  </TargetHealthDescriptions></DescribeTargetHealthResult>
  <ResponseMetadata><RequestId>c534f810-f389-11e5-9192-3fff33344cfa</RequestId></ResponseMetadata>
</DescribeTargetHealthResponse>"#;

/// A stopped task as AWS writes it (ECS API Reference, Task; ECS Developer Guide, "Stopped tasks error messages").
fn stopped(call: &Call) -> Option<Fault> {
    let arn = "arn:aws:ecs:us-east-1:123456789012:task/shop/1dc5c17a422b4dc4b493371970c6c4d6";
    match call.operation.as_str() {
        "ListTasks" if call.request.contains("STOPPED") => Some(Fault::Answer(format!(r#"{{"taskArns":["{arn}"]}}"#))),
        "ListTasks" => Some(Fault::Answer(r#"{"taskArns":[]}"#.to_owned())),
        "DescribeTasks" => Some(Fault::Answer(format!(
            r#"{{"failures":[],"tasks":[{{"taskArn":"{arn}","clusterArn":"arn:aws:ecs:us-east-1:123456789012:cluster/shop","group":"service:shop-web","lastStatus":"STOPPED","desiredStatus":"STOPPED",
            "taskDefinitionArn":"arn:aws:ecs:us-east-1:123456789012:task-definition/shop-web:1","stopCode":"TaskFailedToStart",
            "stoppedAt":1790000000.5,"healthStatus":"UNKNOWN",
            "stoppedReason":"CannotPullContainerError: pull image manifest has been retried 1 time(s): not found",
            "containers":[{{"name":"web","lastStatus":"STOPPED"}}]}}]}}"#
        ))),
        "DescribeTargetHealth" => Some(Fault::Answer(HEALTH.to_owned())),
        _ => None,
    }
}

#[test]
fn targets_and_stopped_tasks_come_with_their_reasons() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = applied(&emulator.endpoint);
    let proxy = Proxy::start(&emulator.endpoint, stopped);
    let mut command = project.command(&["status", "--json", STACK]);
    let ran = ran(command.env("AWS_ENDPOINT_URL", &proxy.endpoint).output().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let status: Value = serde_json::from_str(&ran.stdout).unwrap();
    let target = &status["target_groups"][0]["targets"][0];
    assert_eq!((&target["state"], &target["code"]), (&"unhealthy".into(), &"Target.Timeout".into()));
    assert!(
        problems(&status, "lb_target_group.web")[0].starts_with("1 of 2 targets are unhealthy: the health check is not answered in time")
    );
    let why = problems(&status, "ecs_service.web");
    assert!(why.iter().any(|why| why.contains("1 task failed") && why.contains("CannotPullContainerError")), "{why:?}");
}

#[test]
fn everything_is_read_at_once() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = applied(&emulator.endpoint);
    // Slow enough that one call ends after the others have begun.
    let proxy = Proxy::start(&emulator.endpoint, |_| Some(Fault::Wait(Duration::from_millis(500))));
    let mut command = project.command(&["status", STACK]);
    let ran = ran(command.env("AWS_ENDPOINT_URL", &proxy.endpoint).output().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    // Who we are; everything; what was listed.
    assert!(proxy.waves() <= 3, "{} waves: {:?}", proxy.waves(), proxy.calls().iter().map(Call::name).collect::<Vec<_>>());
}

#[test]
fn what_may_not_be_read_is_said_and_the_rest_is_shown() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = applied(&emulator.endpoint);
    let through = |refuse: &'static str, code: &'static str| {
        let proxy = Proxy::start(&emulator.endpoint, move |call| (call.operation == refuse).then(|| Fault::refuse(400, code)));
        let mut command = project.command(&["status", "--json", STACK]);
        ran(command.env("AWS_ENDPOINT_URL", &proxy.endpoint).output().unwrap())
    };
    let denied = through("DescribeAlarms", "AccessDenied");
    assert_eq!(denied.code, 0, "{}", denied.stderr);
    let status: Value = serde_json::from_str(&denied.stdout).unwrap();
    assert!(problems(&status, "alarms")[0].contains("cloudwatch:DescribeAlarms"), "{status}");
    assert_eq!(status["services"][0]["name"], "shop-web");
    let expired = through("DescribeServices", "ExpiredTokenException");
    assert_eq!(expired.code, 1);
    assert!(expired.stderr.contains("renew your credentials"), "{}", expired.stderr);
}

#[test]
fn a_service_that_somebody_deleted_is_a_problem() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = applied(&emulator.endpoint);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let live = Live::new(&emulator.endpoint, &project, STACK);
        live.ecs.delete_service().cluster("shop").service("shop-web").force(true).send().await.unwrap();
    });
    let status = project.json(&["status", "--json", STACK]);
    assert!(problems(&status, "ecs_service.web")[0].contains("gone from ECS"), "{status}");
}

#[test]
fn watching_needs_a_terminal() {
    let project = Project::new("http://127.0.0.1:9", "test");
    let piped = project.expect(1, &["status", "--watch", "stacks/prod.toml"]);
    assert!(piped.stderr.contains("at a terminal") && piped.stderr.contains("--json"), "{}", piped.stderr);
}

/// Runs a command on a terminal of its own, presses `key` when `seen` is on it, and prints what came, and the exit code.
const ON_A_TERMINAL: &str = r#"
import os, pty, select, sys, time
seen, key, command = sys.argv[1].encode(), sys.argv[2].encode(), sys.argv[3:]
child, terminal = pty.fork()
if child == 0:
    os.execvp(command[0], command)
import fcntl, struct, termios
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
shown, end = b"", time.time() + 60
while time.time() < end:
    if select.select([terminal], [], [], 1)[0]:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
        if seen and seen in shown:
            seen = b""
            os.write(terminal, key)
sys.stdout.buffer.write(shown)
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

#[test]
fn the_live_display_survives_failures_and_leaves_the_terminal_as_it_was() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = applied(&emulator.endpoint);
    let watch = |endpoint: &str, seen: &str, key: &str| {
        let mut command = Command::new("python3");
        command.args(["-c", ON_A_TERMINAL, seen, key, env!("CARGO_BIN_EXE_leoctl"), "status", "--watch", "--interval", "1", STACK]);
        let inner = project.command(&[]);
        command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("TERM", "xterm").env("AWS_ENDPOINT_URL", endpoint).current_dir(project.path());
        let shown = ran(command.stdin(Stdio::null()).output().unwrap());
        assert_eq!(shown.code, 0, "{}\n{}", shown.stdout, shown.stderr);
        let (_, after) = shown.stdout.rsplit_once("\u{1b}[?1049l").unwrap_or_else(|| panic!("not left: {}", shown.stdout));
        assert!(!after.contains("\u{1b}[?1049h"));
        shown.stdout
    };
    watch(&emulator.endpoint, "Services", "q");
    watch(&emulator.endpoint, "Services", "\u{3}");
    let proxy = Proxy::start(&emulator.endpoint, |call| {
        (call.operation == "DescribeServices").then(|| Fault::refuse(400, "ExpiredTokenException"))
    });
    watch(&proxy.endpoint, "last refresh failed", "q");
}
