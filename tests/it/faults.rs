//! What networks, AWS and operators do, done to the real binary: throttling, slow and lagging answers, broken lines,
//! roles not known yet, credentials that expire, signals, disks that are full. It finishes, or stops in order and goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::support::emulator::Emulator;
use crate::support::inventory::Inventory;
use crate::support::program::{Project, Ran, ran};
use crate::support::proxy::Proxy;
use crate::support::proxy::fault::{Fault, not_there_yet};
use crate::support::proxy::rates::Rates;

const STACK: &str = "stacks/prod.toml";
const APPLY: &[&str] = &["apply", "-y", STACK, "--var", "rollout=none"];
const PLAN: &[&str] = &["plan", "--detailed-exitcode", STACK, "--var", "rollout=none"];

fn begun(project: &Project, proxy: &Proxy, arguments: &[&str]) -> Child {
    let mut command = project.command(arguments);
    command.env("AWS_ENDPOINT_URL", &proxy.endpoint).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn through(project: &Project, proxy: &Proxy, arguments: &[&str]) -> Ran {
    ran(begun(project, proxy, arguments).wait_with_output().unwrap())
}

/// What an undisturbed apply leaves in an account.
async fn undisturbed() -> Option<Vec<String>> {
    let emulator = Emulator::Fakecloud.alone()?;
    Project::new(&emulator.endpoint, "test").expect(0, APPLY);
    Some(Inventory::new(&emulator.endpoint, "test").await.lines().await)
}

async fn ends_well(project: &Project, endpoint: &str, wanted: &[String]) {
    project.expect(0, PLAN);
    assert_eq!(Inventory::new(endpoint, "test").await.lines().await, wanted);
}

#[test]
fn an_unchanged_plan_is_made_in_four_waves_of_calls() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    project.expect(0, APPLY);
    // Slow enough that what is asked at once overlaps.
    let proxy = Proxy::start(&emulator.endpoint, |_| Some(Fault::Wait(Duration::from_millis(300))));
    let plan = through(&project, &proxy, PLAN);
    assert_eq!(plan.code, 0, "{}", plan.stdout);
    // Each of the seven secrets is asked for by itself, as the list of them may be five minutes old.
    assert!(proxy.calls().len() <= 67, "{}", proxy.calls().len());
    assert!(proxy.waves() <= 4, "{} waves", proxy.waves());
    assert!(proxy.calls().iter().all(|call| !call.mutates));
}

#[tokio::test]
async fn throttling_slows_an_apply_down_and_does_not_fail_it() {
    let Some(wanted) = undisturbed().await else { return };
    let emulator = Emulator::Fakecloud.alone().unwrap();
    let project = Project::new(&emulator.endpoint, "test");
    let proxy = Proxy::start(&emulator.endpoint, Rates::new(20.0, 5.0).rule());
    let began = Instant::now();
    let apply = through(&project, &proxy, APPLY);
    let took = began.elapsed();
    assert_eq!(apply.code, 0, "{}", apply.stderr);
    let refused: usize = proxy.throttled().values().map(|(refused, _)| refused).sum();
    assert!(refused > 0, "nothing was throttled");
    // For docs/reliability.md.
    eprintln!("{took:.1?}, refused and taken: {:?}", proxy.throttled());
    ends_well(&project, &emulator.endpoint, &wanted).await;
}

#[tokio::test]
async fn reads_that_lag_behind_make_nothing_twice() {
    let Some(wanted) = undisturbed().await else { return };
    let emulator = Emulator::Fakecloud.alone().unwrap();
    let project = Project::new(&emulator.endpoint, "test");
    let seen: Mutex<BTreeSet<String>> = Mutex::default();
    // The first time something is asked for, it is not there yet.
    let proxy = Proxy::start(&emulator.endpoint, move |call| {
        let first = seen.lock().unwrap().insert(format!("{} {}", call.name(), call.request));
        if first { not_there_yet(call) } else { None }
    });
    let apply = through(&project, &proxy, APPLY);
    assert_eq!(apply.code, 0, "{}", apply.stderr);
    ends_well(&project, &emulator.endpoint, &wanted).await;
}

#[tokio::test]
async fn what_a_service_refuses_for_a_moment_is_tried_again() {
    let Some(wanted) = undisturbed().await else { return };
    let emulator = Emulator::Fakecloud.alone().unwrap();
    let project = Project::new(&emulator.endpoint, "test");
    let counts: Mutex<BTreeMap<String, usize>> = Mutex::default();
    // A role that is not known yet, a network that is still in use, a 503: each two times.
    let proxy = Proxy::start(&emulator.endpoint, move |call| {
        let fault = match call.operation.as_str() {
            "CreateService" => Fault::refuse(400, "InvalidParameterException"),
            "RegisterTaskDefinition" => Fault::refuse(400, "ClientException"),
            "CreateSubnet" => Fault::refuse(400, "InvalidVpcID.NotFound"),
            "DeleteSecurityGroup" | "DeleteSubnet" | "DeleteVpc" => Fault::refuse(400, "DependencyViolation"),
            "DeleteTargetGroup" => Fault::refuse(400, "ResourceInUse"),
            "CreateRole" => Fault::refuse(503, "ServiceUnavailable"),
            _ => return None,
        };
        let mut counts = counts.lock().unwrap();
        let count = counts.entry(call.operation.clone()).or_default();
        *count += 1;
        (*count <= 2).then_some(fault)
    });
    let apply = through(&project, &proxy, APPLY);
    assert_eq!(apply.code, 0, "{}", apply.stderr);
    ends_well(&project, &emulator.endpoint, &wanted).await;
    let destroy = through(&project, &proxy, &["destroy", "-y", STACK]);
    assert_eq!(destroy.code, 0, "{}", destroy.stderr);
}

