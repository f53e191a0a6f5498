//! `--sandbox`, `sandbox` and `demo`: what takes long is said, and what the emulator lacks is not laid on the stack.

use std::path::PathBuf;
use std::process::Command;

use crate::support::emulator::Emulator;
use crate::support::program::{Project, ran};
use crate::support::proxy::Proxy;
use crate::support::proxy::fault::Fault;
use crate::terminal::{begun, interrupted_at};

const STACK: &str = "stacks/dev.toml";
const BODY: &str =
    "[stack]\nname = \"lacking\"\nregion = \"us-east-1\"\n[resource.cloudwatch_log_group.a]\nname = \"/lacking\"\nretention_in_days = 7\n";

fn project() -> Project {
    let project = Project::new("", "test");
    project.write(STACK, BODY);
    project
}

fn folder(project: &Project) -> PathBuf {
    project.path().join("sandbox")
}

/// A command with a sandbox of the project's own.
fn command(project: &Project, arguments: &[&str]) -> Command {
    let mut command = project.command(arguments);
    command.env("LEOCTL_SANDBOX_DIR", folder(project));
    command
}

#[test]
fn installing_the_sandbox_says_so_and_is_interrupted_with_a_word() {
    let project = project();
    // An installation that lasts as long as leoctl.
    let python = project.path().join("bin/python3");
    project.write("bin/python3", "#!/bin/sh\nwhile kill -0 $PPID 2>/dev/null; do sleep 0.1; done\n");
    assert!(Command::new("chmod").arg("+x").arg(&python).status().unwrap().success());
    let path = format!("{}:{}", python.parent().unwrap().display(), std::env::var("PATH").unwrap());
    for arguments in [&["--sandbox", "plan", STACK][..], &["demo"], &["sandbox", "start"]] {
        let mut command = command(&project, arguments);
        command.env("PATH", &path);
        let (code, said) = interrupted_at(begun(command), "waiting for the sandbox's emulator to be installed and to start (2 s)");
        assert_eq!(code, 130, "{arguments:?}: {said}");
        assert!(said.contains("Installing MiniStack for the sandbox (once)") && said.ends_with("Interrupted.\n"), "{arguments:?}: {said}");
    }
}

/// A sandbox that runs already: what answers is the shared emulator, behind a proxy.
fn runs(project: &Project, proxy: &Proxy) {
    let port = proxy.endpoint.rsplit(':').next().unwrap();
    project.write("sandbox/running.json", &format!("{{\"pid\":{},\"port\":{port}}}", std::process::id()));
}

/// An answer in no form of AWS's.
fn formless() -> Fault {
    let body = r#"{"error": "Unsupported service: logs"}"#;
    let head = format!("HTTP/1.1 400 X\r\nContent-Type: application/json\r\nContent-Length: {}", body.len());
    Fault::Raw(format!("{head}\r\n\r\n{body}").into_bytes())
}

#[test]
fn what_the_sandbox_lacks_is_said_with_what_to_do() {
    let lacks = |operation: &str| format!("the sandbox lacks this part of logs (logs:{operation}): your stack is fine");
    // What is refused, and with which code; without one, in no form of AWS's.
    let cases = [
        ("DescribeLogGroups", None, "plan", true),
        ("CreateLogGroup", None, "apply", true),
        ("CreateLogGroup", Some("UnknownOperationException"), "apply", true),
        ("PutRetentionPolicy", Some("InvalidAction"), "apply", true),
        // What AWS would refuse, too, is the stack's.
        ("CreateLogGroup", Some("InvalidParameterException"), "apply", false),
    ];
    for (operation, code, what, lacking) in cases {
        let words = code.unwrap_or("Unsupported service: logs");
        let fault = move || code.map_or_else(formless, |code| Fault::refuse(400, code));
        let project = project();
        let proxy = Proxy::start(Emulator::MiniStack.endpoint().unwrap(), move |call| (call.operation == operation).then(fault));
        runs(&project, &proxy);
        let arguments: &[&str] = if what == "plan" { &["--sandbox", "plan", STACK] } else { &["--sandbox", "apply", "-y", STACK] };
        // No other one is installed instead.
        let failed = ran(command(&project, arguments).env("PATH", "").output().unwrap());
        assert_eq!(failed.code, 1, "{operation}: {}", failed.stderr);
        assert!(failed.stderr.contains(words), "{operation}: the emulator's own words: {}", failed.stderr);
        assert_eq!(failed.stderr.contains(&lacks(operation)), lacking, "{operation} {words}: {}", failed.stderr);
        // Elsewhere nobody speaks of a sandbox.
        let elsewhere = ran(project.command(arguments.get(1..).unwrap()).env("AWS_ENDPOINT_URL", &proxy.endpoint).output().unwrap());
        assert_eq!(elsewhere.code, 1, "{operation}: {}", elsewhere.stderr);
        assert!(!elsewhere.stderr.contains("sandbox"), "{operation}: {}", elsewhere.stderr);
        // What was made of it does not stay in the emulator that others use.
        let whole = Proxy::recording(Emulator::MiniStack.endpoint().unwrap());
        runs(&project, &whole);
        let gone = ran(command(&project, &["--sandbox", "destroy", "-y", STACK]).env("PATH", "").output().unwrap());
        assert!(gone.code == 0 || gone.stderr.contains("has never been applied"), "{operation}: {}", gone.stderr);
    }
}
