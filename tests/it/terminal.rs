//! What leoctl shows: no text from outside moves the terminal, changes are shown line by line, waiting is said, and a signal
//! is answered with a word.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use crate::support::emulator::Emulator;
use crate::support::program::{Project, Ran, ran};
use crate::support::proxy::Proxy;
use crate::support::proxy::fault::Fault;
use crate::support::sdk;
use crate::support::terminal::Terminal;

const STACK: &str = "stacks/shop.toml";

/// What a terminal would obey, as TOML writes it: a cleared screen, a title, both in one character, and turned writing.
const HOSTILE: &str = "\\u001b[2J\\u001b]0;t\\u0007\\u009b2J\\u009d0;t\\u009c\\u202e\\u2066\\u007f";

fn hostile(region: &str) -> String {
    format!(
        r#"
[stack]
name = "hostile"
region = "{region}"
[locals]
keys = ["a{HOSTILE}"]
[vars.note]
default = "x{HOSTILE}"
[resource.cloudwatch_log_group.web]
for_each = "${{locals.keys}}"
name = "/hostile/web"
tags = {{ Note = "${{vars.note}}" }}
[outputs]
note = "n{HOSTILE}"
[checks.odd]
assert = "${{false}}"
message = "m{HOSTILE}"
"#
    )
}

/// Whether a text has characters that a terminal obeys, beside line feeds and tabs.
fn controls(text: &str) -> bool {
    text.chars().any(|c| (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
}

fn clean(ran: Ran, what: &str) -> Ran {
    assert!(!controls(&ran.stdout) && !controls(&ran.stderr), "{what}: {:?}\n{:?}", ran.stdout, ran.stderr);
    ran
}

#[tokio::test]
async fn nothing_from_a_stack_a_state_or_aws_moves_the_terminal() {
    // Tags of log groups cannot have control characters, and those of other services can.
    let endpoint = &Emulator::MiniStack.unchecked().unwrap();
    let account = "430000000001";
    let project = Project::new(endpoint, account);
    project.write(STACK, &hostile("us-east-1"));
    let run = |code: i32, arguments: &[&str]| {
        let all = [arguments, &[STACK]].concat();
        clean(project.expect(code, &all), &format!("{arguments:?}"))
    };
    // Values, keys, addresses, outputs and checks of a plan, for people, programs and forges.
    let plan = run(0, &["plan"]);
    for shown in ["a\\u001b[2J", "x\\u001b[2J", "n\\u001b[2J", "Check odd: m\\u001b[2J\\u001b]0;t\\u0007\\u009b2J"] {
        assert!(plan.stdout.contains(shown), "{shown} {}", plan.stdout);
    }
    run(0, &["plan", "--markdown"]);
    let json: serde_json::Value = serde_json::from_str(&run(0, &["plan", "--json"]).stdout).unwrap();
    assert_eq!(json["outputs"]["note"]["after"], "n\u{1b}[2J\u{1b}]0;t\u{7}\u{9b}2J\u{9d}0;t\u{9c}\u{202e}\u{2066}\u{7f}");
    // Progress, conclusion and outputs of an apply.
    let apply = run(0, &["apply", "-y", "-vv"]);
    assert!(apply.stderr.contains("created") && apply.stdout.contains("note = \"n\\u001b[2J"), "{}{}", apply.stdout, apply.stderr);
    for arguments in [&["show"][..], &["state", "list"], &["output"], &["state", "pull"], &["drift"], &["logs", "--stack"]] {
        run(0, arguments);
    }
    // What another program reads byte by byte is what it is.
    assert_eq!(project.expect(0, &["output", STACK, "note"]).stdout.matches('\u{9b}').count(), 1);
    // Lines of logs.
    let logs = aws_sdk_cloudwatchlogs::Client::new(&sdk::config(endpoint, account).await);
    logs.create_log_stream().log_group_name("/hostile/web").log_stream_name("web/web/0123").send().await.unwrap();
    let now = i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let event =
        aws_sdk_cloudwatchlogs::types::InputLogEvent::builder().timestamp(now).message("\u{1b}[2Jl\u{9b}2J\u{202e}").build().unwrap();
    logs.put_log_events().log_group_name("/hostile/web").log_stream_name("web/web/0123").log_events(event).send().await.unwrap();
    let shown = run(0, &["logs", "--stack"]);
    assert!(shown.stdout.contains("\\u001b[2Jl\\u009b2J\\u202e"), "{}", shown.stdout);
    run(0, &["destroy", "-y"]);
}

#[test]
fn an_error_of_aws_and_a_mistake_in_a_file_are_shown_and_not_obeyed() {
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "430000000002");
    project.write(STACK, &hostile("us-east-1"));
    let body = "{\"__type\":\"Odd\\u001b[2JException\",\"message\":\"no\\u001b]0;t\\u0007\\u009b2J\\nerror: forged\"}";
    let answer = format!("HTTP/1.1 400 X\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let proxy = Proxy::start(Emulator::MiniStack.endpoint().unwrap(), move |call| {
        (call.operation == "CreateLogGroup").then(|| Fault::Raw(answer.clone().into_bytes()))
    });
    let failed = ran(project.command(&["apply", "-y", STACK]).env("AWS_ENDPOINT_URL", &proxy.endpoint).output().unwrap());
    // Of the request, AWS's model refuses the tag that is full of control characters, and nothing else.
    let invalid = proxy.take_invalid();
    assert!(invalid.iter().all(|what| what.starts_with("logs:CreateLogGroup: tags.Note is ")), "{invalid:?}");
    let failed = clean(failed, "a failed apply");
    assert_eq!(failed.code, 1);
    assert!(failed.stderr.contains("no\\u001b]0;t\\u0007\\u009b2J"), "{}", failed.stderr);
    assert!(!failed.stderr.lines().any(|line| line.starts_with("error: forged")), "{}", failed.stderr);

    project.write(
        STACK,
        &hostile("us-east-1")
            .replace("[resource.cloudwatch_log_group.web]", "\u{9b}2J = 1 # \u{202e}\n[resource.cloudwatch_log_group.web]"),
    );
    let wrong = clean(project.expect(1, &["validate", STACK]), "a mistake in a file");
    assert!(wrong.stderr.contains("\\u009b2J"), "{}", wrong.stderr);
    let name = "stacks/\u{1b}[2J.toml";
    clean(project.expect(1, &["validate", name]), "a file that is not there");
    clean(project.expect(1, &["\u{1b}[2J"]), "a command that is not there");
    clean(project.expect(1, &["state", "show", "vpc.a[\"\u{1b}[2J\"]", STACK]), "an address that is not there");
}