#[tokio::test]
async fn credentials_that_expire_in_the_middle_stop_it_and_say_so() {
    let Some(wanted) = undisturbed().await else { return };
    let emulator = Emulator::Fakecloud.alone().unwrap();
    let project = Project::new(&emulator.endpoint, "test");
    let proxy = Proxy::start(&emulator.endpoint, |call| {
        call.mutation
            .is_some_and(|at| at >= 20)
            .then(|| Fault::refuse(400, if call.service == "ec2" { "RequestExpired" } else { "ExpiredToken" }))
    });
    let apply = through(&project, &proxy, APPLY);
    assert_eq!(apply.code, 1, "{}", apply.stderr);
    assert!(apply.stderr.contains("renew your credentials"), "{}", apply.stderr);
    // What was under way when the first refusal came is all that was still tried.
    let tried = proxy.calls().iter().filter(|call| call.mutates).count();
    assert!(tried <= 20 + 16 * 2, "{tried} changes were tried");
    project.expect(0, APPLY);
    ends_well(&project, &emulator.endpoint, &wanted).await;
}

#[test]
fn a_clock_that_aws_does_not_believe_is_named() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    let proxy = Proxy::start(&emulator.endpoint, |_| Some(Fault::refuse(403, "SignatureDoesNotMatch")));
    let plan = through(&project, &proxy, PLAN);
    assert_eq!(plan.code, 1);
    assert!(plan.stderr.contains("set this machine's clock"), "{}", plan.stderr);
    assert_eq!(proxy.calls().len(), 1);
}

#[tokio::test]
async fn a_signal_ends_it_in_order_and_a_second_one_at_once() {
    let Some(wanted) = undisturbed().await else { return };
    for signals in [&["TERM"][..], &["INT", "TERM"][..]] {
        let emulator = Emulator::Fakecloud.alone().unwrap();
        let project = Project::new(&emulator.endpoint, "test");
        let (told, hears) = std::sync::mpsc::channel();
        let slow = signals.len() > 1;
        let proxy = Proxy::start(&emulator.endpoint, move |call| {
            if call.operation != "CreateSubnet" {
                return None;
            }
            // The test may have heard already.
            let _ = told.send(());
            Some(if slow { Fault::Hang } else { Fault::Wait(Duration::from_millis(300)) })
        });
        let mut child = begun(&project, &proxy, APPLY);
        let mut says = BufReader::new(child.stderr.take().unwrap()).lines();
        hears.recv().unwrap();
        let process = child.id().to_string();
        for signal in signals {
            assert!(std::process::Command::new("kill").args([&format!("-{signal}"), &process]).status().unwrap().success());
            // The next one finds this one heard.
            assert!(says.any(|line| line.unwrap().contains(if *signal == signals[0] { "Interrupted" } else { "Stopped" })));
        }
        let rest: Vec<String> = says.map(Result::unwrap).collect();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:?}");
        project.expect(0, APPLY);
        ends_well(&project, &emulator.endpoint, &wanted).await;
    }
}

#[tokio::test]
async fn a_disk_that_takes_no_more_stops_it_and_loses_nothing() {
    let Some(wanted) = undisturbed().await else { return };
    // The journal of a whole apply is larger than any of these; the last one cuts a record in its middle.
    for blocks in [0, 1, 8, 20, 40] {
        let emulator = Emulator::Fakecloud.alone().unwrap();
        let project = Project::new(&emulator.endpoint, "test");
        let mut command = std::process::Command::new("bash");
        let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
        let inner = project.command(APPLY);
        command.args(["-c", &limited, "bash"]).arg(inner.get_program()).args(inner.get_args()).current_dir(project.path());
        command.env_clear().envs(inner.get_envs().filter_map(|(key, value)| Some((key, value?))));
        let full = ran(command.output().unwrap());
        assert_eq!(full.code, 1, "{blocks}: {}", full.stderr);
        assert!(full.stderr.contains("cannot "), "{blocks}: {}", full.stderr);
        project.expect(0, APPLY);
        ends_well(&project, &emulator.endpoint, &wanted).await;
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_said_before_anything_is_made() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    // Not even the administrator can make files there.
    std::os::unix::fs::symlink("/sys", project.path().join("state")).unwrap();
    let proxy = Proxy::recording(&emulator.endpoint);
    let refused = through(&project, &proxy, APPLY);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("state"), "{}", refused.stderr);
    assert!(proxy.calls().iter().all(|call| !call.mutates));
}
