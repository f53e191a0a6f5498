//! Commands that change what a stack has made act on what was meant, and on nothing else.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::support::emulator::Emulator;
use crate::support::program::{Project, ran};
use crate::support::proxy::Proxy;
use crate::support::proxy::call::Call;
use crate::support::proxy::fault::Fault;
use crate::support::sdk;

const STACK: &str = "stacks/shop.toml";

/// Two services of two repositories in two clusters, of one name in ECS, and a daemon.
const BODY: &str = r#"
[stack]
name = "two"
region = "us-east-1"
[resource.ecr_repository.app]
name = "two/app"
[resource.ecr_repository.tools]
name = "two/tools"
[resource.ecs_cluster.blue]
name = "two-blue"
[resource.ecs_cluster.green]
name = "two-green"
[resource.ecs_task_definition.app]
family = "two-app"
network_mode = "bridge"
requires_compatibilities = ["EC2"]
cpu = 256
memory = 512
container_definitions = [
  { name = "app", image = "${ecr_repository.app.repository_uri}:v1" },
  { name = "proxy", image = "${ecr_repository.tools.repository_uri}:v1" },
]
[resource.ecs_task_definition.tools]
family = "two-tools"
network_mode = "bridge"
requires_compatibilities = ["EC2"]
cpu = 256
memory = 512
container_definitions = [{ name = "tools", image = "${ecr_repository.tools.repository_uri}:v1" }]
[resource.ecs_service.app]
name = "web"
cluster = "${ecs_cluster.blue.arn}"
task_definition = "${ecs_task_definition.app.arn}"
launch_type = "EC2"
desired_count = 2
rollout = "none"
[resource.ecs_service.tools]
name = "web"
cluster = "${ecs_cluster.green.arn}"
task_definition = "${ecs_task_definition.tools.arn}"
launch_type = "EC2"
desired_count = 2
rollout = "none"
[resource.ecs_task_definition.agent]
family = "two-agent"
network_mode = "bridge"
requires_compatibilities = ["EC2"]
cpu = 128
memory = 128
container_definitions = [{ name = "agent", image = "agent:v1" }]
[resource.ecs_service.agent]
name = "agent"
cluster = "${ecs_cluster.green.arn}"
task_definition = "${ecs_task_definition.agent.arn}"
launch_type = "EC2"
scheduling_strategy = "DAEMON"
rollout = "none"
"#;

fn applied(account: &str) -> Project {
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), account);
    project.write(STACK, BODY);
    project.expect(0, &["apply", "-y", STACK]);
    project
}

