//! The sandbox knows its own process, folder and port, and touches no others.
//!
//! A small program stands in for the emulators where only their process matters: it is there at once.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::support::emulator;
use crate::support::program::{Project, Ran, ran};

/// Answers on its ports as the emulators do, until it is told to stop; writes down that it has begun. Where the file
/// `hold` is beside its data, it waits with answering until that is gone.
const EMULATOR: &str = r#"
import http.server, os, signal, sys, threading, time
folder = os.path.dirname(os.environ["STATE_DIR"])
os.makedirs(folder, exist_ok=True)
open(os.path.join(folder, "began"), "a").write("%d\n" % os.getpid())
open(os.path.join(folder, "folder"), "w").write(os.getcwd())
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
while os.path.exists(os.environ["HOLD"]):
    time.sleep(0.02)
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    do_POST = do_GET
    def log_message(self, *_): pass
ports = [int(os.environ[name]) for name in ("MOTO_PORT", "GATEWAY_PORT")]
moto, ministack = [http.server.HTTPServer(("127.0.0.1", port), Answer) for port in ports]
threading.Thread(target=moto.serve_forever, daemon=True).start()
ministack.serve_forever()
"#;

/// What stands in for `python3 -I -m venv`, and in the environment for `python -I -m pip`.
const PYTHON: &str = r#"#!/bin/sh
for folder; do :; done
mkdir -p "$folder/bin"
cat > "$folder/bin/python" <<'END'
#!/bin/sh
case "$2" in
-m) [ ! -p "$HOLD.pip" ] || read -r go < "$HOLD.pip" ;;
*) exec "$REAL_PYTHON" "$EMULATOR" ;;
esac
END
chmod +x "$folder/bin/python"
"#;

/// The sandboxes of a machine of its own.
struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        fs::create_dir(file("bin")).unwrap();
        fs::write(file("emulator.py"), EMULATOR).unwrap();
        fs::write(file("bin/python3"), PYTHON).unwrap();
        fs::set_permissions(file("bin/python3"), fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, project: &Project, arguments: &[&str]) -> Command {
        let mut command = project.command(arguments);
        let path = std::env::var("PATH").unwrap();
        command.env("PATH", format!("{}:{path}", self.file("bin").display()));
        command.env("LEOCTL_SANDBOX_DIR", self.file("sandboxes")).env("HOLD", self.file("hold"));
        command.env("REAL_PYTHON", emulator::python()).env("EMULATOR", self.file("emulator.py"));
        command
    }

    fn run(&self, project: &Project, arguments: &[&str]) -> Ran {
        ran(self.command(project, arguments).output().unwrap())
    }

    fn expect(&self, code: i32, project: &Project, arguments: &[&str]) -> Ran {
        let ran = self.run(project, arguments);
        assert_eq!(ran.code, code, "{arguments:?}\n{}\n{}", ran.stdout, ran.stderr);
        ran
    }

    /// The folders of the sandboxes.
    fn sandboxes(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.file("sandboxes")).unwrap().flatten().map(|entry| entry.path());
        entries.filter(|path| path.join("lock").exists()).collect()
    }

    /// The folder of the only sandbox.
    fn only(&self) -> PathBuf {
        let all = self.sandboxes();
        assert_eq!(all.len(), 1, "{all:?}");
        all[0].clone()
    }

    fn record(&self) -> Value {
        serde_json::from_str(&fs::read_to_string(self.only().join("running.json")).unwrap()).unwrap()
    }

    fn write_record(&self, record: &Value) {
        fs::write(self.only().join("running.json"), record.to_string()).unwrap();
    }

    /// The processes that ever began on the folder of the only sandbox.
    fn began(&self) -> Vec<u32> {
        let text = fs::read_to_string(self.only().join("data/began")).unwrap_or_default();
        text.lines().map(|line| line.parse().unwrap()).collect()
    }
}

impl Drop for Machine {
    /// No emulator outlives its test.
    fn drop(&mut self) {
        for sandbox in fs::read_dir(self.file("sandboxes")).into_iter().flatten().flatten() {
            let read = |name: &str| fs::read_to_string(sandbox.path().join(name)).unwrap_or_default();
            let record: Value = serde_json::from_str(&read("running.json")).unwrap_or_default();
            let recorded = record["process"]["pid"].to_string();
            for pid in read("data/began").lines().chain([recorded.as_str()]).filter(|pid| is_emulator(pid)) {
                drop(Command::new("kill").args(["-9", pid]).status());
            }
        }
    }
}