const SCRIPT: &str = r#"
[stack]
name = "script"
region = "us-east-1"
[resource.ecs_task_definition.web]
family = "script-web"
cpu = 256
memory = 512
container_definitions = [{ name = "web", image = "web:v1", command = ["sh", "-c", """
set -e
- one: 1
LINE
echo done
"""] }]
"#;

#[test]
fn a_text_of_several_lines_differs_line_by_line() {
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "430000000003");
    project.write(STACK, &SCRIPT.replace("LINE", "echo a"));
    let plan = project.expect(0, &["plan", "--full", STACK]);
    assert!(plan.stdout.contains("  echo done\n") && !plan.stdout.contains("echo a\\n"), "{}", plan.stdout);
    project.expect(0, &["apply", "-y", STACK]);
    project.write(STACK, &SCRIPT.replace("LINE", "echo b"));
    let plan = project.expect(0, &["plan", STACK]);
    let lines: Vec<&str> = plan.stdout.lines().map(str::trim).collect();
    assert!(lines.contains(&"- echo a") && lines.contains(&"+ echo b") && lines.contains(&"echo done"), "{}", plan.stdout);
    // What stays is not taken for something that goes, because it begins with a hyphen.
    let comment = project.expect(0, &["plan", "--markdown", STACK]).stdout;
    let marked: Vec<&str> = comment.lines().filter(|line| line.starts_with(['+', '-'])).collect();
    assert!(marked.iter().any(|line| line.contains("echo b")), "{comment}");
    assert!(!marked.iter().any(|line| line.contains("one: 1")), "{comment}");
}

const SERVICES: &str = r#"
[stack]
name = "NAME"
region = "us-east-1"
[resource.ecs_cluster.main]
name = "NAME"
[resource.ecs_task_definition.web]
family = "NAME-web"
cpu = 256
memory = 512
container_definitions = [{ name = "web", image = "web:v1" }]
[resource.ecs_service.web]
name = "NAME-web"
cluster = "${ecs_cluster.main.arn}"
task_definition = "${ecs_task_definition.web.arn}"
desired_count = 2
launch_type = "EC2"
"#;

