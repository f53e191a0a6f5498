//! Releases as they are followed: what is shown of them, how they end, and how few calls that takes.

use std::collections::BTreeMap;
use std::process::Child;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::support::emulator::Emulator;
use crate::support::program::{Project, Ran, ran};
use crate::support::proxy::Proxy;
use crate::support::proxy::call::Call;
use crate::support::proxy::fault::Fault;
use crate::support::terminal::Terminal;

const STACK: &str = "stacks/shop.toml";
const SECRET: &str = "hunter2-released";

/// Three services of one cluster; what their containers write is in one log group.
fn body() -> String {
    let service = |name: &str| {
        format!(
            r#"
[resource.ecs_task_definition.{name}]
family = "rel-{name}"
network_mode = "bridge"
requires_compatibilities = ["EC2"]
cpu = 256
memory = 512
[[resource.ecs_task_definition.{name}.container_definitions]]
name = "{name}"
image = "{name}:v1"
environment = {{ TOKEN = "${{env.TOKEN}}" }}
[resource.ecs_task_definition.{name}.container_definitions.log_configuration]
log_driver = "awslogs"
options = {{ awslogs-group = "${{cloudwatch_log_group.all.name}}", awslogs-stream-prefix = "rel", awslogs-region = "us-east-1" }}
[resource.ecs_service.{name}]
name = "rel-{name}"
cluster = "${{ecs_cluster.main.arn}}"
task_definition = "${{ecs_task_definition.{name}.arn}}"
launch_type = "EC2"
desired_count = 2
rollout = "none"
"#
        )
    };
    let head = "[stack]\nname = \"rel\"\nregion = \"us-east-1\"\n[env]\nfiles = [\"../.env\"]\n[resource.ecs_cluster.main]\nname = \"rel\"\n\
                [resource.cloudwatch_log_group.all]\nname = \"/rel/all\"\n";
    [head.to_owned(), service("web"), service("api"), service("worker")].concat()
}

fn applied(account: &str) -> Project {
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), account);
    project.write(STACK, &body());
    project.write(".env", &format!("TOKEN={SECRET}\n"));
    project.expect(0, &["apply", "-y", STACK]);
    project
}

fn through(project: &Project, proxy: &Proxy, arguments: &[&str]) -> Ran {
    ran(project.command(arguments).env("AWS_ENDPOINT_URL", &proxy.endpoint).output().unwrap())
}

/// A service as ECS describes it in the middle of a deployment (ECS API Reference, Service, Deployment, ServiceEvent).
fn service(account: &str, name: &str, rollout: &str, [running, pending, failed]: [i32; 3]) -> Value {
    let definition = |revision: u8| format!("arn:aws:ecs:us-east-1:{account}:task-definition/rel-{name}:{revision}");
    json!({
        "serviceArn": format!("arn:aws:ecs:us-east-1:{account}:service/rel/rel-{name}"),
        "clusterArn": format!("arn:aws:ecs:us-east-1:{account}:cluster/rel"),
        "serviceName": format!("rel-{name}"), "status": "ACTIVE",
        "desiredCount": 2, "runningCount": running, "pendingCount": pending,
        "deployments": [
            {"id": "ecs-svc/2", "status": "PRIMARY", "taskDefinition": definition(1), "rolloutState": rollout, "createdAt": 1790000000.0,
             "desiredCount": 2, "runningCount": running, "pendingCount": pending, "failedTasks": failed},
            {"id": "ecs-svc/1", "status": "ACTIVE", "taskDefinition": definition(1), "rolloutState": "COMPLETED", "createdAt": 1780000000.0,
             "desiredCount": 2, "runningCount": 2, "pendingCount": 0, "failedTasks": 0},
        ],
        "events": [
            {"id": "b", "createdAt": 1790000020.0, "message": format!("(service rel-{name}) was unable to place a task \u{1b}[2J{SECRET}.")},
            {"id": "a", "createdAt": 1780000000.0, "message": format!("(service rel-{name}) of a year ago.")},
        ],
    })
}

