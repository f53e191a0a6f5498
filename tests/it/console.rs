//! `leoctl console`: expressions evaluated one line at a time, piped in and typed.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use crate::support::emulator::Emulator;
use crate::support::program::{Project, Ran, ran};
use crate::support::terminal::Terminal;

const STACK: &str = r#"
[stack]
name = "console"
region = "us-east-1"

[vars.name]
default = "web"

[vars.token]
default = "s3cr3t-token"
sensitive = true

[vars.size]
description = "Given by nobody"

[locals]
sizes = [1, 2, 3]
tables = { none = [], one = { a = 1 } }

[data.caller_identity.me]

[resource.cloudwatch_log_group.app]
name = "/console/${vars.name}"
retention_in_days = 7

[resource.cloudwatch_log_group.none]
when = "${vars.name == 'other'}"
name = "/console/none"

[resource.ssm_parameter.token]
name = "/console/token"
type = "SecureString"
secure_value = "${vars.token}"
"#;

/// Where nobody answers.
const NOWHERE: &str = "http://127.0.0.1:9";

fn project(endpoint: &str) -> Project {
    let project = Project::new(endpoint, "test");
    project.write("stacks/console.toml", STACK);
    project.write("files/motd.txt", "hello\n");
    project
}

fn fed(command: &mut Command, lines: &str) -> Ran {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    ran(child.wait_with_output().unwrap())
}

fn piped(project: &Project, arguments: &[&str], lines: &str) -> Ran {
    fed(&mut project.command(&[&["console", "stacks/console.toml"], arguments].concat()), lines)
}

#[test]
fn lines_that_are_piped_in_are_evaluated_without_aws() {
    let project = project(NOWHERE);
    let lines = [
        ("vars.name + '!'", "\"web!\""),
        ("${size(locals.sizes)}", "3"),
        ("${vars.name}-${locals.sizes[0]}", "\"web-1\""),
        ("{'a': vars.name}", "{ a = \"web\" }"),
        ("locals.tables", "{ none = [], one = { a = 1 } }"),
        ("file('../files/motd.txt')", "\"hello\\n\""),
        ("stack.region", "\"us-east-1\""),
        ("vars.token", "(sensitive)"),
        ("vars.token + '!'", "(sensitive)"),
        ("'s3cr3t-token'", "(sensitive)"),
        ("cloudwatch_log_group.app.name", "\"/console/web\""),
        ("cloudwatch_log_group.app.arn", "(known after apply)"),
        ("cloudwatch_log_group.none", "null"),
        (":type locals.sizes", "a list"),
        (":type vars.token", "a string (sensitive)"),
    ];
    let typed: String = lines.iter().map(|(line, _)| format!("{line}\n\n")).collect();
    let done = piped(&project, &[], &format!("{typed}:quit\n1 + 1\n"));
    assert_eq!(done.stdout.lines().collect::<Vec<_>>(), lines.map(|(_, shown)| shown), "{}", done.stderr);
    assert_eq!((done.code, done.stderr.as_str()), (0, "Stack stacks/console.toml\n"));
    let json = piped(&project, &["--json"], "{'a': [], 't': vars.token}\ncloudwatch_log_group.app.arn\n");
    assert_eq!(json.stdout, "{\"a\":[],\"t\":\"(sensitive)\"}\n\"(known after apply)\"\n");
    assert!(!project.path().join(".local").exists(), "what is piped in is not kept");
}

#[test]
fn what_has_no_value_is_said_with_its_place_and_the_rest_goes_on() {
    let lines = "1 +\n1 + vars.nane\nlength('a')\ncloudwatch_log_group.app.arm\ncloudwatch_log_group.none.arn\nvars.size\n1 == '1'\n\
                 's3cr3t-token'.odd()\n:tpye 1\n:type\n2\n";
    let done = piped(&project(NOWHERE), &[], lines);
    assert_eq!((done.code, done.stdout.as_str()), (1, "false\n2\n"));
    insta::assert_snapshot!(done.stderr);
    let json = piped(&project(NOWHERE), &["--json"], "vars.nane\n");
    let error: serde_json::Value = serde_json::from_str(&json.stderr).unwrap();
    assert_eq!((&error["error"]["code"], &error["error"]["at"]["file"]), (&"E0402".into(), &"console".into()));
}