#[test]
fn what_stops_tasks_asks_and_names_what_it_is_about() {
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "430000000004");
    for name in ["asked-a", "asked-b"] {
        let file = format!("stacks/{name}.toml");
        project.write(&file, &SERVICES.replace("NAME", name));
        project.expect(0, &["apply", "-y", &file]);
    }
    let of_b = |arguments: &[&'static str]| [arguments, &["--stack", "stacks/asked-b.toml"]].concat();
    for arguments in [&["scale", "down"][..], &["scale", "web=0"], &["scale", "web=1"], &["redeploy"], &["redeploy", "--image", "v2"]] {
        let refused = project.expect(1, &of_b(arguments));
        let said = &refused.stderr;
        assert!(said.starts_with("Stack stacks/asked-b.toml\n"), "{arguments:?}: {said}");
        assert!(said.contains("In stack asked-b (stacks/asked-b.toml), account 430000000004, us-east-1:"), "{arguments:?}: {said}");
        assert!(said.contains("  ecs_service.web: ") && said.contains("pass `--yes`"), "{arguments:?}: {said}");
    }
    assert!(project.expect(0, &["status", "stacks/asked-b.toml"]).stdout.contains("2 of 2"));
    project.expect(0, &of_b(&["scale", "web=0", "-y"]));
    assert!(project.expect(0, &["status", "stacks/asked-b.toml"]).stdout.contains("0 of 0"));
    // Nothing is stopped by these.
    project.expect(0, &of_b(&["scale", "up"]));
    project.expect(0, &of_b(&["scale", "web=3"]));
    project.expect(0, &of_b(&["redeploy", "--yes"]));
    assert!(project.expect(0, &["status", "stacks/asked-a.toml"]).stdout.contains("2 of 2"));
}

/// How long a command that is to be interrupted may take, ten times what it needs.
const LAST: Duration = Duration::from_secs(60);

