//! What holds of every command about what was deployed: no secret is shown or kept, and mistakes are met with words.

use crate::support::emulator::Emulator;
use crate::support::program::{Project, Ran, ran};
use crate::support::proxy::Proxy;
use crate::support::proxy::fault::Fault;
use crate::support::sdk;

const STACK: &str = "stacks/shop.toml";
const SECRET: &str = "hunter2-operated";

const BODY: &str = r#"
[stack]
name = "operated"
region = "us-east-1"
[env]
files = ["../.env"]
[resource.secretsmanager_secret.token]
name = "operated/token"
[resource.cloudwatch_log_group.web]
name = "/operated/web"
[resource.iam_role.execution]
name = "operated-execution"
assume_role_policy = { Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }] }
[resource.ecr_repository.web]
name = "operated"
[resource.ecs_cluster.main]
name = "operated"
[resource.ecs_task_definition.web]
family = "operated-web"
cpu = 256
memory = 512
execution_role_arn = "${iam_role.execution.arn}"
[[resource.ecs_task_definition.web.container_definitions]]
name = "web"
image = "web:v1"
environment = { PLAIN = "${env.PLAIN}" }
secrets = { TOKEN = "${secretsmanager_secret.token.arn}" }
[resource.ecs_task_definition.web.container_definitions.log_configuration]
log_driver = "awslogs"
options = { awslogs-group = "${cloudwatch_log_group.web.name}", awslogs-stream-prefix = "web", awslogs-region = "us-east-1" }
[resource.ecs_service.web]
name = "operated-web"
cluster = "${ecs_cluster.main.arn}"
task_definition = "${ecs_task_definition.web.arn}"
desired_count = 1
[outputs]
plain = "${env.PLAIN}"
"#;

fn project(endpoint: &str, account: &str) -> Project {
    let project = Project::new(endpoint, account);
    project.write(STACK, BODY);
    project.write(".env", &format!("TOKEN={SECRET}\nPLAIN={SECRET}\n"));
    project.expect(0, &["apply", "-y", STACK]);
    project
}

#[tokio::test]
async fn no_command_shows_or_keeps_a_secret() {
    let endpoint = Emulator::MiniStack.endpoint().unwrap();
    let account = "420000000001";
    let project = project(endpoint, account);
    let mut shown = String::new();
    let mut run = |code: i32, arguments: &[&str]| {
        let ran = project.expect(code, &[arguments, &["-vv"]].concat());
        shown.push_str(&ran.stdout);
        shown.push_str(&ran.stderr);
    };
    for json in [&["--json"][..], &[]] {
        run(0, &[&["secrets", "status", STACK], json].concat());
        run(0, &[&["secrets", "push", "-y", STACK], json].concat());
        run(0, &[&["status", STACK], json].concat());
        run(0, &[&["stats", STACK], json].concat());
        run(0, &[&["logs", "--stack", STACK], json].concat());
        run(0, &[&["cost", STACK], json].concat());
        run(0, &[&["tasks", "list", "--stack", STACK], json].concat());
        run(0, &[&["scale", "web=2", "--stack", STACK], json].concat());
        run(0, &[&["scale", "up", "-y", "--stack", STACK], json].concat());
        run(0, &[&["redeploy", "-y", "--stack", STACK], json].concat());
        run(0, &[&["redeploy", "-y", "--stack", STACK, "--image", if json.is_empty() { "v3" } else { "v2" }], json].concat());
        run(0, &[&["plan", "--detailed-exitcode", STACK], json].concat());
    }
    run(0, &["plan", "--markdown", STACK]);
    assert!(!shown.contains(SECRET), "{shown}");
    crate::planning::assert_not_written(&project, SECRET);

    // The tasks have it all the same, in the revision that redeploy has registered too.
    let ecs = aws_sdk_ecs::Client::new(&sdk::config(endpoint, account).await);
    let found = ecs.describe_task_definition().task_definition("operated-web").send().await.unwrap().task_definition.unwrap();
    let container = &found.container_definitions()[0];
    assert_eq!(container.image(), Some("web:v3"));
    assert_eq!(container.environment()[0].value(), Some(SECRET));
}

/// The commands, without what they are about.
const COMMANDS: &[&[&str]] = &[
    &["stats", STACK],
    &["logs", "--stack", STACK],
    &["tasks", "list", "--stack", STACK],
    &["secrets", "status", STACK],
    &["scale", "down", "-y", "--stack", STACK],
    &["redeploy", "-y", "--stack", STACK],
    &["redeploy", "-y", "--image", "v2", "--stack", STACK],
    &["exec", "web", "--stack", STACK],
    &["run", "web", "--subnets", "subnet-1", "--security-group", "sg-1", "--stack", STACK],
    &["cost", STACK],
];

/// A command against an AWS that refuses everything but to say who we are.
fn refused(project: &Project, endpoint: &str, arguments: &[&str], code: &'static str) -> Ran {
    let proxy = Proxy::start(endpoint, move |call| (call.service != "sts").then(|| Fault::refuse(400, code)));
    ran(project.command(arguments).env("AWS_ENDPOINT_URL", &proxy.endpoint).output().unwrap())
}