#[test]
fn what_was_made_is_known_as_of_the_last_apply_or_as_it_is_now() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = project(&emulator.endpoint);
    let never = piped(&project, &[], "data.caller_identity.me.account_id == stack.account_id\ncloudwatch_log_group.app.arn\n");
    assert_eq!(never.stdout, "true\n(known after apply)\n", "{}", never.stderr);
    project.expect(0, &["apply", "-y", "--var", "size=1", "stacks/console.toml"]);
    let lines = "cloudwatch_log_group.app.arn.contains(':log-group:/console/web')\nvars.size\nssm_parameter.token.secure_value\nssm_parameter.token\n";
    // Without data sources AWS is not asked, and need not be there.
    let mut alone = project.command(&["console", "stacks/console.toml"]);
    let remembered = fed(alone.env("AWS_ENDPOINT_URL", NOWHERE), lines);
    let live = piped(&project, &["--refresh", "--var", "size=1"], lines);
    for shown in [&remembered, &live] {
        assert!(shown.stdout.starts_with("true\n\"1\"\n(sensitive)\n{ "), "{}{}", shown.stdout, shown.stderr);
        assert!(shown.stdout.contains("secure_value = (sensitive)") && !shown.stdout.contains("s3cr3t"), "{}", shown.stdout);
    }
    // As it was applied, whatever the file says by now.
    project.write("stacks/console.toml", &STACK.replace("retention_in_days = 7", "retention_in_days = 14"));
    let edited = piped(&project, &[], "cloudwatch_log_group.app.retention_in_days\ndata.caller_identity.me.account_id.size()\n");
    assert_eq!(edited.stdout, "7\n12\n", "{}", edited.stderr);
}

#[test]
fn where_aws_cannot_be_asked_only_what_needs_it_has_no_value() {
    let project = project(NOWHERE);
    let mut command = project.command(&["console", "stacks/console.toml"]);
    let done = fed(command.env_remove("AWS_ACCESS_KEY_ID").env("AWS_EC2_METADATA_DISABLED", "true"), "data.caller_identity.me\n1 + 1\n");
    assert_eq!((done.code, done.stdout.as_str()), (1, "2\n"), "{}", done.stderr);
    assert!(done.stderr.contains("error[E1001]"), "{}", done.stderr);
}

/// The prompt, from where on keys are taken one by one.
const PROMPT: &str = "\u{1b}[1;1H> ";

fn opened(project: &Project, terminal: &Terminal) -> Child {
    let mut command = project.command(&["console", "stacks/console.toml", "--no-color"]);
    command.env("TERM", "xterm").stdin(terminal.stdio()).stdout(terminal.stdio()).stderr(terminal.stdio());
    command.spawn().unwrap()
}

#[test]
fn at_a_terminal_names_are_completed_and_nothing_sensitive_is_kept() {
    let project = project(NOWHERE);
    let mut terminal = Terminal::new(24, 120);
    let mut child = opened(&project, &terminal);
    terminal.shows(PROMPT);
    terminal.types("vars.na\t + '-1'\r");
    terminal.shows_behind("\"web-1\"", PROMPT);
    terminal.types("vars.token\r");
    terminal.shows_behind("(sensitive)", PROMPT);
    terminal.types("size('s3cr3t-token') + 1000\r");
    terminal.shows_behind("1012", PROMPT);
    terminal.types(" 20 + 3\r");
    terminal.shows_behind("23", PROMPT);
    terminal.types("nothing.here\r");
    terminal.shows_behind("there is no resource `nothing.here`", PROMPT);
    terminal.types("given up");
    terminal.shows("given up");
    terminal.types("\u{3}");
    terminal.shows_behind("given up", PROMPT);
    terminal.types("cidrsub\t'10.0.0.0/16', 8, 7)\r");
    terminal.shows_behind("10.0.7.0/24", PROMPT);
    terminal.types("\u{4}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(terminal.is_usual());
    let file = project.path().join(".local/state/leoctl/console_history");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "vars.name + '-1'\ncidrsubnet('10.0.0.0/16', 8, 7)\n");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    // The next one has it, and adds to it.
    let mut terminal = Terminal::new(24, 120);
    let mut child = opened(&project, &terminal);
    terminal.shows(PROMPT);
    terminal.types("\u{1b}[A");
    terminal.shows("cidrsubnet('10.0.0.0/16', 8, 7)");
    terminal.types("\u{1b}[A\r");
    terminal.shows_behind("\"web-1\"", PROMPT);
    terminal.types("1 + 98\r");
    terminal.shows_behind("99", PROMPT);
    terminal.types(":quit\r");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(kept.ends_with("8, 7)\nvars.name + '-1'\n1 + 98\n"), "{kept}");
}

#[test]
fn a_signal_leaves_the_terminal_as_it_was() {
    let project = project(NOWHERE);
    let mut terminal = Terminal::new(24, 120);
    let mut child = opened(&project, &terminal);
    terminal.shows(PROMPT);
    terminal.types("40 + 2\r");
    terminal.shows("42");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(terminal.is_usual());
}
