//! AWS's limits of the number of calls and the system's of the number of open files, kept by the real binary: no plan fails
//! on them, and few calls are refused.

use std::process::Command;

use crate::support::emulator::Emulator;
use crate::support::program::{Project, Ran, ran};
use crate::support::proxy::Proxy;
use crate::support::proxy::rates::Rates;

const STACK: &str = "stacks/many.toml";

/// A third each of roles, log groups and repositories, which are read one by one.
fn many(count: usize) -> String {
    format!(
        r#"
[stack]
name = "many"
region = "us-east-1"
[resource.iam_role.r]
for_each = "${{range({0})}}"
name = "many-${{each.key}}"
assume_role_policy = {{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Action = "sts:AssumeRole", Principal = {{ Service = "ecs-tasks.amazonaws.com" }} }}] }}
[resource.cloudwatch_log_group.g]
for_each = "${{range({0})}}"
name = "/many/${{each.key}}"
[resource.ecr_repository.i]
for_each = "${{range({0})}}"
name = "many-${{each.key}}"
"#,
        count / 3
    )
}

/// The binary with no more than so many files open.
fn with_files(project: &Project, files: usize, endpoint: &str, arguments: &[&str]) -> Ran {
    let program = project.command(arguments);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("ulimit -n {files} && exec \"$0\" \"$@\"")).arg(program.get_program()).args(program.get_args());
    shell.current_dir(project.path()).env_clear();
    shell.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("AWS_ENDPOINT_URL", endpoint);
    ran(shell.output().unwrap())
}

#[test]
fn a_plan_of_many_resources_is_made_within_limits_of_calls_and_of_files() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    project.write(STACK, &many(450));
    let apply = with_files(&project, 128, &emulator.endpoint, &["apply", "-y", STACK]);
    assert_eq!(apply.code, 0, "{}", apply.stderr);

    let free = Proxy::recording(&emulator.endpoint);
    let plan = with_files(&project, 128, &free.endpoint, &["plan", "--detailed-exitcode", STACK]);
    assert_eq!(plan.code, 0, "{}{}", plan.stdout, plan.stderr);

    // Five times what is measured for docs/reliability.md: a test need not wait for so long.
    let limited = Proxy::start(&emulator.endpoint, Rates::new(100.0, 50.0).rule());
    let plan = with_files(&project, 128, &limited.endpoint, &["plan", "--detailed-exitcode", STACK]);
    assert_eq!(plan.code, 0, "{}{}", plan.stdout, plan.stderr);
    let unlimited = free.throttled();
    for (service, (refused, taken)) in limited.throttled() {
        assert_eq!(taken, unlimited[&service].1, "{service}: each call is taken once");
        assert!(refused * 5 <= taken + 25, "{service}: {refused} refused, {taken} taken");
    }
    assert!(limited.throttled().values().any(|(refused, _)| *refused > 0), "nothing was refused");
}

#[test]
fn a_plan_says_whose_rate_limit_it_waits_for() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    project.write(STACK, &many(90));
    project.expect(0, &["apply", "-y", STACK]);
    let limited = Proxy::start(&emulator.endpoint, Rates::new(1e6, 1e6).but("iam", 20.0, 5.0).rule());
    let plan = ran(project.command(&["plan", STACK]).env("AWS_ENDPOINT_URL", &limited.endpoint).output().unwrap());
    assert_eq!(plan.code, 0, "{}{}", plan.stdout, plan.stderr);
    assert!(plan.stderr.contains(": waiting for the rate limit of IAM ("), "{}", plan.stderr);
}