fn is_emulator(pid: &str) -> bool {
    let command = Command::new("ps").args(["-o", "command=", "-p", pid]).output().unwrap();
    String::from_utf8_lossy(&command.stdout).contains("emulator.py")
}

fn lives(pid: u32) -> bool {
    is_emulator(&pid.to_string())
}

fn project() -> Project {
    Project::new("", "test")
}

/// A program that is no emulator, and goes when dropped.
struct Bystander(Child);

impl Bystander {
    fn new() -> Self {
        Self(Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap())
    }

    fn unharmed(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        drop(self.0.wait());
    }
}

/// A server that answers everything with a success, and is not the emulator.
fn foreign_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            drop(BufReader::new(&stream).read_line(&mut String::new()));
            drop(stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
        }
    });
    port
}

#[test]
fn a_reused_number_a_stale_record_and_a_foreign_server_are_not_the_sandbox() {
    let (machine, project) = (Machine::new(), project());
    machine.expect(0, &project, &["sandbox", "start"]);
    let record = machine.record();
    machine.expect(0, &project, &["sandbox", "stop"]);
    let mut bystander = Bystander::new();
    let number = bystander.0.id();
    let reused = |started: &str| {
        let mut process = record["process"].clone();
        (process["pid"], process["started"]) = (json!(number), json!(started));
        let ports = json!({ "ministack": foreign_server(), "moto": foreign_server() });
        json!({ "token": record["token"], "ports": ports, "process": process })
    };
    let stat = fs::read_to_string(format!("/proc/{number}/stat"));
    let began = stat.map(|stat| stat.rsplit(')').next().unwrap().split_whitespace().nth(19).unwrap().to_owned());
    // Even one that began at the very time, where the system tells it in a way that this test can read.
    for wrong in [reused("1"), reused(&began.unwrap_or_default())] {
        machine.write_record(&wrong);
        let status = machine.expect(0, &project, &["sandbox", "status"]);
        assert!(status.stdout.contains("does not run"), "{}", status.stdout);
        let stop = machine.expect(0, &project, &["sandbox", "stop"]);
        assert!(stop.stdout.contains("does not run") && bystander.unharmed(), "{}", stop.stdout);
    }
    // The next start is not taken in either: it starts one of its own.
    machine.write_record(&reused("1"));
    machine.expect(0, &project, &["sandbox", "start"]);
    assert_eq!(machine.began().len(), 2);
    assert_ne!(machine.record()["token"], record["token"]);
    machine.expect(0, &project, &["sandbox", "stop"]);
    assert!(bystander.unharmed());
}

#[test]
fn a_foreign_server_on_a_port_of_our_own_process_is_not_used() {
    let (machine, project) = (Machine::new(), project());
    machine.expect(0, &project, &["sandbox", "start"]);
    let record = machine.record();
    let ours = record["process"]["pid"].as_u64().unwrap();
    for emulator in ["ministack", "moto"] {
        let mut record = record.clone();
        record["ports"][emulator] = json!(foreign_server());
        machine.write_record(&record);
        let status = machine.expect(0, &project, &["sandbox", "status"]);
        assert!(status.stdout.contains(&format!("is starting (process {ours})")), "{}", status.stdout);
    }
    let stop = machine.expect(0, &project, &["sandbox", "stop"]);
    assert!(stop.stdout.contains("is stopped"), "{}", stop.stdout);
    assert!(!lives(u32::try_from(ours).unwrap()));
}