/// The images of all task definitions, as the state has them, without the registry.
fn images(project: &Project) -> Vec<String> {
    let state = project.json(&["state", "pull", STACK]);
    let containers = ["app", "tools", "agent"].iter().flat_map(|name| {
        let attributes = &state["resources"][format!("ecs_task_definition.{name}")]["current"]["attributes"];
        attributes["container_definitions"].as_array().unwrap().clone()
    });
    containers.map(|container| container["image"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()).collect()
}

fn uri(project: &Project, repository: &str) -> String {
    let state = project.json(&["state", "pull", STACK]);
    let attributes = &state["resources"][format!("ecr_repository.{repository}")]["current"]["attributes"];
    attributes["repository_uri"].as_str().unwrap().to_owned()
}

#[test]
fn an_image_goes_to_the_containers_of_its_repository_only() {
    let project = applied("440000000001");
    // A tag is of no repository: it does not say which services are meant, and is no answer for two repositories.
    let which = project.expect(1, &["redeploy", "-y", "--image", "v42", "--stack", STACK]);
    assert!(which.stderr.contains("of which services?") && which.stderr.contains("ecs_service.tools"), "{}", which.stderr);
    let both = project.expect(1, &["redeploy", "app", "tools", "-y", "--image", "v42", "--container", "tools", "--stack", STACK]);
    assert!(!both.stderr.contains("Done"), "{}", both.stderr);
    let several = project.expect(1, &["redeploy", "tools", "agent", "-y", "--image", "v42", "--stack", STACK]);
    assert!(several.stderr.contains("several repositories"), "{}", several.stderr);
    assert_eq!(images(&project), ["app:v1", "tools:v1", "tools:v1", "agent:v1"]);

    // A whole image says it all: each container of its repository, whichever service it is in, and no other.
    let whole = format!("{}:v2", uri(&project, "tools"));
    let ran = project.expect(0, &["redeploy", "-y", "--image", &whole, "--stack", STACK]);
    assert_eq!(images(&project), ["app:v1", "tools:v2", "tools:v2", "agent:v1"], "{}", ran.stderr);
    assert!(!ran.stderr.contains("ecs_service.agent:"), "{}", ran.stderr);
    let app = format!("{}:v3", uri(&project, "app"));
    let wrong = project.expect(1, &["redeploy", "tools", "-y", "--image", &app, "--stack", STACK]);
    assert!(wrong.stderr.contains("ecs_service.tools runs no image of"), "{}", wrong.stderr);
    let nobody = project.expect(1, &["redeploy", "-y", "--image", "ghcr.io/other/app:v3", "--stack", STACK]);
    assert!(nobody.stderr.contains("no service of the stack runs an image of ghcr.io/other/app"), "{}", nobody.stderr);
    // The address of the registry may be left out.
    project.expect(0, &["redeploy", "-y", "--image", "tools:v3", "--stack", STACK]);
    assert_eq!(images(&project), ["app:v1", "tools:v3", "tools:v3", "agent:v1"]);
    project.expect(0, &["redeploy", "tools", "-y", "--image", "v4", "--stack", STACK]);
    assert_eq!(images(&project), ["app:v1", "tools:v3", "tools:v4", "agent:v1"]);
    // Who names the container may have it run anything.
    project.expect(0, &["redeploy", "agent", "-y", "--container", "agent", "--image", "ghcr.io/x/agent:v9", "--stack", STACK]);
    assert_eq!(images(&project), ["app:v1", "tools:v3", "tools:v4", "agent:v9"]);
}

#[test]
fn what_push_advises_touches_only_what_runs_the_pushed_image() {
    let project = applied("440000000002");
    project.write("bin/docker", "#!/bin/sh\n[ \"$1\" != login ] || cat > /dev/null\n");
    std::fs::set_permissions(project.path().join("bin/docker"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}/bin:/usr/bin:/bin", project.path().display());
    let pushed = ran(project.command(&["push", "app:v42", "app", "--stack", STACK]).env("PATH", path).output().unwrap());
    assert_eq!(pushed.code, 0, "{}", pushed.stderr);
    assert!(pushed.stderr.contains("In stack two (stacks/shop.toml), account 440000000002, us-east-1:"), "{}", pushed.stderr);
    let advice = pushed.stderr.split('`').find(|part| part.starts_with("leoctl redeploy ")).unwrap().to_owned();
    assert_eq!(advice, format!("leoctl redeploy app --image {}:v42", uri(&project, "app")));
    let mut arguments: Vec<&str> = advice.split_whitespace().skip(1).collect();
    arguments.extend(["-y", "--stack", STACK]);
    project.expect(0, &arguments);
    assert_eq!(images(&project), ["app:v42", "tools:v1", "tools:v1", "agent:v1"]);
}

#[test]
fn what_scales_nothing_leaves_the_state_and_every_plan_as_they_are() {
    let project = applied("440000000009");
    let serial = || project.json(&["state", "pull", STACK])["serial"].clone();
    project.expect(0, &["scale", "app=2", "-y", "--stack", STACK]);
    let before = serial();
    for words in [&["app=2"][..], &["up", "tools"]] {
        let ran = project.expect(0, &[&["scale", "-y", "--stack", STACK], words].concat());
        assert!(ran.stderr.contains("Nothing to do"), "{words:?}: {}", ran.stderr);
        assert_eq!(serial(), before, "{words:?}");
    }
}

#[tokio::test]
async fn a_daemon_is_left_alone_by_scaling() {
    let project = applied("440000000003");
    let down = project.expect(0, &["scale", "down", "-y", "--stack", STACK]);
    assert!(down.stderr.contains("ecs_service.agent: left alone, it is a daemon"), "{}", down.stderr);
    let state = project.json(&["state", "pull", STACK]);
    let pinned: Vec<&String> = state["pins"].as_object().unwrap().keys().collect();
    assert_eq!(pinned, ["ecs_service.app", "ecs_service.tools"]);
    for words in [&["down", "agent"][..], &["agent=0"], &["agent=3"], &["up", "agent"]] {
        let refused = project.expect(1, &[&["scale"], words, &["-y", "--stack", STACK]].concat());
        assert!(refused.stderr.contains("ecs_service.agent is a daemon"), "{words:?}: {}", refused.stderr);
    }
    project.expect(0, &["scale", "up", "--stack", STACK]);
    let ecs = aws_sdk_ecs::Client::new(&sdk::config(Emulator::MiniStack.endpoint().unwrap(), "440000000003").await);
    for cluster in ["two-blue", "two-green"] {
        let found = ecs.describe_services().cluster(cluster).services("web").send().await.unwrap();
        assert_eq!(found.services()[0].desired_count(), 2, "{cluster}");
    }
}

#[test]
fn what_else_another_image_changes_is_shown_before_the_question() {
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "440000000009");
    let parameter =
        "[resource.ssm_parameter.revision]\nname = \"/two/revision\"\ntype = \"String\"\nvalue = \"${ecs_task_definition.tools.arn}\"\n";
    project.write(STACK, &format!("{BODY}{parameter}"));
    project.expect(0, &["apply", "-y", STACK]);
    let arguments = ["redeploy", "tools", "--image", "v5", "--stack", STACK];
    let old = format!("{}:v1", uri(&project, "tools"));
    let refused = project.expect(1, &arguments);
    let (shown, _) = refused.stderr.split_once("pass `--yes`").unwrap_or_else(|| panic!("{}", refused.stderr));
    for words in [&format!("container tools: {old} → "), "ssm_parameter.revision", "ecs_task_definition.tools", "to replace"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let done = project.expect(0, &[&arguments[..], &["-y"]].concat());
    assert_eq!(done.stderr.matches("to replace").count(), 1, "{}", done.stderr);
    // So do the steps of scaling, all of them.
    let refused = project.expect(1, &["scale", "app=1", "--stack", STACK]);
    let (shown, _) = refused.stderr.split_once("pass `--yes`").unwrap_or_else(|| panic!("{}", refused.stderr));
    assert!(shown.contains("desired_count = 2 → 1"), "{shown}");
}

#[test]
fn a_word_means_one_service_and_a_service_is_named_once() {
    let project = applied("440000000007");
    let serial = || project.json(&["state", "pull", STACK])["serial"].clone();
    let before = serial();
    for arguments in [&["scale", "web=1"][..], &["redeploy", "web"], &["tasks", "list", "web"], &["logs", "web"]] {
        let extra: &[&str] = if matches!(arguments[0], "scale" | "redeploy") { &["-y"] } else { &[] };
        let refused = project.expect(1, &[arguments, extra, &["--stack", STACK]].concat());
        assert!(refused.stderr.contains("`ecs_service.app`, `ecs_service.tools`"), "{arguments:?}: {}", refused.stderr);
    }
    for words in [["app=1", "app=0"], ["app=1", "ecs_service.app=1"]] {
        let twice = project.expect(1, &[&["scale"], &words[..], &["-y", "--stack", STACK]].concat());
        assert!(twice.stderr.contains("names ecs_service.app once more"), "{words:?}: {}", twice.stderr);
    }
    assert_eq!(serial(), before);
    // The ARN of a task of another cluster is none of the stack's tasks.
    let arn = project.json(&["tasks", "list", "--json", "--stack", STACK])[0]["arn"].as_str().unwrap().to_owned();
    let other = arn.replace("440000000007", "440000000008");
    let none = project.expect(1, &["tasks", "stop", &other, "-y", "--stack", STACK]);
    assert!(none.stderr.contains("there is no task"), "{}", none.stderr);
    // Nor are its logs the stack's.
    let (elsewhere, far) = (arn.replace("task/two-", "task/six-"), arn.replace("us-east-1", "eu-west-1"));
    for (wrong, place) in [(&other, "is in account 440000000008"), (&elsewhere, "is in cluster six-"), (&far, "of eu-west-1")] {
        let refused = project.expect(1, &["logs", "--task", wrong, "--stack", STACK]);
        assert!(refused.stderr.contains(wrong.as_str()) && refused.stderr.contains(place), "{}", refused.stderr);
    }
    project.expect(0, &["tasks", "stop", &arn, "-y", "--stack", STACK]);
}

/// A task of `web` in the green cluster that could not start, and none anywhere else.
fn failed_in_green(call: &Call) -> Option<Fault> {
    let green = call.request.contains("two-green");
    let arn = "arn:aws:ecs:us-east-1:440000000004:task/two-green/1dc5c17a422b4dc4b493371970c6c4d6";
    match call.operation.as_str() {
        "ListTasks" if green && call.request.contains("STOPPED") => Some(Fault::Answer(format!(r#"{{"taskArns":["{arn}"]}}"#))),
        "ListTasks" => Some(Fault::Answer(r#"{"taskArns":[]}"#.to_owned())),
        "DescribeTasks" => Some(Fault::Answer(format!(
            r#"{{"failures":[],"tasks":[{{"taskArn":"{arn}","clusterArn":"arn:aws:ecs:us-east-1:440000000004:cluster/two-green",
            "group":"service:web","lastStatus":"STOPPED","desiredStatus":"STOPPED","stopCode":"TaskFailedToStart","stoppedAt":1790000000.5,
            "taskDefinitionArn":"arn:aws:ecs:us-east-1:440000000004:task-definition/two-tools:1","healthStatus":"UNKNOWN",
            "stoppedReason":"CannotPullContainerError: not found","containers":[{{"name":"tools","lastStatus":"STOPPED"}}]}}]}}"#
        ))),
        _ => None,
    }
}

#[test]
fn of_two_services_of_one_name_each_has_its_own_failures() {
    let project = applied("440000000004");
    let proxy = Proxy::start(Emulator::MiniStack.endpoint().unwrap(), failed_in_green);
    let through = |arguments: &[&str]| {
        let ran = ran(project.command(arguments).env("AWS_ENDPOINT_URL", &proxy.endpoint).output().unwrap());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stdout
    };
    let status: Value = serde_json::from_str(&through(&["status", "--json", STACK])).unwrap();
    let failures = status["problems"].as_array().unwrap().iter().filter(|one| one["message"].as_str().unwrap().contains("1 task failed"));
    let subjects: Vec<&Value> = failures.map(|problem| &problem["subject"]).collect();
    assert_eq!(subjects, ["ecs_service.tools"], "{status}");
    assert_eq!(status["tasks"][0]["address"], "ecs_service.tools");
    let shown = through(&["status", STACK]);
    let tasks = shown.split_once("\nTasks\n").unwrap().1.lines().next().unwrap();
    assert!(tasks.trim_start().starts_with("tools "), "{shown}");
    let listed = through(&["tasks", "list", "--stack", STACK]);
    assert!(listed.contains("ecs_service.tools") && !listed.contains("ecs_service.app"), "{listed}");
}

#[test]
fn each_change_names_the_stack_asks_first_and_waits_for_an_apply_only_where_it_has_to() {
    let project = applied("440000000005");
    let id = project.json(&["tasks", "list", "--json", "--stack", STACK])[0]["id"].as_str().unwrap().to_owned();
    let stop = ["tasks", "stop", &id, "--stack", STACK];
    for arguments in [&stop[..], &["scale", "down", "--stack", STACK], &["redeploy", "app", "--stack", STACK]] {
        let refused = project.expect(1, arguments);
        assert!(refused.stderr.contains("In stack two (stacks/shop.toml), account 440000000005, us-east-1:"), "{}", refused.stderr);
        assert!(refused.stderr.contains("pass `--yes`"), "{arguments:?}: {}", refused.stderr);
    }
    // An apply is at it.
    let held = std::fs::File::options().write(true).open(project.path().join("state/two.lock")).unwrap();
    held.lock().unwrap();
    for arguments in [&["scale", "down"][..], &["redeploy", "app"], &["redeploy", "tools", "--image", "v9"]] {
        let refused = project.expect(1, &[arguments, &["-y", "--stack", STACK]].concat());
        assert!(refused.stderr.contains("another leoctl is working on this stack"), "{arguments:?}: {}", refused.stderr);
    }
    let stopped = project.expect(0, &[&stop[..], &["-y"]].concat());
    assert!(stopped.stderr.contains("is stopping"), "{}", stopped.stderr);
    held.unlock().unwrap();
    project.expect(0, &["redeploy", "app", "-y", "--stack", STACK]);
}

#[tokio::test]
async fn of_two_alarms_of_one_name_the_one_that_went_off_is_named() {
    let account = "440000000006";
    let endpoint = Emulator::MiniStack.endpoint().unwrap();
    let project = Project::new(endpoint, account);
    let alarm = |name: &str, region: &str| {
        format!(
            "[resource.cloudwatch_metric_alarm.{name}]\nregion = \"{region}\"\nname = \"errors\"\nnamespace = \"Shop\"\nmetric_name = \"Errors\"\n\
             statistic = \"Sum\"\nperiod = 60\nevaluation_periods = 1\nthreshold = 5\ncomparison_operator = \"GreaterThanThreshold\"\n"
        )
    };
    let both = [alarm("far", "us-west-2"), alarm("here", "us-east-1")].concat();
    project.write(STACK, &format!("[stack]\nname = \"alarmed\"\nregion = \"us-east-1\"\n{both}"));
    project.expect(0, &["apply", "-y", STACK]);
    let alarms = aws_sdk_cloudwatch::Client::new(&sdk::config(endpoint, account).await);
    let alarm = aws_sdk_cloudwatch::types::StateValue::Alarm;
    alarms.set_alarm_state().alarm_name("errors").state_value(alarm).state_reason("12 errors").send().await.unwrap();
    let status = project.json(&["status", "--json", STACK]);
    let subjects: Vec<&Value> = status["problems"].as_array().unwrap().iter().map(|problem| &problem["subject"]).collect();
    assert_eq!(subjects, ["cloudwatch_metric_alarm.here"], "{status}");
}