#[test]
fn what_is_refused_is_named_with_the_way_out() {
    let endpoint = Emulator::MiniStack.endpoint().unwrap();
    let project = project(endpoint, "420000000002");
    let action = regex_lite::Regex::new("lacks a permission: [a-z0-9-]+:[A-Z][A-Za-z]+").unwrap();
    for arguments in COMMANDS {
        let denied = refused(&project, endpoint, arguments, "AccessDeniedException");
        assert_eq!(denied.code, 1, "{arguments:?}: {}{}", denied.stdout, denied.stderr);
        assert!(action.is_match(&denied.stderr), "{arguments:?}: {}", denied.stderr);
        let expired = refused(&project, endpoint, arguments, "ExpiredTokenException");
        assert_eq!(expired.code, 1, "{arguments:?}: {}{}", expired.stdout, expired.stderr);
        assert!(expired.stderr.contains("renew your credentials"), "{arguments:?}: {}", expired.stderr);
    }
    // What can be shown without a permission is shown, and the permission is named among the problems.
    let status = refused(&project, endpoint, &["status", STACK], "AccessDeniedException");
    assert!(status.code == 0 && status.stdout.contains("ecs:DescribeServices"), "{}{}", status.stdout, status.stderr);
}

#[test]
fn a_wrong_name_is_met_with_the_right_ones_and_a_stack_never_applied_with_apply() {
    let endpoint = Emulator::MiniStack.endpoint().unwrap();
    let applied = project(endpoint, "420000000003");
    for arguments in [
        &["logs", "wbe"][..],
        &["tasks", "list", "wbe"],
        &["scale", "wbe=2"],
        &["redeploy", "wbe"],
        &["exec", "wbe"],
        &["run", "wbe"],
        &["push", "image", "wbe"],
        &["secrets", "push", "--only", "TOKN", "-y"],
    ] {
        let stack: &[&str] = if arguments[0] == "secrets" { &[STACK] } else { &["--stack", STACK] };
        let wrong = applied.expect(1, &[arguments, stack].concat());
        assert!(wrong.stderr.contains("did you mean"), "{arguments:?}: {}", wrong.stderr);
    }
    let fresh = Project::new(endpoint, "420000000004");
    fresh.write(STACK, BODY);
    fresh.write(".env", "PLAIN=x\n");
    for arguments in COMMANDS.iter().filter(|arguments| arguments[0] != "cost") {
        let never = fresh.expect(1, arguments);
        assert!(never.stderr.contains("never been applied") && never.stderr.contains("leoctl apply"), "{arguments:?}: {}", never.stderr);
    }
}

/// A stack of the repository, applied; and each command about it.
fn operated(project: &Project, stack: &str, extra: &[&str], service: &str) {
    let with = |arguments: &[&str]| -> Vec<String> { arguments.iter().chain(extra).map(ToString::to_string).collect() };
    let run = |code: i32, arguments: &[&str]| {
        let all = with(arguments);
        project.expect(code, &all.iter().map(String::as_str).collect::<Vec<_>>())
    };
    run(0, &["apply", "-y", stack]);
    project.write(".env", &format!("ANTHROPIC_API_KEY={SECRET}\nDATABASE_URL={SECRET}\n"));
    run(0, &["secrets", "push", "-y", stack]);
    assert!(run(0, &["secrets", "status", stack]).stdout.contains("unchanged"));
    assert!(run(0, &["status", stack]).stdout.contains("1 of 1 run"));
    run(0, &["stats", stack]);
    run(0, &["logs", "--stack", stack]);
    assert!(run(0, &["tasks", "list", service, "--stack", stack]).stdout.contains("RUNNING"));
    assert!(run(0, &["cost", stack]).stdout.contains("on Fargate"));
    run(0, &["scale", "down", "-y", "--stack", stack]);
    assert!(run(0, &["status", stack]).stdout.contains("0 of 0 run, scaled by hand"));
    run(0, &["scale", "up", "--stack", stack]);
    run(0, &["redeploy", service, "-y", "--stack", stack]);
    run(0, &["redeploy", service, "-y", "--image", "v2", "--stack", stack]);
    run(0, &["plan", "--detailed-exitcode", stack]);
    run(0, &["destroy", "-y", stack]);
}

#[test]
fn every_command_works_on_leo() {
    let endpoint = Emulator::MiniStack.endpoint().unwrap();
    operated(&Project::new(endpoint, "420000000005"), "stacks/dev.toml", &[], "app");
}

#[test]
fn every_command_works_on_the_agent() {
    // MiniStack returns alarms without what they watch, so they stay out (tests/it/cases has the evidence).
    let without = ["cloudwatch_metric_alarm.high_cpu", "cloudwatch_metric_alarm.high_memory"];
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "420000000006");
    let stack = std::fs::read_to_string(project.path().join("stacks/base/agent.toml")).unwrap();
    let parts =
        stack.split("\n[resource.").enumerate().map(|(at, part)| if at == 0 { part.to_owned() } else { format!("[resource.{part}") });
    let kept: Vec<String> = parts.filter(|part| !without.iter().any(|name| part.starts_with(&format!("[resource.{name}")))).collect();
    project.write("stacks/base/agent.toml", &kept.join("\n"));
    operated(&project, "stacks/agent-dev.toml", &[], "agent");
}