#[test]
fn starts_at_the_same_time_start_one() {
    let (machine, project) = (Machine::new(), project());
    let starting: Vec<Child> = (0..3)
        .map(|_| machine.command(&project, &["sandbox", "start"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap())
        .collect();
    let said: Vec<String> = starting.into_iter().map(|child| ran(child.wait_with_output().unwrap()).stdout).collect();
    assert!(said[0].contains("runs at") && said.iter().all(|one| *one == said[0]), "{said:?}");
    let began = machine.began();
    assert_eq!(began.len(), 1);
    machine.expect(0, &project, &["sandbox", "stop"]);
    assert!(!lives(began[0]));
}

#[test]
fn two_projects_have_two_sandboxes_and_stop_only_their_own() {
    let (machine, one, two) = (Machine::new(), project(), project());
    let first = machine.expect(0, &one, &["sandbox", "start"]).stdout;
    let second = machine.expect(0, &two, &["sandbox", "start"]).stdout;
    assert_ne!(first, second);
    assert_eq!(machine.sandboxes().len(), 2);
    machine.expect(0, &one, &["sandbox", "stop"]);
    assert!(machine.expect(0, &one, &["sandbox", "status"]).stdout.contains("does not run"));
    assert!(machine.expect(0, &two, &["sandbox", "status"]).stdout.starts_with(&second));
    machine.expect(0, &two, &["sandbox", "stop"]);
}

#[test]
fn a_sandbox_that_was_killed_says_so_when_it_begins_again() {
    let (machine, project) = (Machine::new(), project());
    let said = |arguments: &[&str]| machine.expect(0, &project, arguments).stderr.contains("the sandbox was killed");
    assert!(!said(&["sandbox", "start"]));
    let began = machine.began()[0];
    drop(Command::new("kill").args(["-9", &began.to_string()]).status());
    while lives(began) {
        std::thread::yield_now();
    }
    assert!(said(&["sandbox", "start"]), "what it had not saved is gone");
    assert!(!said(&["sandbox", "stop"]) && !said(&["sandbox", "start"]), "what is stopped has saved all");
    machine.expect(0, &project, &["sandbox", "stop"]);
}

#[test]
fn what_a_killed_start_left_is_taken_over() {
    let (machine, project) = (Machine::new(), project());
    fs::write(machine.file("hold"), "").unwrap();
    let mut killed = machine.command(&project, &["sandbox", "start"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !machine.file("sandboxes").exists() || machine.sandboxes().is_empty() || machine.began().is_empty() {
        std::thread::yield_now();
        assert!(killed.try_wait().unwrap().is_none());
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    let began = machine.began();
    // Killed before it could write the number down, too: the token finds it.
    let mut record = machine.record();
    record["process"] = Value::Null;
    machine.write_record(&record);
    let status = machine.expect(0, &project, &["sandbox", "status"]);
    assert!(status.stdout.contains(&format!("is starting (process {})", began[0])), "{}", status.stdout);
    fs::remove_file(machine.file("hold")).unwrap();
    let again = machine.expect(0, &project, &["sandbox", "start"]);
    assert!(again.stdout.contains(&format!("(process {})", began[0])), "{}", again.stdout);
    assert_eq!(machine.began(), began);
    machine.expect(0, &project, &["sandbox", "stop"]);
    assert!(!lives(began[0]));
}

#[test]
fn the_folder_is_its_owner_s_alone_also_where_it_was_not() {
    let (machine, project) = (Machine::new(), project());
    fs::create_dir(machine.file("sandboxes")).unwrap();
    fs::set_permissions(machine.file("sandboxes"), fs::Permissions::from_mode(0o777)).unwrap();
    machine.expect(0, &project, &["sandbox", "start"]);
    let sandbox = machine.only();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let check = || {
        for folder in [&machine.file("sandboxes"), &sandbox, &sandbox.join("data")] {
            assert_eq!(mode(folder), 0o700, "{}", folder.display());
        }
        for file in ["lock", "running.json", "emulators.log", "data/began"] {
            assert_eq!(mode(&sandbox.join(file)), 0o600, "{file}");
        }
    };
    check();
    machine.expect(0, &project, &["sandbox", "stop"]);
    for (name, wide) in [("lock", 0o666), ("emulators.log", 0o644), ("", 0o755), ("data", 0o755)] {
        fs::set_permissions(sandbox.join(name), fs::Permissions::from_mode(wide)).unwrap();
    }
    machine.expect(0, &project, &["sandbox", "start"]);
    check();
    machine.expect(0, &project, &["sandbox", "stop"]);
}

#[test]
fn a_link_in_the_place_of_the_folder_or_the_record_is_refused() {
    let (machine, project) = (Machine::new(), project());
    machine.expect(0, &project, &["sandbox", "start"]);
    machine.expect(0, &project, &["sandbox", "stop"]);
    let sandbox = machine.only();
    let elsewhere = machine.file("elsewhere");
    fs::write(&elsewhere, r#"{"token":"t","ports":{"ministack":1,"moto":2},"process":{"pid":1,"started":"1","token":"t"}}"#).unwrap();
    std::os::unix::fs::symlink(&elsewhere, sandbox.join("running.json")).unwrap();
    for command in [&["start"][..], &["stop"], &["status"], &["reset", "-y"]] {
        let refused = machine.expect(1, &project, &[&["sandbox"], command].concat());
        assert!(refused.stderr.contains("running.json is no file of the sandbox's"), "{command:?}: {}", refused.stderr);
    }
    fs::remove_file(sandbox.join("running.json")).unwrap();
    // What says nothing of a process has none stopped, and none started beside it.
    fs::write(sandbox.join("running.json"), r#"{"pid":1,"port":1}"#).unwrap();
    for command in [&["start"][..], &["stop"], &["status"], &["reset", "-y"]] {
        let refused = machine.expect(1, &project, &[&["sandbox"], command].concat());
        assert!(refused.stderr.contains("does not say which process is the sandbox's"), "{command:?}: {}", refused.stderr);
    }
    fs::remove_file(sandbox.join("running.json")).unwrap();
    let moved = machine.file("moved");
    fs::rename(&sandbox, &moved).unwrap();
    std::os::unix::fs::symlink(&moved, &sandbox).unwrap();
    for command in [&["start"][..], &["stop"], &["status"], &["reset", "-y"]] {
        let refused = machine.expect(1, &project, &[&["sandbox"], command].concat());
        assert!(refused.stderr.contains("is a symbolic link"), "{command:?}: {}", refused.stderr);
    }
    assert_eq!(fs::read_to_string(moved.join("data/began")).unwrap().lines().count(), 1);
}

#[test]
fn a_reset_asks_first() {
    let (machine, project) = (Machine::new(), project());
    machine.expect(0, &project, &["sandbox", "start"]);
    machine.expect(0, &project, &["sandbox", "stop"]);
    let refused = machine.expect(1, &project, &["sandbox", "reset"]);
    assert!(refused.stderr.contains("pass `--yes`"), "{}", refused.stderr);
    assert!(machine.only().join("data").exists());
    machine.expect(0, &project, &["sandbox", "reset", "-y"]);
    assert!(!machine.only().join("data").exists());
}

#[test]
fn what_is_waited_for_is_said() {
    let (machine, project) = (Machine::new(), project());
    let held = machine.file("hold.pip");
    assert!(Command::new("mkfifo").arg(&held).status().unwrap().success());
    let mut command = machine.command(&project, &["sandbox", "start"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.starts_with("Installing MiniStack")));
    assert!(lines.any(|line| line.starts_with("waiting: pip (")));
    fs::write(&held, "go\n").unwrap();
    assert!(child.wait().unwrap().success());
    machine.expect(0, &project, &["sandbox", "stop"]);
}

#[test]
fn no_code_of_the_project_runs_while_the_emulator_is_installed_or_runs() {
    let (machine, project) = (Machine::new(), project());
    // Modules of the names that Python is asked for, and of some that those import.
    let hostile = "import pathlib\npathlib.Path(__file__).with_suffix('.ran').write_text('x')\n";
    let names = ["venv", "pip", "ensurepip", "argparse", "hypercorn", "sitecustomize"];
    names.iter().for_each(|name| project.write(&format!("{name}.py"), hostile));
    // The real Python. What it would install is not to be had, so that this needs no network.
    let mut command = project.command(&["sandbox", "start"]);
    command.env("LEOCTL_SANDBOX_DIR", machine.file("real")).env("PYTHONPATH", project.path());
    command.env("PIP_INDEX_URL", "http://127.0.0.1:9/").env("PIP_RETRIES", "0").env("PIP_CONFIG_FILE", "/dev/null");
    let installed = ran(command.output().unwrap());
    assert_eq!(installed.code, 1, "{}", installed.stderr);
    assert!(installed.stderr.contains("python failed") && installed.stderr.contains("ministack"), "{}", installed.stderr);
    // And where it is installed, the emulator runs in a folder of leoctl's own.
    machine.expect(0, &project, &["sandbox", "start"]);
    assert_ne!(fs::read_to_string(machine.only().join("data/folder")).unwrap(), project.path().canonicalize().unwrap().to_string_lossy());
    machine.expect(0, &project, &["sandbox", "stop"]);
    let ran: Vec<&&str> = names.iter().filter(|name| project.path().join(format!("{name}.ran")).exists()).collect();
    assert!(ran.is_empty(), "{ran:?}");
}

#[test]
fn a_folder_for_sandboxes_may_be_named_from_where_leoctl_is_called() {
    let (machine, project) = (Machine::new(), project());
    let run = |arguments: &[&str]| {
        let ran = ran(machine.command(&project, arguments).env("LEOCTL_SANDBOX_DIR", "sandboxes").output().unwrap());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stdout
    };
    assert!(run(&["sandbox", "start"]).contains("runs at"));
    assert!(project.path().join("sandboxes").is_dir());
    assert!(run(&["sandbox", "stop"]).contains("is stopped"));
}

/// A machine on which the real emulators are installed, as they are for the tests.
fn with_emulators() -> Machine {
    let machine = Machine::new();
    emulator::sandboxes(&machine.file("sandboxes"));
    machine
}

/// A network with what the sandbox answers otherwise than AWS: an operation that it has not, and an attribute that it
/// forgets.
const LACKING: &str = r#"
[stack]
name = "lacking"
region = "us-east-1"
[resource.vpc.main]
cidr_block = "10.0.0.0/16"
[resource.subnet.a]
for_each = ["us-east-1a", "us-east-1b"]
vpc_id = "${vpc.main.id}"
availability_zone = "${each.value}"
cidr_block = "${cidrsubnet(vpc.main.cidr_block, 8, each.index)}"
enable_dns64 = true
[resource.lb.main]
name = "lacking"
subnets = "${pluck(subnet.a, 'id')}"
minimum_load_balancer_capacity = { capacity_units = 100 }
"#;

#[test]
fn what_the_sandbox_lacks_is_said() {
    let (machine, project) = (with_emulators(), project());
    project.write("stacks/lacking.toml", LACKING);
    let refused = machine.expect(1, &project, &["--sandbox", "apply", "-y", "stacks/lacking.toml"]);
    let said = words(&refused.stderr);
    assert!(said.contains("lb.main") && said.contains("the sandbox lacks this part of elasticloadbalancing"), "{}", refused.stderr);
    assert!(!said.contains("--endpoint-url"), "{}", refused.stderr);
    let again = machine.expect(0, &project, &["--sandbox", "plan", "stacks/lacking.toml"]);
    let said = words(&again.stderr);
    assert!(said.contains("Note: the sandbox is not all of AWS for subnet:"), "{}\n{}", again.stdout, again.stderr);
    let status = machine.expect(0, &project, &["sandbox", "status"]);
    assert!(words(&status.stdout).contains("subnet: ModifySubnetAttribute ignores EnableDns64"), "{}", status.stdout);
    machine.expect(0, &project, &["sandbox", "stop"]);
}

/// A text without its line breaks.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn an_ordinary_platform_is_built_changed_and_deleted_in_the_sandbox() {
    let (machine, project) = (with_emulators(), project());
    let platform = include_str!("../fixtures/platform.toml");
    project.write("stacks/platform.toml", platform);
    let run = |code: i32, arguments: &[&str]| {
        // What else is configured does not lead out of the sandbox.
        let mut command = machine.command(&project, &[&["--sandbox"], arguments].concat());
        command.env("AWS_ENDPOINT_URL_EC2", "http://127.0.0.1:9").env("AWS_ENDPOINT_URL_ECS", "http://127.0.0.1:9");
        let ran = ran(command.output().unwrap());
        assert_eq!(ran.code, code, "{arguments:?}\n{}\n{}", ran.stdout, ran.stderr);
        ran
    };
    let unchanged = || {
        let plan = run(0, &["plan", "stacks/platform.toml", "--detailed-exitcode"]);
        assert!(plan.stdout.contains("No changes: 47 resources"), "{}", plan.stdout);
    };
    run(0, &["apply", "-y", "stacks/platform.toml"]);
    unchanged();
    let changed =
        platform.replace("default = 30", "default = 14").replace("10.60.", "10.61.").replace("max_capacity = 6", "max_capacity = 8");
    project.write("stacks/platform.toml", &changed);
    run(2, &["plan", "stacks/platform.toml", "--detailed-exitcode"]);
    run(0, &["apply", "-y", "stacks/platform.toml"]);
    unchanged();
    // What is in it outlives its process.
    machine.expect(0, &project, &["sandbox", "stop"]);
    unchanged();
    let emptied = run(0, &["destroy", "-y", "stacks/platform.toml"]);
    assert!(emptied.stderr.contains("47 deleted"), "{}", emptied.stderr);
    machine.expect(0, &project, &["sandbox", "stop"]);
}