/// A task of it that ended by itself (ECS Developer Guide, "Stopped tasks error messages").
fn died(account: &str, name: &str, id: &str) -> Value {
    json!({
        "taskArn": format!("arn:aws:ecs:us-east-1:{account}:task/rel/{id}"), "clusterArn": format!("arn:aws:ecs:us-east-1:{account}:cluster/rel"),
        "taskDefinitionArn": format!("arn:aws:ecs:us-east-1:{account}:task-definition/rel-{name}:1"),
        "group": format!("service:rel-{name}"), "startedBy": "ecs-svc/2", "lastStatus": "STOPPED", "desiredStatus": "STOPPED",
        "createdAt": 1790000001.0, "startedAt": 1790000003.0, "stoppedAt": 1790000010.0, "stopCode": "EssentialContainerExited",
        "stoppedReason": "Essential container in task exited",
        "containers": [{"name": name, "image": format!("{name}:v1"), "lastStatus": "STOPPED", "exitCode": 1}],
    })
}

/// What a container wrote, with what a terminal would obey and what nobody may see.
fn logs() -> Value {
    let line = |at: i64, message: &str| json!({ "timestamp": 1_790_000_000_000_i64 + at, "ingestionTime": 1_790_000_000_000_i64, "message": message });
    json!({ "events": [line(5000, "listening on 8080"), line(6000, &format!("no database for \u{1b}]0;t\u{7}{SECRET}"))],
            "nextForwardToken": "f/1", "nextBackwardToken": "b/1" })
}

/// ECS while a release of `web` fails.
fn failing(account: &'static str) -> impl Fn(&Call) -> Option<Fault> + Send + Sync + 'static {
    const ID: &str = "1dc5c17a422b4dc4b493371970c6c4d6";
    move |call| {
        let answer = match call.operation.as_str() {
            "UpdateService" => json!({ "service": service(account, "web", "IN_PROGRESS", [0, 1, 0]) }),
            "DescribeServices" => json!({ "services": [service(account, "web", "IN_PROGRESS", [0, 1, 3])], "failures": [] }),
            "ListServiceDeployments" => json!({ "serviceDeployments": [] }),
            "ListTasks" if call.request.contains("STOPPED") => {
                json!({ "taskArns": [format!("arn:aws:ecs:us-east-1:{account}:task/rel/{ID}")] })
            }
            "ListTasks" => json!({ "taskArns": [] }),
            "DescribeTasks" => json!({ "tasks": [died(account, "web", ID)], "failures": [] }),
            "GetLogEvents" => logs(),
            _ => return None,
        };
        Some(Fault::Answer(answer.to_string()))
    }
}

#[test]
fn a_release_that_fails_says_why_with_what_its_tasks_wrote_last() {
    const ACCOUNT: &str = "450000000001";
    let project = applied(ACCOUNT);
    let proxy = Proxy::start(Emulator::MiniStack.endpoint().unwrap(), failing(ACCOUNT));
    let failed = through(&project, &proxy, &["redeploy", "web", "-y", "--stack", STACK]);
    assert_eq!(failed.code, 1, "{}", failed.stderr);
    for said in [
        "14:13:30Z web: task 1dc5c17a failed: EssentialContainerExited: Essential container in task exited; container web exited with 1",
        "    14:13:25Z web | listening on 8080",
        "    14:13:26Z web | no database for \\u001b]0;t\\u0007(sensitive)",
        "14:13:40Z web: was unable to place a task \\u001b[2J(sensitive).",
        "ecs_service.web: the release failed\n  its tasks keep failing: 0 of 2 tasks run, 1 start, 2 of before still run, 3 failed\n  1 task failed: Essential",
        "  The last that task 1dc5c17a wrote:\n",
    ] {
        assert!(failed.stderr.contains(said), "{said}\n{}", failed.stderr);
    }
    assert!(
        !failed.stderr.contains(SECRET) && !failed.stderr.contains('\u{1b}') && !failed.stderr.contains("a year ago"),
        "{}",
        failed.stderr
    );
    // What a script gets.
    let scripted = through(&project, &proxy, &["redeploy", "web", "-y", "--json", "--stack", STACK]);
    let told: Value = serde_json::from_str(&scripted.stdout).unwrap();
    assert_eq!((scripted.code, &told["done"], &told["release"]["verdict"]["state"]), (1, &json!(false), &json!("failed")), "{told}");
    assert_eq!(told["release"]["tasks"][0]["logs"][0]["message"], "listening on 8080", "{told}");
    assert!(!scripted.stdout.contains(SECRET), "{}", scripted.stdout);
    // Nobody but a failure is heard where only errors are wanted.
    let quiet = through(&project, &proxy, &["redeploy", "web", "-y", "-q", "--stack", STACK]);
    assert!(quiet.code == 1 && quiet.stderr.starts_with("ecs_service.web: the release failed\n"), "{}", quiet.stderr);
}

/// The services that a call names, and how.
fn named(call: &Call) -> Vec<&'static str> {
    ["web", "api", "worker"].into_iter().filter(|name| call.request.contains(&format!("rel-{name}"))).collect()
}