/// A command that runs, and whose words are heard.
pub fn begun(mut command: Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn interrupt(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

/// Interrupts a command once it says this; its exit code, and all that it said. One that does not end by itself, because
/// it says something else or does not hear, is killed.
pub fn interrupted_at(mut child: Child, word: &str) -> (i32, String) {
    let (line, lines) = std::sync::mpsc::channel();
    let stderr = child.stderr.take().unwrap();
    std::thread::spawn(move || BufReader::new(stderr).lines().map_while(Result::ok).try_for_each(|read| line.send(read)));
    let mut said = String::new();
    let mut told = false;
    let last = std::time::Instant::now() + LAST;
    loop {
        match lines.recv_timeout(last.saturating_duration_since(std::time::Instant::now())) {
            Ok(line) => said = format!("{said}{line}\n"),
            Err(RecvTimeoutError::Timeout) => child.kill().unwrap(),
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if !told && said.contains(word) {
            told = true;
            interrupt(&child);
        }
    }
    (child.wait().unwrap().code().unwrap_or(-1), said)
}

#[test]
fn an_apply_that_is_interrupted_while_it_waits_has_not_failed() {
    let endpoint = Emulator::MiniStack.endpoint().unwrap();
    let project = Project::new(endpoint, "430000000005");
    let body = SERVICES.replace("NAME", "waited");
    project.write(STACK, &(body + "[resource.cloudwatch_log_group.after]\nname = \"/waited\"\ndepends_on = [\"ecs_service.web\"]\n"));
    // Once it is made, the service never becomes steady.
    let service = r#"{"services":[{"serviceArn":"ARN","serviceName":"waited-web","status":"ACTIVE","desiredCount":2,"runningCount":0,"pendingCount":2,"deployments":[{"id":"ecs-svc/1","status":"PRIMARY","rolloutState":"IN_PROGRESS","desiredCount":2,"runningCount":0,"pendingCount":2,"taskDefinition":"x"}],"events":[]}],"failures":[]}"#;
    let arn = "arn:aws:ecs:us-east-1:430000000005:service/waited/waited-web";
    let answer = service.replace("ARN", arn);
    let made = std::sync::atomic::AtomicBool::new(false);
    let proxy = Proxy::start(endpoint, move |call| match call.operation.as_str() {
        "CreateService" => {
            made.store(true, std::sync::atomic::Ordering::SeqCst);
            None
        }
        "DescribeServices" if made.load(std::sync::atomic::Ordering::SeqCst) => Some(Fault::Answer(answer.clone())),
        "ListServiceDeployments" => Some(Fault::Answer(r#"{"serviceDeployments":[]}"#.to_owned())),
        _ => None,
    });
    let mut command = project.command(&["apply", "-y", STACK]);
    command.env("AWS_ENDPOINT_URL", &proxy.endpoint);
    let (code, said) = interrupted_at(begun(command), "  ecs_service.web: ");
    assert_eq!(code, 130, "{said}");
    assert!(said.contains("Interrupted: ") && said.contains("1 begun and not waited for; 0 failed, 1 not tried"), "{said}");
    assert!(said.contains("which goes on in AWS") && !said.contains("because"), "{said}");
    // The next one goes on where this one was.
    project.expect(0, &["apply", "-y", STACK]);
    project.expect(0, &["plan", "--detailed-exitcode", STACK]);
}

#[test]
fn reading_that_takes_long_says_what_and_is_interrupted_with_a_word() {
    let endpoint = Emulator::MiniStack.endpoint().unwrap();
    let project = Project::new(endpoint, "430000000006");
    project.write(STACK, &SERVICES.replace("NAME", "slow"));
    let proxy = Proxy::start(endpoint, |call| (call.service == "ecs").then_some(Fault::Hang));
    for arguments in [&["plan", STACK][..], &["apply", "-y", STACK], &["drift", STACK]] {
        let mut command = project.command(arguments);
        command.env("AWS_ENDPOINT_URL", &proxy.endpoint);
        let (code, said) = interrupted_at(begun(command), "reading 3 resources: ecs (");
        assert_eq!(code, 130, "{arguments:?}: {said}");
        assert!(said.ends_with("Interrupted.\n"), "{arguments:?}: {said}");
    }
    // The lock was given back, and nothing was made.
    project.expect(0, &["apply", "-y", STACK]);
    for arguments in [&["status", STACK][..], &["tasks", "list", "--stack", STACK]] {
        let mut command = project.command(arguments);
        command.env("AWS_ENDPOINT_URL", &proxy.endpoint);
        let (code, said) = interrupted_at(begun(command), "reading ");
        assert_eq!((code, said.ends_with("Interrupted.\n")), (130, true), "{arguments:?}: {said}");
    }
}

/// What is on a terminal in the end of all that was written to it.
fn left_on(terminal: Terminal, rows: u16, columns: u16) -> String {
    let mut screen = vt100::Parser::new(rows, columns, 0);
    screen.process(terminal.all().as_bytes());
    screen.screen().contents()
}

/// Whether a line of progress is on the screen, whose first character turns.
fn turns(screen: &str) -> bool {
    screen.chars().any(|c| ('\u{2800}'..='\u{28ff}').contains(&c))
}

/// Presses Ctrl-C: the terminal echoes the key where the cursor is, and then signals.
fn presses(terminal: &mut Terminal, child: &Child) {
    terminal.types("\u{3}");
    terminal.shows("\u{3}");
    interrupt(child);
}

#[test]
fn no_progress_stays_on_the_screen_of_a_command_that_was_interrupted() {
    let endpoint = Emulator::MiniStack.endpoint().unwrap();
    let project = Project::new(endpoint, "430000000011");
    project.write(STACK, &SERVICES.replace("NAME", "left"));
    let at = |arguments: &[&str], proxy: &Proxy| {
        let terminal = Terminal::new(40, 80);
        let mut command = project.command(arguments);
        command.env("AWS_ENDPOINT_URL", &proxy.endpoint).env("TERM", "xterm");
        let child = command.stdin(terminal.stdio()).stdout(terminal.stdio()).stderr(terminal.stdio()).spawn().unwrap();
        (terminal, child)
    };
    let silent = Proxy::start(endpoint, |call| (call.service == "ecs").then_some(Fault::Hang));
    for arguments in [&["plan", STACK][..], &["apply", "-y", STACK]] {
        let (mut terminal, mut child) = at(arguments, &silent);
        terminal.shows("reading 3 resources: ecs");
        presses(&mut terminal, &child);
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert!(terminal.is_usual());
        let left = left_on(terminal, 40, 80);
        assert!(!turns(&left) && !left.contains("reading") && left.trim_end().ends_with("Interrupted."), "{left}");
    }
    // Once what is going on is to be finished, and once more to stop at once.
    let slow = Proxy::start(endpoint, |call| (call.operation == "CreateCluster").then_some(Fault::Hang));
    let (mut terminal, mut child) = at(&["apply", "-y", STACK], &slow);
    terminal.shows("creating");
    presses(&mut terminal, &child);
    terminal.shows("Interrupted: finishing");
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(terminal.is_usual());
    let left = left_on(terminal, 40, 80);
    assert!(!turns(&left) && left.contains("Stopped at once") && !left.contains(" done, "), "{left}");
}

#[test]
fn an_address_that_does_not_answer_is_named() {
    // It takes connections and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", silent.local_addr().unwrap());
    let project = Project::new(&address, "430000000007");
    project.write(STACK, &SERVICES.replace("NAME", "silent"));
    let (code, said) = interrupted_at(begun(project.command(&["plan", STACK])), "no answer yet");
    assert_eq!(code, 130, "{said}");
    assert!(said.contains(&format!("no answer yet from {address} (sts)")), "{said}");
    // Nobody is there at all.
    drop(silent);
    let gone = project.expect(1, &["plan", STACK]);
    assert!(gone.stderr.contains(&format!("{address} did not answer")), "{}", gone.stderr);
}

#[test]
fn what_an_answer_says_in_no_form_of_aws_s_is_shown() {
    let endpoint = Emulator::MiniStack.endpoint().unwrap();
    let project = Project::new(endpoint, "430000000008");
    project.write(STACK, &SERVICES.replace("NAME", "unheard"));
    for (body, shown) in [
        ("{\"error\": \"Unsupported service: ecs\"}", "the answer is 400: {\"error\": \"Unsupported service: ecs\"}"),
        ("<html>\n<h1>No\u{1b}[2J</h1>", "the answer is 400: <html> <h1>No\\u001b[2J</h1>"),
        ("", "the answer is 400 without a word"),
    ] {
        let answer = format!("HTTP/1.1 400 X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let proxy = Proxy::start(endpoint, move |call| (call.service == "ecs").then(|| Fault::Raw(answer.clone().into_bytes())));
        let unheard = ran(project.command(&["plan", STACK]).env("AWS_ENDPOINT_URL", &proxy.endpoint).output().unwrap());
        assert_eq!(unheard.code, 1);
        assert!(unheard.stderr.contains(shown), "{}", unheard.stderr);
        assert!(!unheard.stderr.contains("unhandled") && !unheard.stderr.contains("reached"), "{}", unheard.stderr);
        // What is asked again and again would not get another answer.
        let asked = proxy.calls().iter().filter(|call| call.operation == "DescribeClusters").count();
        assert_eq!(asked, 1, "{}", unheard.stderr);
    }
}

#[test]
fn a_plan_during_somebody_else_s_apply_says_whose_it_is() {
    let endpoint = Emulator::MiniStack.endpoint().unwrap();
    let project = Project::new(endpoint, "430000000009");
    project.write(STACK, &SERVICES.replace("NAME", "busy"));
    let (told, hears) = std::sync::mpsc::channel();
    let proxy = Proxy::start(endpoint, move |call| {
        if call.operation != "CreateService" {
            return None;
        }
        // The test may have heard already.
        let _ = told.send(());
        Some(Fault::Hang)
    });
    let mut command = project.command(&["apply", "-y", STACK]);
    command.env("AWS_ENDPOINT_URL", &proxy.endpoint);
    let mut child = begun(command);
    hears.recv().unwrap();
    let plan = project.expect(0, &["plan", STACK]);
    let holder = format!("Note: `leoctl apply`, process {}, since ", child.id());
    assert!(plan.stderr.contains(&holder) && plan.stderr.contains("is working on busy"), "{}", plan.stderr);
    child.kill().unwrap();
    child.wait().unwrap();
    project.expect(0, &["apply", "-y", STACK]);
    assert!(!project.expect(0, &["plan", STACK]).stderr.contains("is working on"));
}

#[test]
fn a_saved_plan_is_applied_from_another_checkout_with_the_variables_of_its_files() {
    let endpoint = Emulator::MiniStack.endpoint().unwrap();
    let (one, two) = (Project::new(endpoint, "430000000010"), Project::new(endpoint, "430000000010"));
    let body = "[stack]\nname = \"moved\"\nregion = \"us-east-1\"\n[vars.days]\n[resource.cloudwatch_log_group.a]\nname = \"/moved\"\nretention_in_days = \"${vars.days}\"\n";
    for project in [&one, &two] {
        project.write(STACK, body);
        project.write("stacks/vars/prod.toml", "days = 30\n");
    }
    one.expect(0, &["plan", STACK, "--var-file", "stacks/vars/prod.toml", "--out", "saved.plan"]);
    std::fs::copy(one.path().join("saved.plan"), two.path().join("saved.plan")).unwrap();
    std::fs::remove_dir_all(one.path().join("stacks")).unwrap();
    two.expect(0, &["apply", "-y", "--plan", "saved.plan"]);
    two.expect(0, &["plan", "--detailed-exitcode", STACK, "--var-file", "stacks/vars/prod.toml"]);
}