#[test]
fn following_three_releases_takes_few_calls_and_none_of_what_has_ended() {
    const ACCOUNT: &str = "450000000002";
    let project = applied(ACCOUNT);
    let looks = AtomicUsize::new(0);
    let proxy = Proxy::start(Emulator::MiniStack.endpoint().unwrap(), move |call| {
        let id = |name: &str| format!("{name:0>32}");
        let arn = |name: &str| format!("arn:aws:ecs:us-east-1:{ACCOUNT}:task/rel/{}", id(name));
        let names = named(call);
        let answer = match call.operation.as_str() {
            "DescribeServices" => {
                let look = looks.fetch_add(1, Ordering::SeqCst);
                // The one of `web` has ended at the second look, those of the others at the third.
                let of = |name: &&str| match (look, *name) {
                    (1, "web") | (2.., _) => service(ACCOUNT, name, "COMPLETED", [2, 0, 1]),
                    _ => service(ACCOUNT, name, "IN_PROGRESS", [1, 1, 1]),
                };
                json!({ "services": names.iter().map(of).collect::<Vec<_>>(), "failures": [] })
            }
            "ListServiceDeployments" => json!({ "serviceDeployments": [] }),
            "ListTasks" if call.request.contains("STOPPED") => {
                json!({ "taskArns": names.iter().map(|name| arn(name)).collect::<Vec<_>>() })
            }
            "ListTasks" => json!({ "taskArns": [] }),
            "DescribeTasks" => {
                let asked = ["web", "api", "worker"].into_iter().filter(|name| call.request.contains(&id(name)));
                json!({ "tasks": asked.map(|name| died(ACCOUNT, name, &id(name))).collect::<Vec<_>>(), "failures": [] })
            }
            "GetLogEvents" => logs(),
            _ => return None,
        };
        Some(Fault::Answer(answer.to_string()))
    });
    let done = through(&project, &proxy, &["status", "web", "api", "worker", "--watch", "--interval", "1", "--stack", STACK]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert_eq!(done.stderr.matches("the new tasks have taken over.").count(), 3, "{}", done.stderr);
    // What has not changed is not said again.
    assert_eq!(done.stderr.matches("failed: EssentialContainerExited").count(), 3, "{}", done.stderr);
    let mut calls: BTreeMap<String, usize> = BTreeMap::new();
    proxy.calls().iter().filter(|call| call.service != "sts").for_each(|call| *calls.entry(call.operation.clone()).or_default() += 1);
    let expected = BTreeMap::from(
        // Of each look: the services together; of each service that goes on its tasks, running and stopped, and its record.
        // What has stopped is described once, and its logs are read once.
        [("DescribeServices", 3), ("DescribeTasks", 1), ("GetLogEvents", 3), ("ListServiceDeployments", 8), ("ListTasks", 16)]
            .map(|(name, count)| (name.to_owned(), count)),
    );
    assert_eq!(calls, expected);
}

#[test]
fn at_a_terminal_a_release_is_a_live_screen_and_what_came_of_it_stays() {
    const ACCOUNT: &str = "450000000003";
    let project = applied(ACCOUNT);
    // It begins to fail at the second look.
    let (failing, looks) = (failing(ACCOUNT), AtomicUsize::new(0));
    let proxy = Proxy::start(Emulator::MiniStack.endpoint().unwrap(), move |call| {
        if call.operation == "DescribeServices" && looks.fetch_add(1, Ordering::SeqCst) == 0 {
            return Some(Fault::json(&json!({ "services": [service(ACCOUNT, "web", "IN_PROGRESS", [0, 1, 1])], "failures": [] })));
        }
        failing(call)
    });
    let terminal = Terminal::new(40, 100);
    let mut child = redeployed(&project, &proxy, &terminal);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(terminal.is_usual());
    let shown = terminal.all();
    let (screen, after) = shown.rsplit_once("\u{1b}[?1049l").unwrap();
    assert!(screen.contains("listening") && screen.contains("\\u001b]0;t\\u0007(sensitive)") && !shown.contains(SECRET), "{shown}");
    assert!(after.contains("the release failed") && after.contains("The last that task 1dc5c17a wrote:"), "{after}");
}

/// A release at a terminal, once its screen is shown.
fn redeployed(project: &Project, proxy: &Proxy, terminal: &Terminal) -> Child {
    let mut command = project.command(&["redeploy", "web", "-y", "--stack", STACK]);
    command.env("AWS_ENDPOINT_URL", &proxy.endpoint).env("TERM", "xterm");
    command.stdin(terminal.stdio()).stdout(terminal.stdio()).stderr(terminal.stdio());
    let child = command.spawn().unwrap();
    // The terminal ends with the last who has it.
    drop(command);
    terminal.shows("web: deployments");
    child
}

#[test]
fn who_leaves_a_live_release_is_told_that_it_goes_on() {
    const ACCOUNT: &str = "450000000004";
    let project = applied(ACCOUNT);
    let failing = failing(ACCOUNT);
    let proxy = Proxy::start(Emulator::MiniStack.endpoint().unwrap(), move |call| match call.operation.as_str() {
        "DescribeServices" => {
            Some(Fault::json(&json!({ "services": [service(ACCOUNT, "web", "IN_PROGRESS", [1, 1, 0])], "failures": [] })))
        }
        _ => failing(call),
    });
    let mut terminal = Terminal::new(40, 100);
    let mut child = redeployed(&project, &proxy, &terminal);
    terminal.types("q");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(terminal.is_usual());
    let shown = terminal.all();
    assert!(shown.rsplit_once("\u{1b}[?1049l").unwrap().1.contains("goes on in AWS without being watched"), "{shown}");
}

#[test]
fn a_release_whose_tasks_cannot_start_is_given_up_with_the_reason() {
    // It starts no tasks of its own without docker: each fails, and says why.
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    project.write(STACK, &body());
    project.write(".env", &format!("TOKEN={SECRET}\n"));
    project.expect(0, &["apply", "-y", STACK]);
    let failed = project.expect(1, &["redeploy", "web", "-y", "--stack", STACK]);
    assert!(failed.stderr.contains("web: task ") && failed.stderr.contains(" failed: "), "{}", failed.stderr);
    assert!(failed.stderr.contains("its tasks keep failing: 0 of 2 tasks run"), "{}", failed.stderr);
}

#[test]
fn a_status_of_services_is_their_releases() {
    let project = applied("450000000005");
    let shown = project.expect(0, &["status", STACK, "web"]).stdout;
    assert!(shown.contains("\nweb: deployments\n") && shown.contains("rel-web:1") && !shown.contains("api"), "{shown}");
    let one: Value = project.json(&["status", "web", "--json", "--stack", STACK]);
    assert_eq!((&one["address"], &one["verdict"]["state"]), (&json!("ecs_service.web"), &json!("done")), "{one}");
    let wrong = project.expect(1, &["status", "wbe", "--stack", STACK]);
    assert!(wrong.stderr.contains("did you mean"), "{}", wrong.stderr);
}
